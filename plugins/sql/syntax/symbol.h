// SPDX-License-Identifier: Apache-2.0
// Words of the grammar that mean something to a function: units and sides among the arguments (SQL_NODE_SYMBOL), and
// the clauses behind the arguments of the JSON functions.
#ifndef SQL_SYMBOL_H
#define SQL_SYMBOL_H

#include <stdint.h>

// What a JSON function does on empty or error.
#define SQL_JSON_UNSET        0
#define SQL_JSON_NULL         1
#define SQL_JSON_ERROR        2
#define SQL_JSON_DEFAULT      3 // the expression
#define SQL_JSON_EMPTY_ARRAY  4
#define SQL_JSON_EMPTY_OBJECT 5
#define SQL_JSON_TRUE         6
#define SQL_JSON_FALSE        7
#define SQL_JSON_UNKNOWN      8
#define SQL_JSON_ABSENT       9 // ABSENT ON NULL

// Wrappers of JSON_QUERY.
#define SQL_JSON_WITHOUT     0
#define SQL_JSON_CONDITIONAL 1
#define SQL_JSON_WRAP        2 // WITH [UNCONDITIONAL] [ARRAY] WRAPPER

// Symbols, in the order of the units' size where they are units.
enum {
    SQL_SYM_NONE,
    SQL_SYM_NANOSECOND,
    SQL_SYM_MICROSECOND,
    SQL_SYM_MILLISECOND,
    SQL_SYM_SECOND,
    SQL_SYM_MINUTE,
    SQL_SYM_HOUR,
    SQL_SYM_DAY,
    SQL_SYM_WEEK,
    SQL_SYM_MONTH,
    SQL_SYM_QUARTER,
    SQL_SYM_YEAR,
    SQL_SYM_DECADE,
    SQL_SYM_CENTURY,
    SQL_SYM_MILLENNIUM,
    SQL_SYM_DOW,
    SQL_SYM_ISODOW,
    SQL_SYM_DOY,
    SQL_SYM_ISOYEAR,
    SQL_SYM_EPOCH,
    SQL_SYM_FRAC_SECOND, // TIMESTAMPADD's old name of a microsecond
    SQL_SYM_BOTH,
    SQL_SYM_LEADING,
    SQL_SYM_TRAILING,
    SQL_SYM_COUNT
};

// "DAY"; "" for SQL_SYM_NONE.
const char *sql_symbol_name(uint16_t symbol);

#endif
