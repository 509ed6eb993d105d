// SPDX-License-Identifier: Apache-2.0
// Values to binary and back, see wire.h. Times count from 2000-01-01 there; numeric is groups of four digits.
#include "wire.h"

#include <stdio.h>
#include <string.h>

#include "calendar.h"
#include "decimal.h"
#include "pq_oid.h"

// --- writing

// Room for a field of `len` bytes with its length set, to be filled; NULL = the buffer failed.
static uint8_t *field(struct buf *out, uint32_t len)
{
    uint8_t *at = buf_reserve(out, (size_t)len + 4);
    if (!at)
        return NULL;
    uint32_t wire = __builtin_bswap32(len);
    memcpy(at, &wire, 4);
    buf_commit(out, (size_t)len + 4);
    return at + 4;
}

static const char *put_64(struct buf *out, uint64_t v)
{
    uint8_t *at = field(out, 8);
    v = __builtin_bswap64(v);
    if (at)
        memcpy(at, &v, 8);
    return NULL;
}

static const char *put_32(struct buf *out, uint32_t v)
{
    uint8_t *at = field(out, 4);
    v = __builtin_bswap32(v);
    if (at)
        memcpy(at, &v, 4);
    return NULL;
}

static const char *put_bool(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint8_t *at = field(out, 1);
    if (at)
        *at = cell->i64 != 0;
    return NULL;
}

static const char *put_int2(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint8_t *at = field(out, 2);
    uint16_t v = __builtin_bswap16((uint16_t)cell->i64);
    if (at)
        memcpy(at, &v, 2);
    return NULL;
}

static const char *put_int4(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    return put_32(out, (uint32_t)cell->i64);
}

static const char *put_int8(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    return put_64(out, (uint64_t)cell->i64);
}

static const char *put_float4(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint32_t v;
    memcpy(&v, &cell->f32, 4);
    return put_32(out, v);
}

static const char *put_float8(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint64_t v;
    memcpy(&v, &cell->f64, 8);
    return put_64(out, v);
}

static const char *put_numeric(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint8_t *at = buf_reserve(out, 4 + DECIMAL_PG_MAX);
    if (!at)
        return NULL;
    uint32_t len = (uint32_t)decimal_pg_write(at + 4, cell->i128, type->scale);
    uint32_t wire = __builtin_bswap32(len);
    memcpy(at, &wire, 4);
    buf_commit(out, len + 4);
    return NULL;
}

static const char *put_bytes(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    uint8_t *at = field(out, cell->bytes.len);
    if (at && cell->bytes.len)
        memcpy(at, cell->bytes.ptr, cell->bytes.len);
    return NULL;
}

static const char *put_date(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    int64_t days = cell->i64 - CALENDAR_PG_EPOCH_DAYS;
    // the ends of the range mean infinity there
    if (days <= INT32_MIN || days >= INT32_MAX)
        return "the date is beyond PostgreSQL's range";
    return put_32(out, (uint32_t)(int32_t)days);
}

static const char *put_timestamp(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    int64_t micros;
    if (__builtin_sub_overflow(cell->i64, CALENDAR_PG_EPOCH, &micros) || micros == INT64_MIN || micros == INT64_MAX)
        return "the timestamp is beyond PostgreSQL's range";
    return put_64(out, (uint64_t)micros);
}

static const char *put_interval(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    int months = type->kind == LEAT_TYPE_INTERVAL_YM;
    if (months && (cell->i64 < INT32_MIN || cell->i64 > INT32_MAX))
        return "the interval is beyond PostgreSQL's range";
    uint8_t *at = field(out, 16);
    if (!at)
        return NULL;
    uint64_t micros = __builtin_bswap64(months ? 0 : (uint64_t)cell->i64);
    uint32_t days = 0, m = __builtin_bswap32(months ? (uint32_t)(int32_t)cell->i64 : 0);
    memcpy(at, &micros, 8);
    memcpy(at + 8, &days, 4);
    memcpy(at + 12, &m, 4);
    return NULL;
}

static const char *put_array(struct buf *out, const struct leat_type *type, const union leat_cell *cell)
{
    const struct leat_type *child = &type->children[0];
    const struct jdbc_wire *wire = jdbc_wire_of(child);
    uint32_t n = cell->list.count, nulls = 0;
    for (uint32_t i = 0; i < n; i++)
        nulls |= cell->list.items[i].state != LEAT_VALUE;
    size_t start = out->len;
    buf_u32(out, 0);
    buf_u32(out, n ? 1 : 0);
    buf_u32(out, nulls);
    buf_u32(out, wire->oid);
    if (n) {
        buf_u32(out, n);
        buf_u32(out, 1); // lower bound
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct leat_datum *d = &cell->list.items[i];
        const char *wrong = NULL;
        if (d->state == LEAT_VALUE)
            wrong = wire->put(out, child, &d->cell);
        else
            buf_u32(out, UINT32_MAX);
        if (wrong)
            return wrong;
    }
    buf_patch_u32(out, start, (uint32_t)(out->len - start - 4));
    return NULL;
}

// --- reading

static uint64_t unsigned_of(const uint8_t *ptr, uint32_t len)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < len; i++)
        v = v << 8 | ptr[i];
    return v;
}

static const char malformed[] = "malformed bytes";

static const char *get_bool(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                            union leat_cell *out)
{
    if (len != 1)
        return malformed;
    out->i64 = *ptr != 0;
    return NULL;
}

static const char *get_int(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                           union leat_cell *out)
{
    if (len != 2 && len != 4 && len != 8)
        return malformed;
    uint64_t v = unsigned_of(ptr, len);
    out->i64 = len == 2 ? (int16_t)v : len == 4 ? (int32_t)v : (int64_t)v;
    return type->kind == LEAT_TYPE_TINYINT && (out->i64 < -128 || out->i64 > 127) ? "the value does not fit TINYINT"
                                                                                  : NULL;
}

static const char *get_float4(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                              union leat_cell *out)
{
    if (len != 4)
        return malformed;
    uint32_t v = (uint32_t)unsigned_of(ptr, 4);
    memcpy(&out->f32, &v, 4);
    return NULL;
}

static const char *get_float8(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                              union leat_cell *out)
{
    if (len != 8)
        return malformed;
    uint64_t v = unsigned_of(ptr, 8);
    memcpy(&out->f64, &v, 8);
    return NULL;
}

static const char *get_numeric(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                               union leat_cell *out)
{
    switch (decimal_pg_read(ptr, len, type->precision, type->scale, &out->i128)) {
    case DECIMAL_OK:
        return NULL;
    case DECIMAL_MALFORMED:
        return malformed;
    case DECIMAL_NAN:
        return "NaN is no DECIMAL";
    case DECIMAL_INFINITY:
    case DECIMAL_NEGATIVE_INFINITY:
        return "infinity is no DECIMAL";
    default:
        return "the number has more digits than its DECIMAL";
    }
}

static const char *get_bytes(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                             union leat_cell *out)
{
    uint8_t *copy = leat_batch_alloc(b, len ? len : 1, 1);
    if (!copy)
        return "out of memory";
    memcpy(copy, ptr, len);
    out->bytes.ptr = copy;
    out->bytes.len = len;
    return NULL;
}

static const char *get_date(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                            union leat_cell *out)
{
    if (len != 4)
        return malformed;
    int32_t days = (int32_t)unsigned_of(ptr, 4);
    if (days == INT32_MIN || days == INT32_MAX)
        return "infinity is no DATE";
    out->i64 = (int64_t)days + CALENDAR_PG_EPOCH_DAYS;
    return NULL;
}

static const char *get_time(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                            union leat_cell *out)
{
    if (len != 8)
        return malformed;
    out->i64 = (int64_t)unsigned_of(ptr, 8);
    return NULL;
}

static const char *get_timestamp(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                                 union leat_cell *out)
{
    if (len != 8)
        return malformed;
    int64_t micros = (int64_t)unsigned_of(ptr, 8);
    if (micros == INT64_MIN || micros == INT64_MAX || __builtin_add_overflow(micros, CALENDAR_PG_EPOCH, &out->i64))
        return "infinity is no TIMESTAMP";
    return NULL;
}

static const struct jdbc_wire wires[] = {
    {LEAT_TYPE_BOOLEAN, OID_BOOL, 1000, "pg_catalog.bool", put_bool, get_bool},
    {LEAT_TYPE_TINYINT, OID_INT2, 1005, "pg_catalog.int2", put_int2, get_int},
    {LEAT_TYPE_SMALLINT, OID_INT2, 1005, "pg_catalog.int2", put_int2, get_int},
    {LEAT_TYPE_INT, OID_INT4, 1007, "pg_catalog.int4", put_int4, get_int},
    {LEAT_TYPE_BIGINT, OID_INT8, 1016, "pg_catalog.int8", put_int8, get_int},
    {LEAT_TYPE_FLOAT, OID_FLOAT4, 1021, "pg_catalog.float4", put_float4, get_float4},
    {LEAT_TYPE_DOUBLE, OID_FLOAT8, 1022, "pg_catalog.float8", put_float8, get_float8},
    {LEAT_TYPE_DECIMAL, OID_NUMERIC, 1231, "pg_catalog.numeric", put_numeric, get_numeric},
    {LEAT_TYPE_CHAR, OID_TEXT, 1009, "pg_catalog.text", put_bytes, get_bytes},
    {LEAT_TYPE_VARCHAR, OID_TEXT, 1009, "pg_catalog.text", put_bytes, get_bytes},
    {LEAT_TYPE_BINARY, OID_BYTEA, 1001, "pg_catalog.bytea", put_bytes, get_bytes},
    {LEAT_TYPE_VARBINARY, OID_BYTEA, 1001, "pg_catalog.bytea", put_bytes, get_bytes},
    {LEAT_TYPE_DATE, OID_DATE, 1182, "pg_catalog.date", put_date, get_date},
    {LEAT_TYPE_TIME, OID_TIME, 1183, "pg_catalog.time", put_int8, get_time},
    {LEAT_TYPE_TIMESTAMP, OID_TIMESTAMP, 1115, "pg_catalog.timestamp", put_timestamp, get_timestamp},
    {LEAT_TYPE_TIMESTAMP_LTZ, OID_TIMESTAMPTZ, 1185, "pg_catalog.timestamptz", put_timestamp, get_timestamp},
    {LEAT_TYPE_INTERVAL_YM, OID_INTERVAL, 1187, "pg_catalog.interval", put_interval, NULL},
    {LEAT_TYPE_INTERVAL_DS, OID_INTERVAL, 1187, "pg_catalog.interval", put_interval, NULL},
};

// Arrays by the type of their elements; the only thing the table above does not say.
static const struct jdbc_wire arrays[] = {
    {LEAT_TYPE_ARRAY, 1000, 0, "pg_catalog.bool[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1005, 0, "pg_catalog.int2[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1007, 0, "pg_catalog.int4[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1016, 0, "pg_catalog.int8[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1021, 0, "pg_catalog.float4[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1022, 0, "pg_catalog.float8[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1231, 0, "pg_catalog.numeric[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1009, 0, "pg_catalog.text[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1001, 0, "pg_catalog.bytea[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1182, 0, "pg_catalog.date[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1183, 0, "pg_catalog.time[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1115, 0, "pg_catalog.timestamp[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1185, 0, "pg_catalog.timestamptz[]", put_array, NULL},
    {LEAT_TYPE_ARRAY, 1187, 0, "pg_catalog.interval[]", put_array, NULL},
};

const struct jdbc_wire *jdbc_wire_of(const struct leat_type *type)
{
    if (type->kind == LEAT_TYPE_ARRAY) {
        const struct jdbc_wire *child =
            type->children[0].kind == LEAT_TYPE_ARRAY ? NULL : jdbc_wire_of(&type->children[0]);
        for (size_t i = 0; child && i < sizeof arrays / sizeof *arrays; i++)
            if (arrays[i].oid == child->array_oid)
                return &arrays[i];
        return NULL;
    }
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
        if (wires[i].kind == type->kind)
            return &wires[i];
    return NULL;
}

// --- printing

static void print_hex(struct buf *out, const uint8_t *ptr, uint32_t len)
{
    static const char digits[] = "0123456789abcdef";
    buf_str(out, "\\x");
    for (uint32_t i = 0; i < len; i++) {
        buf_u8(out, (uint8_t)digits[ptr[i] >> 4]);
        buf_u8(out, (uint8_t)digits[ptr[i] & 15]);
    }
}

static void print_i64(struct buf *out, int64_t v)
{
    uint8_t *at = buf_reserve(out, DECIMAL_TEXT_MAX);
    if (at)
        buf_commit(out, decimal_print(at, v, 0));
}

void jdbc_wire_print(const struct jdbc_wire *wire, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                     struct buf *out)
{
    union leat_cell v = {0};
    if (wire->put == put_bytes && wire->oid == OID_TEXT) {
        buf_put(out, ptr, len);
        return;
    }
    if (wire->put == put_bytes || !wire->get || wire->get(NULL, type, ptr, len, &v)) {
        print_hex(out, ptr, len);
        return;
    }
    uint8_t *at = buf_reserve(out, DECIMAL_TEXT_MAX);
    if (!at)
        return;
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        buf_str(out, v.i64 ? "true" : "false");
        break;
    case LEAT_TYPE_FLOAT:
    case LEAT_TYPE_DOUBLE:
        buf_commit(out, (size_t)snprintf((char *)at, DECIMAL_TEXT_MAX, "%.17g",
                                         type->kind == LEAT_TYPE_FLOAT ? (double)v.f32 : v.f64));
        break;
    case LEAT_TYPE_DECIMAL:
        buf_commit(out, decimal_print(at, v.i128, type->scale));
        break;
    case LEAT_TYPE_DATE:
        buf_commit(out, calendar_print_date(at, v.i64));
        break;
    case LEAT_TYPE_TIME:
        buf_commit(out, calendar_print_time(at, v.i64, type->precision, 0));
        break;
    case LEAT_TYPE_TIMESTAMP:
        buf_commit(out, calendar_print_timestamp(at, v.i64, type->precision, CALENDAR_SQL));
        break;
    case LEAT_TYPE_TIMESTAMP_LTZ:
        buf_commit(out, calendar_print_timestamp(at, v.i64, type->precision, CALENDAR_SQL | CALENDAR_ZULU));
        break;
    default:
        print_i64(out, v.i64);
    }
}
