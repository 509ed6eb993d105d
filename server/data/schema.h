// SPDX-License-Identifier: Apache-2.0
// Schemas as the core keeps them: deep copies in an arena of the job, and text.
#ifndef LEAT_DATA_SCHEMA_H
#define LEAT_DATA_SCHEMA_H

#include <stddef.h>

#include <leat/schema.h>

struct base_arena;
struct base_str;

// What makes a schema of a plugin unfit to be read ("has columns that are NULL"), or NULL. `column`: the one that has the
// fault, UINT32_MAX where none does.
const char *data_schema_fault(const struct leat_schema *schema, uint32_t *column);

// A deep copy that lives in `arena`; NULL without memory.
struct leat_schema *data_schema_copy(struct base_arena *arena, const struct leat_schema *schema);

// "order_id BIGINT NOT NULL, user_id BIGINT, PRIMARY KEY (order_id)", cut at size, terminated; returns the full length.
size_t data_schema_print(const struct leat_schema *schema, char *out, size_t size);

// Adds the names of some columns: "order_id, user_id".
void data_schema_names(const struct leat_schema *schema, const uint32_t *columns, uint32_t count, struct base_str *out);

#endif
