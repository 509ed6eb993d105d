// SPDX-License-Identifier: Apache-2.0
// What modes, edges and promises are called. See plan_forms.h.
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/plan_forms.h"
#include "data/schema.h"
#include "typetext.h"

const char *plan_kind_words(uint8_t kind)
{
    return kind == LEAT_SOURCE ? "source" : kind == LEAT_SINK ? "sink" : kind == LEAT_LOOKUP ? "lookup" : "operator";
}

const char *plan_mode_words(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "inserts only"
           : mode == LEAT_MODE_UPSERT    ? "upserts and deletes by key"
           : !mode                       ? "changes"
                                         : "every change in full (before and after)";
}

const char *plan_promise_words(const struct plan_node *sink)
{
    if (sink->sink_plan.guarantee == LEAT_GUARANTEE_NONE)
        return "none: rows may be lost";
    return sink->sink_plan.idempotent ? "effectively once: at least once, and it writes by key"
                                      : "at least once: rows of the last checkpoint may come twice after a failure";
}

static void add_columns(const struct plan_edge *e, const uint32_t *columns, uint32_t count, struct base_str *out)
{
    const struct leat_schema *schema = e->from->outputs[e->port].schema;
    if (schema)
        data_schema_names(schema, columns, count, out);
}

void plan_share_words(const struct plan_edge *e, struct base_str *out)
{
    if (e->lookup)
        base_str_addz(out, "asked by key");
    else if (e->chained)
        base_str_addz(out, "direct call");
    else if (e->share == PLAN_HASH) {
        base_str_addz(out, "shared out by hash of ");
        add_columns(e, e->columns, e->column_count, out);
    } else if (e->share == PLAN_REBALANCE)
        base_str_addz(out, "batches in turn");
    else if (e->to->parallelism == 1 && e->from->parallelism > 1)
        base_str_addz(out, "all instances to the only one");
    else
        base_str_addz(out, "through a channel");
}

void plan_adapt_words(const struct plan_edge *e, struct base_str *out)
{
    if (e->adapt == PLAN_ADAPT_DROP_BEFORE)
        base_str_addz(out, "the rows before an update are dropped: the sink writes by the same key");
    if (e->adapt != PLAN_ADAPT_CONSOLIDATE)
        return;
    base_str_addz(out, "the changes of a transaction are put together by the sink's key,\n");
    add_columns(e, e->key, e->key_count, out);
    base_str_addz(out, ", which is not the key that the rows come by");
}

void plan_type_words(const struct leat_type *type, char *out, size_t size)
{
    if (type->flags & LEAT_TYPE_IS_UNKNOWN)
        snprintf(out, size, "?");
    else
        typetext_print(type, out, size);
}

const struct plan_node *plan_chain_head(const struct plan_node *node)
{
    while (node->input_count && node->inputs[0] && node->inputs[0]->chained)
        node = node->inputs[0]->from;
    return node;
}
