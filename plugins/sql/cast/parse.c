// SPDX-License-Identifier: Apache-2.0
// Casts of strings to numbers, BOOLEAN and times.
//
// As in Flink blanks around numbers and dates are trimmed, '3.99' is the INT 3, '1e3' the DECIMAL 1000, '42' the date
// 0042-01-01. Unlike Flink a text with letters in it is no DECIMAL (Flink reads 'x' as 0.00 and '42x' as 42.00), and a
// TIME ends before 24:00:00.
#include "cast/cast.h"

#include <string.h>
#include <strings.h>

#include "calendar.h"
#include "calendar_zone.h"
#include "decimal.h"
#include "expr/text.h"
#include "expr/types.h"
#include "number.h"

static int not_a(struct sql_evaluator *ev, const struct sql_expr *e, struct leat_bytes s)
{
    char type[SQL_TYPE_TEXT];
    uint32_t len = s.len > 60 ? 60 : s.len;
    while (len && len < s.len && (s.ptr[len] & 0xC0) == 0x80) // no half letters
        len--;
    return sql_fail(ev, e, "'%.*s' is no %s", (int)len, (const char *)s.ptr, sql_type_name(e->type, type, sizeof type));
}

static struct leat_bytes without_blanks(struct leat_bytes s)
{
    while (s.len && s.ptr[0] == ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

// The digits before the point; behind it digits may follow. ".5" is 0.
static int to_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = without_blanks(args[0]->bytes), whole = s;
    const uint8_t *point = s.len ? memchr(s.ptr, '.', s.len) : NULL;
    int64_t v = 0;
    uint32_t digits = 0;
    if (point) {
        whole.len = (uint32_t)(point - s.ptr);
        for (const uint8_t *p = point + 1; p < s.ptr + s.len; p++, digits++)
            if (*p < '0' || *p > '9')
                return not_a(ev, e, s);
    }
    int bare = !whole.len || (whole.len == 1 && (*whole.ptr == '-' || *whole.ptr == '+'));
    if (bare ? !digits : number_i64_parse(whole.ptr, whole.len, &v) != NUMBER_OK || !sql_type_fits(e->type->kind, v))
        return not_a(ev, e, s);
    out->i64 = v;
    return 0;
}

static int to_float(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = number_trimmed(args[0]->bytes);
    if (e->type->kind == LEAT_TYPE_FLOAT)
        return number_f32_parse(s.ptr, s.len, &out->f32) == NUMBER_OK ? 0 : not_a(ev, e, s);
    return number_f64_parse(s.ptr, s.len, &out->f64) == NUMBER_OK ? 0 : not_a(ev, e, s);
}

static int to_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = number_trimmed(args[0]->bytes);
    leat_i128 v;
    if (decimal_parse(s.ptr, s.len, e->type->precision, e->type->scale, &v) < 0)
        return not_a(ev, e, s);
    out->i128 = v;
    return 0;
}

static int to_boolean(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    static const char *const words[] = {"f", "false", "n", "no", "0", "t", "true", "y", "yes", "1"};
    struct leat_bytes s = args[0]->bytes;
    for (int i = 0; i < 10; i++)
        if (strlen(words[i]) == s.len && !strncasecmp(words[i], (const char *)s.ptr, s.len)) {
            out->i64 = i >= 5;
            return 0;
        }
    return not_a(ev, e, s);
}

static int to_date(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    return calendar_cast_date(s.ptr, s.len, &out->i64) < 0 ? not_a(ev, e, s) : 0;
}

static int64_t cut(int64_t micros, uint8_t precision)
{
    int64_t unit = 1;
    for (unsigned p = precision; p < LEAT_TIME_PRECISION; p++)
        unit *= 10;
    return calendar_floor_div(micros, unit) * unit;
}

static int to_time(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    int64_t v;
    if (calendar_cast_time(s.ptr, s.len, &v) < 0 || v < 0 || v >= CALENDAR_DAY)
        return not_a(ev, e, s);
    out->i64 = cut(v, e->type->precision);
    return 0;
}

static int to_timestamp(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    int64_t v;
    if (calendar_cast_timestamp(s.ptr, s.len, &v) < 0)
        return not_a(ev, e, s);
    if (e->data)
        v = calendar_zone_to_utc(e->data, v, CALENDAR_EARLIER);
    out->i64 = cut(v, e->type->precision);
    return 0;
}

int sql_cast_parse(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from)
{
    if (!leat_type_is_string(from->kind))
        return 0;
    uint8_t kind = e->type->kind;
    if (leat_type_is_integer(kind))
        e->row = to_integer;
    else if (sql_type_is_approx(kind))
        e->row = to_float;
    else if (sql_type_is_timestamp(kind))
        e->row = to_timestamp;
    else
        e->row = kind == LEAT_TYPE_DECIMAL   ? to_decimal
                 : kind == LEAT_TYPE_BOOLEAN ? to_boolean
                 : kind == LEAT_TYPE_DATE    ? to_date
                 : kind == LEAT_TYPE_TIME    ? to_time
                                             : NULL;
    if (!e->row)
        return 0;
    if (kind == LEAT_TYPE_TIMESTAMP_LTZ)
        return sql_bind_zone(b, e) ? -1 : 1;
    return 1;
}
