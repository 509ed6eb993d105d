// SPDX-License-Identifier: Apache-2.0
// The inside of the lookup, for lookup.c (life), question.c (a question and its answer) and nobody else.
//
// One connection, one statement at a time; further questions wait in a queue of QUESTIONS. A question whose keys are
// all remembered is answered at once, before those that wait.
#ifndef JDBC_LOOKUP_INT_H
#define JDBC_LOOKUP_INT_H

#include <leat/lookup.h>

#include "cache.h"
#include "options.h"
#include "session.h"
#include "table.h"

#define JDBC_QUESTIONS   16
#define JDBC_KEY_COLUMNS 64

enum jdbc_lookup_state {
    LOOKUP_CLOSED,
    LOOKUP_CONNECTING,
    LOOKUP_LOADING,
    LOOKUP_READY,
    LOOKUP_ASKING,
    LOOKUP_BACKOFF
};

struct jdbc_lookup_column {
    struct leat_field field;
    const struct jdbc_wire *wire;
    const char *read_as; // type that is asked for
    char *name;          // quoted
    char *key_cast;      // type that a key's value is cast to, or NULL
};

// A key of a question: remembered, or asked for. Equal keys of a question are one.
struct jdbc_key {
    uint64_t hash;
    uint32_t at, len;         // in the question's bytes
    struct jdbc_entry *entry; // with a reference; NULL = it is asked for
    uint32_t number;          // among those asked for
    uint32_t first, last;     // its rows in the result, + 1; 0 = none
    uint32_t rows;
};

struct jdbc_question {
    uint64_t ticket;
    const struct leat_batch *keys;      // borrowed until answered
    uint32_t columns[JDBC_KEY_COLUMNS]; // positions in the lookup's schema
    const struct jdbc_wire *wires[JDBC_KEY_COLUMNS];
    uint32_t column_count;
    struct buf bytes;
    struct jdbc_key *distinct;
    uint32_t distinct_count, missing;
    uint32_t *key_of_row; // row of `keys` -> distinct key; UINT32_MAX = a NULL is in it
};

struct jdbc_lookup {
    struct leat_ctx *ctx;
    const struct jdbc_config *config;
    const struct leat_schema *declared;
    struct jdbc_url url;
    struct jdbc_name name;
    char where[3 * JDBC_NAME_MAX];
    char zone[128];
    enum jdbc_lookup_state state;
    uint8_t opened, loaded;
    leat_status failed;
    struct pq_conn *conn;
    struct jdbc_table table;
    struct leat_schema schema; // what is answered
    struct leat_field *fields;
    struct jdbc_lookup_column *columns;
    uint32_t *key; // the table's primary key, where no schema is declared
    struct leat_port port;
    struct jdbc_cache cache;
    struct jdbc_question *queue[JDBC_QUESTIONS];
    uint32_t queued;
    uint8_t told_full;
    struct buf sql, params, rows;
    uint32_t retries;
    struct leat_event *backoff;
    struct {
        int64_t *asked, *hits, *misses, *queries, *retries;
    } metrics;
};

// lookup.c
LEAT_MUST_CHECK leat_status jdbc_lookup_run(struct jdbc_lookup *l);

// question.c
LEAT_MUST_CHECK leat_status jdbc_question_create(struct jdbc_lookup *l, const uint32_t *columns, uint32_t count,
                                                 const struct leat_batch *keys, uint64_t ticket,
                                                 struct jdbc_question **out);
void jdbc_question_destroy(struct jdbc_question *q);
LEAT_MUST_CHECK leat_status jdbc_question_send(struct jdbc_lookup *l, struct jdbc_question *q);
// `res` may be NULL when nothing was missing.
LEAT_MUST_CHECK leat_status jdbc_question_answer(struct jdbc_lookup *l, struct jdbc_question *q, const PGresult *res);

#endif
