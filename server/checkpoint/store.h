// SPDX-License-Identifier: Apache-2.0
// Manifests on disk: the durable set of node states of each job, epoch by epoch.
//
//     <checkpoint.dir>/<pipeline>/lock                  locked while a server uses the pipeline
//     <checkpoint.dir>/<pipeline>/<job>/<epoch>.ckpt    one file per epoch: header, manifest (JSON), new pieces
//
// A manifest lists, per node and instance, the pieces that make its state: one full piece and the deltas after it.
// Pieces written in an earlier epoch stay in their old file, which lives as long as a manifest names it. A file is
// written under another name, synced, renamed, and the folder synced: a manifest is there whole or not at all. Epochs
// rise over all jobs of a pipeline, so that of two manifests that know a node, the higher one is the newer, also after
// jobs were split or joined.
//
// Thread: one at a time; writing may happen on a thread of its own.
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include <leat/state.h>

#include "base/error.h"

struct store;

// One piece in memory. `bytes` belongs to whoever holds the struct.
struct store_piece {
    uint32_t version;
    uint8_t kind; // LEAT_STATE_FULL or LEAT_STATE_DELTA
    uint8_t *bytes;
    size_t len;
    // where it lies once written; epoch 0 = not written yet
    leat_epoch epoch;
    uint64_t offset;
    uint32_t crc; // CRC-32 of the bytes, from the writing of its manifest on
};

// The state of one instance of a node.
struct store_state {
    char *node;
    uint32_t instance, instances;
    uint64_t shape;             // the operator's state_shape as it was saved; 0 = any
    char *words;                // the same in words; NULL = none
    struct store_piece *pieces; // the full one first
    uint32_t piece_count;
    uint64_t whole; // what a full piece would take, as the node said last; 0 = not known. Not on disk
};

struct store_manifest {
    leat_epoch epoch;
    struct store_state *states;
    uint32_t state_count;
};

// Opens the pipeline's folder (made if missing) and locks it. NULL with *error: no rights, another server has it, or
// what it holds cannot be listed: no folder is taken for empty because it could not be read.
struct store *store_open(const char *dir, const char *pipeline, struct base_error *error);
void store_close(struct store *store);

// A new epoch, higher than all before.
leat_epoch store_next_epoch(struct store *store);

// Newest saved states of the nodes called `nodes`, wherever they were saved, with their bytes read and checked. A
// manifest that is damaged, or whose pieces are, is passed over for the newest one of its job that is whole; whoever
// starts from that has to say so (store_passed_over), and the sources have to prove that what came after it can still
// be had. No whole one, or one that cannot be read, is an error.
leat_status store_load(struct store *store, const char *const *nodes, uint32_t count, struct store_manifest *manifest,
                       struct base_error *error);
void store_manifest_fini(struct store_manifest *manifest);

// A manifest that was passed over.
struct store_damaged {
    char job[256];
    leat_epoch epoch, instead; // `instead`: the whole one that is taken, 0 = there is none
    struct base_error why;
};

// The i-th, in the order in which they were found; NULL = there are no more.
const struct store_damaged *store_passed_over(const struct store *store, uint32_t i);

// Calls fn for each node that has saved state and is not among `nodes`.
leat_status store_unknown(struct store *store, const char *const *nodes, uint32_t count,
                          void (*fn)(void *arg, const char *node), void *arg, struct base_error *error);

// Makes the manifest durable: pieces with epoch 0 are written and get their place. On failure nothing is changed on
// disk that counts, and the manifest's places are as before. An epoch that is there already is not written over.
leat_status store_write(struct store *store, const char *job, struct store_manifest *manifest,
                        struct base_error *error);

// Removes files that the newest two manifests of `job` do not need. Does nothing when these cannot be read.
void store_prune(struct store *store, const char *job);

// Removes folders of jobs that are not among `jobs`. When every job has written a manifest of its own.
leat_status store_prune_jobs(struct store *store, const char *const *jobs, uint32_t count, struct base_error *error);

// The pipeline's folder, for spill files.
const char *store_dir(const struct store *store);

#endif
