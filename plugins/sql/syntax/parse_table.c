// SPDX-License-Identifier: Apache-2.0
// What stands behind FROM: tables, sub-queries, table functions, joins of all kinds; see parser_int.h.
#include "syntax/parser_int.h"

#include <string.h>

static struct sql_table *table_node(struct sql_parser *p, uint8_t kind, uint32_t offset)
{
    struct sql_table *t = sql_arena_calloc(p->arena, 1, sizeof *t);
    if (!t) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    t->kind = kind;
    t->offset = offset;
    return t;
}

// [AS] alias [(a, b, c)]
static int alias(struct sql_parser *p, struct sql_table *t)
{
    static const char *const words[] = {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT",   "UNION", "JOIN",
                                        "INNER", "LEFT",  "RIGHT",  "CROSS", "NATURAL", NULL};
    const struct sql_token *next = parse_peek(p);
    int word = next->kind == SQL_TOKEN_WORD && !next->reserved;
    if (word && !parse_ends_table(p, p->at + 1)) {
        int put_right = parse_misspelt(p, words);
        if (put_right)
            return put_right > 0 ? 0 : -1;
    }
    if (!parse_accept(p, "AS") && next->kind != SQL_TOKEN_QUOTED && !word)
        return 0;
    if (parse_name(p, "a table alias", &t->alias))
        return -1;
    return parse_is(p, "(") ? parse_name_list(p, &t->columns, &t->column_count) : 0;
}

int parse_hints(struct sql_parser *p, struct sql_name *name)
{
    if (parse_peek(p)->kind != SQL_TOKEN_HINT)
        return 0;
    parse_next(p);
    const struct sql_token *first = parse_peek(p);
    if (first->kind != SQL_TOKEN_WORD)
        return parse_fail(p, "a hint's name");
    *name = (struct sql_name){first->text, first->offset, first->length};
    while (parse_peek(p)->kind != SQL_TOKEN_HINT_END) {
        if (parse_peek(p)->kind == SQL_TOKEN_END)
            return parse_fail(p, "*/");
        parse_next(p);
    }
    parse_next(p);
    return 0;
}

// FOR SYSTEM_TIME AS OF expr
static int system_time(struct sql_parser *p, struct sql_table *t)
{
    if (!parse_is2(p, "FOR", "SYSTEM_TIME"))
        return 0;
    parse_next(p);
    parse_next(p);
    if (parse_expect(p, "AS") || parse_expect(p, "OF") || !(t->system_time = parse_additive(p)))
        return -1;
    return 0;
}

static int in_brackets(struct sql_parser *p)
{
    if (parse_expect(p, "("))
        return -1;
    for (uint32_t open = 1; open; parse_next(p)) {
        if (parse_peek(p)->kind == SQL_TOKEN_END)
            return parse_expect(p, ")");
        open += (uint32_t)parse_is(p, "(");
        open -= (uint32_t)parse_is(p, ")");
    }
    return 0;
}

// PIVOT and UNPIVOT are names unless a bracket follows.
static int is_clause(const struct sql_parser *p, const char *word)
{
    const struct sql_token *next = parse_ahead(p, 1);
    return parse_is(p, word) && (parse_peek(p)->reserved || parse_token_is(next, "(") ||
                                 parse_token_is(next, "INCLUDE") || parse_token_is(next, "EXCLUDE"));
}

// MATCH_RECOGNIZE ( … ) and its like: the place of the first is kept, what is inside passed over by counting brackets.
static int clauses(struct sql_parser *p, struct sql_table *t)
{
    static const char *const words[] = {"MATCH_RECOGNIZE", "TABLESAMPLE", "PIVOT", "UNPIVOT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!is_clause(p, words[i]))
            continue;
        uint32_t offset = parse_peek(p)->offset;
        parse_next(p);
        if (!parse_is(p, "(")) // TABLESAMPLE BERNOULLI (…), UNPIVOT INCLUDE NULLS (…)
            parse_next(p);
        parse_accept(p, "NULLS");
        if (in_brackets(p) || (parse_accept(p, "REPEATABLE") && in_brackets(p)))
            return -1;
        if (!t->clause) {
            t->clause = words[i];
            t->clause_offset = offset;
            t->clause_length = parse_length_since(p, offset);
        }
    }
    return 0;
}

static struct sql_table *named(struct sql_parser *p)
{
    struct sql_table *t = table_node(p, SQL_TABLE_NAME, parse_peek(p)->offset);
    if (!t || parse_names(p, "a table name", &t->names, &t->name_count) || parse_hints(p, &t->hint) ||
        system_time(p, t))
        return NULL;
    return t;
}

static struct sql_table *sub_query(struct sql_parser *p)
{
    struct sql_table *t = table_node(p, SQL_TABLE_QUERY, parse_peek(p)->offset);
    if (!t || parse_expect(p, "(") || !(t->query = parse_query(p)) || parse_expect(p, ")"))
        return NULL;
    return t;
}

// TABLE(f(…)) and UNNEST(x) [WITH ORDINALITY]
static struct sql_table *function(struct sql_parser *p)
{
    int unnest = parse_is(p, "UNNEST");
    struct sql_table *t = table_node(p, unnest ? SQL_TABLE_UNNEST : SQL_TABLE_FUNCTION, parse_peek(p)->offset);
    if (!unnest)
        parse_accept(p, "TABLE");
    int brackets = unnest || parse_is(p, "(");
    if (unnest)
        parse_next(p);
    if (!t || (brackets && parse_expect(p, "(")) || !(t->call = parse_expr(p)) || (brackets && parse_expect(p, ")")))
        return NULL;
    if (!unnest && t->call->kind != SQL_NODE_CALL) {
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->call->offset, t->call->length, "expected a table function");
        return NULL;
    }
    if (unnest && parse_is2(p, "WITH", "ORDINALITY")) {
        parse_next(p);
        parse_next(p);
        t->ordinality = 1;
    }
    return t;
}

static struct sql_table *join_tree(struct sql_parser *p);

static struct sql_table *primary(struct sql_parser *p)
{
    struct sql_table *t;
    int lateral = parse_accept(p, "LATERAL");
    if (parse_is2(p, "TABLE", "(") || parse_is2(p, "UNNEST", "("))
        t = function(p);
    else if (parse_is(p, "(") && parse_at_query(p))
        t = sub_query(p);
    else if (parse_accept(p, "(")) {
        t = join_tree(p);
        return t && !parse_expect(p, ")") ? t : NULL;
    } else if (parse_peek(p)->kind == SQL_TOKEN_WORD && parse_token_is(parse_ahead(p, 1), "("))
        t = function(p);
    else
        t = named(p);
    if (!t)
        return NULL;
    t->lateral = (uint8_t)lateral;
    if (clauses(p, t))
        return NULL;
    t->length = parse_length_since(p, t->offset);
    return alias(p, t) || system_time(p, t) || clauses(p, t) ? NULL : t;
}

// The words of a join; 0 = none here, -1 = a fault.
static int join_words(struct sql_parser *p, uint8_t *kind, uint8_t *natural)
{
    static const char *const join[] = {"JOIN", NULL};
    static const char *const words[] = {"JOIN", "INNER", "CROSS", "NATURAL", "LEFT", "RIGHT", NULL};
    if (parse_misspelt(p, words) < 0)
        return -1;
    *natural = (uint8_t)parse_accept(p, "NATURAL");
    *kind = SQL_JOIN_INNER;
    if (parse_accept(p, "CROSS")) {
        *kind = SQL_JOIN_CROSS;
    } else if (parse_is(p, "LEFT") || parse_is(p, "RIGHT") || parse_is(p, "FULL")) {
        *kind = parse_is(p, "LEFT") ? SQL_JOIN_LEFT : parse_is(p, "RIGHT") ? SQL_JOIN_RIGHT : SQL_JOIN_FULL;
        parse_next(p);
        if (*kind == SQL_JOIN_LEFT && (parse_is2(p, "SEMI", "JOIN") || parse_is2(p, "ANTI", "JOIN"))) {
            *kind = parse_is(p, "SEMI") ? SQL_JOIN_SEMI : SQL_JOIN_ANTI;
            parse_next(p);
        }
        parse_accept(p, "OUTER");
    } else if (!parse_accept(p, "INNER") && !parse_is(p, "JOIN")) {
        return *natural ? parse_fail(p, "JOIN") : 0;
    }
    return parse_misspelt(p, join) < 0 || parse_expect(p, "JOIN") ? -1 : 1;
}

static int join_condition(struct sql_parser *p, struct sql_table *j)
{
    if (parse_accept(p, "ON"))
        return (j->on = parse_part(p, PARSE_PART_ON)) ? 0 : -1;
    if (parse_accept(p, "USING"))
        return parse_name_list(p, &j->using, &j->using_count);
    if (j->join != SQL_JOIN_CROSS && !j->natural && !(j->join == SQL_JOIN_INNER && j->right->kind != SQL_TABLE_NAME))
        return parse_fail(p, "ON or USING");
    return 0;
}

static struct sql_table *joins(struct sql_parser *p)
{
    struct sql_table *left = primary(p);
    while (left) {
        uint8_t kind, natural;
        uint32_t offset = parse_peek(p)->offset;
        int found = join_words(p, &kind, &natural);
        if (found <= 0)
            return found ? NULL : left;
        struct sql_table *j = table_node(p, SQL_TABLE_JOIN, left->offset);
        if (!j || parse_enter(p))
            return NULL;
        j->join = kind;
        j->natural = natural;
        j->join_offset = offset;
        j->join_length = parse_length_since(p, offset);
        j->left = left;
        if (!(j->right = primary(p)) || join_condition(p, j))
            return NULL;
        j->right->asked = j->right->kind == SQL_TABLE_NAME && j->right->system_time;
        j->length = parse_length_since(p, j->offset);
        left = j;
    }
    return NULL;
}

static struct sql_table *join_tree(struct sql_parser *p)
{
    if (parse_enter(p))
        return NULL;
    uint32_t depth = p->depth; // joins count as nesting: the tree they make is as deep
    struct sql_table *left = joins(p);
    while (left && parse_is(p, ",")) {
        struct sql_table *j = table_node(p, SQL_TABLE_JOIN, left->offset);
        if (j)
            j->join_offset = parse_peek(p)->offset;
        parse_next(p);
        if (!j || parse_enter(p) || !(j->right = joins(p)))
            return NULL;
        j->join = SQL_JOIN_CROSS;
        j->join_length = 1;
        j->left = left;
        j->length = parse_length_since(p, j->offset);
        left = j;
    }
    p->depth = depth;
    parse_leave(p);
    return left;
}

struct sql_table *parse_from(struct sql_parser *p)
{
    return join_tree(p);
}
