// SPDX-License-Identifier: Apache-2.0
// See session.h.
#include "cli/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "http/address.h"
#include "plugin/loader.h"

// Static planning of every job: describe and bind say what they find wrong.
static void plan_once(struct session_pipeline *p)
{
    for (uint32_t job = 0; job < p->graph->job_count; job++) {
        struct base_error error;
        struct plan_job *plan = graph_plan(p->graph, job, &error);
        p->partly_known |= plan && !plan->complete;
        graph_plan_destroy(plan);
    }
    graph_check_rest(p->graph);
}

static bool build_all(struct session *s, bool link)
{
    s->pipelines = base_arena_calloc(s->config->arena, s->config->pipeline_count + 1, sizeof *s->pipelines);
    if (!s->pipelines)
        return false;
    for (uint32_t i = 0; i < s->config->pipeline_count; i++) {
        struct session_pipeline *p = &s->pipelines[s->pipeline_count++];
        bool ok = false;
        p->options = &s->config->pipelines[i].options;
        p->graph = graph_build(s->config, &s->config->pipelines[i], s->registry, &ok);
        if (!p->graph)
            return false;
        p->linked = link && graph_link(p->graph);
        if (p->linked)
            plan_once(p);
    }
    return true;
}

// A pipeline without a sink would run for nobody.
static void check_sinks(struct session *s)
{
    for (uint32_t i = 0; i < s->config->pipeline_count; i++) {
        const struct config_pipeline *p = &s->config->pipelines[i];
        uint32_t sinks = 0;
        for (uint32_t k = 0; k < p->node_count; k++)
            sinks += p->nodes[k].kind == LEAT_SINK;
        if (!sinks && !p->incomplete)
            base_diag_add(&s->diags, LEAT_DIAG_ERROR, "LEAT-C0022", p->node_count ? &p->nodes[0].place : &p->place,
                          "Add one: [sinks.NAME] with input = \"name of a source or operator\" and a connector.",
                          "pipeline \"%s\" has no sink: nothing of it would run", p->options.name);
    }
    if (!s->config->pipeline_count && !s->diags.errors)
        base_diag_add(&s->diags, LEAT_DIAG_ERROR, "LEAT-C0022", NULL, "Name a file that has sources and sinks.",
                      "the files hold no pipeline: there is nothing to run");
}

// The address is HTTP's to understand, its place is the configuration's.
static void check_listen(struct session *s)
{
    struct http_address address;
    struct base_error error;
    struct base_place place = config_server_place(s->config, "http.listen");
    if (strcmp(s->config->server.http_listen, "off") != 0 &&
        !http_address_parse(s->config->server.http_listen, &address, &error))
        base_diag_add(&s->diags, LEAT_DIAG_ERROR, error.code, &place, error.hint[0] ? error.hint : NULL, "%s",
                      error.message);
}

// Over all files: each node against those before it.
static void check_exclusive(struct session *s)
{
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        for (uint32_t k = 0; k <= i; k++)
            graph_check_exclusive(s->pipelines[i].graph, s->pipelines[k].graph);
}

static bool start(struct session *s)
{
    struct base_error error;
    memset(s, 0, sizeof *s);
    s->secrets = base_secrets_create();
    s->registry = plugin_registry_create();
    if (!s->secrets || !s->registry || !base_diags_init(&s->diags))
        return false;
    s->config = config_create(&s->diags, s->secrets, &error);
    return s->config != NULL;
}

static bool fail(struct session *s)
{
    fprintf(stderr, "leat: out of memory\n");
    session_close(s);
    return false;
}

static void load_plugins(struct session *s, const char *dir)
{
    char usual[PATH_MAX + 16];
    plugin_folder(usual, sizeof usual);
    plugin_load_dir(s->registry, dir ? dir : usual, &s->diags);
}

bool session_open_plugins(struct session *s, const char *dir)
{
    if (!start(s))
        return fail(s);
    load_plugins(s, dir);
    return true;
}

bool session_open(struct session *s, char **files, int count)
{
    static const char *const usual[] = {"etc/pipeline.toml"};
    if (!start(s))
        return fail(s);
    config_load(s->config, count ? (const char *const *)files : usual, count ? (uint32_t)count : 1);
    load_plugins(s, s->config->server.plugin_dir);
    config_resolve(s->config, s->registry);
    check_listen(s);
    check_sinks(s);
    if (!build_all(s, true))
        return fail(s);
    check_exclusive(s);
    return true;
}

bool session_open_quiet(struct session *s, char **file, const char *text)
{
    if (!start(s))
        return fail(s);
    if (file)
        config_load(s->config, (const char *const *)file, 1);
    else
        config_load_text(s->config, "leat sql", text);
    load_plugins(s, s->config->server.plugin_dir);
    config_resolve(s->config, s->registry);
    return build_all(s, false) || fail(s);
}

void session_close(struct session *s)
{
    config_destroy(s->config);
    base_diags_fini(&s->diags);
    plugin_registry_destroy(s->registry);
    base_secrets_destroy(s->secrets);
    memset(s, 0, sizeof *s);
}

void session_report(struct session *s, bool json)
{
    struct base_str out;
    base_str_init(&out);
    base_diags_sort(&s->diags);
    if (json)
        base_diags_json(&s->diags, s->secrets, &out);
    else
        base_diags_print(&s->diags, s->secrets, isatty(STDERR_FILENO), &out);
    FILE *to = json ? stdout : stderr;
    fwrite(out.ptr, 1, out.len, to);
    if (json)
        fputc('\n', to);
    base_str_fini(&out);
}

// --- where to read on

#define READ_ON_MAX 3 // codes and names: whoever mends these has the others left anyway

static void add_new(const char **list, uint32_t *count, const char *word)
{
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp(list[i], word) == 0)
            return;
    if (*count < READ_ON_MAX)
        list[(*count)++] = word;
}

void session_read_on(const struct session *s)
{
    const char *codes[READ_ON_MAX], *names[READ_ON_MAX];
    uint32_t code_count = 0, name_count = 0;
    for (uint32_t i = 0; i < s->diags.count; i++)
        if (s->diags.items[i].severity == LEAT_DIAG_ERROR && s->diags.items[i].code[0])
            add_new(codes, &code_count, s->diags.items[i].code);
    if (s->config->faulty)
        add_new(names, &name_count, "core");
    for (uint32_t i = 0; i < s->config->pipeline_count; i++)
        for (uint32_t k = 0; k < s->config->pipelines[i].node_count; k++) {
            const struct config_node *node = &s->config->pipelines[i].nodes[k];
            if (node->faulty && node->component)
                add_new(names, &name_count, node->component->name);
        }
    if (code_count)
        fprintf(stderr, "read on: leat explain");
    for (uint32_t i = 0; i < code_count; i++)
        fprintf(stderr, " %s", codes[i]);
    for (uint32_t i = 0; i < name_count; i++)
        fprintf(stderr, "%s leat plugins %s", i ? "," : "; options:", names[i]);
    if (code_count)
        fputc('\n', stderr);
}
