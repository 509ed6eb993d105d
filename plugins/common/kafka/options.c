// SPDX-License-Identifier: Apache-2.0
// See kafka_options.h. Rules that need more than one option; types and ranges were checked by the core.
#include "kafka_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "offsets.h"
#include "properties.h"

#define SECONDS_BELOW INT64_C(4294967296) // as milliseconds: 19 February 1970
#define DISCOVERY_MIN INT64_C(100000)     // microseconds

struct check {
    struct leat_ctx *ctx;
    const struct kafka_options *o;
    int faults;
};

#define FAULT(c, code, option, offset, hint, ...)                                                                      \
    (leat_diag((c)->ctx, LEAT_DIAG_ERROR, code, option, (uint32_t)(offset), hint, __VA_ARGS__), (c)->faults++)

const char *kafka_value_format_option(const struct kafka_options *o)
{
    return o->value_format ? "value.format" : "format";
}

static void check_topic(struct check *c, int source)
{
    for (uint32_t i = 0; i < c->o->topic.count; i++) {
        const char *t = c->o->topic.items[i];
        size_t len = strlen(t), good = strspn(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
        if (!len || len > 249 || good < len || strcmp(t, ".") == 0 || strcmp(t, "..") == 0)
            FAULT(c, "LEAT-K0102", "topic", 0,
                  "A topic's name has up to 249 letters, digits, dots, underscores and hyphens.",
                  "\"%.260s\" cannot be the name of a topic", t);
    }
    if (!source && c->o->topic.count > 1)
        FAULT(c, "LEAT-K0103", "topic", 0, "Make a sink for each topic.",
              "several topics of a sink are known in Flink, not supported yet");
}

// --- properties.bootstrap.servers: "host:port,host:port", each with a protocol before it if the user likes

static const char servers_hint[] = "Write host:port, several with commas between: \"kafka1:9092,kafka2:9092\".";

// Length of the protocol and "://" that the entry begins with, 0 = none, -1 = unknown.
static int protocol_length(const char *at, const char *end)
{
    static const char *const words[] = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
    const char *tail = strstr(at, "://");
    if (!tail || tail >= end)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == (size_t)(tail - at) && strncasecmp(at, words[i], (size_t)(tail - at)) == 0)
            return (int)(tail - at) + 3;
    return -1;
}

// Behind the host's name or address, which is "host", "1.2.3.4" or "[::1]"; NULL = none is there.
static const char *skip_host(const char *at, const char *end)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = *at == '[' ? strspn(at + 1, "0123456789abcdefABCDEF:.%") + 1 : strspn(at, name);
    if (*at == '[')
        n = at[n] == ']' && n > 1 ? n + 1 : 0;
    return n && at + n <= end ? at + n : NULL;
}

static void check_server(struct check *c, const char *at, const char *end)
{
    static const char option[] = "properties.bootstrap.servers";
    const char *begin = at;
    int protocol = protocol_length(at, end);
    const char *port = protocol < 0 ? NULL : skip_host(at + protocol, end);
    char *digits_end = NULL;
    long number =
        port && port < end && *port == ':' && isdigit((unsigned char)port[1]) ? strtol(port + 1, &digits_end, 10) : 0;
    if (!port)
        FAULT(c, "LEAT-K0127", option, begin - c->o->servers, servers_hint, "\"%.*s\" is no address of a broker",
              (int)(end - begin), begin);
    else if (port < end && digits_end != end)
        FAULT(c, "LEAT-K0127", option, port - c->o->servers, servers_hint,
              "\"%.*s\" is no address of a broker: a port is missing or is no number", (int)(end - begin), begin);
    else if (port < end && (number < 1 || number > 65535))
        FAULT(c, "LEAT-K0127", option, port + 1 - c->o->servers, "Ports are numbers from 1 to 65535.",
              "port %.*s of broker \"%.*s\" is out of range", (int)(end - port - 1), port + 1, (int)(end - begin),
              begin);
}

static void check_servers(struct check *c)
{
    const char *text = c->o->servers;
    int before = c->faults;
    int found = 0;
    for (const char *at = text, *next; *at; at = next) {
        const char *end = at + strcspn(at, ",");
        next = *end ? end + 1 : end;
        while (at < end && isspace((unsigned char)*at))
            at++;
        while (end > at && isspace((unsigned char)end[-1]))
            end--;
        if (at < end)
            check_server(c, at, end);
        found += at < end;
    }
    if (!found && c->faults == before)
        FAULT(c, "LEAT-K0127", "properties.bootstrap.servers", 0, servers_hint, "no broker is named");
}

// Of upsert-kafka the core requires both formats.
static void check_formats(struct check *c, int upsert)
{
    const struct kafka_options *o = c->o;
    if (o->format && o->value_format)
        FAULT(c, "LEAT-K0104", "format", 0, "Leave one of them out.", "both \"format\" and \"value.format\" are given");
    else if (!o->format && !o->value_format)
        FAULT(c, "LEAT-K0105", "value.format", 0, "For example: format = \"json\"",
              "connector \"kafka\" needs the option \"format\"");
    if (upsert)
        return;
    if (o->key_format && !o->key_fields.count)
        FAULT(c, "LEAT-K0106", "key.fields", 0, "Name the columns that make the key: key.fields = \"id\".",
              "\"key.format\" needs \"key.fields\"");
    if (!o->key_format && o->key_fields.count)
        FAULT(c, "LEAT-K0107", "key.fields", 0, "For example: key.format = \"json\"",
              "\"key.fields\" needs \"key.format\"");
    if (!o->key_format && o->value_fields == KAFKA_FIELDS_EXCEPT_KEY)
        FAULT(c, "LEAT-K0108", "value.fields-include", 0, "Give both, or leave it out.",
              "value.fields-include = \"EXCEPT_KEY\" needs \"key.format\" and \"key.fields\"");
}

static void check_prefix(struct check *c)
{
    if (c->o->key_prefix && *c->o->key_prefix && c->o->value_fields != KAFKA_FIELDS_EXCEPT_KEY)
        FAULT(c, "LEAT-K0109", "key.fields-prefix", 0,
              "With ALL the prefixed columns would be looked for in the value as well.",
              "\"key.fields-prefix\" needs value.fields-include = \"EXCEPT_KEY\"");
}

static int by_partition(const void *a, const void *b)
{
    const struct kafka_offset *x = a, *y = b;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static void check_twice(struct check *c, const char *option, const char *text, int count)
{
    size_t where;
    struct kafka_offset *list = calloc((size_t)count + 1, sizeof *list);
    count = list ? kafka_offsets_parse(text, list, count, &where) : 0; // without memory the start says so
    if (count > 1)
        qsort(list, (size_t)count, sizeof *list, by_partition);
    for (int i = 1; i < count; i++)
        if (list[i].partition == list[i - 1].partition) {
            FAULT(c, "LEAT-K0131", option, 0, "Name each partition once.", "partition %d is named twice",
                  list[i].partition);
            break;
        }
    free(list);
}

// Offsets that are needed and not given are reported by the core.
static void check_offsets(struct check *c, const char *option, const char *text)
{
    size_t where;
    int count;
    if (!text)
        return;
    if (c->o->topic.count > 1)
        FAULT(c, "LEAT-K0111", option, 0, "Read one topic, or write another mode.",
              "specific offsets are those of a single topic, and \"topic\" names several");
    else if ((count = kafka_offsets_parse(text, NULL, 0, &where)) < 0)
        FAULT(c, "LEAT-K0112", option, where, "Write partition:0,offset:42;partition:1,offset:300.",
              "specific offsets cannot be read");
    else
        check_twice(c, option, text, count);
}

// Seconds where milliseconds are asked for lie in the first weeks of 1970.
static void check_millis(struct check *c, const char *option, int in_use, int64_t millis)
{
    if (in_use && millis > 0 && millis < SECONDS_BELOW)
        leat_diag(c->ctx, LEAT_DIAG_WARNING, "LEAT-K0129", option, 0,
                  "It is counted in milliseconds since 1970: put three zeros behind seconds.",
                  "\"%s\" lies in the first weeks of 1970", option);
}

static void check_discovery(struct check *c)
{
    if (c->o->discovery > 0 && c->o->discovery < DISCOVERY_MIN)
        FAULT(c, "LEAT-K0130", "scan.topic-partition-discovery.interval", 0,
              "Write 0 for never, or at least \"100ms\".", "the brokers cannot be asked for new partitions so often");
}

static void check_positions(struct check *c)
{
    const struct kafka_options *o = c->o;
    const char *reset = kafka_property(o, "auto.offset.reset");
    if (o->startup == KAFKA_START_SPECIFIC)
        check_offsets(c, "scan.startup.specific-offsets", o->startup_offsets);
    if (o->bounded == KAFKA_STOP_SPECIFIC)
        check_offsets(c, "scan.bounded.specific-offsets", o->bounded_offsets);
    if (o->startup == KAFKA_START_GROUP && !o->group_id && (!reset || strcmp(reset, "none") == 0))
        FAULT(c, "LEAT-K0115", "scan.startup.mode", 0,
              "Write scan.startup.mode = \"earliest-offset\" to read the topic from its beginning, or name the group "
              "that has committed offsets: properties.group.id.",
              "start mode group-offsets (the default) needs \"properties.group.id\"");
    if (o->bounded == KAFKA_STOP_GROUP && !o->group_id)
        FAULT(c, "LEAT-K0116", "scan.bounded.mode", 0, "For example: properties.group.id = \"orders\"",
              "end mode group-offsets needs \"properties.group.id\"");
    check_millis(c, "scan.startup.timestamp-millis", o->startup == KAFKA_START_TIMESTAMP, o->startup_millis);
    check_millis(c, "scan.bounded.timestamp-millis", o->bounded == KAFKA_STOP_TIMESTAMP, o->bounded_millis);
    check_discovery(c);
}

// --- options that do nothing where they are

#define IDLE(c, option, hint, ...) leat_diag((c)->ctx, LEAT_DIAG_WARNING, "LEAT-K0128", option, 0, hint, __VA_ARGS__)

static void warn_properties(struct check *c, uint8_t role)
{
    for (uint32_t i = 0; i < c->o->properties.count; i++) {
        const char *name = c->o->properties.items[i].key;
        const struct kafka_rule *r = kafka_rule_find(name);
        char option[256];
        snprintf(option, sizeof option, "properties.%s", name);
        if (r && !(r->roles & role))
            IDLE(c, option, "Remove it here.", "client property \"%s\" is for %s and does nothing here", name,
                 role == KAFKA_CONSUMER ? "sinks" : "sources");
    }
}

// Flink asks it too where an offset is gone; here such a start is refused.
static void warn_reset(struct check *c, int upsert)
{
    if (kafka_property(c->o, "auto.offset.reset") && (upsert || c->o->startup != KAFKA_START_GROUP))
        IDLE(
            c, "properties.auto.offset.reset", "Remove it here.",
            "client property \"auto.offset.reset\" does nothing here: it is for scan.startup.mode = \"group-offsets\"");
}

static void warn_commits(struct check *c)
{
    static const char name[] = "properties.commit.offsets.on.checkpoint";
    const char *wanted = kafka_property(c->o, name + strlen("properties."));
    if (wanted && strcmp(wanted, "true") != 0 && strcmp(wanted, "false") != 0)
        FAULT(c, "LEAT-K0101", name, 0, "Write true or false.",
              "client property \"commit.offsets.on.checkpoint\" is neither true nor false");
    else if (wanted && !c->o->group_id)
        IDLE(c, name, "Remove it, or name the group: properties.group.id.",
             "client property \"commit.offsets.on.checkpoint\" does nothing here: there is no group to commit to");
}

static void warn_sink(struct check *c)
{
    if (c->o->group_id)
        IDLE(c, "properties.group.id", "Remove it here.", "a consumer group is for sources and does nothing here");
}

// --- the whole

// Faults of the key and the formats leave nothing to compare columns with. Others do, and hide no fault of the columns:
// the diagnostics alone refuse the node.
static leat_status finish(struct check *c, uint8_t role, int column_faults)
{
    rd_kafka_conf_t *conf = kafka_conf_create(c->ctx, c->o, role);
    warn_properties(c, role);
    if (conf)
        kafka_conf_try(c->ctx, c->o, conf, role);
    return column_faults ? leat_fail(c->ctx, LEAT_CONFIG, "LEAT-K0100", "the options of the Kafka connector are wrong")
                         : LEAT_OK;
}

static int check_value(struct check *c, int upsert)
{
    int before = c->faults;
    check_formats(c, upsert);
    check_prefix(c);
    return c->faults - before;
}

leat_status kafka_check_source(struct leat_ctx *ctx, const struct kafka_options *o, int upsert)
{
    struct check c = {ctx, o, 0};
    check_topic(&c, 1);
    check_servers(&c);
    int column_faults = check_value(&c, upsert);
    check_positions(&c);
    warn_reset(&c, upsert);
    warn_commits(&c);
    return finish(&c, KAFKA_CONSUMER, column_faults);
}

leat_status kafka_check_sink(struct leat_ctx *ctx, const struct kafka_options *o, int upsert)
{
    struct check c = {ctx, o, 0};
    check_topic(&c, 0);
    check_servers(&c);
    int column_faults = check_value(&c, upsert);
    if (o->guarantee == KAFKA_GUARANTEE_EXACTLY_ONCE)
        FAULT(&c, "LEAT-K0117", "sink.delivery-guarantee", 0,
              "Write at-least-once. An upsert topic is right with it as well: the last row of each key wins.",
              "exactly-once is not available yet");
    if (o->partitioner == KAFKA_PARTITION_ROUND_ROBIN && (o->key_fields.count || upsert))
        FAULT(&c, "LEAT-K0118", "sink.partitioner", 0, "Leave it out, or leave out the key.",
              "round-robin cannot be used with a key: rows of one key would lose their order");
    if ((o->flush_rows > 0) != (o->flush_interval > 0))
        FAULT(&c, "LEAT-K0119", "sink.buffer-flush.max-rows", 0, "Give both or none.",
              "\"sink.buffer-flush.max-rows\" and \"sink.buffer-flush.interval\" go together");
    warn_sink(&c);
    return finish(&c, KAFKA_PRODUCER, column_faults);
}

// --- resource

// One server of the list, in lower case and with its port, copied to `out` (as long as the list and 6 more).
static const char *take_server(const char *at, char *out)
{
    size_t n = 0;
    const char *scheme = strstr(at, "://");
    const char *end = at + strcspn(at, ",");
    if (scheme && scheme < end)
        at = scheme + 3;
    for (; at < end; at++)
        if (!isspace((unsigned char)*at))
            out[n++] = (char)tolower((unsigned char)*at);
    out[n] = 0;
    const char *bracket = strrchr(out, ']');
    if (!strchr(bracket ? bracket : out, ':'))
        memcpy(out + n, ":9092", 6);
    return *end ? end + 1 : end;
}

char *kafka_resource(const char *servers, const char *topic)
{
    size_t cap = strlen(servers) + 8;
    char *best = malloc(cap), *one = malloc(cap), *out = NULL;
    if (best && one) {
        *best = 0;
        for (const char *at = servers; *at;) {
            at = take_server(at, one);
            if (!*best || strcmp(one, best) < 0)
                memcpy(best, one, strlen(one) + 1);
        }
        if (asprintf(&out, "kafka://%s/%s", best, topic) < 0)
            out = NULL;
    }
    free(best);
    free(one);
    return out;
}
