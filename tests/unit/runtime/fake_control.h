// SPDX-License-Identifier: Apache-2.0
// The control side of a test with jobs: a loop that turns at least every millisecond, a runtime, and what its jobs tell.
//
// `events` count what is told, with this struct as their argument. A test that wants to hear more makes it the first member
// of its own and puts functions of its own into `events`.
// Thread: the test's, which turns the loop.
#ifndef RUNTIME_FAKE_CONTROL_H
#define RUNTIME_FAKE_CONTROL_H

#include "base/metric.h"
#include "loop/loop.h"
#include "runtime/runtime.h"

struct fake_control {
    struct loop *loop;
    struct loop_timer tick;
    struct base_metrics *metrics;
    struct runtime *runtime;
    struct runtime_events events;
    int opened, finished, failed, stopped;
    struct base_error error; // of the last failure
};

// The options as they are but for the loop and the metrics. All of *c is set.
void fake_control_open(struct fake_control *c, struct runtime_options options);
// Every job must be destroyed.
void fake_control_close(struct fake_control *c);
// Turns the loop until *told is `least` or *other, unless NULL, is not 0. False if that takes half a minute.
bool fake_control_until(struct fake_control *c, const int *told, int least, const int *other);

#endif
