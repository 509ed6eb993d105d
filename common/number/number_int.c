// SPDX-License-Identifier: Apache-2.0
// Integers as text. Printing goes by a table of the hundred pairs of digits, right to left into place after the length
// is known; parsing takes eight digits at a time with three multiplications.
#include "number.h"

#include <string.h>

static const char pairs[200] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
    "949596979899";

static const uint64_t pow10_u64[20] = {1u,
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
                                       1000000000000000000u,
                                       10000000000000000000u};

// log10 from log2: 1233/4096 is just above log10(2), so the guess is right or one too high.
static unsigned digit_count(uint64_t v)
{
    unsigned guess = (unsigned)((64 - __builtin_clzll(v | 1)) * 1233 >> 12);
    return guess + ((v | (guess == 0)) >= pow10_u64[guess]);
}

// Eight digits from four divisions that do not wait for each other.
static void put_eight(char *out, uint32_t v)
{
    uint32_t high = v / 10000, low = v % 10000;
    memcpy(out, pairs + high / 100 * 2, 2);
    memcpy(out + 2, pairs + high % 100 * 2, 2);
    memcpy(out + 4, pairs + low / 100 * 2, 2);
    memcpy(out + 6, pairs + low % 100 * 2, 2);
}

void number_u64_print_padded(void *out, uint64_t v, unsigned digits)
{
    char *start = out;
    char *at = start + digits;
    for (; at - start >= 8; v /= 100000000) {
        at -= 8;
        put_eight(at, (uint32_t)(v % 100000000));
    }
    uint32_t rest = (uint32_t)v;
    for (; at - start >= 2; rest /= 100) {
        at -= 2;
        memcpy(at, pairs + rest % 100 * 2, 2);
    }
    if (at > start)
        *start = (char)('0' + rest % 10);
}

size_t number_u64_print(void *out, uint64_t v)
{
    unsigned digits = digit_count(v);
    number_u64_print_padded(out, v, digits);
    return digits;
}

size_t number_i64_print(void *out, int64_t v)
{
    char *at = out;
    if (v >= 0)
        return number_u64_print(at, (uint64_t)v);
    *at = '-';
    return 1 + number_u64_print(at + 1, 0 - (uint64_t)v);
}

// 1 if all eight bytes are '0'..'9'.
static int is_eight_digits(uint64_t chunk)
{
    return ((chunk & 0xf0f0f0f0f0f0f0f0u) | ((chunk + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4) ==
           0x3333333333333333u;
}

// Value of eight digits, the first in the lowest byte: neighbours are joined to pairs, pairs to fours, fours to all.
static uint64_t eight_digits(uint64_t chunk)
{
    chunk = (chunk & 0x0f0f0f0f0f0f0f0fu) * 2561 >> 8;
    chunk = (chunk & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
    return (chunk & 0x0000ffff0000ffffu) * 42949672960001u >> 32;
}

int number_u64_parse(const void *text, size_t len, uint64_t *out)
{
    const unsigned char *at = text;
    const unsigned char *end = len ? at + len : at;
    uint64_t v = 0;
    int overflow = 0;
    if (at != end && *at == '+')
        at++;
    if (at == end)
        return NUMBER_MALFORMED;
    // two blocks of eight cannot overflow, whatever they hold
    for (int block = 0; block < 2 && end - at >= 8; block++, at += 8) {
        uint64_t chunk;
        memcpy(&chunk, at, 8);
        if (!is_eight_digits(chunk))
            break;
        v = v * 100000000u + eight_digits(chunk);
    }
    for (; at < end; at++) {
        unsigned digit = *at - '0';
        if (digit > 9)
            return NUMBER_MALFORMED;
        overflow |= __builtin_mul_overflow(v, 10, &v);
        overflow |= __builtin_add_overflow(v, digit, &v);
    }
    if (overflow)
        return NUMBER_RANGE;
    *out = v;
    return NUMBER_OK;
}

int number_i64_parse(const void *text, size_t len, int64_t *out)
{
    const unsigned char *at = text;
    uint64_t v;
    if (!len)
        return NUMBER_MALFORMED;
    int negative = *at == '-';
    if (negative && len > 1 && at[1] == '+')
        return NUMBER_MALFORMED;
    int rc = number_u64_parse(at + negative, len - (size_t)negative, &v);
    if (rc < 0)
        return rc;
    if (v > (uint64_t)INT64_MAX + (uint64_t)negative)
        return NUMBER_RANGE;
    *out = (int64_t)(negative ? 0 - v : v);
    return NUMBER_OK;
}
