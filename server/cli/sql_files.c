// SPDX-License-Identifier: Apache-2.0
// See sql_files.h.
//
// Types are derived so that what the file holds goes in exactly: integers are BIGINT, larger ones and numbers with a
// point DECIMAL with as many places as are seen and room for larger numbers; numbers with an exponent are DOUBLE, and
// what has more than 38 digits is taken as its text.
#include "cli/sql_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "cli/sql_scan.h"

#define LOOK_LINES 1000        // at least, …
#define LOOK_BYTES (16u << 20) // … and as many as these hold
#define COLUMNS    1024
#define WHOLE_ROOM 18 // digits before the point that a DECIMAL has at least

struct found {
    const char *name; // escapes as written
    size_t name_len;
    bool seen, boolean, number, other;
    bool exponent, huge, bigint; // of the numbers: one has an exponent, is no DOUBLE; all are BIGINT
    uint32_t whole, fraction;
};

struct looking {
    struct base_arena *arena;
    struct found found[COLUMNS];
    uint32_t count;
    bool too_many, no_memory;
};

// --- values

static struct found *column_of(struct looking *l, const char *name, size_t len)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->found[i].name_len == len && memcmp(l->found[i].name, name, len) == 0)
            return &l->found[i];
    if (l->count == COLUMNS) {
        l->too_many = true;
        return NULL;
    }
    struct found *f = &l->found[l->count];
    *f = (struct found){.name = base_arena_strndup(l->arena, name, len), .name_len = len, .bigint = true};
    if (!f->name) {
        l->no_memory = true;
        return NULL;
    }
    l->count++;
    return f;
}

static bool look_at(void *arg, const char *name, size_t len, const struct scan_value *v)
{
    struct looking *l = arg;
    struct found *f = column_of(l, name, len);
    if (!f)
        return false;
    f->seen = f->seen || v->kind != SCAN_NULL;
    f->boolean = f->boolean || v->kind == SCAN_BOOL;
    f->other = f->other || v->kind == SCAN_OTHER;
    if (v->kind != SCAN_NUMBER)
        return true;
    f->number = true;
    f->exponent = f->exponent || v->exponent;
    f->huge = f->huge || v->huge;
    f->bigint = f->bigint && v->bigint;
    f->whole = v->whole > f->whole ? v->whole : f->whole;
    f->fraction = v->fraction > f->fraction ? v->fraction : f->fraction;
    return true;
}

static struct leat_type number_type(const struct found *f)
{
    if (f->bigint)
        return (struct leat_type){.kind = LEAT_TYPE_BIGINT, .nullable = 1};
    if (f->exponent && !f->huge && f->whole <= 17 && f->fraction <= 17)
        return (struct leat_type){.kind = LEAT_TYPE_DOUBLE, .nullable = 1};
    if (f->exponent || f->whole + f->fraction > LEAT_DECIMAL_MAX)
        return (struct leat_type){.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
    uint32_t digits = (f->whole > WHOLE_ROOM ? f->whole : WHOLE_ROOM) + f->fraction;
    return (struct leat_type){.kind = LEAT_TYPE_DECIMAL,
                              .nullable = 1,
                              .precision = (uint8_t)(digits > LEAT_DECIMAL_MAX ? LEAT_DECIMAL_MAX : digits),
                              .scale = (uint8_t)f->fraction};
}

static struct leat_type type_of(const struct found *f)
{
    if (f->number && !f->boolean && !f->other)
        return number_type(f);
    if (f->boolean && !f->number && !f->other)
        return (struct leat_type){.kind = LEAT_TYPE_BOOLEAN, .nullable = 1};
    return (struct leat_type){.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
}

// --- names

static size_t put_utf8(char *to, uint32_t code)
{
    if (code >= 0xD800 && code < 0xE000)
        code = 0xFFFD; // half of a pair
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

// The key as it is meant.
static struct leat_bytes name_of(struct base_arena *arena, const struct found *f)
{
    static const char from[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
    char *to = base_arena_alloc(arena, f->name_len + 1);
    size_t n = 0;
    for (size_t i = 0; to && i < f->name_len; i++) {
        const char *at = f->name + i;
        const char *one = *at == '\\' && i + 1 < f->name_len && at[1] ? strchr(from, at[1]) : NULL;
        if (*at != '\\' || i + 1 == f->name_len) {
            to[n++] = *at;
        } else if (one) {
            to[n++] = meant[one - from];
            i++;
        } else if (at[1] == 'u' && i + 5 < f->name_len) {
            char hex[5] = {at[2], at[3], at[4], at[5], 0};
            n += put_utf8(to + n, (uint32_t)strtoul(hex, NULL, 16));
            i += 5;
        }
    }
    return (struct leat_bytes){(const uint8_t *)to, (uint32_t)n};
}

static const struct leat_schema *make_schema(struct looking *l, struct base_error *error)
{
    struct leat_schema *schema = base_arena_calloc(l->arena, 1, sizeof *schema);
    struct leat_field *columns = base_arena_calloc(l->arena, l->count + 1, sizeof *columns);
    bool ok = schema && columns;
    for (uint32_t i = 0; i < l->count && ok; i++) {
        columns[i].name = name_of(l->arena, &l->found[i]);
        columns[i].type = type_of(&l->found[i]);
        ok = columns[i].name.ptr != NULL;
    }
    if (!ok) {
        base_no_memory(error);
        return NULL;
    }
    *schema = (struct leat_schema){.struct_size = sizeof *schema, .column_count = l->count, .columns = columns};
    return schema;
}

// --- the file

static leat_status bad_line(struct looking *l, int number, size_t offset, const char *wrong, const char *path,
                            struct base_error *error)
{
    if (l->no_memory)
        return base_no_memory(error);
    if (l->too_many)
        return base_fail(error, LEAT_CONFIG, "LEAT-V0104", "the file \"%s\" has more than %d columns", path, COLUMNS);
    return base_fail(error, LEAT_CONFIG, "LEAT-V0103", "line %d of the file \"%s\" is no JSON object: at byte %zu, %s",
                     number, path, offset + 1, wrong);
}

static leat_status look_into(struct looking *l, FILE *file, const char *path, struct base_error *error)
{
    char *line = NULL;
    size_t cap = 0, bytes = 0;
    ssize_t n;
    leat_status st = LEAT_OK;
    for (int number = 1;
         st == LEAT_OK && (number <= LOOK_LINES || bytes < LOOK_BYTES) && (n = getline(&line, &cap, file)) > 0;
         number++) {
        size_t offset;
        bytes += (size_t)n;
        if (strspn(line, " \t\r\n") == (size_t)n)
            continue;
        const char *wrong = sql_scan(line, (size_t)n, look_at, l, &offset);
        if (wrong)
            st = bad_line(l, number, offset, wrong, path, error);
    }
    free(line);
    return st;
}

static FILE *open_file(const char *path, struct base_error *error)
{
    struct stat info;
    FILE *file = NULL;
    if (stat(path, &info) != 0 || (S_ISREG(info.st_mode) && !(file = fopen(path, "re"))))
        base_fail(error, LEAT_CONFIG, "LEAT-V0105", "could not open the file \"%s\": %s", path, strerror(errno));
    else if (!file)
        base_fail(error, LEAT_CONFIG, "LEAT-V0105", "\"%s\" is %s, not a file of JSON lines", path,
                  S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe");
    return file;
}

const struct leat_schema *sql_file_schema(struct base_arena *arena, const char *path, struct base_error *error)
{
    base_error_clear(error);
    struct looking *l = base_arena_calloc(arena, 1, sizeof *l);
    FILE *file = l ? open_file(path, error) : NULL;
    if (!l)
        base_no_memory(error);
    if (!file)
        return NULL;
    l->arena = arena;
    leat_status st = look_into(l, file, path, error);
    fclose(file);
    if (st < 0)
        return NULL;
    if (l->count == 0) {
        base_fail(error, LEAT_CONFIG, "LEAT-V0106", "the file \"%s\" has no columns: it is empty", path);
        return NULL;
    }
    return make_schema(l, error);
}
