// SPDX-License-Identifier: Apache-2.0
// Lookup joins: a question, made of the rows that wait; see lookup.c.
//
// Rows are looked at in slices. Those that a condition keeps from being asked for, or that are deletions, get a mark
// instead of a key; equal keys of the others are asked for once.
#include <stdlib.h>
#include <string.h>

#include "exec/lookup_int.h"
#include "functions/compare.h"
#include "hash.h"
#include "keyed_row.h"

#define QUESTION_ROWS 8192u
#define KEYS_BYTES    ((size_t)256 << 20) // most bytes of a question's keys

// The keys of the question that is being made: distinct ones, found by their encoded form.
struct key_set {
    struct buf bytes;
    size_t *ends; // by key row: where its bytes end
    uint32_t *slots;
    uint32_t mask;
};

// --- the keys of a question

static int set_init(struct key_set *s, uint32_t rows)
{
    uint32_t slots = 16;
    while (slots < rows * 2)
        slots *= 2;
    *s = (struct key_set){.mask = slots - 1};
    buf_init(&s->bytes, KEYS_BYTES);
    s->slots = calloc(slots, sizeof *s->slots);
    s->ends = calloc(rows + 1, sizeof *s->ends);
    return s->slots && s->ends ? 0 : -1;
}

static void set_fini(struct key_set *s)
{
    buf_fini(&s->bytes);
    free(s->slots);
    free(s->ends);
}

// Finds the key whose bytes were put last among the `count` before it. LOOKUP_NO_KEY = it is new.
static uint32_t set_find(struct key_set *s, uint32_t count)
{
    size_t start = count ? s->ends[count - 1] : 0, len = s->bytes.len - start;
    uint32_t at = (uint32_t)hash_bytes(s->bytes.ptr + start, len, 0) & s->mask;
    for (; s->slots[at]; at = (at + 1) & s->mask) {
        uint32_t key = s->slots[at] - 1;
        size_t from = key ? s->ends[key - 1] : 0;
        if (s->ends[key] - from == len && memcmp(s->bytes.ptr + from, s->bytes.ptr + start, len) == 0) {
            s->bytes.len = start;
            return key;
        }
    }
    s->slots[at] = count + 1;
    s->ends[count] = s->bytes.len;
    return LOOKUP_NO_KEY;
}

static int put_key(struct sql_looker *k, const struct sql_vec *v, uint32_t row)
{
    uint32_t to = leat_batch_add(k->keys, LEAT_INSERT);
    for (uint32_t c = 0; c < k->lookup->key_count; c++) {
        const union leat_cell *cell = &v[c].cells[sql_vec_at(&v[c], row)];
        if (!leat_type_is_bytes(k->fields[c].type.kind)) {
            k->keys->columns[c].cells[to] = *cell;
            leat_batch_set_state(k->keys, c, to, LEAT_VALUE);
        } else if (!leat_batch_set_bytes(k->keys, c, to, cell->bytes.ptr, cell->bytes.len)) {
            return -1;
        }
    }
    return 0;
}

// The number of the row's key, which may be new. LOOKUP_LEFT_OUT = no memory.
static uint32_t key_of(struct sql_looker *k, struct key_set *s, const struct sql_vec *v, uint32_t row)
{
    size_t start = s->bytes.len;
    for (uint32_t c = 0; c < k->lookup->key_count; c++) {
        uint32_t at = sql_vec_at(&v[c], row);
        if (keyed_part_encode(&s->bytes, &k->fields[c].type, &v[c].cells[at], v[c].states[at])) {
            s->bytes.len = start;
            return LOOKUP_NO_KEY;
        }
    }
    if (!buf_ok(&s->bytes))
        return LOOKUP_LEFT_OUT;
    uint32_t key = set_find(s, k->keys->rows);
    if (key != LOOKUP_NO_KEY)
        return key;
    return put_key(k, v, row) ? LOOKUP_LEFT_OUT : k->keys->rows - 1;
}

// --- which rows of a batch are asked for

struct slice {
    struct leat_ctx *ctx;
    struct sql_exec *x;
    const struct leat_batch *b;
    uint32_t first, count;
    uint32_t *key_of_row; // of the slice
    uint16_t rows[SQL_VEC_MAX];
    uint8_t dropped[SQL_VEC_MAX];
    struct sql_sel sel;
};

static int same_row_key(const struct leat_batch *b, uint32_t one, uint32_t other)
{
    for (uint32_t i = 0; i < b->schema->key_count; i++) {
        const struct leat_column *c = &b->columns[b->schema->key[i]];
        const struct leat_type *t = &b->schema->columns[b->schema->key[i]].type;
        if (c->states[one] != LEAT_VALUE || c->states[other] != LEAT_VALUE ||
            sql_cell_compare(t, &c->cells[one], &c->cells[other]) != 0)
            return 0;
    }
    return 1;
}

// Changes as upserts: deletions go by key, and so do rows whose key an update has left.
static uint32_t by_kind(const struct slice *s, uint32_t row)
{
    const struct leat_batch *b = s->b;
    if (!s->x->lookups->upsert)
        return LOOKUP_NO_KEY;
    if (b->kinds[row] == LEAT_DELETE)
        return LOOKUP_DELETION;
    if (b->kinds[row] != LEAT_UPDATE_BEFORE)
        return LOOKUP_NO_KEY;
    int stays = row + 1 < b->rows && b->kinds[row + 1] == LEAT_UPDATE_AFTER && same_row_key(b, row, row + 1);
    return stays ? LOOKUP_LEFT_OUT : LOOKUP_DELETION;
}

static void choose_rows(struct slice *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        s->dropped[i] = 0;
        s->key_of_row[i] = by_kind(s, s->first + i);
        if (s->key_of_row[i] == LOOKUP_NO_KEY)
            s->rows[n++] = (uint16_t)i;
    }
    s->sel = (struct sql_sel){s->rows, n};
}

static leat_status unsent(struct slice *s, uint32_t column)
{
    const struct sql_plan *p = s->x->plan;
    uint32_t input = s->x->lookups->branch->input;
    const struct leat_bytes *name = &p->inputs[input].schema->columns[column - p->first[input]].name;
    leat_fail(s->ctx, LEAT_DATA, SQL_CODE_SENT, "column '%.*s' of a changed row was not sent", (int)name->len,
              (const char *)name->ptr);
    leat_error_hint(s->ctx, "Have the source fetch unchanged values: unchanged.toast = \"reselect\".");
    return sql_exec_bad_row(s->ctx);
}

// A question cannot rest on a value that was not sent.
static leat_status refuse_unsent(struct slice *s)
{
    const struct sql_lookups *l = s->x->lookups;
    for (uint32_t i = 0; i < l->asked_with_count; i++) {
        const uint8_t *states = s->x->columns[l->asked_with[i]].states;
        uint32_t n = 0;
        for (uint32_t k = 0; k < s->sel.count; k++) {
            uint16_t row = s->rows[k];
            if (states[row] != LEAT_UNCHANGED) {
                s->rows[n++] = row;
                continue;
            }
            leat_status st = unsent(s, l->asked_with[i]);
            if (st != LEAT_OK)
                return st;
            s->dropped[row] = 1;
        }
        s->sel.count = n;
    }
    return LEAT_OK;
}

// Rows that fail the condition get `otherwise` instead of a key.
static leat_status only_where(struct slice *s, const struct sql_expr *e, uint32_t otherwise)
{
    struct sql_vec v;
    if (!e || !s->sel.count)
        return LEAT_OK;
    leat_status st = sql_exec_eval(s->ctx, s->x, e, &s->sel, s->rows, s->dropped, &v);
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->sel.count && st == LEAT_OK; k++) {
        uint16_t row = s->rows[k];
        uint32_t at = sql_vec_at(&v, row);
        if (v.states[at] == LEAT_VALUE && v.cells[at].i64)
            s->rows[n++] = row;
        else
            s->key_of_row[row] = otherwise;
    }
    s->sel.count = n;
    return st;
}

static leat_status find_keys(struct slice *s, struct sql_looker *k, struct key_set *set)
{
    struct sql_vec *v = sql_arena_alloc(&s->x->ev.arena, k->lookup->key_count * sizeof *v);
    if (!v)
        return leat_no_memory(s->ctx);
    leat_status st = LEAT_OK;
    for (uint32_t c = 0; c < k->lookup->key_count && st == LEAT_OK && s->sel.count; c++)
        st = sql_exec_eval(s->ctx, s->x, k->lookup->keys[c], &s->sel, s->rows, s->dropped, &v[c]);
    for (uint32_t i = 0; i < s->sel.count && st == LEAT_OK; i++) {
        uint32_t key = key_of(k, set, v, s->rows[i]);
        s->key_of_row[s->rows[i]] = key;
        if (key == LOOKUP_LEFT_OUT)
            st = leat_no_memory(s->ctx);
    }
    for (uint32_t i = 0; i < s->count; i++)
        if (s->dropped[i])
            s->key_of_row[i] = LOOKUP_LEFT_OUT;
    return st;
}

static void show(struct sql_exec *x, uint32_t base, const struct leat_batch *b, uint32_t first)
{
    for (uint32_t c = 0; c < b->column_count; c++)
        if (b->columns[c].cells)
            x->columns[base + c] = (struct sql_vec){b->columns[c].cells + first, b->columns[c].states + first, 0};
}

static leat_status keys_of_batch(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                                 struct lookup_waiting *w, struct key_set *set)
{
    const struct sql_branch *b = x->lookups->branch;
    int is_first = k == x->lookups->lookers;
    leat_status st = LEAT_OK;
    struct slice s = {.ctx = ctx, .x = x, .b = w->batch};
    for (s.first = 0; s.first < w->batch->rows && st == LEAT_OK; s.first += s.count) {
        s.count = w->batch->rows - s.first < SQL_VEC_MAX ? w->batch->rows - s.first : SQL_VEC_MAX;
        s.key_of_row = w->key_of_row + s.first;
        show(x, lookup_base(x, k), w->batch, s.first);
        x->ev.rows = s.count;
        choose_rows(&s);
        if (is_first)
            st = refuse_unsent(&s);
        if (st == LEAT_OK && is_first)
            st = only_where(&s, b->before, x->lookups->upsert ? LOOKUP_DELETION : LOOKUP_LEFT_OUT);
        if (st == LEAT_OK)
            st = only_where(&s, k->lookup->guard, LOOKUP_NO_KEY);
        if (st == LEAT_OK)
            st = find_keys(&s, k, set);
        sql_evaluator_reset(&x->ev);
    }
    return st;
}

leat_status lookup_ask(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    uint32_t rows = 0;
    struct key_set set;
    struct lookup_waiting *end = k->head;
    for (; end && (!rows || rows + end->batch->rows <= QUESTION_ROWS); end = end->next)
        rows += end->batch->rows;
    if (!rows)
        return LEAT_OK;
    x->ev.now = ctx->host->now(ctx);
    leat_status st = set_init(&set, rows) ? leat_no_memory(ctx) : LEAT_OK;
    k->keys = st == LEAT_OK ? leat_batch_new(ctx, &k->schema, rows) : NULL;
    if (!k->keys)
        st = leat_no_memory(ctx);
    for (struct lookup_waiting *w = k->head; w != end && st == LEAT_OK; w = w->next) {
        w->asked = 1;
        st = keys_of_batch(ctx, x, k, w, &set);
    }
    set_fini(&set);
    return st == LEAT_OK ? ctx->host->lookup_ask(ctx, k->lookup->input, k->keys, (uint64_t)(k - x->lookups->lookers))
                         : st;
}
