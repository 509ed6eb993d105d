// SPDX-License-Identifier: Apache-2.0
// Timestamps by Java's pattern letters: DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm'), TO_TIMESTAMP(text, 'dd.MM.yyyy').
//
// A pattern is compiled once into a small program that lies in the caller's storage; printing and parsing then run it
// without looking at the pattern's text again. Two dialects exist, because Flink's functions use two Java classes:
//
//   CALENDAR_TIME    java.time.format.DateTimeFormatter: DATE_FORMAT, TO_TIMESTAMP. Fields are checked; 30 February is
//                    the last of February; [ ] enclose what may be missing.
//   CALENDAR_SIMPLE  java.text.SimpleDateFormat: FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE. Fields out of range carry over
//                    (30 February is 1 or 2 March), text behind the last field is ignored. Printing cuts to
//                    milliseconds.
//
// Names are English, weeks begin on Sunday (en_US). Letters of zones and the rare B, g, p and N are not offered.
// Thread: any; a compiled pattern is read only.
#ifndef COMMON_CALENDAR_PATTERN_H
#define COMMON_CALENDAR_PATTERN_H

#include "calendar.h"

#define CALENDAR_TIME   0
#define CALENDAR_SIMPLE 1

#define CALENDAR_PATTERN_MAX 128 // steps: one for each run of a letter, one for each byte of other text

struct calendar_pattern {
    uint8_t dialect;
    uint8_t count;
    uint16_t room; // the longest text calendar_pattern_print writes
    struct {
        uint8_t letter; // a pattern letter, '[' or ']'; 0 = the byte in width
        uint8_t width;  // how often the letter stands there
    } step[CALENDAR_PATTERN_MAX];
};

// OK; MALFORMED: a letter that is not offered, too often repeated, an open quote, an unmatched ]; RANGE: too long.
// After a failure *bad (may be NULL) is the offset of the byte in question.
int calendar_pattern_compile(struct calendar_pattern *p, int dialect, const void *text, size_t len, size_t *bad);

// Needs room for p->room bytes; returns the length.
size_t calendar_pattern_print(const struct calendar_pattern *p, void *out, int64_t micros);

// What the pattern does not name is 1970-01-01 00:00:00. OK, CUT (digits below a microsecond), MALFORMED or RANGE.
int calendar_pattern_parse(const struct calendar_pattern *p, const void *text, size_t len, int64_t *micros);

#endif
