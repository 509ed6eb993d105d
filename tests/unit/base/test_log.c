// SPDX-License-Identifier: Apache-2.0
// The log: both forms, folding by a fake clock, loss when nobody reads, masking, many threads.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/secret.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

#define T0 INT64_C(1763717400000000) // 2025-11-21T09:30:00Z

struct fixture {
    leat_usec now; // atomic: the log's thread reads it
    int fd;
    char path[32];
    char text[1 << 16];
};

static leat_usec fake_wall(void *arg)
{
    return __atomic_load_n(&((struct fixture *)arg)->now, __ATOMIC_RELAXED);
}

static void open_file(struct fixture *f)
{
    strcpy(f->path, "/tmp/leat-log-XXXXXX");
    f->fd = mkstemp(f->path);
    assert_true(f->fd >= 0);
    unlink(f->path);
    f->now = T0;
}

static const char *read_file(struct fixture *f)
{
    ssize_t n = pread(f->fd, f->text, sizeof f->text - 1, 0);
    f->text[n > 0 ? n : 0] = 0;
    return f->text;
}

static void test_text_form(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_secrets *secrets = base_secrets_create();
    base_secrets_add(secrets, "hunter2x", 8);
    struct base_log *log =
        base_log_create(&(struct base_log_options){.fd = f.fd, .secrets = secrets, .wall = fake_wall, .wall_arg = &f});
    struct base_logger server = {.log = log}, node = {.log = log, .pipeline = "orders", .node = "pg", .job = "j"};
    base_log(&server, LEAT_LOG_INFO, "started", "leat %s started", "0.1");
    struct base_log_field fields[] = {
        {.key = "attempt", .value = "3"},
        {.key = "text", .value = "two words"},
        {.key = "pw", .value = "hunter2x"},
        {.key = "position", .value = "said already", .machine = true},
    };
    base_log_fields(&node, LEAT_LOG_WARN, "lost", fields, 4, "lost \"db\"\nurl hunter2x\033[2J");
    base_log(&node, LEAT_LOG_DEBUG, "batch", "not written");
    node.level = LEAT_LOG_DEBUG;
    base_log(&node, LEAT_LOG_DEBUG, "batch", "written");
    base_log_destroy(log);
    assert_string_equal(read_file(&f), "2025-11-21T09:30:00.000000Z INFO  started leat 0.1 started\n"
                                       "2025-11-21T09:30:00.000000Z WARN  orders/pg lost lost \"db\"\\nurl "
                                       "******\\x1b[2J attempt=3 text=\"two words\" pw=******\n"
                                       "2025-11-21T09:30:00.000000Z DEBUG orders/pg batch written\n");
    base_secrets_destroy(secrets);
    close(f.fd);
}

static void test_json_form(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log =
        base_log_create(&(struct base_log_options){.fd = f.fd, .json = true, .wall = fake_wall, .wall_arg = &f});
    struct base_logger node = {.log = log, .pipeline = "orders", .node = "pg", .job = "j"};
    base_log_fields(&node, LEAT_LOG_ERROR, "bad",
                    &(struct base_log_field){.key = "k", .value = "v\"w", .machine = true}, 1, "a\nb");
    base_log_destroy(log);
    assert_string_equal(read_file(&f),
                        "{\"time\":\"2025-11-21T09:30:00.000000Z\",\"level\":\"error\",\"pipeline\":\"orders\","
                        "\"job\":\"j\",\"node\":\"pg\",\"event\":\"bad\",\"message\":\"a\\nb\",\"k\":\"v\\\"w\"}\n");
    close(f.fd);
}

static void test_fields_without_a_value_are_left_out(void **state)
{
    for (int json = 0; json < 2; json++) {
        struct fixture f;
        open_file(&f);
        struct base_log *log = base_log_create(&(struct base_log_options){.fd = f.fd, .json = json});
        struct base_logger who = {.log = log};
        struct base_log_field fields[] = {
            {.key = "detail", .value = ""},
            {.key = "code", .value = "LEAT-R0001"},
            {.key = "native", .value = NULL},
            {.key = "hint", .value = ""},
        };
        base_log_fields(&who, LEAT_LOG_ERROR, "bad", fields, 4, "out of memory");
        base_log_destroy(log);
        assert_non_null(strstr(read_file(&f), "LEAT-R0001"));
        assert_null(strstr(f.text, "detail"));
        assert_null(strstr(f.text, "native"));
        assert_null(strstr(f.text, "hint"));
        close(f.fd);
    }
}

static unsigned count_lines(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

static void test_repeats_are_folded(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log = base_log_create(
        &(struct base_log_options){.fd = f.fd, .fold = 5 * BASE_SECOND, .wall = fake_wall, .wall_arg = &f});
    struct base_logger who = {.log = log, .pipeline = "p"};
    for (int i = 0; i < 100; i++)
        base_log(&who, LEAT_LOG_WARN, "flood", "the same");
    base_log(&who, LEAT_LOG_WARN, "flood", "another");
    base_log_flush(log);
    assert_int_equal(count_lines(read_file(&f), "the same\n"), 1);
    assert_int_equal(count_lines(f.text, "the same repeated=99 last=2025-11-21T09:30:00.000000Z\n"), 1);
    assert_int_equal(count_lines(f.text, "another\n"), 1);
    base_log(&who, LEAT_LOG_WARN, "flood", "the same");
    base_log(&who, LEAT_LOG_WARN, "flood", "the same");
    __atomic_store_n(&f.now, T0 + 6 * BASE_SECOND, __ATOMIC_RELAXED);
    base_log(&who, LEAT_LOG_WARN, "flood", "the same");
    base_log_destroy(log);
    assert_int_equal(count_lines(read_file(&f), "the same\n"), 3);
    assert_int_equal(count_lines(f.text, "the same repeated=1 last=2025-11-21T09:30:00.000000Z\n"), 1);
    close(f.fd);
}

static void say(struct fixture *f, const struct base_logger *who, int seconds, const char *text)
{
    __atomic_store_n(&f->now, T0 + seconds * BASE_SECOND, __ATOMIC_RELAXED);
    base_log(who, LEAT_LOG_WARN, "event", "%s", text);
}

// Each line starts with its time: no line is older than the one before.
static void assert_in_order(const char *text)
{
    for (const char *line = text, *end; (end = strchr(line, '\n')) && end[1]; line = end + 1)
        assert_true(memcmp(line, end + 1, 27) <= 0);
}

// What was repeated is told before its speaker goes on, and lines never go back in time.
static void test_counted_lines_come_in_order(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log = base_log_create(
        &(struct base_log_options){.fd = f.fd, .fold = 5 * BASE_SECOND, .wall = fake_wall, .wall_arg = &f});
    struct base_logger who = {.log = log, .pipeline = "p", .node = "a"}, other = {.log = log, .pipeline = "p"};
    say(&f, &who, 0, "lost");
    say(&f, &other, 0, "waits");
    say(&f, &who, 1, "lost");
    say(&f, &other, 1, "waits");
    say(&f, &who, 2, "lost");
    say(&f, &who, 3, "back");   // the count of what was lost comes first
    say(&f, &other, 9, "done"); // and here that of what waited
    base_log_destroy(log);
    assert_string_equal(read_file(&f), "2025-11-21T09:30:00.000000Z WARN  p/a event lost\n"
                                       "2025-11-21T09:30:00.000000Z WARN  p event waits\n"
                                       "2025-11-21T09:30:03.000000Z WARN  p/a event lost repeated=2 "
                                       "last=2025-11-21T09:30:02.000000Z\n"
                                       "2025-11-21T09:30:03.000000Z WARN  p/a event back\n"
                                       "2025-11-21T09:30:09.000000Z WARN  p event waits repeated=1 "
                                       "last=2025-11-21T09:30:01.000000Z\n"
                                       "2025-11-21T09:30:09.000000Z WARN  p event done\n");
    assert_in_order(f.text);
    close(f.fd);
}

// A job that runs, fails and runs again within a moment: each change is seen, when it happens.
static void test_states_are_not_folded(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log = base_log_create(
        &(struct base_log_options){.fd = f.fd, .fold = 5 * BASE_SECOND, .wall = fake_wall, .wall_arg = &f});
    struct base_logger job = {.log = log, .pipeline = "p", .each = true};
    for (int i = 0; i < 3; i++) {
        say(&f, &job, 0, "running");
        say(&f, &job, 0, "failed");
    }
    base_log_flush(log);
    assert_int_equal(count_lines(read_file(&f), "running\n"), 3);
    assert_int_equal(count_lines(f.text, "failed\n"), 3);
    base_log_destroy(log);
    assert_int_equal(count_lines(read_file(&f), "repeated"), 0);
    close(f.fd);
}

// Sum of the losses that the text tells of.
static uint64_t count_lost(const char *text)
{
    uint64_t sum = 0;
    for (const char *p = text; (p = strstr(p, "log-dropped ")); p++)
        sum += strtoull(p + strlen("log-dropped "), NULL, 10);
    return sum;
}

static void test_full_ring_drops_and_says_so(void **state)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    int64_t lost = 0;
    struct base_log *log =
        base_log_create(&(struct base_log_options){.fd = fds[1], .queue = 16, .fold = -1, .lost = &lost});
    struct base_logger who = {.log = log};
    char filler[1500];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    for (int i = 0; i < 500; i++) // far more than the pipe and the ring hold
        base_log(&who, LEAT_LOG_INFO, "fill", "%s", filler);
    uint64_t dropped = (uint64_t)base_metric_get(&lost);
    assert_true(dropped > 300);
    char buf[65536], *all = calloc(1, 2 << 20);
    size_t len = 0;
    while (count_lost(all) < dropped) { // told in one line or in several
        ssize_t n = read(fds[0], buf, sizeof buf);
        assert_true(n > 0 && len + (size_t)n < 2 << 20);
        memcpy(all + len, buf, (size_t)n);
        len += (size_t)n;
    }
    assert_int_equal(count_lost(all), dropped);
    free(all);
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]); // the rest has no reader: the log must end all the same
    base_log_destroy(log);
    close(fds[1]);
}

// Nothing of it is in the log, so the number is all there is.
static void test_lines_for_a_full_disk_are_counted(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int64_t lost = 0;
    struct base_log *log = base_log_create(&(struct base_log_options){.fd = fd, .lost = &lost});
    struct base_logger who = {.log = log};
    base_log(&who, LEAT_LOG_INFO, "one", "a line");
    base_log(&who, LEAT_LOG_INFO, "two", "a line");
    base_log_destroy(log);
    assert_int_equal(lost, 2);
    close(fd);
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        base_log(arg, LEAT_LOG_INFO, "line", "number %d", i);
    return NULL;
}

static void test_many_threads(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log = base_log_create(&(struct base_log_options){.fd = f.fd, .queue = 4096, .fold = -1});
    struct base_logger who = {.log = log};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &who), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    base_log_flush(log);
    base_log_destroy(log);
    char *all = calloc(1, 1 << 20);
    assert_true(pread(f.fd, all, (1 << 20) - 1, 0) > 0);
    assert_int_equal(count_lines(all, "\n"), 2000);
    free(all);
    close(f.fd);
}

static void test_long_record_is_cut(void **state)
{
    struct fixture f;
    open_file(&f);
    struct base_log *log = base_log_create(&(struct base_log_options){.fd = f.fd});
    char big[5000];
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = 0;
    struct base_log_field fields[10];
    for (int i = 0; i < 10; i++)
        fields[i] = (struct base_log_field){.key = big, .value = big};
    struct base_logger who = {.log = log, .pipeline = big, .node = big};
    base_log_fields(&who, LEAT_LOG_INFO, big, fields, 10, "%s", big);
    base_log_destroy(log);
    assert_int_equal(count_lines(read_file(&f), "\n"), 1);
    assert_true(strlen(f.text) < 4096);
    close(f.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_form),
        cmocka_unit_test(test_json_form),
        cmocka_unit_test(test_fields_without_a_value_are_left_out),
        cmocka_unit_test(test_repeats_are_folded),
        cmocka_unit_test(test_counted_lines_come_in_order),
        cmocka_unit_test(test_states_are_not_folded),
        cmocka_unit_test(test_full_ring_drops_and_says_so),
        cmocka_unit_test(test_lines_for_a_full_disk_are_counted),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_long_record_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
