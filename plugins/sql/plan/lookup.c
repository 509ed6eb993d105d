// SPDX-License-Identifier: Apache-2.0
// JOIN t FOR SYSTEM_TIME AS OF …: a lookup is asked by key for each row, as of now; see plan.h.
//
// Equalities between columns of the lookup and what is known before make its key; conditions over what is known before
// spare a question; the others say which of the rows answered are partners.
//
// Nothing is kept in state, so a row that is retracted cannot be given the values that it was joined with. Instead the
// changes of a keyed table become upserts: a new row is looked up now, an old one is deleted by its key. That takes a
// key that comes out, and at most one partner a row.
#include "plan/plan.h"

#include <string.h>

#include "expr/types.h"

static const struct sql_table *table_of(const struct sql_plan *p, const struct sql_lookup *l)
{
    return p->query->tables[l->input];
}

int plan_lookup_time(struct sql_plan *p, const struct plan_relation *left, const struct sql_node *time)
{
    struct sql_scope scope = {left->columns, left->column_count};
    p->bind.scope = &scope;
    struct sql_expr *e = sql_bind_expr(&p->bind, time);
    p->bind.scope = NULL;
    if (!e)
        return -1;
    if (e->form == SQL_EXPR_CALL && e->func && !strcmp(e->func->name, "PROCTIME"))
        return 0;
    sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, time->offset, time->length,
                 "a lookup is asked as of now, and this is another time");
    sql_diag_hint(p->bind.diag, "Write FOR SYSTEM_TIME AS OF PROCTIME(), or declare the column in the schema as "
                                "\"AS PROCTIME()\".");
    return -1;
}

// --- conditions

// The column of the lookup that `e` is, through a cast that loses nothing.
static const struct sql_expr *column_of(const struct sql_expr *e)
{
    if (e->form == SQL_EXPR_CAST && e->flags & SQL_EXPR_IMPLICIT && e->args[0]->form == SQL_EXPR_COLUMN) {
        uint8_t from = e->args[0]->type->kind, to = e->type->kind;
        if (from == to || (leat_type_is_integer(from) && leat_type_is_integer(to)) ||
            (leat_type_is_string(from) && leat_type_is_string(to)))
            return e->args[0];
    }
    return e->form == SQL_EXPR_COLUMN ? e : NULL;
}

// The key's value in the column's own type. An integer that does not fit meets nothing.
static struct sql_expr *fit(struct sql_plan *p, struct sql_expr *value, const struct leat_type *column)
{
    if (!leat_type_is_integer(column->kind) || value->type->kind <= column->kind)
        return value;
    struct sql_expr *e = sql_bind_alloc(&p->bind, sizeof *e);
    struct sql_expr **args = sql_bind_alloc(&p->bind, sizeof *args);
    if (!e || !args)
        return NULL;
    args[0] = value;
    *e = (struct sql_expr){.form = SQL_EXPR_CAST,
                           .flags = SQL_EXPR_TRY,
                           .offset = value->offset,
                           .length = value->length,
                           .arg_count = 1,
                           .args = args,
                           .type = sql_bind_nullable(&p->bind, column, 1)};
    return e->type && !bind_finish_cast(&p->bind, e) ? e : NULL;
}

static int has_column(const struct sql_lookup *l, uint32_t column)
{
    for (uint32_t i = 0; i < l->key_count; i++)
        if (l->key_columns[i] == column)
            return 1;
    return 0;
}

static int add_key(struct sql_plan *p, struct sql_lookup *l, uint32_t column, struct sql_expr *value)
{
    struct sql_expr **keys = sql_bind_alloc(&p->bind, (l->key_count + 1) * sizeof(struct sql_expr *));
    uint32_t *columns = sql_bind_alloc(&p->bind, (l->key_count + 1) * sizeof *columns);
    if (!keys || !columns || !value)
        return -1;
    for (uint32_t i = 0; i < l->key_count; i++) {
        keys[i] = l->keys[i];
        columns[i] = l->key_columns[i];
    }
    keys[l->key_count] = value;
    columns[l->key_count++] = column;
    l->keys = keys;
    l->key_columns = columns;
    return 0;
}

// 1 = it became a key, 0 = it is none, -1 = fault.
static int place_key(struct sql_plan *p, struct sql_lookup *l, struct sql_expr *e)
{
    uint64_t mine = (uint64_t)1 << l->input;
    if (e->form != SQL_EXPR_CALL || e->func != sql_func_operator("=") || e->arg_count != 2)
        return 0;
    for (uint32_t i = 0; i < 2; i++) {
        const struct sql_expr *c = column_of(e->args[i]);
        if (!c || plan_reads(p, c) != mine || plan_reads(p, e->args[!i]) & mine)
            continue;
        uint32_t column = c->column - p->first[l->input];
        const struct leat_type *type = &p->inputs[l->input].schema->columns[column].type;
        if (leat_type_is_list(type->kind) || has_column(l, column))
            return 0;
        return add_key(p, l, column, fit(p, e->args[!i], type)) ? -1 : 1;
    }
    return 0;
}

static int place(struct sql_plan *p, struct sql_lookup *l, struct sql_expr *e)
{
    int st = place_key(p, l, e);
    if (st)
        return st < 0 ? -1 : 0;
    struct sql_expr **to = plan_reads(p, e) & (uint64_t)1 << l->input ? &l->rest : &l->guard;
    return (*to = plan_and(p, *to, e)) ? 0 : -1;
}

static uint8_t is_unique(const struct sql_lookup *l, const struct leat_schema *s)
{
    for (uint32_t i = 0; i < s->key_count; i++)
        if (!has_column(l, s->key[i]))
            return 0;
    return s->key_count > 0;
}

int plan_lookup_add(struct sql_plan *p, struct plan_relation *r, const struct plan_relation *on,
                    const struct sql_table *t)
{
    struct sql_lookup *all = sql_bind_alloc(&p->bind, (r->lookup_count + 1) * sizeof *all);
    if (!all)
        return -1;
    if (r->lookup_count)
        memcpy(all, r->lookups, r->lookup_count * sizeof *all);
    struct sql_lookup *l = &all[r->lookup_count++];
    r->lookups = all;
    l->input = on->input;
    l->outer = t->join == SQL_JOIN_LEFT;
    for (uint32_t i = 0; i < on->filter_count; i++)
        if (place(p, l, on->filters[i]))
            return -1;
    if (!l->key_count) {
        sql_diag_set(
            p->bind.diag, SQL_DIAG_TYPE, t->right->offset, t->right->length,
            "a lookup is asked by key, and no column of this one is compared by '=' with what is known before");
        sql_diag_hint(p->bind.diag, "Join it ON its column = an expression over the left side.");
        return -1;
    }
    l->unique = is_unique(l, p->inputs[l->input].schema);
    return 0;
}

int plan_lookup_filters(struct sql_plan *p, struct sql_branch *b, const struct plan_relation *r)
{
    for (uint32_t i = 0; i < r->filter_count; i++) {
        int early = !(plan_reads(p, r->filters[i]) & ~((uint64_t)1 << b->input));
        struct sql_expr **to = early ? &b->before : &b->filter;
        if (!(*to = plan_and(p, *to, r->filters[i])))
            return -1;
    }
    return 0;
}

// --- what comes out

static int refuse_changes(struct sql_plan *p, const struct sql_lookup *l, const char *why, const char *hint)
{
    const struct sql_table *t = table_of(p, l);
    sql_diag_set(p->bind.diag, SQL_DIAG_TYPE, t->offset, t->length,
                 "the rows that are looked up for change, and %s: what was joined before could not be taken back", why);
    sql_diag_hint(p->bind.diag, "%s", hint);
    return -1;
}

int plan_lookup_output(struct sql_plan *p, struct sql_branch *b, const uint32_t *key, uint32_t key_count)
{
    const struct leat_input *in = &p->inputs[b->input];
    const struct sql_lookup *many = NULL;
    for (uint32_t i = 0; i < b->lookup_count; i++) {
        p->needs[b->lookups[i].input].partition = b->lookups[i].key_columns;
        p->needs[b->lookups[i].input].partition_count = b->lookups[i].key_count;
        if (!b->lookups[i].unique)
            many = &b->lookups[i];
    }
    p->mode = in->mode == LEAT_MODE_INSERT_ONLY ? LEAT_MODE_INSERT_ONLY : LEAT_MODE_UPSERT;
    if (p->mode == LEAT_MODE_INSERT_ONLY) {
        if (many || !key_count)
            return 0;
    } else if (!key_count) {
        return refuse_changes(p, b->lookups, "no key of theirs comes out of this query",
                              "Have the query give the columns of the left side's primary key.");
    } else if (many) {
        return refuse_changes(
            p, many, "a row may have several partners",
            "Declare primary-key = [\"…\"] and the schema in the lookup, and join on all of its columns.");
    } else if (in->mode == LEAT_MODE_ALL && !(in->schema->flags & LEAT_SCHEMA_KEY_IMMEDIATE)) {
        return refuse_changes(p, b->lookups, "their key is deferrable or not their own",
                              "Write them by their key into a topic first, and join what is read from it.");
    }
    p->schema.key = sql_arena_copy(&p->arena, key, key_count * sizeof *key);
    p->schema.key_count = key_count;
    p->schema.flags = in->schema->flags & LEAT_SCHEMA_KEY_IMMEDIATE;
    return p->schema.key ? 0 : sql_diag_memory(p->bind.diag);
}
