// SPDX-License-Identifier: Apache-2.0
// An Insert message of pgoutput to cells, against copying its bytes.
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "micro.h"
#include "pgoutput.h"
#include "types.h"

struct pg_case {
    struct leat_bytes messages[MICRO_ROWS];
    struct types_column columns[MICRO_ORDER];
    struct pgoutput_room room;
    uint8_t copy[1024];
};

static uint8_t *put(uint8_t *at, uint64_t v, int bytes)
{
    while (bytes--)
        *at++ = (uint8_t)(v >> 8 * bytes);
    return at;
}

static uint8_t *message(uint8_t *at, unsigned n)
{
    char texts[512];
    const char *value = texts;
    micro_order_texts(texts, sizeof texts, n);
    *at++ = 'I';
    at = put(at, 16384, 4);
    *at++ = 'N';
    at = put(at, MICRO_ORDER, 2);
    for (uint32_t i = 0; i < MICRO_ORDER; i++) {
        size_t len = strlen(value);
        *at++ = 't';
        at = put(at, len, 4);
        memcpy(at, value, len);
        at += len;
        value += len + 1;
    }
    return at;
}

static void *create(void)
{
    static const uint32_t oids[MICRO_ORDER] = {20, 20, 1043, 1043, 23, 1700, 1700, 1043, 1114, 1114};
    static const int32_t typmods[MICRO_ORDER] = {-1, -1, 204, 104, -1, (10 << 16 | 2) + 4, (10 << 16 | 2) + 4,
                                                 24, 3,  3};
    static uint8_t bytes[MICRO_ROWS * 512];
    struct pg_case *c = calloc(1, sizeof *c);
    must(c != NULL, "memory");
    uint8_t *at = bytes;
    for (unsigned i = 0; i < MICRO_ROWS; i++) {
        uint8_t *end = message(at, i);
        c->messages[i] = (struct leat_bytes){at, (uint32_t)(end - at)};
        at = end;
    }
    for (uint32_t i = 0; i < MICRO_ORDER; i++) {
        struct types_catalog from = {.oid = oids[i], .typmod = typmods[i], .typtype = 'b'};
        must(types_map(&from, &c->columns[i]) == NULL, "type");
    }
    return c;
}

static void row_of(struct pg_case *c, struct leat_batch *b, const struct leat_bytes *bytes)
{
    struct pgoutput_message msg;
    must(pgoutput_parse(bytes->ptr, bytes->len, &msg, &c->room) == NULL, "message");
    uint32_t row = leat_batch_add(b, LEAT_INSERT);
    for (uint32_t i = 0; i < MICRO_ORDER; i++) {
        const struct pgoutput_value *v = &c->room.after.values[i];
        must(c->columns[i].parse(&c->columns[i], b, v->ptr, v->len, &b->columns[i].cells[row]) == NULL, "value");
        b->columns[i].states[row] = LEAT_VALUE;
    }
}

static void decode(void *self)
{
    struct pg_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS;) {
        struct leat_batch *b = micro_batch(&micro_orders, MICRO_BATCH);
        for (uint32_t n = 0; n < MICRO_BATCH; n++)
            row_of(c, b, &c->messages[i++]);
        micro_emit(b);
    }
}

static void rows_as_they_are(void *self)
{
    struct leat_batch *b = micro_batch(&micro_orders, MICRO_ROWS);
    for (unsigned i = 0; i < MICRO_ROWS; i++)
        micro_order_fill(b, i);
    micro_emit(b);
}

static void check(void *self)
{
    micro_same(self, decode, rows_as_they_are);
}

static void copy(void *self)
{
    struct pg_case *c = self;
    for (uint32_t i = 0; i < MICRO_ROWS; i++) {
        memcpy(c->copy, c->messages[i].ptr, c->messages[i].len);
        __asm__ volatile("" : : "r"(c->copy) : "memory"); // the copy is wanted although nobody reads it
    }
}

const struct micro micro_pgoutput = {"pgoutput", "memcpy of the message", MICRO_ROWS, create, NULL, decode, copy,
                                     check};
