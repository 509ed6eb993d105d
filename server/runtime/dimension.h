// SPDX-License-Identifier: Apache-2.0
// Waiting for dimensions, see dimension.c. For this room only.
//
// Thread: the task's worker, unless said otherwise.
#ifndef RUNTIME_DIMENSION_H
#define RUNTIME_DIMENSION_H

#include "runtime/runtime_int.h"

// --- gates
void dimension_close_gates(struct runtime_job *job); // control loop, when the job is built
void dimension_wait_at_start(struct task *t);        // the task begins to run, maybe behind a gate
void dimension_caught_up(struct task *t);            // one of its inputs has: the gate opens behind the last

// --- asking, in the task of a reader
// May this element be taken? Asks the dimensions, if need be.
bool dimension_lets_pass(struct task *t, const struct task_input *in, const struct element *e);
void dimension_passed(struct task *t, struct task_input *in); // an element of an input, whatever it was
// A mark has come, or (number 0) an input is at its end.
void dimension_answered(struct task *t, struct task_input *in, uint64_t number);

// --- being asked, in the task of a source. False = nothing to do now.
bool dimension_seek_end(struct task *t, struct inst *source, leat_status *st);

// --- barriers
void dimension_hold_barriers(struct runtime_job *job, leat_epoch epoch); // control loop, before any is wanted
void dimension_release_barriers(struct task *t); // one has come through an input that is no dimension

#endif
