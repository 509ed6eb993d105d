// SPDX-License-Identifier: Apache-2.0
// From rows to an emitted batch: the filter, the changes it makes of updates, the computed columns; see exec.h.
//
// Columns that only pass are not touched: where all rows stay, the batch borrows them; where some go, cells are moved
// and what they point to stays with the batch they came in.
#include "exec/exec.h"

#include <stdio.h>
#include <string.h>

#define VALUES_SHOWN 4   // columns in a message about a row,
#define VALUE_SHOWN  60  // bytes of each value,
#define PART_SHOWN   120 // and bytes of the query

// --- evaluation with bad rows ---

leat_status sql_exec_bad_row(struct leat_ctx *ctx)
{
    return ctx->host->bad_row(ctx, (struct leat_bytes){NULL, 0}, "");
}

// The part of the expression that could not be computed.
static const struct sql_expr *failed_part(const struct sql_expr *e, const struct sql_failure *f)
{
    if (e->offset == f->offset && e->length == f->length)
        return e;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        const struct sql_expr *part = failed_part(e->args[i], f);
        if (part)
            return part;
    }
    return NULL;
}

struct shown {
    struct sql_exec *x;
    const char *message;         // that the values stand behind,
    const struct sql_expr *part; // and what could not be computed
    uint32_t row;
    uint32_t columns[VALUES_SHOWN];
    uint32_t count;
    char text[512];
    size_t len;
};

// Does the message quote the value already? "'x' is no INT: CAST(s AS INT)" needs no "with s = 'x'".
static int is_told(const struct shown *s, const struct sql_expr *e, const uint8_t *value, uint32_t len)
{
    uint32_t i = 0;
    while (i < s->part->arg_count && s->part->args[i] != e)
        i++;
    for (const char *at = s->message; i < s->part->arg_count && (at = strchr(at, '\''));)
        if (strlen(++at) > len && !memcmp(at, value, len) && at[len] == '\'')
            return 1;
    return 0;
}

static void show_value(struct shown *s, const struct sql_expr *e)
{
    const struct leat_bytes *query = &s->x->plan->query->text;
    const struct sql_vec *v = &s->x->columns[e->column];
    uint32_t at = sql_vec_at(v, s->row);
    struct leat_bytes value = {(const uint8_t *)"NULL", 4};
    if (v->states[at] == LEAT_VALUE && sql_cell_text(&s->x->ev, e, e->type, &v->cells[at], &value))
        return;
    int cut = value.len > VALUE_SHOWN, quoted = leat_type_is_string(e->type->kind) && v->states[at] == LEAT_VALUE;
    uint32_t len = cut ? VALUE_SHOWN : value.len;
    while (cut && len && (value.ptr[len] & 0xC0) == 0x80) // no half letters
        len--;
    if (quoted && is_told(s, e, value.ptr, len))
        return;
    int n = snprintf(s->text + s->len, sizeof s->text - s->len, "%s%.*s = %s%.*s%s%s", s->count ? ", " : " with ",
                     (int)(e->offset + e->length <= query->len ? e->length : 0), (const char *)query->ptr + e->offset,
                     quoted ? "'" : "", (int)len, (const char *)value.ptr, cut ? "…" : "", quoted ? "'" : "");
    s->len = n < 0 || s->len + (size_t)n >= sizeof s->text ? sizeof s->text - 1 : s->len + (size_t)n;
    s->columns[s->count++] = e->column;
}

// The values of the first columns that the part reads.
static void show_values(struct shown *s, const struct sql_expr *e)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (e->form == SQL_EXPR_COLUMN && s->columns[i] == e->column)
            return;
    if (e->form == SQL_EXPR_COLUMN && s->count < VALUES_SHOWN && e->column < s->x->plan->first[s->x->plan->input_count])
        show_value(s, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        show_values(s, e->args[i]);
}

leat_status sql_fail_row(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e, uint32_t row)
{
    const struct sql_failure f = x->ev.failure;
    const struct leat_bytes *text = &x->plan->query->text;
    const struct sql_expr *part = failed_part(e, &f);
    struct shown s = {.x = x, .message = f.message, .part = part ? part : e, .row = row};
    if (x->columns)
        show_values(&s, s.part);
    if (!f.length || f.offset + f.length > text->len)
        return leat_fail(ctx, LEAT_DATA, SQL_CODE_ROW, "%s%s", f.message, s.text);
    leat_status st = leat_fail(ctx, LEAT_DATA, SQL_CODE_ROW, "%s: %.*s%s%s", f.message,
                               (int)(f.length > PART_SHOWN ? PART_SHOWN : f.length), (const char *)text->ptr + f.offset,
                               f.length > PART_SHOWN ? "…" : "", s.text);
    leat_error_place(ctx, "query", f.offset);
    return st;
}

static leat_status report(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e, uint32_t row)
{
    if (x->ev.failure.resource)
        return leat_no_memory(ctx);
    leat_status st = sql_fail_row(ctx, x, e, row);
    return st == LEAT_DATA ? sql_exec_bad_row(ctx) : st;
}

// Finds every row that fails, one by one, and offers each to the host.
static leat_status drop_bad_rows(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e,
                                 struct sql_sel *sel, uint16_t *rows, uint8_t *dropped)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < sel->count; k++) {
        uint16_t r = rows[k];
        struct sql_vec v;
        if (!sql_eval(&x->ev, e, &(struct sql_sel){&r, 1}, &v)) {
            rows[kept++] = r;
            continue;
        }
        leat_status st = report(ctx, x, e, r);
        if (st != LEAT_OK)
            return st;
        dropped[r] = 1;
    }
    sel->count = kept;
    return LEAT_OK;
}

leat_status sql_exec_eval(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_expr *e, struct sql_sel *sel,
                          uint16_t *rows, uint8_t *dropped, struct sql_vec *out)
{
    x->ev.failure.resource = 0;
    if (!sql_eval(&x->ev, e, sel, out))
        return LEAT_OK;
    if (x->ev.failure.resource)
        return leat_no_memory(ctx);
    leat_status st = drop_bad_rows(ctx, x, e, sel, rows, dropped);
    if (st != LEAT_OK)
        return st;
    return sql_eval(&x->ev, e, sel, out) ? report(ctx, x, e, x->ev.failure.row) : LEAT_OK;
}

// --- one run ---

struct run {
    struct leat_ctx *ctx;
    struct sql_exec *x;
    const struct sql_stage *s;
    uint8_t dropped[SQL_VEC_MAX]; // filtered out, or bad
    uint8_t bare[SQL_VEC_MAX];    // a deletion of which only the key is known: nothing is computed
    uint16_t rows[SQL_VEC_MAX];   // to compute
    struct sql_sel sel;
    uint32_t any_bare, any_dropped;
    uint16_t kept[SQL_VEC_MAX]; // to emit
    uint8_t kinds[SQL_VEC_MAX];
    uint32_t count;
};

// Which rows are computed at all: in upsert streams deletions are not.
static void choose_rows(struct run *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->s->rows; i++) {
        r->dropped[i] = 0;
        r->bare[i] = r->s->mode == LEAT_MODE_UPSERT && r->s->kinds[i] == LEAT_DELETE;
        if (r->bare[i])
            r->any_bare = 1;
        else
            r->rows[n++] = (uint16_t)i;
    }
    r->sel = (struct sql_sel){r->rows, n};
}

// A value that was not sent cannot be computed with; passing it on is fine.
static leat_status refuse_unsent(struct run *r)
{
    const struct sql_branch *b = r->s->branch;
    for (uint32_t i = 0; i < b->read_count; i++) {
        uint32_t column = b->reads[i], n = 0;
        const uint8_t *states = r->x->columns[column].states;
        if (!memchr(states, LEAT_UNCHANGED, r->s->rows))
            continue;
        const struct leat_schema *schema = r->x->plan->inputs[b->input].schema;
        const struct leat_bytes *name = &schema->columns[column - r->x->plan->first[b->input]].name;
        for (uint32_t k = 0; k < r->sel.count; k++) {
            uint32_t row = r->rows[k];
            if (states[row] != LEAT_UNCHANGED) {
                r->rows[n++] = (uint16_t)row;
                continue;
            }
            leat_fail(r->ctx, LEAT_DATA, SQL_CODE_SENT, "column '%.*s' of a changed row was not sent", (int)name->len,
                      (const char *)name->ptr);
            leat_error_hint(r->ctx, "Have the source fetch unchanged values: unchanged.toast = \"reselect\".");
            leat_status st = sql_exec_bad_row(r->ctx);
            if (st != LEAT_OK)
                return st;
            r->dropped[row] = 1;
        }
        r->sel.count = n;
    }
    return LEAT_OK;
}

// A row of an upsert stream that no longer passes: its key may have passed before, so it is deleted.
static void filter_out(struct run *r, uint32_t row)
{
    if (r->s->mode == LEAT_MODE_UPSERT && !r->s->branch->filter_by_key) {
        r->bare[row] = 1;
        r->any_bare = 1;
    } else {
        r->dropped[row] = 1;
    }
}

static leat_status filter(struct run *r)
{
    const struct sql_expr *e = r->s->branch->filter;
    struct sql_vec v;
    if (!e || !r->sel.count)
        return LEAT_OK;
    leat_status st = sql_exec_eval(r->ctx, r->x, e, &r->sel, r->rows, r->dropped, &v);
    if (st != LEAT_OK)
        return st;
    uint32_t n = 0;
    for (uint32_t k = 0; k < r->sel.count; k++) {
        uint32_t row = r->rows[k], a = sql_vec_at(&v, row);
        if (v.states[a] == LEAT_VALUE && v.cells[a].i64)
            r->rows[n++] = (uint16_t)row;
        else
            filter_out(r, row);
    }
    r->sel.count = n;
    return LEAT_OK;
}

// Computes the output columns; columns that only pass give their vector as it is.
static leat_status compute(struct run *r, struct sql_vec *out)
{
    for (uint32_t c = 0; c < r->x->plan->out_count; c++) {
        const struct sql_expr *e = r->s->branch->out[c];
        if (e->form == SQL_EXPR_COLUMN) {
            out[c] = r->x->columns[e->column];
            continue;
        }
        leat_status st = sql_exec_eval(r->ctx, r->x, e, &r->sel, r->rows, r->dropped, &out[c]);
        if (st != LEAT_OK)
            return st;
    }
    return LEAT_OK;
}

// A filter may let one half of an update through: what stays is an insertion or a deletion then.
static void choose_kinds(struct run *r)
{
    for (uint32_t i = 0; i < r->s->rows; i++) {
        uint8_t kind = r->s->kinds[i];
        int pair = kind == LEAT_UPDATE_BEFORE && i + 1 < r->s->rows && r->s->kinds[i + 1] == LEAT_UPDATE_AFTER;
        if (pair && r->dropped[i] != r->dropped[i + 1]) {
            uint32_t stays = i + r->dropped[i];
            r->kept[r->count] = (uint16_t)stays;
            r->kinds[r->count++] = stays == i ? LEAT_DELETE : LEAT_INSERT;
            r->any_dropped = 1;
            i++;
            continue;
        }
        if (r->dropped[i]) {
            r->any_dropped = 1;
            continue;
        }
        r->kept[r->count] = (uint16_t)i;
        r->kinds[r->count++] = r->bare[i] ? LEAT_DELETE : kind;
    }
}

// --- the batch ---

// Moves the kept rows of a vector into a column of the batch's own.
static int gather(struct leat_batch *b, uint32_t c, const struct run *r, const struct sql_vec *v, int computed)
{
    if (!leat_batch_own_column(b, c))
        return 0;
    union leat_cell *cells = b->columns[c].cells;
    uint8_t *states = b->columns[c].states;
    for (uint32_t k = 0; k < r->count; k++) {
        uint32_t a = sql_vec_at(v, r->kept[k]);
        if (computed && r->bare[r->kept[k]]) {
            states[k] = LEAT_ABSENT;
            continue;
        }
        cells[k] = v->cells[a];
        states[k] = v->states[a];
    }
    return 1;
}

static int put_columns(struct leat_batch *b, const struct run *r, const struct sql_vec *out)
{
    const struct sql_stage *s = r->s;
    const uint32_t *first = r->x->plan->first;
    int borrow = s->whole && r->count == s->rows;
    for (uint32_t c = 0; c < r->x->plan->out_count; c++) {
        const struct sql_expr *e = s->branch->out[c];
        int passes = e->form == SQL_EXPR_COLUMN;
        if (passes && borrow && e->column >= first[s->input] && e->column < first[s->input + 1]) {
            leat_batch_borrow(b, c, s->whole, e->column - first[s->input]);
            b->columns[c].cells += s->first;
            b->columns[c].states += s->first;
        } else if (!gather(b, c, r, &out[c], !passes)) {
            return 0;
        }
    }
    return 1;
}

// Times and positions of the kept rows.
static int put_times(struct leat_batch *b, const struct run *r)
{
    const struct sql_stage *s = r->s;
    if (s->times && !(b->times = leat_batch_alloc(b, r->count * sizeof *b->times, 8)))
        return 0;
    if (s->positions && !(b->positions = leat_batch_alloc(b, r->count * sizeof *b->positions, 8)))
        return 0;
    for (uint32_t k = 0; k < r->count; k++) {
        if (s->times)
            b->times[k] = s->times[r->kept[k]];
        if (s->positions)
            b->positions[k] = s->positions[r->kept[k]];
    }
    return 1;
}

static void plan_release(void *arg)
{
    sql_plan_unref(arg);
}

// What the cells point to lives as long as the batch: the input's memory, and the plan's constants.
static leat_status tie(struct leat_batch *b, const struct run *r)
{
    const struct leat_host *host = r->ctx->host;
    leat_status st = r->s->keep ? host->batch_keep(b, r->s->keep) : LEAT_OK;
    if (st == LEAT_OK && r->s->hold)
        st = host->batch_keep(b, r->s->hold);
    if (st != LEAT_OK || !r->x->plan->keeps_bytes)
        return st;
    sql_plan_ref(r->x->plan);
    st = host->batch_attach(b, plan_release, r->x->plan);
    if (st != LEAT_OK)
        sql_plan_unref(r->x->plan);
    return st;
}

static leat_status run(struct run *r, struct leat_batch *b)
{
    struct sql_vec *out = sql_arena_alloc(&r->x->ev.arena, (r->x->plan->out_count + 1) * sizeof *out);
    if (!out)
        return leat_no_memory(r->ctx);
    choose_rows(r);
    leat_status st = refuse_unsent(r);
    if (st == LEAT_OK)
        st = filter(r);
    if (st == LEAT_OK)
        st = compute(r, out);
    if (st != LEAT_OK)
        return st;
    choose_kinds(r);
    if (!r->count)
        return LEAT_OK;
    // the batch was made for all rows; own columns need no more than the kept ones
    b->capacity = r->count;
    b->rows = r->count;
    memcpy(b->kinds, r->kinds, r->count);
    b->flags = r->s->flags;
    b->arrived = r->s->arrived;
    if (!put_columns(b, r, out) || !put_times(b, r))
        return leat_no_memory(r->ctx);
    return tie(b, r) == LEAT_OK ? LEAT_OK : leat_no_memory(r->ctx);
}

leat_status sql_stage_run(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_stage *s)
{
    struct leat_batch *b = ctx->host->batch_create(ctx, &x->plan->schema, s->rows, 1);
    if (!b)
        return leat_no_memory(ctx);
    struct run r = {.ctx = ctx, .x = x, .s = s};
    x->ev.target = b;
    x->ev.rows = s->rows;
    leat_status st = run(&r, b);
    x->ev.target = NULL;
    sql_evaluator_reset(&x->ev);
    if (st == LEAT_OK && r.count)
        return ctx->host->emit(ctx, 0, b);
    leat_batch_unref(b);
    return st;
}
