// SPDX-License-Identifier: Apache-2.0
// Numbers as text: 64-bit integers, and floating point numbers as Java 17 spells them.
//
// Texts are (pointer, length), never terminated; `void *` because callers hold them as char and as uint8_t. Printers
// write at most the NUMBER_*_MAX bytes named with them and return how many they wrote. Parsers take the whole text, so
// callers trim blanks first (number_trimmed) where their format allows them; on failure the output is untouched.
//
// Thread: any. Nothing is allocated, no locale is consulted.
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "leat/types.h"

#define NUMBER_OK        0
#define NUMBER_MALFORMED (-1) // not a number in the accepted spelling
#define NUMBER_RANGE     (-2) // a number, but too large for the type

#define NUMBER_I64_MAX 20 // "-9223372036854775808"
#define NUMBER_U64_MAX 20 // "18446744073709551615"

// Digits with a minus where needed, nothing else.
size_t number_i64_print(void *out, int64_t v);
size_t number_u64_print(void *out, uint64_t v);

// Exactly `digits` digits (1..19) with leading zeros; v must have no more. For fractions and fields of fixed width.
void number_u64_print_padded(void *out, uint64_t v, unsigned digits);

// [+-]digits, any number of leading zeros.
int number_i64_parse(const void *text, size_t len, int64_t *out);
int number_u64_parse(const void *text, size_t len, uint64_t *out);

// As Double.toString and Float.toString of Java 17 (and of every release since 1.1 up to 18): 1.0, 1.0E7, 9999999.0,
// 1.0E-4, -0.0, NaN, Infinity. These are the digits of Java's old algorithm, sometimes one more than the shortest that
// read back: 2.0E23 is 1.9999999999999998E23.
#define NUMBER_F64_MAX 32 // "-1.7976931348623157E308" and some room
#define NUMBER_F32_MAX 32
size_t number_f64_print(void *out, double v);
size_t number_f32_print(void *out, float v);

// As Double.parseDouble and Float.parseFloat: [+-] digits with a point anywhere or none, an exponent, a suffix f, F, d
// or D; hexadecimal 0x1.8p3; NaN and Infinity. No blanks (Java would trim them). Rounded once, to the nearest. A number
// too large is an infinity, one too small a zero, so OK and MALFORMED are the only results.
int number_f64_parse(const void *text, size_t len, double *out);
int number_f32_parse(const void *text, size_t len, float *out);

// As Java's trim, which its parsers of numbers begin with: every control character goes, too.
static inline struct leat_bytes number_trimmed(struct leat_bytes s)
{
    while (s.len && s.ptr[0] <= ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

#endif
