// SPDX-License-Identifier: Apache-2.0
// UTF-8: validation where text enters, and positions, lengths and case for text that is known to be valid.
//
// Texts are (pointer, length), never terminated; `void *` because callers hold them as char and as uint8_t. Functions
// that expect valid text give useless but bounded answers for other bytes: they never read or write outside.
// Thread: any. Nothing is allocated, no locale is consulted.
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_CHAR_MAX    4       // bytes of the longest code point
#define UTF8_CASE_GROWTH 3       // upper and lower need room for this many times the bytes they are given
#define UTF8_REPLACEMENT 0xFFFDu // what utf8_decode gives for bytes that are no code point

// Number of bytes up to the first one that is not part of a whole valid code point: len if all is valid. Overlong
// forms, surrogates and code points above U+10FFFF are not valid.
size_t utf8_valid_prefix(const void *text, size_t len);

static inline int utf8_valid(const void *text, size_t len)
{
    return utf8_valid_prefix(text, len) == len;
}

// Number of code points: SQL's CHAR_LENGTH.
size_t utf8_count(const void *text, size_t len);

// Where code point n (from 0) starts, in bytes; len if there are not more than n. This is also the length of the text
// cut to n code points.
size_t utf8_offset(const void *text, size_t len, size_t n);

// The code point at the front and its length in bytes. At bytes that are no code point: UTF8_REPLACEMENT, length 1; at
// the end: 0, length 0.
uint32_t utf8_decode(const void *text, size_t len, unsigned *used);

// Writes 1..4 bytes and returns how many. What is no code point is written as UTF8_REPLACEMENT.
unsigned utf8_encode(void *out, uint32_t code);

// Upper and lower case as Java's String has them without a locale, with the letters that become several ("ß" is "SS",
// "İ" is "i̇") and the final sigma. Bytes that are no code point are copied. out has room for UTF8_CASE_GROWTH * len
// bytes and does not overlap text. Returns the number of bytes written.
size_t utf8_upper(void *out, const void *text, size_t len);
size_t utf8_lower(void *out, const void *text, size_t len);

#endif
