// SPDX-License-Identifier: Apache-2.0
// What the sources of a job looked like when they were first discovered, to be held against each later discovery.
//
// A job that starts again by itself, after a lost connection for instance, reads the catalogue anew. A column that was
// dropped, renamed or retyped meanwhile must not pass unseen: rows that still have it would be written without it. Only
// a restart of the process, by somebody who knows, takes new columns. Columns that were added do no harm.
//
// Thread: the control loop.
#ifndef CHECKPOINT_COLUMNS_H
#define CHECKPOINT_COLUMNS_H

#include "base/error.h"
#include "base/str.h"
#include "graph/plan.h"

// Remembers in `seen` the columns of sources that are not there yet, and compares the others: LEAT_FATAL with `error`
// when a column is not as it was.
leat_status columns_check(struct base_str *seen, const struct plan_job *plan, struct base_error *error);

#endif
