// SPDX-License-Identifier: Apache-2.0
// The parser, the binder and the evaluator with any text. The first byte says what the rest is: 'c' the columns of a
// table, 'e' an expression over the table below (bound and computed for three rows), anything else a query (planned
// over inputs of that table's columns).
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr/bind.h"
#include "plan/plan.h"
#include "plan/review.h"
#include "syntax/parser.h"

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)(s), sizeof(s) - 1                                                                            \
    }

static const struct leat_field fields[] = {
    {NAME("i"), {.kind = LEAT_TYPE_INT, .nullable = 1}},
    {NAME("b"), {.kind = LEAT_TYPE_BIGINT}},
    {NAME("d"), {.kind = LEAT_TYPE_DOUBLE, .nullable = 1}},
    {NAME("n"), {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 10, .scale = 2}},
    {NAME("s"), {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {NAME("t"), {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3}},
    {NAME("x"), {.kind = LEAT_TYPE_DATE, .nullable = 1}},
    {NAME("o"), {.kind = LEAT_TYPE_BOOLEAN, .nullable = 1}},
};
#define FIELDS (sizeof fields / sizeof *fields)

static const union leat_cell numbers[3] = {{.i64 = 7}, {.i64 = 0}, {.i64 = -1}};
static const union leat_cell doubles[3] = {{.f64 = 1.5}, {.f64 = 0}, {.f64 = -1}};
static const union leat_cell decimals[3] = {{.i128 = 12345}, {.i128 = 0}, {.i128 = -1}};
static const union leat_cell strings[3] = {{.bytes = NAME("abc")}, {.bytes = NAME("")}, {.bytes = NAME("7")}};
static const union leat_cell booleans[3] = {{.i64 = 1}, {.i64 = 0}, {.i64 = 0}};
static const uint8_t states[3] = {LEAT_VALUE, LEAT_VALUE, LEAT_NULL};
static const uint8_t values[3];

static void expression(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d)
{
    const struct sql_vec columns[FIELDS] = {{numbers, states, 0},  {numbers, values, 0}, {doubles, states, 0},
                                            {decimals, states, 0}, {strings, states, 0}, {numbers, states, 0},
                                            {numbers, states, 0},  {booleans, states, 0}};
    struct sql_scope_column scope_columns[FIELDS];
    for (uint32_t c = 0; c < FIELDS; c++)
        scope_columns[c] = (struct sql_scope_column){
            .table = NAME("tab"), .name = fields[c].name, .type = &fields[c].type, .index = c};
    struct sql_scope scope = {scope_columns, FIELDS};
    struct sql_node *n = sql_parse_expression(a, text, d);
    if (!n)
        return;
    struct sql_evaluator ev, fold;
    struct sql_bind b;
    sql_evaluator_init(&ev, "UTC");
    sql_evaluator_init(&fold, "UTC");
    ev.arena.limit = fold.arena.limit = 256u << 20;
    sql_bind_init(&b, a, d, &fold);
    b.scope = &scope;
    struct sql_expr *e = sql_bind_expr(&b, n);
    struct sql_vec v;
    ev.columns = columns;
    ev.column_count = FIELDS;
    ev.rows = 3;
    if (e && e->type)
        (void)sql_eval(&ev, e, &(struct sql_sel){NULL, 3}, &v);
    sql_bind_fini(&b);
    sql_evaluator_fini(&ev);
    sql_evaluator_fini(&fold);
}

static void query(struct leat_bytes text)
{
    static const uint32_t key[] = {1};
    const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = FIELDS, .columns = fields};
    struct leat_schema keyed = schema;
    keyed.key = key;
    keyed.key_count = 1;
    struct leat_input inputs[LEAT_INPUTS_MAX];
    struct sql_faults faults = {.count = 0};
    struct sql_parsed *q = sql_query_parse(text, &faults);
    if (!q)
        return;
    for (uint32_t i = 0; i < LEAT_INPUTS_MAX; i++)
        inputs[i] = (struct leat_input){i & 1 ? &keyed : &schema, i & 1 ? LEAT_MODE_UPSERT : LEAT_MODE_INSERT_ONLY, 1};
    struct sql_plan *p = faults.count ? NULL : sql_plan_create(q, inputs, q->table_count, "UTC", &faults);
    if (!p)
        sql_review_destroy(sql_review_create(q, inputs, q->table_count, "UTC", &faults));
    sql_plan_unref(p);
    sql_query_destroy(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sql_arena arena;
    struct sql_diag d = {0};
    if (len < 1 || len > 65536)
        return 0;
    struct leat_bytes text = {data + 1, (uint32_t)len - 1};
    sql_arena_init(&arena, 256u << 20);
    if (data[0] == 'c')
        (void)sql_parse_columns(&arena, text, &d);
    else if (data[0] == 'e')
        expression(&arena, text, &d);
    else
        query(text);
    sql_arena_fini(&arena);
    return 0;
}
