// SPDX-License-Identifier: Apache-2.0
// See policy.h.
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 5000

rd_kafka_queue_t *kafka_policy_ask(struct kafka_client *client, const struct leat_strings *topics)
{
    char text[256];
    rd_kafka_ConfigResource_t **asked = calloc(topics->count, sizeof *asked);
    if (!asked)
        return NULL;
    for (uint32_t i = 0; i < topics->count; i++) {
        asked[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics->items[i]);
        rd_kafka_ConfigResource_set_config(asked[i], "cleanup.policy", ""); // only this one
    }
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, CALL_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    kafka_client_add_queue(client, queue);
    rd_kafka_DescribeConfigs(client->rk, asked, topics->count, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(asked, topics->count);
    free(asked);
    return queue;
}

// The value of cleanup.policy, or NULL when it was not told.
static const char *policy_of(const rd_kafka_ConfigResource_t *topic)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(topic, &n);
    for (size_t i = 0; i < n && !rd_kafka_ConfigResource_error(topic); i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

static void look_at(struct leat_ctx *ctx, const struct kafka_options *o, const rd_kafka_ConfigResource_t *topic)
{
    char hint[1024];
    const char *name = rd_kafka_ConfigResource_name(topic), *policy = policy_of(topic);
    if (!policy || strstr(policy, "compact"))
        return;
    snprintf(hint, sizeof hint,
             "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config "
             "cleanup.policy=compact",
             o->servers, name);
    leat_diag(ctx, LEAT_DIAG_WARNING, "LEAT-K0407", "topic", 0, hint,
              "topic \"%s\" is a table but has cleanup.policy=%s: retention removes rows that were not deleted", name,
              policy);
}

void kafka_policy_take(struct leat_ctx *ctx, const struct kafka_options *o, rd_kafka_queue_t **queue)
{
    size_t n = 0;
    rd_kafka_event_t *event = *queue ? rd_kafka_queue_poll(*queue, 0) : NULL;
    if (!event)
        return;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **topics = result ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        look_at(ctx, o, topics[i]);
    rd_kafka_event_destroy(event);
    kafka_policy_drop(queue);
}

void kafka_policy_drop(rd_kafka_queue_t **queue)
{
    if (*queue)
        rd_kafka_queue_destroy(*queue);
    *queue = NULL;
}
