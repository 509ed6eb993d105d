// SPDX-License-Identifier: Apache-2.0
// How an instance takes what it is given: batches, adapted as its edge wants them, and marks.
//
// What an operator or a sink does not take now waits in a queue of the instance, marks behind the rows before them, and is
// offered again by the task's next steps. The writer is not told which of its readers was full, only that one was.
//
// Thread: the worker.
#include <stdlib.h>

#include "base/time.h"
#include "data/batch.h"
#include "data/row.h"
#include "runtime/consolidate.h"
#include "runtime/task.h"

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

leat_status inst_flush(struct inst *inst, uint8_t how)
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

// --- what is not taken yet

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

// --- taking

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

static leat_status take(struct inst *inst, struct pending *p)
{
    return p->kind == ELEMENT_BATCH ? take_batch(inst, p) : take_mark(inst, p);
}

// --- being given

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

// A failure is the reader's own and fails the job here, so that the writer's error stays free.
leat_status inst_deliver(struct inst *inst, uint32_t input, const struct leat_batch *b, int32_t opens)
{
    base_metric_inc(inst->metrics.rows_in, b->rows);
    leat_status st = deliver_adapted(inst, input, b, opens);
    if (st >= 0)
        return st;
    job_fail(inst);
    return LEAT_AGAIN; // the job is stopping; the writer only learns that it should stop too
}

bool inst_is_giving(const struct inst *inst)
{
    return inst->consolidate && consolidate_is_giving(inst->consolidate);
}

bool inst_blocked(struct inst *inst)
{
    return inst->pending_head || inst_is_giving(inst) || inst_outputs_full(inst);
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

// --- going on

enum step_result inst_drain(struct inst *inst)
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
        if (inst_is_giving(inst) && consolidate_go_on(inst->consolidate, &inst->ctx, offer_net, inst) < 0)
            return STEP_FAILED;
    } while (inst->pending_head);
    return inst_is_giving(inst) ? STEP_WORKING : STEP_MORE;
}

// Everything a sink was given becomes durable; LEAT_AGAIN until it is. Barriers come between transactions only, so what
// is still held back is complete.
leat_status inst_make_durable(struct inst *inst)
{
    leat_status st = inst->consolidate ? consolidate_finish(inst->consolidate, &inst->ctx, offer_net, inst) : LEAT_OK;
    if (st < 0)
        return st;
    return inst->pending_head || inst_is_giving(inst) ? LEAT_AGAIN : inst_flush(inst, LEAT_FLUSH_DURABLE);
}
