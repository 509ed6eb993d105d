// SPDX-License-Identifier: Apache-2.0
// How nodes spend their time, and what waits for them.
//
// A task keeps three accounts, idle, busy and blocked, and closes one whenever another begins. Whoever looks adds the
// time that is running, so that a task which has been blocked for an hour is seen before it goes on. The accounts are
// read while they are written: a counter that is odd in between tells the reader to try again.
//
// Thread: task_spend on the worker, the rest any.
#include "base/time.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

void task_spend(struct task *t, uint8_t kind)
{
    int64_t now = base_time_mono();
    atomic_fetch_add(&t->account, 1);
    atomic_fetch_add(&t->spent[t->kind], now - t->mark);
    atomic_store(&t->mark, now);
    atomic_store(&t->kind, kind);
    atomic_fetch_add(&t->account, 1);
}

static void spent(struct task *t, int64_t out[SPEND_KINDS])
{
    uint32_t before;
    do {
        before = atomic_load(&t->account);
        for (int i = 0; i < SPEND_KINDS; i++)
            out[i] = atomic_load(&t->spent[i]);
        out[atomic_load(&t->kind)] += base_time_mono() - atomic_load(&t->mark);
    } while (before % 2 || atomic_load(&t->account) != before);
}

struct totals {
    int64_t spent[SPEND_KINDS]; // microseconds
    int64_t batches, bytes;     // in queues
};

static void add_inst(struct totals *totals, const struct inst *inst)
{
    int64_t more[SPEND_KINDS];
    spent(inst->task, more);
    for (int i = 0; i < SPEND_KINDS; i++)
        totals->spent[i] += more[i];
    for (uint32_t i = 0; i < inst->task->input_count; i++) {
        const struct task_input *in = inst->task->inputs[i];
        if (in->to != inst)
            continue;
        totals->batches += atomic_load(&in->channel.depth);
        totals->bytes += (int64_t)atomic_load(&in->channel.bytes);
    }
}

void runtime_job_publish_times(struct runtime_job *job)
{
    pthread_mutex_lock(&job->shape);
    for (uint32_t i = 0; i < job->plan->node_count; i++) {
        const struct plan_node *node = job->plan->nodes[i];
        struct inst **insts = job->by_node[node->id];
        struct totals totals = {0};
        for (uint32_t k = 0; insts && k < node->parallelism; k++)
            if (insts[k])
                add_inst(&totals, insts[k]);
        if (!insts || !insts[0])
            continue;
        const struct inst_metrics *m = &insts[0]->metrics;
        base_metric_set(m->idle, totals.spent[SPEND_IDLE]);
        base_metric_set(m->busy, totals.spent[SPEND_BUSY]);
        base_metric_set(m->blocked, totals.spent[SPEND_BLOCKED]);
        base_metric_set(m->queue_batches, totals.batches);
        base_metric_set(m->queue_bytes, totals.bytes);
    }
    pthread_mutex_unlock(&job->shape);
}
