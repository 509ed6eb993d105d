// SPDX-License-Identifier: Apache-2.0
// Validation, counting and positions. The idea: most text is ASCII, so eight bytes are looked at as one word wherever
// possible; counting needs no decoding, since a code point is any byte that is not 10xxxxxx.
#include "utf8.h"

#include <endian.h>
#include <string.h>

#define TOP_BITS 0x8080808080808080u
#define LOW_BITS 0x0101010101010101u

static uint64_t load8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// Sum of the eight bytes, each 0 or 1.
static unsigned sum_bytes(uint64_t word)
{
    return (unsigned)(word * LOW_BITS >> 56);
}

// One in each byte that continues a code point.
static uint64_t continuations(uint64_t word)
{
    return word >> 7 & ~word >> 6 & LOW_BITS;
}

static int is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

// Length of the code point at a byte above 0x7F, 0 if there is none. The second byte's bounds exclude overlong forms,
// surrogates and what lies beyond U+10FFFF.
static unsigned sequence_length(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    if (first < 0xC2 || first > 0xF4 || left < 2 || !is_continuation(at[1]))
        return 0;
    if (first < 0xE0)
        return 2;
    if (left < 3 || !is_continuation(at[2]))
        return 0;
    if (first < 0xF0)
        return (first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) ? 0 : 3;
    if (left < 4 || !is_continuation(at[3]))
        return 0;
    return (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F) ? 0 : 4;
}

// 1 if a valid code point of three bytes stands at the front, told from four bytes read as one little-endian word: the
// byte patterns first, then the bits that would make it overlong (E0 80..9F) or a surrogate (ED A0..BF).
static int is_three_bytes(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    word = le32toh(word);
    return (word & 0xC0C0F0) == 0x8080E0 && (word & 0x200F) != 0 && (word & 0x200F) != 0x200D;
}

size_t utf8_valid_prefix(const void *text, size_t len)
{
    const uint8_t *at = text;
    size_t i = 0;
    while (i < len) {
        while (len - i >= 16 && !((load8(at + i) | load8(at + i + 8)) & TOP_BITS))
            i += 16;
        if (len - i >= 8 && !(load8(at + i) & TOP_BITS))
            i += 8;
        while (i < len && at[i] < 0x80)
            i++;
        // text that has left ASCII tends to stay outside for a while
        while (i < len && at[i] >= 0x80) {
            while (len - i >= 4 && is_three_bytes(at + i))
                i += 3;
            if (i == len || at[i] < 0x80)
                break;
            unsigned n = sequence_length(at + i, len - i);
            if (n == 0)
                return i;
            i += n;
        }
    }
    return len;
}

size_t utf8_count(const void *text, size_t len)
{
    const uint8_t *at = text;
    size_t count = len, i = 0;
    for (; len - i >= 8; i += 8)
        count -= sum_bytes(continuations(load8(at + i)));
    for (; i < len; i++)
        count -= (size_t)is_continuation(at[i]);
    return count;
}

size_t utf8_offset(const void *text, size_t len, size_t n)
{
    const uint8_t *at = text;
    size_t i = 0;
    if (n >= len)
        return len;
    // n more code points start before the answer
    for (; len - i >= 8; i += 8) {
        unsigned starts = 8 - sum_bytes(continuations(load8(at + i)));
        if (starts > n)
            break;
        n -= starts;
    }
    for (; i < len; i++) {
        if (is_continuation(at[i]))
            continue;
        if (n == 0)
            return i;
        n--;
    }
    return len;
}

uint32_t utf8_decode(const void *text, size_t len, unsigned *used)
{
    const uint8_t *at = text;
    if (len == 0) {
        *used = 0;
        return 0;
    }
    *used = 1;
    if (at[0] < 0x80)
        return at[0];
    unsigned n = sequence_length(at, len);
    if (n == 0)
        return UTF8_REPLACEMENT;
    *used = n;
    uint32_t code = at[0] & (0x7Fu >> n);
    for (unsigned i = 1; i < n; i++)
        code = code << 6 | (at[i] & 0x3Fu);
    return code;
}

unsigned utf8_encode(void *out, uint32_t code)
{
    uint8_t *at = out;
    if (code < 0x80) {
        at[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        at[0] = (uint8_t)(0xC0 | code >> 6);
        at[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = UTF8_REPLACEMENT;
    if (code < 0x10000) {
        at[0] = (uint8_t)(0xE0 | code >> 12);
        at[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        at[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    at[0] = (uint8_t)(0xF0 | code >> 18);
    at[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    at[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    at[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}
