// SPDX-License-Identifier: Apache-2.0
// From one output port to all its readers.
//
// A batch is shared by reference among the readers of a port; only an edge that hashes copies cells (never bytes).
// Every reader is given the batch even when one of them is full: fullness is only told to the caller, who stops soon.
//
// Each way remembers whether the last batch on it left its source transaction open. When the transaction ends with rows
// that go elsewhere, or with none at all, the way gets an empty batch that says so: who holds rows back until their
// transaction is complete must not wait for the next one. What an operator gives is open as long as a transaction is
// open on any of its own ways in, and as long as it asks: rows of the same transaction may wait for their answers.
#include <stdlib.h>

#include "base/time.h"
#include "data/batch.h"
#include "data/row.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

static bool leaves_open(const struct inst *inst, const struct leat_batch *b)
{
    return b->flags & LEAT_BATCH_TXN_OPEN || inst->ways_in_txn || inst->asking;
}

static leat_status push(struct inst *inst, struct route *r, uint32_t way, const struct leat_batch *b)
{
    bool open = leaves_open(inst, b);
    if (!channel_push(r->channels[way], b, open))
        return leat_no_memory(&inst->ctx);
    r->txn_open[way] = open;
    return channel_full(r->channels[way]) ? LEAT_AGAIN : LEAT_OK;
}

// An empty batch for a way whose transaction has ended elsewhere.
static leat_status push_end(struct inst *inst, struct route *r, uint32_t way, const struct leat_schema *schema)
{
    struct leat_batch *end = data_batch_create(inst->ctx.host, schema, 1, 0, base_time_wall());
    if (!end)
        return leat_no_memory(&inst->ctx);
    leat_status st = push(inst, r, way, end);
    data_batch_unref(end);
    return st;
}

// Ends the transaction on the ways that got nothing of `b`, which is not open.
static leat_status end_others(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    leat_status result = LEAT_OK;
    for (uint32_t way = 0; way < r->channel_count && result >= 0; way++) {
        if (!r->txn_open[way])
            continue;
        leat_status st = push_end(inst, r, way, b->schema);
        if (st != LEAT_OK)
            result = st;
    }
    return result;
}

static leat_status send_hashed(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    uint32_t n = r->channel_count;
    // not in the batch's arena: other readers may have the batch already
    uint32_t *to = malloc(((size_t)b->rows * 2 + 1) * sizeof *to);
    if (!to)
        return leat_no_memory(&inst->ctx);
    uint32_t *rows = to + b->rows;
    for (uint32_t i = 0; i < b->rows; i++)
        to[i] = (uint32_t)(data_row_hash(b, i, r->edge->columns, r->edge->column_count) % n);
    leat_status result = LEAT_OK;
    for (uint32_t k = 0; k < n && result >= 0; k++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < b->rows; i++)
            if (to[i] == k)
                rows[count++] = i;
        if (count == 0)
            continue;
        struct leat_batch *part = data_batch_gather(b, rows, count);
        leat_status st = part ? push(inst, r, k, part) : leat_no_memory(&inst->ctx);
        data_batch_unref(part);
        if (st != LEAT_OK)
            result = st;
    }
    free(to);
    return result;
}

static leat_status send_rows(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    if (r->channel_count == 1)
        return push(inst, r, 0, b);
    if (r->edge->share == PLAN_HASH)
        return send_hashed(inst, r, b);
    if (r->edge->share == PLAN_REBALANCE)
        return push(inst, r, r->turn++ % r->channel_count, b);
    return push(inst, r, inst->instance % r->channel_count, b);
}

static leat_status send(struct inst *inst, struct route *r, const struct leat_batch *b)
{
    bool open = leaves_open(inst, b);
    if (r->direct) {
        int32_t opens = open - r->txn_open[0];
        if (b->rows == 0 && opens >= 0)
            return LEAT_OK;
        r->txn_open[0] = open;
        return inst_deliver(r->direct, r->edge->input, b, opens);
    }
    leat_status st = b->rows ? send_rows(inst, r, b) : LEAT_OK;
    if (open || st < 0)
        return st;
    leat_status others = end_others(inst, r, b);
    return others == LEAT_OK ? st : others;
}

bool inst_txn_open(const struct inst *inst)
{
    for (uint32_t i = 0; i < inst->route_count; i++)
        for (uint32_t way = 0; way < (inst->routes[i].direct ? 1 : inst->routes[i].channel_count); way++)
            if (inst->routes[i].txn_open[way])
                return true;
    return false;
}

static leat_status send_all(struct inst *inst, uint32_t port, const struct leat_batch *b)
{
    leat_status result = LEAT_OK;
    for (uint32_t i = inst->route_of[port]; i < inst->route_of[port + 1] && result >= 0; i++) {
        leat_status st = send(inst, &inst->routes[i], b);
        if (st != LEAT_OK)
            result = st;
    }
    if (result == LEAT_AGAIN)
        inst->told_full = true;
    return result;
}

leat_status inst_end_txn(struct inst *inst)
{
    leat_status result = LEAT_OK;
    for (uint32_t port = 0; port < inst->node->output_count && result >= 0; port++) {
        const struct leat_schema *schema = inst->node->outputs[port].schema;
        if (!schema || !inst_txn_open(inst))
            continue;
        struct leat_batch *end = data_batch_create(inst->ctx.host, schema, 1, 0, base_time_wall());
        leat_status st = end ? send_all(inst, port, end) : leat_no_memory(&inst->ctx);
        data_batch_unref(end);
        if (st != LEAT_OK)
            result = st;
    }
    return result;
}

leat_status inst_emit(struct inst *inst, uint32_t port, struct leat_batch *b)
{
    leat_status st = rules_emit(inst, port, b);
    if (st < 0) {
        if (!data_batch_is_sealed(b)) // else it is no longer the plugin's to give
            data_batch_unref(b);
        return st;
    }
    inst->gave = true;
    data_batch_seal(b);
    if (b->rows) {
        base_metric_inc(inst->metrics.rows_out, b->rows);
        base_metric_inc(inst->metrics.batches_out, 1);
        base_metric_inc(inst->metrics.bytes_out, (int64_t)data_rows_bytes(b));
    }
    leat_status result = send_all(inst, port, b);
    data_batch_unref(b);
    return result;
}

// A mark goes to every reader of every port, whatever the credit. Nothing is open behind the end.
leat_status inst_send_mark(struct inst *inst, enum element_kind kind, leat_epoch epoch)
{
    if (kind == ELEMENT_END && inst_txn_open(inst)) {
        leat_status st = inst_end_txn(inst);
        if (st < 0)
            return st;
    }
    for (uint32_t i = 0; i < inst->route_count; i++) {
        struct route *r = &inst->routes[i];
        if (r->direct) {
            // barriers reach chained readers by the task, in its own order
            leat_status st = kind == ELEMENT_BARRIER ? LEAT_OK : inst_mark(r->direct, r->edge->input, kind);
            if (st < 0)
                return st;
        }
        for (uint32_t k = 0; k < r->channel_count; k++)
            if (!channel_push_mark(r->channels[k], kind, epoch))
                return leat_no_memory(&inst->ctx);
    }
    return LEAT_OK;
}

leat_status inst_send_end_reached(struct inst *inst, uint64_t number)
{
    for (uint32_t i = 0; i < inst->route_count; i++)
        for (uint32_t k = 0; inst->routes[i].edge->wait_always && k < inst->routes[i].channel_count; k++)
            if (!channel_push_mark(inst->routes[i].channels[k], ELEMENT_END_REACHED, number))
                return leat_no_memory(&inst->ctx);
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
