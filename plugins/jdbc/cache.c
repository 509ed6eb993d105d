// SPDX-License-Identifier: Apache-2.0
// See cache.h: a hash table with chains, and a list by use.
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

void jdbc_cache_init(struct jdbc_cache *c, int64_t max_rows, int64_t expire_write, int64_t expire_access)
{
    *c = (struct jdbc_cache){.max_rows = max_rows, .expire_write = expire_write, .expire_access = expire_access};
}

void jdbc_entry_unref(struct jdbc_entry *e)
{
    if (e && --e->refs == 0)
        free(e);
}

static uint64_t cost(const struct jdbc_entry *e)
{
    return sizeof *e + e->key_len + e->rows_len;
}

static uint64_t rows_of(const struct jdbc_entry *e)
{
    return e->row_count ? e->row_count : 1;
}

static void unlink_use(struct jdbc_cache *c, struct jdbc_entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct jdbc_cache *c, struct jdbc_entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static struct jdbc_entry **slot_of(const struct jdbc_cache *c, uint64_t hash)
{
    return &c->slots[hash & (c->slot_count - 1)];
}

static void drop(struct jdbc_cache *c, struct jdbc_entry *e)
{
    struct jdbc_entry **at = slot_of(c, e->hash);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlink_use(c, e);
    c->count--;
    c->rows -= rows_of(e);
    c->size -= cost(e);
    jdbc_entry_unref(e);
}

void jdbc_cache_fini(struct jdbc_cache *c)
{
    while (c->newest)
        drop(c, c->newest);
    free(c->slots);
    c->slots = NULL;
}

static int is_stale(const struct jdbc_cache *c, const struct jdbc_entry *e, int64_t now)
{
    return (c->expire_write > 0 && now - e->written >= c->expire_write) ||
           (c->expire_access > 0 && now - e->used >= c->expire_access);
}

static struct jdbc_entry *find(const struct jdbc_cache *c, uint64_t hash, const void *key, uint32_t len)
{
    struct jdbc_entry *e = c->slots ? *slot_of(c, hash) : NULL;
    while (e && !(e->hash == hash && e->key_len == len && memcmp(e->bytes, key, len) == 0))
        e = e->next;
    return e;
}

struct jdbc_entry *jdbc_cache_get(struct jdbc_cache *c, const void *key, uint32_t key_len, int64_t now)
{
    struct jdbc_entry *e = find(c, hash_bytes(key, key_len, 0), key, key_len);
    if (!e)
        return NULL;
    if (is_stale(c, e, now)) {
        drop(c, e);
        return NULL;
    }
    e->used = now;
    unlink_use(c, e);
    link_newest(c, e);
    e->refs++;
    return e;
}

static int grow(struct jdbc_cache *c)
{
    uint32_t count = c->slot_count ? c->slot_count * 2 : 256;
    struct jdbc_entry **slots = calloc(count, sizeof(struct jdbc_entry *));
    if (!slots)
        return -1;
    free(c->slots);
    c->slots = slots;
    c->slot_count = count;
    for (struct jdbc_entry *e = c->newest; e; e = e->older) {
        e->next = *slot_of(c, e->hash);
        *slot_of(c, e->hash) = e;
    }
    return 0;
}

void jdbc_cache_put(struct jdbc_cache *c, const void *key, uint32_t key_len, const void *rows, uint32_t rows_len,
                    uint32_t row_count, int64_t now)
{
    uint64_t hash = hash_bytes(key, key_len, 0);
    struct jdbc_entry *old = find(c, hash, key, key_len);
    if (old)
        drop(c, old);
    struct jdbc_entry *e = malloc(sizeof *e + key_len + rows_len);
    if (!e || (c->count == c->slot_count && grow(c) < 0)) {
        free(e);
        return;
    }
    *e = (struct jdbc_entry){.hash = hash,
                             .written = now,
                             .used = now,
                             .refs = 1,
                             .key_len = key_len,
                             .rows_len = rows_len,
                             .row_count = row_count};
    memcpy(e->bytes, key, key_len);
    if (rows_len)
        memcpy(e->bytes + key_len, rows, rows_len);
    e->next = *slot_of(c, hash);
    *slot_of(c, hash) = e;
    link_newest(c, e);
    c->count++;
    c->rows += rows_of(e);
    c->size += cost(e);
    while (c->oldest && (c->size > JDBC_CACHE_BYTES || (c->max_rows > 0 && c->rows > (uint64_t)c->max_rows)))
        drop(c, c->oldest);
}
