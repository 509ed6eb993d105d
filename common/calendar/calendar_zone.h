// SPDX-License-Identifier: Apache-2.0
// Time zones by name: between instants (UTC) and wall clocks.
//
// A zone is an immutable object made once, from the system's time zone files (RFC 8536) or a fixed offset; look-ups
// neither lock nor allocate, so any number of threads may share one. The caller owns it and destroys it last.
#ifndef COMMON_CALENDAR_ZONE_H
#define COMMON_CALENDAR_ZONE_H

#include "calendar.h"

#define CALENDAR_ZONE_DIR "/usr/share/zoneinfo"

// Failures of calendar_zone_create besides CALENDAR_MALFORMED (the file is damaged).
#define CALENDAR_NO_ZONE   (-5) // no such name
#define CALENDAR_NO_MEMORY (-6)

struct calendar_zone;

// name: "Asia/Shanghai"; "UTC", "GMT", "UT" or "Z"; "+08:00", "GMT+8", "UTC-05:30". dir: where the files lie, NULL for
// CALENDAR_ZONE_DIR. Names cannot leave that folder. Reads one file.
int calendar_zone_create(const char *name, const char *dir, struct calendar_zone **out);
void calendar_zone_destroy(struct calendar_zone *zone);

// Seconds east of UTC in force at an instant.
int32_t calendar_zone_offset(const struct calendar_zone *zone, int64_t utc);

static inline int64_t calendar_zone_to_local(const struct calendar_zone *zone, int64_t utc)
{
    return utc + calendar_zone_offset(zone, utc) * CALENDAR_SECOND;
}

// Which instant a wall clock time means that occurs twice, when clocks are set back.
#define CALENDAR_EARLIER 0 // as java.time: still summer time
#define CALENDAR_LATER   1 // as java.util.Calendar: standard time again

// A wall clock time that is left out when clocks are set forward counts on from before: 02:30 means 03:30 then.
int64_t calendar_zone_to_utc(const struct calendar_zone *zone, int64_t local, int which);

#endif
