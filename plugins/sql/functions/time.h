// SPDX-License-Identifier: Apache-2.0
// What the files of time functions share.
#ifndef SQL_FUNC_TIME_H
#define SQL_FUNC_TIME_H

#include "calendar.h"
#include "expr/expr.h"

struct calendar_zone;

// FLOOR(x TO unit), CEIL(x TO unit): the deriver of CEIL and FLOOR with two arguments.
int sql_derive_time_floor(struct sql_bind *b, struct sql_expr *e);

// The wall clock of a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ (zone: of the session) in microseconds, and back.
int64_t sql_time_local(const struct leat_type *t, const union leat_cell *cell, const struct calendar_zone *zone);
int64_t sql_time_unlocal(const struct leat_type *t, int64_t local, const struct calendar_zone *zone);

// Stores a wall clock as a value of type t; fails outside of the years 0 to 9999.
int sql_time_store(struct sql_evaluator *ev, const struct sql_expr *e, const struct leat_type *t, int64_t local,
                   const struct calendar_zone *zone, union leat_cell *out);

// Whole months from a to b, wall clocks; negative when b is earlier. The last day of a month counts as the same day as
// the last of a longer one.
int64_t sql_time_months(int64_t a, int64_t b);

#endif
