// SPDX-License-Identifier: Apache-2.0
// Kernels of hot operators over two arguments: both are computed for the whole vector, then row after row.
#ifndef SQL_PAIRS_H
#define SQL_PAIRS_H

#include "expr/expr.h"

struct sql_pairs {
    struct sql_vec left, right;
    struct sql_vec_out to;
};

// Computes both arguments, and makes room for the result, which is *out. 0 or -1.
static inline int sql_pairs_eval(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                                 struct sql_pairs *p, struct sql_vec *out)
{
    if (sql_eval(ev, e->args[0], sel, &p->left) || sql_eval(ev, e->args[1], sel, &p->right) ||
        sql_vec_alloc(ev, &p->to))
        return -1;
    sql_vec_done(&p->to, out);
    return 0;
}

// Runs the statements for each row r in which both arguments are values, with the cells a, b and to, the result's; the
// result of the others is NULL. A macro, since each kernel needs a loop of its own to be fast.
#define SQL_EACH_PAIR(p, sel, ...)                                                                                     \
    for (uint32_t k = 0; k < (sel)->count; k++) {                                                                      \
        uint32_t r = sql_sel_row(sel, k), ra = sql_vec_at(&(p)->left, r), rb = sql_vec_at(&(p)->right, r);             \
        if ((p)->left.states[ra] != LEAT_VALUE || (p)->right.states[rb] != LEAT_VALUE) {                               \
            (p)->to.states[r] = LEAT_NULL;                                                                             \
            continue;                                                                                                  \
        }                                                                                                              \
        const union leat_cell *a = &(p)->left.cells[ra], *b = &(p)->right.cells[rb];                                   \
        union leat_cell *to = &(p)->to.cells[r];                                                                       \
        (p)->to.states[r] = LEAT_VALUE;                                                                                \
        __VA_ARGS__                                                                                                    \
    }

#endif
