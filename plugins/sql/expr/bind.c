// SPDX-License-Identifier: Apache-2.0
// The binder: names to columns and functions, node by node; see bind.h.
#include "expr/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "expr/registry.h"
#include "expr/types.h"
#include "nearest.h"

struct sql_deferred {
    struct sql_deferred *next;
    void (*fn)(void *);
    void *ptr;
};

void sql_bind_init(struct sql_bind *b, struct sql_arena *arena, struct sql_diag *diag, struct sql_evaluator *fold)
{
    memset(b, 0, sizeof *b);
    b->arena = arena;
    b->diag = diag;
    b->fold = fold;
    b->zone = fold->zone;
}

void sql_bind_fini(struct sql_bind *b)
{
    for (struct sql_deferred *d = b->deferred; d; d = d->next)
        d->fn(d->ptr);
    b->deferred = NULL;
}

int sql_bind_defer(struct sql_bind *b, void (*fn)(void *), void *ptr)
{
    struct sql_deferred *d = sql_bind_alloc(b, sizeof *d);
    if (!d) {
        fn(ptr);
        return -1;
    }
    *d = (struct sql_deferred){b->deferred, fn, ptr};
    b->deferred = d;
    return 0;
}

void *sql_bind_alloc(struct sql_bind *b, size_t size)
{
    void *p = sql_arena_calloc(b->arena, 1, size);
    if (!p)
        sql_diag_memory(b->diag);
    return p;
}

int sql_bind_error(struct sql_bind *b, const struct sql_expr *at, const char *fmt, ...)
{
    char text[sizeof b->diag->message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sql_diag_set(b->diag, SQL_DIAG_TYPE, at->offset, at->length, "%s", text);
}

int sql_bind_unsupported(struct sql_bind *b, const struct sql_expr *at, const char *what)
{
    return sql_diag_unsupported(b->diag, at->offset, at->length, what);
}

int sql_bind_mismatch(struct sql_bind *b, const struct sql_expr *e)
{
    char list[384], one[SQL_TYPE_TEXT];
    size_t at = 0;
    list[0] = '\0';
    for (uint32_t i = 0; i < e->arg_count && at < sizeof list - 1; i++) {
        const struct sql_expr *a = e->args[i];
        const char *joint = !i ? "" : i + 1 == e->arg_count ? " and " : ", ";
        int n = snprintf(list + at, sizeof list - at, "%s%s", joint,
                         a->type ? sql_type_name(a->type, one, sizeof one) : sql_symbol_name(a->symbol));
        at += n < 0 ? 0 : (size_t)n;
    }
    const char *name = e->func ? e->func->name : "CAST";
    if (!e->arg_count)
        return sql_bind_error(b, e, "'%s' needs arguments", name);
    sql_bind_error(b, e, "cannot apply '%s' to %s", name, list);
    if (e->func && e->func->form)
        sql_diag_hint(b->diag, "It is %s.", e->func->form);
    return -1;
}

struct sql_expr *bind_new(struct sql_bind *b, uint8_t form, const struct sql_node *n)
{
    struct sql_expr *e = sql_bind_alloc(b, sizeof *e);
    if (!e)
        return NULL;
    e->form = form;
    e->offset = n->offset;
    e->length = n->length;
    return e;
}

// --- columns ---

static int same_but_case(struct leat_bytes a, struct leat_bytes b)
{
    return a.len == b.len && !strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len);
}

static int is_of(const struct sql_scope_column *c, const struct sql_name *table)
{
    return !table || leat_bytes_equal(c->table, table->text);
}

// One slip in three letters.
static const struct leat_bytes *nearest_column(const struct sql_scope *s, struct leat_bytes name,
                                               const struct sql_name *table)
{
    const struct leat_bytes *best = NULL;
    uint32_t nearest = (name.len + 1) / 3;
    for (uint32_t i = 0; s && i < s->count; i++) {
        const struct leat_bytes *c = &s->columns[i].name;
        if (!is_of(&s->columns[i], table))
            continue;
        uint32_t d = nearest_distance((const char *)c->ptr, c->len, (const char *)name.ptr, name.len);
        if (d <= nearest && (!best || d < nearest)) {
            nearest = d;
            best = c;
        }
    }
    return best;
}

static void unknown_column(struct sql_bind *b, const struct sql_name *n, const struct sql_name *table)
{
    const struct sql_scope *s = b->scope;
    sql_diag_set(b->diag, SQL_DIAG_NAME, n->offset, n->length, "column '%.*s' does not exist%s%.*s%s", (int)n->text.len,
                 (const char *)n->text.ptr, table ? " in '" : "", table ? (int)table->text.len : 0,
                 table ? (const char *)table->text.ptr : "", table ? "'" : "");
    for (uint32_t i = 0; s && i < s->count; i++)
        if (is_of(&s->columns[i], table) && same_but_case(s->columns[i].name, n->text)) {
            sql_diag_hint(b->diag, "Names of columns are told apart by case: there is '%.*s'.",
                          (int)s->columns[i].name.len, (const char *)s->columns[i].name.ptr);
            return;
        }
    const struct leat_bytes *near = nearest_column(s, n->text, table);
    if (near) {
        sql_diag_hint(b->diag, "Did you mean '%.*s'?", (int)near->len, (const char *)near->ptr);
        return;
    }
    char list[200];
    size_t at = 0;
    uint32_t listed = 0;
    for (uint32_t i = 0; s && i < s->count && at < sizeof list; i++)
        if (is_of(&s->columns[i], table) && listed++ < 8)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%.*s", at ? ", " : "", (int)s->columns[i].name.len,
                                   (const char *)s->columns[i].name.ptr);
    if (at)
        sql_diag_hint(b->diag, "There are %.190s%s.", list, listed > 8 ? ", …" : "");
}

static int table_known(const struct sql_scope *s, struct leat_bytes table)
{
    for (uint32_t i = 0; s && i < s->count; i++)
        if (leat_bytes_equal(s->columns[i].table, table))
            return 1;
    return 0;
}

const struct sql_scope_column *sql_scope_find(struct sql_bind *b, const struct sql_node *name, uint32_t parts)
{
    const struct sql_name *n = &name->names[parts - 1], *table = parts > 1 ? &name->names[parts - 2] : NULL;
    const struct sql_scope_column *found = NULL;
    const struct sql_scope *s = b->scope;
    if (table && !table_known(s, table->text)) {
        sql_diag_set(b->diag, SQL_DIAG_NAME, table->offset, table->length, "table '%.*s' is not in FROM",
                     (int)table->text.len, (const char *)table->text.ptr);
        return NULL;
    }
    for (uint32_t i = 0; s && i < s->count; i++) {
        const struct sql_scope_column *c = &s->columns[i];
        if (!leat_bytes_equal(c->name, n->text) || (table ? !leat_bytes_equal(c->table, table->text) : c->hidden))
            continue;
        if (found) {
            sql_diag_set(b->diag, SQL_DIAG_NAME, n->offset, n->length, "column '%.*s' is ambiguous", (int)n->text.len,
                         (const char *)n->text.ptr);
            sql_diag_hint(b->diag, "Say which table: %.*s.%.*s or %.*s.%.*s.", (int)found->table.len,
                          (const char *)found->table.ptr, (int)n->text.len, (const char *)n->text.ptr,
                          (int)c->table.len, (const char *)c->table.ptr, (int)n->text.len, (const char *)n->text.ptr);
            return NULL;
        }
        found = c;
    }
    for (uint32_t i = 0; s && i < s->count && !found; i++)
        if (!s->columns[i].name.len && (!table || leat_bytes_equal(s->columns[i].table, table->text)))
            return &s->columns[i];
    if (!found)
        unknown_column(b, n, table);
    return found;
}

// The operator of that name, or "not supported yet".
static const struct sql_func *operator_for(struct sql_bind *b, const struct sql_node *n, const char *name)
{
    const struct sql_func *f = sql_func_operator(name);
    char what[64];
    if (f)
        return f;
    snprintf(what, sizeof what, "'%s'", name);
    sql_diag_unsupported(b->diag, n->offset, n->length, what);
    return NULL;
}

// r.f of a ROW: a call of FIELD whose data is the field's index.
static struct sql_expr *bind_field(struct sql_bind *b, struct sql_expr *row, struct leat_bytes name,
                                   const struct sql_node *n)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_CALL, n);
    if (!e || !(e->func = operator_for(b, n, "FIELD")))
        return NULL;
    e->args = sql_bind_alloc(b, sizeof *e->args);
    e->data = sql_bind_alloc(b, sizeof(struct leat_bytes));
    if (!e->args || !e->data)
        return NULL;
    e->args[0] = row;
    e->arg_count = 1;
    *(struct leat_bytes *)e->data = name;
    return bind_finish_call(b, e) ? NULL : e;
}

static struct sql_expr *column_expr(struct sql_bind *b, const struct sql_node *n, const struct sql_scope_column *c)
{
    if (c->expr)
        return c->expr;
    struct sql_expr *e = bind_new(b, SQL_EXPR_COLUMN, n);
    if (!e)
        return NULL;
    e->column = c->index;
    e->type = c->type;
    return e;
}

static int is_row_column(const struct sql_scope *s, struct leat_bytes name)
{
    for (uint32_t i = 0; s && i < s->count; i++)
        if (!s->columns[i].name.len ||
            (leat_bytes_equal(s->columns[i].name, name) &&
             (s->columns[i].type->kind == LEAT_TYPE_ROW || s->columns[i].type->flags & LEAT_TYPE_IS_UNKNOWN)))
            return 1;
    return 0;
}

// a | t.a | row.field | t.row.field.field …
static struct sql_expr *bind_name(struct sql_bind *b, const struct sql_node *n)
{
    uint32_t parts = n->count > 1 && table_known(b->scope, n->names[0].text) ? 2 : 1;
    if (parts == 1 && n->count > 1 && !is_row_column(b->scope, n->names[0].text))
        parts = 2; // reports that the table is unknown
    const struct sql_scope_column *c = sql_scope_find(b, n, parts);
    struct sql_expr *e = c ? column_expr(b, n, c) : NULL;
    for (uint32_t i = parts; e && i < n->count; i++)
        e = bind_field(b, e, n->names[i].text, n);
    return e;
}

// --- calls ---

static int bind_args(struct sql_bind *b, struct sql_expr *e, struct sql_node *const *items, uint32_t count)
{
    e->args = sql_bind_alloc(b, (count ? count : 1) * sizeof *e->args);
    if (!e->args)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        e->args[i] = sql_bind_expr(b, items[i]);
        if (!e->args[i])
            return -1;
        e->arg_count = i + 1;
    }
    return 0;
}

// a AND b AND c AND … is one call: flat, so that long conditions do not nest.
static struct sql_expr *bind_chain(struct sql_bind *b, const struct sql_node *n)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_CALL, n);
    uint32_t count = 1;
    const struct sql_node *at = n;
    for (; at->kind == SQL_NODE_OPERATOR && leat_bytes_equal(at->text, n->text); at = at->items[0])
        count++;
    struct sql_node **items = sql_bind_alloc(b, count * sizeof *items);
    if (!e || !items)
        return NULL;
    uint32_t k = count;
    for (at = n; at->kind == SQL_NODE_OPERATOR && leat_bytes_equal(at->text, n->text); at = at->items[0]) {
        items[--k] = at->items[1];
        items[k - 1] = at->items[0];
    }
    e->func = sql_func_operator((const char *)n->text.ptr);
    return bind_args(b, e, items, count) || bind_finish_call(b, e) ? NULL : e;
}

static struct sql_expr *bind_operator(struct sql_bind *b, const struct sql_node *n)
{
    const char *name = (const char *)n->text.ptr; // operators are named by terminated literals of the parser
    const char *of_query = !strcmp(name, "EXISTS")      ? "EXISTS (SELECT …)"
                           : !strcmp(name, "IN QUERY")  ? "IN (SELECT …)"
                           : !strcmp(name, "ANY QUERY") ? "a comparison with ANY, SOME or ALL"
                                                        : NULL;
    if (of_query) {
        sql_diag_unsupported(b->diag, n->offset, n->length, of_query);
        return NULL;
    }
    if (!strcmp(name, "AND") || !strcmp(name, "OR"))
        return bind_chain(b, n);
    if (!strcmp(name, "NEGATE") && n->items[0]->kind == SQL_NODE_INTEGER)
        return bind_literal(b, n);
    struct sql_expr *e = bind_new(b, SQL_EXPR_CALL, n);
    if (!e || !(e->func = operator_for(b, n, name)))
        return NULL;
    return bind_args(b, e, n->items, n->count) || bind_finish_call(b, e) ? NULL : e;
}

static int bind_json(struct sql_bind *b, struct sql_expr *e, const struct sql_call *c)
{
    struct sql_json_clauses *j = sql_bind_alloc(b, sizeof *j);
    if (!j)
        return -1;
    *j = (struct sql_json_clauses){.on_empty = c->json_on_empty,
                                   .on_error = c->json_on_error,
                                   .on_null = c->json_on_null,
                                   .wrapper = c->json_wrapper,
                                   .unique_keys = c->json_unique,
                                   .empty_arg = c->json_empty_item,
                                   .error_arg = c->json_error_item};
    if (c->json_returning && !(j->returning = sql_type_resolve(b->arena, b->diag, c->json_returning, 1)))
        return -1;
    e->json = j;
    return 0;
}

// Units of time are names where they are no keywords, and mean no column in a call that is not known.
static int is_unit_name(const struct sql_node *n)
{
    static const char *const units[] = {"QUARTER", "WEEK",       "MILLISECOND", "MICROSECOND", "NANOSECOND", "DOW",
                                        "DOY",     "MILLENNIUM", "CENTURY",     "DECADE",      "EPOCH",      "DAYS",
                                        "HOURS",   "MINUTES",    "SECONDS",     "MONTHS",      "YEARS"};
    for (size_t i = 0; n->kind == SQL_NODE_NAME && n->count == 1 && i < sizeof units / sizeof *units; i++)
        if (same_but_case(n->names[0].text, (struct leat_bytes){(const uint8_t *)units[i], (uint32_t)strlen(units[i])}))
            return 1;
    return 0;
}

// The fault of a call whose arguments nobody asked for yet: theirs are told too.
static struct sql_expr *refuse_call(struct sql_bind *b, const struct sql_node *n)
{
    struct sql_expr *e = b->recover ? b->recover(b, n) : NULL;
    for (uint32_t i = 0; e && i < n->count; i++) {
        uint8_t kind = n->items[i]->kind;
        int value = kind != SQL_NODE_TABLE_ARG && kind != SQL_NODE_DESCRIPTOR && kind != SQL_NODE_NAMED_ARG;
        if (value && !is_unit_name(n->items[i]) && !sql_bind_expr(b, n->items[i]))
            return NULL;
    }
    return e;
}

static struct sql_expr *unknown_call(struct sql_bind *b, const struct sql_node *n, const char *name)
{
    sql_diag_set(b->diag, SQL_DIAG_NAME, n->offset, n->text.len, "function '%s' does not exist", name);
    const char *form = sql_func_elsewhere(n->text), *near = sql_func_nearest(n->text);
    if (form)
        sql_diag_hint(b->diag, "Flink SQL writes %s.", form);
    else if (sql_func_is_later(n->text))
        sql_diag_hint(b->diag, "Later versions of Flink have it; leat has the functions of Flink 1.18.");
    else if (near)
        sql_diag_hint(b->diag, "Did you mean %s?", near);
    else
        sql_diag_hint(b->diag, "Functions of one's own (CREATE FUNCTION in Flink SQL) are not supported yet.");
    return refuse_call(b, n);
}

static struct sql_expr *bind_call(struct sql_bind *b, const struct sql_node *n)
{
    const struct sql_func *f = sql_func_find(n->text);
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)(n->text.len > 70 ? 70 : n->text.len), (const char *)n->text.ptr);
    if (!f || (f->flags & SQL_FUNC_OPERATOR))
        return unknown_call(b, n, name);
    if (f->flags & SQL_FUNC_LATER) {
        snprintf(name, sizeof name, "%s%s", f->name, n->call && n->call->over ? " … OVER" : "");
        sql_diag_unsupported(b->diag, n->offset, n->length, name);
        return refuse_call(b, n);
    }
    struct sql_expr *e = bind_new(b, SQL_EXPR_CALL, n);
    if (!e)
        return NULL;
    e->func = f;
    if (n->call) {
        const struct sql_call *c = n->call;
        if (c->distinct || c->star || c->filter || c->over || c->nulls || c->within_count) {
            sql_bind_error(b, e, "'%s' is no aggregate function: DISTINCT, *, FILTER and OVER do not go with it",
                           f->name);
            return NULL;
        }
        if (bind_json(b, e, c))
            return NULL;
    }
    return bind_args(b, e, n->items, n->count) || bind_finish_call(b, e) ? NULL : e;
}

// CASE, ROW, ARRAY, MAP are operators over their items.
static struct sql_expr *bind_items(struct sql_bind *b, const struct sql_node *n, const char *name)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_CALL, n);
    if (!e || !(e->func = operator_for(b, n, name)))
        return NULL;
    return bind_args(b, e, n->items, n->count) || bind_finish_call(b, e) ? NULL : e;
}

static struct sql_expr *bind_cast(struct sql_bind *b, const struct sql_node *n)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_CAST, n);
    if (!e || bind_args(b, e, n->items, 1))
        return NULL;
    int try = n->flags & SQL_NODE_TRY;
    uint8_t nullable = try || e->args[0]->type->nullable || e->args[0]->type->kind == LEAT_TYPE_NULL;
    e->type = sql_type_resolve(b->arena, b->diag, n->type, 1);
    if (!e->type || !(e->type = sql_bind_nullable(b, e->type, nullable)))
        return NULL;
    e->flags = try ? SQL_EXPR_TRY : 0;
    return bind_finish_cast(b, e) ? NULL : e;
}

static struct sql_expr *bind_symbol(struct sql_bind *b, const struct sql_node *n)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_SYMBOL, n);
    if (e)
        e->symbol = n->symbol;
    return e;
}

static struct sql_expr *refuse(struct sql_bind *b, const struct sql_node *n)
{
    switch (n->kind) {
    case SQL_NODE_QUERY:
        sql_diag_unsupported(b->diag, n->offset, n->length, "a sub-query as a value");
        break;
    case SQL_NODE_STAR:
        sql_diag_set(b->diag, SQL_DIAG_SYNTAX, n->offset, n->length, "'*' stands for columns only in SELECT");
        break;
    default:
        sql_diag_set(b->diag, SQL_DIAG_SYNTAX, n->offset, n->length,
                     "this is an argument of a table function, not a value");
    }
    return NULL;
}

static struct sql_expr *dispatch(struct sql_bind *b, const struct sql_node *n)
{
    switch (n->kind) {
    case SQL_NODE_NAME:
        return bind_name(b, n);
    case SQL_NODE_OPERATOR:
        return bind_operator(b, n);
    case SQL_NODE_CALL:
        return bind_call(b, n);
    case SQL_NODE_CASE:
        return bind_items(b, n, "CASE");
    case SQL_NODE_ROW:
        return bind_items(b, n, "ROW");
    case SQL_NODE_ARRAY:
        return bind_items(b, n, "ARRAY");
    case SQL_NODE_MAP:
        return bind_items(b, n, "MAP");
    case SQL_NODE_CAST:
        return bind_cast(b, n);
    case SQL_NODE_SYMBOL:
        return bind_symbol(b, n);
    case SQL_NODE_HOLE: // told before
        return NULL;
    case SQL_NODE_FIELD: {
        struct sql_expr *of = sql_bind_expr(b, n->items[0]);
        return of ? bind_field(b, of, n->text, n) : NULL;
    }
    case SQL_NODE_QUERY:
    case SQL_NODE_STAR:
    case SQL_NODE_TABLE_ARG:
    case SQL_NODE_DESCRIPTOR:
    case SQL_NODE_NAMED_ARG:
        return refuse(b, n);
    default:
        return bind_literal(b, n);
    }
}

struct sql_expr *sql_bind_expr(struct sql_bind *b, const struct sql_node *n)
{
    if (b->depth >= SQL_BIND_DEPTH_MAX) {
        sql_diag_set(b->diag, SQL_DIAG_RESOURCE, n->offset, n->length, "nested more than %d levels deep",
                     SQL_BIND_DEPTH_MAX);
        return NULL;
    }
    b->depth++;
    struct sql_expr *e = dispatch(b, n);
    b->depth--;
    return e || !b->recover ? e : b->recover(b, n);
}

struct sql_expr *sql_bind_condition(struct sql_bind *b, const struct sql_node *n, const char *what)
{
    struct sql_expr *e = sql_bind_expr(b, n);
    if (!e)
        return NULL;
    if (e->type && e->type->kind != LEAT_TYPE_BOOLEAN && !(e->type->flags & LEAT_TYPE_IS_UNKNOWN)) {
        char type[SQL_TYPE_TEXT];
        sql_bind_error(b, e, "%s needs a BOOLEAN, found %s", what, sql_type_name(e->type, type, sizeof type));
        return NULL;
    }
    return e;
}
