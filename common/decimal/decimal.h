// SPDX-License-Identifier: Apache-2.0
// Exact decimals: DECIMAL(precision, scale) as an unscaled 128-bit integer, 12.34 as DECIMAL(4,2) being 1234.
//
// The value does not carry its type: precision (1..38) and scale (0..precision) are arguments, and every unscaled value
// passed in has at most 38 digits. Whatever must drop digits rounds HALF_UP (away from zero), as Flink does, unless a
// mode is asked for. Results say whether digits other than zero were dropped, so a caller can refuse silent rounding.
//
// Texts are (pointer, length), never terminated; `void *` because callers hold them as char and as uint8_t.
// Thread: any. Nothing is allocated, no locale is consulted. On failure outputs are untouched.
#ifndef COMMON_DECIMAL_H
#define COMMON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include <leat/types.h>

// What the fallible functions return: negative is failure.
#define DECIMAL_OK                0
#define DECIMAL_ROUNDED           1    // the result is there, but digits other than zero were dropped
#define DECIMAL_MALFORMED         (-1) // not a number in the accepted spelling
#define DECIMAL_RANGE             (-2) // a number that does not fit the precision
#define DECIMAL_ZERO              (-3) // division by zero
#define DECIMAL_NAN               (-4) // PostgreSQL's NaN, Infinity and -Infinity: numbers there, never here
#define DECIMAL_INFINITY          (-5)
#define DECIMAL_NEGATIVE_INFINITY (-6)

#define DECIMAL_TEXT_MAX 48 // room every printer needs; no text is longer than 42
#define DECIMAL_PG_MAX   32 // room for PostgreSQL's binary form

// How digits are dropped.
#define DECIMAL_HALF_UP 0 // to the nearest, ties away from zero
#define DECIMAL_DOWN    1 // towards zero
#define DECIMAL_FLOOR   2
#define DECIMAL_CEILING 3

// 10^0 .. 10^38.
extern const leat_u128 decimal_pow10[LEAT_DECIMAL_MAX + 1];

struct decimal_type {
    uint8_t precision;
    uint8_t scale;
};

// --- text (decimal_text.c)

// [+-]digits[.digits][e[+-]digits] with at least one digit before the exponent ("5." and ".5" are fine), of any length;
// the exponent must fit 32 bits. No blanks. Returns OK, ROUNDED, MALFORMED or RANGE.
int decimal_parse(const void *text, size_t len, unsigned precision, unsigned scale, leat_i128 *out);

// Plain with all digits of the scale: 1234 at scale 2 is "12.34", 5 at scale 3 "0.005".
size_t decimal_print(void *out, leat_i128 v, unsigned scale);

// Plain without the zeros at the end of the fraction: "100.000" is "100", "2.50" is "2.5", zero is "0".
size_t decimal_print_stripped(void *out, leat_i128 v, unsigned scale);

// As Java's BigDecimal.stripTrailingZeros().toString(): "1E+2", "2.7E-8", "0.005".
size_t decimal_print_java(void *out, leat_i128 v, unsigned scale);

// --- values (decimal_math.c)

static inline int decimal_fits(leat_i128 v, unsigned precision)
{
    leat_i128 limit = (leat_i128)decimal_pow10[precision];
    return v < limit && v > -limit;
}

// Number of decimal digits, 1 for zero.
unsigned decimal_digits(leat_i128 v);

// To another scale and precision. Returns OK, ROUNDED or RANGE.
int decimal_rescale(leat_i128 v, unsigned from_scale, unsigned precision, unsigned scale, leat_i128 *out);
int decimal_rescale_mode(leat_i128 v, unsigned from_scale, unsigned precision, unsigned scale, int mode,
                         leat_i128 *out);

// a (scale sa) op b (scale sb) as DECIMAL(to.precision, to.scale), rounded once. Returns OK, ROUNDED or RANGE, and ZERO
// for division by zero. The remainder has the sign of a, as in SQL and Java.
int decimal_add(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out);
int decimal_sub(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out);
int decimal_mul(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out);
int decimal_div(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out);
int decimal_mod(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb, struct decimal_type to, leat_i128 *out);

// -1, 0, 1 by value, whatever the scales: 1.0 equals 1.00.
int decimal_compare(leat_i128 a, unsigned sa, leat_i128 b, unsigned sb);

// OK or RANGE.
int decimal_from_i64(int64_t v, unsigned precision, unsigned scale, leat_i128 *out);

// The fraction is cut: OK, ROUNDED (it was not zero) or RANGE.
int decimal_to_i64(leat_i128 v, unsigned scale, int64_t *out);

// --- floating point (decimal_float.c)

// Through the text that Java prints for the number, as BigDecimal.valueOf: 0.1 is 0.1, 2.0E23 is
// 199999999999999980000000. OK, ROUNDED, RANGE, NAN, INFINITY or NEGATIVE_INFINITY.
int decimal_from_f64(double v, unsigned precision, unsigned scale, leat_i128 *out);

// The nearest double, rounded once.
double decimal_to_f64(leat_i128 v, unsigned scale);

// --- result types of Flink's arithmetic (decimal_math.c): above 38 digits the scale gives way, but not below 6

struct decimal_type decimal_add_type(struct decimal_type a, struct decimal_type b); // of + and -
struct decimal_type decimal_mul_type(struct decimal_type a, struct decimal_type b);
struct decimal_type decimal_div_type(struct decimal_type a, struct decimal_type b);
struct decimal_type decimal_mod_type(struct decimal_type a, struct decimal_type b);
struct decimal_type decimal_round_type(struct decimal_type a, int digits); // of ROUND(a, digits)

// --- wire form (decimal_wire.c)

// PostgreSQL's binary numeric: int16 groups, int16 weight, uint16 sign, uint16 display scale, then groups of four
// digits. Writes at most DECIMAL_PG_MAX bytes and returns how many.
size_t decimal_pg_write(void *out, leat_i128 v, unsigned scale);

// Any numeric of any length. Returns OK, ROUNDED, RANGE, MALFORMED, NAN, INFINITY or NEGATIVE_INFINITY.
int decimal_pg_read(const void *bytes, size_t len, unsigned precision, unsigned scale, leat_i128 *out);

#endif
