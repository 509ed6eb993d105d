// SPDX-License-Identifier: Apache-2.0
// A channel: the bounded way of batches and marks from one task to another.
//
// One producer instance, one consumer task. The queue itself is a lock-free list (one writer, one reader) that always
// accepts; the bound is kept by credit: when more than `limit` bytes wait, channel_full says so, the producing task
// stops, and the consumer wakes it once half of the bytes are gone. So a channel holds at most its limit and what one
// call emits. Thread: push on the producer's worker, peek and pop on the consumer's, the rest any.
#ifndef RUNTIME_CHANNEL_H
#define RUNTIME_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <leat/host.h>
#include <leat/state.h>

enum element_kind {
    ELEMENT_BATCH,
    ELEMENT_BARRIER,
    ELEMENT_CAUGHT_UP,
    ELEMENT_END,
    ELEMENT_END_REACHED, // `epoch` is the number of the question, see dimension.c
};

struct element {
    _Atomic(struct element *) next;
    enum element_kind kind;
    bool txn_open;                  // a batch: its transaction goes on, on this way or on another of its writer
    const struct leat_batch *batch; // a reference
    leat_epoch epoch;
    size_t bytes;
};

struct task;

struct channel {
    struct task *producer, *consumer;
    size_t limit;
    atomic_size_t bytes;
    atomic_uint depth; // elements waiting
    atomic_bool producer_waits;
    struct element *head; // consumer's: the last one consumed (a dummy)
    struct element *tail; // producer's
};

bool channel_init(struct channel *ch, struct task *producer, struct task *consumer, size_t limit);
void channel_fini(struct channel *ch);

// Takes a reference to the batch. False = no memory (nothing was pushed). Wakes the consumer.
bool channel_push(struct channel *ch, const struct leat_batch *batch, bool txn_open);
bool channel_push_mark(struct channel *ch, enum element_kind kind, leat_epoch epoch);

// Is there credit? If not, the producer will be woken when there is.
bool channel_full(struct channel *ch);

// First element, or NULL; it stays until popped.
struct element *channel_peek(struct channel *ch);
// Drops the first element (its batch reference too) and gives credit back.
void channel_pop(struct channel *ch);

#endif
