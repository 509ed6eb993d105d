// SPDX-License-Identifier: Apache-2.0
// The slow paths of buffer and cursor: growth, and reads whose length only the bytes themselves tell.
#include "buf.h"

#include <stdlib.h>

#define FIRST_SIZE 256

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){.max = b->max};
}

int buf_grow(struct buf *b, size_t n)
{
    if (b->failed)
        return -1;
    if (n > b->max || b->len > b->max - n) {
        b->failed = BUF_FULL;
        return -1;
    }
    size_t need = b->len + n;
    if (b->ptr && need <= b->cap)
        return 0;
    size_t cap = b->cap < FIRST_SIZE ? FIRST_SIZE : b->cap;
    while (cap < need)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    // a reservation of 0 bytes in a buffer with max 0 still needs a pointer that is not NULL
    uint8_t *ptr = realloc(b->ptr, cap ? cap : 1);
    if (!ptr) {
        b->failed = BUF_NO_MEMORY;
        return -1;
    }
    b->ptr = ptr;
    b->cap = cap;
    return 0;
}

const char *cur_cstr(struct cur *c, size_t *len)
{
    const uint8_t *at = c->ptr;
    const uint8_t *zero = c->failed || at == c->end ? NULL : memchr(at, 0, cur_left(c));
    if (!zero) {
        cur_fail(c);
        if (len)
            *len = 0;
        return NULL;
    }
    c->ptr = zero + 1;
    if (len)
        *len = (size_t)(zero - at);
    return (const char *)at;
}

uint64_t cur_uvarint(struct cur *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cur_u8(c);
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    cur_fail(c);
    return 0;
}
