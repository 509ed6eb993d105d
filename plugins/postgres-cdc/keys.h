// SPDX-License-Identifier: Apache-2.0
// The keys that captured tables hold, kept only for on-truncate = "delete": a TRUNCATE tells no rows, so whoever wants
// their deletes must know them.
//
// One set per table, by name, since state is loaded before the catalogue is read. A key is its columns' texts, each
// with its length in front. Each set logs its changes since the last save, so that a checkpoint costs what changed;
// what is saved is a list of changes in either case, an image beginning with "forget all".
//
// Thread: home worker.
#ifndef PGCDC_KEYS_H
#define PGCDC_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct pgcdc_keys {
    struct pgcdc_keys *next;
    char *schema, *name;
    int16_t *columns; // the numbers of the key's columns; NULL = not known
    uint32_t column_count;
    struct pgcdc_key **slots; // open addressing, linear; NULL = empty
    size_t mask, count;
    size_t bytes;       // of all keys
    struct buf log;     // changes since the last save
    uint8_t log_broken; // it outgrew its bound: the next save must be an image
};

struct pgcdc_key {
    uint32_t len;
    uint8_t bytes[];
};

// The set of a table, made at the first call; NULL = no memory.
struct pgcdc_keys *pgcdc_keys_of(struct pgcdc_keys **list, const char *schema, const char *name);
void pgcdc_keys_free(struct pgcdc_keys **list);

// Says of which columns the keys are. 0 = done, 1 = they are of others, -1 = no memory.
int pgcdc_keys_are_of(struct pgcdc_keys *keys, const int16_t *columns, uint32_t count);

// 0 = done, -1 = no memory. Putting what is there and dropping what is not change nothing.
int pgcdc_keys_put(struct pgcdc_keys *keys, const void *bytes, uint32_t len);
void pgcdc_keys_drop(struct pgcdc_keys *keys, const void *bytes, uint32_t len);
void pgcdc_keys_clear(struct pgcdc_keys *keys);

// The next key from *at on, which begins with 0 and is moved behind it; NULL = no more. Not while the set changes.
const struct pgcdc_key *pgcdc_keys_next(const struct pgcdc_keys *keys, size_t *at);

// Length of what pgcdc_keys_save writes, and the writing, piece by piece. `image` = all, otherwise the log.
uint64_t pgcdc_keys_saved_len(const struct pgcdc_keys *keys, int image);
int pgcdc_keys_save(const struct pgcdc_keys *keys, int image, int (*write)(void *arg, const void *ptr, size_t len),
                    void *arg);
void pgcdc_keys_saved(struct pgcdc_keys *keys); // forgets the log

// Applies what was saved. 0 = done, -1 = malformed or no memory.
int pgcdc_keys_load(struct pgcdc_keys *keys, struct cur *saved);

#endif
