// SPDX-License-Identifier: Apache-2.0
// The source.
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "misbehave.h"

// What is done wrong beside what is deadly, as numbers of "how".
#define COUNT(word, function) +1
enum { NEVER_CLOSES = 1 MISBEHAVE_DEADLY(COUNT) };

enum { IN_POLL, IN_CHECK, IN_DESCRIBE, IN_CREATE, IN_OPEN, IN_TIMER, IN_THREAD, IN_SAVE_STATE, IN_CLOSE, IN_DESTROY };

#define WHERE "poll|check|describe|create|open|timer|thread|save-state|close|destroy"

static const struct leat_option options[] = {
    {.name = "how",
     .type = LEAT_OPT_ENUM,
     .offset = offsetof(struct config, how),
     .words = "mumble" MISBEHAVE_DEADLY(MISBEHAVE_WORD) "|never-closes",
     .def = "mumble",
     .doc = "What is done wrong."},
    {.name = "where",
     .type = LEAT_OPT_ENUM,
     .offset = offsetof(struct config, where),
     .words = WHERE,
     .def = "poll",
     .doc = "The call in which it is done; thread is one of its own."},
    {.name = "stall",
     .type = LEAT_OPT_DURATION,
     .offset = offsetof(struct config, stall),
     .def = "3s",
     .doc = "How long the call holds its worker."},
    {.name = "tells",
     .type = LEAT_OPT_ENUM,
     .offset = offsetof(struct config, tells),
     .words = "right|no-list|no-columns|far-key|no-type|endless-type|no-mode",
     .def = "right",
     .doc = "What describe says of the output."},
};

static const struct leat_field fields[] = {{{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}}};
const struct leat_schema misbehave_schema = {
    .struct_size = sizeof misbehave_schema, .column_count = 1, .columns = fields};
static const struct leat_port port = {.mode = LEAT_MODE_INSERT_ONLY, .schema = &misbehave_schema};

static void misbehave_in(const struct config *config, int32_t where)
{
    if (config->where == where)
        misbehave_die(config, config->how);
}

static leat_status check(struct leat_ctx *ctx, const void *config)
{
    misbehave_in(config, IN_CHECK);
    return LEAT_OK;
}

static const struct leat_type endless = {.kind = LEAT_TYPE_ARRAY, .child_count = 1, .children = &endless};
static const struct leat_field no_type = {{(const uint8_t *)"id", 2}, {.kind = 99}},
                               no_end = {{(const uint8_t *)"id", 2},
                                         {.kind = LEAT_TYPE_ARRAY, .child_count = 1, .children = &endless}};
static const uint32_t far = 7;
// In the order of the words of "tells", from the third.
static const struct leat_schema wrong[] = {
    {.struct_size = sizeof wrong[0], .column_count = 1},
    {.struct_size = sizeof wrong[0], .column_count = 1, .columns = fields, .key_count = 1, .key = &far},
    {.struct_size = sizeof wrong[0], .column_count = 1, .columns = &no_type},
    {.struct_size = sizeof wrong[0], .column_count = 1, .columns = &no_end},
};

static void tell(int32_t what, struct leat_ports *ports)
{
    static struct leat_port p;
    enum { RIGHT, NO_LIST, NO_MODE = 6 };
    p = port;
    if (what == NO_MODE)
        p.mode = 9;
    else if (what > NO_LIST)
        p.schema = &wrong[what - NO_LIST - 1];
    *ports = (struct leat_ports){.count = 1, .items = what == NO_LIST ? NULL : &p, .stride = sizeof p};
}

leat_status misbehave_describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                               struct leat_source_plan *plan)
{
    plan->ports = (struct leat_ports){.count = 1, .items = &port, .stride = sizeof port};
    plan->parallel_max = 1;
    return LEAT_OK;
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    misbehave_in(request->config, IN_DESCRIBE);
    leat_status st = misbehave_describe(ctx, request, plan);
    tell(((const struct config *)request->config)->tells, &plan->ports);
    return st;
}

leat_status misbehave_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct misbehave *m = calloc(1, sizeof *m);
    if (!m)
        return leat_no_memory(ctx);
    m->config = request->config;
    *self = m;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    misbehave_in(request->config, IN_CREATE);
    return misbehave_create(ctx, request, self);
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct misbehave *m = self;
    misbehave_in(m->config, IN_OPEN);
    return LEAT_OK;
}

static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct misbehave *m = arg;
    misbehave_in(m->config, IN_TIMER);
    return LEAT_OK;
}

static void *on_thread(void *arg)
{
    struct misbehave *m = arg;
    misbehave_in(m->config, IN_THREAD);
    return NULL;
}

static leat_status poll_source(struct leat_ctx *ctx, void *self)
{
    struct misbehave *m = self;
    pthread_t thread;
    if (m->done++)
        return LEAT_AGAIN;
    misbehave_in(m->config, IN_POLL);
    if (!m->config->how)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-X0001", "gr\xfc\xdf\x6cich");
    if (m->config->where == IN_TIMER)
        m->event = ctx->host->timer(ctx, 1, on_timer, m);
    if (m->config->where == IN_THREAD && pthread_create(&thread, NULL, on_thread, m) == 0)
        pthread_join(thread, NULL);
    return LEAT_AGAIN;
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct misbehave *m = self;
    misbehave_in(m->config, IN_SAVE_STATE);
    return LEAT_OK;
}

static leat_status close_source(struct leat_ctx *ctx, void *self)
{
    struct misbehave *m = self;
    misbehave_in(m->config, IN_CLOSE);
    return m->config->how == NEVER_CLOSES ? LEAT_AGAIN : LEAT_OK;
}

void misbehave_destroy(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct misbehave *m = self;
    if (m)
        misbehave_in(m->config, IN_DESTROY);
    misbehave_destroy(ctx, self);
}

static const struct leat_source_ops ops = {
    .struct_size = sizeof ops,
    .describe = describe,
    .create = create,
    .open = open_source,
    .poll = poll_source,
    .save_state = save_state,
    .close = close_source,
    .destroy = destroy,
};

const struct leat_component misbehave_source = {
    .struct_size = sizeof misbehave_source,
    .kind = LEAT_SOURCE,
    .name = "misbehave",
    .summary = "breaks rules",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct config),
    .check = check,
    .source = &ops,
};
