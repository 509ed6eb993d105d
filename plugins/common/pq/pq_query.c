// SPDX-License-Identifier: Apache-2.0
// One query at a time on a connected pq_conn: send, then take the result when it is there.
#include <string.h>

#include "pq_int.h"

static leat_status lost(struct pq_conn *conn)
{
    return pq_fail(conn->ctx, conn->pg, NULL, "the connection to PostgreSQL at \"%s\" was lost", conn->where);
}

leat_status pq_flush(struct pq_conn *conn)
{
    int left = PQflush(conn->pg);
    if (left < 0)
        return lost(conn);
    if (left == 0)
        return LEAT_OK;
    // Reading too: a server that cannot send its answers will not read what we have to say.
    leat_status st = pq_conn_await(conn, LEAT_READ | LEAT_WRITE);
    return st < 0 ? st : LEAT_AGAIN;
}

static leat_status sent(struct pq_conn *conn, int ok)
{
    PQclear(conn->last);
    conn->last = NULL;
    if (!ok)
        return lost(conn);
    leat_status st = pq_flush(conn);
    return st < 0 ? st : LEAT_OK;
}

leat_status pq_send(struct pq_conn *conn, const char *sql)
{
    return sent(conn, PQsendQuery(conn->pg, sql));
}

leat_status pq_send_params(struct pq_conn *conn, const char *sql, int count, const char *const *values)
{
    return sent(conn, PQsendQueryParams(conn->pg, sql, count, NULL, values, NULL, NULL, 0));
}

static int opens_copy(const PGresult *res)
{
    ExecStatusType how = PQresultStatus(res);
    return how == PGRES_COPY_IN || how == PGRES_COPY_OUT || how == PGRES_COPY_BOTH;
}

static int is_failure(const PGresult *res)
{
    ExecStatusType how = PQresultStatus(res);
    return how == PGRES_FATAL_ERROR || how == PGRES_BAD_RESPONSE || how == PGRES_NONFATAL_ERROR;
}

// Keeps the newest result, but never lets a later one hide a failure.
static void keep(struct pq_conn *conn, PGresult *res)
{
    if (conn->last && is_failure(conn->last)) {
        PQclear(res);
        return;
    }
    PQclear(conn->last);
    conn->last = res;
}

// LEAT_OK: all results have been read, or a COPY began.
static leat_status collect(struct pq_conn *conn)
{
    for (;;) {
        if (PQisBusy(conn->pg)) {
            leat_status st = pq_flush(conn);
            if (st != LEAT_OK)
                return st;
            st = pq_conn_await(conn, LEAT_READ);
            return st < 0 ? st : LEAT_AGAIN;
        }
        PGresult *res = PQgetResult(conn->pg);
        if (!res)
            return LEAT_OK;
        keep(conn, res);
        if (opens_copy(res))
            return LEAT_OK;
    }
}

leat_status pq_take(struct pq_conn *conn, const char *what, PGresult **res)
{
    // A lost connection shows as a result too, with the server's last words; so this failure waits for collect.
    int alive = PQconsumeInput(conn->pg);
    leat_status st = collect(conn);
    if (st != LEAT_OK)
        return st;
    if (!conn->last)
        return alive ? leat_fail(conn->ctx, LEAT_BUG, "LEAT-Q0004", "no result to take: could not %s", what)
                     : lost(conn);
    if (is_failure(conn->last)) {
        st = pq_fail(conn->ctx, conn->pg, conn->last, "could not %s", what);
        PQclear(conn->last);
        conn->last = NULL;
        return st;
    }
    *res = conn->last;
    conn->last = NULL;
    return LEAT_OK;
}
