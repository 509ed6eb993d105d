// SPDX-License-Identifier: Apache-2.0
// One checkpoint file: header, manifest and pieces, read and written. For store.c, which knows where the files lie; here
// is only what stands in one, so that a new format has one place.
//
// Thread: as store.h. What is handed out belongs to the caller.
#ifndef CHECKPOINT_MANIFEST_H
#define CHECKPOINT_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>

#include "checkpoint/store.h"

// Fails with errno's words: could not `what` "path".
leat_status manifest_fail_io(struct base_error *error, const char *what, const char *path);

// Does the error say that a file is damaged? It was read, and does not hold what was written.
bool manifest_is_damage(const struct base_error *error);

// Opens a file and reads its manifest. *blobs: where the pieces begin.
leat_status manifest_open(const char *path, int *fd, json_t **root, uint64_t *blobs, struct base_error *error);

// One of "states", without the bytes of its pieces. On failure too, the state is to be freed.
leat_status manifest_state_from_json(const json_t *item, struct store_state *state, struct base_error *error);

// The bytes of a piece, checked, from the file that it lies in.
leat_status manifest_read_piece(int fd, const char *path, uint64_t blobs, struct store_piece *piece,
                                struct base_error *error);

// Oldest epoch that a piece lies in, at most `epoch`.
leat_epoch manifest_oldest(const json_t *root, leat_epoch epoch);

// The manifest's text; sets the checksums of the pieces that have no place yet. What is longer than a reader takes is
// refused now, while the checkpoint before still stands.
leat_status manifest_text(const char *job, struct store_manifest *m, char **text, size_t *len,
                          struct base_error *error);

// Writes header, text and the pieces that have no place yet, and syncs. 0 with errno.
int manifest_write_file(int fd, const char *text, size_t len, const struct store_manifest *m);

// Gives the pieces that were written their places.
void manifest_settle_places(struct store_manifest *m);

#endif
