// SPDX-License-Identifier: Apache-2.0
// From a part of a batch to what the join asks of its rows: do they count, and what is their key.
//
// Keys of all rows are computed and hashed first, and the memory that finding their partners will need is fetched
// ahead: with a million rows in the state each look-up would otherwise wait for the memory three times.
#include "exec/join_int.h"

#define AHEAD_INDEX   32u // rows between asking for the index, for what it points to, and needing it
#define AHEAD_ENTRY   16u
#define PARTNER_BYTES 128u // of a partner that are asked for

// Marks the rows for which the condition does not hold.
static leat_status condition(struct join_work *w, struct join_slice *s, struct sql_sel *sel, const struct sql_expr *e,
                             uint8_t *fails)
{
    struct sql_vec v;
    if (!e || !sel->count)
        return LEAT_OK;
    leat_status st = sql_exec_eval(w->ctx, &w->j->pre, e, sel, s->list, s->dropped, &v);
    if (st != LEAT_OK)
        return st;
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = s->list[k], a = sql_vec_at(&v, r);
        if (v.states[a] != LEAT_VALUE || !v.cells[a].i64)
            fails[r] = 1;
    }
    return LEAT_OK;
}

static void encode_keys(struct join_work *w, struct join_slice *s, const struct sql_vec *vecs, const uint8_t *lonely)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    struct buf *keys = &w->j->keys;
    buf_reset(keys);
    for (uint32_t r = 0; r < s->rows; r++) {
        s->key_at[r] = (uint32_t)keys->len;
        s->has_key[r] = s->has_key[r] && !lonely[r] && !s->dropped[r];
        for (uint32_t k = 0; k < side->key_count && s->has_key[r]; k++) {
            uint32_t a = sql_vec_at(&vecs[k], r);
            if (keyed_part_encode(keys, side->keys[k]->type, &vecs[k].cells[a], vecs[k].states[a]))
                s->has_key[r] = 0;
        }
        if (!s->has_key[r])
            keys->len = s->key_at[r];
    }
    s->key_at[s->rows] = (uint32_t)keys->len;
}

static void hash_keys(const struct join_work *w, const struct join_slice *s, const struct keyed *map, uint32_t *hash)
{
    for (uint32_t r = 0; r < s->rows; r++)
        if (s->has_key[r])
            hash[r] = keyed_hash(map, join_slice_key(w->j, r));
}

void join_slice_reach(const struct join_work *w, const struct join_slice *s, uint32_t r)
{
    const struct join_rows *own = &w->j->rows[w->side], *other = &w->j->rows[!w->side];
    for (uint32_t i = r ? r + AHEAD_INDEX : 0; i <= r + AHEAD_INDEX && i < s->rows; i++)
        if (s->has_key[i]) {
            keyed_expect(other->map, s->hash[i]);
            if (own->kind == KEYED_BAG)
                keyed_expect(own->map, s->own_hash[i]);
        }
    for (uint32_t i = r ? r + AHEAD_ENTRY : 0; i <= r + AHEAD_ENTRY && i < s->rows; i++)
        if (s->has_key[i]) {
            keyed_expect_entry(other->map, s->hash[i], PARTNER_BYTES);
            if (own->kind == KEYED_BAG)
                keyed_expect_entry(own->map, s->own_hash[i], 1);
        }
}

leat_status join_slice_compute(struct join_work *w, struct join_slice *s)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    int upsert = w->x->plan->inputs[side->input].mode == LEAT_MODE_UPSERT;
    struct sql_exec *pre = &w->j->pre;
    struct sql_sel sel = {s->list, 0};
    uint8_t lonely[SQL_VEC_MAX]; // the guard says: no partner
    sql_evaluator_reset(&pre->ev);
    pre->ev.rows = s->rows;
    pre->ev.now = w->x->ev.now;
    sql_exec_show(pre, side->input, w->b, s->first);
    for (uint32_t r = 0; r < s->rows; r++) {
        s->dropped[r] = lonely[r] = 0;
        s->has_key[r] = !upsert || w->b->kinds[s->first + r] != LEAT_DELETE; // of those only the primary key is known
        if (s->has_key[r])
            s->list[sel.count++] = (uint16_t)r;
    }
    leat_status st = condition(w, s, &sel, side->filter, s->dropped);
    if (st == LEAT_OK)
        st = condition(w, s, &sel, side->guard, lonely);
    struct sql_vec *vecs = sql_arena_alloc(&pre->ev.arena, side->key_count * sizeof *vecs);
    if (!vecs)
        return leat_no_memory(w->ctx);
    for (uint32_t k = 0; k < side->key_count && st == LEAT_OK; k++)
        st = sql_exec_eval(w->ctx, pre, side->keys[k], &sel, s->list, s->dropped, &vecs[k]);
    if (st != LEAT_OK)
        return st;
    encode_keys(w, s, vecs, lonely);
    if (!buf_ok(&w->j->keys))
        return leat_no_memory(w->ctx);
    hash_keys(w, s, w->j->rows[!w->side].map, s->hash);
    if (w->j->rows[w->side].kind == KEYED_BAG)
        hash_keys(w, s, w->j->rows[w->side].map, s->own_hash);
    return LEAT_OK;
}
