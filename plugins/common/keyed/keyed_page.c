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

static struct keyed_place place_of(const struct keyed *map, uint32_t tag)
{
    return map->pages[(uint64_t)tag >> (32 - map->depth)];
}

static struct keyed_page *page_of(const struct keyed *map, uint32_t tag)
{
    return place_of(map, tag).page;
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
    struct keyed_place at = place_of(map, tag);
    uint64_t *slots = at.page->slots;
    for (uint32_t i = home(at.cap, tag); slots[i]; i = after(at.cap, i)) {
        if (slots[i] >> 32 != tag)
            continue;
        const struct keyed_entry *e = keyed_at(map, (uint32_t)slots[i]);
        if (e->key_len == key.len && (key.len == 0 || memcmp(e->bytes, key.ptr, key.len) == 0))
            return &slots[i];
    }
    return NULL;
}

uint64_t *keyed_find_ref(const struct keyed *map, uint32_t tag, uint32_t ref)
{
    struct keyed_place at = place_of(map, tag);
    uint32_t i = home(at.cap, tag);
    while (at.page->slots[i] != keyed_slot(tag, ref))
        i = after(at.cap, i);
    return &at.page->slots[i];
}

static size_t page_size(uint32_t cap)
{
    return sizeof(struct keyed_page) + (size_t)cap * sizeof(uint64_t);
}

static struct keyed_page *page_create(struct keyed *map, uint32_t depth, uint32_t cap)
{
    struct keyed_page *page = calloc(1, page_size(cap));
    if (!page)
        return NULL;
    page->depth = depth;
    page->cap = cap;
    map->page_bytes += page_size(cap);
    return page;
}

static void page_free(struct keyed *map, struct keyed_page *page)
{
    if (page)
        map->page_bytes -= page_size(page->cap);
    free(page);
}

static void page_add(struct keyed_page *page, uint64_t slot)
{
    uint32_t i = home(page->cap, (uint32_t)(slot >> 32));
    while (page->slots[i])
        i = after(page->cap, i);
    page->slots[i] = slot;
    page->count++;
}

// Puts `page` at all places of the directory whose hashes begin like `tag`, for page->depth bits.
static void enter(struct keyed *map, struct keyed_page *page, uint32_t tag)
{
    uint64_t first = (uint64_t)tag >> (32 - page->depth) << (map->depth - page->depth);
    for (uint64_t i = 0; i < (uint64_t)1 << (map->depth - page->depth); i++)
        map->pages[first + i] = (struct keyed_place){page, page->cap};
}

static int resize(struct keyed *map, struct keyed_page *page, uint32_t tag, uint32_t cap)
{
    struct keyed_page *other = page_create(map, page->depth, cap);
    if (!other)
        return -1;
    for (uint32_t i = 0; i < page->cap; i++)
        if (page->slots[i])
            page_add(other, page->slots[i]);
    enter(map, other, tag);
    page_free(map, page);
    return 0;
}

static int double_directory(struct keyed *map)
{
    size_t n = (size_t)1 << map->depth;
    struct keyed_place *pages = malloc(2 * n * sizeof *pages);
    if (!pages)
        return -1;
    for (size_t i = 0; i < n; i++)
        pages[2 * i] = pages[2 * i + 1] = map->pages[i];
    free(map->pages);
    map->pages = pages;
    map->depth++;
    return 0;
}

static int split(struct keyed *map, struct keyed_page *page, uint32_t tag)
{
    if (page->depth == map->depth && double_directory(map) < 0)
        return -1;
    uint32_t depth = page->depth + 1;
    uint32_t bit = 1u << (32 - depth);
    uint32_t ones = 0;
    for (uint32_t i = 0; i < page->cap; i++)
        ones += page->slots[i] && page->slots[i] >> 32 & bit;
    // a page that does not part evenly still finds room: half of the slots stay free at least
    uint32_t zeros = page->count - ones;
    struct keyed_page *low = page_create(map, depth, zeros * 3 / 2 > CAP_HALF ? zeros * 3 / 2 : CAP_HALF);
    struct keyed_page *high = page_create(map, depth, ones * 3 / 2 > CAP_HALF ? ones * 3 / 2 : CAP_HALF);
    if (!low || !high) {
        page_free(map, low);
        page_free(map, high);
        return -1;
    }
    for (uint32_t i = 0; i < page->cap; i++)
        if (page->slots[i])
            page_add(page->slots[i] >> 32 & bit ? high : low, page->slots[i]);
    enter(map, low, tag & ~bit);
    enter(map, high, tag | bit);
    page_free(map, page);
    return 0;
}

int keyed_page_room(struct keyed *map, uint32_t tag)
{
    struct keyed_page *page = page_of(map, tag);
    if (page->count + 1 <= page->cap - page->cap / 4)
        return 0;
    if (page->cap < CAP_SPLIT || page->depth == DEPTH_MAX)
        return resize(map, page, tag, page->cap + page->cap / 4 + 1);
    return split(map, page, tag);
}

void keyed_page_insert(struct keyed *map, uint32_t tag, uint32_t ref)
{
    page_add(page_of(map, tag), keyed_slot(tag, ref));
}

void keyed_page_remove(struct keyed *map, uint32_t tag, uint64_t *slot)
{
    struct keyed_page *page = page_of(map, tag);
    uint32_t hole = (uint32_t)(slot - page->slots);
    // what stands behind the hole moves up, unless that would put it in front of its home
    for (uint32_t i = after(page->cap, hole); page->slots[i]; i = after(page->cap, i)) {
        uint32_t from = home(page->cap, (uint32_t)(page->slots[i] >> 32));
        uint32_t distance = (i + page->cap - from) % page->cap;
        if (distance < (i + page->cap - hole) % page->cap)
            continue;
        page->slots[hole] = page->slots[i];
        hole = i;
    }
    page->slots[hole] = 0;
    page->count--;
    // without memory it simply stays large
    if (page->cap > 4 * CAP_FIRST && page->count < page->cap / 5)
        (void)resize(map, page, tag, page->cap / 2);
}

int keyed_pages_init(struct keyed *map)
{
    map->pages = calloc(1, sizeof *map->pages);
    struct keyed_page *page = map->pages ? page_create(map, 0, CAP_FIRST) : NULL;
    if (!page)
        return -1;
    enter(map, page, 0);
    return 0;
}

void keyed_pages_fini(struct keyed *map)
{
    for (uint64_t i = 0; map->pages && i < (uint64_t)1 << map->depth;) {
        struct keyed_page *page = map->pages[i].page;
        i += page ? (uint64_t)1 << (map->depth - page->depth) : 1;
        free(page);
    }
    free(map->pages);
}
