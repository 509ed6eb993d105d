// SPDX-License-Identifier: Apache-2.0
// Groups: entries that are found together, as a ring through the entries themselves.
//
// The index knows the last entry of a group, whose `next` is the first one; `prev` of the first is 0. An entry is added at
// the end, and one that is put again goes there, so that a group is walked in the order of its changes and nothing is
// walked to change it. What changed since the last checkpoint is therefore the end of the ring: keyed_state.c writes it
// in that order.
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
    if (from.len && from.ptr[0] && from.ptr[0] <= 0x7f && from.ptr[0] <= from.len) { // a short one
        uint32_t n = from.ptr[0];
        *group = (struct leat_bytes){from.ptr + 1, n - 1};
        return (struct leat_bytes){from.ptr + n, from.len - n};
    }
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

static struct keyed_links *links_at(const struct keyed *map, uint32_t ref)
{
    return keyed_links(keyed_at(map, ref));
}

void keyed_group_append(struct keyed *map, uint32_t ref, uint64_t *slot)
{
    struct keyed_links *last = links_at(map, (uint32_t)*slot);
    *links_at(map, ref) = (struct keyed_links){.next = last->next, .prev = (uint32_t)*slot};
    last->next = ref;
    *slot = keyed_slot((uint32_t)(*slot >> 32), ref);
}

void keyed_group_begin(struct keyed *map, uint32_t ref, uint32_t tag)
{
    *links_at(map, ref) = (struct keyed_links){.next = ref, .prev = 0};
    keyed_page_insert(&map->by_group, tag, ref);
}

void keyed_group_link(struct keyed *map, uint32_t ref)
{
    struct leat_bytes group;
    if (!keyed_group_of(map, keyed_at(map, ref), &group)) {
        *links_at(map, ref) = (struct keyed_links){0, 0};
        return;
    }
    uint32_t tag = keyed_tag(map, group);
    uint64_t *slot = keyed_find_group(map, group, tag);
    if (slot)
        keyed_group_append(map, ref, slot);
    else
        keyed_group_begin(map, ref, tag);
}

// Where an entry stands in its ring.
struct place {
    struct keyed_links links;
    uint32_t before; // the entry whose `next` it is
    uint64_t *slot;  // of the group; only for the first and the last entry
    uint32_t tag;
    uint8_t last;
};

// 0 = the entry is in no group.
static int find_place(const struct keyed *map, uint32_t ref, struct place *at)
{
    struct keyed_entry *e = keyed_at(map, ref);
    struct leat_bytes group;
    if (!keyed_group_of(map, e, &group))
        return 0;
    *at = (struct place){.links = *keyed_links(e), .before = keyed_links(e)->prev};
    at->last = at->links.next == ref || links_at(map, at->links.next)->prev == 0;
    if (at->links.prev && !at->last)
        return 1;
    at->tag = keyed_tag(map, group);
    at->slot = keyed_find_group(map, group, at->tag);
    if (!at->links.prev)
        at->before = (uint32_t)*at->slot;
    return 1;
}

void keyed_group_unlink(struct keyed *map, uint32_t ref)
{
    struct place at;
    if (!find_place(map, ref, &at))
        return;
    if (at.links.next == ref) {
        keyed_page_remove(&map->by_group, at.tag, at.slot);
        return;
    }
    links_at(map, at.before)->next = at.links.next;
    if (at.last)
        *at.slot = keyed_slot(at.tag, at.before);
    else
        links_at(map, at.links.next)->prev = at.links.prev;
}

void keyed_group_moved(struct keyed *map, uint32_t from, uint32_t to)
{
    struct place at;
    if (!find_place(map, from, &at))
        return;
    links_at(map, at.before == from ? to : at.before)->next = to;
    if (at.last)
        *at.slot = keyed_slot(at.tag, to);
    else
        links_at(map, at.links.next)->prev = to;
}

// --- asking

uint32_t keyed_hash(const struct keyed *map, struct leat_bytes bytes)
{
    return keyed_tag(map, bytes);
}

keyed_ref keyed_first(const struct keyed *map, struct leat_bytes bytes, uint32_t hash)
{
    const uint64_t *slot = map->kind == KEYED_MAP ? keyed_find(map, bytes, hash) : keyed_find_group(map, bytes, hash);
    if (!slot)
        return 0;
    return map->kind == KEYED_MAP ? (keyed_ref)*slot : links_at(map, (uint32_t)*slot)->next;
}

keyed_ref keyed_find_key(const struct keyed *map, struct leat_bytes key)
{
    const uint64_t *slot = keyed_find(map, key, keyed_tag(map, key));
    return slot ? (keyed_ref)*slot : 0;
}

keyed_ref keyed_after(const struct keyed *map, keyed_ref ref)
{
    if (map->kind == KEYED_MAP)
        return 0;
    keyed_ref next = links_at(map, ref)->next;
    return links_at(map, next)->prev ? next : 0; // the first one again: that was the last
}

struct leat_bytes keyed_ref_key(const struct keyed *map, keyed_ref ref)
{
    return keyed_key(map, keyed_at(map, ref));
}

struct leat_bytes keyed_ref_value(const struct keyed *map, keyed_ref ref)
{
    return keyed_value(map, keyed_at(map, ref));
}
