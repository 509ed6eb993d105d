// SPDX-License-Identifier: Apache-2.0
// Operators and their precedence, as Calcite orders them. Loosest first:
//
//   OR · AND · NOT · IS … · = <> < <= > >=, IS DISTINCT FROM, OVERLAPS · LIKE, SIMILAR TO, BETWEEN, IN · + - · * / % ||
//   · sign · [ ] .
//
// Mind that || binds as tightly as *, and IS NULL looser than a comparison: `a = b IS NULL` is `(a = b) IS NULL`.
#include "syntax/parser_int.h"

#include <string.h>

// Levels; an operand of an operator at level n is parsed at n + 1.
enum { P_OR = 1, P_AND, P_NOT, P_IS, P_COMPARE, P_LIKE, P_ADD, P_MULTIPLY, P_SIGN };

static struct sql_node *at_level(struct sql_parser *p, int level);

static struct sql_node *binary(struct sql_parser *p, struct sql_node *left, const char *name, int level)
{
    struct sql_node *right = at_level(p, level + 1);
    if (!right)
        return NULL;
    return parse_operator(p, name, left->offset, (struct sql_node *[]){left, right}, 2);
}

static struct sql_node *unary(struct sql_parser *p, struct sql_node *operand, const char *name)
{
    return parse_operator(p, name, operand->offset, &operand, 1);
}

// Which binary operator of this level stands at the cursor, if any.
static const char *operator_at(struct sql_parser *p, int level)
{
    static const struct {
        const char *name;
        int level;
    } marks[] = {
        {"OR", P_OR},      {"AND", P_AND},    {"=", P_COMPARE},  {"<>", P_COMPARE},  {"<", P_COMPARE},
        {"<=", P_COMPARE}, {">", P_COMPARE},  {">=", P_COMPARE}, {"+", P_ADD},       {"-", P_ADD},
        {"*", P_MULTIPLY}, {"/", P_MULTIPLY}, {"%", P_MULTIPLY}, {"||", P_MULTIPLY},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].level == level && parse_is(p, marks[i].name))
            return marks[i].name;
    return NULL;
}

static struct sql_node *left_associative(struct sql_parser *p, int level)
{
    struct sql_node *left = at_level(p, level + 1);
    const char *name;
    while (left && (name = operator_at(p, level))) {
        parse_next(p);
        left = binary(p, left, name, level);
    }
    return left;
}

// Period predicates take two pairs: (a, b) OVERLAPS (c, d).
static const char *period_at(struct sql_parser *p, uint32_t *words)
{
    static const char *const names[] = {"OVERLAPS", "CONTAINS", "PRECEDES", "SUCCEEDS", "EQUALS"};
    *words = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parse_is(p, names[i]))
            return names[i];
    *words = 2;
    if (parse_is2(p, "IMMEDIATELY", "PRECEDES"))
        return "IMMEDIATELY PRECEDES";
    if (parse_is2(p, "IMMEDIATELY", "SUCCEEDS"))
        return "IMMEDIATELY SUCCEEDS";
    return NULL;
}

static struct sql_node *period(struct sql_parser *p, struct sql_node *left, const char *name)
{
    struct sql_node *right = at_level(p, P_COMPARE + 1);
    if (!right)
        return NULL;
    if (left->kind != SQL_NODE_ROW || left->count != 2 || right->kind != SQL_NODE_ROW || right->count != 2) {
        const struct sql_node *bad = left->kind == SQL_NODE_ROW && left->count == 2 ? right : left;
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, bad->offset, bad->length,
                     "%s compares two periods, expected (begin, end)", name);
        return NULL;
    }
    struct sql_node *items[] = {left->items[0], left->items[1], right->items[0], right->items[1]};
    return parse_operator(p, name, left->offset, items, 4);
}

// A comparison with ANY, SOME or ALL of a sub-query or list: read for the binder to refuse.
static struct sql_node *quantified(struct sql_parser *p, struct sql_node *left)
{
    struct sql_node *n = parse_operator(p, "ANY QUERY", parse_peek(p)->offset, &left, 1);
    struct sql_node **items;
    uint32_t count;
    parse_next(p);
    if (!n || parse_expect(p, "("))
        return NULL;
    if (parse_at_query(p) ? !(n->query = parse_query(p)) : parse_expr_list(p, &items, &count))
        return NULL;
    if (parse_expect(p, ")"))
        return NULL;
    n->length = parse_length_since(p, n->offset);
    return n;
}

static int distinct_from(struct sql_parser *p)
{
    uint32_t n = parse_token_is(parse_ahead(p, 1), "NOT") ? 2 : 1;
    return parse_is(p, "IS") && parse_token_is(parse_ahead(p, n), "DISTINCT") ? (int)n : 0;
}

static struct sql_node *comparison(struct sql_parser *p)
{
    struct sql_node *left = at_level(p, P_COMPARE + 1);
    while (left) {
        uint32_t words;
        const char *name = operator_at(p, P_COMPARE);
        int is_distinct = distinct_from(p);
        if (name) {
            parse_next(p);
            left = parse_is(p, "ANY") || parse_is(p, "SOME") || parse_is(p, "ALL") ? quantified(p, left)
                                                                                   : binary(p, left, name, P_COMPARE);
        } else if (is_distinct) {
            for (int i = 0; i <= is_distinct; i++)
                parse_next(p);
            if (parse_expect(p, "FROM"))
                return NULL;
            left = binary(p, left, is_distinct == 2 ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM", P_COMPARE);
        } else if ((name = period_at(p, &words)) && left->kind == SQL_NODE_ROW) {
            while (words--)
                parse_next(p);
            left = period(p, left, name);
        } else if (parse_is(p, "!=")) {
            parse_fail(p, "an operator");
            return NULL;
        } else {
            break;
        }
    }
    return left;
}

static struct sql_node *between(struct sql_parser *p, struct sql_node *left)
{
    const char *name = "BETWEEN";
    if (parse_accept(p, "SYMMETRIC"))
        name = "BETWEEN SYMMETRIC";
    else
        parse_accept(p, "ASYMMETRIC");
    struct sql_node *low = at_level(p, P_LIKE + 1);
    if (!low || parse_expect(p, "AND"))
        return NULL;
    struct sql_node *high = at_level(p, P_LIKE + 1);
    if (!high)
        return NULL;
    return parse_operator(p, name, left->offset, (struct sql_node *[]){left, low, high}, 3);
}

static struct sql_node *in(struct sql_parser *p, struct sql_node *left)
{
    if (parse_expect(p, "("))
        return NULL;
    if (parse_at_query(p)) {
        struct sql_node *n = parse_operator(p, "IN QUERY", left->offset, &left, 1);
        if (!n || !(n->query = parse_query(p)) || parse_expect(p, ")"))
            return NULL;
        n->length = parse_length_since(p, n->offset);
        return n;
    }
    struct sql_list l = {.size = sizeof left};
    struct sql_node *item = left;
    do {
        struct sql_node **slot = item ? parse_push(p, &l) : NULL;
        if (!slot)
            return NULL;
        *slot = item;
        item = parse_expr(p);
    } while (item && parse_accept(p, ","));
    struct sql_node **slot = item ? parse_push(p, &l) : NULL;
    if (!slot)
        return NULL;
    *slot = item;
    if (parse_expect(p, ")"))
        return NULL;
    return parse_operator(p, "IN", left->offset, l.items, l.count);
}

static struct sql_node *like(struct sql_parser *p, struct sql_node *left, const char *name)
{
    struct sql_node *items[3] = {left, at_level(p, P_LIKE + 1), NULL};
    if (!items[1])
        return NULL;
    uint32_t count = 2;
    if (parse_accept(p, "ESCAPE")) {
        items[2] = at_level(p, P_LIKE + 1);
        if (!items[2])
            return NULL;
        count = 3;
    }
    return parse_operator(p, name, left->offset, items, count);
}

// LIKE, SIMILAR TO, BETWEEN, IN, each with NOT before it.
static struct sql_node *like_level(struct sql_parser *p)
{
    struct sql_node *left = at_level(p, P_LIKE + 1);
    while (left) {
        int negated = parse_is(p, "NOT");
        const struct sql_token *word = parse_ahead(p, (uint32_t)negated);
        int found = 1;
        if (parse_token_is(word, "LIKE") || parse_token_is(word, "BETWEEN") || parse_token_is(word, "IN") ||
            (parse_token_is(word, "SIMILAR") && parse_token_is(word + 1, "TO")))
            parse_next(p);
        else
            found = 0;
        if (!found)
            return left;
        if (negated)
            parse_next(p);
        if (parse_token_is(word, "LIKE"))
            left = like(p, left, "LIKE");
        else if (parse_token_is(word, "BETWEEN"))
            left = between(p, left);
        else if (parse_token_is(word, "IN"))
            left = in(p, left);
        else if (!parse_expect(p, "TO"))
            left = like(p, left, "SIMILAR TO");
        if (left && negated)
            left = unary(p, left, "NOT");
    }
    return left;
}

// What may follow IS [NOT]; longer ones first.
static const struct is_test {
    const char *first, *second;
    const char *plain, *negated;
} is_tests[] = {
    {"NULL", NULL, "IS NULL", "IS NOT NULL"},    {"TRUE", NULL, "IS TRUE", "IS NOT TRUE"},
    {"FALSE", NULL, "IS FALSE", "IS NOT FALSE"}, {"UNKNOWN", NULL, "IS NULL", "IS NOT NULL"},
    {"JSON", "VALUE", "IS JSON VALUE", NULL},    {"JSON", "OBJECT", "IS JSON OBJECT", NULL},
    {"JSON", "ARRAY", "IS JSON ARRAY", NULL},    {"JSON", "SCALAR", "IS JSON SCALAR", NULL},
    {"JSON", NULL, "IS JSON VALUE", NULL},       {"A", "SET", "IS A SET", NULL},
    {"EMPTY", NULL, "IS EMPTY", NULL},
};

static struct sql_node *is_test(struct sql_parser *p, struct sql_node *left)
{
    parse_next(p);
    int negated = parse_accept(p, "NOT");
    for (size_t i = 0; i < sizeof is_tests / sizeof *is_tests; i++) {
        const struct is_test *t = &is_tests[i];
        if (!parse_is(p, t->first) || (t->second && !parse_token_is(parse_ahead(p, 1), t->second)))
            continue;
        parse_next(p);
        if (t->second)
            parse_next(p);
        if (negated && t->negated)
            return unary(p, left, t->negated);
        struct sql_node *n = unary(p, left, t->plain);
        return n && negated ? unary(p, n, "NOT") : n;
    }
    parse_fail(p, "NULL, TRUE, FALSE, UNKNOWN, JSON or DISTINCT FROM");
    return NULL;
}

static struct sql_node *is_level(struct sql_parser *p)
{
    struct sql_node *left = at_level(p, P_IS + 1);
    while (left && parse_is(p, "IS") && !distinct_from(p))
        left = is_test(p, left);
    return left;
}

static struct sql_node *not_level(struct sql_parser *p)
{
    if (!parse_is(p, "NOT"))
        return at_level(p, P_NOT + 1);
    uint32_t offset = parse_peek(p)->offset;
    parse_next(p);
    struct sql_node *operand = at_level(p, P_NOT);
    return operand ? parse_operator(p, "NOT", offset, &operand, 1) : NULL;
}

// A sign; before a number it belongs to the literal, so that -9223372036854775808 is one.
static struct sql_node *sign_level(struct sql_parser *p)
{
    if (!parse_is(p, "-") && !parse_is(p, "+"))
        return parse_primary(p);
    int minus = parse_is(p, "-");
    uint32_t offset = parse_peek(p)->offset;
    parse_next(p);
    struct sql_node *operand = at_level(p, P_SIGN);
    return operand ? parse_operator(p, minus ? "NEGATE" : "PLUS", offset, &operand, 1) : NULL;
}

static struct sql_node *at_level(struct sql_parser *p, int level)
{
    if (level == P_SIGN || level == P_NOT || level == P_OR) { // every way to nest passes one of these
        if (parse_enter(p))
            return NULL;
    }
    struct sql_node *n;
    switch (level) {
    case P_NOT:
        n = not_level(p);
        break;
    case P_IS:
        n = is_level(p);
        break;
    case P_COMPARE:
        n = comparison(p);
        break;
    case P_LIKE:
        n = like_level(p);
        break;
    case P_SIGN:
        n = sign_level(p);
        break;
    default:
        n = left_associative(p, level);
    }
    if (level == P_SIGN || level == P_NOT || level == P_OR)
        parse_leave(p);
    return n;
}

struct sql_node *parse_additive(struct sql_parser *p)
{
    return at_level(p, P_ADD);
}

struct sql_node *parse_expr(struct sql_parser *p)
{
    return at_level(p, P_OR);
}

int parse_expr_list(struct sql_parser *p, struct sql_node ***items, uint32_t *count)
{
    struct sql_list l = {.size = sizeof **items};
    do {
        struct sql_node *n = parse_expr(p);
        struct sql_node **slot = n ? parse_push(p, &l) : NULL;
        if (!slot)
            return -1;
        *slot = n;
    } while (parse_accept(p, ","));
    *items = l.items;
    *count = l.count;
    return 0;
}
