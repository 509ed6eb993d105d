// SPDX-License-Identifier: Apache-2.0
// The components of the plugin: the operator `sql`, and the source `values` for queries that read nothing.
#ifndef SQL_OPERATOR_H
#define SQL_OPERATOR_H

#include <leat/plugin.h>

#include "diag.h"

struct sql_config {
    const char *query;
};

extern const struct leat_operator_ops sql_operator_ops;
extern const struct leat_source_ops sql_values_ops;

// A fault of the query as a diagnostic of option `query` at its place. Returns LEAT_CONFIG.
leat_status sql_report(struct leat_ctx *ctx, const struct sql_diag *d);

#endif
