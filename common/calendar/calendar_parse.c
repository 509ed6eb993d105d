// SPDX-License-Identifier: Apache-2.0
// Text to dates and times: the strict forms, and the lenient ones of Flink's CAST.
#include <string.h>

#include "calendar_scan.h"

#define OFFSET_MAX (18 * 3600) // as Java has it

int32_t scan_offset(struct scan *s)
{
    if (scan_is(s, 'Z')) {
        s->at++;
        return 0;
    }
    int negative = scan_is(s, '-');
    if (!negative && !scan_is(s, '+')) {
        scan_fail(s, CALENDAR_MALFORMED);
        return 0;
    }
    s->at++;
    unsigned hours = scan_number(s, 2, 2), minutes = 0, seconds = 0;
    int colon = scan_is(s, ':');
    if (colon || scan_is_digit(s)) {
        s->at += colon;
        minutes = scan_number(s, 2, 2);
        if (colon && scan_is(s, ':')) {
            s->at++;
            seconds = scan_number(s, 2, 2);
        }
    }
    int32_t total = (int32_t)(hours * 3600 + minutes * 60 + seconds);
    if (minutes > 59 || seconds > 59 || total > OFFSET_MAX)
        scan_fail(s, CALENDAR_RANGE);
    return negative ? -total : total;
}

int64_t scan_time(struct scan *s, int seconds_optional)
{
    unsigned second = 0;
    uint32_t micros = 0;
    unsigned hour = scan_number(s, 2, 2);
    scan_byte(s, ':');
    unsigned minute = scan_number(s, 2, 2);
    if (!seconds_optional || scan_is(s, ':')) {
        scan_byte(s, ':');
        second = scan_number(s, 2, 2);
        if (scan_is(s, '.')) {
            s->at++;
            micros = scan_fraction(s);
        }
    }
    int64_t time = (int64_t)(hour * 3600 + minute * 60 + second) * CALENDAR_SECOND + micros;
    if (hour > 23 || minute > 59 || second > 59)
        scan_fail(s, CALENDAR_RANGE);
    return time;
}

static int64_t scan_date(struct scan *s, int clamp)
{
    int negative = scan_is(s, '-'), positive = scan_is(s, '+');
    s->at += negative || positive;
    // without a sign exactly four digits, so that 20240-02-29 is not taken for a year by mistake
    int64_t year = scan_number(s, positive ? 5 : 4, negative || positive ? 6 : 4);
    scan_byte(s, '-');
    unsigned month = scan_number(s, 2, 2);
    scan_byte(s, '-');
    unsigned day = scan_number(s, 2, 2);
    if (s->failed)
        return 0;
    if (negative)
        year = -year;
    if (clamp && month >= 1 && month <= 12 && day <= 31 && day > calendar_month_days(year, month))
        day = calendar_month_days(year, month);
    if (!scan_day_exists(year, month, day) || year > 290000 || year < -290000) {
        scan_fail(s, CALENDAR_RANGE);
        return 0;
    }
    return calendar_days(year, month, day);
}

int calendar_parse_date(const void *text, size_t len, int64_t *days)
{
    struct scan s = scan_of(text, len);
    int64_t date = scan_date(&s, 0);
    int rc = scan_end(&s);
    if (rc >= 0)
        *days = date;
    return rc;
}

int calendar_parse_time(const void *text, size_t len, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    int64_t time = scan_time(&s, 0);
    int rc = scan_end(&s);
    if (rc >= 0)
        *micros = time;
    return rc;
}

int calendar_parse_timestamp(const void *text, size_t len, unsigned form, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    int32_t offset = 0;
    int64_t date = scan_date(&s, (form & CALENDAR_CLAMP) != 0);
    scan_byte(&s, form & CALENDAR_ISO ? 'T' : ' ');
    int64_t time = scan_time(&s, (form & CALENDAR_ISO) != 0);
    if (form & CALENDAR_OFFSET)
        offset = scan_offset(&s);
    else if (form & CALENDAR_ZULU)
        scan_byte(&s, 'Z');
    int rc = scan_end(&s);
    if (rc >= 0)
        *micros = date * CALENDAR_DAY + time - offset * CALENDAR_SECOND;
    return rc;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && *s->at <= ' ')
        s->at++;
}

// A number with blanks around it.
static unsigned cast_number(struct scan *s)
{
    skip_blanks(s);
    unsigned v = scan_number(s, 1, 9);
    skip_blanks(s);
    return v;
}

int calendar_cast_date(const void *text, size_t len, int64_t *days)
{
    struct scan s = scan_of(text, len);
    unsigned month = 1, day = 1;
    skip_blanks(&s);
    // the date of a timestamp: what follows the first blank does not count
    const uint8_t *blank = s.at < s.end ? memchr(s.at, ' ', (size_t)(s.end - s.at)) : NULL;
    if (blank)
        s.end = blank;
    unsigned year = cast_number(&s);
    if (scan_is(&s, '-')) {
        s.at++;
        month = cast_number(&s);
        if (scan_is(&s, '-')) {
            s.at++;
            day = cast_number(&s);
        }
    }
    int rc = scan_end(&s);
    if (rc < 0)
        return rc;
    if (year > 9999 || !scan_day_exists(year, month, day))
        return CALENDAR_RANGE;
    *days = calendar_days(year, month, day);
    return CALENDAR_OK;
}

int calendar_cast_time(const void *text, size_t len, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    uint64_t parts[3] = {0};
    uint32_t fraction = 0;
    parts[0] = cast_number(&s);
    for (int i = 1; i < 3 && scan_is(&s, ':'); i++) {
        s.at++;
        parts[i] = cast_number(&s);
        if (i == 2 && scan_is(&s, '.')) {
            s.at++;
            fraction = scan_fraction(&s);
            skip_blanks(&s);
        }
    }
    int rc = scan_end(&s);
    if (rc < 0)
        return rc;
    uint64_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (seconds > 4000 * 3600)
        return CALENDAR_RANGE;
    *micros = (int64_t)seconds * CALENDAR_SECOND + fraction;
    return rc;
}

int calendar_cast_timestamp(const void *text, size_t len, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    unsigned hour = 0, minute = 0, second = 0;
    uint32_t fraction = 0;
    unsigned year = scan_number(&s, 4, 4);
    scan_byte(&s, '-');
    unsigned month = scan_number(&s, 1, 2);
    scan_byte(&s, '-');
    unsigned day = scan_number(&s, 1, 2);
    if (s.at < s.end) {
        scan_byte(&s, ' ');
        hour = scan_number(&s, 1, 2);
        scan_byte(&s, ':');
        minute = scan_number(&s, 1, 2);
        scan_byte(&s, ':');
        second = scan_number(&s, 1, 2);
        if (scan_is(&s, '.')) {
            s.at++;
            fraction = scan_is_digit(&s) ? scan_fraction(&s) : 0;
        }
    }
    int rc = scan_end(&s);
    if (rc < 0)
        return rc;
    int64_t time = (int64_t)(hour * 3600 + minute * 60 + second) * CALENDAR_SECOND + fraction;
    if (month < 1 || month > 12 || day < 1 || day > 31 || minute > 59 || second > 59 || time > CALENDAR_DAY)
        return CALENDAR_RANGE;
    unsigned last = calendar_month_days(year, month);
    *micros = calendar_days(year, month, day < last ? day : last) * CALENDAR_DAY + time;
    return rc;
}
