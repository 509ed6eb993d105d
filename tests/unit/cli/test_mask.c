// SPDX-License-Identifier: Apache-2.0
// Secrets in JSON: masked wherever they stand, also when they are not UTF-8.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "base/secret.h"
#include "cli/mask.h"

#include <cmocka.h>

static void assert_masked(struct base_secrets *secrets, const char *json, const char *wanted)
{
    json_t *value = mask_json(secrets, json_loads(json, 0, NULL));
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(value);
}

static void secrets_are_masked_at_every_depth(void **state)
{
    struct base_secrets *s = base_secrets_create();
    assert_true(base_secrets_add(s, "geheim99", 8));
    assert_masked(s, "{\"a\":[{\"b\":\"x geheim99 y\"}],\"c\":\"plain\",\"d\":7}",
                  "{\"a\":[{\"b\":\"x ****** y\"}],\"c\":\"plain\",\"d\":7}");
    base_secrets_destroy(s);
}

// The secret begins within the letter ä: what is left of it is no letter.
static void a_secret_that_is_not_utf8_is_masked_too(void **state)
{
    struct base_secrets *s = base_secrets_create();
    assert_true(base_secrets_add(s,
                                 "\xa4"
                                 "geheim",
                                 7));
    assert_masked(s, "{\"a\":\"\xc3\xa4geheim\"}", "{\"a\":\"\xef\xbf\xbd******\"}");
    base_secrets_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_masked_at_every_depth),
        cmocka_unit_test(a_secret_that_is_not_utf8_is_masked_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
