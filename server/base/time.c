// SPDX-License-Identifier: Apache-2.0
// Clocks; durations and sizes to numbers and back. One table of units serves reading and printing. See time.h.
#include "base/time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit {
    const char *names; // lower case, each followed by a blank; the first is the one we print
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"d day days ", 86400 * BASE_SECOND},
    {"h hour hours ", 3600 * BASE_SECOND},
    {"min m minute minutes ", 60 * BASE_SECOND},
    {"s sec secs second seconds ", BASE_SECOND},
    {"ms milli millis millisecond milliseconds ", 1000},
    {"us \xc2\xb5s \xce\xbcs micro micros microsecond microseconds ", 1},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"TiB tib t tb tebibytes ", INT64_C(1) << 40},
    {"GiB gib g gb gibibytes ", INT64_C(1) << 30},
    {"MiB mib m mb mebibytes ", INT64_C(1) << 20},
    {"KiB kib k kb kibibytes ", INT64_C(1) << 10},
    {"b byte bytes ", 1},
    {NULL, 0},
};

static leat_usec read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (leat_usec)ts.tv_sec * BASE_SECOND + ts.tv_nsec / 1000;
}

leat_usec base_time_mono(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

leat_usec base_time_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

// The factor of a unit's name, 0 if there is no such unit.
static int64_t unit_factor(const struct unit *units, const char *name, size_t len)
{
    for (; units->names; units++) {
        for (const char *p = units->names; *p;) {
            size_t n = (size_t)(strchr(p, ' ') - p);
            if (n == len && strncasecmp(p, name, n) == 0)
                return units->factor;
            p += n + 1;
        }
    }
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// One or more terms of a number and a unit; `bare` is the factor of a lone number.
static const char *parse_sum(const char *text, size_t len, const struct unit *units, int64_t bare, int64_t *out)
{
    const char *p = text, *end = text + len;
    int64_t sum = 0;
    bool any = false;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            break;
        if (!isdigit((unsigned char)*p))
            return *p == '-' ? "must not be negative"
                   : any     ? "has a part that is not a number with a unit"
                             : "does not start with a number";
        int64_t number = 0, term;
        for (; p < end && isdigit((unsigned char)*p); p++) {
            if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, *p - '0', &number))
                return "is too large";
        }
        if (p < end && (*p == '.' || *p == ','))
            return "must be a whole number (write 1500ms for 1.5s)";
        while (p < end && is_blank(*p))
            p++;
        const char *name = p;
        while (p < end && !is_blank(*p) && !isdigit((unsigned char)*p))
            p++;
        int64_t factor = p > name ? unit_factor(units, name, (size_t)(p - name)) : any || p < end ? 0 : bare;
        if (!factor)
            return "has an unknown unit";
        if (__builtin_mul_overflow(number, factor, &term) || __builtin_add_overflow(sum, term, &sum))
            return "is too large";
        any = true;
    }
    if (!any)
        return "is empty";
    *out = sum;
    return NULL;
}

const char *base_duration_parse(const char *text, size_t len, leat_usec *out)
{
    return parse_sum(text, len, duration_units, 1000, out);
}

const char *base_size_parse(const char *text, size_t len, int64_t *out)
{
    return parse_sum(text, len, size_units, 1, out);
}

void base_duration_print(leat_usec usec, char out[BASE_TIME_TEXT])
{
    // a part below the second is not split further: 1500ms, not 1s500ms
    bool one = usec % BASE_SECOND != 0;
    size_t at = 0;
    snprintf(out, BASE_TIME_TEXT, "0s");
    for (const struct unit *unit = duration_units; unit->names && usec > 0; unit++) {
        int64_t n = usec / unit->factor;
        if (n == 0 || (one && usec % unit->factor))
            continue;
        int name = (int)strcspn(unit->names, " ");
        at += (size_t)snprintf(out + at, BASE_TIME_TEXT - at, "%lld%.*s", (long long)n, name, unit->names);
        if (at >= BASE_TIME_TEXT)
            break;
        usec -= n * unit->factor;
    }
}

void base_time_print(leat_usec wall, char out[BASE_TIME_TEXT])
{
    leat_usec micros = wall % BASE_SECOND;
    time_t seconds = (time_t)(wall / BASE_SECOND - (micros < 0));
    if (micros < 0)
        micros += BASE_SECOND;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        snprintf(out, BASE_TIME_TEXT, "%lld", (long long)wall);
        return;
    }
    size_t n = strftime(out, BASE_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, BASE_TIME_TEXT - n, ".%06dZ", (int)micros);
}
