// SPDX-License-Identifier: Apache-2.0
// Schemas and modes along every edge: describe and bind, in topological order.
//
// A plan is bound twice where a source's tables are known only when connected: first with what is known, so that the
// check of a file finds what it can and the resources that sinks write are known; then, after discovery, in full. What
// a bind made before is undone first. Where a reader needs every change in full and is given upserts, a normaliser is
// put between.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/schema.h"
#include "graph/bind_int.h"

const char *bind_mode_text(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "inserts only"
           : mode == LEAT_MODE_UPSERT    ? "upserts and deletes by key"
                                         : "every change in full";
}

void *bind_take(struct binder *b, size_t count, size_t size)
{
    void *ptr = base_arena_calloc(b->plan->arena, count ? count : 1, size);
    if (!ptr) {
        b->faults++;
        b->no_memory = 1;
    }
    return ptr;
}

void bind_fault(struct binder *b, const struct graph_node *node, const char *code, const struct graph_ref *ref,
                const char *hint, const char *fmt, ...)
{
    char message[768];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    b->faults++;
    graph_report(b->graph, node, LEAT_DIAG_ERROR, code, ref ? ref->option : NULL, ref ? ref->offset : 0, hint, "%s",
                 message);
    if (b->error && b->error->failure == LEAT_OK) {
        base_fail(b->error, LEAT_CONFIG, code, "%s", message);
        base_error_node(b->error, node->name);
        if (hint)
            base_error_hint(b->error, "%s", hint);
        char where[512] = "";
        if (b->graph->reporter.where)
            b->graph->reporter.where(b->graph->reporter.arg, node, ref ? ref->option : NULL, ref ? ref->offset : 0,
                                     where, sizeof where);
        if (where[0])
            base_error_detail(b->error, "%s", where);
    }
}

void bind_close_ctx(struct binder *b, struct graph_ctx *gc, leat_status st)
{
    graph_ctx_close(gc, st, NULL);
    if (st >= 0 && !gc->reported)
        return;
    b->faults++;
    if (b->error && b->error->failure == LEAT_OK) {
        if (gc->error.message[0])
            *b->error = gc->error;
        else
            base_fail(b->error, LEAT_CONFIG, "LEAT-G0010", "node \"%s\" cannot work with what it is given",
                      gc->node->name);
        b->error->failure = LEAT_CONFIG;
        base_error_node(b->error, gc->node->name);
        if (gc->where[0] && !b->error->detail[0])
            base_error_detail(b->error, "%s", gc->where);
    }
}

void bind_undo(struct plan_node *node)
{
    if (!node->bound)
        return;
    if (node->kind == LEAT_OPERATOR && node->component->op->unbind)
        node->component->op->unbind(node->bound);
    if (node->kind == LEAT_SINK && node->component->sink->unbind)
        node->component->sink->unbind(node->bound);
    node->bound = NULL;
}

// What a source gives that cannot be asked: what it declares, as it seems.
static void assume_declared(struct binder *b, struct plan_node *node)
{
    const struct leat_port port = {.schema = node->graph->declared, .mode = LEAT_MODE_INSERT_ONLY};
    b->plan->complete = 0;
    if (node->graph->declared)
        bind_copy_ports(b, node, &(struct leat_ports){.count = 1, .items = &port, .stride = sizeof port});
    bind_doubt_ports(node, 1);
}

// Noted with the node, so that it can be compared with those of other jobs and files.
static void note_exclusive(struct binder *b, const struct plan_node *node)
{
    struct graph_node *g = &b->graph->nodes[node->graph - b->graph->nodes];
    if (g->exclusive || !node->source_plan.resource || !node->source_plan.exclusive)
        return;
    g->exclusive = base_arena_strdup(b->graph->arena, node->source_plan.resource);
    g->exclusive_option = base_arena_strdup(b->graph->arena, node->source_plan.exclusive);
}

static void describe(struct binder *b, struct plan_node *node)
{
    struct graph_ctx gc;
    if (!node->config || node->graph->no_schema) {
        assume_declared(b, node);
        return;
    }
    graph_ctx_init(&gc, b->graph, node->graph, node->component, "describe");
    node->source_request = (struct leat_source_request){
        .struct_size = sizeof node->source_request, .config = node->config, .declared = node->graph->declared};
    node->source_plan = (struct leat_source_plan){.struct_size = sizeof node->source_plan};
    leat_status st = node->kind == LEAT_LOOKUP
                         ? node->component->lookup->describe(&gc.ctx, &node->source_request, &node->source_plan)
                         : node->component->source->describe(&gc.ctx, &node->source_request, &node->source_plan);
    bind_close_ctx(b, &gc, st);
    if (st < 0 || !bind_check_ports(b, node, &node->source_plan.ports)) {
        assume_declared(b, node);
        return;
    }
    note_exclusive(b, node);
    int known = node->source_plan.ports.count > 0;
    for (uint32_t i = 0; i < node->source_plan.ports.count; i++)
        known = known && leat_ports_get(&node->source_plan.ports, i).schema;
    if (known || !node->graph->broken) // options with faults may tell of other tables than are meant
        bind_copy_ports(b, node, &node->source_plan.ports);
    if (!known) {
        node->foreseen = node->outputs;
        node->foreseen_count = node->output_count;
        node->outputs = NULL;
        node->output_count = 0;
        b->plan->complete = 0;
    }
    bind_doubt_ports(node, node->graph->uncertain);
    if (node->source_plan.resource)
        node->source_plan.resource = base_arena_strdup(b->plan->arena, node->source_plan.resource);
}

static void bind_all(struct binder *b)
{
    // nodes are copied first: normalisers are put between them while we walk
    uint32_t n = b->plan->node_count;
    struct plan_node **nodes = bind_take(b, n, sizeof(struct plan_node *));
    if (!nodes)
        return;
    memcpy(nodes, b->plan->nodes, n * sizeof(struct plan_node *));
    for (uint32_t i = 0; i < n; i++) {
        if (nodes[i]->kind == LEAT_OPERATOR && nodes[i]->config && !nodes[i]->graph->unlinked)
            bind_operator(b, nodes[i]);
        else if (nodes[i]->kind == LEAT_SINK)
            bind_sink(b, nodes[i]);
    }
    if (b->faults || !b->plan->complete)
        return;
    bind_waiting(b);
    if (b->faults)
        return;
    if (!graph_spread(b->graph, b->plan))
        b->faults++;
}

static struct plan_node *add_node(struct binder *b, const struct graph_node *g)
{
    struct plan_node *node = bind_take(b, 1, sizeof *node);
    if (!node)
        return NULL;
    node->name = g->name;
    node->kind = g->kind;
    node->component = g->component;
    node->config = g->config;
    node->formats = g->formats;
    node->format_count = g->format_count;
    node->graph = g;
    node->on_error = g->on_error;
    node->id = b->next_id++;
    node->input_count = g->ref_count;
    node->inputs = bind_take(b, g->ref_count, sizeof(struct plan_edge *));
    node->parallelism = g->parallelism ? g->parallelism : b->graph->parallelism;
    b->plan->nodes[b->plan->node_count++] = node;
    return node->inputs ? node : NULL;
}

static int belongs(const struct graph *graph, const struct graph_node *node, uint32_t job)
{
    if (node->job == job || (job == GRAPH_NO_JOB && node->rest))
        return 1;
    for (uint32_t i = 0; node->kind == LEAT_LOOKUP && i < graph->node_count; i++)
        for (uint32_t k = 0; graph->nodes[i].job == job && k < graph->nodes[i].ref_count; k++)
            if (graph->nodes[i].refs[k].to == node)
                return 1;
    return 0;
}

static void add_nodes(struct binder *b, uint32_t job)
{
    struct graph *graph = b->graph;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (belongs(graph, graph->order[i], job))
            b->plan->node_max += 1 + graph->order[i]->ref_count;
    b->plan->nodes = bind_take(b, b->plan->node_max, sizeof(struct plan_node *));
    for (uint32_t i = 0; i < graph->node_count && !b->no_memory; i++) {
        if (!belongs(graph, graph->order[i], job))
            continue;
        struct plan_node *node = add_node(b, graph->order[i]);
        if (node && node->graph->broken) { // reported; it is looked at, with its readers, as far as that goes
            b->faults++;
            b->plan->complete = 0;
        }
        if (!node || (node->kind != LEAT_SOURCE && node->kind != LEAT_LOOKUP))
            continue;
        describe(b, node);
        uint32_t most = node->source_plan.parallel_max ? node->source_plan.parallel_max : 1;
        node->parallelism = graph_narrow(b->plan, node, node->parallelism, most);
    }
}

struct plan_job *graph_plan(struct graph *graph, uint32_t job, struct base_error *error)
{
    struct base_arena *arena = base_arena_create(0, 0);
    struct plan_job *plan = arena ? base_arena_calloc(arena, 1, sizeof *plan) : NULL;
    if (!plan) {
        base_arena_destroy(arena);
        base_no_memory(error);
        return NULL;
    }
    *plan = (struct plan_job){.arena = arena,
                              .pipeline = graph->pipeline,
                              .name = graph_job_name(graph, job),
                              .graph = graph,
                              .complete = 1,
                              .local_time_zone = graph->local_time_zone};
    struct binder b = {.graph = graph, .plan = plan, .error = error};
    base_error_clear(error);
    add_nodes(&b, job);
    // a source that cannot say what it gives does not hide the faults of others
    if (!b.no_memory)
        bind_all(&b);
    if (!b.no_memory && job != GRAPH_NO_JOB)
        graph_warn(graph, plan);
    if (!b.faults)
        return plan;
    if (b.no_memory)
        base_no_memory(error);
    else if (error->failure == LEAT_OK)
        base_fail(error, LEAT_CONFIG, "LEAT-G0010", "job \"%s\" has faults", plan->name);
    graph_plan_destroy(plan);
    return NULL;
}

// With what they read, whose columns they name.
static void mark_rest(struct graph *graph)
{
    for (uint32_t i = graph->node_count; i-- > 0;) { // readers first
        struct graph_node *node = graph->order[i];
        node->rest |= node->job == GRAPH_NO_JOB;
        for (uint32_t k = 0; node->rest && k < node->ref_count; k++)
            if (node->refs[k].to)
                node->refs[k].to->rest = 1;
    }
}

void graph_check_rest(struct graph *graph)
{
    mark_rest(graph);
    struct base_error error;
    graph_plan_destroy(graph_plan(graph, GRAPH_NO_JOB, &error));
}

// What the first step put between nodes is put there anew, where it is still needed.
static void remove_inserted(struct plan_job *plan)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i]->graph)
            plan->nodes[kept++] = plan->nodes[i];
        else
            bind_undo(plan->nodes[i]);
    }
    plan->node_count = kept;
}

leat_status graph_complete(struct graph *graph, struct plan_job *plan, struct base_error *error)
{
    struct binder b = {.graph = graph, .plan = plan, .error = error};
    base_error_clear(error);
    plan->complete = 1;
    plan->edge_count = 0;
    remove_inserted(plan);
    b.next_id = plan->node_count;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct plan_node *node = plan->nodes[i];
        if (node->kind == LEAT_SOURCE || node->kind == LEAT_LOOKUP)
            bind_copy_ports(&b, node, &node->source_plan.ports);
        else {
            node->output_count = 0;
            node->narrow_because = NULL;
        }
    }
    bind_all(&b);
    if (!b.faults && !plan->complete)
        return base_fail(error, LEAT_BUG, "LEAT-G0018", "the schemas of job \"%s\" are still not known after discovery",
                         plan->name);
    if (b.faults && error->failure == LEAT_OK)
        base_no_memory(error);
    return b.faults ? error->failure : LEAT_OK;
}

void graph_plan_destroy(struct plan_job *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->node_count; i++)
        bind_undo(plan->nodes[i]);
    base_arena_destroy(plan->arena);
}
