// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's types as leat's, and their text forms as cells. TYPES.md is the table for people.
//
// A column's type is looked up once, when the catalogue is read; the row path then calls one function per value. Texts
// are PostgreSQL's output under the session settings that conn.c fixes: DateStyle ISO, TimeZone UTC, bytea hex, floats
// in their shortest exact form. Thread: any; no state.
#ifndef PGCDC_TYPES_H
#define PGCDC_TYPES_H

#include <leat/batch.h>
#include <leat/host.h>
#include <leat/types.h>

struct types_column;

// Puts a text into a cell. NULL = done; otherwise what is wrong, a phrase ("NaN does not fit DECIMAL(10,2)").
typedef const char *(*types_parse_fn)(const struct types_column *column, struct leat_batch *b, const uint8_t *ptr,
                                      uint32_t len, union leat_cell *out);

struct types_column {
    struct leat_type type;
    types_parse_fn parse;
    uint8_t check_utf8; // the server does not promise valid UTF-8 (SQL_ASCII)
};

// What the catalogue says of a column, domains already replaced by their base types.
struct types_catalog {
    uint32_t oid;
    int32_t typmod;
    char typtype;  // pg_type.typtype: 'b' base, 'e' enum, 'c' composite, 'r' range, 'm' multirange, 'p' pseudo
    char category; // pg_type.typcategory: 'A' array …
    uint8_t not_null;
    uint8_t check_utf8;
};

// NULL = mapped; otherwise why the type is not read, a phrase ("arrays are not supported yet").
const char *types_map(const struct types_catalog *from, struct types_column *out);

// Narrows `column` (from the catalogue) to the type that the user declared. NULL = it fits; otherwise why not.
const char *types_declare(struct types_column *column, const struct leat_type *declared);

// Could a value of typmod `now` not fit a column mapped with `then`? Both of the same type.
int types_typmod_narrowed(uint32_t oid, int32_t then, int32_t now);

// Could an ALTER TABLE from typmod `then` to `now` have changed values that the table held (rounded, cut or padded)?
int types_typmod_rewrites(uint32_t oid, int32_t then, int32_t now);

// "DECIMAL(10,2)", for messages; at most `size` bytes.
void types_name(const struct leat_type *type, char *out, size_t size);

#endif
