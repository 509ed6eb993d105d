// SPDX-License-Identifier: Apache-2.0
// All functions and operators by name. A theme's file exports a table; here they are listed.
#include "expr/expr.h"

#include <string.h>
#include <strings.h>

#include "expr/registry.h"
#include "nearest.h"

static const struct sql_func_table *const tables[] = {
    &sql_arith_funcs,    &sql_compare_funcs, &sql_logic_funcs,       &sql_cond_funcs,           &sql_like_funcs,
    &sql_regexp_funcs,   &sql_string_funcs,  &sql_string_find_funcs, &sql_string_meaning_funcs, &sql_codec_funcs,
    &sql_math_funcs,     &sql_round_funcs,   &sql_time_funcs,        &sql_time_text_funcs,      &sql_time_now_funcs,
    &sql_interval_funcs, &sql_list_funcs,    &sql_list_whole_funcs,  &sql_json_funcs,           &sql_json_make_funcs,
    &sql_not_yet_funcs,
};

#define TABLES (sizeof tables / sizeof *tables)

const struct sql_func *sql_func_find(struct leat_bytes name)
{
    for (size_t t = 0; t < TABLES; t++)
        for (uint32_t i = 0; i < tables[t]->count; i++) {
            const struct sql_func *f = &tables[t]->rows[i];
            if (strlen(f->name) == name.len && !strncasecmp(f->name, (const char *)name.ptr, name.len) &&
                !(f->flags & SQL_FUNC_OPERATOR))
                return f;
        }
    return NULL;
}

const struct sql_func *sql_func_operator(const char *name)
{
    for (size_t t = 0; t < TABLES; t++)
        for (uint32_t i = 0; i < tables[t]->count; i++)
            if ((tables[t]->rows[i].flags & SQL_FUNC_OPERATOR) && !strcmp(tables[t]->rows[i].name, name))
                return &tables[t]->rows[i];
    return NULL;
}

const char *sql_func_nearest(struct leat_bytes name)
{
    const char *best = NULL;
    uint32_t nearest = name.len < 4 ? 1 : name.len < 8 ? 2 : 3;
    for (size_t t = 0; t < TABLES; t++)
        for (uint32_t i = 0; i < tables[t]->count; i++) {
            const struct sql_func *f = &tables[t]->rows[i];
            if (f->flags & SQL_FUNC_OPERATOR)
                continue;
            uint32_t d = nearest_distance(f->name, strlen(f->name), (const char *)name.ptr, name.len);
            if (d <= nearest) {
                nearest = d;
                best = f->name;
            }
        }
    return best;
}
