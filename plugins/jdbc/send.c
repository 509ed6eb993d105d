// SPDX-License-Identifier: Apache-2.0
// Bytes to the server, results back. Rows go as they were encoded: runs of tuples for COPY, fields as elements of
// arrays for statements.
//
// Binary array: int32 dimensions (1), int32 has NULLs, int32 type of elements, int32 count, int32 lower bound (1), then
// the elements, each as a field. Binary COPY: a signature, int32 flags, int32 length of an extension, the tuples, -1.
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "sink_int.h"

#define CHUNK (64u << 10) // of COPY data given to libpq at once

static uint32_t range_end(const struct jdbc_sink *s)
{
    return s->ends[s->depth - 1];
}

void jdbc_count_parts(struct jdbc_sink *s)
{
    memset(&s->parts, 0, sizeof s->parts.deletes + sizeof s->parts.upserts);
    memset(s->parts.grouped, 0, (s->flying->group_count + 1) * sizeof *s->parts.grouped);
    for (uint32_t i = s->lo; i < range_end(s); i++) {
        int16_t op = s->flying->rows[i].op;
        s->parts.deletes += op == JDBC_OP_DELETE;
        s->parts.upserts += op == JDBC_OP_UPSERT;
        if (op > 0)
            s->parts.grouped[op]++;
    }
}

uint32_t jdbc_live_rows(const struct jdbc_sink *s)
{
    uint32_t n = s->parts.deletes + s->parts.upserts;
    for (uint32_t g = 1; g <= s->flying->group_count; g++)
        n += s->parts.grouped[g];
    return n;
}

// --- arrays

struct params {
    size_t at[LEAT_COLUMNS_MAX + 1];
    const char *values[LEAT_COLUMNS_MAX];
    int lengths[LEAT_COLUMNS_MAX];
    int formats[LEAT_COLUMNS_MAX];
};

static void array_head(struct buf *out, uint32_t oid, uint32_t count)
{
    buf_u32(out, 1);
    buf_u32(out, 1);
    buf_u32(out, oid);
    buf_u32(out, count);
    buf_u32(out, 1);
}

// Column by column the fields of the range's rows with this op. `at` holds where each row's next field is.
static leat_status build_arrays(struct jdbc_sink *s, int16_t op, uint32_t rows, uint32_t columns, struct params *p)
{
    const uint8_t **at = malloc(rows * sizeof *at);
    uint32_t n = 0;
    if (!at)
        return leat_no_memory(s->ctx);
    for (uint32_t i = s->lo; i < range_end(s); i++)
        if (s->flying->rows[i].op == op)
            at[n++] = jdbc_rows_fields(s->flying, i);
    buf_reset(&s->params);
    for (uint32_t c = 0; c < columns; c++) {
        p->at[c] = s->params.len;
        array_head(&s->params, s->shape.columns[c].wire->oid, rows);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t size = jdbc_field_size(at[i]);
            buf_put(&s->params, at[i], size);
            at[i] += size;
        }
    }
    p->at[columns] = s->params.len;
    free(at);
    for (uint32_t c = 0; c < columns && buf_ok(&s->params); c++) {
        p->values[c] = (const char *)s->params.ptr + p->at[c];
        p->lengths[c] = (int)(p->at[c + 1] - p->at[c]);
        p->formats[c] = 1;
    }
    return buf_ok(&s->params) ? LEAT_OK : leat_no_memory(s->ctx);
}

static int send_prepared(struct jdbc_sink *s, const char *name, uint32_t columns, const struct params *p)
{
    return PQsendQueryPrepared(pq_conn_raw(s->conn), name, (int)columns, p->values, p->lengths, p->formats, 1);
}

static leat_status send_group(struct jdbc_sink *s, uint32_t g, struct params *p, int *sent)
{
    if (!jdbc_sql_group_sets(&s->shape, s->flying, g))
        return LEAT_OK;
    leat_status st = build_arrays(s, (int16_t)g, s->parts.grouped[g], s->shape.count, p);
    buf_reset(&s->sql);
    jdbc_sql_group(&s->sql, &s->table, &s->shape, s->flying, g);
    buf_u8(&s->sql, 0);
    if (st == LEAT_OK && !buf_ok(&s->sql))
        st = leat_no_memory(s->ctx);
    if (st == LEAT_OK)
        *sent = PQsendQueryParams(pq_conn_raw(s->conn), (const char *)s->sql.ptr, (int)s->shape.count, NULL, p->values,
                                  p->lengths, p->formats, 1);
    return st;
}

static leat_status send_all(struct jdbc_sink *s, struct params *p, int *sent)
{
    leat_status st = LEAT_OK;
    if (s->parts.deletes) {
        st = build_arrays(s, JDBC_OP_DELETE, s->parts.deletes, s->shape.key_count, p);
        *sent = st == LEAT_OK && send_prepared(s, "leat_delete", s->shape.key_count, p);
    }
    if (st == LEAT_OK && *sent && s->swapping && s->parts.upserts) {
        st = build_arrays(s, JDBC_OP_UPSERT, s->parts.upserts, s->shape.key_count, p);
        *sent = st == LEAT_OK && send_prepared(s, "leat_delete", s->shape.key_count, p);
    }
    if (st == LEAT_OK && *sent && s->parts.upserts) {
        st = build_arrays(s, JDBC_OP_UPSERT, s->parts.upserts, s->shape.count, p);
        *sent = st == LEAT_OK && send_prepared(s, "leat_upsert", s->shape.count, p);
    }
    for (uint32_t g = 1; st == LEAT_OK && *sent && g <= s->flying->group_count; g++)
        if (s->parts.grouped[g])
            st = send_group(s, g, p, sent);
    return st;
}

// In a pipeline the statements up to the sync are one implicit transaction and one round trip. LEAT_TRANSIENT: the
// connection is gone.
leat_status jdbc_send_arrays(struct jdbc_sink *s)
{
    PGconn *pg = pq_conn_raw(s->conn);
    struct params *p = malloc(sizeof *p);
    int sent = 1;
    if (!p)
        return leat_no_memory(s->ctx);
    s->results = 0;
    leat_status st = LEAT_OK;
    if (PQenterPipelineMode(pg) != 1)
        sent = 0;
    if (sent)
        st = send_all(s, p, &sent);
    free(p);
    LEAT_FAULT("jdbc-before-commit");
    if (st == LEAT_OK && sent)
        sent = PQpipelineSync(pg) == 1;
    if (st < 0)
        return st;
    return sent ? LEAT_OK : pq_fail(s->ctx, pg, NULL, "could not send to PostgreSQL at \"%s\"", pq_conn_where(s->conn));
}

// --- COPY

leat_status jdbc_copy_begin(struct jdbc_sink *s)
{
    s->results = 0;
    s->send_at = s->lo;
    s->run = (struct leat_bytes){0};
    s->head_sent = s->tail_sent = 0;
    buf_reset(&s->sql);
    if (s->straight.now)
        jdbc_sql_straight(&s->sql, &s->table, &s->shape);
    else
        jdbc_sql_staged(&s->sql, &s->table, &s->shape, s->flying, &s->parts);
    buf_u8(&s->sql, 0);
    return buf_ok(&s->sql) ? pq_send(s->conn, (const char *)s->sql.ptr) : leat_no_memory(s->ctx);
}

// A run of live rows from `from`, at most CHUNK bytes unless one row alone is larger. Returns the row behind it.
static uint32_t next_run(const struct jdbc_sink *s, uint32_t *from)
{
    const struct jdbc_row *rows = s->flying->rows;
    uint32_t end = range_end(s), i = *from;
    while (i < end && rows[i].op == JDBC_OP_DEAD)
        i++;
    *from = i;
    for (uint32_t bytes = 0; i < end && rows[i].op != JDBC_OP_DEAD && (i == *from || bytes + rows[i].len <= CHUNK); i++)
        bytes += rows[i].len;
    return i;
}

static struct leat_bytes as_it_is(const struct jdbc_sink *s, uint32_t from, uint32_t to)
{
    const struct jdbc_row *rows = s->flying->rows;
    return (struct leat_bytes){s->flying->bytes.ptr + rows[from].at,
                               rows[to - 1].at + rows[to - 1].len - rows[from].at};
}

// The target has no op. NULL: no memory.
static struct leat_bytes without_op(struct jdbc_sink *s, uint32_t from, uint32_t to)
{
    buf_reset(&s->params);
    for (uint32_t i = from; i < to; i++)
        jdbc_rows_put_plain(s->flying, i, &s->params);
    return buf_ok(&s->params) ? (struct leat_bytes){s->params.ptr, (uint32_t)s->params.len} : (struct leat_bytes){0};
}

// 1 = given to libpq, 0 = no room now, -1 = lost, -2 = no memory. A row larger than CHUNK goes in pieces: libpq never
// gives back the largest buffer that it needed.
static int put_run(struct jdbc_sink *s)
{
    uint32_t from = s->send_at, to = next_run(s, &from);
    if (from < to) {
        if (!s->run.len)
            s->run = s->straight.now && s->shape.key_count ? without_op(s, from, to) : as_it_is(s, from, to);
        uint32_t len = s->run.len < CHUNK ? s->run.len : CHUNK;
        int put = s->run.ptr ? PQputCopyData(pq_conn_raw(s->conn), (const char *)s->run.ptr, (int)len) : -2;
        if (put <= 0)
            return put;
        s->run.ptr += len;
        s->run.len -= len;
        if (s->run.len)
            return 1;
    }
    s->send_at = to;
    return 1;
}

static int put_next(struct jdbc_sink *s)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; // and the terminating zero: 19 bytes
    PGconn *pg = pq_conn_raw(s->conn);
    int put;
    if (!s->head_sent) {
        put = PQputCopyData(pg, head, sizeof head);
        s->head_sent = put == 1;
        return put;
    }
    if (s->send_at < range_end(s))
        return put_run(s);
    if (!s->tail_sent) {
        put = PQputCopyData(pg, "\377\377", 2);
        s->tail_sent = put == 1;
        return put;
    }
    LEAT_FAULT("jdbc-before-commit");
    put = PQputCopyEnd(pg, NULL);
    return put == 1 ? 2 : put;
}

// LEAT_OK: all is with libpq. The server may have found fault already; then the rest is read and thrown away there.
leat_status jdbc_copy_send(struct jdbc_sink *s)
{
    PGconn *pg = pq_conn_raw(s->conn);
    // whatever came in is taken off the socket, or the watch would fire for it again and again
    (void)PQconsumeInput(pg);
    for (;;) {
        int put = put_next(s);
        if (put == -2)
            return leat_no_memory(s->ctx);
        int left = put < 0 ? -1 : PQflush(pg);
        if (left < 0)
            return LEAT_OK; // jdbc_collect says what happened
        if (put == 2)
            return LEAT_OK;
        if (left > 0 || put == 0) {
            leat_status st = pq_conn_await(s->conn, LEAT_READ | LEAT_WRITE);
            return st < 0 ? st : LEAT_AGAIN;
        }
    }
}

// --- results

// Rows of a group that the table does not have: their other columns are not known, so nothing is written.
static void note_missing(struct jdbc_sink *s, uint32_t result, const PGresult *res)
{
    uint32_t upserts = s->parts.upserts > 0;
    uint32_t before = (s->state != JDBC_ARRAYS) + (s->parts.deletes > 0) + upserts + (upserts && s->swapping);
    uint32_t n = 0;
    for (uint32_t g = 1; g <= s->flying->group_count; g++) {
        if (!s->parts.grouped[g] || !jdbc_sql_group_sets(&s->shape, s->flying, g))
            continue;
        uint32_t done = (uint32_t)strtoul(PQcmdTuples((PGresult *)(uintptr_t)res), NULL, 10);
        if (result == before + n++ && done < s->parts.grouped[g]) {
            __atomic_fetch_add(s->metrics.missing, (int64_t)(s->parts.grouped[g] - done), __ATOMIC_RELAXED);
            leat_log(s->ctx, LEAT_LOG_WARN, "row-missing",
                     "%u rows of %s that were to be changed in part are not there; they were left out",
                     s->parts.grouped[g] - done, s->table.full);
        }
    }
}

static void take_result(struct jdbc_sink *s, PGresult *res)
{
    ExecStatusType how = PQresultStatus(res);
    if (how == PGRES_FATAL_ERROR || how == PGRES_BAD_RESPONSE) {
        if (!s->problem) {
            s->problem = res;
            return;
        }
    } else if (how == PGRES_COMMAND_OK || how == PGRES_TUPLES_OK) {
        if (s->flying && s->flying->group_count)
            note_missing(s, s->results, res);
        s->results++;
    }
    PQclear(res);
}

static leat_status lost(struct jdbc_sink *s)
{
    return pq_fail(s->ctx, pq_conn_raw(s->conn), s->problem, "the connection to PostgreSQL at \"%s\" was lost",
                   pq_conn_where(s->conn));
}

leat_status jdbc_collect(struct jdbc_sink *s, int *copy)
{
    PGconn *pg = pq_conn_raw(s->conn);
    int pipeline = s->state == JDBC_ARRAYS;
    int alive = PQconsumeInput(pg);
    int left = PQflush(pg);
    *copy = 0;
    for (;;) {
        if (PQisBusy(pg)) {
            if (!alive || left < 0)
                return lost(s);
            leat_status st = pq_conn_await(s->conn, left > 0 ? LEAT_READ | LEAT_WRITE : LEAT_READ);
            return st < 0 ? st : LEAT_AGAIN;
        }
        PGresult *res = PQgetResult(pg);
        ExecStatusType how = res ? PQresultStatus(res) : PGRES_EMPTY_QUERY;
        if (!res && (!pipeline || PQstatus(pg) == CONNECTION_BAD))
            return PQstatus(pg) == CONNECTION_BAD ? lost(s) : LEAT_OK;
        if (how == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return PQexitPipelineMode(pg) == 1 ? LEAT_OK : lost(s);
        }
        if (how == PGRES_COPY_IN) {
            PQclear(res);
            *copy = 1;
            return LEAT_OK;
        }
        if (res)
            take_result(s, res);
    }
}
