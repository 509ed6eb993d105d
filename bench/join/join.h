// SPDX-License-Identifier: Apache-2.0
// What both sides of the bench share: the order rows that come in, and the rival.
#ifndef BENCH_JOIN_H
#define BENCH_JOIN_H

#include <leat/plugin.h>

// Columns of an order and of a user, in their order.
enum { O_ID, O_USER, O_PRODUCT, O_CATEGORY, O_QUANTITY, O_PRICE, O_AMOUNT, O_STATUS, O_TIME, O_DATE, ORDER_COLUMNS };
enum { U_ID, U_NAME, U_EMAIL, U_PHONE, U_CITY, U_TIME, USER_COLUMNS };

struct rival;

struct rival *rival_create(uint32_t users);
void rival_users(struct rival *r, const struct leat_batch *users);
// Joins a batch: the result has the columns of the query.
struct leat_batch *rival_orders(struct rival *r, struct leat_ctx *ctx, const struct leat_schema *out,
                                const struct leat_batch *orders);

void must(int good, const char *what);

#endif
