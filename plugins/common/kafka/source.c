// SPDX-License-Identifier: Apache-2.0
// See source.h. Offsets are saved with the checkpoint; the group, if there is one, is told afterwards, for monitoring.
#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "source_int.h"

#define SETTLE_USEC    10000
#define PROGRESS_USEC  1000000
#define CLOSE_PATIENCE 5000000 // µs for the client to end

// --- describe

static leat_status check_schema(struct leat_ctx *ctx, const struct leat_source_request *rq, int upsert)
{
    if (!rq->declared) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0123", NULL, 0,
                  "Add a section [sources.NAME.schema] with a line for each column.",
                  "a Kafka topic has no catalogue: the source needs a schema");
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-K0123", "the source has no schema");
    }
    if (upsert && !rq->declared->key_count) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0124", NULL, 0, "Name the key's columns: primary-key = [\"id\"].",
                  "an upsert-kafka source needs a primary key");
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-K0124", "the source has no primary key");
    }
    return LEAT_OK;
}

static leat_status init_columns(struct leat_ctx *ctx, struct kafka_columns *columns,
                                const struct leat_source_request *rq, int upsert)
{
    return kafka_columns_init(ctx, columns, rq->config, rq->declared, upsert ? rq->declared->key : NULL,
                              upsert ? rq->declared->key_count : 0);
}

static leat_status find_mode(struct leat_ctx *ctx, const struct leat_source_request *rq, int upsert, uint8_t *mode)
{
    struct kafka_columns columns = {.key = NULL};
    leat_status st = init_columns(ctx, &columns, rq, upsert);
    if (st == LEAT_OK)
        st = kafka_columns_mode(ctx, &columns, rq->config, LEAT_DECODE, upsert, mode);
    kafka_columns_fini(&columns);
    return st;
}

// The port and the resource belong to whoever asked last: the plan is read before describe is called again.
struct described {
    struct leat_port port;
    char *resource;
};

static _Thread_local struct described described;

leat_status kafka_source_describe(struct leat_ctx *ctx, const struct leat_source_request *rq,
                                  struct leat_source_plan *plan, int upsert)
{
    const struct kafka_options *o = rq->config;
    uint8_t mode = 0;
    leat_status st = check_schema(ctx, rq, upsert);
    if (st == LEAT_OK)
        st = find_mode(ctx, rq, upsert, &mode);
    if (st != LEAT_OK)
        return st;
    free(described.resource);
    described.resource = kafka_resource(o->servers, o->topic.count ? o->topic.items[0] : "");
    if (!described.resource)
        return leat_no_memory(ctx);
    described.port = (struct leat_port){.schema = rq->declared, .mode = mode};
    plan->ports = (struct leat_ports){.count = 1, .items = &described.port};
    plan->resource = described.resource;
    plan->parallel_max = KAFKA_PARTITIONS_MAX;
    plan->bounded = o->bounded != KAFKA_STOP_NEVER;
    return LEAT_OK;
}

// --- create

leat_status kafka_source_create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self, int upsert)
{
    struct kafka_source *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->o = rq->config;
    s->upsert = (uint8_t)upsert;
    s->poll_records = KAFKA_POLL_RECORDS;
    s->schema = rq->declared;
    leat_status st = check_schema(ctx, rq, upsert);
    if (st == LEAT_OK)
        st = init_columns(ctx, &s->columns, rq, upsert);
    if (st == LEAT_OK && !kafka_decode_init(s))
        st = leat_no_memory(ctx);
    if (st == LEAT_OK && !(s->resources = calloc(s->o->topic.count, sizeof *s->resources)))
        st = leat_no_memory(ctx);
    for (uint32_t i = 0; st == LEAT_OK && s->resources && i < s->o->topic.count; i++)
        if (!(s->resources[i] = kafka_resource(s->o->servers, s->o->topic.items[i])))
            st = leat_no_memory(ctx);
    if (st != LEAT_OK) {
        kafka_source_destroy(ctx, s);
        return st;
    }
    *self = s;
    return LEAT_OK;
}

leat_status kafka_source_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct kafka_source *s = self;
    if (in->version < 1 || in->version > KAFKA_STATE_VERSION)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-K0306", "saved offsets are of version %u, known are 1 to %d",
                         in->version, KAFKA_STATE_VERSION);
    if (kafka_state_read(in->version, in->ptr, in->len, &s->loaded) < 0)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-K0307", "saved offsets cannot be read");
    s->restored = 1;
    return LEAT_OK;
}

// --- open

static leat_status on_resolved(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_resolve *r = (struct kafka_resolve *)(void *)job;
    struct kafka_source *s = r->job.node;
    if (s->step != KAFKA_SOURCE_RESOLVE) {
        kafka_resolve_destroy(r);
        return LEAT_OK;
    }
    s->resolved = r;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

leat_status kafka_source_bereft(struct leat_ctx *ctx, rd_kafka_resp_err_t err, const char *text)
{
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-K0209", "a topic vanished while it was read");
    ctx->host->error_native(ctx, rd_kafka_err2name(err), text);
    return LEAT_TRANSIENT;
}

static leat_status on_ready(struct leat_ctx *ctx, void *arg)
{
    struct kafka_source *s = arg;
    if (s->client->gone && s->step == KAFKA_SOURCE_RUN)
        return kafka_source_bereft(ctx, s->client->gone, s->client->trouble);
    if (s->client->fatal)
        return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-K0208", "the Kafka client has failed: %s", s->client->trouble);
    if (s->client->trouble[0]) {
        leat_say_status(ctx, "waiting for Kafka: %s", s->client->trouble);
        s->client->trouble[0] = 0;
        s->troubled = 1;
    }
    kafka_policy_take(ctx, s->o, &s->policy);
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static void on_commit(void *arg, rd_kafka_resp_err_t err)
{
    struct kafka_source *s = arg;
    if (err && err != RD_KAFKA_RESP_ERR__NO_OFFSET && s->client->ctx)
        leat_log(s->client->ctx, LEAT_LOG_WARN, "commit-failed",
                 "could not commit offsets to group \"%s\" (they are for monitoring only): %s", s->o->group_id,
                 rd_kafka_err2str(err));
}

// A job of this source; `positions` may be NULL. NULL = no memory, described.
static struct kafka_resolve *ask(struct leat_ctx *ctx, struct kafka_source *s, uint8_t what,
                                 struct kafka_positions *positions,
                                 leat_status (*done)(struct leat_ctx *, struct kafka_job *))
{
    struct kafka_resolve *r =
        kafka_resolve_create(s->client, s->o, what, s->open.instance, s->open.instances, positions);
    if (!r) {
        leat_no_memory(ctx);
        return NULL;
    }
    r->job.node = s;
    r->job.done = done;
    return r;
}

static leat_status begin(struct leat_ctx *ctx, struct kafka_source *s, const struct leat_open *open)
{
    static const struct leat_metric records = {"leat_kafka_received_records_total", LEAT_METRIC_COUNTER,
                                               "Records taken from Kafka."};
    static const struct leat_metric bytes = {"leat_kafka_received_bytes_total", LEAT_METRIC_COUNTER,
                                             "Bytes of their keys and values."};
    static const struct leat_metric lag = {"leat_kafka_lag_records", LEAT_METRIC_GAUGE,
                                           "Offsets between the position and the end of the partitions."};
    s->open = *open;
    s->records_total = ctx->host->metric(ctx, &records);
    s->bytes_total = ctx->host->metric(ctx, &bytes);
    s->lag = ctx->host->metric(ctx, &lag);
    leat_status st = kafka_columns_open(ctx, &s->columns, s->o, LEAT_DECODE, &s->key, &s->value);
    if (st == LEAT_OK)
        st = kafka_client_create(ctx, s->o, KAFKA_CONSUMER, s, &s->client);
    if (st != LEAT_OK)
        return st;
    s->client->on_ready = on_ready;
    s->client->on_commit = on_commit;
    s->control = kafka_control_create(ctx);
    if (!s->control)
        return LEAT_RESOURCE;
    struct kafka_resolve *r = ask(ctx, s, KAFKA_RESOLVE_START, s->restored ? &s->loaded : NULL, on_resolved);
    if (!r)
        return LEAT_RESOURCE;
    s->step = KAFKA_SOURCE_RESOLVE;
    leat_say_status(ctx, "looking for topic \"%s\"", s->o->topic.items[0]);
    kafka_control_run(s->control, &r->job);
    return LEAT_AGAIN;
}

static leat_status take_failure(struct leat_ctx *ctx, const struct kafka_resolve *r)
{
    leat_fail(ctx, r->failure, r->code, "%s", r->message);
    if (r->detail[0])
        leat_error_detail(ctx, "%s", r->detail);
    if (r->hint[0])
        leat_error_hint(ctx, "%s", r->hint);
    return r->failure;
}

// --- catching up

static leat_status check_caught_up(struct leat_ctx *ctx, struct kafka_source *s)
{
    if (s->catch_up != KAFKA_CATCH_UP_READ || !kafka_reader_caught_up(s))
        return LEAT_OK;
    s->catch_up = KAFKA_CATCH_UP_NO;
    leat_say_status(ctx, "reading topic \"%s\"", s->o->topic.items[0]);
    ctx->host->caught_up(ctx);
    return LEAT_OK;
}

static leat_status on_ends(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_resolve *r = (struct kafka_resolve *)(void *)job;
    struct kafka_source *s = r->job.node;
    leat_status st = r->failure < 0 && s->step == KAFKA_SOURCE_RUN ? take_failure(ctx, r) : LEAT_OK;
    if (s->step == KAFKA_SOURCE_RUN && r->failure == LEAT_OK) {
        for (uint32_t i = 0; i < r->found_count; i++)
            s->parts[i].catch_up = r->found[i].end;
        s->catch_up = KAFKA_CATCH_UP_READ;
        kafka_reader_progress(ctx, s);
        st = check_caught_up(ctx, s);
    }
    kafka_resolve_destroy(r);
    return st;
}

// A job that asks for the ends of all partitions; NULL = no memory, described.
static struct kafka_resolve *ask_parts(struct leat_ctx *ctx, struct kafka_source *s,
                                       leat_status (*done)(struct leat_ctx *, struct kafka_job *))
{
    struct kafka_resolve *r = ask(ctx, s, KAFKA_RESOLVE_ENDS, NULL, done);
    if (!r)
        return NULL;
    r->found = calloc((size_t)s->part_count + 1, sizeof *r->found);
    if (!r->found) {
        kafka_resolve_destroy(r);
        leat_no_memory(ctx);
        return NULL;
    }
    for (; r->found_count < s->part_count; r->found_count++)
        r->found[r->found_count] = (struct kafka_found){.topic = s->parts[r->found_count].topic,
                                                        .partition = s->parts[r->found_count].partition};
    return r;
}

static leat_status ask_ends(struct leat_ctx *ctx, struct kafka_source *s)
{
    struct kafka_resolve *r = ask_parts(ctx, s, on_ends);
    if (!r)
        return LEAT_RESOURCE;
    s->catch_up = KAFKA_CATCH_UP_ASK;
    leat_say_status(ctx, "reading topic \"%s\" up to its end", s->o->topic.items[0]);
    kafka_control_run(s->control, &r->job);
    return LEAT_OK;
}

// Asked again while running: nothing that happens each time a batch meets the table is worth a word in the status.
leat_status kafka_source_catch_up(struct leat_ctx *ctx, void *self)
{
    struct kafka_source *s = self;
    struct kafka_resolve *r = ask_parts(ctx, s, on_ends);
    if (!r)
        return LEAT_RESOURCE;
    s->catch_up = KAFKA_CATCH_UP_ASK;
    kafka_control_run(s->control, &r->job);
    return LEAT_OK;
}

static leat_status on_settle(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_source *s = arg;
    for (uint32_t i = 0; i < s->o->topic.count; i++)
        if (!ctx->host->resource_settled(ctx, s->resources[i]))
            return ctx->host->timer_again(s->settle_timer, SETTLE_USEC);
    return ask_ends(ctx, s);
}

static leat_status start_catch_up(struct leat_ctx *ctx, struct kafka_source *s)
{
    s->catch_up = KAFKA_CATCH_UP_SETTLE;
    leat_say_status(ctx, "waiting for the first rows of topic \"%s\" to be complete", s->o->topic.items[0]);
    s->settle_timer = ctx->host->timer(ctx, 0, on_settle, s);
    return s->settle_timer ? LEAT_OK : leat_no_memory(ctx);
}

// --- trouble. An idle topic gives no sign when its broker is back, so the broker is asked.

void kafka_source_recovered(struct leat_ctx *ctx, struct kafka_source *s)
{
    s->troubled = 0;
    leat_say_status(ctx, "reading topic \"%s\"", s->o->topic.items[0]);
}

static leat_status on_probed(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_resolve *r = (struct kafka_resolve *)(void *)job;
    struct kafka_source *s = r->job.node;
    s->probing = 0;
    if (s->step == KAFKA_SOURCE_RUN && r->failure == LEAT_OK && s->troubled)
        kafka_source_recovered(ctx, s);
    kafka_resolve_destroy(r);
    return LEAT_OK;
}

static leat_status probe(struct leat_ctx *ctx, struct kafka_source *s)
{
    struct kafka_resolve *r = s->probing ? NULL : ask_parts(ctx, s, on_probed);
    if (!r)
        return s->probing ? LEAT_OK : LEAT_RESOURCE;
    s->probing = 1;
    kafka_control_run(s->control, &r->job);
    return LEAT_OK;
}

// --- timers

static leat_status on_progress(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_source *s = arg;
    kafka_reader_progress(ctx, s);
    leat_status st = s->troubled ? probe(ctx, s) : LEAT_OK;
    return st == LEAT_OK ? ctx->host->timer_again(s->progress_timer, PROGRESS_USEC) : st;
}

static leat_status on_discovered(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_resolve *r = (struct kafka_resolve *)(void *)job;
    struct kafka_source *s = r->job.node;
    leat_status st = LEAT_OK;
    s->discovering = 0;
    if (s->step == KAFKA_SOURCE_RUN && r->failure == LEAT_OK) {
        if (r->found_count)
            leat_log(ctx, LEAT_LOG_INFO, "partitions-found", "reading %u new partitions of topic \"%s\"",
                     r->found_count, s->o->topic.items[0]);
        st = kafka_reader_add(ctx, s, r);
    }
    kafka_resolve_destroy(r);
    return st;
}

static leat_status on_discovery(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_source *s = arg;
    if (!s->discovering) {
        struct kafka_resolve *r = ask(ctx, s, KAFKA_RESOLVE_NEW, NULL, on_discovered);
        if (!r)
            return LEAT_RESOURCE;
        memcpy(r->known, s->partitions, s->o->topic.count * sizeof *r->known);
        s->discovering = 1;
        kafka_control_run(s->control, &r->job);
    }
    return ctx->host->timer_again(s->discovery_timer, s->o->discovery);
}

static leat_status start_timers(struct leat_ctx *ctx, struct kafka_source *s)
{
    s->progress_timer = ctx->host->timer(ctx, PROGRESS_USEC, on_progress, s);
    if (!s->progress_timer)
        return leat_no_memory(ctx);
    if (s->o->discovery <= 0 || s->o->bounded != KAFKA_STOP_NEVER)
        return LEAT_OK;
    s->discovery_timer = ctx->host->timer(ctx, s->o->discovery, on_discovery, s);
    return s->discovery_timer ? LEAT_OK : leat_no_memory(ctx);
}

static leat_status run(struct leat_ctx *ctx, struct kafka_source *s)
{
    struct kafka_resolve *r = s->resolved;
    s->resolved = NULL;
    leat_status st = r->failure < 0 ? take_failure(ctx, r) : kafka_reader_add(ctx, s, r);
    kafka_resolve_destroy(r);
    if (st != LEAT_OK)
        return st;
    s->step = KAFKA_SOURCE_RUN;
    s->troubled = 0;
    leat_say_status(ctx, "reading topic \"%s\"", s->o->topic.items[0]);
    if (s->upsert)
        s->policy = kafka_policy_ask(s->client, &s->o->topic);
    st = start_timers(ctx, s);
    if (st == LEAT_OK && s->open.catch_up)
        st = start_catch_up(ctx, s);
    return st;
}

leat_status kafka_source_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct kafka_source *s = self;
    if (s->step == KAFKA_SOURCE_NEW)
        return begin(ctx, s, open);
    return s->resolved ? run(ctx, s) : LEAT_AGAIN;
}

// --- running

leat_status kafka_source_poll(struct leat_ctx *ctx, void *self)
{
    struct kafka_source *s = self;
    uint32_t n = 0;
    if (s->o->bounded != KAFKA_STOP_NEVER && !s->undone)
        return LEAT_END;
    leat_status st = kafka_reader_take(ctx, s, &n);
    if (st == LEAT_AGAIN)
        return LEAT_AGAIN;
    s->way_full = 0;
    if (st == LEAT_OK)
        st = kafka_decode(ctx, s, n);
    if (st == LEAT_OK)
        st = check_caught_up(ctx, s);
    return st == LEAT_OK && s->way_full ? LEAT_AGAIN : st;
}

leat_status kafka_source_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct kafka_source *s = self;
    struct buf bytes;
    if (s->step != KAFKA_SOURCE_RUN)
        return LEAT_OK;
    for (uint32_t i = 0; i < s->part_count; i++)
        s->saved[i] = (struct kafka_position){s->o->topic.items[s->parts[i].topic], s->parts[i].partition,
                                              s->parts[i].next, s->parts[i].stop, s->parts[i].last};
    s->saved_count = s->part_count;
    s->saved_epoch = out->epoch;
    buf_init(&bytes, SIZE_MAX / 2);
    kafka_state_write(&bytes, s->saved, s->saved_count);
    out->version = KAFKA_STATE_VERSION;
    out->kind = LEAT_STATE_FULL;
    leat_status st = buf_ok(&bytes) ? ctx->host->state_write(ctx, out, bytes.ptr, bytes.len) : leat_no_memory(ctx);
    buf_fini(&bytes);
    return st;
}

leat_status kafka_source_on_checkpoint_complete(struct leat_ctx *ctx, void *self, leat_epoch epoch)
{
    struct kafka_source *s = self;
    const char *wanted = kafka_property(s->o, "commit.offsets.on.checkpoint");
    if (!s->o->group_id || !s->saved_count || s->saved_epoch > epoch || s->step != KAFKA_SOURCE_RUN ||
        (wanted && strcmp(wanted, "false") == 0))
        return LEAT_OK;
    if (s->troubled) // librdkafka would keep it, and every later one, and not end before each has run into its timeout
        return LEAT_OK;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->saved_count);
    for (uint32_t i = 0; i < s->saved_count; i++)
        rd_kafka_topic_partition_list_add(list, s->saved[i].topic, s->saved[i].partition)->offset = s->saved[i].next;
    rd_kafka_resp_err_t err = rd_kafka_commit(s->client->rk, list, 1);
    if (err)
        on_commit(s, err);
    rd_kafka_topic_partition_list_destroy(list);
    return LEAT_OK;
}

// --- close. What blocks while it winds down is done by a last job, which has taken all of it over.

struct wind_down {
    struct kafka_job job;
    struct kafka_client *client;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t **rkts;
    uint32_t topic_count;
    struct kafka_part *parts;
    uint32_t part_count;
};

static void free_wind_down(struct wind_down *w)
{
    for (uint32_t i = 0; w->rkts && i < w->part_count; i++)
        if (w->rkts[w->parts[i].topic])
            rd_kafka_consume_stop(w->rkts[w->parts[i].topic], w->parts[i].partition);
    for (uint32_t i = 0; w->rkts && i < w->topic_count; i++)
        if (w->rkts[i])
            rd_kafka_topic_destroy(w->rkts[i]);
    if (w->queue)
        rd_kafka_queue_destroy(w->queue);
    free(w->rkts);
    free(w->parts);
    w->rkts = NULL;
    w->parts = NULL;
    w->queue = NULL;
    kafka_client_unref(w->client, 1);
    w->client = NULL;
}

static void run_wind_down(struct kafka_control *control, struct kafka_job *job)
{
    free_wind_down((struct wind_down *)(void *)job);
}

static void drop_wind_down(struct kafka_job *job)
{
    struct wind_down *w = (struct wind_down *)(void *)job;
    if (w->client)
        free_wind_down(w);
    free(w);
}

// A client that has lost its broker may take a minute to end. It ends by itself: the thread that waits for it is left.
static leat_status on_close_late(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_source *s = arg;
    (void)ready;
    if (s->step != KAFKA_SOURCE_CLOSING)
        return LEAT_OK;
    leat_log(ctx, LEAT_LOG_WARN, "close-left", "the Kafka client did not end within %d s and is left to end by itself",
             CLOSE_PATIENCE / 1000000);
    s->step = KAFKA_SOURCE_CLOSED;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static leat_status on_wound_down(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_source *s = job->node;
    free(job); // the first member of struct wind_down, which is empty by now
    s->step = KAFKA_SOURCE_CLOSED;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static struct wind_down *take_down(struct kafka_source *s)
{
    struct wind_down *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    *w = (struct wind_down){.job = {.run = run_wind_down, .done = on_wound_down, .drop = drop_wind_down, .node = s},
                            .client = s->client,
                            .queue = s->queue,
                            .rkts = s->rkts,
                            .topic_count = s->o->topic.count,
                            .parts = s->parts,
                            .part_count = s->part_count};
    s->client = NULL;
    s->queue = NULL;
    s->rkts = NULL;
    s->parts = NULL;
    s->part_count = 0;
    return w;
}

static void stop_events(struct leat_ctx *ctx, struct kafka_source *s)
{
    ctx->host->event_close(s->settle_timer);
    ctx->host->event_close(s->progress_timer);
    ctx->host->event_close(s->discovery_timer);
    ctx->host->event_close(s->close_timer);
    s->settle_timer = s->progress_timer = s->discovery_timer = s->close_timer = NULL;
    kafka_policy_drop(&s->policy);
    if (s->client)
        kafka_client_detach(s->client);
}

leat_status kafka_source_close(struct leat_ctx *ctx, void *self)
{
    struct kafka_source *s = self;
    if (s->step == KAFKA_SOURCE_CLOSING)
        return LEAT_AGAIN;
    if (s->step == KAFKA_SOURCE_CLOSED || !s->client || !s->control)
        return LEAT_OK;
    stop_events(ctx, s);
    kafka_control_interrupt(s->control);
    struct wind_down *w = take_down(s);
    if (!w)
        return LEAT_OK; // destroy does it, blocking
    s->step = KAFKA_SOURCE_CLOSING;
    s->close_timer = ctx->host->timer(ctx, CLOSE_PATIENCE, on_close_late, s); // without one it waits
    kafka_control_run(s->control, &w->job);
    return LEAT_AGAIN;
}

void kafka_source_destroy(struct leat_ctx *ctx, void *self)
{
    struct kafka_source *s = self;
    if (!s)
        return;
    stop_events(ctx, s);
    kafka_decode_fini(ctx, s);
    kafka_control_destroy(ctx, s->control);
    if (s->client) {
        struct wind_down *w = take_down(s);
        if (w)
            drop_wind_down(&w->job);
    }
    if (s->key)
        s->key->close(ctx, s->key);
    if (s->value)
        s->value->close(ctx, s->value);
    kafka_resolve_destroy(s->resolved);
    kafka_columns_fini(&s->columns);
    kafka_positions_fini(&s->loaded);
    for (uint32_t i = 0; s->resources && i < s->o->topic.count; i++)
        free(s->resources[i]);
    for (uint32_t i = 0; s->part_of && i < s->o->topic.count; i++)
        free(s->part_of[i]);
    free(s->resources);
    free(s->part_of);
    free(s->partitions);
    free(s->saved);
    free(s);
}
