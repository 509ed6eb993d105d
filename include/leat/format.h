// SPDX-License-Identifier: Apache-2.0
// Formats: bytes of records to rows and back. Pure: no I/O, no clock.
//
// A connector has an option of type FORMAT ("value.format"); the user's options of that format are written beside it
// with the same prefix ("value.json.ignore-parse-errors"; for the option "format" simply "json.ignore-parse-errors").
// The core checks them and, on host->format_open, hands the connector an opened format whose ops it calls directly, a
// batch of records at a time.
//
// `columns` maps: the format's i-th column is column columns[i] of the batch (key and value formats share one batch).
// Memory: a decoded string may point into the record's bytes when `lasting` says that they live as long as the batch.
#ifndef LEAT_FORMAT_H
#define LEAT_FORMAT_H

#include <leat/host.h>

// Directions. Stored as uint8_t.
#define LEAT_DECODE 1
#define LEAT_ENCODE 2

// A growable output, owned by the connector; grown by the format through host->alloc and host->free.
struct leat_buffer {
    uint8_t *ptr;
    size_t len, cap;
    size_t max; // it never grows beyond; then the format fails with class data
};

// What check and create are told. Borrowed: `config` and `schema` live as long as the node, the rest during the call.
struct leat_format_request {
    uint32_t struct_size;
    const void *config;
    uint8_t direction;                // LEAT_DECODE or LEAT_ENCODE
    const struct leat_schema *schema; // of the batches it will read or fill
    const uint32_t *columns;          // the columns that belong to it, in its order
    uint32_t column_count;
    const char *local_time_zone;
    uint8_t is_key; // 1 = it writes or reads the record's key
};

// A format's functions; check may be NULL, and decode or encode when it has one direction only. Thread: the caller's, one
// call at a time.
struct leat_format_ops {
    uint32_t struct_size;
    // Static: options against schema and direction; gives diagnostics. Sets *mode, the kinds it can carry (LEAT_MODE_*).
    leat_status (*check)(struct leat_ctx *ctx, const struct leat_format_request *request, uint8_t *mode);
    leat_status (*create)(struct leat_ctx *ctx, const struct leat_format_request *request, void **self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // Decodes records[0 … n-1] in order, adding rows to `b` and filling this format's columns only. row_counts[i] =
    // rows that record i gave (0 = skipped: empty, or errors are ignored). Stops early, with LEAT_OK, when the batch is
    // full. *done = records consumed. On LEAT_DATA, record number *done is the bad one, its rows are taken back, and
    // decoding can go on behind it. With `into_rows` set, rows exist already: record i fills row first_row + i and no
    // row is added.
    leat_status (*decode)(struct leat_ctx *ctx, void *self, const struct leat_bytes *records, uint32_t n,
                          uint8_t lasting, struct leat_batch *b, uint8_t into_rows, uint32_t first_row,
                          uint32_t *row_counts, uint32_t *done);
    // Encodes rows first … first+n-1, appending to `out`; ends[i] = out->len after row first+i. A row that has no
    // encoding in this format at all (a delete in an insert-only format is the connector's affair and never given)
    // fails with LEAT_DATA, *done rows are written. Row kinds are ignored by insert-only formats.
    leat_status (*encode)(struct leat_ctx *ctx, void *self, const struct leat_batch *b, uint32_t first, uint32_t n,
                          struct leat_buffer *out, size_t *ends, uint32_t *done);
};

// An opened format, given by host->format_open; close it before the node is destroyed.
struct leat_format {
    const struct leat_format_ops *ops;
    void *self;
    const char *name; // "json"
    uint8_t mode;     // LEAT_MODE_*: kinds it carries
    void (*close)(struct leat_ctx *ctx, struct leat_format *format);
};

// Room for `more` bytes behind out->len. 0 = no memory or beyond max.
static inline int leat_buffer_room(struct leat_ctx *ctx, struct leat_buffer *out, size_t more)
{
    if (out->cap - out->len >= more)
        return 1;
    if (more > out->max - out->len)
        return 0;
    size_t cap = out->cap ? out->cap * 2 : 4096;
    while (cap - out->len < more)
        cap *= 2;
    if (cap > out->max)
        cap = out->max;
    uint8_t *ptr = (uint8_t *)ctx->host->alloc(ctx, cap);
    if (!ptr)
        return 0;
    if (out->len)
        __builtin_memcpy(ptr, out->ptr, out->len);
    ctx->host->free(ctx, out->ptr);
    out->ptr = ptr;
    out->cap = cap;
    return 1;
}

#endif
