// SPDX-License-Identifier: Apache-2.0
// Workers: threads with a loop, and the watch over callbacks that block them.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/runtime_int.h"

#define WORKERS_MAX 8

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    loop_run(w->loop);
    return NULL;
}

static uint32_t count_workers(uint32_t wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (wanted == 0)
        wanted = cores > 0 ? (uint32_t)cores : 1;
    return wanted > WORKERS_MAX ? WORKERS_MAX : wanted;
}

struct runtime *runtime_create(const struct runtime_options *options)
{
    struct runtime *rt = calloc(1, sizeof *rt);
    uint32_t count = count_workers(options->workers);
    struct base_error error;
    if (rt)
        rt->workers = calloc(count, sizeof *rt->workers);
    if (!rt || !rt->workers) {
        free(rt);
        return NULL;
    }
    rt->options = *options;
    if (rt->options.channel_bytes == 0)
        rt->options.channel_bytes = (size_t)4 << 20;
    for (uint32_t i = 0; i < count; i++) {
        struct worker *w = &rt->workers[i];
        w->runtime = rt;
        w->id = i;
        char name[16];
        snprintf(name, sizeof name, "leat-%u", i);
        w->loop = loop_create(&(struct loop_options){.name = name}, &error);
        if (!w->loop || pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            if (w->loop)
                loop_destroy(w->loop);
            runtime_destroy(rt);
            return NULL;
        }
        rt->worker_count++;
    }
    return rt;
}

void runtime_destroy(struct runtime *rt)
{
    if (!rt)
        return;
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        loop_stop(rt->workers[i].loop);
        pthread_join(rt->workers[i].thread, NULL);
        loop_destroy(rt->workers[i].loop);
    }
    free(rt->workers);
    free(rt);
}

void worker_enter(struct worker *w, struct inst *inst)
{
    // the name is the pipeline file's memory, which outlives every job
    loop_label(w->loop, inst->node->name);
}

void worker_leave(struct worker *w)
{
    loop_label(w->loop, NULL);
}

const char *runtime_stalled(struct runtime *rt, leat_usec limit)
{
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        const char *label = NULL;
        if (loop_stall(rt->workers[i].loop, &label) > limit)
            return label ? label : loop_name(rt->workers[i].loop);
    }
    return NULL;
}
