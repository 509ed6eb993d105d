// SPDX-License-Identifier: Apache-2.0
// The table of codes: sorted, complete, and nothing in it that no source uses.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

static void test_sorted_and_whole(void **state)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(strlen(codes[i].code), 10);
        assert_true(codes[i].cause && codes[i].cure);
        assert_int_equal(codes[i].cause[strlen(codes[i].cause) - 1], '.');
        assert_int_equal(codes[i].cure[strlen(codes[i].cure) - 1], '.');
        if (i)
            assert_true(strcmp(codes[i - 1].code, codes[i].code) < 0);
    }
}

static unsigned char used[512]; // nftw has no argument for its callback
static int unknown;

static void look(const char *path, const char *text)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    for (const char *p = text; (p = strstr(p, "\"LEAT-")); p++) {
        uint32_t i = 0;
        if (strlen(p) < 12 || p[11] != '"' || strspn(p + 7, "0123456789") != 4)
            continue;
        while (i < count && strncmp(codes[i].code, p + 1, 10) != 0)
            i++;
        if (i < count) {
            used[i] = 1;
            continue;
        }
        printf("%s uses %.10s, which is not in server/base/code.c\n", path, p + 1);
        unknown++;
    }
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t n = strlen(path);
    if (type != FTW_F || n < 3 || strcmp(path + n - 2, ".c") != 0 || strstr(path, "base/code.c"))
        return 0;
    FILE *file = fopen(path, "r");
    char *text = calloc(1, (size_t)st->st_size + 1);
    assert_true(file && text);
    assert_int_equal(fread(text, 1, (size_t)st->st_size, file), st->st_size);
    look(path, text);
    free(text);
    fclose(file);
    return 0;
}

static void test_matches_the_sources(void **state)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    assert_true(count <= sizeof used);
    assert_int_equal(nftw("server", visit, 16, FTW_PHYS), 0);
    for (uint32_t i = 0; i < count; i++) {
        if (!used[i])
            printf("%s is in server/base/code.c, but nothing uses it\n", codes[i].code);
    }
    assert_int_equal(unknown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_and_whole),
        cmocka_unit_test(test_matches_the_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
