// SPDX-License-Identifier: Apache-2.0
// See model.h.
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "fake.h"

uint32_t model_roll(struct model_dice *d, uint32_t sides)
{
    d->state += 0x9e3779b97f4a7c15u;
    uint64_t z = d->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % sides);
}

// --- histories

struct writer {
    struct model_history *h;
    uint32_t cap;
    int64_t first_key, next_value, step;
    uint32_t txn;
};

static void put(struct writer *w, uint8_t kind, int64_t key, int64_t value)
{
    struct model_history *h = w->h;
    if (h->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 256;
        h->changes = realloc(h->changes, w->cap * sizeof *h->changes);
    }
    h->changes[h->count++] = (struct model_change){.kind = kind, .key = key, .value = value, .txn = w->txn};
}

static int64_t new_value(struct writer *w)
{
    int64_t value = w->next_value;
    w->next_value += w->step;
    return value;
}

static void update_one(struct writer *w, struct model_dice *d, int64_t *now)
{
    uint32_t k = model_roll(d, MODEL_KEYS);
    int64_t key = w->first_key + k;
    if (now[k] < 0) {
        put(w, LEAT_INSERT, key, now[k] = new_value(w));
    } else if (model_roll(d, 5) == 0) {
        put(w, LEAT_DELETE, key, now[k]);
        now[k] = -1;
    } else {
        put(w, LEAT_UPDATE_BEFORE, key, now[k]);
        put(w, LEAT_UPDATE_AFTER, key, now[k] = new_value(w));
    }
}

// UPDATE t SET key = key + 1: every row goes and comes, each where the next one still is. The last one of the range
// goes round, or away.
static void move_all(struct writer *w, struct model_dice *d, int64_t *now)
{
    int64_t then[MODEL_KEYS];
    for (uint32_t k = 0; k < MODEL_KEYS; k++)
        then[k] = -1;
    bool round = model_roll(d, 2);
    for (uint32_t k = 0; k < MODEL_KEYS; k++) {
        if (now[k] < 0)
            continue;
        uint32_t to = (k + 1) % MODEL_KEYS;
        if (to == 0 && !round) {
            put(w, LEAT_DELETE, w->first_key + k, now[k]);
            continue;
        }
        put(w, LEAT_UPDATE_BEFORE, w->first_key + k, now[k]);
        put(w, LEAT_UPDATE_AFTER, w->first_key + to, then[to] = new_value(w));
    }
    memcpy(now, then, sizeof then);
}

void model_history_make(struct model_history *h, struct model_dice *d, enum model_shape shape, uint32_t source,
                        uint32_t instance, uint32_t transactions)
{
    uint32_t who = source * MODEL_INSTANCES + instance;
    struct writer w = {
        .h = h, .first_key = who * MODEL_KEYS, .next_value = who, .step = MODEL_INSTANCES * MODEL_SOURCES};
    int64_t now[MODEL_KEYS];
    *h = (struct model_history){NULL, 0};
    for (uint32_t k = 0; k < MODEL_KEYS; k++)
        now[k] = -1;
    for (uint32_t t = 0; t < transactions; t++) {
        w.txn = t * MODEL_INSTANCES * MODEL_SOURCES + who;
        uint32_t before = h->count, n = 1 + model_roll(d, model_roll(d, 4) ? 4 : 60);
        bool moves = shape == MODEL_MOVES && model_roll(d, 2);
        for (uint32_t i = 0; i < (moves ? 1 : n); i++) {
            if (shape == MODEL_APPENDS) {
                int64_t value = new_value(&w);
                put(&w, LEAT_INSERT, value, value);
            } else if (moves) {
                move_all(&w, d, now);
            } else {
                update_one(&w, d, now);
            }
        }
        if (h->count > before)
            h->changes[h->count - 1].ends = true;
    }
}

void model_history_fini(struct model_history *h)
{
    free(h->changes);
}

void model_history_apply(const struct model_history *h, uint32_t position, int64_t table[MODEL_KEYS_ALL])
{
    for (uint32_t i = 0; i < position; i++) {
        const struct model_change *x = &h->changes[i];
        if (x->kind == LEAT_INSERT || x->kind == LEAT_UPDATE_AFTER)
            table[x->key] = x->value;
        else if (table[x->key] == x->value)
            table[x->key] = -1;
    }
}

uint32_t model_history_rows(const struct model_history *h, uint32_t position)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < position; i++)
        n += h->changes[i].kind == LEAT_INSERT || h->changes[i].kind == LEAT_UPDATE_AFTER;
    return n;
}

// --- what all components share

static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static leat_status later(struct leat_ctx *ctx, struct model_dice *d)
{
    (void)ctx->host->timer(ctx, model_roll(d, 300), on_timer, NULL);
    return LEAT_AGAIN;
}

static void free_self(struct leat_ctx *ctx, void *self)
{
    free(self);
}

// --- source

struct source {
    struct model_source *config;
    const struct model_history *h;
    struct model_dice dice;
    uint32_t position, instance;
    uint32_t end; // must_catch_up: position from which on caught_up is called
    bool must_catch_up, open;
};

// Before rows are given, rows of the dimension are committed: all of them before the last. How many there are then.
static leat_usec commit_dimension(struct source *s)
{
    struct model_source *d = s->config->dimension;
    leat_usec sum = 0;
    for (uint32_t k = 0; d && k < d->instances; k++) {
        uint32_t now = atomic_load(&d->committed[k]), more = now + model_roll(&s->dice, 8);
        if (more > d->histories[k].count || s->position + s->config->most_rows >= s->h->count)
            more = d->histories[k].count;
        while (more && more < d->histories[k].count && !d->histories[k].changes[more - 1].ends)
            more++; // whole transactions
        while (now < more && !atomic_compare_exchange_weak(&d->committed[k], &now, more))
            continue;
        sum += more > now ? more : now;
    }
    return sum;
}

// How far there is something to give.
static uint32_t there(const struct source *s)
{
    return s->config->paced ? atomic_load(&s->config->committed[s->instance]) : s->h->count;
}

static leat_status source_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = (struct model_source *)(uintptr_t)request->config;
    *self = s;
    return LEAT_OK;
}

static leat_status source_load(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct source *s = self;
    memcpy(&s->position, in->ptr, sizeof s->position);
    return LEAT_OK;
}

static leat_status source_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct source *s = self;
    s->instance = open->instance;
    s->h = &s->config->histories[open->instance];
    s->dice.state = s->config->seed + open->instance * 7919;
    s->must_catch_up = open->catch_up;
    s->end = s->config->paced ? there(s) : s->config->catches_up_at;
    if (s->config->dimension && s->position == s->h->count) // nothing comes that could commit its rest
        commit_dimension(s);
    atomic_store(&s->config->given[s->instance], s->position);
    return LEAT_OK;
}

static leat_status give_end(struct leat_ctx *ctx, struct source *s)
{
    s->open = false;
    struct leat_batch *b = leat_batch_new(ctx, &fake_schema, 1);
    return b ? ctx->host->emit(ctx, 0, b) : leat_no_memory(ctx);
}

// A batch of what comes next; -U is never parted from its +U. Now and then the end of a transaction comes by itself.
static leat_status give(struct leat_ctx *ctx, struct source *s)
{
    uint32_t rows = 1 + model_roll(&s->dice, s->config->most_rows);
    struct leat_batch *b = leat_batch_new(ctx, &fake_schema, rows + 1);
    if (!b || !(b->positions = leat_batch_alloc(b, b->capacity * sizeof *b->positions, 8)) ||
        !(b->times = leat_batch_alloc(b, b->capacity * sizeof *b->times, 8)))
        return leat_no_memory(ctx);
    leat_usec due = commit_dimension(s);
    uint32_t end = there(s);
    const struct model_change *x = NULL;
    while (s->position < end && (b->rows < rows || x->kind == LEAT_UPDATE_BEFORE)) {
        x = &s->h->changes[s->position++];
        uint32_t row = leat_batch_add(b, x->kind);
        b->positions[row] = x->txn;
        b->times[row] = due;
        leat_batch_set_i64(b, 0, row, x->key);
        leat_batch_set_i64(b, 1, row, x->value);
    }
    s->open = !x->ends || model_roll(&s->dice, 6) == 0;
    if (s->open)
        b->flags |= LEAT_BATCH_TXN_OPEN;
    atomic_store(&s->config->given[s->instance], s->position);
    leat_status st = ctx->host->emit(ctx, 0, b);
    return st >= 0 && s->open && x->ends && model_roll(&s->dice, 2) ? give_end(ctx, s) : st;
}

static leat_status source_poll(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    const struct model_change *last = s->position ? &s->h->changes[s->position - 1] : NULL;
    if (s->open && last->ends)
        return give_end(ctx, s);
    if (s->must_catch_up && s->position >= s->end) {
        s->must_catch_up = false;
        ctx->host->caught_up(ctx);
        return LEAT_OK;
    }
    if (s->position == s->h->count)
        return s->config->bounded ? LEAT_END : LEAT_AGAIN;
    if (s->position >= there(s))
        return later(ctx, &s->dice);
    // a replication stream that is idle is so between transactions or in one
    if (model_roll(&s->dice, 10) == 0)
        return later(ctx, &s->dice);
    return give(ctx, s);
}

static leat_status source_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct source *s = self;
    if (s->position && !s->h->changes[s->position - 1].ends)
        atomic_fetch_add(&s->config->split, 1);
    atomic_store(&s->config->saved[out->epoch][s->instance], s->position + 1);
    out->version = 1;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, &s->position, sizeof s->position);
}

static leat_status source_catch_up(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    s->end = there(s);
    s->must_catch_up = true;
    return LEAT_OK;
}

static const struct leat_source_ops source_ops = {
    .struct_size = sizeof source_ops,
    .create = source_create,
    .load_state = source_load,
    .open = source_open,
    .poll = source_poll,
    .save_state = source_save,
    .destroy = free_self,
    .catch_up = source_catch_up,
};
const struct leat_component model_source = {
    .struct_size = sizeof model_source, .kind = LEAT_SOURCE, .name = "model-source", .source = &source_ops};

// --- operators: what they are given, in slices of a few rows

struct op {
    struct model_meet *meet; // NULL: one input
    struct model_dice dice;
    uint32_t next; // row of the batch under way
};

static leat_status op_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct op *o = calloc(1, sizeof *o);
    if (!o)
        return leat_no_memory(ctx);
    o->meet = (struct model_meet *)(uintptr_t)bound;
    o->dice.state = 42;
    *self = o;
    return LEAT_OK;
}

static leat_status give_slice(struct leat_ctx *ctx, struct op *o, const struct leat_batch *in)
{
    uint32_t n = 1 + model_roll(&o->dice, in->rows - o->next);
    if (o->next + n < in->rows && in->kinds[o->next + n - 1] == LEAT_UPDATE_BEFORE)
        n++;
    struct leat_batch *b = leat_batch_new(ctx, in->schema, n);
    if (!b || !(b->positions = leat_batch_alloc(b, n * sizeof *b->positions, 8)) ||
        !(b->times = leat_batch_alloc(b, n * sizeof *b->times, 8)))
        return leat_no_memory(ctx);
    for (uint32_t i = o->next; i < o->next + n; i++) {
        uint32_t row = leat_batch_add(b, in->kinds[i]);
        b->positions[row] = in->positions[i];
        b->times[row] = in->times[i];
        leat_batch_set_i64(b, 0, row, in->columns[0].cells[i].i64);
        leat_batch_set_i64(b, 1, row, in->columns[1].cells[i].i64);
    }
    o->next += n;
    b->flags = in->flags | (o->next < in->rows ? LEAT_BATCH_TXN_OPEN : 0);
    return ctx->host->emit(ctx, 0, b);
}

static leat_status pass(struct leat_ctx *ctx, struct op *o, const struct leat_batch *in)
{
    while (o->next < in->rows) {
        leat_status st = give_slice(ctx, o, in);
        if (st < 0)
            return st;
        if (st == LEAT_AGAIN && o->next < in->rows)
            return LEAT_AGAIN;
    }
    o->next = 0;
    return LEAT_OK;
}

static leat_status op_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct op *o = self;
    struct model_meet *m = o->meet;
    if (m && m->gated && o->next == 0) {
        if (input == 1)
            atomic_fetch_add(&m->first_seen, in->rows);
        else if (atomic_load(&m->first_seen) < m->first)
            atomic_fetch_add(&m->early, 1);
    }
    if (m && m->always && o->next == 0) {
        if (input == 1)
            atomic_fetch_add(&m->first_seen, in->rows);
        else
            for (uint32_t i = 0; i < in->rows; i++)
                if (atomic_load(&m->first_seen) + m->base < in->times[i])
                    atomic_fetch_add(&m->unread, 1);
    }
    return pass(ctx, o, in);
}

static const struct leat_operator_ops op_ops = {
    .struct_size = sizeof op_ops, .create = op_create, .process = op_process, .destroy = free_self};
const struct leat_component model_pass = {
    .struct_size = sizeof model_pass, .kind = LEAT_OPERATOR, .name = "model-pass", .op = &op_ops};
const struct leat_component model_meet = {
    .struct_size = sizeof model_meet, .kind = LEAT_OPERATOR, .name = "model-meet", .op = &op_ops};

// --- a lookup, and who asks it

#define LOOKUP_OPEN 3 // questions; more are refused
#define ASK_OPEN    5

struct lookup {
    struct model_lookup *config;
    struct model_dice dice;
    struct {
        uint64_t ticket;
        const struct leat_batch *keys; // the core's, until answered
    } open[LOOKUP_OPEN];
    uint32_t count;
};

static leat_status lookup_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    struct lookup *l = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    l->config = (struct model_lookup *)(uintptr_t)request->config;
    *self = l;
    return LEAT_OK;
}

static leat_status lookup_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct lookup *l = self;
    l->dice.state = l->config->seed + open->instance * 15485863;
    return LEAT_OK;
}

// Two rows for a key, one, or none; no rows at all may also be no batch.
static leat_status answer(struct leat_ctx *ctx, struct lookup *l, const struct leat_batch *keys, uint64_t ticket)
{
    uint32_t *of = calloc(keys->rows * 2 + 1, sizeof *of);
    struct leat_batch *b = leat_batch_new(ctx, &fake_schema, keys->rows * 2 + 1);
    if (!of || !b)
        return leat_no_memory(ctx);
    for (uint32_t k = 0; k < keys->rows; k++) {
        int64_t key = keys->columns[0].cells[k].i64;
        for (int64_t i = 0; i < key % 3; i++) {
            uint32_t row = leat_batch_add(b, LEAT_INSERT);
            leat_batch_set_i64(b, 0, row, key);
            leat_batch_set_i64(b, 1, row, key * 10 + i);
            of[row] = k;
        }
    }
    if (b->rows == 0 && model_roll(&l->dice, 2)) {
        leat_batch_unref(b);
        b = NULL;
    }
    ctx->host->lookup_answer(ctx, ticket, b, of);
    free(of);
    return LEAT_OK;
}

static leat_status answer_some(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct lookup *l = arg;
    for (uint32_t n = 1 + model_roll(&l->dice, LOOKUP_OPEN); n && l->count; n--) {
        uint32_t i = model_roll(&l->dice, l->count);
        const struct leat_batch *keys = l->open[i].keys;
        uint64_t ticket = l->open[i].ticket;
        l->open[i] = l->open[--l->count];
        leat_status st = answer(ctx, l, keys, ticket);
        if (st < 0)
            return st;
    }
    ctx->host->wake(ctx); // there is room
    if (l->count)
        (void)ctx->host->timer(ctx, model_roll(&l->dice, 300), answer_some, l);
    return LEAT_OK;
}

static leat_status lookup_asked(struct leat_ctx *ctx, void *self, const uint32_t *key_columns, uint32_t key_count,
                                const struct leat_batch *keys, uint64_t ticket)
{
    struct lookup *l = self;
    if (l->count == LOOKUP_OPEN || model_roll(&l->dice, 8) == 0) {
        (void)ctx->host->timer(ctx, model_roll(&l->dice, 300), answer_some, l);
        return LEAT_AGAIN;
    }
    atomic_fetch_add(&l->config->asked, 1);
    if (model_roll(&l->dice, 3) == 0)
        return answer(ctx, l, keys, ticket);
    l->open[l->count].ticket = ticket;
    l->open[l->count++].keys = keys;
    (void)ctx->host->timer(ctx, model_roll(&l->dice, 300), answer_some, l);
    return LEAT_OK;
}

static const struct leat_lookup_ops lookup_ops = {.struct_size = sizeof lookup_ops,
                                                  .create = lookup_create,
                                                  .open = lookup_open,
                                                  .ask = lookup_asked,
                                                  .destroy = free_self};
const struct leat_component model_lookup = {
    .struct_size = sizeof model_lookup, .kind = LEAT_LOOKUP, .name = "model-lookup", .lookup = &lookup_ops};

// Batches are given on in their order, however the answers come.
struct ask {
    struct op op; // first: gives slices
    struct model_lookup *config;
    struct {
        uint64_t ticket;
        const struct leat_batch *batch;
        bool answered;
    } open[ASK_OPEN]; // oldest first
    uint32_t count;
    uint64_t tickets;
};

static leat_status ask_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct ask *a = calloc(1, sizeof *a);
    if (!a)
        return leat_no_memory(ctx);
    a->config = (struct model_lookup *)(uintptr_t)bound;
    a->op.dice.state = 43;
    *self = a;
    return LEAT_OK;
}

static leat_status ask_process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct ask *a = self;
    if (a->count == ASK_OPEN)
        return LEAT_AGAIN;
    struct leat_batch *keys = leat_batch_new(ctx, &fake_schema, in->rows);
    if (!keys)
        return leat_no_memory(ctx);
    for (uint32_t i = 0; i < in->rows; i++) {
        uint32_t row = leat_batch_add(keys, LEAT_INSERT);
        leat_batch_set_i64(keys, 0, row, in->columns[0].cells[i].i64);
        leat_batch_set_null(keys, 1, row);
    }
    ctx->host->batch_ref(in);
    a->open[a->count].ticket = ++a->tickets;
    a->open[a->count].answered = false;
    a->open[a->count++].batch = in;
    leat_status st = ctx->host->lookup_ask(ctx, 1, keys, a->tickets);
    leat_batch_unref(keys);
    return st;
}

static void check_answer(struct ask *a, const struct leat_batch *asked, const struct leat_batch *rows,
                         const uint32_t *key_of_row)
{
    int64_t due = 0;
    for (uint32_t i = 0; i < asked->rows; i++)
        due += asked->columns[0].cells[i].i64 % 3;
    if (due != (rows ? rows->rows : 0))
        atomic_fetch_add(&a->config->wrong, 1);
    for (uint32_t r = 0; rows && r < rows->rows; r++)
        if (rows->columns[0].cells[r].i64 != asked->columns[0].cells[key_of_row[r]].i64)
            atomic_fetch_add(&a->config->wrong, 1);
}

static leat_status ask_answer(struct leat_ctx *ctx, void *self, uint64_t ticket, const struct leat_batch *rows,
                              const uint32_t *key_of_row)
{
    struct ask *a = self;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->open[i].ticket == ticket && !a->open[i].answered) {
            a->open[i].answered = true;
            check_answer(a, a->open[i].batch, rows, key_of_row);
        }
    while (a->count && a->open[0].answered) {
        leat_status st = pass(ctx, &a->op, a->open[0].batch);
        if (st != LEAT_OK)
            return st;
        ctx->host->batch_unref(a->open[0].batch);
        memmove(a->open, a->open + 1, --a->count * sizeof a->open[0]);
    }
    return LEAT_OK;
}

static void ask_destroy(struct leat_ctx *ctx, void *self)
{
    struct ask *a = self;
    for (uint32_t i = 0; a && i < a->count; i++)
        ctx->host->batch_unref(a->open[i].batch);
    free(a);
}

static const struct leat_operator_ops ask_ops = {.struct_size = sizeof ask_ops,
                                                 .create = ask_create,
                                                 .process = ask_process,
                                                 .process_answer = ask_answer,
                                                 .destroy = ask_destroy};
const struct leat_component model_ask = {
    .struct_size = sizeof model_ask, .kind = LEAT_OPERATOR, .name = "model-ask", .op = &ask_ops};

// --- sink

struct sink {
    struct model_sink *config;
    struct model_dice dice;
    uint32_t instance;
    bool refused;
};

static leat_status sink_create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = (struct model_sink *)(uintptr_t)bound;
    *self = s;
    return LEAT_OK;
}

static leat_status sink_open(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct sink *s = self;
    s->instance = open->instance;
    s->dice.state = s->config->seed + open->instance * 104729;
    return LEAT_OK;
}

static void take_row(struct sink *s, const struct leat_batch *b, uint32_t i)
{
    struct model_sink *c = s->config;
    int64_t key = b->columns[0].cells[i].i64, value = b->columns[1].cells[i].i64;
    bool comes = b->kinds[i] == LEAT_INSERT || b->kinds[i] == LEAT_UPDATE_AFTER;
    if (comes) {
        c->rows++;
        if (value < c->values && c->taken[value] < 255)
            c->taken[value]++;
        if (c->in_order && c->shape != MODEL_APPENDS) {
            c->late += value <= c->newest[key];
            c->newest[key] = value;
        }
    }
    if (c->shape == MODEL_APPENDS)
        return;
    c->table[key].value = comes ? value : -1;
    c->table[key].owner = s->instance;
}

static leat_status sink_write(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct sink *s = self;
    if (!s->refused && model_roll(&s->dice, 12) == 0) {
        s->refused = true;
        return later(ctx, &s->dice);
    }
    s->refused = false;
    pthread_mutex_lock(&s->config->lock);
    for (uint32_t i = 0; i < b->rows; i++)
        take_row(s, b, i);
    pthread_mutex_unlock(&s->config->lock);
    return LEAT_OK;
}

static leat_status sink_flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct sink *s = self;
    return how == LEAT_FLUSH_DURABLE && model_roll(&s->dice, 3) == 0 ? later(ctx, &s->dice) : LEAT_OK;
}

static leat_status sink_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct sink *s = self;
    struct model_sink *c = s->config;
    pthread_mutex_lock(&c->lock);
    for (uint32_t k = 0; k < MODEL_KEYS_ALL; k++) {
        if (c->table[k].owner != s->instance)
            continue;
        c->twice += c->at[out->epoch][k] >= 0;
        c->at[out->epoch][k] = c->table[k].value;
    }
    pthread_mutex_unlock(&c->lock);
    return LEAT_OK;
}

static const struct leat_sink_ops sink_ops = {
    .struct_size = sizeof sink_ops,
    .create = sink_create,
    .open = sink_open,
    .write = sink_write,
    .flush = sink_flush,
    .save_state = sink_save,
    .destroy = free_self,
};
const struct leat_component model_sink = {
    .struct_size = sizeof model_sink, .kind = LEAT_SINK, .name = "model-sink", .sink = &sink_ops};

void model_sink_init(struct model_sink *s, uint32_t values)
{
    pthread_mutex_init(&s->lock, NULL);
    s->values = values;
    s->taken = calloc(values, 1);
    for (uint32_t k = 0; k < MODEL_KEYS_ALL; k++)
        s->table[k].value = -1;
    memset(s->at, 0xff, sizeof s->at);
}

void model_sink_start(struct model_sink *s)
{
    memset(s->newest, 0xff, sizeof s->newest);
}

void model_sink_fini(struct model_sink *s)
{
    pthread_mutex_destroy(&s->lock);
    free(s->taken);
}
