// SPDX-License-Identifier: Apache-2.0
// The run loop of a task.
//
// A task runs when woken: by a channel that got an element or has room again, by its plugins, by a barrier. One run
// does, in this order and until nothing is left or its time is up: batches that were not taken before; the barrier
// under way; marks of the source; then one more poll of the source, or one more element of an input. So whatever passes
// an instance passes in order, and nothing is read while anything further down is still waiting to be taken.
#include "runtime/task.h"
#include "base/time.h"
#include "runtime/dimension.h"

#define RUN_BUDGET 2000 // microseconds; then other tasks and events of the loop have their turn
#define RUN_LOOK   8    // steps between two looks at the clock, which costs as much as a small step

static leat_status call_poll(struct inst *inst)
{
    inst->emitting_allowed = true;
    inst->told_full = false;
    struct call_was was = worker_enter(inst, "poll");
    leat_status st = inst->node->component->source->poll(&inst->ctx, inst->self);
    worker_leave(inst, was);
    inst->emitting_allowed = false;
    rules_poll(inst, st);
    return rules_status(inst, "poll", st, RULES_AGAIN | RULES_END);
}

static bool is_pending(const struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++)
        if (t->insts[i]->pending_head)
            return true;
    return false;
}

// The furthest down first. What one gives meanwhile (the rows of an answer, say) may not be taken further down: then a
// barrier must not pass there yet.
static enum step_result drain(struct task *t)
{
    for (uint32_t i = t->inst_count; i-- > 0;) {
        struct inst *inst = t->insts[i];
        leat_status asked = inst->asked || inst->answers ? lookup_step(inst) : LEAT_OK;
        if (asked < 0)
            job_fail(inst);
        if (asked != LEAT_OK)
            return asked < 0 ? STEP_FAILED : STEP_BLOCKED;
        enum step_result r = inst_drain(inst);
        if (r == STEP_FAILED)
            job_fail(inst);
        if (r != STEP_MORE)
            return r;
    }
    return is_pending(t) ? STEP_WORKING : STEP_MORE;
}

// Sends the marks of a source that are due. STEP_IDLE: there were none.
static enum step_result source_marks(struct inst *inst)
{
    leat_status st = LEAT_OK;
    // a source that has ended has no more to catch up with
    bool caught_up = (inst->caught_up || inst->ended) && !inst->caught_up_sent;
    bool ended = inst->ended && !inst->end_sent;
    if (!caught_up && !ended)
        return STEP_IDLE;
    inst->caught_up_sent = inst->caught_up_sent || caught_up;
    inst->end_sent = inst->end_sent || ended;
    if (caught_up)
        st = inst_send_mark(inst, ELEMENT_CAUGHT_UP, 0);
    if (st >= 0 && ended)
        st = inst_send_mark(inst, ELEMENT_END, 0);
    if (st >= 0)
        return STEP_MORE;
    job_fail(inst);
    return STEP_FAILED;
}

static enum step_result source_step(struct task *t, struct inst *inst)
{
    if (barrier_due(t, inst)) {
        barrier_begin(t, atomic_load(&t->barrier_wanted));
        return STEP_MORE;
    }
    leat_status reached;
    if (dimension_seek_end(t, inst, &reached)) {
        if (reached >= 0)
            return STEP_MORE;
        job_fail(inst);
        return STEP_FAILED;
    }
    enum step_result marks = source_marks(inst);
    if (marks != STEP_IDLE || inst->ended)
        return marks;
    if (t->epoch && t->epoch == atomic_load(&t->job->last_epoch))
        return STEP_IDLE;
    leat_status st = call_poll(inst);
    if (st < 0) {
        job_fail(inst);
        return STEP_FAILED;
    }
    if (st == LEAT_END)
        inst->ended = true;
    // marks come before the next rows, and LEAT_AGAIN after a full way only means "when there is room"
    if (st == LEAT_END || (inst->caught_up && !inst->caught_up_sent) || inst->told_full)
        return STEP_MORE;
    // this poll may have ended the transaction that a barrier waits for
    return st == LEAT_OK || barrier_due(t, inst) ? STEP_MORE : STEP_IDLE;
}

static void take_barrier(struct task *t, struct task_input *in, leat_epoch epoch)
{
    bool all = true;
    in->aligned = true;
    for (uint32_t i = 0; i < t->input_count; i++)
        all = all && t->inputs[i]->aligned;
    if (!in->wait_always)
        dimension_release_barriers(t);
    if (all)
        barrier_begin(t, epoch);
}

// A failure of the reader has failed the job already; the next step sees it.
static enum step_result take_element(struct task *t, struct task_input *in, struct element *e)
{
    switch (e->kind) {
    case ELEMENT_BATCH:
        (void)inst_deliver(in->to, in->input, e->batch, e->txn_open - in->txn_open);
        in->txn_open = e->txn_open;
        break;
    case ELEMENT_BARRIER:
        take_barrier(t, in, e->epoch);
        break;
    case ELEMENT_CAUGHT_UP:
        in->caught_up = true;
        dimension_caught_up(t);
        (void)inst_mark(in->to, in->input, e->kind);
        break;
    case ELEMENT_END:
        in->ended = true;
        (void)inst_mark(in->to, in->input, e->kind);
        dimension_answered(t, in, 0);
        break;
    case ELEMENT_END_REACHED:
        dimension_answered(t, in, e->epoch);
        break;
    }
    dimension_passed(t, in);
    channel_pop(&in->channel);
    return STEP_MORE;
}

static enum step_result input_step(struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++) {
        struct task_input *in = t->inputs[(t->turn + i) % t->input_count];
        if (in->aligned || in->gated)
            continue;
        struct element *e = channel_peek(&in->channel);
        if (!e || !dimension_lets_pass(t, in, e))
            continue;
        t->turn = (t->turn + i + 1) % t->input_count;
        return take_element(t, in, e);
    }
    return STEP_IDLE;
}

// Sinks at the end of all their inputs: the last rows become durable.
static enum step_result end_step(struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++) {
        struct inst *inst = t->insts[i];
        if (!inst->ending)
            continue;
        leat_status st = inst_make_durable(inst);
        if (st == LEAT_AGAIN)
            return STEP_BLOCKED;
        if (st < 0) {
            job_fail(inst);
            return STEP_FAILED;
        }
        inst->ending = false;
        job_sink_ended(inst);
    }
    return STEP_MORE;
}

static bool outputs_full(struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++)
        if (inst_outputs_full(t->insts[i]))
            return true;
    return false;
}

// A transaction that one of the steps has begun to consolidate goes on by itself.
static bool is_working(const struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++)
        if (inst_is_giving(t->insts[i]) && !t->insts[i]->pending_head)
            return true;
    return false;
}

static enum step_result step(struct task *t)
{
    // after a failure nothing moves: a barrier that passed behind a lost row would confirm it
    if (atomic_load_explicit(&t->job->failure_posted, memory_order_relaxed))
        return STEP_FAILED;
    enum step_result r = drain(t);
    if (r == STEP_MORE && t->in_barrier)
        r = barrier_step(t);
    if (r == STEP_MORE)
        r = end_step(t);
    if (r == STEP_MORE && outputs_full(t))
        r = STEP_BLOCKED;
    if (r != STEP_MORE)
        return r;
    struct inst *head = t->insts[0];
    return head->node->kind == LEAT_SOURCE ? source_step(t, head) : input_step(t);
}

// Nothing more comes for now: what sinks have buffered goes out.
static void flush_idle(struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++) {
        struct inst *inst = t->insts[i];
        if (inst->node->kind != LEAT_SINK || !inst->dirty)
            continue;
        inst->dirty = false;
        if (inst_flush(inst, LEAT_FLUSH_IDLE) < 0) {
            job_fail(inst);
            return;
        }
    }
}

static void run(struct task *t)
{
    task_spend(t, SPEND_BUSY);
    int64_t until = t->mark + RUN_BUDGET;
    enum step_result r;
    uint32_t steps = 0;
    do {
        r = step(t);
        if (r == STEP_BLOCKED && is_working(t))
            r = STEP_WORKING;
    } while ((r == STEP_MORE && ++steps % RUN_LOOK) || (r <= STEP_WORKING && base_time_mono() < until));
    if (r <= STEP_WORKING)
        task_wake(t);
    if (r == STEP_IDLE)
        flush_idle(t);
    task_spend(t, r == STEP_BLOCKED ? SPEND_BLOCKED : SPEND_IDLE);
}

void task_wake(struct task *t)
{
    if (!atomic_exchange(&t->run_posted, true))
        loop_post(t->worker->loop, &t->run_mail);
}

void task_run_mail(struct loop_mail *mail)
{
    struct task *t = (struct task *)((char *)mail - offsetof(struct task, run_mail));
    // cleared before the run: what is told while it runs gets a run of its own
    atomic_store(&t->run_posted, false);
    for (uint32_t i = 0; i < t->inst_count; i++)
        if (atomic_exchange(&t->insts[i]->wake_wanted, false) && t->insts[i]->step != LIFE_NONE)
            inst_step(t->insts[i]);
    if (t->running)
        run(t);
}
