// SPDX-License-Identifier: Apache-2.0
// Workers: threads with a loop, and the watch over callbacks that block them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"
#include "plugin/registry.h"
#include "runtime/runtime_int.h"

#define WORKERS_MAX 8

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    base_crash_thread(&w->place);
    loop_run(w->loop);
    base_crash_thread_end();
    return NULL;
}

static uint32_t count_workers(uint32_t wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (wanted == 0)
        wanted = cores > 0 ? (uint32_t)cores : 1;
    return wanted > WORKERS_MAX ? WORKERS_MAX : wanted;
}

// --- the watch over stalls, on the control loop

#define WATCH_MOST (BASE_SECOND / 2)

static void describe(struct worker *w, leat_usec since, char text[RUNTIME_STALL_TEXT])
{
    const struct base_crash_site *site = atomic_load(&w->place.site);
    const char *call = atomic_load(&w->place.call);
    char time[BASE_TIME_TEXT];
    base_duration_print(since - since % (since < BASE_SECOND ? 1000 : 100000), time);
    if (!site) {
        snprintf(text, RUNTIME_STALL_TEXT, "worker %s has not turned for %s", loop_name(w->loop), time);
        return;
    }
    snprintf(text, RUNTIME_STALL_TEXT, "node \"%s\" of pipeline \"%s\" (plugin %s%s%s) has been in %s for %s",
             site->node, site->pipeline, site->plugin ? site->plugin : site->component, site->version ? " " : "",
             site->version ? site->version : "", call ? call : "a callback", time);
}

// Once when a stall is seen, again each time it is twice as long, and when it is over.
static void watch_worker(struct runtime *rt, struct worker *w)
{
    leat_usec since = loop_stall(w->loop);
    struct base_logger who = {.log = rt->options.log};
    char text[RUNTIME_STALL_TEXT];
    if (since > rt->options.stall_warning && since >= 2 * w->told) {
        describe(w, since, text);
        base_log(&who, LEAT_LOG_WARN, "worker-stalls", "%s: nothing else moves on its worker", text);
        w->told = since;
    } else if (w->told && since < w->told) {
        base_log(&who, LEAT_LOG_INFO, "worker-turns", "worker %s turns again", loop_name(w->loop));
        w->told = 0;
    }
}

static void on_watch(void *arg)
{
    struct runtime *rt = arg;
    for (uint32_t i = 0; i < rt->worker_count; i++)
        watch_worker(rt, &rt->workers[i]);
    loop_timer_set(&rt->watch, rt->options.stall_warning / 2 < WATCH_MOST ? rt->options.stall_warning / 2 : WATCH_MOST);
}

bool runtime_stalled(struct runtime *rt, leat_usec limit, char text[RUNTIME_STALL_TEXT])
{
    for (uint32_t i = 0; i < rt->worker_count; i++) {
        leat_usec since = loop_stall(rt->workers[i].loop);
        if (since <= limit)
            continue;
        describe(&rt->workers[i], since, text);
        return true;
    }
    return false;
}

struct runtime *runtime_create(const struct runtime_options *options)
{
    struct runtime *rt = calloc(1, sizeof *rt);
    uint32_t count = count_workers(options->workers);
    struct base_error error;
    if (rt) {
        rt->workers = calloc(count, sizeof *rt->workers);
        rt->arena = base_arena_create(0, 0);
    }
    if (!rt || !rt->workers || !rt->arena || !loop_timer_init(&rt->watch, options->control, on_watch, rt)) {
        runtime_destroy(rt);
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
    if (rt->options.stall_warning)
        loop_timer_set(&rt->watch, 0);
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
    if (rt->watch.loop)
        loop_timer_fini(&rt->watch);
    base_arena_destroy(rt->arena);
    free(rt->workers);
    free(rt);
}

// --- whom a worker calls

struct call_was worker_enter(struct inst *inst, const char *call)
{
    struct base_crash_place *here = &inst->task->worker->place;
    struct call_was was = {atomic_load_explicit(&here->site, memory_order_relaxed),
                           atomic_load_explicit(&here->call, memory_order_relaxed)};
    atomic_store_explicit(&here->call, call, memory_order_relaxed);
    atomic_store_explicit(&here->site, inst->site, memory_order_release);
    return was;
}

void worker_leave(struct inst *inst, struct call_was was)
{
    struct base_crash_place *here = &inst->task->worker->place;
    atomic_store_explicit(&here->site, was.site, memory_order_release);
    atomic_store_explicit(&here->call, was.call, memory_order_relaxed);
}

static bool is_of(const struct base_crash_site *s, const char *pipeline, const struct plan_node *node)
{
    return strcmp(s->node, node->name) == 0 && strcmp(s->pipeline, pipeline) == 0 &&
           strcmp(s->component, node->component->name) == 0;
}

// Names are copied once: a plan, and with it the names of inserted nodes, goes with its job.
const struct base_crash_site *runtime_site(struct runtime *rt, const char *pipeline, const struct plan_node *node)
{
    for (struct site *s = rt->sites; s; s = s->next)
        if (is_of(&s->names, pipeline, node))
            return &s->names;
    struct site *s = base_arena_calloc(rt->arena, 1, sizeof *s);
    const struct plugin_library *library =
        rt->options.registry ? plugin_registry_library_of(rt->options.registry, node->component) : NULL;
    if (!s)
        return NULL;
    s->names = (struct base_crash_site){
        .pipeline = base_arena_strdup(rt->arena, pipeline),
        .node = base_arena_strdup(rt->arena, node->name),
        .component = base_arena_strdup(rt->arena, node->component->name),
        .plugin = library ? library->name : NULL,
        .version = library ? library->version : NULL,
    };
    if (!s->names.pipeline || !s->names.node || !s->names.component)
        return NULL;
    s->next = rt->sites;
    rt->sites = s;
    return &s->names;
}
