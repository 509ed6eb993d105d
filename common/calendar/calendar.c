// SPDX-License-Identifier: Apache-2.0
// Calendar arithmetic. Years are counted from March, so that the leap day is the last of its year; centuries, years and
// months then follow from multiplications by fixed ratios (Neri and Schneider, "Euclidean affine functions and their
// application to calendar algorithms", 2022).
#include "calendar.h"

// Days are shifted by whole cycles of 400 years, so that everything stays above zero.
#define CYCLE_DAYS  146097
#define CYCLE_YEARS 400
#define CYCLES      800
#define SHIFT_DAYS  (719468 + CYCLES * CYCLE_DAYS) // from 0000-03-01 to 1970-01-01, and the cycles
#define SHIFT_YEARS (CYCLES * CYCLE_YEARS)

unsigned calendar_month_days(int64_t year, unsigned month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 ? 28u + (unsigned)calendar_is_leap(year) : days[month];
}

int64_t calendar_days(int64_t year, unsigned month, unsigned day)
{
    uint32_t before_march = month <= 2;
    uint32_t y = (uint32_t)(year + SHIFT_YEARS) - before_march;
    uint32_t m = before_march ? month + 12 : month;
    uint32_t century = y / 100;
    uint32_t days = 1461 * y / 4 - century + century / 4 + (979 * m - 2919) / 32 + day - 1;
    return (int64_t)days - SHIFT_DAYS;
}

void calendar_civil(int64_t days, struct calendar_fields *out)
{
    uint32_t quarter_days = 4 * (uint32_t)(days + SHIFT_DAYS) + 3;
    uint32_t century = quarter_days / CYCLE_DAYS;
    uint64_t product = UINT64_C(2939745) * (quarter_days % CYCLE_DAYS | 3);
    uint32_t year_of_century = (uint32_t)(product >> 32);
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4;
    uint32_t month_and_day = 2141 * day_of_year + 197913;
    uint32_t january_or_february = day_of_year >= 306;
    out->year = (int32_t)(100 * century + year_of_century + january_or_february) - SHIFT_YEARS;
    out->month = (uint8_t)((month_and_day >> 16) - (january_or_february ? 12 : 0));
    out->day = (uint8_t)((month_and_day & 0xffff) / 2141 + 1);
}

void calendar_split(int64_t micros, struct calendar_fields *out)
{
    uint64_t rest = (uint64_t)calendar_time_of(micros);
    uint32_t seconds = (uint32_t)(rest / (uint64_t)CALENDAR_SECOND);
    calendar_civil(calendar_date_of(micros), out);
    out->micros = (uint32_t)(rest - seconds * (uint64_t)CALENDAR_SECOND);
    out->hour = (uint8_t)(seconds / 3600);
    out->minute = (uint8_t)(seconds / 60 % 60);
    out->second = (uint8_t)(seconds % 60);
}

unsigned calendar_day_of_week(int64_t days)
{
    int64_t monday_based = days + 3; // 1970-01-01 was a Thursday
    return (unsigned)(monday_based - calendar_floor_div(monday_based, 7) * 7) + 1;
}

unsigned calendar_day_of_year(int64_t days)
{
    struct calendar_fields f;
    calendar_civil(days, &f);
    return (unsigned)(days - calendar_days(f.year, 1, 1)) + 1;
}

unsigned calendar_iso_week(int64_t days, int64_t *year)
{
    struct calendar_fields f;
    int64_t thursday = days + 4 - calendar_day_of_week(days);
    calendar_civil(thursday, &f);
    if (year)
        *year = f.year;
    return (unsigned)((thursday - calendar_days(f.year, 1, 1)) / 7) + 1;
}

int64_t calendar_add_months(int64_t days, int64_t months)
{
    struct calendar_fields f;
    calendar_civil(days, &f);
    int64_t total = (int64_t)f.year * 12 + f.month - 1 + months;
    int64_t year = calendar_floor_div(total, 12);
    unsigned month = (unsigned)(total - year * 12) + 1;
    unsigned last = calendar_month_days(year, month);
    return calendar_days(year, month, f.day < last ? f.day : last);
}
