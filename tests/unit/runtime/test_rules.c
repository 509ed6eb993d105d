// SPDX-License-Identifier: Apache-2.0
// Plugins that break the rules of calling: each is named with the rule, and a worker that is held with its node.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"
#include "fake_control.h"

#include "base/log.h"
#include "base/time.h"

#include <cmocka.h>

struct bad;

// One way of breaking a rule, done at the first poll unless said otherwise, and what is said of it.
struct deed {
    leat_status (*fn)(struct leat_ctx *ctx, struct bad *b);
    const char *code, *message; // the message behind "node … "
    bool only_debug;
};

struct bad {
    const struct deed *deed;
    struct leat_ctx *ctx, *thread_ctx;
    struct leat_batch *batch;
    pthread_t thread;
    bool started, has_thread;
    uint64_t polls;
};

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

// Does it on a thread of its own, with the node's context.
static void *act_there(void *arg)
{
    struct bad *b = arg;
    b->deed->fn(b->ctx, NULL);
    return NULL;
}

static leat_status there(struct bad *b)
{
    b->has_thread = pthread_create(&b->thread, NULL, act_there, b) == 0;
    return LEAT_AGAIN;
}

static leat_status answers_seven(struct leat_ctx *ctx, struct bad *b)
{
    return 7;
}

static leat_status answers_minus_nine(struct leat_ctx *ctx, struct bad *b)
{
    return -9;
}

static leat_status creates_again(struct leat_ctx *ctx, struct bad *b)
{
    return LEAT_AGAIN;
}

static leat_status saves_a_delta(struct leat_ctx *ctx, struct bad *b)
{
    return LEAT_AGAIN;
}

static leat_status holds_its_worker(struct leat_ctx *ctx, struct bad *b)
{
    nanosleep(&(struct timespec){0, 120000000}, NULL);
    return LEAT_AGAIN;
}

// --- emitting

static void *emit_there(void *arg)
{
    struct bad *b = arg;
    b->ctx->host->emit(b->ctx, 0, b->batch);
    return NULL;
}

static leat_status emits_there(struct leat_ctx *ctx, struct bad *b)
{
    b->batch = one_row(ctx, LEAT_INSERT, LEAT_NULL);
    b->has_thread = pthread_create(&b->thread, NULL, emit_there, b) == 0;
    return LEAT_AGAIN;
}

static leat_status emit_then(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    return emit(ctx, 0, LEAT_INSERT, LEAT_NULL);
}

static leat_status emits_from_a_timer(struct leat_ctx *ctx, struct bad *b)
{
    ctx->host->timer(ctx, 0, emit_then, NULL);
    return LEAT_AGAIN;
}

static leat_status emits_after_the_end(struct leat_ctx *ctx, struct bad *b)
{
    ctx->host->timer(ctx, 0, emit_then, NULL);
    return LEAT_END;
}

static leat_status emits_from_port_nine(struct leat_ctx *ctx, struct bad *b)
{
    return emit(ctx, 9, LEAT_INSERT, LEAT_NULL);
}

static leat_status emits_an_update(struct leat_ctx *ctx, struct bad *b)
{
    return emit(ctx, 0, LEAT_UPDATE_AFTER, LEAT_NULL);
}

static leat_status emits_an_unknown_state(struct leat_ctx *ctx, struct bad *b)
{
    return emit(ctx, 0, LEAT_INSERT, 17);
}

static leat_status emits_twice(struct leat_ctx *ctx, struct bad *b)
{
    struct leat_batch *batch = one_row(ctx, LEAT_INSERT, LEAT_NULL);
    ctx->host->batch_ref(batch); // else it may be dead
    leat_status st = ctx->host->emit(ctx, 0, batch);
    st = st < 0 ? st : ctx->host->emit(ctx, 0, batch);
    leat_batch_unref(batch);
    return st;
}

static leat_status emits_with_a_thread_ctx(struct leat_ctx *ctx, struct bad *b)
{
    b->thread_ctx = ctx->host->thread_ctx_create(ctx);
    return emit(b->thread_ctx, 0, LEAT_INSERT, LEAT_NULL);
}

// --- where a function may be called

static leat_status on_nothing(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    return LEAT_OK;
}

static leat_status sets_a_timer_there(struct leat_ctx *ctx, struct bad *b)
{
    if (b)
        return there(b);
    assert_null(ctx->host->timer(ctx, 0, on_nothing, NULL));
    return LEAT_OK;
}

static leat_status watches_there(struct leat_ctx *ctx, struct bad *b)
{
    if (b)
        return there(b);
    assert_null(ctx->host->watch(ctx, 0, LEAT_READ, on_nothing, NULL));
    return LEAT_OK;
}

static leat_status fails_there(struct leat_ctx *ctx, struct bad *b)
{
    return b ? there(b) : leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0001", "the wire is cut");
}

static leat_status wakes_there(struct leat_ctx *ctx, struct bad *b)
{
    if (b)
        return there(b);
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static leat_status makes_a_batch_there(struct leat_ctx *ctx, struct bad *b)
{
    if (b)
        return there(b);
    assert_null(leat_batch_new(ctx, &fake_schema, 1));
    return LEAT_OK;
}

static leat_status sets_a_timer_with_a_thread_ctx(struct leat_ctx *ctx, struct bad *b)
{
    b->thread_ctx = ctx->host->thread_ctx_create(ctx);
    assert_null(ctx->host->timer(b->thread_ctx, 0, on_nothing, NULL));
    return LEAT_AGAIN;
}

static void *log_there(void *ctx)
{
    leat_log(ctx, LEAT_LOG_DEBUG, "there", "there");
    return NULL;
}

static leat_status shares_a_thread_ctx(struct leat_ctx *ctx, struct bad *b)
{
    pthread_t one, other;
    b->thread_ctx = ctx->host->thread_ctx_create(ctx);
    assert_int_equal(pthread_create(&one, NULL, log_there, b->thread_ctx), 0);
    assert_int_equal(pthread_create(&other, NULL, log_there, b->thread_ctx), 0);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return LEAT_AGAIN;
}

static leat_status destroys_its_ctx(struct leat_ctx *ctx, struct bad *b)
{
    ctx->host->thread_ctx_destroy(ctx);
    return LEAT_AGAIN;
}

static leat_status writes_state_in_poll(struct leat_ctx *ctx, struct bad *b)
{
    struct leat_state_out out = {.kind = LEAT_STATE_FULL};
    return ctx->host->state_write(ctx, &out, "x", 1);
}

// --- how

static leat_status fails_with_success(struct leat_ctx *ctx, struct bad *b)
{
    return leat_fail(ctx, LEAT_OK, "LEAT-X0001", "all is well");
}

static leat_status drops_a_row_without_a_word(struct leat_ctx *ctx, struct bad *b)
{
    return ctx->host->bad_row(ctx, (struct leat_bytes){0}, "somewhere");
}

static leat_status uses_a_closed_event(struct leat_ctx *ctx, struct bad *b)
{
    struct leat_event *timer = ctx->host->timer(ctx, 1000000, on_nothing, NULL);
    ctx->host->event_close(timer);
    return ctx->host->timer_again(timer, 1);
}

static leat_status closes_twice(struct leat_ctx *ctx, struct bad *b)
{
    struct leat_event *timer = ctx->host->timer(ctx, 1000000, on_nothing, NULL);
    ctx->host->event_close(timer);
    ctx->host->event_close(timer);
    return LEAT_AGAIN;
}

static leat_status watches_for_a_timer(struct leat_ctx *ctx, struct bad *b)
{
    return ctx->host->watch_for(ctx->host->timer(ctx, 1000000, on_nothing, NULL), LEAT_READ);
}

static leat_status answers_a_question(struct leat_ctx *ctx, struct bad *b)
{
    ctx->host->lookup_answer(ctx, 1, one_row(ctx, LEAT_INSERT, LEAT_NULL), NULL);
    return LEAT_AGAIN;
}

static leat_status asks_a_question(struct leat_ctx *ctx, struct bad *b)
{
    struct leat_batch *keys = one_row(ctx, LEAT_INSERT, LEAT_NULL);
    leat_status st = ctx->host->lookup_ask(ctx, 0, keys, 1);
    leat_batch_unref(keys);
    return st;
}

#define BUG_EMIT  "LEAT-R0002"
#define BUG_WORD  "LEAT-R0007"
#define BUG_CALL  "LEAT-R0014"
#define ON_THREAD " on a thread that is not its worker"
#define ON_OTHER  " with the node's context on another thread, which needs a thread_ctx of its own"

static const struct deed deeds[] = {
    {answers_seven, BUG_WORD, "answered 7 to poll, which is no answer to it", false},
    {answers_minus_nine, BUG_WORD, "answered -9 to poll, which is no answer to it", false},
    {creates_again, BUG_WORD, "answered 1 to create, which is no answer to it", false},
    {saves_a_delta, "LEAT-R0013", "saved a state of kind 2 when all of it was asked for", false},
    {emits_there, BUG_EMIT, "emitted" ON_THREAD, false},
    {emits_from_a_timer, BUG_EMIT, "emitted outside poll and process", false},
    {emits_after_the_end, BUG_EMIT, "emitted after it had said LEAT_END", false},
    {emits_from_port_nine, BUG_EMIT, "emitted from a port that it does not have", false},
    {emits_an_update, BUG_EMIT, "emitted a row of a kind that the port does not give", true},
    {emits_an_unknown_state, BUG_EMIT, "emitted a value of an unknown state", true},
    {emits_twice, BUG_EMIT, "emitted a batch that it had given away before", false},
    {emits_with_a_thread_ctx, BUG_CALL, "called emit with the context of a helper thread", false},
    {sets_a_timer_there, BUG_CALL, "called timer" ON_THREAD, false},
    {watches_there, BUG_CALL, "called watch" ON_THREAD, false},
    {fails_there, BUG_CALL, "called fail" ON_OTHER, true},
    {wakes_there, BUG_CALL, "called wake" ON_OTHER, true},
    {makes_a_batch_there, BUG_CALL, "called batch_create" ON_OTHER, true},
    {sets_a_timer_with_a_thread_ctx, BUG_CALL, "called timer with the context of a helper thread", false},
    {shares_a_thread_ctx, BUG_CALL, "called log with the context of another helper thread", true},
    {destroys_its_ctx, BUG_CALL, "called thread_ctx_destroy with its own context", false},
    {writes_state_in_poll, BUG_CALL, "called state_write outside of save_state", false},
    {fails_with_success, BUG_CALL, "called fail with a status that is no failure", false},
    {drops_a_row_without_a_word, BUG_CALL, "called bad_row without having said by leat_fail what is wrong with the row",
     false},
    {uses_a_closed_event, BUG_CALL, "called timer_again for an event that it has closed", false},
    {closes_twice, BUG_CALL, "called event_close for an event that it has closed", false},
    {watches_for_a_timer, BUG_CALL, "called watch_for for a timer", false},
    {answers_a_question, BUG_CALL, "called lookup_answer and is no lookup", false},
    {asks_a_question, BUG_CALL, "called lookup_ask and is no operator", false},
};

static const struct deed holding = {.fn = holds_its_worker};

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct bad *b = calloc(1, sizeof *b);
    b->deed = request->config;
    b->ctx = ctx;
    *self = b;
    return b->deed->fn == creates_again ? LEAT_AGAIN : LEAT_OK;
}

static leat_status poll(struct leat_ctx *ctx, void *self)
{
    struct bad *b = self;
    if (b->started)
        return LEAT_AGAIN;
    b->started = true;
    return b->deed->fn(ctx, b);
}

static leat_status save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    out->kind = LEAT_STATE_DELTA;
    return ctx->host->state_write(ctx, out, "what changed", 12);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct bad *b = self;
    if (b && b->has_thread)
        pthread_join(b->thread, NULL);
    if (b)
        ctx->host->thread_ctx_destroy(b->thread_ctx);
    free(b);
}

static const struct leat_source_ops ops = {
    .struct_size = sizeof ops, .create = create, .poll = poll, .save_state = save, .destroy = destroy};
static const struct leat_component bad_source = {
    .struct_size = sizeof bad_source, .kind = LEAT_SOURCE, .name = "bad-source", .source = &ops};

struct world {
    struct fake_control control;
    struct plan_job *plan;
    struct runtime_job *job;
    struct fake_sink_config sink;
    char stall[RUNTIME_STALL_TEXT];
};

static void start(struct world *w, const struct deed *deed, struct base_log *log)
{
    struct base_error error;
    memset(w, 0, sizeof *w);
    fake_control_open(&w->control, (struct runtime_options){.workers = 2, .log = log, .stall_warning = 20000});
    w->plan = fake_plan();
    fake_sink_init(&w->sink, 10);
    struct plan_node *s = fake_node(w->plan, "culprit", &bad_source, deed, 1);
    struct plan_node *k = fake_node(w->plan, "sink", &fake_sink, &w->sink, 1);
    fake_edge(w->plan, s, k, 0, PLAN_FORWARD);
    w->job = runtime_job_start(w->control.runtime,
                               &(struct runtime_job_options){.plan = w->plan, .events = &w->control.events}, &error);
    assert_non_null(w->job);
}

static void turn_until(struct world *w, const int *told)
{
    assert_true(fake_control_until(&w->control, told, 1, NULL));
}

static void end(struct world *w)
{
    runtime_job_stop(w->job);
    turn_until(w, &w->control.stopped);
    runtime_job_destroy(w->job);
    fake_plan_destroy(w->plan);
    fake_control_close(&w->control);
    fake_sink_fini(&w->sink);
}

static void assert_named(const struct deed *deed)
{
    struct world w;
    char message[256];
    start(&w, deed, NULL);
    if (deed->fn == saves_a_delta) {
        turn_until(&w, &w.control.opened);
        runtime_job_barrier(w.job, 1, NULL); // the first checkpoint asks for everything
    }
    turn_until(&w, &w.control.failed);
    snprintf(message, sizeof message, "node \"culprit\" (bad-source) %s", deed->message);
    assert_string_equal(w.control.error.message, message);
    assert_string_equal(w.control.error.code, deed->code);
    assert_int_equal(w.control.error.failure, LEAT_BUG);
    assert_string_equal(w.control.error.node, "culprit");
    end(&w);
}

static void who_breaks_a_rule_is_named(void **state)
{
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
#ifdef NDEBUG
        if (deeds[i].only_debug)
            continue;
#endif
        assert_named(&deeds[i]);
    }
}

static void who_holds_its_worker_is_named(void **state)
{
    struct world w;
    int pipes[2];
    char text[4096] = "";
    assert_int_equal(pipe(pipes), 0);
    struct base_log *log = base_log_create(&(struct base_log_options){.fd = pipes[1]});
    start(&w, &holding, log);
    for (int64_t last = base_time_mono() + 10 * BASE_SECOND; !runtime_stalled(w.control.runtime, 50000, w.stall);) {
        assert_true(base_time_mono() < last);
        loop_turn(w.control.loop, true);
    }
    assert_non_null(strstr(w.stall, "node \"culprit\" of pipeline \"test\" (plugin bad-source) has been in poll for "));
    while (runtime_stalled(w.control.runtime, 50000, w.stall))
        loop_turn(w.control.loop, true);
    for (int64_t last = base_time_mono() + 30000; base_time_mono() < last;)
        loop_turn(w.control.loop, true);
    end(&w);
    base_log_destroy(log);
    close(pipes[1]);
    assert_true(read(pipes[0], text, sizeof text - 1) > 0);
    close(pipes[0]);
    assert_non_null(strstr(text, "WARN  worker-stalls node \"culprit\" of pipeline \"test\""));
    assert_non_null(strstr(text, "worker-turns"));
}

static leat_status gives_nothing(struct leat_ctx *ctx, struct bad *b)
{
    b->started = false; // and again
    return LEAT_OK;
}

static leat_status gets_on(struct leat_ctx *ctx, struct bad *b)
{
    ctx->host->progress(ctx, ++b->polls, UINT64_MAX, -1);
    return gives_nothing(ctx, b);
}

struct watched {
    struct deed deed;
    struct world w;
    int pipes[2];
    struct base_log *log;
    char text[4096]; // of the log, so far
    size_t len;
};

static void start_watched(struct watched *x, leat_status (*fn)(struct leat_ctx *ctx, struct bad *b))
{
    *x = (struct watched){.deed = {.fn = fn}};
    assert_int_equal(pipe2(x->pipes, O_NONBLOCK), 0);
    x->log = base_log_create(&(struct base_log_options){.fd = x->pipes[1]});
    start(&x->w, &x->deed, x->log);
}

// How often the log has named it.
static int named(struct watched *x)
{
    int count = 0;
    ssize_t n = read(x->pipes[0], x->text + x->len, sizeof x->text - 1 - x->len);
    x->len += n > 0 ? (size_t)n : 0;
    for (const char *at = x->text; (at = strstr(at, "poll-spins node \"culprit\" (bad-source) has answered")); at++)
        count++;
    return count;
}

static int end_watched(struct watched *x)
{
    end(&x->w);
    base_log_destroy(x->log);
    int count = named(x);
    close(x->pipes[0]);
    close(x->pipes[1]);
    return count;
}

static void who_polls_in_vain_is_named_once(void **state)
{
    struct watched spins, works;
    start_watched(&spins, gives_nothing);
    start_watched(&works, gets_on);
    for (int64_t last = base_time_mono() + 60 * BASE_SECOND; !named(&spins);) {
        assert_true(base_time_mono() < last);
        loop_turn(spins.w.control.loop, true);
        loop_turn(works.w.control.loop, true);
    }
    for (int64_t last = base_time_mono() + 300000; base_time_mono() < last;) // many more polls
        loop_turn(spins.w.control.loop, true);
    assert_int_equal(end_watched(&spins), 1);
    assert_int_equal(end_watched(&works), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_breaks_a_rule_is_named),
        cmocka_unit_test(who_holds_its_worker_is_named),
        cmocka_unit_test(who_polls_in_vain_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
