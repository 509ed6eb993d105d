// SPDX-License-Identifier: Apache-2.0
// Evaluation: the walk over a typed expression, and the loop over row kernels; see expr.h.
#include "expr/expr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <leat/batch.h>
#include <leat/host.h>

#include "expr/types.h"

#define EVALUATOR_LIMIT ((size_t)1 << 30) // most bytes of one batch's vectors and results

static const union leat_cell no_cell;
static const uint8_t null_state = LEAT_NULL;

void sql_evaluator_init(struct sql_evaluator *ev, const char *zone)
{
    memset(ev, 0, sizeof *ev);
    sql_arena_init(&ev->arena, EVALUATOR_LIMIT);
    ev->zone = zone;
}

void sql_evaluator_fini(struct sql_evaluator *ev)
{
    sql_arena_fini(&ev->arena);
}

void sql_evaluator_reset(struct sql_evaluator *ev)
{
    sql_arena_reset(&ev->arena);
}

int sql_fail_memory(struct sql_evaluator *ev)
{
    ev->failure.resource = 1;
    snprintf(ev->failure.message, sizeof ev->failure.message, "out of memory");
    return -1;
}

int sql_fail(struct sql_evaluator *ev, const struct sql_expr *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(ev->failure.message, sizeof ev->failure.message, fmt, ap);
    va_end(ap);
    ev->failure.offset = e->offset;
    ev->failure.length = e->length;
    return -1;
}

int sql_fail_range(struct sql_evaluator *ev, const struct sql_expr *e)
{
    char type[SQL_TYPE_TEXT];
    return sql_fail(ev, e, "the result of %s is out of the range of %s", e->func->name,
                    sql_type_name(e->type, type, sizeof type));
}

void *sql_eval_alloc(struct sql_evaluator *ev, size_t size)
{
    void *p = ev->target ? leat_batch_alloc(ev->target, size ? size : 1, 16) : sql_arena_alloc(&ev->arena, size);
    if (!p)
        sql_fail_memory(ev);
    return p;
}

static int vec_alloc(struct sql_evaluator *ev, uint32_t rows, struct sql_vec_out *out)
{
    out->cells = sql_arena_alloc(&ev->arena, rows * sizeof *out->cells);
    out->states = sql_arena_alloc(&ev->arena, rows);
    return out->cells && out->states ? 0 : sql_fail_memory(ev);
}

int sql_vec_alloc(struct sql_evaluator *ev, struct sql_vec_out *out)
{
    return vec_alloc(ev, ev->rows ? ev->rows : 1, out);
}

int sql_eval(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    switch (e->form) {
    case SQL_EXPR_LITERAL:
        *out = (struct sql_vec){&e->literal.cell, &e->literal.state, 1};
        return 0;
    case SQL_EXPR_COLUMN:
        *out = ev->columns[e->column];
        return 0;
    case SQL_EXPR_SYMBOL:
        *out = (struct sql_vec){&no_cell, &null_state, 1};
        return 0;
    default:
        break;
    }
    if (!sel->count) { // nobody asks: nothing may fail
        *out = (struct sql_vec){&no_cell, &null_state, 1};
        return 0;
    }
    return e->eval(ev, e, sel, out);
}

int sql_eval_pass(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    return sql_eval(ev, e->args[0], sel, out);
}

// One row of a row kernel. cells[i] comes out NULL where argument i is NULL or a symbol.
static int one_row(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_vec *vecs,
                   const union leat_cell **args, uint32_t r, const struct sql_vec_out *to, uint32_t at)
{
    int strict = !e->func || !(e->func->flags & SQL_FUNC_NULLS);
    to->states[at] = LEAT_VALUE;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        uint32_t k = sql_vec_at(&vecs[i], r);
        if (vecs[i].states[k] == LEAT_VALUE) {
            args[i] = &vecs[i].cells[k];
            continue;
        }
        args[i] = NULL;
        if (strict && e->args[i]->form != SQL_EXPR_SYMBOL) {
            to->states[at] = LEAT_NULL;
            return 0;
        }
    }
    if (!e->row(ev, e, args, &to->cells[at], &to->states[at]))
        return 0;
    if ((e->flags & SQL_EXPR_TRY) && !ev->failure.resource) {
        to->states[at] = LEAT_NULL;
        return 0;
    }
    ev->failure.row = r;
    return -1;
}

int sql_eval_rows(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    uint32_t n = e->arg_count ? e->arg_count : 1;
    struct sql_vec *vecs = sql_arena_alloc(&ev->arena, n * sizeof *vecs);
    const union leat_cell **args = sql_arena_alloc(&ev->arena, n * sizeof *args);
    if (!vecs || !args)
        return sql_fail_memory(ev);
    int constant = !e->func || !(e->func->flags & SQL_FUNC_VARIES);
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (sql_eval(ev, e->args[i], sel, &vecs[i]))
            return -1;
        constant &= vecs[i].constant;
    }
    struct sql_vec_out to;
    if (vec_alloc(ev, constant ? 1 : ev->rows, &to))
        return -1;
    *out = (struct sql_vec){to.cells, to.states, (uint8_t)constant};
    if (constant)
        return one_row(ev, e, vecs, args, sql_sel_row(sel, 0), &to, 0);
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = sql_sel_row(sel, k);
        if (one_row(ev, e, vecs, args, r, &to, r))
            return -1;
    }
    return 0;
}
