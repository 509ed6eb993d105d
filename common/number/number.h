// SPDX-License-Identifier: Apache-2.0
// Numbers as text: 64-bit integers to and from decimal digits.
//
// Texts are (pointer, length), never terminated; `void *` because callers hold them as char and as uint8_t. Printers
// write at most the NUMBER_*_MAX bytes named with them and return how many they wrote. Parsers take the whole text, so
// callers trim blanks first where their format allows them; on failure the output is untouched.
//
// Thread: any. Nothing is allocated, no locale is consulted.
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

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

#endif
