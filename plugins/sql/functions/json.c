// SPDX-License-Identifier: Apache-2.0
// JSON_VALUE, JSON_QUERY, JSON_EXISTS, IS JSON.
//
// As in Flink a path is strict unless it says lax: what it does not find is an error, under lax it is empty. RETURNING
// converts nothing. Unlike Flink a text with something behind its value ('1 2') is no JSON.
#include "expr/expr.h"

#include <string.h>

#include "expr/text.h"
#include "expr/types.h"
#include "functions/json_doc.h"
#include "functions/json_path.h"
#include "number.h"

struct json_call {
    struct json_path path;
    uint8_t ready; // a literal, parsed while binding
    uint8_t bad;
};

// What a look-up comes to.
#define FOUND   0
#define EMPTY   1
#define ERROR   2
#define FAILURE (-1) // out of memory

static const struct sql_json_clauses no_clauses = {.empty_arg = UINT32_MAX, .error_arg = UINT32_MAX};

static const struct sql_json_clauses *clauses_of(const struct sql_expr *e)
{
    return e->json ? e->json : &no_clauses;
}

static int look(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                struct json_node **node, int *lax)
{
    const struct json_call *c = e->data;
    struct json_path other;
    const struct json_path *p = &c->path;
    int failed, bad = c->bad;
    if (!c->ready) {
        bad = json_path_parse(&other, args[1]->bytes) != JSON_PATH_OK;
        p = &other;
    }
    *lax = !bad && p->lax;
    if (bad)
        return ERROR;
    struct json_node *root = json_parse(ev, args[0]->bytes, &failed);
    *node = root ? json_path_find(ev, p, root, &failed) : NULL;
    if (failed)
        return FAILURE;
    if (!*node)
        return *lax ? EMPTY : ERROR;
    return (*node)->kind == JSON_NULL ? EMPTY : FOUND;
}

// Trees are dropped as soon as the row is done, where results lie elsewhere.
struct mark {
    char *at, *end;
};

static struct mark remember(const struct sql_evaluator *ev)
{
    return (struct mark){ev->arena.at, ev->arena.end};
}

static void release(struct sql_evaluator *ev, struct mark m)
{
    if (ev->target && ev->arena.end == m.end)
        ev->arena.at = m.at;
}

static int derive_input(struct sql_bind *b, struct sql_expr *e)
{
    struct json_call *c = sql_bind_alloc(b, sizeof *c);
    if (!c || sql_want_strings(b, e, 0, 2))
        return -1;
    const struct leat_datum *path = sql_expr_literal(e->args[1]);
    e->data = c;
    if (!path || path->state != LEAT_VALUE)
        return 0;
    int st = json_path_parse(&c->path, path->cell.bytes);
    if (st == JSON_PATH_UNSUPPORTED)
        return sql_bind_unsupported(b, e->args[1], "a JSON path with filters, slices, lists of names or functions");
    c->ready = 1;
    c->bad = st == JSON_PATH_WRONG;
    return 0;
}

// What JSON_VALUE and JSON_QUERY do each in their own way.
struct reader {
    int (*takes)(const struct sql_expr *e, const struct json_node *n);
    int (*put)(struct sql_evaluator *ev, const struct sql_expr *e, const struct json_node *n, union leat_cell *out);
    // nothing that it takes: EMPTY or ERROR
    int (*otherwise)(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args, int st,
                     union leat_cell *out, uint8_t *state);
};

static int read_row(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state, const struct reader *reader)
{
    struct mark m = remember(ev);
    struct json_node *n;
    int lax, st;
    *state = LEAT_NULL;
    if (!args[0] || !args[1])
        return 0;
    st = look(ev, e, args, &n, &lax);
    if (st == FAILURE)
        return -1;
    if (st == FOUND && !reader->takes(e, n))
        st = lax ? EMPTY : ERROR;
    if (st == FOUND) {
        *state = LEAT_VALUE;
        st = reader->put(ev, e, n, out);
        release(ev, m);
        return st;
    }
    release(ev, m);
    return reader->otherwise(ev, e, args, st, out, state);
}

// --- JSON_VALUE ---

static int default_value(const union leat_cell *const *args, uint32_t arg, union leat_cell *out, uint8_t *state)
{
    *state = arg != UINT32_MAX && args[arg] ? LEAT_VALUE : LEAT_NULL;
    if (*state == LEAT_VALUE)
        *out = *args[arg];
    return 0;
}

static int wrong_kind(struct sql_evaluator *ev, const struct sql_expr *e)
{
    char type[SQL_TYPE_TEXT];
    return sql_fail(ev, e, "the value found by JSON_VALUE is no %s", sql_type_name(e->type, type, sizeof type));
}

static int put_value(struct sql_evaluator *ev, const struct sql_expr *e, const struct json_node *n,
                     union leat_cell *out)
{
    struct sql_text t;
    int64_t v;
    switch (e->type->kind) {
    case LEAT_TYPE_BOOLEAN:
        out->i64 = n->kind == JSON_TRUE;
        return n->kind == JSON_TRUE || n->kind == JSON_FALSE ? 0 : wrong_kind(ev, e);
    case LEAT_TYPE_INT:
        if (n->kind != JSON_INTEGER || number_i64_parse(n->text.ptr, n->text.len, &v) != NUMBER_OK || v != (int32_t)v)
            return wrong_kind(ev, e);
        out->i64 = v;
        return 0;
    case LEAT_TYPE_DOUBLE:
        out->f64 = n->number;
        return n->kind == JSON_FLOAT ? 0 : wrong_kind(ev, e);
    default:
        sql_text_init(&t, ev);
        json_put_scalar(&t, n);
        return sql_text_done(&t, &out->bytes);
    }
}

static int takes_scalar(const struct sql_expr *e, const struct json_node *n)
{
    (void)e;
    return json_is_scalar(n);
}

static int no_value(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args, int st,
                    union leat_cell *out, uint8_t *state)
{
    const struct sql_json_clauses *j = clauses_of(e);
    uint8_t what = st == EMPTY ? j->on_empty : j->on_error;
    if (what == SQL_JSON_ERROR)
        return sql_fail(ev, e, st == EMPTY ? "JSON_VALUE found nothing" : "JSON_VALUE could not find a scalar value");
    return what == SQL_JSON_DEFAULT ? default_value(args, st == EMPTY ? j->empty_arg : j->error_arg, out, state) : 0;
}

static int row_value(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    static const struct reader reader = {takes_scalar, put_value, no_value};
    return read_row(ev, e, args, out, state, &reader);
}

static int derive_value(struct sql_bind *b, struct sql_expr *e)
{
    const struct sql_json_clauses *j = clauses_of(e);
    const struct leat_type *t = j->returning;
    if (derive_input(b, e))
        return -1;
    if (t && !(t->kind == LEAT_TYPE_VARCHAR && t->length == LEAT_LENGTH_MAX) && t->kind != LEAT_TYPE_BOOLEAN &&
        t->kind != LEAT_TYPE_INT && t->kind != LEAT_TYPE_DOUBLE)
        return sql_bind_error(b, e, "JSON_VALUE returns STRING, BOOLEAN, INTEGER or DOUBLE");
    e->type = t ? sql_bind_nullable(b, t, 1) : sql_bind_string(b, 1);
    if (!e->type)
        return -1;
    for (uint32_t i = 2; i < e->arg_count; i++)
        if (!e->args[i]->type || sql_bind_cast(b, &e->args[i], e->type))
            return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    return 0;
}

// --- JSON_QUERY ---

static int wraps(const struct sql_expr *e, const struct json_node *n)
{
    uint8_t wrapper = clauses_of(e)->wrapper;
    return wrapper == SQL_JSON_WRAP || (wrapper == SQL_JSON_CONDITIONAL && n->kind != JSON_ARRAY);
}

static int takes_query(const struct sql_expr *e, const struct json_node *n)
{
    return wraps(e, n) || !json_is_scalar(n);
}

static int put_query(struct sql_evaluator *ev, const struct sql_expr *e, const struct json_node *n,
                     union leat_cell *out)
{
    struct sql_text t;
    int wrap = wraps(e, n);
    sql_text_init(&t, ev);
    if (wrap)
        sql_text_put(&t, "[", 1);
    json_write(&t, n);
    if (wrap)
        sql_text_put(&t, "]", 1);
    return sql_text_done(&t, &out->bytes);
}

static int no_query(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args, int st,
                    union leat_cell *out, uint8_t *state)
{
    const struct sql_json_clauses *j = clauses_of(e);
    uint8_t what = st == EMPTY ? j->on_empty : j->on_error;
    (void)args;
    if (what == SQL_JSON_ERROR)
        return sql_fail(ev, e, st == EMPTY ? "JSON_QUERY found nothing" : "JSON_QUERY could not find a value");
    if (what == SQL_JSON_EMPTY_ARRAY || what == SQL_JSON_EMPTY_OBJECT) {
        *state = LEAT_VALUE;
        return sql_bytes_copy(ev, what == SQL_JSON_EMPTY_ARRAY ? "[]" : "{}", 2, out);
    }
    return 0;
}

static int row_query(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    static const struct reader reader = {takes_query, put_query, no_query};
    return read_row(ev, e, args, out, state, &reader);
}

static int derive_query(struct sql_bind *b, struct sql_expr *e)
{
    if (clauses_of(e)->returning)
        return sql_bind_unsupported(b, e, "RETURNING in JSON_QUERY");
    return derive_input(b, e) ? -1 : sql_derive_string_null(b, e);
}

// --- JSON_EXISTS ---

static int row_exists(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    const struct sql_json_clauses *j = clauses_of(e);
    struct mark m = remember(ev);
    struct json_node *n;
    int lax, st = look(ev, e, args, &n, &lax);
    if (st == FAILURE)
        return -1;
    release(ev, m);
    out->i64 = st == FOUND;
    if (st != ERROR)
        return 0;
    if (j->on_error == SQL_JSON_ERROR)
        return sql_fail(ev, e, "JSON_EXISTS could not follow the path");
    if (j->on_error == SQL_JSON_UNKNOWN)
        *state = LEAT_NULL;
    out->i64 = j->on_error == SQL_JSON_TRUE;
    return 0;
}

static int derive_exists(struct sql_bind *b, struct sql_expr *e)
{
    if (derive_input(b, e))
        return -1;
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, 1);
    return e->type ? 0 : -1;
}

// --- IS JSON [VALUE | OBJECT | ARRAY | SCALAR]: FALSE for NULL ---

static int row_is_json(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    char what = e->func->name[sizeof "IS JSON"]; // V, O, A, S
    struct mark m = remember(ev);
    int failed;
    out->i64 = 0;
    if (!args[0])
        return 0;
    const struct json_node *n = json_parse(ev, args[0]->bytes, &failed);
    if (failed)
        return -1;
    if (n)
        out->i64 = what == 'V' || (what == 'O' && n->kind == JSON_OBJECT) || (what == 'A' && n->kind == JSON_ARRAY) ||
                   (what == 'S' && json_is_scalar(n));
    release(ev, m);
    return 0;
}

static int derive_is_json(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_string(b, e, 0))
        return -1;
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, 0);
    return e->type ? 0 : -1;
}

#define IS_JSON(what)                                                                                                  \
    {                                                                                                                  \
        .name = "IS JSON " what, .min_args = 1, .max_args = 1, .flags = SQL_FUNC_OPERATOR | SQL_FUNC_NULLS,            \
        .derive = derive_is_json, .row = row_is_json                                                                   \
    }

static const struct sql_func rows[] = {
    {.name = "JSON_VALUE",
     .min_args = 2,
     .max_args = 4,
     .flags = SQL_FUNC_NULLS | SQL_FUNC_UNTYPED,
     .derive = derive_value,
     .row = row_value,
     .form = "JSON_VALUE(<string>, <path> [RETURNING <type>] [<what> ON EMPTY] [<what> ON ERROR])"},
    {.name = "JSON_QUERY",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_NULLS,
     .derive = derive_query,
     .row = row_query,
     .form = "JSON_QUERY(<string>, <path> [WITH WRAPPER] [<what> ON EMPTY] [<what> ON ERROR])"},
    {.name = "JSON_EXISTS",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_exists,
     .row = row_exists,
     .form = "JSON_EXISTS(<string>, <path> [<what> ON ERROR])"},
    IS_JSON("VALUE"),
    IS_JSON("OBJECT"),
    IS_JSON("ARRAY"),
    IS_JSON("SCALAR"),
};
const struct sql_func_table sql_json_funcs = SQL_FUNC_TABLE(rows);
