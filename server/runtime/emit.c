// SPDX-License-Identifier: Apache-2.0
// From one output port to all its readers.
//
// A batch is shared by reference among the readers of a port; only an edge that hashes copies cells (never bytes).
// Every reader is given the batch even when one of them is full: fullness is only told to the caller, who stops soon.
#include "data/batch.h"
#include "data/row.h"
#include "runtime/runtime_int.h"

static leat_status push(struct inst *inst, struct channel *ch, const struct leat_batch *b)
{
    if (!channel_push(ch, ELEMENT_BATCH, b, 0))
        return leat_no_memory(&inst->ctx);
    return channel_full(ch) ? LEAT_AGAIN : LEAT_OK;
}

static leat_status send_hashed(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    uint32_t n = r->channel_count;
    uint32_t *to = leat_batch_alloc((struct leat_batch *)(uintptr_t)b, (size_t)b->rows * 2 * sizeof *to, 4);
    if (!to)
        return leat_no_memory(&inst->ctx);
    uint32_t *rows = to + b->rows;
    for (uint32_t i = 0; i < b->rows; i++)
        to[i] = (uint32_t)(data_row_hash(b, i, r->edge->columns, r->edge->column_count) % n);
    leat_status result = LEAT_OK;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < b->rows; i++)
            if (to[i] == k)
                rows[count++] = i;
        if (count == 0)
            continue;
        struct leat_batch *part = data_batch_gather(b, rows, count);
        if (!part)
            return leat_no_memory(&inst->ctx);
        leat_status st = push(inst, r->channels[k], part);
        data_batch_unref(part);
        if (st < 0)
            return st;
        if (st == LEAT_AGAIN)
            result = LEAT_AGAIN;
    }
    return result;
}

static leat_status send(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    if (r->direct)
        return inst_deliver(r->direct, r->edge->input, b);
    if (r->channel_count == 1)
        return push(inst, r->channels[0], b);
    if (r->edge->share == PLAN_HASH)
        return send_hashed(inst, r, b);
    if (r->edge->share == PLAN_REBALANCE)
        return push(inst, r->channels[r->turn++ % r->channel_count], b);
    return push(inst, r->channels[inst->instance % r->channel_count], b);
}

leat_status inst_emit(struct inst *inst, uint32_t port, struct leat_batch *b)
{
    leat_status result = LEAT_OK;
    if (port >= inst->node->output_count || !inst->emitting_allowed) {
        data_batch_unref(b);
        return leat_fail(&inst->ctx, LEAT_BUG, "LEAT-R0002", "node \"%s\" emitted %s", inst->node->name,
                         inst->emitting_allowed ? "from a port that it does not have" : "outside poll and process");
    }
    if (inst->node->kind == LEAT_SOURCE)
        inst->task->txn_open = b->flags & LEAT_BATCH_TXN_OPEN;
    if (b->rows == 0) {
        data_batch_unref(b);
        return LEAT_OK;
    }
    base_metric_inc(inst->metrics.rows_out, b->rows);
    base_metric_inc(inst->metrics.batches_out, 1);
    base_metric_inc(inst->metrics.bytes_out, (int64_t)data_batch_bytes(b));
    for (uint32_t i = inst->route_of[port]; i < inst->route_of[port + 1] && result >= 0; i++) {
        leat_status st = send(inst, &inst->routes[i], b);
        if (st != LEAT_OK)
            result = st;
    }
    data_batch_unref(b);
    if (result == LEAT_AGAIN)
        inst->told_full = true;
    return result;
}

// A mark goes to every reader of every port, whatever the credit.
leat_status inst_send_mark(struct inst *inst, enum element_kind kind, leat_epoch epoch)
{
    for (uint32_t i = 0; i < inst->route_count; i++) {
        struct route *r = &inst->routes[i];
        if (r->direct) {
            // barriers reach chained readers by the task, in its own order
            leat_status st = kind == ELEMENT_BARRIER ? LEAT_OK : inst_mark(r->direct, r->edge->input, kind);
            if (st < 0)
                return st;
        }
        for (uint32_t k = 0; k < r->channel_count; k++)
            if (!channel_push(r->channels[k], kind, NULL, epoch))
                return leat_no_memory(&inst->ctx);
    }
    return LEAT_OK;
}

bool inst_outputs_full(struct inst *inst)
{
    for (uint32_t i = 0; i < inst->route_count; i++) {
        struct route *r = &inst->routes[i];
        if (r->direct && inst_blocked(r->direct))
            return true;
        for (uint32_t k = 0; k < r->channel_count; k++)
            if (channel_full(r->channels[k]))
                return true;
    }
    return false;
}
