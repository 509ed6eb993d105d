// SPDX-License-Identifier: Apache-2.0
// The operator "normalize": upserts by key in, every change in full out.
//
// It keeps the last row of each key. A change of a known row comes out as -U with the row before and +U with the row
// now, a delete with the whole row that goes. Thread: the home worker.
#ifndef NORMALIZE_H
#define NORMALIZE_H

#include <leat/plugin.h>

// The compiled operator, shared by all instances. `schema` is NULL while the input's columns are not known.
struct normalize_bound {
    const struct leat_schema *schema;
    struct leat_schema out; // the same columns and key
    struct leat_port port;
    struct leat_input_need need;
    uint32_t *rest; // the columns that are not part of the key
    uint32_t rest_count;
    const struct leat_type **key_types;
    uint64_t shape;
    char *explain;
};

extern const struct leat_operator_ops normalize_ops;

leat_status normalize_bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                           struct leat_operator_plan *plan, void **bound);
void normalize_unbind(void *bound);

#endif
