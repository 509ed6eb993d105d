// SPDX-License-Identifier: Apache-2.0
// The static context. See check.h.
#include "plugin/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"

static struct plugin_check *check_of(struct leat_ctx *ctx)
{
    return ctx->core;
}

static void *host_alloc(struct leat_ctx *ctx, size_t size)
{
    return malloc(size ? size : 1);
}

static void host_free(struct leat_ctx *ctx, void *ptr)
{
    free(ptr);
}

static leat_status __attribute__((format(printf, 4, 0)))
host_fail(struct leat_ctx *ctx, leat_status failure, const char *code, const char *format, va_list args)
{
    return base_failv(&check_of(ctx)->error, failure, code, format, args);
}

static void __attribute__((format(printf, 2, 0))) host_detail(struct leat_ctx *ctx, const char *format, va_list args)
{
    base_error_detailv(&check_of(ctx)->error, format, args);
}

static void __attribute__((format(printf, 2, 0))) host_hint(struct leat_ctx *ctx, const char *format, va_list args)
{
    base_error_hintv(&check_of(ctx)->error, format, args);
}

static void host_place(struct leat_ctx *ctx, const char *option, uint32_t offset)
{
    base_error_place(&check_of(ctx)->error, option, offset);
}

static void host_native(struct leat_ctx *ctx, const char *code, const char *text)
{
    base_error_native(&check_of(ctx)->error, code, text);
}

static void __attribute__((format(printf, 7, 0)))
host_diag(struct leat_ctx *ctx, uint8_t severity, const char *code, const char *option, uint32_t offset,
          const char *hint, const char *format, va_list args)
{
    const struct plugin_parse *parse = check_of(ctx)->parse;
    struct base_place place = parse->place;
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    if (plugin_speaks_of(parse->faulty, parse->faulty_count, option) ||
        plugin_speaks_of(parse->faulty, parse->faulty_count, message) ||
        plugin_speaks_of(parse->faulty, parse->faulty_count, hint)) {
        check_of(ctx)->held_back = true;
        return;
    }
    for (uint32_t i = 0; option && i < parse->setting_count; i++) {
        if (strcmp(parse->settings[i].path, option) == 0)
            place = plugin_setting_fault(&parse->settings[i], offset);
    }
    base_diag_add(parse->diags, severity, code, &place, hint, "%s", message);
}

static void __attribute__((format(printf, 4, 0)))
host_log(struct leat_ctx *ctx, uint8_t level, const char *event, const char *format, va_list args)
{
}

static leat_usec host_now(struct leat_ctx *ctx)
{
    return base_time_wall();
}

static int64_t host_monotonic(struct leat_ctx *ctx)
{
    return base_time_mono();
}

const struct leat_host *plugin_check_host(void)
{
    static const struct leat_host host = {
        .struct_size = sizeof host,
        .abi_major = LEAT_ABI_MAJOR,
        .abi_minor = LEAT_ABI_MINOR,
        .alloc = host_alloc,
        .free = host_free,
        .fail = host_fail,
        .error_detail = host_detail,
        .error_hint = host_hint,
        .error_native = host_native,
        .error_place = host_place,
        .diag = host_diag,
        .log = host_log,
        .now = host_now,
        .monotonic = host_monotonic,
    };
    return &host;
}

void plugin_check_init(struct plugin_check *check, const struct plugin_parse *parse)
{
    *check = (struct plugin_check){.parse = parse};
    check->ctx.host = plugin_check_host();
    check->ctx.core = check;
}
