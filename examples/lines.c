// SPDX-License-Identifier: Apache-2.0
// lines: a sink that appends rows to a file, a line each. It shows what bind may refuse, what "durable" means, and how
// a sink that appends writes every row once: its state is the length of the file, and whatever stands behind it at a
// start was written after the last checkpoint and comes again. Thread: everything on the home worker.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <leat/plugin.h>

#define STATE_VERSION 1

struct config {
    const char *path;
};

struct lines {
    const struct config *config;
    FILE *file;
    int64_t keep; // bytes of the file that the last checkpoint covers, -1 without one
};

static const struct leat_option options[] = {
    LEAT_OPTION(struct config, path, STRING, .name = "path", .flags = LEAT_OPT_REQUIRED, .example = "\"rows.txt\"",
                .doc = "The file. It is made when it is not there."),
};

static leat_status bind(struct leat_ctx *ctx, const struct leat_sink_request *request, struct leat_sink_plan *plan,
                        void **bound)
{
    // every column that cannot be written is named in one run of `leat check`
    for (uint32_t i = 0; request->schema && i < request->schema->column_count; i++) {
        const struct leat_field *column = &request->schema->columns[i];
        if (!leat_type_is_integer(column->type.kind) && !leat_type_is_string(column->type.kind))
            leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-X0201", NULL, 0, "Cast it to STRING before.",
                      "column \"%.*s\" is neither an integer nor a string", LEAT_PRINT(column->name));
    }
    plan->mode = LEAT_MODE_INSERT_ONLY;
    plan->guarantee = LEAT_GUARANTEE_AT_LEAST_ONCE;
    plan->parallel_max = 1; // two instances would mix their lines
    *bound = (void *)(uintptr_t)request->config;
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct lines *l = calloc(1, sizeof *l);
    if (!l)
        return leat_no_memory(ctx);
    *l = (struct lines){.config = bound, .keep = -1};
    *self = l;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct lines *l = self;
    return leat_state_load(ctx, in, STATE_VERSION, &l->keep, sizeof l->keep, "LEAT-X0203");
}

// The outside world failed: what, where and why.
static leat_status failed(struct leat_ctx *ctx, struct lines *l, const char *what)
{
    return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0202", "could not %s file \"%s\": %s", what, l->config->path,
                     strerror(errno));
}

static leat_status open_sink(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    struct lines *l = self;
    if (!(l->file = fopen(l->config->path, "a")))
        return failed(ctx, l, "open");
    bool longer = l->keep >= 0 && lseek(fileno(l->file), 0, SEEK_END) > l->keep;
    return longer && ftruncate(fileno(l->file), l->keep) ? failed(ctx, l, "shorten") : LEAT_OK;
}

static void print_cell(FILE *file, const struct leat_batch *b, uint32_t col, uint32_t row)
{
    const union leat_cell *cell = leat_batch_cell(b, col, row);
    if (leat_batch_state(b, col, row) != LEAT_VALUE)
        fputs("NULL", file);
    else if (leat_type_is_string(b->schema->columns[col].type.kind))
        fwrite(cell->bytes.ptr, 1, cell->bytes.len, file);
    else
        fprintf(file, "%lld", (long long)cell->i64);
}

static leat_status write_batch(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct lines *l = self;
    for (uint32_t row = 0; row < b->rows; row++)
        for (uint32_t col = 0; col < b->column_count; col++) {
            print_cell(l->file, b, col, row);
            fputc(col + 1 < b->column_count ? '|' : '\n', l->file);
        }
    return ferror(l->file) ? failed(ctx, l, "write to") : LEAT_OK;
}

static leat_status flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    struct lines *l = self;
    bool failing = fflush(l->file) || (how == LEAT_FLUSH_DURABLE && fsync(fileno(l->file)));
    return failing ? failed(ctx, l, "write to") : LEAT_OK;
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct lines *l = self;
    l->keep = lseek(fileno(l->file), 0, SEEK_END); // it was flushed before
    return leat_state_save(ctx, out, STATE_VERSION, &l->keep, sizeof l->keep);
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct lines *l = self;
    if (l && l->file)
        fclose(l->file);
    free(l);
}

static const struct leat_sink_ops ops = {
    .struct_size = sizeof ops,
    .bind = bind,
    .create = create,
    .load_state = load_state,
    .open = open_sink,
    .write = write_batch,
    .flush = flush,
    .save_state = save_state,
    .destroy = destroy,
};

static const struct leat_component components[] = {{
    LEAT_COMPONENT(options, struct config),
    .kind = LEAT_SINK,
    .name = "lines",
    .summary = "appends rows to a file",
    .sink = &ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-X0201", "A column is of a type that lines cannot write.", "Cast it to STRING before."},
    {"LEAT-X0202", "The file could not be opened, written or synced.", "Look at the folder, its rights and the disk."},
    {"LEAT-X0203", "The saved length was not written by this plugin.", "Start without the saved state."},
};

LEAT_PLUGIN("lines", "1.0.0", "sink:lines", components, codes, sizeof codes / sizeof codes[0])
