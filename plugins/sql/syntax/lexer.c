// SPDX-License-Identifier: Apache-2.0
// Text to tokens; see lexer.h.
//
// Comments are `-- to the end of the line` and `/* … */`; a hint opens with `/*+`. Every byte above 127 is
// taken as part of a name, as Calcite takes letters of all scripts.
#include "syntax/lexer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Words that Flink SQL 1.18 keeps for itself, of those that this grammar could meet where a name may stand. Sorted.
static const char *const reserved_words[] = {
    "ALL",
    "ALTER",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASOF",
    "AT",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BOTH",
    "BY",
    "BYTES",
    "CASE",
    "CAST",
    "CHAR",
    "CHARACTER",
    "COLLATE",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DAY",
    "DEC",
    "DECIMAL",
    "DEFAULT",
    "DEFINE",
    "DELETE",
    "DESCRIBE",
    "DISTINCT",
    "DOUBLE",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FETCH",
    "FILTER",
    "FLOAT",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "HOUR",
    "IN",
    "INNER",
    "INSERT",
    "INT",
    "INTEGER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEADING",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MATCH_RECOGNIZE",
    "MEASURES",
    "MERGE",
    "MINUS",
    "MINUTE",
    "MONTH",
    "MULTISET",
    "NATURAL",
    "NOT",
    "NULL",
    "NUMERIC",
    "OF",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "OVERLAPS",
    "PARTITION",
    "PATTERN",
    "POSITION",
    "PRIMARY",
    "QUALIFY",
    "RANGE",
    "RIGHT",
    "ROLLUP",
    "ROW",
    "ROWS",
    "SECOND",
    "SELECT",
    "SET",
    "SIMILAR",
    "SMALLINT",
    "SOME",
    "STRING",
    "SYMMETRIC",
    "SYSTEM_TIME",
    "TABLE",
    "TABLESAMPLE",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TINYINT",
    "TO",
    "TRAILING",
    "TRIM",
    "TRUE",
    "UNION",
    "UNIQUE",
    "UNKNOWN",
    "UNNEST",
    "UPDATE",
    "USING",
    "VALUES",
    "VARBINARY",
    "VARCHAR",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
    "WITHOUT",
    "YEAR",
};

static int word_compare(const void *key, const void *item)
{
    const struct leat_bytes *word = key;
    const char *name = *(const char *const *)item;
    size_t n = strlen(name);
    int c = strncasecmp((const char *)word->ptr, name, word->len < n ? word->len : n);
    return c ? c : (word->len > n) - (word->len < n);
}

int sql_word_reserved(struct leat_bytes word)
{
    return bsearch(&word, reserved_words, sizeof reserved_words / sizeof *reserved_words, sizeof *reserved_words,
                   word_compare) != NULL;
}

struct lexer {
    struct sql_arena *arena;
    struct sql_diag *diag;
    const uint8_t *text;
    uint32_t at, len;
    struct sql_token *tokens;
    uint32_t count, room;
    uint8_t in_hint, after_line;
};

static uint8_t look(const struct lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->len ? l->text[l->at + ahead] : 0;
}

static int is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int is_word_start(uint8_t c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z' ? 1 : c == '_' || c >= 128;
}

static int is_word(uint8_t c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

static int fail(struct lexer *l, uint32_t offset, const char *what)
{
    return sql_diag_set(l->diag, SQL_DIAG_SYNTAX, offset, 1, "%s", what);
}

static struct sql_token *push(struct lexer *l, uint8_t kind, uint32_t offset)
{
    if (l->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 64;
        struct sql_token *bigger = sql_arena_alloc(l->arena, room * sizeof *bigger);
        if (!bigger) {
            sql_diag_memory(l->diag);
            return NULL;
        }
        if (l->count)
            memcpy(bigger, l->tokens, l->count * sizeof *bigger);
        l->tokens = bigger;
        l->room = room;
    }
    struct sql_token *t = &l->tokens[l->count++];
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->offset = offset;
    t->length = l->at - offset;
    t->after_line = l->after_line;
    l->after_line = 0;
    t->text = (struct leat_bytes){l->text + offset, l->at - offset};
    return t;
}

// Skips a comment that starts at the cursor. 1 = skipped, 0 = there is none, -1 = never ends.
static int skip_comment(struct lexer *l)
{
    if (look(l, 0) == '-' && look(l, 1) == '-') {
        while (l->at < l->len && l->text[l->at] != '\n')
            l->at++;
        return 1; // the line's end is left to the caller
    }
    if (look(l, 0) != '/' || look(l, 1) != '*' || look(l, 2) == '+')
        return 0;
    const uint8_t *end = memmem(l->text + l->at + 2, l->len - l->at - 2, "*/", 2);
    if (!end)
        return fail(l, l->at, "this comment has no end, expected */");
    l->at = (uint32_t)(end - l->text) + 2;
    return 1;
}

static int skip_blank(struct lexer *l)
{
    for (;;) {
        uint8_t c = look(l, 0);
        if (l->at < l->len && (c == ' ' || (c >= 9 && c <= 13))) {
            l->after_line |= c == '\n' || c == '\r';
            l->at++;
            continue;
        }
        int r = skip_comment(l);
        if (r <= 0)
            return r;
    }
}

// Reads text between `quote`s, doubled inside for one; the cursor is behind the first. Decodes into the arena.
static int quoted(struct lexer *l, uint8_t quote, uint32_t start, struct leat_bytes *out, const char *endless)
{
    uint32_t from = l->at, doubled = 0;
    for (;; l->at++) {
        if (l->at >= l->len)
            return fail(l, start, endless);
        if (l->text[l->at] != quote)
            continue;
        if (look(l, 1) != quote)
            break;
        doubled++;
        l->at++;
    }
    uint32_t len = l->at - from - doubled;
    uint8_t *to = sql_arena_alloc(l->arena, len + 1u);
    if (!to)
        return sql_diag_memory(l->diag);
    *out = (struct leat_bytes){to, len};
    for (uint32_t i = from; i < l->at; i++) {
        *to++ = l->text[i];
        if (l->text[i] == quote)
            i++;
    }
    l->at++;
    return 0;
}

static int lex_quoted(struct lexer *l, uint8_t kind, uint32_t start, uint8_t quote)
{
    struct leat_bytes text;
    l->at++;
    const char *endless = quote == '`'    ? "this name has no end, expected `"
                          : quote == '\'' ? "this string has no end, expected '"
                                          : SQL_UNEXPECTED_QUOTE;
    if (quoted(l, quote, start, &text, endless)) {
        if (quote == '\'')
            sql_diag_hint(l->diag, "A ' inside of a string is written twice: ''.");
        return -1;
    }
    struct sql_token *t = push(l, kind, start);
    if (!t)
        return -1;
    t->text = text;
    return 0;
}

static int lex_number(struct lexer *l)
{
    uint32_t start = l->at;
    uint8_t kind = SQL_TOKEN_INTEGER;
    while (is_digit(look(l, 0)))
        l->at++;
    if (look(l, 0) == '.') {
        kind = SQL_TOKEN_DECIMAL;
        l->at++;
        while (is_digit(look(l, 0)))
            l->at++;
    }
    if ((look(l, 0) | 32) == 'e') {
        uint32_t sign = look(l, 1) == '+' || look(l, 1) == '-';
        if (is_digit(look(l, 1 + sign))) {
            kind = SQL_TOKEN_DOUBLE;
            l->at += 1 + sign;
            while (is_digit(look(l, 0)))
                l->at++;
        }
    }
    return push(l, kind, start) ? 0 : -1;
}

// A word, or a string with a prefix: X'..', N'..', U&'..', _UTF16'..'.
static int lex_word(struct lexer *l)
{
    uint32_t start = l->at;
    while (is_word(look(l, 0)))
        l->at++;
    uint32_t len = l->at - start;
    uint8_t first = l->text[start] | 32;
    if (len == 1 && first == 'u' && look(l, 0) == '&' && look(l, 1) == '\'') {
        l->at++;
        return lex_quoted(l, SQL_TOKEN_USTRING, start, '\'');
    }
    if (look(l, 0) == '\'' && len == 1 && (first == 'x' || first == 'n'))
        return lex_quoted(l, first == 'x' ? SQL_TOKEN_BINARY : SQL_TOKEN_STRING, start, '\'');
    if (look(l, 0) == '\'' && l->text[start] == '_' && len > 1)
        return lex_quoted(l, SQL_TOKEN_STRING, start, '\'');
    struct sql_token *t = push(l, SQL_TOKEN_WORD, start);
    if (!t)
        return -1;
    t->reserved = (uint8_t)sql_word_reserved(t->text);
    return 0;
}

static int lex_mark(struct lexer *l)
{
    // those behind => are of other databases, read as one for the sake of the message
    static const char *const marks[] = {"<=>", "->>", "<>", "<=", ">=", "||", "!=", "=>",
                                        "::",  "==",  "=<", "->", "&&", "!~", NULL};
    uint32_t start = l->at, length = 1;
    for (size_t i = 0; marks[i] && length == 1; i++) {
        size_t n = strlen(marks[i]);
        if (l->len - l->at >= n && !memcmp(l->text + l->at, marks[i], n))
            length = (uint32_t)n;
    }
    uint8_t c = look(l, 0);
    if (c < 32 || c >= 127)
        return sql_diag_set(l->diag, SQL_DIAG_SYNTAX, start, 1, "unexpected byte 0x%02X", c);
    l->at += length;
    struct sql_token *t = push(l, SQL_TOKEN_MARK, start);
    if (!t)
        return -1;
    t->alien = length == 1 && !strchr("+-*/%=<>(),.;[]{}:?|^$", c);
    return 0;
}

static int lex_one(struct lexer *l)
{
    uint8_t c = look(l, 0);
    uint32_t start = l->at;
    if (c == '\'' || c == '`')
        return lex_quoted(l, c == '`' ? SQL_TOKEN_QUOTED : SQL_TOKEN_STRING, start, c);
    if (c == '"')
        return lex_quoted(l, SQL_TOKEN_DOUBLE_QUOTED, start, c);
    if (is_digit(c) || (c == '.' && is_digit(look(l, 1))))
        return lex_number(l);
    if (is_word_start(c))
        return lex_word(l);
    if (c == '/' && look(l, 1) == '*') { // only /*+ gets here
        l->at += 3;
        l->in_hint = 1;
        return push(l, SQL_TOKEN_HINT, start) ? 0 : -1;
    }
    if (l->in_hint && c == '*' && look(l, 1) == '/') {
        l->at += 2;
        l->in_hint = 0;
        return push(l, SQL_TOKEN_HINT_END, start) ? 0 : -1;
    }
    return lex_mark(l);
}

int sql_lex(struct sql_arena *a, struct leat_bytes text, struct sql_token **tokens, uint32_t *count, struct sql_diag *d)
{
    struct lexer l = {.arena = a, .diag = d, .text = text.ptr, .len = text.len};
    if (text.len > SQL_TEXT_MAX)
        return sql_diag_set(d, SQL_DIAG_SYNTAX, 0, 1, "the query has %u bytes, at most %u are read", text.len,
                            SQL_TEXT_MAX);
    for (;;) {
        if (skip_blank(&l))
            return -1;
        if (l.at >= l.len)
            break;
        if (lex_one(&l))
            return -1;
    }
    if (!push(&l, SQL_TOKEN_END, l.at))
        return -1;
    *tokens = l.tokens;
    *count = l.count;
    return 0;
}
