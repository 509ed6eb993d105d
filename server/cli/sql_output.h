// SPDX-License-Identifier: Apache-2.0
// The sink behind `leat sql`: takes the rows of a query and shows them.
//
// A query that only inserts is shown as its rows come, the aligned table in pages. One that also updates and deletes is
// either settled first, which is what a reader of a bounded input wants, or shown as changes with their kind in front.
// Thread: rows come on a worker; the rest is called when the job has not begun or has ended.
#ifndef CLI_SQL_OUTPUT_H
#define CLI_SQL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <leat/plugin.h>

#include "cli/sql_table.h"

enum sql_format { SQL_TABLE, SQL_TSV, SQL_JSON };

struct sql_output {
    FILE *file;
    enum sql_format format;
    bool header;
    bool bounded; // every input ends: changes can be settled
    // kept by the sink
    const struct leat_schema *schema;
    bool changes; // rows are changes
    bool begun;
    char **rows; // what is kept: for the next page, or until the end
    size_t row_count, row_cap;
    struct sql_table table;
    bool unread;             // whoever read the answer has gone
    _Atomic(uint64_t) given; // rows
};

// The component; its `config` is a struct sql_output.
extern const struct leat_component sql_output_component;

// How many rows came so far. Any thread.
uint64_t sql_output_rows(const struct sql_output *out);

// What was kept is shown. 0 = it could not be (no memory, or the file is full).
int sql_output_end(struct sql_output *out);
void sql_output_fini(struct sql_output *out);

#endif
