// SPDX-License-Identifier: Apache-2.0
// Partitions and records of a source. All partitions feed one queue; per partition `next` is the truth: what lies
// before it is dropped (librdkafka before 2.4 can deliver a record twice after a leader change), and it moves over
// offsets that hold no records for us (transaction markers, compacted ones) when librdkafka reports the end of the
// partition.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

#include "source_int.h"

#define NUDGE_USEC 4000

void kafka_records_unref(void *arg)
{
    struct kafka_records *r = arg;
    if (!r || atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    for (uint32_t i = 0; i < r->count; i++)
        rd_kafka_message_destroy(r->messages[i]);
    kafka_client_unref(r->client, 0);
    free(r);
}

static leat_status grow_index(struct leat_ctx *ctx, struct kafka_source *s, uint32_t topic, int32_t partitions)
{
    if (partitions <= s->partitions[topic])
        return LEAT_OK;
    int32_t *index = realloc(s->part_of[topic], (size_t)partitions * sizeof *index);
    if (!index)
        return leat_no_memory(ctx);
    for (int32_t p = s->partitions[topic]; p < partitions; p++)
        index[p] = -1;
    s->part_of[topic] = index;
    s->partitions[topic] = partitions;
    return LEAT_OK;
}

static leat_status grow_parts(struct leat_ctx *ctx, struct kafka_source *s, uint32_t more)
{
    if (s->part_count + more <= s->part_cap)
        return LEAT_OK;
    uint32_t cap = (s->part_count + more) * 2;
    struct kafka_part *parts = realloc(s->parts, cap * sizeof *parts);
    if (!parts)
        return leat_no_memory(ctx);
    s->parts = parts;
    struct kafka_position *saved = realloc(s->saved, cap * sizeof *saved);
    if (!saved)
        return leat_no_memory(ctx);
    s->saved = saved;
    s->part_cap = cap;
    return LEAT_OK;
}

static leat_status start_part(struct leat_ctx *ctx, struct kafka_source *s, const struct kafka_found *f)
{
    struct kafka_part *p = &s->parts[s->part_count];
    *p = (struct kafka_part){.topic = f->topic,
                             .partition = f->partition,
                             .next = f->next,
                             .stop = f->stop,
                             .catch_up = -1,
                             .last = f->last,
                             .unsure = f->from < f->next,
                             .at_end = f->next >= f->end,
                             .done = f->next >= f->stop};
    s->part_of[f->topic][f->partition] = (int32_t)s->part_count++;
    if (p->done)
        return LEAT_OK;
    s->undone++;
    if (rd_kafka_consume_start_queue(s->rkts[f->topic], f->partition, f->from, s->queue) == 0)
        return LEAT_OK;
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-K0205", "could not begin to read topic \"%s\", partition %d",
              s->o->topic.items[f->topic], f->partition);
    ctx->host->error_native(ctx, rd_kafka_err2name(rd_kafka_last_error()), rd_kafka_err2str(rd_kafka_last_error()));
    return LEAT_TRANSIENT;
}

static leat_status make_queue(struct leat_ctx *ctx, struct kafka_source *s)
{
    uint32_t n = s->o->topic.count;
    if (s->queue)
        return LEAT_OK;
    s->queue = rd_kafka_queue_new(s->client->rk);
    kafka_client_add_queue(s->client, s->queue);
    s->rkts = calloc(n, sizeof *s->rkts);
    s->partitions = calloc(n, sizeof *s->partitions);
    s->part_of = calloc(n, sizeof *s->part_of);
    if (!s->rkts || !s->partitions || !s->part_of)
        return leat_no_memory(ctx);
    for (uint32_t t = 0; t < n; t++)
        if (!(s->rkts[t] = rd_kafka_topic_new(s->client->rk, s->o->topic.items[t], NULL)))
            return leat_fail(ctx, LEAT_RESOURCE, "LEAT-K0206", "could not create a handle of topic \"%s\"",
                             s->o->topic.items[t]);
    return LEAT_OK;
}

leat_status kafka_reader_add(struct leat_ctx *ctx, struct kafka_source *s, const struct kafka_resolve *r)
{
    leat_status st = make_queue(ctx, s);
    for (uint32_t t = 0; st == LEAT_OK && t < r->topic_count; t++)
        st = grow_index(ctx, s, t, r->partitions[t]);
    if (st == LEAT_OK)
        st = grow_parts(ctx, s, r->found_count);
    for (uint32_t i = 0; st == LEAT_OK && i < r->found_count; i++)
        if (s->part_of[r->found[i].topic][r->found[i].partition] < 0)
            st = start_part(ctx, s, &r->found[i]);
    return st;
}

struct kafka_part *kafka_reader_part(struct kafka_source *s, const rd_kafka_message_t *m)
{
    for (uint32_t t = 0; t < s->o->topic.count; t++)
        if (s->rkts[t] == m->rkt || strcmp(rd_kafka_topic_name(m->rkt), s->o->topic.items[t]) == 0) {
            int32_t at = m->partition >= 0 && m->partition < s->partitions[t] ? s->part_of[t][m->partition] : -1;
            return at < 0 ? NULL : &s->parts[at];
        }
    return NULL;
}

static void advance(struct kafka_source *s, struct kafka_part *p, int64_t next)
{
    if (next > p->next)
        p->next = next;
    if (p->next >= p->stop && !p->done) {
        p->done = 1;
        s->undone--;
    }
}

static leat_status reset_refused(struct leat_ctx *ctx, struct kafka_source *s, const struct kafka_part *p,
                                 const rd_kafka_message_t *m)
{
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(s->client->rk, s->o->topic.items[p->topic], p->partition, &low, &high);
    leat_fail(ctx, LEAT_FATAL, "LEAT-K0304",
              "offset %" PRId64 " of topic \"%s\", partition %d is not there any more, and reading on elsewhere would "
              "skip rows",
              p->next, s->o->topic.items[p->topic], p->partition);
    leat_error_detail(ctx, "The partition ends at %" PRId64 ". %s", high, rd_kafka_message_errstr(m));
    leat_error_hint(ctx,
                    "Retention removed records before they were read, or the topic was created again. To go on with "
                    "what is there, start once with --forget-state and the name of this node.");
    return LEAT_FATAL;
}

// Not a record: the end of a partition, or trouble that librdkafka does not mend by itself.
static leat_status take_event(struct leat_ctx *ctx, struct kafka_source *s, const rd_kafka_message_t *m)
{
    struct kafka_part *p = m->rkt ? kafka_reader_part(s, m) : NULL;
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (p) {
            p->unsure = 0;
            advance(s, p, m->offset);
            p->at_end = 1;
        }
        return LEAT_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return p ? reset_refused(ctx, s, p, m) : LEAT_OK;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__FATAL:
        leat_fail(ctx, LEAT_TRANSIENT, "LEAT-K0207", "could not read topic \"%s\"",
                  p ? s->o->topic.items[p->topic] : s->o->topic.items[0]);
        ctx->host->error_native(ctx, rd_kafka_err2name(m->err), rd_kafka_message_errstr(m));
        return LEAT_TRANSIENT;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return kafka_source_bereft(ctx, m->err, rd_kafka_message_errstr(m));
    default: // leader changes, lost rights: librdkafka goes on trying; health shows the lag
        s->troubled = 1;
        leat_say_status(ctx, "waiting for topic \"%s\": %s", p ? s->o->topic.items[p->topic] : s->o->topic.items[0],
                        rd_kafka_message_errstr(m));
        return LEAT_OK;
    }
}

// The partition whose record for us this is, or NULL. With *unsure it is the one that was read last, once more.
static struct kafka_part *take_record(struct kafka_source *s, const rd_kafka_message_t *m, uint8_t *unsure)
{
    struct kafka_part *p = kafka_reader_part(s, m);
    if (!p || p->done)
        return NULL;
    *unsure = p->unsure && m->offset == p->last.offset;
    p->unsure = 0; // if it is another one, compaction took what we would have known again
    if (*unsure)
        return p;
    if (m->offset < p->next)
        return NULL;
    if (m->offset >= p->stop) {
        advance(s, p, p->stop);
        return NULL;
    }
    advance(s, p, m->offset + 1);
    p->at_end = 0;
    return p;
}

static uint32_t add_bytes(uint32_t crc, const void *ptr, size_t len)
{
    uint8_t size[5] = {ptr != NULL, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    crc = (uint32_t)crc32(crc, size, sizeof size);
    return ptr ? (uint32_t)crc32(crc, ptr, (uInt)(len < KAFKA_MARK_BYTES ? len : KAFKA_MARK_BYTES)) : crc;
}

static struct kafka_mark mark_of(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t millis = rd_kafka_message_timestamp(m, &type);
    return (struct kafka_mark){m->offset, millis, add_bytes(add_bytes(0, m->key, m->key_len), m->payload, m->len)};
}

static void print_time(int64_t millis, char *out, size_t size)
{
    time_t seconds = (time_t)(millis / 1000);
    struct tm tm;
    if (millis < 0 || !gmtime_r(&seconds, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(out, size, "an unknown time");
}

static leat_status compare(struct leat_ctx *ctx, const struct kafka_source *s, const struct kafka_part *p,
                           const rd_kafka_message_t *m)
{
    char then[64], now[64];
    struct kafka_mark mark = mark_of(m);
    if (mark.millis == p->last.millis && mark.crc == p->last.crc)
        return LEAT_OK;
    print_time(p->last.millis, then, sizeof then);
    print_time(mark.millis, now, sizeof now);
    leat_fail(ctx, LEAT_FATAL, "LEAT-K0308",
              "the record at offset %" PRId64 " of topic \"%s\", partition %d is not the one that was read there, so "
              "saved offset %" PRId64 " means nothing any more",
              m->offset, s->o->topic.items[p->topic], p->partition, p->next);
    leat_error_detail(ctx,
                      "The one that was read is of %s, the one there now is of %s. The topic was deleted and "
                      "created again, or its log lost its end.",
                      then, now);
    leat_error_hint(
        ctx, "To read what is there from the beginning, start once with --forget-state and the name of this node.");
    return LEAT_FATAL;
}

// Leaves in s->good the records that count, and how far each partition has come.
static leat_status sort_records(struct leat_ctx *ctx, struct kafka_source *s, const struct kafka_records *r,
                                uint32_t *count, int64_t *bytes)
{
    uint32_t good = 0;
    struct kafka_part *run = NULL; // whose records come at the moment
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; st == LEAT_OK && i < r->count; i++) {
        rd_kafka_message_t *m = r->messages[i];
        uint8_t unsure = 0;
        struct kafka_part *p = m->err ? NULL : take_record(s, m, &unsure);
        if (m->err) {
            st = take_event(ctx, s, m);
        } else if (unsure) {
            st = compare(ctx, s, p, m);
        } else if (p) {
            if (run && run != p)
                run->last = mark_of(s->good[good - 1]);
            run = p;
            s->good[good++] = m;
            *bytes += (int64_t)(m->len + m->key_len);
        }
    }
    if (run)
        run->last = mark_of(s->good[good - 1]);
    *count = good;
    return st;
}

// As many records as come to KAFKA_POLL_BYTES; in small steps upwards: behind tombstones there may be large records.
static void size_next_poll(struct kafka_source *s, uint32_t records, int64_t bytes)
{
    size_t fit = (size_t)KAFKA_POLL_BYTES * records / ((size_t)bytes + 1);
    size_t most = s->poll_records < KAFKA_POLL_RECORDS / 2 ? s->poll_records * 2 : KAFKA_POLL_RECORDS;
    s->poll_records = (uint32_t)(fit < 16 ? 16 : fit > most ? most : fit);
}

leat_status kafka_reader_take(struct leat_ctx *ctx, struct kafka_source *s, uint32_t *n)
{
    struct kafka_records *r = malloc(sizeof *r);
    if (!r)
        return leat_no_memory(ctx);
    ssize_t got = rd_kafka_consume_batch_queue(s->queue, 0, r->messages, s->poll_records);
    if (got <= 0) {
        free(r);
        return LEAT_AGAIN;
    }
    atomic_init(&r->refs, 1);
    r->count = (uint32_t)got;
    r->client = s->client;
    kafka_client_ref(r->client);
    s->records = r;
    int64_t bytes = 0;
    uint32_t good = 0;
    leat_status st = sort_records(ctx, s, r, &good, &bytes);
    if (good && s->troubled)
        kafka_source_recovered(ctx, s);
    __atomic_fetch_add(s->records_total, good, __ATOMIC_RELAXED);
    __atomic_fetch_add(s->bytes_total, bytes, __ATOMIC_RELAXED);
    if (good)
        size_next_poll(s, good, bytes);
    int64_t now = ctx->host->monotonic(ctx);
    if (got >= 16 && now - s->nudged > NUDGE_USEC) {
        s->nudged = now;
        kafka_client_nudge(s->client);
    }
    *n = good;
    return st;
}

int kafka_reader_caught_up(const struct kafka_source *s)
{
    for (uint32_t i = 0; i < s->part_count; i++)
        if (!s->parts[i].done && s->parts[i].next < s->parts[i].catch_up)
            return 0;
    return 1;
}

void kafka_reader_progress(struct leat_ctx *ctx, struct kafka_source *s)
{
    uint64_t current = 0, end = 0;
    for (uint32_t i = 0; i < s->part_count; i++) {
        const struct kafka_part *p = &s->parts[i];
        int64_t low, high = p->next;
        if (!p->at_end && !p->done)
            rd_kafka_get_watermark_offsets(s->client->rk, s->o->topic.items[p->topic], p->partition, &low, &high);
        if (p->catch_up > high) // what was asked for last is newer
            high = p->catch_up;
        if (high > p->stop)
            high = p->stop;
        current += (uint64_t)p->next;
        end += (uint64_t)(high > p->next ? high : p->next);
    }
    __atomic_store_n(s->lag, (int64_t)(end - current), __ATOMIC_RELAXED);
    // while the broker is away nobody knows the end: that is not "at the end"
    ctx->host->progress(ctx, current, s->troubled && end == current ? end + 1 : end, -1);
}
