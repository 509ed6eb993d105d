// SPDX-License-Identifier: Apache-2.0
// 256-bit arithmetic for products and quotients of decimals that outgrow 128 bits, and the powers of ten.
//
// The long division is the schoolbook one (Knuth, volume 2, 4.3.1 D) on 64-bit digits with a divisor of two digits.
#include "decimal_wide.h"

#define TEN18 1000000000000000000u
#define P(n)  ((leat_u128)TEN18 * (n))
#define Q(n)  ((leat_u128)TEN18 * TEN18 * (n))

const leat_u128 decimal_pow10[LEAT_DECIMAL_MAX + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    P(1u),
    P(10u),
    P(100u),
    P(1000u),
    P(10000u),
    P(100000u),
    P(1000000u),
    P(10000000u),
    P(100000000u),
    P(1000000000u),
    P(10000000000u),
    P(100000000000u),
    P(1000000000000u),
    P(10000000000000u),
    P(100000000000000u),
    P(1000000000000000u),
    P(10000000000000000u),
    P(100000000000000000u),
    Q(1u),
    Q(10u),
    Q(100u),
};

struct wide wide_mul(leat_u128 a, leat_u128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    leat_u128 low = (leat_u128)a0 * b0;
    leat_u128 mid = (leat_u128)a0 * b1 + (uint64_t)(low >> 64);
    leat_u128 cross = (leat_u128)a1 * b0 + (uint64_t)mid;
    return (struct wide){
        .hi = (leat_u128)a1 * b1 + (mid >> 64) + (cross >> 64),
        .lo = cross << 64 | (uint64_t)low,
    };
}

static int wide_mul_once(struct wide *w, leat_u128 factor)
{
    struct wide low = wide_mul(w->lo, factor);
    leat_u128 high;
    if (__builtin_mul_overflow(w->hi, factor, &high) || __builtin_add_overflow(low.hi, high, &low.hi))
        return -1;
    *w = low;
    return 0;
}

int wide_mul_pow10(struct wide *w, unsigned k)
{
    if (k > LEAT_DECIMAL_MAX) {
        if (wide_mul_once(w, decimal_pow10[LEAT_DECIMAL_MAX]) < 0)
            return -1;
        k -= LEAT_DECIMAL_MAX;
    }
    return wide_mul_once(w, decimal_pow10[k]);
}

struct wide wide_add(struct wide a, struct wide b)
{
    leat_u128 lo = a.lo + b.lo;
    return (struct wide){.hi = a.hi + b.hi + (lo < a.lo), .lo = lo};
}

struct wide wide_sub(struct wide a, struct wide b)
{
    return (struct wide){.hi = a.hi - b.hi - (a.lo < b.lo), .lo = a.lo - b.lo};
}

int wide_compare(struct wide a, struct wide b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

// (rest, digit) / d where rest < d and d has its top bit set: one 64-bit digit of the quotient.
static uint64_t divide_step(leat_u128 *rest, uint64_t digit, leat_u128 d)
{
    uint64_t d1 = (uint64_t)(d >> 64), d0 = (uint64_t)d;
    uint64_t top = (uint64_t)(*rest >> 64);
    leat_u128 guess = top >= d1 ? UINT64_MAX : *rest / d1;
    // the guess from the upper digit of d is at most 2 too large
    leat_u128 low = guess * d0;
    leat_u128 left = *rest - guess * d1; // may exceed 64 bits only when the guess is surely right
    while (left >> 64 == 0 && low > (left << 64 | digit)) {
        guess--;
        low -= d0;
        left += d1;
    }
    *rest = (*rest << 64 | digit) - guess * d1 * ((leat_u128)1 << 64) - low;
    return (uint64_t)guess;
}

struct wide wide_divide(struct wide w, leat_u128 d, leat_u128 *rest)
{
    struct wide q = {0, 0};
    if (w.hi == 0) {
        q.lo = w.lo / d;
        *rest = w.lo - q.lo * d;
        return q;
    }
    if (d >> 64 == 0) {
        uint64_t part[4] = {(uint64_t)(w.hi >> 64), (uint64_t)w.hi, (uint64_t)(w.lo >> 64), (uint64_t)w.lo};
        leat_u128 r = 0;
        for (int i = 0; i < 4; i++) {
            leat_u128 step = r << 64 | part[i];
            part[i] = (uint64_t)(step / d);
            r = step % d;
        }
        *rest = r;
        return (struct wide){(leat_u128)part[0] << 64 | part[1], (leat_u128)part[2] << 64 | part[3]};
    }
    q.hi = w.hi / d;
    leat_u128 r = w.hi % d;
    unsigned shift = (unsigned)__builtin_clzll((uint64_t)(d >> 64));
    leat_u128 low = w.lo;
    if (shift) {
        d <<= shift;
        r = r << shift | low >> (128 - shift);
        low <<= shift;
    }
    uint64_t q1 = divide_step(&r, (uint64_t)(low >> 64), d);
    uint64_t q0 = divide_step(&r, (uint64_t)low, d);
    q.lo = (leat_u128)q1 << 64 | q0;
    *rest = r >> shift;
    return q;
}

struct wide wide_round_pow10(struct wide w, unsigned k, int *rounded)
{
    *rounded = 0;
    if (k == 0)
        return w;
    leat_u128 rest;
    // all digits but the last dropped one only matter for being zero or not
    for (unsigned left = k - 1; left;) {
        unsigned step = left > LEAT_DECIMAL_MAX ? LEAT_DECIMAL_MAX : left;
        w = wide_divide(w, decimal_pow10[step], &rest);
        *rounded |= rest != 0;
        left -= step;
    }
    w = wide_divide(w, 10, &rest);
    *rounded |= rest != 0;
    return rest >= 5 ? wide_add(w, (struct wide){0, 1}) : w;
}

int digits_round(const struct digits *d, unsigned precision, unsigned scale, leat_i128 *out)
{
    if (d->stored == 0) {
        *out = 0;
        return DECIMAL_OK;
    }
    int64_t keep = d->before_point + (int64_t)scale;
    if (keep > (int64_t)precision)
        return DECIMAL_RANGE;
    if (keep < 0) {
        *out = 0;
        return DECIMAL_ROUNDED;
    }
    leat_u128 m = 0;
    unsigned i = 0;
    while (i < d->stored && i < keep) {
        uint64_t chunk = 0;
        unsigned n = 0;
        for (; n < 18 && i < d->stored && i < keep; n++)
            chunk = chunk * 10 + d->digit[i++];
        m = m * decimal_pow10[n] + chunk;
    }
    m *= decimal_pow10[keep - i];
    int rounded = d->more;
    for (unsigned j = i; j < d->stored; j++)
        rounded |= d->digit[j] != 0;
    if (i < d->stored && d->digit[i] >= 5)
        m++;
    if (m >= decimal_pow10[precision])
        return DECIMAL_RANGE;
    *out = with_sign(d->negative, m);
    return rounded ? DECIMAL_ROUNDED : DECIMAL_OK;
}
