// SPDX-License-Identifier: Apache-2.0
// The sink of both connectors; plugins/kafka and plugins/upsert-kafka differ in `upsert` and in their option tables.
//
//     bind    which columns are key and value; the mode is the value format's, or UPSERT
//     open    a client, then a job on the helper thread (topic.h) until the topic is there
//     write   rows are encoded into chunks (encode.h) and handed to librdkafka without copying the values (writer.h)
//     flush   DURABLE waits until every delivery report has come, and was good
//
// A record is never dropped: there is no time-out, a failed report fails the node, and the rows are read again.
// Thread: home worker. What blocks is in jobs of control.h.
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include "kafka_options.h"

leat_status kafka_sink_bind(struct leat_ctx *ctx, const struct leat_sink_request *request, struct leat_sink_plan *plan,
                            void **bound, int upsert);
void kafka_sink_unbind(void *bound);
leat_status kafka_sink_create(struct leat_ctx *ctx, const void *bound, void **self);
leat_status kafka_sink_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
leat_status kafka_sink_open(struct leat_ctx *ctx, void *self, const struct leat_open *open);
leat_status kafka_sink_write(struct leat_ctx *ctx, void *self, const struct leat_batch *batch);
leat_status kafka_sink_flush(struct leat_ctx *ctx, void *self, uint8_t how);
leat_status kafka_sink_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
leat_status kafka_sink_close(struct leat_ctx *ctx, void *self);
void kafka_sink_destroy(struct leat_ctx *ctx, void *self);

// The ops of a plugin with its own bind.
#define KAFKA_SINK_OPS(bind_)                                                                                          \
    {                                                                                                                  \
        .struct_size = sizeof(struct leat_sink_ops), .bind = (bind_), .unbind = kafka_sink_unbind,                     \
        .create = kafka_sink_create, .load_state = kafka_sink_load_state, .save_state = kafka_sink_save_state,         \
        .open = kafka_sink_open, .write = kafka_sink_write, .flush = kafka_sink_flush, .close = kafka_sink_close,      \
        .destroy = kafka_sink_destroy,                                                                                 \
    }

#endif
