// SPDX-License-Identifier: Apache-2.0
// JDBC URLs and table names, and the cache of lookups.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "url.h"

#include <cmocka.h>

struct good {
    const char *url, *host, *port, *database, *params; // "key=value;…" of libpq
};

static const struct good goods[] = {
    {"jdbc:postgresql://h:1/d", "h", "1", "d", ""},
    {"jdbc:postgresql://h/d", "h", "5432", "d", ""},
    {"jdbc:postgresql:d", "localhost", "5432", "d", ""},
    {"jdbc:postgresql:///d", "localhost", "5432", "d", ""},
    {"jdbc:postgresql://[::1]:7/d", "::1", "7", "d", ""},
    {"jdbc:postgresql://h/my%20d%2Fb?", "h", "5432", "my d/b", ""},
    {"jdbc:postgresql://h/d?sslmode=require&ApplicationName=a%26b", "h", "5432", "d",
     "sslmode=require;application_name=a&b;"},
    {"jdbc:postgresql://h/d?ssl=true&reWriteBatchedInserts=true", "h", "5432", "d", "sslmode=verify-full;"},
    {"jdbc:postgresql://h/d?ssl=false&targetServerType=primary", "h", "5432", "d", "target_session_attrs=read-write;"},
};

static void test_urls(void **state)
{
    char why[256], params[1024];
    struct jdbc_url u;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        size_t n = 0;
        if (jdbc_url_parse(g->url, &u, why, sizeof why) != 0)
            fail_msg("%s: %s", g->url, why);
        params[0] = 0;
        for (uint32_t p = 0; p < u.count; p++)
            n += (size_t)snprintf(params + n, sizeof params - n, "%s=%s;", u.params[p].key, u.params[p].value);
        if (strcmp(u.host, g->host) || strcmp(u.port, g->port) || strcmp(u.database, g->database) ||
            strcmp(params, g->params))
            fail_msg("%s: host %s, port %s, database %s, %s", g->url, u.host, u.port, u.database, params);
    }
    assert_int_equal(jdbc_url_parse("jdbc:postgresql://h/d?user=u&password=p&currentSchema=s&connectTimeout=5&"
                                    "stringtype=varchar",
                                    &u, why, sizeof why),
                     0);
    assert_string_equal(u.user, "u");
    assert_string_equal(u.password, "p");
    assert_string_equal(u.schema, "s");
    assert_int_equal(u.connect_timeout, 5000000);
    assert_int_equal(u.strict_strings, 1);
}

struct bad {
    const char *url, *why;
};

static const struct bad bads[] = {
    {"", "does not begin with"},
    {"postgresql://h/d", "does not begin with"},
    {"jdbc:mysql://h/d", "\"mysql\" is known in Flink, but not supported yet"},
    {"jdbc:oceanbase://h/d", "\"oceanbase\" is known in Flink"},
    {"jdbc:nothing://h/d", "unknown dialect \"nothing\""},
    {"jdbc:postgresql://h", "names no database"},
    {"jdbc:postgresql://h/", "names no database"},
    {"jdbc:postgresql://h:/d", "is not a port"},
    {"jdbc:postgresql://h:65536/d", "is not a port"},
    {"jdbc:postgresql://h:x/d", "is not a port"},
    {"jdbc:postgresql://a,b/d", "several hosts"},
    {"jdbc:postgresql://u:secret@h/d", "option username"},
    {"jdbc:postgresql://[::1/d", "no closing"},
    {"jdbc:postgresql://h/a/b", "not the name of a database"},
    {"jdbc:postgresql://h/%zz", "not the name of a database"},
    {"jdbc:postgresql://h/%00", "not the name of a database"},
    {"jdbc:postgresql://h/d?nonsense=1", "unknown parameter \"nonsense\""},
    {"jdbc:postgresql://h/d?sslmode=maybe", "\"sslmode\" does not take this value"},
    {"jdbc:postgresql://h/d?sslmode", "\"sslmode\" has no value"},
    {"jdbc:postgresql://h/d?connectTimeout=soon", "\"connectTimeout\" does not take this value"},
    {"jdbc:postgresql://h/d?currentSchema=a,b", "\"currentSchema\" does not take this value"},
    {"jdbc:postgresql://h/d?=1", "malformed parameter"},
    {"jdbc:postgresql://h/d?sslmod=require", "unknown parameter \"sslmod\" (did you mean \"sslmode\"?)"},
    {"jdbc:postgresql://h/d?APPLICATIONNAME=a",
     "unknown parameter \"APPLICATIONNAME\" (did you mean \"ApplicationName\"?)"},
    {"jdbc:postgresql://h/d?usr=a&tcpKeepAlive=maybe&zzzzzz=secret&ssl=true",
     "unknown parameter \"usr\" (did you mean \"user\"?); the parameter \"tcpKeepAlive\" does not take this value; "
     "unknown parameter \"zzzzzz\""},
};

static void test_bad_urls(void **state)
{
    char why[256];
    struct jdbc_url u;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        why[0] = 0;
        if (jdbc_url_parse(bads[i].url, &u, why, sizeof why) == 0 || !strstr(why, bads[i].why))
            fail_msg("%s: %s", bads[i].url, why);
        assert_null(strstr(why, "secret"));
    }
}

// As many as there is room for, and how many more there are.
static void test_bad_parameters_beyond_room(void **state)
{
    char url[1024] = "jdbc:postgresql://h/d?";
    char why[256];
    struct jdbc_url u;
    for (int i = 0; i < 20; i++)
        snprintf(url + strlen(url), sizeof url - strlen(url), "&zzzzzz%d=secret", i);
    assert_int_equal(jdbc_url_parse(url, &u, why, sizeof why), -1);
    assert_non_null(strstr(why, "unknown parameter \"zzzzzz0\"; unknown parameter \"zzzzzz1\"; "));
    int told = 0, more = 0;
    for (const char *at = why; (at = strstr(at, "unknown parameter")); at++)
        told++;
    assert_int_equal(sscanf(strstr(why, "; and "), "; and %d more", &more), 1);
    assert_int_equal(told + more, 20);
    assert_true(strlen(why) > 200);
}

struct name {
    const char *text, *schema, *table; // table NULL = refused
};

static const struct name names[] = {
    {"t", "", "t"},
    {"s.t", "s", "t"},
    {"\"t\"", "", "t"},
    {"\"My.S\".\"T\"\"x\"", "My.S", "T\"x"},
    {"s.\"a b\"", "s", "a b"},
    {"", NULL, NULL},
    {".t", NULL, NULL},
    {"s.", NULL, NULL},
    {"d.s.t", NULL, NULL},
    {"\"t", NULL, NULL},
    {"\"t\"\"", NULL, NULL},
    {"\"\"", NULL, NULL},
    {"\"a\"b", NULL, NULL},
    {"a\"b\"", NULL, NULL},
};

static void test_names(void **state)
{
    char why[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct jdbc_name n = {0};
        int st = jdbc_name_parse(names[i].text, &n, why, sizeof why);
        if ((st == 0) != (names[i].table != NULL))
            fail_msg("%s: %d", names[i].text, st);
        if (st == 0 && (strcmp(n.schema, names[i].schema) != 0 || strcmp(n.table, names[i].table) != 0))
            fail_msg("%s: %s and %s", names[i].text, n.schema, n.table);
    }
    char longest[600];
    struct jdbc_name n;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(jdbc_name_parse(longest, &n, why, sizeof why), -1);
}

static int has(struct jdbc_cache *c, uint32_t key, int64_t now)
{
    struct jdbc_entry *e = jdbc_cache_get(c, &key, sizeof key, now);
    int rows = e ? (int)e->row_count : -1;
    jdbc_entry_unref(e);
    return rows;
}

static void put(struct jdbc_cache *c, uint32_t key, uint32_t rows, int64_t now)
{
    jdbc_cache_put(c, &key, sizeof key, "rows", 4, rows, now);
}

static void test_cache_by_rows(void **state)
{
    struct jdbc_cache c;
    jdbc_cache_init(&c, 1000, 0, 0);
    for (uint32_t i = 0; i < 3000; i++)
        put(&c, i, 1, 0);
    assert_int_equal(c.count, 1000);
    assert_int_equal(has(&c, 1999, 0), -1);
    assert_int_equal(has(&c, 2000, 0), 1); // and now it is the newest
    put(&c, 1, 999, 0);
    assert_int_equal(c.count, 2);
    assert_int_equal(has(&c, 2000, 0), 1);
    assert_int_equal(has(&c, 1, 0), 999);
    put(&c, 1, 0, 0); // no rows count as one
    assert_int_equal(c.rows, 2);
    assert_int_equal(has(&c, 1, 0), 0);
    jdbc_cache_fini(&c);
}

static void test_cache_by_age(void **state)
{
    struct jdbc_cache c;
    jdbc_cache_init(&c, 0, 100, 30);
    put(&c, 1, 1, 1000);
    put(&c, 2, 1, 1000);
    assert_int_equal(has(&c, 1, 1029), 1);
    assert_int_equal(has(&c, 2, 1031), -1); // not asked for
    assert_int_equal(has(&c, 1, 1058), 1);
    assert_int_equal(has(&c, 1, 1087), 1);
    assert_int_equal(has(&c, 1, 1100), -1); // too old
    assert_int_equal(c.count, 0);
    // what is in use outlives its place
    put(&c, 3, 1, 2000);
    uint32_t key = 3;
    struct jdbc_entry *e = jdbc_cache_get(&c, &key, sizeof key, 2000);
    jdbc_cache_fini(&c);
    assert_memory_equal(e->bytes + e->key_len, "rows", 4);
    jdbc_entry_unref(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_bad_parameters_beyond_room),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cache_by_rows),
        cmocka_unit_test(test_cache_by_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
