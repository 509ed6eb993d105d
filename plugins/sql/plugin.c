// SPDX-License-Identifier: Apache-2.0
// The plugin `sql`: options, components and codes; no logic.
#include <leat/plugin.h>

#include "operator.h"

static const struct leat_option options[] = {
    {.name = "query",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED | LEAT_OPT_VERBATIM,
     .offset = offsetof(struct sql_config, query),
     .doc = "A query in Flink SQL's dialect. The names in FROM are the names of sources and operators.",
     .example = "\"SELECT order_id, UPPER(product) AS product FROM orders WHERE amount > 0\""},
    {.name = "join.wait",
     .type = LEAT_OPT_ENUM,
     .words = "start|always",
     .def = "start",
     .offset = offsetof(struct sql_config, wait),
     .group = "Joins",
     .doc =
         "start: the side that is a dimension is read up to its end before rows of the other side are taken. always: "
         "and again up to its end of the moment at which a batch of the other side has arrived."},
    {.name = "join.wait-timeout",
     .type = LEAT_OPT_DURATION,
     .min = "0s",
     .def = "0s",
     .offset = offsetof(struct sql_config, wait_timeout),
     .group = "Joins",
     .doc = "How long either kind of waiting may take. 0 = as long as it takes.",
     .example = "\"30s\""},
    {.name = "join.wait-on-timeout",
     .type = LEAT_OPT_ENUM,
     .words = "fail|go-on",
     .def = "fail",
     .offset = offsetof(struct sql_config, wait_on_timeout),
     .group = "Joins",
     .doc = "fail: the job fails, with both positions. go-on: the rows are joined without what is not read yet, and a "
            "warning says so."},
};

static const struct leat_option values_options[] = {
    {.name = "query",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED | LEAT_OPT_VERBATIM,
     .offset = offsetof(struct sql_config, query),
     .doc = "VALUES, or a SELECT without FROM. Its rows are given once.",
     .example = "\"VALUES (1, 'a'), (2, 'b')\""},
};

static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_OPERATOR,
     .name = "sql",
     .summary = "a query in Flink SQL's dialect: projection, filter, inner, left and right equi-joins, UNION ALL",
     .options = options,
     .option_count = sizeof options / sizeof options[0],
     .option_stride = sizeof options[0],
     .config_size = sizeof(struct sql_config),
     .op = &sql_operator_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_SOURCE,
     .name = "values",
     .summary = "the rows of VALUES or of a SELECT without FROM, once",
     .options = values_options,
     .option_count = sizeof values_options / sizeof values_options[0],
     .option_stride = sizeof values_options[0],
     .config_size = sizeof(struct sql_config),
     .source = &sql_values_ops},
};

static const struct leat_code codes[] = {
    {"LEAT-S0101", "The query is not written as Flink SQL's grammar wants it.", "Mend it at the place shown."},
    {"LEAT-S0102", "The query names a table, a column or a function that does not exist, or more than one.",
     "Use one of the names shown, or say which table is meant."},
    {"LEAT-S0103", "An operator or a function is given values of types that it does not take.",
     "Cast the value: CAST(value AS type)."},
    {"LEAT-S0104", "The query uses something that Flink SQL has and leat has not yet, or has elsewhere.",
     "Write the query without it, or do what the hint says."},
    {"LEAT-S0105", "The query is too long or nested too deeply.", "Split it into several operators."},
    {"LEAT-S0201", "A value of a row cannot be computed: a division by zero, a cast that does not fit, an overflow.",
     "Mend the row or the query, or let on-error skip such rows."},
    {"LEAT-S0202", "A changed row came without a value that the query needs, because the database did not send it.",
     "Have the source fetch such values: unchanged.toast = \"reselect\"."},
    {"LEAT-S0301",
     "The saved state does not belong to this query: it was written by another version of leat, or the keys or columns "
     "of "
     "the join were changed since.",
     "Put the query back as it was. To begin anew with the changed query, give the operator another name: a join then "
     "knows only the rows that come from now on, unless its sources are read from their beginning."},
};

LEAT_PLUGIN("sql", "0.1.0", "operator:sql,source:values", components, codes, sizeof codes / sizeof codes[0])
