// SPDX-License-Identifier: Apache-2.0
// What the files of the join share: its keyed state and the change in hand.
//
// Each side keeps its rows in a table with up to two indexes: by the join key, to find partners, and by the input's
// primary key, to find what a change replaces. Where the two keys are one, so are the indexes. A side without a primary
// key finds a deleted row by its content in the bucket of its join key.
#ifndef SQL_JOIN_INT_H
#define SQL_JOIN_INT_H

#include "exec.h"
#include "rowcodec.h"

#define JOIN_STATE_VERSION 1
#define JOIN_DELTA_MAX     ((size_t)64 << 20) // bytes of changes kept for a delta; beyond, the next one is a full image
#define JOIN_NO_KEY        UINT32_MAX

// One stored row: join key, primary key (absent where it is the join key), encoded row.
struct join_row {
    struct join_row *next_key, *next_unique;
    uint32_t key_hash, unique_hash;
    uint32_t key_len; // JOIN_NO_KEY: equals nothing, not in the index
    uint32_t unique_len, row_len;
    uint8_t bytes[];
};

// Rows of a chain stay in the order in which they came: a change of their partner passes them on in that order, so that
// of several states of a thing, written by key, the newest is written last.
struct join_index {
    struct join_row **heads;
    struct join_row **tails; // of the same block
    uint32_t mask;           // size - 1; heads == NULL: no table yet
    uint32_t count;
};

struct join_table {
    const struct sql_side *side;
    const struct leat_type **types; // of the stored columns
    struct join_index by_key;       // unused where the key is unique
    struct join_index by_unique;
    uint64_t rows, bytes;
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
    uint8_t mended; // `now` has values of the stored row
    uint8_t side;
    uint32_t row;             // of the batch
    uint32_t took;            // rows of the batch
    struct join_row *old_row; // NULL: none stored
    struct join_values old, now;
    struct row_buf old_key, new_key, unique, encoded;
    uint8_t old_has_key, new_has_key;
    const struct join_row *cursor;
};

struct sql_joiner {
    const struct sql_join *join;
    struct join_table tables[2];
    struct sql_exec pre; // evaluates filters and keys over the input
    uint64_t seed;
    struct join_change change;
    struct join_values match;
    struct sql_arena lists, match_lists; // decoded lists of the change and of its match
    // joined rows on their way out
    uint8_t kinds[SQL_VEC_MAX];
    leat_usec times[SQL_VEC_MAX];
    uint64_t positions[SQL_VEC_MAX];
    uint32_t rows;
    struct leat_column *joined; // by column number; only those that are stored have memory
    struct leat_batch *hold;    // bytes copied out of the state
    // what changed since the last checkpoint
    struct row_buf delta;
    uint8_t delta_lost;
    int64_t *metric_rows, *metric_bytes;
};

// join_table.c
uint32_t join_hash(const struct sql_joiner *j, const void *bytes, size_t len);
// The first row with this join key, and the next one after `row` with the same.
struct join_row *join_first(const struct sql_joiner *j, uint32_t side, const struct row_buf *key);
struct join_row *join_next(const struct join_table *t, const struct join_row *row);
struct join_row *join_find_unique(const struct sql_joiner *j, uint32_t side, const struct row_buf *unique);
struct join_row *join_find_content(const struct sql_joiner *j, uint32_t side, const struct row_buf *key,
                                   const struct row_buf *encoded);
// key == NULL: no join key. 0 or -1 = no memory.
int join_add(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, const struct row_buf *key,
             const struct row_buf *unique, const struct row_buf *encoded);
void join_remove(struct leat_ctx *ctx, struct sql_joiner *j, uint32_t side, struct join_row *row);
void join_clear(struct leat_ctx *ctx, struct sql_joiner *j);
struct leat_bytes join_row_key(const struct join_table *t, const struct join_row *row);
struct leat_bytes join_row_unique(const struct join_table *t, const struct join_row *row);
struct leat_bytes join_row_content(const struct join_table *t, const struct join_row *row);
int join_decode(struct sql_joiner *j, uint32_t side, const struct join_row *row, struct join_values *to,
                struct sql_arena *lists);

// A call of process.
struct join_work {
    struct leat_ctx *ctx;
    struct sql_exec *x;
    struct sql_joiner *j;
    const struct leat_batch *b;
    uint32_t side;
};

// join_pass.c
// Emits the joined rows so far. `more`: the rest of the batch follows.
leat_status join_flush(struct join_work *w, int more);
// Decides the steps of the change in hand; then runs them and changes the state. LEAT_AGAIN = the way is full.
void join_change_begin(struct join_change *c);
leat_status join_pass_on(struct join_work *w);
int join_same_key(const struct join_change *c);

// join_state.c: notes a change for the next delta
void join_log_put(struct sql_joiner *j, uint32_t side, const struct join_row *row);
void join_log_remove(struct sql_joiner *j, uint32_t side, const struct join_row *row);

#endif
