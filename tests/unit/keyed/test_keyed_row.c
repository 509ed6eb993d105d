// SPDX-License-Identifier: Apache-2.0
// Rows to bytes and back: every type and state, bad bytes, and the hash that follows the values.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include "keyed_row.h"
#include "rowhash.h"

#include <cmocka.h>

static const char COLUMNS[] = "a BIGINT NOT NULL, b BOOLEAN, c FLOAT, d DOUBLE, e DECIMAL(38,2), f STRING, g BYTES, "
                              "h DATE, i TIME(3), j TIMESTAMP(6), k TIMESTAMP_LTZ(3), l CHAR(3)";
static const char ROWS[] =
    "+I[-9223372036854775808, true, 1.5, -2.25, -999999999999999999999999999999999999.99, grüß, \\x00ff, 2024-02-29, "
    "12:34:56.789, 1969-12-31 23:59:59.999999, 2024-01-01 00:00:00.000, abc];"
    "-D[9223372036854775807, NULL, ABSENT, UNCHANGED, 0.01, , NULL, NULL, NULL, NULL, NULL, NULL]";
static const uint32_t ALL[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

struct fixture {
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_schema *schema;
    struct leat_batch *from, *to;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->h = testhost_create();
    f->n = testhost_bare(f->h);
    f->schema = testhost_schema(f->h, COLUMNS, "a");
    f->from = testhost_batch(f->n, f->schema, ROWS);
    f->to = leat_batch_new(&f->n->ctx, f->schema, 16);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    leat_batch_unref(f->from);
    leat_batch_unref(f->to);
    testhost_node_destroy(f->n);
    testhost_destroy(f->h);
    free(f);
    return 0;
}

static void rows_come_back(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    for (uint32_t row = 0; row < 2; row++) {
        buf_init(&out, 10000);
        keyed_row_encode(&out, f->from, row, ALL, 12);
        assert_true(buf_ok(&out));
        uint32_t to = leat_batch_add(f->to, f->from->kinds[row]);
        struct leat_bytes bytes = {out.ptr, (uint32_t)out.len};
        assert_int_equal(keyed_row_decode(&f->n->ctx, bytes, f->to, to, ALL, 12), LEAT_OK);
        buf_fini(&out); // the batch has bytes of its own
        char want[1024], got[1024];
        size_t a = testhost_row_text(f->from, row, want, 0, sizeof want);
        size_t b = testhost_row_text(f->to, to, got, 0, sizeof got);
        assert_int_equal(a, b);
        assert_memory_equal(want, got, a);
        assert_int_equal(rowhash(f->from, row, ALL, 12), rowhash(f->to, to, ALL, 12));
    }
    assert_true(rowhash(f->from, 0, ALL, 12) != rowhash(f->from, 1, ALL, 12));
    assert_true(rowhash(f->from, 0, ALL, 2) != rowhash(f->from, 0, ALL + 1, 2));
}

static void cut_rows_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    buf_init(&out, 10000);
    keyed_row_encode(&out, f->from, 0, ALL, 12);
    uint32_t to = leat_batch_add(f->to, LEAT_INSERT);
    for (uint32_t len = 0; len < out.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); // so that the sanitizer sees a read beyond it
        memcpy(exact, out.ptr, len);
        assert_int_equal(keyed_row_decode(&f->n->ctx, (struct leat_bytes){exact, len}, f->to, to, ALL, 12), LEAT_FATAL);
        free(exact);
    }
    buf_u8(&out, 0);
    struct leat_bytes longer = {out.ptr, (uint32_t)out.len};
    assert_int_equal(keyed_row_decode(&f->n->ctx, longer, f->to, to, ALL, 12), LEAT_FATAL);
    buf_fini(&out);
}

static void *take(void *arg, size_t size)
{
    struct leat_batch *b = arg;
    return leat_batch_alloc(b, size, 16);
}

static void lists_come_back(void **state)
{
    struct fixture *f = *state;
    struct leat_type text = {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
    struct leat_type pair[2] = {text, {.kind = LEAT_TYPE_BIGINT, .nullable = 1}};
    struct leat_type map = {.kind = LEAT_TYPE_MAP, .child_count = 2, .children = pair};
    struct leat_type array = {.kind = LEAT_TYPE_ARRAY, .child_count = 1, .children = &map};
    const struct leat_type *types[1] = {&array};
    struct leat_datum entries[4] = {{.cell.bytes = {(const uint8_t *)"one", 3}},
                                    {.cell.i64 = 1},
                                    {.cell.bytes = {(const uint8_t *)"none", 4}},
                                    {.state = LEAT_NULL}};
    struct leat_datum maps[2] = {{.cell.list = {entries, 4}}, {.state = LEAT_NULL}};
    union leat_cell cell = {.list = {maps, 2}}, back;
    uint8_t value = LEAT_VALUE, back_state;
    struct buf out;
    buf_init(&out, 1000);
    keyed_cells_encode(&out, types, &cell, &value, 1);
    struct leat_bytes bytes = {out.ptr, (uint32_t)out.len};
    assert_int_equal(keyed_cells_decode(bytes, types, &back, &back_state, 1, take, f->to), 0);
    assert_int_equal(back.list.count, 2);
    assert_int_equal(back.list.items[1].state, LEAT_NULL);
    const struct leat_list *inner = &back.list.items[0].cell.list;
    assert_int_equal(inner->count, 4);
    assert_memory_equal(inner->items[2].cell.bytes.ptr, "none", 4);
    assert_int_equal(inner->items[1].cell.i64, 1);
    assert_int_equal(inner->items[3].state, LEAT_NULL);
    assert_int_equal(rowhash_cells(types, &cell, &value, 1), rowhash_cells(types, &back, &back_state, 1));
    for (bytes.len = 0; bytes.len < out.len; bytes.len++)
        assert_int_equal(keyed_cells_decode(bytes, types, &back, &back_state, 1, take, f->to), -1);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_rows_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_come_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
