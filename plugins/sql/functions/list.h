// SPDX-License-Identifier: Apache-2.0
// What the files of functions over collections share.
#ifndef SQL_FUNC_LIST_H
#define SQL_FUNC_LIST_H

#include "expr/expr.h"

// Are two elements the same? NULL is the same as NULL.
int sql_datum_same(const struct leat_type *t, const struct leat_datum *a, const struct leat_datum *b);

// Where a key stands among key, value, key, value …: an even index, or `count`.
uint32_t sql_map_find(const struct leat_type *key_type, const struct leat_datum *items, uint32_t count,
                      const struct leat_datum *key);

#endif
