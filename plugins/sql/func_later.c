// SPDX-License-Identifier: Apache-2.0
// What Flink SQL has and leat has not yet: recognised, so that the answer is "not supported yet" and not "unknown".
#include "registry.h"

#define LATER(n)                                                                                                       \
    {                                                                                                                  \
        .name = n, .max_args = 255, .flags = SQL_FUNC_LATER                                                            \
    }

static const struct sql_func rows[] = {
    LATER("APPROX_COUNT_DISTINCT"),
    LATER("AVG"),
    LATER("COLLECT"),
    LATER("COUNT"),
    LATER("CUME_DIST"),
    LATER("CUMULATE"),
    LATER("DENSE_RANK"),
    LATER("FIRST_VALUE"),
    LATER("GROUPING"),
    LATER("GROUPING_ID"),
    LATER("HOP"),
    LATER("HOP_END"),
    LATER("HOP_PROCTIME"),
    LATER("HOP_ROWTIME"),
    LATER("HOP_START"),
    LATER("JSON_ARRAYAGG"),
    LATER("MAP_ENTRIES"),
    LATER("PRINT"),
    LATER("JSON_OBJECTAGG"),
    LATER("LAG"),
    LATER("LAST_VALUE"),
    LATER("LEAD"),
    LATER("LISTAGG"),
    LATER("MAX"),
    LATER("MIN"),
    LATER("NTILE"),
    LATER("PERCENT_RANK"),
    LATER("RANK"),
    LATER("ROW_NUMBER"),
    LATER("SESSION"),
    LATER("SESSION_END"),
    LATER("SESSION_PROCTIME"),
    LATER("SESSION_ROWTIME"),
    LATER("SESSION_START"),
    LATER("STDDEV_POP"),
    LATER("STDDEV_SAMP"),
    LATER("SUM"),
    LATER("SUM0"),
    LATER("TUMBLE"),
    LATER("TUMBLE_END"),
    LATER("TUMBLE_PROCTIME"),
    LATER("TUMBLE_ROWTIME"),
    LATER("TUMBLE_START"),
    LATER("VAR_POP"),
    LATER("VAR_SAMP"),
    LATER("VARIANCE"),
    LATER("CURRENT_WATERMARK"),
    LATER("SOURCE_WATERMARK"),
};
const struct sql_func_table sql_later_funcs = SQL_FUNC_TABLE(rows);
