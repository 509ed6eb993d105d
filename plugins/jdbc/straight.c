// SPDX-License-Identifier: Apache-2.0
// COPY straight into the target. It inserts, and fails as a whole when one row is there already, so with a key it is a
// guess: that the rows of a flight are new, as they are when a table is loaded. What a wrong guess costs is the server's:
// a line in its log, and up to a flight of dead rows until the next vacuum. So behind a wrong one the next PAUSE_LEAST
// flights do not try, behind each further one twice as many, up to PAUSE_MOST; a right one halves that.
#include "sink_int.h"

#define PAUSE_LEAST 16u // flights
#define PAUSE_MOST  1024u

static int may_try(const struct jdbc_sink *s, uint32_t live)
{
    const struct jdbc_straight *g = &s->straight;
    if (!g->possible || g->met || s->halved || s->swapping || s->later)
        return 0;
    return live >= JDBC_STRAIGHT_ROWS && live == s->parts.upserts;
}

int jdbc_straight_begin(struct jdbc_sink *s, uint32_t live, int few)
{
    struct jdbc_straight *g = &s->straight;
    g->now = 0;
    if (!s->shape.key_count)
        g->now = g->possible && !few;
    else if (may_try(s, live) && g->wait)
        g->wait--;
    else
        g->now = (uint8_t)may_try(s, live);
    return g->now;
}

void jdbc_straight_done(struct jdbc_sink *s)
{
    if (s->straight.now)
        s->straight.pause /= 2;
}

void jdbc_straight_met(struct jdbc_sink *s)
{
    struct jdbc_straight *g = &s->straight;
    g->met = 1;
    g->pause = g->pause < PAUSE_LEAST ? PAUSE_LEAST : g->pause > PAUSE_MOST / 2 ? PAUSE_MOST : g->pause * 2;
    g->wait = g->pause;
    __atomic_fetch_add(s->metrics.copies_refused, 1, __ATOMIC_RELAXED);
}
