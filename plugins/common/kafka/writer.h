// SPDX-License-Identifier: Apache-2.0
// The way from encoded rows to acknowledged records. Rows are encoded in chunks; a chunk owns the bytes of its values,
// librdkafka points into them, and the chunk is used again when the last of its delivery reports has come.
//
// Bounds: librdkafka's queue (queue.buffering.max.kbytes, .max.messages); when it is full the chunk waits where it is
// and the writer says so. Thread: home worker; reports come through kafka_client's queue.
#ifndef KAFKA_WRITER_H
#define KAFKA_WRITER_H

#include "client.h"

#define KAFKA_CHUNK_ROWS 1024
#define KAFKA_CHUNK_MAX  (64u << 20) // bytes of the values, and of the keys, of one chunk

struct kafka_chunk {
    struct kafka_chunk *next; // free list
    struct leat_buffer values, keys;
    uint32_t count;       // records
    uint32_t at;          // first record not handed over yet
    uint32_t outstanding; // reports to come
    uint32_t skipped;     // of `count`, not handed over and not to be
    struct kafka_slot {
        size_t key, key_end;     // in keys; key_end == SIZE_MAX: no key
        size_t value, value_end; // in values; value_end == SIZE_MAX: a tombstone
    } slots[KAFKA_CHUNK_ROWS];
};

struct kafka_writer {
    struct kafka_client *client;
    rd_kafka_topic_t *rkt;
    const char *topic;
    int32_t partitioner; // KAFKA_PARTITION_*
    int32_t partition_count;
    int32_t fixed; // partition of the fixed partitioner
    int32_t turn;  // of round-robin
    struct kafka_chunk *idle;
    uint32_t idle_count;
    uint64_t outstanding;      // records without report
    uint64_t full_at;          // outstanding when the queue was full; 0 = it is not
    rd_kafka_resp_err_t error; // of the first failed report
    char error_text[512];
    char nothing[1]; // where empty values and keys point to
    int64_t *records_total, *bytes_total, *waiting;
};

// An empty chunk, or NULL when there is no memory.
struct kafka_chunk *kafka_writer_chunk(struct kafka_writer *w);
// Hands the records of `chunk` over, from where the last call ended. LEAT_OK: all of them, the chunk is the writer's
// now; LEAT_AGAIN: the queue is full.
leat_status kafka_writer_send(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk);
// Gives a chunk back that was not sent.
void kafka_writer_return(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk);
// A delivery report; `message->_private` is the chunk.
void kafka_writer_report(struct kafka_writer *w, const rd_kafka_message_t *message);
// Describes the failure of a report or of the client; LEAT_OK when there is none.
leat_status kafka_writer_failure(struct leat_ctx *ctx, struct kafka_writer *w);
// 1 = the queue was full and has room again.
int kafka_writer_has_room(const struct kafka_writer *w);
// Frees idle chunks that are too many or too large to be kept.
void kafka_writer_trim(struct leat_ctx *ctx, struct kafka_writer *w);
// Frees idle chunks; all reports must have come.
void kafka_writer_fini(struct leat_ctx *ctx, struct kafka_writer *w);

#endif
