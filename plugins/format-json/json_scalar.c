// SPDX-License-Identifier: Apache-2.0
// One JSON value into the cell of a type without children. Two steps: the token (string, number, word, or something
// that cannot fit), then its conversion by type. Numbers of up to 19 digits are converted from the value the scan has
// added up; longer ones and those with an exponent go through the exact parsers of common/.
//
// Flink's rules stand here: numbers may be quoted, with blanks around; INT and BIGINT cut a fraction, TINYINT and
// SMALLINT refuse one; DECIMAL rounds half up. Beyond Flink: a DECIMAL that does not fit and a BOOLEAN that is neither
// true nor false are refused rather than made NULL or false.
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "calendar.h"
#include "decimal.h"
#include "json.h"
#include "json_word.h"
#include "number.h"

// What a token is.
#define TOKEN_STRING 1
#define TOKEN_NUMBER 2
#define TOKEN_TRUE   3
#define TOKEN_FALSE  4
#define TOKEN_OTHER  5 // an object or array, passed by

struct token {
    uint8_t what;
    uint8_t cut; // a string whose last escape is cut short: known where it ends, not what it is
    const uint8_t *at, *next;
    struct leat_bytes text; // STRING: its meaning; NUMBER: its spelling
    struct word_number number;
};

// --- text to numbers, times and bytes; 1 = it is one

static int integer_fits(uint8_t kind, int64_t v)
{
    static const int64_t most[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    int64_t limit = most[kind - LEAT_TYPE_TINYINT];
    return v <= limit && v >= -limit - 1;
}

// The integer part of a number with a fraction, an exponent or many digits.
static int long_integer(const struct word_number *n, int64_t *out)
{
    leat_i128 exact;
    if (n->len > JSON_NUMBER_MAX || decimal_parse(n->ptr, n->len, LEAT_DECIMAL_MAX, 18, &exact) < 0)
        return 0;
    return decimal_to_i64(exact, 18, out) >= 0;
}

static int take_integer(const struct token *t, uint8_t kind, union leat_cell *cell)
{
    const struct word_number *n = &t->number;
    if (t->what == TOKEN_STRING) {
        struct leat_bytes text = number_trimmed(t->text);
        return number_i64_parse(text.ptr, text.len, &cell->i64) == NUMBER_OK && integer_fits(kind, cell->i64);
    }
    if (t->what != TOKEN_NUMBER || (!n->integer && kind <= LEAT_TYPE_SMALLINT))
        return 0;
    if (!n->integer || !n->simple || n->digits > INT64_MAX) {
        if (!long_integer(n, &cell->i64))
            return 0;
    } else {
        cell->i64 = n->negative ? -(int64_t)n->digits : (int64_t)n->digits;
    }
    return integer_fits(kind, cell->i64);
}

static int take_double(const struct token *t, union leat_cell *cell)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const struct word_number *n = &t->number;
    // both factors are exact doubles, so one division rounds once
    if (t->what == TOKEN_NUMBER && n->simple && n->digits <= UINT64_C(1) << 53) {
        double v = (double)n->digits / powers[n->fraction];
        cell->f64 = n->negative ? -v : v;
        return 1;
    }
    struct leat_bytes text = number_trimmed(t->text);
    return t->what <= TOKEN_NUMBER && text.len <= JSON_NUMBER_MAX &&
           number_f64_parse(text.ptr, text.len, &cell->f64) == NUMBER_OK;
}

static int take_float(const struct token *t, union leat_cell *cell)
{
    struct leat_bytes text = number_trimmed(t->text);
    return t->what <= TOKEN_NUMBER && text.len <= JSON_NUMBER_MAX &&
           number_f32_parse(text.ptr, text.len, &cell->f32) == NUMBER_OK;
}

static int take_decimal(const struct token *t, const struct leat_type *type, union leat_cell *cell)
{
    const struct word_number *n = &t->number;
    if (t->what == TOKEN_NUMBER && n->simple && n->fraction <= type->scale && type->precision <= 18) {
        leat_u128 v = (leat_u128)n->digits * decimal_pow10[type->scale - n->fraction];
        cell->i128 = n->negative ? -(leat_i128)v : (leat_i128)v;
        return v < decimal_pow10[type->precision];
    }
    struct leat_bytes text = number_trimmed(t->text);
    return t->what <= TOKEN_NUMBER && text.len <= JSON_NUMBER_MAX &&
           decimal_parse(text.ptr, text.len, type->precision, type->scale, &cell->i128) >= 0;
}

static int take_boolean(const struct token *t, union leat_cell *cell)
{
    struct leat_bytes text = number_trimmed(t->text);
    if (t->what == TOKEN_STRING && text.len == 4 && strncasecmp((const char *)text.ptr, "true", 4) == 0) {
        cell->i64 = 1;
        return 1;
    }
    cell->i64 = t->what == TOKEN_TRUE;
    return t->what == TOKEN_TRUE || t->what == TOKEN_FALSE ||
           (t->what == TOKEN_STRING && text.len == 5 && strncasecmp((const char *)text.ptr, "false", 5) == 0);
}

// Milliseconds with up to three digits of fraction, so that no microsecond is lost.
static int take_interval(const struct token *t, union leat_cell *cell)
{
    leat_i128 micros;
    struct leat_bytes text = number_trimmed(t->text);
    if (t->what > TOKEN_NUMBER || text.len > JSON_NUMBER_MAX ||
        decimal_parse(text.ptr, text.len, 22, 3, &micros) != DECIMAL_OK || micros != (int64_t)micros)
        return 0;
    cell->i64 = (int64_t)micros;
    return 1;
}

static int take_date(const struct token *t, union leat_cell *cell)
{
    return t->what == TOKEN_STRING && calendar_parse_date(t->text.ptr, t->text.len, &cell->i64) == CALENDAR_OK;
}

// A point without digits behind it, which Java takes, is removed: "12:13:14." and "12:13:14.Z".
static struct leat_bytes without_bare_point(struct leat_bytes s, char *room, size_t cap)
{
    const uint8_t *point = memchr(s.ptr, '.', s.len);
    if (!point || s.len >= cap || (point + 1 < s.ptr + s.len && point[1] >= '0' && point[1] <= '9'))
        return s;
    size_t before = (size_t)(point - s.ptr);
    memcpy(room, s.ptr, before);
    memcpy(room + before, point + 1, s.len - before - 1);
    return (struct leat_bytes){(const uint8_t *)room, s.len - 1};
}

// 24:00:00 is the midnight at the end of the day, so the same text with 00 is parsed. 1 = it was there.
static int end_of_day(struct leat_bytes *s, size_t hour, char *room, size_t cap)
{
    if (s->len < hour + 8 || s->len >= cap || memcmp(s->ptr + hour, "24:00:00", 8) != 0)
        return 0;
    for (size_t i = hour + 8; i < s->len; i++)
        if (s->ptr[i] >= '1' && s->ptr[i] <= '9')
            return 0;
    memmove(room, s->ptr, s->len);
    memcpy(room + hour, "00", 2);
    s->ptr = (const uint8_t *)room;
    return 1;
}

static int take_time(const struct token *t, const struct leat_type *type, union leat_cell *cell)
{
    static const int64_t unit[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    char room[48];
    if (t->what != TOKEN_STRING || !t->text.len)
        return 0;
    struct leat_bytes text = without_bare_point(t->text, room, sizeof room);
    end_of_day(&text, 0, room, sizeof room);
    if (calendar_parse_time(text.ptr, text.len, &cell->i64) < 0)
        return 0;
    cell->i64 -= cell->i64 % unit[type->precision];
    return 1;
}

// n digits, or UINT_MAX.
static inline unsigned fixed(const uint8_t *p, unsigned n)
{
    unsigned v = 0, bad = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned digit = (unsigned)p[i] - '0';
        bad |= digit > 9;
        v = v * 10 + digit;
    }
    return bad ? UINT_MAX : v;
}

// The usual shape, yyyy-MM-dd HH:mm:ss[.f{1,6}][Z], with a day that exists. 0 = another shape.
static int usual_timestamp(struct leat_bytes s, uint8_t between, int zulu, int64_t *out)
{
    const uint8_t *p = s.ptr;
    if (s.len < 19 || p[4] != '-' || p[7] != '-' || p[10] != between || p[13] != ':' || p[16] != ':')
        return 0;
    if (zulu && p[--s.len] != 'Z')
        return 0;
    unsigned year = fixed(p, 4), month = fixed(p + 5, 2), day = fixed(p + 8, 2);
    unsigned hour = fixed(p + 11, 2), minute = fixed(p + 14, 2), second = fixed(p + 17, 2), micros = 0;
    if (s.len != 19) {
        static const unsigned unit[] = {0, 100000, 10000, 1000, 100, 10, 1};
        unsigned digits = s.len - 20;
        if (s.len < 21 || digits > 6 || p[19] != '.' || (micros = fixed(p + 20, digits)) > 999999)
            return 0;
        micros *= unit[digits];
    }
    if (year > 9999 || month - 1 > 11 || day - 1 > 27 || hour > 23 || minute > 59 || second > 59)
        return 0;
    *out = calendar_days(year, month, day) * CALENDAR_DAY +
           (int64_t)(hour * 3600 + minute * 60 + second) * CALENDAR_SECOND + micros;
    return 1;
}

// SQL's form, and the ISO one with a zone, are lenient in Java: 30 February is the last of February, 24:00:00 the next
// day. ISO without a zone is strict.
static int take_timestamp(const struct fjson_reader *r, const struct token *t, uint8_t kind, union leat_cell *cell)
{
    int standard = r->f->config.timestamp_standard, ltz = kind == LEAT_TYPE_TIMESTAMP_LTZ;
    char room[64];
    if (t->what != TOKEN_STRING || !t->text.len)
        return 0;
    if (usual_timestamp(t->text, standard == JSON_SQL ? ' ' : 'T', ltz, &cell->i64))
        return 1;
    unsigned form = standard == JSON_SQL ? CALENDAR_SQL : CALENDAR_ISO;
    if (ltz)
        form |= standard == JSON_ISO_OFFSET ? CALENDAR_OFFSET : CALENDAR_ZULU;
    int lenient = ltz || standard == JSON_SQL;
    struct leat_bytes text = without_bare_point(t->text, room, sizeof room);
    int64_t later = lenient && end_of_day(&text, 11, room, sizeof room) ? CALENDAR_DAY : 0;
    if (calendar_parse_timestamp(text.ptr, text.len, form | (lenient ? CALENDAR_CLAMP : 0), &cell->i64) < 0)
        return 0;
    cell->i64 += later;
    return 1;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Standard alphabet, padded; blanks only between groups of four. Returns the number of bytes, or -1.
static int64_t base64(struct leat_bytes s, uint8_t *to)
{
    const uint8_t *p = s.ptr, *end = p + s.len;
    uint8_t *start = to;
    for (;;) {
        while (p < end && *p <= ' ')
            p++;
        if (p == end)
            return to - start;
        unsigned have = 0;
        uint32_t bits = 0;
        for (; have < 4 && p < end && base64_digit(*p) >= 0; have++)
            bits = bits << 6 | (uint32_t)base64_digit(*p++);
        unsigned pads = 0;
        for (; have + pads < 4 && p < end && *p == '='; pads++)
            p++;
        if (have < 2 || have + pads != 4)
            return -1;
        bits <<= 6 * pads;
        *to++ = (uint8_t)(bits >> 16);
        if (pads < 2)
            *to++ = (uint8_t)(bits >> 8);
        if (pads < 1)
            *to++ = (uint8_t)bits;
        if (pads && p != end)
            return -1;
    }
}

// 1 = bytes, 0 = not base64, -1 = failed.
static int take_bytes(struct fjson_reader *r, const struct token *t, union leat_cell *cell)
{
    if (t->what != TOKEN_STRING)
        return 0;
    uint8_t *to = leat_batch_alloc(r->b, (size_t)t->text.len / 4 * 3 + 3, 1);
    if (!to) {
        fjson_no_memory(r);
        return -1;
    }
    int64_t len = base64(t->text, to);
    if (len < 0)
        return 0;
    cell->bytes = (struct leat_bytes){to, (uint32_t)len};
    return 1;
}

// --- tokens

static int is_word(const struct fjson_reader *r, const uint8_t *p, const char *word, size_t len)
{
    return (size_t)(r->end - p) >= len && memcmp(p, word, len) == 0;
}

static const uint8_t *take_string(struct fjson_reader *r, const uint8_t *p, struct token *t)
{
    struct fjson_span span;
    t->what = TOKEN_STRING;
    t->next = fjson_scan_string(r, p + 1, &span);
    if (!t->next)
        return NULL;
    int rc = fjson_string(r, &span, &t->text);
    t->cut = rc == 0;
    return rc < 0 ? NULL : t->next;
}

static const uint8_t *take_token(struct fjson_reader *r, const uint8_t *p, struct token *t)
{
    t->at = p;
    t->cut = 0;
    if (*p == '"')
        return take_string(r, p, t);
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
        t->what = TOKEN_NUMBER;
        t->next = word_scan_number(p, r->end, &t->number);
        t->text = (struct leat_bytes){t->number.ptr, t->number.len};
        if (!t->next)
            fjson_bad_text(r, p, "a value");
        return t->next;
    }
    t->text = (struct leat_bytes){p, 0};
    if (is_word(r, p, "true", 4)) {
        t->what = TOKEN_TRUE;
        return t->next = p + 4;
    }
    if (is_word(r, p, "false", 5)) {
        t->what = TOKEN_FALSE;
        return t->next = p + 5;
    }
    t->what = TOKEN_OTHER;
    return t->next = fjson_skip(r, p);
}

static int convert(struct fjson_reader *r, const struct token *t, const struct leat_type *type, union leat_cell *cell)
{
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        return take_boolean(t, cell);
    case LEAT_TYPE_FLOAT:
        return take_float(t, cell);
    case LEAT_TYPE_DOUBLE:
        return take_double(t, cell);
    case LEAT_TYPE_DECIMAL:
        return take_decimal(t, type, cell);
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        return take_bytes(r, t, cell);
    case LEAT_TYPE_DATE:
        return take_date(t, cell);
    case LEAT_TYPE_TIME:
        return take_time(t, type, cell);
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return take_timestamp(r, t, type->kind, cell);
    case LEAT_TYPE_INTERVAL_YM:
        return take_integer(t, LEAT_TYPE_INT, cell);
    case LEAT_TYPE_INTERVAL_DS:
        return take_interval(t, cell);
    default:
        return take_integer(t, type->kind, cell);
    }
}

// Anything is a STRING: strings mean their content (json_decode.c has read those), other values their spelling.
static const uint8_t *take_text(struct fjson_reader *r, const uint8_t *p, const struct leat_type *type,
                                union leat_cell *cell, uint8_t *state)
{
    struct token t;
    if (*p == '{' || *p == '[')
        return fjson_container_text(r, p, &cell->bytes);
    if (!take_token(r, p, &t))
        return NULL;
    if (t.cut)
        return fjson_bad_value(r, t.at, t.next, type, state);
    if (t.what != TOKEN_STRING)
        t.text = (struct leat_bytes){p, (uint32_t)(t.next - p)};
    if (t.what != TOKEN_STRING && !r->lasting) {
        uint8_t *copy = leat_batch_alloc(r->b, t.text.len, 1);
        if (!copy)
            return fjson_no_memory(r);
        memcpy(copy, t.text.ptr, t.text.len);
        t.text.ptr = copy;
    }
    cell->bytes = t.text;
    return t.next;
}

const uint8_t *fjson_scalar(struct fjson_reader *r, const uint8_t *p, const struct leat_type *type,
                            union leat_cell *cell, uint8_t *state)
{
    struct token t;
    *state = LEAT_VALUE;
    if (leat_type_is_string(type->kind))
        return take_text(r, p, type, cell, state);
    if (!take_token(r, p, &t))
        return NULL;
    int rc = t.cut ? 0 : convert(r, &t, type, cell);
    if (rc < 0)
        return NULL;
    return rc ? t.next : fjson_bad_value(r, t.at, t.next, type, state);
}
