// SPDX-License-Identifier: Apache-2.0
// Graphs, data and events made at random from a seed, and what must hold in all of them:
//
// - at every barrier the tables of the sinks are what the histories of the sources mean at the positions saved with it;
// - where a reader consolidates, no position lies inside a transaction;
// - after a clean stop nothing was given that the next start gives again; after a crash nothing is lost;
// - what was given comes out without a barrier's help, the rows of a key in their order, and nothing is left on the way;
// - a dimension that is asked for its end is read up to where it was when a row of the other side was given;
// - every question to a lookup has its own answer, once.
//
// Some seeds are fixed, and each run tries a few more. A failure prints its seed; LEAT_SEED=n runs one alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fake_control.h"
#include "model.h"

#include "base/time.h"
#include "runtime/runtime_int.h"

#include <cmocka.h>

#define SEEDS   100
#define FURTHER 20
#define SINKS   3
#define HANG    (20 * BASE_SECOND)

struct world {
    struct fake_control control;
    uint64_t seed;
    struct model_dice dice;
    enum model_shape shape;
    uint32_t source_count, sink_count, copies; // how often each row reaches a sink
    struct model_source sources[MODEL_SOURCES];
    struct model_sink sinks[SINKS];
    bool upserts;        // -U are dropped on the way: nothing can be consolidated behind
    bool counted[SINKS]; // every row comes: nothing is consolidated
    struct model_meet meet;
    struct model_lookup lookup;
    uint32_t chain[8]; // decisions about the graph, the same at each start
    size_t channel_bytes;

    struct plan_job *plan;
    struct runtime_job *job;
    int passed;
    leat_epoch epoch;      // the last one begun
    leat_epoch checkpoint; // the last one that passed
    bool crashed;          // rows may have come again

    // saved positions: of the epoch under way, and of the checkpoint; -1 = none
    int64_t coming[MODEL_SOURCES][MODEL_INSTANCES], saved[MODEL_SOURCES][MODEL_INSTANCES];
};

// The graph of a failure, for who looks for its cause.
static void describe(const struct world *w)
{
    static const char *const shapes[] = {"appends", "updates", "moves"}, *const shares[] = {"forward", "hash", "turns"},
                             *const adapts[] = {"as it is", "without -U", "consolidated"};
    print_error("%s, channels of %zu bytes\n", shapes[w->shape], w->channel_bytes);
    print_error("%d barriers passed of %llu, %s", w->passed, (unsigned long long)w->epoch,
                w->job ? "running" : "stopped");
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++)
            print_error(", s%u/%u at %u of %u", i, k, atomic_load(&w->sources[i].given[k]),
                        w->sources[i].histories[k].count);
    for (uint32_t i = 0; i < w->sink_count; i++)
        print_error(", %u rows", w->sinks[i].rows);
    print_error("\n");
    for (uint32_t i = 0; w->plan && i < w->plan->edge_count; i++) {
        const struct plan_edge *e = w->plan->edges[i];
        print_error("  %s x %u -> %s x %u: %s%s%s%s, %s\n", e->from->name, e->from->parallelism, e->to->name,
                    e->to->parallelism, e->lookup ? "asked" : shares[e->share], e->chained ? ", chained" : "",
                    e->wait_first ? ", read first" : "", e->wait_always ? " and always" : "", adapts[e->adapt]);
    }
}

#define CHECK(w, what)                                                                                                 \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            print_error("seed %llu: %s\n", (unsigned long long)(w)->seed, #what);                                      \
            describe(w);                                                                                               \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

// --- what the job tells

static void on_failed(void *arg, const struct base_error *error)
{
    struct world *w = arg;
    w->control.failed++;
    print_error("seed %llu: %s\n", (unsigned long long)w->seed, error->message);
}

static void on_passed(void *arg, leat_epoch epoch)
{
    struct world *w = arg;
    w->passed++;
    w->checkpoint = epoch;
    memcpy(w->saved, w->coming, sizeof w->saved);
}

static void on_saved(void *arg, leat_epoch epoch, struct runtime_saved *saved)
{
    struct world *w = arg;
    uint32_t position;
    if (saved->kind) {
        memcpy(&position, saved->bytes, sizeof position);
        w->coming[saved->node->name[1] - '0'][saved->instance] = position;
    }
    free(saved->bytes);
}

// --- the world of a seed

static void make_sources(struct world *w)
{
    struct model_dice *d = &w->dice;
    uint32_t values = 0;
    for (uint32_t i = 0; i < w->source_count; i++) {
        struct model_source *s = &w->sources[i];
        s->instances = 1 + model_roll(d, MODEL_INSTANCES);
        s->seed = d->state;
        s->bounded = model_roll(d, 2);
        s->most_rows = 1 + model_roll(d, 40);
        s->catches_up_at = model_roll(d, 100);
        for (uint32_t k = 0; k < s->instances; k++) {
            struct model_history *h = &s->histories[k];
            model_history_make(h, d, w->shape, i, k, 10 + model_roll(d, 60));
            values += model_history_rows(h, h->count);
            if (s->catches_up_at > h->count)
                s->catches_up_at = h->count;
        }
    }
    for (uint32_t i = 0; i < w->sink_count; i++) {
        model_sink_init(&w->sinks[i], values * MODEL_INSTANCES * MODEL_SOURCES);
        w->sinks[i].shape = w->shape;
        w->sinks[i].seed = d->state + i;
    }
}

static struct world *world_create(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    w->seed = seed;
    w->dice.state = seed * 1000003;
    w->shape = (enum model_shape)model_roll(&w->dice, 3);
    w->source_count = 1 + model_roll(&w->dice, MODEL_SOURCES);
    w->sink_count = 1 + model_roll(&w->dice, SINKS);
    make_sources(w);
    for (uint32_t i = 0; i < sizeof w->chain / sizeof w->chain[0]; i++)
        w->chain[i] = model_roll(&w->dice, 1 << 20);
    memset(w->saved, 0xff, sizeof w->saved);
    w->lookup.seed = seed;
    w->channel_bytes = 3000 + model_roll(&w->dice, model_roll(&w->dice, 2) ? 5000 : 100000);
    uint32_t workers = 1 + model_roll(&w->dice, 3);
    fake_control_open(&w->control, (struct runtime_options){.workers = workers, .channel_bytes = w->channel_bytes});
    w->control.events.saved = on_saved;
    w->control.events.passed = on_passed;
    w->control.events.failed = on_failed;
    return w;
}

static void world_destroy(struct world *w)
{
    fake_control_close(&w->control);
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++)
            model_history_fini(&w->sources[i].histories[k]);
    for (uint32_t i = 0; i < w->sink_count; i++)
        model_sink_fini(&w->sinks[i]);
    free(w);
}

// --- its graph: source - pass - … - [meet] - pass - sinks

// Whoever reads rows by key may have any width; rows that belong to one transaction and are consolidated later keep to
// one way.
static struct plan_node *add_pass(struct world *w, struct plan_node *from, const char *name, uint32_t decision)
{
    uint32_t wide = from->parallelism;
    enum plan_share share = PLAN_FORWARD;
    if (decision % 4 == 0)
        wide = 1;
    else if (decision % 4 == 1 && w->shape != MODEL_MOVES) {
        wide = 1 + decision / 4 % MODEL_INSTANCES;
        share = wide == 1 ? PLAN_FORWARD : w->shape == MODEL_APPENDS && decision % 8 == 1 ? PLAN_REBALANCE : PLAN_HASH;
    }
    struct plan_node *pass = fake_node(w->plan, name, &model_pass, NULL, wide);
    struct plan_edge *e = fake_edge(w->plan, from, pass, 0, share);
    e->chained = share == PLAN_FORWARD && wide == from->parallelism && decision / 64 % 3;
    if (w->shape == MODEL_UPDATES && decision / 16 % 4 == 0) {
        e->adapt = PLAN_ADAPT_DROP_BEFORE;
        w->upserts = true;
    }
    return pass;
}

static struct plan_node *add_ask(struct world *w, struct plan_node *from, uint32_t decision)
{
    struct plan_node *ask = fake_node(w->plan, "ask", &model_ask, &w->lookup, from->parallelism);
    struct plan_node *lookup = fake_node(w->plan, "lookup", &model_lookup, &w->lookup, from->parallelism);
    fake_edge(w->plan, from, ask, 0, PLAN_FORWARD)->chained = decision % 2;
    fake_edge(w->plan, lookup, ask, 1, PLAN_FORWARD)->lookup = 1;
    return ask;
}

static struct plan_node *add_meet(struct world *w, struct plan_node *first, struct plan_node *second, uint32_t wide)
{
    struct plan_node *meet = fake_node(w->plan, "meet", &model_meet, &w->meet, wide);
    fake_edge(w->plan, first, meet, 0, wide > 1 ? PLAN_HASH : PLAN_FORWARD);
    fake_edge(w->plan, second, meet, 1, wide > 1 ? PLAN_HASH : PLAN_FORWARD);
    return meet;
}

// The second input is a dimension that is read up to its end of the moment, always anew.
static void wait_always(struct world *w, struct plan_node *meet, struct plan_node *source)
{
    struct model_source *s = &w->sources[1];
    source->catch_up = 1;
    meet->inputs[1]->wait_first = meet->inputs[1]->wait_always = 1;
    w->meet.always = meet->parallelism == 1; // else no instance sees all
    w->meet.base = 0;
    for (uint32_t k = 0; k < s->instances; k++) {
        w->meet.base += w->saved[1][k] < 0 ? 0 : (uint32_t)w->saved[1][k];
        if (w->saved[1][k] > (int64_t)atomic_load(&s->committed[k]))
            atomic_store(&s->committed[k], (uint32_t)w->saved[1][k]);
    }
    s->paced = true;
    w->sources[0].dimension = s;
}

static void gate(struct world *w, struct plan_node *meet, struct plan_node *source)
{
    struct model_source *s = &w->sources[1];
    source->catch_up = 1;
    meet->inputs[1]->wait_first = 1;
    w->meet.gated = true;
    atomic_store(&w->meet.first_seen, 0);
    w->meet.first = 0;
    for (uint32_t k = 0; k < s->instances && !w->upserts; k++) { // else some of these rows are dropped
        uint32_t at = w->saved[1][k] < 0 ? 0 : (uint32_t)w->saved[1][k];
        w->meet.first += s->catches_up_at > at ? s->catches_up_at - at : 0;
    }
}

static void add_sink(struct world *w, struct plan_node *from, uint32_t i)
{
    static const char *const names[SINKS] = {"sink-a", "sink-b", "sink-c"};
    uint32_t decision = w->chain[5 + i % 3] >> (4 * i);
    uint32_t wide = decision % 3 == 0 ? from->parallelism : 1 + decision / 3 % MODEL_INSTANCES;
    enum plan_share share = wide == 1 || (decision % 3 == 0 && decision / 16 % 2) ? PLAN_FORWARD : PLAN_HASH;
    struct plan_node *sink = fake_node(w->plan, names[i], &model_sink, &w->sinks[i], wide);
    struct plan_edge *e = fake_edge(w->plan, from, sink, 0, share);
    e->chained = share == PLAN_FORWARD && wide == from->parallelism && decision / 32 % 3;
    w->sinks[i].instances = wide;
    uint32_t adapt = decision / 64 % 3;
    if (w->shape == MODEL_MOVES || (adapt == 0 && !w->upserts))
        e->adapt = PLAN_ADAPT_CONSOLIDATE;
    else if (w->shape == MODEL_UPDATES && adapt == 1)
        e->adapt = PLAN_ADAPT_DROP_BEFORE;
    if (e->adapt == PLAN_ADAPT_CONSOLIDATE)
        w->plan->consolidates = 1;
    // what is consolidated across transactions may tell an older row again, and two ways have no common order
    w->sinks[i].in_order = e->adapt != PLAN_ADAPT_CONSOLIDATE && w->copies == 1;
    w->counted[i] = e->adapt != PLAN_ADAPT_CONSOLIDATE || (w->shape == MODEL_APPENDS && w->copies == 1);
}

static void make_plan(struct world *w)
{
    static const char *const sources[] = {"s0", "s1"}, *const passes[] = {"pass-0", "pass-1"};
    struct plan_node *ends[MODEL_SOURCES] = {NULL}, *heads[MODEL_SOURCES] = {NULL};
    w->plan = fake_plan();
    w->copies = 1;
    w->upserts = false;
    for (uint32_t i = 0; i < w->source_count; i++) {
        heads[i] = fake_node(w->plan, sources[i], &model_source, &w->sources[i], w->sources[i].instances);
        ends[i] = w->chain[i] % 3 ? add_pass(w, heads[i], passes[i], w->chain[i] / 3) : heads[i];
        if (i == 0 && w->chain[2] / 8 % 3 == 0)
            ends[i] = add_ask(w, ends[i], w->chain[2] / 24);
    }
    struct plan_node *last = ends[0];
    if (w->source_count == 2) {
        bool always = w->chain[2] % 4 == 0;
        uint32_t wide = always && w->shape == MODEL_UPDATES ? 1 + w->chain[3] % MODEL_INSTANCES : 1;
        last = add_meet(w, ends[0], always ? heads[1] : ends[1], wide);
        if (always)
            wait_always(w, last, heads[1]);
        else if (w->chain[2] % 2)
            gate(w, last, heads[1]);
    } else if (w->shape == MODEL_APPENDS && w->chain[2] % 3 == 0) {
        // the same rows come together again, by two ways
        last = add_meet(w, ends[0], add_pass(w, ends[0], "detour", w->chain[3]), 1);
        w->copies = 2;
    }
    if (w->chain[4] % 2 == 0 && w->chain[3] / 8 % 3 == 0 && w->chain[2] / 8 % 3)
        last = add_ask(w, last, w->chain[3] / 24);
    if (w->chain[4] % 2)
        last = add_pass(w, last, "pass", w->chain[4] / 2);
    for (uint32_t i = 0; i < w->plan->node_count; i++)
        w->plan->nodes[i]->outputs[0].mode = LEAT_MODE_ALL;
    for (uint32_t i = 0; i < w->sink_count; i++)
        add_sink(w, last, i);
}

// --- runs

static void turn_until(struct world *w, const int *flag, int count)
{
    int64_t end = base_time_mono() + HANG;
    while (*flag < count) {
        CHECK(w, !w->control.failed);
        CHECK(w, base_time_mono() < end);
        loop_turn(w->control.loop, true);
    }
}

static void turn_for(struct world *w, leat_usec usec)
{
    for (int64_t end = base_time_mono() + usec; base_time_mono() < end;)
        loop_turn(w->control.loop, false);
}

static void start(struct world *w)
{
    struct runtime_piece pieces[MODEL_SOURCES * MODEL_INSTANCES];
    uint32_t positions[MODEL_SOURCES * MODEL_INSTANCES], n = 0;
    static const char *const names[] = {"s0", "s1"};
    struct base_error error;
    w->control.opened = w->control.finished = w->control.stopped = w->passed = 0;
    memcpy(w->coming, w->saved, sizeof w->coming);
    atomic_store(&w->meet.first_seen, 0);
    make_plan(w);
    for (uint32_t i = 0; i < w->sink_count; i++)
        model_sink_start(&w->sinks[i]);
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++) {
            if (w->saved[i][k] < 0)
                continue;
            positions[n] = (uint32_t)w->saved[i][k];
            pieces[n] = (struct runtime_piece){
                names[i], {1, LEAT_STATE_FULL, k, w->sources[i].instances, (const uint8_t *)&positions[n], 4}, 0, NULL};
            n++;
        }
    w->job = runtime_job_start(w->control.runtime,
                               &(struct runtime_job_options){.plan = w->plan,
                                                             .events = &w->control.events,
                                                             .pieces = pieces,
                                                             .piece_count = n,
                                                             .transaction_memory = w->chain[7] % 2 ? 10000 : 0},
                               &error);
    assert_non_null(w->job);
    turn_until(w, &w->control.opened, 1); // pieces are borrowed until then
}

static void stop(struct world *w)
{
    runtime_job_stop(w->job);
    turn_until(w, &w->control.stopped, 1);
    runtime_job_destroy(w->job);
    w->job = NULL;
    fake_plan_destroy(w->plan);
}

// --- what must hold

static void mean(const struct world *w, bool all, int64_t table[MODEL_KEYS_ALL])
{
    memset(table, 0xff, MODEL_KEYS_ALL * sizeof *table);
    for (uint32_t i = 0; i < w->source_count && w->shape != MODEL_APPENDS; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++) {
            const struct model_history *h = &w->sources[i].histories[k];
            model_history_apply(h, all ? h->count : (uint32_t)w->saved[i][k], table);
        }
}

static void check_taken(struct world *w, const struct model_sink *s, bool every)
{
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++) {
            const struct model_history *h = &w->sources[i].histories[k];
            for (uint32_t n = 0; n < h->count; n++) {
                const struct model_change *x = &h->changes[n];
                if (x->kind != LEAT_INSERT && x->kind != LEAT_UPDATE_AFTER)
                    continue;
                uint32_t times = s->taken[x->value], due = n < w->saved[i][k] ? w->copies : 0;
                CHECK(w, times >= due || !every);
                CHECK(w, times <= due || w->crashed);
            }
        }
}

// The last barrier has passed everything: nothing may lie behind it.
static void check_ways_empty(struct world *w)
{
    for (int64_t end = base_time_mono() + HANG;;) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < w->job->task_count; i++)
            for (uint32_t k = 0; k < w->job->tasks[i]->input_count; k++)
                left += (uint32_t)atomic_load(&w->job->tasks[i]->inputs[k]->channel.depth);
        if (left == 0)
            return;
        CHECK(w, base_time_mono() < end); // the end of an input may still be on its way
        loop_turn(w->control.loop, true);
    }
}

static void check_always(struct world *w)
{
    CHECK(w, atomic_load(&w->meet.unread) == 0);
    CHECK(w, atomic_load(&w->lookup.wrong) == 0);
    for (uint32_t i = 0; i < w->sink_count; i++)
        CHECK(w, w->sinks[i].late == 0);
}

// Nothing has come since the checkpoint.
static void check_stopped(struct world *w)
{
    for (uint32_t i = 0; i < w->sink_count; i++)
        check_taken(w, &w->sinks[i], w->counted[i]);
}

// The sinks' tables at the checkpoint.
static void check_checkpoint(struct world *w)
{
    int64_t table[MODEL_KEYS_ALL];
    if (w->plan->consolidates)
        for (uint32_t i = 0; i < w->source_count; i++)
            CHECK(w, atomic_load(&w->sources[i].split) == 0);
    if (w->shape != MODEL_APPENDS && !w->crashed) {
        mean(w, false, table);
        for (uint32_t i = 0; i < w->sink_count; i++) {
            CHECK(w, w->sinks[i].twice == 0);
            CHECK(w, memcmp(table, w->sinks[i].at[w->checkpoint], sizeof table) == 0);
        }
    }
}

static void barrier(struct world *w, bool last)
{
    int passed = w->passed;
    w->epoch++;
    if (last)
        runtime_job_end_with(w->job, w->epoch);
    runtime_job_barrier(w->job, w->epoch, NULL);
    turn_until(w, &w->passed, passed + 1);
    check_checkpoint(w);
}

static bool all_there(struct world *w, const int64_t table[MODEL_KEYS_ALL])
{
    uint32_t rows = 0;
    bool there = true;
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++) {
            const struct model_history *h = &w->sources[i].histories[k];
            rows += model_history_rows(h, h->count);
            there = there && atomic_load(&w->sources[i].given[k]) == h->count;
        }
    for (uint32_t i = 0; i < w->sink_count && there; i++) {
        struct model_sink *s = &w->sinks[i];
        pthread_mutex_lock(&s->lock);
        for (uint32_t k = 0; k < MODEL_KEYS_ALL && there && w->shape != MODEL_APPENDS; k++)
            there = s->table[k].value == table[k];
        if (w->counted[i])
            there = there && s->rows >= rows * w->copies;
        pthread_mutex_unlock(&s->lock);
    }
    return there;
}

static void run_to_the_end(struct world *w)
{
    int64_t table[MODEL_KEYS_ALL], end = base_time_mono() + HANG;
    mean(w, true, table);
    while (!all_there(w, table)) {
        CHECK(w, base_time_mono() < end);
        CHECK(w, !w->control.failed);
        loop_turn(w->control.loop, true);
    }
    CHECK(w, atomic_load(&w->meet.early) == 0);
    bool bounded = true;
    for (uint32_t i = 0; i < w->source_count; i++)
        bounded = bounded && w->sources[i].bounded;
    if (bounded)
        turn_until(w, &w->control.finished, 1);
    while (runtime_job_gated(w->job)) {
        CHECK(w, base_time_mono() < end);
        loop_turn(w->control.loop, true);
    }
    barrier(w, true);
    check_ways_empty(w);
    stop(w);
    check_always(w);
    mean(w, true, table);
    for (uint32_t i = 0; i < w->source_count; i++)
        for (uint32_t k = 0; k < w->sources[i].instances; k++)
            CHECK(w, w->saved[i][k] == w->sources[i].histories[k].count);
    CHECK(w, all_there(w, table));
}

// Barriers, then an end of some kind. False: that was the last run.
static bool run_once(struct world *w)
{
    start(w);
    for (uint32_t i = model_roll(&w->dice, 4); i && w->epoch < MODEL_EPOCHS - 4; i--) {
        turn_for(w, model_roll(&w->dice, 2) ? model_roll(&w->dice, 1500) : 0);
        if (!runtime_job_gated(w->job))
            barrier(w, false);
    }
    turn_for(w, model_roll(&w->dice, 2) ? model_roll(&w->dice, 2000) : 0);
    uint32_t end = model_roll(&w->dice, 6);
    if (end < 3 && !runtime_job_gated(w->job)) {
        barrier(w, true);
        turn_for(w, model_roll(&w->dice, 500)); // nothing more may come now
        check_ways_empty(w);
        stop(w);
        check_stopped(w);
        check_always(w);
        return true;
    }
    if (end == 3) {
        // dies, perhaps with a barrier on its way
        if (model_roll(&w->dice, 2) && !runtime_job_gated(w->job))
            runtime_job_barrier(w->job, ++w->epoch, NULL);
        turn_for(w, model_roll(&w->dice, 300));
        stop(w);
        w->crashed = true;
        return true;
    }
    run_to_the_end(w);
    return false;
}

static void run_seed(uint64_t seed)
{
    struct world *w = world_create(seed);
    for (int runs = 0; runs < 6 && run_once(w); runs++)
        ;
    world_destroy(w);
}

static void known_seeds(void **state)
{
    if (getenv("LEAT_SEED"))
        return;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed);
}

static void further_seeds(void **state)
{
    if (getenv("LEAT_SEED"))
        return;
    uint64_t first = (uint64_t)base_time_wall() % 1000000000;
    for (uint64_t seed = first; seed < first + FURTHER; seed++)
        run_seed(seed);
}

static void the_seed_asked_for(void **state)
{
    const char *asked = getenv("LEAT_SEED");
    if (asked)
        run_seed(strtoull(asked, NULL, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_asked_for),
        cmocka_unit_test(known_seeds),
        cmocka_unit_test(further_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
