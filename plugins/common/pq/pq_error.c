// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's errors as leat's. The class follows from the SQLSTATE alone, by a table: longer prefixes stand first.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pq.h"

struct rule {
    const char *prefix;
    leat_status failure;
};

static const struct rule rules[] = {
    {"53100", LEAT_RESOURCE},  // disk full
    {"53200", LEAT_RESOURCE},  // out of memory
    {"57P04", LEAT_CONFIG},    // the database was dropped
    {"25006", LEAT_TRANSIENT}, // read-only transaction: a standby after a failover
    {"25P03", LEAT_TRANSIENT}, // idle in transaction for too long
    {"55006", LEAT_TRANSIENT}, // object in use: a slot that another process still holds
    {"55P03", LEAT_TRANSIENT}, // lock not available
    {"08", LEAT_TRANSIENT},    // connection
    {"28", LEAT_TRANSIENT},    // login: passwords are rotated
    {"3D", LEAT_TRANSIENT},    // no such database (yet)
    {"40", LEAT_TRANSIENT},    // serialization failure, deadlock
    {"53", LEAT_TRANSIENT},    // too many connections
    {"57", LEAT_TRANSIENT},    // shutdown, start-up, cancelled
    {"58", LEAT_TRANSIENT},    // I/O error of the server
    {"22", LEAT_DATA},         // a value does not fit
    {"23", LEAT_DATA},         // a constraint refuses the row
    {"42501", LEAT_CONFIG},    // a right is missing
    {"42P01", LEAT_TRANSIENT}, // no such table: as before the start, it may come back (a swap by renaming)
    {"42", LEAT_CONFIG},       // no such table, column, …
    {"F0", LEAT_CONFIG},       // the server's own configuration file
};

leat_status pq_class(const char *sqlstate)
{
    if (!sqlstate || !*sqlstate)
        return LEAT_TRANSIENT;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].failure;
    return LEAT_FATAL;
}

// The first line without the severity, which libpq puts in front of what the server said.
static void first_line(char *out, size_t size, const char *text)
{
    while (*text == '\n')
        text++;
    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

leat_status pq_fail(struct leat_ctx *ctx, PGconn *conn, const PGresult *res, const char *fmt, ...)
{
    char said[512], message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    first_line(said, sizeof said, primary ? primary : conn ? PQerrorMessage(conn) : "");
    int gone = !state || (conn && PQstatus(conn) == CONNECTION_BAD);
    leat_status failure = gone ? LEAT_TRANSIENT : pq_class(state);
    const char *code = gone ? "LEAT-Q0003" : "LEAT-Q0004";
    leat_status st =
        said[0] ? leat_fail(ctx, failure, code, "%s: %s", message, said) : leat_fail(ctx, failure, code, "%s", message);
    ctx->host->error_native(ctx, state ? state : "", said);
    const char *detail = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : NULL;
    const char *hint = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT) : NULL;
    if (detail)
        leat_error_detail(ctx, "%s", detail);
    if (hint)
        leat_error_hint(ctx, "%s", hint);
    return st;
}
