// SPDX-License-Identifier: Apache-2.0
// Orders left-joined with 10 000 users who may change, by the sql operator, against a loop over a hash table. Both keep
// what the query obliges them to: every order, under its user, so that a change of the user can mend the row.
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "query.h"

static const char query_text[] = "SELECT o.order_id, o.user_id, o.total_amount, u.username FROM orders AS o "
                                 "LEFT JOIN users AS u ON o.user_id = u.user_id";

#define SLOTS 32768u

struct kept {
    struct kept *next; // of the same user
    int64_t id;
    leat_i128 amount;
};

struct user {
    int64_t id; // 0 = free
    struct leat_bytes name;
    struct kept *orders;
};

struct join_case {
    struct query query;
    struct leat_field narrow_fields[3], user_fields[2];
    struct leat_schema narrow, users, out;
    uint32_t user_key;
    struct leat_field out_fields[4];
    struct leat_batch *orders[MICRO_ROWS / MICRO_BATCH], *dimension;
    struct user *table;
    struct kept *kept;
    uint32_t kept_count;
};

static void schemas(struct join_case *c)
{
    static const char user_name[] = "username", user_id[] = "user_id";
    c->narrow_fields[0] = micro_orders.columns[0];
    c->narrow_fields[1] = micro_orders.columns[1];
    c->narrow_fields[2] = micro_orders.columns[6];
    c->narrow = (struct leat_schema){.struct_size = sizeof c->narrow, .column_count = 3, .columns = c->narrow_fields};
    c->user_fields[0] = micro_orders.columns[0];
    c->user_fields[0].name = (struct leat_bytes){(const uint8_t *)user_id, sizeof user_id - 1};
    c->user_fields[1] = micro_orders.columns[2];
    c->user_fields[1].name = (struct leat_bytes){(const uint8_t *)user_name, sizeof user_name - 1};
    c->users = (struct leat_schema){.struct_size = sizeof c->users,
                                    .column_count = 2,
                                    .columns = c->user_fields,
                                    .key_count = 1,
                                    .key = &c->user_key};
    memcpy(c->out_fields, c->narrow_fields, sizeof c->narrow_fields);
    c->out_fields[3] = c->user_fields[1];
    c->out = (struct leat_schema){.struct_size = sizeof c->out, .column_count = 4, .columns = c->out_fields};
}

static void rows(struct join_case *c)
{
    struct leat_batch *whole = micro_batch(&micro_orders, MICRO_ROWS);
    for (unsigned i = 0; i < MICRO_ROWS; i++)
        micro_order_fill(whole, i);
    for (uint32_t i = 0; i < MICRO_ROWS; i++) {
        if (i % MICRO_BATCH == 0)
            c->orders[i / MICRO_BATCH] = micro_batch(&c->narrow, MICRO_BATCH);
        struct leat_batch *b = c->orders[i / MICRO_BATCH];
        uint32_t r = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, 0, r, whole->columns[0].cells[i].i64);
        leat_batch_set_i64(b, 1, r, whole->columns[1].cells[i].i64);
        leat_batch_set_i128(b, 2, r, whole->columns[6].cells[i].i128);
    }
    data_batch_unref(whole);
    c->dimension = micro_batch(&c->users, MICRO_USERS);
    for (unsigned i = 0; i < MICRO_USERS; i++) {
        uint32_t r = leat_batch_add(c->dimension, LEAT_INSERT);
        leat_batch_set_i64(c->dimension, 0, r, 1001 + i);
        must(leat_batch_set_bytes(c->dimension, 1, r, (const uint8_t *)"somebody's name", 15), "memory");
    }
}

static void *create(void)
{
    struct join_case *c = calloc(1, sizeof *c);
    must(c != NULL, "memory");
    schemas(c);
    rows(c);
    c->table = calloc(SLOTS, sizeof *c->table);
    c->kept = calloc(MICRO_ROWS, sizeof *c->kept);
    must(c->table && c->kept, "memory");
    c->query.count = 2;
    c->query.inputs[0] =
        (struct leat_input){.schema = &c->narrow, .mode = LEAT_MODE_INSERT_ONLY, .kind = LEAT_INPUT_STREAM};
    c->query.inputs[1] = (struct leat_input){.schema = &c->users, .mode = LEAT_MODE_UPSERT, .kind = LEAT_INPUT_STREAM};
    query_bind(&c->query, query_text);
    return c;
}

static struct user *slot(struct join_case *c, int64_t id)
{
    uint64_t at = (uint64_t)id * 0x9e3779b97f4a7c15u >> 49;
    while (c->table[at].id && c->table[at].id != id)
        at = (at + 1) % SLOTS;
    return &c->table[at];
}

// Both sides know the users and no order.
static void prepare(void *self)
{
    struct join_case *c = self;
    query_open(&c->query);
    query_process(&c->query, 1, c->dimension);
    memset(c->table, 0, SLOTS * sizeof *c->table);
    c->kept_count = 0;
    for (uint32_t i = 0; i < MICRO_USERS; i++) {
        struct user *u = slot(c, c->dimension->columns[0].cells[i].i64);
        u->id = c->dimension->columns[0].cells[i].i64;
        u->name = (struct leat_bytes){c->dimension->columns[1].cells[i].bytes.ptr,
                                      c->dimension->columns[1].cells[i].bytes.len};
    }
}

static void by_query(void *self)
{
    struct join_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++)
        query_process(&c->query, 0, c->orders[i]);
}

static void row_by_hand(struct join_case *c, struct leat_batch *out, const struct leat_batch *in, uint32_t row)
{
    struct user *u = slot(c, in->columns[1].cells[row].i64);
    struct kept *k = &c->kept[c->kept_count++];
    *k = (struct kept){u->orders, in->columns[0].cells[row].i64, in->columns[2].cells[row].i128};
    u->orders = k;
    uint32_t r = leat_batch_add(out, LEAT_INSERT);
    leat_batch_set_i64(out, 0, r, k->id);
    leat_batch_set_i64(out, 1, r, in->columns[1].cells[row].i64);
    leat_batch_set_i128(out, 2, r, k->amount);
    if (u->id)
        must(leat_batch_set_bytes(out, 3, r, u->name.ptr, u->name.len), "memory");
    else
        leat_batch_set_null(out, 3, r);
}

static void by_hand(void *self)
{
    struct join_case *c = self;
    c->kept_count = 0;
    for (uint32_t i = 0; i < MICRO_ROWS / MICRO_BATCH; i++) {
        struct leat_batch *out = micro_batch(&c->out, MICRO_BATCH);
        for (uint32_t row = 0; row < c->orders[i]->rows; row++)
            row_by_hand(c, out, c->orders[i], row);
        micro_emit(out);
    }
}

static void check(void *self)
{
    prepare(self);
    micro_same(self, by_query, by_hand);
}

const struct micro micro_join = {
    "join", "a loop over a hash table that keeps the orders too", MICRO_ROWS, create, prepare, by_query, by_hand,
    check};
