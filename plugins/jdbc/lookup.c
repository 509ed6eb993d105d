// SPDX-License-Identifier: Apache-2.0
// The lookup's vtable and life: connect, read the catalogue, then questions one after the other.
//
//     CLOSED -> CONNECTING -> LOADING -> READY <-> ASKING
//     anything -> BACKOFF -> CLOSED or READY
//
// A question whose statement fails for a reason that passes is asked again lookup.max-retries times. Thread: home
// worker.
#include "lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup_int.h"
#include "pq_oid.h"

#define PAUSE      1000000 // microseconds, times the attempt
#define FAULTS_MAX 4000    // bytes told of the faults of all columns

static leat_status notify(struct leat_ctx *ctx, void *arg)
{
    struct jdbc_lookup *l = arg;
    if (!l->opened) {
        ctx->host->wake(ctx);
        return LEAT_OK;
    }
    leat_status st = jdbc_lookup_run(l);
    return st < 0 ? st : LEAT_OK;
}

static void drop_conn(struct jdbc_lookup *l)
{
    pq_conn_destroy(l->conn);
    l->conn = NULL;
    l->state = LOOKUP_CLOSED;
}

static leat_status on_backoff(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct jdbc_lookup *l = arg;
    if (l->state != LOOKUP_BACKOFF)
        return LEAT_OK;
    l->state = l->conn ? LOOKUP_READY : LOOKUP_CLOSED;
    return notify(ctx, l);
}

static leat_status try_again(struct jdbc_lookup *l, leat_status st)
{
    if (!l->opened || l->retries >= (uint64_t)l->config->lookup_retries)
        return st;
    int64_t pause = (int64_t)l->retries++ * PAUSE + PAUSE / 100;
    __atomic_fetch_add(l->metrics.retries, 1, __ATOMIC_RELAXED);
    leat_log(l->ctx, LEAT_LOG_WARN, "ask-again", "a lookup in %s failed, attempt %u of %" PRId64 " follows",
             l->table.full, l->retries, l->config->lookup_retries);
    l->state = LOOKUP_BACKOFF;
    if (l->backoff)
        st = l->ctx->host->timer_again(l->backoff, pause);
    else
        st = (l->backoff = l->ctx->host->timer(l->ctx, pause, on_backoff, l)) ? LEAT_OK : leat_no_memory(l->ctx);
    return st < 0 ? st : LEAT_AGAIN;
}

// --- the table

static int set_names(struct jdbc_lookup_column *c, const struct jdbc_table_column *from)
{
    struct buf b;
    buf_init(&b, 3 * JDBC_NAME_MAX);
    pq_ident(&b, from->name);
    buf_u8(&b, 0);
    free(c->name);
    free(c->key_cast);
    c->key_cast = NULL;
    c->name = buf_ok(&b) ? strdup((const char *)b.ptr) : NULL;
    buf_fini(&b);
    // a key is compared as the column's own type, so that its index serves
    if (c->wire->oid != from->target.oid)
        c->key_cast = strdup(from->target.category == 'S' && from->target.oid != OID_BPCHAR ? "pg_catalog.text"
                             : from->target.oid == OID_BPCHAR                               ? "pg_catalog.bpchar"
                                                                                            : from->type);
    return c->name && (c->key_cast || c->wire->oid == from->target.oid) ? 0 : -1;
}

static leat_status copy_declared(struct jdbc_lookup *l)
{
    for (uint32_t i = 0; i < l->declared->column_count; i++)
        l->fields[i] = l->declared->columns[i];
    l->schema.key = l->declared->key;
    l->schema.key_count = l->declared->key_count;
    return LEAT_OK;
}

static leat_status copy_catalogue(struct jdbc_lookup *l)
{
    for (uint32_t i = 0; i < l->table.count; i++) {
        const struct jdbc_table_column *from = &l->table.columns[i];
        char *name = strdup(from->name); // the catalogue may be read again, the schema lives on
        if (!name)
            return leat_no_memory(l->ctx);
        jdbc_wire_type(&from->target, &l->fields[i].type);
        l->fields[i].type.nullable = !from->not_null;
        l->fields[i].name = (struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)};
        l->schema.column_count = i + 1;
        if (!from->key_position)
            continue;
        l->key[from->key_position - 1] = i;
        l->schema.key_count++;
    }
    l->schema.key = l->key;
    return LEAT_OK;
}

static leat_status make_schema(struct jdbc_lookup *l)
{
    uint32_t n = l->declared ? l->declared->column_count : l->table.count;
    if (l->fields)
        return LEAT_OK;
    l->fields = calloc(n ? n : 1, sizeof *l->fields);
    l->columns = calloc(n ? n : 1, sizeof *l->columns);
    l->key = calloc(n ? n : 1, sizeof *l->key);
    if (!l->fields || !l->columns || !l->key)
        return leat_no_memory(l->ctx);
    l->schema = (struct leat_schema){.struct_size = sizeof l->schema, .columns = l->fields};
    leat_status st = l->declared ? copy_declared(l) : copy_catalogue(l);
    l->schema.column_count = st == LEAT_OK ? n : l->schema.column_count;
    l->port = (struct leat_port){.schema = &l->schema, .mode = LEAT_MODE_INSERT_ONLY};
    return st;
}

static void column_fault(struct buf *faults, const char *what)
{
    buf_str(faults, faults->len ? "; " : "");
    buf_str(faults, what);
}

static leat_status check_column(struct jdbc_lookup *l, uint32_t i, struct buf *faults)
{
    const struct leat_field *f = &l->fields[i];
    const struct jdbc_table_column *from = jdbc_table_find(&l->table, f->name);
    char what[JDBC_NAME_MAX * 3], type[JDBC_TYPE_TEXT];
    if (!from) {
        snprintf(what, sizeof what, "it has no column \"%.*s\"", (int)f->name.len, (const char *)f->name.ptr);
        column_fault(faults, what);
        return LEAT_OK;
    }
    const char *wrong = jdbc_wire_reads(&f->type, &from->target);
    if (wrong) {
        jdbc_type_name(&f->type, type);
        snprintf(what, sizeof what, "column \"%s\" is %s, declared as %s: %s", from->name, from->type, type, wrong);
        column_fault(faults, what);
        return LEAT_OK;
    }
    l->columns[i].wire = jdbc_wire_of(&f->type);
    // char(n) as text would lose its blanks
    l->columns[i].read_as = from->target.oid == OID_BPCHAR ? "pg_catalog.bpchar" : l->columns[i].wire->name;
    return set_names(&l->columns[i], from) < 0 ? leat_no_memory(l->ctx) : LEAT_OK;
}

// Compares with the catalogue, at the first connection and at every further one. All faults are told at once.
static leat_status check_columns(struct jdbc_lookup *l)
{
    struct buf faults;
    leat_status st = LEAT_OK;
    buf_init(&faults, 1u << 20);
    for (uint32_t i = 0; st == LEAT_OK && i < l->schema.column_count; i++)
        st = check_column(l, i, &faults);
    if (st == LEAT_OK && !buf_ok(&faults))
        st = leat_no_memory(l->ctx);
    if (st == LEAT_OK && faults.len) {
        st = leat_fail(l->ctx, LEAT_CONFIG, "LEAT-J0104", "the schema does not fit table %s: %.*s", l->table.full,
                       (int)(faults.len > FAULTS_MAX ? FAULTS_MAX : faults.len), (const char *)faults.ptr);
        leat_error_hint(l->ctx, "Correct the lookup's schema, or leave it out: its columns are the table's then.");
    }
    buf_fini(&faults);
    return st;
}

static leat_status load_step(struct jdbc_lookup *l)
{
    leat_status st = jdbc_table_load(l->ctx, l->conn, &l->table);
    if (st == LEAT_OK)
        st = make_schema(l);
    if (st == LEAT_OK)
        st = check_columns(l);
    if (st == LEAT_OK) {
        l->state = LOOKUP_READY;
        l->loaded = 1;
        leat_say_status(l->ctx, "looking up in %s in %s", l->table.full, l->where);
    }
    return st;
}

static leat_status connect_step(struct jdbc_lookup *l)
{
    leat_status st = LEAT_OK;
    if (!l->conn) {
        leat_say_status(l->ctx, "connecting to %s", l->where);
        st = jdbc_connect(l->ctx, l->config, &l->url, l->zone, notify, l, &l->conn);
        l->state = LOOKUP_CONNECTING;
    }
    if (st == LEAT_OK)
        st = pq_conn_step(l->conn);
    if (st == LEAT_OK) {
        jdbc_connected(l->conn);
        jdbc_table_reset(&l->table);
        l->state = LOOKUP_LOADING;
    }
    return st;
}

// --- questions

static void next_question(struct jdbc_lookup *l)
{
    jdbc_question_destroy(l->queue[0]);
    memmove(l->queue, l->queue + 1, --l->queued * sizeof *l->queue);
    l->retries = 0;
    if (l->told_full)
        l->ctx->host->wake(l->ctx);
    l->told_full = 0;
}

static leat_status ready_step(struct jdbc_lookup *l)
{
    if (!l->queued) {
        if (!PQconsumeInput(pq_conn_raw(l->conn)))
            return pq_fail(l->ctx, pq_conn_raw(l->conn), NULL, "the connection to PostgreSQL at \"%s\" was lost",
                           pq_conn_where(l->conn));
        leat_status st = pq_conn_await(l->conn, LEAT_READ);
        return st < 0 ? st : LEAT_END;
    }
    leat_status st = jdbc_question_send(l, l->queue[0]);
    if (st == LEAT_OK)
        l->state = LOOKUP_ASKING;
    return st;
}

static leat_status asking_step(struct jdbc_lookup *l)
{
    PGresult *res = NULL;
    leat_status st = pq_take(l->conn, "look up rows", &res);
    if (st == LEAT_OK) {
        l->state = LOOKUP_READY;
        st = jdbc_question_answer(l, l->queue[0], res);
        if (st == LEAT_OK)
            next_question(l);
    }
    PQclear(res);
    return st;
}

static leat_status step(struct jdbc_lookup *l)
{
    switch (l->state) {
    case LOOKUP_CLOSED:
    case LOOKUP_CONNECTING:
        return connect_step(l);
    case LOOKUP_LOADING:
        return load_step(l);
    case LOOKUP_READY:
        return ready_step(l);
    case LOOKUP_ASKING:
        return asking_step(l);
    case LOOKUP_BACKOFF:
        break;
    }
    return LEAT_AGAIN;
}

// LEAT_END of a step: idle.
leat_status jdbc_lookup_run(struct jdbc_lookup *l)
{
    if (l->failed < 0)
        return l->failed;
    leat_status st;
    while ((st = step(l)) == LEAT_OK)
        if (l->state == LOOKUP_READY && !l->opened)
            return LEAT_OK;
    if (st == LEAT_END)
        return LEAT_OK;
    if (st == LEAT_TRANSIENT && l->state != LOOKUP_BACKOFF && l->opened) {
        if (!l->conn || !pq_conn_raw(l->conn) || PQstatus(pq_conn_raw(l->conn)) == CONNECTION_BAD)
            drop_conn(l);
        st = try_again(l, st);
    }
    if (st < 0 && l->opened)
        l->failed = st;
    return st;
}

// --- life

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
    // there is no object yet, and the answer lives until the next call
    static _Thread_local struct {
        struct leat_port port;
        char resource[2 * JDBC_VALUE_MAX];
    } answer;
    const struct jdbc_config *c = rq->config;
    (void)ctx;
    answer.port = (struct leat_port){.schema = rq->declared, .mode = LEAT_MODE_INSERT_ONLY};
    plan->ports = (struct leat_ports){.count = 1, .items = &answer.port};
    struct jdbc_url url;
    char why[128];
    if (jdbc_url_parse(c->url, &url, why, sizeof why) == 0) {
        snprintf(answer.resource, sizeof answer.resource, "postgresql://%s:%s/%s/%s", url.host, url.port, url.database,
                 c->table_name);
        plan->resource = answer.resource;
    }
    plan->parallel_max = 64;
    return LEAT_OK;
}

static void declare_metrics(struct jdbc_lookup *l)
{
    static const struct leat_metric declared[] = {
        {"leat_jdbc_lookup_keys_total", LEAT_METRIC_COUNTER, "Keys that were asked for."},
        {"leat_jdbc_lookup_cache_hits_total", LEAT_METRIC_COUNTER, "Distinct keys found in the cache."},
        {"leat_jdbc_lookup_cache_misses_total", LEAT_METRIC_COUNTER, "Distinct keys that the server was asked for."},
        {"leat_jdbc_lookup_queries_total", LEAT_METRIC_COUNTER, "Statements sent."},
        {"leat_jdbc_lookup_retries_total", LEAT_METRIC_COUNTER, "Statements that were sent again."},
    };
    int64_t **numbers[] = {&l->metrics.asked, &l->metrics.hits, &l->metrics.misses, &l->metrics.queries,
                           &l->metrics.retries};
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++)
        *numbers[i] = l->ctx->host->metric(l->ctx, &declared[i]);
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    const struct jdbc_config *c = rq->config;
    char why[256];
    struct jdbc_lookup *l = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    l->ctx = ctx;
    l->config = c;
    l->declared = rq->declared;
    if (jdbc_url_parse(c->url, &l->url, why, sizeof why) < 0 ||
        jdbc_name_parse(c->table_name, &l->name, why, sizeof why) < 0) {
        free(l);
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-J0101", "%s", why);
    }
    if (!l->name.schema[0])
        snprintf(l->name.schema, sizeof l->name.schema, "%.*s", JDBC_NAME_MAX - 1,
                 l->url.schema[0] ? l->url.schema : "public");
    jdbc_where(&l->url, l->where, sizeof l->where);
    snprintf(l->zone, sizeof l->zone, "UTC");
    l->table = (struct jdbc_table){.schema = l->name.schema, .name = l->name.table, .where = l->where, .readonly = 1};
    buf_init(&l->sql, 16u << 20);
    buf_init(&l->params, 256u << 20);
    buf_init(&l->rows, 1u << 30);
    jdbc_cache_init(&l->cache, c->cache_rows > 0 ? c->cache_rows : 0, c->expire_write > 0 ? c->expire_write : 0,
                    c->expire_access > 0 ? c->expire_access : 0);
    declare_metrics(l);
    *self = l;
    return LEAT_OK;
}

static leat_status discover(struct leat_ctx *ctx, void *self, struct leat_ports *ports)
{
    struct jdbc_lookup *l = self;
    leat_status st = l->loaded ? LEAT_OK : jdbc_lookup_run(l);
    if (st == LEAT_OK)
        *ports = (struct leat_ports){.count = 1, .items = &l->port};
    return st;
}

static leat_status open_lookup(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct jdbc_lookup *l = self;
    // the session of discover has another TimeZone
    if (open->local_time_zone && strcmp(l->zone, open->local_time_zone) != 0) {
        snprintf(l->zone, sizeof l->zone, "%s", open->local_time_zone);
        drop_conn(l);
    }
    leat_status st = l->state == LOOKUP_READY ? LEAT_OK : jdbc_lookup_run(l);
    if (st == LEAT_OK && !l->opened) {
        l->opened = 1;
        st = jdbc_lookup_run(l); // begins to listen for the end of the connection
    }
    return st == LEAT_AGAIN && l->opened ? LEAT_OK : st;
}

static leat_status ask(struct leat_ctx *ctx, void *self, const uint32_t *key_columns, uint32_t key_count,
                       const struct leat_batch *keys, uint64_t ticket)
{
    struct jdbc_lookup *l = self;
    struct jdbc_question *q = NULL;
    if (l->failed < 0)
        return l->failed;
    if (l->queued == JDBC_QUESTIONS) {
        l->told_full = 1;
        return LEAT_AGAIN;
    }
    leat_status st = jdbc_question_create(l, key_columns, key_count, keys, ticket, &q);
    if (st < 0)
        return st;
    if (!q->missing) {
        st = jdbc_question_answer(l, q, NULL);
        jdbc_question_destroy(q);
        return st;
    }
    l->queue[l->queued++] = q;
    if (l->state == LOOKUP_READY)
        st = jdbc_lookup_run(l);
    return st < 0 ? st : LEAT_OK;
}

static leat_status close_lookup(struct leat_ctx *ctx, void *self)
{
    struct jdbc_lookup *l = self;
    drop_conn(l);
    l->opened = 0;
    ctx->host->event_close(l->backoff);
    l->backoff = NULL;
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct jdbc_lookup *l = self;
    if (!l)
        return;
    (void)close_lookup(ctx, l);
    while (l->queued)
        jdbc_question_destroy(l->queue[--l->queued]);
    for (uint32_t i = 0; i < l->schema.column_count && l->fields; i++) {
        if (!l->declared)
            free((void *)(uintptr_t)l->fields[i].name.ptr);
        free(l->columns[i].name);
        free(l->columns[i].key_cast);
    }
    free(l->fields);
    free(l->columns);
    free(l->key);
    jdbc_table_fini(&l->table);
    jdbc_cache_fini(&l->cache);
    buf_fini(&l->sql);
    buf_fini(&l->params);
    buf_fini(&l->rows);
    free(l);
}

const struct leat_lookup_ops jdbc_lookup_ops = {
    .struct_size = sizeof jdbc_lookup_ops,
    .describe = describe,
    .create = create,
    .discover = discover,
    .open = open_lookup,
    .ask = ask,
    .close = close_lookup,
    .destroy = destroy,
};
