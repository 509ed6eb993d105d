// SPDX-License-Identifier: Apache-2.0
// Fields of times: EXTRACT, YEAR(x) and its kin, FLOOR and CEIL to a unit; and what the other time functions share.
//
// Times before 1970 divide downwards: the hour of 1969-12-31 23:59:59.999 is 23 (Flink says 0). Weeks are ISO's in
// EXTRACT and begin on Sunday in FLOOR and CEIL, as in Flink.
#include "functions/time.h"

#include <string.h>

#include "calendar_zone.h"
#include "expr/text.h"
#include "expr/types.h"

#define YEAR_0   (INT64_C(-719528) * CALENDAR_DAY) // 0000-01-01
#define YEAR_END ((INT64_C(2932896) + 1) * CALENDAR_DAY)

int64_t sql_time_local(const struct leat_type *t, const union leat_cell *cell, const struct calendar_zone *zone)
{
    if (t->kind == LEAT_TYPE_DATE)
        return cell->i64 * CALENDAR_DAY;
    return t->kind == LEAT_TYPE_TIMESTAMP_LTZ ? calendar_zone_to_local(zone, cell->i64) : cell->i64;
}

int64_t sql_time_unlocal(const struct leat_type *t, int64_t local, const struct calendar_zone *zone)
{
    if (t->kind == LEAT_TYPE_DATE)
        return calendar_date_of(local);
    return t->kind == LEAT_TYPE_TIMESTAMP_LTZ ? calendar_zone_to_utc(zone, local, CALENDAR_EARLIER) : local;
}

int sql_time_store(struct sql_evaluator *ev, const struct sql_expr *e, const struct leat_type *t, int64_t local,
                   const struct calendar_zone *zone, union leat_cell *out)
{
    if (local < YEAR_0 || local >= YEAR_END)
        return sql_fail(ev, e, "the result of %s lies outside of the years 0 to 9999", e->func->name);
    out->i64 = sql_time_unlocal(t, local, zone);
    return 0;
}

static int64_t add_months(int64_t local, int64_t months)
{
    return calendar_add_months(calendar_date_of(local), months) * CALENDAR_DAY + calendar_time_of(local);
}

int64_t sql_time_months(int64_t a, int64_t b)
{
    struct calendar_fields x, y;
    if (b < a)
        return -sql_time_months(b, a);
    calendar_split(a, &x);
    calendar_split(b, &y);
    int64_t months = ((int64_t)y.year - x.year) * 12 + y.month - x.month;
    return months > 0 && add_months(a, months) > b ? months - 1 : months;
}

// --- EXTRACT ---

struct extract {
    uint16_t unit;
    const struct calendar_zone *zone;
};

static int64_t up(int64_t a, int64_t b)
{
    return calendar_floor_div(a + b - 1, b);
}

static int64_t date_field(uint16_t unit, int64_t days)
{
    struct calendar_fields f;
    int64_t year;
    unsigned week = calendar_iso_week(days, &year);
    calendar_civil(days, &f);
    switch (unit) {
    case SQL_SYM_YEAR:
        return f.year;
    case SQL_SYM_QUARTER:
        return (f.month + 2) / 3;
    case SQL_SYM_MONTH:
        return f.month;
    case SQL_SYM_WEEK:
        return week;
    case SQL_SYM_ISOYEAR:
        return year;
    case SQL_SYM_DAY:
        return f.day;
    case SQL_SYM_DOY:
        return calendar_day_of_year(days);
    case SQL_SYM_DOW:
        return calendar_day_of_week(days) % 7 + 1;
    case SQL_SYM_ISODOW:
        return calendar_day_of_week(days);
    case SQL_SYM_DECADE:
        return calendar_floor_div(f.year, 10);
    case SQL_SYM_CENTURY:
        return up(f.year, 100);
    default:
        return up(f.year, 1000);
    }
}

static int64_t time_field(uint16_t unit, int64_t time)
{
    switch (unit) {
    case SQL_SYM_HOUR:
        return time / CALENDAR_HOUR;
    case SQL_SYM_MINUTE:
        return time / CALENDAR_MINUTE % 60;
    case SQL_SYM_SECOND:
        return time / CALENDAR_SECOND % 60;
    case SQL_SYM_MILLISECOND:
        return time % CALENDAR_SECOND / 1000;
    case SQL_SYM_MICROSECOND:
        return time % CALENDAR_SECOND;
    default:
        return time % CALENDAR_SECOND * 1000;
    }
}

static int is_time_unit(uint16_t unit)
{
    return unit >= SQL_SYM_NANOSECOND && unit <= SQL_SYM_HOUR;
}

static int row_extract(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    const struct extract *x = e->data;
    uint32_t last = e->arg_count - 1;
    if (x->unit == SQL_SYM_EPOCH) {
        int64_t v = args[last]->i64;
        out->i64 = e->args[last]->type->kind == LEAT_TYPE_DATE ? v * 86400 : calendar_floor_div(v, CALENDAR_SECOND);
        return 0;
    }
    int64_t local = sql_time_local(e->args[last]->type, args[last], x->zone);
    out->i64 = is_time_unit(x->unit) ? time_field(x->unit, calendar_time_of(local))
                                     : date_field(x->unit, calendar_date_of(local));
    return 0;
}

static int row_extract_interval(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                                union leat_cell *out, uint8_t *state)
{
    const struct extract *x = e->data;
    int64_t v = args[e->arg_count - 1]->i64, magnitude = v < 0 ? -v : v, field;
    if (x->unit == SQL_SYM_YEAR)
        field = magnitude / 12;
    else if (x->unit == SQL_SYM_MONTH)
        field = magnitude % 12;
    else if (x->unit == SQL_SYM_QUARTER)
        field = magnitude % 12 / 3 + 1;
    else if (x->unit == SQL_SYM_DAY)
        field = magnitude / CALENDAR_DAY;
    else
        field = time_field(x->unit, magnitude % CALENDAR_DAY);
    out->i64 = v < 0 ? -field : field;
    return 0;
}

// Which units a type has.
static int has_unit(uint8_t kind, uint16_t unit)
{
    switch (kind) {
    case LEAT_TYPE_DATE:
        return unit != SQL_SYM_MICROSECOND && unit != SQL_SYM_NANOSECOND;
    case LEAT_TYPE_TIME:
        return (is_time_unit(unit) && unit >= SQL_SYM_MILLISECOND) || unit == SQL_SYM_EPOCH;
    case LEAT_TYPE_INTERVAL_YM:
        return unit == SQL_SYM_YEAR || unit == SQL_SYM_MONTH || unit == SQL_SYM_QUARTER;
    case LEAT_TYPE_INTERVAL_DS:
        return unit == SQL_SYM_DAY || is_time_unit(unit);
    default:
        return sql_type_is_timestamp(kind);
    }
}

static int derive_field(struct sql_bind *b, struct sql_expr *e, uint16_t unit)
{
    const struct sql_expr *of = e->args[e->arg_count - 1];
    struct extract *x = sql_bind_alloc(b, sizeof *x);
    if (!x)
        return -1;
    if (!of->type || (!sql_type_is_datetime(of->type->kind) && !sql_type_is_interval(of->type->kind)))
        return sql_bind_mismatch(b, e);
    if (!has_unit(of->type->kind, unit) || unit > SQL_SYM_EPOCH) {
        char type[SQL_TYPE_TEXT];
        return sql_bind_error(b, e, "%s has no %s", sql_type_name(of->type, type, sizeof type), sql_symbol_name(unit));
    }
    if (of->type->kind == LEAT_TYPE_TIMESTAMP_LTZ && sql_bind_zone(b, e))
        return -1;
    *x = (struct extract){unit, e->data};
    e->data = x;
    e->row = sql_type_is_interval(of->type->kind) ? row_extract_interval : row_extract;
    return sql_derive_bigint(b, e);
}

static int derive_extract(struct sql_bind *b, struct sql_expr *e)
{
    return derive_field(b, e, e->args[0]->symbol);
}

static int derive_named(struct sql_bind *b, struct sql_expr *e)
{
    static const struct {
        const char *name;
        uint16_t unit;
    } names[] = {{"YEAR", SQL_SYM_YEAR},     {"QUARTER", SQL_SYM_QUARTER}, {"MONTH", SQL_SYM_MONTH},
                 {"WEEK", SQL_SYM_WEEK},     {"DAYOFYEAR", SQL_SYM_DOY},   {"DAYOFMONTH", SQL_SYM_DAY},
                 {"DAYOFWEEK", SQL_SYM_DOW}, {"HOUR", SQL_SYM_HOUR},       {"MINUTE", SQL_SYM_MINUTE},
                 {"SECOND", SQL_SYM_SECOND}};
    uint32_t i = 0;
    while (strcmp(names[i].name, e->func->name) != 0)
        i++;
    return derive_field(b, e, names[i].unit);
}

// --- FLOOR and CEIL to a unit ---

static int64_t unit_micros(uint16_t unit)
{
    static const int64_t micros[SQL_SYM_COUNT] = {[SQL_SYM_MILLISECOND] = 1000,
                                                  [SQL_SYM_SECOND] = CALENDAR_SECOND,
                                                  [SQL_SYM_MINUTE] = CALENDAR_MINUTE,
                                                  [SQL_SYM_HOUR] = CALENDAR_HOUR,
                                                  [SQL_SYM_DAY] = CALENDAR_DAY};
    return micros[unit] ? micros[unit] : 1;
}

// The first day of the unit's period that holds the day; with `next` of the period behind it.
static int64_t period_start(uint16_t unit, int64_t days, int next)
{
    struct calendar_fields f;
    calendar_civil(days, &f);
    int64_t year = f.year;
    switch (unit) {
    case SQL_SYM_WEEK:
        return days - calendar_day_of_week(days) % 7 + (next ? 7 : 0);
    case SQL_SYM_MONTH:
        return calendar_add_months(calendar_days(year, f.month, 1), next ? 1 : 0);
    case SQL_SYM_QUARTER:
        return calendar_add_months(calendar_days(year, (unsigned)(f.month - 1) / 3 * 3 + 1, 1), next ? 3 : 0);
    case SQL_SYM_DECADE:
        return calendar_days(calendar_floor_div(year, 10) * 10 + (next ? 10 : 0), 1, 1);
    case SQL_SYM_CENTURY: // the 21st begins with 2001
        return calendar_days(calendar_floor_div(year - 1, 100) * 100 + 1 + (next ? 100 : 0), 1, 1);
    case SQL_SYM_MILLENNIUM:
        return calendar_days(calendar_floor_div(year - 1, 1000) * 1000 + 1 + (next ? 1000 : 0), 1, 1);
    default:
        return calendar_days(year + (next ? 1 : 0), 1, 1);
    }
}

static int64_t floor_to(uint16_t unit, int64_t local, int ceil)
{
    if (unit <= SQL_SYM_DAY) {
        int64_t size = unit_micros(unit), start = calendar_floor_div(local, size) * size;
        return ceil && start != local ? start + size : start;
    }
    int64_t days = calendar_date_of(local), start = period_start(unit, days, 0) * CALENDAR_DAY;
    return ceil && start != local ? period_start(unit, days, 1) * CALENDAR_DAY : start;
}

static int row_floor(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    const struct extract *x = e->data;
    int64_t local = floor_to(x->unit, sql_time_local(e->type, args[0], x->zone), e->func->name[0] == 'C');
    if (e->type->kind == LEAT_TYPE_TIME && local >= CALENDAR_DAY)
        return sql_fail(ev, e, "the result of %s is 24:00:00, which is no TIME", e->func->name);
    return sql_time_store(ev, e, e->type, local, x->zone, out);
}

int sql_derive_time_floor(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    uint16_t unit = e->args[1]->symbol;
    struct extract *x = sql_bind_alloc(b, sizeof *x);
    if (!x)
        return -1;
    if (!t || e->args[1]->form != SQL_EXPR_SYMBOL || !sql_type_is_datetime(t->kind))
        return sql_bind_mismatch(b, e);
    if (unit > SQL_SYM_MILLENNIUM || (t->kind == LEAT_TYPE_TIME && unit > SQL_SYM_HOUR)) {
        char type[SQL_TYPE_TEXT];
        return sql_bind_error(b, e->args[1], "%s cannot be rounded to %s", sql_type_name(t, type, sizeof type),
                              sql_symbol_name(unit));
    }
    if (t->kind == LEAT_TYPE_TIMESTAMP_LTZ && sql_bind_zone(b, e))
        return -1;
    *x = (struct extract){unit, e->data};
    e->data = x;
    e->row = row_floor;
    e->type = t;
    return 0;
}

#define FIELD_FUNC(n)                                                                                                  \
    {                                                                                                                  \
        .name = n, .min_args = 1, .max_args = 1, .derive = derive_named, .form = n "(<date or timestamp>)"             \
    }

static const struct sql_func rows[] = {
    {.name = "EXTRACT",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_extract,
     .form = "EXTRACT(<unit> FROM <time or interval>)"},
    FIELD_FUNC("YEAR"),
    FIELD_FUNC("QUARTER"),
    FIELD_FUNC("MONTH"),
    FIELD_FUNC("WEEK"),
    FIELD_FUNC("DAYOFYEAR"),
    FIELD_FUNC("DAYOFMONTH"),
    FIELD_FUNC("DAYOFWEEK"),
    FIELD_FUNC("HOUR"),
    FIELD_FUNC("MINUTE"),
    FIELD_FUNC("SECOND"),
};
const struct sql_func_table sql_time_funcs = SQL_FUNC_TABLE(rows);
