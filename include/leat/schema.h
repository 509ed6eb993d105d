// SPDX-License-Identifier: Apache-2.0
// Schemas and ports: what flows along an edge.
//
// A schema is immutable once given to the core. A plugin's schema lives as long as the ports it stands in (source.h);
// the core makes a copy for the job. Columns are told apart by position; names are unique and compared byte by byte.
#ifndef LEAT_SCHEMA_H
#define LEAT_SCHEMA_H

#include <leat/types.h>

#define LEAT_COLUMNS_MAX 4096

// A column.
struct leat_field {
    struct leat_bytes name;
    struct leat_type type;
};

// Columns as constants:
//
//     static const struct leat_field columns[] = {
//         LEAT_COLUMN("id", .kind = LEAT_TYPE_BIGINT),
//         LEAT_COLUMN("name", LEAT_STRING, .nullable = 1),
//     };
//     static const struct leat_schema schema = LEAT_SCHEMA(columns);
#define LEAT_COLUMN(name_, ...)                                                                                        \
    {                                                                                                                  \
        {(const uint8_t *)(name_), sizeof(name_) - 1},                                                                 \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define LEAT_STRING .kind = LEAT_TYPE_VARCHAR, .length = LEAT_LENGTH_MAX
#define LEAT_SCHEMA(columns_)                                                                                          \
    {                                                                                                                  \
        .struct_size = sizeof(struct leat_schema), .column_count = sizeof(columns_) / sizeof((columns_)[0]),           \
        .columns = (columns_)                                                                                          \
    }

// The key is immediate: at every row boundary at most one row with a key value exists, so that changes applied one by
// one in their order give the right table. Not set for keys that the source checks only at commit (DEFERRABLE).
#define LEAT_SCHEMA_KEY_IMMEDIATE 1u

// The columns of a batch, in their order.
struct leat_schema {
    uint32_t struct_size;
    uint32_t flags; // LEAT_SCHEMA_*
    uint32_t column_count;
    uint32_t key_count; // 0 = no key
    const struct leat_field *columns;
    const uint32_t *key; // positions of the primary (upsert) key's columns, in the key's order
    // Columns declared as "AS PROCTIME()": no row has them, they are the time of now wherever they are read. The core
    // sets this for what sources give; plugins need not.
    const struct leat_bytes *proctime;
    uint32_t proctime_count;
};

// One output of a source or an operator.
struct leat_port {
    struct leat_bytes name;           // "" for the only or main output, "business.orders", "late", …
    const struct leat_schema *schema; // NULL = known only when connected
    uint8_t mode;                     // LEAT_MODE_*; 0 = not known either
};

#define LEAT_PORT_SIZE_1_0 32u // sizeof(struct leat_port) in version 1.0
_Static_assert(sizeof(struct leat_port) >= LEAT_PORT_SIZE_1_0, "structs only grow");

// Position of the column called `name`, or UINT32_MAX.
static inline uint32_t leat_schema_find(const struct leat_schema *schema, struct leat_bytes name)
{
    for (uint32_t i = 0; i < schema->column_count; i++)
        if (leat_bytes_equal(schema->columns[i].name, name))
            return i;
    return UINT32_MAX;
}

#endif
