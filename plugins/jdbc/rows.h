// SPDX-License-Identifier: Apache-2.0
// Rows on their way to the server, encoded once as they arrive, the last one of each key.
//
// A row is a tuple of binary COPY: int16 number of fields, then the fields; with a key the first field is the staging
// table's "op", the key's columns come next. So the key of a row is a run of bytes, and the same bytes serve COPY (runs
// of rows as they stand), parameters (fields are elements of arrays) and messages. A row that is overtaken by a later
// one of its key stays where it is, marked dead.
//
// Columns that a row leaves unchanged are NULL in the tuple and named by the row's group: a set of columns. When the
// row before it in the buffer has their values, they are taken from there.
// Thread: home worker.
#ifndef JDBC_ROWS_H
#define JDBC_ROWS_H

#include <leat/host.h>

#include "buf.h"
#include "wire.h"

#define JDBC_OP_UPSERT 0 // and 1, 2, … upsert but for the unchanged columns of that group
#define JDBC_OP_DELETE (-1)
#define JDBC_OP_DEAD   INT16_MIN

#define JDBC_GROUPS_MAX 1000

// One column of the tuple.
struct jdbc_column {
    uint32_t from; // position in the schema
    const struct leat_field *field;
    const struct jdbc_wire *wire;
    char *name;        // quoted
    char *type;        // of the target, as SQL; NULL = not known yet
    char *key_cast;    // type to which a key's value is cast for a comparison, or NULL
    uint8_t cast;      // written with an explicit cast to `type`
    uint8_t same_type; // binary forms agree
};

struct jdbc_shape {
    uint32_t count;
    uint32_t key_count; // the first columns; 0 = rows are only inserted
    struct jdbc_column *columns;
};

struct jdbc_row {
    uint64_t hash;
    uint32_t at; // offset of the tuple
    uint32_t len;
    int16_t op;
    int16_t later; // the op of a row that is dead for the moment and tried again later; else JDBC_OP_DEAD
};

struct jdbc_rows {
    const struct jdbc_shape *shape;
    struct buf bytes;
    struct jdbc_row *rows;
    uint32_t count, cap;
    uint32_t *slots; // row + 1; 0 = free
    uint32_t slot_count;
    uint32_t live;   // rows that are not dead
    uint8_t *groups; // bitmaps of `group_size` bytes: bit c = column c (of the tuple) is unchanged
    uint32_t group_count, group_size;
    int64_t since;     // monotonic time of the first row
    struct buf merged; // scratch
};

void jdbc_rows_init(struct jdbc_rows *r, const struct jdbc_shape *shape);
void jdbc_rows_fini(struct jdbc_rows *r);
// Forgets the rows, keeps storage of a usual size.
void jdbc_rows_reset(struct jdbc_rows *r);

// Adds row `row` of a batch. LEAT_DATA: a value cannot be sent (the error is described, nothing was added).
LEAT_MUST_CHECK leat_status jdbc_rows_add(struct leat_ctx *ctx, struct jdbc_rows *r, const struct leat_batch *b,
                                          uint32_t row);

// The first field of row i behind its op.
const uint8_t *jdbc_rows_fields(const struct jdbc_rows *r, uint32_t i);

// Appends the tuple of row i without its op, as the table itself has it. With a key only.
void jdbc_rows_put_plain(const struct jdbc_rows *r, uint32_t i, struct buf *out);

// Is column c unchanged in group g (1 …)?
static inline int jdbc_group_has(const struct jdbc_rows *r, uint32_t g, uint32_t c)
{
    return r->groups[(size_t)(g - 1) * r->group_size + c / 8] >> (c % 8) & 1;
}

// Length of the field at `at`, its four bytes of length included.
static inline uint32_t jdbc_field_size(const uint8_t *at)
{
    uint32_t len;
    __builtin_memcpy(&len, at, 4);
    len = __builtin_bswap32(len);
    return len == UINT32_MAX ? 4 : len + 4;
}

// The row for people: "order_id=17, status=paid". Only the key when `only_key`.
void jdbc_rows_print(const struct jdbc_rows *r, uint32_t i, int only_key, struct buf *out);

#endif
