// SPDX-License-Identifier: Apache-2.0
// Lookup joins: rows wait for an answer, are joined with it and go on; see exec.h and plan_lookup.c.
//
// Every lookup of the query has a looker with a queue of batches. One question is under way at a time; what arrives
// meanwhile goes into the next one together, so the pace does not hang on the time a question takes. Equal keys of a
// question are asked for once. A looker hands its rows to the next one, the last one to the stage. Batches leave in the
// order in which they came.
//
// A queue takes batches until it holds QUEUE_ROWS rows or QUEUE_BYTES; then the core keeps the next one. A looker does
// not ask while the next one's queue is full, and keeps its answer until there is room again: the core gives answers in
// order, so that one which is not taken would be in the way of the next looker's own.
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "exec.h"
#include "hash.h"
#include "keyed_row.h"

#define QUEUE_ROWS    8192u
#define QUEUE_BYTES   ((size_t)8 << 20)
#define QUESTION_ROWS 8192u
#define KEYS_BYTES    ((size_t)256 << 20) // most bytes of a question's keys

// What a row has instead of a key.
#define LOOKUP_NO_KEY    (UINT32_MAX)     // it is not asked for and has no partner
#define LOOKUP_LEFT_OUT  (UINT32_MAX - 1) // nothing comes of it
#define LOOKUP_DELETION  (UINT32_MAX - 2) // upserts: its key is deleted
#define LOOKUP_IS_KEY(k) ((k) < LOOKUP_DELETION)

#define LOOKUP_NO_ROW UINT32_MAX

struct lookup_waiting {
    struct lookup_waiting *next;
    const struct leat_batch *batch; // a reference
    uint8_t asked;
    uint32_t key_of_row[]; // row of the question's keys
};

// The keys of the question that is being made: distinct ones, found by their encoded form.
struct key_set {
    struct buf bytes;
    size_t *ends; // by key row: where its bytes end
    uint32_t *slots;
    uint32_t mask;
};

// What the rows of a key are.
struct lookup_partners {
    uint32_t *first; // by key row, one more than there are keys: positions in `rows`
    uint32_t *rows;  // of the answer
};

struct sql_looker {
    const struct sql_lookup *lookup;
    struct leat_schema schema; // of the keys
    struct leat_field *fields;
    struct lookup_waiting *head, **tail;
    uint32_t rows;
    size_t bytes;
    struct leat_batch *keys;         // of the question under way, or NULL
    const struct leat_batch *answer; // a reference, or NULL; while answering
    struct lookup_partners partners;
    uint32_t row, partner; // of the first batch: where its output stands
    uint32_t met_row;      // a row whose partners were looked through in part …
    uint8_t met;           // … and whether one was accepted
    uint8_t answering;
};

struct sql_lookups {
    uint32_t count;
    struct sql_looker *lookers;
    const struct sql_branch *branch;
    uint8_t upsert;
    uint32_t needed_count;
    uint32_t *needed;           // columns by number that anything reads
    struct leat_column *joined; // by number; memory for the needed ones
    struct leat_schema wide;    // of rows between two lookups: all columns
    struct leat_field *wide_fields;
    uint32_t *asked_with; // columns of the stream that questions rest on
    uint32_t asked_with_count;
    // a block of joined rows
    uint32_t count_rows;
    uint32_t left[SQL_VEC_MAX], right[SQL_VEC_MAX];
    uint8_t kinds[SQL_VEC_MAX], last_chance[SQL_VEC_MAX];
    leat_usec times[SQL_VEC_MAX];
    uint64_t positions[SQL_VEC_MAX];
};

// --- life

static leat_status make_looker(struct leat_ctx *ctx, struct sql_looker *k, const struct sql_lookup *l)
{
    k->lookup = l;
    k->tail = &k->head;
    k->met_row = LOOKUP_NO_ROW;
    k->fields = calloc(l->key_count, sizeof *k->fields);
    if (!k->fields)
        return leat_no_memory(ctx);
    for (uint32_t i = 0; i < l->key_count; i++)
        k->fields[i].type = *l->keys[i]->type;
    k->schema =
        (struct leat_schema){.struct_size = sizeof k->schema, .column_count = l->key_count, .columns = k->fields};
    return LEAT_OK;
}

static void mark(const struct sql_expr *e, uint8_t *used)
{
    if (e)
        plan_mark_columns(e, used);
}

// Which columns are read by anybody, and which ones of the stream a question rests on.
static int note_columns(struct sql_lookups *l, const struct sql_plan *p)
{
    const struct sql_branch *b = l->branch;
    uint32_t total = p->first[p->input_count] + 1;
    uint8_t *used = calloc(total, 1);
    l->needed = calloc(total, sizeof *l->needed);
    l->asked_with = calloc(total, sizeof *l->asked_with);
    if (!used || !l->needed || !l->asked_with) {
        free(used);
        return -1;
    }
    mark(b->before, used);
    for (uint32_t i = 0; i < b->lookup_count; i++) {
        mark(b->lookups[i].guard, used);
        mark(b->lookups[i].rest, used);
        for (uint32_t k = 0; k < b->lookups[i].key_count; k++)
            mark(b->lookups[i].keys[k], used);
    }
    for (uint32_t c = p->first[b->input]; c < p->first[b->input + 1]; c++)
        if (used[c])
            l->asked_with[l->asked_with_count++] = c;
    mark(b->filter, used);
    for (uint32_t c = 0; c < p->out_count; c++)
        mark(b->out[c], used);
    for (uint32_t c = 0; c + 1 < total; c++)
        if (used[c])
            l->needed[l->needed_count++] = c;
    free(used);
    return 0;
}

static int make_columns(struct sql_lookups *l, const struct sql_plan *p)
{
    uint32_t total = p->first[p->input_count] + 1;
    l->joined = calloc(total, sizeof *l->joined);
    l->wide_fields = calloc(total, sizeof *l->wide_fields);
    if (!l->joined || !l->wide_fields)
        return -1;
    for (uint32_t i = 0; i < p->input_count; i++)
        for (uint32_t c = 0; c < p->inputs[i].schema->column_count; c++)
            l->wide_fields[p->first[i] + c] = p->inputs[i].schema->columns[c];
    l->wide = (struct leat_schema){.struct_size = sizeof l->wide, .column_count = total - 1, .columns = l->wide_fields};
    for (uint32_t i = 0; i < l->needed_count; i++) {
        struct leat_column *c = &l->joined[l->needed[i]];
        c->cells = aligned_alloc(16, SQL_VEC_MAX * sizeof *c->cells);
        c->states = calloc(SQL_VEC_MAX, 1);
        if (!c->cells || !c->states)
            return -1;
    }
    return 0;
}

leat_status sql_lookups_create(struct leat_ctx *ctx, struct sql_exec *x)
{
    const struct sql_branch *b = &x->plan->branches[0];
    struct sql_lookups *l = x->lookups = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    l->branch = b;
    l->upsert = x->plan->mode == LEAT_MODE_UPSERT;
    l->lookers = calloc(b->lookup_count, sizeof *l->lookers);
    if (!l->lookers || note_columns(l, x->plan) || make_columns(l, x->plan))
        return leat_no_memory(ctx);
    for (; l->count < b->lookup_count; l->count++)
        if (make_looker(ctx, &l->lookers[l->count], &b->lookups[l->count]) != LEAT_OK)
            return LEAT_RESOURCE;
    return LEAT_OK;
}

static void pop(struct sql_looker *k)
{
    struct lookup_waiting *w = k->head;
    k->head = w->next;
    if (!k->head)
        k->tail = &k->head;
    k->rows -= w->batch->rows;
    k->bytes -= w->batch->arena_bytes;
    k->row = k->partner = 0;
    k->met_row = LOOKUP_NO_ROW; // here and not where a batch is gone on with: its first row may be half done
    leat_batch_unref(w->batch);
    free(w);
}

static void end_question(struct sql_looker *k)
{
    leat_batch_unref(k->keys);
    k->keys = NULL;
    leat_batch_unref(k->answer);
    k->answer = NULL;
    free(k->partners.first);
    free(k->partners.rows);
    k->partners = (struct lookup_partners){NULL, NULL};
    k->answering = 0;
}

void sql_lookups_destroy(struct sql_lookups *l, const struct sql_plan *p)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->count; i++) {
        end_question(&l->lookers[i]);
        while (l->lookers[i].head)
            pop(&l->lookers[i]);
        free(l->lookers[i].fields);
    }
    for (uint32_t c = 0; l->joined && c < p->first[p->input_count]; c++) {
        free(l->joined[c].cells);
        free(l->joined[c].states);
    }
    free(l->joined);
    free(l->wide_fields);
    free(l->needed);
    free(l->asked_with);
    free(l->lookers);
    free(l);
}

// --- the keys of a question

static int set_init(struct key_set *s, uint32_t rows)
{
    uint32_t slots = 16;
    while (slots < rows * 2)
        slots *= 2;
    *s = (struct key_set){.mask = slots - 1};
    buf_init(&s->bytes, KEYS_BYTES);
    s->slots = calloc(slots, sizeof *s->slots);
    s->ends = calloc(rows + 1, sizeof *s->ends);
    return s->slots && s->ends ? 0 : -1;
}

static void set_fini(struct key_set *s)
{
    buf_fini(&s->bytes);
    free(s->slots);
    free(s->ends);
}

// Finds the key whose bytes were put last among the `count` before it. LOOKUP_NO_KEY = it is new.
static uint32_t set_find(struct key_set *s, uint32_t count)
{
    size_t start = count ? s->ends[count - 1] : 0, len = s->bytes.len - start;
    uint32_t at = (uint32_t)hash_bytes(s->bytes.ptr + start, len, 0) & s->mask;
    for (; s->slots[at]; at = (at + 1) & s->mask) {
        uint32_t key = s->slots[at] - 1;
        size_t from = key ? s->ends[key - 1] : 0;
        if (s->ends[key] - from == len && memcmp(s->bytes.ptr + from, s->bytes.ptr + start, len) == 0) {
            s->bytes.len = start;
            return key;
        }
    }
    s->slots[at] = count + 1;
    s->ends[count] = s->bytes.len;
    return LOOKUP_NO_KEY;
}

static int put_key(struct sql_looker *k, const struct sql_vec *v, uint32_t row)
{
    uint32_t to = leat_batch_add(k->keys, LEAT_INSERT);
    for (uint32_t c = 0; c < k->lookup->key_count; c++) {
        const union leat_cell *cell = &v[c].cells[sql_vec_at(&v[c], row)];
        if (!leat_type_is_bytes(k->fields[c].type.kind)) {
            k->keys->columns[c].cells[to] = *cell;
            leat_batch_set_state(k->keys, c, to, LEAT_VALUE);
        } else if (!leat_batch_set_bytes(k->keys, c, to, cell->bytes.ptr, cell->bytes.len)) {
            return -1;
        }
    }
    return 0;
}

// The number of the row's key, which may be new. LOOKUP_LEFT_OUT = no memory.
static uint32_t key_of(struct sql_looker *k, struct key_set *s, const struct sql_vec *v, uint32_t row)
{
    size_t start = s->bytes.len;
    for (uint32_t c = 0; c < k->lookup->key_count; c++) {
        uint32_t at = sql_vec_at(&v[c], row);
        if (keyed_part_encode(&s->bytes, &k->fields[c].type, &v[c].cells[at], v[c].states[at])) {
            s->bytes.len = start;
            return LOOKUP_NO_KEY;
        }
    }
    if (!buf_ok(&s->bytes))
        return LOOKUP_LEFT_OUT;
    uint32_t key = set_find(s, k->keys->rows);
    if (key != LOOKUP_NO_KEY)
        return key;
    return put_key(k, v, row) ? LOOKUP_LEFT_OUT : k->keys->rows - 1;
}

// --- which rows of a batch are asked for

struct slice {
    struct leat_ctx *ctx;
    struct sql_exec *x;
    const struct leat_batch *b;
    uint32_t first, count;
    uint32_t *key_of_row; // of the slice
    uint16_t rows[SQL_VEC_MAX];
    uint8_t dropped[SQL_VEC_MAX];
    struct sql_sel sel;
};

static int same_row_key(const struct leat_batch *b, uint32_t one, uint32_t other)
{
    for (uint32_t i = 0; i < b->schema->key_count; i++) {
        const struct leat_column *c = &b->columns[b->schema->key[i]];
        const struct leat_type *t = &b->schema->columns[b->schema->key[i]].type;
        if (c->states[one] != LEAT_VALUE || c->states[other] != LEAT_VALUE ||
            sql_cell_compare(t, &c->cells[one], &c->cells[other]) != 0)
            return 0;
    }
    return 1;
}

// Changes as upserts: deletions go by key, and so do rows whose key an update has left.
static uint32_t by_kind(const struct slice *s, uint32_t row)
{
    const struct leat_batch *b = s->b;
    if (!s->x->lookups->upsert)
        return LOOKUP_NO_KEY;
    if (b->kinds[row] == LEAT_DELETE)
        return LOOKUP_DELETION;
    if (b->kinds[row] != LEAT_UPDATE_BEFORE)
        return LOOKUP_NO_KEY;
    int stays = row + 1 < b->rows && b->kinds[row + 1] == LEAT_UPDATE_AFTER && same_row_key(b, row, row + 1);
    return stays ? LOOKUP_LEFT_OUT : LOOKUP_DELETION;
}

static void choose_rows(struct slice *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        s->dropped[i] = 0;
        s->key_of_row[i] = by_kind(s, s->first + i);
        if (s->key_of_row[i] == LOOKUP_NO_KEY)
            s->rows[n++] = (uint16_t)i;
    }
    s->sel = (struct sql_sel){s->rows, n};
}

static leat_status unsent(struct slice *s, uint32_t column)
{
    const struct sql_plan *p = s->x->plan;
    uint32_t input = s->x->lookups->branch->input;
    const struct leat_bytes *name = &p->inputs[input].schema->columns[column - p->first[input]].name;
    leat_fail(s->ctx, LEAT_DATA, SQL_CODE_SENT, "column '%.*s' of a changed row was not sent", (int)name->len,
              (const char *)name->ptr);
    leat_error_hint(s->ctx, "Have the source fetch unchanged values: unchanged.toast = \"reselect\".");
    return sql_exec_bad_row(s->ctx);
}

// A question cannot rest on a value that was not sent.
static leat_status refuse_unsent(struct slice *s)
{
    const struct sql_lookups *l = s->x->lookups;
    for (uint32_t i = 0; i < l->asked_with_count; i++) {
        const uint8_t *states = s->x->columns[l->asked_with[i]].states;
        uint32_t n = 0;
        for (uint32_t k = 0; k < s->sel.count; k++) {
            uint16_t row = s->rows[k];
            if (states[row] != LEAT_UNCHANGED) {
                s->rows[n++] = row;
                continue;
            }
            leat_status st = unsent(s, l->asked_with[i]);
            if (st != LEAT_OK)
                return st;
            s->dropped[row] = 1;
        }
        s->sel.count = n;
    }
    return LEAT_OK;
}

// Rows that fail the condition get `otherwise` instead of a key.
static leat_status only_where(struct slice *s, const struct sql_expr *e, uint32_t otherwise)
{
    struct sql_vec v;
    if (!e || !s->sel.count)
        return LEAT_OK;
    leat_status st = sql_exec_eval(s->ctx, s->x, e, &s->sel, s->rows, s->dropped, &v);
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->sel.count && st == LEAT_OK; k++) {
        uint16_t row = s->rows[k];
        uint32_t at = sql_vec_at(&v, row);
        if (v.states[at] == LEAT_VALUE && v.cells[at].i64)
            s->rows[n++] = row;
        else
            s->key_of_row[row] = otherwise;
    }
    s->sel.count = n;
    return st;
}

static leat_status find_keys(struct slice *s, struct sql_looker *k, struct key_set *set)
{
    struct sql_vec *v = sql_arena_alloc(&s->x->ev.arena, k->lookup->key_count * sizeof *v);
    if (!v)
        return leat_no_memory(s->ctx);
    leat_status st = LEAT_OK;
    for (uint32_t c = 0; c < k->lookup->key_count && st == LEAT_OK && s->sel.count; c++)
        st = sql_exec_eval(s->ctx, s->x, k->lookup->keys[c], &s->sel, s->rows, s->dropped, &v[c]);
    for (uint32_t i = 0; i < s->sel.count && st == LEAT_OK; i++) {
        uint32_t key = key_of(k, set, v, s->rows[i]);
        s->key_of_row[s->rows[i]] = key;
        if (key == LOOKUP_LEFT_OUT)
            st = leat_no_memory(s->ctx);
    }
    for (uint32_t i = 0; i < s->count; i++)
        if (s->dropped[i])
            s->key_of_row[i] = LOOKUP_LEFT_OUT;
    return st;
}

static void show(struct sql_exec *x, uint32_t base, const struct leat_batch *b, uint32_t first)
{
    for (uint32_t c = 0; c < b->column_count; c++)
        if (b->columns[c].cells)
            x->columns[base + c] = (struct sql_vec){b->columns[c].cells + first, b->columns[c].states + first, 0};
}

// The first looker reads the stream's columns, the others all of them.
static uint32_t lookup_base(const struct sql_exec *x, const struct sql_looker *k)
{
    return k == x->lookups->lookers ? x->plan->first[x->lookups->branch->input] : 0;
}

static leat_status keys_of_batch(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                                 struct lookup_waiting *w, struct key_set *set)
{
    const struct sql_branch *b = x->lookups->branch;
    int is_first = k == x->lookups->lookers;
    leat_status st = LEAT_OK;
    struct slice s = {.ctx = ctx, .x = x, .b = w->batch};
    for (s.first = 0; s.first < w->batch->rows && st == LEAT_OK; s.first += s.count) {
        s.count = w->batch->rows - s.first < SQL_VEC_MAX ? w->batch->rows - s.first : SQL_VEC_MAX;
        s.key_of_row = w->key_of_row + s.first;
        show(x, lookup_base(x, k), w->batch, s.first);
        x->ev.rows = s.count;
        choose_rows(&s);
        if (is_first)
            st = refuse_unsent(&s);
        if (st == LEAT_OK && is_first)
            st = only_where(&s, b->before, x->lookups->upsert ? LOOKUP_DELETION : LOOKUP_LEFT_OUT);
        if (st == LEAT_OK)
            st = only_where(&s, k->lookup->guard, LOOKUP_NO_KEY);
        if (st == LEAT_OK)
            st = find_keys(&s, k, set);
        sql_evaluator_reset(&x->ev);
    }
    return st;
}

// Puts what waits into one question.
static leat_status lookup_ask(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    uint32_t rows = 0;
    struct key_set set;
    struct lookup_waiting *end = k->head;
    for (; end && (!rows || rows + end->batch->rows <= QUESTION_ROWS); end = end->next)
        rows += end->batch->rows;
    if (!rows)
        return LEAT_OK;
    x->ev.now = ctx->host->now(ctx);
    leat_status st = set_init(&set, rows) ? leat_no_memory(ctx) : LEAT_OK;
    k->keys = st == LEAT_OK ? leat_batch_new(ctx, &k->schema, rows) : NULL;
    if (!k->keys)
        st = leat_no_memory(ctx);
    for (struct lookup_waiting *w = k->head; w != end && st == LEAT_OK; w = w->next) {
        w->asked = 1;
        st = keys_of_batch(ctx, x, k, w, &set);
    }
    set_fini(&set);
    return st == LEAT_OK ? ctx->host->lookup_ask(ctx, k->lookup->input, k->keys, (uint64_t)(k - x->lookups->lookers))
                         : st;
}

// --- queues

static int is_full(const struct sql_looker *k)
{
    return k->rows >= QUEUE_ROWS || k->bytes >= QUEUE_BYTES;
}

static leat_status lookup_add(struct leat_ctx *ctx, struct sql_looker *k, const struct leat_batch *b)
{
    struct lookup_waiting *w = malloc(sizeof *w + b->rows * sizeof *w->key_of_row);
    if (!w)
        return leat_no_memory(ctx);
    ctx->host->batch_ref(b);
    *w = (struct lookup_waiting){.batch = b};
    *k->tail = w;
    k->tail = &w->next;
    k->rows += b->rows;
    k->bytes += b->arena_bytes;
    return LEAT_OK;
}

// The last lookers first: they make room for those before them.
static leat_status ask_what_waits(struct leat_ctx *ctx, struct sql_exec *x)
{
    struct sql_lookups *l = x->lookups;
    for (uint32_t i = l->count; i-- > 0;) {
        struct sql_looker *k = &l->lookers[i];
        if (k->keys || !k->head || (i + 1 < l->count && is_full(&l->lookers[i + 1])))
            continue;
        leat_status st = lookup_ask(ctx, x, k);
        if (st != LEAT_OK)
            return st;
    }
    return LEAT_OK;
}

leat_status sql_lookups_process(struct leat_ctx *ctx, struct sql_exec *x, const struct leat_batch *b)
{
    struct sql_looker *first = &x->lookups->lookers[0];
    if (is_full(first))
        return LEAT_AGAIN;
    leat_status st = lookup_add(ctx, first, b);
    return st == LEAT_OK ? ask_what_waits(ctx, x) : st;
}

// --- joining

// Sorts the answer's rows by key.
static int lookup_find_partners(struct sql_looker *k, const struct leat_batch *rows, const uint32_t *key_of_row)
{
    uint32_t keys = k->keys->rows, count = rows ? rows->rows : 0;
    uint32_t *first = k->partners.first = calloc(keys + 2, sizeof *first);
    uint32_t *order = k->partners.rows = calloc(count + 1, sizeof *order);
    if (!first || !order)
        return -1;
    for (uint32_t r = 0; r < count; r++)
        first[key_of_row[r] + 2]++;
    for (uint32_t i = 2; i < keys + 2; i++)
        first[i] += first[i - 1];
    for (uint32_t r = 0; r < count; r++)
        order[first[key_of_row[r] + 1]++] = r;
    return 0;
}

static void put(struct sql_lookups *l, const struct leat_batch *b, uint32_t row, uint32_t right, uint8_t kind,
                uint8_t last_chance)
{
    uint32_t n = l->count_rows++;
    l->left[n] = row;
    l->right[n] = right;
    l->kinds[n] = kind;
    l->last_chance[n] = last_chance;
    l->times[n] = b->times ? b->times[row] : LEAT_TIME_NONE;
    l->positions[n] = b->positions ? b->positions[row] : 0;
}

static leat_status too_many(struct leat_ctx *ctx, struct sql_exec *x, const struct sql_looker *k)
{
    const struct sql_table *t = x->plan->query->tables[k->lookup->input];
    const struct leat_bytes *name = &t->names[t->name_count - 1].text;
    leat_fail(ctx, LEAT_DATA, SQL_CODE_ROW, "the lookup '%.*s' gave several rows for one primary key", (int)name->len,
              (const char *)name->ptr);
    leat_error_hint(ctx, "Its primary-key in the pipeline file is not what the table is unique by.");
    return sql_exec_bad_row(ctx);
}

// Candidates of rows into the block, until it is full or the batch is done. Where a row stays without an accepted
// partner, its last chance is a row without one (left join), or the deletion of its key (upserts).
static leat_status fill(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    struct sql_lookups *l = x->lookups;
    const struct lookup_waiting *w = k->head;
    const struct leat_batch *b = w->batch;
    l->count_rows = 0;
    for (; k->row < b->rows; k->row++, k->partner = 0) {
        uint32_t key = w->key_of_row[k->row];
        if (key == LOOKUP_LEFT_OUT)
            continue;
        if (l->count_rows == SQL_VEC_MAX)
            return LEAT_OK;
        if (key == LOOKUP_DELETION) {
            put(l, b, k->row, LOOKUP_NO_ROW, LEAT_DELETE, 0);
            continue;
        }
        uint32_t from = LOOKUP_IS_KEY(key) ? k->partners.first[key] : 0;
        uint32_t count = LOOKUP_IS_KEY(key) ? k->partners.first[key + 1] - from : 0;
        if (l->upsert && count > 1) {
            leat_status st = too_many(ctx, x, k);
            if (st != LEAT_OK)
                return st;
            continue;
        }
        while (k->partner < count && l->count_rows < SQL_VEC_MAX)
            put(l, b, k->row, k->partners.rows[from + k->partner++], b->kinds[k->row], 0);
        if (k->partner < count)
            return LEAT_OK;
        if (!(k->lookup->outer || l->upsert) || (count && !k->lookup->rest))
            continue;
        if (l->count_rows == SQL_VEC_MAX)
            return LEAT_OK;
        put(l, b, k->row, LOOKUP_NO_ROW, k->lookup->outer ? b->kinds[k->row] : LEAT_DELETE, 1);
    }
    return LEAT_OK;
}

// Columns of the block, by number.
static void gather(struct sql_exec *x, const struct sql_looker *k, const struct leat_batch *b,
                   const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    uint32_t base = lookup_base(x, k), from = x->plan->first[k->lookup->input],
             to = x->plan->first[k->lookup->input + 1];
    for (uint32_t i = 0; i < l->needed_count; i++) {
        uint32_t number = l->needed[i];
        struct leat_column *out = &l->joined[number];
        x->columns[number] = (struct sql_vec){out->cells, out->states, 0};
        if (number >= from && number < to) {
            const struct leat_column *in = answer ? &answer->columns[number - from] : NULL;
            for (uint32_t r = 0; r < l->count_rows; r++) {
                uint32_t at = in ? l->right[r] : LOOKUP_NO_ROW;
                out->states[r] = at != LOOKUP_NO_ROW                       ? in->states[at]
                                 : l->upsert && l->kinds[r] == LEAT_DELETE ? LEAT_ABSENT
                                                                           : LEAT_NULL;
                if (at != LOOKUP_NO_ROW)
                    out->cells[r] = in->cells[at];
            }
        } else if (number >= base && number - base < b->column_count && b->columns[number - base].cells) {
            const struct leat_column *in = &b->columns[number - base];
            for (uint32_t r = 0; r < l->count_rows; r++) {
                out->cells[r] = in->cells[l->left[r]];
                out->states[r] = in->states[l->left[r]];
            }
        }
    }
}

static void keep(struct sql_lookups *l, uint32_t to, uint32_t from)
{
    l->left[to] = l->left[from];
    l->right[to] = l->right[from];
    l->kinds[to] = l->kinds[from];
    l->times[to] = l->times[from];
    l->positions[to] = l->positions[from];
}

// Candidates that fail the rest of the condition are no partners.
static leat_status accept(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    struct sql_lookups *l = x->lookups;
    uint16_t rows[SQL_VEC_MAX];
    uint8_t dropped[SQL_VEC_MAX] = {0}, accepted[SQL_VEC_MAX] = {0};
    struct sql_sel sel = {rows, 0};
    struct sql_vec v;
    for (uint32_t r = 0; r < l->count_rows; r++)
        if (l->right[r] != LOOKUP_NO_ROW)
            rows[sel.count++] = (uint16_t)r;
    x->ev.rows = l->count_rows;
    leat_status st = sel.count ? sql_exec_eval(ctx, x, k->lookup->rest, &sel, rows, dropped, &v) : LEAT_OK;
    if (st != LEAT_OK)
        return st;
    for (uint32_t i = 0; i < sel.count; i++) {
        uint32_t at = sql_vec_at(&v, rows[i]);
        accepted[rows[i]] = v.states[at] == LEAT_VALUE && v.cells[at].i64;
    }
    uint32_t n = 0;
    for (uint32_t r = 0; r < l->count_rows; r++) {
        if (l->left[r] != k->met_row) {
            k->met_row = l->left[r];
            k->met = 0;
        }
        k->met |= accepted[r] | dropped[r];
        if (l->right[r] != LOOKUP_NO_ROW ? accepted[r] : !l->last_chance[r] || !k->met)
            keep(l, n++, r);
    }
    l->count_rows = n;
    return LEAT_OK;
}

// A batch of all columns for the next looker.
static leat_status hand_on(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                           const struct leat_batch *answer, uint32_t flags)
{
    struct sql_lookups *l = x->lookups;
    const struct leat_batch *b = k->head->batch;
    struct leat_batch *out = ctx->host->batch_create(ctx, &l->wide, l->count_rows, 1);
    int ok =
        out && ctx->host->batch_keep(out, b) == LEAT_OK && (!answer || ctx->host->batch_keep(out, answer) == LEAT_OK);
    for (uint32_t i = 0; i < l->needed_count && ok; i++) {
        uint32_t c = l->needed[i];
        ok = leat_batch_own_column(out, c);
        if (ok) {
            memcpy(out->columns[c].cells, l->joined[c].cells, l->count_rows * sizeof(union leat_cell));
            memcpy(out->columns[c].states, l->joined[c].states, l->count_rows);
        }
    }
    if (ok && b->times && (ok = (out->times = leat_batch_alloc(out, l->count_rows * sizeof *l->times, 8)) != NULL))
        memcpy(out->times, l->times, l->count_rows * sizeof *l->times);
    if (ok && b->positions &&
        (ok = (out->positions = leat_batch_alloc(out, l->count_rows * sizeof *l->positions, 8)) != NULL))
        memcpy(out->positions, l->positions, l->count_rows * sizeof *l->positions);
    leat_status st = LEAT_RESOURCE;
    if (ok) {
        out->rows = l->count_rows;
        out->flags = flags;
        out->arrived = b->arrived;
        memcpy(out->kinds, l->kinds, l->count_rows);
        st = lookup_add(ctx, k + 1, out);
    } else {
        st = leat_no_memory(ctx);
    }
    leat_batch_unref(out);
    return st;
}

static leat_status give(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k, const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    const struct leat_batch *b = k->head->batch;
    uint32_t flags = b->flags | (k->row < b->rows ? LEAT_BATCH_TXN_OPEN : 0);
    if (k + 1 < l->lookers + l->count)
        return hand_on(ctx, x, k, answer, flags);
    struct sql_stage s = {.branch = l->branch,
                          .mode = x->plan->mode,
                          .rows = l->count_rows,
                          .kinds = l->kinds,
                          .times = b->times ? l->times : NULL,
                          .positions = b->positions ? l->positions : NULL,
                          .arrived = b->arrived,
                          .flags = flags,
                          .keep = b,
                          .hold = answer};
    return sql_stage_run(ctx, x, &s);
}

static leat_status lookup_join_block(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                                     const struct leat_batch *answer)
{
    struct sql_lookups *l = x->lookups;
    leat_status st = fill(ctx, x, k);
    if (st != LEAT_OK || !l->count_rows)
        return st;
    gather(x, k, k->head->batch, answer);
    if (k->lookup->rest) {
        st = accept(ctx, x, k);
        sql_evaluator_reset(&x->ev);
        if (st != LEAT_OK || !l->count_rows)
            return st;
        gather(x, k, k->head->batch, answer);
    }
    return give(ctx, x, k, answer);
}

// Joins what was asked with the answer, until that is done, the way is full (LEAT_AGAIN) or the next looker is.
static leat_status go_on(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k)
{
    const struct sql_lookups *l = x->lookups;
    const struct sql_looker *next = k + 1 < l->lookers + l->count ? k + 1 : NULL;
    while (k->head && k->head->asked) {
        leat_status st = LEAT_OK;
        while (k->row < k->head->batch->rows && st == LEAT_OK) {
            if (next && is_full(next))
                return LEAT_OK;
            st = lookup_join_block(ctx, x, k, k->answer);
        }
        if (st < 0)
            return st;
        if (k->row == k->head->batch->rows)
            pop(k);
        if (st == LEAT_AGAIN && k->head && k->head->asked)
            return st;
    }
    end_question(k);
    return LEAT_OK;
}

// A looker whose queue got shorter lets those before it go on. Whoever keeps an answer has one after it that asks, so
// that barriers wait for its rows.
leat_status sql_lookups_answer(struct leat_ctx *ctx, struct sql_exec *x, uint64_t ticket,
                               const struct leat_batch *answer, const uint32_t *key_of_row)
{
    struct sql_lookups *l = x->lookups;
    struct sql_looker *k = &l->lookers[ticket];
    if (!k->answering && lookup_find_partners(k, answer, key_of_row))
        return leat_no_memory(ctx);
    if (!k->answering && answer) {
        ctx->host->batch_ref(answer);
        k->answer = answer;
    }
    k->answering = 1;
    x->ev.now = ctx->host->now(ctx);
    leat_status st = LEAT_OK;
    for (uint64_t i = ticket + 1; i-- > 0 && st == LEAT_OK;)
        if (l->lookers[i].answering)
            st = go_on(ctx, x, &l->lookers[i]);
    return st == LEAT_OK ? ask_what_waits(ctx, x) : st;
}
