// SPDX-License-Identifier: Apache-2.0
// The source: phases, and what the core asks of it.
//
//     discover: catalogue -> open: SETUP (slot, publication, position) -> SNAPSHOT -> STREAM
//                                                                             \-> ENDED (scan.startup.mode = snapshot)
#include "pgcdc_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "pgcdc_int.h"

// --- before anything runs

static void check_slot_name(struct leat_ctx *ctx, const char *name)
{
    size_t n = strlen(name);
    if (!n || n > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-G0209", "slot.name", 0,
                  "Use up to 63 lower-case letters, digits and underscores.",
                  "\"%s\" cannot be the name of a replication slot", name);
}

static void check_pattern(struct leat_ctx *ctx, const char *option, const char *pattern)
{
    char error[128] = "";
    uint32_t offset = 0;
    if (pgcdc_match_check(pattern, error, sizeof error, &offset) < 0)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-G0107", option, offset, NULL, "not a regular expression: %s", error);
}

leat_status pgcdc_check(struct leat_ctx *ctx, const void *config)
{
    const struct pgcdc_config *c = config;
    if (c->slot_name)
        check_slot_name(ctx, c->slot_name);
    if (c->schema_name)
        check_pattern(ctx, "schema-name", c->schema_name);
    if (c->table_name)
        check_pattern(ctx, "table-name", c->table_name);
    if (c->on_truncate == PGCDC_TRUNCATE_DELETE &&
        (c->startup_mode == PGCDC_LATEST || c->startup_mode == PGCDC_COMMITTED ||
         c->slot_reuse == PGCDC_REUSE_CONTINUE))
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-G0308", "on-truncate", 0, NULL,
                  "on-truncate \"delete\" needs a snapshot to know the rows");
    if (c->slot_reuse == PGCDC_REUSE_SNAPSHOT && c->startup_mode != PGCDC_INITIAL)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-G0210", "slot.reuse", 0, "Set slot.reuse to \"continue\".",
                  "slot.reuse \"snapshot\" needs scan.startup.mode \"initial\"");
    return LEAT_OK;
}

// describe has no object to keep its answer in, and the answer lives until the next call.
struct described {
    char pattern[2048];
    char resource[1024];
    char names[4096];
    struct leat_port ports[64];
};

static int is_literal(const char *pattern)
{
    return pattern[strspn(pattern, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_|")] == 0;
}

// The tables of patterns that are only names with '|' between them.
static uint32_t literal_ports(struct described *d, const struct pgcdc_config *c, uint8_t mode)
{
    uint32_t count = 0;
    size_t len = 0;
    if (!is_literal(c->schema_name) || !is_literal(c->table_name))
        return 0;
    for (const char *s = c->schema_name; *s; s += strcspn(s, "|"), s += *s == '|') {
        for (const char *t = c->table_name; *t; t += strcspn(t, "|"), t += *t == '|') {
            int n = snprintf(d->names + len, sizeof d->names - len, "%.*s.%.*s", (int)strcspn(s, "|"), s,
                             (int)strcspn(t, "|"), t);
            if (count == sizeof d->ports / sizeof *d->ports || n < 3 || (size_t)n >= sizeof d->names - len)
                return 0;
            d->ports[count++] =
                (struct leat_port){.name = {(const uint8_t *)d->names + len, (uint32_t)n}, .mode = mode};
            len += (size_t)n;
        }
    }
    return count;
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    static _Thread_local struct described d;
    const struct pgcdc_config *c = request->config;
    (void)ctx;
    uint8_t mode = LEAT_MODE_UPSERT; // of tables whose replica identity is not known yet
    if (c->changelog_mode == PGCDC_CHANGELOG_ALL)
        mode = LEAT_MODE_ALL;
    if (c->startup_mode == PGCDC_SNAPSHOT_ONLY)
        mode = LEAT_MODE_INSERT_ONLY;
    plan->ports.count = literal_ports(&d, c, mode);
    plan->ports.items = d.ports;
    int n = snprintf(d.pattern, sizeof d.pattern, "^(?:%s)\\.(?:%s)$", c->schema_name, c->table_name);
    plan->name_pattern = n > 0 && (size_t)n < sizeof d.pattern ? d.pattern : NULL;
    snprintf(d.resource, sizeof d.resource, "postgresql://%s:%lld/%s#%s", c->hostname, (long long)c->port, c->database,
             c->slot_name);
    plan->resource = d.resource;
    plan->exclusive = c->startup_mode == PGCDC_SNAPSHOT_ONLY ? NULL : "slot.name";
    plan->parallel_max = 1;
    plan->bounded = c->startup_mode == PGCDC_SNAPSHOT_ONLY;
    plan->has_snapshot = c->startup_mode == PGCDC_INITIAL || c->startup_mode == PGCDC_SNAPSHOT_ONLY;
    return LEAT_OK;
}

// --- life

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct pgcdc *p = self;
    (void)ctx;
    if (!p)
        return;
    pgcdc_rows_drop(p);
    pgcdc_snapshot_destroy(p);
    struct leat_event *events[] = {p->feedback, p->retry};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i])
            p->ctx->host->event_close(events[i]);
    pq_conn_destroy(p->sql);
    pq_conn_destroy(p->replication);
    pgcdc_mem_free(&p->mem);
    pgcdc_keys_free(&p->keys);
    buf_fini(&p->key);
    free(p->relations);
    free(p->room);
    free(p->node);
    free(p->data_dir);
    free(p);
}

static void declare_numbers(struct pgcdc *p)
{
    static const struct {
        struct leat_metric metric;
        size_t at;
    } rows[] = {
        {{"leat_source_lag_bytes", LEAT_METRIC_GAUGE, "Bytes of the server's log that were not read yet."},
         offsetof(struct pgcdc_numbers, lag_bytes)},
        {{"leat_source_lag_milliseconds", LEAT_METRIC_GAUGE,
          "How long ago the server's log ended where it was read up to; 0 when all was read."},
         offsetof(struct pgcdc_numbers, lag_micros)},
        {{"leat_source_transactions_total", LEAT_METRIC_COUNTER, "Transactions read."},
         offsetof(struct pgcdc_numbers, transactions)},
        {{"leat_source_bytes_total", LEAT_METRIC_COUNTER, "Bytes of change messages read."},
         offsetof(struct pgcdc_numbers, bytes)},
        {{"leat_source_snapshot_rows_total", LEAT_METRIC_COUNTER, "Rows read from snapshots."},
         offsetof(struct pgcdc_numbers, snapshot_rows)},
        {{"leat_source_truncates_ignored_total", LEAT_METRIC_COUNTER, "TRUNCATEs left out by on-truncate = ignore."},
         offsetof(struct pgcdc_numbers, truncates)},
        {{"leat_source_rows_vanished_total", LEAT_METRIC_COUNTER,
          "Updates left out because the row was gone when its large values were fetched; a delete follows each."},
         offsetof(struct pgcdc_numbers, vanished)},
        {{"leat_source_confirmed_lsn", LEAT_METRIC_GAUGE, "Position confirmed to the replication slot."},
         offsetof(struct pgcdc_numbers, confirmed)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        *(int64_t **)((char *)&p->numbers + rows[i].at) = p->ctx->host->metric(p->ctx, &rows[i].metric);
}

static char *keep_bytes(struct pgcdc *p, struct leat_bytes text)
{
    char *copy = pgcdc_mem_alloc(&p->mem, (size_t)text.len + 1);
    if (copy)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

static leat_status keep_seen_table(struct pgcdc *p, struct pgcdc_seen_table *t, const struct leat_port *port)
{
    t->port_name = keep_bytes(p, port->name);
    t->columns = pgcdc_mem_alloc(&p->mem, port->schema->column_count * sizeof *t->columns);
    if (!t->port_name || !t->columns)
        return leat_no_memory(p->ctx);
    for (; t->count < port->schema->column_count; t->count++)
        if (!(t->columns[t->count] = keep_bytes(p, port->schema->columns[t->count].name)))
            return leat_no_memory(p->ctx);
    return LEAT_OK;
}

static leat_status keep_seen(struct pgcdc *p, const struct leat_source_request *request)
{
    size_t end = offsetof(struct leat_source_request, seen) + sizeof request->seen;
    const struct leat_ports *seen = request->struct_size >= end ? request->seen : NULL;
    leat_status st = LEAT_OK;
    if (!seen)
        return LEAT_OK;
    p->seen = pgcdc_mem_alloc(&p->mem, seen->count * sizeof *p->seen);
    if (!p->seen)
        return leat_no_memory(p->ctx);
    for (uint32_t i = 0; i < seen->count && st == LEAT_OK; i++) {
        struct leat_port port = leat_ports_get(seen, i);
        if (port.schema)
            st = keep_seen_table(p, &p->seen[p->seen_count++], &port);
    }
    return st;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct pgcdc *p = calloc(1, sizeof *p);
    if (!p)
        return leat_no_memory(ctx);
    p->ctx = ctx;
    p->config = request->config;
    p->declared = request->declared;
    p->publication = p->config->publication_name ? p->config->publication_name : p->config->slot_name;
    p->room = calloc(1, sizeof *p->room);
    leat_status st = p->room ? keep_seen(p, request) : leat_no_memory(ctx);
    if (st < 0) {
        destroy(ctx, p);
        return st;
    }
    buf_init(&p->key, 1u << 30); // a key is no longer than a value of PostgreSQL
    declare_numbers(p);
    *self = p;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    (void)ctx;
    return pgcdc_state_read(self, in);
}

static leat_status discover(struct leat_ctx *ctx, void *self, struct leat_ports *ports)
{
    struct pgcdc *p = self;
    if (!p->ports) {
        leat_say_status(ctx, "reading the catalogue of %s", p->config->database);
        leat_status st = pgcdc_catalog(p);
        if (st != LEAT_OK)
            return st;
    }
    ports->count = p->table_count;
    ports->items = p->ports;
    return LEAT_OK;
}

static leat_status use_ports(struct leat_ctx *ctx, void *self, const uint8_t *used, uint32_t count)
{
    (void)ctx;
    struct pgcdc *p = self;
    for (uint32_t i = 0; i < p->table_count && i < count; i++)
        p->tables[i].used = used[i] != 0;
    return LEAT_OK;
}

static leat_status keep_names(struct pgcdc *p, const struct leat_open *open)
{
    p->catch_up = open->catch_up;
    p->transient = open->struct_size > offsetof(struct leat_open, transient) && open->transient;
    pgcdc_slot_choose(p);
    p->node = strdup(open->node ? open->node : "");
    p->data_dir = strdup(open->data_dir ? open->data_dir : ".");
    return p->node && p->data_dir ? LEAT_OK : leat_no_memory(p->ctx);
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct pgcdc *p = self;
    struct leat_ports ports;
    leat_status st = p->node ? LEAT_OK : keep_names(p, open);
    if (st == LEAT_OK)
        st = discover(ctx, p, &ports); // done before, unless the core had every schema already
    if (st != LEAT_OK)
        return st;
    if (p->phase == PGCDC_SETUP && p->config->startup_mode != PGCDC_SNAPSHOT_ONLY) {
        st = pgcdc_setup(p);
        if (st != LEAT_OK)
            return st;
    }
    if (p->phase == PGCDC_SETUP)
        p->phase = p->snapshot_done ? PGCDC_STREAM : PGCDC_SNAPSHOT;
    if (p->phase == PGCDC_SNAPSHOT)
        return LEAT_OK;
    st = pgcdc_stream_start(p);
    if (st == LEAT_OK)
        ctx->host->snapshot_done(ctx);
    return st;
}

static leat_status poll_snapshot(struct pgcdc *p)
{
    leat_status st = pgcdc_snapshot_poll(p);
    if (st != LEAT_END)
        return st;
    p->ctx->host->snapshot_done(p->ctx);
    p->phase = p->config->startup_mode == PGCDC_SNAPSHOT_ONLY ? PGCDC_ENDED : PGCDC_STREAM;
    return LEAT_OK;
}

static leat_status poll(struct leat_ctx *ctx, void *self)
{
    (void)ctx;
    struct pgcdc *p = self;
    if (p->phase == PGCDC_SNAPSHOT)
        return poll_snapshot(p);
    return p->phase == PGCDC_STREAM ? pgcdc_stream_poll(p) : LEAT_END;
}

// --- checkpoints

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct pgcdc *p = self;
    (void)ctx;
    if (p->config->startup_mode == PGCDC_SNAPSHOT_ONLY) {
        out->version = 1;
        out->kind = LEAT_STATE_FULL;
        return LEAT_OK;
    }
    if (p->epoch_count == PGCDC_SAVED_MAX) { // never confirmed: the oldest is covered by those after it
        memmove(p->epochs, p->epochs + 1, (PGCDC_SAVED_MAX - 1) * sizeof *p->epochs);
        p->epoch_count--;
    }
    p->epochs[p->epoch_count++] = (struct pgcdc_epoch){out->epoch, p->emitted.lsn};
    if (p->held && !p->flush_due && !p->held_epoch)
        p->held_epoch = out->epoch;
    return pgcdc_state_write(p, out);
}

static leat_status on_checkpoint_complete(struct leat_ctx *ctx, void *self, leat_epoch epoch)
{
    struct pgcdc *p = self;
    uint32_t covered = 0;
    uint64_t before = p->durable;
    while (covered < p->epoch_count && p->epochs[covered].epoch <= epoch) {
        if (p->epochs[covered].lsn > p->durable)
            p->durable = p->epochs[covered].lsn;
        covered++;
    }
    p->epoch_count -= covered;
    memmove(p->epochs, p->epochs + covered, p->epoch_count * sizeof *p->epochs);
    if (covered && p->marker)
        pgcdc_marker_remove(p); // the checkpoint says from now on that the slot is ours
    if (p->held && p->held_epoch && epoch >= p->held_epoch) {
        p->held_durable = 1;
        ctx->host->wake(ctx);
    }
    return p->durable > before ? pgcdc_stream_confirm(p) : LEAT_OK;
}

static leat_status close_source(struct leat_ctx *ctx, void *self)
{
    (void)ctx;
    struct pgcdc *p = self;
    struct leat_event **events[] = {&p->feedback, &p->retry};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (*events[i])
            p->ctx->host->event_close(*events[i]);
        *events[i] = NULL;
    }
    pgcdc_rows_drop(p);
    pgcdc_snapshot_destroy(p);
    if (!p->closing) { // `sql` may be in the midst of something
        pq_conn_destroy(p->sql);
        pq_conn_destroy(p->replication);
        p->sql = p->replication = NULL;
        p->script = NULL;
        p->streaming = 0;
        p->closing = 1;
    }
    leat_status st = p->made_publication ? pgcdc_unpublish(p) : LEAT_OK;
    if (st == LEAT_AGAIN)
        return st;
    pq_conn_destroy(p->sql);
    p->sql = NULL;
    return LEAT_OK;
}

const struct leat_source_ops pgcdc_source_ops = {
    .struct_size = sizeof pgcdc_source_ops,
    .describe = describe,
    .create = create,
    .load_state = load_state,
    .discover = discover,
    .open = open_source,
    .poll = poll,
    .save_state = save_state,
    .on_checkpoint_complete = on_checkpoint_complete,
    .close = close_source,
    .destroy = destroy,
    .use_ports = use_ports,
};
