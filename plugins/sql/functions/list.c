// SPDX-License-Identifier: Apache-2.0
// ARRAY[…], MAP[…], ROW(…), and taking one value out of them.
//
// Places in arrays count from 1; one beyond the end is NULL, one below 1 an error. Of two equal keys of a map the last
// one stays.
#include "expr/expr.h"

#include <stdio.h>

#include "expr/types.h"
#include "functions/compare.h"

// --- constructors ---

static void set_item(struct leat_datum *item, const union leat_cell *arg)
{
    item->state = arg ? LEAT_VALUE : LEAT_NULL;
    if (arg)
        item->cell = *arg;
}

// Also of rows.
static int row_array(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    struct leat_datum *items = sql_eval_alloc(ev, e->arg_count * sizeof *items);
    if (!items)
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++)
        set_item(&items[i], args[i]);
    out->list = (struct leat_list){items, e->arg_count};
    return 0;
}

static int row_map(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    struct leat_datum *items = sql_eval_alloc(ev, e->arg_count * sizeof *items);
    uint32_t count = 0;
    if (!items)
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i += 2) {
        struct leat_datum key;
        set_item(&key, args[i]);
        uint32_t at = sql_map_find(&e->type->children[0], items, count, &key);
        if (at == count) {
            items[count] = key;
            count += 2;
        }
        set_item(&items[at + 1], args[i + 1]);
    }
    out->list = (struct leat_list){items, count};
    return 0;
}

// The common type of every `step`th argument from `first` on, to which they are cast. NULL = refused.
static const struct leat_type *unify(struct sql_bind *b, struct sql_expr *e, uint32_t first, uint32_t step)
{
    const struct leat_type *t = e->args[first]->type;
    for (uint32_t i = first + step; i < e->arg_count && t; i += step)
        t = e->args[i]->type ? sql_type_common(b, t, e->args[i]->type, SQL_MERGE_CALCITE) : NULL;
    if (!t || t->kind == LEAT_TYPE_NULL) {
        if (!b->diag->kind)
            sql_bind_error(b, e, "the values of %s have no common type", e->func->name);
        return NULL;
    }
    for (uint32_t i = first; i < e->arg_count; i += step)
        if (sql_bind_cast(b, &e->args[i], t))
            return NULL;
    return t;
}

static int derive_array(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = unify(b, e, 0, 1);
    e->type = t ? sql_bind_array(b, t, 0) : NULL;
    return e->type ? 0 : -1;
}

static int derive_map(struct sql_bind *b, struct sql_expr *e)
{
    if (e->arg_count % 2)
        return sql_bind_error(b, e, "MAP takes keys and values by turns, found %u", e->arg_count);
    const struct leat_type *key = unify(b, e, 0, 2), *value = key ? unify(b, e, 1, 2) : NULL;
    struct leat_type *t = sql_bind_alloc(b, sizeof *t), *children = sql_bind_alloc(b, 2 * sizeof *children);
    if (!value || !t || !children)
        return -1;
    children[0] = *key;
    children[1] = *value;
    *t = (struct leat_type){.kind = LEAT_TYPE_MAP, .child_count = 2, .children = children};
    e->type = t;
    return 0;
}

static int derive_row(struct sql_bind *b, struct sql_expr *e)
{
    struct leat_type *t = sql_bind_alloc(b, sizeof *t), *children;
    struct leat_bytes *names = sql_bind_alloc(b, e->arg_count * sizeof *names);
    children = sql_bind_alloc(b, e->arg_count * sizeof *children);
    if (!t || !names || !children)
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        char *name = sql_bind_alloc(b, 16);
        if (!name)
            return -1;
        if (!e->args[i]->type)
            return sql_bind_mismatch(b, e);
        names[i] = (struct leat_bytes){(uint8_t *)name, (uint32_t)snprintf(name, 16, "EXPR$%u", i)};
        children[i] = *e->args[i]->type;
    }
    *t = (struct leat_type){.kind = LEAT_TYPE_ROW, .child_count = e->arg_count, .children = children, .names = names};
    e->type = t;
    return 0;
}

// --- one value ---

static int put_item(const struct leat_datum *item, union leat_cell *out, uint8_t *state)
{
    *state = item->state == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
    *out = item->cell;
    return 0;
}

static int row_item_array(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    int64_t i = args[1]->i64;
    if (i < 1)
        return sql_fail(ev, e, "places in an array count from 1, found %lld", (long long)i);
    *state = LEAT_NULL;
    return i > args[0]->list.count ? 0 : put_item(&args[0]->list.items[i - 1], out, state);
}

static int row_item_map(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    const struct leat_list *m = &args[0]->list;
    struct leat_datum key = {*args[1], LEAT_VALUE};
    uint32_t at = sql_map_find(&e->args[0]->type->children[0], m->items, m->count, &key);
    *state = LEAT_NULL;
    return at == m->count ? 0 : put_item(&m->items[at + 1], out, state);
}

static int row_field(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    const uint32_t *field = e->data;
    return put_item(&args[0]->list.items[*field], out, state);
}

static int take_field(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    const struct leat_type *row = e->args[0]->type;
    uint32_t *field = sql_bind_alloc(b, sizeof *field);
    if (!field)
        return -1;
    *field = i;
    e->data = field;
    e->row = row_field;
    e->arg_count = 1;
    e->type = sql_bind_nullable(b, &row->children[i], row->nullable || row->children[i].nullable);
    return e->type ? 0 : -1;
}

static int derive_field(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *row = e->args[0]->type;
    const struct leat_bytes *name = e->data;
    if (!row || row->kind != LEAT_TYPE_ROW || !row->names)
        return sql_bind_error(b, e, "only a ROW has fields");
    for (uint32_t i = 0; i < row->child_count; i++)
        if (leat_bytes_equal(row->names[i], *name))
            return take_field(b, e, i);
    return sql_diag_set(b->diag, SQL_DIAG_NAME, e->offset, e->length, "the row has no field '%.*s'", (int)name->len,
                        (const char *)name->ptr);
}

static int derive_item_row(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_datum *d = sql_expr_literal(e->args[1]);
    if (!d || d->state != LEAT_VALUE || !leat_type_is_integer(e->args[1]->type->kind) || d->cell.i64 < 1 ||
        d->cell.i64 > e->args[0]->type->child_count)
        return sql_bind_error(b, e->args[1], "a field of a ROW is named by a literal from 1 to %u",
                              e->args[0]->type->child_count);
    return take_field(b, e, (uint32_t)d->cell.i64 - 1);
}

static int derive_item(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type, *at = e->args[1]->type;
    const struct leat_datum *d = sql_expr_literal(e->args[1]);
    if (!t || !at || !leat_type_is_list(t->kind))
        return sql_bind_mismatch(b, e);
    if (t->kind == LEAT_TYPE_ROW)
        return derive_item_row(b, e);
    if (t->kind == LEAT_TYPE_MAP) {
        int strings = leat_type_is_string(t->children[0].kind) && leat_type_is_string(at->kind);
        if (!strings && (!sql_type_common(b, &t->children[0], at, SQL_MERGE_FLINK) ||
                         sql_bind_cast(b, &e->args[1], &t->children[0])))
            return sql_bind_mismatch(b, e);
        e->row = row_item_map;
        e->type = sql_bind_nullable(b, &t->children[1], 1);
        return e->type ? 0 : -1;
    }
    if (sql_want_integer(b, e, 1))
        return -1;
    if (d && d->state == LEAT_VALUE && d->cell.i64 < 1)
        return sql_bind_error(b, e->args[1], "places in an array count from 1, found %lld", (long long)d->cell.i64);
    e->row = row_item_array;
    e->type = sql_bind_nullable(b, &t->children[0], 1);
    return e->type ? 0 : -1;
}

// --- CARDINALITY, ELEMENT ---

static int row_cardinality(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    out->i64 = e->args[0]->type->kind == LEAT_TYPE_MAP ? args[0]->list.count / 2 : args[0]->list.count;
    return 0;
}

static int derive_cardinality(struct sql_bind *b, struct sql_expr *e)
{
    uint8_t kind = e->args[0]->type->kind;
    return kind != LEAT_TYPE_ARRAY && kind != LEAT_TYPE_MAP ? sql_bind_mismatch(b, e) : sql_derive_int(b, e);
}

static int row_element(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    *state = LEAT_NULL;
    if (args[0]->list.count > 1)
        return sql_fail(ev, e, "ELEMENT takes an array of one element, found %u", args[0]->list.count);
    return args[0]->list.count ? put_item(&args[0]->list.items[0], out, state) : 0;
}

static int derive_element(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    if (t->kind != LEAT_TYPE_ARRAY)
        return sql_bind_mismatch(b, e);
    e->type = sql_bind_nullable(b, &t->children[0], 1);
    return e->type ? 0 : -1;
}

#define CONSTRUCTOR(n, least, d, r)                                                                                    \
    {                                                                                                                  \
        .name = n, .min_args = least, .max_args = 255, .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED | SQL_FUNC_NULLS, \
        .derive = d, .row = r                                                                                          \
    }

static const struct sql_func rows[] = {
    CONSTRUCTOR("ARRAY", 1, derive_array, row_array),
    CONSTRUCTOR("MAP", 2, derive_map, row_map),
    {.name = "ROW",
     .min_args = 1,
     .max_args = 255,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_NULLS,
     .derive = derive_row,
     .row = row_array},
    {.name = "ITEM", .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR, .derive = derive_item},
    {.name = "FIELD", .min_args = 1, .max_args = 1, .flags = SQL_FUNC_OPERATOR, .derive = derive_field},
    {.name = "CARDINALITY",
     .min_args = 1,
     .max_args = 1,
     .derive = derive_cardinality,
     .row = row_cardinality,
     .form = "CARDINALITY(<array or map>)"},
    {.name = "ELEMENT",
     .min_args = 1,
     .max_args = 1,
     .derive = derive_element,
     .row = row_element,
     .form = "ELEMENT(<array>)"},
};
const struct sql_func_table sql_list_funcs = SQL_FUNC_TABLE(rows);
