// SPDX-License-Identifier: Apache-2.0
// Dates and times: arithmetic, and the text forms of DATE, TIME and TIMESTAMP.
//
// A date is days since 1970-01-01, a time microseconds since midnight, a timestamp microseconds since 1970-01-01
// 00:00:00; all in the proleptic Gregorian calendar, without leap seconds, and dividing downwards, so that the day of
// 1969-12-31 23:59:59 is -1. Year 0 is 1 BC. Whether a timestamp is a wall clock or an instant is the caller's
// knowledge; calendar_zone.h converts between the two, calendar_pattern.h formats by Java's pattern letters.
//
// Texts are (pointer, length), never terminated; `void *` because callers hold them as char and as uint8_t. Parsers
// take the whole text and leave the output untouched on failure.
// Thread: any. Nothing is allocated, no locale and no environment is consulted.
#ifndef COMMON_CALENDAR_H
#define COMMON_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

#define CALENDAR_SECOND INT64_C(1000000) // in microseconds
#define CALENDAR_MINUTE (60 * CALENDAR_SECOND)
#define CALENDAR_HOUR   (60 * CALENDAR_MINUTE)
#define CALENDAR_DAY    (24 * CALENDAR_HOUR)

#define CALENDAR_DAYS_MAX INT64_C(106751990) // the largest magnitude of days whose microseconds fit 64 bits

// Limits of SQL: 0001-01-01 and 9999-12-31 as days.
#define CALENDAR_YEAR_1    (-719162)
#define CALENDAR_YEAR_9999 2932896

// PostgreSQL counts from 2000-01-01 in its binary forms.
#define CALENDAR_PG_EPOCH_DAYS 10957
#define CALENDAR_PG_EPOCH      (CALENDAR_PG_EPOCH_DAYS * CALENDAR_DAY)

// What parsers return: negative is failure.
#define CALENDAR_OK        0
#define CALENDAR_CUT       1    // digits other than zero below a microsecond were cut
#define CALENDAR_MALFORMED (-1) // not in the accepted spelling
#define CALENDAR_RANGE     (-2) // well spelled, but no such day or time

#define CALENDAR_TEXT_MAX 40 // room every printer here needs

struct calendar_fields {
    int32_t year;
    uint8_t month; // 1..12
    uint8_t day;   // 1..31
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
    uint32_t micros; // 0..999999
};

// --- arithmetic (calendar.c)

static inline int64_t calendar_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0); // b > 0
}

static inline int calendar_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// 28..31; month 1..12.
unsigned calendar_month_days(int64_t year, unsigned month);

// Days of a date that exists; |year| up to 290000.
int64_t calendar_days(int64_t year, unsigned month, unsigned day);

// Fills year, month and day only. |days| up to CALENDAR_DAYS_MAX.
void calendar_civil(int64_t days, struct calendar_fields *out);

// All fields of a timestamp.
void calendar_split(int64_t micros, struct calendar_fields *out);

static inline int64_t calendar_date_of(int64_t micros)
{
    return calendar_floor_div(micros, CALENDAR_DAY);
}

static inline int64_t calendar_time_of(int64_t micros)
{
    // unsigned, because the start of the very first day lies below the range
    return (int64_t)((uint64_t)micros - (uint64_t)calendar_date_of(micros) * (uint64_t)CALENDAR_DAY);
}

// 1 = Monday .. 7 = Sunday.
unsigned calendar_day_of_week(int64_t days);

// 1..366.
unsigned calendar_day_of_year(int64_t days);

// ISO 8601 week 1..53 (weeks start on Monday, week 1 has the year's first Thursday); *year (may be NULL) is the year
// the week belongs to.
unsigned calendar_iso_week(int64_t days, int64_t *year);

// The same day some months on; the last day of the month where there is none (31 January + 1 month = 28 February).
int64_t calendar_add_months(int64_t days, int64_t months);

// --- printing (calendar_print.c); every function returns the length and needs room for CALENDAR_TEXT_MAX bytes

// Forms of timestamps, to be or-ed.
#define CALENDAR_SQL  0u // 2024-02-29 12:34:56.789
#define CALENDAR_ISO  1u // 2024-02-29T12:34:56.789
#define CALENDAR_ZULU 2u // … with a Z behind it: the instant in UTC
#define CALENDAR_TRIM 4u // printing: no zeros at the end of the fraction, no point without one

// yyyy-MM-dd; more digits beyond year 9999, a minus before year 0.
size_t calendar_print_date(void *out, int64_t days);

// HH:mm:ss and exactly `precision` (0..6) digits of fraction, the rest cut. form: CALENDAR_TRIM or 0. Hours beyond 23
// are printed as they are, in at least two digits; negative times are not defined.
size_t calendar_print_time(void *out, int64_t micros, unsigned precision, unsigned form);

size_t calendar_print_timestamp(void *out, int64_t micros, unsigned precision, unsigned form);

// --- strict parsing (calendar_parse.c)

// yyyy-MM-dd, a day that exists. (As in ISO 8601 the year may be -yyyy or +yyyyy.)
int calendar_parse_date(const void *text, size_t len, int64_t *days);

// HH:mm:ss with up to 9 digits of fraction, hours 0..23. OK, CUT, MALFORMED or RANGE.
int calendar_parse_time(const void *text, size_t len, int64_t *micros);

// More forms of timestamps, for parsing.
#define CALENDAR_OFFSET 8u  // Z or +hh[:mm[:ss]] must follow and is applied: the result is the instant
#define CALENDAR_CLAMP  16u // a day beyond the month's end (up to 31) is the last day of the month

// A date, ' ' (SQL) or 'T' (ISO), a time; then what CALENDAR_ZULU or CALENDAR_OFFSET ask for. In the ISO form seconds
// may be missing.
int calendar_parse_timestamp(const void *text, size_t len, unsigned form, int64_t *micros);

// --- parsing as Flink's CAST of strings does (calendar_parse.c)

// y, y-M or y-M-d with any blanks around the numbers; what follows a blank is dropped, so a timestamp's date is taken.
// Years 0..9999; the day must exist. A year alone is its first of January.
int calendar_cast_date(const void *text, size_t len, int64_t *days);

// h, h:m or h:m:s[.f] with blanks around the numbers. Numbers are added up without looking at their ranges, so the
// result may exceed a day (up to 4000 hours); whether to accept that is the caller's decision.
int calendar_cast_time(const void *text, size_t len, int64_t *micros);

// yyyy-M-d or yyyy-M-d H:m:s[.f], no blanks around, one or two digits each, up to 9 digits of fraction. 30 February is
// the last of February, 24:00:00 the next day.
int calendar_cast_timestamp(const void *text, size_t len, int64_t *micros);

#endif
