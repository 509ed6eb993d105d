// SPDX-License-Identifier: Apache-2.0
// The state machine of the sink, see sink_int.h: connecting, flights, and what to do when one fails.
//
// By class of the failure:
//   of COPY straight into the target                  the ordinary way, see straight.c; else:
//   the connection broke, deadlock, serialization …   the range again after a pause, sink.max-retries times; then the
//                                                     core starts the job again
//   a value or a constraint (22, 23), a key twice     halves, until the row is found; it goes to on-error, but for
//                                                     unique indexes only when it fails after all others too
//   statement timeout                                 halves, then as above
//   anything else                                     the core's, by class
#include <inttypes.h>
#include <string.h>

#include "fault.h"
#include "sink_int.h"

#define FIRST_PAUSE 10000 // microseconds: a connection that was closed while idle is simply opened again
#define PAUSE       1000000

#define SCRATCH_KEPT (1u << 20) // bytes: a flight of large values gives its memory back

static void drop_conn(struct jdbc_sink *s)
{
    pq_conn_destroy(s->conn);
    s->conn = NULL;
    s->state = JDBC_CLOSED;
}

static void clear_problem(struct jdbc_sink *s)
{
    PQclear(s->problem);
    s->problem = NULL;
}

static int64_t pause_for(uint32_t attempt)
{
    return attempt <= 1 ? FIRST_PAUSE : (int64_t)(attempt - 1) * PAUSE;
}

static leat_status on_backoff(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct jdbc_sink *s = arg;
    if (s->state != JDBC_BACKOFF)
        return LEAT_OK;
    s->state = s->conn ? JDBC_READY : JDBC_CLOSED;
    leat_status st = jdbc_run(s);
    return st < 0 ? st : LEAT_OK;
}

// Waits and tries again, or gives up with `st`, which is described already.
static leat_status try_again(struct jdbc_sink *s, leat_status st)
{
    if (!s->opened || s->retries >= (uint64_t)s->bound->config->sink_retries)
        return st;
    s->retries++;
    __atomic_fetch_add(s->metrics.retries, 1, __ATOMIC_RELAXED);
    leat_log(s->ctx, LEAT_LOG_WARN, "write-again", "writing to %s failed, attempt %u of %" PRId64 " follows",
             s->table.full, s->retries, s->bound->config->sink_retries);
    leat_say_status(s->ctx, "writing to %s failed, trying again", s->table.full);
    s->state = JDBC_BACKOFF;
    if (s->backoff)
        st = s->ctx->host->timer_again(s->backoff, pause_for(s->retries));
    else
        st = (s->backoff = s->ctx->host->timer(s->ctx, pause_for(s->retries), on_backoff, s)) ? LEAT_OK
                                                                                              : leat_no_memory(s->ctx);
    return st < 0 ? st : LEAT_AGAIN;
}

// --- the session

static leat_status connect_step(struct jdbc_sink *s)
{
    const struct jdbc_bound *b = s->bound;
    leat_status st = LEAT_OK;
    if (!s->conn) {
        leat_say_status(s->ctx, "connecting to %s", b->where);
        st = jdbc_connect(s->ctx, b->config, &b->url, s->zone, jdbc_notify, s, &s->conn);
        s->state = JDBC_CONNECTING;
    }
    if (st == LEAT_OK)
        st = pq_conn_step(s->conn);
    if (st == LEAT_OK) {
        jdbc_connected(s->conn);
        jdbc_table_reset(&s->table);
        s->state = JDBC_LOADING;
    }
    return st;
}

static leat_status load_step(struct jdbc_sink *s)
{
    leat_status st = jdbc_table_load(s->ctx, s->conn, &s->table);
    if (st == LEAT_OK)
        st = jdbc_table_check(s->ctx, &s->table, &s->shape, s->bound->url.strict_strings);
    if (st == LEAT_OK) {
        s->arrays = (uint8_t)jdbc_sql_takes_arrays(&s->shape);
        s->straight.possible =
            jdbc_table_takes_copy(&s->table, &s->shape) && (s->bound->config->copy_new_rows || !s->shape.key_count);
        s->state = s->shape.key_count ? JDBC_KEY : JDBC_SETUP;
        s->setup_sent = 0;
    }
    return st;
}

static leat_status key_step(struct jdbc_sink *s)
{
    leat_status st = jdbc_table_check_key(s->ctx, s->conn, &s->table, &s->shape);
    if (st == LEAT_OK)
        s->state = JDBC_SETUP;
    return st;
}

static leat_status setup_step(struct jdbc_sink *s)
{
    leat_status st = LEAT_OK;
    PGresult *res = NULL;
    if (!s->setup_sent) {
        buf_reset(&s->sql);
        jdbc_sql_setup(&s->sql, &s->table, &s->shape, s->straight.possible);
        buf_u8(&s->sql, 0);
        st = buf_ok(&s->sql) ? pq_send(s->conn, (const char *)s->sql.ptr) : leat_no_memory(s->ctx);
        s->setup_sent = 1;
    }
    if (st == LEAT_OK)
        st = pq_take(s->conn, "prepare the session", &res);
    PQclear(res);
    if (st == LEAT_OK) {
        s->state = JDBC_READY;
        leat_say_status(s->ctx, "writing to %s in %s", s->table.full, s->bound->where);
    }
    return st;
}

// --- flights

static void take_off(struct jdbc_sink *s)
{
    s->flying = s->fill;
    s->fill = s->fill == &s->buffers[0] ? &s->buffers[1] : &s->buffers[0];
    s->lo = 0;
    s->ends[0] = s->flying->count;
    s->depth = 1;
    s->retries = 0;
    s->later = 0;
    s->later_before = UINT32_MAX;
    s->halved = s->swapping = s->last_round = 0;
    s->ctx->host->wake(s->ctx); // there is room again
}

static void land(struct jdbc_sink *s)
{
    jdbc_rows_reset(s->flying);
    buf_trim(&s->params, SCRATCH_KEPT);
    s->flying = NULL;
    s->ctx->host->wake(s->ctx);
}

// The rows that were put off, alone. As long as rounds let some through they are worth another; then, where it can be
// done, rows that are in each other's way are replaced together; the last round takes no excuse.
static void next_round(struct jdbc_sink *s)
{
    for (uint32_t i = 0; i < s->flying->count; i++) {
        struct jdbc_row *row = &s->flying->rows[i];
        row->op = row->later;
        row->later = JDBC_OP_DEAD;
    }
    if (s->swapping) {
        s->swapping = 0;
        s->last_round = 1;
    } else if (s->later >= s->later_before) {
        s->swapping = s->arrays && s->later <= JDBC_ARRAYS_ROWS && jdbc_table_may_replace(&s->table, &s->shape);
        s->last_round = !s->swapping;
    }
    s->later_before = s->later;
    s->later = 0;
    s->lo = 0;
    s->ends[0] = s->flying->count;
    s->depth = 1;
}

// The range is durable or given up: on to what is left of the flight.
static void range_done(struct jdbc_sink *s)
{
    uint32_t end = s->ends[--s->depth];
    for (uint32_t i = s->lo; s->halved && i < end; i++)
        s->flying->rows[i].op = JDBC_OP_DEAD;
    s->lo = end;
    s->retries = 0;
    s->state = JDBC_READY;
    if (!s->depth && s->later)
        next_round(s);
    else if (!s->depth)
        land(s);
}

static leat_status begin_range(struct jdbc_sink *s)
{
    const struct jdbc_row *rows = s->flying->rows;
    jdbc_count_parts(s);
    uint32_t live = jdbc_live_rows(s), end = s->ends[s->depth - 1];
    if (!live) {
        range_done(s);
        return LEAT_OK;
    }
    s->began = s->ctx->host->monotonic(s->ctx);
    uint32_t bytes = rows[end - 1].at + rows[end - 1].len - rows[s->lo].at;
    int few = s->swapping || (s->arrays && live <= JDBC_ARRAYS_ROWS && (bytes <= JDBC_ARRAYS_BYTES || live == 1));
    int copy = jdbc_straight_begin(s, live, few) || !few;
    s->state = copy ? JDBC_COPY_OPEN : JDBC_ARRAYS;
    return copy ? jdbc_copy_begin(s) : jdbc_send_arrays(s);
}

static leat_status ready_step(struct jdbc_sink *s)
{
    if (!s->flying && s->opened && s->fill->count)
        take_off(s);
    if (s->flying)
        return begin_range(s);
    // an idle connection that the server closes is noticed at once
    if (!PQconsumeInput(pq_conn_raw(s->conn)))
        return pq_fail(s->ctx, pq_conn_raw(s->conn), NULL, "the connection to PostgreSQL at \"%s\" was lost",
                       pq_conn_where(s->conn));
    leat_status st = pq_conn_await(s->conn, LEAT_READ);
    return st < 0 ? st : LEAT_END;
}

static void written(struct jdbc_sink *s)
{
    int64_t now = s->ctx->host->monotonic(s->ctx);
    LEAT_FAULT("jdbc-after-commit");
    __atomic_fetch_add(s->metrics.rows, (int64_t)jdbc_live_rows(s), __ATOMIC_RELAXED);
    __atomic_fetch_add(s->metrics.flushes, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(s->metrics.micros, now - s->began, __ATOMIC_RELAXED);
    if (s->retries)
        leat_say_status(s->ctx, "writing to %s in %s", s->table.full, s->bound->where);
    jdbc_straight_done(s);
    range_done(s);
}

// --- faults of rows

static uint32_t first_live(const struct jdbc_sink *s)
{
    uint32_t i = s->lo;
    while (s->flying->rows[i].op == JDBC_OP_DEAD)
        i++;
    return i;
}

#define NAME_BYTES 64 // bytes of a name in PostgreSQL

// Says why the server refuses a row. Most of its messages name column and constraint themselves.
static void fail_refused(struct jdbc_sink *s)
{
    static const struct {
        int field;
        const char *noun;
    } names[] = {{PG_DIAG_COLUMN_NAME, "column"}, {PG_DIAG_CONSTRAINT_NAME, "constraint"}};
    const char *primary = PQresultErrorField(s->problem, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(s->problem, PG_DIAG_MESSAGE_DETAIL);
    const char *state = PQresultErrorField(s->problem, PG_DIAG_SQLSTATE);
    char more[2 * NAME_BYTES + 32] = "";
    primary = primary ? primary : "it does not say why";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *name = PQresultErrorField(s->problem, names[i].field);
        size_t used = strlen(more);
        if (name && !strstr(primary, name))
            snprintf(more + used, sizeof more - used, ", %s \"%.*s\"", names[i].noun, NAME_BYTES, name);
    }
    (void)leat_fail(s->ctx, LEAT_DATA, "LEAT-J0201", "PostgreSQL does not take the row: %s%s", primary, more);
    s->ctx->host->error_native(s->ctx, state ? state : "", "");
    if (detail)
        leat_error_detail(s->ctx, "%s", detail);
}

// The one row left: the core decides what becomes of it.
static leat_status refuse_row(struct jdbc_sink *s)
{
    struct buf key, raw;
    uint32_t row = first_live(s);
    buf_init(&key, 1u << 16);
    buf_init(&raw, 1u << 24);
    jdbc_rows_print(s->flying, row, 1, &key);
    buf_u8(&key, 0);
    jdbc_rows_print(s->flying, row, 0, &raw);
    const char *text = buf_ok(&key) ? (const char *)key.ptr : "?";
    char where[512];
    fail_refused(s);
    snprintf(where, sizeof where, "table %s, row (%s)", s->table.full, text);
    leat_status st =
        s->ctx->host->bad_row(s->ctx, (struct leat_bytes){raw.ptr, buf_ok(&raw) ? (uint32_t)raw.len : 0}, where);
    buf_fini(&key);
    buf_fini(&raw);
    if (st == LEAT_OK)
        range_done(s);
    return st;
}

// A row that fails for now. All rows of a round of swaps go on to the last one.
static leat_status put_off(struct jdbc_sink *s)
{
    for (uint32_t i = s->lo; i < s->ends[s->depth - 1]; i++) {
        struct jdbc_row *row = &s->flying->rows[i];
        s->later += row->op != JDBC_OP_DEAD;
        row->later = row->op;
        row->op = JDBC_OP_DEAD;
    }
    s->halved = 1;
    range_done(s);
    return LEAT_OK;
}

static int is_unique_violation(const char *state)
{
    return state && strcmp(state, "23505") == 0;
}

static leat_status halve(struct jdbc_sink *s)
{
    uint32_t half = s->lo + (s->ends[s->depth - 1] - s->lo) / 2;
    s->ends[s->depth++] = half;
    s->halved = 1;
    s->retries = 0;
    s->state = JDBC_READY;
    return LEAT_OK;
}

// The server refused what was sent; the connection stands.
static leat_status refused(struct jdbc_sink *s)
{
    const char *state = PQresultErrorField(s->problem, PG_DIAG_SQLSTATE);
    int several = jdbc_live_rows(s) > 1 && s->depth < JDBC_HALVES;
    int timeout = state && strcmp(state, "57014") == 0;
    leat_status failure = pq_class(state);
    // 21: two keys of a flight are one to the server (blanks at the end, another collation)
    int data = failure == LEAT_DATA || (state && strncmp(state, "21", 2) == 0);
    leat_status st;
    s->state = JDBC_READY;
    if (jdbc_straight_refused(s, failure)) {
        st = LEAT_OK;
    } else if (s->swapping && (data || timeout)) {
        st = put_off(s);
    } else if ((data || timeout) && several) {
        st = halve(s);
    } else if (is_unique_violation(state) && !s->last_round && s->flying->live > 1 && s->shape.key_count) {
        st = put_off(s);
    } else if (data) {
        st = refuse_row(s);
    } else {
        st = pq_fail(s->ctx, pq_conn_raw(s->conn), s->problem, "could not write to table %s", s->table.full);
        if (st == LEAT_TRANSIENT)
            st = try_again(s, st);
    }
    clear_problem(s);
    return st;
}

static leat_status collect_step(struct jdbc_sink *s)
{
    int copy = 0;
    leat_status st = jdbc_collect(s, &copy);
    if (st != LEAT_OK)
        return st;
    if (copy) {
        s->state = JDBC_COPY_SEND;
        return LEAT_OK;
    }
    if (s->problem)
        return refused(s);
    written(s);
    return LEAT_OK;
}

static leat_status send_step(struct jdbc_sink *s)
{
    leat_status st = jdbc_copy_send(s);
    if (st == LEAT_OK)
        s->state = JDBC_COPY_WAIT;
    return st;
}

static leat_status step(struct jdbc_sink *s)
{
    switch (s->state) {
    case JDBC_CLOSED:
    case JDBC_CONNECTING:
        return connect_step(s);
    case JDBC_LOADING:
        return load_step(s);
    case JDBC_KEY:
        return key_step(s);
    case JDBC_SETUP:
        return setup_step(s);
    case JDBC_READY:
        return ready_step(s);
    case JDBC_ARRAYS:
    case JDBC_COPY_OPEN:
    case JDBC_COPY_WAIT:
        return collect_step(s);
    case JDBC_COPY_SEND:
        return send_step(s);
    case JDBC_BACKOFF:
        return LEAT_AGAIN;
    }
    return LEAT_AGAIN;
}

// LEAT_END of a step: idle.
leat_status jdbc_run(struct jdbc_sink *s)
{
    if (s->failed < 0)
        return s->failed;
    leat_status st;
    while ((st = step(s)) == LEAT_OK)
        if (s->state == JDBC_READY && !s->opened)
            return LEAT_OK;
    if (st == LEAT_END)
        return LEAT_OK;
    if (st == LEAT_TRANSIENT && s->conn && s->state != JDBC_BACKOFF &&
        PQstatus(pq_conn_raw(s->conn)) == CONNECTION_BAD) {
        clear_problem(s);
        drop_conn(s);
        st = try_again(s, st);
    }
    if (st < 0 && s->opened)
        s->failed = st;
    return st;
}

leat_status jdbc_notify(struct leat_ctx *ctx, void *arg)
{
    struct jdbc_sink *s = arg;
    if (!s->opened) {
        ctx->host->wake(ctx);
        return LEAT_OK;
    }
    leat_status st = jdbc_run(s);
    return st < 0 ? st : LEAT_OK;
}
