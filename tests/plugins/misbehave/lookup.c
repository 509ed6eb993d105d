// SPDX-License-Identifier: Apache-2.0
// The lookup: one row for each key, but for what is wrong.
#include <pthread.h>
#include <stddef.h>

#include "misbehave.h"

enum { KEYS, COLUMNS, ROWS, TWICE, NEVER_ASKED, AGAIN, THREAD };

static const struct leat_option options[] = {
    {.name = "how",
     .type = LEAT_OPT_ENUM,
     .offset = offsetof(struct config, how),
     .words = "keys|columns|rows|twice|never-asked|again|thread",
     .def = "keys",
     .doc = "Which rule of answering is broken."},
};

static const struct leat_field two_fields[] = {{{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}},
                                               {{(const uint8_t *)"more", 4}, {.kind = LEAT_TYPE_BIGINT}}};
static const struct leat_schema two_columns = {
    .struct_size = sizeof two_columns, .column_count = 2, .columns = two_fields};

static void answer(struct leat_ctx *ctx, const struct leat_schema *columns, uint64_t ticket, uint32_t key)
{
    struct leat_batch *rows = leat_batch_new(ctx, columns, 1);
    leat_batch_add(rows, LEAT_INSERT);
    for (uint32_t c = 0; c < columns->column_count; c++)
        leat_batch_set_i64(rows, c, 0, 1);
    ctx->host->lookup_answer(ctx, ticket, rows, &key);
}

struct there {
    struct leat_ctx *ctx;
    uint64_t ticket;
};

static void *answer_there(void *arg)
{
    const struct there *t = arg;
    answer(t->ctx, &misbehave_schema, t->ticket, 0);
    return NULL;
}

static void answer_on_a_thread(struct leat_ctx *ctx, uint64_t ticket)
{
    struct there there = {ctx, ticket};
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer_there, &there) == 0)
        pthread_join(thread, NULL);
}

static void answer_too_many(struct leat_ctx *ctx, uint64_t ticket)
{
    uint32_t keys[2] = {0, 0};
    struct leat_batch *rows = leat_batch_new(ctx, &misbehave_schema, 1);
    rows->rows = rows->capacity + 1;
    ctx->host->lookup_answer(ctx, ticket, rows, keys);
}

static leat_status ask(struct leat_ctx *ctx, void *self, const uint32_t *key_columns, uint32_t key_count,
                       const struct leat_batch *keys, uint64_t ticket)
{
    const struct misbehave *m = self;
    uint32_t count = keys->rows;
    if (!count)
        ctx->host->lookup_answer(ctx, ticket, NULL, NULL);
    else if (m->config->how == KEYS)
        answer(ctx, &misbehave_schema, ticket, count);
    else if (m->config->how == COLUMNS)
        answer(ctx, &two_columns, ticket, 0);
    else if (m->config->how == ROWS)
        answer_too_many(ctx, ticket);
    else if (m->config->how == THREAD)
        answer_on_a_thread(ctx, ticket);
    else
        answer(ctx, &misbehave_schema, m->config->how == NEVER_ASKED ? ticket + 77 : ticket, 0);
    if (count && m->config->how == TWICE)
        answer(ctx, &misbehave_schema, ticket, 0);
    return count && m->config->how == AGAIN ? LEAT_AGAIN : LEAT_OK;
}

static const struct leat_lookup_ops ops = {
    .struct_size = sizeof ops,
    .describe = misbehave_describe,
    .create = misbehave_create,
    .ask = ask,
    .destroy = misbehave_destroy,
};

const struct leat_component misbehave_lookup = {
    .struct_size = sizeof misbehave_lookup,
    .kind = LEAT_LOOKUP,
    .name = "misbehave",
    .summary = "breaks rules of answering",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct config),
    .lookup = &ops,
};
