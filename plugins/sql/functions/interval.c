// SPDX-License-Identifier: Apache-2.0
// + - * over times and intervals, TIMESTAMPADD, TIMESTAMPDIFF, (a - b) unit, OVERLAPS.
//
// As in Flink a DATE stays a DATE when hours are added (whole days count), a TIME goes round the clock, and the 31st
// plus a month is the last of the month. Results beyond the year 9999 are errors.
#include "expr/expr.h"

#include <string.h>

#include "calendar_zone.h"
#include "expr/text.h"
#include "expr/types.h"
#include "functions/time.h"

// --- intervals with intervals and numbers ---

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

// --- a time and a number of months or microseconds ---

struct shift {
    uint8_t time;     // which argument is the time
    uint8_t negative; // subtract
    uint8_t months;   // else microseconds
    int64_t unit;     // the number is multiplied by this
    const struct calendar_zone *zone;
};

static int row_shift(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    const struct shift *s = e->data;
    const struct leat_type *from = e->args[s->time]->type;
    int64_t by, local = sql_time_local(from, args[s->time], s->zone);
    if (__builtin_mul_overflow(args[e->arg_count == 3 ? 1 : !s->time]->i64, s->negative ? -s->unit : s->unit, &by) ||
        (s->months && (by > 400000 || by < -400000)))
        return sql_fail(ev, e, "the result of %s lies outside of the years 0 to 9999", e->func->name);
    if (from->kind == LEAT_TYPE_TIME) {
        out->i64 = s->months ? local : calendar_time_of(local + by % CALENDAR_DAY);
        return 0;
    }
    if (s->months)
        local = calendar_add_months(calendar_date_of(local), by) * CALENDAR_DAY + calendar_time_of(local);
    else if (from->kind == LEAT_TYPE_TIMESTAMP_LTZ) // hours pass, whatever the clocks do
        return __builtin_add_overflow(args[s->time]->i64, by, &by)
                   ? out_of_range(ev, e)
                   : sql_time_store(ev, e, e->type, calendar_zone_to_local(s->zone, by), s->zone, out);
    else if (e->type->kind == LEAT_TYPE_DATE)
        by = by / CALENDAR_DAY * CALENDAR_DAY;
    if (!s->months && __builtin_add_overflow(local, by, &local))
        return out_of_range(ev, e);
    return sql_time_store(ev, e, e->type, local, s->zone, out);
}

static int derive_shift(struct sql_bind *b, struct sql_expr *e, struct shift given)
{
    struct shift *s = sql_bind_alloc(b, sizeof *s);
    const struct leat_type *t = e->args[given.time]->type;
    if (!s || (t->kind == LEAT_TYPE_TIMESTAMP_LTZ && sql_bind_zone(b, e)))
        return -1;
    *s = given;
    s->zone = e->data;
    e->data = s;
    e->row = row_shift;
    e->type = sql_bind_nullable(b, t, sql_args_nullable(e));
    return e->type ? 0 : -1;
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
    struct shift s = {.unit = 1, .negative = op == '-'};
    if ((op == '+' || op == '-') && sql_type_is_datetime(x) && sql_type_is_interval(y)) {
        s.months = y == LEAT_TYPE_INTERVAL_YM;
        return derive_shift(b, e, s);
    }
    if (op == '+' && sql_type_is_interval(x) && sql_type_is_datetime(y)) {
        s.months = x == LEAT_TYPE_INTERVAL_YM;
        s.time = 1;
        return derive_shift(b, e, s);
    }
    return sql_bind_mismatch(b, e);
}

// --- TIMESTAMPADD(unit, n, x) ---

// Months or microseconds of a unit; 0 = not offered.
static int64_t unit_size(uint16_t unit, uint8_t *months)
{
    *months = unit == SQL_SYM_MONTH || unit == SQL_SYM_QUARTER || unit == SQL_SYM_YEAR;
    switch (unit) {
    case SQL_SYM_MILLISECOND:
        return 1000;
    case SQL_SYM_SECOND:
        return CALENDAR_SECOND;
    case SQL_SYM_MINUTE:
        return CALENDAR_MINUTE;
    case SQL_SYM_HOUR:
        return CALENDAR_HOUR;
    case SQL_SYM_DAY:
        return CALENDAR_DAY;
    case SQL_SYM_WEEK:
        return 7 * CALENDAR_DAY;
    case SQL_SYM_MONTH:
        return 1;
    case SQL_SYM_QUARTER:
        return 3;
    case SQL_SYM_YEAR:
        return 12;
    default:
        return 0;
    }
}

static int refuse_unit(struct sql_bind *b, const struct sql_expr *e)
{
    return sql_bind_error(b, e->args[0], "%s does not count by %s", e->func->name, sql_symbol_name(e->args[0]->symbol));
}

static int derive_add(struct sql_bind *b, struct sql_expr *e)
{
    struct shift s = {.time = 2};
    if (!e->args[1]->type || !e->args[2]->type || !leat_type_is_integer(e->args[1]->type->kind) ||
        !sql_type_is_datetime(e->args[2]->type->kind))
        return sql_bind_mismatch(b, e);
    s.unit = unit_size(e->args[0]->symbol, &s.months);
    if (!s.unit)
        return refuse_unit(b, e);
    int to_timestamp = e->args[2]->type->kind == LEAT_TYPE_DATE && e->args[0]->symbol < SQL_SYM_DAY;
    const struct leat_type *t = to_timestamp ? sql_bind_time(b, LEAT_TYPE_TIMESTAMP, 6, 1) : NULL;
    if (to_timestamp && (!t || sql_bind_cast(b, &e->args[2], t)))
        return -1;
    return derive_shift(b, e, s);
}

// --- TIMESTAMPDIFF(unit, a, b) and (a - b) unit ---

struct between {
    int64_t unit;
    uint8_t months;
    uint8_t from, to; // arguments
};

static int64_t months_between(const struct sql_expr *e, const union leat_cell *const *args)
{
    const struct between *d = e->data;
    return sql_time_months(sql_time_local(e->args[d->from]->type, args[d->from], NULL),
                           sql_time_local(e->args[d->to]->type, args[d->to], NULL));
}

static int64_t micros_between(const struct sql_expr *e, const union leat_cell *const *args)
{
    const struct between *d = e->data;
    return sql_time_local(e->args[d->to]->type, args[d->to], NULL) -
           sql_time_local(e->args[d->from]->type, args[d->from], NULL);
}

static int row_diff(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    const struct between *d = e->data;
    int64_t v = (d->months ? months_between(e, args) : micros_between(e, args)) / d->unit;
    if (v != (int32_t)v)
        return sql_fail(ev, e, "the result of TIMESTAMPDIFF is out of the range of INT");
    out->i64 = v;
    return 0;
}

static int row_minus(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    const struct between *d = e->data;
    out->i64 = d->months ? months_between(e, args) : micros_between(e, args);
    return 0;
}

// Both times, both of the same clock. TIMESTAMP_LTZ is brought to the wall clock by a cast.
static int want_times(struct sql_bind *b, struct sql_expr *e, uint32_t first)
{
    const struct leat_type *x = e->args[first]->type, *y = e->args[first + 1]->type;
    int zx = x && x->kind == LEAT_TYPE_TIMESTAMP_LTZ, zy = y && y->kind == LEAT_TYPE_TIMESTAMP_LTZ;
    if (!x || !y || !sql_type_is_datetime(x->kind) || !sql_type_is_datetime(y->kind) || zx != zy ||
        (x->kind == LEAT_TYPE_TIME) != (y->kind == LEAT_TYPE_TIME))
        return sql_bind_mismatch(b, e);
    const struct leat_type *t = zx ? sql_bind_time(b, LEAT_TYPE_TIMESTAMP, LEAT_TIME_PRECISION, 1) : NULL;
    return zx && (!t || sql_bind_cast(b, &e->args[first], t) || sql_bind_cast(b, &e->args[first + 1], t)) ? -1 : 0;
}

static int derive_diff(struct sql_bind *b, struct sql_expr *e)
{
    struct between *d = sql_bind_alloc(b, sizeof *d);
    if (!d || want_times(b, e, 1))
        return -1;
    if (e->args[1]->type->kind == LEAT_TYPE_TIME)
        return sql_bind_mismatch(b, e);
    d->unit = unit_size(e->args[0]->symbol, &d->months);
    if (!d->unit)
        return refuse_unit(b, e);
    d->from = 1;
    d->to = 2;
    e->data = d;
    return sql_derive_int(b, e);
}

static int derive_minus(struct sql_bind *b, struct sql_expr *e)
{
    struct between *d = sql_bind_alloc(b, sizeof *d);
    uint16_t unit = e->args[2]->symbol;
    if (!d || want_times(b, e, 0))
        return -1;
    d->months = unit == SQL_SYM_MONTH || unit == SQL_SYM_QUARTER || unit == SQL_SYM_YEAR;
    d->from = 1;
    e->data = d;
    e->type = sql_bind_type(b, d->months ? LEAT_TYPE_INTERVAL_YM : LEAT_TYPE_INTERVAL_DS, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

// --- (a, b) OVERLAPS (c, d): LEAST(a, b) <= GREATEST(c, d) AND LEAST(c, d) <= GREATEST(a, b) ---

static struct sql_expr *call2(struct sql_bind *b, const struct sql_expr *at, const struct sql_func *f,
                              struct sql_expr *x, struct sql_expr *y)
{
    return x && y ? sql_bind_call(b, at, f, (struct sql_expr *[]){x, y}, 2) : NULL;
}

static const struct sql_func *function(const char *name)
{
    return sql_func_find((struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)});
}

struct period {
    struct sql_expr *start, *end;
};

static int take_period(struct sql_bind *b, const struct sql_expr *e, struct sql_expr *start, struct sql_expr *end,
                       struct period *p)
{
    if (!start->type || !end->type || !sql_type_is_datetime(start->type->kind))
        return sql_bind_mismatch(b, e);
    if (sql_type_is_interval(end->type->kind) && !(end = call2(b, e, sql_func_operator("+"), start, end)))
        return -1;
    p->start = call2(b, e, function("LEAST"), start, end);
    p->end = p->start ? call2(b, e, function("GREATEST"), start, end) : NULL;
    return p->end ? 0 : -1;
}

static int derive_overlaps(struct sql_bind *b, struct sql_expr *e)
{
    struct period x = {0}, y = {0};
    if (take_period(b, e, e->args[0], e->args[1], &x) || take_period(b, e, e->args[2], e->args[3], &y))
        return -1;
    const struct sql_func *le = sql_func_operator("<=");
    struct sql_expr *one = call2(b, e, le, x.start, y.end);
    struct sql_expr *both = call2(b, e, sql_func_operator("AND"), one, one ? call2(b, e, le, y.start, x.end) : NULL);
    return both ? sql_bind_become(b, e, both) : -1;
}

static const struct sql_func rows[] = {
    {.name = "TIMESTAMPADD",
     .min_args = 3,
     .max_args = 3,
     .derive = derive_add,
     .form = "TIMESTAMPADD(<unit>, <integer>, <time>)"},
    {.name = "TIMESTAMPDIFF",
     .min_args = 3,
     .max_args = 3,
     .derive = derive_diff,
     .row = row_diff,
     .form = "TIMESTAMPDIFF(<unit>, <time>, <time>)"},
    {.name = "MINUS_DATE",
     .min_args = 3,
     .max_args = 3,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_minus,
     .row = row_minus,
     .form = "(<time> - <time>) <unit>"},
    {.name = "OVERLAPS",
     .min_args = 4,
     .max_args = 4,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_overlaps,
     .form = "(<time>, <time or interval>) OVERLAPS (<time>, <time or interval>)"},
};
const struct sql_func_table sql_interval_funcs = SQL_FUNC_TABLE(rows);
