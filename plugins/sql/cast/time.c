// SPDX-License-Identifier: Apache-2.0
// Casts among DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.
//
// Fractions are cut towards the past, so that the date of 1969-12-31 23:59:59.999 is the 31st (Flink says 1970-01-01).
#include "cast/cast.h"

#include "calendar.h"
#include "calendar_zone.h"
#include "expr/text.h"
#include "expr/types.h"

static int64_t cut(int64_t micros, uint8_t precision)
{
    int64_t unit = 1;
    for (unsigned p = precision; p < LEAT_TIME_PRECISION; p++)
        unit *= 10;
    return calendar_floor_div(micros, unit) * unit;
}

// The wall clock of any of them.
static int64_t local_of(const struct sql_expr *e, const union leat_cell *cell)
{
    switch (e->args[0]->type->kind) {
    case LEAT_TYPE_DATE:
        return cell->i64 * CALENDAR_DAY;
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return calendar_zone_to_local(e->data, cell->i64);
    default:
        return cell->i64;
    }
}

static int to_date(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    out->i64 = calendar_date_of(local_of(e, args[0]));
    return 0;
}

static int to_time(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    out->i64 = cut(calendar_time_of(local_of(e, args[0])), e->type->precision);
    return 0;
}

static int to_timestamp(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    out->i64 = cut(local_of(e, args[0]), e->type->precision);
    return 0;
}

static int to_ltz(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                  union leat_cell *out, uint8_t *state)
{
    int64_t v = args[0]->i64;
    if (e->args[0]->type->kind != LEAT_TYPE_TIMESTAMP_LTZ)
        v = calendar_zone_to_utc(e->data, local_of(e, args[0]), CALENDAR_EARLIER);
    out->i64 = cut(v, e->type->precision);
    return 0;
}

int sql_cast_time(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from)
{
    uint8_t to = e->type->kind;
    int zoned = to == LEAT_TYPE_TIMESTAMP_LTZ || from->kind == LEAT_TYPE_TIMESTAMP_LTZ;
    if (!sql_type_is_datetime(from->kind) || !sql_type_is_datetime(to) ||
        (from->kind == LEAT_TYPE_DATE && to == LEAT_TYPE_TIME) ||
        (from->kind == LEAT_TYPE_TIME && to == LEAT_TYPE_DATE))
        return 0;
    e->row = to == LEAT_TYPE_DATE        ? to_date
             : to == LEAT_TYPE_TIME      ? to_time
             : to == LEAT_TYPE_TIMESTAMP ? to_timestamp
                                         : to_ltz;
    if (zoned)
        return sql_bind_zone(b, e) ? -1 : 1;
    return 1;
}
