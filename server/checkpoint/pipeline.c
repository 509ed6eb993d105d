// SPDX-License-Identifier: Apache-2.0
// See pipeline.h. Which job writes which resource is found out once, at the start, so that a reader of a topic knows
// whom to wait for.
#include "checkpoint/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "checkpoint/columns.h"
#include "checkpoint/forget.h"
#include "checkpoint/ready.h"

#define VIEWS_FIRST 64 // room for the nodes of a job at first

struct resource {
    char *name;
    uint32_t job; // that writes it
};

struct pipeline {
    struct pipeline_options options;
    struct store *store;
    struct coordinator **jobs;
    uint32_t job_count;
    uint32_t ended;
    bool endless;              // a source has no end
    bool *written;             // by this process, per job; the writer's
    bool pruned;               // the writer's
    struct columns_seen *seen; // see columns.h
    struct base_arena *arena;  // has `jobs`, `written` and `seen`
    struct resource *resources;
    uint32_t resource_count;
};

const char *pipeline_name(const struct pipeline *p)
{
    return p->options.graph->pipeline;
}

// --- plans

static struct plan_job *make_plan(void *arg, uint32_t job, struct base_error *error)
{
    struct pipeline *p = arg;
    struct plan_job *plan = graph_plan(p->options.graph, job, error);
    if (plan && columns_remind(p->seen, plan, error) < 0) {
        graph_plan_destroy(plan);
        return NULL;
    }
    return plan;
}

static leat_status complete_plan(void *arg, struct plan_job *plan, struct base_error *error)
{
    struct pipeline *p = arg;
    leat_status st = graph_complete(p->options.graph, plan, error);
    return st < 0 ? st : columns_check(&p->seen, p->arena, plan, error);
}

static void destroy_plan(void *arg, struct plan_job *plan)
{
    graph_plan_destroy(plan);
}

// --- resources

static int resource_settled(void *arg, const char *resource)
{
    struct pipeline *p = arg;
    for (uint32_t i = 0; i < p->resource_count; i++)
        if (strcmp(p->resources[i].name, resource) == 0 && !coordinator_settled(p->jobs[p->resources[i].job]))
            return 0;
    return 1;
}

static bool note_resource(struct pipeline *p, const char *name, uint32_t job)
{
    struct resource *all = realloc(p->resources, (p->resource_count + 1) * sizeof *all);
    if (!all)
        return false;
    p->resources = all;
    all[p->resource_count] = (struct resource){strdup(name), job};
    return all[p->resource_count++].name != NULL;
}

// What the job writes, and whether it ends.
static leat_status look_at(struct pipeline *p, uint32_t job, struct base_error *error)
{
    struct plan_job *plan = graph_plan(p->options.graph, job, error);
    if (!plan)
        return error->failure;
    bool ok = true;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = plan->nodes[i];
        if (node->kind == LEAT_SINK && node->sink_plan.resource)
            ok = ok && note_resource(p, node->sink_plan.resource, job);
        p->endless = p->endless || (node->kind == LEAT_SOURCE && !node->source_plan.bounded);
    }
    graph_plan_destroy(plan);
    return ok ? LEAT_OK : base_no_memory(error);
}

// --- start and stop

static void job_ended(void *arg, uint32_t job, enum job_state state)
{
    struct pipeline *p = arg;
    if (++p->ended == p->job_count)
        p->options.ended(p->options.arg, p);
}

static void prune_jobs(struct pipeline *p)
{
    const struct base_logger logger = {.log = p->options.log, .pipeline = p->options.graph->pipeline};
    struct base_error error;
    base_error_clear(&error);
    const char **names = calloc(p->job_count, sizeof *names);
    for (uint32_t i = 0; names && i < p->job_count; i++)
        names[i] = graph_job_name(p->options.graph, i);
    if ((names ? store_prune_jobs(p->store, names, p->job_count, &error) : base_no_memory(&error)) < 0)
        base_log(&logger, LEAT_LOG_WARN, "old-state-kept",
                 "saved state that no job uses any more was not removed, the next start tries again: %s",
                 error.message);
    free(names);
}

// Folders of jobs that are no more go when nothing is read from them again: a start looks there for what a node saved
// last, and would find what was to be forgotten.
static void job_written(void *arg, uint32_t job)
{
    struct pipeline *p = arg;
    p->written[job] = true;
    for (uint32_t i = 0; i < p->job_count; i++)
        if (!p->written[i])
            return;
    if (!p->pruned)
        prune_jobs(p);
    p->pruned = true;
}

struct unknown {
    const struct graph *graph;
    struct base_str gone, unread; // names
    uint32_t gone_count, unread_count;
};

// "a/normalize/0" stands in the file as long as "a" does.
static bool is_in_file(const struct graph *graph, const char *node)
{
    size_t len = strcspn(node, "/");
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (strlen(graph->nodes[i].name) == len && memcmp(graph->nodes[i].name, node, len) == 0)
            return true;
    return false;
}

static void note_unknown(void *arg, const char *node)
{
    struct unknown *u = arg;
    bool there = is_in_file(u->graph, node);
    uint32_t *count = there ? &u->unread_count : &u->gone_count;
    base_str_addf(there ? &u->unread : &u->gone, "%s\"%s\"", (*count)++ ? ", " : "", node);
}

// Saved state of a node that is no longer in the file would be lost: only on purpose.
static leat_status check_states(struct pipeline *p, struct base_error *error)
{
    struct graph *graph = p->options.graph;
    uint32_t max = 0, n = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        max += 1 + graph->nodes[i].ref_count;
    const char **names = base_arena_calloc(graph->arena, max + 1, sizeof *names);
    if (!names)
        return base_no_memory(error);
    for (uint32_t job = 0; job < graph->job_count; job++) {
        uint32_t count;
        const char *const *nodes = graph_job_nodes(graph, job, &count);
        for (uint32_t i = 0; nodes && i < count && n < max; i++)
            names[n++] = nodes[i];
    }
    struct unknown u = {.graph = graph};
    base_str_init(&u.gone);
    base_str_init(&u.unread);
    leat_status st = store_unknown(p->store, names, n, note_unknown, &u, error);
    bool both = u.gone_count && u.unread_count;
    if (st >= 0 && (u.gone_count || u.unread_count) && !p->options.allow_non_restored_state) {
        st = base_fail(error, LEAT_CONFIG, "LEAT-T0005", "pipeline \"%s\" has saved state of %s%s%s%s%s",
                       graph->pipeline, u.gone_count ? u.gone.ptr : "",
                       u.gone_count ? ", which the file no longer has" : "", both ? ", and of " : "",
                       u.unread_count ? u.unread.ptr : "", u.unread_count ? ", which nothing needs any more" : "");
        base_error_hint(error, "%s, or start with --allow-non-restored-state to forget that state and position.",
                        u.gone_count ? "Give the node its old name back" : "Have a sink read it again");
    }
    base_str_fini(&u.gone);
    base_str_fini(&u.unread);
    return st;
}

static leat_status check_forgotten(struct pipeline *p, struct base_error *error)
{
    const struct pipeline_options *o = &p->options;
    const struct base_logger logger = {.log = o->log, .pipeline = o->graph->pipeline};
    return o->forget_count ? forget_check(o->graph, p->store, o->forget, o->forget_count, &logger, error) : LEAT_OK;
}

static struct restart_rule restart_rule(const struct config_pipeline_options *s)
{
    static const enum restart_kind kinds[] = {[CONFIG_RESTART_EXPONENTIAL] = RESTART_EXPONENTIAL,
                                              [CONFIG_RESTART_FIXED] = RESTART_FIXED,
                                              [CONFIG_RESTART_NONE] = RESTART_NONE};
    return (struct restart_rule){
        .kind = kinds[s->restart],
        .first = s->restart_initial,
        .max = s->restart_max,
        .reset = s->restart_reset,
        .multiplier = s->restart_multiplier,
        .jitter = s->restart_jitter,
        .delay = s->restart_delay,
        .attempts = s->restart_attempts,
    };
}

static struct coordinator *create_job(struct pipeline *p, uint32_t job, struct base_error *error)
{
    const struct config_pipeline_options *s = p->options.settings;
    struct coordinator_options options = {
        .runtime = p->options.runtime,
        .store = p->store,
        .control = p->options.control,
        .writer = p->options.writer,
        .logger = {.log = p->options.log,
                   .pipeline = p->options.graph->pipeline,
                   .job = graph_job_name(p->options.graph, job),
                   .level = s->log_level < 0 ? 0 : (uint8_t)(s->log_level + LEAT_LOG_ERROR),
                   .each = true},
        .metrics = p->options.metrics,
        .planner = {p, make_plan, complete_plan, destroy_plan},
        .job = job,
        .name = graph_job_name(p->options.graph, job),
        .interval = s->checkpoint_interval,
        .timeout = s->checkpoint_timeout,
        .restart = restart_rule(s),
        .transaction_memory = (size_t)s->transaction_memory,
        .resource_settled = resource_settled,
        .arg = p,
        .written = job_written,
        .ended = job_ended,
    };
    options.forget = p->options.forget;
    options.forget_count = p->options.forget_count;
    options.nodes = graph_job_nodes(p->options.graph, job, &options.node_count);
    if (!options.nodes) {
        base_no_memory(error);
        return NULL;
    }
    return coordinator_create(&options, error);
}

struct pipeline *pipeline_create(const struct pipeline_options *options, struct base_error *error)
{
    struct graph *graph = options->graph;
    struct pipeline *p = calloc(1, sizeof *p);
    if (p && (p->arena = base_arena_create(0, 0))) {
        p->jobs = base_arena_calloc(p->arena, graph->job_count, sizeof(struct coordinator *));
        p->written = base_arena_calloc(p->arena, graph->job_count, sizeof *p->written);
    }
    if (!p || !p->jobs || !p->written) {
        base_no_memory(error);
        goto refuse;
    }
    p->options = *options;
    if (options->keep && !(p->store = store_open(options->settings->checkpoint_dir, graph->pipeline, error)))
        goto refuse;
    if (p->store && (check_states(p, error) < 0 || check_forgotten(p, error) < 0))
        goto refuse;
    for (uint32_t job = 0; job < graph->job_count; job++) {
        if (look_at(p, job, error) < 0 || !(p->jobs[job] = create_job(p, job, error)))
            goto refuse;
        p->job_count++;
    }
    return p;
refuse:
    pipeline_destroy(p);
    return NULL;
}

void pipeline_start(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->job_count; i++)
        coordinator_start(p->jobs[i]);
}

void pipeline_stop(struct pipeline *p, leat_usec grace)
{
    for (uint32_t i = 0; i < p->job_count; i++)
        coordinator_stop(p->jobs[i], grace);
}

void pipeline_waits(const struct pipeline *p, struct base_str *what)
{
    for (uint32_t i = 0; i < p->job_count; i++)
        coordinator_waits(p->jobs[i], what);
}

void pipeline_destroy(struct pipeline *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->job_count; i++)
        coordinator_destroy(p->jobs[i]);
    for (uint32_t i = 0; i < p->resource_count; i++)
        free(p->resources[i].name);
    store_close(p->store);
    base_arena_destroy(p->arena);
    free(p->resources);
    free(p);
}

bool pipeline_failed(struct pipeline *p, struct base_error *error)
{
    for (uint32_t i = 0; i < p->job_count; i++) {
        struct coordinator_view view;
        uint32_t n;
        coordinator_view(p->jobs[i], &view, NULL, 0, &n);
        if (view.state != JOB_FAILED)
            continue;
        *error = view.error;
        return true;
    }
    return false;
}

bool pipeline_bounded(const struct pipeline *p)
{
    return !p->endless;
}

// --- health

// The nodes of a job, however many its plan has by now; the caller frees them. NULL without memory.
static struct runtime_node_view *view_job(struct pipeline *p, uint32_t job, struct coordinator_view *view,
                                          uint32_t *count)
{
    for (uint32_t max = VIEWS_FIRST;; max *= 2) {
        struct runtime_node_view *nodes = malloc(max * sizeof *nodes);
        coordinator_view(p->jobs[job], view, nodes, nodes ? max : 0, count);
        if (!nodes || *count < max)
            return nodes;
        free(nodes);
    }
}

void pipeline_publish_times(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->job_count; i++)
        coordinator_publish_times(p->jobs[i]);
}

bool pipeline_ready(struct pipeline *p, struct base_str *reason)
{
    leat_usec now = base_time_mono();
    bool ready = true;
    for (uint32_t i = 0; i < p->job_count; i++) {
        const char *name = graph_job_name(p->options.graph, i);
        struct coordinator_view view;
        uint32_t n;
        struct runtime_node_view *nodes = view_job(p, i, &view, &n);
        struct base_str why;
        base_str_init(&why);
        if (!nodes)
            base_str_addf(&why, "there is no memory to look at job \"%s\"", name);
        if (!nodes || !ready_job(name, &view, nodes, n, now, p->options.progress_timeout, &why)) {
            base_str_addf(reason, "%s%s", reason->len ? "; " : "", why.ptr);
            ready = false;
        }
        base_str_fini(&why);
        free(nodes);
    }
    return ready;
}

// jansson takes UTF-8 only, and these words may be another system's.
static void set_text(json_t *object, const char *name, const char *text)
{
    struct base_str valid;
    base_str_init(&valid);
    base_str_add_utf8(&valid, text, strlen(text));
    json_object_set_new(object, name, json_stringn(valid.ptr, valid.len));
    base_str_fini(&valid);
}

static json_t *node_json(const struct runtime_node_view *v)
{
    static const char *const kinds[] = {"", "source", "sink", "operator", "format", "lookup"};
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", v->node, "kind", kinds[v->kind], "component",
                             v->component, "rows_in", (json_int_t)v->rows_in, "rows_out", (json_int_t)v->rows_out);
    if (v->status[0])
        set_text(json, "status", v->status);
    if (v->behind >= 0)
        json_object_set_new(json, "behind", json_integer(v->behind));
    if (v->has_snapshot)
        json_object_set_new(json, "snapshot_done", json_boolean(v->snapshot_done));
    return json;
}

static json_t *error_json(const struct base_error *e)
{
    const struct {
        const char *name, *text;
    } more[] = {{"node", e->node}, {"detail", e->detail}, {"native", e->native_text}, {"hint", e->hint}};
    json_t *json = json_pack("{s:s, s:s}", "code", e->code, "class", base_failure_name(e->failure));
    set_text(json, "message", e->message);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (more[i].text[0])
            set_text(json, more[i].name, more[i].text);
    return json;
}

static json_t *job_json(struct pipeline *p, uint32_t job)
{
    struct coordinator_view view;
    uint32_t n;
    struct runtime_node_view *views = view_job(p, job, &view, &n);
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(nodes, node_json(&views[i]));
    free(views);
    json_t *json = json_pack("{s:s, s:s, s:I, s:o}", "name", graph_job_name(p->options.graph, job), "state",
                             job_state_name(view.state), "restarts", (json_int_t)view.restarts, "nodes", nodes);
    if (view.has_error)
        json_object_set_new(json, "error", error_json(&view.error));
    if (view.epoch) {
        char at[BASE_TIME_TEXT];
        base_time_print(view.epoch_at, at);
        json_object_set_new(json, "checkpoint",
                            json_pack("{s:I, s:s, s:I, s:I}", "epoch", (json_int_t)view.epoch, "at", at, "took_us",
                                      (json_int_t)view.epoch_took, "bytes", (json_int_t)view.epoch_bytes));
    }
    return json;
}

json_t *pipeline_health(struct pipeline *p)
{
    json_t *jobs = json_array();
    for (uint32_t i = 0; i < p->job_count; i++)
        json_array_append_new(jobs, job_json(p, i));
    return json_pack("{s:s, s:o}", "name", pipeline_name(p), "jobs", jobs);
}
