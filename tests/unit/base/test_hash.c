// SPDX-License-Identifier: Apache-2.0
// The map of names: put, get, replace; and the intrusive list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/list.h"

static void test_put_and_get(void **state)
{
    struct base_map m;
    base_map_init(&m);
    static int values[1000];
    char key[16];
    assert_null(base_map_get(&m, "x", 1));
    for (int i = 0; i < 1000; i++) {
        int n = snprintf(key, sizeof key, "k%d", i);
        assert_true(base_map_put(&m, key, (size_t)n, &values[i]));
    }
    for (int i = 0; i < 1000; i++) {
        int n = snprintf(key, sizeof key, "k%d", i);
        assert_ptr_equal(base_map_get(&m, key, (size_t)n), &values[i]);
        assert_true(i >= 10 || !base_map_get(&m, key, (size_t)n - 1));
    }
    assert_int_equal(m.count, 1000);
    base_map_fini(&m);
}

static void test_replace(void **state)
{
    struct base_map m;
    base_map_init(&m);
    int a, b;
    base_map_put(&m, "zeta", 4, &a);
    base_map_put(&m, "zeta", 4, &b);
    assert_int_equal(m.count, 1);
    assert_ptr_equal(base_map_get(&m, "zeta", 4), &b);
    base_map_fini(&m);
}

struct thing {
    int number;
    struct base_list link;
};

static void test_list(void **state)
{
    struct base_list head;
    struct thing t[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    base_list_init(&head);
    assert_true(base_list_empty(&head));
    base_list_push_back(&head, &t[1].link);
    base_list_push_back(&head, &t[2].link);
    base_list_push_front(&head, &t[0].link);
    int sum = 0;
    BASE_LIST_EACH(it, &head)
    sum = sum * 10 + BASE_LIST_ITEM(it, struct thing, link)->number;
    assert_int_equal(sum, 123);
    BASE_LIST_EACH_SAFE(it, &head)
    if (BASE_LIST_ITEM(it, struct thing, link)->number == 2)
        base_list_remove(it);
    base_list_remove(&t[1].link);
    assert_ptr_equal(base_list_pop_front(&head), &t[0].link);
    assert_ptr_equal(base_list_pop_front(&head), &t[2].link);
    assert_null(base_list_pop_front(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
