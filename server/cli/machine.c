// SPDX-License-Identifier: Apache-2.0
// See machine.h.
#include "cli/machine.h"
#include "cli/mask.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"

static void on_signal(void *arg, uint32_t ready)
{
    struct machine *m = arg;
    struct signalfd_siginfo info;
    while (read(m->signals, &info, sizeof info) == sizeof info)
        m->on_signal(m->arg, (int)info.ssi_signo);
}

static leat_status watch_signals(struct machine *m, struct base_error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    // before any thread starts: all inherit the mask, so that only the descriptor gets them
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    m->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (m->signals < 0 || !loop_watch_init(&m->signal_watch, m->control, m->signals, on_signal, m) ||
        !loop_watch_for(&m->signal_watch, LEAT_READ))
        return base_fail(error, LEAT_RESOURCE, "LEAT-B0001", "could not watch for signals: %s", strerror(errno));
    return LEAT_OK;
}

static void *writer_main(void *arg)
{
    loop_run(arg);
    return NULL;
}

static struct base_log *open_log(struct base_metrics *metrics, const struct machine_options *o)
{
    static const struct base_metric_desc lost = {"leat_log_lines_lost_total", LEAT_METRIC_COUNTER, 0,
                                                 "Lines of the log that could not be written, or not fast enough."};
    struct base_log_options log = {.fd = STDERR_FILENO,
                                   .json = o->log_json,
                                   .level = o->log_level,
                                   .secrets = o->secrets,
                                   .lost = base_metrics_add(metrics, &lost, NULL)};
    return base_log_create(&log);
}

leat_status machine_start(struct machine *m, const struct machine_options *o, struct base_error *error)
{
    *m = (struct machine){.signals = -1, .on_signal = o->on_signal, .arg = o->arg};
    m->control = loop_create(&(struct loop_options){.name = "control"}, error);
    m->writer = m->control ? loop_create(&(struct loop_options){.name = "checkpoints"}, error) : NULL;
    if (!m->writer)
        return error->failure;
    leat_status st = watch_signals(m, error);
    if (st < 0)
        return st;
    m->metrics = base_metrics_create();
    m->log = m->metrics ? open_log(m->metrics, o) : NULL;
    if (!m->log)
        return base_no_memory(error);
    m->logger = (struct base_logger){.log = m->log};
    if (!idle_watch(&m->idle, m->writer))
        return base_no_memory(error);
    m->writer_runs = pthread_create(&m->writer_thread, NULL, writer_main, m->writer) == 0;
    struct runtime_options options = {
        .control = m->control,
        .log = m->log,
        .metrics = m->metrics,
        .workers = o->workers,
        .stall_warning = o->stall_warning,
        .registry = o->registry,
    };
    m->runtime = m->writer_runs ? runtime_create(&options) : NULL;
    return m->runtime ? LEAT_OK : base_fail(error, LEAT_RESOURCE, "LEAT-B0002", "could not start a thread");
}

void machine_end(struct machine *m)
{
    runtime_destroy(m->runtime);
    if (m->writer_runs) {
        loop_stop(m->writer);
        pthread_join(m->writer_thread, NULL);
    }
    idle_end(&m->idle);
    if (m->signal_watch.loop)
        loop_watch_fini(&m->signal_watch);
    if (m->signals >= 0)
        close(m->signals);
    if (m->writer)
        loop_destroy(m->writer);
    if (m->control)
        loop_destroy(m->control);
    if (m->log)
        base_log_destroy(m->log);
    if (m->metrics)
        base_metrics_destroy(m->metrics);
}

void machine_print_error(const struct base_error *error, struct base_secrets *secrets)
{
    struct base_str out;
    base_str_init(&out);
    base_error_print(error, &out);
    mask_tail(secrets, &out, 0);
    fprintf(stderr, "leat: %s%s", out.ptr, out.len && out.ptr[out.len - 1] == '\n' ? "" : "\n");
    base_str_fini(&out);
}
