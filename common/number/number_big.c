// SPDX-License-Identifier: Apache-2.0
// The few operations on long integers from which decimal digits are made. Words are 64 bits; numbers are built from
// powers of five and two, multiplied by small factors, compared and divided down to one digit.
#include "number_big.h"

#include <string.h>

__extension__ typedef unsigned __int128 word2;

#define FIVE_27 UINT64_C(7450580596923828125) // the largest power of five in a word

static void push(struct big *b, uint64_t word)
{
    if (word && b->count < BIG_WORDS)
        b->word[b->count++] = word;
}

void big_multiply(struct big *b, uint64_t factor)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < b->count; i++) {
        word2 product = (word2)b->word[i] * factor + carry;
        b->word[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    push(b, carry);
}

static void shift_left(struct big *b, unsigned bits)
{
    unsigned words = bits / 64;
    if (b->count == 0 || bits == 0)
        return;
    if (bits % 64)
        big_multiply(b, UINT64_C(1) << bits % 64);
    if (b->count + words > BIG_WORDS)
        words = BIG_WORDS - b->count;
    memmove(b->word + words, b->word, b->count * sizeof *b->word);
    memset(b->word, 0, words * sizeof *b->word);
    b->count += words;
}

void big_set(struct big *b, uint64_t v, unsigned fives, unsigned twos)
{
    b->count = 0;
    push(b, v);
    for (; fives >= 27; fives -= 27)
        big_multiply(b, FIVE_27);
    uint64_t rest = 1;
    for (; fives; fives--)
        rest *= 5;
    big_multiply(b, rest);
    shift_left(b, twos);
}

int big_compare(const struct big *a, const struct big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (unsigned i = a->count; i-- > 0;)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

int big_compare_sum(const struct big *a, const struct big *b, const struct big *c)
{
    struct big sum = {0};
    uint64_t carry = 0;
    unsigned longer = b->count > c->count ? b->count : c->count;
    for (unsigned i = 0; i < longer; i++) {
        word2 v = (word2)carry + (i < b->count ? b->word[i] : 0) + (i < c->count ? c->word[i] : 0);
        sum.word[i] = (uint64_t)v;
        carry = (uint64_t)(v >> 64);
    }
    sum.count = longer;
    push(&sum, carry);
    return big_compare(a, &sum);
}

// a -= b * factor, which is at most a.
static void subtract(struct big *a, const struct big *b, uint64_t factor)
{
    uint64_t carry = 0, borrow = 0;
    for (unsigned i = 0; i < a->count; i++) {
        word2 product = (word2)(i < b->count ? b->word[i] : 0) * factor + carry;
        carry = (uint64_t)(product >> 64);
        word2 difference = (word2)a->word[i] - (uint64_t)product - borrow;
        a->word[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    while (a->count && a->word[a->count - 1] == 0)
        a->count--;
}

unsigned big_divide_digit(struct big *a, const struct big *b)
{
    if (a->count < b->count)
        return 0;
    // a guess from the upper words which is never too large: the divisor is rounded up
    word2 top = a->word[b->count - 1];
    if (a->count > b->count)
        top |= (word2)a->word[b->count] << 64;
    unsigned digit = (unsigned)(top / ((word2)b->word[b->count - 1] + 1));
    if (digit)
        subtract(a, b, digit);
    for (; big_compare(a, b) >= 0; digit++)
        subtract(a, b, 1);
    return digit;
}
