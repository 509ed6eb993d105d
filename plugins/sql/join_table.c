// SPDX-License-Identifier: Apache-2.0
// The tables of a join: chained hash indexes over single blocks of memory; see join_int.h.
#include "join_int.h"

#include <string.h>

#include "hash.h"

#define INDEX_MIN 64u

uint32_t join_hash(const struct sql_joiner *j, const void *bytes, size_t len)
{
    return (uint32_t)hash_bytes(bytes, len, j->seed);
}

struct leat_bytes join_row_key(const struct join_table *t, const struct join_row *row)
{
    if (t->side->key_is_unique)
        return (struct leat_bytes){row->bytes, row->unique_len};
    return (struct leat_bytes){row->bytes, row->key_len == JOIN_NO_KEY ? 0 : row->key_len};
}

static const uint8_t *unique_of(const struct join_table *t, const struct join_row *row)
{
    return row->bytes + (t->side->key_is_unique || row->key_len == JOIN_NO_KEY ? 0 : row->key_len);
}

struct leat_bytes join_row_unique(const struct join_table *t, const struct join_row *row)
{
    return (struct leat_bytes){unique_of(t, row), row->unique_len};
}

struct leat_bytes join_row_content(const struct join_table *t, const struct join_row *row)
{
    return (struct leat_bytes){unique_of(t, row) + row->unique_len, row->row_len};
}

static int equal(struct leat_bytes a, const void *b, size_t len)
{
    return a.len == len && !memcmp(a.ptr, b, len);
}

// --- finding ---

static struct join_row *find_unique(const struct join_table *t, uint32_t hash, const void *unique, size_t len)
{
    const struct join_index *x = &t->by_unique;
    struct join_row *r = x->heads ? x->heads[hash & x->mask] : NULL;
    while (r && !(r->unique_hash == hash && equal(join_row_unique(t, r), unique, len)))
        r = r->next_unique;
    return r;
}

struct join_row *join_find_unique(const struct sql_joiner *j, uint32_t side, const struct row_buf *unique)
{
    return find_unique(&j->tables[side], join_hash(j, unique->ptr, unique->len), unique->ptr, unique->len);
}

struct join_row *join_first(const struct sql_joiner *j, uint32_t side, const struct row_buf *key)
{
    const struct join_table *t = &j->tables[side];
    uint32_t hash = join_hash(j, key->ptr, key->len);
    if (t->side->key_is_unique)
        return find_unique(t, hash, key->ptr, key->len);
    struct join_row *r = t->by_key.heads ? t->by_key.heads[hash & t->by_key.mask] : NULL;
    while (r && !(r->key_hash == hash && equal(join_row_key(t, r), key->ptr, key->len)))
        r = r->next_key;
    return r;
}

struct join_row *join_next(const struct join_table *t, const struct join_row *row)
{
    if (t->side->key_is_unique)
        return NULL;
    struct leat_bytes key = join_row_key(t, row);
    struct join_row *r = row->next_key;
    while (r && !(r->key_hash == row->key_hash && equal(join_row_key(t, r), key.ptr, key.len)))
        r = r->next_key;
    return r;
}

struct join_row *join_find_content(const struct sql_joiner *j, uint32_t side, const struct row_buf *key,
                                   const struct row_buf *encoded)
{
    const struct join_table *t = &j->tables[side];
    struct join_row *r = join_first(j, side, key);
    while (r && !equal(join_row_content(t, r), encoded->ptr, encoded->len))
        r = join_next(t, r);
    return r;
}

// --- changing ---

static struct join_row **link_of(struct join_row *r, int unique)
{
    return unique ? &r->next_unique : &r->next_key;
}

static void append(struct join_index *x, struct join_row *r, int unique)
{
    uint32_t at = (unique ? r->unique_hash : r->key_hash) & x->mask;
    *link_of(r, unique) = NULL;
    *(x->heads[at] ? link_of(x->tails[at], unique) : &x->heads[at]) = r;
    x->tails[at] = r;
}

// Doubles the index when it has as many rows as chains. A failure leaves it as it is: slower, not wrong.
static int grow(struct leat_ctx *ctx, struct join_index *x, int unique)
{
    if (x->heads && x->count <= x->mask)
        return 0;
    uint32_t size = x->heads ? (x->mask + 1) * 2 : INDEX_MIN;
    struct join_row **heads = size ? ctx->host->alloc(ctx, 2 * (size_t)size * sizeof(struct join_row *)) : NULL;
    if (!heads)
        return x->heads ? 0 : -1;
    memset(heads, 0, size * sizeof(struct join_row *));
    struct join_index larger = {heads, heads + size, size - 1, x->count};
    for (uint32_t i = 0; x->heads && i <= x->mask; i++)
        for (struct join_row *r = x->heads[i], *next; r; r = next) {
            next = *link_of(r, unique);
            append(&larger, r, unique);
        }
    ctx->host->free(ctx, x->heads);
    *x = larger;
    return 0;
}

static void link_row(struct join_index *x, struct join_row *r, int unique)
{
    append(x, r, unique);
    x->count++;
}

static void unlink_row(struct join_index *x, struct join_row *row, int unique)
{
    uint32_t chain = (unique ? row->unique_hash : row->key_hash) & x->mask;
    struct join_row *before = NULL;
    struct join_row **at = &x->heads[chain];
    while (*at != row) {
        before = *at;
        at = link_of(*at, unique);
    }
    *at = *link_of(row, unique);
    if (x->tails[chain] == row)
        x->tails[chain] = before;
    x->count--;
}

static void count(struct sql_joiner *j, struct join_table *t, const struct join_row *r, int64_t sign)
{
    int64_t bytes = (int64_t)(sizeof *r + r->unique_len + r->row_len + (r->key_len == JOIN_NO_KEY ? 0 : r->key_len));
    t->rows += (uint64_t)sign;
    t->bytes += (uint64_t)(sign * bytes);
    if (!j->metric_rows)
        return;
    __atomic_fetch_add(j->metric_rows, sign, __ATOMIC_RELAXED);
    __atomic_fetch_add(j->metric_bytes, sign * bytes, __ATOMIC_RELAXED);
}

int join_add(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, const struct row_buf *key,
             const struct row_buf *unique, const struct row_buf *encoded)
{
    struct join_table *t = &j->tables[side];
    int own_key = key && !t->side->key_is_unique;
    size_t key_len = own_key ? key->len : 0, unique_len = t->side->unique_count ? unique->len : 0;
    struct join_row *r = ctx->host->alloc(ctx, sizeof *r + key_len + unique_len + encoded->len);
    if (!r)
        return -1;
    r->key_len = own_key ? (uint32_t)key_len : JOIN_NO_KEY;
    r->unique_len = (uint32_t)unique_len;
    r->row_len = (uint32_t)encoded->len;
    r->next_key = r->next_unique = NULL;
    r->key_hash = r->unique_hash = 0;
    if (own_key) {
        memcpy(r->bytes, key->ptr, key_len);
        r->key_hash = join_hash(j, key->ptr, key_len);
    }
    if (unique_len) {
        memcpy(r->bytes + key_len, unique->ptr, unique_len);
        r->unique_hash = join_hash(j, unique->ptr, unique_len);
    }
    memcpy(r->bytes + key_len + unique_len, encoded->ptr, encoded->len);
    if ((own_key && grow(ctx, &t->by_key, 0)) || (t->side->unique_count && grow(ctx, &t->by_unique, 1))) {
        ctx->host->free(ctx, r);
        return -1;
    }
    if (own_key)
        link_row(&t->by_key, r, 0);
    if (t->side->unique_count)
        link_row(&t->by_unique, r, 1);
    count(j, t, r, 1);
    join_log_put(j, side, r);
    return 0;
}

static void drop_row(struct leat_ctx *ctx, struct sql_joiner *j, struct join_table *t, struct join_row *row)
{
    count(j, t, row, -1);
    ctx->host->free(ctx, row);
}

void join_remove(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, struct join_row *row)
{
    struct join_table *t = &j->tables[side];
    join_log_remove(j, side, row);
    if (row->key_len != JOIN_NO_KEY)
        unlink_row(&t->by_key, row, 0);
    if (t->side->unique_count)
        unlink_row(&t->by_unique, row, 1);
    drop_row(ctx, j, t, row);
}

void join_clear(struct leat_ctx *ctx, struct sql_joiner *j)
{
    for (uint32_t s = 0; s < 2; s++) {
        struct join_table *t = &j->tables[s];
        int unique = t->side && t->side->unique_count > 0;
        struct join_index *x = unique ? &t->by_unique : &t->by_key;
        for (uint32_t i = 0; x->heads && i <= x->mask; i++)
            for (struct join_row *r = x->heads[i], *next; r; r = next) {
                next = *link_of(r, unique);
                drop_row(ctx, j, t, r);
            }
        ctx->host->free(ctx, t->by_key.heads);
        ctx->host->free(ctx, t->by_unique.heads);
        t->by_key = t->by_unique = (struct join_index){0};
    }
}

static void *list_alloc(void *arg, size_t size)
{
    return sql_arena_alloc(arg, size);
}

int join_decode(struct sql_joiner *j, uint32_t side, const struct join_row *row, struct join_values *to,
                struct sql_arena *lists)
{
    const struct join_table *t = &j->tables[side];
    return row_decode(join_row_content(t, row), t->types, to->cells, to->states, t->side->stored_count, list_alloc,
                      lists);
}
