// SPDX-License-Identifier: Apache-2.0
// The order of two values of one type, and what collections make of it.
#ifndef SQL_COMPARE_H
#define SQL_COMPARE_H

#include "leat/types.h"

#define SQL_UNORDERED 2 // NaN with anything; unequal collections

// -1, 0, 1 or SQL_UNORDERED. Both cells are values of type t.
int sql_cell_compare(const struct leat_type *t, const union leat_cell *a, const union leat_cell *b);

// Are two elements the same? NULL is the same as NULL.
int sql_datum_same(const struct leat_type *t, const struct leat_datum *a, const struct leat_datum *b);

// Where a key stands among key, value, key, value …: an even index, or `count`.
uint32_t sql_map_find(const struct leat_type *key_type, const struct leat_datum *items, uint32_t count,
                      const struct leat_datum *key);

#endif
