// SPDX-License-Identifier: Apache-2.0
// See forget.h. The states there are come from the store, who reads whom from the graph.
#include "checkpoint/forget.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct forgetting {
    const struct graph *graph;
    struct mark {
        bool saved;    // something of it is in the store
        bool rows;     // and is rows of what it reads: its own, or those of a normaliser before it
        bool forget;   // with all that depends on it
        uint32_t seen; // number of the walk that passed it last
    } * marks;         // per node of the graph
    uint32_t walks;
};

static bool is_state_of(const char *node, const char *state)
{
    size_t n = strlen(node);
    return strncmp(node, state, n) == 0 && (!state[n] || state[n] == '/');
}

bool forget_has(const char *const *nodes, uint32_t count, const char *state)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_state_of(nodes[i], state))
            return true;
    return false;
}

static void note_saved(void *arg, const char *state)
{
    struct forgetting *f = arg;
    for (uint32_t i = 0; i < f->graph->node_count; i++) {
        const struct graph_node *node = &f->graph->nodes[i];
        if (!is_state_of(node->name, state))
            continue;
        f->marks[i].saved = true;
        f->marks[i].rows |= node->kind == LEAT_OPERATOR || strchr(state, '/');
    }
}

static uint32_t number_of(const struct forgetting *f, const struct graph_node *node)
{
    return (uint32_t)(node - f->graph->nodes);
}

// Forgets all of them when one of them is: the node, and the sources whose rows it keeps. True = something was added.
static bool spread_one(struct forgetting *f, const struct graph_node *node, const struct graph_node *keeper, bool *any)
{
    struct mark *m = &f->marks[number_of(f, node)];
    bool added = false;
    if (m->seen == f->walks)
        return false;
    m->seen = f->walks;
    if (node == keeper || (node->kind == LEAT_SOURCE && m->saved)) {
        added = *any && !m->forget;
        m->forget |= *any;
        *any |= m->forget;
    }
    for (uint32_t i = 0; i < node->ref_count; i++)
        if (node->refs[i].to && node->refs[i].kind == LEAT_INPUT_STREAM)
            added = spread_one(f, node->refs[i].to, keeper, any) || added;
    return added;
}

// One walk finds out whether any of them is forgotten, another one forgets the others.
static bool spread_from(struct forgetting *f, const struct graph_node *keeper)
{
    bool any = false, added = false;
    for (int walk = 0; walk < 2; walk++) {
        f->walks++;
        added = spread_one(f, keeper, keeper, &any) || added;
    }
    return added;
}

static void spread(struct forgetting *f)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < f->graph->node_count; i++)
            again = (f->marks[i].rows && spread_from(f, &f->graph->nodes[i])) || again;
    }
}

// What is forgotten beyond what was asked for; empty = nothing.
static leat_status refuse_parts(const struct forgetting *f, const char *const *nodes, uint32_t count,
                                struct base_error *error)
{
    struct base_str more, flags;
    leat_status st = LEAT_OK;
    base_str_init(&more);
    base_str_init(&flags);
    for (uint32_t i = 0; i < f->graph->node_count; i++) {
        const char *name = f->graph->nodes[i].name;
        if (!f->marks[i].forget)
            continue;
        base_str_addf(&flags, "%s--forget-state %s", flags.len ? " " : "", name);
        if (!forget_has(nodes, count, name))
            base_str_addf(&more, "%s\"%s\"", more.len ? ", " : "", name);
    }
    if (more.len) {
        st = base_fail(error, LEAT_CONFIG, "LEAT-T0009", "the state of \"%s\" cannot be forgotten without that of %s",
                       nodes[0], more.ptr);
        base_error_detail(error, "What keeps rows of a source would take them twice if only the source began anew, and "
                                 "would miss them if only it forgot them.");
        base_error_hint(error, "To forget all of it, start with %s.", flags.ptr);
    }
    base_str_fini(&more);
    base_str_fini(&flags);
    return st;
}

static void tell(const struct forgetting *f, const struct base_logger *logger)
{
    for (uint32_t i = 0; i < f->graph->node_count; i++) {
        const struct graph_node *node = &f->graph->nodes[i];
        if (f->marks[i].forget && !f->marks[i].saved)
            base_log(logger, LEAT_LOG_INFO, "nothing-to-forget", "\"%s\" has no saved state", node->name);
        else if (f->marks[i].forget)
            base_log(logger, LEAT_LOG_WARN, "state-forgotten", "%s \"%s\" %s",
                     node->kind == LEAT_SOURCE ? "position and state of" : "state of", node->name,
                     node->kind == LEAT_SOURCE ? "are forgotten: it begins as on its first start" : "is forgotten");
    }
}

leat_status forget_check(const struct graph *graph, struct store *store, const char *const *nodes, uint32_t count,
                         const struct base_logger *logger, struct base_error *error)
{
    struct forgetting f = {.graph = graph, .marks = calloc(graph->node_count + 1, sizeof *f.marks)};
    if (!f.marks)
        return base_no_memory(error);
    leat_status st = store_unknown(store, NULL, 0, note_saved, &f, error);
    for (uint32_t i = 0; i < graph->node_count; i++)
        f.marks[i].forget = forget_has(nodes, count, graph->nodes[i].name);
    if (st >= 0) {
        spread(&f);
        st = refuse_parts(&f, nodes, count, error);
    }
    if (st >= 0)
        tell(&f, logger);
    free(f.marks);
    return st;
}
