// SPDX-License-Identifier: Apache-2.0
// A sink on table "t" of a real server, as the programs about the sink use it. What should not fail aborts the test.
#ifndef TEST_JDBC_WORLD_H
#define TEST_JDBC_WORLD_H

#include "server.h"

#define WAIT 10000 // milliseconds

struct sink {
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_schema *schema;
};

struct testhost_node *sink_node(struct testhost *h, const char *table, const char *url);
// Starts one with these options, {name, value, …, NULL}. With a key it upserts, without it inserts.
LEAT_MUST_CHECK leat_status start_with(struct sink *s, const char *const *options, const char *columns,
                                       const char *key);
// The usual ones, as postgres.
LEAT_MUST_CHECK leat_status try_open(struct sink *s, const char *table, const char *url, const char *columns,
                                     const char *key);
void must(struct sink *s, leat_status st);
struct sink open_sink(const char *table, const char *columns, const char *key);
void give(struct sink *s, const char *rows);
void durable(struct sink *s);
void close_sink(struct sink *s);

// A condition for testhost_run_until: the sink's session waits for another one's lock.
int is_waiting(void *arg);

// Creates "t" anew with these columns.
void table(const char *ddl);

#endif
