// SPDX-License-Identifier: Apache-2.0
// See coordinator.h.
#include "checkpoint/coordinator.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "checkpoint/forget.h"
#include "checkpoint/gather.h"
#include "fault.h"

#define GATE_LOOK   ((leat_usec)100000)
#define WRITE_AGAIN (2 * BASE_SECOND)

struct coordinator {
    struct coordinator_options options;
    struct plan_job *plan;
    struct runtime_job *job;
    struct runtime_events events;
    struct gather gather;           // or being written
    struct store_manifest restored; // given to the job at its start
    struct runtime_piece *pieces;

    leat_epoch epoch;    // under way: from barrier to manifest; 0 = none
    leat_epoch complete; // newest manifest on disk
    bool writing;
    bool must_write;    // the writing failed for want of something, and is tried again when the timer says so
    bool job_stopped;   // everything is closed; what is left waits for the writer
    bool full_wanted;   // first epoch of a run: every node saves everything
    bool snapshot_seen; // the snapshot was over when the barrier started
    bool opened;        // this run has got so far
    leat_epoch lost;    // newest checkpoint, damaged: this run starts from the one before; 0 = it is not so
    leat_usec began;

    struct loop_timer timer;       // next epoch, or next start
    struct loop_timer grace_timer; // stop without a checkpoint
    struct loop_timer epoch_timer; // an epoch takes too long
    bool stop_wanted, last_wanted; // stop after the epoch under way; one more epoch is wanted
    bool finishing;
    enum job_state end_state;
    struct restart_state restart;
    leat_usec wait; // until the next start
    bool failed;

    struct loop_mail write_mail, written_mail;
    leat_status write_status;
    struct base_error write_error;

    atomic_bool settled;
    pthread_mutex_t lock; // of what follows, and of `job` against views
    struct coordinator_view view;
    int64_t *restarts_metric, *running_metric, *epoch_metric, *bytes_metric, *took_metric, *unwritten_metric;
};

static void start_job(struct coordinator *c);
static void next_epoch(struct coordinator *c);

const char *job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_STARTING] = "starting", [JOB_RUNNING] = "running", [JOB_WAITING] = "restarting",
        [JOB_STOPPING] = "stopping", [JOB_STOPPED] = "stopped", [JOB_FINISHED] = "finished",
        [JOB_FAILED] = "failed",
    };
    return names[state];
}

static void enter(struct coordinator *c, enum job_state state)
{
    pthread_mutex_lock(&c->lock);
    c->view.state = state;
    c->view.since = base_time_wall();
    pthread_mutex_unlock(&c->lock);
    base_metric_set(c->running_metric, state == JOB_RUNNING);
    base_log(&c->options.logger, LEAT_LOG_INFO, "job-state", "job \"%s\" is %s", c->options.name,
             job_state_name(state));
}

static enum job_state state_of(const struct coordinator *c)
{
    return c->view.state;
}

static void note_error(struct coordinator *c, const struct base_error *error)
{
    pthread_mutex_lock(&c->lock);
    c->view.has_error = error != NULL;
    if (error)
        c->view.error = *error;
    pthread_mutex_unlock(&c->lock);
}

// --- failures

static bool may_pass(leat_status failure)
{
    return failure == LEAT_TRANSIENT || failure == LEAT_RESOURCE;
}

static void log_error(struct coordinator *c, const struct base_error *e, uint8_t level, const char *event)
{
    struct base_logger who = c->options.logger;
    if (e->node[0])
        who.node = e->node;
    struct base_log_field fields[] = {{"code", e->code},
                                      {"class", base_failure_name(e->failure)},
                                      {"detail", e->detail},
                                      {"native", e->native_text},
                                      {"hint", e->hint}};
    base_log_fields(&who, level, event, fields, 5, "%s", e->message);
}

// Health, log and metrics tell the same failure, with the same code.
static void tell(struct coordinator *c, const struct base_error *e, enum job_state end)
{
    static const struct base_metric_desc desc = {"leat_job_failures_total", LEAT_METRIC_COUNTER, 1,
                                                 "Failures that ended a run of the job, by node and error code."};
    struct base_metric_labels labels = {
        .pipeline = c->options.logger.pipeline, .node = e->node, .name = "code", .value = e->code};
    int64_t *failures = base_metrics_add(c->options.metrics, &desc, &labels);
    if (failures)
        base_metric_inc(failures, 1);
    if (end == JOB_FAILED && c->options.store) // else leat sql, which tells it itself
        log_error(c, e, LEAT_LOG_ERROR, "job-failed");
    else if (end != JOB_FAILED)
        log_error(c, e, LEAT_LOG_WARN, end == JOB_WAITING ? "job-restarts" : "stop-without-checkpoint");
    note_error(c, e);
}

static enum job_state end_after(struct coordinator *c, struct base_error *e)
{
    if (!may_pass(e->failure))
        return JOB_FAILED;
    if (c->stop_wanted)
        return JOB_STOPPED;
    leat_usec now = loop_now(c->options.control);
    if (restart_after(&c->options.restart, &c->restart, now, (uint64_t)base_time_mono() * 0x9e3779b97f4a7c15u >> 20,
                      &c->wait)) {
        if (c->wait < e->retry_delay)
            c->wait = e->retry_delay;
        return JOB_WAITING;
    }
    if (!e->hint[0] && c->options.restart.kind == RESTART_FIXED)
        base_error_hint(e, "The job was started again as often as restart-strategy.fixed-delay.attempts = %lld allows.",
                        (long long)c->options.restart.attempts);
    return JOB_FAILED;
}

// What cannot be had again since the checkpoint that says so is damaged looks like somebody else's fault.
static void say_what_was_lost(struct coordinator *c, struct base_error *e)
{
    if (!c->lost || !c->restored.epoch || c->opened || may_pass(e->failure))
        return;
    char more[sizeof e->detail];
    memcpy(more, e->detail, sizeof more);
    base_error_detail(
        e,
        "Checkpoint %llu is damaged, so the job goes back to checkpoint %llu; that is possible only if the "
        "sources can still give what came after it.%s%s",
        (unsigned long long)c->lost, (unsigned long long)c->restored.epoch, more[0] ? " " : "", more);
}

// From this moment the job winds down; what comes next is decided in on_stopped.
static void fail(struct coordinator *c, const struct base_error *error)
{
    if (c->failed)
        return;
    c->failed = true;
    // a bounded job that fails in its last epoch has not finished
    if (c->finishing)
        c->stop_wanted = c->last_wanted = c->finishing = false;
    struct base_error e = *error;
    say_what_was_lost(c, &e);
    c->end_state = end_after(c, &e);
    tell(c, &e, c->end_state);
    loop_timer_cancel(&c->timer);
    loop_timer_cancel(&c->epoch_timer);
    if (c->job)
        runtime_job_stop(c->job);
}

static void forget_job(struct coordinator *c)
{
    pthread_mutex_lock(&c->lock);
    struct runtime_job *job = c->job;
    c->job = NULL;
    pthread_mutex_unlock(&c->lock);
    runtime_job_destroy(job);
    if (c->plan)
        c->options.planner.destroy(c->options.planner.arg, c->plan);
    c->plan = NULL;
    store_manifest_fini(&c->restored);
    free(c->pieces);
    c->pieces = NULL;
}

static void wind_up(struct coordinator *c)
{
    forget_job(c);
    loop_timer_cancel(&c->grace_timer);
    if (c->end_state == JOB_WAITING && !c->stop_wanted) {
        pthread_mutex_lock(&c->lock);
        c->view.retry_at = base_time_wall() + c->wait;
        pthread_mutex_unlock(&c->lock);
        enter(c, JOB_WAITING);
        loop_timer_set(&c->timer, c->wait);
        return;
    }
    enum job_state end = c->end_state == JOB_WAITING ? JOB_STOPPED : c->end_state;
    enter(c, end);
    c->options.ended(c->options.arg, c->options.job, end);
}

static void note_epoch(struct coordinator *c, leat_usec since)
{
    pthread_mutex_lock(&c->lock);
    c->view.epoch_since = since;
    pthread_mutex_unlock(&c->lock);
}

static void on_stopped(void *arg)
{
    struct coordinator *c = arg;
    c->epoch = 0;
    note_epoch(c, 0);
    c->job_stopped = true;
    // a manifest that is still being written holds `gather`; its mail comes first
    if (!c->writing)
        wind_up(c);
}

static void on_failed(void *arg, const struct base_error *error)
{
    fail(arg, error);
}

// --- epochs

static bool want_full(void *arg, const struct plan_node *node, uint32_t instance)
{
    // called on workers while the control loop leaves `gather` alone: between barrier and the last `saved` only this
    // instance's entry is looked at before it has saved
    struct coordinator *c = arg;
    if (c->full_wanted)
        return true;
    pthread_mutex_lock(&c->lock);
    bool want = gather_wants_full(&c->gather, node->name, instance);
    pthread_mutex_unlock(&c->lock);
    return want;
}

static void on_saved(void *arg, leat_epoch epoch, struct runtime_saved *saved)
{
    struct coordinator *c = arg;
    pthread_mutex_lock(&c->lock);
    bool ok = gather_take(&c->gather, saved);
    pthread_mutex_unlock(&c->lock);
    if (ok)
        return;
    free(saved->bytes);
    struct base_error error;
    base_no_memory(&error);
    fail(c, &error);
}

static void after_epoch(struct coordinator *c)
{
    leat_usec now = base_time_wall();
    if (c->view.has_error && !c->failed) {
        base_log(&c->options.logger, LEAT_LOG_INFO, "checkpoint-goes-on", "checkpoint %llu is written after %lld s",
                 (unsigned long long)c->epoch, (long long)(now - c->began) / BASE_SECOND);
        note_error(c, NULL);
    }
    pthread_mutex_lock(&c->lock);
    c->view.epoch = c->epoch;
    c->view.epoch_since = 0;
    c->view.epoch_at = now;
    c->view.epoch_took = now - c->began;
    c->view.epoch_bytes = c->gather.bytes;
    pthread_mutex_unlock(&c->lock);
    base_metric_set(c->epoch_metric, (int64_t)c->epoch);
    base_metric_set(c->bytes_metric, (int64_t)c->gather.bytes);
    base_metric_set(c->took_metric, now - c->began);
    if (c->snapshot_seen)
        atomic_store(&c->settled, true);
    c->complete = c->epoch;
    c->full_wanted = false;
    loop_timer_cancel(&c->epoch_timer);
    LEAT_FAULT("checkpoint-before-complete");
    if (c->job && !c->failed)
        runtime_job_complete(c->job, c->epoch);
    c->epoch = 0;
    if (c->failed)
        return;
    if (c->stop_wanted && !c->last_wanted) {
        enter(c, JOB_STOPPING);
        loop_timer_cancel(&c->grace_timer); // the last checkpoint is there, however long closing takes
        runtime_job_stop(c->job);
        return;
    }
    leat_usec spent = now - c->began;
    loop_timer_set(&c->timer, c->stop_wanted || spent > c->options.interval ? 0 : c->options.interval - spent);
}

static void write_held(struct coordinator *c)
{
    c->must_write = false;
    c->writing = true;
    loop_post(c->options.writer, &c->write_mail);
}

// A full disk is no reason to begin again: rows go on, nothing is acknowledged, and the same states are written when
// there is room. Who looks at health sees why.
static void write_later(struct coordinator *c)
{
    base_metric_inc(c->unwritten_metric, 1);
    base_error_detail(&c->write_error,
                      "Rows go on and nothing is acknowledged to the sources. The same states are written "
                      "when it can be done; leat tries again every 2 s.");
    if (!c->view.has_error)
        log_error(c, &c->write_error, LEAT_LOG_WARN, "checkpoint-waits");
    note_error(c, &c->write_error);
    c->must_write = true;
    loop_timer_cancel(&c->epoch_timer);
    loop_timer_set(&c->timer, WRITE_AGAIN);
}

static void written_mail(struct loop_mail *mail)
{
    struct coordinator *c = (struct coordinator *)((char *)mail - offsetof(struct coordinator, written_mail));
    c->writing = false;
    if (c->write_status < 0)
        base_error_wrap(&c->write_error, "checkpoint %llu", (unsigned long long)c->gather.manifest.epoch);
    if (c->write_status == LEAT_RESOURCE && !c->failed && !c->job_stopped) {
        write_later(c);
    } else if (c->write_status < 0) {
        fail(c, &c->write_error);
    } else {
        c->options.forget_count = 0; // from now on what is saved is what came since
        gather_forget_large(&c->gather);
        if (!c->job_stopped)
            after_epoch(c);
    }
    if (c->job_stopped)
        wind_up(c);
}

static void write_mail(struct loop_mail *mail)
{
    struct coordinator *c = (struct coordinator *)((char *)mail - offsetof(struct coordinator, write_mail));
    c->write_status = store_write(c->options.store, c->options.name, &c->gather.manifest, &c->write_error);
    if (c->write_status >= 0) {
        store_prune(c->options.store, c->options.name);
        if (c->options.written)
            c->options.written(c->options.arg, c->options.job);
    }
    loop_post(c->options.control, &c->written_mail);
}

static void on_passed(void *arg, leat_epoch epoch)
{
    struct coordinator *c = arg;
    if (c->failed)
        return;
    if (!c->options.store || (!c->gather.changed && c->complete)) {
        after_epoch(c); // nothing new to remember: the manifest on disk says it all
        return;
    }
    c->gather.manifest.epoch = epoch;
    write_held(c);
}

// No epoch while a dimension is still being read. Who wants to stop need not wait for it: what was given on
// meanwhile will be read again.
static void wait_for_gates(struct coordinator *c)
{
    if (!c->stop_wanted) {
        loop_timer_set(&c->timer, c->options.interval < GATE_LOOK ? c->options.interval : GATE_LOOK);
        return;
    }
    enter(c, JOB_STOPPING);
    runtime_job_stop(c->job);
}

static void next_epoch(struct coordinator *c)
{
    if (c->epoch || c->failed || state_of(c) != JOB_RUNNING)
        return;
    if (runtime_job_gated(c->job)) {
        wait_for_gates(c);
        return;
    }
    c->last_wanted = false;
    c->epoch = c->options.store ? store_next_epoch(c->options.store) : c->complete + 1;
    c->gather.changed = false;
    c->gather.bytes = 0;
    c->began = base_time_wall();
    note_epoch(c, base_time_mono());
    c->snapshot_seen = runtime_job_snapshot_done(c->job);
    if (c->stop_wanted)
        runtime_job_end_with(c->job, c->epoch);
    runtime_job_barrier(c->job, c->epoch, want_full);
    if (c->options.timeout)
        loop_timer_set(&c->epoch_timer, c->options.timeout);
}

static void start_again(struct coordinator *c)
{
    pthread_mutex_lock(&c->lock);
    c->view.restarts++;
    pthread_mutex_unlock(&c->lock);
    base_metric_inc(c->restarts_metric, 1);
    start_job(c);
}

static void on_timer(void *arg)
{
    struct coordinator *c = arg;
    if (state_of(c) == JOB_WAITING)
        start_again(c);
    else if (c->must_write && !c->failed)
        write_held(c);
    else
        next_epoch(c);
}

// An epoch that never ends would hold back what sources may forget, without a word.
static void on_epoch_timeout(void *arg)
{
    struct coordinator *c = arg;
    const char *node = c->job ? runtime_job_unsaved(c->job) : NULL;
    char limit[BASE_TIME_TEXT];
    struct base_error error;
    base_duration_print(c->options.timeout, limit);
    base_fail(&error, LEAT_TRANSIENT, "LEAT-T0006", "checkpoint %llu was not complete after %s: %s%s%s",
              (unsigned long long)c->epoch, limit, node ? "node \"" : "its file is not written yet", node ? node : "",
              node ? "\" has not passed it" : "");
    if (node)
        base_error_node(&error, node);
    base_error_hint(&error, "Look at what the node waits for; if it only needs more time, raise checkpoint.timeout.");
    fail(c, &error);
}

// --- start and stop

static void on_opened(void *arg)
{
    struct coordinator *c = arg;
    c->opened = true;
    note_error(c, NULL); // first: a job that runs and has an error counts as failing
    enter(c, JOB_RUNNING);
    // the first one comes early: a process that dies again and again still gets ahead
    loop_timer_set(&c->timer, c->stop_wanted ? 0 : c->options.interval / 4);
}

static void on_finished(void *arg)
{
    struct coordinator *c = arg;
    if (c->stop_wanted || c->failed)
        return;
    // the last rows are durable; one more epoch records that, then the job ends
    c->stop_wanted = c->last_wanted = c->finishing = true;
    c->end_state = JOB_FINISHED;
    loop_timer_set(&c->timer, 0);
}

static leat_status on_complete_plan(void *arg, struct plan_job *plan, struct base_error *error)
{
    struct coordinator *c = arg;
    return c->options.planner.complete(c->options.planner.arg, plan, error);
}

static int on_resource_settled(void *arg, const char *resource)
{
    struct coordinator *c = arg;
    return c->options.resource_settled(c->options.arg, resource);
}

static bool is_older(const struct coordinator *c, const struct store_damaged *d)
{
    return d->instead && d->epoch > c->restored.epoch && strcmp(d->job, c->options.name) == 0;
}

// Going back to an older checkpoint is never silent.
static void tell_damaged(struct coordinator *c)
{
    leat_epoch before = c->lost;
    const struct store_damaged *d;
    c->lost = 0;
    for (uint32_t i = 0; (d = store_passed_over(c->options.store, i)); i++)
        if (is_older(c, d) && d->epoch > c->lost)
            c->lost = d->epoch;
    if (!c->lost || c->lost == before) // a run before has told it
        return;
    for (uint32_t i = 0; (d = store_passed_over(c->options.store, i)); i++)
        if (is_older(c, d))
            log_error(c, &d->why, LEAT_LOG_ERROR, "checkpoint-damaged");
    base_log(&c->options.logger, LEAT_LOG_WARN, "checkpoint-older",
             "going back to checkpoint %llu: what came after it is read and delivered again, if the sources still have "
             "it",
             (unsigned long long)c->restored.epoch);
}

// A source that an older checkpoint does not know would begin as on its first day, and skip what came in between.
static leat_status check_sources(const struct coordinator *c, struct base_error *error)
{
    for (uint32_t i = 0; c->lost && i < c->plan->node_count; i++) {
        const struct plan_node *node = c->plan->nodes[i];
        bool known = node->kind != LEAT_SOURCE || !node->component->source->save_state ||
                     forget_has(c->options.forget, c->options.forget_count, node->name);
        for (uint32_t k = 0; k < c->restored.state_count && !known; k++)
            known = strcmp(c->restored.states[k].node, node->name) == 0;
        if (known)
            continue;
        base_fail(error, LEAT_FATAL, "LEAT-T0008",
                  "checkpoint %llu is damaged, and checkpoint %llu does not know where source \"%s\" stood",
                  (unsigned long long)c->lost, (unsigned long long)c->restored.epoch, node->name);
        base_error_node(error, node->name);
        base_error_hint(error, "Restore the checkpoint folder of the pipeline from a backup, or remove it and start "
                               "anew (sources then begin as on their first start).");
        return LEAT_FATAL;
    }
    return LEAT_OK;
}

// The newest states of the job's nodes, but for those that are to be forgotten.
static leat_status load_states(struct coordinator *c, struct base_error *error)
{
    const struct coordinator_options *o = &c->options;
    const char **names = calloc(o->node_count + 1, sizeof *names);
    uint32_t n = 0;
    if (!names)
        return base_no_memory(error);
    for (uint32_t i = 0; i < o->node_count; i++)
        if (!forget_has(o->forget, o->forget_count, o->nodes[i]))
            names[n++] = o->nodes[i];
    leat_status st = store_load(o->store, names, n, &c->restored, error);
    free(names);
    return st;
}

static leat_status restore(struct coordinator *c, struct base_error *error)
{
    c->gather.manifest.epoch = 0;
    store_manifest_fini(&c->gather.manifest);
    store_manifest_fini(&c->restored);
    if (!c->options.store)
        return LEAT_OK;
    leat_status st = load_states(c, error);
    if (st < 0)
        return st;
    tell_damaged(c);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->restored.state_count; i++)
        n += c->restored.states[i].piece_count;
    c->pieces = calloc(n ? n : 1, sizeof *c->pieces);
    if (!c->pieces)
        return base_no_memory(error);
    return LEAT_OK;
}

static uint32_t list_pieces(struct coordinator *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->restored.state_count; i++) {
        const struct store_state *s = &c->restored.states[i];
        for (uint32_t k = 0; k < s->piece_count; k++) {
            const struct store_piece *p = &s->pieces[k];
            c->pieces[n++] = (struct runtime_piece){
                s->node, {p->version, p->kind, s->instance, s->instances, p->bytes, p->len}, s->shape, s->words};
        }
    }
    return n;
}

static void fail_start(struct coordinator *c, struct base_error *error)
{
    fail(c, error);
    wind_up(c);
}

static void start_job(struct coordinator *c)
{
    struct base_error error;
    base_error_clear(&error);
    enter(c, JOB_STARTING);
    c->failed = c->job_stopped = c->opened = c->must_write = false;
    c->full_wanted = true;
    c->gather.changed = false;
    c->complete = 0;
    c->epoch = 0;
    c->end_state = JOB_STOPPED;
    if (restore(c, &error) < 0 ||
        !(c->plan = c->options.planner.make(c->options.planner.arg, c->options.job, &error)) ||
        check_sources(c, &error) < 0) {
        fail_start(c, &error);
        return;
    }
    struct runtime_job_options options = {
        .plan = c->plan,
        .events = &c->events,
        .pieces = c->pieces,
        .piece_count = list_pieces(c),
        .first_run = !c->options.store || c->restored.state_count == 0,
        .transient = !c->options.store,
        .data_dir = c->options.store ? store_dir(c->options.store) : "/tmp",
        .log_level = c->options.logger.level,
        .transaction_memory = c->options.transaction_memory,
    };
    struct runtime_job *job = runtime_job_start(c->options.runtime, &options, &error);
    if (!job) {
        fail_start(c, &error);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->job = job;
    pthread_mutex_unlock(&c->lock);
}

void coordinator_start(struct coordinator *c)
{
    start_job(c);
}

static void on_grace(void *arg)
{
    struct coordinator *c = arg;
    if (!c->job)
        return;
    base_log(&c->options.logger, LEAT_LOG_WARN, "stop-without-checkpoint",
             "job \"%s\" is stopped without a last checkpoint: what was not acknowledged will be read again",
             c->options.name);
    c->failed = true;
    c->end_state = JOB_STOPPED;
    loop_timer_cancel(&c->epoch_timer);
    runtime_job_stop(c->job);
}

void coordinator_stop(struct coordinator *c, leat_usec grace)
{
    if (c->finishing)
        c->finishing = false; // it is stopping already; from now on because somebody asked
    else if (c->stop_wanted)
        return;
    enum job_state state = state_of(c);
    c->stop_wanted = c->last_wanted = true;
    if (state == JOB_WAITING) {
        loop_timer_cancel(&c->timer);
        enter(c, JOB_STOPPED);
        c->options.ended(c->options.arg, c->options.job, JOB_STOPPED);
    } else if (state == JOB_STARTING && c->job) {
        c->failed = true;
        c->end_state = JOB_STOPPED;
        runtime_job_stop(c->job);
    } else if (state == JOB_RUNNING) {
        loop_timer_set(&c->grace_timer, grace);
        if (!c->failed)
            loop_timer_set(&c->timer, 0); // an epoch under way is followed by a last one
    }
}

struct coordinator *coordinator_create(const struct coordinator_options *options, struct base_error *error)
{
    struct coordinator *c = calloc(1, sizeof *c);
    if (!c) {
        base_no_memory(error);
        return NULL;
    }
    c->options = *options;
    pthread_mutex_init(&c->lock, NULL);
    c->write_mail.fn = write_mail;
    c->written_mail.fn = written_mail;
    c->events = (struct runtime_events){
        .arg = c,
        .complete_plan = on_complete_plan,
        .opened = on_opened,
        .saved = on_saved,
        .passed = on_passed,
        .finished = on_finished,
        .failed = on_failed,
        .stopped = on_stopped,
        .resource_settled = on_resource_settled,
    };
    static const struct base_metric_desc descs[] = {
        {"leat_job_restarts_total", LEAT_METRIC_COUNTER, 1, "Times the job was started again after a failure."},
        {"leat_job_running", LEAT_METRIC_GAUGE, 1, "1 while the job runs, with everything open; else 0."},
        {"leat_checkpoint_epoch", LEAT_METRIC_GAUGE, 1, "Newest complete checkpoint."},
        {"leat_checkpoint_bytes", LEAT_METRIC_GAUGE, 1, "Bytes that the newest checkpoint wrote."},
        {"leat_checkpoint_seconds", LEAT_METRIC_GAUGE, 1000000, "Time from barrier to durable manifest."},
        {"leat_checkpoint_retries_total", LEAT_METRIC_COUNTER, 1,
         "Times a checkpoint could not be written for want of disk, and was tried again."},
    };
    int64_t **numbers[] = {&c->restarts_metric, &c->running_metric, &c->epoch_metric,
                           &c->bytes_metric,    &c->took_metric,    &c->unwritten_metric};
    struct base_metric_labels labels = {.pipeline = options->logger.pipeline, .name = "job", .value = options->name};
    bool ok = loop_timer_init(&c->timer, options->control, on_timer, c) &&
              loop_timer_init(&c->grace_timer, options->control, on_grace, c) &&
              loop_timer_init(&c->epoch_timer, options->control, on_epoch_timeout, c);
    for (size_t i = 0; i < sizeof descs / sizeof descs[0] && ok; i++)
        ok = (*numbers[i] = base_metrics_add(options->metrics, &descs[i], &labels)) != NULL;
    if (!ok) {
        base_no_memory(error);
        coordinator_destroy(c);
        return NULL;
    }
    return c;
}

void coordinator_destroy(struct coordinator *c)
{
    if (!c)
        return;
    if (c->timer.loop)
        loop_timer_fini(&c->timer);
    if (c->grace_timer.loop)
        loop_timer_fini(&c->grace_timer);
    if (c->epoch_timer.loop)
        loop_timer_fini(&c->epoch_timer);
    store_manifest_fini(&c->gather.manifest);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool coordinator_settled(const struct coordinator *c)
{
    return atomic_load(&c->settled);
}

void coordinator_view(struct coordinator *c, struct coordinator_view *view, struct runtime_node_view *nodes,
                      uint32_t max, uint32_t *count)
{
    pthread_mutex_lock(&c->lock);
    *view = c->view;
    *count = c->job ? runtime_job_view(c->job, nodes, max) : 0;
    pthread_mutex_unlock(&c->lock);
}

void coordinator_publish_times(struct coordinator *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->job)
        runtime_job_publish_times(c->job);
    pthread_mutex_unlock(&c->lock);
}
