// SPDX-License-Identifier: Apache-2.0
// Decimals to and from floating point numbers. The text is the bridge in both directions: it is what users see of a
// double, and reading it back rounds once. Small values need no text, since both sides of the division are exact.
#include <math.h>

#include "decimal_wide.h"
#include "number.h"

#define EXACT_VALUE ((leat_u128)1 << 53)
#define EXACT_SCALE 22 // 10^22 is the last power of ten that is a double

int decimal_from_f64(double v, unsigned precision, unsigned scale, leat_i128 *out)
{
    char text[NUMBER_F64_MAX];
    if (isnan(v))
        return DECIMAL_NAN;
    if (isinf(v))
        return v < 0 ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY;
    return decimal_parse(text, number_f64_print(text, v), precision, scale, out);
}

double decimal_to_f64(leat_i128 v, unsigned scale)
{
    char text[DECIMAL_TEXT_MAX];
    double d = 0;
    if (magnitude(v) <= EXACT_VALUE && scale <= EXACT_SCALE)
        return (double)(int64_t)v / (double)decimal_pow10[scale];
    (void)number_f64_parse(text, decimal_print(text, v, scale), &d); // a printed decimal is always well-formed
    return d;
}
