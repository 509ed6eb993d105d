// SPDX-License-Identifier: Apache-2.0
// Waiting for dimensions: gates at the start, and asking again before each batch (join.wait = "always").
//
// A task whose input waits always lets a batch of its other inputs pass only when the dimension has been read up to the
// end that it had after the batch had arrived. It asks the dimension's sources (a number, rising over the job); each
// finds its end anew, reads up to it and sends a mark with the number behind those rows. What lay in the other inputs
// when the question was asked may pass then; so one question serves everything that waits.
//
// Barriers. A barrier of the dimension must not arrive while rows of the others still wait: its input would stand
// still, and the mark behind it would never come. So a dimension's source gets the barrier only when it has come through
// all other inputs of every task that asks it; the planner sees to it that these are other sources.
//
// Thread: the task's worker, but for what is atomic. A source's task is asked from the workers of its readers.
#include <stdio.h>

#include "base/time.h"
#include "runtime/dimension.h"
#include "runtime/task.h"

#define LOOK 1000000 // microseconds between two looks at a wait that lasts

static void wait_begin(struct task *t);
static void wait_over(struct task *t);

// --- gates

static bool is_gated(const struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++)
        if (t->inputs[i]->gated)
            return true;
    return false;
}

void dimension_close_gates(struct runtime_job *job)
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

void dimension_wait_at_start(struct task *t)
{
    if (is_gated(t))
        wait_begin(t);
}

static void open_gates(struct task *t)
{
    bool was_gated = false;
    for (uint32_t i = 0; i < t->input_count; i++) {
        was_gated = was_gated || t->inputs[i]->gated;
        t->inputs[i]->gated = false;
    }
    if (!was_gated)
        return;
    atomic_fetch_sub(&t->job->gated, 1);
    wait_over(t);
}

void dimension_caught_up(struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++)
        if (t->inputs[i]->wait_first && !t->inputs[i]->caught_up)
            return;
    open_gates(t);
}

// --- asking

static void ask_source(struct task *source, uint64_t number)
{
    uint64_t before = atomic_load(&source->end_wanted);
    while (before < number && !atomic_compare_exchange_weak(&source->end_wanted, &before, number))
        continue;
    task_wake(source);
}

static bool is_reached(const struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++) {
        const struct task_input *in = t->inputs[i];
        if (in->wait_always && !in->ended && in->reached < t->ask)
            return false;
    }
    return true;
}

static void release(struct task *t)
{
    t->asking = false;
    for (uint32_t i = 0; i < t->input_count; i++) {
        t->inputs[i]->allowed = t->inputs[i]->covered;
        t->inputs[i]->covered = 0;
    }
    wait_over(t);
}

static void ask(struct task *t)
{
    t->asking = true;
    t->ask = atomic_fetch_add(&t->job->asked, 1) + 1;
    for (uint32_t i = 0; i < t->input_count; i++)
        if (!t->inputs[i]->wait_always)
            t->inputs[i]->covered = atomic_load(&t->inputs[i]->channel.depth);
    // what is covered was counted before the question is asked
    for (uint32_t i = 0; i < t->input_count; i++)
        if (t->inputs[i]->wait_always && !t->inputs[i]->ended)
            ask_source(t->inputs[i]->channel.producer, t->ask);
    wait_begin(t);
    if (is_reached(t))
        release(t);
}

bool dimension_lets_pass(struct task *t, const struct task_input *in, const struct element *e)
{
    if (!t->asks || in->wait_always || e->kind != ELEMENT_BATCH || in->allowed)
        return true;
    if (!t->asking)
        ask(t);
    return in->allowed > 0;
}

// What the question before allows may pass while the next one is open, which covers it too.
void dimension_passed(struct task *t, struct task_input *in)
{
    if (in->allowed)
        in->allowed--;
    if (t->asking && in->covered)
        in->covered--;
}

void dimension_answered(struct task *t, struct task_input *in, uint64_t number)
{
    if (number > in->reached)
        in->reached = number;
    if (t->asking && is_reached(t))
        release(t);
}

// --- being asked

bool dimension_seek_end(struct task *t, struct inst *inst, leat_status *st)
{
    *st = LEAT_OK;
    if (t->seeking_end) {
        if (!inst->caught_up && !inst->ended)
            return false;
        t->seeking_end = false;
        *st = inst_send_end_reached(inst, t->end_sought);
        return true;
    }
    uint64_t wanted = atomic_load(&t->end_wanted);
    // a source that still reads up to its first end goes on with that
    if (wanted <= t->end_sought || !inst->caught_up_sent)
        return false;
    t->end_sought = wanted;
    t->seeking_end = true;
    inst->caught_up = false;
    if (inst->ended)
        return true;
    struct call_was was = worker_enter(inst, "catch_up");
    *st = inst->node->component->source->catch_up(&inst->ctx, inst->self);
    worker_leave(inst, was);
    *st = rules_status(inst, "catch_up", *st, 0);
    return true;
}

// --- barriers

void dimension_hold_barriers(struct runtime_job *job, leat_epoch epoch)
{
    for (uint32_t i = 0; i < job->task_count; i++) {
        atomic_store(&job->tasks[i]->barrier_hold, 0);
        atomic_store(&job->tasks[i]->barrier_next, epoch);
    }
    for (uint32_t i = 0; i < job->task_count; i++)
        for (uint32_t k = 0; k < job->tasks[i]->input_count; k++)
            if (job->tasks[i]->inputs[k]->wait_always)
                atomic_fetch_add(&job->tasks[i]->inputs[k]->channel.producer->barrier_hold, 1);
}

void dimension_release_barriers(struct task *t)
{
    if (!t->asks)
        return;
    for (uint32_t i = 0; i < t->input_count; i++)
        if (!t->inputs[i]->wait_always && !t->inputs[i]->aligned)
            return;
    for (uint32_t i = 0; i < t->input_count; i++) {
        struct task *source = t->inputs[i]->channel.producer;
        if (!t->inputs[i]->wait_always || atomic_fetch_sub(&source->barrier_hold, 1) != 1)
            continue;
        atomic_store(&source->barrier_wanted, atomic_load(&source->barrier_next));
        task_wake(source);
    }
}

// --- how long it takes

// The first input that is waited for.
static const struct task_input *waited_for(const struct task *t)
{
    for (uint32_t i = 0; i < t->input_count; i++) {
        const struct task_input *in = t->inputs[i];
        bool late =
            is_gated(t) ? in->wait_first && !in->caught_up : in->wait_always && !in->ended && in->reached < t->ask;
        if (late)
            return in;
    }
    return NULL;
}

static leat_status time_is_over(struct task *t, const struct task_input *in, const char *name, uint64_t at,
                                uint64_t end)
{
    struct inst *inst = in->to;
    const struct plan_edge *edge = inst->node->inputs[in->input];
    double seconds = (double)edge->wait_timeout / 1e6;
    char where[96];
    if (end > at)
        snprintf(where, sizeof where, "stands at %llu, and its end is %llu", (unsigned long long)at,
                 (unsigned long long)end);
    else
        snprintf(where, sizeof where, "stands at %llu, and its end is not known yet", (unsigned long long)at);
    if (!edge->wait_go_on) {
        leat_fail(&inst->ctx, LEAT_FATAL, "LEAT-R0012", "\"%s\" was not read up to its end within %g s: it %s", name,
                  seconds, where);
        leat_error_hint(&inst->ctx, "Set join.wait-timeout higher, or join.wait-on-timeout = \"go-on\" to join without "
                                    "what is not read yet.");
        return LEAT_FATAL;
    }
    base_log(&inst->logger, LEAT_LOG_WARN, "wait-given-up", "going on after %g s, though \"%s\" %s", seconds, name,
             where);
    if (is_gated(t))
        open_gates(t);
    else
        release(t);
    task_wake(t);
    return LEAT_OK;
}

static leat_status look(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct task *t = arg;
    const struct task_input *in = t->waiting_since ? waited_for(t) : NULL;
    if (!in)
        return LEAT_OK;
    struct inst *inst = in->to;
    const struct plan_edge *edge = inst->node->inputs[in->input];
    // the sources of the input, added up
    uint64_t at = 0, end = 0;
    for (uint32_t i = 0; i < edge->from->parallelism; i++) {
        const struct inst *source = t->job->by_node[edge->from->id][i];
        at += atomic_load(&source->view_current);
        end += atomic_load(&source->view_end);
    }
    int64_t waited = base_time_mono() - t->waiting_since;
    if (edge->wait_timeout && waited >= edge->wait_timeout)
        return time_is_over(t, in, edge->from->name, at, end);
    if (waited >= LOOK) {
        leat_say_status(ctx, "reading \"%s\" up to its end: at %llu of %llu, for %lld s", edge->from->name,
                        (unsigned long long)at, (unsigned long long)end, (long long)(waited / 1000000));
        if (!t->wait_said)
            base_log(&inst->logger, LEAT_LOG_INFO, "wait", "rows wait until \"%s\" is read up to its end",
                     edge->from->name);
        t->wait_said = true;
    }
    int64_t left = edge->wait_timeout ? edge->wait_timeout - waited : LOOK;
    return inst_timer_again(t->wait_timer, left < LOOK ? left : LOOK);
}

static void wait_begin(struct task *t)
{
    struct inst *inst = t->insts[0];
    t->waiting_since = base_time_mono();
    const struct task_input *in = waited_for(t);
    int64_t timeout = in ? in->to->node->inputs[in->input]->wait_timeout : 0;
    int64_t first = timeout && timeout < LOOK ? timeout : LOOK;
    // without memory for a timer there is no progress to be seen; the wait itself needs none
    if (t->wait_timer)
        (void)(inst_timer_again(t->wait_timer, first) == LEAT_OK);
    else
        t->wait_timer = inst_timer(inst, first, look, t);
}

static void wait_over(struct task *t)
{
    if (t->wait_said) {
        base_log(&t->insts[0]->logger, LEAT_LOG_INFO, "wait-over", "rows pass again after %.1f s",
                 (double)(base_time_mono() - t->waiting_since) / 1e6);
        leat_say_status(&t->insts[0]->ctx, "%s", "");
    }
    t->wait_said = false;
    t->waiting_since = 0;
}
