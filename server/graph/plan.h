// SPDX-License-Identifier: Apache-2.0
// The physical plan of one job: nodes, edges, how rows are shared out, what was inserted and why.
//
// A job is a part of a pipeline that no edge connects with the rest; it is started, checkpointed and restarted as a
// whole. The plan is made by the planner (planner.h), is read-only while the job runs, and lives in one arena. Schemas
// that are known only when connected are NULL until the job has discovered its sources; the planner then completes the
// plan.
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H

#include <leat/plugin.h>

struct base_arena;
struct graph;
struct graph_node;
struct plan_edge;
struct plugin_format;

// How rows of an edge are shared among the instances of its reader.
enum plan_share {
    PLAN_FORWARD,   // instance i gives to instance i (or all to the only one)
    PLAN_HASH,      // by the hash of `columns`
    PLAN_REBALANCE, // whole batches in turn
};

// What is done to rows before the reader gets them.
enum plan_adapt {
    PLAN_ADAPT_NONE,
    PLAN_ADAPT_DROP_BEFORE, // all -> upsert, same immediate key: -U rows are dropped
    PLAN_ADAPT_CONSOLIDATE, // to upsert by another or a deferrable key: signed multiset by key, transaction by
                            // transaction
};

enum plan_on_error {
    PLAN_ON_ERROR_FAIL,
    PLAN_ON_ERROR_SKIP,
};

struct plan_output {
    const char *name; // "business.orders"; "" = main
    const struct leat_schema *schema;
    uint8_t mode;
    uint8_t used;
    uint8_t uncertain; // only the names of the columns are known for sure: what it comes from has faults
};

struct plan_node {
    const char *name;
    uint8_t kind; // LEAT_SOURCE, LEAT_SINK, LEAT_OPERATOR, LEAT_LOOKUP
    const struct leat_component *component;
    const void *config;
    const struct plugin_format *formats;
    uint32_t format_count;
    const struct graph_node *graph; // where it came from; NULL = inserted by the planner
    const char *inserted_because;   // the reason, when inserted
    uint32_t id;                    // below plan->node_max, the same in every step of planning
    uint32_t parallelism;
    const char *narrow_because; // why it has fewer instances than its own option asks for; NULL = it has them
    enum plan_on_error on_error;

    struct leat_source_request source_request; // sources and lookups
    struct leat_source_plan source_plan;
    uint8_t catch_up; // somebody waits for it
    void *bound;      // operators and sinks, once bound
    struct leat_operator_plan op_plan;
    struct leat_sink_plan sink_plan;

    struct plan_output *outputs;
    uint32_t output_count;
    struct plan_output *foreseen; // sources without outputs yet: what is sure of them before connecting, no schema
    uint32_t foreseen_count;
    struct plan_edge **inputs; // by input number
    uint32_t input_count;
    uint32_t visited; // the walk that passed it last
};

struct plan_edge {
    struct plan_node *from;
    uint32_t port;
    struct plan_node *to;
    uint32_t input;
    enum plan_share share;
    const uint32_t *columns; // of PLAN_HASH
    uint32_t column_count;
    enum plan_adapt adapt;
    const uint32_t *key; // of the reader, for adapt
    uint32_t key_count;
    uint8_t wait_first;  // read up to its end before other inputs of `to` are released
    uint8_t wait_always; // and up to its end of the moment before each batch of them
    uint8_t wait_go_on;  // when the time is over
    int64_t wait_timeout;
    uint8_t same_source; // it would be waited for, but its source feeds those other inputs too
    uint8_t lookup;      // asked by key, nothing flows by itself
    uint8_t chained;     // direct call on the same worker
};

struct plan_job {
    struct base_arena *arena;
    const char *pipeline;
    const char *name;         // the name of its first source: shown in logs and health
    struct plan_node **nodes; // in topological order
    uint32_t node_count;
    uint32_t node_max; // ids of nodes are below this
    struct plan_edge **edges;
    uint32_t edge_count;
    struct graph *graph;
    uint32_t visits;      // walks over the nodes so far, while it is made
    uint8_t complete;     // every schema is known and everything is bound
    uint8_t consolidates; // an edge consolidates: barriers wait for the end of the source's transaction
    const char *local_time_zone;
};

#endif
