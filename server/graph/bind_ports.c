// SPDX-License-Identifier: Apache-2.0
// The ports of a plan's nodes: what a node gives, how sure that is, and which of them a reader means.
#include <stdio.h>
#include <string.h>

#include "data/schema.h"
#include "graph/bind_int.h"

// Broken rules of a plugin are told before anything of its tables is read.
static int refuse(struct binder *b, const struct plan_node *node, const char *where, const char *fault)
{
    bind_fault(b, node->graph, "LEAT-G0031", NULL, "This is a bug of the plugin: report it to its author.",
               "what \"%s\" (%s) says of its outputs breaks the rules of plugins: %s%s", node->name,
               node->component->name, where, fault);
    return 0;
}

int bind_check_ports(struct binder *b, const struct plan_node *node, const struct leat_ports *ports)
{
    if (ports->count && !ports->items)
        return refuse(b, node, "", "there are some, and the list of them is NULL");
    if (ports->count && ports->stride && (ports->stride < LEAT_PORT_SIZE_1_0 || ports->stride % 8))
        return refuse(b, node, "", "the list of them has a stride of no struct leat_port");
    for (uint32_t i = 0; i < ports->count && i < LEAT_PORTS_MAX; i++) {
        const struct leat_port p = leat_ports_get(ports, i);
        uint32_t column = UINT32_MAX;
        const char *fault = p.name.len && !p.name.ptr ? "has a name that is NULL"
                            : p.mode > LEAT_MODE_ALL  ? "has a mode that there is not"
                            : p.schema                ? data_schema_fault(p.schema, &column)
                                                      : NULL;
        char where[64];
        snprintf(where, sizeof where, column == UINT32_MAX ? "output %u " : "output %u, column %u ", i, column);
        if (fault)
            return refuse(b, node, where, fault);
    }
    return 1;
}

void bind_copy_ports(struct binder *b, struct plan_node *node, const struct leat_ports *ports)
{
    node->output_count = 0;
    if (ports->count > LEAT_PORTS_MAX) {
        bind_fault(b, node->graph, "LEAT-G0019", NULL, NULL, "\"%s\" has %u outputs, more than %d", node->name,
                   ports->count, LEAT_PORTS_MAX);
        return;
    }
    if (!bind_check_ports(b, node, ports))
        return;
    node->outputs = bind_take(b, ports->count, sizeof *node->outputs);
    for (uint32_t i = 0; node->outputs && i < ports->count; i++) {
        const struct leat_port p = leat_ports_get(ports, i);
        struct plan_output *out = &node->outputs[i];
        out->name = base_arena_strndup(b->plan->arena, p.name.len ? (const char *)p.name.ptr : "", p.name.len);
        out->mode = p.mode;
        struct leat_schema *copy = p.schema ? data_schema_copy(b->plan->arena, p.schema) : NULL;
        if (!out->name || (p.schema && !copy))
            b->faults++;
        if (copy && node->kind == LEAT_SOURCE) {
            copy->proctime = node->graph->proctime;
            copy->proctime_count = node->graph->proctime_count;
        }
        out->schema = copy;
    }
    node->output_count = ports->count;
}

void bind_doubt_ports(struct plan_node *node, int all)
{
    for (uint32_t i = 0; i < node->output_count; i++) {
        struct plan_output *out = &node->outputs[i];
        out->uncertain |= all != 0;
        for (uint32_t c = 0; out->schema && c < out->schema->column_count; c++)
            out->uncertain |= (out->schema->columns[c].type.flags & LEAT_TYPE_IS_UNKNOWN) != 0;
    }
}

static void no_such_port(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                         const char *name, const struct plan_output *outputs, uint32_t count)
{
    char ports[512] = "", hint[600];
    size_t len = 0;
    for (uint32_t i = 0; i < count && len < sizeof ports; i++)
        len += (size_t)snprintf(ports + len, sizeof ports - len, "%s%s%s%s", i ? ", " : "", name,
                                *outputs[i].name ? "." : "", outputs[i].name);
    snprintf(hint, sizeof hint, "It gives: %s.", ports);
    if (!*ref->port)
        bind_fault(b, reader, "LEAT-G0011", ref, hint, "\"%s\" gives several tables: say which one", name);
    else
        bind_fault(b, reader, "LEAT-G0012", ref, hint, "\"%s\" gives no \"%s\"", name, ref->port);
}

static uint32_t find_port(const struct graph_ref *ref, const struct plan_output *outputs, uint32_t count)
{
    if (!*ref->port && count == 1)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(outputs[i].name, ref->port) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t bind_port_of(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                      const struct plan_node *from)
{
    uint32_t port = find_port(ref, from->outputs, from->output_count);
    if (port == UINT32_MAX)
        no_such_port(b, reader, ref, from->name, from->outputs, from->output_count);
    return port;
}

const struct plan_output *bind_foreseen(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                                        const struct plan_node *from)
{
    if (!from || from->output_count || !from->foreseen_count)
        return NULL;
    uint32_t port = find_port(ref, from->foreseen, from->foreseen_count);
    if (port != UINT32_MAX)
        return &from->foreseen[port];
    if (*ref->port) // without a name: which of the tables are there is not known yet
        no_such_port(b, reader, ref, from->name, from->foreseen, from->foreseen_count);
    return NULL;
}

struct plan_node *bind_node_of(struct plan_job *plan, const struct graph_node *node)
{
    for (uint32_t i = 0; node && i < plan->node_count; i++)
        if (plan->nodes[i]->graph == node)
            return plan->nodes[i];
    return NULL;
}
