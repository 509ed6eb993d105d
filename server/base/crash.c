// SPDX-License-Identifier: Apache-2.0
// See crash.h. The two statics are what a signal handler can reach: it is given nothing but the signal.
#include "base/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK  65536
#define FRAMES 64

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||               \
    __has_feature(thread_sanitizer)
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

static const char *program_version = "";
static _Thread_local const struct base_crash_place *here;
static _Thread_local void *stack;

static void say(const char *text)
{
    if (text && write(STDERR_FILENO, text, strlen(text)) < 0)
        return; // nowhere to complain to
}

static void say_pair(const char *before, const char *name, const char *after)
{
    say(before);
    say(name);
    say(after);
}

static const char *signal_name(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGILL:
        return "SIGILL";
    default:
        return "SIGABRT";
    }
}

static void say_place(void)
{
    const struct base_crash_site *site = here ? atomic_load(&here->site) : NULL;
    const char *call = here ? atomic_load(&here->call) : NULL;
    if (!site) {
        say("leat: it was in no plugin's callback; a library's own thread may still be at fault\n");
        return;
    }
    say_pair("leat: in plugin \"", site->plugin ? site->plugin : site->component, "\"");
    if (site->version)
        say_pair(" version ", site->version, "");
    say_pair(" (", site->component, "), node \"");
    say_pair(site->pipeline, "/", site->node);
    say_pair("\", callback ", call ? call : "unknown", "\n");
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    void *frames[FRAMES];
    say_pair("leat: crashed by ", signal_name(number), ", ");
    say_pair("version ", program_version, "\n");
    say_place();
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    // the handler is gone (SA_RESETHAND): the signal ends the process as if there had been none
    raise(number);
}

void base_crash_install(const char *version)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
    void *frame;
    program_version = version;
    if (is_sanitized)
        return;
    backtrace(&frame, 1); // loads what it needs now, not in the handler
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    base_crash_thread(NULL);
}

void base_crash_thread(const struct base_crash_place *place)
{
    here = place;
    if (!is_sanitized && !stack && (stack = malloc(STACK)))
        sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = STACK}, NULL);
}

void base_crash_thread_end(void)
{
    here = NULL;
    if (!stack)
        return;
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(stack);
    stack = NULL;
}
