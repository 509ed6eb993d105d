// SPDX-License-Identifier: Apache-2.0
// Values that an update left out (TOAST) or that stand in a column added later, fetched by key before the batch is
// emitted. What is fetched may be newer than the row: its own change follows in the stream. A row whose key is not
// there any more is left out and counted, since its delete follows too.
//
// A commit is decoded before other sessions see it. A value read too early could be that of before the transaction, or
// its new key not be there yet, so the answer counts only if its snapshot sees every transaction asked about.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

#define CHUNK   128 // rows per query: large values are what this is about
#define SQL_MAX (64u << 20)
#define GONE    0xffu // kind of a row that is to be left out

static leat_status refuse(struct pgcdc *p, struct pgcdc_table *t)
{
    char where[256];
    snprintf(where, sizeof where, "table %s, commit at " PGCDC_LSN, t->port_name, PGCDC_LSN_OF(p->txn_final_lsn));
    (void)leat_fail(p->ctx, LEAT_DATA, "LEAT-G0305",
                    "an update of table \"%s\" left out a large value (commit at " PGCDC_LSN ")", t->port_name,
                    PGCDC_LSN_OF(p->txn_final_lsn));
    leat_error_hint(p->ctx,
                    "Set unchanged.toast = \"reselect\", or run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL;",
                    t->schema, t->name);
    leat_status st = p->ctx->host->bad_row(p->ctx, (struct leat_bytes){0}, where);
    return st == LEAT_OK ? LEAT_END : st;
}

leat_status pgcdc_pending_add(struct pgcdc *p, struct pgcdc_table *t, uint32_t row, const struct pgoutput_value *values,
                              const uint16_t *from)
{
    if (p->config->unchanged_toast == PGCDC_TOAST_FAIL || !t->out.key_count)
        return refuse(p, t);
    if (!t->pending)
        t->pending = pgcdc_mem_alloc(&p->mem, LEAT_BATCH_ROWS * sizeof *t->pending);
    struct leat_bytes *key = leat_batch_alloc(t->batch, t->out.key_count * sizeof *key, 8);
    if (!t->pending || !key)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        const struct pgoutput_value *v = &values[from[t->out.key[i]]];
        if (v->kind != PGOUTPUT_TEXT)
            return leat_fail(p->ctx, LEAT_BUG, "LEAT-G0301", "a row of table \"%s\" waits for values without its key",
                             t->port_name);
        uint8_t *copy = leat_batch_alloc(t->batch, v->len ? v->len : 1, 1);
        if (!copy)
            return leat_no_memory(p->ctx);
        if (v->len)
            memcpy(copy, v->ptr, v->len);
        key[i] = (struct leat_bytes){copy, v->len};
    }
    t->pending[t->pending_count++] = (struct pgcdc_pending){row, key, p->txn_xid};
    p->pending_total++;
    return LEAT_OK;
}

static void put_values(const struct pgcdc_table *t, struct buf *sql, uint32_t first, uint32_t count)
{
    char number[16];
    for (uint32_t n = 0; n < count; n++) {
        const struct pgcdc_pending *wait = &t->pending[first + n];
        snprintf(number, sizeof number, "%s(%u", n ? ", " : "", n);
        buf_str(sql, number);
        for (uint32_t i = 0; i < t->out.key_count; i++) {
            buf_str(sql, ", ");
            pq_literal(sql, (const char *)wait->key[i].ptr, wait->key[i].len);
            buf_str(sql, "::");
            buf_str(sql, t->columns[t->out.key[i]].type_name);
        }
        buf_u8(sql, ')');
    }
}

static uint32_t chunk_of(const struct pgcdc *p, const struct pgcdc_table *t)
{
    uint32_t left = t->pending_count - p->reselect_first;
    return left < CHUNK ? left : CHUNK;
}

// SELECT v.n, t.<columns>, … FROM (VALUES (0, 'key'::type), …) v(n, k0) LEFT JOIN ONLY table t ON t.key = v.k0
// A key is not null, so it tells whether the row is there; ctid would need a right on the whole table.
static leat_status send_chunk(struct pgcdc *p, const struct pgcdc_table *t, int again)
{
    struct buf sql;
    char number[32];
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, again ? "SELECT pg_catalog.pg_sleep(0.001);" : "");
    buf_str(&sql, "SELECT v.n");
    for (uint32_t i = 0; i < t->count; i++) {
        buf_str(&sql, ", t.");
        pq_ident(&sql, t->columns[i].name);
    }
    buf_str(&sql, ", t.");
    pq_ident(&sql, t->columns[t->out.key[0]].name);
    buf_str(&sql, " IS NOT NULL, pg_catalog.txid_current_snapshot() FROM (VALUES ");
    put_values(t, &sql, p->reselect_first, chunk_of(p, t));
    buf_str(&sql, ") v(n");
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        snprintf(number, sizeof number, ", k%u", i);
        buf_str(&sql, number);
    }
    buf_str(&sql, ") LEFT JOIN ONLY ");
    pq_qualified(&sql, t->schema, t->name);
    buf_str(&sql, " t ON ");
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        buf_str(&sql, i ? " AND t." : "t.");
        pq_ident(&sql, t->columns[t->out.key[i]].name);
        buf_u8(&sql, ' ');
        buf_str(&sql, t->columns[t->out.key[i]].equals);
        snprintf(number, sizeof number, " v.k%u", i);
        buf_str(&sql, number);
    }
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status fill_waiting(struct pgcdc *p, struct pgcdc_table *t, const PGresult *res, int from, uint32_t row)
{
    struct leat_batch *b = t->batch;
    for (uint32_t i = 0; i < t->count; i++) {
        if (b->columns[i].states[row] != LEAT_UNCHANGED)
            continue;
        if (PQgetisnull(res, from, (int)i + 1)) {
            b->columns[i].states[row] = LEAT_NULL;
            continue;
        }
        struct pgoutput_value v = {(const uint8_t *)PQgetvalue(res, from, (int)i + 1),
                                   (uint32_t)PQgetlength(res, from, (int)i + 1), PGOUTPUT_TEXT};
        const struct pgcdc_column *c = &t->columns[i];
        const char *wrong = c->how.parse(&c->how, b, v.ptr, v.len, &b->columns[i].cells[row]);
        b->columns[i].states[row] = LEAT_VALUE;
        if (wrong) {
            leat_status st = pgcdc_bad_value(p, t, c, wrong, &v);
            if (st != LEAT_OK)
                return st;
            b->kinds[row] = GONE;
            return LEAT_OK;
        }
    }
    return LEAT_OK;
}

// Does a snapshot, "xmin:xmax:running,running", see the end of this transaction? Its numbers have 64 bits.
static int sees(const char *snapshot, uint32_t xid)
{
    char *at;
    (void)strtoull(snapshot, &at, 10);
    uint64_t xmax = *at == ':' ? strtoull(at + 1, &at, 10) : 0;
    if ((int32_t)(xid - (uint32_t)xmax) >= 0)
        return 0;
    while (*at && at[1]) {
        uint64_t running = strtoull(at + 1, &at, 10);
        if ((uint32_t)running == xid)
            return 0;
    }
    return 1;
}

static int sees_all(const struct pgcdc *p, const struct pgcdc_table *t, const PGresult *res)
{
    if (!PQntuples(res))
        return 0;
    const char *snapshot = PQgetvalue(res, 0, (int)t->count + 2);
    for (uint32_t n = 0; n < chunk_of(p, t); n++)
        if (!sees(snapshot, t->pending[p->reselect_first + n].xid))
            return 0;
    return 1;
}

static leat_status take_chunk(struct pgcdc *p, struct pgcdc_table *t, const PGresult *res)
{
    uint8_t found[CHUNK] = {0};
    uint32_t count = chunk_of(p, t);
    for (int i = 0; i < PQntuples(res); i++) {
        uint32_t n = (uint32_t)strtoul(PQgetvalue(res, i, 0), NULL, 10);
        if (n >= count || found[n] || PQgetvalue(res, i, (int)t->count + 1)[0] != 't')
            continue;
        found[n] = 1;
        leat_status st = fill_waiting(p, t, res, i, t->pending[p->reselect_first + n].row);
        if (st < 0)
            return st;
    }
    for (uint32_t n = 0; n < count; n++) {
        if (found[n])
            continue;
        t->batch->kinds[t->pending[p->reselect_first + n].row] = GONE;
        __atomic_fetch_add(p->numbers.vanished, 1, __ATOMIC_RELAXED);
    }
    p->reselect_first += count;
    return LEAT_OK;
}

// Closes the gaps that rows left behind.
static void leave_out(struct leat_batch *b)
{
    uint32_t to = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (b->kinds[row] == GONE)
            continue;
        if (to != row) {
            b->kinds[to] = b->kinds[row];
            b->times[to] = b->times[row];
            b->positions[to] = b->positions[row];
            for (uint32_t c = 0; c < b->column_count; c++) {
                b->columns[c].cells[to] = b->columns[c].cells[row];
                b->columns[c].states[to] = b->columns[c].states[row];
            }
        }
        to++;
    }
    b->rows = to;
}

static leat_status reselect_table(struct pgcdc *p, struct pgcdc_table *t)
{
    for (int again = 0; p->reselect_first < t->pending_count;) {
        leat_status st = p->reselecting ? LEAT_OK : send_chunk(p, t, again);
        if (st < 0)
            return st;
        p->reselecting = 1;
        PGresult *res = NULL;
        st = pq_take(p->sql, "fetch values that an update left out", &res);
        if (st != LEAT_OK)
            return st;
        p->reselecting = 0;
        again = !sees_all(p, t, res);
        st = again ? LEAT_OK : take_chunk(p, t, res);
        PQclear(res);
        if (st < 0)
            return st;
    }
    if (t->pending_count)
        leave_out(t->batch);
    t->pending_count = 0;
    p->reselect_first = 0;
    return LEAT_OK;
}

leat_status pgcdc_reselect(struct pgcdc *p)
{
    if (p->asking_end) { // one query at a time
        leat_status st = pgcdc_take_end(p);
        if (st != LEAT_OK)
            return st;
    }
    for (; p->reselect_table < p->table_count; p->reselect_table++) {
        leat_status st = reselect_table(p, &p->tables[p->reselect_table]);
        if (st != LEAT_OK)
            return st;
    }
    p->reselect_table = 0;
    p->pending_total = 0;
    return LEAT_OK;
}
