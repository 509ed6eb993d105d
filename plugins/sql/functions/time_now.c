// SPDX-License-Identifier: Apache-2.0
// The clock, read once per batch: CURRENT_TIMESTAMP, NOW(), LOCALTIMESTAMP, CURRENT_DATE, CURRENT_TIME, LOCALTIME.
#include "expr/expr.h"

#include <string.h>

#include "calendar_zone.h"
#include "expr/text.h"
#include "functions/time.h"

static int row_now(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    int64_t now = calendar_floor_div(ev->now, 1000) * 1000;
    if (e->type->kind == LEAT_TYPE_TIMESTAMP_LTZ) {
        out->i64 = now;
        return 0;
    }
    int64_t local = calendar_zone_to_local(e->data, now);
    if (e->type->kind == LEAT_TYPE_DATE)
        local = calendar_date_of(local);
    else if (e->type->kind == LEAT_TYPE_TIME)
        local = calendar_time_of(local) / CALENDAR_SECOND * CALENDAR_SECOND;
    out->i64 = local;
    return 0;
}

static int derive_now(struct sql_bind *b, struct sql_expr *e)
{
    static const struct {
        const char *name;
        uint8_t kind, precision;
    } names[] = {{"CURRENT_DATE", LEAT_TYPE_DATE, 0},
                 {"CURRENT_TIME", LEAT_TYPE_TIME, 0},
                 {"LOCALTIME", LEAT_TYPE_TIME, 0},
                 {"LOCALTIMESTAMP", LEAT_TYPE_TIMESTAMP, 3}};
    uint8_t kind = LEAT_TYPE_TIMESTAMP_LTZ, precision = 3;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i].name, e->func->name)) {
            kind = names[i].kind;
            precision = names[i].precision;
        }
    e->type = sql_bind_time(b, kind, precision, 0);
    return e->type ? sql_bind_zone(b, e) : -1;
}

static int row_database(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    static const uint8_t name[] = "default_database";
    out->bytes = (struct leat_bytes){name, sizeof name - 1};
    return 0;
}

#define CLOCK(n, f)                                                                                                    \
    {                                                                                                                  \
        .name = n, .flags = SQL_FUNC_VARIES | (f), .derive = derive_now, .row = row_now, .form = n                     \
    }

static const struct sql_func rows[] = {
    CLOCK("CURRENT_DATE", SQL_FUNC_NO_PAREN),
    CLOCK("CURRENT_TIME", SQL_FUNC_NO_PAREN),
    CLOCK("CURRENT_TIMESTAMP", SQL_FUNC_NO_PAREN),
    CLOCK("LOCALTIME", SQL_FUNC_NO_PAREN),
    CLOCK("LOCALTIMESTAMP", SQL_FUNC_NO_PAREN),
    CLOCK("NOW", 0),
    CLOCK("CURRENT_ROW_TIMESTAMP", 0),
    CLOCK("PROCTIME", 0),
    {.name = "CURRENT_DATABASE", .derive = sql_derive_string, .row = row_database, .form = "CURRENT_DATABASE()"},
};
const struct sql_func_table sql_time_now_funcs = SQL_FUNC_TABLE(rows);
