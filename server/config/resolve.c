// SPDX-License-Identifier: Apache-2.0
// From names of components to components: finds them in the registry and parses the options of every node.
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/config_int.h"
#include "plugin/flink.h"
#include "plugin/registry.h"

static enum section section_of(uint8_t kind)
{
    switch (kind) {
    case LEAT_SOURCE:
        return SECTION_SOURCES;
    case LEAT_LOOKUP:
        return SECTION_LOOKUPS;
    case LEAT_OPERATOR:
        return SECTION_OPERATORS;
    default:
        return SECTION_SINKS;
    }
}

// The kind of node that the component exists for, when not for this one; 0 = none.
static uint8_t has_other_kind(const struct config_node *node, const struct plugin_registry *registry)
{
    static const uint8_t kinds[] = {LEAT_SOURCE, LEAT_LOOKUP, LEAT_SINK, LEAT_OPERATOR, LEAT_FORMAT};
    for (size_t i = 0; i < sizeof kinds; i++) {
        if (kinds[i] != node->kind && plugin_registry_find(registry, kinds[i], node->type))
            return kinds[i];
    }
    return 0;
}

// "As a sink there are: jdbc, kafka."
static const char *listed(struct config *config, const struct plugin_registry *registry, uint8_t kind)
{
    struct base_str text;
    base_str_init(&text);
    const char *const *names = plugin_registry_names(registry, kind);
    base_str_addf(&text, "As %s there are: ", plugin_kind_with_article(kind));
    for (const char *const *name = names; *name; name++)
        base_str_addf(&text, "%s%s", name == names ? "" : ", ", *name);
    base_str_addc(&text, '.');
    const char *copy = base_str_ok(&text) ? base_arena_strdup(config->arena, text.ptr) : NULL;
    base_str_fini(&text);
    return *names ? copy
                  : "There is none: is plugin.dir the folder of the plugins? \"leat plugins\" lists what there is.";
}

// What to take for a connector of Flink that is not there. `kind`: as which it is here, 0 = as none.
static const char *instead(struct config *config, const struct config_node *node,
                           const struct plugin_registry *registry, uint8_t kind)
{
    size_t n = strlen(node->type);
    if (kind)
        return base_arena_sprintf(config->arena, "Here it is %s.", plugin_kind_with_article(kind));
    if (node->kind == LEAT_SOURCE && n > 4 && strcmp(node->type + n - 4, "-cdc") == 0 &&
        plugin_registry_find(registry, LEAT_SOURCE, "postgres-cdc"))
        return "Changes are captured from PostgreSQL only: postgres-cdc.";
    return listed(config, registry, node->kind);
}

static void report_unknown(struct config *config, const struct config_node *node,
                           const struct plugin_registry *registry)
{
    const char *noun = node->kind == LEAT_OPERATOR ? "operator" : "connector";
    const char *near = base_diag_nearest(config->diags, node->type, plugin_registry_names(registry, node->kind));
    uint8_t kind = has_other_kind(node, registry);
    if (plugin_flink_has(node->kind, node->type))
        ERROR(config, "LEAT-C0015", &node->type_place, instead(config, node, registry, kind),
              "%s \"%s\" is known in Flink%s%s, not supported yet", noun, node->type, kind ? " as " : "",
              kind ? plugin_kind_with_article(node->kind) : "");
    else if (kind)
        ERROR(config, "LEAT-C0014", &node->type_place, NULL, "\"%s\" is known as %s, not as %s", node->type,
              plugin_kind_with_article(kind), plugin_kind_with_article(node->kind));
    else
        ERROR(config, "LEAT-C0014", &node->type_place, near ? near : listed(config, registry, node->kind),
              "unknown %s \"%s\"", noun, node->type);
}

// The same connector as another kind of node: its options "do nothing here".
static const struct leat_component *counterpart(const struct plugin_registry *registry, const struct config_node *node,
                                                const char **where)
{
    static const struct {
        uint8_t kind;
        const char *where;
    } others[] = {{LEAT_SINK, "sinks"}, {LEAT_SOURCE, "sources"}, {LEAT_LOOKUP, "lookups"}};
    const struct leat_component *found = NULL;
    for (size_t i = 0; i < sizeof others / sizeof others[0] && node->kind != LEAT_OPERATOR && !found; i++) {
        *where = others[i].where;
        found = others[i].kind == node->kind ? NULL : plugin_registry_find(registry, others[i].kind, node->type);
    }
    return found;
}

// What a kind of node is called in messages.
static const char *noun_of(const struct config_node *node)
{
    return node->kind == LEAT_OPERATOR ? "operator" : "connector";
}

// Finds the component; reports what is wrong with its name, and goes on with the one that was meant.
static void find_component(struct config *config, struct config_node *node, const struct plugin_registry *registry)
{
    node->component = plugin_registry_find(registry, node->kind, node->type);
    if (node->component)
        return;
    report_unknown(config, node, registry);
    node->faulty = 1;
    const char *near = plugin_flink_has(node->kind, node->type)
                           ? NULL
                           : base_nearest(node->type, plugin_registry_names(registry, node->kind));
    if (!near || has_other_kind(node, registry))
        return;
    node->type = near;
    node->component = plugin_registry_find(registry, node->kind, near);
}

static const struct plugin_setting *find(const struct config_node *node, const char *path)
{
    for (uint32_t i = 0; i < node->setting_count; i++) {
        if (strcmp(node->settings[i].path, path) == 0)
            return &node->settings[i];
    }
    return NULL;
}

// Rules across the core's own options.
static void check_core(struct config *config, const struct config_node *node)
{
    const struct plugin_setting *on_error = find(node, "on-error"), *sink = find(node, "dead-letter.sink"),
                                *watermark = find(node, "watermark.column");
    if (node->options.on_error == CONFIG_ON_ERROR_DEAD_LETTER)
        ERROR(config, "LEAT-C0015", &on_error->place, "Write \"fail\" or \"skip\".",
              "on-error \"dead-letter\" is not available yet");
    if (sink)
        ERROR(config, "LEAT-C0015", &sink->key_place, "Remove it; on-error = \"skip\" goes on without bad rows.",
              "dead-letter sinks are not available yet");
    if (node->kind == LEAT_SOURCE && watermark)
        base_diag_add(config->diags, LEAT_DIAG_WARNING, "LEAT-C0015", &watermark->key_place, NULL,
                      "watermarks have no effect yet: nothing that reads them is available");
}

// The options that the core itself wants to know.
static bool read_core(struct config *config, struct config_node *node, struct plugin_parse *parse)
{
    uint32_t count;
    const struct leat_option *table = config_table(section_of(node->kind), &count);
    const char *owner = parse->owner;
    parse->owner = base_arena_sprintf(config->arena, "%s \"%s\"", plugin_kind_name(node->kind), node->name);
    bool ok = parse->owner && plugin_options_parse(parse, table, count, &node->options);
    node->faulty_options = parse->faulty;
    node->faulty_option_count = parse->faulty_count;
    if (parse->owner)
        check_core(config, node);
    parse->owner = owner;
    return ok;
}

// The component's own options. What has faults is asked all the same what it makes of its columns.
static void read_own(struct config_node *node, struct plugin_parse *parse)
{
    bool ok = true;
    node->config = plugin_component_parse(parse, node->component, &ok);
    node->refused = parse->refused;
    node->formats = parse->formats;
    node->format_count = parse->format_count;
    node->faulty_options = parse->faulty;
    node->faulty_option_count = parse->faulty_count;
}

// Options that the core has for other kinds of nodes.
static void report_misplaced(struct config *config, struct config_node *node)
{
    static const struct {
        uint8_t kind;
        const char *option, *hint;
    } rows[] = {
        {LEAT_OPERATOR, "input", "An operator reads what its query names."},
        {LEAT_SOURCE, "input", "A source reads from outside; operators and sinks name what they read."},
        {LEAT_LOOKUP, "input", "A lookup is asked by queries that join it."},
        {LEAT_SINK, "query",
         "A query is a node of its own: [operators.NAME] with operator = \"sql\"; the sink names it as its input."},
        {LEAT_SOURCE, "query",
         "A query is a node of its own: [operators.NAME] with operator = \"sql\", which names the source."},
    };
    for (uint32_t i = 0; i < node->setting_count; i++)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            struct plugin_setting *s = &node->settings[i];
            if (s->used || rows[k].kind != node->kind || strcmp(s->path, rows[k].option) != 0)
                continue;
            s->used = true;
            ERROR(config, "LEAT-C0019", &s->key_place, rows[k].hint, "option \"%s\" does nothing in %s", s->path,
                  plugin_kind_with_article(node->kind));
        }
}

// Options of [pipeline] and [server] that stand in a node.
static void report_of_sections(struct plugin_parse *parse, const struct leat_option *const *tables,
                               const uint32_t *counts)
{
    static const struct {
        enum section section;
        const char *where;
    } rows[] = {{SECTION_PIPELINE, "[pipeline]"}, {SECTION_SERVER, "[server]"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t count;
        const struct leat_option *table = config_table(rows[i].section, &count);
        plugin_options_elsewhere(parse, tables, counts, table, count, rows[i].where);
    }
}

static void resolve_node(struct config *config, struct config_node *node, const struct plugin_registry *registry)
{
    uint32_t before = config->diags->errors, counts[2] = {0};
    const struct leat_option *tables[3] = {config_table(section_of(node->kind), &counts[0])};
    const struct leat_component *other = NULL;
    const char *where = NULL;
    if (node->type)
        find_component(config, node, registry);
    if (node->component) {
        tables[1] = node->component->options;
        counts[1] = node->component->option_count;
        other = counterpart(registry, node, &where);
    }
    struct plugin_parse parse = {.arena = config->arena,
                                 .diags = config->diags,
                                 .secrets = config->secrets,
                                 .registry = registry,
                                 .place = node->place,
                                 .settings = node->settings,
                                 .setting_count = node->setting_count};
    parse.owner = node->component
                      ? base_arena_sprintf(config->arena, "%s \"%s\"", noun_of(node), node->type)
                      : base_arena_sprintf(config->arena, "%s \"%s\"", plugin_kind_name(node->kind), node->name);
    if (!parse.owner) {
        no_memory(config);
        return;
    }
    if (node->component)
        report_of_sections(&parse, tables, counts);
    plugin_options_correct(&parse, tables, counts, other ? other->options : NULL, other ? other->option_count : 0);
    read_core(config, node, &parse);
    if (node->component) {
        read_own(node, &parse);
        report_misplaced(config, node);
        plugin_options_unknown(&parse, tables, counts, other ? other->options : NULL, other ? other->option_count : 0,
                               where);
    }
    node->faulty |= config->diags->errors != before;
}

bool config_resolve(struct config *config, const struct plugin_registry *registry)
{
    uint32_t before = config->diags->errors;
    for (uint32_t i = 0; i < config->pipeline_count; i++) {
        for (uint32_t j = 0; j < config->pipelines[i].node_count; j++)
            resolve_node(config, &config->pipelines[i].nodes[j], registry);
    }
    return config->diags->errors == before;
}

struct base_place config_option_place(const struct config_node *node, const char *option, uint32_t offset)
{
    for (uint32_t i = 0; option && i < node->setting_count; i++) {
        if (strcmp(node->settings[i].path, option) == 0)
            return plugin_setting_fault(&node->settings[i], offset);
    }
    return node->place;
}
