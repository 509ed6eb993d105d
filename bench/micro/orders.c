// SPDX-License-Identifier: Apache-2.0
// See micro.h. Row n is a function of n, about 180 bytes of JSON.
#include <stdio.h>
#include <string.h>

#include "micro.h"

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)s, sizeof(s) - 1                                                                              \
    }
#define STRING                                                                                                         \
    {                                                                                                                  \
        .kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX                                            \
    }
#define MONEY                                                                                                          \
    {                                                                                                                  \
        .kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 10, .scale = 2                                          \
    }
#define TIME                                                                                                           \
    {                                                                                                                  \
        .kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3                                                     \
    }

static const struct leat_field fields[MICRO_ORDER] = {
    {NAME("order_id"), {.kind = LEAT_TYPE_BIGINT}},
    {NAME("user_id"), {.kind = LEAT_TYPE_BIGINT, .nullable = 1}},
    {NAME("product_name"), STRING},
    {NAME("product_category"), STRING},
    {NAME("quantity"), {.kind = LEAT_TYPE_INT, .nullable = 1}},
    {NAME("unit_price"), MONEY},
    {NAME("total_amount"), MONEY},
    {NAME("order_status"), STRING},
    {NAME("order_time"), TIME},
    {NAME("updated_at"), TIME},
};

const struct leat_schema micro_orders = {
    .struct_size = sizeof micro_orders, .column_count = MICRO_ORDER, .columns = fields};

static const char *const categories[] = {"电子产品", "服装鞋帽", "家居用品", "图书", "食品"};
static const char *const states[] = {"PENDING", "SHIPPED", "COMPLETED", "CANCELLED"};

struct order {
    unsigned id, user, quantity, price, amount, hour, minute, second, fraction;
    char product[32];
    const char *category, *status;
};

static struct order order_of(unsigned n)
{
    struct order o = {.id = 2001 + n,
                      .user = 1001 + n * 7919u % MICRO_USERS,
                      .quantity = n % 3 + 1,
                      .price = n % 900000 + 100,
                      .hour = n % 24,
                      .minute = n % 60,
                      .second = n % 59,
                      .fraction = n % 1000,
                      .category = categories[n % 5],
                      .status = states[n % 4]};
    o.amount = o.price * o.quantity;
    snprintf(o.product, sizeof o.product, "Notebook 14 inch, %u GB", 8 << n % 4);
    return o;
}

size_t micro_order_json(char *to, size_t cap, unsigned n)
{
    struct order o = order_of(n);
    return (size_t)snprintf(to, cap,
                            "{\"order_id\":%u,\"user_id\":%u,\"product_name\":\"%s\",\"product_category\":\"%s\","
                            "\"quantity\":%u,\"unit_price\":%u.%02u,\"total_amount\":%u.%02u,\"order_status\":\"%s\","
                            "\"order_time\":\"2025-07-11 %02u:%02u:%02u.%03u\",\"updated_at\":\"2025-07-12 "
                            "%02u:%02u:%02u.%03u\"}",
                            o.id, o.user, o.product, o.category, o.quantity, o.price / 100, o.price % 100,
                            o.amount / 100, o.amount % 100, o.status, o.hour, o.minute, o.second, o.fraction, o.hour,
                            o.minute, o.second, o.fraction);
}

size_t micro_order_texts(char *to, size_t cap, unsigned n)
{
    struct order o = order_of(n);
    return (size_t)snprintf(to, cap,
                            "%u%c%u%c%s%c%s%c%u%c%u.%02u%c%u.%02u%c%s%c2025-07-11 %02u:%02u:%02u.%03u%c"
                            "2025-07-12 %02u:%02u:%02u.%03u",
                            o.id, 0, o.user, 0, o.product, 0, o.category, 0, o.quantity, 0, o.price / 100,
                            o.price % 100, 0, o.amount / 100, o.amount % 100, 0, o.status, 0, o.hour, o.minute,
                            o.second, o.fraction, 0, o.hour, o.minute, o.second, o.fraction) +
           1;
}

static void put_text(struct leat_batch *b, uint32_t column, uint32_t row, const char *text)
{
    must(leat_batch_set_bytes(b, column, row, (const uint8_t *)text, (uint32_t)strlen(text)), "memory");
}

void micro_order_fill(struct leat_batch *b, unsigned n)
{
    struct order o = order_of(n);
    uint32_t row = leat_batch_add(b, LEAT_INSERT);
    int64_t time = 1752192000000000 + ((o.hour * 60 + o.minute) * 60 + o.second) * 1000000ll + o.fraction * 1000;
    leat_batch_set_i64(b, 0, row, o.id);
    leat_batch_set_i64(b, 1, row, o.user);
    put_text(b, 2, row, o.product);
    put_text(b, 3, row, o.category);
    leat_batch_set_i64(b, 4, row, o.quantity);
    leat_batch_set_i128(b, 5, row, o.price);
    leat_batch_set_i128(b, 6, row, o.amount);
    put_text(b, 7, row, o.status);
    leat_batch_set_i64(b, 8, row, time);
    leat_batch_set_i64(b, 9, row, time + 86400000000);
}
