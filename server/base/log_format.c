// SPDX-License-Identifier: Apache-2.0
// A log record as a line of text or of JSON. Runs on the log's thread.
#include <string.h>

#include "base/log_int.h"
#include "base/secret.h"
#include "base/time.h"

static const char *next(const char *text)
{
    return text + strlen(text) + 1;
}

// A value as people read it: bare if it is one word, else in quotes. Control characters never reach the terminal.
static void add_value(const char *value, size_t len, struct base_str *out)
{
    bool bare = len > 0;
    for (size_t i = 0; i < len && bare; i++)
        bare = (unsigned char)value[i] > ' ' && value[i] != '"' && value[i] != '=' && value[i] != 0x7f;
    if (bare)
        base_str_add(out, value, len);
    else
        base_str_add_json(out, value, len);
}

// A message as people read it: as it is, but for control characters.
static void add_message(const char *text, size_t len, struct base_str *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            base_str_addz(out, "\\n");
        else if (c < ' ' || c == 0x7f)
            base_str_addf(out, "\\x%02x", c);
        else
            base_str_addc(out, (char)c);
    }
}

void log_format_text(const struct log_record *r, struct base_secrets *secrets, struct base_str *out)
{
    static const char *const levels[] = {"", "ERROR", "WARN ", "INFO ", "DEBUG"};
    char time[BASE_TIME_TEXT];
    base_time_print(r->time, time);
    const char *pipeline = r->text, *node = next(pipeline), *event = next(next(node)), *message = next(event);
    base_str_addf(out, "%s %s ", time, levels[r->level <= LEAT_LOG_DEBUG ? r->level : LEAT_LOG_DEBUG]);
    if (*pipeline)
        base_str_addf(out, *node ? "%s/%s " : "%s ", pipeline, node);
    base_str_addf(out, "%s ", event);
    struct base_str masked;
    base_str_init(&masked);
    base_secrets_mask(secrets, message, strlen(message), &masked);
    add_message(masked.ptr, masked.len, out);
    const char *key = next(message);
    for (unsigned i = 0; i < r->fields; i++) {
        const char *value = next(key);
        if (!(r->machine >> i & 1)) {
            base_str_clear(&masked);
            base_secrets_mask(secrets, value, strlen(value), &masked);
            base_str_addf(out, " %s=", key);
            add_value(masked.ptr, masked.len, out);
        }
        key = next(value);
    }
    if (r->repeated) {
        base_time_print(r->last, time);
        base_str_addf(out, " repeated=%u last=%s", r->repeated, time);
    }
    base_str_addc(out, '\n');
    base_str_fini(&masked);
}

static void add_member(struct base_str *out, struct base_secrets *secrets, const char *name, const char *value)
{
    struct base_str masked;
    base_str_init(&masked);
    base_secrets_mask(secrets, value, strlen(value), &masked);
    base_str_addc(out, ',');
    base_str_add_json(out, name, strlen(name));
    base_str_addc(out, ':');
    base_str_add_json(out, masked.ptr, masked.len);
    base_str_fini(&masked);
}

void log_format_json(const struct log_record *r, struct base_secrets *secrets, struct base_str *out)
{
    char time[BASE_TIME_TEXT];
    base_time_print(r->time, time);
    const char *pipeline = r->text, *node = next(pipeline), *job = next(node), *event = next(job),
               *message = next(event);
    base_str_addf(out, "{\"time\":\"%s\",\"level\":\"%s\"", time, base_log_level_name(r->level));
    if (*pipeline)
        add_member(out, NULL, "pipeline", pipeline);
    if (*job)
        add_member(out, NULL, "job", job);
    if (*node)
        add_member(out, NULL, "node", node);
    add_member(out, NULL, "event", event);
    add_member(out, secrets, "message", message);
    const char *key = next(message);
    for (unsigned i = 0; i < r->fields; i++) {
        const char *value = next(key);
        add_member(out, secrets, key, value);
        key = next(value);
    }
    if (r->repeated) {
        base_time_print(r->last, time);
        base_str_addf(out, ",\"repeated\":%u,\"last\":\"%s\"", r->repeated, time);
    }
    base_str_addz(out, "}\n");
}
