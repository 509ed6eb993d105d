// SPDX-License-Identifier: Apache-2.0
// See server.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "server.h"

static char answer[1 << 20];

static const char *env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not set; tests/integration/jdbc runs this program\n", name);
        exit(2);
    }
    return value;
}

static void no_notice(void *arg, const char *text) {}

static PGresult *query(const char *sql)
{
    static PGconn *pg;
    if (!pg)
        pg = PQsetdbLogin(env("JDBC_HOST"), env("JDBC_PORT"), NULL, NULL, env("JDBC_DATABASE"), "postgres", NULL);
    PQsetNoticeProcessor(pg, no_notice, NULL);
    PGresult *res = PQexec(pg, sql);
    ExecStatusType how = PQresultStatus(res);
    if (how != PGRES_COMMAND_OK && how != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQresultErrorMessage(res));
        abort();
    }
    return res;
}

void server_run(const char *sql)
{
    PQclear(query(sql));
}

const char *server_rows(const char *sql)
{
    PGresult *res = query(sql);
    size_t n = 0;
    answer[0] = 0;
    for (int row = 0; row < PQntuples(res); row++)
        for (int col = 0; col < PQnfields(res) && n < sizeof answer; col++)
            n += (size_t)snprintf(answer + n, sizeof answer - n, "%s%s",
                                  PQgetisnull(res, row, col) ? "~" : PQgetvalue(res, row, col),
                                  col + 1 < PQnfields(res) ? "|" : "\n");
    PQclear(res);
    return answer;
}

const char *server_url(const char *more)
{
    static char url[512];
    snprintf(url, sizeof url, "jdbc:postgresql://%s:%s/%s%s", env("JDBC_HOST"), env("JDBC_PORT"), env("JDBC_DATABASE"),
             more);
    return url;
}
