// SPDX-License-Identifier: Apache-2.0
// Java's pattern letters: compiling, printing and parsing in both dialects. Expected values are Java 17's.
#include "calendar_pattern.h"

#include "table.h"

#define T CALENDAR_TIME
#define S CALENDAR_SIMPLE

static int64_t at(const char *text)
{
    int64_t micros = 0;
    if (calendar_cast_timestamp(text, strlen(text), &micros) != CALENDAR_OK)
        fail_msg("bad timestamp in a table: %s", text);
    return micros;
}

static void prints(void **state)
{
    static const struct {
        int dialect;
        const char *pattern, *when, *want;
    } rows[] = {
        {T, "yyyy-MM-dd HH:mm:ss", "2024-02-29 12:34:56.789012", "2024-02-29 12:34:56"},
        {T, "yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 12:34:56.789012", "2024-02-29 12:34:56.789"},
        {T, "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2024-02-29 12:34:56.789012", "2024-02-29 12:34:56.789012000"},
        {T, "n", "2024-02-29 12:34:56.789012", "789012000"},
        {T, "A", "2024-02-29 12:34:56.789012", "45296789"},
        {T, "yyyy/M/d H:m:s", "2024-02-09 01:02:03", "2024/2/9 1:2:3"},
        {T, "yyyyy", "2024-02-29 12:34:56", "02024"},
        {T, "yy uu", "2024-02-29 12:34:56", "24 24"},
        {T, "y u", "0001-01-01", "1 1"},
        {T, "EEEE E EEEEE", "2024-02-29", "Thursday Thu T"},
        {T, "e ee eee eeee", "2024-02-29", "5 05 Thu Thursday"},
        {T, "D DD DDD", "2024-02-09", "40 40 040"},
        {T, "W w Y", "2024-02-29", "5 9 2024"},
        {T, "w YYYY", "2024-12-30", "1 2025"},
        {T, "Q QQ QQQ QQQQ", "2024-02-29", "1 01 Q1 1st quarter"},
        {T, "G GGGG GGGGG", "2024-02-29", "AD Anno Domini A"},
        {T, "k kk K h a", "2024-02-29 00:34:56", "24 24 0 12 AM"},
        {T, "k kk K h a", "2024-02-29 13:34:56", "13 13 1 1 PM"},
        {T, "F", "2024-02-29", "1"},
        {T, "M MM MMM MMMM MMMMM LLLL", "2024-09-29", "9 09 Sep September S September"},
        {T, "SS SSSS", "2024-02-29 12:34:56.789", "78 7890"},
        {T, "yyyy-MM-dd'T'HH:mm:ss", "2024-02-29 12:34:56", "2024-02-29T12:34:56"},
        {T, "yyyy[MM", "2024-02-29", "202402"},
        {T, "%Y-%m-%d", "2024-02-29 12:34:56", "%2024-%34-%29"},
        {T, "'it''s' '' y", "2024-02-29", "it's ' 2024"},
        {T, "yyyy年MM月dd日", "2024-02-29", "2024年02月29日"},
        {T, "", "2024-02-29", ""},
        {T, "yyyy-MM-dd HH:mm", "1800-06-15 06:07:08", "1800-06-15 06:07"},
        {S, "yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 12:34:56.789012", "2024-02-29 12:34:56.789"},
        {S, "S SSSSSS", "2024-02-29 12:34:56.007", "7 000007"},
        {S, "MMM MMMMM E EEEEE u uu", "2024-02-29", "Feb February Thu Thursday 4 04"},
        {S, "yy yyy yyyyyy", "2024-02-29", "24 2024 002024"},
        {S, "F W w D DDDD", "2024-02-29", "5 5 9 60 0060"},
        {S, "G GGGG a aaaa", "2024-02-29 12:00:00", "AD AD PM PM"},
        {S, "hhh:kkk:KKK", "2024-02-29 13:00:00", "001:013:001"},
        {S, "[yyyy]{MM}#", "2024-02-29", "[2024]{02}#"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_pattern p;
        char got[CALENDAR_PATTERN_MAX * 21];
        check_int(rows[i].pattern,
                  calendar_pattern_compile(&p, rows[i].dialect, rows[i].pattern, strlen(rows[i].pattern), NULL),
                  CALENDAR_OK);
        size_t len = calendar_pattern_print(&p, got, at(rows[i].when));
        check_text(rows[i].pattern, got, len, rows[i].want);
        assert_in_range(len, 0, p.room);
    }
}

static void years_beyond_four_digits(void **state)
{
    struct calendar_pattern p;
    char got[64];
    int64_t when = calendar_days(12024, 2, 29) * CALENDAR_DAY;
    assert_int_equal(calendar_pattern_compile(&p, T, "yyyy y", 6, NULL), CALENDAR_OK);
    check_text("12024", got, calendar_pattern_print(&p, got, when), "+12024 12024");
    when = calendar_days(-43, 3, 15) * CALENDAR_DAY;
    assert_int_equal(calendar_pattern_compile(&p, T, "yyyy G uuuu", 11, NULL), CALENDAR_OK);
    check_text("-43", got, calendar_pattern_print(&p, got, when), "0044 BC -0043");
}

static void patterns_are_judged(void **state)
{
    static const struct {
        int dialect;
        const char *pattern;
        int rc;
        size_t bad;
    } rows[] = {
        {T, "yyyy-bb", CALENDAR_MALFORMED, 5},
        {S, "qq", CALENDAR_MALFORMED, 0},
        {T, "HHH", CALENDAR_MALFORMED, 0},
        {T, "yyyy z", CALENDAR_MALFORMED, 5},
        {T, "yyyy 'open", CALENDAR_MALFORMED, 5},
        {T, "yyyy'", CALENDAR_MALFORMED, 4},
        {T, "yyyy]", CALENDAR_MALFORMED, 4},
        {T, "{yyyy}", CALENDAR_MALFORMED, 0},
        {T, "SSSSSSSSSS", CALENDAR_MALFORMED, 0},
        {T, "yyyyyyyyyyyyyyyyyyyy", CALENDAR_MALFORMED, 0},
        {S, "e", CALENDAR_MALFORMED, 0},
        {T,
         "--------------------------------------------------------------------------------------------------------"
         "-------------------------",
         CALENDAR_RANGE, 128},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_pattern p;
        size_t bad = 999;
        check_int(rows[i].pattern,
                  calendar_pattern_compile(&p, rows[i].dialect, rows[i].pattern, strlen(rows[i].pattern), &bad),
                  rows[i].rc);
        check_int(rows[i].pattern, (int64_t)bad, (int64_t)rows[i].bad);
    }
}

static void parses(void **state)
{
    static const struct {
        int dialect;
        const char *pattern, *text, *want;
    } rows[] = {
        {T, "yyyy-MM-dd HH:mm:ss", "2024-02-29 12:34:56", "2024-02-29 12:34:56"},
        {T, "yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 12:34:56.789", "2024-02-29 12:34:56.789"},
        {T, "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2024-02-29 12:34:56.123456789", "~2024-02-29 12:34:56.123456"},
        {T, "yyyy-MM-dd'T'HH:mm:ss", "2024-02-29T12:34:56", "2024-02-29 12:34:56"},
        {T, "dd.MM.yyyy HH:mm", "29.02.2024 08:05", "2024-02-29 08:05:00"},
        {T, "yyyyMMdd", "20240229", "2024-02-29 00:00:00"},
        {T, "yyyyMMddHHmmssSSS", "20240229123456789", "2024-02-29 12:34:56.789"},
        {T, "yMMdd", "20240229", "2024-02-29 00:00:00"},
        {T, "yyyy-MM", "2024-02", "2024-02-01 00:00:00"},
        {T, "yyyy", "2024", "2024-01-01 00:00:00"},
        {T, "HH:mm", "08:05", "1970-01-01 08:05:00"},
        {T, "MM/dd/yyyy hh:mm a", "02/29/2024 01:02 PM", "2024-02-29 13:02:00"},
        {T, "MM/dd/yyyy hh:mm a", "02/29/2024 12:02 AM", "2024-02-29 00:02:00"},
        {T, "MM/dd/yyyy hh:mm a", "02/29/2024 01:02 pm", "malformed"},
        {T, "hh:mm", "01:02", "1970-01-01 00:02:00"},
        {T, "hh:mm", "13:02", "range"},
        {T, "K a", "11 PM", "1970-01-01 23:00:00"},
        {T, "kk", "24", "1970-01-01 00:00:00"},
        {T, "yyyy-MM-dd", "2023-02-30", "2023-02-28 00:00:00"},
        {T, "yyyy-MM-dd", "2023-02-32", "range"},
        {T, "yyyy-MM-dd", "2023-13-01", "range"},
        {T, "yyyy-MM-dd", "2024-2-9", "malformed"},
        {T, "yyyy-M-d", "2024-2-9", "2024-02-09 00:00:00"},
        {T, "yyyy-M-d", "2024-12-19", "2024-12-19 00:00:00"},
        {T, "yyyy-MM-dd", "2024-02-29x", "malformed"},
        {T, "yyyy-MM-dd", "12024-02-29", "malformed"},
        {T, "yyyy-MM-dd", "+12024-02-29", "12024-02-29 00:00:00"},
        {T, "yyyy-MM-dd HH:mm:ss", "2024-02-29 24:00:00", "2024-03-01 00:00:00"},
        {T, "yyyy-MM-dd HH:mm:ss", "2024-02-29 24:00:01", "range"},
        {T, "yyyy-MM-dd HH:mm:ss", "2024-02-29 12:60:00", "range"},
        {T, "yyyy-DDD", "2024-060", "2024-02-29 00:00:00"},
        {T, "yyyy-DDD", "2023-366", "range"},
        {T, "yy-MM-dd", "24-02-29", "2024-02-29 00:00:00"},
        {T, "yy-MM-dd", "99-02-28", "2099-02-28 00:00:00"},
        {T, "d MMM yyyy", "9 Feb 2024", "2024-02-09 00:00:00"},
        {T, "d MMMM yyyy", "9 February 2024", "2024-02-09 00:00:00"},
        {T, "d MMM yyyy", "9 feb 2024", "malformed"},
        {T, "EEE, d MMM yyyy", "Thu, 29 Feb 2024", "2024-02-29 00:00:00"},
        {T, "EEE, d MMM yyyy", "Fri, 29 Feb 2024", "range"},
        {T, "y G", "44 BC", "-0043-01-01 00:00:00"},
        {T, "yyyy-MM-dd[ HH:mm[:ss]]", "2024-02-29", "2024-02-29 00:00:00"},
        {T, "yyyy-MM-dd[ HH:mm[:ss]]", "2024-02-29 12:34", "2024-02-29 12:34:00"},
        {T, "yyyy-MM-dd[ HH:mm[:ss]]", "2024-02-29 12:34:56", "2024-02-29 12:34:56"},
        {T, "yyyy-MM-dd[ HH:mm[:ss]]", "2024-02-29 12:", "malformed"},
        {T, "yyyy-[MM][M]-[dd][d]", "2024-2-09", "2024-02-09 00:00:00"},
        {T, "[[[[[[[[[yyyy", "2024", "range"},
        {T, "", "", "1970-01-01 00:00:00"},
        {T, "m", "999999999999999999", "range"},
        {T, "m", "9999999999999999999", "malformed"},
        {S, "yyyy-MM-dd", "2023-02-29", "2023-03-01 00:00:00"},
        {S, "yyyy-dd-MM", "2024-02-29", "2026-05-02 00:00:00"},
        {S, "yyyy-MM-dd", "2024-02-29abc", "2024-02-29 00:00:00"},
        {S, "yyyy-MM-dd HH:mm:ss", "2024-02-30 12:34:56", "2024-03-01 12:34:56"},
        {S, "yyyy-MM-dd HH:mm:ss", "2024-2-9 1:2:3", "2024-02-09 01:02:03"},
        {S, "yyyy-MM-dd HH:mm:ss", "2024-02-29", "malformed"},
        {S, "yyyy/MM/dd", "2024/02/29", "2024-02-29 00:00:00"},
        {S, "yyyyMMdd", "20240229", "2024-02-29 00:00:00"},
        {S, "yyyyMMddHHmmss", "20240229123456", "2024-02-29 12:34:56"},
        {S, "yy-MM-dd", "24-02-29", "2024-02-29 00:00:00"},
        {S, "yy-MM-dd", "99-02-28", "1999-02-28 00:00:00"},
        {S, "dd.MM.yyyy HH:mm", "29.02.2024 08:05", "2024-02-29 08:05:00"},
        {S, "d MMM yyyy", "9 feb 2024", "2024-02-09 00:00:00"},
        {S, "d MMM yyyy", "9 February 2024", "2024-02-09 00:00:00"},
        {S, "yyyy-MM-dd", "  2024- 02-\t29", "2024-02-29 00:00:00"},
        {S, "HH:mm", "25:61", "1970-01-02 02:01:00"},
        {S, "ss.SSS", "1.5", "1970-01-01 00:00:01.005"},
        {S, "hh a", "12 am", "1970-01-01 00:00:00"},
        {S, "hh a", "12 PM", "1970-01-01 12:00:00"},
        {S, "yyyy D", "2024 60", "2024-02-29 00:00:00"},
        {S, "yyyy", "99999999999", "range"},
        {S, "yyyy", "abc", "malformed"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const char *const names[] = {"malformed", "range"};
        struct calendar_pattern p;
        char got[CALENDAR_TEXT_MAX + 1] = "~";
        int64_t v = 42;
        check_int(rows[i].pattern,
                  calendar_pattern_compile(&p, rows[i].dialect, rows[i].pattern, strlen(rows[i].pattern), NULL),
                  CALENDAR_OK);
        int rc = calendar_pattern_parse(&p, rows[i].text, strlen(rows[i].text), &v);
        if (rc < 0) {
            check_text(rows[i].text, names[-1 - rc], strlen(names[-1 - rc]), rows[i].want);
            check_int(rows[i].text, v, 42);
            continue;
        }
        size_t cut = rc == CALENDAR_CUT;
        check_text(rows[i].text, got, cut + calendar_print_timestamp(got + cut, v, 6, CALENDAR_TRIM), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),
        cmocka_unit_test(years_beyond_four_digits),
        cmocka_unit_test(patterns_are_judged),
        cmocka_unit_test(parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
