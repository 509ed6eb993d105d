// SPDX-License-Identifier: Apache-2.0
// Arena of chunks. The head is the one in use. See arena.h.
#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
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
    struct chunk *head; // is being filled
    size_t at;          // bytes given out of it
    size_t chunk_size, max;
    size_t held; // bytes of all chunks
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

void base_arena_destroy(struct base_arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        free(c);
    }
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
    bool is_large = size > a->chunk_size / 4;
    struct chunk *c = new_chunk(a, is_large ? size : a->chunk_size);
    if (!c)
        return NULL;
    if (is_large && a->head) {
        c->next = a->head->next;
        a->head->next = c;
    } else {
        c->next = a->head;
        a->head = c;
        a->at = size;
    }
    return c->data;
}

static inline void *alloc_at(struct base_arena *a, size_t at, size_t size)
{
    if (!a->head || at > a->head->size || size > a->head->size - at)
        return alloc_slow(a, size);
    a->at = at + size;
    return a->head->data + at;
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
