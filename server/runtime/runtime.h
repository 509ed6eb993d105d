// SPDX-License-Identifier: Apache-2.0
// Jobs as the coordinator sees them: start, barriers, completion, stop. See README.md of this room.
//
// Thread: the control loop, for every function and every callback, unless said otherwise.
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdbool.h>

#include <leat/plugin.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metric.h"
#include "graph/plan.h"

struct loop;
struct plugin_registry;
struct runtime;
struct runtime_job;

struct runtime_options {
    struct loop *control;
    struct base_log *log;
    struct base_metrics *metrics;
    uint32_t workers;                       // threads; 0 = one per core, at most 8
    leat_usec stall_warning;                // a callback that takes longer is named
    size_t channel_bytes;                   // bound of one channel; 0 = 4 MiB
    const struct plugin_registry *registry; // names the plugin of a component; NULL = not known
};

// NULL: out of memory or threads.
struct runtime *runtime_create(const struct runtime_options *options);
// All jobs must have ended.
void runtime_destroy(struct runtime *runtime);

// Any thread: has a callback held its worker longer than `limit`? Then says node, plugin, callback and for how long.
#define RUNTIME_STALL_TEXT 400
bool runtime_stalled(struct runtime *runtime, leat_usec limit, char text[RUNTIME_STALL_TEXT]);

// One piece of saved state, as it is given back to a node. Borrowed until the job is open.
struct runtime_piece {
    const char *node;
    struct leat_state_in in;
    uint64_t shape;    // what runtime_state_shape said when it was saved; 0 = not known: the node judges by itself
    const char *words; // NULL = none
};

// The shape of the state that a node keeps, and in words (of the node; NULL = none). 0 = any. Any thread.
uint64_t runtime_state_shape(const struct plan_node *node, const char **words);

// What an instance saved at a barrier. `bytes` is taken by the callback (free with free()).
struct runtime_saved {
    const struct plan_node *node;
    uint32_t instance;
    uint32_t version;
    uint8_t kind; // LEAT_STATE_FULL or LEAT_STATE_DELTA; 0 = nothing was written
    uint8_t *bytes;
    size_t len;
    uint64_t whole; // what a full piece would take, as the node says; 0 = not known
};

// How the job tells what happened. `arg` is the coordinator's.
struct runtime_events {
    void *arg;
    // Ports of all sources are known: complete the plan (graph room). On failure the job fails.
    leat_status (*complete_plan)(void *arg, struct plan_job *plan, struct base_error *error);
    void (*opened)(void *arg); // every instance is open, rows flow
    void (*saved)(void *arg, leat_epoch epoch, struct runtime_saved *saved);
    void (*passed)(void *arg, leat_epoch epoch); // every instance has saved its state of this epoch
    void (*finished)(void *arg);                 // all bounded sources are at their end and every row is durable
    void (*failed)(void *arg, const struct base_error *error); // first failure; call runtime_job_stop
    void (*stopped)(void *arg); // everything is closed and destroyed; the job may be destroyed
    int (*resource_settled)(void *arg, const char *resource); // any thread
};

struct runtime_job_options {
    struct plan_job *plan; // borrowed, until stopped
    const struct runtime_events *events;
    const struct runtime_piece *pieces;
    uint32_t piece_count;
    bool first_run; // no checkpoint of this pipeline exists
    bool transient; // no checkpoint is kept of it
    const char *data_dir;
    size_t transaction_memory; // of a transaction that is consolidated, for each sink; 0 = 64 MiB; more goes to files
    uint8_t log_level;         // of its nodes; 0 = the log's own
};

// Builds and starts the job. NULL with *error set when it cannot even be built.
struct runtime_job *runtime_job_start(struct runtime *runtime, const struct runtime_job_options *options,
                                      struct base_error *error);

// Is an input still held back until a dimension has been read? Then no barrier may start: it would wait behind the rows
// that are held back, and the dimension behind it. Any thread.
bool runtime_job_gated(struct runtime_job *job);

// Lets a barrier start at every source. Only when open and not gated, and when no other is under way. `want_full` tells
// by node and instance whether its whole state is wanted instead of a delta.
void runtime_job_barrier(struct runtime_job *job, leat_epoch epoch,
                         bool (*want_full)(void *arg, const struct plan_node *node, uint32_t instance));

// A node that the barrier under way has not passed yet, or NULL. Control loop.
const char *runtime_job_unsaved(const struct runtime_job *job);

// The barrier of `epoch`, which is about to be started, is the last: behind it sources give nothing more, so that what
// follows is not read twice.
void runtime_job_end_with(struct runtime_job *job, leat_epoch epoch);

// The manifest of `epoch` is durable: sources may acknowledge.
void runtime_job_complete(struct runtime_job *job, leat_epoch epoch);

// Closes and destroys all instances, in whatever phase they are; ends with `stopped`. Safe to repeat.
void runtime_job_stop(struct runtime_job *job);
// A node of a job that is being stopped which has not closed yet, or NULL.
const char *runtime_job_unclosed(const struct runtime_job *job);
void runtime_job_destroy(struct runtime_job *job);

// What health shows of a node. Any thread.
struct runtime_node_view {
    const char *node;
    const char *component;
    uint8_t kind;
    char status[256]; // the plugin's sentence
    uint64_t rows_in, rows_out;
    uint64_t current, end;   // progress of a source
    int64_t behind;          // bytes or rows; -1 = unknown
    leat_usec behind_since;  // a source: since when it has been behind without moving; monotonic, 0 = it is not
    leat_usec refuses_since; // a sink: since when it has not taken or secured what it was given; the same
    bool snapshot_done, has_snapshot;
};

uint32_t runtime_job_view(struct runtime_job *job, struct runtime_node_view *views, uint32_t max);

// Brings the metrics up to date that nobody counts as rows pass: how nodes spend their time, what waits for them.
// Any thread.
void runtime_job_publish_times(struct runtime_job *job);

// Have all sources of the job finished their initial snapshot? Any thread.
bool runtime_job_snapshot_done(struct runtime_job *job);

#endif
