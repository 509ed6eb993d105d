// SPDX-License-Identifier: Apache-2.0
// Messages of the stream to rows.
//
// What is passed on already is skipped here: whole transactions that ended before our position (the server's idea of it
// may lag behind ours after a crash), and of the first one the changes that the position counts.
//
//     insert                    +I
//     update, mode all          -U(old) +U(new)
//     update, mode upsert       +U(new)
//     update of the key         -D(old) +I(new)
//     delete                    -D, the whole row or its key only
//
// A Relation message says how the tuples after it look (relation.c). Where a captured column went, was renamed or
// retyped, the first row that would be passed on holds the node: stream.c makes what stands before it durable, and then
// fails.
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

// --- relation id -> table: open addressing; an entry is id << 32 | table + 1, or table 0 for one that is not captured

static uint64_t *relation_slot(struct pgcdc *p, uint32_t id)
{
    uint32_t i = (id * 2654435761u) & p->relation_mask;
    while (p->relations[i] && (uint32_t)(p->relations[i] >> 32) != id)
        i = (i + 1) & p->relation_mask;
    return &p->relations[i];
}

static leat_status relation_room(struct pgcdc *p)
{
    if (p->relations && p->relation_count * 2 < p->relation_mask)
        return LEAT_OK;
    uint32_t old_mask = p->relation_mask;
    uint64_t *old = p->relations;
    uint64_t *grown = calloc(old ? 2 * ((size_t)old_mask + 1) : 256, sizeof *grown);
    if (!grown)
        return leat_no_memory(p->ctx);
    p->relations = grown;
    p->relation_mask = old ? 2 * old_mask + 1 : 255;
    for (uint32_t i = 0; old && i <= old_mask; i++)
        if (old[i])
            *relation_slot(p, (uint32_t)(old[i] >> 32)) = old[i];
    free(old);
    return LEAT_OK;
}

static leat_status relation_put(struct pgcdc *p, uint32_t id, uint32_t table_plus_one)
{
    leat_status st = relation_room(p);
    if (st < 0)
        return st;
    uint64_t *slot = relation_slot(p, id);
    p->relation_count += !*slot;
    *slot = (uint64_t)id << 32 | table_plus_one;
    return LEAT_OK;
}

static leat_status broken(struct pgcdc *p, const char *what)
{
    return leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0301",
                     "the change stream of slot \"%s\" is broken after " PGCDC_LSN ": %s", p->slot,
                     PGCDC_LSN_OF(p->at.lsn), what);
}

// LEAT_OK with *out NULL: a table that nobody reads.
static leat_status relation_table(struct pgcdc *p, uint32_t id, struct pgcdc_table **out)
{
    uint64_t found = p->relations ? *relation_slot(p, id) : 0;
    if (!found)
        return broken(p, "a change of a table that was not described");
    uint32_t i = (uint32_t)found;
    *out = i ? &p->tables[i - 1] : NULL;
    return LEAT_OK;
}

// --- Relation

static int has_name(const struct pgcdc_table *t, const struct pgoutput_relation *r)
{
    return strcmp(t->schema, r->schema[0] ? r->schema : "pg_catalog") == 0 && strcmp(t->name, r->name) == 0;
}

// Another table of this name, by its number: one of after our reading of the catalogue stops the node, one of before it
// is not captured. Of a checkpoint that knew no numbers it may be the table that rows were read of.
static leat_status on_namesake(struct pgcdc *p, struct pgcdc_table *t, uint32_t id)
{
    const struct pgcdc_saved_table *saved = pgcdc_saved_find(p, t->schema, t->name);
    if (p->at.lsn < p->known_from && (!saved || saved->oid))
        return relation_put(p, id, 0);
    t->altered = (struct pgcdc_altered){"dropped and created anew", NULL, PGCDC_TABLE_ANEW};
    return relation_put(p, id, (uint32_t)(t - p->tables) + 1);
}

// A relation's id is the table's number. What is logged of it under a former name is of this table all the same.
static leat_status on_relation(struct pgcdc *p)
{
    const struct pgoutput_relation *r = &p->room->relation;
    for (uint32_t i = 0; i < p->table_count; i++) {
        struct pgcdc_table *t = &p->tables[i];
        if (!t->used || t->oid != r->id)
            continue;
        leat_status st = pgcdc_relation(p, t);
        if (st >= 0 && p->at.lsn >= p->known_from && !has_name(t, r))
            t->altered = (struct pgcdc_altered){"renamed", NULL, PGCDC_NAME_IT};
        return st < 0 ? st : relation_put(p, r->id, i + 1);
    }
    for (uint32_t i = 0; i < p->table_count; i++)
        if (p->tables[i].used && has_name(&p->tables[i], r))
            return on_namesake(p, &p->tables[i], r->id);
    return relation_put(p, r->id, 0);
}

// --- transactions

static leat_status on_begin(struct pgcdc *p, const struct pgoutput_message *msg)
{
    if (p->in_txn)
        return broken(p, "a transaction inside another");
    p->in_txn = 1;
    p->txn_final_lsn = msg->begin.final_lsn;
    p->txn_time = msg->begin.time;
    p->txn_xid = msg->begin.xid;
    p->skip_txn = msg->begin.final_lsn < p->at.lsn;
    if (p->skip_txn)
        return LEAT_OK;
    p->skip_changes = p->txn_done = 0;
    if (p->at.changes) { // the transaction that the position stands in
        if (p->at.final_lsn != msg->begin.final_lsn || p->at.xid != msg->begin.xid)
            return broken(p, "it goes on with another transaction than the position's");
        p->skip_changes = p->txn_done = p->at.changes;
        p->at.changes = 0;
    }
    p->at.final_lsn = msg->begin.final_lsn;
    p->at.xid = msg->begin.xid;
    return LEAT_OK;
}

static leat_status on_commit(struct pgcdc *p, const struct pgoutput_message *msg)
{
    if (!p->in_txn)
        return broken(p, "a commit without a transaction");
    if (p->skip_changes)
        return broken(p, "the transaction is shorter than the position in it");
    p->in_txn = 0;
    if (p->skip_txn)
        return LEAT_OK;
    p->at = (struct pgcdc_position){.lsn = msg->commit.end_lsn};
    __atomic_fetch_add(p->numbers.transactions, 1, __ATOMIC_RELAXED);
    return LEAT_OK;
}

// --- rows

uint32_t pgcdc_row_add(struct pgcdc *p, struct pgcdc_table *t, uint8_t kind)
{
    struct leat_batch *b = t->batch;
    uint32_t row = leat_batch_add(b, kind);
    b->times[row] = p->txn_time;
    b->positions[row] = p->txn_final_lsn;
    return row;
}

static void row_done(struct pgcdc *p, struct pgcdc_table *t, uint32_t rows)
{
    p->open_rows += rows;
    t->last_txn = p->txn_final_lsn;
    if (leat_batch_is_full(t->batch) || t->batch->capacity - t->batch->rows < 2)
        p->flush_due = 1;
}

static int same_value(const struct pgoutput_value *a, const struct pgoutput_value *b)
{
    return a->kind == b->kind && a->len == b->len && (!a->len || memcmp(a->ptr, b->ptr, a->len) == 0);
}

static int key_changed(const struct pgcdc_table *t, const struct pgoutput_tuple *before,
                       const struct pgoutput_tuple *after)
{
    for (uint32_t i = 0; i < t->out.key_count; i++) {
        uint16_t at = t->from[t->out.key[i]];
        if (!same_value(&before->values[at], &after->values[at]))
            return 1;
    }
    return 0;
}

// The values that the new row left out, as in the old one: all of them, or where that is a key alone, the key's.
static void take_unchanged(const struct pgcdc_table *t, uint8_t old, struct pgoutput_tuple *after,
                           const struct pgoutput_tuple *before)
{
    for (uint32_t i = 0; old == 'O' && i < after->count; i++)
        if (after->values[i].kind == PGOUTPUT_UNCHANGED)
            after->values[i] = before->values[i];
    for (uint32_t i = 0; old == 'K' && i < t->out.key_count; i++) {
        uint16_t at = t->from[t->out.key[i]];
        if (after->values[at].kind == PGOUTPUT_UNCHANGED)
            after->values[at] = before->values[at];
    }
}

static int has_key(const struct pgcdc_table *t, const struct pgoutput_tuple *tuple)
{
    for (uint32_t i = 0; i < t->out.key_count; i++)
        if (tuple->values[t->from[t->out.key[i]]].kind != PGOUTPUT_TEXT)
            return 0;
    return 1;
}

static leat_status skip_rows(struct pgcdc_table *t, uint32_t first, leat_status st)
{
    t->batch->rows = first;
    return st == LEAT_END ? LEAT_OK : st;
}

static leat_status new_row(struct pgcdc *p, struct pgcdc_table *t, uint8_t kind, uint32_t first)
{
    uint32_t unchanged = 0;
    uint32_t row = pgcdc_row_add(p, t, kind);
    leat_status st = pgcdc_row_fill(p, t, t->batch, row, p->room->after.values, t->from, &unchanged);
    if (st == LEAT_OK && unchanged)
        st = pgcdc_pending_add(p, t, row, p->room->after.values, t->from);
    if (st != LEAT_OK)
        return skip_rows(t, first, st);
    row_done(p, t, t->batch->rows - first);
    return LEAT_OK;
}

// A tuple of the key alone has NULL elsewhere: those columns are absent.
static void only_key(const struct pgcdc_table *t, struct leat_batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->columns[i].is_key)
            b->columns[i].states[row] = LEAT_ABSENT;
}

static leat_status old_row(struct pgcdc *p, struct pgcdc_table *t, uint8_t kind, uint8_t old)
{
    uint32_t unchanged = 0;
    uint32_t row = pgcdc_row_add(p, t, kind);
    leat_status st = pgcdc_row_fill(p, t, t->batch, row, p->room->before.values, t->from, &unchanged);
    if (st != LEAT_OK)
        return st;
    // from before a column was added, or (never seen from a server) a large value left out of an old row
    if (old == 'K' || unchanged)
        only_key(t, t->batch, row);
    return LEAT_OK;
}

static leat_status on_insert(struct pgcdc *p, struct pgcdc_table *t)
{
    if (!has_key(t, &p->room->after))
        return broken(p, "an insert without the row's key");
    leat_status st = pgcdc_key_put(p, t, p->room->after.values, t->from);
    return st < 0 ? st : new_row(p, t, LEAT_INSERT, t->batch->rows);
}

static leat_status on_update(struct pgcdc *p, struct pgcdc_table *t, uint8_t old)
{
    uint32_t first = t->batch->rows;
    if (t->mode == LEAT_MODE_ALL && old != 'O')
        return broken(p, "an update without the row before it, in spite of REPLICA IDENTITY FULL");
    take_unchanged(t, old, &p->room->after, &p->room->before);
    // servers of before February 2022 leave out a key that is stored out of line, and log no old one
    if (!has_key(t, &p->room->after) || (old && !has_key(t, &p->room->before)))
        return broken(p, "an update without the row's key");
    int moved = old && t->out.key_count && key_changed(t, &p->room->before, &p->room->after);
    if (t->mode == LEAT_MODE_UPSERT && !moved)
        return new_row(p, t, LEAT_UPDATE_AFTER, first);
    leat_status st = old_row(p, t, moved ? LEAT_DELETE : LEAT_UPDATE_BEFORE, old);
    if (st != LEAT_OK)
        return skip_rows(t, first, st);
    if (moved) {
        st = pgcdc_key_drop(p, t, p->room->before.values, t->from);
        if (st == LEAT_OK)
            st = pgcdc_key_put(p, t, p->room->after.values, t->from);
    }
    return st < 0 ? st : new_row(p, t, moved ? LEAT_INSERT : LEAT_UPDATE_AFTER, first);
}

static leat_status on_delete(struct pgcdc *p, struct pgcdc_table *t, uint8_t old)
{
    uint32_t first = t->batch->rows;
    if (!has_key(t, &p->room->before))
        return broken(p, "a delete without the row's key");
    leat_status st = old_row(p, t, LEAT_DELETE, old);
    if (st != LEAT_OK)
        return skip_rows(t, first, st);
    row_done(p, t, 1);
    return pgcdc_key_drop(p, t, p->room->before.values, t->from);
}

static leat_status on_truncate(struct pgcdc *p, const struct pgoutput_message *msg)
{
    for (uint32_t i = 0; i < msg->truncate.count; i++) {
        struct pgcdc_table *t = NULL;
        leat_status st = relation_table(p, pgoutput_truncated(msg, i), &t);
        if (st == LEAT_OK && t)
            st = pgcdc_truncate(p, t);
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

// The row stays where it is: whatever was read of its transaction is read again with it, unless a part is out already.
static leat_status hold(struct pgcdc *p, struct pgcdc_table *t)
{
    p->held = t;
    p->flush_due = 1;
    if (pgcdc_rows_undo(p)) {
        p->at.changes = p->txn_done;
        if (!p->txn_done)
            p->at.final_lsn = p->at.xid = 0;
    }
    return LEAT_OK;
}

static leat_status apply(struct pgcdc *p, const struct pgoutput_message *msg)
{
    struct pgcdc_table *t = NULL;
    if (msg->kind == 'T')
        return on_truncate(p, msg);
    leat_status st = relation_table(p, msg->change.relation, &t);
    if (st < 0 || !t)
        return st;
    if (t->altered.how)
        return hold(p, t);
    uint32_t seen = msg->kind == 'D' ? p->room->before.count : p->room->after.count;
    if (seen != t->tuple_count || (msg->kind == 'U' && msg->change.old && p->room->before.count != seen))
        return broken(p, "a row with another number of columns than its table");
    st = t->batch ? LEAT_OK : pgcdc_batch_open(p, t, &t->batch, 1);
    if (st < 0)
        return st;
    if (msg->kind == 'I')
        return on_insert(p, t);
    return msg->kind == 'U' ? on_update(p, t, msg->change.old) : on_delete(p, t, msg->change.old);
}

static leat_status on_change(struct pgcdc *p, const struct pgoutput_message *msg)
{
    if (!p->in_txn)
        return broken(p, "a change outside of a transaction");
    if (p->skip_txn)
        return LEAT_OK;
    leat_status st = LEAT_OK;
    if (p->skip_changes)
        p->skip_changes--;
    else
        st = apply(p, msg);
    if (st >= 0 && !p->truncating && !p->held) // a TRUNCATE is counted when its deletes are out
        p->at.changes++;
    return st;
}

leat_status pgcdc_change(struct pgcdc *p, const uint8_t *bytes, size_t len)
{
    struct pgoutput_message msg;
    const char *wrong = pgoutput_parse(bytes, len, &msg, p->room);
    if (wrong)
        return broken(p, wrong);
    switch (msg.kind) {
    case 'B':
        return on_begin(p, &msg);
    case 'C':
        return on_commit(p, &msg);
    case 'R':
        return on_relation(p);
    case 'I':
    case 'U':
    case 'D':
    case 'T':
        return on_change(p, &msg);
    default:
        return LEAT_OK; // origins, types and messages of others
    }
}
