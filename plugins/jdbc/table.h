// SPDX-License-Identifier: Apache-2.0
// The table as the catalogue has it: found, checked against the schema, its types known. One step per question, so that
// nothing waits. Everything that is wrong is said at once, with the statements that mend it.
// Thread: home worker.
#ifndef JDBC_TABLE_H
#define JDBC_TABLE_H

#include "pq.h"
#include "rows.h"
#include "url.h"

// A column of the table.
struct jdbc_table_column {
    char *name;
    char *type; // format_type
    struct jdbc_target target;
    uint32_t key_position; // in the primary key, from 1; 0 = not part of it
    uint8_t not_null;
    uint8_t has_default;
    uint8_t generated;       // GENERATED ALWAYS AS (…) STORED
    uint8_t identity_always; // GENERATED ALWAYS AS IDENTITY
    uint8_t domain;          // declared with a domain; `target` is what is at its bottom
};

struct jdbc_table {
    char *schema, *name; // borrowed
    char *full;          // "schema"."name", quoted
    char *where;         // borrowed: host:port/database
    uint32_t step;
    uint8_t keyed;        // the rights to update and delete are needed too
    uint8_t has_triggers; // foreign keys that point here count
    uint8_t copy_inserts; // no rules, which COPY passes by, no view or row security, which it refuses; SELECT granted
    uint8_t readonly;     // of a lookup: the right to SELECT is
    uint32_t count;
    struct jdbc_table_column *columns;
    char *user;
};

// Asks the catalogue: LEAT_AGAIN until LEAT_OK. LEAT_TRANSIENT when the table is not there (yet), LEAT_CONFIG when a
// right is missing.
LEAT_MUST_CHECK leat_status jdbc_table_load(struct leat_ctx *ctx, struct pq_conn *conn, struct jdbc_table *t);
void jdbc_table_reset(struct jdbc_table *t); // to load it again
void jdbc_table_fini(struct jdbc_table *t);

const struct jdbc_table_column *jdbc_table_find(const struct jdbc_table *t, struct leat_bytes name);

// Do the columns of the shape fit those of the table? Completes the shape. LEAT_CONFIG names every fault.
LEAT_MUST_CHECK leat_status jdbc_table_check(struct leat_ctx *ctx, const struct jdbc_table *t, struct jdbc_shape *shape,
                                             int strict_strings);

// May a row be replaced by deleting it first: does it lose nothing, and does nobody notice?
int jdbc_table_may_replace(const struct jdbc_table *t, const struct jdbc_shape *shape);

// Can COPY go straight into the table? It must do there what INSERT does, and binary forms must agree. For a shape that
// was checked.
int jdbc_table_takes_copy(const struct jdbc_table *t, const struct jdbc_shape *shape);

// Asks for a unique index on exactly the shape's key: LEAT_AGAIN until LEAT_OK; LEAT_CONFIG when there is none.
LEAT_MUST_CHECK leat_status jdbc_table_check_key(struct leat_ctx *ctx, struct pq_conn *conn, struct jdbc_table *t,
                                                 const struct jdbc_shape *shape);

#endif
