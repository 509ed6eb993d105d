// SPDX-License-Identifier: Apache-2.0
// leat plugins: what is in lib/, and every option of it; the reference in docs/ is made of its Markdown.
#include <stdio.h>
#include <string.h>

#include "base/code.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "plugin/doc.h"

enum form { FORM_TEXT, FORM_JSON, FORM_MARKDOWN };

// --- the reference: the core's own options, all components, all codes

static void add_sections(struct base_str *out)
{
    static const struct {
        const char *title, *doc;
    } sections[CONFIG_TABLES] = {
        {"`[server]`", "May stand in one file only; `leat.toml` beside the first pipeline file is read too."},
        {"`[pipeline]`", "One pipeline a file."},
        {"`[sources.NAME]`", "Beside `connector`, the options of the connector, and a section `[sources.NAME.schema]` "
                             "with one column a line."},
        {"`[lookups.NAME]`", "A table asked by key. Beside `connector`, the options of the connector, and a schema."},
        {"`[operators.NAME]`", "Beside `operator`, the options of the operator."},
        {"`[sinks.NAME]`", "Beside `connector`, the options of the connector."},
    };
    base_str_addz(out, "# Reference\n\nPrinted by `leat plugins --markdown`; do not edit. First what the core itself "
                       "reads, then every component, then the error codes.\n");
    for (unsigned i = 0; i < CONFIG_TABLES; i++) {
        uint32_t count;
        const struct leat_option *table = config_table(i, &count);
        base_str_addf(out, "\n## %s\n\n%s\n", sections[i].title, sections[i].doc);
        plugin_doc_options_markdown(table, count, out);
    }
    base_str_addc(out, '\n');
}

static void add_codes(const struct leat_code *codes, uint32_t count, struct base_str *out)
{
    for (uint32_t i = 0; i < count; i++)
        base_str_addf(out, "| %s | %s | %s |\n", codes[i].code, codes[i].cause, codes[i].cure);
}

static void add_all_codes(const struct plugin_registry *registry, struct base_str *out)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    base_str_addz(out, "\n## Error codes\n\nThe same code stands in the log, on the command line and in health.\n\n"
                       "| code | cause | cure |\n|---|---|---|\n");
    add_codes(codes, count, out);
    for (size_t i = 0; i < plugin_registry_count(registry); i++)
        add_codes(plugin_registry_at(registry, i)->codes, plugin_registry_at(registry, i)->code_count, out);
}

static bool print(const struct plugin_registry *registry, const char *name, enum form form, struct base_str *out)
{
    if (form == FORM_JSON)
        return plugin_doc_json(registry, name, out);
    if (form == FORM_TEXT)
        return plugin_doc_text(registry, name, out);
    if (!name)
        add_sections(out);
    if (!plugin_doc_markdown(registry, name, out))
        return false;
    if (!name)
        add_all_codes(registry, out);
    return true;
}

// --- names that nothing has

static int unknown(const struct plugin_registry *registry, const char *name)
{
    const char *near = NULL;
    for (uint8_t kind = LEAT_SOURCE; kind <= LEAT_LOOKUP && !near; kind++)
        near = base_nearest(name, plugin_registry_names(registry, kind));
    fprintf(stderr, "leat plugins: nothing is called \"%s\"%s%s%s\n", name, near ? "; did you mean \"" : "",
            near ? near : "", near ? "\"?" : "");
    return EXIT_CONFIG;
}

// The codes' own help: `leat plugins LEAT-C0005`.
static bool print_code(const struct plugin_registry *registry, const char *name)
{
    uint32_t count;
    const struct leat_code *codes = base_codes(&count);
    for (size_t i = 0;; i++) {
        for (uint32_t j = 0; j < count; j++) {
            if (strcasecmp(codes[j].code, name) != 0)
                continue;
            printf("%s\n  cause: %s\n  cure:  %s\n", codes[j].code, codes[j].cause, codes[j].cure);
            return true;
        }
        if (i >= plugin_registry_count(registry))
            return false;
        codes = plugin_registry_at(registry, i)->codes;
        count = plugin_registry_at(registry, i)->code_count;
    }
}

static int show(const struct plugin_registry *registry, const char *name, enum form form)
{
    struct base_str out;
    int code = 0;
    base_str_init(&out);
    if (name && strncasecmp(name, "LEAT-", 5) == 0 && print_code(registry, name))
        code = 0;
    else if (!print(registry, name, form, &out))
        code = unknown(registry, name);
    else if (!base_str_ok(&out))
        code = EXIT_OUTSIDE;
    fwrite(out.ptr, 1, out.len, stdout);
    base_str_fini(&out);
    return code;
}

static int run(int argc, char **argv)
{
    enum form form = FORM_TEXT;
    const char *name = NULL, *dir = NULL;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            form = FORM_JSON;
        else if (strcmp(argv[i], "--markdown") == 0)
            form = FORM_MARKDOWN;
        else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
            dir = argv[++i];
        else if (argv[i][0] == '-')
            return cli_usage(&cli_plugins, "unknown option", argv[i]);
        else if (name)
            return cli_usage(&cli_plugins, "one NAME only, not also", argv[i]);
        else
            name = argv[i];
    }
    struct session s;
    if (!session_open_plugins(&s, dir))
        return EXIT_OUTSIDE;
    if (s.diags.count)
        session_report(&s, false);
    int code = s.diags.errors ? EXIT_CONFIG : show(s.registry, name, form);
    session_close(&s);
    return code;
}

const struct cli_verb cli_plugins = {
    .name = "plugins",
    .arguments = "[--json|--markdown] [--dir FOLDER] [NAME]",
    .summary = "what is in lib/: components, versions, options",
    .run = run,
    .help = "Without NAME: a line for each component. With the NAME of a plugin or component: its options with types,\n"
            "defaults, ranges and help. With the NAME of an error code (LEAT-C0005): its cause and cure.\n"
            "\n"
            "  --json         for programs\n"
            "  --markdown     for the manual; without NAME the whole reference\n"
            "  --dir FOLDER   the plugins of this folder instead of lib/",
};
