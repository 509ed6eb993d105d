// SPDX-License-Identifier: Apache-2.0
// leat check: reads the files as "run" would and says what is wrong, without touching the network.
#include <stdio.h>
#include <string.h>

#include "cli/session.h"
#include "cli/verbs.h"

static int run(int argc, char **argv)
{
    bool json = false;
    char **files = argv; // what is a file moves to the front
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-')
            return cli_usage(&cli_check, "unknown option", argv[i]);
        else
            files[count++] = argv[i];
    }
    struct session s;
    if (!session_open(&s, files, count))
        return EXIT_OUTSIDE;
    session_report(&s, json);
    if (!json)
        session_read_on(&s);
    bool good = s.diags.errors == 0;
    if (good && !json)
        printf("%u pipeline%s checked, %s\n", s.pipeline_count, s.pipeline_count == 1 ? "" : "s",
               s.diags.warnings ? "no error" : "nothing wrong");
    bool partly_known = false;
    for (uint32_t i = 0; i < s.pipeline_count; i++)
        partly_known |= s.pipelines[i].partly_known;
    if (good && !json && partly_known)
        printf("columns that only a server knows were not checked; \"leat plan --connect\" asks for them\n");
    session_close(&s);
    return good ? 0 : EXIT_CONFIG;
}

const struct cli_verb cli_check = {
    .name = "check",
    .arguments = "[--json] [FILE...]",
    .summary = "finds every fault of the files at once; touches no network",
    .run = run,
    .help = "Reads the pipeline files, loads the plugins, parses every option and query, and plans the jobs as far as "
            "that is\n"
            "possible without connecting. Every fault is shown as file:line:column with the line and a caret.\n"
            "\n"
            "  --json   the faults as JSON, for editors: with the place, a hint, and the page that tells of the code",
};
