// SPDX-License-Identifier: Apache-2.0
// See channel.h. The list keeps one consumed element as its head, so that writer and reader never touch the same link
// end.
#include "runtime/channel.h"

#include <stdlib.h>

#include "data/batch.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

static struct element *element_create(enum element_kind kind, const struct leat_batch *batch, leat_epoch epoch)
{
    struct element *e = malloc(sizeof *e);
    if (!e)
        return NULL;
    atomic_init(&e->next, NULL);
    e->kind = kind;
    e->txn_open = false;
    e->batch = batch;
    e->epoch = epoch;
    e->bytes = batch ? data_batch_bytes(batch) : 0;
    return e;
}

bool channel_init(struct channel *ch, struct task *producer, struct task *consumer, size_t limit)
{
    ch->producer = producer;
    ch->consumer = consumer;
    ch->limit = limit;
    atomic_init(&ch->bytes, 0);
    atomic_init(&ch->depth, 0);
    atomic_init(&ch->producer_waits, false);
    ch->head = ch->tail = element_create(ELEMENT_END, NULL, 0);
    return ch->head != NULL;
}

void channel_fini(struct channel *ch)
{
    for (struct element *e = ch->head; e;) {
        struct element *next = atomic_load(&e->next);
        if (e != ch->head)
            data_batch_unref(e->batch);
        free(e);
        e = next;
    }
    ch->head = ch->tail = NULL;
}

static bool push(struct channel *ch, struct element *e)
{
    if (!e)
        return false;
    atomic_fetch_add(&ch->bytes, e->bytes);
    atomic_fetch_add(&ch->depth, 1);
    atomic_store_explicit(&ch->tail->next, e, memory_order_release);
    ch->tail = e;
    task_wake(ch->consumer);
    return true;
}

bool channel_push(struct channel *ch, const struct leat_batch *batch, bool txn_open)
{
    struct element *e = element_create(ELEMENT_BATCH, batch, 0);
    if (!e)
        return false;
    e->txn_open = txn_open;
    data_batch_ref(batch);
    return push(ch, e);
}

bool channel_push_mark(struct channel *ch, enum element_kind kind, leat_epoch epoch)
{
    return push(ch, element_create(kind, NULL, epoch));
}

bool channel_full(struct channel *ch)
{
    if (atomic_load(&ch->bytes) < ch->limit)
        return false;
    atomic_store(&ch->producer_waits, true);
    // the consumer may have drained it between the two lines above and seen nobody waiting
    return atomic_load(&ch->bytes) >= ch->limit / 2;
}

struct element *channel_peek(struct channel *ch)
{
    return atomic_load_explicit(&ch->head->next, memory_order_acquire);
}

void channel_pop(struct channel *ch)
{
    struct element *e = atomic_load_explicit(&ch->head->next, memory_order_acquire);
    free(ch->head);
    ch->head = e;
    data_batch_unref(e->batch);
    e->batch = NULL;
    atomic_fetch_sub(&ch->depth, 1);
    size_t left = atomic_fetch_sub(&ch->bytes, e->bytes) - e->bytes;
    if (left < ch->limit / 2 && atomic_exchange(&ch->producer_waits, false))
        task_wake(ch->producer);
}
