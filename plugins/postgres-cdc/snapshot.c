// SPDX-License-Identifier: Apache-2.0
// The initial snapshot: COPY of every captured table, all in one database snapshot, over one or more connections.
//
// A first start uses the snapshot that the slot's creation exported, which meets the stream exactly. No exported
// snapshot survives a kill: then tables that were not finished are read again in a newer one, and the stream is read
// from the slot's first point all the same; what it brings again is idempotent by key, and a row that was deleted in
// between gets its delete. Tables that were finished before a checkpoint are not read again.
//
// Work is a list of items, whole tables or ranges of pages of large ones; readers take the next one each. Small tables
// come first: they are the ones that others are joined with. A reader's
// open batch stays open over polls, since a position says nothing of unfinished tables.
//
//     reader:  CONNECT -> BEGIN -> IDLE -> START -> COPY -> IDLE … -> DONE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "pgcdc_int.h"

#define SQL_MAX     (1u << 20)
#define PAGES_MIN   2048u      // 16 MB: smaller tables are not cut
#define PIECES      4u         // per connection, so that all end at about the same time
#define BUDGET      (1u << 20) // bytes per poll and reader
#define STATUS_EACH 200000     // µs
#define NAP         200 // µs, after rows: the server sends 8 KB at a time, and pays for waking a reader each time

enum reader_state { CONNECT, BEGIN, IDLE, START, COPY, DONE };

struct item {
    struct pgcdc_table *table;
    uint32_t first_page, end_page; // end 0 = to the end of the table
};

struct reader {
    struct pq_conn *conn;
    enum reader_state state;
    uint8_t sent;
    struct item *item;
    struct leat_batch *batch;
};

struct pgcdc_snapshot {
    struct item *items;
    uint32_t item_count, next;
    uint32_t *left; // per table: items that are not finished
    struct reader *readers;
    uint32_t reader_count;
    uint8_t exported; // readers after the first may import snapshot_name
    double estimate;
    int64_t rows;
    int64_t said;
};

// --- the plan

static uint32_t pieces_of(const struct pgcdc *p, const struct pgcdc_table *t)
{
    uint32_t connections = (uint32_t)p->config->snapshot_connections;
    if (connections == 1 || p->server_version < 140000 || t->pages < 2 * PAGES_MIN) // 14 made ranges of ctid cheap
        return 1;
    uint32_t pieces = t->pages / PAGES_MIN;
    return pieces > connections * PIECES ? connections * PIECES : pieces;
}

static void add_items(struct pgcdc *p, struct pgcdc_snapshot *s, struct pgcdc_table *t)
{
    uint32_t pieces = pieces_of(p, t), each = t->pages / pieces;
    for (uint32_t i = 0; i < pieces; i++)
        s->items[s->item_count++] = (struct item){t, i * each, i + 1 < pieces ? (i + 1) * each : 0};
    s->left[t->port] = pieces;
    if (t->estimate > 0)
        s->estimate += t->estimate;
}

static int smaller_first(const void *x, const void *y)
{
    const struct pgcdc_table *a = *(struct pgcdc_table *const *)x, *b = *(struct pgcdc_table *const *)y;
    if (a->pages != b->pages)
        return a->pages < b->pages ? -1 : 1;
    return a->port < b->port ? -1 : a->port > b->port;
}

static int is_wanted(const struct pgcdc_table *t)
{
    return t->used && !t->snapshot_done;
}

static leat_status plan(struct pgcdc *p)
{
    struct pgcdc_snapshot *s = pgcdc_mem_alloc(&p->mem, sizeof *s);
    struct pgcdc_table **tables = pgcdc_mem_alloc(&p->mem, p->table_count * sizeof(struct pgcdc_table *));
    uint32_t items = 0;
    if (!s || !tables)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < p->table_count; i++)
        tables[i] = &p->tables[i];
    qsort(tables, p->table_count, sizeof(struct pgcdc_table *), smaller_first);
    for (uint32_t i = 0; i < p->table_count; i++)
        if (is_wanted(tables[i]))
            items += pieces_of(p, tables[i]);
    s->items = pgcdc_mem_alloc(&p->mem, items * sizeof *s->items);
    s->left = pgcdc_mem_alloc(&p->mem, p->table_count * sizeof *s->left);
    s->reader_count = (uint32_t)p->config->snapshot_connections;
    if (s->reader_count > items)
        s->reader_count = items ? items : 1;
    s->readers = pgcdc_mem_alloc(&p->mem, s->reader_count * sizeof *s->readers);
    if (!s->items || !s->left || !s->readers)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < p->table_count; i++)
        if (is_wanted(tables[i]))
            add_items(p, s, tables[i]);
    s->exported = p->snapshot_name[0] != 0;
    p->snapshot = s;
    if (items)
        leat_log(p->ctx, LEAT_LOG_INFO, "snapshot",
                 "reading the snapshot over %u connection%s, by the statistics %.0f rows", s->reader_count,
                 s->reader_count > 1 ? "s" : "", s->estimate);
    return LEAT_OK;
}

static void say_progress(struct pgcdc *p, const struct pgcdc_table *t)
{
    struct pgcdc_snapshot *s = p->snapshot;
    int64_t now = p->ctx->host->monotonic(p->ctx);
    if (now - s->said < STATUS_EACH)
        return;
    s->said = now;
    double share = s->estimate > 0 ? 100.0 * (double)s->rows / s->estimate : 0;
    if (s->estimate > 0)
        leat_say_status(p->ctx, "reading the snapshot of %s, %lld rows, %.0f %% of all", t->port_name,
                        (long long)s->rows, share > 99 ? 99 : share);
    else // never analysed
        leat_say_status(p->ctx, "reading the snapshot of %s, %lld rows", t->port_name, (long long)s->rows);
    uint64_t end = (uint64_t)(s->estimate > (double)s->rows ? s->estimate : (double)s->rows + 1);
    p->ctx->host->progress(p->ctx, (uint64_t)s->rows, end, -1);
}

// --- rows

// Undoes COPY's escapes in place; returns the new length.
static uint32_t unescape(uint8_t *text, uint32_t len)
{
    static const uint8_t plain[256] = {
        ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['v'] = '\v'};
    uint32_t to = 0;
    for (uint32_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len) {
            i++;
            text[to++] = plain[text[i]] ? plain[text[i]] : text[i];
        } else {
            text[to++] = text[i];
        }
    }
    return to;
}

// Cuts a line of COPY's text form into values. 0 = it does not have `count` fields.
static int split(char *line, size_t len, struct pgoutput_value *values, uint32_t count)
{
    uint8_t *at = (uint8_t *)line, *end = at + len;
    if (len && end[-1] == '\n')
        end--;
    int escapes = memchr(at, '\\', (size_t)(end - at)) != NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *tab = memchr(at, '\t', (size_t)(end - at));
        uint8_t *stop = tab ? tab : end;
        struct pgoutput_value *v = &values[i];
        v->ptr = at;
        v->len = (uint32_t)(stop - at);
        v->kind = PGOUTPUT_TEXT;
        if (escapes && v->len == 2 && at[0] == '\\' && at[1] == 'N')
            v->kind = PGOUTPUT_NULL;
        else if (escapes && memchr(at, '\\', v->len))
            v->len = unescape(at, v->len);
        if (!tab != (i + 1 == count))
            return 0;
        at = stop + 1;
    }
    return 1;
}

static leat_status emit(struct pgcdc *p, struct reader *r)
{
    struct leat_batch *b = r->batch;
    if (!b)
        return LEAT_OK;
    r->batch = NULL;
    b->flags |= LEAT_BATCH_SNAPSHOT;
    p->snapshot->rows += b->rows;
    __atomic_fetch_add(p->numbers.snapshot_rows, (int64_t)b->rows, __ATOMIC_RELAXED);
    leat_status st = p->ctx->host->emit(p->ctx, r->item->table->port, b);
    LEAT_FAULT("pgcdc-in-snapshot");
    say_progress(p, r->item->table);
    return st;
}

static leat_status take_row(struct pgcdc *p, struct reader *r, char *line, size_t len)
{
    struct pgcdc_table *t = r->item->table;
    struct pgoutput_value *values = p->room->before.values;
    if (!split(line, len, values, t->count))
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301",
                         "a row of table \"%s\" has another number of columns than asked for", t->port_name);
    if (!r->batch) {
        leat_status st = pgcdc_batch_open(p, t, &r->batch, 0);
        if (st < 0)
            return st;
    }
    uint32_t unchanged = 0, row = leat_batch_add(r->batch, LEAT_INSERT);
    leat_status st = pgcdc_row_fill(p, t, r->batch, row, values, NULL, &unchanged);
    if (st == LEAT_END)
        r->batch->rows = row; // a bad row, skipped by policy
    else if (st == LEAT_OK)
        st = pgcdc_key_put(p, t, values, NULL);
    if (st < 0)
        return st;
    return leat_batch_is_full(r->batch) ? emit(p, r) : LEAT_OK;
}

// --- readers

static leat_status send_begin(struct pgcdc *p, struct reader *r)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (p->snapshot->exported) {
        buf_str(&sql, "; SET TRANSACTION SNAPSHOT ");
        pq_literal(&sql, p->snapshot_name, strlen(p->snapshot_name));
    } else if (p->snapshot->reader_count > 1) {
        buf_str(&sql, "; SELECT pg_export_snapshot()");
    }
    return pgcdc_send_sql(p, r->conn, &sql);
}

static void took_begin(struct pgcdc *p, const PGresult *res)
{
    if (p->snapshot->exported || PQresultStatus(res) != PGRES_TUPLES_OK)
        return;
    snprintf(p->snapshot_name, sizeof p->snapshot_name, "%s", PQgetvalue(res, 0, 0));
    p->snapshot->exported = 1;
}

static leat_status send_copy(struct pgcdc *p, struct reader *r)
{
    const struct item *item = r->item;
    const struct pgcdc_table *t = item->table;
    struct buf sql;
    char range[96];
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "COPY (SELECT ");
    for (uint32_t i = 0; i < t->count; i++) {
        buf_str(&sql, i ? ", " : "");
        pq_ident(&sql, t->columns[i].name);
    }
    buf_str(&sql, " FROM ONLY ");
    pq_qualified(&sql, t->schema, t->name);
    if (item->first_page || item->end_page) {
        snprintf(range, sizeof range, " WHERE ctid >= '(%u,0)'::tid", item->first_page);
        buf_str(&sql, range);
    }
    if (item->end_page) {
        snprintf(range, sizeof range, " AND ctid < '(%u,0)'::tid", item->end_page);
        buf_str(&sql, range);
    }
    buf_str(&sql, ") TO STDOUT");
    return pgcdc_send_sql(p, r->conn, &sql);
}

// LEAT_OK: all rows that are there were taken or the budget is spent; LEAT_AGAIN: the way is full.
static leat_status copy_some(struct pgcdc *p, struct reader *r, size_t *bytes, int *ended, int *dry)
{
    PGconn *pg = pq_conn_raw(r->conn);
    int fresh = 0;
    *bytes = 0;
    *ended = *dry = 0;
    while (*bytes < BUDGET) {
        char *line = NULL;
        int n = PQgetCopyData(pg, &line, 1);
        if (n > 0) {
            leat_status st = take_row(p, r, line, (size_t)n);
            PQfreemem(line);
            if (st != LEAT_OK)
                return st;
            *bytes += (size_t)n;
            fresh = 0;
        } else if (n < 0) {
            *ended = 1;
            return LEAT_OK;
        } else if (fresh) {
            *dry = 1;
            return LEAT_OK;
        } else if (!PQconsumeInput(pg)) {
            return pq_fail(p->ctx, pg, NULL, "the connection to PostgreSQL was lost in the snapshot");
        } else {
            fresh = 1;
        }
    }
    return LEAT_OK;
}

static void item_done(struct pgcdc *p, struct reader *r)
{
    struct pgcdc_table *t = r->item->table;
    if (--p->snapshot->left[t->port] == 0) {
        t->snapshot_done = 1;
        leat_log(p->ctx, LEAT_LOG_INFO, "snapshot-table", "the snapshot of \"%s\" is read", t->port_name);
        LEAT_FAULT("pgcdc-after-snapshot-table");
    }
    r->item = NULL;
    r->state = IDLE;
}

static leat_status do_connect(struct pgcdc *p, struct reader *r)
{
    leat_status st = pgcdc_conn_step(p, &r->conn, 0);
    if (st == LEAT_OK)
        r->state = BEGIN;
    return st;
}

static leat_status do_begin(struct pgcdc *p, struct reader *r)
{
    PGresult *res = NULL;
    if (!r->sent) {
        if (!p->snapshot->exported && p->snapshot->reader_count > 1 && r != &p->snapshot->readers[0])
            return LEAT_AGAIN; // the first one exports; its answer wakes the node
        leat_status st = send_begin(p, r);
        if (st < 0)
            return st;
        r->sent = 1;
    }
    leat_status st = pq_take(r->conn, "begin the snapshot", &res);
    if (st != LEAT_OK)
        return st;
    took_begin(p, res);
    PQclear(res);
    r->sent = 0;
    r->state = IDLE;
    p->ctx->host->wake(p->ctx); // others may wait for the snapshot's name
    return LEAT_OK;
}

static leat_status do_idle(struct pgcdc *p, struct reader *r)
{
    struct pgcdc_snapshot *s = p->snapshot;
    if (s->next == s->item_count) {
        r->state = DONE;
        return LEAT_OK;
    }
    r->item = &s->items[s->next++];
    r->state = START;
    return send_copy(p, r);
}

static leat_status do_start(struct pgcdc *p, struct reader *r)
{
    char what[160];
    PGresult *res = NULL;
    snprintf(what, sizeof what, "copy table \"%s\"", r->item->table->port_name);
    leat_status st = pq_take(r->conn, what, &res);
    if (st != LEAT_OK)
        return st;
    PQclear(res);
    r->state = COPY;
    return LEAT_OK;
}

static leat_status do_copy(struct pgcdc *p, struct reader *r)
{
    int ended, dry;
    size_t took;
    leat_status st = copy_some(p, r, &took, &ended, &dry);
    if (st != LEAT_OK)
        return st;
    if (dry) {
        st = took ? pq_conn_nap(r->conn, NAP) : pq_conn_await(r->conn, LEAT_READ);
        return st < 0 ? st : LEAT_END;
    }
    if (!ended)
        return LEAT_OK;
    PGresult *res = NULL;
    st = pq_take(r->conn, "copy a table", &res); // the result behind the COPY: an error, or done
    if (st != LEAT_OK)
        return st == LEAT_AGAIN ? LEAT_END : st;
    PQclear(res);
    st = emit(p, r);
    if (st >= 0)
        item_done(p, r);
    return st;
}

// One turn of a reader: LEAT_OK: more at once; LEAT_END: waits for its socket; LEAT_AGAIN: the way is full.
static leat_status turn(struct pgcdc *p, struct reader *r)
{
    static leat_status (*const steps[])(struct pgcdc *, struct reader *) = {
        [CONNECT] = do_connect, [BEGIN] = do_begin, [IDLE] = do_idle, [START] = do_start, [COPY] = do_copy,
    };
    if (r->state == DONE)
        return LEAT_END;
    enum reader_state was = r->state;
    leat_status st = steps[r->state](p, r);
    return st == LEAT_AGAIN && was != COPY ? LEAT_END : st;
}

static leat_status finish(struct pgcdc *p)
{
    pgcdc_snapshot_destroy(p);
    p->snapshot_done = 1;
    leat_say_status(p->ctx, "the snapshot is read");
    LEAT_FAULT("pgcdc-after-snapshot");
    return LEAT_END;
}

// LEAT_END: the snapshot is over.
leat_status pgcdc_snapshot_poll(struct pgcdc *p)
{
    leat_status st = p->snapshot ? LEAT_OK : plan(p);
    if (st < 0)
        return st;
    struct pgcdc_snapshot *s = p->snapshot;
    uint32_t waiting = 0, done = 0;
    if (!s->item_count)
        return finish(p);
    for (uint32_t i = 0; i < s->reader_count; i++) {
        st = turn(p, &s->readers[i]);
        if (st < 0 || st == LEAT_AGAIN)
            return st;
        waiting += st == LEAT_END;
        done += s->readers[i].state == DONE;
    }
    if (done == s->reader_count)
        return finish(p);
    return waiting == s->reader_count ? LEAT_AGAIN : LEAT_OK;
}

void pgcdc_snapshot_destroy(struct pgcdc *p)
{
    struct pgcdc_snapshot *s = p->snapshot;
    for (uint32_t i = 0; s && i < s->reader_count; i++) {
        leat_batch_unref(s->readers[i].batch);
        pq_conn_destroy(s->readers[i].conn);
    }
    p->snapshot = NULL;
}
