// SPDX-License-Identifier: Apache-2.0
// One instance at work.
//
// New rows go out with the cells they came with, the input batch being kept alive; rows from the state are decoded into
// the output's own memory. The state maps the key's bytes to the bytes of the other columns.
#include "normalize.h"

#include <stdlib.h>
#include <string.h>

#include "keyed.h"
#include "keyed_row.h"
#include "rowhash.h"

#define STATE_VERSION 2 // 1 had its numbers in another form, and was never released
#define ROW_MAX       ((size_t)KEYED_LENGTH_MAX)

struct normalize {
    const struct normalize_bound *bound;
    struct keyed *rows;
    struct buf key, value; // of the row at hand
    uint32_t next;         // row of the batch at hand with which to go on
    struct leat_batch *out;
    int64_t *state_bytes;
    int64_t reported; // our part of *state_bytes
    uint32_t instance, instances;
    uint8_t unreadable; // a key in the state could not be decoded
};

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct normalize *n = calloc(1, sizeof *n);
    if (!n || !(n->rows = keyed_create(KEYED_MAP))) {
        free(n);
        return leat_no_memory(ctx);
    }
    static const struct leat_metric bytes = {"leat_state_bytes", LEAT_METRIC_GAUGE, "Memory of the node's state."};
    n->bound = bound;
    n->state_bytes = ctx->host->metric(ctx, &bytes);
    buf_init(&n->key, ROW_MAX);
    buf_init(&n->value, ROW_MAX);
    *self = n;
    return LEAT_OK;
}

static void report(struct normalize *n, int64_t bytes)
{
    // instances share the number
    __atomic_fetch_add(n->state_bytes, bytes - n->reported, __ATOMIC_RELAXED);
    n->reported = bytes;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct normalize *n = self;
    if (!n)
        return;
    report(n, 0);
    keyed_destroy(n->rows);
    leat_batch_unref(n->out);
    buf_fini(&n->key);
    buf_fini(&n->value);
    free(n);
}

// --- state

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct normalize *n = self;
    if (in->version != STATE_VERSION)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-N0004", "saved state has version %u; this plugin reads version %u",
                         in->version, STATE_VERSION);
    return keyed_load(ctx, in, &n->rows, 1);
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct normalize *n = self;
    leat_status st = keyed_save(ctx, out, STATE_VERSION, &n->rows, 1);
    report(n, (int64_t)keyed_bytes(n->rows));
    return st;
}

static void *no_lists(void *arg, size_t size)
{
    return NULL; // keys have none
}

static int mine(void *arg, struct leat_bytes key, struct leat_bytes value)
{
    struct normalize *n = arg;
    const struct normalize_bound *b = n->bound;
    union leat_cell cells[LEAT_COLUMNS_MAX];
    uint8_t states[LEAT_COLUMNS_MAX];
    if (keyed_cells_decode(key, b->key_types, cells, states, b->out.key_count, no_lists, NULL) < 0) {
        n->unreadable = 1;
        return 1;
    }
    return rowhash_cells(b->key_types, cells, states, b->out.key_count) % n->instances == n->instance;
}

static leat_status open_node(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct normalize *n = self;
    n->instance = open->instance;
    n->instances = open->instances;
    if (open->restored && open->instances > 1)
        keyed_retain(n->rows, mine, n);
    if (n->unreadable)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-K0002", "a row in the saved state is malformed");
    report(n, (int64_t)keyed_bytes(n->rows));
    return LEAT_OK;
}

// --- output

static leat_status new_output(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in)
{
    uint32_t rows = 2 * (in->rows - n->next);
    uint32_t capacity = rows > LEAT_BATCH_ROWS_MAX ? LEAT_BATCH_ROWS_MAX : rows;
    struct leat_batch *out = leat_batch_new(ctx, &n->bound->out, capacity);
    n->out = out;
    if (!out)
        return leat_no_memory(ctx);
    out->arrived = in->arrived;
    if (in->times)
        out->times = leat_batch_alloc(out, capacity * sizeof *out->times, 8);
    if (in->positions)
        out->positions = leat_batch_alloc(out, capacity * sizeof *out->positions, 8);
    if ((in->times && !out->times) || (in->positions && !out->positions) || out->host->batch_keep(out, in) != LEAT_OK)
        return leat_no_memory(ctx);
    return LEAT_OK;
}

// A row of the output that stems from row `row` of the input, whose cells it borrows.
static uint32_t add_row(struct leat_batch *out, const struct leat_batch *in, uint32_t row, uint8_t kind)
{
    uint32_t to = leat_batch_add(out, kind);
    if (in->times)
        out->times[to] = in->times[row];
    if (in->positions)
        out->positions[to] = in->positions[row];
    for (uint32_t c = 0; c < in->column_count; c++) {
        out->columns[c].cells[to] = in->columns[c].cells[row];
        out->columns[c].states[to] = in->columns[c].states[row];
    }
    return to;
}

// The row as the state has it, in place of row `row` of the input.
static leat_status add_old(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in, uint32_t row,
                           uint8_t kind, struct leat_bytes old)
{
    uint32_t to = add_row(n->out, in, row, kind); // its key columns stay
    return keyed_row_decode(ctx, old, n->out, to, n->bound->rest, n->bound->rest_count);
}

static leat_status emit(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in, int last)
{
    struct leat_batch *out = n->out;
    n->out = NULL;
    out->flags = last ? in->flags : in->flags | LEAT_BATCH_TXN_OPEN; // a transaction goes on in the next batch
    return ctx->host->emit(ctx, 0, out);
}

// --- changes

static struct leat_bytes bytes_of(const struct buf *b)
{
    return (struct leat_bytes){b->ptr, (uint32_t)b->len};
}

static leat_status remember(struct leat_ctx *ctx, struct normalize *n)
{
    return keyed_put(n->rows, bytes_of(&n->key), bytes_of(&n->value)) < 0 ? leat_no_memory(ctx) : LEAT_OK;
}

static int has_unchanged(const struct normalize *n, const struct leat_batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < n->bound->rest_count; i++)
        if (b->columns[n->bound->rest[i]].states[row] == LEAT_UNCHANGED)
            return 1;
    return 0;
}

// Columns that the update leaves alone are filled from the row before, which stands right above.
static void fill_unchanged(const struct normalize *n, uint32_t row)
{
    for (uint32_t i = 0; i < n->bound->rest_count; i++) {
        struct leat_column *col = &n->out->columns[n->bound->rest[i]];
        if (col->states[row] != LEAT_UNCHANGED)
            continue;
        col->cells[row] = col->cells[row - 1];
        col->states[row] = col->states[row - 1];
    }
}

static leat_status refuse_unchanged(struct leat_ctx *ctx)
{
    leat_fail(ctx, LEAT_DATA, "LEAT-N0003", "an update leaves a column out, and the row before it is not known");
    leat_error_hint(ctx, "Set unchanged.toast = \"reselect\" or REPLICA IDENTITY FULL at the source.");
    return ctx->host->bad_row(ctx, (struct leat_bytes){NULL, 0}, "input");
}

static leat_status upsert(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in, uint32_t row)
{
    const struct normalize_bound *b = n->bound;
    struct leat_bytes old;
    int known = keyed_get(n->rows, bytes_of(&n->key), &old);
    int partial = has_unchanged(n, in, row);
    if (partial && !known)
        return refuse_unchanged(ctx);
    buf_reset(&n->value);
    if (!partial)
        keyed_row_encode(&n->value, in, row, b->rest, b->rest_count);
    int same = known && !partial && old.len == n->value.len && memcmp(old.ptr, n->value.ptr, old.len) == 0;
    if (same && in->kinds[row] == LEAT_INSERT)
        return LEAT_OK; // said again
    if (!known) {
        add_row(n->out, in, row, LEAT_INSERT);
        return buf_ok(&n->value) ? remember(ctx, n) : leat_no_memory(ctx);
    }
    leat_status st = add_old(ctx, n, in, row, LEAT_UPDATE_BEFORE, old);
    if (st < 0)
        return st;
    uint32_t to = add_row(n->out, in, row, LEAT_UPDATE_AFTER);
    if (partial) {
        fill_unchanged(n, to);
        keyed_row_encode(&n->value, n->out, to, b->rest, b->rest_count);
    }
    if (!buf_ok(&n->value))
        return leat_no_memory(ctx);
    return same ? LEAT_OK : remember(ctx, n);
}

static leat_status delete_row(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in, uint32_t row)
{
    struct leat_bytes old;
    if (!keyed_get(n->rows, bytes_of(&n->key), &old))
        return LEAT_OK;
    leat_status st = add_old(ctx, n, in, row, LEAT_DELETE, old);
    if (st < 0)
        return st;
    return keyed_remove(n->rows, bytes_of(&n->key)) < 0 ? leat_no_memory(ctx) : LEAT_OK;
}

static leat_status take_row(struct leat_ctx *ctx, struct normalize *n, const struct leat_batch *in, uint32_t row)
{
    buf_reset(&n->key);
    keyed_row_encode(&n->key, in, row, n->bound->out.key, n->bound->out.key_count);
    if (!buf_ok(&n->key))
        return leat_no_memory(ctx);
    switch (in->kinds[row]) {
    case LEAT_INSERT:
    case LEAT_UPDATE_AFTER:
        return upsert(ctx, n, in, row);
    case LEAT_DELETE:
        return delete_row(ctx, n, in, row);
    default:
        return LEAT_OK; // the row before an update: the state has it
    }
}

static leat_status process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct normalize *n = self;
    while (n->next < in->rows) {
        leat_status st = n->out ? LEAT_OK : new_output(ctx, n, in);
        if (st == LEAT_OK)
            st = take_row(ctx, n, in, n->next);
        if (st < 0)
            return st;
        n->next++;
        int last = n->next == in->rows;
        if (!last && n->out->capacity - n->out->rows >= 2 && !leat_batch_is_full(n->out))
            continue;
        st = emit(ctx, n, in, last);
        if (st < 0 || (st == LEAT_AGAIN && !last))
            return st;
    }
    n->next = 0;
    return LEAT_OK;
}

static leat_status inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    *names = (struct leat_input_names){.count = 0, .items = NULL}; // the planner connects it
    return LEAT_OK;
}

static uint64_t state_shape(const void *bound)
{
    return ((const struct normalize_bound *)bound)->shape;
}

const struct leat_operator_ops normalize_ops = {
    .struct_size = sizeof normalize_ops,
    .inputs = inputs,
    .bind = normalize_bind,
    .unbind = normalize_unbind,
    .create = create,
    .load_state = load_state,
    .open = open_node,
    .process = process,
    .save_state = save_state,
    .destroy = destroy,
    .state_shape = state_shape,
};
