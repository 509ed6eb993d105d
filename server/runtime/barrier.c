// SPDX-License-Identifier: Apache-2.0
// A barrier on its way through a task: one instance after the other makes durable what it was given, saves its state and
// sends the barrier on. Nothing else moves in the task meanwhile.
//
// Thread: the worker.
#include <stdlib.h>

#include "fault.h"
#include "runtime/task.h"

static leat_status call_save(struct inst *inst, struct leat_state_out *out)
{
    const struct leat_component *c = inst->node->component;
    leat_status (*fn)(struct leat_ctx *, void *, struct leat_state_out *) =
        inst->node->kind == LEAT_SOURCE ? c->source->save_state
        : inst->node->kind == LEAT_SINK ? c->sink->save_state
                                        : c->op->save_state;
    return fn ? fn(&inst->ctx, inst->self, out) : LEAT_OK;
}

static leat_status save(struct inst *inst, leat_epoch epoch)
{
    struct state_buffer buffer = {0};
    struct leat_state_out out = {.core = &buffer, .kind = LEAT_STATE_DELTA, .epoch = epoch};
    if (!inst->job->want_full || inst->job->want_full(inst->job->events.arg, inst->node, inst->instance))
        out.kind = LEAT_STATE_FULL;
    struct call_was was = worker_enter(inst, "save_state");
    uint8_t asked = out.kind;
    leat_status st = rules_status(inst, "save_state", call_save(inst, &out), 0);
    if (st == LEAT_OK)
        st = rules_saved(inst, asked, out.kind, buffer.len);
    worker_leave(inst, was);
    if (st < 0) {
        free(buffer.ptr);
        return st;
    }
    job_saved(inst, epoch, &out, buffer.ptr, buffer.len);
    return LEAT_OK;
}

// It may pass when no transaction is open that must stay whole. The plan is asked here, since the
// task of a source that has to be discovered is older than the plan's edges.
bool barrier_due(const struct task *t, const struct inst *inst)
{
    return atomic_load(&t->barrier_wanted) > t->epoch && !(t->job->plan->consolidates && inst_txn_open(inst));
}

void barrier_begin(struct task *t, leat_epoch epoch)
{
    t->in_barrier = true;
    t->epoch = epoch;
    t->barrier_at = 0;
}

// Questions are answered before an instance's turn, so that no row is on its way in between.
enum step_result barrier_step(struct task *t)
{
    for (; t->barrier_at < t->inst_count; t->barrier_at++) {
        struct inst *inst = t->insts[t->barrier_at];
        if (inst->asking) {
            LEAT_FAULT("lookup-in-barrier");
            return STEP_BLOCKED;
        }
        if (inst->node->kind == LEAT_LOOKUP)
            continue;
        leat_status st = inst->node->kind == LEAT_SINK ? inst_make_durable(inst) : LEAT_OK;
        if (st == LEAT_AGAIN)
            return STEP_BLOCKED;
        if (st >= 0)
            st = save(inst, t->epoch);
        if (st >= 0)
            st = inst_send_mark(inst, ELEMENT_BARRIER, t->epoch);
        if (st < 0) {
            job_fail(inst);
            return STEP_FAILED;
        }
    }
    t->in_barrier = false;
    for (uint32_t i = 0; i < t->input_count; i++)
        t->inputs[i]->aligned = false;
    return STEP_MORE;
}
