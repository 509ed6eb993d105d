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
// transaction (rows of equal position) is silence, since nobody has ever seen it.
//
// What is held beyond `memory` goes to files, shared out by the hash of the key (spill.h), and is taken back part by part:
// once for the deletes of all parts, once for the upserts. What is given stops when the sink takes no more, and goes on
// when it does; what comes meanwhile is the next transaction. The tables that a large transaction needed go with it: every
// later one would have to clear them.
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "data/row.h"
#include "runtime/runtime_int.h"
#include "runtime/spill.h"

#define PART_MAX ((size_t)512 << 20) // rows of one part in memory
#define KEPT_MAX 65536u              // entries of a table that stays for the next transaction

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

// Batches, with references.
struct held {
    const struct leat_batch **items;
    uint32_t count, cap;
    size_t bytes;
};

struct consolidate {
    const struct leat_schema *schema;
    const uint32_t *key;
    uint32_t key_count;
    uint32_t *all; // every column

    size_t memory;
    const char *dir;

    struct held coming;  // the open transaction …
    struct spill *files; // … and its beginning, when it is large
    bool due;            // it is complete, and waits for the one that is being given

    bool giving;
    struct held given;         // what is being given: all of it, or the part that is in memory
    struct spill *given_files; // NULL = it was small
    bool is_loaded;            // the part's net change is made
    uint32_t pass, part, at;   // deletes or upserts; which part; next entry

    struct change *changes;
    uint32_t change_count, change_cap;
    struct entry *entries; // in the order in which keys were first touched
    uint32_t entry_count;
    uint32_t *slots; // open addressing: entry + 1
    uint32_t slot_count;
    uint32_t entry_cap;
};

struct consolidate *consolidate_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count,
                                       size_t memory, const char *dir)
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
    c->memory = memory;
    c->dir = dir ? dir : "/tmp";
    return c;
}

static void let_go(struct held *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        data_batch_unref(h->items[i]);
    h->count = 0;
    h->bytes = 0;
}

// Takes a reference of its own.
static bool keep(struct held *h, const struct leat_batch *batch)
{
    if (h->count == h->cap) {
        uint32_t cap = h->cap ? h->cap * 2 : 16;
        const struct leat_batch **items = realloc(h->items, cap * sizeof *items);
        if (!items)
            return false;
        h->items = items;
        h->cap = cap;
    }
    data_batch_ref(batch);
    h->items[h->count++] = batch;
    h->bytes += data_batch_bytes(batch);
    return true;
}

void consolidate_destroy(struct consolidate *c)
{
    if (!c)
        return;
    let_go(&c->coming);
    let_go(&c->given);
    spill_destroy(c->files);
    spill_destroy(c->given_files);
    free(c->coming.items);
    free(c->given.items);
    free(c->all);
    free(c->changes);
    free(c->entries);
    free(c->slots);
    free(c);
}

static void forget_large_tables(struct consolidate *c)
{
    if (c->change_cap <= KEPT_MAX && c->entry_cap <= KEPT_MAX)
        return;
    free(c->changes);
    free(c->entries);
    free(c->slots);
    c->changes = NULL;
    c->entries = NULL;
    c->slots = NULL;
    c->change_count = c->change_cap = c->entry_count = c->entry_cap = c->slot_count = 0;
}

uint32_t consolidate_capacity(const struct consolidate *c)
{
    return c->change_cap > c->entry_cap ? c->change_cap : c->entry_cap;
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

static leat_status start_batch(struct consolidate *c, struct leat_ctx *ctx, uint32_t rows, struct leat_batch **result)
{
    struct leat_batch *out = leat_batch_new(ctx, c->schema, rows < LEAT_BATCH_ROWS ? rows : LEAT_BATCH_ROWS);
    bool ok = out != NULL;
    for (uint32_t i = 0; i < c->given.count && ok; i++)
        ok = data_batch_keep(out, c->given.items[i]) == LEAT_OK;
    if (ok) {
        out->arrived = c->given.items[0]->arrived;
        out->times = leat_batch_alloc(out, out->capacity * sizeof *out->times, 8);
        if (c->given.items[0]->positions)
            out->positions = leat_batch_alloc(out, out->capacity * sizeof *out->positions, 8);
        ok = out->times && (out->positions || !c->given.items[0]->positions);
    }
    if (!ok) {
        data_batch_unref(out);
        return leat_no_memory(ctx);
    }
    *result = out;
    return LEAT_OK;
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

// --- the net change of what is in memory

static leat_status apply_all(struct consolidate *c, struct leat_ctx *ctx)
{
    c->change_count = c->entry_count = 0;
    if (c->slots)
        memset(c->slots, 0, c->slot_count * sizeof *c->slots);
    for (uint32_t i = 0; i < c->given.count; i++) {
        for (uint32_t r = 0; r < c->given.items[i]->rows; r++) {
            if (!make_room(c))
                return leat_no_memory(ctx);
            apply(c, c->given.items[i], r);
        }
    }
    return LEAT_OK;
}

struct loading {
    struct consolidate *c;
    struct leat_ctx *ctx;
};

static leat_status take_loaded(void *arg, struct leat_batch *batch)
{
    struct loading *l = arg;
    bool ok = keep(&l->c->given, batch);
    data_batch_unref(batch);
    if (!ok)
        return leat_no_memory(l->ctx);
    if (l->c->given.bytes <= PART_MAX)
        return LEAT_OK;
    leat_fail(l->ctx, LEAT_FATAL, "LEAT-R0010", "a transaction changes few keys by more than %zu MiB of rows",
              PART_MAX >> 20);
    leat_error_hint(l->ctx,
                    "Make the key of the table immediate (not DEFERRABLE), or use it as the sink's primary-key; "
                    "then nothing has to be held.");
    return LEAT_FATAL;
}

static leat_status load(struct consolidate *c, struct leat_ctx *ctx)
{
    if (c->given_files) {
        struct loading l = {c, ctx};
        let_go(&c->given);
        leat_status st = spill_load(c->given_files, ctx, c->part, take_loaded, &l);
        if (st < 0)
            return st;
    }
    c->is_loaded = true;
    c->at = 0;
    return apply_all(c, ctx);
}

// --- giving

// The next batch of the pass; NULL when the part has no more.
static leat_status next_batch(struct consolidate *c, struct leat_ctx *ctx, struct leat_batch **out)
{
    leat_status st = LEAT_OK;
    *out = NULL;
    for (; c->at < c->entry_count && st >= 0 && (!*out || (*out)->rows < (*out)->capacity); c->at++) {
        struct change x = {NULL, 0, 0};
        if (!net_of(c, &c->entries[c->at], &x) || comes(x.batch, x.row) != c->pass)
            continue;
        if (!*out)
            st = start_batch(c, ctx, c->entry_count, out);
        if (st >= 0)
            add_row(*out, &x, c->pass == 0 ? LEAT_DELETE : x.batch->kinds[x.row]);
    }
    return st;
}

// Deletes of every part, then upserts of every part. False: that was all.
static bool next_part(struct consolidate *c)
{
    c->at = 0;
    if (c->given_files && ++c->part < SPILL_PARTS) {
        c->is_loaded = false;
        return true;
    }
    c->is_loaded = c->given_files == NULL;
    c->part = 0;
    return ++c->pass < 2;
}

static void begin(struct consolidate *c)
{
    struct held empty = c->given;
    c->given = c->coming;
    c->coming = empty;
    c->given_files = c->files;
    c->files = NULL;
    c->giving = true;
    c->due = c->is_loaded = false;
    c->pass = c->part = 0;
}

static leat_status spill_coming(struct consolidate *c, struct leat_ctx *ctx)
{
    if (!c->files && !(c->files = spill_create(c->dir, c->schema)))
        return leat_no_memory(ctx);
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < c->coming.count && st >= 0; i++) {
        const struct leat_batch *b = c->coming.items[i];
        for (uint32_t r = 0; r < b->rows && st >= 0; r++)
            st = spill_add(c->files, ctx, b, r, data_row_hash(b, r, c->key, c->key_count));
    }
    let_go(&c->coming);
    return st;
}

static leat_status give_all(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    do {
        leat_status st = c->is_loaded ? LEAT_OK : load(c, ctx);
        struct leat_batch *out = NULL;
        while (st >= 0 && (st = next_batch(c, ctx, &out)) >= 0 && out) {
            st = give(arg, out);
            data_batch_unref(out);
            if (st == LEAT_AGAIN)
                return st;
        }
        if (st < 0)
            return st;
    } while (next_part(c));
    let_go(&c->given);
    spill_destroy(c->given_files);
    c->given_files = NULL;
    forget_large_tables(c);
    c->giving = false;
    return LEAT_OK;
}

bool consolidate_is_giving(const struct consolidate *c)
{
    return c->giving;
}

leat_status consolidate_go_on(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    leat_status st = LEAT_OK;
    while (c->giving && (st = give_all(c, ctx, give, arg)) == LEAT_OK && c->due) {
        st = c->files ? spill_coming(c, ctx) : LEAT_OK;
        if (st < 0)
            return st;
        begin(c);
    }
    return st;
}

// --- holding

static bool only_comes(const struct leat_batch *b)
{
    for (uint32_t r = 0; r < b->rows; r++)
        if (b->kinds[r] == LEAT_UPDATE_BEFORE || b->kinds[r] == LEAT_DELETE)
            return false;
    return true;
}

static bool is_empty(const struct consolidate *c)
{
    return c->coming.count == 0 && !c->files;
}

leat_status consolidate_add(struct consolidate *c, struct leat_ctx *ctx, const struct leat_batch *batch, bool open,
                            consolidate_give_fn give, void *arg)
{
    if (!open && is_empty(c) && !c->giving && only_comes(batch))
        return batch->rows ? give(arg, batch) : LEAT_OK;
    if (batch->rows && !keep(&c->coming, batch))
        return leat_no_memory(ctx);
    leat_status st = c->coming.bytes > c->memory ? spill_coming(c, ctx) : LEAT_OK;
    if (st < 0)
        return st;
    c->due = !open && !is_empty(c);
    return open ? LEAT_OK : consolidate_finish(c, ctx, give, arg);
}

leat_status consolidate_finish(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    c->due = !is_empty(c);
    if (c->giving || !c->due)
        return c->giving ? LEAT_AGAIN : LEAT_OK;
    leat_status st = c->files ? spill_coming(c, ctx) : LEAT_OK;
    if (st < 0)
        return st;
    begin(c);
    return consolidate_go_on(c, ctx, give, arg);
}
