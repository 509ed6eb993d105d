// SPDX-License-Identifier: Apache-2.0
// Joins of two changing inputs.
//
// A change of one side meets the rows of the other side with the same key. What replaces a row comes out as -U, +U side
// by side: a renamed dimension row replaces the joined rows at once, and never by way of a row without partner (where
// Flink takes the matched row out and puts the padded one in first). A row of the kept side that gains its first
// partner, or loses its last one, is replaced likewise.
//
// One change may touch any number of rows: the cursor in join_change lets process stop where the way is full and go on
// when it is called again. The state is changed only when all of its output is out. Rows that take nothing back go a
// shorter way, see join_grow.c.
#include "exec/join_int.h"

#include <stdio.h>
#include <string.h>

#include "expr/types.h"

// --- making ---

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

static leat_status make_parts(struct leat_ctx *ctx, struct sql_exec *x)
{
    struct sql_joiner *j = x->joiner;
    uint32_t total = x->plan->first[x->plan->input_count] + 1, widest = 0;
    j->joined = ctx->host->alloc(ctx, total * sizeof *j->joined);
    j->pre.columns = ctx->host->alloc(ctx, total * sizeof *j->pre.columns);
    if (!j->joined || !j->pre.columns)
        return leat_no_memory(ctx);
    memset(j->joined, 0, total * sizeof *j->joined);
    memset(j->pre.columns, 0, total * sizeof *j->pre.columns);
    j->pre.ev.columns = j->pre.columns;
    j->pre.ev.column_count = total;
    for (uint32_t s = 0; s < 2; s++) {
        const struct sql_side *side = &j->join->sides[s];
        leat_status st = join_rows_create(ctx, x, s);
        if (st != LEAT_OK)
            return st;
        for (uint32_t c = 0; c < side->stored_count; c++)
            if (make_column(ctx, j, side->stored[c]))
                return leat_no_memory(ctx);
        widest = side->stored_count > widest ? side->stored_count : widest;
    }
    int failed = make_column(ctx, j, total - 1) || // `matched`
                 make_values(ctx, &j->match, widest) || make_values(ctx, &j->change.old, widest) ||
                 make_values(ctx, &j->change.now, widest);
    return failed ? leat_no_memory(ctx) : LEAT_OK;
}

static void init_bufs(struct sql_joiner *j)
{
    struct buf *bufs[] = {&j->keys, &j->value, &j->change.new_key, &j->change.old_id, &j->change.id, &j->change.value};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_init(bufs[i], JOIN_BYTES_MAX);
}

static void fini_bufs(struct sql_joiner *j)
{
    struct buf *bufs[] = {&j->keys, &j->value, &j->change.new_key, &j->change.old_id, &j->change.id, &j->change.value};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_fini(bufs[i]);
}

leat_status sql_joiner_create(struct leat_ctx *ctx, struct sql_exec *x)
{
    static const struct leat_metric rows = {"leat_state_rows", LEAT_METRIC_GAUGE, "rows kept in state"};
    static const struct leat_metric bytes = {"leat_state_bytes", LEAT_METRIC_GAUGE, "memory of the node's state"};
    static const struct leat_metric content = {"leat_state_row_bytes", LEAT_METRIC_GAUGE,
                                               "bytes of the encoded rows in state, with their keys"};
    struct sql_joiner *j = ctx->host->alloc(ctx, sizeof *j);
    if (!j)
        return leat_no_memory(ctx);
    memset(j, 0, sizeof *j);
    x->joiner = j;
    j->join = x->plan->branches[0].join;
    j->pre.plan = x->plan;
    init_bufs(j);
    sql_evaluator_init(&j->pre.ev, x->ev.zone);
    sql_arena_init(&j->lists, SQL_ARENA_MAX);
    sql_arena_init(&j->match_lists, SQL_ARENA_MAX);
    j->metric_rows = ctx->host->metric(ctx, &rows);
    j->metric_bytes = ctx->host->metric(ctx, &bytes);
    j->metric_content = ctx->host->metric(ctx, &content);
    return make_parts(ctx, x);
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
    sql_joiner_report(j, 1);
    uint32_t total = j->pre.ev.column_count;
    for (uint32_t c = 0; j->joined && c < total; c++) {
        ctx->host->free(ctx, j->joined[c].cells);
        ctx->host->free(ctx, j->joined[c].states);
    }
    for (uint32_t s = 0; s < 2; s++)
        join_rows_destroy(ctx, &j->rows[s]);
    free_values(ctx, &j->match);
    free_values(ctx, &j->change.old);
    free_values(ctx, &j->change.now);
    fini_bufs(j);
    leat_batch_unref(j->hold);
    sql_evaluator_fini(&j->pre.ev);
    sql_arena_fini(&j->lists);
    sql_arena_fini(&j->match_lists);
    ctx->host->free(ctx, j->pre.columns);
    ctx->host->free(ctx, j->joined);
    ctx->host->free(ctx, j);
}

// --- from rows of the input to changes ---

static void encode_unique(const struct join_work *w, uint32_t row, struct buf *to)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    uint32_t first = w->x->plan->first[side->input];
    buf_reset(to);
    for (uint32_t k = 0; k < side->unique_count; k++) {
        uint32_t c = side->unique[k] - first;
        const struct leat_type *t = &w->b->schema->columns[c].type;
        if (keyed_part_encode(to, t, leat_batch_cell(w->b, c, row), leat_batch_state(w->b, c, row)))
            keyed_part_none(to);
    }
}

static void take_values(const struct join_work *w, uint32_t row, struct join_values *to)
{
    const struct join_rows *rows = &w->j->rows[w->side];
    for (uint32_t i = 0; i < rows->side->stored_count; i++) {
        to->cells[i] = *leat_batch_cell(w->b, rows->columns[i], row);
        to->states[i] = leat_batch_state(w->b, rows->columns[i], row);
    }
}

// Which row of its table: its primary key.
static void show_key(const struct join_work *w, uint32_t row, char *to, size_t size)
{
    const struct sql_side *side = &w->j->join->sides[w->side];
    uint32_t first = w->x->plan->first[side->input];
    size_t at = 0;
    *to = '\0';
    for (uint32_t k = 0; k < side->unique_count && at < size; k++) {
        uint32_t c = side->unique[k] - first;
        const struct leat_field *f = &w->b->schema->columns[c];
        struct leat_bytes value = {(const uint8_t *)"NULL", 4};
        if (leat_batch_state(w->b, c, row) == LEAT_VALUE &&
            sql_cell_text(&w->x->ev, side->keys[0], &f->type, leat_batch_cell(w->b, c, row), &value))
            return;
        at += (size_t)snprintf(to + at, size - at, "%s%.*s = %.*s", k ? ", " : " of the row with ", (int)f->name.len,
                               (const char *)f->name.ptr, (int)(value.len > 60 ? 60 : value.len),
                               (const char *)value.ptr);
    }
}

// A value that was not sent is the one of before.
static leat_status mend_values(struct join_work *w, uint32_t row)
{
    struct join_change *c = &w->j->change;
    const struct join_rows *rows = &w->j->rows[w->side];
    for (uint32_t i = 0; i < rows->side->stored_count; i++) {
        if (c->now.states[i] != LEAT_UNCHANGED)
            continue;
        if (!c->stored) {
            const struct sql_table *t = w->x->plan->query->tables[rows->side->input];
            const struct leat_bytes *name = &w->b->schema->columns[rows->columns[i]].name;
            const struct leat_bytes *table = &t->names[t->name_count - 1].text;
            char key[256];
            show_key(w, row, key, sizeof key);
            (void)leat_fail(w->ctx, LEAT_DATA, SQL_CODE_SENT,
                            "column '%.*s'%s of '%.*s' was not sent, and the row is not in the state", (int)name->len,
                            (const char *)name->ptr, key, (int)table->len, (const char *)table->ptr);
            leat_error_hint(w->ctx, "Have the source fetch unchanged values: unchanged.toast = \"reselect\".");
            return LEAT_DATA;
        }
        c->mended = 1;
        c->now.cells[i] = c->old.cells[i];
        c->now.states[i] = c->old.states[i];
    }
    return LEAT_OK;
}

// The stored row that the change takes away; ref == 0: there is none.
static leat_status take_old(struct join_work *w, keyed_ref ref)
{
    struct join_change *c = &w->j->change;
    const struct join_rows *rows = &w->j->rows[w->side];
    uint64_t times;
    c->has_old = c->stored = ref != 0;
    c->old_key = (struct leat_bytes){NULL, 0};
    if (!ref)
        return LEAT_OK;
    struct leat_bytes row = join_row_of(rows, ref, &c->old_key, &times);
    return join_decode(rows, row, &c->old, &w->j->lists) ? leat_no_memory(w->ctx) : LEAT_OK;
}

static void encode_row(const struct join_work *w, struct buf *to, struct leat_bytes key, const struct join_values *v)
{
    const struct join_rows *rows = &w->j->rows[w->side];
    buf_reset(to);
    if (rows->kind != KEYED_MAP)
        keyed_group_put(to, key.ptr, key.len);
    keyed_cells_encode(to, rows->types, v->cells, v->states, rows->side->stored_count);
}

static leat_status take_new(struct join_work *w, const struct join_slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    struct leat_bytes key = {NULL, 0};
    take_values(w, s->first + r, &c->now);
    leat_status st = mend_values(w, s->first + r);
    if (st != LEAT_OK)
        return st;
    c->has_new = 1;
    c->new_has_key = s->has_key[r];
    buf_reset(&c->new_key);
    if (c->new_has_key)
        key = join_slice_key(w->j, r);
    buf_put(&c->new_key, key.ptr, key.len);
    struct buf *to = w->j->rows[w->side].kind == KEYED_GROUPED_KEYS ? &c->id : &c->value;
    encode_row(w, to, key, &c->now);
    return buf_ok(to) && buf_ok(&c->new_key) && buf_ok(&c->id) ? LEAT_OK : leat_no_memory(w->ctx);
}

static int starts_pair(const struct join_slice *s, const struct leat_batch *b, uint32_t r)
{
    uint32_t row = s->first + r;
    return b->kinds[row] == LEAT_UPDATE_BEFORE && r + 1 < s->rows && b->kinds[row + 1] == LEAT_UPDATE_AFTER;
}

// A side with a primary key: what a change replaces is found by it.
static leat_status change_keyed(struct join_work *w, const struct join_slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    const struct keyed *map = w->j->rows[w->side].map;
    uint8_t kind = w->b->kinds[s->first + r];
    encode_unique(w, s->first + r, &c->id);
    if (!buf_ok(&c->id))
        return leat_no_memory(w->ctx);
    if (starts_pair(s, w->b, r)) {
        encode_unique(w, s->first + r + 1, &c->old_id);
        if (leat_bytes_equal(join_bytes(&c->old_id), join_bytes(&c->id)))
            return LEAT_OK; // its +U replaces it
    }
    keyed_ref ref = keyed_find_key(map, join_bytes(&c->id));
    leat_status st = take_old(w, ref);
    if (st == LEAT_OK && (kind == LEAT_INSERT || kind == LEAT_UPDATE_AFTER) && !s->dropped[r])
        st = take_new(w, s, r);
    if (st == LEAT_OK && kind == LEAT_INSERT && ref && c->has_new &&
        leat_bytes_equal(keyed_ref_value(map, ref), join_bytes(&c->value)))
        c->has_old = c->has_new = 0; // a repeated row says nothing
    return st;
}

// What leaves a side without a primary key: the stored row of that content; a row that was never stored because it
// meets nothing is known from the change itself.
static leat_status change_content_old(struct join_work *w, const struct join_slice *s, uint32_t r)
{
    struct join_change *c = &w->j->change;
    if (s->dropped[r])
        return LEAT_OK;
    take_values(w, s->first + r, &c->old);
    if (!s->has_key[r]) {
        c->has_old = w->j->join->outer && w->side == 0;
        return LEAT_OK;
    }
    encode_row(w, &c->old_id, join_slice_key(w->j, r), &c->old);
    if (!buf_ok(&c->old_id))
        return leat_no_memory(w->ctx);
    return take_old(w, keyed_find_key(w->j->rows[w->side].map, join_bytes(&c->old_id)));
}

static leat_status change_content(struct join_work *w, const struct join_slice *s, uint32_t r)
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

// One change, from the slice to its output. *took = rows of the slice that are done.
static leat_status change(struct join_work *w, const struct join_slice *s, uint32_t r, uint32_t *took)
{
    struct join_change *c = &w->j->change;
    leat_status st = LEAT_OK;
    if (!c->active) {
        c->has_old = c->has_new = c->stored = c->mended = c->new_has_key = 0;
        c->old_key = (struct leat_bytes){NULL, 0};
        c->row = s->first + r;
        c->took = 1;
        st = w->j->rows[w->side].side->unique_count ? change_keyed(w, s, r) : change_content(w, s, r);
        if (st != LEAT_OK) {
            *took = c->took;
            return st == LEAT_DATA ? sql_exec_bad_row(w->ctx) : st;
        }
        if (c->has_old || c->has_new)
            join_change_begin(c);
    }
    *took = c->took;
    return c->active ? join_pass_on(w) : LEAT_OK;
}

static leat_status change_all(struct join_work *w, const struct join_slice *s)
{
    for (uint32_t r = w->x->resume - s->first; r < s->rows;) {
        uint32_t took;
        join_slice_reach(w, s, r);
        leat_status st = change(w, s, r, &took);
        if (st != LEAT_OK)
            return st;
        r += took;
        w->x->resume += took;
    }
    sql_arena_reset(&w->j->lists);
    return LEAT_OK;
}

leat_status sql_joiner_process(struct leat_ctx *ctx, struct sql_exec *x, uint32_t input, const struct leat_batch *b)
{
    struct sql_joiner *j = x->joiner;
    struct join_work w = {ctx, x, j, b, j->join->sides[1].input == input};
    struct join_slice *s = &j->slice;
    // rows that only come, and are not the optional ones of an outer join, take nothing back
    int grows = j->rows[w.side].kind == KEYED_BAG && !(j->join->outer && w.side == 1);
    leat_status st = LEAT_OK;
    x->ev.now = ctx->host->now(ctx);
    while (x->resume < b->rows && st == LEAT_OK) {
        if (!s->ready) {
            s->first = x->resume;
            s->rows = sql_exec_slice(b, s->first);
            st = join_slice_compute(&w, s);
        }
        if (st == LEAT_OK)
            st = grows ? join_grow(&w, s) : change_all(&w, s);
        s->ready = st == LEAT_AGAIN;
    }
    sql_joiner_report(j, 0);
    if (st == LEAT_AGAIN)
        return st; // called again with this batch; what is in hand is kept
    if (st == LEAT_OK)
        st = join_flush(&w, 0);
    x->resume = 0;
    j->change.active = 0;
    j->pairs.mid = 0;
    return st < 0 ? st : LEAT_OK;
}
