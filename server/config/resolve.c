// SPDX-License-Identifier: Apache-2.0
// From names of components to components: finds them in the registry and parses the options of every node.
#include <string.h>

#include "base/arena.h"
#include "config/config_int.h"
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

// The connector exists, but not in this direction.
static bool report_other_kind(struct config *config, const struct config_node *node,
                              const struct plugin_registry *registry)
{
    static const uint8_t kinds[] = {LEAT_SOURCE, LEAT_LOOKUP, LEAT_SINK, LEAT_OPERATOR};
    for (size_t i = 0; i < sizeof kinds; i++) {
        if (kinds[i] == node->kind || !plugin_registry_find(registry, kinds[i], node->type))
            continue;
        ERROR(config, "LEAT-C0014", &node->type_place, NULL, "\"%s\" is known as a %s, not as a %s", node->type,
              plugin_kind_name(kinds[i]), plugin_kind_name(node->kind));
        return true;
    }
    return false;
}

// Connectors and operators of Flink that have no plugin yet are known by name.
static bool known_in_flink(const char *type)
{
    static const char *const names[] = {
        "mysql-cdc",     "oracle-cdc",      "sqlserver-cdc",   "mongodb-cdc", "db2-cdc",   "tidb-cdc", "vitess-cdc",
        "oceanbase-cdc", "elasticsearch-7", "elasticsearch-8", "opensearch",  "hbase-2.2", "kinesis",  "firehose",
        "dynamodb",      "mongodb",         "pulsar",          "rabbitmq",    "hive",      "iceberg",  "paimon",
        "hudi",          "starrocks",       "doris",           "filesystem"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], type) == 0)
            return true;
    }
    return false;
}

static void report_unknown(struct config *config, const struct config_node *node,
                           const struct plugin_registry *registry)
{
    const char *noun = node->kind == LEAT_OPERATOR ? "operator" : "connector";
    const char *near = base_diag_nearest(config->diags, node->type, plugin_registry_names(registry, node->kind));
    bool sink = node->kind == LEAT_SINK && plugin_registry_find(registry, LEAT_SOURCE, node->type);
    if (known_in_flink(node->type)) // filesystem: a source here, a sink too in Flink
        ERROR(config, "LEAT-C0015", &node->type_place, NULL, "%s \"%s\" is known in Flink%s, not supported yet", noun,
              node->type, sink ? " as a sink" : "");
    else if (!report_other_kind(config, node, registry))
        ERROR(config, "LEAT-C0014", &node->type_place,
              near ? near : "\"leat plugins\" lists what there is; a plugin is a file in the folder plugin.dir.",
              "unknown %s \"%s\"", noun, node->type);
}

// The same connector as another kind of node: its options "do nothing here".
static const struct leat_component *counterpart(const struct plugin_registry *registry, const struct config_node *node,
                                                const char **where)
{
    uint8_t kind = node->kind == LEAT_SINK ? LEAT_SOURCE : LEAT_SINK;
    *where = kind == LEAT_SINK ? "sinks" : "sources";
    return node->kind == LEAT_OPERATOR ? NULL : plugin_registry_find(registry, kind, node->type);
}

static void resolve_node(struct config *config, struct config_node *node, const struct plugin_registry *registry)
{
    if (!node->type)
        return;
    node->component = plugin_registry_find(registry, node->kind, node->type);
    if (!node->component) {
        report_unknown(config, node, registry);
        return;
    }
    struct plugin_parse parse = {.arena = config->arena,
                                 .diags = config->diags,
                                 .secrets = config->secrets,
                                 .registry = registry,
                                 .place = node->place,
                                 .settings = node->settings,
                                 .setting_count = node->setting_count};
    parse.owner = base_arena_sprintf(config->arena, "%s \"%s\"", node->kind == LEAT_OPERATOR ? "operator" : "connector",
                                     node->type);
    if (!parse.owner) {
        no_memory(config);
        return;
    }
    node->config = plugin_component_parse(&parse, node->component);
    node->formats = parse.formats;
    node->format_count = parse.format_count;
    const char *where;
    const struct leat_component *other = counterpart(registry, node, &where);
    uint32_t core_count;
    const struct leat_option *core = config_table(section_of(node->kind), &core_count);
    plugin_options_unknown(&parse, (const struct leat_option *const[]){node->component->options, core, NULL},
                           (const uint32_t[]){node->component->option_count, core_count}, other ? other->options : NULL,
                           other ? other->option_count : 0, where);
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
            return plugin_setting_place(&node->settings[i], offset);
    }
    return node->place;
}
