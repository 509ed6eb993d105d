// SPDX-License-Identifier: Apache-2.0
// See broker_kit.h.
#include "broker_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *servers(void)
{
    const char *address = getenv("KAFKA_BOOTSTRAP");
    if (!address)
        fail_msg("KAFKA_BOOTSTRAP is not set");
    return address;
}

const char *topic_name(const char *name)
{
    static char buf[8][128];
    static unsigned turn;
    char *out = buf[turn++ % 8];
    snprintf(out, sizeof buf[0], "%s-%d-%lld", name, (int)getpid(), (long long)time(NULL));
    return out;
}

struct testhost *host(void **state)
{
    return *state;
}

int setup(void **state)
{
    struct testhost *h = testhost_create();
    testhost_add(h, "format-line", testhost_line_plugin());
    *state = h;
    return 0;
}

int teardown(void **state)
{
    struct testhost *h = *state;
    int live = atomic_load(&h->live_batches);
    testhost_destroy(h);
    return live;
}

struct testhost_node *node(struct testhost *h, const char *plugin, uint8_t kind, const char *topic, ...)
{
    const char *pairs[40] = {"topic", topic, "properties.bootstrap.servers", servers(), "value.format", "line"};
    size_t n = 6;
    va_list ap;
    va_start(ap, topic);
    if (strcmp(plugin, "upsert-kafka") == 0) {
        pairs[n++] = "key.format";
        pairs[n++] = "line";
    }
    for (const char *word; (word = va_arg(ap, const char *)) && n < 38;)
        pairs[n++] = word;
    va_end(ap);
    struct testhost_node *made = testhost_node(h, testhost_component(h, plugin, kind, plugin), pairs);
    if (!made->config)
        fail_msg("%s", testhost_faults(made));
    return made;
}

void good(struct testhost_node *n, leat_status st)
{
    if (st != LEAT_OK)
        fail_msg("status %d: %s status text \"%s\"", st, testhost_faults(n), n->status);
}

void write_rows(struct testhost_node *sink, const struct leat_schema *schema, const char *rows)
{
    struct leat_batch *b = testhost_batch(sink, schema, rows);
    good(sink, testhost_write(sink, b, WAIT));
    leat_batch_unref(b);
}

void fill(struct testhost *h, const char *plugin, const char *topic, const char *rows)
{
    const struct leat_schema *schema = testhost_schema(h, COLUMNS, "id");
    struct testhost_node *sink = node(h, plugin, LEAT_SINK, topic, NULL);
    good(sink, testhost_sink_start(sink, schema, LEAT_MODE_UPSERT, "id"));
    write_rows(sink, schema, rows);
    good(sink, testhost_flush(sink, LEAT_FLUSH_DURABLE, WAIT));
    testhost_node_destroy(sink);
}
