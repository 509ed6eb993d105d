// SPDX-License-Identifier: Apache-2.0
// When a failed job starts again: the numbers of each strategy, without a clock.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "checkpoint/restart.h"

#include <cmocka.h>

#define SECOND ((leat_usec)1000000)

static const struct restart_rule growing = {
    .kind = RESTART_EXPONENTIAL, .first = SECOND, .max = 10 * SECOND, .reset = 60 * SECOND, .multiplier = 2};

static leat_usec wait_at(const struct restart_rule *rule, struct restart_state *state, leat_usec now, uint64_t chance)
{
    leat_usec wait = -1;
    assert_true(restart_after(rule, state, now, chance, &wait));
    return wait;
}

static void waits_grow_by_the_multiplier_up_to_the_longest(void **unused)
{
    struct restart_state state = {0};
    static const leat_usec waits[] = {1, 2, 4, 8, 10, 10};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        assert_int_equal(wait_at(&growing, &state, (leat_usec)i * SECOND, 1000000), waits[i] * SECOND);
    struct restart_rule slowly = growing;
    slowly.multiplier = 1.5;
    state = (struct restart_state){0};
    assert_int_equal(wait_at(&slowly, &state, 0, 1000000), SECOND);
    assert_int_equal(wait_at(&slowly, &state, 0, 1000000), SECOND * 3 / 2);
    assert_int_equal(wait_at(&slowly, &state, 0, 1000000), SECOND * 9 / 4);
}

static void a_calm_time_begins_anew(void **unused)
{
    struct restart_state state = {0};
    wait_at(&growing, &state, 0, 1000000);
    assert_int_equal(wait_at(&growing, &state, SECOND, 1000000), 2 * SECOND);
    // the time of peace counts from the end of the wait
    assert_int_equal(wait_at(&growing, &state, 63 * SECOND - 1, 1000000), 4 * SECOND);
    assert_int_equal(wait_at(&growing, &state, 63 * SECOND + 64 * SECOND, 1000000), SECOND);
}

static void jitter_keeps_to_its_share_and_the_bounds(void **unused)
{
    struct restart_rule rule = growing;
    rule.jitter = 0.1;
    leat_usec least = INT64_MAX, most = 0;
    for (uint64_t chance = 0; chance < 2000000; chance += 9973) {
        struct restart_state state = {.wait = 2 * SECOND};
        leat_usec wait = wait_at(&rule, &state, 0, chance);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_in_range(least, 3600000, 3650000);
    assert_in_range(most, 4350000, 4400000);
    struct restart_state first = {0}, last = {.wait = 10 * SECOND};
    assert_int_equal(wait_at(&rule, &first, 0, 0), SECOND);           // never below the first
    assert_int_equal(wait_at(&rule, &last, 0, 2000000), 10 * SECOND); // nor beyond the longest
}

static void a_fixed_delay_has_its_attempts(void **unused)
{
    struct restart_rule rule = {.kind = RESTART_FIXED, .delay = 3 * SECOND, .attempts = 2};
    struct restart_state state = {0};
    leat_usec wait;
    assert_int_equal(wait_at(&rule, &state, 0, 5), 3 * SECOND);
    assert_int_equal(wait_at(&rule, &state, 1000 * SECOND, 7), 3 * SECOND);
    assert_false(restart_after(&rule, &state, 2000 * SECOND, 9, &wait));
    rule.attempts = 0;
    assert_false(restart_after(&rule, &(struct restart_state){0}, 0, 0, &wait));
}

static void none_never_starts_again(void **unused)
{
    leat_usec wait;
    assert_false(restart_after(&(struct restart_rule){.kind = RESTART_NONE}, &(struct restart_state){0}, 0, 0, &wait));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_by_the_multiplier_up_to_the_longest),
        cmocka_unit_test(a_calm_time_begins_anew),
        cmocka_unit_test(jitter_keeps_to_its_share_and_the_bounds),
        cmocka_unit_test(a_fixed_delay_has_its_attempts),
        cmocka_unit_test(none_never_starts_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
