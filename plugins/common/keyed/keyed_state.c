// SPDX-License-Identifier: Apache-2.0
// The way into checkpoints and back.
//
// A piece is a row of records: one byte (number of the map, times two, plus one for "removed"), the key with its length
// in front, and unless removed the value likewise; lengths are varints. In a delta what was removed stands before what
// was put, as a key may have come back since. Entries are written as they lie in memory, but those of a group in their
// order, which loading keeps; in a bag that is the same. Each segment lists its changed entries; one that died or moved
// away since is passed over, its successor being listed where it lies.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "keyed_int.h"

#define CHUNK  ((size_t)64 << 10)
#define RECORD 3  // bytes of a record beside short keys and values
#define AHEAD  16 // entries

static void forget_changes(struct keyed *map)
{
    map->changed_bytes = 0;
    map->list_bytes = 0;
    buf_fini(&map->removed);
    for (uint32_t i = 0; i < map->segment_count; i++) {
        struct keyed_segment *s = &map->segments[i];
        free(s->changed);
        s->changed = NULL;
        s->changed_count = s->changed_cap = 0;
    }
}

void keyed_want_all(struct keyed *map)
{
    map->all = 1;
    forget_changes(map);
}

static int grow_list(struct keyed *map, struct keyed_segment *s)
{
    uint32_t cap = s->changed_cap ? s->changed_cap * 2 : 16;
    uint32_t *changed = realloc(s->changed, cap * sizeof *changed);
    if (!changed)
        return -1;
    map->list_bytes += (cap - s->changed_cap) * sizeof *changed;
    s->changed = changed;
    s->changed_cap = cap;
    return 0;
}

void keyed_note_change(struct keyed *map, uint32_t ref)
{
    if (map->all)
        return;
    const struct keyed_entry *e = keyed_at(map, ref);
    struct keyed_segment *s = &map->segments[ref >> KEYED_SEGMENT_SHIFT];
    map->changed_bytes += keyed_entry_size(map, e);
    // more changes than state: a whole image is shorter, and the lists need no more room
    if (map->changed_bytes > map->used - map->garbage + CHUNK ||
        (s->changed_count == s->changed_cap && grow_list(map, s) < 0)) {
        keyed_want_all(map);
        return;
    }
    s->changed[s->changed_count++] = ref & ((1u << KEYED_SEGMENT_SHIFT) - 1);
}

int keyed_note_removed(struct keyed *map, struct leat_bytes key)
{
    if (map->all)
        return 0;
    if (map->removed.len > map->content + CHUNK) {
        keyed_want_all(map);
        return 0;
    }
    buf_uvarint(&map->removed, key.len);
    buf_put(&map->removed, key.ptr, key.len);
    return buf_ok(&map->removed) ? 0 : -1;
}

// --- writing

struct writer {
    struct leat_ctx *ctx;
    struct leat_state_out *out;
    const struct keyed *map; // being written
    struct buf buf;
    leat_status status;
};

static void write_out(struct writer *w)
{
    if (!buf_ok(&w->buf) && w->status == LEAT_OK)
        w->status = leat_no_memory(w->ctx);
    if (w->status == LEAT_OK && w->buf.len)
        w->status = w->ctx->host->state_write(w->ctx, w->out, w->buf.ptr, w->buf.len);
    buf_reset(&w->buf);
    LEAT_FAULT("keyed-in-save");
}

static void put_bytes(struct writer *w, struct leat_bytes bytes)
{
    buf_uvarint(&w->buf, bytes.len);
    buf_put(&w->buf, bytes.ptr, bytes.len);
}

static void put_entry(struct writer *w, uint32_t number, struct keyed_entry *e)
{
    buf_u8(&w->buf, (uint8_t)(number << 1));
    put_bytes(w, keyed_key(w->map, e));
    put_bytes(w, keyed_value(w->map, e));
    e->value_len = (e->value_len & KEYED_LENGTH) | KEYED_SAVED;
    if (w->buf.len >= CHUNK || !buf_ok(&w->buf))
        write_out(w);
}

static int is_dirty(const struct keyed *map, uint32_t ref)
{
    return (keyed_at(map, ref)->value_len & (KEYED_DEAD | KEYED_DIRTY)) == KEYED_DIRTY;
}

// Must groups be looked at for their order, or do entries lie in it?
static int by_group(const struct keyed *map)
{
    return map->head_len && (map->kind != KEYED_BAG || map->mixed);
}

// A dirty entry, behind those of its group that stand before it. What is dirty of a group is its end, and stays so.
static void put_in_order(struct writer *w, uint32_t number, uint32_t ref)
{
    uint32_t at = ref;
    if (by_group(w->map))
        for (uint32_t prev; (prev = keyed_links(keyed_at(w->map, at))->prev) && is_dirty(w->map, prev);)
            at = prev;
    for (; at != ref && w->status == LEAT_OK; at = keyed_links(keyed_at(w->map, at))->next)
        put_entry(w, number, keyed_at(w->map, at));
    put_entry(w, number, keyed_at(w->map, ref));
}

// Entries lie in memory nearly in the order in which they were put, so that most are written from front to back; whether
// the one before is written already is asked for ahead.
static void put_all(struct writer *w, uint32_t number, const struct keyed *map)
{
    struct keyed_entry *e, *far;
    uint64_t at = 0, ahead = 0;
    int look = by_group(map);
    w->map = map;
    while (look && (e = keyed_walk(map, &at)))
        e->value_len |= KEYED_DIRTY;
    for (int i = 0; look && i < AHEAD; i++)
        keyed_walk(map, &ahead);
    for (at = 0; w->status == LEAT_OK && (e = keyed_walk(map, &at));) {
        if (look && (far = keyed_walk(map, &ahead)) && keyed_links(far)->prev)
            __builtin_prefetch(keyed_at(map, keyed_links(far)->prev));
        if (!look)
            put_entry(w, number, e);
        else if (e->value_len & KEYED_DIRTY)
            put_in_order(w, number, keyed_walked(map, at, e));
    }
}

static void put_changes(struct writer *w, uint32_t number, const struct keyed *map)
{
    w->map = map;
    for (struct cur c = cur_of(map->removed.ptr, map->removed.len); cur_left(&c) && w->status == LEAT_OK;) {
        struct leat_bytes key = {.len = (uint32_t)cur_uvarint(&c)};
        key.ptr = cur_bytes(&c, key.len);
        assert(key.ptr); // our own bytes
        buf_u8(&w->buf, (uint8_t)(number << 1 | 1));
        put_bytes(w, key);
        if (w->buf.len >= CHUNK)
            write_out(w);
    }
    for (uint32_t k = 0; k < map->segment_count; k++) {
        const struct keyed_segment *s = &map->segments[k];
        for (uint32_t i = 0; i < s->changed_count && w->status == LEAT_OK; i++) {
            uint32_t ref = k << KEYED_SEGMENT_SHIFT | s->changed[i];
            if (is_dirty(map, ref))
                put_in_order(w, number, ref);
        }
    }
}

leat_status keyed_save(struct leat_ctx *ctx, struct leat_state_out *out, uint32_t version, struct keyed *const *maps,
                       uint32_t count)
{
    int all = out->kind != LEAT_STATE_DELTA;
    for (uint32_t i = 0; i < count; i++)
        all |= maps[i]->all;
    struct writer w = {.ctx = ctx, .out = out, .status = LEAT_OK};
    buf_init(&w.buf, 2 * (size_t)KEYED_LENGTH_MAX + 2 * CHUNK);
    LEAT_FAULT("keyed-before-save");
    for (uint32_t i = 0; i < count; i++) {
        if (all)
            put_all(&w, i, maps[i]);
        else
            put_changes(&w, i, maps[i]);
    }
    write_out(&w);
    if (all)
        LEAT_FAULT("keyed-after-image");
    else
        LEAT_FAULT("keyed-after-delta");
    buf_fini(&w.buf);
    for (uint32_t i = 0; i < count; i++) {
        forget_changes(maps[i]);
        maps[i]->all = w.status != LEAT_OK;
    }
    out->version = version;
    out->kind = all ? LEAT_STATE_FULL : LEAT_STATE_DELTA;
    out->whole = 0;
    for (uint32_t i = 0; i < count; i++)
        out->whole += maps[i]->content + maps[i]->count * RECORD;
    return w.status;
}

// --- reading

static leat_status malformed(struct leat_ctx *ctx)
{
    return leat_fail(ctx, LEAT_FATAL, "LEAT-K0001", "saved state is malformed");
}

static int get_bytes(struct cur *c, struct leat_bytes *bytes)
{
    uint64_t len = cur_uvarint(c);
    if (len >= KEYED_LENGTH_MAX)
        cur_fail(c);
    bytes->len = (uint32_t)len;
    bytes->ptr = cur_bytes(c, (size_t)len);
    return cur_ok(c);
}

// Sets the marks of an entry just read: it is as it was saved.
static void mark_saved(struct keyed *map, uint32_t ref)
{
    struct keyed_entry *e = keyed_at(map, ref);
    e->value_len = (e->value_len & ~KEYED_DIRTY) | KEYED_SAVED;
}

// A bag's entries have no keys, and none is ever removed.
static leat_status load_value(struct leat_ctx *ctx, struct cur *c, struct keyed *map, int wrong)
{
    struct leat_bytes value, group;
    if (wrong || !get_bytes(c, &value))
        return malformed(ctx);
    keyed_group_take(value, &group);
    uint32_t ref = keyed_add_entry(map, value, keyed_tag(map, group));
    if (!ref)
        return leat_no_memory(ctx);
    mark_saved(map, ref);
    return LEAT_OK;
}

static leat_status load_record(struct leat_ctx *ctx, struct cur *c, struct keyed *const *maps, uint32_t count)
{
    uint8_t op = cur_u8(c);
    struct leat_bytes key, value;
    if (op >> 1 >= count || !get_bytes(c, &key))
        return malformed(ctx);
    struct keyed *map = maps[op >> 1];
    if (map->kind == KEYED_BAG)
        return load_value(ctx, c, map, op & 1 || key.len);
    if (op & 1)
        return keyed_remove(map, key) < 0 ? leat_no_memory(ctx) : LEAT_OK;
    if (!get_bytes(c, &value))
        return malformed(ctx);
    if (keyed_put(map, key, value) < 0)
        return leat_no_memory(ctx);
    mark_saved(map, keyed_find_key(map, key));
    return LEAT_OK;
}

leat_status keyed_load(struct leat_ctx *ctx, const struct leat_state_in *in, struct keyed *const *maps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        maps[i]->all = 1; // what is read is no change: nothing is listed
    struct cur c = cur_of(in->ptr, in->len);
    leat_status status = LEAT_OK;
    while (status == LEAT_OK && cur_left(&c))
        status = load_record(ctx, &c, maps, count);
    LEAT_FAULT("keyed-after-load");
    for (uint32_t i = 0; i < count; i++)
        maps[i]->all = status != LEAT_OK;
    return status;
}
