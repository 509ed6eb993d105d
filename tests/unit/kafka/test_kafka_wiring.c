// SPDX-License-Identifier: Apache-2.0
// A sink and a source on librdkafka's mock cluster: what a real broker does not do on demand. Whether rows are right is
// tested on real brokers (broker.c).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "testhost.h"

#include <cmocka.h>

#define WAIT    20000
#define PRODUCE 0 // the API key

struct world {
    struct testhost *h;
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    const struct leat_schema *schema;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char text[256];
    w->h = testhost_create();
    testhost_add(w->h, "format-line", testhost_line_plugin());
    w->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    w->mock = rd_kafka_mock_cluster_new(w->rk, 1);
    rd_kafka_mock_topic_create(w->mock, "t", 1, 1);
    w->schema = testhost_schema(w->h, "id BIGINT NOT NULL, name STRING", "id");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    int live = atomic_load(&w->h->live_batches);
    testhost_destroy(w->h);
    rd_kafka_mock_cluster_destroy(w->mock);
    rd_kafka_destroy(w->rk);
    free(w);
    return live;
}

// A node of upsert-kafka with the usual options and `more`, NULL at the end.
static struct testhost_node *node(struct world *w, unsigned kind, ...)
{
    const char *pairs[30] = {
        "topic", "t", "properties.bootstrap.servers", rd_kafka_mock_cluster_bootstraps(w->mock), "key.format", "line"};
    size_t n = 6;
    va_list ap;
    va_start(ap, kind);
    for (const char *word; (word = va_arg(ap, const char *)) && n < 28;)
        pairs[n++] = word;
    va_end(ap);
    return testhost_node(w->h, testhost_component(w->h, "upsert-kafka", (uint8_t)kind, "upsert-kafka"), pairs);
}

static struct testhost_node *source(struct world *w)
{
    return node(w, LEAT_SOURCE, "value.format", "line", NULL);
}

static struct testhost_node *start_sink(struct world *w, struct testhost_node *n)
{
    if (testhost_sink_start(n, w->schema, LEAT_MODE_UPSERT, "id") != LEAT_OK)
        fail_msg("%s", testhost_faults(n));
    return n;
}

#define SINK(w, ...) start_sink(w, node(w, LEAT_SINK, "sink.topic.create.enabled", "false", ##__VA_ARGS__, NULL))

static struct testhost_node *sink(struct world *w)
{
    return SINK(w, "value.format", "line");
}

static void write_rows(struct world *w, struct testhost_node *n, const char *rows)
{
    struct leat_batch *b = testhost_batch(n, w->schema, rows);
    assert_int_equal(testhost_write(n, b, WAIT), LEAT_OK);
    leat_batch_unref(b);
}

static void expect_rows(struct world *w, uint64_t count, const char *rows)
{
    struct testhost_node *n = source(w);
    assert_int_equal(testhost_source_start(n, w->schema), LEAT_OK);
    assert_int_equal(testhost_poll_rows(n, count, WAIT), LEAT_OK);
    assert_string_equal(testhost_rows(n), rows);
    testhost_node_destroy(n);
}

static void rows_pass(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    write_rows(w, n, "+I[1, a]\n-D[1, ABSENT]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    expect_rows(w, 2, "+U[1, a]\n-D[1, ABSENT]\n");
    testhost_node_destroy(n);
}

static void what_can_be_tried_again_is(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_push_request_errors(w->mock, PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    write_rows(w, n, "+I[1, a]\n+I[2, b]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    expect_rows(w, 2, "+U[1, a]\n+U[2, b]\n");
    testhost_node_destroy(n);
}

// A broker that knows nothing of the producer (the mock never does) accepts the second request of a partition although
// the first one failed, and librdkafka takes the first for written: its row was lost.
static void a_later_request_proves_nothing(void **state)
{
    struct world *w = *state;
    // a request for each record
    struct testhost_node *n = SINK(w, "value.format", "line", "properties.batch.num.messages", "1");
    rd_kafka_mock_broker_push_request_error_rtts(w->mock, 1, PRODUCE, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                                 200);
    write_rows(w, n, "+I[1, a]\n+I[2, b]\n+I[3, c]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    expect_rows(w, 3, "+U[1, a]\n+U[2, b]\n+U[3, c]\n");
    testhost_node_destroy(n);
}

static void what_is_too_large_is_data(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_push_request_errors(w->mock, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    write_rows(w, n, "+I[1, a]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_DATA);
    assert_string_equal(n->error.message, "the broker refused records of topic \"t\" as too large");
    assert_string_equal(n->error.detail, "The largest record of the request has 4 bytes, and the key 1.");
    testhost_node_destroy(n);
}

static void what_is_refused_fails_the_node(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_push_request_errors(w->mock, PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    write_rows(w, n, "+I[1, a]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_TRANSIENT);
    assert_string_equal(n->error.message, "could not write to topic \"t\"");
    testhost_node_destroy(n);
}

static int says_waiting(void *arg)
{
    return strstr(((struct testhost_node *)arg)->status, "waiting for Kafka") != NULL;
}

static void a_lost_broker_loses_nothing(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_broker_set_down(w->mock, 1);
    write_rows(w, n, "+I[1, a]\n");
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, 500), LEAT_AGAIN);
    assert_true(testhost_run_until(w->h, says_waiting, n, WAIT));
    rd_kafka_mock_broker_set_up(w->mock, 1);
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    assert_string_equal(n->status, "writing to topic \"t\"");
    expect_rows(w, 1, "+U[1, a]\n");
    testhost_node_destroy(n);
}

static void a_full_writer_holds_back(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_broker_set_down(w->mock, 1);
    char name[1001] = "";
    memset(name, 'x', 1000);
    struct leat_batch *b = leat_batch_new(&n->ctx, w->schema, 1024);
    for (uint32_t r; (r = leat_batch_add(b, LEAT_INSERT)) != UINT32_MAX;) {
        leat_batch_set_i64(b, 0, r, r);
        leat_batch_set_slice(b, 1, r, (const uint8_t *)name, 1000);
    }
    int accepted = 0;
    leat_status st;
    while ((st = testhost_write(n, b, 50)) == LEAT_OK && accepted < 100)
        accepted++;
    assert_int_equal(st, LEAT_AGAIN);
    assert_in_range(accepted, 1, 5);
    rd_kafka_mock_broker_set_up(w->mock, 1);
    assert_int_equal(testhost_write(n, b, WAIT), LEAT_OK);
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    assert_int_equal(testhost_metric(n, "leat_kafka_sent_records_total"), (accepted + 1) * 1024);
    leat_batch_unref(b);
    testhost_node_destroy(n);
}

// A sink with such a limit that passes over bad rows; json knows a record that is too long from one that finds no room.
static struct testhost_node *limited_sink(struct world *w, const char *limit, const char *value)
{
    struct testhost_node *n = SINK(w, "value.format", "json", limit, value);
    n->skip_bad_rows = 1;
    return n;
}

static void add_large(struct leat_batch *b, const uint8_t *text, uint32_t len)
{
    uint32_t row = leat_batch_add(b, LEAT_INSERT);
    leat_batch_set_i64(b, 0, row, row);
    leat_batch_set_slice(b, 1, row, text, len);
}

static void large_rows_fill_several_chunks(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = limited_sink(w, "properties.max.request.size", "5000000");
    const uint32_t large = 4u << 20, beyond = 65u << 20;
    uint8_t *text = malloc(beyond);
    assert_non_null(text);
    memset(text, 'x', beyond);
    struct leat_batch *b = leat_batch_new(&n->ctx, w->schema, 32);
    for (int i = 0; i < 20; i++)
        add_large(b, text, large);
    add_large(b, text, beyond);
    add_large(b, text, 10);
    add_large(b, text, beyond); // the first row of a chunk, and the last one of a batch
    assert_int_equal(testhost_write(n, b, WAIT), LEAT_OK);
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    assert_int_equal(testhost_metric(n, "leat_kafka_sent_records_total"), 21);
    int refused = 0;
    for (struct testhost_bad_row *bad = n->bad_rows; bad; bad = bad->next, refused++)
        assert_non_null(strstr(bad->message, "the record is longer than 67108864 bytes"));
    assert_int_equal(refused, 2);
    leat_batch_unref(b);
    free(text);
    testhost_node_destroy(n);
}

// No report comes for what the client refuses, and the rest has to go all the same.
static void refuse_rounds(struct world *w, const char *limit, const char *value, const char *message)
{
    struct testhost_node *n = limited_sink(w, limit, value);
    uint8_t text[3000];
    memset(text, 'x', sizeof text);
    struct leat_batch *b = leat_batch_new(&n->ctx, w->schema, 32);
    for (int i = 0; i < 3; i++)
        add_large(b, text, sizeof text);
    add_large(b, text, 10);
    add_large(b, text, sizeof text);
    assert_int_equal(testhost_write(n, b, WAIT), LEAT_OK);
    assert_int_equal(testhost_flush(n, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    assert_int_equal(testhost_metric(n, "leat_kafka_sent_records_total"), 1);
    int refused = 0;
    for (struct testhost_bad_row *bad = n->bad_rows; bad; bad = bad->next, refused++)
        assert_non_null(strstr(bad->message, message));
    assert_int_equal(refused, 4);
    leat_batch_unref(b);
    testhost_node_destroy(n);
}

static void rounds_of_refused_records_end(void **state)
{
    refuse_rounds(*state, "properties.max.request.size", "2000", "is larger than properties.max.request.size, 2000");
}

// librdkafka says of them that its queue is full, which it never is again.
static void records_larger_than_the_queue_are_refused(void **state)
{
    refuse_rounds(*state, "properties.buffer.memory", "2048", "is larger than properties.buffer.memory, 2048");
}

static void an_end_with_unwritten_records_does_not_wait(void **state)
{
    struct world *w = *state;
    struct testhost_node *n = sink(w);
    rd_kafka_mock_broker_set_down(w->mock, 1);
    write_rows(w, n, "+I[1, a]\n");
    assert_int_equal(testhost_close(n, WAIT), LEAT_OK);
    testhost_node_destroy(n);
}

static void memory_that_is_missing_is_an_error(void **state)
{
    struct world *w = *state;
    struct testhost_node *writer = sink(w);
    write_rows(w, writer, "+I[1, a]\n-D[2, ABSENT]\n");
    assert_int_equal(testhost_flush(writer, LEAT_FLUSH_DURABLE, WAIT), LEAT_OK);
    for (int i = 1; i < 12; i++) {
        struct testhost_node *n = source(w);
        atomic_store(&w->h->fail_alloc, i);
        leat_status st = testhost_source_start(n, w->schema);
        if (st == LEAT_OK)
            st = testhost_poll_rows(n, 2, WAIT);
        assert_true(st == LEAT_OK || st == LEAT_RESOURCE);
        atomic_store(&w->h->fail_alloc, 0);
        testhost_node_destroy(n);
    }
    testhost_node_destroy(writer);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(rows_pass),
        CASE(what_can_be_tried_again_is),
        CASE(a_later_request_proves_nothing),
        CASE(what_is_too_large_is_data),
        CASE(what_is_refused_fails_the_node),
        CASE(a_lost_broker_loses_nothing),
        CASE(a_full_writer_holds_back),
        CASE(large_rows_fill_several_chunks),
        CASE(rounds_of_refused_records_end),
        CASE(records_larger_than_the_queue_are_refused),
        CASE(an_end_with_unwritten_records_does_not_wait),
        CASE(memory_that_is_missing_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
