// SPDX-License-Identifier: Apache-2.0
// See keys.h. A change is one byte ('+' put, '-' drop, '0' forget all), then a 32-bit length and so many bytes.
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define LOG_MAX   (256u << 20)
#define SLOTS_MIN 64u

static size_t home(const struct pgcdc_keys *k, const void *bytes, uint32_t len)
{
    // seeded by an address, which differs from run to run
    return hash_bytes(bytes, len, (uintptr_t)k) & k->mask;
}

static size_t find(const struct pgcdc_keys *k, const void *bytes, uint32_t len)
{
    size_t i = home(k, bytes, len);
    while (k->slots[i] && (k->slots[i]->len != len || memcmp(k->slots[i]->bytes, bytes, len) != 0))
        i = (i + 1) & k->mask;
    return i;
}

static void note(struct pgcdc_keys *k, char what, const void *bytes, uint32_t len)
{
    buf_u8(&k->log, (uint8_t)what);
    buf_u32(&k->log, len);
    buf_put(&k->log, bytes, len);
    if (!buf_ok(&k->log))
        k->log_broken = 1;
}

static int grow(struct pgcdc_keys *k)
{
    if (k->slots && (k->count + 1) * 4 < (k->mask + 1) * 3)
        return 0;
    size_t old_mask = k->mask, size = k->slots ? 2 * (k->mask + 1) : SLOTS_MIN;
    struct pgcdc_key **old = k->slots;
    struct pgcdc_key **slots = calloc(size, sizeof *slots);
    if (!slots)
        return -1;
    k->slots = slots;
    k->mask = size - 1;
    for (size_t i = 0; old && i <= old_mask; i++)
        if (old[i])
            slots[find(k, old[i]->bytes, old[i]->len)] = old[i];
    free(old);
    return 0;
}

struct pgcdc_keys *pgcdc_keys_of(struct pgcdc_keys **list, const char *schema, const char *name)
{
    for (struct pgcdc_keys *k = *list; k; k = k->next)
        if (strcmp(k->schema, schema) == 0 && strcmp(k->name, name) == 0)
            return k;
    struct pgcdc_keys *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->schema = strdup(schema);
    k->name = strdup(name);
    buf_init(&k->log, LOG_MAX);
    k->next = *list;
    *list = k;
    if (!k->schema || !k->name || grow(k) < 0) {
        *list = k->next;
        k->next = NULL;
        pgcdc_keys_free(&k);
        return NULL;
    }
    return k;
}

static void forget(struct pgcdc_keys *k)
{
    for (size_t i = 0; k->slots && i <= k->mask; i++) {
        free(k->slots[i]);
        k->slots[i] = NULL;
    }
    k->count = k->bytes = 0;
}

void pgcdc_keys_free(struct pgcdc_keys **list)
{
    while (*list) {
        struct pgcdc_keys *k = *list;
        *list = k->next;
        forget(k);
        free(k->slots);
        free(k->columns);
        free(k->schema);
        free(k->name);
        buf_fini(&k->log);
        free(k);
    }
}

int pgcdc_keys_are_of(struct pgcdc_keys *k, const int16_t *columns, uint32_t count)
{
    if (k->columns)
        return k->column_count != count || memcmp(k->columns, columns, count * sizeof *columns) != 0;
    k->columns = malloc(count * sizeof *columns);
    if (!k->columns)
        return -1;
    memcpy(k->columns, columns, count * sizeof *columns);
    k->column_count = count;
    return 0;
}

int pgcdc_keys_put(struct pgcdc_keys *k, const void *bytes, uint32_t len)
{
    if (grow(k) < 0)
        return -1;
    size_t i = find(k, bytes, len);
    if (k->slots[i])
        return 0;
    struct pgcdc_key *key = malloc(sizeof *key + len);
    if (!key)
        return -1;
    key->len = len;
    memcpy(key->bytes, bytes, len);
    k->slots[i] = key;
    k->count++;
    k->bytes += len;
    note(k, '+', bytes, len);
    return 0;
}

void pgcdc_keys_drop(struct pgcdc_keys *k, const void *bytes, uint32_t len)
{
    size_t gap = find(k, bytes, len);
    if (!k->slots[gap])
        return;
    note(k, '-', bytes, len);
    free(k->slots[gap]);
    k->slots[gap] = NULL;
    k->count--;
    k->bytes -= len;
    // whoever stands behind the gap and belongs at or before it moves up
    for (size_t i = (gap + 1) & k->mask; k->slots[i]; i = (i + 1) & k->mask) {
        size_t at = home(k, k->slots[i]->bytes, k->slots[i]->len);
        if (((i - at) & k->mask) < ((i - gap) & k->mask))
            continue;
        k->slots[gap] = k->slots[i];
        k->slots[i] = NULL;
        gap = i;
    }
}

void pgcdc_keys_clear(struct pgcdc_keys *k)
{
    forget(k);
    buf_reset(&k->log); // what was before does not matter any more
    k->log_broken = 0;
    note(k, '0', NULL, 0);
}

const struct pgcdc_key *pgcdc_keys_next(const struct pgcdc_keys *k, size_t *at)
{
    while (*at <= k->mask && !k->slots[*at])
        ++*at;
    return *at <= k->mask ? k->slots[(*at)++] : NULL;
}

uint64_t pgcdc_keys_saved_len(const struct pgcdc_keys *k, int image)
{
    return image || k->log_broken ? 5 + (uint64_t)k->count * 5 + k->bytes : k->log.len;
}

static int save_one(char what, const void *bytes, uint32_t len, int (*write)(void *, const void *, size_t), void *arg)
{
    uint8_t head[5];
    uint32_t big = __builtin_bswap32(len);
    head[0] = (uint8_t)what;
    memcpy(head + 1, &big, sizeof big);
    return write(arg, head, sizeof head) < 0 || (len && write(arg, bytes, len) < 0) ? -1 : 0;
}

int pgcdc_keys_save(const struct pgcdc_keys *k, int image, int (*write)(void *arg, const void *ptr, size_t len),
                    void *arg)
{
    if (!image && !k->log_broken)
        return k->log.len ? write(arg, k->log.ptr, k->log.len) : 0;
    const struct pgcdc_key *key;
    size_t at = 0;
    int bad = save_one('0', NULL, 0, write, arg);
    while (!bad && (key = pgcdc_keys_next(k, &at)))
        bad = save_one('+', key->bytes, key->len, write, arg);
    return bad;
}

void pgcdc_keys_saved(struct pgcdc_keys *k)
{
    buf_reset(&k->log);
    k->log_broken = 0;
}

// A key is its columns' texts, each with its length in front.
static int is_key(const uint8_t *bytes, uint32_t len)
{
    struct cur c = cur_of(bytes, len);
    while (cur_ok(&c) && cur_left(&c))
        (void)cur_bytes(&c, cur_u32(&c));
    return cur_ok(&c) && len;
}

int pgcdc_keys_load(struct pgcdc_keys *k, struct cur *saved)
{
    while (cur_ok(saved) && cur_left(saved)) {
        uint8_t what = cur_u8(saved);
        uint32_t len = cur_u32(saved);
        const uint8_t *bytes = cur_bytes(saved, len);
        if (!cur_ok(saved) || (what != '0' && !is_key(bytes, len)))
            return -1;
        if (what == '0')
            forget(k);
        else if (what == '-')
            pgcdc_keys_drop(k, bytes, len);
        else if (what != '+' || pgcdc_keys_put(k, bytes, len) < 0)
            return -1;
    }
    pgcdc_keys_saved(k);
    return cur_ok(saved) ? 0 : -1;
}
