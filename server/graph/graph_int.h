// SPDX-License-Identifier: Apache-2.0
// For this room only.
#ifndef GRAPH_GRAPH_INT_H
#define GRAPH_GRAPH_INT_H

#include "base/crash.h"
#include "graph/planner.h"

// A context for static calls of a node's plugin. Diagnostics and failures go to the graph's reporter.
struct graph_ctx {
    struct leat_ctx ctx;
    struct graph *graph;
    const struct graph_node *node;
    struct base_error error;
    uint32_t reported;                  // errors, not warnings
    char where[512];                    // the first of them stands in the files; "" = nowhere
    const struct leat_schema *supposed; // input of which not all is known: faults of its untyped columns are not told
    struct base_crash_site site;
};

// Around one `call` of `component`, for `node`: should it crash, it is named.
void graph_ctx_init(struct graph_ctx *gc, struct graph *graph, const struct graph_node *node,
                    const struct leat_component *component, const char *call);
// After the call: reports the error of a failed one unless diagnostics said it already.
void graph_ctx_close(struct graph_ctx *gc, leat_status status, const char *option);

// Reports in the planner's own name.
void graph_report(struct graph *graph, const struct graph_node *node, uint8_t severity, const char *code,
                  const char *option, uint32_t offset, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 8, 9)));

// Are all columns of the schema's key among these? Rows that have them alike are then one row.
int graph_key_within(const struct leat_schema *schema, const uint32_t *columns, uint32_t count);

const char *graph_strndup(struct graph *graph, const char *text, size_t len);

// spread.c: parallelism of every node, shares and chains of every edge. False = no memory.
int graph_spread(struct graph *graph, struct plan_job *plan);
// No more instances than a component can have. Notes why, where the node's own option asks for more.
uint32_t graph_narrow(struct plan_job *plan, struct plan_node *node, uint32_t width, uint32_t most);

// warn.c: what is legal and risky.
void graph_warn(struct graph *graph, struct plan_job *plan);

#endif
