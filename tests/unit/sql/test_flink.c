// SPDX-License-Identifier: Apache-2.0
// What Flink SQL 1.18 has and leat has not is known by name, at its place: never a fault of grammar, never unknown.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/review.h"

#include <cmocka.h>

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)(s), sizeof(s) - 1                                                                            \
    }

static const struct leat_field fields[] = {
    {NAME("id"), {.kind = LEAT_TYPE_BIGINT}},
    {NAME("name"), {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {NAME("ts"), {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3}},
};
static const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = 3, .columns = fields};

// All faults of a query over tables of that schema, as the operator finds them.
static void find_faults(const char *query, struct sql_faults *faults)
{
    struct leat_input inputs[LEAT_INPUTS_MAX];
    memset(faults, 0, sizeof *faults);
    for (uint32_t i = 0; i < LEAT_INPUTS_MAX; i++)
        inputs[i] = (struct leat_input){&schema, LEAT_MODE_INSERT_ONLY, LEAT_INPUT_STREAM};
    struct sql_parsed *q =
        sql_query_parse((struct leat_bytes){(const uint8_t *)query, (uint32_t)strlen(query)}, faults);
    if (!q)
        return;
    struct sql_plan *p = faults->count ? NULL : sql_plan_create(q, inputs, q->table_count, "UTC", faults);
    struct sql_review *r = p ? NULL : sql_review_create(q, inputs, q->table_count, "UTC", faults);
    sql_plan_unref(p);
    sql_review_destroy(r);
    sql_query_destroy(q);
}

static void print_faults(const char *query, const struct sql_faults *faults)
{
    print_error("%s\n", query);
    for (uint32_t i = 0; i < faults->count; i++)
        print_error("    %u: %s\n", faults->items[i].offset, faults->items[i].message);
}

// One fault, of this text at this place; a hint, if one is wanted, that has those words.
static void assert_refused(const char *query, const char *at, const char *message, const char *hint)
{
    struct sql_faults faults;
    find_faults(query, &faults);
    const struct sql_diag *d = &faults.items[0];
    if (faults.count != 1 || d->kind != SQL_DIAG_UNSUPPORTED || strcmp(d->message, message) != 0 ||
        strncmp(query + d->offset, at, strlen(at)) != 0 || (hint && !strstr(d->hint, hint))) {
        print_faults(query, &faults);
        fail_msg("expected \"%s\" at \"%s\"", message, at);
    }
}

static void test_statements(void **state)
{
    static const struct {
        const char *text, *name, *instead; // NULL = there is nothing
    } cases[] = {
        {"CREATE TABLE t (id INT) WITH ('connector' = 'kafka')", "CREATE TABLE", "[sources.NAME]"},
        {"CREATE TEMPORARY TABLE IF NOT EXISTS t (id INT)", "CREATE TABLE", "[sinks.NAME]"},
        {"CREATE TABLE t AS SELECT * FROM a", "CREATE TABLE", "[sinks.NAME]"},
        {"CREATE OR REPLACE TABLE t AS SELECT 1", "CREATE TABLE", "[sources.NAME]"},
        {"CREATE VIEW v AS SELECT * FROM a", "CREATE VIEW", "[operators.NAME]"},
        {"CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE VIEW", "[operators.NAME]"},
        {"CREATE FUNCTION f AS 'x.Y'", "CREATE FUNCTION", NULL},
        {"CREATE TEMPORARY SYSTEM FUNCTION f AS 'x.Y' LANGUAGE JAVA", "CREATE FUNCTION", NULL},
        {"CREATE CATALOG c WITH ('type' = 'jdbc')", "CREATE CATALOG", "no catalogs"},
        {"CREATE DATABASE d", "CREATE DATABASE", "no catalogs"},
        {"INSERT INTO t SELECT * FROM a", "INSERT INTO", "[sinks.NAME] with input"},
        {"insert overwrite t select * from a", "INSERT OVERWRITE", "[sinks.NAME] with input"},
        {"EXECUTE INSERT INTO t SELECT 1", "EXECUTE", "[sinks.NAME] with input"},
        {"EXPLAIN CHANGELOG_MODE SELECT * FROM a", "EXPLAIN", "leat plan"},
        {"EXPLAIN PLAN FOR SELECT * FROM a", "EXPLAIN", "leat plan"},
        {"DESCRIBE a", "DESCRIBE", "leat plan"},
        {"DESC a", "DESC", "leat plan"},
        {"SHOW TABLES", "SHOW", "leat plan"},
        {"SHOW CREATE TABLE a", "SHOW", "leat plugins"},
        {"USE CATALOG x", "USE", "no catalogs"},
        {"USE d", "USE", "no catalogs"},
        {"USE MODULES hive", "USE MODULES", NULL},
        {"SET 'parallelism.default' = '2'", "SET", "[pipeline]"},
        {"SET", "SET", "[pipeline]"},
        {"RESET 'parallelism.default'", "RESET", "[pipeline]"},
        {"DROP TABLE t", "DROP TABLE", "section"},
        {"DROP TEMPORARY VIEW IF EXISTS v", "DROP VIEW", "section"},
        {"DROP TEMPORARY SYSTEM FUNCTION f", "DROP FUNCTION", NULL},
        {"DROP CATALOG c", "DROP CATALOG", "no catalogs"},
        {"DROP DATABASE d CASCADE", "DROP DATABASE", "no catalogs"},
        {"ALTER TABLE t RENAME TO u", "ALTER TABLE", "section"},
        {"ALTER VIEW v AS SELECT 1", "ALTER VIEW", "section"},
        {"ALTER DATABASE d SET ('a' = 'b')", "ALTER DATABASE", "no catalogs"},
        {"ALTER FUNCTION f AS 'x.Y'", "ALTER FUNCTION", NULL},
        {"LOAD MODULE hive", "LOAD MODULE", NULL},
        {"UNLOAD MODULE hive", "UNLOAD MODULE", NULL},
        {"BEGIN STATEMENT SET", "BEGIN STATEMENT SET", "input"},
        {"STATEMENT SET BEGIN INSERT INTO t SELECT 1; END", "STATEMENT SET", "input"},
        {"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END", "EXECUTE STATEMENT SET", "input"},
        {"END", "END", "input"},
        {"EXECUTE PLAN '/x'", "EXECUTE PLAN", NULL},
        {"COMPILE PLAN '/x' FOR INSERT INTO t SELECT 1", "COMPILE PLAN", NULL},
        {"COMPILE AND EXECUTE PLAN '/x' FOR INSERT INTO t SELECT 1", "COMPILE AND EXECUTE PLAN", NULL},
        {"ANALYZE TABLE t COMPUTE STATISTICS", "ANALYZE TABLE", "without statistics"},
        {"TRUNCATE TABLE t", "TRUNCATE TABLE", "database"},
        {"UPDATE t SET a = 1", "UPDATE", "database"},
        {"DELETE FROM t WHERE a = 1", "DELETE FROM", "database"},
        {"CALL sys.p(1)", "CALL", NULL},
        {"ADD JAR 'x.jar'", "ADD JAR", "lib/"},
        {"REMOVE JAR 'x.jar'", "REMOVE JAR", "lib/"},
        {"STOP JOB 'x'", "STOP JOB", "SIGTERM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[128], behind[256];
        snprintf(message, sizeof message, "%s %s", cases[i].name,
                 cases[i].instead ? "is a statement of Flink SQL, and here stands one query"
                                  : "is known in Flink SQL, not supported yet");
        assert_refused(cases[i].text, cases[i].text, message, cases[i].instead);
        snprintf(behind, sizeof behind, "SELECT id FROM a;\n%s;", cases[i].text);
        assert_refused(behind, cases[i].text, message, cases[i].instead);
    }
}

// Of each clause one query; `name` is what is not supported yet, `at` the place.
static void test_clauses(void **state)
{
    static const struct {
        const char *query, *at, *name;
    } cases[] = {
        {"SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY id ORDER BY ts MEASURES B.ts AS x PATTERN (A B+) DEFINE B AS "
         "B.id > 1) AS m",
         "MATCH", "MATCH_RECOGNIZE"},
        {"SELECT * FROM a /*+ OPTIONS('x'='y') */", "OPTIONS", "the hint OPTIONS"},
        {"SELECT * FROM a /*+ OPTIONS('x'='y') */ AS b", "OPTIONS", "the hint OPTIONS"},
        {"SELECT /*+ BROADCAST(a) */ * FROM a", "BROADCAST", "the hint BROADCAST"},
        {"SELECT /*+ STATE_TTL('a' = '1d') */ a.id FROM a JOIN b ON a.id = b.id", "STATE_TTL", "the hint STATE_TTL"},
        {"SELECT /*+ LOOKUP('table'='b') */ id FROM a", "LOOKUP", "the hint LOOKUP"},
        {"SELECT * FROM a TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE", "TABLESAMPLE"},
        {"SELECT * FROM a AS x TABLESAMPLE SYSTEM (10) REPEATABLE (3)", "TABLESAMPLE", "TABLESAMPLE"},
        {"SELECT * FROM a PIVOT (SUM(id) FOR name IN ('x', 'y')) AS p", "PIVOT", "PIVOT"},
        {"SELECT * FROM a UNPIVOT INCLUDE NULLS (v FOR k IN (id, uid))", "UNPIVOT", "UNPIVOT"},
        {"SELECT id FROM a QUALIFY id = 1", "QUALIFY", "QUALIFY"},
        {"SELECT name, COUNT(*) FROM a GROUP BY name", "GROUP BY", "GROUP BY"},
        {"SELECT name, COUNT(*) FROM a GROUP BY DISTINCT name", "GROUP BY", "GROUP BY"},
        {"SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(*) FROM a GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
         "GROUP BY", "GROUP BY"},
        {"SELECT id FROM a HAVING id > 1", "HAVING", "HAVING"},
        {"SELECT DISTINCT id FROM a", "SELECT DISTINCT", "SELECT DISTINCT"},
        {"SELECT id FROM a WINDOW w AS (PARTITION BY id ORDER BY ts)", "WINDOW", "WINDOW"},
        {"SELECT SUM(id) OVER (PARTITION BY name ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM a", "SUM",
         "SUM … OVER"},
        {"SELECT LAST_VALUE(id) IGNORE NULLS OVER (ORDER BY ts) FROM a", "LAST_VALUE", "LAST_VALUE … OVER"},
        {"SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) AS rn FROM a) WHERE rn = 1",
         "ROW_NUMBER", "ROW_NUMBER … OVER"},
        {"SELECT COUNT(DISTINCT id) FROM a", "COUNT", "COUNT"},
        {"SELECT COUNT(*) FILTER (WHERE id > 1) FROM a", "COUNT", "COUNT"},
        {"SELECT LISTAGG(name, ',') WITHIN GROUP (ORDER BY id) FROM a", "LISTAGG", "LISTAGG"},
        {"SELECT window_start FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE))", "TABLE(",
         "TABLE(TUMBLE(…))"},
        {"SELECT * FROM TABLE(TUMBLE(DATA => TABLE a, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE))",
         "TABLE(", "TABLE(TUMBLE(…))"},
        {"SELECT * FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) AS w", "TABLE(",
         "TABLE(HOP(…))"},
        {"SELECT * FROM TABLE(CUMULATE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE))", "TABLE(",
         "TABLE(CUMULATE(…))"},
        {"SELECT * FROM TABLE(SESSION(TABLE a PARTITION BY (id, name), DESCRIPTOR(ts), INTERVAL '1' MINUTE))", "TABLE(",
         "TABLE(SESSION(…))"},
        {"SELECT * FROM TABLE(f(1))", "TABLE(", "a table function"},
        {"SELECT id, e FROM a CROSS JOIN UNNEST(ARRAY[1]) WITH ORDINALITY AS t(e, o)", "UNNEST", "UNNEST"},
        {"SELECT id, e FROM a, UNNEST(ARRAY[1]) AS t(e)", "UNNEST", "UNNEST"},
        {"SELECT id, w FROM a LEFT JOIN LATERAL TABLE(split(name)) AS t(w) ON TRUE", "TABLE(", "LATERAL"},
        {"SELECT * FROM a, LATERAL (SELECT name FROM b WHERE b.id = a.id)", "(SELECT", "LATERAL"},
        {"SELECT * FROM a ORDER BY id DESC NULLS LAST", "ORDER BY", "ORDER BY"},
        {"SELECT * FROM a LIMIT 3 OFFSET 2", "LIMIT", "LIMIT"},
        {"SELECT * FROM a OFFSET 2 ROWS", "OFFSET", "OFFSET"},
        {"SELECT * FROM a FETCH FIRST 3 ROWS ONLY", "FETCH", "FETCH"},
        {"SELECT id FROM a UNION SELECT id FROM b", "UNION", "UNION without ALL"},
        {"SELECT id FROM a UNION DISTINCT SELECT id FROM b", "UNION", "UNION without ALL"},
        {"SELECT id FROM a INTERSECT ALL SELECT id FROM b", "INTERSECT", "INTERSECT"},
        {"SELECT id FROM a EXCEPT SELECT id FROM b", "EXCEPT", "EXCEPT"},
        {"SELECT id FROM a MINUS SELECT id FROM b", "MINUS", "EXCEPT"},
        {"SELECT id FROM (SELECT id FROM a UNION ALL SELECT id FROM b)", "UNION", "UNION ALL in a sub-query"},
        {"SELECT id FROM a UNION ALL SELECT a.id FROM a JOIN b ON a.id = b.id", "JOIN", "a join inside UNION ALL"},
        {"SELECT id FROM a UNION ALL SELECT 1", "SELECT 1", "a query without FROM beside others"},
        {"SELECT id FROM a UNION ALL VALUES (1)", "VALUES", "VALUES beside tables in one query"},
        {"SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)", "EXISTS", "EXISTS (SELECT …)"},
        {"SELECT * FROM a WHERE id NOT IN (SELECT id FROM b)", "id NOT IN", "IN (SELECT …)"},
        {"SELECT * FROM a WHERE id > ANY (SELECT id FROM b)", "ANY", "a comparison with ANY, SOME or ALL"},
        {"SELECT * FROM a WHERE id = SOME (1, 2)", "SOME", "a comparison with ANY, SOME or ALL"},
        {"SELECT * FROM a WHERE id = (SELECT MAX(id) FROM b)", "(SELECT", "a sub-query as a value"},
        {"SELECT * FROM a FULL OUTER JOIN b ON a.id = b.id", "FULL", "FULL JOIN"},
        {"SELECT * FROM a CROSS JOIN b", "CROSS", "a join without an equality between its sides"},
        {"SELECT * FROM a, b", ", b", "a join without an equality between its sides"},
        {"SELECT * FROM a JOIN b ON a.id < b.id", "JOIN", "a join without an equality between its sides"},
        {"SELECT * FROM a LEFT JOIN b ON a.id = b.id AND a.ts < b.ts", "a.ts <",
         "a condition over both sides of an outer join other than an equality"},
        {"SELECT x.id FROM (SELECT id, PROCTIME() AS t FROM a) AS x JOIN (SELECT id, PROCTIME() AS t FROM b) AS y ON "
         "x.id = y.id AND y.t BETWEEN x.t - INTERVAL '1' HOUR AND x.t",
         "y.t BETWEEN", "a join by a range of processing time"},
        {"SELECT name FROM a NATURAL JOIN b", "NATURAL", "NATURAL JOIN"},
        {"SELECT * FROM a LEFT SEMI JOIN b ON a.id = b.id", "LEFT SEMI", "LEFT SEMI JOIN"},
        {"SELECT * FROM a LEFT ANTI JOIN b ON a.id = b.id", "LEFT ANTI", "LEFT ANTI JOIN"},
        {"SELECT a.id FROM a JOIN b ON a.id = b.id JOIN a AS c ON a.id = c.id", "a AS c",
         "a join of more than two tables"},
        {"WITH w AS (SELECT id FROM a) SELECT x.id FROM w AS x JOIN w AS y ON x.id = y.id", "w AS y",
         "joining a query of WITH with itself"},
        {"SELECT * FROM a FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'", "TIMESTAMP '",
         "FOR SYSTEM_TIME AS OF other than at the right of a join"},
        {"SELECT r.* FROM (SELECT ROW(1, 2) AS r FROM a) AS t", "r.*", "'.*' behind a ROW"},
        {"SELECT MULTISET[1, 2] FROM a", "MULTISET", "MULTISET"},
        {"SELECT CAST(id AS MULTISET<INT>) FROM a", "MULTISET", "MULTISET"},
        {"SELECT CAST(id AS RAW('x', 'y')) FROM a", "RAW", "RAW"},
        {"SELECT CAST(ts AS TIMESTAMP WITH TIME ZONE) FROM a", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
        {"SELECT id IS A SET FROM a", "id IS", "'IS A SET'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[128];
        snprintf(message, sizeof message, "%s is known in Flink SQL, not supported yet", cases[i].name);
        assert_refused(cases[i].query, cases[i].at, message, NULL);
    }
}

// The words are names where no bracket follows, as in Flink.
static void test_words_that_are_names(void **state)
{
    static const char *const queries[] = {"SELECT pivot.id FROM a AS pivot", "SELECT unpivot.id FROM a unpivot",
                                          "SELECT semi.id FROM a AS semi", "SELECT id AS show FROM a",
                                          "SELECT id AS `set` FROM a"};
    struct sql_faults faults;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        find_faults(queries[i], &faults);
        if (faults.count)
            print_faults(queries[i], &faults);
        assert_int_equal(faults.count, 0);
    }
}

// The functions of Flink 1.18 that are called by name, from its documentation and its table of operators.
static void test_functions(void **state)
{
    static const char names[] =
        "POWER ABS SQRT LN LOG10 LOG2 LOG EXP CEIL CEILING FLOOR SIN SINH COS TAN TANH COT ASIN ACOS ATAN ATAN2 COSH "
        "DEGREES RADIANS SIGN ROUND PI E RAND RAND_INTEGER UUID BIN HEX TRUNCATE MOD "
        "CHAR_LENGTH CHARACTER_LENGTH UPPER LOWER POSITION TRIM LTRIM RTRIM REPEAT REGEXP_REPLACE OVERLAY SUBSTRING "
        "SUBSTR REPLACE REGEXP_EXTRACT INITCAP CONCAT CONCAT_WS LPAD RPAD FROM_BASE64 TO_BASE64 ASCII CHR DECODE "
        "ENCODE INSTR LEFT RIGHT LOCATE PARSE_URL REGEXP REVERSE SPLIT_INDEX STR_TO_MAP "
        "LOCALTIME LOCALTIMESTAMP CURRENT_TIME CURRENT_DATE CURRENT_TIMESTAMP NOW CURRENT_ROW_TIMESTAMP EXTRACT YEAR "
        "QUARTER MONTH WEEK DAYOFYEAR DAYOFMONTH DAYOFWEEK HOUR MINUTE SECOND DATE_FORMAT TIMESTAMPADD TIMESTAMPDIFF "
        "CONVERT_TZ FROM_UNIXTIME UNIX_TIMESTAMP TO_DATE TO_TIMESTAMP_LTZ TO_TIMESTAMP CURRENT_WATERMARK "
        "SOURCE_WATERMARK PROCTIME NULLIF COALESCE IF IFNULL IS_ALPHA IS_DECIMAL IS_DIGIT GREATEST LEAST TYPEOF "
        "CARDINALITY ELEMENT ARRAY_CONTAINS ARRAY_DISTINCT ARRAY_POSITION ARRAY_REMOVE ARRAY_REVERSE ARRAY_SLICE "
        "ARRAY_UNION ARRAY_CONCAT ARRAY_MAX ARRAY_JOIN MAP_KEYS MAP_VALUES MAP_ENTRIES MAP_FROM_ARRAYS "
        "JSON_EXISTS JSON_STRING JSON_VALUE JSON_QUERY JSON_OBJECT JSON_OBJECTAGG JSON_ARRAY JSON_ARRAYAGG "
        "GROUP_ID GROUPING GROUPING_ID MD5 SHA1 SHA224 SHA256 SHA384 SHA512 SHA2 "
        "COUNT AVG SUM MAX MIN STDDEV_POP STDDEV_SAMP STDDEV VAR_POP VAR_SAMP VARIANCE COLLECT RANK DENSE_RANK "
        "ROW_NUMBER LEAD LAG FIRST_VALUE LAST_VALUE LISTAGG CUME_DIST PERCENT_RANK NTILE APPROX_COUNT_DISTINCT "
        "SINGLE_VALUE TUMBLE HOP SESSION CUMULATE TUMBLE_START TUMBLE_END TUMBLE_ROWTIME TUMBLE_PROCTIME HOP_START "
        "HOP_END HOP_ROWTIME HOP_PROCTIME SESSION_START SESSION_END SESSION_ROWTIME SESSION_PROCTIME "
        "MATCH_PROCTIME MATCH_ROWTIME FIRST LAST PREV NEXT CLASSIFIER PRINT";
    uint32_t missing = 0;
    for (const char *at = names; *at;) {
        uint32_t len = (uint32_t)strcspn(at, " ");
        const struct sql_func *f = sql_func_find((struct leat_bytes){(const uint8_t *)at, len});
        if (f && f->flags & SQL_FUNC_LATER) {
            char query[64], message[96];
            snprintf(query, sizeof query, "SELECT %.*s(id) FROM a", (int)len, at);
            snprintf(message, sizeof message, "%.*s is known in Flink SQL, not supported yet", (int)len, at);
            if (strncmp(at, "JSON_OBJECTAGG", len) != 0) // its arguments have a grammar of their own
                assert_refused(query, query + 7, message, NULL);
        } else if (!f) {
            print_error("%.*s is unknown\n", (int)len, at);
            missing++;
        }
        at += len + (at[len] == ' ');
    }
    assert_int_equal(missing, 0);
    assert_refused("SELECT JSON_OBJECTAGG(KEY name VALUE id) FROM a", "JSON_OBJECTAGG",
                   "JSON_OBJECTAGG is known in Flink SQL, not supported yet", NULL);
}

// --- several at once

static void assert_places(const char *query, const char *const *places)
{
    struct sql_faults faults;
    uint32_t count = 0;
    find_faults(query, &faults);
    for (; places[count]; count++) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < faults.count; i++)
            found += !strncmp(query + faults.items[i].offset, places[count], strlen(places[count]));
        if (!found) {
            print_faults(query, &faults);
            fail_msg("nothing at \"%s\"", places[count]);
        }
    }
    if (faults.count != count)
        print_faults(query, &faults);
    assert_int_equal(faults.count, count);
}

static void test_all_refusals_of_a_query_are_told_once(void **state)
{
    assert_places("SELECT a.id, COUNT(*), zz FROM a FULL JOIN b ON a.id = b.id WHERE a.id IN (SELECT id FROM b) "
                  "GROUP BY ROLLUP (a.id) HAVING COUNT(*) > 1 QUALIFY TRUE ORDER BY 1 LIMIT 3",
                  (const char *const[]){"zz", "FULL", "a.id IN", "GROUP BY", "ROLLUP", "HAVING", "QUALIFY", "ORDER",
                                        "LIMIT", NULL});
    assert_places("SELECT x.id FROM (SELECT DISTINCT id FROM a LIMIT 3) AS x JOIN (SELECT id FROM b GROUP BY id) AS y "
                  "ON x.id = y.id JOIN a AS z ON z.id = x.id",
                  (const char *const[]){"SELECT DISTINCT", "LIMIT", "GROUP BY", "a AS z", NULL});
    assert_places("SELECT id FROM a UNION SELECT id FROM b EXCEPT SELECT id FROM a ORDER BY id",
                  (const char *const[]){"UNION", "EXCEPT", "ORDER", NULL});
    assert_places("SELECT a.id FROM a LEFT JOIN b ON a.id = b.id AND a.ts < b.ts AND a.name < b.name",
                  (const char *const[]){"a.ts <", "a.name <", NULL});
    // a query of WITH that is read twice
    assert_places("WITH w AS (SELECT DISTINCT id FROM a) SELECT id FROM w UNION ALL SELECT id FROM w",
                  (const char *const[]){"SELECT DISTINCT", NULL});
}

static void test_what_is_refused_makes_no_more_faults(void **state)
{
    assert_places("SELECT name, id, w.window_start FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' DAY)) AS w",
                  (const char *const[]){"TABLE(", NULL});
    assert_places("SELECT id, name FROM a NATURAL JOIN b", (const char *const[]){"NATURAL", NULL});
    assert_places("SELECT x, y FROM a PIVOT (SUM(id) FOR name IN ('x', 'y'))", (const char *const[]){"PIVOT", NULL});
    assert_places("SELECT e + 1 FROM a CROSS JOIN UNNEST(ARRAY[1]) AS t(e)", (const char *const[]){"UNNEST", NULL});
    assert_places("SELECT a.id, c FROM a, LATERAL (SELECT b.id + a.id AS c FROM b WHERE b.id = a.id)",
                  (const char *const[]){"(SELECT", NULL});
    assert_places("SELECT MAX(id) + 1, SUM(id) / COUNT(*) FROM a GROUP BY name",
                  (const char *const[]){"GROUP BY", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_clauses),
        cmocka_unit_test(test_words_that_are_names),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_all_refusals_of_a_query_are_told_once),
        cmocka_unit_test(test_what_is_refused_makes_no_more_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
