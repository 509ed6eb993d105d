// SPDX-License-Identifier: Apache-2.0
// A running query: batches in, batches out. One object per instance of the operator, on its home worker.
#ifndef SQL_EXEC_H
#define SQL_EXEC_H

#include <leat/plugin.h>

#include "plan/plan.h"

// Error codes.
#define SQL_CODE_ROW   "LEAT-S0201" // a row cannot be computed
#define SQL_CODE_SENT  "LEAT-S0202" // a value was not sent
#define SQL_CODE_STATE "LEAT-S0301" // state that cannot be read

struct sql_joiner;
struct sql_lookups;

struct sql_exec {
    struct sql_plan *plan;
    struct sql_evaluator ev;
    struct sql_vec *columns; // by number; what ev.columns points to
    struct sql_joiner *joiner;
    struct sql_lookups *lookups;
    uint32_t resume; // first row of the batch in process that is not done yet
};

// Rows on their way out: vectors are in exec->columns. At most SQL_VEC_MAX rows.
struct sql_stage {
    const struct sql_branch *branch;
    uint8_t mode; // LEAT_MODE_* of these rows
    uint32_t rows;
    const uint8_t *kinds;
    const leat_usec *times;    // or NULL
    const uint64_t *positions; // or NULL
    leat_usec arrived;
    uint32_t flags;                 // LEAT_BATCH_*
    const struct leat_batch *keep;  // what the vectors point into: kept by what is emitted
    const struct leat_batch *hold;  // more of that, or NULL
    const struct leat_batch *whole; // the vectors of `input` are rows first… of this batch: columns may be borrowed
    uint32_t input;
    uint32_t first;
};

// Filters, computes the output columns and emits. LEAT_OK, LEAT_AGAIN (emitted, but the way is full), or a failure.
leat_status sql_stage_run(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_stage *s);

// Points exec->columns of one input at rows [first, first + rows) of a batch.
void sql_exec_show(struct sql_exec *x, uint32_t input, const struct leat_batch *b, uint32_t first);
// How many rows from `first` make a slice: at most SQL_VEC_MAX, never splitting -U from its +U.
uint32_t sql_exec_slice(const struct leat_batch *b, uint32_t first);
// Evaluates e over the rows of sel. On a failure of a row, lets the host decide; rows to be skipped are taken out of
// sel (its array is rewritten) and marked in dropped[]. 0 = done, else the status to return.
leat_status sql_exec_eval(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e, struct sql_sel *sel,
                          uint16_t *rows, uint8_t *dropped, struct sql_vec *out);

// Lets the host decide about a row that was described by leat_fail.
leat_status sql_exec_bad_row(struct leat_ctx *ctx);
// Describes the evaluator's failure over a row of `e`: what could not be computed, where it stands, with which values.
leat_status sql_fail_row(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e, uint32_t row);

// exec.c
leat_status sql_exec_process(struct leat_ctx *ctx, struct sql_exec *x, uint32_t input, const struct leat_batch *b);

// lookup.c. create leaves what it made in x->lookups, also when it fails.
leat_status sql_lookups_create(struct leat_ctx *ctx, struct sql_exec *x);
void sql_lookups_destroy(struct sql_lookups *l, const struct sql_plan *p);
leat_status sql_lookups_process(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_batch *b);
leat_status sql_lookups_answer(struct leat_ctx *ctx, struct sql_exec *x, uint64_t ticket,
                               const struct leat_batch *answer, const uint32_t *key_of_row);

// join.c
leat_status sql_joiner_create(struct leat_ctx *ctx, struct sql_exec *x);
leat_status sql_joiner_open(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_open *open);
void sql_joiner_destroy(struct leat_ctx *ctx, struct sql_joiner *j);
leat_status sql_joiner_process(struct leat_ctx *ctx, struct sql_exec *x, uint32_t input, const struct leat_batch *b);
leat_status sql_joiner_save(struct leat_ctx *ctx, struct sql_exec *x, struct leat_state_out *out);
leat_status sql_joiner_load(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_state_in *in);

#endif
