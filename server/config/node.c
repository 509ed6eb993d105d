// SPDX-License-Identifier: Apache-2.0
// One node of a pipeline: its name, its type, its schema section, and what the core wants to know of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/config_int.h"
#include "plugin/registry.h"

static const struct {
    uint8_t kind;
    const char *noun; // "source"
    const char *type; // the option that names the component
    bool schema;      // may declare one
} shapes[] = {
    [SECTION_SOURCES] = {LEAT_SOURCE, "source", "connector", true},
    [SECTION_LOOKUPS] = {LEAT_LOOKUP, "lookup", "connector", true},
    [SECTION_OPERATORS] = {LEAT_OPERATOR, "operator", "operator", false},
    [SECTION_SINKS] = {LEAT_SINK, "sink", "connector", false},
};

static bool name_is_right(const char *name, uint32_t len)
{
    if (!len || len > CONFIG_NAME_MAX || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (uint32_t i = 0; i < len; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

// Names of nodes share one namespace. False if the name is taken.
static bool check_name(struct config *config, const struct config_pipeline *pipeline, const char *noun,
                       const struct toml_node *member)
{
    if (!name_is_right(member->key, member->key_len)) {
        ERROR(config, "LEAT-C0012", &member->key_place,
              "Names consist of letters, digits and '_', do not begin with a digit, and have at most 64 characters.",
              "\"%s\" is no name for a %s", member->key, noun);
        return true; // others may read it by this name, and are not to be blamed for it
    }
    for (uint32_t i = 0; i < pipeline->node_count; i++) {
        const struct config_node *n = &pipeline->nodes[i];
        if (strcmp(n->name, member->key) != 0)
            continue;
        char hint[160];
        snprintf(hint, sizeof hint,
                 "The other one is %s in line %u; sources, lookups, operators and sinks share their names.",
                 plugin_kind_with_article(n->kind), n->place.line);
        ERROR(config, "LEAT-C0013", &member->key_place, hint, "there is another node called \"%s\"", member->key);
        return false;
    }
    return true;
}

static struct plugin_setting *find(const struct config_node *node, const char *path)
{
    for (uint32_t i = 0; i < node->setting_count; i++) {
        if (strcmp(node->settings[i].path, path) == 0)
            return &node->settings[i];
    }
    return NULL;
}

// "connecter" is meant for "connector".
static struct plugin_setting *find_misspelt(struct config *config, struct config_node *node, const char *noun,
                                            const char *option)
{
    for (uint32_t i = 0; i < node->setting_count; i++) {
        struct plugin_setting *s = &node->settings[i];
        if (!base_nearest(s->path, (const char *const[]){option, NULL}))
            continue;
        char hint[64];
        snprintf(hint, sizeof hint, "Did you mean \"%s\"?", option);
        ERROR(config, "LEAT-C0005", &s->key_place, hint, "unknown option \"%s\" of %s \"%s\"", s->path, noun,
              node->name);
        s->path = option;
        return s;
    }
    return NULL;
}

static void read_type(struct config *config, struct config_node *node, const char *noun, const char *option)
{
    struct plugin_setting *s = find(node, option);
    node->type_place = node->place;
    if (!s)
        s = find_misspelt(config, node, noun, option);
    if (!s) {
        const char *hint =
            strcmp(option, "connector") == 0 ? "For example: connector = \"kafka\"" : "For example: operator = \"sql\"";
        ERROR(config, "LEAT-C0008", &node->place, hint, "%s \"%s\" needs the option \"%s\"", noun, node->name, option);
        return;
    }
    s->used = true;
    node->type_place = s->place;
    if (s->kind != PLUGIN_TEXT)
        ERROR(config, "LEAT-C0006", &s->place, NULL, "option \"%s\" must be a string in quotes", option);
    else if (!s->broken)
        node->type = s->text;
}

static void read_columns(struct config *config, struct config_node *node, const struct toml_node *schema)
{
    uint32_t count = 0;
    for (const struct toml_node *n = schema->first; n; n = n->next)
        count++;
    node->columns = base_arena_calloc(config->arena, count + 1, sizeof *node->columns);
    struct plugin_setting *settings = base_arena_calloc(config->arena, count + 1, sizeof *settings);
    if (!node->columns || !settings) {
        no_memory(config);
        return;
    }
    for (const struct toml_node *n = schema->first; n; n = n->next) {
        struct plugin_setting *s = &settings[node->column_count];
        const char *path = base_arena_sprintf(config->arena, "schema.%s", n->key);
        struct config_column *column = &node->columns[node->column_count++];
        *column = (struct config_column){.name = n->key, .name_place = n->key_place, .setting = s};
        if (!*n->key || strlen(n->key) != n->key_len)
            ERROR(config, "LEAT-C0012", &n->key_place, NULL,
                  "the name of a column must not be empty or hold a NUL character");
        else if (n->kind == TOML_TABLE)
            ERROR(config, "LEAT-C0012", &n->key_place, "Put the name in quotes if it holds a dot.",
                  "column \"%s\" has no type", n->key);
        else if (n->kind != TOML_TEXT)
            ERROR(config, "LEAT-C0006", &n->place, "For example: order_id = \"BIGINT NOT NULL\"",
                  "column \"%s\" needs an SQL type in quotes", n->key);
        else if (path && make_setting(config, n, path, s))
            column->type = s->text;
    }
}

static void read_schema(struct config *config, struct config_node *node, enum section section,
                        const struct toml_node *schema)
{
    if (!shapes[section].schema) {
        ERROR(config, "LEAT-C0019", &schema->key_place, "Only sources and lookups declare one. Remove it here.",
              "%s has no schema of its own", plugin_kind_with_article(shapes[section].kind));
    } else if (schema->kind != TOML_TABLE) {
        ERROR(config, "LEAT-C0006", &schema->place, "For example: [sources.orders.schema] with one column a line.",
              "schema of \"%s\" must be a table", node->name);
        node->schema_faulty = 1;
    } else {
        node->has_schema = 1;
        node->schema_place = schema->key_place;
        read_columns(config, node, schema);
    }
}

static struct config_node *new_node(struct config *config, struct config_pipeline *pipeline,
                                    const struct toml_node *member)
{
    if (pipeline->node_count >= CONFIG_NODES_MAX) {
        ERROR(config, "LEAT-C0003", &member->key_place, NULL, "more than %d nodes in one pipeline", CONFIG_NODES_MAX);
        return NULL;
    }
    // room for 2, 4, 8 … nodes is made when the count reaches a power of two
    uint32_t n = pipeline->node_count;
    if ((n & (n - 1)) == 0) {
        struct config_node *grown = base_arena_calloc(config->arena, n ? (size_t)n * 2 : 1, sizeof *grown);
        if (!grown) {
            no_memory(config);
            return NULL;
        }
        if (n)
            memcpy(grown, pipeline->nodes, n * sizeof *grown);
        pipeline->nodes = grown;
    }
    return &pipeline->nodes[pipeline->node_count++];
}

// The member "schema", or a table whose name is near.
static const struct toml_node *schema_of(struct config *config, enum section section, const struct toml_node *member)
{
    const struct toml_node *schema = toml_member(member, "schema");
    for (const struct toml_node *n = member->first; n && !schema && shapes[section].schema; n = n->next) {
        if (n->kind != TOML_TABLE || !base_nearest(n->key, (const char *const[]){"schema", NULL}))
            continue;
        ERROR(config, "LEAT-C0004", &n->key_place, "Did you mean \"schema\"?", "unknown section \"%s\" of %s \"%s\"",
              n->key, shapes[section].noun, member->key);
        return n;
    }
    return schema;
}

void read_node(struct config *config, struct config_pipeline *pipeline, enum section section,
               const struct toml_node *member)
{
    const char *noun = shapes[section].noun;
    uint32_t before = config->diags->errors;
    bool is_free = check_name(config, pipeline, noun, member);
    pipeline->incomplete |= !is_free || member->kind != TOML_TABLE;
    pipeline->nodes_missing |= member->kind != TOML_TABLE;
    if (member->kind != TOML_TABLE) {
        ERROR(config, "LEAT-C0006", &member->place, NULL, "%s \"%s\" must be a table of options", noun, member->key);
        return;
    }
    // one whose name is taken is read for its faults only
    struct config_node spare, *node = is_free ? new_node(config, pipeline, member) : &spare;
    if (!node)
        return;
    *node = (struct config_node){.kind = shapes[section].kind, .name = member->key, .place = member->key_place};
    const struct toml_node *schema = schema_of(config, section, member);
    node->settings = flatten(config, member, schema ? schema->key : NULL, &node->setting_count);
    read_type(config, node, noun, shapes[section].type);
    if (schema)
        read_schema(config, node, section, schema);
    node->faulty = config->diags->errors != before;
}
