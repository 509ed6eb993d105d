// SPDX-License-Identifier: Apache-2.0
// Were the tables published without a gap since the checkpoint? A table that is taken out of the publication and put in
// again, or a publication that leaves out some changes for a while, looks the same afterwards, and its changes of
// meanwhile never come. But the catalogue's rows are others then: what puts a table into the publication has a number of
// its own (pg_publication_rel.oid), and a publication that was altered another xmin, which VACUUM leaves as it is. These
// marks are kept in the state and compared, at every start and by watch.c.
//
// A new owner of the publication changes its xmin too: then only a warning is given. Adding tables changes nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

#define SQL_MAX (1u << 20)

void pgcdc_put_mark(const struct pgcdc *p, struct buf *sql)
{
    buf_str(sql, "coalesce((SELECT r.oid FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid AND "
                 "r.prrelid = v.oid), ");
    if (p->server_version >= 150000)
        buf_str(sql, "(SELECT n.oid FROM pg_catalog.pg_publication_namespace n JOIN pg_catalog.pg_class c ON "
                     "c.relnamespace = n.pnnspid WHERE n.pnpubid = p.oid AND c.oid = v.oid), ");
    buf_str(sql, "0)");
}

leat_status pgcdc_send_marks(struct pgcdc *p)
{
    struct buf sql;
    char oid[16];
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT p.oid, p.xmin, p.pubowner, v.oid, ");
    pgcdc_put_mark(p, &sql);
    buf_str(&sql, " FROM pg_catalog.pg_publication p, unnest('{");
    for (uint32_t i = 0; i < p->table_count; i++) {
        snprintf(oid, sizeof oid, "%s%u", i ? "," : "", p->tables[i].oid);
        buf_str(&sql, oid);
    }
    buf_str(&sql, "}'::oid[]) v(oid) WHERE p.pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status gap(struct pgcdc *p, const char *what, const char *how)
{
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                    "%s was %s after the checkpoint at " PGCDC_LSN ": changes of meanwhile may not have been told",
                    what, how, PGCDC_LSN_OF(p->saved.at.lsn));
    leat_error_hint(
        p->ctx,
        "Empty the targets, drop slot \"%s\" and start once with --forget-state %s to read a new snapshot. "
        "If nothing was changed meanwhile, start once with --forget-state %s and slot.reuse = \"continue\".",
        p->slot, p->node, p->node);
    return LEAT_FATAL;
}

static leat_status compare_publication(struct pgcdc *p)
{
    const struct pgcdc_marks *was = &p->saved.marks, *now = &p->marks;
    char what[128];
    snprintf(what, sizeof what, "publication \"%s\"", p->publication);
    if (!was->publication || (was->publication == now->publication && was->xmin == now->xmin))
        return LEAT_OK;
    if (was->publication != now->publication)
        return gap(p, what, "created or chosen");
    if (was->owner == now->owner)
        return gap(p, what, "altered");
    leat_log(p->ctx, LEAT_LOG_WARN, "publication",
             "%s got another owner after the checkpoint; whether it left out changes meanwhile cannot be told", what);
    return LEAT_OK;
}

static leat_status compare_table(struct pgcdc *p, const struct pgcdc_table *t)
{
    const struct pgcdc_saved_table *was = pgcdc_saved_of(p, t);
    char what[256];
    if (!t->used || !was || !was->mark || was->mark == t->mark)
        return LEAT_OK;
    snprintf(what, sizeof what, "table \"%s\"", t->port_name);
    return gap(p, what, "taken out of its publication and put in again");
}

leat_status pgcdc_take_marks(struct pgcdc *p, PGresult *res)
{
    for (int i = 0; i < PQntuples(res); i++) {
        uint32_t oid = (uint32_t)strtoul(PQgetvalue(res, i, 3), NULL, 10);
        p->marks = (struct pgcdc_marks){.publication = (uint32_t)strtoul(PQgetvalue(res, i, 0), NULL, 10),
                                        .xmin = (uint32_t)strtoul(PQgetvalue(res, i, 1), NULL, 10),
                                        .owner = (uint32_t)strtoul(PQgetvalue(res, i, 2), NULL, 10)};
        for (uint32_t k = 0; k < p->table_count; k++)
            if (p->tables[k].oid == oid)
                p->tables[k].mark = (uint32_t)strtoul(PQgetvalue(res, i, 4), NULL, 10);
    }
    leat_status st = p->restored ? compare_publication(p) : LEAT_OK;
    for (uint32_t i = 0; p->restored && st == LEAT_OK && i < p->table_count; i++)
        st = compare_table(p, &p->tables[i]);
    return st;
}
