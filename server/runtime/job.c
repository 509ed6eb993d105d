// SPDX-License-Identifier: Apache-2.0
// The phases of a job, from its start to the memory that it leaves.
//
//     (discover sources and lookups) -> create -> open all but sources -> open sources -> run … -> close -> last mail -> stopped
//
// Every phase is a command to each instance and a reply from it. A failure anywhere is told once; the coordinator then
// stops the job. Memory goes only after every worker has handed back a last mail: by then no mail of the job
// is left.
//
// Thread: the control loop, but for the functions at the end, which workers call.
#include "base/arena.h"
#include "runtime/consolidate.h"
#include "runtime/runtime_int.h"

static void failure_mail(struct loop_mail *mail);

static bool is_source(const struct plan_node *node)
{
    return node->kind == LEAT_SOURCE;
}

static bool is_lookup(const struct plan_node *node)
{
    return node->kind == LEAT_LOOKUP;
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
    else if (!job_build(job))
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
    case LIFE_FORGET:
        job->discovering = false;
        if (change_shape(job, &error) < 0) {
            fail_here(job, &error);
            return;
        }
        enter_phase(job, job->phase == LIFE_DISCOVER ? LIFE_FORGET : LIFE_CREATE);
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
    job->by_node = base_arena_calloc(arena, job->plan->node_max, sizeof *job->by_node);
    job->last_mails = base_arena_calloc(arena, runtime->worker_count, sizeof *job->last_mails);
    bool ok = job->by_node && job->last_mails && (job->discovering ? job_build_to_discover(job) : job_build(job));
    if (!ok) {
        base_no_memory(error);
        runtime_job_destroy(job);
        return NULL;
    }
    enter_phase(job, LIFE_CREATE);
    return job;
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

const char *runtime_job_unclosed(const struct runtime_job *job)
{
    for (uint32_t i = 0; job->stopping && i < job->inst_count; i++)
        if (!job->insts[i]->closed_told)
            return job->insts[i]->node->name;
    return NULL;
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

void job_reply_mail(struct loop_mail *mail)
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

void job_closed_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, closed));
    struct runtime_job *job = inst->job;
    inst->closed_told = true;
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

void job_sink_ended_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, sink_ended));
    struct runtime_job *job = inst->job;
    if (--job->to_end == 0 && !job->stopping)
        job->events.finished(job->events.arg);
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

void job_sink_ended(struct inst *inst)
{
    loop_post(inst->job->runtime->options.control, &inst->sink_ended);
}
