// SPDX-License-Identifier: Apache-2.0
// See build.h.
#include "graph/build.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "data/schema.h"
#include "graph/graph_int.h"
#include "plugin/registry.h"
#include "typetext.h"

struct builder {
    struct config *config;
    struct graph *graph;
};

#define FAULT(b, code, place, hint, ...)                                                                               \
    base_diag_add((b)->config->diags, LEAT_DIAG_ERROR, code, place, hint, __VA_ARGS__)

static bool speaks_of_faulty(const struct config_node *node, const char *option, const char *hint, const char *message)
{
    const char *const texts[] = {option, hint, message};
    for (size_t i = 0; i < 3; i++)
        if (plugin_speaks_of(node->faulty_options, node->faulty_option_count, texts[i]))
            return true;
    return false;
}

static struct base_place place_of(const struct config_node *c, const char *option, uint32_t offset)
{
    struct base_place place = c ? config_option_place(c, option, offset) : (struct base_place){0};
    for (uint32_t i = 0; c && option && i < c->column_count; i++)
        if (strncmp(option, "schema.", 7) == 0 && strcmp(option + 7, c->columns[i].name) == 0)
            place = plugin_setting_place(c->columns[i].setting, offset);
    return place;
}

static void where(void *arg, const struct graph_node *node, const char *option, uint32_t offset, char *text,
                  size_t size)
{
    struct base_place place = place_of(node->place, option, offset);
    if (place.source)
        snprintf(text, size, "It stands in %s:%u:%u.", place.source->name, place.line, place.column);
}

// Diagnostics of plugins and of the planner find their place in the file.
static void report(void *arg, const struct graph_node *node, uint8_t severity, const char *code, const char *option,
                   uint32_t offset, const char *hint, const char *message)
{
    struct config *config = arg;
    const struct config_node *c = node ? node->place : NULL;
    if (c && speaks_of_faulty(c, option, hint, message))
        return; // only repeats, in other words, what was said of the option
    struct base_place place = place_of(c, option, offset);
    base_diag_add(config->diags, severity, code, &place, hint, "%s", message);
}

static void *arena_alloc(void *arg, size_t size)
{
    return base_arena_calloc(arg, 1, size ? size : 1);
}

// The name of a type that was meant.
static const char *type_hint(struct builder *b, const char *text)
{
    static const char *const words[] = {"BOOLEAN",   "TINYINT", "SMALLINT", "INT",     "BIGINT",    "FLOAT",
                                        "DOUBLE",    "DECIMAL", "CHAR",     "VARCHAR", "STRING",    "BINARY",
                                        "VARBINARY", "BYTES",   "DATE",     "TIME",    "TIMESTAMP", "TIMESTAMP_LTZ",
                                        "INTERVAL",  "ARRAY",   "MAP",      "ROW",     NULL};
    static const struct {
        const char *name, *hint;
    } others[] = {
        // of other databases
        {"NUMBER", "Write DECIMAL(p, s), or BIGINT for whole numbers."},
        {"LONG", "Write BIGINT."},
        {"INT2", "Write SMALLINT."},
        {"INT4", "Write INT."},
        {"INT8", "Write BIGINT."},
        {"SERIAL", "Write INT."},
        {"BIGSERIAL", "Write BIGINT."},
        {"FLOAT4", "Write FLOAT."},
        {"FLOAT8", "Write DOUBLE."},
        {"REAL", "Write FLOAT."},
        {"MONEY", "Write DECIMAL(p, s)."},
        {"BOOL", "Write BOOLEAN."},
        {"BIT", "Write BOOLEAN."},
        {"TEXT", "Write STRING."},
        {"VARCHAR2", "Write VARCHAR(n) or STRING."},
        {"NVARCHAR", "Write VARCHAR(n) or STRING."},
        {"UUID", "Write STRING."},
        {"JSON", "Write STRING."},
        {"JSONB", "Write STRING."},
        {"BLOB", "Write BYTES."},
        {"BYTEA", "Write BYTES."},
        {"DATETIME", "Write TIMESTAMP(p)."},
        {"TIMESTAMPTZ", "Write TIMESTAMP_LTZ(p)."},
    };
    char word[32];
    size_t n = strcspn(text, " (<");
    if (n >= sizeof word)
        return NULL;
    for (size_t i = 0; i < n; i++)
        word[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    word[n] = 0;
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return NULL; // the name is right
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, word) == 0)
            return others[i].hint;
    return base_diag_nearest(b->config->diags, word, words);
}

// Flink's table definitions have more in the place of a type, which is written otherwise here.
static const char *column_hint(struct builder *b, const struct config_column *c)
{
    if (strcasestr(c->type, "PRIMARY KEY") || strcasecmp(c->name, "PRIMARY KEY") == 0)
        return "The key is an option of the node: primary-key = [\"column\", …].";
    if (strcasecmp(c->name, "WATERMARK") == 0)
        return "Options of the node tell of it: watermark.column and watermark.delay.";
    if (strcasestr(c->type, " DEFAULT "))
        return "Columns have no defaults: write COALESCE(column, …) in a query.";
    if (strcasestr(c->type, " METADATA"))
        return "Metadata as columns are known in Flink, not supported yet.";
    return type_hint(b, c->type);
}

// "AS expression": a column that is computed.
static bool is_computed(const char *type)
{
    type += strspn(type, " \t");
    return strncasecmp(type, "AS", 2) == 0 && (type[2] == ' ' || type[2] == '\t');
}

static bool is_proctime(const char *type)
{
    char text[16];
    size_t n = 0;
    for (; *type && n + 1 < sizeof text; type++)
        if (*type != ' ' && *type != '\t')
            text[n++] = *type;
    text[n] = 0;
    return !*type && strcasecmp(text, "ASPROCTIME()") == 0;
}

static bool read_computed(struct builder *b, const struct config_node *node, const struct config_column *c,
                          struct leat_bytes *to)
{
    *to = (struct leat_bytes){(const uint8_t *)c->name, (uint32_t)strlen(c->name)};
    if (node->kind == LEAT_SOURCE && is_proctime(c->type))
        return true;
    struct base_place place = plugin_setting_place(c->setting, 0);
    FAULT(b, "LEAT-G0020", &place, "Compute the column in a query.",
          "column \"%s\" is computed: a schema knows \"AS PROCTIME()\" only, and that in sources", c->name);
    return false;
}

// A type that cannot be read is unknown; the column is there all the same.
static bool read_columns(struct builder *b, const struct config_node *node, struct leat_schema *schema,
                         struct graph_node *out)
{
    static const struct leat_type unknown = {
        .kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX, .flags = LEAT_TYPE_IS_UNKNOWN};
    struct leat_field *columns = base_arena_calloc(b->graph->arena, node->column_count + 1, sizeof *columns);
    struct leat_bytes *proctime = base_arena_calloc(b->graph->arena, node->column_count + 1, sizeof *proctime);
    bool ok = columns && proctime;
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->column_count && columns && proctime; i++) {
        const struct config_column *c = &node->columns[i];
        struct typetext_error error;
        if (c->type && is_computed(c->type)) {
            ok = read_computed(b, node, c, &proctime[out->proctime_count++]) && ok;
            continue;
        }
        struct leat_field *column = &columns[n++];
        column->name = (struct leat_bytes){(const uint8_t *)c->name, (uint32_t)strlen(c->name)};
        if (c->type && typetext_parse(c->type, strlen(c->type), arena_alloc, b->graph->arena, &column->type, &error))
            continue;
        ok = false;
        column->type = unknown;
        if (!c->type)
            continue; // reported
        struct base_place place = plugin_setting_place(c->setting, error.offset);
        out->key_in_schema |= strcasestr(c->type, "PRIMARY KEY") != NULL || strcasecmp(c->name, "PRIMARY KEY") == 0;
        FAULT(b, "LEAT-G0020", &place, column_hint(b, c), "the type of column \"%s\" cannot be read: %s", c->name,
              error.message);
    }
    out->proctime = proctime;
    schema->columns = columns;
    schema->column_count = n;
    return ok;
}

static const char *nearest_column(struct builder *b, const struct leat_schema *schema, const char *name)
{
    const char **words = base_arena_calloc(b->graph->arena, schema->column_count + 1, sizeof *words);
    for (uint32_t i = 0; words && i < schema->column_count; i++)
        words[i] = graph_strndup(b->graph, (const char *)schema->columns[i].name.ptr, schema->columns[i].name.len);
    return words ? base_diag_nearest(b->config->diags, name, words) : NULL;
}

static bool read_key(struct builder *b, const struct config_node *node, struct leat_schema *schema,
                     const struct graph_node *out)
{
    const struct leat_strings *names = &node->options.primary_key;
    uint32_t *key = base_arena_calloc(b->graph->arena, names->count + 1, sizeof *key);
    bool ok = key != NULL;
    for (uint32_t i = 0; i < names->count && key; i++) {
        const char *name = names->items[i];
        key[i] = leat_schema_find(schema, (struct leat_bytes){(const uint8_t *)name, (uint32_t)strlen(name)});
        if (key[i] != UINT32_MAX)
            continue;
        struct base_place place = config_option_place(node, "primary-key", 0);
        FAULT(b, "LEAT-G0021", &place,
              strchr(name, ',') ? "Several columns are a list: primary-key = [\"a\", \"b\"]."
                                : nearest_column(b, schema, name),
              "primary-key names \"%s\", which is no column of the schema", name);
        key[i] = 0; // some column stands in for it
        ok = false;
    }
    if (speaks_of_faulty(node, "primary-key", NULL, NULL) ||
        (out->key_in_schema && !names->count)) { // there is one, but which?
        static const uint32_t first[1];
        schema->key = first;
        schema->key_count = 1;
        schema->flags = LEAT_SCHEMA_KEY_IMMEDIATE;
        return false;
    }
    schema->key = key;
    schema->key_count = names->count;
    // rows that a user tells apart by a key come one after the other
    schema->flags = names->count ? LEAT_SCHEMA_KEY_IMMEDIATE : 0;
    return ok;
}

static bool read_schema(struct builder *b, const struct config_node *node, struct graph_node *out)
{
    if (!node->has_schema) {
        if (node->schema_faulty)
            return false;
        if (node->options.primary_key.count == 0)
            return true;
        struct base_place place = config_option_place(node, "primary-key", 0);
        FAULT(b, "LEAT-G0022", &place, "Declare the columns in a section of their own, or leave primary-key out.",
              "primary-key does nothing here: \"%s\" declares no schema", node->name);
        return false;
    }
    struct leat_schema *schema = base_arena_calloc(b->graph->arena, 1, sizeof *schema);
    if (!schema)
        return false;
    schema->struct_size = sizeof *schema;
    uint32_t stored = 0;
    for (uint32_t i = 0; i < node->column_count; i++)
        stored += !node->columns[i].type || !is_computed(node->columns[i].type);
    if (stored == 0) {
        FAULT(b, "LEAT-G0023", &node->schema_place, "Write one column a line: order_id = \"BIGINT NOT NULL\"",
              "the schema of \"%s\" has no columns", node->name);
        return false;
    }
    bool columns = read_columns(b, node, schema, out), key = schema->columns && read_key(b, node, schema, out);
    out->declared = schema->columns ? schema : NULL;
    return columns && key;
}

// The format decides what kinds of changes a source gives.
static bool has_faulty_format(const struct config_node *node)
{
    for (uint32_t i = 0; i < node->faulty_option_count; i++) {
        const char *name = node->faulty_options[i];
        size_t n = strlen(name);
        if (n >= 6 && strcmp(name + n - 6, "format") == 0)
            return true;
    }
    return false;
}

// By which of its names the option is given.
static const char *parallelism_option(const struct config_node *node)
{
    static const char *const names[] = {"scan.parallelism", "sink.parallelism"};
    for (uint32_t i = 0; i < node->setting_count; i++)
        for (size_t k = 0; k < 2; k++)
            if (strcmp(node->settings[i].path, names[k]) == 0)
                return names[k];
    return "parallelism";
}

static bool build_node(struct builder *b, const struct config_node *node, struct graph_node *out)
{
    const struct config_node_options *o = &node->options;
    *out = (struct graph_node){
        .name = node->name,
        .kind = node->kind,
        .component = node->component,
        .config = node->config,
        .refused = node->refused,
        .formats = node->formats,
        .format_count = node->format_count,
        .parallelism = o->parallelism > 0 ? (uint32_t)o->parallelism : 0,
        .parallelism_option = parallelism_option(node),
        .on_error = o->on_error == CONFIG_ON_ERROR_SKIP ? PLAN_ON_ERROR_SKIP : PLAN_ON_ERROR_FAIL,
        .place = node,
    };
    bool declares = node->kind == LEAT_SOURCE || node->kind == LEAT_LOOKUP;
    if (node->kind == LEAT_SINK) {
        out->input = o->input.items;
        out->input_count = o->input.count;
        out->primary_key = o->primary_key.items;
        out->primary_key_count = o->primary_key.count;
        out->uncertain = speaks_of_faulty(node, "primary-key", NULL, NULL);
    }
    if (declares)
        out->uncertain = !read_schema(b, node, out) || has_faulty_format(node);
    out->no_schema = declares && !out->declared && (node->has_schema || node->schema_faulty);
    return node->component && node->config && !out->uncertain;
}

struct graph *graph_build(struct config *config, struct config_pipeline *pipeline,
                          const struct plugin_registry *registry, bool *ok)
{
    struct graph *graph = base_arena_calloc(config->arena, 1, sizeof *graph);
    struct graph_node *nodes = base_arena_calloc(config->arena, pipeline->node_count + 1, sizeof *nodes);
    if (!graph || !nodes)
        return NULL;
    struct builder b = {config, graph};
    const struct config_pipeline_options *o = &pipeline->options;
    *graph = (struct graph){
        .arena = config->arena,
        .pipeline = o->name,
        .local_time_zone = o->time_zone ? o->time_zone : "UTC",
        .parallelism = o->parallelism > 0 ? (uint32_t)o->parallelism : 1,
        .nodes = nodes,
        .node_count = pipeline->node_count,
        .normalizer = plugin_registry_find(registry, LEAT_OPERATOR, "normalize"),
        .reporter = {config, report, where},
        .incomplete = pipeline->incomplete,
        .nodes_missing = pipeline->nodes_missing,
    };
    *ok = true;
    for (uint32_t i = 0; i < pipeline->node_count; i++)
        if (!build_node(&b, &pipeline->nodes[i], &nodes[i]) || pipeline->nodes[i].faulty) {
            nodes[i].broken = 1;
            *ok = false;
        }
    return graph;
}

// --- what only one can have

static void claimed_twice(struct graph *graph, const struct graph_node *node, const struct graph *other,
                          const struct graph_node *first)
{
    const struct config_node *place = first->place;
    const struct base_place at = place ? place->place : (struct base_place){0};
    graph_report(
        graph, node, LEAT_DIAG_ERROR, "LEAT-G0029", node->exclusive_option, 0,
        "Give each its own; or read it once and let several sinks and queries name that source as their input.",
        "source \"%s\" reads %s, which is already read by source \"%s\" of pipeline \"%s\" (%s:%u); only one can",
        node->name, node->exclusive, first->name, other->pipeline, at.source ? at.source->name : "?", at.line);
}

void graph_check_exclusive(struct graph *graph, const struct graph *other)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        for (uint32_t k = 0; node->exclusive && k < (graph == other ? i : other->node_count); k++) {
            const struct graph_node *first = &other->nodes[k];
            if (!first->exclusive || strcmp(first->exclusive, node->exclusive) != 0)
                continue;
            claimed_twice(graph, node, other, first);
            break;
        }
    }
}
