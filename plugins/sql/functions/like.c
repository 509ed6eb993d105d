// SPDX-License-Identifier: Apache-2.0
// LIKE.
//
// '%' is any text, '_' one character; there is no escape character unless ESCAPE names one, and a backslash cannot be
// it, as in Flink. The empty pattern fits the empty string only (Flink: every string, if the pattern is a literal).
// A literal pattern is made ready while binding; the usual shapes ('abc', 'abc%', '%abc', '%abc%') are compared at
// once.
#include "expr/expr.h"

#include <string.h>

#include "expr/types.h"
#include "utf8.h"

enum { GENERAL, EXACT, PREFIX, SUFFIX, PART };

// A pattern without escapes: text[i] stands for itself where any[i] is 0.
struct pattern {
    uint8_t shape;
    uint8_t escape, has_escape;
    uint8_t ready; // a literal, compiled while binding
    uint8_t *text; // of GENERAL
    uint8_t *any;
    uint32_t length;
    struct leat_bytes needle;
};

static int is_wild(const struct pattern *p, uint32_t i, uint8_t which)
{
    return p->any[i] && p->text[i] == which;
}

static uint32_t step(struct leat_bytes s, uint32_t at)
{
    unsigned used;
    utf8_decode(s.ptr + at, s.len - at, &used);
    return at + (used ? used : 1);
}

// Greedy with one place to return to: the last '%'.
static int matches(const struct pattern *p, struct leat_bytes s)
{
    uint32_t i = 0, at = 0, star = UINT32_MAX, again = 0;
    while (at < s.len) {
        if (i < p->length && is_wild(p, i, '%')) {
            star = ++i;
            again = at;
        } else if (i < p->length && is_wild(p, i, '_')) {
            i++;
            at = step(s, at);
        } else if (i < p->length && !p->any[i] && p->text[i] == s.ptr[at]) {
            i++;
            at++;
        } else if (star != UINT32_MAX) {
            i = star;
            at = again = step(s, again);
        } else {
            return 0;
        }
    }
    while (i < p->length && is_wild(p, i, '%'))
        i++;
    return i == p->length;
}

static int fits(const struct pattern *p, struct leat_bytes s)
{
    struct leat_bytes n = p->needle;
    switch (p->shape) {
    case EXACT:
        return s.len == n.len && !memcmp(s.ptr, n.ptr, n.len);
    case PREFIX:
        return s.len >= n.len && !memcmp(s.ptr, n.ptr, n.len);
    case SUFFIX:
        return s.len >= n.len && !memcmp(s.ptr + s.len - n.len, n.ptr, n.len);
    case PART:
        return !n.len || (s.len && memmem(s.ptr, s.len, n.ptr, n.len));
    default:
        return matches(p, s);
    }
}

static void find_shape(struct pattern *p)
{
    uint32_t wild = 0;
    for (uint32_t i = 0; i < p->length; i++)
        wild += p->any[i];
    uint32_t first = p->length && is_wild(p, 0, '%'), last = p->length > 1 && is_wild(p, p->length - 1, '%');
    p->shape = GENERAL;
    if (wild != first + last)
        return;
    p->needle = (struct leat_bytes){p->text + first, p->length - first - last};
    p->shape = first && last ? PART : first ? SUFFIX : last ? PREFIX : EXACT;
}

// Fills text and any, which have room for the pattern. 0 = an escape character with nothing to escape.
static int read_pattern(struct pattern *p, struct leat_bytes from)
{
    p->length = 0;
    for (uint32_t i = 0; i < from.len; i++) {
        uint8_t c = from.ptr[i], wild = c == '%' || c == '_';
        if (p->has_escape && c == p->escape) {
            if (++i == from.len || (from.ptr[i] != '%' && from.ptr[i] != '_' && from.ptr[i] != p->escape))
                return 0;
            c = from.ptr[i];
            wild = 0;
        }
        p->text[p->length] = c;
        p->any[p->length++] = wild;
    }
    find_shape(p);
    return 1;
}

static int row_like(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    const struct pattern *p = e->data;
    struct pattern other = *p;
    if (!p->ready) {
        struct leat_bytes from = args[1]->bytes;
        other.text = sql_arena_alloc(&ev->arena, from.len + 1u);
        other.any = sql_arena_alloc(&ev->arena, from.len + 1u);
        if (!other.text || !other.any)
            return sql_fail_memory(ev);
        if (!read_pattern(&other, from))
            return sql_fail(ev, e, "in the pattern of LIKE the escape character stands before none to escape");
        p = &other;
    }
    out->i64 = fits(p, args[0]->bytes);
    return 0;
}

static int derive_like(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : sql_derive_boolean(b, e);
}

static int read_escape(struct sql_bind *b, struct sql_expr *e, struct pattern *p)
{
    const struct leat_datum *d = sql_expr_literal(e->args[2]);
    if (!d || d->state != LEAT_VALUE || d->cell.bytes.len != 1 || d->cell.bytes.ptr[0] == '\\')
        return sql_bind_error(b, e->args[2], "ESCAPE needs a literal of one character other than a backslash");
    p->escape = d->cell.bytes.ptr[0];
    p->has_escape = 1;
    return 0;
}

static int compile_like(struct sql_bind *b, struct sql_expr *e)
{
    struct pattern *p = sql_bind_alloc(b, sizeof *p);
    const struct leat_datum *d = sql_expr_literal(e->args[1]);
    if (!p || (e->arg_count > 2 && read_escape(b, e, p)))
        return -1;
    e->data = p;
    if (!d || d->state != LEAT_VALUE)
        return 0;
    p->text = sql_bind_alloc(b, d->cell.bytes.len + 1u);
    p->any = sql_bind_alloc(b, d->cell.bytes.len + 1u);
    if (!p->text || !p->any)
        return -1;
    if (!read_pattern(p, d->cell.bytes))
        return sql_bind_error(b, e->args[1], "the escape character stands before none to escape");
    p->ready = 1;
    return 0;
}

static const struct sql_func rows[] = {
    {.name = "LIKE",
     .min_args = 2,
     .max_args = 3,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_like,
     .compile = compile_like,
     .row = row_like},
};
const struct sql_func_table sql_like_funcs = SQL_FUNC_TABLE(rows);
