// SPDX-License-Identifier: Apache-2.0
// What health shows of a job's nodes: the instances of a node taken together.
//
// Thread: any. The plan and the lists of instances are read under `shape`, numbers as atomics, the plugin's sentence
// under the instance's own lock.
#include <string.h>

#include "runtime/runtime_int.h"

// The instance that has stood still longest counts: others may well move beside it.
static void earliest(leat_usec *time, leat_usec other)
{
    if (other && (!*time || other < *time))
        *time = other;
}

static void view_inst(struct inst *inst, struct runtime_node_view *v)
{
    pthread_mutex_lock(&inst->view_lock);
    if (!v->status[0])
        memcpy(v->status, inst->status, sizeof v->status);
    pthread_mutex_unlock(&inst->view_lock);
    v->current += atomic_load(&inst->view_current);
    v->end += atomic_load(&inst->view_end);
    int64_t behind = atomic_load(&inst->view_behind);
    if (behind >= 0)
        v->behind = v->behind < 0 ? behind : v->behind + behind;
    earliest(&v->behind_since, atomic_load(&inst->view_behind_since));
    earliest(&v->refuses_since, atomic_load(&inst->view_refuses_since));
    v->snapshot_done = v->snapshot_done && atomic_load(&inst->snapshot_done);
}

uint32_t runtime_job_view(struct runtime_job *job, struct runtime_node_view *views, uint32_t max)
{
    uint32_t n = 0;
    pthread_mutex_lock(&job->shape);
    for (uint32_t i = 0; i < job->plan->node_count && n < max; i++) {
        const struct plan_node *node = job->plan->nodes[i];
        struct inst **insts = job->by_node[node->id];
        if (!insts || !insts[0])
            continue;
        struct runtime_node_view *v = &views[n++];
        *v = (struct runtime_node_view){.node = insts[0]->site->node,
                                        .component = insts[0]->site->component,
                                        .kind = node->kind,
                                        .behind = -1,
                                        .snapshot_done = true,
                                        .has_snapshot = node->kind == LEAT_SOURCE && node->source_plan.has_snapshot};
        for (uint32_t k = 0; k < node->parallelism; k++) {
            struct inst *inst = job->by_node[node->id][k];
            if (!inst)
                continue;
            view_inst(inst, v);
            v->rows_in = (uint64_t)base_metric_get(inst->metrics.rows_in);
            v->rows_out = (uint64_t)base_metric_get(inst->metrics.rows_out);
        }
    }
    pthread_mutex_unlock(&job->shape);
    return n;
}

bool runtime_job_snapshot_done(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        if (inst->node->kind == LEAT_SOURCE && inst->node->source_plan.has_snapshot &&
            !atomic_load(&inst->snapshot_done))
            return false;
    }
    return true;
}
