// SPDX-License-Identifier: Apache-2.0
// Types as written, in casts and column lists; see parser_int.h.
//
// Limits of precision are the binder's to check (sql_type_resolve): a query may name a type that Flink knows and leat
// refuses, and the message should then say so rather than "syntax error".
#include "syntax/parser_int.h"

#include <string.h>

#include "nearest.h"

// What may follow a type's name.
enum suffix {
    PLAIN,
    LENGTH,        // (n)
    DECIMAL,       // (p [, s])
    FRACTION,      // (p), TIME
    TIMESTAMP,     // (p) [WITH [LOCAL] TIME ZONE | WITHOUT TIME ZONE]
    COLLECTION,    // <…>
    INTERVAL_UNIT, // DAY TO SECOND
    REFUSED,
};

static const struct type_name {
    const char *name;
    uint8_t kind;
    uint8_t suffix;
    uint32_t fixed; // length that the name implies
} type_names[] = {
    {"BOOLEAN", LEAT_TYPE_BOOLEAN, PLAIN, 0},
    {"TINYINT", LEAT_TYPE_TINYINT, PLAIN, 0},
    {"SMALLINT", LEAT_TYPE_SMALLINT, PLAIN, 0},
    {"INT", LEAT_TYPE_INT, PLAIN, 0},
    {"INTEGER", LEAT_TYPE_INT, PLAIN, 0},
    {"BIGINT", LEAT_TYPE_BIGINT, PLAIN, 0},
    {"FLOAT", LEAT_TYPE_FLOAT, PLAIN, 0},
    {"DOUBLE", LEAT_TYPE_DOUBLE, PLAIN, 0},
    {"DECIMAL", LEAT_TYPE_DECIMAL, DECIMAL, 0},
    {"NUMERIC", LEAT_TYPE_DECIMAL, DECIMAL, 0},
    {"DEC", LEAT_TYPE_DECIMAL, DECIMAL, 0},
    {"CHAR", LEAT_TYPE_CHAR, LENGTH, 0},
    {"CHARACTER", LEAT_TYPE_CHAR, LENGTH, 0},
    {"VARCHAR", LEAT_TYPE_VARCHAR, LENGTH, 0},
    {"STRING", LEAT_TYPE_VARCHAR, PLAIN, LEAT_LENGTH_MAX},
    {"BINARY", LEAT_TYPE_BINARY, LENGTH, 0},
    {"VARBINARY", LEAT_TYPE_VARBINARY, LENGTH, 0},
    {"BYTES", LEAT_TYPE_VARBINARY, PLAIN, LEAT_LENGTH_MAX},
    {"DATE", LEAT_TYPE_DATE, PLAIN, 0},
    {"TIME", LEAT_TYPE_TIME, FRACTION, 0},
    {"TIMESTAMP", LEAT_TYPE_TIMESTAMP, TIMESTAMP, 0},
    {"TIMESTAMP_LTZ", LEAT_TYPE_TIMESTAMP_LTZ, FRACTION, 0},
    {"INTERVAL", 0, INTERVAL_UNIT, 0},
    {"ARRAY", LEAT_TYPE_ARRAY, COLLECTION, 1},
    {"MAP", LEAT_TYPE_MAP, COLLECTION, 2},
    {"ROW", LEAT_TYPE_ROW, COLLECTION, 0},
    {"MULTISET", LEAT_TYPE_ARRAY, REFUSED, 0},
    {"RAW", LEAT_TYPE_VARBINARY, REFUSED, 0},
};

static const struct type_name *find(const struct sql_token *t)
{
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (parse_token_is(t, type_names[i].name))
            return &type_names[i];
    return NULL;
}

int parse_nullability(struct sql_parser *p, struct sql_type_node *t)
{
    if (parse_is2(p, "NOT", "NULL")) {
        parse_next(p);
        t->not_null = 1;
    } else if (!parse_is(p, "NULL")) {
        return 0;
    }
    parse_next(p);
    t->length = parse_length_since(p, t->offset);
    return 0;
}

static int bracketed_numbers(struct sql_parser *p, struct sql_type_node *t, int two)
{
    if (!parse_accept(p, "("))
        return 0;
    if (parse_uint(p, LEAT_LENGTH_MAX, &t->precision))
        return -1;
    t->has_precision = 1;
    if (two && parse_accept(p, ",")) {
        if (parse_uint(p, LEAT_LENGTH_MAX, &t->scale))
            return -1;
        t->has_scale = 1;
    }
    return parse_expect(p, ")");
}

// WITH LOCAL TIME ZONE, WITH TIME ZONE, WITHOUT TIME ZONE
static int time_zone(struct sql_parser *p, struct sql_type_node *t)
{
    if (parse_is2(p, "WITHOUT", "TIME")) {
        parse_next(p);
    } else if (parse_is2(p, "WITH", "LOCAL")) {
        parse_next(p);
        parse_next(p);
        t->kind = LEAT_TYPE_TIMESTAMP_LTZ;
    } else if (parse_is2(p, "WITH", "TIME")) {
        parse_next(p);
        t->unsupported = "TIMESTAMP WITH TIME ZONE";
    } else {
        return 0;
    }
    return parse_expect(p, "TIME") || parse_expect(p, "ZONE") ? -1 : 0;
}

static int interval_unit(struct sql_parser *p, uint16_t *unit)
{
    *unit = parse_unit_word(parse_peek(p));
    if (!*unit)
        return parse_fail(p, "a unit of time");
    parse_next(p);
    uint32_t ignored;
    if (parse_accept(p, "("))
        return parse_uint(p, 9, &ignored) || (parse_accept(p, ",") && parse_uint(p, 9, &ignored))
                   ? -1
                   : parse_expect(p, ")");
    return 0;
}

static int interval(struct sql_parser *p, struct sql_type_node *t)
{
    uint16_t from, to;
    const struct sql_token *first = parse_peek(p);
    if (interval_unit(p, &from) || (parse_accept(p, "TO") && interval_unit(p, &to)))
        return -1;
    t->kind =
        parse_token_is(first, "YEAR") || parse_token_is(first, "MONTH") ? LEAT_TYPE_INTERVAL_YM : LEAT_TYPE_INTERVAL_DS;
    return 0;
}

static int field(struct sql_parser *p, struct sql_list *types, struct sql_list *names, int named)
{
    struct sql_name *name = parse_push(p, names);
    struct sql_type_node **type = parse_push(p, types);
    if (!name || !type || (named && parse_name(p, "a field name", name)))
        return -1;
    *type = parse_type(p);
    if (!*type || parse_nullability(p, *type))
        return -1;
    if (parse_peek(p)->kind == SQL_TOKEN_STRING) // the field's comment
        parse_next(p);
    return 0;
}

// <…> of ARRAY, MAP, ROW; ROW(…) means the same. `wanted` types, 0 = any number of named ones.
static int collection(struct sql_parser *p, struct sql_type_node *t, uint32_t wanted)
{
    struct sql_list types = {.size = sizeof(struct sql_type_node *)}, names = {.size = sizeof(struct sql_name)};
    const char *close = ">";
    if (!wanted && parse_accept(p, "("))
        close = ")";
    else if (!wanted && parse_accept(p, "<>"))
        return 0;
    else if (parse_expect(p, "<"))
        return -1;
    if (parse_enter(p))
        return -1;
    if (wanted || !parse_is(p, close))
        do {
            if (field(p, &types, &names, !wanted))
                return -1;
        } while (parse_accept(p, ","));
    parse_leave(p);
    if (wanted && types.count != wanted)
        return parse_fail(p, wanted == 1 ? "one element type" : "a key type and a value type");
    t->child_count = types.count;
    t->children = types.items;
    t->names = wanted ? NULL : names.items;
    return parse_expect(p, close);
}

static int refused(struct sql_parser *p, struct sql_type_node *t, const char *name)
{
    t->unsupported = name;
    const char *close = parse_is(p, "<") ? ">" : ")";
    if (!parse_accept(p, "<") && !parse_accept(p, "("))
        return 0;
    for (uint32_t depth = 1; depth; parse_next(p)) {
        if (parse_peek(p)->kind == SQL_TOKEN_END)
            return parse_expect(p, close);
        depth += (uint32_t)(parse_is(p, "<") || parse_is(p, "("));
        depth -= (uint32_t)(parse_is(p, ">") || parse_is(p, ")"));
    }
    return 0;
}

static int suffix(struct sql_parser *p, const struct type_name *n, struct sql_type_node *t)
{
    switch (n->suffix) {
    case LENGTH:
        return bracketed_numbers(p, t, 0);
    case DECIMAL:
        return bracketed_numbers(p, t, 1);
    case FRACTION:
        if (bracketed_numbers(p, t, 0))
            return -1;
        if (parse_is2(p, "WITHOUT", "TIME"))
            return time_zone(p, t);
        return 0;
    case TIMESTAMP:
        return bracketed_numbers(p, t, 0) || time_zone(p, t) ? -1 : 0;
    case COLLECTION:
        return collection(p, t, n->fixed);
    case INTERVAL_UNIT:
        return interval(p, t);
    case REFUSED:
        return refused(p, t, n->name);
    default:
        return 0;
    }
}

static struct sql_type_node *array_of(struct sql_parser *p, struct sql_type_node *element)
{
    struct sql_type_node *t = sql_arena_calloc(p->arena, 1, sizeof *t);
    struct sql_type_node **child = sql_arena_calloc(p->arena, 1, sizeof(struct sql_type_node *));
    if (!t || !child) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    *child = element;
    *t =
        (struct sql_type_node){.kind = LEAT_TYPE_ARRAY, .offset = element->offset, .child_count = 1, .children = child};
    return t;
}

// STRNG: a slip or two from a type that there is.
static void hint_nearest(struct sql_parser *p, const struct sql_token *t)
{
    const char *near = NULL;
    uint32_t best = t->text.len > 6 ? 2 : 1;
    for (size_t i = 0; t->kind == SQL_TOKEN_WORD && i < sizeof type_names / sizeof type_names[0]; i++) {
        const char *name = type_names[i].name;
        uint32_t distance = nearest_distance(name, strlen(name), (const char *)t->text.ptr, t->text.len);
        if (type_names[i].suffix == REFUSED || distance > best || (near && distance == best))
            continue;
        near = name;
        best = distance;
    }
    if (near)
        sql_diag_hint(p->diag, "Did you mean %s?", near);
}

struct sql_type_node *parse_type(struct sql_parser *p)
{
    const struct sql_token *first = parse_peek(p);
    const struct type_name *n = find(first);
    if (!n) {
        parse_fail(p, "a type");
        hint_nearest(p, first);
        parse_hint_type(p);
        return NULL;
    }
    struct sql_type_node *t = sql_arena_calloc(p->arena, 1, sizeof *t);
    if (!t) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    t->offset = first->offset;
    t->kind = n->kind;
    parse_next(p);
    if (n->kind == LEAT_TYPE_CHAR && parse_accept(p, "VARYING"))
        t->kind = LEAT_TYPE_VARCHAR;
    if (n->kind == LEAT_TYPE_BINARY && parse_accept(p, "VARYING"))
        t->kind = LEAT_TYPE_VARBINARY;
    if (n->kind == LEAT_TYPE_DOUBLE)
        parse_accept(p, "PRECISION");
    if (n->suffix == PLAIN && n->fixed) {
        t->precision = n->fixed;
        t->has_precision = 1;
    }
    if (suffix(p, n, t))
        return NULL;
    t->length = parse_length_since(p, t->offset);
    for (int levels = 0; parse_is(p, "ARRAY") || parse_is2(p, "NOT", "NULL");
         levels++) { // INT ARRAY, INT NOT NULL ARRAY
        if (!parse_is(p, "ARRAY") && !parse_token_is(parse_ahead(p, 2), "ARRAY"))
            break;
        if (levels == LEAT_NEST_MAX) {
            parse_fail(p, "fewer levels of ARRAY");
            return NULL;
        }
        parse_nullability(p, t);
        parse_next(p);
        t = array_of(p, t);
        if (!t)
            return NULL;
        t->length = parse_length_since(p, t->offset);
    }
    return t;
}
