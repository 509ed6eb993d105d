// SPDX-License-Identifier: Apache-2.0
// See crash.h. The statics are what a signal handler can reach: it is given nothing but the signal.
#include "base/crash.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/sanitized.h"

#define STACK     65536
#define FRAMES    64
#define LIBRARIES 512
#define LINE      4096

#define WATCH_SECONDS 3 // a call on the main thread only looks at options and columns

static const char *program_version = "";
static pid_t process; // not that of a child which a plugin forks
static struct base_crash_library libraries[LIBRARIES];
static atomic_size_t library_count;
static _Thread_local const struct base_crash_place *here;
static _Thread_local struct base_crash_place passing; // of a thread that shows none
static _Thread_local void *stack;
static struct {
    pthread_mutex_t lock; // a site lives until its call is left, so leave waits for one who reads it
    unsigned calls;       // how many there were
} watched = {.lock = PTHREAD_MUTEX_INITIALIZER};
static const struct base_crash_place *main_place;

// --- words

// A line is written at once: other threads may be logging.
struct line {
    size_t len;
    char text[LINE];
};

static void put(struct line *line, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (n > sizeof line->text - 1 - line->len)
        n = sizeof line->text - 1 - line->len;
    if (n)
        memcpy(line->text + line->len, text, n);
    line->len += n;
}

static void put_all(struct line *line, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(line, texts[i]);
}

#define PUT(line, ...)                                                                                                 \
    put_all(line, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_number(struct line *line, uint64_t number, unsigned base)
{
    char text[24], *at = text + sizeof text - 1;
    *at = 0;
    do
        *--at = "0123456789abcdef"[number % base];
    while (number /= base);
    put(line, at);
}

static void end(struct line *line)
{
    line->text[line->len++] = '\n';
    if (write(STDERR_FILENO, line->text, line->len) < 0)
        return; // nowhere to complain to
}

#define SAY(...)                                                                                                       \
    do {                                                                                                               \
        struct line line_ = {.len = 0};                                                                                \
        PUT(&line_, __VA_ARGS__);                                                                                      \
        end(&line_);                                                                                                   \
    } while (0)

// --- who

static const struct base_crash_library *library_at(uintptr_t address)
{
    for (size_t i = 0; i < atomic_load(&library_count); i++)
        if (address >= libraries[i].begin && address < libraries[i].end)
            return &libraries[i];
    return NULL;
}

static void say_library(const struct base_crash_library *library, uintptr_t address)
{
    struct line line = {.len = 0};
    PUT(&line, "leat: in the code of plugin \"", library->name ? library->name : library->file, "\"",
        library->version ? " version " : "", library->version, ", file ", library->file, ", offset 0x");
    put_number(&line, address - library->begin, 16);
    end(&line);
}

static void say_site(const struct base_crash_site *site, const char *call)
{
    const struct base_crash_library *library = site->plugin ? NULL : library_at((uintptr_t)site->component);
    const char *plugin = library ? library->name : site->plugin;
    const char *version = library ? library->version : site->version;
    struct line line = {.len = 0};
    PUT(&line, "leat: in plugin \"", plugin ? plugin : site->component, "\"", version ? " version " : "", version);
    if (site->component)
        PUT(&line, " (", site->component, ")");
    if (site->node)
        PUT(&line, ", node \"", site->pipeline, site->pipeline ? "/" : "", site->node, "\"");
    PUT(&line, ", callback ", call ? call : "unknown");
    end(&line);
}

// The call that this thread is in, and the plugin nearest to the top of its stack. False = neither.
static bool say_place(void *const *frames, int count)
{
    const struct base_crash_site *site = here ? atomic_load(&here->site) : NULL;
    if (site)
        say_site(site, atomic_load(&here->call));
    for (int i = 0; i < count; i++) {
        const struct base_crash_library *library = library_at((uintptr_t)frames[i]);
        if (!library)
            continue;
        say_library(library, (uintptr_t)frames[i]);
        return true;
    }
    return site;
}

// Plugins are loaded through a descriptor, which says nothing to a reader: their frames are told with their file.
static void say_frames(void *const *frames, int count)
{
    for (int i = 0; i < count; i++) {
        const struct base_crash_library *library = library_at((uintptr_t)frames[i]);
        struct line line = {.len = 0};
        if (!library) {
            backtrace_symbols_fd(&frames[i], 1, STDERR_FILENO);
            continue;
        }
        PUT(&line, library->file, "(+0x");
        put_number(&line, (uintptr_t)frames[i] - library->begin, 16);
        put(&line, ")[0x");
        put_number(&line, (uintptr_t)frames[i], 16);
        put(&line, "]");
        end(&line);
    }
}

// --- a signal

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

static void on_crash(int number, siginfo_t *info, void *context)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    SAY("leat: crashed by ", signal_name(number), ", version ", program_version);
    if (!say_place(frames, count))
        SAY("leat: it was in no plugin's callback and in no plugin's code; the backtrace names the library");
    say_frames(frames, count);
    // the handler is gone (SA_RESETHAND): the signal ends the process as if there had been none
    raise(number);
}

// --- an exit

// Ends the process if it is a plugin that ends it. leat itself ends on its main thread and in no callback.
static void refuse_exit(const char *by, int code)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    bool in_plugin = here && atomic_load(&here->site);
    for (int i = 0; i < count && !in_plugin; i++)
        in_plugin = library_at((uintptr_t)frames[i]);
    if (getpid() != process || (!in_plugin && gettid() == process))
        return;
    SAY("leat: a plugin has ended the process by ", by, ", version ", program_version);
    struct line line = {.len = 0};
    put(&line, "leat: it wanted exit code ");
    put_number(&line, (unsigned)code & 0xff, 10);
    put(&line, "; this is no success");
    end(&line);
    if (!say_place(frames, count))
        SAY("leat: it was in no plugin's callback: a library's own thread did it");
    say_frames(frames, count);
    syscall(SYS_exit_group, BASE_CRASH_EXIT);
}

static void on_exit_call(int code, void *arg)
{
    refuse_exit("exit", code);
}

static void on_quick_exit(void)
{
    refuse_exit("quick_exit", 0);
}

#if !BASE_SANITIZED
// Nothing is called before _exit, so leat has one of its own, to which those of plugins are bound. Only a plugin's code
// is looked at: leat's signal handlers may call it in the middle of anything.
static _Noreturn void end_at_once(int code, const void *caller)
{
    if (library_at((uintptr_t)caller))
        refuse_exit("_exit", code);
    for (;;)
        syscall(SYS_exit_group, code);
}

__attribute__((visibility("default"))) void _exit(int code)
{
    end_at_once(code, __builtin_return_address(0));
}

__attribute__((visibility("default"))) void _Exit(int code)
{
    end_at_once(code, __builtin_return_address(0));
}
#endif

void base_crash_broken(const char *what)
{
    SAY("leat: a rule is broken: ", what);
    abort();
}

// --- a call that does not come back

static void say_waiting(unsigned seconds)
{
    struct line line = {.len = 0};
    put(&line, "leat: for ");
    put_number(&line, seconds, 10);
    put(&line, " seconds nothing has gone on here: a call of a plugin does not come back");
    end(&line);
    say_site(atomic_load(&main_place->site), atomic_load(&main_place->call));
}

// Looks once a second whether the main thread is still in the same call, and says so ever more rarely.
static void *watch(void *arg)
{
    unsigned seen = 0, seconds = 0, next = 0;
    for (;; seconds++) {
        pthread_mutex_lock(&watched.lock);
        bool same = seen == watched.calls && atomic_load(&main_place->site);
        if (!same) {
            seen = watched.calls;
            seconds = 0;
            next = WATCH_SECONDS;
        } else if (seconds >= next) {
            say_waiting(seconds);
            next *= 2;
        }
        pthread_mutex_unlock(&watched.lock);
        sleep(1);
    }
    return NULL;
}

// Without memory for the thread nothing is watched.
static void start_watch(void)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    main_place = &passing;
    if (pthread_attr_init(&attr) != 0)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are for the main thread
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK);
    if (pthread_create(&thread, &attr, watch, NULL) == 0)
        pthread_setname_np(thread, "leat-watch");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

// --- what it is told

void base_crash_install(const char *version)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
    void *frame;
    program_version = version;
    process = getpid();
    // a sanitizer ends by exit itself, on any thread; that of a plugin is told there all the same
    on_exit(on_exit_call, NULL);
    start_watch();
    if (BASE_SANITIZED)
        return;
    at_quick_exit(on_quick_exit);
    backtrace(&frame, 1); // loads what it needs now, not in the handler
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    base_crash_thread(NULL);
}

void base_crash_thread(const struct base_crash_place *place)
{
    here = place;
    if (!BASE_SANITIZED && !stack && (stack = malloc(STACK)))
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

void base_crash_enter(const struct base_crash_site *site, const char *call)
{
    pthread_mutex_lock(&watched.lock);
    atomic_store(&passing.call, call);
    atomic_store(&passing.site, site);
    here = &passing;
    watched.calls++;
    pthread_mutex_unlock(&watched.lock);
}

void base_crash_leave(void)
{
    pthread_mutex_lock(&watched.lock);
    here = NULL;
    atomic_store(&passing.site, NULL);
    pthread_mutex_unlock(&watched.lock);
}

void base_crash_library(const struct base_crash_library *library)
{
    size_t count = atomic_load(&library_count);
    if (count == LIBRARIES)
        return; // its place is told all the same, its addresses are not
    libraries[count] = *library;
    atomic_store(&library_count, count + 1);
}

void base_crash_library_is(uintptr_t begin, const char *name, const char *version)
{
    for (size_t i = 0; i < atomic_load(&library_count); i++) {
        if (libraries[i].begin != begin)
            continue;
        libraries[i].name = name;
        libraries[i].version = version;
    }
}
