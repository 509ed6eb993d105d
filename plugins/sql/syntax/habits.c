// SPDX-License-Identifier: Apache-2.0
// What people write out of habit from PostgreSQL, MySQL and their like, with its form in Flink SQL: the hints of
// messages about what stands where the grammar has something else; see parser_int.h.
#include "syntax/parser_int.h"

#include <stdio.h>
#include <string.h>

struct habit {
    const char *typed, *form;
};

// Words and marks, of which several may be one token each: "IS" is not among them, since it is grammar.
static const struct habit habits[] = {
    {"!=", "Flink SQL writes <> for unequal."},
    {"==", "Flink SQL writes = for equal."},
    {"<=>", "Write a IS NOT DISTINCT FROM b: two NULLs are the same there."},
    {"=<", "Write <=."},
    {"=>", "Write >=; => stands behind the name of an argument."},
    {"->", "A value of a JSON text is JSON_VALUE(text, '$.name'), a part of it JSON_QUERY(text, '$.name')."},
    {"->>", "A value of a JSON text is JSON_VALUE(text, '$.name')."},
    {"~", "Whether a pattern is found in a text is REGEXP(text, pattern)."},
    {"!~", "Whether a pattern is not found in a text is NOT REGEXP(text, pattern)."},
    {"&&", "Write AND."},
    {"!", "Write NOT."},
    {"^", "A power is POWER(a, b)."},
    {"?", "A query has no parameters: write the value itself."},
    {"@", "A query has no variables: write the value itself."},
    {"ILIKE", "Write UPPER(a) LIKE UPPER(pattern)."},
    {"RLIKE", "Whether a pattern is found in a text is REGEXP(text, pattern)."},
    {"REGEXP", "It is a function: REGEXP(text, pattern)."},
    {"GLOB", "Write LIKE with % and _, or REGEXP(text, pattern)."},
    {"DIV", "Write a / b: whole numbers give a whole number."},
    {"MOD", "Write a % b or MOD(a, b)."},
    {"XOR", "Write a <> b of two conditions."},
    {"ISNULL", "Write IS NULL."},
    {"NOTNULL", "Write IS NOT NULL."},
    {"COLLATE", "Texts have one order only, that of their code points: leave COLLATE out."},
    {"AT", "A time is told in another zone by CONVERT_TZ(text, from, to), or CAST of a TIMESTAMP_LTZ."},
    {"INTO", "A query writes nothing by itself: a sink of the pipeline file reads the operator as its input."},
    {"RETURNING", "A query only reads."},
};

// Types of other databases.
static const struct habit types[] = {
    {"TEXT", "STRING"},
    {"VARCHAR2", "VARCHAR(n) or STRING"},
    {"NVARCHAR", "VARCHAR(n) or STRING"},
    {"TINYTEXT", "STRING"},
    {"MEDIUMTEXT", "STRING"},
    {"LONGTEXT", "STRING"},
    {"CLOB", "STRING"},
    {"UUID", "STRING"},
    {"JSON", "STRING"},
    {"JSONB", "STRING"},
    {"BOOL", "BOOLEAN"},
    {"BIT", "BOOLEAN"},
    {"INT1", "TINYINT"},
    {"INT2", "SMALLINT"},
    {"INT4", "INT"},
    {"INT8", "BIGINT"},
    {"INT64", "BIGINT"},
    {"MEDIUMINT", "INT"},
    {"SIGNED", "BIGINT"},
    {"UNSIGNED", "BIGINT or DECIMAL(20, 0)"},
    {"LONG", "BIGINT"},
    {"SERIAL", "INT"},
    {"BIGSERIAL", "BIGINT"},
    {"REAL", "FLOAT"},
    {"FLOAT4", "FLOAT"},
    {"FLOAT8", "DOUBLE"},
    {"FLOAT64", "DOUBLE"},
    {"NUMBER", "DECIMAL(p, s)"},
    {"MONEY", "DECIMAL(p, s)"},
    {"DATETIME", "TIMESTAMP(p)"},
    {"TIMESTAMPTZ", "TIMESTAMP_LTZ(p)"},
    {"TIMESTAMP_TZ", "TIMESTAMP_LTZ(p)"},
    {"BYTEA", "BYTES"},
    {"BLOB", "BYTES"},
};

#define COUNT(table) (sizeof table / sizeof *table)

static const char *find(const struct habit *table, size_t count, const struct sql_token *t)
{
    for (size_t i = 0; i < count; i++)
        if (parse_token_is(t, table[i].typed))
            return table[i].form;
    return NULL;
}

// x::type
static void hint_cast(struct sql_parser *p)
{
    const struct sql_token *type = parse_ahead(p, 1);
    const struct sql_token *value = p->at ? &p->tokens[p->at - 1] : NULL;
    int plain = value && (value->kind == SQL_TOKEN_WORD || value->kind == SQL_TOKEN_INTEGER) &&
                !(p->at > 1 && parse_token_is(value - 1, "."));
    const char *form = find(types, COUNT(types), type);
    char text[64];
    if (!form && type->kind == SQL_TOKEN_WORD && type->text.len < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)type->text.len, (const char *)type->text.ptr);
        form = text;
    }
    sql_diag_hint(p->diag, "A cast is written CAST(%.*s AS %s).", plain ? (int)value->text.len : 5,
                  plain ? (const char *)value->text.ptr : "value", form ? form : "type");
}

int parse_is_habit(const struct sql_token *t)
{
    return find(habits, COUNT(habits), t) != NULL;
}

// Words behind which no other word would be quoted: `FROM` as a name helps nobody who left out a column.
static int opens_clause(const struct sql_token *t)
{
    static const char *const words[] = {"FROM", "WHERE", "THEN", "WHEN", "ELSE", "END", "AND", "OR", "BY", "ON"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (parse_token_is(t, words[i]))
            return 1;
    return 0;
}

void parse_hint_type(struct sql_parser *p)
{
    const char *form = find(types, COUNT(types), parse_peek(p));
    if (form)
        sql_diag_hint(p->diag, "Flink SQL writes %s.", form);
}

void parse_hint_name(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    int len = t->text.len > 60 ? 60 : (int)t->text.len;
    if (t->kind == SQL_TOKEN_DOUBLE_QUOTED)
        sql_diag_hint(p->diag, "Names are quoted by back quotes: `%.*s`.", len, (const char *)t->text.ptr);
    else if (t->kind == SQL_TOKEN_WORD && !opens_clause(t))
        sql_diag_hint(p->diag, "Put `%.*s` into back quotes to use it as a name.", len, (const char *)t->text.ptr);
}

void parse_hint(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p), *next = parse_ahead(p, 1);
    const struct sql_token *last = p->at ? &p->tokens[p->at - 1] : NULL;
    const char *form = find(habits, COUNT(habits), t);
    if (form)
        sql_diag_hint(p->diag, "%s", form);
    else if (parse_token_is(t, "::"))
        hint_cast(p);
    else if (parse_token_is(t, "#"))
        sql_diag_hint(p->diag, "%s",
                      next->kind == SQL_TOKEN_MARK && next->offset == t->offset + 1
                          ? "A value of a JSON text is JSON_VALUE(text, '$.name')."
                          : "A comment begins with --.");
    else if (parse_token_is(t, "FOR") && parse_token_is(next, "UPDATE"))
        sql_diag_hint(p->diag, "A query only reads: leave FOR UPDATE out.");
    else if (parse_token_is(t, "["))
        sql_diag_hint(p->diag, "Names are quoted by back quotes: `name`.");
    else if (t->kind == SQL_TOKEN_DOUBLE_QUOTED)
        sql_diag_hint(p->diag, "Strings stand in single quotes, '%.*s', names in back quotes, `%.*s`.",
                      t->text.len > 60 ? 60 : (int)t->text.len, (const char *)t->text.ptr,
                      t->text.len > 60 ? 60 : (int)t->text.len, (const char *)t->text.ptr);
    else if (parse_token_is(t, "NOT") && parse_token_is(next, "NULL"))
        sql_diag_hint(p->diag, "Write IS NOT NULL.");
    else if (t->kind == SQL_TOKEN_INTEGER && last && parse_token_is(last, "TOP"))
        sql_diag_hint(p->diag, "Flink SQL writes LIMIT, which leat does not have yet.");
    else if (parse_token_is(t, "/") && (parse_token_is(next, "/") || (last && parse_token_is(last, "/"))))
        sql_diag_hint(p->diag, "A comment begins with --.");
    else if (parse_token_is(t, "ON") && last && parse_token_is(last, "DISTINCT"))
        sql_diag_hint(p->diag, "DISTINCT ON is not part of Flink SQL.");
    else if (parse_token_is(t, "$") || (parse_token_is(t, ":") && next->offset == t->offset + 1))
        sql_diag_hint(p->diag, "A query has no parameters: write the value itself.");
    else if (t->kind == SQL_TOKEN_STRING && last && last->length == 1 && parse_token_is(last, "E"))
        sql_diag_hint(p->diag, "Strings have no escapes: write the character itself, or U&'\\000A'.");
    else if (last && parse_token_is(last, ",") &&
             (parse_token_is(t, ")") || t->kind == SQL_TOKEN_END || opens_clause(t)))
        sql_diag_hint(p->diag, "Take out the comma before it.");
}
