// SPDX-License-Identifier: Apache-2.0
// Dates and times as text. Fields are written two digits at a time into place.
#include "calendar.h"

#include "number.h"

static char *put2(char *at, unsigned v)
{
    unsigned tens = v * 103 >> 10; // v / 10 for v < 100
    at[0] = (char)('0' + tens);
    at[1] = (char)('0' + (v - tens * 10));
    return at + 2;
}

static char *put_date(char *at, int64_t days)
{
    struct calendar_fields f;
    calendar_civil(days, &f);
    if (f.year >= 0 && f.year <= 9999) {
        at = put2(at, (unsigned)f.year / 100);
        at = put2(at, (unsigned)f.year % 100);
    } else {
        uint64_t year = (uint64_t)(f.year < 0 ? -(int64_t)f.year : f.year);
        if (f.year < 0)
            *at++ = '-';
        if (year <= 9999) {
            number_u64_print_padded(at, year, 4);
            at += 4;
        } else {
            at += number_u64_print(at, year);
        }
    }
    *at++ = '-';
    at = put2(at, f.month);
    *at++ = '-';
    return put2(at, f.day);
}

static char *put_fraction(char *at, uint32_t micros, unsigned precision, unsigned form)
{
    if (precision == 0 || (micros == 0 && form & CALENDAR_TRIM))
        return at;
    char *point = at;
    *at++ = '.';
    put2(at, micros / 10000);
    put2(at + 2, micros / 100 % 100);
    put2(at + 4, micros % 100);
    at += precision;
    if (form & CALENDAR_TRIM) {
        while (at[-1] == '0')
            at--;
        if (at - 1 == point)
            at--;
    }
    return at;
}

static char *put_time(char *at, uint64_t micros, unsigned precision, unsigned form)
{
    uint64_t seconds = micros / (uint64_t)CALENDAR_SECOND;
    uint32_t hours = (uint32_t)(seconds / 3600);
    unsigned in_hour = (unsigned)(seconds - (uint64_t)hours * 3600);
    if (hours < 100)
        at = put2(at, hours);
    else
        at += number_u64_print(at, hours);
    *at++ = ':';
    at = put2(at, in_hour / 60);
    *at++ = ':';
    at = put2(at, in_hour % 60);
    return put_fraction(at, (uint32_t)(micros - seconds * (uint64_t)CALENDAR_SECOND), precision, form);
}

size_t calendar_print_date(void *out, int64_t days)
{
    return (size_t)(put_date(out, days) - (char *)out);
}

size_t calendar_print_time(void *out, int64_t micros, unsigned precision, unsigned form)
{
    return (size_t)(put_time(out, (uint64_t)micros, precision, form) - (char *)out);
}

size_t calendar_print_timestamp(void *out, int64_t micros, unsigned precision, unsigned form)
{
    char *at = put_date(out, calendar_date_of(micros));
    *at++ = form & CALENDAR_ISO ? 'T' : ' ';
    at = put_time(at, (uint64_t)calendar_time_of(micros), precision, form);
    if (form & CALENDAR_ZULU)
        *at++ = 'Z';
    return (size_t)(at - (char *)out);
}
