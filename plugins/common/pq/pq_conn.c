// SPDX-License-Identifier: Apache-2.0
// Connecting, as a small state machine:
//
//     NEW -> RESOLVING (a name: thread) -> CONNECTING (PQconnectPoll) -> READY
//      \________(an address or a socket)______/                      \-> BROKEN, from anywhere
//
// libpq may close its socket and open another while connecting (several addresses, TLS refused), even under the same
// number, so the watch is made anew for each step until the connection stands.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pq_int.h"

static const char *param(const struct pq_conn *conn, const char *key)
{
    for (uint32_t i = 0; i < conn->count; i++)
        if (strcmp(conn->keys[i], key) == 0)
            return conn->values[i];
    return NULL;
}

static int add_param(struct pq_conn *conn, const char *key, const char *value)
{
    char *k = strdup(key), *v = strdup(value);
    if (!k || !v) {
        free(k);
        free(v);
        return -1;
    }
    conn->keys[conn->count] = k;
    conn->values[conn->count++] = v;
    return 0;
}

static void set_param(struct pq_conn *conn, const char *key, char *value)
{
    for (uint32_t i = 0; i < conn->count; i++) {
        if (strcmp(conn->keys[i], key) == 0) {
            free(conn->values[i]);
            conn->values[i] = value;
        }
    }
}

static leat_status tell(struct pq_conn *conn)
{
    if (conn->notify)
        return conn->notify(conn->ctx, conn->arg);
    conn->ctx->host->wake(conn->ctx);
    return LEAT_OK;
}

static leat_status on_ready(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    (void)ready;
    struct pq_conn *conn = arg;
    leat_status st = ctx->host->watch_for(conn->watch, 0);
    conn->awaiting = 0;
    return st < 0 ? st : tell(conn);
}

static leat_status on_timeout(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    (void)ctx, (void)ready;
    struct pq_conn *conn = arg;
    conn->timed_out = 1;
    return tell(conn);
}

static void unwatch(struct pq_conn *conn)
{
    if (conn->watch)
        conn->ctx->host->event_close(conn->watch);
    conn->watch = NULL;
    conn->watch_fd = -1;
    conn->awaiting = 0;
}

static leat_status watch_fd(struct pq_conn *conn, int fd, uint32_t ready)
{
    if (conn->watch && conn->watch_fd == fd) {
        if (conn->awaiting == ready)
            return LEAT_OK;
        conn->awaiting = ready;
        return conn->ctx->host->watch_for(conn->watch, ready);
    }
    unwatch(conn);
    conn->watch = conn->ctx->host->watch(conn->ctx, fd, ready, on_ready, conn);
    if (!conn->watch)
        return leat_no_memory(conn->ctx);
    conn->watch_fd = fd;
    conn->awaiting = ready;
    return LEAT_OK;
}

leat_status pq_conn_create(struct leat_ctx *ctx, const struct pq_param *params, uint32_t count, int64_t timeout,
                           pq_notify_fn notify, void *arg, struct pq_conn **out)
{
    struct pq_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return leat_no_memory(ctx);
    conn->ctx = ctx;
    conn->watch_fd = -1;
    conn->timeout = timeout;
    conn->notify = notify;
    conn->arg = arg;
    // room for hostaddr, client_encoding, gssencmode and the terminating NULL
    conn->keys = calloc(count + 4, sizeof *conn->keys);
    conn->values = calloc(count + 4, sizeof *conn->values);
    if (!conn->keys || !conn->values)
        goto no_memory;
    for (uint32_t i = 0; i < count; i++)
        if (params[i].value && add_param(conn, params[i].key, params[i].value) < 0)
            goto no_memory;
    // A Kerberos handshake would block on the network inside libpq.
    if (!param(conn, "gssencmode") && add_param(conn, "gssencmode", "disable") < 0)
        goto no_memory;
    if (!param(conn, "client_encoding") && add_param(conn, "client_encoding", "UTF8") < 0)
        goto no_memory;
    const char *host = param(conn, "host"), *port = param(conn, "port");
    if (asprintf(&conn->where, "%s:%s", host ? host : "localhost", port ? port : "5432") < 0) {
        conn->where = NULL;
        goto no_memory;
    }
    *out = conn;
    return LEAT_OK;
no_memory:
    pq_conn_destroy(conn);
    return leat_no_memory(ctx);
}

static leat_status broken(struct pq_conn *conn, leat_status st)
{
    conn->state = PQ_BROKEN;
    unwatch(conn);
    return st;
}

// Takes the SQLSTATE out of libpq's verbose text ("FATAL:  28P01: password …\nLOCATION: …") and leaves the sentence.
static const char *split_verbose(char *text, char code[6])
{
    char *last = text;
    for (char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char *at = strstr(line, ":  ");
        if (at && strlen(at) > 10 && at[8] == ':' && strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5) {
            memcpy(code, at + 3, 5);
            code[5] = 0;
            last = at + 10;
        }
    }
    char *end = code[0] ? strchr(last, '\n') : NULL;
    if (end)
        *end = 0;
    return last;
}

#define LOGIN_HINT                                                                                                     \
    "Check username and password, and the lines of pg_hba.conf for this user and address. It is tried again, with "    \
    "pauses: a password that is mended on the server is taken; one that is mended in the file needs a restart of "     \
    "leat."

// A login that is refused does not pass by itself as a server does that starts: that is an error in the log at once.
static void say_refused(struct pq_conn *conn, const char *code, const char *sentence)
{
    leat_diag(conn->ctx, LEAT_DIAG_ERROR, "LEAT-Q0005", strcmp(code, "28P01") == 0 ? "password" : "username", 0,
              LOGIN_HINT, "PostgreSQL at \"%s\" refuses the login: %s", conn->where, sentence);
}

static leat_status connect_failed(struct pq_conn *conn)
{
    struct leat_ctx *ctx = conn->ctx;
    char code[6] = "";
    char *text = strdup(PQerrorMessage(conn->pg));
    if (!text)
        return broken(conn, leat_no_memory(ctx));
    const char *sentence = split_verbose(text, code);
    size_t len = strlen(sentence);
    while (len && sentence[len - 1] == '\n')
        text[(size_t)(sentence - text) + --len] = 0;
    // Whatever stands in the way now may be mended on the server's side: it is tried again.
    int refused = strncmp(code, "28", 2) == 0;
    if (refused)
        say_refused(conn, code, sentence);
    leat_status st = leat_fail(ctx, LEAT_TRANSIENT, refused ? "LEAT-Q0005" : "LEAT-Q0002",
                               "could not connect to PostgreSQL at \"%s\": %s", conn->where, sentence);
    ctx->host->error_native(ctx, code, sentence);
    if (refused)
        leat_error_hint(ctx, LOGIN_HINT);
    else if (strcmp(code, "3D000") == 0)
        leat_error_hint(ctx, "Create the database, or correct its name.");
    else if (!code[0])
        leat_error_hint(ctx, "Check that the server runs and listens on this address.");
    free(text);
    return broken(conn, st);
}

// PQconnectStartParams neither blocks nor resolves: the host is numeric, a socket folder, or comes with hostaddr.
static leat_status begin_connect(struct pq_conn *conn)
{
    conn->pg = PQconnectStartParams((const char *const *)conn->keys, (const char *const *)conn->values, 0);
    if (!conn->pg)
        return leat_no_memory(conn->ctx);
    if (PQstatus(conn->pg) == CONNECTION_BAD)
        return connect_failed(conn);
    PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE); // the only way to learn the SQLSTATE of a refused connection
    conn->state = PQ_CONNECTING;
    return watch_fd(conn, PQsocket(conn->pg), LEAT_WRITE);
}

static leat_status begin(struct pq_conn *conn)
{
    struct leat_ctx *ctx = conn->ctx;
    const char *host = param(conn, "host"), *port = param(conn, "port");
    struct in6_addr ignored;
    if (conn->timeout > 0) {
        conn->timer = ctx->host->timer(ctx, conn->timeout, on_timeout, conn);
        if (!conn->timer)
            return leat_no_memory(ctx);
    }
    if (!host || host[0] == '/' || host[0] == '@' || param(conn, "hostaddr") || inet_pton(AF_INET, host, &ignored) ||
        inet_pton(AF_INET6, host, &ignored))
        return begin_connect(conn);
    int fd = -1;
    conn->resolver = pq_resolver_start(host, port ? port : "5432", &fd);
    if (!conn->resolver)
        return leat_fail(ctx, LEAT_RESOURCE, "LEAT-Q0001", "could not start the resolver for \"%s\"", host);
    conn->state = PQ_RESOLVING;
    return watch_fd(conn, fd, LEAT_READ);
}

// Several addresses go to libpq as lists of equal length; it tries them in order.
static int give_addresses(struct pq_conn *conn, const char *addresses, unsigned count)
{
    if (add_param(conn, "hostaddr", addresses) < 0)
        return -1;
    const char *host = param(conn, "host");
    size_t n = strlen(host);
    char *hosts = malloc(count * (n + 1)), *at = hosts;
    if (!hosts)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        memcpy(at, host, n);
        at += n;
        *at++ = i + 1 < count ? ',' : 0;
    }
    set_param(conn, "host", hosts);
    return 0;
}

static leat_status step_resolve(struct pq_conn *conn)
{
    const char *addresses = NULL;
    unsigned count = 0;
    int error = pq_resolver_answer(conn->resolver, &addresses, &count);
    if (error == EAI_INPROGRESS)
        return watch_fd(conn, conn->watch_fd, LEAT_READ);
    unwatch(conn);
    if (error) {
        leat_status st =
            leat_fail(conn->ctx, LEAT_TRANSIENT, "LEAT-Q0001", "could not resolve the host name \"%s\": %s",
                      param(conn, "host"), gai_strerror(error));
        return broken(conn, st);
    }
    int done = give_addresses(conn, addresses, count);
    pq_resolver_drop(conn->resolver);
    conn->resolver = NULL;
    return done < 0 ? leat_no_memory(conn->ctx) : begin_connect(conn);
}

static leat_status connected(struct pq_conn *conn)
{
    PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    conn->ctx->host->event_close(conn->timer);
    conn->timer = NULL;
    conn->state = PQ_READY;
    if (PQsetnonblocking(conn->pg, 1) < 0)
        return leat_no_memory(conn->ctx);
    return watch_fd(conn, PQsocket(conn->pg), 0);
}

static leat_status step_connect(struct pq_conn *conn)
{
    if (conn->awaiting)
        return LEAT_OK; // woken by something else
    unwatch(conn);
    switch (PQconnectPoll(conn->pg)) {
    case PGRES_POLLING_READING:
        return watch_fd(conn, PQsocket(conn->pg), LEAT_READ);
    case PGRES_POLLING_WRITING:
        return watch_fd(conn, PQsocket(conn->pg), LEAT_WRITE);
    case PGRES_POLLING_OK:
        return connected(conn);
    default:
        return connect_failed(conn);
    }
}

leat_status pq_conn_step(struct pq_conn *conn)
{
    leat_status st = LEAT_OK;
    if (conn->timed_out && conn->state != PQ_READY)
        return broken(conn, leat_fail(conn->ctx, LEAT_TRANSIENT, "LEAT-Q0002",
                                      "could not connect to PostgreSQL at \"%s\" within %.1f s", conn->where,
                                      (double)conn->timeout / 1e6));
    if (conn->state == PQ_NEW)
        st = begin(conn);
    else if (conn->state == PQ_RESOLVING)
        st = step_resolve(conn);
    else if (conn->state == PQ_CONNECTING)
        st = step_connect(conn);
    else if (conn->state == PQ_BROKEN)
        st = leat_fail(conn->ctx, LEAT_TRANSIENT, "LEAT-Q0003", "the connection to PostgreSQL at \"%s\" is broken",
                       conn->where);
    if (st < 0)
        return broken(conn, st);
    return conn->state == PQ_READY ? LEAT_OK : LEAT_AGAIN;
}

leat_status pq_conn_await(struct pq_conn *conn, uint32_t ready)
{
    return watch_fd(conn, PQsocket(conn->pg), ready);
}

static leat_status on_nap(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    (void)ctx, (void)ready;
    return tell(arg);
}

leat_status pq_conn_nap(struct pq_conn *conn, int64_t usec)
{
    const struct leat_host *host = conn->ctx->host;
    leat_status st = pq_conn_await(conn, 0);
    if (st < 0)
        return st;
    if (conn->nap)
        return host->timer_again(conn->nap, usec);
    conn->nap = host->timer(conn->ctx, usec, on_nap, conn);
    return conn->nap ? LEAT_OK : leat_no_memory(conn->ctx);
}

int pq_conn_awaits(const struct pq_conn *conn)
{
    return conn->awaiting != 0;
}

void pq_conn_destroy(struct pq_conn *conn)
{
    if (!conn)
        return;
    unwatch(conn);
    if (conn->timer)
        conn->ctx->host->event_close(conn->timer);
    if (conn->nap)
        conn->ctx->host->event_close(conn->nap);
    pq_resolver_drop(conn->resolver);
    PQclear(conn->last);
    if (conn->pg)
        PQfinish(conn->pg);
    for (uint32_t i = 0; i < conn->count; i++) {
        free(conn->keys[i]);
        free(conn->values[i]);
    }
    free(conn->keys);
    free(conn->values);
    free(conn->where);
    free(conn);
}

PGconn *pq_conn_raw(struct pq_conn *conn)
{
    return conn->pg;
}

const char *pq_conn_where(const struct pq_conn *conn)
{
    return conn->where;
}
