// SPDX-License-Identifier: Apache-2.0
// What the files of the coordinator share. For them only.
//
// Thread: the control loop, but for what says otherwise.
#ifndef CHECKPOINT_COORDINATOR_INT_H
#define CHECKPOINT_COORDINATOR_INT_H

#include <pthread.h>

#include "checkpoint/coordinator.h"
#include "checkpoint/gather.h"

struct coordinator {
    struct coordinator_options options;
    struct plan_job *plan;
    struct runtime_job *job;
    struct runtime_events events;
    struct gather gather;           // what the next manifest is made from; the writer's while `writing`
    struct store_manifest restored; // given to the job at its start
    struct runtime_piece *pieces;

    leat_epoch epoch;    // under way: from barrier to manifest; 0 = none
    leat_epoch complete; // newest manifest on disk
    bool writing;
    bool must_write;    // the writing failed for want of something, and is tried again when the timer says so
    bool job_stopped;   // everything is closed; what is left waits for the writer
    bool full_wanted;   // first epoch of a run: every node saves everything
    bool snapshot_seen; // the snapshot was over when the barrier started
    bool opened;        // this run has got so far
    leat_epoch lost;    // newest checkpoint, damaged: this run starts from the one before; 0 = it is not so
    leat_usec began;

    struct loop_timer timer;       // next epoch, or next start
    struct loop_timer grace_timer; // stop without a checkpoint
    struct loop_timer epoch_timer; // an epoch takes too long
    bool stop_wanted, last_wanted; // stop after the epoch under way; one more epoch is wanted
    bool finishing;
    enum job_state end_state;
    struct restart_state restart;
    leat_usec wait; // until the next start
    bool failed;

    struct loop_mail write_mail, written_mail;
    leat_status write_status;
    struct base_error write_error;

    atomic_bool settled;
    pthread_mutex_t lock; // of what follows, and of `job` against views
    struct coordinator_view view;
    int64_t *restarts_metric, *running_metric, *epoch_metric, *bytes_metric, *took_metric, *unwritten_metric;
};

static inline bool failure_may_pass(leat_status failure)
{
    return failure == LEAT_TRANSIENT || failure == LEAT_RESOURCE;
}

// --- coordinator.c
// From this moment the job winds down; what comes next is decided when it has stopped.
void coordinator_fail(struct coordinator *c, const struct base_error *error);
// Everything is closed and nothing is being written: the job is freed, and started again later or ended.
void coordinator_wind_up(struct coordinator *c);

// --- coordinator_epoch.c
// False: no memory.
bool epoch_init(struct coordinator *c);
void epoch_fini(struct coordinator *c);
void epoch_next(struct coordinator *c);  // begins one if it may
void epoch_write(struct coordinator *c); // has the manifest written, at first or again

// --- coordinator_restore.c
// Loads the newest states of the job's nodes, but for those that are to be forgotten.
leat_status restore_load(struct coordinator *c, struct base_error *error);
// Refuses a source that an older checkpoint does not know.
leat_status restore_check_sources(const struct coordinator *c, struct base_error *error);
// Fills c->pieces from what was loaded; how many.
uint32_t restore_list_pieces(struct coordinator *c);
// Adds to a failure that a lost checkpoint may have caused.
void restore_say_what_was_lost(struct coordinator *c, struct base_error *e);

// --- coordinator_view.c
// False: no memory.
bool view_init(struct coordinator *c);
void view_enter(struct coordinator *c, enum job_state state);
enum job_state view_state(const struct coordinator *c);
void view_note_error(struct coordinator *c, const struct base_error *error); // NULL = there is none any more
void view_note_epoch(struct coordinator *c, leat_usec since);
void view_log_error(struct coordinator *c, const struct base_error *e, uint8_t level, const char *event);
// Health, log and metrics tell the same failure, with the same code.
void view_tell_failure(struct coordinator *c, const struct base_error *e, enum job_state end);

#endif
