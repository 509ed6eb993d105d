// SPDX-License-Identifier: Apache-2.0
// datagen through the plugin host: kinds and bounds of values, sequences, restarts, the rate, and faults in options.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

struct fixture {
    struct testhost *h;
    struct testhost_node *node;
    const struct leat_schema *schema;
};

static void init(struct fixture *x, const char *columns, const char *const *pairs)
{
    x->h = testhost_create();
    x->node = testhost_node(x->h, testhost_component(x->h, "datagen", LEAT_SOURCE, "datagen"), pairs);
    x->schema = columns ? testhost_schema(x->h, columns, NULL) : NULL;
}

static void fini(struct fixture *x)
{
    testhost_node_destroy(x->node);
    assert_int_equal(atomic_load(&x->h->live_batches), 0);
    testhost_destroy(x->h);
}

static void start(struct fixture *x)
{
    if (testhost_source_start(x->node, x->schema) != LEAT_OK)
        fail_msg("%s", testhost_faults(x->node));
}

static void test_sequence_ends(void **state)
{
    (void)state;
    struct fixture x;
    init(&x, "id BIGINT, name STRING, d DECIMAL(5,1), f DOUBLE",
         (const char *[]){"fields.id.kind",
                          "sequence",
                          "fields.id.start",
                          "7",
                          "fields.id.end",
                          "9",
                          "fields.name.kind",
                          "sequence",
                          "fields.name.start",
                          "1",
                          "fields.name.end",
                          "99",
                          "fields.d.kind",
                          "sequence",
                          "fields.d.start",
                          "0.5",
                          "fields.d.end",
                          "100",
                          "fields.f.kind",
                          "sequence",
                          "fields.f.start",
                          "1",
                          "fields.f.end",
                          "5",
                          NULL});
    start(&x);
    assert_int_equal(x.node->source_plan.bounded, 1);
    assert_int_equal(testhost_poll_rows(x.node, 4, 5000), LEAT_END);
    assert_string_equal(testhost_rows(x.node), "+I[7, 1, 0.5, 1]\n+I[8, 2, 1.5, 2]\n+I[9, 3, 2.5, 3]\n");
    fini(&x);
}

static void check_bounds(const struct leat_batch *b)
{
    for (uint32_t r = 0; r < b->rows; r++) {
        assert_in_range(leat_batch_cell(b, 0, r)->i64, 1, 4);
        assert_true(leat_batch_cell(b, 1, r)->f64 >= -20 && leat_batch_cell(b, 1, r)->f64 <= 45);
        assert_true(leat_batch_cell(b, 2, r)->i128 >= -150 && leat_batch_cell(b, 2, r)->i128 <= 150);
        assert_int_equal(leat_batch_cell(b, 3, r)->bytes.len, 5);
        assert_in_range(leat_batch_cell(b, 4, r)->bytes.len, 1, 8);
        assert_int_equal(leat_batch_state(b, 5, r), LEAT_NULL);
        assert_int_equal(leat_batch_cell(b, 6, r)->list.count, 2);
        assert_in_range(leat_batch_cell(b, 6, r)->list.items[1].cell.i64, 10, 11);
        assert_true(leat_batch_cell(b, 7, r)->i64 <= 1000000000 && leat_batch_cell(b, 7, r)->i64 >= 940000000);
    }
}

static void test_random_values_within_bounds(void **state)
{
    (void)state;
    struct fixture x;
    init(&x, "a INT, b DOUBLE, c DECIMAL(4,2), d STRING, e BYTES, f INT, g ARRAY<SMALLINT>, h TIMESTAMP(3)",
         (const char *[]){"number-of-rows",
                          "500",
                          "seed",
                          "1",
                          "fields.a.min",
                          "1",
                          "fields.a.max",
                          "4",
                          "fields.b.min",
                          "-20.0",
                          "fields.b.max",
                          "45",
                          "fields.c.min",
                          "-1.5",
                          "fields.c.max",
                          "1.50",
                          "fields.d.length",
                          "5",
                          "fields.e.length",
                          "8",
                          "fields.e.var-len",
                          "true",
                          "fields.f.null-rate",
                          "1",
                          "fields.g.length",
                          "2",
                          "fields.g.element.min",
                          "10",
                          "fields.g.element.max",
                          "11",
                          "fields.h.max-past",
                          "1min",
                          NULL});
    x.h->fixed_now = 1000000000;
    start(&x);
    assert_int_equal(testhost_poll_rows(x.node, 500, 5000), LEAT_OK);
    for (const struct testhost_emitted *e = x.node->emitted; e; e = e->next)
        check_bounds(e->batch);
    fini(&x);
}

// The rows of two runs, the second of which may go on from a checkpoint of the first.
static void test_seed_and_restart(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "number-of-rows", "20",  "seed", "5", "fields.id.kind", "sequence", "fields.id.start", "1",
        "fields.id.end",  "100", NULL};
    static const char columns[] = "id INT, r BIGINT, s STRING";
    struct fixture x, y;
    struct testhost_state saved = {0};
    char whole[8192], parts[8192];
    init(&x, columns, pairs);
    start(&x);
    assert_int_equal(testhost_poll_rows(x.node, 21, 5000), LEAT_END);
    snprintf(whole, sizeof whole, "%s", testhost_rows(x.node));
    fini(&x);

    init(&x, columns, pairs);
    x.node->emit_room = 1;
    start(&x);
    assert_int_equal(testhost_poll_rows(x.node, 1, 5000), LEAT_OK);
    assert_int_equal(testhost_save_state(x.node, &saved), LEAT_OK);
    snprintf(parts, sizeof parts, "%s", testhost_rows(x.node));
    fini(&x);

    init(&y, columns, pairs);
    assert_int_equal(testhost_source_resume(y.node, y.schema, &saved), LEAT_OK);
    assert_int_equal(testhost_poll_rows(y.node, 21, 5000), LEAT_END);
    snprintf(parts + strlen(parts), sizeof parts - strlen(parts), "%s", testhost_rows(y.node));
    fini(&y);
    assert_string_equal(whole, parts);
    testhost_state_fini(&saved);
}

static void test_rate(void **state)
{
    (void)state;
    struct fixture x;
    init(&x, "a INT", (const char *[]){"rows-per-second", "100", NULL});
    start(&x);
    assert_int_equal(x.node->source_plan.bounded, 0);
    int64_t from = x.node->ctx.host->monotonic(&x.node->ctx);
    assert_int_equal(testhost_poll_rows(x.node, 10, 5000), LEAT_OK);
    int64_t taken = x.node->ctx.host->monotonic(&x.node->ctx) - from;
    assert_true(taken >= 95000); // the tenth row is due after a tenth of a second
    fini(&x);
}

struct fault {
    const char *columns, *pairs[7], *message;
};

static const struct fault faults[] = {
    {NULL, {NULL}, "a datagen source needs a schema"},
    {"a INT", {"fields.b.min", "1", NULL}, "\"b\" is no column of the schema"},
    {"a INT", {"fields.a.minimum", "1", NULL}, "datagen has no option \"fields.a.minimum\""},
    {"a INT", {"fields.a.min", "x", NULL}, "\"x\" is no value of the type of field \"a\""},
    {"a TINYINT", {"fields.a.max", "300", NULL}, "\"300\" is no value of the type of field \"a\""},
    {"a INT", {"fields.a.min", "5", "fields.a.max", "4", NULL}, "min of field \"a\" is above its max"},
    {"a INT", {"fields.a.kind", "seq", NULL}, "there is no kind \"seq\""},
    {"a INT", {"fields.a.kind", "sequence", "fields.a.start", "1", NULL}, "the sequence of field \"a\" has no end"},
    {"a DATE", {"fields.a.kind", "sequence", NULL}, "field \"a\" cannot be a sequence"},
    {"a INT", {"fields.a.length", "3", NULL}, "field \"a\" has no length"},
    {"a VARCHAR(3)", {"fields.a.length", "4", NULL}, "\"4\" is no length that field \"a\" can have"},
    {"a BIGINT", {"fields.a.var-len", "true", NULL}, "field \"a\" has no length"},
    {"a STRING", {"fields.a.var-len", "maybe", NULL}, "\"maybe\" is neither true nor false"},
    {"a INT", {"fields.a.null-rate", "1.5", NULL}, "the null-rate of field \"a\" is out of range"},
    {"a INT NOT NULL", {"fields.a.null-rate", "0.5", NULL}, "field \"a\" is NOT NULL"},
    {"a TIMESTAMP(3)", {"fields.a.max-past", "soon", NULL}, "\"soon\" is no duration"},
    {"a ROW<x INT>", {"fields.a.x.max", "1e3", NULL}, "\"1e3\" is no value of the type of field \"a.x\""},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fixture x;
        init(&x, faults[i].columns, faults[i].pairs);
        assert_int_equal(testhost_describe(x.node, x.schema), LEAT_CONFIG);
        if (!testhost_diag(x.node, faults[i].message))
            fail_msg("case %zu: no \"%s\" in: %s", i, faults[i].message, testhost_faults(x.node));
        fini(&x);
    }
}

static void test_foreign_state(void **state)
{
    (void)state;
    struct fixture x;
    struct testhost_state saved = {.version = 9, .kind = LEAT_STATE_FULL};
    init(&x, "a INT", NULL);
    assert_int_equal(testhost_source_resume(x.node, x.schema, &saved), LEAT_FATAL);
    assert_string_equal(x.node->error.code, "LEAT-D0105");
    fini(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence_ends),    cmocka_unit_test(test_random_values_within_bounds),
        cmocka_unit_test(test_seed_and_restart), cmocka_unit_test(test_rate),
        cmocka_unit_test(test_faults),           cmocka_unit_test(test_foreign_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
