// SPDX-License-Identifier: Apache-2.0
// The innermost expressions: names, brackets, CASE, CAST, constructors, and what may follow any of them ([i], .field).
#include "syntax/parser_int.h"
#include "syntax/symbol.h"

#include <string.h>
#include <strings.h>

static const struct unit {
    const char *name;
    uint16_t symbol;
} units[] = {
    {"NANOSECOND", SQL_SYM_NANOSECOND},
    {"MICROSECOND", SQL_SYM_MICROSECOND},
    {"MILLISECOND", SQL_SYM_MILLISECOND},
    {"SECOND", SQL_SYM_SECOND},
    {"SECONDS", SQL_SYM_SECOND},
    {"MINUTE", SQL_SYM_MINUTE},
    {"MINUTES", SQL_SYM_MINUTE},
    {"HOUR", SQL_SYM_HOUR},
    {"HOURS", SQL_SYM_HOUR},
    {"DAY", SQL_SYM_DAY},
    {"DAYS", SQL_SYM_DAY},
    {"WEEK", SQL_SYM_WEEK},
    {"MONTH", SQL_SYM_MONTH},
    {"MONTHS", SQL_SYM_MONTH},
    {"QUARTER", SQL_SYM_QUARTER},
    {"YEAR", SQL_SYM_YEAR},
    {"YEARS", SQL_SYM_YEAR},
    {"DECADE", SQL_SYM_DECADE},
    {"CENTURY", SQL_SYM_CENTURY},
    {"MILLENNIUM", SQL_SYM_MILLENNIUM},
    {"DOW", SQL_SYM_DOW},
    {"ISODOW", SQL_SYM_ISODOW},
    {"DOY", SQL_SYM_DOY},
    {"ISOYEAR", SQL_SYM_ISOYEAR},
    {"EPOCH", SQL_SYM_EPOCH},
    {"FRAC_SECOND", SQL_SYM_FRAC_SECOND},
};

uint16_t parse_unit_word(const struct sql_token *t)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (parse_token_is(t, units[i].name))
            return units[i].symbol;
    return SQL_SYM_NONE;
}

static struct sql_node *finish(struct sql_parser *p, struct sql_node *n)
{
    if (n)
        n->length = parse_length_since(p, n->offset);
    return n;
}

// (a - b) DAY: the difference of two times in a unit.
static struct sql_node *time_difference(struct sql_parser *p, struct sql_node *minus)
{
    struct sql_node *unit = parse_node(p, SQL_NODE_SYMBOL, parse_peek(p)->offset);
    if (!unit)
        return NULL;
    unit->symbol = parse_unit_word(parse_peek(p));
    parse_next(p);
    if (parse_accept(p, "TO")) { // (a - b) DAY TO SECOND: the first unit decides between months and microseconds
        if (!parse_unit_word(parse_peek(p))) {
            parse_fail(p, "a unit of time");
            return NULL;
        }
        parse_next(p);
    }
    finish(p, unit);
    struct sql_node *items[] = {minus->items[0], minus->items[1], unit};
    return parse_operator(p, "MINUS_DATE", minus->offset, items, 3);
}

static int is_minus(const struct sql_node *n)
{
    return n->kind == SQL_NODE_OPERATOR && n->count == 2 && n->text.len == 1 && n->text.ptr[0] == '-';
}

static struct sql_node *brackets(struct sql_parser *p)
{
    uint32_t offset = parse_peek(p)->offset;
    parse_next(p);
    if (parse_at_query(p)) {
        struct sql_node *n = parse_node(p, SQL_NODE_QUERY, offset);
        if (!n || !(n->query = parse_query(p)) || parse_expect(p, ")"))
            return NULL;
        return finish(p, n);
    }
    struct sql_node **items;
    uint32_t count;
    if (parse_expr_list(p, &items, &count) || parse_expect(p, ")"))
        return NULL;
    if (count > 1) {
        struct sql_node *row = parse_node(p, SQL_NODE_ROW, offset);
        if (!row)
            return NULL;
        row->items = items;
        row->count = count;
        return finish(p, row);
    }
    if (is_minus(items[0]) && parse_unit_word(parse_peek(p)) && parse_peek(p)->kind == SQL_TOKEN_WORD &&
        parse_peek(p)->reserved)
        return time_difference(p, items[0]);
    items[0]->flags |= SQL_NODE_BRACKETS;
    return items[0];
}

// CASE x WHEN a, b THEN … becomes CASE WHEN x IN (a, b) THEN …, as in Calcite.
static struct sql_node *case_condition(struct sql_parser *p, struct sql_node *operand)
{
    if (!operand)
        return parse_expr(p);
    struct sql_node **items;
    uint32_t count;
    if (parse_expr_list(p, &items, &count))
        return NULL;
    if (count == 1)
        return parse_operator(p, "=", items[0]->offset, (struct sql_node *[]){operand, items[0]}, 2);
    struct sql_node **with = sql_arena_alloc(p->arena, (count + 1) * sizeof *with);
    if (!with) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    with[0] = operand;
    memcpy(with + 1, items, count * sizeof *with);
    return parse_operator(p, "IN", items[0]->offset, with, count + 1);
}

static struct sql_node *case_expr(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_CASE, parse_peek(p)->offset), *operand = NULL;
    struct sql_list l = {.size = sizeof n};
    parse_next(p);
    if (!n || (!parse_is(p, "WHEN") && !(operand = parse_expr(p))))
        return NULL;
    if (!parse_is(p, "WHEN")) {
        parse_fail(p, "WHEN");
        return NULL;
    }
    while (parse_accept(p, "WHEN")) {
        struct sql_node *when = case_condition(p, operand);
        struct sql_node *then = when && !parse_expect(p, "THEN") ? parse_expr(p) : NULL;
        struct sql_node **slot = then ? parse_push(p, &l) : NULL;
        if (!slot)
            return NULL;
        *slot = when;
        slot = parse_push(p, &l);
        if (!slot)
            return NULL;
        *slot = then;
    }
    struct sql_node *other = NULL;
    if (parse_accept(p, "ELSE")) {
        other = parse_expr(p);
    } else if (parse_is(p, "END")) {
        other = parse_node(p, SQL_NODE_NULL, parse_peek(p)->offset);
        n->flags |= SQL_NODE_NO_ELSE;
    } else {
        parse_fail(p, "WHEN, ELSE or END");
    }
    struct sql_node **slot = other ? parse_push(p, &l) : NULL;
    if (!slot || parse_expect(p, "END"))
        return NULL;
    *slot = other;
    n->items = l.items;
    n->count = l.count;
    return finish(p, n);
}

static struct sql_node *cast(struct sql_parser *p, int try)
{
    struct sql_node *n = parse_node(p, SQL_NODE_CAST, parse_peek(p)->offset);
    parse_next(p);
    struct sql_node **item = sql_arena_calloc(p->arena, 1, sizeof(struct sql_node *));
    if (!n || !item) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    if (parse_expect(p, "(") || !(*item = parse_expr(p)) || parse_expect(p, "AS") || !(n->type = parse_type(p)) ||
        parse_expect(p, ")"))
        return NULL;
    n->flags = try ? SQL_NODE_TRY : 0;
    n->items = item;
    n->count = 1;
    return finish(p, n);
}

// ARRAY[…], MAP[…]; the cursor is on the word.
static struct sql_node *constructor(struct sql_parser *p, uint8_t kind)
{
    struct sql_node *n = parse_node(p, kind, parse_peek(p)->offset);
    parse_next(p);
    if (!n || parse_expect(p, "["))
        return NULL;
    if (!parse_is(p, "]") && parse_expr_list(p, &n->items, &n->count))
        return NULL;
    if (parse_expect(p, "]"))
        return NULL;
    return finish(p, n);
}

static struct sql_node *row(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_ROW, parse_peek(p)->offset);
    parse_next(p);
    if (!n || parse_expect(p, "(") || parse_expr_list(p, &n->items, &n->count) || parse_expect(p, ")"))
        return NULL;
    return finish(p, n);
}

static struct sql_node *exists(struct sql_parser *p)
{
    struct sql_node *n = parse_operator(p, "EXISTS", parse_peek(p)->offset, NULL, 0);
    parse_next(p);
    if (!n || parse_expect(p, "(") || !(n->query = parse_query(p)) || parse_expect(p, ")"))
        return NULL;
    return finish(p, n);
}

// Functions that are written without brackets.
static int is_bare_function(const struct sql_parser *p)
{
    static const char *const names[] = {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME",
                                        "LOCALTIMESTAMP"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parse_is(p, names[i]))
            return 1;
    return 0;
}

static struct sql_node *bare_function(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    parse_next(p);
    struct sql_node *n = parse_call_node(p, t->text, t->offset, NULL, 0);
    if (n)
        n->flags |= SQL_NODE_BARE;
    if (n && parse_is(p, "(")) {
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, parse_peek(p)->offset, 1, "%.*s is written without brackets",
                     (int)t->text.len, (const char *)t->text.ptr);
        return NULL;
    }
    return n;
}

// Reserved words that are functions too.
static int is_call(const struct sql_parser *p)
{
    static const char *const names[] = {"YEAR", "MONTH", "DAY",     "HOUR",      "MINUTE",   "SECOND",
                                        "LEFT", "RIGHT", "EXTRACT", "TRIM",      "POSITION", "GROUPING",
                                        "CHAR", "DATE",  "TIME",    "TIMESTAMP", "SET"};
    const struct sql_token *t = parse_peek(p);
    if ((t->kind != SQL_TOKEN_WORD && t->kind != SQL_TOKEN_QUOTED) || !parse_token_is(parse_ahead(p, 1), "("))
        return 0;
    if (!t->reserved)
        return 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parse_token_is(t, names[i]))
            return 1;
    return 0;
}

// a.b.c, t.*, catalog.db.f(…)
static struct sql_node *name(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_NAME, parse_peek(p)->offset);
    struct sql_list l = {.size = sizeof(struct sql_name)};
    if (!n)
        return NULL;
    do {
        if (l.count && parse_is(p, "*")) {
            parse_next(p);
            n->kind = SQL_NODE_STAR;
            break;
        }
        if (l.count && is_call(p)) {
            const struct sql_token *t = parse_peek(p);
            parse_next(p);
            parse_next(p);
            return parse_call(p, t->text, n->offset);
        }
        struct sql_name *part = parse_push(p, &l);
        if (!part || parse_name(p, "an expression", part))
            return NULL;
        if (l.count > 8) {
            sql_diag_set(p->diag, SQL_DIAG_SYNTAX, part->offset, part->length, "a name has at most 8 parts");
            return NULL;
        }
    } while (parse_accept(p, "."));
    n->names = l.items;
    n->count = l.count;
    return finish(p, n);
}

static struct sql_node *word(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    if (parse_is(p, "CASE"))
        return case_expr(p);
    if (parse_is(p, "CAST"))
        return cast(p, 0);
    if (parse_is2(p, "TRY_CAST", "("))
        return cast(p, 1);
    if (parse_is2(p, "ROW", "("))
        return row(p);
    if (parse_is(p, "ARRAY") && parse_token_is(parse_ahead(p, 1), "["))
        return constructor(p, SQL_NODE_ARRAY);
    if (parse_is2(p, "MULTISET", "[")) {
        sql_diag_unsupported(p->diag, t->offset, t->length, "MULTISET");
        return NULL;
    }
    if (parse_is2(p, "MAP", "["))
        return constructor(p, SQL_NODE_MAP);
    if (parse_is2(p, "EXISTS", "("))
        return exists(p);
    if (is_bare_function(p))
        return bare_function(p);
    if (is_call(p)) {
        parse_next(p);
        parse_next(p);
        return parse_call(p, t->text, t->offset);
    }
    return name(p);
}

static struct sql_node *innermost(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    struct sql_node *n = parse_literal(p);
    if (n || p->diag->kind)
        return n;
    if (t->kind == SQL_TOKEN_WORD || t->kind == SQL_TOKEN_QUOTED)
        return word(p);
    if (parse_is(p, "("))
        return brackets(p);
    parse_fail(p, "an expression");
    return NULL;
}

static struct sql_node *subscript(struct sql_parser *p, struct sql_node *of)
{
    parse_next(p);
    struct sql_node *index = parse_expr(p);
    if (!index || parse_expect(p, "]"))
        return NULL;
    return parse_operator(p, "ITEM", of->offset, (struct sql_node *[]){of, index}, 2);
}

static struct sql_node *field(struct sql_parser *p, struct sql_node *of)
{
    struct sql_node *n = parse_node(p, SQL_NODE_FIELD, of->offset);
    struct sql_node **items = sql_arena_calloc(p->arena, 1, sizeof(struct sql_node *));
    struct sql_name part;
    parse_next(p);
    if (!n || !items) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    if (parse_name(p, "a field name", &part))
        return NULL;
    *items = of;
    n->items = items;
    n->count = 1;
    n->text = part.text;
    return finish(p, n);
}

struct sql_node *parse_primary(struct sql_parser *p)
{
    struct sql_node *n = innermost(p);
    for (uint32_t levels = 0; n && n->kind != SQL_NODE_STAR; levels++) {
        if (levels > LEAT_NEST_MAX && (parse_is(p, "[") || parse_is(p, "."))) {
            parse_fail(p, "fewer subscripts");
            return NULL;
        }
        if (parse_is(p, "["))
            n = subscript(p, n);
        else if (parse_is(p, "."))
            n = field(p, n);
        else
            break;
    }
    return n;
}
