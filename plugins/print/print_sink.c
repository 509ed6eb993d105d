// SPDX-License-Identifier: Apache-2.0
// The sink: lines to standard output or standard error without ever blocking. Both may be pipes that nobody reads:
// poll(2) is asked before each write, at most PIPE_BUF bytes are written at a time (a pipe that is ready takes so many
// at once), and when it is not ready the node waits for the descriptor. What is not written yet is bounded: rows are
// turned into text a little at a time.
//
// Thread: home worker. The descriptor is the process's and is never closed.
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "calendar_zone.h"
#include "print.h"

#define TEXT_ENOUGH (64u << 10) // from here on text is written before more rows are turned into text
#define TEXT_MAX    ((size_t)1 << 30)

struct bound {
    const struct print_config *config;
};

struct sink {
    const struct print_config *config;
    const char *identifier;     // NULL = none
    struct calendar_zone *zone; // NULL = UTC
    struct buf text;
    size_t written;           // of text
    uint32_t next;            // row of the batch being written
    struct leat_event *watch; // NULL until the descriptor was once not ready
    int64_t *rows_total;
    int fd;
};

static leat_status bind_sink(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                             void **bound)
{
    struct bound *b = malloc(sizeof *b);
    if (!b)
        return leat_no_memory(ctx);
    b->config = rq->config;
    plan->mode = rq->mode; // whatever comes is shown
    plan->guarantee = LEAT_GUARANTEE_AT_LEAST_ONCE;
    plan->takes_unchanged = 1;
    plan->parallel_max = 1; // one stream of lines
    *bound = b;
    return LEAT_OK;
}

static void unbind_sink(void *bound)
{
    free(bound);
}

static leat_status create(struct leat_ctx *ctx, const void *bound, void **self)
{
    const struct bound *b = bound;
    struct sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    buf_init(&s->text, TEXT_MAX);
    s->config = b->config;
    s->identifier = b->config->identifier && *b->config->identifier ? b->config->identifier : NULL;
    s->fd = b->config->standard_error ? STDERR_FILENO : STDOUT_FILENO;
    *self = s;
    return LEAT_OK;
}

static leat_status open_sink(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    static const struct leat_metric rows = {"leat_print_rows_total", LEAT_METRIC_COUNTER, "Rows printed."};
    struct sink *s = self;
    const char *zone = open->local_time_zone;
    s->rows_total = ctx->host->metric(ctx, &rows);
    if (!zone || s->zone || calendar_zone_create(zone, NULL, &s->zone) == CALENDAR_OK)
        return LEAT_OK;
    return leat_fail(ctx, LEAT_CONFIG, "LEAT-D0201", "there is no time zone \"%s\"", zone);
}

static leat_status on_writable(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct sink *s = arg;
    ctx->host->wake(ctx);
    return ctx->host->watch_for(s->watch, 0);
}

// LEAT_AGAIN: the node will be woken when the descriptor takes bytes again.
static leat_status wait_for_room(struct leat_ctx *ctx, struct sink *s)
{
    if (s->watch)
        return ctx->host->watch_for(s->watch, LEAT_WRITE) == LEAT_OK ? LEAT_AGAIN : LEAT_RESOURCE;
    s->watch = ctx->host->watch(ctx, s->fd, LEAT_WRITE, on_writable, s);
    return s->watch ? LEAT_AGAIN : LEAT_RESOURCE;
}

// How much to write now: whole lines where one fits into PIPE_BUF bytes, so that lines of several sinks do not mix.
static size_t piece(const struct sink *s)
{
    size_t left = s->text.len - s->written;
    if (left <= PIPE_BUF)
        return left;
    const char *from = (const char *)s->text.ptr + s->written, *line = memrchr(from, '\n', PIPE_BUF);
    return line ? (size_t)(line + 1 - from) : PIPE_BUF;
}

static leat_status failed(struct leat_ctx *ctx, const struct sink *s, int number)
{
    const char *name = s->fd == STDERR_FILENO ? "error" : "output";
    leat_fail(ctx, LEAT_FATAL, "LEAT-D0202", "could not write to standard %s: %s", name, strerrordesc_np(number));
    ctx->host->error_native(ctx, strerrorname_np(number), strerrordesc_np(number));
    return LEAT_FATAL;
}

// Writes what there is. LEAT_OK: all of it.
static leat_status write_text(struct leat_ctx *ctx, struct sink *s)
{
    while (s->written < s->text.len) {
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};
        int ready = poll(&p, 1, 0);
        if (ready == 0)
            return wait_for_room(ctx, s);
        ssize_t n = ready < 0 ? -1 : write(s->fd, s->text.ptr + s->written, piece(s));
        if (n < 0 && errno == EAGAIN)
            return wait_for_room(ctx, s);
        if (n < 0 && errno != EINTR)
            return failed(ctx, s, errno);
        s->written += n > 0 ? (size_t)n : 0;
    }
    buf_reset(&s->text);
    s->written = 0;
    return LEAT_OK;
}

static leat_status write_batch(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct sink *s = self;
    for (;;) {
        leat_status st = write_text(ctx, s);
        if (st != LEAT_OK)
            return st;
        if (s->next == b->rows)
            break;
        while (s->next < b->rows && s->text.len < TEXT_ENOUGH)
            print_row(&s->text, b, s->next++, s->identifier, s->zone);
        if (!buf_ok(&s->text))
            return leat_no_memory(ctx);
    }
    __atomic_fetch_add(s->rows_total, b->rows, __ATOMIC_RELAXED);
    s->next = 0;
    return LEAT_OK;
}

// A batch is accepted only when all of its text is written, so there is nothing left to do.
static leat_status flush(struct leat_ctx *ctx, void *self, uint8_t how)
{
    return LEAT_OK;
}

static leat_status close_sink(struct leat_ctx *ctx, void *self)
{
    struct sink *s = self;
    ctx->host->event_close(s->watch);
    s->watch = NULL;
    return LEAT_OK;
}

static void destroy(struct leat_ctx *ctx, void *self)
{
    struct sink *s = self;
    if (!s)
        return;
    calendar_zone_destroy(s->zone);
    buf_fini(&s->text);
    free(s);
}

const struct leat_sink_ops print_sink_ops = {
    .struct_size = sizeof print_sink_ops,
    .bind = bind_sink,
    .unbind = unbind_sink,
    .create = create,
    .open = open_sink,
    .write = write_batch,
    .flush = flush,
    .close = close_sink,
    .destroy = destroy,
};
