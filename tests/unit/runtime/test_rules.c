// SPDX-License-Identifier: Apache-2.0
// Plugins that break the rules of calling: each is named with the rule, and a worker that is held with its node.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"

#include "base/log.h"
#include "base/metric.h"
#include "base/time.h"
#include "loop/loop.h"
#include "runtime/runtime.h"

#include <cmocka.h>

enum wrong {
    ANSWERS_SEVEN,
    ANSWERS_MINUS_NINE,
    CREATES_AGAIN,
    EMITS_ON_A_THREAD,
    EMITS_FROM_A_TIMER,
    EMITS_AFTER_THE_END,
    EMITS_FROM_PORT_NINE,
    EMITS_AN_UPDATE,
    EMITS_AN_UNKNOWN_STATE,
    SAVES_A_DELTA,
    HOLDS_ITS_WORKER,
};

struct bad {
    enum wrong wrong;
    struct leat_ctx *ctx;
    pthread_t thread;
    bool started, ended;
};

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct bad *b = calloc(1, sizeof *b);
    b->wrong = *(const enum wrong *)request->config;
    b->ctx = ctx;
    *self = b;
    return b->wrong == CREATES_AGAIN ? LEAT_AGAIN : LEAT_OK;
}

static struct leat_batch *one_row(struct leat_ctx *ctx, uint8_t kind, uint8_t state)
{
    struct leat_batch *b = leat_batch_new(ctx, &fake_schema, 1);
    uint32_t row = leat_batch_add(b, kind);
    leat_batch_set_i64(b, 0, row, 1);
    leat_batch_set_state(b, 1, row, state);
    return b;
}

static leat_status emit(struct leat_ctx *ctx, uint32_t port, uint8_t kind, uint8_t state)
{
    return ctx->host->emit(ctx, port, one_row(ctx, kind, state));
}

static void *emit_there(void *arg)
{
    struct bad *b = arg;
    emit(b->ctx, 0, LEAT_INSERT, LEAT_NULL);
    return NULL;
}

static leat_status emit_then(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    return emit(ctx, 0, LEAT_INSERT, LEAT_NULL);
}

static void hold(void)
{
    nanosleep(&(struct timespec){0, 120000000}, NULL);
}

static leat_status poll(struct leat_ctx *ctx, void *self)
{
    struct bad *b = self;
    if (b->started)
        return LEAT_AGAIN;
    b->started = true;
    switch (b->wrong) {
    case ANSWERS_SEVEN:
        return 7;
    case ANSWERS_MINUS_NINE:
        return -9;
    case EMITS_ON_A_THREAD:
        pthread_create(&b->thread, NULL, emit_there, b);
        return LEAT_AGAIN;
    case EMITS_FROM_A_TIMER:
        ctx->host->timer(ctx, 0, emit_then, NULL);
        return LEAT_AGAIN;
    case EMITS_AFTER_THE_END:
        ctx->host->timer(ctx, 0, emit_then, NULL);
        return LEAT_END;
    case EMITS_FROM_PORT_NINE:
        return emit(ctx, 9, LEAT_INSERT, LEAT_NULL);
    case EMITS_AN_UPDATE:
        return emit(ctx, 0, LEAT_UPDATE_AFTER, LEAT_NULL);
    case EMITS_AN_UNKNOWN_STATE:
        return emit(ctx, 0, LEAT_INSERT, 17);
    case CREATES_AGAIN:
    case SAVES_A_DELTA:
        return LEAT_AGAIN;
    case HOLDS_ITS_WORKER:
        hold();
        return LEAT_AGAIN;
    }
    return LEAT_AGAIN;
}

static leat_status save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    out->kind = LEAT_STATE_DELTA;
    return ctx->host->state_write(ctx, out, "what changed", 12);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct bad *b = self;
    if (b && b->wrong == EMITS_ON_A_THREAD)
        pthread_join(b->thread, NULL);
    free(b);
}

static const struct leat_source_ops ops = {
    .struct_size = sizeof ops, .create = create, .poll = poll, .save_state = save, .destroy = destroy};
static const struct leat_component bad_source = {
    .struct_size = sizeof bad_source, .kind = LEAT_SOURCE, .name = "bad-source", .source = &ops};

struct world {
    struct loop *control;
    struct loop_timer tick;
    struct base_metrics *metrics;
    struct runtime *runtime;
    struct runtime_events events;
    struct plan_job *plan;
    struct runtime_job *job;
    struct fake_sink_config sink;
    int failed, stopped, opened;
    struct base_error error;
    char stall[RUNTIME_STALL_TEXT];
};

static void on_failed(void *arg, const struct base_error *error)
{
    struct world *w = arg;
    w->failed++;
    w->error = *error;
}

static void on_stopped(void *arg)
{
    ((struct world *)arg)->stopped++;
}

static void on_opened(void *arg)
{
    ((struct world *)arg)->opened++;
}

static void do_nothing(void *arg) {}

static void on_tick(void *arg)
{
    loop_timer_set(&((struct world *)arg)->tick, 1000);
}

static void start(struct world *w, enum wrong *wrong, struct base_log *log)
{
    struct base_error error;
    memset(w, 0, sizeof *w);
    w->control = loop_create(&(struct loop_options){.name = "control"}, &error);
    assert_true(loop_timer_init(&w->tick, w->control, on_tick, w));
    loop_timer_set(&w->tick, 0);
    w->metrics = base_metrics_create();
    w->runtime = runtime_create(&(struct runtime_options){
        .control = w->control, .metrics = w->metrics, .workers = 2, .log = log, .stall_warning = 20000});
    w->events = (struct runtime_events){
        .arg = w, .opened = on_opened, .failed = on_failed, .stopped = on_stopped, .finished = do_nothing};
    w->plan = fake_plan();
    fake_sink_init(&w->sink, 10);
    struct plan_node *s = fake_node(w->plan, "culprit", &bad_source, wrong, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &w->sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    w->job =
        runtime_job_start(w->runtime, &(struct runtime_job_options){.plan = w->plan, .events = &w->events}, &error);
    assert_non_null(w->job);
}

static void turn_until(struct world *w, const int *flag)
{
    for (int64_t end = base_time_mono() + 10 * BASE_SECOND; !*flag;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
}

static void end(struct world *w)
{
    runtime_job_stop(w->job);
    turn_until(w, &w->stopped);
    runtime_job_destroy(w->job);
    fake_plan_destroy(w->plan);
    runtime_destroy(w->runtime);
    loop_timer_fini(&w->tick);
    loop_destroy(w->control);
    base_metrics_destroy(w->metrics);
    fake_sink_fini(&w->sink);
}

static void who_breaks_a_rule_is_named(void **state)
{
    static const struct {
        enum wrong wrong;
        const char *code, *message;
        bool only_debug;
    } rows[] = {
        {ANSWERS_SEVEN, "LEAT-R0007", "node \"culprit\" (bad-source) answered 7 to poll, which is no answer to it",
         false},
        {ANSWERS_MINUS_NINE, "LEAT-R0007",
         "node \"culprit\" (bad-source) answered -9 to poll, which is no answer to it", false},
        {CREATES_AGAIN, "LEAT-R0007", "node \"culprit\" (bad-source) answered 1 to create, which is no answer to it",
         false},
        {EMITS_ON_A_THREAD, "LEAT-R0002", "node \"culprit\" (bad-source) emitted on a thread that is not its worker",
         false},
        {EMITS_FROM_A_TIMER, "LEAT-R0002", "node \"culprit\" (bad-source) emitted outside poll and process", false},
        {EMITS_AFTER_THE_END, "LEAT-R0002", "node \"culprit\" (bad-source) emitted after it had said LEAT_END", false},
        {EMITS_FROM_PORT_NINE, "LEAT-R0002", "node \"culprit\" (bad-source) emitted from a port that it does not have",
         false},
        {EMITS_AN_UPDATE, "LEAT-R0002",
         "node \"culprit\" (bad-source) emitted a row of a kind that the port does not give", true},
        {EMITS_AN_UNKNOWN_STATE, "LEAT-R0002", "node \"culprit\" (bad-source) emitted a value of an unknown state",
         true},
        {SAVES_A_DELTA, "LEAT-R0013",
         "node \"culprit\" (bad-source) saved a state of kind 2 when all of it was asked for", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
#ifdef NDEBUG
        if (rows[i].only_debug)
            continue;
#endif
        struct world w;
        enum wrong wrong = rows[i].wrong;
        start(&w, &wrong, NULL);
        if (wrong == SAVES_A_DELTA) {
            turn_until(&w, &w.opened);
            runtime_job_barrier(w.job, 1, NULL); // the first checkpoint asks for everything
        }
        turn_until(&w, &w.failed);
        assert_int_equal(w.error.failure, LEAT_BUG);
        assert_string_equal(w.error.code, rows[i].code);
        assert_string_equal(w.error.message, rows[i].message);
        assert_string_equal(w.error.node, "culprit");
        end(&w);
    }
}

static void who_holds_its_worker_is_named(void **state)
{
    struct world w;
    enum wrong wrong = HOLDS_ITS_WORKER;
    int pipes[2];
    char text[4096] = "";
    assert_int_equal(pipe(pipes), 0);
    struct base_log *log = base_log_create(&(struct base_log_options){.fd = pipes[1]});
    start(&w, &wrong, log);
    for (int64_t last = base_time_mono() + 10 * BASE_SECOND; !runtime_stalled(w.runtime, 50000, w.stall);) {
        assert_true(base_time_mono() < last);
        loop_turn(w.control, true);
    }
    assert_non_null(strstr(w.stall, "node \"culprit\" of pipeline \"test\" (plugin bad-source) has been in poll for "));
    while (runtime_stalled(w.runtime, 50000, w.stall))
        loop_turn(w.control, true);
    for (int64_t last = base_time_mono() + 30000; base_time_mono() < last;)
        loop_turn(w.control, true);
    end(&w);
    base_log_destroy(log);
    close(pipes[1]);
    assert_true(read(pipes[0], text, sizeof text - 1) > 0);
    close(pipes[0]);
    assert_non_null(strstr(text, "WARN  worker-stalls node \"culprit\" of pipeline \"test\""));
    assert_non_null(strstr(text, "worker-turns"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_breaks_a_rule_is_named),
        cmocka_unit_test(who_holds_its_worker_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
