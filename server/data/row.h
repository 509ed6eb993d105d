// SPDX-License-Identifier: Apache-2.0
// Rows of batches: compared, hashed, measured, gathered. Thread: any.
#ifndef LEAT_DATA_ROW_H
#define LEAT_DATA_ROW_H

#include <stdbool.h>

#include <leat/batch.h>

// Do two values of one type have the same bytes? (NaN equals NaN, 0.0 and -0.0 differ.)
bool data_cells_equal(const union leat_cell *a, const union leat_cell *b, const struct leat_type *type);

// Are two rows of one schema equal in columns[0 … n-1], states included?
bool data_rows_equal(const struct leat_batch *a, uint32_t row_a, const struct leat_batch *b, uint32_t row_b,
                     const uint32_t *columns, uint32_t n);

// Hash of some columns of a row; rows that are equal in them hash alike, whichever batch they are in.
uint64_t data_row_hash(const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n);

// Bytes of the values of a batch: the length of strings, 1 to 16 for each of the others by its type, nothing for a NULL.
// What rows are, however large the memory in which they lie, and whoever shares it.
uint64_t data_rows_bytes(const struct leat_batch *b);

// The rows of `b` numbered rows[0 … n-1], n > 0, in a new batch that borrows their bytes from `b`. NULL without memory.
struct leat_batch *data_batch_gather(const struct leat_batch *b, const uint32_t *rows, uint32_t n);

#endif
