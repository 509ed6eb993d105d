// SPDX-License-Identifier: Apache-2.0
// What a crash says, in a child that crashes. Under a sanitizer, which has a handler of its own, only that it dies.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/sanitized.h"

#include <cmocka.h>

static const struct base_crash_site site = {"orders", "clean", "sql", "sql-plugin", "1.2"};

static int deep(int depth, volatile char *last)
{
    volatile char here[4096];
    here[0] = last ? *last : 0;
    return depth == 1000000 ? 0 : deep(depth + 1, here) + here[0];
}

static void crash(int how)
{
    volatile int *nowhere = NULL;
    if (how == 0)
        *nowhere = 1;
    if (how == 1)
        abort();
    if (how == 2)
        _exit(deep(0, NULL));
}

// Returns the child's status; what it said is in `text`.
static int run(int how, bool in_plugin, char text[16384])
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct base_crash_place place = {&site, "process"};
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(pipes[1], STDERR_FILENO);
        for (int number = 1; number < 32; number++)
            if (number != SIGKILL && number != SIGSTOP)
                signal(number, SIG_DFL); // cmocka's
        base_crash_install("leat test");
        base_crash_thread(in_plugin ? &place : NULL);
        crash(how);
        _exit(0);
    }
    close(pipes[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(pipes[0], text + len, 16383 - len)) > 0;)
        len += (size_t)n;
    text[len] = 0;
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_said(int how, int number, const char *name)
{
    static char text[16384];
    int status = run(how, true, text);
#if BASE_SANITIZED
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
#else
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number); // the supervisor sees the signal itself
    assert_non_null(strstr(text, name));
    assert_non_null(
        strstr(text, "in plugin \"sql-plugin\" version 1.2 (sql), node \"orders/clean\", callback process"));
    assert_non_null(strstr(text, "test_base_crash(")); // a frame of the backtrace
#endif
}

static void a_wild_pointer_is_told_with_its_place(void **state)
{
    assert_said(0, SIGSEGV, "crashed by SIGSEGV, version leat test");
}

static void so_is_an_abort(void **state)
{
    assert_said(1, SIGABRT, "crashed by SIGABRT");
}

static void and_a_stack_that_is_used_up(void **state)
{
    assert_said(2, SIGSEGV, "crashed by SIGSEGV");
}

static void outside_of_plugins_it_says_so(void **state)
{
    static char text[16384];
    run(0, false, text);
#if !BASE_SANITIZED
    assert_non_null(strstr(text, "in no plugin's callback"));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wild_pointer_is_told_with_its_place),
        cmocka_unit_test(so_is_an_abort),
        cmocka_unit_test(and_a_stack_that_is_used_up),
        cmocka_unit_test(outside_of_plugins_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
