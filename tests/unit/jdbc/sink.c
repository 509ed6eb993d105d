// SPDX-License-Identifier: Apache-2.0
// The sink against a real PostgreSQL.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

#include <cmocka.h>

// --- rows

static void test_upsert_and_delete(void **state)
{
    table("id bigint PRIMARY KEY, name text, extra text DEFAULT 'kept'");
    struct sink s = open_sink("t", "id BIGINT NOT NULL, name STRING", "id");
    give(&s, "+I[1, a];+I[2, b];+I[3, NULL]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|a|kept\n2|b|kept\n3|~|kept\n");
    give(&s, "+U[1, A];-D[2, ABSENT];-D[9, ABSENT];+I[4, d]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|A|kept\n3|~|kept\n4|d|kept\n");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_rows_written_total"), 7);
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_flushes_total"), 2);
    close_sink(&s);
}

static void test_last_of_a_key_wins(void **state)
{
    table("id int, part text, v text, PRIMARY KEY (part, id)");
    struct sink s = open_sink("t", "v STRING, id INT NOT NULL, part STRING NOT NULL", "id, part");
    give(&s, "+I[a, 1, x];+U[b, 1, x];+I[c, 1, y];-D[ABSENT, 1, y];+I[d, 2, x];-D[d, 2, x];+I[e, 2, x]");
    durable(&s);
    assert_string_equal(server_rows("SELECT part, id, v FROM t ORDER BY 1, 2"), "x|1|b\nx|2|e\n");
    close_sink(&s);
}

static void test_key_of_all_columns(void **state)
{
    table("a int, b int, PRIMARY KEY (a, b)");
    struct sink s = open_sink("t", "a INT NOT NULL, b INT NOT NULL", "a, b");
    give(&s, "+I[1, 1];+I[1, 2];+I[1, 1];-D[1, 2]");
    durable(&s);
    give(&s, "+I[1, 1];+I[2, 2]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1, 2"), "1|1\n2|2\n");
    close_sink(&s);
}

static void test_insert_only(void **state)
{
    table("a int, b varchar(3)");
    struct sink s = open_sink("public.t", "a INT, b STRING", NULL);
    give(&s, "+I[1, x];+I[1, x];+I[NULL, NULL]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|x\n1|x\n~|~\n");
    close_sink(&s);
}

static void test_quoted_names(void **state)
{
    server_run("DROP SCHEMA IF EXISTS \"My.S\" CASCADE; CREATE SCHEMA \"My.S\"; "
               "CREATE TABLE \"My.S\".\"T\"\"; x\" (\"Id\" int PRIMARY KEY, \"select\" text)");
    struct sink s = open_sink("\"My.S\".\"T\"\"; x\"", "Id INT NOT NULL, select STRING", "Id");
    give(&s, "+I[1, '; DROP TABLE t; --]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM \"My.S\".\"T\"\"; x\""), "1|'; DROP TABLE t; --\n");
    close_sink(&s);
}

// Every type twice: as arrays (few rows) and by COPY (many).
static const char types_ddl[] = "id int PRIMARY KEY, b boolean, i2 smallint, i8 bigint, r real, d double precision, "
                                "n numeric(20,4), v varchar(10), c char(4), t text, y bytea, da date, ti time(3), "
                                "ts timestamp(6), tz timestamptz, j jsonb, u uuid, n0 numeric";
static const char types_columns[] =
    "id INT NOT NULL, b BOOLEAN, i2 SMALLINT, i8 BIGINT, r FLOAT, d DOUBLE, n DECIMAL(20,4), v STRING, c CHAR(4), "
    "t STRING, y BYTES, da DATE, ti TIME(3), ts TIMESTAMP(6), tz TIMESTAMP_LTZ(6), j STRING, u STRING, "
    "n0 DECIMAL(38,10)";
static const char types_row[] =
    "true, -32768, -9223372036854775808, 1.5, -0.1, -1234567890123456.7891, 日本語, ab, it's \\\\ \"q\", "
    "x'6279746573', 0001-01-01, 23:59:59.999, 9999-12-31 23:59:59.999999, 1969-12-31 23:59:59.5, {\"a\": 1}, "
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11, 1234567890123456789012345678.0000000001";
static const char types_want[] =
    "t|-32768|-9223372036854775808|1.5|-0.1|-1234567890123456.7891|日本語|ab  |it's \\ \"q\"|\\x6279746573|0001-01-01|"
    "23:59:59.999|9999-12-31 23:59:59.999999|1969-12-31 23:59:59.5+00|{\"a\": 1}|"
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|1234567890123456789012345678.0000000001\n";

static void check_types(struct sink *s, int first, int count)
{
    char *rows = malloc((size_t)count * 600), sql[2048], want[2048];
    size_t n = 0;
    rows[0] = 0;
    for (int i = 0; i < count; i++)
        n += (size_t)sprintf(rows + n, "+I[%d, %s]\n", first + i, types_row);
    give(s, rows);
    n = (size_t)sprintf(rows, "+I[%d", first + count);
    for (int i = 0; i < 17; i++)
        n += (size_t)sprintf(rows + n, ", NULL");
    strcpy(rows + n, "]");
    give(s, rows);
    durable(s);
    free(rows);
    static const char all[] = "b,i2,i8,r,d,n,v,c,t,y,da,ti,ts,tz,j,u,n0";
    snprintf(sql, sizeof sql, "SELECT %s FROM t WHERE id = %d", all, first + count - 1);
    assert_string_equal(server_rows(sql), types_want);
    snprintf(sql, sizeof sql, "SELECT count(*), count(DISTINCT (%s)), count(b), count(n0) FROM t WHERE id >= %d", all,
             first);
    snprintf(want, sizeof want, "%d|2|%d|%d\n", count + 1, count, count);
    assert_string_equal(server_rows(sql), want);
}

static void test_types(void **state)
{
    table(types_ddl);
    server_run("SET TimeZone = 'UTC'");
    struct sink s = open_sink("t", types_columns, "id");
    check_types(&s, 1, 1);
    check_types(&s, 1000, 600);
    close_sink(&s);
}

static void test_types_insert_only(void **state)
{
    table(types_ddl);
    struct sink s = open_sink("t", types_columns, NULL);
    check_types(&s, 1, 1);
    check_types(&s, 1000, 600);
    close_sink(&s);
}

static void test_local_time_zone(void **state)
{
    table("id int PRIMARY KEY, a timestamp, b timestamptz");
    server_run("SET TimeZone = 'UTC'");
    struct sink s = {.h = testhost_create()};
    s.n = sink_node(s.h, "t", server_url(""));
    s.n->open.local_time_zone = "Asia/Shanghai";
    s.schema = testhost_schema(s.h, "id INT NOT NULL, a TIMESTAMP_LTZ(3), b TIMESTAMP(3)", "id");
    must(&s, testhost_sink_start(s.n, s.schema, LEAT_MODE_UPSERT, "id"));
    give(&s, "+I[1, 2024-05-01 00:00:00.000, 2024-05-01 00:00:00.000]");
    durable(&s);
    assert_string_equal(server_rows("SELECT a, b FROM t"), "2024-05-01 08:00:00|2024-04-30 16:00:00+00\n");
    close_sink(&s);
}

static void test_unchanged(void **state)
{
    table("id int PRIMARY KEY, a text, b text, c text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING, b STRING, c STRING", "id");
    give(&s, "+I[1, a, b, c];+I[2, a, b, c];+I[3, a, b, c]");
    durable(&s);
    // 1: left alone; 2: two sets of columns in one flush; 4: filled from the row before it; 7: not there
    give(&s, "+U[1, A, UNCHANGED, UNCHANGED];+U[2, A, UNCHANGED, UNCHANGED];+U[2, UNCHANGED, B, UNCHANGED];"
             "+I[4, a, b, c];+U[4, A, UNCHANGED, C];+U[3, UNCHANGED, UNCHANGED, UNCHANGED];+U[7, A, UNCHANGED, C];"
             "+U[5, a, UNCHANGED, c];+I[5, x, y, z]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|A|b|c\n2|A|B|c\n3|a|b|c\n4|A|b|C\n5|x|y|z\n");
    assert_int_equal(testhost_metric(s.n, "leat_jdbc_rows_missing_total"), 1);
    close_sink(&s);
}

static void test_unchanged_by_copy(void **state)
{
    table("id int PRIMARY KEY, a text, b text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING, b STRING", "id");
    server_run("INSERT INTO t SELECT i, 'a', 'b' FROM generate_series(1, 700) i");
    char *rows = malloc(1 << 16);
    size_t n = 0;
    for (int i = 1; i <= 700; i++)
        n += (size_t)sprintf(rows + n,
                             i % 2   ? "+U[%d, A, UNCHANGED]\n"
                             : i % 4 ? "+U[%d, A, B]\n"
                                     : "-D[%d, a, b]\n",
                             i);
    give(&s, rows);
    free(rows);
    durable(&s);
    assert_string_equal(server_rows("SELECT a, b, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2"), "A|B|175\nA|b|350\n");
    close_sink(&s);
}

// --- time

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_a_row_alone_is_fast(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    double worst = 0, sum = 0;
    for (int i = 0; i < 50; i++) {
        char row[64];
        snprintf(row, sizeof row, "+I[%d, a]", i);
        double began = now();
        give(&s, row);
        must(&s, testhost_flush(s.n, LEAT_FLUSH_IDLE, WAIT));
        durable(&s);
        double took = now() - began;
        worst = took > worst ? took : worst;
        sum += took;
    }
    print_message("a row alone: mean %.2f ms, worst %.2f ms\n", sum / 50 * 1e3, worst * 1e3);
    assert_true(sum / 50 < 0.05);
    close_sink(&s);
}

static void test_a_hundred_thousand_rows(void **state)
{
    table("id bigint PRIMARY KEY, a text, b numeric(10,2), c timestamp(3), d int");
    struct sink s = open_sink("t", "id BIGINT NOT NULL, a STRING, b DECIMAL(10,2), c TIMESTAMP(3), d INT", "id");
    for (int pass = 0; pass < 2; pass++) {
        double began = now();
        for (int first = 0; first < 100000; first += 1000) {
            struct leat_batch *b = leat_batch_new(&s.n->ctx, s.schema, 1000);
            for (int i = 0; i < 1000; i++) {
                uint32_t r = leat_batch_add(b, LEAT_INSERT);
                leat_batch_set_i64(b, 0, r, first + i);
                leat_batch_set_bytes(b, 1, r, "some text of thirty characters", 30);
                leat_batch_set_i128(b, 2, r, 1234 + i);
                leat_batch_set_i64(b, 3, r, 1700000000000000 + i);
                leat_batch_set_i64(b, 4, r, pass);
            }
            must(&s, testhost_write(s.n, b, WAIT));
            leat_batch_unref(b);
        }
        durable(&s);
        print_message("pass %d: %.0f rows/s in %d flushes\n", pass, 100000 / (now() - began),
                      (int)testhost_metric(s.n, "leat_jdbc_flushes_total"));
    }
    assert_string_equal(server_rows("SELECT count(*), sum(d), sum(b) FROM t"), "100000|100000|1733500.00\n");
    close_sink(&s);
}

// --- faults

static void test_killed_between_flushes(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    give(&s, "+I[1, a]");
    durable(&s);
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    give(&s, "+I[2, b]");
    durable(&s);
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    testhost_run_for(s.h, 300); // noticed while idle
    give(&s, "+I[3, c]");
    durable(&s);
    assert_string_equal(server_rows("SELECT id FROM t ORDER BY 1"), "1\n2\n3\n");
    assert_true(testhost_metric(s.n, "leat_jdbc_retries_total") >= 1);
    close_sink(&s);
}

static void killed_inside(int rows)
{
    char *text = malloc(1 << 16), want[32];
    size_t n = 0;
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    for (int i = 0; i < rows; i++)
        n += (size_t)sprintf(text + n, "+I[%d, a]\n", i);
    server_run("BEGIN; LOCK TABLE t");
    give(&s, text);
    must(&s, testhost_flush(s.n, LEAT_FLUSH_IDLE, WAIT));
    assert_true(testhost_run_until(s.h, is_waiting, NULL, WAIT));
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    server_run("COMMIT");
    durable(&s);
    snprintf(want, sizeof want, "%d\n", rows);
    assert_string_equal(server_rows("SELECT count(*) FROM t"), want);
    close_sink(&s);
    free(text);
}

static void test_killed_inside_a_flush(void **state)
{
    killed_inside(3);
    killed_inside(2000);
}

static void test_gives_up_after_its_retries(void **state)
{
    table("id int PRIMARY KEY, a text");
    const char *const options[] = {"url", server_url(""),     "username", "postgres", "table-name",
                                   "t",   "sink.max-retries", "1",        NULL};
    struct sink s;
    leat_status st = start_with(&s, options, "id INT NOT NULL, a STRING", "id");
    must(&s, st);
    server_run("DROP TABLE t");
    server_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
    give(&s, "+I[1, a]");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_TRANSIENT);
    assert_non_null(strstr(s.n->error.message, "there is no table \"public\".\"t\""));
    close_sink(&s);
}

static void test_table_dropped_while_running(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    server_run("ALTER TABLE t DROP COLUMN a");
    give(&s, "+I[1, a]");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_CONFIG);
    close_sink(&s);
}

static void test_statement_timeout(void **state)
{
    table("id int PRIMARY KEY, a text");
    server_run("CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
               "$$BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END$$; "
               "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()");
    struct sink s;
    must(&s, try_open(&s, "t", server_url("?options=-c%20statement_timeout=150ms"), "id INT NOT NULL, a STRING", "id"));
    char rows[4096];
    size_t n = 0;
    for (int i = 0; i < 60; i++)
        n += (size_t)sprintf(rows + n, "+I[%d, a]\n", i);
    give(&s, rows);
    durable(&s);
    assert_string_equal(server_rows("SELECT count(*) FROM t"), "60\n");
    close_sink(&s);
}

// --- bad rows

static const struct testhost_bad_row *find_bad(const struct sink *s, const char *message)
{
    const struct testhost_bad_row *b = s->n->bad_rows;
    while (b && !strstr(b->message, message))
        b = b->next;
    if (!b)
        fail_msg("no bad row with \"%s\"", message);
    return b;
}

static void bad_rows(int rows, int bad)
{
    char *text = malloc(1 << 16), want[64];
    size_t n = 0;
    table("id int PRIMARY KEY, mail text CONSTRAINT one_mail UNIQUE, v varchar(5) CHECK (v <> 'no')");
    server_run("INSERT INTO t VALUES (-1, 'taken', '')");
    struct sink s = open_sink("t", "id INT NOT NULL, mail STRING, v STRING", "id");
    s.n->skip_bad_rows = 1;
    for (int i = 0; i < rows; i++)
        n += (size_t)sprintf(text + n,
                             i == bad       ? "+I[%d, taken, x]\n"
                             : i == bad + 1 ? "+I[%d, m, no]\n"
                             : i == bad + 2 ? "+I[%d, n, too long]\n"
                                            : "+I[%d, NULL, ok]\n",
                             i);
    give(&s, text);
    durable(&s);
    snprintf(want, sizeof want, "%d\n", rows - 3);
    assert_string_equal(server_rows("SELECT count(*) FROM t WHERE id >= 0"), want);
    // one that meets another unique index is tried again after all others
    const struct testhost_bad_row *b = find_bad(&s, "one_mail");
    assert_ptr_equal(b->next, NULL);
    snprintf(want, sizeof want, "row (id=%d)", bad);
    assert_non_null(strstr(b->where, want));
    snprintf(want, sizeof want, "id=%d, mail=taken, v=x", bad);
    assert_string_equal(b->raw, want);
    find_bad(&s, "check constraint");
    find_bad(&s, "too long");
    assert_null(s.n->bad_rows->next->next->next);
    close_sink(&s);
    free(text);
}

static void test_bad_rows_are_found(void **state)
{
    bad_rows(10, 4);
    bad_rows(1000, 700);
}

static void test_bad_row_fails(void **state)
{
    table("id int PRIMARY KEY, v varchar(3)");
    struct sink s = open_sink("t", "id INT NOT NULL, v STRING", "id");
    give(&s, "+I[1, abc];+I[2, abcd];+I[3, abc]");
    assert_int_equal(testhost_flush(s.n, LEAT_FLUSH_DURABLE, WAIT), LEAT_DATA);
    assert_string_equal(s.n->error.code, "LEAT-J0201");
    assert_int_equal(strncmp(s.n->error.native, "22001", 5), 0);
    assert_string_equal(server_rows("SELECT id FROM t ORDER BY 1"), "1\n");
    close_sink(&s);
}

static void mails(struct sink *s, const char *more)
{
    char ddl[256];
    snprintf(ddl, sizeof ddl, "id int PRIMARY KEY, mail text CONSTRAINT one_mail UNIQUE%s", more);
    table(ddl);
    *s = open_sink("t", "id INT NOT NULL, mail STRING", "id");
    s->n->skip_bad_rows = 1;
    give(s, "+I[1, a];+I[2, b];+I[3, c]");
    durable(s);
}

// The row that frees a value may stand behind the row that takes it.
static void test_unique_values_handed_on(void **state)
{
    struct sink s;
    mails(&s, ", more int");
    give(&s, "+U[3, b];+U[2, a];+U[1, z]");
    durable(&s);
    assert_string_equal(server_rows("SELECT id, mail FROM t ORDER BY 1"), "1|z\n2|a\n3|b\n");
    assert_null(s.n->bad_rows);
    close_sink(&s);
}

static void test_unique_values_swapped(void **state)
{
    struct sink s;
    mails(&s, "");
    give(&s, "+U[1, b];+U[2, a];+U[3, C];+I[4, c];+I[5, e]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|b\n2|a\n3|C\n4|c\n5|e\n");
    assert_null(s.n->bad_rows);
    // a row that is really in the way is refused, the others are not
    give(&s, "+U[1, a];+U[2, b];+I[6, e];+I[7, f]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t WHERE id > 4 ORDER BY 1"), "5|e\n7|f\n");
    assert_non_null(s.n->bad_rows);
    close_sink(&s);
}

// Where deleting would lose something the swap is refused.
static void test_swap_that_would_lose(void **state)
{
    struct sink s;
    mails(&s, ", more text DEFAULT 'kept'");
    give(&s, "+U[1, b];+U[2, a]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "1|a|kept\n2|b|kept\n3|c|kept\n");
    assert_non_null(s.n->bad_rows->next);
    close_sink(&s);
}

static void give_text(struct sink *s, int first, int count, const char *text, uint32_t len)
{
    struct leat_batch *b = leat_batch_new(&s->n->ctx, s->schema, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        uint32_t r = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, r, first + i);
        assert_true(leat_batch_set_bytes(b, 1, r, text, len));
    }
    must(s, testhost_write(s->n, b, WAIT));
    leat_batch_unref(b);
}

static void test_zero_byte_in_text(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    s.n->skip_bad_rows = 1;
    for (int rows = 10; rows <= 1000; rows *= 100) {
        give_text(&s, 0, rows, "a", 1);
        give_text(&s, rows, 1, "a\0b", 3);
        durable(&s);
        char want[32];
        snprintf(want, sizeof want, "%d\n", rows);
        assert_string_equal(server_rows("SELECT count(*) FROM t"), want);
        assert_non_null(s.n->bad_rows);
    }
    close_sink(&s);
}

static void test_large_values(void **state)
{
    table("id int PRIMARY KEY, a text");
    struct sink s = open_sink("t", "id INT NOT NULL, a STRING", "id");
    uint32_t len = 20u << 20;
    char *text = malloc(len);
    memset(text, 'x', len);
    give_text(&s, 1, 1, text, len);
    durable(&s);
    give_text(&s, 2, 3, text, len);
    durable(&s);
    free(text);
    assert_string_equal(server_rows("SELECT count(*), min(length(a)) FROM t"), "4|20971520\n");
    close_sink(&s);
}

// Two keys of ours, one to the server: the later one wins there too.
static void test_keys_that_only_the_server_finds_equal(void **state)
{
    table("id char(5) PRIMARY KEY, v int");
    struct sink s = open_sink("t", "id STRING NOT NULL, v INT", "id");
    give(&s, "+I[a, 1];+I[a  , 2];+I[b, 3]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "a    |2\nb    |3\n");
    give(&s, "-D[a , ABSENT]");
    durable(&s);
    assert_string_equal(server_rows("SELECT * FROM t ORDER BY 1"), "b    |3\n");
    close_sink(&s);
}

// --- what open refuses

struct refusal {
    const char *name, *ddl, *columns, *key;
    leat_status failure;
    const char *message, *hint;
};

static const struct refusal refusals[] = {
    {"no table", NULL, "id INT NOT NULL", "id", LEAT_TRANSIENT, "there is no table \"public\".\"t\"", "Create"},
    {"no column", "id int PRIMARY KEY", "id INT NOT NULL, name STRING, n DECIMAL(10,2)", "id", LEAT_CONFIG,
     "it has no column \"name\" (STRING); it has no column \"n\" (DECIMAL(10,2))",
     "ALTER TABLE \"public\".\"t\" ADD COLUMN \"name\" text, ADD COLUMN \"n\" numeric(10,2)"},
    {"other type", "id int PRIMARY KEY, v int", "id INT NOT NULL, v TIMESTAMP(3)", "id", LEAT_CONFIG,
     "column \"v\" is integer, the input's is TIMESTAMP(3)", "ALTER COLUMN \"v\" TYPE timestamp(3)"},
    {"string to int", "id int PRIMARY KEY, v int", "id INT NOT NULL, v STRING", "id", LEAT_CONFIG, "column \"v\"",
     "text"},
    {"fraction to int", "id int PRIMARY KEY, v int", "id INT NOT NULL, v DECIMAL(5,2)", "id", LEAT_CONFIG,
     "digits behind the point would be lost", "numeric(5,2)"},
    {"needed column", "id int PRIMARY KEY, v int NOT NULL", "id INT NOT NULL", "id", LEAT_CONFIG,
     "column \"v\" must not be NULL", "DROP NOT NULL"},
    {"generated", "id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) STORED", "id INT NOT NULL, v INT", "id",
     LEAT_CONFIG, "it is generated", ""},
    {"no key", "id int, v int", "id INT NOT NULL, v INT", "id", LEAT_CONFIG, "no unique index on exactly (\"id\")",
     "ADD PRIMARY KEY (\"id\")"},
    {"other key", "id int, v int, PRIMARY KEY (id, v)", "id INT NOT NULL, v INT", "id", LEAT_CONFIG, "exactly (\"id\")",
     "ADD PRIMARY KEY"},
    {"deferrable key", "id int UNIQUE DEFERRABLE, v int", "id INT NOT NULL, v INT", "id", LEAT_CONFIG,
     "exactly (\"id\")", "ADD PRIMARY KEY"},
};

static void test_refusals(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct sink s;
        server_run("DROP TABLE IF EXISTS t CASCADE");
        if (r->ddl)
            table(r->ddl);
        leat_status st = try_open(&s, "t", server_url(""), r->columns, r->key);
        if (st != r->failure || !strstr(s.n->error.message, r->message) || !strstr(s.n->error.hint, r->hint))
            fail_msg("%s: status %d: %s", r->name, st, testhost_faults(s.n));
        close_sink(&s);
    }
}

static void test_missing_rights(void **state)
{
    table("id int PRIMARY KEY");
    server_run("DROP ROLE IF EXISTS jdbc_poor; CREATE ROLE jdbc_poor LOGIN; GRANT SELECT, INSERT ON t TO jdbc_poor");
    const char *const options[] = {"url", server_url(""), "username", "jdbc_poor", "table-name", "t", NULL};
    struct sink s;
    assert_int_equal(start_with(&s, options, "id INT NOT NULL", "id"), LEAT_CONFIG);
    assert_string_equal(s.n->error.hint, "Run GRANT UPDATE, DELETE ON \"public\".\"t\" TO \"jdbc_poor\";");
    close_sink(&s);
    server_run("DROP OWNED BY jdbc_poor; DROP ROLE jdbc_poor");
}

static void test_no_server(void **state)
{
    struct sink s;
    assert_int_equal(try_open(&s, "t", "jdbc:postgresql://127.0.0.1:1/x", "id INT NOT NULL", "id"), LEAT_TRANSIENT);
    assert_string_equal(s.n->error.code, "LEAT-Q0002");
    close_sink(&s);
    assert_int_equal(try_open(&s, "t", "jdbc:postgresql://nowhere.invalid/x", "id INT NOT NULL", "id"), LEAT_TRANSIENT);
    close_sink(&s);
}

static void test_updates_need_a_key(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *n = sink_node(h, "t", server_url(""));
    assert_int_equal(testhost_bind(n, testhost_schema(h, "id INT", NULL), LEAT_MODE_ALL, NULL), LEAT_CONFIG);
    assert_non_null(testhost_diag(n, "primary-key"));
    testhost_node_destroy(n);
    testhost_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upsert_and_delete),
        cmocka_unit_test(test_last_of_a_key_wins),
        cmocka_unit_test(test_key_of_all_columns),
        cmocka_unit_test(test_insert_only),
        cmocka_unit_test(test_quoted_names),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_types_insert_only),
        cmocka_unit_test(test_local_time_zone),
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_unchanged_by_copy),
        cmocka_unit_test(test_a_row_alone_is_fast),
        cmocka_unit_test(test_a_hundred_thousand_rows),
        cmocka_unit_test(test_killed_between_flushes),
        cmocka_unit_test(test_killed_inside_a_flush),
        cmocka_unit_test(test_gives_up_after_its_retries),
        cmocka_unit_test(test_table_dropped_while_running),
        cmocka_unit_test(test_statement_timeout),
        cmocka_unit_test(test_bad_rows_are_found),
        cmocka_unit_test(test_bad_row_fails),
        cmocka_unit_test(test_unique_values_handed_on),
        cmocka_unit_test(test_unique_values_swapped),
        cmocka_unit_test(test_swap_that_would_lose),
        cmocka_unit_test(test_zero_byte_in_text),
        cmocka_unit_test(test_large_values),
        cmocka_unit_test(test_keys_that_only_the_server_finds_equal),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_missing_rights),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_updates_need_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
