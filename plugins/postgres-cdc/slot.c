// SPDX-License-Identifier: Apache-2.0
// Publication and slot: made on the first start, compared with our position on every other one.
//
// PostgreSQL forwards a reader that asks for an old position without a word, so nothing is believed: the slot must be
// there, of our server and timeline, and must not have been confirmed beyond what the newest checkpoint recorded. What
// cannot be proved is refused, naming both positions and the ways out. A slot is never dropped here.
//
// The time between the slot's creation and the first checkpoint that knows it is bridged by a marker file in the
// pipeline's folder, written before the slot is created: a kill in between leaves a slot that is known to be ours, and
// since nothing was acknowledged, the stream is read from where it stands (DESIGN §6: so that deletes are seen).
#include <errno.h>
#include <fcntl.h>
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

// --- the marker file

// NULL = no memory.
static char *marker_path(const struct pgcdc *p)
{
    char *path;
    return asprintf(&path, "%s/postgres-cdc.%s.slot", p->data_dir, p->node) < 0 ? NULL : path;
}

static char *marker_text(const struct pgcdc *p)
{
    char *text;
    int n = asprintf(&text, "%016llx %s %s\n", (unsigned long long)p->system, p->config->database, p->slot);
    return n < 0 ? NULL : text;
}

static leat_status marker_read(struct pgcdc *p)
{
    char *path = marker_path(p), *want = marker_text(p), *have = NULL;
    size_t size = 0;
    FILE *f = path && want ? fopen(path, "re") : NULL;
    leat_status st = path && want ? LEAT_OK : leat_no_memory(p->ctx);
    if (st == LEAT_OK && !f && errno != ENOENT)
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not read \"%s\": %s", path, strerror(errno));
    if (f && getline(&have, &size, f) >= 0)
        p->slot_ours = p->marker = strcmp(have, want) == 0;
    if (f)
        (void)fclose(f);
    free(have);
    free(want);
    free(path);
    return st;
}

// 0 or errno.
static int write_whole(int fd, const char *text)
{
    for (size_t len = strlen(text); len;) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd) < 0 ? errno : 0;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int error = write_whole(fd, text);
    if (close(fd) < 0 && !error)
        error = errno;
    return error;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return error;
}

// Waits for the disk on the worker's loop: twice, once in the life of a slot, before any row flows.
static leat_status marker_write(struct pgcdc *p)
{
    char *path = marker_path(p), *text = marker_text(p);
    leat_status st = LEAT_OK;
    int error = path && text ? write_file(path, text) : 0;
    if (!path || !text)
        st = leat_no_memory(p->ctx);
    else if (error)
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not write \"%s\": %s", path, strerror(error));
    else if ((error = sync_folder(p->data_dir)))
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not write folder \"%s\": %s", p->data_dir,
                       strerror(error));
    p->marker = st == LEAT_OK;
    free(text);
    free(path);
    return st;
}

void pgcdc_marker_remove(struct pgcdc *p)
{
    char *path = marker_path(p);
    if (path)
        (void)unlink(path); // left behind it does no harm: the checkpoint is asked first
    free(path);
    p->marker = 0;
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

static leat_status send_unpublish(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "DROP PUBLICATION IF EXISTS ");
    pq_ident(&sql, p->publication);
    return pgcdc_send_sql(p, p->sql, &sql);
}

leat_status pgcdc_unpublish(struct pgcdc *p)
{
    static const struct pgcdc_step script[] = {{"drop the publication", 0, send_unpublish, NULL}, {0}};
    leat_status st = pgcdc_script(p, script);
    if (st == LEAT_AGAIN)
        return st;
    if (st < 0)
        leat_log(p->ctx, LEAT_LOG_WARN, "publication", "publication \"%s\" could not be dropped and is left behind",
                 p->publication);
    p->made_publication = 0;
    return LEAT_OK;
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

// --- publication

static leat_status send_publication(struct pgcdc *p)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate, ");
    buf_str(&sql, p->server_version >= 130000 ? "pubviaroot" : "false");
    buf_str(&sql, " FROM pg_catalog.pg_publication WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status take_publication(struct pgcdc *p, PGresult *res)
{
    p->publication_exists = PQntuples(res) > 0;
    p->publication_all = p->publication_exists && cell(res, 0, 0)[0] == 't';
    p->publication_by_root = p->publication_exists && cell(res, 0, 2)[0] == 't';
    if (p->publication_exists && cell(res, 0, 1)[0] != 't') {
        (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201", "publication \"%s\" leaves out some kinds of changes",
                        p->publication);
        leat_error_hint(p->ctx, "Run ALTER PUBLICATION \"%s\" SET (publish = 'insert, update, delete, truncate');",
                        p->publication);
        return LEAT_CONFIG;
    }
    if (!p->publication_exists && p->config->publication_autocreate == PGCDC_AUTOCREATE_DISABLED) {
        (void)leat_fail(p->ctx, LEAT_TRANSIENT, "LEAT-G0201", "publication \"%s\" does not exist", p->publication);
        leat_error_hint(p->ctx,
                        "Run CREATE PUBLICATION \"%s\" FOR TABLE with the captured tables, or leave "
                        "publication.autocreate.mode at \"filtered\".",
                        p->publication);
        return LEAT_TRANSIENT;
    }
    return LEAT_OK;
}

// One row per table, from 15 on one per column of a table, with its row filter.
static leat_status send_published(struct pgcdc *p)
{
    struct buf sql;
    if (!p->publication_exists)
        return LEAT_END;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, p->server_version >= 150000 ? "SELECT schemaname, tablename, a, rowfilter FROM "
                                                "pg_catalog.pg_publication_tables, unnest(attnames) a WHERE pubname = "
                                              : "SELECT schemaname, tablename, NULL, NULL FROM "
                                                "pg_catalog.pg_publication_tables WHERE pubname = ");
    pq_literal(&sql, p->publication, strlen(p->publication));
    return pgcdc_send_sql(p, p->sql, &sql);
}

static int is_published(const PGresult *res, const struct pgcdc_table *t, const char *column)
{
    for (int i = 0; i < PQntuples(res); i++)
        if (strcmp(cell(res, i, 0), t->schema) == 0 && strcmp(cell(res, i, 1), t->name) == 0 &&
            (!column || PQgetisnull(res, i, 2) || strcmp(cell(res, i, 2), column) == 0))
            return 1;
    return 0;
}

static int has_filter(const PGresult *res, const struct pgcdc_table *t)
{
    for (int i = 0; i < PQntuples(res); i++)
        if (strcmp(cell(res, i, 0), t->schema) == 0 && strcmp(cell(res, i, 1), t->name) == 0 && !PQgetisnull(res, i, 3))
            return 1;
    return 0;
}

static leat_status check_published(struct pgcdc *p, const PGresult *res, const struct pgcdc_table *t)
{
    if (has_filter(res, t))
        return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                         "publication \"%s\" filters the rows of table \"%s\", which a snapshot would not",
                         p->publication, t->port_name);
    for (uint32_t i = 0; i < t->count; i++)
        if (!is_published(res, t, t->columns[i].name))
            return leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                             "publication \"%s\" leaves out the captured column \"%s\" of table \"%s\"", p->publication,
                             t->columns[i].name, t->port_name);
    return LEAT_OK;
}

// What a table was at the checkpoint must still be true of it, or changes since then were not told.
static leat_status check_known(struct pgcdc *p, const struct pgcdc_table *t)
{
    const struct pgcdc_saved_table *saved = pgcdc_saved_find(p, t->schema, t->name);
    if (!saved || (saved == pgcdc_saved_of(p, t) && t->published))
        return LEAT_OK;
    if (saved == pgcdc_saved_of(p, t)) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "table \"%s\" was taken out of publication \"%s\" after the checkpoint at " PGCDC_LSN
                        ": its changes since then were not told",
                        t->port_name, p->publication, PGCDC_LSN_OF(p->saved.at.lsn));
        leat_error_hint(p->ctx, "Drop slot \"%s\" and start once with --forget-state %s to read a new snapshot.",
                        p->slot, p->node);
        return LEAT_FATAL;
    }
    if (p->config->on_truncate == PGCDC_TRUNCATE_IGNORE) {
        leat_log(p->ctx, LEAT_LOG_WARN, "truncate",
                 "table \"%s\" was dropped and created anew: the new one is read whole, deletes of the former one's "
                 "rows are left out",
                 t->port_name);
        return LEAT_OK;
    }
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0303",
                    "table \"%s\" is another one than that of the checkpoint: it was dropped and created anew, or "
                    "renamed",
                    t->port_name);
    leat_error_hint(p->ctx,
                    "Empty the targets if they should follow, set on-truncate = \"ignore\" and start again: the new "
                    "table is then read whole.");
    return LEAT_FATAL;
}

static leat_status by_root(struct pgcdc *p, const struct pgcdc_table *t)
{
    (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201",
                    "publication \"%s\" publishes partitions under the name of their root, so that changes of \"%s\" "
                    "would not be told",
                    p->publication, t->port_name);
    leat_error_hint(p->ctx,
                    "Run ALTER PUBLICATION \"%s\" SET (publish_via_partition_root = false); or leave "
                    "publication.name out.",
                    p->publication);
    return LEAT_CONFIG;
}

static leat_status take_published(struct pgcdc *p, PGresult *res)
{
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        if (!t->used)
            continue;
        t->published = (uint8_t)is_published(res, t, NULL);
        leat_status st = check_known(p, t);
        if (st == LEAT_OK && t->published)
            st = check_published(p, res, t);
        else if (st == LEAT_OK && p->publication_by_root && t->is_partition)
            st = by_root(p, t);
        if (st < 0)
            return st;
        if (!t->published && p->config->publication_autocreate == PGCDC_AUTOCREATE_DISABLED) {
            (void)leat_fail(p->ctx, LEAT_CONFIG, "LEAT-G0201", "publication \"%s\" does not have table \"%s\"",
                            p->publication, t->port_name);
            leat_error_hint(p->ctx, "Run ALTER PUBLICATION \"%s\" ADD TABLE \"%s\".\"%s\";", p->publication, t->schema,
                            t->name);
            return LEAT_CONFIG;
        }
    }
    return LEAT_OK;
}

// The log is decoded with the catalogue of its time: where the publication did not exist yet, decoding fails.
static leat_status publication_too_late(struct pgcdc *p)
{
    if (p->restored)
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "publication \"%s\" was dropped: the changes since " PGCDC_LSN " cannot be decoded any more",
                        p->publication, PGCDC_LSN_OF(p->saved.at.lsn));
    else
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0201",
                        "replication slot \"%s\" stands at " PGCDC_LSN ", before publication \"%s\" would be created",
                        p->slot, PGCDC_LSN_OF(p->slot_confirmed), p->publication);
    if (p->restored)
        leat_error_hint(p->ctx,
                        "Creating it again does not help. Drop the slot and start once with --forget-state %s to read "
                        "a new snapshot.",
                        p->node);
    else
        leat_error_hint(p->ctx, "Set slot.reuse to \"snapshot\", or name a publication as old as the slot.");
    return LEAT_FATAL;
}

// A transient run uses a publication that has all of its tables, but changes none: else it makes one for itself.
static void publish_apart(struct pgcdc *p)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < p->table_count; i++)
        missing += p->tables[i].used && !p->tables[i].published;
    if (!p->own_name[0] || !missing)
        return;
    for (uint32_t i = 0; i < p->table_count; i++)
        p->tables[i].published = 0;
    p->publication = p->own_name;
    p->publication_exists = 0;
}

static leat_status send_publish(struct pgcdc *p)
{
    struct buf sql;
    uint32_t n = 0;
    publish_apart(p);
    if (!p->publication_exists && p->slot_exists && (p->restored || p->config->slot_reuse != PGCDC_REUSE_SNAPSHOT))
        return publication_too_late(p);
    pgcdc_miss_publication(p);
    if (p->missing || p->missing_lost)
        return pgcdc_missing_fail(p);
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, p->publication_exists ? "ALTER PUBLICATION " : "CREATE PUBLICATION ");
    pq_ident(&sql, p->publication);
    for (uint32_t i = 0; i < p->table_count; i++) {
        const struct pgcdc_table *t = &p->tables[i];
        if (!t->used || t->published)
            continue;
        buf_str(&sql, n++ ? ", " : p->publication_exists ? " ADD TABLE ONLY " : " FOR TABLE ONLY ");
        if (n > 1)
            buf_str(&sql, "ONLY ");
        pq_qualified(&sql, t->schema, t->name);
    }
    if (n)
        return pgcdc_send_sql(p, p->sql, &sql);
    buf_fini(&sql);
    return LEAT_END;
}

static leat_status take_publish(struct pgcdc *p, PGresult *res)
{
    (void)res;
    leat_log(p->ctx, LEAT_LOG_INFO, "publication", "%s publication \"%s\"",
             p->publication_exists ? "added tables to" : "created", p->publication);
    LEAT_FAULT("pgcdc-after-publication");
    p->made_publication = p->own_name[0] != 0;
    return LEAT_OK;
}

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

static leat_status send_advance(struct pgcdc *p)
{
    struct buf sql;
    char lsn[40];
    if (!takes_over(p))
        return LEAT_END;
    buf_init(&sql, SQL_MAX);
    buf_str(&sql, "SELECT end_lsn FROM pg_catalog.pg_replication_slot_advance(");
    pq_literal(&sql, p->slot, strlen(p->slot));
    snprintf(lsn, sizeof lsn, ", '" PGCDC_LSN "')", PGCDC_LSN_OF(p->wait_lsn));
    buf_str(&sql, lsn);
    return pgcdc_send_sql(p, p->sql, &sql);
}

static leat_status take_advance(struct pgcdc *p, PGresult *res)
{
    LEAT_FAULT("pgcdc-after-advance");
    p->slot_confirmed = pgcdc_lsn_parse(cell(res, 0, 0));
    leat_log(p->ctx, LEAT_LOG_INFO, "slot-taken", "took over replication slot \"%s\" at " PGCDC_LSN, p->slot,
             PGCDC_LSN_OF(p->slot_confirmed));
    return marker_write(p);
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
    leat_status st = p->slot_exists ? marker_read(p) : LEAT_OK;
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
    leat_status st = p->own_name[0] ? LEAT_OK : marker_write(p);
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
    {"read the publication", 0, send_publication, take_publication},
    {"read the tables of the publication", 0, send_published, take_published},
    {"read the replication slot", 0, send_slot, take_slot},
    {"publish the captured tables", 0, send_publish, take_publish},
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
