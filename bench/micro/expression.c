// SPDX-License-Identifier: Apache-2.0
// Stage 2 of the order pipeline (filter, nine columns passed through, six computed) by the sql operator, against a loop
// written by hand for this very query. Both share the columns that pass.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "query.h"

static const char query_text[] =
    "SELECT order_id, user_id, product_name, product_category, CASE product_category WHEN '电子产品' THEN "
    "'ELECTRONICS' "
    "WHEN '服装鞋帽' THEN 'CLOTHING' WHEN '家居用品' THEN 'HOME' WHEN '图书' THEN 'BOOKS' ELSE 'OTHER' END AS "
    "category, "
    "quantity, unit_price, total_amount, '¥' || CAST(total_amount AS STRING) AS yuan, order_status, CASE order_status "
    "WHEN 'PENDING' THEN '待处理' WHEN 'SHIPPED' THEN '已发货' WHEN 'COMPLETED' THEN '已完成' WHEN 'CANCELLED' THEN "
    "'已取消' ELSE '未知' END AS status, order_time, DATE_FORMAT(order_time, 'yyyy-MM-dd') AS order_date, "
    "CAST(HOUR(order_time) AS INT) AS order_hour, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)) AS etl_time "
    "FROM orders WHERE order_id IS NOT NULL AND total_amount > 0";

#define OUT 15u

struct expression_case {
    struct query query;
    struct leat_batch *batches[MICRO_ROWS / MICRO_BATCH];
    struct leat_schema out;
    struct leat_field out_fields[OUT];
};

static void *create(void)
{
    struct expression_case *c = calloc(1, sizeof *c);
    must(c != NULL, "memory");
    c->query.count = 1;
    c->query.inputs[0] =
        (struct leat_input){.schema = &micro_orders, .mode = LEAT_MODE_INSERT_ONLY, .kind = LEAT_INPUT_STREAM};
    query_bind(&c->query, query_text);
    query_open(&c->query);
    for (uint32_t i = 0; i < OUT; i++) // the loop below knows its types
        c->out_fields[i] = micro_orders.columns[0];
    c->out = (struct leat_schema){.struct_size = sizeof c->out, .column_count = OUT, .columns = c->out_fields};
    for (unsigned i = 0; i < MICRO_ROWS; i++) {
        if (i % MICRO_BATCH == 0)
            c->batches[i / MICRO_BATCH] = micro_batch(&micro_orders, MICRO_BATCH);
        micro_order_fill(c->batches[i / MICRO_BATCH], i);
    }
    return c;
}

static void by_query(void *self)
{
    struct expression_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++)
        query_process(&c->query, 0, c->batches[i]);
}

// --- by hand

struct words {
    const char *from, *to;
};

static const struct words categories[] = {
    {"电子产品", "ELECTRONICS"}, {"服装鞋帽", "CLOTHING"}, {"家居用品", "HOME"}, {"图书", "BOOKS"}, {NULL, "OTHER"}};
static const struct words states[] = {
    {"PENDING", "待处理"}, {"SHIPPED", "已发货"}, {"COMPLETED", "已完成"}, {"CANCELLED", "已取消"}, {NULL, "未知"}};

static void word(struct leat_batch *out, uint32_t column, uint32_t row, const struct words *words,
                 const union leat_cell *cell)
{
    for (; words->from; words++)
        if (strlen(words->from) == cell->bytes.len && memcmp(words->from, cell->bytes.ptr, cell->bytes.len) == 0)
            break;
    leat_batch_set_slice(out, column, row, (const uint8_t *)words->to, (uint32_t)strlen(words->to));
}

static uint8_t *digits(uint8_t *end, uint64_t v, int least)
{
    for (; v || least > 0; v /= 10, least--)
        *--end = (uint8_t)('0' + v % 10);
    return end;
}

static void yuan(struct leat_batch *out, uint32_t column, uint32_t row, uint64_t amount)
{
    uint8_t text[32], *end = text + sizeof text, *at = digits(end, amount % 100, 2);
    *--at = '.';
    at = digits(at, amount / 100, 1);
    at -= strlen("¥");
    memcpy(at, "¥", strlen("¥"));
    must(leat_batch_set_bytes(out, column, row, at, (uint32_t)(end - at)), "memory");
}

static void date(struct leat_batch *out, uint32_t column, uint32_t row, int64_t time)
{
    // days to a civil date, after Howard Hinnant's well-known algorithm
    int64_t z = time / 86400000000 + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    uint8_t text[10];
    memcpy(text, "0000-00-00", 10);
    digits(text + 10, (uint64_t)day, 2);
    digits(text + 7, (uint64_t)month, 2);
    digits(text + 4, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
    must(leat_batch_set_bytes(out, column, row, text, sizeof text), "memory");
}

static void row_by_hand(struct leat_batch *out, const struct leat_batch *in, uint32_t row)
{
    uint32_t r = leat_batch_add(out, LEAT_INSERT);
    int64_t time = in->columns[8].cells[row].i64;
    word(out, 4, r, categories, &in->columns[3].cells[row]);
    yuan(out, 8, r, (uint64_t)in->columns[6].cells[row].i128);
    word(out, 10, r, states, &in->columns[7].cells[row]);
    date(out, 12, r, time);
    leat_batch_set_i64(out, 13, r, time % 86400000000 / 3600000000);
    leat_batch_set_i64(out, 14, r, 1752254755145000);
}

static void by_hand(void *self)
{
    static const uint32_t passed[][2] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {5, 4}, {6, 5}, {7, 6}, {9, 7}, {11, 8}};
    struct expression_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++) {
        const struct leat_batch *in = c->batches[i];
        struct leat_batch *out = micro_host.batch_create(&c->query.ctx, &c->out, MICRO_BATCH, 1);
        must(out && data_batch_keep(out, in) == LEAT_OK, "memory");
        for (size_t p = 0; p < sizeof passed / sizeof *passed; p++)
            out->columns[passed[p][0]] = in->columns[passed[p][1]];
        for (uint32_t column = 0; column < OUT; column++)
            must(out->columns[column].cells != NULL || leat_batch_own_column(out, column), "memory");
        for (uint32_t row = 0; row < in->rows; row++)
            if (in->columns[0].states[row] == LEAT_VALUE && in->columns[6].cells[row].i128 > 0)
                row_by_hand(out, in, row);
        micro_emit(out);
    }
}

static void check(void *self)
{
    micro_same(self, by_query, by_hand);
}

const struct micro micro_expression = {
    "expression", "a loop written for this query", MICRO_ROWS, create, NULL, by_query, by_hand, check};
