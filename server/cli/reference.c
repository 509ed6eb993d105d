// SPDX-License-Identifier: Apache-2.0
// The manual's pages that belong to no component. See reference.h.
#include "cli/reference.h"

#include <string.h>

#include "base/arena.h"
#include "base/code.h"
#include "base/str.h"
#include "config/config.h"
#include "plugin/doc.h"
#include "plugin/registry.h"

// --- the core's options

static const struct {
    const char *title, *doc;
} sections[CONFIG_TABLES] = {
    {"[server]", "May stand in one file only; leat.toml beside the first pipeline file is read too."},
    {"[pipeline]", "One pipeline a file."},
    {"[sources.NAME]",
     "Beside connector and the options of the connector; the columns stand in [sources.NAME.schema], one a line."},
    {"[lookups.NAME]", "A table asked by key. Beside connector, the options of the connector, and a schema."},
    {"[operators.NAME]", "Beside operator and the options of the operator."},
    {"[sinks.NAME]", "Beside connector and the options of the connector."},
};

void reference_core(enum reference_form form, struct base_str *out)
{
    if (form == REFERENCE_MARKDOWN)
        base_str_addz(out, "# Options of leat itself\n\nPrinted by `leat plugins --markdown core`; do not edit.\n");
    if (form == REFERENCE_JSON)
        base_str_addz(out, "{\"sections\":[");
    for (unsigned i = 0; i < CONFIG_TABLES; i++) {
        uint32_t count;
        const struct leat_option *table = config_table(i, &count);
        if (form == REFERENCE_MARKDOWN) {
            base_str_addf(out, "\n## `%s`\n\n%s\n", sections[i].title, sections[i].doc);
            plugin_doc_options_markdown(table, count, out);
        } else if (form == REFERENCE_TEXT) {
            base_str_addf(out, "%s%s\n  %s\n", i ? "\n" : "", sections[i].title, sections[i].doc);
            plugin_doc_options_text(table, count, out);
        } else {
            base_str_addf(out, "%s\n{\"section\":\"%s\",\"options\":", i ? "," : "", sections[i].title);
            plugin_doc_options_json(table, count, out);
            base_str_addc(out, '}');
        }
    }
    if (form == REFERENCE_JSON)
        base_str_addz(out, "\n]}\n");
}

// --- codes

// Calls `each` for every code, with the name of its plugin (NULL = the core's), each code once.
typedef void (*code_fn)(void *arg, const char *plugin, const struct leat_code *code);

static bool is_told(const struct plugin_registry *registry, size_t before, const char *code)
{
    for (size_t i = 0; i < before; i++) {
        const struct plugin_library *lib = plugin_registry_at(registry, i);
        for (uint32_t k = 0; k < lib->code_count; k++) {
            if (strcmp(lib->codes[k].code, code) == 0)
                return true;
        }
    }
    return false;
}

static void for_each_code(const struct plugin_registry *registry, code_fn each, void *arg)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    for (uint32_t k = 0; k < count; k++)
        each(arg, NULL, &codes[k]);
    for (size_t i = 0; i < plugin_registry_count(registry); i++) {
        const struct plugin_library *lib = plugin_registry_at(registry, i);
        for (uint32_t k = 0; k < lib->code_count; k++) {
            if (!is_told(registry, i, lib->codes[k].code)) // two plugins may share a client, and its codes
                each(arg, lib->name, &lib->codes[k]);
        }
    }
}

static const char *letter_text(char letter)
{
    static const struct {
        char letter;
        const char *text;
    } letters[] = {{'B', "The process"}, {'C', "Pipeline files"}, {'G', "The graph"},   {'H', "HTTP"},
                   {'P', "Plugins"},     {'R', "Running"},        {'T', "Checkpoints"}, {'V', "The verb sql"}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == letter)
            return letters[i].text;
    }
    return "Others";
}

struct page {
    struct base_str *out;
    const char *plugin;
    char letter;
    unsigned count;
};

static void add_row(void *arg, const char *plugin, const struct leat_code *code)
{
    struct page *page = arg;
    bool same = page->count && (plugin ? page->plugin && strcmp(plugin, page->plugin) == 0
                                       : !page->plugin && page->letter == code->code[5]);
    if (!same && plugin)
        base_str_addf(page->out, "\n## The plugin %s\n\n| code | what is wrong | what to do |\n|---|---|---|\n",
                      plugin);
    else if (!same)
        base_str_addf(page->out, "\n## %s\n\n| code | what is wrong | what to do |\n|---|---|---|\n",
                      letter_text(code->code[5]));
    page->plugin = plugin;
    page->letter = code->code[5];
    page->count++;
    base_str_addf(page->out, "| <a id=\"%s\"></a>`%s` | ", code->code, code->code);
    plugin_doc_cell(page->out, code->cause);
    base_str_addz(page->out, " | ");
    plugin_doc_cell(page->out, code->cure);
    base_str_addz(page->out, " |\n");
}

static void add_lines(void *arg, const char *plugin, const struct leat_code *code)
{
    struct page *page = arg;
    base_str_addf(page->out, "%s%s%s%s\n  cause: %s\n  cure:  %s\n", page->count++ ? "\n" : "", code->code,
                  plugin ? ", plugin " : "", plugin ? plugin : "", code->cause, code->cure);
}

static void add_text(struct base_str *out, const char *name, const char *text)
{
    base_str_addf(out, ",\"%s\":", name);
    base_str_add_json(out, text, strlen(text));
}

static void add_object(void *arg, const char *plugin, const struct leat_code *code)
{
    struct page *page = arg;
    base_str_addf(page->out, "%s\n{\"code\":\"%s\"", page->count++ ? "," : "", code->code);
    if (plugin)
        add_text(page->out, "plugin", plugin);
    add_text(page->out, "cause", code->cause);
    add_text(page->out, "cure", code->cure);
    base_str_addc(page->out, '}');
}

void reference_codes(const struct plugin_registry *registry, enum reference_form form, struct base_str *out)
{
    static const code_fn forms[] = {add_lines, add_object, add_row};
    struct page page = {.out = out};
    if (form == REFERENCE_JSON)
        base_str_addz(out, "{\"codes\":[");
    if (form == REFERENCE_MARKDOWN)
        base_str_addz(
            out, "# Error codes\n\nPrinted by `leat plugins --markdown codes`; do not edit. The same code and text "
                 "stand in the log, on the command line and in health; a code never changes its meaning. "
                 "`leat explain LEAT-C0005` shows one of them.\n");
    for_each_code(registry, forms[form], &page);
    if (form == REFERENCE_JSON)
        base_str_addz(out, "\n]}\n");
}

// --- some codes

struct search {
    const char *const *codes; // NULL-terminated; none = all
    code_fn each;
    struct page page;
};

static void add_if_wanted(void *arg, const char *plugin, const struct leat_code *code)
{
    struct search *s = arg;
    bool wanted = !s->codes[0];
    for (const char *const *c = s->codes; *c && !wanted; c++)
        wanted = strcmp(code->code, *c) == 0;
    if (wanted)
        s->each(&s->page, plugin, code);
}

static void add_line(void *arg, const char *plugin, const struct leat_code *code)
{
    struct page *page = arg;
    page->count++;
    base_str_addf(page->out, "%s  %s\n", code->code, code->cause);
}

void reference_explain(const struct plugin_registry *registry, const char *const *codes, enum reference_form form,
                       struct base_str *out)
{
    struct search s = {codes, form == REFERENCE_JSON ? add_object : codes[0] ? add_lines : add_line, {.out = out}};
    if (form == REFERENCE_JSON)
        base_str_addz(out, "{\"codes\":[");
    for_each_code(registry, add_if_wanted, &s);
    if (form == REFERENCE_JSON)
        base_str_addz(out, "\n]}\n");
}

struct names {
    const char **items; // NULL = only counted
    uint32_t count;
};

static void add_name(void *arg, const char *plugin, const struct leat_code *code)
{
    struct names *names = arg;
    if (names->items)
        names->items[names->count] = code->code;
    names->count++;
}

const char *const *reference_code_names(const struct plugin_registry *registry, struct base_arena *arena)
{
    struct names names = {NULL, 0};
    for_each_code(registry, add_name, &names);
    names.items = base_arena_calloc(arena, names.count + 1, sizeof *names.items);
    names.count = 0;
    if (names.items)
        for_each_code(registry, add_name, &names);
    return names.items;
}
