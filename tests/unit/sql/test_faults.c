// SPDX-License-Identifier: Apache-2.0
// What is said of a query that is wrong: every fault at its place, none that another one made, and the right form of
// what other databases write.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include "expr/registry.h"
#include "plan/plan.h"
#include "plan/review.h"

#include <cmocka.h>

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)(s), sizeof(s) - 1                                                                            \
    }

static const struct leat_field fields[] = {
    {NAME("id"), {.kind = LEAT_TYPE_INT}},
    {NAME("name"), {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {NAME("city"), {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {NAME("ts"), {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3}},
};
static const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = 4, .columns = fields};

// As the operator finds them, by place.
static void find_faults(const char *query, struct sql_faults *f)
{
    struct leat_input inputs[LEAT_INPUTS_MAX];
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < LEAT_INPUTS_MAX; i++)
        inputs[i] = (struct leat_input){&schema, LEAT_MODE_INSERT_ONLY, LEAT_INPUT_STREAM};
    struct sql_parsed *q = sql_query_parse((struct leat_bytes){(const uint8_t *)query, (uint32_t)strlen(query)}, f);
    if (!q)
        return;
    struct sql_plan *p = f->count ? NULL : sql_plan_create(q, inputs, q->table_count, "UTC", f);
    if (!p)
        plan_refusals(q, f);
    sql_review_destroy(p ? NULL : sql_review_create(q, inputs, q->table_count, "UTC", f));
    sql_plan_unref(p);
    sql_query_destroy(q);
    for (uint32_t i = 1; i < f->count; i++)
        for (uint32_t k = i; k && f->items[k - 1].offset > f->items[k].offset; k--) {
            struct sql_diag d = f->items[k];
            f->items[k] = f->items[k - 1];
            f->items[k - 1] = d;
        }
}

static void print_faults(const char *query, const struct sql_faults *f)
{
    print_error("%s\n", query);
    for (uint32_t i = 0; i < f->count; i++)
        print_error("    %u: %s = %s\n", f->items[i].offset, f->items[i].message, f->items[i].hint);
}

static void test_every_fault_is_told_and_no_other(void **state)
{
    static const struct {
        const char *query;
        const char *at[6]; // what stands at the places of the faults
    } cases[] = {
        {"SELECT id +, nmae, UPPR(name) FROM t WHERE idd = 1", {", nmae", "nmae", "UPPR", "idd"}},
        {"SELECT id +, nmae FROM t WHERE id = = 1", {", nmae", "nmae", "= 1"}},
        {"SELECT FOO(1), BAR(2)", {"FOO", "BAR"}},
        {"SELECT NVL(FOO(nmae), BAR(id)) FROM t", {"NVL", "FOO", "nmae", "BAR"}},
        {"SELECT COUNT(nmae), FOO(id) FROM t", {"COUNT", "nmae", "FOO"}},
        {"SELECT DATEDIFF(quarter, ts, t2) FROM t", {"DATEDIFF", "t2"}}, // a unit is no column
        {"SELECT CAST(id AS TEXT), nmae FROM t", {"TEXT", "nmae"}},
        {"SELECT a.id, a.x y z FROM t a JOIN u b ON a.id = = b.id WHERE b.foo = 1", {"z FROM", "= b", "foo"}},
        {"SELECT x FROM (SELECT id +, city FROM t WHERE cty = '') s WHERE s.y = 1 AND s.city = 3",
         {", city", "cty", "s.city"}}, // x and y may be what the fault is about
        {"SELECT s.id + 1, FOO(1) FROM (SELECT id id2 id3, name FROM t) s WHERE s.name = 1", {"FOO", "id3", "s.name"}},
        {"WITH w AS (SELECT id FORM t) SELECT id, idd FROM w", {"FORM", "idd"}},
        {"SELECT id FROM t WHRE idd = 1", {"WHRE", "idd"}},
        {"SELECT a.id FROM t a JON u b ON a.id = b.foo", {"JON", "foo"}},
        {"SELECT id, FROM t WHERE foo = 1", {"FROM", "foo"}},
        {"SELECT id FROM t WHERE id == 1 UNION ALL SELECT idd FROM t", {"==", "idd"}},
        {"SELECT LEFT(name, 1) = = 2, nmae FROM t", {"= 2", "nmae"}},
        {"SELECT a.id FROM t a LEFT JOIN u b ON a.id = = LEFT(b.name, 1) WHERE foo = 1", {"= LEFT", "foo"}},
        {"SELECT id IS DISTINCT FROM FROM t WHERE foo = 1", {"FROM t", "foo"}},
        {"SELECT CASE WHEN id = 1 THEN 2 FROM t WHERE foo = 1", {"FROM", "foo"}},
        // nothing can be said for certain behind these
        {"SELECT UPPER(name, nmae FROM t WHERE foo = 1", {"FROM"}},
        {"SELECT id, CASE WHEN id = 1 THEN 2, nmae FROM t WHERE foo = 1", {", nmae", "foo"}},
        {"SELECT id, name city x", {"x"}},
        {"SELECT id, name city t WHERE id = 1 AND foo = 2", {"t WHERE"}},
        {"SELECT id FROM t AS OF x WHERE foo = 1", {"OF"}},
        {"SELECT limit, foo FROM t", {"limit"}},
        {"SELECT id, group FROM t", {"group"}},
        {"SELECT where FROM t", {"where"}},
        {"SELECT id FROM t WHERE name ILIKE order", {"ILIKE"}},
        {"SELECT idd FROM t WHERE name ILIKE 'a' ORDER BY id", {"idd", "ILIKE", "ORDER"}},
        {"SELECT id FROM t WHERE 'a", {"'a"}},
    };
    struct sql_faults f;
    int failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        find_faults(cases[i].query, &f);
        uint32_t count = 0;
        int same = 1;
        for (; count < 6 && cases[i].at[count]; count++) {
            const char *at = cases[i].at[count];
            same &= count < f.count && !strncmp(cases[i].query + f.items[count].offset, at, strlen(at));
        }
        if (!same || f.count != count) {
            print_faults(cases[i].query, &f);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static void test_habits_of_others_have_their_form(void **state)
{
    static const struct {
        const char *query, *at, *hint;
    } cases[] = {
        {"SELECT id::INT FROM t", "::", "CAST(id AS INT)"},
        {"SELECT t.id::int8 FROM t", "::", "CAST(value AS BIGINT)"},
        {"SELECT NOW()::text FROM t", "::", "CAST(value AS STRING)"},
        {"SELECT id FROM t WHERE id != 1", "!=", "<>"},
        {"SELECT id FROM t WHERE id == 1", "==", "writes ="},
        {"SELECT \"id\" FROM t", "\"id\"", "'id', names in back quotes, `id`"},
        {"SELECT id AS \"x y\" FROM t", "\"x y\"", "`x y`"},
        {"SELECT id FROM \"t\"", "\"t\"", "`t`"},
        {"SELECT id FROM t WHERE name = \"bob\"", "\"bob\"", "'bob'"},
        {"SELECT id FROM t WHERE name ILIKE 'a%'", "ILIKE", "UPPER(a) LIKE"},
        {"SELECT name RLIKE 'a' FROM t", "RLIKE", "REGEXP("},
        {"SELECT name ~ 'a' FROM t", "~", "REGEXP("},
        {"SELECT id FROM t WHERE id = 1 && TRUE", "&&", "AND"},
        {"SELECT id DIV 2 FROM t", "DIV", "a / b"},
        {"SELECT name ->> 'a' FROM t", "->>", "JSON_VALUE"},
        {"SELECT id FROM t WHERE id NOT NULL", "NOT", "IS NOT NULL"},
        {"SELECT id FROM t WHERE id ISNULL", "ISNULL", "IS NULL"},
        {"SELECT id FROM t WHERE name = NULL", "name", "IS NULL"},
        {"SELECT id FROM t WHERE id =< 1", "=<", "<="},
        {"SELECT ts + INTERVAL '1 day' FROM t", "FROM", "INTERVAL '1' DAY"},
        {"SELECT ts + INTERVAL '3 hours' FROM t", "FROM", "INTERVAL '3' HOUR"},
        {"SELECT ts + INTERVAL 1 DAY FROM t", "1 DAY", "INTERVAL '1' DAY"},
        {"SELECT NVL(name, 'x') FROM t", "NVL", "COALESCE"},
        {"SELECT TO_CHAR(ts, 'x') FROM t", "TO_CHAR", "DATE_FORMAT"},
        {"SELECT name || id FROM t", "name", "CAST(value AS STRING)"},
        {"SELECT id FROM t WHERE id = 1 || id = 2", "1 ||", "OR"},
        {"SELECT STARTSWITH(name, 'a') FROM t", "STARTSWITH", "LIKE 'part%'"},
        {"SELECT ARRAY_SORT(ARRAY[id]) FROM t", "ARRAY_SORT", "Later versions"},
        {"SELECT CAST(name AS TEXT) FROM t", "TEXT", "STRING"},
        {"SELECT CAST(name AS DATETIME) FROM t", "DATETIME", "TIMESTAMP(p)"},
        {"SELECT id FORM t", "FORM", "FROM"},
        {"SELECT id FROM t WHRE id = 1", "WHRE", "WHERE"},
        {"SELECT id, FROM t", "FROM", "comma"},
        {"SELECT city UPPER(name) FROM t", "UPPER", "comma"},
        {"SELECT id name city FROM t", "city", "comma"},
        {"SELECT id FROM t WHERE id IN (1, 2,)", ")", "comma"},
        {"SELECT id FROM t # all", "#", "--"},
        {"SELECT id FROM t // all", "//", "--"},
        {"SELECT 'it's' FROM t", "' FROM", "''"},
        {"SELECT $1 FROM t", "$", "parameters"},
    };
    struct sql_faults f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        find_faults(cases[i].query, &f);
        const struct sql_diag *d = &f.items[0];
        if (f.count != 1 || strncmp(cases[i].query + d->offset, cases[i].at, strlen(cases[i].at)) != 0 ||
            !strstr(d->hint, cases[i].hint)) {
            print_faults(cases[i].query, &f);
            fail_msg("expected \"%s\" at \"%s\"", cases[i].hint, cases[i].at);
        }
    }
}

// Words that look like slips, and are names.
static void test_names_are_no_slips(void **state)
{
    static const char *const queries[] = {"SELECT id form FROM t",
                                          "SELECT id form, name whre FROM t",
                                          "SELECT w.id FROM t w WHERE w.id = 1",
                                          "SELECT whre.id FROM t whre",
                                          "SELECT jon.id FROM t jon WHERE TRUE",
                                          "SELECT id ilike FROM t",
                                          "SELECT oder.id FROM t AS oder",
                                          "SELECT l.id FROM t lef JOIN u l ON lef.id = l.id",
                                          "SELECT id mod, name div FROM t",
                                          "SELECT id limt FROM t UNION ALL SELECT id FROM t",
                                          "SELECT id FROM (SELECT id form)",
                                          "SELECT id top FROM t"};
    struct sql_faults f;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        find_faults(queries[i], &f);
        for (uint32_t k = 0; k < f.count; k++)
            if (f.items[k].kind == SQL_DIAG_SYNTAX) {
                print_faults(queries[i], &f);
                fail_msg("a name is taken for a slip");
            }
    }
}

// What is proposed instead of another database's function exists.
static void test_proposed_functions_exist(void **state)
{
    static const char *const names[] = {"NVL", "TO_CHAR", "LEN", "SPLIT_PART", "JSON_EXTRACT", "nvl2", "GETDATE", NULL};
    for (size_t i = 0; names[i]; i++) {
        struct leat_bytes name = {(const uint8_t *)names[i], (uint32_t)strlen(names[i])};
        const char *form = sql_func_elsewhere(name);
        assert_non_null(form);
        assert_null(sql_func_find(name));
        struct leat_bytes proposed = {(const uint8_t *)form, (uint32_t)strcspn(form, "(, ")};
        assert_non_null(sql_func_find(proposed));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault_is_told_and_no_other),
        cmocka_unit_test(test_habits_of_others_have_their_form),
        cmocka_unit_test(test_names_are_no_slips),
        cmocka_unit_test(test_proposed_functions_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
