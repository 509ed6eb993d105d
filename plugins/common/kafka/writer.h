// SPDX-License-Identifier: Apache-2.0
// The way from encoded rows to acknowledged records. Rows are encoded in chunks; a chunk owns the bytes of its values,
// librdkafka points into them, and the chunk is used again when the last of its delivery reports has come.
//
// A round of chunks is handed to librdkafka only when the round before is acknowledged as a whole. That costs next to
// nothing and saves a lot: with idempotence, librdkafka 2.0 has one request in flight per partition anyway (it takes
// its limit of five requests for one of five messages), and while records wait behind that request its thread spins.
// What comes meanwhile is encoded and goes with the next round, so that batches grow by themselves under load, and a
// lone row leaves at once.
//
// Small rounds go through a client without linger. In a large one such a client would take the first few records for a
// request of their own and spin behind it, so large rounds go through a second client with a linger of a millisecond,
// made when it is first needed. Rounds do not overlap, so the order of records is kept.
//
// The first record for a partition goes alone. librdkafka may have two requests in flight for a partition, and takes
// the success of the second for that of the first: brokers refuse a gap in a producer's sequence. They do not when they
// know nothing of the producer yet. If then the first request fails (a topic just created, a leader that moved) and the
// second is accepted, the first is reported as written and is lost. So a broker that may not know us is shown one
// record and its answer is waited for. Should it happen all the same, such reports have no offset: the node fails and
// what is not known to be written is read again.
//
// Bounds: a round (KAFKA_ROUND_BYTES for each partition), and twice as much ready; then the writer is full.
// Thread: home worker; reports come through kafka_client's queue.
#ifndef KAFKA_WRITER_H
#define KAFKA_WRITER_H

#include "client.h"

#define KAFKA_CHUNK_ROWS       1024
#define KAFKA_CHUNK_MAX        (64u << 20)             // bytes of the values, and of the keys, of one chunk
#define KAFKA_ROUND_BYTES      (960u << 10)            // below batch.size: a partition of a round is one request
#define KAFKA_CHUNK_BYTES      (KAFKA_ROUND_BYTES / 3) // what a chunk should have
#define KAFKA_ROUND_PARTITIONS 8                       // more partitions do not make a round larger
#define KAFKA_ROUND_LARGE      128                     // records

struct kafka_chunk {
    struct kafka_chunk *next; // in the list of idle or of ready chunks
    struct leat_buffer values, keys;
    uint32_t count;       // records
    uint32_t at;          // first record not handed over yet
    uint32_t outstanding; // reports to come
    struct kafka_slot {
        size_t key, key_end;     // in keys; key_end == SIZE_MAX: no key
        size_t value, value_end; // in values; value_end == SIZE_MAX: a tombstone
    } slots[KAFKA_CHUNK_ROWS];
};

struct kafka_writer {
    const struct kafka_options *o;
    struct kafka_client *client, *bulk; // bulk: NULL until needed
    rd_kafka_topic_t *rkt, *bulk_rkt;
    uint8_t lingers; // the user has set a linger: one client for all
    const char *topic;
    int32_t partitioner; // KAFKA_PARTITION_*
    int32_t partition_count;
    int32_t fixed;              // partition of the fixed partitioner
    int32_t turn;               // of round-robin, and of records without a key
    int64_t round, round_began; // its number, from 1, and its time
    int64_t *known[2]; // of client and bulk: when each partition last acknowledged a record; negative: the round of its
                       // first record, not acknowledged; 0 = never
    struct kafka_chunk *idle;
    uint32_t idle_count;
    struct kafka_chunk *ready, *ready_last;
    size_t ready_bytes;
    uint32_t ready_records;
    size_t round_bytes;        // bound of a round
    uint32_t chunk_rows;       // records that make about KAFKA_CHUNK_BYTES, as far as we have seen
    uint64_t outstanding;      // records without report
    uint64_t refused;          // records that the client did not take, so far
    rd_kafka_resp_err_t error; // of the first failed report
    char error_text[512];
    size_t largest;        // bytes of the largest record that the broker found too large, and its key, cut
    char largest_key[128]; // "" = none
    char nothing[1];       // where empty values and keys point to
    int64_t *records_total, *bytes_total, *waiting;
};

// Makes it ready to send, once the number of partitions is known; `client` is set.
leat_status kafka_writer_init(struct leat_ctx *ctx, struct kafka_writer *w, const struct kafka_options *o,
                              int32_t partition_count);
// An empty chunk, or NULL when there is no memory.
struct kafka_chunk *kafka_writer_chunk(struct kafka_writer *w);
// The chunk that was sent last, while it waits and has room for more; NULL otherwise. Many small batches would each keep
// a chunk otherwise.
struct kafka_chunk *kafka_writer_last(const struct kafka_writer *w);
// The last chunk has grown from so many bytes and records.
void kafka_writer_grown(struct kafka_writer *w, size_t bytes, uint32_t count);
size_t kafka_chunk_bytes(const struct kafka_chunk *chunk);
// Takes the chunk; its records go with the next round.
leat_status kafka_writer_send(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk);
// Begins the next round if the last one is over: after reports, and when nothing more will come for now.
leat_status kafka_writer_pump(struct leat_ctx *ctx, struct kafka_writer *w);
// 1 = no more chunks, please.
int kafka_writer_full(const struct kafka_writer *w);
// 1 = all that was sent is acknowledged.
int kafka_writer_idle(const struct kafka_writer *w);
// Gives a chunk back that was not sent.
void kafka_writer_return(struct leat_ctx *ctx, struct kafka_writer *w, struct kafka_chunk *chunk);
// A delivery report; `message->_private` is the chunk.
void kafka_writer_report(struct kafka_writer *w, const rd_kafka_message_t *message);
// Describes the failure of a report or of the client; LEAT_OK when there is none.
leat_status kafka_writer_failure(struct leat_ctx *ctx, struct kafka_writer *w);
// What the clients complain about; "" = nothing.
const char *kafka_writer_trouble(struct kafka_writer *w);
// Frees idle chunks that are too many or too large to be kept.
void kafka_writer_trim(struct leat_ctx *ctx, struct kafka_writer *w);
// Gives up what is ready but not handed over.
void kafka_writer_cancel(struct leat_ctx *ctx, struct kafka_writer *w);
// Ends the events of the clients; home worker, before kafka_writer_end.
void kafka_writer_detach(struct kafka_writer *w);
// Gives up what is not acknowledged and ends the clients. Blocks; no callback reaches the node any more.
void kafka_writer_end(struct kafka_writer *w);
// Frees idle chunks; all reports must have come.
void kafka_writer_fini(struct leat_ctx *ctx, struct kafka_writer *w);

#endif
