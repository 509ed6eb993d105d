// SPDX-License-Identifier: Apache-2.0
// What a verb needs to run jobs: the control loop in the main thread, the log, metrics, the runtime, and signals as
// events.
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <pthread.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metric.h"
#include "cli/idle.h"
#include "loop/loop.h"
#include "runtime/runtime.h"

struct base_secrets;
struct plugin_registry;

struct machine {
    struct base_log *log;
    struct base_logger logger;
    struct base_metrics *metrics;
    struct loop *control, *writer;
    struct idle idle; // on the writer, which nobody waits for
    struct runtime *runtime;
    pthread_t writer_thread;
    bool writer_runs;
    int signals;
    struct loop_watch signal_watch;
    void (*on_signal)(void *arg, int signal);
    void *arg;
};

struct machine_options {
    struct base_secrets *secrets;
    bool log_json;
    uint8_t log_level;
    uint32_t workers;
    leat_usec stall_warning;
    const struct plugin_registry *registry;   // NULL = plugins are not named
    void (*on_signal)(void *arg, int signal); // SIGTERM or SIGINT; on the control loop
    void *arg;
};

// Before any other thread is started. On failure machine_end cleans up.
leat_status machine_start(struct machine *m, const struct machine_options *options, struct base_error *error);
// Everything that runs on it must have ended.
void machine_end(struct machine *m);

// The error for people on stderr, behind "leat: ".
void machine_print_error(const struct base_error *error, struct base_secrets *secrets);

#endif
