// SPDX-License-Identifier: Apache-2.0
// Rows as Flink's print shows them: the row kind, then the values as CAST AS STRING writes them. Control characters of
// strings are written as escapes, so that a value can neither break a line nor speak to the terminal.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "calendar_zone.h"
#include "decimal.h"
#include "number.h"
#include "print.h"
#include "utf8.h"

#define NUMBER_ROOM 64 // no number, date or time is longer

void print_text_fini(struct print_text *t)
{
    free(t->ptr);
    *t = (struct print_text){.len = 0};
}

static char *room(struct print_text *t, size_t more)
{
    if (t->failed)
        return NULL;
    if (t->cap - t->len < more) {
        size_t cap = t->cap ? t->cap * 2 : 4096;
        while (cap - t->len < more)
            cap *= 2;
        char *ptr = realloc(t->ptr, cap);
        if (!ptr) {
            t->failed = 1;
            return NULL;
        }
        t->ptr = ptr;
        t->cap = cap;
    }
    return t->ptr + t->len;
}

static void put(struct print_text *t, const char *text, size_t len)
{
    char *to = room(t, len);
    if (to && len) {
        memcpy(to, text, len);
        t->len += len;
    }
}

static void put_word(struct print_text *t, const char *word)
{
    put(t, word, strlen(word));
}

// C0, DEL and the C1 controls, some of which terminals obey.
static int is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static void put_string(struct print_text *t, struct leat_bytes s)
{
    static const char letters[] = "\tt\nn\rr";
    for (uint32_t i = 0; i < s.len;) {
        unsigned used;
        uint32_t code = utf8_decode(s.ptr + i, s.len - i, &used);
        if (!is_control(code)) {
            put(t, (const char *)s.ptr + i, used);
        } else {
            char escape[8];
            const char *letter = code < 0x20 && code ? strchr(letters, (int)code) : NULL;
            int n = letter ? snprintf(escape, sizeof escape, "\\%c", letter[1])
                           : snprintf(escape, sizeof escape, "\\x%02x", code);
            put(t, escape, (size_t)n);
        }
        i += used;
    }
}

static void put_hex(struct print_text *t, struct leat_bytes s)
{
    static const char digits[] = "0123456789abcdef";
    char *to = room(t, (size_t)s.len * 2 + 3);
    if (!to)
        return;
    *to++ = 'x';
    *to++ = '\'';
    for (uint32_t i = 0; i < s.len; i++) {
        *to++ = digits[s.ptr[i] >> 4];
        *to++ = digits[s.ptr[i] & 15];
    }
    *to++ = '\'';
    t->len = (size_t)(to - t->ptr);
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

static void put_value(struct print_text *t, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                      const struct calendar_zone *zone);

// [1, 2], {a=1, b=2} and (1, a)
static void put_list(struct print_text *t, const struct leat_type *type, const struct leat_list *list,
                     const struct calendar_zone *zone)
{
    static const char brackets[] = "[]{}()";
    size_t form = (size_t)(type->kind - LEAT_TYPE_ARRAY) * 2;
    put(t, &brackets[form], 1);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct leat_type *child = &type->children[type->child_count > 1 ? i % type->child_count : 0];
        if (i)
            put_word(t, type->kind == LEAT_TYPE_MAP && i % 2 ? "=" : ", ");
        if (list->items[i].state != LEAT_VALUE)
            put_word(t, "NULL");
        else
            put_value(t, child, &list->items[i].cell, LEAT_VALUE, zone);
    }
    put(t, &brackets[form + 1], 1);
}

static void put_value(struct print_text *t, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                      const struct calendar_zone *zone)
{
    static const char *const states[] = {"", "null", "<absent>", "<unchanged>"};
    if (state != LEAT_VALUE) {
        put_word(t, states[state & 3]);
    } else if (type->kind == LEAT_TYPE_BOOLEAN) {
        put_word(t, cell->i64 ? "TRUE" : "FALSE");
    } else if (leat_type_is_string(type->kind)) {
        put_string(t, cell->bytes);
    } else if (leat_type_is_bytes(type->kind)) {
        put_hex(t, cell->bytes);
    } else if (leat_type_is_list(type->kind)) {
        put_list(t, type, &cell->list, zone);
    } else {
        char *to = room(t, NUMBER_ROOM);
        if (to)
            t->len += print_scalar(to, type, cell, zone);
    }
}

void print_row(struct print_text *t, const struct leat_batch *b, uint32_t row, const char *identifier,
               const struct calendar_zone *zone)
{
    static const char *const kinds[] = {"+I[", "-U[", "+U[", "-D["};
    if (identifier) {
        put_word(t, identifier);
        put_word(t, "> ");
    }
    put_word(t, kinds[b->kinds[row] & 3]);
    for (uint32_t c = 0; c < b->column_count; c++) {
        if (c)
            put_word(t, ", ");
        put_value(t, &b->schema->columns[c].type, leat_batch_cell(b, c, row), leat_batch_state(b, c, row), zone);
    }
    put_word(t, "]\n");
}
