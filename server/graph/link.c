// SPDX-License-Identifier: Apache-2.0
// Names to nodes: who reads whom, in which order, and which nodes make a job together.
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "graph/graph_int.h"

static struct graph_node *find(struct graph *graph, const char *name, size_t len)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (strlen(graph->nodes[i].name) == len && memcmp(graph->nodes[i].name, name, len) == 0)
            return &graph->nodes[i];
    return NULL;
}

static const char *nearest(struct graph *graph, const char *name, size_t len)
{
    const char **words = base_arena_calloc(graph->arena, graph->node_count + 1, sizeof *words);
    const char *word = graph_strndup(graph, name, len);
    uint32_t n = 0;
    if (!words || !word)
        return NULL;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].kind != LEAT_SINK)
            words[n++] = graph->nodes[i].name;
    return base_nearest(word, words);
}

// Nobody has the name; whoever has the nearest one is looked at as if it were meant.
static void refuse_unknown(struct graph *graph, struct graph_node *node, struct graph_ref *ref, size_t len)
{
    const char *near = graph->nodes_missing ? NULL : nearest(graph, ref->text, len);
    char hint[256];
    snprintf(hint, sizeof hint, "Did you mean \"%s\"?", near ? near : "");
    if (!graph->nodes_missing)
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0001", ref->option, ref->offset, near ? hint : NULL,
                     "unknown node \"%.*s\": no source, operator or lookup has this name", (int)len, ref->text);
    ref->to = near ? find(graph, near, strlen(near)) : NULL;
    graph->incomplete |= !ref->to; // whoever is meant
}

// May the node be read in this way? If not it is told, and the reference leads nowhere.
static int may_read(struct graph *graph, struct graph_node *node, struct graph_ref *ref)
{
    if (ref->to->kind == LEAT_SINK) {
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0002", ref->option, ref->offset,
                     "Read what the sink reads, or add a source that reads what it writes.",
                     "\"%s\" is a sink and cannot be read", ref->to->name);
        ref->to = NULL;
        graph->incomplete = 1;
        return 0;
    }
    if (ref->to->kind == LEAT_LOOKUP && ref->kind == LEAT_INPUT_STREAM) {
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0003", ref->option, ref->offset,
                     "Join it: JOIN … FOR SYSTEM_TIME AS OF PROCTIME() AS … ON …; or read the table with a source.",
                     "\"%s\" is a lookup: it is asked by key and cannot be read as a stream", ref->to->name);
        ref->to = NULL;
        graph->incomplete = 1; // it may have been meant to read what nothing else reads
        return 0;
    }
    if (ref->to->kind != LEAT_LOOKUP && ref->kind == LEAT_INPUT_LOOKUP) {
        graph_report(
            graph, node, LEAT_DIAG_ERROR, "LEAT-G0024", ref->option, ref->offset,
            "Declare it as [lookups.…], or join it without FOR SYSTEM_TIME AS OF: that joins what is newest on both "
            "sides. Joining a stream as of a time of the row is known in Flink SQL, not supported yet.",
            "\"%s\" is no lookup: only a lookup is joined by FOR SYSTEM_TIME AS OF", ref->to->name);
        return 0;
    }
    return 1;
}

// Back-quotes around parts of the port's name are only a way of writing. NULL: no memory.
static char *port_of(struct graph *graph, const char *text)
{
    char *port = base_arena_alloc(graph->arena, strlen(text) + 1);
    size_t n = 0;
    if (!port)
        return NULL;
    for (; *text; text++)
        if (*text != '`')
            port[n++] = *text;
    port[n] = 0;
    return port;
}

// "node" or "node.port"; the port may hold dots and back-quotes ("pg.business.`Order`").
static int resolve(struct graph *graph, struct graph_node *node, struct graph_ref *ref)
{
    const char *dot = strchr(ref->text, '.');
    size_t len = dot ? (size_t)(dot - ref->text) : strlen(ref->text);
    // a whole name comes first: only hidden nodes (files of leat sql) have dots in theirs
    ref->to = find(graph, ref->text, strlen(ref->text));
    if (ref->to)
        dot = NULL;
    else
        ref->to = find(graph, ref->text, len);
    int known = ref->to != NULL;
    if (!known)
        refuse_unknown(graph, node, ref, len);
    if (!ref->to || !may_read(graph, node, ref) || !(ref->port = port_of(graph, dot ? dot + 1 : "")))
        return 0;
    ref->to->readers++;
    return known;
}

int graph_node_inputs(struct graph *graph, struct graph_node *node, struct leat_input_names *names)
{
    struct graph_ctx gc;
    graph_ctx_init(&gc, graph, node, node->component, "inputs");
    leat_status st = node->component->op->inputs(&gc.ctx, node->config, names);
    graph_ctx_close(&gc, st, NULL);
    return st >= 0;
}

// Broken rules of a plugin.
static int check_names(struct graph *graph, const struct graph_node *node, const struct leat_input_names *names)
{
    const char *fault = names->count && !names->items ? "there are some, and the list of them is NULL" : NULL;
    if (!fault && names->count && names->stride && names->stride < LEAT_INPUT_NAME_SIZE_1_0)
        fault = "the list of them has a stride of no struct leat_input_name";
    for (uint32_t i = 0; i < names->count && !fault; i++) {
        const struct leat_input_name in = leat_input_names_get(names, i);
        fault = !in.name.ptr ? "one has a name that is NULL" : NULL;
    }
    if (fault)
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0031", NULL, 0,
                     "This is a bug of the plugin: report it to its author.",
                     "what \"%s\" (%s) says of its inputs breaks the rules of plugins: %s", node->name,
                     node->component->name, fault);
    return !fault;
}

static int link_operator(struct graph *graph, struct graph_node *node)
{
    struct leat_input_names names = {0};
    if (!graph_node_inputs(graph, node, &names))
        return 0;
    if (names.count > LEAT_INPUTS_MAX) {
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0004", NULL, 0, NULL, "a node reads at most %d names",
                     LEAT_INPUTS_MAX);
        return 0;
    }
    if (!check_names(graph, node, &names))
        return 0;
    node->refs = base_arena_calloc(graph->arena, names.count + 1, sizeof *node->refs);
    if (!node->refs)
        return 0;
    node->ref_count = names.count;
    int ok = 1;
    for (uint32_t i = 0; i < names.count; i++) {
        const struct leat_input_name in = leat_input_names_get(&names, i);
        node->refs[i] = (struct graph_ref){.text = graph_strndup(graph, (const char *)in.name.ptr, in.name.len),
                                           .option = in.option,
                                           .offset = in.offset,
                                           .kind = in.kind};
        ok = node->refs[i].text && resolve(graph, node, &node->refs[i]) && ok;
    }
    return ok;
}

static int link_sink(struct graph *graph, struct graph_node *node)
{
    if (node->input_count == 0) {
        graph->incomplete = 1; // the option is required: reported
        return 0;
    }
    if (node->input_count > 1) {
        graph_report(graph, node, LEAT_DIAG_ERROR, "LEAT-G0006", "input", 0,
                     "Unite them in an operator, or use one sink for each.",
                     "a sink reads one input; several are not supported yet");
    }
    node->refs = base_arena_calloc(graph->arena, node->input_count, sizeof *node->refs);
    if (!node->refs)
        return 0;
    node->ref_count = node->input_count;
    int ok = node->input_count == 1;
    for (uint32_t i = 0; i < node->input_count; i++) {
        node->refs[i] = (struct graph_ref){.text = node->input[i], .option = "input", .kind = LEAT_INPUT_STREAM};
        ok = resolve(graph, node, &node->refs[i]) && ok;
    }
    return ok;
}

// --- order, cycles, jobs

enum { UNSEEN, ENTERED, DONE };

struct walk {
    struct graph *graph;
    uint32_t count;
    struct graph_node **path; // from the node where the walk began to the present one
    uint32_t depth;
};

// "a" reads "b", "b" reads "c", "c" reads "a": what of it fits into a message.
static void report_cycle(struct walk *w, const struct graph_node *node, const struct graph_ref *ref)
{
    char text[400];
    uint32_t at = w->depth;
    size_t len = 0;
    while (at > 0 && w->path[at - 1] != ref->to)
        at--;
    text[0] = 0;
    for (uint32_t i = at; i < w->depth && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", which reads \"%s\"", w->path[i]->name);
    graph_report(w->graph, node, LEAT_DIAG_ERROR, "LEAT-G0007", ref->option, ref->offset,
                 "Break the circle, or pass through a topic of Kafka.", "\"%s\" reads \"%s\"%s: a circle", node->name,
                 ref->to->name, text);
}

static void visit(struct walk *w, struct graph_node *node)
{
    node->mark = ENTERED;
    w->path[w->depth++] = node;
    for (uint32_t i = 0; i < node->ref_count; i++) {
        struct graph_ref *ref = &node->refs[i];
        if (ref->to && ref->to->mark == ENTERED) {
            report_cycle(w, node, ref);
            node->broken = 1;
            ref->to = NULL; // the rest is looked at without it
        } else if (ref->to && ref->to->mark == UNSEEN) {
            visit(w, ref->to);
        }
    }
    node->mark = DONE;
    w->depth--;
    w->graph->order[w->count++] = node;
}

static uint32_t root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

// Only what a sink reads, through others perhaps, is worth running.
static void mark_live(struct graph *graph)
{
    for (uint32_t i = graph->node_count; i-- > 0;) {
        struct graph_node *node = graph->order[i];
        node->live |= node->kind == LEAT_SINK;
        for (uint32_t k = 0; node->live && k < node->ref_count; k++)
            if (node->refs[k].to)
                node->refs[k].to->live = 1;
    }
}

// A lookup is asked, not read: nodes that share one are not one job for that.
static int split(struct graph *graph)
{
    uint32_t n = graph->node_count;
    uint32_t *parent = base_arena_calloc(graph->arena, n + 1, sizeof *parent);
    uint32_t *number = base_arena_calloc(graph->arena, n + 1, sizeof *number);
    if (!parent || !number)
        return 0;
    mark_live(graph);
    for (uint32_t i = 0; i < n; i++)
        parent[i] = i;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < graph->nodes[i].ref_count; k++) {
            const struct graph_ref *ref = &graph->nodes[i].refs[k];
            if (ref->to && ref->kind == LEAT_INPUT_STREAM)
                parent[root(parent, i)] = root(parent, (uint32_t)(ref->to - graph->nodes));
        }
    for (uint32_t i = 0; i < n; i++) {
        struct graph_node *node = graph->order[i];
        uint32_t r = root(parent, (uint32_t)(node - graph->nodes));
        if (node->kind == LEAT_LOOKUP || !node->live) {
            node->job = GRAPH_NO_JOB;
            continue;
        }
        if (number[r] == 0)
            number[r] = ++graph->job_count;
        node->job = number[r] - 1;
    }
    return 1;
}

static void warn_unread(struct graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->kind != LEAT_SINK && node->readers == 0)
            graph_report(graph, node, LEAT_DIAG_WARNING, "LEAT-G0008", NULL, 0,
                         "Add a sink or an operator that reads it, or remove it.",
                         "nothing reads \"%s\": it will not run", node->name);
    }
}

// What a node with faults reads may still be known: an operator's query is right, a sink names its input.
static int can_link(const struct graph_node *node)
{
    return node->kind == LEAT_SINK || (node->component && node->config);
}

// An operator that names nothing may have a fault in its query that only bind finds.
static int has_silent_operator(const struct graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].kind == LEAT_OPERATOR && graph->nodes[i].ref_count == 0)
            return 1;
    return 0;
}

// Without any sink nothing is read, which is one fault and not one for each node.
static int has_sink(const struct graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].kind == LEAT_SINK)
            return 1;
    return 0;
}

static void link_node(struct graph *graph, struct graph_node *node)
{
    if (node->kind != LEAT_OPERATOR && node->kind != LEAT_SINK)
        return;
    int can = can_link(node);
    if (can && (node->kind == LEAT_OPERATOR ? link_operator(graph, node) : link_sink(graph, node)))
        return;
    node->broken = 1;
    node->unlinked = node->kind == LEAT_OPERATOR && node->ref_count == 0;
    graph->incomplete |= !can || node->ref_count == 0; // it may have been meant to read what nothing else reads
}

int graph_link(struct graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        link_node(graph, &graph->nodes[i]);
    struct walk w = {.graph = graph};
    graph->order = base_arena_calloc(graph->arena, graph->node_count + 1, sizeof(struct graph_node *));
    w.path = base_arena_calloc(graph->arena, graph->node_count + 1, sizeof(struct graph_node *));
    if (!graph->order || !w.path)
        return 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].mark == UNSEEN)
            visit(&w, &graph->nodes[i]);
    if (!graph->incomplete && !has_silent_operator(graph) && has_sink(graph))
        warn_unread(graph);
    return split(graph);
}

const char *graph_job_name(const struct graph *graph, uint32_t job)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->order[i]->job == job)
            return graph->order[i]->name;
    return "";
}

const char *const *graph_job_nodes(struct graph *graph, uint32_t job, uint32_t *count)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        max += graph->nodes[i].job == job ? 1 + graph->nodes[i].ref_count : 0;
    const char **names = base_arena_calloc(graph->arena, max + 1, sizeof *names);
    *count = 0;
    for (uint32_t i = 0; names && i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->job != job)
            continue;
        names[(*count)++] = node->name;
        for (uint32_t k = 0; k < node->ref_count; k++)
            names[(*count)++] = base_arena_sprintf(graph->arena, "%s/normalize/%u", node->name, k);
    }
    return names;
}
