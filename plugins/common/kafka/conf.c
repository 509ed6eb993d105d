// SPDX-License-Identifier: Apache-2.0
// See conf.h. properties.h says what becomes of each property.
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jaas.h"
#include "properties.h"

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
    const struct kafka_rule *r = kafka_rule_find(name);
    rd_kafka_conf_res_t res = rd_kafka_conf_set(b->conf, to, value, text, sizeof text);
    if (res == RD_KAFKA_CONF_UNKNOWN && r && r->what == KAFKA_EXPLAIN)
        fault(b, name, r->why, "client property \"%s\" means nothing here", name);
    else if (res == RD_KAFKA_CONF_UNKNOWN)
        fault(b, name, "Names are those of librdkafka or of the Java client.", "unknown client property \"%s\"", name);
    else if (res == RD_KAFKA_CONF_INVALID && strstr(text, "not supported in this build"))
        fault(b, name, "Leave it out, or install a librdkafka that has it.",
              "client property \"%s\" needs what this librdkafka was built without", name);
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

static void set_kbytes(struct build *b, const struct kafka_rule *r, const char *value)
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

static int allowed(const struct kafka_rule *r, const char *value)
{
    return strcasecmp(value, r->to) == 0 || (strcmp(r->to, "all") == 0 && strcmp(value, "-1") == 0);
}

static void apply(struct build *b, const char *name, const char *value)
{
    const struct kafka_rule *r = kafka_rule_find(name);
    if (!r) {
        set(b, name, name, value);
        return;
    }
    if (!(r->roles & b->role))
        return; // kafka_check_* says so
    switch (r->what) {
    case KAFKA_OURS:
        break;
    case KAFKA_PASS:
    case KAFKA_EXPLAIN:
        set(b, name, name, value);
        break;
    case KAFKA_RENAME:
        set(b, name, r->to, value);
        break;
    case KAFKA_KBYTES:
        set_kbytes(b, r, value);
        break;
    case KAFKA_FIXED:
        if (!allowed(r, value))
            fault(b, name, r->why, "client property \"%s\" cannot be other than \"%s\"", name, r->to);
        break;
    case KAFKA_REFUSE:
        fault(b, name, r->why, "client property \"%s\" is refused", name);
        break;
    }
}

// --- sasl.jaas.config

static const char jaas[] = "sasl.jaas.config";

// What to do instead of a login module that librdkafka has nothing for.
static const char *module_hint(const char *module)
{
    static const struct {
        const char *module, *hint;
    } hints[] = {
        {"Krb5LoginModule",
         "Write properties.sasl.kerberos.principal, .sasl.kerberos.keytab and .sasl.kerberos.service.name."},
        {"OAuthBearerLoginModule",
         "Log in by SCRAM, PLAIN or a certificate. OAuth works only with a librdkafka that was "
         "built with libcurl: properties.sasl.oauthbearer.method = \"oidc\"."},
        {"IAMLoginModule", "Logins by AWS IAM are not available. Log in by SCRAM (ScramLoginModule) or a certificate."},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcmp(module, hints[i].module) == 0)
            return hints[i].hint;
    return "Write properties.sasl.mechanism, properties.sasl.username and properties.sasl.password.";
}

// Given beside the login line, and not the same?
static int contradicts(const struct build *b, const char *name, const char *value)
{
    const char *beside = kafka_property(b->o, name);
    return beside && strcmp(beside, value) != 0;
}

static void apply_login(struct build *b, const struct kafka_jaas *line)
{
    if (line->more)
        fault(b, jaas, "Keep the one that this client logs in with.", "the login line has more than one login module");
    else if (strcmp(line->module, "PlainLoginModule") != 0 && strcmp(line->module, "ScramLoginModule") != 0)
        fault(b, jaas, module_hint(line->module), "login module \"%s\" is a class of the Java client", line->module);
    else if (line->token)
        fault(b, jaas, "Leave tokenauth out and log in as a user.", "logins by delegation token are not available");
    else if (line->other[0])
        fault(b, jaas, "Leave it out: only username and password mean something here.",
              "the login line has the unknown option \"%s\"", line->other);
    else if (!line->username[0] || !line->password[0])
        fault(b, jaas, "Write: PlainLoginModule required username=\"NAME\" password=\"PASSWORD\";",
              "the login line has no %s", line->username[0] ? "password" : "username");
    else if (contradicts(b, "sasl.username", line->username) || contradicts(b, "sasl.password", line->password))
        fault(b, jaas, "Give the login once: leave out this line, or the other two.",
              "the login line contradicts \"properties.sasl.username\" or \"properties.sasl.password\"");
    else {
        set(b, jaas, "sasl.username", line->username);
        set(b, jaas, "sasl.password", line->password);
    }
}

static void apply_jaas(struct build *b)
{
    const char *text = kafka_property(b->o, jaas);
    struct kafka_jaas line;
    if (!text)
        return;
    if (kafka_jaas_parse(text, &line))
        apply_login(b, &line);
    else
        fault(b, jaas, "Write: PlainLoginModule required username=\"NAME\" password=\"PASSWORD\";",
              "client property \"%s\" cannot be read as a login line", jaas);
    explicit_bzero(&line, sizeof line);
}

// --- stores

#define TRUST                                                                                                          \
    "Write the certificates as PEM and name them: properties.ssl.ca.location = \"/path/ca.pem\" (keytool -exportcert " \
    "-rfc, "                                                                                                           \
    "or openssl pkcs12 -nokeys -in FILE)."
#define KEYS                                                                                                           \
    "Write PEM or PKCS#12: properties.ssl.keystore.location with a .p12 file and properties.ssl.keystore.password, "   \
    "or "                                                                                                              \
    "properties.ssl.certificate.location and properties.ssl.key.location."

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
    if (b->role != KAFKA_CONSUMER)
        return;
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

// --- properties together

// The property that the text of librdkafka speaks of, by the name that the user gave it: the longest, since one name may
// begin another.
static const char *spoken_of(const struct kafka_options *o, const char *text)
{
    const char *best = NULL;
    for (uint32_t i = 0; i < o->properties.count; i++) {
        const char *name = o->properties.items[i].key;
        const struct kafka_rule *r = kafka_rule_find(name);
        const char *to = r && r->to && r->what != KAFKA_FIXED ? r->to : name;
        int is_it = strstr(text, to) || (strncmp(to, "max.in.flight", 13) == 0 && strstr(text, "max.in.flight")) ||
                    (strcmp(to, "sasl.mechanism") == 0 && strstr(text, "SASL mechanism"));
        if (is_it && (!best || strlen(name) > strlen(best)))
            best = name;
    }
    return best;
}

// librdkafka compares properties only when it makes a client. One without brokers and certificates connects to nothing
// and reads nothing; one that logs in by Kerberos or OAuth would fetch a ticket, so those logins are left out.
static void leave_world_out(rd_kafka_conf_t *conf)
{
    char protocol[32] = "", mechanism[64] = "";
    size_t size = sizeof protocol, mechanism_size = sizeof mechanism;
    rd_kafka_conf_get(conf, "security.protocol", protocol, &size);
    rd_kafka_conf_get(conf, "sasl.mechanisms", mechanism, &mechanism_size);
    int logs_in = strncasecmp(protocol, "sasl", 4) == 0 && strcasecmp(mechanism, "GSSAPI") != 0 &&
                  strcasecmp(mechanism, "OAUTHBEARER") != 0;
    rd_kafka_conf_set(conf, "security.protocol", logs_in ? "sasl_plaintext" : "plaintext", NULL, 0);
    rd_kafka_conf_set(conf, "bootstrap.servers", NULL, NULL, 0);
}

int kafka_conf_try(struct leat_ctx *ctx, const struct kafka_options *o, rd_kafka_conf_t *conf, uint8_t role)
{
    char text[512], option[256];
    leave_world_out(conf);
    rd_kafka_t *rk =
        rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (rk) {
        rd_kafka_destroy(rk);
        return 1;
    }
    const char *name = spoken_of(o, text);
    snprintf(option, sizeof option, "properties.%s", name ? name : "");
    rd_kafka_conf_destroy(conf);
    leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-K0201", name ? option : NULL, 0,
              "Some of the properties may be defaults of leat or of librdkafka.",
              "librdkafka refuses the client properties: %s", text);
    return 0;
}
