// SPDX-License-Identifier: Apache-2.0
// The join's part of a checkpoint: both sides' rows in one piece, as keyed.h writes them. Version 2.
//
// With another parallelism than before an instance reads the rows of all former ones and keeps those that come to it
// from now on: their columns by which rows are shared out stand in their keys, and hash as the runtime hashes them.
#include "exec/join_int.h"
#include "rowhash.h"

leat_status sql_joiner_save(struct leat_ctx *ctx, struct sql_exec *x, struct leat_state_out *out)
{
    struct sql_joiner *j = x->joiner;
    struct keyed *maps[2] = {j->rows[0].map, j->rows[1].map};
    leat_status st = keyed_save(ctx, out, JOIN_STATE_VERSION, maps, 2);
    sql_joiner_report(j, 0);
    return st;
}

leat_status sql_joiner_load(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_state_in *in)
{
    struct sql_joiner *j = x->joiner;
    struct keyed *maps[2] = {j->rows[0].map, j->rows[1].map};
    if (in->version != JOIN_STATE_VERSION)
        return leat_fail(ctx, LEAT_FATAL, SQL_CODE_STATE, "the state of the join has version %u, known is %u",
                         in->version, JOIN_STATE_VERSION);
    return keyed_load(ctx, in, maps, 2);
}

// --- whose is a row

struct owner {
    struct sql_joiner *joiner;
    struct join_rows *rows;
    uint32_t instance, instances;
    uint8_t broken; // a row that makes no sense
};

static const struct leat_type *part_type(const struct owner *o, uint32_t part)
{
    const struct sql_side *side = o->rows->side;
    return o->rows->kind == KEYED_GROUPED ? side->unique_types[part] : side->keys[part]->type;
}

// The key, part for part, up to the last one that rows are shared out by. 0 or -1.
static int take_apart(const struct owner *o, struct leat_bytes key, union leat_cell *cells, uint8_t *states)
{
    const struct sql_side *side = o->rows->side;
    uint32_t count = 0;
    for (uint32_t i = 0; i < side->share_count; i++)
        count = side->share[i] >= count ? side->share[i] + 1 : count;
    for (uint32_t i = 0; i < count; i++) {
        int none = keyed_part_decode(&key, part_type(o, i), &cells[i]);
        if (none < 0)
            return -1;
        states[i] = none ? LEAT_NULL : LEAT_VALUE;
    }
    return 0;
}

static int is_mine(struct owner *o, struct leat_bytes key)
{
    const struct sql_side *side = o->rows->side;
    union leat_cell cells[LEAT_COLUMNS_MAX], shared[LEAT_COLUMNS_MAX];
    uint8_t states[LEAT_COLUMNS_MAX], shared_states[LEAT_COLUMNS_MAX];
    const struct leat_type *types[LEAT_COLUMNS_MAX];
    if (take_apart(o, key, cells, states)) {
        o->broken = 1;
        return 1;
    }
    for (uint32_t i = 0; i < side->share_count; i++) {
        shared[i] = cells[side->share[i]];
        shared_states[i] = states[side->share[i]];
        types[i] = part_type(o, side->share[i]);
    }
    return rowhash_cells(types, shared, shared_states, side->share_count) % o->instances == o->instance;
}

// Content that does not decode would break the join later, far from here: it is looked at once.
static int keep_row(void *arg, struct leat_bytes key, struct leat_bytes value)
{
    struct owner *o = arg;
    struct sql_joiner *j = o->joiner;
    struct leat_bytes group, row = value;
    if (o->rows->kind == KEYED_GROUPED_KEYS)
        row = keyed_group_take(key, &group);
    else if (o->rows->kind != KEYED_MAP)
        row = keyed_group_take(value, &group);
    if (join_decode(o->rows, row, &j->match, &j->match_lists))
        o->broken = 1;
    sql_arena_reset(&j->match_lists);
    if (o->instances == 1 || o->broken)
        return 1;
    return is_mine(o, o->rows->kind == KEYED_GROUPED || o->rows->kind == KEYED_MAP ? key : group);
}

leat_status sql_joiner_open(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_open *open)
{
    struct sql_joiner *j = x->joiner;
    for (uint32_t s = 0; s < 2 && open->restored; s++) {
        struct owner o = {j, &j->rows[s], open->instance, open->instances ? open->instances : 1, 0};
        keyed_retain(j->rows[s].map, keep_row, &o);
        if (o.broken)
            return leat_fail(
                ctx, LEAT_FATAL, SQL_CODE_STATE,
                "the saved state does not fit the join: its keys or columns are not those that it was written for");
    }
    sql_joiner_report(j, 0);
    return LEAT_OK;
}

void sql_joiner_report(struct sql_joiner *j, int gone)
{
    int64_t now[3] = {0};
    for (uint32_t s = 0; s < 2 && !gone; s++) {
        if (!j->rows[s].map)
            continue;
        now[0] += (int64_t)keyed_count(j->rows[s].map);
        now[1] += (int64_t)keyed_bytes(j->rows[s].map);
        now[2] += (int64_t)keyed_content_bytes(j->rows[s].map);
    }
    int64_t *metrics[3] = {j->metric_rows, j->metric_bytes, j->metric_content};
    for (int i = 0; i < 3; i++)
        if (metrics[i]) // instances share the number
            __atomic_fetch_add(metrics[i], now[i] - j->reported[i], __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        j->reported[i] = now[i];
}
