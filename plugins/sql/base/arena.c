// SPDX-License-Identifier: Apache-2.0
// Bump memory; see arena.h.
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN ((size_t)4096)
#define KEEP_MAX  ((size_t)4 << 20)

struct sql_chunk {
    struct sql_chunk *next;
    size_t size; // of data
    _Alignas(16) char data[];
};

void sql_arena_init(struct sql_arena *a, size_t limit)
{
    memset(a, 0, sizeof *a);
    a->limit = limit;
}

void sql_arena_fini(struct sql_arena *a)
{
    while (a->chunks) {
        struct sql_chunk *c = a->chunks;
        a->chunks = c->next;
        free(c);
    }
    a->at = a->end = NULL;
    a->total = 0;
}

static int chunk_add(struct sql_arena *a, size_t size)
{
    if (size > a->limit || a->total > a->limit - size)
        return -1;
    struct sql_chunk *c = malloc(sizeof *c + size);
    if (!c)
        return -1;
    c->next = a->chunks;
    c->size = size;
    a->chunks = c;
    a->total += size;
    a->at = c->data;
    a->end = c->data + size;
    return 0;
}

void *sql_arena_alloc_slow(struct sql_arena *a, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size_t need = (size + 15) & ~(size_t)15;
    size_t want = a->total < CHUNK_MIN ? CHUNK_MIN : a->total; // doubles
    if (want > KEEP_MAX)
        want = KEEP_MAX;
    if (want < need)
        want = need;
    if (chunk_add(a, want) && (want == need || chunk_add(a, need)))
        return NULL;
    void *p = a->at;
    a->at += need;
    return p;
}

void sql_arena_reset(struct sql_arena *a)
{
    if (!a->chunks)
        return;
    if (a->chunks->next || a->chunks->size > KEEP_MAX) {
        size_t total = a->total;
        sql_arena_fini(a);
        // one chunk of the size that was needed; if it cannot be had now, the next allocation will say so
        if (chunk_add(a, total > KEEP_MAX ? KEEP_MAX : total))
            return;
    }
    a->at = a->chunks->data;
}

void *sql_arena_calloc(struct sql_arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *p = sql_arena_alloc(a, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void *sql_arena_copy(struct sql_arena *a, const void *from, size_t size)
{
    void *p = sql_arena_alloc(a, size);
    if (p && size)
        memcpy(p, from, size);
    return p;
}
