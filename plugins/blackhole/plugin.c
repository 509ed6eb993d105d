// SPDX-License-Identifier: Apache-2.0
// blackhole: a sink that takes every row and keeps none, for measuring what comes before it. It counts rows, so
// that a test can say that all of them arrived.
//
// Thread: home worker. Entry and sink stand in one file, since there is nothing else.
#include <stdlib.h>

#include <leat/plugin.h>

struct sink {
    int64_t *rows, *deletes;
};

static leat_status bind_sink(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                             void **bound)
{
    plan->mode = rq->mode;
    plan->guarantee = LEAT_GUARANTEE_AT_LEAST_ONCE;
    plan->takes_unchanged = 1;
    plan->idempotent = 1;
    plan->parallel_max = 0; // as many as there are upstream
    *bound = NULL;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    static const struct leat_metric rows = {"leat_blackhole_rows_total", LEAT_METRIC_COUNTER, "Rows taken."};
    static const struct leat_metric deletes = {"leat_blackhole_deletes_total", LEAT_METRIC_COUNTER,
                                               "Rows taken that were -U or -D."};
    struct sink *s = malloc(sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->rows = ctx->host->metric(ctx, &rows);
    s->deletes = ctx->host->metric(ctx, &deletes);
    *self = s;
    return LEAT_OK;
}

static leat_status write_batch(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct sink *s = self;
    int64_t deletes = 0;
    for (uint32_t r = 0; r < b->rows; r++)
        deletes += b->kinds[r] == LEAT_DELETE || b->kinds[r] == LEAT_UPDATE_BEFORE;
    __atomic_fetch_add(s->rows, b->rows, __ATOMIC_RELAXED);
    __atomic_fetch_add(s->deletes, deletes, __ATOMIC_RELAXED);
    return LEAT_OK;
}

static leat_status flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static const struct leat_sink_ops ops = {
    .struct_size = sizeof ops,
    .bind = bind_sink,
    .create = create,
    .write = write_batch,
    .flush = flush,
    .destroy = destroy,
};

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_SINK,
    .name = "blackhole",
    .summary = "takes every row and keeps none",
    .doc = "For measuring and for trying out a pipeline: rows of any kind are counted and forgotten.",
    .option_stride = sizeof(struct leat_option),
    .sink = &ops,
}};

LEAT_PLUGIN("blackhole", "0.1.0", "sink:blackhole", components, NULL, 0)
