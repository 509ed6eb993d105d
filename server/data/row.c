// SPDX-License-Identifier: Apache-2.0
// See row.h.
#include "data/row.h"

#include <string.h>

#include "data/batch.h"
#include "rowhash.h"

static bool lists_equal(const struct leat_list *a, const struct leat_list *b, const struct leat_type *type)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct leat_datum *x = &a->items[i], *y = &b->items[i];
        if (x->state != y->state ||
            (x->state == LEAT_VALUE && !data_cells_equal(&x->cell, &y->cell, leat_type_child(type, i))))
            return false;
    }
    return true;
}

bool data_cells_equal(const union leat_cell *a, const union leat_cell *b, const struct leat_type *type)
{
    if (leat_type_is_bytes(type->kind))
        return a->bytes.len == b->bytes.len &&
               (a->bytes.len == 0 || memcmp(a->bytes.ptr, b->bytes.ptr, a->bytes.len) == 0);
    if (leat_type_is_list(type->kind))
        return lists_equal(&a->list, &b->list, type);
    if (type->kind == LEAT_TYPE_DECIMAL)
        return a->i128 == b->i128;
    if (type->kind == LEAT_TYPE_FLOAT)
        // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bits, as of a DOUBLE; NaN is equal to itself
        return memcmp(&a->f32, &b->f32, sizeof a->f32) == 0;
    return a->i64 == b->i64;
}

bool data_rows_equal(const struct leat_batch *a, uint32_t row_a, const struct leat_batch *b, uint32_t row_b,
                     const uint32_t *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = columns[i];
        uint8_t state = a->columns[c].states[row_a];
        if (state != b->columns[c].states[row_b])
            return false;
        if (state == LEAT_VALUE &&
            !data_cells_equal(&a->columns[c].cells[row_a], &b->columns[c].cells[row_b], &a->schema->columns[c].type))
            return false;
    }
    return true;
}

// Of the types without bytes of their own; 0 = they have.
static uint32_t width_of(uint8_t kind)
{
    static const uint8_t widths[] = {
        [LEAT_TYPE_BOOLEAN] = 1,     [LEAT_TYPE_TINYINT] = 1,     [LEAT_TYPE_SMALLINT] = 2,
        [LEAT_TYPE_INT] = 4,         [LEAT_TYPE_BIGINT] = 8,      [LEAT_TYPE_FLOAT] = 4,
        [LEAT_TYPE_DOUBLE] = 8,      [LEAT_TYPE_DECIMAL] = 16,    [LEAT_TYPE_DATE] = 4,
        [LEAT_TYPE_TIME] = 8,        [LEAT_TYPE_TIMESTAMP] = 8,   [LEAT_TYPE_TIMESTAMP_LTZ] = 8,
        [LEAT_TYPE_INTERVAL_YM] = 4, [LEAT_TYPE_INTERVAL_DS] = 8,
    };
    return kind < sizeof widths ? widths[kind] : 0;
}

static uint64_t cell_bytes(const union leat_cell *cell, const struct leat_type *type)
{
    if (leat_type_is_bytes(type->kind))
        return cell->bytes.len;
    if (!leat_type_is_list(type->kind))
        return width_of(type->kind);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < cell->list.count; i++)
        if (cell->list.items[i].state == LEAT_VALUE)
            sum += cell_bytes(&cell->list.items[i].cell, leat_type_child(type, i));
    return sum;
}

// Eight states at once: in most columns all of them are LEAT_VALUE, which is 0.
static uint32_t count_values(const uint8_t *states, uint32_t n)
{
    uint32_t values = 0, r = 0;
    for (uint64_t eight; r + sizeof eight <= n; r += sizeof eight) {
        memcpy(&eight, states + r, sizeof eight);
        if (eight == 0) {
            values += sizeof eight;
            continue;
        }
        for (uint32_t k = 0; k < sizeof eight; k++)
            values += states[r + k] == LEAT_VALUE;
    }
    for (; r < n; r++)
        values += states[r] == LEAT_VALUE;
    return values;
}

static uint64_t column_bytes(const struct leat_column *column, const struct leat_type *type, uint32_t rows)
{
    uint32_t width = width_of(type->kind);
    uint64_t sum = 0;
    if (width)
        return (uint64_t)count_values(column->states, rows) * width;
    if (!leat_type_is_list(type->kind)) {
        for (uint32_t r = 0; r < rows; r++)
            if (column->states[r] == LEAT_VALUE)
                sum += column->cells[r].bytes.len;
        return sum;
    }
    for (uint32_t r = 0; r < rows; r++)
        if (column->states[r] == LEAT_VALUE)
            sum += cell_bytes(&column->cells[r], type);
    return sum;
}

uint64_t data_rows_bytes(const struct leat_batch *b)
{
    uint64_t sum = 0;
    for (uint32_t c = 0; c < b->column_count; c++)
        sum += column_bytes(&b->columns[c], &b->schema->columns[c].type, b->rows);
    return sum;
}

uint64_t data_row_hash(const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n)
{
    return rowhash(b, row, columns, n);
}

struct leat_batch *data_batch_gather(const struct leat_batch *b, const uint32_t *rows, uint32_t n)
{
    struct leat_batch *out = data_batch_create(b->host, b->schema, n, 0, b->arrived);
    if (!out)
        return NULL;
    leat_usec *times = b->times ? leat_batch_alloc(out, n * sizeof *times, 8) : NULL;
    uint64_t *positions = b->positions ? leat_batch_alloc(out, n * sizeof *positions, 8) : NULL;
    if ((b->times && !times) || (b->positions && !positions) || data_batch_keep(out, b) != LEAT_OK) {
        data_batch_unref(out);
        return NULL;
    }
    out->rows = n;
    out->flags = b->flags;
    out->times = times;
    out->positions = positions;
    for (uint32_t i = 0; i < n; i++) {
        out->kinds[i] = b->kinds[rows[i]];
        if (times)
            times[i] = b->times[rows[i]];
        if (positions)
            positions[i] = b->positions[rows[i]];
    }
    for (uint32_t c = 0; c < b->column_count; c++) {
        for (uint32_t i = 0; i < n; i++) {
            out->columns[c].cells[i] = b->columns[c].cells[rows[i]];
            out->columns[c].states[i] = b->columns[c].states[rows[i]];
        }
    }
    return out;
}
