// SPDX-License-Identifier: Apache-2.0
// Values to cells, and the open batches of the stream: one per table, all emitted together, so that a position between
// two emissions covers every row before it and none after.
#include <stdio.h>
#include <string.h>

#include "pgcdc_int.h"
#include "types_parse.h"

leat_status pgcdc_bad_value(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_column *c, const char *wrong,
                            const struct pgoutput_value *v)
{
    char type[64], where[256];
    if (wrong == types_no_memory)
        return leat_no_memory(p->ctx);
    types_name(&c->how.type, type, sizeof type);
    int shown = v->len > 80 ? 80 : (int)v->len;
    if (p->in_txn)
        snprintf(where, sizeof where, "table %s, commit at " PGCDC_LSN, t->port_name, PGCDC_LSN_OF(p->txn_final_lsn));
    else
        snprintf(where, sizeof where, "table %s, snapshot", t->port_name);
    (void)leat_fail(p->ctx, LEAT_DATA, "LEAT-G0304", "the value \"%.*s\" of column \"%s\" does not fit %s (%s): %s",
                    shown, (const char *)v->ptr, c->name, type, where, wrong);
    return p->ctx->host->bad_row(p->ctx, (struct leat_bytes){v->ptr, v->len}, where);
}

// LEAT_OK: the row is filled; LEAT_END: a value was bad and the row is to be skipped.
leat_status pgcdc_row_fill(struct pgcdc *p, struct pgcdc_table *t, struct leat_batch *b, uint32_t row,
                           const struct pgoutput_value *values, const uint16_t *from, uint32_t *unchanged)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct pgcdc_column *c = &t->columns[i];
        uint32_t at = from ? from[i] : i;
        uint8_t *state = &b->columns[i].states[row];
        const struct pgoutput_value *v = at == PGCDC_NO_COLUMN ? NULL : &values[at];
        if (v && v->kind == PGOUTPUT_TEXT) {
            const char *wrong = c->how.parse(&c->how, b, v->ptr, v->len, &b->columns[i].cells[row]);
            *state = LEAT_VALUE;
            if (wrong) {
                leat_status st = pgcdc_bad_value(p, t, c, wrong, v);
                return st == LEAT_OK ? LEAT_END : st;
            }
        } else if (v && v->kind == PGOUTPUT_NULL) {
            *state = LEAT_NULL;
        } else {
            *state = LEAT_UNCHANGED;
            ++*unchanged;
        }
    }
    return LEAT_OK;
}

leat_status pgcdc_batch_open(struct pgcdc *p, struct pgcdc_table *t, struct leat_batch **out, int timed)
{
    struct leat_batch *b = leat_batch_new(p->ctx, &t->out, leat_batch_rows_for(&t->out));
    if (!b)
        return leat_no_memory(p->ctx);
    if (timed) {
        b->times = leat_batch_alloc(b, (size_t)b->capacity * sizeof *b->times, 8);
        b->positions = leat_batch_alloc(b, (size_t)b->capacity * sizeof *b->positions, 8);
        if (!b->times || !b->positions) {
            leat_batch_unref(b);
            return leat_no_memory(p->ctx);
        }
    }
    *out = b;
    return LEAT_OK;
}

static leat_status emit_table(struct pgcdc *p, struct pgcdc_table *t)
{
    struct leat_batch *b = t->batch;
    uint8_t open = p->in_txn && t->last_txn == p->txn_final_lsn;
    if ((!b || !b->rows) && (open || !t->txn_open))
        return LEAT_OK;
    // a transaction that ends with changes of other tables is over for this one too
    if (!b && !(b = leat_batch_new(p->ctx, &t->out, 1)))
        return leat_no_memory(p->ctx);
    t->batch = NULL;
    if (open)
        b->flags |= LEAT_BATCH_TXN_OPEN;
    p->open_txns = p->open_txns + open - t->txn_open;
    t->txn_open = open;
    return p->ctx->host->emit(p->ctx, t->port, b);
}

leat_status pgcdc_rows_flush(struct pgcdc *p)
{
    leat_status full = LEAT_OK;
    if (p->open_rows || p->open_txns) {
        for (uint32_t i = 0; i < p->table_count; i++) {
            leat_status st = emit_table(p, &p->tables[i]);
            if (st < 0)
                return st;
            if (st == LEAT_AGAIN)
                full = LEAT_AGAIN; // the others go too: a position covers all tables
        }
    }
    p->open_rows = 0;
    p->flush_due = 0;
    p->emitted = p->at;
    p->emitted.changes += p->skip_changes; // passed on before, though not yet counted again
    return full;
}

int pgcdc_rows_undo(struct pgcdc *p)
{
    if (p->open_txns)
        return 0;
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        struct leat_batch *b = t->batch;
        while (b && b->rows && b->positions[b->rows - 1] == p->txn_final_lsn) {
            b->rows--;
            p->open_rows--;
        }
        while (t->pending_count && t->pending[t->pending_count - 1].row >= (b ? b->rows : 0)) {
            t->pending_count--;
            p->pending_total--;
        }
        t->last_txn = 0;
    }
    return 1;
}

void pgcdc_rows_drop(struct pgcdc *p)
{
    for (uint32_t i = 0; i < p->table_count; i++) {
        leat_batch_unref(p->tables[i].batch);
        p->tables[i].batch = NULL;
    }
}
