// SPDX-License-Identifier: Apache-2.0
// Fixtures: what the suites must know of a component. The functions of a fixture abort with a message when they fail.
#ifndef CONTRACT_H
#define CONTRACT_H

#include "testhost.h"

#define CONTRACT_WAIT 20000 // milliseconds, for anything

// A source that gives rows whose first column counts 0, 1, 2 … up to rows - 1.
struct contract_source {
    const char *name; // of plugin and component
    const char *columns, *key;
    uint64_t rows;
    uint32_t port_count; // 1, but for sources without schema: 0 = whatever discover says
    // Fills the outside world, once for all cases; and clears it.
    void (*prepare)(struct testhost *h);
    void (*clean)(void);
    // Before each node that starts without state (drops a slot …); may be NULL.
    void (*fresh)(void);
    const char *const *(*options)(void); // names and values, NULL at the end
    uint8_t repeats;                     // after a restart rows may come again, in order, from an earlier one
};

// A sink of rows of `columns`: id BIGINT, then what it likes.
struct contract_sink {
    const char *name;
    const char *columns, *key; // key NULL: it appends
    uint8_t mode;              // of its input
    const char *const *(*options)(void);
    // Before each case: an empty target. After it.
    void (*fresh)(struct testhost *h);
    void (*clean)(void);
    // "id|value\n" of all that is in the target, sorted by id; for sinks without key in order of writing. NULL: nobody
    // can tell.
    const char *(*content)(struct testhost *h);
};

// An operator, fed with `before`, saved, and fed with `after`.
struct contract_operator {
    const char *title;
    const char *name;
    const char *const *options;
    struct contract_input {
        const char *columns, *key;
        uint8_t mode;
    } inputs[2];
    uint32_t input_count;
    struct contract_rows {
        uint32_t input;
        const char *rows;
    } before[4], after[4];
};

// Run all cases with one fixture each; the number of failed cases.
int contract_run_sources(const struct contract_source *fixtures, uint32_t count);
int contract_run_sinks(const struct contract_sink *fixtures, uint32_t count);
int contract_run_operators(const struct contract_operator *fixtures, uint32_t count);

// Runs `cases` with each of `fixtures` as initial state, naming them "fixture: case".
struct contract_case {
    const char *name;
    void (*run)(void **fixture);
};
int contract_run(const struct contract_case *cases, uint32_t case_count, const void *fixtures, uint32_t count,
                 size_t stride, const char *(*name_of)(const void *fixture));

#endif
