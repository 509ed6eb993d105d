// SPDX-License-Identifier: Apache-2.0
// Files in a query of `leat sql`: FROM `orders.jsonl` reads JSON lines, with columns found by looking into them.
#ifndef CLI_SQL_FILES_H
#define CLI_SQL_FILES_H

#include <leat/schema.h>

#include "base/error.h"

struct base_arena;

// Columns of a file of JSON objects, one a line: every key of its first lines, in the order in which they appear;
// BIGINT, DECIMAL, DOUBLE, BOOLEAN where all values go into it exactly, else STRING. NULL with *error: it cannot be read, or a line is no
// object.
const struct leat_schema *sql_file_schema(struct base_arena *arena, const char *path, struct base_error *error);

#endif
