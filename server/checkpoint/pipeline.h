// SPDX-License-Identifier: Apache-2.0
// A pipeline at work: its checkpoint folder, its jobs, and what health says of them.
//
// Thread: the control loop, but for the views.
#ifndef CHECKPOINT_PIPELINE_H
#define CHECKPOINT_PIPELINE_H

#include <jansson.h>

#include "checkpoint/coordinator.h"
#include "config/config.h"
#include "graph/planner.h"

struct pipeline;
struct base_str;

struct pipeline_options {
    struct runtime *runtime;
    struct loop *control, *writer;
    struct base_log *log;
    struct base_metrics *metrics;
    struct graph *graph; // linked
    const struct config_pipeline_options *settings;
    bool keep; // checkpoints are kept; false: nothing is read or written (leat sql)
    bool allow_non_restored_state;
    const char *const *forget; // nodes whose saved state is to be forgotten (forget.h)
    uint32_t forget_count;
    leat_usec progress_timeout; // a job that does not get on for this long is not ready (ready.h)
    void (*ended)(void *arg, struct pipeline *pipeline); // every job has ended
    void *arg;
};

// Opens and locks the checkpoint folder and compares saved states with the file's nodes. NULL with *error.
struct pipeline *pipeline_create(const struct pipeline_options *options, struct base_error *error);
void pipeline_start(struct pipeline *p);
// A last checkpoint of each job, then the end; `grace` at most.
void pipeline_stop(struct pipeline *p, leat_usec grace);
// What the jobs wait for that have not ended, in words that are appended, each behind "; ".
void pipeline_waits(const struct pipeline *p, struct base_str *what);
// Every job must have ended.
void pipeline_destroy(struct pipeline *p);

const char *pipeline_name(const struct pipeline *p);
// How it ended: a job has failed; its last error.
bool pipeline_failed(struct pipeline *p, struct base_error *error);
// Every source of every job has an end.
bool pipeline_bounded(const struct pipeline *p);

// Any thread. See runtime_job_publish_times.
void pipeline_publish_times(struct pipeline *p);
// Any thread. Ready: every job runs and makes progress; if not, the reason is appended.
bool pipeline_ready(struct pipeline *p, struct base_str *reason);
// Any thread. A new JSON object: jobs, their nodes, key figures. NULL without memory.
json_t *pipeline_health(struct pipeline *p);

#endif
