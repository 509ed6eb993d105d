// SPDX-License-Identifier: Apache-2.0
// The sink's statements, as text. Names come in quoted, values never are in the text.
//
// Few rows travel as arrays, one per column, through prepared statements: "leat_upsert" (or plain insert) and
// "leat_delete". Many travel by binary COPY: into the session's temporary table leat_stage, and on from there within the
// same implicit transaction, or straight into the table.
// Thread: any.
#ifndef JDBC_SQL_H
#define JDBC_SQL_H

#include "rows.h"
#include "table.h"

// What a session needs once: the temporary table and the prepared statements. `straight`: jdbc_sql_straight may come.
void jdbc_sql_setup(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape, int straight);

// Which parts a flush has.
struct jdbc_parts {
    uint32_t deletes, upserts;
    uint32_t grouped[JDBC_GROUPS_MAX + 1]; // rows per group, from 1
};

// COPY straight into the table, if it still is the table that was prepared for.
void jdbc_sql_straight(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape);

// One text of several statements: COPY into leat_stage, then one for the deletes, the upserts and each group, of those
// that there are.
void jdbc_sql_staged(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                     const struct jdbc_rows *rows, const struct jdbc_parts *parts);

// The update of group g from arrays.
void jdbc_sql_group(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                    const struct jdbc_rows *rows, uint32_t g);

// Is there anything but the key to be written for group g?
int jdbc_sql_group_sets(const struct jdbc_shape *shape, const struct jdbc_rows *rows, uint32_t g);

// Can values of all columns travel as elements of arrays? Arrays cannot.
int jdbc_sql_takes_arrays(const struct jdbc_shape *shape);

#endif
