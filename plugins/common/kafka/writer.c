// SPDX-License-Identifier: Apache-2.0
// See writer.h.
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define IDLE_CHUNKS  4  // kept with their memory; a buffer larger than IDLE_BYTES is not
#define RECORD_FRAME 16 // bytes around a record in a request
#define IDLE_BYTES   (1u << 20)
#define FIRST_ROWS   64 // of the first chunk: the size of a record is not known yet

#define FORGOTTEN_USEC (3600 * INT64_C(1000000)) // after a silence; brokers forget a producer after a day by default

struct kafka_chunk *kafka_writer_chunk(struct kafka_writer *w)
{
    struct kafka_chunk *chunk = w->idle;
    if (chunk) {
        w->idle = chunk->next;
        w->idle_count--;
    } else {
        chunk = malloc(sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->values = chunk->keys = (struct leat_buffer){.max = KAFKA_CHUNK_MAX};
    }
    chunk->values.len = chunk->keys.len = 0;
    chunk->count = chunk->at = chunk->outstanding = 0;
    return chunk;
}

static void free_chunk(struct leat_ctx *ctx, struct kafka_chunk *chunk)
{
    ctx->host->free(ctx, chunk->values.ptr);
    ctx->host->free(ctx, chunk->keys.ptr);
    free(chunk);
}

static int is_large(const struct kafka_chunk *chunk)
{
    return chunk->values.cap > IDLE_BYTES || chunk->keys.cap > IDLE_BYTES;
}

static void make_idle(struct kafka_writer *w, struct kafka_chunk *chunk)
{
    chunk->next = w->idle;
    w->idle = chunk;
    w->idle_count++;
}

void kafka_writer_return(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk)
{
    make_idle(w, chunk);
    kafka_writer_trim(ctx, w);
}

void kafka_writer_trim(struct leat_ctx *ctx, struct kafka_writer *w)
{
    struct kafka_chunk **at = &w->idle;
    for (uint32_t kept = 0; *at;) {
        struct kafka_chunk *chunk = *at;
        if (kept < IDLE_CHUNKS && !is_large(chunk)) {
            kept++;
            at = &chunk->next;
            continue;
        }
        *at = chunk->next;
        w->idle_count--;
        free_chunk(ctx, chunk);
    }
}

void kafka_writer_fini(struct leat_ctx *ctx, struct kafka_writer *w)
{
    for (struct kafka_chunk *chunk = w->idle, *next; chunk; chunk = next) {
        next = chunk->next;
        free_chunk(ctx, chunk);
    }
    w->idle = NULL;
    w->idle_count = 0;
    free(w->known[0]);
    free(w->known[1]);
    w->known[0] = w->known[1] = NULL;
}

// Keys are spread as the Java client does it, over the number of partitions that the writer was told: the one
// librdkafka learns later would move them when partitions are added. Records without a key go to one partition for a
// chunk.
static int32_t choose_partition(struct kafka_writer *w, const rd_kafka_message_t *m)
{
    if (w->partitioner == KAFKA_PARTITION_FIXED)
        return w->fixed;
    if (w->partitioner == KAFKA_PARTITION_ROUND_ROBIN)
        w->turn = (w->turn + 1) % w->partition_count;
    else if (m->key)
        return (int32_t)hash_kafka_partition(m->key, m->key_len, (uint32_t)w->partition_count);
    return w->turn;
}

static int64_t fill(struct kafka_writer *w, struct kafka_chunk *chunk, rd_kafka_message_t *messages, uint32_t n)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct kafka_slot *slot = &chunk->slots[chunk->at + i];
        rd_kafka_message_t *m = &messages[i];
        *m = (rd_kafka_message_t){._private = chunk};
        if (slot->value_end != SIZE_MAX) {
            // an empty value is not a tombstone: its pointer must not be NULL
            m->payload = chunk->values.ptr ? (void *)(chunk->values.ptr + slot->value) : (void *)w->nothing;
            m->len = slot->value_end - slot->value;
        }
        if (slot->key_end != SIZE_MAX) {
            m->key = chunk->keys.ptr ? (void *)(chunk->keys.ptr + slot->key) : (void *)w->nothing;
            m->key_len = slot->key_end - slot->key;
        }
        m->partition = choose_partition(w, m);
        bytes += (int64_t)(m->len + m->key_len);
    }
    return bytes;
}

// The key as text, cut; "" = it has none, or is no text.
static void print_key(const rd_kafka_message_t *m, char *out, size_t size)
{
    const unsigned char *key = m->key;
    size_t n = m->key_len < size - 4 ? m->key_len : size - 4;
    out[0] = 0;
    while (key && n < m->key_len && n && (key[n] & 0xc0) == 0x80)
        n--; // between characters
    for (size_t i = 0; i < n && key; i++)
        if (key[i] < ' ')
            return;
    if (key)
        snprintf(out, size, "%.*s%s", (int)n, (const char *)key, n < m->key_len ? "…" : "");
}

// A bound of the client that a record does not keep. The client has it in units of so many bytes.
struct limit {
    const char *code, *property, *native, *hint;
    long long unit;
};

static const struct limit request_limit = {
    .code = "LEAT-K0402",
    .property = "properties.max.request.size",
    .native = "message.max.bytes",
    .hint = "Raise properties.max.request.size, and the topic's max.message.bytes with it.",
    .unit = 1};
static const struct limit queue_limit = {.code = "LEAT-K0406",
                                         .property = "properties.buffer.memory",
                                         .native = "queue.buffering.max.kbytes",
                                         .hint = "Raise properties.buffer.memory.",
                                         .unit = 1024};

static leat_status refuse_size(struct leat_ctx *ctx, struct kafka_writer *w, const rd_kafka_message_t *m,
                               const struct limit *limit)
{
    char key[sizeof w->largest_key], where[300], value[32] = "";
    size_t size = sizeof value;
    rd_kafka_conf_get(rd_kafka_conf(w->client->rk), limit->native, value, &size);
    print_key(m, key, sizeof key);
    leat_fail(ctx, LEAT_DATA, limit->code, "a record of %zu bytes for topic \"%s\" is larger than %s, %lld",
              m->len + m->key_len, w->topic, limit->property, strtoll(value, NULL, 10) * limit->unit);
    if (key[0])
        leat_error_detail(ctx, "Its key is %s.", key);
    leat_error_hint(ctx, "%s", limit->hint);
    snprintf(where, sizeof where, "topic %s", w->topic);
    return ctx->host->bad_row(ctx, (struct leat_bytes){m->payload, (uint32_t)m->len}, where);
}

// A record that the client does not take at all.
static leat_status refused(struct leat_ctx *ctx, struct kafka_writer *w, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return refuse_size(ctx, w, m, &request_limit);
    if (m->err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return refuse_size(ctx, w, m, &queue_limit);
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-K0401", "could not write to topic \"%s\"", w->topic);
    ctx->host->error_native(ctx, rd_kafka_err2name(m->err), rd_kafka_err2str(m->err));
    return LEAT_TRANSIENT;
}

// Takes over what librdkafka accepted of messages[0 … n-1]. LEAT_AGAIN = its queue is full, of what is under way; a
// record that finds no room in an empty queue will never find any.
static leat_status account(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk,
                           const rd_kafka_message_t *messages, uint32_t n)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < n; i++) {
        int full = messages[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (full && (w->outstanding || i))
            return st == LEAT_OK ? LEAT_AGAIN : st; // it and all behind it
        chunk->at++;
        if (!messages[i].err) {
            chunk->outstanding++;
            w->outstanding++;
            continue;
        }
        w->refused++;
        if (st == LEAT_OK)
            st = refused(ctx, w, &messages[i]);
    }
    return st;
}

// How many of the messages can go in this round: up to the second one for a partition that got its first one in it.
static uint32_t count_safe(struct kafka_writer *w, int64_t *known, const rd_kafka_message_t *messages, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t *at = &known[messages[i].partition];
        if (*at == -w->round)
            return i;
        if (*at <= 0 || w->round_began - *at > FORGOTTEN_USEC)
            *at = -w->round;
    }
    return n;
}

static leat_status hand_over(struct leat_ctx *ctx, struct kafka_writer *w, int large, struct kafka_chunk *chunk)
{
    rd_kafka_message_t messages[KAFKA_CHUNK_ROWS];
    uint32_t n = chunk->count - chunk->at;
    uint32_t before = chunk->outstanding;
    w->turn = (w->turn + !chunk->at) % w->partition_count;
    int64_t bytes = fill(w, chunk, messages, n);
    uint32_t safe = count_safe(w, w->known[large], messages, n);
    rd_kafka_produce_batch(large ? w->bulk_rkt : w->rkt, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_PARTITION, messages,
                           (int)safe);
    leat_status st = account(ctx, w, chunk, messages, safe);
    uint32_t sent = chunk->outstanding - before;
    __atomic_fetch_add(w->records_total, sent, __ATOMIC_RELAXED);
    __atomic_fetch_add(w->bytes_total, n ? bytes * sent / n : 0, __ATOMIC_RELAXED);
    return st == LEAT_OK && safe < n ? LEAT_AGAIN : st;
}

size_t kafka_chunk_bytes(const struct kafka_chunk *chunk)
{
    return chunk->values.len + chunk->keys.len + (size_t)chunk->count * RECORD_FRAME;
}

static void take_ready(struct kafka_writer *w)
{
    struct kafka_chunk *chunk = w->ready;
    w->ready = chunk->next;
    if (!w->ready)
        w->ready_last = NULL;
    w->ready_bytes -= kafka_chunk_bytes(chunk);
    w->ready_records -= chunk->count;
}

static leat_status make_topic(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_client *client,
                              rd_kafka_topic_t **rkt)
{
    *rkt = rd_kafka_topic_new(client->rk, w->topic, NULL);
    return *rkt ? LEAT_OK
                : leat_fail(ctx, LEAT_RESOURCE, "LEAT-K0206", "could not create a handle of topic \"%s\"", w->topic);
}

static leat_status make_bulk(struct leat_ctx *ctx, struct kafka_writer *w)
{
    leat_status st = kafka_client_create(ctx, w->o, KAFKA_BULK, w->client->arg, &w->bulk);
    if (st != LEAT_OK)
        return st;
    w->bulk->on_ready = w->client->on_ready;
    w->bulk->on_delivery = w->client->on_delivery;
    return make_topic(ctx, w, w->bulk, &w->bulk_rkt);
}

static void show_waiting(const struct kafka_writer *w)
{
    __atomic_store_n(w->waiting, (int64_t)w->outstanding, __ATOMIC_RELAXED);
}

static leat_status send_round(struct leat_ctx *ctx, struct kafka_writer *w)
{
    int large = w->ready_records > KAFKA_ROUND_LARGE && !w->lingers; // 0 or 1
    if (large && !w->bulk) {
        leat_status st = make_bulk(ctx, w);
        if (st != LEAT_OK)
            return st;
    }
    w->round_began = ctx->host->monotonic(ctx);
    w->round++;
    for (size_t round = 0; w->ready && (!round || round + kafka_chunk_bytes(w->ready) <= w->round_bytes);) {
        struct kafka_chunk *chunk = w->ready;
        leat_status st = hand_over(ctx, w, large, chunk);
        if (st < 0)
            return st;
        if (st == LEAT_AGAIN)
            break; // the rest of the chunk goes with the next round
        round += kafka_chunk_bytes(chunk);
        take_ready(w);
        if (!chunk->outstanding)
            kafka_writer_return(ctx, w, chunk); // every record was refused and skipped
    }
    show_waiting(w);
    return LEAT_OK;
}

leat_status kafka_writer_pump(struct leat_ctx *ctx, struct kafka_writer *w)
{
    leat_status st = LEAT_OK;
    uint64_t refused = w->refused - 1;
    // no report comes for a round whose records were all refused, so that the next one has to begin here
    while (st == LEAT_OK && !w->outstanding && w->ready && w->refused != refused) {
        refused = w->refused;
        st = send_round(ctx, w);
    }
    return st;
}

static void adapt(struct kafka_writer *w, const struct kafka_chunk *chunk)
{
    // in small steps upwards: behind a chunk of tombstones there may be one of large rows
    size_t fit = (size_t)KAFKA_CHUNK_BYTES * chunk->count / (kafka_chunk_bytes(chunk) + 1);
    size_t most = w->chunk_rows < KAFKA_CHUNK_ROWS / 2 ? w->chunk_rows * 2 : KAFKA_CHUNK_ROWS;
    w->chunk_rows = (uint32_t)(fit < 16 ? 16 : fit > most ? most : fit);
}

leat_status kafka_writer_send(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk)
{
    adapt(w, chunk);
    chunk->next = NULL;
    *(w->ready ? &w->ready_last->next : &w->ready) = chunk;
    w->ready_last = chunk;
    w->ready_bytes += kafka_chunk_bytes(chunk);
    w->ready_records += chunk->count;
    return w->ready_bytes >= w->round_bytes ? kafka_writer_pump(ctx, w) : LEAT_OK;
}

struct kafka_chunk *kafka_writer_last(const struct kafka_writer *w)
{
    struct kafka_chunk *last = w->ready_last;
    // what librdkafka points into must not move
    int waits = last && !last->at && !last->outstanding;
    return waits && last->count < w->chunk_rows && kafka_chunk_bytes(last) < KAFKA_CHUNK_BYTES ? last : NULL;
}

void kafka_writer_grown(struct kafka_writer *w, size_t bytes, uint32_t count)
{
    adapt(w, w->ready_last);
    w->ready_bytes += kafka_chunk_bytes(w->ready_last) - bytes;
    w->ready_records += w->ready_last->count - count;
}

int kafka_writer_full(const struct kafka_writer *w)
{
    return w->ready_bytes >= 2 * w->round_bytes;
}

int kafka_writer_idle(const struct kafka_writer *w)
{
    return !w->outstanding && !w->ready;
}

void kafka_writer_cancel(struct leat_ctx *ctx, struct kafka_writer *w)
{
    while (w->ready) {
        struct kafka_chunk *chunk = w->ready;
        take_ready(w);
        chunk->count = chunk->at; // what was handed over makes it idle with its last report
        if (!chunk->outstanding)
            kafka_writer_return(ctx, w, chunk);
    }
}

leat_status kafka_writer_init(struct leat_ctx *ctx, struct kafka_writer *w, const struct kafka_options *o,
                              int32_t partition_count)
{
    w->o = o;
    w->lingers = kafka_property(o, "linger.ms") || kafka_property(o, "queue.buffering.max.ms");
    w->partitioner = o->partitioner;
    w->partition_count = partition_count;
    w->chunk_rows = FIRST_ROWS;
    // keys do not spread evenly: with several partitions the fullest should still fit into one request
    w->round_bytes = KAFKA_ROUND_BYTES;
    if (partition_count > 1)
        w->round_bytes = (size_t)KAFKA_ROUND_BYTES * 6 / 10 *
                         (size_t)(partition_count < KAFKA_ROUND_PARTITIONS ? partition_count : KAFKA_ROUND_PARTITIONS);
    for (int i = 0; i < 2; i++)
        if (!(w->known[i] = calloc((size_t)partition_count, sizeof *w->known[i])))
            return leat_no_memory(ctx);
    return make_topic(ctx, w, w->client, &w->rkt);
}

void kafka_writer_report(struct kafka_writer *w, const rd_kafka_message_t *m)
{
    struct kafka_chunk *chunk = m->_private;
    w->outstanding--;
    if (!m->err && m->offset == RD_KAFKA_OFFSET_INVALID && !w->error) {
        w->error = RD_KAFKA_RESP_ERR__INCONSISTENT;
        snprintf(w->error_text, sizeof w->error_text,
                 "partition %d: a record was acknowledged only by the success of later ones", m->partition);
    }
    if (!m->err && m->partition >= 0 && m->partition < w->partition_count)
        w->known[m->rkt == w->bulk_rkt][m->partition] = w->round_began;
    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && m->len + m->key_len > w->largest) {
        w->largest = m->len + m->key_len;
        print_key(m, w->largest_key, sizeof w->largest_key);
    }
    if (m->err && !w->error) {
        w->error = m->err;
        snprintf(w->error_text, sizeof w->error_text, "partition %d: %s", m->partition, rd_kafka_err2str(m->err));
    }
    if (--chunk->outstanding == 0) {
        show_waiting(w);
        if (chunk->at == chunk->count)
            make_idle(w, chunk);
    }
    if (!w->outstanding && !w->error) { // the other client's complaints are old as well
        if (w->client)
            w->client->trouble[0] = 0;
        if (w->bulk)
            w->bulk->trouble[0] = 0;
    }
}

static leat_status too_large(struct leat_ctx *ctx, struct kafka_writer *w)
{
    leat_fail(ctx, LEAT_DATA, "LEAT-K0403", "the broker refused records of topic \"%s\" as too large", w->topic);
    leat_error_detail(ctx, "The largest record of the request has %zu bytes%s%s.", w->largest,
                      w->largest_key[0] ? ", and the key " : "", w->largest_key);
    leat_error_hint(ctx, "Raise the topic's max.message.bytes, or lower properties.batch.size below it if single "
                         "records fit.");
    return LEAT_DATA;
}

leat_status kafka_writer_failure(struct leat_ctx *ctx, struct kafka_writer *w)
{
    const struct kafka_client *dead = w->client->fatal ? w->client : w->bulk && w->bulk->fatal ? w->bulk : NULL;
    leat_status st = LEAT_TRANSIENT;
    if (!w->error && !dead)
        return LEAT_OK;
    if (w->error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        st = too_large(ctx, w);
    else
        leat_fail(ctx, st, "LEAT-K0401", "could not write to topic \"%s\"", w->topic);
    ctx->host->error_native(ctx, dead ? "FATAL" : rd_kafka_err2name(w->error), dead ? dead->trouble : w->error_text);
    return st;
}

const char *kafka_writer_trouble(struct kafka_writer *w)
{
    return w->client->trouble[0] || !w->bulk ? w->client->trouble : w->bulk->trouble;
}

void kafka_writer_detach(struct kafka_writer *w)
{
    if (w->client)
        kafka_client_detach(w->client);
    if (w->bulk)
        kafka_client_detach(w->bulk);
}

// Reports of what is purged still come; nobody but the writer may hear them.
static void on_late_delivery(void *arg, const rd_kafka_message_t *message)
{
    kafka_writer_report(arg, message);
}

static void end_client(struct kafka_writer *w, struct kafka_client **client, rd_kafka_topic_t **rkt)
{
    struct kafka_client *c = *client;
    if (!c)
        return;
    c->arg = w;
    c->on_delivery = on_late_delivery;
    rd_kafka_purge(c->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(c->rk, 5000); // only serves the reports, which are there by now
    if (*rkt)
        rd_kafka_topic_destroy(*rkt);
    *rkt = NULL;
    kafka_client_unref(c, 1);
    *client = NULL;
}

void kafka_writer_end(struct kafka_writer *w)
{
    end_client(w, &w->client, &w->rkt);
    end_client(w, &w->bulk, &w->bulk_rkt);
}
