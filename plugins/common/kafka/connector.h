// SPDX-License-Identifier: Apache-2.0
// What the plugins kafka and upsert-kafka are but for their option tables: a source and a sink of one name. Both are in
// source.h and sink.h; the functions here say which of the two connectors it is.
#ifndef KAFKA_CONNECTOR_H
#define KAFKA_CONNECTOR_H

#include "error_codes.h"
#include "sink.h"
#include "source.h"

#define KAFKA_TABLE(options_)                                                                                          \
    .options = (options_), .option_count = sizeof(options_) / sizeof(options_)[0],                                     \
    .option_stride = sizeof(options_)[0], .config_size = sizeof(struct kafka_options)

// The plugin `name_`, once for a library; `upsert_`: 1 = of upsert-kafka.
#define KAFKA_CONNECTOR(name_, upsert_, source_options_, source_summary_, sink_options_, sink_summary_)                \
    static leat_status check_source(struct leat_ctx *ctx, const void *config)                                          \
    {                                                                                                                  \
        return kafka_check_source(ctx, config, upsert_);                                                               \
    }                                                                                                                  \
    static leat_status check_sink(struct leat_ctx *ctx, const void *config)                                            \
    {                                                                                                                  \
        return kafka_check_sink(ctx, config, upsert_);                                                                 \
    }                                                                                                                  \
    static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq,                            \
                                struct leat_source_plan *plan)                                                         \
    {                                                                                                                  \
        return kafka_source_describe(ctx, rq, plan, upsert_);                                                          \
    }                                                                                                                  \
    static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)                 \
    {                                                                                                                  \
        return kafka_source_create(ctx, rq, self, upsert_);                                                            \
    }                                                                                                                  \
    static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,     \
                            void **bound)                                                                              \
    {                                                                                                                  \
        return kafka_sink_bind(ctx, rq, plan, bound, upsert_);                                                         \
    }                                                                                                                  \
    static const struct leat_source_ops source_ops = KAFKA_SOURCE_OPS(describe, create);                               \
    static const struct leat_sink_ops sink_ops = KAFKA_SINK_OPS(bind);                                                 \
    static const struct leat_component components[] = {                                                                \
        {.struct_size = sizeof(struct leat_component),                                                                 \
         .kind = LEAT_SOURCE,                                                                                          \
         .name = (name_),                                                                                              \
         .summary = (source_summary_),                                                                                 \
         KAFKA_TABLE(source_options_),                                                                                 \
         .check = check_source,                                                                                        \
         .source = &source_ops},                                                                                       \
        {.struct_size = sizeof(struct leat_component),                                                                 \
         .kind = LEAT_SINK,                                                                                            \
         .name = (name_),                                                                                              \
         .summary = (sink_summary_),                                                                                   \
         KAFKA_TABLE(sink_options_),                                                                                   \
         .check = check_sink,                                                                                          \
         .sink = &sink_ops},                                                                                           \
    };                                                                                                                 \
    LEAT_PLUGIN(name_, "0.1.0", "source:" name_ ",sink:" name_, components, kafka_codes,                               \
                sizeof kafka_codes / sizeof kafka_codes[0])

#endif
