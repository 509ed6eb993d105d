// SPDX-License-Identifier: Apache-2.0
// Arena: memory that is given out piece by piece and taken back all at once.
//
// A unit of work (a configuration, a plan, a job) owns one. Memory comes in chunks. The bound counts the chunks, that is
// what the process really pays. Thread: the owner, one at a time.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct base_arena;

// `chunk` bytes per chunk (0 = 16 KiB), at most `max` bytes in all (0 = no bound but memory). NULL when memory is
// short.
struct base_arena *base_arena_create(size_t chunk, size_t max);
void base_arena_destroy(struct base_arena *arena);

// Memory aligned to 16 that lives as long as the arena. NULL when the bound or memory is reached. Not zeroed.
void *base_arena_alloc(struct base_arena *arena, size_t size);
// The same, zeroed; count * size may not wrap (NULL then).
void *base_arena_calloc(struct base_arena *arena, size_t count, size_t size);
// Packed memory without alignment, for text.
void *base_arena_bytes(struct base_arena *arena, size_t size);
// A terminated copy.
char *base_arena_strndup(struct base_arena *arena, const char *text, size_t len);
char *base_arena_strdup(struct base_arena *arena, const char *text);
char *base_arena_sprintf(struct base_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
