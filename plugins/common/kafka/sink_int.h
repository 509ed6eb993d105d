// SPDX-License-Identifier: Apache-2.0
// A sink's object, for sink.c, encode.c and reduce.c.
#ifndef KAFKA_SINK_INT_H
#define KAFKA_SINK_INT_H

#include "columns.h"
#include "policy.h"
#include "topic.h"
#include "writer.h"

struct kafka_bound {
    const struct kafka_options *o;
    uint8_t upsert;
    const struct leat_schema *schema; // NULL = known with the first batch
    uint32_t *key;                    // positions of the primary key in the schema
    uint32_t key_count;
    char *resource;
};

// The last record of each key, between two flushes (sink.buffer-flush.*).
struct kafka_reduce {
    struct kafka_kept {
        uint64_t hash;
        size_t key, key_len;
        size_t value, value_len; // value_len == SIZE_MAX: a tombstone
    } * kept;
    uint32_t count, max;
    uint32_t *index; // hash table of numbers in `kept`, plus 1; 0 = free
    uint32_t mask;
    uint32_t drained; // how many are in chunks already
    struct leat_buffer bytes;
};

enum kafka_sink_step { KAFKA_SINK_NEW, KAFKA_SINK_TOPIC, KAFKA_SINK_RUN, KAFKA_SINK_CLOSING, KAFKA_SINK_CLOSED };

struct kafka_sink {
    const struct kafka_bound *bound;
    const struct kafka_options *o;
    struct kafka_columns columns;
    struct leat_format *key, *value; // NULL until the schema is known
    struct leat_open open;
    struct kafka_control *control;
    struct kafka_topic_job *topic; // the answer for open, until it is used
    rd_kafka_queue_t *policy;      // an answer to come, or NULL
    enum kafka_sink_step step;
    int32_t kept_partitions; // of the saved state; 0 = none
    struct kafka_writer *writer;
    uint32_t row; // first row of the batch at hand that is not encoded
    size_t *key_ends, *value_ends;
    struct kafka_reduce *reduce; // NULL = off
    uint8_t draining;            // the reduce buffer is being sent
    uint8_t flushing;            // a durable flush waits
    uint8_t blocked;             // a batch waits
    uint8_t troubled;            // the status tells of trouble
    struct leat_event *flush_timer;
};

// encode.c: encodes rows *row … into `chunk` until it is full or the batch ends; *row moves on. It always does with an
// empty chunk, and does not when the next row finds no room behind the others: then it needs an empty one.
leat_status kafka_encode(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b, uint32_t *row,
                         struct kafka_chunk *chunk);

// reduce.c
struct kafka_reduce *kafka_reduce_create(uint32_t max); // NULL = no memory
void kafka_reduce_destroy(struct leat_ctx *ctx, struct kafka_reduce *r);
// Takes the records of `chunk` in. 1 = it is full and must be drained; -1 = no memory.
int kafka_reduce_add(struct leat_ctx *ctx, struct kafka_reduce *r, const struct kafka_chunk *chunk);
// Moves up to KAFKA_CHUNK_ROWS records into `chunk`; 0 = there are none left, and the buffer is empty again; -1 = no
// memory.
int kafka_reduce_take(struct leat_ctx *ctx, struct kafka_reduce *r, struct kafka_chunk *chunk);

#endif
