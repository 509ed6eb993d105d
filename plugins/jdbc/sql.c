// SPDX-License-Identifier: Apache-2.0
// See sql.h. "t" is the target, "s" where rows come from: its columns are c0, c1, … in the order of the shape, "op"
// says what to do with a row of leat_stage.
#include "sql.h"

#include <stdio.h>

static void number(struct buf *out, const char *before, uint32_t n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    buf_str(out, before);
    buf_str(out, text);
}

// "a", "b": the names of columns [from, to).
static void column_names(struct buf *out, const struct jdbc_shape *shape, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        buf_str(out, i > from ? ", " : "");
        buf_str(out, shape->columns[i].name);
    }
}

static void value(struct buf *out, const struct jdbc_shape *shape, uint32_t i)
{
    number(out, "s.c", i);
    if (shape->columns[i].cast) {
        buf_str(out, "::");
        buf_str(out, shape->columns[i].type);
    }
}

static void same_key(struct buf *out, const struct jdbc_shape *shape)
{
    for (uint32_t i = 0; i < shape->key_count; i++) {
        buf_str(out, i ? " AND t." : "t.");
        buf_str(out, shape->columns[i].name);
        number(out, " = s.c", i);
        if (shape->columns[i].key_cast) {
            buf_str(out, "::");
            buf_str(out, shape->columns[i].key_cast);
        }
    }
}

// The first `count` columns as arrays. Each has an unnest of its own: the one of several is none of pg_catalog's.
static void arrays(struct buf *out, const struct jdbc_shape *shape, uint32_t count)
{
    buf_str(out, "ROWS FROM (");
    for (uint32_t i = 0; i < count; i++) {
        number(out, i ? ", pg_catalog.unnest($" : "pg_catalog.unnest($", i + 1);
        buf_str(out, "::");
        buf_str(out, shape->columns[i].wire->name);
        buf_str(out, "[])");
    }
    buf_str(out, ") AS s(");
    for (uint32_t i = 0; i < count; i++)
        number(out, i ? ", c" : "c", i);
    buf_str(out, ")");
}

static void parameter_types(struct buf *out, const struct jdbc_shape *shape, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_str(out, i ? "[], " : "(");
        buf_str(out, shape->columns[i].wire->name);
    }
    buf_str(out, "[])");
}

static int has_identity(const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct jdbc_table_column *c = jdbc_table_find(t, shape->columns[i].field->name);
        if (c && c->identity_always)
            return 1;
    }
    return 0;
}

static void insert_head(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    buf_str(out, "INSERT INTO ");
    buf_str(out, t->full);
    buf_str(out, " AS t (");
    column_names(out, shape, 0, shape->count);
    buf_str(out, has_identity(t, shape) ? ") OVERRIDING SYSTEM VALUE SELECT " : ") SELECT ");
    for (uint32_t i = 0; i < shape->count; i++) {
        buf_str(out, i ? ", " : "");
        value(out, shape, i);
    }
    buf_str(out, " FROM ");
}

static void on_conflict(struct buf *out, const struct jdbc_shape *shape, const char *what)
{
    buf_str(out, " ON CONFLICT (");
    column_names(out, shape, 0, shape->key_count);
    buf_str(out, what);
}

static void insert_tail(struct buf *out, const struct jdbc_shape *shape)
{
    if (!shape->key_count)
        return;
    if (shape->key_count == shape->count) {
        on_conflict(out, shape, ") DO NOTHING");
        return;
    }
    on_conflict(out, shape, ") DO UPDATE SET ");
    for (uint32_t i = shape->key_count; i < shape->count; i++) {
        buf_str(out, i > shape->key_count ? ", " : "");
        buf_str(out, shape->columns[i].name);
        buf_str(out, " = EXCLUDED.");
        buf_str(out, shape->columns[i].name);
    }
}

static void delete_head(struct buf *out, const struct jdbc_table *t)
{
    buf_str(out, "DELETE FROM ");
    buf_str(out, t->full);
    buf_str(out, " AS t USING ");
}

static void update_head(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                        const struct jdbc_rows *rows, uint32_t g)
{
    const char *between = "";
    buf_str(out, "UPDATE ");
    buf_str(out, t->full);
    buf_str(out, " AS t SET ");
    for (uint32_t i = shape->key_count; i < shape->count; i++) {
        if (jdbc_group_has(rows, g, i))
            continue;
        buf_str(out, between);
        buf_str(out, shape->columns[i].name);
        buf_str(out, " = ");
        value(out, shape, i);
        between = ", ";
    }
    buf_str(out, " FROM ");
}

int jdbc_sql_group_sets(const struct jdbc_shape *shape, const struct jdbc_rows *rows, uint32_t g)
{
    for (uint32_t i = shape->key_count; i < shape->count; i++)
        if (!jdbc_group_has(rows, g, i))
            return 1;
    return 0;
}

int jdbc_sql_takes_arrays(const struct jdbc_shape *shape)
{
    for (uint32_t i = 0; i < shape->count; i++)
        if (shape->columns[i].wire->kind == LEAT_TYPE_ARRAY)
            return 0;
    return 1;
}

static void stage_table(struct buf *out, const struct jdbc_shape *shape)
{
    buf_str(out, "CREATE TEMPORARY TABLE leat_stage (");
    if (shape->key_count)
        buf_str(out, "op pg_catalog.int2, ");
    for (uint32_t i = 0; i < shape->count; i++) {
        number(out, i ? ", c" : "c", i);
        buf_u8(out, ' ');
        buf_str(out, shape->columns[i].wire->name);
    }
    buf_str(out, ") ON COMMIT DELETE ROWS;");
}

// An insert that is never run. COPY takes bytes for whatever the column's type has become since, and misses no key that
// was dropped. To explain this insert fails then ("cached plan must not change result type", no index for ON CONFLICT),
// and keeps the table locked against such changes until the end of the transaction.
static void prepare_straight(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    buf_str(out, "PREPARE leat_straight AS INSERT INTO ");
    buf_str(out, t->full);
    buf_str(out, " (");
    column_names(out, shape, 0, shape->count);
    buf_str(out, ") OVERRIDING SYSTEM VALUE VALUES (");
    for (uint32_t i = 0; i < shape->count; i++)
        buf_str(out, i ? ", NULL" : "NULL");
    buf_str(out, ")");
    if (shape->key_count)
        on_conflict(out, shape, ") DO NOTHING");
    buf_str(out, " RETURNING ");
    column_names(out, shape, 0, shape->count);
    buf_str(out, ";");
}

void jdbc_sql_setup(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape, int straight)
{
    stage_table(out, shape);
    if (straight)
        prepare_straight(out, t, shape);
    if (!jdbc_sql_takes_arrays(shape))
        return;
    buf_str(out, "PREPARE leat_upsert ");
    parameter_types(out, shape, shape->count);
    buf_str(out, " AS ");
    insert_head(out, t, shape);
    arrays(out, shape, shape->count);
    insert_tail(out, shape);
    buf_str(out, ";");
    if (!shape->key_count)
        return;
    buf_str(out, "PREPARE leat_delete ");
    parameter_types(out, shape, shape->key_count);
    buf_str(out, " AS ");
    delete_head(out, t);
    arrays(out, shape, shape->key_count);
    buf_str(out, " WHERE ");
    same_key(out, shape);
}

void jdbc_sql_straight(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    buf_str(out, "EXPLAIN (COSTS off) EXECUTE leat_straight;COPY ");
    buf_str(out, t->full);
    buf_str(out, " (");
    column_names(out, shape, 0, shape->count);
    buf_str(out, ") FROM STDIN (FORMAT binary)");
}

void jdbc_sql_staged(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                     const struct jdbc_rows *rows, const struct jdbc_parts *parts)
{
    buf_str(out, "COPY pg_temp.leat_stage FROM STDIN (FORMAT binary)");
    if (parts->deletes) {
        buf_str(out, ";");
        delete_head(out, t);
        buf_str(out, "pg_temp.leat_stage s WHERE s.op = -1 AND ");
        same_key(out, shape);
    }
    if (parts->upserts) {
        buf_str(out, ";");
        insert_head(out, t, shape);
        buf_str(out, "pg_temp.leat_stage s");
        buf_str(out, shape->key_count ? " WHERE s.op = 0" : "");
        insert_tail(out, shape);
    }
    for (uint32_t g = 1; g <= rows->group_count; g++) {
        if (!parts->grouped[g] || !jdbc_sql_group_sets(shape, rows, g))
            continue;
        buf_str(out, ";");
        update_head(out, t, shape, rows, g);
        number(out, "pg_temp.leat_stage s WHERE s.op = ", g);
        buf_str(out, " AND ");
        same_key(out, shape);
    }
}

void jdbc_sql_group(struct buf *out, const struct jdbc_table *t, const struct jdbc_shape *shape,
                    const struct jdbc_rows *rows, uint32_t g)
{
    update_head(out, t, shape, rows, g);
    arrays(out, shape, shape->count);
    buf_str(out, " WHERE ");
    same_key(out, shape);
}
