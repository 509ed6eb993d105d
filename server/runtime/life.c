// SPDX-License-Identifier: Apache-2.0
// The life of one instance: create, restore, discover, open, run, close, destroy.
//
// The control loop commands one step at a time; the worker does it, waiting for the plugin's wake where it says
// LEAT_AGAIN, and replies. Closing is commanded by a mail of its own and supersedes whatever step is under way.
#include <string.h>

#include "base/time.h"
#include "runtime/consolidate.h"
#include "runtime/dimension.h"
#include "runtime/runtime_int.h"
#include "runtime/shape.h"
#include "runtime/task.h"

uint64_t runtime_state_shape(const struct plan_node *node, const char **words)
{
    const struct leat_operator_ops *op = node->kind == LEAT_OPERATOR ? node->component->op : NULL;
    uint64_t shape = op && op->state_shape ? op->state_shape(node->bound) : 0;
    *words = shape && op->state_words ? op->state_words(node->bound) : NULL;
    return shape;
}

// State of another shape must not be loaded: its rows would be taken for what they are not.
static leat_status check_shape(struct inst *inst, const struct runtime_piece *piece)
{
    const char *words;
    uint64_t shape = runtime_state_shape(inst->node, &words);
    if (shape == 0 || piece->shape == 0 || shape == piece->shape)
        return LEAT_OK;
    char changes[SHAPE_CHANGES];
    shape_changes(piece->words, words, changes);
    leat_status st =
        leat_fail(&inst->ctx, LEAT_CONFIG, "LEAT-T0007", "the saved state of node \"%s\" does not fit it any more: %s",
                  inst->node->name, changes);
    leat_error_hint(&inst->ctx,
                    "Put back what was changed; or start once with --forget-state %.*s, which says what else must be "
                    "forgotten with it: its sources are then read from their beginning.",
                    (int)strcspn(inst->node->name, "/"),
                    inst->node->name); // of "join/normalize/0" the user knows "join"
    return st;
}

static leat_status load_pieces(struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    leat_status (*load)(struct leat_ctx *, void *, const struct leat_state_in *) =
        inst->node->kind == LEAT_SOURCE ? c->source->load_state
        : inst->node->kind == LEAT_SINK ? c->sink->load_state
                                        : c->op->load_state;
    for (uint32_t i = 0; i < inst->job->options.piece_count; i++) {
        const struct runtime_piece *piece = &inst->job->options.pieces[i];
        // with the parallelism of before each instance has its own pieces, else everybody sees all
        if (strcmp(piece->node, inst->node->name) != 0 ||
            (piece->in.instances == inst->node->parallelism && piece->in.instance != inst->instance))
            continue;
        if (!load)
            return leat_fail(&inst->ctx, LEAT_CONFIG, "LEAT-R0003",
                             "node \"%s\" has saved state but its connector keeps none", inst->node->name);
        leat_status st = check_shape(inst, piece);
        if (st >= 0)
            st = rules_status(inst, "load_state", load(&inst->ctx, inst->self, &piece->in), 0);
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

static leat_status do_create(struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    if (inst->node->kind == LEAT_LOOKUP)
        return c->lookup->create(&inst->ctx, &inst->node->source_request, &inst->self);
    leat_status st = inst->node->kind == LEAT_SOURCE
                         ? c->source->create(&inst->ctx, &inst->node->source_request, &inst->self)
                     : inst->node->kind == LEAT_SINK ? c->sink->create(&inst->ctx, inst->node->bound, &inst->self)
                                                     : c->op->create(&inst->ctx, inst->node->bound, &inst->self);
    return st == LEAT_OK ? load_pieces(inst) : st;
}

static bool is_restored(const struct inst *inst)
{
    for (uint32_t i = 0; i < inst->job->options.piece_count; i++)
        if (strcmp(inst->job->options.pieces[i].node, inst->node->name) == 0)
            return true;
    return false;
}

// Tells a source which of its ports are read.
static leat_status tell_ports(struct inst *inst)
{
    const struct leat_source_ops *ops = inst->node->component->source;
    uint8_t used[LEAT_PORTS_MAX];
    if (inst->node->kind != LEAT_SOURCE || !ops->use_ports)
        return LEAT_OK;
    for (uint32_t i = 0; i < inst->node->output_count; i++)
        used[i] = inst->node->outputs[i].used;
    return ops->use_ports(&inst->ctx, inst->self, used, inst->node->output_count);
}

static leat_status do_open(struct inst *inst)
{
    leat_status st = inst->ports_told ? LEAT_OK : tell_ports(inst);
    if (st < 0)
        return st;
    inst->ports_told = true;
    struct leat_open open = {
        .struct_size = sizeof open,
        .instance = inst->instance,
        .instances = inst->node->parallelism,
        .catch_up = inst->node->catch_up,
        .restored = is_restored(inst),
        .first_run = inst->job->options.first_run || !is_restored(inst),
        .pipeline = inst->job->plan->pipeline,
        .node = inst->node->name,
        .data_dir = inst->job->options.data_dir,
        .local_time_zone = inst->job->plan->local_time_zone,
        .transient = inst->job->options.transient,
    };
    const struct leat_component *c = inst->node->component;
    leat_status (*fn)(struct leat_ctx *, void *, const struct leat_open *) =
        inst->node->kind == LEAT_SOURCE   ? c->source->open
        : inst->node->kind == LEAT_LOOKUP ? c->lookup->open
        : inst->node->kind == LEAT_SINK   ? c->sink->open
                                          : c->op->open;
    return fn ? fn(&inst->ctx, inst->self, &open) : LEAT_OK;
}

static leat_status do_discover(struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    return inst->node->kind == LEAT_LOOKUP ? c->lookup->discover(&inst->ctx, inst->self, &inst->discovered)
                                           : c->source->discover(&inst->ctx, inst->self, &inst->discovered);
}

static leat_status do_close(struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    leat_status (*fn)(struct leat_ctx *, void *) = inst->node->kind == LEAT_SOURCE   ? c->source->close
                                                   : inst->node->kind == LEAT_LOOKUP ? c->lookup->close
                                                   : inst->node->kind == LEAT_SINK   ? c->sink->close
                                                                                     : c->op->close;
    if (!inst->self || !fn)
        return LEAT_OK;
    leat_status st = fn(&inst->ctx, inst->self);
    if (st < 0) {
        base_log(&inst->logger, LEAT_LOG_WARN, "close-failed", "could not close cleanly: %s", inst->core.error.message);
        return LEAT_OK;
    }
    return st;
}

static void destroy(struct inst *inst)
{
    const struct leat_component *c = inst->node->component;
    void (*fn)(struct leat_ctx *, void *) = inst->node->kind == LEAT_SOURCE   ? c->source->destroy
                                            : inst->node->kind == LEAT_LOOKUP ? c->lookup->destroy
                                            : inst->node->kind == LEAT_SINK   ? c->sink->destroy
                                                                              : c->op->destroy;
    struct call_was was = worker_enter(inst, "destroy");
    if (inst->self && fn)
        fn(&inst->ctx, inst->self);
    worker_leave(inst, was);
    inst->self = NULL;
    host_close_events(inst);
    inst_drop_pending(inst);
    lookup_drop(inst);
    consolidate_destroy(inst->consolidate);
    inst->consolidate = NULL;
    inst->destroyed = true;
}

static const char *step_name(enum life_step step)
{
    static const char *const names[] = {
        [LIFE_NONE] = "nothing", [LIFE_CREATE] = "create", [LIFE_DISCOVER] = "discover", [LIFE_OPEN] = "open",
        [LIFE_RUN] = "run",      [LIFE_CLOSE] = "close",   [LIFE_FORGET] = "close"};
    return names[step];
}

static leat_status do_step(struct inst *inst)
{
    switch (inst->step) {
    case LIFE_CREATE:
        return do_create(inst);
    case LIFE_DISCOVER:
        return do_discover(inst);
    case LIFE_OPEN:
        return do_open(inst);
    case LIFE_RUN:
        inst->task->mark = base_time_mono();
        inst->task->running = true;
        dimension_wait_at_start(inst->task);
        task_wake(inst->task);
        return LEAT_OK;
    case LIFE_FORGET:
    case LIFE_CLOSE:
        return do_close(inst);
    case LIFE_NONE:
        break;
    }
    return LEAT_OK;
}

// Does the step under way, or does it again after the plugin's wake. A plugin that answers wrongly to close is closed.
void inst_step(struct inst *inst)
{
    const char *call = step_name(inst->step);
    struct call_was was = worker_enter(inst, call);
    leat_status st = rules_status(inst, call, do_step(inst), inst->step == LIFE_CREATE ? 0 : RULES_AGAIN);
    worker_leave(inst, was);
    if (st == LEAT_AGAIN)
        return;
    enum life_step step = inst->step;
    inst->step = LIFE_NONE;
    if (step == LIFE_CLOSE || step == LIFE_FORGET)
        destroy(inst);
    if (step == LIFE_CLOSE)
        job_closed(inst);
    else
        job_reply(inst, st);
}

void inst_command_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, command));
    if (inst->destroyed || inst->step == LIFE_CLOSE)
        return;
    inst->step = inst->command_step;
    inst_step(inst);
}

void inst_close_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, close));
    inst->task->running = false;
    inst->step = LIFE_CLOSE;
    inst_step(inst);
}

void inst_complete_mail(struct loop_mail *mail)
{
    struct inst *inst = (struct inst *)((char *)mail - offsetof(struct inst, complete_mail));
    atomic_store(&inst->complete_posted, false);
    leat_epoch epoch = atomic_load(&inst->complete_epoch);
    if (inst->destroyed || inst->step == LIFE_CLOSE || inst->node->kind == LEAT_LOOKUP)
        return;
    const struct leat_component *c = inst->node->component;
    leat_status (*fn)(struct leat_ctx *, void *, leat_epoch) =
        inst->node->kind == LEAT_SOURCE ? c->source->on_checkpoint_complete
        : inst->node->kind == LEAT_SINK ? c->sink->on_checkpoint_complete
                                        : c->op->on_checkpoint_complete;
    if (!fn)
        return;
    struct call_was was = worker_enter(inst, "on_checkpoint_complete");
    leat_status st = fn(&inst->ctx, inst->self, epoch);
    worker_leave(inst, was);
    if (st < 0)
        job_fail(inst);
}
