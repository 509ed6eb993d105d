// SPDX-License-Identifier: Apache-2.0
// Changes as a signed multiset, by key: what is left of them when equal rows that go and come have cancelled each other.
//
// Thread: the worker's. Rows are borrowed: their batches must stay until the next net_clear.
#ifndef RUNTIME_NET_H
#define RUNTIME_NET_H

#include <stdbool.h>

#include <leat/host.h>

struct net;

struct net_row {
    const struct leat_batch *batch;
    uint32_t row;
};

// NULL without memory; schema and key are borrowed.
struct net *net_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count);
void net_destroy(struct net *n);

// Adds a row as its kind says. False without memory.
bool net_add(struct net *n, const struct leat_batch *b, uint32_t row);

// Keys, in the order in which they were first touched.
uint32_t net_count(const struct net *n);
// How key number `i` ends: false = nothing to say, else the row that came last, or the one that went.
bool net_get(const struct net *n, uint32_t i, struct net_row *out);

bool net_row_comes(const struct leat_batch *b, uint32_t row);

// Forgets everything; room stays for the next time.
void net_clear(struct net *n);
// Gives back the room that a large transaction needed: every later one would have to clear it.
void net_shrink(struct net *n);
// Keys or changes for which there is room without growing.
uint32_t net_capacity(const struct net *n);

#endif
