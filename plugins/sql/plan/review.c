// SPDX-License-Identifier: Apache-2.0
// The second reading of a query; see review.h.
#include "plan/review.h"

#include <stdlib.h>
#include <string.h>

#include "syntax/parser.h"

#define COLUMNS_MAX (2 * LEAT_COLUMNS_MAX)

struct reading {
    struct sql_bind bind; // first: what recovers gets at the rest
    struct sql_diag diag;
    struct sql_faults *faults;
    const struct sql_parsed *query;
    const struct leat_input *inputs;
    uint8_t grouped; // inside of a query with GROUP BY, which is refused as a whole: its aggregates are no news
    uint32_t depth;
    uint32_t met; // faults so far, those that were told before too
};

struct columns {
    struct sql_scope_column *items;
    uint32_t count, room;
};

struct reach {
    const struct reach *outer;
    const struct sql_query *query;
};

static const struct leat_type unknown = {
    .kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX, .flags = LEAT_TYPE_IS_UNKNOWN};

// --- faults

// Takes a fault down; false = it cannot be gone on from.
static int take_fault(struct reading *r)
{
    if (r->diag.kind == SQL_DIAG_RESOURCE)
        return 0;
    if (r->diag.kind) {
        r->met++;
        sql_faults_add(r->faults, &r->diag);
    }
    memset(&r->diag, 0, sizeof r->diag);
    return 1;
}

static struct sql_expr *recover(struct sql_bind *b, const struct sql_node *n)
{
    struct reading *r = (struct reading *)b;
    if (r->grouped && r->diag.kind == SQL_DIAG_UNSUPPORTED && n->kind == SQL_NODE_CALL)
        memset(&r->diag, 0, sizeof r->diag);
    struct sql_expr *e = take_fault(r) ? bind_new(b, SQL_EXPR_LITERAL, n) : NULL;
    if (e) {
        e->type = &unknown;
        e->literal.state = LEAT_NULL;
    }
    return e;
}

// --- columns

static int push(struct reading *r, struct columns *c, struct sql_scope_column column)
{
    if (c->count == c->room) {
        uint32_t room = c->room ? c->room * 2 : 16;
        struct sql_scope_column *bigger = room <= COLUMNS_MAX ? sql_bind_alloc(&r->bind, room * sizeof *bigger) : NULL;
        if (!bigger)
            return -1;
        if (c->count)
            memcpy(bigger, c->items, c->count * sizeof *bigger);
        c->items = bigger;
        c->room = room;
    }
    c->items[c->count++] = column;
    return 0;
}

// Stands for columns that nobody can name yet.
static int push_open(struct reading *r, struct columns *c, struct leat_bytes table)
{
    return push(r, c, (struct sql_scope_column){.table = table, .type = &unknown});
}

static int read_query(struct reading *r, const struct sql_query *q, const struct reach *outer, struct columns *out);

static int read_named(struct reading *r, const struct sql_table *t, struct columns *out)
{
    struct leat_bytes name = t->names[t->name_count - 1].text;
    uint32_t i = 0;
    while (i < r->query->table_count && r->query->tables[i] != t)
        i++;
    const struct leat_schema *s = i < r->query->table_count ? r->inputs[i].schema : NULL;
    if (!s)
        return push_open(r, out, name);
    for (uint32_t c = 0; c < s->column_count; c++) {
        if (!s->columns[c].name.len) { // see read_item
            if (push_open(r, out, name))
                return -1;
            continue;
        }
        struct sql_scope_column column = {.table = name, .name = s->columns[c].name, .type = &s->columns[c].type};
        if (push(r, out, column))
            return -1;
    }
    const struct leat_type *now = s->proctime_count ? sql_bind_time(&r->bind, LEAT_TYPE_TIMESTAMP_LTZ, 3, 0) : &unknown;
    for (uint32_t c = 0; c < s->proctime_count; c++)
        if (!now || push(r, out, (struct sql_scope_column){.table = name, .name = s->proctime[c], .type = now}))
            return -1;
    return 0;
}

static void rename_columns(struct columns *c, const struct sql_name *alias, uint32_t count,
                           const struct sql_name *names)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (alias->text.ptr)
            c->items[i].table = alias->text;
        if (i < count && c->items[i].name.ptr)
            c->items[i].name = names[i].text;
    }
}

static int read_from(struct reading *r, const struct sql_table *t, const struct reach *reach, struct columns *out);

static int read_name(struct reading *r, const struct sql_table *t, const struct reach *reach, struct columns *out)
{
    for (; reach && t->name_count == 1; reach = reach->outer)
        for (uint32_t i = reach->query->with_count; i-- > 0;) {
            const struct sql_with *w = &reach->query->with[i];
            if (!leat_bytes_equal(w->name.text, t->names[0].text))
                continue;
            if (read_query(r, w->query, reach->outer, out))
                return -1;
            rename_columns(out, &w->name, w->column_count, w->columns);
            return 0;
        }
    return read_named(r, t, out);
}

static void condition(struct reading *r, const struct columns *columns, const struct sql_node *n, const char *what)
{
    struct sql_scope scope = {columns->items, columns->count};
    r->bind.scope = &scope;
    if (!sql_bind_condition(&r->bind, n, what))
        take_fault(r);
    r->bind.scope = NULL;
}

static int read_join(struct reading *r, const struct sql_table *t, const struct reach *reach, struct columns *out)
{
    struct columns right = {0};
    if (read_from(r, t->left, reach, out) || read_from(r, t->right, reach, &right))
        return -1;
    if (t->right->kind == SQL_TABLE_NAME && t->right->system_time) { // FOR SYSTEM_TIME AS OF speaks of the left side
        struct sql_scope scope = {out->items, out->count};
        r->bind.scope = &scope;
        const struct sql_expr *time = sql_bind_expr(&r->bind, t->right->system_time);
        r->bind.scope = NULL;
        if (!time)
            return -1;
    }
    uint32_t left = out->count;
    for (uint32_t c = 0; c < right.count; c++) {
        for (uint32_t i = 0; i < t->using_count; i++)
            right.items[c].hidden |= leat_bytes_equal(right.items[c].name, t->using[i].text);
        for (uint32_t i = 0; t->natural && i < left; i++)
            right.items[c].hidden |= leat_bytes_equal(right.items[c].name, out->items[i].name);
        if (push(r, out, right.items[c]))
            return -1;
    }
    if (t->on)
        condition(r, out, t->on, "ON");
    return 0;
}

static int read_from(struct reading *r, const struct sql_table *t, const struct reach *reach, struct columns *out)
{
    struct leat_bytes none = {(const uint8_t *)"", 0};
    int open = t->lateral || t->clause; // LATERAL sees columns of its left, PIVOT and its like make their own
    int st = open                         ? push_open(r, out, t->name_count ? t->names[t->name_count - 1].text : none)
             : t->kind == SQL_TABLE_JOIN  ? read_join(r, t, reach, out)
             : t->kind == SQL_TABLE_NAME  ? read_name(r, t, reach, out)
             : t->kind == SQL_TABLE_QUERY ? read_query(r, t->query, reach, out)
                                          : push_open(r, out, none);
    rename_columns(out, &t->alias, t->column_count, t->columns);
    return st;
}

// --- SELECT

static int read_star(struct reading *r, const struct columns *from, const struct sql_node *star, struct columns *out)
{
    const struct sql_name *table = star->count ? &star->names[star->count - 1] : NULL;
    uint32_t before = out->count;
    for (uint32_t c = 0; c < from->count; c++) {
        struct sql_scope_column column = from->items[c];
        if (table ? !leat_bytes_equal(column.table, table->text) : column.hidden)
            continue;
        column.hidden = 0;
        if (push(r, out, column))
            return -1;
    }
    if (table && out->count == before) {
        plan_no_star(&r->diag, table, from->items, from->count);
        take_fault(r);
        return push_open(r, out, table->text);
    }
    return 0;
}

static int read_item(struct reading *r, const struct columns *from, const struct sql_select_item *item, uint32_t number,
                     struct columns *out)
{
    if (item->expr->kind == SQL_NODE_STAR)
        return read_star(r, from, item->expr, out);
    if (item->expr->kind == SQL_NODE_HOLE)
        return push(r, out, (struct sql_scope_column){.name = {(const uint8_t *)"", 0}, .type = &unknown});
    struct sql_scope scope = {from->items, from->count};
    uint32_t met = r->met;
    r->bind.scope = &scope;
    struct sql_expr *e = sql_bind_expr(&r->bind, item->expr);
    r->bind.scope = NULL;
    if (!e)
        return -1;
    const struct leat_type *type = e->type;
    int plain = item->expr->kind == SQL_NODE_NAME || item->expr->kind == SQL_NODE_FIELD;
    if (r->met != met && plain && !item->alias.text.ptr) // it means a column, but which?
        return push(r, out, (struct sql_scope_column){.name = {(const uint8_t *)"", 0}, .type = &unknown});
    if (!type || type->kind == LEAT_TYPE_NULL) {
        sql_diag_set(&r->diag, SQL_DIAG_TYPE, e->offset, e->length, "NULL has no type here");
        sql_diag_hint(&r->diag, "Write CAST(NULL AS type).");
        take_fault(r);
        type = &unknown;
    }
    struct leat_bytes name = plan_item_name(&r->bind, item, number);
    return name.ptr ? push(r, out, (struct sql_scope_column){.name = name, .type = type}) : -1;
}

static int read_select(struct reading *r, const struct sql_query *q, const struct reach *reach, struct columns *out)
{
    struct columns from = {0};
    uint8_t grouped = r->grouped;
    if (q->from && read_from(r, q->from, reach, &from))
        return -1;
    r->grouped = q->has_group || q->having;
    if (q->where)
        condition(r, &from, q->where, "WHERE");
    int st = 0;
    for (uint32_t i = 0; i < q->item_count && !st; i++)
        st = read_item(r, &from, &q->items[i], i, out);
    r->grouped = grouped;
    return st;
}

static int read_values(struct reading *r, const struct sql_query *q, struct columns *out)
{
    for (uint32_t i = 0; i < q->row_count; i++) {
        const struct sql_node *row = q->rows[i];
        uint32_t width = row->kind == SQL_NODE_ROW ? row->count : 1;
        for (uint32_t c = 0; c < width; c++) {
            struct sql_select_item item = {.expr = row->kind == SQL_NODE_ROW ? row->items[c] : q->rows[i]};
            struct sql_expr *e = sql_bind_expr(&r->bind, item.expr);
            struct leat_bytes name = plan_item_name(&r->bind, &item, c);
            if (!e || !name.ptr || (i == 0 && push(r, out, (struct sql_scope_column){.name = name, .type = &unknown})))
                return -1;
        }
    }
    return 0;
}

static int read_query(struct reading *r, const struct sql_query *q, const struct reach *outer, struct columns *out)
{
    struct reach reach = {outer, q};
    struct columns right = {0};
    if (r->depth == SQL_DEPTH_MAX)
        return -1;
    r->depth++;
    int st = q->kind == SQL_QUERY_SELECT   ? read_select(r, q, &reach, out)
             : q->kind == SQL_QUERY_VALUES ? read_values(r, q, out)
             : q->kind == SQL_QUERY_SET
                 ? (read_query(r, q->left, &reach, out) || read_query(r, q->right, &reach, &right) ? -1 : 0)
                 : -1;
    r->depth--;
    return st;
}

// --- what comes out

static void make_schema(struct reading *r, const struct columns *columns, struct sql_review *review)
{
    struct leat_field *fields = sql_bind_alloc(&r->bind, (columns->count + 1) * sizeof *fields);
    if (!fields || columns->count > LEAT_COLUMNS_MAX)
        return;
    for (uint32_t c = 0; c < columns->count; c++) {
        fields[c] = (struct leat_field){.name = columns->items[c].name, .type = *columns->items[c].type};
        if (!columns->items[c].name.ptr)
            return;
        for (uint32_t i = 0; i < c; i++)
            if (fields[c].name.len && leat_bytes_equal(fields[i].name, fields[c].name))
                return; // the planner gives it another name
    }
    review->schema =
        (struct leat_schema){.struct_size = sizeof review->schema, .column_count = columns->count, .columns = fields};
    review->has_schema = 1;
}

struct sql_review *sql_review_create(const struct sql_parsed *q, const struct leat_input *inputs, uint32_t count,
                                     const char *zone, struct sql_faults *faults)
{
    struct sql_review *review = calloc(1, sizeof *review);
    if (!review)
        return NULL;
    sql_arena_init(&review->arena, SQL_ARENA_MAX);
    sql_evaluator_init(&review->fold, zone);
    struct reading r = {.faults = faults, .query = q, .inputs = inputs};
    struct columns columns = {0};
    sql_bind_init(&r.bind, &review->arena, &r.diag, &review->fold);
    r.bind.recover = recover;
    if (!read_query(&r, q->query, NULL, &columns))
        make_schema(&r, &columns, review);
    sql_bind_fini(&r.bind);
    return review;
}

void sql_review_destroy(struct sql_review *review)
{
    if (!review)
        return;
    sql_evaluator_fini(&review->fold);
    sql_arena_fini(&review->arena);
    free(review);
}
