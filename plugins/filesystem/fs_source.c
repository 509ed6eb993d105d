// SPDX-License-Identifier: Apache-2.0
// The source: file after file, a batch of lines a call, until all is read; then it ends, or looks again when the
// monitor interval is over. A last line without line end is taken when the file is read once only, or when it has not
// grown for an interval: until then somebody may still be writing it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <leat/format.h>

#include "filesystem.h"

struct source {
    const struct fs_config *config;
    const struct leat_schema *schema;
    const char *path;
    uint32_t *columns; // 0 … column_count - 1
    struct leat_format *format;
    struct fs_files files;
    struct fs_lines lines;
    struct fs_file *file; // being read; NULL = none
    uint32_t next_file;   // those before it have been read as far as they went at the last look
    struct leat_event *timer;
    int64_t *bytes_total;
    uint8_t catch_up;
    uint8_t looked; // since the timer fired last
};

// describe has no object to keep its answer in, and the answer lives until the next call.
static _Thread_local struct leat_port described;

static int is_monitored(const struct fs_config *config)
{
    return config->monitor_interval != LEAT_UNSET;
}

static leat_status check(struct leat_ctx *ctx, const struct leat_source_request *rq, const char **path)
{
    const struct fs_config *config = rq->config;
    const char *scheme = strstr(config->path, "://");
    if (!rq->declared) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-D0301", NULL, 0,
                  "Add a section [sources.NAME.schema] with a line for each column.", "files need a schema");
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-D0301", "the source has no schema");
    }
    *path = strncmp(config->path, "file://", 7) == 0 ? config->path + 7 : config->path;
    if (scheme && *path == config->path) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-D0302", "path", 0, "Mount it, and write the path on this machine.",
                  "paths of scheme \"%.*s\" are not supported", (int)(scheme - config->path), config->path);
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-D0302", "the path is not one of this machine");
    }
    return LEAT_OK;
}

static uint32_t *all_columns(uint32_t n)
{
    uint32_t *columns = calloc(n + 1, sizeof *columns);
    for (uint32_t i = 0; columns && i < n; i++)
        columns[i] = i;
    return columns;
}

static leat_status open_format(struct leat_ctx *ctx, const struct leat_schema *schema, const uint32_t *columns,
                               struct leat_format **format)
{
    return ctx->host->format_open(ctx, "format", LEAT_DECODE, schema, columns, schema->column_count, format);
}

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
    const char *path;
    struct leat_format *format = NULL;
    leat_status st = check(ctx, rq, &path);
    if (st != LEAT_OK)
        return st;
    uint32_t *columns = all_columns(rq->declared->column_count);
    if (!columns)
        return leat_no_memory(ctx);
    st = open_format(ctx, rq->declared, columns, &format);
    if (st == LEAT_OK) {
        described = (struct leat_port){.schema = rq->declared, .mode = format->mode};
        plan->ports = (struct leat_ports){.count = 1, .items = &described};
        plan->parallel_max = 1;
        plan->bounded = !is_monitored(rq->config);
        format->close(ctx, format);
    }
    free(columns);
    return st;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    const char *path;
    leat_status st = check(ctx, rq, &path);
    if (st != LEAT_OK)
        return st;
    struct source *s = calloc(1, sizeof *s);
    if (!s || !(s->columns = all_columns(rq->declared->column_count))) {
        free(s);
        return leat_no_memory(ctx);
    }
    s->config = rq->config;
    s->schema = rq->declared;
    s->path = path;
    s->lines.fd = -1;
    s->lines.max_line = (size_t)s->config->max_line;
    *self = s;
    return LEAT_OK;
}

static leat_status load_state(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct source *s = self;
    return fs_files_load(ctx, &s->files, in);
}

static leat_status save_state(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct source *s = self;
    if (s->file)
        s->file->hash = fs_hash_before(s->lines.fd, s->file->offset);
    return fs_files_save(ctx, &s->files, out);
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    static const struct leat_metric bytes = {"leat_filesystem_read_bytes_total", LEAT_METRIC_COUNTER,
                                             "Bytes of lines given."};
    struct source *s = self;
    s->bytes_total = ctx->host->metric(ctx, &bytes);
    s->catch_up = open->catch_up;
    s->looked = 1;
    leat_status st = s->format ? LEAT_OK : open_format(ctx, s->schema, s->columns, &s->format);
    return st == LEAT_OK ? fs_files_look(ctx, &s->files, s->path) : st;
}

// --- rows

// The core decides about a bad line. LEAT_OK: go on behind it.
static leat_status bad_line(struct leat_ctx *ctx, const struct source *s, uint64_t offset, struct leat_bytes raw)
{
    char where[512];
    snprintf(where, sizeof where, "file %s, byte %llu", s->file->name, (unsigned long long)offset);
    return ctx->host->bad_row(ctx, raw, where);
}

// Lines that are done with, given or skipped.
static void done_with(struct source *s, const struct leat_bytes *lines, uint32_t n)
{
    uint64_t before = s->lines.offset;
    fs_lines_drop(&s->lines, lines, n);
    s->file->offset = s->lines.offset;
    __atomic_fetch_add(s->bytes_total, (int64_t)(s->lines.offset - before), __ATOMIC_RELAXED);
}

static leat_status too_long(struct leat_ctx *ctx, struct source *s, const struct leat_bytes *line)
{
    leat_fail(ctx, LEAT_DATA, "LEAT-D0305", "a line is longer than %zu bytes", s->lines.max_line);
    leat_status st = bad_line(ctx, s, s->lines.offset, *line);
    if (st == LEAT_OK)
        done_with(s, line, 1);
    return st;
}

// Lines into a batch; what is left when it is full, or behind a bad line, comes with the next call.
static leat_status give_lines(struct leat_ctx *ctx, struct source *s, const struct leat_bytes *lines, uint32_t n)
{
    uint32_t counts[LEAT_BATCH_ROWS], done = 0;
    struct leat_batch *b = leat_batch_new(ctx, s->schema, leat_batch_rows_for(s->schema));
    if (!b)
        return leat_no_memory(ctx);
    leat_status st = s->format->ops->decode(ctx, s->format->self, lines, n, 0, b, 0, 0, counts, &done);
    done_with(s, lines, done);
    if (st == LEAT_DATA) {
        st = bad_line(ctx, s, s->lines.offset, lines[done]);
        if (st == LEAT_OK)
            done_with(s, lines + done, 1);
    }
    if (st != LEAT_OK) {
        leat_batch_unref(b);
        return st;
    }
    return ctx->host->emit(ctx, 0, b);
}

// --- files

static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct source *s = arg;
    s->looked = 0;
    ctx->host->wake(ctx);
    return LEAT_OK;
}

static leat_status wait_for_more(struct leat_ctx *ctx, struct source *s)
{
    leat_say_status(ctx, "waiting for files in %s", s->path);
    if (s->timer)
        return ctx->host->timer_again(s->timer, s->config->monitor_interval) == LEAT_OK ? LEAT_AGAIN : LEAT_RESOURCE;
    s->timer = ctx->host->timer(ctx, s->config->monitor_interval, on_timer, s);
    return s->timer ? LEAT_AGAIN : leat_no_memory(ctx);
}

// All that was there is read.
static leat_status at_end(struct leat_ctx *ctx, struct source *s)
{
    if (s->catch_up)
        ctx->host->caught_up(ctx);
    s->catch_up = 0;
    if (!is_monitored(s->config))
        return LEAT_END;
    if (s->looked)
        return wait_for_more(ctx, s);
    s->looked = 1;
    s->next_file = 0;
    return fs_files_look(ctx, &s->files, s->path);
}

static leat_status next_file(struct leat_ctx *ctx, struct source *s)
{
    struct fs_file *f = fs_files_next(&s->files, s->next_file);
    if (!f)
        return at_end(ctx, s);
    leat_status st = fs_lines_open(ctx, &s->lines, f->name, f->offset);
    if (st != LEAT_OK)
        return st;
    if (f->hash && fs_hash_before(s->lines.fd, f->offset) != f->hash) { // renamed or cut since the look
        fs_lines_close(&s->lines);
        return fs_files_look(ctx, &s->files, s->path);
    }
    s->file = f;
    s->next_file = (uint32_t)(f - s->files.items) + 1;
    leat_say_status(ctx, "reading file %s", f->name);
    return LEAT_OK;
}

// The file has no more bytes.
static leat_status end_file(struct source *s)
{
    if ((!is_monitored(s->config) || s->file->still) && fs_lines_take_rest(&s->lines))
        return LEAT_OK;
    s->file->hash = fs_hash_before(s->lines.fd, s->file->offset);
    fs_lines_close(&s->lines);
    s->file = NULL;
    return LEAT_OK;
}

static leat_status read_on(struct leat_ctx *ctx, struct source *s)
{
    struct leat_bytes line;
    if (s->lines.end)
        return end_file(s);
    leat_status st = fs_lines_read(ctx, &s->lines, s->file->name, &line);
    if (st == LEAT_END)
        return end_file(s);
    if (st == LEAT_DATA) {
        st = bad_line(ctx, s, s->lines.offset, line);
        if (st == LEAT_OK)
            fs_lines_skip(&s->lines);
    }
    if (st == LEAT_OK && !s->lines.skipping)
        s->file->offset = s->lines.offset;
    return st;
}

static leat_status poll_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    struct leat_bytes lines[LEAT_BATCH_ROWS];
    if (!s->file)
        return next_file(ctx, s);
    uint32_t n = fs_lines_peek(&s->lines, lines, LEAT_BATCH_ROWS);
    if (!n)
        return read_on(ctx, s);
    return lines[0].len > s->lines.max_line ? too_long(ctx, s, lines) : give_lines(ctx, s, lines, n);
}

static leat_status close_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    ctx->host->event_close(s->timer);
    s->timer = NULL;
    if (s->file)
        s->file->hash = fs_hash_before(s->lines.fd, s->file->offset);
    fs_lines_close(&s->lines);
    s->file = NULL;
    if (s->format)
        s->format->close(ctx, s->format);
    s->format = NULL;
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    if (!s)
        return;
    if (s->format)
        s->format->close(ctx, s->format);
    fs_lines_fini(&s->lines);
    fs_files_fini(&s->files);
    free(s->columns);
    free(s);
}

const struct leat_source_ops fs_source_ops = {
    .struct_size = sizeof fs_source_ops,
    .describe = describe,
    .create = create,
    .load_state = load_state,
    .open = open_source,
    .poll = poll_source,
    .save_state = save_state,
    .close = close_source,
    .destroy = destroy,
};
