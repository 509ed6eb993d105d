// SPDX-License-Identifier: Apache-2.0
// Options that name a format: finds it and parses the settings that are meant for it.
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "plugin/flink.h"
#include "plugin/option_int.h"
#include "plugin/registry.h"

// Settings "value.json.x" of the format "json" of "value.format", as settings "x" of their own.
static bool parse_format_options(struct plugin_parse *parse, const struct leat_option *o,
                                 const struct leat_component *component, const void **config)
{
    size_t stem = strlen(o->name) - strlen("format"); // "value." of "value.format", "" of "format"
    char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", (int)stem, o->name, component->name);
    struct plugin_setting *own = base_arena_calloc(parse->arena, parse->setting_count + 1, sizeof *own);
    struct plugin_parse sub = *parse;
    if (!prefix || !own)
        return false;
    sub.owner = base_arena_sprintf(parse->arena, "format \"%s\"", component->name);
    sub.prefix = prefix;
    sub.settings = own;
    sub.setting_count = 0;
    sub.formats = NULL;
    sub.format_count = 0;
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (s->used || !option_begins(prefix, s->path))
            continue;
        s->used = true;
        own[sub.setting_count] = *s;
        own[sub.setting_count].used = false;
        own[sub.setting_count++].path = s->path + strlen(prefix);
    }
    sub.faulty = NULL;
    sub.faulty_count = 0;
    char *bytes = base_arena_calloc(parse->arena, 1, component->config_size ? component->config_size : 1);
    const struct leat_option *tables[] = {component->options, NULL};
    uint32_t counts[] = {component->option_count}, before = parse->diags->errors;
    plugin_options_correct(&sub, tables, counts, NULL, 0);
    bool ok = bytes && plugin_options_parse(&sub, component->options, component->option_count, bytes);
    if (!bytes)
        return false;
    plugin_options_unknown(&sub, tables, counts, NULL, 0, NULL);
    option_check(&sub, component, bytes);
    *config = bytes;
    return ok && parse->diags->errors == before;
}

static void add_format(struct plugin_parse *parse, const char *option, const struct leat_component *component,
                       const void *config)
{
    struct plugin_format *grown = base_arena_calloc(parse->arena, parse->format_count + 1, sizeof *grown);
    if (!grown) {
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &parse->place, NULL, "out of memory");
        return;
    }
    if (parse->format_count)
        memcpy(grown, parse->formats, parse->format_count * sizeof *grown);
    grown[parse->format_count++] = (struct plugin_format){option, component, config};
    parse->formats = grown;
}

// "value.jsno.x" is meant for the format that "jsno" is meant for.
static void rename_prefix(struct plugin_parse *parse, const struct leat_option *o, const char *name, const char *meant)
{
    int stem = (int)(strlen(o->name) - strlen("format"));
    const char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", stem, o->name, name);
    for (uint32_t i = 0; prefix && i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        const char *path =
            s->used || !option_begins(prefix, s->path)
                ? NULL
                : base_arena_sprintf(parse->arena, "%.*s%s.%s", stem, o->name, meant, s->path + strlen(prefix));
        if (path)
            s->path = path;
    }
}

// The format is not known: its options tell which one was meant, and are looked at for their own faults.
static void parse_meant(struct plugin_parse *parse, const struct leat_option *o)
{
    const char *const *names = plugin_registry_names(parse->registry, LEAT_FORMAT);
    int stem = (int)(strlen(o->name) - strlen("format"));
    for (; *names; names++) {
        const void *config;
        const char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", stem, o->name, *names);
        bool meant = false;
        for (uint32_t i = 0; prefix && i < parse->setting_count; i++)
            meant |= !parse->settings[i].used && option_begins(prefix, parse->settings[i].path);
        if (meant)
            parse_format_options(parse, o, plugin_registry_find(parse->registry, LEAT_FORMAT, *names), &config);
    }
}

bool option_parse_format(struct plugin_parse *parse, const struct leat_option *o, const char *config)
{
    const char *name;
    memcpy(&name, config + o->offset, sizeof name);
    const struct plugin_setting *s = option_given(parse, o->name);
    if (!name && s && parse->registry)
        parse_meant(parse, o);
    if (!name || !parse->registry)
        return true;
    const struct leat_component *component = plugin_registry_find(parse->registry, LEAT_FORMAT, name);
    if (component) {
        const void *format_config = NULL;
        bool ok = parse_format_options(parse, o, component, &format_config);
        add_format(parse, o->name, component, format_config);
        return ok;
    }
    const char *const *names = plugin_registry_names(parse->registry, LEAT_FORMAT);
    const char *near_hint = base_diag_nearest(parse->diags, name, names);
    if (plugin_flink_has(LEAT_FORMAT, name))
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0015", s ? &s->place : &parse->place, NULL,
                      "format \"%s\" is known in Flink, not supported yet", name);
    else
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0014", s ? &s->place : &parse->place,
                      near_hint ? near_hint : "\"leat plugins\" lists what there is.", "unknown format \"%s\"", name);
    option_note_faulty(parse, o->name);
    const char *near = plugin_flink_has(LEAT_FORMAT, name) ? NULL : base_nearest(name, names);
    component = near ? plugin_registry_find(parse->registry, LEAT_FORMAT, near) : NULL;
    if (component) { // reading goes on as if it had been written
        const void *format_config = NULL;
        rename_prefix(parse, o, name, near);
        parse_format_options(parse, o, component, &format_config);
        add_format(parse, o->name, component, format_config);
        return false;
    }
    // whatever was meant for it is not to be called unknown on top of that
    char *prefix =
        base_arena_sprintf(parse->arena, "%.*s%s.", (int)(strlen(o->name) - strlen("format")), o->name, name);
    for (uint32_t i = 0; prefix && i < parse->setting_count; i++)
        parse->settings[i].used |= option_begins(prefix, parse->settings[i].path);
    parse_meant(parse, o);
    return false;
}
