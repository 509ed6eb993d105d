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
