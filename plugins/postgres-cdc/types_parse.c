// SPDX-License-Identifier: Apache-2.0
// The text forms. Times are cut into fields by fixed places, since the server writes them in one shape only:
//
//     date         YYYY-MM-DD[ BC]            years have four digits or more; infinity, -infinity
//     time         HH:MM:SS[.f{1,6}]          up to 24:00:00
//     timestamp    date time[ BC]
//     timestamptz  date time+00[ BC]          the session's zone is UTC
#include "types_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "number.h"
#include "utf8.h"

#define DAY 86400000000LL

const char types_no_memory[] = "out of memory";

static const char malformed[] = "the text is not in PostgreSQL's output form";
static const char infinite[] = "infinity has no place in this type";
static const char not_a_number[] = "NaN has no place in this type";
static const char year_range[] = "years before 1 and beyond 9999 have no place in this type";

TYPES_PARSER(types_parse_bool)
{
    (void)column, (void)b;
    if (len != 1 || (*ptr != 't' && *ptr != 'f'))
        return malformed;
    out->i64 = *ptr == 't';
    return NULL;
}

TYPES_PARSER(types_parse_int)
{
    (void)column, (void)b;
    // The common case by hand: up to 18 digits cannot overflow.
    uint32_t i = len && *ptr == '-';
    if (len - i - 1 < 18) {
        int64_t v = 0;
        for (; i < len; i++) {
            unsigned digit = ptr[i] - '0';
            if (digit > 9)
                return malformed;
            v = v * 10 + digit;
        }
        out->i64 = *ptr == '-' ? -v : v;
        return NULL;
    }
    return number_i64_parse(ptr, len, &out->i64) == NUMBER_OK ? NULL : malformed;
}

// strtod and strtof want a terminator, and shortest exact forms are at most 24 bytes long.
static const char *float_text(const uint8_t *ptr, uint32_t len, char text[48])
{
    if (!len || len >= 48)
        return malformed;
    memcpy(text, ptr, len);
    text[len] = 0;
    return NULL;
}

TYPES_PARSER(types_parse_double)
{
    (void)column, (void)b;
    char text[48], *end;
    if (float_text(ptr, len, text))
        return malformed;
    double v = strtod(text, &end); // takes NaN, Infinity and -Infinity as the server writes them
    if (end != text + len)
        return malformed;
    out->f64 = v;
    return NULL;
}

TYPES_PARSER(types_parse_float)
{
    (void)column, (void)b;
    char text[48], *end;
    if (float_text(ptr, len, text))
        return malformed;
    float v = strtof(text, &end);
    if (end != text + len)
        return malformed;
    out->f32 = v;
    return NULL;
}

// Plain digits with at most one point and not more of them than 18 or the scale: nearly every number there is.
static int short_numeric(const uint8_t *ptr, uint32_t len, unsigned scale, leat_i128 *out)
{
    uint32_t i = len && *ptr == '-';
    if (len - i > 19 || i == len)
        return 0;
    uint64_t v = 0;
    unsigned fraction = 0, behind = 0;
    for (; i < len; i++) {
        unsigned digit = ptr[i] - '0';
        if (digit <= 9) {
            v = v * 10 + digit;
            fraction += behind;
        } else if (ptr[i] == '.' && !behind) {
            behind = 1;
        } else {
            return 0;
        }
    }
    if (fraction > scale || scale - fraction > 18)
        return 0;
    leat_i128 value = (leat_i128)((leat_u128)v * decimal_pow10[scale - fraction]);
    *out = *ptr == '-' ? -value : value;
    return 1;
}

TYPES_PARSER(types_parse_numeric)
{
    (void)b;
    const struct leat_type *type = &column->type;
    leat_i128 v;
    if (short_numeric(ptr, len, type->scale, &v) && decimal_fits(v, type->precision)) {
        out->i128 = v;
        return NULL;
    }
    switch (decimal_parse(ptr, len, type->precision, type->scale, &v)) {
    case DECIMAL_OK:
        out->i128 = v;
        return NULL;
    case DECIMAL_ROUNDED:
        return "the value has more digits behind the point than the type";
    case DECIMAL_RANGE:
        return "the value has more digits before the point than the type";
    default:
        break;
    }
    if (len && *ptr == 'N')
        return not_a_number;
    return memchr(ptr, 'I', len) ? infinite : malformed;
}

TYPES_PARSER(types_parse_text)
{
    if (column->check_utf8 && !utf8_valid(ptr, len))
        return "the text is not valid UTF-8";
    // only rows logged before an ALTER TABLE are longer
    if (len > column->type.length && utf8_count(ptr, len) > column->type.length)
        return "the text is longer";
    uint8_t *copy = leat_batch_alloc(b, len ? len : 1, 1);
    if (!copy)
        return types_no_memory;
    if (len)
        memcpy(copy, ptr, len);
    out->bytes.ptr = copy;
    out->bytes.len = len;
    return NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

TYPES_PARSER(types_parse_bytea)
{
    (void)column;
    if (len < 2 || len % 2 || ptr[0] != '\\' || ptr[1] != 'x')
        return malformed;
    uint32_t n = (len - 2) / 2;
    uint8_t *copy = leat_batch_alloc(b, n ? n : 1, 1);
    if (!copy)
        return types_no_memory;
    for (uint32_t i = 0; i < n; i++) {
        int high = hex_digit(ptr[2 + 2 * i]), low = hex_digit(ptr[3 + 2 * i]);
        if (high < 0 || low < 0)
            return malformed;
        copy[i] = (uint8_t)(high << 4 | low);
    }
    out->bytes.ptr = copy;
    out->bytes.len = n;
    return NULL;
}

// A walk over a text of times; `failed` is sticky.
struct walk {
    const uint8_t *at, *end;
    int failed;
};

static unsigned two(struct walk *w)
{
    if (w->end - w->at < 2 || (unsigned)(w->at[0] - '0') > 9 || (unsigned)(w->at[1] - '0') > 9) {
        w->failed = 1;
        return 0;
    }
    unsigned v = (unsigned)(w->at[0] - '0') * 10 + (unsigned)(w->at[1] - '0');
    w->at += 2;
    return v;
}

static void take(struct walk *w, char c)
{
    if (w->at < w->end && *w->at == (uint8_t)c)
        w->at++;
    else
        w->failed = 1;
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar: years begin in March, so that the leap day is
// their last, and an era is 400 of them.
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t walk_date(struct walk *w, int *far)
{
    int64_t year = 0;
    const uint8_t *start = w->at;
    for (; w->at < w->end && *w->at >= '0' && *w->at <= '9' && w->at - start < 7; w->at++)
        year = year * 10 + (*w->at - '0');
    if (w->at - start < 4)
        w->failed = 1;
    take(w, '-');
    unsigned month = two(w);
    take(w, '-');
    unsigned day = two(w);
    if (month < 1 || month > 12 || day < 1 || day > 31)
        w->failed = 1;
    *far = year > 9999 || year < 1;
    return w->failed ? 0 : days_of(year, month, day);
}

static int64_t walk_fraction(struct walk *w)
{
    int64_t v = 0;
    int digits = 0;
    for (w->at++; w->at < w->end && *w->at >= '0' && *w->at <= '9' && digits < 6; w->at++, digits++)
        v = v * 10 + (*w->at - '0');
    if (!digits)
        w->failed = 1;
    for (; digits < 6; digits++)
        v *= 10;
    return v;
}

static int64_t walk_time(struct walk *w)
{
    unsigned hour = two(w);
    take(w, ':');
    unsigned minute = two(w);
    take(w, ':');
    unsigned second = two(w);
    int64_t micros = w->at < w->end && *w->at == '.' ? walk_fraction(w) : 0;
    return ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + micros;
}

// The end of a text, or " BC" before it; BC years are out of range like those beyond 9999.
static void walk_era(struct walk *w, int *far)
{
    if (w->end - w->at == 3 && memcmp(w->at, " BC", 3) == 0) {
        *far = 1;
        w->at += 3;
    }
    if (w->at != w->end)
        w->failed = 1;
}

static const char *verdict(const struct walk *w, int far, const uint8_t *ptr, uint32_t len)
{
    if (w->failed)
        return (len == 8 && memcmp(ptr, "infinity", 8) == 0) || (len == 9 && memcmp(ptr, "-infinity", 9) == 0)
                   ? infinite
                   : malformed;
    return far ? year_range : NULL;
}

TYPES_PARSER(types_parse_date)
{
    (void)column, (void)b;
    struct walk w = {ptr, ptr + len, 0};
    int far;
    int64_t days = walk_date(&w, &far);
    walk_era(&w, &far);
    out->i64 = days;
    return verdict(&w, far, ptr, len);
}

TYPES_PARSER(types_parse_time)
{
    (void)column, (void)b;
    struct walk w = {ptr, ptr + len, 0};
    int64_t v = walk_time(&w);
    if (w.failed || w.at != w.end)
        return malformed;
    if (v >= DAY)
        return "24:00:00 has no place in this type";
    out->i64 = v;
    return NULL;
}

TYPES_PARSER(types_parse_timestamp)
{
    (void)column, (void)b;
    struct walk w = {ptr, ptr + len, 0};
    int far;
    int64_t days = walk_date(&w, &far);
    take(&w, ' ');
    int64_t time = walk_time(&w);
    walk_era(&w, &far);
    const char *wrong = verdict(&w, far, ptr, len);
    if (!wrong)
        out->i64 = days * DAY + time;
    return wrong;
}

TYPES_PARSER(types_parse_timestamptz)
{
    (void)column, (void)b;
    struct walk w = {ptr, ptr + len, 0};
    int far;
    int64_t days = walk_date(&w, &far);
    take(&w, ' ');
    int64_t time = walk_time(&w);
    take(&w, '+');
    if (two(&w) != 0)
        w.failed = 1;
    walk_era(&w, &far);
    const char *wrong = verdict(&w, far, ptr, len);
    if (!wrong)
        out->i64 = days * DAY + time;
    return wrong;
}
