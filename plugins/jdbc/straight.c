// SPDX-License-Identifier: Apache-2.0
// When rows go by COPY straight into the target.
//
// Without a key always, unless they are few. With one it is a guess: COPY inserts, and fails as a whole when one row is
// there already, so it is right while rows are new, as when a table is loaded. What a wrong guess costs is the server's:
// a line in its log, and up to a flight of dead rows until the next vacuum. So behind a wrong one the next PAUSE_LEAST
// flights do not try, behind each further one twice as many, up to PAUSE_MOST; a right one halves that.
//
// What COPY refuses is sent again the ordinary way, in the same moment, which finds out what is wrong with it.
#include "sink_int.h"

#define PAUSE_LEAST 16u // flights
#define PAUSE_MOST  1024u

// The first attempt at a flight that writes whole rows and nothing else.
static int may_guess(const struct jdbc_sink *s, uint32_t live)
{
    return !s->halved && live >= JDBC_STRAIGHT_ROWS && live == s->parts.upserts;
}

int jdbc_straight_begin(struct jdbc_sink *s, uint32_t live, int few)
{
    struct jdbc_straight *g = &s->straight;
    g->now = g->possible && (s->shape.key_count ? may_guess(s, live) : !few);
    if (g->now && g->wait) {
        g->wait--;
        g->now = 0;
    }
    return g->now;
}

void jdbc_straight_done(struct jdbc_sink *s)
{
    if (s->straight.now)
        s->straight.pause /= 2;
}

static void pause_longer(struct jdbc_straight *g)
{
    g->pause = g->pause < PAUSE_LEAST ? PAUSE_LEAST : g->pause > PAUSE_MOST / 2 ? PAUSE_MOST : g->pause * 2;
    g->wait = 1 + g->pause; // this flight, and the next ones
}

// It is not the rows: the table is not any more what it was when the session began.
static void stop_trying(struct jdbc_sink *s)
{
    const char *why = PQresultErrorField(s->problem, PG_DIAG_MESSAGE_PRIMARY);
    leat_log(s->ctx, LEAT_LOG_INFO, "copy-refused",
             "COPY into %s is refused (%s): rows are inserted until the next connection", s->table.full,
             why ? why : "the server does not say why");
    s->straight.possible = 0;
}

int jdbc_straight_refused(struct jdbc_sink *s, leat_status failure)
{
    // a deadlock, a timeout, a full disk: nothing that COPY alone would meet
    if (!s->straight.now || failure == LEAT_TRANSIENT || failure == LEAT_RESOURCE)
        return 0;
    if (failure != LEAT_DATA)
        stop_trying(s);
    else if (s->shape.key_count)
        pause_longer(&s->straight);
    else
        return 0; // a row that no INSERT takes either
    __atomic_fetch_add(s->metrics.copies_refused, 1, __ATOMIC_RELAXED);
    return 1;
}
