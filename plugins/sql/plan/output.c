// SPDX-License-Identifier: Apache-2.0
// What comes out of a plan: schema, changelog mode, key; what it needs of its inputs; and its words for `leat plan`.
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr/types.h"

static int name_taken(const struct leat_field *fields, uint32_t count, struct leat_bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (leat_bytes_equal(fields[i].name, name))
            return 1;
    return 0;
}

// Two columns of one name: the second becomes name0, as in Flink.
static int unique_name(struct sql_plan *p, const struct leat_field *fields, uint32_t count, struct leat_bytes *name)
{
    struct leat_bytes first = *name;
    for (uint32_t k = 0; name_taken(fields, count, *name); k++) {
        char *text = sql_bind_alloc(&p->bind, first.len + 12u);
        if (!text)
            return -1;
        int n = snprintf(text, first.len + 12u, "%.*s%u", (int)first.len, (const char *)first.ptr, k);
        *name = (struct leat_bytes){(const uint8_t *)text, (uint32_t)n};
    }
    return 0;
}

static int make_fields(struct sql_plan *p, const struct sql_name *names)
{
    struct leat_field *fields = sql_bind_alloc(&p->bind, (p->out_count + 1) * sizeof *fields);
    if (!fields)
        return -1;
    for (uint32_t c = 0; c < p->out_count; c++) {
        const struct sql_expr *e = p->branch_count ? p->branches[0].out[c] : p->row_types[c];
        struct leat_bytes name = names[c].text;
        if (unique_name(p, fields, c, &name))
            return -1;
        fields[c].name = name;
        fields[c].type = *e->type;
        for (uint32_t b = 1; b < p->branch_count; b++)
            fields[c].type.nullable |= p->branches[b].out[c]->type->nullable;
    }
    p->schema = (struct leat_schema){.struct_size = sizeof p->schema, .column_count = p->out_count, .columns = fields};
    return 0;
}

// The output position where column `number` comes out as it is, or UINT32_MAX.
static uint32_t passed_on(const struct sql_plan *p, const struct sql_branch *b, uint32_t number)
{
    for (uint32_t c = 0; c < p->out_count; c++)
        if (b->out[c]->form == SQL_EXPR_COLUMN && b->out[c]->column == number)
            return c;
    return UINT32_MAX;
}

// Adds an input's key to the output's. 0 = it is not passed on whole (or there is none).
static int add_key(const struct sql_plan *p, const struct sql_branch *b, uint32_t input, uint32_t *key, uint32_t *count)
{
    const struct leat_schema *s = p->inputs[input].schema;
    if (!s->key_count)
        return 0;
    for (uint32_t k = 0; k < s->key_count; k++) {
        uint32_t c = passed_on(p, b, p->first[input] + s->key[k]);
        if (c == UINT32_MAX)
            return 0;
        key[(*count)++] = c;
    }
    return 1;
}

static int set_key(struct sql_plan *p, const uint32_t *key, uint32_t count)
{
    p->schema.key = sql_arena_copy(&p->arena, key, (count ? count : 1) * sizeof *key);
    p->schema.key_count = count;
    return p->schema.key ? 0 : sql_diag_memory(p->bind.diag);
}

// Does a filter read nothing but the key of the input?
static uint8_t reads_key_only(struct sql_plan *p, const struct sql_branch *b)
{
    const struct leat_schema *s = p->inputs[b->input].schema;
    uint32_t total = p->first[p->input_count] + 1;
    uint8_t *used = sql_bind_alloc(&p->bind, total);
    if (!used)
        return 0;
    plan_mark_columns(b->filter, used);
    for (uint32_t k = 0; k < s->key_count; k++)
        used[p->first[b->input] + s->key[k]] = 0;
    return !memchr(used, 1, total);
}

static int output_single(struct sql_plan *p)
{
    struct sql_branch *b = &p->branches[0];
    const struct leat_input *in = &p->inputs[b->input];
    uint32_t key[LEAT_COLUMNS_MAX], count = 0;
    p->mode = in->mode;
    if (b->lookup_count) {
        if (!add_key(p, b, b->input, key, &count))
            count = 0;
        return plan_lookup_output(p, b, key, count);
    }
    if (add_key(p, b, b->input, key, &count)) {
        if (set_key(p, key, count))
            return -1;
        p->schema.flags = in->schema->flags & LEAT_SCHEMA_KEY_IMMEDIATE;
    } else if (in->mode == LEAT_MODE_UPSERT) { // without its key an upsert stream means nothing: take whole changes
        p->needs[b->input].mode = LEAT_MODE_ALL;
        p->mode = LEAT_MODE_ALL;
    }
    if (b->filter && p->mode == LEAT_MODE_UPSERT)
        b->filter_by_key = reads_key_only(p, b);
    return 0;
}

static int output_union(struct sql_plan *p)
{
    p->mode = LEAT_MODE_INSERT_ONLY;
    for (uint32_t b = 0; b < p->branch_count; b++) {
        const struct leat_input *in = &p->inputs[p->branches[b].input];
        if (in->mode != LEAT_MODE_INSERT_ONLY)
            p->mode = LEAT_MODE_ALL;
        if (in->mode == LEAT_MODE_UPSERT)
            p->needs[p->branches[b].input].mode = LEAT_MODE_ALL;
    }
    return 0;
}

// --- sharing the rows of a join among instances

// The part of a side's own key that join key k is, by which its rows can be shared out; UINT32_MAX = it is none. A row
// that changes must stay in its instance, since nobody puts the halves of a change in order that come from two: so the
// part must be of its primary key. Hashes are those of bytes: 0.0 and -0.0 would part.
static uint32_t share_part(const struct sql_plan *p, const struct sql_side *side, uint32_t k)
{
    const struct sql_expr *e = side->keys[k];
    if (e->form != SQL_EXPR_COLUMN || e->type->kind == LEAT_TYPE_FLOAT || e->type->kind == LEAT_TYPE_DOUBLE ||
        leat_type_is_list(e->type->kind))
        return UINT32_MAX;
    if (p->inputs[side->input].mode == LEAT_MODE_INSERT_ONLY)
        return k;
    for (uint32_t u = 0; u < side->unique_count; u++)
        if (side->unique[u] == e->column)
            return u;
    return UINT32_MAX;
}

static int add_share(struct sql_plan *p, struct sql_side *side, uint32_t k)
{
    struct leat_input_need *need = &p->needs[side->input];
    uint32_t *share = sql_bind_alloc(&p->bind, side->key_count * sizeof *share);
    uint32_t *columns = sql_bind_alloc(&p->bind, side->key_count * sizeof *columns);
    if (!share || !columns)
        return -1;
    for (uint32_t i = 0; i < side->share_count; i++) {
        share[i] = side->share[i];
        columns[i] = need->partition[i];
    }
    share[side->share_count] = share_part(p, side, k);
    columns[side->share_count] = side->keys[k]->column - p->first[side->input];
    side->share = share;
    need->partition = columns;
    need->partition_count = ++side->share_count;
    return 0;
}

// Rows with equal join keys must meet in one instance.
static int join_partition(struct sql_plan *p, struct sql_join *j)
{
    struct sql_side *a = &j->sides[0], *b = &j->sides[1];
    for (uint32_t k = 0; k < a->key_count; k++) {
        if (share_part(p, a, k) == UINT32_MAX || share_part(p, b, k) == UINT32_MAX)
            continue;
        if (add_share(p, a, k) || add_share(p, b, k))
            return -1;
    }
    return 0;
}

// Is the join key of a side unique there? Then each row of the other side meets at most one.
static int is_unique(const struct sql_side *side)
{
    for (uint32_t u = 0; u < side->unique_count; u++) {
        uint32_t k = 0;
        while (k < side->key_count &&
               !(side->keys[k]->form == SQL_EXPR_COLUMN && side->keys[k]->column == side->unique[u]))
            k++;
        if (k == side->key_count)
            return 0;
    }
    return side->unique_count > 0;
}

static int output_join(struct sql_plan *p)
{
    struct sql_branch *b = &p->branches[0];
    struct sql_join *j = b->join;
    uint32_t key[2 * LEAT_COLUMNS_MAX], count = 0;
    int changes = p->inputs[j->sides[0].input].mode != LEAT_MODE_INSERT_ONLY ||
                  p->inputs[j->sides[1].input].mode != LEAT_MODE_INSERT_ONLY;
    p->mode = changes || j->outer ? LEAT_MODE_ALL : LEAT_MODE_INSERT_ONLY;
    // the optional side of a left join, or the side that changes while the other only grows, is a dimension
    if (j->outer || p->inputs[j->sides[1].input].mode != LEAT_MODE_INSERT_ONLY)
        p->needs[j->sides[1].input].wait_first = 1;
    else if (p->inputs[j->sides[0].input].mode != LEAT_MODE_INSERT_ONLY)
        p->needs[j->sides[0].input].wait_first = 1;
    if (join_partition(p, j))
        return -1;
    if (is_unique(&j->sides[1]) && add_key(p, b, j->sides[0].input, key, &count))
        return set_key(p, key, count);
    count = 0;
    if (!j->outer && is_unique(&j->sides[0]) && add_key(p, b, j->sides[1].input, key, &count))
        return set_key(p, key, count);
    count = 0;
    if (!j->outer && add_key(p, b, j->sides[0].input, key, &count) && add_key(p, b, j->sides[1].input, key, &count))
        return set_key(p, key, count);
    return 0;
}

int plan_output(struct sql_plan *p, const struct sql_query *q, const struct sql_name *names)
{
    p->needs = sql_bind_alloc(&p->bind, (p->input_count + 1) * sizeof *p->needs);
    if (!p->needs || make_fields(p, names))
        return -1;
    p->mode = LEAT_MODE_INSERT_ONLY;
    if (!p->branch_count)
        return 0;
    if (p->branch_count > 1)
        return output_union(p);
    return p->branches[0].join ? output_join(p) : output_single(p);
}

// --- words ---

struct words {
    char text[4096];
    size_t at;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(w->text + w->at, sizeof w->text - w->at, fmt, ap);
    va_end(ap);
    w->at = n < 0 || w->at + (size_t)n >= sizeof w->text ? sizeof w->text - 1 : w->at + (size_t)n;
}

static void say_source(struct words *w, const struct sql_plan *p, const struct sql_expr *e)
{
    const struct leat_bytes *text = &p->query->text;
    uint32_t len = e->offset + e->length <= text->len ? e->length : 0;
    for (uint32_t i = 0; i < len && w->at + 1 < sizeof w->text; i++) { // one line, blanks as they come
        uint8_t c = text->ptr[e->offset + i];
        w->text[w->at++] = c == '\n' || c == '\r' || c == '\t' ? ' ' : (char)c;
        w->text[w->at] = '\0';
    }
}

// A condition with all its parts, wherever in the query they stand.
static void say_condition(struct words *w, const struct sql_plan *p, const struct sql_expr *e)
{
    int chain = e->form == SQL_EXPR_CALL && e->func == sql_func_operator("AND");
    int either = e->form == SQL_EXPR_CALL && e->func == sql_func_operator("OR");
    for (uint32_t i = 0; chain && i < e->arg_count; i++) {
        say(w, "%s", i ? " AND " : "");
        say_condition(w, p, e->args[i]);
    }
    if (chain)
        return;
    say(w, "%s", either ? "(" : "");
    say_source(w, p, e);
    say(w, "%s", either ? ")" : "");
}

static void say_where(struct words *w, const struct sql_plan *p, const char *what, const struct sql_expr *e)
{
    if (!e)
        return;
    say(w, "%s", what);
    say_condition(w, p, e);
    say(w, "\n");
}

static void say_table(struct words *w, const struct sql_plan *p, uint32_t input)
{
    const struct sql_table *t = p->query->tables[input];
    say(w, "%.*s", (int)t->names[t->name_count - 1].text.len, (const char *)t->names[t->name_count - 1].text.ptr);
}

static void say_side(struct words *w, const struct sql_plan *p, const struct sql_side *side)
{
    say(w, "  keeps ");
    say_table(w, p, side->input);
    say(w, " by ");
    for (uint32_t k = 0; k < side->key_count; k++) {
        say(w, "%s", k ? ", " : "");
        say_source(w, p, side->keys[k]);
    }
    say(w, " (%u column%s)\n", side->stored_count, side->stored_count == 1 ? "" : "s");
    say_where(w, p, "    where ", side->filter);
    say_where(w, p, "    with partners only where ", side->guard);
}

static void say_sharing(struct words *w, const struct sql_plan *p, const struct sql_join *j)
{
    if (j->sides[0].share_count)
        return;
    say(w, "  one instance only: no equality is between plain columns that also stand in the primary key of");
    for (uint32_t s = 0, n = 0; s < 2; s++) {
        if (p->inputs[j->sides[s].input].mode == LEAT_MODE_INSERT_ONLY)
            continue;
        say(w, "%s ", n++ ? " and" : "");
        say_table(w, p, j->sides[s].input);
    }
    say(w, "\n");
}

// Does a condition compare times of both sides? Where such columns have watermarks Flink forgets rows by it.
static int is_time_range(const struct sql_plan *p, const struct sql_join *j, const struct sql_expr *e)
{
    uint64_t both = (uint64_t)1 << j->sides[0].input | (uint64_t)1 << j->sides[1].input;
    if (!e || (plan_reads(p, e) & both) != both)
        return 0;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        const struct leat_type *t = e->args[i]->type;
        if (is_time_range(p, j, e->args[i]) ||
            (t && (t->kind == LEAT_TYPE_TIMESTAMP || t->kind == LEAT_TYPE_TIMESTAMP_LTZ || t->kind == LEAT_TYPE_DATE)))
            return 1;
    }
    return 0;
}

static void say_lookup(struct words *w, const struct sql_plan *p, const struct sql_lookup *l)
{
    const struct leat_schema *s = p->inputs[l->input].schema;
    say(w, "asks ");
    say_table(w, p, l->input);
    say(w, " by ");
    for (uint32_t k = 0; k < l->key_count; k++) {
        const struct leat_bytes *name = &s->columns[l->key_columns[k]].name;
        say(w, "%s%.*s = ", k ? ", " : "", (int)name->len, (const char *)name->ptr);
        say_source(w, p, l->keys[k]);
    }
    say(w, "%s%s\n", l->outer ? "; rows without partner stay" : "", l->unique ? "; one partner at most" : "");
    say_where(w, p, "  only where ", l->guard);
    say_where(w, p, "  partners where ", l->rest);
}

static void say_branch(struct words *w, const struct sql_plan *p, const struct sql_branch *b)
{
    if (b->join) {
        say(w, "%s of ", b->join->outer ? "left join" : "inner join");
        say_table(w, p, b->join->sides[0].input);
        say(w, " with ");
        say_table(w, p, b->join->sides[1].input);
        say(w, "\n");
        say_side(w, p, &b->join->sides[0]);
        say_side(w, p, &b->join->sides[1]);
        say_sharing(w, p, b->join);
        if (is_time_range(p, b->join, b->filter))
            say(w, "  keeps rows for ever: a range of time takes none out of the state\n");
    } else {
        say(w, "reads ");
        say_table(w, p, b->input);
        say(w, "\n");
    }
    say_where(w, p, "keeps rows where ", b->before);
    for (uint32_t i = 0; i < b->lookup_count; i++)
        say_lookup(w, p, &b->lookups[i]);
    say_where(w, p, "keeps rows where ", b->filter);
    uint32_t computed = 0;
    for (uint32_t c = 0; c < p->out_count; c++)
        computed += b->out[c]->form != SQL_EXPR_COLUMN;
    say(w, "gives %u columns, %u of them computed\n", p->out_count, computed);
}

int plan_explain(struct sql_plan *p)
{
    struct words w = {.at = 0};
    for (uint32_t b = 0; b < p->branch_count; b++)
        say_branch(&w, p, &p->branches[b]);
    if (!p->branch_count)
        say(&w, "gives %u row%s\n", p->row_count, p->row_count == 1 ? "" : "s");
    if (w.at && w.text[w.at - 1] == '\n')
        w.text[--w.at] = '\0';
    p->explain = sql_arena_copy(&p->arena, w.text, w.at + 1);
    return p->explain ? 0 : sql_diag_memory(p->bind.diag);
}
