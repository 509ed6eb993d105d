// SPDX-License-Identifier: Apache-2.0
// Reading files into the model. See config.h.
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "calendar_zone.h"
#include "config/config_int.h"

#define ARENA_MAX ((size_t)256 << 20)

// Defaults, as if [server] were there and empty.
static void init_server(struct config *config)
{
    uint32_t count;
    const struct leat_option *table = config_table(SECTION_SERVER, &count);
    struct plugin_parse parse = {.arena = config->arena, .diags = config->diags, .owner = "[server]"};
    plugin_options_parse(&parse, table, count, &config->server);
}

struct config *config_create(struct base_diags *diags, struct base_secrets *secrets, struct base_error *err)
{
    struct base_arena *arena = base_arena_create(0, ARENA_MAX);
    struct config *config = arena ? base_arena_calloc(arena, 1, sizeof *config) : NULL;
    struct config_pipeline *pipelines = config ? base_arena_calloc(arena, CONFIG_FILES_MAX, sizeof *pipelines) : NULL;
    if (!pipelines) {
        base_arena_destroy(arena);
        base_no_memory(err);
        return NULL;
    }
    config->arena = arena;
    config->diags = diags;
    config->secrets = secrets;
    config->pipelines = pipelines;
    init_server(config);
    return config;
}

void config_destroy(struct config *config)
{
    if (config)
        base_arena_destroy(config->arena); // the config itself lies in it
}

// --- sections

// Parses a section of the core's own into `out`, unknown names included. Returns its settings.
static struct plugin_setting *read_section(struct config *config, enum section section, const struct toml_node *table,
                                           const struct base_place *place, void *out, uint32_t *setting_count)
{
    uint32_t count, before = config->diags->errors;
    const struct leat_option *options = config_table(section, &count);
    struct plugin_parse parse = {.arena = config->arena,
                                 .diags = config->diags,
                                 .secrets = config->secrets,
                                 .owner = section == SECTION_SERVER ? "[server]" : "[pipeline]",
                                 .place = *place};
    if (table)
        parse.settings = flatten(config, table, NULL, &parse.setting_count);
    const struct leat_option *const tables[] = {options, NULL};
    const uint32_t counts[] = {count};
    uint32_t other_count;
    const struct leat_option *other =
        config_table(section == SECTION_SERVER ? SECTION_PIPELINE : SECTION_SERVER, &other_count);
    plugin_options_elsewhere(&parse, tables, counts, other, other_count,
                             section == SECTION_SERVER ? "[pipeline]" : "[server]");
    plugin_options_correct(&parse, tables, counts, NULL, 0);
    plugin_options_parse(&parse, options, count, out);
    plugin_options_unknown(&parse, tables, counts, NULL, 0, NULL);
    *setting_count = parse.setting_count;
    config->faulty |= config->diags->errors != before;
    return parse.settings;
}

// The place of an option's value, `otherwise` if it is not given.
static struct base_place value_place(const struct plugin_setting *settings, uint32_t count, const char *option,
                                     const struct base_place *otherwise)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(settings[i].path, option) == 0)
            return settings[i].place;
    }
    return *otherwise;
}

struct base_place config_server_place(const struct config *config, const char *option)
{
    return value_place(config->server_settings, config->server_setting_count, option, &config->server_place);
}

static void read_server(struct config *config, const struct toml_node *table)
{
    if (config->server_place.source) {
        char hint[300];
        snprintf(hint, sizeof hint, "The other one is in \"%.200s\", line %u.", config->server_place.source->name,
                 config->server_place.line);
        ERROR(config, "LEAT-C0021", &table->key_place, hint, "section [server] may stand in one file only");
        return;
    }
    config->server_place = table->key_place;
    config->server_settings =
        read_section(config, SECTION_SERVER, table, &table->key_place, &config->server, &config->server_setting_count);
}

// The file's name without folders and ending, with what no name may hold replaced.
static const char *default_name(struct config *config, const char *file)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
    char *name = base_arena_strndup(config->arena, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
    for (char *p = name; p && *p; p++) {
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *p))
            *p = '_';
    }
    return name && *name ? name : "pipeline";
}

static void check_name(struct config *config, const struct config_pipeline *p, const struct base_place *place)
{
    const char *name = p->options.name;
    size_t n = strlen(name);
    if (!n || n > CONFIG_NAME_MAX ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != n || name[0] == '-')
        ERROR(config, "LEAT-C0012", place,
              "Names consist of letters, digits, '_' and '-', and have at most 64 characters.",
              "\"%s\" is no name for a pipeline", name);
    for (struct config_pipeline *other = config->pipelines; other < p; other++) {
        if (strcmp(other->options.name, name) == 0)
            ERROR(config, "LEAT-C0013", place, "Checkpoints are kept by this name: give each file its own.",
                  "there is another pipeline called \"%s\", in \"%s\"", name, other->source->name);
    }
}

static void check_zone(struct config *config, const char *name, const struct base_place *place)
{
    struct calendar_zone *zone = NULL;
    int st = calendar_zone_create(name, NULL, &zone);
    if (st < 0)
        ERROR(config, "LEAT-C0007", place,
              "Write a name such as \"Asia/Shanghai\", or an offset such as \"+08:00\". The names are the files of "
              "the package tzdata.",
              st == CALENDAR_NO_ZONE ? "unknown time zone \"%s\"" : "the file of time zone \"%s\" cannot be read",
              name);
    calendar_zone_destroy(zone);
}

static void check_options(struct config *config, const struct config_pipeline *p, const struct plugin_setting *settings,
                          uint32_t count)
{
    const struct config_pipeline_options *o = &p->options;
    struct base_place place = value_place(settings, count, "name", &p->place);
    check_name(config, p, &place);
    place = value_place(settings, count, "table.local-time-zone", &p->place);
    check_zone(config, o->time_zone, &place);
    place = value_place(settings, count, "delivery", &p->place);
    if (o->delivery == CONFIG_DELIVERY_EXACTLY_ONCE)
        ERROR(config, "LEAT-C0015", &place, "Write \"at-least-once\"; upsert sinks are effectively once with it.",
              "delivery \"exactly-once\" is not available yet");
    place = value_place(settings, count, "state.backend.type", &p->place);
    if (o->state_backend != 0)
        ERROR(config, "LEAT-C0015", &place, "Write \"hashmap\".", "state backend \"lmdb\" is not available yet");
}

static void read_pipeline(struct config *config, struct config_pipeline *p, const struct toml_node *table)
{
    uint32_t count;
    if (table)
        p->place = table->key_place;
    const struct plugin_setting *settings =
        read_section(config, SECTION_PIPELINE, table, &p->place, &p->options, &count);
    if (!p->options.name)
        p->options.name = default_name(config, p->source->name);
    check_options(config, p, settings, count);
}

static bool is_table(struct config *config, const struct toml_node *section)
{
    if (section->kind == TOML_TABLE)
        return true;
    bool single = section_named(section->key) <= SECTION_PIPELINE;
    ERROR(config, "LEAT-C0006", &section->key_place, NULL, "\"%s\" must be a section, written as [%s%s]", section->key,
          section->key, single ? "" : ".NAME");
    return false;
}

static void report_unknown(struct config *config, const struct toml_node *member)
{
    if (member->kind == TOML_TABLE)
        ERROR(config, "LEAT-C0004", &member->key_place,
              "The sections are [server], [pipeline], [sources.NAME], [lookups.NAME], [operators.NAME] and "
              "[sinks.NAME].",
              "unknown section \"%s\"", member->key);
    else
        ERROR(config, "LEAT-C0004", &member->key_place, "Options stand below the section that they belong to.",
              "option \"%s\" stands outside of every section", member->key);
}

struct member {
    enum section section;
    const struct toml_node *node;
};

static int by_place(const void *left, const void *right)
{
    const struct base_place *a = &((const struct member *)left)->node->key_place,
                            *b = &((const struct member *)right)->node->key_place;
    return a->line != b->line ? (a->line < b->line ? -1 : 1) : (a->column < b->column ? -1 : 1);
}

// Lists the nodes of all sections into `out`, unless NULL. Returns how many there are.
static size_t list_members(const struct toml_node *root, struct member *out)
{
    size_t n = 0;
    for (const struct toml_node *s = root->first; s; s = s->next) {
        int section = section_named(s->key);
        if (section < SECTION_SOURCES || s->kind != TOML_TABLE)
            continue;
        for (const struct toml_node *m = s->first; m; m = m->next, n++)
            if (out)
                out[n] = (struct member){(enum section)section, m};
    }
    return n;
}

// In the order of the file: of two nodes with one name the later has the fault.
static void read_nodes(struct config *config, struct config_pipeline *p, const struct toml_node *root)
{
    size_t count = list_members(root, NULL);
    struct member *members = base_arena_calloc(config->arena, count + 1, sizeof *members);
    if (!members) {
        no_memory(config);
        return;
    }
    list_members(root, members);
    if (count)
        qsort(members, count, sizeof *members, by_place);
    for (size_t i = 0; i < count; i++)
        read_node(config, p, members[i].section, members[i].node);
}

static void read_root(struct config *config, const struct base_source *source, const struct toml_node *root)
{
    struct config_pipeline p = {.source = source, .place = base_place_at(source, 0, 0)};
    const struct toml_node *pipeline = NULL;
    bool has_nodes = false; // a section that is not known may hold some too: then the pipeline is incomplete
    for (const struct toml_node *n = root->first; n; n = n->next) {
        int section = section_named(n->key);
        p.incomplete |= section < 0;
        if (section < 0) {
            report_unknown(config, n);
            p.nodes_missing |= n->kind == TOML_TABLE && n->first && n->first->kind == TOML_TABLE;
        } else if (!is_table(config, n))
            p.incomplete = p.nodes_missing = has_nodes = true;
        else if (section == SECTION_SERVER)
            read_server(config, n);
        else if (section == SECTION_PIPELINE)
            pipeline = n;
        else
            has_nodes = true;
    }
    if (!pipeline && !has_nodes)
        return;
    if (config->pipeline_count == CONFIG_FILES_MAX) {
        ERROR(config, "LEAT-C0003", &p.place, NULL, "more than %d pipelines", CONFIG_FILES_MAX);
        return;
    }
    read_nodes(config, &p, root);
    config->pipelines[config->pipeline_count] = p;
    read_pipeline(config, &config->pipelines[config->pipeline_count], pipeline);
    config->pipeline_count++;
}

// --- files

static void load_source(struct config *config, const struct base_source *source)
{
    struct toml_node *root = toml_parse(config->arena, source, config->diags);
    if (!root)
        return;
    mend_tree(config, root);
    read_root(config, source, root);
}

// The text, NULL when it could not be read.
static const struct base_source *load_file(struct config *config, const char *path)
{
    const struct base_source *source = NULL;
    struct base_error err;
    if (base_source_read(config->arena, path, &source, &err) != LEAT_OK)
        ERROR(config, err.code, NULL, NULL, "%s", err.message);
    else
        load_source(config, source);
    return source;
}

// A file that somebody names holds something.
static void load_named(struct config *config, const char *path)
{
    uint32_t before = config->diags->errors, pipelines = config->pipeline_count;
    const struct base_source *source = load_file(config, path), *server = config->server_place.source;
    struct base_place place = source ? base_place_at(source, 0, 0) : (struct base_place){0};
    if (config->diags->errors == before && config->pipeline_count == pipelines &&
        (!server || strcmp(server->name, path) != 0))
        ERROR(config, "LEAT-C0022", &place, "A pipeline has at least [sources.NAME] and [sinks.NAME].",
              "file \"%s\" is empty: there is nothing to run in it", path);
}

// leat.toml in the folder of the first file, if there is one and it is not listed itself.
static void load_beside(struct config *config, const char *const *paths, uint32_t count)
{
    const char *slash = strrchr(paths[0], '/');
    char *path = base_arena_sprintf(config->arena, "%.*sleat.toml", slash ? (int)(slash - paths[0]) + 1 : 0, paths[0]);
    if (!path) {
        no_memory(config);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(paths[i], path) == 0)
            return;
    }
    if (access(path, F_OK) == 0)
        load_file(config, path);
}

bool config_load(struct config *config, const char *const *paths, uint32_t count)
{
    uint32_t before = config->diags->errors;
    if (count)
        load_beside(config, paths, count);
    for (uint32_t i = 0; i < count; i++)
        load_named(config, paths[i]);
    return config->diags->errors == before;
}

bool config_load_text(struct config *config, const char *name, const char *text)
{
    uint32_t before = config->diags->errors;
    const struct base_source *source = base_source_make(config->arena, name, text, strlen(text));
    if (source)
        load_source(config, source);
    else
        no_memory(config);
    return config->diags->errors == before;
}
