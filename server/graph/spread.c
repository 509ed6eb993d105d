// SPDX-License-Identifier: Apache-2.0
// How many instances a node has, how rows are shared among them, and which nodes call each other directly.
//
// A node runs as wide as what it reads, so that rows keep their order and edges need no sharing. It runs as wide as the
// pipeline's default where it wants rows that belong together in one instance: then the edge hashes. Two nodes are
// chained when the second has no other input and rows go straight from instance to instance.
//
// Before a sink that consolidates, rows keep to one way: parts of a transaction that went through several instances
// would arrive one after the other, and each taken for the whole.
#include "graph/graph_int.h"

static uint32_t upstream_width(const struct plan_node *node)
{
    uint32_t width = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const struct plan_edge *edge = node->inputs[i];
        if (!edge->lookup && edge->from->parallelism > width)
            width = edge->from->parallelism;
    }
    return width ? width : 1;
}

static int wants_hash(const struct plan_node *node)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i]->column_count && !node->inputs[i]->lookup)
            return 1;
    return 0;
}

uint32_t graph_narrow(struct plan_job *plan, struct plan_node *node, uint32_t width, uint32_t most)
{
    if (!most || most >= width)
        return width;
    if (node->graph && node->graph->parallelism > most)
        node->narrow_because =
            most == 1 ? base_arena_sprintf(plan->arena, "\"%s\" works in one instance only", node->component->name)
                      : base_arena_sprintf(plan->arena, "\"%s\" works in at most %u", node->component->name, most);
    return most;
}

// The sink that consolidates what the node gives, at once or further on; NULL = none.
static const struct plan_node *consolidator_on(const struct plan_job *plan, struct plan_node *node)
{
    if (node->visited == plan->visits)
        return NULL;
    node->visited = plan->visits;
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *edge = plan->edges[i];
        if (edge->from != node)
            continue;
        const struct plan_node *found =
            edge->adapt == PLAN_ADAPT_CONSOLIDATE ? edge->to : consolidator_on(plan, edge->to);
        if (found)
            return found;
    }
    return NULL;
}

static const struct plan_node *consolidator(struct plan_job *plan, struct plan_node *node)
{
    plan->visits++;
    return consolidator_on(plan, node);
}

// Rows of a transaction keep to one way up to the sink that puts them together.
static uint32_t keep_together(struct plan_job *plan, struct plan_node *node, const struct plan_node *sink,
                              uint32_t width)
{
    uint32_t most = upstream_width(node);
    if (most >= width)
        return width;
    if (node->graph && node->graph->parallelism > most)
        node->narrow_because = base_arena_sprintf(
            plan->arena, "\"%s\" puts the changes of a transaction together, so they must not part before it",
            sink->name);
    return most;
}

static void choose_width(const struct graph *graph, struct plan_job *plan, struct plan_node *node)
{
    uint32_t asked = node->graph && node->graph->parallelism ? node->graph->parallelism : 0;
    uint32_t width = asked ? asked : upstream_width(node);
    if (node->kind == LEAT_OPERATOR) {
        const struct plan_node *sink = plan->consolidates ? consolidator(plan, node) : NULL;
        if (sink)
            width = keep_together(plan, node, sink, width);
        else if (!asked && wants_hash(node))
            width = graph->parallelism;
        node->parallelism = graph_narrow(plan, node, width, node->op_plan.parallel_max);
    } else if (node->kind == LEAT_SINK) {
        node->parallelism = graph_narrow(plan, node, width, node->sink_plan.parallel_max);
    }
}

static void choose_share(struct plan_edge *edge)
{
    uint32_t from = edge->from->parallelism, to = edge->to->parallelism;
    if (to == 1)
        edge->share = PLAN_FORWARD;
    else if (edge->column_count)
        edge->share = PLAN_HASH;
    else
        edge->share = from == to ? PLAN_FORWARD : PLAN_REBALANCE;
}

static uint32_t stream_inputs(const struct plan_node *node)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->input_count; i++)
        n += !node->inputs[i]->lookup;
    return n;
}

// Every instance that asks a lookup has an instance of it to itself.
static void count_lookups(struct plan_job *plan)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->kind == LEAT_LOOKUP)
            plan->nodes[i]->parallelism = 0;
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (plan->edges[i]->lookup)
            plan->edges[i]->from->parallelism += plan->edges[i]->to->parallelism;
}

int graph_spread(struct graph *graph, struct plan_job *plan)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        choose_width(graph, plan, plan->nodes[i]);
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        struct plan_edge *edge = plan->edges[i];
        choose_share(edge);
        edge->chained = !edge->lookup && edge->share == PLAN_FORWARD &&
                        edge->from->parallelism == edge->to->parallelism && stream_inputs(edge->to) == 1;
    }
    count_lookups(plan);
    return 1;
}
