// SPDX-License-Identifier: Apache-2.0
// See rows.h.
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define BYTES_MAX  (1u << 30) // PostgreSQL takes no longer message
#define OP_SIZE    6          // the op field: length and int16
#define TUPLE_HEAD 2          // number of fields
#define TEXT_CUT   200        // a value in a message
#define BYTES_KEPT (8u << 20) // what a buffer of usual rows may need; what larger ones needed is given back

void jdbc_rows_init(struct jdbc_rows *r, const struct jdbc_shape *shape)
{
    *r = (struct jdbc_rows){.shape = shape, .group_size = (shape->count + 7) / 8};
    buf_init(&r->bytes, BYTES_MAX);
    buf_init(&r->merged, BYTES_MAX);
}

void jdbc_rows_fini(struct jdbc_rows *r)
{
    buf_fini(&r->bytes);
    buf_fini(&r->merged);
    free(r->rows);
    free(r->slots);
    free(r->groups);
    r->rows = NULL;
    r->slots = NULL;
    r->groups = NULL;
}

void jdbc_rows_reset(struct jdbc_rows *r)
{
    buf_trim(&r->bytes, BYTES_KEPT);
    buf_trim(&r->merged, BYTES_KEPT);
    r->count = r->live = r->group_count = 0;
    if (r->slots)
        memset(r->slots, 0, r->slot_count * sizeof *r->slots);
}

static uint32_t head_size(const struct jdbc_rows *r)
{
    return r->shape->key_count ? TUPLE_HEAD + OP_SIZE : TUPLE_HEAD;
}

const uint8_t *jdbc_rows_fields(const struct jdbc_rows *r, uint32_t i)
{
    return r->bytes.ptr + r->rows[i].at + head_size(r);
}

void jdbc_rows_put_plain(const struct jdbc_rows *r, uint32_t i, struct buf *out)
{
    const struct jdbc_row *row = &r->rows[i];
    uint32_t len = row->len - OP_SIZE;
    uint16_t count = __builtin_bswap16((uint16_t)r->shape->count);
    uint8_t *to = buf_reserve(out, len);
    if (!to)
        return;
    memcpy(to, r->bytes.ptr + row->at + OP_SIZE, len);
    memcpy(to, &count, TUPLE_HEAD); // over what is left of the op
    buf_commit(out, len);
}

// --- the table of keys

static void place(struct jdbc_rows *r, uint32_t i)
{
    uint32_t mask = r->slot_count - 1, at = (uint32_t)r->rows[i].hash & mask;
    while (r->slots[at])
        at = (at + 1) & mask;
    r->slots[at] = i + 1;
}

static int grow_slots(struct jdbc_rows *r)
{
    uint32_t count = r->slot_count ? r->slot_count * 2 : 512;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return -1;
    free(r->slots);
    r->slots = slots;
    r->slot_count = count;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->rows[i].op != JDBC_OP_DEAD)
            place(r, i);
    return 0;
}

static int make_room(struct jdbc_rows *r)
{
    if (r->count == r->cap) {
        uint32_t cap = r->cap ? r->cap * 2 : 256;
        struct jdbc_row *rows = realloc(r->rows, cap * sizeof *rows);
        if (!rows)
            return -1;
        r->rows = rows;
        r->cap = cap;
    }
    return r->shape->key_count && (r->live + 1) * 2 > r->slot_count ? grow_slots(r) : 0;
}

// The slot of the row with this key, or of nothing.
static uint32_t find(const struct jdbc_rows *r, uint64_t hash, const uint8_t *key, uint32_t len)
{
    uint32_t mask = r->slot_count - 1, at = (uint32_t)hash & mask;
    for (; r->slots[at]; at = (at + 1) & mask) {
        const struct jdbc_row *row = &r->rows[r->slots[at] - 1];
        // tuples end behind their last field, so a key that fills `len` bytes of both is the same key
        if (row->hash == hash && row->len >= head_size(r) + len &&
            memcmp(r->bytes.ptr + row->at + head_size(r), key, len) == 0)
            break;
    }
    return at;
}

// --- groups of unchanged columns

// The number (1 …) of the group with this bitmap; 0 = too many, or no memory.
static uint32_t group_of(struct jdbc_rows *r, const uint8_t *bits)
{
    for (uint32_t g = 0; g < r->group_count; g++)
        if (memcmp(r->groups + (size_t)g * r->group_size, bits, r->group_size) == 0)
            return g + 1;
    if (r->group_count == JDBC_GROUPS_MAX)
        return 0;
    uint8_t *groups = realloc(r->groups, (size_t)(r->group_count + 1) * r->group_size);
    if (!groups)
        return 0;
    r->groups = groups;
    memcpy(groups + (size_t)r->group_count * r->group_size, bits, r->group_size);
    return ++r->group_count;
}

struct unchanged {
    uint8_t bits[(LEAT_COLUMNS_MAX + 7) / 8];
    uint32_t count;
};

// --- adding

static leat_status bad_value(struct leat_ctx *ctx, const struct jdbc_column *c, const char *wrong)
{
    char type[JDBC_TYPE_TEXT];
    jdbc_type_name(&c->field->type, type);
    return leat_fail(ctx, LEAT_DATA, "LEAT-J0202", "the value of column \"%.*s\" (%s) cannot be written: %s",
                     (int)c->field->name.len, (const char *)c->field->name.ptr, type, wrong);
}

static leat_status encode(struct leat_ctx *ctx, struct jdbc_rows *r, const struct leat_batch *b, uint32_t row,
                          uint32_t *key_len, struct unchanged *unchanged)
{
    const struct jdbc_shape *shape = r->shape;
    int deletes = b->kinds[row] == LEAT_DELETE && shape->key_count;
    size_t start = r->bytes.len;
    unchanged->count = 0;
    buf_u16(&r->bytes, (uint16_t)(shape->count + (shape->key_count ? 1 : 0)));
    if (shape->key_count) {
        buf_u32(&r->bytes, 2);
        buf_u16(&r->bytes, (uint16_t)(deletes ? JDBC_OP_DELETE : JDBC_OP_UPSERT));
    }
    size_t keys = r->bytes.len;
    *key_len = 0;
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct jdbc_column *c = &shape->columns[i];
        uint8_t state = b->columns[c->from].states[row];
        if (i == shape->key_count)
            *key_len = (uint32_t)(r->bytes.len - keys);
        if (state == LEAT_VALUE && !(deletes && i >= shape->key_count)) {
            const char *wrong = c->wire->put(&r->bytes, &c->field->type, &b->columns[c->from].cells[row]);
            if (wrong) {
                r->bytes.len = start;
                return bad_value(ctx, c, wrong);
            }
            continue;
        }
        buf_u32(&r->bytes, UINT32_MAX);
        if (state == LEAT_UNCHANGED && !deletes) {
            if (!unchanged->count++)
                memset(unchanged->bits, 0, r->group_size);
            unchanged->bits[i / 8] |= (uint8_t)(1u << (i % 8));
        }
    }
    if (shape->key_count == shape->count)
        *key_len = (uint32_t)(r->bytes.len - keys);
    return LEAT_OK;
}

// Fills what the new tuple (at `start`) leaves unchanged with what the buffered row of its key has.
static void merge(struct jdbc_rows *r, size_t start, const struct jdbc_row *old, struct unchanged *unchanged)
{
    const uint8_t *from = r->bytes.ptr + old->at + head_size(r);
    const uint8_t *to = r->bytes.ptr + start + head_size(r);
    buf_reset(&r->merged);
    buf_put(&r->merged, r->bytes.ptr + start, head_size(r));
    for (uint32_t i = 0; i < r->shape->count; i++) {
        uint32_t from_size = jdbc_field_size(from), to_size = jdbc_field_size(to);
        int take = unchanged->bits[i / 8] >> (i % 8) & 1;
        if (take && !(old->op > 0 && jdbc_group_has(r, (uint32_t)old->op, i))) {
            buf_put(&r->merged, from, from_size);
            unchanged->bits[i / 8] &= (uint8_t) ~(1u << (i % 8));
            unchanged->count--;
        } else {
            buf_put(&r->merged, to, to_size);
        }
        from += from_size;
        to += to_size;
    }
    r->bytes.len = start;
    buf_put(&r->bytes, r->merged.ptr, r->merged.len);
    if (!buf_ok(&r->merged))
        r->bytes.failed = r->merged.failed;
}

static leat_status settle_op(struct leat_ctx *ctx, struct jdbc_rows *r, size_t start, const struct unchanged *unchanged,
                             int16_t *op)
{
    if (!unchanged->count)
        return LEAT_OK;
    uint32_t group = group_of(r, unchanged->bits);
    if (!group)
        return leat_fail(ctx, LEAT_RESOURCE, "LEAT-J0203",
                         "more than %d different sets of unchanged columns wait to be written", JDBC_GROUPS_MAX);
    *op = (int16_t)group;
    r->bytes.ptr[start + TUPLE_HEAD + 4] = (uint8_t)(group >> 8);
    r->bytes.ptr[start + TUPLE_HEAD + 5] = (uint8_t)group;
    return LEAT_OK;
}

static leat_status enter(struct leat_ctx *ctx, struct jdbc_rows *r, size_t start, uint32_t key_len, int16_t op,
                         struct unchanged *unchanged)
{
    uint64_t hash = 0;
    uint32_t slot = 0;
    if (r->shape->key_count) {
        hash = hash_bytes(r->bytes.ptr + start + head_size(r), key_len, 0);
        slot = find(r, hash, r->bytes.ptr + start + head_size(r), key_len);
        const struct jdbc_row *old = r->slots[slot] ? &r->rows[r->slots[slot] - 1] : NULL;
        if (old && unchanged->count && old->op != JDBC_OP_DELETE)
            merge(r, start, old, unchanged);
        leat_status st = buf_ok(&r->bytes) ? settle_op(ctx, r, start, unchanged, &op) : leat_no_memory(ctx);
        if (st < 0)
            return st;
        if (old) {
            r->rows[r->slots[slot] - 1].op = JDBC_OP_DEAD;
            r->live--;
        }
        r->slots[slot] = r->count + 1;
    }
    r->rows[r->count++] = (struct jdbc_row){
        .hash = hash, .at = (uint32_t)start, .len = (uint32_t)(r->bytes.len - start), .op = op, .later = JDBC_OP_DEAD};
    r->live++;
    return LEAT_OK;
}

leat_status jdbc_rows_add(struct leat_ctx *ctx, struct jdbc_rows *r, const struct leat_batch *b, uint32_t row)
{
    if (b->kinds[row] == LEAT_UPDATE_BEFORE)
        return LEAT_OK; // its +U says all
    struct unchanged unchanged;
    uint32_t key_len = 0;
    size_t start = r->bytes.len;
    int16_t op = b->kinds[row] == LEAT_DELETE ? JDBC_OP_DELETE : JDBC_OP_UPSERT;
    if (!r->count)
        r->since = ctx->host->monotonic(ctx);
    if (make_room(r) < 0)
        return leat_no_memory(ctx);
    leat_status st = encode(ctx, r, b, row, &key_len, &unchanged);
    if (st == LEAT_OK)
        st = buf_ok(&r->bytes) ? enter(ctx, r, start, key_len, op, &unchanged) : leat_no_memory(ctx);
    if (st < 0) {
        r->bytes.len = start;
        r->bytes.failed = 0;
    }
    return st;
}

// --- for people

void jdbc_rows_print(const struct jdbc_rows *r, uint32_t i, int only_key, struct buf *out)
{
    const uint8_t *at = jdbc_rows_fields(r, i);
    uint32_t n = only_key && r->shape->key_count ? r->shape->key_count : r->shape->count;
    for (uint32_t c = 0; c < n; c++) {
        const struct jdbc_column *col = &r->shape->columns[c];
        uint32_t size = jdbc_field_size(at);
        buf_str(out, c ? ", " : "");
        buf_put(out, col->field->name.ptr, col->field->name.len);
        buf_u8(out, '=');
        uint32_t raw;
        memcpy(&raw, at, 4);
        size_t before = out->len;
        if (raw == UINT32_MAX)
            buf_str(out, r->rows[i].op > 0 && jdbc_group_has(r, (uint32_t)r->rows[i].op, c) ? "(unchanged)" : "NULL");
        else
            jdbc_wire_print(col->wire, &col->field->type, at + 4, size - 4, out);
        if (only_key && out->len > before + TEXT_CUT) {
            out->len = before + TEXT_CUT;
            while (out->len > before && (out->ptr[out->len] & 0xc0) == 0x80) // not within a character
                out->len--;
            buf_str(out, "…");
        }
        at += size;
    }
}
