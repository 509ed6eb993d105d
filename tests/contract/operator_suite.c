// SPDX-License-Identifier: Apache-2.0
// What every operator must do: the same answer in one run, over a restart, and past a full way.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#include <cmocka.h>

struct run {
    const struct contract_operator *fixture;
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_operator_ops *op;
    struct leat_input inputs[2];
    char *out; // rows so far
};

static void bind_node(struct run *r)
{
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = r->n->config,
                                            .inputs = r->inputs,
                                            .input_count = r->fixture->input_count,
                                            .local_time_zone = "UTC"};
    r->n->operator_plan.struct_size = sizeof r->n->operator_plan;
    if (r->op->bind(&r->n->ctx, &request, &r->n->operator_plan, &r->n->bound) != LEAT_OK)
        fail_msg("%s", testhost_faults(r->n));
}

static void make_node(struct run *r)
{
    struct leat_input_names names;
    const struct leat_component *c = testhost_component(r->h, r->fixture->name, LEAT_OPERATOR, r->fixture->name);
    r->op = c->op;
    r->n = testhost_node(r->h, c, r->fixture->options);
    if (!r->n->config || r->op->inputs(&r->n->ctx, r->n->config, &names) != LEAT_OK)
        fail_msg("%s", testhost_faults(r->n));
    bind_node(r);
}

static void create(struct run *r)
{
    if (r->op->create(&r->n->ctx, r->n->bound, &r->n->self) != LEAT_OK)
        fail_msg("%s", testhost_faults(r->n));
}

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = testhost_create(), .out = strdup("")};
    for (uint32_t i = 0; i < r->fixture->input_count; i++) {
        const struct contract_input *in = &r->fixture->inputs[i];
        r->inputs[i] = (struct leat_input){
            .schema = testhost_schema(r->h, in->columns, in->key), .mode = in->mode, .kind = LEAT_INPUT_STREAM};
    }
    make_node(r);
}

static void end(struct run *r)
{
    testhost_node_destroy(r->n);
    assert_int_equal(atomic_load(&r->h->live_batches), 0);
    testhost_destroy(r->h);
    free(r->out);
}

static void take_output(struct run *r)
{
    const char *rows = testhost_rows(r->n);
    r->out = realloc(r->out, strlen(r->out) + strlen(rows) + 1);
    strcat(r->out, rows);
    testhost_forget(r->n);
}

static leat_status feed(struct run *r, const struct contract_rows *steps)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < 4 && steps[i].rows && st >= 0; i++) {
        struct leat_batch *b = testhost_batch(r->n, r->inputs[steps[i].input].schema, steps[i].rows);
        do {
            st = r->op->process(&r->n->ctx, r->n->self, steps[i].input, b);
            take_output(r);
        } while (st == LEAT_AGAIN);
        leat_batch_unref(b);
    }
    return st;
}

static void good(struct run *r, leat_status st)
{
    if (st != LEAT_OK)
        fail_msg("status %d: %s", (int)st, testhost_faults(r->n));
}

static leat_status save(struct run *r, uint8_t kind, struct testhost_state *state)
{
    if (!r->op->save_state)
        return LEAT_OK;
    struct leat_state_out out = {.kind = kind, .core = state, .epoch = 1};
    state->len = 0;
    leat_status st = r->op->save_state(&r->n->ctx, r->n->self, &out);
    state->version = out.version;
    state->kind = out.kind;
    return st;
}

// What comes out of an undisturbed run; the caller frees it.
static char *undisturbed(void **state)
{
    struct run r;
    begin(&r, state);
    create(&r);
    good(&r, testhost_open(r.n, CONTRACT_WAIT));
    good(&r, feed(&r, r.fixture->before));
    good(&r, feed(&r, r.fixture->after));
    char *out = strdup(r.out);
    assert_true(strlen(out) > 0);
    end(&r);
    return out;
}

// Saved in full, then the changes; a new node goes on as if nothing had happened.
static void a_restart_is_not_seen(void **state)
{
    char *expected = undisturbed(state);
    for (int deltas = 0; deltas < 2; deltas++) {
        struct run r;
        struct testhost_state full = {0}, delta = {0};
        begin(&r, state);
        create(&r);
        good(&r, testhost_open(r.n, CONTRACT_WAIT));
        if (deltas) {
            good(&r, feed(&r, (const struct contract_rows[4]){r.fixture->before[0]}));
            good(&r, save(&r, LEAT_STATE_FULL, &full));
            good(&r, feed(&r, (const struct contract_rows[4]){r.fixture->before[1], r.fixture->before[2],
                                                              r.fixture->before[3]}));
            good(&r, save(&r, LEAT_STATE_DELTA, &delta));
        } else {
            good(&r, feed(&r, r.fixture->before));
            good(&r, save(&r, LEAT_STATE_FULL, &full));
        }
        testhost_node_destroy(r.n);
        make_node(&r);
        create(&r);
        if (full.len && !(deltas && delta.kind == LEAT_STATE_FULL))
            good(&r, testhost_load_state(r.n, &full));
        if (delta.len)
            good(&r, testhost_load_state(r.n, &delta));
        good(&r, testhost_open(r.n, CONTRACT_WAIT));
        good(&r, feed(&r, r.fixture->after));
        assert_string_equal(r.out, expected);
        testhost_state_fini(&full);
        testhost_state_fini(&delta);
        end(&r);
    }
    free(expected);
}

static void a_full_way_loses_nothing(void **state)
{
    char *expected = undisturbed(state);
    struct run r;
    begin(&r, state);
    r.n->emit_room = 1;
    create(&r);
    good(&r, testhost_open(r.n, CONTRACT_WAIT));
    good(&r, feed(&r, r.fixture->before));
    good(&r, feed(&r, r.fixture->after));
    assert_string_equal(r.out, expected);
    end(&r);
    free(expected);
}

static void opens_and_closes_again(void **state)
{
    struct run r;
    begin(&r, state);
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            create(&r); // the last is bound only
        if (i == 0)
            good(&r, testhost_open(r.n, CONTRACT_WAIT));
        testhost_node_destroy(r.n);
        make_node(&r);
    }
    end(&r);
}

static void a_cut_state_is_refused(void **state)
{
    struct run r;
    struct testhost_state full = {0};
    begin(&r, state);
    create(&r);
    good(&r, testhost_open(r.n, CONTRACT_WAIT));
    good(&r, feed(&r, r.fixture->before));
    good(&r, save(&r, LEAT_STATE_FULL, &full));
    for (size_t cut = 0; cut < full.len; cut++) {
        testhost_node_destroy(r.n);
        make_node(&r);
        create(&r);
        struct testhost_state other = {.kind = full.kind, .version = full.version, .len = cut};
        other.ptr = malloc(cut ? cut : 1);
        memcpy(other.ptr, full.ptr, cut);
        leat_status st = testhost_load_state(r.n, &other); // at the border of two entries it is whole
        assert_true(st == LEAT_OK || (st < 0 && r.n->error.message[0]));
        free(other.ptr);
    }
    if (full.len) {
        full.version += 1000;
        assert_true(testhost_load_state(r.n, &full) < 0);
    }
    testhost_state_fini(&full);
    end(&r);
}

static void survives_the_lack_of_memory(void **state)
{
    for (int n = 1; n < 40; n++) {
        struct run r;
        begin(&r, state);
        create(&r);
        good(&r, testhost_open(r.n, CONTRACT_WAIT));
        struct leat_batch *b =
            testhost_batch(r.n, r.inputs[r.fixture->before[0].input].schema, r.fixture->before[0].rows);
        atomic_store(&r.h->fail_alloc, n);
        leat_status st = r.op->process(&r.n->ctx, r.n->self, r.fixture->before[0].input, b);
        atomic_store(&r.h->fail_alloc, 0);
        assert_true(st == LEAT_OK || (st < 0 && r.n->error.message[0]));
        leat_batch_unref(b);
        end(&r);
    }
}

static const char *name_of(const void *fixture)
{
    return ((const struct contract_operator *)fixture)->title;
}

int contract_run_operators(const struct contract_operator *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"a restart is not seen", a_restart_is_not_seen},
        {"a full way loses nothing", a_full_way_loses_nothing},
        {"opens and closes again", opens_and_closes_again},
        {"a cut state is refused", a_cut_state_is_refused},
        {"survives the lack of memory", survives_the_lack_of_memory},
    };
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures, name_of);
}
