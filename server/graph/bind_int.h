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

// What a mode is called in messages.
const char *bind_mode_text(uint8_t mode);
// Zeroed memory of the plan; NULL stops the binding.
void *bind_take(struct binder *b, size_t count, size_t size);
// After a static call: its failure and its diagnostics become the job's error.
void bind_close_ctx(struct binder *b, struct graph_ctx *gc, leat_status st);
// Frees what the last bind of the node made.
void bind_undo(struct plan_node *node);

// --- bind_ports.c

// Whether what a plugin told of its ports can be read; a fault otherwise.
int bind_check_ports(struct binder *b, const struct plan_node *node, const struct leat_ports *ports);
void bind_copy_ports(struct binder *b, struct plan_node *node, const struct leat_ports *ports);
// Columns whose types are not known make the whole uncertain; so does a fault of what gives them (`all`).
void bind_doubt_ports(struct plan_node *node, int all);
// The port that a reference means, or UINT32_MAX after a fault.
uint32_t bind_port_of(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                      const struct plan_node *from);
// The same of a source that has no outputs before it is connected; NULL when nothing is known, and after a fault.
const struct plan_output *bind_foreseen(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                                        const struct plan_node *from);
// NULL for a name that could not be resolved.
struct plan_node *bind_node_of(struct plan_job *plan, const struct graph_node *node);

// --- bind_edge.c

struct plan_edge *bind_add_edge(struct binder *b, struct plan_node *from, uint32_t port, struct plan_node *to,
                                uint32_t input);
// A normaliser between `from` and input `input` of `to`; returns the node, whose output 0 carries every change in full.
struct plan_node *bind_normalizer(struct binder *b, struct plan_node *from, uint32_t port, struct plan_node *to,
                                  uint32_t input);

// --- bind_operator.c

void bind_operator(struct binder *b, struct plan_node *node);
// Asks the plugin. `asked_by`: whom diagnostics concern, the node itself or the reader for which it is inserted.
leat_status bind_call_operator(struct binder *b, struct plan_node *node, const struct graph_node *asked_by,
                               const struct leat_input *inputs, uint32_t count);

// --- bind_sink.c

void bind_sink(struct binder *b, struct plan_node *node);

// bind_wait.c: which edges are read up to their end before others, and which sources must know their end for that.
void bind_waiting(struct binder *b);

#endif
