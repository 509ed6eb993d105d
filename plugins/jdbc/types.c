// SPDX-License-Identifier: Apache-2.0
// Which of leat's types go into which columns, and how types are called. What would lose digits without a word is
// refused; what the server checks value by value (ranges, lengths) is left to it.
#include <stdio.h>
#include <string.h>

#include "pq_oid.h"
#include "wire.h"

#define VARHDRSZ 4

static int is_text(uint32_t oid)
{
    return oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_BPCHAR;
}

static int is_integer(uint32_t oid)
{
    return oid == OID_INT2 || oid == OID_INT4 || oid == OID_INT8;
}

static int numeric_scale(int32_t typmod)
{
    return typmod < VARHDRSZ ? LEAT_DECIMAL_MAX : (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
}

static const char another[] = "its type is another one";

static const char *string_fits(const struct jdbc_target *to, int strict, uint32_t *flags)
{
    if (to->category == 'S')
        return NULL;
    // numbers, times and booleans that come as strings are more likely a mistake than a wish; but types that leat has
    // none for come as strings
    int has_no_other = to->oid == OID_INTERVAL || to->oid == OID_TIMETZ || to->oid == OID_MONEY;
    if ((!has_no_other && strchr("NDTBA", to->category)) || to->typtype == 'c' || to->typtype == 'p')
        return another;
    if (strict)
        return "the URL says stringtype=varchar, so that strings go into text columns only";
    *flags |= JDBC_CAST;
    return NULL;
}

static const char *decimal_fits_target(const struct leat_type *type, const struct jdbc_target *to, uint32_t *flags)
{
    if (to->oid == OID_NUMERIC) {
        if (numeric_scale(to->typmod) < type->scale)
            *flags |= JDBC_ROUNDS;
        return NULL;
    }
    if (!is_integer(to->oid))
        return another;
    return type->scale ? "digits behind the point would be lost" : NULL;
}

static const char *time_fits(const struct leat_type *type, const struct jdbc_target *to, uint32_t *flags)
{
    int zone_or_not = to->oid == OID_TIMESTAMP || to->oid == OID_TIMESTAMPTZ;
    if (type->kind == LEAT_TYPE_TIME ? to->oid != OID_TIME : !zone_or_not)
        return another;
    if (to->typmod >= 0 && to->typmod < type->precision)
        *flags |= JDBC_ROUNDS;
    return NULL;
}

static const char *array_fits(const struct leat_type *type, const struct jdbc_target *to)
{
    const struct jdbc_wire *child = jdbc_wire_of(&type->children[0]);
    if (!to->element || !child)
        return another;
    return child->oid == to->element || (child->oid == OID_TEXT && is_text(to->element)) ? NULL : another;
}

const char *jdbc_wire_fits(const struct leat_type *type, const struct jdbc_target *to, int strict_strings,
                           uint32_t *flags)
{
    *flags = 0;
    if (!jdbc_wire_of(type))
        return "values of this type cannot be written";
    if (leat_type_is_string(type->kind))
        return string_fits(to, strict_strings, flags);
    if (is_text(to->oid) && type->kind <= LEAT_TYPE_TIMESTAMP_LTZ && !leat_type_is_bytes(type->kind))
        return NULL; // the server writes it out
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        return to->oid == OID_BOOL ? NULL : another;
    case LEAT_TYPE_TINYINT:
    case LEAT_TYPE_SMALLINT:
    case LEAT_TYPE_INT:
    case LEAT_TYPE_BIGINT:
        return is_integer(to->oid) || to->oid == OID_NUMERIC || to->oid == OID_FLOAT8 ? NULL : another;
    case LEAT_TYPE_FLOAT:
        return to->oid == OID_FLOAT4 || to->oid == OID_FLOAT8 ? NULL : another;
    case LEAT_TYPE_DOUBLE:
        return to->oid == OID_FLOAT8 ? NULL : another;
    case LEAT_TYPE_DECIMAL:
        return decimal_fits_target(type, to, flags);
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        return to->oid == OID_BYTEA ? NULL : another;
    case LEAT_TYPE_DATE:
        return to->oid == OID_DATE || to->oid == OID_TIMESTAMP || to->oid == OID_TIMESTAMPTZ ? NULL : another;
    case LEAT_TYPE_TIME:
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return time_fits(type, to, flags);
    case LEAT_TYPE_INTERVAL_YM:
    case LEAT_TYPE_INTERVAL_DS:
        return to->oid == OID_INTERVAL ? NULL : another;
    default:
        return array_fits(type, to);
    }
}

int jdbc_wire_same(const struct jdbc_wire *wire, const struct jdbc_target *target)
{
    return wire->oid == target->oid || (wire->oid == OID_TEXT && is_text(target->oid));
}

// --- what a lookup reads

struct mapping {
    uint32_t oid;
    uint8_t kind;
};

static const struct mapping mappings[] = {
    {OID_BOOL, LEAT_TYPE_BOOLEAN},
    {OID_BYTEA, LEAT_TYPE_VARBINARY},
    {OID_INT8, LEAT_TYPE_BIGINT},
    {OID_INT2, LEAT_TYPE_SMALLINT},
    {OID_INT4, LEAT_TYPE_INT},
    {OID_FLOAT4, LEAT_TYPE_FLOAT},
    {OID_FLOAT8, LEAT_TYPE_DOUBLE},
    {OID_NUMERIC, LEAT_TYPE_DECIMAL},
    {OID_DATE, LEAT_TYPE_DATE},
    {OID_TIME, LEAT_TYPE_TIME},
    {OID_TIMESTAMP, LEAT_TYPE_TIMESTAMP},
    {OID_TIMESTAMPTZ, LEAT_TYPE_TIMESTAMP_LTZ},
    {OID_VARCHAR, LEAT_TYPE_VARCHAR},
    {OID_BPCHAR, LEAT_TYPE_CHAR},
    {OID_TEXT, LEAT_TYPE_VARCHAR},
};

static void numeric_type(int32_t typmod, struct leat_type *type)
{
    type->precision = LEAT_DECIMAL_MAX;
    type->scale = 18; // without precision: as Flink has it
    if (typmod < VARHDRSZ)
        return;
    int precision = ((typmod - VARHDRSZ) >> 16) & 0xffff, scale = numeric_scale(typmod);
    if (scale < 0) { // numeric(3,-2) holds 12300
        precision -= scale;
        scale = 0;
    }
    precision = scale > precision ? scale : precision; // numeric(3,5) holds 0.00123
    if (precision <= LEAT_DECIMAL_MAX) {
        type->precision = (uint8_t)precision;
        type->scale = (uint8_t)scale;
    }
}

int jdbc_wire_type(const struct jdbc_target *target, struct leat_type *out)
{
    *out = (struct leat_type){.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
    if (target->oid == OID_JSON || target->oid == OID_JSONB)
        out->flags = LEAT_TYPE_IS_JSON;
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        if (mappings[i].oid != target->oid)
            continue;
        out->kind = mappings[i].kind;
        out->length = leat_type_is_bytes(out->kind) ? LEAT_LENGTH_MAX : 0;
        if (target->oid == OID_NUMERIC)
            numeric_type(target->typmod, out);
        if ((target->oid == OID_VARCHAR || target->oid == OID_BPCHAR) && target->typmod > VARHDRSZ)
            out->length = (uint32_t)(target->typmod - VARHDRSZ);
        if (target->oid == OID_BPCHAR && out->length == LEAT_LENGTH_MAX)
            out->kind = LEAT_TYPE_VARCHAR;
        if (out->kind >= LEAT_TYPE_TIME && out->kind <= LEAT_TYPE_TIMESTAMP_LTZ)
            out->precision = target->typmod >= 0 ? (uint8_t)target->typmod : LEAT_TIME_PRECISION;
        return 1;
    }
    return 0;
}

static int integer_width(uint32_t oid)
{
    return oid == OID_INT2 ? LEAT_TYPE_SMALLINT : oid == OID_INT4 ? LEAT_TYPE_INT : LEAT_TYPE_BIGINT;
}

static const char *decimal_reads(const struct leat_type *type, const struct jdbc_target *from)
{
    struct leat_type have;
    if (is_integer(from->oid))
        return NULL; // values that do not fit are refused one by one
    if (from->oid != OID_NUMERIC)
        return another;
    numeric_type(from->typmod, &have);
    return from->typmod >= VARHDRSZ && type->scale < have.scale
               ? "the declared DECIMAL has fewer digits behind the point"
               : NULL;
}

static const char *string_reads(const struct leat_type *type, const struct jdbc_target *from)
{
    if (type->length == LEAT_LENGTH_MAX)
        return NULL; // anything can be taken as its text
    if (!is_text(from->oid))
        return another;
    return from->typmod > VARHDRSZ && type->length >= (uint32_t)(from->typmod - VARHDRSZ)
               ? NULL
               : "the declared length is less than the column's";
}

const char *jdbc_wire_reads(const struct leat_type *type, const struct jdbc_target *from)
{
    uint32_t rounds = 0;
    const struct jdbc_wire *wire = jdbc_wire_of(type);
    if (!wire || !wire->get)
        return "values of this type cannot be read";
    switch (type->kind) {
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        return string_reads(type, from);
    case LEAT_TYPE_TINYINT:
    case LEAT_TYPE_SMALLINT:
    case LEAT_TYPE_INT:
    case LEAT_TYPE_BIGINT:
        if (!is_integer(from->oid))
            return another;
        return type->kind < integer_width(from->oid) ? "the declared integer is narrower than the column" : NULL;
    case LEAT_TYPE_FLOAT:
        return from->oid == OID_FLOAT4 ? NULL : another;
    case LEAT_TYPE_DOUBLE:
        return from->oid == OID_FLOAT4 || from->oid == OID_FLOAT8 ? NULL : another;
    case LEAT_TYPE_DECIMAL:
        return decimal_reads(type, from);
    case LEAT_TYPE_TIME:
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ: {
        const char *wrong = time_fits(type, from, &rounds);
        int have = from->typmod >= 0 ? from->typmod : LEAT_TIME_PRECISION;
        return wrong ? wrong : have > type->precision ? "the declared precision is less than the column's" : NULL;
    }
    default:
        return from->oid == wire->oid ? NULL : another;
    }
}

// --- names

struct names {
    const char *leat, *sql;
};

static const struct names names[] = {
    [LEAT_TYPE_BOOLEAN] = {"BOOLEAN", "boolean"},
    [LEAT_TYPE_TINYINT] = {"TINYINT", "smallint"},
    [LEAT_TYPE_SMALLINT] = {"SMALLINT", "smallint"},
    [LEAT_TYPE_INT] = {"INT", "integer"},
    [LEAT_TYPE_BIGINT] = {"BIGINT", "bigint"},
    [LEAT_TYPE_FLOAT] = {"FLOAT", "real"},
    [LEAT_TYPE_DOUBLE] = {"DOUBLE", "double precision"},
    [LEAT_TYPE_DECIMAL] = {"DECIMAL", "numeric"},
    [LEAT_TYPE_CHAR] = {"CHAR", "char"},
    [LEAT_TYPE_VARCHAR] = {"VARCHAR", "varchar"},
    [LEAT_TYPE_BINARY] = {"BINARY", "bytea"},
    [LEAT_TYPE_VARBINARY] = {"VARBINARY", "bytea"},
    [LEAT_TYPE_DATE] = {"DATE", "date"},
    [LEAT_TYPE_TIME] = {"TIME", "time"},
    [LEAT_TYPE_TIMESTAMP] = {"TIMESTAMP", "timestamp"},
    [LEAT_TYPE_TIMESTAMP_LTZ] = {"TIMESTAMP_LTZ", "timestamptz"},
    [LEAT_TYPE_INTERVAL_YM] = {"INTERVAL YEAR TO MONTH", "interval"},
    [LEAT_TYPE_INTERVAL_DS] = {"INTERVAL DAY TO SECOND", "interval"},
    [LEAT_TYPE_MAP] = {"MAP", "jsonb"},
    [LEAT_TYPE_ROW] = {"ROW", "jsonb"},
};

static void print(const struct leat_type *type, int sql, char *out, size_t size)
{
    if (type->kind == LEAT_TYPE_ARRAY) {
        char child[JDBC_TYPE_TEXT / 2] = "?";
        if (type->children[0].kind != LEAT_TYPE_ARRAY)
            print(&type->children[0], sql, child, sizeof child);
        snprintf(out, size, sql ? "%s[]" : "ARRAY<%s>", child);
        return;
    }
    const struct names *n = type->kind < sizeof names / sizeof *names ? &names[type->kind] : &names[0];
    const char *name = sql ? n->sql : n->leat;
    int unbounded = type->length == LEAT_LENGTH_MAX;
    if (!name)
        snprintf(out, size, "?");
    else if (type->kind == LEAT_TYPE_DECIMAL)
        snprintf(out, size, "%s(%u,%u)", name, type->precision, type->scale);
    else if (leat_type_is_string(type->kind) && unbounded)
        snprintf(out, size, "%s", sql ? "text" : "STRING");
    else if (leat_type_is_bytes(type->kind) && !leat_type_is_string(type->kind) && (unbounded || sql))
        snprintf(out, size, "%s", sql ? "bytea" : "BYTES");
    else if (leat_type_is_bytes(type->kind))
        snprintf(out, size, "%s(%u)", name, type->length);
    else if (type->kind >= LEAT_TYPE_TIME && type->kind <= LEAT_TYPE_TIMESTAMP_LTZ)
        snprintf(out, size, "%s(%u)", name, type->precision);
    else
        snprintf(out, size, "%s", name);
}

void jdbc_type_name(const struct leat_type *type, char out[JDBC_TYPE_TEXT])
{
    print(type, 0, out, JDBC_TYPE_TEXT);
}

void jdbc_type_sql(const struct leat_type *type, char out[JDBC_TYPE_TEXT])
{
    print(type, 1, out, JDBC_TYPE_TEXT);
}
