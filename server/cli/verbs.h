// SPDX-License-Identifier: Apache-2.0
// The verbs of the command line. Each gets what stands behind its name and returns the exit code.
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#define EXIT_CONFIG  1
#define EXIT_USAGE   2
#define EXIT_OUTSIDE 3
#define EXIT_BUG     4 // also BASE_CRASH_EXIT

struct cli_verb {
    const char *name;
    const char *arguments; // "[FILE...]"
    const char *summary;
    int (*run)(int argc, char **argv);
    const char *help; // paragraphs for "leat help VERB"
};

extern const struct cli_verb cli_run, cli_check, cli_plan, cli_plugins, cli_explain, cli_sql;

// All verbs, in the order of the help; ends with a NULL.
extern const struct cli_verb *const cli_verbs[];

// Dispatches argv[1]. Returns the exit code.
int cli_main(int argc, char **argv);

// Prints the usage of a verb to stderr, with `message` before it unless NULL. Returns EXIT_USAGE.
int cli_usage(const struct cli_verb *verb, const char *message, const char *word);

#endif
