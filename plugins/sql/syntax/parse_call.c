// SPDX-License-Identifier: Apache-2.0
// Function calls: arguments of all kinds, and what may follow them (FILTER, WITHIN GROUP, OVER).
#include "syntax/parser_int.h"

#include <string.h>

struct sql_node *parse_call_node(struct sql_parser *p, struct leat_bytes name, uint32_t offset, struct sql_node **items,
                                 uint32_t count)
{
    struct sql_node *n = parse_node(p, SQL_NODE_CALL, offset);
    if (!n)
        return NULL;
    n->text = name;
    n->items = items;
    n->count = count;
    n->length = parse_length_since(p, offset);
    return n;
}

struct sql_call *parse_call_extra(struct sql_parser *p, struct sql_node *n)
{
    if (!n->call) {
        n->call = sql_arena_calloc(p->arena, 1, sizeof *n->call);
        if (!n->call) {
            sql_diag_memory(p->diag);
            return NULL;
        }
        n->call->json_empty_item = n->call->json_error_item = UINT32_MAX;
    }
    return n->call;
}

int parse_order_items(struct sql_parser *p, struct sql_order_item **items, uint32_t *count)
{
    struct sql_list l = {.size = sizeof **items};
    do {
        struct sql_node *expr = parse_expr(p);
        struct sql_order_item *item = expr ? parse_push(p, &l) : NULL;
        if (!item)
            return -1;
        item->expr = expr;
        if (!parse_accept(p, "ASC"))
            item->descending = (uint8_t)parse_accept(p, "DESC");
        if (parse_accept(p, "NULLS")) {
            if (parse_accept(p, "FIRST"))
                item->nulls = 1;
            else if (parse_accept(p, "LAST"))
                item->nulls = 2;
            else
                return parse_fail(p, "FIRST or LAST");
        }
    } while (parse_accept(p, ","));
    *items = l.items;
    *count = l.count;
    return 0;
}

// UNBOUNDED PRECEDING, CURRENT ROW, n FOLLOWING …
static int frame_bound(struct sql_parser *p)
{
    if (parse_accept(p, "CURRENT"))
        return parse_expect(p, "ROW");
    if (!parse_accept(p, "UNBOUNDED") && !parse_additive(p))
        return -1;
    if (parse_accept(p, "PRECEDING") || parse_accept(p, "FOLLOWING"))
        return 0;
    return parse_fail(p, "PRECEDING or FOLLOWING");
}

static int frame(struct sql_parser *p, struct sql_window *w)
{
    if (!parse_is(p, "ROWS") && !parse_is(p, "RANGE"))
        return 0;
    parse_next(p);
    w->has_frame = 1;
    if (!parse_accept(p, "BETWEEN"))
        return frame_bound(p);
    return frame_bound(p) || parse_expect(p, "AND") ? -1 : frame_bound(p);
}

// ( [PARTITION BY …] [ORDER BY …] [frame] ), or a window's name.
struct sql_window *parse_window(struct sql_parser *p)
{
    struct sql_window *w = sql_arena_calloc(p->arena, 1, sizeof *w);
    if (!w) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    w->offset = parse_peek(p)->offset;
    if (!parse_is(p, "(")) {
        if (parse_name(p, "a window name or '('", &w->name))
            return NULL;
        w->length = parse_length_since(p, w->offset);
        return w;
    }
    parse_next(p);
    if (!parse_is(p, ")") && !parse_peek(p)->reserved && parse_name(p, "PARTITION or ORDER", &w->name))
        return NULL;
    if (parse_accept(p, "PARTITION") &&
        (parse_expect(p, "BY") || parse_expr_list(p, &w->partition, &w->partition_count)))
        return NULL;
    if (parse_accept(p, "ORDER") && (parse_expect(p, "BY") || parse_order_items(p, &w->order, &w->order_count)))
        return NULL;
    if (frame(p, w) || parse_expect(p, ")"))
        return NULL;
    w->length = parse_length_since(p, w->offset);
    return w;
}

static int suffixes(struct sql_parser *p, struct sql_node *n)
{
    if (parse_is2(p, "WITHIN", "GROUP")) {
        struct sql_call *c = parse_call_extra(p, n);
        parse_next(p);
        parse_next(p);
        if (!c || parse_expect(p, "(") || parse_expect(p, "ORDER") || parse_expect(p, "BY") ||
            parse_order_items(p, &c->within, &c->within_count) || parse_expect(p, ")"))
            return -1;
    }
    if (parse_is2(p, "FILTER", "(")) {
        struct sql_call *c = parse_call_extra(p, n);
        parse_next(p);
        parse_next(p);
        if (!c || parse_expect(p, "WHERE") || !(c->filter = parse_expr(p)) || parse_expect(p, ")"))
            return -1;
    }
    if (parse_is2(p, "IGNORE", "NULLS") || parse_is2(p, "RESPECT", "NULLS")) {
        struct sql_call *c = parse_call_extra(p, n);
        if (!c)
            return -1;
        c->nulls = 1;
        parse_next(p);
        parse_next(p);
    }
    if (parse_is(p, "OVER")) {
        struct sql_call *c = parse_call_extra(p, n);
        parse_next(p);
        if (!c || !(c->over = parse_window(p)))
            return -1;
    }
    n->length = parse_length_since(p, n->offset);
    return 0;
}

// Behind a table that is an argument: PARTITION BY a or (a, b), ORDER BY … . It is read and left to the planner's refusal.
static int table_order(struct sql_parser *p)
{
    struct sql_order_item *order;
    uint32_t count;
    if (parse_accept(p, "PARTITION") && (parse_expect(p, "BY") || !parse_additive(p)))
        return -1;
    if (!parse_accept(p, "ORDER"))
        return 0;
    if (parse_expect(p, "BY"))
        return -1;
    if (!parse_accept(p, "("))
        return parse_additive(p) ? 0 : -1;
    return parse_order_items(p, &order, &count) ? -1 : parse_expect(p, ")");
}

static struct sql_node *table_argument(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_TABLE_ARG, parse_peek(p)->offset);
    parse_next(p);
    int bracket = parse_accept(p, "(");
    if (!n)
        return NULL;
    if (bracket && parse_at_query(p)) {
        if (!(n->query = parse_query(p)))
            return NULL;
    } else if (parse_names(p, "a table name", &n->names, &n->count)) {
        return NULL;
    }
    if ((bracket && parse_expect(p, ")")) || table_order(p))
        return NULL;
    n->length = parse_length_since(p, n->offset);
    return n;
}

static struct sql_node *descriptor(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_DESCRIPTOR, parse_peek(p)->offset);
    parse_next(p);
    if (!n || parse_name_list(p, &n->names, &n->count))
        return NULL;
    n->length = parse_length_since(p, n->offset);
    return n;
}

static struct sql_node *argument(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    if (t->kind == SQL_TOKEN_WORD && parse_token_is(parse_ahead(p, 1), "=>")) {
        struct sql_node *n = parse_node(p, SQL_NODE_NAMED_ARG, t->offset);
        struct sql_node **item = sql_arena_calloc(p->arena, 1, sizeof(struct sql_node *));
        parse_next(p);
        parse_next(p);
        if (!n || !item || !(*item = argument(p)))
            return NULL;
        n->text = t->text;
        n->items = item;
        n->count = 1;
        n->length = parse_length_since(p, n->offset);
        return n;
    }
    if (parse_is(p, "TABLE"))
        return table_argument(p);
    if (parse_is2(p, "DESCRIPTOR", "("))
        return descriptor(p);
    return parse_expr(p);
}

static int arguments(struct sql_parser *p, struct sql_node *n)
{
    struct sql_list l = {.size = sizeof n};
    if (parse_accept(p, ")"))
        return 0;
    if (parse_is2(p, "*", ")")) {
        struct sql_call *c = parse_call_extra(p, n);
        if (!c)
            return -1;
        c->star = 1;
        parse_next(p);
        parse_next(p);
        return 0;
    }
    if (parse_is(p, "DISTINCT") || parse_is(p, "ALL")) {
        struct sql_call *c = parse_call_extra(p, n);
        if (!c)
            return -1;
        c->distinct = (uint8_t)parse_is(p, "DISTINCT");
        parse_next(p);
    }
    do {
        struct sql_node *arg = argument(p);
        struct sql_node **slot = arg ? parse_push(p, &l) : NULL;
        if (!slot)
            return -1;
        *slot = arg;
    } while (parse_accept(p, ","));
    n->items = l.items;
    n->count = l.count;
    return parse_expect(p, ")");
}

struct sql_node *parse_call(struct sql_parser *p, struct leat_bytes name, uint32_t offset)
{
    struct sql_node *n = NULL;
    if (!parse_builtin(p, name, offset, &n)) {
        n = parse_call_node(p, name, offset, NULL, 0);
        if (!n || arguments(p, n))
            return NULL;
    }
    return n && !suffixes(p, n) ? n : NULL;
}
