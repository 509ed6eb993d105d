// SPDX-License-Identifier: Apache-2.0
// Texts of the layout prototype: a JSON cursor, numbers and timestamps in both directions. The same code serves every
// layout, so its cost cancels out of the comparison. The cursor's failure is sticky: check `bad` once at the end.
#ifndef BENCH_LAYOUT_TEXT_H
#define BENCH_LAYOUT_TEXT_H

#include "leat/types.h"

#include <string.h>

#define DAY_USEC 86400000000LL

struct cursor {
    const uint8_t *p, *end;
    int bad;
};

static inline int take(struct cursor *c, uint8_t byte)
{
    if (c->p < c->end && *c->p == byte) {
        c->p++;
        return 1;
    }
    return 0;
}

static inline void expect(struct cursor *c, uint8_t byte)
{
    if (!take(c, byte))
        c->bad = 1;
}

// A string without escapes (the workloads have none; a backslash is an error). Borrows the input.
static inline struct leat_bytes take_string(struct cursor *c)
{
    struct leat_bytes s;

    expect(c, '"');
    s.ptr = c->p;
    while (c->p < c->end && *c->p != '"' && *c->p != '\\' && *c->p >= 0x20)
        c->p++;
    s.len = (uint32_t)(c->p - s.ptr);
    expect(c, '"');
    return s;
}

static inline int take_null(struct cursor *c)
{
    if (c->end - c->p < 4 || memcmp(c->p, "null", 4) != 0)
        return 0;
    c->p += 4;
    return 1;
}

// A number with `scale` digits of fraction, as its unscaled value.
static inline int64_t take_number(struct cursor *c, int scale)
{
    int minus = take(c, '-');
    int64_t n = 0;
    const uint8_t *start = c->p, *limit = c->end - c->p > 18 ? c->p + 18 : c->end;

    while (c->p < limit && *c->p >= '0' && *c->p <= '9')
        n = n * 10 + (*c->p++ - '0');
    c->bad |= c->p == start;
    if (scale > 0) {
        take(c, '.');
        for (; scale > 0; scale--)
            n = n * 10 + (c->p < c->end && *c->p >= '0' && *c->p <= '9' ? *c->p++ - '0' : 0);
    }
    return minus ? -n : n;
}

static inline int64_t two(const uint8_t *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static inline int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

// "2026-01-31 12:34:56.789" in quotes
static inline int64_t take_timestamp(struct cursor *c)
{
    struct leat_bytes s = take_string(c);
    const uint8_t *p = s.ptr;

    if (s.len != 23) {
        c->bad = 1;
        return 0;
    }
    int64_t days = days_of(two(p) * 100 + two(p + 2), two(p + 5), two(p + 8));
    int64_t sec = two(p + 11) * 3600 + two(p + 14) * 60 + two(p + 17);
    return days * DAY_USEC + sec * 1000000 + (two(p + 20) * 10 + (p[22] - '0')) * 1000;
}

static inline uint8_t *put_number(uint8_t *to, int64_t n)
{
    uint8_t digits[20];
    unsigned count = 0;
    uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

    if (n < 0)
        *to++ = '-';
    do {
        digits[count++] = (uint8_t)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

static inline uint8_t *put_two(uint8_t *to, unsigned n)
{
    to[0] = (uint8_t)('0' + n / 10);
    to[1] = (uint8_t)('0' + n % 10);
    return to + 2;
}

// A DECIMAL(10,2): the value fits 64 bits.
static inline uint8_t *put_decimal(uint8_t *to, leat_i128 unscaled)
{
    int64_t n = (int64_t)unscaled;

    if (n < 0) {
        *to++ = '-';
        n = -n;
    }
    to = put_number(to, n / 100);
    *to++ = '.';
    return put_two(to, (unsigned)(n % 100));
}

// Ten bytes: "2026-01-31". `days` is not negative.
static inline uint8_t *put_date(uint8_t *to, int64_t days)
{
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    int64_t y = yoe + era * 400 + (m <= 2);

    to = put_two(put_two(to, (unsigned)(y / 100)), (unsigned)(y % 100));
    *to++ = '-';
    to = put_two(to, (unsigned)m);
    *to++ = '-';
    return put_two(to, (unsigned)d);
}

static inline uint8_t *put_timestamp(uint8_t *to, int64_t usec)
{
    int64_t of_day = usec % DAY_USEC, sec = of_day / 1000000, ms = of_day / 1000 % 1000;

    to = put_date(to, usec / DAY_USEC);
    *to++ = ' ';
    to = put_two(to, (unsigned)(sec / 3600));
    *to++ = ':';
    to = put_two(to, (unsigned)(sec / 60 % 60));
    *to++ = ':';
    to = put_two(to, (unsigned)(sec % 60));
    *to++ = '.';
    *to++ = (uint8_t)('0' + ms / 100);
    return put_two(to, (unsigned)(ms % 100));
}

// A quoted JSON string; `to` has room for 6 * len + 2 bytes.
static inline uint8_t *put_string(uint8_t *to, struct leat_bytes s)
{
    static const char hex[] = "0123456789abcdef";

    *to++ = '"';
    for (uint32_t i = 0; i < s.len; i++) {
        uint8_t b = s.ptr[i];
        if (b >= 0x20 && b != '"' && b != '\\') {
            *to++ = b;
        } else {
            memcpy(to, "\\u00", 4);
            to[4] = (uint8_t)hex[b >> 4];
            to[5] = (uint8_t)hex[b & 15];
            to += 6;
        }
    }
    *to++ = '"';
    return to;
}

#endif
