// SPDX-License-Identifier: Apache-2.0
// The parser's cursor, its small steps and its entries; see parser.h and parser_int.h.
#include "syntax/parser.h"
#include "syntax/parser_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct sql_token *parse_ahead(const struct sql_parser *p, uint32_t n)
{
    const struct sql_token *t = &p->tokens[p->at];
    while (n-- && t->kind != SQL_TOKEN_END)
        t++;
    return t;
}

void parse_next(struct sql_parser *p)
{
    if (p->tokens[p->at].kind != SQL_TOKEN_END)
        p->at++;
}

int parse_token_is(const struct sql_token *t, const char *word)
{
    if (t->kind != SQL_TOKEN_WORD && t->kind != SQL_TOKEN_MARK)
        return 0;
    return strlen(word) == t->text.len && !strncasecmp((const char *)t->text.ptr, word, t->text.len);
}

int parse_is(const struct sql_parser *p, const char *word_or_mark)
{
    return parse_token_is(parse_peek(p), word_or_mark);
}

int parse_is2(const struct sql_parser *p, const char *first, const char *second)
{
    return parse_is(p, first) && parse_token_is(parse_ahead(p, 1), second);
}

int parse_accept(struct sql_parser *p, const char *word_or_mark)
{
    if (!parse_is(p, word_or_mark))
        return 0;
    parse_next(p);
    return 1;
}

int parse_expect(struct sql_parser *p, const char *word_or_mark)
{
    if (parse_accept(p, word_or_mark))
        return 0;
    char what[64];
    snprintf(what, sizeof what, "'%s'", word_or_mark);
    return parse_fail(p, what);
}

// How a message names the token that was found.
static void describe(const struct sql_token *t, char *to, size_t size)
{
    int len = t->text.len > 40 ? 40 : (int)t->text.len;
    const char *text = (const char *)t->text.ptr;
    while (len > 0 && t->text.len > 40 && (text[len] & 0xC0) == 0x80)
        len--; // do not cut a character
    switch (t->kind) {
    case SQL_TOKEN_END:
        snprintf(to, size, "the end of the query");
        break;
    case SQL_TOKEN_STRING:
    case SQL_TOKEN_USTRING:
        snprintf(to, size, "the string '%.*s'", len, text);
        break;
    case SQL_TOKEN_BINARY:
        snprintf(to, size, "the binary string X'%.*s'", len, text);
        break;
    case SQL_TOKEN_INTEGER:
    case SQL_TOKEN_DECIMAL:
    case SQL_TOKEN_DOUBLE:
        snprintf(to, size, "the number %.*s", len, text);
        break;
    case SQL_TOKEN_QUOTED:
        snprintf(to, size, "the name `%.*s`", len, text);
        break;
    case SQL_TOKEN_WORD:
        snprintf(to, size, t->reserved ? "the keyword '%.*s'" : "'%.*s'", len, text);
        break;
    default:
        snprintf(to, size, "'%.*s'", len, text);
    }
}

// "expected <what>, found …", without advice. -1.
static int refuse(struct sql_parser *p, const char *what)
{
    const struct sql_token *t = parse_peek(p);
    char found[128];
    if (p->diag->kind)
        return -1;
    describe(t, found, sizeof found);
    if (t->kind == SQL_TOKEN_DOUBLE_QUOTED)
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length, SQL_UNEXPECTED_QUOTE);
    else if (t->alien)
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length, "%s is no operator of Flink SQL", found);
    else
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length ? t->length : 1, "expected %s, found %s", what,
                     found);
    return -1;
}

int parse_fail(struct sql_parser *p, const char *what)
{
    if (!p->diag->kind && refuse(p, what))
        parse_hint(p);
    return -1;
}

uint32_t parse_length_since(const struct sql_parser *p, uint32_t from)
{
    if (!p->at)
        return 0;
    const struct sql_token *t = &p->tokens[p->at - 1];
    uint32_t end = t->offset + t->length;
    return end > from ? end - from : 0;
}

int parse_enter(struct sql_parser *p)
{
    if (p->depth >= SQL_DEPTH_MAX) {
        const struct sql_token *t = parse_peek(p);
        return sql_diag_set(p->diag, SQL_DIAG_RESOURCE, t->offset, t->length, "nested more than %d levels deep",
                            SQL_DEPTH_MAX);
    }
    p->depth++;
    return 0;
}

void parse_leave(struct sql_parser *p)
{
    p->depth--;
}

int parse_name(struct sql_parser *p, const char *what, struct sql_name *out)
{
    const struct sql_token *t = parse_peek(p);
    if (t->kind != SQL_TOKEN_QUOTED && (t->kind != SQL_TOKEN_WORD || t->reserved)) {
        if (p->diag->kind)
            return -1;
        refuse(p, what);
        parse_hint_name(p);
        parse_hint(p);
        return -1;
    }
    *out = (struct sql_name){t->text, t->offset, t->length};
    parse_next(p);
    return 0;
}

int parse_names(struct sql_parser *p, const char *what, struct sql_name **names, uint32_t *count)
{
    struct sql_list l = {.size = sizeof **names};
    do {
        struct sql_name *n = parse_push(p, &l);
        if (!n || parse_name(p, what, n))
            return -1;
        if (l.count > 8)
            return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, n->offset, n->length, "a name has at most 8 parts");
    } while (parse_accept(p, "."));
    *names = l.items;
    *count = l.count;
    return 0;
}

int parse_name_list(struct sql_parser *p, struct sql_name **names, uint32_t *count)
{
    struct sql_list l = {.size = sizeof **names};
    if (parse_expect(p, "("))
        return -1;
    do {
        struct sql_name *n = parse_push(p, &l);
        if (!n || parse_name(p, "a column name", n))
            return -1;
    } while (parse_accept(p, ","));
    *names = l.items;
    *count = l.count;
    return parse_expect(p, ")");
}

int parse_uint(struct sql_parser *p, uint32_t max, uint32_t *out)
{
    const struct sql_token *t = parse_peek(p);
    uint64_t v = 0;
    if (t->kind != SQL_TOKEN_INTEGER)
        return parse_fail(p, "a whole number");
    for (uint32_t i = 0; i < t->text.len && v <= max; i++)
        v = v * 10 + (uint64_t)(t->text.ptr[i] - '0');
    if (v > max)
        return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length, "%.*s is too large, at most %u is allowed",
                            (int)(t->text.len > 40 ? 40 : t->text.len), (const char *)t->text.ptr, max);
    *out = (uint32_t)v;
    parse_next(p);
    return 0;
}

void *parse_push(struct sql_parser *p, struct sql_list *l)
{
    if (l->count >= SQL_LIST_MAX) {
        sql_diag_set(p->diag, SQL_DIAG_RESOURCE, parse_peek(p)->offset, 1, "a list of more than %u items",
                     SQL_LIST_MAX);
        return NULL;
    }
    if (l->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 4;
        void *bigger = sql_arena_alloc(p->arena, room * l->size);
        if (!bigger) {
            sql_diag_memory(p->diag);
            return NULL;
        }
        if (l->count)
            memcpy(bigger, l->items, l->count * l->size);
        l->items = bigger;
        l->room = room;
    }
    void *item = (char *)l->items + l->count++ * l->size;
    memset(item, 0, l->size);
    return item;
}

struct sql_node *parse_node(struct sql_parser *p, uint8_t kind, uint32_t offset)
{
    struct sql_node *n = sql_arena_calloc(p->arena, 1, sizeof *n);
    if (!n) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    n->kind = kind;
    n->offset = offset;
    return n;
}

struct sql_node *parse_operator(struct sql_parser *p, const char *name, uint32_t offset, struct sql_node **items,
                                uint32_t count)
{
    struct sql_node *n = parse_node(p, SQL_NODE_OPERATOR, offset);
    if (!n)
        return NULL;
    n->items = sql_arena_copy(p->arena, items, count * sizeof *items);
    if (!n->items) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    n->text = (struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)};
    n->count = count;
    n->length = parse_length_since(p, offset);
    return n;
}

static int begin(struct sql_parser *p, struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    struct sql_token *tokens;
    uint32_t count;
    memset(d, 0, sizeof *d);
    memset(p, 0, sizeof *p);
    p->arena = a;
    p->diag = d;
    if (sql_lex(a, text, &tokens, &count, d))
        return -1;
    p->tokens = tokens;
    return 0;
}

// Nothing but semicolons may follow.
static int at_end(struct sql_parser *p, const char *what)
{
    while (parse_accept(p, ";"))
        ;
    if (parse_peek(p)->kind == SQL_TOKEN_END)
        return 0;
    int behind = p->at && parse_token_is(&p->tokens[p->at - 1], ";");
    if (behind && parse_refuse_statement(p))
        return -1;
    parse_fail(p, what);
    if (behind && parse_at_query(p))
        sql_diag_hint(p->diag, "A further query is an operator of its own.");
    return -1;
}

static struct sql_query *whole_query(struct sql_parser *p)
{
    static const char *const first[] = {"SELECT", NULL};
    if (!parse_at_query(p) && !parse_is(p, "(")) {
        if (parse_refuse_statement(p) || parse_misspelt(p, first) < 0)
            return NULL;
        if (!parse_at_query(p)) {
            parse_fail(p, "SELECT, VALUES, WITH or TABLE");
            return NULL;
        }
    }
    struct sql_query *q = parse_query(p);
    return q && !at_end(p, "the end of the query") && !p->lost ? q : NULL;
}

struct sql_query *sql_parse_query(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    struct sql_parser p;
    return begin(&p, a, text, d) ? NULL : whole_query(&p);
}

// Where brackets do not match there is no telling what belongs to what.
static int brackets_match(const struct sql_parser *p)
{
    int64_t round = 0, square = 0;
    for (const struct sql_token *t = p->tokens; t->kind != SQL_TOKEN_END && round >= 0 && square >= 0; t++) {
        round += parse_token_is(t, "(") - parse_token_is(t, ")");
        square += parse_token_is(t, "[") - parse_token_is(t, "]");
    }
    return !round && !square;
}

struct sql_query *sql_parse_faulty(struct sql_arena *a, struct leat_bytes text, struct sql_faults *faults)
{
    struct sql_parser p;
    struct sql_diag d;
    struct sql_query *q = NULL;
    if (!begin(&p, a, text, &d)) {
        p.faults = brackets_match(&p) ? faults : NULL;
        q = whole_query(&p);
    }
    if (d.kind && !(p.lost && faults->count)) // what is left of a query that is lost is only in the way
        sql_faults_add(faults, &d);
    return q;
}

struct sql_node *sql_parse_expression(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    struct sql_parser p;
    if (begin(&p, a, text, d))
        return NULL;
    struct sql_node *n = parse_expr(&p);
    return n && !at_end(&p, "an operator or the end of the expression") ? n : NULL;
}

struct sql_type_node *sql_parse_type(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    struct sql_parser p;
    if (begin(&p, a, text, d))
        return NULL;
    struct sql_type_node *t = parse_type(&p);
    if (!t || parse_nullability(&p, t))
        return NULL;
    return at_end(&p, "NOT NULL or the end of the type") ? NULL : t;
}
