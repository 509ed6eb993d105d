// SPDX-License-Identifier: Apache-2.0
// Lookup joins: rows wait for an answer, are joined with it and go on; see exec.h and plan/lookup.c.
//
// Every lookup of the query has a looker with a queue of batches. One question is under way at a time; what arrives
// meanwhile goes into the next one together, so the pace does not hang on the time a question takes. Equal keys of a
// question are asked for once. A looker hands its rows to the next one, the last one to the stage. Batches leave in the
// order in which they came.
//
// A queue takes batches until it holds QUEUE_ROWS rows or QUEUE_BYTES; then the core keeps the next one. A looker does
// not ask while the next one's queue is full, and keeps its answer until there is room again: the core gives answers in
// order, so that one which is not taken would be in the way of the next looker's own.
#include "exec/lookup_int.h"

#include <stdlib.h>

#define QUEUE_ROWS  8192u
#define QUEUE_BYTES ((size_t)8 << 20)

// --- life

static leat_status make_looker(struct leat_ctx *ctx, struct sql_looker *k, const struct sql_lookup *l)
{
    k->lookup = l;
    k->tail = &k->head;
    k->met_row = LOOKUP_NO_ROW;
    k->fields = calloc(l->key_count, sizeof *k->fields);
    if (!k->fields)
        return leat_no_memory(ctx);
    for (uint32_t i = 0; i < l->key_count; i++)
        k->fields[i].type = *l->keys[i]->type;
    k->schema =
        (struct leat_schema){.struct_size = sizeof k->schema, .column_count = l->key_count, .columns = k->fields};
    return LEAT_OK;
}

static void mark(const struct sql_expr *e, uint8_t *used)
{
    if (e)
        plan_mark_columns(e, used);
}

// Which columns are read by anybody, and which ones of the stream a question rests on.
static int note_columns(struct sql_lookups *l, const struct sql_plan *p)
{
    const struct sql_branch *b = l->branch;
    uint32_t total = p->first[p->input_count] + 1;
    uint8_t *used = calloc(total, 1);
    l->needed = calloc(total, sizeof *l->needed);
    l->asked_with = calloc(total, sizeof *l->asked_with);
    if (!used || !l->needed || !l->asked_with) {
        free(used);
        return -1;
    }
    mark(b->before, used);
    for (uint32_t i = 0; i < b->lookup_count; i++) {
        mark(b->lookups[i].guard, used);
        mark(b->lookups[i].rest, used);
        for (uint32_t k = 0; k < b->lookups[i].key_count; k++)
            mark(b->lookups[i].keys[k], used);
    }
    for (uint32_t c = p->first[b->input]; c < p->first[b->input + 1]; c++)
        if (used[c])
            l->asked_with[l->asked_with_count++] = c;
    mark(b->filter, used);
    for (uint32_t c = 0; c < p->out_count; c++)
        mark(b->out[c], used);
    for (uint32_t c = 0; c + 1 < total; c++)
        if (used[c])
            l->needed[l->needed_count++] = c;
    free(used);
    return 0;
}

static int make_columns(struct sql_lookups *l, const struct sql_plan *p)
{
    uint32_t total = p->first[p->input_count] + 1;
    l->joined = calloc(total, sizeof *l->joined);
    l->wide_fields = calloc(total, sizeof *l->wide_fields);
    if (!l->joined || !l->wide_fields)
        return -1;
    for (uint32_t i = 0; i < p->input_count; i++)
        for (uint32_t c = 0; c < p->inputs[i].schema->column_count; c++)
            l->wide_fields[p->first[i] + c] = p->inputs[i].schema->columns[c];
    l->wide = (struct leat_schema){.struct_size = sizeof l->wide, .column_count = total - 1, .columns = l->wide_fields};
    for (uint32_t i = 0; i < l->needed_count; i++) {
        struct leat_column *c = &l->joined[l->needed[i]];
        c->cells = aligned_alloc(16, SQL_VEC_MAX * sizeof *c->cells);
        c->states = calloc(SQL_VEC_MAX, 1);
        if (!c->cells || !c->states)
            return -1;
    }
    return 0;
}

leat_status sql_lookups_create(struct leat_ctx *ctx, struct sql_exec *x)
{
    const struct sql_branch *b = &x->plan->branches[0];
    struct sql_lookups *l = x->lookups = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    l->branch = b;
    l->upsert = x->plan->mode == LEAT_MODE_UPSERT;
    l->lookers = calloc(b->lookup_count, sizeof *l->lookers);
    if (!l->lookers || note_columns(l, x->plan) || make_columns(l, x->plan))
        return leat_no_memory(ctx);
    for (; l->count < b->lookup_count; l->count++)
        if (make_looker(ctx, &l->lookers[l->count], &b->lookups[l->count]) != LEAT_OK)
            return LEAT_RESOURCE;
    return LEAT_OK;
}

static void pop(struct sql_looker *k)
{
    struct lookup_waiting *w = k->head;
    k->head = w->next;
    if (!k->head)
        k->tail = &k->head;
    k->rows -= w->batch->rows;
    k->bytes -= w->batch->arena_bytes;
    k->row = k->partner = 0;
    k->met_row = LOOKUP_NO_ROW; // here and not where a batch is gone on with: its first row may be half done
    leat_batch_unref(w->batch);
    free(w);
}

static void end_question(struct sql_looker *k)
{
    leat_batch_unref(k->keys);
    k->keys = NULL;
    leat_batch_unref(k->answer);
    k->answer = NULL;
    free(k->partners.first);
    free(k->partners.rows);
    k->partners = (struct lookup_partners){NULL, NULL};
    k->answering = 0;
}

void sql_lookups_destroy(struct sql_lookups *l, const struct sql_plan *p)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->count; i++) {
        end_question(&l->lookers[i]);
        while (l->lookers[i].head)
            pop(&l->lookers[i]);
        free(l->lookers[i].fields);
    }
    for (uint32_t c = 0; l->joined && c < p->first[p->input_count]; c++) {
        free(l->joined[c].cells);
        free(l->joined[c].states);
    }
    free(l->joined);
    free(l->wide_fields);
    free(l->needed);
    free(l->asked_with);
    free(l->lookers);
    free(l);
}

// --- queues

static int is_full(const struct sql_looker *k)
{
    return k->rows >= QUEUE_ROWS || k->bytes >= QUEUE_BYTES;
}

leat_status lookup_add(struct leat_ctx *ctx, struct sql_looker *k, const struct leat_batch *b)
{
    struct lookup_waiting *w = malloc(sizeof *w + b->rows * sizeof *w->key_of_row);
    if (!w)
        return leat_no_memory(ctx);
    ctx->host->batch_ref(b);
    *w = (struct lookup_waiting){.batch = b};
    *k->tail = w;
    k->tail = &w->next;
    k->rows += b->rows;
    k->bytes += b->arena_bytes;
    return LEAT_OK;
}

// The last lookers first: they make room for those before them.
static leat_status ask_what_waits(struct leat_ctx *ctx, struct sql_exec *x)
{
    struct sql_lookups *l = x->lookups;
    for (uint32_t i = l->count; i-- > 0;) {
        struct sql_looker *k = &l->lookers[i];
        if (k->keys || !k->head || (i + 1 < l->count && is_full(&l->lookers[i + 1])))
            continue;
        leat_status st = lookup_ask(ctx, x, k);
        if (st != LEAT_OK)
            return st;
    }
    return LEAT_OK;
}

leat_status sql_lookups_process(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_batch *b)
{
    struct sql_looker *first = &x->lookups->lookers[0];
    if (is_full(first))
        return LEAT_AGAIN;
    leat_status st = lookup_add(ctx, first, b);
    return st == LEAT_OK ? ask_what_waits(ctx, x) : st;
}

// --- answers

// Joins what was asked with the answer, until that is done, the way is full (LEAT_AGAIN) or the next looker is.
static leat_status go_on(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    const struct sql_lookups *l = x->lookups;
    const struct sql_looker *next = k + 1 < l->lookers + l->count ? k + 1 : NULL;
    while (k->head && k->head->asked) {
        leat_status st = LEAT_OK;
        while (k->row < k->head->batch->rows && st == LEAT_OK) {
            if (next && is_full(next))
                return LEAT_OK;
            st = lookup_join_block(ctx, x, k, k->answer);
        }
        if (st < 0)
            return st;
        if (k->row == k->head->batch->rows)
            pop(k);
        if (st == LEAT_AGAIN && k->head && k->head->asked)
            return st;
    }
    end_question(k);
    return LEAT_OK;
}

// A looker whose queue got shorter lets those before it go on. Whoever keeps an answer has one after it that asks, so
// that barriers wait for its rows.
leat_status sql_lookups_answer(struct leat_ctx *ctx, struct sql_exec *x, uint64_t ticket,
                               const struct leat_batch *answer, const uint32_t *key_of_row)
{
    struct sql_lookups *l = x->lookups;
    struct sql_looker *k = &l->lookers[ticket];
    if (!k->answering && lookup_find_partners(k, answer, key_of_row))
        return leat_no_memory(ctx);
    if (!k->answering && answer) {
        ctx->host->batch_ref(answer);
        k->answer = answer;
    }
    k->answering = 1;
    x->ev.now = ctx->host->now(ctx);
    leat_status st = LEAT_OK;
    for (uint64_t i = ticket + 1; i-- > 0 && st == LEAT_OK;)
        if (l->lookers[i].answering)
            st = go_on(ctx, x, &l->lookers[i]);
    return st == LEAT_OK ? ask_what_waits(ctx, x) : st;
}
