// SPDX-License-Identifier: Apache-2.0
// CASE, IF, COALESCE, IFNULL, NULLIF, TYPEOF.
//
// CASE and IF are lazy: a branch is computed only for the rows that take it. COALESCE and IFNULL compute all their
// arguments, as Flink does.
#include "expr/expr.h"

#include <string.h>

#include "expr/types.h"

// --- CASE and IF: when, then, when, then …, else ---

static void scatter(const struct sql_vec *from, const uint16_t *rows, uint32_t count, const struct sql_vec_out *to)
{
    for (uint32_t k = 0; k < count; k++) {
        uint32_t r = rows[k], a = sql_vec_at(from, r);
        to->states[r] = from->states[a] == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
        to->cells[r] = from->cells[a];
    }
}

// Computes args[i] for the rows and puts the answers in place.
static int branch(struct sql_evaluator *ev, const struct sql_expr *e, uint32_t i, const uint16_t *rows, uint32_t count,
                  const struct sql_vec_out *to)
{
    struct sql_vec v;
    if (!count)
        return 0;
    if (sql_eval(ev, e->args[i], &(struct sql_sel){rows, count}, &v))
        return -1;
    scatter(&v, rows, count, to);
    return 0;
}

static int eval_case(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    uint16_t *open = sql_arena_alloc(&ev->arena, 2 * sel->count * sizeof *open + 2), *taken = open + sel->count;
    struct sql_vec_out to;
    if (!open)
        return sql_fail_memory(ev);
    if (sql_vec_alloc(ev, &to))
        return -1;
    sql_vec_done(&to, out);
    uint32_t left = sel->count;
    for (uint32_t k = 0; k < left; k++)
        open[k] = (uint16_t)sql_sel_row(sel, k);
    for (uint32_t i = 0; i + 1 < e->arg_count && left; i += 2) {
        struct sql_vec when;
        if (sql_eval(ev, e->args[i], &(struct sql_sel){open, left}, &when))
            return -1;
        uint32_t hits = 0, still = 0;
        for (uint32_t k = 0; k < left; k++) {
            uint32_t r = open[k], a = sql_vec_at(&when, r);
            if (when.states[a] == LEAT_VALUE && when.cells[a].i64)
                taken[hits++] = (uint16_t)r;
            else
                open[still++] = (uint16_t)r;
        }
        left = still;
        if (branch(ev, e, i + 1, taken, hits, &to))
            return -1;
    }
    return branch(ev, e, e->arg_count - 1, open, left, &to);
}

// Branches are the odd arguments and the last one.
static uint32_t next_branch(uint32_t i, uint32_t last)
{
    return i == last ? last + 1 : i + 2 > last ? last : i + 2;
}

// The branches' common type becomes e's; casts the branches. -1 = refused.
static int merge_branches(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = NULL;
    uint32_t last = e->arg_count - 1;
    for (uint32_t i = 1; i <= last; i = next_branch(i, last)) {
        const struct leat_type *x = e->args[i]->type;
        const struct leat_type *merged = !x ? NULL : t ? sql_type_common(b, t, x, SQL_MERGE_CALCITE) : x;
        if (!merged) {
            char one[SQL_TYPE_TEXT], other[SQL_TYPE_TEXT];
            if (!b->diag->kind && x)
                sql_bind_error(b, e->args[i], "the branches of %s have no common type: %s and %s", e->func->name,
                               sql_type_name(t, one, sizeof one), sql_type_name(x, other, sizeof other));
            return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
        }
        t = merged;
    }
    if (t->kind == LEAT_TYPE_NULL)
        return sql_bind_error(b, e, "at least one branch of %s must not be NULL", e->func->name);
    for (uint32_t i = 1; i <= last; i = next_branch(i, last))
        if (sql_bind_cast(b, &e->args[i], t))
            return -1;
    e->type = t;
    return 0;
}

static int derive_case(struct sql_bind *b, struct sql_expr *e)
{
    for (uint32_t i = 0; i + 1 < e->arg_count; i += 2) {
        const struct leat_type *t = e->args[i]->type;
        if (!t || (t->kind != LEAT_TYPE_BOOLEAN && t->kind != LEAT_TYPE_NULL)) {
            char name[SQL_TYPE_TEXT];
            return sql_bind_error(b, e->args[i], "WHEN needs a BOOLEAN, found %s",
                                  t ? sql_type_name(t, name, sizeof name) : "a keyword");
        }
    }
    return merge_branches(b, e);
}

static int derive_if(struct sql_bind *b, struct sql_expr *e)
{
    uint8_t nullable = sql_args_nullable(e);
    if (sql_want_boolean(b, e, 0) || merge_branches(b, e))
        return -1;
    e->type = sql_bind_nullable(b, e->type, nullable);
    return e->type ? 0 : -1;
}

// --- COALESCE, IFNULL ---

static int eval_coalesce(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                         struct sql_vec *out)
{
    struct sql_vec_out to;
    if (sql_vec_alloc(ev, &to))
        return -1;
    sql_vec_done(&to, out);
    for (uint32_t i = 0; i < e->arg_count; i++) {
        struct sql_vec v;
        if (sql_eval(ev, e->args[i], sel, &v))
            return -1;
        for (uint32_t k = 0; k < sel->count; k++) {
            uint32_t r = sql_sel_row(sel, k), a = sql_vec_at(&v, r);
            if (i && to.states[r] == LEAT_VALUE)
                continue;
            to.states[r] = v.states[a] == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
            to.cells[r] = v.cells[a];
        }
    }
    return 0;
}

static int derive_coalesce(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    uint8_t nullable = 1;
    for (uint32_t i = 0; i < e->arg_count && t; i++) {
        const struct leat_type *x = e->args[i]->type;
        t = x ? sql_type_common(b, t, x, SQL_MERGE_FLINK) : NULL;
        if (x && !x->nullable)
            nullable = 0;
    }
    if (!t || t->kind == LEAT_TYPE_NULL)
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_bind_cast(b, &e->args[i], t))
            return -1;
    if (!e->args[0]->type->nullable) // the others are never asked
        return sql_bind_become(b, e, e->args[0]);
    e->type = sql_bind_nullable(b, t, nullable);
    return e->type ? 0 : -1;
}

// --- NULLIF(a, b): CASE WHEN a = b THEN NULL ELSE a END ---

static int derive_nullif(struct sql_bind *b, struct sql_expr *e)
{
    struct sql_expr *a = e->args[0];
    if (!a->type || a->type->kind == LEAT_TYPE_NULL)
        return sql_bind_mismatch(b, e);
    struct sql_expr *equal = sql_bind_call(b, e, sql_func_operator("="), e->args, 2);
    const struct leat_type *t = sql_bind_nullable(b, a->type, 1);
    struct sql_expr *null = equal && t ? sql_bind_literal(b, e, t, (union leat_cell){.i64 = 0}) : NULL;
    if (!null)
        return -1;
    null->literal.state = LEAT_NULL;
    struct sql_expr *args[] = {equal, null, a};
    struct sql_expr *r = sql_bind_call(b, e, sql_func_operator("CASE"), args, 3);
    if (!r)
        return -1;
    if (r->form == SQL_EXPR_LITERAL && r->literal.state == LEAT_VALUE)
        r->type = a->type;
    return sql_bind_become(b, e, r);
}

// --- TYPEOF(x) ---

static int derive_typeof(struct sql_bind *b, struct sql_expr *e)
{
    if (!e->args[0]->type)
        return sql_bind_mismatch(b, e);
    char *text = sql_bind_alloc(b, 4096);
    const struct leat_type *t = sql_bind_string(b, 1);
    if (!text || !t)
        return -1;
    sql_type_print(e->args[0]->type, text, 4096);
    union leat_cell cell = {.bytes = {(const uint8_t *)text, (uint32_t)strlen(text)}};
    struct sql_expr *r = sql_bind_literal(b, e, t, cell);
    return r ? sql_bind_become(b, e, r) : -1;
}

static const struct sql_func rows[] = {
    {.name = "CASE",
     .min_args = 3,
     .max_args = 255,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED,
     .derive = derive_case,
     .eval = eval_case},
    {.name = "IF",
     .min_args = 3,
     .max_args = 3,
     .derive = derive_if,
     .eval = eval_case,
     .form = "IF(<boolean>, <value>, <value>)"},
    {.name = "COALESCE",
     .min_args = 1,
     .max_args = 255,
     .flags = SQL_FUNC_UNTYPED,
     .derive = derive_coalesce,
     .eval = eval_coalesce,
     .form = "COALESCE(<value>, …), values of one type"},
    {.name = "IFNULL",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_UNTYPED,
     .derive = derive_coalesce,
     .eval = eval_coalesce,
     .form = "IFNULL(<value>, <value>), values of one type"},
    {.name = "NULLIF",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_UNTYPED,
     .derive = derive_nullif,
     .form = "NULLIF(<value>, <value>)"},
    {.name = "TYPEOF", .min_args = 1, .max_args = 2, .derive = derive_typeof, .form = "TYPEOF(<value>)"},
};
const struct sql_func_table sql_cond_funcs = SQL_FUNC_TABLE(rows);
