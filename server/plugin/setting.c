// SPDX-License-Identifier: Apache-2.0
// Places inside string values, and settings in messages. See setting.h.
#include "plugin/setting.h"

#include <string.h>

#include "base/arena.h"

#define SHOWN_MAX 60 // bytes of a value that a message repeats

static bool starts(const char *p, const char *end, const char *mark)
{
    size_t n = strlen(mark);
    return (size_t)(end - p) >= n && memcmp(p, mark, n) == 0;
}

// Bytes that one escape sequence at `p` (a backslash) takes in the file, and how many it gives in the value.
static size_t escape(const char *p, const char *end, bool multi, uint32_t *gives)
{
    *gives = 1;
    if (p + 1 >= end)
        return 1;
    if (p[1] == 'u' || p[1] == 'U') {
        size_t digits = p[1] == 'u' ? 4 : 8;
        uint32_t code = 0;
        for (size_t i = 0; i < digits && p + 2 + i < end; i++) {
            char c = p[2 + i];
            code = code * 16 + (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        *gives = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        return 2 + digits;
    }
    const char *q = p + 1;
    while (multi && q < end && (*q == ' ' || *q == '\t' || *q == '\r'))
        q++;
    if (!multi || q == end || *q != '\n')
        return 2;
    while (q < end && (*q == ' ' || *q == '\t' || *q == '\r' || *q == '\n')) // a continued line
        q++;
    *gives = 0;
    return (size_t)(q - p);
}

struct base_place plugin_setting_place(const struct plugin_setting *setting, uint32_t offset)
{
    const struct base_source *s = setting->place.source;
    if (setting->kind != PLUGIN_TEXT || setting->text != setting->raw || !s || !setting->place.line)
        return setting->place;
    const char *p = s->text + base_place_offset(&setting->place), *end = s->text + s->len;
    if (p == end || (*p != '"' && *p != '\''))
        return setting->place;
    bool basic = *p == '"', multi = starts(p, end, basic ? "\"\"\"" : "'''");
    p += multi ? 3 : 1;
    if (multi && p < end && *p == '\r')
        p++;
    if (multi && p < end && *p == '\n') // the line end behind the opening quotes is not part of the value
        p++;
    for (uint32_t at = 0; p < end;) {
        uint32_t gives = multi && *p == '\r' && p + 1 < end && p[1] == '\n' ? 0 : 1; // "\r\n" is "\n" in the value
        size_t takes = basic && *p == '\\' ? escape(p, end, multi, &gives) : 1;
        if (at >= offset && gives)
            break;
        p += takes;
        at += gives;
    }
    if (p > end)
        p = end;
    return base_place_of_word(s, (size_t)(p - s->text));
}

struct base_place plugin_setting_fault(const struct plugin_setting *setting, uint32_t offset)
{
    bool whole = !offset && setting->kind == PLUGIN_TEXT && !memchr(setting->raw, ' ', setting->raw_len) &&
                 !memchr(setting->raw, '\n', setting->raw_len);
    return whole ? setting->place : plugin_setting_place(setting, offset);
}

const char *plugin_setting_shown(struct base_arena *arena, const struct plugin_setting *setting, bool secret)
{
    static const char *const kinds[] = {"the string",      "the number",       "the number",
                                        "the truth value", "a list of values", "the date or time"};
    const char *kind = kinds[setting->kind];
    if (setting->kind == PLUGIN_LIST)
        return kind;
    if (secret || setting->secret)
        return "what it is";
    uint32_t len = setting->len;
    const char *more = "";
    if (len > SHOWN_MAX) {
        for (len = SHOWN_MAX; len > 0 && ((unsigned char)setting->text[len] & 0xc0) == 0x80; len--)
            ;
        more = "…";
    }
    const char *quote = setting->kind == PLUGIN_TEXT ? "\"" : "";
    const char *shown = base_arena_sprintf(arena, "%s %s%.*s%s%s", kind, quote, (int)len, setting->text, more, quote);
    return shown ? shown : kind;
}
