// SPDX-License-Identifier: Apache-2.0
// Column lists as between the brackets of CREATE TABLE: columns, computed and metadata columns, primary key, watermark.
#include "syntax/parser_int.h"

#include <string.h>

static int key_clause(struct sql_parser *p, struct sql_table_def *d)
{
    if (parse_expect(p, "KEY"))
        return -1;
    if (d->key_count)
        return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, parse_peek(p)->offset, 1, "a second primary key");
    if (parse_name_list(p, &d->key, &d->key_count))
        return -1;
    if (parse_accept(p, "NOT"))
        return parse_expect(p, "ENFORCED");
    return 0;
}

// [CONSTRAINT name] PRIMARY KEY (…) NOT ENFORCED; 1 = it was one
static int constraint(struct sql_parser *p, struct sql_table_def *d)
{
    if (parse_is(p, "CONSTRAINT") && parse_token_is(parse_ahead(p, 2), "PRIMARY")) {
        struct sql_name ignored;
        parse_next(p);
        if (parse_name(p, "a constraint name", &ignored))
            return -1;
    }
    if (!parse_is2(p, "PRIMARY", "KEY"))
        return 0;
    parse_next(p);
    return key_clause(p, d) ? -1 : 1;
}

// WATERMARK FOR column AS expr; 1 = it was one
static int watermark(struct sql_parser *p, struct sql_table_def *d)
{
    if (!parse_is2(p, "WATERMARK", "FOR"))
        return 0;
    parse_next(p);
    parse_next(p);
    if (parse_name(p, "a column name", &d->watermark) || parse_expect(p, "AS") || !(d->watermark_expr = parse_expr(p)))
        return -1;
    return 1;
}

static int metadata(struct sql_parser *p, struct sql_column_def *c)
{
    if (!parse_accept(p, "METADATA"))
        return 0;
    c->metadata = 1;
    if (parse_accept(p, "FROM") && parse_string_text(p, &c->metadata_key))
        return -1;
    c->is_virtual = (uint8_t)parse_accept(p, "VIRTUAL");
    return 0;
}

static int own_key(struct sql_parser *p, struct sql_table_def *d, const struct sql_column_def *c)
{
    if (!parse_is2(p, "PRIMARY", "KEY"))
        return 0;
    parse_next(p);
    parse_next(p);
    if (d->key_count)
        return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, c->offset, c->length, "a second primary key");
    d->key = sql_arena_copy(p->arena, &c->name, sizeof c->name);
    if (!d->key)
        return sql_diag_memory(p->diag);
    d->key_count = 1;
    if (parse_accept(p, "NOT"))
        return parse_expect(p, "ENFORCED");
    return 0;
}

static int column(struct sql_parser *p, struct sql_table_def *d, struct sql_column_def *c)
{
    c->offset = parse_peek(p)->offset;
    if (parse_name(p, "a column name", &c->name))
        return -1;
    if (parse_accept(p, "AS")) {
        if (!(c->computed = parse_expr(p)))
            return -1;
    } else {
        c->type = parse_type(p);
        if (!c->type || parse_nullability(p, c->type) || metadata(p, c) || own_key(p, d, c))
            return -1;
    }
    if (parse_accept(p, "COMMENT") && parse_string_text(p, &c->comment))
        return -1;
    c->length = parse_length_since(p, c->offset);
    return 0;
}

struct sql_table_def *sql_parse_columns(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    struct sql_token *tokens;
    uint32_t count;
    memset(d, 0, sizeof *d);
    struct sql_table_def *def = sql_arena_calloc(a, 1, sizeof *def);
    if (!def) {
        sql_diag_memory(d);
        return NULL;
    }
    if (sql_lex(a, text, &tokens, &count, d))
        return NULL;
    struct sql_parser p = {.arena = a, .diag = d, .tokens = tokens};
    struct sql_list l = {.size = sizeof *def->columns};
    do {
        int found = constraint(&p, def);
        if (!found)
            found = watermark(&p, def);
        if (found < 0)
            return NULL;
        if (found)
            continue;
        struct sql_column_def *c = parse_push(&p, &l);
        if (!c || column(&p, def, c))
            return NULL;
    } while (parse_accept(&p, ","));
    if (parse_peek(&p)->kind != SQL_TOKEN_END) {
        parse_fail(&p, "',' or the end of the columns");
        return NULL;
    }
    def->columns = l.items;
    def->column_count = l.count;
    return def;
}
