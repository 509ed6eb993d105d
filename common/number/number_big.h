// SPDX-License-Identifier: Apache-2.0
// Inside common/number only: integers of up to 2560 bits on the stack, as the digits of floating point numbers need
// them.
#ifndef COMMON_NUMBER_BIG_H
#define COMMON_NUMBER_BIG_H

#include <stdint.h>

// The largest number met is 10 * 5^324 * 2^60 scaled by at most 2^1100 on either side of a fraction.
#define BIG_WORDS 40

struct big {
    unsigned count;           // words in use; the last one is not 0
    uint64_t word[BIG_WORDS]; // low to high
};

// v * 5^fives * 2^twos.
void big_set(struct big *b, uint64_t v, unsigned fives, unsigned twos);

void big_multiply(struct big *b, uint64_t factor);
int big_compare(const struct big *a, const struct big *b);

// Compares a with b + c.
int big_compare_sum(const struct big *a, const struct big *b, const struct big *c);

// a / b, known to be below 10; a becomes the rest.
unsigned big_divide_digit(struct big *a, const struct big *b);

#endif
