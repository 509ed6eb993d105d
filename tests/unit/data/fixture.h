// SPDX-License-Identifier: Apache-2.0
// A host table that makes real batches, and a schema with a column of every kind of memory.
#ifndef DATA_FIXTURE_H
#define DATA_FIXTURE_H

#include <string.h>

#include "data/batch.h"

static const struct leat_host fixture_host = {.struct_size = sizeof fixture_host,
                                              .batch_keep = data_batch_keep,
                                              .batch_attach = data_batch_attach,
                                              .batch_grow = data_batch_grow,
                                              .batch_ref = data_batch_ref,
                                              .batch_unref = data_batch_unref};

enum { COL_ID, COL_NAME, COL_AMOUNT, COL_RATIO, COL_TAGS, COLUMNS };

static const struct leat_type fixture_text = {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
static const struct leat_field fixture_fields[COLUMNS] = {
    {{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}},
    {{(const uint8_t *)"name", 4}, {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {{(const uint8_t *)"amount", 6}, {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 38, .scale = 2}},
    {{(const uint8_t *)"ratio", 5}, {.kind = LEAT_TYPE_FLOAT, .nullable = 1}},
    {{(const uint8_t *)"tags", 4},
     {.kind = LEAT_TYPE_ARRAY, .nullable = 1, .child_count = 1, .children = &fixture_text}},
};
static const uint32_t fixture_key[1] = {COL_ID};
static const struct leat_schema fixture_schema = {.struct_size = sizeof fixture_schema,
                                                  .column_count = COLUMNS,
                                                  .key_count = 1,
                                                  .columns = fixture_fields,
                                                  .key = fixture_key};

static inline struct leat_batch *fixture_batch(uint32_t capacity)
{
    return data_batch_create(&fixture_host, &fixture_schema, capacity, 0, 1000);
}

// A row whose values all follow from `id`; its strings lie in the batch.
static inline uint32_t fixture_row(struct leat_batch *b, int64_t id, const char *name)
{
    uint32_t row = leat_batch_add(b, LEAT_INSERT);
    leat_batch_set_i64(b, COL_ID, row, id);
    leat_batch_set_bytes(b, COL_NAME, row, name, (uint32_t)strlen(name));
    leat_batch_set_i128(b, COL_AMOUNT, row, ((leat_i128)id << 70) + 5);
    leat_batch_set_f32(b, COL_RATIO, row, (float)id / 4);
    struct leat_datum *tags = (struct leat_datum *)leat_batch_alloc(b, 2 * sizeof *tags, 16);
    uint8_t *text = (uint8_t *)leat_batch_alloc(b, 3, 1);
    memcpy(text, "tag", 3);
    tags[0] = (struct leat_datum){.cell.bytes = {text, 3}, .state = LEAT_VALUE};
    tags[1] = (struct leat_datum){.state = LEAT_NULL};
    b->columns[COL_TAGS].cells[row].list.items = tags;
    b->columns[COL_TAGS].cells[row].list.count = 2;
    b->columns[COL_TAGS].states[row] = LEAT_VALUE;
    return row;
}

#endif
