// SPDX-License-Identifier: Apache-2.0
// What ends the process, or holds it.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "misbehave.h"

static void do_crash(const struct config *config)
{
    volatile int *volatile nowhere = NULL; // no compiler and no analyzer may know
    *nowhere = 1;
}

static void do_abort(const struct config *config)
{
    abort();
}

static void do_exit(const struct config *config)
{
    exit(0);
}

static void do_quick_exit(const struct config *config)
{
    quick_exit(0);
}

static void do_exit_now(const struct config *config)
{
    _exit(0);
}

static void do_stall(const struct config *config)
{
    struct timespec time = {config->stall / 1000000, config->stall % 1000000 * 1000};
    while (nanosleep(&time, &time) != 0)
        ;
}

#define ROW(word, function) {word, function},

static const struct {
    const char *word;
    void (*fn)(const struct config *config);
} deeds[] = {MISBEHAVE_DEADLY(ROW)};

#define DEEDS ((int32_t)(sizeof deeds / sizeof deeds[0]))

void misbehave_die(const struct config *config, int32_t how)
{
    if (how > 0 && how <= DEEDS)
        deeds[how - 1].fn(config);
}

int32_t misbehave_named(const char *word)
{
    for (int32_t i = 0; word && i < DEEDS; i++)
        if (strcmp(deeds[i].word, word) == 0)
            return i + 1;
    return 0;
}
