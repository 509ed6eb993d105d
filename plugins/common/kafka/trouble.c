// SPDX-License-Identifier: Apache-2.0
// See trouble.h. Reasons look like "sasl_ssl://host:9092/bootstrap: SASL authentication error: … (after 5ms in state …)".
// The code of an error says what kind it is, its words tell the cases of one code apart; words that a later version of
// librdkafka may choose lead to the general case of that code.
#include "trouble.h"

#include <stdio.h>
#include <string.h>

#include <leat/plugin.h>
#include <librdkafka/rdkafka.h>

#define WORDS_MAX      160 // bytes of the client's own words that are shown
#define NAME_MAX_SHOWN 100 // bytes of a broker's name

struct meaning {
    int err;           // of librdkafka; 0 = any
    const char *words; // somewhere in the reason; NULL = any
    uint8_t severity;
    const char *code;
    const char *text; // what the broker, or its connection, does
    uint8_t quote;    // the client's words follow
    const char *option, *hint;
    uint8_t not_met; // only before a broker has ever answered
};

#define PROTOCOL "Compare properties.security.protocol with the listener that has this port."

static const struct meaning meanings[] = {
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, "current SASL state", LEAT_DIAG_ERROR, "LEAT-K0210", "%s takes no login", 0,
     "properties.security.protocol", PROTOCOL, 0},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, "supported mechanisms", LEAT_DIAG_ERROR, "LEAT-K0210",
     "%s does not take logins of this mechanism, only of: ", 1, "properties.sasl.mechanism",
     "Write one that it takes, or the port of another listener.", 0},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, NULL, LEAT_DIAG_ERROR, "LEAT-K0210", "%s refuses the login: ", 1,
     "properties.sasl.password",
     "Check properties.sasl.username, properties.sasl.password and properties.sasl.mechanism.", 0},
    {0, "certificate verify failed", LEAT_DIAG_ERROR, "LEAT-K0211", "the certificate of %s cannot be verified", 0,
     "properties.ssl.ca.location",
     "Name the certificate of the authority that signed it, in PEM. The address in properties.bootstrap.servers must "
     "be "
     "one that the certificate is for.",
     0},
    {0, "SSL_HANDSHAKE", LEAT_DIAG_ERROR, "LEAT-K0211", "the TLS handshake with %s fails: ", 1,
     "properties.security.protocol", PROTOCOL, 0},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "security.protocol", LEAT_DIAG_WARNING, "LEAT-K0212",
     "%s closes the connection: it may ask for TLS or a login", 0, "properties.security.protocol", PROTOCOL, 1},
    {RD_KAFKA_RESP_ERR__RESOLVE, NULL, LEAT_DIAG_WARNING, "LEAT-K0213", "the name of %s cannot be resolved: ", 1,
     "properties.bootstrap.servers",
     "Check the name, and the name service of this machine. Behind the first contact brokers are called as their "
     "advertised.listeners say.",
     0},
    // that happens, and the next try tells whether it is more
    {RD_KAFKA_RESP_ERR__TRANSPORT, "Disconnected", 0, "LEAT-K0214", "%s closed the connection", 0,
     "properties.bootstrap.servers", NULL, 0},
    {0, NULL, LEAT_DIAG_WARNING, "LEAT-K0214", "%s cannot be reached: ", 1, "properties.bootstrap.servers",
     "Check that the broker runs and that this machine reaches it. It is tried again until it does.", 0},
};

// Copies up to `len` bytes, cut at the end of a word when that is too much.
static void copy_words(char *out, size_t size, const char *text, size_t len)
{
    size_t room = size < WORDS_MAX ? size : WORDS_MAX;
    if (len < room) {
        memcpy(out, text, len);
        out[len] = 0;
        return;
    }
    size_t n = room - sizeof "…";
    for (size_t i = n; i > n / 2; i--)
        if (text[i] == ' ') {
            n = i;
            break;
        }
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    snprintf(out, size, "%.*s…", (int)n, text);
}

// "broker "host:port"" of the reason, and where the client's own words begin.
static const char *take_broker(const char *reason, char *out, size_t size)
{
    const char *scheme = strstr(reason, "://");
    const char *name = scheme ? scheme + 3 : reason;
    size_t len = strcspn(name, "/ ");
    int shown = len < NAME_MAX_SHOWN ? (int)len : NAME_MAX_SHOWN;
    const char *words = name[len] == '/' ? strstr(name + len, ": ") : NULL;
    if (words)
        snprintf(out, size, "broker \"%.*s\"", shown, name);
    else
        snprintf(out, size, "a broker");
    return words ? words + 2 : reason;
}

// Leaves out what says how and when, not what.
static const char *trim(const char *words, size_t *len)
{
    static const struct {
        const char *begin, *end;
    } openings[] = {{"SASL ", "supported mechanisms: "}, {"SASL authentication error: ", ": "},
                    {"Authentication failed: ", ": "},   {"SSL handshake failed: ", ": "},
                    {"Failed to resolve ", "': "},       {"error:", "::"}};
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        const char *at =
            strncmp(words, openings[i].begin, strlen(openings[i].begin)) == 0 ? strstr(words, openings[i].end) : NULL;
        if (at)
            words = at + strlen(openings[i].end);
    }
    const char *end = NULL;
    for (const char *at = words; (at = strstr(at, " (after ")); at++)
        end = at;
    *len = end ? (size_t)(end - words) : strlen(words);
    return words;
}

static const struct meaning *find(int err, const char *reason, int met)
{
    const struct meaning *m = meanings;
    while ((m->err && m->err != err) || (m->words && !strstr(reason, m->words)) || (m->not_met && met))
        m++; // the last one is of any
    return m;
}

void kafka_trouble_explain(int err, const char *reason, int met, struct kafka_trouble *out)
{
    char broker[140];
    size_t len;
    const struct meaning *m = find(err, reason, met);
    const char *words = trim(take_broker(reason, broker, sizeof broker), &len);
    *out = (struct kafka_trouble){.code = m->code, .severity = m->severity, .option = m->option, .hint = m->hint};
    snprintf(out->about, sizeof out->about, "%d %s", (int)(m - meanings), broker);
    const char *at = strstr(m->text, "%s");
    int n = snprintf(out->text, sizeof out->text, "%.*s%s%s", (int)(at - m->text), m->text, broker, at + 2);
    if (m->quote && (size_t)n < sizeof out->text)
        copy_words(out->text + n, sizeof out->text - (size_t)n, words, len);
}
