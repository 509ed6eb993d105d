// SPDX-License-Identifier: Apache-2.0
// What the server has: its settings, the captured tables with columns and keys, and whether all of it can be captured.
// Everything that stands in the way is said with the statement that mends it. Run by discover, as a script of four
// queries.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"
#include "pq_oid.h"

#define SQL_MAX (1u << 20)

static const char *cell(const PGresult *res, int row, int column)
{
    return PQgetvalue(res, row, column);
}

static int truth(const PGresult *res, int row, int column)
{
    return cell(res, row, column)[0] == 't';
}

static int32_t number(const PGresult *res, int row, int column)
{
    return (int32_t)strtol(cell(res, row, column), NULL, 10);
}

// --- settings

static leat_status send_settings(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT current_setting('wal_level'), current_setting('server_version_num'), "
                  "current_setting('server_encoding'), rolreplication OR rolsuper, rolsuper, current_user, "
                  "has_database_privilege(current_database(), 'CREATE'), pg_is_in_recovery(), "
                  "current_setting('max_replication_slots'), current_setting('max_wal_senders'), "
                  "(SELECT count(*) FROM pg_catalog.pg_replication_slots), "
                  "EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = ");
    pq_literal(&sql, p->config->slot_name, strlen(p->config->slot_name));
    buf_str(&sql, "), EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    buf_str(&sql, ") FROM pg_catalog.pg_roles WHERE rolname = current_user");
    return pgcdc_send_sql(p, p->sql, &sql);
}

// Notes the settings that are not as they must be; all of them take a restart of the server.
static void check_settings(struct pgcdc *p, const PGresult *res)
{
    int32_t slots = number(res, 0, 8), in_use = number(res, 0, 10);
    if (strcmp(cell(res, 0, 0), "logical") != 0) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0101", "the server's wal_level is \"%s\", not \"logical\"", cell(res, 0, 0));
        pgcdc_cure(p, "Run ALTER SYSTEM SET wal_level = logical; and restart PostgreSQL.");
    }
    if (in_use >= slots && !truth(res, 0, 11)) {
        pgcdc_miss(p, LEAT_TRANSIENT, "LEAT-G0101", "all replication slots are in use (%d, max_replication_slots = %d)",
                   in_use, slots);
        pgcdc_cure(p,
                   "Drop a slot that nobody reads, or run ALTER SYSTEM SET max_replication_slots = %d; and restart "
                   "PostgreSQL.",
                   in_use < 10 ? 10 : in_use + 10);
    }
    if (number(res, 0, 9) < 1) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0101", "the server's max_wal_senders is 0");
        pgcdc_cure(p, "Run ALTER SYSTEM SET max_wal_senders = 10; and restart PostgreSQL.");
    }
    if (!truth(res, 0, 3)) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102", "user \"%s\" may not read a replication slot", p->user);
        pgcdc_cure(p, "Run ALTER ROLE \"%s\" REPLICATION;", p->user);
    }
}

static leat_status take_settings(struct pgcdc *p, PGresult *res)
{
    struct leat_ctx *ctx = p->ctx;
    if (PQntuples(res) != 1)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-G0102", "the role of user \"%s\" is not in the catalogue",
                         p->config->username);
    p->server_version = number(res, 0, 1);
    p->check_utf8 = strcmp(cell(res, 0, 2), "SQL_ASCII") == 0;
    p->is_superuser = (uint8_t)truth(res, 0, 4);
    p->user = pgcdc_mem_text(&p->mem, cell(res, 0, 5));
    p->may_create = (uint8_t)truth(res, 0, 6);
    p->publication_exists = (uint8_t)truth(res, 0, 12);
    if (!p->user)
        return leat_no_memory(ctx);
    if (p->config->startup_mode == PGCDC_SNAPSHOT_ONLY)
        return LEAT_OK;
    if (truth(res, 0, 7) && p->server_version < 160000)
        return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-G0101",
                         "the server is a standby, which cannot decode before PostgreSQL 16");
    check_settings(p, res);
    return LEAT_OK;
}

// --- tables

static leat_status send_tables(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT n.nspname, c.relname, c.oid, c.relkind, c.relreplident, c.relpersistence, "
                  "c.reltuples, has_schema_privilege(n.oid, 'USAGE'), "
                  "has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'), "
                  "pg_has_role(c.relowner, 'USAGE'), pg_catalog.pg_relation_size(c.oid) / 8192, c.relispartition, "
                  "(n.nspname, c.relname) IN (SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables "
                  "WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    buf_str(&sql, ") FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' "
                  "AND n.nspname !~ '^pg_' ORDER BY 1, 2");
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status fill_table(struct pgcdc *p, const PGresult *res, int row, struct pgcdc_table *t)
{
    char name[256];
    t->schema = pgcdc_mem_text(&p->mem, cell(res, row, 0));
    t->name = pgcdc_mem_text(&p->mem, cell(res, row, 1));
    snprintf(name, sizeof name, "%s.%s", cell(res, row, 0), cell(res, row, 1));
    t->port_name = pgcdc_mem_text(&p->mem, name);
    if (!t->schema || !t->name || !t->port_name)
        return leat_no_memory(p->ctx);
    t->oid = (uint32_t)strtoul(cell(res, row, 2), NULL, 10);
    t->identity = (uint8_t)cell(res, row, 4)[0];
    t->estimate = strtod(cell(res, row, 6), NULL);
    t->is_owner = (uint8_t)truth(res, row, 9);
    t->pages = (uint32_t)strtoul(cell(res, row, 10), NULL, 10);
    t->used = 1;
    t->is_partition = (uint8_t)truth(res, row, 11);
    t->published = (uint8_t)truth(res, row, 12);
    t->readable = truth(res, row, 7) && truth(res, row, 8);
    return LEAT_OK;
}

static int is_noted(const struct pgcdc *p, const char *cure)
{
    for (const struct pgcdc_missing *m = p->missing; m; m = m->next)
        if (m->cure && strcmp(m->cure, cure) == 0)
            return 1;
    return 0;
}

static void check_rights(struct pgcdc *p, const PGresult *res, int row)
{
    const char *schema = cell(res, row, 0), *name = cell(res, row, 1);
    char cure[256];
    snprintf(cure, sizeof cure, "Run GRANT USAGE ON SCHEMA \"%s\" TO \"%s\";", schema, p->user);
    if (!truth(res, row, 7) && !is_noted(p, cure)) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102", "user \"%s\" may not use schema \"%s\"", p->user, schema);
        pgcdc_cure(p, "%s", cure);
    }
    if (!truth(res, row, 8)) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102", "user \"%s\" may not read table \"%s.%s\"", p->user, schema, name);
        pgcdc_cure(p, "Run GRANT SELECT ON \"%s\".\"%s\" TO \"%s\";", schema, name, p->user);
    }
}

// "a.b"."c" and "a"."b.c" would be one input.
static leat_status check_port_name(struct pgcdc *p, const struct pgcdc_table *t)
{
    for (const struct pgcdc_table *other = p->tables; other < t; other++)
        if (strcmp(other->port_name, t->port_name) == 0) {
            (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0103",
                            "tables \"%s\".\"%s\" and \"%s\".\"%s\" would both be called \"%s\"", other->schema,
                            other->name, t->schema, t->name, t->port_name);
            leat_error_hint(p->ctx, "Leave one of them out by schema-name or table-name.");
            return LEAT_CONFIG;
        }
    return LEAT_OK;
}

// What can be said of a table before its columns are known.
static leat_status check_table(struct pgcdc *p, const PGresult *res, int row)
{
    struct leat_ctx *ctx = p->ctx;
    const char *schema = cell(res, row, 0), *name = cell(res, row, 1);
    if (cell(res, row, 3)[0] == 'p') {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104", "table \"%s.%s\" is partitioned, which is not supported yet",
                        schema, name);
        leat_error_hint(ctx, "Capture its partitions, each a table of its own, by a pattern that leaves the root out.");
        return LEAT_CONFIG;
    }
    if (cell(res, row, 5)[0] != 'p')
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                         "table \"%s.%s\" is %s: its changes are not in the server's log", schema, name,
                         cell(res, row, 5)[0] == 'u' ? "unlogged" : "temporary");
    check_rights(p, res, row);
    return LEAT_OK;
}

static leat_status no_tables(struct pgcdc *p)
{
    // not the configuration's fault alone: the table may still be created, and is waited for
    (void)leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-G0103",
                    "no table of database \"%s\" matches schema-name \"%s\" and table-name \"%s\"", p->config->database,
                    p->config->schema_name, p->config->table_name);
    leat_error_hint(p->ctx, "Create the table, or correct the patterns; they must match names in full.");
    return LEAT_TRANSIENT;
}

static leat_status keep_tables(struct pgcdc *p, const PGresult *res, const uint8_t *matched)
{
    int rows = PQntuples(res);
    uint32_t count = 0;
    for (int i = 0; i < rows; i++)
        count += matched[i];
    if (!count)
        return no_tables(p);
    if (count > LEAT_PORTS_MAX)
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0103", "%u tables match, more than %d", count, LEAT_PORTS_MAX);
    p->tables = pgcdc_mem_alloc(&p->mem, count * sizeof *p->tables);
    if (!p->tables)
        return leat_no_memory(p->ctx);
    for (int i = 0; i < rows; i++) {
        if (!matched[i])
            continue;
        leat_status st = check_table(p, res, i);
        if (st == LEAT_OK)
            st = fill_table(p, res, i, &p->tables[p->table_count]);
        if (st == LEAT_OK)
            st = check_port_name(p, &p->tables[p->table_count]);
        if (st < 0)
            return st;
        p->table_count++;
    }
    return LEAT_OK;
}

static leat_status take_tables(struct pgcdc *p, PGresult *res)
{
    uint32_t rows = (uint32_t)PQntuples(res);
    const char **names = calloc(rows ? 2 * rows : 1, sizeof *names);
    uint8_t *matched = calloc(rows ? rows : 1, 1);
    leat_status st = LEAT_OK;
    if (!names || !matched) {
        st = leat_no_memory(p->ctx);
        goto out;
    }
    for (uint32_t i = 0; i < rows; i++) {
        names[2 * i] = cell(res, (int)i, 0);
        names[2 * i + 1] = cell(res, (int)i, 1);
    }
    st = pgcdc_match_tables(p->ctx, p->config, names, rows, matched);
    if (st == LEAT_OK)
        st = keep_tables(p, res, matched);
out:
    free(names);
    free(matched);
    return st;
}

// --- columns

static void put_oids(struct pgcdc *p, struct buf *sql)
{
    char oid[16];
    buf_str(sql, "'{");
    for (uint32_t i = 0; i < p->table_count; i++) {
        snprintf(oid, sizeof oid, "%s%u", i ? "," : "", p->tables[i].oid);
        buf_str(sql, oid);
    }
    buf_str(sql, "}'::oid[]");
}

static leat_status send_columns(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, bt.oid, " PQ_BASE_TYPMOD
                  ", bt.typtype, bt.typcategory, "
                  "a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), format_type(a.atttypid, -1), "
                  "a.attgenerated <> '', has_column_privilege(a.attrelid, a.attnum, 'SELECT') "
                  "FROM pg_catalog.pg_attribute a " PQ_BASE_TYPE
                  "WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (");
    put_oids(p, &sql);
    buf_str(&sql, ") ORDER BY a.attrelid, a.attnum");
    return pgcdc_send_sql(p, p->sql, &sql);
}

static const struct leat_field *declared_field(const struct pgcdc *p, const char *name)
{
    struct leat_bytes want = {(const uint8_t *)name, (uint32_t)strlen(name)};
    uint32_t i = p->declared ? leat_schema_find(p->declared, want) : UINT32_MAX;
    return i == UINT32_MAX ? NULL : &p->declared->columns[i];
}

static leat_status map_column(struct pgcdc *p, const struct pgcdc_table *t, struct pgcdc_column *c,
                              const struct types_catalog *from, const struct leat_field *declared)
{
    const char *wrong = types_map(from, &c->how);
    int as_text = declared && declared->type.kind == LEAT_TYPE_VARCHAR && declared->type.length == LEAT_LENGTH_MAX;
    if (wrong && from->oid == OID_NUMERIC && as_text) // numeric beyond 38 digits is fine as text
        wrong = types_map(
            &(struct types_catalog){.oid = OID_TEXT, .typmod = -1, .typtype = 'b', .not_null = from->not_null},
            &c->how);
    if (wrong) { // all such columns are named at once; until that is said this one passes for a text
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0105", "column \"%s\" of table \"%s\" is of type %s: %s", c->name,
                   t->port_name, c->type_name, wrong);
        pgcdc_cure(p, "Declare a schema for this source that leaves column \"%s\" of \"%s\" out.", c->name,
                   t->port_name);
        (void)types_map(
            &(struct types_catalog){.oid = OID_TEXT, .typmod = -1, .typtype = 'b', .not_null = from->not_null},
            &c->how);
        return LEAT_OK;
    }
    if (!declared)
        return LEAT_OK;
    char have[64], want[64];
    types_name(&c->how.type, have, sizeof have);
    types_name(&declared->type, want, sizeof want);
    wrong = types_declare(&c->how, &declared->type);
    return wrong
               ? leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0106", "column \"%s\" of table \"%s\" is %s, declared as %s: %s",
                           c->name, t->port_name, have, want, wrong)
               : LEAT_OK;
}

// Was the column there when this process first read the catalogue?
static int was_seen(const struct pgcdc *p, const struct pgcdc_table *t, const char *column)
{
    for (uint32_t i = 0; i < p->seen_count; i++) {
        const struct pgcdc_seen_table *seen = &p->seen[i];
        if (*seen->port_name && strcmp(seen->port_name, t->port_name) != 0) // a single table has no name
            continue;
        for (uint32_t k = 0; k < seen->count; k++)
            if (strcmp(seen->columns[k], column) == 0)
                return 1;
        return 0;
    }
    return 1;
}

static leat_status add_attribute(struct pgcdc *p, struct pgcdc_table *t, const PGresult *res, int row)
{
    struct pgcdc_attribute *a = &t->attributes[t->attribute_count++];
    a->name = pgcdc_mem_text(&p->mem, cell(res, row, 1));
    a->oid = (uint32_t)strtoul(cell(res, row, 3), NULL, 10);
    a->attnum = (int16_t)number(res, row, 2);
    a->typmod = number(res, row, 4);
    return a->name ? LEAT_OK : leat_no_memory(p->ctx);
}

static leat_status take_column(struct pgcdc *p, struct pgcdc_table *t, const PGresult *res, int row)
{
    const char *name = cell(res, row, 1);
    const struct leat_field *declared = declared_field(p, name);
    leat_status st = truth(res, row, 11) ? LEAT_OK : add_attribute(p, t, res, row);
    if (st < 0)
        return st;
    if (p->declared && !declared)
        return LEAT_OK; // not wanted
    if (!was_seen(p, t, name)) {
        leat_log(p->ctx, LEAT_LOG_WARN, "column-added",
                 "table \"%s\" has a new column \"%s\" that is not read until leat is restarted", t->port_name, name);
        return LEAT_OK;
    }
    if (truth(res, row, 11)) { // pgoutput does not send generated columns before PostgreSQL 18
        leat_log(p->ctx, LEAT_LOG_WARN, "generated-column",
                 "generated column \"%s\" of table \"%s\" is left out: it is "
                 "not part of the change stream",
                 name, t->port_name);
        return LEAT_OK;
    }
    if (t->readable && !truth(res, row, 12)) { // of a table that cannot be read at all it was said
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102", "user \"%s\" may not read column \"%s\" of table \"%s\"", p->user,
                   name, t->port_name);
        pgcdc_cure(p, "Run GRANT SELECT ON \"%s\".\"%s\" TO \"%s\";", t->schema, t->name, p->user);
    }
    struct pgcdc_column *c = &t->columns[t->count];
    c->name = pgcdc_mem_text(&p->mem, name);
    c->type_name = pgcdc_mem_text(&p->mem, cell(res, row, 10));
    if (!c->name || !c->type_name)
        return leat_no_memory(p->ctx);
    c->attnum = (int16_t)number(res, row, 2);
    c->oid = (uint32_t)strtoul(cell(res, row, 3), NULL, 10);
    c->typmod = number(res, row, 4);
    struct types_catalog from = {
        .oid = (uint32_t)strtoul(cell(res, row, 5), NULL, 10),
        .typmod = number(res, row, 6),
        .typtype = cell(res, row, 7)[0],
        .category = cell(res, row, 8)[0],
        .not_null = (uint8_t)truth(res, row, 9),
        .check_utf8 = p->check_utf8,
    };
    st = map_column(p, t, c, &from, declared);
    if (st == LEAT_OK)
        t->count++;
    return st;
}

// Puts the columns of a declared schema into its order, and misses those that are not there.
static leat_status order_as_declared(struct pgcdc *p, struct pgcdc_table *t)
{
    for (uint32_t want = 0; p->declared && want < p->declared->column_count; want++) {
        struct leat_bytes name = p->declared->columns[want].name;
        uint32_t at = want;
        while (at < t->count &&
               (strlen(t->columns[at].name) != name.len || memcmp(t->columns[at].name, name.ptr, name.len) != 0))
            at++;
        if (at == t->count)
            return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0106", "table \"%s\" has no column \"%.*s\"", t->port_name,
                             (int)name.len, (const char *)name.ptr);
        struct pgcdc_column moved = t->columns[want];
        t->columns[want] = t->columns[at];
        t->columns[at] = moved;
    }
    return LEAT_OK;
}

static struct pgcdc_table *table_of(struct pgcdc *p, uint32_t oid)
{
    for (uint32_t i = 0; i < p->table_count; i++)
        if (p->tables[i].oid == oid)
            return &p->tables[i];
    return NULL;
}

// Rows of the same table from row `first` on.
static int run_of(const PGresult *res, int first)
{
    int i = first;
    while (i < PQntuples(res) && strcmp(cell(res, i, 0), cell(res, first, 0)) == 0)
        i++;
    return i - first;
}

static leat_status take_columns(struct pgcdc *p, PGresult *res)
{
    struct pgcdc_table *t = NULL;
    for (int i = 0; i < PQntuples(res); i++) {
        uint32_t oid = (uint32_t)strtoul(cell(res, i, 0), NULL, 10);
        if (!t || t->oid != oid) {
            t = table_of(p, oid);
            if (!t)
                continue;
            t->columns = pgcdc_mem_alloc(&p->mem, (size_t)run_of(res, i) * sizeof *t->columns);
            t->attributes = pgcdc_mem_alloc(&p->mem, (size_t)run_of(res, i) * sizeof *t->attributes);
            if (!t->columns || !t->attributes)
                return leat_no_memory(p->ctx);
        }
        leat_status st = take_column(p, t, res, i);
        if (st < 0)
            return st;
    }
    for (uint32_t i = 0; i < p->table_count; i++) {
        t = &p->tables[i];
        if (!t->count)
            return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0104", "table \"%s\" has no column to capture", t->port_name);
        leat_status st = order_as_declared(p, t);
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

// --- keys, modes and schemas

static leat_status send_keys(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    // with what the index calls equal: strategy 3 of a B-tree, as all unique indexes are
    buf_str(&sql, "SELECT i.indrelid, i.indisprimary, i.indisreplident, i.indimmediate, k.attnum, a.attname, "
                  "pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) "
                  "FROM pg_catalog.pg_index i, unnest(i.indkey, i.indclass) WITH ORDINALITY k(attnum, class, n), "
                  "pg_catalog.pg_attribute a, pg_catalog.pg_opclass c, pg_catalog.pg_amop s, pg_catalog.pg_operator o, "
                  "pg_catalog.pg_namespace n "
                  "WHERE (i.indisprimary OR i.indisreplident) AND k.n <= i.indnkeyatts AND a.attrelid = i.indrelid "
                  "AND a.attnum = k.attnum AND c.oid = k.class AND s.amopfamily = c.opcfamily AND s.amopstrategy = 3 "
                  "AND s.amoplefttype = c.opcintype AND s.amoprighttype = c.opcintype AND o.oid = s.amopopr "
                  "AND n.oid = o.oprnamespace AND i.indrelid = ANY (");
    put_oids(p, &sql);
    buf_str(&sql, ") ORDER BY i.indrelid, i.indisprimary, k.n");
    return pgcdc_send_sql(p, p->sql, &sql);
}

static uint32_t column_by_number(const struct pgcdc_table *t, int attnum)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->columns[i].attnum == attnum)
            return i;
    return UINT32_MAX;
}

// A table's indexes, as far as they matter.
struct keys {
    const PGresult *res;
    int primary_first, primary_count; // rows of the result
    int identity_first, identity_count;
};

static struct keys keys_of(const PGresult *res, uint32_t oid)
{
    struct keys k = {.res = res};
    for (int i = 0; i < PQntuples(res); i++) {
        if ((uint32_t)strtoul(cell(res, i, 0), NULL, 10) != oid)
            continue;
        if (truth(res, i, 1) && !k.primary_count++)
            k.primary_first = i;
        if (truth(res, i, 2) && !k.identity_count++)
            k.identity_first = i;
    }
    return k;
}

// Does the replica identity tell every change of the primary key?
static int identity_covers_primary(const struct pgcdc_table *t, const struct keys *k)
{
    if (t->identity == 'd' || t->identity == 'f')
        return 1;
    for (int i = 0; i < k->primary_count; i++) {
        int found = 0;
        for (int j = 0; j < k->identity_count; j++)
            found |= strcmp(cell(k->res, k->primary_first + i, 4), cell(k->res, k->identity_first + j, 4)) == 0;
        if (!found)
            return 0;
    }
    return 1;
}

// Upserts need keys that tell every change. Refuses a table whose keys do not.
static leat_status check_upsert_keys(struct pgcdc *p, const struct pgcdc_table *t, const struct keys *k)
{
    struct leat_ctx *ctx = p->ctx;
    if (t->identity == 'n' || (t->identity == 'd' && !k->primary_count)) {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                        t->identity == 'n'
                            ? "table \"%s\" has REPLICA IDENTITY NOTHING: its updates and deletes are not told"
                            : "table \"%s\" has no primary key, so its updates and deletes are not told",
                        t->port_name);
        leat_error_hint(ctx, "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; or give it a primary key.",
                        t->schema, t->name);
        return LEAT_CONFIG;
    }
    if (!k->primary_count && !k->identity_count) {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                        "changelog-mode \"upsert\" needs a primary key, which table \"%s\" "
                        "does not have",
                        t->port_name);
        leat_error_hint(ctx, "Add a primary key, or use changelog-mode \"all\".");
        return LEAT_CONFIG;
    }
    if (k->primary_count && !truth(k->res, k->primary_first, 3)) {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                        "the primary key of table \"%s\" is DEFERRABLE: rows may change places within a transaction, "
                        "which its keys alone do not tell, and PostgreSQL does not take it as a replica identity",
                        t->port_name);
        leat_error_hint(ctx, "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL;%s", t->schema, t->name,
                        p->config->changelog_mode == PGCDC_CHANGELOG_UPSERT ? " and leave changelog-mode out." : "");
        return LEAT_CONFIG;
    }
    if (!identity_covers_primary(t, k)) {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                        "the replica identity of table \"%s\" is an index that leaves out columns of the primary key",
                        t->port_name);
        leat_error_hint(ctx, "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY DEFAULT;", t->schema, t->name);
        return LEAT_CONFIG;
    }
    return LEAT_OK;
}

static leat_status choose_mode(struct pgcdc *p, struct pgcdc_table *t, const struct keys *k)
{
    struct leat_ctx *ctx = p->ctx;
    int wanted = p->config->changelog_mode;
    if (p->config->startup_mode == PGCDC_SNAPSHOT_ONLY) {
        t->mode = LEAT_MODE_INSERT_ONLY;
        return LEAT_OK;
    }
    if (wanted == PGCDC_CHANGELOG_ALL && t->identity != 'f') {
        (void)leat_fail(ctx, LEAT_CONFIG, "LEAT-G0104",
                        "changelog-mode \"all\" needs the rows before updates, which table \"%s\" does not log",
                        t->port_name);
        leat_error_hint(ctx, "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; or use changelog-mode \"upsert\".",
                        t->schema, t->name);
        return LEAT_CONFIG;
    }
    t->mode = t->identity == 'f' && wanted != PGCDC_CHANGELOG_UPSERT ? LEAT_MODE_ALL : LEAT_MODE_UPSERT;
    return t->mode == LEAT_MODE_ALL ? LEAT_OK : check_upsert_keys(p, t, k);
}

// The schema's key: the primary key, or else the unique index that is the replica identity.
static leat_status choose_key(struct pgcdc *p, struct pgcdc_table *t, const struct keys *k)
{
    int first = k->primary_count ? k->primary_first : k->identity_first;
    int count = k->primary_count ? k->primary_count : k->identity_count;
    uint32_t *key = pgcdc_mem_alloc(&p->mem, ((size_t)count + 1) * sizeof *key);
    if (!key)
        return leat_no_memory(p->ctx);
    for (int i = 0; i < count; i++) {
        key[i] = column_by_number(t, number(k->res, first + i, 4));
        if (key[i] == UINT32_MAX) {
            if (t->mode != LEAT_MODE_UPSERT)
                return LEAT_OK; // a declared schema may leave the key out; then there is none
            return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0106",
                             "the key column \"%s\" of table \"%s\" must be declared", cell(k->res, first + i, 5),
                             t->port_name);
        }
    }
    for (int i = 0; i < count; i++) {
        t->columns[key[i]].is_key = 1;
        t->columns[key[i]].equals = pgcdc_mem_text(&p->mem, cell(k->res, first + i, 6));
        if (!t->columns[key[i]].equals)
            return leat_no_memory(p->ctx);
        t->columns[key[i]].how.type.nullable = 0;
    }
    t->out.key = key;
    t->out.key_count = (uint32_t)count;
    if (count && truth(k->res, first, 3))
        t->out.flags |= LEAT_SCHEMA_KEY_IMMEDIATE;
    return LEAT_OK;
}

// A declared primary key must be the table's, in whatever order.
static leat_status check_declared_key(struct pgcdc *p, const struct pgcdc_table *t)
{
    const struct leat_schema *d = p->declared;
    if (!d || !d->key_count)
        return LEAT_OK;
    int same = d->key_count == t->out.key_count;
    for (uint32_t i = 0; same && i < d->key_count; i++) // columns stand in the declared order
        same = t->columns[d->key[i]].is_key;
    return same ? LEAT_OK
                : leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0106",
                            "the declared primary key is not the key of table \"%s\"", t->port_name);
}

static leat_status make_schema(struct pgcdc *p, struct pgcdc_table *t)
{
    struct leat_field *fields = pgcdc_mem_alloc(&p->mem, t->count * sizeof *fields);
    t->from = pgcdc_mem_alloc(&p->mem, t->count * sizeof *t->from);
    if (!fields || !t->from)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < t->count; i++) {
        fields[i].name = (struct leat_bytes){(const uint8_t *)t->columns[i].name, (uint32_t)strlen(t->columns[i].name)};
        fields[i].type = t->columns[i].how.type;
    }
    t->out.struct_size = sizeof t->out;
    t->out.column_count = t->count;
    t->out.columns = fields;
    return LEAT_OK;
}

static leat_status take_keys(struct pgcdc *p, PGresult *res)
{
    p->ports = pgcdc_mem_alloc(&p->mem, p->table_count * sizeof *p->ports);
    if (!p->ports)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        struct keys k = keys_of(res, t->oid);
        leat_status st = choose_mode(p, t, &k);
        if (st == LEAT_OK)
            st = choose_key(p, t, &k);
        if (st == LEAT_OK)
            st = check_declared_key(p, t);
        if (st == LEAT_OK)
            st = make_schema(p, t);
        if (st < 0)
            return st;
        t->port = i;
        p->ports[i].name = (struct leat_bytes){(const uint8_t *)t->port_name, (uint32_t)strlen(t->port_name)};
        p->ports[i].schema = &t->out;
        p->ports[i].mode = t->mode;
    }
    return LEAT_OK;
}

static const struct pgcdc_step catalog_script[] = {
    {"read the server's settings", 0, send_settings, take_settings},
    {"list the tables", 0, send_tables, take_tables},
    {"read the columns of the captured tables", 0, send_columns, take_columns},
    {"read the keys of the captured tables", 0, send_keys, take_keys},
    {0},
};

leat_status pgcdc_catalog(struct pgcdc *p)
{
    leat_status st = pgcdc_script(p, catalog_script);
    if (st == LEAT_AGAIN || !p->missing)
        return st;
    // once somebody has to be asked: also for what comes next
    if (p->config->startup_mode != PGCDC_SNAPSHOT_ONLY &&
        p->config->publication_autocreate == PGCDC_AUTOCREATE_FILTERED)
        pgcdc_miss_publication(p);
    return pgcdc_missing_fail(p);
}
