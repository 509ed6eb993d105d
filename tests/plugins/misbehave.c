// SPDX-License-Identifier: Apache-2.0
// A source and a lookup that break rules on purpose, to see what the server makes of it: "how" says which.
#include <leat/plugin.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

enum { STALL, CRASH, ABORT, MUMBLE };

struct config {
    int32_t how;
    int64_t stall; // usec
};

struct misbehave {
    const struct config *config;
    int stalled;
};

static const struct leat_option options[] = {
    {.name = "how",
     .type = LEAT_OPT_ENUM,
     .offset = offsetof(struct config, how),
     .words = "stall|crash|abort|mumble",
     .def = "stall",
     .doc = "Which rule is broken."},
    {.name = "stall",
     .type = LEAT_OPT_DURATION,
     .offset = offsetof(struct config, stall),
     .def = "3s",
     .doc = "How long poll holds its worker, once."},
};

static const struct leat_field fields[] = {{{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}}};
static const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = 1, .columns = fields};
static const struct leat_port port = {.mode = LEAT_MODE_INSERT_ONLY, .schema = &schema};

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    plan->ports.count = 1;
    plan->ports.items = &port;
    plan->ports.stride = sizeof port;
    plan->parallel_max = 1;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct misbehave *m = calloc(1, sizeof *m);
    if (!m)
        return leat_no_memory(ctx);
    m->config = request->config;
    *self = m;
    return LEAT_OK;
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    return LEAT_OK;
}

static void hold(int64_t usec)
{
    struct timespec time = {usec / 1000000, usec % 1000000 * 1000};
    while (nanosleep(&time, &time) != 0)
        ;
}

static leat_status poll(struct leat_ctx *ctx, void *self)
{
    struct misbehave *m = self;
    volatile int *nowhere = NULL;
    if (m->config->how == CRASH)
        *nowhere = 1;
    if (m->config->how == ABORT)
        abort();
    if (m->config->how == MUMBLE)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-X0001", "gr\xfc\xdf\x6cich");
    if (!m->stalled)
        hold(m->config->stall);
    m->stalled = 1;
    return LEAT_AGAIN;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static const struct leat_source_ops ops = {
    .struct_size = sizeof ops,
    .describe = describe,
    .create = create,
    .open = open_source,
    .poll = poll,
    .destroy = destroy,
};

// --- the lookup: one row for each key, but for what is wrong

enum { KEYS, COLUMNS, ROWS, TWICE, NEVER_ASKED, AGAIN, THREAD };

static const struct leat_option lookup_options[] = {
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
    answer(t->ctx, &schema, t->ticket, 0);
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
    struct leat_batch *rows = leat_batch_new(ctx, &schema, 1);
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
        answer(ctx, &schema, ticket, count);
    else if (m->config->how == COLUMNS)
        answer(ctx, &two_columns, ticket, 0);
    else if (m->config->how == ROWS)
        answer_too_many(ctx, ticket);
    else if (m->config->how == THREAD)
        answer_on_a_thread(ctx, ticket);
    else
        answer(ctx, &schema, m->config->how == NEVER_ASKED ? ticket + 77 : ticket, 0);
    if (count && m->config->how == TWICE)
        answer(ctx, &schema, ticket, 0);
    return count && m->config->how == AGAIN ? LEAT_AGAIN : LEAT_OK;
}

static const struct leat_lookup_ops lookup_ops = {
    .struct_size = sizeof lookup_ops,
    .describe = describe,
    .create = create,
    .ask = ask,
    .destroy = destroy,
};

static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_SOURCE,
     .name = "misbehave",
     .summary = "breaks rules",
     .options = options,
     .option_count = sizeof options / sizeof options[0],
     .option_stride = sizeof options[0],
     .config_size = sizeof(struct config),
     .source = &ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_LOOKUP,
     .name = "misbehave",
     .summary = "breaks rules of answering",
     .options = lookup_options,
     .option_count = sizeof lookup_options / sizeof lookup_options[0],
     .option_stride = sizeof lookup_options[0],
     .config_size = sizeof(struct config),
     .lookup = &lookup_ops},
};

LEAT_PLUGIN("misbehave", "7.1", "source:misbehave,lookup:misbehave", components, NULL, 0)
