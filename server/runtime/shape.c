// SPDX-License-Identifier: Apache-2.0
#include "runtime/shape.h"

#include <stdio.h>
#include <string.h>

#define LINE_SHOWN 240 // of one line's words

struct line {
    const char *name, *value;
    int name_len, value_len;
};

// The next line at *at. False at the end.
static int next_line(const char **at, struct line *line)
{
    const char *start = *at;
    if (!*start)
        return 0;
    size_t len = strcspn(start, "\n"), name = strcspn(start, ":\n");
    size_t value = name + 2 < len ? name + 2 : len;
    *line = (struct line){start, start + value, (int)name, (int)(len - value)};
    *at = start + len + (start[len] == '\n');
    return 1;
}

static int find_line(const char *text, const struct line *wanted, struct line *found)
{
    while (next_line(&text, found))
        if (found->name_len == wanted->name_len && memcmp(found->name, wanted->name, (size_t)found->name_len) == 0)
            return 1;
    return 0;
}

struct writer {
    char *text;
    size_t at;
};

static void put(struct writer *w, const struct line *line, const struct line *was, const struct line *now)
{
    static const struct line nothing = {"", "nothing", 0, 7};
    char one[3 * LINE_SHOWN];
    was = was ? was : &nothing;
    now = now ? now : &nothing;
    int len = snprintf(
        one, sizeof one, "%s%.*s was %.*s%s, is %.*s%s", w->at ? "; " : "", line->name_len < 64 ? line->name_len : 64,
        line->name, was->value_len < LINE_SHOWN ? was->value_len : LINE_SHOWN, was->value,
        was->value_len > LINE_SHOWN ? "…" : "", now->value_len < LINE_SHOWN ? now->value_len : LINE_SHOWN, now->value,
        now->value_len > LINE_SHOWN ? "…" : "");
    if (w->at + (size_t)len + sizeof "; …" <= SHAPE_CHANGES) {
        memcpy(w->text + w->at, one, (size_t)len + 1);
        w->at += (size_t)len;
    } else if (w->at < 3 || strcmp(w->text + w->at - 3, "…") != 0) {
        w->at += (size_t)snprintf(w->text + w->at, SHAPE_CHANGES - w->at, "; …");
    }
}

void shape_changes(const char *was, const char *now, char text[SHAPE_CHANGES])
{
    struct writer w = {.text = text};
    struct line line, other;
    for (const char *at = was ? was : ""; now && next_line(&at, &line);)
        if (!find_line(now, &line, &other))
            put(&w, &line, &line, NULL);
        else if (line.value_len != other.value_len || memcmp(line.value, other.value, (size_t)line.value_len) != 0)
            put(&w, &line, &line, &other);
    for (const char *at = now ? now : ""; was && next_line(&at, &line);)
        if (!find_line(was, &line, &other))
            put(&w, &line, NULL, &line);
    if (!w.at)
        snprintf(text, SHAPE_CHANGES, "its columns, their types or its keys have changed");
}
