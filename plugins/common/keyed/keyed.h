// SPDX-License-Identifier: Apache-2.0
// Keyed state: a hash map from byte strings to byte strings that can say what changed since the last checkpoint.
//
//     struct keyed *rows = keyed_create();
//     if (keyed_put(rows, key, value) < 0)
//         return leat_no_memory(ctx);
//     struct leat_bytes value;
//     if (keyed_get(rows, key, &value))
//         …                                            // borrowed until the map changes
//
//     save_state:  keyed_save(ctx, out, 1, &rows, 1)                  what changed, or all
//     load_state:  keyed_load(ctx, in, &rows, 1)                      a piece; and in open:
//     open:        keyed_retain(rows, mine, self)                     with another parallelism than before
//
// Work per call is bounded: growing and cleaning go on in small steps within the calls that change the map.
// Thread: the owner. The map copies keys and values.
#ifndef KEYED_H
#define KEYED_H

#include <stddef.h>
#include <stdint.h>

#include <leat/host.h>
#include <leat/state.h>

#define KEYED_LENGTH_MAX ((uint32_t)1 << 29) // of a key, and of a value: one less

struct keyed;

struct keyed *keyed_create(void);      // NULL = no memory
void keyed_destroy(struct keyed *map); // NULL is fine

// 1 = found, 0 = not there. *value (may be NULL) is borrowed until the next change of the map.
int keyed_get(const struct keyed *map, struct leat_bytes key, struct leat_bytes *value);

// Puts or replaces. `value` may lie in the map itself. 0, or -1 = no memory or too long; then nothing has changed.
int keyed_put(struct keyed *map, struct leat_bytes key, struct leat_bytes value);

// 1 = removed, 0 = was not there, -1 = no memory; then nothing has changed.
int keyed_remove(struct keyed *map, struct leat_bytes key);

// Walks over all entries in no particular order: start with *at = 0; 0 = the end. The map must not change meanwhile.
int keyed_next(const struct keyed *map, uint64_t *at, struct leat_bytes *key, struct leat_bytes *value);

uint64_t keyed_count(const struct keyed *map);
// Memory in use, and the bytes of all keys and values in it.
size_t keyed_bytes(const struct keyed *map);
size_t keyed_content_bytes(const struct keyed *map);

// --- checkpoints

// Writes what `out` asks for, of `count` (at most 64) maps in one piece: what changed since the last call, or all. Sets
// out->version and out->kind. Deltas turn into a whole image by themselves where that is shorter or safer.
LEAT_MUST_CHECK leat_status keyed_save(struct leat_ctx *ctx, struct leat_state_out *out, uint32_t version,
                                       struct keyed *const *maps, uint32_t count);

// Takes a piece written by keyed_save of as many maps: the full one and its deltas, of every former instance, in order.
// The caller has looked at in->version. A piece that makes no sense fails with class fatal.
LEAT_MUST_CHECK leat_status keyed_load(struct leat_ctx *ctx, const struct leat_state_in *in, struct keyed *const *maps,
                                       uint32_t count);

// Drops every entry for which `mine` says 0; the next save is a whole image if there was one. 0, or -1 = no memory.
int keyed_retain(struct keyed *map, int (*mine)(void *arg, struct leat_bytes key, struct leat_bytes value), void *arg);

#endif
