// SPDX-License-Identifier: Apache-2.0
// The sink's statements, as text. Names come in quoted, values never are in the text.
//
// Few rows travel as arrays, one per column, through prepared statements: "leat_upsert" (or plain insert) and
// "leat_delete". Many travel by binary COPY into the session's temporary table leat_stage, and on from there within the
// same implicit transaction. Where binary forms agree and there is no key, COPY goes straight into the table.
// Thread: any.
#ifndef JDBC_SQL_H
#define JDBC_SQL_H

#include "rows.h"
#include "table.h"

// What a session needs once: the temporary table and the prepared statements.
void jdbc_sql_setup(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape);

// Which parts a flush has.
struct jdbc_parts {
    uint32_t deletes, upserts;
    uint32_t grouped[JDBC_GROUPS_MAX + 1]; // rows per group, from 1
};

// One text of several statements for COPY and what follows. Statement n of the answer belongs to group *first_group + n
// when it is not before it, see jdbc_sql_groups.
void jdbc_sql_large(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                    const struct jdbc_rows *rows, const struct jdbc_parts *parts);

// The update of group g from arrays.
void jdbc_sql_group(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                    const struct jdbc_rows *rows, uint32_t g);

// Is there anything but the key to be written for group g?
int jdbc_sql_group_sets(const struct jdbc_shape *shape, const struct jdbc_rows *rows, uint32_t g);

// Can COPY go straight into the table?
int jdbc_sql_is_direct(const struct jdbc_shape *shape);

// Can values of all columns travel as elements of arrays? Arrays cannot.
int jdbc_sql_takes_arrays(const struct jdbc_shape *shape);

#endif
