// SPDX-License-Identifier: Apache-2.0
// kafka: source and sink of records whose value's format says what they are. All of it is in plugins/common/kafka; here
// are the option tables, which are Flink's.
#include <stddef.h>

#include "error_codes.h"
#include "option_rows.h"
#include "sink.h"
#include "source.h"

static const struct leat_option source_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    {.name = "format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(format),
     .doc = "Format of the record's value.",
     .example = "\"json\""},
    {.name = "value.format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(value_format),
     .doc = "Another name of format; its options begin with value."},
    {.name = "key.format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(key_format),
     .doc = "Format of the record's key. Needs key.fields."},
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
     KAFKA_AT(startup_offsets),
     .group = "Positions",
     .doc = "Offsets of start mode specific-offsets.",
     .example = "\"partition:0,offset:42;partition:1,offset:300\""},
    {.name = "scan.startup.timestamp-millis",
     .type = LEAT_OPT_INT,
     .min = "0",
     KAFKA_AT(startup_millis),
     .group = "Positions",
     .doc = "For start mode timestamp: begin with the first record that is not older, in milliseconds since 1970."},
    KAFKA_BOUND_OPTIONS,
};

static const struct leat_option sink_options[] = {
    KAFKA_CONNECTION_OPTIONS,
    {.name = "format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(format),
     .doc = "Format of the record's value.",
     .example = "\"json\""},
    {.name = "value.format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(value_format),
     .doc = "Another name of format; its options begin with value."},
    {.name = "key.format",
     .type = LEAT_OPT_FORMAT,
     KAFKA_AT(key_format),
     .doc = "Format of the record's key. Needs key.fields; without it records have no key."},
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

static leat_status check_source(struct leat_ctx *ctx, const void *config)
{
    return kafka_check_source(ctx, config, 0);
}

static leat_status check_sink(struct leat_ctx *ctx, const void *config)
{
    return kafka_check_sink(ctx, config, 0);
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
    return kafka_source_describe(ctx, rq, plan, 0);
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    return kafka_source_create(ctx, rq, self, 0);
}

static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                        void **bound)
{
    return kafka_sink_bind(ctx, rq, plan, bound, 0);
}

static const struct leat_source_ops source_ops = KAFKA_SOURCE_OPS(describe, create);
static const struct leat_sink_ops sink_ops = KAFKA_SINK_OPS(bind);

static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_SOURCE,
     .name = "kafka",
     .summary = "reads the records of Kafka topics",
     .options = source_options,
     .option_count = sizeof source_options / sizeof source_options[0],
     .option_stride = sizeof source_options[0],
     .config_size = sizeof(struct kafka_options),
     .check = check_source,
     .source = &source_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_SINK,
     .name = "kafka",
     .summary = "writes rows as records of a Kafka topic",
     .options = sink_options,
     .option_count = sizeof sink_options / sizeof sink_options[0],
     .option_stride = sizeof sink_options[0],
     .config_size = sizeof(struct kafka_options),
     .check = check_sink,
     .sink = &sink_ops},
};

LEAT_PLUGIN("kafka", "0.1.0", "source:kafka,sink:kafka", components, kafka_codes,
            sizeof kafka_codes / sizeof kafka_codes[0])
