// SPDX-License-Identifier: Apache-2.0
// = <> < <= > >=, BETWEEN, IN, IS [NOT] DISTINCT FROM.
//
// Operands are first brought to one type (sql_compare_unify), then compared by the physical form of that type. Strings
// compare by their bytes, without padding: CHAR(5) 'ab   ' is not 'ab'. NaN equals nothing, itself included.
#include "expr/expr.h"

#include <string.h>

#include "decimal.h"
#include "expr/types.h"
#include "functions/compare.h"
#include "functions/pairs.h"

enum { EQUAL = 1, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

static int op_of(const char *name)
{
    static const char *const names[] = {"=", "<>", "<", "<=", ">", ">="};
    for (int i = 0; i < 6; i++)
        if (!strcmp(name, names[i]))
            return i + 1;
    return 0;
}

// --- two values of one type ---

static int order3(int less, int more)
{
    return less ? -1 : more;
}

static int compare_bytes(struct leat_bytes a, struct leat_bytes b)
{
    int c = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return c ? order3(c < 0, 1) : order3(a.len<b.len, a.len> b.len);
}

int sql_datum_same(const struct leat_type *t, const struct leat_datum *a, const struct leat_datum *b)
{
    if (a->state != LEAT_VALUE || b->state != LEAT_VALUE)
        return a->state != LEAT_VALUE && b->state != LEAT_VALUE;
    return sql_cell_compare(t, &a->cell, &b->cell) == 0;
}

uint32_t sql_map_find(const struct leat_type *key_type, const struct leat_datum *items, uint32_t count,
                      const struct leat_datum *key)
{
    uint32_t i = 0;
    while (i < count && !sql_datum_same(key_type, &items[i], key))
        i += 2;
    return i;
}

// Maps are equal when each key of one has the same value in the other.
static int map_equal(const struct leat_type *t, const struct leat_list *a, const struct leat_list *b)
{
    for (uint32_t i = 0; i + 1 < a->count; i += 2) {
        uint32_t j = sql_map_find(&t->children[0], b->items, b->count, &a->items[i]);
        if (j + 1 >= b->count || !sql_datum_same(&t->children[1], &a->items[i + 1], &b->items[j + 1]))
            return 0;
    }
    return 1;
}

static int list_equal(const struct leat_type *t, const struct leat_list *a, const struct leat_list *b)
{
    if (a->count != b->count)
        return 0;
    if (t->kind == LEAT_TYPE_MAP)
        return map_equal(t, a, b);
    for (uint32_t i = 0; i < a->count; i++)
        if (!sql_datum_same(leat_type_child(t, i), &a->items[i], &b->items[i]))
            return 0;
    return 1;
}

int sql_cell_compare(const struct leat_type *t, const union leat_cell *a, const union leat_cell *b)
{
    switch (t->kind) {
    case LEAT_TYPE_FLOAT:
        return a->f32 == b->f32 ? 0 : a->f32 < b->f32 ? -1 : a->f32 > b->f32 ? 1 : SQL_UNORDERED;
    case LEAT_TYPE_DOUBLE:
        return a->f64 == b->f64 ? 0 : a->f64 < b->f64 ? -1 : a->f64 > b->f64 ? 1 : SQL_UNORDERED;
    case LEAT_TYPE_DECIMAL:
        return order3(a->i128<b->i128, a->i128> b->i128);
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        return compare_bytes(a->bytes, b->bytes);
    case LEAT_TYPE_ARRAY:
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        return list_equal(t, &a->list, &b->list) ? 0 : SQL_UNORDERED;
    default:
        return order3(a->i64<b->i64, a->i64> b->i64);
    }
}

// --- bringing operands together ---

// The type in which two operands are compared, or NULL when they cannot be. `equality`: = and <>, which Flink does not
// apply to a string and a number.
static const struct leat_type *compare_type(struct sql_bind *b, const struct leat_type *x, const struct leat_type *y,
                                            int equality)
{
    if (sql_type_is_approx(x->kind) && sql_type_is_approx(y->kind) && !equality)
        return sql_bind_type(b, x->kind > y->kind ? x->kind : y->kind, 1);
    int sx = leat_type_is_string(x->kind), sy = leat_type_is_string(y->kind);
    if (sx != sy) {
        const struct leat_type *other = sx ? y : x;
        if (sql_type_is_datetime(other->kind) || (sql_type_is_numeric(other->kind) && !equality))
            return other;
        return NULL;
    }
    return sql_type_common(b, x, y,
                           sql_type_is_timestamp(x->kind) && x->kind == y->kind ? SQL_MERGE_FLINK : SQL_MERGE_CALCITE);
}

// Decimals are compared as they are where a common type would have more than 38 digits.
static int decimals_overflow(const struct leat_type *x, const struct leat_type *y)
{
    struct sql_digits dx = sql_type_digits(x), dy = sql_type_digits(y);
    unsigned whole =
        dx.precision - dx.scale > dy.precision - dy.scale ? dx.precision - dx.scale : dy.precision - dy.scale;
    return whole + (dx.scale > dy.scale ? dx.scale : dy.scale) > LEAT_DECIMAL_MAX;
}

static int is_exact_pair(const struct leat_type *x, const struct leat_type *y)
{
    return sql_type_is_exact(x->kind) && sql_type_is_exact(y->kind) &&
           (x->kind == LEAT_TYPE_DECIMAL || y->kind == LEAT_TYPE_DECIMAL);
}

// --- kernels ---

struct comparison {
    uint8_t op;
    uint8_t left_scale, right_scale; // eval_decimals
    uint8_t same;                    // both sides are one column, which Flink takes for equal even when it is NaN
    const struct leat_type *type;
};

// The answer by the order of the operands: [order + 1], for each op. SQL_UNORDERED satisfies only <>.
static int holds(uint8_t op, int order)
{
    if (order == SQL_UNORDERED)
        return op == UNEQUAL;
    switch (op) {
    case EQUAL:
        return order == 0;
    case UNEQUAL:
        return order != 0;
    case LESS:
        return order < 0;
    case LESS_EQUAL:
        return order <= 0;
    case GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

// Sets the result of each row to `test`, with a and b the cells.
#define EACH_ROW(test) SQL_EACH_PAIR(&o, sel, to->i64 = (test);)

static int eval_integers(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                         struct sql_vec *out)
{
    const struct comparison *c = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    switch (c->op) {
    case EQUAL:
        EACH_ROW(a->i64 == b->i64) break;
    case UNEQUAL:
        EACH_ROW(a->i64 != b->i64) break;
    case LESS:
        EACH_ROW(a->i64 < b->i64) break;
    case LESS_EQUAL:
        EACH_ROW(a->i64 <= b->i64) break;
    case GREATER:
        EACH_ROW(a->i64 > b->i64) break;
    default:
        EACH_ROW(a->i64 >= b->i64)
    }
    return 0;
}

// Equality of strings: the lengths differ most of the time.
static int eval_bytes_equal(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                            struct sql_vec *out)
{
    const struct comparison *c = e->data;
    int want = c->op == EQUAL;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    EACH_ROW((a->bytes.len == b->bytes.len && !memcmp(a->bytes.ptr, b->bytes.ptr, a->bytes.len)) == want)
    return 0;
}

static int eval_any(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    const struct comparison *c = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    EACH_ROW(holds(c->op, c->same ? 0 : sql_cell_compare(c->type, a, b)))
    return 0;
}

static int eval_decimals(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                         struct sql_vec *out)
{
    const struct comparison *c = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    EACH_ROW(holds(c->op, decimal_compare(a->i128, c->left_scale, b->i128, c->right_scale)))
    return 0;
}

// --- deriving ---

static int derive_wide_decimals(struct sql_bind *b, struct sql_expr *e, struct comparison *c)
{
    if (sql_bind_to_decimal(b, &e->args[0]) || sql_bind_to_decimal(b, &e->args[1]))
        return -1;
    c->left_scale = e->args[0]->type->scale;
    c->right_scale = e->args[1]->type->scale;
    e->eval = eval_decimals;
    return 0;
}

static sql_eval_fn kernel_for(const struct comparison *c)
{
    uint8_t kind = c->type->kind;
    if (leat_type_is_bytes(kind) && c->op <= UNEQUAL)
        return eval_bytes_equal;
    if (leat_type_is_integer(kind) || kind == LEAT_TYPE_BOOLEAN || sql_type_is_datetime(kind) ||
        sql_type_is_interval(kind))
        return eval_integers;
    return eval_any;
}

static int is_same_column(const struct sql_expr *x, const struct sql_expr *y)
{
    return x->form == SQL_EXPR_COLUMN && y->form == SQL_EXPR_COLUMN && x->column == y->column;
}

static int compare_as(struct sql_bind *b, struct sql_expr *e, uint8_t op, int equality)
{
    const struct leat_type *x = e->args[0]->type, *y = e->args[1]->type;
    struct comparison *c = sql_bind_alloc(b, sizeof *c);
    if (!c || !x || !y)
        return c ? sql_bind_mismatch(b, e) : -1;
    c->op = op;
    c->same = (uint8_t)is_same_column(e->args[0], e->args[1]);
    e->data = c;
    if (x->kind == LEAT_TYPE_NULL && y->kind == LEAT_TYPE_NULL) { // NULL = NULL
        c->type = sql_bind_type(b, LEAT_TYPE_INT, 1);
        e->eval = eval_integers;
        return c->type ? 0 : -1;
    }
    if (is_exact_pair(x, y) && decimals_overflow(x, y))
        return derive_wide_decimals(b, e, c);
    c->type = compare_type(b, x, y, equality);
    if (!c->type || (leat_type_is_list(c->type->kind) && op > UNEQUAL))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    if (sql_bind_cast(b, &e->args[0], c->type) || sql_bind_cast(b, &e->args[1], c->type))
        return -1;
    e->eval = kernel_for(c);
    return 0;
}

// A ROW whose fields are known apart: a constructor, or the literal that it was folded to.
static int is_row_of(const struct sql_expr *e, uint32_t count)
{
    if (e->form == SQL_EXPR_LITERAL)
        return e->type->kind == LEAT_TYPE_ROW && e->literal.state == LEAT_VALUE && e->type->child_count == count;
    return e->form == SQL_EXPR_CALL && !strcmp(e->func->name, "ROW") && e->arg_count == count;
}

static struct sql_expr *row_field(struct sql_bind *b, const struct sql_expr *e, uint32_t i)
{
    if (e->form == SQL_EXPR_CALL)
        return e->args[i];
    const struct leat_datum *d = &e->literal.cell.list.items[i];
    struct sql_expr *field = sql_bind_literal(b, e, &e->type->children[i], d->cell);
    if (field)
        field->literal.state = d->state;
    return field;
}

// ROW(a, b) = ROW(c, d) is a = c AND b = d, <> is its NOT: NULL among the fields makes the answer unknown.
static int derive_rows(struct sql_bind *b, struct sql_expr *e, uint8_t op)
{
    struct sql_expr *x = e->args[0], *y = e->args[1], *all = NULL;
    for (uint32_t i = 0; i < x->type->child_count; i++) {
        struct sql_expr *fields[] = {row_field(b, x, i), row_field(b, y, i)}, *pair[] = {all, NULL};
        if (!fields[0] || !fields[1])
            return -1;
        pair[1] = sql_bind_call(b, e, sql_func_operator("="), fields, 2);
        all = pair[1] && all ? sql_bind_call(b, e, sql_func_operator("AND"), pair, 2) : pair[1];
        if (!all)
            return -1;
    }
    if (op == UNEQUAL && !(all = sql_bind_call(b, e, sql_func_operator("NOT"), &all, 1)))
        return -1;
    return sql_bind_become(b, e, all);
}

static int derive_compare(struct sql_bind *b, struct sql_expr *e)
{
    uint8_t op = (uint8_t)op_of(e->func->name);
    const struct leat_type *t = e->args[0]->type;
    if (op <= UNEQUAL && t && t->kind == LEAT_TYPE_ROW && is_row_of(e->args[0], t->child_count) &&
        is_row_of(e->args[1], t->child_count))
        return derive_rows(b, e, op);
    if (compare_as(b, e, op, op <= UNEQUAL)) {
        for (uint32_t i = 0; i < 2; i++)
            if (e->args[i]->type && e->args[i]->type->kind == LEAT_TYPE_NULL)
                sql_diag_hint(b->diag, "Nothing equals NULL: write IS NULL or IS NOT NULL.");
        return -1;
    }
    return sql_derive_boolean(b, e);
}

// x BETWEEN a AND b is x >= a AND x <= b; SYMMETRIC the same or the other way round.
static int derive_between(struct sql_bind *b, struct sql_expr *e)
{
    int symmetric = strlen(e->func->name) > sizeof "BETWEEN";
    struct sql_expr *x = e->args[0], *low = e->args[1], *high = e->args[2], *ways[2];
    for (int i = 0; i <= symmetric; i++) {
        struct sql_expr *parts[2];
        parts[0] = sql_bind_call(b, e, sql_func_operator(">="), (struct sql_expr *[]){x, i ? high : low}, 2);
        parts[1] =
            parts[0] ? sql_bind_call(b, e, sql_func_operator("<="), (struct sql_expr *[]){x, i ? low : high}, 2) : NULL;
        ways[i] = parts[1] ? sql_bind_call(b, e, sql_func_operator("AND"), parts, 2) : NULL;
        if (!ways[i])
            return -1;
    }
    struct sql_expr *r = symmetric ? sql_bind_call(b, e, sql_func_operator("OR"), ways, 2) : ways[0];
    if (!r)
        return -1;
    return sql_bind_become(b, e, r);
}

// --- IN ---

struct in_list {
    const struct leat_type *type;
    uint32_t count;
};

// One comparison after the other for rows not yet found; NULL among the list makes "not found" unknown.
static int eval_in(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel, struct sql_vec *out)
{
    const struct in_list *l = e->data;
    struct sql_vec x, item;
    struct sql_vec_out to;
    if (sql_eval(ev, e->args[0], sel, &x) || sql_vec_alloc(ev, &to))
        return -1;
    sql_vec_done(&to, out);
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = sql_sel_row(sel, k);
        to.cells[r].i64 = 0;
        to.states[r] = x.states[sql_vec_at(&x, r)] == LEAT_VALUE ? LEAT_VALUE : LEAT_NULL;
    }
    for (uint32_t i = 1; i < e->arg_count; i++) {
        if (sql_eval(ev, e->args[i], sel, &item))
            return -1;
        int same = is_same_column(e->args[0], e->args[i]);
        for (uint32_t k = 0; k < sel->count; k++) {
            uint32_t r = sql_sel_row(sel, k), rx = sql_vec_at(&x, r), ri = sql_vec_at(&item, r);
            if (x.states[rx] != LEAT_VALUE || to.cells[r].i64)
                continue;
            if (item.states[ri] != LEAT_VALUE) {
                to.states[r] = LEAT_NULL;
            } else if (same || sql_cell_compare(l->type, &x.cells[rx], &item.cells[ri]) == 0) {
                to.cells[r].i64 = 1;
                to.states[r] = LEAT_VALUE;
            }
        }
    }
    return 0;
}

static int derive_in(struct sql_bind *b, struct sql_expr *e)
{
    struct in_list *l = sql_bind_alloc(b, sizeof *l);
    if (!l || !e->args[0]->type)
        return -1;
    const struct leat_type *t = e->args[0]->type;
    for (uint32_t i = 1; i < e->arg_count; i++) {
        const struct leat_type *item = e->args[i]->type;
        t = item ? compare_type(b, t, item, 0) : NULL;
        if (!t)
            return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    }
    if (sql_derive_boolean(b, e))
        return -1;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (sql_bind_cast(b, &e->args[i], t))
            return -1;
    l->type = t;
    e->data = l;
    return 0;
}

// --- IS [NOT] DISTINCT FROM: NULL is a value like others ---

static int eval_distinct(struct sql_evaluator *ev, const struct sql_expr *e, const struct sql_sel *sel,
                         struct sql_vec *out)
{
    const struct comparison *c = e->data;
    struct sql_pairs o;
    if (sql_pairs_eval(ev, e, sel, &o, out))
        return -1;
    for (uint32_t k = 0; k < sel->count; k++) {
        uint32_t r = sql_sel_row(sel, k), ra = sql_vec_at(&o.left, r), rb = sql_vec_at(&o.right, r);
        int va = o.left.states[ra] == LEAT_VALUE, vb = o.right.states[rb] == LEAT_VALUE, same = va == vb;
        if (va && vb)
            same = c->type ? sql_cell_compare(c->type, &o.left.cells[ra], &o.right.cells[rb]) == 0
                           : decimal_compare(o.left.cells[ra].i128, c->left_scale, o.right.cells[rb].i128,
                                             c->right_scale) == 0;
        o.to.states[r] = LEAT_VALUE;
        o.to.cells[r].i64 = same == (c->op == EQUAL);
    }
    return 0;
}

static int derive_distinct(struct sql_bind *b, struct sql_expr *e)
{
    uint8_t op = strstr(e->func->name, "NOT") ? EQUAL : UNEQUAL;
    int same = is_same_column(e->args[0], e->args[1]);
    if (compare_as(b, e, op, 1))
        return -1;
    e->eval = eval_distinct;
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, 0);
    if (!e->type || !same)
        return e->type ? 0 : -1;
    struct sql_expr *r = sql_bind_literal(b, e, e->type, (union leat_cell){.i64 = op == EQUAL});
    return r ? sql_bind_become(b, e, r) : -1;
}

#define COMPARE(n)                                                                                                     \
    {                                                                                                                  \
        .name = n, .min_args = 2, .max_args = 2, .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED,                        \
        .derive = derive_compare                                                                                       \
    }

static const struct sql_func rows[] = {
    COMPARE("="),
    COMPARE("<>"),
    COMPARE("<"),
    COMPARE("<="),
    COMPARE(">"),
    COMPARE(">="),
    {.name = "BETWEEN", .min_args = 3, .max_args = 3, .flags = SQL_FUNC_OPERATOR, .derive = derive_between},
    {.name = "BETWEEN SYMMETRIC", .min_args = 3, .max_args = 3, .flags = SQL_FUNC_OPERATOR, .derive = derive_between},
    {.name = "IN",
     .min_args = 2,
     .max_args = 255,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED,
     .derive = derive_in,
     .eval = eval_in},
    {.name = "IS DISTINCT FROM",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED,
     .derive = derive_distinct},
    {.name = "IS NOT DISTINCT FROM",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_OPERATOR | SQL_FUNC_UNTYPED,
     .derive = derive_distinct},
};
const struct sql_func_table sql_compare_funcs = SQL_FUNC_TABLE(rows);
