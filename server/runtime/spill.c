// SPDX-License-Identifier: Apache-2.0
// See spill.h. A row in a file:
//
//     kind (1)  time (8)  position (8)  then for each column: state (1) and, if it is a value,
//     length (4) and bytes | count (4) and as many times state and value | the cell (16)
//
// The files are read by the process that wrote them, so numbers are in its own order.
#include "runtime/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/batch.h"

#define BUFFER ((size_t)64 << 10)

struct spill {
    const char *dir;
    const struct leat_schema *schema;
    FILE *files[SPILL_PARTS]; // NULL = nothing went there
    int with_positions;
};

struct spill *spill_create(const char *dir, const struct leat_schema *schema)
{
    struct spill *s = calloc(1, sizeof *s);
    if (s)
        *s = (struct spill){.dir = dir, .schema = schema};
    return s;
}

void spill_destroy(struct spill *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < SPILL_PARTS; i++)
        if (s->files[i])
            fclose(s->files[i]);
    free(s);
}

static leat_status failed(const struct spill *s, struct leat_ctx *ctx, const char *what)
{
    int error = errno;
    leat_fail(ctx, LEAT_RESOURCE, "LEAT-R0011", "could not %s a file for a large transaction in \"%s\": %s", what,
              s->dir, strerror(error));
    leat_error_hint(ctx,
                    "Make room on that disk, or raise transaction.memory-size. Nothing is lost: the transaction is "
                    "read again.");
    return LEAT_RESOURCE;
}

static FILE *open_file(const struct spill *s)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/transaction-XXXXXX", s->dir) >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unlink(path);
    FILE *file = fdopen(fd, "w+b");
    if (!file)
        close(fd);
    else
        setvbuf(file, NULL, _IOFBF, BUFFER);
    return file;
}

// --- writing: failures stick to the stream

static void put(FILE *to, const void *ptr, size_t len)
{
    if (len)
        fwrite(ptr, 1, len, to);
}

static void put_value(FILE *to, const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    put(to, &state, 1);
    if (state != LEAT_VALUE)
        return;
    if (leat_type_is_bytes(type->kind)) {
        put(to, &cell->bytes.len, sizeof cell->bytes.len);
        put(to, cell->bytes.ptr, cell->bytes.len);
    } else if (leat_type_is_list(type->kind)) {
        put(to, &cell->list.count, sizeof cell->list.count);
        for (uint32_t i = 0; i < cell->list.count; i++)
            put_value(to, leat_type_child(type, i), &cell->list.items[i].cell, cell->list.items[i].state);
    } else {
        put(to, cell, sizeof *cell);
    }
}

leat_status spill_add(struct spill *s, struct leat_ctx *ctx, const struct leat_batch *b, uint32_t row, uint64_t hash)
{
    // not the bits by which a part is a table of its own
    FILE **to = &s->files[(hash >> 40) % SPILL_PARTS];
    if (!*to && !(*to = open_file(s)))
        return failed(s, ctx, "make");
    leat_usec time = b->times ? b->times[row] : LEAT_TIME_NONE;
    uint64_t position = b->positions ? b->positions[row] : 0;
    s->with_positions = s->with_positions || b->positions;
    put(*to, &b->kinds[row], 1);
    put(*to, &time, sizeof time);
    put(*to, &position, sizeof position);
    for (uint32_t c = 0; c < b->column_count; c++)
        put_value(*to, &s->schema->columns[c].type, &b->columns[c].cells[row], b->columns[c].states[row]);
    return ferror(*to) ? failed(s, ctx, "write") : LEAT_OK;
}

// --- reading

struct reader {
    FILE *from;
    struct leat_batch *b;
    int bad; // the file ends too early, or memory does
};

static void get(struct reader *r, void *ptr, size_t len)
{
    if (len && fread(ptr, 1, len, r->from) != len)
        r->bad = 1;
}

static void *room(struct reader *r, size_t size, size_t align)
{
    void *ptr = r->bad ? NULL : leat_batch_alloc(r->b, size ? size : 1, align);
    if (!ptr)
        r->bad = 1;
    return ptr;
}

static void get_value(struct reader *r, const struct leat_type *type, union leat_cell *cell, uint8_t *state)
{
    uint32_t n = 0;
    get(r, state, 1);
    if (r->bad || *state != LEAT_VALUE)
        return;
    if (leat_type_is_bytes(type->kind)) {
        get(r, &n, sizeof n);
        uint8_t *bytes = room(r, n, 1);
        if (bytes)
            get(r, bytes, n);
        cell->bytes = (struct leat_bytes){bytes, n};
    } else if (leat_type_is_list(type->kind)) {
        get(r, &n, sizeof n);
        struct leat_datum *items = room(r, n * sizeof *items, 16);
        for (uint32_t i = 0; i < n && !r->bad; i++)
            get_value(r, leat_type_child(type, i), &items[i].cell, &items[i].state);
        cell->list.items = items;
        cell->list.count = n;
    } else {
        get(r, cell, sizeof *cell);
    }
}

static void get_row(struct reader *r, const struct leat_schema *schema, uint8_t kind)
{
    uint64_t position = 0;
    uint32_t row = leat_batch_add(r->b, kind);
    get(r, &r->b->times[row], sizeof *r->b->times);
    get(r, &position, sizeof position);
    if (r->b->positions)
        r->b->positions[row] = position;
    for (uint32_t c = 0; c < schema->column_count && !r->bad; c++)
        get_value(r, &schema->columns[c].type, &r->b->columns[c].cells[row], &r->b->columns[c].states[row]);
}

static struct leat_batch *new_batch(const struct spill *s, struct leat_ctx *ctx)
{
    struct leat_batch *b = leat_batch_new(ctx, s->schema, LEAT_BATCH_ROWS);
    if (!b)
        return NULL;
    b->times = leat_batch_alloc(b, b->capacity * sizeof *b->times, 8);
    if (s->with_positions)
        b->positions = leat_batch_alloc(b, b->capacity * sizeof *b->positions, 8);
    if (b->times && (b->positions || !s->with_positions))
        return b;
    leat_batch_unref(b);
    return NULL;
}

leat_status spill_rewind(struct spill *s, struct leat_ctx *ctx, uint32_t part)
{
    FILE *file = s->files[part];
    if (file && fflush(file) != 0)
        return failed(s, ctx, "write");
    if (file && fseek(file, 0, SEEK_SET) != 0)
        return failed(s, ctx, "read");
    return LEAT_OK;
}

leat_status spill_next(struct spill *s, struct leat_ctx *ctx, uint32_t part, struct leat_batch **batch)
{
    struct reader r = {.from = s->files[part]};
    int kind = r.from ? fgetc(r.from) : EOF;
    if (kind == EOF)
        return r.from && ferror(r.from) ? failed(s, ctx, "read") : LEAT_END;
    r.b = new_batch(s, ctx);
    if (!r.b)
        return leat_no_memory(ctx);
    for (; kind != EOF && !r.bad; kind = leat_batch_is_full(r.b) ? EOF : fgetc(r.from))
        get_row(&r, s->schema, (uint8_t)kind);
    if (!r.bad && !ferror(r.from)) {
        *batch = r.b;
        return LEAT_OK;
    }
    leat_batch_unref(r.b);
    return ferror(r.from) ? failed(s, ctx, "read") : leat_no_memory(ctx);
}
