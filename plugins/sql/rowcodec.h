// SPDX-License-Identifier: Apache-2.0
// Rows as bytes, for keyed state and its checkpoints; and join keys as bytes that are equal when the keys are.
//
// A row is one bit per column (set: a value, clear: NULL), eight to a byte, then the values in order:
// integers as zigzag varints, FLOAT and DOUBLE as they are, decimals as zigzag varints of 128 bits, bytes and lists
// with their length in front. The types are not in it: whoever reads knows them. State version 1.
#ifndef SQL_ROWCODEC_H
#define SQL_ROWCODEC_H

#include <stddef.h>
#include <stdint.h>

#include "leat/types.h"

// A growing buffer.
struct row_buf {
    uint8_t *ptr;
    size_t len, room;
    uint8_t failed; // out of memory
};
void row_buf_fini(struct row_buf *b);
void row_buf_put(struct row_buf *b, const void *ptr, size_t len);
void row_buf_varint(struct row_buf *b, uint64_t v);

// A cursor with a sticky failure.
struct row_cursor {
    const uint8_t *at, *end;
    uint8_t failed;
};
uint64_t row_varint(struct row_cursor *c);
struct leat_bytes row_bytes(struct row_cursor *c, uint64_t len);

// Appends one row: cells[i] of type types[i]. States other than VALUE are written as NULL.
void row_encode(struct row_buf *b, const struct leat_type *const *types, const union leat_cell *cells,
                const uint8_t *states, uint32_t count);
// The reverse. Bytes point into `row`; lists are made by alloc(arg, size), 16-byte aligned. 0, or -1 = malformed or no
// memory.
int row_decode(struct leat_bytes row, const struct leat_type *const *types, union leat_cell *cells, uint8_t *states,
               uint32_t count, void *(*alloc)(void *arg, size_t size), void *arg);

// Appends a key part; 0, or 1 = it equals nothing (NULL, NaN).
int row_encode_key(struct row_buf *b, const struct leat_type *type, const union leat_cell *cell, uint8_t state);

#endif
