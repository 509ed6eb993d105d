// SPDX-License-Identifier: Apache-2.0
// Bump memory that is freed as a whole: one arena per parsed query, one per evaluator.
//
// Nothing is freed singly. `sql_arena_reset` makes all of it reusable at once and keeps about as much memory as the
// last round needed, so that an evaluator comes to rest without calling malloc per batch.
// Thread: the owner's. Alignment of every block: 16 bytes.
#ifndef SQL_ARENA_H
#define SQL_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct sql_chunk;

struct sql_arena {
    struct sql_chunk *chunks; // newest first
    char *at, *end;           // free part of the newest chunk
    size_t total;             // bytes in all chunks
    size_t limit;             // most bytes it may hold; an allocation beyond fails
};

void sql_arena_init(struct sql_arena *a, size_t limit);
void sql_arena_fini(struct sql_arena *a);
void sql_arena_reset(struct sql_arena *a);

// A block of `size` bytes, which may be 0, not cleared; NULL when memory or the limit is used up.
void *sql_arena_alloc_slow(struct sql_arena *a, size_t size);

static inline void *sql_arena_alloc(struct sql_arena *a, size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;
    if (a->at && need >= size && need <= (size_t)(a->end - a->at)) {
        void *p = a->at;
        a->at += need;
        return p;
    }
    return sql_arena_alloc_slow(a, size);
}

// The same, cleared; NULL also when count * size does not fit.
void *sql_arena_calloc(struct sql_arena *a, size_t count, size_t size);

// A copy of `size` bytes.
void *sql_arena_copy(struct sql_arena *a, const void *from, size_t size);

#endif
