// SPDX-License-Identifier: Apache-2.0
// testhost itself: options, rows as text, batches, wakes from threads, timers, and a little source and sink driven.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

struct config {
    uint8_t flag;
    int64_t count;
    double rate;
    const char *text;
    int64_t wait;
    int64_t size;
    int32_t mode;
    struct leat_strings list;
    struct leat_pairs properties;
    const char *format;
};

#define AT(member) .offset = offsetof(struct config, member)

static const struct leat_option options[] = {
    {.name = "flag", .type = LEAT_OPT_BOOL, AT(flag), .def = "true"},
    {.name = "count", .type = LEAT_OPT_INT, AT(count), .min = "1", .max = "10"},
    {.name = "rate", .type = LEAT_OPT_FLOAT, AT(rate)},
    {.name = "text", .type = LEAT_OPT_STRING, AT(text), .flags = LEAT_OPT_REQUIRED},
    {.name = "wait", .type = LEAT_OPT_DURATION, AT(wait), .def = "5s"},
    {.name = "size", .type = LEAT_OPT_BYTES, AT(size), .def = "64MiB"},
    {.name = "mode", .type = LEAT_OPT_ENUM, AT(mode), .words = "slow|fast", .def = "fast"},
    {.name = "list", .type = LEAT_OPT_LIST, AT(list)},
    {.name = "properties.", .type = LEAT_OPT_MAP, AT(properties)},
    {.name = "value.format", .type = LEAT_OPT_FORMAT, AT(format)},
    {.name = "old", .type = LEAT_OPT_STRING, .flags = LEAT_OPT_UNSUPPORTED, .doc = "not yet"},
};

// A source that counts to three, one row a poll, woken by a thread each time.
struct counter {
    int64_t next;
    struct leat_schema *schema;
    struct leat_port port;
    pthread_t thread;
    struct leat_ctx *thread_ctx;
    int running;
};

static leat_status counter_describe(struct leat_ctx *ctx, const struct leat_source_request *rq,
                                    struct leat_source_plan *plan)
{
    static struct leat_port port;
    port = (struct leat_port){.schema = rq->declared, .mode = LEAT_MODE_INSERT_ONLY};
    plan->ports = (struct leat_ports){.count = 1, .items = &port};
    return LEAT_OK;
}

static leat_status counter_create(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    struct counter *c = ctx->host->alloc(ctx, sizeof *c);
    if (!c)
        return leat_no_memory(ctx);
    *c = (struct counter){.next = 1, .port = {.schema = rq->declared}};
    *self = c;
    return LEAT_OK;
}

static leat_status counter_load(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct counter *c = self;
    assert_int_equal(in->len, sizeof c->next);
    memcpy(&c->next, in->ptr, sizeof c->next);
    return LEAT_OK;
}

static void *ring(void *arg)
{
    struct leat_ctx *ctx = arg;
    leat_log(ctx, LEAT_LOG_DEBUG, "ring", "from a thread");
    ctx->host->wake(ctx);
    return NULL;
}

static void start_ring(struct leat_ctx *ctx, struct counter *c)
{
    c->thread_ctx = ctx->host->thread_ctx_create(ctx);
    c->running = pthread_create(&c->thread, NULL, ring, c->thread_ctx) == 0;
}

static void stop_ring(struct leat_ctx *ctx, struct counter *c)
{
    if (c->running)
        pthread_join(c->thread, NULL);
    if (c->running)
        ctx->host->thread_ctx_destroy(c->thread_ctx);
    c->running = 0;
}

static leat_status counter_poll(struct leat_ctx *ctx, void *self)
{
    struct counter *c = self;
    if (!c->running) {
        start_ring(ctx, c);
        return LEAT_AGAIN;
    }
    stop_ring(ctx, c);
    if (c->next > 3)
        return LEAT_END;
    struct leat_batch *b = leat_batch_new(ctx, c->port.schema, 4);
    if (!b)
        return leat_no_memory(ctx);
    uint32_t r = leat_batch_add(b, LEAT_INSERT);
    leat_batch_set_i64(b, 0, r, c->next++);
    leat_batch_set_null(b, 1, r);
    return ctx->host->emit(ctx, 0, b);
}

static leat_status counter_save(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct counter *c = self;
    out->version = 1;
    return ctx->host->state_write(ctx, out, &c->next, sizeof c->next);
}

static void counter_destroy(struct leat_ctx *ctx, void *self)
{
    stop_ring(ctx, self);
    ctx->host->free(ctx, self);
}

static const struct leat_source_ops counter_ops = {.struct_size = sizeof counter_ops,
                                                   .describe = counter_describe,
                                                   .create = counter_create,
                                                   .load_state = counter_load,
                                                   .poll = counter_poll,
                                                   .save_state = counter_save,
                                                   .destroy = counter_destroy};

static const struct leat_component component = {.struct_size = sizeof component,
                                                .kind = LEAT_SOURCE,
                                                .name = "counter",
                                                .options = options,
                                                .option_count = sizeof options / sizeof options[0],
                                                .option_stride = sizeof options[0],
                                                .config_size = sizeof(struct config),
                                                .source = &counter_ops};

static void options_are_filled(void **state)
{
    struct testhost *h = testhost_create();
    const char *pairs[] = {"text", "abc",  "count", "7",    "wait",  "2 min",          "size", "3 kb", "list",
                           "a;b",  "mode", "slow",  "flag", "false", "properties.a.b", "c",    NULL};
    struct testhost_node *n = testhost_node(h, &component, pairs);
    struct config *c = n->config;
    assert_non_null(c);
    assert_int_equal(c->flag, 0);
    assert_int_equal(c->count, 7);
    assert_true(c->rate != c->rate);
    assert_string_equal(c->text, "abc");
    assert_int_equal(c->wait, 120000000);
    assert_int_equal(c->size, 3072);
    assert_int_equal(c->mode, 0);
    assert_int_equal(c->list.count, 2);
    assert_string_equal(c->list.items[1], "b");
    assert_int_equal(c->properties.count, 1);
    assert_string_equal(c->properties.items[0].key, "a.b");
    assert_null(c->format);
    testhost_node_destroy(n);
    testhost_destroy(h);
}

static void wrong_options_are_named(void **state)
{
    struct testhost *h = testhost_create();
    const char *pairs[] = {"count", "11", "old", "x", "value.json.x", "y", NULL};
    struct testhost_node *n = testhost_node(h, &component, pairs);
    assert_null(n->config);
    assert_non_null(testhost_diag(n, "\"text\" is missing"));
    assert_non_null(testhost_diag(n, "wrong value \"11\""));
    assert_non_null(testhost_diag(n, "\"old\" is refused"));
    assert_non_null(testhost_diag(n, "unknown option \"value.json.x\""));
    testhost_node_destroy(n);
    testhost_destroy(h);
}

static void rows_are_text_both_ways(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *n = testhost_bare(h);
    const struct leat_schema *s = testhost_schema(h,
                                                  "id BIGINT NOT NULL, `a b` STRING, m DECIMAL(10,2), d DOUBLE, t "
                                                  "TIMESTAMP(3), o BOOLEAN, y BYTES, tags ARRAY<STRING>",
                                                  "id");
    assert_int_equal(s->key_count, 1);
    assert_int_equal(s->column_count, 8);
    const char *text = "+I[1, a\\, b, -12.34, 0.1, 1969-12-31 23:59:59.500, true, x'00ff', NULL]\n"
                       "-D[2, ABSENT, 0.05, 1e+300, 2024-02-29 00:00:00.000, false, UNCHANGED, NULL]\n";
    struct leat_batch *b = testhost_batch(n, s, text);
    assert_int_equal(b->rows, 2);
    n->ctx.host->emit(&n->ctx, 0, b);
    assert_string_equal(testhost_rows(n),
                        "+I[1, a, b, -12.34, 0.1, 1969-12-31 23:59:59.500, true, x'00ff', NULL]\n"
                        "-D[2, ABSENT, 0.05, 1e+300, 2024-02-29 00:00:00.000, false, UNCHANGED, NULL]\n");
    assert_int_equal(atomic_load(&h->live_batches), 1);
    testhost_forget(n);
    assert_int_equal(atomic_load(&h->live_batches), 0);
    testhost_node_destroy(n);
    testhost_destroy(h);
}

static void count_release(void *arg)
{
    ++*(int *)arg;
}

static void batches_keep_others_alive(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *n = testhost_bare(h);
    const struct leat_schema *s = testhost_schema(h, "id INT, name STRING", NULL);
    int released = 0;
    struct leat_batch *a = testhost_batch(n, s, "+I[1, x]");
    assert_int_equal(n->ctx.host->batch_attach(a, count_release, &released), LEAT_OK);
    struct leat_batch *b = n->ctx.host->batch_create(&n->ctx, s, 1, 1);
    assert_non_null(b);
    assert_int_equal(n->ctx.host->batch_keep(b, a), LEAT_OK);
    leat_batch_borrow(b, 0, a, 0);
    leat_batch_borrow(b, 1, a, 1);
    leat_batch_add(b, LEAT_INSERT);
    leat_batch_unref(a);
    char text[64];
    testhost_row_text(b, 0, text, 0, sizeof text);
    assert_string_equal(text, "+I[1, x]");
    assert_int_equal(released, 0);
    leat_batch_unref(b);
    assert_int_equal(released, 1);
    atomic_store(&h->fail_alloc, 2);
    assert_null(leat_batch_new(&n->ctx, s, 8));
    assert_int_equal(atomic_load(&h->live_batches), 0);
    testhost_node_destroy(n);
    testhost_destroy(h);
}

static void a_source_is_driven(void **state)
{
    struct testhost *h = testhost_create();
    const char *pairs[] = {"text", "abc", NULL};
    const struct leat_schema *s = testhost_schema(h, "id BIGINT, x INT", NULL);
    struct testhost_node *n = testhost_node(h, &component, pairs);
    struct testhost_state saved = {0};
    assert_int_equal(testhost_source_start(n, s), LEAT_OK);
    assert_int_equal(testhost_poll_rows(n, 2, 5000), LEAT_OK);
    assert_string_equal(testhost_rows(n), "+I[1, NULL]\n+I[2, NULL]\n");
    assert_int_equal(testhost_save_state(n, &saved), LEAT_OK);
    assert_non_null(strstr(testhost_log(n), "debug ring from a thread\n"));
    testhost_node_destroy(n);

    n = testhost_node(h, &component, pairs);
    assert_int_equal(testhost_source_resume(n, s, &saved), LEAT_OK);
    assert_int_equal(testhost_poll_rows(n, 2, 5000), LEAT_END);
    assert_string_equal(testhost_rows(n), "+I[3, NULL]\n");
    testhost_state_fini(&saved);
    testhost_node_destroy(n);
    testhost_destroy(h);
}

static leat_status fail_once(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    ++*(int *)arg;
    return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X", "it is %s", "over");
}

static void events_fail_the_node(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *n = testhost_bare(h);
    int calls = 0;
    struct leat_event *timer = n->ctx.host->timer(&n->ctx, 1000, fail_once, &calls);
    assert_int_equal(testhost_wait_wake(n, 5000), 1);
    assert_int_equal(n->failed, LEAT_TRANSIENT);
    assert_string_equal(n->error.message, "it is over");
    n->ctx.host->event_close(timer);
    n->ctx.host->post(&n->ctx, fail_once, &calls);
    testhost_run_for(h, 5);
    assert_int_equal(calls, 2);
    testhost_node_destroy(n);
    testhost_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_filled),      cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(rows_are_text_both_ways), cmocka_unit_test(batches_keep_others_alive),
        cmocka_unit_test(a_source_is_driven),      cmocka_unit_test(events_fail_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
