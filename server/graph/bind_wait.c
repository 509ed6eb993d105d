// SPDX-License-Identifier: Apache-2.0
// Edges that are read up to their end before others: a dimension before the rows that are joined with it.
//
// Walks go over a graph in which many ways may lead to one node: each node is passed once a walk (plan->visits).
#include "graph/bind_int.h"

// Sources whose rows an edge waits for are told to catch up.
static void mark_catch_up(struct plan_job *plan, struct plan_node *node)
{
    if (node->visited == plan->visits)
        return;
    node->visited = plan->visits;
    if (node->kind == LEAT_SOURCE)
        node->catch_up = 1;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && !node->inputs[i]->lookup)
            mark_catch_up(plan, node->inputs[i]->from);
}

static int reads_on(const struct plan_job *plan, struct plan_node *node, const struct plan_node *source)
{
    if (node == source)
        return 1;
    if (node->visited == plan->visits)
        return 0;
    node->visited = plan->visits;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && !node->inputs[i]->lookup && reads_on(plan, node->inputs[i]->from, source))
            return 1;
    return 0;
}

static int reads(struct plan_job *plan, struct plan_node *node, const struct plan_node *source)
{
    plan->visits++;
    return reads_on(plan, node, source);
}

// Does a source behind this edge feed another input of its reader too?
static int shares_source(struct plan_job *plan, const struct plan_edge *edge)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *source = plan->nodes[i];
        if (source->kind != LEAT_SOURCE || !reads(plan, edge->from, source))
            continue;
        for (uint32_t k = 0; k < edge->to->input_count; k++) {
            const struct plan_edge *other = edge->to->inputs[k];
            if (other && other != edge && !other->lookup && reads(plan, other->from, source))
                return 1;
        }
    }
    return 0;
}

// A dimension that is asked for its end again and again: its source must be able to, and must not be the one whose rows
// wait for it, since a checkpoint could not pass both then.
static void check_always(struct binder *b, const struct plan_edge *edge)
{
    const struct plan_node *from = edge->from, *to = edge->to;
    if (from->kind != LEAT_SOURCE || !from->component->source->catch_up)
        bind_fault(b, to->graph, "LEAT-G0025", NULL, "Take join.wait = \"start\", or read the topic with upsert-kafka.",
                   "join.wait = \"always\" in \"%s\" wants a source that can be asked for its end, and \"%s\" is none",
                   to->name, from->name);
    else if (shares_source(b->plan, edge))
        bind_fault(
            b, to->graph, "LEAT-G0025", NULL, "Take join.wait = \"start\", or two sources.",
            "join.wait = \"always\" in \"%s\" wants rows and dimension from different sources; \"%s\" gives both",
            to->name, from->name);
}

// What is waited for must be able to come: a source that is held back on one way gives nothing on the other.
void bind_waiting(struct binder *b)
{
    for (uint32_t i = 0; i < b->plan->edge_count; i++) {
        struct plan_edge *edge = b->plan->edges[i];
        if (edge->wait_always)
            check_always(b, edge);
        else if (edge->wait_first && shares_source(b->plan, edge))
            edge->same_source = 1;
        edge->wait_first = edge->wait_first && !edge->same_source;
        b->plan->visits++;
        if (edge->wait_first)
            mark_catch_up(b->plan, edge->from);
    }
}
