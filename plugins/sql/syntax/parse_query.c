// SPDX-License-Identifier: Apache-2.0
// Queries: WITH, SELECT, VALUES, set operations, ORDER BY, LIMIT; see parser_int.h.
//
// All of Flink's query grammar is read, so that what is not supported yet is refused by name and place later on.
#include "syntax/parser_int.h"

#include <string.h>

int parse_at_query(const struct sql_parser *p)
{
    if (parse_is(p, "SELECT") || parse_is(p, "VALUES") || parse_is(p, "WITH"))
        return 1;
    if (parse_is(p, "TABLE") && !parse_token_is(parse_ahead(p, 1), "("))
        return 1;
    // ((SELECT …) UNION …): brackets that open a query
    const struct sql_token *t = parse_peek(p);
    uint32_t n = 0;
    while (n < SQL_DEPTH_MAX && parse_token_is(t, "(")) {
        t++;
        n++;
    }
    return n && (parse_token_is(t, "SELECT") || parse_token_is(t, "VALUES"));
}

static struct sql_query *query_node(struct sql_parser *p, uint8_t kind)
{
    struct sql_query *q = sql_arena_calloc(p->arena, 1, sizeof *q);
    if (!q) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    q->kind = kind;
    q->offset = parse_peek(p)->offset;
    return q;
}

static struct sql_node *star(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_STAR, parse_peek(p)->offset);
    parse_next(p);
    if (n)
        n->length = 1;
    return n;
}

// Behind an expression of SELECT stands its alias, or what is meant for something else.
static int item_alias(struct sql_parser *p, struct sql_name *alias)
{
    static const char *const from[] = {"FROM", NULL};
    const struct sql_token *t = parse_peek(p);
    int word = t->kind == SQL_TOKEN_WORD && !t->reserved;
    if (parse_accept(p, "AS"))
        return parse_name(p, "a column name", alias);
    if (word && !parse_ends_item(p, p->at + 1)) {
        if (parse_token_is(parse_ahead(p, 1), "(") || parse_is_habit(t))
            return parse_fail(p, "',' or FROM");
        int put_right = parse_misspelt(p, from);
        if (put_right)
            return put_right > 0 ? 0 : -1;
    }
    return word || t->kind == SQL_TOKEN_QUOTED ? parse_name(p, "a column name", alias) : 0;
}

static int select_item(struct sql_parser *p, struct sql_select_item *item)
{
    struct parse_mark from = parse_mark(p);
    item->expr = parse_is(p, "*") ? star(p) : parse_expr(p);
    if (item->expr && !item_alias(p, &item->alias) && parse_ends_item(p, p->at))
        return 0;
    parse_fail(p, "',' or FROM");
    if (item->expr && (parse_peek(p)->kind == SQL_TOKEN_WORD || parse_peek(p)->kind == SQL_TOKEN_QUOTED))
        sql_diag_hint(p->diag, "Two columns have a comma between them.");
    if (!parse_go_on(p, from, PARSE_PART_ITEM))
        return -1;
    *item = (struct sql_select_item){.expr = parse_hole(p, from)};
    return item->expr ? 0 : -1;
}

static int select_items(struct sql_parser *p, struct sql_query *q)
{
    struct sql_list l = {.size = sizeof *q->items};
    do {
        struct sql_select_item *item = parse_push(p, &l);
        if (!item || select_item(p, item))
            return -1;
    } while (parse_accept(p, ","));
    q->items = l.items;
    q->item_count = l.count;
    return 0;
}

// ROLLUP (…), CUBE (…), GROUPING SETS (…): a list of expressions and rows, `()` among them.
static int group_sets(struct sql_parser *p, struct sql_group_item *g)
{
    struct sql_list l = {.size = sizeof(struct sql_node *)};
    if (parse_expect(p, "("))
        return -1;
    do {
        struct sql_node *n;
        if (parse_is2(p, "(", ")")) {
            n = parse_node(p, SQL_NODE_ROW, parse_peek(p)->offset);
            parse_next(p);
            parse_next(p);
        } else {
            n = parse_expr(p);
        }
        struct sql_node **slot = n ? parse_push(p, &l) : NULL;
        if (!slot)
            return -1;
        *slot = n;
    } while (parse_accept(p, ","));
    g->items = l.items;
    g->count = l.count;
    return parse_expect(p, ")");
}

static int group_item(struct sql_parser *p, struct sql_group_item *g)
{
    g->offset = parse_peek(p)->offset;
    g->kind = SQL_GROUP_EXPR;
    if (parse_is2(p, "GROUPING", "SETS")) {
        parse_next(p);
        g->kind = SQL_GROUP_SETS;
    } else if (parse_is2(p, "ROLLUP", "(")) {
        g->kind = SQL_GROUP_ROLLUP;
    } else if (parse_is2(p, "CUBE", "(")) {
        g->kind = SQL_GROUP_CUBE;
    }
    if (g->kind != SQL_GROUP_EXPR) {
        parse_next(p);
        if (group_sets(p, g))
            return -1;
    } else if (parse_is2(p, "(", ")")) { // GROUP BY (): one group
        parse_next(p);
        parse_next(p);
    } else {
        g->items = sql_arena_calloc(p->arena, 1, sizeof *g->items);
        if (!g->items)
            return sql_diag_memory(p->diag);
        g->count = 1;
        if (!(g->items[0] = parse_expr(p)))
            return -1;
    }
    g->length = parse_length_since(p, g->offset);
    return 0;
}

static int group_by(struct sql_parser *p, struct sql_query *q)
{
    q->group_offset = parse_peek(p)->offset;
    parse_next(p);
    if (parse_expect(p, "BY"))
        return -1;
    if (!parse_accept(p, "DISTINCT"))
        parse_accept(p, "ALL");
    q->has_group = 1;
    struct sql_list l = {.size = sizeof *q->groups};
    do {
        struct sql_group_item *g = parse_push(p, &l);
        if (!g || group_item(p, g))
            return -1;
    } while (parse_accept(p, ","));
    q->groups = l.items;
    q->group_count = l.count;
    q->group_length = parse_length_since(p, q->group_offset);
    return 0;
}

static int named_windows(struct sql_parser *p, struct sql_query *q)
{
    struct sql_list l = {.size = sizeof *q->windows};
    do {
        struct sql_named_window *w = parse_push(p, &l);
        if (!w || parse_name(p, "a window name", &w->name) || parse_expect(p, "AS") || !(w->window = parse_window(p)))
            return -1;
    } while (parse_accept(p, ","));
    q->windows = l.items;
    q->window_count = l.count;
    return 0;
}

// No name may stand between clauses.
static int misspelt_clause(struct sql_parser *p)
{
    static const char *const words[] = {"WHERE", "GROUP",  "HAVING", "WINDOW", "QUALIFY",   "ORDER",
                                        "LIMIT", "OFFSET", "FETCH",  "UNION",  "INTERSECT", NULL};
    return parse_misspelt(p, words) < 0;
}

static int from(struct sql_parser *p, struct sql_query *q)
{
    struct parse_mark mark = parse_mark(p);
    q->from = parse_from(p);
    if (!q->from && !parse_go_on(p, mark, PARSE_PART_FROM))
        return -1;
    p->lost |= !q->from;
    return 0;
}

static struct sql_query *select_query(struct sql_parser *p)
{
    struct sql_query *q = query_node(p, SQL_QUERY_SELECT);
    parse_next(p);
    if (!q || parse_hints(p, &q->hint))
        return NULL;
    q->distinct = (uint8_t)parse_accept(p, "DISTINCT");
    if (!q->distinct)
        parse_accept(p, "ALL");
    if (select_items(p, q))
        return NULL;
    if (parse_accept(p, "FROM") && from(p, q))
        return NULL;
    // behind an item with a fault FROM may be what is missing: nothing is known of the columns then
    p->lost |= !q->from && q->items[q->item_count - 1].expr->kind == SQL_NODE_HOLE;
    if (misspelt_clause(p) || (parse_accept(p, "WHERE") && !(q->where = parse_part(p, PARSE_PART_CLAUSE))))
        return NULL;
    if (misspelt_clause(p) || (parse_is(p, "GROUP") && group_by(p, q)))
        return NULL;
    q->having_offset = parse_peek(p)->offset;
    if (parse_accept(p, "HAVING") && !(q->having = parse_part(p, PARSE_PART_CLAUSE)))
        return NULL;
    q->window_offset = parse_peek(p)->offset;
    if (parse_accept(p, "WINDOW") && named_windows(p, q))
        return NULL;
    q->qualify_offset = parse_peek(p)->offset;
    if (parse_accept(p, "QUALIFY") && !(q->qualify = parse_part(p, PARSE_PART_CLAUSE)))
        return NULL;
    if (misspelt_clause(p))
        return NULL;
    q->length = parse_length_since(p, q->offset);
    return q;
}

static struct sql_query *values_query(struct sql_parser *p)
{
    struct sql_query *q = query_node(p, SQL_QUERY_VALUES);
    parse_next(p);
    if (!q || parse_expr_list(p, &q->rows, &q->row_count))
        return NULL;
    q->length = parse_length_since(p, q->offset);
    return q;
}

// TABLE t: the same as SELECT * FROM t
static struct sql_query *table_query(struct sql_parser *p)
{
    struct sql_query *q = query_node(p, SQL_QUERY_SELECT);
    struct sql_table *t = sql_arena_calloc(p->arena, 1, sizeof *t);
    struct sql_select_item *item = sql_arena_calloc(p->arena, 1, sizeof *item);
    parse_next(p);
    struct sql_node *all = parse_node(p, SQL_NODE_STAR, parse_peek(p)->offset);
    if (!q || !t || !item || !all) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    t->kind = SQL_TABLE_NAME;
    t->offset = parse_peek(p)->offset;
    if (parse_names(p, "a table name", &t->names, &t->name_count))
        return NULL;
    t->length = parse_length_since(p, t->offset);
    item->expr = all;
    q->items = item;
    q->item_count = 1;
    q->from = t;
    q->length = parse_length_since(p, q->offset);
    return q;
}

static struct sql_query *query_primary(struct sql_parser *p)
{
    if (parse_is(p, "SELECT"))
        return select_query(p);
    if (parse_is(p, "VALUES"))
        return values_query(p);
    if (parse_is(p, "TABLE"))
        return table_query(p);
    if (!parse_accept(p, "(")) {
        parse_fail(p, "SELECT, VALUES or '('");
        return NULL;
    }
    struct sql_query *q = parse_query(p);
    return q && !parse_expect(p, ")") ? q : NULL;
}

static uint8_t set_at(const struct sql_parser *p)
{
    return parse_is(p, "UNION")                            ? SQL_SET_UNION
           : parse_is(p, "INTERSECT")                      ? SQL_SET_INTERSECT
           : parse_is(p, "EXCEPT") || parse_is(p, "MINUS") ? SQL_SET_EXCEPT
                                                           : 0;
}

// INTERSECT binds tighter than UNION and EXCEPT.
static struct sql_query *set_query(struct sql_parser *p, int intersect)
{
    struct sql_query *left = intersect ? query_primary(p) : set_query(p, 1);
    uint8_t set;
    while (left && (set = set_at(p)) && (set == SQL_SET_INTERSECT) == intersect) {
        struct sql_query *q = query_node(p, SQL_QUERY_SET);
        if (!q)
            return NULL;
        q->set_offset = q->offset;
        q->set_length = parse_peek(p)->length;
        q->offset = left->offset;
        q->set = set;
        parse_next(p);
        q->all = (uint8_t)parse_accept(p, "ALL");
        if (!q->all)
            parse_accept(p, "DISTINCT");
        q->left = left;
        q->right = intersect ? query_primary(p) : set_query(p, 1);
        if (!q->right)
            return NULL;
        q->length = parse_length_since(p, q->offset);
        left = q;
    }
    return left;
}

static int with_list(struct sql_parser *p, struct sql_with **with, uint32_t *count)
{
    struct sql_list l = {.size = sizeof **with};
    do {
        struct sql_with *w = parse_push(p, &l);
        if (!w || parse_name(p, "a query name", &w->name))
            return -1;
        if (parse_is(p, "(") && parse_name_list(p, &w->columns, &w->column_count))
            return -1;
        if (parse_expect(p, "AS") || parse_expect(p, "(") || !(w->query = parse_query(p)) || parse_expect(p, ")"))
            return -1;
    } while (parse_accept(p, ","));
    *with = l.items;
    *count = l.count;
    return 0;
}

// ORDER BY … [LIMIT n] [OFFSET m [ROWS]] [FETCH FIRST n ROWS ONLY]
static int order_and_limit(struct sql_parser *p, struct sql_query *q)
{
    if (parse_is(p, "ORDER")) {
        q->order_offset = parse_peek(p)->offset;
        parse_next(p);
        if (parse_expect(p, "BY") || parse_order_items(p, &q->order, &q->order_count))
            return -1;
        q->order_length = parse_length_since(p, q->order_offset);
    }
    uint32_t offset = parse_peek(p)->offset;
    q->limit_word = parse_is(p, "LIMIT") ? "LIMIT" : parse_is(p, "OFFSET") ? "OFFSET" : "FETCH";
    if (parse_accept(p, "LIMIT") && !parse_accept(p, "ALL") && !(q->limit = parse_expr(p)))
        return -1;
    if (parse_accept(p, "OFFSET")) {
        if (!(q->skip = parse_expr(p)))
            return -1;
        if (!parse_accept(p, "ROWS"))
            parse_accept(p, "ROW");
    }
    if (parse_accept(p, "FETCH")) {
        if (!parse_accept(p, "FIRST") && parse_expect(p, "NEXT"))
            return -1;
        if (!(q->limit = parse_expr(p)))
            return -1;
        if (!parse_accept(p, "ROWS") && parse_expect(p, "ROW"))
            return -1;
        if (parse_expect(p, "ONLY"))
            return -1;
    }
    if (q->limit || q->skip) {
        q->limit_offset = offset;
        q->limit_length = parse_length_since(p, offset);
    }
    return 0;
}

struct sql_query *parse_query(struct sql_parser *p)
{
    struct sql_with *with = NULL;
    uint32_t with_count = 0;
    if (parse_enter(p))
        return NULL;
    if (parse_accept(p, "WITH") && with_list(p, &with, &with_count))
        return NULL;
    struct sql_query *q = set_query(p, 0);
    if (!q)
        return NULL;
    if (with_count) {
        if (q->with_count) {
            sql_diag_unsupported(p->diag, q->offset, 1, "WITH inside WITH");
            return NULL;
        }
        q->with = with;
        q->with_count = with_count;
    }
    if ((parse_is(p, "ORDER") || parse_is(p, "LIMIT") || parse_is(p, "OFFSET") || parse_is(p, "FETCH")) &&
        (q->order_count || q->limit || q->skip)) { // (… LIMIT 1) LIMIT 2
        sql_diag_unsupported(p->diag, parse_peek(p)->offset, parse_peek(p)->length, "a second ORDER BY or LIMIT");
        return NULL;
    }
    if (order_and_limit(p, q))
        return NULL;
    parse_leave(p);
    return q;
}
