// SPDX-License-Identifier: Apache-2.0
// Keyed state: a hash map from byte strings to byte strings that can say what changed since the last checkpoint.
//
//     struct keyed *rows = keyed_create(KEYED_MAP);
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
// Entries may also be bound into groups, to be found together: the rows of a join key. A group is a byte string that
// the value (or the key) begins with, see keyed_group_put.
//
//     for (keyed_ref r = keyed_first(rows, group, keyed_hash(rows, group)); r; r = keyed_after(rows, r))
//         … keyed_ref_value(rows, r) …
//
// Work per call is bounded: growing and cleaning go on in small steps within the calls that change the map.
// Thread: the owner. The map copies keys and values.
#ifndef KEYED_H
#define KEYED_H

#include <stddef.h>
#include <stdint.h>

#include <leat/host.h>
#include <leat/state.h>

#include "buf.h"

#define KEYED_LENGTH_MAX ((uint32_t)1 << 29) // of a key, and of a value: one less

struct keyed;

#define KEYED_MAP          0 // key to value
#define KEYED_GROUPED      1 // key to value; the value begins with the entry's group
#define KEYED_GROUPED_KEYS 2 // key to value; the key begins with the entry's group
#define KEYED_BAG          3 // values without keys, which begin with their group: they are added, never replaced

struct keyed *keyed_create(uint8_t kind); // NULL = no memory
void keyed_destroy(struct keyed *map);    // NULL is fine

// 1 = found, 0 = not there. *value (may be NULL) is borrowed until the next change of the map.
int keyed_get(const struct keyed *map, struct leat_bytes key, struct leat_bytes *value);

// Puts or replaces. `value` may lie in the map itself. 0, or -1 = no memory or too long; then nothing has changed.
int keyed_put(struct keyed *map, struct leat_bytes key, struct leat_bytes value);

// 1 = removed, 0 = was not there, -1 = no memory; then nothing has changed.
int keyed_remove(struct keyed *map, struct leat_bytes key);

// Adds an entry to a bag; `hash` is that of its group (any, when it is in none). 0, or -1 = no memory or too long; then
// nothing has changed.
int keyed_add(struct keyed *map, struct leat_bytes value, uint32_t hash);

// --- groups

// An entry in hand; good until the map changes. 0 = none.
typedef uint32_t keyed_ref;

// Appends a group to a value (or key) that is being built; ptr == NULL: in no group. What follows is free.
void keyed_group_put(struct buf *out, const void *group, size_t len);
// Takes the group off the front: the rest. group->ptr == NULL: in none. Of what keyed_group_put wrote.
struct leat_bytes keyed_group_take(struct leat_bytes from, struct leat_bytes *group);

// The hash of a key or group in this map, asked for once: it finds, and it fetches ahead.
uint32_t keyed_hash(const struct keyed *map, struct leat_bytes bytes);
// The first entry of a group, and the one after it, in the order in which they were put; in a map without groups the
// only entry with that key. The order outlives checkpoints.
keyed_ref keyed_first(const struct keyed *map, struct leat_bytes bytes, uint32_t hash);
keyed_ref keyed_find_key(const struct keyed *map, struct leat_bytes key); // any map but a bag
keyed_ref keyed_after(const struct keyed *map, keyed_ref ref);
struct leat_bytes keyed_ref_key(const struct keyed *map, keyed_ref ref);
struct leat_bytes keyed_ref_value(const struct keyed *map, keyed_ref ref);
// Has memory fetched that keyed_first, and keyed_add to this group, will need: the index first, and some calls later the
// beginning of the entry that it points to.
void keyed_expect(const struct keyed *map, uint32_t hash);
void keyed_expect_entry(const struct keyed *map, uint32_t hash, size_t len);

// --- sizes

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

// Drops every entry for which `mine` says 0; the next save is a whole image if there was one.
void keyed_retain(struct keyed *map, int (*mine)(void *arg, struct leat_bytes key, struct leat_bytes value), void *arg);

#endif
