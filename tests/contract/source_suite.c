// SPDX-License-Identifier: Apache-2.0
// What every source must do: life, order, back-pressure, state, and calm when memory is short.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

// A node and the numbers it has given.
struct run {
    const struct contract_source *fixture;
    struct testhost *h;
    struct testhost_node *n;
    int64_t *ids;
    uint64_t count, cap;
    uint64_t cut; // rows after which it is stopped
};

static void on_emit(struct testhost_node *n, uint32_t port, const struct leat_batch *b)
{
    struct run *r = n->on_emit_arg;
    for (uint32_t i = 0; i < b->rows; i++) {
        if (r->count == r->cap) {
            r->cap = r->cap ? r->cap * 2 : 1024;
            r->ids = realloc(r->ids, r->cap * sizeof *r->ids);
        }
        r->ids[r->count++] = leat_batch_cell(b, 0, i)->i64;
    }
}

static void make_node(struct run *r)
{
    r->n = contract_node(r->h, r->fixture->plugin, LEAT_SOURCE, r->fixture->name, r->fixture->options());
    r->n->on_emit = on_emit;
    r->n->on_emit_arg = r;
    r->count = 0;
}

static const struct leat_schema *schema(struct run *r)
{
    return r->fixture->columns ? testhost_schema(r->h, r->fixture->columns, r->fixture->key) : NULL;
}

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host()};
    contract_clean_up(r->fixture->clean);
    if (r->fixture->prepare)
        r->fixture->prepare(r->h);
    if (r->fixture->fresh)
        r->fixture->fresh();
    make_node(r);
}

static void end(struct run *r)
{
    contract_node_end(r->n);
    contract_host_end(r->h);
    free(r->ids);
    if (r->fixture->clean)
        r->fixture->clean();
}

static void start(struct run *r, const struct testhost_state *state)
{
    if (state)
        r->n->open.first_run = 0;
    contract_good(r->n, "a start", testhost_source_resume(r->n, schema(r), state));
}

static int enough(void *arg)
{
    struct run *r = arg;
    return r->count > 0 && r->ids[r->count - 1] == (int64_t)r->fixture->rows - 1;
}

static void read_to_the_end(struct run *r)
{
    leat_status st = testhost_poll_until(r->n, enough, r, CONTRACT_WAIT);
    contract_check(st != LEAT_END || enough(r), "it ended after %llu of %llu rows", (unsigned long long)r->count,
                   (unsigned long long)r->fixture->rows);
    contract_check(st != LEAT_AGAIN, "%llu of %llu rows came in %d ms: does it wake the node when it has more?",
                   (unsigned long long)r->count, (unsigned long long)r->fixture->rows, CONTRACT_WAIT);
    if (st < 0)
        contract_good(r->n, "poll", st);
}

static void assert_counts_from(const struct run *r, uint64_t first)
{
    for (uint64_t i = 0; i < r->count; i++)
        contract_check(r->ids[i] == (int64_t)(first + i), "where row %llu should be stands row %lld%s",
                       (unsigned long long)(first + i), (long long)r->ids[i],
                       r->ids[i] > (int64_t)(first + i) ? ": rows were lost" : ": rows are repeated or out of order");
    contract_check(first + r->count == r->fixture->rows, "it gave rows up to %llu of %llu",
                   (unsigned long long)(first + r->count), (unsigned long long)r->fixture->rows);
}

static void gives_every_row_in_order(void **state)
{
    struct run r;
    begin(&r, state);
    start(&r, NULL);
    read_to_the_end(&r);
    assert_counts_from(&r, 0);
    end(&r);
}

static void opens_and_closes_again(void **state)
{
    struct run r;
    begin(&r, state);
    for (int i = 0; i < 2; i++) {
        start(&r, NULL);
        contract_good(r.n, "close", testhost_close(r.n, CONTRACT_WAIT));
        testhost_node_destroy(r.n);
        if (r.fixture->fresh)
            r.fixture->fresh();
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

static int way_is_full(void *arg)
{
    struct run *r = arg;
    return r->n->rows >= r->n->emit_room;
}

// It stops at a full way, answers nothing twice, and goes on when there is room.
static void stops_at_a_full_way(void **state)
{
    struct run r;
    begin(&r, state);
    r.n->emit_room = 1;
    start(&r, NULL);
    while (!enough(&r)) {
        leat_status st = testhost_poll_until(r.n, way_is_full, &r, CONTRACT_WAIT);
        if (st != LEAT_END)
            contract_good(r.n, "poll", st);
        uint64_t waits = r.n->rows;
        testhost_run_for(r.h, 5);
        contract_check(r.n->rows == waits, "it gave %llu rows more while the way was full and nobody called poll",
                       (unsigned long long)(r.n->rows - waits));
        testhost_forget(r.n);
        if (st == LEAT_END)
            break;
    }
    assert_counts_from(&r, 0);
    end(&r);
}

static void save(struct run *r, struct testhost_state *saved)
{
    contract_good(r->n, "save_state", testhost_save_state(r->n, saved));
    contract_good(r->n, "on_checkpoint_complete", testhost_complete(r->n, r->n->epoch));
}

static int past_the_cut(void *arg)
{
    struct run *r = arg;
    return r->count >= r->cut || enough(r);
}

// Reads until `cut` rows are there, saves, throws the rest away, and goes on in a new node.
static void cut_at(struct run *r, uint64_t cut)
{
    struct testhost_state saved = {0};
    r->cut = cut;
    if (cut) {
        leat_status st = testhost_poll_until(r->n, past_the_cut, r, CONTRACT_WAIT);
        if (st != LEAT_END)
            contract_good(r->n, "poll", st);
    }
    uint64_t given = r->count;
    save(r, &saved);
    testhost_node_destroy(r->n);
    make_node(r);
    start(r, &saved);
    if (given < r->fixture->rows)
        read_to_the_end(r);
    uint64_t first = r->count ? (uint64_t)r->ids[0] : given;
    contract_check(first <= given, "after a restart behind row %llu it went on with row %llu: rows were lost",
                   (unsigned long long)given, (unsigned long long)first);
    contract_check(r->fixture->repeats || first == given,
                   "after a restart behind row %llu it went on with row %llu: rows are repeated",
                   (unsigned long long)given, (unsigned long long)first);
    assert_counts_from(r, first);
    testhost_state_fini(&saved);
}

static void goes_on_from_its_state_without_a_gap(void **state)
{
    const struct contract_source *fixture = *state;
    const uint64_t cuts[] = {0, 1, fixture->rows / 3, fixture->rows - 1, fixture->rows};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct run r;
        begin(&r, state);
        start(&r, NULL);
        cut_at(&r, cuts[i]);
        end(&r);
    }
}

// A state that is cut, of another version, or garbage is refused, never followed and never a crash.
static void refuses_a_state_that_it_did_not_write(void **state)
{
    struct run r;
    struct testhost_state saved = {0};
    begin(&r, state);
    start(&r, NULL);
    save(&r, &saved);
    size_t len = saved.len;
    for (size_t cut = 0; len && cut <= len + 1; cut++) {
        testhost_node_destroy(r.n);
        make_node(&r);
        struct testhost_state other = {.kind = saved.kind, .version = saved.version, .len = cut};
        other.version += cut > len ? 1000 : 0;
        other.len -= cut > len;
        other.ptr = malloc(other.len ? other.len : 1); // exact, so that the sanitizer sees a read beyond it
        memcpy(other.ptr, saved.ptr, other.len);
        contract_good(r.n, "describe", testhost_describe(r.n, schema(&r)));
        contract_good(r.n, "create", testhost_source_create(r.n));
        leat_status st = testhost_load_state(r.n, &other);
        contract_harmless(r.n, "load_state", st);
        int taken = st >= 0;
        contract_check(!taken || cut <= len, "load_state took a state of a version that it never wrote");
        // an empty one says that nothing was known yet
        contract_check(!taken || cut >= len || cut == 0, "load_state took a state of %zu of %zu bytes", cut, len);
        contract_check(cut != len || st == LEAT_OK, "load_state refused the state that it wrote itself");
        free(other.ptr);
    }
    testhost_state_fini(&saved);
    end(&r);
}

// A barrier between any two batches, some of them never confirmed, and one after the other: all of that is seen by nobody.
static void barriers_change_nothing(void **state)
{
    struct run r;
    struct testhost_state saved = {0};
    begin(&r, state);
    start(&r, NULL);
    for (uint64_t k = 0; !enough(&r); k++) {
        r.cut = r.count + 1;
        leat_status st = testhost_poll_until(r.n, past_the_cut, &r, CONTRACT_WAIT);
        if (st != LEAT_END)
            contract_good(r.n, "poll", st);
        contract_good(r.n, "save_state", testhost_save_state(r.n, &saved));
        contract_good(r.n, "save_state, called twice in a row", testhost_save_state(r.n, &saved));
        if (k % 3 == 2)
            contract_good(r.n, "on_checkpoint_complete", testhost_complete(r.n, r.n->epoch));
        if (st == LEAT_END)
            break;
    }
    assert_counts_from(&r, 0);
    testhost_state_fini(&saved);
    end(&r);
}

// The n-th allocation fails, for each n: a failure with a reason, or no harm at all.
static void survives_the_lack_of_memory(void **state)
{
    for (int n = 1; n < 30; n++) {
        struct run r;
        begin(&r, state);
        atomic_store(&r.h->fail_alloc, n);
        leat_status st = testhost_source_start(r.n, schema(&r));
        if (st == LEAT_OK)
            st = testhost_poll_until(r.n, enough, &r, CONTRACT_WAIT);
        atomic_store(&r.h->fail_alloc, 0);
        contract_harmless(r.n, "with little memory, a call", st);
        end(&r);
    }
}

int contract_run_sources(const struct contract_source *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"gives every row in order", gives_every_row_in_order},
        {"opens and closes again", opens_and_closes_again},
        {"stops while it opens", stops_while_it_opens},
        {"stops at a full way", stops_at_a_full_way},
        {"goes on from its state without a gap", goes_on_from_its_state_without_a_gap},
        {"barriers change nothing", barriers_change_nothing},
        {"refuses a state that it did not write", refuses_a_state_that_it_did_not_write},
        {"survives the lack of memory", survives_the_lack_of_memory},
    };
    for (uint32_t i = 0; i < count; i++)
        contract_covers("life", LEAT_SOURCE, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
