// SPDX-License-Identifier: Apache-2.0
// See fake.h.
#include "fake.h"

#include <stdlib.h>
#include <string.h>

static const struct leat_field fields[2] = {
    {{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}},
    {{(const uint8_t *)"value", 5}, {.kind = LEAT_TYPE_BIGINT, .nullable = 1}},
};
static const uint32_t key[1] = {0};
const struct leat_schema fake_schema = {.struct_size = sizeof fake_schema,
                                        .flags = LEAT_SCHEMA_KEY_IMMEDIATE,
                                        .column_count = 2,
                                        .key_count = 1,
                                        .columns = fields,
                                        .key = key};

static void note(struct fake_record *r, leat_epoch epoch, int64_t count)
{
    pthread_mutex_lock(&r->lock);
    if (epoch < FAKE_EPOCHS)
        r->by_epoch[epoch] += count;
    pthread_mutex_unlock(&r->lock);
}

static leat_status save_count(struct leat_ctx *ctx, struct leat_state_out *out, int64_t count)
{
    out->version = 1;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, &count, sizeof count);
}

static leat_status on_wake_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static void wake_later(struct leat_ctx *ctx, int64_t usec)
{
    (void)ctx->host->timer(ctx, usec, on_wake_timer, NULL);
}

// --- source

struct source {
    struct fake_source_config *config;
    int64_t done; // of our share
    uint32_t instance, instances;
    int opens;
    bool ended_txn, said_caught_up;
};

static leat_status source_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = (struct fake_source_config *)(uintptr_t)request->config;
    *self = s;
    return LEAT_OK;
}

static leat_status source_load(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct source *s = self;
    memcpy(&s->done, in->ptr, sizeof s->done);
    return LEAT_OK;
}

static leat_status source_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct source *s = self;
    if (s->config->never_opens)
        return LEAT_AGAIN;
    if (s->config->slow_open && s->opens++ == 0) {
        wake_later(ctx, 1000);
        return LEAT_AGAIN;
    }
    s->instance = open->instance;
    s->instances = open->instances;
    atomic_fetch_add(&s->config->opened, 1);
    return LEAT_OK;
}

static bool is_open(const struct source *s, int64_t id)
{
    const struct fake_source_config *c = s->config;
    int64_t next = s->instance + s->done * s->instances;
    if (next >= c->count)
        return c->last_txn_lost;
    return c->txn_rows && (id + 1) % c->txn_rows;
}

static leat_status source_emit(struct leat_ctx *ctx, struct source *s)
{
    struct leat_batch *b = leat_batch_new(ctx, &fake_schema, s->config->batch_rows);
    if (!b)
        return leat_no_memory(ctx);
    int64_t id = 0;
    while (b->rows < b->capacity && s->instance + s->done * s->instances < s->config->count) {
        id = s->instance + s->done++ * s->instances;
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, row, id);
        leat_batch_set_i64(b, 1, row, 2 * id);
    }
    if (is_open(s, id))
        b->flags |= LEAT_BATCH_TXN_OPEN;
    return ctx->host->emit(ctx, 0, b);
}

static leat_status source_at_end(struct leat_ctx *ctx, struct source *s)
{
    if (s->config->last_txn_lost && !s->ended_txn) {
        s->ended_txn = true;
        return ctx->host->emit(ctx, 0, leat_batch_new(ctx, &fake_schema, 1));
    }
    if (s->config->catches_up && !s->said_caught_up) {
        s->said_caught_up = true;
        ctx->host->caught_up(ctx);
    }
    return s->config->endless ? LEAT_AGAIN : LEAT_END;
}

static leat_status source_poll(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    struct fake_source_config *c = s->config;
    if (c->fail_at && s->done * s->instances >= c->fail_at && atomic_fetch_sub(&c->failures, 1) > 0)
        return leat_fail(ctx, c->failure, "LEAT-X0001", "the source fails as it was told");
    if (s->instance + s->done * s->instances >= c->count)
        return source_at_end(ctx, s);
    return source_emit(ctx, s);
}

static leat_status source_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct source *s = self;
    note(&s->config->at, out->epoch, s->done);
    return save_count(ctx, out, s->done);
}

static leat_status source_complete(struct leat_ctx *ctx, void *self, leat_epoch epoch)
{
    struct source *s = self;
    atomic_store(&s->config->completed, epoch);
    return LEAT_OK;
}

static leat_status source_close(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    atomic_fetch_add(&s->config->closed, 1);
    return LEAT_OK;
}

static void free_self(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static const struct leat_source_ops source_ops = {
    .struct_size = sizeof source_ops,
    .create = source_create,
    .load_state = source_load,
    .open = source_open,
    .poll = source_poll,
    .save_state = source_save,
    .on_checkpoint_complete = source_complete,
    .close = source_close,
    .destroy = free_self,
};
const struct leat_component fake_source = {
    .struct_size = sizeof fake_source, .kind = LEAT_SOURCE, .name = "fake-source", .source = &source_ops};

// --- operators

struct op {
    void *bound;
    int64_t count;
};

static leat_status op_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct op *o = calloc(1, sizeof *o);
    if (!o)
        return leat_no_memory(ctx);
    o->bound = (void *)(uintptr_t)bound;
    *self = o;
    return LEAT_OK;
}

static leat_status op_load(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct op *o = self;
    memcpy(&o->count, in->ptr, sizeof o->count);
    return LEAT_OK;
}

static leat_status pass_on(struct leat_ctx *ctx, const struct leat_batch *in)
{
    struct leat_batch *b = ctx->host->batch_create(ctx, in->schema, in->capacity, 1);
    if (!b)
        return leat_no_memory(ctx);
    for (uint32_t i = 0; i < in->rows; i++)
        leat_batch_add(b, in->kinds[i]);
    for (uint32_t c = 0; c < in->column_count; c++)
        leat_batch_borrow(b, c, in, c);
    b->flags = in->flags;
    if (ctx->host->batch_keep(b, in) != LEAT_OK) {
        leat_batch_unref(b);
        return leat_no_memory(ctx);
    }
    leat_status st = ctx->host->emit(ctx, 0, b);
    return st < 0 ? st : LEAT_OK;
}

static leat_status pass_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct op *o = self;
    o->count += in->rows;
    return pass_on(ctx, in);
}

static leat_status op_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct op *o = self;
    if (o->bound)
        note(o->bound, out->epoch, o->count);
    return save_count(ctx, out, o->count);
}

static const struct leat_operator_ops pass_ops = {
    .struct_size = sizeof pass_ops,
    .create = op_create,
    .load_state = op_load,
    .process = pass_process,
    .save_state = op_save,
    .destroy = free_self,
};
const struct leat_component fake_pass = {
    .struct_size = sizeof fake_pass, .kind = LEAT_OPERATOR, .name = "fake-pass", .op = &pass_ops};

static leat_status shaped_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    return save_count(ctx, out, ((struct op *)self)->count);
}

static uint64_t shaped_shape(const void *bound)
{
    return ((const struct fake_shape_config *)bound)->shape;
}

static const char *shaped_words(const void *bound)
{
    return ((const struct fake_shape_config *)bound)->words;
}

static const struct leat_operator_ops shaped_ops = {
    .struct_size = sizeof shaped_ops,
    .create = op_create,
    .load_state = op_load,
    .process = pass_process,
    .save_state = shaped_save,
    .destroy = free_self,
    .state_shape = shaped_shape,
    .state_words = shaped_words,
};
const struct leat_component fake_shaped = {
    .struct_size = sizeof fake_shaped, .kind = LEAT_OPERATOR, .name = "fake-shaped", .op = &shaped_ops};

static leat_status swallow_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    // what ends a transaction gives no row
    return in->flags & LEAT_BATCH_TXN_OPEN ? pass_on(ctx, in) : LEAT_OK;
}

static const struct leat_operator_ops swallow_ops = {
    .struct_size = sizeof swallow_ops, .create = op_create, .process = swallow_process, .destroy = free_self};
const struct leat_component fake_swallow = {
    .struct_size = sizeof fake_swallow, .kind = LEAT_OPERATOR, .name = "fake-swallow", .op = &swallow_ops};

static leat_status gate_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct op *o = self;
    struct fake_gate_config *g = o->bound;
    if (input == 1) {
        atomic_fetch_add(&g->rows1, (int)in->rows);
        return LEAT_OK;
    }
    if (atomic_load(&g->rows1) < g->first)
        atomic_fetch_add(&g->early, 1);
    atomic_fetch_add(&g->rows0, (int)in->rows);
    return pass_on(ctx, in);
}

static leat_status gate_end(struct leat_ctx *ctx, void *self, uint32_t input)
{
    struct op *o = self;
    struct fake_gate_config *g = o->bound;
    atomic_fetch_add(&g->ends, 1);
    return LEAT_OK;
}

static const struct leat_operator_ops gate_ops = {
    .struct_size = sizeof gate_ops,
    .create = op_create,
    .process = gate_process,
    .input_end = gate_end,
    .destroy = free_self,
};
const struct leat_component fake_gate = {
    .struct_size = sizeof fake_gate, .kind = LEAT_OPERATOR, .name = "fake-gate", .op = &gate_ops};

// --- sink

struct sink {
    struct fake_sink_config *config;
    int64_t count;
    uint32_t writes, flushes;
    bool said_again;
};

static leat_status sink_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = (struct fake_sink_config *)(uintptr_t)bound;
    *self = s;
    return LEAT_OK;
}

static leat_status sink_load(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct sink *s = self;
    int64_t count;
    memcpy(&count, in->ptr, sizeof count);
    s->count += count;
    return LEAT_OK;
}

static void note_row(struct fake_sink_config *c, int64_t id, uint8_t kind)
{
    if (c->kinds && c->rows < c->seen_count) {
        c->kinds[c->rows] = kind;
        c->ids[c->rows] = id;
    }
    c->rows++;
    if (id < c->seen_count && c->seen[id] < 255)
        c->seen[id]++;
}

static leat_status sink_refuse(struct leat_ctx *ctx, struct fake_sink_config *c)
{
    if (c->bug_without_words)
        return LEAT_BUG;
    return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0002", "the sink fails as it was told");
}

static leat_status sink_write(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct sink *s = self;
    struct fake_sink_config *c = s->config;
    s->writes++;
    if (c->is_stuck || (c->again_every && s->writes % c->again_every == 0 && !s->said_again)) {
        s->said_again = true;
        wake_later(ctx, 500);
        return LEAT_AGAIN;
    }
    s->said_again = false;
    if (c->fail_every && !c->fails_flush && s->writes % c->fail_every == 0 && atomic_fetch_sub(&c->failures, 1) > 0)
        return sink_refuse(ctx, c);
    pthread_mutex_lock(&c->lock);
    for (uint32_t i = 0; i < b->rows; i++)
        note_row(c, b->columns[0].cells[i].i64, b->kinds[i]);
    pthread_mutex_unlock(&c->lock);
    s->count += b->rows;
    return LEAT_OK;
}

static leat_status sink_flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct sink *s = self;
    struct fake_sink_config *c = s->config;
    if (how != LEAT_FLUSH_DURABLE)
        return LEAT_OK;
    // one that is stuck is so also for a barrier that comes before its first row
    if (c->is_stuck || (c->slow_flush && s->flushes++ % 2 == 0)) {
        wake_later(ctx, 500);
        return LEAT_AGAIN;
    }
    if (c->fails_flush && atomic_fetch_sub(&c->failures, 1) > 0)
        return sink_refuse(ctx, c);
    atomic_fetch_add(&c->flushes, 1);
    return LEAT_OK;
}

static leat_status sink_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct sink *s = self;
    note(&s->config->at, out->epoch, s->count);
    return save_count(ctx, out, s->count);
}

static const struct leat_sink_ops sink_ops = {
    .struct_size = sizeof sink_ops,
    .create = sink_create,
    .load_state = sink_load,
    .write = sink_write,
    .flush = sink_flush,
    .save_state = sink_save,
    .destroy = free_self,
};
const struct leat_component fake_sink = {
    .struct_size = sizeof fake_sink, .kind = LEAT_SINK, .name = "fake-sink", .sink = &sink_ops};

void fake_sink_init(struct fake_sink_config *sink, int64_t ids)
{
    pthread_mutex_init(&sink->lock, NULL);
    sink->seen = calloc((size_t)ids, 1);
    sink->seen_count = ids;
}

void fake_sink_fini(struct fake_sink_config *sink)
{
    free(sink->seen);
    free(sink->kinds);
    free(sink->ids);
    pthread_mutex_destroy(&sink->lock);
}

int64_t fake_sink_rows(struct fake_sink_config *sink)
{
    pthread_mutex_lock(&sink->lock);
    int64_t rows = sink->rows;
    pthread_mutex_unlock(&sink->lock);
    return rows;
}

bool fake_sink_complete(struct fake_sink_config *sink, int64_t count, uint8_t times, uint8_t most)
{
    bool complete = true;
    pthread_mutex_lock(&sink->lock);
    for (int64_t i = 0; i < count && complete; i++)
        complete = sink->seen[i] >= times && sink->seen[i] <= most;
    pthread_mutex_unlock(&sink->lock);
    return complete;
}

// --- plans

#define PLAN_MAX 16

struct plan_job *fake_plan(void)
{
    struct base_arena *arena = base_arena_create(0, 0);
    struct plan_job *plan = base_arena_calloc(arena, 1, sizeof *plan);
    plan->arena = arena;
    plan->pipeline = "test";
    plan->name = "job";
    plan->nodes = base_arena_calloc(arena, PLAN_MAX, sizeof *plan->nodes);
    plan->edges = base_arena_calloc(arena, PLAN_MAX, sizeof *plan->edges);
    plan->node_max = PLAN_MAX;
    plan->complete = 1;
    plan->local_time_zone = "UTC";
    return plan;
}

struct plan_node *fake_node(struct plan_job *plan, const char *name, const struct leat_component *component,
                            const void *config, uint32_t parallelism)
{
    struct plan_node *n = base_arena_calloc(plan->arena, 1, sizeof *n);
    n->name = name;
    n->kind = component->kind;
    n->component = component;
    n->config = config;
    n->id = plan->node_count;
    n->parallelism = parallelism;
    n->source_request = (struct leat_source_request){.struct_size = sizeof n->source_request, .config = config};
    n->bound = (void *)(uintptr_t)config;
    n->inputs = base_arena_calloc(plan->arena, 2, sizeof(struct plan_edge *));
    if (component->kind != LEAT_SINK) {
        n->outputs = base_arena_calloc(plan->arena, 1, sizeof *n->outputs);
        n->outputs[0] =
            (struct plan_output){.name = "", .schema = &fake_schema, .mode = LEAT_MODE_INSERT_ONLY, .used = 1};
        n->output_count = 1;
    }
    plan->nodes[plan->node_count++] = n;
    return n;
}

struct plan_edge *fake_edge(struct plan_job *plan, struct plan_node *from, struct plan_node *to, uint32_t input,
                            enum plan_share share)
{
    struct plan_edge *e = base_arena_calloc(plan->arena, 1, sizeof *e);
    e->from = from;
    e->to = to;
    e->input = input;
    e->share = share;
    e->columns = e->key = key;
    e->column_count = e->key_count = 1;
    to->inputs[input] = e;
    if (to->input_count <= input)
        to->input_count = input + 1;
    plan->edges[plan->edge_count++] = e;
    return e;
}

void fake_plan_destroy(struct plan_job *plan)
{
    base_arena_destroy(plan->arena);
}
