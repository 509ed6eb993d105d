// SPDX-License-Identifier: Apache-2.0
// The parser: every recorded expression and column list is read, faults are named with their place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syntax/parser.h"

static struct leat_bytes bytes(const char *s)
{
    return (struct leat_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

struct fixture {
    struct sql_arena arena;
    struct sql_diag diag;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    sql_arena_init(&f->arena, 64u << 20);
    *state = f;
    return f ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sql_arena_fini(&f->arena);
    free(f);
    return 0;
}

static void test_recorded_expressions_parse(void **state)
{
    struct fixture *f = *state;
    FILE *in = fopen("tests/answers/expressions.tsv", "r");
    char *line = NULL;
    size_t room = 0;
    int read = 0, failed = 0;
    assert_non_null(in);
    assert_true(getline(&line, &room, in) > 0);
    while (getline(&line, &room, in) > 0) {
        char *cell[6], *at = line;
        for (int i = 0; i < 6; i++)
            cell[i] = strsep(&at, "\t\n");
        if (!strcmp(cell[4], "ERROR-PLAN"))
            continue;
        read++;
        if (!sql_parse_expression(&f->arena, bytes(cell[2]), &f->diag)) {
            print_error("%s: %s\n    %u: %s\n", cell[0], cell[2], f->diag.offset, f->diag.message);
            failed++;
        }
        sql_arena_reset(&f->arena);
    }
    free(line);
    fclose(in);
    assert_true(read > 1500);
    assert_int_equal(failed, 0);
}

// The texts of "query" and "columns" in the recorded stateful cases; a minimal reader of JSON strings.
static char *json_string(char **at, const char *key)
{
    char *s = strstr(*at, key);
    if (!s)
        return NULL;
    s += strlen(key);
    char *to = s, *start = s;
    for (; *s && *s != '"'; s++) {
        if (*s == '\\') {
            s++;
            *to++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s; // no \u in the recorded queries
        } else {
            *to++ = *s;
        }
    }
    *at = s + 1;
    *to = '\0';
    return start;
}

static void test_recorded_queries_parse(void **state)
{
    struct fixture *f = *state;
    FILE *in = fopen("tests/answers/stateful.jsonl", "r");
    char *line = NULL;
    size_t room = 0;
    int read = 0, failed = 0;
    assert_non_null(in);
    while (getline(&line, &room, in) > 0) {
        int refused = strstr(line, "\"stage\": \"parse\"") != NULL;
        char *at = line, *columns, *query;
        char *query_at = strstr(line, "\"query\": \"");
        while ((columns = json_string(&at, "\"columns\": \"")) && at < query_at) {
            if (!sql_parse_columns(&f->arena, bytes(columns), &f->diag)) {
                print_error("%s\n    %u: %s\n", columns, f->diag.offset, f->diag.message);
                failed++;
            }
        }
        at = query_at;
        query = json_string(&at, "\"query\": \"");
        read++;
        if (!refused && !sql_parse_query(&f->arena, bytes(query), &f->diag)) {
            print_error("%s\n    %u: %s\n", query, f->diag.offset, f->diag.message);
            failed++;
        }
        sql_arena_reset(&f->arena);
    }
    free(line);
    fclose(in);
    assert_true(read > 250);
    assert_int_equal(failed, 0);
}

static void test_recorded_schemas_parse(void **state)
{
    struct fixture *f = *state;
    FILE *in = fopen("tests/answers/formats.jsonl", "r");
    char *line = NULL;
    size_t room = 0;
    int read = 0, failed = 0;
    assert_non_null(in);
    while (getline(&line, &room, in) > 0) {
        char *at = line;
        char *columns = json_string(&at, "\"schema\": \"");
        if (!columns || strchr(columns, '\\'))
            continue;
        read++;
        if (!sql_parse_columns(&f->arena, bytes(columns), &f->diag) && !strstr(columns, "``")) {
            print_error("%s\n    %u: %s\n", columns, f->diag.offset, f->diag.message);
            failed++;
        }
        sql_arena_reset(&f->arena);
    }
    free(line);
    fclose(in);
    assert_true(read > 300);
    assert_int_equal(failed, 0);
}

static void test_faults_have_places(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *query;
        uint32_t offset;
        const char *message;
    } cases[] = {
        {"", 0, "expected SELECT, VALUES, WITH or TABLE, found the end of the query"},
        {"SELECT", 6, "expected an expression, found the end of the query"},
        {"SELECT a FROM", 13, "expected a table name, found the end of the query"},
        {"SELECT a b c FROM t", 11, "expected ',' or FROM, found 'c'"},
        {"SELECT a, FROM t", 10, "expected an expression, found the keyword 'FROM'"},
        {"SELECT (a FROM t", 10, "expected ')', found the keyword 'FROM'"},
        {"SELECT CASE WHEN a THEN 1 FROM t", 26, "expected WHEN, ELSE or END, found the keyword 'FROM'"},
        {"SELECT CAST(a AS WORD) FROM t", 17, "expected a type, found 'WORD'"},
        {"SELECT a != 1 FROM t", 9, "expected an operator, found '!='"},
        {"SELECT 'abc FROM t", 7, "this string has no end, expected '"},
        {"SELECT 1 /* x", 9, "this comment has no end, expected */"},
        {"SELECT \"a\" FROM t", 7, "unexpected '\"': names are quoted by `, strings by '"},
        {"SELECT a & 1", 9, "'&' is no operator of Flink SQL"},
        {"SELECT 'a' 'b'", 11, "a string is continued on the same line; use || to join strings"},
        {"SELECT X'ABC'", 7, "a binary string has an even number of digits"},
        {"SELECT U&'\\zzzz'", 7, "unicode escape at character 0 is not exactly four hex digits"},
        {"SELECT i IN () FROM t", 13, "expected an expression, found ')'"},
        {"SELECT EXTRACT(FOO FROM d)", 15, "expected a unit of time, found 'FOO'"},
        {"SELECT INTERVAL '1' WEEK", 20, "expected YEAR, MONTH, DAY, HOUR, MINUTE or SECOND, found 'WEEK'"},
        {"SELECT a FROM t JOIN u", 22, "expected ON or USING, found the end of the query"},
        {"SELECT a FROM t GROUP a", 22, "expected 'BY', found 'a'"},
        {"SELECT a FROM t WHERE", 21, "expected an expression, found the end of the query"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(sql_parse_query(&f->arena, bytes(cases[i].query), &f->diag));
        assert_string_equal(f->diag.message, cases[i].message);
        assert_int_equal(f->diag.offset, cases[i].offset);
    }
}

// Prints a tree with all brackets, so that precedence shows.
static void print(const struct sql_node *n, char *to, size_t size)
{
    size_t at = strlen(to);
    if (n->kind == SQL_NODE_NAME) {
        snprintf(to + at, size - at, "%.*s", (int)n->names[n->count - 1].text.len, n->names[n->count - 1].text.ptr);
        return;
    }
    if (n->kind != SQL_NODE_OPERATOR) {
        snprintf(to + at, size - at, "%.*s", (int)n->text.len, (const char *)n->text.ptr);
        return;
    }
    snprintf(to + at, size - at, "(%.*s", (int)n->text.len, (const char *)n->text.ptr);
    for (uint32_t i = 0; i < n->count; i++) {
        strcat(to, " ");
        print(n->items[i], to, size);
    }
    strcat(to, ")");
}

static void test_precedence_is_calcites(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"a + b * c", "(+ a (* b c))"},
        {"a - b - c", "(- (- a b) c)"},
        {"a || b * c", "(* (|| a b) c)"},
        {"a + b || c", "(+ a (|| b c))"},
        {"- a * b", "(* (NEGATE a) b)"},
        {"a OR b AND NOT c = d", "(OR a (AND b (NOT (= c d))))"},
        {"a = b IS NULL", "(IS NULL (= a b))"},
        {"a LIKE b || c", "(LIKE a (|| b c))"},
        {"a = b LIKE c", "(= a (LIKE b c))"},
        {"a BETWEEN b AND c AND d", "(AND (BETWEEN a b c) d)"},
        {"a NOT BETWEEN SYMMETRIC b AND c OR d", "(OR (NOT (BETWEEN SYMMETRIC a b c)) d)"},
        {"a IN (b, c) = d", "(= (IN a b c) d)"},
        {"a IS NOT DISTINCT FROM b + c", "(IS NOT DISTINCT FROM a (+ b c))"},
        {"NOT a IS NULL", "(NOT (IS NULL a))"},
        {"a[b][c]", "(ITEM (ITEM a b) c)"},
        {"a < b = c", "(= (< a b) c)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256] = "";
        struct sql_node *n = sql_parse_expression(&f->arena, bytes(cases[i].text), &f->diag);
        if (!n)
            fail_msg("%s: %s", cases[i].text, f->diag.message);
        print(n, text, sizeof text);
        assert_string_equal(text, cases[i].tree);
    }
}

static void test_nesting_is_bounded(void **state)
{
    struct fixture *f = *state;
    enum { N = 20000 };
    char *text = malloc(N * 4);
    assert_non_null(text);
    static const char *const open[] = {"(", "NOT ", "- ", "CASE WHEN ", "a[", "f(", "CAST("};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        size_t n = strlen(open[i]);
        for (size_t at = 0; at + n < N * 4; at += n)
            memcpy(text + at, open[i], n);
        text[N * 4 - n - 1] = '\0';
        assert_null(sql_parse_expression(&f->arena, bytes(text), &f->diag));
        sql_arena_reset(&f->arena);
    }
    free(text);
}

static void test_text_is_decoded(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"'it''s'", "it's"},
        {"U&'\\4f60\\597d'", "你好"},
        {"U&'!4f60' UESCAPE '!'", "你"},
        {"U&'\\D83D\\DE00'", "😀"},
        {"'a'\n'b' -- c\n 'c'", "abc"},
        {"_UTF16'abc'", "abc"},
        {"N'x'", "x"},
        {"X'4142'", "AB"},
        {"'a\\nb'", "a\\nb"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sql_node *n = sql_parse_expression(&f->arena, bytes(cases[i].text), &f->diag);
        if (!n)
            fail_msg("%s: %s", cases[i].text, f->diag.message);
        assert_int_equal(n->text.len, strlen(cases[i].value));
        assert_memory_equal(n->text.ptr, cases[i].value, n->text.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_recorded_expressions_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recorded_queries_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recorded_schemas_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_have_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_precedence_is_calcites, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nesting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_is_decoded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
