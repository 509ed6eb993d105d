// SPDX-License-Identifier: Apache-2.0
// See query.h.
#include "query.h"

void query_bind(struct query *q, const char *text)
{
    const struct leat_component *component = micro_component("sql", LEAT_OPERATOR);
    struct leat_input_names names;
    struct leat_operator_plan plan = {.struct_size = sizeof plan};
    q->ctx = micro_ctx();
    q->op = component->op;
    q->config = micro_config(component, (const char *[]){"query", text, NULL});
    must(q->op->inputs(&q->ctx, q->config, &names) == LEAT_OK && names.count == q->count, "the query's inputs");
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = q->config,
                                            .inputs = q->inputs,
                                            .input_count = q->count,
                                            .local_time_zone = "UTC",
                                            .input_stride = sizeof q->inputs[0]};
    must(q->op->bind(&q->ctx, &request, &plan, &q->bound) == LEAT_OK, "bind");
}

void query_open(struct query *q)
{
    struct leat_open open = {.struct_size = sizeof open, .instances = 1, .first_run = 1, .local_time_zone = "UTC"};
    if (q->self)
        q->op->destroy(&q->ctx, q->self);
    must(q->op->create(&q->ctx, q->bound, &q->self) == LEAT_OK, "create");
    must(!q->op->open || q->op->open(&q->ctx, q->self, &open) == LEAT_OK, "open");
}

void query_process(struct query *q, uint32_t input, const struct leat_batch *b)
{
    leat_status st;
    while ((st = q->op->process(&q->ctx, q->self, input, b)) == LEAT_AGAIN)
        ;
    must(st == LEAT_OK, "process");
}
