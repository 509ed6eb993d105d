// SPDX-License-Identifier: Apache-2.0
// The idea of the 64-bit hash: read the bytes as pairs of words, blur each word with a constant and multiply the pair
// to 128 bits; the folded product is the state that enters the next pair. Short inputs are one pair read from both
// ends, overlapping in the middle; long ones run three independent chains to keep the multiplier busy.
#include "hash.h"

#include <string.h>

#define KEY0 UINT64_C(0x396d592da43a4bc9)
#define KEY1 UINT64_C(0x93331be0642becc7)
#define KEY2 UINT64_C(0xc279378b1d3aa435)
#define KEY3 UINT64_C(0x6d49937178704dad)

static uint64_t load8(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t load4(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t step(const uint8_t *at, uint64_t state, uint64_t key)
{
    return hash_mix(load8(at) ^ key, load8(at + 8) ^ state);
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t first, last, state = seed ^ hash_mix(seed ^ KEY0, KEY1);
    if (len > 16) {
        size_t left = len;
        if (left > 48) {
            uint64_t one = state, two = state;
            for (; left > 48; at += 48, left -= 48) {
                state = step(at, state, KEY1);
                one = step(at + 16, one, KEY2);
                two = step(at + 32, two, KEY3);
            }
            state ^= one ^ two;
        }
        for (; left > 16; at += 16, left -= 16)
            state = step(at, state, KEY1);
        // the last pair ends where the text ends and may overlap what was read before
        first = load8(at + left - 16);
        last = load8(at + left - 8);
    } else if (len >= 8) {
        first = load8(at);
        last = load8(at + len - 8);
    } else if (len >= 4) {
        first = load4(at);
        last = load4(at + len - 4);
    } else if (len) {
        first = (uint64_t)at[0] << 16 | (uint64_t)at[len / 2] << 8 | at[len - 1];
        last = 0;
    } else {
        first = last = 0;
    }
    return hash_mix(KEY1 ^ len, hash_mix(first ^ KEY1, last ^ state) ^ KEY0);
}

uint32_t hash_murmur2(const void *bytes, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *at = bytes;
    uint32_t h = 0x9747b28cu ^ (uint32_t)len;
    for (; len >= 4; at += 4, len -= 4) {
        uint32_t k = (uint32_t)load4(at) * m;
        h = (h * m) ^ ((k ^ k >> 24) * m);
    }
    if (len == 3)
        h ^= (uint32_t)at[2] << 16;
    if (len >= 2)
        h ^= (uint32_t)at[1] << 8;
    if (len >= 1)
        h = (h ^ at[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}
