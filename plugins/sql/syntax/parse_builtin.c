// SPDX-License-Identifier: Apache-2.0
// Calls with a grammar of their own: EXTRACT(unit FROM x), TRIM(BOTH a FROM b), JSON_VALUE(x, p NULL ON EMPTY) …
//
// Each comes out as an ordinary call with its arguments in the order of the plain form; units and words like BOTH are
// SYMBOL arguments, JSON clauses stand in sql_call.
#include "syntax/parser_int.h"
#include "syntax/symbol.h"

#include <string.h>
#include <strings.h>

static struct sql_node *symbol(struct sql_parser *p, uint16_t which)
{
    const struct sql_token *t = parse_peek(p);
    struct sql_node *n = parse_node(p, SQL_NODE_SYMBOL, t->offset);
    if (n) {
        n->symbol = which;
        n->length = t->length;
    }
    return n;
}

static struct sql_node *unit(struct sql_parser *p)
{
    uint16_t which = parse_unit_word(parse_peek(p));
    if (!which) {
        parse_fail(p, "a unit of time");
        return NULL;
    }
    struct sql_node *n = symbol(p, which);
    parse_next(p);
    return n;
}

static int push(struct sql_parser *p, struct sql_list *l, struct sql_node *n)
{
    struct sql_node **slot = n ? parse_push(p, l) : NULL;
    if (!slot)
        return -1;
    *slot = n;
    return 0;
}

// An optional argument behind `word`.
static int push_after(struct sql_parser *p, struct sql_list *l, const char *word)
{
    return parse_accept(p, word) ? push(p, l, parse_expr(p)) : 0;
}

static int extract(struct sql_parser *p, struct sql_list *l)
{
    return push(p, l, unit(p)) || parse_expect(p, "FROM") ? -1 : push(p, l, parse_expr(p));
}

// FLOOR(x), FLOOR(x TO unit)
static int rounding(struct sql_parser *p, struct sql_list *l)
{
    if (push(p, l, parse_expr(p)))
        return -1;
    if (parse_accept(p, "TO"))
        return push(p, l, unit(p));
    while (parse_accept(p, ",")) // too many arguments: the binder says so
        if (push(p, l, parse_expr(p)))
            return -1;
    return 0;
}

// TIMESTAMPADD(unit, n, x), TIMESTAMPDIFF(unit, a, b); units also as SQL_TSI_DAY
static int timestamp_call(struct sql_parser *p, struct sql_list *l)
{
    struct sql_token t = *parse_peek(p);
    if (t.kind == SQL_TOKEN_WORD && t.text.len > 8 && !strncasecmp((const char *)t.text.ptr, "SQL_TSI_", 8)) {
        t.text = (struct leat_bytes){t.text.ptr + 8, t.text.len - 8};
        t.length -= 8;
    }
    uint16_t which = parse_unit_word(&t);
    if (!which)
        return parse_fail(p, "a unit of time");
    struct sql_node *n = symbol(p, which);
    parse_next(p);
    if (push(p, l, n))
        return -1;
    while (parse_accept(p, ","))
        if (push(p, l, parse_expr(p)))
            return -1;
    return 0;
}

static struct sql_node *blank(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_STRING, parse_peek(p)->offset);
    if (n)
        n->text = (struct leat_bytes){(const uint8_t *)" ", 1};
    return n;
}

// TRIM(s), TRIM([BOTH|LEADING|TRAILING] [chars] FROM s): symbol, chars, s
static int trim(struct sql_parser *p, struct sql_list *l)
{
    uint16_t side = parse_is(p, "LEADING")    ? SQL_SYM_LEADING
                    : parse_is(p, "TRAILING") ? SQL_SYM_TRAILING
                                              : SQL_SYM_BOTH;
    int said = parse_is(p, "BOTH") || side != SQL_SYM_BOTH;
    if (push(p, l, symbol(p, side)))
        return -1;
    if (said)
        parse_next(p);
    if (parse_accept(p, "FROM"))
        return push(p, l, blank(p)) ? -1 : push(p, l, parse_expr(p));
    struct sql_node *first = parse_expr(p);
    if (!first)
        return -1;
    if (parse_accept(p, "FROM"))
        return push(p, l, first) ? -1 : push(p, l, parse_expr(p));
    if (said)
        return parse_expect(p, "FROM");
    return push(p, l, blank(p)) ? -1 : push(p, l, first);
}

// SUBSTRING(s FROM a FOR b) or with commas
static int substring(struct sql_parser *p, struct sql_list *l)
{
    if (push(p, l, parse_expr(p)))
        return -1;
    if (parse_is(p, "FROM"))
        return push_after(p, l, "FROM") ? -1 : push_after(p, l, "FOR");
    while (parse_accept(p, ","))
        if (push(p, l, parse_expr(p)))
            return -1;
    return 0;
}

static int position(struct sql_parser *p, struct sql_list *l)
{
    if (push(p, l, parse_additive(p)) || parse_expect(p, "IN") || push(p, l, parse_additive(p)))
        return -1;
    return push_after(p, l, "FROM");
}

static int overlay(struct sql_parser *p, struct sql_list *l)
{
    if (push(p, l, parse_expr(p)) || parse_expect(p, "PLACING") || push(p, l, parse_expr(p)) ||
        parse_expect(p, "FROM") || push(p, l, parse_expr(p)))
        return -1;
    return push_after(p, l, "FOR");
}

// --- JSON ---

static const struct behaviour {
    const char *first, *second;
    uint8_t value;
} behaviours[] = {
    {"NULL", NULL, SQL_JSON_NULL},
    {"ERROR", NULL, SQL_JSON_ERROR},
    {"EMPTY", "ARRAY", SQL_JSON_EMPTY_ARRAY},
    {"EMPTY", "OBJECT", SQL_JSON_EMPTY_OBJECT},
    {"TRUE", NULL, SQL_JSON_TRUE},
    {"FALSE", NULL, SQL_JSON_FALSE},
    {"UNKNOWN", NULL, SQL_JSON_UNKNOWN},
    {"ABSENT", NULL, SQL_JSON_ABSENT},
};

// <what> ON EMPTY | ERROR | NULL, any number of them.
static int json_behaviours(struct sql_parser *p, struct sql_list *l, struct sql_call *c)
{
    while (!parse_is(p, ")")) {
        uint8_t value = SQL_JSON_UNSET;
        uint32_t item = UINT32_MAX;
        if (parse_accept(p, "DEFAULT")) {
            value = SQL_JSON_DEFAULT;
            item = l->count;
            if (push(p, l, parse_expr(p)))
                return -1;
        }
        for (size_t i = 0; !value && i < sizeof behaviours / sizeof *behaviours; i++) {
            const struct behaviour *b = &behaviours[i];
            if (!parse_is(p, b->first) || (b->second && !parse_token_is(parse_ahead(p, 1), b->second)))
                continue;
            value = b->value;
            parse_next(p);
            if (b->second)
                parse_next(p);
        }
        if (!value)
            return parse_fail(p, "',', ')' or a clause … ON EMPTY, … ON ERROR, … ON NULL");
        if (parse_expect(p, "ON"))
            return -1;
        if (parse_accept(p, "EMPTY")) {
            c->json_on_empty = value;
            c->json_empty_item = item;
        } else if (parse_accept(p, "ERROR")) {
            c->json_on_error = value;
            c->json_error_item = item;
        } else if (parse_accept(p, "NULL")) {
            c->json_on_null = value;
        } else {
            return parse_fail(p, "EMPTY, ERROR or NULL");
        }
    }
    return 0;
}

static int format_json(struct sql_parser *p)
{
    if (!parse_is2(p, "FORMAT", "JSON"))
        return 0;
    parse_next(p);
    parse_next(p);
    return 0;
}

static int json_wrapper(struct sql_parser *p, struct sql_call *c)
{
    if (!parse_is(p, "WITH") && !parse_is(p, "WITHOUT"))
        return 0;
    int with = parse_is(p, "WITH");
    parse_next(p);
    int conditional = parse_accept(p, "CONDITIONAL");
    if (!conditional)
        parse_accept(p, "UNCONDITIONAL");
    parse_accept(p, "ARRAY");
    c->json_wrapper = !with ? SQL_JSON_WITHOUT : conditional ? SQL_JSON_CONDITIONAL : SQL_JSON_WRAP;
    return parse_expect(p, "WRAPPER");
}

// JSON_VALUE, JSON_QUERY, JSON_EXISTS: input, path and clauses
static int json_path(struct sql_parser *p, struct sql_list *l, struct sql_call *c)
{
    if (push(p, l, parse_expr(p)) || format_json(p) || parse_expect(p, ",") || push(p, l, parse_expr(p)))
        return -1;
    if (parse_accept(p, "RETURNING") && !(c->json_returning = parse_type(p)))
        return -1;
    return json_wrapper(p, c) ? -1 : json_behaviours(p, l, c);
}

static int json_pair(struct sql_parser *p, struct sql_list *l)
{
    if (parse_is(p, "KEY") && !parse_token_is(parse_ahead(p, 1), "VALUE"))
        parse_next(p);
    if (push(p, l, parse_expr(p)))
        return -1;
    if (!parse_accept(p, "VALUE") && !parse_accept(p, ":"))
        return parse_fail(p, "VALUE or ':'");
    return push(p, l, parse_expr(p)) ? -1 : format_json(p);
}

static int json_unique(struct sql_parser *p, struct sql_call *c)
{
    if (!parse_is(p, "WITH") && !parse_is(p, "WITHOUT"))
        return 0;
    c->json_unique = (uint8_t)parse_is(p, "WITH");
    parse_next(p);
    return parse_expect(p, "UNIQUE") || parse_expect(p, "KEYS") ? -1 : 0;
}

// The clauses without values behind a list: is one next?
static int at_clause(const struct sql_parser *p)
{
    const struct sql_token *second = parse_ahead(p, 1);
    return parse_is(p, ")") || parse_token_is(second, "ON");
}

static int json_object(struct sql_parser *p, struct sql_list *l, struct sql_call *c)
{
    if (!at_clause(p))
        do {
            if (json_pair(p, l))
                return -1;
        } while (parse_accept(p, ","));
    if (parse_is(p, "NULL") || parse_is(p, "ABSENT")) {
        c->json_on_null = parse_is(p, "ABSENT") ? SQL_JSON_ABSENT : SQL_JSON_NULL;
        parse_next(p);
        if (parse_expect(p, "ON") || parse_expect(p, "NULL"))
            return -1;
    }
    return json_unique(p, c);
}

static int json_array(struct sql_parser *p, struct sql_list *l, struct sql_call *c)
{
    if (!at_clause(p))
        do {
            if (push(p, l, parse_expr(p)) || format_json(p))
                return -1;
        } while (parse_accept(p, ","));
    return json_behaviours(p, l, c);
}

static const struct builtin {
    const char *name;
    int (*plain)(struct sql_parser *p, struct sql_list *l);
    int (*json)(struct sql_parser *p, struct sql_list *l, struct sql_call *c);
} builtins[] = {
    {"EXTRACT", extract, NULL},
    {"FLOOR", rounding, NULL},
    {"CEIL", rounding, NULL},
    {"CEILING", rounding, NULL},
    {"TIMESTAMPADD", timestamp_call, NULL},
    {"TIMESTAMPDIFF", timestamp_call, NULL},
    {"TRIM", trim, NULL},
    {"SUBSTRING", substring, NULL},
    {"POSITION", position, NULL},
    {"OVERLAY", overlay, NULL},
    {"JSON_VALUE", NULL, json_path},
    {"JSON_QUERY", NULL, json_path},
    {"JSON_EXISTS", NULL, json_path},
    {"JSON_OBJECT", NULL, json_object},
    {"JSON_OBJECTAGG", NULL, json_object},
    {"JSON_ARRAY", NULL, json_array},
    {"JSON_ARRAYAGG", NULL, json_array},
};

int parse_builtin(struct sql_parser *p, struct leat_bytes name, uint32_t offset, struct sql_node **out)
{
    const struct builtin *b = builtins, *end = b + sizeof builtins / sizeof *builtins;
    while (b < end && (strlen(b->name) != name.len || strncasecmp(b->name, (const char *)name.ptr, name.len) != 0))
        b++;
    *out = NULL;
    if (b == end)
        return 0;
    struct sql_list l = {.size = sizeof(struct sql_node *)};
    struct sql_node *n = parse_call_node(p, name, offset, NULL, 0);
    if (!n)
        return 1;
    if (b->plain ? b->plain(p, &l) : !parse_call_extra(p, n) || b->json(p, &l, n->call))
        return 1;
    if (parse_expect(p, ")"))
        return 1;
    n->items = l.items;
    n->count = l.count;
    n->length = parse_length_since(p, offset);
    *out = n;
    return 1;
}
