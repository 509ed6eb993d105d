// SPDX-License-Identifier: Apache-2.0
// See sql_files.h.
#include "cli/sql_files.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define LOOK_LINES 1000
#define COLUMNS    1024

enum found { FOUND_NOTHING, FOUND_BOOL, FOUND_INT, FOUND_REAL, FOUND_TEXT };

struct looking {
    struct base_arena *arena;
    const char *names[COLUMNS];
    enum found found[COLUMNS];
    uint32_t count;
};

static enum found kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return FOUND_NOTHING;
    case JSON_TRUE:
    case JSON_FALSE:
        return FOUND_BOOL;
    case JSON_INTEGER:
        return FOUND_INT;
    case JSON_REAL:
        return FOUND_REAL;
    default:
        return FOUND_TEXT;
    }
}

// The type that holds both.
static enum found join(enum found a, enum found b)
{
    if (a == b || b == FOUND_NOTHING)
        return a;
    if (a == FOUND_NOTHING)
        return b;
    bool numbers = (a == FOUND_INT || a == FOUND_REAL) && (b == FOUND_INT || b == FOUND_REAL);
    return numbers ? FOUND_REAL : FOUND_TEXT;
}

static bool look_at(struct looking *l, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        uint32_t i = 0;
        while (i < l->count && strcmp(l->names[i], key) != 0)
            i++;
        if (i == COLUMNS)
            return false;
        if (i == l->count && !(l->names[l->count++] = base_arena_strdup(l->arena, key)))
            return false;
        l->found[i] = join(l->found[i], kind_of(value));
    }
    return true;
}

static struct leat_type type_of(enum found found)
{
    switch (found) {
    case FOUND_BOOL:
        return (struct leat_type){.kind = LEAT_TYPE_BOOLEAN, .nullable = 1};
    case FOUND_INT:
        return (struct leat_type){.kind = LEAT_TYPE_BIGINT, .nullable = 1};
    case FOUND_REAL:
        return (struct leat_type){.kind = LEAT_TYPE_DOUBLE, .nullable = 1};
    default:
        return (struct leat_type){.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
    }
}

static const struct leat_schema *make_schema(struct looking *l, struct base_error *error)
{
    struct leat_schema *schema = base_arena_calloc(l->arena, 1, sizeof *schema);
    struct leat_field *columns = base_arena_calloc(l->arena, l->count + 1, sizeof *columns);
    if (!schema || !columns) {
        base_no_memory(error);
        return NULL;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        columns[i].name = (struct leat_bytes){(const uint8_t *)l->names[i], (uint32_t)strlen(l->names[i])};
        columns[i].type = type_of(l->found[i]);
    }
    *schema = (struct leat_schema){.struct_size = sizeof *schema, .column_count = l->count, .columns = columns};
    return schema;
}

static leat_status look_into(struct looking *l, FILE *file, const char *path, struct base_error *error)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    leat_status st = LEAT_OK;
    for (int number = 1; number <= LOOK_LINES && st == LEAT_OK && (n = getline(&line, &cap, file)) > 0; number++) {
        json_error_t why;
        if (strspn(line, " \t\r\n") == (size_t)n)
            continue;
        json_t *object = json_loadb(line, (size_t)n, 0, &why);
        if (!json_is_object(object))
            st = base_fail(error, LEAT_CONFIG, "LEAT-V0103", "line %d of \"%s\" is no JSON object%s%s", number, path,
                           object ? "" : ": ", object ? "" : why.text);
        else if (!look_at(l, object))
            st = base_fail(error, LEAT_CONFIG, "LEAT-V0104", "\"%s\" has more than %d columns", path, COLUMNS);
        json_decref(object);
    }
    free(line);
    return st;
}

const struct leat_schema *sql_file_schema(struct base_arena *arena, const char *path, struct base_error *error)
{
    struct looking *l = base_arena_calloc(arena, 1, sizeof *l);
    FILE *file = fopen(path, "re");
    if (!l || !file) {
        if (l)
            base_fail(error, LEAT_CONFIG, "LEAT-V0105", "could not open \"%s\": %s", path, strerror(errno));
        else
            base_no_memory(error);
        if (file)
            fclose(file);
        return NULL;
    }
    l->arena = arena;
    leat_status st = look_into(l, file, path, error);
    fclose(file);
    if (st < 0)
        return NULL;
    if (l->count == 0) {
        base_fail(error, LEAT_CONFIG, "LEAT-V0106", "\"%s\" has no columns: it is empty", path);
        return NULL;
    }
    return make_schema(l, error);
}
