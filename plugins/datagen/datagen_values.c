// SPDX-License-Identifier: Apache-2.0
// Values from generators. Random numbers are a small stream that begins anew for every value from (seed, row, field),
// so no value depends on those before it.
#include <string.h>

#include <leat/host.h>

#include "calendar.h"
#include "datagen.h"
#include "decimal.h"
#include "hash.h"
#include "number.h"

struct rng {
    uint64_t state;
};

struct filling {
    struct leat_batch *b;
    uint64_t seed, n;
    leat_usec now;
};

static int fill(struct filling *f, const struct datagen_gen *g, uint64_t where, union leat_cell *cell, uint8_t *state);

static uint64_t next(struct rng *r)
{
    r->state += UINT64_C(0x9E3779B97F4A7C15);
    return hash_u64(r->state, UINT64_C(0xD1B54A32D192ED03));
}

// 0 … range - 1; 0 stands for 2^128.
static leat_u128 below(struct rng *r, leat_u128 range)
{
    leat_u128 v = (leat_u128)next(r) << 64 | next(r);
    return range ? v % range : v;
}

static double real_between(struct rng *r, double min, double max)
{
    double share = (double)(next(r) >> 11) * 0x1p-53;
    return min + (max / 2 - min / 2) * share * 2; // halves, since max - min may be beyond the type
}

static uint32_t length_of(struct rng *r, const struct datagen_gen *g)
{
    return g->var_len && g->length ? 1 + (uint32_t)(next(r) % g->length) : g->length;
}

static int random_bytes(struct filling *f, struct rng *r, const struct datagen_gen *g, union leat_cell *cell)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t len = length_of(r, g);
    uint8_t *to = leat_batch_alloc(f->b, len ? len : 1, 1);
    int text = leat_type_is_string(g->type->kind);
    if (!to)
        return 0;
    for (uint32_t i = 0; i < len;) {
        uint64_t v = next(r);
        for (int k = 0; k < (text ? 16 : 8) && i < len; k++, v >>= text ? 4 : 8)
            to[i++] = text ? (uint8_t)digits[v & 15] : (uint8_t)v;
    }
    cell->bytes = (struct leat_bytes){to, len};
    return 1;
}

static int collection(struct filling *f, struct rng *r, const struct datagen_gen *g, union leat_cell *cell)
{
    uint8_t kind = g->type->kind;
    uint32_t n = kind == LEAT_TYPE_ROW ? g->type->child_count : length_of(r, g) * (kind == LEAT_TYPE_MAP ? 2 : 1);
    struct leat_datum *items = leat_batch_alloc(f->b, (n ? n : 1) * sizeof *items, 16);
    if (!items)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct datagen_gen *child = &g->children[kind == LEAT_TYPE_ROW ? i : kind == LEAT_TYPE_MAP ? i & 1 : 0];
        if (!fill(f, child, next(r), &items[i].cell, &items[i].state))
            return 0;
    }
    cell->list.items = items;
    cell->list.count = n;
    return 1;
}

static int64_t cut(int64_t micros, unsigned precision)
{
    static const int64_t unit[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    return calendar_floor_div(micros, unit[precision]) * unit[precision];
}

static int random_value(struct filling *f, struct rng *r, const struct datagen_gen *g, union leat_cell *cell)
{
    switch (g->type->kind) {
    case LEAT_TYPE_BOOLEAN:
        cell->i64 = next(r) >> 63;
        return 1;
    case LEAT_TYPE_FLOAT:
        cell->f32 = (float)real_between(r, g->real_min, g->real_max);
        return 1;
    case LEAT_TYPE_DOUBLE:
        cell->f64 = real_between(r, g->real_min, g->real_max);
        return 1;
    case LEAT_TYPE_DECIMAL:
        cell->i128 = g->min + (leat_i128)below(r, (leat_u128)(g->max - g->min) + 1);
        return 1;
    case LEAT_TYPE_DATE:
        cell->i64 = calendar_date_of(f->now);
        return 1;
    case LEAT_TYPE_TIME:
        cell->i64 = cut(calendar_time_of(f->now), g->type->precision);
        return 1;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        cell->i64 = cut(f->now - (int64_t)below(r, (leat_u128)g->max_past + 1), g->type->precision);
        return 1;
    case LEAT_TYPE_ARRAY:
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        return collection(f, r, g, cell);
    default:
        if (leat_type_is_bytes(g->type->kind))
            return random_bytes(f, r, g, cell);
        cell->i64 = (int64_t)(g->min + (leat_i128)below(r, (leat_u128)(g->max - g->min) + 1));
        return 1;
    }
}

static int sequence_value(struct filling *f, const struct datagen_gen *g, union leat_cell *cell)
{
    uint8_t kind = g->type->kind;
    if (kind == LEAT_TYPE_DECIMAL) {
        cell->i128 = g->min + (leat_i128)f->n * (leat_i128)decimal_pow10[g->type->scale];
        return 1;
    }
    int64_t v = (int64_t)(g->min + (leat_i128)f->n);
    if (kind == LEAT_TYPE_FLOAT) {
        cell->f32 = (float)v;
    } else if (kind == LEAT_TYPE_DOUBLE) {
        cell->f64 = (double)v;
    } else if (leat_type_is_string(kind)) {
        uint8_t *to = leat_batch_alloc(f->b, NUMBER_I64_MAX, 1);
        if (!to)
            return 0;
        cell->bytes = (struct leat_bytes){to, (uint32_t)number_i64_print(to, v)};
    } else {
        cell->i64 = v;
    }
    return 1;
}

// `where` sets the elements of a collection apart.
static int fill(struct filling *f, const struct datagen_gen *g, uint64_t where, union leat_cell *cell, uint8_t *state)
{
    struct rng r = {hash_join(hash_u64(f->n, f->seed), hash_u64(where, g->salt))};
    *state = LEAT_VALUE;
    if (g->null_below && (g->null_below == UINT64_MAX || next(&r) < g->null_below)) {
        *state = LEAT_NULL;
        return 1;
    }
    return g->kind == DATAGEN_SEQUENCE ? sequence_value(f, g, cell) : random_value(f, &r, g, cell);
}

int datagen_fill(struct leat_batch *b, uint32_t row, const struct datagen_gen *gens, uint64_t seed, uint64_t n,
                 leat_usec now)
{
    struct filling f = {b, seed, n, now};
    for (uint32_t i = 0; i < b->column_count; i++)
        if (!fill(&f, &gens[i], 0, &b->columns[i].cells[row], &b->columns[i].states[row]))
            return 0;
    return 1;
}
