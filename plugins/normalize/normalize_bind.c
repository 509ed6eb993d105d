// SPDX-License-Identifier: Apache-2.0
// The static side of the operator: checks, schema of the output, explanation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "normalize.h"

void normalize_unbind(void *bound)
{
    struct normalize_bound *b = bound;
    if (!b)
        return;
    free(b->rest);
    free(b->key_types);
    free(b->explain);
    free(b);
}

static leat_status check(struct leat_ctx *ctx, const struct leat_schema *schema)
{
    if (schema->key_count == 0) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-N0001", NULL, 0,
                  "Give the source a primary key: PRIMARY KEY in the table, or primary-key in the file.",
                  "the input has no primary key, so its rows cannot be told apart");
        return LEAT_CONFIG;
    }
    for (uint32_t i = 0; i < schema->key_count; i++) {
        const struct leat_field *f = &schema->columns[schema->key[i]];
        if (!leat_type_is_list(f->type.kind))
            continue;
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-N0002", NULL, 0, "Choose a key of plain columns.",
                  "column \"%.*s\" cannot be part of a key: it is a collection", (int)f->name.len,
                  (const char *)f->name.ptr);
        return LEAT_CONFIG;
    }
    return LEAT_OK;
}

// FNV-1a: the same on every machine and in every version, since it is compared with a saved one.
static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        h = (h ^ at[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t mix_type(uint64_t h, const struct leat_type *type)
{
    uint8_t shape[2] = {type->kind, type->scale};
    h = mix(h, shape, sizeof shape);
    for (uint32_t i = 0; i < type->child_count; i++)
        h = mix_type(h, &type->children[i]);
    return mix(h, "", 1);
}

// Names and kinds of the columns, and which are the key: what the saved rows rest on. Lengths may change.
static uint64_t shape_of(const struct leat_schema *schema)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        h = mix(h, schema->columns[i].name.ptr, schema->columns[i].name.len);
        h = mix_type(h, &schema->columns[i].type);
    }
    for (uint32_t i = 0; i < schema->key_count; i++) {
        uint8_t column[4] = {(uint8_t)schema->key[i], (uint8_t)(schema->key[i] >> 8)};
        h = mix(h, column, sizeof column);
    }
    return h;
}

static char *explain(const struct leat_schema *schema)
{
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "keeps the last row of each (");
    for (uint32_t i = 0; i < schema->key_count && len < sizeof text - 200; i++) {
        const struct leat_bytes *name = &schema->columns[schema->key[i]].name;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? ", " : "",
                                name->len > 64 ? 64 : (int)name->len, (const char *)name->ptr);
    }
    snprintf(text + len, sizeof text - len, "); upserts become inserts, updates with the row before, and full deletes");
    return strdup(text);
}

static int is_key(const struct leat_schema *schema, uint32_t column)
{
    for (uint32_t i = 0; i < schema->key_count; i++)
        if (schema->key[i] == column)
            return 1;
    return 0;
}

static int lay_out(struct normalize_bound *b, const struct leat_schema *schema)
{
    b->rest = calloc(schema->column_count + 1, sizeof *b->rest);
    b->key_types = calloc(schema->key_count + 1, sizeof(*b->key_types));
    b->explain = explain(schema);
    if (!b->rest || !b->key_types || !b->explain)
        return -1;
    for (uint32_t i = 0; i < schema->column_count; i++)
        if (!is_key(schema, i))
            b->rest[b->rest_count++] = i;
    for (uint32_t i = 0; i < schema->key_count; i++)
        b->key_types[i] = &schema->columns[schema->key[i]].type;
    b->schema = schema;
    b->shape = shape_of(schema);
    b->out = *schema;
    b->out.flags |= LEAT_SCHEMA_KEY_IMMEDIATE; // each row comes out by itself: no two rows of a key ever stand
    b->port.schema = &b->out;
    b->need.partition = schema->key;
    b->need.partition_count = schema->key_count;
    return 0;
}

leat_status normalize_bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                           struct leat_operator_plan *plan, void **bound)
{
    const struct leat_schema *schema = leat_operator_input(request, 0)->schema;
    leat_status st = schema ? check(ctx, schema) : LEAT_OK;
    if (st < 0)
        return st;
    struct normalize_bound *b = calloc(1, sizeof *b);
    if (!b || (schema && lay_out(b, schema) < 0)) {
        normalize_unbind(b);
        return leat_no_memory(ctx);
    }
    b->port.mode = LEAT_MODE_ALL;
    b->need.mode = LEAT_MODE_UPSERT;
    plan->ports = (struct leat_ports){.count = 1, .items = &b->port};
    plan->needs = &b->need;
    plan->has_state = 1;
    plan->explain = b->explain;
    *bound = b;
    return LEAT_OK;
}
