// SPDX-License-Identifier: Apache-2.0
// The source `values`: the rows of a query that reads no table, once. Bounded; state is the number of rows given.
#include "operator.h"

#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "plan/review.h"

struct values {
    struct sql_parsed *parsed;
    struct sql_plan *plan;
    struct sql_evaluator ev;
    struct leat_port port;
    uint32_t next; // row to give
};

static void values_free(struct values *v)
{
    if (!v)
        return;
    sql_plan_unref(v->plan);
    sql_query_destroy(v->parsed);
    sql_evaluator_fini(&v->ev);
    free(v);
}

static struct values *values_create(const struct leat_source_request *request, struct sql_faults *faults)
{
    const struct sql_config *c = request->config;
    const char *text = c->query ? c->query : "";
    struct values *v = calloc(1, sizeof *v);
    struct sql_diag d = {0};
    memset(faults, 0, sizeof *faults);
    if (!v) {
        sql_diag_memory(&d);
        sql_faults_add(faults, &d);
        return NULL;
    }
    sql_evaluator_init(&v->ev, "UTC");
    v->parsed = sql_query_parse((struct leat_bytes){(const uint8_t *)text, (uint32_t)strlen(text)}, faults);
    if (v->parsed && v->parsed->table_count) {
        const struct sql_table *t = v->parsed->tables[0];
        sql_diag_set(&d, SQL_DIAG_NAME, t->offset, t->length, "a query of the source \"values\" reads no table");
        sql_diag_hint(&d, "Use the operator \"sql\".");
        sql_faults_add(faults, &d);
    } else if (v->parsed) {
        if (!faults->count)
            v->plan = sql_plan_create(v->parsed, NULL, 0, v->ev.zone, faults);
        if (!v->plan)
            sql_review_destroy(sql_review_create(v->parsed, NULL, 0, v->ev.zone, faults));
    }
    if (v->plan) {
        v->port = (struct leat_port){.schema = &v->plan->schema, .mode = LEAT_MODE_INSERT_ONLY};
        return v;
    }
    values_free(v);
    return NULL;
}

static void release(void *arg)
{
    values_free(arg);
}

static leat_status src_describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                                struct leat_source_plan *plan)
{
    // the ports are handed out until the next call on this thread, as the ABI says
    static _Thread_local struct values *last;
    struct sql_faults faults;
    if (request->declared) {
        leat_fail(ctx, LEAT_CONFIG, "LEAT-S0103",
                  "the source values takes no schema: its columns are those of its query");
        leat_error_hint(ctx, "Leave [sources.….schema] out; name and type the columns in the query: "
                             "SELECT CAST(a AS BIGINT) AS id FROM (VALUES (1), (2)) AS t(a).");
        return LEAT_CONFIG;
    }
    struct values *v = values_create(request, &faults);
    values_free(last);
    last = v;
    if (!v)
        return sql_report_all(ctx, &faults);
    plan->ports = (struct leat_ports){.count = 1, .items = &v->port};
    plan->parallel_max = 1;
    plan->bounded = 1;
    return LEAT_OK;
}

static leat_status src_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct sql_faults faults;
    struct values *v = values_create(request, &faults);
    if (!v)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-S0103", "%s", faults.items[0].message);
    *self = v;
    return LEAT_OK;
}

static leat_status src_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct values *v = self;
    if (in->version != 1 || in->len != sizeof v->next)
        return leat_fail(ctx, LEAT_FATAL, SQL_CODE_STATE, "the state of the source cannot be read");
    memcpy(&v->next, in->ptr, sizeof v->next);
    return LEAT_OK;
}

static leat_status src_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct values *v = self;
    v->ev.zone = open->local_time_zone ? open->local_time_zone : "UTC";
    return LEAT_OK;
}

static leat_status failed(struct leat_ctx *ctx, const struct values *v, const struct sql_expr *e)
{
    struct sql_exec x = {.plan = v->plan, .ev = v->ev};
    return v->ev.failure.resource ? leat_no_memory(ctx) : sql_fail_row(ctx, &x, e, 0);
}

static leat_status put_cell(struct leat_ctx *ctx, struct values *v, struct leat_batch *b, uint32_t c, uint32_t r,
                            const struct sql_expr *e)
{
    struct sql_vec out;
    if (sql_eval(&v->ev, e, &(struct sql_sel){NULL, 1}, &out))
        return failed(ctx, v, e);
    b->columns[c].states[r] = out.states[0];
    b->columns[c].cells[r] = out.cells[0];
    return LEAT_OK;
}

// Does the row come out?
static leat_status passes(struct leat_ctx *ctx, struct values *v, uint32_t row, int *yes)
{
    struct sql_vec out;
    const struct sql_expr *filter = v->plan->row_filters[row];
    *yes = 1;
    if (!filter)
        return LEAT_OK;
    if (sql_eval(&v->ev, filter, &(struct sql_sel){NULL, 1}, &out))
        return failed(ctx, v, filter);
    *yes = out.states[0] == LEAT_VALUE && out.cells[0].i64;
    return LEAT_OK;
}

static leat_status put_row(struct leat_ctx *ctx, struct values *v, struct leat_batch *b)
{
    int yes;
    leat_status st = passes(ctx, v, v->next, &yes);
    if (st != LEAT_OK || !yes)
        return st;
    uint32_t r = leat_batch_add(b, LEAT_INSERT);
    for (uint32_t c = 0; c < v->plan->out_count && st == LEAT_OK; c++)
        st = put_cell(ctx, v, b, c, r, v->plan->rows[v->next * v->plan->out_count + c]);
    return st;
}

static void plan_release(void *arg)
{
    sql_plan_unref(arg);
}

static leat_status src_poll(struct leat_ctx *ctx, void *self)
{
    struct values *v = self;
    uint32_t left = v->plan->row_count - v->next;
    if (!left)
        return LEAT_END;
    struct leat_batch *b = leat_batch_new(ctx, &v->plan->schema, left < LEAT_BATCH_ROWS ? left : LEAT_BATCH_ROWS);
    if (!b)
        return leat_no_memory(ctx);
    leat_status st = LEAT_OK;
    v->ev.rows = 1;
    v->ev.now = ctx->host->now(ctx);
    v->ev.target = b;
    for (; st == LEAT_OK && v->next < v->plan->row_count && b->rows < b->capacity; v->next++) {
        st = put_row(ctx, v, b);
        sql_evaluator_reset(&v->ev);
    }
    v->ev.target = NULL;
    if (st == LEAT_OK && !b->rows) {
        leat_batch_unref(b);
        return LEAT_OK;
    }
    sql_plan_ref(v->plan); // constants lie in its arena
    if (st == LEAT_OK && ctx->host->batch_attach(b, plan_release, v->plan) == LEAT_OK)
        return ctx->host->emit(ctx, 0, b);
    if (st == LEAT_OK)
        st = leat_no_memory(ctx);
    sql_plan_unref(v->plan);
    leat_batch_unref(b);
    return st;
}

static leat_status src_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct values *v = self;
    out->version = 1;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, &v->next, sizeof v->next);
}

static leat_status src_close(struct leat_ctx *ctx, void *self)
{
    return LEAT_OK;
}

static void src_destroy(struct leat_ctx *ctx, void *self)
{
    release(self);
}

const struct leat_source_ops sql_values_ops = {
    .struct_size = sizeof sql_values_ops,
    .describe = src_describe,
    .create = src_create,
    .load_state = src_load_state,
    .open = src_open,
    .poll = src_poll,
    .save_state = src_save_state,
    .close = src_close,
    .destroy = src_destroy,
};
