// SPDX-License-Identifier: Apache-2.0
// Schemas: deep copies, comparison, text.
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
    assert_true(data_schema_equal(copy, &fixture_schema));
    assert_ptr_not_equal(copy->columns, fixture_schema.columns);
    assert_ptr_not_equal(copy->key, fixture_schema.key);
    assert_ptr_not_equal(copy->columns[COL_TAGS].type.children, &fixture_text);
    assert_ptr_not_equal(copy->columns[COL_ID].name.ptr, fixture_fields[COL_ID].name.ptr);
    assert_string_equal((const char *)copy->columns[COL_AMOUNT].name.ptr, "amount"); // terminated
    base_arena_destroy(arena);
}

static void every_difference_is_seen(void **state)
{
    struct leat_field fields[COLUMNS];
    uint32_t key = COL_NAME;
    for (int i = 0; i < 6; i++) {
        memcpy(fields, fixture_fields, sizeof fields);
        struct leat_schema other = fixture_schema;
        other.columns = fields;
        assert_true(data_schema_equal(&other, &fixture_schema));
        switch (i) {
        case 0:
            fields[COL_ID].name.ptr = (const uint8_t *)"ID";
            break;
        case 1:
            fields[COL_AMOUNT].type.scale = 3;
            break;
        case 2:
            fields[COL_ID].type.nullable = 1;
            break;
        case 3:
            other.key = &key;
            break;
        case 4:
            other.flags = LEAT_SCHEMA_KEY_IMMEDIATE;
            break;
        default:
            other.column_count--;
        }
        assert_false(data_schema_equal(&other, &fixture_schema));
    }
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
        cmocka_unit_test(every_difference_is_seen),
        cmocka_unit_test(its_text_is_cut_but_its_length_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
