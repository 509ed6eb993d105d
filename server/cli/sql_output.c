// SPDX-License-Identifier: Apache-2.0
// See sql_output.h. A kept row is its cells' texts joined by tabs, which no text contains; equal rows have equal texts.
// The table is shown by pages: a long answer takes no more memory than one, an endless one is seen as it comes.
#include "cli/sql_output.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "buf.h"
#include "celltext.h"

#define ROW_MAX  ((size_t)64 << 20)
#define ROWS_MAX ((size_t)50 << 20)
#define PAGE     1000 // rows of the table, at most

static const char *const kind_names[] = {"+I", "-U", "+U", "-D"};

static bool settles(const struct sql_output *out)
{
    return out->changes && out->bounded;
}

static bool keeps(const struct sql_output *out)
{
    return settles(out) || out->format == SQL_TABLE;
}

// Rows that are only to be shown with the column "op" in front.
static bool shows_kinds(const struct sql_output *out)
{
    return out->changes && !settles(out);
}

// --- a row as text

static bool is_plain_number(const struct leat_type *type, const union leat_cell *cell)
{
    if (type->kind == LEAT_TYPE_FLOAT || type->kind == LEAT_TYPE_DOUBLE) {
        double v = type->kind == LEAT_TYPE_FLOAT ? (double)cell->f32 : cell->f64;
        return v - v == 0; // neither NaN nor infinite, which JSON does not have
    }
    return leat_type_is_integer(type->kind) || type->kind == LEAT_TYPE_DECIMAL;
}

static void put_json_value(struct buf *b, const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    if (state != LEAT_VALUE) {
        buf_str(b, "null");
    } else if (type->kind == LEAT_TYPE_BOOLEAN) {
        buf_str(b, cell->i64 ? "true" : "false");
    } else if (is_plain_number(type, cell)) {
        celltext_put(b, type, cell, state, NULL);
    } else {
        struct base_str text;
        struct buf plain;
        base_str_init(&text);
        buf_init(&plain, ROW_MAX);
        if (leat_type_is_string(type->kind)) {
            base_str_add_json(&text, (const char *)cell->bytes.ptr, cell->bytes.len);
        } else {
            celltext_put(&plain, type, cell, state, NULL);
            base_str_add_json(&text, (const char *)plain.ptr, plain.len);
        }
        buf_put(b, text.ptr, text.len);
        buf_fini(&plain);
        base_str_fini(&text);
    }
}

static void put_json_row(struct sql_output *out, struct buf *b, const struct leat_batch *batch, uint32_t row)
{
    buf_str(b, "{");
    if (shows_kinds(out)) {
        buf_str(b, "\"op\":\"");
        buf_str(b, kind_names[batch->kinds[row] & 3]);
        buf_str(b, "\",");
    }
    for (uint32_t c = 0; c < batch->column_count; c++) {
        struct base_str name;
        base_str_init(&name);
        base_str_add_json(&name, (const char *)out->schema->columns[c].name.ptr, out->schema->columns[c].name.len);
        buf_str(b, c ? "," : "");
        buf_put(b, name.ptr, name.len);
        buf_str(b, ":");
        put_json_value(b, &out->schema->columns[c].type, leat_batch_cell(batch, c, row),
                       leat_batch_state(batch, c, row));
        base_str_fini(&name);
    }
    buf_str(b, "}");
}

// NULL and backslashes are written so that they can be told from what looks like them.
static bool put_tsv(struct sql_output *out, struct buf *b, const struct leat_batch *batch, uint32_t row, uint32_t c)
{
    if (leat_batch_state(batch, c, row) != LEAT_VALUE) {
        buf_str(b, "\\N");
        return true;
    }
    const struct leat_type *type = &out->schema->columns[c].type;
    if (!leat_type_is_string(type->kind))
        return false;
    union leat_cell part = *leat_batch_cell(batch, c, row);
    const uint8_t *at = part.bytes.ptr, *end = at + part.bytes.len, *backslash;
    for (; (backslash = memchr(at, '\\', (size_t)(end - at))); at = backslash + 1) {
        part.bytes = (struct leat_bytes){at, (uint32_t)(backslash - at)};
        celltext_put(b, type, &part, LEAT_VALUE, NULL);
        buf_str(b, "\\\\");
    }
    part.bytes = (struct leat_bytes){at, (uint32_t)(end - at)};
    celltext_put(b, type, &part, LEAT_VALUE, NULL);
    return true;
}

static void put_row(struct sql_output *out, struct buf *b, const struct leat_batch *batch, uint32_t row)
{
    if (out->format == SQL_JSON) {
        put_json_row(out, b, batch, row);
        return;
    }
    if (shows_kinds(out)) {
        buf_str(b, kind_names[batch->kinds[row] & 3]);
        buf_str(b, "\t");
    }
    for (uint32_t c = 0; c < batch->column_count; c++) {
        buf_str(b, c ? "\t" : "");
        if (out->format == SQL_TSV && put_tsv(out, b, batch, row, c))
            continue;
        celltext_put(b, &out->schema->columns[c].type, leat_batch_cell(batch, c, row), leat_batch_state(batch, c, row),
                     NULL);
    }
}

// --- keeping

static bool keep(struct sql_output *out, const struct buf *b)
{
    if (out->row_count == out->row_cap) {
        size_t cap = out->row_cap ? out->row_cap * 2 : 256;
        char **rows = cap > ROWS_MAX ? NULL : realloc(out->rows, cap * sizeof *rows);
        if (!rows)
            return false;
        out->rows = rows;
        out->row_cap = cap;
    }
    char *text = b->len ? strndup((const char *)b->ptr, b->len) : strdup("");
    if (text)
        out->rows[out->row_count++] = text;
    return text != NULL;
}

// Takes back one row that was given before; the newest equal one.
static void take_back(struct sql_output *out, const struct buf *b)
{
    for (size_t i = out->row_count; i-- > 0;) {
        if (strlen(out->rows[i]) != b->len || (b->len && memcmp(out->rows[i], b->ptr, b->len) != 0))
            continue;
        free(out->rows[i]);
        memmove(&out->rows[i], &out->rows[i + 1], (out->row_count - i - 1) * sizeof *out->rows);
        out->row_count--;
        return;
    }
}

static void print_names(struct sql_output *out)
{
    char *names = sql_table_names(out->schema, shows_kinds(out));
    if (names)
        fprintf(out->file, "%s\n", names);
    free(names);
}

static void begin(struct sql_output *out)
{
    if (out->begun)
        return;
    out->begun = true;
    if (out->format == SQL_JSON || keeps(out) || !out->header)
        return;
    print_names(out);
}

static leat_status not_written(struct leat_ctx *ctx, struct sql_output *out)
{
    out->unread = errno == EPIPE;
    return leat_fail(ctx, LEAT_FATAL, "LEAT-V0101", "could not write the answer: %s", strerror(errno));
}

// What is kept becomes a page of the table.
static bool show_page(struct sql_output *out)
{
    bool ok = sql_table_page(&out->table, out->file, out->schema, shows_kinds(out), out->rows, out->row_count);
    for (size_t i = 0; i < out->row_count; i++)
        free(out->rows[i]);
    out->row_count = 0;
    return ok;
}

static leat_status give(struct leat_ctx *ctx, struct sql_output *out, const struct buf *b, uint8_t kind)
{
    if (!keeps(out)) {
        begin(out);
        fwrite(b->ptr, 1, b->len, out->file);
        return fputc('\n', out->file) == EOF ? not_written(ctx, out) : LEAT_OK;
    }
    if (settles(out) && (kind == LEAT_UPDATE_BEFORE || kind == LEAT_DELETE))
        take_back(out, b);
    else if (!keep(out, b))
        return leat_fail(ctx, LEAT_RESOURCE, "LEAT-V0102",
                         "the answer is too large to be kept; ask for --tsv or --json");
    if (settles(out) || out->row_count < PAGE)
        return LEAT_OK;
    return !show_page(out) ? leat_no_memory(ctx) : ferror(out->file) ? not_written(ctx, out) : LEAT_OK;
}

// --- the sink

static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                        void **bound)
{
    struct sql_output *out = (struct sql_output *)(uintptr_t)rq->config;
    plan->mode = rq->mode == LEAT_MODE_INSERT_ONLY ? LEAT_MODE_INSERT_ONLY : LEAT_MODE_ALL;
    plan->parallel_max = 1;
    out->schema = rq->schema;
    out->changes = rq->mode != LEAT_MODE_INSERT_ONLY;
    *bound = out;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    *self = (void *)(uintptr_t)bound;
    return LEAT_OK;
}

static leat_status write_batch(struct leat_ctx *ctx, void *self, const struct leat_batch *batch)
{
    struct sql_output *out = self;
    struct buf b;
    buf_init(&b, ROW_MAX);
    leat_status st = LEAT_OK;
    for (uint32_t r = 0; r < batch->rows && st == LEAT_OK; r++) {
        buf_reset(&b);
        put_row(out, &b, batch, r);
        st = buf_ok(&b) ? give(ctx, out, &b, batch->kinds[r]) : leat_no_memory(ctx);
    }
    buf_fini(&b);
    atomic_fetch_add_explicit(&out->given, batch->rows, memory_order_relaxed);
    return st;
}

static leat_status flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct sql_output *out = self;
    if (out->format == SQL_TABLE && !settles(out) && out->row_count && !show_page(out))
        return leat_no_memory(ctx);
    return fflush(out->file) == 0 ? LEAT_OK : not_written(ctx, out);
}

static const struct leat_sink_ops ops = {
    .struct_size = sizeof ops,
    .bind = bind,
    .create = create,
    .write = write_batch,
    .flush = flush,
};

const struct leat_component sql_output_component = {
    .struct_size = sizeof sql_output_component,
    .kind = LEAT_SINK,
    .name = "answer",
    .summary = "shows the rows of leat sql",
    .sink = &ops,
};

int sql_output_end(struct sql_output *out)
{
    int ok = 1;
    if (!out->schema)
        return 1;
    if (out->format == SQL_TABLE) {
        ok = show_page(out);
        fprintf(out->file, "(%zu row%s)\n", out->table.rows, out->table.rows == 1 ? "" : "s");
    } else if (keeps(out)) {
        if (out->header && out->format == SQL_TSV)
            print_names(out);
        for (size_t i = 0; i < out->row_count; i++)
            fprintf(out->file, "%s\n", out->rows[i]);
    } else {
        begin(out);
    }
    ok = fflush(out->file) == 0 && ok;
    out->unread = !ok && errno == EPIPE;
    return ok;
}

uint64_t sql_output_rows(const struct sql_output *out)
{
    return atomic_load_explicit(&out->given, memory_order_relaxed);
}

void sql_output_fini(struct sql_output *out)
{
    for (size_t i = 0; i < out->row_count; i++)
        free(out->rows[i]);
    free(out->rows);
    sql_table_fini(&out->table);
    out->rows = NULL;
    out->row_count = out->row_cap = 0;
}
