// SPDX-License-Identifier: Apache-2.0
// A plan for programs: JSON, and DOT for Graphviz. See plan_forms.h.
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/plan_forms.h"
#include "data/schema.h"

// --- JSON

static json_t *text_json(struct leat_bytes text)
{
    return json_stringn((const char *)text.ptr, text.len);
}

static json_t *columns_json(const struct leat_schema *schema)
{
    json_t *columns = json_array();
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct leat_field *f = &schema->columns[i];
        char type[512];
        plan_type_words(&f->type, type, sizeof type);
        json_t *known = f->type.flags & LEAT_TYPE_IS_UNKNOWN ? json_null() : json_string(type);
        json_array_append_new(columns, json_pack("{s:o, s:o}", "name", text_json(f->name), "type", known));
    }
    return columns;
}

static json_t *names_json(const struct leat_schema *schema, const uint32_t *columns, uint32_t count)
{
    json_t *names = json_array();
    for (uint32_t i = 0; schema && i < count; i++)
        json_array_append_new(names, text_json(schema->columns[columns[i]].name));
    return names;
}

static json_t *port_json(const struct plan_output *out)
{
    json_t *port = json_pack("{s:s, s:s}", "name", out->name, "mode", plan_mode_words(out->mode));
    if (!out->schema) {
        json_object_set_new(port, "columns", json_null()); // known only when connected
        return port;
    }
    json_object_set_new(port, "columns", columns_json(out->schema));
    json_object_set_new(port, "primary_key", names_json(out->schema, out->schema->key, out->schema->key_count));
    return port;
}

static void set_words(json_t *object, const char *name, void (*words)(const struct plan_edge *, struct base_str *),
                      const struct plan_edge *e)
{
    struct base_str text;
    base_str_init(&text);
    words(e, &text);
    if (text.len)
        json_object_set_new(object, name, json_string(text.ptr));
    base_str_fini(&text);
}

static json_t *edge_json(const struct plan_edge *e)
{
    const struct leat_schema *schema = e->from->outputs[e->port].schema;
    json_t *json = json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:b, s:o}", "from", e->from->name, "port",
                             e->from->outputs[e->port].name, "to", e->to->name, "input", (int)e->input, "chained",
                             e->chained, "lookup", e->lookup, "wait_first", e->wait_first, "hash",
                             names_json(schema, e->columns, e->share == PLAN_HASH ? e->column_count : 0));
    set_words(json, "share", plan_share_words, e);
    set_words(json, "adapt", plan_adapt_words, e);
    return json;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static json_t *node_json(const struct plan_job *plan, const struct plan_node *n)
{
    json_t *ports = json_array(), *reads = json_array();
    for (uint32_t i = 0; i < n->output_count; i++)
        json_array_append_new(ports, port_json(&n->outputs[i]));
    for (uint32_t i = 0; n->graph && i < n->graph->ref_count; i++)
        json_array_append_new(reads, json_string(n->graph->refs[i].text));
    json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", n->name, "kind", plan_kind_words(n->kind),
                             "component", n->component->name, "state", n->kind == LEAT_OPERATOR && n->op_plan.has_state,
                             "reads", reads, "ports", ports);
    if (plan->complete) {
        json_object_set_new(json, "parallelism", json_integer(n->parallelism));
        set_text(json, "chain", plan_chain_head(n)->name);
    }
    set_text(json, "inserted_because", n->inserted_because);
    set_text(json, "parallelism_because", n->narrow_because);
    if (n->kind == LEAT_OPERATOR)
        set_text(json, "does", n->op_plan.explain);
    if (n->kind == LEAT_SOURCE || n->kind == LEAT_LOOKUP) {
        set_text(json, "resource", n->source_plan.resource);
        set_text(json, "pattern", n->output_count ? NULL : n->source_plan.name_pattern);
    }
    if (n->kind == LEAT_SINK) {
        set_text(json, "resource", n->sink_plan.resource);
        set_text(json, "writes", plan_mode_words(n->sink_plan.mode));
        set_text(json, "guarantee", plan_promise_words(n));
    }
    return json;
}

json_t *plan_json_job(const struct plan_job *plan)
{
    json_t *nodes = json_array(), *edges = json_array();
    for (uint32_t i = 0; i < plan->node_count; i++)
        json_array_append_new(nodes, node_json(plan, plan->nodes[i]));
    for (uint32_t i = 0; plan->complete && i < plan->edge_count; i++)
        json_array_append_new(edges, edge_json(plan->edges[i]));
    return json_pack("{s:s, s:b, s:o, s:o}", "name", plan->name, "complete", plan->complete, "nodes", nodes, "edges",
                     edges);
}

// --- DOT

// Text of a quoted string; new lines as DOT writes them.
static void print_quoted(const char *text)
{
    printf("\"");
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\");
        if (*p == '\n')
            printf("\\n");
        else
            printf("%c", *p);
    }
    printf("\"");
}

static void print_name(uint32_t pipeline, const char *name)
{
    printf("\"%u/%s\"", pipeline, name);
}

static void print_dot_node(const struct plan_job *plan, uint32_t pipeline, const struct plan_node *n)
{
    char label[400];
    snprintf(label, sizeof label, "%s\n%s%s", n->name, n->component->name,
             n->kind == LEAT_OPERATOR && n->op_plan.has_state ? ", state" : "");
    if (plan->complete && n->parallelism > 1)
        snprintf(label + strlen(label), sizeof label - strlen(label), " ×%u", n->parallelism);
    if (n->kind == LEAT_SINK)
        snprintf(label + strlen(label), sizeof label - strlen(label), "\n%s",
                 n->sink_plan.idempotent ? "effectively once" : plan_promise_words(n));
    printf("    ");
    print_name(pipeline, n->name);
    printf(" [label = ");
    print_quoted(label);
    printf("%s%s];\n",
           n->kind == LEAT_OPERATOR ? ""
           : n->kind == LEAT_LOOKUP ? ", shape = cylinder"
                                    : ", shape = box",
           n->inserted_because ? ", style = dashed" : "");
}

static void print_dot_edge(uint32_t pipeline, const struct plan_edge *e)
{
    struct base_str label;
    base_str_init(&label);
    base_str_addf(&label, "%s%s%s\n", e->from->outputs[e->port].name, *e->from->outputs[e->port].name ? ": " : "",
                  plan_mode_words(e->from->outputs[e->port].mode));
    plan_share_words(e, &label);
    printf("    ");
    print_name(pipeline, e->from->name);
    printf(" -> ");
    print_name(pipeline, e->to->name);
    printf(" [label = ");
    print_quoted(label.ptr);
    printf("%s];\n", e->lookup ? ", style = dotted" : e->chained ? ", penwidth = 2" : "");
    base_str_fini(&label);
}

void plan_dot_job(const struct plan_job *plan, uint32_t pipeline, uint32_t number)
{
    printf("  subgraph cluster_%u_%u {\n    label = ", pipeline, number);
    char label[200];
    snprintf(label, sizeof label, "%s, job %u: %s", plan->pipeline, number + 1, plan->name);
    print_quoted(label);
    printf(";\n");
    for (uint32_t i = 0; i < plan->node_count; i++)
        print_dot_node(plan, pipeline, plan->nodes[i]);
    for (uint32_t i = 0; plan->complete && i < plan->edge_count; i++)
        print_dot_edge(pipeline, plan->edges[i]);
    for (uint32_t i = 0; !plan->complete && i < plan->node_count; i++) {
        for (uint32_t k = 0; plan->nodes[i]->graph && k < plan->nodes[i]->graph->ref_count; k++) {
            printf("    ");
            print_name(pipeline, plan->nodes[i]->graph->refs[k].to->name);
            printf(" -> ");
            print_name(pipeline, plan->nodes[i]->name);
            printf(" [label = ");
            print_quoted(plan->nodes[i]->graph->refs[k].port);
            printf("];\n");
        }
    }
    printf("  }\n");
}
