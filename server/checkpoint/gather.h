// SPDX-License-Identifier: Apache-2.0
// The states of one job as its nodes save them, epoch by epoch: what the next manifest is made from. A full piece takes the
// place of all before it, a delta stands behind them, and what is as it was stays where it lies on disk.
//
// Thread: whoever holds the coordinator's lock.
#ifndef CHECKPOINT_GATHER_H
#define CHECKPOINT_GATHER_H

#include <stdbool.h>

#include "checkpoint/store.h"
#include "runtime/runtime.h"

struct gather {
    struct store_manifest manifest;
    bool changed; // the epoch under way holds something new
    size_t bytes; // that it saved
};

// Takes saved->bytes. False without memory: they are still the caller's.
bool gather_take(struct gather *g, struct runtime_saved *saved);
// Is the whole state due: there is none yet, or half of what lies on disk is old?
bool gather_wants_full(const struct gather *g, const char *node, uint32_t instance);
// Large pieces that are on disk need not stay in memory.
void gather_forget_large(struct gather *g);

#endif
