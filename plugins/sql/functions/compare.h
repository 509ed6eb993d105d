// SPDX-License-Identifier: Apache-2.0
// The order of two values of one type; also for keyed state and collections.
#ifndef SQL_COMPARE_H
#define SQL_COMPARE_H

#include "leat/types.h"

#define SQL_UNORDERED 2 // NaN with anything; unequal collections

// -1, 0, 1 or SQL_UNORDERED. Both cells are values of type t.
int sql_cell_compare(const struct leat_type *t, const union leat_cell *a, const union leat_cell *b);

#endif
