// SPDX-License-Identifier: Apache-2.0
// libpq without blocking: connections, queries, errors and quoting for the plugins that talk to PostgreSQL.
//
// Everything is stepped. A call does what can be done now and returns LEAT_AGAIN when it has to wait; the connection
// then notifies its owner once (host->wake unless another function is given) and the owner calls again. What waits is
// one watch on the socket, armed for a single event: a node that is not polled, because the way is full, does not spin.
//
//     st = pq_conn_step(conn);                       // LEAT_AGAIN … LEAT_OK: connected
//     st = pq_send(conn, "SELECT 1");                // queued; flushed as far as the socket takes it
//     st = pq_take(conn, &res);                      // LEAT_AGAIN … LEAT_OK: the last result, to be PQclear'ed
//
// Thread: home worker. A connection owns its PGconn, its watch and its timer.
#ifndef PLUGINS_COMMON_PQ_H
#define PLUGINS_COMMON_PQ_H

#include <stdint.h>

#include <libpq-fe.h>

#include <leat/host.h>

#include "buf.h"

// A libpq connection keyword with its value; value NULL is left out.
struct pq_param {
    const char *key;
    const char *value;
};

// Told that a step makes sense. A failure it returns fails the node.
typedef leat_status (*pq_notify_fn)(struct leat_ctx *ctx, void *arg);

struct pq_conn;

// Begins to connect; no I/O yet. Strings are copied. "host" may be a name, an address or a socket folder;
// client_encoding is UTF8 unless given. `timeout` in microseconds bounds the whole attempt (0 = none). notify NULL =
// host->wake.
LEAT_MUST_CHECK leat_status pq_conn_create(struct leat_ctx *ctx, const struct pq_param *params, uint32_t count,
                                           int64_t timeout, pq_notify_fn notify, void *arg, struct pq_conn **out);

// Goes on connecting: LEAT_OK once connected (and ever after), LEAT_AGAIN, or a failure, LEAT_TRANSIENT for nearly all.
LEAT_MUST_CHECK leat_status pq_conn_step(struct pq_conn *conn);

// Closes at once, without waiting for the server; NULL is fine.
void pq_conn_destroy(struct pq_conn *conn);

// The libpq connection, for COPY and pipelines; NULL before the name is resolved.
PGconn *pq_conn_raw(struct pq_conn *conn);

// "host:port", for messages.
const char *pq_conn_where(const struct pq_conn *conn);

// Notifies once when the socket is ready for any of `ready` (LEAT_READ, LEAT_WRITE; 0 = do not).
LEAT_MUST_CHECK leat_status pq_conn_await(struct pq_conn *conn, uint32_t ready);

// Notifies once after `usec`, without looking at the socket before: for a reader whose server sends piece by piece, and
// pays for waking it each time.
LEAT_MUST_CHECK leat_status pq_conn_nap(struct pq_conn *conn, int64_t usec);

// Still waiting for what pq_conn_await asked for: 0 once it came, whether or not the owner has looked since.
int pq_conn_awaits(const struct pq_conn *conn);

// --- queries: one at a time

// Sends SQL, one or more statements, by the simple protocol (the only one a replication connection knows).
LEAT_MUST_CHECK leat_status pq_send(struct pq_conn *conn, const char *sql);

// Sends one statement with text parameters (NULL = NULL).
LEAT_MUST_CHECK leat_status pq_send_params(struct pq_conn *conn, const char *sql, int count, const char *const *values);

// LEAT_OK: the last result of what was sent, or the result that opens a COPY; the caller clears it. LEAT_AGAIN: not
// yet. A failed statement fails here; `what` ("read the catalogue") makes "could not read the catalogue".
LEAT_MUST_CHECK leat_status pq_take(struct pq_conn *conn, const char *what, PGresult **res);

// Pushes out what libpq has buffered: LEAT_OK, LEAT_AGAIN (awaits room itself), or a failure.
LEAT_MUST_CHECK leat_status pq_flush(struct pq_conn *conn);

// --- errors

// The class that belongs to a SQLSTATE; NULL (the connection broke) is LEAT_TRANSIENT.
leat_status pq_class(const char *sqlstate);

// Describes the failure of `res` (NULL: of the connection) with its SQLSTATE, detail and hint; returns its class.
LEAT_PRINTF(4, 5)
leat_status pq_fail(struct leat_ctx *ctx, PGconn *conn, const PGresult *res, const char *fmt, ...);

// --- quoting: appends to `out`, whose sticky failure is to be checked by the caller

void pq_ident(struct buf *out, const char *name);               // "na""me"
void pq_literal(struct buf *out, const char *text, size_t len); // 'te''xt', E'…' where backslashes are in it
void pq_qualified(struct buf *out, const char *schema, const char *name); // "schema"."name"

// SQL that follows "FROM pg_attribute a": `t` is the column's type and `bt` what is at the bottom of it. Domains may be
// over domains: then PQ_BASE_TYPMOD is that of the outermost that has one.
#define PQ_BASE_TYPMOD "CASE WHEN t.typtype = 'd' THEN coalesce(d.m, -1) ELSE a.atttypmod END"
#define PQ_BASE_TYPE                                                                                                   \
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "                                                                 \
    "LEFT JOIN LATERAL (WITH RECURSIVE r(b, m, depth) AS ("                                                            \
    "SELECT t.typbasetype, t.typtypmod, 1 WHERE t.typtype = 'd' UNION ALL "                                            \
    "SELECT u.typbasetype, CASE WHEN r.m >= 0 THEN r.m ELSE u.typtypmod END, r.depth + 1 FROM r "                      \
    "JOIN pg_catalog.pg_type u ON u.oid = r.b WHERE u.typtype = 'd') "                                                 \
    "SELECT b, m FROM r ORDER BY depth DESC LIMIT 1) d ON true "                                                       \
    "JOIN pg_catalog.pg_type bt ON bt.oid = coalesce(d.b, t.oid) "

// Rows for a plugin's table of codes (plugin.h): the errors that this library gives.
#define PQ_CODES                                                                                                       \
    {"LEAT-Q0001", "The name of a PostgreSQL server could not be resolved.",                                           \
     "Check the host name and the resolver of this machine."},                                                         \
        {"LEAT-Q0002", "A connection to a PostgreSQL server could not be opened.",                                     \
         "Start the server or mend address or TLS; the attempt is repeated."},                                         \
        {"LEAT-Q0005", "A PostgreSQL server refuses the login; it is tried again.",                                    \
         "Check username, password and pg_hba.conf; after a change of the pipeline file restart leat."},               \
        {"LEAT-Q0003", "A connection to a PostgreSQL server was lost.",                                                \
         "Nothing to do: the node is opened again; look into the server's log if it comes back."},                     \
    {                                                                                                                  \
        "LEAT-Q0004", "PostgreSQL refused a statement.", "See the SQLSTATE and the server's message."                  \
    }

#endif
