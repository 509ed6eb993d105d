// SPDX-License-Identifier: Apache-2.0
// Inside format-json: eight bytes of text looked at as one word, and numbers in JSON's spelling. Little-endian only,
// as is everything leat runs on.
#ifndef FORMAT_JSON_WORD_H
#define FORMAT_JSON_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a text is the lowest of its word");

#define WORD_LOWS 0x0101010101010101u
#define WORD_TOPS 0x8080808080808080u

static inline uint64_t word_load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

// The top bit of each byte equal to c; only the lowest of them is reliable.
static inline uint64_t word_find(uint64_t word, uint8_t c)
{
    uint64_t x = word ^ WORD_LOWS * c;
    return (x - WORD_LOWS) & ~x & WORD_TOPS;
}

// The top bit of each byte below n (n <= 0x80); only the lowest of them is reliable.
static inline uint64_t word_below(uint64_t word, uint8_t n)
{
    return (word - WORD_LOWS * n) & ~word & WORD_TOPS;
}

// Number of the first marked byte.
static inline unsigned word_first(uint64_t marks)
{
    return (unsigned)__builtin_ctzll(marks) >> 3;
}

// A mask of the first n (0..7) bytes.
static inline uint64_t word_low(unsigned n)
{
    return (UINT64_C(1) << n * 8) - 1;
}

// A number as it stands in the text. When `simple`, it is (negative) digits / 10^fraction.
struct word_number {
    const uint8_t *ptr;
    uint32_t len;
    uint32_t fraction; // digits behind the point
    uint64_t digits;
    uint8_t negative;
    uint8_t integer; // neither point nor exponent
    uint8_t simple;  // no exponent, and all digits fit
};

static inline const uint8_t *word_scan_digits(const uint8_t *p, const uint8_t *end, uint64_t *digits)
{
    uint64_t v = *digits;
    for (unsigned d; p < end && (d = (unsigned)*p - '0') <= 9; p++)
        v = v * 10 + d;
    *digits = v;
    return p;
}

// Returns the place behind the number, NULL when there is none in JSON's spelling at p.
static inline const uint8_t *word_scan_number(const uint8_t *p, const uint8_t *end, struct word_number *n)
{
    uint64_t digits = 0;
    const uint8_t *start = p, *first, *point = NULL;
    n->ptr = start;
    n->negative = p < end && *p == '-';
    p += n->negative;
    first = p;
    p = word_scan_digits(p, end, &digits);
    if (p == first || (*first == '0' && p - first > 1))
        return NULL;
    uint32_t count = (uint32_t)(p - first);
    n->fraction = 0;
    n->integer = 1;
    n->simple = 1;
    if (p < end && *p == '.') {
        point = p + 1;
        p = word_scan_digits(point, end, &digits);
        if (p == point)
            return NULL;
        n->fraction = (uint32_t)(p - point);
        count += n->fraction;
        n->integer = 0;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        const uint8_t *exponent = p;
        while (p < end && (unsigned)*p - '0' <= 9)
            p++;
        if (p == exponent)
            return NULL;
        n->integer = n->simple = 0;
    }
    if (count > 19)
        n->simple = 0;
    n->digits = digits;
    n->len = (uint32_t)(p - start);
    return p;
}

#endif
