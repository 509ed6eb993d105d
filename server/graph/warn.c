// SPDX-License-Identifier: Apache-2.0
// What is legal and risky in a plan, or not as its user seems to think. Errors are the binder's; here all runs, and
// `leat check` says what to look at.
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

void graph_warn(struct graph *graph, struct plan_job *plan)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!plan->nodes[i]->graph)
            continue;
        warn_parallelism(graph, plan, plan->nodes[i]);
        warn_promise(graph, plan->nodes[i]);
    }
}
