// SPDX-License-Identifier: Apache-2.0
// Calls and casts while binding: arguments checked, type derived, constants folded; see expr.h.
#include "expr/bind.h"

#include <string.h>

#include "expr/types.h"

// --- types for results ---

const struct leat_type *sql_bind_nullable(struct sql_bind *b, const struct leat_type *t, uint8_t nullable)
{
    if (t->nullable == nullable)
        return t;
    struct leat_type *copy = sql_bind_alloc(b, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *t;
    copy->nullable = nullable;
    return copy;
}

static const struct leat_type *make(struct sql_bind *b, struct leat_type t)
{
    struct leat_type *copy = sql_bind_alloc(b, sizeof *copy);
    if (copy)
        *copy = t;
    return copy;
}

const struct leat_type *sql_bind_type(struct sql_bind *b, uint8_t kind, uint8_t nullable)
{
    return make(b, (struct leat_type){.kind = kind, .nullable = nullable});
}

const struct leat_type *sql_bind_decimal(struct sql_bind *b, uint8_t precision, uint8_t scale, uint8_t nullable)
{
    return make(
        b, (struct leat_type){.kind = LEAT_TYPE_DECIMAL, .nullable = nullable, .precision = precision, .scale = scale});
}

const struct leat_type *sql_bind_sized(struct sql_bind *b, uint8_t kind, uint32_t length, uint8_t nullable)
{
    return make(b, (struct leat_type){.kind = kind, .nullable = nullable, .length = length});
}

const struct leat_type *sql_bind_time(struct sql_bind *b, uint8_t kind, uint8_t precision, uint8_t nullable)
{
    return make(b, (struct leat_type){.kind = kind, .nullable = nullable, .precision = precision});
}

const struct leat_type *sql_bind_array(struct sql_bind *b, const struct leat_type *element, uint8_t nullable)
{
    return make(
        b, (struct leat_type){.kind = LEAT_TYPE_ARRAY, .nullable = nullable, .child_count = 1, .children = element});
}

// --- small derivers ---

uint32_t sql_length_both(const struct sql_expr *e)
{
    uint64_t length = (uint64_t)e->args[0]->type->length + e->args[1]->type->length;
    return length > LEAT_LENGTH_MAX ? LEAT_LENGTH_MAX : (uint32_t)length;
}

uint8_t sql_args_nullable(const struct sql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (e->args[i]->type && e->args[i]->type->nullable)
            return 1;
    return 0;
}

static int derive_kind(struct sql_bind *b, struct sql_expr *e, uint8_t kind)
{
    e->type = sql_bind_type(b, kind, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

int sql_derive_boolean(struct sql_bind *b, struct sql_expr *e)
{
    return derive_kind(b, e, LEAT_TYPE_BOOLEAN);
}

int sql_derive_int(struct sql_bind *b, struct sql_expr *e)
{
    return derive_kind(b, e, LEAT_TYPE_INT);
}

int sql_derive_bigint(struct sql_bind *b, struct sql_expr *e)
{
    return derive_kind(b, e, LEAT_TYPE_BIGINT);
}

int sql_derive_double(struct sql_bind *b, struct sql_expr *e)
{
    return derive_kind(b, e, LEAT_TYPE_DOUBLE);
}

int sql_derive_string(struct sql_bind *b, struct sql_expr *e)
{
    e->type = sql_bind_string(b, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

int sql_derive_string_null(struct sql_bind *b, struct sql_expr *e)
{
    e->type = sql_bind_string(b, 1);
    return e->type ? 0 : -1;
}

// The kind of an argument, 0 for a keyword.
static uint8_t kind_of(const struct sql_expr *e, uint32_t i)
{
    return e->args[i]->type ? e->args[i]->type->kind : 0;
}

int sql_want_string(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    return leat_type_is_string(kind_of(e, i)) ? 0 : sql_bind_mismatch(b, e);
}

int sql_want_strings(struct sql_bind *b, struct sql_expr *e, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (sql_want_string(b, e, i))
            return -1;
    return 0;
}

int sql_want_numeric(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    return sql_type_is_numeric(kind_of(e, i)) ? 0 : sql_bind_mismatch(b, e);
}

int sql_want_integer(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    return leat_type_is_integer(kind_of(e, i)) ? 0 : sql_bind_mismatch(b, e);
}

int sql_want_boolean(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    return kind_of(e, i) == LEAT_TYPE_BOOLEAN ? 0 : sql_bind_mismatch(b, e);
}

// --- literals and folding ---

static int copy_list(struct sql_bind *b, const struct leat_type *t, union leat_cell *cell)
{
    uint32_t count = cell->list.count;
    struct leat_datum *items = sql_bind_alloc(b, (count ? count : 1) * sizeof *items);
    if (!items)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = cell->list.items[i];
        if (items[i].state == LEAT_VALUE && bind_copy_cell(b, leat_type_child(t, i), &items[i].cell))
            return -1;
    }
    cell->list.items = items;
    return 0;
}

int bind_copy_cell(struct sql_bind *b, const struct leat_type *t, union leat_cell *cell)
{
    if (leat_type_is_bytes(t->kind)) {
        cell->bytes.ptr = sql_arena_copy(b->arena, cell->bytes.ptr, cell->bytes.len);
        return cell->bytes.ptr ? 0 : sql_diag_memory(b->diag);
    }
    return leat_type_is_list(t->kind) ? copy_list(b, t, cell) : 0;
}

struct sql_expr *sql_bind_literal(struct sql_bind *b, const struct sql_expr *at, const struct leat_type *type,
                                  union leat_cell cell)
{
    struct sql_expr *e = sql_bind_alloc(b, sizeof *e);
    if (!e)
        return NULL;
    e->form = SQL_EXPR_LITERAL;
    e->flags = SQL_EXPR_CONSTANT;
    e->offset = at->offset;
    e->length = at->length;
    e->type = type;
    e->literal.cell = cell;
    return e;
}

static void become_literal(struct sql_expr *e)
{
    e->form = SQL_EXPR_LITERAL;
    e->flags = SQL_EXPR_CONSTANT;
    e->args = NULL;
    e->arg_count = 0;
    e->func = NULL;
    e->row = NULL;
    e->eval = NULL;
}

// Computes a call of literals once. A failure is left for the row that reaches it.
static int fold(struct sql_bind *b, struct sql_expr *e)
{
    struct sql_evaluator *ev = b->fold;
    struct sql_vec v;
    sql_evaluator_reset(ev);
    ev->rows = 1;
    memset(&ev->failure, 0, sizeof ev->failure);
    if (sql_eval(ev, e, &(struct sql_sel){NULL, 1}, &v))
        return 0;
    struct leat_datum d = {v.cells[0], v.states[0]};
    if (d.state == LEAT_VALUE && bind_copy_cell(b, e->type, &d.cell))
        return -1;
    e->literal = d;
    become_literal(e);
    return 0;
}

static int is_constant(const struct sql_expr *e)
{
    return e->form == SQL_EXPR_SYMBOL || (e->flags & SQL_EXPR_CONSTANT);
}

static int fold_if_constant(struct sql_bind *b, struct sql_expr *e)
{
    if (e->func && (e->func->flags & SQL_FUNC_VARIES))
        return 0;
    int literals = 1;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!is_constant(e->args[i]))
            return 0;
        literals &= e->args[i]->form != SQL_EXPR_CALL && e->args[i]->form != SQL_EXPR_CAST;
    }
    e->flags |= SQL_EXPR_CONSTANT;
    // an argument that is constant and no literal failed when it was folded: only lazy functions may still succeed
    return literals || !e->row ? fold(b, e) : 0;
}

// --- calls ---

static int check_count(struct sql_bind *b, const struct sql_expr *e)
{
    const struct sql_func *f = e->func;
    if (e->arg_count >= f->min_args && (f->max_args == 255 || e->arg_count <= f->max_args))
        return 0;
    if (f->max_args == 255)
        sql_bind_error(b, e, "'%s' takes at least %u arguments, found %u", f->name, f->min_args, e->arg_count);
    else if (f->min_args == f->max_args)
        sql_bind_error(b, e, "'%s' takes %u argument%s, found %u", f->name, f->min_args, f->min_args == 1 ? "" : "s",
                       e->arg_count);
    else
        sql_bind_error(b, e, "'%s' takes %u to %u arguments, found %u", f->name, f->min_args, f->max_args,
                       e->arg_count);
    if (f->form)
        sql_diag_hint(b->diag, "It is %s.", f->form);
    return -1;
}

static int check_untyped(struct sql_bind *b, const struct sql_expr *e)
{
    if (e->func->flags & SQL_FUNC_UNTYPED)
        return 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (e->args[i]->type && e->args[i]->type->kind == LEAT_TYPE_NULL) {
            sql_bind_error(b, e->args[i], "NULL has no type here");
            sql_diag_hint(b->diag, "Write CAST(NULL AS type).");
            return -1;
        }
    return 0;
}

// Nothing is said of a call one of whose arguments is not understood: it is not understood either.
static int pass_unknown(struct sql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!e->args[i]->type || !(e->args[i]->type->flags & LEAT_TYPE_IS_UNKNOWN))
            continue;
        e->type = e->args[i]->type;
        e->literal.state = LEAT_NULL;
        become_literal(e);
        e->flags = 0;
        return 1;
    }
    return 0;
}

int bind_finish_call(struct sql_bind *b, struct sql_expr *e)
{
    const struct sql_func *f = e->func;
    if (f->flags & SQL_FUNC_LATER)
        return sql_bind_unsupported(b, e, f->name);
    if (check_count(b, e))
        return -1;
    if (pass_unknown(e))
        return 0;
    if (check_untyped(b, e) || f->derive(b, e))
        return -1;
    if (e->func != f || e->form == SQL_EXPR_LITERAL) // derive put another expression in its place
        return 0;
    if (!e->row && !e->eval) {
        e->row = f->row;
        e->eval = f->eval;
    }
    if (f->compile && f->compile(b, e))
        return -1;
    if (!e->eval)
        e->eval = sql_eval_rows;
    return fold_if_constant(b, e);
}

struct sql_expr *sql_bind_call(struct sql_bind *b, const struct sql_expr *at, const struct sql_func *f,
                               struct sql_expr **args, uint32_t count)
{
    struct sql_expr *e = sql_bind_alloc(b, sizeof *e);
    if (!e)
        return NULL;
    e->form = SQL_EXPR_CALL;
    e->offset = at->offset;
    e->length = at->length;
    e->func = f;
    e->args = sql_bind_alloc(b, (count ? count : 1) * sizeof *args);
    e->arg_count = count;
    if (!e->args)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        e->args[i] = args[i];
    return bind_finish_call(b, e) ? NULL : e;
}

int sql_bind_become(struct sql_bind *b, struct sql_expr *e, const struct sql_expr *by)
{
    uint32_t offset = e->offset, length = e->length;
    *e = *by;
    e->offset = offset;
    e->length = length;
    return 0;
}

// --- casts ---

int bind_finish_cast(struct sql_bind *b, struct sql_expr *e)
{
    const struct sql_expr *arg = e->args[0];
    if (!arg->type)
        return sql_bind_error(b, arg, "a value is needed here");
    if (arg->type->kind == LEAT_TYPE_NULL || arg->type->flags & LEAT_TYPE_IS_UNKNOWN) {
        e->literal.state = LEAT_NULL;
        become_literal(e);
        return 0;
    }
    if (sql_type_equal(arg->type, e->type))
        e->eval = sql_eval_pass;
    else if (sql_cast_compile(b, e))
        return -1;
    if (!e->eval)
        e->eval = sql_eval_rows;
    return fold_if_constant(b, e);
}

int sql_bind_cast(struct sql_bind *b, struct sql_expr **slot, const struct leat_type *type)
{
    struct sql_expr *arg = *slot;
    if (arg->type && sql_type_equal(arg->type, type))
        return 0;
    struct sql_expr *e = sql_bind_alloc(b, sizeof *e);
    struct sql_expr **args = sql_bind_alloc(b, sizeof *args);
    if (!e || !args)
        return -1;
    args[0] = arg;
    e->form = SQL_EXPR_CAST;
    e->flags = SQL_EXPR_IMPLICIT;
    e->offset = arg->offset;
    e->length = arg->length;
    e->args = args;
    e->arg_count = 1;
    e->type = sql_bind_nullable(b, type, arg->type && (arg->type->nullable || arg->type->kind == LEAT_TYPE_NULL));
    if (!e->type || bind_finish_cast(b, e))
        return -1;
    *slot = e;
    return 0;
}

int sql_bind_to_decimal(struct sql_bind *b, struct sql_expr **slot)
{
    struct sql_digits d = sql_type_digits((*slot)->type);
    const struct leat_type *t = sql_bind_decimal(b, d.precision, d.scale, 1);
    return t ? sql_bind_cast(b, slot, t) : -1;
}
