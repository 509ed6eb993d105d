// SPDX-License-Identifier: Apache-2.0
// What the shape of a query has that Flink SQL knows and leat does not: all of it, from the syntax tree alone.
//
// The planner relies on what is refused here not being there. Each part of FROM is described by what it is made of, as
// the planner would make it; a part that is refused is "open", and nothing more is said of what stands over it. What
// is refused about expressions is the binder's.
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "syntax/parser.h"

struct part {
    const struct sql_table *table; // the only table that it reads
    uint8_t joined, looked_up, no_from, open;
};

struct reach {
    const struct reach *outer;
    const struct sql_query *query;
};

struct walk {
    const struct sql_parsed *parsed;
    struct sql_faults *faults;
    uint32_t depth;
};

static struct part check_query(struct walk *w, const struct sql_query *q, const struct reach *outer, int inside);
static struct part check_from(struct walk *w, const struct sql_table *t, const struct reach *reach);

static struct part refuse(struct walk *w, uint32_t offset, uint32_t length, const char *what)
{
    struct sql_diag d = {0};
    sql_diag_unsupported(&d, offset, length, what);
    sql_faults_add(w->faults, &d);
    return (struct part){.open = 1};
}

// --- tables

static void check_hint(struct walk *w, const struct sql_name *hint)
{
    struct sql_diag d = {0};
    if (!hint->text.ptr)
        return;
    sql_diag_set(&d, SQL_DIAG_UNSUPPORTED, hint->offset, hint->length,
                 "the hint %.*s is known in Flink SQL, not supported yet",
                 (int)(hint->text.len > 40 ? 40 : hint->text.len), (const char *)hint->text.ptr);
    int options = hint->text.len == 7 && !strncasecmp((const char *)hint->text.ptr, "OPTIONS", 7);
    sql_diag_hint(&d, "%s",
                  options ? "Put the options into the section of the table in the pipeline file."
                          : "Leave the hint out: leat plans the query without.");
    sql_faults_add(w->faults, &d);
}

static struct part check_function(struct walk *w, const struct sql_table *t)
{
    static const char *const windows[] = {"TUMBLE", "HOP", "CUMULATE", "SESSION"};
    char what[32];
    for (size_t i = 0; t->kind == SQL_TABLE_FUNCTION && i < sizeof windows / sizeof *windows; i++) {
        if (t->call->text.len != strlen(windows[i]) ||
            strncasecmp((const char *)t->call->text.ptr, windows[i], t->call->text.len) != 0)
            continue;
        snprintf(what, sizeof what, "TABLE(%s(…))", windows[i]);
        return refuse(w, t->offset, t->length, what);
    }
    return refuse(w, t->offset, t->length, t->kind == SQL_TABLE_UNNEST ? "UNNEST" : "a table function");
}

static int is_input(const struct walk *w, const struct sql_table *t)
{
    for (uint32_t i = 0; i < w->parsed->table_count; i++)
        if (w->parsed->tables[i] == t)
            return 1;
    return 0;
}

// A table, or the query of WITH that has its name.
static struct part check_name(struct walk *w, const struct sql_table *t, const struct reach *reach)
{
    if (is_input(w, t))
        return (struct part){.table = t};
    for (; reach; reach = reach->outer)
        for (uint32_t i = reach->query->with_count; i-- > 0;)
            if (leat_bytes_equal(reach->query->with[i].name.text, t->names[0].text))
                return check_query(w, reach->query->with[i].query, reach->outer, 1);
    return (struct part){.open = 1};
}

static struct part check_table(struct walk *w, const struct sql_table *t, const struct reach *reach)
{
    struct part part = {.open = 1};
    check_hint(w, &t->hint);
    if (t->lateral) {
        refuse(w, t->offset, t->length, "LATERAL");
        if (t->kind == SQL_TABLE_QUERY)
            check_query(w, t->query, reach, 1);
    } else if (t->kind == SQL_TABLE_NAME) {
        part = check_name(w, t, reach);
    } else if (t->kind == SQL_TABLE_QUERY) {
        part = check_query(w, t->query, reach, 1);
    } else {
        part = check_function(w, t);
    }
    if (t->clause)
        part = refuse(w, t->clause_offset, t->clause_length, t->clause);
    if (t->system_time && !t->asked)
        part = refuse(w, t->system_time->offset, t->system_time->length,
                      "FOR SYSTEM_TIME AS OF other than at the right of a join");
    return part;
}

// --- joins

static int check_words(struct walk *w, const struct sql_table *t)
{
    static const char *const names[] = {
        [SQL_JOIN_FULL] = "FULL JOIN", [SQL_JOIN_SEMI] = "LEFT SEMI JOIN", [SQL_JOIN_ANTI] = "LEFT ANTI JOIN"};
    if (t->natural)
        refuse(w, t->join_offset, t->join_length, "NATURAL JOIN");
    if (names[t->join])
        refuse(w, t->join_offset, t->join_length, names[t->join]);
    return t->natural || names[t->join];
}

// t JOIN u FOR SYSTEM_TIME AS OF …
static struct part check_lookup(struct walk *w, const struct sql_table *t, const struct reach *reach)
{
    const struct sql_table *right = t->right;
    struct part left = check_from(w, t->left, reach);
    left.open |= (uint8_t)check_words(w, t);
    check_hint(w, &right->hint);
    if (right->clause)
        return refuse(w, right->clause_offset, right->clause_length, right->clause);
    if (right->lateral)
        return refuse(w, right->offset, right->length, "LATERAL");
    if (!is_input(w, right))
        return refuse(w, right->offset, right->length, "FOR SYSTEM_TIME AS OF with a query of WITH");
    if (left.open)
        return left;
    if (t->join != SQL_JOIN_INNER && t->join != SQL_JOIN_LEFT) {
        struct sql_diag d = {0};
        sql_diag_set(&d, SQL_DIAG_TYPE, right->offset, right->length,
                     "a lookup is asked for the rows of the left side: only JOIN and LEFT JOIN go with it");
        sql_faults_add(w->faults, &d);
        return (struct part){.open = 1};
    }
    if (left.joined)
        return refuse(w, right->offset, right->length, "a lookup behind a join of streams in one query");
    left.looked_up = 1;
    return left;
}

static struct part check_join(struct walk *w, const struct sql_table *t, const struct reach *reach)
{
    if (t->right->asked)
        return check_lookup(w, t, reach);
    struct part left = check_from(w, t->left, reach);
    int words = check_words(w, t);
    struct part right = check_from(w, t->right, reach);
    if (left.open || right.open)
        return (struct part){.open = 1};
    if (left.joined || right.joined)
        return refuse(w, t->right->offset, t->right->length, "a join of more than two tables");
    if (left.looked_up || right.looked_up)
        return refuse(w, t->right->offset, t->right->length, "a join of streams behind a lookup in one query");
    if (left.no_from || right.no_from)
        return refuse(w, t->offset, t->length, "a join with a query that has no FROM");
    if (left.table == right.table)
        return refuse(w, t->right->offset, t->right->length, "joining a query of WITH with itself");
    return (struct part){.table = t, .joined = 1, .open = (uint8_t)words};
}

static struct part check_from(struct walk *w, const struct sql_table *t, const struct reach *reach)
{
    return t->kind == SQL_TABLE_JOIN ? check_join(w, t, reach) : check_table(w, t, reach);
}

// --- queries

static void check_order(struct walk *w, const struct sql_query *q)
{
    struct sql_diag d = {0};
    if (q->order_count)
        refuse(w, q->order_offset, q->order_length, "ORDER BY");
    if (!q->limit && !q->skip)
        return;
    sql_diag_unsupported(&d, q->limit_offset, q->limit_length, q->limit_word);
    sql_diag_hint(
        &d,
        "A stream has no last row: let the sink keep all rows and write %s where its table is read. To read "
        "only a part, bound the source (scan.bounded.mode, number-of-rows); of what leat sql answers take %s.",
        q->limit_word, q->limit ? "| head" : "| tail");
    sql_faults_add(w->faults, &d);
}

static void check_group(struct walk *w, const struct sql_query *q)
{
    static const char *const names[] = {
        [SQL_GROUP_ROLLUP] = "ROLLUP", [SQL_GROUP_CUBE] = "CUBE", [SQL_GROUP_SETS] = "GROUPING SETS"};
    if (q->has_group)
        refuse(w, q->group_offset, q->group_length, "GROUP BY");
    for (uint32_t i = 0; i < q->group_count; i++)
        if (q->groups[i].kind != SQL_GROUP_EXPR)
            refuse(w, q->groups[i].offset, q->groups[i].length, names[q->groups[i].kind]);
}

static struct part check_select(struct walk *w, const struct sql_query *q, const struct reach *reach)
{
    struct part part = {.no_from = 1};
    check_hint(w, &q->hint);
    if (q->distinct)
        refuse(w, q->offset, q->length, "SELECT DISTINCT");
    if (q->from)
        part = check_from(w, q->from, reach);
    check_group(w, q);
    if (q->having)
        refuse(w, q->having_offset, 6, "HAVING");
    if (q->window_count)
        refuse(w, q->window_offset, 6, "WINDOW");
    if (q->qualify)
        refuse(w, q->qualify_offset, 7, "QUALIFY");
    return part;
}

// The parts of UNION ALL are rows of one input each.
static void check_branch(struct walk *w, const struct sql_query *q, struct part part)
{
    if (part.open)
        return;
    if (part.joined)
        refuse(w, part.table->join_offset, part.table->join_length, "a join inside UNION ALL");
    if (part.looked_up)
        refuse(w, q->offset, q->length, "a lookup inside UNION ALL");
}

static struct part check_set(struct walk *w, const struct sql_query *q, const struct reach *reach, int inside)
{
    static const char *const names[] = {
        [SQL_SET_UNION] = "UNION without ALL", [SQL_SET_INTERSECT] = "INTERSECT", [SQL_SET_EXCEPT] = "EXCEPT"};
    int all = q->set == SQL_SET_UNION && q->all;
    if (!all)
        refuse(w, q->set_offset, q->set_length, names[q->set]);
    else if (inside)
        refuse(w, q->set_offset, q->set_length, "UNION ALL in a sub-query");
    for (uint32_t i = 0; i < 2; i++) {
        const struct sql_query *side = i ? q->right : q->left;
        struct part part = check_query(w, side, reach, inside);
        if (all && !inside)
            check_branch(w, side, part);
    }
    return (struct part){.open = 1};
}

static struct part check_query(struct walk *w, const struct sql_query *q, const struct reach *outer, int inside)
{
    struct reach reach = {outer, q};
    struct part part = {.open = 1};
    if (w->faults->count == SQL_FAULTS_MAX || w->depth == SQL_DEPTH_MAX)
        return part;
    w->depth++;
    if (q->kind == SQL_QUERY_SET)
        part = check_set(w, q, &reach, inside);
    else if (q->kind == SQL_QUERY_SELECT)
        part = check_select(w, q, &reach);
    else if (w->parsed->table_count)
        refuse(w, q->offset, q->length, "VALUES beside tables in one query");
    else
        part = (struct part){.no_from = 1};
    if (q->kind != SQL_QUERY_VALUES && part.no_from && !part.open && w->parsed->table_count)
        part = refuse(w, q->offset, q->length, "a query without FROM beside others");
    check_order(w, q);
    w->depth--;
    return part;
}

void plan_refusals(const struct sql_parsed *q, struct sql_faults *faults)
{
    struct walk w = {.parsed = q, .faults = faults};
    check_query(&w, q->query, NULL, 0);
}
