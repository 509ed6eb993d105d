// SPDX-License-Identifier: Apache-2.0
// Fixtures on a real broker, named by KAFKA_BOOTSTRAP: kafka and upsert-kafka, as sources and as sinks. Topics are
// filled by the sinks and read by the sources, which have tests of their own against other clients.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>
#include <unistd.h>

#include "contract.h"

#include <cmocka.h>

#define COLUMNS "id BIGINT NOT NULL, value STRING"
#define ROWS    3000

static char topic[64]; // of the case
static char filled[2][64];

static void new_topic(char *name)
{
    static unsigned number;
    snprintf(name, sizeof topic, "contract-%d-%lld-%u", (int)getpid(), (long long)time(NULL), ++number);
}

static const char *servers(void)
{
    const char *address = getenv("KAFKA_BOOTSTRAP");
    if (!address)
        fail_msg("KAFKA_BOOTSTRAP is not set");
    return address;
}

static const char *const *kafka_options(void)
{
    static const char *options[] = {"topic", topic, "properties.bootstrap.servers", NULL, "value.format", "json", NULL};
    options[3] = servers();
    return options;
}

static const char *const *upsert_options(void)
{
    static const char *options[] = {
        "topic", topic, "properties.bootstrap.servers", NULL, "key.format", "json", "value.format", "json", NULL};
    options[3] = servers();
    return options;
}

static const char *const *kafka_source_options(void)
{
    static const char *options[] = {
        "topic", topic, "properties.bootstrap.servers", NULL, "scan.startup.mode", "earliest-offset", "value.format",
        "json",  NULL};
    options[3] = servers();
    return options;
}

// --- sources

static void must(struct testhost_node *n, leat_status st)
{
    if (st != LEAT_OK)
        fail_msg("status %d: %s", (int)st, testhost_faults(n));
}

// Once; the cases read it again and again.
static void fill(struct testhost *h, const char *name, const char *const *(*options)(void), char *keep)
{
    if (*keep) {
        strcpy(topic, keep);
        return;
    }
    new_topic(keep);
    strcpy(topic, keep);
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    struct testhost_node *n = testhost_node(h, testhost_component(h, name, LEAT_SINK, name), options());
    must(n, testhost_sink_start(n, schema, LEAT_MODE_UPSERT, "id"));
    struct leat_batch *b = leat_batch_new(&n->ctx, schema, ROWS);
    for (int64_t id = 0; id < ROWS; id++) {
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, row, id);
        assert_true(leat_batch_set_bytes(b, 1, row, "value", 5));
    }
    must(n, testhost_write(n, b, CONTRACT_WAIT));
    must(n, testhost_flush(n, LEAT_FLUSH_DURABLE, CONTRACT_WAIT));
    leat_batch_unref(b);
    testhost_node_destroy(n);
}

static void fill_kafka(struct testhost *h)
{
    fill(h, "kafka", kafka_options, filled[0]);
}

static void fill_upsert(struct testhost *h)
{
    fill(h, "upsert-kafka", upsert_options, filled[1]);
}

static const struct contract_source sources[] = {
    {.name = "kafka", .columns = COLUMNS, .rows = ROWS, .prepare = fill_kafka, .options = kafka_source_options},
    {.name = "upsert-kafka",
     .columns = COLUMNS,
     .key = "id",
     .rows = ROWS,
     .prepare = fill_upsert,
     .options = upsert_options},
};

// --- sinks

static void fresh_topic(struct testhost *h)
{
    new_topic(topic);
}

static char *content;

static void forget_content(void)
{
    free(content);
    content = NULL;
}

static struct testhost_node *read_topic(struct testhost *h, const char *name, const char *const *(*options)(void))
{
    const char *pairs[16];
    uint32_t n = 0;
    for (const char *const *o = options(); *o; o++)
        pairs[n++] = *o;
    pairs[n++] = "scan.bounded.mode";
    pairs[n++] = "latest-offset";
    pairs[n] = NULL;
    struct testhost_node *node = testhost_node(h, testhost_component(h, name, LEAT_SOURCE, name), pairs);
    must(node, testhost_source_start(node, testhost_schema(h, COLUMNS, strcmp(name, "kafka") ? "id" : NULL)));
    leat_status st = testhost_poll_rows(node, UINT64_MAX, CONTRACT_WAIT);
    if (st != LEAT_END)
        fail_msg("poll gives %d: %s", (int)st, testhost_faults(node));
    return node;
}

static size_t put_row(size_t len, int64_t id, const struct leat_bytes *value)
{
    content = realloc(content, len + value->len + 32);
    return len +
           (size_t)sprintf(content + len, "%lld|%.*s\n", (long long)id, (int)value->len, (const char *)value->ptr);
}

static const char *records(struct testhost *h)
{
    struct testhost_node *n = read_topic(h, "kafka", kafka_source_options);
    size_t len = 0;
    content = realloc(content, 1);
    *content = 0;
    for (const struct testhost_emitted *e = n->emitted; e; e = e->next)
        for (uint32_t i = 0; i < e->batch->rows; i++)
            len = put_row(len, leat_batch_cell(e->batch, 0, i)->i64, &leat_batch_cell(e->batch, 1, i)->bytes);
    testhost_node_destroy(n);
    return content;
}

// The newest row of each key, by id.
static const char *table(struct testhost *h)
{
    struct testhost_node *n = read_topic(h, "upsert-kafka", upsert_options);
    const union leat_cell *rows[ROWS] = {0};
    size_t len = 0;
    content = realloc(content, 1);
    *content = 0;
    for (const struct testhost_emitted *e = n->emitted; e; e = e->next)
        for (uint32_t i = 0; i < e->batch->rows; i++) {
            int64_t id = leat_batch_cell(e->batch, 0, i)->i64;
            assert_in_range(id, 0, ROWS - 1);
            rows[id] = e->batch->kinds[i] == LEAT_DELETE ? NULL : leat_batch_cell(e->batch, 1, i);
        }
    for (int64_t id = 0; id < ROWS; id++)
        if (rows[id])
            len = put_row(len, id, &rows[id]->bytes);
    testhost_node_destroy(n);
    return content;
}

static const struct contract_sink sinks[] = {
    {.name = "kafka",
     .columns = COLUMNS,
     .mode = LEAT_MODE_INSERT_ONLY,
     .options = kafka_options,
     .fresh = fresh_topic,
     .clean = forget_content,
     .content = records},
    {.name = "upsert-kafka",
     .columns = COLUMNS,
     .key = "id",
     .mode = LEAT_MODE_UPSERT,
     .options = upsert_options,
     .fresh = fresh_topic,
     .clean = forget_content,
     .content = table},
};

static const struct contract_component components[] = {
    {"kafka source", "kafka", "kafka", LEAT_SOURCE, kafka_source_options, COLUMNS, NULL, 0},
    {"kafka sink", "kafka", "kafka", LEAT_SINK, kafka_options, COLUMNS, NULL, LEAT_MODE_INSERT_ONLY},
    {"upsert-kafka source", "upsert-kafka", "upsert-kafka", LEAT_SOURCE, upsert_options, COLUMNS, "id", 0},
    {"upsert-kafka sink", "upsert-kafka", "upsert-kafka", LEAT_SINK, upsert_options, COLUMNS, "id", LEAT_MODE_UPSERT},
};

int main(void)
{
    return contract_run_static(components, sizeof components / sizeof components[0]) +
           contract_run_sources(sources, sizeof sources / sizeof sources[0]) +
           contract_run_sinks(sinks, sizeof sinks / sizeof sinks[0]);
}
