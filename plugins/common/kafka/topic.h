// SPDX-License-Identifier: Apache-2.0
// Sees to it that a sink's topic is there: creates it where that is wanted, and waits for it where it is not. Runs on
// the helper thread.
#ifndef KAFKA_TOPIC_H
#define KAFKA_TOPIC_H

#include "client.h"
#include "control.h"

struct kafka_topic_job {
    struct kafka_job job;
    struct kafka_client *client;
    char *topic;
    uint8_t create;
    uint8_t compact; // created with cleanup.policy=compact
    int partitions;
    int replication; // -1 = the broker's default
    // the answer
    int32_t partition_count;
    uint8_t created;
    leat_status failure; // LEAT_OK, LEAT_AGAIN = interrupted
    char message[512];
    char native[256];
};

// NULL = no memory.
struct kafka_topic_job *kafka_topic_job_create(struct kafka_client *client, const struct kafka_options *o, int compact);
void kafka_topic_job_destroy(struct kafka_topic_job *t);

#endif
