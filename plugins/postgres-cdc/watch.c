// SPDX-License-Identifier: Apache-2.0
// What is asked of the server beside the stream, now and then, from the timer of the feedback: where its log ends. The
// connection is the one that values are fetched with (reselect.c), one query at a time.
#include "pgcdc_int.h"

leat_status pgcdc_take_end(struct pgcdc *p)
{
    PGresult *res = NULL;
    leat_status st = pq_take(p->sql, "ask for the end of the log", &res);
    if (st != LEAT_OK)
        return st;
    uint64_t end = PQntuples(res) == 1 ? pgcdc_lsn_parse(PQgetvalue(res, 0, 0)) : 0;
    pgcdc_lag_sample(p, end);
    p->asking_end = 0;
    PQclear(res);
    return LEAT_OK;
}

leat_status pgcdc_ask_end(struct pgcdc *p)
{
    if (!p->asking_end && (p->reselecting || !p->sql))
        return LEAT_OK;
    leat_status st = LEAT_OK;
    if (!p->asking_end) {
        st = pq_send(p->sql, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                             "ELSE pg_current_wal_flush_lsn() END");
        p->asking_end = st == LEAT_OK;
    }
    if (st == LEAT_OK)
        st = pgcdc_take_end(p);
    return st < 0 ? st : LEAT_OK;
}
