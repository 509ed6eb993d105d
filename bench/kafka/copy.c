// SPDX-License-Identifier: Apache-2.0
// The rival of kafka → sql → kafka: a consumer and a producer of librdkafka, nothing between them. Values are passed on
// without being looked at or copied; delivery is as leat's sinks have it (idempotent, all replicas).
//
//     bench_kafka_copy SERVERS FROM TO COUNT     copies COUNT records of all partitions of FROM, waits for the last report
//
// One thread of ours takes records in batches and hands them on; delivery reports free them. Of the queue lengths and
// lingers that were tried (up to half a million records, 1 to 50 ms) these took the least CPU.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#define BATCH 1024

static long acknowledged;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_kafka_copy: %s: %s\n", what, why);
    exit(1);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    if (message->err)
        die("a record was not written", rd_kafka_err2str(message->err));
    rd_kafka_message_destroy(message->_private);
    acknowledged++;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers)
{
    static const char *const consumer[] = {
        "enable.auto.commit", "false", "enable.auto.offset.store", "false", "fetch.error.backoff.ms", "5", NULL};
    static const char *const producer[] = {"enable.idempotence",           "true", "acks", "all", "linger.ms", "1",
                                           "queue.buffering.max.messages", "8000", NULL};
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const *pairs = type == RD_KAFKA_CONSUMER ? consumer : producer;
    rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof text);
    for (; *pairs; pairs += 2)
        if (rd_kafka_conf_set(conf, pairs[0], pairs[1], text, sizeof text) != RD_KAFKA_CONF_OK)
            die("a property", text);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (!rk)
        die("no client", text);
    return rk;
}

// Begins to read every partition of the topic into one queue.
static rd_kafka_queue_t *start(rd_kafka_t *rk, rd_kafka_topic_t *topic)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    if (rd_kafka_metadata(rk, 0, topic, &md, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR || md->topics[0].err)
        die("no such topic", rd_kafka_topic_name(topic));
    for (int32_t p = 0; p < md->topics[0].partition_cnt; p++)
        rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue);
    rd_kafka_metadata_destroy(md);
    return queue;
}

// Hands the records over; what does not fit yet is offered again after reports.
static void pass_on(rd_kafka_t *rk, rd_kafka_topic_t *to, rd_kafka_message_t **in, int n)
{
    rd_kafka_message_t out[BATCH];
    int left = 0;
    for (int i = 0; i < n; i++) {
        if (in[i]->err)
            die("a record was not read", rd_kafka_message_errstr(in[i]));
        out[left++] = (rd_kafka_message_t){.payload = in[i]->payload,
                                           .len = in[i]->len,
                                           .key = in[i]->key,
                                           .key_len = in[i]->key_len,
                                           ._private = in[i]};
    }
    for (;;) {
        int refused = 0;
        rd_kafka_produce_batch(to, RD_KAFKA_PARTITION_UA, 0, out, left);
        for (int i = 0; i < left; i++)
            if (out[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                out[refused++] = out[i];
            else if (out[i].err)
                die("a record was refused", rd_kafka_err2str(out[i].err));
        if (!(left = refused))
            return;
        rd_kafka_poll(rk, 10);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage", "bench_kafka_copy SERVERS FROM TO COUNT");
    long count = strtol(argv[4], NULL, 10), handed = 0;
    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, argv[1]), *producer = client(RD_KAFKA_PRODUCER, argv[1]);
    rd_kafka_topic_t *from = rd_kafka_topic_new(consumer, argv[2], NULL);
    rd_kafka_topic_t *to = rd_kafka_topic_new(producer, argv[3], NULL);
    rd_kafka_queue_t *queue = start(consumer, from);
    while (handed < count) {
        rd_kafka_message_t *in[BATCH];
        ssize_t n = rd_kafka_consume_batch_queue(queue, 10, in, BATCH);
        if (n > 0)
            pass_on(producer, to, in, (int)n);
        handed += n > 0 ? n : 0;
        rd_kafka_poll(producer, 0);
    }
    while (acknowledged < handed)
        rd_kafka_poll(producer, 100);
    printf("%ld\n", acknowledged);
    return 0; // without taking the clients down, which is not copying
}
