// SPDX-License-Identifier: Apache-2.0
// An epoch in a job: a barrier is wanted of the sources, every instance saves as it passes, and when the coordinator has
// made it all durable, everybody is told.
//
// Thread: the control loop, but for job_saved, which workers call.
#include <stdlib.h>

#include "runtime/dimension.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

bool runtime_job_gated(struct runtime_job *job)
{
    return atomic_load(&job->gated) > 0;
}

void runtime_job_barrier(struct runtime_job *job, leat_epoch epoch,
                         bool (*want_full)(void *arg, const struct plan_node *node, uint32_t instance))
{
    if (!job->open || job->stopping)
        return;
    job->epoch = epoch;
    job->want_full = want_full;
    job->to_save = 0;
    for (uint32_t i = 0; i < job->inst_count; i++)
        job->to_save += job->insts[i]->node->kind != LEAT_LOOKUP;
    dimension_hold_barriers(job, epoch);
    for (uint32_t i = 0; i < job->task_count; i++) {
        struct task *t = job->tasks[i];
        if (t->insts[0]->node->kind != LEAT_SOURCE || t->holds_barrier)
            continue;
        atomic_store(&t->barrier_wanted, epoch);
        task_wake(t);
    }
}

const char *runtime_job_unsaved(const struct runtime_job *job)
{
    for (uint32_t i = 0; job->epoch && i < job->inst_count; i++)
        if (job->insts[i]->saved_epoch != job->epoch && job->insts[i]->node->kind != LEAT_LOOKUP)
            return job->insts[i]->node->name;
    return NULL;
}

void runtime_job_end_with(struct runtime_job *job, leat_epoch epoch)
{
    atomic_store(&job->last_epoch, epoch);
}

void runtime_job_complete(struct runtime_job *job, leat_epoch epoch)
{
    if (job->stopping)
        return;
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        atomic_store(&inst->complete_epoch, epoch);
        if (!atomic_exchange(&inst->complete_posted, true))
            loop_post(inst->task->worker->loop, &inst->complete_mail);
    }
}

struct saved_mail {
    struct loop_mail mail;
    struct inst *inst;
    leat_epoch epoch;
    struct runtime_saved saved;
};

static void saved_mail(struct loop_mail *mail)
{
    struct saved_mail *m = (struct saved_mail *)mail;
    struct runtime_job *job = m->inst->job;
    if (job->stopping || m->epoch != job->epoch) {
        free(m->saved.bytes);
    } else {
        m->inst->saved_epoch = m->epoch;
        job->events.saved(job->events.arg, m->epoch, &m->saved);
        if (--job->to_save == 0) {
            job->epoch = 0;
            job->events.passed(job->events.arg, m->epoch);
        }
    }
    free(m);
}

void job_saved(struct inst *inst, leat_epoch epoch, const struct leat_state_out *out, uint8_t *bytes, size_t len)
{
    struct saved_mail *m = malloc(sizeof *m);
    if (!m) {
        free(bytes);
        base_no_memory(&inst->core.error);
        job_fail(inst);
        return;
    }
    *m = (struct saved_mail){
        .mail = {NULL, saved_mail},
        .inst = inst,
        .epoch = epoch,
        // an empty image is one too, where a version was set: it takes the place of what was saved before
        .saved = {inst->node, inst->instance, out->version, bytes || out->version ? out->kind : 0, bytes, len,
                  out->whole},
    };
    loop_post(inst->job->runtime->options.control, &m->mail);
}
