// SPDX-License-Identifier: Apache-2.0
// The helper thread of a node: runs what blocks in librdkafka (metadata, offsets, topic creation, winding down), one
// job at a time. A job works on memory of its own; when it is done, its `done` runs on the home worker.
//
// Thread: kafka_control_* on the home worker, kafka_job_* inside a running job.
#ifndef KAFKA_CONTROL_H
#define KAFKA_CONTROL_H

#include <leat/plugin.h>

struct kafka_control;

struct kafka_job {
    void (*run)(struct kafka_control *control, struct kafka_job *job); // on the helper thread
    leat_status (*done)(struct leat_ctx *ctx, struct kafka_job *job);  // home worker; owns the job's memory then
    void (*drop)(struct kafka_job *job);                               // instead of done when nobody waits any more
    void *node;                                                        // for done; not touched by run
    struct kafka_job *next;
};

// Starts the thread. NULL with the error described.
struct kafka_control *kafka_control_create(struct leat_ctx *ctx);
// Queues a job. Its memory is the control's until done or drop.
void kafka_control_run(struct kafka_control *control, struct kafka_job *job);
// Makes running jobs give up; those that wait are dropped. Jobs queued afterwards run.
void kafka_control_interrupt(struct kafka_control *control);
// Ends the thread. When a job still runs, it is left behind and frees everything by itself; nothing of the node is
// touched afterwards. NULL is fine.
void kafka_control_destroy(struct leat_ctx *ctx, struct kafka_control *control);

// 1 = the job should end now.
int kafka_job_interrupted(struct kafka_control *control);
// Waits, but not longer than until an interruption. 1 = interrupted.
int kafka_job_sleep(struct kafka_control *control, int ms);
__attribute__((format(printf, 2, 3))) void kafka_job_status(struct kafka_control *control, const char *fmt, ...);

#endif
