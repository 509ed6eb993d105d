// SPDX-License-Identifier: Apache-2.0
// See schema.h.
#include "data/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "typetext.h"

#define DEPTH_MAX 32

static int copy_bytes(struct base_arena *arena, struct leat_bytes *bytes)
{
    uint8_t *copy = base_arena_alloc(arena, bytes->len + 1);
    if (!copy)
        return 0;
    memcpy(copy, bytes->ptr, bytes->len);
    copy[bytes->len] = 0; // names are also read as C strings in messages
    bytes->ptr = copy;
    return 1;
}

static int copy_children(struct base_arena *arena, struct leat_type *type)
{
    if (type->child_count == 0)
        return 1;
    struct leat_type *children = base_arena_calloc(arena, type->child_count, sizeof *children);
    struct leat_bytes *names = type->names ? base_arena_calloc(arena, type->child_count, sizeof *names) : NULL;
    if (!children || (type->names && !names))
        return 0;
    for (uint32_t i = 0; i < type->child_count; i++) {
        children[i] = type->children[i];
        if (!copy_children(arena, &children[i]))
            return 0;
        if (names) {
            names[i] = type->names[i];
            if (!copy_bytes(arena, &names[i]))
                return 0;
        }
    }
    type->children = children;
    type->names = names;
    return 1;
}

// What no type may be. `depth`: how many types it lies in; one that holds itself has no end.
static const char *type_fault(const struct leat_type *type, unsigned depth)
{
    uint8_t kind = type->kind, most = kind == LEAT_TYPE_DECIMAL ? 38 : 6;
    if (type->flags & LEAT_TYPE_IS_UNKNOWN)
        return NULL;
    if (!kind || kind > LEAT_TYPE_NULL)
        return "has a type of no kind that there is";
    if (type->precision > most || (kind == LEAT_TYPE_DECIMAL && (!type->precision || type->scale > type->precision)))
        return "has a type with digits out of range";
    if (kind == LEAT_TYPE_ARRAY ? type->child_count != 1 : kind == LEAT_TYPE_MAP && type->child_count != 2)
        return "has a list or a map of other than one type or two";
    if (kind < LEAT_TYPE_ARRAY || kind > LEAT_TYPE_ROW || !type->child_count)
        return type->child_count ? "has a type of one value with types in it" : NULL;
    if (depth >= DEPTH_MAX || type->child_count > LEAT_COLUMNS_MAX)
        return "has a type that is nested too deeply, or has too many fields";
    if (!type->children || (kind == LEAT_TYPE_ROW && !type->names))
        return "has a type whose parts are NULL";
    const char *fault = NULL;
    for (uint32_t i = 0; i < type->child_count && !fault; i++)
        fault = type->names && type->names[i].len && !type->names[i].ptr ? "has a field whose name is NULL"
                                                                         : type_fault(&type->children[i], depth + 1);
    return fault;
}

const char *data_schema_fault(const struct leat_schema *schema, uint32_t *column)
{
    const char *fault = NULL;
    *column = UINT32_MAX;
    if (schema->column_count > LEAT_COLUMNS_MAX)
        return "has too many columns";
    if (schema->key_count > schema->column_count)
        return "has a key of more columns than it has";
    if ((schema->column_count && !schema->columns) || (schema->key_count && !schema->key))
        return schema->columns ? "has a key that is NULL" : "has columns that are NULL";
    for (uint32_t i = 0; i < schema->column_count && !fault; i++) {
        const struct leat_field *f = &schema->columns[i];
        fault = f->name.len && !f->name.ptr ? "has a name that is NULL" : type_fault(&f->type, 0);
        *column = fault ? i : UINT32_MAX;
    }
    for (uint32_t i = 0; i < schema->key_count && !fault; i++)
        fault = schema->key[i] < schema->column_count ? NULL : "has a key of columns that are not there";
    return fault;
}

struct leat_schema *data_schema_copy(struct base_arena *arena, const struct leat_schema *schema)
{
    struct leat_schema *copy = base_arena_calloc(arena, 1, sizeof *copy);
    struct leat_field *columns = base_arena_calloc(arena, schema->column_count + 1, sizeof *columns);
    uint32_t *key = base_arena_calloc(arena, schema->key_count + 1, sizeof *key);
    if (!copy || !columns || !key)
        return NULL;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        columns[i] = schema->columns[i];
        if (!copy_bytes(arena, &columns[i].name) || !copy_children(arena, &columns[i].type))
            return NULL;
    }
    for (uint32_t i = 0; i < schema->key_count; i++)
        key[i] = schema->key[i];
    *copy = (struct leat_schema){.struct_size = sizeof *copy,
                                 .flags = schema->flags,
                                 .column_count = schema->column_count,
                                 .key_count = schema->key_count};
    copy->columns = columns;
    copy->key = key;
    return copy;
}

size_t data_schema_print(const struct leat_schema *schema, char *out, size_t size)
{
    size_t len = 0;
#define PUT(...)                                                                                                       \
    do {                                                                                                               \
        size_t room = len < size ? size - len : 0;                                                                     \
        len += (size_t)snprintf(room ? out + len : NULL, room, __VA_ARGS__);                                           \
    } while (0)
    for (uint32_t i = 0; i < schema->column_count; i++) {
        char type[512];
        typetext_print(&schema->columns[i].type, type, sizeof type);
        int known = !(schema->columns[i].type.flags & LEAT_TYPE_IS_UNKNOWN);
        PUT("%s%.*s%s%s", i ? ", " : "", (int)schema->columns[i].name.len, (const char *)schema->columns[i].name.ptr,
            known ? " " : "", known ? type : "");
    }
    for (uint32_t i = 0; i < schema->key_count; i++) {
        const struct leat_bytes *name = &schema->columns[schema->key[i]].name;
        PUT("%s%.*s", i ? ", " : ", PRIMARY KEY (", (int)name->len, (const char *)name->ptr);
    }
    if (schema->key_count)
        PUT(")");
#undef PUT
    return len;
}

void data_schema_names(const struct leat_schema *schema, const uint32_t *columns, uint32_t count, struct base_str *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct leat_bytes *name = &schema->columns[columns[i]].name;
        base_str_addf(out, "%s%.*s", i ? ", " : "", (int)name->len, (const char *)name->ptr);
    }
}
