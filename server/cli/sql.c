// SPDX-License-Identifier: Apache-2.0
// leat sql: runs one query now. An ordinary graph is built: the sources, lookups and operators of FILE if there is one,
// a source for each file that the query names, a hidden node with the query, and a sink that shows its rows.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "checkpoint/pipeline.h"
#include "cli/machine.h"
#include "cli/session.h"
#include "cli/sql_files.h"
#include "cli/sql_output.h"
#include "cli/verbs.h"
#include "plugin/option.h"

#define QUERY_MAX ((size_t)1 << 20)
#define LOOK      250000                // microseconds between looks at a job that is not ready
#define PATIENCE  ((leat_usec)30000000) // default of --timeout

struct asking {
    struct session session;
    struct machine machine;
    struct sql_output output;
    const char *query;
    const struct base_source *source; // the query, as a text with places
    struct graph graph;
    struct graph_reporter inner; // of what stands in FILE
    struct pipeline *pipeline;
    bool interrupted;
    leat_usec patience; // how long what the query reads may stay unreachable
    struct loop_timer look;
    leat_usec unready_since; // monotonic; 0 = it was ready at the last look
    uint64_t rows_seen;
    struct base_error gave_up;
};

static const char query_place = 0; // stands for the hidden nodes

// --- faults

// A fault of the query is shown in the query; warnings (nobody reads this source of the file) are no news here.
static void report(void *arg, const struct graph_node *node, uint8_t severity, const char *code, const char *option,
                   uint32_t offset, const char *hint, const char *message)
{
    struct asking *a = arg;
    if (severity == LEAT_DIAG_WARNING)
        return;
    if (!node || node->place != &query_place) {
        a->inner.report(a->inner.arg, node, severity, code, option, offset, hint, message);
        return;
    }
    struct base_place place = base_place_of_word(a->source, offset);
    base_diag_add(&a->session.diags, severity, code, &place, hint, "%s", message);
}

// Of nodes of FILE; the query's own are shown in it.
static void where(void *arg, const struct graph_node *node, const char *option, uint32_t offset, char *text,
                  size_t size)
{
    struct asking *a = arg;
    if (node->place != &query_place && a->inner.where)
        a->inner.where(a->inner.arg, node, option, offset, text, size);
}

// --- building the graph

// A hidden node whose plugin has the one option `path`.
static bool configure(struct asking *a, struct graph_node *node, const struct plugin_setting *settings, uint32_t count)
{
    struct base_arena *arena = a->session.config->arena;
    struct plugin_setting *copy = base_arena_calloc(arena, count + 1, sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, settings, count * sizeof *copy);
    struct plugin_parse parse = {
        .arena = arena,
        .diags = &a->session.diags,
        .secrets = a->session.secrets,
        .registry = a->session.registry,
        .owner = node->component->name,
        .settings = copy,
        .setting_count = count,
    };
    bool ok = true;
    node->config = plugin_component_parse(&parse, node->component, &ok);
    node->formats = parse.formats;
    node->format_count = parse.format_count;
    return ok && node->config;
}

static struct plugin_setting setting(const char *path, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    return (struct plugin_setting){
        .path = path, .kind = PLUGIN_TEXT, .text = text, .len = len, .raw = text, .raw_len = len};
}

static const struct leat_component *need(struct asking *a, uint8_t kind, const char *name)
{
    const struct leat_component *component = plugin_registry_find(a->session.registry, kind, name);
    if (!component)
        base_diag_add(&a->session.diags, LEAT_DIAG_ERROR, "LEAT-V0107", NULL, "\"leat plugins\" lists what there is.",
                      "the plugin with the %s \"%s\" is missing", plugin_kind_name(kind), name);
    return component;
}

static bool known(const struct asking *a, const char *name, size_t len)
{
    for (uint32_t i = 0; i < a->graph.node_count; i++)
        if (strlen(a->graph.nodes[i].name) == len && memcmp(a->graph.nodes[i].name, name, len) == 0)
            return true;
    return false;
}

static void name_fault(struct asking *a, const struct leat_input_name *in, const char *code, const char *hint,
                       const char *message)
{
    struct base_place place = base_place_at(a->source, in->offset, in->name.len);
    base_diag_add(&a->session.diags, LEAT_DIAG_ERROR, code, &place, hint, "%s", message);
}

static const struct graph_node *sink_of_file(const struct asking *a, const char *name, size_t len)
{
    const struct graph *from = a->session.pipelines[0].graph;
    for (uint32_t i = 0; i < from->node_count; i++)
        if (from->nodes[i].kind == LEAT_SINK && strlen(from->nodes[i].name) == len &&
            memcmp(from->nodes[i].name, name, len) == 0)
            return &from->nodes[i];
    return NULL;
}

// A name that is no node but a file becomes a source.
static bool add_file(struct asking *a, const struct leat_input_name *in, const char *path)
{
    struct base_error error;
    struct graph_node *node = &a->graph.nodes[a->graph.node_count];
    *node = (struct graph_node){
        .name = path, .kind = LEAT_SOURCE, .component = need(a, LEAT_SOURCE, "filesystem"), .place = &query_place};
    if (!node->component)
        return false;
    node->declared = sql_file_schema(a->session.config->arena, path, &error);
    if (!node->declared) {
        name_fault(a, in, error.code, NULL, error.message);
        return false;
    }
    struct plugin_setting settings[] = {setting("path", path), setting("format", "json")};
    a->graph.node_count++;
    return configure(a, node, settings, 2);
}

// Whoever writes a path, or an ending of files of rows, means a file.
static bool means_file(const char *name, size_t len)
{
    static const char *const endings[] = {".json", ".jsonl", ".ndjson"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (len > strlen(endings[i]) && strcmp(name + len - strlen(endings[i]), endings[i]) == 0)
            return true;
    return strchr(name, '/') || access(name, F_OK) == 0;
}

static bool add_name(struct asking *a, const struct leat_input_name *in)
{
    const char *dot = memchr(in->name.ptr, '.', in->name.len);
    size_t first = dot ? (size_t)(dot - (const char *)in->name.ptr) : in->name.len;
    char *path = base_arena_strndup(a->session.config->arena, (const char *)in->name.ptr, in->name.len);
    if (!path)
        return false;
    if (known(a, path, in->name.len) || known(a, path, first))
        return true;
    if (sink_of_file(a, path, first)) {
        name_fault(a, in, "LEAT-G0002", "Read what the sink reads. A file of that name is written `./name`.",
                   "this is a sink of the pipeline file and cannot be read");
        return false;
    }
    return !means_file(path, in->name.len) || add_file(a, in, path);
}

static bool add_files(struct asking *a, const struct leat_input_names *names)
{
    bool ok = true;
    for (uint32_t i = 0; i < names->count; i++) {
        const struct leat_input_name in = leat_input_names_get(names, i);
        ok = add_name(a, &in) && ok;
    }
    return ok;
}

// The names that the query reads. A fault of its grammar is reported.
static bool ask_inputs(struct asking *a, struct graph_node *query, struct leat_input_names *names)
{
    a->graph.nodes[a->graph.node_count] = *query;
    return graph_node_inputs(&a->graph, &a->graph.nodes[a->graph.node_count], names);
}

static bool add_query(struct asking *a)
{
    struct plugin_setting settings[] = {setting("query", a->query)};
    struct graph_node query = {
        .name = "query", .kind = LEAT_OPERATOR, .component = need(a, LEAT_OPERATOR, "sql"), .place = &query_place};
    struct leat_input_names names = {0};
    if (!query.component || !configure(a, &query, settings, 1) || !ask_inputs(a, &query, &names))
        return false;
    if (names.count == 0) {
        // it reads nothing: a source gives its rows once
        query.kind = LEAT_SOURCE;
        query.component = need(a, LEAT_SOURCE, "values");
        if (!query.component || !configure(a, &query, settings, 1))
            return false;
    } else if (names.count > LEAT_INPUTS_MAX || !add_files(a, &names)) {
        return false;
    }
    a->graph.nodes[a->graph.node_count++] = query;
    return true;
}

static bool add_output(struct asking *a)
{
    static const char *const input[] = {"query"};
    a->graph.nodes[a->graph.node_count++] = (struct graph_node){.name = "answer",
                                                                .kind = LEAT_SINK,
                                                                .component = &sql_output_component,
                                                                .config = &a->output,
                                                                .input = input,
                                                                .input_count = 1,
                                                                .place = &query_place};
    return true;
}

// Nodes of FILE but its sinks.
static bool take_over(struct asking *a)
{
    const struct graph *from = a->session.pipelines[0].graph;
    struct base_arena *arena = a->session.config->arena;
    a->graph = *from;
    a->inner = from->reporter;
    a->graph.reporter = (struct graph_reporter){a, report, where};
    a->graph.nodes = base_arena_calloc(arena, from->node_count + LEAT_INPUTS_MAX + 4, sizeof *a->graph.nodes);
    a->graph.node_count = 0;
    a->source = base_source_make(arena, "query", a->query, strlen(a->query));
    for (uint32_t i = 0; a->graph.nodes && i < from->node_count; i++)
        if (from->nodes[i].kind != LEAT_SINK)
            a->graph.nodes[a->graph.node_count++] = from->nodes[i];
    return a->graph.nodes && a->source;
}

static bool all_bounded(struct asking *a)
{
    bool bounded = true;
    for (uint32_t job = 0; job < a->graph.job_count; job++) {
        struct base_error error;
        struct plan_job *plan = graph_plan(&a->graph, job, &error);
        for (uint32_t i = 0; plan && i < plan->node_count; i++)
            bounded = bounded && (plan->nodes[i]->kind != LEAT_SOURCE || plan->nodes[i]->source_plan.bounded);
        graph_plan_destroy(plan);
    }
    return bounded;
}

static bool build(struct asking *a)
{
    return take_over(a) && add_query(a) && add_output(a) && graph_link(&a->graph) && a->session.diags.errors == 0;
}

// --- running

static void on_ended(void *arg, struct pipeline *pipeline)
{
    struct asking *a = arg;
    loop_stop(a->machine.control);
}

static void on_signal(void *arg, int signal)
{
    struct asking *a = arg;
    if (a->interrupted)
        _exit(EXIT_OUTSIDE);
    a->interrupted = true;
    if (a->pipeline)
        pipeline_stop(a->pipeline, 1000000);
}

// The answer is not waited for when what the query reads cannot be reached.
static void look(void *arg)
{
    struct asking *a = arg;
    struct base_str reason;
    base_str_init(&reason);
    leat_usec now = loop_now(a->machine.control);
    uint64_t rows = sql_output_rows(&a->output);
    bool ready = pipeline_ready(a->pipeline, &reason) || rows != a->rows_seen;
    a->rows_seen = rows;
    if (ready)
        a->unready_since = 0;
    else if (!a->unready_since)
        a->unready_since = now;
    if (ready || now - a->unready_since < a->patience) {
        loop_timer_set(&a->look, LOOK);
    } else {
        base_fail(&a->gave_up, LEAT_TRANSIENT, "LEAT-V0108", "no answer within %lld s: %s",
                  (long long)(a->patience / 1000000), reason.len ? reason.ptr : "what the query reads does not answer");
        base_error_hint(&a->gave_up, "Give it longer with --timeout SECONDS, or for ever with --timeout 0.");
        pipeline_stop(a->pipeline, 1000000);
    }
    base_str_fini(&reason);
}

static void run_pipeline(struct asking *a)
{
    bool looks = a->patience && loop_timer_init(&a->look, a->machine.control, look, a);
    if (looks)
        loop_timer_set(&a->look, LOOK);
    pipeline_start(a->pipeline);
    loop_run(a->machine.control);
    if (looks)
        loop_timer_fini(&a->look);
}

static int exit_code(const struct base_error *error)
{
    return error->failure == LEAT_CONFIG || error->failure == LEAT_DATA ? EXIT_CONFIG
           : error->failure == LEAT_BUG                                 ? EXIT_BUG
                                                                        : EXIT_OUTSIDE;
}

// A row that cannot be computed is shown with its place in the query, as a fault of the query is.
static void print_error(struct asking *a, const struct base_error *error)
{
    if (strcmp(error->node, "query") != 0 || strcmp(error->option, "query") != 0 || !a->source) {
        machine_print_error(error, a->session.secrets);
        return;
    }
    struct base_place place = base_place_of_word(a->source, error->offset);
    base_diag_add(&a->session.diags, LEAT_DIAG_ERROR, error->code, &place, error->hint[0] ? error->hint : NULL, "%s",
                  error->message);
    session_report(&a->session, false);
}

static int answer(struct asking *a)
{
    struct base_error error;
    base_error_clear(&error);
    struct config_pipeline_options settings = *a->session.pipelines[0].options;
    settings.restart = CONFIG_RESTART_NONE;
    struct machine_options machine = {
        .secrets = a->session.secrets, .log_level = LEAT_LOG_WARN, .on_signal = on_signal, .arg = a};
    struct pipeline_options options = {.graph = &a->graph, .settings = &settings, .ended = on_ended, .arg = a};
    int code = 0;
    if (machine_start(&a->machine, &machine, &error) >= 0) {
        options.runtime = a->machine.runtime;
        options.control = a->machine.control;
        options.writer = a->machine.writer;
        options.metrics = a->machine.metrics;
        options.log = a->machine.log;
        a->pipeline = pipeline_create(&options, &error);
    }
    if (a->pipeline) {
        run_pipeline(a);
        pipeline_failed(a->pipeline, &error);
        pipeline_destroy(a->pipeline);
    }
    machine_end(&a->machine);
    if (a->gave_up.failure < 0)
        error = a->gave_up;
    // whoever reads the answer may have seen enough
    if (a->output.unread) {
        error.failure = LEAT_OK;
        __fpurge(stdout);
        clearerr(stdout);
    }
    if (error.failure < 0) {
        print_error(a, &error);
        code = exit_code(&error);
    } else if (!a->output.unread && !sql_output_end(&a->output) && !a->output.unread) {
        fprintf(stderr, "leat: could not write the answer: %s\n", strerror(errno));
        code = EXIT_OUTSIDE;
    }
    sql_output_fini(&a->output);
    return code;
}

// --- the command line

static char *read_stdin(void)
{
    char *text = malloc(QUERY_MAX + 1);
    size_t n = text ? fread(text, 1, QUERY_MAX, stdin) : 0;
    if (text)
        text[n] = 0;
    return text;
}

static bool read_seconds(const char *text, leat_usec *usec)
{
    char *end;
    errno = 0;
    long seconds = strtol(text, &end, 10);
    *usec = (leat_usec)seconds * 1000000;
    return end != text && !*end && !errno && seconds >= 0 && seconds <= 86400;
}

// A last ";" is what people are used to write.
static void trim(char *query)
{
    size_t n = strlen(query);
    while (n && strchr(" \t\r\n;", query[n - 1]))
        query[--n] = 0;
}

static bool open_session(struct asking *a, char **file)
{
    static const char nothing[] = "[pipeline]\nname = \"sql\"\n";
    return *file ? session_open_quiet(&a->session, file, NULL) : session_open_quiet(&a->session, NULL, nothing);
}

static int ask(struct asking *a, char **file)
{
    if (!open_session(a, file))
        return EXIT_OUTSIDE;
    if (a->session.diags.errors || a->session.pipeline_count == 0 || !build(a)) {
        session_report(&a->session, false);
        return EXIT_CONFIG;
    }
    a->output.bounded = all_bounded(a);
    if (a->session.diags.errors) {
        session_report(&a->session, false);
        return EXIT_CONFIG;
    }
    return answer(a);
}

static int run(int argc, char **argv)
{
    char *file = NULL, *query = NULL;
    struct asking a = {
        .patience = PATIENCE,
        .output = {.file = stdout, .format = isatty(STDOUT_FILENO) ? SQL_TABLE : SQL_TSV, .header = true}};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "-f") == 0 && i + 1 < argc)
            file = argv[++i];
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) {
            if (!read_seconds(argv[++i], &a.patience))
                return cli_usage(&cli_sql, "--timeout takes whole seconds", argv[i]);
        } else if (strcmp(argv[i], "--tsv") == 0)
            a.output.format = SQL_TSV;
        else if (strcmp(argv[i], "--json") == 0)
            a.output.format = SQL_JSON;
        else if (strcmp(argv[i], "--table") == 0)
            a.output.format = SQL_TABLE;
        else if (strcmp(argv[i], "--no-header") == 0)
            a.output.header = false;
        else if (argv[i][0] == '-' && argv[i][1] != 0 && argv[i][1] != '-')
            return cli_usage(&cli_sql, "unknown option", argv[i]);
        else if (argv[i][0] == '-' && argv[i][1] == '-' && argv[i][2] != ' ')
            return cli_usage(&cli_sql, "unknown option", argv[i]);
        else if (query)
            return cli_usage(&cli_sql, "one query at a time: put it in quotes", NULL);
        else
            query = argv[i];
    }
    query = query ? strdup(query) : read_stdin();
    if (!query)
        return EXIT_OUTSIDE;
    trim(query);
    a.query = query;
    int code = ask(&a, &file);
    session_close(&a.session);
    free(query);
    return code;
}

const struct cli_verb cli_sql = {
    .name = "sql",
    .arguments = "[-f FILE] [--table|--tsv|--json] [--no-header] [--timeout S] [QUERY]",
    .summary = "runs a query now, over VALUES, files, or the sources of FILE",
    .run = run,
    .help = "The query is Flink SQL; without QUERY it is read from the standard input.\n"
            "\n"
            "  leat sql \"SELECT 1 + 1 AS two, CAST('2024-02-29' AS DATE) AS day\"\n"
            "  leat sql \"SELECT city, total FROM `orders.jsonl` WHERE total > 100\"   a file of JSON lines\n"
            "  leat sql -f etc/orders.toml \"SELECT * FROM ods_orders_in\"               a source of a pipeline\n"
            "\n"
            "  -f FILE       sources, lookups and operators of this pipeline file can be read\n"
            "  --table       an aligned table (the default on a terminal)\n"
            "  --tsv         tab-separated; NULL is \\N, backslashes and control characters are escaped (the default "
            "elsewhere)\n"
            "  --json        one JSON object a line\n"
            "  --no-header   no line with the names of the columns\n"
            "  --timeout S   gives up when what is read cannot be reached for S seconds (30; 0 = never)\n"
            "\n"
            "Changes of a bounded input are settled first; those of an unbounded one are shown with their kind (+I -U "
            "+U -D).",
};
