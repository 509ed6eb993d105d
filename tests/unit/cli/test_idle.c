// SPDX-License-Identifier: Apache-2.0
// Memory is given back when work is over, once, and never beside a trickle. Process times and the allocator are ours.
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/time.h"
#include "cli/idle.h"

#include <cmocka.h>

static leat_usec used;
static int trims;

int getrusage(__rusage_who_t who, struct rusage *usage)
{
    *usage = (struct rusage){.ru_utime = {used / BASE_SECOND, used % BASE_SECOND}};
    return 0;
}

int malloc_trim(size_t pad)
{
    trims++;
    return 1;
}

static void pass(struct loop *loop, struct loop_clock *clock, leat_usec cpu)
{
    used += cpu;
    clock->now += 5 * BASE_SECOND;
    loop_turn(loop, false);
}

static void memory_is_given_back_once_after_work(void **state)
{
    struct loop_clock clock = {.now = BASE_SECOND};
    struct base_error error;
    struct loop *loop = loop_create(&(struct loop_options){.name = "test", .clock = &clock}, &error);
    struct idle idle;
    assert_non_null(loop);
    assert_true(idle_watch(&idle, loop));
    pass(loop, &clock, BASE_SECOND / 10);
    assert_int_equal(trims, 1); // what the start took
    pass(loop, &clock, BASE_SECOND / 10);
    assert_int_equal(trims, 1);
    for (int i = 0; i < 3; i++)
        pass(loop, &clock, 4 * BASE_SECOND);
    pass(loop, &clock, BASE_SECOND / 2); // between work and rest
    assert_int_equal(trims, 1);
    pass(loop, &clock, BASE_SECOND / 10);
    assert_int_equal(trims, 2);
    for (int i = 0; i < 3; i++)
        pass(loop, &clock, BASE_SECOND / 2);
    pass(loop, &clock, BASE_SECOND / 10);
    assert_int_equal(trims, 2);
    idle_end(&idle);
    idle_end(&(struct idle){0});
    loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_is_given_back_once_after_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
