// SPDX-License-Identifier: Apache-2.0
// Floating point numbers as text: samples recorded from Java 17, the accepted spellings, and, when given a file made by
// FloatOracle.java, a comparison with as many numbers as it holds.
#include "number.h"

#include <math.h>
#include <stdlib.h>

#include "table.h"

static double f64_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float f32_of(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void doubles_print_as_in_java(void **state)
{
    static const struct {
        const char *text;
        uint64_t bits;
    } rows[] = {
        {"0.0", UINT64_C(0x0000000000000000)},
        {"-0.0", UINT64_C(0x8000000000000000)},
        {"1.0", UINT64_C(0x3ff0000000000000)},
        {"-1.0", UINT64_C(0xbff0000000000000)},
        {"1.5", UINT64_C(0x3ff8000000000000)},
        {"0.1", UINT64_C(0x3fb999999999999a)},
        {"0.001", UINT64_C(0x3f50624dd2f1a9fc)},
        {"9.999E-4", UINT64_C(0x3f5061e273273f09)},
        {"1.0E-4", UINT64_C(0x3f1a36e2eb1c432d)},
        {"9999999.0", UINT64_C(0x416312cfe0000000)},
        {"1.0E7", UINT64_C(0x416312d000000000)},
        {"1.0000001E7", UINT64_C(0x416312d020000000)},
        {"1.23456789E7", UINT64_C(0x41678c29dccccccd)},
        {"123456.789", UINT64_C(0x40fe240c9fbe76c9)},
        {"100.0", UINT64_C(0x4059000000000000)},
        {"1.0E10", UINT64_C(0x4202a05f20000000)},
        {"1.0E19", UINT64_C(0x43e158e460913d00)},
        {"1.9999999999999998E23", UINT64_C(0x44c52d02c7e14af6)},
        {"9.999999999999999E22", UINT64_C(0x44b52d02c7e14af6)},
        {"8.409999999999999E21", UINT64_C(0x447c7e83209e90b2)},
        {"0.002", UINT64_C(0x3f60624dd2f1a9fc)},
        {"0.0011", UINT64_C(0x3f5205bc01a36e2f)},
        {"4.9E-324", UINT64_C(0x0000000000000001)},
        {"1.0E-323", UINT64_C(0x0000000000000002)},
        {"2.2250738585072014E-308", UINT64_C(0x0010000000000000)},
        {"2.225073858507201E-308", UINT64_C(0x000fffffffffffff)},
        {"1.7976931348623157E308", UINT64_C(0x7fefffffffffffff)},
        {"3.141592653589793", UINT64_C(0x400921fb54442d18)},
        {"0.3333333333333333", UINT64_C(0x3fd5555555555555)},
        {"2.9999999999999996", UINT64_C(0x4007ffffffffffff)},
        {"0.33333", UINT64_C(0x3fd555475a31a4be)},
        {"9.007199254740992E15", UINT64_C(0x4340000000000000)},
        {"4.503599627370498E15", UINT64_C(0x4330000000000002)},
        {"1.8014398509481984E16", UINT64_C(0x4350000000000000)},
        {"4.6116860184273879E18", UINT64_C(0x43d0000000000000)},
        {"9.223372036854776E18", UINT64_C(0x43e0000000000000)},
        {"-9.223372036854776E18", UINT64_C(0xc3e0000000000000)},
        {"5.6843418860808015E-14", UINT64_C(0x3d30000000000000)},
        {"1.2676506002282294E30", UINT64_C(0x4630000000000000)},
        {"99.99", UINT64_C(0x4058ff5c28f5c28f)},
        {"1234.56", UINT64_C(0x40934a3d70a3d70a)},
        {"0.3", UINT64_C(0x3fd3333333333333)},
        {"0.7", UINT64_C(0x3fe6666666666666)},
        {"4.35", UINT64_C(0x4011666666666666)},
        {"1.0E21", UINT64_C(0x444b1ae4d6e2ef50)},
        {"1.0E22", UINT64_C(0x4480f0cf064dd592)},
        {"2.82879384806159008E17", UINT64_C(0x438f67ea69ed3795)},
        {"1.38736413503775411E18", UINT64_C(0x43b340e8548b0adb)},
        {"1.45800632428664992E17", UINT64_C(0x43802fe738bf80c5)},
        {"5.0E-10", UINT64_C(0x3e012e0be826d695)},
        {"3.0E-44", UINT64_C(0x36e568a19263f40e)},
        {"NaN", UINT64_C(0x7ff8000000000000)},
        {"Infinity", UINT64_C(0x7ff0000000000000)},
        {"-Infinity", UINT64_C(0xfff0000000000000)},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[NUMBER_F64_MAX];
        check_text(rows[i].text, got, number_f64_print(got, f64_of(rows[i].bits)), rows[i].text);
    }
}

static void floats_print_as_in_java(void **state)
{
    static const struct {
        const char *text;
        uint32_t bits;
    } rows[] = {
        {"0.0", 0x00000000},           {"-0.0", 0x80000000},
        {"1.0", 0x3f800000},           {"1.5", 0x3fc00000},
        {"-2.25", 0xc0100000},         {"0.33333334", 0x3eaaaaab},
        {"0.1", 0x3dcccccd},           {"3.4028235E38", 0x7f7fffff},
        {"1.4E-45", 0x00000001},       {"1.0E7", 0x4b189680},
        {"9999999.0", 0x4b18967f},     {"0.001", 0x3a83126f},
        {"9.9E-4", 0x3a81c2e3},        {"1.6777216E7", 0x4b800000},
        {"3.3554432E7", 0x4c000000},   {"1.17549435E-38", 0x00800000},
        {"1.1754942E-38", 0x007fffff}, {"2.0E23", 0x66296816},
        {"123456.79", 0x47f12065},     {"0.3", 0x3e99999a},
        {"8.4999997E9", 0x4ffd51da},   {"2.0E10", 0x509502f9},
        {"7.888609E-31", 0x0d800000},  {"1.1529215E18", 0x5d800000},
        {"9.223372E18", 0x5f000000},   {"1.0E10", 0x501502f9},
        {"NaN", 0x7fc00000},           {"Infinity", 0x7f800000},
        {"-Infinity", 0xff800000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[NUMBER_F32_MAX];
        check_text(rows[i].text, got, number_f32_print(got, f32_of(rows[i].bits)), rows[i].text);
    }
}

#define ZEROS100 "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define ZEROS800 ZEROS100 ZEROS100 ZEROS100 ZEROS100 ZEROS100 ZEROS100 ZEROS100 ZEROS100

static void texts_are_read(void **state)
{
    static const struct {
        const char *text;
        double want;
    } rows[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"1", 1.0},
        {"+1.5", 1.5},
        {"5.", 5.0},
        {".5", 0.5},
        {"1e3", 1000.0},
        {"1E+3", 1000.0},
        {"-1.5E-3", -0.0015},
        {"1d", 1.0},
        {"1.5f", 1.5},
        {"1e3D", 1000.0},
        {"1.F", 1.0},
        {"0x1p3", 8.0},
        {"-0X1.8P-1", -0.75},
        {"0x.8p0d", 0.5},
        {"0x1p99999999999", INFINITY},
        {"Infinity", INFINITY},
        {"-Infinity", -INFINITY},
        {"1e400", INFINITY},
        {"-1e400", -INFINITY},
        {"1e-400", 0.0},
        {"1e99999999999999999999999999", INFINITY},
        {"1e-99999999999999999999999999", 0.0},
        {"0e99999999999", 0.0},
        {"0." ZEROS800 "1e801", 1.0},
        {"1" ZEROS800 "e-800", 1.0},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0" ZEROS800 "1", 9007199254740994.0},
        {"4.9E-324", 4.9E-324},
        {"2.4703282292062327e-324", 0.0},
        {"2.4703282292062328e-324", 4.9E-324},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"1.7976931348623159e308", INFINITY},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"0.1", 0.1},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"8.5e-22", 8.5e-22},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double got = 42;
        check_int(rows[i].text, number_f64_parse(rows[i].text, strlen(rows[i].text), &got), NUMBER_OK);
        if (memcmp(&got, &rows[i].want, sizeof got) != 0)
            fail_msg("%s: got %.17g, want %.17g", rows[i].text, got, rows[i].want);
    }
    double nan = 0;
    assert_int_equal(number_f64_parse("NaN", 3, &nan), NUMBER_OK);
    assert_true(isnan(nan));
}

static void floats_round_once(void **state)
{
    static const struct {
        const char *text;
        float want;
    } rows[] = {
        {"0.1", 0.1f},
        {"16777217", 16777216.0f},
        {"16777217.0000001", 16777218.0f}, // by way of a double it would be the other one
        {"1e10", 1e10f},
        {"3.4028235e38", 3.4028235e38f},
        {"3.4028236e38", INFINITY},
        {"1.4e-45", 1.4e-45f},
        {"-Infinity", -INFINITY},
        {"0x1p-149", 1.4e-45f},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        float got = 42;
        check_int(rows[i].text, number_f32_parse(rows[i].text, strlen(rows[i].text), &got), NUMBER_OK);
        if (memcmp(&got, &rows[i].want, sizeof got) != 0)
            fail_msg("%s: got %.9g, want %.9g", rows[i].text, (double)got, (double)rows[i].want);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const rows[] = {
        "",     "+",     "-",   ".",   "e5",  ".e5",   "1e",       "1e+",     "1.2.3",     "--1",  "+-1",
        " 1",   "1 ",    "1,0", "1_0", "inf", "nan",   "INFINITY", "NaNd",    "Infinityf", "0x1F", "0x1.8",
        "0xp3", "0x.p3", "0x",  "1dd", "d",   "1e5.0", "0x1p",     "0x1g p1", "1e3x",      "0b1",  "1fd"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        double got = 42;
        float got32 = 42;
        check_int(rows[i], number_f64_parse(rows[i], strlen(rows[i]), &got), NUMBER_MALFORMED);
        check_int(rows[i], number_f32_parse(rows[i], strlen(rows[i]), &got32), NUMBER_MALFORMED);
        assert_true(got == 42 && got32 == 42);
    }
    double got = 42;
    assert_int_equal(number_f64_parse("1\0", 2, &got), NUMBER_MALFORMED);
}

static const char *oracle; // the file named on the command line, NULL = none

// 1 if the line's number prints as Java printed it and reads back as the same bits.
static int check_line(char *line)
{
    char got[NUMBER_F64_MAX], *hex = line + 2, *text = strchr(hex, '\t') + 1;
    uint64_t bits = strtoull(hex, NULL, 16);
    size_t len, want = strcspn(text, "\n");
    double d = f64_of(bits), d_back = 0;
    float f = f32_of((uint32_t)bits), f_back = 0;
    if (*line == 'd') {
        len = number_f64_print(got, d);
        if (number_f64_parse(text, want, &d_back) < 0 || (d == d && memcmp(&d, &d_back, sizeof d) != 0))
            return 0;
    } else {
        len = number_f32_print(got, f);
        if (number_f32_parse(text, want, &f_back) < 0 || (f == f && memcmp(&f, &f_back, sizeof f) != 0))
            return 0;
    }
    return len == want && memcmp(got, text, len) == 0;
}

static void oracle_agrees(void **state)
{
    char line[128];
    size_t lines = 0, wrong = 0;
    FILE *in = oracle ? fopen(oracle, "r") : NULL;
    if (oracle && !in)
        fail_msg("cannot open %s", oracle);
    for (; in && fgets(line, sizeof line, in); lines++) {
        if (!check_line(line) && wrong++ < 10)
            print_message("differs: %s", line);
    }
    if (in) {
        fclose(in);
        print_message("%zu numbers compared\n", lines);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_print_as_in_java), cmocka_unit_test(floats_print_as_in_java),
        cmocka_unit_test(texts_are_read),           cmocka_unit_test(floats_round_once),
        cmocka_unit_test(other_texts_are_refused),  cmocka_unit_test(oracle_agrees),
    };
    oracle = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
