// SPDX-License-Identifier: Apache-2.0
// The components of the plugin: the operator `sql`, and the source `values` for queries that read nothing.
#ifndef SQL_OPERATOR_H
#define SQL_OPERATOR_H

#include <leat/plugin.h>

#include "base/diag.h"

struct sql_config {
    const char *query;
    // of the operator only
    int32_t wait; // SQL_WAIT_*
    int64_t wait_timeout;
    int32_t wait_on_timeout; // SQL_TIMEOUT_*
};

enum { SQL_WAIT_START, SQL_WAIT_ALWAYS };
enum { SQL_TIMEOUT_FAIL, SQL_TIMEOUT_GO_ON };

extern const struct leat_operator_ops sql_operator_ops;
extern const struct leat_source_ops sql_values_ops;

// A fault of the query as a diagnostic of option `query` at its place. Returns LEAT_CONFIG.
leat_status sql_report(struct leat_ctx *ctx, const struct sql_diag *d);
// Every fault that was found, at least one; the first is the error. Returns LEAT_CONFIG.
leat_status sql_report_all(struct leat_ctx *ctx, const struct sql_faults *faults);

#endif
