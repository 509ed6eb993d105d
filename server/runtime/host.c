// SPDX-License-Identifier: Apache-2.0
// The host table: what plugins see of the core while a job runs. See include/leat/host.h for the contract of each
// entry.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "data/batch.h"
#include "graph/format.h"
#include "graph/planner.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

#define SKIPS_TOLD   10 // skipped rows with a line of their own, every
#define SKIPS_WINDOW (5 * BASE_SECOND)

static struct ctx_core *core_of(struct leat_ctx *ctx)
{
    return (struct ctx_core *)ctx->core;
}

static void *host_alloc(struct leat_ctx *ctx, size_t size)
{
    return malloc(size ? size : 1);
}

static void host_free(struct leat_ctx *ctx, void *ptr)
{
    free(ptr);
}

// --- errors

__attribute__((format(printf, 4, 0))) static leat_status host_fail(struct leat_ctx *ctx, leat_status failure,
                                                                   const char *code, const char *fmt, va_list ap)
{
    struct ctx_core *core = core_of(ctx);
    if (!rules_call_any(ctx, "fail"))
        return LEAT_BUG;
    if (failure >= 0 || failure < LEAT_BUG)
        return rules_broken(core->inst, "fail", "with a status that is no failure");
    base_failv(&core->error, failure, code, fmt, ap);
    base_error_node(&core->error, core->inst->node->name);
    return failure;
}

__attribute__((format(printf, 2, 0))) static void host_error_detail(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    if (rules_call_any(ctx, "error_detail"))
        base_error_detailv(&core_of(ctx)->error, fmt, ap);
}

__attribute__((format(printf, 2, 0))) static void host_error_hint(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    if (rules_call_any(ctx, "error_hint"))
        base_error_hintv(&core_of(ctx)->error, fmt, ap);
}

static void host_error_native(struct leat_ctx *ctx, const char *code, const char *text)
{
    if (rules_call_any(ctx, "error_native"))
        base_error_native(&core_of(ctx)->error, code, text);
}

static void host_error_place(struct leat_ctx *ctx, const char *option, uint32_t offset)
{
    if (!rules_call_any(ctx, "error_place"))
        return;
    struct ctx_core *core = core_of(ctx);
    const struct graph_node *node = core->inst->node->graph;
    const struct graph_reporter *reporter = &core->inst->job->plan->graph->reporter;
    char where[512] = "";
    base_error_place(&core->error, option, offset);
    if (node && reporter->where) // reads what has not changed since the start
        reporter->where(reporter->arg, node, option, offset, where, sizeof where);
    base_error_add_detail(&core->error, where);
}

static leat_status host_error_move(struct leat_ctx *ctx, struct leat_ctx *from, leat_status failure)
{
    if (!rules_call(ctx, "error_move", RULES_HOME))
        return LEAT_BUG;
    if (core_of(from)->inst != core_of(ctx)->inst)
        return rules_broken(core_of(ctx)->inst, "error_move", "with the context of another node");
    core_of(ctx)->error = core_of(from)->error;
    return failure;
}

// Diagnostics belong to the check of a file; what a running node has to say there goes to the log.
__attribute__((format(printf, 7, 0))) static void host_diag(struct leat_ctx *ctx, uint8_t severity, const char *code,
                                                            const char *option, uint32_t offset, const char *hint,
                                                            const char *fmt, va_list ap)
{
    uint8_t level = severity == LEAT_DIAG_ERROR ? LEAT_LOG_ERROR : LEAT_LOG_WARN;
    if (!rules_call_any(ctx, "diag"))
        return;
    struct base_log_field fields[] = {
        {.key = "code", .value = code ? code : ""},
        {.key = "option", .value = option ? option : ""},
        {.key = "hint", .value = hint ? hint : ""},
    };
    base_logv(&core_of(ctx)->inst->logger, level, "diagnostic", fields, 3, fmt, ap);
}

// Each row is told, but of a flood only the first ones of every few seconds: the others are a line that the log counts.
static void log_skipped(struct ctx_core *core)
{
    const struct base_logger *logger = &core->inst->logger;
    struct base_log_field fields[] = {
        {.key = "code", .value = core->error.code},
        {.key = "position", .value = core->error.position, .machine = true},
    };
    leat_usec now = base_time_mono();
    if (now - core->skips_since > SKIPS_WINDOW) {
        core->skips_since = now;
        core->skips = 0;
    }
    if (core->skips++ < SKIPS_TOLD)
        base_log_fields(logger, LEAT_LOG_WARN, "row-skipped", fields, 2, "skipped a row: %s", core->error.message);
    else
        base_log_fields(logger, LEAT_LOG_WARN, "row-skipped", fields, 1,
                        "skipped more rows; leat_rows_skipped_total has their number");
}

static leat_status host_bad_row(struct leat_ctx *ctx, struct leat_bytes raw, const char *where)
{
    struct ctx_core *core = core_of(ctx);
    struct inst *inst = core->inst;
    leat_status failure = core->error.failure;
    if (!rules_call(ctx, "bad_row", RULES_HOME))
        return LEAT_BUG;
    if (failure >= 0)
        return rules_broken(inst, "bad_row", "without having said by leat_fail what is wrong with the row");
    if (where && *where)
        base_error_at(&core->error, where);
    base_metric_inc(inst->metrics.errors, 1);
    if (failure != LEAT_DATA || inst->node->on_error == PLAN_ON_ERROR_FAIL)
        return failure;
    inst->gave = true;
    base_metric_inc(inst->metrics.skipped, 1);
    log_skipped(core);
    base_error_clear(&core->error); // it is over; a failure without a reason must not be given this one
    return LEAT_OK;
}

// --- log and numbers

__attribute__((format(printf, 4, 0))) static void host_log(struct leat_ctx *ctx, uint8_t level, const char *event,
                                                           const char *fmt, va_list ap)
{
    if (rules_call_any(ctx, "log"))
        base_logv(&core_of(ctx)->inst->logger, level, event, NULL, 0, fmt, ap);
}

// Plugins may go on counting when the registry has no room: then nobody sees the number.
static int64_t unseen;

static int64_t *host_metric(struct leat_ctx *ctx, const struct leat_metric *metric)
{
    struct inst *inst = core_of(ctx)->inst;
    if (!rules_call_any(ctx, "metric"))
        return &unseen;
    struct base_metric_desc desc = {.name = metric->name, .type = metric->type, .help = metric->help};
    struct base_metric_labels labels = {.pipeline = inst->job->plan->pipeline, .node = inst->node->name};
    int64_t *number = base_metrics_add(inst->job->runtime->options.metrics, &desc, &labels);
    return number ? number : &unseen;
}

__attribute__((format(printf, 2, 0))) static void host_status(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    struct inst *inst = core_of(ctx)->inst;
    if (!rules_call_any(ctx, "status"))
        return;
    pthread_mutex_lock(&inst->view_lock);
    base_text_fitv(inst->status, sizeof inst->status, fmt, ap);
    pthread_mutex_unlock(&inst->view_lock);
}

static leat_usec host_now(struct leat_ctx *ctx)
{
    return base_time_wall();
}

static int64_t host_monotonic(struct leat_ctx *ctx)
{
    return base_time_mono();
}

// --- events

struct leat_event {
    struct base_list link; // of the instance's events
    struct inst *inst;
    leat_event_fn fn;
    void *arg;
    bool is_timer, closed;
    struct loop_timer timer;
    struct loop_watch watch;
};

static void run_event(struct leat_event *event, uint32_t ready)
{
    struct inst *inst = event->inst;
    struct call_was was = worker_enter(inst, event->is_timer ? "timer" : "watch");
    leat_status st = event->fn(&inst->ctx, event->arg, ready);
    worker_leave(inst, was);
    if (st < 0)
        job_fail(inst);
}

static void timer_fires(void *arg)
{
    run_event(arg, 0);
}

static void watch_ready(void *arg, uint32_t ready)
{
    run_event(arg, ready);
}

// May this function be called for this event, here and now? Its memory stays for one turn after it was closed.
static bool event_is_right(struct leat_event *event, const char *function, bool is_timer)
{
    if (!rules_call(&event->inst->ctx, function, RULES_HOME))
        return false;
    const char *rule = event->closed                 ? "for an event that it has closed"
                       : event->is_timer == is_timer ? NULL
                       : is_timer                    ? "for a watch"
                                                     : "for a timer";
    if (rule)
        rules_broken(event->inst, function, rule);
    return !rule;
}

static struct leat_event *event_create(struct inst *inst, leat_event_fn fn, void *arg)
{
    struct leat_event *event = calloc(1, sizeof *event);
    if (!event)
        return NULL;
    event->inst = inst;
    event->fn = fn;
    event->arg = arg;
    base_list_push_back(&event->inst->events, &event->link);
    return event;
}

static void event_close(struct leat_event *event)
{
    event->closed = true;
    base_list_remove(&event->link);
    if (event->is_timer)
        loop_timer_fini(&event->timer);
    else
        loop_watch_fini(&event->watch);
    // its callback may be running: the memory goes in the next turn
    if (!loop_free_later(event->inst->task->worker->loop, event, free))
        base_log(&event->inst->logger, LEAT_LOG_WARN, "memory", "an event's memory is lost: out of memory");
}

static void host_event_close(struct leat_event *event)
{
    if (event && event_is_right(event, "event_close", event->is_timer))
        event_close(event);
}

void host_close_events(struct inst *inst)
{
    while (!base_list_empty(&inst->events))
        event_close(BASE_LIST_ITEM(inst->events.next, struct leat_event, link));
}

static struct leat_event *host_watch(struct leat_ctx *ctx, int fd, uint32_t ready, leat_event_fn fn, void *arg)
{
    struct leat_event *event = rules_call(ctx, "watch", RULES_HOME) ? event_create(core_of(ctx)->inst, fn, arg) : NULL;
    if (!event)
        return NULL;
    struct loop *loop = event->inst->task->worker->loop;
    if (loop_watch_init(&event->watch, loop, fd, watch_ready, event)) {
        if (loop_watch_for(&event->watch, ready))
            return event;
        loop_watch_fini(&event->watch);
    }
    base_list_remove(&event->link);
    free(event);
    return NULL;
}

static leat_status host_watch_for(struct leat_event *watch, uint32_t ready)
{
    if (!event_is_right(watch, "watch_for", false))
        return LEAT_BUG;
    return loop_watch_for(&watch->watch, ready) ? LEAT_OK : leat_no_memory(&watch->inst->ctx);
}

struct leat_event *inst_timer(struct inst *inst, int64_t usec, leat_event_fn fn, void *arg)
{
    struct leat_event *event = event_create(inst, fn, arg);
    if (!event)
        return NULL;
    event->is_timer = true;
    if (!loop_timer_init(&event->timer, event->inst->task->worker->loop, timer_fires, event)) {
        base_list_remove(&event->link);
        free(event);
        return NULL;
    }
    loop_timer_set(&event->timer, usec);
    return event;
}

leat_status inst_timer_again(struct leat_event *timer, int64_t usec)
{
    loop_timer_set(&timer->timer, usec);
    return LEAT_OK;
}

static struct leat_event *host_timer(struct leat_ctx *ctx, int64_t usec, leat_event_fn fn, void *arg)
{
    return rules_call(ctx, "timer", RULES_HOME) ? inst_timer(core_of(ctx)->inst, usec, fn, arg) : NULL;
}

static leat_status host_timer_again(struct leat_event *timer, int64_t usec)
{
    return event_is_right(timer, "timer_again", true) ? inst_timer_again(timer, usec) : LEAT_BUG;
}

static void host_wake(struct leat_ctx *ctx)
{
    struct inst *inst = core_of(ctx)->inst;
    if (!rules_call_any(ctx, "wake"))
        return;
    atomic_store(&inst->wake_wanted, true);
    task_wake(inst->task);
}

struct posted {
    struct loop_mail mail;
    struct inst *inst;
    leat_event_fn fn;
    void *arg;
};

static void run_posted(struct loop_mail *mail)
{
    struct posted *p = (struct posted *)mail;
    struct inst *inst = p->inst;
    if (!inst->destroyed) {
        struct call_was was = worker_enter(inst, "posted call");
        leat_status st = p->fn(&inst->ctx, p->arg, 0);
        worker_leave(inst, was);
        if (st < 0)
            job_fail(inst);
    }
    free(p);
}

static leat_status host_post(struct leat_ctx *ctx, leat_event_fn fn, void *arg)
{
    if (!rules_call_any(ctx, "post"))
        return LEAT_BUG;
    struct posted *p = malloc(sizeof *p);
    if (!p)
        return leat_no_memory(ctx);
    *p = (struct posted){{NULL, run_posted}, core_of(ctx)->inst, fn, arg};
    loop_post(p->inst->task->worker->loop, &p->mail);
    return LEAT_OK;
}

struct thread_ctx {
    struct leat_ctx ctx;
    struct ctx_core core;
};

static struct leat_ctx *host_thread_ctx_create(struct leat_ctx *ctx)
{
    struct thread_ctx *t = rules_call(ctx, "thread_ctx_create", RULES_HOME) ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->ctx.host = ctx->host;
    t->ctx.core = &t->core;
    t->core.inst = core_of(ctx)->inst;
    return &t->ctx;
}

static void host_thread_ctx_destroy(struct leat_ctx *ctx)
{
    if (!ctx)
        return;
    struct inst *inst = core_of(ctx)->inst;
    if (ctx == &inst->ctx)
        rules_broken(inst, "thread_ctx_destroy", "with its own context");
    else if (rules_call(&inst->ctx, "thread_ctx_destroy", RULES_HOME))
        free(ctx);
}

// --- batches, output, state

static struct leat_batch *host_batch_create(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                            uint8_t bare)
{
    if (!rules_call_any(ctx, "batch_create"))
        return NULL;
    return data_batch_create(ctx->host, schema, capacity, bare, base_time_wall());
}

static leat_status host_emit(struct leat_ctx *ctx, uint32_t port, struct leat_batch *b)
{
    struct inst *inst = core_of(ctx)->inst;
    if (ctx != &inst->ctx) {
        data_batch_unref(b);
        return rules_broken(inst, "emit", "with the context of a helper thread");
    }
    return inst_emit(core_of(ctx)->inst, port, b);
}

#define STATE_MAX ((size_t)64 << 30)

static leat_status host_state_write(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len)
{
    struct state_buffer *b = out->core;
    if (!rules_call(ctx, "state_write", RULES_HOME))
        return LEAT_BUG;
    if (!rules_is_in(core_of(ctx)->inst, "save_state"))
        return rules_broken(core_of(ctx)->inst, "state_write", "outside of save_state");
    if (len > STATE_MAX - b->len)
        return leat_fail(ctx, LEAT_RESOURCE, "LEAT-R0004", "the state of the node is too large");
    if (b->cap - b->len < len) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->len < len)
            cap *= 2;
        uint8_t *grown = realloc(b->ptr, cap);
        if (!grown)
            return leat_no_memory(ctx);
        b->ptr = grown;
        b->cap = cap;
    }
    if (len)
        memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
    return LEAT_OK;
}

// --- formats

static leat_status host_format_open(struct leat_ctx *ctx, const char *option, uint8_t direction,
                                    const struct leat_schema *schema, const uint32_t *columns, uint32_t column_count,
                                    struct leat_format **out)
{
    const struct inst *inst = core_of(ctx)->inst;
    if (!rules_call(ctx, "format_open", RULES_HOME))
        return LEAT_BUG;
    struct leat_format_request request = {
        .struct_size = sizeof request,
        .direction = direction,
        .schema = schema,
        .columns = columns,
        .column_count = column_count,
        .local_time_zone = inst->job->plan->local_time_zone,
    };
    return graph_format_open(ctx, inst->node->formats, inst->node->format_count, option, &request, out);
}

// --- sources

static void host_snapshot_done(struct leat_ctx *ctx)
{
    if (!rules_call(ctx, "snapshot_done", RULES_HOME | RULES_SOURCE))
        return;
    core_of(ctx)->inst->gave = true;
    atomic_store(&core_of(ctx)->inst->snapshot_done, true);
}

static void host_caught_up(struct leat_ctx *ctx)
{
    if (!rules_call(ctx, "caught_up", RULES_HOME | RULES_SOURCE))
        return;
    core_of(ctx)->inst->caught_up = core_of(ctx)->inst->gave = true;
    host_wake(ctx);
}

static uint8_t host_resource_settled(struct leat_ctx *ctx, const char *resource)
{
    struct runtime_job *job = core_of(ctx)->inst->job;
    if (!rules_call(ctx, "resource_settled", RULES_HOME | RULES_SOURCE))
        return 0;
    return !job->events.resource_settled || job->events.resource_settled(job->events.arg, resource);
}

// Behind counts from when it first was, or last moved: a source that was idle for an hour is not late at once.
static void host_progress(struct leat_ctx *ctx, uint64_t current, uint64_t end, int64_t behind)
{
    struct inst *inst = core_of(ctx)->inst;
    if (!rules_call(ctx, "progress", RULES_HOME | RULES_SOURCE))
        return;
    bool moved = atomic_exchange(&inst->view_current, current) != current;
    inst->gave = inst->gave || moved;
    atomic_store(&inst->view_end, end);
    atomic_store(&inst->view_behind, behind);
    base_metric_set(inst->metrics.behind, behind);
    if (end <= current)
        atomic_store(&inst->view_behind_since, 0);
    else if (moved || atomic_load(&inst->view_behind_since) == 0)
        atomic_store(&inst->view_behind_since, base_time_mono());
}

// --- lookups and those who ask them

static leat_status host_lookup_ask(struct leat_ctx *ctx, uint32_t input, const struct leat_batch *keys, uint64_t ticket)
{
    struct inst *inst = core_of(ctx)->inst;
    if (!rules_call(ctx, "lookup_ask", RULES_HOME | RULES_OPERATOR))
        return LEAT_BUG;
    if (!rules_is_in(inst, "process") && !rules_is_in(inst, "process_answer"))
        return rules_broken(inst, "lookup_ask", "outside of process and process_answer");
    return lookup_ask(inst, input, keys, ticket);
}

static void host_lookup_answer(struct leat_ctx *ctx, uint64_t ticket, struct leat_batch *rows,
                               const uint32_t *key_of_row)
{
    struct inst *inst = core_of(ctx)->inst;
    if (inst->node->kind == LEAT_LOOKUP && ctx == &inst->ctx) {
        lookup_answer(inst, ticket, rows, key_of_row);
        return;
    }
    rules_broken(inst, "lookup_answer", ctx == &inst->ctx ? "and is no lookup" : "with the context of a helper thread");
    data_batch_unref(rows);
}

const struct leat_host runtime_host = {
    .struct_size = sizeof(struct leat_host),
    .abi_major = LEAT_ABI_MAJOR,
    .abi_minor = LEAT_ABI_MINOR,
    .alloc = host_alloc,
    .free = host_free,
    .fail = host_fail,
    .error_detail = host_error_detail,
    .error_hint = host_error_hint,
    .error_native = host_error_native,
    .error_move = host_error_move,
    .error_place = host_error_place,
    .diag = host_diag,
    .log = host_log,
    .metric = host_metric,
    .status = host_status,
    .now = host_now,
    .monotonic = host_monotonic,
    .watch = host_watch,
    .watch_for = host_watch_for,
    .timer = host_timer,
    .timer_again = host_timer_again,
    .event_close = host_event_close,
    .wake = host_wake,
    .post = host_post,
    .thread_ctx_create = host_thread_ctx_create,
    .thread_ctx_destroy = host_thread_ctx_destroy,
    .batch_create = host_batch_create,
    .batch_keep = data_batch_keep,
    .batch_attach = data_batch_attach,
    .batch_grow = data_batch_grow,
    .batch_ref = data_batch_ref,
    .batch_unref = data_batch_unref,
    .emit = host_emit,
    .state_write = host_state_write,
    .format_open = host_format_open,
    .snapshot_done = host_snapshot_done,
    .caught_up = host_caught_up,
    .resource_settled = host_resource_settled,
    .progress = host_progress,
    .lookup_answer = host_lookup_answer,
    .lookup_ask = host_lookup_ask,
    .bad_row = host_bad_row,
};
