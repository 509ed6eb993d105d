// SPDX-License-Identifier: Apache-2.0
// Counters and gauges, and their text for Prometheus.
//
// A metric is declared by a static descriptor (name, type, unit, help) from which the documentation is made too, and
// exists once per pipeline, node and one further label. Its number is bumped with relaxed atomics by any thread; a
// scrape reads them without stopping anybody. Asking again for the same metric gives the same one, so that a counter
// survives the restart of its node. Names: leat_<noun>_<unit>[_total], seconds and bytes as units.
// Thread: add, remove and print take a lock; numbers are free for all.
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>

#include "leat/host.h"

struct base_str;
struct base_metrics;

#define BASE_METRICS_MAX 100000 // series in one registry

struct base_metric_desc {
    const char *name; // "leat_source_rows_total"
    uint8_t type;     // LEAT_METRIC_COUNTER or LEAT_METRIC_GAUGE
    int64_t scale;    // the number is divided by this when printed: 1000000 shows microseconds as seconds; 0 = 1
    const char *help; // one sentence
};

struct base_metric_labels {
    const char *pipeline, *node; // NULL or "" = not labelled so
    const char *name, *value;    // one label more, as in class="data"; NULL = none
};

struct base_metrics *base_metrics_create(void);
void base_metrics_destroy(struct base_metrics *metrics);

// The number of this metric, made at 0 if it is new. The descriptor's strings are copied. NULL when memory is short,
// the registry is full, or the name is taken by a metric of the other type. Lives as long as the registry.
int64_t *base_metrics_add(struct base_metrics *metrics, const struct base_metric_desc *desc,
                          const struct base_metric_labels *labels);

// All metrics in Prometheus' text form, sorted by name; series in the order in which they were made.
void base_metrics_print(struct base_metrics *metrics, struct base_str *out);

static inline void base_metric_inc(int64_t *number, int64_t by)
{
    __atomic_fetch_add(number, by, __ATOMIC_RELAXED);
}

static inline void base_metric_set(int64_t *number, int64_t value)
{
    __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static inline int64_t base_metric_get(const int64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

#endif
