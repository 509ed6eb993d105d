// SPDX-License-Identifier: Apache-2.0
// Joined rows: what a change of one side makes of the rows it meets, and their way out; see join.c.
#include <string.h>

#include "join_int.h"

leat_status join_flush(struct join_work *w, int more)
{
    struct sql_joiner *j = w->j;
    if (!j->rows)
        return LEAT_OK;
    uint32_t total = j->pre.ev.column_count;
    for (uint32_t c = 0; c < total; c++)
        w->x->columns[c] = (struct sql_vec){j->joined[c].cells, j->joined[c].states, 0};
    struct sql_stage s = {.branch = &w->x->plan->branches[0],
                          .mode = w->x->plan->mode,
                          .rows = j->rows,
                          .kinds = j->kinds,
                          .times = w->b->times ? j->times : NULL,
                          .positions = w->b->positions ? j->positions : NULL,
                          .arrived = w->b->arrived,
                          .flags = w->b->flags | (more ? LEAT_BATCH_TXN_OPEN : 0),
                          .keep = w->b,
                          .hold = j->hold};
    j->rows = 0;
    leat_status st = sql_stage_run(w->ctx, w->x, &s);
    leat_batch_unref(j->hold);
    j->hold = NULL;
    return st;
}

// What cells of the state point to is copied: the state may change while the batch lives.
static int copy_out(struct join_work *w, const struct leat_type *t, union leat_cell *cell)
{
    if (!leat_type_is_bytes(t->kind) && !leat_type_is_list(t->kind))
        return 0;
    if (!w->j->hold && !(w->j->hold = w->ctx->host->batch_create(w->ctx, &w->x->plan->schema, 1, 1)))
        return -1;
    if (leat_type_is_bytes(t->kind)) {
        uint8_t *copy = leat_batch_alloc(w->j->hold, cell->bytes.len ? cell->bytes.len : 1, 1);
        if (copy && cell->bytes.len)
            memcpy(copy, cell->bytes.ptr, cell->bytes.len);
        cell->bytes.ptr = copy;
        return copy ? 0 : -1;
    }
    uint32_t n = cell->list.count;
    struct leat_datum *items = leat_batch_alloc(w->j->hold, (n + 1) * sizeof *items, 16);
    if (!items)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t child = t->kind == LEAT_TYPE_ARRAY ? 0 : t->kind == LEAT_TYPE_MAP ? i & 1 : i;
        items[i] = cell->list.items[i];
        if (items[i].state == LEAT_VALUE && copy_out(w, &t->children[child], &items[i].cell))
            return -1;
    }
    cell->list.items = items;
    return 0;
}

// One side of a joined row; v == NULL: no partner.
static int put_side(struct join_work *w, uint32_t side, const struct join_values *v, int from_state, uint32_t row)
{
    const struct join_table *t = &w->j->tables[side];
    for (uint32_t i = 0; i < t->side->stored_count; i++) {
        struct leat_column *c = &w->j->joined[t->side->stored[i]];
        c->states[row] = v && v->states[i] == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
        if (c->states[row] != LEAT_VALUE)
            continue;
        c->cells[row] = v->cells[i];
        if (from_state && copy_out(w, t->types[i], &c->cells[row]))
            return -1;
    }
    return 0;
}

// Adds a joined row: `mine` of the changing side, `other` of the other one.
static int put_row(struct join_work *w, uint8_t kind, const struct join_values *mine, const struct join_values *other)
{
    struct sql_joiner *j = w->j;
    const struct join_change *c = &j->change;
    uint32_t row = j->rows, at = c->row + (c->took > 1 && kind != LEAT_UPDATE_BEFORE && kind != LEAT_DELETE);
    // what is old comes from the state where it is stored, else from the batch
    int mine_stored = mine == &c->old ? c->old_row != NULL : c->mended;
    if (put_side(w, w->side, mine, mine_stored, row) || put_side(w, !w->side, other, 1, row))
        return -1;
    struct leat_column *matched = &j->joined[j->pre.ev.column_count - 1];
    matched->states[row] = LEAT_VALUE;
    matched->cells[row].i64 = mine && other;
    j->kinds[row] = kind;
    j->times[row] = w->b->times ? w->b->times[at] : LEAT_TIME_NONE;
    j->positions[row] = w->b->positions ? w->b->positions[at] : 0;
    j->rows++;
    return 0;
}

static int put_update(struct join_work *w, const struct join_values *old, const struct join_values *old_other,
                      const struct join_values *now, const struct join_values *now_other)
{
    return put_row(w, LEAT_UPDATE_BEFORE, old, old_other) ? -1 : put_row(w, LEAT_UPDATE_AFTER, now, now_other);
}

// --- passing a change on ---

// What one row of the other side (NULL: none) makes of the step.
static int put_match(struct join_work *w, const struct join_values *other)
{
    const struct join_change *c = &w->j->change;
    switch (c->step) {
    case STEP_PAIR:
        return put_update(w, &c->old, other, &c->now, other);
    case STEP_NEW:
        return c->lone ? put_update(w, NULL, other, &c->now, other) : put_row(w, LEAT_INSERT, &c->now, other);
    default:
        return c->lone ? put_update(w, &c->old, other, NULL, other) : put_row(w, LEAT_DELETE, &c->old, other);
    }
}

// Does this step give kept rows their first partner, or take their last one?
static uint8_t is_lone(const struct join_work *w, const struct row_buf *key)
{
    const struct join_change *c = &w->j->change;
    if (!w->j->join->outer || w->side == 0 || c->step == STEP_PAIR)
        return 0;
    const struct join_row *first = join_first(w->j, w->side, key);
    if (c->step == STEP_NEW)
        return first == NULL;
    return first && !join_next(&w->j->tables[w->side], first);
}

static leat_status step_begin(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    const struct row_buf *key = c->step == STEP_NEW ? &c->new_key : &c->old_key;
    int has_key = c->step == STEP_NEW ? c->new_has_key : c->old_has_key;
    c->started = 1;
    c->cursor = has_key ? join_first(w->j, !w->side, key) : NULL;
    c->lone = has_key ? is_lone(w, key) : 0;
    if (c->cursor || !w->j->join->outer || w->side != 0)
        return LEAT_OK;
    return put_match(w, NULL) ? leat_no_memory(w->ctx) : LEAT_OK; // kept, without a partner
}

// Runs the step from where it stands. LEAT_AGAIN = the way is full.
static leat_status step_run(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    if (w->j->rows + 2 > SQL_VEC_MAX) {
        leat_status st = join_flush(w, 1);
        if (st != LEAT_OK)
            return st;
    }
    if (!c->started) {
        leat_status st = step_begin(w);
        if (st != LEAT_OK)
            return st;
    }
    while (c->cursor) {
        if (w->j->rows + 2 > SQL_VEC_MAX) {
            leat_status st = join_flush(w, 1);
            if (st != LEAT_OK)
                return st;
        }
        if (join_decode(w->j, !w->side, c->cursor, &w->j->match, &w->j->match_lists) || put_match(w, &w->j->match))
            return leat_no_memory(w->ctx);
        sql_arena_reset(&w->j->match_lists);
        c->cursor = join_next(&w->j->tables[!w->side], c->cursor);
    }
    return LEAT_OK;
}

static leat_status commit(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    if (c->old_row)
        join_remove(w->ctx, w->j, w->side, c->old_row);
    c->old_row = NULL;
    c->active = 0;
    // a row that can meet nothing is kept only where its own deletion must find it
    int keep = c->new_has_key || (w->j->join->outer && w->side == 0 && w->j->tables[w->side].side->unique_count);
    if (!c->has_new || !keep)
        return LEAT_OK;
    const struct row_buf *key = c->new_has_key ? &c->new_key : NULL;
    return join_add(w->ctx, w->j, w->side, key, &c->unique, &c->encoded) ? leat_no_memory(w->ctx) : LEAT_OK;
}

int join_same_key(const struct join_change *c)
{
    if (!c->old_has_key || !c->new_has_key)
        return c->old_has_key == c->new_has_key;
    return c->old_key.len == c->new_key.len && !memcmp(c->old_key.ptr, c->new_key.ptr, c->old_key.len);
}

leat_status join_pass_on(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    while (c->step != STEP_DONE) {
        leat_status st = step_run(w);
        if (st != LEAT_OK)
            return st;
        c->step = c->step == STEP_OLD && c->has_new ? STEP_NEW : STEP_DONE;
        c->started = 0;
    }
    return commit(w);
}

void join_change_begin(struct join_change *c)
{
    c->active = 1;
    c->started = 0;
    c->step = !c->has_old ? STEP_NEW : !c->has_new ? STEP_OLD : join_same_key(c) ? STEP_PAIR : STEP_OLD;
}
