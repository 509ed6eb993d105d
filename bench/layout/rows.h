// SPDX-License-Identifier: Apache-2.0
// The workloads of the layout prototype: a table's columns, its rows as JSON texts, and what a query computes from
// them.
#ifndef BENCH_LAYOUT_ROWS_H
#define BENCH_LAYOUT_ROWS_H

#include "leat/types.h"

#define BENCH_COLUMNS 64

// What makes an output column.
enum op { OP_PASS, OP_CASE, OP_CONCAT, OP_HOUR, OP_DATE_TEXT, OP_TIME, OP_SUBTRACT, OP_ADD };

struct column_def {
    const char *name;
    uint8_t kind; // BIGINT, INT, VARCHAR, DECIMAL with scale 2, TIMESTAMP with precision 3
};

struct output_def {
    const char *name;
    uint8_t kind;
    enum op op;
    unsigned a, b; // input columns
};

struct workload {
    const char *name;
    unsigned column_count, output_count;
    struct column_def columns[BENCH_COLUMNS];
    struct output_def outputs[BENCH_COLUMNS];
    unsigned id, amount; // the filter: id IS NOT NULL AND amount > 0
    unsigned part;       // output column by which rows are partitioned
    unsigned row_count;
    struct leat_bytes *rows; // row_count JSON texts
    uint8_t *text;           // owns the bytes of rows
    uint64_t text_len;
};

// Fills `w` with the workload called `name` (orders, orders-drop, narrow, wide). 0, or -1 when there is none or no
// memory.
int workload_init(struct workload *w, const char *name);
void workload_fini(struct workload *w);

#endif
