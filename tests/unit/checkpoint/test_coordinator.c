// SPDX-License-Identifier: Apache-2.0
// Jobs under supervision: epochs, restarts from the last manifest, stops; with fake components on real workers.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../runtime/fake.h"
#include "folder.h"

#include "base/time.h"
#include "checkpoint/coordinator.h"

#include <cmocka.h>

// Stands before libc's: the disk of checkpoints is full.
static atomic_bool disk_full;

ssize_t write(int fd, const void *ptr, size_t len)
{
    char link[64], path[512] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (atomic_load(&disk_full) && readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/writing")) {
        errno = ENOSPC;
        return -1;
    }
    return (ssize_t)syscall(SYS_write, fd, ptr, len);
}

struct world {
    char dir[64];
    struct loop *control, *writer;
    pthread_t writer_thread;
    struct base_metrics *metrics;
    struct runtime *runtime;
    struct store *store;
    struct coordinator *c;
    struct fake_source_config source;
    struct fake_sink_config sink;
    struct fake_shape_config *shape; // of the operator in between; NULL = it has none
    uint32_t parallelism;
    struct loop_clock clock; // of the control loop, when it is moved by hand
    leat_usec interval, timeout;
    struct restart_rule restart;
    atomic_int written; // manifests
    int ended;
    enum job_state end;
};

static void *turn_writer(void *arg)
{
    loop_run(arg);
    return NULL;
}

static struct plan_job *make_plan(void *arg, uint32_t job, struct base_error *error)
{
    struct world *w = arg;
    struct plan_job *plan = fake_plan();
    struct plan_node *s = fake_node(plan, "source", &fake_source, &w->source, w->parallelism);
    struct plan_node *o = fake_node(plan, "pass", w->shape ? &fake_shaped : &fake_pass, w->shape, w->parallelism);
    struct plan_node *k = fake_node(plan, "sink", &fake_sink, &w->sink, w->parallelism);
    fake_edge(plan, s, o, 0, PLAN_FORWARD)->chained = 1;
    fake_edge(plan, o, k, 0, PLAN_HASH);
    return plan;
}

static leat_status complete_plan(void *arg, struct plan_job *plan, struct base_error *error)
{
    return LEAT_OK;
}

static void destroy_plan(void *arg, struct plan_job *plan)
{
    fake_plan_destroy(plan);
}

static int resource_settled(void *arg, const char *resource)
{
    return 1;
}

static void on_written(void *arg, uint32_t job)
{
    struct world *w = arg;
    atomic_fetch_add(&w->written, 1);
}

static void on_ended(void *arg, uint32_t job, enum job_state state)
{
    struct world *w = arg;
    w->ended++;
    w->end = state;
}

static void create(struct world *w)
{
    static const char *const nodes[] = {"source", "pass", "sink"};
    struct base_error error;
    w->store = store_open(w->dir, "test", &error);
    assert_non_null(w->store);
    w->c = coordinator_create(
        &(struct coordinator_options){
            .runtime = w->runtime,
            .store = w->store,
            .control = w->control,
            .writer = w->writer,
            .logger = {.pipeline = "test"},
            .metrics = w->metrics,
            .planner = {w, make_plan, complete_plan, destroy_plan},
            .name = "job",
            .nodes = nodes,
            .node_count = 3,
            .interval = w->interval,
            .timeout = w->timeout,
            .restart = w->restart,
            .resource_settled = resource_settled,
            .arg = w,
            .written = on_written,
            .ended = on_ended,
        },
        &error);
    assert_non_null(w->c);
    w->ended = 0;
    coordinator_start(w->c);
}

static void destroy(struct world *w)
{
    coordinator_destroy(w->c);
    store_close(w->store);
}

static int set_up_with(void **state, bool by_hand)
{
    struct world *w = calloc(1, sizeof *w);
    struct base_error error;
    strcpy(w->dir, "/tmp/leat-coordinator-XXXXXX");
    assert_int_equal(folder_make(w->dir), 0);
    w->control = loop_create(&(struct loop_options){.name = "control", .clock = by_hand ? &w->clock : NULL}, &error);
    w->writer = loop_create(&(struct loop_options){.name = "writer"}, &error);
    assert_int_equal(pthread_create(&w->writer_thread, NULL, turn_writer, w->writer), 0);
    w->metrics = base_metrics_create();
    w->runtime = runtime_create(
        &(struct runtime_options){.control = w->control, .metrics = w->metrics, .workers = 2, .channel_bytes = 50000});
    w->parallelism = 2;
    w->interval = 5000;
    w->restart = (struct restart_rule){
        .kind = RESTART_EXPONENTIAL, .first = 2000, .max = 20000, .reset = 1000000, .multiplier = 2, .jitter = 0.1};
    w->source = (struct fake_source_config){.count = 60000, .batch_rows = 20};
    fake_sink_init(&w->sink, 100000);
    *state = w;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, false);
}

static int set_up_by_hand(void **state)
{
    return set_up_with(state, true);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    destroy(w);
    runtime_destroy(w->runtime);
    loop_stop(w->writer);
    pthread_join(w->writer_thread, NULL);
    loop_destroy(w->writer);
    loop_destroy(w->control);
    base_metrics_destroy(w->metrics);
    fake_sink_fini(&w->sink);
    folder_remove(w->dir);
    free(w);
    return 0;
}

static void until_ended(struct world *w)
{
    for (int64_t end = base_time_mono() + 60 * 1000000; !w->ended;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
}

static struct coordinator_view view(struct world *w)
{
    struct coordinator_view v;
    struct runtime_node_view nodes[4];
    uint32_t count;
    coordinator_view(w->c, &v, nodes, 4, &count);
    return v;
}

static void assert_snapshots_agree(struct world *w)
{
    for (leat_epoch e = 0; e < FAKE_EPOCHS; e++)
        if (w->source.at.by_epoch[e] && w->sink.at.by_epoch[e])
            assert_int_equal(w->source.at.by_epoch[e], w->sink.at.by_epoch[e]);
}

static void a_bounded_job_finishes_with_a_last_checkpoint(void **state)
{
    struct world *w = *state;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FINISHED);
    assert_true(fake_sink_complete(&w->sink, 60000, 1, 1));
    assert_snapshots_agree(w);
    assert_true(atomic_load(&w->written) > 0);
    // started again, it knows that everything is done
    destroy(w);
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FINISHED);
    assert_int_equal(fake_sink_rows(&w->sink), 60000);
}

static void no_row_is_lost_when_the_sink_fails_again_and_again(void **state)
{
    struct world *w = *state;
    w->sink.fail_every = 313;
    w->sink.failures = 25;
    w->sink.again_every = 100;
    w->sink.slow_flush = true;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FINISHED);
    assert_true(fake_sink_complete(&w->sink, 60000, 1, 255));
    assert_in_range(view(w).restarts, 5, 25); // between two of them the job gets some way
    assert_false(view(w).has_error);
}

static void a_flush_that_fails_acknowledges_nothing(void **state)
{
    struct world *w = *state;
    w->sink.fails_flush = true;
    w->sink.failures = 6;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FINISHED);
    assert_true(fake_sink_complete(&w->sink, 60000, 1, 255));
    assert_in_range(view(w).restarts, 1, 6);
}

static void a_source_that_fails_goes_on_where_it_was(void **state)
{
    struct world *w = *state;
    w->source.fail_at = 30000;
    w->source.failure = LEAT_TRANSIENT;
    w->source.failures = 3;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FINISHED);
    assert_true(fake_sink_complete(&w->sink, 60000, 1, 255));
}

static void a_wrong_configuration_is_not_tried_again(void **state)
{
    struct world *w = *state;
    w->source.fail_at = 100;
    w->source.failure = LEAT_CONFIG;
    w->source.failures = 1;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, JOB_FAILED);
    assert_int_equal(atomic_load(&w->written), 0); // nothing of another job may be removed
    struct coordinator_view v = view(w);
    assert_int_equal(v.restarts, 0);
    assert_true(v.has_error);
    assert_string_equal(v.error.node, "source");
}

static void another_parallelism_is_given_every_state(void **state)
{
    struct world *w = *state;
    w->source.endless = true;
    create(w);
    for (int64_t end = base_time_mono() + 20 * 1000000; fake_sink_rows(&w->sink) < 60000;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
    coordinator_stop(w->c, 10 * 1000000);
    until_ended(w);
    assert_int_equal(w->end, JOB_STOPPED);
    leat_epoch last = view(w).epoch;
    assert_int_equal(w->sink.at.by_epoch[last], 60000);
    destroy(w);
    memset(w->sink.at.by_epoch, 0, sizeof w->sink.at.by_epoch);
    w->parallelism = 1; // the sink adds up what its former instances had
    w->source.count = 0;
    create(w);
    coordinator_stop(w->c, 10 * 1000000);
    until_ended(w);
    destroy(w);
    create(w);
    for (int64_t end = base_time_mono() + 20 * 1000000; view(w).epoch <= last;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
    assert_int_equal(w->sink.at.by_epoch[view(w).epoch], 60000);
    coordinator_stop(w->c, 10 * 1000000);
    until_ended(w);
}

static void run_to_the_end(struct world *w, struct fake_shape_config *shape, enum job_state end)
{
    if (w->c)
        destroy(w);
    w->shape = shape;
    create(w);
    until_ended(w);
    assert_int_equal(w->end, end);
}

static void state_of_another_shape_is_refused(void **state)
{
    struct world *w = *state;
    struct fake_shape_config first = {1, "kind: join\nkey: a INT\ncolumns: a, b"},
                             other = {2, "kind: join\nkey: b INT\ncolumns: a, b\nrows: where a > 1"};
    run_to_the_end(w, &first, JOB_FINISHED);
    run_to_the_end(w, &first, JOB_FINISHED);
    leat_epoch epoch = view(w).epoch;
    run_to_the_end(w, &other, JOB_FAILED);
    struct coordinator_view v = view(w);
    assert_string_equal(v.error.code, "LEAT-T0007");
    assert_int_equal(v.restarts, 0);
    assert_string_equal(v.error.node, "pass");
    assert_string_equal(v.error.message, "the saved state of node \"pass\" does not fit it any more: key was a INT, is "
                                         "b INT; rows was nothing, is where a > 1");
    assert_non_null(strstr(v.error.hint, "--forget-state"));
    run_to_the_end(w, &first, JOB_FINISHED); // what was refused has changed nothing
    assert_true(view(w).epoch > epoch);
}

static void state_without_a_shape_is_loaded_and_gets_one(void **state)
{
    struct world *w = *state;
    struct fake_shape_config any = {0, NULL}, first = {1, NULL}, other = {UINT64_MAX, NULL};
    run_to_the_end(w, &any, JOB_FINISHED);
    run_to_the_end(w, &first, JOB_FINISHED);
    run_to_the_end(w, &other, JOB_FAILED);
    assert_non_null(strstr(view(w).error.message, "its columns, their types or its keys have changed"));
    run_to_the_end(w, &any, JOB_FINISHED);
    run_to_the_end(w, &other, JOB_FINISHED);
}

static void a_stop_while_it_waits_for_the_next_try_is_at_once(void **state)
{
    struct world *w = *state;
    w->source.fail_at = 100;
    w->source.failure = LEAT_TRANSIENT;
    w->source.failures = 1000000;
    create(w);
    for (int64_t end = base_time_mono() + 20 * 1000000; view(w).restarts < 4 || view(w).state != JOB_WAITING;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
    coordinator_stop(w->c, 1000000);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->end, JOB_STOPPED);
}

static void a_stuck_sink_is_stopped_after_the_grace(void **state)
{
    struct world *w = *state;
    w->sink.is_stuck = true;
    create(w);
    for (int64_t end = base_time_mono() + 20 * 1000000; view(w).state != JOB_RUNNING;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
    coordinator_stop(w->c, 50000);
    until_ended(w);
    assert_int_equal(w->end, JOB_STOPPED);
    assert_int_equal(view(w).epoch, 0);
}

// --- on a clock that is moved by hand

static void turn_until_state(struct world *w, enum job_state state)
{
    for (int64_t end = base_time_mono() + 20 * 1000000; view(w).state != state;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, false);
    }
}

static void advance(struct world *w, leat_usec usec)
{
    loop_clock_advance(&w->clock, usec);
    loop_turn(w->control, false);
}

static void always_fails(struct world *w)
{
    w->source.fail_at = 1;
    w->source.failure = LEAT_TRANSIENT;
    w->source.failures = 1000000;
}

static void a_fixed_delay_starts_again_as_often_as_it_says(void **state)
{
    struct world *w = *state;
    always_fails(w);
    w->restart = (struct restart_rule){.kind = RESTART_FIXED, .delay = 3000000, .attempts = 2};
    create(w);
    for (uint32_t i = 0; i < 2; i++) {
        turn_until_state(w, JOB_WAITING);
        assert_int_equal(view(w).restarts, i);
        advance(w, 2999999);
        assert_int_equal(view(w).state, JOB_WAITING);
        advance(w, 1);
        assert_int_equal(view(w).restarts, i + 1);
    }
    turn_until_state(w, JOB_FAILED);
    assert_int_equal(w->ended, 1);
    assert_int_equal(view(w).restarts, 2);
    assert_string_equal(view(w).error.code, "LEAT-X0001");
    assert_non_null(strstr(view(w).error.hint, "attempts = 2"));
}

static void none_makes_every_failure_final(void **state)
{
    struct world *w = *state;
    always_fails(w);
    w->restart.kind = RESTART_NONE;
    create(w);
    turn_until_state(w, JOB_FAILED);
    assert_int_equal(view(w).restarts, 0);
}

static void an_epoch_that_takes_too_long_starts_the_job_again(void **state)
{
    struct world *w = *state;
    w->timeout = 60000000;
    w->sink.is_stuck = true;
    create(w);
    turn_until_state(w, JOB_RUNNING);
    advance(w, w->interval); // the barrier starts, and never passes the sink
    advance(w, 59999999);
    assert_int_equal(view(w).state, JOB_RUNNING);
    advance(w, 1);
    turn_until_state(w, JOB_WAITING);
    assert_string_equal(view(w).error.code, "LEAT-T0006");
    assert_int_equal(view(w).error.failure, LEAT_TRANSIENT);
    assert_non_null(strstr(view(w).error.message, "1min"));
    coordinator_stop(w->c, 1000000);
    assert_int_equal(w->end, JOB_STOPPED);
}

// Until the view has an error, or none any more: a try that was under way when there was room again has failed, and the
// next one comes by the clock.
static void wait_for_error(struct world *w, bool error)
{
    int64_t end = base_time_mono() + 20 * 1000000, next = base_time_mono() + 200000;
    while (view(w).has_error != error) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, false);
        if (!error && base_time_mono() > next) {
            advance(w, 2000000);
            next += 200000;
        }
    }
}

// The job goes on, nothing is acknowledged, and the same states are written when there is room again.
static void a_full_disk_stops_no_rows_and_acknowledges_nothing(void **state)
{
    struct world *w = *state;
    w->source.endless = true;
    w->source.count = 100000;
    w->sink.again_every = 50;
    w->timeout = 60000000;
    atomic_store(&disk_full, true);
    create(w);
    turn_until_state(w, JOB_RUNNING);
    advance(w, w->interval);
    wait_for_error(w, true);
    struct coordinator_view v = view(w);
    assert_string_equal(v.error.code, "LEAT-T0001");
    assert_int_equal(v.error.failure, LEAT_RESOURCE);
    assert_non_null(strstr(v.error.message, "No space left"));
    assert_non_null(strstr(v.error.detail, "nothing is acknowledged"));
    for (int64_t end = base_time_mono() + 20 * 1000000; fake_sink_rows(&w->sink) < 100000;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, false);
    }
    for (int i = 0; i < 100; i++) // far beyond checkpoint.timeout, which is for epochs that do not pass
        advance(w, 1000000);
    v = view(w);
    assert_int_equal(v.state, JOB_RUNNING);
    assert_int_equal(v.restarts, 0);
    assert_int_equal(v.epoch, 0);
    assert_int_equal(atomic_load(&w->source.completed), 0);
    assert_int_equal(atomic_load(&w->written), 0);
    atomic_store(&disk_full, false);
    advance(w, 2000000);
    wait_for_error(w, false);
    assert_int_equal(view(w).restarts, 0);
    assert_true(view(w).epoch > 0);
    coordinator_stop(w->c, 1000000);
    until_ended(w);
    assert_int_equal(w->end, JOB_STOPPED);
    assert_true(fake_sink_complete(&w->sink, 100000, 1, 1));
    assert_snapshots_agree(w);
}

static void a_stop_on_a_full_disk_ends_with_the_grace(void **state)
{
    struct world *w = *state;
    w->source.endless = true;
    atomic_store(&disk_full, true);
    create(w);
    turn_until_state(w, JOB_RUNNING);
    advance(w, w->interval);
    wait_for_error(w, true);
    coordinator_stop(w->c, 1000000);
    for (int i = 0; i < 9; i++)
        advance(w, 100000);
    assert_int_equal(w->ended, 0);
    advance(w, 100001);
    for (int64_t end = base_time_mono() + 20 * 1000000; !w->ended;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, false);
    }
    assert_int_equal(w->end, JOB_STOPPED);
    assert_int_equal(atomic_load(&w->source.completed), 0);
    atomic_store(&disk_full, false);
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define BY_HAND(name) cmocka_unit_test_setup_teardown(name, set_up_by_hand, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_bounded_job_finishes_with_a_last_checkpoint),
        TEST(no_row_is_lost_when_the_sink_fails_again_and_again),
        TEST(a_flush_that_fails_acknowledges_nothing),
        TEST(a_source_that_fails_goes_on_where_it_was),
        TEST(a_wrong_configuration_is_not_tried_again),
        TEST(another_parallelism_is_given_every_state),
        TEST(state_of_another_shape_is_refused),
        TEST(state_without_a_shape_is_loaded_and_gets_one),
        TEST(a_stop_while_it_waits_for_the_next_try_is_at_once),
        TEST(a_stuck_sink_is_stopped_after_the_grace),
        BY_HAND(a_fixed_delay_starts_again_as_often_as_it_says),
        BY_HAND(none_makes_every_failure_final),
        BY_HAND(an_epoch_that_takes_too_long_starts_the_job_again),
        BY_HAND(a_full_disk_stops_no_rows_and_acknowledges_nothing),
        BY_HAND(a_stop_on_a_full_disk_ends_with_the_grace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
