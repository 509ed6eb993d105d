// SPDX-License-Identifier: Apache-2.0
// The tables of functions, one per theme; each lives in the file of that name.
#ifndef SQL_REGISTRY_H
#define SQL_REGISTRY_H

#include "expr/expr.h"

extern const struct sql_func_table sql_arith_funcs;
extern const struct sql_func_table sql_compare_funcs;
extern const struct sql_func_table sql_logic_funcs;
extern const struct sql_func_table sql_cond_funcs;
extern const struct sql_func_table sql_like_funcs;
extern const struct sql_func_table sql_regexp_funcs;
extern const struct sql_func_table sql_string_funcs;
extern const struct sql_func_table sql_string_find_funcs;
extern const struct sql_func_table sql_string_meaning_funcs;
extern const struct sql_func_table sql_codec_funcs;
extern const struct sql_func_table sql_math_funcs;
extern const struct sql_func_table sql_round_funcs;
extern const struct sql_func_table sql_time_funcs;
extern const struct sql_func_table sql_time_text_funcs;
extern const struct sql_func_table sql_time_now_funcs;
extern const struct sql_func_table sql_interval_funcs;
extern const struct sql_func_table sql_list_funcs;
extern const struct sql_func_table sql_list_whole_funcs;
extern const struct sql_func_table sql_json_funcs;
extern const struct sql_func_table sql_json_make_funcs;
extern const struct sql_func_table sql_not_yet_funcs;

// What Flink SQL writes for a function of other databases; NULL = it is none of those that are known.
const char *sql_func_elsewhere(struct leat_bytes name);
// Is it one that Flink has since a version after 1.18?
int sql_func_is_later(struct leat_bytes name);

#endif
