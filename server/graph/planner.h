// SPDX-License-Identifier: Apache-2.0
// The planner: from the nodes of a pipeline file to jobs that can run.
//
// The logical graph (struct graph) holds the file's nodes with their parsed options. It finds out who reads whom
// (operators are asked), splits the graph into jobs, and makes a plan of a job as often as it is started. A plan is
// made in two steps, since some schemas are known only when a source has connected: graph_plan does what can be done
// without I/O, graph_complete the rest.
//
// Thread: the control loop (or the only thread of a verb).
#ifndef GRAPH_PLANNER_H
#define GRAPH_PLANNER_H

#include <leat/plugin.h>

#include "base/arena.h"
#include "base/error.h"
#include "graph/plan.h"

#define GRAPH_NO_JOB UINT32_MAX

// What one node reads: a name as written, resolved to a node and one of its ports.
struct graph_ref {
    const char *text;      // "pg.business.orders"
    const char *option;    // where it stands: an option of the node …
    uint32_t offset;       // … and the byte in it
    uint8_t kind;          // LEAT_INPUT_STREAM or LEAT_INPUT_LOOKUP
    struct graph_node *to; // the node that is read
    const char *port;      // "" = the only one
};

// A node of the file. All memory is the graph's arena or the configuration's.
struct graph_node {
    const char *name;
    uint8_t kind; // LEAT_SOURCE, LEAT_SINK, LEAT_OPERATOR, LEAT_LOOKUP
    const struct leat_component *component;
    const void *config; // parsed options
    const struct plugin_format *formats;
    uint32_t format_count;
    const struct leat_schema *declared; // sources and lookups
    const struct leat_bytes *proctime;  // columns declared as "AS PROCTIME()"; not in `declared`
    uint32_t proctime_count;
    const char *const *input; // sinks: names as written
    uint32_t input_count;
    const char *const *primary_key; // sinks
    uint32_t primary_key_count;
    uint32_t parallelism;           // 0 = the pipeline's default
    const char *parallelism_option; // how it is spelt here: "sink.parallelism"
    enum plan_on_error on_error;
    const void *place; // the configuration's node, for messages
    uint8_t broken;    // something of it was reported: it is linked and looked at as far as that goes, and cannot run
    uint8_t refused;   // its component's check failed: what it fails with afterwards may only follow from that
    uint8_t uncertain; // its key or the types of its columns are not known for that reason
    const char *exclusive;        // what only one node can read, once described; NULL = nothing
    const char *exclusive_option; // the option that names it
    uint8_t unlinked;             // what it reads could not be found out: it must not be bound
    uint8_t key_in_schema;        // where it is none: "BIGINT PRIMARY KEY"
    uint8_t no_schema;            // it declares one that cannot be read at all

    // filled by graph_link
    struct graph_ref *refs;
    uint32_t ref_count;
    uint32_t job; // GRAPH_NO_JOB: lookups, and what no sink reads
    uint32_t readers;
    uint8_t live; // a sink reads it, through others perhaps
    uint8_t mark; // of the walks
    uint8_t rest; // no sink reads it, or something reads it that no sink reads
};

// Told every fault and warning; `option` may be NULL (the node as a whole).
struct graph_reporter {
    void *arg;
    void (*report)(void *arg, const struct graph_node *node, uint8_t severity, const char *code, const char *option,
                   uint32_t offset, const char *hint, const char *message);
    // Writes where that stands in the files, for errors of a job that runs; "" = nowhere. May be NULL.
    void (*where)(void *arg, const struct graph_node *node, const char *option, uint32_t offset, char *text,
                  size_t size);
};

struct graph {
    struct base_arena *arena;
    const char *pipeline;
    const char *local_time_zone;
    uint32_t parallelism; // parallelism.default
    struct graph_node *nodes;
    uint32_t node_count;
    const struct leat_component
        *normalizer; // the operator that makes an upsert stream complete; NULL = plugin not there
    struct graph_reporter reporter;
    uint8_t incomplete;    // nodes are missing, so nobody may be blamed for not being read
    uint8_t nodes_missing; // nor for reading what is not there

    // filled by graph_link
    uint32_t job_count;
    struct graph_node **order; // topological, sources first
};

// Asks one operator what it reads; faults go to the reporter. The names are the plugin's memory until it is asked
// again.
int graph_node_inputs(struct graph *graph, struct graph_node *node, struct leat_input_names *names);

// Asks operators what they read, resolves names, finds cycles and unread nodes, splits into jobs. Faults go to the
// reporter, and what has some is linked as far as that goes. False = no memory.
int graph_link(struct graph *graph);

// Refuses, at the node of `graph`, what it and `other` both claim for themselves: a replication slot. For two graphs,
// or twice the same.
void graph_check_exclusive(struct graph *graph, const struct graph *other);

// Looks at the nodes that belong to no job, as graph_plan does at those of one: for their faults only.
void graph_check_rest(struct graph *graph);

// Plans job number `job`. Faults of the plugins' describe and bind go to the reporter; NULL when there were any.
struct plan_job *graph_plan(struct graph *graph, uint32_t job, struct base_error *error);

// After discovery: ports of every source are known. Binds what is not bound yet. Faults end up in *error too.
leat_status graph_complete(struct graph *graph, struct plan_job *plan, struct base_error *error);

void graph_plan_destroy(struct plan_job *plan);

// Names of the nodes of a job, in the graph's arena; also those of nodes that the planner may insert.
const char *const *graph_job_nodes(struct graph *graph, uint32_t job, uint32_t *count);
const char *graph_job_name(const struct graph *graph, uint32_t job);

#endif
