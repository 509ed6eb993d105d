// SPDX-License-Identifier: Apache-2.0
// What is said when the process dies under a plugin: which plugin, node and callback, and a backtrace, on standard
// error.
//
// A thread that calls plugins keeps a crash_place up to date and shows it once with base_crash_thread; a thread that
// calls them now and then (the main thread: loading, checking) brackets each call with base_crash_enter and _leave. The
// handler of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT reads it. Code that runs in none of these calls, such as a
// thread of the plugin's own, is told apart by its address: libraries are noted as they are loaded.
//
// The handler uses what may be used in a signal handler only, on a stack of its own, and then lets the signal do what it
// does by default, so that whoever supervises the process sees it. A plugin that ends the process by exit, _exit or
// quick_exit is told in the same way, and the process ends with BASE_CRASH_EXIT whatever the plugin wanted: a supervisor
// must not take it for success. A call on the main thread that does not come back is named as well, after some seconds:
// `leat check` would hang without a word; workers have the runtime that looks after them. Under a sanitizer no handlers are
// installed: it has its own.
// Thread: install on the main thread before others start; each thread shows its own place.
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BASE_CRASH_EXIT 4 // the exit code when a plugin has ended the process

// Who is being called. Strings live as long as the process calls plugins; any may be NULL.
struct base_crash_site {
    const char *pipeline, *node;
    const char *component;
    const char *plugin, *version; // plugin NULL = the library in which the string `component` lies
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

// Around one call on a thread that shows no place; `site` lives until leave. The calls do not nest.
void base_crash_enter(const struct base_crash_site *site, const char *call);
void base_crash_leave(void);

// A rule was broken in a way that leaves nothing to go on with: says it and crashes here, so that who is being called is
// named. `what` is a sentence without full stop.
_Noreturn void base_crash_broken(const char *what);

// Notes a library that was loaded at begin … end from `file`; it stays until the process ends. Main thread. Strings live
// as long as the process; name and version are known once its entry was asked (NULL until then).
struct base_crash_library {
    uintptr_t begin, end;
    const char *file, *name, *version;
};
void base_crash_library(const struct base_crash_library *library);
void base_crash_library_is(uintptr_t begin, const char *name, const char *version);

#endif
