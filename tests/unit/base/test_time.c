// SPDX-License-Identifier: Apache-2.0
// Durations and sizes, read and printed; the wall clock's text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <string.h>

#include "base/time.h"

#define S BASE_SECOND

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        leat_usec want; // -1 = refused
    } cases[] = {
        {"10s", 10 * S},
        {"10 s", 10 * S},
        {"500ms", S / 2},
        {"500", S / 2},
        {"1 min", 60 * S},
        {"1h 30min", 5400 * S},
        {"1h30m", 5400 * S},
        {"2 days", 172800 * S},
        {"3 HOURS", 10800 * S},
        {"7us", 7},
        {"7\xc2\xb5s", 7},
        {" 0 ", 0},
        {"1 second", S},
        {"", -1},
        {"s", -1},
        {"-1s", -1},
        {"1.5s", -1},
        {"1x", -1},
        {"1s 5", -1},
        {"1s,", -1},
        {"99999999999999999999s", -1},
        {"9223372036854775807d", -1},
        {"5 5", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        leat_usec got = -1;
        const char *why = base_duration_parse(cases[i].text, strlen(cases[i].text), &got);
        if (got != cases[i].want || (why == NULL) != (cases[i].want >= 0))
            fail_msg("\"%s\" gave %lld (%s)", cases[i].text, (long long)got, why ? why : "fine");
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"64MiB", 64 << 20},        {"64 kb", 64 << 10},          {"1g", 1 << 30},  {"17", 17}, {"3 bytes", 3},
        {"1 tb", INT64_C(1) << 40}, {"1gb 1k", (1 << 30) + 1024}, {"9999999t", -1}, {"1q", -1}, {"-3", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = -1;
        const char *why = base_size_parse(cases[i].text, strlen(cases[i].text), &got);
        if (got != cases[i].want || (why == NULL) != (cases[i].want >= 0))
            fail_msg("\"%s\" gave %lld (%s)", cases[i].text, (long long)got, why ? why : "fine");
    }
}

static void test_printed_text_reads_back(void **state)
{
    static const struct {
        leat_usec usec;
        const char *want;
    } cases[] = {{0, "0s"},
                 {1500000, "1500ms"},
                 {5400 * S, "1h30min"},
                 {90061 * S, "1d1h1min1s"},
                 {1000001, "1000001us"},
                 {INT64_MAX, NULL},
                 {10 * S, "10s"}};
    char text[BASE_TIME_TEXT];
    leat_usec back;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        base_duration_print(cases[i].usec, text);
        if (cases[i].want)
            assert_string_equal(text, cases[i].want);
        assert_null(base_duration_parse(text, strlen(text), &back));
        assert_int_equal(back, cases[i].usec);
    }
}

static void test_wall_text(void **state)
{
    char text[BASE_TIME_TEXT];
    base_time_print(1763717400123456, text);
    assert_string_equal(text, "2025-11-21T09:30:00.123456Z");
    base_time_print(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    base_time_print(INT64_MAX, text);
    leat_usec a = base_time_mono(), b = base_time_mono();
    assert_true(b >= a && base_time_wall() > 1763717400123456);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_printed_text_reads_back),
        cmocka_unit_test(test_wall_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
