// SPDX-License-Identifier: Apache-2.0
// Rows: equality, hash, gathering.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fixture.h"

#include "data/row.h"

#include <cmocka.h>

static const uint32_t all[COLUMNS] = {COL_ID, COL_NAME, COL_AMOUNT, COL_RATIO, COL_TAGS};

static int set_up(void **state)
{
    struct leat_batch **b = calloc(2, sizeof *b);
    for (int i = 0; i < 2; i++) {
        b[i] = fixture_batch(100);
        for (int64_t id = 0; id < 50; id++)
            fixture_row(b[i], id, id % 2 ? "odd" : "even");
    }
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct leat_batch **b = *state;
    data_batch_unref(b[0]);
    data_batch_unref(b[1]);
    free(b);
    return 0;
}

static void equal_rows_are_equal_in_any_batch(void **state)
{
    struct leat_batch **b = *state;
    for (uint32_t i = 0; i < 50; i++) {
        assert_true(data_rows_equal(b[0], i, b[1], i, all, COLUMNS));
        assert_true(data_row_hash(b[0], i, all, COLUMNS) == data_row_hash(b[1], i, all, COLUMNS));
    }
    assert_true(data_rows_equal(b[0], 0, b[1], 2, &all[COL_NAME], 1)); // both even
    assert_false(data_rows_equal(b[0], 0, b[1], 2, all, COLUMNS));
    assert_true(data_rows_equal(b[0], 0, b[1], 49, NULL, 0));
}

// Any difference, of a value or a state, of any column, is one.
static void any_difference_counts(void **state)
{
    struct leat_batch **b = *state;
    static const uint8_t other[] = "0dd";
    struct leat_datum tags[2] = {{.cell.bytes = {(const uint8_t *)"tag", 3}}, {.cell.bytes = {other, 0}}};
    uint64_t hash = data_row_hash(b[0], 1, all, COLUMNS);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        union leat_cell was = b[1]->columns[c].cells[1];
        union leat_cell *cell = &b[1]->columns[c].cells[1];
        if (c == COL_ID)
            cell->i64 = -1;
        else if (c == COL_NAME)
            cell->bytes.ptr = other;
        else if (c == COL_AMOUNT)
            cell->i128 += (leat_i128)1 << 100;
        else if (c == COL_RATIO)
            cell->f32 = 0.26f;
        else
            cell->list.items = tags; // '' instead of NULL
        assert_false(data_rows_equal(b[0], 1, b[1], 1, all, COLUMNS));
        assert_true(data_row_hash(b[1], 1, all, COLUMNS) != hash);
        *cell = was;
        for (uint8_t state_of = LEAT_NULL; state_of <= LEAT_UNCHANGED; state_of++) {
            leat_batch_set_state(b[1], c, 1, state_of);
            assert_false(data_rows_equal(b[0], 1, b[1], 1, all, COLUMNS));
        }
        leat_batch_set_state(b[1], c, 1, LEAT_VALUE);
        assert_true(data_rows_equal(b[0], 1, b[1], 1, all, COLUMNS));
    }
}

static void floats_compare_by_their_bytes(void **state)
{
    struct leat_batch **b = *state;
    leat_batch_set_f32(b[0], COL_RATIO, 0, 0.0f / 0.0f);
    b[1]->columns[COL_RATIO].cells[0] = b[0]->columns[COL_RATIO].cells[0];
    assert_true(data_rows_equal(b[0], 0, b[1], 0, &all[COL_RATIO], 1));
    leat_batch_set_f32(b[0], COL_RATIO, 0, 0.0f);
    leat_batch_set_f32(b[1], COL_RATIO, 0, -0.0f);
    assert_false(data_rows_equal(b[0], 0, b[1], 0, &all[COL_RATIO], 1));
}

static void hashes_spread(void **state)
{
    struct leat_batch **b = *state;
    uint32_t counts[3] = {0};
    struct leat_batch *many = fixture_batch(30000);
    for (int64_t id = 0; id < 30000; id++)
        leat_batch_set_i64(many, COL_ID, leat_batch_add(many, LEAT_INSERT), id);
    for (uint32_t i = 0; i < many->rows; i++)
        counts[data_row_hash(many, i, all, 1) % 3]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(counts[i], 9500, 10500);
    static const uint32_t one_way[2] = {COL_ID, COL_NAME}, other_way[2] = {COL_NAME, COL_ID};
    assert_true(data_row_hash(b[0], 1, one_way, 2) != data_row_hash(b[0], 1, other_way, 2));
    data_batch_unref(many);
}

static void gathered_rows_keep_their_bytes_alive(void **state)
{
    struct leat_batch **b = *state;
    b[0]->flags = LEAT_BATCH_SNAPSHOT;
    b[0]->times = leat_batch_alloc(b[0], 100 * sizeof *b[0]->times, 8);
    for (uint32_t i = 0; i < 50; i++)
        b[0]->times[i] = 100 + i;
    b[0]->kinds[9] = LEAT_DELETE;
    static const uint32_t rows[3] = {9, 0, 9};
    struct leat_batch *out = data_batch_gather(b[0], rows, 3);
    data_batch_unref(b[0]);
    b[0] = NULL;
    assert_int_equal(out->rows, 3);
    assert_int_equal(out->flags, LEAT_BATCH_SNAPSHOT);
    assert_int_equal(out->arrived, 1000);
    assert_null(out->positions);
    for (int i = 0; i < 3; i++) {
        assert_true(data_rows_equal(out, (uint32_t)i, b[1], rows[i], all, COLUMNS));
        assert_int_equal(out->times[i], 100 + rows[i]);
        assert_int_equal(out->kinds[i], rows[i] == 9 ? LEAT_DELETE : LEAT_INSERT);
    }
    data_batch_unref(out);
}

// What rows are, not the memory in which they lie: an empty batch of any capacity is nothing, a gathered one its part.
static void bytes_are_those_of_the_values(void **state)
{
    struct leat_batch **b = *state;
    uint32_t rows[] = {0, 1}; // "even" and "odd", with BIGINT, DECIMAL, FLOAT and a list of "tag" and NULL
    struct leat_batch *empty = fixture_batch(1000), *two = data_batch_gather(b[0], rows, 2);
    assert_int_equal(data_rows_bytes(empty), 0);
    assert_int_equal(data_rows_bytes(two), 2 * (8 + 16 + 4 + 3) + 4 + 3);
    for (uint32_t c = 0; c < COLUMNS; c++)
        leat_batch_set_null(two, c, 0);
    assert_int_equal(data_rows_bytes(two), 8 + 16 + 4 + 3 + 3);
    assert_int_equal(data_rows_bytes(b[1]), 50 * (8 + 16 + 4 + 3) + 25 * 7);
    data_batch_unref(empty);
    data_batch_unref(two);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_rows_are_equal_in_any_batch),    TEST(any_difference_counts),
        TEST(floats_compare_by_their_bytes),        TEST(hashes_spread),
        TEST(gathered_rows_keep_their_bytes_alive), TEST(bytes_are_those_of_the_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
