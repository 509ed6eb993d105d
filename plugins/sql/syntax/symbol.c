// SPDX-License-Identifier: Apache-2.0
// Names of the keywords that stand among arguments; see symbol.h.
#include "syntax/symbol.h"

const char *sql_symbol_name(uint16_t symbol)
{
    static const char *const names[SQL_SYM_COUNT] = {
        [SQL_SYM_NONE] = "",
        [SQL_SYM_NANOSECOND] = "NANOSECOND",
        [SQL_SYM_MICROSECOND] = "MICROSECOND",
        [SQL_SYM_MILLISECOND] = "MILLISECOND",
        [SQL_SYM_SECOND] = "SECOND",
        [SQL_SYM_MINUTE] = "MINUTE",
        [SQL_SYM_HOUR] = "HOUR",
        [SQL_SYM_DAY] = "DAY",
        [SQL_SYM_WEEK] = "WEEK",
        [SQL_SYM_MONTH] = "MONTH",
        [SQL_SYM_QUARTER] = "QUARTER",
        [SQL_SYM_YEAR] = "YEAR",
        [SQL_SYM_DECADE] = "DECADE",
        [SQL_SYM_CENTURY] = "CENTURY",
        [SQL_SYM_MILLENNIUM] = "MILLENNIUM",
        [SQL_SYM_DOW] = "DOW",
        [SQL_SYM_ISODOW] = "ISODOW",
        [SQL_SYM_DOY] = "DOY",
        [SQL_SYM_ISOYEAR] = "ISOYEAR",
        [SQL_SYM_EPOCH] = "EPOCH",
        [SQL_SYM_FRAC_SECOND] = "FRAC_SECOND",
        [SQL_SYM_BOTH] = "BOTH",
        [SQL_SYM_LEADING] = "LEADING",
        [SQL_SYM_TRAILING] = "TRAILING",
    };
    return symbol < SQL_SYM_COUNT ? names[symbol] : "";
}
