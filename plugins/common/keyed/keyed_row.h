// SPDX-License-Identifier: Apache-2.0
// Rows as bytes, for keyed state.
//
// Columns of a row are written one behind the other: first their states, two bits each, four to a byte; then the values
// of those that have one, in order. Integers, times and dates are folded (small magnitudes are short) numbers, FLOAT and
// DOUBLE their bytes, DECIMAL a number, or 16 bytes where that is too short, strings and bytes their length and
// themselves, lists their count, the states of the elements and the elements. The types are not in it: whoever reads
// knows them. Equal values give equal bytes.
//
// A number takes 1 to 9 bytes: as many zero bits as further bytes follow, a one, then the value, all low bits first, so
// that the first byte tells the length (7 bits of value a byte); from 2^56 on a zero byte and the value in 8 bytes.
// Thread: any.
#ifndef KEYED_ROW_H
#define KEYED_ROW_H

#include <leat/host.h>

#include "buf.h"

// Appends columns[0 … n-1] of a row; the buffer's failure tells of missing memory.
void keyed_row_encode(struct buf *out, const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n);

// The reverse: fills these columns of a row of a batch with columns of its own; bytes are copied into its arena.
// LEAT_OK, or fails: fatal = malformed, resource = no memory.
LEAT_MUST_CHECK leat_status keyed_row_decode(struct leat_ctx *ctx, struct leat_bytes bytes, struct leat_batch *b,
                                             uint32_t row, const uint32_t *columns, uint32_t n);

// The same with values outside batches. Decoded bytes point into `bytes`; lists are made by `alloc`, which gives
// 16-byte aligned memory or NULL. 0, or -1 = malformed or no memory.
void keyed_cells_encode(struct buf *out, const struct leat_type *const *types, const union leat_cell *cells,
                        const uint8_t *states, uint32_t n);
int keyed_cells_decode(struct leat_bytes bytes, const struct leat_type *const *types, union leat_cell *cells,
                       uint8_t *states, uint32_t n, void *(*alloc)(void *arg, size_t size), void *arg);

// Appends a part of a key, without its state: keys that are equal give equal bytes (0.0 and -0.0 are one). 0, or 1 = it
// equals nothing (NULL, NaN), and nothing was appended.
int keyed_part_encode(struct buf *out, const struct leat_type *type, const union leat_cell *cell, uint8_t state);
// Stands for a part that is none, where a key must be told apart all the same (a primary key with NULL).
void keyed_part_none(struct buf *out);
// The reverse: takes the part off the front of *bytes. Bytes point into it. 0, 1 = it is none, or -1 = malformed, or a
// list: keys that are taken apart have none.
int keyed_part_decode(struct leat_bytes *bytes, const struct leat_type *type, union leat_cell *cell);

#endif
