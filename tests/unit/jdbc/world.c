// SPDX-License-Identifier: Apache-2.0
// See world.h.
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct testhost_node *sink_node(struct testhost *h, const char *table, const char *url)
{
    return testhost_node(h, testhost_component(h, "jdbc", LEAT_SINK, "jdbc"),
                         (const char *[]){"url", url, "username", "postgres", "table-name", table, NULL});
}

leat_status start_with(struct sink *s, const char *const *options, const char *columns, const char *key)
{
    s->h = testhost_create();
    s->n = testhost_node(s->h, testhost_component(s->h, "jdbc", LEAT_SINK, "jdbc"), options);
    s->schema = testhost_schema(s->h, columns, key);
    return testhost_sink_start(s->n, s->schema, key ? LEAT_MODE_UPSERT : LEAT_MODE_INSERT_ONLY, key);
}

leat_status try_open(struct sink *s, const char *table, const char *url, const char *columns, const char *key)
{
    const char *const options[] = {"url", url, "username", "postgres", "table-name", table, NULL};
    return start_with(s, options, columns, key);
}

void must(struct sink *s, leat_status st)
{
    if (st != LEAT_OK)
        fail_msg("status %d: %s", st, testhost_faults(s->n));
}

struct sink open_sink(const char *table, const char *columns, const char *key)
{
    struct sink s;
    leat_status st = try_open(&s, table, server_url(""), columns, key);
    must(&s, st);
    return s;
}

void give(struct sink *s, const char *rows)
{
    struct leat_batch *b = testhost_batch(s->n, s->schema, rows);
    must(s, testhost_write(s->n, b, WAIT));
    leat_batch_unref(b);
}

void durable(struct sink *s)
{
    must(s, testhost_flush(s->n, LEAT_FLUSH_DURABLE, WAIT));
}

void close_sink(struct sink *s)
{
    assert_int_equal(testhost_close(s->n, WAIT), LEAT_OK);
    testhost_node_destroy(s->n);
    assert_int_equal(s->h->live_batches, 0);
    testhost_destroy(s->h);
}

int is_waiting(void *arg)
{
    return strcmp(server_rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat' "
                              "AND wait_event_type = 'Lock'"),
                  "1\n") == 0;
}

void table(const char *ddl)
{
    char sql[2048];
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (%s)", ddl);
    server_run(sql);
}
