// SPDX-License-Identifier: Apache-2.0
// Every case with every fixture, each in a process of its own, and the report.
//
// The child leaves its sentence, and what it was doing, in a shared page: so a component that crashes or hangs is named
// with the function it was in. What the child wrote to stderr is shown under a case that failed.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract.h"

#define ERRORS_SHOWN 6000 // bytes of a child's stderr

static struct report {
    char sentence[4096];
    char doing[TESTHOST_DOING];
    uint8_t done; // the case came to its end
} * report;

struct contract_options *contract_options(void)
{
    static struct contract_options options = {.wait_ms = 20000, .case_ms = 120000};
    return &options;
}

// --- in the child

static void (*clean)(void);
static struct testhost *host; // of the case

void contract_clean_up(void (*fn)(void))
{
    clean = fn;
}

// A broken rule is the cause of much that follows, so it is told first.
void contract_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (host && host->offence[0])
        snprintf(report->sentence, sizeof report->sentence, "%s", host->offence);
    else
        vsnprintf(report->sentence, sizeof report->sentence, fmt, ap);
    va_end(ap);
    if (clean)
        clean();
    _exit(1);
}

static size_t lines_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

void contract_same(const char *what, const char *have, const char *want)
{
    size_t have_lines = lines_of(have), want_lines = lines_of(want), line = 0, at = 0, begin = 0;
    while (have[at] && have[at] == want[at]) {
        if (have[at++] == '\n') {
            line++;
            begin = at;
        }
    }
    if (have[at] == want[at])
        return;
    contract_fail("%s has %zu rows of %zu; where row %zu should be \"%.*s\" stands \"%.*s\"", what, have_lines,
                  want_lines, line, (int)strcspn(want + begin, "\n"), want + begin, (int)strcspn(have + begin, "\n"),
                  have + begin);
}

struct testhost *contract_host(void)
{
    host = testhost_create();
    host->doing = report->doing;
    host->wait_ms = CONTRACT_WAIT;
    return host;
}

// Entries of a folder of /proc.
static int count_in(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

// What the first host of a case leaves may be of use for all that follow (a library's own thread, a connection of the
// fixture); a later one may not leave more. Threads are given time to vanish, down to `wanted`: one that was joined, and
// one that winds down what a client library would block in.
static void check_left(const char *folder, const char *what, int *usual, int wanted)
{
    int now = count_in(folder);
    for (int i = 0; i < 200 && now > (*usual ? *usual : wanted); i++) {
        usleep(10000);
        now = count_in(folder);
    }
    contract_check(!*usual || now <= *usual, "%d %s%s left behind after destroy", now - *usual, what,
                   now - *usual == 1 ? " was" : "s were");
    *usual = now;
}

void contract_host_end(struct testhost *h)
{
    static int descriptors, threads;
    const int alone = 3; // ".", ".." and this thread
    contract_check(!h->offence[0], "%s", h->offence);
    int batches = atomic_load(&h->live_batches), memory = atomic_load(&h->live_allocs);
    contract_check(batches == 0, "%d batch%s not given back (leat_batch_unref) after destroy", batches,
                   batches == 1 ? " was" : "es were");
    contract_check(memory == 0, "%d piece%s of memory of host->alloc %s not freed after destroy", memory,
                   memory == 1 ? "" : "s", memory == 1 ? "was" : "were");
    testhost_destroy(h);
    host = NULL;
    check_left("/proc/self/fd", "open descriptor", &descriptors, INT_MAX);
    check_left("/proc/self/task", "thread", &threads, alone);
}

static void fail_with(struct testhost_node *n, const char *call, leat_status st)
{
    const struct testhost_error *e = &n->error;
    if (st == LEAT_AGAIN)
        contract_fail("%s answered LEAT_AGAIN and was not done after %d ms: does it wake the node?", call,
                      CONTRACT_WAIT);
    for (const struct testhost_diag *d = n->diags; d && !e->message[0]; d = d->next)
        if (d->severity == LEAT_DIAG_ERROR)
            contract_fail("%s failed with class %s: %s%s%s%s", call, testhost_class(st), d->option,
                          d->option[0] ? ": " : "", d->message, d->hint);
    contract_fail("%s failed with class %s: %s %s%s%s%s%s", call, testhost_class(st), e->code, e->message,
                  e->detail[0] ? "; " : "", e->detail, e->native[0] ? "; " : "", e->native);
}

void contract_good(struct testhost_node *n, const char *call, leat_status st)
{
    if (st != LEAT_OK)
        fail_with(n, call, st);
}

void contract_harmless(struct testhost_node *n, const char *call, leat_status st)
{
    contract_check(!n->host->offence[0], "%s", n->host->offence);
    contract_check(st >= 0 || n->error.message[0] || n->diags, "%s failed with class %s and did not say why", call,
                   testhost_class(st));
}

// --- in the parent

static void show_errors(int fd)
{
    char text[ERRORS_SHOWN + 1];
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t n = pread(fd, text, ERRORS_SHOWN, 0);
    if (n <= 0)
        return;
    text[n] = 0;
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        printf("             | %.*s%s", (int)(end - line), line, end[-1] == '\n' ? "" : "\n");
    }
    if (size > ERRORS_SHOWN)
        printf("             | …\n");
}

// Waits for the child to end; 0 = it had to be killed.
static int wait_for(pid_t child, int *status)
{
    int fd = (int)syscall(SYS_pidfd_open, child, 0), ended;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    do {
        ended = fd < 0 ? 1 : poll(&p, 1, contract_options()->case_ms);
    } while (ended < 0 && errno == EINTR);
    if (fd >= 0)
        close(fd);
    if (ended == 0)
        kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    return ended != 0;
}

static int mentions(int errors, const char *word)
{
    char text[ERRORS_SHOWN + 1];
    ssize_t n = pread(errors, text, ERRORS_SHOWN, 0);
    text[n > 0 ? n : 0] = 0;
    return strstr(text, word) != NULL;
}

// The sentence for a child that could not say it itself.
static void judge(int in_time, int status, int errors)
{
    const char *in = report->doing[0] ? report->doing : "nothing of the component's own";
    char *out = report->sentence;
    size_t size = sizeof report->sentence;
    if (!in_time)
        snprintf(out, size, "it hangs: not done after %d ms, in %s", contract_options()->case_ms, in);
    else if (WIFSIGNALED(status))
        snprintf(out, size, "it crashed (%s) in %s", strsignal(WTERMSIG(status)), in);
    else if (out[0] || (report->done && !WEXITSTATUS(status)))
        return;
    else if (report->done)
        snprintf(out, size, "memory was leaked, as the sanitizer tells below");
    else if (mentions(errors, "Sanitizer") || mentions(errors, "runtime error:"))
        snprintf(out, size, "the sanitizer found a fault in %s, told below", in);
    else
        snprintf(out, size, "it ended the process with %d in %s", WEXITSTATUS(status), in);
}

// 1 = failed.
static int run_case(const struct contract_case *c, const void *fixture, const char *title)
{
    char path[] = "/tmp/leat-contract-log-XXXXXX";
    int errors = mkstemp(path), status = 0;
    if (errors < 0)
        return 1;
    unlink(path);
    *report = (struct report){.sentence = ""};
    printf("[ RUN      ] %s\n", title);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        void *state = (void *)(uintptr_t)fixture;
        dup2(errors, 2);
        c->run(&state);
        report->done = 1;
        exit(0); // not _exit: the leak sanitizer looks now
    }
    if (child < 0) {
        snprintf(report->sentence, sizeof report->sentence, "could not fork: %s", strerror(errno));
    } else {
        int in_time = wait_for(child, &status);
        judge(in_time, status, errors);
    }
    int failed = report->sentence[0] != 0;
    if (failed)
        printf("             %s\n", report->sentence);
    if (failed)
        show_errors(errors);
    printf("[%s] %s\n", failed ? "  FAILED  " : "       OK ", title);
    close(errors);
    return failed;
}

// CONTRACT_COVERS in the environment: nothing runs, the fixtures say whom they are for.
static int only_covers(void)
{
    return getenv("CONTRACT_COVERS") != NULL;
}

void contract_covers(const char *suite, uint8_t kind, const char *name)
{
    static const char *const kinds[] = {"", "source", "sink", "operator", "format", "lookup"};
    if (only_covers())
        printf("%s %s %s\n", suite, kinds[kind], name);
}

// --- what the suites have in common

struct testhost_node *contract_node(struct testhost *h, const char *plugin, uint8_t kind, const char *name,
                                    const char *const *options)
{
    struct testhost_node *n = testhost_node(h, testhost_component(h, plugin ? plugin : name, kind, name), options);
    if (!n->config)
        contract_fail("its options are refused: %s", testhost_faults(n));
    return n;
}

// A close that fails is logged, and destroy follows; one that never ends holds the server's stop.
void contract_node_end(struct testhost_node *n)
{
    leat_status st = testhost_close(n, CONTRACT_WAIT);
    if (st == LEAT_AGAIN)
        contract_good(n, "close", st);
    contract_harmless(n, "close", st);
    testhost_node_destroy(n);
}

static int has_discover(const struct leat_component *c)
{
    return c->kind == LEAT_LOOKUP ? c->lookup->discover != NULL : c->source->discover != NULL;
}

void contract_begin_to_open(struct testhost_node *n, const struct leat_schema *schema, int steps)
{
    leat_status st = testhost_describe(n, schema);
    if (steps > 0 && st == LEAT_OK)
        st = testhost_source_create(n);
    if (steps == 2 && has_discover(n->component))
        contract_harmless(n, "discover", testhost_discover_once(n));
    if (steps > 2 && st == LEAT_OK)
        st = testhost_discover(n, CONTRACT_WAIT);
    for (int k = 3; k < steps && (k == 3 ? st == LEAT_OK : st == LEAT_AGAIN); k++) {
        contract_harmless(n, "open", st = testhost_open_once(n));
        testhost_run_for(n->host, (k - 3) * 5);
    }
}

int contract_run(const struct contract_case *cases, uint32_t case_count, const void *fixtures, uint32_t count,
                 size_t stride)
{
    const char *only = contract_options()->only ? contract_options()->only : getenv("CONTRACT_ONLY");
    int failed = 0;
    if (only_covers())
        return 0;
    if (!report)
        report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        abort();
    for (uint32_t f = 0; f < count; f++) {
        const void *fixture = (const char *)fixtures + f * stride;
        for (uint32_t i = 0; i < case_count; i++) {
            char title[192];
            snprintf(title, sizeof title, "%s: %s", *(const char *const *)fixture, cases[i].name);
            if (only && !strstr(title, only))
                continue;
            if (contract_options()->list)
                printf("%s\n", title);
            else
                failed += run_case(&cases[i], fixture, title);
        }
    }
    return failed;
}
