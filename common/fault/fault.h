// SPDX-License-Identifier: Apache-2.0
// Fault points: LEAT_FAULT("name") kills the process at that place when a test asks for it.
//
// Compiled in by LEAT_FAULTS only (debug, asan, tsan); nothing at all otherwise. The environment LEAT_FAULT=name kills
// on the first pass, LEAT_FAULT=name:3 on the third. SIGKILL, so that nothing is flushed, closed or said goodbye to.
// The names stand in README.md beside this file. Thread: any.
#ifndef LEAT_FAULT_H
#define LEAT_FAULT_H

#ifdef LEAT_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void leat_fault_pass(const char *name, atomic_long *passes)
{
    const char *wanted = getenv("LEAT_FAULT");
    size_t len = strlen(name);
    if (!wanted || strncmp(wanted, name, len) != 0 || (wanted[len] && wanted[len] != ':'))
        return;
    long count = wanted[len] ? strtol(wanted + len + 1, NULL, 10) : 1;
    if (atomic_fetch_add(passes, 1) + 1 == count)
        kill(getpid(), SIGKILL);
}

#define LEAT_FAULT(name)                                                                                               \
    do {                                                                                                               \
        static atomic_long leat_fault_passes_;                                                                         \
        leat_fault_pass(name, &leat_fault_passes_);                                                                    \
    } while (0)

#else

#define LEAT_FAULT(name) ((void)0)

#endif
#endif
