// SPDX-License-Identifier: Apache-2.0
// Joined rows: what a change of one side makes of the rows it meets, and their way out; see join.c.
#include <string.h>

#include "exec/join_int.h"

leat_status join_flush(struct join_work *w, int more)
{
    struct sql_joiner *j = w->j;
    if (!j->out)
        return LEAT_OK;
    uint32_t total = j->pre.ev.column_count;
    for (uint32_t c = 0; c < total; c++)
        w->x->columns[c] = (struct sql_vec){j->joined[c].cells, j->joined[c].states, 0};
    struct sql_stage s = {.branch = &w->x->plan->branches[0],
                          .mode = w->x->plan->mode,
                          .rows = j->out,
                          .kinds = j->kinds,
                          .times = w->b->times ? j->times : NULL,
                          .positions = w->b->positions ? j->positions : NULL,
                          .arrived = w->b->arrived,
                          .flags = w->b->flags | (more ? LEAT_BATCH_TXN_OPEN : 0),
                          .keep = w->b,
                          .hold = j->hold};
    j->out = 0;
    leat_status st = sql_stage_run(w->ctx, w->x, &s);
    leat_batch_unref(j->hold);
    j->hold = NULL;
    return st;
}

void *join_hold(struct join_work *w, size_t size, size_t align)
{
    if (!w->j->hold && !(w->j->hold = w->ctx->host->batch_create(w->ctx, &w->x->plan->schema, 1, 1)))
        return NULL;
    return leat_batch_alloc(w->j->hold, size ? size : 1, align);
}

// What cells of the state point to is copied: the state may change while the batch lives.
static int copy_out(struct join_work *w, const struct leat_type *t, union leat_cell *cell)
{
    if (!leat_type_is_bytes(t->kind) && !leat_type_is_list(t->kind))
        return 0;
    if (leat_type_is_bytes(t->kind)) {
        uint8_t *copy = join_hold(w, cell->bytes.len, 1);
        if (copy && cell->bytes.len)
            memcpy(copy, cell->bytes.ptr, cell->bytes.len);
        cell->bytes.ptr = copy;
        return copy ? 0 : -1;
    }
    uint32_t n = cell->list.count;
    struct leat_datum *items = join_hold(w, (n + 1) * sizeof *items, 16);
    if (!items)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        items[i] = cell->list.items[i];
        if (items[i].state == LEAT_VALUE && copy_out(w, leat_type_child(t, i), &items[i].cell))
            return -1;
    }
    cell->list.items = items;
    return 0;
}

// One side of a joined row; v == NULL: no partner.
static int put_side(struct join_work *w, uint32_t side, const struct join_values *v, int from_state, uint32_t row)
{
    const struct join_rows *t = &w->j->rows[side];
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
    uint32_t row = j->out, at = c->row + (c->took > 1 && kind != LEAT_UPDATE_BEFORE && kind != LEAT_DELETE);
    // what is old comes from the state where it is stored, else from the batch
    int mine_stored = mine == &c->old ? c->stored : c->mended;
    if (put_side(w, w->side, mine, mine_stored, row) || put_side(w, !w->side, other, 1, row))
        return -1;
    struct leat_column *matched = &j->joined[j->pre.ev.column_count - 1];
    matched->states[row] = LEAT_VALUE;
    matched->cells[row].i64 = mine && other;
    j->kinds[row] = kind;
    j->times[row] = w->b->times ? w->b->times[at] : LEAT_TIME_NONE;
    j->positions[row] = w->b->positions ? w->b->positions[at] : 0;
    j->out++;
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
static uint8_t is_lone(const struct join_work *w, struct leat_bytes key)
{
    const struct join_change *c = &w->j->change;
    const struct join_rows *rows = &w->j->rows[w->side];
    if (!w->j->join->outer || w->side == 0 || c->step == STEP_PAIR)
        return 0;
    keyed_ref first = join_first(rows, key);
    if (c->step == STEP_NEW || !first)
        return c->step == STEP_NEW && !first;
    uint64_t times;
    struct leat_bytes group;
    join_row_of(rows, first, &group, &times);
    return times == 1 && !keyed_after(rows->map, first);
}

// Goes to a partner, or to none.
static void meet(struct join_work *w, keyed_ref ref)
{
    struct join_change *c = &w->j->change;
    struct leat_bytes key;
    c->cursor = ref;
    c->again = 0;
    if (ref)
        join_row_of(&w->j->rows[!w->side], ref, &key, &c->again);
}

static leat_status step_begin(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    struct leat_bytes key = c->step == STEP_NEW ? join_bytes(&c->new_key) : c->old_key;
    int has_key = c->step == STEP_NEW ? c->new_has_key : c->old_key.ptr != NULL;
    c->started = 1;
    meet(w, has_key ? join_first(&w->j->rows[!w->side], key) : 0);
    c->lone = has_key ? is_lone(w, key) : 0;
    if (c->cursor || !w->j->join->outer || w->side != 0)
        return LEAT_OK;
    return put_match(w, NULL) ? leat_no_memory(w->ctx) : LEAT_OK; // kept, without a partner
}

static leat_status make_room(struct join_work *w)
{
    return w->j->out + 2 > SQL_VEC_MAX ? join_flush(w, 1) : LEAT_OK;
}

// Runs the step from where it stands. LEAT_AGAIN = the way is full.
static leat_status step_run(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    const struct join_rows *other = &w->j->rows[!w->side];
    leat_status st = make_room(w);
    if (st == LEAT_OK && !c->started)
        st = step_begin(w);
    while (st == LEAT_OK && c->cursor) {
        st = make_room(w);
        if (st != LEAT_OK)
            break;
        struct leat_bytes key, row;
        uint64_t times;
        row = join_row_of(other, c->cursor, &key, &times);
        if (join_decode(other, row, &w->j->match, &w->j->match_lists) || put_match(w, &w->j->match))
            return leat_no_memory(w->ctx);
        sql_arena_reset(&w->j->match_lists);
        if (--c->again == 0)
            meet(w, keyed_after(other->map, c->cursor));
    }
    return st;
}

int join_same_key(const struct join_change *c)
{
    if (!c->old_key.ptr || !c->new_has_key)
        return !c->old_key.ptr == !c->new_has_key;
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
    c->active = 0;
    return join_commit(w) ? leat_no_memory(w->ctx) : LEAT_OK;
}

void join_change_begin(struct join_change *c)
{
    c->active = 1;
    c->started = 0;
    c->step = !c->has_old ? STEP_NEW : !c->has_new ? STEP_OLD : join_same_key(c) ? STEP_PAIR : STEP_OLD;
}
