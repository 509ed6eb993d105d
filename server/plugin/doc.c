// SPDX-License-Identifier: Apache-2.0
// Option tables as text, JSON and Markdown. See doc.h.
#include "plugin/doc.h"

#include <string.h>

#include "base/str.h"
#include "plugin/option.h"
#include "plugin/registry.h"

#define SINCE "0.1" // of options that do not say

static const char *const type_names[] = {"",     "boolean", "integer", "number", "string", "duration",
                                         "size", "word",    "list",    "map",    "format"};

static const char *type_name(const struct leat_option *o)
{
    return o->type < sizeof type_names / sizeof type_names[0] ? type_names[o->type] : "";
}

static bool is_wanted(const struct plugin_library *lib, const struct leat_component *c, const char *name)
{
    return !name || strcmp(lib->name, name) == 0 || strcmp(c->name, name) == 0;
}

// Calls `each` for every component that the name selects. Returns how many.
typedef void (*component_fn)(const struct plugin_library *lib, const struct leat_component *c, unsigned number,
                             struct base_str *out);

static unsigned for_each(const struct plugin_registry *registry, const char *name, component_fn each,
                         struct base_str *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < plugin_registry_count(registry); i++) {
        const struct plugin_library *lib = plugin_registry_at(registry, i);
        for (uint32_t j = 0; j < lib->component_count; j++) {
            if (is_wanted(lib, &lib->components[j], name))
                each(lib, &lib->components[j], n++, out);
        }
    }
    return n;
}

// --- groups: headings in the order of first appearance; expert options and refused ones come last

enum rank { RANK_NORMAL, RANK_EXPERT, RANK_REFUSED, RANKS };

static enum rank rank_of(const struct leat_option *o)
{
    if (o->flags & (LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS))
        return RANK_REFUSED;
    return o->flags & (LEAT_OPT_EXPERT | LEAT_OPT_DEPRECATED) ? RANK_EXPERT : RANK_NORMAL;
}

static const char *group_of(const struct leat_option *o)
{
    static const char *const by_rank[RANKS] = {"General", "For experts", "Known in Flink, not here"};
    enum rank rank = rank_of(o);
    return rank == RANK_NORMAL && o->group ? o->group : by_rank[rank];
}

struct table {
    const struct leat_option *options;
    uint32_t count;
};

typedef void (*option_fn)(const struct table *t, const struct leat_option *o, struct base_str *out);

static bool belong_together(const struct leat_option *a, const struct leat_option *b)
{
    return rank_of(a) == rank_of(b) && strcmp(group_of(a), group_of(b)) == 0;
}

static bool is_first_of_group(const struct leat_option *options, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (belong_together(&options[j], &options[i]))
            return false;
    return true;
}

static void grouped(const struct leat_option *options, uint32_t count, void (*heading)(const char *, struct base_str *),
                    option_fn each, struct base_str *out)
{
    const struct table table = {options, count};
    for (int rank = 0; rank < RANKS; rank++) {
        for (uint32_t i = 0; i < count; i++) {
            if ((int)rank_of(&options[i]) != rank || !is_first_of_group(options, i))
                continue;
            heading(group_of(&options[i]), out);
            for (uint32_t j = i; j < count; j++)
                if (belong_together(&options[j], &options[i]))
                    each(&table, &options[j], out);
        }
    }
}

// --- text

// Words broken into lines of at most 100 columns, each indented.
static void add_wrapped(struct base_str *out, const char *text, unsigned indent)
{
    size_t column = 0;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " \n");
        if (column && column + 1 + n > 100 - indent) {
            base_str_addc(out, '\n');
            column = 0;
        }
        if (!column)
            base_str_fill(out, ' ', indent);
        else
            base_str_addc(out, ' ');
        base_str_add(out, p, n);
        column += n + 1;
        p += n;
        p += strspn(p, " \n");
    }
    base_str_addc(out, '\n');
}

static void text_heading(const char *group, struct base_str *out)
{
    base_str_addf(out, "\n  %s\n", group);
}

// The example of a map begins with the rest of the key.
static const char *example_joint(const struct leat_option *o)
{
    return o->type == LEAT_OPT_MAP ? "" : " = ";
}

// Where the option does something, between `before` and `after`; nothing for one that always does.
static void add_only(const struct table *t, const struct leat_option *o, const char *before, const char *after,
                     struct base_str *out)
{
    if (!o->only && !(o->flags & (LEAT_OPT_READING | LEAT_OPT_WRITING)))
        return;
    base_str_addz(out, before);
    if (o->flags & (LEAT_OPT_READING | LEAT_OPT_WRITING))
        base_str_addz(out, o->flags & LEAT_OPT_READING ? "for sources" : "for sinks");
    if (o->only && o->flags & (LEAT_OPT_READING | LEAT_OPT_WRITING))
        base_str_addz(out, ", ");
    option_only_shown(t->options, t->count, o, out);
    base_str_addz(out, after);
}

static void text_option(const struct table *t, const struct leat_option *o, struct base_str *out)
{
    base_str_addf(out, "    %s%s", o->name, o->type == LEAT_OPT_MAP ? "*" : "");
    if (rank_of(o) != RANK_REFUSED) {
        base_str_addf(out, "  %s", o->type == LEAT_OPT_ENUM ? o->words : type_name(o));
        if (o->flags & LEAT_OPT_REQUIRED)
            base_str_addz(out, o->only ? ", required then" : ", required");
        if (o->def)
            base_str_addf(out, ", default %s", *o->def ? o->def : "\"\"");
        if (o->min)
            base_str_addf(out, ", at least %s", o->min);
        if (o->max)
            base_str_addf(out, ", at most %s", o->max);
        if (o->flags & LEAT_OPT_SECRET)
            base_str_addz(out, ", secret");
        if (o->flags & LEAT_OPT_DEPRECATED)
            base_str_addf(out, ", deprecated: write %s", o->successor ? o->successor : "something else");
        if (o->since)
            base_str_addf(out, ", since %s", o->since);
    }
    add_only(t, o, ", only ", "", out);
    base_str_addc(out, '\n');
    if (o->doc)
        add_wrapped(out, o->doc, 8);
    if (o->example)
        base_str_addf(out, "        Example: %s%s%s\n", o->name, example_joint(o), o->example);
}

void plugin_doc_options_text(const struct leat_option *options, uint32_t count, struct base_str *out)
{
    grouped(options, count, text_heading, text_option, out);
}

static void text_component(const struct plugin_library *lib, const struct leat_component *c, unsigned number,
                           struct base_str *out)
{
    base_str_addf(out, "%s%s \"%s\": %s\n", number ? "\n" : "", plugin_kind_name(c->kind), c->name,
                  c->summary ? c->summary : "");
    base_str_addf(out, "  plugin %s %s, %s\n  options are there since %s unless they say otherwise\n", lib->name,
                  lib->version, lib->file, SINCE);
    if (c->doc) {
        base_str_addc(out, '\n');
        add_wrapped(out, c->doc, 2);
    }
    plugin_doc_options_text(c->options, c->option_count, out);
}

static void text_line(const struct plugin_library *lib, const struct leat_component *c, unsigned number,
                      struct base_str *out)
{
    base_str_addf(out, "%-9s %-24s %-8s %s\n", plugin_kind_name(c->kind), c->name, lib->version,
                  c->summary ? c->summary : "");
}

bool plugin_doc_text(const struct plugin_registry *registry, const char *name, struct base_str *out)
{
    unsigned n = for_each(registry, name, name ? text_component : text_line, out);
    if (!n && !name)
        base_str_addz(out, "no plugins\n");
    return n || !name;
}

// --- JSON

static void json_member(struct base_str *out, const char *name, const char *value)
{
    if (!value)
        return;
    base_str_addf(out, ",\"%s\":", name);
    base_str_add_json(out, value, strlen(value));
}

static void json_flag(struct base_str *out, const struct leat_option *o, uint32_t flag, const char *name)
{
    if (o->flags & flag)
        base_str_addf(out, ",\"%s\":true", name);
}

static void json_option(const struct leat_option *o, struct base_str *out)
{
    base_str_addz(out, "{\"name\":");
    base_str_add_json(out, o->name, strlen(o->name));
    json_member(out, "type", *type_name(o) ? type_name(o) : NULL);
    json_member(out, "default", o->def);
    json_member(out, "min", o->min);
    json_member(out, "max", o->max);
    if (o->type == LEAT_OPT_ENUM) {
        base_str_addz(out, ",\"words\":[");
        for (const char *word = o->words; word && *word;) {
            size_t n = strcspn(word, "|");
            if (word != o->words)
                base_str_addc(out, ',');
            base_str_add_json(out, word, n);
            word += n + (word[n] == '|');
        }
        base_str_addc(out, ']');
    }
    json_flag(out, o, LEAT_OPT_REQUIRED, "required");
    json_flag(out, o, LEAT_OPT_SECRET, "secret");
    json_flag(out, o, LEAT_OPT_DEPRECATED, "deprecated");
    json_flag(out, o, LEAT_OPT_EXPERT, "expert");
    json_flag(out, o, LEAT_OPT_UNSUPPORTED, "unsupported");
    json_flag(out, o, LEAT_OPT_SENSELESS, "senseless");
    json_flag(out, o, LEAT_OPT_READING, "reading");
    json_flag(out, o, LEAT_OPT_WRITING, "writing");
    json_member(out, "only", o->only);
    json_member(out, "successor", o->successor);
    json_member(out, "group", o->group);
    json_member(out, "since", rank_of(o) == RANK_REFUSED ? NULL : o->since ? o->since : SINCE);
    json_member(out, "example", o->example);
    json_member(out, "doc", o->doc);
    base_str_addc(out, '}');
}

void plugin_doc_options_json(const struct leat_option *options, uint32_t count, struct base_str *out)
{
    base_str_addc(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        base_str_addz(out, i ? "," : "");
        json_option(&options[i], out);
    }
    base_str_addc(out, ']');
}

static void json_component(const struct plugin_library *lib, const struct leat_component *c, unsigned number,
                           struct base_str *out)
{
    base_str_addf(out, "%s\n{\"kind\":\"%s\"", number ? "," : "", plugin_kind_name(c->kind));
    json_member(out, "name", c->name);
    json_member(out, "summary", c->summary);
    json_member(out, "plugin", lib->name);
    json_member(out, "version", lib->version);
    json_member(out, "vcs", *lib->vcs_id ? lib->vcs_id : NULL);
    json_member(out, "file", lib->file);
    json_member(out, "doc", c->doc);
    base_str_addz(out, ",\"options\":");
    plugin_doc_options_json(c->options, c->option_count, out);
    base_str_addc(out, '}');
}

bool plugin_doc_json(const struct plugin_registry *registry, const char *name, struct base_str *out)
{
    struct base_str body;
    base_str_init(&body);
    unsigned n = for_each(registry, name, json_component, &body);
    if (n || !name)
        base_str_addf(out, "{\"abi\":\"%u.%u\",\"components\":[%s\n]}\n", LEAT_ABI_MAJOR, LEAT_ABI_MINOR, body.ptr);
    base_str_fini(&body);
    return n || !name;
}

// --- Markdown

// Pipes and line ends would end the cell.
void plugin_doc_cell(struct base_str *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '|')
            base_str_addz(out, "\\|");
        else if (*p == '<')
            base_str_addz(out, "&lt;");
        else
            base_str_addc(out, *p == '\n' ? ' ' : *p);
    }
}

static void markdown_heading(const char *group, struct base_str *out)
{
    base_str_addf(out, "\n### %s\n\n| option | type | default | meaning |\n|---|---|---|---|\n", group);
}

static void markdown_option(const struct table *t, const struct leat_option *o, struct base_str *out)
{
    bool is_refused = rank_of(o) == RANK_REFUSED;
    base_str_addf(out, "| `%s%s` | ", o->name, o->type == LEAT_OPT_MAP ? "*" : "");
    if (!is_refused && o->type == LEAT_OPT_ENUM)
        plugin_doc_cell(out, o->words);
    else
        base_str_addz(out, is_refused ? "" : type_name(o));
    base_str_addz(out, " | ");
    if (o->flags & LEAT_OPT_REQUIRED)
        base_str_addz(out, o->only ? "**required** then" : "**required**");
    else if (o->def)
        base_str_addf(out, "`%s`", *o->def ? o->def : "\"\"");
    base_str_addz(out, " | ");
    if (o->flags & LEAT_OPT_UNSUPPORTED)
        base_str_addz(out, "Not supported yet. ");
    if (o->flags & LEAT_OPT_DEPRECATED)
        base_str_addf(out, "Deprecated: write `%s`. ", o->successor ? o->successor : "");
    if (o->doc)
        plugin_doc_cell(out, o->doc);
    add_only(t, o, " Only ", ".", out);
    if (o->min && o->max)
        base_str_addf(out, " From %s to %s.", o->min, o->max);
    else if (o->min || o->max)
        base_str_addf(out, " At %s %s.", o->min ? "least" : "most", o->min ? o->min : o->max);
    if (o->flags & LEAT_OPT_SECRET)
        base_str_addz(out, " Secret: never printed.");
    if (o->since)
        base_str_addf(out, " Since %s.", o->since);
    if (o->example) {
        base_str_addf(out, " Example: `%s%s", o->name, example_joint(o));
        plugin_doc_cell(out, o->example);
        base_str_addc(out, '`');
    }
    base_str_addz(out, " |\n");
}

void plugin_doc_options_markdown(const struct leat_option *options, uint32_t count, struct base_str *out)
{
    grouped(options, count, markdown_heading, markdown_option, out);
}

static void markdown_component(const struct plugin_library *lib, const struct leat_component *c, unsigned number,
                               struct base_str *out)
{
    base_str_addf(out, "%s## `%s` (%s)\n\n%s\n", number ? "\n" : "", c->name, plugin_kind_name(c->kind),
                  c->summary ? c->summary : "");
    if (c->doc)
        base_str_addf(out, "\n%s\n", c->doc);
    plugin_doc_options_markdown(c->options, c->option_count, out);
}

bool plugin_doc_markdown(const struct plugin_registry *registry, const char *name, struct base_str *out)
{
    unsigned n = for_each(registry, name, markdown_component, out);
    return n || !name;
}
