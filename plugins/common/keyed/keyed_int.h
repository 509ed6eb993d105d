// SPDX-License-Identifier: Apache-2.0
// The inside of the map.
//
// An entry lies in a segment (a MiB of memory, filled from front to back) and is named by a 32-bit reference: number of
// the segment, and the place in it in units of 8 bytes. A slot of the index is the reference and 32 bits of the key's
// hash: the upper half chooses the page, the lower half the place in it.
//
// In a map with groups an entry begins with two references, to the next and the previous entry of its group; the second
// index leads from a group's hash to its last entry. Links are not saved: putting an entry links it.
#ifndef KEYED_INT_H
#define KEYED_INT_H

#include "buf.h"
#include "keyed.h"

#define KEYED_UNIT          ((size_t)8)
#define KEYED_SEGMENT_SHIFT 17 // units in a segment, as a power of two
#define KEYED_SEGMENT_BYTES (KEYED_UNIT << KEYED_SEGMENT_SHIFT)
#define KEYED_SEGMENTS_MAX  ((uint32_t)1 << (32 - KEYED_SEGMENT_SHIFT))

#define KEYED_DEAD   0x80000000u // replaced, removed or moved away
#define KEYED_DIRTY  0x40000000u // changed since the last save, and listed unless all are written
#define KEYED_SAVED  0x20000000u // its key is part of what was saved
#define KEYED_LENGTH (KEYED_SAVED - 1)

struct keyed_entry {
    uint32_t key_len;
    uint32_t value_len; // with flags
    uint8_t bytes[];    // links (maps with groups), key, value
};

struct keyed_links {
    uint32_t next; // of the last entry: the first one; 0 = in no group
    uint32_t prev; // 0 = none
};

struct keyed_segment {
    uint8_t *base;     // NULL = this number is free
    size_t size;       // of the memory
    size_t used;       // up to here it is filled
    size_t garbage;    // of that, bytes of dead entries
    uint32_t *changed; // places of entries changed since the last save, in units; some may be dead
    uint32_t changed_count, changed_cap;
};

// A page, as the directory knows it. What a look-up or an insert asks for stands here: the page itself is nothing but its
// slots (hash << 32 | reference; 0 = free), and only the one that is looked for is touched.
struct keyed_place {
    uint64_t *slots;
    uint32_t cap, count;
    uint32_t depth; // how many leading bits of the hash its keys share
};

struct keyed_index {
    struct keyed_place *pages; // 1 << depth of them; neighbours may be the same page, and then all say the same
    uint32_t depth;
    size_t page_bytes;
};

struct keyed {
    uint64_t seed;
    uint8_t kind;     // KEYED_*
    uint8_t head_len; // bytes of links in an entry
    uint64_t count;
    size_t content;              // bytes of keys and values
    struct keyed_index by_key;   // unused in a bag
    struct keyed_index by_group; // maps with groups
    // entries
    struct keyed_segment *segments;
    uint32_t segment_count, segment_cap;
    uint32_t head;   // the segment being filled; UINT32_MAX = none
    uint32_t victim; // the segment being cleaned; UINT32_MAX = none
    size_t victim_at;
    size_t size, used, garbage; // over all segments
    // changes since the last save
    size_t changed_bytes; // of dirty entries
    size_t list_bytes;    // memory of the segments' lists
    struct buf removed;   // keys of saved entries that are gone: length, bytes
    uint8_t all;          // the next save writes everything; changes are not listed
    uint8_t mixed;        // entries do not lie in the order in which they were added
};

// --- pages
uint32_t keyed_tag(const struct keyed *map, struct leat_bytes key);
// Where the slot of `key` is, or NULL. `tag` = keyed_tag(map, key).
uint64_t *keyed_find(const struct keyed *map, struct leat_bytes key, uint32_t tag);
// The slot of a group, which names its last entry, or NULL.
uint64_t *keyed_find_group(const struct keyed *map, struct leat_bytes group, uint32_t tag);
// The slot that holds this very reference; it is there.
uint64_t *keyed_find_ref(const struct keyed_index *x, uint32_t tag, uint32_t ref);
int keyed_pages_init(struct keyed_index *x);
void keyed_pages_fini(struct keyed_index *x);
// Makes sure that an insert under `tag` finds a free slot. 0, or -1 = no memory.
int keyed_page_room(struct keyed_index *x, uint32_t tag);
void keyed_page_insert(struct keyed_index *x, uint32_t tag, uint32_t ref); // after keyed_page_room
void keyed_page_remove(struct keyed_index *x, uint32_t tag, uint64_t *slot);

static inline uint64_t keyed_slot(uint32_t tag, uint32_t ref)
{
    return (uint64_t)tag << 32 | ref;
}

// --- entries
static inline struct keyed_entry *keyed_at(const struct keyed *map, uint32_t ref)
{
    uint8_t *base = map->segments[ref >> KEYED_SEGMENT_SHIFT].base;
    return (struct keyed_entry *)(void *)(base + (ref & ((1u << KEYED_SEGMENT_SHIFT) - 1)) * KEYED_UNIT);
}

static inline uint32_t keyed_value_len(const struct keyed_entry *e)
{
    return e->value_len & KEYED_LENGTH;
}

static inline uint8_t *keyed_content(const struct keyed *map, struct keyed_entry *e)
{
    return e->bytes + map->head_len;
}

static inline struct leat_bytes keyed_key(const struct keyed *map, const struct keyed_entry *e)
{
    return (struct leat_bytes){e->bytes + map->head_len, e->key_len};
}

static inline struct leat_bytes keyed_value(const struct keyed *map, const struct keyed_entry *e)
{
    return (struct leat_bytes){e->bytes + map->head_len + e->key_len, keyed_value_len(e)};
}

static inline size_t keyed_size_of(const struct keyed *map, size_t key_len, size_t value_len)
{
    return (sizeof(struct keyed_entry) + map->head_len + key_len + value_len + KEYED_UNIT - 1) & ~(KEYED_UNIT - 1);
}

static inline size_t keyed_entry_size(const struct keyed *map, const struct keyed_entry *e)
{
    return keyed_size_of(map, e->key_len, keyed_value_len(e));
}

// Memory for an entry; its reference, or 0 = no memory. Never moves another entry.
uint32_t keyed_alloc(struct keyed *map, size_t size);
// The entry is dead from now on.
void keyed_kill(struct keyed *map, uint32_t ref);
// Cleans a little: `work` bytes or one entry more. May move any entry. 0 = there is nothing to clean, or no memory.
int keyed_clean(struct keyed *map, size_t work);
void keyed_segments_fini(struct keyed *map);
// The first entry at or behind unit-aligned place *at of a walk (segment << 32 | bytes); NULL = the end.
struct keyed_entry *keyed_walk(const struct keyed *map, uint64_t *at);
// The reference of the entry that the walk has just given.
uint32_t keyed_walked(const struct keyed *map, uint64_t at, const struct keyed_entry *e);

// keyed_add, for its reference; 0 = no memory or too long.
uint32_t keyed_add_entry(struct keyed *map, struct leat_bytes value, uint32_t hash);

// --- groups
static inline struct keyed_links *keyed_links(struct keyed_entry *e)
{
    return (struct keyed_links *)(void *)e->bytes;
}

// The group of an entry; 0 = it is in none.
int keyed_group_of(const struct keyed *map, const struct keyed_entry *e, struct leat_bytes *group);
// What a key or value says at its beginning. 0 = no group, or no sense.
int keyed_group_read(struct leat_bytes from, struct leat_bytes *group);
// Room for an entry of the group that `from` begins with: 0, or -1 = no memory. Then the entry as its last.
int keyed_group_room(struct keyed *map, struct leat_bytes from);
void keyed_group_link(struct keyed *map, uint32_t ref);
// The two ways of it: behind the entry that the slot names, and as the first of a group for which there is room.
void keyed_group_append(struct keyed *map, uint32_t ref, uint64_t *slot);
void keyed_group_begin(struct keyed *map, uint32_t ref, uint32_t tag);
void keyed_group_unlink(struct keyed *map, uint32_t ref);
// The entry has moved from `from`, which still has its links.
void keyed_group_moved(struct keyed *map, uint32_t from, uint32_t to);

// --- changes
// Lists a dirty entry. May fail softly: then `all` is set.
void keyed_note_change(struct keyed *map, uint32_t ref);
// Remembers that a saved key is gone. 0, or -1 = no memory.
int keyed_note_removed(struct keyed *map, struct leat_bytes key);
// From now on the next save writes everything.
void keyed_want_all(struct keyed *map);

#endif
