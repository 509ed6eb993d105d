// SPDX-License-Identifier: Apache-2.0
// leat run: the server in the foreground. The main thread is the control loop; signals come through a descriptor.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "base/time.h"
#include "checkpoint/pipeline.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "http/server.h"

#define STOP_GRACE       (10 * BASE_SECOND)
#define PROGRESS_TIMEOUT (30 * BASE_SECOND)

struct server {
    struct session session;
    bool allow_non_restored_state;
    struct base_log *log;
    struct base_logger logger;
    struct base_metrics *metrics;
    struct loop *control, *writer;
    pthread_t writer_thread;
    bool writer_runs;
    struct runtime *runtime;
    struct pipeline **pipelines;
    uint32_t pipeline_count, running;
    struct http_server *http;
    int signals;
    struct loop_watch signal_watch;
    bool stopping;
};

// --- what HTTP shows, on its own thread
// ------------------------------------------------------------------------------------

static bool view_live(void *self, struct base_str *reason)
{
    struct server *s = self;
    const char *stalled = runtime_stalled(s->runtime, s->session.config->server.stall_warning);
    if (stalled)
        base_str_addf(reason, "node \"%s\" blocks its loop", stalled);
    return !stalled;
}

static bool view_ready(void *self, struct base_str *reason)
{
    struct server *s = self;
    bool ready = true;
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        ready = pipeline_ready(s->pipelines[i], reason) && ready;
    return ready;
}

static json_t *view_health(void *self)
{
    struct server *s = self;
    json_t *pipelines = json_array();
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        json_array_append_new(pipelines, pipeline_health(s->pipelines[i]));
    return json_pack("{s:o}", "pipelines", pipelines);
}

static void view_metrics(void *self, struct base_str *out)
{
    struct server *s = self;
    base_metrics_print(s->metrics, out);
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
        .metrics = s->metrics,
        .log = &s->logger,
    };
    struct http_views views = {s, view_live, view_ready, view_health, view_metrics};
    s->http = http_server_start(&options, &views, error);
    if (!s->http)
        return error->failure;
    base_log(&s->logger, LEAT_LOG_INFO, "http-listening", "health and metrics are at http://%s",
             http_server_address(s->http));
    return LEAT_OK;
}

// --- signals and the end
// ----------------------------------------------------------------------------------------------------

static void stop(struct server *s, const char *why)
{
    if (s->stopping) {
        base_log(&s->logger, LEAT_LOG_WARN, "stop-now", "asked to stop again: ending without waiting");
        base_log_flush(s->log);
        _exit(0);
    }
    s->stopping = true;
    base_log(&s->logger, LEAT_LOG_INFO, "stopping", "%s: taking a last checkpoint", why);
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_stop(s->pipelines[i], STOP_GRACE);
    if (s->running == 0)
        loop_stop(s->control);
}

static void on_signal(void *arg, uint32_t ready)
{
    struct server *s = arg;
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info)
        stop(s, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
}

// A pipeline whose jobs have all ended: the server ends with the last one, unless one failed, which somebody has to
// see.
static void on_ended(void *arg, struct pipeline *pipeline)
{
    struct server *s = arg;
    struct base_error error;
    if (pipeline_failed(pipeline, &error) && !s->stopping)
        return;
    if (--s->running == 0 || s->stopping)
        loop_stop(s->control);
}

static leat_status watch_signals(struct server *s, struct base_error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    // before any thread starts: all inherit the mask, so that only the descriptor gets them
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->signals < 0 || !loop_watch_init(&s->signal_watch, s->control, s->signals, on_signal, s) ||
        !loop_watch_for(&s->signal_watch, LEAT_READ))
        return base_fail(error, LEAT_RESOURCE, "LEAT-B0001", "could not watch for signals: %s", strerror(errno));
    return LEAT_OK;
}

// --- start
// --------------------------------------------------------------------------------------------------------------------

static void *writer_main(void *arg)
{
    loop_run(arg);
    return NULL;
}

static leat_status start_machinery(struct server *s, struct base_error *error)
{
    struct base_log_options log = {.fd = STDERR_FILENO,
                                   .json = s->session.config->server.log_format == 1,
                                   .level = LEAT_LOG_DEBUG,
                                   .secrets = s->session.secrets};
    s->control = loop_create(&(struct loop_options){.name = "control"}, error);
    s->writer = s->control ? loop_create(&(struct loop_options){.name = "checkpoints"}, error) : NULL;
    if (!s->writer)
        return error->failure;
    leat_status st = watch_signals(s, error);
    if (st < 0)
        return st;
    s->log = base_log_create(&log);
    s->metrics = base_metrics_create();
    if (!s->log || !s->metrics)
        return base_no_memory(error);
    s->logger = (struct base_logger){.log = s->log, .level = LEAT_LOG_INFO};
    if (pthread_create(&s->writer_thread, NULL, writer_main, s->writer) != 0)
        return base_fail(error, LEAT_RESOURCE, "LEAT-B0002", "could not start a thread");
    s->writer_runs = true;
    struct runtime_options options = {.control = s->control,
                                      .log = s->log,
                                      .metrics = s->metrics,
                                      .workers = (uint32_t)s->session.config->server.workers,
                                      .stall_warning = s->session.config->server.stall_warning};
    s->runtime = runtime_create(&options);
    return s->runtime ? LEAT_OK : base_fail(error, LEAT_RESOURCE, "LEAT-B0002", "could not start a thread");
}

static leat_status create_pipelines(struct server *s, struct base_error *error)
{
    s->pipelines = calloc(s->session.pipeline_count, sizeof(struct pipeline *));
    if (!s->pipelines)
        return base_no_memory(error);
    for (uint32_t i = 0; i < s->session.pipeline_count; i++) {
        struct session_pipeline *p = &s->session.pipelines[i];
        struct pipeline_options options = {
            .runtime = s->runtime,
            .control = s->control,
            .writer = s->writer,
            .log = s->log,
            .metrics = s->metrics,
            .graph = p->graph,
            .settings = p->options,
            .keep = true,
            .allow_non_restored_state = s->allow_non_restored_state,
            .progress_timeout = PROGRESS_TIMEOUT,
            .ended = on_ended,
            .arg = s,
        };
        s->pipelines[i] = pipeline_create(&options, error);
        if (!s->pipelines[i])
            return error->failure;
        s->pipeline_count++;
        s->running++;
    }
    return LEAT_OK;
}

static void print_error(const struct base_error *error)
{
    struct base_str out;
    base_str_init(&out);
    base_error_print(error, &out);
    fprintf(stderr, "leat: %s%s", out.ptr, out.len && out.ptr[out.len - 1] == '\n' ? "" : "\n");
    base_str_fini(&out);
}

static void end(struct server *s)
{
    http_server_stop(s->http);
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_destroy(s->pipelines[i]);
    free(s->pipelines);
    runtime_destroy(s->runtime);
    if (s->writer_runs) {
        loop_stop(s->writer);
        pthread_join(s->writer_thread, NULL);
    }
    if (s->signal_watch.loop)
        loop_watch_fini(&s->signal_watch);
    if (s->signals > 0)
        close(s->signals);
    if (s->writer)
        loop_destroy(s->writer);
    if (s->control)
        loop_destroy(s->control);
    if (s->log) {
        base_log(&s->logger, LEAT_LOG_INFO, "stopped", "leat has stopped");
        base_log_destroy(s->log);
    }
    if (s->metrics)
        base_metrics_destroy(s->metrics);
    session_close(&s->session);
}

static int serve(struct server *s)
{
    struct base_error error;
    base_error_clear(&error);
    if (start_machinery(s, &error) < 0 || create_pipelines(s, &error) < 0 || start_http(s, &error) < 0) {
        print_error(&error);
        end(s);
        return error.failure == LEAT_CONFIG ? EXIT_CONFIG : EXIT_OUTSIDE;
    }
    for (uint32_t i = 0; i < s->pipeline_count; i++)
        pipeline_start(s->pipelines[i]);
    loop_run(s->control);
    end(s);
    return 0;
}

static int run(int argc, char **argv)
{
    struct server s = {.signals = -1};
    char **files = argv; // what is a file moves to the front
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--allow-non-restored-state") == 0)
            s.allow_non_restored_state = true;
        else if (argv[i][0] == '-')
            return cli_usage(&cli_run, "unknown option", argv[i]);
        else
            files[count++] = argv[i];
    }
    if (!session_open(&s.session, files, count))
        return EXIT_OUTSIDE;
    if (s.session.diags.count)
        session_report(&s.session, false);
    if (s.session.diags.errors) {
        session_close(&s.session);
        return EXIT_CONFIG;
    }
    return serve(&s);
}

const struct cli_verb cli_run = {
    .name = "run",
    .arguments = "[--allow-non-restored-state] [FILE...]",
    .summary = "runs pipelines in the foreground; SIGTERM stops with a last checkpoint",
    .run = run,
    .help = "Checks the files as \"leat check\" does, then runs them until SIGTERM or SIGINT, or until every bounded "
            "source is read.\n"
            "Systems that are not there yet are waited for; /health/ready says what is missing.\n"
            "\n"
            "  --allow-non-restored-state   forget saved state of nodes that the file no longer has",
};
