// SPDX-License-Identifier: Apache-2.0
// Receiving the slot. The receive loop is ours, on a watch of libpq's socket: it drains the socket dry, then, if much
// was there, naps for up to a millisecond before it looks again. Each message sent to a waiting reader costs the server
// a wake-up of it; the nap spares both (measured over TCP: half again as many rows, an eighth of the reader's CPU; over
// a unix socket half of it). A lone row never waits: the nap follows only what was a crowd. That is counted over two
// milliseconds and not in one draining, since a reader that is woken by every message finds only a few each time, and
// would stay in that gait.
//
// Messages on the wire, inside CopyData:
//     w  int64 start, int64 end, int64 time, pgoutput message          from the server
//     k  int64 end of what was sent, int64 time, int8 reply at once
//     r  int64 written, int64 flushed, int64 applied, int64 time, int8 reply at once     from us
//
// Feedback comes from a timer, so that it flows while the node is not polled because the way is full; it asks for a
// reply, which tells a dead peer from a silent one. "Flushed" is what a checkpoint made durable downstream, nothing
// else.
//
// A table that was altered holds the node before its first row of the new form (p->held): nothing is read any more until
// a checkpoint made everything before it durable, then the node fails. So a start with the new columns reads no row of
// the old form again.
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "pgcdc_int.h"

#define PG_EPOCH   946684800000000LL
#define NAP        1000       // µs
#define NAP_SOCKET 300        // over a unix socket, which holds some 280 messages, or 1 ms of a busy server's
#define CROWD      24         // messages within CROWD_TIME that make it worth a nap
#define CROWD_TIME 2000       // µs
#define BUDGET     (2u << 20) // bytes of messages per poll
#define SQL_MAX    (1u << 16)
#define CATCH_UP   100000   // µs between questions while a reader waits for us
#define BEHIND     1000000  // and while there is log that was not read
#define HOLD_MAX   60000000 // µs to wait for a checkpoint before an altered table stops the node
#define ASKED_MAX  50       // requests for a reply within a second: the server is shutting down

static leat_status lost(struct pgcdc *p)
{
    return pq_fail(p->ctx, pq_conn_raw(p->replication), NULL, "the replication connection was lost");
}

// --- feedback

static leat_status send_feedback(struct pgcdc *p, int reply)
{
    uint8_t message[64];
    struct buf b = {.ptr = message, .cap = sizeof message, .max = sizeof message};
    uint64_t written = p->received > p->at.lsn ? p->received : p->at.lsn;
    buf_u8(&b, 'r');
    buf_u64(&b, written);
    buf_u64(&b, p->durable);
    buf_u64(&b, p->durable);
    buf_u64(&b, (uint64_t)(p->ctx->host->now(p->ctx) - PG_EPOCH));
    buf_u8(&b, (uint8_t)reply);
    PGconn *pg = pq_conn_raw(p->replication);
    LEAT_FAULT("pgcdc-before-feedback");
    if (PQputCopyData(pg, (const char *)message, (int)b.len) < 0 || PQflush(pg) < 0)
        return lost(p);
    LEAT_FAULT("pgcdc-after-feedback");
    __atomic_store_n(p->numbers.confirmed, (int64_t)p->durable, __ATOMIC_RELAXED);
    return LEAT_OK;
}

leat_status pgcdc_stream_confirm(struct pgcdc *p)
{
    return p->streaming ? send_feedback(p, 0) : LEAT_OK;
}

static int64_t feedback_interval(const struct pgcdc *p)
{
    int64_t interval = p->config->wal_sender_timeout / 3;
    if (p->config->heartbeat < interval)
        interval = p->config->heartbeat;
    if (*p->numbers.lag_bytes && interval > BEHIND)
        interval = BEHIND;
    return p->catch_up && interval > CATCH_UP ? CATCH_UP : interval;
}

static leat_status on_feedback(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    (void)ready;
    struct pgcdc *p = arg;
    int64_t silence = ctx->host->monotonic(ctx) - p->heard;
    // silence counts only while nothing lies in the socket that we were not polled for
    if (pq_conn_awaits(p->replication) && silence > 3 * p->config->wal_sender_timeout)
        return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-G0306", "the server has been silent for %.0f s",
                         (double)silence / 1e6);
    leat_status st = send_feedback(p, 1);
    if (st == LEAT_OK)
        st = pgcdc_ask_end(p);
    pgcdc_lag_report(p); // also while the way is full and the node is not polled
    if (p->held)
        ctx->host->wake(ctx);
    return st < 0 ? st : ctx->host->timer_again(p->feedback, feedback_interval(p));
}

// --- start

static leat_status send_start(struct pgcdc *p)
{
    struct buf sql, name;
    char lsn[32];
    buf_init(&sql, SQL_MAX);
    buf_init(&name, SQL_MAX);
    snprintf(lsn, sizeof lsn, PGCDC_LSN, PGCDC_LSN_OF(p->at.lsn));
    buf_str(&sql, "START_REPLICATION SLOT ");
    pq_ident(&sql, p->slot);
    buf_str(&sql, " LOGICAL ");
    buf_str(&sql, lsn);
    buf_str(&sql, " (proto_version '1', publication_names ");
    pq_ident(&name, p->publication); // a list of identifiers inside a literal
    if (buf_ok(&name))
        pq_literal(&sql, (const char *)name.ptr, name.len);
    else
        sql.failed = name.failed;
    buf_str(&sql, ")");
    buf_fini(&name);
    LEAT_FAULT("pgcdc-before-start");
    return pgcdc_send_sql(p, p->replication, &sql);
}

static leat_status take_start(struct pgcdc *p, PGresult *res)
{
    const struct leat_host *host = p->ctx->host;
    if (PQresultStatus(res) != PGRES_COPY_BOTH)
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301", "the server did not start to stream");
    p->streaming = 1;
    pgcdc_lag_sample(p, p->server_end);
    p->heard = host->monotonic(p->ctx);
    if (!p->feedback)
        p->feedback = host->timer(p->ctx, feedback_interval(p), on_feedback, p);
    if (!p->feedback)
        return leat_no_memory(p->ctx);
    leat_log(p->ctx, LEAT_LOG_INFO, "streaming", "reading slot \"%s\" from " PGCDC_LSN, p->slot,
             PGCDC_LSN_OF(p->at.lsn));
    leat_say_status(p->ctx, "reading changes of slot %s", p->slot);
    return send_feedback(p, 1);
}

static const struct pgcdc_step start_script[] = {
    {"start to read the replication slot", 1, send_start, take_start},
    {0},
};

leat_status pgcdc_stream_start(struct pgcdc *p)
{
    return p->streaming ? LEAT_OK : pgcdc_script(p, start_script);
}

// --- messages

// While it shuts down, the server asks for a reply over and over until all of its log is confirmed. We confirm only
// what is durable, so the way to let it go is to leave; the node opens again when the server is back.
static leat_status asked_for_reply(struct pgcdc *p)
{
    int64_t now = p->ctx->host->monotonic(p->ctx);
    if (now - p->asked_since > 1000000) {
        p->asked_since = now;
        p->asked = 0;
    }
    if (++p->asked > ASKED_MAX)
        return leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-Q0003", "the server is shutting down");
    return send_feedback(p, 0);
}

static leat_status on_keepalive(struct pgcdc *p, struct cur *c)
{
    uint64_t end = cur_u64(c);
    (void)cur_u64(c);
    uint8_t reply = cur_u8(c);
    if (!cur_ok(c))
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301", "a keepalive of the server is cut short");
    if (end > p->server_end)
        p->server_end = end;
    // Everything before `end` was decoded and sent. Outside of a transaction that is a position like a commit's end;
    // a checkpoint records it before it is confirmed, so an idle slot moves on.
    if (!p->in_txn && !p->at.changes && end > p->at.lsn)
        p->at.lsn = end;
    return reply ? asked_for_reply(p) : LEAT_OK;
}

static leat_status on_message(struct pgcdc *p, const uint8_t *bytes, size_t len)
{
    struct cur c = cur_of(bytes, len);
    uint8_t kind = cur_u8(&c);
    if (kind == 'k')
        return on_keepalive(p, &c);
    uint64_t start = cur_u64(&c);
    (void)cur_bytes(&c, 16);
    if (kind != 'w' || !cur_ok(&c))
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301", "unknown message in the change stream");
    if (start > p->received)
        p->received = start;
    return pgcdc_change(p, c.ptr, cur_left(&c));
}

static leat_status stream_ended(struct pgcdc *p)
{
    PGconn *pg = pq_conn_raw(p->replication);
    PGresult *res = PQgetResult(pg);
    leat_status st;
    if (res && PQresultStatus(res) == PGRES_FATAL_ERROR)
        st = pq_fail(p->ctx, pg, res, "could not go on reading replication slot \"%s\"", p->slot);
    else
        st = leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-Q0003", "the server ended the change stream");
    PQclear(res);
    return st;
}

// --- the loop

static void report(struct pgcdc *p)
{
    pgcdc_lag_report(p);
    if (p->catch_up && p->emitted.lsn >= p->catch_up_to) {
        p->catch_up = 0;
        p->ctx->host->caught_up(p->ctx);
    }
}

// Fetches what is missing and emits all open rows. LEAT_AGAIN: come back, by a wake or when there is room.
static leat_status flush(struct pgcdc *p)
{
    leat_status st = LEAT_OK;
    if (p->pending_total) {
        p->flush_due = 1; // comes back here first
        st = pgcdc_reselect(p);
        if (st != LEAT_OK)
            return st;
    }
    st = pgcdc_rows_flush(p);
    if (st >= 0)
        report(p);
    return st;
}

// Takes messages until the socket is dry (*dry), a flush is due or the budget is spent.
static leat_status drain(struct pgcdc *p, uint32_t *messages, int *dry)
{
    PGconn *pg = pq_conn_raw(p->replication);
    size_t bytes = 0;
    int fresh = 0; // input was read and nothing taken from it yet
    *dry = 0;
    while (!p->flush_due && !p->truncating && bytes < BUDGET) {
        char *data = NULL;
        int n = PQgetCopyData(pg, &data, 1);
        if (n > 0) {
            leat_status st = on_message(p, (const uint8_t *)data, (size_t)n);
            PQfreemem(data);
            if (st < 0)
                return st;
            ++*messages;
            bytes += (size_t)n;
            fresh = 0;
        } else if (n < 0) {
            return stream_ended(p);
        } else if (fresh) {
            *dry = 1;
            break;
        } else if (!PQconsumeInput(pg)) {
            return lost(p);
        } else {
            fresh = 1;
        }
    }
    if (bytes) {
        p->heard = p->ctx->host->monotonic(p->ctx);
        __atomic_fetch_add(p->numbers.bytes, (int64_t)bytes, __ATOMIC_RELAXED);
    }
    return LEAT_OK;
}

static leat_status wait_for_more(struct pgcdc *p, uint32_t messages)
{
    int64_t now = p->ctx->host->monotonic(p->ctx);
    if (now - p->crowd_since > CROWD_TIME) {
        p->crowd_since = now;
        p->crowd = 0;
    }
    p->crowd += messages;
    int64_t nap = p->config->hostname[0] == '/' ? NAP_SOCKET : NAP;
    leat_status st = p->crowd < CROWD ? pq_conn_await(p->replication, LEAT_READ) : pq_conn_nap(p->replication, nap);
    return st < 0 ? st : LEAT_AGAIN;
}

static int same_position(const struct pgcdc_position *a, const struct pgcdc_position *b)
{
    return a->lsn == b->lsn && a->changes == b->changes;
}

// Held by an altered table: fails as soon as all before it is durable.
static leat_status wait_durable(struct pgcdc *p)
{
    int64_t now = p->ctx->host->monotonic(p->ctx);
    if (p->held_durable || (p->restored && same_position(&p->emitted, &p->saved.at)))
        return pgcdc_altered(p, p->held);
    if (!p->held_until) {
        char what[256];
        pgcdc_altered_what(p->held, what, sizeof what);
        p->held_until = now + HOLD_MAX;
        leat_log(p->ctx, LEAT_LOG_WARN, "altered",
                 "%s was %s: the job stops at " PGCDC_LSN " when a checkpoint made all before it durable", what,
                 p->held->altered.how, PGCDC_LSN_OF(p->emitted.lsn));
        leat_say_status(p->ctx, "waiting for a checkpoint before it stops: %s was %s", what, p->held->altered.how);
    }
    return now > p->held_until ? pgcdc_altered(p, p->held) : LEAT_AGAIN;
}

leat_status pgcdc_stream_poll(struct pgcdc *p)
{
    leat_status st = pgcdc_stream_start(p);
    if (st != LEAT_OK)
        return st;
    if (p->asking_end && (st = pgcdc_ask_end(p)) < 0)
        return st;
    if (p->flush_due && (st = flush(p)) != LEAT_OK)
        return st;
    if (p->held)
        return wait_durable(p);
    if (p->truncating)
        return pgcdc_truncate_poll(p);
    uint32_t messages = 0;
    int dry;
    st = drain(p, &messages, &dry);
    if (st < 0)
        return st;
    st = flush(p);
    if (st != LEAT_OK || p->held)
        return st;
    return dry ? wait_for_more(p, messages) : LEAT_OK;
}
