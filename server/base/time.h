// SPDX-License-Identifier: Apache-2.0
// Clocks, and durations and sizes as people write them.
//
// Durations and sizes are spelt as in Flink ("10s", "500 ms", "1 min", "64mb"), and in sums ("1h 30min"). Sizes are
// binary whatever the unit is called: 1k = 1kb = 1KiB = 1024 bytes. Thread: any.
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

#include "leat/types.h"

#define BASE_SECOND INT64_C(1000000) // in leat_usec

// Microseconds of a clock that never jumps; only differences mean something.
leat_usec base_time_mono(void);
// Microseconds since 1970 UTC.
leat_usec base_time_wall(void);

// Read the whole text. NULL when it was read, else the reason as the rest of a sentence ("has an unknown unit"). On a
// fault *out is untouched. A duration without a unit is in milliseconds, as in Flink; a size without a unit in bytes.
// Neither is negative.
const char *base_duration_parse(const char *text, size_t len, leat_usec *out);
const char *base_size_parse(const char *text, size_t len, int64_t *out);

// Room for any text the two functions below make.
#define BASE_TIME_TEXT 40

// The shortest exact spelling, which the parser above reads back: "1h30min", "1500ms".
void base_duration_print(leat_usec usec, char out[BASE_TIME_TEXT]);

// "2026-11-21T09:30:00.123456Z".
void base_time_print(leat_usec wall, char out[BASE_TIME_TEXT]);

#endif
