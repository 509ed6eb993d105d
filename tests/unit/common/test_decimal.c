// SPDX-License-Identifier: Apache-2.0
// Decimals: text forms, rounding, arithmetic up to 256 bits, result types and wire forms, each as a table.
// Unscaled values stand in the tables as text at scale 0, since C has no 128-bit literals.
#include "decimal.h"

#include <math.h>

#include "table.h"

static leat_i128 unscaled(const char *text)
{
    leat_i128 v = 0;
    if (decimal_parse(text, strlen(text), 38, 0, &v) != DECIMAL_OK)
        fail_msg("bad unscaled value in a table: %s", text);
    return v;
}

// The outcome as text: the plain value, with "~" in front if rounded, or the name of the failure.
static void outcome(char *out, int rc, leat_i128 v, unsigned scale)
{
    static const char *const names[] = {"malformed", "range", "zero", "nan", "infinity", "-infinity"};
    if (rc < 0) {
        strcpy(out, names[-1 - rc]);
        return;
    }
    char *at = out;
    if (rc == DECIMAL_ROUNDED)
        *at++ = '~';
    at[decimal_print(at, v, scale)] = 0;
}

static void check_outcome(const char *row, int rc, leat_i128 v, unsigned scale, const char *want)
{
    char got[DECIMAL_TEXT_MAX + 2];
    outcome(got, rc, v, scale);
    check_text(row, got, strlen(got), want);
}

static void parse(void **state)
{
    static const struct {
        const char *text;
        unsigned precision, scale;
        const char *want;
    } rows[] = {
        {"0", 1, 0, "0"},
        {"-0", 3, 2, "0.00"},
        {"0.000", 2, 2, "0.00"},
        {"12.34", 4, 2, "12.34"},
        {"+12.34", 4, 2, "12.34"},
        {"-12.34", 10, 4, "-12.3400"},
        {"007", 1, 0, "7"},
        {".5", 2, 1, "0.5"},
        {"5.", 2, 1, "5.0"},
        {"1e3", 10, 2, "1000.00"},
        {"1E+3", 10, 2, "1000.00"},
        {"-1.5E-3", 10, 4, "-0.0015"},
        {"-1.5E-3", 10, 3, "~-0.002"},
        {"1.005", 4, 2, "~1.01"},
        {"1.00499999999999999999999999", 4, 2, "~1.00"},
        {"-2.5", 2, 0, "~-3"},
        {"2.4999", 2, 0, "~2"},
        {"0.5", 1, 0, "~1"},
        {"0.05", 1, 0, "~0"},
        {"0.4999999999999999999999999999999999999999999999999999999", 1, 0, "~0"},
        {"9.5", 1, 0, "range"},
        {"9.4", 1, 0, "~9"},
        {"99.995", 4, 2, "range"},
        {"100", 4, 2, "range"},
        {"100", 2, 0, "range"},
        {"1e2", 2, 0, "range"},
        {"1e2147483647", 38, 0, "range"},
        {"1e-2147483647", 38, 0, "~0"},
        {"0e2147483647", 38, 0, "0"},
        {"1e2147483648", 38, 0, "malformed"},
        {"100000000000000000000000000000000000000000000000000e-50", 1, 0, "1"},
        {"0.00000000000000000000000000000000000000000000000001e+50", 1, 0, "1"},
        {"000000000000000000000000000000000000000000000000000000000000.10", 2, 2, "0.10"},
        {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
        {"-99999999999999999999999999999999999999", 38, 0, "-99999999999999999999999999999999999999"},
        {"100000000000000000000000000000000000000", 38, 0, "range"},
        {"0.00000000000000000000000000000000000001", 38, 38, "0.00000000000000000000000000000000000001"},
        {"0.000000000000000000000000000000000000015", 38, 38, "~0.00000000000000000000000000000000000002"},
        {"12345678901234567890.123456789012345678", 38, 18, "12345678901234567890.123456789012345678"},
        {"9999999999999999999", 19, 0, "9999999999999999999"},
        {"999999999999999999.9", 19, 1, "999999999999999999.9"},
        {"", 10, 2, "malformed"},
        {"-", 10, 2, "malformed"},
        {".", 10, 2, "malformed"},
        {"-.", 10, 2, "malformed"},
        {"+-1", 10, 2, "malformed"},
        {"1.2.3", 10, 2, "malformed"},
        {"1e", 10, 2, "malformed"},
        {"1e+", 10, 2, "malformed"},
        {"1e1.5", 10, 2, "malformed"},
        {"e5", 10, 2, "malformed"},
        {".e5", 10, 2, "malformed"},
        {" 1", 10, 2, "malformed"},
        {"1 ", 10, 2, "malformed"},
        {"1,000", 10, 2, "malformed"},
        {"0x10", 10, 2, "malformed"},
        {"NaN", 10, 2, "malformed"},
        {"123456789012345678901234567890x", 38, 2, "malformed"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_i128 v = 77;
        int rc = decimal_parse(rows[i].text, strlen(rows[i].text), rows[i].precision, rows[i].scale, &v);
        if (rc < 0)
            assert_true(v == 77);
        check_outcome(rows[i].text, rc, v, rows[i].scale, rows[i].want);
    }
}

static void print(void **state)
{
    static const struct {
        const char *value;
        unsigned scale;
        const char *plain, *stripped, *java;
    } rows[] = {
        {"0", 0, "0", "0", "0"},
        {"0", 10, "0.0000000000", "0", "0"},
        {"5", 3, "0.005", "0.005", "0.005"},
        {"-5", 3, "-0.005", "-0.005", "-0.005"},
        {"1234", 2, "12.34", "12.34", "12.34"},
        {"-1234", 4, "-0.1234", "-0.1234", "-0.1234"},
        {"100000", 3, "100.000", "100", "1E+2"},
        {"250", 2, "2.50", "2.5", "2.5"},
        {"100", 0, "100", "100", "1E+2"},
        {"1200", 0, "1200", "1200", "1.2E+3"},
        {"-1200", 1, "-120.0", "-120", "-1.2E+2"},
        {"10", 1, "1.0", "1", "1"},
        {"27", 9, "0.000000027", "0.000000027", "2.7E-8"},
        {"270", 10, "0.0000000270", "0.000000027", "2.7E-8"},
        {"1", 6, "0.000001", "0.000001", "0.000001"},
        {"1", 7, "0.0000001", "0.0000001", "1E-7"},
        {"12", 7, "0.0000012", "0.0000012", "0.0000012"},
        {"18446744073709551615", 0, "18446744073709551615", "18446744073709551615", "18446744073709551615"},
        {"18446744073709551616", 10, "1844674407.3709551616", "1844674407.3709551616", "1844674407.3709551616"},
        {"99999999999999999999999999999999999999", 38, "0.99999999999999999999999999999999999999",
         "0.99999999999999999999999999999999999999", "0.99999999999999999999999999999999999999"},
        {"-1", 38, "-0.00000000000000000000000000000000000001", "-0.00000000000000000000000000000000000001", "-1E-38"},
        {"10000000000000000000000000000000000000", 0, "10000000000000000000000000000000000000",
         "10000000000000000000000000000000000000", "1E+37"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[DECIMAL_TEXT_MAX];
        leat_i128 v = unscaled(rows[i].value);
        check_text(rows[i].value, got, decimal_print(got, v, rows[i].scale), rows[i].plain);
        check_text(rows[i].value, got, decimal_print_stripped(got, v, rows[i].scale), rows[i].stripped);
        check_text(rows[i].value, got, decimal_print_java(got, v, rows[i].scale), rows[i].java);
    }
}

static void rescale(void **state)
{
    static const struct {
        const char *value;
        unsigned from, precision, to;
        int mode;
        const char *want;
    } rows[] = {
        {"1234", 2, 4, 2, DECIMAL_HALF_UP, "12.34"},
        {"1234", 2, 6, 4, DECIMAL_HALF_UP, "12.3400"},
        {"1234", 2, 5, 4, DECIMAL_HALF_UP, "range"},
        {"0", 0, 1, 1, DECIMAL_HALF_UP, "0.0"},
        {"0", 0, 38, 38, DECIMAL_HALF_UP, "0.00000000000000000000000000000000000000"},
        {"1", 0, 38, 38, DECIMAL_HALF_UP, "range"},
        {"1250", 2, 4, 1, DECIMAL_HALF_UP, "12.5"},
        {"1255", 2, 4, 1, DECIMAL_HALF_UP, "~12.6"},
        {"-1255", 2, 4, 1, DECIMAL_HALF_UP, "~-12.6"},
        {"-1254", 2, 4, 1, DECIMAL_HALF_UP, "~-12.5"},
        {"-1259", 2, 4, 1, DECIMAL_DOWN, "~-12.5"},
        {"-1251", 2, 4, 1, DECIMAL_FLOOR, "~-12.6"},
        {"1259", 2, 4, 1, DECIMAL_FLOOR, "~12.5"},
        {"-1259", 2, 4, 1, DECIMAL_CEILING, "~-12.5"},
        {"1251", 2, 4, 1, DECIMAL_CEILING, "~12.6"},
        {"1250", 2, 4, 1, DECIMAL_CEILING, "12.5"},
        {"99", 1, 1, 0, DECIMAL_HALF_UP, "range"},
        {"99", 1, 1, 0, DECIMAL_DOWN, "~9"},
        {"49999999999999999999999999999999999999", 38, 1, 0, DECIMAL_HALF_UP, "~0"},
        {"50000000000000000000000000000000000000", 38, 1, 0, DECIMAL_HALF_UP, "~1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_i128 v = 0;
        int rc = decimal_rescale_mode(unscaled(rows[i].value), rows[i].from, rows[i].precision, rows[i].to,
                                      rows[i].mode, &v);
        check_outcome(rows[i].value, rc, v, rows[i].to, rows[i].want);
    }
}

#define NINES38 "99999999999999999999999999999999999999"
#define NINES37 "9999999999999999999999999999999999999"
#define TEN37   "10000000000000000000000000000000000000"

static void arithmetic(void **state)
{
    static const struct {
        const char *a;
        unsigned sa;
        char op;
        const char *b;
        unsigned sb;
        struct decimal_type to;
        const char *want;
    } rows[] = {
        {"12345", 2, '+', "1", 0, {12, 2}, "124.45"},
        {"12345", 2, '-', "123450", 3, {12, 3}, "0.000"},
        {"-12345", 2, '+', "5", 3, {12, 2}, "~-123.45"},
        {"-12345", 2, '-', "5", 3, {12, 2}, "~-123.46"},
        {NINES38, 0, '+', "1", 0, {38, 0}, "range"},
        {NINES38, 0, '-', NINES38, 0, {38, 0}, "0"},
        {NINES38, 0, '+', "-" NINES38, 0, {38, 0}, "0"},
        {NINES38, 0, '-', "1", 38, {38, 0}, "~" NINES38},
        {NINES37, 0, '+', "5", 1, {38, 0}, "~" TEN37},
        {"1", 38, '-', NINES38, 0, {38, 6}, "range"},
        {"1", 38, '-', NINES37, 0, {38, 0}, "~-" NINES37},
        {NINES38, 38, '+', NINES38, 38, {38, 37}, "~2.0000000000000000000000000000000000000"},
        {"12345", 2, '*', "10", 1, {16, 3}, "123.450"},
        {"-12345", 2, '*', "3", 0, {16, 2}, "-370.35"},
        {"-5", 1, '*', "-5", 1, {3, 1}, "~0.3"},
        {NINES38, 0, '*', "1", 0, {38, 0}, NINES38},
        {NINES38, 0, '*', "10", 0, {38, 0}, "range"},
        {NINES38, 0, '*', NINES38, 0, {38, 0}, "range"},
        {NINES38, 38, '*', NINES38, 38, {38, 37}, "~1.0000000000000000000000000000000000000"},
        {NINES38, 18, '*', NINES38, 18, {38, 0}, "range"},
        {"12345678901234567890123456789012345678",
         18,
         '*',
         "1000000000000000001",
         18,
         {38, 17},
         "~12345678901234567902.46913569024691357"},
        {"1", 38, '*', "1", 38, {38, 38}, "~0.00000000000000000000000000000000000000"},
        {"0", 38, '*', "1", 38, {38, 38}, "0.00000000000000000000000000000000000000"},
        {"12345", 2, '/', "42", 0, {16, 13}, "~2.9392857142857"},
        {"1", 0, '/', "3", 0, {38, 6}, "~0.333333"},
        {"2", 0, '/', "3", 0, {38, 6}, "~0.666667"},
        {"-1", 0, '/', "8", 0, {38, 2}, "~-0.13"},
        {"10", 0, '/', "4", 0, {38, 6}, "2.500000"},
        {"1", 0, '/', "0", 2, {38, 6}, "zero"},
        {NINES38, 0, '/', "1", 38, {38, 38}, "range"},
        {NINES38, 38, '/', NINES38, 0, {38, 38}, "0.00000000000000000000000000000000000001"},
        {NINES38, 38, '/', NINES38, 0, {38, 37}, "~0.0000000000000000000000000000000000000"},
        {NINES38, 0, '/', NINES38, 0, {38, 37}, "1.0000000000000000000000000000000000000"},
        {NINES37, 0, '/', NINES38, 0, {38, 38}, "~0.09999999999999999999999999999999999999"},
        {"12345678901234567890123456789",
         0,
         '/',
         "98765432109876543210987",
         0,
         {38, 20},
         "~124999.99886093750001423911"},
        {"1", 0, '/', "3", 38, {38, 0}, "~33333333333333333333333333333333333333"},
        {"1", 38, '/', "3", 0, {38, 0}, "~0"},
        {"0", 38, '/', "3", 0, {38, 0}, "0"},
        {"7", 0, '%', "3", 0, {10, 0}, "1"},
        {"-7", 0, '%', "3", 0, {10, 0}, "-1"},
        {"7", 0, '%', "-3", 0, {10, 0}, "1"},
        {"12345", 2, '%', "7", 0, {12, 2}, "4.45"},
        {"5", 0, '%', "15", 1, {12, 1}, "0.5"},
        {"5", 38, '%', NINES38, 0, {38, 38}, "0.00000000000000000000000000000000000005"},
        {NINES38, 0, '%', "7", 38, {38, 38}, "0.00000000000000000000000000000000000002"},
        {"7", 0, '%', "0", 0, {10, 0}, "zero"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_i128 a = unscaled(rows[i].a), b = unscaled(rows[i].b), v = 0;
        char name[160];
        snprintf(name, sizeof name, "%s (%u) %c %s (%u)", rows[i].a, rows[i].sa, rows[i].op, rows[i].b, rows[i].sb);
        int rc = 0;
        if (rows[i].op == '+')
            rc = decimal_add(a, rows[i].sa, b, rows[i].sb, rows[i].to, &v);
        else if (rows[i].op == '-')
            rc = decimal_sub(a, rows[i].sa, b, rows[i].sb, rows[i].to, &v);
        else if (rows[i].op == '*')
            rc = decimal_mul(a, rows[i].sa, b, rows[i].sb, rows[i].to, &v);
        else if (rows[i].op == '/')
            rc = decimal_div(a, rows[i].sa, b, rows[i].sb, rows[i].to, &v);
        else
            rc = decimal_mod(a, rows[i].sa, b, rows[i].sb, rows[i].to, &v);
        check_outcome(name, rc, v, rows[i].to.scale, rows[i].want);
    }
}

static void compare(void **state)
{
    static const struct {
        const char *a;
        unsigned sa;
        const char *b;
        unsigned sb;
        int want;
    } rows[] = {
        {"10", 1, "100", 2, 0},    {"10", 1, "101", 2, -1},        {"-10", 1, "-101", 2, 1},
        {"-1", 0, "1", 38, -1},    {"1", 38, "-1", 0, 1},          {"0", 0, "0", 38, 0},
        {NINES38, 0, "1", 38, 1},  {"-" NINES38, 0, "1", 38, -1},  {"-1", 38, "-" NINES38, 0, 1},
        {"1", 38, NINES38, 0, -1}, {NINES38, 38, "1", 0, -1},      {"5", 0, "3", 0, 1},
        {"0", 5, "1", 38, -1},     {"-" NINES38, 0, "-1", 38, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_int(rows[i].a, decimal_compare(unscaled(rows[i].a), rows[i].sa, unscaled(rows[i].b), rows[i].sb),
                  rows[i].want);
}

static void integers(void **state)
{
    leat_i128 v = 0;
    int64_t n = 0;
    int rc;
    rc = decimal_from_i64(42, 10, 2, &v);
    check_outcome("42", rc, v, 2, "42.00");
    rc = decimal_from_i64(INT64_MIN, 19, 0, &v);
    check_outcome("min", rc, v, 0, "-9223372036854775808");
    rc = decimal_from_i64(100, 4, 2, &v);
    check_outcome("wide", rc, v, 2, "range");
    check_int("cut", decimal_to_i64(-3999, 3, &n), DECIMAL_ROUNDED);
    check_int("cut", n, -3);
    check_int("whole", decimal_to_i64(4000, 3, &n), DECIMAL_OK);
    check_int("whole", n, 4);
    check_int("2^63", decimal_to_i64(unscaled("9223372036854775808"), 0, &n), DECIMAL_RANGE);
    check_int("-2^63", decimal_to_i64(unscaled("-9223372036854775808"), 0, &n), DECIMAL_OK);
    check_int("-2^63", n, INT64_MIN);
    check_int("digits of 0", decimal_digits(0), 1);
    check_int("digits of 10^37", decimal_digits(unscaled(TEN37)), 38);
    check_int("digits of 10^37-1", decimal_digits(unscaled("-" NINES37)), 37);
    assert_true(decimal_fits(99, 2) && !decimal_fits(100, 2) && !decimal_fits(-100, 2) && decimal_fits(-99, 2));
}

static void floating_point(void **state)
{
    static const struct {
        double v;
        unsigned precision, scale;
        const char *want;
    } rows[] = {
        {0.1, 10, 2, "0.10"},
        {-0.0, 10, 2, "0.00"},
        {2.675, 10, 2, "~2.68"},
        {-2.5, 3, 0, "~-3"},
        {1e10, 38, 0, "10000000000"},
        {2.0E23, 38, 0, "199999999999999980000000"},
        {1.5e-7, 38, 18, "0.000000150000000000"},
        {1e300, 38, 0, "range"},
        {4.9E-324, 38, 38, "~0.00000000000000000000000000000000000000"},
        {(double)NAN, 38, 0, "nan"},
        {(double)INFINITY, 38, 0, "infinity"},
        {-(double)INFINITY, 38, 0, "-infinity"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_i128 v = 0;
        int rc = decimal_from_f64(rows[i].v, rows[i].precision, rows[i].scale, &v);
        check_outcome(rows[i].want, rc, v, rows[i].scale, rows[i].want);
    }
    static const struct {
        const char *value;
        unsigned scale;
        double want;
    } back[] = {
        {"1234", 2, 12.34},
        {"-1", 1, -0.1},
        {"0", 5, 0.0},
        {"9007199254740993", 0, 9007199254740992.0},
        {"12345678901234567890123456789012345678", 18, 12345678901234567890.123456789012345678},
        {NINES38, 38, 1.0},
        {"1", 38, 1e-38},
    };
    for (size_t i = 0; i < COUNT(back); i++)
        if (decimal_to_f64(unscaled(back[i].value), back[i].scale) != back[i].want)
            fail_msg("%s: not %.17g", back[i].value, back[i].want);
}

static void result_types(void **state)
{
    static const struct {
        const char *name;
        struct decimal_type (*of)(struct decimal_type, struct decimal_type);
        struct decimal_type a, b, want;
    } rows[] = {
        {"5,2 + 10,0", decimal_add_type, {5, 2}, {10, 0}, {13, 2}},
        {"38,0 + 38,0", decimal_add_type, {38, 0}, {38, 0}, {38, 0}},
        {"38,18 + 38,10", decimal_add_type, {38, 18}, {38, 10}, {38, 9}},
        {"38,0 + 38,38", decimal_add_type, {38, 0}, {38, 38}, {38, 6}},
        {"5,2 * 10,0", decimal_mul_type, {5, 2}, {10, 0}, {16, 2}},
        {"38,18 * 38,18", decimal_mul_type, {38, 18}, {38, 18}, {38, 6}},
        {"38,2 * 38,2", decimal_mul_type, {38, 2}, {38, 2}, {38, 4}},
        {"5,2 / 10,0", decimal_div_type, {5, 2}, {10, 0}, {16, 13}},
        {"1,0 / 1,0", decimal_div_type, {1, 0}, {1, 0}, {7, 6}},
        {"38,18 / 38,18", decimal_div_type, {38, 18}, {38, 18}, {38, 6}},
        {"5,2 mod 10,0", decimal_mod_type, {5, 2}, {10, 0}, {5, 2}},
        {"10,0 mod 3,2", decimal_mod_type, {10, 0}, {3, 2}, {3, 2}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decimal_type got = rows[i].of(rows[i].a, rows[i].b);
        check_int(rows[i].name, got.precision, rows[i].want.precision);
        check_int(rows[i].name, got.scale, rows[i].want.scale);
    }
    struct decimal_type r = decimal_round_type((struct decimal_type){10, 2}, 1);
    check_int("round(10,2; 1)", r.precision * 100 + r.scale, 1001);
    r = decimal_round_type((struct decimal_type){10, 2}, -1);
    check_int("round(10,2; -1)", r.precision * 100 + r.scale, 900);
    r = decimal_round_type((struct decimal_type){10, 2}, 2);
    check_int("round(10,2; 2)", r.precision * 100 + r.scale, 1002);
    r = decimal_round_type((struct decimal_type){38, 0}, -1);
    check_int("round(38,0; -1)", r.precision * 100 + r.scale, 3800);
}

static void pg_numeric_bytes(void **state)
{
    static const struct {
        const char *value;
        unsigned scale;
        const char *want; // hexadecimal: number of groups, weight, sign, display scale, groups
    } rows[] = {
        {"0", 2, "0000 0000 0000 0002"},
        {"1234", 2, "0002 0000 0000 0002 000c 0d48"},
        {"-1234", 2, "0002 0000 4000 0002 000c 0d48"},
        {"10000", 0, "0001 0001 0000 0000 0001"},
        {"5", 4, "0001 ffff 0000 0004 0005"},
        {"5", 6, "0001 fffe 0000 0006 01f4"},
        {"123456789", 0, "0003 0002 0000 0000 0001 0929 1a85"},
        {"1", 38, "0001 fff6 0000 0026 0064"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[DECIMAL_PG_MAX];
        char hex[DECIMAL_PG_MAX * 3] = "";
        size_t len = decimal_pg_write(bytes, unscaled(rows[i].value), rows[i].scale);
        for (size_t j = 0; j < len; j++)
            sprintf(hex + strlen(hex), j % 2 == 0 && j ? " %02x" : "%02x", bytes[j]);
        check_text(rows[i].value, hex, strlen(hex), rows[i].want);
    }
}

static void wire_forms_round_trip(void **state)
{
    static const char *const values[] = {"0",   "1",   "-1",     "9999",  "10000",       "-100000001",
                                         "127", "128", "-128",   "-129",  "32768",       "18446744073709551615",
                                         "255", "256", "-32768", NINES38, ("-" NINES38), "18446744073709551616",
                                         TEN37};
    for (size_t i = 0; i < COUNT(values); i++) {
        leat_i128 v = unscaled(values[i]), back = 1;
        uint8_t bytes[DECIMAL_PG_MAX];
        for (unsigned scale = 0; scale <= 38; scale++) {
            size_t len = decimal_pg_write(bytes, v, scale);
            check_int(values[i], decimal_pg_read(bytes, len, 38, scale, &back), DECIMAL_OK);
            assert_true(back == v);
        }
    }
}

static void pg_numeric_is_judged(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        unsigned precision, scale;
        const char *want;
    } rows[] = {
        {"nan", "\0\0\0\0\xc0\0\0\0", 8, 10, 2, "nan"},
        {"infinity", "\0\0\0\0\xd0\0\0\x20", 8, 10, 2, "infinity"},
        {"-infinity", "\0\0\0\0\xf0\0\0\x20", 8, 10, 2, "-infinity"},
        {"12.34 rounded", "\0\2\0\0\0\0\0\2\0\x0c\x0d\x48", 12, 10, 1, "~12.3"},
        {"12.34 widened", "\0\2\0\0\0\0\0\2\0\x0c\x0d\x48", 12, 10, 3, "12.340"},
        {"12.34 too narrow", "\0\2\0\0\0\0\0\2\0\x0c\x0d\x48", 12, 3, 2, "range"},
        {"10^40000", "\0\1\x27\x10\0\0\0\0\0\1", 10, 38, 0, "range"},
        {"10^-40000", "\0\1\xd8\xf0\0\0\0\0\0\1", 10, 38, 0, "~0"},
        {"zero groups ahead", "\0\2\0\1\0\0\0\0\0\0\0\5", 12, 1, 0, "5"},
        {"group above 9999", "\0\1\0\0\0\0\0\0\x27\x10", 10, 38, 0, "malformed"},
        {"unknown sign", "\0\0\0\0\x12\0\0\0", 8, 10, 2, "malformed"},
        {"short header", "\0\0\0\0\0\0\0", 7, 10, 2, "malformed"},
        {"groups missing", "\0\2\0\0\0\0\0\0\0\1", 10, 10, 2, "malformed"},
        {"bytes left", "\0\0\0\0\0\0\0\0\0", 9, 10, 2, "malformed"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_i128 v = 0;
        int rc = decimal_pg_read(rows[i].bytes, rows[i].len, rows[i].precision, rows[i].scale, &v);
        check_outcome(rows[i].name, rc, v, rows[i].scale, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(print),
        cmocka_unit_test(rescale),
        cmocka_unit_test(compare),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(integers),
        cmocka_unit_test(floating_point),
        cmocka_unit_test(result_types),
        cmocka_unit_test(pg_numeric_bytes),
        cmocka_unit_test(wire_forms_round_trip),
        cmocka_unit_test(pg_numeric_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
