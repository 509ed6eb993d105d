// SPDX-License-Identifier: Apache-2.0
// A digest of rows, by which both sides of a bench are seen to give the same before they are measured. The order of rows
// and how they lie in batches do not matter.
#ifndef BENCH_DIGEST_H
#define BENCH_DIGEST_H

#include <leat/batch.h>

static inline uint64_t digest_bytes(uint64_t hash, const void *ptr, size_t len)
{
    for (const uint8_t *at = ptr, *end = at + len; at < end; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return hash;
}

static inline uint64_t digest_row(const struct leat_batch *b, const struct leat_schema *types, uint32_t row)
{
    uint64_t hash = digest_bytes(UINT64_C(0xcbf29ce484222325), &b->kinds[row], 1);
    for (uint32_t c = 0; c < types->column_count; c++) {
        const union leat_cell *cell = leat_batch_cell(b, c, row);
        uint8_t kind = types->columns[c].type.kind, state = leat_batch_state(b, c, row);
        hash = digest_bytes(hash, &state, 1);
        if (state != LEAT_VALUE)
            continue;
        if (leat_type_is_bytes(kind))
            hash = digest_bytes(hash, cell->bytes.ptr, cell->bytes.len);
        else
            hash = digest_bytes(hash, cell, kind == LEAT_TYPE_DECIMAL ? sizeof cell->i128 : sizeof cell->i64);
    }
    return hash;
}

// The digests of rows are to be added. `types` says what the columns hold; a rival's own schema may not know.
static inline uint64_t digest_rows(const struct leat_batch *b, const struct leat_schema *types)
{
    uint64_t sum = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        sum += digest_row(b, types, row);
    return sum;
}

#endif
