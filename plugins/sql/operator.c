// SPDX-License-Identifier: Apache-2.0
// The operator's vtable: the query is parsed and planned when the pipeline is checked, and planned again for each
// instance, whose plan is its own.
#include "operator.h"

#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "plan/review.h"

// What bind leaves for the instances.
struct bound {
    struct sql_parsed *parsed;
    struct sql_plan *plan;     // NULL: a schema was not known
    struct sql_review *review; // then: what can be told all the same
    struct sql_faults faults;
    struct leat_input *inputs;
    uint32_t input_count;
    char *zone;
    struct leat_port port;
    struct leat_input_need *needs; // without a plan: nothing is needed
};

static const char *code_of(uint8_t kind)
{
    static const char *const codes[] = {
        [SQL_DIAG_NONE] = "LEAT-S0101", [SQL_DIAG_SYNTAX] = "LEAT-S0101",      [SQL_DIAG_NAME] = "LEAT-S0102",
        [SQL_DIAG_TYPE] = "LEAT-S0103", [SQL_DIAG_UNSUPPORTED] = "LEAT-S0104", [SQL_DIAG_RESOURCE] = "LEAT-S0105",
        [SQL_DIAG_DATA] = "LEAT-S0103",
    };
    return codes[kind];
}

leat_status sql_report(struct leat_ctx *ctx, const struct sql_diag *d)
{
    leat_diag(ctx, LEAT_DIAG_ERROR, code_of(d->kind), "query", d->offset, d->hint[0] ? d->hint : NULL, "%s",
              d->message);
    return leat_fail(ctx, LEAT_CONFIG, code_of(d->kind), "%s", d->message);
}

leat_status sql_report_all(struct leat_ctx *ctx, const struct sql_faults *faults)
{
    const struct sql_diag *first = &faults->items[0];
    for (uint32_t i = 0; i < faults->count; i++)
        sql_report(ctx, &faults->items[i]);
    return leat_fail(ctx, LEAT_CONFIG, code_of(first->kind), "%s", first->message);
}

static struct leat_bytes query_of(const void *config)
{
    const struct sql_config *c = config;
    const char *text = c->query ? c->query : "";
    return (struct leat_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

// The table's name as it stands in the query: the core reads dots and back quotes itself.
static int name_of(const struct sql_table *t, const char *query, struct leat_input_name *out, struct sql_diag *d)
{
    const struct sql_name *first = &t->names[0], *last = &t->names[t->name_count - 1];
    uint32_t length = last->offset + last->length - first->offset, wanted = t->name_count - 1;
    for (uint32_t i = 0; i < t->name_count; i++)
        wanted += t->names[i].length;
    if (length != wanted)
        return sql_diag_set(d, SQL_DIAG_SYNTAX, first->offset, length, "a table name has no blanks around its dots");
    if (t->name_count == 1 && last->length > 2 && query[last->offset] == '`')
        *out = (struct leat_input_name){.name = {(const uint8_t *)query + last->offset + 1, last->length - 2}};
    else
        *out = (struct leat_input_name){.name = {(const uint8_t *)query + first->offset, length}};
    out->kind = t->asked ? LEAT_INPUT_LOOKUP : LEAT_INPUT_STREAM;
    out->option = "query";
    out->offset = first->offset;
    return 0;
}

static leat_status op_inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    // handed out until the next call on this thread, as the ABI says; the names point into the option's text
    static _Thread_local struct leat_input_name items[LEAT_INPUTS_MAX];
    struct sql_diag d = {0};
    struct sql_faults faults = {.count = 0};
    struct sql_parsed *q = sql_query_parse(query_of(config), &faults);
    if (!q)
        return sql_report_all(ctx, &faults);
    for (uint32_t i = 0; i < q->table_count; i++)
        if (name_of(q->tables[i], (const char *)query_of(config).ptr, &items[i], &d)) {
            sql_query_destroy(q);
            return sql_report(ctx, &d);
        }
    *names = (struct leat_input_names){.count = q->table_count, .items = items};
    sql_query_destroy(q);
    return LEAT_OK;
}

// --- bind ---

static void op_unbind(void *bound)
{
    struct bound *b = bound;
    if (!b)
        return;
    sql_plan_unref(b->plan);
    sql_review_destroy(b->review);
    sql_query_destroy(b->parsed);
    free(b->inputs);
    free(b->needs);
    free(b->zone);
    free(b);
}

static struct bound *bound_create(const struct leat_operator_request *request)
{
    struct bound *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->input_count = request->input_count;
    b->inputs = calloc(b->input_count + 1, sizeof *b->inputs);
    b->needs = calloc(b->input_count + 1, sizeof *b->needs);
    b->zone = strdup(request->local_time_zone ? request->local_time_zone : "UTC");
    if (!b->inputs || !b->needs || !b->zone) {
        op_unbind(b);
        return NULL;
    }
    for (uint32_t i = 0; i < b->input_count; i++)
        b->inputs[i] = *leat_operator_input(request, i);
    return b;
}

static int all_known(const struct bound *b)
{
    for (uint32_t i = 0; i < b->input_count; i++) {
        const struct leat_schema *s = b->inputs[i].schema;
        for (uint32_t c = 0; s && c < s->column_count; c++)
            if (s->columns[c].type.flags & LEAT_TYPE_IS_UNKNOWN)
                return 0;
        if (!s)
            return 0;
    }
    return 1;
}

// Without schemas: what changes stays changing; what only grows may become anything.
static uint8_t mode_unplanned(const struct bound *b)
{
    for (uint32_t i = 0; i < b->input_count; i++)
        if (b->inputs[i].kind == LEAT_INPUT_STREAM && b->inputs[i].mode != LEAT_MODE_INSERT_ONLY)
            return LEAT_MODE_ALL;
    return 0;
}

static void answer(struct bound *b, struct leat_operator_plan *plan)
{
    plan->needs = b->needs;
    plan->need_stride = sizeof *b->needs;
    plan->parallel_max = 0;
    b->port.mode = mode_unplanned(b);
    b->port.schema = b->review && b->review->has_schema ? &b->review->schema : NULL;
    if (b->plan) {
        b->port.schema = &b->plan->schema;
        b->port.mode = b->plan->mode;
        plan->needs = b->plan->needs;
        plan->explain = b->plan->explain;
        plan->has_state = b->plan->branch_count && b->plan->branches[0].join;
        if (plan->has_state && !b->plan->branches[0].join->sides[0].share_count)
            plan->parallel_max = 1;
    }
    plan->ports = (struct leat_ports){.count = 1, .items = &b->port};
}

// What could not be bound is kept until the next bind of this thread, since its ports are shown to the readers.
static void keep_failed(struct bound *b)
{
    static _Thread_local struct bound *last;
    op_unbind(last);
    last = b;
}

static void set_waits(struct bound *b, const struct sql_config *config)
{
    for (uint32_t i = 0; b->plan && i < b->input_count; i++) {
        struct leat_input_need *need = &b->plan->needs[i];
        need->wait_always = need->wait_first && config->wait == SQL_WAIT_ALWAYS;
        need->wait_timeout = config->wait_timeout;
        need->wait_go_on = config->wait_on_timeout == SQL_TIMEOUT_GO_ON;
    }
}

static leat_status op_bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                           struct leat_operator_plan *plan, void **bound)
{
    struct sql_diag d = {0};
    struct bound *b = bound_create(request);
    keep_failed(NULL);
    if (!b)
        return leat_no_memory(ctx);
    b->parsed = sql_query_parse(query_of(request->config), &b->faults);
    if (b->parsed && b->parsed->table_count != b->input_count)
        sql_diag_set(&d, SQL_DIAG_NAME, 0, 1, "the query reads %u tables, %u are bound", b->parsed->table_count,
                     b->input_count);
    if (d.kind)
        sql_faults_add(&b->faults, &d);
    int readable = b->parsed && !d.kind;
    if (readable && !b->faults.count && all_known(b))
        b->plan = sql_plan_create(b->parsed, b->inputs, b->input_count, b->zone, &b->faults);
    else if (readable)
        plan_refusals(b->parsed, &b->faults);
    if (readable && !b->plan)
        b->review = sql_review_create(b->parsed, b->inputs, b->input_count, b->zone, &b->faults);
    if (b->faults.count) {
        leat_status st = sql_report_all(ctx, &b->faults);
        answer(b, plan);
        keep_failed(b);
        return st;
    }
    answer(b, plan);
    set_waits(b, request->config);
    *bound = b;
    return LEAT_OK;
}

// --- instances ---

static void op_destroy(struct leat_ctx *ctx, void *self)
{
    struct sql_exec *x = self;
    if (!x)
        return;
    sql_joiner_destroy(ctx, x->joiner);
    sql_lookups_destroy(x->lookups, x->plan);
    sql_evaluator_fini(&x->ev);
    free(x->columns);
    sql_plan_unref(x->plan);
    free(x);
}

static leat_status op_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    const struct bound *b = bound;
    struct sql_faults faults = {.count = 0};
    if (!b->plan)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-S0102", "the columns of an input are not known");
    struct sql_exec *x = calloc(1, sizeof *x);
    if (!x)
        return leat_no_memory(ctx);
    sql_evaluator_init(&x->ev, b->zone);
    x->plan = sql_plan_create(b->parsed, b->inputs, b->input_count, b->zone, &faults);
    if (!x->plan) {
        op_destroy(ctx, x);
        return leat_fail(ctx, LEAT_CONFIG, code_of(faults.items[0].kind), "%s", faults.items[0].message);
    }
    uint32_t total = x->plan->first[b->input_count] + 1;
    x->columns = calloc(total, sizeof *x->columns);
    x->ev.columns = x->columns;
    x->ev.column_count = total;
    leat_status st = x->columns ? LEAT_OK : leat_no_memory(ctx);
    if (st == LEAT_OK && x->plan->branch_count && x->plan->branches[0].join)
        st = sql_joiner_create(ctx, x);
    if (st == LEAT_OK && x->plan->branch_count && x->plan->branches[0].lookup_count)
        st = sql_lookups_create(ctx, x);
    if (st != LEAT_OK) {
        op_destroy(ctx, x);
        return st;
    }
    *self = x;
    return LEAT_OK;
}

static leat_status op_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct sql_exec *x = self;
    if (x->joiner)
        return sql_joiner_load(ctx, x, in);
    return in->len ? leat_fail(ctx, LEAT_FATAL, SQL_CODE_STATE, "there is state for a query that has none") : LEAT_OK;
}

static leat_status op_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct sql_exec *x = self;
    return x->joiner ? sql_joiner_open(ctx, x, open) : LEAT_OK;
}

static leat_status op_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *batch)
{
    struct sql_exec *x = self;
    if (x->lookups)
        return sql_lookups_process(ctx, x, batch);
    return x->joiner ? sql_joiner_process(ctx, x, input, batch) : sql_exec_process(ctx, x, input, batch);
}

static leat_status op_process_answer(struct leat_ctx *ctx, void *self, uint64_t ticket, const struct leat_batch *rows,
                                     const uint32_t *key_of_row)
{
    return sql_lookups_answer(ctx, self, ticket, rows, key_of_row);
}

static leat_status op_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct sql_exec *x = self;
    return x->joiner ? sql_joiner_save(ctx, x, out) : LEAT_OK;
}

static leat_status op_close(struct leat_ctx *ctx, void *self)
{
    return LEAT_OK;
}

// --- the shape of the state ---

static const char *op_state_words(const void *bound)
{
    const struct bound *b = bound;
    return b->plan ? b->plan->state_words : NULL;
}

// FNV-1a of the words: the same on every machine and in every version, since it is compared with a saved one.
static uint64_t op_state_shape(const void *bound)
{
    const char *words = op_state_words(bound);
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *at = words; at && *at; at++)
        h = (h ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    return !words ? 0 : h ? h : 1;
}

const struct leat_operator_ops sql_operator_ops = {
    .struct_size = sizeof sql_operator_ops,
    .inputs = op_inputs,
    .bind = op_bind,
    .unbind = op_unbind,
    .create = op_create,
    .load_state = op_load_state,
    .open = op_open,
    .process = op_process,
    .process_answer = op_process_answer,
    .save_state = op_save_state,
    .close = op_close,
    .destroy = op_destroy,
    .state_shape = op_state_shape,
    .state_words = op_state_words,
};
