// SPDX-License-Identifier: Apache-2.0
// Functions of other databases, with what Flink SQL has in their place, and those that later versions of Flink brought:
// hints for names that do not exist.
#include <string.h>
#include <strings.h>

#include "expr/registry.h"

static const struct elsewhere {
    const char *name, *form;
} table[] = {
    {"ADDDATE", "t + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, t)"},
    {"ADD_MONTHS", "t + INTERVAL '1' MONTH, or TIMESTAMPADD(MONTH, n, t)"},
    {"AGE", "TIMESTAMPDIFF(DAY, from, to)"},
    {"ARRAY_LENGTH", "CARDINALITY(a)"},
    {"ARRAY_SIZE", "CARDINALITY(a)"},
    {"ARRAY_TO_STRING", "ARRAY_JOIN(a, separator)"},
    {"BTRIM", "TRIM(BOTH part FROM s)"},
    {"CHARINDEX", "LOCATE(part, s)"},
    {"CLOCK_TIMESTAMP", "CURRENT_TIMESTAMP"},
    {"CONVERT", "CAST(value AS type)"},
    {"CURDATE", "CURRENT_DATE"},
    {"CURTIME", "CURRENT_TIME"},
    {"DATE", "CAST(value AS DATE)"},
    {"DATEADD", "t + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, t)"},
    {"DATEDIFF", "TIMESTAMPDIFF(DAY, from, to)"},
    {"DATEPART", "EXTRACT(DAY FROM t)"},
    {"DATE_ADD", "t + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, t)"},
    {"DATE_DIFF", "TIMESTAMPDIFF(DAY, from, to)"},
    {"DATE_PART", "EXTRACT(DAY FROM t)"},
    {"DATE_SUB", "t - INTERVAL '1' DAY, or TIMESTAMPADD(DAY, -n, t)"},
    {"DATE_TRUNC", "FLOOR(t TO DAY)"},
    {"ENDSWITH", "s LIKE '%part'"},
    {"GEN_RANDOM_UUID", "UUID()"},
    {"GETDATE", "CURRENT_TIMESTAMP"},
    {"GET_JSON_OBJECT", "JSON_VALUE(text, '$.name')"},
    {"IIF", "IF(condition, a, b)"},
    {"ISNULL", "value IS NULL, or COALESCE(a, b)"},
    {"JSONB_BUILD_OBJECT", "JSON_OBJECT(KEY 'name' VALUE value)"},
    {"JSON_BUILD_ARRAY", "JSON_ARRAY(a, b)"},
    {"JSON_BUILD_OBJECT", "JSON_OBJECT(KEY 'name' VALUE value)"},
    {"JSON_EXTRACT", "JSON_VALUE(text, '$.name'), or JSON_QUERY for a part of the document"},
    {"JSON_EXTRACT_PATH_TEXT", "JSON_VALUE(text, '$.name')"},
    {"JSON_EXTRACT_SCALAR", "JSON_VALUE(text, '$.name')"},
    {"JSON_UNQUOTE", "JSON_VALUE(text, '$.name')"},
    {"LCASE", "LOWER(s)"},
    {"LEN", "CHAR_LENGTH(s)"},
    {"LENGTH", "CHAR_LENGTH(s)"},
    {"MID", "SUBSTRING(s, from, length)"},
    {"NEWID", "UUID()"},
    {"NVL", "COALESCE(a, b)"},
    {"NVL2", "IF(value IS NOT NULL, a, b)"},
    {"POW", "POWER(a, b)"},
    {"RANDOM", "RAND()"},
    {"REGEXP_LIKE", "REGEXP(s, pattern)"},
    {"REGEXP_MATCH", "REGEXP_EXTRACT(s, pattern, group)"},
    {"REGEXP_MATCHES", "REGEXP(s, pattern), or REGEXP_EXTRACT(s, pattern, group)"},
    {"REGEXP_SUBSTR", "REGEXP_EXTRACT(s, pattern, 0)"},
    {"SAFE_CAST", "TRY_CAST(value AS type)"},
    {"SPLIT", "SPLIT_INDEX(s, separator, n) for one part, counted from 0"},
    {"SPLIT_PART", "SPLIT_INDEX(s, separator, n - 1): parts are counted from 0"},
    {"STARTSWITH", "s LIKE 'part%'"},
    {"STRFTIME", "DATE_FORMAT(t, 'yyyy-MM-dd')"},
    {"STRPOS", "LOCATE(part, s)"},
    {"STR_TO_DATE", "TO_DATE(s, 'yyyy-MM-dd'), or TO_TIMESTAMP(s, 'yyyy-MM-dd HH:mm:ss')"},
    {"SUBDATE", "t - INTERVAL '1' DAY, or TIMESTAMPADD(DAY, -n, t)"},
    {"SYSDATE", "CURRENT_TIMESTAMP"},
    {"TO_CHAR", "DATE_FORMAT(t, 'yyyy-MM-dd') for times, CAST(value AS STRING) for the rest"},
    {"TO_NUMBER", "CAST(s AS DECIMAL(p, s))"},
    {"TO_UNIXTIME", "UNIX_TIMESTAMP(s)"},
    {"TRUNC", "TRUNCATE(number, digits), or FLOOR(t TO DAY) for times"},
    {"TRY_CONVERT", "TRY_CAST(value AS type)"},
    {"UCASE", "UPPER(s)"},
    {"UUID_GENERATE_V4", "UUID()"},
    {"ZEROIFNULL", "COALESCE(number, 0)"},
};

// Of Flink 1.19 and later, as far as no other form stands above.
static const char *const later[] = {
    "ARRAY_AGG",     "ARRAY_APPEND", "ARRAY_EXCEPT", "ARRAY_INTERSECT",    "ARRAY_MIN",
    "ARRAY_PREPEND", "ARRAY_SORT",   "ELT",          "JSON_QUOTE",         "MAP_UNION",
    "PERCENTILE",    "PRINTF",       "REGEXP_COUNT", "REGEXP_EXTRACT_ALL", "REGEXP_INSTR",
    "TRANSLATE",     "UNHEX",        "URL_DECODE",   "URL_ENCODE",
};

static int is_name(const char *a, struct leat_bytes b)
{
    return strlen(a) == b.len && !strncasecmp(a, (const char *)b.ptr, b.len);
}

const char *sql_func_elsewhere(struct leat_bytes name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (is_name(table[i].name, name))
            return table[i].form;
    return NULL;
}

int sql_func_is_later(struct leat_bytes name)
{
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (is_name(later[i], name))
            return 1;
    return 0;
}
