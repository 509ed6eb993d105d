// SPDX-License-Identifier: Apache-2.0
// See net.h. Per key, a row that goes cancels an equal row that came, and a row that comes cancels an equal row that went.
// What is left is, per key, nothing, a delete, or the last row that came. A delete that carries only its key cannot be
// matched with a row: it takes back the latest row that came and stays a delete.
//
// What cancels across transactions is told as it is in the end (see consolidate.c); within one (rows of equal position) it
// is silence.
#include "runtime/net.h"

#include <stdlib.h>
#include <string.h>

#include "data/row.h"

#define KEPT_MAX 65536u // entries of a table that stays for the next transaction

struct change {
    const struct leat_batch *batch;
    uint32_t row;
    uint32_t next; // older change of the same sign and key, + 1; 0 = none
};

struct entry {
    uint64_t hash;
    const struct leat_batch *batch; // a row with the key: the first that touched it, or the last that cancelled another
    uint32_t row;
    bool told;            // cancelled across transactions: `batch` and `row` say how the key ends
    uint32_t plus, minus; // newest change of that sign, + 1; 0 = none
};

struct net {
    const struct leat_schema *schema;
    const uint32_t *key;
    uint32_t key_count;
    uint32_t *all; // every column
    struct change *changes;
    uint32_t change_count, change_cap;
    struct entry *entries; // in the order in which keys were first touched
    uint32_t entry_count;
    uint32_t *slots; // open addressing: entry + 1
    uint32_t slot_count;
    uint32_t entry_cap;
};

struct net *net_create(const struct leat_schema *schema, const uint32_t *key, uint32_t key_count)
{
    struct net *n = calloc(1, sizeof *n);
    uint32_t *all = calloc(schema->column_count, sizeof *all);
    if (!n || !all) {
        free(n);
        free(all);
        return NULL;
    }
    for (uint32_t i = 0; i < schema->column_count; i++)
        all[i] = i;
    *n = (struct net){.schema = schema, .key = key, .key_count = key_count, .all = all};
    return n;
}

void net_destroy(struct net *n)
{
    if (!n)
        return;
    free(n->all);
    free(n->changes);
    free(n->entries);
    free(n->slots);
    free(n);
}

void net_clear(struct net *n)
{
    n->change_count = n->entry_count = 0;
    if (n->slots)
        memset(n->slots, 0, n->slot_count * sizeof *n->slots);
}

void net_shrink(struct net *n)
{
    if (n->change_cap <= KEPT_MAX && n->entry_cap <= KEPT_MAX)
        return;
    free(n->changes);
    free(n->entries);
    free(n->slots);
    n->changes = NULL;
    n->entries = NULL;
    n->slots = NULL;
    n->change_count = n->change_cap = n->entry_count = n->entry_cap = n->slot_count = 0;
}

uint32_t net_capacity(const struct net *n)
{
    return n->change_cap > n->entry_cap ? n->change_cap : n->entry_cap;
}

// Room for one more change and one more key.
static bool make_room(struct net *n)
{
    if (n->change_count == n->change_cap) {
        uint32_t cap = n->change_cap ? n->change_cap * 2 : 256;
        struct change *changes = realloc(n->changes, cap * sizeof *changes);
        if (!changes)
            return false;
        n->changes = changes;
        n->change_cap = cap;
    }
    if (n->entry_count < n->entry_cap)
        return true;
    uint32_t cap = n->entry_cap ? n->entry_cap * 2 : 256;
    struct entry *entries = realloc(n->entries, cap * sizeof *entries);
    if (!entries)
        return false;
    n->entries = entries;
    uint32_t *slots = calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < n->entry_count; i++) {
        uint32_t at = (uint32_t)entries[i].hash & (cap * 2 - 1);
        while (slots[at])
            at = (at + 1) & (cap * 2 - 1);
        slots[at] = i + 1;
    }
    free(n->slots);
    n->slots = slots;
    n->slot_count = cap * 2;
    n->entry_cap = cap;
    return true;
}

static struct entry *entry_of(struct net *n, const struct leat_batch *b, uint32_t row)
{
    uint64_t h = data_row_hash(b, row, n->key, n->key_count);
    uint32_t at = (uint32_t)h & (n->slot_count - 1);
    for (; n->slots[at]; at = (at + 1) & (n->slot_count - 1)) {
        struct entry *e = &n->entries[n->slots[at] - 1];
        if (e->hash == h && data_rows_equal(e->batch, e->row, b, row, n->key, n->key_count))
            return e;
    }
    n->entries[n->entry_count] = (struct entry){.hash = h, .batch = b, .row = row};
    n->slots[at] = n->entry_count + 1;
    return &n->entries[n->entry_count++];
}

static bool one_transaction(const struct change *x, const struct leat_batch *b, uint32_t row)
{
    return x->batch->positions && b->positions && x->batch->positions[x->row] == b->positions[row];
}

// Takes an equal change out of one of the entry's lists; true if there was one.
static bool cancel(struct net *n, struct entry *e, uint32_t *list, const struct leat_batch *b, uint32_t row)
{
    for (uint32_t *at = list; *at; at = &n->changes[*at - 1].next) {
        const struct change *x = &n->changes[*at - 1];
        if (!data_rows_equal(x->batch, x->row, b, row, n->all, n->schema->column_count))
            continue;
        if (!one_transaction(x, b, row)) {
            e->told = true;
            e->batch = b;
            e->row = row;
        }
        *at = x->next;
        return true;
    }
    return false;
}

static void push_change(struct net *n, uint32_t *list, const struct leat_batch *b, uint32_t row)
{
    n->changes[n->change_count] = (struct change){b, row, *list};
    *list = ++n->change_count;
}

static bool key_only(const struct leat_batch *b, uint32_t row)
{
    for (uint32_t col = 0; col < b->column_count; col++)
        if (b->columns[col].states[row] == LEAT_ABSENT)
            return true;
    return false;
}

bool net_row_comes(const struct leat_batch *b, uint32_t row)
{
    return b->kinds[row] == LEAT_INSERT || b->kinds[row] == LEAT_UPDATE_AFTER;
}

bool net_add(struct net *n, const struct leat_batch *b, uint32_t row)
{
    if (!make_room(n))
        return false;
    struct entry *e = entry_of(n, b, row);
    if (net_row_comes(b, row)) {
        if (!cancel(n, e, &e->minus, b, row))
            push_change(n, &e->plus, b, row);
    } else if (key_only(b, row)) {
        if (e->plus)
            e->plus = n->changes[e->plus - 1].next;
        push_change(n, &e->minus, b, row);
    } else if (!cancel(n, e, &e->plus, b, row)) {
        push_change(n, &e->minus, b, row);
    }
    return true;
}

uint32_t net_count(const struct net *n)
{
    return n->entry_count;
}

bool net_get(const struct net *n, uint32_t i, struct net_row *out)
{
    const struct entry *e = &n->entries[i];
    uint32_t at = e->plus ? e->plus : e->minus;
    if (at)
        *out = (struct net_row){n->changes[at - 1].batch, n->changes[at - 1].row};
    else if (e->told)
        *out = (struct net_row){e->batch, e->row};
    return at || e->told;
}
