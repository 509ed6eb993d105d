// SPDX-License-Identifier: Apache-2.0
// What is legal and risky in a plan, or not as its user seems to think. Errors are the binder's; here all runs, and
// `leat check` says what to look at.
#include "base/str.h"
#include "data/schema.h"
#include "graph/graph_int.h"

// A job whose columns are known only when connected is not spread yet; what its components can have is known.
static void narrow_unspread(struct plan_job *plan, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    if (node->kind == LEAT_SINK)
        node->parallelism = graph_narrow(plan, node, g->parallelism, node->sink_plan.parallel_max);
    else if (node->kind == LEAT_OPERATOR)
        node->parallelism = graph_narrow(plan, node, g->parallelism, node->op_plan.parallel_max);
}

static void warn_parallelism(struct graph *graph, struct plan_job *plan, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    struct graph_ref at = {.option = g->parallelism_option};
    if (!plan->complete && g->parallelism)
        narrow_unspread(plan, node);
    if (node->narrow_because)
        graph_report(graph, g, LEAT_DIAG_WARNING, "LEAT-G0027", at.option, 0,
                     "Remove it, or lower it to what it can be; \"leat plan\" shows how many there are.",
                     "\"%s\" cannot have %u instances: %s", g->name, g->parallelism, node->narrow_because);
}

static void warn_promise(struct graph *graph, const struct plan_node *node)
{
    if (node->kind == LEAT_SINK && node->bound && node->sink_plan.guarantee == LEAT_GUARANTEE_NONE)
        graph_report(graph, node->graph, LEAT_DIAG_WARNING, "LEAT-G0028", "sink.delivery-guarantee", 0,
                     "Write at-least-once: a checkpoint then waits until every row is acknowledged.",
                     "sink \"%s\" promises nothing: rows may be lost in a failure, unseen", node->name);
}

// Changes are put together by the sink's key within a transaction, not over all rows that ever came: several rows of one
// sink's key are one in the target. Only where the rows' own key is known can it be said that there may be several.
static void warn_key(struct graph *graph, const struct plan_node *node)
{
    const struct plan_edge *e = node->kind == LEAT_SINK && node->input_count ? node->inputs[0] : NULL;
    const struct leat_schema *schema = e ? e->from->outputs[e->port].schema : NULL;
    if (!schema || e->adapt != PLAN_ADAPT_CONSOLIDATE || !schema->key_count ||
        graph_key_within(schema, e->key, e->key_count))
        return;
    struct base_str text;
    base_str_init(&text);
    base_str_addf(&text, "sink \"%s\" writes by (", node->name);
    data_schema_names(schema, e->key, e->key_count, &text);
    base_str_addz(&text, "), and its rows have the key (");
    data_schema_names(schema, schema->key, schema->key_count, &text);
    base_str_addz(&text,
                  "): of several rows with the same sink key the target holds the last written, and loses it when "
                  "any of them is deleted");
    if (base_str_ok(&text))
        graph_report(graph, node->graph, LEAT_DIAG_WARNING, "LEAT-G0030", "primary-key", 0,
                     "Write by the rows' own key, or by one that includes it. If the sink's key is unique in the "
                     "rows, all is well.",
                     "%s", text.ptr);
    base_str_fini(&text);
}

void graph_warn(struct graph *graph, struct plan_job *plan)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!plan->nodes[i]->graph)
            continue;
        warn_parallelism(graph, plan, plan->nodes[i]);
        warn_promise(graph, plan->nodes[i]);
        warn_key(graph, plan->nodes[i]);
    }
}
