// SPDX-License-Identifier: Apache-2.0
// See batch.h. The pool keeps idle blocks per size class under one lock each: taken twice a batch, never per row.
#include "data/batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/sanitized.h"

// Size classes of pooled blocks: 4 KiB << (2 * class), up to 1 MiB. Larger blocks go to malloc and back.
#define CLASSES         5
#define CLASS_MIN       ((size_t)4096)
#define ARENA_FIRST     ((size_t)16 << 10)
#define ARENA_CHUNK_MAX ((size_t)256 << 10)
#define DEAD_KEPT       16

// Idle bytes kept per class. None where a sanitizer watches: it sees who reads a batch that is gone, or one that another
// thread may still write, only if its memory goes through malloc.
#define POOL_IDLE_MAX (BASE_SANITIZED ? (size_t)0 : (size_t)8 << 20)

struct block {
    struct block *next;
    size_t size; // of the whole block
};

struct pool_class {
    pthread_mutex_t lock;
    struct block *idle;
    size_t idle_bytes;
};

static struct pool_class pool[CLASSES] = {
    {.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER},
};

// What a batch must let go of when it dies.
struct tie {
    struct tie *next;
    const struct leat_batch *other; // a kept batch, or …
    void (*release)(void *arg);     // … an attachment
    void *arg;
};

struct batch {
    struct leat_batch pub; // first: the public pointer is ours
    atomic_uint refs;
    size_t bytes;         // of all blocks
    struct block *blocks; // the arena's further blocks
    struct tie *ties;
    size_t next_chunk;
    uint32_t sealed_rows;
    atomic_bool sealed;
};

static struct batch *own(const struct leat_batch *b)
{
    return (struct batch *)(uintptr_t)b;
}

static int class_of(size_t size)
{
    size_t limit = CLASS_MIN;
    for (int c = 0; c < CLASSES; c++, limit <<= 2)
        if (size <= limit)
            return c;
    return -1;
}

static struct block *block_take(size_t size)
{
    int c = class_of(size);
    if (c < 0) {
        struct block *big = malloc(size);
        if (big)
            big->size = size;
        return big;
    }
    struct pool_class *pc = &pool[c];
    pthread_mutex_lock(&pc->lock);
    struct block *block = pc->idle;
    if (block) {
        pc->idle = block->next;
        pc->idle_bytes -= block->size;
    }
    pthread_mutex_unlock(&pc->lock);
    if (!block) {
        size = CLASS_MIN << (2 * c);
        block = malloc(size);
        if (block)
            block->size = size;
    }
    return block;
}

static void block_give(struct block *block)
{
    int c = class_of(block->size);
    if (c >= 0) {
        struct pool_class *pc = &pool[c];
        pthread_mutex_lock(&pc->lock);
        if (pc->idle_bytes + block->size <= POOL_IDLE_MAX) {
            block->next = pc->idle;
            pc->idle = block;
            pc->idle_bytes += block->size;
            block = NULL;
        }
        pthread_mutex_unlock(&pc->lock);
    }
    free(block);
}

static size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

// Lays out kinds, then every column's cells and states, from `at`; returns the end.
static uint8_t *lay_out(struct batch *b, uint8_t *at, uint32_t capacity, uint8_t bare)
{
    b->pub.columns = (struct leat_column *)(void *)at;
    at += round_up(b->pub.column_count * sizeof(struct leat_column), 16);
    b->pub.kinds = at;
    at += round_up(capacity, 16);
    for (uint32_t c = 0; c < b->pub.column_count; c++) {
        if (bare) {
            b->pub.columns[c] = (struct leat_column){NULL, NULL};
            continue;
        }
        b->pub.columns[c].cells = (union leat_cell *)(void *)at;
        at += (size_t)capacity * sizeof(union leat_cell);
        b->pub.columns[c].states = at;
        at += round_up(capacity, 16);
    }
    return at;
}

struct leat_batch *data_batch_create(const struct leat_host *host, const struct leat_schema *schema, uint32_t capacity,
                                     uint8_t bare, leat_usec now)
{
    if (capacity == 0 || capacity > LEAT_BATCH_ROWS_MAX)
        return NULL;
    size_t per_column = bare ? 0 : (size_t)capacity * sizeof(union leat_cell) + round_up(capacity, 16);
    size_t head = round_up(sizeof(struct block), 16) + round_up(sizeof(struct batch), 16);
    size_t size = head + round_up(schema->column_count * sizeof(struct leat_column), 16) + round_up(capacity, 16) +
                  per_column * schema->column_count;
    struct block *block = block_take(size);
    if (!block)
        return NULL;
    uint8_t *start = (uint8_t *)block;
    struct batch *b = (struct batch *)(void *)(start + round_up(sizeof(struct block), 16));
    memset(b, 0, sizeof *b);
    b->pub.struct_size = sizeof b->pub;
    b->pub.schema = schema;
    b->pub.host = host;
    b->pub.capacity = capacity;
    b->pub.column_count = schema->column_count;
    b->pub.arrived = now;
    b->bytes = block->size;
    b->next_chunk = ARENA_FIRST;
    atomic_init(&b->refs, 1);
    // what the block has beyond the columns is the first piece of the arena
    b->pub.arena_next = lay_out(b, start + head, capacity, bare);
    b->pub.arena_end = start + block->size;
    return &b->pub;
}

// A batch that is dead or was given away does not change any more.
static void check_open(const struct batch *b, const char *rule)
{
#ifndef NDEBUG
    if (atomic_load(&b->refs) == 0 || atomic_load(&b->sealed))
        base_crash_broken(rule);
#endif
}

void data_batch_seal(struct leat_batch *b)
{
    own(b)->sealed_rows = b->rows;
    atomic_store(&own(b)->sealed, true);
}

bool data_batch_is_sealed(const struct leat_batch *b)
{
    return atomic_load(&own(b)->sealed);
}

void *data_batch_grow(struct leat_batch *pub, size_t size, size_t align)
{
    struct batch *b = own(pub);
    check_open(b, "leat_batch_alloc or leat_batch_set_bytes on a batch that was given away before");
    if (size > UINT32_MAX - ARENA_CHUNK_MAX || align > 16)
        return NULL;
    size_t head = round_up(sizeof(struct block), 16);
    size_t want = size + head > b->next_chunk ? size + head : b->next_chunk;
    struct block *block = block_take(want);
    if (!block)
        return NULL;
    if (b->next_chunk < ARENA_CHUNK_MAX)
        b->next_chunk *= 4;
    block->next = b->blocks;
    b->blocks = block;
    b->bytes += block->size;
    uint64_t arena_bytes = (uint64_t)pub->arena_bytes + block->size;
    pub->arena_bytes = arena_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)arena_bytes;
    uint8_t *start = (uint8_t *)block + head;
    // a block made for one large value does not end the arena's current piece
    size_t left = (size_t)(pub->arena_end - pub->arena_next);
    if (block->size - head - size >= left) {
        pub->arena_next = start + size;
        pub->arena_end = (uint8_t *)block + block->size;
    }
    return start;
}

static leat_status tie_add(struct leat_batch *pub, struct tie tie)
{
    check_open(own(pub), "batch_keep or batch_attach on a batch that was given away before");
    struct tie *t = leat_batch_alloc(pub, sizeof *t, _Alignof(struct tie));
    if (!t)
        return LEAT_RESOURCE;
    *t = tie;
    t->next = own(pub)->ties;
    own(pub)->ties = t;
    return LEAT_OK;
}

leat_status data_batch_keep(struct leat_batch *b, const struct leat_batch *other)
{
    leat_status st = tie_add(b, (struct tie){.other = other});
    if (st == LEAT_OK) {
        data_batch_ref(other);
        own(b)->bytes += own(other)->bytes; // what is kept alive counts as held
    }
    return st;
}

leat_status data_batch_attach(struct leat_batch *b, void (*release)(void *arg), void *arg)
{
    return tie_add(b, (struct tie){.release = release, .arg = arg});
}

void data_batch_ref(const struct leat_batch *b)
{
    if (atomic_fetch_add_explicit(&own(b)->refs, 1, memory_order_relaxed) == 0)
        base_crash_broken("batch_ref on a batch that nobody held any more");
}

// Debug builds: the memory of a dead batch waits before it is used again, so that whoever still uses it meets a dead one
// and not another's rows. A sanitizer sees that better.
static struct batch *delayed(struct batch *b)
{
#if !defined(NDEBUG) && !BASE_SANITIZED
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct batch *dead[DEAD_KEPT];
    static size_t next;
    b->pub.columns = NULL;
    b->pub.rows = b->pub.capacity = 0;
    b->pub.arena_next = b->pub.arena_end = NULL;
    pthread_mutex_lock(&lock);
    struct batch *oldest = dead[next];
    dead[next] = b;
    next = (next + 1) % DEAD_KEPT;
    pthread_mutex_unlock(&lock);
    return oldest;
#else
    return b;
#endif
}

void data_batch_unref(const struct leat_batch *pub)
{
    if (!pub)
        return;
    struct batch *b = own(pub);
    unsigned refs = atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel);
    if (refs == 0)
        base_crash_broken("leat_batch_unref on a batch that nobody held any more: emit and lookup_answer take it");
    if (refs != 1)
        return;
#ifndef NDEBUG
    if (atomic_load(&b->sealed) && b->pub.rows != b->sealed_rows)
        base_crash_broken("leat_batch_add on a batch that was given away before");
#endif
    for (struct tie *t = b->ties; t; t = t->next) {
        if (t->release)
            t->release(t->arg);
        else
            data_batch_unref(t->other);
    }
    for (struct block *block = b->blocks; block;) {
        struct block *next = block->next;
        block_give(block);
        block = next;
    }
    if ((b = delayed(b)))
        block_give((struct block *)(void *)((uint8_t *)b - round_up(sizeof(struct block), 16)));
}

size_t data_batch_bytes(const struct leat_batch *b)
{
    return own(b)->bytes;
}
