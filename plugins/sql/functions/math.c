// SPDX-License-Identifier: Apache-2.0
// Functions of numbers: logarithms, powers, angles, signs, the largest and the smallest, chance.
//
// As in Flink the functions of analysis are computed in DOUBLE; outside their domain they give NaN or an infinity.
#include "expr/expr.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "decimal.h"
#include "expr/types.h"
#include "functions/compare.h"

// --- one or two DOUBLEs to DOUBLE ---

struct analysis {
    const char *name;
    double (*one)(double);
    double (*two)(double, double);
};

static double cot(double x)
{
    return 1.0 / tan(x);
}

static double log_2(double x)
{
    return log(x) / log(2);
}

static double log_base(double base, double x)
{
    return log(x) / log(base);
}

static double degrees(double x)
{
    return x * 57.29577951308232;
}

static double radians(double x)
{
    return x * 0.017453292519943295;
}

// Java: a base of 1 or -1 with an infinite exponent, and 1 with NaN, give NaN.
static double power(double x, double y)
{
    if (isnan(y) || (fabs(x) == 1 && isinf(y)))
        return NAN;
    return pow(x, y);
}

static const struct analysis functions[] = {
    {"SIN", sin, NULL},   {"COS", cos, NULL},     {"TAN", tan, NULL},         {"COT", cot, NULL},
    {"ASIN", asin, NULL}, {"ACOS", acos, NULL},   {"ATAN", atan, NULL},       {"ATAN2", NULL, atan2},
    {"SINH", sinh, NULL}, {"COSH", cosh, NULL},   {"TANH", tanh, NULL},       {"EXP", exp, NULL},
    {"LN", log, NULL},    {"LOG", log, log_base}, {"LOG2", log_2, NULL},      {"LOG10", log10, NULL},
    {"SQRT", sqrt, NULL}, {"POWER", NULL, power}, {"DEGREES", degrees, NULL}, {"RADIANS", radians, NULL},
};

static int eval_one(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    const struct analysis *f = e->data;
    struct sql_vec x;
    struct sql_vec_out to;
    if (sql_eval(ev, e->args[0], sel, &x) || sql_vec_alloc(ev, &to))
        return -1;
    sql_vec_done(&to, out);
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = sql_sel_row(sel, k), a = sql_vec_at(&x, r);
        to.states[r] = x.states[a] == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
        if (to.states[r] == LEAT_VALUE)
            to.cells[r].f64 = f->one(x.cells[a].f64);
    }
    return 0;
}

static int row_two(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    const struct analysis *f = e->data;
    out->f64 = f->two(args[0]->f64, args[1]->f64);
    return 0;
}

static int derive_analysis(struct sql_bind *b, struct sql_expr *e)
{
    const struct analysis *f = functions;
    const struct leat_type *t = sql_bind_type(b, LEAT_TYPE_DOUBLE, 1);
    while (strcmp(f->name, e->func->name) != 0)
        f++;
    if (!t || sql_derive_double(b, e))
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_want_numeric(b, e, i) || sql_bind_cast(b, &e->args[i], t))
            return -1;
    e->data = (void *)(uintptr_t)f; // read only
    if (e->arg_count == 1)
        e->eval = eval_one;
    else
        e->row = row_two;
    return 0;
}

// --- constants ---

static int derive_constant(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = sql_bind_type(b, LEAT_TYPE_DOUBLE, 0);
    union leat_cell cell = {.f64 = e->func->name[0] == 'P' ? M_PI : M_E};
    struct sql_expr *r = t ? sql_bind_literal(b, e, t, cell) : NULL;
    return r ? sql_bind_become(b, e, r) : -1;
}

// --- ABS, SIGN: the type of the argument ---

static int row_abs(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    switch (e->type->kind) {
    case LEAT_TYPE_FLOAT:
        out->f32 = fabsf(args[0]->f32);
        return 0;
    case LEAT_TYPE_DOUBLE:
        out->f64 = fabs(args[0]->f64);
        return 0;
    case LEAT_TYPE_DECIMAL:
        out->i128 = args[0]->i128 < 0 ? -args[0]->i128 : args[0]->i128;
        return 0;
    default:
        if (args[0]->i64 == INT64_MIN || !sql_type_fits(e->type->kind, args[0]->i64 < 0 ? -args[0]->i64 : args[0]->i64))
            return sql_fail_range(ev, e);
        out->i64 = args[0]->i64 < 0 ? -args[0]->i64 : args[0]->i64;
        return 0;
    }
}

static int row_sign(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    leat_i128 unscaled;
    switch (e->type->kind) {
    case LEAT_TYPE_FLOAT:
        out->f32 = args[0]->f32 > 0 ? 1.0f : args[0]->f32 < 0 ? -1.0f : args[0]->f32;
        return 0;
    case LEAT_TYPE_DOUBLE:
        out->f64 = args[0]->f64 > 0 ? 1.0 : args[0]->f64 < 0 ? -1.0 : args[0]->f64;
        return 0;
    case LEAT_TYPE_DECIMAL:
        if (decimal_from_i64((args[0]->i128 > 0) - (args[0]->i128 < 0), e->type->precision, e->type->scale, &unscaled) <
            0)
            return sql_fail_range(ev, e);
        out->i128 = unscaled;
        return 0;
    default:
        out->i64 = (args[0]->i64 > 0) - (args[0]->i64 < 0);
        return 0;
    }
}

static int derive_same(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_numeric(b, e, 0))
        return -1;
    e->type = e->args[0]->type;
    return 0;
}

// --- GREATEST, LEAST: NULL if an argument is ---

static int row_extreme(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    int wanted = e->func->name[0] == 'G' ? 1 : -1;
    const union leat_cell *best = args[0];
    for (uint32_t i = 1; i < e->arg_count; i++)
        if (sql_cell_compare(e->type, args[i], best) == wanted)
            best = args[i];
    *out = *best;
    return 0;
}

static int derive_extreme(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    for (uint32_t i = 1; i < e->arg_count && t; i++)
        t = e->args[i]->type ? sql_type_common(b, t, e->args[i]->type, SQL_MERGE_FLINK) : NULL;
    if (!t || leat_type_is_list(t->kind))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_bind_cast(b, &e->args[i], t))
            return -1;
    e->type = t;
    return 0;
}

// --- RAND, RAND_INTEGER: java.util.Random's numbers, the same ones for the same seed ---

struct chance {
    uint64_t state;
    uint8_t seeded;
};

#define CHANCE_MASK ((UINT64_C(1) << 48) - 1)

static uint32_t next_bits(struct chance *c, unsigned bits)
{
    c->state = (c->state * UINT64_C(0x5DEECE66D) + 0xB) & CHANCE_MASK;
    return (uint32_t)(c->state >> (48 - bits));
}

static int seed(struct sql_evaluator *ev, const struct sql_expr *e, const int64_t *given)
{
    struct chance *c = e->data;
    uint64_t s = 0;
    if (c->seeded)
        return 0;
    if (given)
        s = (uint64_t)*given;
    else if (getrandom(&s, sizeof s, 0) != sizeof s)
        return sql_fail(ev, e, "the system has no random numbers");
    c->state = (s ^ UINT64_C(0x5DEECE66D)) & CHANCE_MASK;
    c->seeded = 1;
    return 0;
}

static int row_rand(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    if (seed(ev, e, e->arg_count ? &args[0]->i64 : NULL))
        return -1;
    uint64_t high = (uint64_t)next_bits(e->data, 26) << 27;
    out->f64 = (double)(high + next_bits(e->data, 27)) * 0x1p-53;
    return 0;
}

static int row_rand_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                            union leat_cell *out, uint8_t *state)
{
    int64_t bound = args[e->arg_count - 1]->i64;
    if (bound <= 0 || bound > INT32_MAX)
        return sql_fail(ev, e, "the bound of RAND_INTEGER must be an INT above 0");
    if (seed(ev, e, e->arg_count > 1 ? &args[0]->i64 : NULL))
        return -1;
    uint32_t n = (uint32_t)bound, bits = next_bits(e->data, 31);
    if ((n & (n - 1)) == 0) {
        out->i64 = (int64_t)((uint64_t)n * bits >> 31);
        return 0;
    }
    while (bits - bits % n + (n - 1) > INT32_MAX)
        bits = next_bits(e->data, 31);
    out->i64 = bits % n;
    return 0;
}

static int derive_rand(struct sql_bind *b, struct sql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_want_integer(b, e, i))
            return -1;
    e->data = sql_bind_alloc(b, sizeof(struct chance));
    e->type = sql_bind_type(b, strcmp(e->func->name, "RAND") ? LEAT_TYPE_INT : LEAT_TYPE_DOUBLE, sql_args_nullable(e));
    return e->data && e->type ? 0 : -1;
}

#define ANALYSIS(n, least, most, f)                                                                                    \
    {                                                                                                                  \
        .name = n, .min_args = least, .max_args = most, .derive = derive_analysis, .form = f                           \
    }

static const struct sql_func rows[] = {
    ANALYSIS("SIN", 1, 1, "SIN(<number>)"),
    ANALYSIS("COS", 1, 1, "COS(<number>)"),
    ANALYSIS("TAN", 1, 1, "TAN(<number>)"),
    ANALYSIS("COT", 1, 1, "COT(<number>)"),
    ANALYSIS("ASIN", 1, 1, "ASIN(<number>)"),
    ANALYSIS("ACOS", 1, 1, "ACOS(<number>)"),
    ANALYSIS("ATAN", 1, 1, "ATAN(<number>)"),
    ANALYSIS("ATAN2", 2, 2, "ATAN2(<number>, <number>)"),
    ANALYSIS("SINH", 1, 1, "SINH(<number>)"),
    ANALYSIS("COSH", 1, 1, "COSH(<number>)"),
    ANALYSIS("TANH", 1, 1, "TANH(<number>)"),
    ANALYSIS("EXP", 1, 1, "EXP(<number>)"),
    ANALYSIS("LN", 1, 1, "LN(<number>)"),
    ANALYSIS("LOG", 1, 2, "LOG([<base>, ]<number>)"),
    ANALYSIS("LOG2", 1, 1, "LOG2(<number>)"),
    ANALYSIS("LOG10", 1, 1, "LOG10(<number>)"),
    ANALYSIS("SQRT", 1, 1, "SQRT(<number>)"),
    ANALYSIS("POWER", 2, 2, "POWER(<number>, <number>)"),
    ANALYSIS("DEGREES", 1, 1, "DEGREES(<number>)"),
    ANALYSIS("RADIANS", 1, 1, "RADIANS(<number>)"),
    {.name = "PI", .derive = derive_constant, .form = "PI()"},
    {.name = "E", .derive = derive_constant, .form = "E()"},
    {.name = "ABS", .min_args = 1, .max_args = 1, .derive = derive_same, .row = row_abs, .form = "ABS(<number>)"},
    {.name = "SIGN", .min_args = 1, .max_args = 1, .derive = derive_same, .row = row_sign, .form = "SIGN(<number>)"},
    {.name = "GREATEST",
     .min_args = 1,
     .max_args = 255,
     .derive = derive_extreme,
     .row = row_extreme,
     .form = "GREATEST(<value>, …), values of one type"},
    {.name = "LEAST",
     .min_args = 1,
     .max_args = 255,
     .derive = derive_extreme,
     .row = row_extreme,
     .form = "LEAST(<value>, …), values of one type"},
    {.name = "RAND",
     .max_args = 1,
     .flags = SQL_FUNC_VARIES,
     .derive = derive_rand,
     .row = row_rand,
     .form = "RAND([<integer>])"},
    {.name = "RAND_INTEGER",
     .min_args = 1,
     .max_args = 2,
     .flags = SQL_FUNC_VARIES,
     .derive = derive_rand,
     .row = row_rand_integer,
     .form = "RAND_INTEGER([<seed>, ]<bound>)"},
};
const struct sql_func_table sql_math_funcs = SQL_FUNC_TABLE(rows);
