// SPDX-License-Identifier: Apache-2.0
// Every option of Flink's connectors kafka and upsert-kafka is known: it works with Flink's default, or it is refused as
// not supported yet or as senseless here, with what to write instead. scan.parallelism and sink.parallelism are options
// of every node and belong to the server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

#define KAFKA_SOURCE  1u
#define KAFKA_SINK    2u
#define UPSERT_SOURCE 4u
#define UPSERT_SINK   8u
#define KAFKA         (KAFKA_SOURCE | KAFKA_SINK)
#define UPSERT        (UPSERT_SOURCE | UPSERT_SINK)
#define SOURCES       (KAFKA_SOURCE | UPSERT_SOURCE)
#define SINKS         (KAFKA_SINK | UPSERT_SINK)
#define ALL           (KAFKA | UPSERT)

static const struct component {
    unsigned bit;
    const char *plugin;
    uint8_t kind;
} components[] = {
    {KAFKA_SOURCE, "kafka", LEAT_SOURCE},
    {KAFKA_SINK, "kafka", LEAT_SINK},
    {UPSERT_SOURCE, "upsert-kafka", LEAT_SOURCE},
    {UPSERT_SINK, "upsert-kafka", LEAT_SINK},
};

static const struct flink {
    unsigned where;
    const char *name;
    uint32_t flags;  // LEAT_OPT_REQUIRED, _UNSUPPORTED and _SENSELESS as they must be (_REQUIRED also of one mode)
    const char *def; // Flink's default as leat writes it
} flink[] = {
    {ALL, "topic", LEAT_OPT_REQUIRED, NULL},
    {ALL, "topic-pattern", LEAT_OPT_UNSUPPORTED, NULL},
    {ALL, "properties.bootstrap.servers", LEAT_OPT_REQUIRED, NULL},
    {ALL, "properties.group.id", 0, NULL},
    {ALL, "properties.", 0, NULL},
    {KAFKA, "format", 0, NULL},
    {KAFKA, "value.format", 0, NULL},
    {UPSERT, "value.format", LEAT_OPT_REQUIRED, NULL},
    {KAFKA, "key.format", 0, NULL},
    {UPSERT, "key.format", LEAT_OPT_REQUIRED, NULL},
    {KAFKA, "key.fields", 0, NULL},
    {UPSERT, "key.fields", LEAT_OPT_SENSELESS, NULL},
    {ALL, "key.fields-prefix", 0, ""},
    {ALL, "value.fields-include", 0, "ALL"},
    {KAFKA_SOURCE, "scan.startup.mode", 0, "group-offsets"},
    {UPSERT_SOURCE, "scan.startup.mode", LEAT_OPT_SENSELESS, NULL},
    {KAFKA_SOURCE, "scan.startup.specific-offsets", LEAT_OPT_REQUIRED, NULL},
    {KAFKA_SOURCE, "scan.startup.timestamp-millis", LEAT_OPT_REQUIRED, NULL},
    {SOURCES, "scan.bounded.mode", 0, "unbounded"},
    {SOURCES, "scan.bounded.specific-offsets", LEAT_OPT_REQUIRED, NULL},
    {SOURCES, "scan.bounded.timestamp-millis", LEAT_OPT_REQUIRED, NULL},
    {SOURCES, "scan.topic-partition-discovery.interval", 0, "5min"},
    {KAFKA_SINK, "sink.partitioner", 0, "default"},
    {SINKS, "sink.semantic", LEAT_OPT_SENSELESS, NULL},
    {SINKS, "sink.delivery-guarantee", 0, "at-least-once"},
    {SINKS, "sink.transactional-id-prefix", LEAT_OPT_UNSUPPORTED, NULL},
    {SINKS, "sink.transaction-naming-strategy", LEAT_OPT_UNSUPPORTED, NULL},
    {UPSERT_SINK, "sink.buffer-flush.max-rows", 0, "0"},
    {UPSERT_SINK, "sink.buffer-flush.interval", 0, "0s"},
};

static const struct leat_option *find(const struct leat_component *c, const char *name)
{
    const char *at = (const char *)c->options;
    for (uint32_t i = 0; i < c->option_count; i++, at += c->option_stride)
        if (strcmp(((const struct leat_option *)(const void *)at)->name, name) == 0)
            return (const struct leat_option *)(const void *)at;
    return NULL;
}

static void compare(const struct component *component, const struct leat_option *o, const struct flink *f)
{
    const uint32_t seen = LEAT_OPT_REQUIRED | LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS;
    if (!o)
        fail_msg("%s does not know \"%s\"", component->plugin, f->name);
    if ((o->flags & seen) != f->flags)
        fail_msg("%s: \"%s\" has flags %u, not %u", component->plugin, f->name, o->flags & seen, f->flags);
    if (!o->def != !f->def || (f->def && strcmp(o->def, f->def) != 0))
        fail_msg("%s: \"%s\" defaults to %s", component->plugin, f->name, o->def ? o->def : "nothing");
    if (!o->doc || !*o->doc)
        fail_msg("%s: \"%s\" is not explained", component->plugin, f->name);
}

static void every_option_of_flink_is_known(void **state)
{
    struct testhost *h = testhost_create();
    for (size_t c = 0; c < sizeof components / sizeof components[0]; c++) {
        const struct component *it = &components[c];
        const struct leat_component *loaded = testhost_component(h, it->plugin, it->kind, it->plugin);
        for (size_t i = 0; i < sizeof flink / sizeof flink[0]; i++)
            if (flink[i].where & it->bit)
                compare(it, find(loaded, flink[i].name), &flink[i]);
    }
    testhost_destroy(h);
}

// The words of options are Flink's as well.
static void words_are_those_of_flink(void **state)
{
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"value.fields-include", "ALL|EXCEPT_KEY"},
        {"scan.startup.mode", "earliest-offset|latest-offset|group-offsets|timestamp|specific-offsets"},
        {"scan.bounded.mode", "unbounded|latest-offset|group-offsets|timestamp|specific-offsets"},
        {"sink.partitioner", "default|fixed|round-robin"},
        {"sink.delivery-guarantee", "none|at-least-once|exactly-once"},
    };
    struct testhost *h = testhost_create();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t kind = strncmp(cases[i].name, "sink.", 5) == 0 ? LEAT_SINK : LEAT_SOURCE;
        const struct leat_option *o = find(testhost_component(h, "kafka", kind, "kafka"), cases[i].name);
        assert_non_null(o);
        assert_string_equal(o->words, cases[i].words);
    }
    testhost_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_flink_is_known),
        cmocka_unit_test(words_are_those_of_flink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
