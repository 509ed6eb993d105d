// SPDX-License-Identifier: Apache-2.0
// What a lookup remembers: the rows of a key, the least recently used go first.
//
// Key and rows are bytes of the caller's. An entry that is in use stays alive when it is pushed out. Bounded by rows
// (an empty answer counts as one), by bytes always, and by age. Thread: home worker; the caller tells the time.
#ifndef JDBC_CACHE_H
#define JDBC_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define JDBC_CACHE_BYTES (64u << 20)

struct jdbc_entry {
    struct jdbc_entry *newer, *older; // by use
    struct jdbc_entry *next;          // of the same slot
    uint64_t hash;
    int64_t written, used; // monotonic, microseconds
    uint32_t refs;
    uint32_t key_len, rows_len;
    uint32_t row_count;
    uint8_t bytes[]; // key, rows
};

struct jdbc_cache {
    int64_t max_rows;                    // 0 = by bytes alone
    int64_t expire_write, expire_access; // 0 = never
    struct jdbc_entry **slots;
    uint32_t slot_count, count;
    uint64_t rows, size;
    struct jdbc_entry *newest, *oldest;
};

void jdbc_cache_init(struct jdbc_cache *c, int64_t max_rows, int64_t expire_write, int64_t expire_access);
void jdbc_cache_fini(struct jdbc_cache *c);

// The entry of a key with a reference of the caller's, or NULL.
struct jdbc_entry *jdbc_cache_get(struct jdbc_cache *c, const void *key, uint32_t key_len, int64_t now);
void jdbc_entry_unref(struct jdbc_entry *e);

// Remembers; without memory it simply does not.
void jdbc_cache_put(struct jdbc_cache *c, const void *key, uint32_t key_len, const void *rows, uint32_t rows_len,
                    uint32_t row_count, int64_t now);

#endif
