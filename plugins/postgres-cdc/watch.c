// SPDX-License-Identifier: Apache-2.0
// What is asked of the server beside the stream, now and then, from the timer of the feedback: where its log ends, and
// whether the captured tables are published as they were at the start. The stream does not tell that: the changes of a
// table that was dropped, taken out of the publication or is published in another way just do not come any more.
//
// The connection is the one that values are fetched with (reselect.c), one query at a time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

#define SQL_MAX (1u << 16)

// One row: the end of the log, and of the tables whose changes are not all told any more one, with whether it exists.
// Altered and altered back counts as well: gaps.c.
static leat_status send_question(struct pgcdc *p)
{
    struct buf sql;
    struct buf marks;
    char number[96];
    uint32_t n = 0;
    buf_init(&sql, SQL_MAX);
    buf_init(&marks, SQL_MAX);
    buf_str(&sql, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() "
                  "END, v.oid, c.oid IS NOT NULL "
                  "FROM (SELECT 1) one LEFT JOIN (SELECT v.oid FROM unnest('{");
    for (uint32_t i = 0; i < p->table_count; i++) {
        if (!p->tables[i].used)
            continue;
        snprintf(number, sizeof number, "%s%u", n ? "," : "", p->tables[i].oid);
        buf_str(&sql, number);
        snprintf(number, sizeof number, "%s%u", n++ ? "," : "", p->tables[i].mark);
        buf_str(&marks, number);
    }
    buf_u8(&marks, 0);
    buf_str(&sql, "}'::oid[], '{");
    buf_str(&sql, buf_ok(&marks) ? (const char *)marks.ptr : "");
    sql.failed |= marks.failed;
    buf_fini(&marks);
    buf_str(&sql,
            "}'::oid[]) v(oid, mark) WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_publication p, "
            "LATERAL pg_catalog.pg_get_publication_tables(p.pubname) g "
            "WHERE p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND g.relid = v.oid AND v.mark = ");
    pgcdc_put_mark(p, &sql);
    snprintf(number, sizeof number, " AND p.oid = %u AND (p.xmin::text = '%u' OR p.pubowner <> %u) ",
             p->marks.publication, p->marks.xmin, p->marks.owner);
    buf_str(&sql, number);
    buf_str(&sql, p->server_version >= 150000 ? "AND g.qual IS NULL AND p.pubname = " : "AND p.pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    buf_str(&sql, ") LIMIT 1) v ON true LEFT JOIN pg_catalog.pg_class c ON c.oid = v.oid");
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status untold(struct pgcdc *p, const struct pgcdc_table *t, int exists)
{
    if (!exists)
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201", "table \"%s\" was dropped while its changes were read",
                        t->port_name);
    else
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "publication \"%s\" was altered and may not have told all changes of table \"%s\"",
                        p->publication, t->port_name);
    if (!exists)
        leat_error_hint(p->ctx, "Start leat again: it says what can be done if there is a new table of that name.");
    else
        leat_error_hint(p->ctx,
                        "Alter the publication back, drop slot \"%s\" and start once with --forget-state %s to read a "
                        "new snapshot. If it left nothing out, start once with --forget-state %s and slot.reuse = "
                        "\"continue\".",
                        p->slot, p->node, p->node);
    return LEAT_FATAL;
}

static leat_status take_answer(struct pgcdc *p, const PGresult *res)
{
    if (PQntuples(res) != 1)
        return LEAT_OK;
    pgcdc_lag_sample(p, pgcdc_lsn_parse(PQgetvalue(res, 0, 0)));
    uint32_t oid = (uint32_t)strtoul(PQgetvalue(res, 0, 1), NULL, 10);
    for (uint32_t i = 0; oid && i < p->table_count; i++)
        if (p->tables[i].oid == oid)
            return untold(p, &p->tables[i], PQgetvalue(res, 0, 2)[0] == 't');
    return LEAT_OK;
}

leat_status pgcdc_take_end(struct pgcdc *p)
{
    PGresult *res = NULL;
    leat_status st = pq_take(p->sql, "ask for the end of the log", &res);
    if (st != LEAT_OK)
        return st;
    p->asking_end = 0;
    st = take_answer(p, res);
    PQclear(res);
    return st;
}

leat_status pgcdc_ask_end(struct pgcdc *p)
{
    if (!p->asking_end && (p->reselecting || !p->sql))
        return LEAT_OK;
    leat_status st = LEAT_OK;
    if (!p->asking_end) {
        st = send_question(p);
        p->asking_end = st == LEAT_OK;
    }
    if (st == LEAT_OK)
        st = pgcdc_take_end(p);
    return st < 0 ? st : LEAT_OK;
}
