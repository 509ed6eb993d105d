// SPDX-License-Identifier: Apache-2.0
// Where a table's columns stand in the stream's rows.
//
// A Relation message lists the columns as they were when the rows after it were logged: in the order of their numbers,
// without the dropped ones. It has their names and types, but not the numbers. Behind `known_from` the log is younger
// than our reading of the catalogue, so a captured column must be there by its name and type: what was dropped, renamed
// or retyped stops the node before the first such row, what was added is left out with a warning.
//
// Before `known_from`, after a restart, there may be rows from before an ALTER TABLE. The state tells which number each
// column had at our position and what it was called then, the catalogue what it is called now; a number is never given
// twice. So a message is explained by giving each of its columns a number, in rising order, that had or has its name:
//
//     number with a name then and now   must be there       (renamed, if the two differ)
//     only now                          may be missing      (added since: its value is fetched by key)
//     only then                         may be there        (dropped since: left out)
//
// It counts only if there is exactly one such explanation. Anything else stops the node.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"
#include "pq_oid.h"

// --- then and now

static struct pgcdc_attribute *attribute_by(struct pgcdc_table *t, const struct pgcdc_saved_column *c, int by_number)
{
    for (uint32_t i = 0; i < t->attribute_count; i++) {
        struct pgcdc_attribute *a = &t->attributes[i];
        if (by_number ? a->attnum == c->attnum : strcmp(a->name, c->name) == 0)
            return a;
    }
    return NULL;
}

static int was_retyped(const struct pgcdc_attribute *a)
{
    if (!a->was_oid || a->oid != a->was_oid)
        return a->was_oid != 0;
    return a->was_typmod != PGCDC_NO_TYPMOD && types_typmod_rewrites(a->oid, a->was_typmod, a->typmod);
}

// The values that an ALTER TABLE gave to rows are not in the log: the target keeps what it has. NULL = there are none.
static const char *how_altered(const struct pgcdc_table *t, const struct pgcdc_attribute *a)
{
    for (uint32_t i = 0; !a->was && i < t->attribute_count; i++)
        if (t->attributes[i].was && strcmp(t->attributes[i].was, a->name) == 0)
            return t->attributes[i].name ? "took the name of another one" : "was dropped and added again";
    if (!a->was)
        return "was added";
    if (strcmp(a->was, a->name) != 0)
        return "was renamed";
    return was_retyped(a) ? "was given another type, length or precision" : NULL;
}

// Captured columns that are not what they were at the saved position.
static void tell_altered(struct pgcdc *p, const struct pgcdc_table *t)
{
    for (uint32_t i = 0; i < t->attribute_count; i++) {
        const struct pgcdc_attribute *a = &t->attributes[i];
        const char *how = a->column == PGCDC_NO_COLUMN ? NULL : how_altered(t, a);
        if (how)
            leat_log(
                p->ctx, LEAT_LOG_WARN, "column-altered",
                "column \"%s\" of table \"%s\" %s after the checkpoint: rows that do not change any more keep in the "
                "target what they had; where that matters, read a new snapshot (--forget-state %s)",
                a->name, t->port_name, how, p->node);
    }
}

static int by_attnum(const void *x, const void *y)
{
    const struct pgcdc_attribute *a = x, *b = y;
    return a->attnum - b->attnum;
}

leat_status pgcdc_attributes(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_saved_table *saved)
{
    // numbers of version 1 are not known, those of a table that was created again mean nothing
    int by_number = saved && saved->oid && saved->oid == t->oid;
    struct pgcdc_attribute *all =
        pgcdc_mem_alloc(&p->mem, (t->attribute_count + (saved ? saved->count : 0)) * sizeof *all);
    if (!all)
        return leat_no_memory(p->ctx);
    uint32_t count = t->attribute_count;
    for (uint32_t i = 0; i < t->attribute_count; i++) {
        struct pgcdc_attribute *a = &t->attributes[i];
        a->column = PGCDC_NO_COLUMN;
        for (uint32_t c = 0; c < t->count; c++)
            if (t->columns[c].attnum == a->attnum)
                a->column = (uint16_t)c;
        a->was = saved ? NULL : a->name;
        a->was_oid = saved ? 0 : a->oid;
        a->was_typmod = saved ? PGCDC_NO_TYPMOD : a->typmod;
    }
    for (uint32_t i = 0; saved && i < saved->count; i++) {
        const struct pgcdc_saved_column *c = &saved->columns[i];
        struct pgcdc_attribute *a = attribute_by(t, c, by_number);
        if (!a && by_number) {
            a = &all[count++];
            *a = (struct pgcdc_attribute){.attnum = c->attnum, .column = PGCDC_NO_COLUMN};
        }
        if (a) {
            a->was = c->name;
            a->was_oid = c->oid;
            a->was_typmod = c->typmod;
        }
    }
    memcpy(all, t->attributes, t->attribute_count * sizeof *all);
    qsort(all, count, sizeof *all, by_attnum);
    t->attributes = all;
    t->attribute_count = count;
    if (by_number && t->snapshot_done)
        tell_altered(p, t);
    return LEAT_OK;
}

// --- explanations

struct puzzle {
    const struct pgcdc_table *t;
    const struct pgoutput_relation *r;
    uint16_t known[PGOUTPUT_COLUMNS_MAX]; // columns of `r` whose names are known of the table
    uint32_t count;
    uint32_t strangers;
    uint8_t settled; // only the present names count
    uint8_t now_only;
    uint8_t by_type; // types must fit the names
    uint8_t *ways;   // [attributes + 1][count + 1]: 0, 1 or 2 for more
};

static int fits(const struct puzzle *z, const struct pgcdc_attribute *a, const struct pgoutput_column *c)
{
    if (a->name && strcmp(a->name, c->name) == 0 && (!z->by_type || a->oid == c->type))
        return 1;
    return !z->settled && !z->now_only && a->was && strcmp(a->was, c->name) == 0 &&
           (!z->by_type || !a->was_oid || a->was_oid == c->type);
}

static int may_be_missing(const struct puzzle *z, const struct pgcdc_attribute *a)
{
    return a->column == PGCDC_NO_COLUMN || (!z->settled && !a->was);
}

static int is_known(const struct puzzle *z, const struct pgoutput_column *c)
{
    uint32_t a = 0;
    while (a < z->t->attribute_count && !fits(z, &z->t->attributes[a], c))
        a++;
    return a < z->t->attribute_count;
}

static void sort_out(struct puzzle *z)
{
    z->count = z->strangers = 0;
    for (uint32_t i = 0; i < z->r->count; i++) {
        if (is_known(z, &z->r->columns[i]))
            z->known[z->count++] = (uint16_t)i;
        else
            z->strangers++;
    }
}

static uint8_t *ways(const struct puzzle *z, uint32_t attributes, uint32_t columns)
{
    return &z->ways[(size_t)attributes * (z->count + 1) + columns];
}

// In how many ways the known columns are explained.
static int explain(struct puzzle *z)
{
    for (uint32_t i = 0; i <= z->t->attribute_count; i++) {
        const struct pgcdc_attribute *a = i ? &z->t->attributes[i - 1] : NULL;
        for (uint32_t j = 0; j <= z->count; j++) {
            unsigned n = !i && !j;
            if (i && may_be_missing(z, a))
                n += *ways(z, i - 1, j);
            if (i && j && fits(z, a, &z->r->columns[z->known[j - 1]]))
                n += *ways(z, i - 1, j - 1);
            *ways(z, i, j) = n > 2 ? 2 : (uint8_t)n;
        }
    }
    return *ways(z, z->t->attribute_count, z->count);
}

// Writes the only explanation down.
static void place(const struct puzzle *z)
{
    uint32_t j = z->count;
    for (uint32_t i = z->t->attribute_count; i > 0; i--) {
        const struct pgcdc_attribute *a = &z->t->attributes[i - 1];
        int here = j && fits(z, a, &z->r->columns[z->known[j - 1]]) && *ways(z, i - 1, j - 1);
        if (a->column != PGCDC_NO_COLUMN)
            z->t->from[a->column] = here ? z->known[j - 1] : PGCDC_NO_COLUMN;
        j -= (uint32_t)here;
    }
}

// --- what stands in the way

static void alter(struct pgcdc_table *t, const char *column, const char *how, uint8_t cure)
{
    if (!t->altered.how)
        t->altered = (struct pgcdc_altered){how, column, cure};
}

static int is_there(const struct puzzle *z, const struct pgcdc_attribute *a)
{
    for (uint32_t i = 0; i < z->r->count; i++)
        if (fits(z, a, &z->r->columns[i]))
            return 1;
    return 0;
}

// The first column of the table that is not where its number says.
static uint32_t misplaced(const struct puzzle *z)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < z->t->attribute_count; i++) {
        const struct pgcdc_attribute *a = &z->t->attributes[i];
        if (j < z->count && fits(z, a, &z->r->columns[z->known[j]]))
            j++;
        else if (is_there(z, a))
            return i;
    }
    return z->t->attribute_count;
}

// There is no explanation, or more than one: names a column.
static void unexplained(const struct puzzle *z)
{
    struct pgcdc_table *t = (struct pgcdc_table *)(uintptr_t)z->t;
    uint8_t cure = z->settled ? PGCDC_START_AGAIN : PGCDC_READ_ANEW;
    for (uint32_t i = 0; i < t->attribute_count; i++)
        if (!may_be_missing(z, &t->attributes[i]) && !is_there(z, &t->attributes[i]))
            alter(t, t->attributes[i].name, "dropped or renamed", cure);
    uint32_t i = misplaced(z);
    const char *how = "dropped and added again, or its name given to another one";
    while (i < t->attribute_count && t->attributes[i].column == PGCDC_NO_COLUMN)
        i++;
    if (i < t->attribute_count)
        alter(t, t->attributes[i].name, how, cure);
    for (i = 0; i < t->attribute_count; i++)
        if (t->attributes[i].column != PGCDC_NO_COLUMN)
            alter(t, t->attributes[i].name, how, cure);
}

// Rows from before an ALTER: is every text of the old type one of the new type with the same meaning?
static int reads_as(const struct pgcdc *p, const struct pgcdc_column *c, uint32_t old)
{
    static const uint32_t same_as_text[] = {OID_INT2,   OID_INT4,      OID_INT8, OID_NUMERIC, OID_FLOAT4,
                                            OID_FLOAT8, OID_VARCHAR,   OID_UUID, OID_JSON,    OID_JSONB,
                                            OID_DATE,   OID_TIMESTAMP, OID_TEXT};
    if (p->declared && c->how.type.kind == LEAT_TYPE_VARCHAR && c->how.type.length == LEAT_LENGTH_MAX)
        return 1;
    // of a varchar with a length each value is looked at
    for (size_t i = 0; (c->oid == OID_TEXT || c->oid == OID_VARCHAR) && i < sizeof same_as_text / sizeof *same_as_text;
         i++)
        if (same_as_text[i] == old)
            return 1;
    return (old == OID_INT2 && (c->oid == OID_INT4 || c->oid == OID_INT8)) || (old == OID_INT4 && c->oid == OID_INT8) ||
           (old == OID_FLOAT4 && c->oid == OID_FLOAT8);
}

static void check_type(const struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_column *c,
                       const struct pgoutput_column *now, int settled)
{
    uint8_t cure = settled ? PGCDC_RETYPED : PGCDC_DECLARE_TEXT;
    if (now->type != c->oid) {
        if (settled || !reads_as(p, c, now->type))
            alter(t, c->name, "given another type", cure);
        return;
    }
    if (settled && types_typmod_rewrites(c->oid, c->typmod, now->typmod))
        alter(t, c->name, "given another length, precision or scale", cure);
    if (!types_typmod_narrowed(c->oid, c->typmod, now->typmod))
        return;
    if (c->how.type.kind != LEAT_TYPE_VARCHAR)
        alter(t, c->name, "given another length, precision or scale", cure);
    else if (settled && c->how.type.length != LEAT_LENGTH_MAX)
        alter(t, c->name, "given another length", cure);
}

static void check_columns(const struct pgcdc *p, struct pgcdc_table *t, const struct puzzle *z)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct pgcdc_column *c = &t->columns[i];
        if (t->from[i] != PGCDC_NO_COLUMN)
            check_type(p, t, c, &z->r->columns[t->from[i]], z->settled);
        else if (z->strangers) // one of them may be this one, under a name that nobody knows
            alter(t, c->name, "dropped or renamed", PGCDC_READ_ANEW);
        else if (c->is_key || t->mode != LEAT_MODE_UPSERT)
            alter(t, c->name, "added", PGCDC_LEAVE_OUT);
    }
}

static leat_status check_identity(struct pgcdc *p, struct pgcdc_table *t)
{
    const struct pgoutput_relation *r = &p->room->relation;
    if (t->mode == LEAT_MODE_ALL && r->identity != 'f') {
        (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0104",
                        "table \"%s\" has no REPLICA IDENTITY FULL any more, but is read with the rows before updates",
                        t->port_name);
        leat_error_hint(p->ctx,
                        "Run ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; changes logged without it can be read "
                        "with changelog-mode = \"upsert\" only.",
                        t->schema, t->name);
        return LEAT_FATAL;
    }
    for (uint32_t i = 0; t->mode == LEAT_MODE_UPSERT && i < t->out.key_count; i++) {
        uint16_t at = t->from[t->out.key[i]];
        if (r->identity == 'n' || (at != PGCDC_NO_COLUMN && !r->columns[at].is_key))
            alter(t, t->columns[t->out.key[i]].name, "taken out of the replica identity",
                  p->at.lsn >= p->known_from ? PGCDC_START_AGAIN : PGCDC_READ_ANEW);
    }
    return LEAT_OK;
}

// --- the message

static void warn_added(struct pgcdc *p, struct pgcdc_table *t, const struct puzzle *z)
{
    char names[400] = "";
    uint32_t said = 0;
    if (!z->strangers || p->declared || t->warned_added)
        return;
    for (uint32_t i = 0; i < z->r->count; i++) {
        const char *name = z->r->columns[i].name;
        size_t len = strlen(names);
        if (is_known(z, &z->r->columns[i]) || len + strlen(name) + 5 > sizeof names)
            continue;
        snprintf(names + len, sizeof names - len, "%s\"%s\"", said++ ? ", " : "", name);
    }
    leat_log(p->ctx, LEAT_LOG_WARN, "column-added",
             "table \"%s\" has %u new column%s, not read until leat is restarted: %s%s", t->port_name, z->strangers,
             z->strangers > 1 ? "s" : "", names, said < z->strangers ? ", …" : "");
    t->warned_added = 1;
}

// More than one explanation: types tell a column that was dropped and added again with another type. With the same type
// the two cannot be told apart, no more than while leat runs: then the rows' values go by the name.
static int explain_twins(struct pgcdc *p, struct puzzle *z)
{
    z->by_type = 1;
    sort_out(z);
    int found = explain(z);
    if (found == 1)
        return 1;
    z->by_type = 0;
    z->now_only = 1;
    sort_out(z);
    found = explain(z);
    if (found == 1 && !z->t->warned_again)
        leat_log(p->ctx, LEAT_LOG_WARN, "column-again",
                 "a column of table \"%s\" was dropped and another added under its name; rows logged before keep the "
                 "former one's values",
                 z->t->port_name);
    return found;
}

leat_status pgcdc_relation(struct pgcdc *p, struct pgcdc_table *t)
{
    struct puzzle *z = calloc(1, sizeof *z);
    if (!z)
        return leat_no_memory(p->ctx);
    z->t = t;
    z->r = &p->room->relation;
    z->settled = p->at.lsn >= p->known_from;
    z->ways = malloc((size_t)(t->attribute_count + 1) * (z->r->count + 1));
    if (!z->ways) {
        free(z);
        return leat_no_memory(p->ctx);
    }
    t->altered = (struct pgcdc_altered){0};
    sort_out(z);
    int found = explain(z);
    if (found > 1) {
        found = explain_twins(p, z);
        t->warned_again = 1;
    }
    if (found == 1) {
        place(z);
        check_columns(p, t, z);
    } else {
        unexplained(z);
    }
    leat_status st = t->altered.how ? LEAT_OK : check_identity(p, t);
    if (!t->altered.how)
        warn_added(p, t, z);
    t->tuple_count = z->r->count;
    free(z->ways);
    free(z);
    return st;
}

static void hint_cure(struct pgcdc *p, const struct pgcdc_table *t)
{
    switch (t->altered.cure) {
    case PGCDC_RETYPED:
        leat_error_hint(p->ctx,
                        "Alter the targets if they need it, then start leat again: no change is left out. Values that "
                        "the ALTER itself rounded, cut or computed are not in the log: where they matter, start once "
                        "with --forget-state %s and a new snapshot.",
                        p->node);
        break;
    case PGCDC_DECLARE_TEXT:
        leat_error_hint(p->ctx, "The log still holds rows of the old type. Declare the column as STRING in the schema "
                                "section of this source: then rows of both types are read.");
        break;
    case PGCDC_LEAVE_OUT:
        leat_error_hint(p->ctx, "The log still holds rows from before the column was added. Declare a schema for this "
                                "source that leaves the column out, and take it in when those rows were read.");
        break;
    case PGCDC_READ_ANEW:
        leat_error_hint(
            p->ctx,
            "Start leat again. If it stops here once more, the log still holds rows of a definition "
            "between that of the checkpoint and the present one, whose columns cannot be told apart for "
            "certain: then empty the target, drop slot \"%s\" and start once with --forget-state %s to read "
            "a new snapshot.",
            p->config->slot_name, p->node);
        break;
    case PGCDC_NAME_IT:
        leat_error_hint(p->ctx, "Name it back, or put its new name into table-name (it is then read anew), and start "
                                "leat again.");
        break;
    case PGCDC_TABLE_ANEW:
        leat_error_hint(p->ctx, "Start leat again: on-truncate says what becomes of the former table's rows.");
        break;
    default:
        leat_error_hint(p->ctx, "Check what reads the column, then start leat again: the table's columns are then "
                                "taken as they are now, and no row is left out: the position is kept.");
    }
}

void pgcdc_altered_what(const struct pgcdc_table *t, char *out, size_t size)
{
    if (t->altered.column)
        snprintf(out, size, "column \"%s\" of table \"%s\"", t->altered.column, t->port_name);
    else
        snprintf(out, size, "table \"%s\"", t->port_name);
}

leat_status pgcdc_altered(struct pgcdc *p, const struct pgcdc_table *t)
{
    char what[256];
    pgcdc_altered_what(t, what, sizeof what);
    (void)leat_fail(p->ctx, LEAT_FATAL, "LEAT-G0302", "%s was %s; stopped before its first row, at " PGCDC_LSN, what,
                    t->altered.how, PGCDC_LSN_OF(p->emitted.lsn));
    hint_cure(p, t);
    return LEAT_FATAL;
}
