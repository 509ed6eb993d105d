// SPDX-License-Identifier: Apache-2.0
// Groups: entries that are found together, as a list in both directions through the entries themselves.
//
// A new entry becomes the first of its group, so that nothing is walked. The second link is what makes leaving a group,
// and moving in memory, cost no more than joining it.
#include <string.h>

#include "keyed_int.h"

void keyed_group_put(struct buf *out, const void *group, size_t len)
{
    buf_uvarint(out, group ? (uint64_t)len + 1 : 0);
    if (group)
        buf_put(out, group, len);
}

struct leat_bytes keyed_group_take(struct leat_bytes from, struct leat_bytes *group)
{
    struct cur c = cur_of(from.ptr, from.len);
    uint64_t len = cur_uvarint(&c);
    *group = (struct leat_bytes){NULL, 0};
    if (len && len - 1 <= cur_left(&c))
        *group = (struct leat_bytes){cur_bytes(&c, (size_t)len - 1), (uint32_t)len - 1};
    return (struct leat_bytes){c.ptr, (uint32_t)cur_left(&c)};
}

int keyed_group_read(struct leat_bytes from, struct leat_bytes *group)
{
    keyed_group_take(from, group);
    return group->ptr != NULL;
}

int keyed_group_of(const struct keyed *map, const struct keyed_entry *e, struct leat_bytes *group)
{
    return keyed_group_read(map->kind == KEYED_GROUPED_KEYS ? keyed_key(map, e) : keyed_value(map, e), group);
}

int keyed_group_room(struct keyed *map, struct leat_bytes from)
{
    struct leat_bytes group;
    return keyed_group_read(from, &group) ? keyed_page_room(&map->by_group, keyed_tag(map, group)) : 0;
}

void keyed_group_link(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    struct leat_bytes group;
    *keyed_links(e) = (struct keyed_links){0, 0};
    if (!keyed_group_of(map, e, &group))
        return;
    uint32_t tag = keyed_tag(map, group);
    uint64_t *slot = keyed_find_group(map, group, tag);
    if (!slot) {
        keyed_page_insert(&map->by_group, tag, ref);
        return;
    }
    uint32_t first = (uint32_t)*slot;
    keyed_links(e)->next = first;
    keyed_links(keyed_at(map, first))->prev = ref;
    *slot = keyed_slot(tag, ref);
}

void keyed_group_unlink(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    struct keyed_links at = *keyed_links(e);
    struct leat_bytes group;
    if (!keyed_group_of(map, e, &group))
        return;
    if (at.next)
        keyed_links(keyed_at(map, at.next))->prev = at.prev;
    if (at.prev) {
        keyed_links(keyed_at(map, at.prev))->next = at.next;
        return;
    }
    uint32_t tag = keyed_tag(map, group);
    uint64_t *slot = keyed_find_ref(&map->by_group, tag, ref);
    if (at.next)
        *slot = keyed_slot(tag, at.next);
    else
        keyed_page_remove(&map->by_group, tag, slot);
}

void keyed_group_moved(struct keyed *map, uint32_t from, uint32_t to)
{
    const struct keyed_entry *e = keyed_at(map, from);
    struct keyed_links at = *keyed_links(keyed_at(map, from));
    struct leat_bytes group;
    if (!keyed_group_of(map, e, &group))
        return;
    if (at.next)
        keyed_links(keyed_at(map, at.next))->prev = to;
    if (at.prev) {
        keyed_links(keyed_at(map, at.prev))->next = to;
        return;
    }
    uint32_t tag = keyed_tag(map, group);
    *keyed_find_ref(&map->by_group, tag, from) = keyed_slot(tag, to);
}

// --- asking

uint32_t keyed_hash(const struct keyed *map, struct leat_bytes bytes)
{
    return keyed_tag(map, bytes);
}

keyed_ref keyed_first(const struct keyed *map, struct leat_bytes bytes, uint32_t hash)
{
    const uint64_t *slot = map->kind == KEYED_MAP ? keyed_find(map, bytes, hash) : keyed_find_group(map, bytes, hash);
    return slot ? (keyed_ref)*slot : 0;
}

keyed_ref keyed_find_key(const struct keyed *map, struct leat_bytes key)
{
    const uint64_t *slot = keyed_find(map, key, keyed_tag(map, key));
    return slot ? (keyed_ref)*slot : 0;
}

keyed_ref keyed_after(const struct keyed *map, keyed_ref ref)
{
    return map->kind == KEYED_MAP ? 0 : keyed_links(keyed_at(map, ref))->next;
}

struct leat_bytes keyed_ref_key(const struct keyed *map, keyed_ref ref)
{
    return keyed_key(map, keyed_at(map, ref));
}

struct leat_bytes keyed_ref_value(const struct keyed *map, keyed_ref ref)
{
    return keyed_value(map, keyed_at(map, ref));
}
