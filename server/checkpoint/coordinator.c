// SPDX-License-Identifier: Apache-2.0
// See coordinator.h. Here: the life of a job, how it starts, fails, starts again and stops.
#include "checkpoint/coordinator.h"

#include <stdlib.h>

#include "base/time.h"
#include "checkpoint/coordinator_int.h"

static void start_job(struct coordinator *c);

// --- failures

static enum job_state end_after(struct coordinator *c, struct base_error *e)
{
    if (!failure_may_pass(e->failure))
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

void coordinator_fail(struct coordinator *c, const struct base_error *error)
{
    if (c->failed)
        return;
    c->failed = true;
    // a bounded job that fails in its last epoch has not finished
    if (c->finishing)
        c->stop_wanted = c->last_wanted = c->finishing = false;
    struct base_error e = *error;
    restore_say_what_was_lost(c, &e);
    c->end_state = end_after(c, &e);
    view_tell_failure(c, &e, c->end_state);
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

void coordinator_wind_up(struct coordinator *c)
{
    forget_job(c);
    loop_timer_cancel(&c->grace_timer);
    if (c->end_state == JOB_WAITING && !c->stop_wanted) {
        pthread_mutex_lock(&c->lock);
        c->view.retry_at = base_time_wall() + c->wait;
        pthread_mutex_unlock(&c->lock);
        view_enter(c, JOB_WAITING);
        loop_timer_set(&c->timer, c->wait);
        return;
    }
    enum job_state end = c->end_state == JOB_WAITING ? JOB_STOPPED : c->end_state;
    view_enter(c, end);
    c->options.ended(c->options.arg, c->options.job, end);
}

static void on_stopped(void *arg)
{
    struct coordinator *c = arg;
    c->epoch = 0;
    view_note_epoch(c, 0);
    c->job_stopped = true;
    // a manifest that is still being written holds `gather`; its mail comes first
    if (!c->writing)
        coordinator_wind_up(c);
}

static void on_failed(void *arg, const struct base_error *error)
{
    coordinator_fail(arg, error);
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
    if (view_state(c) == JOB_WAITING)
        start_again(c);
    else if (c->must_write && !c->failed)
        epoch_write(c);
    else
        epoch_next(c);
}

// --- start and stop

static void on_opened(void *arg)
{
    struct coordinator *c = arg;
    c->opened = true;
    view_note_error(c, NULL); // first: a job that runs and has an error counts as failing
    view_enter(c, JOB_RUNNING);
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

static void fail_start(struct coordinator *c, struct base_error *error)
{
    coordinator_fail(c, error);
    coordinator_wind_up(c);
}

static void start_job(struct coordinator *c)
{
    struct base_error error;
    base_error_clear(&error);
    view_enter(c, JOB_STARTING);
    c->failed = c->job_stopped = c->opened = c->must_write = false;
    c->full_wanted = true;
    c->gather.changed = false;
    c->complete = 0;
    c->epoch = 0;
    c->end_state = JOB_STOPPED;
    if (restore_load(c, &error) < 0 ||
        !(c->plan = c->options.planner.make(c->options.planner.arg, c->options.job, &error)) ||
        restore_check_sources(c, &error) < 0) {
        fail_start(c, &error);
        return;
    }
    struct runtime_job_options options = {
        .plan = c->plan,
        .events = &c->events,
        .pieces = c->pieces,
        .piece_count = restore_list_pieces(c),
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
    enum job_state state = view_state(c);
    c->stop_wanted = c->last_wanted = true;
    if (state == JOB_WAITING) {
        loop_timer_cancel(&c->timer);
        view_enter(c, JOB_STOPPED);
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
    c->events = (struct runtime_events){
        .arg = c,
        .complete_plan = on_complete_plan,
        .opened = on_opened,
        .finished = on_finished,
        .failed = on_failed,
        .stopped = on_stopped,
        .resource_settled = on_resource_settled,
    };
    bool ok = loop_timer_init(&c->timer, options->control, on_timer, c) &&
              loop_timer_init(&c->grace_timer, options->control, on_grace, c) && epoch_init(c) && view_init(c);
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
    epoch_fini(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
