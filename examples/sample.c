// SPDX-License-Identifier: Apache-2.0
// sample: an operator that passes every n-th row of its input. It shows how an operator names what it reads, refuses
// what it cannot take, passes values on without copying strings, minds a full way, and keeps its place over a restart.
// Thread: everything on the home worker; `bound` is shared and read-only.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <leat/plugin.h>

#define STATE_VERSION 1

struct config {
    const char *input;
    int64_t every;
};

struct bound {
    const struct config *config;
    struct leat_port port;
    struct leat_input_need need;
};

struct sample {
    const struct bound *bound;
    uint64_t seen; // rows so far
};

static const struct leat_option options[] = {
    {.name = "input",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED,
     .offset = offsetof(struct config, input),
     .doc = "The node whose rows are sampled.",
     .example = "\"orders\""},
    {.name = "every",
     .type = LEAT_OPT_INT,
     .def = "10",
     .min = "1",
     .offset = offsetof(struct config, every),
     .doc = "One row of so many is passed, beginning with the first."},
};

static leat_status inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    static _Thread_local struct leat_input_name name; // valid until the next call, as operator.h asks
    const char *input = ((const struct config *)config)->input;
    name = (struct leat_input_name){
        .name = {(const uint8_t *)input, (uint32_t)strlen(input)}, .kind = LEAT_INPUT_STREAM, .option = "input"};
    *names = (struct leat_input_names){.count = 1, .items = &name, .stride = sizeof name};
    return LEAT_OK;
}

static leat_status bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                        struct leat_operator_plan *plan, void **bound)
{
    struct bound *b = calloc(1, sizeof *b);
    if (!b)
        return leat_no_memory(ctx);
    b->config = request->config;
    b->port = (struct leat_port){.schema = leat_operator_input(request, 0)->schema, .mode = LEAT_MODE_INSERT_ONLY};
    b->need.mode = LEAT_MODE_INSERT_ONLY; // half of a change would make no sense
    plan->ports = (struct leat_ports){.count = 1, .items = &b->port, .stride = sizeof b->port};
    plan->needs = &b->need;
    plan->need_stride = sizeof b->need;
    plan->has_state = 1;
    plan->parallel_max = 1;
    plan->explain = "pass every n-th row";
    *bound = b;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct sample *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->bound = bound;
    *self = s;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct sample *s = self;
    if (in->version != STATE_VERSION || in->len != sizeof s->seen)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-X0301", "the saved count has version %u and %zu bytes", in->version,
                         in->len);
    memcpy(&s->seen, in->ptr, sizeof s->seen);
    return LEAT_OK;
}

// A row moves by its cells: strings stay where they are, since `out` keeps `in` alive.
static void copy_row(struct leat_batch *out, const struct leat_batch *in, uint32_t row)
{
    uint32_t to = leat_batch_add(out, in->kinds[row]);
    for (uint32_t col = 0; col < in->column_count; col++) {
        out->columns[col].cells[to] = in->columns[col].cells[row];
        out->columns[col].states[to] = in->columns[col].states[row];
    }
}

static leat_status process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct sample *s = self;
    uint64_t every = (uint64_t)s->bound->config->every;
    if (!in->rows)
        return LEAT_OK;
    struct leat_batch *out = leat_batch_new(ctx, in->schema, in->rows);
    if (!out || ctx->host->batch_keep(out, in) < 0) {
        leat_batch_unref(out);
        return leat_no_memory(ctx);
    }
    out->arrived = in->arrived; // latency is measured from there
    for (uint32_t row = 0; row < in->rows; row++)
        if ((s->seen + row) % every == 0)
            copy_row(out, in, row);
    s->seen += in->rows;
    leat_status st = ctx->host->emit(ctx, 0, out); // takes the batch
    return st < 0 ? st : LEAT_OK; // LEAT_AGAIN said that the way is full: nothing more comes out of this batch
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct sample *s = self;
    out->version = STATE_VERSION;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, &s->seen, sizeof s->seen);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static const struct leat_operator_ops ops = {
    .struct_size = sizeof ops,
    .inputs = inputs,
    .bind = bind,
    .unbind = free,
    .create = create,
    .load_state = load_state,
    .process = process,
    .save_state = save_state,
    .destroy = destroy,
};

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_OPERATOR,
    .name = "sample",
    .summary = "passes every n-th row",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct config),
    .op = &ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-X0301", "The saved count was not written by this plugin.", "Start without the saved state."},
};

LEAT_PLUGIN("sample", "1.0.0", "operator:sample", components, codes, sizeof codes / sizeof codes[0])
