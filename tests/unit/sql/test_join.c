// SPDX-License-Identifier: Apache-2.0
// Joins with several instances and over restarts: random changes against a plain list of what is in both tables, with
// whole images, deltas and other parallelisms in between. Every kind of kept rows is met.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rowhash.h"
#include "testhost.h"

#include <cmocka.h>

#define INSTANCES_MAX 4
#define TABLE_MAX     200
#define PIECES_MAX    64
#define ROW_TEXT      96

struct side {
    const char *columns, *key;
    uint8_t mode;
};

struct shape {
    const char *name, *query;
    struct side sides[2]; // sales (oid, uid, amt), users (uid, n, city)
    uint8_t outer;
};

static const struct shape shapes[] = {
    {"bag and map",
     "SELECT s.oid, s.amt, u.city FROM sales s LEFT JOIN users u ON s.uid = u.uid",
     {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_INSERT_ONLY},
      {"uid BIGINT NOT NULL, n INT, city STRING", "uid", LEAT_MODE_UPSERT}},
     1},
    {"grouped and map",
     "SELECT s.oid, s.amt, u.city FROM sales s LEFT JOIN users u ON s.uid = u.uid",
     {{"oid INT NOT NULL, uid BIGINT NOT NULL, amt INT", "oid, uid", LEAT_MODE_ALL},
      {"uid BIGINT NOT NULL, n INT, city STRING", "uid", LEAT_MODE_UPSERT}},
     1},
    {"grouped and grouped, inner",
     "SELECT s.oid, s.amt, u.city FROM users u JOIN sales s ON s.uid = u.uid",
     {{"oid INT NOT NULL, uid BIGINT NOT NULL, amt INT", "uid, oid", LEAT_MODE_UPSERT},
      {"uid BIGINT NOT NULL, n INT NOT NULL, city STRING", "n, uid", LEAT_MODE_ALL}},
     0},
    {"bag and bag, inner",
     "SELECT s.oid, s.amt, u.city FROM sales s JOIN users u ON s.uid = u.uid",
     {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_INSERT_ONLY},
      {"uid BIGINT, n INT, city STRING", NULL, LEAT_MODE_INSERT_ONLY}},
     0},
    {"bag and bag, outer",
     "SELECT s.oid, s.amt, u.city FROM sales s LEFT JOIN users u ON s.uid = u.uid",
     {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_INSERT_ONLY},
      {"uid BIGINT, n INT, city STRING", NULL, LEAT_MODE_INSERT_ONLY}},
     1},
    {"by content, in one instance",
     "SELECT s.oid, s.amt, u.city FROM sales s LEFT JOIN users u ON s.uid = u.uid",
     {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_ALL}, {"uid BIGINT, n INT, city STRING", NULL, LEAT_MODE_ALL}},
     1},
    {"computed key of the optional side, in one instance",
     "SELECT s.oid, s.amt, u.town FROM sales s"
     " LEFT JOIN (SELECT uid * 2 AS k, 'ci' || SUBSTRING(city FROM 3) AS town FROM users) u ON s.uid * 2 = u.k",
     {{"oid INT NOT NULL, uid BIGINT NOT NULL, amt INT", "oid, uid", LEAT_MODE_ALL},
      {"uid BIGINT NOT NULL, n INT, city STRING", "uid", LEAT_MODE_UPSERT}},
     1},
    {"computed key by USING, of a WITH, optional on the left, in one instance",
     "WITH u AS (SELECT ABS(uid) AS uid, n, CAST(city AS STRING) || '' AS town FROM users) "
     "SELECT s.oid, s.amt, u.town FROM u RIGHT JOIN sales s USING (uid)",
     {{"oid INT, uid BIGINT, amt INT", NULL, LEAT_MODE_INSERT_ONLY},
      {"uid BIGINT NOT NULL, n INT, city STRING", "uid", LEAT_MODE_UPSERT}},
     1},
};

// A row of either table: a = oid or n, b = amt or city.
struct row {
    uint8_t live;
    int a, uid, b;
};

struct piece {
    struct testhost_state state;
    uint32_t instance, instances;
};

struct run {
    struct testhost *h;
    const struct shape *shape;
    struct testhost_node *nodes[INSTANCES_MAX];
    uint32_t count;
    struct leat_input inputs[2];
    uint32_t input_of[2]; // by table
    struct row tables[2][TABLE_MAX];
    uint64_t random;
    struct piece pieces[PIECES_MAX];
    uint32_t piece_count;
    // what came out, added up
    struct {
        char text[ROW_TEXT];
        int count;
    } out[40 * TABLE_MAX];
    uint32_t out_count;
};

static uint32_t dice(struct run *r, uint32_t sides)
{
    r->random = r->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(r->random >> 33) % sides;
}

static void add_out(struct run *r, const char *text, int sign)
{
    uint32_t i = 0;
    while (i < r->out_count && strcmp(r->out[i].text, text))
        i++;
    if (i == r->out_count) {
        assert_true(r->out_count < sizeof r->out / sizeof *r->out);
        snprintf(r->out[r->out_count++].text, ROW_TEXT, "%s", text);
        r->out[i].count = 0;
    }
    r->out[i].count += sign;
    if (r->out[i].count == 0)
        r->out[i] = r->out[--r->out_count];
}

static void take_out(struct run *r, struct testhost_node *n)
{
    char *rows = strdup(testhost_rows(n)), *save = NULL;
    for (char *line = strtok_r(rows, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        add_out(r, line + 2, line[0] == '+' ? 1 : -1);
    free(rows);
    testhost_forget(n);
}

static void bind_node(struct run *r, struct testhost_node *n)
{
    struct leat_input_names names;
    assert_int_equal(n->component->op->inputs(&n->ctx, n->config, &names), LEAT_OK);
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = n->config,
                                            .inputs = r->inputs,
                                            .input_count = 2,
                                            .local_time_zone = "UTC"};
    n->operator_plan.struct_size = sizeof n->operator_plan;
    if (n->component->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound) != LEAT_OK)
        fail_msg("%s", testhost_faults(n));
}

// Starts `count` instances from the saved pieces, as the runtime does it.
static void start(struct run *r, uint32_t count)
{
    const struct leat_component *c = testhost_component(r->h, "sql", LEAT_OPERATOR, "sql");
    r->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct testhost_node *n = testhost_node(r->h, c, (const char *[]){"query", r->shape->query, NULL});
        r->nodes[i] = n;
        bind_node(r, n);
        assert_int_equal(c->op->create(&n->ctx, n->bound, &n->self), LEAT_OK);
        for (uint32_t k = 0; k < r->piece_count; k++) {
            const struct piece *p = &r->pieces[k];
            struct leat_state_in in = {.version = p->state.version,
                                       .kind = p->state.kind,
                                       .instance = p->instance,
                                       .instances = p->instances,
                                       .ptr = p->state.ptr,
                                       .len = p->state.len};
            if (p->instances == count && p->instance != i)
                continue;
            if (c->op->load_state(&n->ctx, n->self, &in) != LEAT_OK)
                fail_msg("%s", testhost_faults(n));
        }
        n->open.instance = i;
        n->open.instances = count;
        n->open.restored = r->piece_count > 0;
        assert_int_equal(c->op->open(&n->ctx, n->self, &n->open), LEAT_OK);
    }
}

static void forget_pieces(struct run *r)
{
    for (uint32_t k = 0; k < r->piece_count; k++)
        testhost_state_fini(&r->pieces[k].state);
    r->piece_count = 0;
}

static void save_as(struct run *r, uint8_t kind)
{
    if (kind == LEAT_STATE_FULL)
        forget_pieces(r);
    for (uint32_t i = 0; i < r->count; i++) {
        assert_true(r->piece_count < PIECES_MAX);
        struct piece *p = &r->pieces[r->piece_count];
        *p = (struct piece){.instance = i, .instances = r->count};
        struct leat_state_out out = {.kind = kind, .core = &p->state, .epoch = 1};
        assert_int_equal(r->nodes[i]->component->op->save_state(&r->nodes[i]->ctx, r->nodes[i]->self, &out), LEAT_OK);
        p->state.version = out.version;
        p->state.kind = out.kind;
        if (out.kind == LEAT_STATE_FULL && kind == LEAT_STATE_DELTA) {
            // a whole image stands for what this instance had written before
            for (uint32_t k = 0; k < r->piece_count;)
                if (r->pieces[k].instance == i) {
                    testhost_state_fini(&r->pieces[k].state);
                    memmove(&r->pieces[k], &r->pieces[k + 1], (r->piece_count - k) * sizeof *p);
                    r->piece_count--;
                } else {
                    k++;
                }
        }
        r->piece_count++;
    }
}

static void stop(struct run *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        testhost_node_destroy(r->nodes[i]);
    r->count = 0;
}

// --- the tables

static void row_text(const struct run *r, int table, const char *kind, const struct row *row, char *text)
{
    char uid[16] = "NULL";
    if (row->uid >= 0)
        snprintf(uid, sizeof uid, "%d", row->uid);
    if (table == 0)
        snprintf(text, ROW_TEXT, "%s[%d, %s, %d]", kind, row->a, uid, row->b);
    else if (!strcmp(kind, "-D") && r->shape->sides[1].mode == LEAT_MODE_UPSERT)
        snprintf(text, ROW_TEXT, "-D[%s, ABSENT, ABSENT]", uid);
    else
        snprintf(text, ROW_TEXT, "%s[%s, %d, city%d]", kind, uid, row->a, row->b);
    if (table == 0 && !strcmp(kind, "-D") && r->shape->sides[0].mode == LEAT_MODE_UPSERT)
        snprintf(text, ROW_TEXT, "-D[%d, %s, ABSENT]", row->a, uid);
}

static void feed(struct run *r, int table, const char *rows)
{
    uint32_t input = r->input_of[table];
    struct leat_batch *b = testhost_batch(r->nodes[0], r->inputs[input].schema, rows);
    const struct leat_input_need *need = &r->nodes[0]->operator_plan.needs[input];
    uint32_t to = r->count == 1 ? 0 : (uint32_t)(rowhash(b, 0, need->partition, need->partition_count) % r->count);
    struct testhost_node *n = r->nodes[to];
    n->emit_room = 1 + dice(r, 3);
    leat_status st;
    do {
        st = n->component->op->process(&n->ctx, n->self, input, b);
        take_out(r, n);
    } while (st == LEAT_AGAIN);
    if (st != LEAT_OK)
        fail_msg("%s: %s", rows, testhost_faults(n));
    leat_batch_unref(b);
}

static int is_key(const struct run *r, const struct row *a, const struct row *b, int table)
{
    const char *key = r->shape->sides[table].key;
    return key && a->uid == b->uid && (a->a == b->a || !strcmp(key, "uid"));
}

// Puts, replaces or removes a random row.
static void change(struct run *r, int table)
{
    const struct side *side = &r->shape->sides[table];
    char text[2 * ROW_TEXT + 2];
    struct row *at = &r->tables[table][dice(r, TABLE_MAX)];
    if (side->mode == LEAT_MODE_INSERT_ONLY && at->live)
        return;
    if (at->live && dice(r, 3) == 0) {
        row_text(r, table, "-D", at, text);
        at->live = 0;
        feed(r, table, text);
        return;
    }
    struct row now = {1, (int)dice(r, 50), (int)dice(r, 40) - (side->key ? 0 : 4), (int)dice(r, 1000)};
    if (at->live && side->key) {
        now.a = at->a;
        now.uid = at->uid;
    }
    for (int i = 0; i < TABLE_MAX && !at->live; i++)
        if (r->tables[table][i].live && is_key(r, &now, &r->tables[table][i], table))
            return;
    if (now.uid < -1)
        now.uid = -1;
    if (at->live && side->mode == LEAT_MODE_ALL) {
        row_text(r, table, "-U", at, text);
        strcat(text, ";");
        row_text(r, table, "+U", &now, text + strlen(text));
    } else {
        row_text(r, table, at->live ? "+U" : "+I", &now, text);
    }
    *at = now;
    feed(r, table, text);
}

static void expect(struct run *r, const struct row *s, const struct row *u)
{
    char text[ROW_TEXT];
    if (u)
        snprintf(text, sizeof text, "[%d, %d, city%d]", s->a, s->b, u->b);
    else
        snprintf(text, sizeof text, "[%d, %d, NULL]", s->a, s->b);
    add_out(r, text, -1);
}

// Takes what should be there from what came out: nothing must be left.
static void compare(struct run *r)
{
    struct run *left = malloc(sizeof *left);
    assert_non_null(left);
    *left = *r;
    for (uint32_t i = 0; i < TABLE_MAX; i++) {
        const struct row *s = &r->tables[0][i];
        int met = 0;
        for (uint32_t k = 0; k < TABLE_MAX && s->live; k++) {
            const struct row *u = &r->tables[1][k];
            if (!u->live || s->uid < 0 || u->uid != s->uid)
                continue;
            expect(left, s, u);
            met = 1;
        }
        if (s->live && !met && r->shape->outer)
            expect(left, s, NULL);
    }
    if (left->out_count)
        fail_msg("%s: %u rows differ, one is %s, %d times", r->shape->name, left->out_count, left->out[0].text,
                 left->out[0].count);
    free(left);
}

// Rows that the state must hold: those with a join key, and kept rows that only their own deletion finds.
static void count_state(struct run *r)
{
    int64_t expected = 0, found = 0, bytes = 0, content = 0;
    for (int t = 0; t < 2; t++)
        for (uint32_t i = 0; i < TABLE_MAX; i++)
            expected += r->tables[t][i].live && r->tables[t][i].uid >= 0;
    for (uint32_t i = 0; i < r->count; i++) {
        found += testhost_metric(r->nodes[i], "leat_state_rows");
        bytes += testhost_metric(r->nodes[i], "leat_state_bytes");
        content += testhost_metric(r->nodes[i], "leat_state_row_bytes");
    }
    if (r->shape->sides[0].mode != LEAT_MODE_ALL || r->shape->sides[0].key) // equal rows are counted, not kept twice
        assert_int_equal(found, expected);
    assert_true(bytes > content && content > 0);
}

static void play(struct run *r, uint32_t changes)
{
    for (uint32_t i = 0; i < changes; i++)
        change(r, dice(r, 5) < 2);
}

static void changes_restarts_and_other_parallelisms(void **state)
{
    const struct shape *shape = *state;
    static const uint32_t widths[] = {2, 1, 3, 3, 2, 4, 1};
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->h = testhost_create();
    r->shape = shape;
    r->random = 4711;
    r->input_of[0] = strstr(shape->query, "FROM sales") ? 0 : 1;
    r->input_of[1] = !r->input_of[0];
    for (int t = 0; t < 2; t++)
        r->inputs[r->input_of[t]] =
            (struct leat_input){.schema = testhost_schema(r->h, shape->sides[t].columns, shape->sides[t].key),
                                .mode = shape->sides[t].mode,
                                .kind = LEAT_INPUT_STREAM};
    int wide = 1;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        start(r, wide ? widths[i] : 1);
        if (r->nodes[0]->operator_plan.parallel_max == 1 && r->count > 1) {
            wide = 0;
            stop(r);
            start(r, 1);
        }
        play(r, 300);
        save_as(r, LEAT_STATE_FULL);
        for (int delta = 0; delta < 3; delta++) {
            play(r, 40);
            save_as(r, LEAT_STATE_DELTA);
        }
        compare(r);
        count_state(r);
        stop(r);
    }
    assert_int_equal(wide, !strstr(shape->name, "one instance"));
    forget_pieces(r);
    assert_int_equal(atomic_load(&r->h->live_batches), 0);
    testhost_destroy(r->h);
    free(r);
}

// --- what may be shared out

static void rows_are_shared_by_what_cannot_change(void **state)
{
    static const struct {
        const char *query;
        struct side a, b;
        uint32_t parallel_max, partition; // partition: column of input 0 by which it is shared
    } cases[] = {
        {"SELECT a.x FROM a LEFT JOIN b ON a.k = b.k",
         {"k INT, x INT", NULL, LEAT_MODE_INSERT_ONLY},
         {"k INT NOT NULL, y INT", "k", LEAT_MODE_UPSERT},
         0,
         0},
        // the key of a may change with an update: its halves would come from two instances
        {"SELECT a.x FROM a LEFT JOIN b ON a.k = b.k",
         {"k INT, x INT NOT NULL", "x", LEAT_MODE_ALL},
         {"k INT NOT NULL, y INT", "k", LEAT_MODE_UPSERT},
         1,
         0},
        {"SELECT a.x FROM a JOIN b ON a.k = b.k",
         {"k INT, x INT NOT NULL", NULL, LEAT_MODE_ALL},
         {"k INT NOT NULL, y INT", "k", LEAT_MODE_UPSERT},
         1,
         0},
        // of two equalities the one that can
        {"SELECT a.x FROM a JOIN b ON a.x = b.y AND a.k = b.k",
         {"x INT, k INT NOT NULL", "k", LEAT_MODE_UPSERT},
         {"k INT, y INT", NULL, LEAT_MODE_INSERT_ONLY},
         0,
         1},
        {"SELECT a.x FROM a JOIN b ON a.k + 1 = b.k",
         {"k INT, x INT", NULL, LEAT_MODE_INSERT_ONLY},
         {"k INT, y INT", NULL, LEAT_MODE_INSERT_ONLY},
         1,
         0},
        // bytes of 0.0 and -0.0 differ
        {"SELECT a.x FROM a JOIN b ON a.k = b.k",
         {"k DOUBLE, x INT", NULL, LEAT_MODE_INSERT_ONLY},
         {"k DOUBLE, y INT", NULL, LEAT_MODE_INSERT_ONLY},
         1,
         0},
    };
    struct testhost *h = testhost_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r = {.h = h};
        r.inputs[0] = (struct leat_input){testhost_schema(h, cases[i].a.columns, cases[i].a.key), cases[i].a.mode, 1};
        r.inputs[1] = (struct leat_input){testhost_schema(h, cases[i].b.columns, cases[i].b.key), cases[i].b.mode, 1};
        struct testhost_node *n = testhost_node(h, testhost_component(h, "sql", LEAT_OPERATOR, "sql"),
                                                (const char *[]){"query", cases[i].query, NULL});
        bind_node(&r, n);
        const struct leat_operator_plan *plan = &n->operator_plan;
        if (plan->parallel_max != cases[i].parallel_max)
            fail_msg("%s: %u instances at most", cases[i].query, plan->parallel_max);
        assert_int_equal(plan->needs[0].partition_count, cases[i].parallel_max ? 0 : 1);
        assert_int_equal(plan->needs[1].partition_count, plan->needs[0].partition_count);
        if (!cases[i].parallel_max)
            assert_int_equal(plan->needs[0].partition[0], cases[i].partition);
        assert_int_equal(strstr(plan->explain, "one instance only") != NULL, plan->parallel_max == 1);
        testhost_node_destroy(n);
    }
    testhost_destroy(h);
}

static void state_that_makes_no_sense_is_refused(void **state)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->h = testhost_create();
    r->shape = &shapes[0];
    r->input_of[1] = 1;
    for (int t = 0; t < 2; t++)
        r->inputs[t] = (struct leat_input){testhost_schema(r->h, shapes[0].sides[t].columns, shapes[0].sides[t].key),
                                           shapes[0].sides[t].mode, LEAT_INPUT_STREAM};
    start(r, 1);
    struct testhost_node *n = r->nodes[0];
    const struct leat_operator_ops *op = n->component->op;
    struct leat_state_in in = {.version = 1, .kind = LEAT_STATE_FULL, .instances = 1};
    assert_int_equal(op->load_state(&n->ctx, n->self, &in), LEAT_FATAL);
    assert_string_equal(n->error.message, "the state of the join has version 1, known is 2");
    // well-formed for the map, but no row of this query
    static const uint8_t odd[] = {1 << 1, 1, 14, 3, 0, 200, 1};
    in = (struct leat_state_in){.version = 2, .kind = LEAT_STATE_FULL, .instances = 1, .ptr = odd, .len = sizeof odd};
    assert_int_equal(op->load_state(&n->ctx, n->self, &in), LEAT_OK);
    n->open.restored = 1;
    assert_int_equal(op->open(&n->ctx, n->self, &n->open), LEAT_FATAL);
    assert_string_equal(n->error.message,
                        "the saved state does not fit the join: its keys or columns are not those that it was "
                        "written for");
    stop(r);
    testhost_destroy(r->h);
    free(r);
}

int main(void)
{
    struct CMUnitTest tests[sizeof shapes / sizeof *shapes + 2];
    size_t n = 0;
    for (; n < sizeof shapes / sizeof *shapes; n++)
        tests[n] = (struct CMUnitTest){shapes[n].name, changes_restarts_and_other_parallelisms, NULL, NULL,
                                       (void *)(uintptr_t)&shapes[n]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(rows_are_shared_by_what_cannot_change);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(state_that_makes_no_sense_is_refused);
    return _cmocka_run_group_tests("join", tests, n, NULL, NULL);
}
