// SPDX-License-Identifier: Apache-2.0
// Components that live in the test, and plans made by hand from them.
//
// The source counts 0 … count-1, shared out among its instances, the operator passes rows on, the gate passes its first
// input on, the sink notes what it gets. All keep their counts as state, and note at each barrier how far they were: in
// a right snapshot the sums over sources, operators and sinks agree.
// Thread: the components run on workers; what tests look at is under the record's lock or atomic.
#ifndef RUNTIME_FAKE_H
#define RUNTIME_FAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <leat/plugin.h>

#include "base/arena.h"
#include "graph/plan.h"

#define FAKE_EPOCHS 4096

// What nodes of one kind noted, summed over their instances.
struct fake_record {
    pthread_mutex_t lock;
    int64_t by_epoch[FAKE_EPOCHS];
};

struct fake_source_config {
    int64_t count;
    uint32_t batch_rows;
    uint32_t txn_rows;  // > 0: batches that do not end with such a group are flagged as open
    bool last_txn_lost; // the end of the last transaction comes as an empty batch
    bool endless;       // LEAT_AGAIN at the end instead of LEAT_END
    bool slow_open;     // answers LEAT_AGAIN first
    bool never_opens;
    bool catches_up;     // calls caught_up at its end
    int64_t fail_at;     // poll fails once it has passed this number (0 = never) …
    leat_status failure; // … with this
    atomic_int failures; // … as often as this says
    struct fake_record at;
    atomic_int opened, closed;
    _Atomic(leat_epoch) completed;
};

struct fake_sink_config {
    uint8_t *seen; // per id: how often; by `seen_count`
    int64_t seen_count;
    int64_t rows;
    uint8_t *kinds; // of the rows in the order of arrival, when set; as many as `seen_count`
    int64_t *ids;
    uint32_t again_every;   // every n-th write says LEAT_AGAIN first
    bool slow_flush;        // a durable flush takes a while
    bool is_stuck;          // takes nothing until told otherwise
    uint32_t fail_every;    // every n-th write fails as transient …
    atomic_int failures;    // … as often as this says
    bool fails_flush;       // failures come from the durable flush instead
    bool bug_without_words; // fails without describing it
    struct fake_record at;
    pthread_mutex_t lock; // of seen, rows, kinds, ids
    atomic_uint flushes;
};

struct fake_gate_config {
    int64_t first; // rows that input 1 must have given before any of input 0
    atomic_int early, rows0, rows1, ends;
};

// Of fake_shaped, which is fake_pass with a shape of its state.
struct fake_shape_config {
    uint64_t shape;
    const char *words;
};

extern const struct leat_component fake_source, fake_pass, fake_shaped, fake_gate, fake_sink, fake_swallow;

// id BIGINT NOT NULL, value BIGINT; key (id)
extern const struct leat_schema fake_schema;

void fake_sink_init(struct fake_sink_config *sink, int64_t ids);
void fake_sink_fini(struct fake_sink_config *sink);
int64_t fake_sink_rows(struct fake_sink_config *sink);
// Has every id 0 … count-1 been seen, `times` times at least and at most `most`?
bool fake_sink_complete(struct fake_sink_config *sink, int64_t count, uint8_t times, uint8_t most);

// Plans: nodes in topological order, then edges.
struct plan_job *fake_plan(void);
struct plan_node *fake_node(struct plan_job *plan, const char *name, const struct leat_component *component,
                            const void *config, uint32_t parallelism);
struct plan_edge *fake_edge(struct plan_job *plan, struct plan_node *from, struct plan_node *to, uint32_t input,
                            enum plan_share share);
void fake_plan_destroy(struct plan_job *plan);

#endif
