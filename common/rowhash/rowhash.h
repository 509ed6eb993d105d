// SPDX-License-Identifier: Apache-2.0
// The hash by which rows are shared out among the instances of a node.
//
// The runtime sends a row over a hashing edge to instance rowhash(...) % instances; an operator that finds saved state
// of another parallelism keeps the keys whose hash says so. Both must agree, which is why it stands here. It is never
// written to disk.
//
// Equal values have equal hashes, whichever batch they are in; equality is that of bytes (0.0 and -0.0 differ).
// Thread: any.
#ifndef COMMON_ROWHASH_H
#define COMMON_ROWHASH_H

#include <leat/batch.h>

// Of the columns[0 … n-1] of row `row`, in that order. NULL, absent and unchanged hash alike.
uint64_t rowhash(const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n);

// The same of n values that are not in a batch: types, cells and states by turns in three arrays.
uint64_t rowhash_cells(const struct leat_type *const *types, const union leat_cell *cells, const uint8_t *states,
                       uint32_t n);

#endif
