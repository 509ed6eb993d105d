// SPDX-License-Identifier: Apache-2.0
// What is said when the process crashes: in which plugin, node and callback, and a backtrace, on standard error.
//
// A thread that calls plugins keeps a crash_place up to date and shows it once with base_crash_thread; the handler of
// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT reads it. It uses what may be used in a signal handler only, on a stack of
// its own, and then lets the signal do what it does by default, so that whoever supervises the process sees it. Under a
// sanitizer nothing is installed: it has a handler of its own.
// Thread: install on the main thread before others start; each thread shows its own place.
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>

// Who is being called. Strings live as long as the process calls plugins.
struct base_crash_site {
    const char *pipeline, *node;
    const char *component;
    const char *plugin, *version; // NULL = not known
};

// What a thread is doing: written by the thread, read by any.
struct base_crash_place {
    _Atomic(const struct base_crash_site *) site; // NULL = no plugin
    _Atomic(const char *) call;                   // "poll"
};

// Installs the handler; `version` is what the process calls itself.
void base_crash_install(const char *version);

// Shows where the calling thread is (NULL: never in a plugin) and gives it a stack for the handler, until end.
void base_crash_thread(const struct base_crash_place *place);
void base_crash_thread_end(void);

#endif
