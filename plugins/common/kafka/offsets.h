// SPDX-License-Identifier: Apache-2.0
// Positions as text and as bytes: "partition:0,offset:42;partition:1,offset:300" of the options, and a source's state.
//
// State, version 2, big-endian: count (4), then for each partition: length of the topic's name (2), the name, partition
// (4), next offset to read (8), first offset that is not read any more (8; INT64_MAX = unbounded), and the mark of the
// record read last: its offset (8; -1 = none was read), its timestamp (8), CRC-32 (4). Version 1 had no mark; it is
// still read.
//
// The mark tells a topic from another one of its name: where the record at that offset is not the same any more, the
// topic was deleted and created again, or its log lost its end, and the offset means nothing.
#ifndef KAFKA_OFFSETS_H
#define KAFKA_OFFSETS_H

#include <stddef.h>
#include <stdint.h>

#define KAFKA_STATE_VERSION  2
#define KAFKA_PARTITIONS_MAX 100000

struct kafka_offset {
    int32_t partition;
    int64_t offset;
};

// Parses the options' form into `out` (room for `max`). The number of entries, or -1 with *where at the byte that is
// wrong. With out == NULL it only counts.
int kafka_offsets_parse(const char *text, struct kafka_offset *out, int max, size_t *where);

#define KAFKA_MARK_BYTES 1024 // so much of a key and of a value goes into a mark

// What is remembered of a record.
struct kafka_mark {
    int64_t offset; // -1 = of none
    int64_t millis; // its timestamp
    uint32_t crc;   // of lengths, key and value
};

struct kafka_position {
    const char *topic; // borrowed by kafka_state_write; owned by the list kafka_state_read made
    int32_t partition;
    int64_t next;
    int64_t stop;
    struct kafka_mark last; // of the record read last
};

struct buf;
void kafka_state_write(struct buf *out, const struct kafka_position *list, uint32_t count);

struct kafka_positions {
    struct kafka_position *items;
    uint32_t count;
};

// Appends what a piece of state of this version (1 … KAFKA_STATE_VERSION) holds. 0 = read; -1 = malformed or no memory.
int kafka_state_read(uint32_t version, const uint8_t *ptr, size_t len, struct kafka_positions *list);
void kafka_positions_fini(struct kafka_positions *list);
const struct kafka_position *kafka_positions_find(const struct kafka_positions *list, const char *topic,
                                                  int32_t partition);

#endif
