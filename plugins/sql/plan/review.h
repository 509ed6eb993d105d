// SPDX-License-Identifier: Apache-2.0
// A second reading of a query that cannot be planned: every fault of its expressions, not only the first, and the
// columns that it would give.
//
// The planner stops at the first fault, and needs the columns of every input. This reading goes on: what has a fault,
// or comes from an input whose columns are not known, is "unknown" (LEAT_TYPE_IS_UNKNOWN), and nothing that is computed
// from it is a fault. It knows names, functions and types; what is refused about the shape of a query is refuse.c's.
//
// Thread and ownership: one thread; the review owns what it shows.
#ifndef SQL_REVIEW_H
#define SQL_REVIEW_H

#include "plan/plan.h"

struct sql_review {
    struct sql_arena arena;
    struct sql_evaluator fold;
    uint8_t has_schema; // every name of the output is known; types may be unknown
    struct leat_schema schema;
};

// Adds to the faults that were found before. NULL = no memory. `q` and the inputs' schemas outlive it.
struct sql_review *sql_review_create(const struct sql_parsed *q, const struct leat_input *inputs, uint32_t count,
                                     const char *zone, struct sql_faults *faults);
void sql_review_destroy(struct sql_review *review);

#endif
