// SPDX-License-Identifier: Apache-2.0
// leat explain: cause and cure of error codes, from the tables of which the page of codes is printed.
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/reference.h"
#include "cli/session.h"
#include "cli/verbs.h"

#define CODES_MAX 64

// "c10" and "C0010" are LEAT-C0010. NULL for what is no code at all.
static const char *whole_code(const char *word, char *code, size_t size)
{
    unsigned number;
    char letter, rest;
    if (strncasecmp(word, "LEAT-", 5) == 0)
        word += 5;
    if (sscanf(word, "%c%4u%c", &letter, &number, &rest) != 2)
        return NULL;
    snprintf(code, size, "LEAT-%c%04u", letter >= 'a' && letter <= 'z' ? letter - 32 : letter, number);
    return code;
}

static bool is_in(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

static int unknown(const struct session *s, const char *const *names, const char *word)
{
    char code[16];
    const char *near = base_nearest(whole_code(word, code, sizeof code) ? code : word, names);
    fprintf(stderr, "leat explain: there is no code \"%s\"%s%s%s\n", word, near ? "; did you mean \"" : "",
            near ? near : "", near ? "\"?" : "");
    fprintf(stderr, "\"leat explain\" lists all%s\n",
            s->diags.errors ? "; plugins that could not be loaded have codes of their own" : "");
    return EXIT_CONFIG;
}

static int explain(const struct session *s, char **words, int count, enum reference_form form)
{
    struct base_str out;
    int result = 0;
    const char *codes[CODES_MAX + 1] = {NULL};
    char texts[CODES_MAX][16];
    const char *const *names = reference_code_names(s->registry, s->config->arena);
    for (int i = 0; i < count; i++) {
        codes[i] = whole_code(words[i], texts[i], sizeof texts[i]);
        if (!names || !codes[i] || !is_in(names, codes[i]))
            return names ? unknown(s, names, words[i]) : EXIT_OUTSIDE;
    }
    base_str_init(&out);
    reference_explain(s->registry, codes, form, &out);
    if (!base_str_ok(&out))
        result = EXIT_OUTSIDE;
    fwrite(out.ptr, 1, out.len, stdout);
    base_str_fini(&out);
    return result;
}

static int run(int argc, char **argv)
{
    enum reference_form form = REFERENCE_TEXT;
    const char *dir = NULL;
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            form = REFERENCE_JSON;
        else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
            dir = argv[++i];
        else if (argv[i][0] == '-')
            return cli_usage(&cli_explain, "unknown option", argv[i]);
        else if (count == CODES_MAX)
            return cli_usage(&cli_explain, "too many codes, beginning with", argv[i]);
        else
            argv[count++] = argv[i];
    }
    struct session s;
    if (!session_open_plugins(&s, dir))
        return EXIT_OUTSIDE;
    int code = explain(&s, argv, count, form);
    session_close(&s);
    return code;
}

const struct cli_verb cli_explain = {
    .name = "explain",
    .arguments = "[--json] [--dir FOLDER] [CODE...]",
    .summary = "what an error code means, and what to do",
    .run = run,
    .help =
        "Cause and cure of each CODE, written as LEAT-C0010 or C10. Without CODE: all there are, a line each. Plugins\n"
        "bring codes of their own.\n"
        "\n"
        "  --json         for programs\n"
        "  --dir FOLDER   the plugins of this folder instead of lib/",
};
