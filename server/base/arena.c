// SPDX-License-Identifier: Apache-2.0
// Arena of chunks. The chunk in use is the head of `live`; reset moves ordinary chunks to `spare`. See arena.h.
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_DEFAULT ((size_t)16 << 10)
#define ALIGN         16

struct chunk {
    struct chunk *next;
    size_t size; // bytes of data
    _Alignas(ALIGN) unsigned char data[];
};

struct base_arena {
    struct chunk *live;  // head is being filled
    struct chunk *spare; // empty, all of ordinary size
    size_t at;           // bytes given out of the head
    size_t chunk_size, max;
    size_t used, held;
};

struct base_arena *base_arena_create(size_t chunk, size_t max)
{
    struct base_arena *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->chunk_size = chunk ? chunk : CHUNK_DEFAULT;
    a->max = max ? max : SIZE_MAX;
    return a;
}

static void free_chunks(struct base_arena *a, struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;
        a->held -= c->size;
        free(c);
        c = next;
    }
}

void base_arena_destroy(struct base_arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena, arena->live);
    free_chunks(arena, arena->spare);
    free(arena);
}

static struct chunk *new_chunk(struct base_arena *a, size_t size)
{
    if (size > a->max || a->held > a->max - size || size > SIZE_MAX - sizeof(struct chunk) - ALIGN)
        return NULL;
    struct chunk *c = malloc(sizeof *c + size);
    if (!c)
        return NULL;
    c->size = size;
    a->held += size;
    return c;
}

// Memory from a chunk other than the head's rest. A piece larger than a quarter chunk gets a chunk of its own behind
// the head, so that the rest of the head is not wasted.
static void *alloc_slow(struct base_arena *a, size_t size)
{
    struct chunk *c;
    if (size > a->chunk_size / 4) {
        c = new_chunk(a, size);
        if (!c)
            return NULL;
        if (a->live) {
            c->next = a->live->next;
            a->live->next = c;
        } else {
            c->next = NULL;
            a->live = c;
            a->at = size;
        }
        a->used += size;
        return c->data;
    }
    c = a->spare;
    if (c)
        a->spare = c->next;
    else if (!(c = new_chunk(a, a->chunk_size)))
        return NULL;
    c->next = a->live;
    a->live = c;
    a->at = size;
    a->used += size;
    return c->data;
}

static inline void *alloc_at(struct base_arena *a, size_t at, size_t size)
{
    if (!a->live || at > a->live->size || size > a->live->size - at)
        return alloc_slow(a, size);
    a->at = at + size;
    a->used += size;
    return a->live->data + at;
}

void *base_arena_alloc(struct base_arena *arena, size_t size)
{
    return alloc_at(arena, (arena->at + ALIGN - 1) & ~(size_t)(ALIGN - 1), size);
}

void *base_arena_bytes(struct base_arena *arena, size_t size)
{
    return alloc_at(arena, arena->at, size);
}

void *base_arena_calloc(struct base_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *p = base_arena_alloc(arena, total);
    if (p)
        memset(p, 0, total);
    return p;
}

char *base_arena_strndup(struct base_arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = base_arena_bytes(arena, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

char *base_arena_strdup(struct base_arena *arena, const char *text)
{
    return base_arena_strndup(arena, text, strlen(text));
}

char *base_arena_sprintf(struct base_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : base_arena_bytes(arena, (size_t)len + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void base_arena_reset(struct base_arena *arena, size_t keep)
{
    struct chunk *c = arena->live;
    arena->live = NULL;
    while (c) {
        struct chunk *next = c->next;
        if (c->size == arena->chunk_size) {
            c->next = arena->spare;
            arena->spare = c;
        } else {
            c->next = NULL;
            free_chunks(arena, c);
        }
        c = next;
    }
    while (arena->spare && arena->held > keep) {
        c = arena->spare;
        arena->spare = c->next;
        c->next = NULL;
        free_chunks(arena, c);
    }
    arena->at = arena->used = 0;
}

size_t base_arena_used(const struct base_arena *arena)
{
    return arena->used;
}

size_t base_arena_held(const struct base_arena *arena)
{
    return arena->held;
}
