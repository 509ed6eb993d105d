// SPDX-License-Identifier: Apache-2.0
// Rows of the option tables that both connectors have. Macros, since a table is one constant array per component.
#ifndef KAFKA_OPTION_ROWS_H
#define KAFKA_OPTION_ROWS_H

#include "kafka_options.h"

#define KAFKA_AT(member) .offset = offsetof(struct kafka_options, member)

#define KAFKA_CONNECTION_OPTIONS                                                                                       \
    {.name = "topic",                                                                                                  \
     .type = LEAT_OPT_LIST,                                                                                            \
     .flags = LEAT_OPT_REQUIRED,                                                                                       \
     KAFKA_AT(topic),                                                                                                  \
     .doc = "Topic to read or write. A source may read several: \"a;b\".",                                             \
     .example = "\"orders\""},                                                                                         \
        {.name = "topic-pattern",                                                                                      \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_UNSUPPORTED,                                                                                \
         .doc = "Topics by a regular expression. Name the topics with topic."},                                        \
        {.name = "properties.bootstrap.servers",                                                                       \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_REQUIRED,                                                                                   \
         KAFKA_AT(servers),                                                                                            \
         .group = "Connection",                                                                                        \
         .doc = "Brokers to ask first.",                                                                               \
         .example = "\"localhost:9092\""},                                                                             \
        {.name = "properties.group.id",                                                                                \
         .type = LEAT_OPT_STRING,                                                                                      \
         KAFKA_AT(group_id),                                                                                           \
         .group = "Connection",                                                                                        \
         .doc = "Consumer group. Offsets are committed to it after each checkpoint, for monitoring only; without it "  \
                "nothing "                                                                                             \
                "is committed. Partitions are never shared with other members of the group."},                         \
    {                                                                                                                  \
        .name = "properties.", .type = LEAT_OPT_MAP, .flags = LEAT_OPT_SECRET, KAFKA_AT(properties),                   \
        .group = "Connection",                                                                                         \
        .doc = "Properties of the Kafka client, by librdkafka's names or the Java client's. Those that would lose "    \
               "rows are "                                                                                             \
               "refused."                                                                                              \
    }

#define KAFKA_VALUE_OPTIONS                                                                                            \
    {.name = "key.fields-prefix",                                                                                      \
     .type = LEAT_OPT_STRING,                                                                                          \
     .def = "",                                                                                                        \
     KAFKA_AT(key_prefix),                                                                                             \
     .group = "Key and value",                                                                                         \
     .doc =                                                                                                            \
         "What the key's columns begin with in the schema, to tell them from the value's; the key's format does not "  \
         "see it. Needs value.fields-include = \"EXCEPT_KEY\"."},                                                      \
    {                                                                                                                  \
        .name = "value.fields-include", .type = LEAT_OPT_ENUM, .words = "ALL|EXCEPT_KEY", .def = "ALL",                \
        KAFKA_AT(value_fields), .group = "Key and value",                                                              \
        .doc = "Whether the key's columns stand in the value as well."                                                 \
    }

#define KAFKA_FIELD_OPTIONS                                                                                            \
    {.name = "key.fields",                                                                                             \
     .type = LEAT_OPT_LIST,                                                                                            \
     KAFKA_AT(key_fields),                                                                                             \
     .group = "Key and value",                                                                                         \
     .doc = "Columns that make the record's key, in this order.",                                                      \
     .example = "\"id;region\""},                                                                                      \
        KAFKA_VALUE_OPTIONS

#define KAFKA_BOUND_OPTIONS                                                                                            \
    {.name = "scan.bounded.mode",                                                                                      \
     .type = LEAT_OPT_ENUM,                                                                                            \
     KAFKA_AT(bounded),                                                                                                \
     .words = "unbounded|latest-offset|group-offsets|timestamp|specific-offsets",                                      \
     .def = "unbounded",                                                                                               \
     .group = "Positions",                                                                                             \
     .doc = "Where to end. latest-offset: where the topic ends when the source starts."},                              \
        {.name = "scan.bounded.specific-offsets",                                                                      \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_REQUIRED,                                                                                   \
         .only = "scan.bounded.mode = specific-offsets",                                                               \
         KAFKA_AT(bounded_offsets),                                                                                    \
         .group = "Positions",                                                                                         \
         .doc = "First offsets that are not read. A partition that is not listed is not read.",                        \
         .example = "\"partition:0,offset:42;partition:1,offset:300\""},                                               \
        {.name = "scan.bounded.timestamp-millis",                                                                      \
         .type = LEAT_OPT_INT,                                                                                         \
         .flags = LEAT_OPT_REQUIRED,                                                                                   \
         .only = "scan.bounded.mode = timestamp",                                                                      \
         .min = "0",                                                                                                   \
         KAFKA_AT(bounded_millis),                                                                                     \
         .group = "Positions",                                                                                         \
         .doc = "End before the first record that is not older, in milliseconds since 1970.",                          \
         .example = "1767225600000"},                                                                                  \
    {                                                                                                                  \
        .name = "scan.topic-partition-discovery.interval", .type = LEAT_OPT_DURATION, .min = "0s", .def = "5min",      \
        .only = "scan.bounded.mode = unbounded", KAFKA_AT(discovery), .group = "Positions",                            \
        .doc = "How often to look for new partitions, which are read from their beginning. 0 = never."                 \
    }

#define KAFKA_SINK_OPTIONS                                                                                             \
    {.name = "sink.delivery-guarantee",                                                                                \
     .type = LEAT_OPT_ENUM,                                                                                            \
     KAFKA_AT(guarantee),                                                                                              \
     .words = "none|at-least-once|exactly-once",                                                                       \
     .def = "at-least-once",                                                                                           \
     .group = "Writing",                                                                                               \
     .doc = "at-least-once: a checkpoint waits until all records are acknowledged. none: it does not. exactly-once "   \
            "is not "                                                                                                  \
            "available yet."},                                                                                         \
        {.name = "sink.semantic",                                                                                      \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_SENSELESS,                                                                                  \
         .group = "Writing",                                                                                           \
         .doc = "The old name of sink.delivery-guarantee: write that."},                                               \
        {.name = "sink.transactional-id-prefix",                                                                       \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_UNSUPPORTED,                                                                                \
         .group = "Writing",                                                                                           \
         .doc = "Belongs to exactly-once, which is not available yet."},                                               \
        {.name = "sink.transaction-naming-strategy",                                                                   \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_UNSUPPORTED,                                                                                \
         .group = "Writing",                                                                                           \
         .doc = "Belongs to exactly-once, which is not available yet."},                                               \
        {.name = "sink.topic.create.enabled",                                                                          \
         .type = LEAT_OPT_BOOL,                                                                                        \
         .def = "true",                                                                                                \
         KAFKA_AT(create_topic),                                                                                       \
         .group = "Topic",                                                                                             \
         .doc = "Create the topic when it is missing. Otherwise it is waited for."},                                   \
        {.name = "sink.topic.partitions",                                                                              \
         .type = LEAT_OPT_INT,                                                                                         \
         .only = "sink.topic.create.enabled = true",                                                                   \
         .min = "1",                                                                                                   \
         .max = "100000",                                                                                              \
         KAFKA_AT(partitions),                                                                                         \
         .group = "Topic",                                                                                             \
         .doc = "Partitions of a topic that is created. Not given: 1."},                                               \
    {                                                                                                                  \
        .name = "sink.topic.replication-factor", .type = LEAT_OPT_INT, .min = "1", .max = "32767",                     \
        .only = "sink.topic.create.enabled = true", KAFKA_AT(replication), .group = "Topic",                           \
        .doc = "Replicas of a topic that is created. Not given: the broker's default."                                 \
    }

#endif
