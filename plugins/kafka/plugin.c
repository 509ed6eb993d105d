// SPDX-License-Identifier: Apache-2.0
// kafka: source and sink of records whose value's format says what they are. All of it is in plugins/common/kafka; here
// are the option tables, which are Flink's.
#include <stddef.h>

#include "connector.h"
#include "option_rows.h"

#define FORMAT_OPTIONS                                                                                                 \
    {.name = "format",                                                                                                 \
     .type = LEAT_OPT_FORMAT,                                                                                          \
     KAFKA_AT(format),                                                                                                 \
     .doc = "Format of the record's value.",                                                                           \
     .example = "\"json\""},                                                                                           \
        {.name = "value.format",                                                                                       \
         .type = LEAT_OPT_FORMAT,                                                                                      \
         KAFKA_AT(value_format),                                                                                       \
         .doc = "Another name of format; its options begin with value."},                                              \
    {                                                                                                                  \
        .name = "key.format", .type = LEAT_OPT_FORMAT, KAFKA_AT(key_format),                                           \
        .doc = "Format of the record's key. Needs key.fields; without it a record's key is not looked at, and none "   \
               "is written."                                                                                           \
    }

static const struct leat_option source_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    FORMAT_OPTIONS,
    KAFKA_FIELD_OPTIONS,
    {.name = "scan.startup.mode",
     .type = LEAT_OPT_ENUM,
     KAFKA_AT(startup),
     .words = "earliest-offset|latest-offset|group-offsets|timestamp|specific-offsets",
     .def = "group-offsets",
     .group = "Positions",
     .doc = "Where to begin when no checkpoint says it. group-offsets takes what properties.group.id has committed; "
            "where that is nothing, properties.auto.offset.reset decides, and without it the job fails."},
    {.name = "scan.startup.specific-offsets",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED,
     .only = "scan.startup.mode = specific-offsets",
     KAFKA_AT(startup_offsets),
     .group = "Positions",
     .doc = "Where to begin in each partition.",
     .example = "\"partition:0,offset:42;partition:1,offset:300\""},
    {.name = "scan.startup.timestamp-millis",
     .type = LEAT_OPT_INT,
     .flags = LEAT_OPT_REQUIRED,
     .only = "scan.startup.mode = timestamp",
     .min = "0",
     KAFKA_AT(startup_millis),
     .group = "Positions",
     .doc = "Begin with the first record that is not older, in milliseconds since 1970.",
     .example = "1767225600000"},
    KAFKA_BOUND_OPTIONS,
};

static const struct leat_option sink_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    FORMAT_OPTIONS,
    KAFKA_FIELD_OPTIONS,
    {.name = "sink.partitioner",
     .type = LEAT_OPT_ENUM,
     KAFKA_AT(partitioner),
     .words = "default|fixed|round-robin",
     .def = "default",
     .group = "Writing",
     .doc = "default: by the key, as the Java client does it, and without a key any partition. fixed: each instance of "
            "the "
            "sink writes to one partition. round-robin: by turns; not with a key."},
    KAFKA_SINK_OPTIONS,
};

KAFKA_CONNECTOR("kafka", 0, source_options, "reads the records of Kafka topics", sink_options,
                "writes rows as records of a Kafka topic")
