// SPDX-License-Identifier: Apache-2.0
// See rowhash.h. Each value's hash is the seed of the next one's, so the order of the columns counts.
#include "rowhash.h"

#include <string.h>

#include "hash.h"

static uint64_t hash_value(const union leat_cell *cell, const struct leat_type *type, uint64_t seed);

static uint64_t hash_list(const struct leat_list *list, const struct leat_type *type, uint64_t seed)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct leat_datum *item = &list->items[i];
        seed = item->state == LEAT_VALUE ? hash_value(&item->cell, leat_type_child(type, i), seed) : hash_u64(1, seed);
    }
    return hash_u64(list->count, seed);
}

static uint64_t hash_value(const union leat_cell *cell, const struct leat_type *type, uint64_t seed)
{
    if (leat_type_is_bytes(type->kind))
        return hash_bytes(cell->bytes.ptr, cell->bytes.len, seed);
    if (type->kind == LEAT_TYPE_DECIMAL)
        return hash_u64((uint64_t)(cell->i128 >> 64), hash_u64((uint64_t)cell->i128, seed));
    if (type->kind == LEAT_TYPE_FLOAT) {
        uint32_t bits;
        memcpy(&bits, &cell->f32, sizeof bits);
        return hash_u64(bits, seed);
    }
    if (leat_type_is_list(type->kind))
        return hash_list(&cell->list, type, seed);
    return hash_u64((uint64_t)cell->i64, seed);
}

static uint64_t hash_next(const union leat_cell *cell, uint8_t state, const struct leat_type *type, uint64_t h)
{
    return state == LEAT_VALUE ? hash_value(cell, type, h) : hash_u64(0, h + 1);
}

uint64_t rowhash(const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct leat_column *col = &b->columns[columns[i]];
        h = hash_next(&col->cells[row], col->states[row], &b->schema->columns[columns[i]].type, h);
    }
    return h;
}

uint64_t rowhash_cells(const struct leat_type *const *types, const union leat_cell *cells, const uint8_t *states,
                       uint32_t n)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < n; i++)
        h = hash_next(&cells[i], states[i], types[i], h);
    return h;
}
