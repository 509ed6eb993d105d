// SPDX-License-Identifier: Apache-2.0
// The plan as a whole: branches of UNION ALL, VALUES, life and reference count; see plan.h.
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/types.h"

// --- branches ---

static int add_branch(struct sql_plan *p, const struct plan_relation *r, const struct sql_query *q)
{
    if (!(p->branch_count & (p->branch_count - 1))) { // 0, 1, 2, 4 …: room for twice as many
        struct sql_branch *more = sql_bind_alloc(&p->bind, (2 * p->branch_count + 1) * sizeof *more);
        if (!more)
            return -1;
        if (p->branch_count)
            memcpy(more, p->branches, p->branch_count * sizeof *more);
        p->branches = more;
    }
    struct sql_branch *b = &p->branches[p->branch_count];
    b->input = r->input;
    b->join = r->join;
    b->lookup_count = r->lookup_count;
    b->lookups = r->lookups;
    if (r->lookup_count && plan_lookup_filters(p, b, r))
        return -1;
    for (uint32_t i = 0; i < r->filter_count && !r->lookup_count; i++)
        if (!(b->filter = plan_and(p, b->filter, r->filters[i])))
            return -1;
    b->out = sql_bind_alloc(&p->bind, (r->column_count + 1) * sizeof(struct sql_expr *));
    if (!b->out)
        return -1;
    for (uint32_t c = 0; c < r->column_count; c++) {
        const struct sql_scope_column *col = &r->columns[c];
        b->out[c] = col->expr;
        if (col->expr)
            continue;
        if (!(b->out[c] = sql_bind_alloc(&p->bind, sizeof(struct sql_expr))))
            return -1;
        *b->out[c] = (struct sql_expr){
            .form = SQL_EXPR_COLUMN, .offset = q->offset, .length = q->length, .column = col->index, .type = col->type};
    }
    p->branch_count++;
    return 0;
}

// The types of a further branch's columns are merged into those before.
static int merge_types(struct sql_plan *p, const struct sql_query *q)
{
    for (uint32_t c = 0; c < p->out_count; c++) {
        const struct leat_type *t = p->branches[0].out[c]->type;
        for (uint32_t b = 1; b < p->branch_count; b++) {
            const struct sql_expr *e = p->branches[b].out[c];
            const struct leat_type *common = sql_type_common(&p->bind, t, e->type, SQL_MERGE_CALCITE);
            char one[SQL_TYPE_TEXT], other[SQL_TYPE_TEXT];
            if (!common)
                return sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, e->offset, e->length,
                                    "column %u of UNION ALL is %s here and %s before", c + 1,
                                    sql_type_name(e->type, one, sizeof one), sql_type_name(t, other, sizeof other));
            t = common;
        }
        for (uint32_t b = 0; b < p->branch_count; b++)
            if (sql_bind_cast(&p->bind, &p->branches[b].out[c], t))
                return -1;
    }
    return 0;
}

struct names {
    struct sql_name *items;
};

static int note_names(struct sql_plan *p, const struct plan_relation *r, struct names *n)
{
    n->items = sql_bind_alloc(&p->bind, (r->column_count + 1) * sizeof *n->items);
    if (!n->items)
        return -1;
    for (uint32_t c = 0; c < r->column_count; c++)
        n->items[c].text = r->columns[c].name;
    p->out_count = r->column_count;
    return 0;
}

// --- VALUES and SELECT without FROM ---

static int values_width(const struct sql_node *row)
{
    return row->kind == SQL_NODE_ROW ? (int)row->count : 1;
}

static int values_type(struct sql_plan *p, struct plan_values *v, uint32_t column)
{
    const struct leat_type *t = NULL;
    for (uint32_t r = 0; r < v->count; r++) {
        const struct sql_expr *e = v->rows[r * v->width + column];
        const struct leat_type *common = t ? sql_type_common(&p->bind, t, e->type, SQL_MERGE_CALCITE) : e->type;
        if (!common)
            return sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, e->offset, e->length,
                                "the rows of VALUES have no common type in column %u", column + 1);
        t = common;
    }
    if (!t || t->kind == LEAT_TYPE_NULL)
        return sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, v->rows[column]->offset, v->rows[column]->length,
                            "NULL has no type here");
    for (uint32_t r = 0; r < v->count; r++) {
        struct sql_expr **slot = &v->rows[r * v->width + column];
        if (sql_bind_cast(&p->bind, slot, t))
            return -1;
        (*slot)->type = t;
    }
    return 0;
}

static int values_row(struct sql_plan *p, const struct sql_node *row, struct plan_values *v, uint32_t r)
{
    if ((uint32_t)values_width(row) != v->width)
        return sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, row->offset, row->length,
                            "a row of VALUES has %d columns, the first one has %u", values_width(row), v->width);
    for (uint32_t c = 0; c < v->width; c++) {
        const struct sql_node *item = row->kind == SQL_NODE_ROW ? row->items[c] : row;
        struct sql_expr *e = sql_bind_expr(&p->bind, item);
        if (!e)
            return -1;
        if (!e->type)
            return sql_bind_error(&p->bind, e, "a value is needed here");
        v->rows[r * v->width + c] = e;
    }
    return 0;
}

// Bound once, however many rows are planned from it.
static const struct plan_values *bind_values(struct sql_plan *p, const struct sql_query *q)
{
    for (const struct plan_values *v = p->values; v; v = v->next)
        if (v->query == q)
            return v;
    struct plan_values *v = sql_bind_alloc(&p->bind, sizeof *v);
    if (!v)
        return NULL;
    *v = (struct plan_values){
        .next = p->values, .query = q, .width = (uint32_t)values_width(q->rows[0]), .count = q->row_count};
    v->rows = sql_bind_alloc(&p->bind, (size_t)v->count * v->width * sizeof(struct sql_expr *));
    for (uint32_t r = 0; v->rows && r < v->count; r++)
        if (values_row(p, q->rows[r], v, r))
            return NULL;
    for (uint32_t c = 0; v->rows && c < v->width; c++)
        if (values_type(p, v, c))
            return NULL;
    if (v->rows)
        p->values = v;
    return v->rows ? v : NULL;
}

int plan_values(struct sql_plan *p, const struct sql_query *q, struct plan_relation *r)
{
    const struct plan_values *v = bind_values(p, q);
    if (!v)
        return -1;
    *r = (struct plan_relation){.no_input = 1, .column_count = v->width};
    r->columns = sql_bind_alloc(&p->bind, (v->width + 1) * sizeof *r->columns);
    if (!r->columns)
        return -1;
    for (uint32_t c = 0; c < v->width; c++) {
        char *name = sql_bind_alloc(&p->bind, 24);
        if (!name)
            return -1;
        struct sql_expr *e = v->rows[p->values_row * v->width + c];
        r->columns[c] = (struct sql_scope_column){
            .name = {(const uint8_t *)name, (uint32_t)snprintf(name, 24, "EXPR$%u", c)}, .type = e->type, .expr = e};
    }
    p->values_rows = v->count;
    return 0;
}

static int is_false(const struct sql_expr *e)
{
    return e && e->form == SQL_EXPR_LITERAL && !(e->literal.state == LEAT_VALUE && e->literal.cell.i64);
}

// A query that reads no table is rows of VALUES.
static int branches_to_rows(struct sql_plan *p)
{
    p->rows = sql_bind_alloc(&p->bind, ((size_t)p->branch_count * p->out_count + 1) * sizeof(struct sql_expr *));
    p->row_filters = sql_bind_alloc(&p->bind, (p->branch_count + 1) * sizeof(struct sql_expr *));
    p->row_types = p->branches[0].out;
    if (!p->rows || !p->row_filters)
        return -1;
    for (uint32_t b = 0; b < p->branch_count; b++) {
        if (is_false(p->branches[b].filter))
            continue;
        p->row_filters[p->row_count] = p->branches[b].filter;
        memcpy(p->rows + p->row_count++ * p->out_count, p->branches[b].out, p->out_count * sizeof *p->rows);
    }
    p->branch_count = 0;
    return 0;
}

static int plan_one(struct sql_plan *p, const struct sql_query *q, const struct sql_query *with, struct names *n)
{
    struct plan_relation r;
    if (q->kind == SQL_QUERY_SET)
        return plan_one(p, q->left, with, n) ? -1 : plan_one(p, q->right, with, n);
    // over VALUES each row is planned by itself
    p->values_row = 0;
    p->values_rows = 1;
    do {
        if (plan_select(p, q, with, &r))
            return -1;
        if (!p->branch_count && note_names(p, &r, n))
            return -1;
        if (r.column_count != p->out_count)
            return sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, q->offset, q->length,
                                "the queries of UNION ALL have %u and %u columns", p->out_count, r.column_count);
        if (add_branch(p, &r, q))
            return -1;
    } while (++p->values_row < p->values_rows);
    return 0;
}

// --- which columns a join keeps in its state ---

static int note_stored(struct sql_plan *p, struct sql_branch *b)
{
    uint32_t total = p->first[p->input_count] + 1;
    uint8_t *used = sql_bind_alloc(&p->bind, total);
    if (!used)
        return -1;
    for (uint32_t c = 0; c < p->out_count; c++)
        plan_mark_columns(b->out[c], used);
    if (b->filter)
        plan_mark_columns(b->filter, used);
    for (uint32_t s = 0; s < 2; s++) {
        struct sql_side *side = &b->join->sides[s];
        uint32_t from = p->first[side->input], to = p->first[side->input + 1];
        side->stored = sql_bind_alloc(&p->bind, (to - from + 1) * sizeof *side->stored);
        if (!side->stored)
            return -1;
        for (uint32_t c = from; c < to; c++)
            if (used[c])
                side->stored[side->stored_count++] = c;
    }
    return 0;
}

static int note_reads(struct sql_plan *p, struct sql_branch *b)
{
    uint32_t total = p->first[p->input_count] + 1;
    uint8_t *used = sql_bind_alloc(&p->bind, total);
    b->reads = sql_bind_alloc(&p->bind, total * sizeof *b->reads);
    if (!used || !b->reads)
        return -1;
    for (uint32_t c = 0; c < p->out_count; c++)
        if (b->out[c]->form != SQL_EXPR_COLUMN)
            plan_mark_columns(b->out[c], used);
    if (b->filter)
        plan_mark_columns(b->filter, used);
    for (uint32_t c = 0; c < total; c++)
        if (used[c])
            b->reads[b->read_count++] = c;
    return 0;
}

static int holds_bytes(const struct sql_expr *e)
{
    if (e->form == SQL_EXPR_LITERAL)
        return leat_type_is_bytes(e->type->kind) || leat_type_is_list(e->type->kind);
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (holds_bytes(e->args[i]))
            return 1;
    return 0;
}

// --- life ---

static int build(struct sql_plan *p)
{
    const struct sql_query *q = p->query->query;
    struct names n = {NULL};
    if (plan_one(p, q, q, &n))
        return -1;
    if (p->branch_count > 1 && merge_types(p, q))
        return -1;
    if (p->branch_count && !p->query->table_count && branches_to_rows(p))
        return -1;
    for (uint32_t b = 0; b < p->branch_count; b++) {
        if (p->branches[b].join ? note_stored(p, &p->branches[b]) : note_reads(p, &p->branches[b]))
            return -1;
        for (uint32_t c = 0; c < p->out_count; c++)
            p->keeps_bytes |= (uint8_t)holds_bytes(p->branches[b].out[c]);
    }
    return plan_output(p, q, n.items) || plan_explain(p) ? -1 : plan_shape(p);
}

struct sql_plan *sql_plan_create(const struct sql_parsed *q, const struct leat_input *inputs, uint32_t count,
                                 const char *zone, struct sql_faults *faults)
{
    struct sql_diag d = {0};
    uint32_t before = faults->count;
    plan_refusals(q, faults);
    if (faults->count > before)
        return NULL;
    struct sql_plan *p = calloc(1, sizeof *p);
    if (!p) {
        sql_diag_memory(&d);
        sql_faults_add(faults, &d);
        return NULL;
    }
    atomic_init(&p->refs, 1);
    sql_arena_init(&p->arena, SQL_ARENA_MAX);
    sql_evaluator_init(&p->fold, zone);
    sql_bind_init(&p->bind, &p->arena, &d, &p->fold);
    p->query = q;
    p->faults = faults;
    p->input_count = count;
    struct leat_input *own = sql_bind_alloc(&p->bind, (count + 1) * sizeof *own);
    p->first = sql_bind_alloc(&p->bind, (count + 1) * sizeof *p->first);
    if (own && p->first) {
        if (count)
            memcpy(own, inputs, count * sizeof *own);
        p->inputs = own;
        for (uint32_t i = 0; i < count; i++)
            p->first[i + 1] = p->first[i] + inputs[i].schema->column_count;
    }
    int st = d.kind ? -1 : build(p);
    p->bind.diag = NULL; // nothing is bound any more
    p->faults = NULL;
    if (d.kind)
        sql_faults_add(faults, &d);
    if (!st && faults->count == before)
        return p;
    sql_plan_unref(p);
    return NULL;
}

void sql_plan_ref(struct sql_plan *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
}

void sql_plan_unref(struct sql_plan *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    sql_bind_fini(&p->bind);
    sql_evaluator_fini(&p->fold);
    sql_arena_fini(&p->arena);
    free(p);
}
