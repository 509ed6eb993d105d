// SPDX-License-Identifier: Apache-2.0
// leat's values in PostgreSQL's binary form, and back.
//
// Each of leat's types has one natural type on the wire (BIGINT is int8, DECIMAL numeric, STRING text …), whatever the
// column of the target is: the server's assignment casts do the rest, with its own errors. A field is what COPY, array
// elements and parameters all have: int32 length (-1 = NULL) and the bytes, so a row that is encoded once can be sent
// in either way. Thread: any; no state.
#ifndef JDBC_WIRE_H
#define JDBC_WIRE_H

#include <leat/host.h>
#include <leat/types.h>

#include "buf.h"

// Appends a value as a field. NULL = done (look at buf_ok); otherwise what is wrong, a phrase.
typedef const char *(*jdbc_put_fn)(struct buf *out, const struct leat_type *type, const union leat_cell *cell);
// Reads a value's bytes; strings are copied into the batch. NULL = done; otherwise what is wrong.
typedef const char *(*jdbc_get_fn)(struct leat_batch *b, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                                   union leat_cell *out);

struct jdbc_wire {
    uint8_t kind; // LEAT_TYPE_*
    uint32_t oid;
    uint32_t array_oid;
    const char *name; // "pg_catalog.int8"
    jdbc_put_fn put;
    jdbc_get_fn get;
};

// NULL = the type cannot be written or read.
const struct jdbc_wire *jdbc_wire_of(const struct leat_type *type);

// What a column of a table is, domains replaced by their base types.
struct jdbc_target {
    uint32_t oid;
    int32_t typmod;
    uint32_t element; // of arrays: type of the elements, else 0
    char category;    // pg_type.typcategory
    char typtype;     // pg_type.typtype
};

#define JDBC_CAST   1u // an explicit cast is needed: the server has none from text by assignment
#define JDBC_ROUNDS 2u // the target has fewer digits: the server rounds

// Can values of `type` go into the column? NULL = yes, with JDBC_* in flags; otherwise why not, a phrase.
const char *jdbc_wire_fits(const struct leat_type *type, const struct jdbc_target *target, int strict_strings,
                           uint32_t *flags);

// Do the binary forms of both agree, so that COPY can go straight into the column?
int jdbc_wire_same(const struct jdbc_wire *wire, const struct jdbc_target *target);

// The type as leat sees a column of this target; 0 = not one that a lookup reads as a type of its own (it reads text).
int jdbc_wire_type(const struct jdbc_target *target, struct leat_type *out);

#define JDBC_TYPE_TEXT 64

// Can the column be read as `type`? NULL = yes; otherwise why not.
const char *jdbc_wire_reads(const struct leat_type *type, const struct jdbc_target *target);

// "DECIMAL(10,2)", for messages.
void jdbc_type_name(const struct leat_type *type, char out[JDBC_TYPE_TEXT]);
// "numeric(10,2)", for ALTER TABLE in hints.
void jdbc_type_sql(const struct leat_type *type, char out[JDBC_TYPE_TEXT]);

// Prints the bytes of a field as text for messages: at most `size` - 1 bytes, always terminated.
void jdbc_wire_print(const struct jdbc_wire *wire, const struct leat_type *type, const uint8_t *ptr, uint32_t len,
                     struct buf *out);

#endif
