// SPDX-License-Identifier: Apache-2.0
// From `properties.*` to a librdkafka configuration. People bring the names of the Java client from their WITH clauses:
// those that librdkafka spells otherwise are translated, those that mean nothing here are answered with what to write,
// and those that would lose data are refused with the reason. Our own defaults stand first.
#ifndef KAFKA_CONF_H
#define KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "kafka_options.h"

#define KAFKA_CONSUMER 1
#define KAFKA_PRODUCER 2
#define KAFKA_BULK     4 // a producer for many records at once

// A configuration for a client; every fault becomes a diagnostic at "properties.NAME". NULL when there was one.
rd_kafka_conf_t *kafka_conf_create(struct leat_ctx *ctx, const struct kafka_options *o, uint8_t role);

// Whether librdkafka takes the properties of `conf`, which is given away, together; a diagnostic when it does not. No I/O.
int kafka_conf_try(struct leat_ctx *ctx, const struct kafka_options *o, rd_kafka_conf_t *conf, uint8_t role);

// The value of properties.NAME, or NULL.
const char *kafka_property(const struct kafka_options *o, const char *name);

#endif
