// SPDX-License-Identifier: Apache-2.0
// Which kernel casts what; see cast.h. Pairs that no family takes are refused at the cast's place.
#include "cast/cast.h"

#include "expr/types.h"

static int (*const families[])(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from) = {
    sql_cast_numeric, sql_cast_text, sql_cast_parse, sql_cast_time, sql_cast_list,
};

// Casts to a type that holds every value of the other in the same form.
static int only_widens(const struct leat_type *from, const struct leat_type *to)
{
    if (to->kind == LEAT_TYPE_VARCHAR && leat_type_is_string(from->kind))
        return to->length >= from->length;
    if (to->kind == LEAT_TYPE_VARBINARY && sql_type_is_binary(from->kind))
        return to->length >= from->length;
    return from->kind == to->kind && sql_type_is_timestamp(to->kind) && to->precision >= from->precision;
}

int sql_cast_compile(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *from = e->args[0]->type;
    if (only_widens(from, e->type)) {
        e->eval = sql_eval_pass;
        return 0;
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        int r = families[i](b, e, from);
        if (r)
            return r < 0 ? -1 : 0;
    }
    char one[SQL_TYPE_TEXT], other[SQL_TYPE_TEXT];
    return sql_bind_error(b, e, "cannot cast %s to %s", sql_type_name(from, one, sizeof one),
                          sql_type_name(e->type, other, sizeof other));
}
