// SPDX-License-Identifier: Apache-2.0
// The folder of a pipeline as store.c (lock, epochs, writing, pruning) and store_read.c (reading) share it.
#ifndef CHECKPOINT_STORE_INT_H
#define CHECKPOINT_STORE_INT_H

#include <limits.h>

#include "checkpoint/store.h"

struct store {
    char dir[PATH_MAX]; // of the pipeline
    int lock_fd;
    leat_epoch newest;
    struct store_damaged *damaged; // manifests that are passed over, see store_read.c
    uint32_t damaged_count;
    int unsynced; // a job's folder may have been made that `dir` was not synced after; the writer's
};

leat_status store_path_too_long(struct base_error *error);
// The file of an epoch; 0 = too long.
int store_path_of(const struct store *store, const char *job, leat_epoch epoch, char path[PATH_MAX]);
// Newest epoch of a job's folder that is at most `below`; 0 = none, also when there is no folder.
leat_status store_newest_of(const struct store *store, const char *job, leat_epoch below, leat_epoch *newest,
                            struct base_error *error);
// Calls fn for every job's folder, up to the first failure.
leat_status store_each_job(const struct store *store,
                           leat_status (*fn)(void *arg, const char *job, struct base_error *error), void *arg,
                           struct base_error *error);
int store_contains(const char *const *names, uint32_t count, const char *name);

#endif
