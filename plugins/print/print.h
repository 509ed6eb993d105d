// SPDX-License-Identifier: Apache-2.0
// Inside print: rows as lines of text.
#ifndef PRINT_PRINT_H
#define PRINT_PRINT_H

#include <leat/sink.h>

struct buf;
struct calendar_zone;

struct print_config {
    const char *identifier; // NULL = none
    uint8_t standard_error;
};

// Appends "identifier> +I[1, abc]\n". TIMESTAMP_LTZ in `zone` (NULL = UTC).
void print_row(struct buf *t, const struct leat_batch *b, uint32_t row, const char *identifier,
               const struct calendar_zone *zone);

extern const struct leat_sink_ops print_sink_ops;

#endif
