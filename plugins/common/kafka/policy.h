// SPDX-License-Identifier: Apache-2.0
// Looks whether topics that are tables are compacted. Elsewhere retention removes rows that nobody deleted, years after
// the pipeline was started: that is said once, when a node opens. It is only a warning: whoever made the topic may know
// better, and the node may lack the right to ask.
//
// Thread: home worker. Nothing waits for the answer; it rings the client's loop.
#ifndef KAFKA_POLICY_H
#define KAFKA_POLICY_H

#include "client.h"

// Asks for the settings of the topics. Returns the queue of the answer, for kafka_policy_take.
rd_kafka_queue_t *kafka_policy_ask(struct kafka_client *client, const struct leat_strings *topics);
// Tells what the answer says, if it has come; then *queue is destroyed and NULL. It may be NULL before.
void kafka_policy_take(struct leat_ctx *ctx, const struct kafka_options *o, rd_kafka_queue_t **queue);
// Stops waiting, before the client ends.
void kafka_policy_drop(rd_kafka_queue_t **queue);

#endif
