// SPDX-License-Identifier: Apache-2.0
// What the programs that test the plugins kafka and upsert-kafka on a real broker share. The broker's address is in
// KAFKA_BOOTSTRAP. Each case makes topics of its own.
#ifndef BROKER_KIT_H
#define BROKER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "testhost.h"

#include <cmocka.h>

#define COLUMNS "id BIGINT NOT NULL, name STRING"
#define WAIT    20000

#define SOURCE(h, topic, ...)                                                                                          \
    node(h, "kafka", LEAT_SOURCE, topic, "scan.startup.mode", "earliest-offset", ##__VA_ARGS__, NULL)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int setup(void **state);
int teardown(void **state);
struct testhost *host(void **state);
const char *servers(void);
// A name that no other run has; good for the next seven calls.
const char *topic_name(const char *name);
// A node with the usual options and `more`, NULL at the end.
struct testhost_node *node(struct testhost *h, const char *plugin, uint8_t kind, const char *topic, ...);
// Fails the test unless st is LEAT_OK.
void good(struct testhost_node *n, leat_status st);
void write_rows(struct testhost_node *sink, const struct leat_schema *schema, const char *rows);
// Writes rows through a sink of its own and waits until they are durable.
void fill(struct testhost *h, const char *plugin, const char *topic, const char *rows);

#endif
