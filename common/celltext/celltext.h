// SPDX-License-Identifier: Apache-2.0
// Values as people read them: the text of CAST AS STRING, safe for a line of a terminal.
//
// Control characters of strings are written as escapes, so that a value can neither break a line nor speak to the
// terminal; bytes are written x'0a1b'. NULL is "NULL". Thread: any.
#ifndef LEAT_CELLTEXT_H
#define LEAT_CELLTEXT_H

#include <leat/types.h>

struct buf;
struct calendar_zone;

// Appends one value. `zone` is for TIMESTAMP_LTZ; NULL = UTC.
void celltext_put(struct buf *out, const struct leat_type *type, const union leat_cell *cell, uint8_t state,
                  const struct calendar_zone *zone);

#endif
