// SPDX-License-Identifier: Apache-2.0
// Compiling patterns, and printing by them. A table says of each letter in each dialect how often it may be repeated.
#include "calendar_pattern.h"

#include <string.h>

#include "calendar_names.h"
#include "number.h"

#define WIDTH_MAX 19 // digits of the longest number

// --- compiling

static const struct {
    char letter;
    uint8_t max[2]; // by dialect; 0 = not a letter of it
} letters[] = {
    {'G', {5, WIDTH_MAX}},
    {'y', {WIDTH_MAX, WIDTH_MAX}},
    {'u', {WIDTH_MAX, WIDTH_MAX}},
    {'Y', {WIDTH_MAX, WIDTH_MAX}},
    {'M', {5, WIDTH_MAX}},
    {'L', {5, WIDTH_MAX}},
    {'Q', {4, 0}},
    {'q', {4, 0}},
    {'w', {2, WIDTH_MAX}},
    {'W', {1, WIDTH_MAX}},
    {'D', {3, WIDTH_MAX}},
    {'d', {2, WIDTH_MAX}},
    {'F', {1, WIDTH_MAX}},
    {'E', {5, WIDTH_MAX}},
    {'e', {5, 0}},
    {'a', {1, WIDTH_MAX}},
    {'H', {2, WIDTH_MAX}},
    {'k', {2, WIDTH_MAX}},
    {'K', {2, WIDTH_MAX}},
    {'h', {2, WIDTH_MAX}},
    {'m', {2, WIDTH_MAX}},
    {'s', {2, WIDTH_MAX}},
    {'S', {9, WIDTH_MAX}},
    {'n', {WIDTH_MAX, 0}},
    {'A', {WIDTH_MAX, 0}},
};

static unsigned width_max(int dialect, uint8_t letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if ((uint8_t)letters[i].letter == letter)
            return letters[i].max[dialect];
    return 0;
}

static int is_letter(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static int add_step(struct calendar_pattern *p, uint8_t letter, size_t width)
{
    if (p->count == CALENDAR_PATTERN_MAX)
        return CALENDAR_RANGE;
    p->step[p->count].letter = letter;
    p->step[p->count].width = (uint8_t)width;
    p->count++;
    p->room = (uint16_t)(p->room + (letter ? WIDTH_MAX + 2 : 1));
    return CALENDAR_OK;
}

// A quoted text, at the opening quote; '' is a quote, inside and outside. Returns where it ends, NULL = failed.
static const uint8_t *add_quoted(struct calendar_pattern *p, const uint8_t *at, const uint8_t *end, int *rc)
{
    if (end - at > 1 && at[1] == '\'') {
        *rc = add_step(p, 0, '\'');
        return at + 2;
    }
    for (at++; at < end && *rc == CALENDAR_OK; at++) {
        if (*at == '\'') {
            if (end - at < 2 || at[1] != '\'')
                return at + 1;
            at++;
        }
        *rc = add_step(p, 0, *at);
    }
    if (*rc == CALENDAR_OK)
        *rc = CALENDAR_MALFORMED;
    return NULL;
}

// One step, or a quoted text. Returns where it ends; *rc tells failure.
static const uint8_t *add_next(struct calendar_pattern *p, const uint8_t *at, const uint8_t *end, int *depth, int *rc)
{
    int section = p->dialect == CALENDAR_TIME && strchr("[]", *at) && *at;
    int reserved = p->dialect == CALENDAR_TIME && strchr("{}#", *at) && *at;
    if (*at == '\'')
        return add_quoted(p, at, end, rc);
    if (is_letter(*at)) {
        const uint8_t *start = at;
        while (at < end && *at == *start)
            at++;
        size_t width = (size_t)(at - start);
        *rc = width > width_max(p->dialect, *start) ? CALENDAR_MALFORMED : add_step(p, *start, width);
        return at;
    }
    *depth += section ? (*at == '[' ? 1 : -1) : 0;
    *rc = reserved || *depth < 0 ? CALENDAR_MALFORMED : add_step(p, section ? *at : 0, *at);
    return at + 1;
}

int calendar_pattern_compile(struct calendar_pattern *p, int dialect, const void *text, size_t len, size_t *bad)
{
    const uint8_t *start = text, *at = start, *end = len ? at + len : at;
    int rc = CALENDAR_OK, depth = 0;
    memset(p, 0, sizeof *p);
    p->dialect = (uint8_t)dialect;
    while (at < end) {
        const uint8_t *next = add_next(p, at, end, &depth, &rc);
        if (rc != CALENDAR_OK) {
            if (bad)
                *bad = (size_t)(at - start);
            return rc;
        }
        at = next;
    }
    return CALENDAR_OK;
}

// --- printing

struct moment {
    struct calendar_fields f;
    int64_t days;
    int64_t time; // microseconds of the day
};

static char *put_number(char *at, uint64_t v, unsigned width)
{
    if (width == 2 && v < 100) {
        number_u64_print_padded(at, v, 2);
        return at + 2;
    }
    char digits[NUMBER_U64_MAX];
    unsigned n = (unsigned)number_u64_print(digits, v);
    for (; width > n; width--)
        *at++ = '0';
    memcpy(at, digits, n);
    return at + n;
}

static char *put_text(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

// Short up to `full` - 1 letters, then full, one letter more is the narrow form of java.time.
static char *put_name(char *at, const char *name, unsigned width, int dialect)
{
    if (width < 4)
        return put_text(at, name, 3);
    return put_text(at, name, width == 5 && dialect == CALENDAR_TIME ? 1 : strlen(name));
}

static char *put_year(char *at, int64_t year, unsigned width, int dialect)
{
    if (width == 2)
        return put_number(at, (uint64_t)(year < 0 ? -year : year) % 100, 2);
    uint64_t limit = 1;
    for (unsigned i = 0; i < width; i++)
        limit *= 10;
    if (year < 0)
        *at++ = '-';
    else if (dialect == CALENDAR_TIME && width >= 4 && (uint64_t)year >= limit)
        *at++ = '+'; // so that it can be told from the field that follows
    return put_number(at, (uint64_t)(year < 0 ? -year : year), width);
}

static unsigned from_sunday(int64_t days)
{
    return calendar_day_of_week(days) % 7;
}

// Week of the year by the rule of the United States: weeks begin on Sunday, week 1 holds the first of January.
static unsigned us_week(const struct moment *m, int64_t *year)
{
    int64_t first = calendar_days(m->f.year, 1, 1), next = calendar_days(m->f.year + 1, 1, 1);
    *year = m->f.year;
    if (m->days >= next - from_sunday(next)) {
        *year = m->f.year + 1;
        return 1;
    }
    return (unsigned)(m->days - first + from_sunday(first)) / 7 + 1;
}

static char *put_quarter(char *at, unsigned month, unsigned width)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    unsigned quarter = (month - 1) / 3;
    if (width < 3)
        return put_number(at, quarter + 1, width);
    if (width == 4)
        return put_text(at, names[quarter], strlen(names[quarter]));
    *at++ = 'Q';
    return put_number(at, quarter + 1, 1);
}

static char *put_era(char *at, int is_ad, unsigned width, int dialect)
{
    if (dialect == CALENDAR_TIME && width == 4)
        return is_ad ? put_text(at, "Anno Domini", 11) : put_text(at, "Before Christ", 13);
    return put_text(at, is_ad ? "AD" : "BC", dialect == CALENDAR_TIME && width == 5 ? 1 : 2);
}

static char *put_fraction(char *at, uint32_t micros, unsigned width, int dialect)
{
    if (dialect == CALENDAR_SIMPLE)
        return put_number(at, micros / 1000, width);
    char digits[9];
    number_u64_print_padded(digits, (uint64_t)micros * 1000, 9);
    return put_text(at, digits, width);
}

static char *put_date_field(char *at, const struct moment *m, uint8_t letter, unsigned width, int dialect)
{
    int64_t year = m->f.year, week_year;
    switch (letter) {
    case 'G':
        return put_era(at, year > 0, width, dialect);
    case 'y':
        return put_year(at, year > 0 ? year : 1 - year, width, dialect);
    case 'u':
        return dialect == CALENDAR_TIME ? put_year(at, year, width, dialect)
                                        : put_number(at, calendar_day_of_week(m->days), width);
    case 'Y':
        us_week(m, &week_year);
        return put_year(at, week_year, width, dialect);
    case 'w':
        return put_number(at, us_week(m, &week_year), width);
    case 'W':
        return put_number(at, (m->f.day - 1u + from_sunday(m->days - m->f.day + 1)) / 7 + 1, width);
    case 'M':
    case 'L':
        return width < 3 ? put_number(at, m->f.month, width)
                         : put_name(at, calendar_months[m->f.month - 1], width, dialect);
    case 'Q':
    case 'q':
        return put_quarter(at, m->f.month, width);
    case 'D':
        return put_number(at, calendar_day_of_year(m->days), width);
    case 'd':
        return put_number(at, m->f.day, width);
    case 'F': // java.time counts days within aligned weeks here, SimpleDateFormat the weeks
        return put_number(at, dialect == CALENDAR_TIME ? (m->f.day - 1u) % 7 + 1 : (m->f.day - 1u) / 7 + 1, width);
    case 'e':
        if (width < 3)
            return put_number(at, from_sunday(m->days) + 1, width);
        return put_name(at, calendar_weekdays[from_sunday(m->days)], width, dialect);
    default: // E
        return put_name(at, calendar_weekdays[from_sunday(m->days)], width, dialect);
    }
}

static char *put_time_field(char *at, const struct moment *m, uint8_t letter, unsigned width, int dialect)
{
    unsigned hour = m->f.hour;
    switch (letter) {
    case 'a':
        return put_text(at, hour < 12 ? "AM" : "PM", 2);
    case 'H':
        return put_number(at, hour, width);
    case 'k':
        return put_number(at, hour ? hour : 24, width);
    case 'K':
        return put_number(at, hour % 12, width);
    case 'h':
        return put_number(at, hour % 12 ? hour % 12 : 12, width);
    case 'm':
        return put_number(at, m->f.minute, width);
    case 's':
        return put_number(at, m->f.second, width);
    case 'n':
        return put_number(at, (uint64_t)m->f.micros * 1000, width);
    case 'A':
        return put_number(at, (uint64_t)m->time / 1000, width);
    default: // S
        return put_fraction(at, m->f.micros, width, dialect);
    }
}

size_t calendar_pattern_print(const struct calendar_pattern *p, void *out, int64_t micros)
{
    char *at = out;
    struct moment m;
    calendar_split(micros, &m.f);
    m.days = calendar_date_of(micros);
    m.time = calendar_time_of(micros);
    for (unsigned i = 0; i < p->count; i++) {
        uint8_t letter = p->step[i].letter, width = p->step[i].width;
        if (!letter)
            *at++ = (char)width;
        else if (letter_in(letter, LETTERS_TIME))
            at = put_time_field(at, &m, letter, width, p->dialect);
        else if (letter != '[' && letter != ']')
            at = put_date_field(at, &m, letter, width, p->dialect);
    }
    return (size_t)(at - (char *)out);
}
