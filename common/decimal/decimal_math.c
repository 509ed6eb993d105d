// SPDX-License-Identifier: Apache-2.0
// Arithmetic on unscaled values. Each operation has a short way for operands whose exact result fits 128 bits, which is
// nearly all of them, and a general way through 256 bits; both round exactly once.
#include "decimal_wide.h"

#define MIN_SCALE 6 // digits of fraction that the derivation of result types protects

unsigned decimal_digits(leat_i128 v)
{
    leat_u128 m = magnitude(v);
    unsigned bits = m >> 64 ? 128 - (unsigned)__builtin_clzll((uint64_t)(m >> 64))
                            : 64 - (unsigned)__builtin_clzll((uint64_t)m | 1);
    // log10 from log2: 1233/4096 is just above log10(2), so the guess is right or one too high
    unsigned guess = bits * 1233 >> 12;
    return guess + ((m | (guess == 0)) >= decimal_pow10[guess]);
}

static int fit(int negative, leat_u128 m, int rounded, unsigned precision, leat_i128 *out)
{
    if (m >= decimal_pow10[precision])
        return DECIMAL_RANGE;
    *out = with_sign(negative, m);
    return rounded ? DECIMAL_ROUNDED : DECIMAL_OK;
}

static int fit_wide(int negative, struct wide w, int rounded, unsigned precision, leat_i128 *out)
{
    return w.hi ? DECIMAL_RANGE : fit(negative, w.lo, rounded, precision, out);
}

// Whether the quotient grows by one, given what is left of the division by d.
static int rounds_up(int mode, int negative, leat_u128 rest, leat_u128 d)
{
    switch (mode) {
    case DECIMAL_HALF_UP:
        return rest >= d - rest;
    case DECIMAL_FLOOR:
        return negative && rest;
    case DECIMAL_CEILING:
        return !negative && rest;
    default:
        return 0;
    }
}

// m / d where both fit 64 bits more often than not.
static leat_u128 divide(leat_u128 m, leat_u128 d, leat_u128 *rest)
{
    leat_u128 q = (m | d) >> 64 ? m / d : (uint64_t)m / (uint64_t)d;
    *rest = m - q * d;
    return q;
}

static int rescale_magnitude(int negative, leat_u128 m, unsigned from, unsigned precision, unsigned to, int mode,
                             leat_i128 *out)
{
    if (to >= from) {
        unsigned up = to - from;
        if (m && (up > precision || m >= decimal_pow10[precision - up]))
            return DECIMAL_RANGE;
        *out = m ? with_sign(negative, m * decimal_pow10[up]) : 0;
        return DECIMAL_OK;
    }
    unsigned down = from - to;
    leat_u128 rest;
    if (down > LEAT_DECIMAL_MAX) { // a product's scale may be up to 76; then even half a unit is out of reach
        int up = mode != DECIMAL_HALF_UP && rounds_up(mode, negative, m, 1);
        return fit(negative, (leat_u128)up, m != 0, precision, out);
    }
    leat_u128 q = divide(m, decimal_pow10[down], &rest);
    q += (leat_u128)rounds_up(mode, negative, rest, decimal_pow10[down]);
    return fit(negative, q, rest != 0, precision, out);
}

int decimal_rescale_mode(leat_i128 v, unsigned from_scale, unsigned precision, unsigned scale, int mode, leat_i128 *out)
{
    return rescale_magnitude(v < 0, magnitude(v), from_scale, precision, scale, mode, out);
}

int decimal_rescale(leat_i128 v, unsigned from_scale, unsigned precision, unsigned scale, leat_i128 *out)
{
    return decimal_rescale_mode(v, from_scale, precision, scale, DECIMAL_HALF_UP, out);
}

// Multiplies v by 10^up if the result surely has at most 37 digits, so that two such values can be added.
static int align(leat_i128 *v, unsigned up)
{
    if (up >= LEAT_DECIMAL_MAX || magnitude(*v) >= decimal_pow10[LEAT_DECIMAL_MAX - 1 - up])
        return -1;
    *v *= (leat_i128)decimal_pow10[up];
    return 0;
}

static int add_wide(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    unsigned scale = sa > sb ? sa : sb;
    struct wide wa = wide_mul(magnitude(a), decimal_pow10[scale - sa]);
    struct wide wb = wide_mul(magnitude(b), decimal_pow10[scale - sb]);
    int negative = a < 0;
    struct wide sum;
    if ((a < 0) == (b < 0)) {
        sum = wide_add(wa, wb);
    } else if (wide_compare(wa, wb) >= 0) {
        sum = wide_sub(wa, wb);
    } else {
        sum = wide_sub(wb, wa);
        negative = b < 0;
    }
    int rounded = 0;
    if (to.scale < scale)
        sum = wide_round_pow10(sum, scale - to.scale, &rounded);
    else if (wide_mul_pow10(&sum, to.scale - scale) < 0)
        return DECIMAL_RANGE;
    return fit_wide(negative, sum, rounded, to.precision, out);
}

int decimal_add(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    unsigned scale = sa > sb ? sa : sb;
    leat_i128 x = a, y = b;
    if (align(&x, scale - sa) < 0 || align(&y, scale - sb) < 0)
        return add_wide(a, sa, b, sb, to, out);
    return decimal_rescale(x + y, scale, to.precision, to.scale, out);
}

int decimal_sub(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    return decimal_add(a, sa, -b, sb, to, out);
}

int decimal_mul(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    leat_u128 ma = magnitude(a), mb = magnitude(b), m;
    int negative = (a < 0) != (b < 0);
    unsigned scale = sa + sb;
    if (!__builtin_mul_overflow(ma, mb, &m))
        return rescale_magnitude(negative, m, scale, to.precision, to.scale, DECIMAL_HALF_UP, out);
    if (to.scale >= scale)
        return DECIMAL_RANGE;
    int rounded;
    struct wide w = wide_round_pow10(wide_mul(ma, mb), scale - to.scale, &rounded);
    return fit_wide(negative, w, rounded, to.precision, out);
}

// a / (b * 10^down): only when the result has a smaller scale than the operands make.
static int divide_down(int negative, leat_u128 ma, leat_u128 mb, unsigned down, unsigned precision, leat_i128 *out)
{
    leat_u128 d, rest;
    if (down > LEAT_DECIMAL_MAX || __builtin_mul_overflow(mb, decimal_pow10[down], &d))
        return fit(0, 0, ma != 0, precision, out); // a < 10^38 is less than a third of d
    leat_u128 q = divide(ma, d, &rest);
    return fit(negative, q + (leat_u128)(rest >= d - rest), rest != 0, precision, out);
}

int decimal_div(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    if (b == 0)
        return DECIMAL_ZERO;
    leat_u128 ma = magnitude(a), mb = magnitude(b), rest;
    int negative = (a < 0) != (b < 0);
    unsigned up = to.scale + sb;
    if (up < sa)
        return divide_down(negative, ma, mb, sa - up, to.precision, out);
    up -= sa;
    leat_u128 m;
    if (up <= LEAT_DECIMAL_MAX && !__builtin_mul_overflow(ma, decimal_pow10[up], &m)) {
        leat_u128 q = divide(m, mb, &rest);
        return fit(negative, q + (leat_u128)(rest >= mb - rest), rest != 0, to.precision, out);
    }
    // a numerator of 2^256 > 10^76 over b < 10^38 is above 38 digits whatever b is
    struct wide w = {0, ma};
    if (wide_mul_pow10(&w, up) < 0)
        return DECIMAL_RANGE;
    w = wide_divide(w, mb, &rest);
    if (rest >= mb - rest)
        w = wide_add(w, (struct wide){0, 1});
    return fit_wide(negative, w, rest != 0, to.precision, out);
}

int decimal_mod(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out)
{
    if (b == 0)
        return DECIMAL_ZERO;
    unsigned scale = sa > sb ? sa : sb;
    leat_u128 rest, d;
    // one of the two powers is 1; a divisor beyond 128 bits is larger than a and leaves it as it is
    if (__builtin_mul_overflow(magnitude(b), decimal_pow10[scale - sb], &d))
        rest = magnitude(a);
    else
        wide_divide(wide_mul(magnitude(a), decimal_pow10[scale - sa]), d, &rest);
    return rescale_magnitude(a < 0, rest, scale, to.precision, to.scale, DECIMAL_HALF_UP, out);
}

int decimal_compare(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb)
{
    if (sa == sb || (a < 0) != (b < 0))
        return a == b ? 0 : a < b ? -1 : 1;
    leat_u128 ma = magnitude(a), mb = magnitude(b);
    int larger = a < 0 ? -1 : 1; // the answer if a's magnitude is the larger one
    if (sa < sb && __builtin_mul_overflow(ma, decimal_pow10[sb - sa], &ma))
        return larger;
    if (sb < sa && __builtin_mul_overflow(mb, decimal_pow10[sa - sb], &mb))
        return -larger;
    return ma == mb ? 0 : ma > mb ? larger : -larger;
}

int decimal_from_i64(int64_t v, unsigned precision, unsigned scale, leat_i128 *out)
{
    return decimal_rescale(v, 0, precision, scale, out);
}

int decimal_to_i64(leat_i128 v, unsigned scale, int64_t *out)
{
    leat_i128 whole;
    int rc = decimal_rescale_mode(v, scale, LEAT_DECIMAL_MAX, 0, DECIMAL_DOWN, &whole);
    if (rc < 0 || whole < INT64_MIN || whole > INT64_MAX)
        return DECIMAL_RANGE;
    *out = (int64_t)whole;
    return rc;
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

static struct decimal_type capped(int precision, int scale)
{
    if (precision > LEAT_DECIMAL_MAX) {
        scale = max(LEAT_DECIMAL_MAX - (precision - scale), min(scale, MIN_SCALE));
        precision = LEAT_DECIMAL_MAX;
    }
    return (struct decimal_type){.precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

struct decimal_type decimal_add_type(struct decimal_type a, struct decimal_type b)
{
    int scale = max(a.scale, b.scale);
    return capped(max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
}

struct decimal_type decimal_mul_type(struct decimal_type a, struct decimal_type b)
{
    return capped(a.precision + b.precision + 1, a.scale + b.scale);
}

struct decimal_type decimal_div_type(struct decimal_type a, struct decimal_type b)
{
    int scale = max(MIN_SCALE, a.scale + b.precision + 1);
    return capped(a.precision - a.scale + b.scale + scale, scale);
}

struct decimal_type decimal_mod_type(struct decimal_type a, struct decimal_type b)
{
    int scale = max(a.scale, b.scale);
    return capped(min(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}

struct decimal_type decimal_round_type(struct decimal_type a, int digits)
{
    int whole = a.precision - a.scale + 1; // rounding up may carry into a new digit
    if (digits >= a.scale)
        return a;
    return capped(min(LEAT_DECIMAL_MAX, whole + max(digits, 0)), max(digits, 0));
}
