// SPDX-License-Identifier: Apache-2.0
// Decimals as text. Parsing has a short way for at most 19 characters without an exponent, which cannot overflow 64
// bits; printing has one for magnitudes of 64 bits. The general ways accept any length.
#include "decimal_wide.h"

#include <string.h>

#include "number.h"

#define SHORT_TEXT 19 // as many digits always fit a uint64_t

// The exponent after 'e', at most 32 bits as Java has it.
static int parse_exponent(const uint8_t *at, const uint8_t *end, int64_t *out)
{
    int negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return DECIMAL_MALFORMED;
    int64_t value = 0;
    for (; at < end; at++) {
        unsigned digit = *at - '0';
        if (digit > 9)
            return DECIMAL_MALFORMED;
        value = value * 10 + digit;
        if (value > INT32_MAX)
            return DECIMAL_MALFORMED;
    }
    *out = negative ? -value : value;
    return DECIMAL_OK;
}

// at stands behind the sign.
static int parse_long(const uint8_t *at, const uint8_t *end, struct digits *d)
{
    int64_t exponent = 0;
    int point = 0, any = 0;
    for (; at < end; at++) {
        unsigned digit = *at - '0';
        if (digit <= 9) {
            any = 1;
            if (d->stored || digit) {
                digits_add(d, digit);
                d->before_point += !point;
            } else {
                d->before_point -= point;
            }
        } else if (*at == '.' && !point) {
            point = 1;
        } else if ((*at == 'e' || *at == 'E') && any) {
            if (parse_exponent(at + 1, end, &exponent) < 0)
                return DECIMAL_MALFORMED;
            break;
        } else {
            return DECIMAL_MALFORMED;
        }
    }
    d->before_point += exponent;
    return any ? DECIMAL_OK : DECIMAL_MALFORMED;
}

// 1 if the text is digits with at most one point; *value is all of them, *fraction how many stand behind the point.
static int parse_short(const uint8_t *at, const uint8_t *end, uint64_t *value, unsigned *fraction)
{
    const uint8_t *start = at, *point = NULL;
    uint64_t v = 0;
    for (; at < end; at++) {
        unsigned digit = *at - '0';
        if (digit <= 9)
            v = v * 10 + digit;
        else if (*at == '.' && !point)
            point = at;
        else
            return 0;
    }
    *value = v;
    *fraction = point ? (unsigned)(end - point - 1) : 0;
    return end - start > (point != NULL);
}

int decimal_parse(const void *text, size_t len, unsigned precision, unsigned scale, leat_i128 *out)
{
    const uint8_t *at = text;
    const uint8_t *end = len ? at + len : at;
    if (at == end)
        return DECIMAL_MALFORMED;
    int negative = *at == '-';
    if (negative || *at == '+')
        at++;
    uint64_t value;
    unsigned fraction;
    if (end - at <= SHORT_TEXT && parse_short(at, end, &value, &fraction) && fraction <= scale) {
        unsigned up = scale - fraction;
        if (up > precision || value >= decimal_pow10[precision - up]) {
            if (value)
                return DECIMAL_RANGE;
            *out = 0;
            return DECIMAL_OK;
        }
        *out = with_sign(negative, value * decimal_pow10[up]);
        return DECIMAL_OK;
    }
    struct digits d = {.negative = negative};
    if (parse_long(at, end, &d) < 0)
        return DECIMAL_MALFORMED;
    return digits_round(&d, precision, scale, out);
}

// Exactly n digits (n >= the digits of m).
static void print_digits(char *out, leat_u128 m, unsigned n)
{
    while (n > 18) {
        leat_u128 q = m >> 64 ? m / decimal_pow10[18] : (uint64_t)m / (uint64_t)decimal_pow10[18];
        n -= 18;
        number_u64_print_padded(out + n, (uint64_t)(m - q * decimal_pow10[18]), 18);
        m = q;
    }
    number_u64_print_padded(out, (uint64_t)m, n);
}

// Whole part and fraction each printed into place; both fit 64 bits.
static size_t print_short(char *out, uint64_t m, unsigned scale)
{
    uint64_t power = (uint64_t)decimal_pow10[scale], whole = m / power;
    size_t n = number_u64_print(out, whole);
    out[n] = '.';
    number_u64_print_padded(out + n + 1, m - whole * power, scale);
    return n + 1 + scale;
}

size_t decimal_print(void *out, leat_i128 v, unsigned scale)
{
    char *at = out;
    leat_u128 m = magnitude(v);
    if (v < 0)
        *at++ = '-';
    if (m >> 64 == 0 && scale < 20) {
        size_t len = scale ? print_short(at, (uint64_t)m, scale) : number_u64_print(at, (uint64_t)m);
        return (size_t)(v < 0) + len;
    }
    unsigned n = decimal_digits(v);
    if (n <= scale)
        n = scale + 1;
    if (scale == 0) {
        print_digits(at, m, n);
        return (size_t)(v < 0) + n;
    }
    print_digits(at + 1, m, n);
    memmove(at, at + 1, n - scale);
    at[n - scale] = '.';
    return (size_t)(v < 0) + n + 1;
}

size_t decimal_print_stripped(void *out, leat_i128 v, unsigned scale)
{
    char *text = out;
    size_t len = decimal_print(text, v, scale);
    if (scale == 0)
        return len;
    while (text[len - 1] == '0')
        len--;
    return text[len - 1] == '.' ? len - 1 : len;
}

size_t decimal_print_java(void *out, leat_i128 v, unsigned scale)
{
    char digits[LEAT_DECIMAL_MAX + 2];
    char *at = out;
    unsigned n = decimal_digits(v);
    print_digits(digits, magnitude(v), n);
    int power = -(int)scale; // of ten, of the last digit
    for (; n > 1 && digits[n - 1] == '0'; n--)
        power++;
    int adjusted = power + (int)n - 1; // of the first digit
    // Java writes a plain number if its scale is not negative and it has at most five zeros behind the point
    if (v == 0 || (power <= 0 && adjusted >= -6))
        return decimal_print_stripped(out, v, scale);
    if (v < 0)
        *at++ = '-';
    *at++ = digits[0];
    if (n > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, n - 1);
        at += n - 1;
    }
    *at++ = 'E';
    *at++ = adjusted < 0 ? '-' : '+';
    at += number_u64_print(at, (uint64_t)(adjusted < 0 ? -adjusted : adjusted));
    return (size_t)(at - (char *)out);
}
