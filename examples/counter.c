// SPDX-License-Identifier: Apache-2.0
// counter: a source that counts. It shows an option table, a port with columns of its own, batches, waiting by a timer
// instead of sleeping, and a position that survives a restart. Thread: everything on the home worker.
#include <stdlib.h>

#include <leat/plugin.h>

#define STATE_VERSION 1

struct config {
    int64_t rows;
    int64_t interval; // microseconds
};

struct counter {
    const struct config *config;
    struct leat_event *timer;
    int64_t next; // the number that comes next: the position
    int64_t due;  // when (monotonic)
};

static const struct leat_option options[] = {
    LEAT_OPTION(struct config, rows, INT, .name = "rows", .min = "1", .example = "100",
                .doc = "How many rows it gives; without it, it never ends."),
    LEAT_OPTION(struct config, interval, DURATION, .name = "interval", .def = "1s", .min = "1ms",
                .doc = "Time from one row to the next."),
};

// The columns do not depend on options, so they are constants.
static const struct leat_field columns[] = {
    LEAT_COLUMN("n", .kind = LEAT_TYPE_BIGINT),
    LEAT_COLUMN("parity", LEAT_STRING),
};
static const struct leat_schema schema = LEAT_SCHEMA(columns);
static const struct leat_port port = {.schema = &schema, .mode = LEAT_MODE_INSERT_ONLY};

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    const struct config *config = request->config;
    if (request->declared)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-X0101", "counter knows its columns and takes no schema");
    plan->ports = leat_one_port(&port);
    plan->bounded = config->rows != LEAT_UNSET;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct counter *c = calloc(1, sizeof *c);
    if (!c)
        return leat_no_memory(ctx);
    c->config = request->config;
    *self = c;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct counter *c = self;
    return leat_state_load(ctx, in, STATE_VERSION, &c->next, sizeof c->next, "LEAT-X0102");
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct counter *c = self;
    c->due = ctx->host->monotonic(ctx) + c->config->interval;
    if (open->catch_up)
        ctx->host->caught_up(ctx); // rows are made when they are due: there is nothing to catch up with
    return LEAT_OK;
}

static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    ctx->host->wake(ctx); // poll is called again
    return LEAT_OK;
}

static leat_status wait_for(struct leat_ctx *ctx, struct counter *c, int64_t usec)
{
    if (c->timer)
        return ctx->host->timer_again(c->timer, usec) == LEAT_OK ? LEAT_AGAIN : LEAT_RESOURCE;
    c->timer = ctx->host->timer(ctx, usec, on_timer, c);
    return c->timer ? LEAT_AGAIN : leat_no_memory(ctx);
}

static leat_status poll_source(struct leat_ctx *ctx, void *self)
{
    struct counter *c = self;
    int64_t rows = c->config->rows == LEAT_UNSET ? INT64_MAX : c->config->rows, now = ctx->host->monotonic(ctx);
    if (c->next >= rows)
        return LEAT_END;
    if (now < c->due)
        return wait_for(ctx, c, c->due - now);
    struct leat_batch *b = leat_batch_new(ctx, &schema, LEAT_BATCH_ROWS);
    if (!b)
        return leat_no_memory(ctx);
    for (; c->due <= now && c->next < rows && !leat_batch_is_full(b); c->due += c->config->interval, c->next++) {
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, row, c->next);
        leat_batch_set_text(b, 1, row, c->next % 2 ? "odd" : "even"); // a constant; leat_batch_set_bytes copies
    }
    return ctx->host->emit(ctx, 0, b); // takes the batch; LEAT_AGAIN when the way is full
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct counter *c = self;
    return leat_state_save(ctx, out, STATE_VERSION, &c->next, sizeof c->next);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct counter *c = self;
    if (c)
        ctx->host->event_close(c->timer);
    free(c);
}

static const struct leat_source_ops ops = {
    .struct_size = sizeof ops,
    .describe = describe,
    .create = create,
    .load_state = load_state,
    .open = open_source,
    .poll = poll_source,
    .save_state = save_state,
    .destroy = destroy,
};

static const struct leat_component components[] = {{
    LEAT_COMPONENT(options, struct config),
    .kind = LEAT_SOURCE,
    .name = "counter",
    .summary = "counts: 0, 1, 2 …",
    .source = &ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-X0101", "A schema is declared for a counter.", "Remove the section: its columns are n and parity."},
    {"LEAT-X0102", "The saved position was not written by this plugin.", "Start without the saved state."},
};

LEAT_PLUGIN("counter", "1.0.0", "source:counter", components, codes, sizeof codes / sizeof codes[0])
