// SPDX-License-Identifier: Apache-2.0
// The source of both connectors; plugins/kafka and plugins/upsert-kafka differ in `upsert` and in their option tables.
//
//     describe   the declared schema is the port; the mode is the value format's, or UPSERT
//     open       a client, then a job on the helper thread (resolve.h) until partitions and offsets are known
//     poll       records from one queue for all partitions (reader.h), decoded into batches (decode.h)
//     save_state next offset of every partition of this instance (offsets.h)
//
// Thread: home worker. What blocks is in jobs of control.h.
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include "kafka_options.h"

leat_status kafka_source_describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                                  struct leat_source_plan *plan, int upsert);
leat_status kafka_source_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self,
                                int upsert);
leat_status kafka_source_load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
leat_status kafka_source_open(struct leat_ctx *ctx, void *self, const struct leat_open *open);
leat_status kafka_source_poll(struct leat_ctx *ctx, void *self);
leat_status kafka_source_save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
leat_status kafka_source_on_checkpoint_complete(struct leat_ctx *ctx, void *self, leat_epoch epoch);
leat_status kafka_source_close(struct leat_ctx *ctx, void *self);
leat_status kafka_source_catch_up(struct leat_ctx *ctx, void *self);
void kafka_source_destroy(struct leat_ctx *ctx, void *self);

// The ops of a plugin with its own describe and create.
#define KAFKA_SOURCE_OPS(describe_, create_)                                                                           \
    {                                                                                                                  \
        .struct_size = sizeof(struct leat_source_ops), .describe = (describe_), .create = (create_),                   \
        .load_state = kafka_source_load_state, .open = kafka_source_open, .poll = kafka_source_poll,                   \
        .save_state = kafka_source_save_state, .on_checkpoint_complete = kafka_source_on_checkpoint_complete,          \
        .close = kafka_source_close, .destroy = kafka_source_destroy, .catch_up = kafka_source_catch_up,               \
    }

#endif
