// SPDX-License-Identifier: Apache-2.0
// Rows as bytes; see rowcodec.h.
#include "rowcodec.h"

#include <stdlib.h>
#include <string.h>

void row_buf_fini(struct row_buf *b)
{
    free(b->ptr);
    memset(b, 0, sizeof *b);
}

void row_buf_put(struct row_buf *b, const void *ptr, size_t len)
{
    if (b->len + len > b->room && !b->failed) {
        size_t room = b->room ? b->room * 2 : 256;
        while (room < b->len + len)
            room *= 2;
        uint8_t *bigger = realloc(b->ptr, room);
        if (bigger) {
            b->ptr = bigger;
            b->room = room;
        } else {
            b->failed = 1;
        }
    }
    if (b->failed || !len)
        return;
    memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
}

void row_buf_varint(struct row_buf *b, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    row_buf_put(b, bytes, n);
}

static void put_zigzag(struct row_buf *b, int64_t v)
{
    row_buf_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void put_zigzag128(struct row_buf *b, leat_i128 v)
{
    leat_u128 z = ((leat_u128)v << 1) ^ (leat_u128)(v >> 127);
    uint8_t bytes[19];
    size_t n = 0;
    for (; z >= 0x80; z >>= 7)
        bytes[n++] = (uint8_t)((uint8_t)z | 0x80);
    bytes[n++] = (uint8_t)z;
    row_buf_put(b, bytes, n);
}

uint64_t row_varint(struct row_cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (c->at == c->end)
            break;
        uint8_t byte = *c->at++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return v;
    }
    c->failed = 1;
    return 0;
}

static int64_t get_zigzag(struct row_cursor *c)
{
    uint64_t z = row_varint(c);
    return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

static leat_i128 get_zigzag128(struct row_cursor *c)
{
    leat_u128 z = 0;
    for (unsigned shift = 0; shift < 133 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        z |= (leat_u128)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return (leat_i128)(z >> 1) ^ -(leat_i128)(z & 1);
    }
    c->failed = 1;
    return 0;
}

struct leat_bytes row_bytes(struct row_cursor *c, uint64_t len)
{
    struct leat_bytes b = {c->at, (uint32_t)len};
    if (len > (uint64_t)(c->end - c->at) || len > UINT32_MAX) {
        c->failed = 1;
        return (struct leat_bytes){c->at, 0};
    }
    c->at += len;
    return b;
}

// --- values ---

static const struct leat_type *item_type(const struct leat_type *t, uint32_t i)
{
    return &t->children[t->kind == LEAT_TYPE_ARRAY ? 0 : t->kind == LEAT_TYPE_MAP ? i & 1 : i];
}

static void put_value(struct row_buf *b, const struct leat_type *t, const union leat_cell *c)
{
    if (leat_type_is_bytes(t->kind)) {
        row_buf_varint(b, c->bytes.len);
        row_buf_put(b, c->bytes.ptr, c->bytes.len);
    } else if (leat_type_is_list(t->kind)) {
        row_buf_varint(b, c->list.count);
        for (uint32_t i = 0; i < c->list.count; i++) {
            uint8_t state = c->list.items[i].state == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
            row_buf_put(b, &state, 1);
            if (state == LEAT_VALUE)
                put_value(b, item_type(t, i), &c->list.items[i].cell);
        }
    } else if (t->kind == LEAT_TYPE_FLOAT) {
        row_buf_put(b, &c->f32, sizeof c->f32);
    } else if (t->kind == LEAT_TYPE_DOUBLE) {
        row_buf_put(b, &c->f64, sizeof c->f64);
    } else if (t->kind == LEAT_TYPE_DECIMAL) {
        put_zigzag128(b, c->i128);
    } else {
        put_zigzag(b, c->i64);
    }
}

void row_encode(struct row_buf *b, const struct leat_type *const *types, const union leat_cell *cells,
                const uint8_t *states, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 8) {
        uint8_t bits = 0;
        for (uint32_t k = i; k < count && k < i + 8; k++)
            bits = (uint8_t)(bits | (states[k] == LEAT_VALUE) << (k - i));
        row_buf_put(b, &bits, 1);
    }
    for (uint32_t i = 0; i < count; i++)
        if (states[i] == LEAT_VALUE)
            put_value(b, types[i], &cells[i]);
}

struct decoder {
    struct row_cursor c;
    void *(*alloc)(void *arg, size_t size);
    void *arg;
};

static void get_value(struct decoder *d, const struct leat_type *t, union leat_cell *c);

static void get_list(struct decoder *d, const struct leat_type *t, union leat_cell *c)
{
    uint64_t count = row_varint(&d->c);
    if (count > (uint64_t)(d->c.end - d->c.at) || (t->kind == LEAT_TYPE_ROW && count > t->child_count)) {
        d->c.failed = 1; // each item takes a byte at least
        return;
    }
    struct leat_datum *items = d->alloc(d->arg, (count + 1) * sizeof *items);
    if (!items) {
        d->c.failed = 1;
        return;
    }
    c->list.items = items;
    c->list.count = (uint32_t)count;
    for (uint32_t i = 0; i < count && !d->c.failed; i++) {
        struct leat_bytes state = row_bytes(&d->c, 1);
        items[i].state = d->c.failed || *state.ptr != LEAT_VALUE ? LEAT_NULL : LEAT_VALUE;
        if (items[i].state == LEAT_VALUE)
            get_value(d, item_type(t, i), &items[i].cell);
    }
}

static void get_value(struct decoder *d, const struct leat_type *t, union leat_cell *c)
{
    if (leat_type_is_bytes(t->kind)) {
        c->bytes = row_bytes(&d->c, row_varint(&d->c));
    } else if (leat_type_is_list(t->kind)) {
        get_list(d, t, c);
    } else if (t->kind == LEAT_TYPE_FLOAT || t->kind == LEAT_TYPE_DOUBLE) {
        size_t size = t->kind == LEAT_TYPE_FLOAT ? sizeof c->f32 : sizeof c->f64;
        struct leat_bytes raw = row_bytes(&d->c, size);
        if (!d->c.failed)
            memcpy(c, raw.ptr, size);
    } else if (t->kind == LEAT_TYPE_DECIMAL) {
        c->i128 = get_zigzag128(&d->c);
    } else {
        c->i64 = get_zigzag(&d->c);
    }
}

int row_decode(struct leat_bytes row, const struct leat_type *const *types, union leat_cell *cells, uint8_t *states,
               uint32_t count, void *(*alloc)(void *arg, size_t size), void *arg)
{
    struct decoder d = {{row.ptr, row.ptr + row.len, 0}, alloc, arg};
    struct leat_bytes bits = row_bytes(&d.c, (count + 7) / 8);
    if (d.c.failed)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        states[i] = bits.ptr[i / 8] >> (i % 8) & 1 ? LEAT_VALUE : LEAT_NULL;
        if (states[i] == LEAT_VALUE)
            get_value(&d, types[i], &cells[i]);
    }
    return d.c.failed || d.c.at != d.c.end ? -1 : 0;
}

int row_encode_key(struct row_buf *b, const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    if (state != LEAT_VALUE)
        return 1;
    if (type->kind == LEAT_TYPE_FLOAT || type->kind == LEAT_TYPE_DOUBLE) {
        double v = type->kind == LEAT_TYPE_FLOAT ? (double)cell->f32 : cell->f64;
        if (v != v)
            return 1;
        v += 0.0; // -0.0 equals 0.0
        row_buf_put(b, &v, sizeof v);
        return 0;
    }
    put_value(b, type, cell);
    return 0;
}
