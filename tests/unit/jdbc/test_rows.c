// SPDX-License-Identifier: Apache-2.0
// The buffer of rows: the last of a key wins, unchanged columns are filled or named, and what the options refuse.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include "rows.h"

#include <cmocka.h>

#define COLUMNS 4

struct fixture {
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_schema *schema;
    struct jdbc_column columns[COLUMNS];
    struct jdbc_shape shape;
    struct jdbc_rows rows;
};

static void start(struct fixture *f, const char *columns, uint32_t key_count)
{
    memset(f, 0, sizeof *f);
    f->h = testhost_create();
    f->n = testhost_bare(f->h);
    f->schema = testhost_schema(f->h, columns, NULL);
    f->shape = (struct jdbc_shape){.count = f->schema->column_count, .key_count = key_count, .columns = f->columns};
    for (uint32_t i = 0; i < f->shape.count; i++)
        f->columns[i] = (struct jdbc_column){
            .from = i, .field = &f->schema->columns[i], .wire = jdbc_wire_of(&f->schema->columns[i].type)};
    jdbc_rows_init(&f->rows, &f->shape);
}

static void stop(struct fixture *f)
{
    jdbc_rows_fini(&f->rows);
    testhost_node_destroy(f->n);
    testhost_destroy(f->h);
}

static void add(struct fixture *f, const char *rows)
{
    struct leat_batch *b = testhost_batch(f->n, f->schema, rows);
    for (uint32_t r = 0; r < b->rows; r++)
        assert_int_equal(jdbc_rows_add(&f->n->ctx, &f->rows, b, r), LEAT_OK);
    leat_batch_unref(b);
}

// "op: row" a line, the dead left out.
static const char *text(struct fixture *f)
{
    static char out[8192];
    size_t n = 0;
    struct buf b;
    buf_init(&b, 1 << 16);
    out[0] = 0;
    for (uint32_t i = 0; i < f->rows.count; i++) {
        if (f->rows.rows[i].op == JDBC_OP_DEAD)
            continue;
        buf_reset(&b);
        jdbc_rows_print(&f->rows, i, 0, &b);
        n += (size_t)snprintf(out + n, sizeof out - n, "%d: %.*s\n", f->rows.rows[i].op, (int)b.len,
                              (const char *)b.ptr);
    }
    buf_fini(&b);
    return out;
}

static void test_last_of_a_key(void **state)
{
    struct fixture f;
    start(&f, "id INT NOT NULL, v STRING", 1);
    add(&f, "+I[1, a];+I[2, b];+U[1, c];-D[2, b];-U[1, c];+U[1, d];-D[3, ABSENT]");
    assert_string_equal(text(&f), "-1: id=2, v=NULL\n0: id=1, v=d\n-1: id=3, v=NULL\n");
    assert_int_equal(f.rows.live, 3);
    jdbc_rows_reset(&f.rows);
    add(&f, "+I[1, x]");
    assert_string_equal(text(&f), "0: id=1, v=x\n");
    stop(&f);
}

static void test_many_keys(void **state)
{
    struct fixture f;
    start(&f, "id BIGINT NOT NULL, v INT", 1);
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < 2000; i++) {
            struct leat_batch *b = leat_batch_new(&f.n->ctx, f.schema, 1);
            leat_batch_add(b, LEAT_INSERT);
            leat_batch_set_i64(b, 0, 0, i * 7);
            leat_batch_set_i64(b, 1, 0, pass);
            assert_int_equal(jdbc_rows_add(&f.n->ctx, &f.rows, b, 0), LEAT_OK);
            leat_batch_unref(b);
        }
    assert_int_equal(f.rows.live, 2000);
    assert_int_equal(f.rows.count, 6000);
    assert_int_not_equal(f.rows.rows[5999].op, JDBC_OP_DEAD);
    assert_int_equal(f.rows.rows[3999].op, JDBC_OP_DEAD);
    stop(&f);
}

// A key that is the beginning of another one is not that one.
static void test_keys_are_told_apart(void **state)
{
    struct fixture f;
    start(&f, "a STRING NOT NULL, b STRING NOT NULL, v INT", 2);
    add(&f, "+I[x, yz, 1];+I[xy, z, 2];+I[xyz, , 3];+I[, xyz, 4];+I[x, yz, 5]");
    assert_string_equal(text(&f), "0: a=xy, b=z, v=2\n0: a=xyz, b=, v=3\n0: a=, b=xyz, v=4\n0: a=x, b=yz, v=5\n");
    stop(&f);
}

static void test_unchanged(void **state)
{
    struct fixture f;
    start(&f, "id INT NOT NULL, a STRING, b STRING, c STRING", 1);
    add(&f, "+U[1, a, UNCHANGED, c];+U[2, UNCHANGED, UNCHANGED, x];+I[3, a, b, c]");
    assert_string_equal(text(&f), "1: id=1, a=a, b=(unchanged), c=c\n2: id=2, a=(unchanged), b=(unchanged), c=x\n"
                                  "0: id=3, a=a, b=b, c=c\n");
    // filled from before; what both leave unchanged stays so
    add(&f, "+U[1, UNCHANGED, UNCHANGED, C];+U[3, UNCHANGED, B, UNCHANGED]");
    assert_string_equal(text(&f), "2: id=2, a=(unchanged), b=(unchanged), c=x\n1: id=1, a=a, b=(unchanged), c=C\n"
                                  "0: id=3, a=a, b=B, c=c\n");
    assert_int_equal(f.rows.group_count, 2);
    stop(&f);
}

static void test_value_without_a_form(void **state)
{
    struct fixture f;
    start(&f, "id INT NOT NULL, ts TIMESTAMP(6)", 1);
    struct leat_batch *b = leat_batch_new(&f.n->ctx, f.schema, 2);
    leat_batch_add(b, LEAT_INSERT);
    leat_batch_set_i64(b, 0, 0, 1);
    leat_batch_set_i64(b, 1, 0, INT64_MIN + 1);
    assert_int_equal(jdbc_rows_add(&f.n->ctx, &f.rows, b, 0), LEAT_DATA);
    assert_non_null(strstr(f.n->error.message, "column \"ts\" (TIMESTAMP(6))"));
    assert_int_equal(f.rows.count, 0);
    assert_int_equal(f.rows.bytes.len, 0);
    leat_batch_unref(b);
    stop(&f);
}

static void test_a_row_without_its_op(void **state)
{
    static const uint8_t want[] = {0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 2, 'a', 'b'};
    struct fixture f;
    struct buf out;
    buf_init(&out, 1 << 10);
    start(&f, "id INT NOT NULL, v STRING", 1);
    add(&f, "+I[6, x];+I[7, ab]");
    jdbc_rows_put_plain(&f.rows, 1, &out);
    assert_int_equal(out.len, sizeof want);
    assert_memory_equal(out.ptr, want, sizeof want);
    buf_fini(&out);
    stop(&f);
}

static void test_memory_of_large_rows_is_given_back(void **state)
{
    struct fixture f;
    uint32_t len = 20u << 20;
    char *value = calloc(1, len);
    start(&f, "id INT NOT NULL, v BYTES", 1);
    struct leat_batch *b = leat_batch_new(&f.n->ctx, f.schema, 1);
    leat_batch_add(b, LEAT_INSERT);
    leat_batch_set_i64(b, 0, 0, 1);
    assert_true(leat_batch_set_bytes(b, 1, 0, value, len));
    free(value);
    assert_int_equal(jdbc_rows_add(&f.n->ctx, &f.rows, b, 0), LEAT_OK);
    leat_batch_unref(b);
    jdbc_rows_reset(&f.rows);
    assert_true(f.rows.bytes.cap < 10u << 20);
    add(&f, "+I[1, x'00']");
    assert_string_equal(text(&f), "0: id=1, v=\\x00\n");
    stop(&f);
}

struct refused {
    const char *option, *value, *message;
};

static const struct refused refused[] = {
    {"url", "jdbc:mysql://h/d", "not supported yet"},         {"table-name", "a.b.c", "more than two parts"},
    {"driver", "com.mysql.Driver", "not that of PostgreSQL"}, {"password", "x", "no username"},
    {"compatible-mode", "mysql", "compatible-mode"},          {"scan.fetch-size", "10", "scan.fetch-size"},
};

static void test_options(void **state)
{
    struct testhost *h = testhost_create();
    const struct leat_component *c = testhost_component(h, "jdbc", LEAT_SINK, "jdbc");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *pairs[8] = {"url", "jdbc:postgresql://h/d", "table-name", "t"};
        size_t at = strcmp(refused[i].option, "url") == 0 ? 0 : strcmp(refused[i].option, "table-name") == 0 ? 2 : 4;
        pairs[at] = refused[i].option;
        pairs[at + 1] = refused[i].value;
        struct testhost_node *n = testhost_node(h, c, pairs);
        if (!testhost_diag(n, refused[i].message))
            fail_msg("%s: %s", refused[i].option, testhost_faults(n));
        testhost_node_destroy(n);
    }
    testhost_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_of_a_key),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_keys_are_told_apart),
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_value_without_a_form),
        cmocka_unit_test(test_a_row_without_its_op),
        cmocka_unit_test(test_memory_of_large_rows_is_given_back),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
