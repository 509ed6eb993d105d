// SPDX-License-Identifier: Apache-2.0
// See fake_control.h.
#include "fake_control.h"

#include <stdlib.h>

#include "base/time.h"

#define HANG (30 * BASE_SECOND)

static void on_tick(void *arg)
{
    loop_timer_set(&((struct fake_control *)arg)->tick, 1000);
}

static void on_opened(void *arg)
{
    ((struct fake_control *)arg)->opened++;
}

static void on_finished(void *arg)
{
    ((struct fake_control *)arg)->finished++;
}

static void on_failed(void *arg, const struct base_error *error)
{
    struct fake_control *c = arg;
    c->failed++;
    c->error = *error;
}

static void on_stopped(void *arg)
{
    ((struct fake_control *)arg)->stopped++;
}

void fake_control_open(struct fake_control *c, struct runtime_options options)
{
    struct base_error error;
    *c = (struct fake_control){.loop = loop_create(&(struct loop_options){.name = "control"}, &error)};
    c->metrics = base_metrics_create();
    if (!c->loop || !c->metrics || !loop_timer_init(&c->tick, c->loop, on_tick, c))
        abort();
    loop_timer_set(&c->tick, 0);
    options.control = c->loop;
    options.metrics = c->metrics;
    c->runtime = runtime_create(&options);
    if (!c->runtime)
        abort();
    c->events = (struct runtime_events){
        .arg = c, .opened = on_opened, .finished = on_finished, .failed = on_failed, .stopped = on_stopped};
}

void fake_control_close(struct fake_control *c)
{
    runtime_destroy(c->runtime);
    loop_timer_fini(&c->tick);
    loop_destroy(c->loop);
    base_metrics_destroy(c->metrics);
}

bool fake_control_until(struct fake_control *c, const int *told, int least, const int *other)
{
    for (int64_t end = base_time_mono() + HANG; *told < least && !(other && *other);) {
        if (base_time_mono() > end)
            return false;
        loop_turn(c->loop, true);
    }
    return true;
}
