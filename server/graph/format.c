// SPDX-License-Identifier: Apache-2.0
// See format.h.
#include "graph/format.h"

#include <string.h>

#include "plugin/option.h"

static void close(struct leat_ctx *ctx, struct leat_format *format)
{
    if (!format)
        return;
    format->ops->destroy(ctx, format->self);
    ctx->host->free(ctx, format);
}

static const struct plugin_format *find(const struct plugin_format *formats, uint32_t count, const char *option)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(formats[i].option, option) == 0)
            return &formats[i];
    return NULL;
}

leat_status graph_format_open(struct leat_ctx *ctx, const struct plugin_format *formats, uint32_t count,
                              const char *option, struct leat_format_request *request, struct leat_format **out)
{
    const struct plugin_format *found = find(formats, count, option);
    if (!found)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-R0005", "option \"%s\" names no format", option);
    request->config = found->config;
    request->is_key = strncmp(option, "key.", 4) == 0;
    struct leat_format *format = ctx->host->alloc(ctx, sizeof *format);
    if (!format)
        return leat_no_memory(ctx);
    *format =
        (struct leat_format){found->component->format, NULL, found->component->name, LEAT_MODE_INSERT_ONLY, close};
    leat_status st = format->ops->check ? format->ops->check(ctx, request, &format->mode) : LEAT_OK;
    if (st >= 0)
        st = format->ops->create(ctx, request, &format->self);
    if (st < 0) {
        ctx->host->free(ctx, format);
        return st;
    }
    *out = format;
    return LEAT_OK;
}
