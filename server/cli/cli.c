// SPDX-License-Identifier: Apache-2.0
// Dispatch and help.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "base/str.h"
#include "cli/idle.h"
#include "cli/verbs.h"

#define VERSION "0.1.0"

const struct cli_verb *const cli_verbs[] = {&cli_run,     &cli_check, &cli_plan, &cli_plugins,
                                            &cli_explain, &cli_sql,   NULL};

static void print_help(FILE *out)
{
    fprintf(out, "leat %s, a plugin-based ETL server\n\nusage: leat VERB [OPTIONS] [FILE...]\n\n", VERSION);
    for (const struct cli_verb *const *v = cli_verbs; *v; v++)
        fprintf(out, "  %-8s %-20s %s\n", (*v)->name, (*v)->arguments, (*v)->summary);
    fprintf(out, "\n\"leat help VERB\" says more. Without FILE the pipeline is etc/pipeline.toml.\n"
                 "exit codes: 0 fine, 1 the configuration or request is wrong, 2 usage, 3 an outside system failed, 4 "
                 "a bug of leat\n");
}

static const struct cli_verb *find(const char *name)
{
    for (const struct cli_verb *const *v = cli_verbs; *v; v++)
        if (strcmp((*v)->name, name) == 0)
            return *v;
    return NULL;
}

static int unknown(const char *name)
{
    const char *words[32];
    size_t n = 0;
    for (const struct cli_verb *const *v = cli_verbs; *v && n < 31; v++)
        words[n++] = (*v)->name;
    words[n] = NULL;
    const char *near = base_nearest(name, words);
    fprintf(stderr, "leat: unknown verb \"%s\"%s%s%s\n", name, near ? "; did you mean \"" : "", near ? near : "",
            near ? "\"?" : "");
    fprintf(stderr, "\"leat help\" lists them\n");
    return EXIT_USAGE;
}

static int help(const struct cli_verb *verb)
{
    printf("usage: leat %s %s\n\n%s\n", verb->name, verb->arguments, verb->help);
    return 0;
}

int cli_usage(const struct cli_verb *verb, const char *message, const char *word)
{
    if (message)
        fprintf(stderr, "leat %s: %s%s%s%s\n", verb->name, message, word ? " \"" : "", word ? word : "",
                word ? "\"" : "");
    fprintf(stderr, "usage: leat %s %s\n", verb->name, verb->arguments);
    return EXIT_USAGE;
}

// Output that did not arrive is no success; a reader that has gone away has seen what it wanted.
static int flushed(int code)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE || code)
        return code;
    fprintf(stderr, "leat: could not write to standard output: %s\n", strerror(errno));
    return EXIT_OUTSIDE;
}

static int do_verb(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("leat %s\n", VERSION);
        return 0;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        const struct cli_verb *verb = argc > 2 ? find(argv[2]) : NULL;
        if (verb)
            return help(verb);
        if (argc > 2)
            return unknown(argv[2]);
        print_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? 0 : EXIT_USAGE;
    }
    const struct cli_verb *verb = find(name);
    if (!verb)
        return unknown(name);
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return help(verb);
    return verb->run(argc - 2, argv + 2);
}

int cli_main(int argc, char **argv)
{
    idle_bound_memory();
    base_crash_install("leat " VERSION);
    errno = 0;
    return flushed(do_verb(argc, argv));
}
