// SPDX-License-Identifier: Apache-2.0
// A batch of 1024 orders handed from task to task, against copying its cells. The consumer is awake already, as it is
// under load; a row here is a whole batch.
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "micro.h"
#include "runtime/runtime_int.h"

#define HANDED 4096u

struct channel_case {
    struct task writer, reader;
    struct channel channel;
    struct leat_batch *batch;
    union leat_cell cells[MICRO_BATCH];
};

static void *create(void)
{
    struct channel_case *c = calloc(1, sizeof *c);
    must(c != NULL, "memory");
    atomic_store(&c->writer.run_posted, true);
    atomic_store(&c->reader.run_posted, true);
    must(channel_init(&c->channel, &c->writer, &c->reader, 4u << 20), "memory");
    c->batch = micro_batch(&micro_orders, MICRO_BATCH);
    for (unsigned i = 0; i < MICRO_BATCH; i++)
        micro_order_fill(c->batch, i);
    return c;
}

static void hand_over(void *self)
{
    struct channel_case *c = self;
    for (uint32_t i = 0; i < HANDED; i++) {
        must(channel_push(&c->channel, c->batch, false), "memory");
        must(!channel_full(&c->channel) && channel_peek(&c->channel)->batch == c->batch, "the batch");
        channel_pop(&c->channel);
    }
}

static void copy(void *self)
{
    struct channel_case *c = self;
    for (uint32_t i = 0; i < HANDED; i++)
        for (uint32_t column = 0; column < MICRO_ORDER; column++) {
            memcpy(c->cells, c->batch->columns[column].cells, sizeof c->cells);
            __asm__ volatile("" : : "r"(c->cells) : "memory");
        }
}

const struct micro micro_channel = {"channel", "memcpy of the batch's cells", HANDED, create, NULL, hand_over, copy,
                                    NULL};
