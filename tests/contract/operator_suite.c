// SPDX-License-Identifier: Apache-2.0
// What every operator must do: the same answer in one run, over a restart, and past a full way.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define CALLS_MAX 10000u // of process for one batch

struct run {
    const struct contract_operator *fixture;
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_operator_ops *op;
    struct leat_input inputs[2];
    char *out; // rows so far
};

static void make_node(struct run *r)
{
    const struct contract_operator *f = r->fixture;
    struct leat_input_names names;
    r->n = contract_node(r->h, f->plugin, LEAT_OPERATOR, f->name, f->options);
    r->op = r->n->component->op;
    contract_good(r->n, "inputs", testhost_inputs(r->n, &names));
    contract_good(r->n, "bind", testhost_bind_operator(r->n, r->inputs, f->input_count));
}

static void create(struct run *r)
{
    contract_good(r->n, "create", testhost_create_bound(r->n));
}

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host(), .out = strdup("")};
    for (uint32_t i = 0; i < r->fixture->input_count; i++) {
        const struct contract_input *in = &r->fixture->inputs[i];
        r->inputs[i] = (struct leat_input){
            .schema = testhost_schema(r->h, in->columns, in->key), .mode = in->mode, .kind = LEAT_INPUT_STREAM};
    }
    make_node(r);
}

static void end(struct run *r)
{
    contract_node_end(r->n);
    contract_host_end(r->h);
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
        uint32_t calls = 0;
        do {
            contract_check(calls++ < CALLS_MAX,
                           "process answered LEAT_AGAIN %u times for one batch of %u rows: it is "
                           "never done with it, or gives it out again and again",
                           CALLS_MAX, b->rows);
            st = testhost_process(r->n, steps[i].input, b);
            take_output(r);
        } while (st == LEAT_AGAIN);
        leat_batch_unref(b);
    }
    return st;
}

static void good(struct run *r, const char *call, leat_status st)
{
    contract_good(r->n, call, st);
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
    good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
    good(&r, "process", feed(&r, r.fixture->before));
    good(&r, "process", feed(&r, r.fixture->after));
    char *out = strdup(r.out);
    contract_check(strlen(out) > 0, "nothing came out of it");
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
        good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
        if (deltas) {
            good(&r, "process", feed(&r, (const struct contract_rows[4]){r.fixture->before[0]}));
            good(&r, "save_state", save(&r, LEAT_STATE_FULL, &full));
            good(&r, "process",
                 feed(&r, (const struct contract_rows[4]){r.fixture->before[1], r.fixture->before[2],
                                                          r.fixture->before[3]}));
            good(&r, "save_state", save(&r, LEAT_STATE_DELTA, &delta));
        } else {
            good(&r, "process", feed(&r, r.fixture->before));
            good(&r, "save_state", save(&r, LEAT_STATE_FULL, &full));
        }
        testhost_node_destroy(r.n);
        make_node(&r);
        create(&r);
        if (full.len && !(deltas && delta.kind == LEAT_STATE_FULL))
            good(&r, "load_state", testhost_load_state(r.n, &full));
        if (delta.len)
            good(&r, "load_state", testhost_load_state(r.n, &delta));
        good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
        good(&r, "process", feed(&r, r.fixture->after));
        contract_same("its output after a restart", r.out, expected);
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
    good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
    good(&r, "process", feed(&r, r.fixture->before));
    good(&r, "process", feed(&r, r.fixture->after));
    contract_same("its output past a full way", r.out, expected);
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
            good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
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
    good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
    good(&r, "process", feed(&r, r.fixture->before));
    good(&r, "save_state", save(&r, LEAT_STATE_FULL, &full));
    for (size_t cut = 0; cut < full.len; cut++) {
        testhost_node_destroy(r.n);
        make_node(&r);
        create(&r);
        struct testhost_state other = {.kind = full.kind, .version = full.version, .len = cut};
        other.ptr = malloc(cut ? cut : 1);
        memcpy(other.ptr, full.ptr, cut);
        leat_status st = testhost_load_state(r.n, &other); // at the border of two entries it is whole
        contract_harmless(r.n, "load_state", st);
        free(other.ptr);
    }
    if (full.len) {
        full.version += 1000;
        contract_check(testhost_load_state(r.n, &full) < 0, "load_state took a state of a version that it never wrote");
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
        good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
        struct leat_batch *b =
            testhost_batch(r.n, r.inputs[r.fixture->before[0].input].schema, r.fixture->before[0].rows);
        atomic_store(&r.h->fail_alloc, n);
        leat_status st = testhost_process(r.n, r.fixture->before[0].input, b);
        atomic_store(&r.h->fail_alloc, 0);
        contract_harmless(r.n, "with little memory, process", st);
        leat_batch_unref(b);
        end(&r);
    }
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
    for (uint32_t i = 0; i < count; i++)
        contract_covers("life", LEAT_OPERATOR, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
