// SPDX-License-Identifier: Apache-2.0
// Casts to strings and to bytes.
//
// As in Flink, CHAR(n), VARCHAR(n), BINARY(n) and VARBINARY(n) cut what is too long; CHAR is filled with blanks and
// BINARY with zeros.
#include "cast/cast.h"

#include <string.h>

#include "expr/text.h"
#include "expr/types.h"
#include "utf8.h"

static int fit_string(struct sql_evaluator *ev, const struct leat_type *to, struct leat_bytes s, union leat_cell *out)
{
    size_t count = to->length == LEAT_LENGTH_MAX ? 0 : utf8_count(s.ptr, s.len);
    if (count > to->length)
        s.len = (uint32_t)utf8_offset(s.ptr, s.len, to->length);
    if (to->kind != LEAT_TYPE_CHAR || count >= to->length) {
        out->bytes = s;
        return 0;
    }
    size_t blanks = to->length - count;
    uint8_t *p = sql_eval_alloc(ev, s.len + blanks);
    if (!p)
        return -1;
    if (s.len)
        memcpy(p, s.ptr, s.len);
    memset(p + s.len, ' ', blanks);
    out->bytes = (struct leat_bytes){p, (uint32_t)(s.len + blanks)};
    return 0;
}

static int any_to_string(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s;
    return sql_cell_text(ev, e, e->args[0]->type, args[0], &s) ? -1 : fit_string(ev, e->type, s, out);
}

static int string_to_string(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                            union leat_cell *out, uint8_t *state)
{
    return fit_string(ev, e->type, args[0]->bytes, out);
}

// Also of strings, whose bytes are UTF-8.
static int bytes_to_binary(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    uint32_t length = e->type->length;
    if (s.len > length)
        s.len = length;
    if (e->type->kind == LEAT_TYPE_VARBINARY || s.len == length) {
        out->bytes = s;
        return 0;
    }
    uint8_t *p = sql_eval_alloc(ev, length);
    if (!p)
        return -1;
    if (s.len)
        memcpy(p, s.ptr, s.len);
    memset(p + s.len, 0, length - s.len);
    out->bytes = (struct leat_bytes){p, length};
    return 0;
}

int sql_cast_text(struct sql_bind *b, struct sql_expr *e, const struct leat_type *from)
{
    if (sql_type_is_binary(e->type->kind)) {
        if (!leat_type_is_bytes(from->kind))
            return 0;
        e->row = bytes_to_binary;
        return 1;
    }
    if (!leat_type_is_string(e->type->kind))
        return 0;
    e->row = leat_type_is_string(from->kind) ? string_to_string : any_to_string;
    if (sql_type_has_zone(from))
        return sql_bind_zone(b, e) ? -1 : 1;
    return 1;
}
