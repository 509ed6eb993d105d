// SPDX-License-Identifier: Apache-2.0
// Casts of ARRAY, MAP and ROW, element by element.
//
// For each child a cast of its own is compiled over a stand-in argument; its row kernel is called with the elements.
#include "cast/cast.h"

#include "expr/types.h"

struct children {
    struct sql_expr **casts;
};

static int cast_item(struct sql_evaluator *ev, const struct sql_expr *cast, const struct leat_datum *from,
                     struct leat_datum *to)
{
    *to = *from;
    if (from->state != LEAT_VALUE || !cast->row)
        return 0;
    const union leat_cell *args[] = {&from->cell};
    return cast->row(ev, cast, args, &to->cell, &to->state);
}

static int list_to_list(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    const struct children *c = e->data;
    const struct leat_list list = args[0]->list;
    struct leat_datum *items = sql_eval_alloc(ev, list.count * sizeof *items);
    if (!items)
        return -1;
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t child = e->type->kind == LEAT_TYPE_ARRAY ? 0 : e->type->kind == LEAT_TYPE_MAP ? i & 1 : i;
        if (cast_item(ev, c->casts[child], &list.items[i], &items[i]))
            return -1;
    }
    out->list = (struct leat_list){items, list.count};
    return 0;
}

static struct sql_expr *child_cast(struct sql_bind *b, const struct sql_expr *e, const struct leat_type *from,
                                   const struct leat_type *to)
{
    struct sql_expr *cast = sql_bind_alloc(b, sizeof *cast), *arg = sql_bind_alloc(b, sizeof *arg);
    struct sql_expr **args = sql_bind_alloc(b, sizeof *args);
    if (!cast || !arg || !args)
        return NULL;
    *arg = (struct sql_expr){.form = SQL_EXPR_COLUMN, .offset = e->offset, .length = e->length, .type = from};
    args[0] = arg;
    *cast = (struct sql_expr){.form = SQL_EXPR_CAST,
                              .flags = e->flags & SQL_EXPR_IMPLICIT,
                              .offset = e->offset,
                              .length = e->length,
                              .args = args,
                              .arg_count = 1,
                              .type = to};
    if (sql_type_equal(from, to))
        return cast;
    return sql_cast_compile(b, cast) ? NULL : cast;
}

int sql_cast_list(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from)
{
    const struct leat_type *to = e->type;
    if (!leat_type_is_list(to->kind) || from->kind != to->kind || from->child_count != to->child_count)
        return 0;
    struct children *c = sql_bind_alloc(b, sizeof *c);
    if (!c || !(c->casts = sql_bind_alloc(b, (to->child_count + !to->child_count) * sizeof *c->casts)))
        return -1;
    for (uint32_t i = 0; i < to->child_count; i++)
        if (!(c->casts[i] = child_cast(b, e, &from->children[i], &to->children[i])))
            return -1;
    e->data = c;
    e->row = list_to_list;
    return 1;
}
