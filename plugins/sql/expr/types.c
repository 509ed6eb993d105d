// SPDX-License-Identifier: Apache-2.0
// Names, equality and merging of types; see types.h.
#include "expr/types.h"

#include <string.h>

#include <leat/types.h>

#include "typetext.h"

char *sql_type_print(const struct leat_type *t, char *to, size_t size)
{
    typetext_print(t, to, size);
    return to;
}

char *sql_type_name(const struct leat_type *t, char *to, size_t size)
{
    struct leat_type plain = *t;
    plain.nullable = 1;
    return sql_type_print(&plain, to, size);
}

int sql_type_equal(const struct leat_type *a, const struct leat_type *b)
{
    if (a == b)
        return 1;
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale || a->length != b->length ||
        a->child_count != b->child_count)
        return 0;
    for (uint32_t i = 0; i < a->child_count; i++)
        if (a->children[i].nullable != b->children[i].nullable || !sql_type_equal(&a->children[i], &b->children[i]))
            return 0;
    return 1;
}

struct sql_digits sql_type_digits(const struct leat_type *t)
{
    switch (t->kind) {
    case LEAT_TYPE_TINYINT:
        return (struct sql_digits){3, 0};
    case LEAT_TYPE_SMALLINT:
        return (struct sql_digits){5, 0};
    case LEAT_TYPE_INT:
        return (struct sql_digits){10, 0};
    case LEAT_TYPE_BIGINT:
        return (struct sql_digits){19, 0};
    default:
        return (struct sql_digits){t->precision, t->scale};
    }
}

// --- resolving what was written ---

static int resolve_sizes(struct sql_diag *d, const struct sql_type_node *n, struct leat_type *t)
{
    switch (n->kind) {
    case LEAT_TYPE_DECIMAL:
        t->precision = 10;
        if (n->has_precision && (n->precision < 1 || n->precision > LEAT_DECIMAL_MAX))
            return sql_diag_set(d, SQL_DIAG_TYPE, n->offset, n->length, "DECIMAL has 1 to 38 digits, not %u",
                                n->precision);
        if (n->has_precision)
            t->precision = (uint8_t)n->precision;
        if (n->has_scale && n->scale > t->precision)
            return sql_diag_set(d, SQL_DIAG_TYPE, n->offset, n->length,
                                "the scale of DECIMAL lies between 0 and its precision %u, found %u", t->precision,
                                n->scale);
        t->scale = (uint8_t)n->scale;
        return 0;
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        t->length = n->has_precision ? n->precision : 1;
        return 0;
    case LEAT_TYPE_TIME:
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        t->precision = n->kind == LEAT_TYPE_TIME ? 0 : 6;
        if (n->has_precision && n->precision > LEAT_TIME_PRECISION) {
            sql_diag_set(d, SQL_DIAG_UNSUPPORTED, n->offset, n->length,
                         "times have at most 6 digits of fraction, %u were asked for", n->precision);
            sql_diag_hint(d, "Microseconds are the finest unit; declare a precision of 6 or less.");
            return -1;
        }
        if (n->has_precision)
            t->precision = (uint8_t)n->precision;
        return 0;
    default:
        return 0;
    }
}

static int resolve(struct sql_arena *a, struct sql_diag *d, const struct sql_type_node *n, uint8_t nullable,
                   struct leat_type *t, int depth)
{
    memset(t, 0, sizeof *t);
    t->kind = n->kind;
    t->nullable = n->not_null ? 0 : nullable;
    if (n->unsupported)
        return sql_diag_unsupported(d, n->offset, n->length, n->unsupported);
    if (depth > LEAT_NEST_MAX)
        return sql_diag_set(d, SQL_DIAG_TYPE, n->offset, n->length, "types are nested at most %d levels deep",
                            LEAT_NEST_MAX);
    if (resolve_sizes(d, n, t))
        return -1;
    if (!n->child_count)
        return 0;
    struct leat_type *children = sql_arena_calloc(a, n->child_count, sizeof *children);
    struct leat_bytes *names = n->names ? sql_arena_calloc(a, n->child_count, sizeof *names) : NULL;
    if (!children || (n->names && !names))
        return sql_diag_memory(d);
    for (uint32_t i = 0; i < n->child_count; i++) {
        if (resolve(a, d, n->children[i], 1, &children[i], depth + 1))
            return -1;
        if (names)
            names[i] = n->names[i].text;
    }
    t->child_count = n->child_count;
    t->children = children;
    t->names = names;
    return 0;
}

const struct leat_type *sql_type_resolve(struct sql_arena *a, struct sql_diag *d, const struct sql_type_node *n,
                                         uint8_t nullable)
{
    struct leat_type *t = sql_arena_alloc(a, sizeof *t);
    if (!t) {
        sql_diag_memory(d);
        return NULL;
    }
    return resolve(a, d, n, nullable, t, 0) ? NULL : t;
}

// --- merging ---

static uint8_t max8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static const struct leat_type *common_numeric(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                              int merge, uint8_t nullable)
{
    if (sql_type_is_approx(x->kind) && sql_type_is_approx(y->kind))
        return sql_bind_type(b, merge == SQL_MERGE_FLINK ? max8(x->kind, y->kind) : x->kind, nullable);
    if (x->kind == LEAT_TYPE_DECIMAL && sql_type_is_approx(y->kind))
        return sql_bind_type(b, LEAT_TYPE_DOUBLE, nullable);
    if (y->kind == LEAT_TYPE_DECIMAL && sql_type_is_approx(x->kind))
        return sql_bind_type(b, LEAT_TYPE_DOUBLE, nullable);
    if (sql_type_is_approx(x->kind) || sql_type_is_approx(y->kind))
        return sql_bind_type(b, sql_type_is_approx(x->kind) ? x->kind : y->kind, nullable);
    if (x->kind != LEAT_TYPE_DECIMAL && y->kind != LEAT_TYPE_DECIMAL)
        return sql_bind_type(b, max8(x->kind, y->kind), nullable);
    struct sql_digits dx = sql_type_digits(x), dy = sql_type_digits(y);
    uint8_t scale = max8(dx.scale, dy.scale);
    unsigned whole = max8((uint8_t)(dx.precision - dx.scale), (uint8_t)(dy.precision - dy.scale));
    unsigned precision = whole + scale > LEAT_DECIMAL_MAX ? LEAT_DECIMAL_MAX : whole + scale;
    return sql_bind_decimal(b, (uint8_t)precision, scale, nullable);
}

static const struct leat_type *common_bytes(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                            uint8_t nullable)
{
    uint32_t length = x->length > y->length ? x->length : y->length;
    int strings = leat_type_is_string(x->kind);
    uint8_t fixed = strings ? LEAT_TYPE_CHAR : LEAT_TYPE_BINARY;
    if (x->kind == fixed && y->kind == fixed && x->length == y->length)
        return sql_bind_sized(b, fixed, length, nullable);
    return sql_bind_sized(b, strings ? LEAT_TYPE_VARCHAR : LEAT_TYPE_VARBINARY, length, nullable);
}

static const struct leat_type *common_children(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                               int merge, uint8_t nullable)
{
    if (x->child_count != y->child_count)
        return NULL;
    struct leat_type *t = sql_bind_alloc(b, sizeof *t);
    struct leat_type *children = sql_bind_alloc(b, (x->child_count + !x->child_count) * sizeof *children);
    if (!t || !children)
        return NULL;
    for (uint32_t i = 0; i < x->child_count; i++) {
        const struct leat_type *c = sql_type_common(b, &x->children[i], &y->children[i], merge);
        if (!c)
            return NULL;
        children[i] = *c;
    }
    *t = *x;
    t->nullable = nullable;
    t->children = children;
    return t;
}

const struct leat_type *sql_type_common(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                        int merge)
{
    uint8_t nullable = x->nullable || y->nullable;
    if (x->kind == LEAT_TYPE_NULL || y->kind == LEAT_TYPE_NULL)
        return sql_bind_nullable(b, x->kind == LEAT_TYPE_NULL ? y : x, 1);
    if (sql_type_equal(x, y))
        return sql_bind_nullable(b, x, nullable);
    if (sql_type_is_numeric(x->kind) && sql_type_is_numeric(y->kind))
        return common_numeric(b, x, y, merge, nullable);
    if ((leat_type_is_string(x->kind) && leat_type_is_string(y->kind)) ||
        (sql_type_is_binary(x->kind) && sql_type_is_binary(y->kind)))
        return common_bytes(b, x, y, nullable);
    if ((sql_type_is_timestamp(x->kind) && sql_type_is_timestamp(y->kind)) ||
        (x->kind == LEAT_TYPE_TIME && y->kind == LEAT_TYPE_TIME)) {
        uint8_t precision = merge == SQL_MERGE_FLINK ? max8(x->precision, y->precision) : x->precision;
        return sql_bind_time(b, x->kind, precision, nullable);
    }
    if (x->kind == y->kind && leat_type_is_list(x->kind))
        return common_children(b, x, y, merge, nullable);
    return NULL;
}
