// SPDX-License-Identifier: Apache-2.0
// Diagnostics: order, excerpts with carets, masking, JSON; sources and places.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"

static const char text[] = "[sources.pg]\n"
                           "\tslot.nmae = \"x\"\r\n"
                           "pasword = \"geheim\"\n"
                           "name = \"\xe7\x94\xb5\xe5\xad\x90\" # geheim\n"
                           "last = 1";

static void test_places(void **state)
{
    struct base_arena *a = base_arena_create(0, 0);
    const struct base_source *s = base_source_make(a, "f.toml", text, sizeof text - 1);
    size_t len;
    assert_int_equal(s->line_count, 5);
    assert_memory_equal(base_source_line(s, 5, &len), "last", 4);
    assert_int_equal(len, 8);
    base_source_line(s, 2, &len);
    assert_int_equal(len, 16); // without \r
    base_source_line(s, 9, &len);
    assert_int_equal(len, 0);
    for (size_t i = 0; i <= s->len; i++) {
        struct base_place p = base_place_at(s, i, 1);
        assert_int_equal(base_place_offset(&p), i);
    }
    struct base_place p = base_place_at(s, 14, 3);
    assert_int_equal(p.line, 2);
    assert_int_equal(p.column, 2);
    base_arena_destroy(a);
}

static void test_print(void **state)
{
    struct base_arena *a = base_arena_create(0, 0);
    struct base_secrets *secrets = base_secrets_create();
    base_secrets_add(secrets, "hunter2x", 8);
    const struct base_source *s = base_source_make(a, "f.toml", text, sizeof text - 1);
    struct base_diags d;
    assert_true(base_diags_init(&d));
    base_diag_add(&d, LEAT_DIAG_WARNING, "LEAT-C0002", &(struct base_place){s, 4, 8, 8}, NULL, "odd \"%s\"",
                  "hunter2x");
    base_diag_add(&d, LEAT_DIAG_ERROR, "LEAT-C0003", &(struct base_place){s, 3, 1, 7}, NULL, "unknown");
    base_diag_add(&d, LEAT_DIAG_ERROR, "LEAT-C0001", &(struct base_place){s, 2, 2, 9}, "Did you mean \"slot.name\"?",
                  "unknown option \"%s\"", "slot.nmae");
    base_diag_add(&d, LEAT_DIAG_ERROR, "LEAT-C0001", &(struct base_place){s, 2, 2, 9}, NULL,
                  "unknown option \"slot.nmae\"");
    base_diag_add(&d, LEAT_DIAG_ERROR, NULL, NULL, NULL, "nothing to run");
    base_diags_sort(&d);
    struct base_str out;
    base_str_init(&out);
    base_diags_print(&d, secrets, false, &out);
    assert_string_equal(out.ptr, "error: nothing to run\n"
                                 "f.toml:2:2: error: unknown option \"slot.nmae\" [LEAT-C0001]\n"
                                 "    2 | \tslot.nmae = \"x\"\n"
                                 "      | \t^~~~~~~~~\n"
                                 "      = Did you mean \"slot.name\"?\n"
                                 "f.toml:3:1: error: unknown [LEAT-C0003]\n"
                                 "    3 | pasword = \"******\"\n"
                                 "      | ^~~~~~~\n"
                                 "f.toml:4:8: warning: odd \"******\" [LEAT-C0002]\n"
                                 "    4 | name = \"\xe7\x94\xb5\xe5\xad\x90\" # geheim\n"
                                 "      |        ^~~~~~\n"
                                 "3 errors, 1 warning\n");
    base_str_clear(&out);
    base_diags_json(&d, secrets, &out);
    assert_string_equal(
        out.ptr,
        "{\"errors\":3,\"warnings\":1,\"diagnostics\":["
        "{\"severity\":\"error\",\"code\":\"\",\"message\":\"nothing to run\"},"
        "{\"severity\":\"error\",\"code\":\"LEAT-C0001\",\"file\":\"f.toml\",\"line\":2,\"column\":2,"
        "\"end_column\":11,\"length\":9,\"message\":\"unknown option \\\"slot.nmae\\\"\","
        "\"hint\":\"Did you mean \\\"slot.name\\\"?\",\"page\":\"docs/reference/codes.md#LEAT-C0001\"},"
        "{\"severity\":\"error\",\"code\":\"LEAT-C0003\",\"file\":\"f.toml\",\"line\":3,\"column\":1,"
        "\"end_column\":8,\"length\":7,\"message\":\"unknown\",\"page\":\"docs/reference/codes.md#LEAT-C0003\"},"
        "{\"severity\":\"warning\",\"code\":\"LEAT-C0002\",\"file\":\"f.toml\",\"line\":4,\"column\":8,"
        "\"end_column\":16,\"length\":8,\"message\":\"odd "
        "\\\"******\\\"\",\"page\":\"docs/reference/codes.md#LEAT-C0002\"}]}\n");
    base_str_fini(&out);
    base_diags_fini(&d);
    base_secrets_destroy(secrets);
    base_arena_destroy(a);
}

// Found by the fuzzer: a line of continuation bytes only, and a place behind what may be shown.
static void test_long_lines_are_cut(void **state)
{
    struct base_arena *a = base_arena_create(0, 0);
    struct base_diags d;
    struct base_str out;
    char line[1000];
    base_str_init(&out);
    assert_true(base_diags_init(&d));
    memset(line, 0x9f, sizeof line);
    const struct base_source *s = base_source_make(a, "bytes", line, sizeof line);
    for (uint32_t column = 1; column < 1003; column += 7)
        base_diag_add(&d, LEAT_DIAG_ERROR, NULL, &(struct base_place){s, 1, column, 500}, NULL, "x");
    memset(line, 'x', sizeof line);
    memcpy(line, "password=", 9);
    memcpy(line + 500, "password=", 9);
    s = base_source_make(a, "secret", line, sizeof line);
    for (uint32_t column = 1; column < 1003; column += 7)
        base_diag_add(&d, LEAT_DIAG_ERROR, NULL, &(struct base_place){s, 1, column, 3}, NULL, "x");
    base_diags_print(&d, NULL, false, &out);
    assert_true(base_str_ok(&out));
    base_str_fini(&out);
    base_diags_fini(&d);
    base_arena_destroy(a);
}

static void test_too_many_are_counted(void **state)
{
    struct base_diags d;
    assert_true(base_diags_init(&d));
    for (int i = 0; i < BASE_DIAGS_MAX + 100; i++)
        base_diag_add(&d, LEAT_DIAG_ERROR, NULL, NULL, NULL, "number %d", i);
    assert_int_equal(d.errors, BASE_DIAGS_MAX + 100);
    assert_true(d.overflow && d.count <= BASE_DIAGS_MAX + 24);
    base_diags_fini(&d);
}

static void test_read(void **state)
{
    struct base_arena *a = base_arena_create(0, 0);
    const struct base_source *s;
    struct base_error err;
    assert_int_equal(base_source_read(a, "/nowhere/x.toml", &s, &err), LEAT_CONFIG);
    assert_string_equal(err.message, "could not read \"/nowhere/x.toml\": No such file or directory");
    assert_int_equal(base_source_read(a, "/", &s, &err), LEAT_CONFIG);
    assert_string_equal(err.message, "could not read \"/\": it is a folder");
    assert_int_equal(base_source_read(a, "/dev/zero", &s, &err), LEAT_CONFIG);
    assert_string_equal(err.message, "could not read \"/dev/zero\": it is longer than 1 MiB");
    assert_int_equal(base_source_read(a, "LICENSE", &s, &err), LEAT_OK);
    assert_true(s->line_count > 10);
    base_arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_too_many_are_counted),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
