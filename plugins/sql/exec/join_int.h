// SPDX-License-Identifier: Apache-2.0
// What the files of the join share: the rows it keeps, and the rows in hand.
//
// Each side keeps its rows in a keyed map (plugins/common/keyed), of the kind that its input asks for:
//
//   KEYED_MAP           the join key is the input's primary key    key: join key              value: row
//   KEYED_GROUPED       another primary key                        key: primary key           value: join key, row
//   KEYED_GROUPED_KEYS  changes without a primary key              key: join key, row         value: how many of them
//   KEYED_BAG           rows only come                             no key                     value: join key, row
//
// so that partners are found by join key, and what a change replaces by its own key. Rows are bytes as keyed_row.h has
// them; keys are their parts one behind the other.
#ifndef SQL_JOIN_INT_H
#define SQL_JOIN_INT_H

#include "exec/exec.h"
#include "keyed.h"
#include "keyed_row.h"

#define JOIN_STATE_VERSION 2
#define JOIN_BYTES_MAX     ((size_t)KEYED_LENGTH_MAX)

struct join_rows {
    const struct sql_side *side;
    const struct leat_type **types; // of the stored columns
    uint32_t *columns;              // their numbers in a batch of the input
    struct keyed *map;
    uint8_t kind;      // KEYED_*
    uint8_t has_bytes; // stored columns point to bytes
};

// A row in hand: the stored columns of one side.
struct join_values {
    union leat_cell *cells;
    uint8_t *states;
};

enum join_step { STEP_OLD = 1, STEP_NEW, STEP_PAIR, STEP_DONE };

// The change that is being passed on; survives a full way.
struct join_change {
    uint8_t active;
    uint8_t step;
    uint8_t started; // of this step
    uint8_t lone;    // this step changes whether kept rows have a partner
    uint8_t has_old, has_new;
    uint8_t stored; // the old row is in the state
    uint8_t mended; // `now` has values of the stored row
    uint32_t row;   // of the batch
    uint32_t took;  // rows of the batch
    struct join_values old, now;
    struct leat_bytes old_key; // join key; ptr == NULL: none
    struct buf new_key;
    uint8_t new_has_key;
    struct buf old_id, id, value; // key of the old row and of the new one in the state, and the new value
    keyed_ref cursor;             // the partner to come
    uint64_t again;               // how often the partner is still to come
};

// Joined rows on their way out that come from rows of the batch and their partners.
struct join_pairs {
    uint32_t count;
    uint8_t dense;              // the rows of the batch stand one behind the other
    uint16_t from[SQL_VEC_MAX]; // of the slice
    // where a full way has stopped: within the partners of a row
    uint8_t mid;
    keyed_ref cursor;
    uint64_t again;
};

// What was computed over a part of the input: filters, and the join keys.
struct join_slice {
    uint8_t ready; // it stands for the batch in hand: a full way does not have it computed again
    uint32_t first, rows;
    uint8_t dropped[SQL_VEC_MAX];
    uint8_t has_key[SQL_VEC_MAX];
    uint32_t key_at[SQL_VEC_MAX + 1]; // in sql_joiner.keys
    uint32_t hash[SQL_VEC_MAX];       // of the key in the other side's map
    uint32_t own_hash[SQL_VEC_MAX];   // in this side's map; only of a bag
    uint16_t list[SQL_VEC_MAX];
};

struct sql_joiner {
    const struct sql_join *join;
    struct join_rows rows[2];
    struct sql_exec pre; // evaluates filters and keys over the input
    struct join_change change;
    struct join_pairs pairs;
    struct join_slice slice;
    struct buf keys; // of the slice
    struct buf value;
    struct join_values match;
    struct sql_arena lists, match_lists; // decoded lists of the change and of its match
    // joined rows on their way out
    uint8_t kinds[SQL_VEC_MAX];
    leat_usec times[SQL_VEC_MAX];
    uint64_t positions[SQL_VEC_MAX];
    uint32_t out;               // joined rows so far
    struct leat_column *joined; // by column number; only those that are stored have memory
    struct leat_batch *hold;    // bytes copied out of the state
    int64_t *metric_rows, *metric_bytes, *metric_content;
    int64_t reported[3]; // our part of the metrics
};

// A call of process.
struct join_work {
    struct leat_ctx *ctx;
    struct sql_exec *x;
    struct sql_joiner *j;
    const struct leat_batch *b;
    uint32_t side;
};

static inline struct leat_bytes join_bytes(const struct buf *b)
{
    return (struct leat_bytes){b->ptr, (uint32_t)b->len};
}

static inline struct leat_bytes join_slice_key(const struct sql_joiner *j, uint32_t r)
{
    return (struct leat_bytes){j->keys.ptr + j->slice.key_at[r], j->slice.key_at[r + 1] - j->slice.key_at[r]};
}

// --- join_rows.c: the kept rows
leat_status join_rows_create(struct leat_ctx *ctx, struct sql_exec *x, uint32_t side);
void join_rows_destroy(struct leat_ctx *ctx, struct join_rows *rows);
// The first row with this join key; the next one is keyed_after.
keyed_ref join_first(const struct join_rows *rows, struct leat_bytes key);
// A stored row's encoded columns, its join key (ptr == NULL: none) and how often it is there.
struct leat_bytes join_row_of(const struct join_rows *rows, keyed_ref ref, struct leat_bytes *key, uint64_t *times);
// Decodes into cells that point into `row`; lists are made in the arena. 0, or -1 = malformed or no memory.
int join_decode(const struct join_rows *rows, struct leat_bytes row, struct join_values *to, struct sql_arena *lists);
// Changes the state by the change in hand. 0, or -1 = no memory.
int join_commit(struct join_work *w);

// --- join_state.c: tells the metrics of what is kept; `gone`: nothing any more
void sql_joiner_report(struct sql_joiner *j, int gone);

// --- join_slice.c: from a batch to keys
leat_status join_slice_compute(struct join_work *w, struct join_slice *s);
// Before row r is done, and they are done in order: asks for the memory that rows behind it will need.
void join_slice_reach(const struct join_work *w, const struct join_slice *s, uint32_t r);

// --- join_grow.c: rows that only come, and take nothing back. LEAT_AGAIN = the way is full.
leat_status join_grow(struct join_work *w, struct join_slice *s);

// --- join_pass.c
// Emits the joined rows so far. `more`: the rest of the batch follows.
leat_status join_flush(struct join_work *w, int more);
// Memory that what is emitted next keeps. NULL = none.
void *join_hold(struct join_work *w, size_t size, size_t align);
// Decides the steps of the change in hand; then runs them and changes the state. LEAT_AGAIN = the way is full.
void join_change_begin(struct join_change *c);
leat_status join_pass_on(struct join_work *w);
int join_same_key(const struct join_change *c);

#endif
