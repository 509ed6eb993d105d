// SPDX-License-Identifier: Apache-2.0
// String hash map: an array of entries in order of insertion, and an open-addressed index over it. See hash.h.
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static uint32_t hash_of(const char *key, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

void base_map_init(struct base_map *map)
{
    *map = (struct base_map){0};
}

void base_map_fini(struct base_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->entries[i].key);
    free(map->entries);
    free(map->slots);
    base_map_init(map);
}

static struct base_map_entry *find(const struct base_map *map, const char *key, size_t len)
{
    if (!map->cap)
        return NULL;
    uint32_t hash = hash_of(key, len);
    for (size_t i = hash & (map->cap - 1); map->slots[i]; i = (i + 1) & (map->cap - 1)) {
        struct base_map_entry *e = &map->entries[map->slots[i] - 1];
        if (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
            return e;
    }
    return NULL;
}

static void index_entry(struct base_map *map, size_t at)
{
    size_t i = map->entries[at].hash & (map->cap - 1);
    while (map->slots[i])
        i = (i + 1) & (map->cap - 1);
    map->slots[i] = (uint32_t)at + 1;
}

// Twice the room. Entries fill at most half of the slots.
static bool grow(struct base_map *map)
{
    size_t cap = map->cap ? map->cap : 8;
    while (cap < (map->count + 1) * 4)
        cap *= 2;
    uint32_t *slots = calloc(cap, sizeof *slots);
    struct base_map_entry *entries = calloc(cap / 2, sizeof *entries);
    if (!slots || !entries || cap > UINT32_MAX / 2) {
        free(slots);
        free(entries);
        return false;
    }
    if (map->count)
        memcpy(entries, map->entries, map->count * sizeof *entries);
    free(map->entries);
    free(map->slots);
    map->entries = entries;
    map->slots = slots;
    map->cap = cap;
    for (size_t i = 0; i < map->count; i++)
        index_entry(map, i);
    return true;
}

bool base_map_put(struct base_map *map, const char *key, size_t len, void *value)
{
    struct base_map_entry *e = find(map, key, len);
    if (e) {
        e->value = value;
        return true;
    }
    if (map->count >= map->cap / 2 && !grow(map))
        return false;
    char *copy = base_strndup(key, len);
    if (!copy)
        return false;
    map->entries[map->count] =
        (struct base_map_entry){.key = copy, .len = len, .value = value, .hash = hash_of(key, len)};
    index_entry(map, map->count++);
    return true;
}

void *base_map_get(const struct base_map *map, const char *key, size_t len)
{
    struct base_map_entry *e = find(map, key, len);
    return e ? e->value : NULL;
}
