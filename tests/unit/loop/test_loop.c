// SPDX-License-Identifier: Apache-2.0
// Timers under a fake clock, watches, tasks, graves, figures.
#include <stdlib.h>
#include <unistd.h>

#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

#define MAX 1000

struct fixture {
    struct loop_clock clock;
    struct loop *loop;
    int order[MAX], count;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct base_error err;
    f->clock.now = 1000000;
    f->loop = loop_create(&(struct loop_options){.name = "test", .clock = &f->clock}, &err);
    assert_non_null(f->loop);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    loop_destroy(f->loop);
    free(f);
    return 0;
}

struct mark {
    struct fixture *f;
    int number;
    struct loop_timer timer;
};

static void note(void *arg)
{
    struct mark *m = arg;
    m->f->order[m->f->count++] = m->number;
}

static void test_timers_fire_in_order(void **state)
{
    struct fixture *f = *state;
    struct mark m[200];
    for (int i = 0; i < 200; i++) {
        m[i].f = f;
        m[i].number = (i * 77) % 200; // all numbers, shuffled
        assert_true(loop_timer_init(&m[i].timer, f->loop, note, &m[i]));
        loop_timer_set(&m[i].timer, 10 + m[i].number);
    }
    for (int i = 0; i < 200; i++) {
        if (m[i].number % 3 == 0)
            loop_timer_cancel(&m[i].timer);
    }
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 0);
    loop_clock_advance(&f->clock, 109);
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 66); // 0 … 99 without the 34 multiples of three
    loop_clock_advance(&f->clock, 1000);
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 133);
    for (int i = 1; i < f->count; i++)
        assert_true(f->order[i - 1] < f->order[i]);
    for (int i = 0; i < 200; i++)
        loop_timer_fini(&m[i].timer);
}

static void again(void *arg)
{
    struct mark *m = arg;
    note(arg);
    loop_timer_set(&m->timer, 0);
}

static void test_timer_that_arms_itself_fires_once_a_turn(void **state)
{
    struct fixture *f = *state;
    struct mark m = {.f = f};
    assert_true(loop_timer_init(&m.timer, f->loop, again, &m));
    loop_timer_set(&m.timer, -5);
    for (int i = 1; i <= 5; i++) {
        loop_turn(f->loop, true);
        assert_int_equal(f->count, i);
    }
    loop_timer_fini(&m.timer);
    loop_timer_fini(&m.timer);
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 5);
}

static void release_timer(void *arg)
{
    struct mark *m = arg;
    note(arg);
    loop_timer_fini(&m->timer);
    free(m);
}

static void test_timer_may_free_itself(void **state)
{
    struct fixture *f = *state;
    struct mark *m = calloc(1, sizeof *m);
    m->f = f;
    assert_true(loop_timer_init(&m->timer, f->loop, release_timer, m));
    loop_timer_set(&m->timer, 0);
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 1);
}

struct reader {
    struct loop_watch watch;
    int fd, reads, writes;
};

static void on_ready(void *arg, uint32_t ready)
{
    struct reader *r = arg;
    char c;
    if (ready & LEAT_WRITE)
        r->writes++;
    if (ready & LEAT_READ) {
        assert_int_equal(read(r->fd, &c, 1), 1);
        r->reads++;
    }
}

static void test_watch(void **state)
{
    struct fixture *f = *state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct reader r = {.fd = fds[0]}, w = {.fd = fds[1]};
    assert_true(loop_watch_init(&r.watch, f->loop, fds[0], on_ready, &r));
    assert_true(loop_watch_init(&w.watch, f->loop, fds[1], on_ready, &w));
    assert_int_equal(write(fds[1], "abc", 3), 3);
    loop_turn(f->loop, false);
    assert_int_equal(r.reads, 0);
    assert_true(loop_watch_for(&r.watch, LEAT_READ));
    loop_turn(f->loop, true);
    loop_turn(f->loop, true);
    assert_int_equal(r.reads, 2); // level-triggered: told again while there is something
    assert_true(loop_watch_for(&r.watch, 0));
    assert_true(loop_watch_for(&w.watch, LEAT_WRITE));
    loop_turn(f->loop, true);
    assert_int_equal(r.reads, 2);
    assert_int_equal(w.writes, 1);
    assert_true(loop_watch_for(&w.watch, LEAT_READ | LEAT_WRITE));
    loop_watch_fini(&w.watch);
    loop_watch_fini(&w.watch);
    loop_turn(f->loop, false);
    loop_watch_fini(&r.watch);
    assert_int_equal(w.writes, 1);
    close(fds[0]);
    close(fds[1]);
}

static void test_graves_wait_a_turn(void **state)
{
    struct fixture *f = *state;
    static struct mark m; // outlives the test: the last grave is emptied by teardown
    m.f = f;
    assert_true(loop_free_later(f->loop, &m, note));
    loop_turn(f->loop, true);
    assert_int_equal(f->count, 0);
    loop_turn(f->loop, false);
    assert_int_equal(f->count, 1);
    assert_true(loop_free_later(f->loop, &m, note));
}

static void be_slow(void *arg)
{
    struct mark *m = arg;
    struct loop_stats before, now;
    loop_stats(m->f->loop, &before);
    while (loop_stall(m->f->loop) < 11000)
        loop_stats(m->f->loop, &now);
    note(arg);
}

static void test_overruns_are_counted(void **state)
{
    struct fixture *f = *state;
    struct mark m = {.f = f};
    struct loop_stats s;
    assert_true(loop_timer_init(&m.timer, f->loop, be_slow, &m));
    loop_timer_set(&m.timer, 0);
    loop_turn(f->loop, false);
    loop_timer_fini(&m.timer);
    loop_stats(f->loop, &s);
    assert_int_equal(s.overruns, 1);
    assert_true(s.longest >= 11000 && s.busy >= s.longest && s.turns == 1);
    assert_int_equal(loop_stall(f->loop), 0);
}

static void test_real_clock_sleeps_until_the_timer(void **state)
{
    struct fixture *f = *state;
    struct base_error err;
    struct mark m = {.f = f};
    struct loop *loop = loop_create(&(struct loop_options){.name = "real"}, &err);
    assert_non_null(loop);
    assert_true(loop_timer_init(&m.timer, loop, note, &m));
    leat_usec from = loop_now(loop);
    loop_timer_set(&m.timer, 3000);
    while (!f->count)
        loop_turn(loop, true);
    assert_true(loop_now(loop) - from >= 3000);
    struct loop_stats s;
    loop_stats(loop, &s);
    assert_true(s.turns <= 3);
    loop_timer_fini(&m.timer);
    loop_destroy(loop);
}

// The kernel stays armed for a timer that was cancelled: one turn in vain, and the others are in time.
static void test_a_cancelled_timer_costs_a_turn(void **state)
{
    struct fixture *f = *state;
    struct base_error err;
    struct mark soon = {.f = f}, later = {.f = f};
    struct loop *loop = loop_create(&(struct loop_options){.name = "real"}, &err);
    struct loop_watch watch;
    int fds[2];
    assert_non_null(loop);
    assert_int_equal(pipe(fds), 0);
    struct reader r = {.fd = fds[0]};
    assert_true(loop_watch_init(&watch, loop, fds[0], on_ready, &r) && loop_watch_for(&watch, LEAT_READ));
    assert_true(loop_timer_init(&soon.timer, loop, note, &soon) && loop_timer_init(&later.timer, loop, note, &later));
    leat_usec from = loop_now(loop);
    assert_int_equal(write(fds[1], "a", 1), 1);
    loop_timer_set(&soon.timer, 30000);
    loop_turn(loop, true); // goes to sleep for the timer, and is woken by the watch
    loop_timer_cancel(&soon.timer);
    loop_timer_set(&later.timer, 40000);
    while (!f->count)
        loop_turn(loop, true);
    assert_true(loop_now(loop) - from >= 40000);
    struct loop_stats s;
    loop_stats(loop, &s);
    assert_true(s.turns <= 4);
    loop_timer_fini(&soon.timer);
    loop_timer_fini(&later.timer);
    loop_watch_fini(&watch);
    loop_destroy(loop);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_order),
        TEST(test_timer_that_arms_itself_fires_once_a_turn),
        TEST(test_timer_may_free_itself),
        TEST(test_watch),
        TEST(test_graves_wait_a_turn),
        TEST(test_overruns_are_counted),
        TEST(test_real_clock_sleeps_until_the_timer),
        TEST(test_a_cancelled_timer_costs_a_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
