// SPDX-License-Identifier: Apache-2.0
// See topic.h. Asking comes before creating, which takes a broker several times as long. That asking does not create the
// topic with the broker's settings, which are not ours, is allow.auto.create.topics = false of conf.c.
#include "topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS    5000
#define RETRY_MS   300
#define CREATED_MS 20 // until a topic that was just created is known

// What a step says: go on, there is no such topic, try again later, or give up.
enum step { GOOD, ABSENT, LATER, FAILED };

static enum step refuse(struct kafka_topic_job *t, rd_kafka_resp_err_t err, const char *what, const char *text)
{
    snprintf(t->message, sizeof t->message, "could not %s topic \"%s\"", what, t->topic);
    snprintf(t->native, sizeof t->native, "%s: %s", rd_kafka_err2name(err), text ? text : rd_kafka_err2str(err));
    t->failure = LEAT_CONFIG;
    return FAILED;
}

static int is_refusal(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS || err == RD_KAFKA_RESP_ERR_INVALID_CONFIG ||
           err == RD_KAFKA_RESP_ERR_POLICY_VIOLATION || err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
           err == RD_KAFKA_RESP_ERR_INVALID_REQUEST || err == RD_KAFKA_RESP_ERR__INVALID_ARG;
}

static enum step created(struct kafka_control *c, struct kafka_topic_job *t, rd_kafka_event_t *event)
{
    size_t n = 0;
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    const rd_kafka_CreateTopics_result_t *result = err ? NULL : rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics = result ? rd_kafka_CreateTopics_result_topics(result, &n) : NULL;
    if (n == 1) {
        err = rd_kafka_topic_result_error(topics[0]);
        text = rd_kafka_topic_result_error_string(topics[0]);
    }
    t->created = !err;
    if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return GOOD;
    if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return GOOD; // somebody else may make it: wait for it, which says so when it is not there
    if (is_refusal(err))
        return refuse(t, err, "create", text);
    if (err > 0)
        kafka_job_status(c, "waiting to create topic \"%s\": %s", t->topic, text ? text : rd_kafka_err2str(err));
    return LATER;
}

static rd_kafka_NewTopic_t *new_topic(struct kafka_topic_job *t, rd_kafka_resp_err_t *err, char *text, size_t size)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(t->topic, t->partitions, t->replication, text, size);
    *err = RD_KAFKA_RESP_ERR__INVALID_ARG;
    if (topic && t->compact)
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    return topic;
}

static enum step create(struct kafka_control *c, struct kafka_topic_job *t)
{
    char text[256] = "";
    rd_kafka_resp_err_t err;
    rd_kafka_t *rk = t->client->rk;
    rd_kafka_NewTopic_t *topic = new_topic(t, &err, text, sizeof text);
    if (!topic)
        return refuse(t, err, "create", text);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, CALL_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    rd_kafka_event_t *event = NULL;
    while (!event && !kafka_job_interrupted(c)) // the request has a time-out of its own, so an event comes
        event = rd_kafka_queue_poll(queue, 100);
    enum step s = event ? created(c, t, event) : LATER;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    return s;
}

static enum step count_partitions(struct kafka_control *c, struct kafka_topic_job *t)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(t->client->rk, t->topic, NULL);
    rd_kafka_resp_err_t err = rkt ? rd_kafka_metadata(t->client->rk, 0, rkt, &md, CALL_MS) : rd_kafka_last_error();
    if (!err && md && md->topic_cnt == 1) {
        err = md->topics[0].err;
        t->partition_count = md->topics[0].partition_cnt;
    }
    if (md)
        rd_kafka_metadata_destroy(md);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
    if (err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
        return refuse(t, err, "use", NULL);
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return ABSENT;
    if (err > 0)
        kafka_job_status(c, "waiting for topic \"%s\": %s", t->topic, rd_kafka_err2str(err));
    return err || t->partition_count < 1 ? LATER : GOOD;
}

// Of a topic that is not there. One that was just created may not be known to every broker yet.
static enum step make(struct kafka_control *c, struct kafka_topic_job *t)
{
    if (!t->create) {
        kafka_job_status(c, "waiting for topic \"%s\", which does not exist yet", t->topic);
        return LATER;
    }
    enum step s = create(c, t);
    if (s == GOOD) {
        t->create = 0;
        s = count_partitions(c, t);
    }
    return s == ABSENT ? LATER : s;
}

static void run(struct kafka_control *c, struct kafka_job *job)
{
    struct kafka_topic_job *t = (struct kafka_topic_job *)(void *)job;
    enum step s = LATER;
    while (!kafka_job_interrupted(c)) {
        s = count_partitions(c, t);
        if (s == ABSENT)
            s = make(c, t);
        if (s != LATER || kafka_job_sleep(c, t->created ? CREATED_MS : RETRY_MS))
            break;
    }
    if (s == LATER)
        t->failure = LEAT_AGAIN;
}

static void drop(struct kafka_job *job)
{
    kafka_topic_job_destroy((struct kafka_topic_job *)(void *)job);
}

struct kafka_topic_job *kafka_topic_job_create(struct kafka_client *client, const struct kafka_options *o, int compact)
{
    struct kafka_topic_job *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    kafka_client_ref(client);
    *t = (struct kafka_topic_job){.job = {.run = run, .drop = drop},
                                  .client = client,
                                  .topic = strdup(o->topic.items[0]),
                                  .create = o->create_topic,
                                  .compact = (uint8_t)compact,
                                  .partitions = o->partitions == LEAT_UNSET ? 1 : (int)o->partitions,
                                  .replication = o->replication == LEAT_UNSET ? -1 : (int)o->replication};
    if (t->topic)
        return t;
    kafka_topic_job_destroy(t);
    return NULL;
}

void kafka_topic_job_destroy(struct kafka_topic_job *t)
{
    if (!t)
        return;
    kafka_client_unref(t->client, 0);
    free(t->topic);
    free(t);
}
