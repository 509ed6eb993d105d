// SPDX-License-Identifier: Apache-2.0
// Reasons as librdkafka 2.0.2 gives them, and what a user is told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <leat/plugin.h>
#include <librdkafka/rdkafka.h>

#include "trouble.h"

#include <cmocka.h>

static void reasons_are_explained(void **state)
{
    static const struct {
        int err;
        const char *reason;
        uint8_t severity;
        const char *code, *option, *text;
    } cases[] = {
        {RD_KAFKA_RESP_ERR__AUTHENTICATION,
         "sasl_plaintext://localhost:26810/bootstrap: SASL authentication error: Authentication failed: Invalid "
         "username or password (after 302ms in state AUTH_REQ, 1 identical error(s) suppressed)",
         LEAT_DIAG_ERROR, "LEAT-K0210", "properties.sasl.password",
         "broker \"localhost:26810\" refuses the login: Invalid username or password"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION,
         "sasl_plaintext://localhost:26810/bootstrap: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: "
         "Unsupported SASL mechanism: broker's supported mechanisms: PLAIN (after 306ms in state AUTH_HANDSHAKE)",
         LEAT_DIAG_ERROR, "LEAT-K0210", "properties.sasl.mechanism",
         "broker \"localhost:26810\" does not take logins of this mechanism, only of: PLAIN"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION,
         "sasl_plaintext://localhost:24998/1: SASL PLAIN mechanism handshake failed: Broker: Request not valid in "
         "current SASL state: broker's supported mechanisms:  (after 1ms in state AUTH_HANDSHAKE)",
         LEAT_DIAG_ERROR, "LEAT-K0210", "properties.security.protocol", "broker \"localhost:24998\" takes no login"},
        {RD_KAFKA_RESP_ERR__SSL,
         "sasl_ssl://[::1]:30676/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify "
         "failed: broker certificate could not be verified, verify that ssl.ca.location is correctly configured or "
         "root CA certificates are installed (install ca-certificates package) (after 294ms in state SSL_HANDSHAKE)",
         LEAT_DIAG_ERROR, "LEAT-K0211", "properties.ssl.ca.location",
         "the certificate of broker \"[::1]:30676\" cannot be verified"},
        {RD_KAFKA_RESP_ERR__TRANSPORT,
         "ssl://localhost:24998/bootstrap: error:0A000126:SSL routines::unexpected eof while reading (after 29ms in "
         "state SSL_HANDSHAKE)",
         LEAT_DIAG_ERROR, "LEAT-K0211", "properties.security.protocol",
         "the TLS handshake with broker \"localhost:24998\" fails: unexpected eof while reading"},
        {RD_KAFKA_RESP_ERR__TRANSPORT,
         "localhost:30676/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect "
         "security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10 (see "
         "api.version.request) (after 6ms in state APIVERSION_QUERY)",
         LEAT_DIAG_WARNING, "LEAT-K0212", "properties.security.protocol",
         "broker \"localhost:30676\" closes the connection: it may ask for TLS or a login"},
        {RD_KAFKA_RESP_ERR__RESOLVE,
         "no-such-host.invalid:9092/bootstrap: Failed to resolve 'no-such-host.invalid:9092': Name or service not "
         "known (after 3ms in state CONNECT)",
         LEAT_DIAG_WARNING, "LEAT-K0213", "properties.bootstrap.servers",
         "the name of broker \"no-such-host.invalid:9092\" cannot be resolved: Name or service not known"},
        {RD_KAFKA_RESP_ERR__TRANSPORT,
         "localhost:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)",
         LEAT_DIAG_WARNING, "LEAT-K0214", "properties.bootstrap.servers",
         "broker \"localhost:1\" cannot be reached: Connect to ipv4#127.0.0.1:1 failed: Connection refused"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, "localhost:9092/1: Disconnected (after 600123ms in state UP)", 0, "LEAT-K0214",
         "properties.bootstrap.servers", "broker \"localhost:9092\" closed the connection"},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, "something new", LEAT_DIAG_WARNING, "LEAT-K0214", "properties.bootstrap.servers",
         "a broker cannot be reached: something new"},
        {RD_KAFKA_RESP_ERR__RESOLVE, "", LEAT_DIAG_WARNING, "LEAT-K0213", "properties.bootstrap.servers",
         "the name of a broker cannot be resolved: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kafka_trouble t;
        kafka_trouble_explain(cases[i].err, cases[i].reason, 0, &t);
        assert_string_equal(t.text, cases[i].text);
        assert_string_equal(t.code, cases[i].code);
        assert_string_equal(t.option, cases[i].option);
        assert_int_equal(t.severity, cases[i].severity);
        assert_true(!t.severity || t.hint);
    }
}

// What a client says of a broker that is killed, one after the other.
static void a_broker_that_is_killed_is_one_trouble(void **state)
{
    static const char *const reasons[] = {
        "localhost:9092/1: Receive failed: Connection reset by peer (after 5012ms in state UP)",
        "localhost:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)",
        "localhost:9092/bootstrap: Connect to ipv6#[::1]:9092 failed: Connection refused (after 0ms in state CONNECT, "
        "30 "
        "identical error(s) suppressed)",
    };
    struct kafka_trouble first, t;
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT, reasons[0], 1, &first);
    assert_string_equal(first.code, "LEAT-K0214");
    for (size_t i = 1; i < sizeof reasons / sizeof reasons[0]; i++) {
        kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT, reasons[i], 1, &t);
        assert_string_equal(t.about, first.about);
    }
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT, "localhost:9093/2: Connect failed", 1, &t);
    assert_string_not_equal(t.about, first.about);
}

// It dies while it is asked for its version, which the client takes for a wrong protocol.
static void a_broker_that_has_answered_does_not_ask_for_tls(void **state)
{
    struct kafka_trouble t;
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT,
                          "localhost:9092/1: Disconnected while requesting ApiVersion: might be caused by incorrect "
                          "security.protocol configuration (connecting to a SSL listener?) (after 2ms in state "
                          "APIVERSION_QUERY)",
                          1, &t);
    assert_string_equal(t.code, "LEAT-K0214");
    assert_int_equal(t.severity, 0);
    assert_string_equal(t.text, "broker \"localhost:9092\" closed the connection");
}

static void long_words_end_with_a_word(void **state)
{
    struct kafka_trouble t;
    char reason[2000] = "localhost:9092/1: ";
    for (int i = 0; i < 60; i++)
        strcat(reason, i % 2 ? "words " : "größer ");
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__AUTHENTICATION, reason, 0, &t);
    size_t len = strlen(t.text);
    assert_in_range(len, 150, 220);
    assert_string_equal(t.text + len - strlen(" größer words…"), " größer words…");

    char name[1200];
    memset(name, 'x', sizeof name);
    memcpy(name + sizeof name - 20, ":9092/bootstrap: no", 20);
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT, name, 0, &t);
    assert_in_range(strlen(t.text), 100, sizeof t.text - 1);

    memset(reason, 'y', sizeof reason - 1); // no blank to cut at
    kafka_trouble_explain(RD_KAFKA_RESP_ERR__TRANSPORT, reason, 0, &t);
    assert_in_range(strlen(t.text), 100, 220);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_explained),
        cmocka_unit_test(a_broker_that_is_killed_is_one_trouble),
        cmocka_unit_test(a_broker_that_has_answered_does_not_ask_for_tls),
        cmocka_unit_test(long_words_end_with_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
