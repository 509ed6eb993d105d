// SPDX-License-Identifier: Apache-2.0
// sample: an operator that passes every n-th row of its input. It shows how an operator names what it reads, refuses
// what it cannot take, passes values on without copying strings, minds a full way, and keeps its place over a restart.
// Thread: everything on the home worker; `bound` is shared and read-only.
#include <stdlib.h>

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
    LEAT_OPTION(struct config, input, STRING, .name = "input", .flags = LEAT_OPT_REQUIRED, .example = "\"orders\"",
                .doc = "The node whose rows are sampled."),
    LEAT_OPTION(struct config, every, INT, .name = "every", .def = "10", .min = "1",
                .doc = "One row of so many is passed, beginning with the first."),
};

static leat_status inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    static _Thread_local struct leat_input_name name;
    *names = leat_one_input(&name, "input", ((const struct config *)config)->input);
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
    plan->ports = leat_one_port(&b->port);
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
    return leat_state_load(ctx, in, STATE_VERSION, &s->seen, sizeof s->seen, "LEAT-X0301");
}

static leat_status process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct sample *s = self;
    uint64_t every = (uint64_t)s->bound->config->every;
    struct leat_batch *out = leat_batch_like(ctx, in); // keeps `in`, so that its strings stay where they are
    if (!out)
        return leat_no_memory(ctx);
    for (uint32_t row = 0; row < in->rows; row++)
        if ((s->seen + row) % every == 0)
            leat_batch_copy_row(out, in, row);
    s->seen += in->rows;
    leat_status st = ctx->host->emit(ctx, 0, out); // takes the batch
    return st < 0 ? st : LEAT_OK; // LEAT_AGAIN said that the way is full: nothing more comes out of this batch
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct sample *s = self;
    return leat_state_save(ctx, out, STATE_VERSION, &s->seen, sizeof s->seen);
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
    LEAT_COMPONENT(options, struct config),
    .kind = LEAT_OPERATOR,
    .name = "sample",
    .summary = "passes every n-th row",
    .op = &ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-X0301", "The saved count was not written by this plugin.", "Start without the saved state."},
};

LEAT_PLUGIN("sample", "1.0.0", "operator:sample", components, codes, sizeof codes / sizeof codes[0])
