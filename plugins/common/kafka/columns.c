// SPDX-License-Identifier: Apache-2.0
// See columns.h.
#include "columns.h"

#include <stdlib.h>
#include <string.h>

static int has(const uint32_t *list, uint32_t n, uint32_t column)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == column)
            return 1;
    return 0;
}

static leat_status by_name(struct leat_ctx *ctx, struct kafka_columns *c, const struct kafka_options *o,
                           const struct leat_schema *schema)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < o->key_fields.count; i++) {
        const char *name = o->key_fields.items[i];
        uint32_t at = leat_schema_find(schema, (struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)});
        if (at == UINT32_MAX || has(c->key, c->key_count, at)) {
            leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0120", "key.fields", 0,
                      at == UINT32_MAX ? "Name columns of the schema." : "Name it once.",
                      at == UINT32_MAX ? "there is no column \"%s\"" : "column \"%s\" is named twice", name);
            st = leat_fail(ctx, LEAT_CONFIG, "LEAT-K0120", "key.fields names a wrong column \"%s\"", name);
            continue;
        }
        c->key[c->key_count++] = at;
    }
    return st;
}

static leat_status strip(struct leat_ctx *ctx, struct kafka_columns *c, const char *prefix)
{
    size_t len = strlen(prefix);
    for (uint32_t i = 0; i < c->key_count; i++) {
        struct leat_bytes *name = &c->fields[c->key[i]].name;
        if (name->len <= len || memcmp(name->ptr, prefix, len) != 0) {
            leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0121", "key.fields-prefix", 0,
                      "Rename the column, or mend the prefix.", "key column \"%.*s\" does not begin with \"%s\"",
                      (int)name->len, (const char *)name->ptr, prefix);
            return leat_fail(ctx, LEAT_CONFIG, "LEAT-K0121", "key column \"%.*s\" does not begin with \"%s\"",
                             (int)name->len, (const char *)name->ptr, prefix);
        }
        name->ptr += len;
        name->len -= (uint32_t)len;
    }
    return LEAT_OK;
}

leat_status kafka_columns_init(struct leat_ctx *ctx, struct kafka_columns *c, const struct kafka_options *o,
                               const struct leat_schema *schema, const uint32_t *key, uint32_t key_count)
{
    size_t n = schema->column_count;
    *c = (struct kafka_columns){.schema = *schema};
    c->key = calloc(n + 1, sizeof *c->key);
    c->value = calloc(n + 1, sizeof *c->value);
    c->fields = calloc(n + 1, sizeof *c->fields);
    if (!c->key || !c->value || !c->fields)
        return leat_no_memory(ctx);
    if (n)
        memcpy(c->fields, schema->columns, n * sizeof *c->fields);
    c->schema.columns = c->fields;
    leat_status st = LEAT_OK;
    if (key) {
        memcpy(c->key, key, key_count * sizeof *key);
        c->key_count = key_count;
    } else {
        st = by_name(ctx, c, o, schema);
    }
    if (st == LEAT_OK && o->key_prefix && *o->key_prefix)
        st = strip(ctx, c, o->key_prefix);
    for (uint32_t i = 0; i < n; i++)
        if (o->value_fields == KAFKA_FIELDS_ALL || !has(c->key, c->key_count, i))
            c->value[c->value_count++] = i;
    return st;
}

void kafka_columns_fini(struct kafka_columns *c)
{
    free(c->key);
    free(c->value);
    free(c->fields);
    *c = (struct kafka_columns){.key = NULL};
}

leat_status kafka_columns_open(struct leat_ctx *ctx, const struct kafka_columns *c, const struct kafka_options *o,
                               uint8_t direction, struct leat_format **key, struct leat_format **value)
{
    struct leat_format *k = NULL, *v = NULL;
    leat_status st = LEAT_OK;
    if (o->key_format)
        st = ctx->host->format_open(ctx, "key.format", direction, &c->schema, c->key, c->key_count, &k);
    if (st == LEAT_OK)
        st = ctx->host->format_open(ctx, kafka_value_format_option(o), direction, &c->schema, c->value, c->value_count,
                                    &v);
    if (st == LEAT_OK && k && k->mode != LEAT_MODE_INSERT_ONLY)
        st = leat_fail(ctx, LEAT_CONFIG, "LEAT-K0122", "format \"%s\" carries changes and cannot be a key's format",
                       k->name);
    if (st != LEAT_OK) {
        if (k)
            k->close(ctx, k);
        if (v)
            v->close(ctx, v);
        return st;
    }
    *key = k;
    *value = v;
    return LEAT_OK;
}

leat_status kafka_columns_mode(struct leat_ctx *ctx, const struct kafka_columns *c, const struct kafka_options *o,
                               uint8_t direction, int upsert, uint8_t *mode)
{
    struct leat_format *key = NULL, *value = NULL;
    leat_status st = kafka_columns_open(ctx, c, o, direction, &key, &value);
    if (st == LEAT_OK && upsert && value->mode != LEAT_MODE_INSERT_ONLY) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0125", "value.format", 0,
                  "Take one that does not, as json, or the connector kafka.",
                  "format \"%s\" carries changes itself; upsert-kafka needs one that does not", value->name);
        st = leat_fail(ctx, LEAT_CONFIG, "LEAT-K0125", "format \"%s\" cannot be used by upsert-kafka", value->name);
    }
    if (st == LEAT_OK)
        *mode = upsert ? LEAT_MODE_UPSERT : value->mode;
    if (key)
        key->close(ctx, key);
    if (value)
        value->close(ctx, value);
    return st;
}
