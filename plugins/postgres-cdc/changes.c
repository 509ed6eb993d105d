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
// A Relation message says how the tuples after it look. It is compared with the columns in use before the first row:
// columns that went, were renamed or retyped stop the node, new ones are left out with a warning.
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"
#include "pq_oid.h"

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
                     "the change stream of slot \"%s\" is broken after " PGCDC_LSN ": %s", p->config->slot_name,
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

static leat_status altered(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_column *c, const char *how)
{
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0302",
                    "column \"%s\" of table \"%s\" was %s; stopped before its first row, at " PGCDC_LSN, c->name,
                    t->port_name, how, PGCDC_LSN_OF(p->at.lsn));
    leat_error_hint(p->ctx,
                    "Check what reads the column, then start the job again: the table's new columns are taken from "
                    "the catalogue, and the position is kept. If it stops here again, the log still holds rows of the "
                    "old definition: read the table anew, by a source of another name with another slot.name.");
    return LEAT_FATAL;
}

static uint32_t find_column(const struct pgoutput_relation *r, const char *name)
{
    uint32_t i = 0;
    while (i < r->count && strcmp(r->columns[i].name, name) != 0)
        i++;
    return i;
}

static int is_captured(const struct pgcdc_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return 1;
    return 0;
}

static uint32_t strangers(const struct pgcdc_table *t, const struct pgoutput_relation *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        n += !is_captured(t, r->columns[i].name);
    return n;
}

// Rows from before an ALTER that only made the type wider, met after a restart: every text of the old type is one of the
// new type with the same meaning.
static int was_widened(uint32_t old, uint32_t now)
{
    return (old == OID_INT2 && (now == OID_INT4 || now == OID_INT8)) || (old == OID_INT4 && now == OID_INT8) ||
           (old == OID_FLOAT4 && now == OID_FLOAT8) || (old == OID_VARCHAR && now == OID_TEXT);
}

static leat_status place_column(struct pgcdc *p, struct pgcdc_table *t, uint32_t i, const struct pgoutput_relation *r)
{
    struct pgcdc_column *c = &t->columns[i];
    uint32_t at = find_column(r, c->name);
    if (at == r->count) {
        // Rows from before the column was added: its value is fetched by key like one that was left out. But a column
        // with which rows were read, or a stranger in its place, means that it was dropped or renamed.
        if (!c->added || (!p->declared && strangers(t, r)) || c->is_key || t->mode != LEAT_MODE_UPSERT)
            return altered(p, t, c, "dropped or renamed");
        t->from[i] = PGCDC_NO_COLUMN;
        return LEAT_OK;
    }
    const struct pgoutput_column *now = &r->columns[at];
    if (now->type != c->oid && !was_widened(now->type, c->oid))
        return altered(p, t, c, "given another type");
    if (now->type != c->oid) {
        t->from[i] = (uint16_t)at;
        return LEAT_OK;
    }
    if (types_typmod_narrowed(c->oid, c->typmod, now->typmod) && c->how.type.kind != LEAT_TYPE_VARCHAR)
        return altered(p, t, c, "given another length, precision or scale");
    if (types_typmod_narrowed(c->oid, c->typmod, now->typmod) && c->how.type.length != LEAT_LENGTH_MAX)
        return altered(p, t, c, "given another length");
    t->from[i] = (uint16_t)at;
    c->added = 0;
    return LEAT_OK;
}

static leat_status check_identity(struct pgcdc *p, struct pgcdc_table *t, const struct pgoutput_relation *r)
{
    if (t->mode == LEAT_MODE_ALL && r->identity != 'f') {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0104",
                        "table \"%s\" has no REPLICA IDENTITY FULL any more, but is read with the rows before updates",
                        t->port_name);
        leat_error_hint(p->ctx,
                        "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; changes logged without it stay "
                        "unreadable in mode \"all\".",
                        t->schema, t->name);
        return LEAT_FATAL;
    }
    for (uint32_t i = 0; t->mode == LEAT_MODE_UPSERT && i < t->out.key_count; i++) {
        uint16_t at = t->from[t->out.key[i]];
        if (r->identity == 'n' || (at != PGCDC_NO_COLUMN && !r->columns[at].is_key))
            return altered(p, t, &t->columns[t->out.key[i]], "taken out of the replica identity");
    }
    return LEAT_OK;
}

static leat_status on_relation(struct pgcdc *p)
{
    const struct pgoutput_relation *r = &p->room->relation;
    const char *schema = r->schema[0] ? r->schema : "pg_catalog";
    uint32_t i = 0;
    while (i < p->table_count && (strcmp(p->tables[i].schema, schema) != 0 || strcmp(p->tables[i].name, r->name) != 0))
        i++;
    if (i == p->table_count || !p->tables[i].used)
        return relation_put(p, r->id, 0);
    struct pgcdc_table *t = &p->tables[i];
    leat_status st = LEAT_OK;
    for (uint32_t c = 0; c < t->count && st == LEAT_OK; c++)
        st = place_column(p, t, c, r);
    if (st == LEAT_OK)
        st = check_identity(p, t, r);
    if (st < 0)
        return st;
    uint32_t added = p->declared ? 0 : strangers(t, r);
    if (added && !t->warned_added) {
        leat_log(p->ctx, LEAT_LOG_WARN, "column-added", "table \"%s\" has %u column%s that %s not read until a restart",
                 t->port_name, added, added > 1 ? "s" : "", added > 1 ? "are" : "is");
        t->warned_added = 1;
    }
    t->tuple_count = r->count;
    t->related = 1;
    return relation_put(p, r->id, i + 1);
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
    p->skip_changes = 0;
    if (p->at.changes) { // the transaction that the position stands in
        if (p->at.final_lsn != msg->begin.final_lsn || p->at.xid != msg->begin.xid)
            return broken(p, "it goes on with another transaction than the position's");
        p->skip_changes = p->at.changes;
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
    if (b->kind == PGOUTPUT_UNCHANGED)
        return 1;
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

// The values that the new row left out, as in the old one.
static void take_unchanged(struct pgoutput_tuple *after, const struct pgoutput_tuple *before)
{
    for (uint32_t i = 0; i < after->count; i++)
        if (after->values[i].kind == PGOUTPUT_UNCHANGED)
            after->values[i] = before->values[i];
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
    leat_status st = pgcdc_key_put(p, t, p->room->after.values, t->from);
    return st < 0 ? st : new_row(p, t, LEAT_INSERT, t->batch->rows);
}

static leat_status on_update(struct pgcdc *p, struct pgcdc_table *t, uint8_t old)
{
    uint32_t first = t->batch->rows;
    int moved = old && t->out.key_count && key_changed(t, &p->room->before, &p->room->after);
    if (t->mode == LEAT_MODE_ALL && old != 'O')
        return broken(p, "an update without the row before it, in spite of REPLICA IDENTITY FULL");
    if (old == 'O')
        take_unchanged(&p->room->after, &p->room->before);
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

static leat_status apply(struct pgcdc *p, const struct pgoutput_message *msg)
{
    struct pgcdc_table *t = NULL;
    if (msg->kind == 'T')
        return on_truncate(p, msg);
    leat_status st = relation_table(p, msg->change.relation, &t);
    if (st < 0 || !t)
        return st;
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
    if (st >= 0 && !p->truncating) // a TRUNCATE is counted when its deletes are out
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
