// SPDX-License-Identifier: Apache-2.0
// Makes the rows the layout prototype is measured with. Deterministic: the same rows on every machine.
//
//   orders       10 columns, about 180 bytes of JSON; 15 outputs, 9 passed through and 6 computed; every row passes
//   orders-drop  the same, but every 10th row fails the filter, so nothing can be shared
//   narrow       two integers; both passed through and their sum
//   wide         60 columns, about 2 KB of JSON; all passed through and two computed
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_MAX 4096 // bytes of JSON per row, at most

static const struct workload orders = {
    .column_count = 10,
    .columns = {{"order_id", LEAT_TYPE_BIGINT},
                {"user_id", LEAT_TYPE_BIGINT},
                {"category", LEAT_TYPE_VARCHAR},
                {"status", LEAT_TYPE_VARCHAR},
                {"city", LEAT_TYPE_VARCHAR},
                {"note", LEAT_TYPE_VARCHAR},
                {"qty", LEAT_TYPE_INT},
                {"price", LEAT_TYPE_DECIMAL},
                {"total", LEAT_TYPE_DECIMAL},
                {"time", LEAT_TYPE_TIMESTAMP}},
    .output_count = 15,
    .outputs = {{"order_id", LEAT_TYPE_BIGINT, OP_PASS, 0, 0},
                {"user_id", LEAT_TYPE_BIGINT, OP_PASS, 1, 0},
                {"group", LEAT_TYPE_VARCHAR, OP_CASE, 2, 0},
                {"status", LEAT_TYPE_VARCHAR, OP_PASS, 3, 0},
                {"city", LEAT_TYPE_VARCHAR, OP_PASS, 4, 0},
                {"note", LEAT_TYPE_VARCHAR, OP_PASS, 5, 0},
                {"qty", LEAT_TYPE_INT, OP_PASS, 6, 0},
                {"price", LEAT_TYPE_DECIMAL, OP_PASS, 7, 0},
                {"total", LEAT_TYPE_DECIMAL, OP_PASS, 8, 0},
                {"time", LEAT_TYPE_TIMESTAMP, OP_PASS, 9, 0},
                {"place", LEAT_TYPE_VARCHAR, OP_CONCAT, 4, 3},
                {"hour", LEAT_TYPE_INT, OP_HOUR, 9, 0},
                {"day", LEAT_TYPE_VARCHAR, OP_DATE_TEXT, 9, 0},
                {"etl_time", LEAT_TYPE_TIMESTAMP, OP_TIME, 0, 0},
                {"rest", LEAT_TYPE_DECIMAL, OP_SUBTRACT, 8, 7}},
    .id = 0,
    .amount = 8,
    .part = 1,
    .row_count = 16384,
};

static const struct workload narrow = {
    .column_count = 2,
    .columns = {{"id", LEAT_TYPE_BIGINT}, {"amount", LEAT_TYPE_BIGINT}},
    .output_count = 3,
    .outputs = {{"id", LEAT_TYPE_BIGINT, OP_PASS, 0, 0},
                {"amount", LEAT_TYPE_BIGINT, OP_PASS, 1, 0},
                {"sum", LEAT_TYPE_BIGINT, OP_ADD, 0, 1}},
    .id = 0,
    .amount = 1,
    .part = 0,
    .row_count = 65536,
};

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static char (*wide_names(void))[8]
{
    static char names[BENCH_COLUMNS][8];

    for (unsigned i = 0; i < BENCH_COLUMNS; i++)
        snprintf(names[i], sizeof names[i], "col_%02u", i);
    return names;
}

static void wide_init(struct workload *w)
{
    static const uint8_t kinds[] = {LEAT_TYPE_BIGINT,  LEAT_TYPE_VARCHAR, LEAT_TYPE_DECIMAL,
                                    LEAT_TYPE_VARCHAR, LEAT_TYPE_INT,     LEAT_TYPE_TIMESTAMP};
    char(*names)[8] = wide_names();

    memset(w, 0, sizeof *w);
    w->column_count = 60;
    w->output_count = 62;
    for (unsigned i = 0; i < 60; i++) {
        w->columns[i] = (struct column_def){names[i], kinds[i % 6]};
        w->outputs[i] = (struct output_def){names[i], kinds[i % 6], OP_PASS, i, 0};
    }
    w->outputs[60] = (struct output_def){names[60], LEAT_TYPE_VARCHAR, OP_CONCAT, 1, 3};
    w->outputs[61] = (struct output_def){names[61], LEAT_TYPE_INT, OP_HOUR, 5, 0};
    w->id = 0;
    w->amount = 2;
    w->row_count = 4096;
}

static int order_text(char *to, uint32_t i, int drop, uint64_t *seed)
{
    static const char *const categories[] = {"books", "phones", "garden", "toys"};
    static const char *const states[] = {"PAID", "SHIPPED", "NEW"};
    static const char *const cities[] = {"Berlin", "Madrid", "Lisbon", "Oslo", "Z\xc3\xbcrich"};
    uint32_t a = next_random(seed), b = next_random(seed), total = drop && i % 10 == 9 ? 0 : 100 + a % 100000;

    return snprintf(to, ROW_MAX,
                    "{\"order_id\":%u,\"user_id\":%u,\"category\":\"%s\",\"status\":\"%s\",\"city\":\"%s\","
                    "\"note\":\"order note %u\",\"qty\":%u,\"price\":%u.%02u,\"total\":%u.%02u,"
                    "\"time\":\"2026-%02u-%02u %02u:%02u:%02u.%03u\"}",
                    100000 + i, b % 50000, categories[a % 4], states[b % 3], cities[a % 5], b % 1000, 1 + a % 9,
                    total / 300, total % 100, total / 100, total % 100, 1 + a % 12, 1 + b % 28, a % 24, b % 60, a % 60,
                    b % 1000);
}

static int wide_text(const struct workload *w, char *to, uint64_t *seed)
{
    int n = 0;

    for (unsigned c = 0; c < w->column_count; c++) {
        uint32_t a = next_random(seed);
        n += snprintf(to + n, (size_t)(ROW_MAX - n), "%c\"%s\":", c ? ',' : '{', w->columns[c].name);
        switch (w->columns[c].kind) {
        case LEAT_TYPE_VARCHAR:
            n += snprintf(to + n, (size_t)(ROW_MAX - n), "\"a text of some length, number %u\"", a % 100000);
            break;
        case LEAT_TYPE_DECIMAL:
            n += snprintf(to + n, (size_t)(ROW_MAX - n), "%u.%02u", 1 + a % 100000, a % 100);
            break;
        case LEAT_TYPE_TIMESTAMP:
            n += snprintf(to + n, (size_t)(ROW_MAX - n), "\"2026-%02u-%02u %02u:%02u:%02u.%03u\"", 1 + a % 12,
                          1 + a % 28, a % 24, a % 60, a % 59, a % 1000);
            break;
        default:
            n += snprintf(to + n, (size_t)(ROW_MAX - n), "%u", a);
        }
    }
    return n + snprintf(to + n, (size_t)(ROW_MAX - n), "}");
}

static int row_text(const struct workload *w, char *to, uint32_t i, uint64_t *seed)
{
    if (w->column_count == 2)
        return snprintf(to, ROW_MAX, "{\"id\":%u,\"amount\":%u}", i, 1 + next_random(seed) % 1000000);
    if (w->column_count == 60)
        return wide_text(w, to, seed);
    return order_text(to, i, strcmp(w->name, "orders-drop") == 0, seed);
}

int workload_init(struct workload *w, const char *name)
{
    char row[ROW_MAX];
    uint64_t seed = 7;

    if (strcmp(name, "orders") == 0 || strcmp(name, "orders-drop") == 0)
        *w = orders;
    else if (strcmp(name, "narrow") == 0)
        *w = narrow;
    else if (strcmp(name, "wide") == 0)
        wide_init(w);
    else
        return -1;
    w->name = name;
    w->rows = calloc(w->row_count, sizeof *w->rows);
    w->text = malloc((size_t)w->row_count * (w->column_count == 60 ? ROW_MAX : 512));
    if (w->rows == NULL || w->text == NULL) {
        workload_fini(w);
        return -1;
    }
    w->text_len = 0;
    for (uint32_t i = 0; i < w->row_count; i++) {
        int n = row_text(w, row, i, &seed);
        memcpy(w->text + w->text_len, row, (size_t)n);
        w->rows[i] = (struct leat_bytes){w->text + w->text_len, (uint32_t)n};
        w->text_len += (uint64_t)n;
    }
    return 0;
}

void workload_fini(struct workload *w)
{
    free(w->rows);
    free(w->text);
    w->rows = NULL;
    w->text = NULL;
}
