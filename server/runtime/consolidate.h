// SPDX-License-Identifier: Apache-2.0
// The net change of transactions, see consolidate.c. For this room only.
//
// Thread: the worker of the sink that it belongs to.
#ifndef RUNTIME_CONSOLIDATE_H
#define RUNTIME_CONSOLIDATE_H

#include <stdbool.h>

#include <leat/host.h>

struct consolidate;

// `memory`: bytes held in memory; what is more goes to files in `dir` (borrowed; NULL = /tmp).
struct consolidate *consolidate_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count,
                                       size_t memory, const char *dir);
void consolidate_destroy(struct consolidate *c);
typedef leat_status (*consolidate_give_fn)(void *arg, const struct leat_batch *batch);
// Adds a batch; unless a transaction is open, gives the net change, in one batch or more, each borrowed by `give`.
// LEAT_AGAIN: a slice is done, or `give` said so; it is_giving until go_on has given the rest, slice by slice.
leat_status consolidate_add(struct consolidate *c, struct leat_ctx *ctx, const struct leat_batch *batch, bool open,
                            consolidate_give_fn give, void *arg);
// Gives what is held: the transaction is over though nothing said so.
leat_status consolidate_finish(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg);
leat_status consolidate_go_on(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg);
bool consolidate_is_giving(const struct consolidate *c);
// Keys or changes for which there is room without growing; what it holds for that when nothing is given.
uint32_t consolidate_capacity(const struct consolidate *c);

#endif
