// SPDX-License-Identifier: Apache-2.0
// The node's state, version 5, big-endian:
//
//     u64 system identifier · u32 timeline · cstr slot · cstr database · u8 snapshot done
//     u64 lsn · u64 changes · u64 final lsn · u32 xid                     the position
//     u32 number, xmin and owner of the publication           from version 5 on, as is a table's mark; gaps.c
//     u32 tables × (cstr schema · cstr name · u32 oid · u32 mark · u8 snapshot done · u32 columns × (cstr name ·
//                   u16 number · u32 type · u32 typmod)) version 1 had the columns' names only, and no oid; version 2 no typmod
//     tables × (cstr schema · cstr name · u32 columns × u16 number · u64 length · changes of its keys)
//                   with on-truncate = "delete" only; keys.c. Up to version 3 the numbers of a key's columns were missing
//
// All but the keys is written whole each time; of the keys a delta holds what changed since the last save.
// The columns are the table's at the position, so that rows logged before an ALTER can be read after it: relation.c.
#include <string.h>

#include "pgcdc_int.h"

#define STATE_VERSION 5
#define STATE_MAX     (64u << 20)

// As the table was at the position: until the log of before the catalogue's reading is behind us, as it was saved.
static void put_columns(struct buf *b, const struct pgcdc_table *t, int settled)
{
    size_t at = b->len;
    uint32_t count = 0;
    buf_u32(b, 0);
    for (uint32_t i = 0; i < t->attribute_count; i++) {
        const struct pgcdc_attribute *a = &t->attributes[i];
        if (!(settled ? a->name : a->was))
            continue;
        buf_cstr(b, settled ? a->name : a->was);
        buf_u16(b, (uint16_t)a->attnum);
        buf_u32(b, settled ? a->oid : a->was_oid);
        buf_u32(b, (uint32_t)(settled ? a->typmod : a->was_typmod));
        count++;
    }
    buf_patch_u32(b, at, count);
}

static void put_table(const struct pgcdc *p, struct buf *b, const struct pgcdc_table *t)
{
    buf_cstr(b, t->schema);
    buf_cstr(b, t->name);
    buf_u32(b, t->oid);
    buf_u32(b, t->mark);
    buf_u8(b, t->snapshot_done);
    put_columns(b, t, p->emitted.lsn >= p->known_from);
}

static void put_head(struct pgcdc *p, struct buf *b)
{
    uint32_t used = 0;
    buf_u64(b, p->system);
    buf_u32(b, p->timeline);
    buf_cstr(b, p->config->slot_name);
    buf_cstr(b, p->config->database);
    buf_u8(b, p->snapshot_done);
    buf_u64(b, p->emitted.lsn);
    buf_u64(b, p->emitted.changes);
    buf_u64(b, p->emitted.final_lsn);
    buf_u32(b, p->emitted.xid);
    buf_u32(b, p->marks.publication);
    buf_u32(b, p->marks.xmin);
    buf_u32(b, p->marks.owner);
    for (uint32_t i = 0; i < p->table_count; i++)
        used += p->tables[i].used;
    buf_u32(b, used);
    for (uint32_t i = 0; i < p->table_count; i++)
        if (p->tables[i].used)
            put_table(p, b, &p->tables[i]);
}

struct saving {
    struct pgcdc *p;
    struct leat_state_out *out;
    leat_status st;
};

static int write_piece(void *arg, const void *ptr, size_t len)
{
    struct saving *s = arg;
    s->st = s->p->ctx->host->state_write(s->p->ctx, s->out, ptr, len);
    return s->st < 0 ? -1 : 0;
}

static leat_status write_keys(struct pgcdc *p, struct leat_state_out *out, struct buf *b, int image)
{
    struct saving saving = {p, out, LEAT_OK};
    for (struct pgcdc_keys *k = p->keys; k; k = k->next) {
        buf_reset(b);
        buf_cstr(b, k->schema);
        buf_cstr(b, k->name);
        buf_u32(b, k->column_count);
        for (uint32_t i = 0; i < k->column_count; i++)
            buf_u16(b, (uint16_t)k->columns[i]);
        buf_u64(b, pgcdc_keys_saved_len(k, image));
        if (!buf_ok(b))
            return leat_no_memory(p->ctx);
        if (write_piece(&saving, b->ptr, b->len) < 0 || pgcdc_keys_save(k, image, write_piece, &saving) < 0)
            return saving.st;
        pgcdc_keys_saved(k);
    }
    return LEAT_OK;
}

leat_status pgcdc_state_write(struct pgcdc *p, struct leat_state_out *out)
{
    struct buf b;
    int image = !p->keys || out->kind == LEAT_STATE_FULL;
    out->version = STATE_VERSION;
    out->kind = image ? LEAT_STATE_FULL : LEAT_STATE_DELTA;
    buf_init(&b, STATE_MAX);
    put_head(p, &b);
    leat_status st = buf_ok(&b) ? p->ctx->host->state_write(p->ctx, out, b.ptr, b.len) : leat_no_memory(p->ctx);
    if (st >= 0)
        st = write_keys(p, out, &b, image);
    buf_fini(&b);
    return st;
}

static const char *read_text(struct pgcdc *p, struct cur *c)
{
    const char *text = cur_cstr(c, NULL);
    return text ? pgcdc_mem_text(&p->mem, text) : NULL;
}

static int read_table(struct pgcdc *p, struct cur *c, struct pgcdc_saved_table *t, uint32_t version)
{
    t->schema = read_text(p, c);
    t->name = read_text(p, c);
    t->oid = version > 1 ? cur_u32(c) : 0;
    t->mark = version > 4 ? cur_u32(c) : 0;
    t->snapshot_done = cur_u8(c);
    t->count = cur_u32(c);
    if (t->count > cur_left(c)) // each name takes a byte at least
        cur_fail(c);
    t->columns = cur_ok(c) ? pgcdc_mem_alloc(&p->mem, t->count * sizeof *t->columns) : NULL;
    for (uint32_t i = 0; t->columns && i < t->count; i++) {
        struct pgcdc_saved_column *column = &t->columns[i];
        column->name = read_text(p, c);
        column->attnum = version > 1 ? (int16_t)cur_u16(c) : 0;
        column->oid = version > 1 ? cur_u32(c) : 0;
        column->typmod = version > 2 ? (int32_t)cur_u32(c) : PGCDC_NO_TYPMOD;
        if (!column->name)
            return 0;
    }
    return t->schema && t->name && t->columns;
}

#define KEY_MAX 32 // columns of an index of PostgreSQL

static int read_keys(struct pgcdc *p, struct cur *c, uint32_t version)
{
    while (cur_ok(c) && cur_left(c)) {
        int16_t columns[KEY_MAX];
        const char *schema = cur_cstr(c, NULL), *name = cur_cstr(c, NULL);
        uint32_t count = version > 3 ? cur_u32(c) : 0;
        if (count > KEY_MAX)
            cur_fail(c);
        for (uint32_t i = 0; i < count && cur_ok(c); i++)
            columns[i] = (int16_t)cur_u16(c);
        struct cur saved = cur_sub(c, cur_u64(c));
        struct pgcdc_keys *keys = cur_ok(c) ? pgcdc_keys_of(&p->keys, schema, name) : NULL;
        if (!keys || (count && pgcdc_keys_are_of(keys, columns, count) != 0) || pgcdc_keys_load(keys, &saved) < 0)
            return 0;
        p->keys_known = 1;
    }
    return cur_ok(c);
}

static int read_state(struct pgcdc *p, struct cur *c, uint32_t version)
{
    struct pgcdc_saved *s = &p->saved;
    s->system = cur_u64(c);
    s->timeline = cur_u32(c);
    s->slot = read_text(p, c);
    s->database = read_text(p, c);
    s->snapshot_done = cur_u8(c);
    s->at.lsn = cur_u64(c);
    s->at.changes = cur_u64(c);
    s->at.final_lsn = cur_u64(c);
    s->at.xid = cur_u32(c);
    if (version > 4) {
        s->marks.publication = cur_u32(c);
        s->marks.xmin = cur_u32(c);
        s->marks.owner = cur_u32(c);
    }
    s->count = cur_u32(c);
    if (s->count > cur_left(c))
        cur_fail(c);
    s->tables = cur_ok(c) ? pgcdc_mem_alloc(&p->mem, s->count * sizeof *s->tables) : NULL;
    for (uint32_t i = 0; s->tables && i < s->count; i++)
        if (!read_table(p, c, &s->tables[i], version))
            return 0;
    return cur_ok(c) && s->tables && s->slot && s->database && read_keys(p, c, version);
}

leat_status pgcdc_state_read(struct pgcdc *p, const struct leat_state_in *in)
{
    if (!in->len)
        return LEAT_OK; // saved before anything was known
    if (!in->version || in->version > STATE_VERSION)
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0307", "the saved state is of version %u, not of 1 to %d",
                         in->version, STATE_VERSION);
    struct cur c = cur_of(in->ptr, in->len);
    if (!read_state(p, &c, in->version))
        return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0307", "the saved state cannot be read");
    const struct pgcdc_saved *s = &p->saved;
    if (strcmp(s->slot, p->config->slot_name) != 0 || strcmp(s->database, p->config->database) != 0) {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0205",
                        "the checkpoint belongs to slot \"%s\" of database \"%s\" at " PGCDC_LSN
                        ", not to slot \"%s\" of "
                        "database \"%s\"",
                        s->slot, s->database, PGCDC_LSN_OF(s->at.lsn), p->config->slot_name, p->config->database);
        leat_error_hint(p->ctx,
                        "Go back to the former slot.name and database-name, or give the node another name so that "
                        "it starts afresh.");
        return LEAT_FATAL;
    }
    p->restored = 1;
    return LEAT_OK;
}

const struct pgcdc_saved_table *pgcdc_saved_find(const struct pgcdc *p, const char *schema, const char *name)
{
    for (uint32_t i = 0; i < p->saved.count; i++)
        if (strcmp(p->saved.tables[i].schema, schema) == 0 && strcmp(p->saved.tables[i].name, name) == 0)
            return &p->saved.tables[i];
    return NULL;
}

const struct pgcdc_saved_table *pgcdc_saved_of(const struct pgcdc *p, const struct pgcdc_table *t)
{
    const struct pgcdc_saved_table *saved = pgcdc_saved_find(p, t->schema, t->name);
    return saved && (!saved->oid || saved->oid == t->oid) ? saved : NULL;
}
