// SPDX-License-Identifier: Apache-2.0
// Time zone files and look-ups.
//
// A file of version 2 or later holds its data twice; the second copy has 64-bit times:
//
//   "TZif" version(1) unused(15) counts(6 x u32: isut, isstd, leap, time, type, char)
//   times(time x i64) types(time x u8) type(type x {i32 offset, u8 dst, u8 name}) names leaps isstd isut
//   "\n" rule "\n"
//
// The rule, spelled as in POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3"), holds after the last time. It is turned into two
// yearly changes once; a look-up is a binary search, or beyond the table the comparison with that year's changes.
#include "calendar_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "calendar_scan.h"

#define FILE_MAX     (256 * 1024) // the largest of the system's files has under 4 KiB
#define NAME_MAX_LEN 64
#define HEADER_SIZE  44
#define TYPE_SIZE    6
#define OFFSET_MAX   (26 * 3600) // bound of RFC 8536
#define DAY          86400

// One of the two yearly changes: a day found by its form, and a time of that day in the wall clock before the change.
struct change {
    char form;       // 'M': week and weekday of a month, 'J': day 1..365 without leap days, '0': day 0..365
    uint8_t month;   // M only
    uint8_t week;    // 1..5, 5 = the last
    uint8_t weekday; // 0 = Sunday
    uint16_t day;    // J and 0 only
    int32_t time;    // seconds, may be negative or beyond a day
};

struct calendar_zone {
    int32_t first;    // offset before the first time
    int32_t standard; // offset after the last time, outside summer
    int32_t summer;   // in summer
    int has_summer;
    struct change to_summer, to_standard;
    uint32_t count;
    const int32_t *offset; // count offsets, offset[i] from time[i] on
    int64_t time[];        // count instants in seconds, rising; the offsets lie behind them
};

// --- the rule

static void skip_rule_name(struct scan *s)
{
    if (scan_is(s, '<')) {
        while (s->at < s->end && *s->at != '>')
            s->at++;
        scan_byte(s, '>');
        return;
    }
    const uint8_t *start = s->at;
    while (s->at < s->end && (uint8_t)((*s->at | 0x20) - 'a') < 26)
        s->at++;
    if (s->at - start < 3)
        scan_fail(s, CALENDAR_MALFORMED);
}

// [+-]h[h[h]][:mm[:ss]]
static int32_t scan_seconds(struct scan *s)
{
    int negative = scan_is(s, '-');
    if (negative || scan_is(s, '+'))
        s->at++;
    int32_t seconds = (int32_t)scan_number(s, 1, 3) * 3600;
    for (int32_t unit = 60; unit && scan_is(s, ':'); unit /= 60) {
        s->at++;
        seconds += (int32_t)scan_number(s, 2, 2) * unit;
    }
    return negative ? -seconds : seconds;
}

static struct change scan_change(struct scan *s)
{
    struct change c = {.form = '0', .time = 2 * 3600};
    scan_byte(s, ',');
    if (scan_is(s, 'M')) {
        c.form = 'M';
        s->at++;
        c.month = (uint8_t)scan_number(s, 1, 2);
        scan_byte(s, '.');
        c.week = (uint8_t)scan_number(s, 1, 1);
        scan_byte(s, '.');
        c.weekday = (uint8_t)scan_number(s, 1, 1);
        if (c.month < 1 || c.month > 12 || c.week < 1 || c.week > 5 || c.weekday > 6)
            scan_fail(s, CALENDAR_MALFORMED);
    } else {
        if (scan_is(s, 'J')) {
            c.form = 'J';
            s->at++;
        }
        c.day = (uint16_t)scan_number(s, 1, 3);
        if (c.day > 365 || (c.form == 'J' && c.day == 0))
            scan_fail(s, CALENDAR_MALFORMED);
    }
    if (scan_is(s, '/')) {
        s->at++;
        c.time = scan_seconds(s);
    }
    return c;
}

static int parse_rule(struct calendar_zone *z, const uint8_t *text, size_t len)
{
    struct scan s = scan_of(text, len);
    if (len == 0)
        return CALENDAR_OK;
    skip_rule_name(&s);
    z->standard = -scan_seconds(&s); // POSIX counts westwards
    if (s.at < s.end) {
        skip_rule_name(&s);
        z->summer = s.at < s.end && *s.at != ',' ? -scan_seconds(&s) : z->standard + 3600;
        z->has_summer = 1;
        z->to_summer = scan_change(&s);
        z->to_standard = scan_change(&s);
    }
    if (abs(z->standard) > OFFSET_MAX || abs(z->summer) > OFFSET_MAX)
        return CALENDAR_MALFORMED;
    return scan_end(&s);
}

// The instant of a change in seconds, given the offset before it.
static int64_t change_time(const struct change *c, int64_t year, int32_t before)
{
    int64_t day;
    if (c->form == 'M') {
        int64_t first = calendar_days(year, c->month, 1);
        unsigned weekday = calendar_day_of_week(first) % 7;
        unsigned in_month = (c->weekday + 7 - weekday) % 7 + (c->week - 1u) * 7;
        if (in_month >= calendar_month_days(year, c->month))
            in_month -= 7;
        day = first + in_month;
    } else {
        day = calendar_days(year, 1, 1) + c->day;
        // J counts from 1 and never counts 29 February
        if (c->form == 'J' && !(calendar_is_leap(year) && c->day > 59))
            day--;
    }
    return day * DAY + c->time - before;
}

static int32_t rule_offset(const struct calendar_zone *z, int64_t seconds)
{
    struct calendar_fields f;
    if (!z->has_summer)
        return z->standard;
    calendar_civil(calendar_floor_div(seconds + z->standard, DAY), &f);
    int64_t summer = change_time(&z->to_summer, f.year, z->standard);
    int64_t standard = change_time(&z->to_standard, f.year, z->summer);
    int is_summer =
        summer < standard ? seconds >= summer && seconds < standard : seconds >= summer || seconds < standard;
    return is_summer ? z->summer : z->standard;
}

// --- the file

struct counts {
    uint32_t isut, isstd, leap, time, type, names;
};

static struct counts read_header(struct cur *c, int *version)
{
    const uint8_t *magic = cur_bytes(c, 4);
    if (magic && memcmp(magic, "TZif", 4) != 0)
        cur_fail(c);
    *version = cur_u8(c);
    cur_bytes(c, 15);
    struct counts n;
    n.isut = cur_u32(c);
    n.isstd = cur_u32(c);
    n.leap = cur_u32(c);
    n.time = cur_u32(c);
    n.type = cur_u32(c);
    n.names = cur_u32(c);
    return n;
}

static size_t body_size(const struct counts *n, size_t time_size)
{
    return n->time * (time_size + 1) + (size_t)n->type * TYPE_SIZE + n->names + n->leap * (time_size + 4) + n->isstd +
           (size_t)n->isut;
}

static int32_t type_offset(const uint8_t *types, unsigned i)
{
    struct cur c = cur_of(types + (size_t)i * TYPE_SIZE, TYPE_SIZE);
    return (int32_t)cur_u32(&c);
}

static int fill(struct calendar_zone *z, const struct counts *n, const uint8_t *body, int32_t *offset)
{
    struct cur times = cur_of(body, (size_t)n->time * 8);
    const uint8_t *index = body + (size_t)n->time * 8, *types = index + n->time;
    z->count = n->time;
    z->offset = offset;
    for (unsigned i = 0; i < n->type; i++)
        if (abs(type_offset(types, i)) > OFFSET_MAX)
            return CALENDAR_MALFORMED;
    for (uint32_t i = 0; i < n->time; i++) {
        z->time[i] = (int64_t)cur_u64(&times);
        if (index[i] >= n->type || (i && z->time[i] <= z->time[i - 1]))
            return CALENDAR_MALFORMED;
        offset[i] = type_offset(types, index[i]);
    }
    z->first = type_offset(types, 0);
    z->standard = n->time ? offset[n->time - 1] : z->first;
    return CALENDAR_OK;
}

static int parse_file(const uint8_t *bytes, size_t len, struct calendar_zone **out)
{
    struct cur c = cur_of(bytes, len);
    int version;
    struct counts n = read_header(&c, &version);
    cur_bytes(&c, body_size(&n, 4));
    n = read_header(&c, &version);
    const uint8_t *body = cur_bytes(&c, body_size(&n, 8));
    // zones that count leap seconds ("right/…") have no place beside timestamps that do not
    if (!body || version < '2' || n.type == 0 || n.leap || cur_u8(&c) != '\n')
        return CALENDAR_MALFORMED;
    const uint8_t *end = cur_left(&c) ? memchr(c.ptr, '\n', cur_left(&c)) : NULL;
    if (!end)
        return CALENDAR_MALFORMED;
    struct calendar_zone *z = calloc(1, sizeof *z + n.time * (sizeof *z->time + sizeof *z->offset));
    if (!z)
        return CALENDAR_NO_MEMORY;
    int rc = fill(z, &n, body, (int32_t *)(z->time + n.time));
    if (rc == CALENDAR_OK)
        rc = parse_rule(z, c.ptr, (size_t)(end - c.ptr));
    if (rc != CALENDAR_OK) {
        free(z);
        return CALENDAR_MALFORMED;
    }
    *out = z;
    return CALENDAR_OK;
}

// 1 if the name stays within the folder: words of letters, digits and _+- with single slashes between them.
static int is_plain_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_LEN || name[0] == '/' || name[len - 1] == '/')
        return 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char letter = (unsigned char)((name[i] | 0x20) - 'a');
        int fine = letter < 26 || (name[i] >= '0' && name[i] <= '9') || strchr("_+-", name[i]) ||
                   (name[i] == '/' && name[i + 1] != '/');
        if (!fine)
            return 0;
    }
    return 1;
}

static int read_file(const char *name, const char *dir, struct calendar_zone **out)
{
    char path[512];
    if (!is_plain_name(name) || snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return CALENDAR_NO_ZONE;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return CALENDAR_NO_ZONE;
    int rc = CALENDAR_NO_MEMORY;
    uint8_t *bytes = malloc(FILE_MAX);
    if (bytes) {
        size_t len = fread(bytes, 1, FILE_MAX, file);
        // a folder can be opened, but not read
        rc = ferror(file) ? CALENDAR_NO_ZONE : parse_file(bytes, len, out);
        free(bytes);
    }
    fclose(file);
    return rc;
}

// 1 if the name is a fixed offset: a word for UTC, an offset, or both.
static int fixed_offset(const char *name, int32_t *out)
{
    static const char *const words[] = {"UTC", "GMT", "UT", "Z"};
    struct scan s = scan_of(name, strlen(name));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if (strncmp(name, words[i], len) == 0) {
            s.at += len;
            break;
        }
    }
    *out = 0;
    if (s.at == s.end)
        return *name != 0;
    if (*s.at != '+' && *s.at != '-')
        return 0;
    if (s.end - s.at == 2 && scan_is_digit(&(struct scan){.at = s.at + 1, .end = s.end})) { // GMT+8
        int32_t hours = s.at[1] - '0';
        *out = (*s.at == '-' ? -hours : hours) * 3600;
        return 1;
    }
    *out = scan_offset(&s);
    return scan_end(&s) == CALENDAR_OK;
}

int calendar_zone_create(const char *name, const char *dir, struct calendar_zone **out)
{
    int32_t offset;
    if (!fixed_offset(name, &offset))
        return read_file(name, dir ? dir : CALENDAR_ZONE_DIR, out);
    struct calendar_zone *z = calloc(1, sizeof *z);
    if (!z)
        return CALENDAR_NO_MEMORY;
    z->first = z->standard = offset;
    *out = z;
    return CALENDAR_OK;
}

void calendar_zone_destroy(struct calendar_zone *zone)
{
    free(zone);
}

// --- look-ups

int32_t calendar_zone_offset(const struct calendar_zone *zone, int64_t utc)
{
    int64_t seconds = calendar_floor_div(utc, CALENDAR_SECOND);
    if (zone->count == 0 || seconds >= zone->time[zone->count - 1])
        return rule_offset(zone, seconds);
    if (seconds < zone->time[0])
        return zone->first;
    uint32_t low = 0, high = zone->count - 1; // time[low] <= seconds < time[high]
    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        if (zone->time[mid] <= seconds)
            low = mid;
        else
            high = mid;
    }
    return zone->offset[low];
}

int64_t calendar_zone_to_utc(const struct calendar_zone *zone, int64_t local, int which)
{
    // offsets a day before and after bracket a change in between; changes are never that close to each other
    int64_t before = calendar_zone_offset(zone, local - CALENDAR_DAY) * CALENDAR_SECOND;
    int64_t after = calendar_zone_offset(zone, local + CALENDAR_DAY) * CALENDAR_SECOND;
    if (before == after)
        return local - before;
    int before_holds = calendar_zone_to_local(zone, local - before) == local;
    int after_holds = calendar_zone_to_local(zone, local - after) == local;
    if (before_holds && after_holds)
        return local - (which == CALENDAR_EARLIER ? before : after);
    return local - (after_holds ? after : before);
}
