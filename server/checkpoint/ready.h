// SPDX-License-Identifier: Apache-2.0
// Is a job ready, and does it get on? Decided from copies of what it shows of itself, so that any thread may ask.
//
// A job that runs is ready unless, for longer than a limit, a source is behind without moving, a sink has not taken or
// secured what it was given, or a checkpoint has been under way. Times are monotonic: a clock that is set does no harm.
#ifndef CHECKPOINT_READY_H
#define CHECKPOINT_READY_H

#include "checkpoint/coordinator.h"

struct base_str;

// `name` is the job's. False: the reason is appended.
bool ready_job(const char *name, const struct coordinator_view *view, const struct runtime_node_view *nodes,
               uint32_t count, leat_usec now, leat_usec limit, struct base_str *reason);

#endif
