// SPDX-License-Identifier: Apache-2.0
// leat plugins: what is in lib/, and every option of it; the reference in docs/ is made of its Markdown.
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/reference.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "plugin/doc.h"

// "core" and "codes" are pages of their own.
static bool print(const struct plugin_registry *registry, const char *name, enum reference_form form,
                  struct base_str *out)
{
    if (name && strcmp(name, "core") == 0)
        reference_core(form, out);
    else if (name && strcmp(name, "codes") == 0)
        reference_codes(registry, form, out);
    else if (form == REFERENCE_JSON)
        return plugin_doc_json(registry, name, out);
    else if (form == REFERENCE_TEXT)
        return plugin_doc_text(registry, name, out);
    else
        return plugin_doc_markdown(registry, name, out);
    return true;
}

// --- names that nothing has

static int unknown(const struct plugin_registry *registry, const char *name)
{
    const char *near = NULL;
    for (uint8_t kind = LEAT_SOURCE; kind <= LEAT_LOOKUP && !near; kind++)
        near = base_nearest(name, plugin_registry_names(registry, kind));
    if (strncasecmp(name, "LEAT-", 5) == 0) {
        fprintf(stderr, "leat plugins: \"%s\" is an error code: leat explain %s\n", name, name);
        return EXIT_CONFIG;
    }
    fprintf(stderr, "leat plugins: nothing is called \"%s\"%s%s%s\n", name, near ? "; did you mean \"" : "",
            near ? near : "", near ? "\"?" : "");
    return EXIT_CONFIG;
}

static int show(const struct plugin_registry *registry, const char *name, enum reference_form form)
{
    struct base_str out;
    int code = 0;
    base_str_init(&out);
    if (!print(registry, name, form, &out))
        code = unknown(registry, name);
    else if (!base_str_ok(&out))
        code = EXIT_OUTSIDE;
    fwrite(out.ptr, 1, out.len, stdout);
    base_str_fini(&out);
    return code;
}

static int run(int argc, char **argv)
{
    enum reference_form form = REFERENCE_TEXT;
    const char *name = NULL, *dir = NULL;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            form = REFERENCE_JSON;
        else if (strcmp(argv[i], "--markdown") == 0)
            form = REFERENCE_MARKDOWN;
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
            "defaults, ranges and help. \"core\": the options of [server], [pipeline] and of every node. \"codes\": "
            "all error\n"
            "codes; \"leat explain\" tells of one.\n"
            "\n"
            "  --json         for programs\n"
            "  --markdown     for the manual\n"
            "  --dir FOLDER   the plugins of this folder instead of lib/",
};
