// SPDX-License-Identifier: Apache-2.0
// Schemas: deep copies, text.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fixture.h"

#include "base/arena.h"
#include "data/schema.h"

#include <cmocka.h>

static void a_copy_shares_nothing(void **state)
{
    struct base_arena *arena = base_arena_create(0, 0);
    const struct leat_schema *copy = data_schema_copy(arena, &fixture_schema);
    assert_non_null(copy);
    char text[256], of_copy[256];
    data_schema_print(&fixture_schema, text, sizeof text);
    data_schema_print(copy, of_copy, sizeof of_copy);
    assert_string_equal(of_copy, text);
    assert_ptr_not_equal(copy->columns, fixture_schema.columns);
    assert_ptr_not_equal(copy->key, fixture_schema.key);
    assert_ptr_not_equal(copy->columns[COL_TAGS].type.children, &fixture_text);
    assert_ptr_not_equal(copy->columns[COL_ID].name.ptr, fixture_fields[COL_ID].name.ptr);
    assert_string_equal((const char *)copy->columns[COL_AMOUNT].name.ptr, "amount"); // terminated
    base_arena_destroy(arena);
}

static void its_text_is_cut_but_its_length_is_not(void **state)
{
    static const char whole[] = "id BIGINT NOT NULL, name STRING, amount DECIMAL(38, 2), ratio FLOAT, "
                                "tags ARRAY<STRING>, PRIMARY KEY (id)";
    char text[256];
    assert_int_equal(data_schema_print(&fixture_schema, text, sizeof text), sizeof whole - 1);
    assert_string_equal(text, whole);
    for (size_t size = 1; size < sizeof whole; size++) {
        char *exact = malloc(size);
        assert_int_equal(data_schema_print(&fixture_schema, exact, size), sizeof whole - 1);
        assert_int_equal(strlen(exact), size - 1);
        assert_memory_equal(exact, whole, size - 1);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(its_text_is_cut_but_its_length_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
