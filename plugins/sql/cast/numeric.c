// SPDX-License-Identifier: Apache-2.0
// Casts among numbers and BOOLEAN.
//
// A number that does not fit its new type is an error (Flink wraps integers, saturates floating ones and answers NULL
// for decimals). Fractions are cut when an integer is wanted and rounded half up when a decimal is.
#include "cast/cast.h"

#include <math.h>

#include "decimal.h"
#include "expr/types.h"
#include "number.h"

static int does_not_fit(struct sql_evaluator *ev, const struct sql_expr *e)
{
    char type[SQL_TYPE_TEXT];
    return sql_fail(ev, e, "the number is out of the range of %s", sql_type_name(e->type, type, sizeof type));
}

static int integer_to_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    if (!sql_type_fits(e->type->kind, args[0]->i64))
        return does_not_fit(ev, e);
    out->i64 = args[0]->i64;
    return 0;
}

static int integer_to_boolean(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    out->i64 = args[0]->i64 != 0;
    return 0;
}

static int integer_to_float(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                            union leat_cell *out, uint8_t *state)
{
    if (e->type->kind == LEAT_TYPE_FLOAT)
        out->f32 = (float)args[0]->i64;
    else
        out->f64 = (double)args[0]->i64;
    return 0;
}

static int integer_to_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    leat_i128 v;
    if (decimal_from_i64(args[0]->i64, e->type->precision, e->type->scale, &v) < 0)
        return does_not_fit(ev, e);
    out->i128 = v;
    return 0;
}

static double as_double(const struct sql_expr *e, const union leat_cell *cell)
{
    return e->args[0]->type->kind == LEAT_TYPE_FLOAT ? (double)cell->f32 : cell->f64;
}

static int approx_to_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    double v = trunc(as_double(e, args[0]));
    if (!(v >= -0x1p63 && v < 0x1p63) || !sql_type_fits(e->type->kind, (int64_t)v))
        return does_not_fit(ev, e);
    out->i64 = (int64_t)v;
    return 0;
}

static int approx_to_boolean(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    out->i64 = as_double(e, args[0]) != 0;
    return 0;
}

static int float_to_double(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    out->f64 = (double)args[0]->f32;
    return 0;
}

static int double_to_float(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    out->f32 = (float)args[0]->f64;
    return 0;
}

// Through the text that the number prints, as Java's BigDecimal.valueOf does: 1.005e0 is 1.005.
static int approx_to_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    const struct leat_type *to = e->type;
    leat_i128 v;
    int st;
    if (!isfinite(as_double(e, args[0])))
        return does_not_fit(ev, e);
    if (e->args[0]->type->kind == LEAT_TYPE_FLOAT) {
        char text[NUMBER_F32_MAX];
        st = decimal_parse(text, number_f32_print(text, args[0]->f32), to->precision, to->scale, &v);
    } else {
        st = decimal_from_f64(args[0]->f64, to->precision, to->scale, &v);
    }
    if (st < 0)
        return does_not_fit(ev, e);
    out->i128 = v;
    return 0;
}

static int decimal_to_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    int64_t v;
    if (decimal_to_i64(args[0]->i128, e->args[0]->type->scale, &v) < 0 || !sql_type_fits(e->type->kind, v))
        return does_not_fit(ev, e);
    out->i64 = v;
    return 0;
}

static int decimal_to_boolean(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    out->i64 = args[0]->i128 != 0;
    return 0;
}

static int decimal_to_approx(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    double v = decimal_to_f64(args[0]->i128, e->args[0]->type->scale);
    if (e->type->kind == LEAT_TYPE_FLOAT) // as Java: by way of the double
        out->f32 = (float)v;
    else
        out->f64 = v;
    return 0;
}

static int decimal_to_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    leat_i128 v;
    if (decimal_rescale(args[0]->i128, e->args[0]->type->scale, e->type->precision, e->type->scale, &v) < 0)
        return does_not_fit(ev, e);
    out->i128 = v;
    return 0;
}

// --- choosing ---

static sql_row_fn from_integer(const struct leat_type *from, const struct leat_type *to, int *widens)
{
    int boolean = from->kind == LEAT_TYPE_BOOLEAN;
    if (to->kind == LEAT_TYPE_BOOLEAN)
        return integer_to_boolean;
    if (leat_type_is_integer(to->kind)) {
        *widens = boolean || to->kind >= from->kind;
        return integer_to_integer;
    }
    return to->kind == LEAT_TYPE_DECIMAL ? integer_to_decimal : integer_to_float;
}

static sql_row_fn from_approx(const struct leat_type *from, const struct leat_type *to)
{
    if (to->kind == LEAT_TYPE_BOOLEAN)
        return approx_to_boolean;
    if (leat_type_is_integer(to->kind))
        return approx_to_integer;
    if (to->kind == LEAT_TYPE_DECIMAL)
        return approx_to_decimal;
    return from->kind == LEAT_TYPE_FLOAT ? float_to_double : double_to_float;
}

static sql_row_fn from_decimal(const struct leat_type *to)
{
    if (to->kind == LEAT_TYPE_BOOLEAN)
        return decimal_to_boolean;
    if (leat_type_is_integer(to->kind))
        return decimal_to_integer;
    return to->kind == LEAT_TYPE_DECIMAL ? decimal_to_decimal : decimal_to_approx;
}

static int is_number(uint8_t kind)
{
    return sql_type_is_numeric(kind) || kind == LEAT_TYPE_BOOLEAN;
}

int sql_cast_numeric(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from)
{
    const struct leat_type *to = e->type;
    int widens = 0;
    if (!is_number(from->kind) || !is_number(to->kind))
        return 0;
    if (leat_type_is_integer(from->kind) || from->kind == LEAT_TYPE_BOOLEAN)
        e->row = from_integer(from, to, &widens);
    else if (from->kind == LEAT_TYPE_DECIMAL)
        e->row = from_decimal(to);
    else
        e->row = from_approx(from, to);
    if (widens) { // the cell stays as it is
        e->row = NULL;
        e->eval = sql_eval_pass;
    }
    return 1;
}
