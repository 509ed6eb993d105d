// SPDX-License-Identifier: Apache-2.0
// The publication: made or extended so that it tells all changes of the captured tables, or refused with what is wrong.
// The steps are those of slot.c's script. That it stays so while we stream is for watch.c to see.
#include <string.h>

#include "fault.h"
#include "pgcdc_int.h"

#define SQL_MAX (1u << 20)

static const char *cell(const PGresult *res, int row, int column)
{
    return PQgetvalue(res, row, column);
}

leat_status pgcdc_send_publication(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate, ");
    buf_str(&sql, p->server_version >= 130000 ? "pubviaroot" : "false");
    buf_str(&sql, " FROM pg_catalog.pg_publication WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    return pgcdc_send_sql(p, p->sql, &sql);
}

leat_status pgcdc_take_publication(struct pgcdc *p, PGresult *res)
{
    p->publication_exists = PQntuples(res) > 0;
    p->publication_all = p->publication_exists && cell(res, 0, 0)[0] == 't';
    p->publication_by_root = p->publication_exists && cell(res, 0, 2)[0] == 't';
    if (p->publication_exists && cell(res, 0, 1)[0] != 't') {
        (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201", "publication \"%s\" leaves out some kinds of changes",
                        p->publication);
        leat_error_hint(p->ctx, "Run ALTER PUBLICATION \"%s\" SET (publish = 'insert, update, delete, truncate');",
                        p->publication);
        return LEAT_CONFIG;
    }
    if (!p->publication_exists && p->config->publication_autocreate == PGCDC_AUTOCREATE_DISABLED) {
        (void)leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-G0201", "publication \"%s\" does not exist", p->publication);
        leat_error_hint(p->ctx,
                        "Run CREATE PUBLICATION \"%s\" FOR TABLE with the captured tables, or leave "
                        "publication.autocreate.mode at \"filtered\".",
                        p->publication);
        return LEAT_TRANSIENT;
    }
    return LEAT_OK;
}

// One row per table, from 15 on one per column of a table, with its row filter.
leat_status pgcdc_send_published(struct pgcdc *p)
{
    struct buf sql;
    if (!p->publication_exists)
        return LEAT_END;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, p->server_version >= 150000 ? "SELECT schemaname, tablename, a, rowfilter FROM "
                                                "pg_catalog.pg_publication_tables, unnest(attnames) a WHERE pubname = "
                                              : "SELECT schemaname, tablename, NULL, NULL FROM "
                                                "pg_catalog.pg_publication_tables WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static int is_published(const PGresult *res, const struct pgcdc_table *t, const char *column)
{
    for (int i = 0; i < PQntuples(res); i++)
        if (strcmp(cell(res, i, 0), t->schema) == 0 && strcmp(cell(res, i, 1), t->name) == 0 &&
            (!column || PQgetisnull(res, i, 2) || strcmp(cell(res, i, 2), column) == 0))
            return 1;
    return 0;
}

static int has_filter(const PGresult *res, const struct pgcdc_table *t)
{
    for (int i = 0; i < PQntuples(res); i++)
        if (strcmp(cell(res, i, 0), t->schema) == 0 && strcmp(cell(res, i, 1), t->name) == 0 && !PQgetisnull(res, i, 3))
            return 1;
    return 0;
}

static leat_status check_published(struct pgcdc *p, const PGresult *res, const struct pgcdc_table *t)
{
    if (has_filter(res, t))
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                         "publication \"%s\" filters the rows of table \"%s\", which a snapshot would not",
                         p->publication, t->port_name);
    for (uint32_t i = 0; i < t->count; i++)
        if (!is_published(res, t, t->columns[i].name))
            return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                             "publication \"%s\" leaves out the captured column \"%s\" of table \"%s\"", p->publication,
                             t->columns[i].name, t->port_name);
    return LEAT_OK;
}

// What a table was at the checkpoint must still be true of it, or changes since then were not told.
static leat_status check_known(struct pgcdc *p, const struct pgcdc_table *t)
{
    const struct pgcdc_saved_table *saved = pgcdc_saved_find(p, t->schema, t->name);
    if (!saved || (saved == pgcdc_saved_of(p, t) && t->published))
        return LEAT_OK;
    if (saved == pgcdc_saved_of(p, t)) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "table \"%s\" was taken out of publication \"%s\" after the checkpoint at " PGCDC_LSN
                        ": its changes since then were not told",
                        t->port_name, p->publication, PGCDC_LSN_OF(p->saved.at.lsn));
        leat_error_hint(p->ctx, "Drop slot \"%s\" and start once with --forget-state %s to read a new snapshot.",
                        p->slot, p->node);
        return LEAT_FATAL;
    }
    if (p->config->on_truncate == PGCDC_TRUNCATE_IGNORE) {
        leat_log(p->ctx, LEAT_LOG_WARN, "truncate",
                 "table \"%s\" was dropped and created anew: the new one is read whole, deletes of the former one's "
                 "rows are left out",
                 t->port_name);
        return LEAT_OK;
    }
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0303",
                    "table \"%s\" is another one than that of the checkpoint: it was dropped and created anew, or "
                    "renamed",
                    t->port_name);
    leat_error_hint(p->ctx,
                    "Empty the targets if they should follow, set on-truncate = \"ignore\" and start again: the new "
                    "table is then read whole.");
    return LEAT_FATAL;
}

static leat_status by_root(struct pgcdc *p, const struct pgcdc_table *t)
{
    (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                    "publication \"%s\" publishes partitions under the name of their root, so that changes of \"%s\" "
                    "would not be told",
                    p->publication, t->port_name);
    leat_error_hint(p->ctx,
                    "Run ALTER PUBLICATION \"%s\" SET (publish_via_partition_root = false); or leave "
                    "publication.name out.",
                    p->publication);
    return LEAT_CONFIG;
}

leat_status pgcdc_take_published(struct pgcdc *p, PGresult *res)
{
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        if (!t->used)
            continue;
        t->published = (uint8_t)is_published(res, t, NULL);
        leat_status st = check_known(p, t);
        if (st == LEAT_OK && t->published)
            st = check_published(p, res, t);
        else if (st == LEAT_OK && p->publication_by_root && t->is_partition)
            st = by_root(p, t);
        if (st < 0)
            return st;
        if (!t->published && p->config->publication_autocreate == PGCDC_AUTOCREATE_DISABLED) {
            (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201", "publication \"%s\" does not have table \"%s\"",
                            p->publication, t->port_name);
            leat_error_hint(p->ctx, "Run ALTER PUBLICATION \"%s\" ADD TABLE \"%s\".\"%s\";", p->publication, t->schema,
                            t->name);
            return LEAT_CONFIG;
        }
    }
    return LEAT_OK;
}

// The log is decoded with the catalogue of its time: where the publication did not exist yet, decoding fails.
static leat_status publication_too_late(struct pgcdc *p)
{
    if (p->restored)
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "publication \"%s\" was dropped: the changes since " PGCDC_LSN " cannot be decoded any more",
                        p->publication, PGCDC_LSN_OF(p->saved.at.lsn));
    else
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "replication slot \"%s\" stands at " PGCDC_LSN ", before publication \"%s\" would be created",
                        p->slot, PGCDC_LSN_OF(p->slot_confirmed), p->publication);
    if (p->restored)
        leat_error_hint(p->ctx,
                        "Creating it again does not help. Drop the slot and start once with --forget-state %s to read "
                        "a new snapshot.",
                        p->node);
    else
        leat_error_hint(p->ctx, "Set slot.reuse to \"snapshot\", or name a publication as old as the slot.");
    return LEAT_FATAL;
}

// A transient run uses a publication that has all of its tables, but changes none: else it makes one for itself.
static void publish_apart(struct pgcdc *p)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < p->table_count; i++)
        missing += p->tables[i].used && !p->tables[i].published;
    if (!p->own_name[0] || !missing)
        return;
    for (uint32_t i = 0; i < p->table_count; i++)
        p->tables[i].published = 0;
    p->publication = p->own_name;
    p->publication_exists = 0;
}

leat_status pgcdc_send_publish(struct pgcdc *p)
{
    struct buf sql;
    uint32_t n = 0;
    publish_apart(p);
    if (!p->publication_exists && p->slot_exists && (p->restored || p->config->slot_reuse != PGCDC_REUSE_SNAPSHOT))
        return publication_too_late(p);
    pgcdc_miss_publication(p);
    if (p->missing || p->missing_lost)
        return pgcdc_missing_fail(p);
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, p->publication_exists ? "ALTER PUBLICATION " : "CREATE PUBLICATION ");
    pq_ident(&sql, p->publication);
    for (uint32_t i = 0; i < p->table_count; i++) {
        const struct pgcdc_table *t = &p->tables[i];
        if (!t->used || t->published)
            continue;
        buf_str(&sql, n++ ? ", " : p->publication_exists ? " ADD TABLE ONLY " : " FOR TABLE ONLY ");
        if (n > 1)
            buf_str(&sql, "ONLY ");
        pq_qualified(&sql, t->schema, t->name);
    }
    if (n)
        return pgcdc_send_sql(p, p->sql, &sql);
    buf_fini(&sql);
    return LEAT_END;
}

leat_status pgcdc_take_publish(struct pgcdc *p, PGresult *res)
{
    (void)res;
    leat_log(p->ctx, LEAT_LOG_INFO, "publication", "%s publication \"%s\"",
             p->publication_exists ? "added tables to" : "created", p->publication);
    LEAT_FAULT("pgcdc-after-publication");
    p->made_publication = p->own_name[0] != 0;
    return LEAT_OK;
}

static leat_status send_unpublish(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "DROP PUBLICATION IF EXISTS ");
    pq_ident(&sql, p->publication);
    return pgcdc_send_sql(p, p->sql, &sql);
}

leat_status pgcdc_unpublish(struct pgcdc *p)
{
    static const struct pgcdc_step script[] = {{"drop the publication", 0, send_unpublish, NULL}, {0}};
    leat_status st = pgcdc_script(p, script);
    if (st == LEAT_AGAIN)
        return st;
    if (st < 0)
        leat_log(p->ctx, LEAT_LOG_WARN, "publication", "publication \"%s\" could not be dropped and is left behind",
                 p->publication);
    p->made_publication = 0;
    return LEAT_OK;
}
