// SPDX-License-Identifier: Apache-2.0
// The join's part of a checkpoint: whole images and deltas.
//
// A piece is a sequence of entries, each: a byte (1 = put, 2 = remove; + 16 for the second side), then byte strings
// with their length as varint in front. put: join key (length + 1; 0 = none), primary key, row. remove: primary key
// where the side has one, else join key and row. A full piece has puts only. Version 1.
#include "join_int.h"

#include <string.h>

enum { ENTRY_PUT = 1, ENTRY_REMOVE = 2, ENTRY_SIDE = 16 };

static void put_bytes(struct row_buf *b, struct leat_bytes s)
{
    row_buf_varint(b, s.len);
    row_buf_put(b, s.ptr, s.len);
}

static void put_key(struct row_buf *b, const struct join_table *t, const struct join_row *row)
{
    int none = row->key_len == JOIN_NO_KEY; // also where the primary key is the join key
    struct leat_bytes key = join_row_key(t, row);
    row_buf_varint(b, none ? 0 : (uint64_t)key.len + 1);
    if (!none)
        row_buf_put(b, key.ptr, key.len);
}

static void encode_put(struct row_buf *b, const struct join_table *t, uint32_t side, const struct join_row *row)
{
    uint8_t op = (uint8_t)(ENTRY_PUT + (side ? ENTRY_SIDE : 0));
    row_buf_put(b, &op, 1);
    put_key(b, t, row);
    put_bytes(b, join_row_unique(t, row));
    put_bytes(b, join_row_content(t, row));
}

// A delta that has grown beyond its bound is given up: the next piece is a whole image.
static int may_log(struct sql_joiner *j)
{
    if (j->delta_lost)
        return 0;
    if (j->delta.len <= JOIN_DELTA_MAX && !j->delta.failed)
        return 1;
    j->delta_lost = 1;
    row_buf_fini(&j->delta);
    return 0;
}

void join_log_put(struct sql_joiner *j, uint32_t side, const struct join_row *row)
{
    if (may_log(j))
        encode_put(&j->delta, &j->tables[side], side, row);
}

void join_log_remove(struct sql_joiner *j, uint32_t side, const struct join_row *row)
{
    const struct join_table *t = &j->tables[side];
    if (!may_log(j))
        return;
    uint8_t op = (uint8_t)(ENTRY_REMOVE + (side ? ENTRY_SIDE : 0));
    row_buf_put(&j->delta, &op, 1);
    if (t->side->unique_count) {
        put_bytes(&j->delta, join_row_unique(t, row));
    } else {
        put_key(&j->delta, t, row);
        put_bytes(&j->delta, join_row_content(t, row));
    }
}

// --- saving ---

static leat_status write_out(struct leat_ctx *ctx, struct leat_state_out *out, struct row_buf *b)
{
    if (b->failed)
        return leat_no_memory(ctx);
    leat_status st = b->len ? ctx->host->state_write(ctx, out, b->ptr, b->len) : LEAT_OK;
    b->len = 0;
    return st;
}

static leat_status save_full(struct leat_ctx *ctx, struct sql_joiner *j, struct leat_state_out *out)
{
    struct row_buf b = {0};
    leat_status st = LEAT_OK;
    for (uint32_t s = 0; s < 2 && st == LEAT_OK; s++) {
        const struct join_table *t = &j->tables[s];
        int unique = t->side->unique_count > 0;
        const struct join_index *x = unique ? &t->by_unique : &t->by_key;
        for (uint32_t i = 0; x->heads && i <= x->mask && st == LEAT_OK; i++) {
            for (const struct join_row *r = x->heads[i]; r; r = unique ? r->next_unique : r->next_key)
                encode_put(&b, t, s, r);
            if (b.len >= 1u << 16 || b.failed)
                st = write_out(ctx, out, &b);
        }
    }
    if (st == LEAT_OK)
        st = write_out(ctx, out, &b);
    row_buf_fini(&b);
    return st;
}

leat_status sql_joiner_save(struct leat_ctx *ctx, struct sql_exec *x, struct leat_state_out *out)
{
    struct sql_joiner *j = x->joiner;
    out->version = JOIN_STATE_VERSION;
    int delta = out->kind == LEAT_STATE_DELTA && may_log(j) && !j->delta.failed;
    leat_status st;
    if (delta) {
        st = write_out(ctx, out, &j->delta);
    } else {
        out->kind = LEAT_STATE_FULL;
        st = save_full(ctx, j, out);
    }
    if (st != LEAT_OK) {
        j->delta_lost = 1; // whatever was written does not count: say everything next time
        row_buf_fini(&j->delta);
        return st;
    }
    j->delta.len = 0;
    j->delta_lost = 0;
    if (j->delta.room > 1u << 20)
        row_buf_fini(&j->delta);
    return LEAT_OK;
}

// --- loading ---

static struct row_buf view(struct leat_bytes s)
{
    // a buffer that is only read; its memory is the piece's
    return (struct row_buf){.ptr = (uint8_t *)(uintptr_t)s.ptr, .len = s.len};
}

static int load_put(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, struct row_cursor *c)
{
    uint64_t key_len = row_varint(c);
    struct row_buf key = view(row_bytes(c, key_len ? key_len - 1 : 0));
    struct row_buf unique = view(row_bytes(c, row_varint(c)));
    struct row_buf row = view(row_bytes(c, row_varint(c)));
    const struct join_table *t = &j->tables[side];
    if (c->failed || (t->side->unique_count && !unique.len))
        return -1;
    struct join_row *old = t->side->unique_count ? join_find_unique(j, side, &unique) : NULL;
    if (old)
        join_remove(ctx, j, side, old);
    return join_add(ctx, j, side, key_len || t->side->key_is_unique ? &key : NULL, &unique, &row);
}

static int load_remove(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, struct row_cursor *c)
{
    struct join_row *old;
    if (j->tables[side].side->unique_count) {
        struct row_buf unique = view(row_bytes(c, row_varint(c)));
        old = c->failed ? NULL : join_find_unique(j, side, &unique);
    } else {
        uint64_t key_len = row_varint(c);
        struct row_buf key = view(row_bytes(c, key_len ? key_len - 1 : 0));
        struct row_buf row = view(row_bytes(c, row_varint(c)));
        old = c->failed ? NULL : join_find_content(j, side, &key, &row);
    }
    if (old)
        join_remove(ctx, j, side, old);
    return c->failed ? -1 : 0;
}

// Content that does not decode would break the join later, far from here: it is looked at once.
static int check_rows(struct sql_joiner *j)
{
    for (uint32_t s = 0; s < 2; s++) {
        const struct join_table *t = &j->tables[s];
        int unique = t->side->unique_count > 0;
        const struct join_index *x = unique ? &t->by_unique : &t->by_key;
        for (uint32_t i = 0; x->heads && i <= x->mask; i++)
            for (const struct join_row *r = x->heads[i]; r; r = unique ? r->next_unique : r->next_key) {
                if (join_decode(j, s, r, &j->match, &j->match_lists))
                    return -1;
                sql_arena_reset(&j->match_lists);
            }
    }
    return 0;
}

leat_status sql_joiner_load(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_state_in *in)
{
    struct sql_joiner *j = x->joiner;
    if (in->version != JOIN_STATE_VERSION)
        return leat_fail(ctx, LEAT_FATAL, SQL_CODE_STATE, "the state of the join has version %u, known is %u",
                         in->version, JOIN_STATE_VERSION);
    struct row_cursor c = {in->ptr, in->ptr + in->len, 0};
    int st = 0;
    while (c.at < c.end && !st) {
        uint8_t op = *c.at++;
        uint32_t side = op & ENTRY_SIDE ? 1 : 0;
        op = (uint8_t)(op & ~ENTRY_SIDE);
        st = op == ENTRY_PUT ? load_put(ctx, j, side, &c) : op == ENTRY_REMOVE ? load_remove(ctx, j, side, &c) : -1;
    }
    if (st || c.failed || (in->kind == LEAT_STATE_FULL && check_rows(j)))
        return leat_fail(ctx, LEAT_FATAL, SQL_CODE_STATE, "the state of the join cannot be read");
    // what was loaded is in the checkpoint already
    row_buf_fini(&j->delta);
    j->delta_lost = 0;
    return LEAT_OK;
}
