// SPDX-License-Identifier: Apache-2.0
// The run of a task. For this room only.
//
// Thread: the task's worker, unless said otherwise. Functions that fail have failed the job.
#ifndef RUNTIME_TASK_H
#define RUNTIME_TASK_H

#include "runtime/runtime_int.h"

// What a step of a run came to: with the first two there is something to be done that needs nobody's wake.
enum step_result {
    STEP_MORE,
    STEP_WORKING, // nothing passes yet
    STEP_IDLE,
    STEP_BLOCKED,
    STEP_FAILED,
};

// --- task.c
void task_wake(struct task *t); // any thread
void task_run_mail(struct loop_mail *mail);

// --- take.c
// Gives a batch that came on one way; `opens`: whether with it the way's transaction begins (1), ends (-1), or neither.
leat_status inst_deliver(struct inst *inst, uint32_t input, const struct leat_batch *batch, int32_t opens);
// END or CAUGHT_UP arrived on one way of an input.
leat_status inst_mark(struct inst *inst, uint32_t input, enum element_kind kind);
// Offers again what was not taken, and then goes on with a slice of a consolidated transaction. Does not fail the job.
enum step_result inst_drain(struct inst *inst);
bool inst_blocked(struct inst *inst);
bool inst_is_giving(const struct inst *inst); // a consolidated transaction, slice by slice
void inst_drop_pending(struct inst *inst);
// A sink, which the functions below do not fail the job for: flushes it; makes durable whatever it was given, LEAT_AGAIN
// until it is.
leat_status inst_flush(struct inst *inst, uint8_t how);
leat_status inst_make_durable(struct inst *inst);

// --- barrier.c
// A barrier is wanted of a source, and may pass.
bool barrier_due(const struct task *t, const struct inst *source);
void barrier_begin(struct task *t, leat_epoch epoch);
enum step_result barrier_step(struct task *t);

// --- spend.c: closes the account of the present kind of time and opens the next
void task_spend(struct task *t, uint8_t kind);

#endif
