// SPDX-License-Identifier: Apache-2.0
// Jobs of fake components on real workers: nothing lost, nothing twice, snapshots that agree, failures told once.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fake_control.h"

#include "base/time.h"

#include <cmocka.h>

struct world {
    struct fake_control control;
    struct plan_job *plan;
    struct runtime_job *job;
    // what was told
    int passed;
    leat_epoch last_passed;
    struct saved {
        char node[32];
        uint32_t instance, instances, version;
        uint8_t kind;
        int64_t count;
    } saved[16];
    uint32_t saved_count;
};

static void on_passed(void *arg, leat_epoch epoch)
{
    struct world *w = arg;
    w->passed++;
    w->last_passed = epoch;
}

static void on_saved(void *arg, leat_epoch epoch, struct runtime_saved *saved)
{
    struct world *w = arg;
    if (saved->kind && w->saved_count < 16) {
        struct saved *s = &w->saved[w->saved_count++];
        snprintf(s->node, sizeof s->node, "%s", saved->node->name);
        s->instance = saved->instance;
        s->instances = saved->node->parallelism;
        s->version = saved->version;
        s->kind = saved->kind;
        memcpy(&s->count, saved->bytes, sizeof s->count);
    }
    free(saved->bytes);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fake_control_open(&w->control,
                      (struct runtime_options){.workers = 3, .stall_warning = 1000000, .channel_bytes = 100000});
    w->control.events.saved = on_saved;
    w->control.events.passed = on_passed;
    w->plan = fake_plan();
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    runtime_job_destroy(w->job);
    fake_plan_destroy(w->plan);
    fake_control_close(&w->control);
    free(w);
    return 0;
}

static void until(struct world *w, const int *told, int count)
{
    assert_true(fake_control_until(&w->control, told, count, NULL));
}

static void start(struct world *w, const struct runtime_piece *pieces, uint32_t count)
{
    struct base_error error;
    w->job = runtime_job_start(w->control.runtime,
                               &(struct runtime_job_options){.plan = w->plan,
                                                             .events = &w->control.events,
                                                             .pieces = pieces,
                                                             .piece_count = count,
                                                             .first_run = count == 0,
                                                             .data_dir = "/tmp"},
                               &error);
    assert_non_null(w->job);
}

static void stop(struct world *w)
{
    runtime_job_stop(w->job);
    until(w, &w->control.stopped, 1);
}

static void barrier(struct world *w, leat_epoch epoch)
{
    int passed = w->passed;
    until(w, &w->control.opened, 1); // rows may have come through before the news that the job is open
    runtime_job_barrier(w->job, epoch, NULL);
    until(w, &w->passed, passed + 1);
    assert_int_equal(w->last_passed, epoch);
}

// --- the way of the rows

static void a_chain_gives_every_row_once(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 50000, .batch_rows = 100, .slow_open = true};
    struct fake_sink_config sink = {.again_every = 7, .slow_flush = true};
    fake_sink_init(&sink, 50000);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 1);
    struct plan_node *o = fake_node(w->plan, "pass", &fake_pass, NULL, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, o, 0, PLAN_FORWARD)->chained = 1;
    fake_edge(w->plan, o, k, 0, PLAN_FORWARD)->chained = 1;
    start(w, NULL, 0);
    until(w, &w->control.finished, 1);
    assert_int_equal(w->control.opened, 1);
    assert_true(fake_sink_complete(&sink, 50000, 1, 1));
    assert_true(atomic_load(&sink.flushes) >= 1); // durable before it says so
    stop(w);
    assert_int_equal(atomic_load(&source.closed), 1);
    assert_int_equal(w->control.failed, 0);
    fake_sink_fini(&sink);
}

static void channels_hash_rows_among_instances(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 40000, .batch_rows = 64};
    struct fake_sink_config sink = {.again_every = 50};
    struct fake_record passed = {.lock = PTHREAD_MUTEX_INITIALIZER};
    fake_sink_init(&sink, 40000);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 2);
    struct plan_node *o = fake_node(w->plan, "pass", &fake_pass, &passed, 3);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 2);
    fake_edge(w->plan, s, o, 0, PLAN_REBALANCE);
    fake_edge(w->plan, o, k, 0, PLAN_HASH);
    start(w, NULL, 0);
    until(w, &w->control.opened, 1);
    for (leat_epoch e = 1; e <= 20 && !w->control.finished; e++)
        barrier(w, e);
    until(w, &w->control.finished, 1);
    barrier(w, 21);
    assert_true(fake_sink_complete(&sink, 40000, 1, 1));
    // in each snapshot what the sources gave is what the operator passed and the sinks got
    for (leat_epoch e = 1; e <= 21; e++) {
        assert_int_equal(source.at.by_epoch[e], passed.by_epoch[e]);
        assert_int_equal(source.at.by_epoch[e], sink.at.by_epoch[e]);
    }
    assert_int_equal(sink.at.by_epoch[21], 40000);
    stop(w);
    fake_sink_fini(&sink);
}

static void one_output_feeds_several_readers(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 30000, .batch_rows = 100};
    struct fake_sink_config sinks[3] = {{.again_every = 3}, {0}, {0}};
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 1);
    static const char *const names[3] = {"chained", "hashed", "single"};
    for (uint32_t i = 0; i < 3; i++) {
        fake_sink_init(&sinks[i], 30000);
        struct plan_node *k = fake_node(w->plan, names[i], &fake_sink, &sinks[i], i == 1 ? 2 : 1);
        fake_edge(w->plan, s, k, 0, i == 1 ? PLAN_HASH : PLAN_FORWARD)->chained = i == 0;
    }
    start(w, NULL, 0);
    until(w, &w->control.finished, 1);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(fake_sink_complete(&sinks[i], 30000, 1, 1));
    stop(w);
    for (uint32_t i = 0; i < 3; i++)
        fake_sink_fini(&sinks[i]);
}

static void a_stuck_sink_stops_the_source(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 10000000, .batch_rows = 100};
    struct fake_sink_config sink = {.is_stuck = true};
    fake_sink_init(&sink, 1);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    start(w, NULL, 0);
    until(w, &w->control.opened, 1);
    struct runtime_node_view views[4];
    uint64_t before = 0, now = 1;
    for (int i = 0; i < 100 && now != before; i++) {
        before = now;
        for (int64_t end = base_time_mono() + 50000; base_time_mono() < end;)
            loop_turn(w->control.loop, false);
        assert_int_equal(runtime_job_view(w->job, views, 4), 2);
        now = views[0].rows_out;
    }
    assert_int_equal(now, before);
    assert_in_range(now, 1, 20000); // the channel holds 100 kB
    assert_in_range(views[1].refuses_since, 1, base_time_mono());
    assert_int_equal(views[0].refuses_since, 0);
    stop(w);
    fake_sink_fini(&sink);
}

static void a_dimension_is_read_before_the_rows_that_ask_it(void **state)
{
    struct world *w = *state;
    struct fake_source_config fast = {.count = 5000, .batch_rows = 100};
    struct fake_source_config dimension = {
        .count = 20000, .batch_rows = 10, .slow_open = true, .catches_up = true, .endless = true};
    struct fake_gate_config gate = {.first = 20000};
    struct fake_sink_config sink = {0};
    fake_sink_init(&sink, 5000);
    struct plan_node *s = fake_node(w->plan, "fast", &fake_source, &fast, 1);
    struct plan_node *d = fake_node(w->plan, "dimension", &fake_source, &dimension, 1);
    struct plan_node *g = fake_node(w->plan, "gate", &fake_gate, &gate, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, g, 0, PLAN_FORWARD);
    fake_edge(w->plan, d, g, 1, PLAN_FORWARD)->wait_first = 1;
    fake_edge(w->plan, g, k, 0, PLAN_FORWARD)->chained = 1;
    start(w, NULL, 0);
    assert_true(runtime_job_gated(w->job));
    until(w, &w->control.opened, 1);
    for (int64_t end = base_time_mono() + 20 * 1000000; fake_sink_rows(&sink) < 5000;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control.loop, false);
    }
    assert_int_equal(atomic_load(&gate.early), 0);
    assert_false(runtime_job_gated(w->job));
    barrier(w, 1);
    assert_int_equal(w->control.finished, 0); // the dimension has no end
    stop(w);
    fake_sink_fini(&sink);
}

static void a_dimension_that_ends_opens_the_gate_too(void **state)
{
    struct world *w = *state;
    struct fake_source_config fast = {.count = 1000, .batch_rows = 100}, dimension = {.count = 3000, .batch_rows = 10};
    struct fake_gate_config gate = {.first = 3000};
    struct fake_sink_config sink = {0};
    fake_sink_init(&sink, 1000);
    struct plan_node *s = fake_node(w->plan, "fast", &fake_source, &fast, 1);
    struct plan_node *d = fake_node(w->plan, "dimension", &fake_source, &dimension, 1);
    struct plan_node *g = fake_node(w->plan, "gate", &fake_gate, &gate, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, g, 0, PLAN_FORWARD);
    fake_edge(w->plan, d, g, 1, PLAN_FORWARD)->wait_first = 1;
    fake_edge(w->plan, g, k, 0, PLAN_FORWARD)->chained = 1;
    start(w, NULL, 0);
    until(w, &w->control.finished, 1);
    assert_int_equal(atomic_load(&gate.early), 0);
    assert_int_equal(atomic_load(&gate.ends), 2);
    assert_true(fake_sink_complete(&sink, 1000, 1, 1));
    stop(w);
    fake_sink_fini(&sink);
}

// --- transactions

static void run_transactions(struct world *w, struct fake_source_config *source, bool swallow, uint32_t sinks,
                             int64_t expected)
{
    struct fake_sink_config sink = {0};
    fake_sink_init(&sink, source->count);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, source, 1);
    struct plan_node *o = swallow ? fake_node(w->plan, "swallow", &fake_swallow, NULL, 1) : s;
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, sinks);
    if (swallow)
        fake_edge(w->plan, s, o, 0, PLAN_FORWARD)->chained = 1;
    fake_edge(w->plan, o, k, 0, sinks > 1 ? PLAN_HASH : PLAN_FORWARD)->adapt = PLAN_ADAPT_CONSOLIDATE;
    w->plan->consolidates = 1;
    start(w, NULL, 0);
    until(w, &w->control.opened, 1);
    for (int64_t end = base_time_mono() + 10 * 1000000; fake_sink_rows(&sink) < expected;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control.loop, false);
    }
    barrier(w, 1);
    assert_int_equal(sink.at.by_epoch[1], expected);
    stop(w);
    fake_sink_fini(&sink);
}

// What is held until the transaction is complete must come out when its end brings no row.
static void an_empty_batch_ends_a_transaction(void **state)
{
    struct fake_source_config source = {
        .count = 1000, .batch_rows = 10, .txn_rows = 1000, .last_txn_lost = true, .endless = true};
    run_transactions(*state, &source, false, 1, 1000);
}

static void the_end_reaches_instances_that_got_no_row_of_it(void **state)
{
    struct fake_source_config source = {.count = 1001, .batch_rows = 10, .txn_rows = 1001, .endless = true};
    run_transactions(*state, &source, false, 3, 1001);
}

static void an_end_that_an_operator_swallows_is_told(void **state)
{
    struct fake_source_config source = {.count = 1000, .batch_rows = 10, .txn_rows = 500, .endless = true};
    run_transactions(*state, &source, true, 2, 980); // the last ten rows of each transaction are gone
}

// --- state

static void state_is_given_back_to_its_instance(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 1000, .batch_rows = 10};
    struct fake_sink_config sink = {0};
    fake_sink_init(&sink, 1000);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 2);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    int64_t done[2] = {400, 500}, received = 900;
    struct runtime_piece pieces[3] = {
        {"source", {1, LEAT_STATE_FULL, 0, 2, (const uint8_t *)&done[0], sizeof done[0]}, 0, NULL},
        {"source", {1, LEAT_STATE_FULL, 1, 2, (const uint8_t *)&done[1], sizeof done[1]}, 0, NULL},
        {"sink", {1, LEAT_STATE_FULL, 0, 1, (const uint8_t *)&received, sizeof received}, 0, NULL},
    };
    start(w, pieces, 3);
    until(w, &w->control.finished, 1);
    assert_int_equal(fake_sink_rows(&sink), 100); // even numbers from 800
    assert_int_equal(sink.seen[800], 1);
    assert_int_equal(sink.seen[798], 0);
    assert_int_equal(sink.seen[801], 0);
    barrier(w, 7);
    assert_int_equal(w->saved_count, 3);
    int64_t sum = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(w->saved[i].version, 1);
        assert_int_equal(w->saved[i].kind, LEAT_STATE_FULL);
        sum += w->saved[i].count;
    }
    assert_int_equal(sum, 500 + 500 + 1000);
    runtime_job_complete(w->job, 7);
    for (int64_t end = base_time_mono() + 5000000; atomic_load(&source.completed) != 7;)
        assert_true(base_time_mono() < end);
    stop(w);
    fake_sink_fini(&sink);
}

// --- failures

static void failing_sink(struct world *w, struct fake_sink_config *sink)
{
    static struct fake_source_config source;
    memset(&source, 0, sizeof source);
    source.count = 100000;
    source.batch_rows = 10;
    fake_sink_init(sink, 10);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 2);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, sink, 2);
    fake_edge(w->plan, s, k, 0, PLAN_HASH);
    start(w, NULL, 0);
    until(w, &w->control.failed, 1);
    assert_int_equal(w->control.finished, 0);
    stop(w);
    assert_int_equal(w->control.failed, 1);
    fake_sink_fini(sink);
}

static void a_failure_is_told_once_and_nothing_moves_after_it(void **state)
{
    struct world *w = *state;
    struct fake_sink_config sink = {.fail_every = 5, .failures = 1000};
    failing_sink(w, &sink);
    assert_int_equal(w->control.error.failure, LEAT_TRANSIENT);
    assert_string_equal(w->control.error.node, "sink");
    assert_string_equal(w->control.error.code, "LEAT-X0002");
}

static void a_failure_without_words_is_a_bug(void **state)
{
    struct world *w = *state;
    struct fake_sink_config sink = {.fail_every = 5, .failures = 1000, .bug_without_words = true};
    failing_sink(w, &sink);
    assert_int_equal(w->control.error.failure, LEAT_BUG);
    assert_string_equal(w->control.error.node, "sink");
    assert_true(w->control.error.message[0] != 0);
}

static void a_barrier_behind_a_failed_flush_never_passes(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 100, .batch_rows = 10, .endless = true};
    struct fake_sink_config sink = {.fails_flush = true, .failures = 1};
    fake_sink_init(&sink, 100);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    start(w, NULL, 0);
    until(w, &w->control.opened, 1);
    runtime_job_barrier(w->job, 1, NULL);
    until(w, &w->control.failed, 1);
    assert_int_equal(w->passed, 0);
    stop(w);
    fake_sink_fini(&sink);
}

static void it_stops_while_a_source_still_opens(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 100, .batch_rows = 10, .never_opens = true};
    struct fake_sink_config sink = {0};
    fake_sink_init(&sink, 100);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    start(w, NULL, 0);
    stop(w);
    assert_int_equal(w->control.opened, 0);
    assert_int_equal(w->control.failed, 0);
    fake_sink_fini(&sink);
}

static void it_stops_in_full_flight(void **state)
{
    struct world *w = *state;
    struct fake_source_config source = {.count = 100000000, .batch_rows = 100};
    struct fake_sink_config sink = {.again_every = 2};
    fake_sink_init(&sink, 10);
    struct plan_node *s = fake_node(w->plan, "source", &fake_source, &source, 2);
    struct plan_node *o = fake_node(w->plan, "pass", &fake_pass, NULL, 2);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &sink, 2);
    fake_edge(w->plan, s, o, 0, PLAN_HASH);
    fake_edge(w->plan, o, k, 0, PLAN_FORWARD)->chained = 1;
    start(w, NULL, 0);
    until(w, &w->control.opened, 1);
    runtime_job_barrier(w->job, 1, NULL);
    stop(w);
    assert_int_equal(atomic_load(&source.closed), 2);
    fake_sink_fini(&sink);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_chain_gives_every_row_once),
        TEST(channels_hash_rows_among_instances),
        TEST(one_output_feeds_several_readers),
        TEST(a_stuck_sink_stops_the_source),
        TEST(a_dimension_is_read_before_the_rows_that_ask_it),
        TEST(a_dimension_that_ends_opens_the_gate_too),
        TEST(an_empty_batch_ends_a_transaction),
        TEST(the_end_reaches_instances_that_got_no_row_of_it),
        TEST(an_end_that_an_operator_swallows_is_told),
        TEST(state_is_given_back_to_its_instance),
        TEST(a_failure_is_told_once_and_nothing_moves_after_it),
        TEST(a_failure_without_words_is_a_bug),
        TEST(a_barrier_behind_a_failed_flush_never_passes),
        TEST(it_stops_while_a_source_still_opens),
        TEST(it_stops_in_full_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
