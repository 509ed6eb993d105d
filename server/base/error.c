// SPDX-License-Identifier: Apache-2.0
// The error object. See error.h.
#include "base/error.h"

#include <string.h>

#include "base/str.h"

void base_error_clear(struct base_error *err)
{
    *err = (struct base_error){0};
}

leat_status base_failv(struct base_error *err, leat_status failure, const char *code, const char *format, va_list args)
{
    char message[sizeof err->message]; // an argument may be the old message
    base_text_fitv(message, sizeof message, format, args);
    base_error_clear(err);
    err->failure = failure;
    base_text_fit(err->code, sizeof err->code, "%s", code ? code : "");
    memcpy(err->message, message, sizeof message);
    return failure;
}

leat_status base_fail(struct base_error *err, leat_status failure, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_failv(err, failure, code, format, args);
    va_end(args);
    return failure;
}

leat_status base_no_memory(struct base_error *err)
{
    return base_fail(err, LEAT_RESOURCE, "LEAT-R0001", "out of memory");
}

void base_error_detailv(struct base_error *err, const char *format, va_list args)
{
    base_text_fitv(err->detail, sizeof err->detail, format, args);
}

void base_error_hintv(struct base_error *err, const char *format, va_list args)
{
    base_text_fitv(err->hint, sizeof err->hint, format, args);
}

void base_error_detail(struct base_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_error_detailv(err, format, args);
    va_end(args);
}

void base_error_hint(struct base_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_error_hintv(err, format, args);
    va_end(args);
}

void base_error_native(struct base_error *err, const char *code, const char *text)
{
    base_text_fit(err->native_code, sizeof err->native_code, "%s", code ? code : "");
    base_text_fit(err->native_text, sizeof err->native_text, "%s", text ? text : "");
    size_t n = strlen(err->native_text);
    while (n > 0 && err->native_text[n - 1] == '\n') // libpq ends its messages so
        err->native_text[--n] = 0;
}

void base_error_place(struct base_error *err, const char *option, uint32_t offset)
{
    base_text_fit(err->option, sizeof err->option, "%s", option ? option : "");
    err->offset = offset;
}

void base_error_add_detail(struct base_error *err, const char *sentence)
{
    char old[sizeof err->detail];
    memcpy(old, err->detail, sizeof old);
    base_text_fit(err->detail, sizeof err->detail, "%s%s%s", old, *old && *sentence ? " " : "", sentence);
}

void base_error_node(struct base_error *err, const char *node)
{
    base_text_fit(err->node, sizeof err->node, "%s", node ? node : "");
}

void base_error_wrap(struct base_error *err, const char *format, ...)
{
    char context[sizeof err->message], old[sizeof err->message];
    va_list args;
    va_start(args, format);
    base_text_fitv(context, sizeof context, format, args);
    va_end(args);
    memcpy(old, err->message, sizeof old);
    base_text_fit(err->message, sizeof err->message, "%s: %s", context, old);
}

void base_error_at(struct base_error *err, const char *position)
{
    base_text_fit(err->position, sizeof err->position, "%s", position);
    base_error_wrap(err, "%s", position);
}

const char *base_failure_name(leat_status failure)
{
    static const char *const names[] = {"ok", "config", "transient", "data", "resource", "fatal", "bug"};
    return failure <= 0 && failure >= LEAT_BUG ? names[-failure] : "ok";
}

void base_error_print(const struct base_error *err, struct base_str *out)
{
    base_str_addz(out, err->message);
    if (err->code[0])
        base_str_addf(out, " [%s]", err->code);
    base_str_addc(out, '\n');
    if (err->detail[0])
        base_str_addf(out, "  detail: %s\n", err->detail);
    if (err->native_code[0] || err->native_text[0])
        base_str_addf(out, "  the other side said: %s%s%s\n", err->native_code,
                      err->native_code[0] && err->native_text[0] ? ": " : "", err->native_text);
    if (err->hint[0])
        base_str_addf(out, "  hint: %s\n", err->hint);
}
