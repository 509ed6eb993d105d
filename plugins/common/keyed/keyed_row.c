// SPDX-License-Identifier: Apache-2.0
// Rows as bytes; see keyed_row.h.
#include "keyed_row.h"

#include <endian.h>
#include <string.h>

// --- numbers: how many bytes there are stands in the first one, so that neither way loops over them

#define NUMBER_MAX 9
#define LONG_FROM  (UINT64_C(1) << 56)

// Writes 8 bytes at least, and says how many of them count.
static inline size_t write_number(uint8_t *at, uint64_t v)
{
    if (v >= LONG_FROM) {
        at[0] = 0;
        v = htole64(v);
        memcpy(at + 1, &v, sizeof v);
        return NUMBER_MAX;
    }
    unsigned n = (64 - (unsigned)__builtin_clzll(v | 1) + 6) / 7;
    uint64_t word = htole64(v << n | UINT64_C(1) << (n - 1));
    memcpy(at, &word, sizeof word);
    return n;
}

static uint64_t read_number(struct cur *c)
{
    uint8_t last[2 * NUMBER_MAX] = {0};
    size_t left = cur_left(c);
    const uint8_t *at = c->ptr;
    if (left < NUMBER_MAX) { // nothing is read beyond the end
        if (left)
            memcpy(last, at, left);
        at = last;
    }
    unsigned n = at[0] ? (unsigned)__builtin_ctz(at[0]) + 1 : NUMBER_MAX;
    uint64_t word;
    memcpy(&word, n == NUMBER_MAX ? at + 1 : at, sizeof word);
    word = le64toh(word);
    if (n > left || (n == NUMBER_MAX && word < LONG_FROM)) {
        cur_fail(c);
        return 0;
    }
    c->ptr += n;
    return n == NUMBER_MAX ? word : word >> n & ((UINT64_C(1) << 7 * n) - 1);
}

static inline uint64_t fold(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t unfold(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

// --- writing

static void put_number(struct buf *out, uint64_t v)
{
    uint8_t *at = buf_reserve(out, NUMBER_MAX);
    if (at)
        buf_commit(out, write_number(at, v));
}

// Twice the folded value; or 1 and the value, where that does not fit.
static void put_i128(struct buf *out, leat_i128 v)
{
    leat_u128 folded = (leat_u128)v << 1 ^ (leat_u128)(v >> 127);
    if (folded < (leat_u128)1 << 63) {
        put_number(out, (uint64_t)folded << 1);
        return;
    }
    uint64_t words[2] = {htole64((uint64_t)folded), htole64((uint64_t)(folded >> 64))};
    put_number(out, 1);
    buf_put(out, words, sizeof words);
}

static void put_bytes(struct buf *out, const struct leat_bytes *bytes)
{
    uint8_t *at = buf_reserve(out, (size_t)bytes->len + NUMBER_MAX);
    if (!at)
        return;
    size_t n = write_number(at, bytes->len);
    if (bytes->len)
        memcpy(at + n, bytes->ptr, bytes->len);
    buf_commit(out, n + bytes->len);
}

static void put_value(struct buf *out, const struct leat_type *t, const union leat_cell *c);

static void put_list(struct buf *out, const struct leat_type *t, const struct leat_list *list)
{
    put_number(out, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        buf_u8(out, list->items[i].state);
        if (list->items[i].state == LEAT_VALUE)
            put_value(out, leat_type_child(t, i), &list->items[i].cell);
    }
}

static void put_value(struct buf *out, const struct leat_type *t, const union leat_cell *c)
{
    switch (t->kind) {
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        put_bytes(out, &c->bytes);
        break;
    case LEAT_TYPE_ARRAY:
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        put_list(out, t, &c->list);
        break;
    case LEAT_TYPE_FLOAT:
        buf_put(out, &c->f32, sizeof c->f32);
        break;
    case LEAT_TYPE_DOUBLE:
        buf_put(out, &c->f64, sizeof c->f64);
        break;
    case LEAT_TYPE_DECIMAL:
        put_i128(out, c->i128);
        break;
    default:
        put_number(out, fold(c->i64));
    }
}

// Room for the states of n columns, all LEAT_VALUE; where it begins.
static size_t put_states(struct buf *out, uint32_t n)
{
    size_t at = out->len;
    buf_fill(out, 0, (n + 3) / 4);
    return at;
}

static inline void set_state(struct buf *out, size_t at, uint32_t i, uint8_t state)
{
    if (state != LEAT_VALUE && buf_ok(out)) // which is 0
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
    uint64_t first = read_number(&r->c), words[2];
    leat_u128 folded = first >> 1;
    if (first & 1) {
        const uint8_t *raw = cur_bytes(&r->c, sizeof words);
        if (!raw)
            return 0;
        memcpy(words, raw, sizeof words);
        folded = (leat_u128)le64toh(words[1]) << 64 | le64toh(words[0]);
    }
    return (leat_i128)(folded >> 1) ^ -(leat_i128)(folded & 1);
}

static void get_bytes(struct reader *r, union leat_cell *out)
{
    uint64_t len = read_number(&r->c);
    if (len > cur_left(&r->c))
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
    uint64_t count = read_number(&r->c);
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
            get_value(r, leat_type_child(t, i), &items[i].cell);
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
    switch (t->kind) {
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        get_bytes(r, out);
        break;
    case LEAT_TYPE_ARRAY:
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        get_list(r, t, out);
        break;
    case LEAT_TYPE_FLOAT:
        get_raw(r, &out->f32, sizeof out->f32);
        break;
    case LEAT_TYPE_DOUBLE:
        get_raw(r, &out->f64, sizeof out->f64);
        break;
    case LEAT_TYPE_DECIMAL:
        out->i128 = get_i128(r);
        break;
    default:
        out->i64 = unfold(read_number(&r->c));
    }
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

// Nine bytes of a number that has no need of them: no value is written so.
static const uint8_t none[NUMBER_MAX];

void keyed_part_none(struct buf *out)
{
    buf_put(out, none, sizeof none);
}

int keyed_part_decode(struct leat_bytes *bytes, const struct leat_type *type, union leat_cell *cell)
{
    struct reader r = {.c = cur_of(bytes->ptr, bytes->len), .alloc = no_lists};
    int is_none = bytes->len >= sizeof none && !memcmp(bytes->ptr, none, sizeof none);
    if (is_none)
        (void)cur_bytes(&r.c, sizeof none);
    else
        get_value(&r, type, cell);
    *bytes = (struct leat_bytes){r.c.ptr, (uint32_t)cur_left(&r.c)};
    return cur_ok(&r.c) ? is_none : -1;
}
