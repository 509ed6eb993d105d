// SPDX-License-Identifier: Apache-2.0
// Lookup joins of the operator, with the test as the lookup: what comes out of one answer when the way fills in between.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

#define CANDIDATES 1500 // of one key: more than a block of joined rows holds

static const char query[] = "SELECT o.oid, u.n FROM sales AS o "
                            "LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON o.uid = u.uid AND u.n < o.amt";

struct join {
    struct testhost *h;
    struct testhost_node *node;
    struct leat_input inputs[3];
    uint32_t asked, keys;
    uint64_t ticket, total;
};

static leat_status on_ask(struct testhost_node *node, uint32_t input, const struct leat_batch *keys, uint64_t ticket)
{
    struct join *j = node->on_emit_arg;
    assert_int_equal(input, ticket + 1);
    j->asked++;
    j->keys = keys->rows;
    j->ticket = ticket;
    return LEAT_OK;
}

static void open_join_of(struct join *j, struct testhost *h, const char *text, uint32_t inputs)
{
    struct leat_input_names names;
    *j = (struct join){.h = h};
    j->node =
        testhost_node(h, testhost_component(h, "sql", LEAT_OPERATOR, "sql"), (const char *[]){"query", text, NULL});
    j->node->on_ask = on_ask;
    j->node->on_emit_arg = j;
    assert_int_equal(testhost_inputs(j->node, &names), LEAT_OK);
    assert_int_equal(names.count, inputs);
    j->inputs[0] = (struct leat_input){.schema = testhost_schema(h, "oid INT, uid BIGINT, amt INT", NULL),
                                       .mode = LEAT_MODE_INSERT_ONLY,
                                       .kind = LEAT_INPUT_STREAM};
    j->inputs[1] = (struct leat_input){.schema = testhost_schema(h, "uid BIGINT, n INT", NULL),
                                       .mode = LEAT_MODE_INSERT_ONLY,
                                       .kind = LEAT_INPUT_LOOKUP};
    j->inputs[2] = j->inputs[1];
    if (testhost_bind_operator(j->node, j->inputs, inputs) != LEAT_OK || testhost_create_bound(j->node) != LEAT_OK ||
        testhost_open(j->node, 1000) != LEAT_OK)
        fail_msg("%s", testhost_faults(j->node));
}

static void open_join(struct join *j, struct testhost *h)
{
    open_join_of(j, h, query, 2);
}

static void feed(struct join *j, const char *rows)
{
    struct leat_batch *b = testhost_batch(j->node, j->inputs[0].schema, rows);
    assert_int_equal(testhost_process(j->node, 0, b), LEAT_OK);
    leat_batch_unref(b);
}

// CANDIDATES rows for each key, n = 0, 1, 2 …
static struct leat_batch *candidates(struct join *j, uint32_t keys, uint32_t *key_of_row)
{
    struct leat_batch *b = leat_batch_new(&j->node->ctx, j->inputs[1].schema, keys * CANDIDATES);
    assert_non_null(b);
    for (uint32_t i = 0; i < keys * CANDIDATES; i++) {
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
        key_of_row[row] = i / CANDIDATES;
        b->columns[0].cells[row].i64 = 7 + i / CANDIDATES;
        b->columns[1].cells[row].i64 = i % CANDIDATES;
        leat_batch_set_state(b, 0, row, LEAT_VALUE);
        leat_batch_set_state(b, 1, row, LEAT_VALUE);
    }
    return b;
}

// Answers with the way full after every batch; what came out is left in the node. How often it was full.
static uint32_t answer_slowly(struct join *j)
{
    static uint32_t key_of_row[2 * CANDIDATES];
    struct leat_batch *b = j->keys ? candidates(j, j->keys, key_of_row) : NULL;
    uint32_t full = 0;
    leat_status st;
    do {
        j->node->emit_room = j->node->rows + 1;
        st = j->node->component->op->process_answer(&j->node->ctx, j->node->self, j->ticket, b, key_of_row);
        full += st == LEAT_AGAIN;
    } while (st == LEAT_AGAIN && full < 100);
    assert_int_equal(st, LEAT_OK);
    leat_batch_unref(b);
    return full;
}

// Only the first candidate is accepted; the others come in a block of their own.
static void test_a_partner_before_a_full_way_is_not_forgotten(void **state)
{
    struct join j;
    open_join(&j, *state);
    feed(&j, "+I[1, 7, 1]");
    assert_int_equal(j.keys, 1);
    assert_int_not_equal(answer_slowly(&j), 0);
    assert_string_equal(testhost_rows(j.node), "+I[1, 0]\n");
    testhost_node_destroy(j.node);
}

static void test_rows_without_a_partner_stay_alone(void **state)
{
    struct join j;
    open_join(&j, *state);
    feed(&j, "+I[1, 7, 0];+I[2, 8, 1];+I[3, 7, 0];+I[4, 8, 2]");
    assert_int_equal(j.keys, 2);
    answer_slowly(&j);
    assert_string_equal(testhost_rows(j.node), "+I[1, NULL]\n+I[2, 0]\n+I[3, NULL]\n+I[4, 0]\n+I[4, 1]\n");
    testhost_node_destroy(j.node);
}

// The first row of the next batch has the number of the last one's: what is known of that is not known of this.
static void test_a_batch_knows_nothing_of_the_one_before(void **state)
{
    struct join j;
    open_join(&j, *state);
    feed(&j, "+I[0, NULL, 0]");
    feed(&j, "+I[1, 7, 1]");
    feed(&j, "+I[2, 7, 0]");
    assert_int_equal(j.asked, 1);
    assert_int_equal(j.keys, 0);
    answer_slowly(&j);
    assert_int_equal(j.asked, 2);
    assert_int_equal(j.keys, 1);
    answer_slowly(&j);
    assert_string_equal(testhost_rows(j.node), "+I[0, NULL]\n+I[1, 0]\n+I[2, NULL]\n");
    testhost_node_destroy(j.node);
}

static void total_of(struct join *j)
{
    j->total += j->node->rows;
    testhost_forget(j->node);
}

// What the first lookup gives is more than the second one's queue takes: the rest waits, and comes.
static void test_a_full_queue_holds_the_lookup_before_it(void **state)
{
    enum { KEYS = 20 };
    static uint32_t key_of_row[KEYS * CANDIDATES];
    struct join j;
    char rows[KEYS * 24], *at = rows;
    open_join_of(&j, *state,
                 "SELECT o.oid, u.n, c.n AS m FROM sales AS o "
                 "LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON o.uid = u.uid "
                 "LEFT JOIN cities FOR SYSTEM_TIME AS OF PROCTIME() AS c ON u.n = c.uid",
                 3);
    for (int i = 0; i < KEYS; i++)
        at += sprintf(at, "%s+I[%d, %d, 1]", i ? ";" : "", i, 7 + i);
    feed(&j, rows);
    assert_int_equal(j.keys, KEYS);
    struct leat_batch *b = candidates(&j, KEYS, key_of_row);
    const struct leat_operator_ops *op = j.node->component->op;
    assert_int_equal(op->process_answer(&j.node->ctx, j.node->self, 0, b, key_of_row), LEAT_OK);
    leat_batch_unref(b);
    uint32_t asked = 0;
    while (asked != j.asked) {
        asked = j.asked;
        assert_int_equal(j.ticket, 1);
        assert_true(j.h->live_batches < 8192 / 1024 + 8);
        assert_int_equal(op->process_answer(&j.node->ctx, j.node->self, 1, NULL, NULL), LEAT_OK);
        assert_true(asked < 100);
        assert_true(j.node->rows > 0);
        total_of(&j);
    }
    assert_int_equal(j.total, KEYS * CANDIDATES);
    testhost_node_destroy(j.node);
}

static int setup(void **state)
{
    *state = testhost_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct testhost *h = *state;
    int leaks = h->live_batches;
    testhost_destroy(h);
    return leaks;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_partner_before_a_full_way_is_not_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_without_a_partner_stay_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_batch_knows_nothing_of_the_one_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_queue_holds_the_lookup_before_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
