// SPDX-License-Identifier: Apache-2.0
// bench_micro: see micro.h.
//
//     bench_micro                          every case, both sides: CPU nanoseconds and cycles a row
//     bench_micro NAME leat|rival ROUNDS   one side; prints rows, CPU nanoseconds a row of the best round
//     valgrind --tool=callgrind --toggle-collect=measured bench_micro NAME leat 1      (ci/instructions)
//
// Cycles are those of the time stamp counter, which ticks at a constant rate: virtual machines seldom have others.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "micro.h"

static const struct micro *const cases[] = {&micro_json_decode, &micro_json_encode, &micro_pgoutput,
                                            &micro_expression,  &micro_join,        &micro_channel};

void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_micro: failed: %s\n", what);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

// What callgrind counts: its name must survive, and nothing else may be in it.
void measured(void (*work)(void *self), void *self);
__attribute__((noinline)) void measured(void (*work)(void *self), void *self)
{
    work(self);
}

// CPU nanoseconds a row of the best round; the first one warms up and does not count.
static double best_of(const struct micro *m, void (*work)(void *self), void *self, int rounds)
{
    double best = 1e9;
    if (m->check)
        m->check(self);
    for (int i = 0; i <= rounds; i++) {
        if (m->prepare)
            m->prepare(self);
        double from = seconds(CLOCK_THREAD_CPUTIME_ID), took;
        if (i == 0)
            work(self);
        else
            measured(work, self);
        took = seconds(CLOCK_THREAD_CPUTIME_ID) - from;
        best = i > 0 && took < best ? took : best;
    }
    return best / m->rows * 1e9;
}

static double cycles_a_nanosecond(void)
{
#ifdef __x86_64__
    double from = seconds(CLOCK_MONOTONIC);
    uint64_t ticks = __builtin_ia32_rdtsc();
    while (seconds(CLOCK_MONOTONIC) - from < 0.05)
        ;
    return (double)(__builtin_ia32_rdtsc() - ticks) / ((seconds(CLOCK_MONOTONIC) - from) * 1e9);
#else
    return 0;
#endif
}

static void show_all(void)
{
    double rate = cycles_a_nanosecond();
    printf("%-14s %12s %12s %12s %12s %7s  rival\n", "case", "leat ns", "rival ns", "leat cycles", "rival cycles",
           "ratio");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *self = cases[i]->create();
        double leat = best_of(cases[i], cases[i]->leat, self, 50), rival = best_of(cases[i], cases[i]->rival, self, 50);
        printf("%-14s %12.1f %12.1f %12.0f %12.0f %7.2f  %s\n", cases[i]->name, leat, rival, leat * rate, rival * rate,
               rival / leat, cases[i]->rival_is);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        show_all();
        return 0;
    }
    must(argc == 4, "usage: bench_micro [NAME leat|rival ROUNDS]");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i]->name, argv[1]) != 0)
            continue;
        double ns = best_of(cases[i], strcmp(argv[2], "leat") == 0 ? cases[i]->leat : cases[i]->rival,
                            cases[i]->create(), (int)strtol(argv[3], NULL, 10));
        printf("%u %.2f %.1f\n", cases[i]->rows, ns, ns * cycles_a_nanosecond());
        return 0;
    }
    must(0, "no case has such a name");
}
