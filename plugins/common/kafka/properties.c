// SPDX-License-Identifier: Apache-2.0
// See properties.h. The names are those of Kafka 3.4 to 4.1 and of Flink's connector; a name that ends in '*' stands for
// all that begin so and have no row of their own.
#include "properties.h"

#include <string.h>

#include "conf.h"

#define BOTH (KAFKA_CONSUMER | KAFKA_PRODUCER)

#define FORMATS      "The pipeline's formats turn bytes into rows. Leave it out and use format, key.format and value.format."
#define JVM          "It is a class of the Java client and means nothing here. Leave it out."
#define ASSIGNED     "Partitions are assigned by leat, not by the consumer group. Leave it out."
#define ACKS         "A record is only safe when all in-sync replicas have it. Leave it out."
#define OFFSETS      "Offsets live in the checkpoints; a commit before them would lose rows after a crash. Leave it out."
#define EXACTLY_ONCE "Exactly-once is not available yet. Leave it out."
#define NO_DROP                                                                                                        \
    "Records would be dropped when the broker is away for longer. Leave it out: leat waits and says so in its health."
#define PROTOCOL "OpenSSL's own choice is used. Restrict it by properties.ssl.cipher.suites if you must."

#define METRICS       "Metrics are at /metrics. Leave it out."
#define BOOTSTRAP     "The brokers of properties.bootstrap.servers are tried again and again. Leave it out."
#define LEVEL         "Write properties.compression.level, which is that of properties.compression.type."
#define ANY_PARTITION "Records without a key go to any partition. Leave it out."
#define TICKETS                                                                                                        \
    "properties.sasl.kerberos.kinit.cmd runs every properties.sasl.kerberos.min.time.before.relogin. Leave it out."
#define NO_OAUTH                                                                                                       \
    "librdkafka has sasl.oauthbearer.method, .client.id, .client.secret, .scope and .token.endpoint.url, where it "    \
    "was "                                                                                                             \
    "built with libcurl. Write those, or log in by SCRAM."

#define OURS(name, roles)                                                                                              \
    {                                                                                                                  \
        name, roles, KAFKA_OURS, NULL, NULL                                                                            \
    }
#define OF_SOURCES(name)                                                                                               \
    {                                                                                                                  \
        name, KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL                                                                   \
    }
#define OF_SINKS(name)                                                                                                 \
    {                                                                                                                  \
        name, KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL                                                                   \
    }
#define FIXED(name, roles, value, why)                                                                                 \
    {                                                                                                                  \
        name, roles, KAFKA_FIXED, value, why                                                                           \
    }
#define REFUSED(name, roles, why)                                                                                      \
    {                                                                                                                  \
        name, roles, KAFKA_REFUSE, NULL, why                                                                           \
    }
#define EXPLAINED(name, roles, why)                                                                                    \
    {                                                                                                                  \
        name, roles, KAFKA_EXPLAIN, NULL, why                                                                          \
    }

static const struct kafka_rule rules[] = {
    OURS("bootstrap.servers", BOTH),
    REFUSED("metadata.broker.list", BOTH, "Write properties.bootstrap.servers."),
    OURS("group.id", BOTH),
    OURS("auto.offset.reset", KAFKA_CONSUMER),
    OURS("commit.offsets.on.checkpoint", KAFKA_CONSUMER),
    OURS("sasl.jaas.config", BOTH),
    OURS("ssl.truststore.location", BOTH),
    OURS("ssl.truststore.type", BOTH),
    OURS("ssl.truststore.password", BOTH),
    OURS("ssl.keystore.location", BOTH),
    OURS("ssl.keystore.type", BOTH),
    OURS("ssl.endpoint.identification.algorithm", BOTH),
    {"ssl.truststore.certificates", BOTH, KAFKA_RENAME, "ssl.ca.pem", NULL},
    {"ssl.keystore.certificate.chain", BOTH, KAFKA_RENAME, "ssl.certificate.pem", NULL},
    {"ssl.keystore.key", BOTH, KAFKA_RENAME, "ssl.key.pem", NULL},
    REFUSED("ssl.protocol", BOTH, PROTOCOL),
    REFUSED("ssl.enabled.protocols", BOTH, PROTOCOL),
    REFUSED("ssl.provider", BOTH, JVM),
    REFUSED("ssl.keymanager.algorithm", BOTH, JVM),
    REFUSED("ssl.trustmanager.algorithm", BOTH, JVM),
    REFUSED("ssl.secure.random.implementation", BOTH, JVM),
    REFUSED("ssl.engine.factory.class", BOTH, JVM),
    REFUSED("sasl.login.class", BOTH, JVM),
    REFUSED("sasl.login.callback.handler.class", BOTH, JVM),
    REFUSED("sasl.client.callback.handler.class", BOTH, JVM),
    {"send.buffer.bytes", BOTH, KAFKA_RENAME, "socket.send.buffer.bytes", NULL},
    {"receive.buffer.bytes", BOTH, KAFKA_RENAME, "socket.receive.buffer.bytes", NULL},
    {"fetch.max.wait.ms", KAFKA_CONSUMER, KAFKA_RENAME, "fetch.wait.max.ms", NULL},
    {"max.request.size", KAFKA_PRODUCER, KAFKA_RENAME, "message.max.bytes", NULL},
    {"buffer.memory", KAFKA_PRODUCER, KAFKA_KBYTES, "queue.buffering.max.kbytes", NULL},
    FIXED("enable.idempotence", KAFKA_PRODUCER, "true",
          "Without it a retry may change the order of rows or write them twice. Leave it out."),
    FIXED("acks", KAFKA_PRODUCER, "all", ACKS),
    FIXED("request.required.acks", KAFKA_PRODUCER, "all", ACKS),
    REFUSED("delivery.timeout.ms", KAFKA_PRODUCER, NO_DROP),
    REFUSED("message.timeout.ms", KAFKA_PRODUCER, NO_DROP),
    REFUSED("retries", KAFKA_PRODUCER, NO_DROP),
    REFUSED("message.send.max.retries", KAFKA_PRODUCER, NO_DROP),
    REFUSED("max.block.ms", KAFKA_PRODUCER,
            "A full queue holds the sources back, nothing is waited for. Leave it out."),
    REFUSED("transactional.id", KAFKA_PRODUCER, EXACTLY_ONCE),
    REFUSED("partitioner", KAFKA_PRODUCER, "Write sink.partitioner."),
    REFUSED("partitioner.class", KAFKA_PRODUCER, "Write sink.partitioner."),
    REFUSED("key.serializer", BOTH, FORMATS),
    REFUSED("value.serializer", BOTH, FORMATS),
    REFUSED("key.deserializer", BOTH, FORMATS),
    REFUSED("value.deserializer", BOTH, FORMATS),
    FIXED("enable.auto.commit", KAFKA_CONSUMER, "false", OFFSETS),
    FIXED("auto.commit.enable", KAFKA_CONSUMER, "false", OFFSETS),
    FIXED("enable.auto.offset.store", KAFKA_CONSUMER, "false", OFFSETS),
    REFUSED("auto.commit.interval.ms", KAFKA_CONSUMER, "Offsets are committed after each checkpoint. Leave it out."),
    FIXED("enable.partition.eof", KAFKA_CONSUMER, "true", "leat needs it to know where the end is. Leave it out."),
    REFUSED("partition.assignment.strategy", KAFKA_CONSUMER, ASSIGNED),
    REFUSED("group.instance.id", KAFKA_CONSUMER, ASSIGNED),
    REFUSED("max.poll.records", KAFKA_CONSUMER, "Rows come in batches of up to 1024. Leave it out."),
    REFUSED("partition.discovery.interval.ms", KAFKA_CONSUMER, "Write scan.topic-partition-discovery.interval."),
    REFUSED("default.api.timeout.ms", BOTH, "leat tries again until it succeeds. Leave it out."),
    REFUSED("exclude.internal.topics", KAFKA_CONSUMER, "Topics are named by the option topic. Leave it out."),
    REFUSED("interceptor.classes", BOTH, JVM),
    REFUSED("metric.reporters", BOTH, METRICS),
    REFUSED("metrics.num.samples", BOTH, METRICS),
    REFUSED("metrics.recording.level", BOTH, METRICS),
    REFUSED("metrics.sample.window.ms", BOTH, METRICS),
    REFUSED("register.consumer.metrics", BOTH, METRICS),
    REFUSED("plugin.library.paths", BOTH, "Libraries are loaded from leat's own plugin folder only."),
    REFUSED("log.queue", BOTH, "leat reads the client's log itself. Leave it out."),
    // names of the Java client, of Kafka 4.1 and before, that librdkafka has not
    EXPLAINED("auto.include.jmx.reporter", BOTH, METRICS),
    EXPLAINED("enable.metrics.push", BOTH, METRICS),
    EXPLAINED("client.dns.lookup", BOTH, "All addresses of a name are tried in turn. Leave it out."),
    EXPLAINED("compression.gzip.level", KAFKA_PRODUCER, LEVEL),
    EXPLAINED("compression.lz4.level", KAFKA_PRODUCER, LEVEL),
    EXPLAINED("compression.zstd.level", KAFKA_PRODUCER, LEVEL),
    REFUSED("group.protocol", KAFKA_CONSUMER, ASSIGNED),
    REFUSED("group.remote.assignor", KAFKA_CONSUMER, ASSIGNED),
    EXPLAINED("internal.leave.group.on.close", KAFKA_CONSUMER, ASSIGNED),
    EXPLAINED("internal.throw.on.fetch.stable.offset.unsupported", KAFKA_CONSUMER, "Leave it out."),
    EXPLAINED("metadata.max.idle.ms", KAFKA_PRODUCER, "A sink has one topic, which it never forgets. Leave it out."),
    EXPLAINED("metadata.recovery.strategy", BOTH, BOOTSTRAP),
    EXPLAINED("metadata.recovery.rebootstrap.trigger.ms", BOTH, BOOTSTRAP),
    EXPLAINED("partitioner.adaptive.partitioning.enable", KAFKA_PRODUCER, ANY_PARTITION),
    EXPLAINED("partitioner.availability.timeout.ms", KAFKA_PRODUCER, ANY_PARTITION),
    EXPLAINED("partitioner.ignore.keys", KAFKA_PRODUCER,
              "Records of one key keep their order, so they go to one partition. Leave it out."),
    EXPLAINED("retry.backoff.max.ms", BOTH,
              "All pauses between tries are as long: write properties.retry.backoff.ms for a sink, or leave it out."),
    EXPLAINED("sasl.kerberos.ticket.renew.jitter", BOTH, TICKETS),
    EXPLAINED("sasl.kerberos.ticket.renew.window.factor", BOTH, TICKETS),
    EXPLAINED("sasl.login.*", BOTH, "librdkafka logs in and renews the login of itself. Leave it out."),
    EXPLAINED("sasl.oauthbearer.*", BOTH, NO_OAUTH),
    EXPLAINED("security.providers", BOTH, JVM),
    EXPLAINED("share.acknowledgement.mode", KAFKA_CONSUMER, "Share groups are not read. Leave it out."),
    EXPLAINED("socket.connection.setup.timeout.max.ms", BOTH,
              "All tries to connect have the same time: write properties.socket.connection.setup.timeout.ms, or leave "
              "it out."),
    EXPLAINED("transaction.two.phase.commit.enable", KAFKA_PRODUCER, EXACTLY_ONCE),
    // Flink's own
    EXPLAINED("client.id.prefix", BOTH, "Write properties.client.id."),
    EXPLAINED("flink.disable-metrics", BOTH, METRICS),
    EXPLAINED("flink.poll-timeout", KAFKA_CONSUMER, "Records are taken as they come. Leave it out."),
    EXPLAINED("flink.partition-discovery.interval-millis", KAFKA_CONSUMER,
              "Write scan.topic-partition-discovery.interval."),
    // librdkafka's, of one kind of client
    OF_SOURCES("session.timeout.ms"),
    OF_SOURCES("heartbeat.interval.ms"),
    OF_SOURCES("group.protocol.type"),
    OF_SOURCES("coordinator.query.interval.ms"),
    OF_SOURCES("max.poll.interval.ms"),
    OF_SOURCES("queued.min.messages"),
    OF_SOURCES("queued.max.messages.kbytes"),
    OF_SOURCES("fetch.wait.max.ms"),
    OF_SOURCES("fetch.message.max.bytes"),
    OF_SOURCES("max.partition.fetch.bytes"),
    OF_SOURCES("fetch.max.bytes"),
    OF_SOURCES("fetch.min.bytes"),
    OF_SOURCES("fetch.error.backoff.ms"),
    OF_SOURCES("isolation.level"),
    OF_SOURCES("check.crcs"),
    OF_SINKS("transaction.timeout.ms"),
    OF_SINKS("enable.gapless.guarantee"),
    OF_SINKS("queue.buffering.max.messages"),
    OF_SINKS("queue.buffering.max.kbytes"),
    OF_SINKS("queue.buffering.max.ms"),
    OF_SINKS("linger.ms"),
    OF_SINKS("retry.backoff.ms"),
    OF_SINKS("queue.buffering.backpressure.threshold"),
    OF_SINKS("compression.codec"),
    OF_SINKS("compression.type"),
    OF_SINKS("compression.level"),
    OF_SINKS("batch.num.messages"),
    OF_SINKS("batch.size"),
    OF_SINKS("delivery.report.only.error"),
    OF_SINKS("sticky.partitioning.linger.ms"),
    OF_SINKS("request.timeout.ms"),
    OF_SINKS("queuing.strategy"),
};

const struct kafka_rule *kafka_rule_find(const char *name)
{
    const struct kafka_rule *wide = NULL;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t n = strlen(rules[i].name) - 1;
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
        if (rules[i].name[n] == '*' && strncmp(rules[i].name, name, n) == 0)
            wide = &rules[i];
    }
    return wide;
}
