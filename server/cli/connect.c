// SPDX-License-Identifier: Apache-2.0
// See connect.h. The job is started as if it were to run; when its columns are known, it is refused to go on.
#include "cli/connect.h"

#include <stdio.h>

#include "cli/machine.h"

struct asking {
    struct graph *graph;
    struct machine machine;
    struct runtime_job *job;
    struct loop_timer timer;
    leat_usec patience;
    struct base_error *error;
    bool complete;
};

static leat_status on_complete(void *arg, struct plan_job *plan, struct base_error *error)
{
    struct asking *a = arg;
    leat_status st = graph_complete(a->graph, plan, error);
    a->complete = st >= 0;
    return st < 0 ? st : base_fail(error, LEAT_CONFIG, "LEAT-V0109", "enough is known");
}

static void on_opened(void *arg) {}

static void on_saved(void *arg, leat_epoch epoch, struct runtime_saved *saved) {}

static void on_passed(void *arg, leat_epoch epoch) {}

static void on_finished(void *arg) {}

static void on_failed(void *arg, const struct base_error *error)
{
    struct asking *a = arg;
    if (!a->complete && a->error->failure == LEAT_OK)
        *a->error = *error;
    runtime_job_stop(a->job);
}

static void on_stopped(void *arg)
{
    struct asking *a = arg;
    loop_stop(a->machine.control);
}

static void on_signal(void *arg, int signal)
{
    struct asking *a = arg;
    base_fail(a->error, LEAT_TRANSIENT, "LEAT-V0109", "interrupted");
    if (a->job)
        runtime_job_stop(a->job);
}

static void on_timer(void *arg)
{
    struct asking *a = arg;
    struct runtime_node_view views[16];
    uint32_t n = runtime_job_view(a->job, views, 16);
    base_fail(a->error, LEAT_TRANSIENT, "LEAT-V0109", "no answer within %lld s", (long long)(a->patience / 1000000));
    for (uint32_t i = 0; i < n; i++)
        if (views[i].status[0]) {
            base_error_detail(a->error, "%s: %s.", views[i].node, views[i].status);
            break;
        }
    runtime_job_stop(a->job);
}

static void ask(struct asking *a, struct plan_job *plan)
{
    const struct runtime_events events = {.arg = a,
                                          .complete_plan = on_complete,
                                          .opened = on_opened,
                                          .saved = on_saved,
                                          .passed = on_passed,
                                          .finished = on_finished,
                                          .failed = on_failed,
                                          .stopped = on_stopped};
    const struct runtime_job_options options = {.plan = plan, .events = &events, .first_run = true};
    bool timed = loop_timer_init(&a->timer, a->machine.control, on_timer, a);
    if (timed)
        loop_timer_set(&a->timer, a->patience);
    a->job = runtime_job_start(a->machine.runtime, &options, a->error);
    if (a->job)
        loop_run(a->machine.control);
    if (timed)
        loop_timer_fini(&a->timer);
    runtime_job_destroy(a->job);
    a->job = NULL;
}

leat_status plan_connect(struct graph *graph, struct plan_job *plan, struct base_secrets *secrets, leat_usec patience,
                         struct base_error *error)
{
    struct asking a = {.graph = graph, .patience = patience, .error = error};
    struct machine_options options = {
        .secrets = secrets, .log_level = LEAT_LOG_ERROR, .workers = 1, .on_signal = on_signal, .arg = &a};
    base_error_clear(error);
    if (machine_start(&a.machine, &options, error) >= 0)
        ask(&a, plan);
    machine_end(&a.machine);
    return a.complete ? LEAT_OK : error->failure;
}
