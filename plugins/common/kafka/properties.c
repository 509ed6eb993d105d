// SPDX-License-Identifier: Apache-2.0
// See properties.h. The names are those of Kafka 3.4 to 4.1 and of Flink's connector; a name that ends in '*' stands for
// all that begin so and have no row of their own.
#include "properties.h"

#include <string.h>

#include "conf.h"

#define BOTH (KAFKA_CONSUMER | KAFKA_PRODUCER)

#define FORMATS  "The pipeline's formats turn bytes into rows. Leave it out and use format, key.format and value.format."
#define JVM      "It is a class of the Java client and means nothing here. Leave it out."
#define ASSIGNED "Partitions are assigned by leat, not by the consumer group. Leave it out."
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

static const struct kafka_rule rules[] = {
    {"bootstrap.servers", BOTH, KAFKA_OURS, NULL, NULL},
    {"metadata.broker.list", BOTH, KAFKA_REFUSE, NULL, "Write properties.bootstrap.servers."},
    {"group.id", BOTH, KAFKA_OURS, NULL, NULL},
    {"auto.offset.reset", KAFKA_CONSUMER, KAFKA_OURS, NULL, NULL},
    {"commit.offsets.on.checkpoint", KAFKA_CONSUMER, KAFKA_OURS, NULL, NULL},
    {"sasl.jaas.config", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.truststore.location", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.truststore.type", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.truststore.password", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.keystore.location", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.keystore.type", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.endpoint.identification.algorithm", BOTH, KAFKA_OURS, NULL, NULL},
    {"ssl.truststore.certificates", BOTH, KAFKA_RENAME, "ssl.ca.pem", NULL},
    {"ssl.keystore.certificate.chain", BOTH, KAFKA_RENAME, "ssl.certificate.pem", NULL},
    {"ssl.keystore.key", BOTH, KAFKA_RENAME, "ssl.key.pem", NULL},
    {"ssl.protocol", BOTH, KAFKA_REFUSE, NULL, PROTOCOL},
    {"ssl.enabled.protocols", BOTH, KAFKA_REFUSE, NULL, PROTOCOL},
    {"ssl.provider", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"ssl.keymanager.algorithm", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"ssl.trustmanager.algorithm", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"ssl.secure.random.implementation", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"ssl.engine.factory.class", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"sasl.login.class", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"sasl.login.callback.handler.class", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"sasl.client.callback.handler.class", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"send.buffer.bytes", BOTH, KAFKA_RENAME, "socket.send.buffer.bytes", NULL},
    {"receive.buffer.bytes", BOTH, KAFKA_RENAME, "socket.receive.buffer.bytes", NULL},
    {"fetch.max.wait.ms", KAFKA_CONSUMER, KAFKA_RENAME, "fetch.wait.max.ms", NULL},
    {"max.request.size", KAFKA_PRODUCER, KAFKA_RENAME, "message.max.bytes", NULL},
    {"buffer.memory", KAFKA_PRODUCER, KAFKA_KBYTES, "queue.buffering.max.kbytes", NULL},
    {"enable.idempotence", KAFKA_PRODUCER, KAFKA_FIXED, "true",
     "Without it a retry may change the order of rows or write them twice. Leave it out."},
    {"acks", KAFKA_PRODUCER, KAFKA_FIXED, "all",
     "A record is only safe when all in-sync replicas have it. Leave it out."},
    {"request.required.acks", KAFKA_PRODUCER, KAFKA_FIXED, "all",
     "A record is only safe when all in-sync replicas have it. Leave it out."},
    {"delivery.timeout.ms", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, NO_DROP},
    {"message.timeout.ms", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, NO_DROP},
    {"retries", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, NO_DROP},
    {"message.send.max.retries", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, NO_DROP},
    {"max.block.ms", KAFKA_PRODUCER, KAFKA_REFUSE, NULL,
     "A full queue holds the sources back, nothing is waited for. Leave it out."},
    {"transactional.id", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, "Exactly-once is not available yet. Leave it out."},
    {"partitioner", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, "Write sink.partitioner."},
    {"partitioner.class", KAFKA_PRODUCER, KAFKA_REFUSE, NULL, "Write sink.partitioner."},
    {"key.serializer", BOTH, KAFKA_REFUSE, NULL, FORMATS},
    {"value.serializer", BOTH, KAFKA_REFUSE, NULL, FORMATS},
    {"key.deserializer", BOTH, KAFKA_REFUSE, NULL, FORMATS},
    {"value.deserializer", BOTH, KAFKA_REFUSE, NULL, FORMATS},
    {"enable.auto.commit", KAFKA_CONSUMER, KAFKA_FIXED, "false",
     "Offsets live in the checkpoints; committing them earlier would lose rows after a crash. Leave it out."},
    {"auto.commit.enable", KAFKA_CONSUMER, KAFKA_FIXED, "false",
     "Offsets live in the checkpoints; committing them earlier would lose rows after a crash. Leave it out."},
    {"enable.auto.offset.store", KAFKA_CONSUMER, KAFKA_FIXED, "false",
     "Offsets live in the checkpoints; storing them earlier would lose rows after a crash. Leave it out."},
    {"auto.commit.interval.ms", KAFKA_CONSUMER, KAFKA_REFUSE, NULL,
     "Offsets are committed after each checkpoint. Leave it out."},
    {"enable.partition.eof", KAFKA_CONSUMER, KAFKA_FIXED, "true",
     "leat needs it to know where the end is. Leave it out."},
    {"partition.assignment.strategy", KAFKA_CONSUMER, KAFKA_REFUSE, NULL, ASSIGNED},
    {"group.instance.id", KAFKA_CONSUMER, KAFKA_REFUSE, NULL, ASSIGNED},
    {"max.poll.records", KAFKA_CONSUMER, KAFKA_REFUSE, NULL, "Rows come in batches of up to 1024. Leave it out."},
    {"partition.discovery.interval.ms", KAFKA_CONSUMER, KAFKA_REFUSE, NULL,
     "Write scan.topic-partition-discovery.interval."},
    {"default.api.timeout.ms", BOTH, KAFKA_REFUSE, NULL, "leat tries again until it succeeds. Leave it out."},
    {"exclude.internal.topics", KAFKA_CONSUMER, KAFKA_REFUSE, NULL,
     "Topics are named by the option topic. Leave it out."},
    {"interceptor.classes", BOTH, KAFKA_REFUSE, NULL, JVM},
    {"metric.reporters", BOTH, KAFKA_REFUSE, NULL, METRICS},
    {"metrics.num.samples", BOTH, KAFKA_REFUSE, NULL, METRICS},
    {"metrics.recording.level", BOTH, KAFKA_REFUSE, NULL, METRICS},
    {"metrics.sample.window.ms", BOTH, KAFKA_REFUSE, NULL, METRICS},
    {"register.consumer.metrics", BOTH, KAFKA_REFUSE, NULL, METRICS},
    {"plugin.library.paths", BOTH, KAFKA_REFUSE, NULL, "Libraries are loaded from leat's own plugin folder only."},
    {"log.queue", BOTH, KAFKA_REFUSE, NULL, "leat reads the client's log itself. Leave it out."},
    // names of the Java client, of Kafka 4.1 and before, that librdkafka has not
    {"auto.include.jmx.reporter", BOTH, KAFKA_EXPLAIN, NULL, METRICS},
    {"enable.metrics.push", BOTH, KAFKA_EXPLAIN, NULL, METRICS},
    {"client.dns.lookup", BOTH, KAFKA_EXPLAIN, NULL, "All addresses of a name are tried in turn. Leave it out."},
    {"compression.gzip.level", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL, LEVEL},
    {"compression.lz4.level", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL, LEVEL},
    {"compression.zstd.level", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL, LEVEL},
    {"group.protocol", KAFKA_CONSUMER, KAFKA_REFUSE, NULL, ASSIGNED},
    {"group.remote.assignor", KAFKA_CONSUMER, KAFKA_REFUSE, NULL, ASSIGNED},
    {"internal.leave.group.on.close", KAFKA_CONSUMER, KAFKA_EXPLAIN, NULL, ASSIGNED},
    {"internal.throw.on.fetch.stable.offset.unsupported", KAFKA_CONSUMER, KAFKA_EXPLAIN, NULL, "Leave it out."},
    {"metadata.max.idle.ms", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL,
     "A sink has one topic, which it never forgets. Leave it out."},
    {"metadata.recovery.strategy", BOTH, KAFKA_EXPLAIN, NULL, BOOTSTRAP},
    {"metadata.recovery.rebootstrap.trigger.ms", BOTH, KAFKA_EXPLAIN, NULL, BOOTSTRAP},
    {"partitioner.adaptive.partitioning.enable", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL, ANY_PARTITION},
    {"partitioner.availability.timeout.ms", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL, ANY_PARTITION},
    {"partitioner.ignore.keys", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL,
     "Records of one key keep their order, so they go to one partition. Leave it out."},
    {"retry.backoff.max.ms", BOTH, KAFKA_EXPLAIN, NULL,
     "All pauses between tries are as long: write properties.retry.backoff.ms for a sink, or leave it out."},
    {"sasl.kerberos.ticket.renew.jitter", BOTH, KAFKA_EXPLAIN, NULL, TICKETS},
    {"sasl.kerberos.ticket.renew.window.factor", BOTH, KAFKA_EXPLAIN, NULL, TICKETS},
    {"sasl.login.*", BOTH, KAFKA_EXPLAIN, NULL, "librdkafka logs in and renews the login of itself. Leave it out."},
    {"sasl.oauthbearer.*", BOTH, KAFKA_EXPLAIN, NULL, NO_OAUTH},
    {"security.providers", BOTH, KAFKA_EXPLAIN, NULL, JVM},
    {"share.acknowledgement.mode", KAFKA_CONSUMER, KAFKA_EXPLAIN, NULL, "Share groups are not read. Leave it out."},
    {"socket.connection.setup.timeout.max.ms", BOTH, KAFKA_EXPLAIN, NULL,
     "All tries to connect have the same time: write properties.socket.connection.setup.timeout.ms, or leave it out."},
    {"transaction.two.phase.commit.enable", KAFKA_PRODUCER, KAFKA_EXPLAIN, NULL,
     "Exactly-once is not available yet. Leave it out."},
    // Flink's own
    {"client.id.prefix", BOTH, KAFKA_EXPLAIN, NULL, "Write properties.client.id."},
    {"flink.disable-metrics", BOTH, KAFKA_EXPLAIN, NULL, METRICS},
    {"flink.poll-timeout", KAFKA_CONSUMER, KAFKA_EXPLAIN, NULL, "Records are taken as they come. Leave it out."},
    {"flink.partition-discovery.interval-millis", KAFKA_CONSUMER, KAFKA_EXPLAIN, NULL,
     "Write scan.topic-partition-discovery.interval."},
    // librdkafka's, of one kind of client
    {"session.timeout.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"heartbeat.interval.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"group.protocol.type", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"coordinator.query.interval.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"max.poll.interval.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"queued.min.messages", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"queued.max.messages.kbytes", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"fetch.wait.max.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"fetch.message.max.bytes", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"max.partition.fetch.bytes", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"fetch.max.bytes", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"fetch.min.bytes", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"fetch.error.backoff.ms", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"isolation.level", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"check.crcs", KAFKA_CONSUMER, KAFKA_PASS, NULL, NULL},
    {"transaction.timeout.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"enable.gapless.guarantee", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"queue.buffering.max.messages", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"queue.buffering.max.kbytes", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"queue.buffering.max.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"linger.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"retry.backoff.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"queue.buffering.backpressure.threshold", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"compression.codec", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"compression.type", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"compression.level", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"batch.num.messages", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"batch.size", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"delivery.report.only.error", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"sticky.partitioning.linger.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"request.timeout.ms", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
    {"queuing.strategy", KAFKA_PRODUCER, KAFKA_PASS, NULL, NULL},
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
