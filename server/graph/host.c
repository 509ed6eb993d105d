// SPDX-License-Identifier: Apache-2.0
// The host table for static calls (describe, inputs, bind, check): memory, errors, diagnostics, the clock, formats.
// Nothing else is offered: the entries are NULL, and a plugin that wants to connect while it is being checked finds no
// way to.
//
// runtime/host.c has entries of the same names and a line or two each, over another context: an instance on its worker,
// where memory is counted and time may be a test's. Shared, they would need a third context and save some forty lines.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "graph/format.h"
#include "graph/graph_int.h"

static struct graph_ctx *of(struct leat_ctx *ctx)
{
    return ctx->core;
}

static void *plan_alloc(struct leat_ctx *ctx, size_t size)
{
    return malloc(size ? size : 1);
}

static void plan_free(struct leat_ctx *ctx, void *ptr)
{
    free(ptr);
}

__attribute__((format(printf, 4, 0))) static leat_status plan_fail(struct leat_ctx *ctx, leat_status failure,
                                                                   const char *code, const char *fmt, va_list ap)
{
    return base_failv(&of(ctx)->error, failure, code, fmt, ap);
}

__attribute__((format(printf, 2, 0))) static void plan_detail(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    base_error_detailv(&of(ctx)->error, fmt, ap);
}

__attribute__((format(printf, 2, 0))) static void plan_hint(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    base_error_hintv(&of(ctx)->error, fmt, ap);
}

static void plan_place(struct leat_ctx *ctx, const char *option, uint32_t offset)
{
    struct graph_ctx *gc = of(ctx);
    base_error_place(&gc->error, option, offset);
    if (gc->graph->reporter.where)
        gc->graph->reporter.where(gc->graph->reporter.arg, gc->node, option, offset, gc->where, sizeof gc->where);
}

static void plan_native(struct leat_ctx *ctx, const char *code, const char *text)
{
    base_error_native(&of(ctx)->error, code, text);
}

// Does the message speak of a column whose type is not known?
static int speaks_of_unknown(const struct leat_schema *schema, const char *message)
{
    for (uint32_t i = 0; schema && i < schema->column_count; i++) {
        const struct leat_field *f = &schema->columns[i];
        if (!(f->type.flags & LEAT_TYPE_IS_UNKNOWN) || !f->name.len)
            continue;
        char quoted[256];
        snprintf(quoted, sizeof quoted, "\"%.*s\"", (int)f->name.len, (const char *)f->name.ptr);
        if (strstr(message, quoted))
            return 1;
    }
    return 0;
}

__attribute__((format(printf, 7, 0))) static void plan_diag(struct leat_ctx *ctx, uint8_t severity, const char *code,
                                                            const char *option, uint32_t offset, const char *hint,
                                                            const char *fmt, va_list ap)
{
    struct graph_ctx *gc = of(ctx);
    char message[1024];
    vsnprintf(message, sizeof message, fmt, ap);
    gc->reported += severity == LEAT_DIAG_ERROR;
    if (gc->supposed && (severity != LEAT_DIAG_ERROR || speaks_of_unknown(gc->supposed, message)))
        return;
    if (severity == LEAT_DIAG_ERROR && !gc->error.message[0]) { // the first one stands for all where there is no list
        base_fail(&gc->error, LEAT_CONFIG, code, "%s", message);
        if (hint)
            base_error_hint(&gc->error, "%s", hint);
    }
    if (severity == LEAT_DIAG_ERROR && gc->reported == 1 && gc->graph->reporter.where)
        gc->graph->reporter.where(gc->graph->reporter.arg, gc->node, option, offset, gc->where, sizeof gc->where);
    gc->graph->reporter.report(gc->graph->reporter.arg, gc->node, severity, code, option, offset, hint, message);
}

static void plan_log(struct leat_ctx *ctx, uint8_t level, const char *event, const char *fmt, va_list ap) {}

static leat_usec plan_now(struct leat_ctx *ctx)
{
    return base_time_wall();
}

static int64_t plan_monotonic(struct leat_ctx *ctx)
{
    return base_time_mono();
}

static leat_status plan_format_open(struct leat_ctx *ctx, const char *option, uint8_t direction,
                                    const struct leat_schema *schema, const uint32_t *columns, uint32_t column_count,
                                    struct leat_format **out)
{
    const struct graph_node *node = of(ctx)->node;
    struct leat_format_request request = {
        .struct_size = sizeof request,
        .direction = direction,
        .schema = schema,
        .columns = columns,
        .column_count = column_count,
        .local_time_zone = of(ctx)->graph->local_time_zone,
    };
    return graph_format_open(ctx, node->formats, node->format_count, option, &request, out);
}

static const struct leat_host plan_host = {
    .struct_size = sizeof(struct leat_host),
    .abi_major = LEAT_ABI_MAJOR,
    .abi_minor = LEAT_ABI_MINOR,
    .alloc = plan_alloc,
    .free = plan_free,
    .fail = plan_fail,
    .error_detail = plan_detail,
    .error_hint = plan_hint,
    .error_native = plan_native,
    .error_place = plan_place,
    .diag = plan_diag,
    .log = plan_log,
    .now = plan_now,
    .monotonic = plan_monotonic,
    .format_open = plan_format_open,
};

void graph_ctx_init(struct graph_ctx *gc, struct graph *graph, const struct graph_node *node,
                    const struct leat_component *component, const char *call)
{
    memset(gc, 0, sizeof *gc);
    gc->ctx.host = &plan_host;
    gc->ctx.core = gc;
    gc->graph = graph;
    gc->node = node;
    gc->site = (struct base_crash_site){.pipeline = graph->pipeline, .node = node->name, .component = component->name};
    base_crash_enter(&gc->site, call);
}

void graph_ctx_close(struct graph_ctx *gc, leat_status status, const char *option)
{
    base_crash_leave();
    if (status >= 0 || gc->reported || gc->node->refused)
        return;
    const char *message = gc->error.message[0] ? gc->error.message : "the plugin refused without a reason";
    gc->graph->reporter.report(gc->graph->reporter.arg, gc->node, LEAT_DIAG_ERROR, gc->error.code,
                               gc->error.option[0] ? gc->error.option : option, gc->error.offset,
                               gc->error.hint[0] ? gc->error.hint : NULL, message);
}

void graph_report(struct graph *graph, const struct graph_node *node, uint8_t severity, const char *code,
                  const char *option, uint32_t offset, const char *hint, const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    graph->reporter.report(graph->reporter.arg, node, severity, code, option, offset, hint, message);
}

const char *graph_strndup(struct graph *graph, const char *text, size_t len)
{
    return base_arena_strndup(graph->arena, text, len);
}
