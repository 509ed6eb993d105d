// SPDX-License-Identifier: Apache-2.0
// The lookup's vtable, for plugin.c.
#ifndef JDBC_LOOKUP_H
#define JDBC_LOOKUP_H

#include <leat/lookup.h>

extern const struct leat_lookup_ops jdbc_lookup_ops;

#endif
