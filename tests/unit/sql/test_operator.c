// SPDX-License-Identifier: Apache-2.0
// The operator as the core drives it: names, plans, changes in and changes out, state, a way that is full, bad rows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

struct input {
    const char *columns, *key;
    uint8_t mode;
};

// An operator over up to two inputs.
struct query {
    struct testhost *h;
    struct testhost_node *node;
    const struct leat_operator_ops *op;
    struct leat_input inputs[2];
    uint32_t count;
};

static const char *kinds_of(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "insert" : mode == LEAT_MODE_UPSERT ? "upsert" : "all";
}

static void open_query(struct query *q, struct testhost *h, const char *text, const struct input *inputs,
                       uint32_t count)
{
    *q = (struct query){.h = h, .count = count};
    const struct leat_component *c = testhost_component(h, "sql", LEAT_OPERATOR, "sql");
    q->op = c->op;
    q->node = testhost_node(h, c, (const char *[]){"query", text, NULL});
    assert_non_null(q->node->config);
    struct leat_input_names names;
    if (q->op->inputs(&q->node->ctx, q->node->config, &names) != LEAT_OK)
        fail_msg("%s", testhost_faults(q->node));
    assert_int_equal(names.count, count);
    for (uint32_t i = 0; i < count; i++)
        q->inputs[i] = (struct leat_input){.schema = testhost_schema(h, inputs[i].columns, inputs[i].key),
                                           .mode = inputs[i].mode,
                                           .kind = LEAT_INPUT_STREAM};
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = q->node->config,
                                            .inputs = q->inputs,
                                            .input_count = count,
                                            .local_time_zone = "UTC"};
    q->node->operator_plan.struct_size = sizeof q->node->operator_plan;
    if (q->op->bind(&q->node->ctx, &request, &q->node->operator_plan, &q->node->bound) != LEAT_OK)
        fail_msg("%s: %s", text, testhost_faults(q->node));
    if (q->op->create(&q->node->ctx, q->node->bound, &q->node->self) != LEAT_OK)
        fail_msg("%s", testhost_faults(q->node));
    assert_int_equal(q->op->open(&q->node->ctx, q->node->self, &q->node->open), LEAT_OK);
}

static leat_status process(struct query *q, uint32_t input, const char *rows)
{
    struct leat_batch *b = testhost_batch(q->node, q->inputs[input].schema, rows);
    leat_status st;
    int rounds = 0;
    do {
        st = q->op->process(&q->node->ctx, q->node->self, input, b);
        if (st == LEAT_AGAIN)
            testhost_forget(q->node);
    } while (st == LEAT_AGAIN && ++rounds < 100000);
    leat_batch_unref(b);
    return st;
}

static void feed(struct query *q, uint32_t input, const char *rows, const char *expected)
{
    testhost_forget(q->node);
    if (process(q, input, rows) != LEAT_OK)
        fail_msg("%s: %s", rows, testhost_faults(q->node));
    assert_string_equal(testhost_rows(q->node), expected);
}

static void close_query(struct query *q)
{
    testhost_node_destroy(q->node);
}

static void assert_output(const struct query *q, const char *columns, uint8_t mode, uint32_t key_count)
{
    char text[512] = "";
    const struct leat_port *port = &q->node->operator_plan.ports.items[0];
    for (uint32_t c = 0; c < port->schema->column_count; c++) {
        strcat(text, c ? ", " : "");
        strncat(text, (const char *)port->schema->columns[c].name.ptr, port->schema->columns[c].name.len);
    }
    assert_string_equal(text, columns);
    assert_string_equal(kinds_of(port->mode), kinds_of(mode));
    assert_int_equal(port->schema->key_count, key_count);
}

static int setup(void **state)
{
    *state = testhost_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    testhost_destroy(*state);
    return 0;
}

// --- stateless ---

static const struct input orders = {"id BIGINT NOT NULL, name STRING, amount INT", NULL, LEAT_MODE_INSERT_ONLY};
static const struct input orders_upsert = {"id BIGINT NOT NULL, name STRING, amount INT", "id", LEAT_MODE_UPSERT};
static const struct input orders_all = {"id BIGINT NOT NULL, name STRING, amount INT", "id", LEAT_MODE_ALL};

static void test_projection_and_filter(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT id, amount * 2 AS twice, name, 'x' FROM orders WHERE amount > 1", &orders, 1);
    assert_output(&q, "id, twice, name, EXPR$3", LEAT_MODE_INSERT_ONLY, 0);
    feed(&q, 0, "+I[1, a, 5];+I[2, b, 1];+I[3, NULL, 7];+I[4, d, NULL]", "+I[1, 10, a, x]\n+I[3, 14, NULL, x]\n");
    feed(&q, 0, "+I[1, a, 2]", "+I[1, 4, a, x]\n");
    feed(&q, 0, "+I[1, a, 0]", "");
    close_query(&q);
}

static void test_upserts_pass(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT amount + 1 AS a, id FROM o", &orders_upsert, 1);
    assert_output(&q, "a, id", LEAT_MODE_UPSERT, 1);
    feed(&q, 0, "+I[1, a, 5];+U[1, a, 6];-D[1, ABSENT, ABSENT]", "+I[6, 1]\n+U[7, 1]\n-D[ABSENT, 1]\n");
    close_query(&q);
}

// A row that no longer passes may have passed before: its key is deleted.
static void test_filtered_upserts_delete(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT id, amount FROM o WHERE amount > 1", &orders_upsert, 1);
    assert_output(&q, "id, amount", LEAT_MODE_UPSERT, 1);
    feed(&q, 0, "+I[1, a, 5];+U[1, a, 0]", "+I[1, 5]\n-D[1, 0]\n");
    close_query(&q);
    open_query(&q, *state, "SELECT id, amount FROM o WHERE id > 1", &orders_upsert, 1);
    feed(&q, 0, "+I[1, a, 5];+U[2, a, 0]", "+U[2, 0]\n");
    close_query(&q);
}

static void test_filtered_updates_become_insertions_and_deletions(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT id, amount FROM o WHERE amount > 1", &orders_all, 1);
    assert_output(&q, "id, amount", LEAT_MODE_ALL, 1);
    feed(&q, 0, "+I[1, a, 0];-U[1, a, 0];+U[1, a, 2];-U[1, a, 2];+U[1, a, 3];-U[1, a, 3];+U[1, a, 1];-D[1, a, 1]",
         "+I[1, 2]\n-U[1, 2]\n+U[1, 3]\n-D[1, 3]\n");
    close_query(&q);
}

static void test_upsert_without_its_key_needs_whole_changes(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT name FROM o", &orders_upsert, 1);
    assert_output(&q, "name", LEAT_MODE_ALL, 0);
    assert_int_equal(q.node->operator_plan.needs[0].mode, LEAT_MODE_ALL);
    close_query(&q);
}

static void test_sub_queries_and_with_are_names_for_expressions(void **state)
{
    struct query q;
    open_query(&q, *state,
               "WITH big (i, a) AS (SELECT id, amount * 10 FROM orders WHERE amount > 1) "
               "SELECT s.i, s.b FROM (SELECT i, a + 1 AS b FROM big) AS s WHERE b < 100",
               &orders, 1);
    assert_output(&q, "i, b", LEAT_MODE_INSERT_ONLY, 0);
    feed(&q, 0, "+I[1, a, 5];+I[2, b, 1];+I[3, c, 50]", "+I[1, 51]\n");
    close_query(&q);
}

static void test_union_all(void **state)
{
    struct query q;
    const struct input both[] = {orders, orders_all};
    open_query(&q, *state, "SELECT id, amount FROM a UNION ALL SELECT amount, id FROM b", both, 2);
    assert_output(&q, "id, amount", LEAT_MODE_ALL, 0);
    feed(&q, 0, "+I[1, a, 5]", "+I[1, 5]\n");
    feed(&q, 1, "-U[1, a, 5];+U[1, a, 6]", "-U[5, 1]\n+U[6, 1]\n");
    close_query(&q);
}

static void test_star_and_equal_names(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT *, id, o.* FROM o", &orders, 1);
    assert_output(&q, "id, name, amount, id0, id1, name0, amount0", LEAT_MODE_INSERT_ONLY, 0);
    close_query(&q);
}

static void test_large_batches_are_cut(void **state)
{
    struct query q;
    enum { N = 5000 };
    char *rows = malloc(N * 40), *at = rows;
    assert_non_null(rows);
    open_query(&q, *state, "SELECT id, amount + 1 AS a FROM o", &orders_all, 1);
    at += sprintf(at, "+I[0, x, 0];");
    for (int i = 1; i < N; i++)
        at += sprintf(at, "%s[%d, x, %d];", i & 1 ? "-U" : "+U", i / 2, i);
    at += sprintf(at, "+U[1, x, 1]");
    testhost_forget(q.node);
    assert_int_equal(process(&q, 0, rows), LEAT_OK);
    assert_int_equal(q.node->rows, N + 1);
    for (struct testhost_emitted *e = q.node->emitted; e; e = e->next) {
        assert_true(e->batch->rows <= 1024);
        assert_int_not_equal(e->batch->kinds[e->batch->rows - 1], LEAT_UPDATE_BEFORE);
    }
    free(rows);
    close_query(&q);
}

static void test_bad_rows_are_skipped_or_fail(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT id, 10 / amount AS x FROM o", &orders, 1);
    assert_int_equal(process(&q, 0, "+I[1, a, 5];+I[2, b, 0]"), LEAT_DATA);
    assert_string_equal(q.node->error.message, "division by zero: 10 / amount with amount = 0");
    assert_string_equal(q.node->error.option, "query");
    assert_int_equal(q.node->error.offset, strlen("SELECT id, "));
    q.node->skip_bad_rows = 1;
    feed(&q, 0, "+I[1, a, 5];+I[2, b, 0];+I[3, c, 2];+I[4, d, 0]", "+I[1, 2]\n+I[3, 5]\n");
    close_query(&q);
}

static void test_a_bad_value_is_told_once(void **state)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        {"SELECT CAST(name AS INT) AS n FROM o", "'a' is no INT: CAST(name AS INT)"},
        {"SELECT CAST(name || 'b' AS INT) AS n FROM o", "'ab' is no INT: CAST(name || 'b' AS INT) with name = 'a'"},
        {"SELECT CAST(name || '' AS INT) AS n FROM o", "'a' is no INT: CAST(name || '' AS INT) with name = 'a'"},
        {"SELECT amount / (amount - 5) AS n FROM o", "division by zero: amount / (amount - 5) with amount = 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query q;
        open_query(&q, *state, cases[i].query, &orders, 1);
        assert_int_equal(process(&q, 0, "+I[1, a, 5]"), LEAT_DATA);
        assert_string_equal(q.node->error.message, cases[i].message);
        close_query(&q);
    }
}

static void test_values_not_sent_pass_but_do_not_compute(void **state)
{
    struct query q;
    open_query(&q, *state, "SELECT id, name, amount FROM o", &orders_upsert, 1);
    feed(&q, 0, "+U[1, UNCHANGED, 5]", "+U[1, UNCHANGED, 5]\n");
    close_query(&q);
    open_query(&q, *state, "SELECT id, CASE WHEN name = 'a' THEN 1 ELSE 2 END AS n FROM o", &orders_upsert, 1);
    assert_int_equal(process(&q, 0, "+U[1, UNCHANGED, 5]"), LEAT_DATA);
    assert_string_equal(q.node->error.message, "column 'name' of a changed row was not sent");
    close_query(&q);
}

// --- joins ---

static const struct input users = {"uid BIGINT NOT NULL, city STRING", "uid", LEAT_MODE_UPSERT};
static const struct input sales = {"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_INSERT_ONLY};
static const struct input sales_keyed = {"oid INT NOT NULL, uid BIGINT, amt INT", "oid", LEAT_MODE_ALL};
#define LEFT_JOIN                                                                                                      \
    "SELECT o.oid, o.amt, COALESCE(u.city, '?') AS city FROM sales AS o LEFT JOIN users AS u ON o.uid = u.uid"

static void test_a_renamed_dimension_row_is_replaced(void **state)
{
    struct query q;
    const struct input both[] = {sales, users};
    open_query(&q, *state, LEFT_JOIN, both, 2);
    assert_output(&q, "oid, amt, city", LEAT_MODE_ALL, 0);
    assert_int_equal(q.node->operator_plan.needs[0].wait_first, 0);
    assert_int_equal(q.node->operator_plan.needs[1].wait_first, 1);
    feed(&q, 1, "+I[7, Rome]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[2, 8, 20];+I[3, NULL, 30]", "+I[1, 10, Rome]\n+I[2, 20, ?]\n+I[3, 30, ?]\n");
    feed(&q, 1, "+U[7, Oslo]", "-U[1, 10, Rome]\n+U[1, 10, Oslo]\n");
    feed(&q, 1, "+I[8, Bern]", "-U[2, 20, ?]\n+U[2, 20, Bern]\n");
    feed(&q, 1, "-D[7, ABSENT]", "-U[1, 10, Oslo]\n+U[1, 10, ?]\n");
    feed(&q, 1, "-D[99, ABSENT]", "");
    feed(&q, 1, "+I[8, Bern]", "");
    feed(&q, 0, "+I[4, 8, 1]", "+I[4, 1, Bern]\n");
    close_query(&q);
}

// A sink by key keeps what comes last: the newest state of a row, also after growth, removal and from a checkpoint.
static void test_partners_pass_in_the_order_in_which_they_came(void **state)
{
    struct query q;
    const struct input both[] = {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_ALL}, users};
    struct testhost_state full = {.kind = LEAT_STATE_FULL};
    open_query(&q, *state, LEFT_JOIN, both, 2);
    feed(&q, 0, "+I[1, 7, 10];+I[1, 7, 11];+I[1, 7, 12]", "+I[1, 10, ?]\n+I[1, 11, ?]\n+I[1, 12, ?]\n");
    feed(&q, 0, "-D[1, 7, 12]", "-D[1, 12, ?]\n");
    feed(&q, 0, "+I[1, 7, 13]", "+I[1, 13, ?]\n");
    for (int i = 0; i < 200; i++) { // the index grows
        char row[64], out[64];
        snprintf(row, sizeof row, "+I[%d, %d, 1]", 100 + i, 100 + i);
        snprintf(out, sizeof out, "+I[%d, 1, ?]\n", 100 + i);
        feed(&q, 0, row, out);
    }
    const char *in_order = "-U[1, 10, ?]\n+U[1, 10, Rome]\n-U[1, 11, ?]\n+U[1, 11, Rome]\n"
                           "-U[1, 13, ?]\n+U[1, 13, Rome]\n";
    assert_int_equal(testhost_save_state(q.node, &full), LEAT_OK);
    feed(&q, 1, "+I[7, Rome]", in_order);
    close_query(&q);

    open_query(&q, *state, LEFT_JOIN, both, 2);
    assert_int_equal(testhost_load_state(q.node, &full), LEAT_OK);
    feed(&q, 1, "+I[7, Rome]", in_order);
    close_query(&q);
    testhost_state_fini(&full);
}

static void test_left_side_changes(void **state)
{
    struct query q;
    const struct input both[] = {sales_keyed, users};
    open_query(&q, *state, LEFT_JOIN, both, 2);
    assert_output(&q, "oid, amt, city", LEAT_MODE_ALL, 1);
    feed(&q, 1, "+I[7, Rome];+I[8, Bern]", "");
    feed(&q, 0, "+I[1, 7, 10]", "+I[1, 10, Rome]\n");
    feed(&q, 0, "-U[1, 7, 10];+U[1, 7, 11]", "-U[1, 10, Rome]\n+U[1, 11, Rome]\n");
    feed(&q, 0, "-U[1, 7, 11];+U[1, 8, 11]", "-D[1, 11, Rome]\n+I[1, 11, Bern]\n");
    feed(&q, 0, "-U[1, 8, 11];+U[1, NULL, 11]", "-D[1, 11, Bern]\n+I[1, 11, ?]\n");
    feed(&q, 0, "-D[1, NULL, 11]", "-D[1, 11, ?]\n");
    feed(&q, 0, "-D[1, NULL, 11]", "");
    close_query(&q);
}

static void test_inner_join(void **state)
{
    struct query q;
    const struct input both[] = {sales_keyed, users};
    open_query(&q, *state, "SELECT oid, city FROM sales o JOIN users u USING (uid) WHERE o.amt > u.uid", both, 2);
    assert_output(&q, "oid, city", LEAT_MODE_ALL, 1);
    feed(&q, 0, "+I[1, 7, 10]", "");
    feed(&q, 1, "+I[7, Rome]", "+I[1, Rome]\n");
    feed(&q, 0, "-U[1, 7, 10];+U[1, 7, 5]", "-D[1, Rome]\n");
    feed(&q, 0, "-U[1, 7, 5];+U[1, 7, 9]", "+I[1, Rome]\n");
    feed(&q, 1, "+U[7, Oslo]", "-U[1, Rome]\n+U[1, Oslo]\n");
    feed(&q, 1, "-D[7, ABSENT]", "-D[1, Oslo]\n");
    close_query(&q);
}

static void test_conditions_over_one_side(void **state)
{
    struct query q;
    const struct input both[] = {sales, users};
    open_query(&q, *state,
               "SELECT o.oid, u.city FROM sales o LEFT JOIN users u ON o.uid = u.uid AND o.amt > 5 AND u.city <> 'x'",
               both, 2);
    feed(&q, 1, "+I[7, Rome];+I[8, x]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[2, 7, 1];+I[3, 8, 10]", "+I[1, Rome]\n+I[2, NULL]\n+I[3, NULL]\n");
    feed(&q, 1, "+U[7, x]", "-U[1, Rome]\n+U[1, NULL]\n");
    feed(&q, 1, "+U[8, Bern]", "-U[3, NULL]\n+U[3, Bern]\n");
    close_query(&q);
}

static void test_where_over_the_kept_side_is_asked_before_the_join(void **state)
{
    struct query q;
    const struct input both[] = {sales_keyed, users};
    open_query(&q, *state, LEFT_JOIN " WHERE o.amt > 5 AND COALESCE(u.city, '') <> 'x'", both, 2);
    feed(&q, 1, "+I[7, Rome];+I[8, x]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[2, 7, 1];+I[3, 8, 9]", "+I[1, 10, Rome]\n");
    feed(&q, 0, "-U[1, 7, 10];+U[1, 7, 2]", "-D[1, 10, Rome]\n");
    feed(&q, 0, "-U[2, 7, 1];+U[2, 7, 6]", "+I[2, 6, Rome]\n");
    feed(&q, 1, "+U[8, Bern]", "+I[3, 9, Bern]\n");
    assert_int_equal(testhost_metric(q.node, "leat_state_rows"), 4);
    close_query(&q);
}

static void test_computed_columns_of_the_optional_side_are_null(void **state)
{
    struct query q;
    const struct input both[] = {sales, users};
    open_query(&q, *state,
               "SELECT o.oid, u.c FROM sales o LEFT JOIN (SELECT uid, COALESCE(city, 'none') AS c FROM users) u ON "
               "o.uid = u.uid",
               both, 2);
    feed(&q, 1, "+I[7, NULL]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[2, 8, 1]", "+I[1, none]\n+I[2, NULL]\n");
    close_query(&q);
}

static void test_right_join(void **state)
{
    struct query q;
    const struct input both[] = {users, sales};
    open_query(&q, *state, "SELECT u.city, o.oid FROM users u RIGHT JOIN sales o ON o.uid = u.uid", both, 2);
    feed(&q, 1, "+I[1, 7, 10]", "+I[NULL, 1]\n");
    feed(&q, 0, "+I[7, Rome]", "-U[NULL, 1]\n+U[Rome, 1]\n");
    close_query(&q);
}

static void test_rows_without_a_key_are_found_by_content(void **state)
{
    struct query q;
    const struct input both[] = {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_ALL}, users};
    open_query(&q, *state, LEFT_JOIN, both, 2);
    feed(&q, 1, "+I[7, Rome]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[1, 7, 10]", "+I[1, 10, Rome]\n+I[1, 10, Rome]\n");
    feed(&q, 0, "-D[1, 7, 10]", "-D[1, 10, Rome]\n");
    feed(&q, 1, "+U[7, Oslo]", "-U[1, 10, Rome]\n+U[1, 10, Oslo]\n");
    feed(&q, 0, "-U[1, 7, 10];+U[1, 8, 11]", "-D[1, 10, Oslo]\n+I[1, 11, ?]\n");
    feed(&q, 0, "-D[5, 7, 10]", "");
    close_query(&q);
}

static void test_values_not_sent_come_from_the_state(void **state)
{
    struct query q;
    const struct input both[] = {sales, {"uid BIGINT NOT NULL, city STRING, zip INT", "uid", LEAT_MODE_UPSERT}};
    open_query(&q, *state, "SELECT o.oid, u.city, u.zip FROM sales o LEFT JOIN users u ON o.uid = u.uid", both, 2);
    feed(&q, 1, "+I[7, Rome, 1]", "");
    feed(&q, 0, "+I[1, 7, 10]", "+I[1, Rome, 1]\n");
    feed(&q, 1, "+U[7, UNCHANGED, 2]", "-U[1, Rome, 1]\n+U[1, Rome, 2]\n");
    assert_int_equal(process(&q, 1, "+U[7, Rome, 3];+U[9, UNCHANGED, 2]"), LEAT_DATA);
    assert_string_equal(
        q.node->error.message,
        "column 'city' of the row with uid = 9 of 'users' was not sent, and the row is not in the state");
    close_query(&q);
}

// A batch that is offered again, because the way was full, brings no new errors for the same rows.
static void bad_rows_of_a_join(void **state, const char *query, const struct input *left)
{
    enum { N = 600 };
    struct query q;
    const struct input both[] = {*left, users};
    open_query(&q, *state, query, both, 2);
    q.node->skip_bad_rows = 1;
    feed(&q, 1, "+I[700, Rome];+I[701, Oslo];+I[702, Bern]", "");
    char rows[N * 24], *at = rows;
    for (int k = 0; k < N; k++)
        at += sprintf(at, "%s+I[%d, 7, %d]", k ? ";" : "", k, k % 200 != 0);
    struct leat_batch *b = testhost_batch(q.node, q.inputs[0].schema, rows);
    testhost_forget(q.node);
    q.node->emit_room = 1;
    uint64_t joined = 0, bad = 0, calls = 0;
    leat_status st;
    do {
        st = q.op->process(&q.node->ctx, q.node->self, 0, b);
        joined += q.node->rows;
        testhost_forget(q.node);
        calls++;
    } while (st == LEAT_AGAIN && calls < 1000);
    for (const struct testhost_bad_row *r = q.node->bad_rows; r; r = r->next)
        bad++;
    assert_int_equal(st, LEAT_OK);
    assert_true(calls > 1);
    assert_int_equal(joined, 3 * (N - 3));
    assert_int_equal(bad, 3);
    leat_batch_unref(b);
    close_query(&q);
}

static void test_bad_rows_of_a_join_count_once_however_full_the_way_is(void **state)
{
    static const char query[] = "SELECT o.oid, u.city FROM sales o JOIN users u ON o.uid / o.amt = u.uid / 100";
    bad_rows_of_a_join(state, query, &sales);
    bad_rows_of_a_join(state, query, &sales_keyed);
}

static void test_many_matches_stop_at_a_full_way(void **state)
{
    struct query q;
    enum { N = 3000 };
    const struct input both[] = {sales, users};
    open_query(&q, *state, LEFT_JOIN, both, 2);
    feed(&q, 1, "+I[7, Rome]", "");
    for (int i = 0; i < N; i += 500) {
        char rows[500 * 24], *at = rows;
        for (int k = 0; k < 500; k++)
            at += sprintf(at, "%s+I[%d, 7, 1]", k ? ";" : "", i + k);
        testhost_forget(q.node);
        assert_int_equal(process(&q, 0, rows), LEAT_OK);
    }
    struct leat_batch *b = testhost_batch(q.node, q.inputs[1].schema, "+U[7, Oslo];+U[8, Bern]");
    testhost_forget(q.node);
    q.node->emit_room = 1;
    uint64_t rows = 0, calls = 0;
    leat_status st;
    do {
        st = q.op->process(&q.node->ctx, q.node->self, 1, b);
        rows += q.node->rows;
        testhost_forget(q.node);
        calls++;
    } while (st == LEAT_AGAIN && calls < 100);
    assert_int_equal(st, LEAT_OK);
    assert_int_equal(rows, 2 * N);
    assert_true(calls > 4);
    leat_batch_unref(b);
    q.node->emit_room = 0;
    feed(&q, 0, "+I[9999, 8, 5]", "+I[9999, 5, Bern]\n");
    close_query(&q);
}

// --- state ---

static void test_state_is_saved_and_loaded(void **state)
{
    struct query q;
    const struct input both[] = {sales, users};
    struct testhost_state full = {.kind = LEAT_STATE_FULL},
                          delta = {.kind = LEAT_STATE_DELTA}; // whole, then what changed
    open_query(&q, *state, LEFT_JOIN, both, 2);
    feed(&q, 1, "+I[7, Rome];+I[8, Bern]", "");
    feed(&q, 0, "+I[1, 7, 10];+I[2, 8, 20]", "+I[1, 10, Rome]\n+I[2, 20, Bern]\n");
    assert_int_equal(testhost_save_state(q.node, &full), LEAT_OK);
    feed(&q, 1, "+U[7, Oslo];-D[8, ABSENT]", "-U[1, 10, Rome]\n+U[1, 10, Oslo]\n-U[2, 20, Bern]\n+U[2, 20, ?]\n");
    struct leat_state_out out = {.kind = LEAT_STATE_DELTA, .core = &delta, .epoch = 2};
    assert_int_equal(q.op->save_state(&q.node->ctx, q.node->self, &out), LEAT_OK);
    assert_int_equal(out.kind, LEAT_STATE_DELTA);
    delta.version = out.version;
    assert_true(delta.len < full.len);
    uint64_t shape = q.op->state_shape(q.node->bound);
    close_query(&q);

    open_query(&q, *state, LEFT_JOIN, both, 2);
    assert_true(shape != 0);
    assert_int_equal(q.op->state_shape(q.node->bound), shape);
    assert_int_equal(testhost_load_state(q.node, &full), LEAT_OK);
    assert_int_equal(testhost_load_state(q.node, &delta), LEAT_OK);
    feed(&q, 0, "+I[3, 7, 1];+I[4, 8, 1]", "+I[3, 1, Oslo]\n+I[4, 1, ?]\n");
    feed(&q, 1, "+I[8, Bern]", "-U[2, 20, ?]\n+U[2, 20, Bern]\n-U[4, 1, ?]\n+U[4, 1, Bern]\n");
    struct testhost_state broken = full;
    broken.len -= 3;
    assert_int_equal(testhost_load_state(q.node, &broken), LEAT_FATAL);
    close_query(&q);

    open_query(&q, *state, "SELECT o.oid, u.city FROM sales o LEFT JOIN users u ON o.uid = u.uid", both, 2);
    assert_true(q.op->state_shape(q.node->bound) != shape);
    close_query(&q);
    testhost_state_fini(&full);
    testhost_state_fini(&delta);
}

// What the query's state rests on, after "kind".
static void assert_words(struct testhost *h, const char *text, const struct input *inputs, const char *expected)
{
    struct query q;
    open_query(&q, h, text, inputs, 2);
    const char *words = q.op->state_words(q.node->bound);
    if (!expected)
        assert_null(words);
    else
        assert_string_equal(words, expected);
    assert_true((q.op->state_shape(q.node->bound) != 0) == (expected != NULL));
    close_query(&q);
}

static uint64_t shape_of(struct testhost *h, const char *text, const struct input *inputs)
{
    struct query q;
    open_query(&q, h, text, inputs, 2);
    uint64_t shape = q.op->state_shape(q.node->bound);
    close_query(&q);
    return shape;
}

#define INNER "FROM sales o JOIN users u ON o.uid = u.uid"

static void test_the_shape_of_the_state_in_words(void **state)
{
    const struct input both[] = {sales, users};
    assert_words(*state, "SELECT o.oid, o.amt, u.city " INNER " WHERE o.amt  >\n 5 AND u.city <> 'a  b'", both,
                 "kind: inner join\n"
                 "left table: sales (inserts only)\n"
                 "left join key: uid BIGINT\n"
                 "left primary key: none\n"
                 "left columns kept: oid INT, amt INT\n"
                 "left rows kept: where o.amt > 5\n"
                 "right table: users (upserts)\n"
                 "right join key: uid BIGINT\n"
                 "right primary key: uid BIGINT\n"
                 "right columns kept: city STRING\n"
                 "right rows kept: where u.city <> 'a  b'");
    assert_words(*state, "SELECT oid, amt FROM sales UNION ALL SELECT 1, 2 FROM users", both, NULL);
}

static void test_what_the_state_rests_on_changes_its_shape(void **state)
{
    const struct input both[] = {sales, users};
    struct input wider[] = {sales, users}, changing[] = {sales, users};
    wider[0].columns = "oid BIGINT, uid BIGINT, amt INT";
    changing[0].mode = LEAT_MODE_ALL;
    uint64_t was = shape_of(*state, "SELECT o.oid, u.city " INNER, both);
    static const char *const others[] = {
        "SELECT o.oid, u.city FROM sales o LEFT JOIN users u ON o.uid = u.uid",
        "SELECT o.oid, u.city FROM users u JOIN sales o ON o.uid = u.uid",
        "SELECT o.oid, u.city FROM sales o JOIN users u ON o.oid = u.uid",
        "SELECT o.oid, u.city FROM sales o JOIN users u ON o.uid + 1 = u.uid",
        "SELECT o.oid, u.city, o.amt " INNER,
        "SELECT o.oid, u.city " INNER " WHERE o.oid > 5",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct input swapped[] = {users, sales};
        if (shape_of(*state, others[i], i == 1 ? swapped : both) == was)
            fail_msg("%s", others[i]);
    }
    assert_true(shape_of(*state, "SELECT o.oid, u.city " INNER, wider) != was);
    assert_true(shape_of(*state, "SELECT o.oid, u.city " INNER, changing) != was);
}

static void test_what_is_done_behind_the_join_does_not(void **state)
{
    const struct input both[] = {sales, users};
    struct input more[] = {sales, users};
    more[0].columns = "oid INT, note STRING, uid BIGINT, amt INT";
    uint64_t was = shape_of(*state, "SELECT o.oid, u.city " INNER, both);
    static const char *const others[] = {
        "SELECT u.city AS town, o.oid * 2 AS twice " INNER,
        "SELECT o.oid, u.city " INNER " WHERE CHAR_LENGTH(u.city) > o.oid",
        "SELECT b.oid,  a.city FROM sales b JOIN users a ON b.uid = a.uid",
        "SELECT o.oid, u.city FROM sales o JOIN users u ON u.uid = o.uid",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (shape_of(*state, others[i], both) != was)
            fail_msg("%s", others[i]);
    assert_true(shape_of(*state, "SELECT o.oid, u.city " INNER, more) == was);
    more[1].columns = "uid BIGINT NOT NULL, city VARCHAR(20)";
    assert_true(shape_of(*state, "SELECT o.oid, u.city " INNER, more) == was);
}

// --- plans ---

static void test_a_range_of_time_is_told_to_clean_nothing(void **state)
{
    struct query q;
    const struct input both[] = {{"id BIGINT, ts TIMESTAMP(3), n INT", NULL, LEAT_MODE_INSERT_ONLY},
                                 {"id BIGINT, ts TIMESTAMP(3), n INT", NULL, LEAT_MODE_INSERT_ONLY}};
    static const char told[] = "keeps rows for ever";
    open_query(&q, *state,
               "SELECT a.id FROM a JOIN b ON a.id = b.id AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '1' HOUR", both, 2);
    assert_non_null(strstr(q.node->operator_plan.explain, told));
    close_query(&q);
    open_query(&q, *state, "SELECT a.id FROM a JOIN b ON a.id = b.id AND b.n > a.n WHERE a.ts > b.ts", both, 2);
    assert_non_null(strstr(q.node->operator_plan.explain, told));
    close_query(&q);
    open_query(&q, *state, "SELECT a.id FROM a JOIN b ON a.id = b.id AND b.n > a.n", both, 2);
    assert_null(strstr(q.node->operator_plan.explain, told));
    close_query(&q);
}

// --- refusals ---

static void test_refusals_have_places(void **state)
{
    static const struct {
        const char *query, *at, *message, *hint; // hint: a part; NULL = no matter
    } cases[] = {
        {"SELEC id FROM t", "SELEC", "'SELEC' is no keyword", NULL},
        {"SELECT x FROM t", "x", "column 'x' does not exist", NULL},
        {"SELECT id FROM t GROUP BY id", "GROUP", "GROUP BY is known in Flink SQL, not supported yet", NULL},
        {"SELECT DISTINCT id FROM t", "SELECT", "SELECT DISTINCT is known in Flink SQL, not supported yet", NULL},
        {"SELECT id FROM t ORDER BY id", "ORDER", "ORDER BY is known in Flink SQL, not supported yet", NULL},
        {"SELECT id FROM t LIMIT 3", "LIMIT", "LIMIT is known in Flink SQL, not supported yet",
         "write LIMIT where its table is read"},
        {"SELECT id FROM t OFFSET 3 ROWS", "OFFSET", "OFFSET is known in Flink SQL, not supported yet",
         "of what leat sql answers take | tail."},
        {"SELECT id FROM t FETCH NEXT 3 ROWS ONLY", "FETCH", "FETCH is known in Flink SQL, not supported yet",
         "of what leat sql answers take | head."},
        {"SELECT COUNT(*) FROM t", "COUNT", "COUNT is known in Flink SQL, not supported yet", NULL},
        {"SELECT id FROM t WHERE id", "id", "WHERE needs a BOOLEAN, found BIGINT", NULL},
        {"SELECT NULL FROM t", "NULL", "NULL has no type here", NULL},
        {"SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)", "MATCH_RECOGNIZE",
         "MATCH_RECOGNIZE is known in Flink SQL, not supported yet", NULL},
    };
    const struct leat_component *c = testhost_component(*state, "sql", LEAT_OPERATOR, "sql");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct testhost_node *n = testhost_node(*state, c, (const char *[]){"query", cases[i].query, NULL});
        struct leat_input in = {testhost_schema(*state, orders.columns, NULL), LEAT_MODE_INSERT_ONLY, 1};
        struct leat_operator_request request = {
            .struct_size = sizeof request, .config = n->config, .inputs = &in, .input_count = 1};
        struct leat_input_names names;
        leat_status st = c->op->inputs(&n->ctx, n->config, &names);
        if (st == LEAT_OK)
            st = c->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound);
        assert_int_equal(st, LEAT_CONFIG);
        assert_string_equal(n->diags->message, cases[i].message);
        assert_string_equal(n->diags->option, "query");
        uint32_t at = n->diags->offset;
        if (strncmp(cases[i].query + at, cases[i].at, strlen(cases[i].at)))
            fail_msg("%s: offset %u", cases[i].query, at);
        if (cases[i].hint && !strstr(n->diags->hint, cases[i].hint))
            fail_msg("%s: hint %s", cases[i].query, n->diags->hint);
        testhost_node_destroy(n);
    }
}

static void test_unknown_schemas_are_left_open(void **state)
{
    const struct leat_component *c = testhost_component(*state, "sql", LEAT_OPERATOR, "sql");
    struct testhost_node *n = testhost_node(*state, c, (const char *[]){"query", "SELECT a FROM pg.business.t", NULL});
    struct leat_input in = {NULL, LEAT_MODE_ALL, 1};
    struct leat_operator_request request = {
        .struct_size = sizeof request, .config = n->config, .inputs = &in, .input_count = 1};
    struct leat_input_names names;
    assert_int_equal(c->op->inputs(&n->ctx, n->config, &names), LEAT_OK);
    assert_int_equal(names.count, 1);
    assert_int_equal(names.items[0].name.len, 13);
    assert_memory_equal(names.items[0].name.ptr, "pg.business.t", 13);
    assert_int_equal(names.items[0].offset, 14);
    assert_int_equal(c->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound), LEAT_OK);
    const struct leat_schema *s = n->operator_plan.ports.items[0].schema; // the names are known
    assert_int_equal(s->column_count, 1);
    assert_memory_equal(s->columns[0].name.ptr, "a", 1);
    assert_true(s->columns[0].type.flags & LEAT_TYPE_IS_UNKNOWN);
    testhost_node_destroy(n);
}

static void test_every_fault_is_told_once(void **state)
{
    const struct leat_component *c = testhost_component(*state, "sql", LEAT_OPERATOR, "sql");
    const char *query = "WITH w AS (SELECT t.x, nope(a) n FROM t) SELECT w.n + 1, u.zz, UPPER(w.x), ABS(), missing "
                        "FROM w JOIN u ON w.x = u.y AND u.q IS NULL WHERE w.n = bar(1)";
    struct testhost_node *n = testhost_node(*state, c, (const char *[]){"query", query, NULL});
    struct leat_field known[] = {{.name = {(const uint8_t *)"y", 1}, .type = {.kind = LEAT_TYPE_INT}}};
    struct leat_schema u = {.struct_size = sizeof u, .column_count = 1, .columns = known};
    struct leat_input in[] = {{NULL, LEAT_MODE_INSERT_ONLY, 1}, {&u, LEAT_MODE_INSERT_ONLY, 1}};
    struct leat_operator_request request = {
        .struct_size = sizeof request, .config = n->config, .inputs = in, .input_count = 2};
    assert_int_equal(c->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound), LEAT_CONFIG);
    const char *told = testhost_faults(n);
    for (const char *const *at = (const char *const[]){"'nope'", "'zz'", "'ABS'", "'q'", "'bar'", "'missing'", NULL};
         *at; at++)
        if (!strstr(told, *at))
            fail_msg("%s is not in: %s", *at, told);
    uint32_t count = 0;
    for (const struct testhost_diag *d = n->diags; d; d = d->next)
        count++;
    assert_int_equal(count, 6);
    testhost_node_destroy(n);
}

static void test_values_is_a_source(void **state)
{
    struct testhost_node *n =
        testhost_node(*state, testhost_component(*state, "sql", LEAT_SOURCE, "values"),
                      (const char *[]){"query", "VALUES (1, 'a', NULL), (2 + 1, 'bcd', 1.5)", NULL});
    if (testhost_source_start(n, NULL) != LEAT_OK)
        fail_msg("%s", testhost_faults(n));
    assert_int_equal(testhost_poll_rows(n, 2, 1000), LEAT_OK);
    assert_string_equal(testhost_rows(n), "+I[1, a, NULL]\n+I[3, bcd, 1.5]\n");
    testhost_node_destroy(n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_projection_and_filter),
        TEST(test_upserts_pass),
        TEST(test_filtered_upserts_delete),
        TEST(test_filtered_updates_become_insertions_and_deletions),
        TEST(test_upsert_without_its_key_needs_whole_changes),
        TEST(test_sub_queries_and_with_are_names_for_expressions),
        TEST(test_union_all),
        TEST(test_star_and_equal_names),
        TEST(test_large_batches_are_cut),
        TEST(test_bad_rows_are_skipped_or_fail),
        TEST(test_a_bad_value_is_told_once),
        TEST(test_values_not_sent_pass_but_do_not_compute),
        TEST(test_a_renamed_dimension_row_is_replaced),
        TEST(test_partners_pass_in_the_order_in_which_they_came),
        TEST(test_left_side_changes),
        TEST(test_inner_join),
        TEST(test_conditions_over_one_side),
        TEST(test_where_over_the_kept_side_is_asked_before_the_join),
        TEST(test_computed_columns_of_the_optional_side_are_null),
        TEST(test_right_join),
        TEST(test_rows_without_a_key_are_found_by_content),
        TEST(test_values_not_sent_come_from_the_state),
        TEST(test_bad_rows_of_a_join_count_once_however_full_the_way_is),
        TEST(test_many_matches_stop_at_a_full_way),
        TEST(test_state_is_saved_and_loaded),
        TEST(test_the_shape_of_the_state_in_words),
        TEST(test_what_the_state_rests_on_changes_its_shape),
        TEST(test_what_is_done_behind_the_join_does_not),
        TEST(test_a_range_of_time_is_told_to_clean_nothing),
        TEST(test_refusals_have_places),
        TEST(test_unknown_schemas_are_left_open),
        TEST(test_every_fault_is_told_once),
        TEST(test_values_is_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
