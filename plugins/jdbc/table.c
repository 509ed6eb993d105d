// SPDX-License-Identifier: Apache-2.0
// See table.h.
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pq_oid.h"

#define TEXT_MAX 4000 // of a detail or hint

enum { SEND_TABLE, TAKE_TABLE, SEND_COLUMNS, TAKE_COLUMNS, LOADED, TAKE_KEYS };

void jdbc_table_reset(struct jdbc_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->columns[i].name);
        free(t->columns[i].type);
    }
    free(t->columns);
    free(t->user);
    t->columns = NULL;
    t->user = NULL;
    t->count = 0;
    t->step = SEND_TABLE;
}

void jdbc_table_fini(struct jdbc_table *t)
{
    jdbc_table_reset(t);
    free(t->full);
    t->full = NULL;
}

const struct jdbc_table_column *jdbc_table_find(const struct jdbc_table *t, struct leat_bytes name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (strlen(t->columns[i].name) == name.len && memcmp(t->columns[i].name, name.ptr, name.len) == 0)
            return &t->columns[i];
    return NULL;
}

static int truth(const PGresult *res, int row, int col)
{
    return PQgetvalue(res, row, col)[0] == 't';
}

// --- the table

static leat_status send_table(struct pq_conn *conn, const struct jdbc_table *t)
{
    const char *const values[] = {t->schema, t->name};
    return pq_send_params(
        conn,
        "SELECT c.relkind, pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
        "pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), pg_catalog.has_any_column_privilege(c.oid, 'INSERT'), "
        "pg_catalog.has_any_column_privilege(c.oid, 'UPDATE'), pg_catalog.has_table_privilege(c.oid, 'DELETE'), "
        "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'), current_user, "
        "pg_catalog.current_database(), c.relhastriggers, "
        "c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT pg_catalog.row_security_active(c.oid) "
        "AND pg_catalog.has_table_privilege(c.oid, 'SELECT') "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2",
        2, values);
}

static leat_status right_missing(struct leat_ctx *ctx, const struct jdbc_table *t, const char *user, const char *right,
                                 const char *on)
{
    (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-J0105", "user \"%s\" has no right to %s on %s", user, right, on);
    leat_error_hint(ctx, "Run GRANT %s ON %s TO \"%s\";", right, on, user);
    return LEAT_CONFIG;
}

static leat_status check_rights(struct leat_ctx *ctx, const struct jdbc_table *t, const PGresult *res)
{
    const char *user = PQgetvalue(res, 0, 7);
    char on[JDBC_NAME_MAX + 16];
    snprintf(on, sizeof on, "SCHEMA \"%s\"", t->schema);
    if (!truth(res, 0, 1))
        return right_missing(ctx, t, user, "USAGE", on);
    if (t->readonly)
        return truth(res, 0, 2) ? LEAT_OK : right_missing(ctx, t, user, "SELECT", t->full);
    // ON CONFLICT and the comparison of keys read the table
    char rights[64];
    snprintf(rights, sizeof rights, "%s%s%s%s", truth(res, 0, 3) ? "" : ", INSERT",
             !t->keyed || truth(res, 0, 4) ? "" : ", UPDATE", !t->keyed || truth(res, 0, 5) ? "" : ", DELETE",
             !t->keyed || truth(res, 0, 2) ? "" : ", SELECT");
    if (rights[0])
        return right_missing(ctx, t, user, rights + 2, t->full);
    snprintf(on, sizeof on, "DATABASE \"%s\"", PQgetvalue(res, 0, 8));
    return truth(res, 0, 6) ? LEAT_OK : right_missing(ctx, t, user, "TEMPORARY", on);
}

static leat_status take_table(struct leat_ctx *ctx, struct jdbc_table *t, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        // not the configuration's fault alone: the table may still be created, and is waited for
        (void)leat_fail(ctx, LEAT_TRANSIENT, "LEAT-J0102", "there is no table %s in %s", t->full, t->where);
        leat_error_hint(ctx, "Create the table, or correct table-name; names are compared as they are written.");
        return LEAT_TRANSIENT;
    }
    char kind = PQgetvalue(res, 0, 0)[0];
    if (!strchr(t->readonly ? "rpvmf" : "rpvf", kind))
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-J0103", "%s is not a table", t->full);
    t->has_triggers = (uint8_t)truth(res, 0, 9);
    t->copy_inserts = (uint8_t)truth(res, 0, 10);
    t->user = strdup(PQgetvalue(res, 0, 7));
    return t->user ? check_rights(ctx, t, res) : leat_no_memory(ctx);
}

// --- its columns

static leat_status send_columns(struct pq_conn *conn, const struct jdbc_table *t)
{
    const char *const values[] = {t->schema, t->name};
    return pq_send_params(
        conn,
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), bt.oid, " PQ_BASE_TYPMOD
        ", bt.typcategory, bt.typtype, "
        "CASE WHEN bt.typcategory = 'A' THEN bt.typelem ELSE 0 END, a.attnotnull OR (t.typtype = 'd' AND "
        "t.typnotnull), "
        "a.atthasdef OR a.attidentity <> '', a.attgenerated <> '', a.attidentity = 'a', "
        "coalesce(pg_catalog.array_position(i.indkey::pg_catalog.int2[], a.attnum) + 1, 0), t.typtype = 'd' "
        "FROM pg_catalog.pg_attribute a " PQ_BASE_TYPE
        "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary "
        "WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        2, values);
}

static leat_status take_columns(struct leat_ctx *ctx, struct jdbc_table *t, const PGresult *res)
{
    uint32_t n = (uint32_t)PQntuples(res);
    t->columns = calloc(n ? n : 1, sizeof *t->columns);
    if (!t->columns)
        return leat_no_memory(ctx);
    for (; t->count < n; t->count++) {
        int row = (int)t->count;
        struct jdbc_table_column *c = &t->columns[row];
        c->name = strdup(PQgetvalue(res, row, 0));
        c->type = strdup(PQgetvalue(res, row, 1));
        if (!c->name || !c->type) {
            free(c->name);
            free(c->type);
            return leat_no_memory(ctx);
        }
        c->target.oid = (uint32_t)strtoul(PQgetvalue(res, row, 2), NULL, 10);
        c->target.typmod = (int32_t)strtol(PQgetvalue(res, row, 3), NULL, 10);
        c->target.category = PQgetvalue(res, row, 4)[0];
        c->target.typtype = PQgetvalue(res, row, 5)[0];
        c->target.element = (uint32_t)strtoul(PQgetvalue(res, row, 6), NULL, 10);
        c->not_null = (uint8_t)truth(res, row, 7);
        c->has_default = (uint8_t)truth(res, row, 8);
        c->generated = (uint8_t)truth(res, row, 9);
        c->identity_always = (uint8_t)truth(res, row, 10);
        c->key_position = (uint32_t)strtoul(PQgetvalue(res, row, 11), NULL, 10);
        c->domain = (uint8_t)truth(res, row, 12);
    }
    return LEAT_OK;
}

static leat_status name_in_full(struct leat_ctx *ctx, struct jdbc_table *t)
{
    struct buf b;
    buf_init(&b, 4 * JDBC_NAME_MAX + 16);
    pq_qualified(&b, t->schema, t->name);
    buf_u8(&b, 0);
    t->full = buf_ok(&b) ? strdup((const char *)b.ptr) : NULL;
    buf_fini(&b);
    return t->full ? LEAT_OK : leat_no_memory(ctx);
}

leat_status jdbc_table_load(struct leat_ctx *ctx, struct pq_conn *conn, struct jdbc_table *t)
{
    leat_status st = t->full ? LEAT_OK : name_in_full(ctx, t);
    while (st == LEAT_OK && t->step != LOADED) {
        PGresult *res = NULL;
        if (t->step == SEND_TABLE || t->step == SEND_COLUMNS) {
            st = t->step == SEND_TABLE ? send_table(conn, t) : send_columns(conn, t);
        } else {
            st = pq_take(conn, "read the catalogue", &res);
            if (st == LEAT_OK)
                st = t->step == TAKE_TABLE ? take_table(ctx, t, res) : take_columns(ctx, t, res);
            PQclear(res);
        }
        if (st == LEAT_OK)
            t->step++;
    }
    return st;
}

// --- schema against table

struct faults {
    struct buf what, how;
};

static void fault(struct faults *f, const struct jdbc_table *t, const char *what, const char *how)
{
    buf_str(&f->what, f->what.len ? "; " : "");
    buf_str(&f->what, what);
    if (!how)
        return;
    buf_str(&f->how, f->how.len ? ", " : "Run ALTER TABLE ");
    if (f->how.len == strlen("Run ALTER TABLE ")) {
        buf_str(&f->how, t->full);
        buf_u8(&f->how, ' ');
    }
    buf_str(&f->how, how);
}

static int copy_text(char **to, const char *text)
{
    free(*to);
    *to = strdup(text);
    return *to ? 0 : -1;
}

// Values of a key are compared as the column's own type, so that its index serves. Strings without their length: an
// explicit cast to varchar(3) would cut.
static int set_key_cast(struct jdbc_column *c, const struct jdbc_table_column *to)
{
    free(c->key_cast);
    c->key_cast = NULL;
    if (c->wire->oid == to->target.oid)
        return 0;
    c->key_cast = strdup(to->target.oid == OID_BPCHAR ? "pg_catalog.bpchar"
                         : to->target.category == 'S' ? "pg_catalog.text"
                                                      : to->type);
    return c->key_cast ? 0 : -1;
}

static int fit_column(struct leat_ctx *ctx, const struct jdbc_table *t, struct jdbc_column *c, int is_key, int strict,
                      struct faults *f)
{
    char what[JDBC_NAME_MAX * 3], how[JDBC_NAME_MAX * 2], type[JDBC_TYPE_TEXT], sql[JDBC_TYPE_TEXT];
    const struct jdbc_table_column *to = jdbc_table_find(t, c->field->name);
    int len = (int)c->field->name.len;
    const char *name = (const char *)c->field->name.ptr;
    jdbc_type_name(&c->field->type, type);
    jdbc_type_sql(&c->field->type, sql);
    if (!to) {
        snprintf(what, sizeof what, "it has no column \"%.*s\" (%s)", len, name, type);
        snprintf(how, sizeof how, "ADD COLUMN %s %s", c->name, sql);
        fault(f, t, what, how);
        return 0;
    }
    uint32_t flags = 0;
    const char *wrong =
        to->generated ? "it is generated" : jdbc_wire_fits(&c->field->type, &to->target, strict, &flags);
    if (wrong) {
        snprintf(what, sizeof what, "column \"%.*s\" is %s, the input's is %s: %s", len, name, to->type, type, wrong);
        snprintf(how, sizeof how, "ALTER COLUMN %s TYPE %s", c->name, sql);
        fault(f, t, what, to->generated || !jdbc_wire_of(&c->field->type) ? NULL : how);
        return 0;
    }
    if (flags & JDBC_ROUNDS)
        leat_log(ctx, LEAT_LOG_WARN, "fewer-digits",
                 "column \"%.*s\" of %s is %s and the input's is %s: PostgreSQL rounds what does not fit", len, name,
                 t->full, to->type, type);
    c->cast = (flags & JDBC_CAST) != 0;
    c->same_type = !c->cast && jdbc_wire_same(c->wire, &to->target);
    return copy_text(&c->type, to->type) < 0 || (is_key && set_key_cast(c, to) < 0) ? -1 : 0;
}

static int is_written(const struct jdbc_shape *shape, const char *name)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        struct leat_bytes have = shape->columns[i].field->name;
        if (have.len == strlen(name) && memcmp(have.ptr, name, have.len) == 0)
            return 1;
    }
    return 0;
}

int jdbc_table_may_replace(const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (!is_written(shape, t->columns[i].name))
            return 0;
    return !t->has_triggers;
}

int jdbc_table_takes_copy(const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    for (uint32_t i = 0; i < shape->count; i++)
        if (!shape->columns[i].same_type)
            return 0;
    // COPY does not ask a domain whether it takes the NULL of a column that is left out
    for (uint32_t i = 0; i < t->count; i++)
        if (t->columns[i].domain && !t->columns[i].has_default && !is_written(shape, t->columns[i].name))
            return 0;
    return t->copy_inserts;
}

leat_status jdbc_table_check(struct leat_ctx *ctx, const struct jdbc_table *t, struct jdbc_shape *shape,
                             int strict_strings)
{
    struct faults f;
    leat_status st = LEAT_OK;
    buf_init(&f.what, 1u << 20);
    buf_init(&f.how, 1u << 20);
    for (uint32_t i = 0; i < shape->count; i++)
        if (fit_column(ctx, t, &shape->columns[i], i < shape->key_count, strict_strings, &f) < 0)
            st = leat_no_memory(ctx);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct jdbc_table_column *c = &t->columns[i];
        if (!c->not_null || c->has_default || c->generated || is_written(shape, c->name))
            continue;
        char what[JDBC_NAME_MAX * 2], how[JDBC_NAME_MAX * 2];
        snprintf(what, sizeof what, "column \"%.200s\" must not be NULL, has no default and is not in the input",
                 c->name);
        snprintf(how, sizeof how, "ALTER COLUMN \"%.200s\" DROP NOT NULL", c->name);
        fault(&f, t, what, how);
    }
    if (st == LEAT_OK && f.what.len && buf_ok(&f.what)) {
        st = leat_fail(ctx, LEAT_CONFIG, "LEAT-J0104", "the input does not fit table %s: %.*s", t->full,
                       (int)(f.what.len > TEXT_MAX ? TEXT_MAX : f.what.len), (const char *)f.what.ptr);
        if (f.how.len && buf_ok(&f.how))
            leat_error_hint(ctx, "%.*s; or change the query.", (int)(f.how.len > TEXT_MAX ? TEXT_MAX : f.how.len),
                            (const char *)f.how.ptr);
    } else if (!buf_ok(&f.what)) {
        st = leat_no_memory(ctx);
    }
    buf_fini(&f.what);
    buf_fini(&f.how);
    return st;
}

// --- the key

// What ON CONFLICT can rest on: unique, immediate, whole, on columns alone.
static const char keys_sql[] =
    "SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index i "
    "JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, pos) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum "
    "WHERE n.nspname = $1 AND c.relname = $2 AND i.indisunique AND i.indimmediate AND i.indisvalid "
    "AND i.indpred IS NULL AND i.indexprs IS NULL AND k.pos <= i.indnkeyatts ORDER BY i.indexrelid, k.pos";

// Rows [from, to) are one index; is it on exactly the key?
static int is_key_index(const PGresult *res, int from, int to, const struct jdbc_shape *shape)
{
    if ((uint32_t)(to - from) != shape->key_count)
        return 0;
    struct jdbc_shape key = {.count = shape->key_count, .columns = shape->columns};
    for (int i = from; i < to; i++)
        if (!is_written(&key, PQgetvalue(res, i, 1)))
            return 0;
    return 1;
}

static leat_status no_key(struct leat_ctx *ctx, const struct jdbc_table *t, const struct jdbc_shape *shape)
{
    struct buf names;
    buf_init(&names, 1u << 16);
    for (uint32_t i = 0; i < shape->key_count; i++) {
        buf_str(&names, i ? ", " : "");
        buf_str(&names, shape->columns[i].name);
    }
    (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-J0106",
                    "table %s has no primary key and no unique index on exactly (%.*s), the sink's primary-key",
                    t->full, (int)names.len, names.ptr ? (const char *)names.ptr : "");
    leat_error_hint(ctx, "Run ALTER TABLE %s ADD PRIMARY KEY (%.*s); or correct primary-key.", t->full, (int)names.len,
                    names.ptr ? (const char *)names.ptr : "");
    buf_fini(&names);
    return LEAT_CONFIG;
}

static leat_status find_key(struct leat_ctx *ctx, const struct jdbc_table *t, const struct jdbc_shape *shape,
                            const PGresult *res)
{
    int n = PQntuples(res);
    for (int from = 0, to; from < n; from = to) {
        for (to = from; to < n && strcmp(PQgetvalue(res, from, 0), PQgetvalue(res, to, 0)) == 0; to++)
            ;
        if (is_key_index(res, from, to, shape))
            return LEAT_OK;
    }
    return no_key(ctx, t, shape);
}

leat_status jdbc_table_check_key(struct leat_ctx *ctx, struct pq_conn *conn, struct jdbc_table *t,
                                 const struct jdbc_shape *shape)
{
    leat_status st = LEAT_OK;
    PGresult *res = NULL;
    if (t->step != TAKE_KEYS) {
        const char *const values[] = {t->schema, t->name};
        st = pq_send_params(conn, keys_sql, 2, values);
        if (st < 0)
            return st;
        t->step = TAKE_KEYS;
    }
    st = pq_take(conn, "read the catalogue", &res);
    if (st == LEAT_OK) {
        st = find_key(ctx, t, shape, res);
        t->step = LOADED;
    }
    PQclear(res);
    return st;
}
