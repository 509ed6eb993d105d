// SPDX-License-Identifier: Apache-2.0
// The coordinator of one job: its life under supervision, and its epochs.
//
//     STARTING -> RUNNING -> STOPPING -> STOPPED | FINISHED | FAILED
//         ^          |  failure that may pass (transient, resource)
//         '- WAITING <'  as the restart rule says
//
// A failure of class config, data, fatal or bug, and one that the rule does not forgive, ends in FAILED: the process and
// the other jobs go on.
// Thread: the control loop, but for what says otherwise.
#ifndef CHECKPOINT_COORDINATOR_H
#define CHECKPOINT_COORDINATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "checkpoint/restart.h"
#include "checkpoint/store.h"
#include "loop/loop.h"
#include "runtime/runtime.h"

struct base_str;

enum job_state {
    JOB_STARTING,
    JOB_RUNNING,
    JOB_WAITING, // for the next try
    JOB_STOPPING,
    JOB_STOPPED,
    JOB_FINISHED, // bounded, and done
    JOB_FAILED,
};

const char *job_state_name(enum job_state state);

// Where plans come from: a fresh one for each start, since what a source finds may have changed.
struct coordinator_planner {
    void *arg;
    struct plan_job *(*make)(void *arg, uint32_t job, struct base_error *error);
    leat_status (*complete)(void *arg, struct plan_job *plan, struct base_error *error);
    void (*destroy)(void *arg, struct plan_job *plan);
};

struct coordinator_options {
    struct runtime *runtime;
    struct store *store; // NULL: nothing is kept (leat sql)
    struct loop *control;
    struct loop *writer; // manifests are written there
    struct base_logger logger;
    struct base_metrics *metrics;
    struct coordinator_planner planner;
    uint32_t job; // number, for the planner
    const char *name;
    const char *const *nodes; // names of the job's nodes
    uint32_t node_count;
    const char *const
        *forget; // nodes whose saved state is not taken (forget.h), until a manifest without it is durable
    uint32_t forget_count;
    leat_usec interval;
    leat_usec timeout; // of one epoch, from barrier to manifest; 0 = none
    struct restart_rule restart;
    size_t transaction_memory;                                // see runtime.h
    int (*resource_settled)(void *arg, const char *resource); // any thread
    void *arg;
    void (*written)(void *arg, uint32_t job); // a manifest of the job is durable; the writer's thread; NULL = no matter
    void (*ended)(void *arg, uint32_t job, enum job_state state); // STOPPED, FINISHED or FAILED
};

struct coordinator;

struct coordinator *coordinator_create(const struct coordinator_options *options, struct base_error *error);
void coordinator_start(struct coordinator *c);
// Takes a last checkpoint (giving up after `grace`), closes everything, ends with `ended`.
void coordinator_stop(struct coordinator *c, leat_usec grace);
void coordinator_destroy(struct coordinator *c);
// What the job waits for, unless it has ended, in words that are appended behind "; ".
void coordinator_waits(const struct coordinator *c, struct base_str *what);

// The initial snapshot is over and its rows are durable. Any thread.
bool coordinator_settled(const struct coordinator *c);

struct coordinator_view {
    enum job_state state;
    leat_usec since;   // wall clock of the last change of state
    uint32_t restarts; // how often it was started again after a failure
    bool has_error;
    struct base_error error; // the last failure, if it matters still
    leat_usec retry_at;      // WAITING
    leat_epoch epoch;        // newest complete
    leat_usec epoch_since;   // when the one under way began, monotonic; 0 = none is
    leat_usec epoch_at, epoch_took;
    size_t epoch_bytes;
};

// Copies; nodes are filled up to `max`, *count is set. Any thread.
void coordinator_view(struct coordinator *c, struct coordinator_view *view, struct runtime_node_view *nodes,
                      uint32_t max, uint32_t *count);

// See runtime_job_publish_times. Any thread.
void coordinator_publish_times(struct coordinator *c);

#endif
