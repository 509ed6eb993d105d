// SPDX-License-Identifier: Apache-2.0
// The entries' memory: a log in segments. New entries go to the end of the head segment; what is replaced or removed
// becomes garbage where it lies. When garbage exceeds its share, the segment with the most of it is cleaned: what lives
// there is moved to the head, a few KiB per call, and the segment is given back.
#include <stdlib.h>
#include <string.h>

#include "keyed_int.h"

#define GARBAGE_FREE ((size_t)256 << 10) // never worth cleaning

static int grow_table(struct keyed *map)
{
    if (map->segment_count == KEYED_SEGMENTS_MAX)
        return -1;
    uint32_t cap = map->segment_cap ? map->segment_cap * 2 : 8;
    struct keyed_segment *segments = realloc(map->segments, cap * sizeof *segments);
    if (!segments)
        return -1;
    map->segments = segments;
    map->segment_cap = cap;
    return 0;
}

// A number without memory; UINT32_MAX = none.
static uint32_t free_number(struct keyed *map)
{
    for (uint32_t i = 0; i < map->segment_count; i++)
        if (!map->segments[i].base)
            return i;
    if (map->segment_count == map->segment_cap && grow_table(map) < 0)
        return UINT32_MAX;
    map->segments[map->segment_count] = (struct keyed_segment){0};
    return map->segment_count++;
}

static int add_segment(struct keyed *map, size_t size, uint32_t *number)
{
    uint32_t n = free_number(map);
    uint8_t *base = n == UINT32_MAX ? NULL : malloc(size);
    if (!base)
        return -1;
    // the first unit stays empty, so that no reference is 0
    map->segments[n] = (struct keyed_segment){.base = base, .size = size, .used = KEYED_UNIT};
    map->size += size;
    map->used += KEYED_UNIT;
    *number = n;
    return 0;
}

static uint32_t take(struct keyed *map, uint32_t number, size_t size)
{
    struct keyed_segment *s = &map->segments[number];
    uint32_t ref = number << KEYED_SEGMENT_SHIFT | (uint32_t)(s->used / KEYED_UNIT);
    s->used += size;
    map->used += size;
    return ref;
}

uint32_t keyed_alloc(struct keyed *map, size_t size)
{
    uint32_t number = map->head;
    if (size + KEYED_UNIT > KEYED_SEGMENT_BYTES / 4) {
        // a large one has a segment to itself, behind that of what comes next
        map->mixed = 1;
        if (add_segment(map, size + KEYED_UNIT, &number) < 0)
            return 0;
        return take(map, number, size);
    }
    if (number == UINT32_MAX || map->segments[number].size - map->segments[number].used < size) {
        if (add_segment(map, KEYED_SEGMENT_BYTES, &number) < 0)
            return 0;
        map->head = number;
    }
    return take(map, number, size);
}

static void give_back(struct keyed *map, uint32_t number)
{
    struct keyed_segment *s = &map->segments[number];
    map->size -= s->size;
    map->used -= s->used;
    map->garbage -= s->garbage;
    map->list_bytes -= s->changed_cap * sizeof *s->changed;
    free(s->changed);
    free(s->base);
    *s = (struct keyed_segment){0};
}

void keyed_kill(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    uint32_t number = ref >> KEYED_SEGMENT_SHIFT;
    struct keyed_segment *s = &map->segments[number];
    size_t size = keyed_entry_size(map, e);
    if (e->value_len & KEYED_DIRTY && !map->all)
        map->changed_bytes -= size;
    e->value_len |= KEYED_DEAD;
    s->garbage += size;
    map->garbage += size;
    if (s->garbage == s->used - KEYED_UNIT && number != map->head && number != map->victim)
        give_back(map, number);
}

static uint32_t choose_victim(const struct keyed *map)
{
    uint32_t best = UINT32_MAX;
    size_t most = 0;
    for (uint32_t i = 0; i < map->segment_count; i++) {
        const struct keyed_segment *s = &map->segments[i];
        if (s->base && i != map->head && s->garbage > most) {
            most = s->garbage;
            best = i;
        }
    }
    return best;
}

// Moves a living entry to the head. 0, or -1 = no memory: it stays.
static int move(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    size_t size = keyed_entry_size(map, e);
    uint32_t to = keyed_alloc(map, size);
    if (!to)
        return -1;
    e = keyed_at(map, ref);
    struct keyed_entry *copy = keyed_at(map, to);
    memcpy(copy, e, sizeof *e + map->head_len + e->key_len + keyed_value_len(e));
    if (map->kind != KEYED_BAG) {
        uint32_t tag = keyed_tag(map, keyed_key(map, e));
        *keyed_find_ref(&map->by_key, tag, ref) = keyed_slot(tag, to);
    }
    if (map->head_len)
        keyed_group_moved(map, ref, to);
    keyed_kill(map, ref);
    if (copy->value_len & KEYED_DIRTY)
        keyed_note_change(map, to);
    return 0;
}

int keyed_clean(struct keyed *map, size_t work)
{
    if (map->victim == UINT32_MAX) {
        if (map->garbage <= GARBAGE_FREE + (map->used - map->garbage) / 8)
            return 0;
        map->victim = choose_victim(map);
        map->victim_at = KEYED_UNIT;
        if (map->victim == UINT32_MAX)
            return 0;
    }
    uint32_t number = map->victim;
    for (size_t done = 0; done <= work && map->victim_at < map->segments[number].used;) {
        uint32_t ref = number << KEYED_SEGMENT_SHIFT | (uint32_t)(map->victim_at / KEYED_UNIT);
        const struct keyed_entry *e = keyed_at(map, ref);
        size_t size = keyed_entry_size(map, e);
        if (!(e->value_len & KEYED_DEAD) && move(map, ref) < 0)
            return 0; // no memory now; the next call tries again
        map->victim_at += size;
        done += size;
    }
    if (map->victim_at == map->segments[number].used) {
        map->victim = UINT32_MAX;
        give_back(map, number);
    }
    return 1;
}

uint32_t keyed_walked(const struct keyed *map, uint64_t at, const struct keyed_entry *e)
{
    uint32_t number = (uint32_t)(at >> 32);
    return number << KEYED_SEGMENT_SHIFT |
           (uint32_t)((size_t)((const uint8_t *)e - map->segments[number].base) / KEYED_UNIT);
}

struct keyed_entry *keyed_walk(const struct keyed *map, uint64_t *at)
{
    uint32_t number = (uint32_t)(*at >> 32);
    size_t place = (uint32_t)*at;
    for (; number < map->segment_count; number++, place = 0) {
        const struct keyed_segment *s = &map->segments[number];
        if (!s->base)
            continue;
        if (place == 0)
            place = KEYED_UNIT;
        while (place < s->used) {
            struct keyed_entry *e = (struct keyed_entry *)(void *)(s->base + place);
            place += keyed_entry_size(map, e);
            if (e->value_len & KEYED_DEAD)
                continue;
            *at = (uint64_t)number << 32 | place;
            return e;
        }
    }
    *at = (uint64_t)number << 32;
    return NULL;
}

void keyed_segments_fini(struct keyed *map)
{
    for (uint32_t i = 0; i < map->segment_count; i++) {
        free(map->segments[i].base);
        free(map->segments[i].changed);
    }
    free(map->segments);
}
