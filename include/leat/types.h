// SPDX-License-Identifier: Apache-2.0
// The data model: types, datum states, row kinds, and the cell that holds one value.
//
// leat's types are Flink SQL's. A type is a small tree of `struct leat_type`; scalars have no children. A value is a
// 16-byte `union leat_cell` plus one byte of state (value, NULL, absent, unchanged). The same cell is used in batches,
// in keyed state and in literals, so code that moves values never needs to know their type.
//
// Physical form of each type (what the cell's member means):
//
//   BOOLEAN                          i64   0 or 1
//   TINYINT SMALLINT INT BIGINT      i64   sign-extended
//   FLOAT                            f32
//   DOUBLE                           f64
//   DECIMAL(p,s), p <= 38            i128  unscaled value: 12.34 as DECIMAL(4,2) is 1234
//   CHAR(n) VARCHAR(n) STRING        bytes UTF-8, checked where it entered; no terminator
//   BINARY(n) VARBINARY(n) BYTES     bytes
//   DATE                             i64   days since 1970-01-01 (proleptic Gregorian)
//   TIME(p)                          i64   microseconds since midnight
//   TIMESTAMP(p)                     i64   microseconds since 1970-01-01 00:00:00 of the wall clock, no zone
//   TIMESTAMP_LTZ(p)                 i64   microseconds since 1970-01-01 00:00:00 UTC
//   INTERVAL YEAR TO MONTH           i64   months
//   INTERVAL DAY TO SECOND           i64   microseconds
//   ARRAY MAP ROW                    list  elements in the arena; a MAP is key, value, key, value …; a ROW its fields
//
// Times have at most 6 digits of fraction (p <= 6); 7 to 9 are refused by name.
// This header is self-contained and part of the frozen ABI: members are only ever added at the end, numbers never
// change.
#ifndef LEAT_TYPES_H
#define LEAT_TYPES_H

#include <stdint.h>

__extension__ typedef __int128 leat_i128;
__extension__ typedef unsigned __int128 leat_u128;

// Microseconds since 1970-01-01 00:00:00 UTC.
typedef int64_t leat_usec;

// Unknown time, where a leat_usec may be unknown.
#define LEAT_TIME_NONE INT64_MIN

// A borrowed byte string; not terminated. ptr == NULL means "no bytes at all" (a Kafka null), not "empty".
struct leat_bytes {
    const uint8_t *ptr;
    uint32_t len;
};

// The same bytes? No bytes at all count as empty.
static inline int leat_bytes_equal(struct leat_bytes a, struct leat_bytes b)
{
    return a.len == b.len && (a.len == 0 || __builtin_memcmp(a.ptr, b.ptr, a.len) == 0);
}

// As the arguments of "%.*s": leat_log(ctx, …, "column \"%.*s\"", LEAT_PRINT(column->name)).
#define LEAT_PRINT(bytes) (int)(bytes).len, (const char *)(bytes).ptr

// A terminated string as bytes; borrowed. NULL gives no bytes at all.
static inline struct leat_bytes leat_text(const char *text)
{
    struct leat_bytes bytes = {(const uint8_t *)text, text ? (uint32_t)__builtin_strlen(text) : 0};
    return bytes;
}

// Kinds of types. Stored as uint8_t.
#define LEAT_TYPE_BOOLEAN       1
#define LEAT_TYPE_TINYINT       2
#define LEAT_TYPE_SMALLINT      3
#define LEAT_TYPE_INT           4
#define LEAT_TYPE_BIGINT        5
#define LEAT_TYPE_FLOAT         6
#define LEAT_TYPE_DOUBLE        7
#define LEAT_TYPE_DECIMAL       8
#define LEAT_TYPE_CHAR          9
#define LEAT_TYPE_VARCHAR       10 // STRING is VARCHAR(LEAT_LENGTH_MAX)
#define LEAT_TYPE_BINARY        11
#define LEAT_TYPE_VARBINARY     12 // BYTES is VARBINARY(LEAT_LENGTH_MAX)
#define LEAT_TYPE_DATE          13
#define LEAT_TYPE_TIME          14
#define LEAT_TYPE_TIMESTAMP     15
#define LEAT_TYPE_TIMESTAMP_LTZ 16
#define LEAT_TYPE_INTERVAL_YM   17
#define LEAT_TYPE_INTERVAL_DS   18
#define LEAT_TYPE_ARRAY         19
#define LEAT_TYPE_MAP           20
#define LEAT_TYPE_ROW           21
#define LEAT_TYPE_NULL          22 // the type of a bare NULL literal; never the type of a column

#define LEAT_LENGTH_MAX     2147483647
#define LEAT_DECIMAL_MAX    38
#define LEAT_TIME_PRECISION 6
#define LEAT_NEST_MAX       32 // deepest nesting of ARRAY, MAP and ROW

// Marks of a type beyond its kind.
#define LEAT_TYPE_IS_JSON 1u // a string known to hold JSON text
// Static calls only (describe, inputs, bind, check): what is written for this type, or computed for this column, could
// not be understood, which has been reported. STRING stands in its place; nothing that follows from it is a fault.
#define LEAT_TYPE_IS_UNKNOWN 2u

struct leat_type {
    uint8_t kind;                     // LEAT_TYPE_*
    uint8_t nullable;                 // 0 = NOT NULL
    uint8_t precision;                // DECIMAL 1..38; TIME, TIMESTAMP, TIMESTAMP_LTZ 0..6; else 0
    uint8_t scale;                    // DECIMAL 0..precision; else 0
    uint32_t length;                  // CHAR, VARCHAR (characters), BINARY, VARBINARY (bytes); else 0
    uint32_t flags;                   // LEAT_TYPE_IS_*
    uint32_t child_count;             // ARRAY 1, MAP 2 (key, value), ROW number of fields; else 0
    const struct leat_type *children; // child_count types
    const struct leat_bytes *names;   // ROW: child_count field names; else NULL
};

// State of a datum, one byte. Only VALUE has a meaningful cell.
#define LEAT_VALUE     0
#define LEAT_NULL      1
#define LEAT_ABSENT    2 // not there at all: a column of a key-only delete that is not part of the key
#define LEAT_UNCHANGED 3 // as before, value not sent (PostgreSQL's unchanged TOAST); a whole-row sink never sees it

// Row kinds, one byte. The numbers are Flink's RowKind.
#define LEAT_INSERT        0 // +I
#define LEAT_UPDATE_BEFORE 1 // -U
#define LEAT_UPDATE_AFTER  2 // +U
#define LEAT_DELETE        3 // -D

// Changelog modes: which kinds an edge may carry.
#define LEAT_MODE_INSERT_ONLY 1 // +I
#define LEAT_MODE_UPSERT      2 // +I +U -D; rows are told apart by the schema's key; -D may have the key columns only
#define LEAT_MODE_ALL         3 // +I -U +U -D; -U stands right before its +U in the same batch; every row is complete

// One value. 16 bytes, aligned to 16.
union leat_cell {
    int64_t i64;
    float f32;
    double f64;
    leat_i128 i128;
    struct leat_bytes bytes;
    struct leat_list {
        const struct leat_datum *items; // count values with their states, in the same arena as the list
        uint32_t count;
    } list;
};

// A cell with its state, where the two do not lie in separate arrays (elements of lists, literals, keyed state).
struct leat_datum {
    union leat_cell cell;
    uint8_t state; // LEAT_VALUE or LEAT_NULL
};

_Static_assert(sizeof(union leat_cell) == 16, "the cell is 16 bytes");

static inline int leat_type_is_bytes(uint8_t kind)
{
    return kind >= LEAT_TYPE_CHAR && kind <= LEAT_TYPE_VARBINARY;
}

static inline int leat_type_is_string(uint8_t kind)
{
    return kind == LEAT_TYPE_CHAR || kind == LEAT_TYPE_VARCHAR;
}

static inline int leat_type_is_integer(uint8_t kind)
{
    return kind >= LEAT_TYPE_TINYINT && kind <= LEAT_TYPE_BIGINT;
}

static inline int leat_type_is_list(uint8_t kind)
{
    return kind >= LEAT_TYPE_ARRAY && kind <= LEAT_TYPE_ROW;
}

// The type of item i of a list: an ARRAY has one for all, a MAP two in turn, a ROW one for each field.
static inline const struct leat_type *leat_type_child(const struct leat_type *list, uint32_t i)
{
    return &list->children[list->kind == LEAT_TYPE_ARRAY ? 0 : list->kind == LEAT_TYPE_MAP ? i % 2 : i];
}

#endif
