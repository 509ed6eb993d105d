// SPDX-License-Identifier: Apache-2.0
// A source that breaks rules on purpose, to see what the server makes of it: "how" says which.
#include <leat/plugin.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

enum { STALL, CRASH, ABORT };

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
     .words = "stall|crash|abort",
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
};

LEAT_PLUGIN("misbehave", "7.1", "source:misbehave", components, NULL, 0)
