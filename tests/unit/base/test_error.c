// SPDX-License-Identifier: Apache-2.0
// The error object: texts, cuts, context, printing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "base/str.h"

static void test_describe_and_print(void **state)
{
    struct base_error e;
    assert_int_equal(base_fail(&e, LEAT_TRANSIENT, "LEAT-J0101", "could not connect to server \"%s\"", "db"),
                     LEAT_TRANSIENT);
    base_error_detail(&e, "Tried %d addresses.", 2);
    base_error_hint(&e, "Start it.");
    base_error_native(&e, "08006", "connection refused\n\n");
    base_error_wrap(&e, "could not open node \"%s\"", "out");
    struct base_str s;
    base_str_init(&s);
    base_error_print(&e, &s);
    assert_string_equal(s.ptr, "could not open node \"out\": could not connect to server \"db\" [LEAT-J0101]\n"
                               "  detail: Tried 2 addresses.\n"
                               "  the other side said: 08006: connection refused\n"
                               "  hint: Start it.\n");
    base_str_fini(&s);
    base_fail(&e, LEAT_BUG, NULL, "again: %s", e.message);
    assert_string_equal(e.detail, "");
    assert_string_equal(base_failure_name(e.failure), "bug");
    assert_string_equal(base_failure_name(1), "ok");
    assert_string_equal(base_failure_name(-99), "ok");
}

static void test_long_text_is_cut_at_a_letter(void **state)
{
    struct base_error e;
    char text[2000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 3);
    base_fail(&e, LEAT_DATA, "LEAT-X0001", "x%s", text);
    size_t n = strlen(e.message);
    assert_true(n > sizeof e.message - 4);
    assert_string_equal(e.message + n - 5, "\xc3\xa4\xe2\x80\xa6"); // a whole letter, and the ellipsis
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe_and_print),
        cmocka_unit_test(test_long_text_is_cut_at_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
