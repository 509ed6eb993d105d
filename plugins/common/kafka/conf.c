// SPDX-License-Identifier: Apache-2.0
// See conf.h. One table says what becomes of each property; what is not in it goes to librdkafka as it is, which knows
// its own names and says which it does not know.
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jaas.h"

#define BOTH (KAFKA_CONSUMER | KAFKA_PRODUCER)

enum what {
    OURS,   // read elsewhere
    RENAME, // librdkafka calls it `to`
    KBYTES, // bytes there, kibibytes here: `to`
    FIXED,  // only the value `to` is allowed; `why` otherwise
    REFUSE, // `why`
};

struct rule {
    const char *name;
    uint8_t roles;
    enum what what;
    const char *to;
    const char *why;
};

#define FORMATS  "The pipeline's formats turn bytes into rows. Leave it out and use format, key.format and value.format."
#define JVM      "It is a class of the Java client and means nothing here. Leave it out."
#define ASSIGNED "Partitions are assigned by leat, not by the consumer group. Leave it out."
#define NO_DROP                                                                                                        \
    "Records would be dropped when the broker is away for longer. Leave it out: leat waits and says so in its health."
#define TRUST                                                                                                          \
    "Write the certificates as PEM and name them: properties.ssl.ca.location = \"/path/ca.pem\" (keytool -exportcert " \
    "-rfc, "                                                                                                           \
    "or openssl pkcs12 -nokeys -in FILE)."
#define KEYS                                                                                                           \
    "Write PEM or PKCS#12: properties.ssl.keystore.location with a .p12 file and properties.ssl.keystore.password, "   \
    "or "                                                                                                              \
    "properties.ssl.certificate.location and properties.ssl.key.location."
#define PROTOCOL "OpenSSL's own choice is used. Restrict it by properties.ssl.cipher.suites if you must."

static const struct rule rules[] = {
    {"bootstrap.servers", BOTH, OURS, NULL, NULL},
    {"metadata.broker.list", BOTH, REFUSE, NULL, "Write properties.bootstrap.servers."},
    {"group.id", BOTH, OURS, NULL, NULL},
    {"auto.offset.reset", KAFKA_CONSUMER, OURS, NULL, NULL},
    {"commit.offsets.on.checkpoint", KAFKA_CONSUMER, OURS, NULL, NULL},
    {"sasl.jaas.config", BOTH, OURS, NULL, NULL},
    {"ssl.truststore.location", BOTH, OURS, NULL, NULL},
    {"ssl.truststore.type", BOTH, OURS, NULL, NULL},
    {"ssl.truststore.password", BOTH, OURS, NULL, NULL},
    {"ssl.keystore.location", BOTH, OURS, NULL, NULL},
    {"ssl.keystore.type", BOTH, OURS, NULL, NULL},
    {"ssl.endpoint.identification.algorithm", BOTH, OURS, NULL, NULL},
    {"ssl.truststore.certificates", BOTH, RENAME, "ssl.ca.pem", NULL},
    {"ssl.keystore.certificate.chain", BOTH, RENAME, "ssl.certificate.pem", NULL},
    {"ssl.keystore.key", BOTH, RENAME, "ssl.key.pem", NULL},
    {"ssl.protocol", BOTH, REFUSE, NULL, PROTOCOL},
    {"ssl.enabled.protocols", BOTH, REFUSE, NULL, PROTOCOL},
    {"ssl.provider", BOTH, REFUSE, NULL, JVM},
    {"ssl.keymanager.algorithm", BOTH, REFUSE, NULL, JVM},
    {"ssl.trustmanager.algorithm", BOTH, REFUSE, NULL, JVM},
    {"ssl.secure.random.implementation", BOTH, REFUSE, NULL, JVM},
    {"ssl.engine.factory.class", BOTH, REFUSE, NULL, JVM},
    {"sasl.login.class", BOTH, REFUSE, NULL, JVM},
    {"sasl.login.callback.handler.class", BOTH, REFUSE, NULL, JVM},
    {"sasl.client.callback.handler.class", BOTH, REFUSE, NULL, JVM},
    {"send.buffer.bytes", BOTH, RENAME, "socket.send.buffer.bytes", NULL},
    {"receive.buffer.bytes", BOTH, RENAME, "socket.receive.buffer.bytes", NULL},
    {"fetch.max.wait.ms", KAFKA_CONSUMER, RENAME, "fetch.wait.max.ms", NULL},
    {"max.request.size", KAFKA_PRODUCER, RENAME, "message.max.bytes", NULL},
    {"buffer.memory", KAFKA_PRODUCER, KBYTES, "queue.buffering.max.kbytes", NULL},
    {"enable.idempotence", KAFKA_PRODUCER, FIXED, "true",
     "Without it a retry may change the order of rows or write them twice. Leave it out."},
    {"acks", KAFKA_PRODUCER, FIXED, "all", "A record is only safe when all in-sync replicas have it. Leave it out."},
    {"request.required.acks", KAFKA_PRODUCER, FIXED, "all",
     "A record is only safe when all in-sync replicas have it. Leave it out."},
    {"delivery.timeout.ms", KAFKA_PRODUCER, REFUSE, NULL, NO_DROP},
    {"message.timeout.ms", KAFKA_PRODUCER, REFUSE, NULL, NO_DROP},
    {"retries", KAFKA_PRODUCER, REFUSE, NULL, NO_DROP},
    {"message.send.max.retries", KAFKA_PRODUCER, REFUSE, NULL, NO_DROP},
    {"max.block.ms", KAFKA_PRODUCER, REFUSE, NULL,
     "A full queue holds the sources back, nothing is waited for. Leave it out."},
    {"transactional.id", KAFKA_PRODUCER, REFUSE, NULL, "Exactly-once is not available yet. Leave it out."},
    {"partitioner", KAFKA_PRODUCER, REFUSE, NULL, "Write sink.partitioner."},
    {"partitioner.class", KAFKA_PRODUCER, REFUSE, NULL, "Write sink.partitioner."},
    {"key.serializer", BOTH, REFUSE, NULL, FORMATS},
    {"value.serializer", BOTH, REFUSE, NULL, FORMATS},
    {"key.deserializer", BOTH, REFUSE, NULL, FORMATS},
    {"value.deserializer", BOTH, REFUSE, NULL, FORMATS},
    {"enable.auto.commit", KAFKA_CONSUMER, FIXED, "false",
     "Offsets live in the checkpoints; committing them earlier would lose rows after a crash. Leave it out."},
    {"auto.commit.enable", KAFKA_CONSUMER, FIXED, "false",
     "Offsets live in the checkpoints; committing them earlier would lose rows after a crash. Leave it out."},
    {"enable.auto.offset.store", KAFKA_CONSUMER, FIXED, "false",
     "Offsets live in the checkpoints; storing them earlier would lose rows after a crash. Leave it out."},
    {"auto.commit.interval.ms", KAFKA_CONSUMER, REFUSE, NULL,
     "Offsets are committed after each checkpoint. Leave it out."},
    {"enable.partition.eof", KAFKA_CONSUMER, FIXED, "true", "leat needs it to know where the end is. Leave it out."},
    {"partition.assignment.strategy", KAFKA_CONSUMER, REFUSE, NULL, ASSIGNED},
    {"group.instance.id", KAFKA_CONSUMER, REFUSE, NULL, ASSIGNED},
    {"max.poll.records", KAFKA_CONSUMER, REFUSE, NULL, "Rows come in batches of up to 1024. Leave it out."},
    {"partition.discovery.interval.ms", KAFKA_CONSUMER, REFUSE, NULL, "Write scan.topic-partition-discovery.interval."},
    {"default.api.timeout.ms", BOTH, REFUSE, NULL, "leat tries again until it succeeds. Leave it out."},
    {"exclude.internal.topics", KAFKA_CONSUMER, REFUSE, NULL, "Topics are named by the option topic. Leave it out."},
    {"interceptor.classes", BOTH, REFUSE, NULL, JVM},
    {"metric.reporters", BOTH, REFUSE, NULL, "Metrics are at /metrics. Leave it out."},
    {"metrics.num.samples", BOTH, REFUSE, NULL, "Metrics are at /metrics. Leave it out."},
    {"metrics.recording.level", BOTH, REFUSE, NULL, "Metrics are at /metrics. Leave it out."},
    {"metrics.sample.window.ms", BOTH, REFUSE, NULL, "Metrics are at /metrics. Leave it out."},
    {"register.consumer.metrics", BOTH, REFUSE, NULL, "Metrics are at /metrics. Leave it out."},
    {"plugin.library.paths", BOTH, REFUSE, NULL, "Libraries are loaded from leat's own plugin folder only."},
    {"log.queue", BOTH, REFUSE, NULL, "leat reads the client's log itself. Leave it out."},
};

struct setting {
    const char *name, *value;
};

// `queued.max` and `fetch.max` bound what a source holds that its pipeline has not taken; client.h says how the
// fetchers are kept going with so little. writer.h says why there is a producer without linger and one with it.
static const struct setting consumer_defaults[] = {
    {"enable.auto.commit", "false"},        {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},         {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"},  {"queued.max.messages.kbytes", "4096"},
    {"fetch.message.max.bytes", "1048576"}, {"fetch.max.bytes", "4194304"},
    {"fetch.error.backoff.ms", "100"},
};

static const struct setting producer_defaults[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"queue.buffering.max.kbytes", "32768"},
    {"queue.buffering.max.messages", "200000"},
    {"linger.ms", "0"},
    {"partitioner", "murmur2_random"},
};

// A topic that a broker makes of itself, because it was asked for, would have the broker's settings.
static const struct setting shared_defaults[] = {
    {"allow.auto.create.topics", "false"},
    {"client.id", "leat"},
    {"log.queue", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.propagation.max.ms", "2000"},
};

struct build {
    struct leat_ctx *ctx;
    const struct kafka_options *o;
    rd_kafka_conf_t *conf;
    uint8_t role;
    int faults;
};

__attribute__((format(printf, 4, 5))) static void fault(struct build *b, const char *name, const char *hint,
                                                        const char *fmt, ...)
{
    char option[256];
    va_list ap;
    snprintf(option, sizeof option, "properties.%s", name);
    va_start(ap, fmt);
    b->ctx->host->diag(b->ctx, LEAT_DIAG_ERROR, "LEAT-K0101", option, 0, hint, fmt, ap);
    va_end(ap);
    b->faults++;
}

static int is_secret(const char *name)
{
    static const char *const parts[] = {"password", "secret", "key", "pem", "jaas", "certificate", "token"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(name, parts[i]))
            return 1;
    return 0;
}

// `name` is what the user wrote, `to` what librdkafka calls it. Values that may be secrets are not shown.
static void set(struct build *b, const char *name, const char *to, const char *value)
{
    char text[512];
    rd_kafka_conf_res_t res = rd_kafka_conf_set(b->conf, to, value, text, sizeof text);
    if (res == RD_KAFKA_CONF_UNKNOWN)
        fault(b, name, "Names are those of librdkafka or of the Java client.", "unknown client property \"%s\"", name);
    else if (res == RD_KAFKA_CONF_INVALID)
        fault(b, name, NULL, "client property \"%s\" has a wrong value%s%s", name, is_secret(name) ? "" : ": ",
              is_secret(name) ? "" : text);
}

static void set_all(struct build *b, const struct setting *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        set(b, s[i].name, s[i].name, s[i].value);
}

const char *kafka_property(const struct kafka_options *o, const char *name)
{
    for (uint32_t i = 0; i < o->properties.count; i++)
        if (strcmp(o->properties.items[i].key, name) == 0)
            return o->properties.items[i].value;
    return NULL;
}

static const struct rule *find_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static void set_kbytes(struct build *b, const struct rule *r, const char *value)
{
    char text[32];
    char *end;
    long long bytes = strtoll(value, &end, 10);
    if (end == value || *end || bytes < 1024) {
        fault(b, r->name, NULL, "client property \"%s\" must be a number of bytes, at least 1024", r->name);
        return;
    }
    snprintf(text, sizeof text, "%lld", bytes / 1024);
    set(b, r->name, r->to, text);
}

static int allowed(const struct rule *r, const char *value)
{
    return strcasecmp(value, r->to) == 0 || (strcmp(r->to, "all") == 0 && strcmp(value, "-1") == 0);
}

static void apply(struct build *b, const char *name, const char *value)
{
    const struct rule *r = find_rule(name);
    if (!r) {
        set(b, name, name, value);
        return;
    }
    switch (r->what) {
    case OURS:
        break;
    case RENAME:
        set(b, name, r->to, value);
        break;
    case KBYTES:
        set_kbytes(b, r, value);
        break;
    case FIXED:
        if ((r->roles & b->role) && !allowed(r, value))
            fault(b, name, r->why, "client property \"%s\" cannot be other than \"%s\"", name, r->to);
        break;
    case REFUSE:
        fault(b, name, r->why, "client property \"%s\" is refused", name);
        break;
    }
}

static void apply_jaas(struct build *b)
{
    const char *name = "sasl.jaas.config";
    const char *line = kafka_property(b->o, name);
    struct kafka_jaas jaas;
    if (!line)
        return;
    const char *hint = "Write properties.sasl.mechanism, properties.sasl.username and properties.sasl.password.";
    if (!kafka_jaas_parse(line, &jaas)) {
        fault(b, name, hint, "client property \"%s\" cannot be read as a login line", name);
    } else if (strcmp(jaas.module, "PlainLoginModule") != 0 && strcmp(jaas.module, "ScramLoginModule") != 0) {
        if (strcmp(jaas.module, "Krb5LoginModule") == 0)
            hint = "Write properties.sasl.kerberos.principal, .sasl.kerberos.keytab and .sasl.kerberos.service.name.";
        else if (strcmp(jaas.module, "OAuthBearerLoginModule") == 0)
            hint = "Write properties.sasl.oauthbearer.method = \"oidc\" with .client.id, .client.secret and "
                   ".token.endpoint.url.";
        fault(b, name, hint, "login module \"%s\" is a class of the Java client", jaas.module);
    } else {
        set(b, name, "sasl.username", jaas.username);
        set(b, name, "sasl.password", jaas.password);
    }
    explicit_bzero(&jaas, sizeof jaas);
}

static int ends_with(const char *text, const char *tail)
{
    size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcasecmp(text + n - m, tail) == 0;
}

static int is_pem(const char *location, const char *type)
{
    return type ? strcasecmp(type, "PEM") == 0
                : ends_with(location, ".pem") || ends_with(location, ".crt") || ends_with(location, ".cer");
}

static void apply_stores(struct build *b)
{
    const char *trust = kafka_property(b->o, "ssl.truststore.location");
    const char *keys = kafka_property(b->o, "ssl.keystore.location");
    const char *key_type = kafka_property(b->o, "ssl.keystore.type");
    if (trust && is_pem(trust, kafka_property(b->o, "ssl.truststore.type")))
        set(b, "ssl.truststore.location", "ssl.ca.location", trust);
    else if (trust)
        fault(b, "ssl.truststore.location", TRUST, "trust stores of the Java client cannot be read");
    if (!keys)
        return;
    if (is_pem(keys, key_type)) {
        set(b, "ssl.keystore.location", "ssl.certificate.location", keys);
        set(b, "ssl.keystore.location", "ssl.key.location", keys);
    } else if (key_type ? strcasecmp(key_type, "PKCS12") == 0 : ends_with(keys, ".p12") || ends_with(keys, ".pfx")) {
        set(b, "ssl.keystore.location", "ssl.keystore.location", keys);
    } else {
        fault(b, "ssl.keystore.location", KEYS, "key stores of the Java client cannot be read");
    }
}

// Java says "" for what librdkafka calls "none"; both default to "https".
static void apply_identification(struct build *b)
{
    const char *name = "ssl.endpoint.identification.algorithm";
    const char *value = kafka_property(b->o, name);
    if (value)
        set(b, name, name, *value ? value : "none");
}

static void check_reset(struct build *b)
{
    const char *reset = kafka_property(b->o, "auto.offset.reset");
    static const char *const words[] = {"none",      "error",  "earliest", "smallest",
                                        "beginning", "latest", "largest",  "end"};
    for (size_t i = 0; reset && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(reset, words[i]) == 0)
            reset = NULL;
    if (reset)
        fault(b, "auto.offset.reset", "Write earliest, latest or none.", "client property \"%s\" has a wrong value",
              "auto.offset.reset");
}

rd_kafka_conf_t *kafka_conf_create(struct leat_ctx *ctx, const struct kafka_options *o, uint8_t role)
{
    struct build b = {ctx, o, rd_kafka_conf_new(), role, 0};
    set_all(&b, shared_defaults, sizeof shared_defaults / sizeof shared_defaults[0]);
    if (role == KAFKA_CONSUMER)
        set_all(&b, consumer_defaults, sizeof consumer_defaults / sizeof consumer_defaults[0]);
    else
        set_all(&b, producer_defaults, sizeof producer_defaults / sizeof producer_defaults[0]);
    if (role == KAFKA_BULK)
        set(&b, "linger.ms", "linger.ms", "1");
    b.role = role == KAFKA_CONSUMER ? KAFKA_CONSUMER : KAFKA_PRODUCER;
    set(&b, "bootstrap.servers", "bootstrap.servers", o->servers);
    if (role == KAFKA_CONSUMER && o->group_id)
        set(&b, "group.id", "group.id", o->group_id);
    for (uint32_t i = 0; i < o->properties.count; i++)
        apply(&b, o->properties.items[i].key, o->properties.items[i].value);
    apply_jaas(&b);
    apply_stores(&b);
    apply_identification(&b);
    check_reset(&b);
    if (!b.faults)
        return b.conf;
    rd_kafka_conf_destroy(b.conf);
    return NULL;
}
