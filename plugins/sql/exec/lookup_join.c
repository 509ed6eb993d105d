// SPDX-License-Identifier: Apache-2.0
// Lookup joins: the rows of a batch and their partners in the answer, joined block by block; see lookup.c.
#include <stdlib.h>
#include <string.h>

#include "exec/lookup_int.h"

int lookup_find_partners(struct sql_looker *k, const struct leat_batch *rows, const uint32_t *key_of_row)
{
    uint32_t keys = k->keys->rows, count = rows ? rows->rows : 0;
    uint32_t *first = k->partners.first = calloc(keys + 2, sizeof *first);
    uint32_t *order = k->partners.rows = calloc(count + 1, sizeof *order);
    if (!first || !order)
        return -1;
    for (uint32_t r = 0; r < count; r++)
        first[key_of_row[r] + 2]++;
    for (uint32_t i = 2; i < keys + 2; i++)
        first[i] += first[i - 1];
    for (uint32_t r = 0; r < count; r++)
        order[first[key_of_row[r] + 1]++] = r;
    return 0;
}

static void put(struct sql_lookups *l, const struct leat_batch *b, uint32_t row, uint32_t right, uint8_t kind,
                uint8_t last_chance)
{
    uint32_t n = l->count_rows++;
    l->left[n] = row;
    l->right[n] = right;
    l->kinds[n] = kind;
    l->last_chance[n] = last_chance;
    l->times[n] = b->times ? b->times[row] : LEAT_TIME_NONE;
    l->positions[n] = b->positions ? b->positions[row] : 0;
}

static leat_status too_many(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_looker *k)
{
    const struct sql_table *t = x->plan->query->tables[k->lookup->input];
    const struct leat_bytes *name = &t->names[t->name_count - 1].text;
    leat_fail(ctx, LEAT_DATA, SQL_CODE_ROW, "the lookup '%.*s' gave several rows for one primary key", (int)name->len,
              (const char *)name->ptr);
    leat_error_hint(ctx, "Its primary-key in the pipeline file is not what the table is unique by.");
    return sql_exec_bad_row(ctx);
}

// Candidates of rows into the block, until it is full or the batch is done. Where a row stays without an accepted
// partner, its last chance is a row without one (left join), or the deletion of its key (upserts).
static leat_status fill(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    struct sql_lookups *l = x->lookups;
    const struct lookup_waiting *w = k->head;
    const struct leat_batch *b = w->batch;
    l->count_rows = 0;
    for (; k->row < b->rows; k->row++, k->partner = 0) {
        uint32_t key = w->key_of_row[k->row];
        if (key == LOOKUP_LEFT_OUT)
            continue;
        if (l->count_rows == SQL_VEC_MAX)
            return LEAT_OK;
        if (key == LOOKUP_DELETION) {
            put(l, b, k->row, LOOKUP_NO_ROW, LEAT_DELETE, 0);
            continue;
        }
        uint32_t from = LOOKUP_IS_KEY(key) ? k->partners.first[key] : 0;
        uint32_t count = LOOKUP_IS_KEY(key) ? k->partners.first[key + 1] - from : 0;
        if (l->upsert && count > 1) {
            leat_status st = too_many(ctx, x, k);
            if (st != LEAT_OK)
                return st;
            continue;
        }
        while (k->partner < count && l->count_rows < SQL_VEC_MAX)
            put(l, b, k->row, k->partners.rows[from + k->partner++], b->kinds[k->row], 0);
        if (k->partner < count)
            return LEAT_OK;
        if (!(k->lookup->outer || l->upsert) || (count && !k->lookup->rest))
            continue;
        if (l->count_rows == SQL_VEC_MAX)
            return LEAT_OK;
        put(l, b, k->row, LOOKUP_NO_ROW, k->lookup->outer ? b->kinds[k->row] : LEAT_DELETE, 1);
    }
    return LEAT_OK;
}

// Columns of the block, by number.
static void gather(struct sql_exec *x, const struct sql_looker *k, const struct leat_batch *b,
                   const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    uint32_t base = lookup_base(x, k), from = x->plan->first[k->lookup->input],
             to = x->plan->first[k->lookup->input + 1];
    for (uint32_t i = 0; i < l->needed_count; i++) {
        uint32_t number = l->needed[i];
        struct leat_column *out = &l->joined[number];
        x->columns[number] = (struct sql_vec){out->cells, out->states, 0};
        if (number >= from && number < to) {
            const struct leat_column *in = answer ? &answer->columns[number - from] : NULL;
            for (uint32_t r = 0; r < l->count_rows; r++) {
                uint32_t at = in ? l->right[r] : LOOKUP_NO_ROW;
                out->states[r] = at != LOOKUP_NO_ROW                       ? in->states[at]
                                 : l->upsert && l->kinds[r] == LEAT_DELETE ? LEAT_ABSENT
                                                                           : LEAT_NULL;
                if (at != LOOKUP_NO_ROW)
                    out->cells[r] = in->cells[at];
            }
        } else if (number >= base && number - base < b->column_count && b->columns[number - base].cells) {
            const struct leat_column *in = &b->columns[number - base];
            for (uint32_t r = 0; r < l->count_rows; r++) {
                out->cells[r] = in->cells[l->left[r]];
                out->states[r] = in->states[l->left[r]];
            }
        }
    }
}

static void keep(struct sql_lookups *l, uint32_t to, uint32_t from)
{
    l->left[to] = l->left[from];
    l->right[to] = l->right[from];
    l->kinds[to] = l->kinds[from];
    l->times[to] = l->times[from];
    l->positions[to] = l->positions[from];
}

// Candidates that fail the rest of the condition are no partners.
static leat_status accept(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    struct sql_lookups *l = x->lookups;
    uint16_t rows[SQL_VEC_MAX];
    uint8_t dropped[SQL_VEC_MAX] = {0}, accepted[SQL_VEC_MAX] = {0};
    struct sql_sel sel = {rows, 0};
    struct sql_vec v;
    for (uint32_t r = 0; r < l->count_rows; r++)
        if (l->right[r] != LOOKUP_NO_ROW)
            rows[sel.count++] = (uint16_t)r;
    x->ev.rows = l->count_rows;
    leat_status st = sel.count ? sql_exec_eval(ctx, x, k->lookup->rest, &sel, rows, dropped, &v) : LEAT_OK;
    if (st != LEAT_OK)
        return st;
    for (uint32_t i = 0; i < sel.count; i++) {
        uint32_t at = sql_vec_at(&v, rows[i]);
        accepted[rows[i]] = v.states[at] == LEAT_VALUE && v.cells[at].i64;
    }
    uint32_t n = 0;
    for (uint32_t r = 0; r < l->count_rows; r++) {
        if (l->left[r] != k->met_row) {
            k->met_row = l->left[r];
            k->met = 0;
        }
        k->met |= accepted[r] | dropped[r];
        if (l->right[r] != LOOKUP_NO_ROW ? accepted[r] : !l->last_chance[r] || !k->met)
            keep(l, n++, r);
    }
    l->count_rows = n;
    return LEAT_OK;
}

// A batch of all columns for the next looker.
static leat_status hand_on(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                           const struct leat_batch *answer, uint32_t flags)
{
    struct sql_lookups *l = x->lookups;
    const struct leat_batch *b = k->head->batch;
    struct leat_batch *out = ctx->host->batch_create(ctx, &l->wide, l->count_rows, 1);
    int ok =
        out && ctx->host->batch_keep(out, b) == LEAT_OK && (!answer || ctx->host->batch_keep(out, answer) == LEAT_OK);
    for (uint32_t i = 0; i < l->needed_count && ok; i++) {
        uint32_t c = l->needed[i];
        ok = leat_batch_own_column(out, c);
        if (ok) {
            memcpy(out->columns[c].cells, l->joined[c].cells, l->count_rows * sizeof(union leat_cell));
            memcpy(out->columns[c].states, l->joined[c].states, l->count_rows);
        }
    }
    if (ok && b->times && (ok = (out->times = leat_batch_alloc(out, l->count_rows * sizeof *l->times, 8)) != NULL))
        memcpy(out->times, l->times, l->count_rows * sizeof *l->times);
    if (ok && b->positions &&
        (ok = (out->positions = leat_batch_alloc(out, l->count_rows * sizeof *l->positions, 8)) != NULL))
        memcpy(out->positions, l->positions, l->count_rows * sizeof *l->positions);
    leat_status st = LEAT_RESOURCE;
    if (ok) {
        out->rows = l->count_rows;
        out->flags = flags;
        out->arrived = b->arrived;
        memcpy(out->kinds, l->kinds, l->count_rows);
        st = lookup_add(ctx, k + 1, out);
    } else {
        st = leat_no_memory(ctx);
    }
    leat_batch_unref(out);
    return st;
}

static leat_status give(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k, const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    const struct leat_batch *b = k->head->batch;
    uint32_t flags = b->flags | (k->row < b->rows ? LEAT_BATCH_TXN_OPEN : 0);
    if (k + 1 < l->lookers + l->count)
        return hand_on(ctx, x, k, answer, flags);
    struct sql_stage s = {.branch = l->branch,
                          .mode = x->plan->mode,
                          .rows = l->count_rows,
                          .kinds = l->kinds,
                          .times = b->times ? l->times : NULL,
                          .positions = b->positions ? l->positions : NULL,
                          .arrived = b->arrived,
                          .flags = flags,
                          .keep = b,
                          .hold = answer};
    return sql_stage_run(ctx, x, &s);
}

leat_status lookup_join_block(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                              const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    leat_status st = fill(ctx, x, k);
    if (st != LEAT_OK || !l->count_rows)
        return st;
    gather(x, k, k->head->batch, answer);
    if (k->lookup->rest) {
        st = accept(ctx, x, k);
        sql_evaluator_reset(&x->ev);
        if (st != LEAT_OK || !l->count_rows)
            return st;
        gather(x, k, k->head->batch, answer);
    }
    return give(ctx, x, k, answer);
}
