// SPDX-License-Identifier: Apache-2.0
// A small host for plugins under test: the whole of struct leat_host on one thread and one libevent loop, without the
// server. It keeps what a component says and gives (errors, diagnostics, log, batches, state), so that a test can look.
//
//     struct testhost *h = testhost_create();
//     struct testhost_node *n = testhost_node(h, testhost_component(h, "kafka", LEAT_SOURCE, "kafka"),
//                                             (const char *[]){"topic", "orders", "format", "json", NULL});
//     assert_int_equal(testhost_source_start(n, testhost_schema(h, "id BIGINT NOT NULL, name STRING", "id")), LEAT_OK);
//     testhost_poll_rows(n, 3, 10000);
//     assert_string_equal(testhost_rows(n), "+I[1, abc]\n+I[2, NULL]\n-D[1, abc]\n");
//     testhost_node_destroy(n);                                      // closes and destroys the component as well
//     testhost_destroy(h);
//
// Include it before <cmocka.h>, whose macro fail() would spoil the host table.
//
// Thread: everything is called on the test's thread but the functions of the host table that say "any thread".
// Ownership: the host owns its nodes' memory, schemas and loaded plugins; what a getter returns is borrowed. Running
// out of memory aborts, unless a test asked for it with fail_alloc.
#ifndef TESTHOST_H
#define TESTHOST_H

#include <stdatomic.h>

#include <leat/plugin.h>

#define TESTHOST_PORTS 64
#define TESTHOST_DOING 32

struct testhost_impl;

struct testhost {
    struct testhost_impl *impl;
    atomic_int fail_alloc; // n > 0: the n-th host->alloc or batch allocation from now gives NULL, once
    atomic_int live_batches;
    leat_usec fixed_now; // what now() says; LEAT_TIME_NONE (the beginning) = the real clock
    const char *local_time_zone;
    atomic_int live_allocs; // of host->alloc
    char offence[512];      // the first breach of the interface's rules, as a sentence; "" = none (rules.c)
    char *doing;            // TESTHOST_DOING bytes: the function of the component that is being called, "" = none
    int wait_ms;            // for what a start or a close has to wait for; 10000 at the beginning
    int verbose;            // log lines go to stderr as well; on when TESTHOST_VERBOSE is set
};

// The last error of a context.
struct testhost_error {
    leat_status failure; // 0 = none
    char code[32];
    char message[1024];
    char detail[2048];
    char hint[1024];
    char native[1024];
    char option[64]; // of error_place
    uint32_t offset;
};

struct testhost_diag {
    uint8_t severity;
    char code[32];
    char option[128];
    uint32_t offset;
    char hint[512];
    char message[1024];
    struct testhost_diag *next;
};

struct testhost_emitted {
    uint32_t port;
    struct leat_batch *batch; // a reference of the node's
    struct testhost_emitted *next;
};

struct testhost_state {
    uint32_t version;
    uint8_t kind;
    uint8_t *ptr;
    size_t len;
    size_t cap;
};

struct testhost_bad_row {
    char where[256];
    char message[1024];
    char raw[1024]; // the record, cut
    struct testhost_bad_row *next;
};

struct testhost_node_impl;

// One instance of a component. The members up to `impl` are for tests to read and, where said, to set.
struct testhost_node {
    struct leat_ctx ctx; // hand it to the component's functions
    struct testhost *host;
    const struct leat_component *component;
    void *config; // filled; NULL when the options were wrong (see diags)
    void *self;   // of create
    void *bound;  // of bind
    struct leat_source_plan source_plan;
    struct leat_sink_plan sink_plan;
    struct leat_operator_plan operator_plan;
    struct leat_ports ports; // of describe or discover
    struct leat_open open;   // set members before start; instances defaults to 1, first_run to 1
    struct testhost_error error;
    struct testhost_diag *diags;
    struct testhost_emitted *emitted; // in order; testhost_rows and testhost_forget go over it
    uint64_t rows;                    // emitted since the last testhost_forget
    uint64_t emit_room;               // set: emit answers LEAT_AGAIN once so many rows wait; 0 = never
    void (*on_emit)(struct testhost_node *node, uint32_t port, const struct leat_batch *batch); // set, or NULL
    void *on_emit_arg;                                                                          // set; the callback's
    struct testhost_bad_row *bad_rows;
    uint8_t skip_bad_rows;   // set: bad_row answers LEAT_OK, otherwise the error's class
    uint8_t snapshot_done;   // snapshot_done was called
    uint8_t caught_up;       // caught_up was called
    uint8_t settled;         // set: what resource_settled answers; 1 at the beginning
    char settled_asked[512]; // the resource last asked for
    uint64_t progress_current, progress_end;
    int64_t progress_behind;
    char status[1024];
    leat_epoch epoch;   // of the last save_state
    atomic_uint woken;  // wakes so far
    leat_status failed; // of a watch, timer or posted call
    // Operators: what lookup_ask was given. NULL = fails with LEAT_BUG.
    leat_status (*on_ask)(struct testhost_node *node, uint32_t input, const struct leat_batch *keys, uint64_t ticket);
    // Lookups: called by lookup_answer, which owns the batch. NULL = the batch is kept as if emitted from port 0.
    void (*on_answer)(struct testhost_node *node, uint64_t ticket, const struct leat_batch *rows,
                      const uint32_t *key_of_row);
    struct testhost_node_impl *impl;
};

// --- host and plugins
struct testhost *testhost_create(void);
void testhost_destroy(struct testhost *h);
const struct leat_host *testhost_table(void);
// Loads NAME.so (a name without '/') from the folder TESTHOST_LIB of the environment, else build/lib, or a file; once per
// name. NULL = failed, said on stderr.
const struct leat_plugin *testhost_load(struct testhost *h, const char *name);
// Takes a plugin that is part of the test as if it had been loaded under that name ("format-line").
void testhost_add(struct testhost *h, const char *name, const struct leat_plugin *plugin);
// The format "line": fields separated by '|'. testhost_add(h, "format-line", testhost_line_plugin()).
const struct leat_plugin *testhost_line_plugin(void);
const struct leat_component *testhost_plugin_component(const struct leat_plugin *plugin, uint8_t kind,
                                                       const char *name);
// Both of it; aborts with a message when it is not there, so that a test needs no check.
const struct leat_component *testhost_component(struct testhost *h, const char *plugin, uint8_t kind, const char *name);

// --- nodes. `pairs` are option names and values by turns, NULL at the end; values as a user writes them. Options of a
// format are given under their full names. Never NULL: look at node->config and node->diags. destroy closes (waiting up
// to wait_ms), destroys the component's object, unbinds.
struct testhost_node *testhost_node(struct testhost *h, const struct leat_component *component,
                                    const char *const *pairs);
void testhost_node_destroy(struct testhost_node *node);
// The same for an option struct alone: NULL when the options are wrong. Owned by the node.
void *testhost_config(struct testhost_node *node, const struct leat_component *component, const char *prefix,
                      const char *const *pairs);
// The message of the first diagnostic whose message contains `part`, or NULL.
const char *testhost_diag(const struct testhost_node *node, const char *part);
// All diagnostics and the error, for messages of failing tests. Owned by the node.
const char *testhost_faults(struct testhost_node *node);
// The log so far, one line each: "info event message".
const char *testhost_log(struct testhost_node *node);
// The number of a metric, or -1 when it was not declared.
int64_t testhost_metric(struct testhost_node *node, const char *name);
// A context for calls that are not a node's (formats used alone): node of a component without options.
struct testhost_node *testhost_bare(struct testhost *h);

// --- loop
// Runs the loop until cond(arg) says so (1) or the time is over (0).
int testhost_run_until(struct testhost *h, int (*cond)(void *arg), void *arg, int timeout_ms);
void testhost_run_for(struct testhost *h, int ms);
// Runs the loop until the node is woken (1; the wake is used up), an event of it failed (1) or the time is over (0).
int testhost_wait_wake(struct testhost_node *node, int timeout_ms);

// --- driving components. They honour LEAT_AGAIN by waiting for a wake; LEAT_AGAIN as result = the time was over.
leat_status testhost_describe(struct testhost_node *node, const struct leat_schema *declared);
leat_status testhost_source_create(struct testhost_node *node);
leat_status testhost_load_state(struct testhost_node *node, const struct testhost_state *state); // sets open.restored
leat_status testhost_discover(struct testhost_node *node, int timeout_ms);                       // nothing when NULL
leat_status testhost_open(struct testhost_node *node, int timeout_ms);
leat_status testhost_open_once(struct testhost_node *node); // one call, whatever it answers; LEAT_OK when NULL
leat_status testhost_discover_once(struct testhost_node *node);
// describe, create, discover, open (wait_ms each).
leat_status testhost_source_start(struct testhost_node *node, const struct leat_schema *declared);
// As before, with a state of an earlier run between create and open.
leat_status testhost_source_resume(struct testhost_node *node, const struct leat_schema *declared,
                                   const struct testhost_state *state);
// Polls until `rows` rows are emitted since the last forget, the source ends or fails, or the time is over. LEAT_OK
// when the rows are there.
leat_status testhost_poll_rows(struct testhost_node *node, uint64_t rows, int timeout_ms);
// Polls until cond(arg); LEAT_OK when it holds.
leat_status testhost_poll_until(struct testhost_node *node, int (*cond)(void *arg), void *arg, int timeout_ms);
leat_status testhost_bind(struct testhost_node *node, const struct leat_schema *schema, uint8_t mode,
                          const char *primary_key); // "id, name" or NULL
leat_status testhost_sink_start(struct testhost_node *node, const struct leat_schema *schema, uint8_t mode,
                                const char *primary_key);      // bind, create, open
leat_status testhost_create_bound(struct testhost_node *node); // sinks and operators: create, from `bound`
// One call of process; LEAT_AGAIN as the operator says it.
leat_status testhost_process(struct testhost_node *node, uint32_t input, const struct leat_batch *batch);
leat_status testhost_inputs(struct testhost_node *node, struct leat_input_names *names);
leat_status testhost_bind_operator(struct testhost_node *node, const struct leat_input *inputs, uint32_t count);
// Lookups: one call of ask; LEAT_AGAIN as the lookup says it.
leat_status testhost_ask(struct testhost_node *node, const uint32_t *key_columns, uint32_t key_count,
                         const struct leat_batch *keys, uint64_t ticket);
leat_status testhost_write(struct testhost_node *node, const struct leat_batch *batch, int timeout_ms);
leat_status testhost_flush(struct testhost_node *node, uint8_t how, int timeout_ms);
leat_status testhost_save_state(struct testhost_node *node, struct testhost_state *state);
void testhost_state_fini(struct testhost_state *state);
leat_status testhost_complete(struct testhost_node *node, leat_epoch epoch);
leat_status testhost_close(struct testhost_node *node, int timeout_ms);

// --- schemas, rows and their text
// "id BIGINT NOT NULL, name STRING, amount DECIMAL(10,2), tags ARRAY<STRING>"; key "id" or "a, b" or NULL. Owned by h;
// aborts when the text is wrong.
const struct leat_schema *testhost_schema(struct testhost *h, const char *columns, const char *key);
// Rows as text, one a line or separated by ';': "+I[1, abc, NULL]"; scalars only, '\' before a ',' or ']' of a string.
// UNCHANGED and ABSENT are states. A reference is returned.
struct leat_batch *testhost_batch(struct testhost_node *node, const struct leat_schema *schema, const char *rows);
// "+I[1, abc, NULL]" appended to buf (size cap) at len; returns the new length.
size_t testhost_row_text(const struct leat_batch *b, uint32_t row, char *buf, size_t len, size_t cap);
// All rows emitted since the last forget, a line each; on several ports with "port: " in front. Owned by the node.
const char *testhost_rows(struct testhost_node *node);
void testhost_forget(struct testhost_node *node);

// "config", "transient" …; "ok", "again", "end".
const char *testhost_class(leat_status st);

// --- formats alone
// Opens format NAME with options of the names "json.…"; NULL = failed, see node. Close with f->close(&node->ctx, f).
struct leat_format *testhost_format(struct testhost_node *node, const char *name, const char *const *pairs,
                                    uint8_t direction, const struct leat_schema *schema, const uint32_t *columns,
                                    uint32_t column_count, uint8_t is_key);

#endif
