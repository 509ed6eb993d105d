// SPDX-License-Identifier: Apache-2.0
// Options that do something under a condition only: what is said of them, where they are required, and which conditions
// a table may not have.
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "plugin/doc.h"
#include "plugin/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

struct config {
    int32_t mode;
    int64_t millis;
    const char *key;
    const char *fields;
    uint8_t create;
    int64_t parts;
    int64_t interval;
};

#define ROW(name_, type_, member)                                                                                      \
    .name = (name_), .type = (type_), .offset = offsetof(struct config, member), .doc = "It is."

static const struct leat_option options[] = {
    {ROW("mode", LEAT_OPT_ENUM, mode), .words = "never|timestamp|latest", .def = "never"},
    {ROW("millis", LEAT_OPT_INT, millis), .flags = LEAT_OPT_REQUIRED, .only = "mode = timestamp", .example = "17"},
    {ROW("key", LEAT_OPT_STRING, key)},
    {ROW("fields", LEAT_OPT_STRING, fields), .only = "key"},
    {ROW("create", LEAT_OPT_BOOL, create), .def = "true"},
    {ROW("parts", LEAT_OPT_INT, parts), .only = "create = true"},
    {ROW("interval", LEAT_OPT_DURATION, interval), .only = "mode != timestamp|latest", .flags = LEAT_OPT_READING},
};

#define COUNT (sizeof options / sizeof options[0])

struct given {
    const char *name, *value;
};

// What is said of the settings, one line each.
static void parse(const struct given *given, uint32_t count, uint8_t kind, struct base_str *said, struct config *config)
{
    struct base_diags diags;
    struct plugin_setting settings[8];
    memset(settings, 0, sizeof settings);
    memset(config, 0, sizeof *config);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = (uint32_t)strlen(given[i].value);
        settings[i] = (struct plugin_setting){.path = given[i].name,
                                              .kind = PLUGIN_TEXT,
                                              .text = given[i].value,
                                              .len = len,
                                              .raw = given[i].value,
                                              .raw_len = len};
    }
    assert_true(base_diags_init(&diags));
    struct plugin_parse p = {.arena = base_arena_create(0, 0),
                             .diags = &diags,
                             .kind = kind,
                             .owner = "connector \"x\"",
                             .settings = settings,
                             .setting_count = count};
    assert_non_null(p.arena);
    bool ok = plugin_options_parse(&p, options, COUNT, config);
    assert_int_equal(ok, diags.errors == 0);
    base_str_init(said);
    base_diags_print(&diags, NULL, false, said);
    base_arena_destroy(p.arena);
    base_diags_fini(&diags);
}

static void test_warnings(void **state)
{
    static const struct {
        struct given given[3];
        uint8_t kind;
        const char *said; // NULL = nothing
    } cases[] = {
        {{{"millis", "5"}},
         LEAT_SOURCE,
         "option \"millis\" of connector \"x\" does nothing here: it is for mode = \"timestamp\""},
        {{{"millis", "5"}}, LEAT_SOURCE, "Remove it, or write mode = \"timestamp\"."},
        {{{"mode", "TIMESTAMP"}, {"millis", "5"}}, LEAT_SOURCE, NULL},
        {{{"mode", "timestamp"}}, LEAT_SOURCE, "needs the option \"millis\", since it has mode = \"timestamp\""},
        {{{"mode", "timestamp"}}, LEAT_SOURCE, "For example: millis = 17"},
        {{{"mode", "timestam"}, {"millis", "5"}}, LEAT_SOURCE, "must be"}, // and nothing of millis
        {{{"fields", "a"}}, LEAT_SOURCE, "does nothing here: it goes with \"key\""},
        {{{"fields", "a"}}, LEAT_SOURCE, "Remove it, or give \"key\" as well."},
        {{{"fields", "a"}, {"key", "b"}}, LEAT_SOURCE, NULL},
        {{{"parts", "2"}}, LEAT_SINK, NULL},
        {{{"parts", "2"}, {"create", "false"}}, LEAT_SINK, "it is for create = true"},
        {{{"interval", "2s"}}, LEAT_SOURCE, NULL},
        {{{"interval", "2s"}}, LEAT_LOOKUP, NULL},
        {{{"interval", "2s"}}, LEAT_SINK, "is for sources and does nothing here"},
        {{{"interval", "2s"}, {"mode", "latest"}}, LEAT_SOURCE, "it is not for mode = \"timestamp\" or \"latest\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_str said;
        struct config config;
        uint32_t count = 0;
        while (count < 3 && cases[i].given[count].name)
            count++;
        parse(cases[i].given, count, cases[i].kind, &said, &config);
        if (cases[i].said ? !strstr(said.ptr, cases[i].said) : said.len > 0)
            fail_msg("case %zu: %s", i, said.ptr);
        base_str_fini(&said);
    }
}

static void test_unknown_word_says_nothing_of_others(void **state)
{
    static const struct given given[] = {{"mode", "timestam"}, {"millis", "5"}};
    struct base_str said;
    struct config config;
    parse(given, 2, LEAT_SOURCE, &said, &config);
    assert_null(strstr(said.ptr, "does nothing"));
    base_str_fini(&said);
}

static void test_manual(void **state)
{
    struct base_str s;
    base_str_init(&s);
    plugin_doc_options_text(options, COUNT, &s);
    assert_non_null(strstr(s.ptr, "millis  integer, required then, only with mode = \"timestamp\"\n"));
    assert_non_null(strstr(s.ptr, "fields  string, only with key\n"));
    assert_non_null(strstr(s.ptr, "parts  integer, only with create = true\n"));
    assert_non_null(
        strstr(s.ptr, "interval  duration, only for sources, with another mode than \"timestamp\" or \"latest\"\n"));
    base_str_clear(&s);
    plugin_doc_options_json(options, COUNT, &s);
    assert_non_null(strstr(s.ptr, "\"only\":\"mode = timestamp\""));
    assert_non_null(strstr(s.ptr, "\"reading\":true"));
    base_str_clear(&s);
    plugin_doc_options_markdown(options, COUNT, &s);
    assert_non_null(strstr(s.ptr, "| **required** then | It is. Only with mode = \"timestamp\"."));
    base_str_fini(&s);
}

static void test_conditions_that_a_table_may_not_have(void **state)
{
    static const char *const wrong[] = {
        "nothing", "mode = sometimes", "mode= never", "mode = ", "create = yes", "fields", "key > 5", "millis = 5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct leat_option copy[COUNT];
        struct base_error err;
        memcpy(copy, options, sizeof copy);
        copy[3].only = wrong[i];
        if (plugin_options_check_table(copy, COUNT, sizeof(struct config), "x", &err) == LEAT_OK)
            fail_msg("\"%s\" passed", wrong[i]);
        assert_string_equal(err.code, "LEAT-P0010");
    }
    struct base_error err;
    assert_int_equal(plugin_options_check_table(options, COUNT, sizeof(struct config), "x", &err), LEAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_unknown_word_says_nothing_of_others),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_conditions_that_a_table_may_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
