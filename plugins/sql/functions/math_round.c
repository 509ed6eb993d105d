// SPDX-License-Identifier: Apache-2.0
// ROUND and TRUNCATE; CEIL and FLOOR of numbers.
//
// ROUND rounds half up, away from zero, TRUNCATE towards zero; negative digits lie before the point. Floating numbers
// are rounded by the digits that they print, as Flink does by way of BigDecimal.
#include "expr/expr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "expr/types.h"
#include "functions/time.h"
#include "number.h"

static int rounds_up(const struct sql_expr *e)
{
    return e->func->name[0] == 'R'; // half up; else TRUNCATE
}

static int digits_of(const struct sql_expr *e, const union leat_cell *const *args)
{
    int64_t n = e->arg_count > 1 ? args[1]->i64 : 0;
    return n > 400 ? 400 : n < -400 ? -400 : (int)n;
}

// --- floating ---

// A number's digits: 0.d1d2d3… * 10^exponent.
struct spelling {
    char digit[32];
    int count, exponent, negative;
};

static void spell(double v, struct spelling *s)
{
    char text[NUMBER_F64_MAX];
    size_t len = number_f64_print(text, v);
    int point = -1, shift = 0;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-') {
            s->negative = 1;
        } else if (text[i] == '.') {
            point = s->count;
        } else if (text[i] == 'E') {
            int64_t e = 0;
            number_i64_parse(text + i + 1, len - i - 1, &e);
            shift = (int)e;
            break;
        } else {
            s->digit[s->count++] = text[i];
        }
    }
    s->exponent = (point < 0 ? s->count : point) + shift;
}

static double spelt(const struct spelling *s)
{
    char text[64];
    double v = 0;
    int n = snprintf(text, sizeof text, "%s0.%.*sE%d", s->negative ? "-" : "", s->count, s->digit, s->exponent);
    number_f64_parse(text, (size_t)n, &v);
    return v;
}

static double round_double(double v, int digits, int half_up)
{
    struct spelling s;
    spell(v, &s);
    int keep = s.exponent + digits;
    if (keep >= s.count)
        return v == 0 ? 0.0 : v;
    if (keep < 0)
        return 0.0;
    int up = half_up && s.digit[keep] >= '5';
    s.count = keep;
    while (up && keep > 0 && s.digit[keep - 1] == '9')
        s.digit[--keep] = '0';
    if (up && keep > 0)
        s.digit[keep - 1]++;
    if (up && keep == 0) { // 0.999 became 1: one digit more in front
        memmove(s.digit + 1, s.digit, (size_t)s.count);
        s.digit[0] = '1';
        s.count++;
        s.exponent++;
    }
    if (!s.count)
        return 0.0;
    double r = spelt(&s);
    return r == 0 ? 0.0 : r;
}

static int row_round_float(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    int single = e->type->kind == LEAT_TYPE_FLOAT;
    double v = single ? (double)args[0]->f32 : args[0]->f64;
    if (!isfinite(v))
        return sql_fail(ev, e, "%s takes finite numbers only", e->func->name);
    v = round_double(v, digits_of(e, args), rounds_up(e));
    if (single)
        out->f32 = (float)v;
    else
        out->f64 = v;
    return 0;
}

// --- exact ---

static int row_round_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    int n = -digits_of(e, args);
    leat_i128 v = args[0]->i64;
    if (n > 19) {
        out->i64 = 0;
        return 0;
    }
    if (n > 0) {
        leat_i128 unit = (leat_i128)decimal_pow10[n], rest = v % unit;
        v -= rest;
        if (rounds_up(e) && (rest < 0 ? -rest : rest) * 2 >= unit)
            v += rest < 0 ? -unit : unit;
    }
    if (v != (int64_t)v || !sql_type_fits(e->type->kind, (int64_t)v))
        return sql_fail_range(ev, e);
    out->i64 = (int64_t)v;
    return 0;
}

// First to the digits asked for, then to the scale of the type.
static int row_round_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    int digits = digits_of(e, args), scale = e->args[0]->type->scale;
    leat_i128 v = args[0]->i128;
    if (digits < scale) {
        int drop = scale - digits;
        leat_i128 unit = drop > LEAT_DECIMAL_MAX ? 0 : (leat_i128)decimal_pow10[drop];
        leat_i128 rest = unit ? v % unit : v;
        v -= rest;
        if (unit && rounds_up(e) && (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest))
            v += rest < 0 ? -unit : unit;
    }
    leat_i128 to;
    if (decimal_rescale(v, (unsigned)scale, e->type->precision, e->type->scale, &to) < 0)
        return sql_fail_range(ev, e);
    out->i128 = to;
    return 0;
}

static int derive_decimal(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    const struct leat_datum *n = e->arg_count > 1 ? sql_expr_literal(e->args[1]) : NULL;
    uint8_t nullable = sql_args_nullable(e);
    e->row = row_round_decimal;
    if (e->arg_count > 1 && (!n || n->state != LEAT_VALUE)) {
        e->type = sql_bind_nullable(b, t, nullable);
        return e->type ? 0 : -1;
    }
    int64_t digits = n ? n->cell.i64 : 0;
    struct decimal_type r =
        decimal_round_type((struct decimal_type){t->precision, t->scale}, digits > 100    ? 100
                                                                          : digits < -100 ? -100
                                                                                          : (int)digits);
    e->type = sql_bind_decimal(b, r.precision, r.scale, nullable);
    return e->type ? 0 : -1;
}

static int derive_round(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    if (sql_want_numeric(b, e, 0) || (e->arg_count > 1 && sql_want_integer(b, e, 1)))
        return -1;
    if (t->kind == LEAT_TYPE_DECIMAL)
        return derive_decimal(b, e);
    e->row = leat_type_is_integer(t->kind) ? row_round_integer : row_round_float;
    e->type = sql_bind_nullable(b, t, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

// --- CEIL and FLOOR ---

static int is_ceil(const struct sql_expr *e)
{
    return e->func->name[0] == 'C';
}

static int row_ceil(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    leat_i128 to;
    switch (e->type->kind) {
    case LEAT_TYPE_FLOAT:
        out->f32 = is_ceil(e) ? ceilf(args[0]->f32) : floorf(args[0]->f32);
        return 0;
    case LEAT_TYPE_DOUBLE:
        out->f64 = is_ceil(e) ? ceil(args[0]->f64) : floor(args[0]->f64);
        return 0;
    default:
        if (decimal_rescale_mode(args[0]->i128, e->args[0]->type->scale, e->type->precision, 0,
                                 is_ceil(e) ? DECIMAL_CEILING : DECIMAL_FLOOR, &to) < 0)
            return sql_fail_range(ev, e);
        out->i128 = to;
        return 0;
    }
}

static int derive_ceil(struct sql_bind *b, struct sql_expr *e)
{
    if (e->arg_count > 1)
        return sql_derive_time_floor(b, e);
    const struct leat_type *t = e->args[0]->type;
    if (sql_want_numeric(b, e, 0))
        return -1;
    e->type = t->kind == LEAT_TYPE_DECIMAL ? sql_bind_decimal(b, t->precision, 0, t->nullable) : t;
    if (leat_type_is_integer(t->kind))
        e->eval = sql_eval_pass;
    else
        e->row = row_ceil;
    return e->type ? 0 : -1;
}

#define ROUND_FUNC(n, d, f)                                                                                            \
    {                                                                                                                  \
        .name = n, .min_args = 1, .max_args = 2, .derive = d, .form = f                                                \
    }

static const struct sql_func rows[] = {
    ROUND_FUNC("ROUND", derive_round, "ROUND(<number>[, <integer>])"),
    ROUND_FUNC("TRUNCATE", derive_round, "TRUNCATE(<number>[, <integer>])"),
    ROUND_FUNC("CEIL", derive_ceil, "CEIL(<number>) or CEIL(<time> TO <unit>)"),
    ROUND_FUNC("CEILING", derive_ceil, "CEILING(<number>) or CEILING(<time> TO <unit>)"),
    ROUND_FUNC("FLOOR", derive_ceil, "FLOOR(<number>) or FLOOR(<time> TO <unit>)"),
};
const struct sql_func_table sql_round_funcs = SQL_FUNC_TABLE(rows);
