// SPDX-License-Identifier: Apache-2.0
// See columns.h.
#include "checkpoint/columns.h"

#include <string.h>

#include "data/schema.h"
#include "typetext.h"

static leat_status changed(const struct columns_seen *was, const struct leat_bytes *column, struct base_error *error)
{
    base_fail(error, LEAT_FATAL, "LEAT-G0026",
              "column \"%.*s\" of \"%s%s%s\" was dropped, renamed or given another type while leat ran",
              (int)column->len, (const char *)column->ptr, was->node, *was->port ? "." : "", was->port);
    base_error_node(error, was->node);
    base_error_hint(error,
                    "Check what reads the column, then restart leat: the columns are then taken as they are now, "
                    "and the position is kept.");
    return LEAT_FATAL;
}

static leat_status compare(const struct columns_seen *was, const struct leat_schema *now, struct base_error *error)
{
    for (uint32_t i = 0; i < was->schema->column_count; i++) {
        const struct leat_field *field = &was->schema->columns[i];
        uint32_t at = leat_schema_find(now, field->name);
        if (at == UINT32_MAX || !typetext_same(&field->type, &now->columns[at].type))
            return changed(was, &field->name, error);
    }
    return LEAT_OK;
}

static leat_status remember(struct columns_seen **seen, struct base_arena *arena, const struct plan_node *node,
                            const struct plan_output *out, struct base_error *error)
{
    struct columns_seen *entry = base_arena_calloc(arena, 1, sizeof *entry);
    if (!entry)
        return base_no_memory(error);
    *entry = (struct columns_seen){*seen, base_arena_strdup(arena, node->name), base_arena_strdup(arena, out->name),
                                   data_schema_copy(arena, out->schema)};
    if (!entry->node || !entry->port || !entry->schema)
        return base_no_memory(error);
    *seen = entry;
    return LEAT_OK;
}

static leat_status check_output(struct columns_seen **seen, struct base_arena *arena, const struct plan_node *node,
                                const struct plan_output *out, struct base_error *error)
{
    if (!out->schema)
        return LEAT_OK;
    for (const struct columns_seen *was = *seen; was; was = was->next)
        if (strcmp(was->node, node->name) == 0 && strcmp(was->port, out->name) == 0)
            return compare(was, out->schema, error);
    return remember(seen, arena, node, out, error);
}

leat_status columns_check(struct columns_seen **seen, struct base_arena *arena, const struct plan_job *plan,
                          struct base_error *error)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < plan->node_count; i++)
        for (uint32_t k = 0; plan->nodes[i]->kind == LEAT_SOURCE && k < plan->nodes[i]->output_count && st >= 0; k++)
            st = check_output(seen, arena, plan->nodes[i], &plan->nodes[i]->outputs[k], error);
    return st;
}

static uint32_t count_of(const struct columns_seen *seen, const struct plan_node *node)
{
    uint32_t count = 0;
    for (; seen; seen = seen->next)
        count += strcmp(seen->node, node->name) == 0;
    return count;
}

static leat_status remind(const struct columns_seen *seen, struct plan_job *plan, struct plan_node *node,
                          struct base_error *error)
{
    uint32_t count = count_of(seen, node);
    if (!count)
        return LEAT_OK;
    struct leat_ports *ports = base_arena_calloc(plan->arena, 1, sizeof *ports);
    struct leat_port *items = base_arena_calloc(plan->arena, count, sizeof *items);
    if (!ports || !items)
        return base_no_memory(error);
    *ports = (struct leat_ports){.items = items, .stride = sizeof *items};
    for (; seen; seen = seen->next)
        if (strcmp(seen->node, node->name) == 0)
            items[ports->count++] = (struct leat_port){
                .name = {(const uint8_t *)seen->port, (uint32_t)strlen(seen->port)}, .schema = seen->schema};
    node->source_request.seen = ports;
    return LEAT_OK;
}

leat_status columns_remind(const struct columns_seen *seen, struct plan_job *plan, struct base_error *error)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < plan->node_count && st >= 0; i++)
        if (plan->nodes[i]->kind == LEAT_SOURCE)
            st = remind(seen, plan, plan->nodes[i], error);
    return st;
}
