// SPDX-License-Identifier: Apache-2.0
// What the files that bind a plan share.
#ifndef GRAPH_BIND_INT_H
#define GRAPH_BIND_INT_H

#include "graph/graph_int.h"

struct binder {
    struct graph *graph;
    struct plan_job *plan;
    struct base_error *error; // of the runtime step; NULL while a file is checked
    uint32_t faults;
    uint8_t no_memory; // nodes may be missing: stop
    uint32_t next_id;
};

// A fault found by the planner itself, told to the reporter and kept as the job's error.
void bind_fault(struct binder *b, const struct graph_node *node, const char *code, const struct graph_ref *ref,
                const char *hint, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

// bind_wait.c: which edges are read up to their end before others, and which sources must know their end for that.
void bind_waiting(struct binder *b);

#endif
