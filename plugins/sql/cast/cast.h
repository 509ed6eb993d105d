// SPDX-License-Identifier: Apache-2.0
// Casts by family. Each file of kernels offers one function that picks the kernel for a pair of types.
//
// Kernels are row kernels, so that casts of collections can call those of their elements; casts that change nothing
// have sql_eval_pass as eval. Where a TIMESTAMP_LTZ takes part, data is the session's time zone.
#ifndef SQL_CAST_H
#define SQL_CAST_H

#include "expr/expr.h"

// Sets e->row or e->eval for the cast of `from` to e->type. 1 = done, 0 = not a pair of this file, -1 = fault recorded.
int sql_cast_numeric(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from);
int sql_cast_text(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from);  // to strings and bytes
int sql_cast_parse(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from); // from strings
int sql_cast_time(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from);
int sql_cast_list(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from);

#endif
