// SPDX-License-Identifier: Apache-2.0
// A job: instances and tasks built from a plan, led through their phases by the control loop.
//
//     (discover sources and lookups) -> create -> open all but sources -> open sources -> run … -> close -> last mail -> stopped
//
// Every phase is a command to each instance and a reply from it. A failure anywhere is told once; the coordinator then
// stops the job. Memory goes only after every worker has handed back a last mail: by then no mail of the job
// is left.
//
// Thread: the control loop, but for the functions at the end, which workers call.
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "runtime/runtime_int.h"

static void reply_mail(struct loop_mail *mail);
static void closed_mail(struct loop_mail *mail);
static void failure_mail(struct loop_mail *mail);
static void sink_ended_mail(struct loop_mail *mail);

// --- building

static void *take(struct runtime_job *job, size_t count, size_t size)
{
    return base_arena_calloc(job->arena, count ? count : 1, size);
}

struct task *job_add_task(struct runtime_job *job)
{
    struct runtime *rt = job->runtime;
    struct task *t = take(job, 1, sizeof *t);
    struct task **tasks = take(job, job->task_count + 1, sizeof *tasks);
    if (!t || !tasks)
        return NULL;
    if (job->task_count)
        memcpy(tasks, job->tasks, job->task_count * sizeof *tasks);
    tasks[job->task_count++] = t;
    job->tasks = tasks;
    t->job = job;
    t->worker = &rt->workers[rt->next_worker++ % rt->worker_count];
    t->run_mail.fn = task_run_mail;
    t->mark = base_time_mono();
    return t;
}

static bool task_add(struct runtime_job *job, struct task *t, struct inst *inst)
{
    struct inst **insts = take(job, t->inst_count + 1, sizeof *insts);
    if (!insts)
        return false;
    if (t->inst_count)
        memcpy(insts, t->insts, t->inst_count * sizeof *insts);
    insts[t->inst_count++] = inst;
    t->insts = insts;
    inst->task = t;
    return true;
}

static bool add_metrics(struct inst *inst)
{
    static const struct {
        size_t offset;
        struct base_metric_desc desc;
    } all[] = {
        {offsetof(struct inst_metrics, rows_in),
         {"leat_rows_in_total", LEAT_METRIC_COUNTER, 1, "Rows given to the node."}},
        {offsetof(struct inst_metrics, rows_out),
         {"leat_rows_out_total", LEAT_METRIC_COUNTER, 1, "Rows that the node gave."}},
        {offsetof(struct inst_metrics, bytes_out),
         {"leat_bytes_out_total", LEAT_METRIC_COUNTER, 1, "Bytes of the values that the node gave."}},
        {offsetof(struct inst_metrics, batches_out),
         {"leat_batches_out_total", LEAT_METRIC_COUNTER, 1, "Batches that the node gave."}},
        {offsetof(struct inst_metrics, errors),
         {"leat_errors_total", LEAT_METRIC_COUNTER, 1, "Rows that could not be taken."}},
        {offsetof(struct inst_metrics, skipped),
         {"leat_rows_skipped_total", LEAT_METRIC_COUNTER, 1, "Rows skipped by on-error."}},
        {offsetof(struct inst_metrics, idle),
         {"leat_idle_microseconds_total", LEAT_METRIC_COUNTER, 1, "Time without anything to do."}},
        {offsetof(struct inst_metrics, busy),
         {"leat_busy_microseconds_total", LEAT_METRIC_COUNTER, 1, "Time at work."}},
        {offsetof(struct inst_metrics, blocked),
         {"leat_blocked_microseconds_total", LEAT_METRIC_COUNTER, 1,
          "Time held up by what reads the node, or by its target."}},
        {offsetof(struct inst_metrics, queue_batches),
         {"leat_queue_batches", LEAT_METRIC_GAUGE, 1, "Batches that wait for the node."}},
        {offsetof(struct inst_metrics, queue_bytes), {"leat_queue_bytes", LEAT_METRIC_GAUGE, 1, "Their memory."}},
        {offsetof(struct inst_metrics, behind),
         {"leat_source_lag", LEAT_METRIC_GAUGE, 1,
          "How far the source is behind, in its own units (bytes or records); -1 = unknown."}},
    };
    struct base_metric_labels labels = {.pipeline = inst->job->plan->pipeline, .node = inst->node->name};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int64_t *number = base_metrics_add(inst->job->runtime->options.metrics, &all[i].desc, &labels);
        if (!number)
            return false;
        memcpy((char *)&inst->metrics + all[i].offset, &number, sizeof number);
    }
    return true;
}

static struct inst *inst_create(struct runtime_job *job, const struct plan_node *node, uint32_t instance)
{
    struct inst *inst = take(job, 1, sizeof *inst);
    struct inst **insts = take(job, job->inst_count + 1, sizeof *insts);
    if (!inst || !insts)
        return NULL;
    inst->ctx.host = &runtime_host;
    inst->ctx.core = &inst->core;
    inst->core.inst = inst;
    inst->job = job;
    inst->node = node;
    inst->instance = instance;
    inst->logger = (struct base_logger){.log = job->runtime->options.log,
                                        .pipeline = job->plan->pipeline,
                                        .node = node->name,
                                        .level = job->options.log_level};
    inst->pending_tail = &inst->pending_head;
    inst->view_behind = -1;
    base_list_init(&inst->events);
    pthread_mutex_init(&inst->view_lock, NULL);
    inst->command.fn = inst_command_mail;
    inst->close.fn = inst_close_mail;
    inst->reply.fn = reply_mail;
    inst->closed.fn = closed_mail;
    inst->complete_mail.fn = inst_complete_mail;
    inst->sink_ended.fn = sink_ended_mail;
    if (job->inst_count)
        memcpy(insts, job->insts, job->inst_count * sizeof *insts);
    insts[job->inst_count++] = inst;
    job->insts = insts;
    inst->site = runtime_site(job->runtime, job->plan->pipeline, node);
    return inst->site && add_metrics(inst) ? inst : NULL;
}

struct inst *job_add_inst(struct runtime_job *job, const struct plan_node *node, uint32_t instance, struct task *t)
{
    struct inst *inst = inst_create(job, node, instance);
    return inst && task_add(job, t, inst) ? inst : NULL;
}

// The edge over which the node is called directly, if there is one.
static const struct plan_edge *chain_edge(const struct plan_node *node)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i]->chained)
            return node->inputs[i];
    return NULL;
}

static size_t transaction_memory(const struct runtime_job *job)
{
    return job->options.transaction_memory ? job->options.transaction_memory : (size_t)64 << 20;
}

static bool build_node(struct runtime_job *job, const struct plan_node *node)
{
    struct inst **insts = take(job, node->parallelism, sizeof *insts);
    if (!insts)
        return false;
    job->by_node[node->id] = insts;
    const struct plan_edge *chain = chain_edge(node);
    for (uint32_t i = 0; i < node->parallelism; i++) {
        struct task *t = chain ? job->by_node[chain->from->id][i]->task : job_add_task(job);
        insts[i] = t ? job_add_inst(job, node, i, t) : NULL;
        if (!insts[i])
            return false;
        insts[i]->ways_open = take(job, node->input_count, sizeof(uint32_t));
        insts[i]->ways_behind = take(job, node->input_count, sizeof(uint32_t));
        if (!insts[i]->ways_open || !insts[i]->ways_behind)
            return false;
        const struct plan_edge *in = node->kind == LEAT_SINK && node->input_count ? node->inputs[0] : NULL;
        if (in && in->adapt == PLAN_ADAPT_CONSOLIDATE) {
            insts[i]->consolidate = consolidate_create(in->from->outputs[in->port].schema, in->key, in->key_count,
                                                       transaction_memory(job), job->options.data_dir);
            if (!insts[i]->consolidate)
                return false;
        }
    }
    return lookups_build(job, node);
}

static struct channel *channel_between(struct runtime_job *job, struct inst *from, struct inst *to,
                                       const struct plan_edge *edge)
{
    struct task *t = to->task;
    struct task_input *in = take(job, 1, sizeof *in);
    struct task_input **inputs = take(job, t->input_count + 1, sizeof *inputs);
    if (!in || !inputs)
        return NULL;
    if (t->input_count)
        memcpy(inputs, t->inputs, t->input_count * sizeof *inputs);
    inputs[t->input_count] = in;
    t->inputs = inputs;
    in->to = to;
    in->input = edge->input;
    in->wait_first = edge->wait_first;
    in->wait_always = edge->wait_always;
    t->asks = t->asks || edge->wait_always;
    from->task->holds_barrier = from->task->holds_barrier || edge->wait_always;
    if (!channel_init(&in->channel, from->task, t, job->runtime->options.channel_bytes))
        return NULL;
    t->input_count++;
    return &in->channel;
}

static bool build_route(struct runtime_job *job, struct inst *from, struct route *route, const struct plan_edge *edge)
{
    struct inst **to = job->by_node[edge->to->id];
    route->edge = edge;
    route->txn_open = take(job, edge->to->parallelism, sizeof *route->txn_open);
    if (!route->txn_open)
        return false;
    if (edge->chained) {
        route->direct = to[from->instance];
        route->direct->ways_open[edge->input]++;
        route->direct->ways_behind[edge->input]++;
        return true;
    }
    bool straight = edge->share == PLAN_FORWARD && edge->from->parallelism == edge->to->parallelism;
    uint32_t n = straight ? 1 : edge->to->parallelism;
    route->channels = take(job, n, sizeof(struct channel *));
    if (!route->channels)
        return false;
    for (uint32_t k = 0; k < n; k++) {
        struct inst *reader = to[straight ? from->instance : k];
        route->channels[k] = channel_between(job, from, reader, edge);
        if (!route->channels[k])
            return false;
        route->channel_count++;
        reader->ways_open[edge->input]++;
        reader->ways_behind[edge->input]++;
    }
    return true;
}

static bool build_routes(struct runtime_job *job, struct inst *inst)
{
    const struct plan_node *node = inst->node;
    uint32_t n = 0;
    for (uint32_t i = 0; i < job->plan->edge_count; i++)
        n += job->plan->edges[i]->from == node && !job->plan->edges[i]->lookup;
    inst->routes = take(job, n, sizeof *inst->routes);
    inst->route_of = take(job, node->output_count + 1, sizeof *inst->route_of);
    if (!inst->routes || !inst->route_of)
        return false;
    for (uint32_t port = 0; port < node->output_count; port++) {
        inst->route_of[port] = inst->route_count;
        for (uint32_t i = 0; i < job->plan->edge_count; i++) {
            const struct plan_edge *edge = job->plan->edges[i];
            if (edge->from != node || edge->port != port || edge->lookup)
                continue;
            if (!build_route(job, inst, &inst->routes[inst->route_count], edge))
                return false;
            inst->route_count++;
        }
    }
    inst->route_of[node->output_count] = inst->route_count;
    return true;
}

static void close_gates(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->task_count; i++) {
        struct task *t = job->tasks[i];
        bool waits = false;
        for (uint32_t k = 0; k < t->input_count; k++)
            waits = waits || t->inputs[k]->wait_first;
        uint32_t held = 0;
        for (uint32_t k = 0; k < t->input_count; k++) {
            t->inputs[k]->gated = waits && !t->inputs[k]->wait_first;
            held += t->inputs[k]->gated;
        }
        atomic_fetch_add(&job->gated, held > 0);
    }
}

static bool is_source(const struct plan_node *node)
{
    return node->kind == LEAT_SOURCE;
}

static bool is_lookup(const struct plan_node *node)
{
    return node->kind == LEAT_LOOKUP;
}

static bool build_rest(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->plan->node_count; i++) {
        const struct plan_node *node = job->plan->nodes[i];
        if (node->kind == LEAT_LOOKUP || job->by_node[node->id])
            continue;
        if (!build_node(job, node))
            return false;
    }
    for (uint32_t i = 0; i < job->inst_count; i++) {
        if (!build_routes(job, job->insts[i]))
            return false;
        job->to_end += job->insts[i]->node->kind == LEAT_SINK;
    }
    close_gates(job);
    return true;
}

// --- phases

// A plugin that fails must say why; one that does not is at fault itself.
static void say_something(struct inst *inst, leat_status failure)
{
    if (inst->core.error.failure < 0)
        return;
    base_fail(&inst->core.error, failure, "LEAT-R0009", "node \"%s\" failed without a reason", inst->node->name);
    base_error_node(&inst->core.error, inst->node->name);
}

// A worker may fail at the same time: whoever is first fills job->failure.
static void fail_here(struct runtime_job *job, const struct base_error *error)
{
    if (atomic_exchange(&job->failure_posted, true))
        return;
    job->failure = *error;
    job->events.failed(job->events.arg, &job->failure);
}

static void command(struct runtime_job *job, struct inst *inst, enum life_step step)
{
    inst->command_step = step;
    job->waiting++;
    loop_post(inst->task->worker->loop, &inst->command);
}

static bool must_discover(const struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    bool can = is_source(inst->node) ? c->source->discover != NULL : is_lookup(inst->node) && c->lookup->discover;
    return can && inst->instance == 0 && (inst->node->output_count == 0 || !inst->node->outputs[0].schema);
}

static void enter_phase(struct runtime_job *job, enum life_step phase)
{
    job->phase = phase;
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        if (phase == LIFE_DISCOVER && !must_discover(inst))
            continue;
        if (phase == LIFE_FORGET ? !is_lookup(inst->node) : inst->destroyed)
            continue;
        if (phase == LIFE_CREATE && !job->discovering && inst->self)
            continue; // sources that were created to be asked
        if (phase == LIFE_OPEN && is_source(inst->node) != job->to_read)
            continue; // sources last: what they make outside, a slot, is made for a job that can run
        if (phase == LIFE_RUN && inst != inst->task->insts[0])
            continue; // one command a task
        command(job, inst, phase);
    }
}

// What the plugins found becomes the ports of the plan's nodes; then the planner completes it.
static leat_status complete_plan(struct runtime_job *job, struct base_error *error)
{
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        if (must_discover(inst))
            ((struct plan_node *)(uintptr_t)inst->node)->source_plan.ports = inst->discovered;
    }
    return job->events.complete_plan(job->events.arg, job->plan, error);
}

// While the plan and its instances change, nobody looks at them.
static leat_status change_shape(struct runtime_job *job, struct base_error *error)
{
    leat_status st = LEAT_OK;
    pthread_mutex_lock(&job->shape);
    if (job->phase == LIFE_DISCOVER)
        st = complete_plan(job, error);
    else if (!build_rest(job))
        st = base_no_memory(error);
    pthread_mutex_unlock(&job->shape);
    return st;
}

static void next_phase(struct runtime_job *job)
{
    struct base_error error;
    base_error_clear(&error);
    switch (job->phase) {
    case LIFE_CREATE:
        enter_phase(job, job->discovering ? LIFE_DISCOVER : LIFE_OPEN);
        break;
    case LIFE_DISCOVER:
        job->discovering = false;
        if (change_shape(job, &error) < 0) {
            fail_here(job, &error);
            return;
        }
        enter_phase(job, LIFE_FORGET);
        break;
    case LIFE_FORGET:
        if (change_shape(job, &error) < 0) {
            fail_here(job, &error);
            return;
        }
        enter_phase(job, LIFE_CREATE);
        break;
    case LIFE_OPEN: {
        bool all = job->to_read;
        job->to_read = true;
        enter_phase(job, all ? LIFE_RUN : LIFE_OPEN);
        break;
    }
    case LIFE_RUN:
        job->open = true;
        job->events.opened(job->events.arg);
        return;
    default:
        return;
    }
    // a phase in which nobody has anything to do
    if (job->waiting == 0)
        next_phase(job);
}

struct runtime_job *runtime_job_start(struct runtime *runtime, const struct runtime_job_options *options,
                                      struct base_error *error)
{
    struct base_arena *arena = base_arena_create(0, 0);
    struct runtime_job *job = arena ? base_arena_calloc(arena, 1, sizeof *job) : NULL;
    if (!job) {
        base_arena_destroy(arena);
        base_no_memory(error);
        return NULL;
    }
    job->runtime = runtime;
    job->options = *options;
    job->events = *options->events;
    job->plan = options->plan;
    job->arena = arena;
    pthread_mutex_init(&job->shape, NULL);
    job->failure_mail.fn = failure_mail;
    job->discovering = !job->plan->complete;
    job->by_node = take(job, job->plan->node_max, sizeof *job->by_node);
    job->last_mails = take(job, runtime->worker_count, sizeof *job->last_mails);
    bool ok = job->by_node && job->last_mails;
    if (job->discovering)
        for (uint32_t i = 0; i < job->plan->node_count && ok; i++)
            ok = !is_source(job->plan->nodes[i]) || build_node(job, job->plan->nodes[i]);
    if (job->discovering)
        ok = ok && lookups_build_to_discover(job);
    else
        ok = ok && build_rest(job);
    if (!ok) {
        base_no_memory(error);
        runtime_job_destroy(job);
        return NULL;
    }
    enter_phase(job, LIFE_CREATE);
    return job;
}

bool runtime_job_gated(struct runtime_job *job)
{
    return atomic_load(&job->gated) > 0;
}

void runtime_job_barrier(struct runtime_job *job, leat_epoch epoch,
                         bool (*want_full)(void *arg, const struct plan_node *node, uint32_t instance))
{
    if (!job->open || job->stopping)
        return;
    job->epoch = epoch;
    job->want_full = want_full;
    job->to_save = 0;
    for (uint32_t i = 0; i < job->inst_count; i++)
        job->to_save += !is_lookup(job->insts[i]->node);
    reach_hold_barriers(job, epoch);
    for (uint32_t i = 0; i < job->task_count; i++) {
        struct task *t = job->tasks[i];
        if (!is_source(t->insts[0]->node) || t->holds_barrier)
            continue;
        atomic_store(&t->barrier_wanted, epoch);
        task_wake(t);
    }
}

const char *runtime_job_unsaved(const struct runtime_job *job)
{
    for (uint32_t i = 0; job->epoch && i < job->inst_count; i++)
        if (job->insts[i]->saved_epoch != job->epoch && !is_lookup(job->insts[i]->node))
            return job->insts[i]->node->name;
    return NULL;
}

void runtime_job_end_with(struct runtime_job *job, leat_epoch epoch)
{
    atomic_store(&job->last_epoch, epoch);
}

void runtime_job_complete(struct runtime_job *job, leat_epoch epoch)
{
    if (job->stopping)
        return;
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        atomic_store(&inst->complete_epoch, epoch);
        if (!atomic_exchange(&inst->complete_posted, true))
            loop_post(inst->task->worker->loop, &inst->complete_mail);
    }
}

void runtime_job_stop(struct runtime_job *job)
{
    if (job->stopping)
        return;
    job->stopping = true;
    job->open = false;
    // from here on a late failure is no news
    atomic_store(&job->failure_posted, true);
    job->to_close = job->inst_count;
    // lookups first: they hold keys of those who ask them
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < job->inst_count; i++)
            if (is_lookup(job->insts[i]->node) == !pass)
                loop_post(job->insts[i]->task->worker->loop, &job->insts[i]->close);
    if (job->inst_count == 0) {
        job->stopped = true;
        job->events.stopped(job->events.arg);
    }
}

void runtime_job_destroy(struct runtime_job *job)
{
    if (!job)
        return;
    for (uint32_t i = 0; i < job->task_count; i++)
        for (uint32_t k = 0; k < job->tasks[i]->input_count; k++)
            channel_fini(&job->tasks[i]->inputs[k]->channel);
    for (uint32_t i = 0; i < job->inst_count; i++) {
        consolidate_destroy(job->insts[i]->consolidate);
        pthread_mutex_destroy(&job->insts[i]->view_lock);
    }
    pthread_mutex_destroy(&job->shape);
    base_arena_destroy(job->arena);
}

// --- mail from workers, on the control loop

static void reply_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, reply));
    struct runtime_job *job = inst->job;
    job->waiting--;
    if (job->stopping || atomic_load(&job->failure_posted))
        return;
    if (inst->reply_status < 0) {
        say_something(inst, inst->reply_status);
        fail_here(job, &inst->core.error);
        return;
    }
    if (job->waiting == 0)
        next_phase(job);
}

static void last_mail_back(struct loop_mail *mail)
{
    struct last_mail *last = (struct last_mail *)((char *)mail - offsetof(struct last_mail, back));
    struct runtime_job *job = last->job;
    if (--job->to_come_back)
        return;
    job->stopped = true;
    job->events.stopped(job->events.arg);
}

static void last_mail_there(struct loop_mail *mail)
{
    struct last_mail *last = (struct last_mail *)((char *)mail - offsetof(struct last_mail, there));
    loop_post(last->job->runtime->options.control, &last->back);
}

static void closed_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, closed));
    struct runtime_job *job = inst->job;
    if (--job->to_close)
        return;
    job->to_come_back = job->runtime->worker_count;
    for (uint32_t i = 0; i < job->runtime->worker_count; i++) {
        struct last_mail *last = &job->last_mails[i];
        *last = (struct last_mail){.job = job,
                                   .worker = &job->runtime->workers[i],
                                   .there = {NULL, last_mail_there},
                                   .back = {NULL, last_mail_back}};
        loop_post(last->worker->loop, &last->there);
    }
}

static void failure_mail(struct loop_mail *mail)
{
    struct runtime_job *job = (struct runtime_job *)((char *)mail - offsetof(struct runtime_job, failure_mail));
    if (!job->stopping)
        job->events.failed(job->events.arg, &job->failure);
}

static void sink_ended_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, sink_ended));
    struct runtime_job *job = inst->job;
    if (--job->to_end == 0 && !job->stopping)
        job->events.finished(job->events.arg);
}

struct saved_mail {
    struct loop_mail mail;
    struct inst *inst;
    leat_epoch epoch;
    struct runtime_saved saved;
};

static void saved_mail(struct loop_mail *mail)
{
    struct saved_mail *m = (struct saved_mail *)mail;
    struct runtime_job *job = m->inst->job;
    if (job->stopping || m->epoch != job->epoch) {
        free(m->saved.bytes);
    } else {
        m->inst->saved_epoch = m->epoch;
        job->events.saved(job->events.arg, m->epoch, &m->saved);
        if (--job->to_save == 0) {
            job->epoch = 0;
            job->events.passed(job->events.arg, m->epoch);
        }
    }
    free(m);
}

// --- called on workers

void job_reply(struct inst *inst, leat_status status)
{
    inst->reply_status = status;
    loop_post(inst->job->runtime->options.control, &inst->reply);
}

void job_closed(struct inst *inst)
{
    loop_post(inst->job->runtime->options.control, &inst->closed);
}

void job_fail(struct inst *inst)
{
    struct runtime_job *job = inst->job;
    if (atomic_load(&job->failure_posted))
        return;
    say_something(inst, LEAT_BUG);
    job_fail_by(job, &inst->core.error);
}

void job_fail_by(struct runtime_job *job, const struct base_error *error)
{
    if (atomic_exchange(&job->failure_posted, true))
        return;
    job->failure = *error;
    loop_post(job->runtime->options.control, &job->failure_mail);
}

void job_saved(struct inst *inst, leat_epoch epoch, const struct leat_state_out *out, uint8_t *bytes, size_t len)
{
    struct saved_mail *m = malloc(sizeof *m);
    if (!m) {
        free(bytes);
        base_no_memory(&inst->core.error);
        job_fail(inst);
        return;
    }
    *m = (struct saved_mail){
        .mail = {NULL, saved_mail},
        .inst = inst,
        .epoch = epoch,
        // an empty image is one too, where a version was set: it takes the place of what was saved before
        .saved = {inst->node, inst->instance, out->version, bytes || out->version ? out->kind : 0, bytes, len},
    };
    loop_post(inst->job->runtime->options.control, &m->mail);
}

void job_sink_ended(struct inst *inst)
{
    loop_post(inst->job->runtime->options.control, &inst->sink_ended);
}

// --- views, any thread

// The instance that has stood still longest counts: others may well move beside it.
static void earliest(leat_usec *time, leat_usec other)
{
    if (other && (!*time || other < *time))
        *time = other;
}

static void view_inst(struct inst *inst, struct runtime_node_view *v)
{
    pthread_mutex_lock(&inst->view_lock);
    if (!v->status[0])
        memcpy(v->status, inst->status, sizeof v->status);
    pthread_mutex_unlock(&inst->view_lock);
    v->current += atomic_load(&inst->view_current);
    v->end += atomic_load(&inst->view_end);
    int64_t behind = atomic_load(&inst->view_behind);
    if (behind >= 0)
        v->behind = v->behind < 0 ? behind : v->behind + behind;
    earliest(&v->behind_since, atomic_load(&inst->view_behind_since));
    earliest(&v->refuses_since, atomic_load(&inst->view_refuses_since));
    v->snapshot_done = v->snapshot_done && atomic_load(&inst->snapshot_done);
}

uint32_t runtime_job_view(struct runtime_job *job, struct runtime_node_view *views, uint32_t max)
{
    uint32_t n = 0;
    pthread_mutex_lock(&job->shape);
    for (uint32_t i = 0; i < job->plan->node_count && n < max; i++) {
        const struct plan_node *node = job->plan->nodes[i];
        struct inst **insts = job->by_node[node->id];
        if (!insts || !insts[0])
            continue;
        struct runtime_node_view *v = &views[n++];
        *v = (struct runtime_node_view){.node = insts[0]->site->node,
                                        .component = insts[0]->site->component,
                                        .kind = node->kind,
                                        .behind = -1,
                                        .snapshot_done = true,
                                        .has_snapshot = node->kind == LEAT_SOURCE && node->source_plan.has_snapshot};
        for (uint32_t k = 0; k < node->parallelism; k++) {
            struct inst *inst = job->by_node[node->id][k];
            if (!inst)
                continue;
            view_inst(inst, v);
            v->rows_in = (uint64_t)base_metric_get(inst->metrics.rows_in);
            v->rows_out = (uint64_t)base_metric_get(inst->metrics.rows_out);
        }
    }
    pthread_mutex_unlock(&job->shape);
    return n;
}

bool runtime_job_snapshot_done(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->inst_count; i++) {
        struct inst *inst = job->insts[i];
        if (is_source(inst->node) && inst->node->source_plan.has_snapshot && !atomic_load(&inst->snapshot_done))
            return false;
    }
    return true;
}
