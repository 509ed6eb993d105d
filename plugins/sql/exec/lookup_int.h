// SPDX-License-Identifier: Apache-2.0
// What the files of the lookup joins share: the rows that wait, and what is made of the answer.
#ifndef SQL_LOOKUP_INT_H
#define SQL_LOOKUP_INT_H

#include "exec/exec.h"

// What a row has instead of a key.
#define LOOKUP_NO_KEY    (UINT32_MAX)     // it is not asked for and has no partner
#define LOOKUP_LEFT_OUT  (UINT32_MAX - 1) // nothing comes of it
#define LOOKUP_DELETION  (UINT32_MAX - 2) // upserts: its key is deleted
#define LOOKUP_IS_KEY(k) ((k) < LOOKUP_DELETION)

#define LOOKUP_NO_ROW UINT32_MAX

struct lookup_waiting {
    struct lookup_waiting *next;
    const struct leat_batch *batch; // a reference
    uint8_t asked;
    uint32_t key_of_row[]; // row of the question's keys
};

// What the rows of a key are.
struct lookup_partners {
    uint32_t *first; // by key row, one more than there are keys: positions in `rows`
    uint32_t *rows;  // of the answer
};

struct sql_looker {
    const struct sql_lookup *lookup;
    struct leat_schema schema; // of the keys
    struct leat_field *fields;
    struct lookup_waiting *head, **tail;
    uint32_t rows;
    size_t bytes;
    struct leat_batch *keys;         // of the question under way, or NULL
    const struct leat_batch *answer; // a reference, or NULL; while answering
    struct lookup_partners partners;
    uint32_t row, partner; // of the first batch: where its output stands
    uint32_t met_row;      // a row whose partners were looked through in part …
    uint8_t met;           // … and whether one was accepted
    uint8_t answering;
};

struct sql_lookups {
    uint32_t count;
    struct sql_looker *lookers;
    const struct sql_branch *branch;
    uint8_t upsert;
    uint32_t needed_count;
    uint32_t *needed;           // columns by number that anything reads
    struct leat_column *joined; // by number; memory for the needed ones
    struct leat_schema wide;    // of rows between two lookups: all columns
    struct leat_field *wide_fields;
    uint32_t *asked_with; // columns of the stream that questions rest on
    uint32_t asked_with_count;
    // a block of joined rows
    uint32_t count_rows;
    uint32_t left[SQL_VEC_MAX], right[SQL_VEC_MAX];
    uint8_t kinds[SQL_VEC_MAX], last_chance[SQL_VEC_MAX];
    leat_usec times[SQL_VEC_MAX];
    uint64_t positions[SQL_VEC_MAX];
};

// The first looker reads the stream's columns, the others all of them.
static inline uint32_t lookup_base(const struct sql_exec *x, const struct sql_looker *k)
{
    return k == x->lookups->lookers ? x->plan->first[x->lookups->branch->input] : 0;
}

// --- lookup.c: the queues
leat_status lookup_add(struct leat_ctx *ctx, struct sql_looker *k, const struct leat_batch *b);

// --- lookup_keys.c
// Puts what waits into one question.
leat_status lookup_ask(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k);

// --- lookup_join.c
// Sorts the answer's rows by key. 0, or -1 = no memory.
int lookup_find_partners(struct sql_looker *k, const struct leat_batch *rows, const uint32_t *key_of_row);
// Joins the next block of the first batch and gives it to the next looker or the stage.
leat_status lookup_join_block(struct leat_ctx *ctx, struct sql_exec *x, struct sql_looker *k,
                              const struct leat_batch *answer);

#endif
