// SPDX-License-Identifier: Apache-2.0
// Rows to objects. Names are written as prepared bytes with comma, quotes and colon; every value first makes sure of
// room for its longest form and is then printed in place. Strings are copied eight bytes at a time until one needs an
// escape.
#include <math.h>
#include <string.h>

#include "calendar.h"
#include "decimal.h"
#include "json.h"
#include "json_word.h"
#include "number.h"
#include "utf8.h"

#define SCALAR_MAX    64   // no number, date or time is longer
#define STRING_DIRECT 4096 // up to here room for the worst case is taken without counting

// Results of writing.
#define PUT_OK      0
#define PUT_FULL    1 // no memory, or beyond out->max
#define PUT_NO_KEY  2 // a NULL key in a map
#define PUT_NO_TEXT 3 // absent or unchanged

struct writer {
    struct leat_ctx *ctx;
    const struct fjson_format *f;
    struct leat_buffer *out;
    uint8_t beyond; // PUT_FULL was said because of out->max
};

static int put_value(struct writer *w, const struct fjson_type *type, const union leat_cell *cell, uint8_t state);

static inline int room(struct writer *w, size_t more)
{
    if (leat_buffer_room(w->ctx, w->out, more))
        return PUT_OK;
    w->beyond = more > w->out->max - w->out->len;
    return PUT_FULL;
}

static inline uint8_t *at(struct writer *w)
{
    return w->out->ptr + w->out->len;
}

static inline int put(struct writer *w, const void *bytes, size_t len)
{
    if (room(w, len) != PUT_OK)
        return PUT_FULL;
    memcpy(at(w), bytes, len);
    w->out->len += len;
    return PUT_OK;
}

// --- strings

static uint8_t *put_unit(uint8_t *to, unsigned unit)
{
    static const char hex[] = "0123456789ABCDEF";
    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *to++ = (uint8_t)hex[unit >> shift & 15];
    return to;
}

static uint8_t *put_control(uint8_t *to, uint8_t c)
{
    static const char letters[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (size_t i = 0; i + 1 < sizeof letters; i += 2)
        if (c == (uint8_t)letters[i]) {
            *to++ = '\\';
            *to++ = (uint8_t)letters[i + 1];
            return to;
        }
    return put_unit(to, c);
}

// Bytes that cannot be copied: quote, backslash, control characters and, if asked for, the first byte of a character
// beyond the BMP (0xF0 and above).
static inline uint64_t specials(uint64_t word, int astral)
{
    uint64_t marks = word_find(word, '"') | word_find(word, '\\') | word_below(word, ' ');
    return astral ? marks | (word & word << 1 & word << 2 & word << 3 & WORD_TOPS) : marks;
}

static inline int is_special(uint8_t c, int astral)
{
    return c < ' ' || c == '"' || c == '\\' || (astral && c >= 0xF0);
}

uint8_t *fjson_put_string(uint8_t *to, const uint8_t *p, size_t len, int astral)
{
    const uint8_t *end = len ? p + len : p;
    *to++ = '"';
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word = word_load(p), marks = specials(word, astral);
            memcpy(to, &word, sizeof word); // room for 6 * len + 2 bytes is room for 8 here
            unsigned plain = marks ? word_first(marks) : 8;
            p += plain;
            to += plain;
            if (!marks)
                continue;
        }
        for (; p < end && !is_special(*p, astral); p++)
            *to++ = *p;
        if (p == end)
            break;
        if (*p < 0x80) {
            to = put_control(to, *p++);
            continue;
        }
        unsigned used;
        uint32_t code = utf8_decode(p, (size_t)(end - p), &used);
        p += used;
        if (code < 0x10000) {
            to += utf8_encode(to, code);
            continue;
        }
        to = put_unit(to, 0xD800 + ((code - 0x10000) >> 10));
        to = put_unit(to, 0xDC00 + ((code - 0x10000) & 0x3FF));
    }
    *to++ = '"';
    return to;
}

// The length fjson_put_string will write, at most (a character beyond the BMP grows from 4 to 12 bytes).
static size_t written_length(const uint8_t *p, size_t len)
{
    size_t n = len + 2;
    for (size_t i = 0; i < len; i++)
        n += is_special(p[i], 1) ? (p[i] < 0x80 ? 5 : 8) : 0;
    return n;
}

static int put_string(struct writer *w, struct leat_bytes s)
{
    size_t most = s.len <= STRING_DIRECT ? (size_t)s.len * 6 + 2 : written_length(s.ptr, s.len) + 8;
    // close to the bound of the output the worst case may be too much to ask for
    if (room(w, most) != PUT_OK && room(w, written_length(s.ptr, s.len) + 8) != PUT_OK)
        return PUT_FULL;
    w->out->len = (size_t)(fjson_put_string(at(w), s.ptr, s.len, 1) - w->out->ptr);
    return PUT_OK;
}

static int put_base64(struct writer *w, struct leat_bytes s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (room(w, ((size_t)s.len + 2) / 3 * 4 + 2) != PUT_OK)
        return PUT_FULL;
    uint8_t *to = at(w);
    *to++ = '"';
    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i;
        uint32_t bits =
            (uint32_t)s.ptr[i] << 16 | (left > 1 ? (uint32_t)s.ptr[i + 1] << 8 : 0) | (left > 2 ? s.ptr[i + 2] : 0);
        *to++ = (uint8_t)digits[bits >> 18];
        *to++ = (uint8_t)digits[bits >> 12 & 63];
        *to++ = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? (uint8_t)digits[bits & 63] : '=';
    }
    *to++ = '"';
    w->out->len = (size_t)(to - w->out->ptr);
    return PUT_OK;
}

// --- scalars: each printer writes at most SCALAR_MAX bytes and returns how many

static size_t print_quoted_number(uint8_t *to, size_t len)
{
    memmove(to + 1, to, len);
    to[0] = to[len + 1] = '"';
    return len + 2;
}

static size_t print_decimal(const struct writer *w, uint8_t *to, leat_i128 v, unsigned scale)
{
    return w->f->config.plain_decimals ? decimal_print_stripped(to, v, scale) : decimal_print_java(to, v, scale);
}

static size_t print_timestamp(const struct writer *w, uint8_t *to, int64_t micros, int ltz)
{
    unsigned form = (w->f->config.timestamp_standard == JSON_SQL ? CALENDAR_SQL : CALENDAR_ISO) |
                    (ltz ? CALENDAR_ZULU : 0) | CALENDAR_TRIM;
    to[0] = '"';
    size_t len = calendar_print_timestamp(to + 1, micros, LEAT_TIME_PRECISION, form);
    to[len + 1] = '"';
    return len + 2;
}

static size_t print_scalar(const struct writer *w, const struct leat_type *type, const union leat_cell *cell,
                           uint8_t *to)
{
    size_t len;
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        memcpy(to, cell->i64 ? "true" : "false", 5);
        return cell->i64 ? 4 : 5;
    case LEAT_TYPE_FLOAT:
        len = number_f32_print(to, cell->f32);
        return isfinite(cell->f32) ? len : print_quoted_number(to, len);
    case LEAT_TYPE_DOUBLE:
        len = number_f64_print(to, cell->f64);
        return isfinite(cell->f64) ? len : print_quoted_number(to, len);
    case LEAT_TYPE_DECIMAL:
        return print_decimal(w, to, cell->i128, type->scale);
    case LEAT_TYPE_DATE:
        return print_quoted_number(to, calendar_print_date(to, cell->i64));
    case LEAT_TYPE_TIME:
        return print_quoted_number(to, calendar_print_time(to, cell->i64, type->precision, CALENDAR_TRIM));
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return print_timestamp(w, to, cell->i64, type->kind == LEAT_TYPE_TIMESTAMP_LTZ);
    case LEAT_TYPE_INTERVAL_DS: // milliseconds, as Flink has them, and what is below them behind the point
        return decimal_print_stripped(to, cell->i64, 3);
    default:
        return number_i64_print(to, cell->i64);
    }
}

// --- containers

// Nearly every name is short: to copy a fixed number of bytes, and what lies behind the name with it, costs two moves
// where the exact length costs a call.
static inline int put_name(struct writer *w, const uint8_t *name, size_t len)
{
    if (len > JSON_NAME_ROOM || w->out->cap - w->out->len < JSON_NAME_ROOM)
        return put(w, name, len);
    memcpy(at(w), name, JSON_NAME_ROOM);
    w->out->len += len;
    return PUT_OK;
}

// A field of an object with its name; *first: none stands before it.
static inline __attribute__((always_inline)) int put_member(struct writer *w, const struct fjson_field *field,
                                                            const union leat_cell *cell, uint8_t state, int *first)
{
    if (state == LEAT_NULL && w->f->config.ignore_null_fields)
        return PUT_OK;
    const uint8_t *prefix = field->prefix.ptr + *first; // without its comma
    size_t len = field->prefix.len - (size_t)*first;
    *first = 0;
    if (put_name(w, prefix, len) != PUT_OK)
        return PUT_FULL;
    return put_value(w, &field->type, cell, state);
}

static int put_row(struct writer *w, const struct fjson_object *o, const struct leat_list *list)
{
    int first = 1, rc = put(w, "{", 1);
    for (uint32_t i = 0; i < o->count && rc == PUT_OK; i++)
        rc = put_member(w, &o->fields[i], &list->items[i].cell, list->items[i].state, &first);
    return rc == PUT_OK ? put(w, "}", 1) : rc;
}

static int put_array(struct writer *w, const struct fjson_type *element, const struct leat_list *list)
{
    int rc = put(w, "[", 1);
    for (uint32_t i = 0; i < list->count && rc == PUT_OK; i++) {
        if (i)
            rc = put(w, ",", 1);
        if (rc == PUT_OK)
            rc = put_value(w, element, &list->items[i].cell, list->items[i].state);
    }
    return rc == PUT_OK ? put(w, "]", 1) : rc;
}

// The key with its colon. PUT_NO_KEY is the failure; *drop = leave the pair out.
static int put_key(struct writer *w, const struct leat_datum *key, int *first, int *drop)
{
    const struct fjson_config *config = &w->f->config;
    const char *literal = config->map_null_key_literal;
    struct leat_bytes text = key->cell.bytes;
    *drop = 0;
    if (key->state != LEAT_VALUE) {
        if (config->map_null_key_mode == JSON_KEY_FAIL)
            return PUT_NO_KEY;
        *drop = config->map_null_key_mode == JSON_KEY_DROP;
        text = (struct leat_bytes){(const uint8_t *)literal, (uint32_t)strlen(literal)};
    }
    if (*drop)
        return PUT_OK;
    int rc = *first ? PUT_OK : put(w, ",", 1);
    *first = 0;
    if (rc == PUT_OK)
        rc = put_string(w, text);
    return rc == PUT_OK ? put(w, ":", 1) : rc;
}

static int put_map(struct writer *w, const struct fjson_type *type, const struct leat_list *list)
{
    int first = 1, drop, rc = put(w, "{", 1);
    for (uint32_t i = 0; i + 1 < list->count && rc == PUT_OK; i += 2) {
        rc = put_key(w, &list->items[i], &first, &drop);
        if (rc == PUT_OK && !drop)
            rc = put_value(w, &type->children[1], &list->items[i + 1].cell, list->items[i + 1].state);
    }
    return rc == PUT_OK ? put(w, "}", 1) : rc;
}

static int put_value(struct writer *w, const struct fjson_type *type, const union leat_cell *cell, uint8_t state)
{
    uint8_t kind = type->type->kind;
    if (state != LEAT_VALUE)
        return state == LEAT_NULL ? put(w, "null", 4) : PUT_NO_TEXT;
    switch (kind) {
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        return put_string(w, cell->bytes);
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        return put_base64(w, cell->bytes);
    case LEAT_TYPE_ARRAY:
        return put_array(w, &type->children[0], &cell->list);
    case LEAT_TYPE_MAP:
        return put_map(w, type, &cell->list);
    case LEAT_TYPE_ROW:
        return put_row(w, type->object, &cell->list);
    default:
        if (room(w, SCALAR_MAX) != PUT_OK)
            return PUT_FULL;
        w->out->len += print_scalar(w, type->type, cell, at(w));
        return PUT_OK;
    }
}

// --- rows

static leat_status cannot(struct writer *w, int rc, const struct fjson_field *field)
{
    int len = field ? (int)field->name.len : 0;
    const char *name = field ? (const char *)field->name.ptr : "";
    switch (rc) {
    case PUT_NO_KEY:
        leat_fail(w->ctx, LEAT_DATA, "LEAT-F0106", "could not write json: the map in column \"%.*s\" has a NULL key",
                  len, name);
        leat_error_hint(w->ctx, "Set map-null-key.mode of the format json to DROP or LITERAL.");
        return LEAT_DATA;
    case PUT_NO_TEXT:
        return leat_fail(w->ctx, LEAT_DATA, "LEAT-F0106", "could not write json: column \"%.*s\" has no value", len,
                         name);
    default:
        if (!w->beyond)
            return leat_no_memory(w->ctx);
        return leat_fail(w->ctx, LEAT_DATA, "LEAT-F0106", "could not write json: the record is longer than %zu bytes",
                         w->out->max);
    }
}

static leat_status put_columns(struct writer *w, const struct leat_column *slots, uint32_t row)
{
    const struct fjson_object *o = w->f->root;
    int first = 1, rc = put(w, "{", 1);
    for (uint32_t i = 0; i < o->count && rc == PUT_OK; i++) {
        rc = put_member(w, &o->fields[i], &slots[i].cells[row], slots[i].states[row], &first);
        if (rc != PUT_OK)
            return cannot(w, rc, &o->fields[i]);
    }
    rc = rc == PUT_OK ? put(w, "}", 1) : rc;
    return rc == PUT_OK ? LEAT_OK : cannot(w, rc, NULL);
}

leat_status fjson_encode(struct leat_ctx *ctx, void *self, const struct leat_batch *b, uint32_t first, uint32_t n,
                         struct leat_buffer *out, size_t *ends, uint32_t *done)
{
    struct fjson_format *f = self;
    struct writer w = {ctx, f, out, 0};
    for (uint32_t i = 0; i < f->root->count; i++)
        f->slots[i] = b->columns[f->columns[i]];
    for (*done = 0; *done < n; ++*done) {
        size_t start = out->len;
        leat_status st = put_columns(&w, f->slots, first + *done);
        if (st != LEAT_OK) {
            out->len = start;
            return st;
        }
        ends[*done] = out->len;
    }
    return LEAT_OK;
}
