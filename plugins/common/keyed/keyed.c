// SPDX-License-Identifier: Apache-2.0
// The map over its indexes and its entries.
#include "keyed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "keyed_int.h"

#define REMOVED_MAX ((size_t)1 << 31)
#define CLEAN_WORK  ((size_t)8 << 10) // bytes cleaned by a change, at least

struct keyed *keyed_create(uint8_t kind)
{
    struct keyed *map = calloc(1, sizeof *map);
    if (!map)
        return NULL;
    // keys come from outside: nobody may prepare some that collide
    if (getrandom(&map->seed, sizeof map->seed, GRND_NONBLOCK) < 0)
        map->seed = (uint64_t)(uintptr_t)map * UINT64_C(0x9e3779b97f4a7c15);
    map->kind = kind;
    map->head_len = kind == KEYED_MAP ? 0 : sizeof(struct keyed_links);
    map->head = map->victim = UINT32_MAX;
    map->all = 1;
    buf_init(&map->removed, REMOVED_MAX);
    if (keyed_pages_init(&map->by_key) < 0 || keyed_pages_init(&map->by_group) < 0) {
        keyed_destroy(map);
        return NULL;
    }
    return map;
}

void keyed_destroy(struct keyed *map)
{
    if (!map)
        return;
    keyed_pages_fini(&map->by_key);
    keyed_pages_fini(&map->by_group);
    keyed_segments_fini(map);
    buf_fini(&map->removed);
    free(map);
}

int keyed_get(const struct keyed *map, struct leat_bytes key, struct leat_bytes *value)
{
    const uint64_t *slot = keyed_find(map, key, keyed_tag(map, key));
    if (!slot)
        return 0;
    if (value)
        *value = keyed_value(map, keyed_at(map, (uint32_t)*slot));
    return 1;
}

// Writes over a value of the same size in memory: no garbage, no move.
static void overwrite(struct keyed *map, uint32_t ref, struct leat_bytes value)
{
    struct keyed_entry *e = keyed_at(map, ref);
    map->content = map->content - keyed_value_len(e) + value.len;
    if (value.len)
        memmove(keyed_content(map, e) + e->key_len, value.ptr, value.len);
    e->value_len = (e->value_len & ~KEYED_LENGTH) | value.len;
    if (!(e->value_len & KEYED_DIRTY)) {
        e->value_len |= KEYED_DIRTY;
        keyed_note_change(map, ref);
    }
}

static uint32_t write_entry(struct keyed *map, struct leat_bytes key, struct leat_bytes value, uint32_t flags)
{
    uint32_t ref = keyed_alloc(map, keyed_size_of(map, key.len, value.len));
    if (!ref)
        return 0;
    struct keyed_entry *e = keyed_at(map, ref);
    e->key_len = key.len;
    e->value_len = value.len | flags | KEYED_DIRTY;
    uint8_t *at = keyed_content(map, e);
    if (key.len)
        memcpy(at, key.ptr, key.len);
    if (value.len)
        memcpy(at + key.len, value.ptr, value.len);
    keyed_note_change(map, ref);
    return ref;
}

// Puts another entry in place of `old`, at the end of its group.
static int exchange(struct keyed *map, uint64_t *slot, struct leat_bytes key, struct leat_bytes value)
{
    uint32_t old = (uint32_t)*slot;
    const struct keyed_entry *e = keyed_at(map, old);
    uint32_t ref = write_entry(map, key, value, e->value_len & KEYED_SAVED);
    if (!ref)
        return -1;
    map->content = map->content - keyed_value_len(e) + value.len;
    *slot = keyed_slot((uint32_t)(*slot >> 32), ref);
    if (map->head_len) {
        keyed_group_unlink(map, old);
        keyed_group_link(map, ref);
    }
    keyed_kill(map, old);
    return 0;
}

static int replace(struct keyed *map, uint64_t *slot, struct leat_bytes key, struct leat_bytes value)
{
    uint32_t old = (uint32_t)*slot;
    if (map->head_len && keyed_group_room(map, map->kind == KEYED_GROUPED_KEYS ? key : value) < 0)
        return -1;
    if (keyed_entry_size(map, keyed_at(map, old)) != keyed_size_of(map, key.len, value.len))
        return exchange(map, slot, key, value);
    if (map->head_len)
        keyed_group_unlink(map, old);
    overwrite(map, old, value);
    if (map->head_len)
        keyed_group_link(map, old);
    return 0;
}

// A new entry; there is room in the index by key already.
static uint32_t add(struct keyed *map, struct leat_bytes key, struct leat_bytes value)
{
    if (map->head_len && keyed_group_room(map, map->kind == KEYED_GROUPED_KEYS ? key : value) < 0)
        return 0;
    uint32_t ref = write_entry(map, key, value, 0);
    if (!ref)
        return 0;
    if (map->head_len)
        keyed_group_link(map, ref);
    map->count++;
    map->content += (size_t)key.len + value.len;
    return ref;
}

int keyed_put(struct keyed *map, struct leat_bytes key, struct leat_bytes value)
{
    if (key.len >= KEYED_LENGTH_MAX || value.len >= KEYED_LENGTH_MAX)
        return -1;
    uint32_t tag = keyed_tag(map, key);
    uint64_t *slot = keyed_find(map, key, tag);
    if (slot) {
        if (replace(map, slot, key, value) < 0)
            return -1;
    } else {
        uint32_t ref = keyed_page_room(&map->by_key, tag) < 0 ? 0 : add(map, key, value);
        if (!ref)
            return -1;
        keyed_page_insert(&map->by_key, tag, ref);
    }
    keyed_clean(map, CLEAN_WORK + 16 * ((size_t)key.len + value.len));
    return 0;
}

uint32_t keyed_add_entry(struct keyed *map, struct leat_bytes value, uint32_t hash)
{
    struct leat_bytes group;
    keyed_group_take(value, &group);
    uint64_t *slot = group.ptr ? keyed_find_group(map, group, hash) : NULL;
    int begins = group.ptr && !slot;
    if (value.len >= KEYED_LENGTH_MAX || (begins && keyed_page_room(&map->by_group, hash) < 0))
        return 0;
    uint32_t ref = write_entry(map, (struct leat_bytes){NULL, 0}, value, 0);
    if (!ref)
        return 0;
    *keyed_links(keyed_at(map, ref)) = (struct keyed_links){0, 0};
    if (begins)
        keyed_group_begin(map, ref, hash);
    else if (slot)
        keyed_group_append(map, ref, slot);
    map->count++;
    map->content += value.len;
    return ref;
}

int keyed_add(struct keyed *map, struct leat_bytes value, uint32_t hash)
{
    return keyed_add_entry(map, value, hash) ? 0 : -1;
}

// Takes an entry out of the map; what it leaves is garbage.
static void drop(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    map->count--;
    map->content -= (size_t)e->key_len + keyed_value_len(e);
    if (map->kind != KEYED_BAG) {
        uint32_t tag = keyed_tag(map, keyed_key(map, e));
        keyed_page_remove(&map->by_key, tag, keyed_find_ref(&map->by_key, tag, ref));
    }
    if (map->head_len)
        keyed_group_unlink(map, ref);
    keyed_kill(map, ref);
}

int keyed_remove(struct keyed *map, struct leat_bytes key)
{
    uint32_t tag = keyed_tag(map, key);
    uint64_t *slot = keyed_find(map, key, tag);
    if (!slot)
        return 0;
    uint32_t ref = (uint32_t)*slot;
    const struct keyed_entry *e = keyed_at(map, ref);
    size_t size = (size_t)e->key_len + keyed_value_len(e);
    if (e->value_len & KEYED_SAVED && keyed_note_removed(map, key) < 0)
        return -1;
    drop(map, ref);
    keyed_clean(map, CLEAN_WORK + 16 * size);
    return 1;
}

uint64_t keyed_count(const struct keyed *map)
{
    return map->count;
}

size_t keyed_content_bytes(const struct keyed *map)
{
    return map->content;
}

static size_t index_bytes(const struct keyed_index *x)
{
    return x->page_bytes + ((size_t)1 << x->depth) * sizeof(struct keyed_place);
}

size_t keyed_bytes(const struct keyed *map)
{
    return sizeof *map + map->used + index_bytes(&map->by_key) + index_bytes(&map->by_group) +
           map->segment_cap * sizeof(struct keyed_segment) + map->list_bytes + map->removed.cap;
}

void keyed_retain(struct keyed *map, int (*mine)(void *arg, struct leat_bytes key, struct leat_bytes value), void *arg)
{
    uint64_t before = map->count;
    struct keyed_entry *e;
    // nothing is cleaned meanwhile, so that no entry moves
    for (uint64_t at = 0; (e = keyed_walk(map, &at));)
        if (!mine(arg, keyed_key(map, e), keyed_value(map, e)))
            drop(map, keyed_walked(map, at, e));
    if (map->count == before)
        return;
    map->mixed = 1; // what is left moves, and numbers of segments are used again
    keyed_want_all(map);
    while (keyed_clean(map, KEYED_SEGMENT_BYTES))
        continue;
}
