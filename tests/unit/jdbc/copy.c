// SPDX-License-Identifier: Apache-2.0
// COPY straight into the table, against a real PostgreSQL: when it is tried, and that what it refuses is written all the
// same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#include <cmocka.h>

// A table that writes down by which statements rows came.
static void watched_table(const char *ddl)
{
    table(ddl);
    server_run("DROP TABLE IF EXISTS seen; CREATE TABLE seen (what text); "
               "CREATE OR REPLACE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
               "$$BEGIN INSERT INTO seen VALUES (CASE WHEN current_query() LIKE 'COPY pg_temp.%' THEN 'staged' WHEN "
               "current_query() LIKE '%;COPY %' THEN 'straight' ELSE 'arrays' END); RETURN NULL; END$$; "
               "CREATE TRIGGER see AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION see()");
}

static const char *seen(void)
{
    return server_rows("SELECT what, count(*) FROM seen GROUP BY 1 ORDER BY 1");
}

// Rows [first, first + count) in one flight, which takes off at once when they are 100.
static void take_off(struct sink *s, int first, int count, const char *value)
{
    struct leat_batch *b = leat_batch_new(&s->n->ctx, s->schema, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        uint32_t r = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, r, first + i);
        leat_batch_set_bytes(b, 1, r, value, (uint32_t)strlen(value));
    }
    must(s, testhost_write(s->n, b, WAIT));
    leat_batch_unref(b);
}

static void fly(struct sink *s, int first, int count, const char *value)
{
    take_off(s, first, count, value);
    durable(s);
}

static struct sink open_as(const char *user, const char *key)
{
    const char *const options[] = {"url", server_url(""), "username", user, "table-name", "t", NULL};
    struct sink s;
    leat_status st = start_with(&s, options, key ? "id INT NOT NULL, a STRING" : "id INT, a STRING", key);
    must(&s, st);
    return s;
}

static void want_rows(int count, const char *value)
{
    char want[64];
    snprintf(want, sizeof want, "%d|%d|%s\n", count, count, value);
    assert_string_equal(server_rows("SELECT count(*), count(DISTINCT id), max(a) FROM t"), want);
}

static void test_new_rows_go_straight(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    fly(&s, 0, 1000, "a");
    fly(&s, 1000, 64, "a");
    fly(&s, 2000, 63, "a");
    assert_string_equal(seen(), "arrays|1\nstraight|2\n");
    want_rows(1127, "a");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_rows_written_total"), 1127);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 0);
    close_sink(&s);
}

static void test_rows_that_are_there(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    server_run("INSERT INTO t VALUES (999, 'old'); TRUNCATE seen");
    fly(&s, 0, 1000, "new"); // the very last row meets one
    want_rows(1000, "new");
    assert_string_equal(seen(), "staged|1\n");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_rows_written_total"), 1000);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_flushes_total"), 1);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
    close_sink(&s);
}

// 16 flights go the safe way after the first that was refused, 32 after the second; a success halves that.
static void test_wrong_guesses_become_rare(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    server_run("INSERT INTO t SELECT i, 'old' FROM generate_series(0, 99) i; TRUNCATE seen");
    for (int flight = 0; flight < 1 + 16 + 1 + 32; flight++)
        fly(&s, 0, 100, "new");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 2);
    assert_string_equal(seen(), "arrays|50\n");
    fly(&s, 100, 100, "new");
    assert_string_equal(seen(), "arrays|50\nstraight|1\n");
    for (int flight = 0; flight < 1 + 32; flight++)
        fly(&s, 0, 100, "new");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 3);
    fly(&s, 200, 100, "new");
    assert_string_equal(seen(), "arrays|83\nstraight|2\n");
    want_rows(300, "new");
    close_sink(&s);
}

static void test_deletes_and_parts_never_go_straight(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    char *rows = malloc(1 << 16);
    size_t n = 0;
    for (int i = 0; i < 600; i++)
        n += (size_t)sprintf(rows + n, i == 300 ? "-D[%d, a]\n" : "+I[%d, a]\n", i);
    give(&s, rows);
    durable(&s);
    assert_string_equal(seen(), "staged|1\n");
    n = 0;
    for (int i = 0; i < 600; i++)
        n += (size_t)sprintf(rows + n, i == 300 ? "+U[%d, UNCHANGED]\n" : "+I[%d, b]\n", i + (i == 300 ? 0 : 1000));
    give(&s, rows);
    durable(&s);
    assert_string_equal(seen(), "staged|2\n");
    free(rows);
    close_sink(&s);
}

static void test_switched_off(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    const char *const options[] = {"url", server_url(""),       "username", "postgres", "table-name",
                                   "t",   "sink.copy-new-rows", "false",    NULL};
    struct sink s;
    leat_status st = start_with(&s, options, "id INT NOT NULL, a STRING", "id");
    must(&s, st);
    fly(&s, 0, 1000, "a");
    assert_string_equal(seen(), "staged|1\n");
    close_sink(&s);
}

// A row that the server takes in no way is found as ever, whether or not COPY was tried before.
static void test_a_bad_row_among_new_ones(void **state)
{
    table("id int PRIMARY KEY, a varchar(5)");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    s.n->skip_bad_rows = 1;
    char *rows = malloc(1 << 16);
    size_t n = 0;
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(rows + n, "+I[%d, %s]\n", i, i == 700 ? "too long" : "a");
    give(&s, rows);
    free(rows);
    durable(&s);
    want_rows(999, "a");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
    assert_non_null(s.n->bad_rows);
    assert_null(s.n->bad_rows->next);
    assert_non_null(strstr(s.n->bad_rows->message, "value too long"));
    close_sink(&s);
}

// Every type whose binary forms agree, through COPY.
static void test_types(void **state)
{
    watched_table("id int PRIMARY KEY, b boolean, i2 smallint, i8 bigint, r real, d double precision, n numeric(10,2), "
                  "v varchar(10), c char(4), t text, y bytea, da date, ti time(0), ts timestamp(3), tz timestamptz");
    struct sink s =
        open_sink("t",
                  "id INT NOT NULL, b BOOLEAN, i2 SMALLINT, i8 BIGINT, r FLOAT, d DOUBLE, n DECIMAL(20,4), v STRING, "
                  "c CHAR(4), t STRING, y BYTES, da DATE, ti TIME(0), ts TIMESTAMP(6), tz TIMESTAMP_LTZ(6)",
                  "id");
    char *rows = malloc(1 << 18);
    size_t n = 0;
    for (int i = 0; i < 600; i++)
        n += (size_t)sprintf(
            rows + n,
            i % 2 ? "+I[%d, true, -32768, -9223372036854775808, 1.5, -0.1, -1234567.8951, 日本語, ab, it's, "
                    "x'6279', 0001-01-01, 23:59:59, 2024-05-01 12:00:00.123500, "
                    "1969-12-31 23:59:59.5]\n"
                  : "+I[%d, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
                    "NULL]\n",
            i);
    give(&s, rows);
    free(rows);
    durable(&s);
    assert_string_equal(seen(), "straight|1\n");
    // digits beyond those of the column are rounded as an INSERT rounds them
    assert_string_equal(
        server_rows("SELECT b, i2, i8, r, d, n, v, c, t, y, da, ti, ts, tz AT TIME ZONE 'UTC', count(*) "
                    "FROM t GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 ORDER BY 1"),
        "t|-32768|-9223372036854775808|1.5|-0.1|-1234567.90|日本語|ab  |it's|\\x6279|0001-01-01|23:59:59|"
        "2024-05-01 12:00:00.124|1969-12-31 23:59:59.5|300\n~|~|~|~|~|~|~|~|~|~|~|~|~|~|300\n");
    close_sink(&s);
}

// COPY passes rules by, and does not write to views: these are inserted into.
static void test_tables_where_copy_is_no_insert(void **state)
{
    table("id int, a text");
    server_run("DROP TABLE IF EXISTS also CASCADE; CREATE TABLE also (id int, a text); "
               "CREATE RULE also AS ON INSERT TO t DO ALSO INSERT INTO also VALUES (NEW.id, NEW.a)");
    struct sink s = open_sink("t", "id INT, a STRING", NULL);
    fly(&s, 0, 1000, "a");
    assert_string_equal(server_rows("SELECT count(*) FROM also"), "1000\n");
    close_sink(&s);
    server_run("DROP RULE also ON t; CREATE VIEW t_view AS SELECT * FROM t");
    s = open_sink("t_view", "id INT, a STRING", NULL);
    fly(&s, 1000, 1000, "a");
    want_rows(2000, "a");
    close_sink(&s);
}

// With row security COPY is refused and INSERT judged by the policy.
static void test_row_security(void **state)
{
    table("id int PRIMARY KEY, a text");
    server_run("DROP ROLE IF EXISTS jdbc_ruled; CREATE ROLE jdbc_ruled LOGIN; GRANT ALL ON t TO jdbc_ruled; "
               "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id >= 0)");
    struct sink s = open_as("jdbc_ruled", "id");
    fly(&s, 0, 1000, "a");
    want_rows(1000, "a");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 0);
    close_sink(&s);
    server_run("DROP OWNED BY jdbc_ruled; DROP ROLE jdbc_ruled");
}

// A role that may do no more than it must goes on writing, and the server has nothing to complain of.
static void test_no_right_to_select(void **state)
{
    watched_table("id int, a text");
    server_run("DROP ROLE IF EXISTS jdbc_poor; CREATE ROLE jdbc_poor LOGIN; GRANT INSERT ON t, seen TO jdbc_poor");
    struct sink s = open_as("jdbc_poor", NULL);
    fly(&s, 0, 1000, "a");
    assert_string_equal(seen(), "staged|1\n");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 0);
    close_sink(&s);
    server_run("DROP OWNED BY jdbc_poor; DROP ROLE jdbc_poor");
}

// A domain may refuse the NULL of a column that is left out, and only INSERT asks it.
static void test_domain_that_is_left_out(void **state)
{
    table("id int");
    server_run("DROP DOMAIN IF EXISTS filled; CREATE DOMAIN filled AS text CHECK (VALUE IS NOT NULL); "
               "ALTER TABLE t ADD a text, ADD f filled");
    struct sink s = open_sink("t", "id INT, a STRING", NULL);
    take_off(&s, 0, 1000, "a");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_DATA);
    assert_string_equal(server_rows("SELECT count(*) FROM t"), "0\n");
    close_sink(&s);
}

// What COPY and INSERT make of the same bytes.
static void test_values_as_an_insert_has_them(void **state)
{
    table("id int PRIMARY KEY");
    server_run("DROP DOMAIN IF EXISTS short; CREATE DOMAIN short AS varchar(4) CHECK (VALUE <> 'no'); ALTER TABLE t "
               "ADD v varchar(3), ADD c char(3), ADD s short, ADD n numeric(4,-2), ADD m numeric(5,1), "
               "ADD ts timestamp(0), ADD tz timestamptz(1), ADD d double precision, ADD r real, "
               "ADD i int GENERATED BY DEFAULT AS IDENTITY, ADD g text GENERATED ALWAYS AS (c || '.') STORED, "
               "ADD x text DEFAULT 'x'");
    struct sink s = open_sink("t",
                              "id INT NOT NULL, v STRING, c STRING, s STRING, n DECIMAL(10,2), m DECIMAL(10,2), "
                              "ts TIMESTAMP(6), tz TIMESTAMP_LTZ(6), d DOUBLE, r FLOAT, i INT",
                              "id");
    for (int count = 63; count <= 64; count++) {
        char *rows = malloc(1 << 16);
        size_t n = 0;
        for (int i = 0; i < count; i++)
            n += (size_t)sprintf(rows + n,
                                 "+I[%d, ab     , a      , shor   , -12350.00, 0.25, 2024-05-01 12:00:00.500000, "
                                 "2024-05-01 12:00:00.950000, NaN, -Infinity, -7]\n",
                                 100 * count + i);
        give(&s, rows);
        free(rows);
        durable(&s);
    }
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 0);
    assert_string_equal(server_rows("SELECT v || '|', c || '|', s, n, m, ts, d, r, i, g, x, count(*) FROM t "
                                    "GROUP BY v, c, s, n, m, ts, tz, d, r, i, g, x"),
                        "ab ||a||shor|-12400|0.3|2024-05-01 12:00:01|NaN|-Infinity|-7|a.|x|127\n");
    close_sink(&s);
}

// The next flight of a sink that knows the table as it was before `change`.
static struct sink change_table(const char *columns, const char *key, const char *change)
{
    struct sink s = open_sink("t", columns, key);
    server_run(change);
    return s;
}

// COPY sends bytes, and those of a bigint are a double too, and those of a timestamp one with a zone.
static void test_type_changed_while_running(void **state)
{
    for (int keyed = 0; keyed < 2; keyed++) {
        table(keyed ? "id bigint PRIMARY KEY, a text" : "id bigint, a text");
        struct sink s = change_table("id BIGINT NOT NULL, a STRING", keyed ? "id" : NULL,
                                     "ALTER TABLE t ALTER id TYPE double precision");
        fly(&s, 0, 1000, "a");
        fly(&s, 1000, 1000, "a");
        assert_string_equal(server_rows("SELECT count(*), sum(id) FROM t"), "2000|1999000\n");
        assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
        server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
        fly(&s, 2000, 1000, "a");
        assert_string_equal(server_rows("SELECT count(*), sum(id) FROM t"), "3000|4498500\n");
        close_sink(&s);
    }
}

// Without its key a table would take the same rows again and again.
static void test_key_dropped_while_running(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = change_table("id INT NOT NULL, a STRING", "id", "ALTER TABLE t DROP CONSTRAINT t_pkey");
    take_off(&s, 0, 1000, "a");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_CONFIG);
    assert_string_equal(server_rows("SELECT count(*) FROM t"), "0\n");
    close_sink(&s);
}

static void test_rule_added_while_running(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s =
        change_table("id INT NOT NULL, a STRING", "id", "CREATE RULE also AS ON INSERT TO t DO ALSO NOTIFY inserted");
    take_off(&s, 0, 1000, "a");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_FATAL);
    assert_string_equal(server_rows("SELECT count(*) FROM t"), "0\n");
    close_sink(&s);
}

static void test_row_security_added_while_running(void **state)
{
    for (int keyed = 0; keyed < 2; keyed++) {
        table("id int PRIMARY KEY, a text");
        server_run("DROP ROLE IF EXISTS jdbc_ruled; CREATE ROLE jdbc_ruled LOGIN; GRANT ALL ON t TO jdbc_ruled");
        struct sink s = open_as("jdbc_ruled", keyed ? "id" : NULL);
        server_run("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id >= 0)");
        fly(&s, 0, 1000, "a");
        fly(&s, 1000, 1000, "a");
        want_rows(2000, "a");
        assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
        close_sink(&s);
        server_run("DROP OWNED BY jdbc_ruled; DROP ROLE jdbc_ruled");
    }
}

// The COPY has all its rows and waits for another session's row. Its connection breaks, or the other session comes to
// wait for it in turn, and the server ends the COPY.
static void stopped_in_the_midst(const char *how)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    server_run("BEGIN; SET LOCAL deadlock_timeout = '5s'; INSERT INTO t VALUES (900, 'old')");
    take_off(&s, 0, 1000, "new");
    assert_true(testhost_run_until(s.h, is_waiting, NULL, WAIT));
    server_run(how);
    server_run("COMMIT; TRUNCATE seen");
    durable(&s);
    want_rows(1000, "new");
    assert_string_equal(seen(), "staged|1\n");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_retries_total"), 1);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_rows_written_total"), 1000);
    close_sink(&s);
}

static void test_stopped_in_the_midst(void **state)
{
    stopped_in_the_midst("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    stopped_in_the_midst("INSERT INTO t VALUES (1, 'old')");
}

// The server finds fault with the first of several megabytes.
static void test_large_rows(void **state)
{
    char *value = malloc(300001);
    memset(value, 'x', 300000);
    value[300000] = 0;
    for (int refused = 0; refused < 2; refused++) {
        watched_table("id int PRIMARY KEY, a text");
        struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
        if (refused)
            server_run("INSERT INTO t VALUES (0, 'old'); TRUNCATE seen");
        fly(&s, 0, 100, value);
        assert_string_equal(seen(), refused ? "staged|1\n" : "straight|1\n");
        assert_string_equal(server_rows("SELECT count(*), min(length(a)) FROM t"), "100|300000\n");
        close_sink(&s);
    }
    free(value);
}

// The connection breaks when the flight is committed and the sink does not know it: it meets its own rows.
static void test_sent_again(void **state)
{
    watched_table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    server_run("INSERT INTO t SELECT i, 'a' FROM generate_series(0, 999) i; TRUNCATE seen");
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    fly(&s, 0, 1000, "a");
    want_rows(1000, "a");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_copies_refused_total"), 1);
    assert_true(testhost_metric(s.n, "leat_jdbc_retries_total") >= 1);
    close_sink(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_rows_go_straight),
        cmocka_unit_test(test_rows_that_are_there),
        cmocka_unit_test(test_wrong_guesses_become_rare),
        cmocka_unit_test(test_deletes_and_parts_never_go_straight),
        cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_a_bad_row_among_new_ones),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_tables_where_copy_is_no_insert),
        cmocka_unit_test(test_row_security),
        cmocka_unit_test(test_sent_again),
        cmocka_unit_test(test_no_right_to_select),
        cmocka_unit_test(test_domain_that_is_left_out),
        cmocka_unit_test(test_values_as_an_insert_has_them),
        cmocka_unit_test(test_type_changed_while_running),
        cmocka_unit_test(test_key_dropped_while_running),
        cmocka_unit_test(test_rule_added_while_running),
        cmocka_unit_test(test_row_security_added_while_running),
        cmocka_unit_test(test_stopped_in_the_midst),
        cmocka_unit_test(test_large_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
