// SPDX-License-Identifier: Apache-2.0
// The node's connections, the session settings that fix PostgreSQL's text forms, and scripts: lists of queries that are
// stepped one after the other.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

struct pgcdc_block {
    struct pgcdc_block *next;
    _Alignas(16) uint8_t bytes[];
};

void *pgcdc_mem_alloc(struct pgcdc_mem *mem, size_t size)
{
    struct pgcdc_block *block = calloc(1, sizeof *block + (size ? size : 1));
    if (!block)
        return NULL;
    block->next = mem->blocks;
    mem->blocks = block;
    return block->bytes;
}

char *pgcdc_mem_text(struct pgcdc_mem *mem, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = pgcdc_mem_alloc(mem, len);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

void pgcdc_mem_free(struct pgcdc_mem *mem)
{
    while (mem->blocks) {
        struct pgcdc_block *block = mem->blocks;
        mem->blocks = block->next;
        free(block);
    }
}

uint64_t pgcdc_lsn_parse(const char *text)
{
    uint32_t high = 0, low = 0;
    return text && sscanf(text, "%" SCNx32 "/%" SCNx32, &high, &low) == 2 ? (uint64_t)high << 32 | low : 0;
}

// Text forms as types.c reads them; no time-out may end a snapshot or a stream; row security must fail, not hide rows.
static const char settings[] = "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=3 "
                               "-c bytea_output=hex -c statement_timeout=0 -c lock_timeout=0 -c search_path= "
                               "-c idle_in_transaction_session_timeout=0 -c row_security=off";

static leat_status create_conn(struct pgcdc *p, struct pq_conn **conn, int replication)
{
    const struct pgcdc_config *c = p->config;
    static const char *const sslmodes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    char port[24], options[512];
    snprintf(port, sizeof port, "%" PRId64, c->port);
    snprintf(options, sizeof options, "%s -c wal_sender_timeout=%" PRId64, settings, c->wal_sender_timeout / 1000);
    const struct pq_param params[] = {
        {"host", c->hostname},
        {"port", port},
        {"user", c->username},
        {"password", c->password},
        {"dbname", c->database},
        {"sslmode", c->sslmode < 0 ? NULL : sslmodes[c->sslmode]},
        {"sslrootcert", c->sslrootcert},
        {"sslcert", c->sslcert},
        {"sslkey", c->sslkey},
        {"sslpassword", c->sslpassword},
        {"application_name", "leat"},
        {"replication", replication ? "database" : NULL},
        {"options", options},
        // a peer that vanished without a word is noticed
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "4"},
        {"tcp_user_timeout", "30000"},
    };
    return pq_conn_create(p->ctx, params, sizeof params / sizeof *params, c->connect_timeout, NULL, NULL, conn);
}

leat_status pgcdc_conn_step(struct pgcdc *p, struct pq_conn **conn, int replication)
{
    if (!*conn) {
        leat_status st = create_conn(p, conn, replication);
        if (st < 0)
            return st;
    }
    return pq_conn_step(*conn);
}

leat_status pgcdc_send_sql(struct pgcdc *p, struct pq_conn *conn, struct buf *sql)
{
    buf_u8(sql, 0);
    leat_status st = buf_ok(sql) ? pq_send(conn, (const char *)sql->ptr) : leat_no_memory(p->ctx);
    buf_fini(sql);
    return st;
}

static leat_status run_step(struct pgcdc *p, const struct pgcdc_step *step)
{
    struct pq_conn **conn = step->on_replication ? &p->replication : &p->sql;
    leat_status st = pgcdc_conn_step(p, conn, step->on_replication);
    if (st != LEAT_OK)
        return st;
    if (!p->sent) {
        st = step->send(p);
        if (st != LEAT_OK)
            return st == LEAT_END ? LEAT_OK : st;
        p->sent = 1;
    }
    PGresult *res = NULL;
    st = pq_take(*conn, step->what, &res);
    if (st != LEAT_OK)
        return st;
    p->sent = 0;
    st = step->take ? step->take(p, res) : LEAT_OK;
    PQclear(res);
    return st;
}

leat_status pgcdc_script(struct pgcdc *p, const struct pgcdc_step *script)
{
    if (p->script != script) {
        p->script = script;
        p->step = 0;
        p->sent = 0;
    }
    while (script[p->step].send) {
        leat_status st = run_step(p, &script[p->step]);
        if (st != LEAT_OK)
            return st;
        p->step++;
    }
    p->script = NULL;
    return LEAT_OK;
}
