// SPDX-License-Identifier: Apache-2.0
// Topics that change behind the back of the plugins, on a real broker: build/tests/kafka_broker_topics, run with the
// broker's address in KAFKA_BOOTSTRAP by tests/integration/kafka.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "broker_kit.h"

// --- an administrator

// The error of a record that could not be written stays in *opaque.
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    *(rd_kafka_resp_err_t *)opaque = message->err;
}

static rd_kafka_t *client_open(rd_kafka_resp_err_t *delivered)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers(), text, sizeof text);
    rd_kafka_conf_set_opaque(conf, delivered);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
}

static rd_kafka_t *admin_open(void)
{
    return client_open(NULL);
}

static void wait_answer(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

// Waits for the answer and ends the administrator.
static void admin_close(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    wait_answer(queue);
    rd_kafka_destroy(rk);
}

static void delete_records(const char *topic, int64_t before)
{
    rd_kafka_t *rk = admin_open();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = before;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    admin_close(rk, queue);
}

static int partition_count(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *md = NULL;
    int count = -1;
    if (rd_kafka_metadata(rk, 1, NULL, &md, WAIT) == 0)
        for (int i = count = 0; i < md->topic_cnt; i++)
            if (strcmp(md->topics[i].topic, topic) == 0)
                count = md->topics[i].partition_cnt;
    if (md)
        rd_kafka_metadata_destroy(md);
    return count;
}

// The controller answers before the broker knows of them, and a client of that moment takes them for unknown: it would
// fail at once to write to one.
static void add_partitions(const char *topic, size_t count)
{
    char text[512];
    rd_kafka_t *rk = admin_open();
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(topic, count, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreatePartitions(rk, &more, 1, NULL, queue);
    rd_kafka_NewPartitions_destroy(more);
    wait_answer(queue);
    while (partition_count(rk, topic) != (int)count)
        ;
    rd_kafka_destroy(rk);
}

static void delete_topic(const char *topic)
{
    rd_kafka_t *rk = admin_open();
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopics(rk, &request, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(request);
    while (partition_count(rk, topic) != 0) // the request goes out with the first call
        ;
    admin_close(rk, queue);
}

static void produce(const char *topic, int32_t partition, const char *value)
{
    rd_kafka_resp_err_t delivered = RD_KAFKA_RESP_ERR__IN_PROGRESS;
    rd_kafka_t *rk = client_open(&delivered);
    assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                       RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     0);
    assert_int_equal(rd_kafka_flush(rk, WAIT), 0);
    assert_int_equal(delivered, 0);
    rd_kafka_destroy(rk);
}

// --- offsets that are not there, or mean something else

static void a_gap_is_refused(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("gap");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_state saved = {0};
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n+I[3, c]\n+I[4, d]\n");
    struct testhost_node *source = node(h, "kafka", LEAT_SOURCE, topic, "scan.startup.mode", "specific-offsets",
                                        "scan.startup.specific-offsets", "partition:0,offset:1", NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_save_state(source, &saved));
    testhost_node_destroy(source);
    delete_records(topic, 3);
    source = SOURCE(h, topic);
    assert_int_equal(testhost_source_resume(source, schema, &saved), LEAT_FATAL);
    char message[512];
    snprintf(message, sizeof message,
             "saved offset 1 of topic \"%s\", partition 0 lies before the first offset there, 3", topic);
    assert_string_equal(source->error.message, message);
    assert_string_equal(source->error.detail,
                        "Records 1 to 2 were removed by the topic's retention before they were read.");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

// Reads `rows` rows of the topic and keeps the state behind them.
static void read_and_save(struct testhost *h, const char *topic, uint64_t rows, struct testhost_state *saved)
{
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_poll_rows(source, rows, WAIT));
    good(source, testhost_save_state(source, saved));
    testhost_node_destroy(source);
}

static void another_topic_of_the_name_is_refused(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("reborn");
    struct testhost_state saved = {0};
    char message[512];
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n");
    read_and_save(h, topic, 2, &saved);
    delete_topic(topic);
    fill(h, "kafka", topic, "+I[1, x]\n+I[2, y]\n+I[3, z]\n"); // has grown past our offset
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_resume(source, testhost_schema(h, COLUMNS, NULL), &saved));
    assert_int_equal(testhost_poll_rows(source, 1, WAIT), LEAT_FATAL);
    snprintf(
        message, sizeof message,
        "the record at offset 1 of topic \"%s\", partition 0 is not the one that was read there, so saved offset 2 "
        "means nothing any more",
        topic);
    assert_string_equal(source->error.message, message);
    assert_int_equal(source->rows, 0);
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

static void a_topic_that_vanishes_is_told(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("vanish");
    struct testhost_state saved = {0};
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n");
    struct testhost_node *source = SOURCE(h, topic, "properties.topic.metadata.refresh.interval.ms", "200");
    good(source, testhost_source_start(source, testhost_schema(h, COLUMNS, NULL)));
    good(source, testhost_poll_rows(source, 2, WAIT));
    good(source, testhost_save_state(source, &saved));
    delete_topic(topic);
    assert_int_equal(testhost_poll_rows(source, 3, WAIT), LEAT_TRANSIENT);
    assert_string_equal(source->error.code, "LEAT-K0209");
    testhost_node_destroy(source);
    fill(h, "kafka", topic, "+I[1, x]\n");
    source = SOURCE(h, topic);
    assert_int_equal(testhost_source_resume(source, testhost_schema(h, COLUMNS, NULL), &saved), LEAT_FATAL);
    assert_string_equal(source->error.code, "LEAT-K0302");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

static void a_partition_that_is_gone_is_refused(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("fewer");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, NULL);
    struct testhost_state saved = {0};
    char message[512];
    fill(h, "kafka", topic, "+I[1, a]\n");
    add_partitions(topic, 2);
    produce(topic, 1, "2|b");
    read_and_save(h, topic, 2, &saved);
    delete_topic(topic);
    fill(h, "kafka", topic, "+I[1, a]\n"); // one partition again, and as long as it was
    struct testhost_node *source = SOURCE(h, topic);
    assert_int_equal(testhost_source_resume(source, schema, &saved), LEAT_FATAL);
    snprintf(message, sizeof message, "saved offset 1 of topic \"%s\", partition 1 is not there any more", topic);
    assert_string_equal(source->error.message, message);
    assert_string_equal(source->error.code, "LEAT-K0302");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

static void a_restart_behind_removed_records_goes_on(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("removed");
    struct testhost_state saved = {0};
    fill(h, "kafka", topic, "+I[1, a]\n+I[2, b]\n");
    read_and_save(h, topic, 2, &saved);
    delete_records(topic, 2); // all that was read, and nothing else
    fill(h, "kafka", topic, "+I[3, c]\n");
    struct testhost_node *source = SOURCE(h, topic);
    good(source, testhost_source_resume(source, testhost_schema(h, COLUMNS, NULL), &saved));
    good(source, testhost_poll_rows(source, 1, WAIT));
    assert_string_equal(testhost_rows(source), "+I[3, c]\n");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

static void several_topics_are_one_stream(void **state)
{
    struct testhost *h = host(state);
    const char *first = topic_name("several-a"), *second = topic_name("several-b");
    struct testhost_state saved = {0};
    char both[256];
    fill(h, "kafka", first, "+I[1, a]\n");
    fill(h, "kafka", second, "+I[2, b]\n");
    snprintf(both, sizeof both, "%s;%s", first, second);
    read_and_save(h, both, 2, &saved);
    fill(h, "kafka", second, "+I[3, c]\n");
    struct testhost_node *source = SOURCE(h, both);
    good(source, testhost_source_resume(source, testhost_schema(h, COLUMNS, NULL), &saved));
    good(source, testhost_poll_rows(source, 1, WAIT));
    assert_string_equal(testhost_rows(source), "+I[3, c]\n");
    testhost_node_destroy(source);
    testhost_state_fini(&saved);
}

// --- partitions

static void partitions_are_shared_and_found_later(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("parts");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    struct testhost_node *sink =
        node(h, "kafka", LEAT_SINK, topic, "sink.topic.partitions", "4", "sink.partitioner", "round-robin", NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_INSERT_ONLY, NULL));
    write_rows(sink, schema, "+I[1, a]\n+I[2, b]\n+I[3, c]\n+I[4, d]\n");
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    testhost_node_destroy(sink);
    struct testhost_node *two[2];
    for (uint32_t i = 0; i < 2; i++) {
        two[i] = SOURCE(h, topic, "scan.topic-partition-discovery.interval", "100ms");
        two[i]->open.instance = i;
        two[i]->open.instances = 2;
        good(two[i], testhost_source_start(two[i], schema));
        good(two[i], testhost_poll_rows(two[i], 2, WAIT));
        assert_int_equal(two[i]->rows, 2);
    }
    add_partitions(topic, 5);
    produce(topic, 4, "5|e");
    good(two[0], testhost_poll_rows(two[0], 3, WAIT));
    assert_non_null(strstr(testhost_rows(two[0]), "+I[5, e]"));
    testhost_node_destroy(two[0]);
    testhost_node_destroy(two[1]);
}

static struct testhost_node *table_sink(struct testhost *h, const char *topic, const struct testhost_state *saved)
{
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, "sink.topic.partitions", "2", NULL);
    good(sink, testhost_bind(sink, testhost_schema(h, COLUMNS, "id"), LEAT_MODE_UPSERT, "id"));
    good(sink, sink->component->sink->create(&sink->ctx, sink->bound, &sink->self));
    if (saved)
        good(sink, testhost_load_state(sink, saved));
    good(sink, testhost_open(sink, WAIT));
    return sink;
}

static void keys_stay_in_their_partitions(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("grown");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    const char *rows = "+I[1, a]\n+I[2, a]\n+I[3, a]\n+I[4, a]\n+I[5, a]\n+I[6, a]\n+I[7, a]\n+I[8, a]\n";
    struct testhost_state saved = {0};
    struct testhost_node *sink = table_sink(h, topic, NULL);
    write_rows(sink, schema, rows);
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    good(sink, testhost_save_state(sink, &saved));
    testhost_node_destroy(sink);
    add_partitions(topic, 5);
    sink = table_sink(h, topic, &saved);
    assert_non_null(strstr(testhost_log(sink), "warn topic-grown"));
    write_rows(sink, schema, rows);
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    testhost_node_destroy(sink);

    rd_kafka_t *rk = admin_open();
    int64_t low, high, total = 0;
    for (int32_t p = 0; p < 5; p++) {
        while (rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, WAIT) != 0)
            ;                          // a partition just added has no leader for a moment
        assert_int_equal(high % 2, 0); // each key twice in its partition
        assert_true(p < 2 || high == 0);
        total += high;
    }
    assert_int_equal(total, 16);
    rd_kafka_destroy(rk);
    testhost_state_fini(&saved);
}

// --- tables in topics that are none

static int warns(void *arg)
{
    return testhost_diag(arg, "cleanup.policy") != NULL;
}

static void expect_warning(struct testhost *h, struct testhost_node *n, const char *topic)
{
    char text[512];
    assert_true(testhost_run_until(h, warns, n, WAIT));
    snprintf(text, sizeof text,
             "topic \"%s\" is a table but has cleanup.policy=delete: retention removes rows that were not deleted",
             topic);
    assert_string_equal(n->diags->message, text);
    assert_string_equal(n->diags->code, "LEAT-K0407");
    snprintf(text, sizeof text,
             "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config "
             "cleanup.policy=compact",
             servers(), topic);
    assert_string_equal(n->diags->hint, text);
    assert_null(n->diags->next);
}

static void a_table_that_is_not_compacted_is_told(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("uncompacted");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    fill(h, "kafka", topic, "+I[1, a]\n"); // makes the topic
    struct testhost_node *sink = node(h, "upsert-kafka", LEAT_SINK, topic, NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    expect_warning(h, sink, topic);
    testhost_node_destroy(sink);
    struct testhost_node *source = node(h, "upsert-kafka", LEAT_SOURCE, topic, NULL);
    good(source, testhost_source_start(source, schema));
    expect_warning(h, source, topic);
    testhost_node_destroy(source);
}

static void a_table_that_is_compacted_is_not_told(void **state)
{
    struct testhost *h = host(state);
    const char *topic = topic_name("compacted");
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    fill(h, "upsert-kafka", topic, "+U[1, a]\n");
    struct testhost_node *source = node(h, "upsert-kafka", LEAT_SOURCE, topic, NULL);
    good(source, testhost_source_start(source, schema));
    good(source, testhost_poll_rows(source, 1, WAIT));
    testhost_run_for(h, 500);
    assert_null(source->diags);
    testhost_node_destroy(source);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_gap_is_refused),
        CASE(another_topic_of_the_name_is_refused),
        CASE(a_topic_that_vanishes_is_told),
        CASE(a_partition_that_is_gone_is_refused),
        CASE(a_restart_behind_removed_records_goes_on),
        CASE(several_topics_are_one_stream),
        CASE(partitions_are_shared_and_found_later),
        CASE(keys_stay_in_their_partitions),
        CASE(a_table_that_is_not_compacted_is_told),
        CASE(a_table_that_is_compacted_is_not_told),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
