// SPDX-License-Identifier: Apache-2.0
// Parsing by pattern. Fields are collected first and made into a timestamp at the end, since their order is free and
// some need each other (the hour of half a day and AM or PM).
//
// A number takes as many digits as its width says, or, if its width is open, all digits but those that the fields of
// fixed width directly behind it need: "20240229" by yyyyMMdd.
#include <string.h>
#include <strings.h>

#include "calendar_names.h"
#include "calendar_pattern.h"
#include "calendar_scan.h"

#define NUMBER_MAX 18 // digits

struct fields {
    uint32_t given;      // a bit for each letter below
    int64_t year;        // y, u: as written
    int is_bc;           // G
    int64_t month;       // M
    int64_t day;         // d
    int64_t day_of_year; // D
    int64_t hour;        // H, k
    int64_t half_hour;   // K, h: 0..11
    int64_t is_pm;       // a
    int64_t minute, second;
    int64_t micros;        // S, n
    int64_t millis_of_day; // A
    int weekday;           // E: 0 = Sunday
};

#define GIVEN_YEAR        1u
#define GIVEN_ERA         2u
#define GIVEN_DAY_OF_YEAR 4u
#define GIVEN_HOUR        8u
#define GIVEN_HALF_HOUR   16u
#define GIVEN_HALF        32u
#define GIVEN_WEEKDAY     64u
#define GIVEN_OF_DAY      128u
#define GIVEN_MONTH       256u
#define GIVEN_DAY         512u

struct parser {
    const struct calendar_pattern *p;
    struct scan s;
    struct fields f;
};

static int is_number(const struct calendar_pattern *p, unsigned i)
{
    uint8_t letter = p->step[i].letter, width = p->step[i].width;
    if (letter_in(letter, LETTERS_NAME))
        return width < 3;
    return letter && !letter_in(letter, LETTERS_NO_NUMBER);
}

// Digits the step takes at most; 0 = open.
static unsigned fixed_width(const struct calendar_pattern *p, unsigned i)
{
    uint8_t letter = p->step[i].letter, width = p->step[i].width;
    if (p->dialect == CALENDAR_SIMPLE)
        return width;
    if (letter == 'S')
        return width;
    if (letter_in(letter, LETTERS_YEAR))
        return width == 2 ? 2 : 0;
    return width > 1 && !letter_in(letter, LETTERS_OPEN) ? width : 0;
}

static size_t digits_ahead(const struct scan *s)
{
    const uint8_t *at = s->at;
    while (at < s->end && (uint8_t)(*at - '0') < 10)
        at++;
    return (size_t)(at - s->at);
}

// How many digits step i takes, 0 = they are not there.
static size_t number_width(const struct parser *r, unsigned i)
{
    const struct calendar_pattern *p = r->p;
    size_t have = digits_ahead(&r->s), reserved = 0;
    unsigned fixed = fixed_width(p, i), width = p->step[i].width;
    int followed = i + 1 < p->count && is_number(p, i + 1);
    if (p->dialect == CALENDAR_SIMPLE)
        return followed && have > fixed ? fixed : have;
    if (fixed)
        return have < fixed ? 0 : fixed;
    for (unsigned j = i + 1; j < p->count && is_number(p, j) && fixed_width(p, j); j++)
        reserved += fixed_width(p, j);
    have = have > reserved + width ? have - reserved : have < width ? 0 : width;
    // a year of four or more letters has just these digits, unless a plus announces more
    if (letter_in(p->step[i].letter, LETTERS_YEAR) && width >= 4)
        return have == width ? have : 0;
    return have;
}

static int64_t take_number(struct parser *r, size_t width)
{
    int64_t v = 0;
    if (width == 0 || width > NUMBER_MAX) {
        scan_fail(&r->s, CALENDAR_MALFORMED);
        return 0;
    }
    for (; width; width--)
        v = v * 10 + (*r->s.at++ - '0');
    return v;
}

// One of the names, in short or in full; its index, or -1.
static int take_name(struct parser *r, const char *const *names, int count, unsigned width)
{
    int simple = r->p->dialect == CALENDAR_SIMPLE;
    size_t left = (size_t)(r->s.end - r->s.at);
    const char *at = (const char *)r->s.at;
    for (int full = 1; full >= 0; full--) {
        // SimpleDateFormat takes both forms whatever the pattern, and any case
        if (!simple && full != (width == 4))
            continue;
        for (int i = 0; i < count; i++) {
            size_t len = full ? strlen(names[i]) : 3;
            if (left >= len && (simple ? strncasecmp(at, names[i], len) : memcmp(at, names[i], len)) == 0) {
                r->s.at += len;
                return i;
            }
        }
    }
    scan_fail(&r->s, CALENDAR_MALFORMED);
    return -1;
}

static int take_pair(struct parser *r, const char *first, const char *second)
{
    const char *at = (const char *)r->s.at;
    int simple = r->p->dialect == CALENDAR_SIMPLE;
    for (int i = 0; i < 2 && r->s.end - r->s.at >= 2; i++) {
        const char *word = i ? second : first;
        if ((simple ? strncasecmp(at, word, 2) : memcmp(at, word, 2)) == 0) {
            r->s.at += 2;
            return i;
        }
    }
    scan_fail(&r->s, CALENDAR_MALFORMED);
    return 0;
}

static void take_year(struct parser *r, unsigned i)
{
    unsigned width = r->p->step[i].width;
    size_t digits;
    if (r->p->dialect == CALENDAR_TIME && width >= 4 && scan_is(&r->s, '+')) {
        r->s.at++;
        digits = digits_ahead(&r->s);
        if (digits <= width)
            scan_fail(&r->s, CALENDAR_MALFORMED);
    } else {
        digits = number_width(r, i);
    }
    r->f.year = take_number(r, digits);
    // two digits mean a year near ours: java.time counts from 2000, SimpleDateFormat's window moves with
    // the current date and is fixed to 1950..2049 here, so that a pattern means the same tomorrow
    if (width == 2 && digits == 2)
        r->f.year += r->p->dialect == CALENDAR_SIMPLE && r->f.year >= 50 ? 1900 : 2000;
    r->f.given |= GIVEN_YEAR;
}

// Digits of a second's fraction in java.time, milliseconds in SimpleDateFormat.
static void take_fraction(struct parser *r, unsigned i)
{
    size_t digits = number_width(r, i);
    if (r->p->dialect == CALENDAR_SIMPLE) {
        r->f.micros = take_number(r, digits) * 1000;
        return;
    }
    struct scan part = {.at = r->s.at, .end = r->s.at + digits};
    r->f.micros = scan_fraction(&part);
    r->s.cut |= part.cut;
    r->s.at = part.at;
    if (part.failed)
        scan_fail(&r->s, CALENDAR_MALFORMED);
}

static void set_hour(struct parser *r, uint8_t letter, int64_t v)
{
    struct fields *f = &r->f;
    int64_t low = letter == 'h' || letter == 'k', high = letter == 'h' ? 12 : letter == 'K' ? 11 : 24;
    if (r->p->dialect == CALENDAR_TIME && (v < low || v > high))
        scan_fail(&r->s, CALENDAR_RANGE);
    if (letter == 'h' || letter == 'K') {
        f->half_hour = letter == 'h' && v == 12 ? 0 : v;
        f->given |= GIVEN_HALF_HOUR;
    } else {
        f->hour = letter == 'k' && v == 24 ? 0 : v;
        f->given |= GIVEN_HOUR;
    }
}

static void set_number(struct parser *r, uint8_t letter, int64_t v)
{
    struct fields *f = &r->f;
    switch (letter) {
    case 'M':
    case 'L':
        f->month = v;
        f->given |= GIVEN_MONTH;
        break;
    case 'd':
        f->day = v;
        f->given |= GIVEN_DAY;
        break;
    case 'D':
        f->day_of_year = v;
        f->given |= GIVEN_DAY_OF_YEAR;
        break;
    case 'H':
    case 'k':
    case 'h':
    case 'K':
        set_hour(r, letter, v);
        break;
    case 'm':
        f->minute = v;
        break;
    case 's':
        f->second = v;
        break;
    case 'n':
        f->micros = v / 1000;
        r->s.cut |= v % 1000 != 0;
        break;
    case 'A':
        f->millis_of_day = v;
        f->given |= GIVEN_OF_DAY;
        break;
    default: // weeks, quarters: nothing follows from them alone
        break;
    }
}

static void take_field(struct parser *r, unsigned i)
{
    uint8_t letter = r->p->step[i].letter, width = r->p->step[i].width;
    int simple = r->p->dialect == CALENDAR_SIMPLE;
    while (simple && (scan_is(&r->s, ' ') || scan_is(&r->s, '\t')))
        r->s.at++;
    if (letter == 'y' || (letter == 'u' && !simple)) {
        take_year(r, i);
    } else if (letter == 'S') {
        take_fraction(r, i);
    } else if (is_number(r->p, i)) {
        set_number(r, letter, take_number(r, number_width(r, i)));
    } else if (letter == 'M' || letter == 'L') {
        r->f.month = take_name(r, calendar_months, 12, width) + 1;
        r->f.given |= GIVEN_MONTH;
    } else if (letter == 'E' || letter == 'e') {
        r->f.weekday = take_name(r, calendar_weekdays, 7, width);
        r->f.given |= GIVEN_WEEKDAY;
    } else if (letter == 'a') {
        r->f.is_pm = take_pair(r, "AM", "PM");
        r->f.given |= GIVEN_HALF;
    } else if (letter == 'G') {
        r->f.is_bc = take_pair(r, "AD", "BC");
        r->f.given |= GIVEN_ERA;
    } else { // the names of quarters
        scan_fail(&r->s, CALENDAR_MALFORMED);
    }
}

// The step behind the ] that closes the [ at step i, or the end of the pattern.
static unsigned section_end(const struct calendar_pattern *p, unsigned i)
{
    unsigned depth = 0;
    for (; i < p->count; i++) {
        if (p->step[i].letter == '[')
            depth++;
        else if (p->step[i].letter == ']' && --depth == 0)
            return i + 1;
    }
    return i;
}

// Sections in sections need no recursion: a failure goes back to where the innermost open section began, which then is
// passed by; sections closed before have been read for good.
static void run(struct parser *r)
{
    struct {
        struct parser before;
        unsigned start;
    } open[8];
    unsigned depth = 0;
    for (unsigned i = 0; i < r->p->count;) {
        uint8_t letter = r->p->step[i].letter;
        if (letter == '[') {
            if (depth == sizeof open / sizeof *open) {
                scan_fail(&r->s, CALENDAR_RANGE);
                return;
            }
            open[depth].before = *r;
            open[depth++].start = i;
        } else if (letter == ']') {
            depth -= depth > 0;
        } else if (letter) {
            take_field(r, i);
        } else {
            scan_byte(&r->s, r->p->step[i].width);
        }
        i++;
        if (r->s.failed) {
            if (depth == 0)
                return;
            *r = open[--depth].before;
            i = section_end(r->p, open[depth].start);
        }
    }
}

static int64_t full_hour(const struct fields *f)
{
    if (f->given & GIVEN_HOUR || !(f->given & GIVEN_HALF_HOUR))
        return f->hour;
    return f->half_hour + (f->is_pm ? 12 : 0);
}

// The microseconds of the day, -1 if a field is out of range. 24:00:00 is a whole day.
static int64_t checked_time(const struct fields *f)
{
    int64_t hour = full_hour(f);
    if (f->given & GIVEN_OF_DAY)
        return f->millis_of_day < CALENDAR_DAY / 1000 ? f->millis_of_day * 1000 : -1;
    // half a day without AM or PM leaves the hour unknown, which is 0
    if (f->given & GIVEN_HALF_HOUR && !(f->given & (GIVEN_HOUR | GIVEN_HALF)))
        hour = 0;
    if (hour > 24 || f->minute > 59 || f->second > 59 || f->micros >= CALENDAR_SECOND)
        return -1;
    int64_t time = (hour * 3600 + f->minute * 60 + f->second) * CALENDAR_SECOND + f->micros;
    return time <= CALENDAR_DAY ? time : -1;
}

// Fields of java.time are within their ranges; only the day may lie beyond the month's end.
static int resolve_checked(const struct fields *f, int64_t *micros)
{
    int64_t year = f->is_bc ? 1 - f->year : f->year, time = checked_time(f), days;
    if (time < 0 || year > 290000 || year < -290000 || f->month < 1 || f->month > 12 || f->day < 1 || f->day > 31)
        return CALENDAR_RANGE;
    if (f->given & GIVEN_DAY_OF_YEAR) {
        if (f->day_of_year < 1 || f->day_of_year > 365 + calendar_is_leap(year))
            return CALENDAR_RANGE;
        days = calendar_days(year, 1, 1) + f->day_of_year - 1;
    } else {
        unsigned last = calendar_month_days(year, (unsigned)f->month);
        days = calendar_days(year, (unsigned)f->month, f->day < last ? (unsigned)f->day : last);
    }
    if (f->given & GIVEN_WEEKDAY && (int)(calendar_day_of_week(days) % 7) != f->weekday)
        return CALENDAR_RANGE;
    *micros = days * CALENDAR_DAY + time;
    return CALENDAR_OK;
}

static int in_billions(int64_t v)
{
    return v < INT64_C(1000000000);
}

// Fields of SimpleDateFormat carry over into each other.
static int resolve_carried(const struct fields *f, int64_t *micros)
{
    int64_t year = f->is_bc ? 1 - f->year : f->year, days, micros_of_days;
    if (!in_billions(year) || !in_billions(f->month) || !in_billions(f->day) || !in_billions(f->day_of_year) ||
        !in_billions(full_hour(f)) || !in_billions(f->minute) || !in_billions(f->second) ||
        !in_billions(f->micros / 1000))
        return CALENDAR_RANGE;
    int64_t months = year * 12 + f->month - 1;
    year = calendar_floor_div(months, 12);
    if (year > 290000 || year < -290000)
        return CALENDAR_RANGE;
    int use_day_of_year = f->given & GIVEN_DAY_OF_YEAR && !(f->given & (GIVEN_MONTH | GIVEN_DAY));
    days = use_day_of_year ? calendar_days(year, 1, 1) + f->day_of_year - 1
                           : calendar_days(year, (unsigned)(months - year * 12) + 1, 1) + f->day - 1;
    int64_t seconds = full_hour(f) * 3600 + f->minute * 60 + f->second;
    if (__builtin_mul_overflow(days, CALENDAR_DAY, &micros_of_days) ||
        __builtin_add_overflow(micros_of_days, seconds * CALENDAR_SECOND + f->micros, micros))
        return CALENDAR_RANGE;
    return CALENDAR_OK;
}

int calendar_pattern_parse(const struct calendar_pattern *p, const void *text, size_t len, int64_t *micros)
{
    struct parser r = {.p = p, .s = scan_of(text, len), .f = {.year = 1970, .month = 1, .day = 1, .day_of_year = 1}};
    int64_t result = 0;
    run(&r);
    if (p->dialect == CALENDAR_SIMPLE)
        r.s.end = r.s.at; // what follows does not count
    int rc = scan_end(&r.s);
    if (rc < 0)
        return rc;
    int resolved = p->dialect == CALENDAR_SIMPLE ? resolve_carried(&r.f, &result) : resolve_checked(&r.f, &result);
    if (resolved < 0)
        return resolved;
    *micros = result;
    return rc;
}
