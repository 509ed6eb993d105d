// SPDX-License-Identifier: Apache-2.0
// The slot: made on the first start, compared with our position on every other one.
//
// PostgreSQL forwards a reader that asks for an old position without a word, so nothing is believed: the slot must be
// there, of our server and timeline, and must not have been confirmed beyond what the newest checkpoint recorded. What
// cannot be proved is refused, naming both positions and the ways out. A slot is never dropped here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "pgcdc_int.h"

#define BUSY_PATIENCE 5000000 // µs to wait for another process on the slot before the node fails
#define RETRY         100000  // µs between two questions
#define SQL_MAX       (1u << 20)

static const char *cell(const PGresult *res, int row, int column)
{
    return PQgetvalue(res, row, column);
}

// --- a run of which nothing is kept

// Its slot is a temporary one: the server drops it with the connection. Only "committed-offset" reads the slot that
// there is, without moving it.
void pgcdc_slot_choose(struct pgcdc *p)
{
    p->slot = p->config->slot_name;
    if (!p->transient || p->config->startup_mode == PGCDC_COMMITTED)
        return;
    snprintf(p->own_name, sizeof p->own_name, "%.40s_sql_%ld", p->config->slot_name, (long)getpid());
    p->slot = p->own_name;
}

// --- who the server is

static leat_status send_identify(struct pgcdc *p)
{
    return pq_send(p->replication, "IDENTIFY_SYSTEM");
}

static leat_status other_server(struct pgcdc *p)
{
    const struct pgcdc_saved *s = &p->saved;
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0205",
                    "the checkpoint at " PGCDC_LSN
                    " was taken from system %llu, timeline %u, but this server is system "
                    "%llu, timeline %u",
                    PGCDC_LSN_OF(s->at.lsn), (unsigned long long)s->system, s->timeline, (unsigned long long)p->system,
                    p->timeline);
    leat_error_detail(p->ctx, "After a restore, a clone or a failover the same position names other changes.");
    leat_error_hint(p->ctx,
                    "Point the source at the right server; or drop the slot and start once with --forget-state %s "
                    "to read a new snapshot.",
                    p->node);
    return LEAT_FATAL;
}

static leat_status take_identify(struct pgcdc *p, PGresult *res)
{
    if (PQntuples(res) != 1 || PQnfields(res) < 3)
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301", "the server did not identify itself");
    p->system = strtoull(cell(res, 0, 0), NULL, 10);
    p->timeline = (uint32_t)strtoul(cell(res, 0, 1), NULL, 10);
    p->server_end = pgcdc_lsn_parse(cell(res, 0, 2));
    if (p->saved.system && (p->saved.system != p->system || p->saved.timeline != p->timeline))
        return other_server(p);
    return LEAT_OK;
}

static leat_status ask_again(struct pgcdc *p);

// --- tables that join a slot that is already read

static int wants_snapshot(const struct pgcdc *p);

// The slot of somebody else that slot.reuse = "snapshot" makes ours.
static int takes_over(const struct pgcdc *p)
{
    return p->slot_exists && !p->restored && !p->slot_ours && wants_snapshot(p);
}

// A transaction that wrote to a table before it was published and commits after our snapshot would be seen by neither
// snapshot nor stream. (On a first start the creation of the slot takes care of that.) Who published the table and when
// is not known for sure, least of all after a kill: so it goes by the facts that every start finds anew.
static int must_wait(const struct pgcdc *p)
{
    if (!p->slot_exists || (p->restored ? p->config->startup_mode != PGCDC_INITIAL : !wants_snapshot(p)))
        return 0;
    for (uint32_t i = 0; i < p->table_count; i++)
        if (p->tables[i].used && !pgcdc_saved_of(p, &p->tables[i]))
            return 1;
    return 0;
}

// The position is read before the number is given: whoever committed before it has a smaller one.
static leat_status send_wait(struct pgcdc *p)
{
    if (!must_wait(p))
        return LEAT_END;
    return pq_send(p->sql, p->wait_xid
                               ? "SELECT pg_current_wal_flush_lsn(), txid_snapshot_xmin(txid_current_snapshot())"
                               : "SELECT pg_current_wal_insert_lsn(), txid_current()");
}

// One round brings every transaction to an end that is older than the tables' publication. A slot that is taken over
// takes a second: it is moved to where that began, so that the stream begins behind the former ones, and all that was
// committed before it is seen by the snapshot to come. (A commit is in the log before others see it.)
static leat_status take_wait(struct pgcdc *p, PGresult *res)
{
    uint64_t lsn = pgcdc_lsn_parse(cell(res, 0, 0)), xid = strtoull(cell(res, 0, 1), NULL, 10);
    if (!p->wait_xid) {
        p->wait_lsn = lsn;
        p->wait_xid = xid;
    } else if (xid > p->wait_xid && lsn >= p->wait_lsn) {
        if (p->waited || !takes_over(p))
            return LEAT_OK;
        p->waited = 1;
        p->wait_xid = 0;
    }
    leat_say_status(p->ctx, "waiting for older transactions to end before new tables are read");
    LEAT_FAULT("pgcdc-in-wait");
    return ask_again(p);
}

// Moved only if it has to be, since what was deleted up to there is then told by nobody: what the slot sees of the
// catalogue may be older than a part of the publication, which decoding from its old position would not find.
static leat_status send_advance(struct pgcdc *p)
{
    struct buf sql;
    char lsn[40];
    if (!takes_over(p))
        return LEAT_END;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT CASE WHEN (SELECT bool_and(age(x.xmin) > age(s.catalog_xmin)) FROM ("
                  "SELECT b.xmin, b.pubname FROM pg_catalog.pg_publication b UNION ALL "
                  "SELECT r.xmin, b.pubname FROM pg_catalog.pg_publication_rel r "
                  "JOIN pg_catalog.pg_publication b ON b.oid = r.prpubid) x WHERE x.pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    buf_str(&sql, ") THEN s.confirmed_flush_lsn ELSE "
                  "(SELECT a.end_lsn FROM pg_catalog.pg_replication_slot_advance(s.slot_name, ");
    snprintf(lsn, sizeof lsn, "'" PGCDC_LSN "'", PGCDC_LSN_OF(p->wait_lsn));
    buf_str(&sql, lsn);
    buf_str(&sql, ") a) END FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = ");
    pq_literal(&sql, p->slot, strlen(p->slot));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status take_advance(struct pgcdc *p, PGresult *res)
{
    LEAT_FAULT("pgcdc-after-advance");
    if (PQntuples(res) != 1)
        return leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-G0301", "replication slot \"%s\" was dropped meanwhile",
                         p->slot);
    uint64_t at = pgcdc_lsn_parse(cell(res, 0, 0));
    if (at > p->slot_confirmed)
        leat_log(p->ctx, LEAT_LOG_WARN, "slot-moved",
                 "replication slot \"%s\" is moved from " PGCDC_LSN " to " PGCDC_LSN
                 ", since its publication is younger: "
                 "rows that were deleted in between stay in the targets",
                 p->slot, PGCDC_LSN_OF(p->slot_confirmed), PGCDC_LSN_OF(at));
    p->slot_confirmed = at;
    leat_log(p->ctx, LEAT_LOG_INFO, "slot-taken", "took over replication slot \"%s\" at " PGCDC_LSN, p->slot,
             PGCDC_LSN_OF(p->slot_confirmed));
    return pgcdc_marker_write(p);
}

// --- the slot as it is

static leat_status send_slot(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(
        &sql,
        "SELECT s.slot_type, s.plugin, s.database, s.active_pid, s.restart_lsn, s.confirmed_flush_lsn, "
        "s.wal_status, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END "
        "FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = ");
    pq_literal(&sql, p->slot, strlen(p->slot));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status slot_gone(struct pgcdc *p, const char *how)
{
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0203",
                    "replication slot \"%s\" %s; the checkpoint stands at " PGCDC_LSN ", the server at " PGCDC_LSN,
                    p->slot, how, PGCDC_LSN_OF(p->saved.at.lsn), PGCDC_LSN_OF(p->server_end));
    leat_error_detail(p->ctx, "Changes after " PGCDC_LSN " cannot be read any more.", PGCDC_LSN_OF(p->saved.at.lsn));
    leat_error_hint(p->ctx,
                    "Drop what is left of the slot and start once with --forget-state %s: tables are then read from a "
                    "new snapshot.",
                    p->node);
    return LEAT_FATAL;
}

static leat_status check_kind(struct pgcdc *p, const PGresult *res)
{
    const char *name = p->slot;
    if (strcmp(cell(res, 0, 0), "logical") != 0)
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0207", "replication slot \"%s\" is not a logical one", name);
    if (strcmp(cell(res, 0, 1), "pgoutput") != 0)
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0207", "replication slot \"%s\" is of plugin \"%s\", not pgoutput",
                         name, cell(res, 0, 1));
    if (strcmp(cell(res, 0, 2), p->config->database) != 0)
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0207", "replication slot \"%s\" belongs to database \"%s\"", name,
                         cell(res, 0, 2));
    return LEAT_OK;
}

static leat_status check_restored(struct pgcdc *p, const PGresult *res)
{
    const struct pgcdc_position *at = &p->saved.at;
    if (!p->slot_exists)
        return slot_gone(p, "does not exist any more");
    if (strcmp(cell(res, 0, 6), "lost") == 0 || !p->slot_restart)
        return slot_gone(p, "was invalidated by the server (max_slot_wal_keep_size)");
    if (at->lsn > p->server_end) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0205",
                        "the checkpoint stands at " PGCDC_LSN ", beyond the end of the server's log at " PGCDC_LSN,
                        PGCDC_LSN_OF(at->lsn), PGCDC_LSN_OF(p->server_end));
        leat_error_hint(p->ctx,
                        "The server was set back (restore, failover). Read a new snapshot: drop the slot and "
                        "start once with --forget-state %s.",
                        p->node);
        return LEAT_FATAL;
    }
    if (p->slot_confirmed > at->lsn) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0204",
                        "replication slot \"%s\" was confirmed up to " PGCDC_LSN ", beyond the checkpoint's " PGCDC_LSN,
                        p->slot, PGCDC_LSN_OF(p->slot_confirmed), PGCDC_LSN_OF(at->lsn));
        leat_error_detail(p->ctx, "The server would skip the changes in between without a word. Somebody else read or "
                                  "advanced the slot, it was created anew, or an older checkpoint was restored.");
        leat_error_hint(p->ctx,
                        "Start from the checkpoint that belongs to the slot; or drop the slot and start once with "
                        "--forget-state %s to read a new snapshot.",
                        p->node);
        return LEAT_FATAL;
    }
    return LEAT_OK;
}

static leat_status check_fresh(struct pgcdc *p)
{
    const struct pgcdc_config *c = p->config;
    if (c->startup_mode == PGCDC_COMMITTED)
        return p->slot_exists ? LEAT_OK
                              : leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0207",
                                          "replication slot \"%s\" does not exist, but scan.startup.mode is "
                                          "\"committed-offset\"",
                                          p->slot);
    leat_status st = p->slot_exists ? pgcdc_marker_read(p) : LEAT_OK;
    if (st < 0)
        return st;
    if (!p->slot_exists || p->slot_ours || c->slot_reuse >= 0)
        return LEAT_OK;
    (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0202",
                    "replication slot \"%s\" exists (confirmed " PGCDC_LSN
                    "), but no checkpoint of this pipeline knows it",
                    p->slot, PGCDC_LSN_OF(p->slot_confirmed));
    leat_error_hint(p->ctx,
                    "Choose another slot.name; or run SELECT pg_drop_replication_slot('%s'); or set slot.reuse to "
                    "\"snapshot\" (tables are read anew) or \"continue\" (only changes from where the slot stands).",
                    p->slot);
    return LEAT_CONFIG;
}

static leat_status on_retry(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    (void)arg, (void)ready;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

// From a step's `take`: the step is run once more, a moment later.
static leat_status ask_again(struct pgcdc *p)
{
    const struct leat_host *host = p->ctx->host;
    if (p->retry)
        return host->timer_again(p->retry, RETRY) < 0 ? leat_no_memory(p->ctx) : LEAT_AGAIN;
    p->retry = host->timer(p->ctx, RETRY, on_retry, p);
    return p->retry ? LEAT_AGAIN : leat_no_memory(p->ctx);
}

// A process that was killed a moment ago may still hold the slot: the server notices within wal_sender_timeout.
static leat_status wait_for_slot(struct pgcdc *p, const char *pid)
{
    int64_t now = p->ctx->host->monotonic(p->ctx);
    if (!p->slot_wait_until)
        p->slot_wait_until = now + BUSY_PATIENCE;
    if (now > p->slot_wait_until) {
        (void)leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-G0206",
                        "replication slot \"%s\" is held by process %s of the server", p->slot, pid);
        leat_error_hint(p->ctx, "Stop the other reader. If it is dead, the server frees the slot after its "
                                "wal_sender_timeout.");
        return LEAT_TRANSIENT;
    }
    leat_say_status(p->ctx, "waiting for replication slot %s, held by process %s of the server", p->slot, pid);
    return ask_again(p);
}

static leat_status take_slot(struct pgcdc *p, PGresult *res)
{
    p->slot_exists = !PQgetisnull(res, 0, 0);
    p->slot_restart = pgcdc_lsn_parse(cell(res, 0, 4));
    p->slot_confirmed = pgcdc_lsn_parse(cell(res, 0, 5));
    uint64_t end = pgcdc_lsn_parse(cell(res, 0, 7));
    p->server_end = end > p->server_end ? end : p->server_end;
    if (p->slot_exists) {
        leat_status st = check_kind(p, res);
        if (st < 0)
            return st;
        if (!PQgetisnull(res, 0, 3))
            return wait_for_slot(p, cell(res, 0, 3));
    }
    return p->restored ? check_restored(p, res) : check_fresh(p);
}

// --- the slot as it will be

static int wants_snapshot(const struct pgcdc *p)
{
    if (p->config->startup_mode != PGCDC_INITIAL)
        return 0;
    return !p->slot_exists || p->slot_ours || p->config->slot_reuse == PGCDC_REUSE_SNAPSHOT;
}

static leat_status send_create(struct pgcdc *p)
{
    struct buf sql;
    if (p->slot_exists)
        return LEAT_END;
    leat_status st = p->own_name[0] ? LEAT_OK : pgcdc_marker_write(p);
    if (st < 0)
        return st;
    LEAT_FAULT("pgcdc-before-slot");
    leat_say_status(p->ctx, "creating replication slot %s; the server waits for older transactions to end", p->slot);
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "CREATE_REPLICATION_SLOT ");
    pq_ident(&sql, p->slot);
    buf_str(&sql, p->own_name[0] ? " TEMPORARY" : "");
    buf_str(&sql, p->config->startup_mode == PGCDC_INITIAL ? " LOGICAL pgoutput EXPORT_SNAPSHOT"
                                                           : " LOGICAL pgoutput NOEXPORT_SNAPSHOT");
    return pgcdc_send_sql(p, p->replication, &sql);
}

static leat_status take_create(struct pgcdc *p, PGresult *res)
{
    LEAT_FAULT("pgcdc-after-slot");
    if (PQntuples(res) != 1 || PQnfields(res) < 3)
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301", "the server did not describe the slot it created");
    p->slot_confirmed = pgcdc_lsn_parse(cell(res, 0, 1));
    snprintf(p->snapshot_name, sizeof p->snapshot_name, "%s", PQgetisnull(res, 0, 2) ? "" : cell(res, 0, 2));
    leat_log(p->ctx, LEAT_LOG_INFO, "slot-created", "created replication slot \"%s\" at " PGCDC_LSN, p->slot,
             PGCDC_LSN_OF(p->slot_confirmed));
    return LEAT_OK;
}

static const struct pgcdc_step setup_script[] = {
    {"ask the server who it is", 1, send_identify, take_identify},
    {"read the publication", 0, pgcdc_send_publication, pgcdc_take_publication},
    {"read the tables of the publication", 0, pgcdc_send_published, pgcdc_take_published},
    {"read the replication slot", 0, send_slot, take_slot},
    {"publish the captured tables", 0, pgcdc_send_publish, pgcdc_take_publish},
    {"read what publishes the tables", 0, pgcdc_send_marks, pgcdc_take_marks},
    {"wait for older transactions", 0, send_wait, take_wait},
    {"move the replication slot", 0, send_advance, take_advance},
    {"create the replication slot", 1, send_create, take_create},
    {0},
};

static void begin_restored(struct pgcdc *p)
{
    p->at = p->saved.at;
    p->snapshot_done = 1;
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        const struct pgcdc_saved_table *saved = pgcdc_saved_of(p, t);
        t->snapshot_done = !t->used || (saved ? saved->snapshot_done : p->config->startup_mode != PGCDC_INITIAL);
        p->snapshot_done &= t->snapshot_done;
    }
    p->durable = p->at.lsn;
}

static void begin_fresh(struct pgcdc *p)
{
    p->at = (struct pgcdc_position){.lsn = p->slot_confirmed};
    p->durable = p->slot_confirmed;
    p->snapshot_done = !wants_snapshot(p);
    for (uint32_t i = 0; i < p->table_count; i++)
        p->tables[i].snapshot_done = p->snapshot_done || !p->tables[i].used;
}

// The catalogue was read before the end of the log was asked for: what is older may be of an older form.
static leat_status begin_columns(struct pgcdc *p)
{
    p->known_from = p->slot_exists ? p->server_end : 0;
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        leat_status st = t->used ? pgcdc_attributes(p, t, pgcdc_saved_of(p, t)) : LEAT_OK;
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

// Keys of a former primary key would be taken for those of the present one.
static leat_status begin_keys_of(struct pgcdc *p, struct pgcdc_table *t)
{
    int16_t *columns = pgcdc_mem_alloc(&p->mem, t->out.key_count * sizeof *columns);
    t->keys = pgcdc_keys_of(&p->keys, t->schema, t->name);
    if (!t->keys || !columns)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < t->out.key_count; i++)
        columns[i] = t->columns[t->out.key[i]].attnum;
    int differ = pgcdc_keys_are_of(t->keys, columns, t->out.key_count);
    if (differ < 0)
        return leat_no_memory(p->ctx);
    if (!differ)
        return LEAT_OK;
    (void)leat_fail(
        p->ctx, LEAT_FATAL, "LEAT-G0308",
        "the primary key of table \"%s\" is of other columns than at the checkpoint, whose keys on-truncate "
        "\"delete\" goes by",
        t->port_name);
    leat_error_hint(p->ctx,
                    "Give the table its former primary key back; or empty the targets, drop slot \"%s\" and start once "
                    "with --forget-state %s to read a new snapshot.",
                    p->slot, p->node);
    return LEAT_FATAL;
}

// Before anything is made on the server.
static leat_status check_modes(struct pgcdc *p)
{
    for (uint32_t i = 0; pgcdc_keys_wanted(p) && i < p->table_count; i++)
        if (p->tables[i].used && p->tables[i].mode != LEAT_MODE_UPSERT)
            return leat_fail(
                p->ctx, LEAT_CONFIG, "LEAT-G0308",
                "on-truncate \"delete\" gives deletes by key, but table \"%s\" is read with whole rows (set "
                "changelog-mode = \"upsert\")",
                p->tables[i].port_name);
    return LEAT_OK;
}

// on-truncate = "delete" needs every key from the first row on.
static leat_status begin_keys(struct pgcdc *p)
{
    if (!pgcdc_keys_wanted(p)) {
        pgcdc_keys_free(&p->keys);
        return LEAT_OK;
    }
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        if (!t->used)
            continue;
        if (p->restored && t->snapshot_done && !p->keys_known)
            return leat_fail(
                p->ctx, LEAT_CONFIG, "LEAT-G0308",
                "on-truncate \"delete\" must be set from the first start on: the keys of table \"%s\" are not "
                "known",
                t->port_name);
        leat_status st = begin_keys_of(p, t);
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

leat_status pgcdc_setup(struct pgcdc *p)
{
    leat_status st = check_modes(p);
    if (st == LEAT_OK)
        st = pgcdc_script(p, setup_script);
    if (st != LEAT_OK)
        return st;
    if (p->restored)
        begin_restored(p);
    else
        begin_fresh(p);
    st = begin_columns(p);
    if (st == LEAT_OK)
        st = begin_keys(p);
    if (st < 0)
        return st;
    p->emitted = p->at;
    p->catch_up_to = p->server_end;
    if (p->retry)
        p->ctx->host->event_close(p->retry);
    p->retry = NULL;
    return LEAT_OK;
}
