// SPDX-License-Identifier: Apache-2.0
// Net change of a source transaction, by the key of an upsert sink.
//
// "UPDATE t SET id = id + 1" arrives as 1 goes, 2 comes, 2 goes, 3 comes …; applied in order by key it would destroy
// every row but the last. So the changes of a transaction are held until it is complete and taken as a signed multiset
// (net.h). Deletes are given before upserts.
//
// Whole transactions may be taken together: the net effect is the same. But after a crash the target may be ahead: it
// may hold a row that comes in one transaction and goes in the next, or lack one that goes and comes back. So a key
// whose changes cancel each other across transactions is told as it is in the end; only what cancels within one
// transaction (rows of equal position) is silence, since nobody has ever seen it.
//
// What is held beyond `memory` goes to files, shared out by the hash of the key (spill.h), oldest first, and is taken back
// part by part: once for the deletes of all parts, once for the upserts.
//
//     complete -> (SPILL: what is still in memory) -> NET: a part, or all -> GIVE -> … next part, next pass … -> IDLE
//
// Each step is small, and a call does a slice of them: a transaction of any size leaves its worker to others in between. It
// also stops when the sink takes no more. Who sees is_giving calls go_on; what comes meanwhile is the next transaction.
#include <stdlib.h>

#include "data/batch.h"
#include "data/row.h"
#include "runtime/consolidate.h"
#include "runtime/net.h"
#include "runtime/spill.h"

#define PART_MAX     ((size_t)512 << 20) // rows of one part in memory
#define SLICE        ((size_t)512 << 10) // bytes of batches that one call works on: a millisecond or two
#define ROWS_AT_ONCE 1024u

enum stage { IDLE, SPILL, NET, GIVE };

// Batches, with references: items[first] … items[count - 1].
struct held {
    const struct leat_batch **items;
    uint32_t first, count, cap;
    size_t bytes;
};

struct consolidate {
    const struct leat_schema *schema;
    const uint32_t *key;
    uint32_t key_count;
    size_t memory;
    const char *dir;

    struct held coming;  // the open transaction …
    struct spill *files; // … and its beginning, when it is large
    bool due;            // it is complete, and waits for the one that is being given

    enum stage stage;
    struct held given;         // what is being given: all of it, or the part that is in memory
    struct spill *given_files; // NULL = it was small
    struct net *net;           // of `given`
    uint32_t batch, row;       // NET: the next row of it
    bool is_begun;             // NET: the part's file stands at its beginning
    uint32_t pass, part, at;   // GIVE: deletes or upserts; which part; next key
    struct leat_batch *out;    // GIVE: being filled
};

struct consolidate *consolidate_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count,
                                       size_t memory, const char *dir)
{
    struct consolidate *c = calloc(1, sizeof *c);
    struct net *net = net_create(schema, key, key_count);
    if (!c || !net) {
        free(c);
        net_destroy(net);
        return NULL;
    }
    *c = (struct consolidate){
        .schema = schema, .key = key, .key_count = key_count, .memory = memory, .dir = dir ? dir : "/tmp", .net = net};
    return c;
}

// --- batches

static void drop_first(struct held *h)
{
    const struct leat_batch *b = h->items[h->first++];
    h->bytes -= data_batch_bytes(b);
    data_batch_unref(b);
}

static void let_go(struct held *h)
{
    while (h->first < h->count)
        drop_first(h);
    h->first = h->count = 0;
}

// Takes a reference of its own.
static bool keep(struct held *h, const struct leat_batch *batch)
{
    if (h->first == h->count)
        h->first = h->count = 0;
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
    data_batch_unref(c->out);
    spill_destroy(c->files);
    spill_destroy(c->given_files);
    free(c->coming.items);
    free(c->given.items);
    net_destroy(c->net);
    free(c);
}

uint32_t consolidate_capacity(const struct consolidate *c)
{
    return net_capacity(c->net);
}

bool consolidate_is_giving(const struct consolidate *c)
{
    return c->stage != IDLE;
}

// --- SPILL

// The oldest batch goes to the files.
static leat_status spill_first(struct consolidate *c, struct leat_ctx *ctx, struct held *h, struct spill **files)
{
    if (!*files && !(*files = spill_create(c->dir, c->schema)))
        return leat_no_memory(ctx);
    const struct leat_batch *b = h->items[h->first];
    leat_status st = LEAT_OK;
    for (uint32_t r = 0; r < b->rows && st >= 0; r++)
        st = spill_add(*files, ctx, b, r, data_row_hash(b, r, c->key, c->key_count));
    if (st >= 0)
        drop_first(h);
    return st;
}

static void begin_net(struct consolidate *c)
{
    c->stage = NET;
    c->batch = c->given.first;
    c->row = 0;
    c->is_begun = false;
    net_clear(c->net);
}

// `work` counts the bytes of what was worked on.
static leat_status step_spill(struct consolidate *c, struct leat_ctx *ctx, size_t *work)
{
    if (c->given.first == c->given.count) {
        let_go(&c->given);
        begin_net(c);
        return LEAT_OK;
    }
    *work += data_batch_bytes(c->given.items[c->given.first]);
    return spill_first(c, ctx, &c->given, &c->given_files);
}

// --- NET

static leat_status too_large(struct leat_ctx *ctx)
{
    leat_fail(ctx, LEAT_FATAL, "LEAT-R0010", "a transaction changes few keys by more than %zu MiB of rows",
              PART_MAX >> 20);
    leat_error_hint(ctx, "Make the key of the table immediate (not DEFERRABLE), or use it as the sink's primary-key; "
                         "then nothing has to be held.");
    return LEAT_FATAL;
}

// The part's next batch from its file; LEAT_END: it has no more.
static leat_status load_batch(struct consolidate *c, struct leat_ctx *ctx, size_t *work)
{
    struct leat_batch *b;
    leat_status st = c->is_begun ? LEAT_OK : spill_rewind(c->given_files, ctx, c->part);
    c->is_begun = true;
    if (st < 0 || (st = spill_next(c->given_files, ctx, c->part, &b)) != LEAT_OK)
        return st;
    *work += data_batch_bytes(b);
    bool ok = keep(&c->given, b);
    data_batch_unref(b);
    if (!ok)
        return leat_no_memory(ctx);
    return c->given.bytes <= PART_MAX ? LEAT_OK : too_large(ctx);
}

static leat_status step_net(struct consolidate *c, struct leat_ctx *ctx, size_t *work)
{
    if (c->batch == c->given.count) {
        leat_status st = c->given_files ? load_batch(c, ctx, work) : LEAT_END;
        if (st == LEAT_END) {
            c->stage = GIVE;
            c->at = 0;
        }
        return st < 0 ? st : LEAT_OK;
    }
    const struct leat_batch *b = c->given.items[c->batch];
    uint32_t end = b->rows - c->row > ROWS_AT_ONCE ? c->row + ROWS_AT_ONCE : b->rows;
    *work += b->rows ? data_batch_bytes(b) * (end - c->row) / b->rows : 0;
    for (; c->row < end; c->row++)
        if (!net_add(c->net, b, c->row))
            return leat_no_memory(ctx);
    if (c->row == b->rows) {
        c->batch++;
        c->row = 0;
    }
    return LEAT_OK;
}

// --- GIVE

static leat_status start_batch(struct consolidate *c, struct leat_ctx *ctx)
{
    uint32_t rows = net_count(c->net);
    struct leat_batch *out = leat_batch_new(ctx, c->schema, rows < LEAT_BATCH_ROWS ? rows : LEAT_BATCH_ROWS);
    bool ok = out != NULL;
    for (uint32_t i = c->given.first; i < c->given.count && ok; i++)
        ok = data_batch_keep(out, c->given.items[i]) == LEAT_OK;
    if (ok) {
        const struct leat_batch *first = c->given.items[c->given.first];
        out->arrived = first->arrived;
        out->times = leat_batch_alloc(out, out->capacity * sizeof *out->times, 8);
        if (first->positions)
            out->positions = leat_batch_alloc(out, out->capacity * sizeof *out->positions, 8);
        ok = out->times && (out->positions || !first->positions);
    }
    if (!ok) {
        data_batch_unref(out);
        return leat_no_memory(ctx);
    }
    c->out = out;
    return LEAT_OK;
}

static void add_row(struct leat_batch *out, const struct net_row *x, uint8_t kind)
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

// Goes on filling the batch, by so many keys at once.
static leat_status fill(struct consolidate *c, struct leat_ctx *ctx)
{
    uint32_t end = net_count(c->net) - c->at > ROWS_AT_ONCE ? c->at + ROWS_AT_ONCE : net_count(c->net);
    for (; c->at < end && (!c->out || c->out->rows < c->out->capacity); c->at++) {
        struct net_row x;
        if (!net_get(c->net, c->at, &x) || net_row_comes(x.batch, x.row) != c->pass)
            continue;
        leat_status st = c->out ? LEAT_OK : start_batch(c, ctx);
        if (st < 0)
            return st;
        add_row(c->out, &x, c->pass == 0 ? LEAT_DELETE : x.batch->kinds[x.row]);
    }
    return LEAT_OK;
}

static void begin(struct consolidate *c)
{
    struct held empty = c->given;
    c->given = c->coming;
    c->coming = empty;
    c->given_files = c->files;
    c->files = NULL;
    c->due = false;
    c->pass = c->part = 0;
    if (c->given_files)
        c->stage = SPILL;
    else
        begin_net(c);
}

static void end(struct consolidate *c)
{
    let_go(&c->given);
    spill_destroy(c->given_files);
    c->given_files = NULL;
    net_shrink(c->net);
    c->stage = IDLE;
    if (c->due)
        begin(c);
}

// Deletes of every part, then upserts of every part.
static void next_part(struct consolidate *c)
{
    c->at = 0;
    if (!c->given_files || ++c->part == SPILL_PARTS) {
        c->part = 0;
        if (++c->pass == 2) {
            end(c);
            return;
        }
    }
    if (!c->given_files)
        return;
    let_go(&c->given);
    begin_net(c);
}

static leat_status step_give(struct consolidate *c, struct leat_ctx *ctx, size_t *work, consolidate_give_fn give,
                             void *arg)
{
    *work += ROWS_AT_ONCE * sizeof(struct net_row);
    leat_status st = fill(c, ctx);
    if (st < 0)
        return st;
    bool done = c->at == net_count(c->net);
    struct leat_batch *out = c->out;
    if (out && (done || out->rows == out->capacity)) {
        *work += data_batch_bytes(out);
        c->out = NULL;
        st = give(arg, out);
        data_batch_unref(out);
    } else {
        out = NULL;
    }
    if (done && st >= 0)
        next_part(c);
    return st;
}

leat_status consolidate_go_on(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    leat_status st = LEAT_OK;
    for (size_t work = 0; c->stage != IDLE && st == LEAT_OK;) {
        if (work >= SLICE)
            return LEAT_AGAIN;
        st = c->stage == SPILL ? step_spill(c, ctx, &work)
             : c->stage == NET ? step_net(c, ctx, &work)
                               : step_give(c, ctx, &work, give, arg);
    }
    return st;
}

// --- holding

static bool only_comes(const struct leat_batch *b)
{
    for (uint32_t r = 0; r < b->rows; r++)
        if (!net_row_comes(b, r))
            return false;
    return true;
}

static bool is_empty(const struct consolidate *c)
{
    return c->coming.first == c->coming.count && !c->files;
}

leat_status consolidate_add(struct consolidate *c, struct leat_ctx *ctx, const struct leat_batch *batch, bool open,
                            consolidate_give_fn give, void *arg)
{
    if (!open && is_empty(c) && c->stage == IDLE && only_comes(batch))
        return batch->rows ? give(arg, batch) : LEAT_OK;
    if (batch->rows && !keep(&c->coming, batch))
        return leat_no_memory(ctx);
    leat_status st = LEAT_OK;
    while (c->coming.bytes > c->memory && st >= 0)
        st = spill_first(c, ctx, &c->coming, &c->files);
    if (open)
        c->due = false; // together with this one
    return st < 0 || open ? st : consolidate_finish(c, ctx, give, arg);
}

leat_status consolidate_finish(struct consolidate *c, struct leat_ctx *ctx, consolidate_give_fn give, void *arg)
{
    c->due = !is_empty(c);
    if (c->stage != IDLE || !c->due)
        return c->stage != IDLE ? LEAT_AGAIN : LEAT_OK;
    begin(c);
    return consolidate_go_on(c, ctx, give, arg);
}
