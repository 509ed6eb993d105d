// SPDX-License-Identifier: Apache-2.0
// The format "line" for tests of connectors: fields separated by '|', NULL as "NULL", an empty record gives no row.
// Integers and strings only. A record with another number of fields, or an integer that is none, is bad.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "testhost_int.h"

struct line {
    const struct leat_schema *schema;
    const uint32_t *columns;
    uint32_t count;
};

static leat_status create(struct leat_ctx *ctx, const struct leat_format_request *rq, void **self)
{
    struct line *l = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    *l = (struct line){rq->schema, rq->columns, rq->column_count};
    *self = l;
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static int set_field(const struct line *l, struct leat_batch *b, uint32_t i, uint32_t row, const uint8_t *at,
                     size_t len)
{
    uint32_t column = l->columns[i];
    if (len == 4 && memcmp(at, "NULL", 4) == 0) {
        leat_batch_set_null(b, column, row);
        return 1;
    }
    if (leat_type_is_bytes(l->schema->columns[column].type.kind)) {
        leat_batch_set_slice(b, column, row, at, (uint32_t)len);
        return 1;
    }
    char text[32], *end;
    if (!len || len >= sizeof text)
        return 0;
    memcpy(text, at, len);
    text[len] = 0;
    leat_batch_set_i64(b, column, row, strtoll(text, &end, 10));
    return !*end;
}

static int set_row(const struct line *l, struct leat_batch *b, uint32_t row, struct leat_bytes record)
{
    const uint8_t *at = record.ptr, *end = record.ptr + record.len;
    for (uint32_t i = 0; i < l->count; i++) {
        const uint8_t *bar = memchr(at, '|', (size_t)(end - at));
        const uint8_t *stop = bar ? bar : end;
        if (!bar != (i + 1 == l->count) || !set_field(l, b, i, row, at, (size_t)(stop - at)))
            return 0;
        at = stop + 1;
    }
    return 1;
}

static leat_status decode(struct leat_ctx *ctx, void *self, const struct leat_bytes *records, uint32_t n,
                          uint8_t lasting, struct leat_batch *b, uint8_t into_rows, uint32_t first_row,
                          uint32_t *counts, uint32_t *done)
{
    for (*done = 0; *done < n; ++*done) {
        counts[*done] = 0;
        if (!into_rows && !records[*done].len)
            continue;
        uint32_t row = into_rows ? first_row + *done : leat_batch_add(b, LEAT_INSERT);
        if (row == UINT32_MAX)
            return LEAT_OK;
        if (!lasting)
            abort(); // the connectors of this project keep their records
        if (!set_row(self, b, row, records[*done])) {
            b->rows -= !into_rows;
            return leat_fail(ctx, LEAT_DATA, "LEAT-T0006", "no line: \"%.*s\"", (int)records[*done].len,
                             (const char *)records[*done].ptr);
        }
        counts[*done] = !into_rows;
    }
    return LEAT_OK;
}

static int put_field(struct leat_ctx *ctx, const struct line *l, const struct leat_batch *b, uint32_t column,
                     uint32_t row, struct leat_buffer *out)
{
    char text[32];
    const union leat_cell *cell = leat_batch_cell(b, column, row);
    struct leat_bytes bytes = cell->bytes;
    if (leat_batch_state(b, column, row) != LEAT_VALUE)
        bytes = (struct leat_bytes){(const uint8_t *)"NULL", 4};
    else if (!leat_type_is_bytes(l->schema->columns[column].type.kind))
        bytes = (struct leat_bytes){(const uint8_t *)text,
                                    (uint32_t)snprintf(text, sizeof text, "%lld", (long long)cell->i64)};
    if (!leat_buffer_room(ctx, out, bytes.len))
        return 0;
    if (bytes.len)
        memcpy(out->ptr + out->len, bytes.ptr, bytes.len);
    out->len += bytes.len;
    return 1;
}

// The string "unwritable" has no encoding, so that a test can see what becomes of such a row.
static int is_unwritable(const struct line *l, const struct leat_batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < l->count; i++) {
        const union leat_cell *cell = leat_batch_cell(b, l->columns[i], row);
        if (leat_type_is_bytes(l->schema->columns[l->columns[i]].type.kind) &&
            leat_batch_state(b, l->columns[i], row) == LEAT_VALUE && cell->bytes.len == 10 &&
            memcmp(cell->bytes.ptr, "unwritable", 10) == 0)
            return 1;
    }
    return 0;
}

static leat_status encode(struct leat_ctx *ctx, void *self, const struct leat_batch *b, uint32_t first, uint32_t n,
                          struct leat_buffer *out, size_t *ends, uint32_t *done)
{
    const struct line *l = self;
    for (*done = 0; *done < n; ++*done) {
        if (is_unwritable(l, b, first + *done))
            return leat_fail(ctx, LEAT_DATA, "LEAT-T0007", "a row cannot be written");
        for (uint32_t i = 0; i < l->count; i++) {
            if (i && !leat_buffer_room(ctx, out, 1))
                return leat_no_memory(ctx);
            if (i)
                out->ptr[out->len++] = '|';
            if (!put_field(ctx, l, b, l->columns[i], first + *done, out))
                return leat_no_memory(ctx);
        }
        ends[*done] = out->len;
    }
    return LEAT_OK;
}

const struct leat_plugin *testhost_line_plugin(void)
{
    static const struct leat_format_ops ops = {
        .struct_size = sizeof ops, .create = create, .destroy = destroy, .decode = decode, .encode = encode};
    static const struct leat_component component = {.struct_size = sizeof component,
                                                    .kind = LEAT_FORMAT,
                                                    .name = "line",
                                                    .option_stride = sizeof(struct leat_option),
                                                    .config_size = 1,
                                                    .format = &ops};
    static const struct leat_plugin plugin = {.magic = LEAT_MAGIC,
                                              .abi_major = LEAT_ABI_MAJOR,
                                              .abi_minor = LEAT_ABI_MINOR,
                                              .struct_size = sizeof plugin,
                                              .name = "line",
                                              .version = "0",
                                              .components = &component,
                                              .component_count = 1,
                                              .component_stride = sizeof component};
    return &plugin;
}
