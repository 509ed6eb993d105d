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

static const char *mode_text(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "inserts only"
           : mode == LEAT_MODE_UPSERT    ? "upserts and deletes by key"
                                         : "every change in full";
}

static void *take(struct binder *b, size_t count, size_t size)
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

static void close_ctx(struct binder *b, struct graph_ctx *gc, leat_status st)
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

// --- ports

static void copy_ports(struct binder *b, struct plan_node *node, const struct leat_ports *ports)
{
    node->output_count = 0;
    if (ports->count > LEAT_PORTS_MAX) {
        bind_fault(b, node->graph, "LEAT-G0019", NULL, NULL, "\"%s\" has %u outputs, more than %d", node->name,
                   ports->count, LEAT_PORTS_MAX);
        return;
    }
    node->outputs = take(b, ports->count, sizeof *node->outputs);
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

// Columns whose types are not known make the whole uncertain; so does a fault of what gives them.
static void doubt_ports(struct plan_node *node, int all)
{
    for (uint32_t i = 0; i < node->output_count; i++) {
        struct plan_output *out = &node->outputs[i];
        out->uncertain |= all != 0;
        for (uint32_t c = 0; out->schema && c < out->schema->column_count; c++)
            out->uncertain |= (out->schema->columns[c].type.flags & LEAT_TYPE_IS_UNKNOWN) != 0;
    }
}

// What a source gives that cannot be asked: what it declares, as it seems.
static void assume_declared(struct binder *b, struct plan_node *node)
{
    const struct leat_port port = {.schema = node->graph->declared, .mode = LEAT_MODE_INSERT_ONLY};
    b->plan->complete = 0;
    if (node->graph->declared)
        copy_ports(b, node, &(struct leat_ports){.count = 1, .items = &port, .stride = sizeof port});
    doubt_ports(node, 1);
}

static void list_ports(const struct plan_node *node, char *text, size_t size)
{
    size_t len = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < node->output_count && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s%s%s", i ? ", " : "", node->name,
                                *node->outputs[i].name ? "." : "", node->outputs[i].name);
}

// The port that a reference means, or UINT32_MAX after a fault.
static uint32_t port_of(struct binder *b, const struct graph_node *reader, const struct graph_ref *ref,
                        const struct plan_node *from)
{
    if (!*ref->port && from->output_count == 1)
        return 0;
    for (uint32_t i = 0; i < from->output_count; i++)
        if (strcmp(from->outputs[i].name, ref->port) == 0)
            return i;
    char ports[512], hint[600];
    list_ports(from, ports, sizeof ports);
    snprintf(hint, sizeof hint, "It gives: %s.", ports);
    if (!*ref->port)
        bind_fault(b, reader, "LEAT-G0011", ref, hint, "\"%s\" gives several tables: say which one", from->name);
    else
        bind_fault(b, reader, "LEAT-G0012", ref, hint, "\"%s\" gives no \"%s\"", from->name, ref->port);
    return UINT32_MAX;
}

// NULL for a name that could not be resolved.
static struct plan_node *plan_node_of(struct plan_job *plan, const struct graph_node *node)
{
    for (uint32_t i = 0; node && i < plan->node_count; i++)
        if (plan->nodes[i]->graph == node)
            return plan->nodes[i];
    return NULL;
}

// --- edges

static struct plan_edge *add_edge(struct binder *b, struct plan_node *from, uint32_t port, struct plan_node *to,
                                  uint32_t input)
{
    struct plan_job *plan = b->plan;
    struct plan_edge **edges = take(b, plan->edge_count + 1, sizeof(struct plan_edge *));
    struct plan_edge *edge = take(b, 1, sizeof *edge);
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

static leat_status bind_operator(struct binder *b, struct plan_node *node, const struct graph_node *asked_by,
                                 const struct leat_input *inputs, uint32_t count);

// A normaliser between `from` and input `input` of `to`; returns the node, whose output 0 carries every change in full.
static struct plan_node *insert_normalizer(struct binder *b, struct plan_node *from, uint32_t port,
                                           struct plan_node *to, uint32_t input)
{
    if (!b->graph->normalizer) {
        bind_fault(
            b, to->graph, "LEAT-G0013", NULL, "Put normalize.so into the plugin folder.",
            "\"%s\" needs every change in full, \"%s\" gives upserts, and the plugin that could stand between them "
            "is missing",
            to->name, from->name);
        return NULL;
    }
    struct plan_node *n = take(b, 1, sizeof *n);
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
    n->inputs = take(b, 1, sizeof(struct plan_edge *));
    if (!n->name || !n->inputs)
        return NULL;
    insert_before(b->plan, n, to);
    struct leat_input in = {from->outputs[port].schema, from->outputs[port].mode, LEAT_INPUT_STREAM};
    if (bind_operator(b, n, to->graph, &in, 1) < 0 || n->output_count == 0)
        return NULL;
    struct plan_edge *edge = add_edge(b, from, port, n, 0);
    if (edge) {
        struct leat_input_need need = leat_operator_need(&n->op_plan, 0);
        edge->columns = need.partition;
        edge->column_count = need.partition_count;
    }
    return edge ? n : NULL;
}

// --- binding

static void unbind(struct plan_node *node)
{
    if (!node->bound)
        return;
    if (node->kind == LEAT_OPERATOR && node->component->op->unbind)
        node->component->op->unbind(node->bound);
    if (node->kind == LEAT_SINK && node->component->sink->unbind)
        node->component->sink->unbind(node->bound);
    node->bound = NULL;
}

// `asked_by`: whom diagnostics concern, the node itself or the reader for which it is inserted.
static leat_status bind_operator(struct binder *b, struct plan_node *node, const struct graph_node *asked_by,
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
    unbind(node);
    node->op_plan = (struct leat_operator_plan){.struct_size = sizeof node->op_plan};
    graph_ctx_init(&gc, b->graph, asked_by, node->component, "bind");
    leat_status st = node->component->op->bind(&gc.ctx, &request, &node->op_plan, &node->bound);
    int doubt = st < 0 || gc.reported;
    close_ctx(b, &gc, st);
    for (uint32_t i = 0; i < count; i++)
        doubt = doubt || !inputs[i].schema;
    if (node->op_plan.ports.count) // one with faults may tell what it can
        copy_ports(b, node, &node->op_plan.ports);
    doubt_ports(node, doubt);
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
    struct plan_node *from = plan_node_of(b->plan, ref->to);
    uint8_t mode = from->outputs[port].mode;
    if (need.mode == LEAT_MODE_INSERT_ONLY && mode != LEAT_MODE_INSERT_ONLY) {
        bind_fault(b, node->graph, "LEAT-G0014", ref, NULL, "\"%s\" takes %s here, but \"%s\" gives %s", node->name,
                   mode_text(need.mode), ref->text, mode_text(mode));
        return;
    }
    if (need.mode == LEAT_MODE_ALL && mode == LEAT_MODE_UPSERT) {
        from = insert_normalizer(b, from, port, node, input);
        port = 0;
    }
    struct plan_edge *edge = from ? add_edge(b, from, port, node, input) : NULL;
    if (!edge)
        return;
    edge->lookup = ref->kind == LEAT_INPUT_LOOKUP;
    set_need(edge, &need);
}

static void plan_operator(struct binder *b, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    struct leat_input inputs[LEAT_INPUTS_MAX] = {0};
    uint32_t ports[LEAT_INPUTS_MAX];
    int known = 1;
    for (uint32_t i = 0; i < g->ref_count; i++) {
        struct plan_node *from = plan_node_of(b->plan, g->refs[i].to);
        inputs[i] = (struct leat_input){NULL, LEAT_MODE_ALL, g->refs[i].kind};
        ports[i] = UINT32_MAX;
        if (!from || from->output_count == 0) {
            known = 0;
            continue;
        }
        ports[i] = port_of(b, g, &g->refs[i], from);
        if (ports[i] == UINT32_MAX) { // the others are looked at all the same
            known = 0;
            continue;
        }
        inputs[i].schema = from->outputs[ports[i]].schema;
        inputs[i].mode = from->outputs[ports[i]].mode;
        known = known && inputs[i].schema && !from->outputs[ports[i]].uncertain;
    }
    leat_status st = bind_operator(b, node, g, inputs, g->ref_count);
    if (st < 0 || !known) {
        doubt_ports(node, 1);
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
        was_upsert[i] = plan_node_of(b->plan, g->refs[i].to)->outputs[ports[i]].mode == LEAT_MODE_UPSERT &&
                        inputs[i].mode == LEAT_MODE_ALL;
    if (normalised && bind_operator(b, node, g, inputs, g->ref_count) < 0)
        return;
    for (uint32_t i = 0; i < g->ref_count; i++) {
        if (!was_upsert[i]) {
            connect_operator(b, node, i, ports[i]);
            continue;
        }
        struct plan_node *n = insert_normalizer(b, plan_node_of(b->plan, g->refs[i].to), ports[i], node, i);
        struct plan_edge *edge = n ? add_edge(b, n, 0, node, i) : NULL;
        if (edge) {
            const struct leat_input_need need = leat_operator_need(&node->op_plan, i);
            set_need(edge, &need);
        }
    }
}

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
    uint32_t *key = take(b, g->primary_key_count, sizeof *key);
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
                   mode_text(wanted), ref->text, mode_text(given));
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
        from = insert_normalizer(b, from, port, node, 0);
        if (!from)
            return;
        port = 0;
        schema = from->outputs[0].schema;
        given = from->outputs[0].mode;
    }
    struct plan_edge *edge = add_edge(b, from, port, node, 0);
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

static void plan_sink(struct binder *b, struct plan_node *node)
{
    const struct graph_node *g = node->graph;
    struct plan_node *from = g->ref_count ? plan_node_of(b->plan, g->refs[0].to) : NULL;
    uint32_t port = from && from->output_count ? port_of(b, g, &g->refs[0], from) : UINT32_MAX;
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
    if (b->faults != faults || g->uncertain || (schema && from->outputs[port].uncertain))
        schema = NULL; // faults that are the sink's alone are found all the same
    if (!schema) {
        b->plan->complete = 0;
        request.key = NULL;
        request.key_count = 0;
    } else {
        request.schema = schema;
        request.mode = from->outputs[port].mode;
    }
    if (!g->config)
        return;
    struct graph_ctx gc;
    unbind(node);
    node->sink_plan = (struct leat_sink_plan){.struct_size = sizeof node->sink_plan};
    graph_ctx_init(&gc, b->graph, g, g->component, "bind");
    leat_status st = g->component->sink->bind(&gc.ctx, &request, &node->sink_plan, &node->bound);
    close_ctx(b, &gc, st);
    if (st < 0)
        return;
    if (schema)
        connect_sink(b, node, from, port, request.key, request.key_count);
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
    close_ctx(b, &gc, st);
    if (st < 0) {
        assume_declared(b, node);
        return;
    }
    note_exclusive(b, node);
    int known = node->source_plan.ports.count > 0;
    for (uint32_t i = 0; i < node->source_plan.ports.count; i++)
        known = known && leat_ports_get(&node->source_plan.ports, i).schema;
    if (known)
        copy_ports(b, node, &node->source_plan.ports);
    else
        b->plan->complete = 0;
    doubt_ports(node, node->graph->uncertain);
    if (node->source_plan.resource)
        node->source_plan.resource = base_arena_strdup(b->plan->arena, node->source_plan.resource);
}

static void bind_all(struct binder *b)
{
    // nodes are copied first: normalisers are put between them while we walk
    uint32_t n = b->plan->node_count;
    struct plan_node **nodes = take(b, n, sizeof(struct plan_node *));
    if (!nodes)
        return;
    memcpy(nodes, b->plan->nodes, n * sizeof(struct plan_node *));
    for (uint32_t i = 0; i < n; i++) {
        if (nodes[i]->kind == LEAT_OPERATOR && nodes[i]->config && !nodes[i]->graph->unlinked)
            plan_operator(b, nodes[i]);
        else if (nodes[i]->kind == LEAT_SINK)
            plan_sink(b, nodes[i]);
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
    struct plan_node *node = take(b, 1, sizeof *node);
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
    node->inputs = take(b, g->ref_count, sizeof(struct plan_edge *));
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
    b->plan->nodes = take(b, b->plan->node_max, sizeof(struct plan_node *));
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
            unbind(plan->nodes[i]);
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
            copy_ports(&b, node, &node->source_plan.ports);
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
        unbind(plan->nodes[i]);
    base_arena_destroy(plan->arena);
}
