// SPDX-License-Identifier: Apache-2.0
// Column lists as CREATE TABLE has them, and the memory of a case.
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "typetext.h"

struct pool_block {
    struct pool_block *next;
    uint8_t bytes[] __attribute__((aligned(16)));
};

void *pool_alloc(struct pool *p, size_t size)
{
    struct pool_block *b = calloc(1, sizeof *b + size);
    if (!b)
        abort();
    b->next = p->blocks;
    p->blocks = b;
    return b->bytes;
}

char *pool_copy(struct pool *p, const void *bytes, size_t len)
{
    char *copy = pool_alloc(p, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

void pool_free(struct pool *p)
{
    for (struct pool_block *b = p->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    p->blocks = NULL;
}

static void *alloc_type(void *arg, size_t size)
{
    return pool_alloc(arg, size);
}

// The end of the column that starts at `at`: a comma outside of brackets and back-quotes, or the end.
static const char *column_end(const char *at)
{
    int depth = 0, quoted = 0;
    for (; *at; at++) {
        if (*at == '`')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*at == '(' || *at == '<')
            depth++;
        else if (*at == ')' || *at == '>')
            depth--;
        else if (*at == ',' && depth == 0)
            break;
    }
    return at;
}

static int parse_column(struct pool *p, const char *at, const char *end, struct leat_field *field, const char **why)
{
    struct typetext_error error;
    const char *name = at + (*at == '`'), *stop = name;
    while (stop < end && (*at == '`' ? *stop != '`' : *stop != ' '))
        stop++;
    if (stop == name || stop == end) {
        *why = "a column without name or type";
        return 0;
    }
    field->name =
        (struct leat_bytes){(const uint8_t *)pool_copy(p, name, (size_t)(stop - name)), (uint32_t)(stop - name)};
    stop += *at == '`';
    while (stop < end && *stop == ' ')
        stop++;
    if (typetext_parse(stop, (size_t)(end - stop), alloc_type, p, &field->type, &error))
        return 1;
    *why = pool_copy(p, error.message, strlen(error.message));
    return 0;
}

const struct leat_schema *schema_parse(struct pool *p, const char *text, const char **why)
{
    struct leat_schema *schema = pool_alloc(p, sizeof *schema);
    struct leat_field *fields = pool_alloc(p, (strlen(text) / 2 + 1) * sizeof *fields);
    *schema = (struct leat_schema){.struct_size = sizeof *schema, .columns = fields};
    while (*text) {
        const char *end = column_end(text), *tail = end;
        while (tail > text && tail[-1] == ' ')
            tail--;
        if (!parse_column(p, text, tail, &fields[schema->column_count++], why))
            return NULL;
        for (text = *end ? end + 1 : end; *text == ' ';)
            text++;
    }
    return schema;
}
