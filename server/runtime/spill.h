// SPDX-License-Identifier: Apache-2.0
// Rows of a transaction that are too many for memory, in files: shared out by a hash, so that equal keys meet in one part,
// and read back part by part, in their order.
//
// The files have no name from the moment in which they are made: whatever ends the process takes them along.
// Thread: the worker's.
#ifndef RUNTIME_SPILL_H
#define RUNTIME_SPILL_H

#include <leat/host.h>

#define SPILL_PARTS 64u

struct spill;

// NULL without memory. `dir` is borrowed.
struct spill *spill_create(const char *dir, const struct leat_schema *schema);
void spill_destroy(struct spill *s);

// Adds a row to the part of its hash.
leat_status spill_add(struct spill *s, struct leat_ctx *ctx, const struct leat_batch *b, uint32_t row, uint64_t hash);

// Parts are read batch by batch, each from its beginning after spill_rewind, and as often as wanted. spill_next gives a
// reference; LEAT_END: the part has no more.
leat_status spill_rewind(struct spill *s, struct leat_ctx *ctx, uint32_t part);
leat_status spill_next(struct spill *s, struct leat_ctx *ctx, uint32_t part, struct leat_batch **batch);

#endif
