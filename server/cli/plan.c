// SPDX-License-Identifier: Apache-2.0
// leat plan: the graph as it would run. As text for people, as JSON, or as DOT for a picture.
//
// What a source finds only when it is connected is not known here and said so; the jobs behind it show what can be
// told.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/connect.h"
#include "cli/machine.h"
#include "cli/mask.h"
#include "cli/plan_forms.h"
#include "cli/session.h"
#include "cli/verbs.h"

// --- the verb

enum output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_DOT };

#define PATIENCE ((leat_usec)20000000)

// What is known only when connected is asked for. An exit code: it could not be, with the reason printed.
static int connect_job(struct session *s, struct graph *graph, struct plan_job *plan)
{
    struct base_error error;
    uint32_t before = s->diags.errors;
    if (plan->complete || plan_connect(graph, plan, s->secrets, PATIENCE, &error) >= 0)
        return 0;
    if (s->diags.errors > before) {
        session_report(s, false);
        session_read_on(s);
        return EXIT_CONFIG;
    }
    machine_print_error(&error, s->secrets);
    return error.failure == LEAT_CONFIG ? EXIT_CONFIG : EXIT_OUTSIDE;
}

static struct plan_job *plan_of(struct session *s, struct graph *graph, uint32_t job, int *failed)
{
    struct base_error error;
    struct plan_job *plan = graph_plan(graph, job, &error);
    int code = plan && failed ? connect_job(s, graph, plan) : 0;
    if (!code)
        return plan;
    // what is left of the plan is no plan: it is shown as far as it goes without connecting
    graph_plan_destroy(plan);
    *failed = code;
    return graph_plan(graph, job, &error);
}

// `failed` NULL: without connecting.
static void show(struct session *s, uint32_t number, enum output output, json_t *all, int *failed)
{
    const struct session_pipeline *p = &s->pipelines[number];
    json_t *jobs = output == OUTPUT_JSON ? json_array() : NULL;
    if (output == OUTPUT_TEXT)
        plan_text_pipeline(p, &s->config->server);
    for (uint32_t job = 0; job < p->graph->job_count; job++) {
        struct plan_job *plan = plan_of(s, p->graph, job, failed);
        if (!plan)
            continue;
        if (output == OUTPUT_TEXT)
            plan_text_job(plan, job);
        else if (output == OUTPUT_DOT)
            plan_dot_job(plan, number, job);
        else
            json_array_append_new(jobs, plan_json_job(plan));
        graph_plan_destroy(plan);
    }
    if (jobs)
        json_array_append_new(all, json_pack("{s:s, s:o}", "name", p->graph->pipeline, "jobs", jobs));
}

static void show_all(struct session *s, enum output output, int *failed)
{
    json_t *all = output == OUTPUT_JSON ? json_array() : NULL;
    if (output == OUTPUT_DOT)
        printf("digraph leat {\n  rankdir = LR;\n");
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        show(s, i, output, all, failed);
    if (output == OUTPUT_DOT)
        printf("}\n");
    if (all) {
        json_dumpf(mask_json(s->secrets, all), stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(all);
    }
}

// Names of servers, topics and files may come out of ${file:…}: what is printed is collected and masked as a whole.
static int show_masked(struct session *s, enum output output, int *failed)
{
    char *text = NULL;
    size_t len = 0;
    FILE *terminal = stdout, *memory = open_memstream(&text, &len);
    struct base_str masked;
    if (!memory)
        return EXIT_OUTSIDE;
    stdout = memory; // glibc documents that the standard streams may be set
    show_all(s, output, failed);
    stdout = terminal;
    bool good = fclose(memory) == 0;
    base_str_init(&masked);
    if (good)
        base_secrets_mask(s->secrets, text, len, &masked);
    good = good && base_str_ok(&masked) && fwrite(masked.ptr, 1, masked.len, stdout) == masked.len && !fflush(stdout);
    base_str_fini(&masked);
    free(text);
    return good ? 0 : EXIT_OUTSIDE;
}

static int run(int argc, char **argv)
{
    enum output output = OUTPUT_TEXT;
    char **files = argv; // what is a file moves to the front
    int count = 0, failed = 0;
    bool connect = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--connect") == 0)
            connect = true;
        else if (strcmp(argv[i], "--json") == 0)
            output = OUTPUT_JSON;
        else if (strcmp(argv[i], "--dot") == 0)
            output = OUTPUT_DOT;
        else if (argv[i][0] == '-')
            return cli_usage(&cli_plan, "unknown option", argv[i]);
        else
            files[count++] = argv[i];
    }
    struct session s;
    if (!session_open(&s, files, count))
        return EXIT_OUTSIDE;
    if (s.diags.errors) {
        session_report(&s, false);
        session_read_on(&s);
        session_close(&s);
        return EXIT_CONFIG;
    }
    int code = show_masked(&s, output, connect ? &failed : NULL);
    session_close(&s);
    return failed ? failed : code;
}

const struct cli_verb cli_plan = {
    .name = "plan",
    .arguments = "[--connect] [--json|--dot] [FILE...]",
    .summary = "shows the planned graph: schemas, changelog modes, sharing, state, promises",
    .run = run,
    .help = "Plans the pipelines without connecting and shows each job: its nodes in order, what each reads and gives, "
            "how rows are\n"
            "shared among instances, what was put between two nodes and why, and what each sink promises.\n"
            "\n"
            "  --connect   asks the servers for the columns that only they know; nothing is opened or made there\n"
            "  --json      the same for programs\n"
            "  --dot       a graph for Graphviz",
};
