// SPDX-License-Identifier: Apache-2.0
// Fixtures: what the suites must know of a component. The functions of a fixture end the case
// by contract_fail, or abort with a message.
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stddef.h>

#include "testhost.h"

// A source that gives rows whose first column counts 0, 1, 2 … up to rows - 1.
struct contract_source {
    const char *name;   // of the component
    const char *plugin; // its library, as testhost_load takes it; NULL = of the same name
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
    const char *plugin;
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

// A lookup of a table with the keys 0, 1, 2 … rows - 1 in the first column, a BIGINT; one row each.
struct contract_lookup {
    const char *name;
    const char *plugin;
    const char *columns, *key; // the declared schema; NULL = the catalogue's
    uint64_t rows;
    // Fills the outside world, before each case; and clears it. May be NULL.
    void (*prepare)(struct testhost *h);
    void (*clean)(void);
    const char *const *(*options)(void);
};

// An operator, fed with `before`, saved, and fed with `after`.
struct contract_operator {
    const char *title;
    const char *name;
    const char *plugin;
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

// A format and rows that it can carry.
struct contract_format {
    const char *name;
    const char *plugin;
    const char *const *options; // with the format's name in front: "json.…"
    const char *columns;
    const char *rows; // "+I[1, ann];+I[2, bob]"
};

// Run all cases with one fixture each; the number of failed cases.
int contract_run_sources(const struct contract_source *fixtures, uint32_t count);
int contract_run_sinks(const struct contract_sink *fixtures, uint32_t count);
int contract_run_lookups(const struct contract_lookup *fixtures, uint32_t count);
int contract_run_formats(const struct contract_format *fixtures, uint32_t count);
int contract_run_operators(const struct contract_operator *fixtures, uint32_t count);

// What every kind has: its options, and what it says of itself before anything runs. `columns` and `key` are of its input,
// or of the declared schema; NULL = none.
struct contract_component {
    const char *title;
    const char *plugin, *name; // name NULL: that of the plugin
    uint8_t kind;              // LEAT_SOURCE …
    const char *const *(*options)(void);
    const char *columns, *key;
    uint8_t mode;
};
int contract_run_static(const struct contract_component *fixtures, uint32_t count);

// --- the runner. Each case runs in a process of its own: a crash or a hang is told like any other fault, and the others
// go on. What it prints is that of cmocka, with a sentence under each case that failed.
struct contract_case {
    const char *name;
    void (*run)(void **fixture);
};
// A fixture begins with its name.
int contract_run(const struct contract_case *cases, uint32_t case_count, const void *fixtures, uint32_t count,
                 size_t stride);

// Each suite says for whom it has a fixture: tests/contract/covered asks that nobody is left out.
void contract_covers(const char *suite, uint8_t kind, const char *name);

struct contract_options {
    int wait_ms;      // for anything that a component waits for; 20 s
    int case_ms;      // for a whole case; 2 min
    const char *only; // part of "fixture: case"; NULL = all. CONTRACT_ONLY of the environment is the default
    int list;         // only say which there are
};
struct contract_options *contract_options(void);
#define CONTRACT_WAIT (contract_options()->wait_ms)

// Ends the case. The first says in a sentence what is wrong.
__attribute__((noreturn, format(printf, 1, 2))) void contract_fail(const char *fmt, ...);
#define contract_check(condition, ...)                                                                                 \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            contract_fail(__VA_ARGS__);                                                                                \
    } while (0)
// `st` of `call` must be LEAT_OK.
void contract_good(struct testhost_node *n, const char *call, leat_status st);
// `st` may be anything that is described.
void contract_harmless(struct testhost_node *n, const char *call, leat_status st);
// Two texts of rows, a line each, must be the same.
void contract_same(const char *what, const char *have, const char *want);
// Called when the case fails, so that nothing of it stays behind; NULL = nothing.
void contract_clean_up(void (*fn)(void));
// A node whose options are right; `plugin` NULL = of the component's name.
struct testhost_node *contract_node(struct testhost *h, const char *plugin, uint8_t kind, const char *name,
                                    const char *const *options);
// Closes and destroys it, whatever it was doing.
void contract_node_end(struct testhost_node *n);
// The first `steps` of a start (below CONTRACT_STEPS) of a source or a lookup: describe, create, discover, open once and
// again; each step may be cut short.
#define CONTRACT_STEPS 6
void contract_begin_to_open(struct testhost_node *n, const struct leat_schema *schema, int steps);
// A host for a case; and its end, at which nothing may be left over and no rule may have been broken.
struct testhost *contract_host(void);
void contract_host_end(struct testhost *h);

#endif
