// SPDX-License-Identifier: Apache-2.0
// Text to floating point numbers, with Java's spelling.
//
// The text is checked and taken apart here. Up to 15 digits with a small power of ten are one exact multiplication or
// division (Clinger, "How to read floating point numbers accurately", 1990); everything else is rebuilt as a bounded
// text and given to the C library, whose result is rounded correctly. More than 780 significant digits cannot change a
// result other than by not being zero, so the rest is folded into one digit.
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

#define KEPT_DIGITS  780
#define EXPONENT_MAX 100000 // beyond it everything is zero or infinite
#define HEX_MAX      800
#define TEXT_ROOM    832

struct decimal {
    char digit[KEPT_DIGITS + 1];
    unsigned count;   // significant digits kept
    int64_t exponent; // of ten, of the digit after the last kept one: value = 0.digits * 10^exponent
    uint64_t value;   // of the first 19 digits
    int more;         // digits other than zero were not kept
};

static int is_digit(const char *at, const char *end)
{
    return at < end && (unsigned char)(*at - '0') < 10;
}

// Reads the exponent's digits; NULL if there are none.
static const char *read_exponent(const char *at, const char *end, int64_t *out)
{
    int64_t v = 0;
    int negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (!is_digit(at, end))
        return NULL;
    for (; is_digit(at, end); at++)
        v = v < EXPONENT_MAX * INT64_C(1000000) ? v * 10 + (*at - '0') : v;
    *out = negative ? -v : v;
    return at;
}

static void add_digit(struct decimal *d, char digit)
{
    if (d->count >= KEPT_DIGITS) {
        d->more |= digit != '0';
        return;
    }
    if (d->count < 19)
        d->value = d->value * 10 + (uint64_t)(digit - '0');
    d->digit[d->count++] = digit;
}

// Digits with at most one point, and an exponent; at stands behind the sign. Returns where it ends, NULL = malformed.
static const char *read_decimal(const char *at, const char *end, struct decimal *d)
{
    int point = 0, any = 0;
    int64_t exponent = 0;
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = 1;
        } else if (is_digit(at, end)) {
            any = 1;
            if (d->count || *at != '0') {
                add_digit(d, *at);
                d->exponent += !point;
            } else {
                d->exponent -= point;
            }
        } else {
            break;
        }
    }
    if (!any)
        return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at + 1, end, &exponent);
        d->exponent += exponent;
    }
    return at;
}

// 1 if the number is an exact product or quotient of two exact doubles, whose one operation rounds correctly.
static int read_fast(const struct decimal *d, uint64_t value_max, int power_max, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t power = d->exponent - d->count;
    if (d->count > 19 || d->value > value_max || power > power_max || power < -power_max)
        return 0;
    *out = power < 0 ? (double)d->value / powers[-power] : (double)d->value * powers[power];
    return 1;
}

static void rebuild(const struct decimal *d, char *out)
{
    int64_t exponent = d->exponent;
    if (exponent > EXPONENT_MAX)
        exponent = EXPONENT_MAX;
    if (exponent < -EXPONENT_MAX)
        exponent = -EXPONENT_MAX;
    memcpy(out, "0.", 2);
    out += 2;
    memcpy(out, d->digit, d->count);
    out += d->count;
    if (d->more)
        *out++ = '1';
    *out++ = 'e';
    out[number_i64_print(out, exponent)] = 0;
}

// 0x hexadecimal digits with at most one point, p and an exponent. Copies them for the C library; returns where they
// end.
static const char *read_hex(const char *at, const char *end, char *out)
{
    const char *start = at;
    int64_t exponent;
    int point = 0, any = 0;
    for (at += 2; at < end && at - start < HEX_MAX; at++) {
        unsigned char letter = (unsigned char)((*at | 0x20) - 'a');
        if (*at == '.' && !point)
            point = 1;
        else if (is_digit(at, end) || letter < 6)
            any = 1;
        else
            break;
    }
    if (!any || at == end || (*at | 0x20) != 'p')
        return NULL;
    size_t len = (size_t)(at - start);
    at = read_exponent(at + 1, end, &exponent);
    if (!at)
        return NULL;
    if (exponent > EXPONENT_MAX)
        exponent = EXPONENT_MAX;
    if (exponent < -EXPONENT_MAX)
        exponent = -EXPONENT_MAX;
    memcpy(out, start, len);
    out[len++] = 'p';
    out[len + number_i64_print(out + len, exponent)] = 0;
    return at;
}

static int is_word(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - at) == len && memcmp(at, word, len) == 0;
}

// The C library's result without regard to the process's locale. For "C", newlocale gives a static object.
static void read_slow(const char *text, double *f64, float *f32)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
    if (f64)
        *f64 = c ? strtod_l(text, NULL, c) : strtod(text, NULL);
    if (f32)
        *f32 = c ? strtof_l(text, NULL, c) : strtof(text, NULL);
    if (c)
        freelocale(c);
}

// Exactly one of f64 and f32 is wanted.
static int read_unsigned(const char *at, const char *end, double *f64, float *f32)
{
    char text[TEXT_ROOM];
    double v;
    if (is_word(at, end, "NaN") || is_word(at, end, "Infinity")) {
        v = *at == 'N' ? (double)NAN : (double)INFINITY;
        if (f64)
            *f64 = v;
        else
            *f32 = (float)v;
        return NUMBER_OK;
    }
    struct decimal d;
    d.count = 0;
    d.exponent = 0;
    d.value = 0;
    d.more = 0;
    int hex = end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x';
    at = hex ? read_hex(at, end, text) : read_decimal(at, end, &d);
    if (at && at < end && strchr("fFdD", *at) && *at)
        at++;
    if (at != end)
        return NUMBER_MALFORMED;
    if (!hex) {
        if (f64 && read_fast(&d, UINT64_C(1) << 53, 22, f64))
            return NUMBER_OK;
        if (f32 && read_fast(&d, UINT64_C(1) << 24, 10, &v)) {
            *f32 = (float)v;
            return NUMBER_OK;
        }
        rebuild(&d, text);
    }
    read_slow(text, f64, f32);
    return NUMBER_OK;
}

int number_f64_parse(const void *text, size_t len, double *out)
{
    const char *at = text;
    double v;
    int negative = len && *at == '-';
    int sign = len && (negative || *at == '+');
    if (len <= (size_t)sign || read_unsigned(at + sign, at + len, &v, NULL) < 0)
        return NUMBER_MALFORMED;
    *out = negative ? -v : v;
    return NUMBER_OK;
}

int number_f32_parse(const void *text, size_t len, float *out)
{
    const char *at = text;
    float v;
    int negative = len && *at == '-';
    int sign = len && (negative || *at == '+');
    if (len <= (size_t)sign || read_unsigned(at + sign, at + len, NULL, &v) < 0)
        return NUMBER_MALFORMED;
    *out = negative ? -v : v;
    return NUMBER_OK;
}
