// SPDX-License-Identifier: Apache-2.0
// Operators: bound with what their inputs give, then connected, normalisers put between where they are needed.
#include "graph/bind_int.h"

leat_status bind_call_operator(struct binder *b, struct plan_node *node, const struct graph_node *asked_by,
                               const struct leat_input *inputs, uint32_t count)
{
    struct graph_ctx gc;
    struct leat_operator_request request = {
        .struct_size = sizeof request,
        .config = node->config,
        .inputs = inputs,
        .input_count = count,
        .local_time_zone = b->graph->local_time_zone,
        .input_stride = sizeof *inputs,
    };
    bind_undo(node);
    node->op_plan = (struct leat_operator_plan){.struct_size = sizeof node->op_plan};
    graph_ctx_init(&gc, b->graph, asked_by, node->component, "bind");
    leat_status st = node->component->op->bind(&gc.ctx, &request, &node->op_plan, &node->bound);
    int doubt = st < 0 || gc.reported;
    bind_close_ctx(b, &gc, st);
    for (uint32_t i = 0; i < count; i++)
        doubt = doubt || !inputs[i].schema;
    if (node->op_plan.ports.count) // one with faults may tell what it can
        bind_copy_ports(b, node, &node->op_plan.ports);
    bind_doubt_ports(node, doubt);
    return st;
}

static void set_need(struct plan_edge *edge, const struct leat_input_need *need)
{
    edge->wait_first = need->wait_first;
    edge->wait_always = need->wait_first && need->wait_always;
    edge->wait_go_on = need->wait_go_on;
    edge->wait_timeout = need->wait_timeout;
    edge->columns = need->partition;
    edge->column_count = need->partition_count;
}

// One input of an operator becomes an edge, with a normaliser where it needs one.
static void connect_operator(struct binder *b, struct plan_node *node, uint32_t input, uint32_t port)
{
    const struct graph_ref *ref = &node->graph->refs[input];
    const struct leat_input_need need = leat_operator_need(&node->op_plan, input);
    struct plan_node *from = bind_node_of(b->plan, ref->to);
    uint8_t mode = from->outputs[port].mode;
    if (need.mode == LEAT_MODE_INSERT_ONLY && mode != LEAT_MODE_INSERT_ONLY) {
        bind_fault(b, node->graph, "LEAT-G0014", ref, NULL, "\"%s\" takes %s here, but \"%s\" gives %s", node->name,
                   bind_mode_text(need.mode), ref->text, bind_mode_text(mode));
        return;
    }
    if (need.mode == LEAT_MODE_ALL && mode == LEAT_MODE_UPSERT) {
        from = bind_normalizer(b, from, port, node, input);
        port = 0;
    }
    struct plan_edge *edge = from ? bind_add_edge(b, from, port, node, input) : NULL;
    if (!edge)
        return;
    edge->lookup = ref->kind == LEAT_INPUT_LOOKUP;
    set_need(edge, &need);
}

void bind_operator(struct binder *b, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    struct leat_input inputs[LEAT_INPUTS_MAX] = {0};
    uint32_t ports[LEAT_INPUTS_MAX];
    int known = 1;
    for (uint32_t i = 0; i < g->ref_count; i++) {
        struct plan_node *from = bind_node_of(b->plan, g->refs[i].to);
        inputs[i] = (struct leat_input){NULL, LEAT_MODE_ALL, g->refs[i].kind};
        ports[i] = UINT32_MAX;
        if (!from || from->output_count == 0) {
            bind_foreseen(b, g, &g->refs[i], from);
            known = 0;
            continue;
        }
        ports[i] = bind_port_of(b, g, &g->refs[i], from);
        if (ports[i] == UINT32_MAX) { // the others are looked at all the same
            known = 0;
            continue;
        }
        inputs[i].schema = from->outputs[ports[i]].schema;
        inputs[i].mode = from->outputs[ports[i]].mode;
        known = known && inputs[i].schema && !from->outputs[ports[i]].uncertain;
    }
    leat_status st = bind_call_operator(b, node, g, inputs, g->ref_count);
    if (st < 0 || !known) {
        bind_doubt_ports(node, 1);
        b->plan->complete = 0;
        return;
    }
    // the binding saw the modes as they come; a normalised input is seen again as it will be
    int normalised = 0;
    for (uint32_t i = 0; i < g->ref_count; i++) {
        if (leat_operator_need(&node->op_plan, i).mode == LEAT_MODE_ALL && inputs[i].mode == LEAT_MODE_UPSERT) {
            inputs[i].mode = LEAT_MODE_ALL;
            normalised = 1;
        }
    }
    uint8_t was_upsert[LEAT_INPUTS_MAX];
    for (uint32_t i = 0; i < g->ref_count; i++)
        was_upsert[i] = bind_node_of(b->plan, g->refs[i].to)->outputs[ports[i]].mode == LEAT_MODE_UPSERT &&
                        inputs[i].mode == LEAT_MODE_ALL;
    if (normalised && bind_call_operator(b, node, g, inputs, g->ref_count) < 0)
        return;
    for (uint32_t i = 0; i < g->ref_count; i++) {
        if (!was_upsert[i]) {
            connect_operator(b, node, i, ports[i]);
            continue;
        }
        struct plan_node *n = bind_normalizer(b, bind_node_of(b->plan, g->refs[i].to), ports[i], node, i);
        struct plan_edge *edge = n ? bind_add_edge(b, n, 0, node, i) : NULL;
        if (edge) {
            const struct leat_input_need need = leat_operator_need(&node->op_plan, i);
            set_need(edge, &need);
        }
    }
}
