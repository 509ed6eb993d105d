// SPDX-License-Identifier: Apache-2.0
// + - * over times and intervals.
#include "expr.h"

#include "types.h"

static int both_intervals(const struct sql_expr *e)
{
    uint8_t kind = e->args[0]->type->kind;
    return sql_type_is_interval(kind) && e->args[1]->type->kind == kind;
}

static int out_of_range(struct sql_evaluator *ev, const struct sql_expr *e)
{
    return sql_fail(ev, e, "the result of '%s' is out of the range of an interval", e->func->name);
}

static int row_add(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    return __builtin_add_overflow(args[0]->i64, args[1]->i64, &out->i64) ? out_of_range(ev, e) : 0;
}

static int row_subtract(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    return __builtin_sub_overflow(args[0]->i64, args[1]->i64, &out->i64) ? out_of_range(ev, e) : 0;
}

static int row_multiply(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    return __builtin_mul_overflow(args[0]->i64, args[1]->i64, &out->i64) ? out_of_range(ev, e) : 0;
}

int sql_derive_time_arith(struct sql_bind *b, struct sql_expr *e)
{
    char op = e->func->name[0];
    uint8_t x = e->args[0]->type->kind, y = e->args[1]->type->kind;
    if ((op == '+' || op == '-') && both_intervals(e)) {
        e->row = op == '+' ? row_add : row_subtract;
        e->type = sql_bind_type(b, x, sql_args_nullable(e));
        return e->type ? 0 : -1;
    }
    if (op == '*' &&
        (sql_type_is_interval(x) ? leat_type_is_integer(y) : sql_type_is_interval(y) && leat_type_is_integer(x))) {
        e->row = row_multiply;
        e->type = sql_bind_type(b, sql_type_is_interval(x) ? x : y, sql_args_nullable(e));
        return e->type ? 0 : -1;
    }
    return sql_bind_mismatch(b, e);
}
