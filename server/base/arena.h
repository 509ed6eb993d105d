// SPDX-License-Identifier: Apache-2.0
// Arena: memory that is given out piece by piece and taken back all at once.
//
// A unit of work (a batch, a configuration, a request) owns one. Memory comes in chunks; base_arena_reset makes all of
// it free again and keeps the chunks for the next round, so that a steady flow allocates nothing. The bound counts the
// chunks, that is what the process really pays. Thread: the owner, one at a time.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct base_arena;

// `chunk` bytes per chunk (0 = 16 KiB), at most `max` bytes in all (0 = no bound but memory). NULL when memory is
// short.
struct base_arena *base_arena_create(size_t chunk, size_t max);
void base_arena_destroy(struct base_arena *arena);

// Memory aligned to 16 that lives until reset. NULL when the bound or memory is reached. Not zeroed.
void *base_arena_alloc(struct base_arena *arena, size_t size);
// The same, zeroed; count * size may not wrap (NULL then).
void *base_arena_calloc(struct base_arena *arena, size_t count, size_t size);
// Packed memory without alignment, for text.
void *base_arena_bytes(struct base_arena *arena, size_t size);
// A terminated copy.
char *base_arena_strndup(struct base_arena *arena, const char *text, size_t len);
char *base_arena_strdup(struct base_arena *arena, const char *text);
char *base_arena_sprintf(struct base_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Everything given out is void. Keeps chunks of ordinary size up to `keep` bytes for reuse, frees the others.
void base_arena_reset(struct base_arena *arena, size_t keep);

// Bytes given out since the last reset; bytes held from the system.
size_t base_arena_used(const struct base_arena *arena);
size_t base_arena_held(const struct base_arena *arena);

#endif
