// SPDX-License-Identifier: Apache-2.0
// REGEXP, REGEXP_REPLACE, REGEXP_EXTRACT, SIMILAR TO.
//
// As in Flink a bad pattern is FALSE or NULL in the functions and an error in SIMILAR TO; the replacement is taken
// literally ($1 is no group).
#include "expr/expr.h"

#include <string.h>

#include "expr/text.h"
#include "functions/pcre.h"
#include "utf8.h"

static int use_java(const struct sql_expr *e, const union leat_cell *pattern)
{
    return sql_regexp_use(e->data, pattern->bytes, SQL_REGEXP_JAVA) == SQL_REGEXP_MATCH;
}

static int row_regexp(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    out->i64 = 0;
    if (!args[1]->bytes.len || !use_java(e, args[1]))
        return 0;
    int found = sql_regexp_find(ev, e, e->data, args[0]->bytes, 0);
    out->i64 = found == SQL_REGEXP_MATCH;
    return found < 0 ? -1 : 0;
}

static int row_replace(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes, by = args[2]->bytes;
    struct sql_text t;
    size_t copied = 0, start = 0, from, to;
    int found = 0;
    if (!use_java(e, args[1])) {
        *state = LEAT_NULL;
        return 0;
    }
    sql_text_init(&t, ev);
    while (start <= s.len && (found = sql_regexp_find(ev, e, e->data, s, start)) == SQL_REGEXP_MATCH &&
           sql_regexp_group(e->data, 0, &from, &to)) {
        if (sql_text_limit(ev, e, t.len + from - copied + by.len))
            return -1;
        sql_text_put(&t, s.ptr + copied, from - copied);
        sql_text_put(&t, by.ptr, by.len);
        copied = start = to;
        if (from == to) // step over one character, which stays
            start += to < s.len ? utf8_offset(s.ptr + to, s.len - to, 1) : 1;
    }
    if (found < 0)
        return -1;
    sql_text_put(&t, s.ptr + copied, s.len - copied);
    return sql_text_done(&t, &out->bytes);
}

static int row_extract(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    size_t from, to;
    *state = LEAT_NULL;
    if (!use_java(e, args[1]))
        return 0;
    int found = sql_regexp_find(ev, e, e->data, s, 0);
    if (found != SQL_REGEXP_MATCH)
        return found;
    if (!sql_regexp_group(e->data, e->arg_count > 2 ? args[2]->i64 : 0, &from, &to))
        return 0;
    *state = LEAT_VALUE;
    out->bytes = (struct leat_bytes){s.ptr + from, (uint32_t)(to - from)};
    return 0;
}

static int strings(struct sql_bind *b, struct sql_expr *e, uint32_t count)
{
    if (sql_want_strings(b, e, 0, count))
        return -1;
    e->data = sql_regexp_create(b);
    return e->data ? 0 : -1;
}

static int derive_regexp(struct sql_bind *b, struct sql_expr *e)
{
    return strings(b, e, 2) ? -1 : sql_derive_boolean(b, e);
}

static int derive_replace(struct sql_bind *b, struct sql_expr *e)
{
    return strings(b, e, 3) ? -1 : sql_derive_string(b, e);
}

static int derive_extract(struct sql_bind *b, struct sql_expr *e)
{
    if (strings(b, e, 2) || (e->arg_count > 2 && sql_want_integer(b, e, 2)))
        return -1;
    return sql_derive_string_null(b, e);
}

// --- SIMILAR TO ---

#define SIMILAR_SPECIALS "[]()|^-+*_%?{}"

static int is_one_of(uint8_t c, const char *set)
{
    return c && strchr(set, c) != NULL;
}

static void put_literal(struct sql_text *t, uint8_t c)
{
    if (is_one_of(c, "[]()|^-+*?{}$\\./#"))
        sql_text_put(t, "\\", 1);
    sql_text_put(t, &c, 1);
}

// [a-z], [^…], [[:ALPHA:]]: names of classes become small letters.
static const uint8_t *put_class(struct sql_text *t, const uint8_t *at, const uint8_t *end)
{
    sql_text_put(t, "[", 1);
    for (at++; at < end && *at != ']'; at++) {
        const uint8_t *close =
            end - at > 2 && at[0] == '[' && at[1] == ':' ? memmem(at + 2, (size_t)(end - at - 2), ":]", 2) : NULL;
        if (close) {
            for (; at < close + 1; at++) {
                uint8_t c = *at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at;
                sql_text_put(t, &c, 1);
            }
            sql_text_put(t, "]", 1);
            continue;
        }
        if (*at == '\\' || *at == '[')
            sql_text_put(t, "\\", 1);
        sql_text_put(t, at, 1);
    }
    sql_text_put(t, "]", 1);
    return at < end ? at : end - 1;
}

// The pattern in PCRE2's spelling. `escape` 0 = none. -1 = failure recorded.
static int to_regexp(struct sql_evaluator *ev, const struct sql_expr *e, struct leat_bytes p, uint8_t escape,
                     struct sql_text *t)
{
    sql_text_init(t, ev);
    sql_text_put(t, "(?:", 3);
    for (const uint8_t *at = p.ptr, *end = p.ptr + p.len; at < end; at++) {
        if (escape && *at == escape) {
            if (++at == end || (!is_one_of(*at, SIMILAR_SPECIALS) && *at != escape))
                return sql_fail(ev, e,
                                "in the pattern of SIMILAR TO the escape character stands before none to escape");
            put_literal(t, *at);
        } else if (*at == '%') {
            sql_text_put(t, ".*", 2);
        } else if (*at == '_') {
            sql_text_put(t, ".", 1);
        } else if (*at == '[') {
            at = put_class(t, at, end);
        } else if (is_one_of(*at, "()|*+?{}")) {
            sql_text_put(t, at, 1);
        } else {
            put_literal(t, *at);
        }
    }
    sql_text_put(t, ")", 1);
    return t->failed ? -1 : 0;
}

static int use_similar(struct sql_evaluator *ev, const struct sql_expr *e, struct leat_bytes pattern, uint8_t escape)
{
    struct sql_text t;
    if (to_regexp(ev, e, pattern, escape, &t))
        return -1;
    if (sql_regexp_use(e->data, (struct leat_bytes){t.ptr, (uint32_t)t.len}, SQL_REGEXP_SIMILAR) == SQL_REGEXP_BAD)
        return sql_fail(ev, e, "the pattern of SIMILAR TO cannot be read: %s", sql_regexp_fault(e->data));
    return 0;
}

static uint8_t escape_of(const struct sql_expr *e)
{
    const struct leat_datum *d = e->arg_count > 2 ? sql_expr_literal(e->args[2]) : NULL;
    return d && d->cell.bytes.len ? d->cell.bytes.ptr[0] : 0;
}

static int row_similar(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    // a literal pattern was made ready while binding
    if (!sql_expr_literal(e->args[1]) && use_similar(ev, e, args[1]->bytes, escape_of(e)))
        return -1;
    int found = sql_regexp_find(ev, e, e->data, args[0]->bytes, 0);
    out->i64 = found == SQL_REGEXP_MATCH;
    return found < 0 ? -1 : 0;
}

static int derive_similar(struct sql_bind *b, struct sql_expr *e)
{
    return strings(b, e, e->arg_count) ? -1 : sql_derive_boolean(b, e);
}

static int compile_similar(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_datum *pattern = sql_expr_literal(e->args[1]);
    if (e->arg_count > 2) {
        const struct leat_datum *escape = sql_expr_literal(e->args[2]);
        if (!escape || escape->state != LEAT_VALUE || escape->cell.bytes.len != 1)
            return sql_bind_error(b, e->args[2], "ESCAPE needs a literal of one character");
    }
    if (!pattern || pattern->state != LEAT_VALUE)
        return 0;
    if (use_similar(b->fold, e, pattern->cell.bytes, escape_of(e)))
        return sql_bind_error(b, e->args[1], "%s", b->fold->failure.message);
    return 0;
}

static const struct sql_func rows[] = {
    {.name = "REGEXP",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_regexp,
     .row = row_regexp,
     .form = "REGEXP(<string>, <pattern>)"},
    {.name = "REGEXP_REPLACE",
     .min_args = 3,
     .max_args = 3,
     .derive = derive_replace,
     .row = row_replace,
     .form = "REGEXP_REPLACE(<string>, <pattern>, <string>)"},
    {.name = "REGEXP_EXTRACT",
     .min_args = 2,
     .max_args = 3,
     .derive = derive_extract,
     .row = row_extract,
     .form = "REGEXP_EXTRACT(<string>, <pattern>[, <integer>])"},
    {.name = "SIMILAR TO",
     .min_args = 2,
     .max_args = 3,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_similar,
     .compile = compile_similar,
     .row = row_similar},
};
const struct sql_func_table sql_regexp_funcs = SQL_FUNC_TABLE(rows);
