// SPDX-License-Identifier: Apache-2.0
// Metrics: identity, Prometheus text, removal.
#include "base/metric.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

static const struct base_metric_desc rows = {"leat_source_rows_total", LEAT_METRIC_COUNTER, 0, "Rows read."};
static const struct base_metric_desc lag = {"leat_lag_seconds", LEAT_METRIC_GAUGE, 1000000, "Lag\nin \\ time."};

static void test_print(void **state)
{
    struct base_metrics *m = base_metrics_create();
    struct base_metric_labels a = {"orders", "pg", "class", "da\"ta"}, b = {.pipeline = "orders"};
    int64_t *n = base_metrics_add(m, &rows, &a);
    base_metric_inc(n, 3);
    assert_ptr_equal(base_metrics_add(m, &rows, &a), n);
    base_metric_set(base_metrics_add(m, &lag, &b), 1500000);
    base_metric_set(base_metrics_add(m, &lag, NULL), -1);
    struct base_str s;
    base_str_init(&s);
    base_metrics_print(m, &s);
    assert_string_equal(s.ptr, "# HELP leat_lag_seconds Lag\\nin \\\\ time.\n"
                               "# TYPE leat_lag_seconds gauge\n"
                               "leat_lag_seconds{pipeline=\"orders\"} 1.5\n"
                               "leat_lag_seconds -1e-06\n"
                               "# HELP leat_source_rows_total Rows read.\n"
                               "# TYPE leat_source_rows_total counter\n"
                               "leat_source_rows_total{pipeline=\"orders\",node=\"pg\",class=\"da\\\"ta\"} 3\n");
    base_str_fini(&s);
    base_metrics_destroy(m);
}

static void test_name_of_another_type_is_refused(void **state)
{
    struct base_metrics *m = base_metrics_create();
    struct base_metric_desc wrong = rows;
    wrong.type = LEAT_METRIC_GAUGE;
    assert_non_null(base_metrics_add(m, &rows, NULL));
    assert_null(base_metrics_add(m, &wrong, NULL));
    base_metrics_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_name_of_another_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
