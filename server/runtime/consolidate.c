// SPDX-License-Identifier: Apache-2.0
// Net change of a source transaction, by the key of an upsert sink.
//
// "UPDATE t SET id = id + 1" arrives as 1 goes, 2 comes, 2 goes, 3 comes …; applied in order by key it would destroy
// every row but the last. So the changes of a transaction are held until it is complete and taken as a signed multiset:
// per key, a row that goes cancels an equal row that came, and a row that comes cancels an equal row that went. What is
// left is, per key, nothing, a delete, or the last row that came. Deletes are given before upserts. A delete that
// carries only its key cannot be matched with a row: it takes back the latest row that came and stays a delete.
//
// Whole transactions may be taken together: the net effect is the same. But after a crash the target may be ahead: it
// may hold a row that comes in one transaction and goes in the next, or lack one that goes and comes back. So a key
// whose changes cancel each other across transactions is told as it is in the end; only what cancels within one
// transaction (rows of equal position) is silence, since nobody has ever seen it. Memory is bounded by HELD_MAX; beyond
// it the job fails with the way out, since half a transaction cannot be given on.
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "data/row.h"
#include "runtime/runtime_int.h"

#define HELD_MAX ((size_t)512 << 20)

struct change {
    const struct leat_batch *batch;
    uint32_t row;
    uint32_t next; // older change of the same sign and key, + 1; 0 = none
};

struct entry {
    uint64_t hash;
    const struct leat_batch *batch; // a row with the key: the first that touched it, or the last that cancelled another
    uint32_t row;
    bool told;            // cancelled across transactions: `batch` and `row` say how the key ends
    uint32_t plus, minus; // newest change of that sign, + 1; 0 = none
};

struct consolidate {
    const struct leat_schema *schema;
    const uint32_t *key;
    uint32_t key_count;
    uint32_t *all; // every column

    const struct leat_batch **held; // batches of the open transaction, with references
    uint32_t held_count, held_cap;
    size_t held_bytes;

    struct change *changes;
    uint32_t change_count, change_cap;
    struct entry *entries; // in the order in which keys were first touched
    uint32_t entry_count;
    uint32_t *slots; // open addressing: entry + 1
    uint32_t slot_count;
    uint32_t entry_cap;
};

struct consolidate *consolidate_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count)
{
    struct consolidate *c = calloc(1, sizeof *c);
    uint32_t *all = calloc(schema->column_count, sizeof *all);
    if (!c || !all) {
        free(c);
        free(all);
        return NULL;
    }
    for (uint32_t i = 0; i < schema->column_count; i++)
        all[i] = i;
    c->schema = schema;
    c->key = key;
    c->key_count = key_count;
    c->all = all;
    return c;
}

static void let_go(struct consolidate *c)
{
    for (uint32_t i = 0; i < c->held_count; i++)
        data_batch_unref(c->held[i]);
    c->held_count = 0;
    c->held_bytes = 0;
}

void consolidate_destroy(struct consolidate *c)
{
    if (!c)
        return;
    let_go(c);
    free(c->held);
    free(c->all);
    free(c->changes);
    free(c->entries);
    free(c->slots);
    free(c);
}

// Room for one more change and one more key.
static bool make_room(struct consolidate *c)
{
    if (c->change_count == c->change_cap) {
        uint32_t cap = c->change_cap ? c->change_cap * 2 : 256;
        struct change *changes = realloc(c->changes, cap * sizeof *changes);
        if (!changes)
            return false;
        c->changes = changes;
        c->change_cap = cap;
    }
    if (c->entry_count < c->entry_cap)
        return true;
    uint32_t cap = c->entry_cap ? c->entry_cap * 2 : 256;
    struct entry *entries = realloc(c->entries, cap * sizeof *entries);
    if (!entries)
        return false;
    c->entries = entries;
    uint32_t *slots = calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < c->entry_count; i++) {
        uint32_t at = (uint32_t)entries[i].hash & (cap * 2 - 1);
        while (slots[at])
            at = (at + 1) & (cap * 2 - 1);
        slots[at] = i + 1;
    }
    free(c->slots);
    c->slots = slots;
    c->slot_count = cap * 2;
    c->entry_cap = cap;
    return true;
}

static struct entry *entry_of(struct consolidate *c, const struct leat_batch *b, uint32_t row)
{
    uint64_t h = data_row_hash(b, row, c->key, c->key_count);
    uint32_t at = (uint32_t)h & (c->slot_count - 1);
    for (; c->slots[at]; at = (at + 1) & (c->slot_count - 1)) {
        struct entry *e = &c->entries[c->slots[at] - 1];
        if (e->hash == h && data_rows_equal(e->batch, e->row, b, row, c->key, c->key_count))
            return e;
    }
    c->entries[c->entry_count] = (struct entry){.hash = h, .batch = b, .row = row};
    c->slots[at] = c->entry_count + 1;
    return &c->entries[c->entry_count++];
}

static bool one_transaction(const struct change *x, const struct leat_batch *b, uint32_t row)
{
    return x->batch->positions && b->positions && x->batch->positions[x->row] == b->positions[row];
}

// Takes an equal change out of one of the entry's lists; true if there was one.
static bool cancel(struct consolidate *c, struct entry *e, uint32_t *list, const struct leat_batch *b, uint32_t row)
{
    for (uint32_t *at = list; *at; at = &c->changes[*at - 1].next) {
        const struct change *x = &c->changes[*at - 1];
        if (!data_rows_equal(x->batch, x->row, b, row, c->all, c->schema->column_count))
            continue;
        if (!one_transaction(x, b, row)) {
            e->told = true;
            e->batch = b;
            e->row = row;
        }
        *at = x->next;
        return true;
    }
    return false;
}

static void push_change(struct consolidate *c, uint32_t *list, const struct leat_batch *b, uint32_t row)
{
    c->changes[c->change_count] = (struct change){b, row, *list};
    *list = ++c->change_count;
}

static bool key_only(const struct leat_batch *b, uint32_t row)
{
    for (uint32_t col = 0; col < b->column_count; col++)
        if (b->columns[col].states[row] == LEAT_ABSENT)
            return true;
    return false;
}

static bool comes(const struct leat_batch *b, uint32_t row)
{
    return b->kinds[row] == LEAT_INSERT || b->kinds[row] == LEAT_UPDATE_AFTER;
}

static void apply(struct consolidate *c, const struct leat_batch *b, uint32_t row)
{
    struct entry *e = entry_of(c, b, row);
    if (comes(b, row)) {
        if (!cancel(c, e, &e->minus, b, row))
            push_change(c, &e->plus, b, row);
        return;
    }
    if (key_only(b, row)) {
        if (e->plus)
            e->plus = c->changes[e->plus - 1].next;
        push_change(c, &e->minus, b, row);
    } else if (!cancel(c, e, &e->plus, b, row)) {
        push_change(c, &e->minus, b, row);
    }
}

static leat_status start_batch(struct consolidate *c, struct leat_ctx *ctx, uint32_t rows, struct leat_batch **out)
{
    uint32_t usual = leat_batch_rows_for(c->schema);
    *out = leat_batch_new(ctx, c->schema, rows < usual ? rows : usual);
    if (!*out)
        return leat_no_memory(ctx);
    for (uint32_t i = 0; i < c->held_count; i++) {
        if (data_batch_keep(*out, c->held[i]) != LEAT_OK) {
            data_batch_unref(*out);
            *out = NULL;
            return leat_no_memory(ctx);
        }
    }
    (*out)->arrived = c->held[0]->arrived;
    (*out)->times = leat_batch_alloc(*out, (*out)->capacity * sizeof *(*out)->times, 8);
    if (c->held[0]->positions)
        (*out)->positions = leat_batch_alloc(*out, (*out)->capacity * sizeof *(*out)->positions, 8);
    return (*out)->times && (!c->held[0]->positions || (*out)->positions) ? LEAT_OK : leat_no_memory(ctx);
}

static void add_row(struct leat_batch *out, const struct change *x, uint8_t kind)
{
    uint32_t row = leat_batch_add(out, kind);
    out->times[row] = x->batch->times ? x->batch->times[x->row] : LEAT_TIME_NONE;
    if (out->positions)
        out->positions[row] = x->batch->positions ? x->batch->positions[x->row] : 0;
    for (uint32_t col = 0; col < out->column_count; col++) {
        out->columns[col].cells[row] = x->batch->columns[col].cells[x->row];
        out->columns[col].states[row] = x->batch->columns[col].states[x->row];
    }
}

// How the key ends: false = nothing to say, else the row that came last, or the one that went.
static bool net_of(const struct consolidate *c, const struct entry *e, struct change *out)
{
    uint32_t at = e->plus ? e->plus : e->minus;
    if (at)
        *out = c->changes[at - 1];
    else if (e->told)
        *out = (struct change){e->batch, e->row, 0};
    return at || e->told;
}

// First all deletes, then all upserts.
static leat_status give_net(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    struct leat_batch *out = NULL;
    leat_status st = LEAT_OK;
    for (int pass = 0; pass < 2 && st >= 0; pass++) {
        for (uint32_t i = 0; i < c->entry_count && st >= 0; i++) {
            struct change x = {NULL, 0, 0};
            if (!net_of(c, &c->entries[i], &x) || comes(x.batch, x.row) != pass)
                continue;
            if (!out && (st = start_batch(c, ctx, c->entry_count, &out)) < 0)
                break;
            add_row(out, &x, pass == 0 ? LEAT_DELETE : x.batch->kinds[x.row]);
            if (out->rows == out->capacity) {
                st = give(arg, out);
                data_batch_unref(out);
                out = NULL;
            }
        }
    }
    if (out && st >= 0)
        st = give(arg, out);
    data_batch_unref(out);
    return st;
}

static leat_status hold(struct consolidate *c, struct leat_ctx *ctx, const struct leat_batch *batch)
{
    if (c->held_bytes + data_batch_bytes(batch) > HELD_MAX) {
        leat_fail(ctx, LEAT_FATAL, "LEAT-R0010", "a transaction of more than %zu MiB cannot be consolidated",
                  HELD_MAX >> 20);
        leat_error_hint(ctx,
                        "Make the key of the table immediate (not DEFERRABLE), or use it as the sink's primary-key; "
                        "then nothing has to be held.");
        return LEAT_FATAL;
    }
    if (c->held_count == c->held_cap) {
        uint32_t cap = c->held_cap ? c->held_cap * 2 : 16;
        const struct leat_batch **held = realloc(c->held, cap * sizeof *held);
        if (!held)
            return leat_no_memory(ctx);
        c->held = held;
        c->held_cap = cap;
    }
    data_batch_ref(batch);
    c->held[c->held_count++] = batch;
    c->held_bytes += data_batch_bytes(batch);
    return LEAT_OK;
}

static bool only_comes(const struct leat_batch *b)
{
    for (uint32_t r = 0; r < b->rows; r++)
        if (b->kinds[r] == LEAT_UPDATE_BEFORE || b->kinds[r] == LEAT_DELETE)
            return false;
    return true;
}

leat_status consolidate_add(struct consolidate *c, struct leat_ctx *ctx, const struct leat_batch *batch, bool open,
                            consolidate_give_fn give, void *arg)
{
    if (!open && c->held_count == 0 && only_comes(batch))
        return batch->rows ? give(arg, batch) : LEAT_OK;
    leat_status st = batch->rows ? hold(c, ctx, batch) : LEAT_OK;
    return st < 0 || open ? st : consolidate_finish(c, ctx, give, arg);
}

leat_status consolidate_finish(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    if (c->held_count == 0)
        return LEAT_OK;
    c->change_count = c->entry_count = 0;
    if (c->slots)
        memset(c->slots, 0, c->slot_count * sizeof *c->slots);
    for (uint32_t i = 0; i < c->held_count; i++) {
        for (uint32_t r = 0; r < c->held[i]->rows; r++) {
            if (!make_room(c))
                return leat_no_memory(ctx);
            apply(c, c->held[i], r);
        }
    }
    leat_status st = give_net(c, ctx, give, arg);
    let_go(c);
    return st;
}
