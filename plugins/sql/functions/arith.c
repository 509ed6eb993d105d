// SPDX-License-Identifier: Apache-2.0
// + - * / % over numbers, the signs, MOD.
//
// Integers: the larger operand's type; a result that does not fit is an error (Flink wraps). Decimals: exact, by the
// result types of common/decimal, too large is an error (Flink answers NULL). FLOAT with DOUBLE has the type of the
// left operand, as in Flink. Division by zero is an error for exact types, Infinity or NaN for the others.
#include "expr/expr.h"

#include <math.h>
#include <string.h>

#include "decimal.h"
#include "expr/types.h"
#include "functions/pairs.h"

enum { ADD = 1, SUBTRACT, MULTIPLY, DIVIDE, MODULO };

// What a kernel needs to know about its operation.
struct arith {
    uint8_t op;
    uint8_t left_scale, right_scale;
    struct decimal_type to;
    int64_t min, max; // of the result, integers
};

static int op_of(const char *name)
{
    switch (name[0]) {
    case '+':
        return ADD;
    case '-':
        return SUBTRACT;
    case '*':
        return MULTIPLY;
    case '/':
        return DIVIDE;
    default:
        return MODULO;
    }
}

static int out_of_range(struct sql_evaluator *ev, const struct sql_expr *e, uint32_t row)
{
    char type[SQL_TYPE_TEXT];
    ev->failure.row = row;
    return sql_fail(ev, e, "the result of '%s' is out of the range of %s", e->func->name,
                    sql_type_name(e->type, type, sizeof type));
}

static int by_zero(struct sql_evaluator *ev, const struct sql_expr *e, uint32_t row)
{
    ev->failure.row = row;
    return sql_fail(ev, e, "division by zero");
}

// --- vectors ---

// Returns 1 when the result does not fit 64 bits; the caller has excluded division by zero.
static int integer_op(uint8_t op, int64_t a, int64_t b, int64_t *to)
{
    switch (op) {
    case ADD:
        return __builtin_add_overflow(a, b, to);
    case SUBTRACT:
        return __builtin_sub_overflow(a, b, to);
    case MULTIPLY:
        return __builtin_mul_overflow(a, b, to);
    case DIVIDE:
        if (b == -1)
            return __builtin_sub_overflow((int64_t)0, a, to);
        *to = a / b;
        return 0;
    default:
        *to = b == -1 ? 0 : a % b;
        return 0;
    }
}

static int eval_integer(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                        struct sql_vec *out)
{
    const struct arith *p = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    SQL_EACH_PAIR(&o, sel, {
        if (p->op >= DIVIDE && b->i64 == 0)
            return by_zero(ev, e, r);
        if (integer_op(p->op, a->i64, b->i64, &to->i64) || to->i64 < p->min || to->i64 > p->max)
            return out_of_range(ev, e, r);
    })
    return 0;
}

static int eval_float(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                      struct sql_vec *out)
{
    const struct arith *p = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    SQL_EACH_PAIR(&o, sel, {
        float x = a->f32, y = b->f32;
        to->f32 = p->op == ADD ? x + y : p->op == SUBTRACT ? x - y : p->op == MULTIPLY ? x * y : x / y;
    })
    return 0;
}

static int eval_double(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                       struct sql_vec *out)
{
    const struct arith *p = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    SQL_EACH_PAIR(&o, sel, {
        double x = a->f64, y = b->f64;
        to->f64 = p->op == ADD ? x + y : p->op == SUBTRACT ? x - y : p->op == MULTIPLY ? x * y : x / y;
    })
    return 0;
}

static int decimal_op(const struct arith *p, leat_i128 a, leat_i128 b, leat_i128 *to)
{
    switch (p->op) {
    case ADD:
        return decimal_add(a, p->left_scale, b, p->right_scale, p->to, to);
    case SUBTRACT:
        return decimal_sub(a, p->left_scale, b, p->right_scale, p->to, to);
    case MULTIPLY:
        return decimal_mul(a, p->left_scale, b, p->right_scale, p->to, to);
    case DIVIDE:
        return decimal_div(a, p->left_scale, b, p->right_scale, p->to, to);
    default:
        return decimal_mod(a, p->left_scale, b, p->right_scale, p->to, to);
    }
}

static int eval_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                        struct sql_vec *out)
{
    const struct arith *p = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    SQL_EACH_PAIR(&o, sel, {
        int st = decimal_op(p, a->i128, b->i128, &to->i128);
        if (st == DECIMAL_ZERO)
            return by_zero(ev, e, r);
        if (st < 0)
            return out_of_range(ev, e, r);
    })
    return 0;
}

// --- deriving ---

static void integer_limits(uint8_t kind, struct arith *p)
{
    static const uint8_t bits[] = {
        [LEAT_TYPE_TINYINT] = 7, [LEAT_TYPE_SMALLINT] = 15, [LEAT_TYPE_INT] = 31, [LEAT_TYPE_BIGINT] = 63};
    p->max = (int64_t)(((uint64_t)1 << bits[kind]) - 1);
    p->min = -p->max - 1;
}

static int derive_integer(struct sql_bind *b, struct sql_expr *e, struct arith *p)
{
    uint8_t x = e->args[0]->type->kind, y = e->args[1]->type->kind;
    uint8_t kind = p->op == MODULO ? y : x > y ? x : y; // Calcite: the remainder has the divisor's type
    integer_limits(kind, p);
    e->type = sql_bind_type(b, kind, sql_args_nullable(e));
    e->eval = eval_integer;
    return e->type ? 0 : -1;
}

static int derive_approx(struct sql_bind *b, struct sql_expr *e, const struct arith *p)
{
    uint8_t nullable = sql_args_nullable(e);
    if (p->op == MODULO)
        return sql_bind_mismatch(b, e);
    const struct leat_type *t = sql_type_common(b, e->args[0]->type, e->args[1]->type, SQL_MERGE_CALCITE);
    if (!t || sql_bind_cast(b, &e->args[0], t) || sql_bind_cast(b, &e->args[1], t))
        return -1;
    e->eval = t->kind == LEAT_TYPE_FLOAT ? eval_float : eval_double;
    e->type = sql_bind_type(b, t->kind, nullable);
    return e->type ? 0 : -1;
}

static struct decimal_type decimal_result(const struct arith *p, struct decimal_type x, struct decimal_type y)
{
    switch (p->op) {
    case MULTIPLY:
        return decimal_mul_type(x, y);
    case DIVIDE:
        return decimal_div_type(x, y);
    case MODULO:
        return decimal_mod_type(x, y);
    default:
        return decimal_add_type(x, y);
    }
}

static int derive_decimal(struct sql_bind *b, struct sql_expr *e, struct arith *p)
{
    struct sql_digits x = sql_type_digits(e->args[0]->type), y = sql_type_digits(e->args[1]->type);
    uint8_t nullable = sql_args_nullable(e);
    p->to = decimal_result(p, (struct decimal_type){x.precision, x.scale}, (struct decimal_type){y.precision, y.scale});
    p->left_scale = x.scale;
    p->right_scale = y.scale;
    if (sql_bind_to_decimal(b, &e->args[0]) || sql_bind_to_decimal(b, &e->args[1]))
        return -1;
    e->eval = eval_decimal;
    e->type = sql_bind_decimal(b, p->to.precision, p->to.scale, nullable);
    return e->type ? 0 : -1;
}

static int is_time(const struct sql_expr *e)
{
    return sql_type_is_datetime(e->type->kind) || sql_type_is_interval(e->type->kind);
}

static int derive_arith(struct sql_bind *b, struct sql_expr *e)
{
    struct arith *p = sql_bind_alloc(b, sizeof *p);
    if (!p)
        return -1;
    const struct leat_type *x = e->args[0]->type, *y = e->args[1]->type;
    if (!x || !y)
        return sql_bind_mismatch(b, e);
    if (is_time(e->args[0]) || is_time(e->args[1]))
        return sql_derive_time_arith(b, e);
    if (!sql_type_is_numeric(x->kind) || !sql_type_is_numeric(y->kind))
        return sql_bind_mismatch(b, e);
    p->op = (uint8_t)op_of(e->func->name);
    e->data = p;
    if (leat_type_is_integer(x->kind) && leat_type_is_integer(y->kind))
        return derive_integer(b, e, p);
    if (sql_type_is_approx(x->kind) || sql_type_is_approx(y->kind))
        return derive_approx(b, e, p);
    return derive_decimal(b, e, p);
}

// Flink's planner breaks on % of decimals of unlike scale; MOD is what works there, so it is what we take.
static int derive_percent(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *x = e->args[0]->type, *y = e->args[1]->type;
    if (x && y && x->kind == LEAT_TYPE_DECIMAL && sql_type_is_exact(y->kind) &&
        (y->kind != LEAT_TYPE_DECIMAL || x->scale != y->scale)) {
        sql_bind_mismatch(b, e);
        sql_diag_hint(b->diag, "Write MOD(a, b).");
        return -1;
    }
    return derive_arith(b, e);
}

// --- signs ---

static int row_negate(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    const struct arith *p = e->data;
    switch (e->type->kind) {
    case LEAT_TYPE_FLOAT:
        out->f32 = -args[0]->f32;
        return 0;
    case LEAT_TYPE_DOUBLE:
        out->f64 = -args[0]->f64;
        return 0;
    case LEAT_TYPE_DECIMAL:
        out->i128 = -args[0]->i128;
        return 0;
    default:
        if (args[0]->i64 == p->min)
            return out_of_range(ev, e, 0);
        out->i64 = -args[0]->i64;
        return 0;
    }
}

static int derive_sign(struct sql_bind *b, struct sql_expr *e)
{
    struct arith *p = sql_bind_alloc(b, sizeof *p);
    if (!p)
        return -1;
    e->data = p;
    e->type = e->args[0]->type;
    if (!e->type || (!sql_type_is_numeric(e->type->kind) && !sql_type_is_interval(e->type->kind)))
        return sql_bind_mismatch(b, e);
    p->min = INT64_MIN;
    if (leat_type_is_integer(e->type->kind))
        integer_limits(e->type->kind, p);
    return 0;
}

static const struct sql_func rows[] = {
    {.name = "+", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_arith},
    {.name = "-", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_arith},
    {.name = "*", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_arith},
    {.name = "/", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_arith},
    {.name = "%", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_percent},
    {.name = "MOD",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_arith,
     .form = "MOD(<exact number>, <exact number>)"},
    {.name = "NEGATE",
     .min_args = 1,
     .max_args = 1,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_sign,
     .row = row_negate},
    {.name = "PLUS",
     .min_args = 1,
     .max_args = 1,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_sign,
     .eval = sql_eval_pass},
};
const struct sql_func_table sql_arith_funcs = SQL_FUNC_TABLE(rows);
