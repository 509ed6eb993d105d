// SPDX-License-Identifier: Apache-2.0
// Bytes on their way in and out: a growable buffer to write into and a cursor to read from.
//
// Both have a sticky failure: after the first append that does not fit, or the first read past the end, every further
// call does nothing (reads give 0 or NULL), so code that builds or parses a message checks once, at its end. A buffer
// never grows beyond `max`. Integers are big-endian, as PostgreSQL, Kafka and Avro want them on the wire.
//
// Thread: any, one at a time per object. A buffer owns its storage; a cursor borrows the bytes it walks over.
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BUF_FULL      1 // an append would have gone beyond max
#define BUF_NO_MEMORY 2

struct buf {
    uint8_t *ptr;   // NULL until the first append
    size_t len;     // bytes written
    size_t cap;     // bytes allocated
    size_t max;     // bound of cap
    uint8_t failed; // 0, BUF_FULL or BUF_NO_MEMORY; cleared by buf_reset only
};

struct cur {
    const uint8_t *ptr; // next byte
    const uint8_t *end;
    uint8_t failed; // 1 after a read past the end or of malformed bytes
};

// Storage is allocated by the first append. max is a bound in bytes, never a reservation.
static inline void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

// Frees the storage; the buffer may be used again and keeps its max.
void buf_fini(struct buf *b);

// Makes room for n more bytes. 0 = there is room, -1 = failed (now or before). Slow path of the functions below.
int buf_grow(struct buf *b, size_t n);

// Forgets content and failure, keeps the storage.
static inline void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = 0;
}

// The same, but gives storage of more than `keep` bytes back.
static inline void buf_trim(struct buf *b, size_t keep)
{
    if (b->cap > keep)
        buf_fini(b);
    buf_reset(b);
}

static inline int buf_ok(const struct buf *b)
{
    return !b->failed;
}

// Room for n bytes, to be filled by the caller and then declared by buf_commit; NULL = failed. Not moving len lets
// printers ask for their longest output.
static inline uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (__builtin_expect(b->failed || b->cap - b->len < n || !b->ptr, 0) && buf_grow(b, n) < 0)
        return NULL;
    return b->ptr + b->len;
}

static inline void buf_commit(struct buf *b, size_t n)
{
    b->len += n;
}

static inline void buf_put(struct buf *b, const void *bytes, size_t n)
{
    uint8_t *at = buf_reserve(b, n);
    if (at && n) {
        memcpy(at, bytes, n);
        b->len += n;
    }
}

static inline void buf_str(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

// The text and its terminating zero byte, as PostgreSQL's messages have it.
static inline void buf_cstr(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text) + 1);
}

static inline void buf_fill(struct buf *b, uint8_t byte, size_t n)
{
    uint8_t *at = buf_reserve(b, n);
    if (at) {
        memset(at, byte, n);
        b->len += n;
    }
}

static inline void buf_u8(struct buf *b, uint8_t v)
{
    uint8_t *at = buf_reserve(b, 1);
    if (at) {
        *at = v;
        b->len += 1;
    }
}

static inline void buf_u16(struct buf *b, uint16_t v)
{
    v = __builtin_bswap16(v);
    buf_put(b, &v, sizeof v);
}

static inline void buf_u32(struct buf *b, uint32_t v)
{
    v = __builtin_bswap32(v);
    buf_put(b, &v, sizeof v);
}

static inline void buf_u64(struct buf *b, uint64_t v)
{
    v = __builtin_bswap64(v);
    buf_put(b, &v, sizeof v);
}

// 7 bits a byte, low bits first, the top bit says that more follow.
static inline void buf_uvarint(struct buf *b, uint64_t v)
{
    uint8_t *at = buf_reserve(b, 10);
    if (!at)
        return;
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        at[n++] = (uint8_t)(v | 0x80);
    at[n++] = (uint8_t)v;
    b->len += n;
}

// Writes over 4 bytes at `at`, which were appended before: a length known only afterwards. Nothing after a failure.
static inline void buf_patch_u32(struct buf *b, size_t at, uint32_t v)
{
    if (b->failed || b->len < 4 || at > b->len - 4)
        return;
    v = __builtin_bswap32(v);
    memcpy(b->ptr + at, &v, sizeof v);
}

static inline struct cur cur_of(const void *bytes, size_t n)
{
    const uint8_t *ptr = bytes;
    return (struct cur){.ptr = ptr, .end = n ? ptr + n : ptr};
}

static inline int cur_ok(const struct cur *c)
{
    return !c->failed;
}

static inline size_t cur_left(const struct cur *c)
{
    return (size_t)(c->end - c->ptr);
}

static inline void cur_fail(struct cur *c)
{
    c->failed = 1;
    c->ptr = c->end;
}

// The next n bytes, borrowed; NULL if there are not so many. (Of an empty cursor over NULL, 0 bytes are NULL too.)
static inline const uint8_t *cur_bytes(struct cur *c, size_t n)
{
    if (__builtin_expect(c->failed || cur_left(c) < n, 0)) {
        cur_fail(c);
        return NULL;
    }
    const uint8_t *at = c->ptr;
    if (n)
        c->ptr += n;
    return at;
}

// A cursor over the next n bytes, which are passed by in c; a failed one if there are not so many.
static inline struct cur cur_sub(struct cur *c, size_t n)
{
    struct cur sub = cur_of(cur_bytes(c, n), c->failed ? 0 : n);
    sub.failed = c->failed;
    return sub;
}

static inline uint8_t cur_u8(struct cur *c)
{
    const uint8_t *at = cur_bytes(c, 1);
    return at ? *at : 0;
}

static inline uint16_t cur_u16(struct cur *c)
{
    uint16_t v = 0;
    const uint8_t *at = cur_bytes(c, sizeof v);
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t cur_u32(struct cur *c)
{
    uint32_t v = 0;
    const uint8_t *at = cur_bytes(c, sizeof v);
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t cur_u64(struct cur *c)
{
    uint64_t v = 0;
    const uint8_t *at = cur_bytes(c, sizeof v);
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

// Text up to a zero byte, which is passed by; *len (may be NULL) is its length without it. NULL = no zero byte there.
const char *cur_cstr(struct cur *c, size_t *len);

// The counterpart of buf_uvarint. More than 64 bits fail.
uint64_t cur_uvarint(struct cur *c);

#endif
