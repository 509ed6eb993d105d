// SPDX-License-Identifier: Apache-2.0
// upsert-kafka: a compacted topic as a table. A record is the newest row of its key, a record without a value deletes
// it. All of it is in plugins/common/kafka; here are the option tables, which are Flink's.
#include <stddef.h>

#include "error_codes.h"
#include "option_rows.h"
#include "sink.h"
#include "source.h"

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

static leat_status check_source(struct leat_ctx *ctx, const void *config)
{
    return kafka_check_source(ctx, config, 1);
}

static leat_status check_sink(struct leat_ctx *ctx, const void *config)
{
    return kafka_check_sink(ctx, config, 1);
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
    return kafka_source_describe(ctx, rq, plan, 1);
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    return kafka_source_create(ctx, rq, self, 1);
}

static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                        void **bound)
{
    return kafka_sink_bind(ctx, rq, plan, bound, 1);
}

static const struct leat_source_ops source_ops = KAFKA_SOURCE_OPS(describe, create);
static const struct leat_sink_ops sink_ops = KAFKA_SINK_OPS(bind);

static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_SOURCE,
     .name = "upsert-kafka",
     .summary = "reads a compacted Kafka topic as a table",
     .options = source_options,
     .option_count = sizeof source_options / sizeof source_options[0],
     .option_stride = sizeof source_options[0],
     .config_size = sizeof(struct kafka_options),
     .check = check_source,
     .source = &source_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_SINK,
     .name = "upsert-kafka",
     .summary = "keeps a table as a compacted Kafka topic",
     .options = sink_options,
     .option_count = sizeof sink_options / sizeof sink_options[0],
     .option_stride = sizeof sink_options[0],
     .config_size = sizeof(struct kafka_options),
     .check = check_sink,
     .sink = &sink_ops},
};

LEAT_PLUGIN("upsert-kafka", "0.1.0", "source:upsert-kafka,sink:upsert-kafka", components, kafka_codes,
            sizeof kafka_codes / sizeof kafka_codes[0])
