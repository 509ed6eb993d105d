// SPDX-License-Identifier: Apache-2.0
// Graphs of fake components: names, jobs, modes along the edges, normalisers, sharing, plans in two steps.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/planner.h"

#include <cmocka.h>

static const struct leat_field fields[2] = {{{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}},
                                            {{(const uint8_t *)"v", 1}, {.kind = LEAT_TYPE_BIGINT, .nullable = 1}}};
static const uint32_t id_column[1] = {0};
static const struct leat_schema keyed = {.struct_size = sizeof keyed,
                                         .flags = LEAT_SCHEMA_KEY_IMMEDIATE,
                                         .column_count = 2,
                                         .key_count = 1,
                                         .columns = fields,
                                         .key = id_column};
static const struct leat_schema deferrable = {
    .struct_size = sizeof deferrable, .column_count = 2, .key_count = 1, .columns = fields, .key = id_column};
static const struct leat_schema keyless = {.struct_size = sizeof keyless, .column_count = 2, .columns = fields};

// --- components: the configuration struct says what they answer

struct source_config {
    struct leat_port port; // schema NULL = known only when connected
    uint32_t parallel_max;
};

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    const struct source_config *c = request->config;
    plan->ports = (struct leat_ports){.count = c->port.schema ? 1 : 0, .items = &c->port};
    plan->parallel_max = c->parallel_max;
    return LEAT_OK;
}

static const struct leat_source_ops source_ops = {.struct_size = sizeof source_ops, .describe = describe};
static const struct leat_component source = {
    .struct_size = sizeof source, .kind = LEAT_SOURCE, .name = "source", .source = &source_ops};

struct op_config {
    struct leat_input_name names[2];
    uint32_t count;
    struct leat_input_need needs[2];
    struct leat_port port; // of the output; its schema is that of input 0
    int bound;             // now
};

static leat_status op_inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    const struct op_config *c = config;
    *names = (struct leat_input_names){.count = c->count, .items = c->names};
    return LEAT_OK;
}

static leat_status op_bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                           struct leat_operator_plan *plan, void **bound)
{
    struct op_config *c = (struct op_config *)(uintptr_t)request->config;
    c->port.schema = request->inputs[0].schema;
    c->port.mode = request->inputs[0].mode;
    c->bound++;
    plan->ports = (struct leat_ports){.count = 1, .items = &c->port};
    plan->needs = c->needs;
    *bound = c;
    return LEAT_OK;
}

static void op_unbind(void *bound)
{
    ((struct op_config *)bound)->bound--;
}

static const struct leat_operator_ops op_ops = {
    .struct_size = sizeof op_ops, .inputs = op_inputs, .bind = op_bind, .unbind = op_unbind};
static const struct leat_component op = {
    .struct_size = sizeof op, .kind = LEAT_OPERATOR, .name = "operator", .op = &op_ops};

static struct leat_port normal_port;
static struct leat_input_need normal_need;
static int normal_bound;

static leat_status normal_bind(struct leat_ctx *ctx, const struct leat_operator_request *request,
                               struct leat_operator_plan *plan, void **bound)
{
    const struct leat_schema *schema = request->inputs[0].schema;
    if (schema->key_count == 0) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-X0001", NULL, 0, NULL, "no key");
        return LEAT_CONFIG;
    }
    normal_port = (struct leat_port){.schema = schema, .mode = LEAT_MODE_ALL};
    normal_need = (struct leat_input_need){
        .mode = LEAT_MODE_UPSERT, .partition = schema->key, .partition_count = schema->key_count};
    plan->ports = (struct leat_ports){.count = 1, .items = &normal_port};
    plan->needs = &normal_need;
    normal_bound++;
    *bound = &normal_bound;
    return LEAT_OK;
}

static void normal_unbind(void *bound)
{
    normal_bound--;
}

static const struct leat_operator_ops normal_ops = {
    .struct_size = sizeof normal_ops, .bind = normal_bind, .unbind = normal_unbind};
static const struct leat_component normalizer = {
    .struct_size = sizeof normalizer, .kind = LEAT_OPERATOR, .name = "normalize", .op = &normal_ops};

struct sink_config {
    uint8_t mode;
    uint8_t partition_by_key;
    uint32_t parallel_max;
};

static leat_status sink_bind(struct leat_ctx *ctx, const struct leat_sink_request *request, struct leat_sink_plan *plan,
                             void **bound)
{
    const struct sink_config *c = request->config;
    plan->mode = c->mode;
    plan->partition_by_key = c->partition_by_key;
    plan->parallel_max = c->parallel_max;
    return LEAT_OK;
}

static const struct leat_sink_ops sink_ops = {.struct_size = sizeof sink_ops, .bind = sink_bind};
static const struct leat_component sink = {
    .struct_size = sizeof sink, .kind = LEAT_SINK, .name = "sink", .sink = &sink_ops};

// --- a graph under construction

struct world {
    struct graph graph;
    struct graph_node nodes[64];
    const char *inputs[64];
    struct base_error error;
    char told[4096]; // "code node hint\n" each
};

static void report(void *arg, const struct graph_node *node, uint8_t severity, const char *code, const char *option,
                   uint32_t offset, const char *hint, const char *message)
{
    struct world *w = arg;
    size_t len = strlen(w->told);
    snprintf(w->told + len, sizeof w->told - len, "%s %s%s%s\n", code, node->name, hint ? " " : "", hint ? hint : "");
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->graph = (struct graph){.arena = base_arena_create(0, 0),
                              .pipeline = "test",
                              .local_time_zone = "UTC",
                              .parallelism = 1,
                              .nodes = w->nodes,
                              .normalizer = &normalizer,
                              .reporter = {.arg = w, .report = report, .where = NULL}};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    base_arena_destroy(w->graph.arena);
    free(w);
    assert_int_equal(normal_bound, 0);
    return 0;
}

static struct graph_node *add(struct world *w, const char *name, const struct leat_component *component,
                              const void *config, const char *input)
{
    struct graph_node *n = &w->nodes[w->graph.node_count];
    *n = (struct graph_node){.name = name, .kind = component->kind, .component = component, .config = config};
    if (input) {
        w->inputs[w->graph.node_count] = input;
        n->input = &w->inputs[w->graph.node_count];
        n->input_count = 1;
    }
    w->graph.node_count++;
    return n;
}

static void reads(struct op_config *c, const char *a, const char *b)
{
    c->names[0] = (struct leat_input_name){{(const uint8_t *)a, (uint32_t)strlen(a)}, LEAT_INPUT_STREAM, "query", 5};
    c->count = 1;
    if (!b)
        return;
    c->names[1] = (struct leat_input_name){{(const uint8_t *)b, (uint32_t)strlen(b)}, LEAT_INPUT_STREAM, "query", 9};
    c->count = 2;
}

static struct plan_job *plan_of(struct world *w)
{
    if (!graph_link(&w->graph))
        fail_msg("%s", w->told);
    struct plan_job *plan = graph_plan(&w->graph, 0, &w->error);
    if (!plan)
        fail_msg("%s: %s", w->error.message, w->told);
    return plan;
}

static const struct plan_node *node_of(const struct plan_job *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (strcmp(plan->nodes[i]->name, name) == 0)
            return plan->nodes[i];
    fail_msg("no node \"%s\"", name);
    return NULL;
}

static const struct source_config upserts = {{.schema = &keyed, .mode = LEAT_MODE_UPSERT}, 1};
static const struct source_config changes = {{.schema = &keyed, .mode = LEAT_MODE_ALL}, 1};
static const struct source_config inserts = {{.schema = &keyless, .mode = LEAT_MODE_INSERT_ONLY}, 8};
static const struct sink_config takes_all = {.mode = LEAT_MODE_ALL};
static const struct sink_config takes_upserts = {.mode = LEAT_MODE_UPSERT, .partition_by_key = 1};
static const struct sink_config takes_inserts = {.mode = LEAT_MODE_INSERT_ONLY};

// --- names

static void names_are_found_or_the_nearest_is_said(void **state)
{
    struct world *w = *state;
    add(w, "orders", &source, &inserts, NULL);
    add(w, "out", &sink, &takes_all, "ordres");
    add(w, "more", &sink, &takes_all, "out");
    (void)graph_link(&w->graph);
    assert_string_equal(w->told,
                        "LEAT-G0001 out Did you mean \"orders\"?\n"
                        "LEAT-G0002 more Read what the sink reads, or add a source that reads what it writes.\n");
}

static void a_cycle_is_refused(void **state)
{
    struct world *w = *state;
    struct op_config a = {0}, b = {0};
    reads(&a, "b", NULL);
    reads(&b, "a", NULL);
    add(w, "a", &op, &a, NULL);
    add(w, "b", &op, &b, NULL);
    assert_int_equal(graph_link(&w->graph), 1); // cut where it was found: the rest is looked at
    assert_non_null(strstr(w->told, "LEAT-G0007 b"));
}

static void what_no_edge_connects_are_two_jobs(void **state)
{
    struct world *w = *state;
    add(w, "s1", &source, &inserts, NULL);
    add(w, "s2", &source, &inserts, NULL);
    add(w, "k2", &sink, &takes_all, "s2");
    add(w, "k1", &sink, &takes_all, "s1");
    add(w, "unread", &source, &inserts, NULL);
    assert_int_equal(graph_link(&w->graph), 1);
    assert_int_equal(w->graph.job_count, 2);
    assert_int_equal(w->nodes[0].job, w->nodes[3].job);
    assert_int_equal(w->nodes[1].job, w->nodes[2].job);
    assert_non_null(strstr(w->told, "LEAT-G0008 unread"));
    for (uint32_t job = 0; job < 2; job++) {
        struct plan_job *plan = graph_plan(&w->graph, job, &w->error);
        assert_non_null(plan);
        assert_int_equal(plan->node_count, 2);
        assert_int_equal(plan->nodes[0]->kind, LEAT_SOURCE); // in topological order
        graph_plan_destroy(plan);
    }
}

// --- modes

static void who_needs_every_change_in_full_gets_a_normaliser(void **state)
{
    struct world *w = *state;
    struct op_config c = {.needs = {{.mode = LEAT_MODE_ALL}}};
    reads(&c, "s", NULL);
    add(w, "s", &source, &upserts, NULL)->parallelism = 1;
    add(w, "o", &op, &c, NULL);
    add(w, "k", &sink, &takes_all, "o");
    w->graph.parallelism = 3;
    struct plan_job *plan = plan_of(w);
    const struct plan_node *n = node_of(plan, "o/normalize/0");
    assert_null(n->graph);
    assert_non_null(strstr(n->inserted_because, "\"o\" needs every change in full"));
    assert_int_equal(plan->node_count, 4);
    assert_ptr_equal(plan->nodes[1], n); // before its reader
    // rows of a key meet in one instance
    assert_int_equal(n->parallelism, 3);
    assert_int_equal(n->inputs[0]->share, PLAN_HASH);
    assert_int_equal(n->inputs[0]->columns[0], 0);
    assert_int_equal(node_of(plan, "o")->inputs[0]->chained, 1);
    assert_int_equal(node_of(plan, "o")->outputs[0].mode, LEAT_MODE_ALL);
    assert_int_equal(c.bound, 1);
    graph_plan_destroy(plan);
    assert_int_equal(c.bound, 0);
}

static void without_that_plugin_it_is_a_fault(void **state)
{
    struct world *w = *state;
    w->graph.normalizer = NULL;
    add(w, "s", &source, &upserts, NULL);
    add(w, "k", &sink, &takes_all, "s");
    assert_int_equal(graph_link(&w->graph), 1);
    assert_null(graph_plan(&w->graph, 0, &w->error));
    assert_string_equal(w->told, "LEAT-G0013 k Put normalize.so into the plugin folder.\n");
    assert_int_equal(w->error.failure, LEAT_CONFIG);
}

// The node that the planner inserts is in no file: what it says concerns its reader.
static void a_normaliser_that_refuses_blames_its_reader(void **state)
{
    struct world *w = *state;
    static const struct source_config odd = {{.schema = &keyless, .mode = LEAT_MODE_UPSERT}, 1};
    add(w, "s", &source, &odd, NULL);
    add(w, "k", &sink, &takes_all, "s");
    assert_int_equal(graph_link(&w->graph), 1);
    assert_null(graph_plan(&w->graph, 0, &w->error));
    assert_string_equal(w->told, "LEAT-X0001 k\n");
}

static void adapting(struct world *w, const struct source_config *from, const struct sink_config *to,
                     const char *const *key, enum plan_adapt expected)
{
    add(w, "s", &source, from, NULL);
    struct graph_node *k = add(w, "k", &sink, to, "s");
    k->primary_key = key;
    k->primary_key_count = key ? 1 : 0;
    struct plan_job *plan = plan_of(w);
    const struct plan_node *n = node_of(plan, "k");
    assert_int_equal(n->inputs[0]->adapt, expected);
    assert_int_equal(plan->consolidates, expected == PLAN_ADAPT_CONSOLIDATE);
    graph_plan_destroy(plan);
}

static const char *const by_id[1] = {"id"}, *const by_v[1] = {"v"}, *const by_nothing[1] = {"idd"};

static void the_same_key_only_drops_what_was_before(void **state)
{
    adapting(*state, &changes, &takes_upserts, by_id, PLAN_ADAPT_DROP_BEFORE);
}

static void another_key_is_consolidated(void **state)
{
    adapting(*state, &changes, &takes_upserts, by_v, PLAN_ADAPT_CONSOLIDATE);
}

static void a_deferrable_key_is_consolidated(void **state)
{
    static const struct source_config late = {{.schema = &deferrable, .mode = LEAT_MODE_ALL}, 1};
    adapting(*state, &late, &takes_upserts, NULL, PLAN_ADAPT_CONSOLIDATE);
}

static void inserts_and_upserts_go_as_they_are(void **state)
{
    adapting(*state, &upserts, &takes_upserts, NULL, PLAN_ADAPT_NONE);
}

static void refused(struct world *w, const struct source_config *from, const struct sink_config *to,
                    const char *const *key, const char *code)
{
    add(w, "s", &source, from, NULL);
    struct graph_node *k = add(w, "k", &sink, to, "s");
    k->primary_key = key;
    k->primary_key_count = key ? 1 : 0;
    assert_int_equal(graph_link(&w->graph), 1);
    assert_null(graph_plan(&w->graph, 0, &w->error));
    assert_memory_equal(w->told, code, strlen(code));
}

static void changes_do_not_fit_into_an_appending_sink(void **state)
{
    refused(*state, &changes, &takes_inserts, NULL, "LEAT-G0016 k ");
}

static void a_sink_by_key_needs_a_key(void **state)
{
    static const struct source_config no_key = {{.schema = &keyless, .mode = LEAT_MODE_ALL}, 1};
    refused(*state, &no_key, &takes_upserts, NULL, "LEAT-G0017 k ");
}

static void the_key_must_be_columns(void **state)
{
    refused(*state, &changes, &takes_upserts, by_nothing, "LEAT-G0015 k The columns are: id BIGINT NOT NULL, v BIGINT");
}

// --- sharing

static void width_follows_what_is_read(void **state)
{
    struct world *w = *state;
    struct op_config c = {0};
    static const struct sink_config single = {.mode = LEAT_MODE_ALL, .parallel_max = 1};
    reads(&c, "s", NULL);
    add(w, "s", &source, &inserts, NULL);
    add(w, "o", &op, &c, NULL);
    add(w, "wide", &sink, &takes_all, "o");
    add(w, "narrow", &sink, &single, "o");
    w->graph.parallelism = 4;
    struct plan_job *plan = plan_of(w);
    assert_int_equal(node_of(plan, "s")->parallelism, 4);
    assert_int_equal(node_of(plan, "o")->parallelism, 4);
    assert_int_equal(node_of(plan, "o")->inputs[0]->chained, 1);
    assert_int_equal(node_of(plan, "wide")->inputs[0]->chained, 1);
    assert_int_equal(node_of(plan, "narrow")->parallelism, 1);
    assert_int_equal(node_of(plan, "narrow")->inputs[0]->chained, 0);
    graph_plan_destroy(plan);
}

// Of 40 operators each reads the one before twice, so that 2^40 ways lead to the source.
static void many_ways_to_one_source_are_not_walked_one_by_one(void **state)
{
    struct world *w = *state;
    static struct op_config chain[40], top;
    static char names[41][16];
    add(w, "s0", &source, &inserts, NULL);
    add(w, "dim", &source, &inserts, NULL);
    strcpy(names[0], "s0");
    for (int i = 0; i < 40; i++) {
        snprintf(names[i + 1], sizeof names[0], "s%d", i + 1);
        chain[i] = (struct op_config){.needs = {{.mode = LEAT_MODE_ALL}, {.mode = LEAT_MODE_ALL}}};
        reads(&chain[i], names[i], names[i]);
        add(w, names[i + 1], &op, &chain[i], NULL);
    }
    top = (struct op_config){.needs = {{.mode = LEAT_MODE_ALL}, {.mode = LEAT_MODE_ALL, .wait_first = 1}}};
    reads(&top, names[40], "dim");
    add(w, "top", &op, &top, NULL);
    add(w, "out", &sink, &takes_all, "top");
    struct plan_job *plan = plan_of(w);
    assert_int_equal(node_of(plan, "top")->inputs[1]->wait_first, 1);
    assert_int_equal(node_of(plan, "dim")->catch_up, 1);
    assert_int_equal(node_of(plan, "s0")->catch_up, 0);
    graph_plan_destroy(plan);
}

// A source that feeds both sides could never reach the end of one while the other is held back.
static void a_side_of_the_same_source_is_not_waited_for(void **state)
{
    struct world *w = *state;
    struct op_config c = {.needs = {{.mode = LEAT_MODE_ALL}, {.mode = LEAT_MODE_ALL, .wait_first = 1}}};
    struct op_config other = c;
    reads(&c, "s", "filtered");
    reads(&other, "s", "t");
    struct op_config filter = {.needs = {{.mode = LEAT_MODE_ALL}}};
    reads(&filter, "s", NULL);
    add(w, "s", &source, &changes, NULL);
    add(w, "t", &source, &changes, NULL);
    add(w, "filtered", &op, &filter, NULL);
    add(w, "o", &op, &c, NULL);
    add(w, "p", &op, &other, NULL);
    add(w, "k", &sink, &takes_all, "o");
    add(w, "l", &sink, &takes_all, "p");
    struct plan_job *plan = plan_of(w);
    assert_int_equal(node_of(plan, "o")->inputs[1]->wait_first, 0);
    assert_int_equal(node_of(plan, "o")->inputs[1]->same_source, 1);
    assert_int_equal(node_of(plan, "p")->inputs[1]->wait_first, 1);
    assert_int_equal(node_of(plan, "s")->catch_up, 0);
    assert_int_equal(node_of(plan, "t")->catch_up, 1);
    graph_plan_destroy(plan);
}

// --- two steps

// One source is known at once and gets its normaliser, the other only when connected: then everything is made anew.
static void discovery_completes_a_plan(void **state)
{
    struct world *w = *state;
    static const struct source_config unknown = {{.schema = NULL, .mode = LEAT_MODE_ALL}, 1};
    struct op_config c = {.needs = {{.mode = LEAT_MODE_ALL}, {.mode = LEAT_MODE_ALL, .wait_first = 1}}};
    reads(&c, "late", "known");
    add(w, "known", &source, &upserts, NULL);
    add(w, "late", &source, &unknown, NULL);
    add(w, "side", &sink, &takes_all, "known");
    add(w, "o", &op, &c, NULL);
    add(w, "k", &sink, &takes_all, "o");
    struct plan_job *plan = plan_of(w);
    assert_int_equal(plan->complete, 0);
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (strcmp(plan->nodes[i]->name, "late") == 0)
            plan->nodes[i]->source_plan.ports = (struct leat_ports){.count = 1, .items = &changes.port};
    assert_int_equal(graph_complete(&w->graph, plan, &w->error), LEAT_OK);
    assert_int_equal(plan->complete, 1);
    assert_int_equal(plan->node_count, 7); // a normaliser before "side" and one before "o"
    (void)node_of(plan, "side/normalize/0");
    const struct plan_node *o = node_of(plan, "o");
    assert_string_equal(o->inputs[0]->from->name, "late");
    assert_string_equal(o->inputs[1]->from->name, "o/normalize/1");
    assert_int_equal(o->inputs[1]->wait_first, 1);
    assert_int_equal(node_of(plan, "known")->catch_up, 1);
    assert_int_equal(node_of(plan, "late")->catch_up, 0);
    for (uint32_t i = 0; i < plan->node_count; i++)
        assert_true(plan->nodes[i]->id < plan->node_max);
    graph_plan_destroy(plan);
    assert_int_equal(c.bound, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_are_found_or_the_nearest_is_said),
        TEST(a_cycle_is_refused),
        TEST(what_no_edge_connects_are_two_jobs),
        TEST(who_needs_every_change_in_full_gets_a_normaliser),
        TEST(without_that_plugin_it_is_a_fault),
        TEST(a_normaliser_that_refuses_blames_its_reader),
        TEST(the_same_key_only_drops_what_was_before),
        TEST(another_key_is_consolidated),
        TEST(a_deferrable_key_is_consolidated),
        TEST(inserts_and_upserts_go_as_they_are),
        TEST(changes_do_not_fit_into_an_appending_sink),
        TEST(a_sink_by_key_needs_a_key),
        TEST(the_key_must_be_columns),
        TEST(width_follows_what_is_read),
        TEST(many_ways_to_one_source_are_not_walked_one_by_one),
        TEST(a_side_of_the_same_source_is_not_waited_for),
        TEST(discovery_completes_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
