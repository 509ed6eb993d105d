// SPDX-License-Identifier: Apache-2.0
// Rows of a side that only grows, where nothing that was said is taken back: the stream that meets its dimension.
//
// Each row gives one joined row per partner, or one without where its side is the kept one. Nothing is copied for the
// rows themselves: where they come out in the order in which they came in, each once, the output borrows their columns.
#include <string.h>

#include "exec/join_int.h"

static void *hold_list(void *arg, size_t size)
{
    return join_hold(arg, size, 16);
}

// The partner's columns of a joined row, NULL where there is none.
static int fill_partner(struct join_work *w, uint32_t k, keyed_ref match)
{
    struct sql_joiner *j = w->j;
    const struct join_rows *rows = &j->rows[!w->side];
    const struct sql_side *side = rows->side;
    struct leat_column *matched = &j->joined[j->pre.ev.column_count - 1];
    matched->states[k] = LEAT_VALUE;
    matched->cells[k].i64 = match != 0;
    if (!match) {
        for (uint32_t i = 0; i < side->stored_count; i++)
            j->joined[side->stored[i]].states[k] = LEAT_NULL;
        return 0;
    }
    uint64_t times;
    struct leat_bytes key, row = join_row_of(rows, match, &key, &times);
    if (rows->has_bytes) {
        // the state may change while the batch lives
        uint8_t *copy = join_hold(w, row.len, 1);
        if (!copy)
            return -1;
        row.ptr = memcpy(copy, row.ptr, row.len);
    }
    if (keyed_cells_decode(row, rows->types, j->match.cells, j->match.states, side->stored_count, hold_list, w))
        return -1;
    for (uint32_t i = 0; i < side->stored_count; i++) {
        struct leat_column *c = &j->joined[side->stored[i]];
        c->states[k] = j->match.states[i];
        c->cells[k] = j->match.cells[i];
    }
    return 0;
}

// The other side, where its rows do not stand in the batch as they come out.
static void gather_rows(struct join_work *w, const struct join_slice *s, const struct join_pairs *p)
{
    struct sql_joiner *j = w->j;
    const struct join_rows *rows = &j->rows[w->side];
    for (uint32_t i = 0; i < rows->side->stored_count; i++) {
        struct leat_column *to = &j->joined[rows->side->stored[i]];
        const struct leat_column *from = &w->b->columns[rows->columns[i]];
        for (uint32_t k = 0; k < p->count; k++) {
            to->cells[k] = from->cells[s->first + p->from[k]];
            to->states[k] = from->states[s->first + p->from[k]];
        }
    }
    for (uint32_t k = 0; k < p->count; k++) {
        j->times[k] = w->b->times ? w->b->times[s->first + p->from[k]] : LEAT_TIME_NONE;
        j->positions[k] = w->b->positions ? w->b->positions[s->first + p->from[k]] : 0;
    }
}

static leat_status emit_pairs(struct join_work *w, const struct join_slice *s, int more)
{
    struct sql_joiner *j = w->j;
    struct join_pairs *p = &j->pairs;
    uint32_t input = j->join->sides[w->side].input, first = s->first + (p->count ? p->from[0] : 0);
    if (!p->count)
        return LEAT_OK;
    memset(j->kinds, LEAT_INSERT, p->count);
    for (uint32_t c = 0; c < j->pre.ev.column_count; c++)
        w->x->columns[c] = (struct sql_vec){j->joined[c].cells, j->joined[c].states, 0};
    if (p->dense)
        sql_exec_show(w->x, input, w->b, first);
    else
        gather_rows(w, s, p);
    const leat_usec *times = p->dense && w->b->times ? w->b->times + first : j->times;
    const uint64_t *positions = p->dense && w->b->positions ? w->b->positions + first : j->positions;
    struct sql_stage stage = {.branch = &w->x->plan->branches[0],
                              .mode = w->x->plan->mode,
                              .rows = p->count,
                              .kinds = j->kinds,
                              .times = w->b->times ? times : NULL,
                              .positions = w->b->positions ? positions : NULL,
                              .arrived = w->b->arrived,
                              .flags = w->b->flags | (more ? LEAT_BATCH_TXN_OPEN : 0),
                              .keep = w->b,
                              .hold = j->hold,
                              .whole = p->dense ? w->b : NULL,
                              .input = input,
                              .first = first};
    p->count = 0;
    leat_status st = sql_stage_run(w->ctx, w->x, &stage);
    leat_batch_unref(j->hold);
    j->hold = NULL;
    return st;
}

static leat_status add_pair(struct join_work *w, const struct join_slice *s, uint32_t r, keyed_ref match)
{
    struct join_pairs *p = &w->j->pairs;
    leat_status st = p->count == SQL_VEC_MAX ? emit_pairs(w, s, 1) : LEAT_OK;
    if (st != LEAT_OK)
        return st;
    p->dense = p->count == 0 || (p->dense && r == p->from[p->count - 1] + 1u);
    p->from[p->count] = (uint16_t)r;
    return fill_partner(w, p->count++, match) ? leat_no_memory(w->ctx) : LEAT_OK;
}

static uint64_t times_of(const struct join_rows *rows, keyed_ref ref)
{
    struct leat_bytes key;
    uint64_t times = 1;
    if (rows->kind == KEYED_GROUPED_KEYS)
        join_row_of(rows, ref, &key, &times);
    return times;
}

// Goes to a partner of the row in hand, or to none.
static void meet(const struct join_work *w, keyed_ref ref)
{
    struct join_pairs *p = &w->j->pairs;
    p->cursor = ref;
    p->again = ref ? times_of(&w->j->rows[!w->side], ref) : 0;
}

// The partners of a row, from where a full way has stopped.
static leat_status add_pairs(struct join_work *w, const struct join_slice *s, uint32_t r)
{
    const struct join_rows *other = &w->j->rows[!w->side];
    struct join_pairs *p = &w->j->pairs;
    leat_status st = LEAT_OK;
    if (!p->mid) {
        meet(w, s->has_key[r] ? keyed_first(other->map, join_slice_key(w->j, r), s->hash[r]) : 0);
        if (!p->cursor && w->j->join->outer)
            return add_pair(w, s, r, 0);
    }
    p->mid = 1;
    while (p->cursor && st == LEAT_OK) {
        st = add_pair(w, s, r, p->cursor);
        if (st == LEAT_OK && --p->again == 0)
            meet(w, keyed_after(other->map, p->cursor));
    }
    p->mid = st == LEAT_AGAIN;
    return st;
}

static int keep_row(struct join_work *w, const struct join_slice *s, uint32_t r)
{
    const struct join_rows *rows = &w->j->rows[w->side];
    struct buf *value = &w->j->value;
    struct leat_bytes key = join_slice_key(w->j, r);
    if (!s->has_key[r])
        return 0; // it can meet nothing, and nobody will take it back
    buf_reset(value);
    keyed_group_put(value, key.ptr, key.len);
    keyed_row_encode(value, w->b, s->first + r, rows->columns, rows->side->stored_count);
    return buf_ok(value) ? keyed_add(rows->map, join_bytes(value), s->own_hash[r]) : -1;
}

leat_status join_grow(struct join_work *w, struct join_slice *s)
{
    struct join_pairs *p = &w->j->pairs;
    p->count = 0;
    for (uint32_t r = w->x->resume - s->first; r < s->rows; r++) {
        join_slice_reach(w, s, r);
        if (!s->dropped[r]) {
            leat_status st = add_pairs(w, s, r);
            if (st != LEAT_OK)
                return st;
            if (keep_row(w, s, r))
                return leat_no_memory(w->ctx);
        }
        w->x->resume++;
    }
    leat_status st = emit_pairs(w, s, w->x->resume < w->b->rows);
    // the rows are done: a way that is full stops what follows, not what was taken
    return st == LEAT_AGAIN && w->x->resume == w->b->rows ? LEAT_OK : st;
}
