// SPDX-License-Identifier: Apache-2.0
// See sink.h.
#include "sink.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "sink_int.h"

// --- bind

// The core has found the key's columns: those of primary-key, or the key of what the sink reads.
static leat_status copy_key(struct leat_ctx *ctx, struct kafka_bound *b, const struct leat_sink_request *rq)
{
    if (!b->upsert || !rq->schema)
        return LEAT_OK;
    if (!rq->key_count) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0126", "primary-key", 0,
                  "Name the key's columns: primary-key = [\"id\"].", "an upsert-kafka sink needs a primary key");
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-K0126", "the sink has no primary key");
    }
    b->key = calloc(rq->key_count, sizeof *b->key);
    if (!b->key)
        return leat_no_memory(ctx);
    memcpy(b->key, rq->key, rq->key_count * sizeof *b->key);
    b->key_count = rq->key_count;
    return LEAT_OK;
}

// Key and value columns of the bound sink in `schema`.
static leat_status init_columns(struct leat_ctx *ctx, struct kafka_columns *columns, const struct kafka_bound *b,
                                const struct leat_schema *schema)
{
    return kafka_columns_init(ctx, columns, b->o, schema, b->upsert ? b->key : NULL, b->key_count);
}

static leat_status find_mode(struct leat_ctx *ctx, const struct kafka_bound *b, uint8_t *mode)
{
    struct kafka_columns columns = {.key = NULL};
    leat_status st = init_columns(ctx, &columns, b, b->schema);
    if (st == LEAT_OK)
        st = kafka_columns_mode(ctx, &columns, b->o, LEAT_ENCODE, b->upsert, mode);
    kafka_columns_fini(&columns);
    return st;
}

leat_status kafka_sink_bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                            void **bound, int upsert)
{
    struct kafka_bound *b = calloc(1, sizeof *b);
    uint8_t mode = upsert ? LEAT_MODE_UPSERT : LEAT_MODE_INSERT_ONLY;
    if (!b)
        return leat_no_memory(ctx);
    b->o = rq->config;
    b->upsert = (uint8_t)upsert;
    b->schema = rq->schema;
    leat_status st = copy_key(ctx, b, rq);
    if (st == LEAT_OK && !(b->resource = kafka_resource(b->o->servers, b->o->topic.items[0])))
        st = leat_no_memory(ctx);
    if (st == LEAT_OK && b->schema)
        st = find_mode(ctx, b, &mode);
    if (st != LEAT_OK) {
        kafka_sink_unbind(b);
        return st;
    }
    plan->mode = mode;
    plan->guarantee = b->o->guarantee == KAFKA_GUARANTEE_NONE ? LEAT_GUARANTEE_NONE : LEAT_GUARANTEE_AT_LEAST_ONCE;
    plan->takes_unchanged = 0;
    plan->idempotent = b->upsert;
    plan->partition_by_key = b->upsert;
    plan->parallel_max = 1024;
    plan->resource = b->resource;
    *bound = b;
    return LEAT_OK;
}

void kafka_sink_unbind(void *bound)
{
    struct kafka_bound *b = bound;
    if (!b)
        return;
    free(b->key);
    free(b->resource);
    free(b);
}

// --- create, state and open

// Rows of a key stay in one partition only as long as the number of partitions is the same, so that number is kept.
// State, version 1: the number, 4 bytes, big-endian.
#define STATE_VERSION 1

static int is_keyed(const struct kafka_sink *s)
{
    return s->o->key_format && s->o->partitioner == KAFKA_PARTITION_DEFAULT;
}

leat_status kafka_sink_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct kafka_sink *s = self;
    struct cur c = cur_of(in->ptr, in->len);
    int32_t partitions = (int32_t)cur_u32(&c);
    if (!in->len)
        return LEAT_OK; // of a time when it had no key
    if (in->version != STATE_VERSION || !cur_ok(&c) || cur_left(&c) || partitions < 1)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-K0307", "the sink's saved number of partitions cannot be read");
    s->kept_partitions = partitions;
    return LEAT_OK;
}

leat_status kafka_sink_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct kafka_sink *s = self;
    struct buf bytes;
    if (s->step != KAFKA_SINK_RUN || !is_keyed(s))
        return LEAT_OK;
    buf_init(&bytes, 4);
    buf_u32(&bytes, (uint32_t)s->writer->partition_count);
    out->version = STATE_VERSION;
    out->kind = LEAT_STATE_FULL;
    leat_status st = buf_ok(&bytes) ? ctx->host->state_write(ctx, out, bytes.ptr, bytes.len) : leat_no_memory(ctx);
    buf_fini(&bytes);
    return st;
}

static leat_status use_schema(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_schema *schema)
{
    leat_status st = init_columns(ctx, &s->columns, s->bound, schema);
    return st == LEAT_OK ? kafka_columns_open(ctx, &s->columns, s->o, LEAT_ENCODE, &s->key, &s->value) : st;
}

leat_status kafka_sink_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct kafka_sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->bound = bound;
    s->o = s->bound->o;
    s->key_ends = malloc(KAFKA_CHUNK_ROWS * sizeof *s->key_ends);
    s->value_ends = malloc(KAFKA_CHUNK_ROWS * sizeof *s->value_ends);
    s->writer = calloc(1, sizeof *s->writer);
    leat_status st = s->key_ends && s->value_ends && s->writer ? LEAT_OK : leat_no_memory(ctx);
    if (st == LEAT_OK && s->o->flush_rows > 0) {
        // room for one chunk beyond the limit: it is looked at after each chunk
        s->reduce = kafka_reduce_create((uint32_t)s->o->flush_rows + KAFKA_CHUNK_ROWS);
        st = s->reduce ? LEAT_OK : leat_no_memory(ctx);
    }
    if (st != LEAT_OK) {
        kafka_sink_destroy(ctx, s);
        return st;
    }
    *self = s;
    return LEAT_OK;
}

static leat_status on_topic(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_topic_job *t = (struct kafka_topic_job *)(void *)job;
    struct kafka_sink *s = t->job.node;
    if (s->step != KAFKA_SINK_TOPIC) {
        kafka_topic_job_destroy(t);
        return LEAT_OK;
    }
    s->topic = t;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static void on_delivery(void *arg, const rd_kafka_message_t *message)
{
    kafka_writer_report(((struct kafka_sink *)arg)->writer, message);
}

static void tell_trouble(struct leat_ctx *ctx, struct kafka_sink *s)
{
    const char *trouble = kafka_writer_trouble(s->writer);
    if (trouble[0] && (s->step == KAFKA_SINK_TOPIC || s->writer->outstanding)) {
        if (s->writer->outstanding)
            leat_say_status(ctx, "waiting for Kafka with %llu unwritten records: %s",
                            (unsigned long long)s->writer->outstanding, trouble);
        else
            leat_say_status(ctx, "waiting for Kafka: %s", trouble);
        s->troubled = 1;
    } else if (!trouble[0] && s->troubled && s->step == KAFKA_SINK_RUN) {
        leat_say_status(ctx, "writing to topic \"%s\"", s->o->topic.items[0]);
        s->troubled = 0;
    }
}

static leat_status drain(struct leat_ctx *ctx, struct kafka_sink *s);

// After delivery reports and client errors.
static leat_status on_ready(struct leat_ctx *ctx, void *arg)
{
    struct kafka_sink *s = arg;
    struct kafka_writer *w = s->writer;
    tell_trouble(ctx, s);
    kafka_policy_take(ctx, s->o, &s->policy);
    kafka_writer_trim(ctx, w);
    leat_status st = kafka_writer_failure(ctx, w);
    if (st != LEAT_OK || s->step != KAFKA_SINK_RUN)
        return st;
    st = kafka_writer_pump(ctx, w);
    if (st == LEAT_OK && s->draining)
        st = drain(ctx, s);
    if (st < 0)
        return st;
    if ((s->blocked && !kafka_writer_full(w)) || (s->flushing && kafka_writer_idle(w))) {
        s->blocked = 0;
        ctx->host->wake(ctx);
    }
    return LEAT_OK;
}

static leat_status begin(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_open *open)
{
    s->open = *open;
    leat_status st = s->bound->schema ? use_schema(ctx, s, s->bound->schema) : LEAT_OK;
    if (st == LEAT_OK)
        st = kafka_client_create(ctx, s->o, KAFKA_PRODUCER, s, &s->writer->client);
    if (st != LEAT_OK)
        return st;
    s->writer->client->on_ready = on_ready;
    s->writer->client->on_delivery = on_delivery;
    s->writer->topic = s->o->topic.items[0];
    s->control = kafka_control_create(ctx);
    if (!s->control)
        return LEAT_RESOURCE;
    struct kafka_topic_job *t = kafka_topic_job_create(s->writer->client, s->o, s->bound->upsert);
    if (!t)
        return leat_no_memory(ctx);
    t->job.node = s;
    t->job.done = on_topic;
    s->step = KAFKA_SINK_TOPIC;
    leat_say_status(ctx, "looking for topic \"%s\"", s->o->topic.items[0]);
    kafka_control_run(s->control, &t->job);
    return LEAT_AGAIN;
}

static leat_status on_flush_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_sink *s = arg;
    if (s->reduce->count)
        s->draining = 1;
    leat_status st = drain(ctx, s);
    return st < 0 ? st : ctx->host->timer_again(s->flush_timer, s->o->flush_interval);
}

// How many partitions keys are spread over: as many as when the first row was written.
static int32_t choose_partitions(struct leat_ctx *ctx, const struct kafka_sink *s, int32_t count)
{
    if (!s->kept_partitions || !is_keyed(s) || s->kept_partitions == count)
        return count;
    if (count < s->kept_partitions) {
        leat_log(ctx, LEAT_LOG_WARN, "topic-shrunk",
                 "topic \"%s\" had %d partitions and has %d: it was created again, and what was written before is not "
                 "in it",
                 s->o->topic.items[0], s->kept_partitions, count);
        return count;
    }
    leat_log(ctx, LEAT_LOG_WARN, "topic-grown",
             "topic \"%s\" has %d partitions now; keys go on to the first %d, where their earlier rows are",
             s->o->topic.items[0], count, s->kept_partitions);
    return s->kept_partitions;
}

static leat_status start_writer(struct leat_ctx *ctx, struct kafka_sink *s, const struct kafka_topic_job *t)
{
    static const struct leat_metric records = {"leat_kafka_sent_records_total", LEAT_METRIC_COUNTER,
                                               "Records handed to the Kafka client."};
    static const struct leat_metric bytes = {"leat_kafka_sent_bytes_total", LEAT_METRIC_COUNTER,
                                             "Bytes of their keys and values."};
    static const struct leat_metric waiting = {"leat_kafka_unacknowledged_records", LEAT_METRIC_GAUGE,
                                               "Records that Kafka has not acknowledged yet."};
    struct kafka_writer *w = s->writer;
    w->fixed = (int32_t)(s->open.instance % (uint32_t)t->partition_count);
    w->records_total = ctx->host->metric(ctx, &records);
    w->bytes_total = ctx->host->metric(ctx, &bytes);
    w->waiting = ctx->host->metric(ctx, &waiting);
    leat_status st = kafka_writer_init(ctx, w, s->o, choose_partitions(ctx, s, t->partition_count));
    if (st != LEAT_OK)
        return st;
    if (s->reduce && !(s->flush_timer = ctx->host->timer(ctx, s->o->flush_interval, on_flush_timer, s)))
        return leat_no_memory(ctx);
    return LEAT_OK;
}

static leat_status run(struct leat_ctx *ctx, struct kafka_sink *s)
{
    struct kafka_topic_job *t = s->topic;
    leat_status st = LEAT_OK;
    s->topic = NULL;
    if (t->failure < 0) {
        st = leat_fail(ctx, t->failure, "LEAT-K0405", "%s", t->message);
        ctx->host->error_native(ctx, "Kafka", t->native);
    } else {
        if (t->created)
            leat_log(ctx, LEAT_LOG_INFO, "topic-created", "created topic \"%s\" with %d partitions", t->topic,
                     t->partition_count);
        else if (s->bound->upsert)
            s->policy = kafka_policy_ask(s->writer->client, &s->o->topic);
        st = start_writer(ctx, s, t);
    }
    kafka_topic_job_destroy(t);
    if (st != LEAT_OK)
        return st;
    s->step = KAFKA_SINK_RUN;
    s->troubled = 0;
    s->writer->client->trouble[0] = 0;
    leat_say_status(ctx, "writing to topic \"%s\"", s->o->topic.items[0]);
    return LEAT_OK;
}

leat_status kafka_sink_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct kafka_sink *s = self;
    if (s->step == KAFKA_SINK_NEW)
        return begin(ctx, s, open);
    return s->topic ? run(ctx, s) : LEAT_AGAIN;
}

// --- writing

// Sends what the reduce buffer holds. LEAT_AGAIN = the writer is full; on_ready goes on.
static leat_status drain(struct leat_ctx *ctx, struct kafka_sink *s)
{
    while (s->draining) {
        if (kafka_writer_full(s->writer))
            return LEAT_AGAIN;
        struct kafka_chunk *chunk = kafka_writer_chunk(s->writer);
        int got = chunk ? kafka_reduce_take(ctx, s->reduce, chunk) : -1;
        if (got <= 0 && chunk)
            kafka_writer_return(ctx, s->writer, chunk);
        if (got < 0)
            return leat_no_memory(ctx);
        s->draining = got > 0;
        leat_status st = got > 0 ? kafka_writer_send(ctx, s->writer, chunk) : LEAT_OK;
        if (st != LEAT_OK)
            return st;
    }
    return kafka_writer_pump(ctx, s->writer);
}

static leat_status take_chunk(struct leat_ctx *ctx, struct kafka_sink *s, struct kafka_chunk *chunk)
{
    if (!s->reduce && chunk->count)
        return kafka_writer_send(ctx, s->writer, chunk);
    int full = s->reduce ? kafka_reduce_add(ctx, s->reduce, chunk) : 0;
    kafka_writer_return(ctx, s->writer, chunk);
    if (full < 0)
        return leat_no_memory(ctx);
    s->draining |= (uint8_t)full;
    return drain(ctx, s);
}

static leat_status encode_more(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b,
                               struct kafka_chunk *last)
{
    size_t bytes = kafka_chunk_bytes(last);
    uint32_t count = last->count;
    leat_status st = kafka_encode(ctx, s, b, &s->row, last);
    kafka_writer_grown(s->writer, bytes, count);
    return st;
}

static leat_status encode_chunk(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b)
{
    struct kafka_chunk *chunk = s->reduce ? NULL : kafka_writer_last(s->writer);
    uint32_t first = s->row;
    if (chunk) {
        leat_status st = encode_more(ctx, s, b, chunk);
        if (st != LEAT_OK || s->row > first)
            return st;
    }
    chunk = kafka_writer_chunk(s->writer);
    if (!chunk)
        return leat_no_memory(ctx);
    leat_status st = kafka_encode(ctx, s, b, &s->row, chunk);
    if (st == LEAT_OK)
        return take_chunk(ctx, s, chunk);
    kafka_writer_return(ctx, s->writer, chunk);
    return st;
}

leat_status kafka_sink_write(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct kafka_sink *s = self;
    leat_status st = s->value ? LEAT_OK : use_schema(ctx, s, b->schema);
    if (st == LEAT_OK && s->draining)
        st = drain(ctx, s);
    while (st == LEAT_OK && s->row < b->rows)
        st = kafka_writer_full(s->writer) ? LEAT_AGAIN : encode_chunk(ctx, s, b);
    s->blocked = st == LEAT_AGAIN;
    if (st == LEAT_AGAIN && s->row == b->rows)
        st = LEAT_OK; // all of it is in the reduce buffer
    if (st != LEAT_OK)
        return st;
    s->row = 0;
    return kafka_writer_pump(ctx, s->writer);
}

leat_status kafka_sink_flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct kafka_sink *s = self;
    if (how == LEAT_FLUSH_IDLE)
        return LEAT_OK; // write has begun a round, or one is under way
    if (s->reduce && s->reduce->count)
        s->draining = 1;
    s->flushing = 1;
    leat_status st = drain(ctx, s);
    if (st == LEAT_OK)
        st = kafka_writer_failure(ctx, s->writer);
    if (st == LEAT_OK && !kafka_writer_idle(s->writer) && s->o->guarantee != KAFKA_GUARANTEE_NONE)
        return LEAT_AGAIN;
    if (st != LEAT_AGAIN)
        s->flushing = 0;
    return st;
}

// --- close. Records without report are given up: their rows were not part of a checkpoint and are read again.

struct wind_down {
    struct kafka_job job;
    struct kafka_writer *writer;
};

static void run_wind_down(struct kafka_control *control, struct kafka_job *job)
{
    kafka_writer_end(((struct wind_down *)(void *)job)->writer);
}

// Nobody waits any more, and without a context the chunks' buffers cannot be given back to the host: only a node that
// was destroyed while its close was running gets here.
static void drop_wind_down(struct kafka_job *job)
{
    struct wind_down *w = (struct wind_down *)(void *)job;
    kafka_writer_end(w->writer);
    free(w->writer->known[0]);
    free(w->writer->known[1]);
    free(w->writer);
    free(w);
}

static leat_status on_wound_down(struct leat_ctx *ctx, struct kafka_job *job)
{
    struct kafka_sink *s = job->node;
    s->writer = ((struct wind_down *)(void *)job)->writer;
    free(job);
    s->step = KAFKA_SINK_CLOSED;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static void stop_events(struct leat_ctx *ctx, struct kafka_sink *s)
{
    ctx->host->event_close(s->flush_timer);
    s->flush_timer = NULL;
    kafka_policy_drop(&s->policy);
    if (s->writer)
        kafka_writer_detach(s->writer);
}

leat_status kafka_sink_close(struct leat_ctx *ctx, void *self)
{
    struct kafka_sink *s = self;
    if (s->step == KAFKA_SINK_CLOSING)
        return LEAT_AGAIN;
    if (s->step == KAFKA_SINK_CLOSED || !s->writer->client || !s->control)
        return LEAT_OK;
    stop_events(ctx, s);
    kafka_control_interrupt(s->control);
    struct wind_down *w = malloc(sizeof *w);
    if (!w)
        return LEAT_OK; // destroy does it, blocking
    *w = (struct wind_down){.job = {.run = run_wind_down, .done = on_wound_down, .drop = drop_wind_down, .node = s},
                            .writer = s->writer};
    kafka_writer_cancel(ctx, s->writer);
    s->writer = NULL;
    s->step = KAFKA_SINK_CLOSING;
    kafka_control_run(s->control, &w->job);
    return LEAT_AGAIN;
}

void kafka_sink_destroy(struct leat_ctx *ctx, void *self)
{
    struct kafka_sink *s = self;
    if (!s)
        return;
    stop_events(ctx, s);
    kafka_control_destroy(ctx, s->control);
    if (s->writer) {
        kafka_writer_cancel(ctx, s->writer);
        kafka_writer_end(s->writer);
        kafka_writer_fini(ctx, s->writer);
    }
    free(s->writer);
    kafka_topic_job_destroy(s->topic);
    kafka_reduce_destroy(ctx, s->reduce);
    if (s->key)
        s->key->close(ctx, s->key);
    if (s->value)
        s->value->close(ctx, s->value);
    kafka_columns_fini(&s->columns);
    free(s->key_ends);
    free(s->value_ends);
    free(s);
}
