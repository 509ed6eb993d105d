// SPDX-License-Identifier: Apache-2.0
// What a job starts from: the newest whole states of its nodes, and what is said and refused when the newest of all is
// damaged.
//
// Thread: the control loop.
#include <stdlib.h>
#include <string.h>

#include "checkpoint/coordinator_int.h"
#include "checkpoint/forget.h"

// What cannot be had again since the checkpoint that says so is damaged looks like somebody else's fault.
void restore_say_what_was_lost(struct coordinator *c, struct base_error *e)
{
    if (!c->lost || !c->restored.epoch || c->opened || failure_may_pass(e->failure))
        return;
    char more[sizeof e->detail];
    memcpy(more, e->detail, sizeof more);
    base_error_detail(
        e,
        "Checkpoint %llu is damaged, so the job goes back to checkpoint %llu; that is possible only if the "
        "sources can still give what came after it.%s%s",
        (unsigned long long)c->lost, (unsigned long long)c->restored.epoch, more[0] ? " " : "", more);
}

static bool is_older(const struct coordinator *c, const struct store_damaged *d)
{
    return d->instead && d->epoch > c->restored.epoch && strcmp(d->job, c->options.name) == 0;
}

// Going back to an older checkpoint is never silent.
static void tell_damaged(struct coordinator *c)
{
    leat_epoch before = c->lost;
    const struct store_damaged *d;
    c->lost = 0;
    for (uint32_t i = 0; (d = store_passed_over(c->options.store, i)); i++)
        if (is_older(c, d) && d->epoch > c->lost)
            c->lost = d->epoch;
    if (!c->lost || c->lost == before) // a run before has told it
        return;
    for (uint32_t i = 0; (d = store_passed_over(c->options.store, i)); i++)
        if (is_older(c, d))
            view_log_error(c, &d->why, LEAT_LOG_ERROR, "checkpoint-damaged");
    base_log(&c->options.logger, LEAT_LOG_WARN, "checkpoint-older",
             "going back to checkpoint %llu: what came after it is read and delivered again, if the sources still have "
             "it",
             (unsigned long long)c->restored.epoch);
}

// A source that an older checkpoint does not know would begin as on its first day, and skip what came in between.
leat_status restore_check_sources(const struct coordinator *c, struct base_error *error)
{
    for (uint32_t i = 0; c->lost && i < c->plan->node_count; i++) {
        const struct plan_node *node = c->plan->nodes[i];
        bool known = node->kind != LEAT_SOURCE || !node->component->source->save_state ||
                     forget_has(c->options.forget, c->options.forget_count, node->name);
        for (uint32_t k = 0; k < c->restored.state_count && !known; k++)
            known = strcmp(c->restored.states[k].node, node->name) == 0;
        if (known)
            continue;
        base_fail(error, LEAT_FATAL, "LEAT-T0008",
                  "checkpoint %llu is damaged, and checkpoint %llu does not know where source \"%s\" stood",
                  (unsigned long long)c->lost, (unsigned long long)c->restored.epoch, node->name);
        base_error_node(error, node->name);
        base_error_hint(error, "Restore the checkpoint folder of the pipeline from a backup, or remove it and start "
                               "anew (sources then begin as on their first start).");
        return LEAT_FATAL;
    }
    return LEAT_OK;
}

// The newest states of the job's nodes, but for those that are to be forgotten.
static leat_status load_states(struct coordinator *c, struct base_error *error)
{
    const struct coordinator_options *o = &c->options;
    const char **names = calloc(o->node_count + 1, sizeof *names);
    uint32_t n = 0;
    if (!names)
        return base_no_memory(error);
    for (uint32_t i = 0; i < o->node_count; i++)
        if (!forget_has(o->forget, o->forget_count, o->nodes[i]))
            names[n++] = o->nodes[i];
    leat_status st = store_load(o->store, names, n, &c->restored, error);
    free(names);
    return st;
}

leat_status restore_load(struct coordinator *c, struct base_error *error)
{
    c->gather.manifest.epoch = 0;
    store_manifest_fini(&c->gather.manifest);
    store_manifest_fini(&c->restored);
    if (!c->options.store)
        return LEAT_OK;
    leat_status st = load_states(c, error);
    if (st < 0)
        return st;
    tell_damaged(c);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->restored.state_count; i++)
        n += c->restored.states[i].piece_count;
    c->pieces = calloc(n ? n : 1, sizeof *c->pieces);
    if (!c->pieces)
        return base_no_memory(error);
    return LEAT_OK;
}

uint32_t restore_list_pieces(struct coordinator *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->restored.state_count; i++) {
        const struct store_state *s = &c->restored.states[i];
        for (uint32_t k = 0; k < s->piece_count; k++) {
            const struct store_piece *p = &s->pieces[k];
            c->pieces[n++] = (struct runtime_piece){
                s->node, {p->version, p->kind, s->instance, s->instances, p->bytes, p->len}, s->shape, s->words};
        }
    }
    return n;
}
