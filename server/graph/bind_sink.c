// SPDX-License-Identifier: Apache-2.0
// Sinks: their key, what they are given and what they want, and what the edge does to make the one the other.
#include <stdio.h>
#include <string.h>

#include "data/schema.h"
#include "graph/bind_int.h"

// A column that was meant for something, but what? Its name is empty then, and it may be any that is looked for.
static int has_nameless(const struct leat_schema *schema)
{
    for (uint32_t i = 0; i < schema->column_count; i++)
        if (schema->columns[i].name.len == 0)
            return 1;
    return 0;
}

// The sink's key as positions: its primary-key option, else the key of what it reads.
static const uint32_t *sink_key(struct binder *b, const struct plan_node *node, const struct leat_schema *schema,
                                uint32_t *count)
{
    const struct graph_node *g = node->graph;
    if (g->primary_key_count == 0) {
        *count = schema->key_count;
        return schema->key;
    }
    uint32_t *key = bind_take(b, g->primary_key_count, sizeof *key);
    *count = key ? g->primary_key_count : 0;
    for (uint32_t i = 0; i < *count; i++) {
        const char *name = g->primary_key[i];
        key[i] = leat_schema_find(schema, (struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)});
        if (key[i] == UINT32_MAX && has_nameless(schema)) {
            *count = 0;
            return NULL;
        }
        if (key[i] == UINT32_MAX) {
            char columns[512], hint[600];
            data_schema_print(schema, columns, sizeof columns);
            snprintf(hint, sizeof hint, "The columns are: %s.", columns);
            struct graph_ref at = {.option = "primary-key"};
            bind_fault(b, g, "LEAT-G0015", &at, hint, "the input of sink \"%s\" has no column \"%s\"", g->name, name);
            *count = 0;
            return NULL;
        }
    }
    return key;
}

int graph_key_within(const struct leat_schema *schema, const uint32_t *columns, uint32_t count)
{
    for (uint32_t i = 0; i < schema->key_count; i++) {
        int found = 0;
        for (uint32_t k = 0; k < count; k++)
            found = found || columns[k] == schema->key[i];
        if (!found)
            return 0;
    }
    return 1;
}

static int same_key(const struct leat_schema *schema, const uint32_t *key, uint32_t count)
{
    return count == schema->key_count && graph_key_within(schema, key, count);
}

static enum plan_adapt choose_adapt(uint8_t wanted, uint8_t given, const struct leat_schema *schema,
                                    const uint32_t *key, uint32_t count)
{
    if (wanted != LEAT_MODE_UPSERT || given != LEAT_MODE_ALL)
        return PLAN_ADAPT_NONE;
    if (same_key(schema, key, count) && (schema->flags & LEAT_SCHEMA_KEY_IMMEDIATE))
        return PLAN_ADAPT_DROP_BEFORE;
    return PLAN_ADAPT_CONSOLIDATE;
}

// Before it is connected a source may know that it gives changes, though not yet in which form.
static void refuse_changes(struct binder *b, const struct plan_node *node, const struct plan_output *foreseen)
{
    if (node->sink_plan.mode != LEAT_MODE_INSERT_ONLY ||
        (foreseen->mode != LEAT_MODE_UPSERT && foreseen->mode != LEAT_MODE_ALL))
        return;
    const struct graph_ref *ref = &node->graph->refs[0];
    bind_fault(b, node->graph, "LEAT-G0016", ref,
               "Use a sink that can write updates and deletes by key (upsert-kafka, jdbc).",
               "sink \"%s\" (%s) takes %s, but \"%s\" gives updates and deletes too", node->name, node->component->name,
               bind_mode_text(LEAT_MODE_INSERT_ONLY), ref->text);
}

static void connect_sink(struct binder *b, struct plan_node *node, struct plan_node *from, uint32_t port,
                         const uint32_t *key, uint32_t key_count)
{
    const struct graph_ref *ref = &node->graph->refs[0];
    const struct leat_schema *schema = from->outputs[port].schema;
    uint8_t wanted = node->sink_plan.mode, given = from->outputs[port].mode;
    if (wanted == LEAT_MODE_INSERT_ONLY && given != LEAT_MODE_INSERT_ONLY) {
        bind_fault(b, node->graph, "LEAT-G0016", ref,
                   "Use a sink that can write updates and deletes by key (upsert-kafka, jdbc).",
                   "sink \"%s\" (%s) takes %s, but \"%s\" gives %s", node->name, node->component->name,
                   bind_mode_text(wanted), ref->text, bind_mode_text(given));
        return;
    }
    if (wanted == LEAT_MODE_UPSERT && given != LEAT_MODE_INSERT_ONLY && key_count == 0) {
        bind_fault(b, node->graph, "LEAT-G0017", ref, "Write primary-key = [\"…\"] in the sink.",
                   "sink \"%s\" writes by key and has none: neither a primary-key option nor a key of \"%s\"",
                   node->name, ref->text);
        return;
    }
    int full = wanted == LEAT_MODE_ALL || (wanted == LEAT_MODE_UPSERT && !same_key(schema, key, key_count));
    if (given == LEAT_MODE_UPSERT && full) {
        from = bind_normalizer(b, from, port, node, 0);
        if (!from)
            return;
        port = 0;
        schema = from->outputs[0].schema;
        given = from->outputs[0].mode;
    }
    struct plan_edge *edge = bind_add_edge(b, from, port, node, 0);
    if (!edge)
        return;
    edge->key = key;
    edge->key_count = key_count;
    edge->adapt = choose_adapt(wanted, given, schema, key, key_count);
    if (edge->adapt == PLAN_ADAPT_CONSOLIDATE)
        b->plan->consolidates = 1;
    if (node->sink_plan.partition_by_key) {
        edge->columns = key;
        edge->column_count = key_count;
    }
}

// What is not sure may still have names of columns, for which the sink is asked; kinds of changes and a key that are not
// known are taken for what no sink objects to.
static void suppose_input(const struct leat_schema *schema, const struct plan_output *foreseen,
                          struct leat_sink_request *request)
{
    static const uint32_t first[1];
    if (!schema || has_nameless(schema) || !schema->column_count) {
        request->key = foreseen ? first : NULL; // what gives changes will most likely have a key
        request->key_count = foreseen ? 1 : 0;
        return;
    }
    request->schema = schema;
    request->mode = LEAT_MODE_INSERT_ONLY;
    if (!request->key || !request->key_count) {
        request->key = first;
        request->key_count = 1;
    }
}

void bind_sink(struct binder *b, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    struct plan_node *from = g->ref_count ? bind_node_of(b->plan, g->refs[0].to) : NULL;
    uint32_t port = from && from->output_count ? bind_port_of(b, g, &g->refs[0], from) : UINT32_MAX;
    const struct plan_output *foreseen = g->ref_count ? bind_foreseen(b, g, &g->refs[0], from) : NULL;
    const struct leat_schema *schema = port == UINT32_MAX ? NULL : from->outputs[port].schema;
    struct leat_sink_request request = {
        .struct_size = sizeof request,
        .config = g->config,
        .primary_key = g->primary_key,
        .primary_key_count = g->primary_key_count,
        .input = g->ref_count ? g->refs[0].text : "",
    };
    uint32_t faults = b->faults;
    if (schema)
        request.key = sink_key(b, node, schema, &request.key_count);
    int sure = schema && b->faults == faults && !g->uncertain && !from->outputs[port].uncertain;
    if (sure) {
        request.schema = schema;
        request.mode = from->outputs[port].mode;
    } else {
        b->plan->complete = 0;
        suppose_input(schema, foreseen, &request);
    }
    if (!g->config)
        return;
    struct graph_ctx gc;
    bind_undo(node);
    node->sink_plan = (struct leat_sink_plan){.struct_size = sizeof node->sink_plan};
    graph_ctx_init(&gc, b->graph, g, g->component, "bind");
    gc.supposed = sure ? NULL : request.schema;
    leat_status st = g->component->sink->bind(&gc.ctx, &request, &node->sink_plan, &node->bound);
    bind_close_ctx(b, &gc, st);
    if (st < 0)
        return;
    if (sure)
        connect_sink(b, node, from, port, request.key, request.key_count);
    else if (foreseen)
        refuse_changes(b, node, foreseen);
}
