// SPDX-License-Identifier: Apache-2.0
// A job whose control loop finds no memory: each allocation fails in turn, from the start over the discovery of its source
// to its opening. It ends as not built or as failed, and is closed and freed like any other.
//
// The linker sends the core's calls of malloc and calloc here (--wrap).
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#include "base/metric.h"
#include "base/time.h"
#include "loop/loop.h"
#include "runtime/runtime.h"

#include <cmocka.h>

static _Thread_local int left; // allocations until the one that fails; 0 = none does

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return left && --left == 0 ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return left && --left == 0 ? NULL : __real_calloc(count, size);
}

struct world {
    struct loop *control;
    struct loop_timer tick;
    struct plan_job *plan;
    int opened, failed, stopped;
    struct base_error error;
};

static void on_opened(void *arg)
{
    ((struct world *)arg)->opened++;
}

static void on_failed(void *arg, const struct base_error *error)
{
    struct world *w = arg;
    w->failed++;
    w->error = *error;
}

static void on_stopped(void *arg)
{
    ((struct world *)arg)->stopped++;
}

static leat_status on_complete_plan(void *arg, struct plan_job *plan, struct base_error *error)
{
    plan->nodes[0]->outputs[0].schema = &fake_schema;
    plan->complete = 1;
    return LEAT_OK;
}

static void on_tick(void *arg)
{
    loop_timer_set(&((struct world *)arg)->tick, 1000);
}

static leat_status discover(struct leat_ctx *ctx, void *self, struct leat_ports *ports)
{
    static const struct leat_port port = {.schema = &fake_schema, .mode = LEAT_MODE_INSERT_ONLY};
    *ports = (struct leat_ports){.count = 1, .items = &port, .stride = sizeof port};
    return LEAT_OK;
}

static void turn_until(struct world *w, const int *one, const int *other)
{
    for (int64_t end = base_time_mono() + 10 * BASE_SECOND; !*one && !*other;) {
        assert_true(base_time_mono() < end);
        loop_turn(w->control, true);
    }
}

// True if an allocation failed.
static bool run_with(int allocations)
{
    struct world w = {0};
    struct base_error error;
    struct fake_source_config from = {.count = 10, .batch_rows = 10, .endless = true};
    struct fake_sink_config sink = {0};
    struct leat_source_ops ops = *fake_source.source;
    struct leat_component source = fake_source;
    ops.discover = discover;
    source.source = &ops;
    w.control = loop_create(&(struct loop_options){.name = "control"}, &error);
    assert_true(loop_timer_init(&w.tick, w.control, on_tick, &w));
    loop_timer_set(&w.tick, 0);
    struct base_metrics *metrics = base_metrics_create();
    struct runtime *runtime =
        runtime_create(&(struct runtime_options){.control = w.control, .metrics = metrics, .workers = 2});
    w.plan = fake_plan();
    w.plan->complete = 0;
    fake_sink_init(&sink, 10);
    struct plan_node *s = fake_node(w.plan, "source", &source, &from, 1);
    struct plan_node *k = fake_node(w.plan, "sink", &fake_sink, &sink, 2);
    fake_edge(w.plan, s, k, 0, PLAN_HASH);
    s->outputs[0].schema = NULL;
    struct runtime_events events = {
        .arg = &w, .opened = on_opened, .failed = on_failed, .stopped = on_stopped, .complete_plan = on_complete_plan};
    left = allocations;
    struct runtime_job *job =
        runtime_job_start(runtime, &(struct runtime_job_options){.plan = w.plan, .events = &events}, &error);
    if (job)
        turn_until(&w, &w.opened, &w.failed);
    bool lacked = left == 0;
    left = 0;
    assert_true(lacked || w.opened);
    assert_true(!w.failed || w.error.failure == LEAT_RESOURCE);
    if (job) {
        runtime_job_stop(job);
        turn_until(&w, &w.stopped, &w.stopped);
    } else {
        assert_int_equal(error.failure, LEAT_RESOURCE);
    }
    runtime_job_destroy(job);
    fake_plan_destroy(w.plan);
    runtime_destroy(runtime);
    loop_timer_fini(&w.tick);
    loop_destroy(w.control);
    base_metrics_destroy(metrics);
    fake_sink_fini(&sink);
    return lacked;
}

static void a_job_that_finds_no_memory_ends_in_order(void **state)
{
    int n = 1;
    while (run_with(n))
        n++;
    assert_true(n > 20); // else it is not the core's memory that was counted
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_job_that_finds_no_memory_ends_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
