// SPDX-License-Identifier: Apache-2.0
// leat plan: the graph as it would run. As text for people, as JSON, or as DOT for a picture.
//
// What a source finds only when it is connected is not known here and said so; the jobs behind it show what can be
// told.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "data/schema.h"

static const char *mode_text(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "inserts only"
           : mode == LEAT_MODE_UPSERT    ? "upserts by key"
           : mode == LEAT_MODE_ALL       ? "every change in full"
                                         : "changes";
}

static const char *kind_text(uint8_t kind)
{
    return kind == LEAT_SOURCE ? "source" : kind == LEAT_SINK ? "sink" : kind == LEAT_LOOKUP ? "lookup" : "operator";
}

static const char *share_text(const struct plan_edge *e)
{
    if (e->lookup)
        return "asked by key";
    if (e->share == PLAN_HASH)
        return "by hash of the key";
    return e->share == PLAN_REBALANCE ? "batches in turn" : e->chained ? "chained" : "straight";
}

static const char *adapt_text(const struct plan_edge *e)
{
    return e->adapt == PLAN_ADAPT_DROP_BEFORE   ? ", -U dropped"
           : e->adapt == PLAN_ADAPT_CONSOLIDATE ? ", consolidated by key, transaction by transaction"
                                                : "";
}

static const char *guarantee_text(const struct plan_node *n)
{
    if (n->sink_plan.guarantee == LEAT_GUARANTEE_NONE)
        return "none: rows may be lost";
    return n->sink_plan.idempotent ? "at least once, effectively once (it writes by key)"
                                   : "at least once: duplicates after a failure";
}

static void schema_text(const struct plan_output *out, char *text, size_t size)
{
    if (out->schema)
        data_schema_print(out->schema, text, size);
    else
        snprintf(text, size, "columns are known only when connected");
}

// --- text
// -----------------------------------------------------------------------------------------------------------------

static void print_lines(const char *label, const char *text)
{
    for (const char *at = text; at && *at;) {
        const char *end = strchr(at, '\n');
        size_t len = end ? (size_t)(end - at) : strlen(at);
        printf("      %-8s %.*s\n", at == text ? label : "", (int)len, at);
        at = end ? end + 1 : NULL;
    }
}

// A node whose inputs are not known yet is shown with the names it reads.
static void print_inputs(const struct plan_job *plan, const struct plan_node *n)
{
    for (uint32_t i = 0; i < n->input_count; i++) {
        const struct plan_edge *e = n->inputs[i];
        if (plan->complete && e)
            printf("      %-8s %s%s%s (%s%s%s)\n", i ? "" : "reads", e->from->name,
                   *e->from->outputs[e->port].name ? "." : "", e->from->outputs[e->port].name, share_text(e),
                   adapt_text(e), e->wait_first ? "; read up to its end before the others" : "");
        else if (n->graph)
            printf("      %-8s %s\n", i ? "" : "reads", n->graph->refs[i].text);
    }
}

static void print_node(const struct plan_job *plan, const struct plan_node *n)
{
    char schema[4096];
    printf("  %-8s %s (%s)", kind_text(n->kind), n->name, n->component->name);
    if (plan->complete && n->parallelism > 1)
        printf(" x%u", n->parallelism);
    printf("\n");
    if (n->inserted_because)
        printf("      %-8s %s\n", "because", n->inserted_because);
    print_inputs(plan, n);
    if (n->kind == LEAT_OPERATOR && n->op_plan.explain)
        print_lines("does", n->op_plan.explain);
    if (n->kind == LEAT_OPERATOR && n->op_plan.has_state)
        printf("      %-8s keyed, kept in memory and in checkpoints\n", "state");
    for (uint32_t i = 0; i < n->output_count; i++) {
        schema_text(&n->outputs[i], schema, sizeof schema);
        printf("      %-8s %s%s%s: %s\n", i ? "" : "gives", n->outputs[i].name, *n->outputs[i].name ? ", " : "",
               mode_text(n->outputs[i].mode), schema);
    }
    if ((n->kind == LEAT_SOURCE || n->kind == LEAT_LOOKUP) && n->output_count == 0)
        printf("      %-8s tables and columns are known only when connected%s%s%s\n", "gives",
               n->source_plan.name_pattern ? " (" : "", n->source_plan.name_pattern ? n->source_plan.name_pattern : "",
               n->source_plan.name_pattern ? ")" : "");
    if (n->kind == LEAT_SINK) {
        printf("      %-8s %s%s%s\n", "writes", mode_text(n->sink_plan.mode), n->sink_plan.resource ? " to " : "",
               n->sink_plan.resource ? n->sink_plan.resource : "");
        printf("      %-8s %s\n", "promise", guarantee_text(n));
    }
}

static void print_job(const struct plan_job *plan, uint32_t number)
{
    printf("\njob %u \"%s\"%s\n", number + 1, plan->name,
           plan->complete ? "" : " (not complete: some columns are known only when connected)");
    for (uint32_t i = 0; i < plan->node_count; i++)
        print_node(plan, plan->nodes[i]);
}

static void print_head(const struct session_pipeline *p)
{
    char interval[BASE_TIME_TEXT];
    base_duration_print(p->options->checkpoint_interval, interval);
    printf("pipeline \"%s\": %u job%s, a checkpoint every %s in %s/%s\n", p->graph->pipeline, p->graph->job_count,
           p->graph->job_count == 1 ? "" : "s", interval, p->options->checkpoint_dir, p->graph->pipeline);
}

// --- JSON and DOT
// ---------------------------------------------------------------------------------------------------------

static json_t *edge_json(const struct plan_edge *e)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "from", e->from->name, "port", e->from->outputs[e->port].name,
                     "to", e->to->name, "share", share_text(e), "chained", e->chained, "wait_first", e->wait_first);
}

static json_t *node_json(const struct plan_node *n)
{
    char schema[4096];
    json_t *ports = json_array();
    for (uint32_t i = 0; i < n->output_count; i++) {
        schema_text(&n->outputs[i], schema, sizeof schema);
        json_array_append_new(ports, json_pack("{s:s, s:s, s:s}", "name", n->outputs[i].name, "mode",
                                               mode_text(n->outputs[i].mode), "schema", schema));
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:i, s:b, s:o}", "name", n->name, "kind", kind_text(n->kind), "component",
                             n->component->name, "parallelism", (int)n->parallelism, "state",
                             n->kind == LEAT_OPERATOR && n->op_plan.has_state, "ports", ports);
    if (n->inserted_because)
        json_object_set_new(json, "inserted_because", json_string(n->inserted_because));
    if (n->kind == LEAT_SINK)
        json_object_set_new(json, "guarantee", json_string(guarantee_text(n)));
    return json;
}

static json_t *job_json(const struct plan_job *plan)
{
    json_t *nodes = json_array(), *edges = json_array();
    for (uint32_t i = 0; i < plan->node_count; i++)
        json_array_append_new(nodes, node_json(plan->nodes[i]));
    for (uint32_t i = 0; plan->complete && i < plan->edge_count; i++)
        json_array_append_new(edges, edge_json(plan->edges[i]));
    return json_pack("{s:s, s:b, s:o, s:o}", "name", plan->name, "complete", plan->complete, "nodes", nodes, "edges",
                     edges);
}

static void print_dot(const struct plan_job *plan, uint32_t number)
{
    printf("  subgraph cluster_%u {\n    label = \"job %s\";\n", number, plan->name);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *n = plan->nodes[i];
        printf("    \"%s\" [label = \"%s\\n%s\"%s];\n", n->name, n->name, n->component->name,
               n->kind == LEAT_OPERATOR ? "" : ", shape = box");
    }
    for (uint32_t i = 0; plan->complete && i < plan->edge_count; i++) {
        const struct plan_edge *e = plan->edges[i];
        printf("    \"%s\" -> \"%s\" [label = \"%s\"];\n", e->from->name, e->to->name,
               mode_text(e->from->outputs[e->port].mode));
    }
    for (uint32_t i = 0; !plan->complete && i < plan->node_count; i++)
        for (uint32_t k = 0; plan->nodes[i]->graph && k < plan->nodes[i]->graph->ref_count; k++)
            printf("    \"%s\" -> \"%s\";\n", plan->nodes[i]->graph->refs[k].to->name, plan->nodes[i]->name);
    printf("  }\n");
}

// --- the verb
// -------------------------------------------------------------------------------------------------------------

enum output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_DOT };

static void show(struct session_pipeline *p, enum output output, json_t *all)
{
    json_t *jobs = output == OUTPUT_JSON ? json_array() : NULL;
    if (output == OUTPUT_TEXT)
        print_head(p);
    for (uint32_t job = 0; job < p->graph->job_count; job++) {
        struct base_error error;
        struct plan_job *plan = graph_plan(p->graph, job, &error);
        if (!plan)
            continue;
        if (output == OUTPUT_TEXT)
            print_job(plan, job);
        else if (output == OUTPUT_DOT)
            print_dot(plan, job);
        else
            json_array_append_new(jobs, job_json(plan));
        graph_plan_destroy(plan);
    }
    if (jobs)
        json_array_append_new(all, json_pack("{s:s, s:o}", "name", p->graph->pipeline, "jobs", jobs));
}

static int run(int argc, char **argv)
{
    enum output output = OUTPUT_TEXT;
    char **files = argv; // what is a file moves to the front
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            output = OUTPUT_JSON;
        else if (strcmp(argv[i], "--dot") == 0)
            output = OUTPUT_DOT;
        else if (argv[i][0] == '-')
            return cli_usage(&cli_plan, "unknown option", argv[i]);
        else
            files[count++] = argv[i];
    }
    struct session s;
    if (!session_open(&s, files, count))
        return EXIT_OUTSIDE;
    if (s.diags.errors) {
        session_report(&s, false);
        session_close(&s);
        return EXIT_CONFIG;
    }
    json_t *all = output == OUTPUT_JSON ? json_array() : NULL;
    if (output == OUTPUT_DOT)
        printf("digraph leat {\n  rankdir = LR;\n");
    for (uint32_t i = 0; i < s.pipeline_count; i++)
        show(&s.pipelines[i], output, all);
    if (output == OUTPUT_DOT)
        printf("}\n");
    if (all) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(all);
    }
    session_close(&s);
    return 0;
}

const struct cli_verb cli_plan = {
    .name = "plan",
    .arguments = "[--json|--dot] [FILE...]",
    .summary = "shows the planned graph: schemas, changelog modes, sharing, state, promises",
    .run = run,
    .help = "Plans the pipelines without connecting and shows each job: its nodes in order, what each reads and gives, "
            "how rows are\n"
            "shared among instances, what was put between two nodes and why, and what each sink promises.\n"
            "\n"
            "  --json   the same for programs\n"
            "  --dot    a graph for Graphviz",
};
