// SPDX-License-Identifier: Apache-2.0
// Floating point numbers as Java 17 prints them.
//
// Java's algorithm up to release 18 makes digits of d = B / S * 10^exponent one after the other (Steele and White,
// "How to print floating-point numbers accurately", 1990) and stops when what is left is below M, the half distance to
// the next number, or within M of the next digit. It is not always the shortest text, for reasons that have to be
// kept: the distance below a power of two is taken for the one above it, the two stopping tests treat equality
// differently in long and in short arithmetic, short arithmetic wraps, numbers in exponent form get at least two
// digits, and integers up to 2^62 print as integers with their insignificant end rounded off.
#include <string.h>

#include "number.h"
#include "number_big.h"

#define FRACTION_BITS 52 // of the significand, below its leading one
#define DIGITS_MAX    26

#define INTEGER_EXPONENT_MAX 62
#define FIVES_MAX            26 // beyond 5^26 Java estimates the bits of a power of five

struct digits {
    char digit[DIGITS_MAX];
    unsigned count;
    int point; // digits before the point; may be negative or above count
};

// The fraction as powers: B = bits * 5^b5 * 2^b2, S = 5^s5 * 2^s2, M = 5^b5 * 2^m2.
struct ratio {
    uint64_t bits;
    int b2, b5, s2, s5, m2;
};

// Bits of 5^n.
static int bits_of_five(int n)
{
    return n <= FIVES_MAX ? (int)((unsigned)n * 2378 >> 10) + (n != 0) : n * 3;
}

static uint64_t power_of_five(int n)
{
    uint64_t v = 1;
    for (; n > 0; n--)
        v *= 5;
    return v;
}

static void round_up(struct digits *d)
{
    unsigned i = d->count - 1;
    while (d->digit[i] == '9' && i > 0)
        d->digit[i--] = '0';
    if (d->digit[i] == '9') {
        d->digit[i] = '1';
        d->point++;
    } else {
        d->digit[i]++;
    }
}

// Ends the digits according to which test stopped them; half compares the rest with half a digit.
static void finish(struct digits *d, int low, int high, int64_t half)
{
    if (!high)
        return;
    if (!low || half > 0 || (half == 0 && d->digit[d->count - 1] % 2 != 0))
        round_up(d);
}

// The first quotient is zero if the exponent was estimated one too high; returns 1 if one digit is not enough.
static int first_digit(struct digits *d, unsigned digit, int high, int *exponent)
{
    if (digit == 0 && !high)
        --*exponent;
    else
        d->digit[d->count++] = (char)('0' + digit);
    // a number in exponent form has a digit behind the point, so the stopping tests begin with the second one
    return *exponent < -3 || *exponent >= 8;
}

static int64_t wrap(uint64_t v, int narrow)
{
    return narrow ? (int32_t)(uint32_t)v : (int64_t)v;
}

static void digits_short(struct digits *d, const struct ratio *r, int exponent, int narrow)
{
    uint64_t fives = power_of_five(r->b5);
    int64_t b = wrap(r->bits * fives << r->b2, narrow);
    int64_t s = wrap(power_of_five(r->s5) << r->s2, narrow);
    int64_t m = wrap(fives << r->m2, narrow);
    int64_t tens = wrap((uint64_t)s * 10, narrow);
    int low = 0, high = 0, first = 1;
    do {
        int64_t digit = b / s;
        b = wrap(10 * (uint64_t)(b % s), narrow);
        m = wrap((uint64_t)m * 10, narrow);
        // beyond the first digit an overflow of m is noticed and means that m is large enough
        low = b < m || (!first && m <= 0);
        high = wrap((uint64_t)b + (uint64_t)m, narrow) > tens || (!first && m <= 0);
        if (!first)
            d->digit[d->count++] = (char)('0' + digit);
        else if (first_digit(d, (unsigned)digit, high, &exponent))
            low = high = 0;
        first = 0;
    } while (!low && !high && d->count < DIGITS_MAX);
    d->point = exponent + 1;
    finish(d, low, high, wrap(((uint64_t)b << 1) - (uint64_t)tens, narrow));
}

static void digits_long(struct digits *d, const struct ratio *r, int exponent)
{
    struct big b, s, m, tens;
    // all are scaled so that the divisor fills its upper word, which makes the guessed digits good
    big_set(&s, 1, (unsigned)r->s5, (unsigned)r->s2);
    unsigned scale = (unsigned)__builtin_clzll(s.word[s.count - 1]);
    big_set(&s, 1, (unsigned)r->s5, (unsigned)r->s2 + scale);
    big_set(&b, r->bits, (unsigned)r->b5, (unsigned)r->b2 + scale);
    big_set(&m, 1, (unsigned)r->b5, (unsigned)r->m2 + scale);
    tens = s;
    big_multiply(&tens, 10);
    int low = 0, high = 0, first = 1;
    do {
        unsigned digit = big_divide_digit(&b, &s);
        big_multiply(&b, 10);
        big_multiply(&m, 10);
        low = big_compare(&b, &m) < 0;
        high = big_compare_sum(&tens, &b, &m) <= 0;
        if (!first)
            d->digit[d->count++] = (char)('0' + digit);
        else if (first_digit(d, digit, high, &exponent))
            low = high = 0;
        first = 0;
    } while (!low && !high && d->count < DIGITS_MAX);
    d->point = exponent + 1;
    big_multiply(&b, 2);
    finish(d, low, high, big_compare(&b, &tens));
}

// floor(log10(d)) or one more, with Java's own coefficients, since an estimate that differs gives other digits.
static int estimate_exponent(uint64_t significand, int exponent)
{
    double d;
    uint64_t bits = UINT64_C(1023) << FRACTION_BITS | (significand & ((UINT64_C(1) << FRACTION_BITS) - 1));
    memcpy(&d, &bits, sizeof d);
    d = (d - 1.5) * 0.289529654 + 0.176091259 + (double)exponent * 0.301029995663981;
    int whole = (int)d;
    return whole - (d < whole);
}

// Digits of an integer; those that the precision cannot tell apart are rounded off and left out.
static void digits_integer(struct digits *d, uint64_t v, unsigned insignificant)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < insignificant; i++)
        power *= 10;
    uint64_t rest = v % power;
    v /= power;
    v += insignificant && rest >= power / 2;
    unsigned zeros = insignificant;
    for (; v % 10 == 0; v /= 10)
        zeros++;
    d->count = (unsigned)number_u64_print(d->digit, v);
    d->point = (int)(d->count + zeros);
}

// significand has its leading one at bit 52; precise is how many of its bits the type holds.
static void make_digits(struct digits *d, uint64_t significand, int exponent, int precise)
{
    int zeros = __builtin_ctzll(significand);
    int bits = FRACTION_BITS + 1 - zeros; // up to the last one
    int tiny = bits - exponent - 1;       // of them, behind the point
    if (tiny < 0)
        tiny = 0;
    if (tiny == 0 && exponent <= INTEGER_EXPONENT_MAX) {
        // floor(log10(2^n)) digits cannot be told apart if n bits are not held
        int lost = exponent > precise ? exponent - precise - 1 : 0;
        uint64_t v = exponent >= FRACTION_BITS ? significand << (exponent - FRACTION_BITS)
                                               : significand >> (FRACTION_BITS - exponent);
        digits_integer(d, v, lost > 1 ? (unsigned)lost * 1233 >> 12 : 0);
        return;
    }
    int estimate = estimate_exponent(significand, exponent);
    struct ratio r = {.bits = significand >> zeros};
    r.b5 = estimate < 0 ? -estimate : 0;
    r.s5 = estimate > 0 ? estimate : 0;
    r.b2 = r.b5 + tiny + exponent;
    r.s2 = r.s5 + tiny;
    r.m2 = r.b2 - precise;
    r.b2 -= bits - 1;
    int common = r.b2 < r.s2 ? r.b2 : r.s2;
    r.b2 -= common;
    r.s2 -= common;
    r.m2 -= common;
    if (bits == 1)
        r.m2--; // below a power of two the next number is half as far
    if (r.m2 < 0) {
        r.b2 -= r.m2;
        r.s2 -= r.m2;
        r.m2 = 0;
    }
    int b_bits = bits + r.b2 + bits_of_five(r.b5);
    int tens_bits = r.s2 + 1 + bits_of_five(r.s5 + 1);
    if (b_bits < 64 && tens_bits < 64)
        digits_short(d, &r, estimate, b_bits < 32 && tens_bits < 32);
    else
        digits_long(d, &r, estimate);
}

static char *put(char *at, const char *bytes, unsigned n)
{
    memcpy(at, bytes, n);
    return at + n;
}

static char *put_zeros(char *at, unsigned n)
{
    memset(at, '0', n);
    return at + n;
}

// Plain from 10^-3 up to below 10^7, else with an exponent; always a digit on both sides of the point.
static char *put_digits(char *at, const struct digits *d)
{
    if (d->point > 0 && d->point < 8) {
        unsigned whole = (unsigned)d->point < d->count ? (unsigned)d->point : d->count;
        at = put(at, d->digit, whole);
        at = put_zeros(at, (unsigned)d->point - whole);
        *at++ = '.';
        return whole < d->count ? put(at, d->digit + whole, d->count - whole) : put_zeros(at, 1);
    }
    if (d->point <= 0 && d->point > -3) {
        at = put(at, "0.", 2);
        at = put_zeros(at, (unsigned)-d->point);
        return put(at, d->digit, d->count);
    }
    *at++ = d->digit[0];
    *at++ = '.';
    at = d->count > 1 ? put(at, d->digit + 1, d->count - 1) : put_zeros(at, 1);
    *at++ = 'E';
    return at + number_i64_print(at, d->point - 1);
}

// The common way of both types: fraction and exponent as stored, both types widened to the layout of a double.
static size_t print(char *out, int negative, uint64_t fraction, int stored, int stored_max, int bias, int precise)
{
    char *at = out;
    struct digits d = {.count = 0};
    if (stored == stored_max && fraction)
        return (size_t)(put(at, "NaN", 3) - out);
    if (negative)
        *at++ = '-';
    if (stored == stored_max)
        return (size_t)(put(at, "Infinity", 8) - out);
    if (stored == 0 && fraction == 0)
        return (size_t)(put(at, "0.0", 3) - out);
    if (stored == 0) {
        int shift = __builtin_clzll(fraction) - (63 - FRACTION_BITS);
        fraction <<= shift;
        stored = 1 - shift;
        precise -= shift;
    } else {
        fraction |= UINT64_C(1) << FRACTION_BITS;
    }
    make_digits(&d, fraction, stored - bias, precise);
    return (size_t)(put_digits(at, &d) - out);
}

size_t number_f64_print(void *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    return print(out, bits >> 63, fraction, (int)(bits >> FRACTION_BITS & 0x7ff), 0x7ff, 1023, 53);
}

size_t number_f32_print(void *out, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = (uint64_t)(bits & 0x7fffff) << (FRACTION_BITS - 23);
    return print(out, bits >> 31, fraction, (int)(bits >> 23 & 0xff), 0xff, 127, 24);
}
