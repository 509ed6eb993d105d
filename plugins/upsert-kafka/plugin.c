// SPDX-License-Identifier: Apache-2.0
// upsert-kafka: a compacted topic as a table. A record is the newest row of its key, a record without a value deletes
// it. All of it is in plugins/common/kafka; here are the option tables, which are Flink's.
#include <stddef.h>

#include "connector.h"
#include "option_rows.h"

#define FORMAT_OPTIONS                                                                                                 \
    {.name = "key.format",                                                                                             \
     .type = LEAT_OPT_FORMAT,                                                                                          \
     .flags = LEAT_OPT_REQUIRED,                                                                                       \
     KAFKA_AT(key_format),                                                                                             \
     .doc = "Format of the record's key, which holds the columns of the primary key.",                                 \
     .example = "\"json\""},                                                                                           \
        {.name = "value.format",                                                                                       \
         .type = LEAT_OPT_FORMAT,                                                                                      \
         .flags = LEAT_OPT_REQUIRED,                                                                                   \
         KAFKA_AT(value_format),                                                                                       \
         .doc = "Format of the record's value.",                                                                       \
         .example = "\"json\""},                                                                                       \
        {.name = "format",                                                                                             \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_SENSELESS,                                                                                  \
         .doc = "Key and value have a format each: write key.format and value.format."},                               \
        {.name = "key.fields",                                                                                         \
         .type = LEAT_OPT_LIST,                                                                                        \
         .flags = LEAT_OPT_SENSELESS,                                                                                  \
         .group = "Key and value",                                                                                     \
         .doc = "The key's columns are those of the primary key: write primary-key = [\"id\"]."},                      \
        KAFKA_VALUE_OPTIONS

static const struct leat_option source_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    FORMAT_OPTIONS,
    {.name = "scan.startup.mode",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_SENSELESS,
     .group = "Positions",
     .doc = "The table is the whole topic, so reading begins at the earliest offset, or where the last checkpoint was. "
            "Leave it out, or read the topic with the connector kafka."},
    KAFKA_BOUND_OPTIONS,
};

static const struct leat_option sink_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    FORMAT_OPTIONS,
    {.name = "sink.buffer-flush.max-rows",
     .type = LEAT_OPT_INT,
     .min = "0",
     .max = "1000000",
     .def = "0",
     KAFKA_AT(flush_rows),
     .group = "Writing",
     .doc =
         "Keep the newest row of up to so many keys before writing, so that fewer records are written. 0 = off. Goes "
         "together with sink.buffer-flush.interval; a checkpoint writes everything."},
    {.name = "sink.buffer-flush.interval",
     .type = LEAT_OPT_DURATION,
     .min = "0s",
     .def = "0s",
     KAFKA_AT(flush_interval),
     .group = "Writing",
     .doc = "Write what is kept after so long at the latest. 0 = off."},
    KAFKA_SINK_OPTIONS,
};

KAFKA_CONNECTOR("upsert-kafka", 1, source_options, "reads a compacted Kafka topic as a table", sink_options,
                "keeps a table as a compacted Kafka topic")
