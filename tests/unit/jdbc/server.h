// SPDX-License-Identifier: Apache-2.0
// What the programs against a real server share: SQL of the test's own, and nodes on the test host.
//
// The environment names the server: JDBC_HOST, JDBC_PORT, JDBC_DATABASE. Everything aborts with a message when it
// fails.
#ifndef TEST_JDBC_SERVER_H
#define TEST_JDBC_SERVER_H

#include "testhost.h"

// Runs statements.
void server_run(const char *sql);
// The rows of a query, "a|b\n" each, NULL as "~"; valid until the next call.
const char *server_rows(const char *sql);
// "jdbc:postgresql://host:port/database" and what is added; valid until the next call.
const char *server_url(const char *more);

#endif
