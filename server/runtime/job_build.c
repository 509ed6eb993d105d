// SPDX-License-Identifier: Apache-2.0
// From a plan to what runs: tasks on workers, the instances in them, and the ways from one instance to another.
//
// A node that is called directly by the one before it lives in that one's task, every other node has tasks of its own,
// one for each instance. Everything is in the job's arena: what was built halfway goes with the job.
//
// Thread: the control loop. Before the job is discovered only sources and lookups are built, the rest after it.
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "runtime/consolidate.h"
#include "runtime/dimension.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

static void *take(struct runtime_job *job, size_t count, size_t size)
{
    return base_arena_calloc(job->arena, count, size);
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
    if (!inst)
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
                                        .job = job->plan->name,
                                        .level = job->options.log_level};
    inst->pending_tail = &inst->pending_head;
    inst->view_behind = -1;
    base_list_init(&inst->events);
    inst->command.fn = inst_command_mail;
    inst->close.fn = inst_close_mail;
    inst->reply.fn = job_reply_mail;
    inst->closed.fn = job_closed_mail;
    inst->complete_mail.fn = inst_complete_mail;
    inst->sink_ended.fn = job_sink_ended_mail;
    inst->site = runtime_site(job->runtime, job->plan->pipeline, node);
    return inst->site && add_metrics(inst) ? inst : NULL;
}

static struct inst **list_with(struct runtime_job *job, struct inst **list, uint32_t count, struct inst *one)
{
    struct inst **longer = take(job, count + 1, sizeof *longer);
    if (!longer)
        return NULL;
    if (count)
        memcpy(longer, list, count * sizeof *longer);
    longer[count] = one;
    return longer;
}

// Whoever is in the job's list is closed at the end, on the worker of its task: it stands in both lists or in none.
struct inst *job_add_inst(struct runtime_job *job, const struct plan_node *node, uint32_t instance, struct task *t)
{
    struct inst *inst = inst_create(job, node, instance);
    struct inst **of_job = inst ? list_with(job, job->insts, job->inst_count, inst) : NULL;
    struct inst **of_task = inst ? list_with(job, t->insts, t->inst_count, inst) : NULL;
    if (!of_job || !of_task)
        return NULL;
    pthread_mutex_init(&inst->view_lock, NULL);
    job->insts = of_job;
    job->inst_count++;
    t->insts = of_task;
    t->inst_count++;
    inst->task = t;
    return inst;
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

bool job_build_to_discover(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->plan->node_count; i++)
        if (job->plan->nodes[i]->kind == LEAT_SOURCE && !build_node(job, job->plan->nodes[i]))
            return false;
    return lookups_build_to_discover(job);
}

bool job_build(struct runtime_job *job)
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
    dimension_close_gates(job);
    return true;
}
