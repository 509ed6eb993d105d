// SPDX-License-Identifier: Apache-2.0
// The index: a directory of small open-addressing tables ("pages"). A page that is three quarters full becomes a
// quarter larger, up to a thousand slots; then it is split in two by the next bit of the hash. So the index grows in
// steps of microseconds, however large it is.
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "keyed_int.h"

#define CAP_FIRST 16
#define CAP_SPLIT 1000 // from here a full page is split
#define CAP_HALF  640  // what the halves begin with
#define DEPTH_MAX 16   // the other 16 bits choose the place in the page; beyond, pages grow

uint32_t keyed_tag(const struct keyed *map, struct leat_bytes key)
{
    return (uint32_t)(hash_bytes(key.ptr, key.len, map->seed) >> 32);
}

static struct keyed_place place_of(const struct keyed_index *x, uint32_t tag)
{
    return x->pages[(uint64_t)tag >> (32 - x->depth)];
}

static uint32_t home(uint64_t cap, uint32_t tag)
{
    return (uint32_t)((tag & 0xffff) * cap >> 16);
}

static uint32_t after(uint64_t cap, uint32_t i)
{
    return ++i == cap ? 0 : i;
}

uint64_t *keyed_find(const struct keyed *map, struct leat_bytes key, uint32_t tag)
{
    struct keyed_place at = place_of(&map->by_key, tag);
    uint64_t *slots = at.slots;
    for (uint32_t i = home(at.cap, tag); slots[i]; i = after(at.cap, i)) {
        if (slots[i] >> 32 != tag)
            continue;
        struct leat_bytes k = keyed_key(map, keyed_at(map, (uint32_t)slots[i]));
        if (k.len == key.len && (key.len == 0 || memcmp(k.ptr, key.ptr, key.len) == 0))
            return &slots[i];
    }
    return NULL;
}

uint64_t *keyed_find_group(const struct keyed *map, struct leat_bytes group, uint32_t tag)
{
    struct keyed_place at = place_of(&map->by_group, tag);
    uint64_t *slots = at.slots;
    for (uint32_t i = home(at.cap, tag); slots[i]; i = after(at.cap, i)) {
        struct leat_bytes g;
        if (slots[i] >> 32 != tag || !keyed_group_of(map, keyed_at(map, (uint32_t)slots[i]), &g))
            continue;
        if (g.len == group.len && (group.len == 0 || memcmp(g.ptr, group.ptr, group.len) == 0))
            return &slots[i];
    }
    return NULL;
}

uint64_t *keyed_find_ref(const struct keyed_index *x, uint32_t tag, uint32_t ref)
{
    struct keyed_place at = place_of(x, tag);
    uint32_t i = home(at.cap, tag);
    while (at.slots[i] != keyed_slot(tag, ref))
        i = after(at.cap, i);
    return &at.slots[i];
}

static int page_create(struct keyed_index *x, uint32_t depth, uint32_t cap, struct keyed_place *page)
{
    *page = (struct keyed_place){.slots = calloc(cap, sizeof *page->slots), .cap = cap, .depth = depth};
    if (!page->slots)
        return -1;
    x->page_bytes += cap * sizeof *page->slots;
    return 0;
}

static void page_free(struct keyed_index *x, const struct keyed_place *page)
{
    if (page->slots)
        x->page_bytes -= page->cap * sizeof *page->slots;
    free(page->slots);
}

static void page_add(struct keyed_place *page, uint64_t slot)
{
    uint32_t i = home(page->cap, (uint32_t)(slot >> 32));
    while (page->slots[i])
        i = after(page->cap, i);
    page->slots[i] = slot;
    page->count++;
}

// Puts `page` at all places of the directory whose hashes begin like `tag`, for its depth's bits.
static void enter(struct keyed_index *x, const struct keyed_place *page, uint32_t tag)
{
    uint64_t first = ((uint64_t)tag >> (32 - page->depth)) << (x->depth - page->depth);
    for (uint64_t i = 0; i < (uint64_t)1 << (x->depth - page->depth); i++)
        x->pages[first + i] = *page;
}

static int resize(struct keyed_index *x, const struct keyed_place *page, uint32_t tag, uint32_t cap)
{
    struct keyed_place other;
    if (page_create(x, page->depth, cap, &other) < 0)
        return -1;
    for (uint32_t i = 0; i < page->cap; i++)
        if (page->slots[i])
            page_add(&other, page->slots[i]);
    enter(x, &other, tag);
    page_free(x, page);
    return 0;
}

static int double_directory(struct keyed_index *x)
{
    size_t n = (size_t)1 << x->depth;
    struct keyed_place *pages = malloc(2 * n * sizeof *pages);
    if (!pages)
        return -1;
    for (size_t i = 0; i < n; i++)
        pages[2 * i] = pages[2 * i + 1] = x->pages[i];
    free(x->pages);
    x->pages = pages;
    x->depth++;
    return 0;
}

static int split(struct keyed_index *x, const struct keyed_place *page, uint32_t tag)
{
    if (page->depth == x->depth && double_directory(x) < 0)
        return -1;
    uint32_t depth = page->depth + 1;
    uint32_t bit = 1u << (32 - depth);
    uint32_t ones = 0;
    for (uint32_t i = 0; i < page->cap; i++)
        ones += page->slots[i] && page->slots[i] >> 32 & bit;
    // a page that does not part evenly still finds room: half of the slots stay free at least
    uint32_t zeros = page->count - ones;
    struct keyed_place low, high;
    if (page_create(x, depth, zeros * 3 / 2 > CAP_HALF ? zeros * 3 / 2 : CAP_HALF, &low) < 0)
        return -1;
    if (page_create(x, depth, ones * 3 / 2 > CAP_HALF ? ones * 3 / 2 : CAP_HALF, &high) < 0) {
        page_free(x, &low);
        return -1;
    }
    for (uint32_t i = 0; i < page->cap; i++)
        if (page->slots[i])
            page_add(page->slots[i] >> 32 & bit ? &high : &low, page->slots[i]);
    enter(x, &low, tag & ~bit);
    enter(x, &high, tag | bit);
    page_free(x, page);
    return 0;
}

int keyed_page_room(struct keyed_index *x, uint32_t tag)
{
    const struct keyed_place page = place_of(x, tag);
    if (page.count + 1 <= page.cap - page.cap / 4)
        return 0;
    if (page.cap < CAP_SPLIT || page.depth == DEPTH_MAX)
        return resize(x, &page, tag, page.cap + page.cap / 4 + 1);
    return split(x, &page, tag);
}

void keyed_page_insert(struct keyed_index *x, uint32_t tag, uint32_t ref)
{
    struct keyed_place page = place_of(x, tag);
    page_add(&page, keyed_slot(tag, ref));
    enter(x, &page, tag);
}

void keyed_page_remove(struct keyed_index *x, uint32_t tag, uint64_t *slot)
{
    struct keyed_place page = place_of(x, tag);
    uint32_t hole = (uint32_t)(slot - page.slots);
    // what stands behind the hole moves up, unless that would put it in front of its home
    for (uint32_t i = after(page.cap, hole); page.slots[i]; i = after(page.cap, i)) {
        uint32_t from = home(page.cap, (uint32_t)(page.slots[i] >> 32));
        uint32_t distance = (i + page.cap - from) % page.cap;
        if (distance < (i + page.cap - hole) % page.cap)
            continue;
        page.slots[hole] = page.slots[i];
        hole = i;
    }
    page.slots[hole] = 0;
    page.count--;
    enter(x, &page, tag);
    // without memory it simply stays large
    if (page.cap > 4 * CAP_FIRST && page.count < page.cap / 5)
        (void)resize(x, &page, tag, page.cap / 2);
}

int keyed_pages_init(struct keyed_index *x)
{
    struct keyed_place page;
    x->pages = calloc(1, sizeof *x->pages);
    if (!x->pages || page_create(x, 0, CAP_FIRST, &page) < 0)
        return -1;
    enter(x, &page, 0);
    return 0;
}

void keyed_pages_fini(struct keyed_index *x)
{
    for (uint64_t i = 0; x->pages && i < (uint64_t)1 << x->depth;) {
        struct keyed_place page = x->pages[i];
        i += (uint64_t)1 << (x->depth - page.depth);
        free(page.slots);
    }
    free(x->pages);
}

// --- fetching ahead

static const struct keyed_index *asked(const struct keyed *map)
{
    return map->kind == KEYED_MAP ? &map->by_key : &map->by_group;
}

void keyed_expect(const struct keyed *map, uint32_t hash)
{
    struct keyed_place at = place_of(asked(map), hash);
    __builtin_prefetch(&at.slots[home(at.cap, hash)]);
}

void keyed_expect_entry(const struct keyed *map, uint32_t hash, size_t len)
{
    struct keyed_place at = place_of(asked(map), hash);
    // the slot is its own or a neighbour's: nearly always it lies in the line that has come
    uint32_t i = home(at.cap, hash);
    while (at.slots[i] && at.slots[i] >> 32 != hash)
        i = after(at.cap, i);
    if (!at.slots[i])
        return;
    const uint8_t *e = (const uint8_t *)keyed_at(map, (uint32_t)at.slots[i]);
    for (size_t k = 0; k < len; k += 64)
        __builtin_prefetch(e + k);
}
