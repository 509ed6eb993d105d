// SPDX-License-Identifier: Apache-2.0
// Casts by family. Each file of kernels offers one function that picks the kernel for a pair of types.
#ifndef SQL_CAST_H
#define SQL_CAST_H

#include "expr.h"

// Sets e->row or e->eval for the cast of `from` to e->type. 1 = done, 0 = not a pair of this file, -1 = fault recorded.
int sql_cast_numeric(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from);

#endif
