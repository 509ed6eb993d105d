// SPDX-License-Identifier: Apache-2.0
// AND, OR, NOT, IS [NOT] NULL, TRUE, FALSE: three-valued logic.
//
// AND and OR are flat (any number of operands) and lazy from left to right: an operand is computed only for the rows
// that the operands before it left open, so `i <> 0 AND 10 / i > 1` never divides by zero.
#include "expr/expr.h"

#include <string.h>

// Rows still open after each operand; `closing` is the value that decides: 0 for AND, 1 for OR.
static int eval_chain(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                      struct sql_vec *out)
{
    int64_t closing = e->func->name[0] == 'O';
    uint16_t *open = sql_arena_alloc(&ev->arena, (sel->count ? sel->count : 1) * sizeof *open);
    struct sql_vec_out to;
    if (!open)
        return sql_fail_memory(ev);
    if (sql_vec_alloc(ev, &to))
        return -1;
    sql_vec_done(&to, out);
    struct sql_sel left = {open, sel->count};
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = sql_sel_row(sel, k);
        open[k] = (uint16_t)r;
        to.cells[r].i64 = !closing;
        to.states[r] = LEAT_VALUE;
    }
    for (uint32_t i = 0; i < e->arg_count && left.count; i++) {
        struct sql_vec v;
        if (sql_eval(ev, e->args[i], &left, &v))
            return -1;
        uint32_t still = 0;
        for (uint32_t k = 0; k < left.count; k++) {
            uint32_t r = open[k], a = sql_vec_at(&v, r);
            if (v.states[a] != LEAT_VALUE) {
                to.states[r] = LEAT_NULL;
            } else if (v.cells[a].i64 == closing) {
                to.cells[r].i64 = closing;
                to.states[r] = LEAT_VALUE;
                continue;
            }
            open[still++] = (uint16_t)r;
        }
        left.count = still;
    }
    return 0;
}

static int derive_logic(struct sql_bind *b, struct sql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_want_boolean(b, e, i))
            return -1;
    return sql_derive_boolean(b, e);
}

static int row_not(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    out->i64 = !args[0]->i64;
    return 0;
}

// --- IS … ---

struct is_test {
    uint8_t on_null, on_true, on_false;
};

static int row_is(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                  union leat_cell *out, uint8_t *state)
{
    const struct is_test *t = e->data;
    out->i64 = !args[0] ? t->on_null : args[0]->i64 ? t->on_true : t->on_false;
    return 0;
}

static int row_is_null(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    out->i64 = !args[0];
    return 0;
}

static int row_is_not_null(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    out->i64 = args[0] != NULL;
    return 0;
}

static int derive_is_null(struct sql_bind *b, struct sql_expr *e)
{
    if (!e->args[0]->type)
        return sql_bind_mismatch(b, e);
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, 0);
    return e->type ? 0 : -1;
}

static int derive_is(struct sql_bind *b, struct sql_expr *e)
{
    struct is_test *t = sql_bind_alloc(b, sizeof *t);
    if (!t || sql_want_boolean(b, e, 0))
        return -1;
    const char *name = e->func->name;
    int negated = strstr(name, "NOT") != NULL, what = strstr(name, "TRUE") != NULL;
    *t = (struct is_test){
        .on_null = (uint8_t)negated, .on_true = (uint8_t)(what != negated), .on_false = (uint8_t)(what == negated)};
    e->data = t;
    return derive_is_null(b, e);
}

#define IS(n)                                                                                                          \
    {                                                                                                                  \
        .name = n, .min_args = 1, .max_args = 1, .flags = SQL_FUNC_OPERATOR | SQL_FUNC_NULLS, .derive = derive_is,     \
        .row = row_is                                                                                                  \
    }

static const struct sql_func rows[] = {
    {.name = "AND",
     .min_args = 2,
     .max_args = 255,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_logic,
     .eval = eval_chain},
    {.name = "OR",
     .min_args = 2,
     .max_args = 255,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_logic,
     .eval = eval_chain},
    {.name = "NOT", .min_args = 1, .max_args = 1, .flags = SQL_FUNC_OPERATOR, .derive = derive_logic, .row = row_not},
    {.name = "IS NULL",
     .min_args = 1,
     .max_args = 1,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_NULLS | SQL_FUNC_UNTYPED,
     .derive = derive_is_null,
     .row = row_is_null},
    {.name = "IS NOT NULL",
     .min_args = 1,
     .max_args = 1,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_NULLS | SQL_FUNC_UNTYPED,
     .derive = derive_is_null,
     .row = row_is_not_null},
    IS("IS TRUE"),
    IS("IS NOT TRUE"),
    IS("IS FALSE"),
    IS("IS NOT FALSE"),
};
const struct sql_func_table sql_logic_funcs = SQL_FUNC_TABLE(rows);
