// SPDX-License-Identifier: Apache-2.0
// Joins of two changing inputs.
//
// A change of one side meets the rows of the other side with the same key. What replaces a row comes out as -U, +U side
// by side: a renamed dimension row replaces the joined rows at once, and never by way of a row without partner (where
// Flink takes the matched row out and puts the padded one in first). A row of the kept side that gains its first
// partner, or loses its last one, is replaced likewise.
//
// One change may touch any number of rows: the cursor in join_change lets process stop where the way is full and go on
// when it is called again. The state is changed only when all of its output is out.
#include "join_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "types.h"

// --- making ---

static int make_table(struct leat_ctx *ctx, struct sql_exec *x, uint32_t s)
{
    struct join_table *t = &x->joiner->tables[s];
    const struct sql_side *side = &x->joiner->join->sides[s];
    uint32_t first = x->plan->first[side->input];
    t->side = side;
    t->types = ctx->host->alloc(ctx, (side->stored_count + 1) * sizeof *t->types);
    if (!t->types)
        return -1;
    for (uint32_t c = 0; c < side->stored_count; c++)
        t->types[c] = &x->plan->inputs[side->input].schema->columns[side->stored[c] - first].type;
    return 0;
}

static int make_values(struct leat_ctx *ctx, struct join_values *v, uint32_t count)
{
    v->cells = ctx->host->alloc(ctx, (count + 1) * sizeof *v->cells);
    v->states = ctx->host->alloc(ctx, count + 1);
    return v->cells && v->states ? 0 : -1;
}

static int make_column(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t number)
{
    struct leat_column *c = &j->joined[number];
    c->cells = ctx->host->alloc(ctx, SQL_VEC_MAX * sizeof *c->cells);
    c->states = ctx->host->alloc(ctx, SQL_VEC_MAX);
    return c->cells && c->states ? 0 : -1;
}

static int make_parts(struct leat_ctx *ctx, struct sql_exec *x)
{
    struct sql_joiner *j = x->joiner;
    uint32_t total = x->plan->first[x->plan->input_count] + 1, widest = 0;
    j->joined = ctx->host->alloc(ctx, total * sizeof *j->joined);
    j->pre.columns = ctx->host->alloc(ctx, total * sizeof *j->pre.columns);
    if (!j->joined || !j->pre.columns)
        return -1;
    memset(j->joined, 0, total * sizeof *j->joined);
    memset(j->pre.columns, 0, total * sizeof *j->pre.columns);
    for (uint32_t s = 0; s < 2; s++) {
        const struct sql_side *side = &j->join->sides[s];
        if (make_table(ctx, x, s))
            return -1;
        for (uint32_t c = 0; c < side->stored_count; c++)
            if (make_column(ctx, j, side->stored[c]))
                return -1;
        widest = side->stored_count > widest ? side->stored_count : widest;
    }
    if (make_column(ctx, j, total - 1)) // `matched`
        return -1;
    return make_values(ctx, &j->match, widest) || make_values(ctx, &j->change.old, widest) ||
                   make_values(ctx, &j->change.now, widest)
               ? -1
               : 0;
}

leat_status sql_joiner_create(struct leat_ctx *ctx, struct sql_exec *x)
{
    static const struct leat_metric rows = {"leat_state_rows", LEAT_METRIC_GAUGE, "rows kept in state"};
    static const struct leat_metric bytes = {"leat_state_bytes", LEAT_METRIC_GAUGE, "bytes kept in state"};
    struct sql_joiner *j = ctx->host->alloc(ctx, sizeof *j);
    if (!j)
        return leat_no_memory(ctx);
    memset(j, 0, sizeof *j);
    x->joiner = j;
    j->join = x->plan->branches[0].join;
    j->pre.plan = x->plan;
    sql_evaluator_init(&j->pre.ev, x->ev.zone);
    sql_arena_init(&j->lists, SQL_ARENA_MAX);
    sql_arena_init(&j->match_lists, SQL_ARENA_MAX);
    if (getrandom(&j->seed, sizeof j->seed, 0) != sizeof j->seed)
        j->seed = (uint64_t)ctx->host->monotonic(ctx);
    j->metric_rows = ctx->host->metric(ctx, &rows);
    j->metric_bytes = ctx->host->metric(ctx, &bytes);
    if (make_parts(ctx, x))
        return leat_no_memory(ctx);
    j->pre.ev.columns = j->pre.columns;
    j->pre.ev.column_count = x->plan->first[x->plan->input_count] + 1;
    return LEAT_OK;
}

static void free_values(struct leat_ctx *ctx, struct join_values *v)
{
    ctx->host->free(ctx, v->cells);
    ctx->host->free(ctx, v->states);
}

void sql_joiner_destroy(struct leat_ctx *ctx, struct sql_joiner *j)
{
    if (!j)
        return;
    join_clear(ctx, j);
    uint32_t total = j->pre.ev.column_count;
    for (uint32_t c = 0; j->joined && c < total; c++) {
        ctx->host->free(ctx, j->joined[c].cells);
        ctx->host->free(ctx, j->joined[c].states);
    }
    for (uint32_t s = 0; s < 2; s++)
        ctx->host->free(ctx, j->tables[s].types);
    free_values(ctx, &j->match);
    free_values(ctx, &j->change.old);
    free_values(ctx, &j->change.now);
    row_buf_fini(&j->change.old_key);
    row_buf_fini(&j->change.new_key);
    row_buf_fini(&j->change.unique);
    row_buf_fini(&j->change.encoded);
    row_buf_fini(&j->delta);
    leat_batch_unref(j->hold);
    sql_evaluator_fini(&j->pre.ev);
    sql_arena_fini(&j->lists);
    sql_arena_fini(&j->match_lists);
    ctx->host->free(ctx, j->pre.columns);
    ctx->host->free(ctx, j->joined);
    ctx->host->free(ctx, j);
}

// --- from rows of the input to changes ---

// What was computed over a slice of the input.
struct slice {
    uint32_t first, rows;
    uint8_t dropped[SQL_VEC_MAX];
    uint8_t lonely[SQL_VEC_MAX]; // the guard says: no partner
    uint16_t list[SQL_VEC_MAX];
    struct sql_vec *keys;
};

static leat_status slice_condition(struct join_work *w, struct slice *s, struct sql_sel *sel, const struct sql_expr *e,
                                   uint8_t *fails)
{
    struct sql_vec v;
    if (!e || !sel->count)
        return LEAT_OK;
    leat_status st = sql_exec_eval(w->ctx, &w->j->pre, e, sel, s->list, s->dropped, &v);
    if (st != LEAT_OK)
        return st;
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = s->list[k], a = sql_vec_at(&v, r);
        if (v.states[a] != LEAT_VALUE || !v.cells[a].i64)
            fails[r] = 1;
    }
    return LEAT_OK;
}

// Filters and keys of the slice. Rows that fail are marked; keys are computed for the others.
static leat_status slice_compute(struct join_work *w, struct slice *s)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    int upsert = w->x->plan->inputs[side->input].mode == LEAT_MODE_UPSERT;
    struct sql_exec *pre = &w->j->pre;
    struct sql_sel sel = {s->list, 0};
    sql_evaluator_reset(&pre->ev);
    pre->ev.rows = s->rows;
    pre->ev.now = w->x->ev.now;
    sql_exec_show(pre, side->input, w->b, s->first);
    for (uint32_t r = 0; r < s->rows; r++) {
        s->dropped[r] = s->lonely[r] = 0;
        if (!upsert || w->b->kinds[s->first + r] != LEAT_DELETE) // of those only the primary key is known
            s->list[sel.count++] = (uint16_t)r;
    }
    leat_status st = slice_condition(w, s, &sel, side->filter, s->dropped);
    if (st == LEAT_OK)
        st = slice_condition(w, s, &sel, side->guard, s->lonely);
    s->keys = sql_arena_alloc(&pre->ev.arena, side->key_count * sizeof *s->keys);
    if (!s->keys)
        return leat_no_memory(w->ctx);
    for (uint32_t k = 0; k < side->key_count && st == LEAT_OK; k++)
        st = sql_exec_eval(w->ctx, pre, side->keys[k], &sel, s->list, s->dropped, &s->keys[k]);
    return st;
}

// The join key of a row. 1 = it has one.
static uint8_t encode_key(const struct join_work *w, const struct slice *s, uint32_t r, struct row_buf *to)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    to->len = 0;
    if (s->lonely[r])
        return 0;
    for (uint32_t k = 0; k < side->key_count; k++) {
        uint32_t a = sql_vec_at(&s->keys[k], r);
        if (row_encode_key(to, side->keys[k]->type, &s->keys[k].cells[a], s->keys[k].states[a]))
            return 0;
    }
    return 1;
}

static void encode_unique(const struct join_work *w, uint32_t row, struct row_buf *to)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    uint32_t first = w->x->plan->first[side->input];
    to->len = 0;
    for (uint32_t k = 0; k < side->unique_count; k++) {
        uint32_t c = side->unique[k] - first;
        const struct leat_type *t = &w->b->schema->columns[c].type;
        uint8_t state = leat_batch_state(w->b, c, row);
        if (row_encode_key(to, t, leat_batch_cell(w->b, c, row), state))
            row_buf_put(to, "\xFF", 1);
    }
}

static void take_values(const struct join_work *w, uint32_t row, struct join_values *to)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    uint32_t first = w->x->plan->first[side->input];
    for (uint32_t i = 0; i < side->stored_count; i++) {
        uint32_t c = side->stored[i] - first;
        to->cells[i] = *leat_batch_cell(w->b, c, row);
        to->states[i] = leat_batch_state(w->b, c, row);
    }
}

// A value that was not sent is the one of before.
static leat_status mend_values(struct join_work *w)
{
    struct join_change *c = &w->j->change;
    const struct sql_side *side = &w->j->join->sides[w->side];
    for (uint32_t i = 0; i < side->stored_count; i++) {
        if (c->now.states[i] != LEAT_UNCHANGED)
            continue;
        if (!c->old_row) {
            uint32_t column = side->stored[i] - w->x->plan->first[side->input];
            const struct leat_bytes *name = &w->b->schema->columns[column].name;
            return leat_fail(w->ctx, LEAT_DATA, SQL_CODE_SENT,
                             "column '%.*s' of a changed row was not sent, and the row is not in the state",
                             (int)name->len, (const char *)name->ptr);
        }
        c->mended = 1;
        c->now.cells[i] = c->old.cells[i];
        c->now.states[i] = c->old.states[i];
    }
    return LEAT_OK;
}

static leat_status take_old(struct join_work *w, struct join_row *row)
{
    struct join_change *c = &w->j->change;
    const struct join_table *t = &w->j->tables[w->side];
    c->old_row = row;
    c->has_old = row != NULL;
    c->old_has_key = 0;
    if (!row)
        return LEAT_OK;
    if (join_decode(w->j, w->side, row, &c->old, &w->j->lists))
        return leat_no_memory(w->ctx);
    c->old_has_key = t->side->key_is_unique || row->key_len != JOIN_NO_KEY;
    struct leat_bytes key = join_row_key(t, row);
    c->old_key.len = 0;
    row_buf_put(&c->old_key, key.ptr, key.len);
    return LEAT_OK;
}

static leat_status take_new(struct join_work *w, const struct slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    const struct join_table *t = &w->j->tables[w->side];
    take_values(w, s->first + r, &c->now);
    leat_status st = mend_values(w);
    if (st != LEAT_OK)
        return st;
    c->has_new = 1;
    c->new_has_key = encode_key(w, s, r, &c->new_key);
    c->encoded.len = 0;
    row_encode(&c->encoded, t->types, c->now.cells, c->now.states, t->side->stored_count);
    return c->encoded.failed || c->new_key.failed || c->unique.failed ? leat_no_memory(w->ctx) : LEAT_OK;
}

static int unchanged(const struct join_work *w)
{
    const struct join_change *c = &w->j->change;
    if (!c->old_row || !c->has_new)
        return 0;
    struct leat_bytes content = join_row_content(&w->j->tables[w->side], c->old_row);
    return content.len == c->encoded.len && !memcmp(content.ptr, c->encoded.ptr, content.len) && join_same_key(c);
}

static int starts_pair(const struct slice *s, const struct leat_batch *b, uint32_t r)
{
    uint32_t row = s->first + r;
    return b->kinds[row] == LEAT_UPDATE_BEFORE && r + 1 < s->rows && b->kinds[row + 1] == LEAT_UPDATE_AFTER;
}

// A side with a primary key: what a change replaces is found by it.
static leat_status change_keyed(struct join_work *w, const struct slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    uint8_t kind = w->b->kinds[s->first + r];
    encode_unique(w, s->first + r, &c->unique);
    if (starts_pair(s, w->b, r)) {
        encode_unique(w, s->first + r + 1, &c->old_key);
        if (c->old_key.len == c->unique.len && !memcmp(c->old_key.ptr, c->unique.ptr, c->unique.len))
            return LEAT_OK; // its +U replaces it
    }
    leat_status st = take_old(w, join_find_unique(w->j, w->side, &c->unique));
    if (st == LEAT_OK && (kind == LEAT_INSERT || kind == LEAT_UPDATE_AFTER) && !s->dropped[r])
        st = take_new(w, s, r);
    if (kind == LEAT_INSERT && unchanged(w))
        c->has_old = c->has_new = 0; // a repeated row says nothing
    return st;
}

// What leaves a side without a primary key: the stored row of that content; a row that was never stored because it
// meets nothing is known from the change itself.
static leat_status change_content_old(struct join_work *w, const struct slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    const struct join_table *t = &w->j->tables[w->side];
    if (s->dropped[r])
        return LEAT_OK;
    if (!encode_key(w, s, r, &c->new_key)) {
        take_values(w, s->first + r, &c->old);
        c->has_old = w->j->join->outer && w->side == 0;
        c->old_has_key = 0;
        return LEAT_OK;
    }
    take_values(w, s->first + r, &c->old);
    c->encoded.len = 0;
    row_encode(&c->encoded, t->types, c->old.cells, c->old.states, t->side->stored_count);
    return take_old(w, join_find_content(w->j, w->side, &c->new_key, &c->encoded));
}

static leat_status change_content(struct join_work *w, const struct slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    uint8_t kind = w->b->kinds[s->first + r];
    leat_status st = LEAT_OK;
    if (kind == LEAT_UPDATE_BEFORE || kind == LEAT_DELETE)
        st = change_content_old(w, s, r);
    uint32_t now = r;
    if (starts_pair(s, w->b, r)) {
        c->took = 2;
        now = r + 1;
    } else if (kind == LEAT_UPDATE_BEFORE || kind == LEAT_DELETE) {
        return st;
    }
    return st == LEAT_OK && !s->dropped[now] ? take_new(w, s, now) : st;
}

static leat_status bad_change(struct join_work *w, leat_status st, uint32_t row)
{
    char where[64];
    if (st != LEAT_DATA)
        return st;
    snprintf(where, sizeof where, "row %u of the batch", row);
    return w->ctx->host->bad_row(w->ctx, (struct leat_bytes){NULL, 0}, where);
}

// One change, from the slice to its output. *took = rows of the slice that are done.
static leat_status change(struct join_work *w, const struct slice *s, uint32_t r, uint32_t *took)
{
    struct join_change *c = &w->j->change;
    leat_status st = LEAT_OK;
    if (!c->active) {
        c->has_old = c->has_new = c->old_has_key = c->new_has_key = 0;
        c->old_row = NULL;
        c->mended = 0;
        c->row = s->first + r;
        c->took = 1;
        st = w->j->tables[w->side].side->unique_count ? change_keyed(w, s, r) : change_content(w, s, r);
        if (st != LEAT_OK) {
            *took = c->took;
            return bad_change(w, st, c->row);
        }
        if (c->has_old || c->has_new)
            join_change_begin(c);
    }
    *took = c->took;
    return c->active ? join_pass_on(w) : LEAT_OK;
}

static uint32_t side_of(const struct sql_joiner *j, uint32_t input)
{
    return j->join->sides[1].input == input;
}

leat_status sql_joiner_process(struct leat_ctx *ctx, struct sql_exec *x, uint32_t input, const struct leat_batch *b)
{
    struct sql_joiner *j = x->joiner;
    struct join_work w = {ctx, x, j, b, side_of(j, input)};
    struct slice s;
    leat_status st = LEAT_OK;
    x->ev.now = ctx->host->now(ctx);
    while (x->resume < b->rows && st == LEAT_OK) {
        s.first = x->resume;
        s.rows = sql_exec_slice(b, s.first);
        st = slice_compute(&w, &s);
        for (uint32_t r = 0; r < s.rows && st == LEAT_OK;) {
            uint32_t took;
            st = change(&w, &s, r, &took);
            if (st != LEAT_OK)
                break;
            r += took;
            x->resume += took;
        }
        if (!j->change.active)
            sql_arena_reset(&j->lists);
    }
    if (st == LEAT_AGAIN)
        return st; // called again with this batch; what is in hand is kept
    if (st == LEAT_OK)
        st = join_flush(&w, 0);
    x->resume = 0;
    j->change.active = 0;
    return st < 0 ? st : LEAT_OK;
}
