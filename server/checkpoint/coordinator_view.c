// SPDX-License-Identifier: Apache-2.0
// What is told of a job: its state and its failures, in health, log and metrics alike.
//
// Thread: the control loop, but for the last three, which any thread may call.
#include "base/str.h"
#include "base/time.h"
#include "checkpoint/coordinator_int.h"

bool view_init(struct coordinator *c)
{
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
    struct base_metric_labels labels = {
        .pipeline = c->options.logger.pipeline, .name = "job", .value = c->options.name};
    for (size_t i = 0; i < sizeof descs / sizeof descs[0]; i++)
        if (!(*numbers[i] = base_metrics_add(c->options.metrics, &descs[i], &labels)))
            return false;
    return true;
}

const char *job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_STARTING] = "starting", [JOB_RUNNING] = "running", [JOB_WAITING] = "restarting",
        [JOB_STOPPING] = "stopping", [JOB_STOPPED] = "stopped", [JOB_FINISHED] = "finished",
        [JOB_FAILED] = "failed",
    };
    return names[state];
}

void view_enter(struct coordinator *c, enum job_state state)
{
    pthread_mutex_lock(&c->lock);
    c->view.state = state;
    c->view.since = base_time_wall();
    pthread_mutex_unlock(&c->lock);
    base_metric_set(c->running_metric, state == JOB_RUNNING);
    base_log(&c->options.logger, LEAT_LOG_INFO, "job-state", "job \"%s\" is %s", c->options.name,
             job_state_name(state));
}

enum job_state view_state(const struct coordinator *c)
{
    return c->view.state; // nobody else writes it
}

void view_note_error(struct coordinator *c, const struct base_error *error)
{
    pthread_mutex_lock(&c->lock);
    c->view.has_error = error != NULL;
    if (error)
        c->view.error = *error;
    pthread_mutex_unlock(&c->lock);
}

void view_log_error(struct coordinator *c, const struct base_error *e, uint8_t level, const char *event)
{
    struct base_logger who = c->options.logger;
    if (e->node[0])
        who.node = e->node;
    struct base_log_field fields[] = {
        {.key = "code", .value = e->code},
        {.key = "position", .value = e->position, .machine = true},
        {.key = "class", .value = base_failure_name(e->failure)},
        {.key = "detail", .value = e->detail},
        {.key = "native", .value = e->native_text},
        {.key = "hint", .value = e->hint},
    };
    base_log_fields(&who, level, event, fields, 6, "%s", e->message);
}

void view_tell_failure(struct coordinator *c, const struct base_error *e, enum job_state end)
{
    static const struct base_metric_desc desc = {"leat_job_failures_total", LEAT_METRIC_COUNTER, 1,
                                                 "Failures that ended a run of the job, by node and error code."};
    struct base_metric_labels labels = {
        .pipeline = c->options.logger.pipeline, .node = e->node, .name = "code", .value = e->code};
    int64_t *failures = base_metrics_add(c->options.metrics, &desc, &labels);
    if (failures)
        base_metric_inc(failures, 1);
    if (end == JOB_FAILED && c->options.store) // else leat sql, which tells it itself
        view_log_error(c, e, LEAT_LOG_ERROR, "job-failed");
    else if (end != JOB_FAILED)
        view_log_error(c, e, LEAT_LOG_WARN, end == JOB_WAITING ? "job-restarts" : "stop-without-checkpoint");
    view_note_error(c, e);
}

void view_note_epoch(struct coordinator *c, leat_usec since)
{
    pthread_mutex_lock(&c->lock);
    c->view.epoch_since = since;
    pthread_mutex_unlock(&c->lock);
}

void coordinator_waits(const struct coordinator *c, struct base_str *what)
{
    if (!c->job)
        return;
    const char *open = runtime_job_unclosed(c->job), *behind = runtime_job_unsaved(c->job);
    base_str_addz(what, what->len ? "; " : "");
    if (open)
        base_str_addf(what, "node \"%s\" has not closed yet", open);
    else if (behind)
        base_str_addf(what, "node \"%s\" has not passed the last checkpoint yet", behind);
    else
        base_str_addf(what, "the last checkpoint of job \"%s\" is not written yet", c->options.name);
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
