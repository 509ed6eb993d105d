// SPDX-License-Identifier: Apache-2.0
// format-json, the .so as the server loads it, against jansson: a record to cells and back. jansson builds its tree and
// the fields are taken out of it; decimals go through double there, which leat may not do.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "micro.h"

struct json_case {
    struct leat_ctx ctx;
    const struct leat_format_ops *ops;
    void *self;
    struct leat_bytes records[MICRO_ROWS];
    struct leat_batch *batches[MICRO_ROWS / MICRO_BATCH];
    json_t *trees[MICRO_ROWS];
    struct leat_buffer out;
};

static void *create(void)
{
    static uint32_t columns[MICRO_ORDER] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static char text[MICRO_ROWS * 512];
    struct json_case *c = calloc(1, sizeof *c);
    must(c != NULL, "memory");
    const struct leat_component *component = micro_component("format-json", LEAT_FORMAT);
    c->ctx = micro_ctx();
    c->ops = component->format;
    c->out.max = 1 << 28;
    struct leat_format_request rq = {.struct_size = sizeof rq,
                                     .config = micro_config(component, (const char *[]){NULL}),
                                     .schema = &micro_orders,
                                     .columns = columns,
                                     .column_count = MICRO_ORDER};
    must(c->ops->create(&c->ctx, &rq, &c->self) == LEAT_OK, "create");
    size_t len = 0;
    for (unsigned i = 0; i < MICRO_ROWS; i++) {
        size_t n = micro_order_json(text + len, sizeof text - len, i);
        c->records[i] = (struct leat_bytes){(uint8_t *)text + len, (uint32_t)n};
        c->trees[i] = json_loadb(text + len, n, 0, NULL);
        len += n;
        if (i % MICRO_BATCH == 0)
            c->batches[i / MICRO_BATCH] = micro_batch(&micro_orders, MICRO_BATCH);
        micro_order_fill(c->batches[i / MICRO_BATCH], i);
    }
    return c;
}

static void decode(void *self)
{
    static uint32_t counts[MICRO_ROWS];
    struct json_case *c = self;
    for (uint32_t at = 0, done; at < MICRO_ROWS; at += done) {
        struct leat_batch *b = micro_batch(&micro_orders, MICRO_BATCH);
        must(c->ops->decode(&c->ctx, c->self, c->records + at, MICRO_ROWS - at, 1, b, 0, 0, counts, &done) == LEAT_OK,
             "decode");
        micro_emit(b);
    }
}

static void rows_as_they_are(void *self)
{
    struct json_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++) {
        data_batch_ref(c->batches[i]);
        micro_emit(c->batches[i]);
    }
}

static void check_decode(void *self)
{
    micro_same(self, decode, rows_as_they_are);
}

static void fields_of(const json_t *tree, struct leat_batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < MICRO_ORDER; i++) {
        const json_t *v = json_object_get(tree, (const char *)micro_orders.columns[i].name.ptr);
        if (json_is_integer(v))
            leat_batch_set_i64(b, i, row, json_integer_value(v));
        else if (json_is_real(v))
            leat_batch_set_f64(b, i, row, json_real_value(v));
        else
            must(
                leat_batch_set_bytes(b, i, row, (const uint8_t *)json_string_value(v), (uint32_t)json_string_length(v)),
                "memory");
    }
}

static void decode_jansson(void *self)
{
    struct json_case *c = self;
    struct leat_batch *b = NULL;
    for (uint32_t i = 0; i < MICRO_ROWS; i++) {
        if (i % MICRO_BATCH == 0) {
            data_batch_unref(b);
            b = micro_batch(&micro_orders, MICRO_BATCH);
        }
        json_t *tree = json_loadb((const char *)c->records[i].ptr, c->records[i].len, 0, NULL);
        fields_of(tree, b, leat_batch_add(b, LEAT_INSERT));
        json_decref(tree);
    }
    data_batch_unref(b);
}

static void encode(void *self)
{
    static size_t ends[MICRO_BATCH];
    struct json_case *c = self;
    uint32_t done;
    c->out.len = 0;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++)
        must(c->ops->encode(&c->ctx, c->self, c->batches[i], 0, MICRO_BATCH, &c->out, ends, &done) == LEAT_OK,
             "encode");
}

// What was written is read again.
static void encode_and_decode(void *self)
{
    static size_t ends[MICRO_BATCH];
    static uint32_t counts[MICRO_BATCH];
    struct leat_bytes records[MICRO_BATCH];
    struct json_case *c = self;
    for (uint32_t i = 0, done; i < MICRO_ROWS / MICRO_BATCH; i++) {
        struct leat_batch *b = micro_batch(&micro_orders, MICRO_BATCH);
        c->out.len = 0;
        must(c->ops->encode(&c->ctx, c->self, c->batches[i], 0, MICRO_BATCH, &c->out, ends, &done) == LEAT_OK &&
                 done == MICRO_BATCH,
             "encode");
        for (uint32_t r = 0; r < MICRO_BATCH; r++) {
            size_t from = r ? ends[r - 1] : 0;
            records[r] = (struct leat_bytes){c->out.ptr + from, (uint32_t)(ends[r] - from)};
        }
        must(c->ops->decode(&c->ctx, c->self, records, MICRO_BATCH, 1, b, 0, 0, counts, &done) == LEAT_OK &&
                 done == MICRO_BATCH,
             "decode");
        micro_emit(b);
    }
}

static void check_encode(void *self)
{
    micro_same(self, encode_and_decode, rows_as_they_are);
}

static void encode_jansson(void *self)
{
    static char out[1024];
    struct json_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS; i++)
        must(json_dumpb(c->trees[i], out, sizeof out, JSON_COMPACT) < sizeof out, "encode");
}

const struct micro micro_json_decode = {"json-decode", "jansson", MICRO_ROWS,     create,
                                        NULL,          decode,    decode_jansson, check_decode};
const struct micro micro_json_encode = {
    "json-encode", "jansson, from trees made before", MICRO_ROWS, create, NULL, encode, encode_jansson, check_encode};
