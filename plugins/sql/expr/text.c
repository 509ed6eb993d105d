// SPDX-License-Identifier: Apache-2.0
// Values as text; see text.h.
#include "expr/text.h"

#include <string.h>

#include "calendar.h"
#include "calendar_zone.h"
#include "decimal.h"
#include "expr/types.h"
#include "number.h"
#include "utf8.h"

// --- the buffer ---

void sql_text_init(struct sql_text *t, struct sql_evaluator *ev)
{
    *t = (struct sql_text){.ev = ev};
}

uint8_t *sql_text_room(struct sql_text *t, size_t size)
{
    if (t->failed)
        return NULL;
    if (t->cap - t->len < size) {
        size_t cap = t->cap ? t->cap : 64;
        while (cap - t->len < size)
            cap *= 2;
        uint8_t *p = sql_arena_alloc(&t->ev->arena, cap);
        if (!p) {
            sql_fail_memory(t->ev);
            t->failed = 1;
            return NULL;
        }
        if (t->len)
            memcpy(p, t->ptr, t->len);
        t->ptr = p;
        t->cap = cap;
    }
    return t->ptr + t->len;
}

void sql_text_put(struct sql_text *t, const void *bytes, size_t len)
{
    uint8_t *p = sql_text_room(t, len);
    if (!p || !len)
        return;
    memcpy(p, bytes, len);
    t->len += len;
}

int sql_bytes_copy(struct sql_evaluator *ev, const void *bytes, size_t len, union leat_cell *out)
{
    uint8_t *p = sql_eval_alloc(ev, len);
    if (!p)
        return -1;
    if (len)
        memcpy(p, bytes, len);
    out->bytes = (struct leat_bytes){p, (uint32_t)len};
    return 0;
}

int sql_text_limit(struct sql_evaluator *ev, const struct sql_expr *e, uint64_t len)
{
    if (len <= SQL_TEXT_LONGEST)
        return 0;
    return sql_fail(ev, e, "the result of %s would be longer than %u MiB", e->func ? e->func->name : "CAST",
                    SQL_TEXT_LONGEST >> 20);
}

int sql_text_done(struct sql_text *t, struct leat_bytes *out)
{
    union leat_cell cell;
    if (t->failed || sql_bytes_copy(t->ev, t->ptr, t->len, &cell))
        return -1;
    *out = cell.bytes;
    return 0;
}

// --- scalars ---

static size_t digits_needed(int64_t micros, unsigned precision)
{
    int64_t fraction = micros % CALENDAR_SECOND;
    unsigned digits = fraction ? LEAT_TIME_PRECISION : 0;
    for (; digits && fraction % 10 == 0; digits--)
        fraction /= 10;
    return digits > precision ? digits : precision;
}

// A timestamp may carry more digits than its type says (TIMESTAMP(0) + INTERVAL '0.5' SECOND): they are shown.
static size_t print_timestamp(char *out, int64_t micros, unsigned precision)
{
    return calendar_print_timestamp(out, micros, (unsigned)digits_needed(micros, precision), CALENDAR_SQL);
}

static size_t print_months(char *out, int64_t months)
{
    uint64_t m = months < 0 ? 0 - (uint64_t)months : (uint64_t)months;
    size_t n = 0;
    out[n++] = months < 0 ? '-' : '+';
    n += number_u64_print(out + n, m / 12);
    out[n++] = '-';
    number_u64_print_padded(out + n, m % 12, 2);
    return n + 2;
}

static size_t print_interval(char *out, int64_t micros)
{
    uint64_t m = (micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros) / 1000;
    static const struct {
        uint64_t millis;
        char after;
    } parts[] = {{3600000, ':'}, {60000, ':'}, {1000, '.'}};
    size_t n = 0;
    out[n++] = micros < 0 ? '-' : '+';
    n += number_u64_print(out + n, m / 86400000);
    out[n++] = ' ';
    m %= 86400000;
    for (int i = 0; i < 3; i++) {
        number_u64_print_padded(out + n, m / parts[i].millis, 2);
        n += 2;
        out[n++] = parts[i].after;
        m %= parts[i].millis;
    }
    number_u64_print_padded(out + n, m, 3);
    return n + 3;
}

#define SCALAR_MAX 64

static size_t print_scalar(char *out, const struct leat_type *type, const union leat_cell *cell,
                           const struct calendar_zone *zone)
{
    switch (type->kind) {
    case LEAT_TYPE_FLOAT:
        return number_f32_print(out, cell->f32);
    case LEAT_TYPE_DOUBLE:
        return number_f64_print(out, cell->f64);
    case LEAT_TYPE_DECIMAL:
        return decimal_print(out, cell->i128, type->scale);
    case LEAT_TYPE_DATE:
        return calendar_print_date(out, cell->i64);
    case LEAT_TYPE_TIME:
        return calendar_print_time(out, cell->i64, type->precision, 0);
    case LEAT_TYPE_TIMESTAMP:
        return print_timestamp(out, cell->i64, type->precision);
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return print_timestamp(out, zone ? calendar_zone_to_local(zone, cell->i64) : cell->i64, type->precision);
    case LEAT_TYPE_INTERVAL_YM:
        return print_months(out, cell->i64);
    case LEAT_TYPE_INTERVAL_DS:
        return print_interval(out, cell->i64);
    default:
        return number_i64_print(out, cell->i64);
    }
}

// Bytes as UTF-8; what is none becomes U+FFFD.
static void put_binary(struct sql_text *t, struct leat_bytes b)
{
    while (b.len) {
        size_t good = utf8_valid_prefix(b.ptr, b.len);
        sql_text_put(t, b.ptr, good);
        b.ptr += good;
        b.len -= (uint32_t)good;
        if (!b.len)
            return;
        sql_text_put(t, "\xEF\xBF\xBD", 3);
        // a sequence that only lacks its end counts as one bad character, as Java has it
        uint32_t used = 1;
        uint32_t want = b.ptr[0] >= 0xF0 && b.ptr[0] < 0xF5 ? 4 : b.ptr[0] >= 0xE1 && b.ptr[0] < 0xF0 ? 3 : 1;
        while (used + 1 < want && used < b.len && (b.ptr[used] & 0xC0) == 0x80)
            used++;
        b.ptr += used;
        b.len -= used;
    }
}

// --- lists ---

static void put_datum(struct sql_text *t, const struct leat_type *type, const struct leat_datum *d,
                      const struct calendar_zone *zone)
{
    if (d->state == LEAT_VALUE)
        sql_text_cell(t, type, &d->cell, zone);
    else
        sql_text_put(t, "NULL", 4);
}

static void put_list(struct sql_text *t, const struct leat_type *type, const struct leat_list *list,
                     const struct calendar_zone *zone)
{
    int map = type->kind == LEAT_TYPE_MAP, row = type->kind == LEAT_TYPE_ROW;
    sql_text_put(t, map ? "{" : row ? "(" : "[", 1);
    for (uint32_t i = 0; i < list->count && !t->failed; i++) {
        if (i)
            sql_text_put(t, map && (i & 1) ? "=" : ", ", map && (i & 1) ? 1 : 2);
        put_datum(t, leat_type_child(type, i), &list->items[i], zone);
    }
    sql_text_put(t, map ? "}" : row ? ")" : "]", 1);
}

void sql_text_cell(struct sql_text *t, const struct leat_type *type, const union leat_cell *cell,
                   const struct calendar_zone *zone)
{
    if (type->kind == LEAT_TYPE_BOOLEAN) {
        sql_text_put(t, cell->i64 ? "TRUE" : "FALSE", cell->i64 ? 4 : 5);
    } else if (leat_type_is_string(type->kind)) {
        sql_text_put(t, cell->bytes.ptr, cell->bytes.len);
    } else if (sql_type_is_binary(type->kind)) {
        put_binary(t, cell->bytes);
    } else if (leat_type_is_list(type->kind)) {
        put_list(t, type, &cell->list, zone);
    } else {
        char *p = (char *)sql_text_room(t, SCALAR_MAX);
        if (p)
            t->len += print_scalar(p, type, cell, zone);
    }
}

int sql_cell_text(struct sql_evaluator *ev, const struct sql_expr *e, const struct leat_type *type,
                  const union leat_cell *cell, struct leat_bytes *out)
{
    struct sql_text t;
    sql_text_init(&t, ev);
    sql_text_cell(&t, type, cell, e->form == SQL_EXPR_CAST ? e->data : NULL);
    return sql_text_done(&t, out);
}

// --- the time zone ---

int sql_type_has_zone(const struct leat_type *t)
{
    if (t->kind == LEAT_TYPE_TIMESTAMP_LTZ)
        return 1;
    for (uint32_t i = 0; i < t->child_count; i++)
        if (sql_type_has_zone(&t->children[i]))
            return 1;
    return 0;
}

static void destroy_zone(void *zone)
{
    calendar_zone_destroy(zone);
}

int sql_bind_zone(struct sql_bind *b, struct sql_expr *e)
{
    struct calendar_zone *zone = NULL;
    if (calendar_zone_create(b->zone ? b->zone : "UTC", NULL, &zone) < 0)
        return sql_bind_error(b, e, "the time zone '%s' is not known", b->zone ? b->zone : "UTC");
    e->data = zone;
    return sql_bind_defer(b, destroy_zone, zone);
}
