// SPDX-License-Identifier: Apache-2.0
// Integers as text: every length, both ends of the range, and what is no integer.
#include "number.h"

#include <inttypes.h>

#include "table.h"

static void every_length_prints_and_parses(void **state)
{
    char want[32], got[NUMBER_I64_MAX];
    uint64_t v = 1;
    for (int digits = 1; digits <= 20; digits++, v *= 10) {
        for (uint64_t n = v - 1; n != v + 2; n++) {
            int len = snprintf(want, sizeof want, "%" PRIu64, n);
            check_text(want, got, number_u64_print(got, n), want);
            uint64_t back = ~n;
            check_int(want, number_u64_parse(want, (size_t)len, &back), NUMBER_OK);
            assert_true(back == n);
        }
    }
}

static void signed_ends(void **state)
{
    static const int64_t values[] = {0, 7, -7, 10, -10, 99, 100, -12345678, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < COUNT(values); i++) {
        char want[32], got[NUMBER_I64_MAX];
        int len = snprintf(want, sizeof want, "%" PRId64, values[i]);
        check_text(want, got, number_i64_print(got, values[i]), want);
        int64_t back = 1;
        check_int(want, number_i64_parse(want, (size_t)len, &back), NUMBER_OK);
        check_int(want, back, values[i]);
    }
}

static void padded(void **state)
{
    char got[19];
    number_u64_print_padded(got, 42, 6);
    check_text("6", got, 6, "000042");
    number_u64_print_padded(got, 7, 1);
    check_text("1", got, 1, "7");
    number_u64_print_padded(got, 123, 3);
    check_text("3", got, 3, "123");
    number_u64_print_padded(got, 0, 19);
    check_text("19", got, 19, "0000000000000000000");
}

static void parse_judges(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int64_t value;
    } rows[] = {
        {"+42", 0, 42},
        {"-0", 0, 0},
        {"007", 0, 7},
        {"00000000000000000000000000000000042", 0, 42},
        {"-00000000000000000009223372036854775808", 0, INT64_MIN},
        {"12345678", 0, 12345678},
        {"1234567812345678", 0, 1234567812345678},
        {"9223372036854775808", NUMBER_RANGE, 0},
        {"-9223372036854775809", NUMBER_RANGE, 0},
        {"18446744073709551616", NUMBER_RANGE, 0},
        {"99999999999999999999999999", NUMBER_RANGE, 0},
        {"99999999999999999999999999x", NUMBER_MALFORMED, 0},
        {"", NUMBER_MALFORMED, 0},
        {"-", NUMBER_MALFORMED, 0},
        {"+", NUMBER_MALFORMED, 0},
        {"-+1", NUMBER_MALFORMED, 0},
        {"--1", NUMBER_MALFORMED, 0},
        {"+-1", NUMBER_MALFORMED, 0},
        {" 1", NUMBER_MALFORMED, 0},
        {"1 ", NUMBER_MALFORMED, 0},
        {"1.0", NUMBER_MALFORMED, 0},
        {"1234567/", NUMBER_MALFORMED, 0},
        {"1234567:", NUMBER_MALFORMED, 0},
        {"12345678:", NUMBER_MALFORMED, 0},
        {"1234\xb0"
         "678",
         NUMBER_MALFORMED, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = 0;
        check_int(rows[i].text, number_i64_parse(rows[i].text, strlen(rows[i].text), &got), rows[i].rc);
        check_int(rows[i].text, got, rows[i].value);
    }
}

static void trimming_takes_blanks_and_control_characters(void **state)
{
    static const char *const rows[][2] = {{" \t\r\n42\x01 ", "42"}, {"4 2", "4 2"}, {"\x1f", ""}, {"", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leat_bytes got = number_trimmed(leat_text(rows[i][0]));
        check_text(rows[i][0], (const char *)got.ptr, got.len, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_prints_and_parses),
        cmocka_unit_test(signed_ends),
        cmocka_unit_test(padded),
        cmocka_unit_test(parse_judges),
        cmocka_unit_test(trimming_takes_blanks_and_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
