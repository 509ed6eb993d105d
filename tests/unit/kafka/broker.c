// SPDX-License-Identifier: Apache-2.0
// The plugins kafka and upsert-kafka in testhost against a real broker: build/tests/kafka_broker, run with the broker's
// address in KAFKA_BOOTSTRAP by tests/integration/kafka. What becomes of topics is in broker_topics.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_kit.h"

static void rows_come_back(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("back");
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, NULL]\n+I[3, ]\n");
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_poll_rows(source, 3, WAIT));
    assert_string_equal(testhost_rows(source), "+I[1, a]\n+I[2, NULL]\n+I[3, ]\n");
    assert_int_equal(source->ports.items[0].mode, LEAT_MODE_INSERT_ONLY);
    assert_int_equal(source->emitted->batch->positions[1], 1);
    assert_int_equal(testhost_metric(source, "leat_kafka_received_records_total"), 3);
    testhost_node_destroy(source);
}

static void batches_outlive_their_source(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("outlive");
    fill(h, "kafka", topic, "+I[1, a name that is not copied]\n");
    struct testhost_node *source = SOURCE(h, topic);
    struct testhost_node *keeper = testhost_bare(h);
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_poll_rows(source, 1, WAIT));
    struct leat_batch *b = source->emitted->batch;
    b->host->batch_ref(b);
    testhost_node_destroy(source);
    keeper->ctx.host->emit(&keeper->ctx, 0, b);
    assert_string_equal(testhost_rows(keeper), "+I[1, a name that is not copied]\n");
    testhost_node_destroy(keeper);
    testhost_run_for(h, 300); // the handle is destroyed on a thread of its own
}

static void a_restart_goes_on_where_it_was(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("restart");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_state saved = {0};
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n");
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 2, WAIT));
    good(source, testhost_save_state(source, &saved));
    good(source, testhost_complete(source, 1));
    testhost_node_destroy(source);
    fill(h, "kafka", topic, "+I[3, c]\n");
    source = SOURCE(h, topic);
    good(source, testhost_source_resume(source, schema, &saved));
    good(source, testhost_poll_rows(source, 1, WAIT));
    assert_string_equal(testhost_rows(source), "+I[3, c]\n");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

static void a_table_comes_back(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("table");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS ", city STRING", "id");
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    assert_int_equal(sink->sink_plan.mode, LEAT_MODE_UPSERT);
    write_rows(sink, schema, "+I[1, a, x]\n+I[2, b, y]\n-D[1, ABSENT, ABSENT]\n+U[2, c, NULL]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    struct leat_batch *b = testhost_batch(sink, schema, "+I[3, d, z]\n+I[NULL, x, y]\n");
    assert_int_equal(testhost_write(sink, b, WAIT), LEAT_DATA);
    assert_string_equal(sink->error.message, "column \"id\" of the key is NULL");
    leat_batch_unref(b);
    testhost_node_destroy(sink);

    struct testhost_node *source = node(h, "upsert-kafka", LEAT_SOURCE, topic, NULL);
    good(source, testhost_source_start(source, schema));
    assert_int_equal(source->ports.items[0].mode, LEAT_MODE_UPSERT);
    good(source, testhost_poll_rows(source, 4, WAIT));
    assert_string_equal(testhost_rows(source), "+U[1, a, x]\n+U[2, b, y]\n-D[1, ABSENT, ABSENT]\n+U[2, c, NULL]\n");
    testhost_node_destroy(source);
}

static void key_columns_come_from_the_key(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("prefix");
    const struct leat_schema *schema = testhost_schema(h, "k_id BIGINT NOT NULL, name STRING", "k_id");
    struct testhost_node *sink = node(h, "kafka", LEAT_SINK, topic, "key.format", "line", "key.fields", "k_id",
                                      "key.fields-prefix", "k_", "value.fields-include", "EXCEPT_KEY", NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_INSERT_ONLY, NULL));
    write_rows(sink, schema, "+I[1, a]\n+I[2, b]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    testhost_node_destroy(sink);
    struct testhost_node *source = SOURCE(h, topic, "key.format", "line", "key.fields", "k_id", "key.fields-prefix",
                                          "k_", "value.fields-include", "EXCEPT_KEY");
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 2, WAIT));
    assert_string_equal(testhost_rows(source), "+I[1, a]\n+I[2, b]\n");
    testhost_node_destroy(source);
}

static void the_newest_row_of_a_key_is_kept(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("reduce");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, "sink.buffer-flush.max-rows", "1000",
                                      "sink.buffer-flush.interval", "1h", NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    write_rows(sink, schema, "+I[1, a]\n+I[2, b]\n+U[1, c]\n-D[2, ABSENT]\n+I[3, d]\n+U[3, e]\n");
    assert_int_equal(testhost_metric(sink, "leat_kafka_sent_records_total"), 0);
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    assert_int_equal(testhost_metric(sink, "leat_kafka_sent_records_total"), 3);
    testhost_node_destroy(sink);
    struct testhost_node *source = node(h, "upsert-kafka", LEAT_SOURCE, topic, NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 3, WAIT));
    assert_string_equal(testhost_rows(source), "+U[1, c]\n-D[2, ABSENT]\n+U[3, e]\n");
    testhost_node_destroy(source);
}

static void the_end_is_the_end(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("bounded");
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n+I[3, c]\n");
    struct testhost_node *source = SOURCE(h, topic, "scan.bounded.mode", "latest-offset");
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    fill(h, "kafka", topic, "+I[4, d]\n");
    assert_int_equal(testhost_poll_rows(source, 100, WAIT), LEAT_END);
    assert_string_equal(testhost_rows(source), "+I[1, a]\n+I[2, b]\n+I[3, c]\n");
    testhost_node_destroy(source);

    source = node(h, "kafka", LEAT_SOURCE, topic, "scan.startup.mode", "specific-offsets",
                  "scan.startup.specific-offsets", "partition:0,offset:1", "scan.bounded.mode", "specific-offsets",
                  "scan.bounded.specific-offsets", "partition:0,offset:2", NULL);
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    assert_int_equal(testhost_poll_rows(source, 100, WAIT), LEAT_END);
    assert_string_equal(testhost_rows(source), "+I[2, b]\n");
    testhost_node_destroy(source);
}

static int is_caught_up(void *arg)
{
    return ((struct testhost_node *)arg)->caught_up;
}

static int is_settled_asked(void *arg)
{
    return ((struct testhost_node *)arg)->settled_asked[0] != 0;
}

static void a_reader_knows_when_it_has_everything(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("catchup");
    struct testhost_node *sink = node(h, "kafka", LEAT_SINK, topic, "sink.topic.partitions", "3", NULL);
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_INSERT_ONLY, NULL));
    write_rows(sink, schema, "+I[1, a]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    struct testhost_node *source = SOURCE(h, topic);
    source->open.catch_up = 1;
    source->settled = 0;
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_until(source, is_settled_asked, source, WAIT));
    assert_string_equal(source->settled_asked, source->source_plan.resource);
    assert_string_equal(source->settled_asked, sink->sink_plan.resource);
    good(source, testhost_poll_rows(source, 1, WAIT));
    assert_int_equal(source->caught_up, 0);
    write_rows(sink, schema, "+I[2, b]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    source->settled = 1;
    good(source, testhost_poll_until(source, is_caught_up, source, WAIT));
    assert_int_equal(source->rows, 2);
    testhost_node_destroy(source);
    testhost_node_destroy(sink);
}

static void an_empty_topic_is_caught_up_at_once(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("empty");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_node *sink = node(h, "kafka", LEAT_SINK, topic, NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_INSERT_ONLY, NULL));
    struct testhost_node *source = SOURCE(h, topic);
    source->open.catch_up = 1;
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_until(source, is_caught_up, source, WAIT));
    testhost_node_destroy(source);
    testhost_node_destroy(sink);
}

static int says_missing(void *arg)
{
    return strstr(((struct testhost_node *)arg)->status, "does not exist yet") != NULL;
}

static void a_missing_topic_is_waited_for(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("missing");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_describe(source, schema));
    good(source, testhost_source_create(source));
    assert_int_equal(testhost_open(source, 100), LEAT_AGAIN);
    assert_true(testhost_run_until(h, says_missing, source, WAIT));
    struct testhost_node *sink = node(h, "kafka", LEAT_SINK, topic, "sink.topic.create.enabled", "false", NULL);
    good(sink, testhost_bind(sink, schema, LEAT_MODE_INSERT_ONLY, NULL));
    good(sink, sink->component->sink->create(&sink->ctx, sink->bound, &sink->self));
    assert_int_equal(testhost_open(sink, 100), LEAT_AGAIN);
    assert_true(testhost_run_until(h, says_missing, sink, WAIT));
    fill(h, "kafka", topic, "+I[1, a]\n");
    good(source, testhost_open(source, WAIT));
    good(sink, testhost_open(sink, WAIT));
    good(source, testhost_poll_rows(source, 1, WAIT));
    testhost_node_destroy(source);
    testhost_node_destroy(sink);
}

static void closing_does_not_wait_for_what_is_missing(void **state)
{
    struct testhost *h = host(state);
    struct testhost_node *source = SOURCE(h, topic_name("never"));
    good(source, testhost_describe(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_source_create(source));
    assert_int_equal(testhost_open(source, 200), LEAT_AGAIN);
    good(source, testhost_close(source, WAIT));
    testhost_node_destroy(source);
    source = SOURCE(h, topic_name("never"));
    good(source, testhost_describe(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_source_create(source));
    assert_int_equal(testhost_open(source, 20), LEAT_AGAIN);
    source->component->source->destroy(&source->ctx, source->self); // without close, as after a failure
    source->self = NULL;
    testhost_node_destroy(source);
    testhost_run_for(h, 500);
}

static void poison_is_named(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("poison");
    // two fields more than the reader's schema has
    const struct leat_schema *wide = testhost_schema(h, "id BIGINT, name STRING, x STRING, y STRING", NULL);
    fill(h, "kafka", topic, "+I[1, a]\n");
    struct testhost_node *sink = node(h, "kafka", LEAT_SINK, topic, NULL);
    good(sink, testhost_sink_start(sink, wide, LEAT_MODE_INSERT_ONLY, NULL));
    write_rows(sink, wide, "+I[2, b, c, d]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    testhost_node_destroy(sink);
    fill(h, "kafka", topic, "+I[3, c]\n");

    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    assert_int_equal(testhost_poll_rows(source, 3, WAIT), LEAT_DATA);
    char where[256];
    snprintf(where, sizeof where, "topic %s, partition 0, offset 1", topic);
    assert_string_equal(source->bad_rows->where, where);
    assert_string_equal(source->bad_rows->raw, "2|b|c|d");
    testhost_node_destroy(source);

    source = SOURCE(h, topic);
    source->skip_bad_rows = 1;
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_poll_rows(source, 2, WAIT));
    assert_string_equal(testhost_rows(source), "+I[1, a]\n+I[3, c]\n");
    testhost_node_destroy(source);
}

static void a_row_that_cannot_be_written_is_told_once(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("unwritable");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, NULL);
    sink->skip_bad_rows = 1;
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    write_rows(sink, schema, "+I[1, a]\n+I[2, unwritable]\n-D[3, ABSENT]\n+I[NULL, b]\n+I[4, unwritable]\n+I[5, c]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    int n = 0;
    for (struct testhost_bad_row *bad = sink->bad_rows; bad; bad = bad->next)
        n++;
    assert_int_equal(n, 3);
    testhost_node_destroy(sink);
    struct testhost_node *source = node(h, "upsert-kafka", LEAT_SOURCE, topic, NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 3, WAIT));
    assert_string_equal(testhost_rows(source), "+U[1, a]\n-D[3, ABSENT]\n+U[5, c]\n");
    testhost_node_destroy(source);
}

static void what_is_too_large_is_named(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("large");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    char rows[3000], message[300];
    memset(rows, 'x', sizeof rows);
    memcpy(rows, "+I[7, ", 6);
    memcpy(rows + sizeof rows - 3, "]\n", 3);
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, "properties.max.request.size", "2000", NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    struct leat_batch *b = testhost_batch(sink, schema, rows);
    leat_status st = testhost_write(sink, b, WAIT);
    assert_int_equal(st == LEAT_OK ? testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT) : st, LEAT_DATA);
    snprintf(message, sizeof message,
             "a record of 2994 bytes for topic \"%s\" is larger than properties.max.request.size, 2000", topic);
    assert_string_equal(sink->error.message, message);
    assert_string_equal(sink->error.detail, "Its key is 7.");
    leat_batch_unref(b);
    testhost_node_destroy(sink);
}

static void committed_offsets_are_for_monitoring(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("group");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_state saved = {0};
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n");
    struct testhost_node *source = node(h, "kafka", LEAT_SOURCE, topic, "properties.group.id", topic, NULL);
    assert_int_equal(testhost_source_start(source, schema), LEAT_FATAL);
    assert_non_null(strstr(source->error.message, "the group has no committed offset"));
    testhost_node_destroy(source);
    source = node(h, "kafka", LEAT_SOURCE, topic, "properties.group.id", topic, "properties.auto.offset.reset",
                  "earliest", NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 2, WAIT));
    good(source, testhost_save_state(source, &saved));
    good(source, testhost_complete(source, 1));
    testhost_run_for(h, 500);
    testhost_node_destroy(source);
    fill(h, "kafka", topic, "+I[3, c]\n");
    source = node(h, "kafka", LEAT_SOURCE, topic, "properties.group.id", topic, NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 1, WAIT));
    assert_string_equal(testhost_rows(source), "+I[3, c]\n");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_come_back),
        CASE(batches_outlive_their_source),
        CASE(a_restart_goes_on_where_it_was),
        CASE(a_table_comes_back),
        CASE(key_columns_come_from_the_key),
        CASE(the_newest_row_of_a_key_is_kept),
        CASE(the_end_is_the_end),
        CASE(a_reader_knows_when_it_has_everything),
        CASE(an_empty_topic_is_caught_up_at_once),
        CASE(a_missing_topic_is_waited_for),
        CASE(closing_does_not_wait_for_what_is_missing),
        CASE(poison_is_named),
        CASE(a_row_that_cannot_be_written_is_told_once),
        CASE(what_is_too_large_is_named),
        CASE(committed_offsets_are_for_monitoring),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
