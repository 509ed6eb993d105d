// SPDX-License-Identifier: Apache-2.0
// Inside common/decimal only: magnitudes, 256-bit intermediates, and digit strings that still have to be rounded.
#ifndef COMMON_DECIMAL_WIDE_H
#define COMMON_DECIMAL_WIDE_H

#include "decimal.h"

struct wide {
    leat_u128 hi;
    leat_u128 lo;
};

// The leading significant digits of a number too long to be held: what is left of the point, and whether anything
// other than zero follows the stored digits. One digit more than 38 is kept, to round by.
#define DIGITS_KEPT (LEAT_DECIMAL_MAX + 1)
struct digits {
    uint8_t digit[DIGITS_KEPT]; // 0..9, the first is not 0
    unsigned stored;            // 0 = the number is zero
    int64_t before_point;       // digits before the point; negative: zeros after the point before the first digit
    int more;                   // a digit other than zero was not stored
    int negative;
};

static inline leat_u128 magnitude(leat_i128 v)
{
    return v < 0 ? 0 - (leat_u128)v : (leat_u128)v;
}

static inline leat_i128 with_sign(int negative, leat_u128 m)
{
    return (leat_i128)(negative ? 0 - m : m);
}

static inline void digits_add(struct digits *d, unsigned digit)
{
    if (d->stored < DIGITS_KEPT)
        d->digit[d->stored++] = (uint8_t)digit;
    else
        d->more |= digit != 0;
}

// Rounds the digits HALF_UP to the type. OK, ROUNDED or RANGE.
int digits_round(const struct digits *d, unsigned precision, unsigned scale, leat_i128 *out);

struct wide wide_mul(leat_u128 a, leat_u128 b);

// w * 10^k, k <= 76; -1 if that is 2^256 or more.
int wide_mul_pow10(struct wide *w, unsigned k);

struct wide wide_add(struct wide a, struct wide b);
struct wide wide_sub(struct wide a, struct wide b); // a >= b
int wide_compare(struct wide a, struct wide b);

// w / d, d > 0.
struct wide wide_divide(struct wide w, leat_u128 d, leat_u128 *rest);

// w / 10^k, k <= 76, rounded HALF_UP; *rounded = something other than zero was dropped.
struct wide wide_round_pow10(struct wide w, unsigned k, int *rounded);

#endif
