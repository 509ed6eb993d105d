// SPDX-License-Identifier: Apache-2.0
// JSON_OBJECT, JSON_ARRAY, JSON_STRING: values as JSON text.
//
// As in Flink keys are sorted, decimals lose the zeros at their end, and what another JSON_OBJECT or JSON_ARRAY makes
// is put in as it is.
#include "expr/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "calendar.h"
#include "decimal.h"
#include "expr/text.h"
#include "expr/types.h"
#include "functions/json_doc.h"
#include "number.h"

// --- values ---

static void put_quoted(struct sql_text *t, const char *text, size_t len)
{
    sql_text_put(t, "\"", 1);
    sql_text_put(t, text, len);
    sql_text_put(t, "\"", 1);
}

static void put_binary(struct sql_text *t, struct leat_bytes s)
{
    sql_text_put(t, "\"", 1);
    uint8_t *p = s.len < SQL_TEXT_LONGEST ? sql_text_room(t, ((size_t)s.len + 2) / 3 * 4 + 1) : NULL;
    if (p && s.len)
        t->len += (size_t)EVP_EncodeBlock(p, s.ptr, (int)s.len);
    sql_text_put(t, "\"", 1);
}

// An instant has none, three or six digits of fraction, a wall clock as many as it needs.
static void put_time(struct sql_text *t, const struct leat_type *type, int64_t micros)
{
    char text[CALENDAR_TEXT_MAX];
    int64_t fraction = calendar_time_of(micros) % CALENDAR_SECOND;
    int instant = type->kind == LEAT_TYPE_TIMESTAMP_LTZ;
    unsigned precision = !instant ? 6 : !fraction ? 0 : fraction % 1000 ? 6 : 3;
    unsigned form = CALENDAR_ISO | (instant ? CALENDAR_ZULU : CALENDAR_TRIM);
    put_quoted(t, text, calendar_print_timestamp(text, micros, precision, form));
}

static void put_float(struct sql_text *t, double v, const char *text, size_t len)
{
    if (isfinite(v))
        sql_text_put(t, text, len);
    else
        put_quoted(t, text, len);
}

static void put_json(struct sql_text *t, const struct leat_type *type, const struct leat_datum *d);

static void put_list(struct sql_text *t, const struct leat_type *type, const struct leat_list *list)
{
    sql_text_put(t, "[", 1);
    for (uint32_t i = 0; i < list->count && !t->failed; i++) {
        if (i)
            sql_text_put(t, ",", 1);
        put_json(t, &type->children[0], &list->items[i]);
    }
    sql_text_put(t, "]", 1);
}

// A ROW by its field names, a MAP by its keys, both in the order of the names. Items lie `step` apart.
struct member {
    struct leat_bytes name;
    uint32_t item;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    uint32_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int c = len ? memcmp(x->name.ptr, y->name.ptr, len) : 0;
    return c ? c : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static void put_members(struct sql_text *t, const struct leat_type *type, const struct leat_list *list)
{
    int map = type->kind == LEAT_TYPE_MAP;
    uint32_t count = map ? list->count / 2 : list->count;
    struct member *members = sql_arena_alloc(&t->ev->arena, (count + 1) * sizeof *members);
    if (!members) {
        sql_fail_memory(t->ev);
        t->failed = 1;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i].item = map ? 2 * i + 1 : i;
        members[i].name = !map                                     ? type->names[i]
                          : list->items[2 * i].state == LEAT_VALUE ? list->items[2 * i].cell.bytes
                                                                   : (struct leat_bytes){(const uint8_t *)"null", 4};
    }
    qsort(members, count, sizeof *members, by_name);
    sql_text_put(t, "{", 1);
    for (uint32_t i = 0; i < count && !t->failed; i++) {
        if (i)
            sql_text_put(t, ",", 1);
        json_write_string(t, members[i].name);
        sql_text_put(t, ":", 1);
        put_json(t, &type->children[map ? 1 : members[i].item], &list->items[members[i].item]);
    }
    sql_text_put(t, "}", 1);
}

static void put_cell(struct sql_text *t, const struct leat_type *type, const union leat_cell *cell)
{
    char text[64];
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        sql_text_put(t, cell->i64 ? "true" : "false", cell->i64 ? 4 : 5);
        break;
    case LEAT_TYPE_FLOAT:
        put_float(t, (double)cell->f32, text, number_f32_print(text, cell->f32));
        break;
    case LEAT_TYPE_DOUBLE:
        put_float(t, cell->f64, text, number_f64_print(text, cell->f64));
        break;
    case LEAT_TYPE_DECIMAL:
        sql_text_put(t, text, decimal_print_java(text, cell->i128, type->scale));
        break;
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        json_write_string(t, cell->bytes);
        break;
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        put_binary(t, cell->bytes);
        break;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        put_time(t, type, cell->i64);
        break;
    case LEAT_TYPE_ARRAY:
        put_list(t, type, &cell->list);
        break;
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        put_members(t, type, &cell->list);
        break;
    default:
        sql_text_put(t, text, number_i64_print(text, cell->i64));
    }
}

static void put_json(struct sql_text *t, const struct leat_type *type, const struct leat_datum *d)
{
    if (d->state == LEAT_VALUE)
        put_cell(t, type, &d->cell);
    else
        sql_text_put(t, "null", 4);
}

// --- arguments ---

// Can a value of the type be written?
static int is_writable(const struct leat_type *t)
{
    if (t->kind == LEAT_TYPE_DATE || t->kind == LEAT_TYPE_TIME || sql_type_is_interval(t->kind) ||
        (t->kind == LEAT_TYPE_MAP && !leat_type_is_string(t->children[0].kind)) ||
        (t->kind == LEAT_TYPE_ROW && !t->names))
        return 0;
    for (uint32_t i = 0; i < t->child_count; i++)
        if (!is_writable(&t->children[i]))
            return 0;
    return 1;
}

static int want_writable(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    char type[SQL_TYPE_TEXT];
    if (!e->args[i]->type)
        return sql_bind_mismatch(b, e);
    if (is_writable(e->args[i]->type))
        return 0;
    sql_bind_error(b, e->args[i], "%s cannot be written as JSON", sql_type_name(e->args[i]->type, type, sizeof type));
    sql_diag_hint(b->diag, "Write CAST(value AS STRING).");
    return -1;
}

static int is_json_call(const struct sql_expr *e)
{
    return e->form == SQL_EXPR_CALL && (!strcmp(e->func->name, "JSON_OBJECT") || !strcmp(e->func->name, "JSON_ARRAY"));
}

static void put_arg(struct sql_text *t, const struct sql_expr *arg, const union leat_cell *cell)
{
    if (!cell)
        sql_text_put(t, "null", 4);
    else if (is_json_call(arg))
        sql_text_put(t, cell->bytes.ptr, cell->bytes.len);
    else
        put_cell(t, arg->type, cell);
}

static int is_absent_on_null(const struct sql_expr *e, uint8_t by_default)
{
    uint8_t on_null = e->json && e->json->on_null != SQL_JSON_UNSET ? e->json->on_null : by_default;
    return on_null == SQL_JSON_ABSENT;
}

// --- JSON_OBJECT: keys and values by turns ---

// The pairs in the order of their keys; of equal keys the last one only.
struct layout {
    uint32_t count;
    struct member *members; // item: the value's argument
};

static int row_object(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    const struct layout *l = e->data;
    int absent = is_absent_on_null(e, SQL_JSON_NULL), some = 0;
    struct sql_text t;
    sql_text_init(&t, ev);
    sql_text_put(&t, "{", 1);
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t arg = l->members[i].item;
        if (!args[arg] && absent)
            continue;
        if (some++)
            sql_text_put(&t, ",", 1);
        json_write_string(&t, l->members[i].name);
        sql_text_put(&t, ":", 1);
        put_arg(&t, e->args[arg], args[arg]);
        if (sql_text_limit(ev, e, t.len))
            return -1;
    }
    sql_text_put(&t, "}", 1);
    return sql_text_done(&t, &out->bytes);
}

static int add_member(struct sql_bind *b, struct sql_expr *e, struct layout *l, uint32_t i)
{
    const struct leat_datum *key = sql_expr_literal(e->args[i]);
    if (!key || key->state != LEAT_VALUE || !leat_type_is_string(e->args[i]->type->kind))
        return sql_bind_error(b, e->args[i], "a key of JSON_OBJECT is a string literal");
    struct member m = {key->cell.bytes, i + 1};
    for (uint32_t k = 0; k < l->count; k++)
        if (by_name(&l->members[k], &m) == 0) {
            l->members[k] = m;
            return 0;
        }
    l->members[l->count++] = m;
    return 0;
}

static int derive_object(struct sql_bind *b, struct sql_expr *e)
{
    struct layout *l = sql_bind_alloc(b, sizeof *l);
    if (!l || !(l->members = sql_bind_alloc(b, (e->arg_count / 2 + 1) * sizeof *l->members)))
        return -1;
    if (e->arg_count % 2)
        return sql_bind_mismatch(b, e);
    for (uint32_t i = 0; i < e->arg_count; i += 2)
        if (add_member(b, e, l, i) || want_writable(b, e, i + 1))
            return -1;
    qsort(l->members, l->count, sizeof *l->members, by_name);
    e->data = l;
    e->type = sql_bind_string(b, 0);
    return e->type ? 0 : -1;
}

// --- JSON_ARRAY, JSON_STRING ---

static int row_array(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    int absent = is_absent_on_null(e, SQL_JSON_ABSENT), some = 0;
    struct sql_text t;
    sql_text_init(&t, ev);
    sql_text_put(&t, "[", 1);
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!args[i] && absent)
            continue;
        if (some++)
            sql_text_put(&t, ",", 1);
        put_arg(&t, e->args[i], args[i]);
        if (sql_text_limit(ev, e, t.len))
            return -1;
    }
    sql_text_put(&t, "]", 1);
    return sql_text_done(&t, &out->bytes);
}

static int derive_array(struct sql_bind *b, struct sql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (want_writable(b, e, i))
            return -1;
    e->type = sql_bind_string(b, 0);
    return e->type ? 0 : -1;
}

static int row_string(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct sql_text t;
    sql_text_init(&t, ev);
    put_arg(&t, e->args[0], args[0]);
    return sql_text_done(&t, &out->bytes);
}

static int derive_string(struct sql_bind *b, struct sql_expr *e)
{
    return want_writable(b, e, 0) ? -1 : sql_derive_string(b, e);
}

// VARIES: objects and arrays are not folded, so that one inside another is known for what it is.
static const struct sql_func rows[] = {
    {.name = "JSON_OBJECT",
     .max_args = 255,
     .flags = SQL_FUNC_NULLS | SQL_FUNC_UNTYPED | SQL_FUNC_VARIES,
     .derive = derive_object,
     .row = row_object,
     .form = "JSON_OBJECT(<key> VALUE <value>, … [NULL | ABSENT ON NULL])"},
    {.name = "JSON_ARRAY",
     .max_args = 255,
     .flags = SQL_FUNC_NULLS | SQL_FUNC_UNTYPED | SQL_FUNC_VARIES,
     .derive = derive_array,
     .row = row_array,
     .form = "JSON_ARRAY(<value>, … [NULL | ABSENT ON NULL])"},
    {.name = "JSON_STRING",
     .min_args = 1,
     .max_args = 1,
     .derive = derive_string,
     .row = row_string,
     .form = "JSON_STRING(<value>)"},
};
const struct sql_func_table sql_json_make_funcs = SQL_FUNC_TABLE(rows);
