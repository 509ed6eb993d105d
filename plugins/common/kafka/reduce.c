// SPDX-License-Identifier: Apache-2.0
// The reduce buffer of upsert-kafka: the last record of each key. Bytes are copied in and out; a key that is written
// again leaves its old value behind as a hole until the buffer is drained, which it is when the bytes are too many.
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "sink_int.h"

#define BYTES_FULL (32u << 20)

struct kafka_reduce *kafka_reduce_create(uint32_t max)
{
    struct kafka_reduce *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->max = max;
    r->mask = 63;
    while (r->mask + 1 < 2 * (uint64_t)max)
        r->mask = 2 * r->mask + 1;
    r->index = calloc((size_t)r->mask + 1, sizeof *r->index);
    r->kept = malloc(max * sizeof *r->kept);
    r->bytes.max = BYTES_FULL + 2 * (size_t)KAFKA_CHUNK_MAX;
    if (r->index && r->kept)
        return r;
    free(r->index);
    free(r->kept);
    free(r);
    return NULL;
}

void kafka_reduce_destroy(struct leat_ctx *ctx, struct kafka_reduce *r)
{
    if (!r)
        return;
    ctx->host->free(ctx, r->bytes.ptr);
    free(r->index);
    free(r->kept);
    free(r);
}

static size_t append(struct kafka_reduce *r, const uint8_t *ptr, size_t len)
{
    size_t at = r->bytes.len;
    if (len)
        memcpy(r->bytes.ptr + at, ptr, len);
    r->bytes.len += len;
    return at;
}

// The place of a key in the index: where it is, or where it belongs.
static uint32_t *find(struct kafka_reduce *r, uint64_t hash, const uint8_t *key, size_t len)
{
    uint32_t at = (uint32_t)hash & r->mask;
    for (; r->index[at]; at = (at + 1) & r->mask) {
        const struct kafka_kept *k = &r->kept[r->index[at] - 1];
        if (k->hash == hash && k->key_len == len && memcmp(r->bytes.ptr + k->key, key, len) == 0)
            break;
    }
    return &r->index[at];
}

static int add_record(struct leat_ctx *ctx, struct kafka_reduce *r, const struct kafka_chunk *c,
                      const struct kafka_slot *slot)
{
    const uint8_t *key = c->keys.ptr + slot->key;
    size_t key_len = slot->key_end - slot->key;
    size_t value_len = slot->value_end == SIZE_MAX ? 0 : slot->value_end - slot->value;
    if (!leat_buffer_room(ctx, &r->bytes, key_len + value_len))
        return 0;
    uint64_t hash = hash_bytes(key, key_len, (uintptr_t)r);
    uint32_t *place = find(r, hash, key, key_len);
    if (!*place) {
        r->kept[r->count] = (struct kafka_kept){.hash = hash, .key = append(r, key, key_len), .key_len = key_len};
        *place = ++r->count;
    }
    struct kafka_kept *k = &r->kept[*place - 1];
    k->value = value_len ? append(r, c->values.ptr + slot->value, value_len) : r->bytes.len;
    k->value_len = slot->value_end == SIZE_MAX ? SIZE_MAX : value_len;
    return 1;
}

int kafka_reduce_add(struct leat_ctx *ctx, struct kafka_reduce *r, const struct kafka_chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->count; i++)
        if (!add_record(ctx, r, chunk, &chunk->slots[i]))
            return -1;
    // the next chunk must fit, whatever keys it has
    return r->count + KAFKA_CHUNK_ROWS > r->max || r->bytes.len > BYTES_FULL;
}

static int put(struct leat_ctx *ctx, struct leat_buffer *out, const uint8_t *ptr, size_t len)
{
    if (!leat_buffer_room(ctx, out, len))
        return 0;
    if (len)
        memcpy(out->ptr + out->len, ptr, len);
    out->len += len;
    return 1;
}

static void reset(struct kafka_reduce *r)
{
    memset(r->index, 0, ((size_t)r->mask + 1) * sizeof *r->index);
    r->count = r->drained = 0;
    r->bytes.len = 0;
}

int kafka_reduce_take(struct leat_ctx *ctx, struct kafka_reduce *r, struct kafka_chunk *chunk)
{
    while (r->drained < r->count && chunk->count < KAFKA_CHUNK_ROWS && chunk->values.len < BYTES_FULL) {
        const struct kafka_kept *k = &r->kept[r->drained];
        struct kafka_slot slot = {chunk->keys.len, chunk->keys.len + k->key_len, chunk->values.len, SIZE_MAX};
        if (!put(ctx, &chunk->keys, r->bytes.ptr + k->key, k->key_len))
            return -1;
        if (k->value_len != SIZE_MAX && !put(ctx, &chunk->values, r->bytes.ptr + k->value, k->value_len))
            return -1;
        if (k->value_len != SIZE_MAX)
            slot.value_end = chunk->values.len;
        chunk->slots[chunk->count++] = slot;
        r->drained++;
    }
    if (chunk->count)
        return 1;
    reset(r);
    return 0;
}
