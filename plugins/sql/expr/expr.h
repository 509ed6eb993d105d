// SPDX-License-Identifier: Apache-2.0
// Typed expressions: what binding makes of the syntax tree, and how kernels compute them.
//
// A query is parsed (syntax/ast.h), bound (bind.h: names looked up, types derived, functions chosen, constants folded)
// and then evaluated over batches. This header is the border between the binder and the kernels (functions/, cast/).
//
// The idea: an expression is computed for up to SQL_VEC_MAX rows at once. The result is a vector of cells and states,
// indexed by row number. A *selection* lists the rows that are wanted; CASE, IF, AND, OR and COALESCE narrow it, so
// that a row's untaken branches are never computed (and never fail). Cells of rows outside the selection are garbage.
//
// A kernel has one of two shapes:
//   row   one value from one row's arguments. The caller loops, and answers NULL by itself when an argument is NULL
//         (unless SQL_FUNC_NULLS). Write this one unless a profile asks for the other.
//   eval  the whole vector; evaluates its arguments itself by sql_eval. For hot operators and for lazy evaluation.
//
// Memory: everything made while binding lives in the plan's arena (sql_bind.arena) and dies with the plan; things from
// other allocators are handed over by sql_bind_defer. Results of kernels live in the evaluator's arena until the next
// sql_evaluator_reset. Argument bytes may be returned without a copy.
// Thread: a plan and its evaluator belong to one thread, so `data` may hold scratch space (PCRE2 match data). Instances
// of one operator each bind the query for themselves.
// Constant arguments: test sql_expr_literal in `compile` and prepare once (patterns, formats, zones).
#ifndef SQL_EXPR_H
#define SQL_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "leat/types.h"

#include "base/arena.h"
#include "base/diag.h"
#include "syntax/symbol.h"

struct sql_bind;
struct sql_evaluator;
struct sql_expr;

#define SQL_VEC_MAX 1024 // most rows of one evaluation

// The result of an expression. states[r] is LEAT_VALUE or LEAT_NULL; a cell counts only with LEAT_VALUE.
struct sql_vec {
    const union leat_cell *cells;
    const uint8_t *states;
    uint8_t constant; // one cell and one state stand for every row
};

static inline uint32_t sql_vec_at(const struct sql_vec *v, uint32_t row)
{
    return v->constant ? 0 : row;
}

// Which rows to compute: rows[0..count), rising; rows == NULL means 0..count-1.
struct sql_sel {
    const uint16_t *rows;
    uint32_t count;
};

static inline uint32_t sql_sel_row(const struct sql_sel *sel, uint32_t k)
{
    return sel->rows ? sel->rows[k] : k;
}

// Why an evaluation failed. Class data unless `resource`.
struct sql_failure {
    uint32_t row;    // in the batch
    uint32_t offset; // in the query
    uint32_t length;
    uint8_t resource;  // out of memory, not the row's fault
    char message[256]; // lower case, no full stop
};

// What one evaluation sees: the input columns and the values that stand still during a batch.
struct leat_batch;
struct sql_evaluator {
    struct sql_arena arena;        // vectors of this evaluation, and bytes if there is no target
    struct leat_batch *target;     // bytes of results are made in its arena; may be NULL
    const struct sql_vec *columns; // by sql_expr.column
    uint32_t column_count;
    uint32_t rows;    // rows of the batch
    leat_usec now;    // CURRENT_TIMESTAMP and its kin, read once per batch
    const char *zone; // table.local-time-zone, an IANA name
    struct sql_failure failure;
};

void sql_evaluator_init(struct sql_evaluator *ev, const char *zone);
void sql_evaluator_fini(struct sql_evaluator *ev);
// Forgets the results of the last batch.
void sql_evaluator_reset(struct sql_evaluator *ev);

// Kernels. 0, or -1 after sql_fail or sql_fail_memory.
// row: `args[i]` are the cells of the arguments, all of them values; with SQL_FUNC_NULLS args[i] is NULL for NULL.
// Sets *out, or *state = LEAT_NULL (it comes in as LEAT_VALUE). Symbols and types are read from e, not from args.
typedef int (*sql_row_fn)(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state);
typedef int (*sql_eval_fn)(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                           struct sql_vec *out);

// Computes any expression for the selected rows. *out may point into the evaluator, the batch or the plan.
int sql_eval(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out);

// The two usual `eval`s: loop over e->row; hand on the first argument (casts that change nothing).
int sql_eval_rows(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out);
int sql_eval_pass(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out);

// Room for a result: uninitialised cells and states for ev->rows rows. NULL = failure recorded.
struct sql_vec_out {
    union leat_cell *cells;
    uint8_t *states;
};
int sql_vec_alloc(struct sql_evaluator *ev, struct sql_vec_out *out);
static inline void sql_vec_done(const struct sql_vec_out *from, struct sql_vec *out)
{
    out->cells = from->cells;
    out->states = from->states;
    out->constant = 0;
}

// Memory for the bytes or the items of a result, aligned to 16; NULL = failure recorded (just return -1).
void *sql_eval_alloc(struct sql_evaluator *ev, size_t size);

// Records that this row cannot be computed; the caller of a row kernel adds the row. Returns -1.
int sql_fail(struct sql_evaluator *ev, const struct sql_expr *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int sql_fail_memory(struct sql_evaluator *ev);
// "the result of ROUND is out of the range of INT". Returns -1.
int sql_fail_range(struct sql_evaluator *ev, const struct sql_expr *e);

// Forms of a typed expression.
#define SQL_EXPR_LITERAL 1 // literal
#define SQL_EXPR_COLUMN  2 // column of the input row
#define SQL_EXPR_CALL    3 // func, args
#define SQL_EXPR_SYMBOL  4 // a keyword among the arguments: DAY, BOTH, SYMMETRIC; has no value
#define SQL_EXPR_CAST    5 // args[0] to type; func == NULL

// Flags of a typed expression.
#define SQL_EXPR_CONSTANT 1u // no column, no clock, no chance: the same for every row and batch
#define SQL_EXPR_TRY      2u // TRY_CAST: a failure is NULL
#define SQL_EXPR_IMPLICIT 4u // a cast that the types asked for, not the user

struct sql_expr {
    uint8_t form; // SQL_EXPR_*
    uint8_t flags;
    uint16_t symbol;         // SYMBOL: SQL_SYM_*
    uint32_t column;         // COLUMN: index in sql_evaluator.columns
    uint32_t offset, length; // place in the query
    uint32_t arg_count;
    struct sql_expr **args;
    const struct leat_type *type; // never NULL but for SYMBOL; kind LEAT_TYPE_NULL for a bare NULL literal
    const struct sql_func *func;
    sql_row_fn row; // one of the two is set for CALL and CAST
    sql_eval_fn eval;
    void *data;                          // of the function, made by derive or compile
    struct leat_datum literal;           // LITERAL
    const struct sql_json_clauses *json; // JSON_*: what stood behind the arguments, else NULL
};

// The value of a constant argument, or NULL if it is not one (or is not folded).
static inline const struct leat_datum *sql_expr_literal(const struct sql_expr *e)
{
    return e->form == SQL_EXPR_LITERAL ? &e->literal : NULL;
}

// Flags of a function.
#define SQL_FUNC_NULLS    1u  // the row kernel wants to see NULL arguments
#define SQL_FUNC_VARIES   2u  // not constant even with constant arguments (clock, RAND)
#define SQL_FUNC_OPERATOR 4u  // not callable by name: '+', LIKE, CASE …
#define SQL_FUNC_NO_PAREN 8u  // a name without brackets: CURRENT_TIMESTAMP
#define SQL_FUNC_LATER    16u // known in Flink SQL, refused with its place
#define SQL_FUNC_UNTYPED  32u // derive takes a bare NULL among the arguments (LEAT_TYPE_NULL); others refuse it

// One function or operator. Tables of these are listed in registry.c, one per theme.
//
// Order of work while binding: arguments are bound; their number is compared with min_args..max_args; `derive` gives
// e->type (it may wrap arguments by sql_bind_cast and may choose e->row or e->eval by type); row and eval are copied
// from here where derive chose neither; `compile` prepares; a call of literals is computed once and becomes a literal
// (if it fails it stays a call and fails when it is reached).
struct sql_func {
    const char *name; // upper case; operators as in messages: "+", "LIKE"
    uint8_t min_args;
    uint8_t max_args; // 255 = any number
    uint8_t flags;
    int (*derive)(struct sql_bind *b, struct sql_expr *e);  // 0, or -1 after sql_bind_error
    int (*compile)(struct sql_bind *b, struct sql_expr *e); // may be NULL
    sql_row_fn row;
    sql_eval_fn eval;
    const char *form; // "<what>(<string>, <integer>)" for messages about arguments that do not fit; may be NULL
};

struct sql_func_table {
    const struct sql_func *rows;
    uint32_t count;
};
// A row of a table: name, least and most arguments, derive, row, form.
#define SQL_FUNC_ROW(n, least, most, d, r, f)                                                                          \
    {                                                                                                                  \
        .name = n, .min_args = least, .max_args = most, .derive = d, .row = r, .form = f                               \
    }
#define SQL_FUNC_TABLE(rows)                                                                                           \
    {                                                                                                                  \
        rows, (uint32_t)(sizeof rows / sizeof rows[0])                                                                 \
    }

// The function called `name` (any case), or NULL.
const struct sql_func *sql_func_find(struct leat_bytes name);
// The operator spelt so, SQL_FUNC_OPERATOR; never NULL for the operators of the grammar.
const struct sql_func *sql_func_operator(const char *name);
// The nearest known function name, for "did you mean"; NULL if none is near.
const char *sql_func_nearest(struct leat_bytes name);

// --- what derive and compile may use ---------------------------------------------------------------------------

struct sql_node;

struct sql_bind {
    struct sql_arena *arena; // the plan's
    struct sql_diag *diag;
    const struct sql_scope *scope; // tables in reach
    const char *zone;              // for folding of literals that need it
    struct sql_evaluator *fold;    // used to compute constants
    struct sql_deferred *deferred; // run when the plan is destroyed
    uint32_t depth;
    // What stands in for an expression with a fault, so that the others are looked at; NULL = the first one ends it.
    struct sql_expr *(*recover)(struct sql_bind *b, const struct sql_node *n);
};

// "… at its place". Returns -1.
int sql_bind_error(struct sql_bind *b, const struct sql_expr *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// "cannot apply '+' to arguments of type INT and STRING", with func->form as the hint. Returns -1.
int sql_bind_mismatch(struct sql_bind *b, const struct sql_expr *e);
// "LISTAGG is known in Flink SQL, not supported yet". Returns -1.
int sql_bind_unsupported(struct sql_bind *b, const struct sql_expr *at, const char *what);
// Cleared memory of the plan; NULL = failure recorded.
void *sql_bind_alloc(struct sql_bind *b, size_t size);
// Runs fn(ptr) when the plan is destroyed. -1 = failure recorded (and fn was run).
int sql_bind_defer(struct sql_bind *b, void (*fn)(void *), void *ptr);
// Wraps *slot in a cast to `type` (nullable as the argument is) unless it has that type; implicit where Flink casts by
// itself. A literal is folded at once.
int sql_bind_cast(struct sql_bind *b, struct sql_expr **slot, const struct leat_type *type);
// Wraps an exact number in a cast to the DECIMAL of its digits, unless it is a DECIMAL.
int sql_bind_to_decimal(struct sql_bind *b, struct sql_expr **slot);
// A call of another function over bound arguments, e.g. to rewrite NULLIF as CASE. NULL = failure recorded.
struct sql_expr *sql_bind_call(struct sql_bind *b, const struct sql_expr *at, const struct sql_func *f,
                               struct sql_expr **args, uint32_t count);
struct sql_expr *sql_bind_literal(struct sql_bind *b, const struct sql_expr *at, const struct leat_type *type,
                                  union leat_cell cell);

// e becomes a copy of `by`, for derivers that rewrite their call altogether. 0.
int sql_bind_become(struct sql_bind *b, struct sql_expr *e, const struct sql_expr *by);

// 1 if any argument may be NULL: the usual nullability of a result.
uint8_t sql_args_nullable(const struct sql_expr *e);
// The longest that the first two arguments are behind one another.
uint32_t sql_length_both(const struct sql_expr *e);

// Types for results, in the plan's arena or static. NULL = failure recorded.
const struct leat_type *sql_bind_type(struct sql_bind *b, uint8_t kind, uint8_t nullable);
const struct leat_type *sql_bind_decimal(struct sql_bind *b, uint8_t precision, uint8_t scale, uint8_t nullable);
const struct leat_type *sql_bind_sized(struct sql_bind *b, uint8_t kind, uint32_t length, uint8_t nullable);
const struct leat_type *sql_bind_time(struct sql_bind *b, uint8_t kind, uint8_t precision, uint8_t nullable);
const struct leat_type *sql_bind_nullable(struct sql_bind *b, const struct leat_type *t, uint8_t nullable);
const struct leat_type *sql_bind_array(struct sql_bind *b, const struct leat_type *element, uint8_t nullable);
static inline const struct leat_type *sql_bind_string(struct sql_bind *b, uint8_t nullable)
{
    return sql_bind_sized(b, LEAT_TYPE_VARCHAR, LEAT_LENGTH_MAX, nullable);
}

// Derivers for the common cases (registry rows point at them).
int sql_derive_boolean(struct sql_bind *b, struct sql_expr *e); // BOOLEAN, nullable as its arguments
int sql_derive_int(struct sql_bind *b, struct sql_expr *e);
int sql_derive_bigint(struct sql_bind *b, struct sql_expr *e);
int sql_derive_double(struct sql_bind *b, struct sql_expr *e);
int sql_derive_string(struct sql_bind *b, struct sql_expr *e);      // STRING, nullable as its arguments
int sql_derive_string_null(struct sql_bind *b, struct sql_expr *e); // STRING, always nullable
// Refuses by sql_bind_mismatch unless argument i is of that class; a keyword is of none.
int sql_want_string(struct sql_bind *b, struct sql_expr *e, uint32_t i);
int sql_want_strings(struct sql_bind *b, struct sql_expr *e, uint32_t from, uint32_t to); // arguments from … to - 1
int sql_want_numeric(struct sql_bind *b, struct sql_expr *e, uint32_t i);
int sql_want_integer(struct sql_bind *b, struct sql_expr *e, uint32_t i);
int sql_want_boolean(struct sql_bind *b, struct sql_expr *e, uint32_t i);

// Times and intervals in + - * and comparisons; e->func->name says which. Called by the deriver of the operator when
// an argument is a time or an interval. Refuses by sql_bind_mismatch.
int sql_derive_time_arith(struct sql_bind *b, struct sql_expr *e);

// --- casts (cast/cast.c) -------------------------------------------------------------------------------------------

// Chooses e->row (or e->eval) for the cast of e->args[0]->type to e->type, or refuses by sql_bind_error: "cannot cast
// DATE to INT". e is a SQL_EXPR_CAST; its type has its nullability already. Called for explicit and implicit casts.
// Kernels report values that do not fit by sql_fail; TRY_CAST is made of that by the caller.
int sql_cast_compile(struct sql_bind *b, struct sql_expr *e);

// One value as text, as CAST AS STRING prints it; also of elements of collections. 0, or -1 (failure recorded).
int sql_cell_text(struct sql_evaluator *ev, const struct sql_expr *e, const struct leat_type *type,
                  const union leat_cell *cell, struct leat_bytes *out);

// --- JSON clauses ---------------------------------------------------------------------------------------------------

// What stood behind the arguments of a JSON function.
struct sql_json_clauses {
    uint8_t on_empty, on_error, on_null; // SQL_JSON_*
    uint8_t wrapper;
    uint8_t unique_keys;
    uint32_t empty_arg, error_arg;     // index in args of the DEFAULT expressions; UINT32_MAX = none
    const struct leat_type *returning; // or NULL
};

#endif
