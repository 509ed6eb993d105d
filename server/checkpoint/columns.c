// SPDX-License-Identifier: Apache-2.0
// See columns.h. What was seen is text, a line for each column: node, port, column and type, between tabs. Each line
// begins and ends with a line's end of its own, so that it can be sought whole.
#include "checkpoint/columns.h"

#include <string.h>

#include "typetext.h"

static void add_line(struct base_str *text, const struct plan_node *node, const struct plan_output *out,
                     const struct leat_field *column)
{
    char type[512];
    typetext_print(&column->type, type, sizeof type);
    base_str_addf(text, "\n%s\t%s\t%.*s\t%s\n", node->name, out->name, (int)column->name.len,
                  (const char *)column->name.ptr, type);
}

static leat_status changed(const struct plan_node *node, const struct plan_output *out, const char *line,
                           struct base_error *error)
{
    const char *column = strchr(strchr(line, '\t') + 1, '\t') + 1;
    base_fail(error, LEAT_FATAL, "LEAT-G0026",
              "column \"%.*s\" of \"%s%s%s\" was dropped, renamed or given another type while leat ran",
              (int)strcspn(column, "\t"), column, node->name, *out->name ? "." : "", out->name);
    base_error_node(error, node->name);
    base_error_hint(error,
                    "Check what reads the column, then restart leat: the columns are then taken as they are now, "
                    "and the position is kept.");
    return LEAT_FATAL;
}

static void lines_of(struct base_str *text, const struct plan_node *node, const struct plan_output *out)
{
    for (uint32_t c = 0; out->schema && c < out->schema->column_count; c++)
        add_line(text, node, out, &out->schema->columns[c]);
}

// Every line of this port that was seen must be there still; a port that is new is remembered.
static leat_status check_port(struct base_str *seen, const struct plan_node *node, const struct plan_output *out,
                              struct base_error *error)
{
    struct base_str start, now, line;
    leat_status st = LEAT_OK;
    base_str_init(&start);
    base_str_init(&now);
    base_str_init(&line);
    base_str_addf(&start, "\n%s\t%s\t", node->name, out->name);
    lines_of(&now, node, out);
    const char *at = strstr(seen->ptr, start.ptr);
    if (!at)
        base_str_addz(seen, now.ptr);
    for (; at && st >= 0; at = strstr(at + 1, start.ptr)) {
        base_str_clear(&line);
        base_str_add(&line, at, (size_t)(strchr(at + 1, '\n') + 1 - at));
        if (!strstr(now.ptr, line.ptr))
            st = changed(node, out, at + 1, error);
    }
    if (st >= 0 && !(base_str_ok(seen) && base_str_ok(&start) && base_str_ok(&now) && base_str_ok(&line)))
        st = base_no_memory(error);
    base_str_fini(&start);
    base_str_fini(&now);
    base_str_fini(&line);
    return st;
}

leat_status columns_check(struct base_str *seen, const struct plan_job *plan, struct base_error *error)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < plan->node_count; i++)
        for (uint32_t k = 0; plan->nodes[i]->kind == LEAT_SOURCE && k < plan->nodes[i]->output_count && st >= 0; k++)
            st = check_port(seen, plan->nodes[i], &plan->nodes[i]->outputs[k], error);
    return st;
}
