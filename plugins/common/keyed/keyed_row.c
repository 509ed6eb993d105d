// SPDX-License-Identifier: Apache-2.0
// Rows as bytes; see keyed_row.h.
#include "keyed_row.h"

#include <string.h>

static const struct leat_type *child_type(const struct leat_type *t, uint32_t i)
{
    // an ARRAY has one child type, a MAP two in turn, a ROW one per field
    return &t->children[t->kind == LEAT_TYPE_ARRAY ? 0 : t->kind == LEAT_TYPE_MAP ? i % 2 : i];
}

// --- writing

static void put_i128(struct buf *out, leat_i128 v)
{
    leat_u128 folded = (leat_u128)v << 1 ^ (leat_u128)(v >> 127);
    for (; folded >= 0x80; folded >>= 7)
        buf_u8(out, (uint8_t)(folded | 0x80));
    buf_u8(out, (uint8_t)folded);
}

static void put_value(struct buf *out, const struct leat_type *t, const union leat_cell *c);

static void put_list(struct buf *out, const struct leat_type *t, const struct leat_list *list)
{
    buf_uvarint(out, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        buf_u8(out, list->items[i].state);
        if (list->items[i].state == LEAT_VALUE)
            put_value(out, child_type(t, i), &list->items[i].cell);
    }
}

static void put_value(struct buf *out, const struct leat_type *t, const union leat_cell *c)
{
    if (leat_type_is_bytes(t->kind)) {
        buf_uvarint(out, c->bytes.len);
        buf_put(out, c->bytes.ptr, c->bytes.len);
    } else if (leat_type_is_list(t->kind)) {
        put_list(out, t, &c->list);
    } else if (t->kind == LEAT_TYPE_FLOAT) {
        buf_put(out, &c->f32, sizeof c->f32);
    } else if (t->kind == LEAT_TYPE_DOUBLE) {
        buf_put(out, &c->f64, sizeof c->f64);
    } else if (t->kind == LEAT_TYPE_DECIMAL) {
        put_i128(out, c->i128);
    } else {
        buf_varint(out, c->i64);
    }
}

// Room for the states of n columns, all LEAT_VALUE; where it begins.
static size_t put_states(struct buf *out, uint32_t n)
{
    size_t at = out->len;
    buf_fill(out, 0, (n + 3) / 4);
    return at;
}

static void set_state(struct buf *out, size_t at, uint32_t i, uint8_t state)
{
    if (buf_ok(out))
        out->ptr[at + i / 4] |= (uint8_t)((state & 3) << (i % 4 * 2));
}

void keyed_row_encode(struct buf *out, const struct leat_batch *b, uint32_t row, const uint32_t *columns, uint32_t n)
{
    size_t at = put_states(out, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct leat_column *col = &b->columns[columns[i]];
        set_state(out, at, i, col->states[row]);
        if (col->states[row] == LEAT_VALUE)
            put_value(out, &b->schema->columns[columns[i]].type, &col->cells[row]);
    }
}

void keyed_cells_encode(struct buf *out, const struct leat_type *const *types, const union leat_cell *cells,
                        const uint8_t *states, uint32_t n)
{
    size_t at = put_states(out, n);
    for (uint32_t i = 0; i < n; i++) {
        set_state(out, at, i, states[i]);
        if (states[i] == LEAT_VALUE)
            put_value(out, types[i], &cells[i]);
    }
}

// --- reading

struct reader {
    struct cur c;
    void *(*alloc)(void *arg, size_t size);
    void *arg;
    uint8_t copy; // bytes are copied to memory of alloc
    uint8_t no_memory;
};

static void *take(struct reader *r, size_t size)
{
    void *memory = r->alloc(r->arg, size ? size : 1);
    if (!memory) {
        r->no_memory = 1;
        cur_fail(&r->c);
    }
    return memory;
}

static leat_i128 get_i128(struct reader *r)
{
    leat_u128 folded = 0;
    for (unsigned shift = 0; shift < 133; shift += 7) {
        uint8_t byte = cur_u8(&r->c);
        folded |= (leat_u128)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return (leat_i128)(folded >> 1) ^ -(leat_i128)(folded & 1);
    }
    cur_fail(&r->c);
    return 0;
}

static void get_bytes(struct reader *r, union leat_cell *out)
{
    uint64_t len = cur_uvarint(&r->c);
    if (len > cur_left(&r->c) || len > UINT32_MAX)
        cur_fail(&r->c);
    const uint8_t *ptr = cur_ok(&r->c) ? cur_bytes(&r->c, (size_t)len) : NULL;
    if (ptr && r->copy) {
        uint8_t *memory = take(r, (size_t)len);
        if (memory)
            memcpy(memory, ptr, (size_t)len);
        ptr = memory;
    }
    out->bytes.ptr = ptr;
    out->bytes.len = ptr ? (uint32_t)len : 0;
}

static void get_value(struct reader *r, const struct leat_type *t, union leat_cell *out);

static void get_list(struct reader *r, const struct leat_type *t, union leat_cell *out)
{
    uint64_t count = cur_uvarint(&r->c);
    // each element takes a byte at least; a ROW has its fields, a MAP pairs
    if (count > cur_left(&r->c) || (t->kind == LEAT_TYPE_ROW && count != t->child_count) ||
        (t->kind == LEAT_TYPE_MAP && count % 2))
        cur_fail(&r->c);
    struct leat_datum *items = cur_ok(&r->c) ? take(r, (size_t)count * sizeof *items) : NULL;
    out->list.items = items;
    out->list.count = items ? (uint32_t)count : 0;
    for (uint32_t i = 0; i < out->list.count; i++) {
        items[i].state = cur_u8(&r->c) == LEAT_VALUE && cur_ok(&r->c) ? LEAT_VALUE : LEAT_NULL;
        if (items[i].state == LEAT_VALUE)
            get_value(r, child_type(t, i), &items[i].cell);
    }
}

static void get_raw(struct reader *r, void *out, size_t size)
{
    const uint8_t *raw = cur_bytes(&r->c, size);
    if (raw)
        memcpy(out, raw, size);
}

static void get_value(struct reader *r, const struct leat_type *t, union leat_cell *out)
{
    memset(out, 0, sizeof *out);
    if (leat_type_is_bytes(t->kind))
        get_bytes(r, out);
    else if (leat_type_is_list(t->kind))
        get_list(r, t, out);
    else if (t->kind == LEAT_TYPE_FLOAT)
        get_raw(r, &out->f32, sizeof out->f32);
    else if (t->kind == LEAT_TYPE_DOUBLE)
        get_raw(r, &out->f64, sizeof out->f64);
    else if (t->kind == LEAT_TYPE_DECIMAL)
        out->i128 = get_i128(r);
    else
        out->i64 = cur_varint(&r->c);
}

static uint8_t get_state(const uint8_t *states, uint32_t i)
{
    return states[i / 4] >> (i % 4 * 2) & 3;
}

static int all_read(const struct reader *r)
{
    return cur_ok(&r->c) && cur_left(&r->c) == 0;
}

static void *batch_alloc(void *arg, size_t size)
{
    return leat_batch_alloc(arg, size, 16);
}

leat_status keyed_row_decode(struct leat_ctx *ctx, struct leat_bytes bytes, struct leat_batch *b, uint32_t row,
                             const uint32_t *columns, uint32_t n)
{
    struct reader r = {.c = cur_of(bytes.ptr, bytes.len), .alloc = batch_alloc, .arg = b, .copy = 1};
    const uint8_t *states = cur_bytes(&r.c, (n + 3) / 4);
    for (uint32_t i = 0; i < n && cur_ok(&r.c); i++) {
        struct leat_column *col = &b->columns[columns[i]];
        col->states[row] = get_state(states, i);
        if (col->states[row] == LEAT_VALUE)
            get_value(&r, &b->schema->columns[columns[i]].type, &col->cells[row]);
    }
    if (r.no_memory)
        return leat_no_memory(ctx);
    return all_read(&r) ? LEAT_OK : leat_fail(ctx, LEAT_FATAL, "LEAT-K0002", "a row in the saved state is malformed");
}

int keyed_cells_decode(struct leat_bytes bytes, const struct leat_type *const *types, union leat_cell *cells,
                       uint8_t *states, uint32_t n, void *(*alloc)(void *arg, size_t size), void *arg)
{
    struct reader r = {.c = cur_of(bytes.ptr, bytes.len), .alloc = alloc, .arg = arg};
    const uint8_t *packed = cur_bytes(&r.c, (n + 3) / 4);
    for (uint32_t i = 0; i < n && cur_ok(&r.c); i++) {
        states[i] = get_state(packed, i);
        if (states[i] == LEAT_VALUE)
            get_value(&r, types[i], &cells[i]);
    }
    return all_read(&r) ? 0 : -1;
}

// --- parts of keys

int keyed_part_encode(struct buf *out, const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    if (state != LEAT_VALUE)
        return 1;
    union leat_cell plain = *cell;
    if (type->kind == LEAT_TYPE_FLOAT) {
        if (plain.f32 != plain.f32)
            return 1;
        plain.f32 += 0.0f;
    } else if (type->kind == LEAT_TYPE_DOUBLE) {
        if (plain.f64 != plain.f64)
            return 1;
        plain.f64 += 0.0;
    }
    put_value(out, type, &plain);
    return 0;
}

static void *no_lists(void *arg, size_t size)
{
    return NULL;
}

int keyed_part_decode(struct leat_bytes *bytes, const struct leat_type *type, union leat_cell *cell)
{
    struct reader r = {.c = cur_of(bytes->ptr, bytes->len), .alloc = no_lists};
    get_value(&r, type, cell);
    *bytes = (struct leat_bytes){r.c.ptr, (uint32_t)cur_left(&r.c)};
    return cur_ok(&r.c) ? 0 : -1;
}
