// SPDX-License-Identifier: Apache-2.0
// leat run: the server in the foreground. The main thread is the control loop; signals come through a descriptor.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "base/time.h"
#include "checkpoint/pipeline.h"
#include "cli/machine.h"
#include "cli/mask.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "http/server.h"

#define STOP_GRACE       (10 * BASE_SECOND)
#define STOP_PATIENCE    (3 * BASE_SECOND) // until the log says what stopping waits for
#define BLOCKED          BASE_SECOND       // a call that takes longer is what stopping waits for
#define PROGRESS_TIMEOUT (30 * BASE_SECOND)
#define FORGET_MAX       256

struct server {
    struct session session;
    struct machine machine;
    bool allow_non_restored_state;
    char **forget; // --forget-state: NODE or PIPELINE.NODE
    uint32_t forget_count;
    struct pipeline **pipelines;
    uint32_t pipeline_count, running;
    struct http_server *http;
    bool stopping;
    struct loop_timer patience; // while stopping
    leat_usec waited;           // until that timer
    leat_status failure;        // class of the first job that failed; LEAT_OK = none has
};

// --- what HTTP shows, on its own thread

static bool view_live(void *self, struct base_str *reason)
{
    struct server *s = self;
    char stall[RUNTIME_STALL_TEXT];
    if (!runtime_stalled(s->machine.runtime, s->session.config->server.stall_warning, stall))
        return true;
    size_t from = reason->len;
    base_str_addz(reason, stall);
    mask_tail(s->session.secrets, reason, from);
    return false;
}

static bool view_ready(void *self, struct base_str *reason)
{
    struct server *s = self;
    size_t from = reason->len;
    bool ready = true;
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        ready = pipeline_ready(s->pipelines[i], reason) && ready;
    mask_tail(s->session.secrets, reason, from);
    return ready;
}

static json_t *view_health(void *self)
{
    struct server *s = self;
    json_t *pipelines = json_array();
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        json_array_append_new(pipelines, pipeline_health(s->pipelines[i]));
    return mask_json(s->session.secrets, json_pack("{s:o}", "pipelines", pipelines));
}

static void view_metrics(void *self, struct base_str *out)
{
    struct server *s = self;
    size_t from = out->len;
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_publish_times(s->pipelines[i]);
    base_metrics_print(s->machine.metrics, out);
    mask_tail(s->session.secrets, out, from);
}

static leat_status start_http(struct server *s, struct base_error *error)
{
    const struct config_server *o = &s->session.config->server;
    if (strcmp(o->http_listen, "off") == 0)
        return LEAT_OK;
    struct http_options options = {
        .listen = o->http_listen,
        .hosts = o->http_hosts.items,
        .host_count = o->http_hosts.count,
        .token = o->http_token,
        .metrics = s->machine.metrics,
        .log = &s->machine.logger,
    };
    struct http_views views = {s, view_live, view_ready, view_health, view_metrics};
    s->http = http_server_start(&options, &views, error);
    if (!s->http)
        return error->failure;
    return LEAT_OK;
}

// --- signals and the end

// A call that never comes back holds the process until somebody sends a second signal: who waits must know of both. Again
// each time it has taken twice as long.
static void on_patience(void *arg)
{
    struct server *s = arg;
    char stall[RUNTIME_STALL_TEXT];
    struct base_str what;
    base_str_init(&what);
    if (runtime_stalled(s->machine.runtime, BLOCKED, stall))
        base_str_addz(&what, stall);
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_waits(s->pipelines[i], &what);
    base_log(&s->machine.logger, LEAT_LOG_WARN, "stop-waits",
             "still stopping after %lld s, a second signal ends leat at once: %s", (long long)(s->waited / BASE_SECOND),
             what.ptr);
    base_str_fini(&what);
    loop_timer_set(&s->patience, s->waited);
    s->waited *= 2;
}

static void stop(struct server *s, int signal_number)
{
    if (s->stopping) {
        base_log(&s->machine.logger, LEAT_LOG_WARN, "stop-now", "asked to stop again: ending without waiting");
        base_log_flush(s->machine.log);
        // as a program ends that does not catch the signal: that is no clean stop
        sigset_t now;
        sigemptyset(&now);
        sigaddset(&now, signal_number);
        signal(signal_number, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &now, NULL); // blocked, since the loop reads signals from a descriptor
        raise(signal_number);
    }
    s->stopping = true;
    base_log(&s->machine.logger, LEAT_LOG_INFO, "stopping", "%s: taking a last checkpoint",
             signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_stop(s->pipelines[i], STOP_GRACE);
    s->waited = STOP_PATIENCE;
    loop_timer_set(&s->patience, s->waited);
    if (s->running == 0)
        loop_stop(s->machine.control);
}

static void on_signal(void *arg, int signal_number)
{
    stop(arg, signal_number);
}

static bool is_bounded(const struct server *s)
{
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        if (!pipeline_bounded(s->pipelines[i]))
            return false;
    return true;
}

// A pipeline whose jobs have all ended: the server ends with the last one. Where work without an end has failed it stays
// and shows why, since somebody has to look; work that ends by itself has a caller who waits for the exit code.
static void on_ended(void *arg, struct pipeline *pipeline)
{
    struct server *s = arg;
    struct base_error error;
    s->running--;
    if (s->failure == LEAT_OK && pipeline_failed(pipeline, &error))
        s->failure = error.failure;
    if (s->running)
        return;
    if (s->stopping || s->failure == LEAT_OK || is_bounded(s))
        loop_stop(s->machine.control);
    else
        base_log(&s->machine.logger, LEAT_LOG_WARN, "nothing-runs",
                 "no job runs any more, and one has failed: health shows why until leat is stopped");
}

static int exit_code(leat_status failure)
{
    switch (failure) {
    case LEAT_OK:
        return 0;
    case LEAT_BUG:
        return EXIT_BUG;
    case LEAT_TRANSIENT:
    case LEAT_RESOURCE:
        return EXIT_OUTSIDE;
    default:
        return EXIT_CONFIG;
    }
}

// --- start

static bool has_node(const struct session_pipeline *p, const char *name)
{
    for (uint32_t i = 0; i < p->graph->node_count; i++)
        if (strcmp(p->graph->nodes[i].name, name) == 0)
            return true;
    return false;
}

// The node's name if the text means a node of this pipeline, else NULL.
static const char *node_meant(const struct session_pipeline *p, const char *text)
{
    size_t n = strlen(p->graph->pipeline);
    if (strncmp(text, p->graph->pipeline, n) == 0 && text[n] == '.' && has_node(p, text + n + 1))
        return text + n + 1;
    return has_node(p, text) ? text : NULL;
}

// Each --forget-state must mean one node.
static leat_status check_forget(const struct server *s, struct base_error *error)
{
    for (uint32_t i = 0; i < s->forget_count; i++) {
        uint32_t meant = 0;
        for (uint32_t k = 0; k < s->session.pipeline_count; k++)
            meant += node_meant(&s->session.pipelines[k], s->forget[i]) != NULL;
        if (meant == 1)
            continue;
        base_fail(error, LEAT_CONFIG, "LEAT-T0009",
                  meant ? "several pipelines have a node \"%s\"" : "no pipeline has a node \"%s\"", s->forget[i]);
        base_error_hint(error, meant ? "Write --forget-state PIPELINE.%s." : "\"leat plan\" shows the nodes.",
                        s->forget[i]);
        return LEAT_CONFIG;
    }
    return LEAT_OK;
}

// The names that mean nodes of this pipeline; memory of the session.
static const char *const *to_forget(const struct server *s, const struct session_pipeline *p, uint32_t *count)
{
    const char **names = base_arena_calloc(p->graph->arena, s->forget_count + 1, sizeof *names);
    *count = 0;
    for (uint32_t i = 0; names && i < s->forget_count; i++)
        if ((names[*count] = node_meant(p, s->forget[i])))
            (*count)++;
    return names;
}

static leat_status create_pipelines(struct server *s, struct base_error *error)
{
    s->pipelines = calloc(s->session.pipeline_count, sizeof(struct pipeline *));
    if (!s->pipelines || !loop_timer_init(&s->patience, s->machine.control, on_patience, s))
        return base_no_memory(error);
    if (check_forget(s, error) < 0)
        return error->failure;
    for (uint32_t i = 0; i < s->session.pipeline_count; i++) {
        struct session_pipeline *p = &s->session.pipelines[i];
        struct pipeline_options options = {
            .runtime = s->machine.runtime,
            .control = s->machine.control,
            .writer = s->machine.writer,
            .log = s->machine.log,
            .metrics = s->machine.metrics,
            .graph = p->graph,
            .settings = p->options,
            .keep = true,
            .allow_non_restored_state = s->allow_non_restored_state,
            .progress_timeout = PROGRESS_TIMEOUT,
            .ended = on_ended,
            .arg = s,
        };
        options.forget = to_forget(s, p, &options.forget_count);
        if (!options.forget)
            return base_no_memory(error);
        s->pipelines[i] = pipeline_create(&options, error);
        if (!s->pipelines[i])
            return error->failure;
        s->pipeline_count++;
        s->running++;
    }
    return LEAT_OK;
}

static void end(struct server *s)
{
    http_server_stop(s->http);
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_destroy(s->pipelines[i]);
    free(s->pipelines);
    if (s->machine.log)
        base_log(&s->machine.logger, LEAT_LOG_INFO, "stopped", "leat has stopped");
    if (s->patience.loop)
        loop_timer_fini(&s->patience);
    machine_end(&s->machine);
    session_close(&s->session);
}

static int serve(struct server *s)
{
    struct base_error error;
    const struct config_server *o = &s->session.config->server;
    struct machine_options options = {
        .secrets = s->session.secrets,
        .log_json = o->log_format == 1,
        .log_level = (uint8_t)(o->log_level + LEAT_LOG_ERROR),
        .workers = (uint32_t)o->workers,
        .stall_warning = o->stall_warning,
        .registry = s->session.registry,
        .on_signal = on_signal,
        .arg = s,
    };
    base_error_clear(&error);
    if (machine_start(&s->machine, &options, &error) < 0 || create_pipelines(s, &error) < 0 ||
        start_http(s, &error) < 0) {
        machine_print_error(&error, s->session.secrets);
        end(s);
        return error.failure == LEAT_CONFIG ? EXIT_CONFIG : EXIT_OUTSIDE;
    }
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_start(s->pipelines[i]);
    loop_run(s->machine.control);
    end(s);
    return exit_code(s->failure);
}

static int run(int argc, char **argv)
{
    struct server s = {.running = 0};
    char **files = argv; // what is a file moves to the front
    char *forget[FORGET_MAX];
    s.forget = forget;
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--allow-non-restored-state") == 0)
            s.allow_non_restored_state = true;
        else if (strcmp(argv[i], "--forget-state") == 0) {
            if (i + 1 == argc || s.forget_count == FORGET_MAX)
                return cli_usage(&cli_run, i + 1 == argc ? "no node behind" : "too often", argv[i]);
            forget[s.forget_count++] = argv[++i];
        } else if (argv[i][0] == '-')
            return cli_usage(&cli_run, "unknown option", argv[i]);
        else
            files[count++] = argv[i];
    }
    if (!session_open(&s.session, files, count))
        return EXIT_OUTSIDE;
    if (s.session.diags.count)
        session_report(&s.session, false);
    session_read_on(&s.session);
    if (s.session.diags.errors) {
        session_close(&s.session);
        return EXIT_CONFIG;
    }
    return serve(&s);
}

const struct cli_verb cli_run = {
    .name = "run",
    .arguments = "[--allow-non-restored-state] [--forget-state NODE]... [FILE...]",
    .summary = "runs pipelines in the foreground; SIGTERM stops with a last checkpoint",
    .run = run,
    .help =
        "Checks the files as \"leat check\" does, then runs them until SIGTERM or SIGINT, or until every bounded "
        "source is read.\n"
        "Systems that are not there yet are waited for; /health/ready says what is missing.\n"
        "\n"
        "  --allow-non-restored-state   forget saved state of nodes that the file no longer has\n"
        "  --forget-state NODE          forget the saved state of this node, and its position if it is a source, at\n"
        "                               this start; NODE or PIPELINE.NODE, may be repeated",
};
