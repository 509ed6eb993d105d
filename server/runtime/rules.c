// SPDX-License-Identifier: Apache-2.0
// The rules of calling, as far as they can be seen from here: a plugin that breaks one fails its job as a bug that names
// the node, the callback and the rule, instead of doing harm further down.
//
// What costs next to nothing is always looked at; the rows of a batch, and functions that any thread may call, in debug
// builds only. docs/guide/write-a-plugin.md lists the rules for authors, with what is said of each.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "data/batch.h"
#include "runtime/runtime_int.h"

// Whom it is about: `node "users" (kafka, plugin kafka 1.2)`.
#define WHO 320

static const char *who(const struct inst *inst, char text[WHO])
{
    const struct base_crash_site *site = inst->site;
    bool known = site && site->plugin;
    snprintf(text, WHO, "node \"%s\" (%s%s%s%s%s)", inst->node->name, inst->node->component->name,
             known ? ", plugin " : "", known ? site->plugin : "", known && site->version ? " " : "",
             known && site->version ? site->version : "");
    return text;
}

leat_status rules_status(struct inst *inst, const char *call, leat_status st, unsigned may)
{
    if (st == LEAT_OK || (st < 0 && st >= LEAT_BUG) || (st == LEAT_AGAIN && may & RULES_AGAIN) ||
        (st == LEAT_END && may & RULES_END))
        return st;
    char text[WHO];
    return leat_fail(&inst->ctx, LEAT_BUG, "LEAT-R0007", "%s answered %d to %s, which is no answer to it",
                     who(inst, text), (int)st, call);
}

// A source that works on something is not called that often between two signs of life.
#define EMPTY_LOOK 4096 // empty polls between two looks at the clock
#define EMPTY_TIME (3 * BASE_SECOND)

static void tell_empty(struct inst *inst, leat_usec time)
{
    char text[WHO];
    inst->empty_told = true;
    base_log(
        &inst->logger, LEAT_LOG_WARN, "poll-spins",
        "%s has answered LEAT_OK to %u polls within %lld s and given nothing, which takes a whole core: a source that "
        "has nothing now answers LEAT_AGAIN, and calls wake when it has",
        who(inst, text), inst->empty_polls, (long long)(time / BASE_SECOND));
}

// Rows, marks, progress that moves and rows that are skipped are signs of life.
void rules_poll(struct inst *inst, leat_status st)
{
    if (st != LEAT_OK || inst->gave)
        inst->empty_polls = 0;
    else if (!inst->empty_told && ++inst->empty_polls % EMPTY_LOOK == 0) {
        leat_usec now = base_time_mono();
        if (inst->empty_polls == EMPTY_LOOK)
            inst->empty_since = now;
        else if (now - inst->empty_since >= EMPTY_TIME)
            tell_empty(inst, now - inst->empty_since);
    }
    inst->gave = false;
}

leat_status rules_saved(struct inst *inst, uint8_t asked, uint8_t kind, size_t len)
{
    // a delta that nobody asked for has no full piece to stand on
    if (!len || kind == LEAT_STATE_FULL || (kind == LEAT_STATE_DELTA && asked == LEAT_STATE_DELTA))
        return LEAT_OK;
    char text[WHO];
    return leat_fail(&inst->ctx, LEAT_BUG, "LEAT-R0013", "%s saved a state of kind %u when %s was asked for",
                     who(inst, text), kind, asked == LEAT_STATE_FULL ? "all of it" : "what changed");
}

static leat_status emit_broke(struct inst *inst, const char *rule)
{
    char text[WHO];
    return leat_fail(&inst->ctx, LEAT_BUG, "LEAT-R0002", "%s emitted %s", who(inst, text), rule);
}

// The error is a value of this call: the node's own belongs to its worker.
static leat_status wrong_thread(struct inst *inst, const char *code, const char *did, const char *hint)
{
    struct base_error error;
    char text[WHO];
    base_fail(&error, LEAT_BUG, code, "%s %s on a thread that is not its worker", who(inst, text), did);
    base_error_node(&error, inst->node->name);
    base_error_hint(&error, "%s", hint);
    job_fail_by(inst->job, &error);
    return LEAT_BUG;
}

static bool is_here(const struct inst *inst)
{
    return pthread_equal(pthread_self(), inst->task->worker->thread);
}

// --- functions of the host table

leat_status rules_broken(struct inst *inst, const char *function, const char *rule)
{
    struct base_error error;
    char text[WHO];
    base_fail(&error, LEAT_BUG, "LEAT-R0014", "%s called %s %s", who(inst, text), function, rule);
    base_error_node(&error, inst->node->name);
    base_error_hint(&error, "include/leat/host.h says where each function may be called.");
    job_fail_by(inst->job, &error);
    return LEAT_BUG;
}

static bool is_its_callback(const struct inst *inst)
{
    return atomic_load_explicit(&inst->task->worker->place.site, memory_order_relaxed) == inst->site;
}

bool rules_is_in(const struct inst *inst, const char *call)
{
    const char *present = atomic_load_explicit(&inst->task->worker->place.call, memory_order_relaxed);
    return is_its_callback(inst) && present && strcmp(present, call) == 0;
}

// The first thread but the worker that uses a helper thread's context is the one that it belongs to.
static bool is_of_this_thread(struct ctx_core *core)
{
    pthread_t owner = 0, self = pthread_self();
    return is_here(core->inst) || atomic_compare_exchange_strong(&core->thread, &owner, self) ||
           pthread_equal(owner, self);
}

static const char *broken_place(struct ctx_core *core, bool nodes_own, unsigned asks)
{
    struct inst *inst = core->inst;
    if (nodes_own && !is_here(inst))
        return asks & RULES_HOME ? "on a thread that is not its worker"
                                 : "with the node's context on another thread, which needs a thread_ctx of its own";
    if (!nodes_own && asks & RULES_HOME)
        return "with the context of a helper thread";
    if (!nodes_own && !is_of_this_thread(core))
        return "with the context of another helper thread";
    return asks & RULES_HOME && !is_its_callback(inst) ? "outside of its callbacks" : NULL;
}

static const char *broken_kind(uint8_t kind, unsigned asks)
{
    if (asks & RULES_SOURCE && kind != LEAT_SOURCE)
        return "and is no source";
    return asks & RULES_OPERATOR && kind != LEAT_OPERATOR ? "and is no operator" : NULL;
}

bool rules_call(struct leat_ctx *ctx, const char *function, unsigned asks)
{
    struct ctx_core *core = ctx->core;
    const char *rule = broken_place(core, ctx == &core->inst->ctx, asks);
    if (!rule)
        rule = broken_kind(core->inst->node->kind, asks);
    if (rule)
        rules_broken(core->inst, function, rule);
    return !rule;
}

#ifndef NDEBUG
static const char *broken_cell(const struct leat_batch *b, uint32_t c, uint32_t row)
{
    uint8_t state = b->columns[c].states[row], type = b->schema->columns[c].type.kind;
    const union leat_cell *cell = &b->columns[c].cells[row];
    if (state > LEAT_UNCHANGED)
        return "a value of an unknown state";
    if (state == LEAT_VALUE && leat_type_is_bytes(type) && cell->bytes.len && !cell->bytes.ptr)
        return "a text or bytes without memory";
    if (state == LEAT_VALUE && leat_type_is_list(type) && cell->list.count && !cell->list.items)
        return "a list without memory";
    return NULL;
}

static const char *broken_rows(const struct leat_batch *b, uint8_t mode)
{
    for (uint32_t c = 0; c < b->column_count; c++)
        if (b->rows && (!b->columns[c].cells || !b->columns[c].states))
            return "a batch with a column that was never set";
    for (uint32_t r = 0; r < b->rows; r++) {
        if (b->kinds[r] > LEAT_DELETE || (mode == LEAT_MODE_INSERT_ONLY && b->kinds[r] != LEAT_INSERT) ||
            (mode == LEAT_MODE_UPSERT && b->kinds[r] == LEAT_UPDATE_BEFORE))
            return "a row of a kind that the port does not give";
        for (uint32_t c = 0; c < b->column_count; c++) {
            const char *broken = broken_cell(b, c, r);
            if (broken)
                return broken;
        }
    }
    return NULL;
}
#endif

static const char *broken_batch(const struct inst *inst, uint32_t port, const struct leat_batch *b)
{
    const struct leat_schema *schema = inst->node->outputs[port].schema;
    if (b->rows > b->capacity)
        return "a batch with more rows than it has room for";
    if (b->column_count != b->schema->column_count || (schema && b->column_count != schema->column_count))
        return "a batch with other columns than its port has";
#ifndef NDEBUG
    return broken_rows(b, inst->node->outputs[port].mode);
#else
    return NULL;
#endif
}

leat_status rules_emit(struct inst *inst, uint32_t port, const struct leat_batch *b)
{
    if (!is_here(inst))
        return wrong_thread(inst, "LEAT-R0002", "emitted",
                            "Hand the batch over to the worker by host->post, or keep it until poll.");
    if (data_batch_is_sealed(b))
        return emit_broke(inst, "a batch that it had given away before");
    if (inst->ended)
        return emit_broke(inst, "after it had said LEAT_END");
    if (!inst->emitting_allowed)
        return emit_broke(inst, "outside poll and process");
    if (port >= inst->node->output_count)
        return emit_broke(inst, "from a port that it does not have");
    const char *rule = broken_batch(inst, port, b);
    return rule ? emit_broke(inst, rule) : LEAT_OK;
}

static leat_status answer_broke(struct inst *inst, const char *rule)
{
    char text[WHO];
    leat_fail(&inst->ctx, LEAT_BUG, "LEAT-R0008", "%s answered %s", who(inst, text), rule);
    job_fail(inst);
    return LEAT_BUG;
}

leat_status rules_answer_taken(struct inst *inst)
{
    return answer_broke(inst, "a question and then said LEAT_AGAIN to it");
}

leat_status rules_answer_here(struct inst *inst, struct leat_batch *rows)
{
    bool sealed = rows && data_batch_is_sealed(rows); // then it is no longer the plugin's to give
    if (is_here(inst))
        return sealed ? answer_broke(inst, "with a batch that it had given away before") : LEAT_OK;
    if (!sealed)
        data_batch_unref(rows);
    return wrong_thread(inst, "LEAT-R0008", "answered",
                        "Hand the rows over to the worker by host->post, and answer there.");
}

leat_status rules_answer(struct inst *inst, const struct leat_batch *keys, const struct leat_batch *rows,
                         const uint32_t *key_of_row)
{
    if (!keys)
        return answer_broke(inst, "a question that is not open: it was never asked, or has its answer");
    const char *rule = rows ? broken_batch(inst, 0, rows) : NULL;
    if (rule)
        return answer_broke(inst, rule);
    if (rows && rows->rows && !key_of_row)
        return answer_broke(inst, "rows without their keys");
    for (uint32_t r = 0; rows && r < rows->rows; r++)
        if (key_of_row[r] >= keys->rows)
            return answer_broke(inst, "a row of a key that the question does not have");
    return LEAT_OK;
}
