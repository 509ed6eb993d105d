// SPDX-License-Identifier: Apache-2.0
// Queries without state: every slice of a batch goes through the stage of its branch; see exec.h.
#include "exec/exec.h"

#include <string.h>

void sql_exec_show(struct sql_exec *x, uint32_t input, const struct leat_batch *b, uint32_t first)
{
    struct sql_vec *v = x->columns + x->plan->first[input];
    for (uint32_t c = 0; c < b->column_count; c++)
        v[c] = (struct sql_vec){b->columns[c].cells + first, b->columns[c].states + first, 0};
}

uint32_t sql_exec_slice(const struct leat_batch *b, uint32_t first)
{
    uint32_t n = b->rows - first;
    if (n <= SQL_VEC_MAX)
        return n;
    n = SQL_VEC_MAX;
    return b->kinds[first + n - 1] == LEAT_UPDATE_BEFORE ? n - 1 : n;
}

static const struct sql_branch *branch_of(const struct sql_plan *p, uint32_t input)
{
    for (uint32_t b = 0; b < p->branch_count; b++)
        if (p->branches[b].input == input)
            return &p->branches[b];
    return NULL;
}

leat_status sql_exec_process(struct leat_ctx *ctx, struct sql_exec *x, uint32_t input, const struct leat_batch *b)
{
    const struct sql_branch *branch = branch_of(x->plan, input);
    if (!branch)
        return LEAT_OK;
    x->ev.now = ctx->host->now(ctx);
    while (x->resume < b->rows) {
        uint32_t first = x->resume, n = sql_exec_slice(b, first);
        sql_exec_show(x, input, b, first);
        struct sql_stage s = {.branch = branch,
                              .mode = x->plan->inputs[input].mode,
                              .rows = n,
                              .kinds = b->kinds + first,
                              .times = b->times ? b->times + first : NULL,
                              .positions = b->positions ? b->positions + first : NULL,
                              .arrived = b->arrived,
                              .flags = b->flags,
                              .keep = b,
                              .whole = b,
                              .input = input,
                              .first = first};
        if (first + n < b->rows)
            s.flags |= LEAT_BATCH_TXN_OPEN; // the rest follows
        leat_status st = sql_stage_run(ctx, x, &s);
        if (st < 0) {
            x->resume = 0;
            return st;
        }
        x->resume += n;
        if (st == LEAT_AGAIN && x->resume < b->rows)
            return LEAT_AGAIN;
    }
    x->resume = 0;
    return LEAT_OK;
}
