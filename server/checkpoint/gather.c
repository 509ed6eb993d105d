// SPDX-License-Identifier: Apache-2.0
// See gather.h.
#include "checkpoint/gather.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_KEPT ((size_t)64 << 10) // larger ones do not stay in memory
#define PIECES_MAX 1000               // a start opens a file for each

static struct store_state *held_state(const struct gather *g, const char *node, uint32_t instance)
{
    for (uint32_t i = 0; i < g->manifest.state_count; i++)
        if (g->manifest.states[i].instance == instance && strcmp(g->manifest.states[i].node, node) == 0)
            return &g->manifest.states[i];
    return NULL;
}

bool gather_wants_full(const struct gather *g, const char *node, uint32_t instance)
{
    const struct store_state *s = held_state(g, node, instance);
    if (!s || s->piece_count == 0 || s->piece_count > PIECES_MAX)
        return true;
    uint64_t all = 0, full = s->pieces[0].len;
    for (uint32_t i = 0; i < s->piece_count; i++)
        all += s->pieces[i].len;
    // what only grows is as long in pieces as in one: writing it again would gain nothing
    return all / 2 > (s->whole > full ? s->whole : full);
}

static void drop_pieces(struct store_state *s)
{
    for (uint32_t i = 0; i < s->piece_count; i++)
        free(s->pieces[i].bytes);
    s->piece_count = 0;
}

static struct store_state *add_state(struct gather *g, const struct runtime_saved *saved)
{
    struct store_state *states = realloc(g->manifest.states, (g->manifest.state_count + 1) * sizeof *states);
    if (!states)
        return NULL;
    g->manifest.states = states;
    struct store_state *s = &states[g->manifest.state_count];
    const char *words;
    uint64_t shape = runtime_state_shape(saved->node, &words);
    *s = (struct store_state){.node = strdup(saved->node->name),
                              .instance = saved->instance,
                              .instances = saved->node->parallelism,
                              .shape = shape,
                              .words = words ? strdup(words) : NULL};
    if (!s->node || (words && !s->words)) {
        free(s->node);
        free(s->words);
        return NULL;
    }
    g->manifest.state_count++;
    return s;
}

static bool same_as_held(const struct store_state *s, const struct runtime_saved *saved)
{
    const struct store_piece *p = s->piece_count == 1 ? &s->pieces[0] : NULL;
    return p && p->bytes && p->epoch && saved->kind == LEAT_STATE_FULL && p->version == saved->version &&
           p->len == saved->len && memcmp(p->bytes, saved->bytes, p->len) == 0;
}

bool gather_take(struct gather *g, struct runtime_saved *saved)
{
    if (saved->kind == 0 || (saved->kind == LEAT_STATE_DELTA && saved->len == 0)) {
        free(saved->bytes);
        return true;
    }
    struct store_state *s = held_state(g, saved->node->name, saved->instance);
    if (!s && !(s = add_state(g, saved)))
        return false;
    if (same_as_held(s, saved)) {
        free(saved->bytes);
        return true;
    }
    if (saved->kind == LEAT_STATE_FULL)
        drop_pieces(s);
    struct store_piece *pieces = realloc(s->pieces, (s->piece_count + 1) * sizeof *pieces);
    if (!pieces)
        return false;
    s->pieces = pieces;
    s->pieces[s->piece_count++] =
        (struct store_piece){.version = saved->version, .kind = saved->kind, .bytes = saved->bytes, .len = saved->len};
    s->whole = saved->whole;
    g->changed = true;
    g->bytes += saved->len;
    return true;
}

void gather_forget_large(struct gather *g)
{
    for (uint32_t i = 0; i < g->manifest.state_count; i++)
        for (uint32_t k = 0; k < g->manifest.states[i].piece_count; k++) {
            struct store_piece *p = &g->manifest.states[i].pieces[k];
            if (p->epoch && p->len > PIECE_KEPT) {
                free(p->bytes);
                p->bytes = NULL;
            }
        }
}
