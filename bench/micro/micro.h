// SPDX-License-Identifier: Apache-2.0
// The micro benches: one inner loop of leat at a time, and the same work by other means.
//
// A case makes its data in create(), what a round needs anew in prepare(), and does ROWS rows of work in leat() and in
// rival(). Only these two are measured. check() is called once, before them, and holds what leat gives against what it
// must give. All on one thread; nothing else is checked but by must(), which ends the program.
#ifndef MICRO_H
#define MICRO_H

#include <stddef.h>
#include <stdint.h>

#include <leat/plugin.h>

struct micro {
    const char *name;
    const char *rival_is;
    uint32_t rows;
    void *(*create)(void);
    void (*prepare)(void *self); // may be NULL
    void (*leat)(void *self);
    void (*rival)(void *self);
    void (*check)(void *self); // may be NULL
};

extern const struct micro micro_json_decode, micro_json_encode, micro_pgoutput, micro_expression, micro_join,
    micro_channel;

void must(int good, const char *what);

// --- host.c: the least host that plugins need, on the server's own batches. What is emitted is counted and dropped.
extern const struct leat_host micro_host;
extern uint64_t micro_emitted; // rows
// Counts the rows and drops the batch, as the host does with what a plugin emits.
void micro_emit(struct leat_batch *b);
// Both give the same rows, by micro_emit(); otherwise the program ends. The first one's batches have the right schema.
void micro_same(void *self, void (*first)(void *self), void (*second)(void *self));
struct leat_ctx micro_ctx(void);
// The only component of build/lib/NAME.so that has this kind, and its options: pairs of name and text, NULL at the end.
const struct leat_component *micro_component(const char *plugin, uint8_t kind);
void *micro_config(const struct leat_component *component, const char *const *pairs);
struct leat_batch *micro_batch(const struct leat_schema *schema, uint32_t capacity);

// --- orders.c: the guide's order row, number n
#define MICRO_BATCH 1024u
#define MICRO_ROWS  4096u
#define MICRO_USERS 10000u
#define MICRO_ORDER 10u // columns
extern const struct leat_schema micro_orders;
size_t micro_order_json(char *to, size_t cap, unsigned n);
// Row n as PostgreSQL's text values, one after the other, terminated.
size_t micro_order_texts(char *to, size_t cap, unsigned n);
void micro_order_fill(struct leat_batch *b, unsigned n);

#endif
