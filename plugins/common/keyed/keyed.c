// SPDX-License-Identifier: Apache-2.0
// The map over its index and its entries.
#include "keyed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "keyed_int.h"

#define REMOVED_MAX ((size_t)1 << 31)
#define CLEAN_WORK  ((size_t)8 << 10) // bytes cleaned by a change, at least

struct keyed *keyed_create(void)
{
    struct keyed *map = calloc(1, sizeof *map);
    if (!map)
        return NULL;
    // keys come from outside: nobody may prepare some that collide
    if (getrandom(&map->seed, sizeof map->seed, GRND_NONBLOCK) < 0)
        map->seed = (uint64_t)(uintptr_t)map * UINT64_C(0x9e3779b97f4a7c15);
    map->head = map->victim = UINT32_MAX;
    map->all = 1;
    buf_init(&map->removed, REMOVED_MAX);
    if (keyed_pages_init(map) < 0) {
        keyed_destroy(map);
        return NULL;
    }
    return map;
}

void keyed_destroy(struct keyed *map)
{
    if (!map)
        return;
    keyed_pages_fini(map);
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
        *value = keyed_value(keyed_at(map, (uint32_t)*slot));
    return 1;
}

// Writes over a value of the same size in memory: no garbage, no move.
static void overwrite(struct keyed *map, uint32_t ref, struct leat_bytes value)
{
    struct keyed_entry *e = keyed_at(map, ref);
    map->content = map->content - keyed_value_len(e) + value.len;
    if (value.len)
        memmove(e->bytes + e->key_len, value.ptr, value.len);
    e->value_len = (e->value_len & ~KEYED_LENGTH) | value.len;
    if (!(e->value_len & KEYED_DIRTY)) {
        e->value_len |= KEYED_DIRTY;
        keyed_note_change(map, ref);
    }
}

static uint32_t write_entry(struct keyed *map, struct leat_bytes key, struct leat_bytes value, uint32_t flags)
{
    uint32_t ref = keyed_alloc(map, keyed_entry_size(key.len, value.len));
    if (!ref)
        return 0;
    struct keyed_entry *e = keyed_at(map, ref);
    e->key_len = key.len;
    e->value_len = value.len | flags | KEYED_DIRTY;
    if (key.len)
        memcpy(e->bytes, key.ptr, key.len);
    if (value.len)
        memcpy(e->bytes + key.len, value.ptr, value.len);
    keyed_note_change(map, ref);
    return ref;
}

static int replace(struct keyed *map, uint64_t *slot, uint32_t tag, struct leat_bytes key, struct leat_bytes value)
{
    uint32_t old = (uint32_t)*slot;
    const struct keyed_entry *e = keyed_at(map, old);
    if (keyed_entry_size(e->key_len, keyed_value_len(e)) == keyed_entry_size(key.len, value.len)) {
        overwrite(map, old, value);
        return 0;
    }
    uint32_t ref = write_entry(map, key, value, e->value_len & KEYED_SAVED);
    if (!ref)
        return -1;
    map->content = map->content - keyed_value_len(keyed_at(map, old)) + value.len;
    *slot = keyed_slot(tag, ref);
    keyed_kill(map, old);
    return 0;
}

int keyed_put(struct keyed *map, struct leat_bytes key, struct leat_bytes value)
{
    if (key.len >= KEYED_LENGTH_MAX || value.len >= KEYED_LENGTH_MAX)
        return -1;
    uint32_t tag = keyed_tag(map, key);
    uint64_t *slot = keyed_find(map, key, tag);
    if (slot) {
        if (replace(map, slot, tag, key, value) < 0)
            return -1;
    } else {
        uint32_t ref = keyed_page_room(map, tag) < 0 ? 0 : write_entry(map, key, value, 0);
        if (!ref)
            return -1;
        keyed_page_insert(map, tag, ref);
        map->count++;
        map->content += (size_t)key.len + value.len;
    }
    keyed_clean(map, CLEAN_WORK + 16 * ((size_t)key.len + value.len));
    return 0;
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
    keyed_page_remove(map, tag, slot);
    keyed_kill(map, ref);
    map->count--;
    map->content -= size;
    keyed_clean(map, CLEAN_WORK + 16 * size);
    return 1;
}

int keyed_next(const struct keyed *map, uint64_t *at, struct leat_bytes *key, struct leat_bytes *value)
{
    const struct keyed_entry *e = keyed_walk(map, at);
    if (!e)
        return 0;
    if (key)
        *key = keyed_key(e);
    if (value)
        *value = keyed_value(e);
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

size_t keyed_bytes(const struct keyed *map)
{
    return sizeof *map + map->used + map->page_bytes + ((size_t)1 << map->depth) * sizeof(struct keyed_place) +
           map->segment_cap * sizeof(struct keyed_segment) + map->list_bytes + map->removed.cap;
}

int keyed_retain(struct keyed *map, int (*mine)(void *arg, struct leat_bytes key, struct leat_bytes value), void *arg)
{
    // walking and removing do not go together: cleaning moves entries
    struct buf foreign;
    buf_init(&foreign, REMOVED_MAX);
    struct leat_bytes key, value;
    for (uint64_t at = 0; keyed_next(map, &at, &key, &value);) {
        if (mine(arg, key, value))
            continue;
        buf_uvarint(&foreign, key.len);
        buf_put(&foreign, key.ptr, key.len);
    }
    int result = buf_ok(&foreign) ? 0 : -1;
    if (result == 0 && foreign.len > 0)
        keyed_want_all(map);
    for (struct cur c = cur_of(foreign.ptr, result == 0 ? foreign.len : 0); cur_left(&c) && result == 0;) {
        key.len = (uint32_t)cur_uvarint(&c);
        key.ptr = cur_bytes(&c, key.len);
        if (keyed_remove(map, key) < 0)
            result = -1;
    }
    buf_fini(&foreign);
    return result;
}
