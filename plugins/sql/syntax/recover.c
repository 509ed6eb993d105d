// SPDX-License-Identifier: Apache-2.0
// How the parser goes on behind a fault, so that one does not hide the others: what is broken counts as a hole, and the
// reading starts again at the next comma or clause; see parser_int.h.
//
// Nothing is guessed. Where brackets do not match or a word stands where it could open something else, the first fault
// ends the reading: a false second message is worse than none.
#include "syntax/parser_int.h"

#include <string.h>

#include "nearest.h"

static int is_any(const struct sql_token *t, const char *const *words)
{
    for (; *words; words++)
        if (parse_token_is(t, *words))
            return 1;
    return 0;
}

static const char *const clauses[] = {"WHERE",  "GROUP", "HAVING", "WINDOW",    "QUALIFY", "ORDER", "LIMIT",
                                      "OFFSET", "FETCH", "UNION",  "INTERSECT", "EXCEPT",  "MINUS", NULL};
static const char *const of_joins[] = {"JOIN", "INNER", "CROSS", "NATURAL", "FULL", "LEFT", "RIGHT", ",", NULL};

// LEFT(…) and RIGHT(…) are functions.
static int opens_join(const struct sql_parser *p, uint32_t at)
{
    const struct sql_token *t = &p->tokens[at];
    int side = parse_token_is(t, "LEFT") || parse_token_is(t, "RIGHT");
    return is_any(t, of_joins) && !(side && parse_token_is(t + 1, "("));
}

// IS DISTINCT FROM is an operator.
static int is_from(const struct sql_parser *p, uint32_t at)
{
    return parse_token_is(&p->tokens[at], "FROM") && !(at && parse_token_is(&p->tokens[at - 1], "DISTINCT"));
}

// May a value begin at the token?
static int is_value(const struct sql_token *t)
{
    return t->kind != SQL_TOKEN_END && (t->kind != SQL_TOKEN_MARK || parse_token_is(t, "(") || parse_token_is(t, "-"));
}

// A clause for certain, and not its word where a name was meant: ORDER with BY, LIMIT with a number.
static int is_clause(const struct sql_parser *p, uint32_t at)
{
    static const char *const query[] = {"ALL", "DISTINCT", "SELECT", "VALUES", "(", NULL};
    const struct sql_token *t = &p->tokens[at], *next = t + 1;
    if (!is_any(t, clauses))
        return 0;
    if (parse_token_is(t, "GROUP") || parse_token_is(t, "ORDER"))
        return parse_token_is(next, "BY");
    if (parse_token_is(t, "LIMIT") || parse_token_is(t, "OFFSET"))
        return next->kind == SQL_TOKEN_INTEGER;
    if (parse_token_is(t, "FETCH"))
        return parse_token_is(next, "FIRST") || parse_token_is(next, "NEXT");
    if (parse_token_is(t, "WINDOW"))
        return next->kind == SQL_TOKEN_WORD && parse_token_is(next + 1, "AS");
    if (parse_token_is(t, "WHERE") || parse_token_is(t, "HAVING") || parse_token_is(t, "QUALIFY"))
        return at != p->at && is_value(next) && !next->reserved;
    return is_any(next, query);
}

// Does what is being read end before this token? `clause`: there a clause begins.
static int ends(const struct sql_parser *p, uint32_t at, uint8_t part, int in_case, int clause)
{
    const struct sql_token *t = &p->tokens[at];
    if (t->kind == SQL_TOKEN_END || parse_token_is(t, ")") || parse_token_is(t, ";") || clause)
        return 1;
    if (part == PARSE_PART_ITEM)
        return is_from(p, at) || (!in_case && parse_token_is(t, ","));
    return part == PARSE_PART_ON && !in_case && opens_join(p, at);
}

int parse_ends_item(const struct sql_parser *p, uint32_t at)
{
    return ends(p, at, PARSE_PART_ITEM, 0, is_any(&p->tokens[at], clauses));
}

int parse_ends_table(const struct sql_parser *p, uint32_t at)
{
    static const char *const words[] = {"ON",      "USING", "FOR", "MATCH_RECOGNIZE", "TABLESAMPLE", "PIVOT",
                                        "UNPIVOT", "(",     NULL};
    return ends(p, at, PARSE_PART_ON, 0, is_any(&p->tokens[at], clauses)) || is_any(&p->tokens[at], words);
}

// Words that stand in no expression: the fault is a larger one.
static int is_strange(const struct sql_parser *p, uint32_t at, uint8_t part)
{
    static const char *const words[] = {"SELECT", "WITH", "JOIN", "ON", "USING", "INSERT", "CREATE", NULL};
    static const char *const in_from[] = {"SELECT", "WITH", "INSERT", "CREATE", NULL};
    const struct sql_token *t = &p->tokens[at];
    return is_from(p, at) || is_any(t, clauses) || is_any(t, part == PARSE_PART_FROM ? in_from : words);
}

struct parse_mark parse_mark(const struct sql_parser *p)
{
    return (struct parse_mark){p->at, p->depth};
}

int parse_go_on(struct sql_parser *p, struct parse_mark from, uint8_t part)
{
    uint32_t open = 0, cases = 0, at = from.at;
    if (!p->faults || p->diag->kind == SQL_DIAG_RESOURCE)
        return 0;
    for (; open || !ends(p, at, part, cases > 0, is_clause(p, at)) || at < p->at; at++) {
        const struct sql_token *t = &p->tokens[at];
        if (t->kind == SQL_TOKEN_END || (!open && (parse_token_is(t, ")") || is_strange(p, at, part))))
            return 0;
        open += (uint32_t)(parse_token_is(t, "(") || parse_token_is(t, "["));
        open -= (uint32_t)(open && (parse_token_is(t, ")") || parse_token_is(t, "]")));
        if (!open && parse_token_is(t, "CASE"))
            cases++;
        else if (!open && cases && parse_token_is(t, "END"))
            cases--;
    }
    sql_faults_add(p->faults, p->diag);
    memset(p->diag, 0, sizeof *p->diag);
    p->at = at;
    p->depth = from.depth;
    return 1;
}

struct sql_node *parse_hole(struct sql_parser *p, struct parse_mark from)
{
    struct sql_node *n = parse_node(p, SQL_NODE_HOLE, p->tokens[from.at].offset);
    if (n)
        n->length = parse_length_since(p, n->offset);
    return n;
}

// --- misspelt keywords

int parse_misspelt(struct sql_parser *p, const char *const *words)
{
    struct sql_token *t = &p->tokens[p->at];
    if (t->kind != SQL_TOKEN_WORD || t->reserved || p->diag->kind)
        return 0;
    for (; *words; words++) {
        size_t len = strlen(*words);
        if (nearest_distance(*words, len, (const char *)t->text.ptr, t->text.len) > (len > 6 ? 2u : 1u))
            continue;
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length, "'%.*s' is no keyword", (int)t->text.len,
                     (const char *)t->text.ptr);
        sql_diag_hint(p->diag, "Did you mean %s?", *words);
        if (!p->faults)
            return -1;
        sql_faults_add(p->faults, p->diag);
        memset(p->diag, 0, sizeof *p->diag);
        t->text = (struct leat_bytes){(const uint8_t *)*words, (uint32_t)len};
        t->reserved = 1;
        return 1;
    }
    return 0;
}

// --- parts

// Does the part end here? Told if not.
static int part_ends(struct sql_parser *p, uint8_t part)
{
    if (ends(p, p->at, part, 0, is_any(parse_peek(p), clauses)))
        return 1;
    int put_right = parse_misspelt(p, clauses);
    if (!put_right)
        parse_fail(p, "an operator or the end of the query");
    return put_right > 0;
}

struct sql_node *parse_part(struct sql_parser *p, uint8_t part)
{
    struct parse_mark from = parse_mark(p);
    struct sql_node *n = parse_expr(p);
    if (n && part_ends(p, part))
        return n;
    return parse_go_on(p, from, part) ? parse_hole(p, from) : NULL;
}
