// SPDX-License-Identifier: Apache-2.0
// Batches: memory in chunks, references counted atomically, batches kept alive and memory attached released at the end.
// Every allocation is one malloc, so that the address sanitizer sees reads past the end of a string.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testhost_int.h"

struct attached {
    void (*release)(void *arg);
    void *arg;
    struct attached *next;
};

struct batch {
    struct leat_batch b;
    struct testhost *host;
    atomic_int refs;
    struct thost_memory *chunks;
    struct attached *attached;
};

static struct batch *of(const struct leat_batch *b)
{
    union {
        const struct leat_batch *in;
        struct batch *out;
    } u = {.in = b};
    return u.out;
}

static void *batch_memory(struct batch *b, size_t size, size_t align)
{
    size_t head = (sizeof(struct thost_memory) + 15) & ~(size_t)15;
    struct thost_memory *m = thost_alloc_fails(b->host) ? NULL : malloc(head + (size ? size : 1));
    if (!m)
        return NULL;
    m->next = b->chunks;
    b->chunks = m;
    b->b.arena_bytes += (uint32_t)size;
    return (uint8_t *)m + head;
}

void *thost_batch_grow(struct leat_batch *b, size_t size, size_t align)
{
    return batch_memory(of(b), size, align);
}

static leat_usec wall(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int own_columns(struct batch *b)
{
    for (uint32_t i = 0; i < b->b.column_count; i++)
        if (!leat_batch_own_column(&b->b, i))
            return 0;
    return 1;
}

struct leat_batch *thost_batch_create(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                      uint8_t bare)
{
    struct testhost *h = thost_node_of(ctx)->host;
    if (capacity < 1 || capacity > LEAT_BATCH_ROWS_MAX) {
        fprintf(stderr, "testhost: batch_create with capacity %u\n", capacity);
        abort();
    }
    struct batch *b = thost_alloc_fails(h) ? NULL : calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->host = h;
    atomic_store(&b->refs, 1);
    atomic_fetch_add(&h->live_batches, 1);
    b->b = (struct leat_batch){.struct_size = sizeof b->b,
                               .schema = schema,
                               .host = testhost_table(),
                               .capacity = capacity,
                               .column_count = schema->column_count,
                               .arrived = h->fixed_now != LEAT_TIME_NONE ? h->fixed_now : wall()};
    b->b.columns = batch_memory(b, schema->column_count * sizeof(struct leat_column), 16);
    b->b.kinds = batch_memory(b, capacity, 1);
    if (b->b.columns)
        __builtin_memset(b->b.columns, 0, schema->column_count * sizeof(struct leat_column));
    if (!b->b.columns || !b->b.kinds || (!bare && !own_columns(b))) {
        thost_batch_unref(&b->b);
        return NULL;
    }
    for (uint32_t i = 0; !bare && i < b->b.column_count; i++)
        memset(b->b.columns[i].states, 0xee, capacity); // what is never set shows
    memset(b->b.kinds, 0xee, capacity);
    b->b.arena_bytes = 0; // the columns are there from the beginning and do not count
    return &b->b;
}

leat_status thost_batch_attach(struct leat_batch *b, void (*release)(void *arg), void *arg)
{
    struct attached *a = thost_alloc_fails(of(b)->host) ? NULL : malloc(sizeof *a);
    if (!a)
        return LEAT_RESOURCE;
    *a = (struct attached){release, arg, of(b)->attached};
    of(b)->attached = a;
    return LEAT_OK;
}

static void unref_kept(void *arg)
{
    thost_batch_unref(arg);
}

leat_status thost_batch_keep(struct leat_batch *b, const struct leat_batch *other)
{
    leat_status st = thost_batch_attach(b, unref_kept, of(other));
    if (st == LEAT_OK)
        thost_batch_ref(other);
    return st;
}

void thost_batch_ref(const struct leat_batch *b)
{
    atomic_fetch_add(&of(b)->refs, 1);
}

void thost_batch_unref(const struct leat_batch *cb)
{
    struct batch *b = of(cb);
    int left = atomic_fetch_sub(&b->refs, 1) - 1;
    if (left > 0)
        return;
    if (left < 0)
        abort();
    for (struct attached *a = b->attached, *next; a; a = next) {
        next = a->next;
        a->release(a->arg);
        free(a);
    }
    atomic_fetch_sub(&b->host->live_batches, 1);
    thost_memory_free(&b->chunks);
    free(b);
}
