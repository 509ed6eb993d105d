// SPDX-License-Identifier: Apache-2.0
// The epochs of one job: a barrier is sent, the states come back, the manifest is written, the sources hear of it.
//
// One epoch at a time. While the manifest is being written, `gather` is the writer's: nothing begins and nothing is freed
// before its mail is back.
//
// Thread: the control loop, but for want_full (workers) and write_mail (the writer).
#include <stdlib.h>

#include "base/time.h"
#include "checkpoint/coordinator_int.h"
#include "fault.h"

#define GATE_LOOK   ((leat_usec)100000)
#define WRITE_AGAIN (2 * BASE_SECOND)

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
    coordinator_fail(c, &error);
}

static void after_epoch(struct coordinator *c)
{
    leat_usec now = base_time_wall();
    if (c->view.has_error && !c->failed) {
        base_log(&c->options.logger, LEAT_LOG_INFO, "checkpoint-goes-on", "checkpoint %llu is written after %lld s",
                 (unsigned long long)c->epoch, (long long)(now - c->began) / BASE_SECOND);
        view_note_error(c, NULL);
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
        view_enter(c, JOB_STOPPING);
        loop_timer_cancel(&c->grace_timer); // the last checkpoint is there, however long closing takes
        runtime_job_stop(c->job);
        return;
    }
    leat_usec spent = now - c->began;
    loop_timer_set(&c->timer, c->stop_wanted || spent > c->options.interval ? 0 : c->options.interval - spent);
}

void epoch_write(struct coordinator *c)
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
        view_log_error(c, &c->write_error, LEAT_LOG_WARN, "checkpoint-waits");
    view_note_error(c, &c->write_error);
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
        coordinator_fail(c, &c->write_error);
    } else {
        c->options.forget_count = 0; // from now on what is saved is what came since
        gather_forget_large(&c->gather);
        if (!c->job_stopped)
            after_epoch(c);
    }
    if (c->job_stopped)
        coordinator_wind_up(c);
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
    epoch_write(c);
}

// No epoch while a dimension is still being read. Who wants to stop need not wait for it: what was given on
// meanwhile will be read again.
static void wait_for_gates(struct coordinator *c)
{
    if (!c->stop_wanted) {
        loop_timer_set(&c->timer, c->options.interval < GATE_LOOK ? c->options.interval : GATE_LOOK);
        return;
    }
    view_enter(c, JOB_STOPPING);
    runtime_job_stop(c->job);
}

void epoch_next(struct coordinator *c)
{
    if (c->epoch || c->failed || view_state(c) != JOB_RUNNING)
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
    view_note_epoch(c, base_time_mono());
    c->snapshot_seen = runtime_job_snapshot_done(c->job);
    if (c->stop_wanted)
        runtime_job_end_with(c->job, c->epoch);
    runtime_job_barrier(c->job, c->epoch, want_full);
    if (c->options.timeout)
        loop_timer_set(&c->epoch_timer, c->options.timeout);
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
    coordinator_fail(c, &error);
}

bool epoch_init(struct coordinator *c)
{
    c->write_mail.fn = write_mail;
    c->written_mail.fn = written_mail;
    c->events.saved = on_saved;
    c->events.passed = on_passed;
    return loop_timer_init(&c->epoch_timer, c->options.control, on_epoch_timeout, c);
}

void epoch_fini(struct coordinator *c)
{
    if (c->epoch_timer.loop)
        loop_timer_fini(&c->epoch_timer);
    store_manifest_fini(&c->gather.manifest);
}
