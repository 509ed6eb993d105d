// SPDX-License-Identifier: Apache-2.0
// Rows to records: the key's format and the value's format each append to a buffer of the chunk. Deletes of an upsert
// sink are tombstones. A row that cannot be encoded is told to the node's policy when it stands first in an empty chunk:
// behind others it may be good, and only lack the room.
#include <string.h>

#include "sink_int.h"
#include "utf8.h"

#define SHOWN_MAX 250 // bytes of a refused row in a message

static int is_delete(const struct kafka_sink *s, const struct leat_batch *b, uint32_t row)
{
    return s->bound->upsert && (b->kinds[row] == LEAT_DELETE || b->kinds[row] == LEAT_UPDATE_BEFORE);
}

// The key column of the row that has no value, or UINT32_MAX.
static uint32_t null_key(const struct kafka_sink *s, const struct leat_batch *b, uint32_t row)
{
    for (uint32_t i = 0; s->bound->upsert && i < s->columns.key_count; i++)
        if (leat_batch_state(b, s->columns.key[i], row) != LEAT_VALUE)
            return s->columns.key[i];
    return UINT32_MAX;
}

// `shown`: what of the row could be encoded, its key at best, so that it can be found; len 0 = nothing.
static leat_status bad_row(struct leat_ctx *ctx, const struct kafka_sink *s, struct leat_bytes shown, uint32_t *row)
{
    char where[600];
    snprintf(where, sizeof where, "a row for topic %s%s%.*s%s", s->o->topic.items[0], shown.len ? ", " : "",
             (int)shown.len, (const char *)shown.ptr, shown.len > SHOWN_MAX - 4 ? "…" : "");
    ++*row;
    return ctx->host->bad_row(ctx, (struct leat_bytes){(const uint8_t *)"", 0}, where);
}

// Encoded bytes as they may stand in a message; whole characters only, since a log is UTF-8.
static struct leat_bytes show(const struct leat_buffer *buffer, size_t from, size_t end)
{
    struct leat_bytes shown = {buffer->ptr + from, (uint32_t)(end - from < SHOWN_MAX ? end - from : SHOWN_MAX)};
    shown.len = (uint32_t)utf8_valid_prefix(shown.ptr, shown.len);
    return shown;
}

static leat_status refuse_null_key(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b,
                                   uint32_t column, struct kafka_chunk *chunk, uint32_t *row)
{
    struct leat_bytes name = b->schema->columns[column].name, shown = {NULL, 0};
    size_t from = chunk->values.len;
    uint32_t done = 0;
    if (s->value->ops->encode(ctx, s->value->self, b, *row, 1, &chunk->values, s->value_ends, &done) == LEAT_OK)
        shown = show(&chunk->values, from, s->value_ends[0]);
    chunk->values.len = from;
    leat_fail(ctx, LEAT_DATA, "LEAT-K0404", "column \"%.*s\" of the key is NULL", (int)name.len,
              (const char *)name.ptr);
    leat_error_hint(ctx, "Filter such rows out (WHERE … IS NOT NULL), give the column a value, or choose another key.");
    return bad_row(ctx, s, shown, row);
}

static void add_slots(struct kafka_sink *s, struct kafka_chunk *chunk, uint32_t n, size_t key, size_t value,
                      int deletes)
{
    for (uint32_t i = 0; i < n; i++) {
        struct kafka_slot *slot = &chunk->slots[chunk->count++];
        *slot = (struct kafka_slot){key, SIZE_MAX, value, SIZE_MAX};
        if (s->key)
            key = slot->key_end = s->key_ends[i];
        if (!deletes)
            value = slot->value_end = s->value_ends[i];
    }
}

// Encodes rows *row … *row + n - 1, which are all deletes or none is. LEAT_AGAIN = the next row needs another chunk.
static leat_status encode_run(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b, uint32_t *row,
                              uint32_t n, int deletes, struct kafka_chunk *chunk)
{
    size_t key = chunk->keys.len, value = chunk->values.len;
    uint32_t done = n;
    leat_status st = LEAT_OK;
    int keyed = 0; // the first row's key could be encoded
    if (s->key)
        st = s->key->ops->encode(ctx, s->key->self, b, *row, n, &chunk->keys, s->key_ends, &done);
    if (st != LEAT_OK && st != LEAT_DATA)
        return st;
    if (st == LEAT_OK || done) {
        n = done;
        st = LEAT_OK;
        keyed = s->key != NULL;
        if (!deletes)
            st = s->value->ops->encode(ctx, s->value->self, b, *row, n, &chunk->values, s->value_ends, &done);
        if (st != LEAT_OK && st != LEAT_DATA)
            return st;
    }
    add_slots(s, chunk, done, key, value, deletes);
    *row += done;
    // what a cut run left behind is written over
    chunk->keys.len = done && s->key ? s->key_ends[done - 1] : key;
    chunk->values.len = done && !deletes ? s->value_ends[done - 1] : value;
    if (st != LEAT_DATA || done)
        return LEAT_OK;
    struct leat_bytes shown = keyed ? show(&chunk->keys, key, s->key_ends[0]) : (struct leat_bytes){NULL, 0};
    st = chunk->count ? LEAT_OK : bad_row(ctx, s, shown, row);
    return st == LEAT_OK ? LEAT_AGAIN : st; // an empty chunk is given back: bad rows must not leave small ones
}

static int has_room(const struct kafka_sink *s, const struct kafka_chunk *chunk)
{
    return !chunk->count || (chunk->count < s->writer->chunk_rows && kafka_chunk_bytes(chunk) < KAFKA_CHUNK_BYTES);
}

leat_status kafka_encode(struct leat_ctx *ctx, struct kafka_sink *s, const struct leat_batch *b, uint32_t *row,
                         struct kafka_chunk *chunk)
{
    leat_status st = LEAT_OK;
    while (st == LEAT_OK && *row < b->rows && has_room(s, chunk)) {
        uint32_t column = null_key(s, b, *row);
        if (column != UINT32_MAX) {
            st = refuse_null_key(ctx, s, b, column, chunk, row);
            continue;
        }
        int deletes = is_delete(s, b, *row);
        uint32_t n = 1, max = s->writer->chunk_rows - chunk->count;
        while (n < max && *row + n < b->rows && is_delete(s, b, *row + n) == deletes &&
               null_key(s, b, *row + n) == UINT32_MAX)
            n++;
        st = encode_run(ctx, s, b, row, n, deletes, chunk);
    }
    return st == LEAT_AGAIN ? LEAT_OK : st;
}
