// SPDX-License-Identifier: Apache-2.0
// Catalogue types to leat's types, and PostgreSQL's texts to cells.
#include "types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NUMERIC(p, s) ((((p) << 16) | ((s)&0x7ff)) + 4)

static const struct {
    uint32_t oid;
    int32_t typmod;
    char typtype, category;
    const char *name; // NULL = refused
} maps[] = {
    {16, -1, 'b', 'B', "BOOLEAN"},
    {21, -1, 'b', 'N', "SMALLINT"},
    {23, -1, 'b', 'N', "INT"},
    {20, -1, 'b', 'N', "BIGINT"},
    {26, -1, 'b', 'N', "BIGINT"},
    {700, -1, 'b', 'N', "FLOAT"},
    {701, -1, 'b', 'N', "DOUBLE"},
    {1700, -1, 'b', 'N', "DECIMAL(38,18)"},
    {1700, NUMERIC(10, 2), 'b', 'N', "DECIMAL(10,2)"},
    {1700, NUMERIC(3, -2), 'b', 'N', "DECIMAL(5,0)"},
    {1700, NUMERIC(3, 5), 'b', 'N', "DECIMAL(5,5)"},
    {1700, NUMERIC(39, 2), 'b', 'N', NULL},
    {1042, 4 + 5, 'b', 'S', "CHAR(5)"},
    {1042, -1, 'b', 'S', "STRING"},
    {1043, 4 + 20, 'b', 'S', "VARCHAR(20)"},
    {25, -1, 'b', 'S', "STRING"},
    {3802, -1, 'b', 'U', "STRING"},
    {2950, -1, 'b', 'U', "STRING"},
    {17, -1, 'b', 'U', "BYTES"},
    {1082, -1, 'b', 'D', "DATE"},
    {1083, 3, 'b', 'D', "TIME(3)"},
    {1114, -1, 'b', 'D', "TIMESTAMP(6)"},
    {1114, 3, 'b', 'D', "TIMESTAMP(3)"},
    {1184, 0, 'b', 'D', "TIMESTAMP_LTZ(0)"},
    {1186, -1, 'b', 'T', "STRING"},
    {16500, -1, 'e', 'E', "STRING"},
    {1007, -1, 'b', 'A', NULL},
    {16501, -1, 'c', 'C', NULL},
    {2249, -1, 'p', 'P', NULL},
};

static void test_map(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        struct types_column column;
        struct types_catalog from = {
            .oid = maps[i].oid, .typmod = maps[i].typmod, .typtype = maps[i].typtype, .category = maps[i].category};
        const char *wrong = types_map(&from, &column);
        char name[64] = "";
        if (!wrong)
            types_name(&column.type, name, sizeof name);
        if (!wrong != !!maps[i].name || (maps[i].name && strcmp(name, maps[i].name) != 0))
            fail_msg("oid %u typmod %d: %s", maps[i].oid, maps[i].typmod, wrong ? wrong : name);
    }
}

static const struct {
    uint32_t oid;
    int32_t typmod;
    const char *text;
    int bad;
    leat_i128 want;
} numbers[] = {
    {16, -1, "t", 0, 1},
    {16, -1, "f", 0, 0},
    {16, -1, "true", 1, 0},
    {20, -1, "-9223372036854775808", 0, INT64_MIN},
    {20, -1, "9223372036854775807", 0, INT64_MAX},
    {20, -1, "9223372036854775808", 1, 0},
    {20, -1, "", 1, 0},
    {20, -1, "-", 1, 0},
    {20, -1, "1x", 1, 0},
    {23, -1, "-42", 0, -42},
    {1700, NUMERIC(10, 2), "5999.00", 0, 599900},
    {1700, NUMERIC(10, 2), "-0.05", 0, -5},
    {1700, NUMERIC(10, 2), "7", 0, 700},
    {1700, -1, "1.000000000000000001", 0, (leat_i128)1000000000000000001},
    {1700, -1, "1.0000000000000000001", 1, 0},
    {1700, -1, "NaN", 1, 0},
    {1700, -1, "-Infinity", 1, 0},
    {1700, -1, "123456789012345678901", 1, 0},
    {1700, NUMERIC(38, 0), "99999999999999999999999999999999999999", 0,
     (leat_i128)9999999999999999999u * ((leat_i128)10000000000000000000u) + (leat_i128)9999999999999999999u},
    {1082, -1, "1970-01-01", 0, 0},
    {1082, -1, "1969-12-31", 0, -1},
    {1082, -1, "2000-02-29", 0, 11016},
    {1082, -1, "0001-01-01", 0, -719162},
    {1082, -1, "9999-12-31", 0, 2932896},
    {1082, -1, "10000-01-01", 1, 0},
    {1082, -1, "4713-11-24 BC", 1, 0},
    {1082, -1, "infinity", 1, 0},
    {1082, -1, "2000-2-29", 1, 0},
    {1083, -1, "23:59:59.999999", 0, 86399999999},
    {1083, -1, "00:00:00.5", 0, 500000},
    {1083, -1, "24:00:00", 1, 0},
    {1083, -1, "12:00", 1, 0},
    {1114, -1, "2025-07-11 17:25:55.145", 0, 1752254755145000},
    {1114, -1, "1969-12-31 23:59:59", 0, -1000000},
    {1114, -1, "-infinity", 1, 0},
    {1114, -1, "2025-07-11 17:25:55.", 1, 0},
    {1114, -1, "2025-07-11T17:25:55", 1, 0},
    {1184, -1, "2025-07-11 17:25:55.145+00", 0, 1752254755145000},
    {1184, -1, "2025-07-11 17:25:55+08", 1, 0},
    {1184, -1, "294276-12-31 23:59:59+00", 1, 0},
};

static void test_numbers(void **state)
{
    (void)state;
    uint8_t arena[256];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct types_catalog from = {.oid = numbers[i].oid, .typmod = numbers[i].typmod, .typtype = 'b'};
        struct types_column column;
        assert_null(types_map(&from, &column));
        struct leat_batch b = {.arena_next = arena, .arena_end = arena + sizeof arena};
        union leat_cell cell = {.i128 = 0};
        const char *wrong =
            column.parse(&column, &b, (const uint8_t *)numbers[i].text, (uint32_t)strlen(numbers[i].text), &cell);
        leat_i128 got = column.type.kind == LEAT_TYPE_DECIMAL ? cell.i128 : cell.i64;
        if (!!wrong != numbers[i].bad || (!wrong && got != numbers[i].want))
            fail_msg("oid %u \"%s\": %s %lld", numbers[i].oid, numbers[i].text, wrong ? wrong : "ok", (long long)got);
    }
}

static const struct {
    uint32_t oid;
    const char *text;
    const char *want; // NULL = refused
    uint8_t check_utf8;
} texts[] = {
    {25, "沙发", "沙发", 1}, {25, "\xff\xfe", NULL, 1}, {25, "\xff\xfe", "\xff\xfe", 0}, {17, "\\x6c656174", "leat", 0},
    {17, "\\x", "", 0},      {17, "\\x6", NULL, 0},     {17, "\\xzz", NULL, 0},          {17, "abcd", NULL, 0},
};

static void test_texts(void **state)
{
    (void)state;
    uint8_t arena[256];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct types_catalog from = {
            .oid = texts[i].oid, .typmod = -1, .typtype = 'b', .check_utf8 = texts[i].check_utf8};
        struct types_column column;
        assert_null(types_map(&from, &column));
        struct leat_batch b = {.arena_next = arena, .arena_end = arena + sizeof arena};
        union leat_cell cell = {.i128 = 0};
        const char *wrong =
            column.parse(&column, &b, (const uint8_t *)texts[i].text, (uint32_t)strlen(texts[i].text), &cell);
        if (!wrong != !!texts[i].want || (!wrong && (cell.bytes.len != strlen(texts[i].want) ||
                                                     memcmp(cell.bytes.ptr, texts[i].want, cell.bytes.len) != 0)))
            fail_msg("oid %u \"%s\": %s", texts[i].oid, texts[i].text, wrong ? wrong : "another value");
    }
}

static void test_floats(void **state)
{
    (void)state;
    struct types_column column;
    union leat_cell cell;
    struct leat_batch b = {0};
    assert_null(types_map(&(struct types_catalog){.oid = 701, .typmod = -1, .typtype = 'b'}, &column));
    assert_null(column.parse(&column, &b, (const uint8_t *)"0.1", 3, &cell));
    assert_true(cell.f64 == 0.1);
    assert_null(column.parse(&column, &b, (const uint8_t *)"-Infinity", 9, &cell));
    assert_true(cell.f64 < -1e308);
    assert_non_null(column.parse(&column, &b, (const uint8_t *)"1.5x", 4, &cell));
    assert_null(types_map(&(struct types_catalog){.oid = 700, .typmod = -1, .typtype = 'b'}, &column));
    assert_null(column.parse(&column, &b, (const uint8_t *)"1e-45", 5, &cell));
    assert_true(cell.f32 > 0);
}

static void test_declare(void **state)
{
    (void)state;
    struct types_column column;
    struct types_catalog money = {.oid = 1700, .typmod = NUMERIC(10, 2), .typtype = 'b'};
    assert_null(types_map(&money, &column));
    struct leat_type narrow = {.kind = LEAT_TYPE_DECIMAL, .precision = 9, .scale = 2, .nullable = 1};
    assert_non_null(types_declare(&column, &narrow));
    struct leat_type wide = {.kind = LEAT_TYPE_DECIMAL, .precision = 20, .scale = 4, .nullable = 1};
    assert_null(types_declare(&column, &wide));
    assert_int_equal(column.type.scale, 4);
    struct leat_type string = {.kind = LEAT_TYPE_VARCHAR, .length = LEAT_LENGTH_MAX, .nullable = 1};
    assert_null(types_declare(&column, &string));
    assert_int_equal(column.type.kind, LEAT_TYPE_VARCHAR);
    assert_null(types_map(&(struct types_catalog){.oid = 23, .typmod = -1, .typtype = 'b'}, &column));
    struct leat_type not_null = {.kind = LEAT_TYPE_INT, .nullable = 0};
    assert_non_null(types_declare(&column, &not_null));
    struct leat_type big = {.kind = LEAT_TYPE_BIGINT, .nullable = 1};
    assert_null(types_declare(&column, &big));
    struct leat_type small = {.kind = LEAT_TYPE_SMALLINT, .nullable = 1};
    assert_non_null(types_declare(&column, &small));
}

static void test_typmods(void **state)
{
    (void)state;
    assert_int_equal(types_typmod_narrowed(1043, 4 + 20, 4 + 20), 0);
    assert_int_equal(types_typmod_narrowed(1043, 4 + 20, 4 + 10), 0); // shorter values still fit
    assert_int_equal(types_typmod_narrowed(1043, 4 + 20, 4 + 30), 1);
    assert_int_equal(types_typmod_narrowed(1043, 4 + 20, -1), 1);
    assert_int_equal(types_typmod_narrowed(1043, -1, 4 + 30), 0);
    assert_int_equal(types_typmod_narrowed(1700, NUMERIC(10, 2), NUMERIC(12, 2)), 1);
    assert_int_equal(types_typmod_narrowed(1700, NUMERIC(10, 2), NUMERIC(10, 4)), 1);
    assert_int_equal(types_typmod_narrowed(1700, NUMERIC(10, 2), NUMERIC(8, 1)), 0);
}

// What an ALTER TABLE rounds, cuts or pads is told from what leaves every value as it is.
static void test_rewrites(void **state)
{
    (void)state;
    assert_int_equal(types_typmod_rewrites(1114, 3, 0), 1); // timestamp
    assert_int_equal(types_typmod_rewrites(1114, -1, 3), 1);
    assert_int_equal(types_typmod_rewrites(1114, -1, 6), 0);
    assert_int_equal(types_typmod_rewrites(1114, 3, 6), 0);
    assert_int_equal(types_typmod_rewrites(1114, 3, -1), 0);
    assert_int_equal(types_typmod_rewrites(1700, NUMERIC(10, 2), NUMERIC(8, 2)), 0);
    assert_int_equal(types_typmod_rewrites(1700, NUMERIC(10, 2), NUMERIC(12, 4)), 0);
    assert_int_equal(types_typmod_rewrites(1700, NUMERIC(10, 2), NUMERIC(12, 1)), 1);
    assert_int_equal(types_typmod_rewrites(1700, -1, NUMERIC(38, 10)), 1);
    assert_int_equal(types_typmod_rewrites(1043, -1, 4 + 50), 1); // varchar
    assert_int_equal(types_typmod_rewrites(1043, 4 + 20, 4 + 10), 1);
    assert_int_equal(types_typmod_rewrites(1043, 4 + 20, 4 + 30), 0);
    assert_int_equal(types_typmod_rewrites(1042, 4 + 5, 4 + 8), 1);   // char
    assert_int_equal(types_typmod_rewrites(1186, -1, 0x7fff0000), 1); // interval(0)
    assert_int_equal(types_typmod_rewrites(99999, 1, 2), 1);
    assert_int_equal(types_typmod_rewrites(99999, 1, -1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_map),     cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_texts),   cmocka_unit_test(test_floats),
                                       cmocka_unit_test(test_declare), cmocka_unit_test(test_typmods),
                                       cmocka_unit_test(test_rewrites)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
