// SPDX-License-Identifier: Apache-2.0
// See offsets.h.
#include "offsets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static const char *take_word(const char *at, const char *word)
{
    while (*at == ' ')
        at++;
    size_t len = strlen(word);
    return strncmp(at, word, len) == 0 ? at + len : NULL;
}

static const char *take_number(const char *at, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    if (*at < '0' || *at > '9')
        return NULL;
    long long v = strtoll(at, &end, 10);
    if (errno || v > max)
        return NULL;
    *out = v;
    while (*end == ' ')
        end++;
    return end;
}

static const char *take_entry(const char *at, struct kafka_offset *out)
{
    int64_t partition, offset;
    if (!(at = take_word(at, "partition:")) || !(at = take_number(at, INT32_MAX, &partition)) ||
        !(at = take_word(at, ",")) || !(at = take_word(at, "offset:")) ||
        !(at = take_number(at, INT64_MAX - 1, &offset)))
        return NULL;
    *out = (struct kafka_offset){(int32_t)partition, offset};
    return at;
}

int kafka_offsets_parse(const char *text, struct kafka_offset *out, int max, size_t *where)
{
    const char *at = text;
    int n = 0;
    for (;;) {
        struct kafka_offset entry;
        const char *next = take_entry(at, &entry);
        if (!next || (*next && *next != ';') || (out && n == max) || n == KAFKA_PARTITIONS_MAX) {
            *where = (size_t)((next ? next : at) - text);
            return -1;
        }
        if (out)
            out[n] = entry;
        n++;
        if (!*next || !next[1])
            return n;
        at = next + 1;
    }
}

void kafka_state_write(struct buf *out, const struct kafka_position *list, uint32_t count)
{
    buf_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len = strlen(list[i].topic);
        buf_u16(out, (uint16_t)len);
        buf_put(out, list[i].topic, len);
        buf_u32(out, (uint32_t)list[i].partition);
        buf_u64(out, (uint64_t)list[i].next);
        buf_u64(out, (uint64_t)list[i].stop);
        buf_u64(out, (uint64_t)list[i].last.offset);
        buf_u64(out, (uint64_t)list[i].last.millis);
        buf_u32(out, list[i].last.crc);
    }
}

static int read_position(struct cur *c, uint32_t version, struct kafka_position *p)
{
    size_t len = cur_u16(c);
    const uint8_t *name = cur_bytes(c, len);
    p->partition = (int32_t)cur_u32(c);
    p->next = (int64_t)cur_u64(c);
    p->stop = (int64_t)cur_u64(c);
    p->last = (struct kafka_mark){.offset = -1};
    if (version > 1) {
        p->last.offset = (int64_t)cur_u64(c);
        p->last.millis = (int64_t)cur_u64(c);
        p->last.crc = cur_u32(c);
    }
    p->topic = cur_ok(c) && len ? strndup((const char *)name, len) : NULL;
    return p->topic && p->partition >= 0 && p->next >= 0 && p->stop >= 0 && p->last.offset >= -1 &&
                   p->last.offset < p->next
               ? 0
               : -1;
}

int kafka_state_read(uint32_t version, const uint8_t *ptr, size_t len, struct kafka_positions *list)
{
    struct cur c = cur_of(ptr, len);
    uint32_t count = cur_u32(&c);
    if (!cur_ok(&c) || count > KAFKA_PARTITIONS_MAX || list->count > KAFKA_PARTITIONS_MAX)
        return -1;
    struct kafka_position *items = realloc(list->items, ((size_t)list->count + count + 1) * sizeof *items);
    if (!items)
        return -1;
    list->items = items;
    for (uint32_t i = 0; i < count; i++) {
        if (read_position(&c, version, &items[list->count]) < 0) {
            free((void *)(uintptr_t)items[list->count].topic);
            return -1;
        }
        list->count++;
    }
    return cur_left(&c) ? -1 : 0;
}

void kafka_positions_fini(struct kafka_positions *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free((void *)(uintptr_t)list->items[i].topic);
    free(list->items);
    *list = (struct kafka_positions){NULL, 0};
}

const struct kafka_position *kafka_positions_find(const struct kafka_positions *list, const char *topic,
                                                  int32_t partition)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].partition == partition && strcmp(list->items[i].topic, topic) == 0)
            return &list->items[i];
    return NULL;
}
