// SPDX-License-Identifier: Apache-2.0
// What every lookup must do: life, an answer to each question and only one, back-pressure, and calm when memory is short.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define KEYS        40  // of a question
#define TICKETS_MAX 400 // questions of a case

// A question: keys from, from + 1 …, and how often each was found.
struct question {
    int64_t from;
    uint32_t count;
    uint8_t open, answered;
    struct leat_batch *keys; // lent until it is answered
};

struct run {
    const struct contract_lookup *fixture;
    struct testhost *h;
    struct testhost_node *n;
    struct question *questions; // the ticket is the number
    uint32_t count, open;
};

static void give_back(struct question *q)
{
    leat_batch_unref(q->keys);
    q->keys = NULL;
}

static void check_row(const struct run *r, const struct question *q, const struct leat_batch *rows, uint32_t row,
                      uint32_t key)
{
    contract_check(key < q->count, "a row was answered for key %u of a question of %u keys", key, q->count);
    int64_t id = leat_batch_cell(rows, 0, row)->i64;
    int64_t wanted = q->from + key;
    contract_check(leat_batch_state(rows, 0, row) == LEAT_VALUE && id == wanted, "the row for key %lld has another key",
                   (long long)wanted);
    contract_check(wanted >= 0 && wanted < (int64_t)r->fixture->rows, "key %lld was found, and is not there",
                   (long long)wanted);
}

static void on_answer(struct testhost_node *node, uint64_t ticket, const struct leat_batch *rows,
                      const uint32_t *key_of_row)
{
    struct run *r = node->on_emit_arg;
    contract_check(ticket < r->count && r->questions[ticket].open, "ticket %llu was answered, and never asked",
                   (unsigned long long)ticket);
    struct question *q = &r->questions[ticket];
    contract_check(!q->answered, "ticket %llu was answered twice", (unsigned long long)ticket);
    uint32_t found[KEYS] = {0};
    for (uint32_t i = 0; rows && i < rows->rows; i++) {
        check_row(r, q, rows, i, key_of_row[i]);
        found[key_of_row[i]]++;
    }
    for (uint32_t k = 0; k < q->count; k++) {
        int there = q->from + k >= 0 && q->from + k < (int64_t)r->fixture->rows;
        contract_check(!there || found[k] == 1, "key %lld has one row, and %u were answered", (long long)(q->from + k),
                       found[k]);
    }
    q->answered = 1;
    r->open--;
    give_back(q);
}

static void make_node(struct run *r)
{
    r->n = contract_node(r->h, r->fixture->plugin, LEAT_LOOKUP, r->fixture->name, r->fixture->options());
    r->n->on_answer = on_answer;
    r->n->on_emit_arg = r;
    r->count = r->open = 0;
}

static const struct leat_schema *schema(struct run *r)
{
    return r->fixture->columns ? testhost_schema(r->h, r->fixture->columns, r->fixture->key) : NULL;
}

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host()};
    r->questions = calloc(TICKETS_MAX, sizeof *r->questions);
    contract_clean_up(r->fixture->clean);
    if (r->fixture->prepare)
        r->fixture->prepare(r->h);
    make_node(r);
}

// Behind destroy nothing is answered any more.
static void give_back_all(struct run *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        give_back(&r->questions[i]);
}

static void end(struct run *r)
{
    contract_node_end(r->n);
    give_back_all(r);
    contract_host_end(r->h);
    free(r->questions);
    if (r->fixture->clean)
        r->fixture->clean();
}

static void start(struct run *r)
{
    contract_good(r->n, "a start", testhost_source_start(r->n, schema(r)));
}

// One call; what is taken is open from then on.
static leat_status ask_once(struct run *r, int64_t from, uint32_t count)
{
    static const uint32_t column = 0;
    struct leat_batch *keys = leat_batch_new(&r->n->ctx, testhost_schema(r->h, "id BIGINT NOT NULL", NULL), KEYS);
    if (!keys)
        return leat_no_memory(&r->n->ctx);
    for (uint32_t k = 0; k < count; k++)
        leat_batch_set_i64(keys, 0, leat_batch_add(keys, LEAT_INSERT), from + k);
    r->questions[r->count] = (struct question){.from = from, .count = count, .open = 1, .keys = keys};
    r->open++;
    r->count++; // before the call, which may answer
    leat_status st = testhost_ask(r->n, &column, 1, keys, r->count - 1);
    if (st == LEAT_OK)
        return st;
    r->count--;
    contract_check(!r->questions[r->count].answered, "ask answered a question that it did not take");
    give_back(&r->questions[r->count]);
    r->open--;
    return st;
}

static int all_answered(void *arg)
{
    const struct run *r = arg;
    return r->open == 0 || r->n->failed;
}

static void wait_for_answers(struct run *r)
{
    int done = testhost_run_until(r->h, all_answered, r, CONTRACT_WAIT);
    if (r->n->failed)
        contract_good(r->n, "an event", r->n->failed);
    contract_check(done, "%u of %u questions have no answer after %d ms", r->open, r->count, CONTRACT_WAIT);
}

static void ask(struct run *r, int64_t from, uint32_t count)
{
    leat_status st;
    while ((st = ask_once(r, from, count)) == LEAT_AGAIN) {
        contract_check(r->open > 0, "ask answered LEAT_AGAIN, and no question was open");
        contract_check(testhost_wait_wake(r->n, CONTRACT_WAIT),
                       "ask answered LEAT_AGAIN and nothing came for %d ms: does it wake the node?", CONTRACT_WAIT);
    }
    contract_good(r->n, "ask", st);
}

static void answers_every_key(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r);
    int64_t rows = (int64_t)r.fixture->rows;
    for (int64_t from = -3; from < rows + 3 && r.count < TICKETS_MAX; from += KEYS) {
        ask(&r, from, KEYS);
        wait_for_answers(&r);
    }
    for (int i = 0; i < 3; i++) // a key that was asked before
        ask(&r, rows - 1, 1);
    wait_for_answers(&r);
    end(&r);
}

static void a_question_without_keys_is_answered(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r);
    ask(&r, 0, 0);
    wait_for_answers(&r);
    end(&r);
}

// More than it may want at once: what it does not take is asked again, and nothing is answered twice.
static void answers_many_questions_at_once(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r);
    for (uint32_t i = 0; i < TICKETS_MAX; i++)
        ask(&r, (int64_t)(i * 7 % (r.fixture->rows + 1)), 1 + i % KEYS);
    wait_for_answers(&r);
    end(&r);
}

static void opens_and_closes_again(void **state)
{
    struct run r;
    begin(&r, state);
    for (int i = 0; i < 2; i++) {
        start(&r);
        ask(&r, 0, 1);
        wait_for_answers(&r);
        contract_good(r.n, "close", testhost_close(r.n, CONTRACT_WAIT));
        testhost_node_destroy(r.n);
        give_back_all(&r);
        make_node(&r);
    }
    end(&r);
}

// Closed and destroyed after every step that start takes, whether it was finished or not.
static void stops_while_it_opens(void **state)
{
    for (int steps = 0; steps < CONTRACT_STEPS; steps++) {
        struct run r;
        begin(&r, state);
        contract_begin_to_open(r.n, schema(&r), steps);
        end(&r); // destroy closes
    }
}

// Nobody waits for the answers any more: they are dropped, and nothing is left behind.
static void closes_with_open_questions(void **state)
{
    for (int ms = 0; ms < 4; ms++) {
        struct run r;
        begin(&r, state);
        start(&r);
        leat_status st = LEAT_OK;
        for (uint32_t i = 0; i < 30 && st == LEAT_OK; i++)
            contract_harmless(r.n, "ask", st = ask_once(&r, i, KEYS));
        testhost_run_for(r.h, ms);
        end(&r);
    }
}

// The n-th allocation fails, for each n: a failure with a reason, or no harm at all.
static void survives_the_lack_of_memory(void **state)
{
    for (int n = 1; n < 30; n++) {
        struct run r;
        begin(&r, state);
        atomic_store(&r.h->fail_alloc, n);
        leat_status st = testhost_source_start(r.n, schema(&r));
        for (uint32_t i = 0; i < 3 && st == LEAT_OK; i++) {
            st = ask_once(&r, i, KEYS);
            if (st == LEAT_OK)
                testhost_run_until(r.h, all_answered, &r, CONTRACT_WAIT);
            if (st == LEAT_OK && r.n->failed)
                st = r.n->failed;
        }
        atomic_store(&r.h->fail_alloc, 0);
        contract_harmless(r.n, "with little memory, a call", st);
        end(&r);
    }
}

int contract_run_lookups(const struct contract_lookup *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"answers every key", answers_every_key},
        {"a question without keys is answered", a_question_without_keys_is_answered},
        {"answers many questions at once", answers_many_questions_at_once},
        {"opens and closes again", opens_and_closes_again},
        {"stops while it opens", stops_while_it_opens},
        {"closes with open questions", closes_with_open_questions},
        {"survives the lack of memory", survives_the_lack_of_memory},
    };
    for (uint32_t i = 0; i < count; i++)
        contract_covers("life", LEAT_LOOKUP, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
