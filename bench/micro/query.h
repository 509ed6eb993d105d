// SPDX-License-Identifier: Apache-2.0
// The sql operator over one or two inputs, as the server opens it, for the micro benches.
#ifndef MICRO_QUERY_H
#define MICRO_QUERY_H

#include "micro.h"

struct query {
    struct leat_ctx ctx;
    const struct leat_operator_ops *op;
    struct leat_input inputs[2];
    uint32_t count;
    void *config, *bound, *self;
};

// Parses and plans `text` over the inputs that are set.
void query_bind(struct query *q, const char *text);
// A fresh instance, without state; the one before is destroyed.
void query_open(struct query *q);
void query_process(struct query *q, uint32_t input, const struct leat_batch *b);

#endif
