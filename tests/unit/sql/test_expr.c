// SPDX-License-Identifier: Apache-2.0
// Binding and evaluation: types as Flink derives them, values, lazy branches, faults with their places.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/bind.h"
#include "expr/types.h"
#include "syntax/parser.h"

struct fixture {
    struct sql_arena arena;
    struct sql_diag diag;
    struct sql_evaluator fold, ev;
    struct sql_bind bind;
};

// Columns of the tests: three rows each.
static const struct leat_type int_type = {.kind = LEAT_TYPE_INT, .nullable = 1};
static const struct leat_type double_type = {.kind = LEAT_TYPE_DOUBLE, .nullable = 1};
static const struct leat_type decimal_type = {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 5, .scale = 2};
static const struct leat_type boolean_type = {.kind = LEAT_TYPE_BOOLEAN, .nullable = 1};
static const struct leat_type string_type = {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
static const struct leat_type row_type = {.kind = LEAT_TYPE_INT};

static const union leat_cell ints[] = {{.i64 = 42}, {.i64 = 0}, {.i64 = 7}};
static const union leat_cell doubles[] = {{.f64 = 1.5}, {.f64 = -2.5}, {.f64 = 0}};
static const union leat_cell decimals[] = {{.i128 = 12345}, {.i128 = -12345}, {.i128 = 0}};
static const union leat_cell booleans[] = {{.i64 = 1}, {.i64 = 0}, {.i64 = 0}};
static const union leat_cell strings[] = {
    {.bytes = {(const uint8_t *)"a", 1}}, {.bytes = {(const uint8_t *)"bb", 2}}, {.bytes = {(const uint8_t *)"", 0}}};
static const uint8_t values[] = {LEAT_VALUE, LEAT_VALUE, LEAT_VALUE};
static const uint8_t last_null[] = {LEAT_VALUE, LEAT_VALUE, LEAT_NULL};

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)s, sizeof s - 1                                                                               \
    }
static const struct sql_scope_column columns[] = {
    {NAME("t"), NAME("i"), &int_type, 0, 0, NULL},      {NAME("t"), NAME("d"), &double_type, 1, 0, NULL},
    {NAME("t"), NAME("dc"), &decimal_type, 2, 0, NULL}, {NAME("t"), NAME("b"), &boolean_type, 3, 0, NULL},
    {NAME("t"), NAME("s"), &string_type, 4, 0, NULL},   {NAME("t"), NAME("n"), &row_type, 5, 0, NULL},
    {NAME("u"), NAME("n"), &row_type, 5, 0, NULL},
};
static const struct sql_scope scope = {columns, sizeof columns / sizeof *columns};
static const struct sql_vec vectors[] = {
    {ints, values, 0},        {doubles, values, 0},    {decimals, values, 0},
    {booleans, last_null, 0}, {strings, last_null, 0}, {ints, values, 0},
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    sql_arena_init(&f->arena, 64u << 20);
    sql_evaluator_init(&f->fold, "UTC");
    sql_evaluator_init(&f->ev, "UTC");
    sql_bind_init(&f->bind, &f->arena, &f->diag, &f->fold);
    f->bind.scope = &scope;
    f->ev.columns = vectors;
    f->ev.column_count = 6;
    f->ev.rows = 3;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sql_bind_fini(&f->bind);
    sql_evaluator_fini(&f->fold);
    sql_evaluator_fini(&f->ev);
    sql_arena_fini(&f->arena);
    free(f);
    return 0;
}

static struct sql_expr *bind(struct fixture *f, const char *text)
{
    struct leat_bytes b = {(const uint8_t *)text, (uint32_t)strlen(text)};
    struct sql_node *n = sql_parse_expression(&f->arena, b, &f->diag);
    return n ? sql_bind_expr(&f->bind, n) : NULL;
}

static void show(const struct leat_type *t, const struct sql_vec *v, uint32_t r, char *to, size_t size)
{
    uint32_t at = sql_vec_at(v, r);
    const union leat_cell *c = &v->cells[at];
    if (v->states[at] != LEAT_VALUE)
        snprintf(to, size, "NULL");
    else if (t->kind == LEAT_TYPE_DOUBLE)
        snprintf(to, size, "%g", c->f64);
    else if (t->kind == LEAT_TYPE_FLOAT)
        snprintf(to, size, "%g", (double)c->f32);
    else if (t->kind == LEAT_TYPE_DECIMAL)
        snprintf(to, size, "%lldE-%d", (long long)c->i128, t->scale);
    else if (leat_type_is_bytes(t->kind))
        snprintf(to, size, "%.*s", (int)c->bytes.len, (const char *)c->bytes.ptr);
    else
        snprintf(to, size, "%lld", (long long)c->i64);
}

static void test_types_and_values(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *type, *rows;
    } cases[] = {
        {"i + 1", "INT", "43 1 8"},
        {"i * 2 - 1", "INT", "83 -1 13"},
        {"dc * 2", "DECIMAL(16, 2)", "24690E-2 -24690E-2 0E-2"},
        {"dc + dc", "DECIMAL(6, 2)", "24690E-2 -24690E-2 0E-2"},
        {"i / 2.0", "DECIMAL(17, 6)", "21000000E-6 0E-6 3500000E-6"},
        {"i + d", "DOUBLE", "43.5 -2.5 7"},
        {"-i", "INT", "-42 0 -7"},
        {"i > 5", "BOOLEAN", "1 0 1"},
        {"dc > i", "BOOLEAN", "1 0 0"},
        {"s = 'a'", "BOOLEAN", "1 0 NULL"},
        {"s IS NULL", "BOOLEAN NOT NULL", "0 0 1"},
        {"b IS NOT TRUE", "BOOLEAN NOT NULL", "0 1 1"},
        {"b AND i > 0", "BOOLEAN", "1 0 NULL"},
        {"i <> 0 AND 84 / i = 2", "BOOLEAN", "1 0 0"},
        {"i = 0 OR 84 / i = 2", "BOOLEAN", "1 1 0"},
        {"NOT b", "BOOLEAN", "0 1 NULL"},
        {"CASE WHEN i = 0 THEN 'zero' WHEN 84 / i > 5 THEN 'small' ELSE 'big' END", "VARCHAR(5) NOT NULL",
         "big zero small"},
        {"CASE s WHEN 'a' THEN 1 WHEN 'bb', 'c' THEN 2 END", "INT", "1 2 NULL"},
        {"IF(i = 0, i, 84 / i)", "INT", "2 0 12"},
        {"COALESCE(s, 'x')", "STRING NOT NULL", "a bb x"},
        {"NULLIF(i, 7)", "INT", "42 0 NULL"},
        {"i IN (42, 7)", "BOOLEAN", "1 0 1"},
        {"i NOT IN (42, NULL)", "BOOLEAN", "0 NULL NULL"},
        {"i BETWEEN 1 AND 10", "BOOLEAN", "0 0 1"},
        {"i BETWEEN SYMMETRIC 10 AND 1", "BOOLEAN", "0 0 1"},
        {"s IS DISTINCT FROM 'a'", "BOOLEAN NOT NULL", "0 1 1"},
        {"CAST(i AS BIGINT)", "BIGINT", "42 0 7"},
        {"CAST(d AS DECIMAL(3, 0))", "DECIMAL(3, 0)", "2E-0 -3E-0 0E-0"},
        {"CAST(dc AS INT)", "INT", "123 -123 0"},
        {"TRY_CAST(i * 4 AS TINYINT)", "TINYINT", "NULL 0 28"},
        {"TYPEOF(dc)", "STRING", "DECIMAL(5, 2) DECIMAL(5, 2) DECIMAL(5, 2)"},
        {"MOD(i, 5)", "INT", "2 0 2"},
        {"-9223372036854775808", "BIGINT NOT NULL", "-9223372036854775808 -9223372036854775808 -9223372036854775808"},
        {"00.10", "DECIMAL(4, 2) NOT NULL", "10E-2 10E-2 10E-2"},
        {"DATE '1970-01-02'", "DATE NOT NULL", "1 1 1"},
        {"TIMESTAMP '1970-01-01 00:00:01.5'", "TIMESTAMP(1) NOT NULL", "1500000 1500000 1500000"},
        {"INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL SECOND(3) NOT NULL", "93784500000 93784500000 93784500000"},
        {"INTERVAL '1-2' YEAR TO MONTH", "INTERVAL MONTH NOT NULL", "14 14 14"},
        {"t.n", "INT NOT NULL", "42 0 7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char type[SQL_TYPE_TEXT], rows[256] = "";
        struct sql_vec v;
        struct sql_expr *e = bind(f, cases[i].text);
        if (!e)
            fail_msg("%s: %s", cases[i].text, f->diag.message);
        sql_evaluator_reset(&f->ev);
        if (sql_eval(&f->ev, e, &(struct sql_sel){NULL, 3}, &v))
            fail_msg("%s: %s", cases[i].text, f->ev.failure.message);
        for (uint32_t r = 0; r < 3; r++) {
            if (r)
                strcat(rows, " ");
            show(e->type, &v, r, rows + strlen(rows), sizeof rows - strlen(rows));
        }
        assert_string_equal(sql_type_print(e->type, type, sizeof type), cases[i].type);
        assert_string_equal(rows, cases[i].rows);
    }
}

static void test_refusals_have_places(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        uint32_t offset;
        const char *message;
    } cases[] = {
        {"i + s", 0, "cannot apply '+' to INT and STRING"},
        {"1 + (b = i)", 5, "cannot apply '=' to BOOLEAN and INT"},
        {"x + 1", 0, "column 'x' does not exist"},
        {"t.x", 2, "column 'x' does not exist in 't'"},
        {"v.i", 0, "table 'v' is not in FROM"},
        {"n + 1", 0, "column 'n' is ambiguous"},
        {"NOPE(1)", 0, "function 'NOPE' does not exist"},
        {"1 + COUNT(i)", 4, "COUNT is known in Flink SQL, not supported yet"},
        {"i AND b", 0, "cannot apply 'AND' to INT and BOOLEAN"},
        {"CASE WHEN i THEN 1 ELSE 2 END", 10, "WHEN needs a BOOLEAN, found INT"},
        {"CASE WHEN b THEN 1 ELSE 'x' END", 24, "the branches of CASE have no common type: INT and CHAR(1)"},
        {"CASE WHEN b THEN NULL END", 0, "at least one branch of CASE must not be NULL"},
        {"b AND NULL", 6, "NULL has no type here"},
        {"IF(b, 1)", 0, "'IF' takes 3 arguments, found 2"},
        {"123456789012345678901234567890", 0, "this number is out of the range of BIGINT"},
        {"CAST(i AS TIMESTAMP(9))", 10, "times have at most 6 digits of fraction, 9 were asked for"},
        {"DATE '2024-02-30'", 0, "'2024-02-30' is no DATE, expected 'yyyy-MM-dd'"},
        {"INTERVAL '1000' YEAR", 0, "the first field of the interval has more than 2 digits"},
        {"i = '42'", 0, "cannot apply '=' to INT and CHAR(2)"},
        {"i IN (SELECT 1)", 0, "IN (SELECT …) is known in Flink SQL, not supported yet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (bind(f, cases[i].text))
            fail_msg("%s was taken", cases[i].text);
        assert_string_equal(f->diag.message, cases[i].message);
        assert_int_equal(f->diag.offset, cases[i].offset);
    }
}

static void test_failures_name_row_and_place(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        uint32_t row, offset;
        const char *message;
    } cases[] = {
        {"1 + 10 / i", 1, 4, "division by zero"},
        {"i * 2147483647", 0, 0, "the result of '*' is out of the range of INT"},
        {"CAST(i * 4 AS TINYINT)", 0, 0, "the number is out of the range of TINYINT"},
        {"dc / (i - i)", 0, 0, "division by zero"},
        {"COALESCE(i, 1 / i)", 1, 12, "division by zero"},
        {"2147483647 + 1", 0, 0, "the result of '+' is out of the range of INT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_vec v;
        struct sql_expr *e = bind(f, cases[i].text);
        if (!e)
            fail_msg("%s: %s", cases[i].text, f->diag.message);
        assert_int_equal(sql_eval(&f->ev, e, &(struct sql_sel){NULL, 3}, &v), -1);
        assert_string_equal(f->ev.failure.message, cases[i].message);
        assert_int_equal(f->ev.failure.row, cases[i].row);
        assert_int_equal(f->ev.failure.offset, cases[i].offset);
    }
}

static void test_long_chains_do_not_nest(void **state)
{
    struct fixture *f = *state;
    enum { N = 5000 };
    char *text = malloc(N * 10 + 16), *at = text;
    assert_non_null(text);
    at = stpcpy(at, "i > 0");
    for (int i = 0; i < N; i++)
        at = stpcpy(at, " AND i>0");
    assert_non_null(bind(f, text));
    at = stpcpy(text, "i");
    for (int i = 0; i < N; i++)
        at = stpcpy(at, " + i");
    assert_null(bind(f, text));
    assert_string_equal(f->diag.message, "nested more than 1000 levels deep");
    free(text);
}

static void test_no_bytes_are_no_lack_of_memory(void **state)
{
    struct sql_arena arena;
    sql_arena_init(&arena, 1 << 20);
    assert_non_null(sql_arena_alloc(&arena, 0));
    sql_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_types_and_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals_have_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures_name_row_and_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_chains_do_not_nest, setup, teardown),
        cmocka_unit_test(test_no_bytes_are_no_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
