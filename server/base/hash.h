// SPDX-License-Identifier: Apache-2.0
// String hash map for names: nodes, options, components. Small, ordered by insertion, not for the data path.
//
// Keys are copied, values are the caller's pointers. Walking gives the entries in the order in which they were put, so
// that all output made from a map is the same on every run. Thread: the owner.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct base_map {
    struct base_map_entry {
        char *key; // owned
        size_t len;
        void *value;
        uint32_t hash;
    } * entries;
    uint32_t *slots; // index + 1 into entries, 0 = free; a power of two of them
    size_t count;    // entries
    size_t cap;      // slots
};

void base_map_init(struct base_map *map);
// Frees the keys; the values are the caller's.
void base_map_fini(struct base_map *map);

// Puts or replaces. False when memory is short (nothing changed).
bool base_map_put(struct base_map *map, const char *key, size_t len, void *value);
// The value, NULL if the key is not there.
void *base_map_get(const struct base_map *map, const char *key, size_t len);

#endif
