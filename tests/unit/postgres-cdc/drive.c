// SPDX-License-Identifier: Apache-2.0
// Runs the postgres-cdc plugin on the test host, without the server: what integration tests drive.
//
//     pgcdc_drive FOLDER [-c MS] [-b MS] [-q] OPTION VALUE ...
//
// Rows go to FOLDER/rows: port, kind and values with 0x1f between them and 0x1e and a line feed behind each row,
// written out before each checkpoint; the checkpoint (-c, default every 100 ms) is FOLDER/state, replaced atomically,
// confirmed afterwards. Started again it goes on from there. SIGTERM takes a last checkpoint. -b blocks the way for so
// long after the first row; -q counts rows instead of writing them. Exit code: 0, or the class of the failure; its
// message goes to FOLDER/error.
#include "testhost.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct drive {
    const char *folder;
    struct testhost *host;
    struct testhost_node *node;
    FILE *rows;
    uint64_t counted;
    int64_t interval, block, next;
    int quiet, until_caught_up;
    leat_epoch epoch;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void path_of(const struct drive *d, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", d->folder, name);
}

static int fail(struct drive *d, leat_status st)
{
    char path[512];
    path_of(d, "error", path, sizeof path);
    FILE *f = fopen(path, "we");
    if (f) {
        struct testhost_error *e = &d->node->error;
        fprintf(f, "%s %s\n%s\n%s\n%s\n%s\n", e->code, e->message, e->detail, e->hint, e->native,
                testhost_faults(d->node));
        fclose(f);
    }
    fprintf(stderr, "%s\n", testhost_faults(d->node));
    testhost_node_destroy(d->node);
    testhost_destroy(d->host);
    return st < 0 ? -st : 9;
}

// The text of one value: testhost writes whole rows, so it is shown a batch of that column alone.
static void write_value(FILE *out, const struct leat_batch *b, uint32_t row, uint32_t column)
{
    static char text[1 << 22];
    struct leat_schema schema = {
        .struct_size = sizeof schema, .column_count = 1, .columns = &b->schema->columns[column]};
    struct leat_batch one = *b;
    one.schema = &schema;
    one.column_count = 1;
    one.columns = &b->columns[column];
    size_t len = testhost_row_text(&one, row, text, 0, sizeof text); // "+I[…]"
    fputc(0x1f, out);
    fwrite(text + 3, 1, len - 4, out);
}

static void write_rows(struct drive *d)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    for (const struct testhost_emitted *e = d->node->emitted; e; e = e->next) {
        struct leat_bytes port = d->node->ports.items[e->port].name;
        for (uint32_t row = 0; row < e->batch->rows; row++) {
            fprintf(d->rows, "%.*s\x1f%s", (int)port.len, (const char *)port.ptr, kinds[e->batch->kinds[row]]);
            for (uint32_t c = 0; c < e->batch->column_count; c++)
                write_value(d->rows, e->batch, row, c);
            fputs("\x1e\n", d->rows);
        }
    }
    fflush(d->rows);
}

static void take_rows(struct drive *d)
{
    if (!d->node->rows)
        return;
    d->counted += d->node->rows;
    if (!d->quiet)
        write_rows(d);
    testhost_forget(d->node);
    if (d->block) {
        testhost_run_for(d->host, (int)d->block);
        d->block = 0;
        d->node->emit_room = 0;
    }
}

static void read_state(struct drive *d, struct testhost_state *state)
{
    char path[512];
    path_of(d, "state", path, sizeof path);
    FILE *f = fopen(path, "re");
    memset(state, 0, sizeof *state);
    if (!f)
        return;
    state->ptr = malloc(1 << 20);
    state->cap = 1 << 20;
    state->len = fread(state->ptr, 1, state->cap, f);
    state->version = 5;
    state->kind = LEAT_STATE_FULL;
    fclose(f);
}

static leat_status checkpoint(struct drive *d)
{
    char path[512], next[512];
    struct testhost_state state = {0};
    leat_status st = testhost_save_state(d->node, &state);
    if (st < 0)
        return st;
    path_of(d, "state.new", next, sizeof next);
    path_of(d, "state", path, sizeof path);
    FILE *f = fopen(next, "we");
    if (!f || (state.len && fwrite(state.ptr, 1, state.len, f) != state.len) || fclose(f) != 0 ||
        rename(next, path) != 0)
        abort();
    testhost_state_fini(&state);
    return testhost_complete(d->node, ++d->epoch);
}

static leat_status start(struct drive *d)
{
    struct testhost_node *n = d->node;
    struct testhost_state state;
    if (!n->config)
        return LEAT_CONFIG;
    read_state(d, &state);
    n->open.data_dir = d->folder;
    n->open.node = "pg";
    n->open.catch_up = 1;
    n->emit_room = d->block ? 1 : 0;
    leat_status st = testhost_describe(n, NULL);
    if (st == LEAT_OK)
        st = testhost_source_create(n);
    if (st == LEAT_OK && state.len)
        st = testhost_load_state(n, &state);
    free(state.ptr);
    if (st == LEAT_OK)
        st = testhost_discover(n, 20000);
    if (st == LEAT_OK)
        st = testhost_open(n, 20000);
    return st;
}

static leat_status run(struct drive *d)
{
    const struct leat_source_ops *ops = d->node->component->source;
    int64_t began = milliseconds();
    while (!stopping) {
        leat_status st = ops->poll(&d->node->ctx, d->node->self);
        take_rows(d);
        if (st < 0)
            return st;
        int64_t now = milliseconds();
        if (now >= d->next) {
            leat_status saved = checkpoint(d);
            if (saved < 0)
                return saved;
            d->next = now + d->interval;
        }
        if (d->node->failed < 0)
            return d->node->failed;
        if (st == LEAT_END || (d->until_caught_up && d->node->caught_up))
            break;
        if (st == LEAT_AGAIN)
            testhost_wait_wake(d->node, (int)d->interval);
    }
    fprintf(stderr, "%" PRIu64 " rows in %" PRId64 " ms\n", d->counted, milliseconds() - began);
    return checkpoint(d);
}

static int arguments(struct drive *d, int argc, char **argv)
{
    int opt;
    while ((opt = getopt(argc, argv, "+c:b:qe")) != -1) {
        if (opt == 'c')
            d->interval = atoi(optarg);
        else if (opt == 'b')
            d->block = atoi(optarg);
        else if (opt == 'e')
            d->until_caught_up = 1;
        else if (opt == 'q')
            d->quiet = 1;
        else
            return -1;
    }
    return optind;
}

int main(int argc, char **argv)
{
    struct drive d = {.interval = 100};
    if (argc < 2)
        return 2;
    d.folder = argv[1];
    int first = arguments(&d, argc - 1, argv + 1) + 1;
    if (first < 2)
        return 2;
    char path[512];
    path_of(&d, "rows", path, sizeof path);
    d.rows = fopen(path, "ae");
    if (!d.rows)
        return 2;
    signal(SIGTERM, on_signal);
    d.host = testhost_create();
    d.node = testhost_node(d.host, testhost_component(d.host, "postgres-cdc", LEAT_SOURCE, "postgres-cdc"),
                           (const char *const *)(argv + first));
    leat_status st = start(&d);
    if (st == LEAT_OK)
        st = run(&d);
    fclose(d.rows);
    if (st < 0 || st == LEAT_AGAIN)
        return fail(&d, st);
    testhost_node_destroy(d.node);
    testhost_destroy(d.host);
    return 0;
}
