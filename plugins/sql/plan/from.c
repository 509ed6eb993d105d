// SPDX-License-Identifier: Apache-2.0
// FROM: tables, sub-queries and joins become relations; see plan.h.
//
// A sub-query without grouping is nothing but names for expressions: its columns stand for expressions over the input,
// and using a column is using the expression. In the optional side of a left join such an expression would be computed
// over NULLs where the standard wants NULL, so there it is guarded by `matched`.
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "expr/types.h"

int plan_add_filter(struct sql_plan *p, struct plan_relation *r, struct sql_expr *e)
{
    if (e->form == SQL_EXPR_CALL && e->func == sql_func_operator("AND")) {
        for (uint32_t i = 0; i < e->arg_count; i++)
            if (plan_add_filter(p, r, e->args[i]))
                return -1;
        return 0;
    }
    struct sql_expr **more = sql_bind_alloc(&p->bind, (r->filter_count + 1) * sizeof *more);
    if (!more)
        return -1;
    if (r->filter_count)
        memcpy(more, r->filters, r->filter_count * sizeof *more);
    more[r->filter_count++] = e;
    r->filters = more;
    return 0;
}

// --- a table by name ---

static uint32_t input_of(const struct sql_plan *p, const struct sql_table *t)
{
    uint32_t i = 0;
    while (i < p->query->table_count && p->query->tables[i] != t)
        i++;
    return i;
}

static int named_table(struct sql_plan *p, const struct sql_table *t, struct plan_relation *r)
{
    uint32_t input = input_of(p, t);
    const struct leat_schema *s = p->inputs[input].schema;
    uint32_t all = s->column_count + s->proctime_count;
    r->input = input;
    r->column_count = all;
    r->columns = sql_bind_alloc(&p->bind, (all + 1) * sizeof *r->columns);
    if (!r->columns)
        return -1;
    for (uint32_t c = 0; c < s->column_count; c++)
        r->columns[c] = (struct sql_scope_column){.table = t->names[t->name_count - 1].text,
                                                  .name = s->columns[c].name,
                                                  .type = &s->columns[c].type,
                                                  .index = p->first[input] + c};
    // the time of now: no row has it
    for (uint32_t c = s->column_count; c < all; c++) {
        struct sql_expr at = {.offset = t->offset, .length = t->length};
        struct sql_expr *now =
            sql_bind_call(&p->bind, &at, sql_func_find((struct leat_bytes){(const uint8_t *)"PROCTIME", 8}), NULL, 0);
        if (!now)
            return -1;
        r->columns[c] = (struct sql_scope_column){.table = t->names[t->name_count - 1].text,
                                                  .name = s->proctime[c - s->column_count],
                                                  .type = now->type,
                                                  .expr = now};
    }
    return 0;
}

// [AS] alias [(a, b)]
static int apply_alias(struct sql_plan *p, const struct sql_table *t, struct plan_relation *r)
{
    if (t->column_count && t->column_count != r->column_count)
        return sql_diag_set(p->bind.diag, SQL_DIAG_NAME, t->alias.offset, t->alias.length,
                            "%u names are given for %u columns", t->column_count, r->column_count);
    for (uint32_t c = 0; c < r->column_count; c++) {
        if (t->alias.text.ptr)
            r->columns[c].table = t->alias.text;
        if (t->column_count)
            r->columns[c].name = t->columns[c].text;
    }
    return 0;
}

// --- WITH ---

struct with_reach {
    const struct with_reach *outer;
    const struct sql_query *query;
};

static int from_table(struct sql_plan *p, const struct sql_table *t, const struct with_reach *reach,
                      struct plan_relation *r);
static int select_in(struct sql_plan *p, const struct sql_query *q, const struct with_reach *outer,
                     struct plan_relation *r);

static int from_name(struct sql_plan *p, const struct sql_table *t, const struct with_reach *reach,
                     struct plan_relation *r)
{
    for (; reach && t->name_count == 1; reach = reach->outer)
        for (uint32_t i = reach->query->with_count; i-- > 0;) {
            const struct sql_with *w = &reach->query->with[i];
            if (!leat_bytes_equal(w->name.text, t->names[0].text))
                continue;
            if (select_in(p, w->query, reach->outer, r))
                return -1;
            struct sql_table alias = {.alias = w->name, .column_count = w->column_count, .columns = w->columns};
            return apply_alias(p, &alias, r);
        }
    return named_table(p, t, r);
}

// --- joins ---

// `matched ? e : NULL`
static struct sql_expr *guarded(struct sql_plan *p, struct sql_expr *e, const struct leat_type *type)
{
    struct sql_expr *matched = sql_bind_alloc(&p->bind, sizeof *matched);
    if (!matched)
        return NULL;
    *matched = (struct sql_expr){.form = SQL_EXPR_COLUMN,
                                 .offset = e->offset,
                                 .length = e->length,
                                 .column = p->first[p->input_count],
                                 .type = sql_bind_type(&p->bind, LEAT_TYPE_BOOLEAN, 0)};
    struct sql_expr *null =
        matched->type ? sql_bind_literal(&p->bind, matched, type, (union leat_cell){.i64 = 0}) : NULL;
    if (!null)
        return NULL;
    null->literal.state = LEAT_NULL;
    struct sql_expr *args[] = {matched, e, null};
    return sql_bind_call(&p->bind, matched, sql_func_operator("CASE"), args, 3);
}

// Columns of the optional side may be NULL; computed ones are guarded.
static int make_optional(struct sql_plan *p, struct sql_scope_column *columns, uint32_t count)
{
    for (uint32_t c = 0; c < count; c++) {
        struct sql_scope_column *col = &columns[c];
        if (!(col->type = sql_bind_nullable(&p->bind, col->type, 1)))
            return -1;
        if (col->expr && !(col->expr = guarded(p, col->expr, col->type)))
            return -1;
    }
    return 0;
}

static const struct sql_scope_column *find_column(const struct plan_relation *r, const struct sql_name *n)
{
    for (uint32_t c = 0; c < r->column_count; c++)
        if (!r->columns[c].hidden && leat_bytes_equal(r->columns[c].name, n->text))
            return &r->columns[c];
    return NULL;
}

static struct sql_expr *column_of(struct sql_plan *p, const struct sql_scope_column *c, const struct sql_name *n)
{
    struct sql_expr *e = c->expr;
    if (e)
        return e;
    e = sql_bind_alloc(&p->bind, sizeof *e);
    if (e)
        *e = (struct sql_expr){
            .form = SQL_EXPR_COLUMN, .offset = n->offset, .length = n->length, .column = c->index, .type = c->type};
    return e;
}

// USING (a, b): equality of the columns of that name; the second one is reached by its table only.
static int join_using(struct sql_plan *p, const struct sql_table *t, struct plan_relation *l, struct plan_relation *o,
                      struct plan_relation *r)
{
    for (uint32_t i = 0; i < t->using_count; i++) {
        const struct sql_name *n = &t->using[i];
        const struct sql_scope_column *a = find_column(l, n), *b = find_column(o, n);
        if (!a || !b)
            return sql_diag_set(p->bind.diag, SQL_DIAG_NAME, n->offset, n->length,
                                "column '%.*s' does not exist on both sides of the join", (int)n->text.len,
                                (const char *)n->text.ptr);
        struct sql_expr *args[] = {column_of(p, a, n), column_of(p, b, n)};
        struct sql_expr *e =
            args[0] && args[1] ? sql_bind_call(&p->bind, args[0], sql_func_operator("="), args, 2) : NULL;
        if (!e || plan_add_filter(p, r, e))
            return -1;
        const struct sql_scope_column *from = t->join == SQL_JOIN_RIGHT ? a : b; // the other side's may be NULL
        for (uint32_t c = 0; c < r->column_count; c++)
            if (r->columns[c].index == from->index && r->columns[c].expr == from->expr)
                r->columns[c].hidden = 1;
    }
    return 0;
}

// The columns of both sides, and the conditions of ON or USING, which are asked before a row counts as without partner:
// computed columns of the optional side are no NULLs there, and may be keys.
static int join_columns(struct sql_plan *p, const struct sql_table *t, struct plan_relation *sides,
                        struct plan_relation *r)
{
    r->column_count = sides[0].column_count + sides[1].column_count;
    r->columns = sql_bind_alloc(&p->bind, (r->column_count + 1) * sizeof *r->columns);
    if (!r->columns)
        return -1;
    memcpy(r->columns, sides[0].columns, sides[0].column_count * sizeof *r->columns);
    memcpy(r->columns + sides[0].column_count, sides[1].columns, sides[1].column_count * sizeof *r->columns);
    if (join_using(p, t, &sides[0], &sides[1], r))
        return -1;
    if (!t->on)
        return 0;
    struct sql_scope scope = {r->columns, r->column_count};
    p->bind.scope = &scope;
    struct sql_expr *on = sql_bind_condition(&p->bind, t->on, "ON");
    p->bind.scope = NULL;
    return on ? plan_add_filter(p, r, on) : -1;
}

// t JOIN u FOR SYSTEM_TIME AS OF …
static int lookup_join(struct sql_plan *p, const struct sql_table *t, const struct with_reach *reach,
                       struct plan_relation *r)
{
    struct plan_relation sides[2] = {{0}}, on = {0};
    if (from_table(p, t->left, reach, &sides[0]))
        return -1;
    if (plan_lookup_time(p, &sides[0], t->right->system_time))
        return -1;
    on.input = input_of(p, t->right);
    if (named_table(p, t->right, &sides[1]) || apply_alias(p, t->right, &sides[1]) || join_columns(p, t, sides, &on) ||
        (t->join == SQL_JOIN_LEFT && make_optional(p, on.columns + sides[0].column_count, sides[1].column_count)))
        return -1;
    *r = sides[0];
    r->columns = on.columns;
    r->column_count = on.column_count;
    return plan_lookup_add(p, r, &on, t);
}

static int join(struct sql_plan *p, const struct sql_table *t, const struct with_reach *reach, struct plan_relation *r)
{
    if (t->right->asked)
        return lookup_join(p, t, reach, r);
    struct plan_relation sides[2] = {{0}};
    if (from_table(p, t->left, reach, &sides[0]) || from_table(p, t->right, reach, &sides[1]))
        return -1;
    uint32_t kept = t->join == SQL_JOIN_RIGHT; // the side of which every row comes out
    r->join = sql_bind_alloc(&p->bind, sizeof *r->join);
    if (!r->join)
        return -1;
    r->join->offset = t->join_offset;
    r->join->length = t->join_length;
    r->join->outer = t->join == SQL_JOIN_LEFT || t->join == SQL_JOIN_RIGHT;
    for (uint32_t s = 0; s < 2; s++) {
        struct sql_side *side = &r->join->sides[s];
        struct plan_relation *from = &sides[s ^ kept];
        side->input = from->input;
        for (uint32_t i = 0; i < from->filter_count; i++)
            if (!(side->filter = plan_and(p, side->filter, from->filters[i])))
                return -1;
    }
    if (join_columns(p, t, sides, r))
        return -1;
    uint32_t optional = kept ? 0 : sides[0].column_count; // where the columns of the optional side begin
    if (r->join->outer && make_optional(p, r->columns + optional, sides[!kept].column_count))
        return -1;
    // the conditions of an outer join end here; those of an inner one may still come from WHERE
    return r->join->outer ? plan_join_finish(p, r) : 0;
}

static int from_table(struct sql_plan *p, const struct sql_table *t, const struct with_reach *reach,
                      struct plan_relation *r)
{
    memset(r, 0, sizeof *r);
    int st = t->kind == SQL_TABLE_JOIN   ? join(p, t, reach, r)
             : t->kind == SQL_TABLE_NAME ? from_name(p, t, reach, r)
                                         : select_in(p, t->query, reach, r);
    return st ? -1 : apply_alias(p, t, r);
}

// --- SELECT ---

int plan_where(struct sql_plan *p, struct plan_relation *r, const struct sql_node *where)
{
    struct sql_scope scope = {r->columns, r->column_count};
    p->bind.scope = &scope;
    struct sql_expr *e = sql_bind_condition(&p->bind, where, "WHERE");
    p->bind.scope = NULL;
    return e ? plan_add_filter(p, r, e) : -1;
}

static int push_column(struct sql_plan *p, struct plan_relation *r, uint32_t *room, struct sql_scope_column c)
{
    if (r->column_count == LEAT_COLUMNS_MAX)
        return sql_diag_set(p->bind.diag, SQL_DIAG_RESOURCE, 0, 1, "a query gives at most %d columns",
                            LEAT_COLUMNS_MAX);
    if (r->column_count == *room) {
        *room = *room ? *room * 2 : 16;
        struct sql_scope_column *bigger = sql_bind_alloc(&p->bind, *room * sizeof *bigger);
        if (!bigger)
            return -1;
        if (r->column_count)
            memcpy(bigger, r->columns, r->column_count * sizeof *bigger);
        r->columns = bigger;
    }
    r->columns[r->column_count++] = c;
    return 0;
}

int plan_no_star(struct sql_diag *d, const struct sql_name *table, const struct sql_scope_column *columns,
                 uint32_t count)
{
    for (uint32_t c = 0; c < count; c++)
        if (leat_bytes_equal(columns[c].name, table->text) && columns[c].type->kind == LEAT_TYPE_ROW)
            return sql_diag_unsupported(d, table->offset, table->length, "'.*' behind a ROW");
    return sql_diag_set(d, SQL_DIAG_NAME, table->offset, table->length, "table '%.*s' is not in FROM",
                        (int)table->text.len, (const char *)table->text.ptr);
}

// * or t.*
static int push_star(struct sql_plan *p, const struct plan_relation *from, const struct sql_node *star,
                     struct plan_relation *r, uint32_t *room)
{
    uint32_t before = r->column_count;
    const struct sql_name *table = star->count ? &star->names[star->count - 1] : NULL;
    for (uint32_t c = 0; c < from->column_count; c++) {
        struct sql_scope_column col = from->columns[c];
        if (table ? !leat_bytes_equal(col.table, table->text) : col.hidden)
            continue;
        col.hidden = 0;
        if (push_column(p, r, room, col))
            return -1;
    }
    if (table && before == r->column_count)
        return plan_no_star(p->bind.diag, table, from->columns, from->column_count);
    if (!table && !from->column_count)
        return sql_diag_set(p->bind.diag, SQL_DIAG_NAME, star->offset, star->length, "'*' needs a table in FROM");
    return 0;
}

struct leat_bytes plan_item_name(struct sql_bind *b, const struct sql_select_item *item, uint32_t number)
{
    if (item->alias.text.ptr)
        return item->alias.text;
    if (item->expr->kind == SQL_NODE_NAME)
        return item->expr->names[item->expr->count - 1].text;
    if (item->expr->kind == SQL_NODE_FIELD)
        return item->expr->text;
    char *name = sql_bind_alloc(b, 24);
    if (!name)
        return (struct leat_bytes){NULL, 0};
    int n = snprintf(name, 24, "EXPR$%u", number);
    return (struct leat_bytes){(const uint8_t *)name, (uint32_t)n};
}

static int push_item(struct sql_plan *p, const struct plan_relation *from, const struct sql_select_item *item,
                     uint32_t number, struct plan_relation *r, uint32_t *room)
{
    if (item->expr->kind == SQL_NODE_STAR)
        return push_star(p, from, item->expr, r, room);
    struct sql_scope scope = {from->columns, from->column_count};
    p->bind.scope = &scope;
    struct sql_expr *e = sql_bind_expr(&p->bind, item->expr);
    p->bind.scope = NULL;
    if (!e)
        return -1;
    if (!e->type || e->type->kind == LEAT_TYPE_NULL) {
        sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, e->offset, e->length, "NULL has no type here");
        sql_diag_hint(p->bind.diag, "Write CAST(NULL AS type).");
        return -1;
    }
    struct sql_scope_column c = {.name = plan_item_name(&p->bind, item, number), .type = e->type, .expr = e};
    if (!c.name.ptr)
        return -1;
    if (e->form == SQL_EXPR_COLUMN) { // a plain column stays one
        c.index = e->column;
        c.expr = NULL;
    }
    return push_column(p, r, room, c);
}

static int select_in(struct sql_plan *p, const struct sql_query *q, const struct with_reach *outer,
                     struct plan_relation *r)
{
    struct with_reach reach = {outer, q};
    struct plan_relation from = {.no_input = 1};
    uint32_t room = 0;
    memset(r, 0, sizeof *r);
    if (q->kind == SQL_QUERY_VALUES)
        return plan_values(p, q, r);
    if ((q->from && from_table(p, q->from, &reach, &from)) || (q->where && plan_where(p, &from, q->where)) ||
        (from.join && (from.join->outer ? plan_push_down(p, &from) : plan_join_finish(p, &from))))
        return -1;
    *r = from;
    r->column_count = 0;
    r->columns = NULL;
    for (uint32_t i = 0; i < q->item_count; i++)
        if (push_item(p, &from, &q->items[i], i, r, &room))
            return -1;
    return 0;
}

int plan_select(struct sql_plan *p, const struct sql_query *q, const struct sql_query *with, struct plan_relation *r)
{
    struct with_reach reach = {NULL, with};
    return select_in(p, q, with && with != q ? &reach : NULL, r);
}
