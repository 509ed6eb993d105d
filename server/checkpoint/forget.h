// SPDX-License-Identifier: Apache-2.0
// Saved state that is forgotten on purpose: --forget-state of `leat run`.
//
// A source forgets its position with its state and begins as on its first start. An operator that keeps rows is right
// only as long as it has seen each row of its sources once: it cannot forget them while a source goes on where it
// stood, nor keep them while a source begins anew. So what belongs together is forgotten together, or not at all.
// Thread: the control loop, at the start.
#ifndef CHECKPOINT_FORGET_H
#define CHECKPOINT_FORGET_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"
#include "checkpoint/store.h"
#include "graph/planner.h"

// Does a state saved under the name `state` belong to one of the nodes? "join/normalize/0" is the state of "join".
bool forget_has(const char *const *nodes, uint32_t count, const char *state);

// Refuses to forget the state of the nodes (of the graph) when others depend on it, and names them all. If it may be
// done, a line of the log tells each.
leat_status forget_check(const struct graph *graph, struct store *store, const char *const *nodes, uint32_t count,
                         const struct base_logger *logger, struct base_error *error) LEAT_MUST_CHECK;

#endif
