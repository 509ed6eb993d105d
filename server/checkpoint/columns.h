// SPDX-License-Identifier: Apache-2.0
// What the sources of a pipeline looked like when they were first discovered, to be held against each later discovery.
//
// A job that starts again by itself, after a lost connection for instance, reads the catalogue anew. A column that was
// dropped, renamed or retyped meanwhile must not pass unseen: rows that still have it would be written without it. Only
// a restart of the process, by somebody who knows, takes new columns. Columns that were added do no harm; a source that
// would take them by itself is told what was seen, to leave them out.
//
// Thread: the control loop.
#ifndef CHECKPOINT_COLUMNS_H
#define CHECKPOINT_COLUMNS_H

#include "base/arena.h"
#include "base/error.h"
#include "graph/plan.h"

// One output of a source.
struct columns_seen {
    struct columns_seen *next;
    const char *node, *port;
    const struct leat_schema *schema;
};

// Remembers the outputs of sources that are not in `seen` yet, in `arena`, and compares the others: LEAT_FATAL with
// `error` when a column is not as it was.
leat_status columns_check(struct columns_seen **seen, struct base_arena *arena, const struct plan_job *plan,
                          struct base_error *error);

// Tells the sources of a new plan what was seen of them.
leat_status columns_remind(const struct columns_seen *seen, struct plan_job *plan, struct base_error *error);

#endif
