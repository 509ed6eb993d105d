// SPDX-License-Identifier: Apache-2.0
// The configuration of both connectors: one struct that the option tables of plugins/kafka and plugins/upsert-kafka
// fill as far as each has the option, and the checks they share.
#ifndef KAFKA_OPTIONS_H
#define KAFKA_OPTIONS_H

#include <leat/plugin.h>

#define KAFKA_START_EARLIEST  0 // what upsert-kafka, which has no such option, does
#define KAFKA_START_LATEST    1
#define KAFKA_START_GROUP     2
#define KAFKA_START_TIMESTAMP 3
#define KAFKA_START_SPECIFIC  4

#define KAFKA_STOP_NEVER     0
#define KAFKA_STOP_LATEST    1
#define KAFKA_STOP_GROUP     2
#define KAFKA_STOP_TIMESTAMP 3
#define KAFKA_STOP_SPECIFIC  4

#define KAFKA_FIELDS_ALL        0
#define KAFKA_FIELDS_EXCEPT_KEY 1

#define KAFKA_PARTITION_DEFAULT     0
#define KAFKA_PARTITION_FIXED       1
#define KAFKA_PARTITION_ROUND_ROBIN 2

#define KAFKA_GUARANTEE_NONE          0
#define KAFKA_GUARANTEE_AT_LEAST_ONCE 1
#define KAFKA_GUARANTEE_EXACTLY_ONCE  2

struct kafka_options {
    struct leat_strings topic;
    const char *servers;          // properties.bootstrap.servers
    const char *group_id;         // properties.group.id, or NULL
    struct leat_pairs properties; // may hold the two above as well; they are passed over
    const char *format, *value_format, *key_format;
    struct leat_strings key_fields;
    const char *key_prefix;
    int32_t value_fields; // KAFKA_FIELDS_*
    // source
    int32_t startup; // KAFKA_START_*
    const char *startup_offsets;
    int64_t startup_millis;
    int32_t bounded; // KAFKA_STOP_*
    const char *bounded_offsets;
    int64_t bounded_millis;
    int64_t discovery; // microseconds; 0 = never
    // sink
    int32_t partitioner;
    int32_t guarantee;
    int64_t flush_rows;     // upsert-kafka's reduce buffer; 0 = off
    int64_t flush_interval; // microseconds
    uint8_t create_topic;
    int64_t partitions;  // LEAT_UNSET = 1
    int64_t replication; // LEAT_UNSET = the broker's default
};

// Option rows that both connectors and both directions begin with.
#define KAFKA_OPTION(name_, type_, member_)                                                                            \
    .name = (name_), .type = (type_), .offset = offsetof(struct kafka_options, member_)

// The option that names the value's format: "value.format" when it was given, else "format".
const char *kafka_value_format_option(const struct kafka_options *o);

// Rules across options; every fault becomes a diagnostic. `upsert`: of upsert-kafka. LEAT_CONFIG when there was one that
// leaves nothing to say of the columns.
leat_status kafka_check_source(struct leat_ctx *ctx, const struct kafka_options *o, int upsert);
leat_status kafka_check_sink(struct leat_ctx *ctx, const struct kafka_options *o, int upsert);

// "kafka://host:port/topic": the first of the sorted servers. Freed by the caller; NULL = no memory.
char *kafka_resource(const char *servers, const char *topic);

#endif
