// SPDX-License-Identifier: Apache-2.0
// A source's object, for source.c, reader.c and decode.c.
#ifndef KAFKA_SOURCE_INT_H
#define KAFKA_SOURCE_INT_H

#include "columns.h"
#include "policy.h"
#include "resolve.h"

#define KAFKA_POLL_RECORDS 1024 // as many as a batch has rows
#define KAFKA_POLL_BYTES   (256u << 10)

// One partition of this instance.
struct kafka_part {
    uint32_t topic;
    int32_t partition;
    int64_t next;           // first offset that was not emitted
    int64_t stop;           // first offset that is not read; INT64_MAX = none
    int64_t catch_up;       // the end to reach, or -1
    struct kafka_mark last; // of the record read last
    uint8_t unsure;         // whether the topic still has that record
    uint8_t at_end;         // nothing behind `next` as far as we know
    uint8_t done;           // `stop` is reached
};

// What one poll took from librdkafka: alive as long as a batch points into it.
struct kafka_records {
    atomic_int refs;
    uint32_t count;
    struct kafka_client *client;
    rd_kafka_message_t *messages[KAFKA_POLL_RECORDS];
};

enum kafka_catch_up {
    KAFKA_CATCH_UP_NO,     // nobody waits, or it is done
    KAFKA_CATCH_UP_SETTLE, // the writer has not finished its snapshot
    KAFKA_CATCH_UP_ASK,    // the ends are being asked for
    KAFKA_CATCH_UP_READ,   // reading up to them
};

enum kafka_source_step {
    KAFKA_SOURCE_NEW,
    KAFKA_SOURCE_RESOLVE,
    KAFKA_SOURCE_RUN,
    KAFKA_SOURCE_CLOSING,
    KAFKA_SOURCE_CLOSED
};

struct kafka_source {
    const struct kafka_options *o;
    uint8_t upsert;
    const struct leat_schema *schema;
    struct kafka_columns columns;
    struct leat_format *key, *value;
    struct leat_open open;
    char **resources; // of each topic
    struct kafka_client *client;
    struct kafka_control *control;
    struct kafka_resolve *resolved; // the answer for open, until it is used
    rd_kafka_queue_t *policy;       // an answer to come, or NULL
    enum kafka_source_step step;
    struct kafka_positions loaded;
    uint8_t restored;
    // reader
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t **rkts;
    int32_t *partitions; // how many each topic has
    int32_t **part_of;   // part_of[topic][partition] = number in parts, or -1
    struct kafka_part *parts;
    uint32_t part_count, part_cap;
    uint32_t undone;              // parts that are not done
    uint32_t poll_records;        // so many make about KAFKA_POLL_BYTES
    int64_t nudged;               // when the fetchers were last woken
    struct kafka_position *saved; // as of the last save_state
    uint32_t saved_count;
    leat_epoch saved_epoch;
    // decode
    struct leat_batch *batch;
    struct kafka_records *records; // of this poll
    rd_kafka_message_t **good;     // KAFKA_POLL_RECORDS of each
    struct leat_bytes *values, *keys, *row_keys;
    uint32_t *counts, *row_record;
    uint8_t way_full;
    // the rest
    enum kafka_catch_up catch_up;
    uint8_t discovering;
    uint8_t troubled; // the status tells of trouble
    uint8_t probing;  // a job finds out whether it is over
    struct leat_event *settle_timer, *progress_timer, *discovery_timer, *close_timer;
    int64_t *records_total, *bytes_total, *lag;
};

// source.c: the trouble that the status tells of is over.
void kafka_source_recovered(struct leat_ctx *ctx, struct kafka_source *s);

// A topic is gone. librdkafka would go on at our offset in whatever topic has that name next; opening the source again
// waits for it and compares its records with those that were read. Describes that and returns LEAT_TRANSIENT.
leat_status kafka_source_bereft(struct leat_ctx *ctx, rd_kafka_resp_err_t err, const char *text);

// reader.c
// Begins to read what was found; the parts are added to those there are. LEAT_OK or a failure.
leat_status kafka_reader_add(struct leat_ctx *ctx, struct kafka_source *s, const struct kafka_resolve *r);
// Takes records from the queue into s->records and s->good. *n = good ones. LEAT_AGAIN = the queue is empty.
leat_status kafka_reader_take(struct leat_ctx *ctx, struct kafka_source *s, uint32_t *n);
struct kafka_part *kafka_reader_part(struct kafka_source *s, const rd_kafka_message_t *m);
int kafka_reader_caught_up(const struct kafka_source *s);
void kafka_reader_progress(struct leat_ctx *ctx, struct kafka_source *s);
// A reference less; the last one frees the records, on any thread.
void kafka_records_unref(void *records);

// decode.c
int kafka_decode_init(struct kafka_source *s); // 0 = no memory
void kafka_decode_fini(struct leat_ctx *ctx, struct kafka_source *s);
// Decodes s->good[0 … n-1] and emits the rows.
leat_status kafka_decode(struct leat_ctx *ctx, struct kafka_source *s, uint32_t n);

#endif
