// SPDX-License-Identifier: Apache-2.0
// Functions over whole arrays and maps: ARRAY_CONTAINS, ARRAY_JOIN, MAP_KEYS …
#include "expr/expr.h"

#include <string.h>

#include "expr/text.h"
#include "expr/types.h"
#include "functions/compare.h"

// Items of a result: at most `cap`.
struct items {
    struct leat_datum *at;
    uint32_t count;
};

static int items_alloc(struct sql_evaluator *ev, struct items *to, size_t cap)
{
    to->at = sql_eval_alloc(ev, cap * sizeof *to->at);
    to->count = 0;
    return to->at ? 0 : -1;
}

static int place_of(const struct leat_type *t, const struct leat_datum *items, uint32_t count,
                    const struct leat_datum *item)
{
    for (uint32_t i = 0; i < count; i++)
        if (sql_datum_same(t, &items[i], item))
            return (int)i;
    return -1;
}

static struct leat_datum datum_of(const union leat_cell *arg)
{
    struct leat_datum d = {.state = arg ? LEAT_VALUE : LEAT_NULL};
    if (arg)
        d.cell = *arg;
    return d;
}

static const struct leat_type *element_of(const struct sql_expr *e)
{
    return &e->args[0]->type->children[0];
}

// --- one array and a value ---

static int row_contains(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    struct leat_datum wanted = datum_of(args[1]);
    *state = args[0] ? LEAT_VALUE : LEAT_NULL;
    if (args[0])
        out->i64 = place_of(element_of(e), args[0]->list.items, args[0]->list.count, &wanted) >= 0;
    return 0;
}

static int row_position(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    struct leat_datum wanted = datum_of(args[1]);
    out->i64 = place_of(element_of(e), args[0]->list.items, args[0]->list.count, &wanted) + 1;
    return 0;
}

static int row_remove(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct leat_datum unwanted = datum_of(args[1]);
    struct items to;
    if (!args[0]) {
        *state = LEAT_NULL;
        return 0;
    }
    if (items_alloc(ev, &to, args[0]->list.count))
        return -1;
    for (uint32_t i = 0; i < args[0]->list.count; i++)
        if (!sql_datum_same(element_of(e), &args[0]->list.items[i], &unwanted))
            to.at[to.count++] = args[0]->list.items[i];
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

// --- arrays from arrays ---

static void add_distinct(const struct leat_type *t, struct items *to, const struct leat_list *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        if (place_of(t, to->at, to->count, &from->items[i]) < 0)
            to->at[to->count++] = from->items[i];
}

// ARRAY_DISTINCT of one, ARRAY_UNION of two.
static int row_distinct(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    struct items to;
    size_t cap = 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        cap += args[i]->list.count;
    if (items_alloc(ev, &to, cap))
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++)
        add_distinct(element_of(e), &to, &args[i]->list);
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

static int row_concat(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct items to;
    size_t cap = 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        cap += args[i]->list.count;
    if (cap > SQL_TEXT_LONGEST / sizeof *to.at)
        return sql_fail(ev, e, "the array would have more than %zu elements", SQL_TEXT_LONGEST / sizeof *to.at);
    if (items_alloc(ev, &to, cap))
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (args[i]->list.count)
            memcpy(to.at + to.count, args[i]->list.items, args[i]->list.count * sizeof *to.at);
        to.count += args[i]->list.count;
    }
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

static int row_reverse(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct items to;
    if (items_alloc(ev, &to, args[0]->list.count))
        return -1;
    for (uint32_t i = args[0]->list.count; i-- > 0;)
        to.at[to.count++] = args[0]->list.items[i];
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

// ARRAY_SLICE(array, from[, to]): places from 1, negative ones from the end, both inclusive.
static int row_slice(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    int64_t count = args[0]->list.count, from = args[1]->i64, to = e->arg_count > 2 ? args[2]->i64 : count;
    from += from < 0 ? count + 1 : from == 0;
    to += to < 0 ? count + 1 : to == 0;
    from = from < 1 ? 1 : from;
    to = to > count ? count : to;
    out->list = from > to ? (struct leat_list){args[0]->list.items, 0}
                          : (struct leat_list){args[0]->list.items + from - 1, (uint32_t)(to - from + 1)};
    return 0;
}

static int row_max(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    *state = LEAT_NULL;
    for (uint32_t i = 0; i < args[0]->list.count; i++) {
        const struct leat_datum *d = &args[0]->list.items[i];
        if (d->state != LEAT_VALUE || (*state == LEAT_VALUE && sql_cell_compare(element_of(e), &d->cell, out) != 1))
            continue;
        *out = d->cell;
        *state = LEAT_VALUE;
    }
    return 0;
}

// ARRAY_JOIN(array, between[, instead of NULL]): NULLs are left out unless there is something instead.
static int row_join(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    struct sql_text t;
    int some = 0;
    sql_text_init(&t, ev);
    for (uint32_t i = 0; i < args[0]->list.count; i++) {
        const struct leat_datum *d = &args[0]->list.items[i];
        if (d->state != LEAT_VALUE && e->arg_count < 3)
            continue;
        struct leat_bytes s = d->state == LEAT_VALUE ? d->cell.bytes : args[2]->bytes;
        if (some)
            sql_text_put(&t, args[1]->bytes.ptr, args[1]->bytes.len);
        sql_text_put(&t, s.ptr, s.len);
        some = 1;
        if (sql_text_limit(ev, e, t.len))
            return -1;
    }
    return sql_text_done(&t, &out->bytes);
}

// --- maps ---

// MAP_KEYS and MAP_VALUES
static int row_map_half(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    uint32_t first = !strcmp(e->func->name, "MAP_VALUES");
    struct items to;
    if (items_alloc(ev, &to, args[0]->list.count / 2))
        return -1;
    for (uint32_t i = first; i < args[0]->list.count; i += 2)
        to.at[to.count++] = args[0]->list.items[i];
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

static int row_map_from(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    const struct leat_list *keys = &args[0]->list, *values = &args[1]->list;
    struct items to;
    if (keys->count != values->count)
        return sql_fail(ev, e, "MAP_FROM_ARRAYS needs as many values as keys, found %u and %u", values->count,
                        keys->count);
    if (items_alloc(ev, &to, 2 * (size_t)keys->count))
        return -1;
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t at = sql_map_find(element_of(e), to.at, to.count, &keys->items[i]);
        if (at == to.count)
            to.count += 2;
        to.at[at] = keys->items[i];
        to.at[at + 1] = values->items[i];
    }
    out->list = (struct leat_list){to.at, to.count};
    return 0;
}

// --- deriving ---

static int want_array(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    return e->args[i]->type && e->args[i]->type->kind == LEAT_TYPE_ARRAY ? 0 : sql_bind_mismatch(b, e);
}

// The second argument becomes of the element's type.
static int want_element(struct sql_bind *b, struct sql_expr *e)
{
    if (want_array(b, e, 0) || !e->args[1]->type)
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    const struct leat_type *element = element_of(e);
    if (leat_type_is_string(element->kind) && leat_type_is_string(e->args[1]->type->kind))
        return 0; // strings compare by their bytes, whatever their lengths
    if (!sql_type_common(b, element, e->args[1]->type, SQL_MERGE_FLINK))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    return sql_bind_cast(b, &e->args[1], element);
}

static int derive_contains(struct sql_bind *b, struct sql_expr *e)
{
    if (want_element(b, e))
        return -1;
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, e->args[0]->type->nullable);
    return e->type ? 0 : -1;
}

static int derive_position(struct sql_bind *b, struct sql_expr *e)
{
    return want_element(b, e) ? -1 : sql_derive_int(b, e);
}

static int derive_remove(struct sql_bind *b, struct sql_expr *e)
{
    if (want_element(b, e))
        return -1;
    e->type = e->args[0]->type;
    return 0;
}

static int derive_same(struct sql_bind *b, struct sql_expr *e)
{
    if (want_array(b, e, 0))
        return -1;
    e->type = e->args[0]->type;
    return 0;
}

static int derive_slice(struct sql_bind *b, struct sql_expr *e)
{
    for (uint32_t i = 1; i < e->arg_count; i++)
        if (sql_want_integer(b, e, i))
            return -1;
    if (want_array(b, e, 0))
        return -1;
    e->type = sql_bind_nullable(b, e->args[0]->type, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

// All arguments are arrays of one type.
static int derive_joined(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    for (uint32_t i = 0; i < e->arg_count && t; i++)
        t = want_array(b, e, i) ? NULL : sql_type_common(b, t, e->args[i]->type, SQL_MERGE_FLINK);
    if (!t)
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_bind_cast(b, &e->args[i], t))
            return -1;
    e->type = t;
    return 0;
}

static int derive_max(struct sql_bind *b, struct sql_expr *e)
{
    if (want_array(b, e, 0) || leat_type_is_list(element_of(e)->kind))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    e->type = sql_bind_nullable(b, element_of(e), 1);
    return e->type ? 0 : -1;
}

static int derive_text(struct sql_bind *b, struct sql_expr *e)
{
    if (want_array(b, e, 0) || !leat_type_is_string(element_of(e)->kind))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    return sql_want_strings(b, e, 1, e->arg_count) ? -1 : sql_derive_string(b, e);
}

static int derive_map_half(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    if (t->kind != LEAT_TYPE_MAP)
        return sql_bind_mismatch(b, e);
    e->type = sql_bind_array(b, &t->children[!strcmp(e->func->name, "MAP_VALUES")], t->nullable);
    return e->type ? 0 : -1;
}

static int derive_map_from(struct sql_bind *b, struct sql_expr *e)
{
    struct leat_type *t = sql_bind_alloc(b, sizeof *t), *children = sql_bind_alloc(b, 2 * sizeof *children);
    if (!t || !children || want_array(b, e, 0) || want_array(b, e, 1))
        return -1;
    children[0] = e->args[0]->type->children[0];
    children[1] = e->args[1]->type->children[0];
    *t = (struct leat_type){
        .kind = LEAT_TYPE_MAP, .nullable = sql_args_nullable(e), .child_count = 2, .children = children};
    e->type = t;
    return 0;
}

#define LIST_FUNC(n, least, most, fl, d, r, f)                                                                         \
    {                                                                                                                  \
        .name = n, .min_args = least, .max_args = most, .flags = fl, .derive = d, .row = r, .form = f                  \
    }

static const struct sql_func rows[] = {
    LIST_FUNC("ARRAY_CONTAINS", 2, 2, SQL_FUNC_NULLS | SQL_FUNC_UNTYPED, derive_contains, row_contains,
              "ARRAY_CONTAINS(<array>, <element>)"),
    LIST_FUNC("ARRAY_POSITION", 2, 2, 0, derive_position, row_position, "ARRAY_POSITION(<array>, <element>)"),
    LIST_FUNC("ARRAY_REMOVE", 2, 2, SQL_FUNC_NULLS | SQL_FUNC_UNTYPED, derive_remove, row_remove,
              "ARRAY_REMOVE(<array>, <element>)"),
    LIST_FUNC("ARRAY_DISTINCT", 1, 1, 0, derive_same, row_distinct, "ARRAY_DISTINCT(<array>)"),
    LIST_FUNC("ARRAY_REVERSE", 1, 1, 0, derive_same, row_reverse, "ARRAY_REVERSE(<array>)"),
    LIST_FUNC("ARRAY_SLICE", 2, 3, 0, derive_slice, row_slice, "ARRAY_SLICE(<array>, <integer>[, <integer>])"),
    LIST_FUNC("ARRAY_CONCAT", 1, 255, 0, derive_joined, row_concat, "ARRAY_CONCAT(<array>, …)"),
    LIST_FUNC("ARRAY_UNION", 2, 2, 0, derive_joined, row_distinct, "ARRAY_UNION(<array>, <array>)"),
    LIST_FUNC("ARRAY_MAX", 1, 1, 0, derive_max, row_max, "ARRAY_MAX(<array>)"),
    LIST_FUNC("ARRAY_JOIN", 2, 3, 0, derive_text, row_join, "ARRAY_JOIN(<array of strings>, <string>[, <string>])"),
    LIST_FUNC("MAP_KEYS", 1, 1, 0, derive_map_half, row_map_half, "MAP_KEYS(<map>)"),
    LIST_FUNC("MAP_VALUES", 1, 1, 0, derive_map_half, row_map_half, "MAP_VALUES(<map>)"),
    LIST_FUNC("MAP_FROM_ARRAYS", 2, 2, 0, derive_map_from, row_map_from, "MAP_FROM_ARRAYS(<array>, <array>)"),
};
const struct sql_func_table sql_list_whole_funcs = SQL_FUNC_TABLE(rows);
