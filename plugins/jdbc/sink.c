// SPDX-License-Identifier: Apache-2.0
// The sink's vtable: bind checks and remembers, write encodes into the buffer that fills, flush sets it flying.
//
// Home worker. What waits for the server is in flight.c; a failure there fails the node and stays in `failed`, so that
// nothing is accepted any more.
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink_int.h"

#define SQL_MAX (16u << 20)

// --- bind

static leat_status fault(struct leat_ctx *ctx, const char *option, const char *hint, const char *text)
{
    leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", option, 0, hint, "%s", text);
    return leat_fail(ctx, LEAT_CONFIG, "LEAT-J0101", "%s", text);
}

static leat_status check_schema(struct leat_ctx *ctx, const struct leat_schema *schema)
{
    char text[256], type[JDBC_TYPE_TEXT];
    if (schema->column_count > 1600)
        return fault(ctx, NULL, NULL, "PostgreSQL's tables have at most 1600 columns");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct leat_field *f = &schema->columns[i];
        if (jdbc_wire_of(&f->type))
            continue;
        jdbc_type_name(&f->type, type);
        snprintf(text, sizeof text, "column \"%.*s\" is %s, which cannot be written to PostgreSQL",
                 f->name.len > 100 ? 100 : (int)f->name.len, (const char *)f->name.ptr, type);
        return fault(ctx, NULL, "Cast it to STRING in a query.", text);
    }
    return LEAT_OK;
}

static leat_status remember(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct jdbc_bound *b)
{
    char why[256];
    if (jdbc_url_parse(b->config->url, &b->url, why, sizeof why) < 0)
        return fault(ctx, "url", NULL, why);
    if (jdbc_name_parse(b->config->table_name, &b->name, why, sizeof why) < 0)
        return fault(ctx, "table-name", NULL, why);
    if (!b->name.schema[0])
        snprintf(b->name.schema, sizeof b->name.schema, "%.*s", JDBC_NAME_MAX - 1,
                 b->url.schema[0] ? b->url.schema : "public");
    jdbc_where(&b->url, b->where, sizeof b->where);
    snprintf(b->resource, sizeof b->resource, "postgresql://%s/%s.%s", b->where, b->name.schema, b->name.table);
    b->key_count = rq->key_count;
    if (rq->key && rq->key_count) {
        b->key = malloc(rq->key_count * sizeof *b->key);
        if (!b->key)
            return leat_no_memory(ctx);
        memcpy(b->key, rq->key, rq->key_count * sizeof *b->key);
    }
    return b->schema ? check_schema(ctx, b->schema) : LEAT_OK;
}

static void unbind(void *bound)
{
    struct jdbc_bound *b = bound;
    if (!b)
        return;
    free(b->key);
    free(b);
}

static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                        void **bound)
{
    uint8_t keyed = rq->primary_key_count > 0 || rq->key_count > 0;
    if (!keyed && rq->mode && rq->mode != LEAT_MODE_INSERT_ONLY)
        return fault(ctx, "primary-key", "Write primary-key = [\"…\"], the columns of the table's key.",
                     "the input updates and deletes rows, for which the sink needs a primary-key");
    struct jdbc_bound *b = calloc(1, sizeof *b);
    if (!b)
        return leat_no_memory(ctx);
    b->config = rq->config;
    b->schema = rq->schema;
    leat_status st = remember(ctx, rq, b);
    if (st < 0) {
        unbind(b);
        return st;
    }
    if (!keyed && rq->schema)
        leat_diag(
            ctx, LEAT_DIAG_WARNING, "LEAT-J0107", NULL, 0,
            "Write primary-key = [\"…\"], the columns of a unique index of the table: rows are then written once.",
            "without a primary-key, rows of the last checkpoint are inserted twice after a failure");
    plan->mode = keyed ? LEAT_MODE_UPSERT : LEAT_MODE_INSERT_ONLY;
    plan->guarantee = LEAT_GUARANTEE_AT_LEAST_ONCE;
    plan->idempotent = plan->takes_unchanged = plan->partition_by_key = keyed;
    plan->parallel_max = 64;
    plan->resource = b->resource;
    *bound = b;
    return LEAT_OK;
}

// --- create and destroy

static char *quoted(struct leat_bytes name)
{
    char plain[JDBC_NAME_MAX];
    struct buf b;
    if (name.len >= sizeof plain)
        return strdup("\"\""); // longer than any name of PostgreSQL; the check of the columns will miss it
    memcpy(plain, name.ptr, name.len);
    plain[name.len] = 0;
    buf_init(&b, 3 * JDBC_NAME_MAX);
    pq_ident(&b, plain);
    buf_u8(&b, 0);
    char *text = buf_ok(&b) ? strdup((const char *)b.ptr) : NULL;
    buf_fini(&b);
    return text;
}

static int is_key(const struct jdbc_bound *b, uint32_t column)
{
    for (uint32_t i = 0; i < b->key_count; i++)
        if (b->key[i] == column)
            return 1;
    return 0;
}

static int add_column(struct jdbc_sink *s, uint32_t from)
{
    struct jdbc_column *c = &s->shape.columns[s->shape.count++];
    c->from = from;
    c->field = &s->bound->schema->columns[from];
    c->wire = jdbc_wire_of(&c->field->type);
    c->name = quoted(c->field->name);
    return c->name ? 0 : -1;
}

static int make_shape(struct jdbc_sink *s)
{
    const struct jdbc_bound *b = s->bound;
    int st = 0;
    s->shape.columns = calloc(b->schema->column_count, sizeof *s->shape.columns);
    if (!s->shape.columns)
        return -1;
    s->shape.key_count = b->key_count;
    for (uint32_t i = 0; i < b->key_count; i++)
        st |= add_column(s, b->key[i]);
    for (uint32_t i = 0; i < b->schema->column_count; i++)
        if (!is_key(b, i))
            st |= add_column(s, i);
    return st;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct jdbc_sink *s = self;
    if (!s)
        return;
    pq_conn_destroy(s->conn);
    ctx->host->event_close(s->backoff);
    ctx->host->event_close(s->interval);
    PQclear(s->problem);
    jdbc_table_fini(&s->table);
    for (uint32_t i = 0; i < s->shape.count; i++) {
        free(s->shape.columns[i].name);
        free(s->shape.columns[i].type);
        free(s->shape.columns[i].key_cast);
    }
    free(s->shape.columns);
    jdbc_rows_fini(&s->buffers[0]);
    jdbc_rows_fini(&s->buffers[1]);
    buf_fini(&s->sql);
    buf_fini(&s->params);
    free(s);
}

static void declare_metrics(struct jdbc_sink *s)
{
    static const struct leat_metric declared[] = {
        {"leat_jdbc_rows_written_total", LEAT_METRIC_COUNTER, "Rows written and deleted in the target, committed."},
        {"leat_jdbc_flushes_total", LEAT_METRIC_COUNTER, "Transactions committed in the target."},
        {"leat_jdbc_flush_microseconds_total", LEAT_METRIC_COUNTER, "Time from sending to the commit of flushes."},
        {"leat_jdbc_retries_total", LEAT_METRIC_COUNTER, "Flushes that were tried again."},
        {"leat_jdbc_rows_missing_total", LEAT_METRIC_COUNTER,
         "Rows to be changed in part that the target does not have; they were left out."},
        {"leat_jdbc_copies_refused_total", LEAT_METRIC_COUNTER,
         "Flushes tried by COPY straight into the table, refused, mostly since a row was there already, and sent "
         "again."},
    };
    int64_t **numbers[] = {&s->metrics.rows,    &s->metrics.flushes, &s->metrics.micros,
                           &s->metrics.retries, &s->metrics.missing, &s->metrics.copies_refused};
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++)
        *numbers[i] = s->ctx->host->metric(s->ctx, &declared[i]);
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    const struct jdbc_bound *b = bound;
    if (!b->schema || (b->key_count && !b->key))
        return leat_fail(ctx, LEAT_BUG, "LEAT-J0101", "the sink was created before its input's columns were known");
    struct jdbc_sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->ctx = ctx;
    s->bound = b;
    s->fill = &s->buffers[0];
    s->table.schema = (char *)(uintptr_t)b->name.schema;
    s->table.name = (char *)(uintptr_t)b->name.table;
    s->table.where = (char *)(uintptr_t)b->where;
    s->table.keyed = b->key_count > 0;
    buf_init(&s->sql, SQL_MAX);
    buf_init(&s->params, 1u << 30);
    if (make_shape(s) < 0) {
        destroy(ctx, s);
        return leat_no_memory(ctx);
    }
    jdbc_rows_init(&s->buffers[0], &s->shape);
    jdbc_rows_init(&s->buffers[1], &s->shape);
    declare_metrics(s);
    *self = s;
    return LEAT_OK;
}

static leat_status open_sink(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct jdbc_sink *s = self;
    snprintf(s->zone, sizeof s->zone, "%s", open->local_time_zone ? open->local_time_zone : "UTC");
    leat_status st = jdbc_run(s);
    if (st == LEAT_OK && !s->opened) {
        s->opened = 1;
        st = jdbc_run(s); // begins to listen for the end of the connection
    }
    return st == LEAT_AGAIN && s->opened ? LEAT_OK : st;
}

// --- rows

static int is_full(const struct jdbc_rows *r)
{
    return r->count >= JDBC_FLIGHT_ROWS || r->bytes.len >= JDBC_FLIGHT_BYTES;
}

// Sets the filled buffer flying, if nothing flies and the connection stands.
static leat_status kick(struct jdbc_sink *s)
{
    if (s->failed < 0 || s->flying || !s->fill->count || s->state != JDBC_READY)
        return s->failed;
    leat_status st = jdbc_run(s);
    return st < 0 ? st : LEAT_OK;
}

static leat_status on_interval(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct jdbc_sink *s = arg;
    s->interval_armed = 0;
    return kick(s);
}

static leat_status arm_interval(struct jdbc_sink *s)
{
    int64_t usec = s->bound->config->flush_interval;
    if (s->interval_armed || usec <= 0 || !s->fill->count)
        return LEAT_OK;
    s->interval_armed = 1;
    if (s->interval)
        return s->ctx->host->timer_again(s->interval, usec);
    s->interval = s->ctx->host->timer(s->ctx, usec, on_interval, s);
    return s->interval ? LEAT_OK : leat_no_memory(s->ctx);
}

static leat_status bad_value(struct jdbc_sink *s, uint32_t row)
{
    char where[512];
    snprintf(where, sizeof where, "for table %s, row %u of its batch", s->table.full, row);
    return s->ctx->host->bad_row(s->ctx, (struct leat_bytes){0}, where);
}

static leat_status write_batch(struct leat_ctx *ctx, void *self, const struct leat_batch *batch)
{
    struct jdbc_sink *s = self;
    leat_status st = LEAT_OK;
    if (s->failed < 0)
        return s->failed;
    if (is_full(s->fill)) {
        st = kick(s);
        if (st < 0 || is_full(s->fill))
            return st < 0 ? st : LEAT_AGAIN;
    }
    for (uint32_t row = 0; row < batch->rows && st == LEAT_OK; row++) {
        st = jdbc_rows_add(ctx, s->fill, batch, row);
        if (st == LEAT_DATA)
            st = bad_value(s, row);
    }
    int64_t most = s->bound->config->flush_rows;
    if (st == LEAT_OK && ((most > 0 && s->fill->count >= most) || is_full(s->fill)))
        st = kick(s);
    return st < 0 ? st : arm_interval(s);
}

static leat_status flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct jdbc_sink *s = self;
    leat_status st = kick(s);
    if (st < 0 || how == LEAT_FLUSH_IDLE)
        return st;
    return s->flying || s->fill->count ? LEAT_AGAIN : LEAT_OK;
}

static leat_status close_sink(struct leat_ctx *ctx, void *self)
{
    struct jdbc_sink *s = self;
    pq_conn_destroy(s->conn);
    s->conn = NULL;
    s->state = JDBC_CLOSED;
    s->opened = 0;
    ctx->host->event_close(s->backoff);
    ctx->host->event_close(s->interval);
    s->backoff = s->interval = NULL;
    return LEAT_OK;
}

const struct leat_sink_ops jdbc_sink_ops = {
    .struct_size = sizeof jdbc_sink_ops,
    .bind = bind,
    .unbind = unbind,
    .create = create,
    .open = open_sink,
    .write = write_batch,
    .flush = flush,
    .close = close_sink,
    .destroy = destroy,
};
