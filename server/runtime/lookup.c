// SPDX-License-Identifier: Apache-2.0
// Questions to lookups, and their answers.
//
// Every instance of an operator has an instance of each lookup that it asks, on its own task: nothing crosses threads.
// The operator asks from process or process_answer and goes on; the core holds the keys until the answer is there, and
// gives the answer in the task's next step, when there is room for what comes of it. As long as an operator asks, what
// must come after its rows (barriers, the end) waits.
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "data/batch.h"
#include "fault.h"
#include "runtime/runtime_int.h"
#include "runtime/task.h"

struct question {
    struct question *next;
    const struct leat_batch *keys; // a reference
    uint64_t ticket;
    bool told; // the lookup has it; else it had no room
};

struct answer {
    struct answer *next;
    struct leat_batch *rows; // or NULL
    uint64_t ticket;
    uint32_t key_of_row[];
};

// --- building

static uint32_t ask_edges(const struct plan_node *op)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->input_count; i++)
        n += op->inputs[i]->lookup;
    return n;
}

// The next free place among the lookup's instances, which are counted by the plan.
static bool add(struct runtime_job *job, struct inst *asker, uint32_t input)
{
    const struct plan_node *node = asker->node->inputs[input]->from;
    struct inst **all = job->by_node[node->id];
    if (!all)
        all = job->by_node[node->id] = base_arena_calloc(job->arena, node->parallelism, sizeof *all);
    uint32_t k = 0;
    while (all && k < node->parallelism && all[k])
        k++;
    struct inst *lookup = all && k < node->parallelism ? job_add_inst(job, node, k, asker->task) : NULL;
    if (!lookup)
        return false;
    lookup->asker = asker;
    all[k] = lookup;
    asker->lookups[input] = lookup;
    return true;
}

bool lookups_build(struct runtime_job *job, const struct plan_node *op)
{
    if (op->kind != LEAT_OPERATOR || !ask_edges(op))
        return true;
    for (uint32_t i = 0; i < op->parallelism; i++) {
        struct inst *asker = job->by_node[op->id][i];
        asker->lookups = base_arena_calloc(job->arena, op->input_count, sizeof(struct inst *));
        if (!asker->lookups)
            return false;
        for (uint32_t k = 0; k < op->input_count; k++)
            if (op->inputs[k]->lookup && !add(job, asker, k))
                return false;
    }
    return true;
}

bool lookups_build_to_discover(struct runtime_job *job)
{
    for (uint32_t i = 0; i < job->plan->node_count; i++) {
        const struct plan_node *node = job->plan->nodes[i];
        if (node->kind != LEAT_LOOKUP || (node->output_count && node->outputs[0].schema))
            continue;
        struct task *t = job_add_task(job);
        if (!t || !job_add_inst(job, node, 0, t))
            return false;
    }
    return true;
}

// --- asking

static bool is_open(const struct inst *lookup, const struct question *q)
{
    const struct question *at = lookup->asked;
    while (at && at != q)
        at = at->next;
    return at != NULL;
}

static leat_status tell(struct inst *lookup, struct question *q)
{
    const struct plan_edge *edge = NULL;
    for (uint32_t i = 0; !edge; i++)
        if (lookup->asker->lookups[i] == lookup)
            edge = lookup->asker->node->inputs[i];
    // answered within the call, the question is gone
    uint64_t ticket = q->ticket;
    q->told = true;
    struct call_was was = worker_enter(lookup, "ask");
    leat_status st = lookup->node->component->lookup->ask(&lookup->ctx, lookup->self, edge->columns, edge->column_count,
                                                          q->keys, ticket);
    worker_leave(lookup, was);
    st = rules_status(lookup, "ask", st, RULES_AGAIN);
    if (st == LEAT_AGAIN && !is_open(lookup, q))
        return rules_answer_taken(lookup);
    if (st == LEAT_AGAIN)
        q->told = false;
    if (st == LEAT_OK)
        LEAT_FAULT("lookup-asked");
    return st;
}

leat_status lookup_ask(struct inst *asker, uint32_t input, const struct leat_batch *keys, uint64_t ticket)
{
    struct inst *lookup = asker->lookups && input < asker->node->input_count ? asker->lookups[input] : NULL;
    if (!lookup || !lookup->self)
        return leat_fail(&asker->ctx, LEAT_BUG, "LEAT-R0006", "node \"%s\" asked an input that is no lookup",
                         asker->node->name);
    struct question **at = &lookup->asked;
    bool behind = false;
    for (; *at; at = &(*at)->next) {
        if ((*at)->ticket == ticket)
            return rules_broken(asker, "lookup_ask", "with a ticket that is under way");
        behind = behind || !(*at)->told;
    }
    struct question *q = malloc(sizeof *q);
    if (!q)
        return leat_no_memory(&asker->ctx);
    *q = (struct question){NULL, keys, ticket, false};
    data_batch_ref(keys);
    *at = q;
    asker->asking++;
    leat_status st = behind ? LEAT_AGAIN : tell(lookup, q);
    if (st < 0) {
        asker->core.error = lookup->core.error;
        return st;
    }
    return LEAT_OK;
}

static leat_status ask_again(struct inst *lookup)
{
    struct question *q = lookup->asked;
    while (q && q->told)
        q = q->next;
    if (!q)
        return LEAT_OK;
    leat_status st = tell(lookup, q);
    if (st == LEAT_OK)
        task_wake(lookup->task); // for the one behind it
    return st < 0 ? st : LEAT_OK;
}

// --- answers

static struct answer *answer_create(struct leat_batch *rows, const uint32_t *key_of_row, uint64_t ticket)
{
    size_t size = rows ? rows->rows * sizeof *key_of_row : 0;
    struct answer *a = malloc(sizeof *a + size);
    if (!a)
        return NULL;
    *a = (struct answer){.rows = rows, .ticket = ticket};
    if (size)
        memcpy(a->key_of_row, key_of_row, size);
    return a;
}

static void question_destroy(struct question *q)
{
    data_batch_unref(q->keys);
    free(q);
}

static void put_answer(struct inst *lookup, struct answer *a)
{
    struct answer **end = &lookup->asker->answers;
    while (*end)
        end = &(*end)->next;
    *end = a;
    base_metric_inc(lookup->metrics.rows_out, a->rows ? a->rows->rows : 0);
    task_wake(lookup->task);
}

void lookup_answer(struct inst *lookup, uint64_t ticket, struct leat_batch *rows, const uint32_t *key_of_row)
{
    if (rules_answer_here(lookup, rows) != LEAT_OK)
        return;
    struct question **at = &lookup->asked;
    while (*at && (*at)->ticket != ticket)
        at = &(*at)->next;
    struct question *q = *at;
    if (rules_answer(lookup, q ? q->keys : NULL, rows, key_of_row) != LEAT_OK) {
        data_batch_unref(rows);
        return;
    }
    struct answer *a = answer_create(rows, key_of_row, ticket);
    if (!a) {
        data_batch_unref(rows);
        leat_no_memory(&lookup->ctx);
        job_fail(lookup);
        return;
    }
    if (rows)
        data_batch_seal(rows);
    *at = q->next;
    question_destroy(q);
    put_answer(lookup, a);
}

static void answer_destroy(struct answer *a)
{
    data_batch_unref(a->rows);
    free(a);
}

static leat_status call_answer(struct inst *inst, const struct answer *a)
{
    inst->emitting_allowed = true;
    inst->told_full = false;
    struct call_was was = worker_enter(inst, "process_answer");
    leat_status st =
        inst->node->component->op->process_answer(&inst->ctx, inst->self, a->ticket, a->rows, a->key_of_row);
    worker_leave(inst, was);
    inst->emitting_allowed = false;
    return rules_status(inst, "process_answer", st, RULES_AGAIN);
}

// The last rows of a transaction that is over have their answers: its readers are told. A batch that was refused because
// so much was asked may be the transaction's last; it comes yet.
static leat_status end_txn(struct inst *inst)
{
    bool more = inst->asking || inst->ways_in_txn || (inst->pending_head && inst->pending_head->kind == ELEMENT_BATCH);
    return more || !inst_txn_open(inst) ? LEAT_OK : inst_end_txn(inst);
}

leat_status lookup_step(struct inst *inst)
{
    if (inst->node->kind == LEAT_LOOKUP)
        return ask_again(inst);
    while (inst->answers) {
        if (inst_outputs_full(inst))
            return LEAT_AGAIN;
        struct answer *a = inst->answers;
        LEAT_FAULT("lookup-answered");
        leat_status st = call_answer(inst, a);
        if (st < 0)
            return st;
        if (st == LEAT_AGAIN && !inst->told_full)
            return st;
        if (st == LEAT_AGAIN)
            continue;
        inst->answers = a->next;
        inst->asking--;
        answer_destroy(a);
        st = end_txn(inst);
        if (st < 0)
            return st;
    }
    return LEAT_OK;
}

void lookup_drop(struct inst *inst)
{
    while (inst->asked) {
        struct question *q = inst->asked;
        inst->asked = q->next;
        question_destroy(q);
    }
    while (inst->answers) {
        struct answer *a = inst->answers;
        inst->answers = a->next;
        answer_destroy(a);
    }
}
