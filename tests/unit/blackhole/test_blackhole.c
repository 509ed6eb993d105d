// SPDX-License-Identifier: Apache-2.0
// blackhole through the plugin host: every kind of row is taken and counted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "testhost.h"

#include <cmocka.h>

static void test_counts(void **state)
{
    (void)state;
    struct testhost *h = testhost_create();
    struct testhost_node *n =
        testhost_node(h, testhost_component(h, "blackhole", LEAT_SINK, "blackhole"), (const char *[]){NULL});
    const struct leat_schema *schema = testhost_schema(h, "a INT, b STRING", "a");
    assert_int_equal(testhost_sink_start(n, schema, LEAT_MODE_UPSERT, NULL), LEAT_OK);
    assert_int_equal(n->sink_plan.mode, LEAT_MODE_UPSERT);
    struct leat_batch *b = testhost_batch(n, schema, "+I[1, x]\n+U[1, UNCHANGED]\n-D[1, ABSENT]");
    assert_int_equal(testhost_write(n, b, 100), LEAT_OK);
    assert_int_equal(testhost_write(n, b, 100), LEAT_OK);
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, 100), LEAT_OK);
    assert_int_equal(testhost_metric(n, "leat_blackhole_rows_total"), 6);
    assert_int_equal(testhost_metric(n, "leat_blackhole_deletes_total"), 2);
    leat_batch_unref(b);
    testhost_node_destroy(n);
    assert_int_equal(atomic_load(&h->live_batches), 0);
    testhost_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
