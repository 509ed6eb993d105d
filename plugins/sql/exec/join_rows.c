// SPDX-License-Identifier: Apache-2.0
// The rows that one side of a join keeps; see join_int.h for their form.
#include <string.h>

#include "exec/join_int.h"

static uint8_t kind_of(const struct sql_plan *p, const struct sql_side *side)
{
    if (p->inputs[side->input].mode == LEAT_MODE_INSERT_ONLY)
        return KEYED_BAG;
    return side->key_is_unique ? KEYED_MAP : side->unique_count ? KEYED_GROUPED : KEYED_GROUPED_KEYS;
}

leat_status join_rows_create(struct leat_ctx *ctx, struct sql_exec *x, uint32_t s)
{
    struct join_rows *rows = &x->joiner->rows[s];
    const struct sql_side *side = &x->joiner->join->sides[s];
    uint32_t first = x->plan->first[side->input];
    rows->side = side;
    rows->kind = kind_of(x->plan, side);
    rows->types = ctx->host->alloc(ctx, (side->stored_count + 1) * sizeof(struct leat_type *));
    rows->columns = ctx->host->alloc(ctx, (side->stored_count + 1) * sizeof *rows->columns);
    rows->map = keyed_create(rows->kind);
    if (!rows->types || !rows->columns || !rows->map)
        return leat_no_memory(ctx);
    for (uint32_t c = 0; c < side->stored_count; c++) {
        rows->columns[c] = side->stored[c] - first;
        rows->types[c] = &x->plan->inputs[side->input].schema->columns[rows->columns[c]].type;
        rows->has_bytes |= leat_type_is_bytes(rows->types[c]->kind) || leat_type_is_list(rows->types[c]->kind);
    }
    return LEAT_OK;
}

void join_rows_destroy(struct leat_ctx *ctx, struct join_rows *rows)
{
    keyed_destroy(rows->map);
    ctx->host->free(ctx, rows->types);
    ctx->host->free(ctx, rows->columns);
}

keyed_ref join_first(const struct join_rows *rows, struct leat_bytes key)
{
    return keyed_first(rows->map, key, keyed_hash(rows->map, key));
}

struct leat_bytes join_row_of(const struct join_rows *rows, keyed_ref ref, struct leat_bytes *key, uint64_t *times)
{
    struct leat_bytes value = keyed_ref_value(rows->map, ref);
    *times = 1;
    if (rows->kind == KEYED_MAP) {
        *key = keyed_ref_key(rows->map, ref);
        return value;
    }
    if (rows->kind != KEYED_GROUPED_KEYS)
        return keyed_group_take(value, key);
    struct cur c = cur_of(value.ptr, value.len);
    *times = cur_uvarint(&c);
    return keyed_group_take(keyed_ref_key(rows->map, ref), key);
}

static void *list_alloc(void *arg, size_t size)
{
    return sql_arena_alloc(arg, size);
}

int join_decode(const struct join_rows *rows, struct leat_bytes row, struct join_values *to, struct sql_arena *lists)
{
    return keyed_cells_decode(row, rows->types, to->cells, to->states, rows->side->stored_count, list_alloc, lists);
}

// --- changing

// One more or one less of a row that is told apart by its content.
static int count_row(struct join_rows *rows, struct leat_bytes id, int more)
{
    struct leat_bytes value;
    uint64_t times = 0;
    if (keyed_get(rows->map, id, &value)) {
        struct cur c = cur_of(value.ptr, value.len);
        times = cur_uvarint(&c);
    }
    times = more ? times + 1 : times ? times - 1 : 0;
    if (!times)
        return keyed_remove(rows->map, id) < 0 ? -1 : 0;
    uint8_t bytes[10];
    uint32_t n = 0;
    for (; times >= 0x80; times >>= 7)
        bytes[n++] = (uint8_t)(times | 0x80);
    bytes[n++] = (uint8_t)times;
    return keyed_put(rows->map, id, (struct leat_bytes){bytes, n});
}

int join_commit(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    struct join_rows *rows = &w->j->rows[w->side];
    // a row that can meet nothing is kept only where its own deletion must find it
    int keep = c->has_new && (c->new_has_key || (w->j->join->outer && w->side == 0 && rows->side->unique_count));
    switch (rows->kind) {
    case KEYED_BAG:
        return keep ? keyed_add(rows->map, join_bytes(&c->value), keyed_hash(rows->map, join_bytes(&c->new_key))) : 0;
    case KEYED_GROUPED_KEYS:
        if (c->stored && count_row(rows, join_bytes(&c->old_id), 0))
            return -1;
        return keep ? count_row(rows, join_bytes(&c->id), 1) : 0;
    default:
        if (keep)
            return keyed_put(rows->map, join_bytes(&c->id), join_bytes(&c->value));
        return c->stored && keyed_remove(rows->map, join_bytes(&c->id)) < 0 ? -1 : 0;
    }
}
