// SPDX-License-Identifier: Apache-2.0
// What every sink must do: life, order, durability at a barrier, repetition, and calm when memory is short.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define ROWS 2500 // more than two batches

struct run {
    const struct contract_sink *fixture;
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_schema *schema;
};

static void make_node(struct run *r)
{
    r->n = contract_node(r->h, r->fixture->plugin, LEAT_SINK, r->fixture->name, r->fixture->options());
}

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host()};
    contract_clean_up(r->fixture->clean);
    r->schema = testhost_schema(r->h, r->fixture->columns, r->fixture->key);
    if (r->fixture->fresh)
        r->fixture->fresh(r->h);
    make_node(r);
}

static void end(struct run *r)
{
    contract_node_end(r->n);
    contract_host_end(r->h);
    if (r->fixture->clean)
        r->fixture->clean();
}

static void good(struct run *r, const char *call, leat_status st)
{
    contract_good(r->n, call, st);
}

static void start(struct run *r)
{
    good(r, "a start", testhost_sink_start(r->n, r->schema, r->fixture->mode, r->fixture->key));
}

static leat_status write_rows(struct run *r, int64_t from, int64_t count, uint8_t kind, const char *value)
{
    leat_status st = LEAT_OK;
    for (int64_t id = from; id < from + count && st == LEAT_OK;) {
        struct leat_batch *b = leat_batch_new(&r->n->ctx, r->schema, 1000);
        if (!b)
            return leat_no_memory(&r->n->ctx);
        for (uint32_t row; id < from + count && (row = leat_batch_add(b, kind)) != UINT32_MAX; id++) {
            leat_batch_set_i64(b, 0, row, id);
            if (!leat_batch_set_bytes(b, 1, row, value, (uint32_t)strlen(value))) {
                leat_batch_unref(b);
                return leat_no_memory(&r->n->ctx);
            }
        }
        st = testhost_write(r->n, b, CONTRACT_WAIT);
        leat_batch_unref(b);
    }
    return st;
}

static void make_durable(struct run *r)
{
    good(r, "flush", testhost_flush(r->n, LEAT_FLUSH_DURABLE, CONTRACT_WAIT));
}

// ids 0 … count-1, all with `value`, once each, are what the target holds.
static void assert_content(struct run *r, int64_t count, const char *value)
{
    if (!r->fixture->content)
        return;
    size_t size = (size_t)count * (24 + strlen(value)) + 1, len = 0;
    char *expected = calloc(1, size);
    for (int64_t id = 0; id < count; id++)
        len += (size_t)snprintf(expected + len, size - len, "%lld|%s\n", (long long)id, value);
    contract_same("the target", r->fixture->content(r->h), expected);
    free(expected);
}

static void rows_are_there_after_a_durable_flush(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r);
    good(&r, "write", write_rows(&r, 0, ROWS, LEAT_INSERT, "first"));
    make_durable(&r);
    assert_content(&r, ROWS, "first");
    make_durable(&r); // nothing is new
    assert_content(&r, ROWS, "first");
    end(&r);
}

static void small_writes_with_idle_flushes_keep_their_order(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r);
    for (int64_t id = 0; id < 50; id++) {
        good(&r, "write", write_rows(&r, id, 1, LEAT_INSERT, "x"));
        if (id % 3 == 0)
            good(&r, "flush", testhost_flush(r.n, LEAT_FLUSH_IDLE, CONTRACT_WAIT));
        if (id % 7 == 0)
            make_durable(&r);
    }
    make_durable(&r);
    assert_content(&r, 50, "x");
    end(&r);
}

static void the_last_change_of_a_key_counts(void **state)
{
    struct run r;
    begin(&r, state);
    if (r.fixture->key) {
        start(&r);
        for (int i = 0; i < 20; i++) {
            char value[16];
            snprintf(value, sizeof value, "v%d", i);
            good(&r, "write", write_rows(&r, 0, 30, i ? LEAT_UPDATE_AFTER : LEAT_INSERT, value));
        }
        good(&r, "write", write_rows(&r, 20, 10, LEAT_DELETE, "v19"));
        make_durable(&r);
        assert_content(&r, 20, "v19");
    }
    end(&r);
}

// After a crash the same rows come again: a sink by key ends with the same content.
static void a_repetition_changes_nothing(void **state)
{
    struct run r;
    begin(&r, state);
    if (r.fixture->key) {
        for (int i = 0; i < 2; i++) {
            start(&r);
            good(&r, "write", write_rows(&r, 0, 100, LEAT_INSERT, "same"));
            good(&r, "write", write_rows(&r, 100, 10, LEAT_DELETE, "gone"));
            make_durable(&r);
            testhost_node_destroy(r.n);
            make_node(&r);
        }
        assert_content(&r, 100, "same");
    }
    end(&r);
}

static void opens_and_closes_again(void **state)
{
    struct run r;
    begin(&r, state);
    for (int i = 0; i < 3; i++) {
        start(&r);
        good(&r, "write", write_rows(&r, 0, i, LEAT_INSERT, "x")); // and not flushed
        good(&r, "close", testhost_close(r.n, CONTRACT_WAIT));
        testhost_node_destroy(r.n);
        make_node(&r);
    }
    end(&r);
}

static void stops_while_it_opens(void **state)
{
    for (int steps = 0; steps < 4; steps++) {
        struct run r;
        begin(&r, state);
        good(&r, "bind", testhost_bind(r.n, r.schema, r.fixture->mode, r.fixture->key));
        if (steps > 0)
            good(&r, "create", testhost_create_bound(r.n));
        leat_status st = LEAT_AGAIN;
        for (int k = 1; k < steps && st == LEAT_AGAIN; k++) {
            contract_harmless(r.n, "open", st = testhost_open_once(r.n));
            testhost_run_for(r.h, (k - 1) * 5);
        }
        end(&r);
    }
}

static void goes_on_from_its_state(void **state)
{
    struct run r;
    struct testhost_state saved = {0};
    begin(&r, state);
    start(&r);
    good(&r, "write", write_rows(&r, 0, 10, LEAT_INSERT, "x"));
    make_durable(&r);
    good(&r, "save_state", testhost_save_state(r.n, &saved));
    good(&r, "on_checkpoint_complete", testhost_complete(r.n, r.n->epoch));
    testhost_node_destroy(r.n);
    make_node(&r);
    good(&r, "bind", testhost_bind(r.n, r.schema, r.fixture->mode, r.fixture->key));
    good(&r, "create", testhost_create_bound(r.n));
    if (saved.len)
        good(&r, "load_state", testhost_load_state(r.n, &saved));
    good(&r, "open", testhost_open(r.n, CONTRACT_WAIT));
    good(&r, "write", write_rows(&r, 10, 10, LEAT_INSERT, "x"));
    make_durable(&r);
    assert_content(&r, 20, "x");
    testhost_state_fini(&saved);
    end(&r);
}

static void survives_the_lack_of_memory(void **state)
{
    for (int n = 1; n < 30; n++) {
        struct run r;
        begin(&r, state);
        atomic_store(&r.h->fail_alloc, n);
        leat_status st = testhost_sink_start(r.n, r.schema, r.fixture->mode, r.fixture->key);
        if (st == LEAT_OK)
            st = write_rows(&r, 0, 200, LEAT_INSERT, "x");
        if (st == LEAT_OK)
            st = testhost_flush(r.n, LEAT_FLUSH_DURABLE, CONTRACT_WAIT);
        atomic_store(&r.h->fail_alloc, 0);
        contract_harmless(r.n, "with little memory, a call", st);
        if (st == LEAT_OK)
            assert_content(&r, 200, "x");
        end(&r);
    }
}

int contract_run_sinks(const struct contract_sink *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"rows are there after a durable flush", rows_are_there_after_a_durable_flush},
        {"small writes with idle flushes keep their order", small_writes_with_idle_flushes_keep_their_order},
        {"the last change of a key counts", the_last_change_of_a_key_counts},
        {"a repetition changes nothing", a_repetition_changes_nothing},
        {"opens and closes again", opens_and_closes_again},
        {"stops while it opens", stops_while_it_opens},
        {"goes on from its state", goes_on_from_its_state},
        {"survives the lack of memory", survives_the_lack_of_memory},
    };
    for (uint32_t i = 0; i < count; i++)
        contract_covers("life", LEAT_SINK, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
