// SPDX-License-Identifier: Apache-2.0
// Quoting, and the class of each SQLSTATE that matters to us.
// pq.h first: cmocka has a macro called fail
#include "pq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct quote {
    const char *name;
    const char *text;
    const char *ident;
    const char *literal;
};

static const struct quote quotes[] = {
    {"plain", "orders", "\"orders\"", "'orders'"},
    {"empty", "", "\"\"", "''"},
    {"case", "Orders 2", "\"Orders 2\"", "'Orders 2'"},
    {"double quote", "a\"b", "\"a\"\"b\"", "'a\"b'"},
    {"single quote", "a'b", "\"a'b\"", "'a''b'"},
    {"backslash", "a\\b'", "\"a\\b'\"", " E'a\\\\b'''"},
    {"injection", "\"; DROP TABLE t; --", "\"\"\"; DROP TABLE t; --\"", "'\"; DROP TABLE t; --'"},
    {"utf8", "表", "\"表\"", "'表'"},
};

static void same(const char *row, struct buf *b, const char *want)
{
    buf_u8(b, 0);
    assert_true(buf_ok(b));
    if (strcmp((const char *)b->ptr, want) != 0)
        fail_msg("%s: got %s, want %s", row, (const char *)b->ptr, want);
    buf_reset(b);
}

static void test_quoting(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1024);
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        pq_ident(&b, quotes[i].text);
        same(quotes[i].name, &b, quotes[i].ident);
        pq_literal(&b, quotes[i].text, strlen(quotes[i].text));
        same(quotes[i].name, &b, quotes[i].literal);
    }
    pq_qualified(&b, "my schema", "t");
    same("qualified", &b, "\"my schema\".\"t\"");
    buf_fini(&b);
}

static const struct {
    const char *sqlstate;
    leat_status failure;
} classes[] = {
    {NULL, LEAT_TRANSIENT},    {"", LEAT_TRANSIENT},      {"57P01", LEAT_TRANSIENT}, {"08006", LEAT_TRANSIENT},
    {"53100", LEAT_RESOURCE},  {"53300", LEAT_TRANSIENT}, {"55006", LEAT_TRANSIENT}, {"40P01", LEAT_TRANSIENT},
    {"28P01", LEAT_TRANSIENT}, {"22003", LEAT_DATA},      {"23505", LEAT_DATA},      {"42501", LEAT_CONFIG},
    {"42P01", LEAT_TRANSIENT}, {"57P04", LEAT_CONFIG},    {"55000", LEAT_FATAL},     {"XX000", LEAT_FATAL},
};

static void test_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (pq_class(classes[i].sqlstate) != classes[i].failure)
            fail_msg("%s", classes[i].sqlstate ? classes[i].sqlstate : "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quoting), cmocka_unit_test(test_classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
