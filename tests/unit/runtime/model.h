// SPDX-License-Identifier: Apache-2.0
// A world with one right answer, for graphs made at random: sources that play a history, tables that take it.
//
// A history is a list of changes in transactions, made from a seed. Every source instance plays its own, over keys of
// its own. After each transaction the table that the history means is known, so whatever the graph between source and
// sink looks like, what a sink's table holds at a barrier must be what the histories mean at the positions that the
// sources saved at that barrier: no row less, no row twice, no half transaction where somebody consolidates.
//
// A sink's table lives as long as the test, as a database outlives its clients. Each row remembers the instance that
// wrote it; what the instances own when a barrier passes them, taken together, is the table at that epoch.
// Thread: components run on workers; tables are under their lock, everything else is written before the job starts.
#ifndef RUNTIME_MODEL_H
#define RUNTIME_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <leat/plugin.h>

#define MODEL_KEYS      24 // of one source instance
#define MODEL_INSTANCES 3
#define MODEL_SOURCES   2
#define MODEL_KEYS_ALL  (MODEL_KEYS * MODEL_INSTANCES * MODEL_SOURCES)
#define MODEL_EPOCHS    64

// A small generator: the same seed, the same world.
struct model_dice {
    uint64_t state;
};
uint32_t model_roll(struct model_dice *d, uint32_t sides); // 0 … sides - 1

struct model_change {
    uint8_t kind;
    bool ends; // its transaction
    uint32_t txn;
    int64_t key;   // of all keys
    int64_t value; // of the row; no two rows that come have the same
};

struct model_history {
    struct model_change *changes;
    uint32_t count;
};

enum model_shape {
    MODEL_APPENDS, // new rows with keys of their own (any number)
    MODEL_UPDATES, // every key changes its value in place
    MODEL_MOVES,   // whole ranges of keys move by one: order alone would destroy rows
};

void model_history_make(struct model_history *h, struct model_dice *d, enum model_shape shape, uint32_t source,
                        uint32_t instance, uint32_t transactions);
void model_history_fini(struct model_history *h);
// What the first `position` changes mean for its keys: value by key, -1 = no row. Not for MODEL_APPENDS.
void model_history_apply(const struct model_history *h, uint32_t position, int64_t table[MODEL_KEYS_ALL]);
// How many rows the first `position` changes bring.
uint32_t model_history_rows(const struct model_history *h, uint32_t position);

struct model_source {
    struct model_history histories[MODEL_INSTANCES];
    uint32_t instances;
    uint64_t seed;
    bool bounded;
    uint32_t most_rows;                               // of a batch
    uint32_t catches_up_at;                           // position from which on caught_up is called, when asked to
    atomic_uint saved[MODEL_EPOCHS][MODEL_INSTANCES]; // position + 1
    atomic_uint given[MODEL_INSTANCES];               // position by now
    atomic_uint split;                                // positions saved inside a transaction
    // A dimension that is asked for its end again and again: its rows are there as far as they are committed, which goes
    // on whenever the other source is about to give, as if its rows came after these.
    bool paced;
    atomic_uint committed[MODEL_INSTANCES]; // positions
    struct model_source *dimension;         // of the other source
};

struct model_sink {
    pthread_mutex_t lock;
    enum model_shape shape;
    uint64_t seed;
    uint32_t instances;
    struct {
        int64_t value; // -1 = no row
        uint32_t owner;
    } table[MODEL_KEYS_ALL];
    int64_t at[MODEL_EPOCHS][MODEL_KEYS_ALL]; // what was there when the epoch passed
    uint32_t rows;                            // that came, ever
    uint8_t *taken;                           // by value: how often it came
    uint32_t values;
    uint32_t twice; // owners of one key at one epoch
    bool in_order;  // the rows of a key come in the order of their history
    int64_t newest[MODEL_KEYS_ALL];
    uint32_t late; // rows that came after a newer one of their key
};

void model_sink_init(struct model_sink *s, uint32_t values);
void model_sink_fini(struct model_sink *s);
void model_sink_start(struct model_sink *s); // before each run

struct model_meet {
    bool gated;
    atomic_uint first_seen; // rows of input 1
    uint32_t first;         // as many must come before any of input 0
    atomic_uint early;
    bool always;        // each row of input 0 says how many of input 1 must have come, since the beginning of time …
    uint32_t base;      // … of which so many came in runs before
    atomic_uint unread; // rows that came too early
};

// A lookup, and the operator that asks it: every key has its answer, at once or later, in any order.
struct model_lookup {
    uint64_t seed;
    atomic_uint asked, wrong; // answers that are not those of their question
};

// pass, meet and ask give on what they are given, in slices, and ask to be called again where the way is full; meet has two
// inputs, ask gives a batch on when its keys are answered.
extern const struct leat_component model_source, model_pass, model_meet, model_ask, model_lookup, model_sink;

#endif
