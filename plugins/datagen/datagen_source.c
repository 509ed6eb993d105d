// SPDX-License-Identifier: Apache-2.0
// The source: how many rows are due by now, batches of them, and the number of rows given as state. One timer wakes the
// node when the next rows are due; what could not be given while the way was full is made up for at most one second's
// worth, so that no burst follows a long stop.
//
// State, version 1: rows given and seed, 8 bytes each, little-endian.
#include <string.h>

#include "datagen.h"
#include "hash.h"

#define STATE_VERSION 1
#define SECOND        1000000
#define WAIT_LEAST    5000 // microseconds between two wakes: rows that are due in between wait for one another

struct source {
    const struct datagen_config *config;
    const struct leat_schema *schema;
    struct datagen_gen *gens;
    struct leat_event *timer;
    int64_t rows;  // given so far
    int64_t limit; // the source ends with so many
    uint64_t seed;
    int64_t since; // monotonic clock: from here on `from` rows and those due since count
    int64_t from;
    uint8_t catch_up;
};

// describe has no object to keep its answer in, and the answer lives until the next call.
static _Thread_local struct leat_port described;

static leat_status needs_schema(struct leat_ctx *ctx)
{
    leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-D0101", NULL, 0,
              "Add a section [sources.NAME.schema] with a line for each column.", "a datagen source needs a schema");
    return leat_fail(ctx, LEAT_CONFIG, "LEAT-D0101", "the source has no schema");
}

static int64_t limit_of(const struct datagen_config *config, const struct datagen_gen *gens, uint32_t columns)
{
    int64_t limit = datagen_rows(gens, columns);
    return config->number_of_rows != LEAT_UNSET && config->number_of_rows < limit ? config->number_of_rows : limit;
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
    if (!rq->declared)
        return needs_schema(ctx);
    struct datagen_gen *gens;
    leat_status st = datagen_fields(ctx, rq->config, rq->declared, &gens);
    if (st < 0)
        return st;
    plan->bounded = limit_of(rq->config, gens, rq->declared->column_count) != INT64_MAX;
    datagen_fields_free(ctx, gens, rq->declared->column_count);
    described = (struct leat_port){.schema = rq->declared, .mode = LEAT_MODE_INSERT_ONLY};
    plan->ports = (struct leat_ports){.count = 1, .items = &described};
    plan->parallel_max = 1;
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    if (!s)
        return;
    datagen_fields_free(ctx, s->gens, s->schema->column_count);
    ctx->host->free(ctx, s);
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    if (!rq->declared)
        return needs_schema(ctx);
    struct source *s = ctx->host->alloc(ctx, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    *s = (struct source){.config = rq->config, .schema = rq->declared};
    leat_status st = datagen_fields(ctx, rq->config, rq->declared, &s->gens);
    if (st < 0) {
        ctx->host->free(ctx, s);
        return st;
    }
    s->limit = limit_of(s->config, s->gens, s->schema->column_count);
    s->seed = s->config->seed != LEAT_UNSET ? (uint64_t)s->config->seed
                                            : hash_u64((uint64_t)ctx->host->now(ctx), (uintptr_t)s);
    *self = s;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct source *s = self;
    uint64_t parts[2];
    if (in->version != STATE_VERSION || in->len != sizeof parts)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-D0105", "state of datagen has version %u and %zu bytes, known is %d",
                         in->version, in->len, STATE_VERSION);
    memcpy(parts, in->ptr, sizeof parts);
    s->rows = (int64_t)parts[0];
    if (s->config->seed == LEAT_UNSET)
        s->seed = parts[1];
    return LEAT_OK;
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct source *s = self;
    uint64_t parts[2] = {(uint64_t)s->rows, s->seed};
    out->version = STATE_VERSION;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, parts, sizeof parts);
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct source *s = self;
    s->since = ctx->host->monotonic(ctx);
    s->from = s->rows;
    s->catch_up = open->catch_up;
    if (open->catch_up && s->limit == INT64_MAX)
        ctx->host->caught_up(ctx); // without an end there is none to catch up with
    return LEAT_OK;
}

static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static leat_status wait_for(struct leat_ctx *ctx, struct source *s, int64_t usec)
{
    if (usec < WAIT_LEAST)
        usec = WAIT_LEAST;
    if (s->timer)
        return ctx->host->timer_again(s->timer, usec) == LEAT_OK ? LEAT_AGAIN : LEAT_RESOURCE;
    s->timer = ctx->host->timer(ctx, usec, on_timer, s);
    return s->timer ? LEAT_AGAIN : leat_no_memory(ctx);
}

// Rows that should have been given since the start, at most a second's worth more than were.
static int64_t rows_due(struct leat_ctx *ctx, struct source *s)
{
    int64_t now = ctx->host->monotonic(ctx), rate = s->config->rows_per_second;
    leat_i128 due = s->from + (leat_i128)(now - s->since) * rate / SECOND;
    if (due - s->rows > rate) {
        s->since = now;
        s->from = s->rows + rate;
        due = s->from;
    }
    return due > s->limit ? s->limit : (int64_t)due;
}

// Microseconds until row number s->rows + 1 is due.
static int64_t until_next(struct leat_ctx *ctx, struct source *s)
{
    int64_t rate = s->config->rows_per_second;
    leat_i128 at = s->since + ((leat_i128)(s->rows + 1 - s->from) * SECOND + rate - 1) / rate;
    return (int64_t)(at - ctx->host->monotonic(ctx));
}

static leat_status give(struct leat_ctx *ctx, struct source *s, int64_t due)
{
    int64_t want = due - s->rows;
    leat_usec now = ctx->host->now(ctx);
    uint32_t usual = leat_batch_rows_for(s->schema);
    struct leat_batch *b = leat_batch_new(ctx, s->schema, want < usual ? (uint32_t)want : usual);
    if (!b)
        return leat_no_memory(ctx);
    while (s->rows < due && !leat_batch_is_full(b)) {
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
        if (!datagen_fill(b, row, s->gens, s->seed, (uint64_t)s->rows, now)) {
            leat_batch_unref(b);
            return leat_no_memory(ctx);
        }
        s->rows++;
    }
    return ctx->host->emit(ctx, 0, b);
}

static leat_status poll_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    if (s->rows >= s->limit) {
        if (s->catch_up)
            ctx->host->caught_up(ctx);
        return LEAT_END;
    }
    int64_t due = rows_due(ctx, s);
    return due > s->rows ? give(ctx, s, due) : wait_for(ctx, s, until_next(ctx, s));
}

static leat_status close_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    ctx->host->event_close(s->timer);
    s->timer = NULL;
    return LEAT_OK;
}

const struct leat_source_ops datagen_source_ops = {
    .struct_size = sizeof datagen_source_ops,
    .describe = describe,
    .create = create,
    .load_state = load_state,
    .open = open_source,
    .poll = poll_source,
    .save_state = save_state,
    .close = close_source,
    .destroy = destroy,
};
