// SPDX-License-Identifier: Apache-2.0
// What every format must do: give back what it was given, refuse what is damaged one record at a time, mind the room it
// has, and stay calm when memory is short. A format of one direction is asked for that one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define RECORDS_MAX 64
#define OUT_MAX     (1u << 20)

struct run {
    const struct contract_format *fixture;
    struct testhost *h;
    struct testhost_node *n;
    const struct leat_format_ops *ops;
    const struct leat_schema *schema;
    struct leat_batch *rows;
    struct leat_buffer out;
    struct leat_bytes records[RECORDS_MAX]; // copies of exact size, so that the sanitizer sees a read beyond one
    uint32_t count;
};

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host()};
    const struct contract_format *f = r->fixture;
    char name[128];
    snprintf(name, sizeof name, "format-%s", f->name);
    const struct leat_plugin *plugin = testhost_load(r->h, f->plugin ? f->plugin : name);
    contract_check(plugin != NULL, "the plugin could not be loaded");
    if (f->plugin)
        testhost_add(r->h, name, plugin);
    r->ops = testhost_component(r->h, name, LEAT_FORMAT, f->name)->format;
    r->n = testhost_bare(r->h);
    r->schema = testhost_schema(r->h, f->columns, NULL);
    r->rows = testhost_batch(r->n, r->schema, f->rows);
    r->out.max = OUT_MAX;
    contract_check(r->rows->rows <= RECORDS_MAX, "more than %d rows", RECORDS_MAX);
}

static void end(struct run *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        free((void *)(uintptr_t)r->records[i].ptr);
    r->n->ctx.host->free(&r->n->ctx, r->out.ptr);
    leat_batch_unref(r->rows);
    testhost_node_destroy(r->n);
    contract_host_end(r->h);
}

static struct leat_format *open_format(struct run *r, uint8_t direction)
{
    struct leat_format *f =
        testhost_format(r->n, r->fixture->name, r->fixture->options, direction, r->schema, NULL, 0, 0);
    contract_check(f != NULL, "it could not be opened to %s: %s", direction == LEAT_ENCODE ? "encode" : "decode",
                   testhost_faults(r->n));
    return f;
}

// Every row becomes a record. What it answers; records only with LEAT_OK.
static leat_status encode(struct run *r)
{
    size_t ends[RECORDS_MAX] = {0}, from = 0;
    uint32_t n = r->rows->rows, done = 0;
    struct leat_format *f = open_format(r, LEAT_ENCODE);
    leat_status st = r->ops->encode(&r->n->ctx, f->self, r->rows, 0, n, &r->out, ends, &done);
    f->close(&r->n->ctx, f);
    contract_check(done <= n, "encode says that it wrote %u of %u rows", done, n);
    contract_check(st != LEAT_OK || done == n, "encode answered LEAT_OK with %u of %u rows written", done, n);
    for (uint32_t i = 0; st == LEAT_OK && i < n; i++) {
        contract_check(ends[i] >= from && ends[i] <= r->out.len,
                       "the end of record %u is %zu, of the one before it %zu", i, ends[i], from);
        uint8_t *copy = malloc(ends[i] - from ? ends[i] - from : 1);
        memcpy(copy, r->out.ptr + from, ends[i] - from);
        r->records[r->count++] = (struct leat_bytes){copy, (uint32_t)(ends[i] - from)};
        from = ends[i];
    }
    return st;
}

// The rows that `records` give, as text; a record that is refused gives none. The caller frees it.
static char *decode(struct run *r, const struct leat_bytes *records, uint32_t n, uint32_t capacity)
{
    char *text = calloc(1, OUT_MAX);
    size_t len = 0;
    struct leat_format *f = open_format(r, LEAT_DECODE);
    for (uint32_t at = 0, turns = 0; at < n; turns++) {
        struct leat_batch *b = leat_batch_new(&r->n->ctx, r->schema, capacity);
        uint32_t row_counts[RECORDS_MAX] = {0}, done = 0, rows = 0;
        leat_status st = r->ops->decode(&r->n->ctx, f->self, records + at, n - at, 0, b, 0, 0, row_counts, &done);
        contract_check(st == LEAT_OK || st == LEAT_DATA || st == LEAT_RESOURCE, "decode failed with class %s: %s",
                       testhost_class(st), r->n->error.message);
        contract_check(st == LEAT_OK || r->n->error.message[0], "decode refused a record and did not say why");
        contract_check(done <= n - at, "decode says that it read %u of %u records", done, n - at);
        contract_check(turns <= 2 * n,
                       "decode does not get on: it reads nothing, and says neither that a record is bad");
        for (uint32_t i = 0; i < done; i++)
            rows += row_counts[i];
        contract_check(rows == b->rows, "decode counts %u rows and put %u into the batch", rows, b->rows);
        for (uint32_t i = 0; i < b->rows; i++) {
            len = testhost_row_text(b, i, text, len, OUT_MAX - 2);
            text[len++] = '\n';
        }
        at += done + (st < 0);
        leat_batch_unref(b);
    }
    f->close(&r->n->ctx, f);
    return text;
}

static char *text_of(const struct leat_batch *b)
{
    char *text = calloc(1, OUT_MAX);
    size_t len = 0;
    for (uint32_t i = 0; i < b->rows; i++) {
        len = testhost_row_text(b, i, text, len, OUT_MAX - 2);
        text[len++] = '\n';
    }
    return text;
}

static void gives_back_what_it_was_given(void **state)
{
    struct run r;
    begin(&r, state);
    if (r.ops->encode) {
        contract_good(r.n, "encode", encode(&r));
        for (uint32_t capacity = 1; r.ops->decode && capacity <= 1024; capacity *= 32) {
            char *want = text_of(r.rows), *have = decode(&r, r.records, r.count, capacity);
            contract_same("what was encoded and decoded", have, want);
            free(want);
            free(have);
        }
    }
    end(&r);
}

// Each record cut anywhere, and with any byte changed: taken or refused, and the good one behind it is read.
static void damaged_records_are_refused(void **state)
{
    struct run r;
    begin(&r, state);
    if (r.ops->encode && r.ops->decode) {
        contract_good(r.n, "encode", encode(&r));
        char *good = decode(&r, r.records, 1, 4);
        for (uint32_t at = 0; at < r.records[0].len; at++) {
            for (int change = 0; change < 4; change++) {
                struct leat_bytes two[2] = {{NULL, change ? r.records[0].len : at}, r.records[0]};
                uint8_t *copy = malloc(two[0].len ? two[0].len : 1);
                memcpy(copy, r.records[0].ptr, two[0].len);
                if (change)
                    copy[at] ^= (uint8_t)(change == 1 ? 0x80 : change == 2 ? 0xff : 0x04);
                two[0].ptr = copy;
                char *rows = decode(&r, two, 2, 4);
                size_t len = strlen(rows), tail = strlen(good);
                contract_check(len >= tail && strcmp(rows + len - tail, good) == 0,
                               "a good record behind a damaged one (byte %u) was not read", at);
                free(rows);
                free(copy);
            }
        }
        free(good);
    }
    end(&r);
}

static void minds_the_room(void **state)
{
    for (uint32_t max = 0; max < 200; max++) {
        struct run r;
        begin(&r, state);
        r.out.max = max;
        leat_status st = r.ops->encode ? encode(&r) : LEAT_OK;
        contract_check(r.out.len <= max && r.out.cap <= max, "encode wrote %zu bytes into a buffer of at most %u",
                       r.out.len, max);
        contract_check(st == LEAT_OK || st == LEAT_DATA || st == LEAT_RESOURCE,
                       "encode without room failed with class %s", testhost_class(st));
        contract_harmless(r.n, "encode without room", st);
        end(&r);
    }
}

static void survives_the_lack_of_memory(void **state)
{
    for (int n = 1; n < 30; n++) {
        struct run r;
        begin(&r, state);
        for (uint8_t direction = LEAT_DECODE; direction <= LEAT_ENCODE; direction++) {
            atomic_store(&r.h->fail_alloc, n);
            struct leat_format *f =
                testhost_format(r.n, r.fixture->name, r.fixture->options, direction, r.schema, NULL, 0, 0);
            uint32_t done = 0;
            size_t ends[RECORDS_MAX];
            if (f && direction == LEAT_ENCODE && r.ops->encode)
                contract_harmless(r.n, "encode with little memory",
                                  r.ops->encode(&r.n->ctx, f->self, r.rows, 0, r.rows->rows, &r.out, ends, &done));
            atomic_store(&r.h->fail_alloc, 0);
            if (f)
                f->close(&r.n->ctx, f);
        }
        end(&r);
    }
}

int contract_run_formats(const struct contract_format *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"gives back what it was given", gives_back_what_it_was_given},
        {"damaged records are refused", damaged_records_are_refused},
        {"minds the room", minds_the_room},
        {"survives the lack of memory", survives_the_lack_of_memory},
    };
    for (uint32_t i = 0; i < count; i++)
        contract_covers("life", LEAT_FORMAT, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
