// SPDX-License-Identifier: Apache-2.0
// What may be forgotten alone, and what only with others. The pipeline:
//
//     orders -> clean -> join -> out        users -> join        log -> kept (a sink before which rows are normalised)
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "folder.h"

#include "checkpoint/forget.h"

#include <cmocka.h>

enum { ORDERS, USERS, CLEAN, JOIN, OUT, LOG, KEPT, NODES };

struct world {
    char dir[64];
    struct store *store;
    struct graph_node nodes[NODES];
    struct graph_ref refs[6];
    struct graph graph;
    struct base_error error;
};

static void reads(struct world *w, struct graph_ref *ref, int node, int from)
{
    *ref = (struct graph_ref){.kind = LEAT_INPUT_STREAM, .to = &w->nodes[from]};
    if (!w->nodes[node].refs)
        w->nodes[node].refs = ref;
    w->nodes[node].ref_count++;
}

static void save(struct world *w, const char *const *names, uint32_t count)
{
    static char text[NODES][32];
    static uint8_t byte[1];
    struct store_state states[NODES] = {0};
    struct store_piece pieces[NODES] = {0};
    for (uint32_t i = 0; i < count; i++) {
        snprintf(text[i], sizeof text[i], "%s", names[i]);
        pieces[i] = (struct store_piece){.version = 1, .kind = LEAT_STATE_FULL, .bytes = byte, .len = 1};
        states[i] = (struct store_state){.node = text[i], .instances = 1, .pieces = &pieces[i], .piece_count = 1};
    }
    struct store_manifest m = {store_next_epoch(w->store), states, count};
    assert_int_equal(store_write(w->store, "orders", &m, &w->error), LEAT_OK);
}

static int set_up(void **state)
{
    static const char *const saved[] = {"orders", "users", "join", "log", "kept/normalize/0"};
    static struct world w;
    w = (struct world){.dir = "/tmp/leat-forget-XXXXXX",
                       .nodes = {[ORDERS] = {.name = "orders", .kind = LEAT_SOURCE},
                                 [USERS] = {.name = "users", .kind = LEAT_SOURCE},
                                 [CLEAN] = {.name = "clean", .kind = LEAT_OPERATOR},
                                 [JOIN] = {.name = "join", .kind = LEAT_OPERATOR},
                                 [OUT] = {.name = "out", .kind = LEAT_SINK},
                                 [LOG] = {.name = "log", .kind = LEAT_SOURCE},
                                 [KEPT] = {.name = "kept", .kind = LEAT_SINK}}};
    w.graph = (struct graph){.nodes = w.nodes, .node_count = NODES, .pipeline = "pipe"};
    reads(&w, &w.refs[0], CLEAN, ORDERS);
    reads(&w, &w.refs[1], JOIN, CLEAN);
    reads(&w, &w.refs[2], JOIN, USERS);
    reads(&w, &w.refs[3], OUT, JOIN);
    reads(&w, &w.refs[4], KEPT, LOG);
    assert_int_equal(folder_make(w.dir), 0);
    w.store = store_open(w.dir, "pipe", &w.error);
    assert_non_null(w.store);
    save(&w, saved, sizeof saved / sizeof saved[0]);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    store_close(w->store);
    folder_remove(w->dir);
    return 0;
}

// NULL or what is said against it.
static const char *forget(struct world *w, const char *a, const char *b, const char *c)
{
    static const struct base_logger silent;
    const char *const nodes[] = {a, b, c};
    base_error_clear(&w->error);
    leat_status st = forget_check(&w->graph, w->store, nodes, !b ? 1 : !c ? 2 : 3, &silent, &w->error);
    assert_int_equal(st, w->error.failure);
    return st == LEAT_OK ? NULL : w->error.message;
}

static void a_join_goes_with_its_sources_and_they_with_it(void **state)
{
    struct world *w = *state;
    assert_string_equal(forget(w, "join", NULL, NULL),
                        "the state of \"join\" cannot be forgotten without that of \"orders\", \"users\"");
    assert_string_equal(w->error.hint, "To forget all of it, start with --forget-state orders --forget-state users "
                                       "--forget-state join.");
    assert_string_equal(forget(w, "orders", NULL, NULL),
                        "the state of \"orders\" cannot be forgotten without that of \"users\", \"join\"");
    assert_non_null(forget(w, "users", "join", NULL));
    assert_null(forget(w, "join", "orders", "users"));
}

static void rows_of_a_normaliser_count_as_its_readers(void **state)
{
    struct world *w = *state;
    assert_string_equal(forget(w, "kept", NULL, NULL),
                        "the state of \"kept\" cannot be forgotten without that of \"log\"");
    assert_null(forget(w, "kept", "log", NULL));
    const char *const nodes[] = {"kept"};
    assert_true(forget_has(nodes, 1, "kept/normalize/0"));
    assert_false(forget_has(nodes, 1, "kept_too"));
}

static void what_has_no_state_is_forgotten_easily(void **state)
{
    struct world *w = *state;
    assert_null(forget(w, "clean", "out", NULL));
}

// The newest manifest counts: the join has kept nothing since.
static void a_source_alone_goes_when_nobody_keeps_its_rows(void **state)
{
    struct world *w = *state;
    static const char *const now[] = {"orders", "users"};
    save(w, now, 2);
    assert_null(forget(w, "orders", NULL, NULL));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_join_goes_with_its_sources_and_they_with_it),
        TEST(rows_of_a_normaliser_count_as_its_readers),
        TEST(what_has_no_state_is_forgotten_easily),
        TEST(a_source_alone_goes_when_nobody_keeps_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
