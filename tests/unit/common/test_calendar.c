// SPDX-License-Identifier: Apache-2.0
// Dates and times: arithmetic against a calendar that is simply counted on, and text forms as tables.
#include "calendar.h"

#include "table.h"

static void every_day_of_20000_years(void **state)
{
    int64_t days = calendar_days(-10000, 1, 1);
    assert_int_equal(calendar_days(1970, 1, 1), 0);
    assert_int_equal(calendar_days(1, 1, 1), CALENDAR_YEAR_1);
    assert_int_equal(calendar_days(9999, 12, 31), CALENDAR_YEAR_9999);
    assert_int_equal(calendar_days(2000, 1, 1), CALENDAR_PG_EPOCH_DAYS);
    for (int year = -10000; year <= 10000; year++) {
        unsigned day_of_year = 1;
        for (unsigned month = 1; month <= 12; month++) {
            unsigned last = month == 2                                              ? 28 + (calendar_is_leap(year) != 0)
                            : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                                    : 31;
            for (unsigned day = 1; day <= last; day++, days++, day_of_year++) {
                struct calendar_fields f;
                calendar_civil(days, &f);
                if (calendar_days(year, month, day) != days || f.year != year || f.month != month || f.day != day)
                    fail_msg("%d-%u-%u is not day %lld", year, month, day, (long long)days);
                if (day == 15 && calendar_day_of_year(days) != day_of_year)
                    fail_msg("%d-%u-%u is not day %u of the year", year, month, day, day_of_year);
            }
        }
    }
}

static int64_t date(const char *text)
{
    int64_t days = 0;
    if (calendar_parse_date(text, strlen(text), &days) != CALENDAR_OK)
        fail_msg("bad date in a table: %s", text);
    return days;
}

static void check_date(const char *row, int64_t days, const char *want)
{
    char got[CALENDAR_TEXT_MAX];
    check_text(row, got, calendar_print_date(got, days), want);
}

static void weeks_and_months(void **state)
{
    static const struct {
        const char *date;
        unsigned day_of_week, day_of_year, week;
        int64_t week_year;
    } rows[] = {
        {"1970-01-01", 4, 1, 1, 1970},   {"1969-12-31", 3, 365, 1, 1970},  {"2024-02-29", 4, 60, 9, 2024},
        {"2024-12-30", 1, 365, 1, 2025}, {"2023-01-01", 7, 1, 52, 2022},   {"2021-01-03", 7, 3, 53, 2020},
        {"0001-01-01", 1, 1, 1, 1},      {"1582-10-10", 7, 283, 40, 1582}, {"1900-02-03", 6, 34, 5, 1900},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t days = date(rows[i].date), year = 0;
        check_int(rows[i].date, calendar_day_of_week(days), rows[i].day_of_week);
        check_int(rows[i].date, calendar_day_of_year(days), rows[i].day_of_year);
        check_int(rows[i].date, calendar_iso_week(days, &year), rows[i].week);
        check_int(rows[i].date, year, rows[i].week_year);
    }
    static const struct {
        const char *date;
        int64_t months;
        const char *want;
    } moves[] = {
        {"2023-01-31", 1, "2023-02-28"},   {"2024-01-31", 1, "2024-02-29"},   {"2024-03-31", -1, "2024-02-29"},
        {"2024-02-29", 12, "2025-02-28"},  {"2024-02-29", -12, "2023-02-28"}, {"2023-11-30", 3, "2024-02-29"},
        {"2024-01-15", -1, "2023-12-15"},  {"2024-01-15", -13, "2022-12-15"}, {"0001-01-01", -1, "0000-12-01"},
        {"0000-01-31", -1, "-0001-12-31"}, {"2024-06-10", 0, "2024-06-10"},
    };
    for (size_t i = 0; i < COUNT(moves); i++)
        check_date(moves[i].date, calendar_add_months(date(moves[i].date), moves[i].months), moves[i].want);
}

static void timestamps_print(void **state)
{
    static const struct {
        int64_t micros;
        unsigned precision, form;
        const char *want;
    } rows[] = {
        {0, 0, CALENDAR_SQL, "1970-01-01 00:00:00"},
        {0, 3, CALENDAR_SQL, "1970-01-01 00:00:00.000"},
        {0, 6, CALENDAR_SQL | CALENDAR_TRIM, "1970-01-01 00:00:00"},
        {-1, 6, CALENDAR_SQL, "1969-12-31 23:59:59.999999"},
        {-1, 3, CALENDAR_SQL, "1969-12-31 23:59:59.999"},
        {-1, 0, CALENDAR_SQL, "1969-12-31 23:59:59"},
        {1709210096789012, 6, CALENDAR_SQL, "2024-02-29 12:34:56.789012"},
        {1709210096789012, 3, CALENDAR_ISO, "2024-02-29T12:34:56.789"},
        {1709210096789000, 6, CALENDAR_ISO | CALENDAR_ZULU | CALENDAR_TRIM, "2024-02-29T12:34:56.789Z"},
        {1709210096700000, 6, CALENDAR_SQL | CALENDAR_ZULU | CALENDAR_TRIM, "2024-02-29 12:34:56.7Z"},
        {1709210096000012, 3, CALENDAR_SQL | CALENDAR_TRIM, "2024-02-29 12:34:56"},
        {1709210096000012, 5, CALENDAR_SQL | CALENDAR_TRIM, "2024-02-29 12:34:56.00001"},
        {-62135596799999000, 3, CALENDAR_SQL, "0001-01-01 00:00:00.001"},
        {253402300799999000, 3, CALENDAR_SQL, "9999-12-31 23:59:59.999"},
        {253402300800000000, 0, CALENDAR_SQL, "10000-01-01 00:00:00"},
        {-62198755200000000, 0, CALENDAR_SQL, "-0001-01-01 00:00:00"},
        {INT64_MAX, 6, CALENDAR_SQL, "294247-01-10 04:00:54.775807"},
        {INT64_MIN, 6, CALENDAR_SQL | CALENDAR_ZULU, "-290308-12-21 19:59:05.224192Z"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[CALENDAR_TEXT_MAX];
        check_text(rows[i].want, got, calendar_print_timestamp(got, rows[i].micros, rows[i].precision, rows[i].form),
                   rows[i].want);
        struct calendar_fields f;
        calendar_split(rows[i].micros, &f);
        check_int(rows[i].want, calendar_time_of(rows[i].micros) / CALENDAR_HOUR, f.hour);
    }
    char got[CALENDAR_TEXT_MAX];
    check_text("time", got, calendar_print_time(got, 45296789012, 3, 0), "12:34:56.789");
    check_text("time", got, calendar_print_time(got, 45296000000, 0, 0), "12:34:56");
    check_text("time", got, calendar_print_time(got, 45296700000, 6, CALENDAR_TRIM), "12:34:56.7");
    check_text("time", got, calendar_print_time(got, 42 * CALENDAR_HOUR, 0, 0), "42:00:00");
    check_text("time", got, calendar_print_time(got, 100 * CALENDAR_HOUR + 1, 6, 0), "100:00:00.000001");
}

typedef int (*parse_fn)(const void *text, size_t len, int64_t *out);

static int parse_sql(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_SQL, out);
}

static int parse_iso(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_ISO, out);
}

static int parse_iso_z(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_ISO | CALENDAR_ZULU, out);
}

static int parse_sql_z(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_SQL | CALENDAR_ZULU, out);
}

static int parse_offset(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_ISO | CALENDAR_OFFSET, out);
}

static int parse_clamp(const void *text, size_t len, int64_t *out)
{
    return calendar_parse_timestamp(text, len, CALENDAR_SQL | CALENDAR_CLAMP, out);
}

// The outcome as text; dates, times and timestamps each in their own form.
static void check_parse(parse_fn parse, const char *text, const char *want)
{
    static const char *const names[] = {"malformed", "range"};
    char got[CALENDAR_TEXT_MAX + 1];
    int64_t v = INT64_MIN;
    int rc = parse(text, strlen(text), &v);
    size_t len;
    if (rc < 0) {
        check_text(text, names[-1 - rc], strlen(names[-1 - rc]), want);
        check_int(text, v, INT64_MIN);
        return;
    }
    got[0] = '~';
    char *at = got + (rc == CALENDAR_CUT);
    if (parse == calendar_parse_date || parse == calendar_cast_date)
        len = calendar_print_date(at, v);
    else if (parse == calendar_parse_time || parse == calendar_cast_time)
        len = calendar_print_time(at, v, 6, CALENDAR_TRIM);
    else
        len = calendar_print_timestamp(at, v, 6, CALENDAR_TRIM);
    check_text(text, got, len + (rc == CALENDAR_CUT), want);
}

static void text_parses(void **state)
{
    static const struct {
        parse_fn parse;
        const char *text, *want;
    } rows[] = {
        {calendar_parse_date, "2024-02-29", "2024-02-29"},
        {calendar_parse_date, "2023-02-29", "range"},
        {calendar_parse_date, "2024-13-01", "range"},
        {calendar_parse_date, "2024-00-01", "range"},
        {calendar_parse_date, "2024-01-00", "range"},
        {calendar_parse_date, "2024-2-9", "malformed"},
        {calendar_parse_date, "20240229", "malformed"},
        {calendar_parse_date, "12024-02-29", "malformed"},
        {calendar_parse_date, "+12024-02-29", "12024-02-29"},
        {calendar_parse_date, "+2024-02-29", "malformed"},
        {calendar_parse_date, "-0044-03-15", "-0044-03-15"},
        {calendar_parse_date, "+999999-01-01", "range"},
        {calendar_parse_date, "2024-02-29 ", "malformed"},
        {calendar_parse_date, "", "malformed"},
        {calendar_parse_time, "12:34:56", "12:34:56"},
        {calendar_parse_time, "12:34:56.7", "12:34:56.7"},
        {calendar_parse_time, "23:59:59.999999999", "~23:59:59.999999"},
        {calendar_parse_time, "23:59:59.999999000", "23:59:59.999999"},
        {calendar_parse_time, "12:34:56.1234567890", "malformed"},
        {calendar_parse_time, "12:34:56.", "malformed"},
        {calendar_parse_time, "12:34", "malformed"},
        {calendar_parse_time, "24:00:00", "range"},
        {calendar_parse_time, "12:60:00", "range"},
        {calendar_parse_time, "12:34:60", "range"},
        {parse_sql, "2024-02-29 12:34:56", "2024-02-29 12:34:56"},
        {parse_sql, "1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999"},
        {parse_sql, "2024-02-29T12:34:56", "malformed"},
        {parse_sql, "2024-02-29 12:34", "malformed"},
        {parse_sql, "2024-02-29 12:34:56Z", "malformed"},
        {parse_sql, "2024-02-29", "malformed"},
        {parse_sql, "2024-02-30 12:34:56", "range"},
        {parse_sql_z, "2024-02-29 12:34:56Z", "2024-02-29 12:34:56"},
        {parse_sql_z, "2024-02-29 12:34:56", "malformed"},
        {parse_iso, "2024-02-29T12:34:56.789", "2024-02-29 12:34:56.789"},
        {parse_iso, "2024-02-29T12:34", "2024-02-29 12:34:00"},
        {parse_iso, "2024-02-29 12:34:56", "malformed"},
        {parse_iso_z, "2024-02-29T12:34:56.789Z", "2024-02-29 12:34:56.789"},
        {parse_iso_z, "2024-02-29T12:34:56+00:00", "malformed"},
        {parse_offset, "2024-02-29T12:34:56+08:00", "2024-02-29 04:34:56"},
        {parse_offset, "2024-02-29T12:34:56-0530", "2024-02-29 18:04:56"},
        {parse_offset, "2024-02-29T12:34:56.5Z", "2024-02-29 12:34:56.5"},
        {parse_offset, "2024-02-29T12:34:56", "malformed"},
        {parse_offset, "2024-02-29T12:34:56+19:00", "range"},
        {parse_clamp, "2024-02-30 12:34:56", "2024-02-29 12:34:56"},
        {parse_clamp, "2024-02-32 12:34:56", "range"},
        {calendar_cast_date, "2024-02-29", "2024-02-29"},
        {calendar_cast_date, "2024-2-9", "2024-02-09"},
        {calendar_cast_date, "2024-02", "2024-02-01"},
        {calendar_cast_date, "42", "0042-01-01"},
        {calendar_cast_date, " 42 ", "0042-01-01"},
        {calendar_cast_date, " 2024-02-29 ", "2024-02-29"},
        {calendar_cast_date, "2024-02-29 12:34:56", "2024-02-29"},
        {calendar_cast_date, "2023-02-29", "range"},
        {calendar_cast_date, "2024-13-01", "range"},
        {calendar_cast_date, "2024/02/29", "malformed"},
        {calendar_cast_date, "2024-02-29abc", "malformed"},
        {calendar_cast_date, "12024-02-29", "range"},
        {calendar_cast_date, "-0001-01-01", "malformed"},
        {calendar_cast_date, "3.14", "malformed"},
        {calendar_cast_date, "99999999999", "malformed"},
        {calendar_cast_date, "", "malformed"},
        {calendar_cast_date, " ", "malformed"},
        {calendar_cast_time, "12:34:56", "12:34:56"},
        {calendar_cast_time, "1:2:3", "01:02:03"},
        {calendar_cast_time, "12:34", "12:34:00"},
        {calendar_cast_time, "42", "42:00:00"},
        {calendar_cast_time, "24:00:00", "24:00:00"},
        {calendar_cast_time, "99:99:99", "100:40:39"},
        {calendar_cast_time, "12:34:56.789", "12:34:56.789"},
        {calendar_cast_time, "2024-02-29", "malformed"},
        {calendar_cast_time, "abc", "malformed"},
        {calendar_cast_time, "", "malformed"},
        {calendar_cast_time, "999999999", "range"},
        {calendar_cast_timestamp, "2024-02-29 12:34:56.789", "2024-02-29 12:34:56.789"},
        {calendar_cast_timestamp, "2024-02-29", "2024-02-29 00:00:00"},
        {calendar_cast_timestamp, "2024-2-9 1:2:3", "2024-02-09 01:02:03"},
        {calendar_cast_timestamp, "2023-02-31 00:00:00", "2023-02-28 00:00:00"},
        {calendar_cast_timestamp, "2023-04-31", "2023-04-30 00:00:00"},
        {calendar_cast_timestamp, "2024-02-29 24:00:00", "2024-03-01 00:00:00"},
        {calendar_cast_timestamp, "2024-02-29 24:00:01", "range"},
        {calendar_cast_timestamp, "2024-02-29 12:34:60", "range"},
        {calendar_cast_timestamp, "2024-02-29 12:34:56.123456789", "~2024-02-29 12:34:56.123456"},
        {calendar_cast_timestamp, "2024-02-29 12:34:56.1234567891", "malformed"},
        {calendar_cast_timestamp, "2024-02-29T12:34:56", "malformed"},
        {calendar_cast_timestamp, "2024-02-29 12:34:56+08:00", "malformed"},
        {calendar_cast_timestamp, "2024-02-29 12:34", "malformed"},
        {calendar_cast_timestamp, "2024", "malformed"},
        {calendar_cast_timestamp, " 2024-02-29 ", "malformed"},
        {calendar_cast_timestamp, "10000-01-01 00:00:00", "malformed"},
        {calendar_cast_timestamp, "", "malformed"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_parse(rows[i].parse, rows[i].text, rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_20000_years),
        cmocka_unit_test(weeks_and_months),
        cmocka_unit_test(timestamps_print),
        cmocka_unit_test(text_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
