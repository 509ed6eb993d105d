// SPDX-License-Identifier: Apache-2.0
// A look at the text before toml++ recurses over it: how deep do brackets nest, how long are dotted keys?
//
// Knows strings and comments only as far as needed to skip them; whatever is not TOML is toml++'s to refuse.
#include <string.h>

#include "config/toml.h"

// Behind the string that begins at `p`, the end if it is not closed.
static const char *skip_string(const char *p, const char *end)
{
    char quote = *p;
    bool multi = end - p >= 3 && p[1] == quote && p[2] == quote;
    p += multi ? 3 : 1;
    for (; p < end; p++) {
        if (*p == '\\' && quote == '"')
            p++;
        else if (*p == '\n' && !multi)
            return p;
        else if (*p == quote && !multi)
            return p + 1;
        else if (*p == quote && end - p >= 3 && p[1] == quote && p[2] == quote)
            return p + 3;
    }
    return end;
}

size_t toml_guard(const char *text, size_t len)
{
    const char *end = text + len;
    unsigned depth = 0, dots = 0;
    for (const char *p = text; p < end;) {
        char c = *p;
        if (c == '"' || c == '\'') {
            p = skip_string(p, end);
            continue;
        }
        if (c == '#') {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            p = line ? line : end;
            continue;
        }
        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth)
            depth--;
        dots = c == '.' ? dots + 1 : strchr("\n=[]{},", c) ? 0 : dots;
        if (depth > TOML_DEPTH_MAX || dots >= TOML_DEPTH_MAX)
            return (size_t)(p - text);
        p++;
    }
    return len;
}

// "[sources.orders]" and the like.
static bool is_section(const char *p, const char *end)
{
    static const char *const heads[] = {"[sources.", "[lookups.", "[operators.", "[sinks.", "[pipeline]", "[server]"};
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if ((size_t)(end - p) >= strlen(heads[i]) && memcmp(p, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

// Where the string at `p`, which ends before `end`, has the line of a section in it; `end` if nowhere.
static const char *section_within(const char *p, const char *end)
{
    while ((p = memchr(p, '\n', (size_t)(end - p))))
        if (is_section(++p, end))
            return p;
    return end;
}

// Behind the last line of [from, end) that is neither blank nor a comment, but in or behind the line of `from`.
static const char *text_end(const char *from, const char *end)
{
    for (;;) {
        while (end > from && strchr(" \t\r\n", end[-1]))
            end--;
        const char *line = end;
        while (line > from && line[-1] != '\n')
            line--;
        if (line == from || line[strspn(line, " \t")] != '#')
            return end;
        end = line;
    }
}

size_t toml_open_string(const char *text, size_t len, size_t *close)
{
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        if (*p == '#') {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            p = line ? line : end;
            continue;
        }
        if (*p != '"' && *p != '\'') {
            p++;
            continue;
        }
        const char *behind = skip_string(p, end);
        bool multi = end - p >= 3 && p[1] == *p && p[2] == *p;
        bool closed = behind - p >= 6 && behind[-1] == *p && behind[-2] == *p && behind[-3] == *p;
        const char *section = multi ? section_within(p, behind) : behind;
        if (multi && (!closed || section < behind)) {
            *close = (size_t)(text_end(p + 3, section) - text);
            return (size_t)(p - text);
        }
        p = behind;
    }
    return len;
}

bool toml_is_within(const char *text, size_t len, size_t at)
{
    unsigned depth = 0;
    for (const char *p = text, *end = text + len; p < text + at;) {
        const char *line;
        if (*p == '"' || *p == '\'') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '#' && !(line = memchr(p, '\n', (size_t)(end - p))))
            return false;
        if (*p == '#')
            p = line;
        if (*p == '[' || *p == '{')
            depth++;
        else if ((*p == ']' || *p == '}') && depth)
            depth--;
        if (++p == text + at)
            return depth > 0;
    }
    return at > 0; // in a string, unless there is nothing before
}
