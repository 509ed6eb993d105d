// SPDX-License-Identifier: Apache-2.0
// Finds out where a source starts and ends: which partitions its topics have, which of them are this instance's, and at
// which offsets they begin. Runs on the helper thread, waits for brokers and topics that are not there yet, and
// compares saved positions with what the broker still has: a gap is refused, never jumped over.
#ifndef KAFKA_RESOLVE_H
#define KAFKA_RESOLVE_H

#include "client.h"
#include "control.h"
#include "offsets.h"

#define KAFKA_RESOLVE_START 1 // everything, for open
#define KAFKA_RESOLVE_NEW   2 // partitions that came since
#define KAFKA_RESOLVE_ENDS  3 // the present ends

struct kafka_found {
    uint32_t topic; // number in `topics`
    int32_t partition;
    int64_t next;           // first offset to read
    int64_t from;           // where to begin: at `last`, to see whether it is still the same, or at `next`
    struct kafka_mark last; // of the record read last, offset -1 = none
    int64_t stop;           // first offset not to read; INT64_MAX = none
    int64_t end;            // where the partition ends now
};

struct kafka_resolve {
    struct kafka_job job;
    struct kafka_client *client;
    uint8_t what;
    char **topics;
    uint32_t topic_count;
    uint32_t instance, instances;
    int32_t startup, bounded;
    int64_t startup_millis, bounded_millis;
    struct kafka_offset *start_offsets, *stop_offsets;
    int start_count, stop_count;
    int reset; // of group-offsets: -1 none, 0 earliest, 1 latest
    uint8_t has_group;
    uint8_t restored;
    struct kafka_positions positions; // when restored
    int absent_checks;                // how often a saved partition was not there
    int32_t *known;                   // NEW: partitions known so far, by topic
    // the answer
    struct kafka_found *found;
    uint32_t found_count, found_cap;
    int32_t *partitions; // how many each topic has
    leat_status failure; // LEAT_OK, LEAT_AGAIN = interrupted
    const char *code;
    char message[512];
    char detail[512];
    char hint[512];
};

// Copies what it needs of `o`; takes `positions` (may be NULL) over. NULL = no memory.
struct kafka_resolve *kafka_resolve_create(struct kafka_client *client, const struct kafka_options *o, uint8_t what,
                                           uint32_t instance, uint32_t instances, struct kafka_positions *positions);
void kafka_resolve_destroy(struct kafka_resolve *r);

#endif
