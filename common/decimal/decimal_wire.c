// SPDX-License-Identifier: Apache-2.0
// The binary form of PostgreSQL's numeric.
//
// A numeric is a number to the base 10000 whose groups are aligned to the point; group i counts 10000^(weight - i).
// Zero groups at both ends are left out, the display scale tells how many digits of fraction are to be shown.
#include "decimal_wide.h"

#include <string.h>

#define GROUP        10000u
#define GROUP_DIGITS 4
#define HEADER       8
#define TEN16        10000000000000000u

#define SIGN_NEGATIVE          0x4000u
#define SIGN_NAN               0xC000u
#define SIGN_INFINITY          0xD000u
#define SIGN_NEGATIVE_INFINITY 0xF000u

static const unsigned small_pow10[GROUP_DIGITS + 1] = {1, 10, 100, 1000, 10000};

static void put_u16(uint8_t *out, unsigned v)
{
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}

static unsigned get_u16(const uint8_t *in)
{
    return (unsigned)in[0] << 8 | in[1];
}

// Splits into groups aligned to the point, the last one first; at most 11 for 38 digits. Returns their number.
static unsigned split_groups(leat_u128 m, unsigned scale, uint16_t *group)
{
    unsigned n = 0, part = scale % GROUP_DIGITS;
    if (part) {
        unsigned d = small_pow10[part];
        leat_u128 q = m >> 64 ? m / d : (uint64_t)m / d;
        group[n++] = (uint16_t)((unsigned)(m - q * d) * small_pow10[GROUP_DIGITS - part]);
        m = q;
    }
    while (m >> 64) {
        leat_u128 q = m / TEN16;
        uint64_t chunk = (uint64_t)(m - q * TEN16);
        for (int i = 0; i < 4; i++, chunk /= GROUP)
            group[n++] = (uint16_t)(chunk % GROUP);
        m = q;
    }
    for (uint64_t rest = (uint64_t)m; rest; rest /= GROUP)
        group[n++] = (uint16_t)(rest % GROUP);
    return n;
}

size_t decimal_pg_write(void *out, leat_i128 v, unsigned scale)
{
    uint8_t *at = out;
    uint16_t group[16];
    unsigned n = v ? split_groups(magnitude(v), scale, group) : 0;
    int weight = n ? (int)n - (int)((scale + GROUP_DIGITS - 1) / GROUP_DIGITS) - 1 : 0;
    unsigned first = 0;
    while (first < n && group[first] == 0)
        first++;
    put_u16(at, n - first);
    put_u16(at + 2, (unsigned)weight);
    put_u16(at + 4, v < 0 ? SIGN_NEGATIVE : 0);
    put_u16(at + 6, scale);
    at += HEADER;
    for (unsigned i = n; i > first; i--, at += 2)
        put_u16(at, group[i - 1]);
    return (size_t)(at - (uint8_t *)out);
}

static int read_sign(unsigned sign, int *negative)
{
    *negative = sign == SIGN_NEGATIVE;
    switch (sign) {
    case 0:
    case SIGN_NEGATIVE:
        return DECIMAL_OK;
    case SIGN_NAN:
        return DECIMAL_NAN;
    case SIGN_INFINITY:
        return DECIMAL_INFINITY;
    case SIGN_NEGATIVE_INFINITY:
        return DECIMAL_NEGATIVE_INFINITY;
    default:
        return DECIMAL_MALFORMED;
    }
}

static int read_groups(const uint8_t *at, unsigned n, int weight, struct digits *d)
{
    d->before_point = ((int64_t)weight + 1) * GROUP_DIGITS;
    for (unsigned i = 0; i < n; i++, at += 2) {
        unsigned group = get_u16(at);
        if (group >= GROUP)
            return DECIMAL_MALFORMED;
        for (int j = GROUP_DIGITS - 1; j >= 0; j--) {
            unsigned digit = group / small_pow10[j] % 10;
            if (d->stored || digit)
                digits_add(d, digit);
            else
                d->before_point--;
        }
    }
    return DECIMAL_OK;
}

// Up to 16 digits of whole groups whose scale is not above the wanted one; 0 = take the general way.
static int read_short(const uint8_t *at, unsigned n, int weight, unsigned precision, unsigned scale, leat_u128 *out)
{
    int up = (int)scale - ((int)n - 1 - weight) * GROUP_DIGITS;
    uint64_t v = 0;
    if (n > 4 || up < 0 || up > (int)precision)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned group = get_u16(at + (size_t)i * 2);
        if (group >= GROUP)
            return 0;
        v = v * GROUP + group;
    }
    if (v >= decimal_pow10[(int)precision - up])
        return 0;
    *out = v * decimal_pow10[up];
    return 1;
}

int decimal_pg_read(const void *bytes, size_t len, unsigned precision, unsigned scale, leat_i128 *out)
{
    const uint8_t *at = bytes;
    if (len < HEADER)
        return DECIMAL_MALFORMED;
    unsigned n = get_u16(at);
    int weight = (int16_t)get_u16(at + 2);
    struct digits d = {0};
    int rc = read_sign(get_u16(at + 4), &d.negative);
    if (len != HEADER + (size_t)n * 2)
        return DECIMAL_MALFORMED;
    if (rc < 0)
        return rc;
    leat_u128 m;
    if (read_short(at + HEADER, n, weight, precision, scale, &m)) {
        *out = with_sign(d.negative, m);
        return DECIMAL_OK;
    }
    if (read_groups(at + HEADER, n, weight, &d) < 0)
        return DECIMAL_MALFORMED;
    return digits_round(&d, precision, scale, out);
}
