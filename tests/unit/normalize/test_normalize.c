// SPDX-License-Identifier: Apache-2.0
// The operator "normalize" from its .so: what comes out for what goes in, its state, and a full way.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include "rowhash.h"

#include <cmocka.h>

struct fixture {
    struct testhost *h;
    const struct leat_component *component;
    const struct leat_schema *schema;
    struct testhost_node *n;
};

static leat_status bind_node(struct testhost_node *n, const struct leat_schema *schema)
{
    struct leat_input input = {.schema = schema, .mode = LEAT_MODE_UPSERT, .kind = LEAT_INPUT_STREAM};
    struct leat_operator_request request = {
        .struct_size = sizeof request, .config = n->config, .inputs = &input, .input_count = 1};
    return n->component->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound);
}

static struct testhost_node *create_node(struct fixture *f)
{
    struct testhost_node *n = testhost_node(f->h, f->component, (const char *[]){NULL});
    assert_int_equal(bind_node(n, f->schema), LEAT_OK);
    assert_int_equal(f->component->op->create(&n->ctx, n->bound, &n->self), LEAT_OK);
    return n;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->h = testhost_create();
    f->component = testhost_component(f->h, "normalize", LEAT_OPERATOR, "normalize");
    f->schema = testhost_schema(f->h, "id BIGINT NOT NULL, name STRING, amount DECIMAL(10,2)", "id");
    f->n = create_node(f);
    assert_int_equal(testhost_open(f->n, 1000), LEAT_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    testhost_node_destroy(f->n);
    assert_int_equal(f->h->live_batches, 0);
    testhost_destroy(f->h);
    free(f);
    return 0;
}

static leat_status process(struct testhost_node *n, struct leat_batch *b)
{
    return n->component->op->process(&n->ctx, n->self, 0, b);
}

static leat_status feed(struct fixture *f, const char *rows)
{
    struct leat_batch *b = testhost_batch(f->n, f->schema, rows);
    leat_status st = process(f->n, b);
    leat_batch_unref(b);
    return st;
}

static void check(struct fixture *f, const char *rows, const char *out)
{
    testhost_forget(f->n);
    assert_int_equal(feed(f, rows), LEAT_OK);
    assert_string_equal(testhost_rows(f->n), out);
}

static void changes_come_out_in_full(void **state)
{
    struct fixture *f = *state;
    check(f, "+I[1, a, 1.00];+U[2, b, 2.00]", "+I[1, a, 1.00]\n+I[2, b, 2.00]\n");
    check(f, "+U[1, A, NULL]", "-U[1, a, 1.00]\n+U[1, A, NULL]\n");
    check(f, "-D[1, ABSENT, ABSENT];-D[1, ABSENT, ABSENT];-D[7, NULL, NULL]", "-D[1, A, NULL]\n");
    check(f, "+U[1, again, 3.00];-D[2, NULL, NULL]", "+I[1, again, 3.00]\n-D[2, b, 2.00]\n");
}

// As Flink does: an equal +I is a repetition, an equal +U a change.
static void equal_rows(void **state)
{
    struct fixture *f = *state;
    check(f, "+I[1, a, 1.00];+I[1, a, 1.00]", "+I[1, a, 1.00]\n");
    check(f, "+U[1, a, 1.00]", "-U[1, a, 1.00]\n+U[1, a, 1.00]\n");
    check(f, "+I[1, a, 1.01]", "-U[1, a, 1.00]\n+U[1, a, 1.01]\n");
    check(f, "+I[1, a, 1.01]", "");
}

static void unchanged_columns_are_filled_from_the_row_before(void **state)
{
    struct fixture *f = *state;
    check(f, "+I[1, large, 1.00];+U[1, UNCHANGED, 2.00]",
          "+I[1, large, 1.00]\n-U[1, large, 1.00]\n+U[1, large, 2.00]\n");
    check(f, "-D[1, NULL, NULL]", "-D[1, large, 2.00]\n");
    assert_int_equal(feed(f, "+U[1, UNCHANGED, 2.00]"), LEAT_DATA);
    assert_string_equal(f->n->error.code, "LEAT-N0003");
}

static void flags_and_times_go_on(void **state)
{
    struct fixture *f = *state;
    struct leat_batch *b = testhost_batch(f->n, f->schema, "+I[1, a, 1.00];+I[1, b, 1.00]");
    b->flags = LEAT_BATCH_SNAPSHOT;
    b->arrived = 77;
    b->times = leat_batch_alloc(b, 2 * sizeof *b->times, 8);
    b->times[0] = 10;
    b->times[1] = 20;
    assert_int_equal(process(f->n, b), LEAT_OK);
    leat_batch_unref(b);
    const struct leat_batch *out = f->n->emitted->batch;
    assert_int_equal(out->rows, 3);
    assert_int_equal(out->flags, LEAT_BATCH_SNAPSHOT);
    assert_int_equal(out->arrived, 77);
    assert_int_equal(out->times[0], 10);
    assert_int_equal(out->times[1], 20);
    assert_int_equal(out->times[2], 20);
    assert_null(out->positions);
    assert_true(out->schema->flags & LEAT_SCHEMA_KEY_IMMEDIATE);
}

// --- large batches

static struct leat_batch *many(struct fixture *f, uint32_t rows, uint8_t kind, int64_t amount, uint32_t name_len)
{
    struct leat_batch *b = leat_batch_new(&f->n->ctx, f->schema, rows);
    char *name = malloc(name_len);
    memset(name, 'n', name_len);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = leat_batch_add(b, kind);
        leat_batch_set_i64(b, 0, row, i);
        assert_true(leat_batch_set_bytes(b, 1, row, name, name_len));
        leat_batch_set_i128(b, 2, row, amount);
    }
    free(name);
    return b;
}

static void a_split_keeps_pairs_together_and_the_transaction_open(void **state)
{
    struct fixture *f = *state;
    uint32_t rows = LEAT_BATCH_ROWS_MAX;
    struct leat_batch *b = many(f, rows, LEAT_UPDATE_AFTER, 1, 100), *c = many(f, rows, LEAT_UPDATE_AFTER, 2, 100);
    assert_int_equal(process(f->n, b), LEAT_OK);
    testhost_forget(f->n);
    assert_int_equal(process(f->n, c), LEAT_OK);
    assert_int_equal(f->n->rows, 2 * (uint64_t)rows);
    int64_t id = 0;
    for (const struct testhost_emitted *e = f->n->emitted; e; e = e->next) {
        assert_int_equal(e->batch->flags & LEAT_BATCH_TXN_OPEN, e->next ? LEAT_BATCH_TXN_OPEN : 0);
        assert_int_equal(e->batch->rows % 2, 0);
        for (uint32_t i = 0; i < e->batch->rows; i += 2, id++) {
            assert_int_equal(e->batch->kinds[i], LEAT_UPDATE_BEFORE);
            assert_int_equal(e->batch->kinds[i + 1], LEAT_UPDATE_AFTER);
            assert_int_equal(leat_batch_cell(e->batch, 0, i)->i64, id);
            assert_int_equal(leat_batch_cell(e->batch, 0, i + 1)->i64, id);
        }
    }
    leat_batch_unref(b);
    leat_batch_unref(c);
}

static void a_full_way_stops_it_and_nothing_is_lost(void **state)
{
    struct fixture *f = *state;
    struct leat_batch *b = many(f, LEAT_BATCH_ROWS_MAX, LEAT_INSERT, 1, 10);
    struct leat_batch *c = many(f, LEAT_BATCH_ROWS_MAX, LEAT_UPDATE_AFTER, 2, 10);
    assert_int_equal(process(f->n, b), LEAT_OK);
    testhost_forget(f->n);
    f->n->emit_room = 1;
    uint64_t total = 0;
    leat_status st;
    int turns = 0;
    do {
        st = process(f->n, c);
        assert_true(st == LEAT_OK || st == LEAT_AGAIN);
        total += f->n->rows;
        testhost_forget(f->n);
        turns++;
    } while (st == LEAT_AGAIN);
    assert_int_equal(total, 2 * (uint64_t)LEAT_BATCH_ROWS_MAX);
    assert_int_equal(turns, 2);
    leat_batch_unref(b);
    leat_batch_unref(c);
}

// --- state

static leat_status save(struct testhost_node *n, uint8_t kind, struct testhost_state *state)
{
    struct leat_state_out out = {.kind = kind, .core = state};
    leat_status st = n->component->op->save_state(&n->ctx, n->self, &out);
    state->version = out.version;
    state->kind = out.kind;
    return st;
}

static void state_goes_on_by_deltas(void **state)
{
    struct fixture *f = *state;
    struct testhost_state full = {0}, delta = {0};
    check(f, "+I[1, a, 1.00];+I[2, b, 2.00];+I[3, c, 3.00]", "+I[1, a, 1.00]\n+I[2, b, 2.00]\n+I[3, c, 3.00]\n");
    assert_int_equal(save(f->n, LEAT_STATE_FULL, &full), LEAT_OK);
    assert_int_equal(feed(f, "-D[1, NULL, NULL];+U[2, B, 2.00];+I[4, d, 4.00]"), LEAT_OK);
    assert_int_equal(save(f->n, LEAT_STATE_DELTA, &delta), LEAT_OK);
    assert_int_equal(delta.kind, LEAT_STATE_DELTA);
    testhost_node_destroy(f->n);
    f->n = create_node(f);
    assert_int_equal(testhost_load_state(f->n, &full), LEAT_OK);
    assert_int_equal(testhost_load_state(f->n, &delta), LEAT_OK);
    assert_int_equal(testhost_open(f->n, 1000), LEAT_OK);
    assert_true(testhost_metric(f->n, "leat_state_bytes") > 0);
    check(f, "-D[1, NULL, NULL];-D[2, NULL, NULL];-D[3, NULL, NULL];-D[4, NULL, NULL]",
          "-D[2, B, 2.00]\n-D[3, c, 3.00]\n-D[4, d, 4.00]\n");
    delta.version = 9;
    assert_int_equal(testhost_load_state(f->n, &delta), LEAT_FATAL);
    testhost_state_fini(&full);
    testhost_state_fini(&delta);
}

// Started as one of two instances, it keeps the rows that the runtime will send to it.
static void with_another_parallelism_it_keeps_its_share(void **state)
{
    struct fixture *f = *state;
    struct leat_batch *b = many(f, 1000, LEAT_INSERT, 1, 10), *all = many(f, 1000, LEAT_DELETE, 1, 10);
    struct testhost_state full = {0};
    uint32_t key = 0;
    assert_int_equal(process(f->n, b), LEAT_OK);
    assert_int_equal(save(f->n, LEAT_STATE_FULL, &full), LEAT_OK);
    uint64_t total = 0;
    for (uint32_t instance = 0; instance < 2; instance++) {
        testhost_node_destroy(f->n);
        f->n = create_node(f);
        f->n->open.instance = instance;
        f->n->open.instances = 2;
        assert_int_equal(testhost_load_state(f->n, &full), LEAT_OK);
        assert_int_equal(testhost_open(f->n, 1000), LEAT_OK);
        assert_int_equal(process(f->n, all), LEAT_OK);
        total += f->n->rows;
        const struct leat_batch *out = f->n->emitted->batch;
        for (uint32_t i = 0; i < out->rows; i++)
            assert_int_equal(rowhash(out, i, &key, 1) % 2, instance);
    }
    assert_int_equal(total, 1000);
    leat_batch_unref(b);
    leat_batch_unref(all);
    testhost_state_fini(&full);
}

static void a_new_shape_is_told_by_its_number(void **state)
{
    struct fixture *f = *state;
    uint64_t was = f->component->op->state_shape(f->n->bound);
    static const char *const others[] = {"id BIGINT NOT NULL, name STRING",
                                         "id BIGINT NOT NULL, name STRING, amount DECIMAL(10,3)",
                                         "id BIGINT NOT NULL, text STRING, amount DECIMAL(10,2)"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct testhost_node *n = testhost_node(f->h, f->component, (const char *[]){NULL});
        assert_int_equal(bind_node(n, testhost_schema(f->h, others[i], "id")), LEAT_OK);
        assert_true(f->component->op->state_shape(n->bound) != was);
        testhost_node_destroy(n);
    }
}

static void an_input_without_a_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct testhost_node *n = testhost_node(f->h, f->component, (const char *[]){NULL});
    assert_int_equal(bind_node(n, testhost_schema(f->h, "id BIGINT", NULL)), LEAT_CONFIG);
    assert_non_null(testhost_diag(n, "no primary key"));
    assert_int_equal(bind_node(n, NULL), LEAT_OK); // columns not known yet
    assert_null(n->operator_plan.ports.items[0].schema);
    assert_int_equal(n->operator_plan.ports.items[0].mode, LEAT_MODE_ALL);
    testhost_node_destroy(n);
}

static void missing_memory_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct leat_batch *b = testhost_batch(f->n, f->schema, "+I[1, a, 1.00]");
    f->h->fail_alloc = 1;
    assert_int_equal(process(f->n, b), LEAT_RESOURCE);
    f->h->fail_alloc = 0;
    leat_batch_unref(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(changes_come_out_in_full),
        TEST(equal_rows),
        TEST(unchanged_columns_are_filled_from_the_row_before),
        TEST(flags_and_times_go_on),
        TEST(a_split_keeps_pairs_together_and_the_transaction_open),
        TEST(a_full_way_stops_it_and_nothing_is_lost),
        TEST(state_goes_on_by_deltas),
        TEST(with_another_parallelism_it_keeps_its_share),
        TEST(a_new_shape_is_told_by_its_number),
        TEST(an_input_without_a_key_is_refused),
        TEST(missing_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
