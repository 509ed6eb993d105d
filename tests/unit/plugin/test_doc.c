// SPDX-License-Identifier: Apache-2.0
// The manual of the good fake in its three forms.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "plugin/check.h"
#include "plugin/doc.h"
#include "plugin/loader.h"
#include "plugin/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

static int setup(void **state)
{
    struct plugin_registry *r = plugin_registry_create();
    struct base_error err;
    if (plugin_load_file(r, FAKES "/good.so", plugin_check_host(), &err) != LEAT_OK)
        fail_msg("%s", err.message);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    plugin_registry_destroy(*state);
    return 0;
}

static void test_text(void **state)
{
    struct base_str s;
    base_str_init(&s);
    assert_true(plugin_doc_text(*state, NULL, &s));
    assert_string_equal(s.ptr, "source    fake                     1.2.3    gives nothing\n");
    base_str_clear(&s);
    assert_false(plugin_doc_text(*state, "nothing", &s));
    assert_true(plugin_doc_text(*state, "fake", &s));
    assert_string_equal(s.ptr, "source \"fake\": gives nothing\n"
                               "  plugin fake 1.2.3, " FAKES "/good.so\n"
                               "  options are there since 0.1 unless they say otherwise\n"
                               "\n"
                               "  General\n"
                               "    rate  integer, default 10, at least 1\n"
                               "        Rows per second.\n"
                               "        Example: rate = 5\n"
                               "    path  string, required, secret\n"
                               "        Where | to.\n"
                               "\n"
                               "  Mood\n"
                               "    mode  calm|wild\n"
                               "        Way of working.\n"
                               "\n"
                               "  Known in Flink, not here\n"
                               "    later\n"
                               "        Comes later.\n");
    base_str_fini(&s);
}

static void test_json(void **state)
{
    struct base_str s;
    base_str_init(&s);
    assert_true(plugin_doc_json(*state, "fake", &s));
    assert_string_equal(
        s.ptr, "{\"abi\":\"1.1\",\"components\":[\n"
               "{\"kind\":\"source\",\"name\":\"fake\",\"summary\":\"gives nothing\",\"plugin\":\"fake\",\"version\":"
               "\"1.2.3\",\"file\":\"" FAKES "/good.so\",\"options\":["
               "{\"name\":\"rate\",\"type\":\"integer\",\"default\":\"10\",\"min\":\"1\",\"since\":\"0.1\",\"example\":"
               "\"5\",\"doc\":"
               "\"Rows per second.\"},"
               "{\"name\":\"mode\",\"type\":\"word\",\"words\":[\"calm\",\"wild\"],\"group\":\"Mood\",\"since\":\"0."
               "1\",\"doc\":"
               "\"Way of working.\"},"
               "{\"name\":\"path\",\"type\":\"string\",\"required\":true,\"secret\":true,\"since\":\"0.1\",\"doc\":"
               "\"Where | to.\"},"
               "{\"name\":\"later\",\"unsupported\":true,\"doc\":\"Comes later.\"}]}\n]}\n");
    base_str_fini(&s);
}

static void test_markdown(void **state)
{
    struct base_str s;
    base_str_init(&s);
    assert_true(plugin_doc_markdown(*state, "fake", &s));
    assert_string_equal(s.ptr, "## `fake` (source)\n"
                               "\n"
                               "gives nothing\n"
                               "\n"
                               "### General\n"
                               "\n"
                               "| option | type | default | meaning |\n"
                               "|---|---|---|---|\n"
                               "| `rate` | integer | `10` | Rows per second. At least 1. Example: `rate = 5` |\n"
                               "| `path` | string | **required** | Where \\| to. Secret: never printed. |\n"
                               "\n"
                               "### Mood\n"
                               "\n"
                               "| option | type | default | meaning |\n"
                               "|---|---|---|---|\n"
                               "| `mode` | calm\\|wild |  | Way of working. |\n"
                               "\n"
                               "### Known in Flink, not here\n"
                               "\n"
                               "| option | type | default | meaning |\n"
                               "|---|---|---|---|\n"
                               "| `later` |  |  | Not supported yet. Comes later. |\n");
    base_str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_markdown),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
