// SPDX-License-Identifier: Apache-2.0
// What needs no broker: login lines, offsets as text, the state's bytes, properties, resource names.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "conf.h"
#include "control.h"
#include "jaas.h"
#include "offsets.h"
#include "testhost.h"
#include "writer.h"

#include <cmocka.h>

static void login_lines_are_read(void **state)
{
    static const struct {
        const char *line;
        int good;
        const char *module, *username, *password;
    } cases[] = {
        {"org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ann\" password=\"s3;c\\\"r\";", 1,
         "PlainLoginModule", "ann", "s3;c\"r"},
        {"  a.ScramLoginModule required\n username='x' tokenauth=true password=y ; ", 1, "ScramLoginModule", "x", "y"},
        {"Krb5LoginModule required useKeyTab=true keyTab=\"/etc/k\" principal=\"p@R\";", 1, "Krb5LoginModule", "", ""},
        {"PlainLoginModule required username=\"ann\" password=\"x\"", 0, NULL, NULL, NULL},
        {"PlainLoginModule required username=\"ann", 0, NULL, NULL, NULL},
        {"PlainLoginModule required username;", 0, NULL, NULL, NULL},
        {"", 0, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kafka_jaas jaas;
        assert_int_equal(kafka_jaas_parse(cases[i].line, &jaas), cases[i].good);
        if (!cases[i].good)
            continue;
        assert_string_equal(jaas.module, cases[i].module);
        assert_string_equal(jaas.username, cases[i].username);
        assert_string_equal(jaas.password, cases[i].password);
    }
}

// A login that cannot be done as the line says is refused, and no part of the line is passed over.
static void login_lines_are_refused(void **state)
{
    static const struct {
        struct leat_pair pairs[2];
        const char *fault;
    } cases[] = {
        {{{"sasl.jaas.config", "PlainLoginModule required;"}}, "the login line has no username"},
        {{{"sasl.jaas.config", "PlainLoginModule required username=u;"}}, "the login line has no password"},
        {{{"sasl.jaas.config", "ScramLoginModule required username=u password=p tokenauth=\"true\";"}},
         "logins by delegation token are not available"},
        {{{"sasl.jaas.config", "PlainLoginModule required username=u password=p; ScramLoginModule required;"}},
         "the login line has more than one login module"},
        {{{"sasl.jaas.config", "PlainLoginModule required username=u password=p user_x=y;"}},
         "the login line has the unknown option \"user_x\""},
        {{{"sasl.jaas.config", "PlainLoginModule required username=u password=p;"}, {"sasl.username", "v"}},
         "the login line contradicts \"properties.sasl.username\" or \"properties.sasl.password\""},
        {{{"sasl.jaas.config", "PlainLoginModule required username=u password=p;"}, {"sasl.username", "u"}}, NULL},
        {{{"sasl.jaas.config", "software.amazon.msk.auth.iam.IAMLoginModule required;"}},
         "login module \"IAMLoginModule\" is a class of the Java client"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct testhost *h = testhost_create();
        struct testhost_node *node = testhost_bare(h);
        struct kafka_options o = {.servers = "a:1", .properties = {cases[i].pairs[1].key ? 2 : 1, cases[i].pairs}};
        rd_kafka_conf_t *conf = kafka_conf_create(&node->ctx, &o, KAFKA_CONSUMER);
        if (cases[i].fault ? conf || strcmp(node->diags->message, cases[i].fault) != 0 : !conf)
            fail_msg("%s: %s", cases[i].pairs[0].value, testhost_faults(node));
        if (conf)
            rd_kafka_conf_destroy(conf);
        testhost_node_destroy(node);
        testhost_destroy(h);
    }
}

// All names of the Java client's consumer and producer, as ConsumerConfig and ProducerConfig of Kafka 3.4, 3.9 and 4.1
// list them: none is unknown, whatever else is said of it.
static void names_of_the_java_client_are_known(void **state)
{
    static const char *const names[] = {
        "acks",
        "allow.auto.create.topics",
        "auto.commit.interval.ms",
        "auto.include.jmx.reporter",
        "auto.offset.reset",
        "batch.size",
        "bootstrap.servers",
        "buffer.memory",
        "check.crcs",
        "client.dns.lookup",
        "client.id",
        "client.rack",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "connections.max.idle.ms",
        "default.api.timeout.ms",
        "delivery.timeout.ms",
        "enable.auto.commit",
        "enable.idempotence",
        "enable.metrics.push",
        "exclude.internal.topics",
        "fetch.max.bytes",
        "fetch.max.wait.ms",
        "fetch.min.bytes",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "group.remote.assignor",
        "heartbeat.interval.ms",
        "interceptor.classes",
        "internal.leave.group.on.close",
        "internal.throw.on.fetch.stable.offset.unsupported",
        "isolation.level",
        "key.deserializer",
        "key.serializer",
        "linger.ms",
        "max.block.ms",
        "max.in.flight.requests.per.connection",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "max.poll.records",
        "max.request.size",
        "metadata.max.age.ms",
        "metadata.max.idle.ms",
        "metadata.recovery.rebootstrap.trigger.ms",
        "metadata.recovery.strategy",
        "metric.reporters",
        "metrics.num.samples",
        "metrics.recording.level",
        "metrics.sample.window.ms",
        "partition.assignment.strategy",
        "partitioner.adaptive.partitioning.enable",
        "partitioner.availability.timeout.ms",
        "partitioner.class",
        "partitioner.ignore.keys",
        "receive.buffer.bytes",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retries",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "sasl.client.callback.handler.class",
        "sasl.jaas.config",
        "sasl.kerberos.kinit.cmd",
        "sasl.kerberos.min.time.before.relogin",
        "sasl.kerberos.service.name",
        "sasl.kerberos.ticket.renew.jitter",
        "sasl.kerberos.ticket.renew.window.factor",
        "sasl.login.callback.handler.class",
        "sasl.login.class",
        "sasl.login.connect.timeout.ms",
        "sasl.login.read.timeout.ms",
        "sasl.login.refresh.buffer.seconds",
        "sasl.login.refresh.min.period.seconds",
        "sasl.login.refresh.window.factor",
        "sasl.login.refresh.window.jitter",
        "sasl.login.retry.backoff.max.ms",
        "sasl.login.retry.backoff.ms",
        "sasl.mechanism",
        "sasl.oauthbearer.assertion.algorithm",
        "sasl.oauthbearer.assertion.claim.aud",
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        "sasl.oauthbearer.assertion.claim.iss",
        "sasl.oauthbearer.assertion.claim.jti.include",
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        "sasl.oauthbearer.assertion.claim.sub",
        "sasl.oauthbearer.assertion.file",
        "sasl.oauthbearer.assertion.private.key.file",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.template.file",
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.clock.skew.seconds",
        "sasl.oauthbearer.expected.audience",
        "sasl.oauthbearer.expected.issuer",
        "sasl.oauthbearer.header.urlencode",
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        "sasl.oauthbearer.jwks.endpoint.url",
        "sasl.oauthbearer.jwt.retriever.class",
        "sasl.oauthbearer.jwt.validator.class",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.scope.claim.name",
        "sasl.oauthbearer.sub.claim.name",
        "sasl.oauthbearer.token.endpoint.url",
        "security.protocol",
        "security.providers",
        "send.buffer.bytes",
        "session.timeout.ms",
        "share.acknowledgement.mode",
        "socket.connection.setup.timeout.max.ms",
        "socket.connection.setup.timeout.ms",
        "ssl.cipher.suites",
        "ssl.enabled.protocols",
        "ssl.endpoint.identification.algorithm",
        "ssl.engine.factory.class",
        "ssl.key.password",
        "ssl.keymanager.algorithm",
        "ssl.keystore.certificate.chain",
        "ssl.keystore.key",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.keystore.type",
        "ssl.protocol",
        "ssl.provider",
        "ssl.secure.random.implementation",
        "ssl.trustmanager.algorithm",
        "ssl.truststore.certificates",
        "ssl.truststore.location",
        "ssl.truststore.password",
        "ssl.truststore.type",
        "transaction.timeout.ms",
        "transaction.two.phase.commit.enable",
        "transactional.id",
        "value.deserializer",
        "value.serializer",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (uint8_t role = KAFKA_CONSUMER; role <= KAFKA_PRODUCER; role++) {
            struct leat_pair pair = {names[i], "1"};
            struct testhost *h = testhost_create();
            struct testhost_node *node = testhost_bare(h);
            struct kafka_options o = {.servers = "a:1", .properties = {1, &pair}};
            rd_kafka_conf_t *conf = kafka_conf_create(&node->ctx, &o, role);
            if (conf)
                rd_kafka_conf_destroy(conf);
            else if (strncmp(node->diags->message, "unknown", 7) == 0)
                fail_msg("%s", node->diags->message);
            testhost_node_destroy(node);
            testhost_destroy(h);
        }
    }
}

static void specific_offsets_are_read(void **state)
{
    static const struct {
        const char *text;
        int count;
        size_t where;
    } cases[] = {
        {"partition:0,offset:42", 1, 0},
        {"partition:0,offset:42;partition:1,offset:300", 2, 0},
        {"partition:0, offset:42; partition:1, offset:300;", 2, 0},
        {"", -1, 0},
        {"partition:0,offset:x", -1, 0},
        {"partition:0,offset:1;partition:-1,offset:1", -1, 21},
        {"partition:0,offset:99999999999999999999", -1, 0},
        {"partition:0,offset:1 2", -1, 21},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kafka_offset list[4];
        size_t where = 0;
        assert_int_equal(kafka_offsets_parse(cases[i].text, list, 4, &where), cases[i].count);
        assert_int_equal(where, cases[i].where);
        if (cases[i].count == 2)
            assert_int_equal(list[1].offset, 300);
    }
}

static void state_comes_back(void **state)
{
    const struct kafka_position list[] = {{"orders", 0, 17, INT64_MAX, {16, 1700000000000, 0xfedcba98}},
                                          {"users", 3, 0, 99, {-1, 0, 0}}};
    struct kafka_positions back = {NULL, 0};
    struct buf bytes;
    buf_init(&bytes, 1000);
    kafka_state_write(&bytes, list, 2);
    assert_true(buf_ok(&bytes));
    assert_int_equal(kafka_state_read(2, bytes.ptr, bytes.len, &back), 0);
    assert_int_equal(kafka_state_read(2, bytes.ptr, bytes.len, &back), 0); // the piece of another instance
    assert_int_equal(back.count, 4);
    const struct kafka_position *p = kafka_positions_find(&back, "users", 3);
    assert_non_null(p);
    assert_int_equal(p->stop, 99);
    assert_null(kafka_positions_find(&back, "users", 0));
    assert_int_equal(p->last.offset, -1);
    p = kafka_positions_find(&back, "orders", 0);
    assert_int_equal(p->last.millis, 1700000000000);
    assert_int_equal(p->last.crc, 0xfedcba98);
    for (size_t len = 0; len < bytes.len; len++) {
        struct kafka_positions cut = {NULL, 0};
        uint8_t *copy = malloc(len ? len : 1);
        memcpy(copy, bytes.ptr, len);
        assert_int_equal(kafka_state_read(2, copy, len, &cut), -1);
        kafka_positions_fini(&cut);
        free(copy);
    }
    kafka_positions_fini(&back);
    buf_fini(&bytes);
}

static void state_of_version_1_is_read(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 1, 0, 1,    't',  0,    0,    0,    2,    0,    0,   0,
                                    0, 0, 0, 0, 9, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct kafka_positions back = {NULL, 0};
    assert_int_equal(kafka_state_read(1, bytes, sizeof bytes, &back), 0);
    const struct kafka_position *p = kafka_positions_find(&back, "t", 2);
    assert_non_null(p);
    assert_int_equal(p->next, 9);
    assert_int_equal(p->stop, INT64_MAX);
    assert_int_equal(p->last.offset, -1);
    kafka_positions_fini(&back);
}

static void resources_are_the_same_for_all_spellings(void **state)
{
    static const struct {
        const char *servers, *resource;
    } cases[] = {
        {"localhost:9092", "kafka://localhost:9092/t"},
        {"LOCALHOST", "kafka://localhost:9092/t"},
        {"b:1, a:2 ,c:3", "kafka://a:2/t"},
        {"PLAINTEXT://x:9,[::1]", "kafka://[::1]:9092/t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *resource = kafka_resource(cases[i].servers, "t");
        assert_string_equal(resource, cases[i].resource);
        free(resource);
    }
}

// A configuration of these properties; *out as librdkafka has it, or the first diagnostic.
static void configure(uint8_t role, const struct leat_pair *pairs, uint32_t n, const char *name, char *out, size_t size)
{
    struct testhost *h = testhost_create();
    struct testhost_node *node = testhost_bare(h);
    struct kafka_options o = {.servers = "a:1", .properties = {n, pairs}};
    rd_kafka_conf_t *conf = kafka_conf_create(&node->ctx, &o, role);
    out[0] = 0;
    if (conf) {
        assert_int_equal(rd_kafka_conf_get(conf, name, out, &size), RD_KAFKA_CONF_OK);
        rd_kafka_conf_destroy(conf);
    } else {
        snprintf(out, size, "%s: %s", node->diags->option, node->diags->message);
    }
    testhost_node_destroy(node);
    testhost_destroy(h);
}

static void properties_are_translated_or_explained(void **state)
{
    static const struct {
        uint8_t role;
        struct leat_pair pair;
        const char *name, *value; // of librdkafka, or the diagnostic
    } cases[] = {
        {KAFKA_PRODUCER, {"linger.ms", "7"}, "linger.ms", "7"},
        {KAFKA_PRODUCER, {"buffer.memory", "67108864"}, "queue.buffering.max.kbytes", "65536"},
        {KAFKA_PRODUCER, {"max.request.size", "2000000"}, "message.max.bytes", "2000000"},
        {KAFKA_PRODUCER, {"acks", "-1"}, "enable.idempotence", "true"},
        {KAFKA_PRODUCER, {"acks", "1"}, NULL, "properties.acks: client property \"acks\" cannot be other than \"all\""},
        {KAFKA_PRODUCER,
         {"enable.idempotence", "false"},
         NULL,
         "properties.enable.idempotence: client property \"enable.idempotence\" cannot be other than \"true\""},
        {KAFKA_PRODUCER,
         {"delivery.timeout.ms", "1000"},
         NULL,
         "properties.delivery.timeout.ms: client property \"delivery.timeout.ms\" is refused"},
        {KAFKA_CONSUMER,
         {"enable.auto.commit", "true"},
         NULL,
         "properties.enable.auto.commit: client property \"enable.auto.commit\" cannot be other than \"false\""},
        {KAFKA_CONSUMER, {"auto.offset.reset", "earliest"}, "auto.offset.reset", "error"},
        {KAFKA_CONSUMER,
         {"auto.offset.reset", "never"},
         NULL,
         "properties.auto.offset.reset: client property \"auto.offset.reset\" has a wrong value"},
        {KAFKA_CONSUMER,
         {"key.deserializer", "x"},
         NULL,
         "properties.key.deserializer: client property \"key.deserializer\" is refused"},
        {KAFKA_CONSUMER,
         {"client.dns.lookup", "use_all_dns_ips"},
         NULL,
         "properties.client.dns.lookup: client property \"client.dns.lookup\" means nothing here"},
        {KAFKA_CONSUMER, {"acks", "0"}, "client.id", "leat"},
        {KAFKA_CONSUMER, {"isolation.level", "read_uncommitted"}, "isolation.level", "read_uncommitted"},
        {KAFKA_CONSUMER, {"fetch.max.wait.ms", "77"}, "fetch.wait.max.ms", "77"},
        {KAFKA_CONSUMER,
         {"no.such.thing", "77"},
         NULL,
         "properties.no.such.thing: unknown client property \"no.such.thing\""},
        {KAFKA_CONSUMER,
         {"sasl.jaas.config", "a.PlainLoginModule required username=\"u\" password=\"p\";"},
         "sasl.username",
         "u"},
        {KAFKA_CONSUMER,
         {"sasl.jaas.config", "a.Krb5LoginModule required;"},
         NULL,
         "properties.sasl.jaas.config: login module \"Krb5LoginModule\" is a class of the Java client"},
        {KAFKA_CONSUMER, {"ssl.truststore.location", "/x/ca.pem"}, "ssl.ca.location", "/x/ca.pem"},
        {KAFKA_CONSUMER,
         {"ssl.truststore.location", "/x/ca.jks"},
         NULL,
         "properties.ssl.truststore.location: trust stores of the Java client cannot be read"},
        {KAFKA_CONSUMER, {"ssl.keystore.location", "/x/me.p12"}, "ssl.keystore.location", "/x/me.p12"},
        {KAFKA_CONSUMER,
         {"ssl.endpoint.identification.algorithm", ""},
         "ssl.endpoint.identification.algorithm",
         "none"},
        {KAFKA_CONSUMER, {"ssl.keystore.password", "secret"}, "ssl.keystore.password", "secret"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[1024];
        configure(cases[i].role, &cases[i].pair, 1, cases[i].name ? cases[i].name : "client.id", out, sizeof out);
        assert_string_equal(out, cases[i].value);
    }
}

static void a_report_without_an_offset_is_no_proof(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *node = testhost_bare(h);
    struct kafka_client client = {.fatal = 0};
    struct kafka_chunk *chunk = calloc(1, sizeof *chunk);
    int64_t waiting = 2;
    struct kafka_writer w = {.client = &client, .outstanding = 2, .topic = "t", .waiting = &waiting};
    rd_kafka_message_t m = {._private = chunk, .offset = 7};
    chunk->outstanding = 2;
    kafka_writer_report(&w, &m);
    assert_int_equal(kafka_writer_failure(&node->ctx, &w), LEAT_OK);
    m.offset = RD_KAFKA_OFFSET_INVALID;
    kafka_writer_report(&w, &m);
    assert_int_equal(kafka_writer_failure(&node->ctx, &w), LEAT_TRANSIENT);
    assert_non_null(strstr(node->error.native, "acknowledged only by the success of later ones"));
    assert_int_equal(waiting, 0);
    free(chunk);
    testhost_node_destroy(node);
    testhost_destroy(h);
}

// --- the helper thread, with a host that has no memory for its first calls

static struct leat_host poor_host;
static atomic_int posts_to_fail;

static leat_status poor_post(struct leat_ctx *ctx, leat_event_fn fn, void *arg)
{
    return atomic_fetch_sub(&posts_to_fail, 1) > 0 ? LEAT_RESOURCE : testhost_table()->post(ctx, fn, arg);
}

static void run_nothing(struct kafka_control *control, struct kafka_job *job) {}

static void drop_nothing(struct kafka_job *job) {}

static leat_status note_done(struct leat_ctx *ctx, struct kafka_job *job)
{
    *(int *)job->node = 1;
    return LEAT_OK;
}

static int is_set(void *arg)
{
    return *(int *)arg;
}

static void ends_of_jobs_are_told_without_memory(void **state)
{
    struct testhost *h = testhost_create();
    struct testhost_node *node = testhost_bare(h);
    int done = 0;
    struct kafka_job job = {.run = run_nothing, .done = note_done, .drop = drop_nothing, .node = &done};
    poor_host = *testhost_table();
    poor_host.post = poor_post;
    node->ctx.host = &poor_host;
    for (int fail = 3; fail <= 1000; fail += 997) { // of the second one nobody hears: its control goes first
        atomic_store(&posts_to_fail, fail);
        struct kafka_control *control = kafka_control_create(&node->ctx);
        assert_non_null(control);
        kafka_control_run(control, &job);
        assert_int_equal(testhost_run_until(h, is_set, &done, fail == 3 ? 10000 : 200), fail == 3);
        kafka_control_destroy(&node->ctx, control);
        done = 0;
    }
    node->ctx.host = testhost_table();
    testhost_node_destroy(node);
    testhost_destroy(h);
}

static struct testhost_node *checked(struct testhost *h, const char *plugin, uint8_t kind, const char *const *pairs)
{
    return testhost_node(h, testhost_component(h, plugin, kind, plugin), pairs);
}

static void options_are_checked_together(void **state)
{
    static const struct {
        const char *plugin;
        uint8_t kind;
        const char *pairs[20];
        const char *fault; // NULL = none
    } cases[] = {
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json"},
         "start mode group-offsets (the default) needs \"properties.group.id\""},
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "properties.group.id", "g"},
         NULL},
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a;b", "properties.bootstrap.servers", "b:1", "format", "json", "scan.startup.mode",
          "specific-offsets", "scan.startup.specific-offsets", "partition:0,offset:1"},
         "specific offsets are those of a single topic, and \"topic\" names several"},
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a b", "properties.bootstrap.servers", "b:1", "format", "json", "scan.startup.mode",
          "earliest-offset"},
         "\"a b\" cannot be the name of a topic"},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "sink.delivery-guarantee",
          "exactly-once"},
         "exactly-once is not available yet"},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "key.format", "json"},
         "\"key.format\" needs \"key.fields\""},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1"},
         "connector \"kafka\" needs the option \"format\""},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json",
          "properties.max.in.flight.requests.per.connection", "10"},
         "librdkafka refuses the client properties: `max.in.flight` must be set <= 5 when `enable.idempotence` is "
         "true"},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "properties.security.protocol",
          "SASL_SSL", "properties.sasl.mechanism", "PLAIN"},
         "librdkafka refuses the client properties: sasl.username and sasl.password must be set"},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "properties.fetch.min.bytes", "1"},
         "client property \"fetch.min.bytes\" is for sources and does nothing here"},
        {"kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "properties.group.id", "g"},
         "a consumer group is for sources and does nothing here"},
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "scan.startup.mode", "earliest-offset",
          "properties.linger.ms", "5"},
         "client property \"linger.ms\" is for sinks and does nothing here"},
        {"kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "format", "json", "scan.startup.mode", "earliest-offset",
          "properties.session.timeout.ms", "600000"},
         "librdkafka refuses the client properties: `max.poll.interval.ms`must be >= `session.timeout.ms`"},
        {"upsert-kafka",
         LEAT_SINK,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "key.format", "json", "value.format", "json",
          "sink.buffer-flush.max-rows", "10"},
         "\"sink.buffer-flush.max-rows\" and \"sink.buffer-flush.interval\" go together"},
        {"upsert-kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "key.format", "json", "value.format", "json"},
         NULL},
        {"upsert-kafka",
         LEAT_SOURCE,
         {"topic", "a", "properties.bootstrap.servers", "b:1", "key.format", "json", "value.format", "json",
          "scan.startup.mode", "earliest-offset"},
         "option \"scan.startup.mode\" is refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct testhost *h = testhost_create();
        struct testhost_node *n = checked(h, cases[i].plugin, cases[i].kind, cases[i].pairs);
        if (cases[i].fault ? !testhost_diag(n, cases[i].fault) : !!n->diags)
            fail_msg("case %zu: %s", i, testhost_faults(n));
        testhost_node_destroy(n);
        testhost_destroy(h);
    }
}

static void addresses_of_brokers_are_checked(void **state)
{
    static const struct {
        const char *servers, *fault; // NULL = none
    } cases[] = {
        {" k1:9092 ,PLAINTEXT://10.0.0.1:65535,[::1]:1,ssl://[::1],c,", NULL},
        {"b:65536", "port 65536 of broker \"b:65536\" is out of range"},
        {"a:1,b:0", "port 0 of broker \"b:0\" is out of range"},
        {"a:1,b:", "\"b:\" is no address of a broker: a port is missing or is no number"},
        {"b;c:1", "\"b;c:1\" is no address of a broker"},
        {"http://b:1", "\"http://b:1\" is no address of a broker"},
        {"[::1:9", "\"[::1:9\" is no address of a broker"},
        {" , ", "no broker is named"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *pairs[] = {"topic", "a", "properties.bootstrap.servers", cases[i].servers, "format", "json", NULL};
        struct testhost *h = testhost_create();
        struct testhost_node *n = checked(h, "kafka", LEAT_SINK, pairs);
        if (cases[i].fault ? !testhost_diag(n, cases[i].fault) : !!n->diags)
            fail_msg("\"%s\": %s", cases[i].servers, testhost_faults(n));
        testhost_node_destroy(n);
        testhost_destroy(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_lines_are_read),
        cmocka_unit_test(login_lines_are_refused),
        cmocka_unit_test(names_of_the_java_client_are_known),
        cmocka_unit_test(specific_offsets_are_read),
        cmocka_unit_test(state_comes_back),
        cmocka_unit_test(state_of_version_1_is_read),
        cmocka_unit_test(resources_are_the_same_for_all_spellings),
        cmocka_unit_test(properties_are_translated_or_explained),
        cmocka_unit_test(a_report_without_an_offset_is_no_proof),
        cmocka_unit_test(ends_of_jobs_are_told_without_memory),
        cmocka_unit_test(options_are_checked_together),
        cmocka_unit_test(addresses_of_brokers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
