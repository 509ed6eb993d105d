// SPDX-License-Identifier: Apache-2.0
// What became of the shape of a state, in words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/shape.h"

#include <cmocka.h>

static void assert_changes(const char *was, const char *now, const char *expected)
{
    char text[SHAPE_CHANGES];
    shape_changes(was, now, text);
    assert_string_equal(text, expected);
}

static void what_changed_is_told(void **state)
{
    assert_changes("kind: left join\nkey: a INT", "kind: inner join\nkey: a INT", "kind was left join, is inner join");
    assert_changes("key: a INT\nrows: where a > 1", "key: a BIGINT\nsecond key: b",
                   "key was a INT, is a BIGINT; rows was where a > 1, is nothing; second key was nothing, is b");
}

static void words_that_say_nothing_are_no_harm(void **state)
{
    static const char general[] = "its columns, their types or its keys have changed";
    assert_changes(NULL, NULL, general);
    assert_changes("a: b", NULL, general);
    assert_changes(NULL, "a: b", general);
    assert_changes("a: b", "a: b", general);
    assert_changes("", "", general);
}

static void long_words_are_cut(void **state)
{
    char was[9000], text[SHAPE_CHANGES];
    size_t at = 0;
    for (int i = 0; i < 20; i++) {
        at += (size_t)sprintf(was + at, "line %d: ", i);
        memset(was + at, 'x', 400);
        at += 400;
        was[at++] = '\n';
    }
    was[at] = '\0';
    shape_changes(was, "line 0: y", text);
    assert_true(strlen(text) < SHAPE_CHANGES && strlen(text) > 300);
    assert_memory_equal(text, "line 0 was xxx", 14);
    assert_non_null(strstr(text, "x…, is y"));
    assert_string_equal(text + strlen(text) - strlen("; …"), "; …");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changed_is_told),
        cmocka_unit_test(words_that_say_nothing_are_no_harm),
        cmocka_unit_test(long_words_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
