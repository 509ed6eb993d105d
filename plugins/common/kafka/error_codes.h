// SPDX-License-Identifier: Apache-2.0
// What the codes of both connectors mean, for the page of codes.
#ifndef KAFKA_ERROR_CODES_H
#define KAFKA_ERROR_CODES_H

#include <leat/plugin.h>

static const struct leat_code kafka_codes[] = {
    {"LEAT-K0100", "The options of a Kafka connector contradict each other.", "See the diagnostics beside it."},
    {"LEAT-K0101", "A property of the Kafka client is unknown, has a wrong value, or would lose rows.",
     "Leave it out or write what the hint says."},
    {"LEAT-K0115", "The source shall begin at its group's offsets but has no group.",
     "Give scan.startup.mode or properties.group.id."},
    {"LEAT-K0117", "Exactly-once is not available yet.",
     "Write at-least-once; an upsert topic is right with it as well."},
    {"LEAT-K0123", "The source has no schema.", "Add a schema section: a topic has no catalogue to ask."},
    {"LEAT-K0124", "An upsert-kafka source has no primary key.", "Give primary-key."},
    {"LEAT-K0126", "An upsert-kafka sink has no primary key.", "Give primary-key."},
    {"LEAT-K0127", "An entry of properties.bootstrap.servers is no address of a broker.", "Write host:port."},
    {"LEAT-K0201", "librdkafka could not make a client of these properties.", "See the text from librdkafka."},
    {"LEAT-K0208", "The Kafka client cannot be used any more.",
     "Nothing: the job is started again from its checkpoint."},
    {"LEAT-K0209", "A topic or partition vanished while it was read.",
     "Nothing: it is waited for, and its records are compared with those that were read."},
    {"LEAT-K0301", "Retention removed records that were not read yet.",
     "Raise the topic's retention; to go on with the rest, drop the node's state."},
    {"LEAT-K0302", "The saved position lies beyond the topic's end: it was created again or truncated.",
     "Find out what became of the topic; to read it from its beginning, drop the node's state."},
    {"LEAT-K0303", "The group has no committed offset and there is no reset policy.",
     "Give scan.startup.mode or properties.auto.offset.reset."},
    {"LEAT-K0304", "The offset to read next vanished while the source ran.", "As for LEAT-K0301."},
    {"LEAT-K0305", "A record has no key, or no value, where one is needed.", "Set on-error, or mend the topic."},
    {"LEAT-K0308", "The record that was read last is another one now: the topic was created again or lost its end.",
     "Find out what became of the topic; to read it from its beginning, drop the node's state."},
    {"LEAT-K0401", "A record could not be delivered.", "Nothing: the job is started again from its checkpoint."},
    {"LEAT-K0402", "A record is larger than properties.max.request.size.",
     "Raise it, and the topic's max.message.bytes."},
    {"LEAT-K0403", "The broker refused records as too large.", "Raise the topic's max.message.bytes."},
    {"LEAT-K0404", "A column of an upsert key is NULL.", "Filter such rows out before the sink, or set on-error."},
    {"LEAT-K0405", "The topic could not be created as it was asked for.", "See the text from the broker."},
};

#endif
