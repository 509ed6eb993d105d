// SPDX-License-Identifier: Apache-2.0
// Edges of a plan, and the normaliser that stands on one whose reader needs every change in full and is given upserts.
#include <stdio.h>
#include <string.h>

#include "graph/bind_int.h"

struct plan_edge *bind_add_edge(struct binder *b, struct plan_node *from, uint32_t port, struct plan_node *to,
                                uint32_t input)
{
    struct plan_job *plan = b->plan;
    struct plan_edge **edges = bind_take(b, plan->edge_count + 1, sizeof(struct plan_edge *));
    struct plan_edge *edge = bind_take(b, 1, sizeof *edge);
    if (!edges || !edge)
        return NULL;
    if (plan->edge_count)
        memcpy(edges, plan->edges, plan->edge_count * sizeof(struct plan_edge *));
    *edge = (struct plan_edge){.from = from, .port = port, .to = to, .input = input};
    edges[plan->edge_count++] = edge;
    plan->edges = edges;
    to->inputs[input] = edge;
    if (port < from->output_count)
        from->outputs[port].used = 1;
    return edge;
}

static void insert_before(struct plan_job *plan, struct plan_node *node, struct plan_node *before)
{
    uint32_t at = 0;
    while (plan->nodes[at] != before)
        at++;
    memmove(&plan->nodes[at + 1], &plan->nodes[at], (plan->node_count - at) * sizeof(struct plan_node *));
    plan->nodes[at] = node;
    plan->node_count++;
}

struct plan_node *bind_normalizer(struct binder *b, struct plan_node *from, uint32_t port, struct plan_node *to,
                                  uint32_t input)
{
    if (!b->graph->normalizer) {
        bind_fault(
            b, to->graph, "LEAT-G0013", NULL, "Put normalize.so into the plugin folder.",
            "\"%s\" needs every change in full, \"%s\" gives upserts, and the plugin that could stand between them "
            "is missing",
            to->name, from->name);
        return NULL;
    }
    struct plan_node *n = bind_take(b, 1, sizeof *n);
    char because[256];
    snprintf(because, sizeof because, "\"%s\" needs every change in full and \"%s\" gives upserts by key", to->name,
             from->name);
    if (!n)
        return NULL;
    n->name = base_arena_sprintf(b->plan->arena, "%s/normalize/%u", to->name, input);
    n->inserted_because = base_arena_strdup(b->plan->arena, because);
    n->kind = LEAT_OPERATOR;
    n->component = b->graph->normalizer;
    n->id = b->next_id++;
    n->input_count = 1;
    n->inputs = bind_take(b, 1, sizeof(struct plan_edge *));
    if (!n->name || !n->inputs)
        return NULL;
    insert_before(b->plan, n, to);
    struct leat_input in = {from->outputs[port].schema, from->outputs[port].mode, LEAT_INPUT_STREAM};
    if (bind_call_operator(b, n, to->graph, &in, 1) < 0 || n->output_count == 0)
        return NULL;
    struct plan_edge *edge = bind_add_edge(b, from, port, n, 0);
    if (edge) {
        struct leat_input_need need = leat_operator_need(&n->op_plan, 0);
        edge->columns = need.partition;
        edge->column_count = need.partition_count;
    }
    return edge ? n : NULL;
}
