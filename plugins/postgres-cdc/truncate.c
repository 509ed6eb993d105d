// SPDX-License-Identifier: Apache-2.0
// What a TRUNCATE does: stop, nothing, or a delete of every row that the table held (keys.h).
//
// The deletes of a large table do not fit into one turn. They are emitted a batch at a time while the stream waits; the
// position stays before the TRUNCATE until the last one is out, so a restart repeats them, which changes nothing.
#include "pgcdc_int.h"
#include "types_parse.h"

#define TURN 8 // batches per poll

int pgcdc_keys_wanted(const struct pgcdc *p)
{
    return p->config->on_truncate == PGCDC_TRUNCATE_DELETE && p->config->startup_mode == PGCDC_INITIAL;
}

// The key of a row as its set knows it, in p->key; NULL = no memory.
static int key_of(struct pgcdc *p, const struct pgcdc_table *t, const struct pgoutput_value *values,
                  const uint16_t *from)
{
    buf_reset(&p->key);
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        uint32_t column = t->out.key[i];
        const struct pgoutput_value *v = &values[from ? from[column] : column];
        buf_u32(&p->key, v->len);
        buf_put(&p->key, v->ptr, v->len);
    }
    return buf_ok(&p->key) ? 0 : -1;
}

leat_status pgcdc_key_put(struct pgcdc *p, struct pgcdc_table *t, const struct pgoutput_value *values,
                          const uint16_t *from)
{
    if (!t->keys)
        return LEAT_OK;
    if (key_of(p, t, values, from) < 0 || pgcdc_keys_put(t->keys, p->key.ptr, (uint32_t)p->key.len) < 0)
        return leat_no_memory(p->ctx);
    return LEAT_OK;
}

leat_status pgcdc_key_drop(struct pgcdc *p, struct pgcdc_table *t, const struct pgoutput_value *values,
                           const uint16_t *from)
{
    if (!t->keys)
        return LEAT_OK;
    if (key_of(p, t, values, from) < 0)
        return leat_no_memory(p->ctx);
    pgcdc_keys_drop(t->keys, p->key.ptr, (uint32_t)p->key.len);
    return LEAT_OK;
}

leat_status pgcdc_truncate(struct pgcdc *p, struct pgcdc_table *t)
{
    if (p->config->on_truncate == PGCDC_TRUNCATE_FAIL) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0303",
                        "table \"%s\" was truncated; stopped before it, at " PGCDC_LSN, t->port_name,
                        PGCDC_LSN_OF(p->at.lsn));
        leat_error_hint(p->ctx,
                        "Empty the targets if they should follow, set on-truncate = \"ignore\" and start again.");
        return LEAT_FATAL;
    }
    if (t->keys && !t->truncating) {
        t->truncating = 1;
        p->truncating++;
        leat_log(p->ctx, LEAT_LOG_INFO, "truncate", "table \"%s\" was truncated: deleting its %zu rows", t->port_name,
                 t->keys->count);
        return LEAT_OK;
    }
    __atomic_fetch_add(p->numbers.truncates, 1, __ATOMIC_RELAXED);
    leat_log(p->ctx, LEAT_LOG_WARN, "truncate", "ignored the TRUNCATE of table \"%s\" at " PGCDC_LSN, t->port_name,
             PGCDC_LSN_OF(p->txn_final_lsn));
    return LEAT_OK;
}

// A key that was parsed once is no bad row: leaving it out would leave its row in the targets for ever.
static leat_status broken_key(struct pgcdc *p, const struct pgcdc_table *t, const char *wrong)
{
    if (wrong == types_no_memory)
        return leat_no_memory(p->ctx);
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0307", "a saved key of table \"%s\" cannot be read: %s", t->port_name,
                    wrong);
    leat_error_hint(p->ctx,
                    "Empty the targets, drop the slot and start once with --forget-state %s to read a new snapshot.",
                    p->node);
    return LEAT_FATAL;
}

static leat_status delete_key(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_key *key)
{
    struct leat_batch *b = t->batch;
    struct cur c = cur_of(key->bytes, key->len);
    uint32_t row = pgcdc_row_add(p, t, LEAT_DELETE);
    for (uint32_t i = 0; i < t->count; i++)
        b->columns[i].states[row] = LEAT_ABSENT;
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        const struct pgcdc_column *column = &t->columns[t->out.key[i]];
        uint32_t len = cur_u32(&c);
        const uint8_t *text = cur_bytes(&c, len);
        const char *wrong = "it has too few columns";
        if (cur_ok(&c))
            wrong = column->how.parse(&column->how, b, text, len, &b->columns[t->out.key[i]].cells[row]);
        if (wrong)
            return broken_key(p, t, wrong);
        b->columns[t->out.key[i]].states[row] = LEAT_VALUE;
    }
    if (cur_left(&c))
        return broken_key(p, t, "it has too many columns");
    p->open_rows++;
    return LEAT_OK;
}

static leat_status delete_some(struct pgcdc *p, struct pgcdc_table *t)
{
    leat_status st = t->batch ? LEAT_OK : pgcdc_batch_open(p, t, &t->batch, 1);
    while (st == LEAT_OK && t->batch->rows < t->batch->capacity) {
        const struct pgcdc_key *key = pgcdc_keys_next(t->keys, &p->truncate_at);
        if (!key) {
            pgcdc_keys_clear(t->keys);
            t->truncating = 0;
            p->truncate_at = 0;
            if (--p->truncating == 0)
                p->at.changes++; // the TRUNCATE itself
            return LEAT_OK;
        }
        st = delete_key(p, t, key);
    }
    return st;
}

leat_status pgcdc_truncate_poll(struct pgcdc *p)
{
    leat_status st = LEAT_OK;
    for (int turn = 0; turn < TURN && p->truncating && st == LEAT_OK; turn++) {
        uint32_t i = 0;
        while (!p->tables[i].truncating)
            i++;
        p->tables[i].last_txn = p->txn_final_lsn;
        st = delete_some(p, &p->tables[i]);
        if (st == LEAT_OK)
            st = pgcdc_rows_flush(p);
    }
    return st;
}
