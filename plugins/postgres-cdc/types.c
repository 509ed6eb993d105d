// SPDX-License-Identifier: Apache-2.0
// Catalogue types to leat's types. What Flink's connector maps is mapped as Flink does; every other scalar is read as
// PostgreSQL's own text; arrays and composites are refused by name.
#include "types.h"

#include <stdio.h>
#include <string.h>

#include "pq_oid.h"
#include "types_parse.h"

#define VARHDRSZ 4 // PostgreSQL adds it to the length in a typmod

struct mapping {
    uint32_t oid;
    uint8_t kind;
    types_parse_fn parse;
};

static const struct mapping mappings[] = {
    {OID_BOOL, LEAT_TYPE_BOOLEAN, types_parse_bool},
    {OID_BYTEA, LEAT_TYPE_VARBINARY, types_parse_bytea},
    {OID_INT8, LEAT_TYPE_BIGINT, types_parse_int},
    {OID_INT2, LEAT_TYPE_SMALLINT, types_parse_int},
    {OID_INT4, LEAT_TYPE_INT, types_parse_int},
    {OID_OID, LEAT_TYPE_BIGINT, types_parse_int},
    {OID_FLOAT4, LEAT_TYPE_FLOAT, types_parse_float},
    {OID_FLOAT8, LEAT_TYPE_DOUBLE, types_parse_double},
    {OID_BPCHAR, LEAT_TYPE_CHAR, types_parse_text},
    {OID_VARCHAR, LEAT_TYPE_VARCHAR, types_parse_text},
    {OID_DATE, LEAT_TYPE_DATE, types_parse_date},
    {OID_TIME, LEAT_TYPE_TIME, types_parse_time},
    {OID_TIMESTAMP, LEAT_TYPE_TIMESTAMP, types_parse_timestamp},
    {OID_TIMESTAMPTZ, LEAT_TYPE_TIMESTAMP_LTZ, types_parse_timestamptz},
    {OID_NUMERIC, LEAT_TYPE_DECIMAL, types_parse_numeric},
};

// 11 bits, signed since PostgreSQL 15
static int numeric_scale(int32_t typmod)
{
    return (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
}

static const char *numeric_type(int32_t typmod, struct leat_type *type)
{
    if (typmod < VARHDRSZ) { // without precision: as Flink has it
        type->precision = LEAT_DECIMAL_MAX;
        type->scale = 18;
        return NULL;
    }
    int precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
    int scale = numeric_scale(typmod);
    if (scale < 0) { // numeric(3,-2) holds 12300
        precision -= scale;
        scale = 0;
    }
    if (scale > precision) // numeric(3,5) holds 0.00123
        precision = scale;
    if (precision > LEAT_DECIMAL_MAX)
        return "numeric with more than 38 digits is not supported; declare the column as STRING";
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    return NULL;
}

static const char *details(const struct types_catalog *from, struct leat_type *type)
{
    int32_t typmod = from->typmod;
    switch (from->oid) {
    case OID_NUMERIC:
        return numeric_type(typmod, type);
    case OID_BPCHAR:
    case OID_VARCHAR:
        type->length = typmod > VARHDRSZ ? (uint32_t)(typmod - VARHDRSZ) : LEAT_LENGTH_MAX;
        if (type->length == LEAT_LENGTH_MAX)
            type->kind = LEAT_TYPE_VARCHAR; // bpchar without a length
        return NULL;
    case OID_BYTEA:
        type->length = LEAT_LENGTH_MAX;
        return NULL;
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        type->precision = typmod >= 0 ? (uint8_t)typmod : LEAT_TIME_PRECISION;
        return NULL;
    default:
        return NULL;
    }
}

static void as_string(struct types_column *out)
{
    out->type.kind = LEAT_TYPE_VARCHAR;
    out->type.length = LEAT_LENGTH_MAX;
    out->type.precision = out->type.scale = 0;
    out->parse = types_parse_text;
}

const char *types_map(const struct types_catalog *from, struct types_column *out)
{
    *out = (struct types_column){.type = {.nullable = !from->not_null}, .check_utf8 = from->check_utf8};
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        if (mappings[i].oid == from->oid) {
            out->type.kind = mappings[i].kind;
            out->parse = mappings[i].parse;
            return details(from, &out->type);
        }
    }
    if (from->category == 'A')
        return "arrays are not supported yet";
    if (from->typtype == 'c')
        return "composite types are not supported yet";
    if (from->typtype == 'p')
        return "pseudo-types cannot be read";
    as_string(out);
    if (from->oid == OID_JSON || from->oid == OID_JSONB)
        out->type.flags = LEAT_TYPE_IS_JSON;
    return NULL;
}

static int integer_width(uint8_t kind)
{
    return kind - LEAT_TYPE_TINYINT;
}

static const char *declare_number(struct types_column *column, const struct leat_type *want)
{
    struct leat_type *have = &column->type;
    if (leat_type_is_integer(have->kind) && leat_type_is_integer(want->kind)) {
        if (integer_width(want->kind) < integer_width(have->kind))
            return "the declared integer is narrower than the column";
        have->kind = want->kind;
        return NULL;
    }
    if (have->kind != LEAT_TYPE_DECIMAL && have->kind == want->kind)
        return NULL;
    if (have->kind == LEAT_TYPE_FLOAT && want->kind == LEAT_TYPE_DOUBLE) {
        have->kind = LEAT_TYPE_DOUBLE;
        column->parse = types_parse_double;
        return NULL;
    }
    if (have->kind != LEAT_TYPE_DECIMAL || want->kind != LEAT_TYPE_DECIMAL)
        return "the declared type is another one";
    // numeric without precision is whatever the user says it is; values that do not fit are errors of class data
    int unbounded = have->precision == LEAT_DECIMAL_MAX && have->scale == 18;
    if (!unbounded && (want->scale < have->scale || want->precision - want->scale < have->precision - have->scale))
        return "the declared DECIMAL cannot hold every value of the column";
    have->precision = want->precision;
    have->scale = want->scale;
    return NULL;
}

static const char *declare_text(struct types_column *column, const struct leat_type *want)
{
    struct leat_type *have = &column->type;
    if (want->length < have->length)
        return "the declared length is less than the column's";
    have->kind = want->kind;
    have->length = want->length;
    return NULL;
}

static const char *declare_time(struct types_column *column, const struct leat_type *want)
{
    if (column->type.kind != want->kind)
        return "the declared type is another one";
    if (want->precision < column->type.precision)
        return "the declared precision is less than the column's, digits would be lost";
    column->type.precision = want->precision;
    return NULL;
}

static const char *declare_kind(struct types_column *column, const struct leat_type *want)
{
    uint8_t have = column->type.kind;
    if (want->kind == LEAT_TYPE_VARCHAR && want->length == LEAT_LENGTH_MAX) {
        uint32_t flags = column->type.flags;
        as_string(column); // any type can be taken as its text
        column->type.flags = flags | want->flags;
        return NULL;
    }
    if (leat_type_is_string(have) && leat_type_is_string(want->kind))
        return want->kind == LEAT_TYPE_CHAR && have != LEAT_TYPE_CHAR ? "the declared type is another one"
                                                                      : declare_text(column, want);
    if (have == LEAT_TYPE_VARBINARY)
        return want->kind == have ? declare_text(column, want) : "the declared type is another one";
    if (have >= LEAT_TYPE_TINYINT && have <= LEAT_TYPE_DECIMAL)
        return declare_number(column, want);
    if (have == LEAT_TYPE_TIME || have == LEAT_TYPE_TIMESTAMP || have == LEAT_TYPE_TIMESTAMP_LTZ)
        return declare_time(column, want);
    return have == want->kind ? NULL : "the declared type is another one";
}

const char *types_declare(struct types_column *column, const struct leat_type *declared)
{
    if (column->type.nullable && !declared->nullable)
        return "it is declared NOT NULL, but the column may be null";
    const char *wrong = declare_kind(column, declared);
    if (!wrong)
        column->type.nullable = declared->nullable;
    return wrong;
}

int types_typmod_narrowed(uint32_t oid, int32_t then, int32_t now)
{
    if (then == now || then < 0)
        return 0; // without bounds every value fits
    if (oid == OID_NUMERIC) {
        struct leat_type a = {0}, b = {0};
        if (now < 0 || numeric_type(then, &a) || numeric_type(now, &b))
            return 1;
        return b.scale > a.scale || b.precision - b.scale > a.precision - a.scale;
    }
    return now < 0 || now > then; // lengths and precisions
}

int types_typmod_rewrites(uint32_t oid, int32_t then, int32_t now)
{
    if (then == now || (now < 0 && oid != OID_BPCHAR))
        return 0;
    switch (oid) {
    case OID_NUMERIC: // fewer digits before the point are refused where they do not suffice
        return then < VARHDRSZ || numeric_scale(now) < numeric_scale(then);
    case OID_TIME:
    case OID_TIMETZ:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return now < (then < 0 ? LEAT_TIME_PRECISION : then);
    case OID_VARCHAR:
    case OID_VARBIT:
        return then < 0 || now < then;
    default: // char is padded; of other types nothing is known
        return 1;
    }
}

void types_name(const struct leat_type *type, char *out, size_t size)
{
    static const char *const names[] = {
        [LEAT_TYPE_BOOLEAN] = "BOOLEAN",
        [LEAT_TYPE_TINYINT] = "TINYINT",
        [LEAT_TYPE_SMALLINT] = "SMALLINT",
        [LEAT_TYPE_INT] = "INT",
        [LEAT_TYPE_BIGINT] = "BIGINT",
        [LEAT_TYPE_FLOAT] = "FLOAT",
        [LEAT_TYPE_DOUBLE] = "DOUBLE",
        [LEAT_TYPE_DECIMAL] = "DECIMAL",
        [LEAT_TYPE_CHAR] = "CHAR",
        [LEAT_TYPE_VARCHAR] = "VARCHAR",
        [LEAT_TYPE_BINARY] = "BINARY",
        [LEAT_TYPE_VARBINARY] = "VARBINARY",
        [LEAT_TYPE_DATE] = "DATE",
        [LEAT_TYPE_TIME] = "TIME",
        [LEAT_TYPE_TIMESTAMP] = "TIMESTAMP",
        [LEAT_TYPE_ARRAY] = "ARRAY",
        [LEAT_TYPE_MAP] = "MAP",
        [LEAT_TYPE_ROW] = "ROW",
        [LEAT_TYPE_TIMESTAMP_LTZ] = "TIMESTAMP_LTZ",
    };
    const char *name = type->kind < sizeof names / sizeof *names && names[type->kind] ? names[type->kind] : "?";
    if (type->kind == LEAT_TYPE_DECIMAL)
        snprintf(out, size, "DECIMAL(%u,%u)", type->precision, type->scale);
    else if (leat_type_is_bytes(type->kind) && type->length == LEAT_LENGTH_MAX)
        snprintf(out, size, "%s", leat_type_is_string(type->kind) ? "STRING" : "BYTES");
    else if (leat_type_is_bytes(type->kind))
        snprintf(out, size, "%s(%u)", name, type->length);
    else if (type->kind >= LEAT_TYPE_TIME && type->kind <= LEAT_TYPE_TIMESTAMP_LTZ)
        snprintf(out, size, "%s(%u)", name, type->precision);
    else
        snprintf(out, size, "%s", name);
}
