// SPDX-License-Identifier: Apache-2.0
// See celltext.h.
#include "celltext.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "calendar.h"
#include "calendar_zone.h"
#include "decimal.h"
#include "number.h"
#include "utf8.h"

#define NUMBER_ROOM 64 // no number, date or time is longer

// C0, DEL and the C1 controls, some of which terminals obey.
static int is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static void put_string(struct buf *t, struct leat_bytes s)
{
    static const char letters[] = "\tt\nn\rr";
    for (uint32_t i = 0; i < s.len;) {
        unsigned used;
        uint32_t code = utf8_decode(s.ptr + i, s.len - i, &used);
        if (!is_control(code)) {
            buf_put(t, s.ptr + i, used);
        } else {
            char escape[8];
            const char *letter = code < 0x20 && code ? strchr(letters, (int)code) : NULL;
            int n = letter ? snprintf(escape, sizeof escape, "\\%c", letter[1])
                           : snprintf(escape, sizeof escape, "\\x%02x", code);
            buf_put(t, escape, (size_t)n);
        }
        i += used;
    }
}

static void put_hex(struct buf *t, struct leat_bytes s)
{
    static const char digits[] = "0123456789abcdef";
    buf_str(t, "x'");
    for (uint32_t i = 0; i < s.len; i++) {
        char pair[2] = {digits[s.ptr[i] >> 4], digits[s.ptr[i] & 15]};
        buf_put(t, pair, 2);
    }
    buf_str(t, "'");
}

// "+3-04" and "-1 02:03:04.000000", as Flink casts intervals.
static size_t print_months(char *to, int64_t months)
{
    uint64_t m = months < 0 ? -(uint64_t)months : (uint64_t)months;
    return (size_t)snprintf(to, NUMBER_ROOM, "%c%llu-%02llu", months < 0 ? '-' : '+', (unsigned long long)(m / 12),
                            (unsigned long long)(m % 12));
}

static size_t print_span(char *to, int64_t micros)
{
    uint64_t u = micros < 0 ? -(uint64_t)micros : (uint64_t)micros, s = u / 1000000;
    return (size_t)snprintf(to, NUMBER_ROOM, "%c%llu %02llu:%02llu:%02llu.%03llu", micros < 0 ? '-' : '+',
                            (unsigned long long)(s / 86400), (unsigned long long)(s / 3600 % 24),
                            (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60),
                            (unsigned long long)(u / 1000 % 1000));
}

static size_t print_scalar(char *to, const struct leat_type *type, const union leat_cell *cell,
                           const struct calendar_zone *zone)
{
    switch (type->kind) {
    case LEAT_TYPE_FLOAT:
        return number_f32_print(to, cell->f32);
    case LEAT_TYPE_DOUBLE:
        return number_f64_print(to, cell->f64);
    case LEAT_TYPE_DECIMAL:
        return decimal_print(to, cell->i128, type->scale);
    case LEAT_TYPE_DATE:
        return calendar_print_date(to, cell->i64);
    case LEAT_TYPE_TIME:
        return calendar_print_time(to, cell->i64, type->precision, 0);
    case LEAT_TYPE_TIMESTAMP:
        return calendar_print_timestamp(to, cell->i64, type->precision, CALENDAR_SQL);
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return calendar_print_timestamp(to, zone ? calendar_zone_to_local(zone, cell->i64) : cell->i64, type->precision,
                                        CALENDAR_SQL);
    case LEAT_TYPE_INTERVAL_YM:
        return print_months(to, cell->i64);
    case LEAT_TYPE_INTERVAL_DS:
        return print_span(to, cell->i64);
    default:
        return number_i64_print(to, cell->i64);
    }
}

static void put_value(struct buf *t, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                      const struct calendar_zone *zone);

// [1, 2], {a=1, b=2} and (1, a)
static void put_list(struct buf *t, const struct leat_type *type, const struct leat_list *list,
                     const struct calendar_zone *zone)
{
    static const char brackets[] = "[]{}()";
    size_t form = (size_t)(type->kind - LEAT_TYPE_ARRAY) * 2;
    buf_put(t, &brackets[form], 1);
    for (uint32_t i = 0; i < list->count; i++) {
        if (i)
            buf_str(t, type->kind == LEAT_TYPE_MAP && i % 2 ? "=" : ", ");
        if (list->items[i].state != LEAT_VALUE)
            buf_str(t, "NULL");
        else
            put_value(t, leat_type_child(type, i), &list->items[i].cell, LEAT_VALUE, zone);
    }
    buf_put(t, &brackets[form + 1], 1);
}

static void put_value(struct buf *t, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                      const struct calendar_zone *zone)
{
    static const char *const states[] = {"", "NULL", "<absent>", "<unchanged>"};
    if (state != LEAT_VALUE) {
        buf_str(t, states[state & 3]);
    } else if (type->kind == LEAT_TYPE_BOOLEAN) {
        buf_str(t, cell->i64 ? "TRUE" : "FALSE");
    } else if (leat_type_is_string(type->kind)) {
        put_string(t, cell->bytes);
    } else if (leat_type_is_bytes(type->kind)) {
        put_hex(t, cell->bytes);
    } else if (leat_type_is_list(type->kind)) {
        put_list(t, type, &cell->list, zone);
    } else {
        char number[NUMBER_ROOM];
        buf_put(t, number, print_scalar(number, type, cell, zone));
    }
}

void celltext_put(struct buf *out, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                  const struct calendar_zone *zone)
{
    put_value(out, type, cell, state, zone);
}
