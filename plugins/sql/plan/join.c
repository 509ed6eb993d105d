// SPDX-License-Identifier: Apache-2.0
// The conditions of a join are sorted: equalities between the sides become its key, conditions over one side filter
// that side before the join, the rest filters the joined rows; see plan.h.
#include "plan/plan.h"

#include <string.h>

#include "expr/types.h"

struct sql_expr *plan_and(struct sql_plan *p, struct sql_expr *a, struct sql_expr *b)
{
    if (!a || !b)
        return a ? a : b;
    return sql_bind_call(&p->bind, a, sql_func_operator("AND"), (struct sql_expr *[]){a, b}, 2);
}

uint64_t plan_reads(const struct sql_plan *p, const struct sql_expr *e)
{
    if (e->form == SQL_EXPR_COLUMN) {
        uint32_t i = 0;
        while (i < p->input_count && e->column >= p->first[i + 1])
            i++;
        return (uint64_t)1 << (i < 63 ? i : 63);
    }
    uint64_t set = 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        set |= plan_reads(p, e->args[i]);
    return set;
}

void plan_mark_columns(const struct sql_expr *e, uint8_t *used)
{
    if (e->form == SQL_EXPR_COLUMN)
        used[e->column] = 1;
    for (uint32_t i = 0; i < e->arg_count; i++)
        plan_mark_columns(e->args[i], used);
}

static int add_key(struct sql_plan *p, struct sql_side *side, struct sql_expr *e)
{
    struct sql_expr **more = sql_bind_alloc(&p->bind, (side->key_count + 1) * sizeof *more);
    if (!more)
        return -1;
    if (side->key_count)
        memcpy(more, side->keys, side->key_count * sizeof *more);
    more[side->key_count++] = e;
    side->keys = more;
    return 0;
}

static int is_true(const struct sql_expr *e)
{
    return e->form == SQL_EXPR_LITERAL && e->literal.state == LEAT_VALUE && e->literal.cell.i64;
}

// Is it an equality with one side's columns left and the other's right? Which argument belongs to sides[0]?
static int is_key(const struct sql_plan *p, const struct sql_join *j, const struct sql_expr *e, uint32_t *first)
{
    if (e->form != SQL_EXPR_CALL || e->func != sql_func_operator("=") || e->arg_count != 2)
        return 0;
    if (!sql_type_equal(e->args[0]->type, e->args[1]->type)) // decimals too wide for one type
        return 0;
    uint64_t a = plan_reads(p, e->args[0]), b = plan_reads(p, e->args[1]);
    uint64_t zero = (uint64_t)1 << j->sides[0].input, one = (uint64_t)1 << j->sides[1].input;
    *first = a == zero ? 0 : 1;
    return (a == zero && b == one) || (a == one && b == zero);
}

// Planning goes on: there may be more to tell.
static int refuse(struct sql_plan *p, uint32_t offset, uint32_t length, const char *what)
{
    struct sql_diag d = {0};
    sql_diag_unsupported(&d, offset, length, what);
    sql_faults_add(p->faults, &d);
    return 0;
}

static uint32_t count_now(const struct sql_expr *e)
{
    uint32_t n = e->form == SQL_EXPR_CALL && e->func && !strcmp(e->func->name, "PROCTIME");
    for (uint32_t i = 0; i < e->arg_count; i++)
        n += count_now(e->args[i]);
    return n;
}

// Puts one condition where it belongs; what is left for the joined rows is returned in *rest.
static int place(struct sql_plan *p, struct sql_join *j, struct sql_expr *e, struct sql_expr **rest)
{
    uint32_t first;
    if (is_true(e))
        return 0;
    // Flink compares the moments at which the rows came; here both would be now, and the condition always true
    if (count_now(e) > 1)
        return refuse(p, e->offset, e->length, "a join by a range of processing time");
    if (is_key(p, j, e, &first))
        return add_key(p, &j->sides[0], e->args[first]) ? -1 : add_key(p, &j->sides[1], e->args[!first]);
    uint64_t reads = plan_reads(p, e);
    for (uint32_t s = 0; s < 2; s++) {
        if (reads & ~((uint64_t)1 << j->sides[s].input))
            continue;
        // over one side alone: rows of the kept side of an outer join still come out, without partner
        struct sql_expr **to = j->outer && s == 0 ? &j->sides[0].guard : &j->sides[s].filter;
        return (*to = plan_and(p, *to, e)) ? 0 : -1;
    }
    if (j->outer)
        return refuse(p, e->offset, e->length, "a condition over both sides of an outer join other than an equality");
    return (*rest = plan_and(p, *rest, e)) ? 0 : -1;
}

static void note_unique(struct sql_plan *p, struct sql_side *side)
{
    const struct leat_input *in = &p->inputs[side->input];
    if (in->mode == LEAT_MODE_INSERT_ONLY || !in->schema->key_count)
        return;
    side->unique = sql_bind_alloc(&p->bind, in->schema->key_count * sizeof *side->unique);
    side->unique_types = sql_bind_alloc(&p->bind, in->schema->key_count * sizeof(struct leat_type *));
    if (!side->unique || !side->unique_types)
        return;
    side->unique_count = in->schema->key_count;
    for (uint32_t i = 0; i < side->unique_count; i++) {
        side->unique[i] = p->first[side->input] + in->schema->key[i];
        side->unique_types[i] = &in->schema->columns[in->schema->key[i]].type;
    }
    side->key_is_unique = side->key_count == side->unique_count && !side->guard;
    for (uint32_t i = 0; i < side->key_count && side->key_is_unique; i++)
        side->key_is_unique = side->keys[i]->form == SQL_EXPR_COLUMN && side->keys[i]->column == side->unique[i];
}

int plan_join_finish(struct sql_plan *p, struct plan_relation *r)
{
    struct sql_join *j = r->join;
    struct sql_expr *rest = NULL;
    for (uint32_t i = 0; i < r->filter_count; i++)
        if (place(p, j, r->filters[i], &rest))
            return -1;
    if (!j->sides[0].key_count)
        refuse(p, j->offset, j->length, "a join without an equality between its sides");
    for (uint32_t s = 0; s < 2; s++) {
        note_unique(p, &j->sides[s]);
        if (p->bind.diag->kind)
            return -1;
    }
    r->filter_count = 0;
    return rest ? plan_add_filter(p, r, rest) : 0;
}

int plan_push_down(struct sql_plan *p, struct plan_relation *r)
{
    struct sql_side *kept = &r->join->sides[0];
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->filter_count; i++) {
        struct sql_expr *e = r->filters[i];
        if (plan_reads(p, e) & ~((uint64_t)1 << kept->input))
            r->filters[n++] = e;
        else if (!(kept->filter = plan_and(p, kept->filter, e)))
            return -1;
    }
    r->filter_count = n;
    return 0;
}
