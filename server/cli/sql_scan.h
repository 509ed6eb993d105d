// SPDX-License-Identifier: Apache-2.0
// What kinds of values the fields of a JSON object have, without making numbers of them: a number of any size is told
// by its digits. For choosing the types of columns; the format "json" reads the values.
//
// Thread: any.
#ifndef CLI_SQL_SCAN_H
#define CLI_SQL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_kind { SCAN_NULL, SCAN_BOOL, SCAN_NUMBER, SCAN_OTHER };

struct scan_value {
    enum scan_kind kind;
    uint32_t whole, fraction; // NUMBER: digits before (without leading zeros) and behind the point
    bool exponent;
    bool huge;   // NUMBER: beyond what a DOUBLE holds
    bool bigint; // NUMBER: an integer that a BIGINT holds
};

// One field. `name` is the key between its quotes, escapes as written. False ends the scan.
typedef bool (*scan_fn)(void *arg, const char *name, size_t len, const struct scan_value *value);

// Gives every field of the object that the line is. NULL = fine, "" = ended by fn; else what is wrong, at *offset.
const char *sql_scan(const char *line, size_t len, scan_fn fn, void *arg, size_t *offset);

#endif
