// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's text output to cells, one function per form; see types.h for the contract. For types.c and its tests.
#ifndef PGCDC_TYPES_PARSE_H
#define PGCDC_TYPES_PARSE_H

#include "types.h"

#define TYPES_PARSER(name)                                                                                             \
    const char *name(const struct types_column *column, struct leat_batch *b, const uint8_t *ptr, uint32_t len,        \
                     union leat_cell *out)

TYPES_PARSER(types_parse_bool);
TYPES_PARSER(types_parse_int);
TYPES_PARSER(types_parse_float);
TYPES_PARSER(types_parse_double);
TYPES_PARSER(types_parse_numeric);
TYPES_PARSER(types_parse_text);
TYPES_PARSER(types_parse_bytea);
TYPES_PARSER(types_parse_date);
TYPES_PARSER(types_parse_time);
TYPES_PARSER(types_parse_timestamp);
TYPES_PARSER(types_parse_timestamptz);

// What a parser answers when the batch's arena cannot grow; told apart by its address.
extern const char types_no_memory[];

#endif
