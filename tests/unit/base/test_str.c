// SPDX-License-Identifier: Apache-2.0
// Growing text, JSON quoting, nearest words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"

static void test_grow_and_take(void **state)
{
    struct base_str s;
    base_str_init(&s);
    assert_string_equal(s.ptr, "");
    for (int i = 0; i < 1000; i++)
        base_str_addf(&s, "%d,", i);
    assert_true(base_str_ok(&s));
    assert_int_equal(s.len, 3890);
    char *text = base_str_take(&s);
    assert_int_equal(strlen(text), 3890);
    free(text);
    text = base_str_take(&s);
    assert_string_equal(text, "");
    free(text);
}

static void test_bound_is_sticky(void **state)
{
    struct base_str s;
    base_str_init(&s);
    s.max = 5;
    base_str_addz(&s, "abc");
    base_str_addz(&s, "def");
    base_str_addz(&s, "g");
    assert_false(base_str_ok(&s));
    assert_string_equal(s.ptr, "abc");
    assert_null(base_str_take(&s));
    base_str_fini(&s);
}

static void test_json(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01", "\"\\n\\t\\u0001\""},
        {"\xe7\x94\xb5", "\"\xe7\x94\xb5\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // a surrogate
        {"\xc3", "\"\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_str s;
        base_str_init(&s);
        base_str_add_json(&s, cases[i].in, strlen(cases[i].in));
        assert_string_equal(s.ptr, cases[i].out);
        base_str_fini(&s);
    }
}

static void test_nearest(void **state)
{
    static const char *const words[] = {"hostname", "port", "slot.name", "table-name", "username", NULL};
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"hostnaem", "hostname"},
        {"slot_name", "slot.name"},
        {"tablename", "table-name"},
        {"Port", "port"},
        {"prot", "port"},
        {"xyzzy", NULL},
        {"user", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = base_nearest(cases[i].word, words);
        if (cases[i].want)
            assert_string_equal(got ? got : "(none)", cases[i].want);
        else
            assert_null(got);
    }
}

static void test_bytes_that_are_no_letter_are_replaced(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"gr\xfc\xdf", "gr\xef\xbf\xbd\xef\xbf\xbd"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff in \xc3\xa4 front", "\xef\xbf\xbd in \xc3\xa4 front"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_str s;
        base_str_init(&s);
        base_str_add_utf8(&s, cases[i].in, strlen(cases[i].in));
        assert_string_equal(s.ptr, cases[i].out);
        base_str_fini(&s);
    }
}

static void test_cut_at_a_letter(void **state)
{
    char out[8];
    base_text_fit(out, sizeof out, "%s", "12345\xc3\xa4");
    assert_string_equal(out, "12345\xc3\xa4");
    base_text_fit(out, sizeof out, "%s", "123456\xc3\xa4");
    assert_string_equal(out, "123456");
    base_text_fit(out, sizeof out, "%d", 123456789);
    assert_string_equal(out, "1234567");
    char sentence[140], words[400] = "";
    for (int n = 0; n < 30; n++)
        strcat(words, "w\xc3\xb6rter ");
    base_text_fit(sentence, sizeof sentence, "%s", words);
    assert_string_equal(sentence + strlen(sentence) - 10, "w\xc3\xb6rter\xe2\x80\xa6");
    assert_memory_equal(sentence, words, strlen(sentence) - 3);
    memset(words, 'x', sizeof words - 1); // no end of a word is near
    base_text_fit(sentence, sizeof sentence, "%s", words);
    assert_int_equal(strlen(sentence), sizeof sentence - 1);
}

static void test_mask(void **state)
{
    struct base_secrets *secrets = base_secrets_create();
    assert_true(base_secrets_add(secrets, "g3heim", 6));
    assert_true(base_secrets_add(secrets, "g3heim-lang", 11));
    assert_true(base_secrets_add(secrets, "g3heim", 6));
    assert_true(base_secrets_add(secrets, "Postgres", 8));
    assert_true(base_secrets_add(secrets, "pw", 2));
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"nothing", "nothing"},
        {"g3heim", "******"},
        {"xg3heimg3heimy", "x************y"},
        {"g3heim-lang and g3heim-la", "****** and ******-la"},
        {"g3h", "g3h"},
        {"Postgres", "******"},
        {"u:Postgres@h, password=Postgres", "u:******@h, password=******"},
        {"Postgres-cdc, PostgresQL, my_Postgres", "Postgres-cdc, PostgresQL, my_Postgres"},
        {"pw", "pw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_str s;
        base_str_init(&s);
        base_secrets_mask(secrets, cases[i].in, strlen(cases[i].in), &s);
        assert_string_equal(s.ptr, cases[i].out);
        base_str_fini(&s);
    }
    base_secrets_destroy(secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow_and_take),
        cmocka_unit_test(test_bound_is_sticky),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_bytes_that_are_no_letter_are_replaced),
        cmocka_unit_test(test_cut_at_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
