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
#include "fake_control.h"

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

static leat_status on_complete_plan(void *arg, struct plan_job *plan, struct base_error *error)
{
    plan->nodes[0]->outputs[0].schema = &fake_schema;
    plan->complete = 1;
    return LEAT_OK;
}

static leat_status discover(struct leat_ctx *ctx, void *self, struct leat_ports *ports)
{
    static const struct leat_port port = {.schema = &fake_schema, .mode = LEAT_MODE_INSERT_ONLY};
    *ports = (struct leat_ports){.count = 1, .items = &port, .stride = sizeof port};
    return LEAT_OK;
}

// True if an allocation failed.
static bool run_with(int allocations)
{
    struct fake_control control;
    struct base_error error;
    struct fake_source_config from = {.count = 10, .batch_rows = 10, .endless = true};
    struct fake_sink_config sink = {0};
    struct leat_source_ops ops = *fake_source.source;
    struct leat_component source = fake_source;
    ops.discover = discover;
    source.source = &ops;
    fake_control_open(&control, (struct runtime_options){.workers = 2});
    control.events.complete_plan = on_complete_plan;
    struct plan_job *plan = fake_plan();
    plan->complete = 0;
    fake_sink_init(&sink, 10);
    struct plan_node *s = fake_node(plan, "source", &source, &from, 1);
    struct plan_node *k = fake_node(plan, "sink", &fake_sink, &sink, 2);
    fake_edge(plan, s, k, 0, PLAN_HASH);
    s->outputs[0].schema = NULL;
    left = allocations;
    struct runtime_job *job = runtime_job_start(
        control.runtime, &(struct runtime_job_options){.plan = plan, .events = &control.events}, &error);
    if (job)
        assert_true(fake_control_until(&control, &control.opened, 1, &control.failed));
    bool lacked = left == 0;
    left = 0;
    assert_true(lacked || control.opened);
    assert_true(!control.failed || control.error.failure == LEAT_RESOURCE);
    if (job) {
        runtime_job_stop(job);
        assert_true(fake_control_until(&control, &control.stopped, 1, NULL));
    } else {
        assert_int_equal(error.failure, LEAT_RESOURCE);
    }
    runtime_job_destroy(job);
    fake_plan_destroy(plan);
    fake_control_close(&control);
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
