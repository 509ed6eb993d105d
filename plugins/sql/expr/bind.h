// SPDX-License-Identifier: Apache-2.0
// Binding: a syntax tree becomes a typed expression over the columns of a scope.
#ifndef SQL_BIND_H
#define SQL_BIND_H

#include "expr/expr.h"
#include "syntax/ast.h"

#define SQL_BIND_DEPTH_MAX 1000 // deepest typed tree

// A column that names in a query may mean.
struct sql_scope_column {
    struct leat_bytes table; // alias or last name of its table
    struct leat_bytes name;  // ptr == NULL: stands for every column that its table may have (plan/review.h)
    const struct leat_type *type;
    uint32_t index;        // in sql_evaluator.columns
    uint8_t hidden;        // reachable by t.name only (the second column of USING)
    struct sql_expr *expr; // a column of a sub-query: what it stands for; NULL = a column of an input
};

struct sql_scope {
    const struct sql_scope_column *columns;
    uint32_t count;
};

// Prepares *b. The arena, the fault and the folding evaluator are the caller's and outlive it.
void sql_bind_init(struct sql_bind *b, struct sql_arena *arena, struct sql_diag *diag, struct sql_evaluator *fold);
// Runs what sql_bind_defer left; expressions must not be used any more.
void sql_bind_fini(struct sql_bind *b);

// NULL = fault recorded. A bare NULL comes out with type NULL: the caller gives it one or refuses it.
struct sql_expr *sql_bind_expr(struct sql_bind *b, const struct sql_node *n);
// The same, and it must be BOOLEAN; `what` is for the message: "WHERE".
struct sql_expr *sql_bind_condition(struct sql_bind *b, const struct sql_node *n, const char *what);

// The column a name means; NULL = fault recorded. A name of two parts is table.column.
const struct sql_scope_column *sql_scope_find(struct sql_bind *b, const struct sql_node *name, uint32_t parts);

// --- shared by the files of the binder
struct sql_expr *bind_new(struct sql_bind *b, uint8_t form, const struct sql_node *n);
struct sql_expr *bind_literal(struct sql_bind *b, const struct sql_node *n);
// Checks the arguments, derives the type, folds, compiles. 0 or -1.
int bind_finish_call(struct sql_bind *b, struct sql_expr *e);
int bind_finish_cast(struct sql_bind *b, struct sql_expr *e);
// A copy of a value in the plan's arena, with all it points to. 0 or -1 = fault recorded.
int bind_copy_cell(struct sql_bind *b, const struct leat_type *t, union leat_cell *cell);

#endif
