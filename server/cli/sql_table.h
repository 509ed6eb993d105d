// SPDX-License-Identifier: Apache-2.0
// Rows of text as an aligned table, page by page: the first page has the names above it, and columns only ever become
// wider. Thread: one at a time.
#ifndef CLI_SQL_TABLE_H
#define CLI_SQL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <leat/schema.h>

// Zeroed to begin with.
struct sql_table {
    size_t *widths; // of the columns, on a terminal; NULL until the first page
    size_t rows;    // shown so far
};

// The names of the columns joined by tabs, `op` first if asked for. The caller frees it; NULL = no memory.
char *sql_table_names(const struct leat_schema *schema, bool op);

// Prints rows, each its cells' texts joined by tabs. False = no memory; whether the file took it is told by ferror.
bool sql_table_page(struct sql_table *table, FILE *file, const struct leat_schema *schema, bool op, char **rows,
                    size_t count);
void sql_table_fini(struct sql_table *table);

#endif
