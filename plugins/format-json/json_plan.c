// SPDX-License-Identifier: Apache-2.0
// From the schema to what reader and writer walk along: checks, compiled names and types, and the look-up of names.
#include <string.h>

#include "hash.h"
#include "json.h"

struct fjson_block {
    struct fjson_block *next;
    uint8_t bytes[] __attribute__((aligned(16)));
};

// --- checks

static int check_type(struct leat_ctx *ctx, struct leat_bytes column, const struct leat_type *type)
{
    if (type->kind == LEAT_TYPE_NULL || type->kind > LEAT_TYPE_NULL || type->kind == 0) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-F0101", NULL, 0, "Cast it to another type in a query, or leave it out.",
                  "format \"json\" has no form for column \"%.*s\"", (int)column.len, (const char *)column.ptr);
        return 0;
    }
    if (type->kind == LEAT_TYPE_MAP && !leat_type_is_string(type->children[0].kind)) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-F0101", NULL, 0, "Names in JSON are strings: declare the keys as STRING.",
                  "format \"json\" takes a MAP with keys of type STRING only, which column \"%.*s\" is not",
                  (int)column.len, (const char *)column.ptr);
        return 0;
    }
    for (uint32_t i = 0; i < type->child_count; i++)
        if (!check_type(ctx, column, &type->children[i]))
            return 0;
    return 1;
}

leat_status fjson_check(struct leat_ctx *ctx, const struct leat_format_request *rq, uint8_t *mode)
{
    int good = 1;
    for (uint32_t i = 0; rq->schema && i < rq->column_count; i++) {
        const struct leat_field *field = &rq->schema->columns[rq->columns[i]];
        good &= check_type(ctx, field->name, &field->type);
    }
    if (!good)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-F0101", "format \"json\" cannot carry all columns");
    *mode = LEAT_MODE_INSERT_ONLY;
    return LEAT_OK;
}

// --- compiling

static void *plan_alloc(struct leat_ctx *ctx, struct fjson_format *f, size_t size)
{
    struct fjson_block *block = ctx->host->alloc(ctx, sizeof *block + size);
    if (!block)
        return NULL;
    block->next = f->blocks;
    f->blocks = block;
    memset(block->bytes, 0, size);
    return block->bytes;
}

static int can_stand_raw(struct leat_bytes name)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (name.ptr[i] < ' ' || name.ptr[i] == '"' || name.ptr[i] == '\\')
            return 0;
    return 1;
}

static int compile_name(struct leat_ctx *ctx, struct fjson_format *f, struct fjson_field *field, struct leat_bytes name)
{
    uint8_t *bytes = plan_alloc(ctx, f, (size_t)name.len * 8 + 32 + JSON_NAME_ROOM);
    if (!bytes)
        return 0;
    memcpy(bytes, name.ptr, name.len);
    bytes[name.len] = '"';
    bytes[name.len + 1] = ':';
    field->name = (struct leat_bytes){bytes, name.len};
    if (can_stand_raw(name)) {
        field->raw = (struct leat_bytes){bytes, name.len + 2};
        uint8_t mask[16] = {0}, want[16] = {0};
        if (field->raw.len <= 16) {
            memset(mask, 0xFF, field->raw.len);
            memcpy(want, bytes, field->raw.len);
            memcpy(field->mask, mask, 16);
            memcpy(field->want, want, 16);
        }
    }
    uint8_t *prefix = bytes + name.len + 16, *end = prefix;
    *end++ = ',';
    end = fjson_put_string(end, name.ptr, name.len, 1);
    *end++ = ':';
    field->prefix = (struct leat_bytes){prefix, (uint32_t)(end - prefix)};
    return 1;
}

static struct fjson_object *new_object(struct leat_ctx *ctx, struct fjson_format *f, uint32_t count)
{
    struct fjson_object *o = plan_alloc(ctx, f, sizeof *o + count * sizeof o->fields[0]);
    uint32_t slots = 4;
    while (slots < count * 2)
        slots *= 2;
    if (!o || !(o->table = plan_alloc(ctx, f, slots * sizeof *o->table)))
        return NULL;
    o->count = count;
    o->mask = slots - 1;
    return o;
}

static int compile_type(struct leat_ctx *ctx, struct fjson_format *f, struct fjson_type *out,
                        const struct leat_type *type);

static int compile_field(struct leat_ctx *ctx, struct fjson_format *f, struct fjson_object *o, uint32_t i,
                         struct leat_bytes name, const struct leat_type *type)
{
    struct fjson_field *field = &o->fields[i];
    if (!compile_name(ctx, f, field, name) || !compile_type(ctx, f, &field->type, type))
        return 0;
    uint32_t at = (uint32_t)hash_bytes(name.ptr, name.len, 0) & o->mask;
    while (o->table[at])
        at = (at + 1) & o->mask;
    o->table[at] = i + 1;
    return 1;
}

static int compile_type(struct leat_ctx *ctx, struct fjson_format *f, struct fjson_type *out,
                        const struct leat_type *type)
{
    out->type = type;
    if (type->kind == LEAT_TYPE_ROW) {
        out->object = new_object(ctx, f, type->child_count);
        for (uint32_t i = 0; out->object && i < type->child_count; i++)
            if (!compile_field(ctx, f, out->object, i, type->names[i], &type->children[i]))
                return 0;
        return out->object != NULL;
    }
    if (!type->child_count)
        return 1;
    out->children = plan_alloc(ctx, f, type->child_count * sizeof *out->children);
    for (uint32_t i = 0; out->children && i < type->child_count; i++)
        if (!compile_type(ctx, f, &out->children[i], &type->children[i]))
            return 0;
    return out->children != NULL;
}

static int compile(struct leat_ctx *ctx, struct fjson_format *f, const struct leat_format_request *rq)
{
    const struct fjson_config *config = rq->config;
    f->config = *config;
    const char *literal = config->map_null_key_literal ? config->map_null_key_literal : "null";
    char *copy = plan_alloc(ctx, f, strlen(literal) + 1);
    f->root = new_object(ctx, f, rq->column_count);
    f->columns = plan_alloc(ctx, f, (rq->column_count + 1) * sizeof *f->columns);
    f->slots = plan_alloc(ctx, f, (rq->column_count + 1) * sizeof *f->slots);
    if (!copy || !f->root || !f->columns || !f->slots)
        return 0;
    memcpy(copy, literal, strlen(literal) + 1);
    f->config.map_null_key_literal = copy;
    for (uint32_t i = 0; i < rq->column_count; i++) {
        const struct leat_field *field = &rq->schema->columns[rq->columns[i]];
        f->columns[i] = rq->columns[i];
        if (!compile_field(ctx, f, f->root, i, field->name, &field->type))
            return 0;
    }
    return 1;
}

leat_status fjson_create(struct leat_ctx *ctx, const struct leat_format_request *rq, void **self)
{
    struct fjson_format *f = ctx->host->alloc(ctx, sizeof *f);
    if (!f)
        return leat_no_memory(ctx);
    *f = (struct fjson_format){.blocks = NULL};
    if (!compile(ctx, f, rq)) {
        fjson_destroy(ctx, f);
        return leat_no_memory(ctx);
    }
    *self = f;
    return LEAT_OK;
}

void fjson_destroy(struct leat_ctx *ctx, void *self)
{
    struct fjson_format *f = self;
    if (!f)
        return;
    for (struct fjson_block *b = f->blocks, *next; b; b = next) {
        next = b->next;
        ctx->host->free(ctx, b);
    }
    ctx->host->free(ctx, f->stack);
    ctx->host->free(ctx, f->text.ptr);
    ctx->host->free(ctx, f->members.ptr);
    ctx->host->free(ctx, f->table.ptr);
    ctx->host->free(ctx, f->wide.ptr);
    ctx->host->free(ctx, f);
}

// --- names

uint32_t fjson_find(const struct fjson_object *o, struct leat_bytes name)
{
    if (!o->count)
        return UINT32_MAX;
    uint32_t at = (uint32_t)hash_bytes(name.ptr, name.len, 0) & o->mask;
    for (; o->table[at]; at = (at + 1) & o->mask)
        if (leat_bytes_equal(o->fields[o->table[at] - 1].name, name))
            return o->table[at] - 1;
    return UINT32_MAX;
}

int fjson_room(struct leat_ctx *ctx, struct fjson_scratch *s, size_t more)
{
    if (s->cap - s->len >= more)
        return 1;
    size_t cap = s->cap ? s->cap * 2 : 1024;
    while (cap - s->len < more)
        cap *= 2;
    uint8_t *ptr = ctx->host->alloc(ctx, cap);
    if (!ptr)
        return 0;
    if (s->len)
        memcpy(ptr, s->ptr, s->len);
    ctx->host->free(ctx, s->ptr);
    s->ptr = ptr;
    s->cap = cap;
    return 1;
}

const uint32_t *fjson_same_keys(struct leat_ctx *ctx, struct fjson_format *f, const struct leat_bytes *keys, uint32_t n)
{
    uint32_t slots = 4;
    while (slots < n * 2)
        slots *= 2;
    f->table.len = 0;
    if (!fjson_room(ctx, &f->table, ((size_t)n + slots) * sizeof(uint32_t)))
        return NULL;
    uint32_t *first = (uint32_t *)(void *)f->table.ptr, *table = first + n;
    memset(table, 0, slots * sizeof *table);
    for (uint32_t i = 0; i < n; i++) {
        // keys come from outside: the seed is an address, which nobody there knows
        uint32_t at = (uint32_t)hash_bytes(keys[i].ptr, keys[i].len, (uintptr_t)f) & (slots - 1);
        while (table[at] && !leat_bytes_equal(keys[table[at] - 1], keys[i]))
            at = (at + 1) & (slots - 1);
        first[i] = table[at] ? table[at] - 1 : i;
        if (!table[at])
            table[at] = i + 1;
    }
    return first;
}
