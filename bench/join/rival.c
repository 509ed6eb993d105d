// SPDX-License-Identifier: Apache-2.0
// The rival: the same query as a C programmer writes it by hand for exactly these rows. One open-addressing table of
// users with their order lists; an order is kept under its user in a compact form, since a change of the user must be
// able to mend the joined row. Columns of the order are borrowed by the output, those of the user point into the table.
#include <stdlib.h>
#include <string.h>

#include "join.h"

#define ARENA ((size_t)1 << 20)

struct kept {
    struct kept *next;
    int64_t id, quantity, price, amount, time, date;
    uint16_t lengths[3];
    uint8_t bytes[]; // product, category, status
};

struct user {
    int64_t id; // 0 = free
    struct kept *orders;
    struct leat_bytes texts[4]; // name, email, phone, city
    int64_t time;
};

struct rival {
    struct user *slots;
    uint64_t mask;
    uint8_t *at, *end; // memory of what is kept
};

struct rival *rival_create(uint32_t users)
{
    struct rival *r = calloc(1, sizeof *r);
    must(r != NULL, "memory");
    uint64_t size = 64;
    while (size < 2 * (uint64_t)users)
        size *= 2;
    r->mask = size - 1;
    r->slots = calloc(size, sizeof *r->slots);
    must(r->slots != NULL, "memory");
    return r;
}

static void *keep(struct rival *r, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if ((size_t)(r->end - r->at) < size) {
        r->at = malloc(ARENA);
        must(r->at != NULL, "memory");
        r->end = r->at + ARENA;
    }
    void *memory = r->at;
    r->at += size;
    return memory;
}

static struct user *find(const struct rival *r, int64_t id)
{
    uint64_t at = ((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & r->mask;
    while (r->slots[at].id && r->slots[at].id != id)
        at = (at + 1) & r->mask;
    return &r->slots[at];
}

void rival_users(struct rival *r, const struct leat_batch *users)
{
    for (uint32_t i = 0; i < users->rows; i++) {
        int64_t id = users->columns[U_ID].cells[i].i64;
        struct user *u = find(r, id);
        u->id = id;
        u->time = users->columns[U_TIME].cells[i].i64;
        for (uint32_t k = 0; k < 4; k++) {
            const struct leat_bytes *text = &users->columns[U_NAME + k].cells[i].bytes;
            uint8_t *copy = keep(r, text->len);
            memcpy(copy, text->ptr, text->len);
            u->texts[k] = (struct leat_bytes){copy, text->len};
        }
    }
}

static void keep_order(struct rival *r, struct user *u, const struct leat_batch *b, uint32_t row)
{
    const struct leat_column *c = b->columns;
    const struct leat_bytes *texts[3] = {&c[O_PRODUCT].cells[row].bytes, &c[O_CATEGORY].cells[row].bytes,
                                         &c[O_STATUS].cells[row].bytes};
    struct kept *k = keep(r, sizeof *k + texts[0]->len + texts[1]->len + texts[2]->len);
    *k = (struct kept){.next = u->orders,
                       .id = c[O_ID].cells[row].i64,
                       .quantity = c[O_QUANTITY].cells[row].i64,
                       .price = (int64_t)c[O_PRICE].cells[row].i128,
                       .amount = (int64_t)c[O_AMOUNT].cells[row].i128,
                       .time = c[O_TIME].cells[row].i64,
                       .date = c[O_DATE].cells[row].i64};
    uint8_t *at = k->bytes;
    for (uint32_t i = 0; i < 3; i++) {
        k->lengths[i] = (uint16_t)texts[i]->len;
        memcpy(at, texts[i]->ptr, texts[i]->len);
        at += texts[i]->len;
    }
    u->orders = k;
}

static void put_user(struct leat_batch *out, uint32_t row, const struct user *u)
{
    static const struct leat_bytes unknown = {(const uint8_t *)"Unknown User", 12};
    for (uint32_t k = 0; k < 4; k++) {
        struct leat_column *c = &out->columns[ORDER_COLUMNS + k];
        int null = u->texts[k].ptr == NULL && k != 0;
        c->states[row] = null ? LEAT_NULL : LEAT_VALUE;
        c->cells[row].bytes = u->texts[k].ptr ? u->texts[k] : unknown;
    }
    struct leat_column *c = &out->columns[ORDER_COLUMNS + 4];
    c->states[row] = u->texts[0].ptr ? LEAT_VALUE : LEAT_NULL;
    c->cells[row].i64 = u->time;
}

struct leat_batch *rival_orders(struct rival *r, struct leat_ctx *ctx, const struct leat_schema *out,
                                const struct leat_batch *orders)
{
    struct leat_batch *b = ctx->host->batch_create(ctx, out, orders->rows, 1);
    must(b && b->host->batch_keep(b, orders) == LEAT_OK, "memory");
    for (uint32_t c = 0; c < ORDER_COLUMNS; c++)
        leat_batch_borrow(b, c, orders, c);
    for (uint32_t c = ORDER_COLUMNS; c < out->column_count; c++)
        must(leat_batch_own_column(b, c), "memory");
    for (uint32_t row = 0; row < orders->rows; row++) {
        int64_t id = orders->columns[O_USER].cells[row].i64;
        struct user *u = find(r, id);
        u->id = id;
        keep_order(r, u, orders, row);
        put_user(b, row, u);
        leat_batch_add(b, LEAT_INSERT);
    }
    return b;
}
