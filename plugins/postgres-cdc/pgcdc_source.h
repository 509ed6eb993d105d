// SPDX-License-Identifier: Apache-2.0
// What plugin.c registers.
#ifndef PGCDC_SOURCE_H
#define PGCDC_SOURCE_H

#include <leat/source.h>

extern const struct leat_source_ops pgcdc_source_ops;

// Rules across options.
leat_status pgcdc_check(struct leat_ctx *ctx, const void *config);

#endif
