// SPDX-License-Identifier: Apache-2.0
// What the state of a join rests on, in words: one line "what: how it is" for each thing. State that was saved under
// other words is not loaded, so everything that decides which rows are kept, as which columns and found by what must
// stand here, and nothing else: what is done with the joined rows may change freely.
//
// The words are compared with saved ones: to word a line another way is to refuse all older state.
// Keys and conditions are told as they stand in the query; one that is written another way counts as another one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/types.h"
#include "plan/plan.h"

#define TYPE_TEXT 8192 // longer types are cut: nobody tells such apart by hand

static void put_type(FILE *f, const struct leat_type *type)
{
    char text[TYPE_TEXT];
    struct leat_type t = *type;
    // kept values do not depend on these; a column may get more room while the pipeline lives
    if (t.kind == LEAT_TYPE_VARCHAR || t.kind == LEAT_TYPE_VARBINARY)
        t.length = LEAT_LENGTH_MAX;
    else if (t.kind == LEAT_TYPE_DECIMAL)
        t.precision = LEAT_DECIMAL_MAX;
    fprintf(f, " %s", sql_type_name(&t, text, sizeof text));
}

static void put_column(FILE *f, const struct sql_plan *p, uint32_t input, uint32_t column)
{
    const struct leat_field *field = &p->inputs[input].schema->columns[column - p->first[input]];
    fwrite(field->name.ptr, 1, field->name.len, f);
    put_type(f, &field->type);
}

// As it stands in the query, in one line, blanks made one.
static void put_source(FILE *f, const struct sql_plan *p, const struct sql_expr *e)
{
    const struct leat_bytes *text = &p->query->text;
    uint32_t end = e->offset + e->length <= text->len ? e->offset + e->length : e->offset;
    int quoted = 0, blank = 0;
    for (uint32_t i = e->offset; i < end; i++) {
        int c = text->ptr[i];
        quoted ^= c == '\'';
        int is_blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!is_blank || quoted || !blank)
            putc(is_blank ? ' ' : c, f);
        blank = is_blank;
    }
}

// A condition is put together of parts that may stand anywhere in the query.
static void put_condition(FILE *f, const struct sql_plan *p, const struct sql_expr *e)
{
    if (e->form != SQL_EXPR_CALL || e->func != sql_func_operator("AND")) {
        put_source(f, p, e);
        return;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        fputs(i ? " AND " : "", f);
        put_condition(f, p, e->args[i]);
    }
}

static void put_where(FILE *f, const struct sql_plan *p, const char *side, const char *what, const struct sql_expr *e)
{
    if (!e)
        return;
    fprintf(f, "\n%s %s ", side, what);
    put_condition(f, p, e);
}

static const char *mode_words(uint8_t mode)
{
    return mode == LEAT_MODE_INSERT_ONLY ? "inserts only" : mode == LEAT_MODE_UPSERT ? "upserts" : "all changes";
}

static void put_table(FILE *f, const struct sql_plan *p, const struct sql_side *side)
{
    const struct sql_table *t = p->query->tables[side->input];
    for (uint32_t i = 0; i < t->name_count; i++)
        fprintf(f, "%s%.*s", i ? "." : "", (int)t->names[i].text.len, (const char *)t->names[i].text.ptr);
    fprintf(f, " (%s)", mode_words(p->inputs[side->input].mode));
}

static void put_key(FILE *f, const struct sql_plan *p, const struct sql_side *side, const struct sql_expr *key)
{
    if (key->form == SQL_EXPR_COLUMN) {
        put_column(f, p, side->input, key->column);
        return;
    }
    put_source(f, p, key);
    put_type(f, key->type);
}

static void put_columns(FILE *f, const struct sql_plan *p, const struct sql_side *side, const uint32_t *columns,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", f);
        put_column(f, p, side->input, columns[i]);
    }
    fputs(count ? "" : "none", f);
}

static void put_side(FILE *f, const struct sql_plan *p, const struct sql_side *side, const char *name)
{
    fprintf(f, "\n%s table: ", name);
    put_table(f, p, side);
    fprintf(f, "\n%s join key: ", name);
    for (uint32_t k = 0; k < side->key_count; k++) {
        fputs(k ? ", " : "", f);
        put_key(f, p, side, side->keys[k]);
    }
    fprintf(f, "\n%s primary key: ", name);
    put_columns(f, p, side, side->unique, side->unique_count);
    fprintf(f, "\n%s columns kept: ", name);
    put_columns(f, p, side, side->stored, side->stored_count);
    put_where(f, p, name, "rows kept: where", side->filter);
    put_where(f, p, name, "rows with partners: where", side->guard);
}

int plan_shape(struct sql_plan *p)
{
    const struct sql_join *j = p->branch_count ? p->branches[0].join : NULL;
    char *text = NULL;
    size_t len = 0;
    if (!j)
        return 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return sql_diag_memory(p->bind.diag);
    fprintf(f, "kind: %s", j->outer ? "left join" : "inner join");
    put_side(f, p, &j->sides[0], "left");
    put_side(f, p, &j->sides[1], "right");
    int failed = ferror(f);
    if ((fclose(f) == 0) & !failed)
        p->state_words = sql_arena_copy(&p->arena, text, len + 1);
    free(text);
    return p->state_words ? 0 : sql_diag_memory(p->bind.diag);
}
