// SPDX-License-Identifier: Apache-2.0
// When a whole state is asked for, and how much is written over all.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/gather.h"

#include <cmocka.h>

static const struct plan_node node = {.name = "join", .kind = LEAT_SINK, .parallelism = 1};

// What is written is on disk at once, as far as gather can see.
static void take(struct gather *g, uint8_t kind, size_t len, uint64_t whole)
{
    struct runtime_saved saved = {.node = &node, .version = 1, .kind = kind, .len = len, .whole = whole};
    saved.bytes = calloc(1, len ? len : 1);
    assert_true(gather_take(g, &saved));
    for (uint32_t i = 0; i < g->manifest.state_count; i++)
        for (uint32_t k = 0; k < g->manifest.states[i].piece_count; k++)
            g->manifest.states[i].pieces[k].epoch = 1;
    gather_forget_large(g);
}

static void what_only_grows_is_written_once(void **state)
{
    struct gather g = {0};
    assert_true(gather_wants_full(&g, "join", 0));
    take(&g, LEAT_STATE_FULL, 10, 10);
    for (uint64_t epoch = 1; epoch <= 500; epoch++) {
        assert_false(gather_wants_full(&g, "join", 0));
        take(&g, LEAT_STATE_DELTA, 1000, 10 + epoch * 1000);
    }
    assert_true(gather_wants_full(&g, "join", 1));
    store_manifest_fini(&g.manifest);
}

static void what_is_replaced_is_written_again_when_it_is_half(void **state)
{
    struct gather g = {0};
    size_t deltas = 0, images = 0;
    take(&g, LEAT_STATE_FULL, 100000, 100000);
    for (int epoch = 0; epoch < 1000; epoch++) {
        uint8_t kind = gather_wants_full(&g, "join", 0) ? LEAT_STATE_FULL : LEAT_STATE_DELTA;
        *(kind == LEAT_STATE_FULL ? &images : &deltas) += kind == LEAT_STATE_FULL ? 100000 : 1000;
        take(&g, kind, kind == LEAT_STATE_FULL ? 100000 : 1000, 100000);
    }
    assert_in_range(images, deltas * 9 / 10, deltas);
    store_manifest_fini(&g.manifest);
}

static void without_a_word_deltas_may_be_as_long_as_the_image(void **state)
{
    struct gather g = {0};
    take(&g, LEAT_STATE_FULL, 100, 0);
    take(&g, LEAT_STATE_DELTA, 100, 0);
    assert_false(gather_wants_full(&g, "join", 0));
    take(&g, LEAT_STATE_DELTA, 2, 0);
    assert_true(gather_wants_full(&g, "join", 0));
    // and what has shrunk is not asked for again and again
    take(&g, LEAT_STATE_FULL, 100, 100);
    take(&g, LEAT_STATE_DELTA, 90, 10);
    assert_false(gather_wants_full(&g, "join", 0));
    store_manifest_fini(&g.manifest);
}

static void a_start_never_opens_too_many_files(void **state)
{
    struct gather g = {0};
    uint32_t pieces = 0;
    for (take(&g, LEAT_STATE_FULL, 100000, 100000); !gather_wants_full(&g, "join", 0); pieces++)
        take(&g, LEAT_STATE_DELTA, 1, 100000);
    assert_int_equal(pieces, 1000);
    store_manifest_fini(&g.manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_grows_is_written_once),
        cmocka_unit_test(what_is_replaced_is_written_again_when_it_is_half),
        cmocka_unit_test(without_a_word_deltas_may_be_as_long_as_the_image),
        cmocka_unit_test(a_start_never_opens_too_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
