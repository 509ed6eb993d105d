// SPDX-License-Identifier: Apache-2.0
// Types of expressions: their names, their equality, the type that two branches share.
#ifndef SQL_TYPES_H
#define SQL_TYPES_H

#include <stddef.h>

#include "expr/expr.h"
#include "syntax/ast.h"

#define SQL_TYPE_TEXT 256 // room that holds the text of most types; longer ones are cut

// As TYPEOF prints it: "DECIMAL(10, 2) NOT NULL", "STRING", "ROW<`a` INT>". Terminated and cut at size; returns to.
char *sql_type_print(const struct leat_type *t, char *to, size_t size);
// The same without the NOT NULL of the type itself, for messages.
char *sql_type_name(const struct leat_type *t, char *to, size_t size);

// A type as written becomes a type. `nullable` is the nullability unless NOT NULL was written. NULL = fault recorded.
const struct leat_type *sql_type_resolve(struct sql_arena *a, struct sql_diag *d, const struct sql_type_node *n,
                                         uint8_t nullable);

// Equal but for the nullability of the types themselves.
int sql_type_equal(const struct leat_type *a, const struct leat_type *b);

// How two types merge. Flink has two ways, which differ for FLOAT with DOUBLE and for times of unlike precision.
#define SQL_MERGE_CALCITE 0 // CASE, IN, ARRAY[…]: the first of two equals wins
#define SQL_MERGE_FLINK   1 // COALESCE, IFNULL, GREATEST: the larger wins

// The type both fit in, nullable if one is; NULL = there is none (nothing is recorded unless memory ended).
const struct leat_type *sql_type_common(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                        int merge);

// Is the value one of this integer type?
static inline int sql_type_fits(uint8_t kind, int64_t v)
{
    return kind == LEAT_TYPE_TINYINT    ? v == (int8_t)v
           : kind == LEAT_TYPE_SMALLINT ? v == (int16_t)v
           : kind == LEAT_TYPE_INT      ? v == (int32_t)v
                                        : 1;
}

static inline int sql_type_is_exact(uint8_t kind)
{
    return leat_type_is_integer(kind) || kind == LEAT_TYPE_DECIMAL;
}

static inline int sql_type_is_approx(uint8_t kind)
{
    return kind == LEAT_TYPE_FLOAT || kind == LEAT_TYPE_DOUBLE;
}

static inline int sql_type_is_numeric(uint8_t kind)
{
    return sql_type_is_exact(kind) || sql_type_is_approx(kind);
}

static inline int sql_type_is_binary(uint8_t kind)
{
    return kind == LEAT_TYPE_BINARY || kind == LEAT_TYPE_VARBINARY;
}

static inline int sql_type_is_timestamp(uint8_t kind)
{
    return kind == LEAT_TYPE_TIMESTAMP || kind == LEAT_TYPE_TIMESTAMP_LTZ;
}

static inline int sql_type_is_datetime(uint8_t kind)
{
    return kind >= LEAT_TYPE_DATE && kind <= LEAT_TYPE_TIMESTAMP_LTZ;
}

static inline int sql_type_is_interval(uint8_t kind)
{
    return kind == LEAT_TYPE_INTERVAL_YM || kind == LEAT_TYPE_INTERVAL_DS;
}

// An exact type's digits: INT counts as DECIMAL(10, 0).
struct sql_digits {
    uint8_t precision, scale;
};
struct sql_digits sql_type_digits(const struct leat_type *t);

#endif
