// SPDX-License-Identifier: Apache-2.0
// The batch: a group of rows of one schema, in column order. Public and versioned, read and written in place.
//
//     columns[c].cells[r]    the value of column c in row r, 16 bytes (types.h says which member a type uses)
//     columns[c].states[r]   LEAT_VALUE, LEAT_NULL, LEAT_ABSENT or LEAT_UNCHANGED
//     kinds[r]               LEAT_INSERT, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, LEAT_DELETE
//     times[r]               when the source committed the row, or LEAT_TIME_NONE; `times` is NULL when no row has one
//
// Bytes and lists point into an arena that lives as long as the batch. A column may be borrowed from another batch
// (leat_batch_borrow): then nothing is copied, and the other batch lives as long as this one.
//
// Life: create (leat_batch_new) -> add rows -> emit, once. Emitting takes the batch and seals it: from then on it is
// immutable, counted by reference and may be read on several threads at once; its builder has no part in it any more,
// and neither writes to it nor calls leat_batch_unref. A batch that is never emitted is dropped by leat_batch_unref. Row
// order is the order of changes; -U stands right before its +U in the same batch.
//
// Building a row:
//     uint32_t r = leat_batch_add(b, LEAT_INSERT);      // UINT32_MAX: full, emit it and take a new one
//     leat_batch_set_i64(b, 0, r, 42);
//     leat_batch_set_null(b, 1, r);
//     if (!leat_batch_set_bytes(b, 2, r, ptr, len))     // copies into the arena
//         return leat_no_memory(ctx);
// Every column of every row must be set; a fresh row's states are undefined.
//
// Thread: a batch being built belongs to one thread; a sealed one may be read on any. The inline functions here check
// nothing: columns and rows beyond the batch are the caller's fault. host.h has those that need memory.
#ifndef LEAT_BATCH_H
#define LEAT_BATCH_H

#include <leat/schema.h>
#include <leat/types.h>

struct leat_host;

// The values of one column.
struct leat_column {
    union leat_cell *cells; // `capacity` of them; NULL in a bare batch until allocated or borrowed
    uint8_t *states;
};

// Flags. TXN_OPEN: the source transaction of the last row goes on in the next batch of this port, which may be an empty
// one that only ends it. SNAPSHOT: rows of an initial snapshot.
#define LEAT_BATCH_TXN_OPEN 1u
#define LEAT_BATCH_SNAPSHOT 2u

#define LEAT_BATCH_ROWS     1024u  // the usual capacity
#define LEAT_BATCH_CELLS    16384u // cells from which a batch outgrows a core's cache: wide rows come in smaller batches
#define LEAT_BATCH_ROWS_MAX 65536u
#define LEAT_BATCH_BYTES    (1u << 20) // arena size from which a batch counts as full, however few rows it has

// While a batch is built its plugin sets `flags`, and `times` and `positions` where it knows them (`capacity` of each, by
// leat_batch_alloc). Everything else changes through functions only.
struct leat_batch {
    uint32_t struct_size;
    uint32_t flags; // LEAT_BATCH_*
    const struct leat_schema *schema;
    const struct leat_host *host;
    uint32_t rows;
    uint32_t capacity;
    uint32_t column_count;
    uint32_t arena_bytes; // size of the arena so far, in whole chunks
    struct leat_column *columns;
    uint8_t *kinds;
    leat_usec *times;
    uint64_t *positions; // source position of each row (LSN, offset) for messages and lag; NULL when there are none
    leat_usec arrived;   // wall clock when the first row entered leat; set by leat_batch_new
    uint8_t *arena_next; // free bytes of the current arena chunk
    uint8_t *arena_end;
};

// The usual capacity for rows of this schema: LEAT_BATCH_ROWS, fewer of wide rows.
static inline uint32_t leat_batch_rows_for(const struct leat_schema *schema)
{
    uint32_t rows = schema->column_count ? LEAT_BATCH_CELLS / schema->column_count : LEAT_BATCH_ROWS;
    return rows > LEAT_BATCH_ROWS ? LEAT_BATCH_ROWS : rows < 16 ? 16 : rows;
}

// Adds a row and returns its number, or UINT32_MAX when the batch is full.
static inline uint32_t leat_batch_add(struct leat_batch *b, uint8_t kind)
{
    if (b->rows == b->capacity)
        return UINT32_MAX;
    b->kinds[b->rows] = kind;
    return b->rows++;
}

// Time to emit and take a new one: no row left, or the arena has grown large.
static inline int leat_batch_is_full(const struct leat_batch *b)
{
    return b->rows == b->capacity || b->arena_bytes >= LEAT_BATCH_BYTES;
}

// Setters of one value: the cell by the member that the type uses (types.h), and LEAT_VALUE as its state.
static inline void leat_batch_set_i64(struct leat_batch *b, uint32_t col, uint32_t row, int64_t v)
{
    b->columns[col].cells[row].i64 = v;
    b->columns[col].states[row] = LEAT_VALUE;
}

static inline void leat_batch_set_f32(struct leat_batch *b, uint32_t col, uint32_t row, float v)
{
    b->columns[col].cells[row].f32 = v;
    b->columns[col].states[row] = LEAT_VALUE;
}

static inline void leat_batch_set_f64(struct leat_batch *b, uint32_t col, uint32_t row, double v)
{
    b->columns[col].cells[row].f64 = v;
    b->columns[col].states[row] = LEAT_VALUE;
}

static inline void leat_batch_set_i128(struct leat_batch *b, uint32_t col, uint32_t row, leat_i128 v)
{
    b->columns[col].cells[row].i128 = v;
    b->columns[col].states[row] = LEAT_VALUE;
}

// A string or bytes without a copy: `ptr` must live as long as the batch (in its arena, in a borrowed batch, attached).
static inline void leat_batch_set_slice(struct leat_batch *b, uint32_t col, uint32_t row, const uint8_t *ptr,
                                        uint32_t len)
{
    b->columns[col].cells[row].bytes.ptr = ptr;
    b->columns[col].cells[row].bytes.len = len;
    b->columns[col].states[row] = LEAT_VALUE;
}

// The same of a terminated string: a constant.
static inline void leat_batch_set_text(struct leat_batch *b, uint32_t col, uint32_t row, const char *text)
{
    leat_batch_set_slice(b, col, row, (const uint8_t *)text, (uint32_t)__builtin_strlen(text));
}

// A state other than LEAT_VALUE; the cell does not matter then.
static inline void leat_batch_set_state(struct leat_batch *b, uint32_t col, uint32_t row, uint8_t state)
{
    b->columns[col].states[row] = state;
}

static inline void leat_batch_set_null(struct leat_batch *b, uint32_t col, uint32_t row)
{
    b->columns[col].states[row] = LEAT_NULL;
}

// A value of another batch, without a copy of what it points to: `from` lives as long as `b` (leat_batch_like,
// host->batch_keep), and the columns are of one type.
static inline void leat_batch_copy_value(struct leat_batch *b, uint32_t col, uint32_t row,
                                         const struct leat_batch *from, uint32_t from_col, uint32_t from_row)
{
    b->columns[col].cells[row] = from->columns[from_col].cells[from_row];
    b->columns[col].states[row] = from->columns[from_col].states[from_row];
}

// A whole row of a batch with the same columns: kind and values, as above. Returns its number, or UINT32_MAX when `b` is
// full.
static inline uint32_t leat_batch_copy_row(struct leat_batch *b, const struct leat_batch *from, uint32_t from_row)
{
    uint32_t row = leat_batch_add(b, from->kinds[from_row]);
    for (uint32_t col = 0; row != UINT32_MAX && col < b->column_count; col++)
        leat_batch_copy_value(b, col, row, from, col, from_row);
    return row;
}

// Readers. The cell means something only where the state is LEAT_VALUE.
static inline uint8_t leat_batch_state(const struct leat_batch *b, uint32_t col, uint32_t row)
{
    return b->columns[col].states[row];
}

static inline const union leat_cell *leat_batch_cell(const struct leat_batch *b, uint32_t col, uint32_t row)
{
    return &b->columns[col].cells[row];
}

#endif
