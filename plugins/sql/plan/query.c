// SPDX-License-Identifier: Apache-2.0
// The parsed query and the tables it reads; see plan.h.
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "syntax/parser.h"

// Names defined by the WITH lists in reach, innermost first.
struct reach {
    const struct reach *outer;
    const struct sql_query *query;
};

struct walk {
    struct sql_parsed *parsed;
    struct sql_diag *diag;
    uint32_t room;
    uint32_t depth;
};

static int walk_query(struct walk *w, const struct sql_query *q, const struct reach *outer);

static const struct sql_with *find_with(const struct reach *reach, const struct sql_table *t,
                                        const struct reach **where)
{
    for (; reach && t->name_count == 1; reach = reach->outer)
        for (uint32_t i = reach->query->with_count; i-- > 0;) {
            const struct sql_with *with = &reach->query->with[i];
            if (leat_bytes_equal(with->name.text, t->names[0].text)) {
                *where = reach;
                return with;
            }
        }
    return NULL;
}

static int add_table(struct walk *w, struct sql_table *t)
{
    struct sql_parsed *q = w->parsed;
    for (uint32_t i = 0; i < q->table_count; i++)
        if (q->tables[i] == t) // a query of WITH that is named twice
            return 0;
    if (q->table_count == LEAT_INPUTS_MAX)
        return sql_diag_set(w->diag, SQL_DIAG_UNSUPPORTED, t->offset, t->length, "a query reads at most %d tables",
                            LEAT_INPUTS_MAX);
    if (q->table_count == w->room) {
        uint32_t room = w->room ? w->room * 2 : 4;
        struct sql_table **bigger = sql_arena_calloc(&q->arena, room, sizeof *bigger);
        if (!bigger)
            return sql_diag_memory(w->diag);
        if (q->table_count)
            memcpy(bigger, q->tables, q->table_count * sizeof *bigger);
        q->tables = bigger;
        w->room = room;
    }
    q->tables[q->table_count++] = t;
    return 0;
}

static int walk_table(struct walk *w, struct sql_table *t, const struct reach *reach)
{
    const struct reach *where;
    switch (t->kind) {
    case SQL_TABLE_JOIN:
        return walk_table(w, t->left, reach) ? -1 : walk_table(w, t->right, reach);
    case SQL_TABLE_QUERY:
        return walk_query(w, t->query, reach);
    case SQL_TABLE_NAME:
        break;
    default:
        return 0; // table functions are refused by the planner
    }
    const struct sql_with *with = find_with(reach, t, &where);
    return with ? walk_query(w, with->query, where->outer) : add_table(w, t);
}

// A query of WITH is read once for each place that names it. The depth bounds what that can multiply to.
static int walk_query(struct walk *w, const struct sql_query *q, const struct reach *outer)
{
    struct reach reach = {outer, q};
    if (++w->depth > SQL_DEPTH_MAX)
        return sql_diag_set(w->diag, SQL_DIAG_RESOURCE, q->offset, 1, "queries are nested more than %d levels deep",
                            SQL_DEPTH_MAX);
    int st = 0;
    if (q->kind == SQL_QUERY_SET)
        st = walk_query(w, q->left, &reach) ? -1 : walk_query(w, q->right, &reach);
    else if (q->from)
        st = walk_table(w, q->from, &reach);
    w->depth--;
    return st;
}

struct sql_parsed *sql_query_parse(struct leat_bytes text, struct sql_faults *faults)
{
    struct sql_diag d = {0};
    struct sql_parsed *q = calloc(1, sizeof *q);
    if (!q) {
        sql_diag_memory(&d);
        sql_faults_add(faults, &d);
        return NULL;
    }
    sql_arena_init(&q->arena, SQL_ARENA_MAX);
    struct walk w = {.parsed = q, .diag = &d};
    q->text = (struct leat_bytes){sql_arena_copy(&q->arena, text.ptr, text.len), text.len};
    if (!q->text.ptr)
        sql_diag_memory(&d);
    else if ((q->query = sql_parse_faulty(&q->arena, q->text, faults)) && !walk_query(&w, q->query, NULL))
        return q;
    if (d.kind)
        sql_faults_add(faults, &d);
    sql_query_destroy(q);
    return NULL;
}

void sql_query_destroy(struct sql_parsed *q)
{
    if (!q)
        return;
    sql_arena_fini(&q->arena);
    free(q);
}
