// SPDX-License-Identifier: Apache-2.0
// Reading and matching differences.tsv. The file is small: it is searched from its beginning for every question.
#include "differences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 5

struct difference {
    const char *column[COLUMNS]; // in `text`
};

struct differences {
    char *text;
    struct difference *items;
    size_t count;
};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long size;
    if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || !(text = malloc((size_t)size + 1))) {
        fprintf(stderr, "could not read \"%s\"\n", path);
        if (f)
            fclose(f);
        return NULL;
    }
    rewind(f);
    text[fread(text, 1, (size_t)size, f)] = 0;
    fclose(f);
    return text;
}

// Cuts a line at its tabs. 0 = not a difference.
static int cut_line(char *line, struct difference *d)
{
    if (*line == '#' || !*line || strncmp(line, "suite\t", 6) == 0)
        return 0;
    for (int i = 0; i < COLUMNS; i++) {
        d->column[i] = line;
        char *tab = line + strcspn(line, "\t");
        line = *tab ? tab + 1 : tab;
        *tab = 0;
    }
    return *d->column[COLUMNS - 1] != 0;
}

struct differences *differences_load(const char *path)
{
    struct differences *d = calloc(1, sizeof *d);
    size_t lines = 1;
    if (!d || !(d->text = read_file(path))) {
        differences_free(d);
        return NULL;
    }
    for (const char *p = d->text; *p; p++)
        lines += *p == '\n';
    d->items = calloc(lines, sizeof *d->items);
    if (!d->items) {
        differences_free(d);
        return NULL;
    }
    for (char *line = d->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        d->count += (size_t)cut_line(line, &d->items[d->count]);
    }
    return d;
}

void differences_free(struct differences *d)
{
    if (!d)
        return;
    free(d->items);
    free(d->text);
    free(d);
}

// '*' is any text; after a star the shortest rest that fits is tried first.
static int matches(const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++again;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

const char *differences_reason(const struct differences *d, const char *suite, const char *question, const char *flink,
                               const char *leat)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct difference *x = &d->items[i];
        if (strcmp(x->column[0], suite) == 0 && matches(x->column[1], question) && matches(x->column[2], flink) &&
            matches(x->column[3], leat))
            return x->column[4];
    }
    return NULL;
}
