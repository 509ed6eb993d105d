// SPDX-License-Identifier: Apache-2.0
// Which columns of the schema belong to a record's key and which to its value.
#ifndef KAFKA_COLUMNS_H
#define KAFKA_COLUMNS_H

#include "kafka_options.h"

struct kafka_columns {
    uint32_t *key;
    uint32_t key_count; // 0 = records have no key
    uint32_t *value;
    uint32_t value_count;
    // The schema as the formats see it: key columns without key.fields-prefix. The same positions and types.
    struct leat_schema schema;
    struct leat_field *fields;
};

// `key` are the primary key's positions for upsert-kafka; NULL = by key.fields. Wrong names become diagnostics.
leat_status kafka_columns_init(struct leat_ctx *ctx, struct kafka_columns *c, const struct kafka_options *o,
                               const struct leat_schema *schema, const uint32_t *key, uint32_t key_count);
void kafka_columns_fini(struct kafka_columns *c);

// Opens the formats of `o` on these columns; *key stays NULL where there is no key format.
leat_status kafka_columns_open(struct leat_ctx *ctx, const struct kafka_columns *c, const struct kafka_options *o,
                               uint8_t direction, struct leat_format **key, struct leat_format **value);

// Opens the formats once, to see whether they take the columns and which kinds of rows a node of them carries.
leat_status kafka_columns_mode(struct leat_ctx *ctx, const struct kafka_columns *c, const struct kafka_options *o,
                               uint8_t direction, int upsert, uint8_t *mode);

#endif
