// SPDX-License-Identifier: Apache-2.0
// Arena: alignment, bound, text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void test_aligned_and_separate(void **state)
{
    struct base_arena *a = base_arena_create(1024, 0);
    unsigned char *all[200];
    for (int i = 0; i < 200; i++) {
        all[i] = base_arena_alloc(a, (size_t)i + 1);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % 16, 0);
        memset(all[i], i, (size_t)i + 1);
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(all[i][0], i);
        assert_int_equal(all[i][i], i);
    }
    base_arena_destroy(a);
}

static void test_bound_is_kept(void **state)
{
    struct base_arena *a = base_arena_create(1024, 4096);
    size_t given = 0;
    while (base_arena_alloc(a, 200))
        given += 200;
    assert_true(given >= 3000 && given <= 4096);
    assert_null(base_arena_alloc(a, 100000));
    assert_null(base_arena_calloc(a, SIZE_MAX / 2, 3));
    base_arena_destroy(a);
    base_arena_destroy(NULL);
}

static void test_text(void **state)
{
    struct base_arena *a = base_arena_create(0, 0);
    assert_string_equal(base_arena_strndup(a, "abcdef", 3), "abc");
    assert_string_equal(base_arena_strdup(a, ""), "");
    assert_string_equal(base_arena_sprintf(a, "%s-%d", "x", 7), "x-7");
    base_arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_and_separate),
        cmocka_unit_test(test_bound_is_kept),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
