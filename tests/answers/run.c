// SPDX-License-Identifier: Apache-2.0
// See run.h.
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally *run_tally(struct run *run, const char *category)
{
    for (size_t i = 0; i < run->categories; i++)
        if (strcmp(run->tallies[i].category, category) == 0)
            return &run->tallies[i];
    if (run->categories == RUN_CATEGORIES_MAX) {
        fprintf(stderr, "more than %d categories\n", RUN_CATEGORIES_MAX);
        exit(2);
    }
    struct tally *t = &run->tallies[run->categories++];
    snprintf(t->category, sizeof t->category, "%s", category);
    t->least = run->least < 0 ? 0 : run->least;
    return t;
}

int run_asks(const struct run *run, const char *category)
{
    return !run->only || strcmp(run->only, category) == 0;
}

// --- the words

static int set_least(struct run *run, char *text)
{
    if (run->least >= 0) {
        run->least = strtod(text, NULL);
        return 1;
    }
    char *equals = strchr(text, '=');
    if (!equals)
        return 0;
    *equals = 0;
    run_tally(run, text)->least = strtod(equals + 1, NULL);
    return 1;
}

int run_begin(struct run *run, int argc, char **argv)
{
    const char *file = NULL, *differences = ANSWERS_DIR "/differences.tsv";
    for (int i = 1; i < argc; i++) {
        char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "-v") == 0) {
            run->verbose = 1;
        } else if (strcmp(argv[i], run->category) == 0 && next) {
            run->only = argv[++i];
        } else if (strcmp(argv[i], "--differences") == 0 && next) {
            differences = argv[++i];
        } else if (strcmp(argv[i], "--min") == 0 && next && set_least(run, next)) {
            i++;
        } else if (argv[i][0] == '-' || file) {
            fprintf(stderr, "usage: %s\n", run->usage);
            return 0;
        } else {
            file = argv[i];
        }
    }
    run->file = file ? file : run->file;
    run->differences = differences_load(differences);
    return run->differences != NULL;
}

// --- the file and the report

static int take_file(struct run *run)
{
    FILE *f = fopen(run->file, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int good = f != NULL;
    if (!f)
        fprintf(stderr, "could not open \"%s\"\n", run->file);
    while (good && (len = getline(&line, &cap, f)) > 0) {
        run->line++;
        good = run->take(run, line, (size_t)len);
        if (!good)
            fprintf(stderr, "%s:%zu: %s\n", run->file, run->line, run->fault);
    }
    free(line);
    if (f)
        fclose(f);
    return good;
}

static struct counts count(const struct run *run, const struct tally *t)
{
    unsigned cases = t->passed + t->listed + t->failed, most = cases * run->listed_of_100 / 100;
    unsigned over = t->listed > most ? t->listed - most : 0;
    return (struct counts){.cases = cases,
                           .passed = t->passed + t->listed - over,
                           .failed = t->failed + over,
                           .skipped = t->skipped,
                           .listed = t->listed - over,
                           .over = over};
}

static int report(const struct run *run)
{
    struct counts sum = {0};
    int good = 1;
    for (size_t i = 0; i < run->categories; i++) {
        const struct tally *t = &run->tallies[i];
        struct counts c = count(run, t);
        run->report(t, &c);
        good = good && 100.0 * c.passed >= t->least * c.cases;
        good = good && (!run->needs_cases || t->least <= 0 || c.cases > 0);
        sum.passed += c.passed;
        sum.failed += c.failed;
        sum.skipped += c.skipped;
    }
    printf("%u passed, %u failed, %u skipped\n", sum.passed, sum.failed, sum.skipped);
    return good;
}

int run_finish(struct run *run)
{
    int good = take_file(run);
    good = report(run) && good;
    differences_free(run->differences);
    return good ? 0 : 1;
}
