// SPDX-License-Identifier: Apache-2.0
// The lookup against a real PostgreSQL.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#include <cmocka.h>

#define WAIT 10000

struct lookup {
    struct testhost *h;
    struct testhost_node *n;
};

// What came for one question: "key row: +I[…]" a line.
static char answered[1 << 16];
static unsigned answers;

static void on_answer(struct testhost_node *node, uint64_t ticket, const struct leat_batch *rows,
                      const uint32_t *key_of_row)
{
    size_t n = 0;
    answers++;
    answered[0] = 0;
    for (uint32_t r = 0; rows && r < rows->rows && n + 1024 < sizeof answered; r++) {
        n += (size_t)sprintf(answered + n, "%u: ", key_of_row[r]);
        n = testhost_row_text(rows, r, answered, n, sizeof answered);
        n += (size_t)sprintf(answered + n, "\n");
    }
}

static leat_status try_open(struct lookup *l, const char *columns, const char *key, const char *const *more)
{
    const char *pairs[32] = {"url", server_url(""), "username", "postgres", "table-name", "t"};
    size_t n = 6;
    while (more && *more)
        pairs[n++] = *more++;
    l->h = testhost_create();
    l->n = testhost_node(l->h, testhost_component(l->h, "jdbc", LEAT_LOOKUP, "jdbc"), pairs);
    l->n->on_answer = on_answer;
    return testhost_source_start(l->n, columns ? testhost_schema(l->h, columns, key) : NULL);
}

static void must(struct lookup *l, leat_status st)
{
    if (st != LEAT_OK)
        fail_msg("status %d: %s", st, testhost_faults(l->n));
}

static struct lookup open_lookup(const char *columns, const char *const *more)
{
    struct lookup l;
    must(&l, try_open(&l, columns, NULL, more));
    return l;
}

static int has_answer(void *arg)
{
    const struct lookup *l = arg;
    return answers > 0 || l->n->failed;
}

static leat_status try_ask(struct lookup *l, const uint32_t *columns, uint32_t count, const char *types,
                           const char *keys)
{
    struct leat_batch *b = testhost_batch(l->n, testhost_schema(l->h, types, NULL), keys);
    answers = 0;
    leat_status st = l->n->component->lookup->ask(&l->n->ctx, l->n->self, columns, count, b, 7);
    if (st == LEAT_OK && !testhost_run_until(l->h, has_answer, l, WAIT))
        st = LEAT_AGAIN;
    leat_batch_unref(b);
    return st < 0 ? st : l->n->failed ? l->n->failed : st;
}

static const char *ask(struct lookup *l, uint32_t column, const char *type, const char *keys)
{
    must(l, try_ask(l, &column, 1, type, keys));
    assert_int_equal(answers, 1);
    return answered;
}

static void close_lookup(struct lookup *l)
{
    assert_int_equal(testhost_close(l->n, WAIT), LEAT_OK);
    testhost_node_destroy(l->n);
    assert_int_equal(l->h->live_batches, 0);
    testhost_destroy(l->h);
}

static void table(const char *ddl)
{
    char sql[2048];
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (%s)", ddl);
    server_run(sql);
}

static void users(void)
{
    table("id bigint PRIMARY KEY, name varchar(10), city text NOT NULL DEFAULT 'x'");
    server_run("INSERT INTO t VALUES (1, 'a', 'p'), (2, 'b', 'q'), (3, NULL, 'q')");
}

static void test_schema_of_the_catalogue(void **state)
{
    table("id int PRIMARY KEY, n numeric(10,2), ts timestamp(3), tz timestamptz, j jsonb, a int[], c char(3)");
    struct lookup l = open_lookup(NULL, NULL);
    const struct leat_schema *s = l.n->ports.items[0].schema;
    assert_int_equal(s->column_count, 7);
    assert_int_equal(s->columns[0].type.kind, LEAT_TYPE_INT);
    assert_int_equal(s->columns[0].type.nullable, 0);
    assert_int_equal(s->columns[1].type.scale, 2);
    assert_int_equal(s->columns[2].type.precision, 3);
    assert_int_equal(s->columns[3].type.kind, LEAT_TYPE_TIMESTAMP_LTZ);
    assert_int_equal(s->columns[4].type.flags, LEAT_TYPE_IS_JSON);
    assert_int_equal(s->columns[5].type.kind, LEAT_TYPE_VARCHAR);
    server_run("INSERT INTO t VALUES (1, 12.5, '2024-01-02 03:04:05.678', '2024-01-02 03:04:05Z', '{\"a\":1}', "
               "'{1,2}', 'x')");
    assert_string_equal(ask(&l, 0, "id INT", "+I[1]"), "0: +I[1, 12.50, 2024-01-02 03:04:05.678, "
                                                       "2024-01-02 03:04:05.000000Z, {\"a\": 1}, {1,2}, x  ]\n");
    close_lookup(&l);
}

static void test_keys_of_a_batch(void **state)
{
    users();
    struct lookup l = open_lookup("name STRING, id BIGINT", NULL);
    assert_string_equal(ask(&l, 1, "id BIGINT", "+I[2];+I[9];+I[1];+I[NULL];+I[2]"),
                        "0: +I[b, 2]\n2: +I[a, 1]\n4: +I[b, 2]\n");
    assert_string_equal(ask(&l, 1, "id BIGINT", "+I[9];+I[NULL]"), "");
    assert_string_equal(ask(&l, 1, "id BIGINT", "+I[NULL]"), "");
    assert_int_equal(testhost_metric(l.n, "leat_jdbc_lookup_queries_total"), 2);
    assert_int_equal(testhost_metric(l.n, "leat_jdbc_lookup_keys_total"), 8);
    close_lookup(&l);
}

static void test_several_rows_of_a_key(void **state)
{
    users();
    struct lookup l = open_lookup("id BIGINT NOT NULL, city STRING NOT NULL, name STRING", NULL);
    server_run("CREATE INDEX ON t (city, id)");
    assert_string_equal(ask(&l, 1, "city STRING", "+I[p];+I[q]"),
                        "0: +I[1, p, a]\n1: +I[2, q, b]\n1: +I[3, q, NULL]\n");
    must(&l, try_ask(&l, (const uint32_t[]){1, 0}, 2, "city STRING, id BIGINT", "+I[q, 3];+I[p, 3];+I[q, NULL]"));
    assert_string_equal(answered, "0: +I[3, q, NULL]\n");
    close_lookup(&l);
}

static void test_more_rows_than_an_answer_holds(void **state)
{
    table("id bigint, n int");
    server_run("INSERT INTO t SELECT 1, i FROM generate_series(1, 65537) i; INSERT INTO t VALUES (2, 7)");
    struct lookup l = open_lookup("id BIGINT, n INT", NULL);
    uint32_t id = 0;
    assert_int_equal(try_ask(&l, &id, 1, "id BIGINT", "+I[1]"), LEAT_RESOURCE);
    assert_non_null(strstr(testhost_faults(l.n), "more rows in \"public\".\"t\" than the 65536"));
    close_lookup(&l);
}

static void test_key_of_another_type(void **state)
{
    table("id char(4) PRIMARY KEY, u uuid, n numeric(10,2)");
    server_run("INSERT INTO t VALUES ('a', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 5)");
    struct lookup l = open_lookup("id STRING, u STRING, n DECIMAL(10,2)", NULL);
    assert_string_equal(ask(&l, 0, "id STRING", "+I[a]"), "0: +I[a   , a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11, 5.00]\n");
    assert_string_equal(ask(&l, 1, "u STRING", "+I[A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11]"),
                        "0: +I[a   , a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11, 5.00]\n");
    assert_string_equal(ask(&l, 2, "n BIGINT", "+I[5]"), "0: +I[a   , a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11, 5.00]\n");
    close_lookup(&l);
}

static void test_cache(void **state)
{
    users();
    struct lookup l = open_lookup("id BIGINT, name STRING",
                                  (const char *[]){"lookup.cache", "PARTIAL", "lookup.partial-cache.max-rows", "3",
                                                   "lookup.partial-cache.expire-after-write", "300ms", NULL});
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[1];+I[9]"), "0: +I[1, a]\n");
    server_run("UPDATE t SET name = 'new'; INSERT INTO t VALUES (9, 'nine')");
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[9];+I[1];+I[1]"), "1: +I[1, a]\n2: +I[1, a]\n");
    assert_int_equal(testhost_metric(l.n, "leat_jdbc_lookup_queries_total"), 1);
    assert_int_equal(testhost_metric(l.n, "leat_jdbc_lookup_cache_hits_total"), 2);
    // some remembered, some not; then four keys are one too many and the oldest is gone
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[2];+I[1]"), "0: +I[2, new]\n1: +I[1, a]\n");
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[3]"), "0: +I[3, new]\n");
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[1];+I[9]"), "0: +I[1, a]\n1: +I[9, nine]\n");
    testhost_run_for(l.h, 350);
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[1]"), "0: +I[1, new]\n");
    close_lookup(&l);
}

static void test_missing_keys_not_remembered(void **state)
{
    users();
    struct lookup l = open_lookup(
        "id BIGINT, name STRING",
        (const char *[]){"lookup.cache", "PARTIAL", "lookup.partial-cache.cache-missing-key", "false", NULL});
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[9]"), "");
    server_run("INSERT INTO t VALUES (9, 'nine')");
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[9]"), "0: +I[9, nine]\n");
    close_lookup(&l);
}

static void test_many_questions_at_once(void **state)
{
    users();
    struct lookup l = open_lookup("id BIGINT, name STRING", NULL);
    struct leat_batch *b = testhost_batch(l.n, testhost_schema(l.h, "id BIGINT", NULL), "+I[1];+I[2]");
    const uint32_t column = 0;
    unsigned asked = 0;
    answers = 0;
    for (leat_status st; (st = l.n->component->lookup->ask(&l.n->ctx, l.n->self, &column, 1, b, asked)) != LEAT_AGAIN;
         asked++)
        must(&l, st);
    assert_int_equal(asked - answers, 16); // some may have been answered while others were asked
    assert_true(testhost_wait_wake(l.n, WAIT));
    testhost_run_for(l.h, 500);
    assert_int_equal(answers, asked);
    leat_batch_unref(b);
    close_lookup(&l);
}

static void test_killed_connection(void **state)
{
    users();
    struct lookup l = open_lookup("id BIGINT, name STRING", NULL);
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[1]"), "0: +I[1, a]\n");
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    testhost_run_for(l.h, 300);
    assert_string_equal(ask(&l, 0, "id BIGINT", "+I[2]"), "0: +I[2, b]\n");
    close_lookup(&l);
}

static void test_table_gone(void **state)
{
    users();
    struct lookup l = open_lookup("id BIGINT, name STRING", (const char *[]){"lookup.max-retries", "0", NULL});
    server_run("DROP TABLE t");
    const uint32_t column = 0;
    assert_int_equal(try_ask(&l, &column, 1, "id BIGINT", "+I[1]"), LEAT_TRANSIENT);
    close_lookup(&l);
}

struct refusal {
    const char *columns;
    leat_status failure;
    const char *message;
};

static const struct refusal refusals[] = {
    {"id BIGINT, nothing STRING", LEAT_CONFIG, "has no column \"nothing\""},
    {"id INT", LEAT_CONFIG, "the declared integer is narrower"},
    {"id BIGINT, name INT", LEAT_CONFIG,
     "the schema does not fit table \"public\".\"t\": column \"name\" is character varying(10), declared as INT"},
    {"id INT, name STRING, nothing STRING", LEAT_CONFIG, "narrower than the column; it has no column \"nothing\""},
    {"id BIGINT, name VARCHAR(5)", LEAT_CONFIG, "the declared length is less"},
};

static void test_declared_schema_is_compared(void **state)
{
    users();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct lookup l;
        leat_status st = try_open(&l, refusals[i].columns, NULL, NULL);
        if (st != refusals[i].failure || !strstr(l.n->error.message, refusals[i].message))
            fail_msg("%s: status %d: %s", refusals[i].columns, st, testhost_faults(l.n));
        close_lookup(&l);
    }
}

static void test_value_that_does_not_fit(void **state)
{
    table("id int PRIMARY KEY, n numeric");
    server_run("INSERT INTO t VALUES (1, 'NaN'), (2, 1.5)");
    struct lookup l = open_lookup("id INT, n DECIMAL(4,2)", NULL);
    const uint32_t column = 0;
    assert_string_equal(ask(&l, 0, "id INT", "+I[2]"), "0: +I[2, 1.50]\n");
    assert_int_equal(try_ask(&l, &column, 1, "id INT", "+I[1]"), LEAT_DATA);
    assert_non_null(strstr(l.n->error.message, "NaN"));
    close_lookup(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_of_the_catalogue),     cmocka_unit_test(test_keys_of_a_batch),
        cmocka_unit_test(test_several_rows_of_a_key),       cmocka_unit_test(test_more_rows_than_an_answer_holds),
        cmocka_unit_test(test_key_of_another_type),         cmocka_unit_test(test_cache),
        cmocka_unit_test(test_missing_keys_not_remembered), cmocka_unit_test(test_many_questions_at_once),
        cmocka_unit_test(test_killed_connection),           cmocka_unit_test(test_table_gone),
        cmocka_unit_test(test_declared_schema_is_compared), cmocka_unit_test(test_value_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
