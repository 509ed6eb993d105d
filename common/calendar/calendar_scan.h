// SPDX-License-Identifier: Apache-2.0
// Inside common/calendar only: the small steps from which the parsers of dates and times are made.
//
// A scan walks over a text with a sticky failure: a step that fails makes every later step do nothing.
#ifndef COMMON_CALENDAR_SCAN_H
#define COMMON_CALENDAR_SCAN_H

#include "calendar.h"

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    int failed; // 0 or a negative CALENDAR_ code
    int cut;    // digits other than zero were cut from a fraction
};

static inline struct scan scan_of(const void *text, size_t len)
{
    const uint8_t *at = text;
    return (struct scan){.at = at, .end = len ? at + len : at};
}

static inline void scan_fail(struct scan *s, int code)
{
    if (!s->failed)
        s->failed = code;
}

static inline int scan_is(const struct scan *s, uint8_t byte)
{
    return s->at < s->end && *s->at == byte;
}

static inline int scan_is_digit(const struct scan *s)
{
    return s->at < s->end && (uint8_t)(*s->at - '0') < 10;
}

static inline void scan_byte(struct scan *s, uint8_t byte)
{
    if (s->failed || !scan_is(s, byte))
        scan_fail(s, CALENDAR_MALFORMED);
    else
        s->at++;
}

// min..max (at most 9) digits, as many as there are.
static inline unsigned scan_number(struct scan *s, unsigned min, unsigned max)
{
    unsigned v = 0, n = 0;
    for (; n < max && !s->failed && scan_is_digit(s); n++)
        v = v * 10 + (unsigned)(*s->at++ - '0');
    if (n < min)
        scan_fail(s, CALENDAR_MALFORMED);
    return v;
}

// 1..9 digits behind a point as microseconds.
static inline uint32_t scan_fraction(struct scan *s)
{
    uint32_t micros = 0;
    unsigned n = 0;
    for (; n < 9 && !s->failed && scan_is_digit(s); n++, s->at++) {
        if (n < 6)
            micros = micros * 10 + (uint32_t)(*s->at - '0');
        else
            s->cut |= *s->at != '0';
    }
    if (n == 0)
        scan_fail(s, CALENDAR_MALFORMED);
    for (; n < 6; n++)
        micros *= 10;
    return micros;
}

// What a parser returns at the end: the whole text must have been used.
static inline int scan_end(const struct scan *s)
{
    if (s->failed)
        return s->failed;
    return s->at != s->end ? CALENDAR_MALFORMED : s->cut ? CALENDAR_CUT : CALENDAR_OK;
}

// 1 if month and day exist in that year.
static inline int scan_day_exists(int64_t year, unsigned month, unsigned day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= calendar_month_days(year, month);
}

// Z, +hh, +hhmm, +hh:mm or +hh:mm:ss (or with a minus) as seconds; 18 hours at most.
int32_t scan_offset(struct scan *s);

// HH:mm:ss[.f] with exactly two digits each, up to 23:59:59; seconds may be missing if asked for.
int64_t scan_time(struct scan *s, int seconds_optional);

#endif
