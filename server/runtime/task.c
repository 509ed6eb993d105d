// SPDX-License-Identifier: Apache-2.0
// The run loop of a task, and how an instance is given a batch.
//
// A task runs when woken: by a channel that got an element or has room again, by its plugins, by a barrier. One run
// does, in this order and until nothing is left or its time is up: batches that were not taken before; the barrier
// under way; marks of the source; then one more poll of the source, or one more element of an input. So whatever passes
// an instance passes in order, and nothing is read while anything further down is still waiting to be taken.
#include <stdlib.h>

#include "base/time.h"
#include "data/batch.h"
#include "data/row.h"
#include "fault.h"
#include "runtime/runtime_int.h"

#define RUN_BUDGET 2000 // microseconds; then other tasks and events of the loop have their turn

// --- calls into plugins

static leat_status call_process(struct inst *inst, uint32_t input, const struct leat_batch *b)
{
    inst->emitting_allowed = true;
    inst->told_full = false;
    struct call_was was = worker_enter(inst, "process");
    leat_status st = inst->node->component->op->process(&inst->ctx, inst->self, input, b);
    worker_leave(inst, was);
    inst->emitting_allowed = false;
    return rules_status(inst, "process", st, RULES_AGAIN);
}

// Since when a sink has said LEAT_AGAIN and nothing else.
static void note_refusal(struct inst *inst, leat_status st)
{
    if (st == LEAT_OK)
        atomic_store_explicit(&inst->view_refuses_since, 0, memory_order_relaxed);
    else if (st == LEAT_AGAIN && atomic_load_explicit(&inst->view_refuses_since, memory_order_relaxed) == 0)
        atomic_store_explicit(&inst->view_refuses_since, base_time_mono(), memory_order_relaxed);
}

static leat_status call_write(struct inst *inst, const struct leat_batch *b)
{
    struct call_was was = worker_enter(inst, "write");
    leat_status st = inst->node->component->sink->write(&inst->ctx, inst->self, b);
    worker_leave(inst, was);
    inst->dirty = true;
    note_refusal(inst, st);
    return rules_status(inst, "write", st, RULES_AGAIN);
}

static leat_status call_flush(struct inst *inst, uint8_t how)
{
    if (!inst->node->component->sink->flush)
        return LEAT_OK;
    struct call_was was = worker_enter(inst, "flush");
    leat_status st = inst->node->component->sink->flush(&inst->ctx, inst->self, how);
    worker_leave(inst, was);
    if (how == LEAT_FLUSH_DURABLE)
        note_refusal(inst, st);
    return rules_status(inst, "flush", st, RULES_AGAIN);
}

static leat_status call_poll(struct inst *inst)
{
    inst->emitting_allowed = true;
    inst->told_full = false;
    struct call_was was = worker_enter(inst, "poll");
    leat_status st = inst->node->component->source->poll(&inst->ctx, inst->self);
    worker_leave(inst, was);
    inst->emitting_allowed = false;
    return rules_status(inst, "poll", st, RULES_AGAIN | RULES_END);
}

// --- giving a batch to an instance

static leat_status keep_pending(struct inst *inst, struct pending what)
{
    struct pending *p = malloc(sizeof *p);
    if (!p)
        return leat_no_memory(&inst->ctx);
    if (what.batch)
        data_batch_ref(what.batch);
    *p = what;
    *inst->pending_tail = p;
    inst->pending_tail = &p->next;
    return LEAT_AGAIN;
}

static void pop_pending(struct inst *inst)
{
    struct pending *p = inst->pending_head;
    inst->pending_head = p->next;
    if (!inst->pending_head)
        inst->pending_tail = &inst->pending_head;
    data_batch_unref(p->batch);
    free(p);
}

void inst_drop_pending(struct inst *inst)
{
    while (inst->pending_head)
        pop_pending(inst);
}

// Plugins never see the empty batch that only ends a transaction.
static leat_status take_batch(struct inst *inst, struct pending *p)
{
    const struct leat_batch *b = p->batch;
    if (inst->node->kind == LEAT_SINK)
        return b->rows ? call_write(inst, b) : LEAT_OK;
    inst->ways_in_txn += (uint32_t)p->opens;
    p->opens = 0; // once, however often the batch is offered
    leat_status st = b->rows ? call_process(inst, p->input, b) : LEAT_OK;
    if (st != LEAT_OK || inst->asking || inst->ways_in_txn || !inst_txn_open(inst))
        return st;
    // what came last of this transaction gave no row, or none for every reader
    st = inst_end_txn(inst);
    return st < 0 ? st : LEAT_OK;
}

static leat_status take_mark(struct inst *inst, const struct pending *p);

static leat_status take(struct inst *inst, struct pending *p)
{
    return p->kind == ELEMENT_BATCH ? take_batch(inst, p) : take_mark(inst, p);
}

// Behind what already waits, else at once.
static leat_status offer(struct inst *inst, struct pending what)
{
    if (inst->pending_head)
        return keep_pending(inst, what);
    leat_status st = take(inst, &what);
    return st == LEAT_AGAIN ? keep_pending(inst, what) : st;
}

static leat_status offer_net(void *arg, const struct leat_batch *b)
{
    return offer(arg, (struct pending){.kind = ELEMENT_BATCH, .batch = b});
}

// The batch without its -U rows; a new reference. Where it has no others (their +U went to another instance), an empty
// one.
static struct leat_batch *without_before(const struct leat_batch *b)
{
    uint32_t left = 0;
    for (uint32_t r = 0; r < b->rows; r++)
        left += b->kinds[r] != LEAT_UPDATE_BEFORE;
    if (left == b->rows) {
        data_batch_ref(b);
        return (struct leat_batch *)(uintptr_t)b;
    }
    if (left == 0)
        return data_batch_create(b->host, b->schema, 1, 0, b->arrived);
    uint32_t *rows = malloc(left * sizeof *rows);
    if (!rows)
        return NULL;
    uint32_t n = 0;
    for (uint32_t r = 0; r < b->rows; r++)
        if (b->kinds[r] != LEAT_UPDATE_BEFORE)
            rows[n++] = r;
    struct leat_batch *out = data_batch_gather(b, rows, n);
    free(rows);
    return out;
}

static leat_status deliver_adapted(struct inst *inst, uint32_t input, const struct leat_batch *b, int32_t opens)
{
    const struct plan_edge *edge = inst->node->inputs[input];
    if (edge->adapt == PLAN_ADAPT_CONSOLIDATE) {
        inst->ways_in_txn += (uint32_t)opens;
        return consolidate_add(inst->consolidate, &inst->ctx, b, inst->ways_in_txn > 0, offer_net, inst);
    }
    struct pending what = {.kind = ELEMENT_BATCH, .batch = b, .input = input, .opens = opens};
    if (edge->adapt == PLAN_ADAPT_NONE)
        return offer(inst, what);
    struct leat_batch *rest = without_before(b);
    if (!rest)
        return leat_no_memory(&inst->ctx);
    what.batch = rest;
    leat_status st = rest->rows || opens ? offer(inst, what) : LEAT_OK;
    data_batch_unref(rest);
    return st;
}

// Gives a batch; a failure is the reader's own and fails the job here, so that the writer's error stays free.
leat_status inst_deliver(struct inst *inst, uint32_t input, const struct leat_batch *b, int32_t opens)
{
    base_metric_inc(inst->metrics.rows_in, b->rows);
    leat_status st = deliver_adapted(inst, input, b, opens);
    if (st >= 0)
        return st;
    job_fail(inst);
    return LEAT_AGAIN; // the job is stopping; the writer only learns that it should stop too
}

static bool is_giving(const struct inst *inst)
{
    return inst->consolidate && consolidate_is_giving(inst->consolidate);
}

bool inst_blocked(struct inst *inst)
{
    return inst->pending_head || is_giving(inst) || inst_outputs_full(inst);
}

// --- marks

static bool all_zero(const uint32_t *counts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (counts[i])
            return false;
    return true;
}

static leat_status call_input_end(struct inst *inst, uint32_t input)
{
    const struct leat_operator_ops *op = inst->node->component->op;
    if (!op->input_end)
        return LEAT_OK;
    inst->emitting_allowed = true;
    inst->told_full = false;
    struct call_was was = worker_enter(inst, "input_end");
    leat_status st = op->input_end(&inst->ctx, inst->self, input);
    worker_leave(inst, was);
    inst->emitting_allowed = false;
    return rules_status(inst, "input_end", st, RULES_AGAIN);
}

// The last way of an input is at its end; LEAT_AGAIN while the operator has more to give.
static leat_status input_at_end(struct inst *inst, uint32_t input)
{
    if (inst->node->kind == LEAT_SINK) {
        inst->ending = true;
        return LEAT_OK;
    }
    leat_status st = call_input_end(inst, input);
    if (st != LEAT_OK)
        return st;
    if (!all_zero(inst->ways_open, inst->node->input_count) || inst->end_sent)
        return LEAT_OK;
    inst->end_sent = true;
    return inst_send_mark(inst, ELEMENT_END, 0);
}

static leat_status take_mark(struct inst *inst, const struct pending *p)
{
    if (inst->asking) { // marks come after the rows that wait for answers
        inst->told_full = false;
        return LEAT_AGAIN;
    }
    if (p->kind == ELEMENT_END)
        return input_at_end(inst, p->input);
    inst->ways_behind[p->input]--;
    if (!all_zero(inst->ways_behind, inst->node->input_count) || inst->caught_up_sent)
        return LEAT_OK;
    inst->caught_up_sent = true;
    return inst_send_mark(inst, ELEMENT_CAUGHT_UP, 0);
}

leat_status inst_mark(struct inst *inst, uint32_t input, enum element_kind kind)
{
    if (kind == ELEMENT_END && --inst->ways_open[input])
        return LEAT_OK;
    leat_status st = offer(inst, (struct pending){.kind = kind, .input = input});
    if (st >= 0)
        return st;
    job_fail(inst);
    return LEAT_AGAIN;
}

// --- the steps of a run

// STEP_WORKING: nothing passes yet, but there is something to be done that needs nobody's wake.
enum step_result { STEP_MORE, STEP_WORKING, STEP_IDLE, STEP_BLOCKED, STEP_FAILED };

// Offers again what was not taken, and then goes on with a slice of a consolidated transaction.
static enum step_result drain_inst(struct inst *inst)
{
    do {
        while (inst->pending_head) {
            if (inst->node->kind != LEAT_SINK && inst_outputs_full(inst))
                return STEP_BLOCKED;
            leat_status st = take(inst, inst->pending_head);
            if (st < 0)
                return STEP_FAILED;
            if (st == LEAT_AGAIN && !inst->told_full)
                return STEP_BLOCKED;
            if (st == LEAT_OK)
                pop_pending(inst);
        }
        if (is_giving(inst) && consolidate_go_on(inst->consolidate, &inst->ctx, offer_net, inst) < 0)
            return STEP_FAILED;
    } while (inst->pending_head);
    return is_giving(inst) ? STEP_WORKING : STEP_MORE;
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
        enum step_result r = drain_inst(inst);
        if (r == STEP_FAILED)
            job_fail(inst);
        if (r != STEP_MORE)
            return r;
    }
    return is_pending(t) ? STEP_WORKING : STEP_MORE;
}

static leat_status save(struct inst *inst, leat_epoch epoch);

// Everything a sink was given becomes durable; LEAT_AGAIN until it is. Barriers come between transactions only, so what
// is still held back is complete.
static leat_status make_durable(struct inst *inst)
{
    leat_status st = inst->consolidate ? consolidate_finish(inst->consolidate, &inst->ctx, offer_net, inst) : LEAT_OK;
    if (st < 0)
        return st;
    return inst->pending_head || is_giving(inst) ? LEAT_AGAIN : call_flush(inst, LEAT_FLUSH_DURABLE);
}

// One instance of the task after the other: make durable, save state, send the barrier on. Questions are answered
// before, so that no row is on its way in between.
static enum step_result barrier_step(struct task *t)
{
    for (; t->barrier_at < t->inst_count; t->barrier_at++) {
        struct inst *inst = t->insts[t->barrier_at];
        if (inst->asking) {
            LEAT_FAULT("lookup-in-barrier");
            return STEP_BLOCKED;
        }
        if (inst->node->kind == LEAT_LOOKUP)
            continue;
        leat_status st = inst->node->kind == LEAT_SINK ? make_durable(inst) : LEAT_OK;
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

static void begin_barrier(struct task *t, leat_epoch epoch)
{
    t->in_barrier = true;
    t->epoch = epoch;
    t->barrier_at = 0;
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

// A barrier is wanted, and may pass: no transaction is open that must stay whole. The plan is asked here, since the
// task of a source that has to be discovered is older than the plan's edges.
static bool barrier_due(const struct task *t, const struct inst *inst)
{
    return atomic_load(&t->barrier_wanted) > t->epoch && !(t->job->plan->consolidates && inst_txn_open(inst));
}

static enum step_result source_step(struct task *t, struct inst *inst)
{
    if (barrier_due(t, inst)) {
        begin_barrier(t, atomic_load(&t->barrier_wanted));
        return STEP_MORE;
    }
    leat_status reached;
    if (reach_step(t, inst, &reached)) {
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

void task_open_gates(struct task *t)
{
    bool was_gated = false;
    for (uint32_t i = 0; i < t->input_count; i++) {
        was_gated = was_gated || t->inputs[i]->gated;
        t->inputs[i]->gated = false;
    }
    if (!was_gated)
        return;
    atomic_fetch_sub(&t->job->gated, 1);
    wait_done(t);
}

static void open_gates(struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++)
        if (t->inputs[i]->wait_first && !t->inputs[i]->caught_up)
            return;
    task_open_gates(t);
}

static enum step_result take_element(struct task *t, struct task_input *in, struct element *e)
{
    leat_status st = LEAT_OK;
    switch (e->kind) {
    case ELEMENT_BATCH:
        st = inst_deliver(in->to, in->input, e->batch, e->txn_open - in->txn_open);
        in->txn_open = e->txn_open;
        break;
    case ELEMENT_BARRIER: {
        in->aligned = true;
        bool all = true;
        for (uint32_t i = 0; i < t->input_count; i++)
            all = all && t->inputs[i]->aligned;
        if (!in->wait_always)
            reach_aligned(t);
        if (all)
            begin_barrier(t, e->epoch);
        break;
    }
    case ELEMENT_CAUGHT_UP:
        in->caught_up = true;
        open_gates(t);
        st = inst_mark(in->to, in->input, e->kind);
        break;
    case ELEMENT_END:
        in->ended = true;
        st = inst_mark(in->to, in->input, e->kind);
        reach_marked(t, in, 0);
        break;
    case ELEMENT_REACHED:
        reach_marked(t, in, e->epoch);
        break;
    }
    reach_took(t, in);
    channel_pop(&in->channel);
    return st < 0 ? STEP_FAILED : STEP_MORE;
}

static enum step_result input_step(struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++) {
        struct task_input *in = t->inputs[(t->turn + i) % t->input_count];
        if (in->aligned || in->gated)
            continue;
        struct element *e = channel_peek(&in->channel);
        if (!e || !reach_allows(t, in, e))
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
        leat_status st = make_durable(inst);
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
        if (is_giving(t->insts[i]) && !t->insts[i]->pending_head)
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
static bool flush_idle(struct task *t)
{
    for (uint32_t i = 0; i < t->inst_count; i++) {
        struct inst *inst = t->insts[i];
        if (inst->node->kind != LEAT_SINK || !inst->dirty)
            continue;
        inst->dirty = false;
        if (call_flush(inst, LEAT_FLUSH_IDLE) < 0) {
            job_fail(inst);
            return false;
        }
    }
    return true;
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
    } while ((r == STEP_MORE && ++steps % 8) || (r <= STEP_WORKING && base_time_mono() < until));
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

// --- saving

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
