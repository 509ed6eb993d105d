// SPDX-License-Identifier: Apache-2.0
// What a query does, in the terms of the operator: inputs, filters, keys, output columns.
//
// Two steps. sql_query_parse needs the text only and finds the tables it reads, in the order of FROM. sql_plan_create
// needs their schemas; it resolves names, flattens sub-queries and WITH into one expression per output column, and
// refuses by its place what is not supported yet. What is left is a list of branches (one, or several for UNION ALL),
// each over one input or over a join of two.
//
// Columns of all inputs are numbered through: input 0's first, then input 1's, and so on; behind the last one stands
// `matched`, a BOOLEAN that is false where a left join found no partner.
//
// Thread and ownership: a parsed query is read-only and may be shared; a plan belongs to one thread but for its
// reference count, since batches may keep it (their constants point into its arena).
#ifndef SQL_PLAN_H
#define SQL_PLAN_H

#include <stdatomic.h>

#include <leat/operator.h>

#include "expr/bind.h"
#include "syntax/ast.h"

#define SQL_ARENA_MAX ((size_t)64 << 20) // most memory of one parsed or planned query

struct sql_parsed {
    struct sql_arena arena;
    struct leat_bytes text; // a copy
    struct sql_query *query;
    uint32_t table_count;
    struct sql_table **tables; // in the order of FROM; table i is input i
};

// NULL = there is no telling what it reads. Else the tables are known, but with faults of the text there are holes in
// the tree, and it can be reviewed only.
struct sql_parsed *sql_query_parse(struct leat_bytes text, struct sql_faults *faults);
void sql_query_destroy(struct sql_parsed *q);

// One side of a join, in the order "kept" (left of LEFT JOIN), "other".
struct sql_side {
    uint32_t input;
    struct sql_expr *filter; // over the input's columns; NULL = none
    struct sql_expr *guard;  // kept side of an outer join: rows that fail it find no partner; NULL = none
    uint32_t key_count;      // the join key
    struct sql_expr **keys;
    uint32_t unique_count; // the input's primary key, numbered through; 0 = rows are told apart by their content
    uint32_t *unique;
    const struct leat_type **unique_types;
    uint8_t key_is_unique; // the join key is the primary key
    // Rows are shared among instances by these: parts of the primary key if there is one, else of the join key. None:
    // they cannot be shared.
    uint32_t share_count;
    uint32_t *share;
    uint32_t stored_count; // columns that state must hold
    uint32_t *stored;
};

struct sql_join {
    uint8_t outer;
    uint32_t offset, length; // of its words
    struct sql_side sides[2];
};

// A lookup that is asked for every row of what stands before it.
struct sql_lookup {
    uint32_t input;
    uint8_t outer;          // rows without a partner come out too
    uint8_t unique;         // a row has at most one partner: the key holds the lookup's primary key
    struct sql_expr *guard; // over what stands before: rows that fail it are not asked for; NULL = none
    uint32_t key_count;
    uint32_t *key_columns; // positions in the lookup's schema
    struct sql_expr **keys;
    struct sql_expr *rest; // over both: what else makes a partner; NULL = nothing
};

struct sql_branch {
    uint32_t input; // without a join
    uint32_t lookup_count;
    struct sql_lookup *lookups;
    struct sql_expr *before; // with lookups: the filter before anything is asked; NULL = none
    struct sql_join *join;
    struct sql_expr *filter; // after the join; NULL = none
    uint8_t filter_by_key;   // it reads columns of the key only: a row that fails it never passed before
    struct sql_expr **out;   // sql_plan.out_count of them
    uint32_t read_count;     // without a join: the columns that are computed with, not only passed on
    uint32_t *reads;
};

struct sql_plan {
    atomic_uint refs;
    struct sql_arena arena;
    struct sql_evaluator fold;
    struct sql_bind bind;
    const struct sql_parsed *query;
    const struct leat_input *inputs;
    uint32_t input_count;
    uint32_t *first;       // by input: the number of its first column; [input_count] = that of `matched`
    uint32_t branch_count; // 0: VALUES
    struct sql_branch *branches;
    uint32_t out_count;
    uint32_t row_count; // without a table: rows of out_count expressions, one after the other
    struct sql_expr **rows;
    struct sql_expr **row_filters; // by row: NULL = it comes out
    struct sql_expr **row_types;   // expressions of the columns' types
    struct plan_values *values;    // while planning: the VALUES of the query that are bound,
    uint32_t values_row;           // which of their rows is planned
    uint32_t values_rows;          // and how many there are
    struct leat_schema schema;     // of the output
    uint8_t mode;
    struct leat_input_need *needs;
    uint8_t keeps_bytes; // constants of its arena may get into batches
    char *explain;
    struct sql_faults *faults; // while planning: what is refused
    char *state_words;         // what the state of the join rests on (shape.c); NULL = no state
};

// The plan for inputs with all schemas known; NULL = faults are added to *faults. `q` and the schemas outlive it.
struct sql_plan *sql_plan_create(const struct sql_parsed *q, const struct leat_input *inputs, uint32_t count,
                                 const char *zone, struct sql_faults *faults);
void sql_plan_ref(struct sql_plan *p);
void sql_plan_unref(struct sql_plan *p);

// --- shared by the files of the planner

// What a FROM clause or a sub-query gives: named columns, and the rows they come from.
struct plan_relation {
    uint32_t column_count;
    struct sql_scope_column *columns;
    uint32_t input;        // of the only input
    struct sql_join *join; // or two of them
    uint32_t lookup_count; // lookups that the rows pass, in order
    struct sql_lookup *lookups;
    uint32_t filter_count; // conditions that rows must meet, in order
    struct sql_expr **filters;
    uint8_t no_input; // SELECT without FROM
};

// VALUES in FROM or by itself: rows of `width` expressions, each column of one type.
struct plan_values {
    struct plan_values *next;
    const struct sql_query *query;
    uint32_t width, count;
    struct sql_expr **rows;
};

// Adds what is refused about the query's shape (refuse.c); the planner takes it to be none.
void plan_refusals(const struct sql_parsed *q, struct sql_faults *faults);
// The row of VALUES that is planned, as a relation.
int plan_values(struct sql_plan *p, const struct sql_query *q, struct plan_relation *r);

// The relation of a query without set operations; `with` has the WITH list in reach. 0 or -1.
int plan_select(struct sql_plan *p, const struct sql_query *q, const struct sql_query *with, struct plan_relation *r);
// The name of an item of SELECT: its alias, the column's own, or EXPR$n. ptr == NULL: fault recorded.
struct leat_bytes plan_item_name(struct sql_bind *b, const struct sql_select_item *item, uint32_t number);
// The fault of `table.*` that stands for no column. -1.
int plan_no_star(struct sql_diag *d, const struct sql_name *table, const struct sql_scope_column *columns,
                 uint32_t count);
// Conditions of WHERE: for inner joins they may be keys.
int plan_where(struct sql_plan *p, struct plan_relation *r, const struct sql_node *where);
// Is the expression after FOR SYSTEM_TIME AS OF the time of now? 0 or -1.
int plan_lookup_time(struct sql_plan *p, const struct plan_relation *left, const struct sql_node *time);
// Adds a lookup to *r, with the conditions of `on`.
int plan_lookup_add(struct sql_plan *p, struct plan_relation *r, const struct plan_relation *on,
                    const struct sql_table *t);
// Of a branch's filters, those that need no answer are applied before anything is asked.
int plan_lookup_filters(struct sql_plan *p, struct sql_branch *b, const struct plan_relation *r);
// Changelog mode and key of a branch with lookups. 0 or -1.
int plan_lookup_output(struct sql_plan *p, struct sql_branch *b, const uint32_t *key, uint32_t key_count);
// Splits conditions into filters, keys and the rest once all of them are known.
int plan_join_finish(struct sql_plan *p, struct plan_relation *r);
// Conditions of WHERE over the kept side of an outer join hold before it as well: fewer rows are kept in state.
int plan_push_down(struct sql_plan *p, struct plan_relation *r);
// Adds `e` (its parts, if it is an AND) to the relation's conditions.
int plan_add_filter(struct sql_plan *p, struct plan_relation *r, struct sql_expr *e);
struct sql_expr *plan_and(struct sql_plan *p, struct sql_expr *a, struct sql_expr *b);
// Which inputs an expression reads, as a bit set; bit input_count = `matched`.
uint64_t plan_reads(const struct sql_plan *p, const struct sql_expr *e);
// Sets used[c] for each column that e reads.
void plan_mark_columns(const struct sql_expr *e, uint8_t *used);
// Schema, mode, key and needs from the branches.
int plan_output(struct sql_plan *p, const struct sql_query *q, const struct sql_name *names);
int plan_explain(struct sql_plan *p);
// Fills state_words.
int plan_shape(struct sql_plan *p);

#endif
