// SPDX-License-Identifier: Apache-2.0
// The inside of the sink, for the files of this folder only: sink.c (the vtable), flight.c (the state machine), send.c
// (bytes to the server and results back).
//
//     CLOSED -> CONNECTING -> LOADING (catalogue) -> KEY -> SETUP -> READY
//     READY -> ARRAYS (few rows)                                 -> READY
//     READY -> COPY_OPEN -> COPY_SEND -> COPY_WAIT (many)        -> READY
//     anything -> BACKOFF -> READY or CLOSED
//
// COPY goes into a temporary table, from where an upsert takes the rows, or straight into the target, which is a half to
// a third of the work for the server. That is right where no row is there already; with a key it is tried (straight.c).
//
// Two buffers change places: one fills while the other flies. A flight is one transaction; when the server finds fault
// with a value, its rows are tried in halves until the row is found, so `ends` is a stack of what is still to be tried.
//
// A row that meets another of its unique indexes ("e-mail taken") may only stand before the row that frees the value,
// since of the changes of a key the last alone is left. It is put off until the others are through; rows that still
// meet each other (two have swapped their e-mails) are deleted and inserted in one transaction, where that loses
// nothing.
#ifndef JDBC_SINK_INT_H
#define JDBC_SINK_INT_H

#include "options.h"
#include "rows.h"
#include "session.h"
#include "sql.h"
#include "table.h"

// A buffer takes no more rows beyond either; larger flights are not faster, and a barrier waits for two of them.
#define JDBC_FLIGHT_ROWS  8192u
#define JDBC_FLIGHT_BYTES (2u << 20)

// Up to here rows travel as arrays in one round trip, above by COPY.
#define JDBC_ARRAYS_ROWS  512u
#define JDBC_ARRAYS_BYTES (256u << 10)

// From here on they go straight into the target where that may be tried; for fewer it takes longer.
#define JDBC_STRAIGHT_ROWS 64u

#define JDBC_HALVES 40 // depth of the stack of halves

enum jdbc_state {
    JDBC_CLOSED,
    JDBC_CONNECTING,
    JDBC_LOADING,
    JDBC_KEY,
    JDBC_SETUP,
    JDBC_READY,
    JDBC_ARRAYS,
    JDBC_COPY_OPEN,
    JDBC_COPY_SEND,
    JDBC_COPY_WAIT,
    JDBC_BACKOFF,
};

// What bind found, shared by all instances.
struct jdbc_bound {
    const struct jdbc_config *config;
    const struct leat_schema *schema; // NULL = not known yet: no instance is made
    struct jdbc_url url;
    struct jdbc_name name;
    uint32_t key_count;
    uint32_t *key; // positions in the schema
    char where[3 * JDBC_NAME_MAX];
    char resource[6 * JDBC_NAME_MAX];
};

struct jdbc_metrics {
    int64_t *rows, *flushes, *micros, *retries, *missing, *copies_refused;
};

// COPY straight into the target. See straight.c.
struct jdbc_straight {
    uint8_t possible; // options, table and types allow it
    uint8_t now;      // the range under way goes so
    uint32_t wait;    // flights that go the ordinary way before the next attempt
    uint32_t pause;   // how many the last wrong guess cost, halved by each right one
};

struct jdbc_sink {
    struct leat_ctx *ctx;
    const struct jdbc_bound *bound;
    enum jdbc_state state;
    uint8_t opened;
    leat_status failed; // sticky: what write and flush answer from then on
    char zone[128];
    struct pq_conn *conn;
    struct jdbc_table table;
    struct jdbc_shape shape;
    uint8_t arrays, setup_sent;
    struct jdbc_straight straight;
    struct buf sql, params; // scratch

    struct jdbc_rows buffers[2];
    struct jdbc_rows *fill, *flying; // flying is NULL between flights
    uint32_t lo;                     // the range under way is [lo, ends[depth - 1])
    uint32_t ends[JDBC_HALVES];
    uint32_t depth;
    struct jdbc_parts parts;      // of the range
    uint32_t later, later_before; // rows put off in this round, and in the one before
    uint8_t halved;               // rows that are through are marked, for a further round
    uint8_t swapping;             // this round deletes its rows before it inserts them
    uint8_t last_round;           // nothing is put off any more
    uint32_t send_at;             // row from which COPY goes on
    struct leat_bytes run;        // of the rows from there, what is still to be sent; empty between runs
    uint8_t head_sent, tail_sent;
    uint32_t results;  // seen so far, of the range
    PGresult *problem; // the first failure among them
    int64_t began;     // monotonic, of the range
    uint32_t retries;  // of the range
    struct leat_event *backoff, *interval;
    uint8_t interval_armed;
    struct jdbc_metrics metrics;
};

// flight.c: does what can be done now. LEAT_OK: idle and ready; LEAT_AGAIN: waits for the server; or a failure, which
// stays in `failed`.
LEAT_MUST_CHECK leat_status jdbc_run(struct jdbc_sink *s);
leat_status jdbc_notify(struct leat_ctx *ctx, void *arg);

// straight.c
// Does the range go straight? Noted in straight.now. `few`: it would go as arrays.
int jdbc_straight_begin(struct jdbc_sink *s, uint32_t live, int few);
void jdbc_straight_done(struct jdbc_sink *s); // the range is written
// The server refused the range, by this class. 1 = that may be COPY's fault: it is to be sent again, the ordinary way.
int jdbc_straight_refused(struct jdbc_sink *s, leat_status failure);

// send.c
void jdbc_count_parts(struct jdbc_sink *s);
uint32_t jdbc_live_rows(const struct jdbc_sink *s);
LEAT_MUST_CHECK leat_status jdbc_send_arrays(struct jdbc_sink *s);
LEAT_MUST_CHECK leat_status jdbc_copy_begin(struct jdbc_sink *s);
LEAT_MUST_CHECK leat_status jdbc_copy_send(struct jdbc_sink *s);
// Reads results. LEAT_OK: all are there, or a COPY has begun (*copy); the first failure is in `problem`. LEAT_AGAIN; or
// LEAT_TRANSIENT: the connection broke.
LEAT_MUST_CHECK leat_status jdbc_collect(struct jdbc_sink *s, int *copy);

#endif
