// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's text output of dates and times with DateStyle ISO:
//
//   2024-02-29   10000-01-01   0044-03-15 BC   infinity   -infinity
//   2024-02-29 12:34:56.789+05:30   0001-12-31 00:00:00+00:53:28 BC
//
// Years have at least four digits, 1 BC is year 0. Offsets may have seconds (local mean times before about 1900).
#include <string.h>

#include "calendar_scan.h"

static int is_text(const struct scan *s, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(s->end - s->at) == len && memcmp(s->at, word, len) == 0;
}

static int infinity(const struct scan *s)
{
    if (is_text(s, "infinity"))
        return CALENDAR_INFINITY;
    return is_text(s, "-infinity") ? CALENDAR_NEGATIVE_INFINITY : 0;
}

// Takes " BC" from the end of the text.
static int take_bc(struct scan *s)
{
    if (s->end - s->at < 3 || memcmp(s->end - 3, " BC", 3) != 0)
        return 0;
    s->end -= 3;
    return 1;
}

static int64_t scan_date(struct scan *s, int bc)
{
    int64_t year = scan_number(s, 4, 7);
    scan_byte(s, '-');
    unsigned month = scan_number(s, 2, 2);
    scan_byte(s, '-');
    unsigned day = scan_number(s, 2, 2);
    if (s->failed)
        return 0;
    if (bc)
        year = 1 - year;
    if (year > 290000 || year < -290000 || (bc && year == 1) || !scan_day_exists(year, month, day)) {
        scan_fail(s, CALENDAR_RANGE);
        return 0;
    }
    return calendar_days(year, month, day);
}

int calendar_pg_date(const void *text, size_t len, int64_t *days)
{
    struct scan s = scan_of(text, len);
    int rc = infinity(&s);
    if (rc)
        return rc;
    int64_t date = scan_date(&s, take_bc(&s));
    rc = scan_end(&s);
    if (rc >= 0)
        *days = date;
    return rc;
}

int calendar_pg_time(const void *text, size_t len, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    int64_t time = scan_time(&s, 24, 0);
    int rc = scan_end(&s);
    if (rc >= 0)
        *micros = time;
    return rc;
}

static int pg_timestamp(const void *text, size_t len, int zoned, int64_t *micros)
{
    struct scan s = scan_of(text, len);
    int rc = infinity(&s);
    if (rc)
        return rc;
    int64_t date = scan_date(&s, take_bc(&s));
    scan_byte(&s, ' ');
    int64_t time = scan_time(&s, 23, 0);
    int32_t offset = zoned ? scan_offset(&s) : 0;
    rc = scan_end(&s);
    if (rc >= 0)
        *micros = date * CALENDAR_DAY + time - offset * CALENDAR_SECOND;
    return rc;
}

int calendar_pg_timestamp(const void *text, size_t len, int64_t *micros)
{
    return pg_timestamp(text, len, 0, micros);
}

int calendar_pg_timestamptz(const void *text, size_t len, int64_t *micros)
{
    return pg_timestamp(text, len, 1, micros);
}
