// SPDX-License-Identifier: Apache-2.0
// Any bytes as saved state. The first byte chooses: 0 to 3 is the kind of a map that loads the rest, others read the
// rest as a row of the columns below. What is taken is written and read again, and must then be the same.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../require.h"
#include "keyed_int.h"
#include "keyed_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// --- a host that keeps what is saved

static leat_status write_state(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len)
{
    buf_put(out->core, ptr, len);
    return LEAT_OK;
}

static leat_status fail(struct leat_ctx *ctx, leat_status failure, const char *code, const char *fmt, va_list ap)
{
    return failure;
}

static const struct leat_host host = {.struct_size = sizeof host, .state_write = write_state, .fail = fail};
static struct leat_ctx ctx = {.host = &host};

// --- maps

static struct keyed *load(uint8_t kind, const uint8_t *data, size_t len)
{
    struct keyed *map = keyed_create(kind);
    struct leat_state_in in = {.version = 1, .kind = LEAT_STATE_FULL, .instances = 1, .ptr = data, .len = len};
    REQUIRE(map);
    if (keyed_load(&ctx, &in, &map, 1) == LEAT_OK)
        return map;
    keyed_destroy(map);
    return NULL;
}

static void save(struct keyed *map, struct buf *out)
{
    struct leat_state_out state = {.kind = LEAT_STATE_FULL, .core = out};
    buf_init(out, SIZE_MAX);
    REQUIRE(keyed_save(&ctx, &state, 1, &map, 1) == LEAT_OK && buf_ok(out));
}

static void walk(const struct keyed *map)
{
    const struct keyed_entry *e;
    struct leat_bytes group;
    uint64_t count = 0;
    for (uint64_t at = 0; (e = keyed_walk(map, &at)); count++)
        (void)keyed_group_take(keyed_value(map, e), &group);
    REQUIRE(count == keyed_count(map));
}

static void check_map(uint8_t kind, const uint8_t *data, size_t len)
{
    struct keyed *map = load(kind, data, len), *again;
    struct buf saved;
    if (!map)
        return;
    walk(map);
    save(map, &saved);
    again = load(kind, saved.ptr, saved.len);
    REQUIRE(again && keyed_count(again) == keyed_count(map));
    REQUIRE(keyed_content_bytes(again) == keyed_content_bytes(map));
    walk(again);
    buf_fini(&saved);
    keyed_destroy(again);
    keyed_destroy(map);
}

// --- rows

#define COLUMNS 8

static const struct leat_type types[COLUMNS] = {
    {.kind = LEAT_TYPE_BIGINT, .nullable = 1},
    {.kind = LEAT_TYPE_BOOLEAN, .nullable = 1},
    {.kind = LEAT_TYPE_FLOAT, .nullable = 1},
    {.kind = LEAT_TYPE_DOUBLE, .nullable = 1},
    {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 38, .scale = 10},
    {.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX},
    {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3},
    {.kind = LEAT_TYPE_ARRAY, .nullable = 1, .children = &types[5], .child_count = 1},
};

struct row {
    const struct leat_type *types[COLUMNS];
    union leat_cell cells[COLUMNS];
    uint8_t states[COLUMNS];
    void *lists[64];
    uint32_t list_count;
};

static void *row_alloc(void *arg, size_t size)
{
    struct row *row = arg;
    if (row->list_count == sizeof row->lists / sizeof *row->lists || size > 1 << 24)
        return NULL;
    return row->lists[row->list_count++] = aligned_alloc(16, (size + 16) & ~(size_t)15);
}

static int decode(struct row *row, struct leat_bytes bytes)
{
    *row = (struct row){0};
    for (int i = 0; i < COLUMNS; i++)
        row->types[i] = &types[i];
    return keyed_cells_decode(bytes, row->types, row->cells, row->states, COLUMNS, row_alloc, row);
}

static void encode(const struct row *row, struct buf *out)
{
    buf_init(out, SIZE_MAX);
    keyed_cells_encode(out, row->types, row->cells, row->states, COLUMNS);
    REQUIRE(buf_ok(out));
}

static void row_fini(struct row *row)
{
    while (row->list_count)
        free(row->lists[--row->list_count]);
}

static void check_row(const uint8_t *data, size_t len)
{
    struct row row, again;
    struct buf first, second;
    if (decode(&row, (struct leat_bytes){data, (uint32_t)len}) == 0) {
        encode(&row, &first);
        REQUIRE(decode(&again, (struct leat_bytes){first.ptr, (uint32_t)first.len}) == 0);
        encode(&again, &second);
        REQUIRE(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
        buf_fini(&first);
        buf_fini(&second);
        row_fini(&again);
    }
    row_fini(&row);
}

// The parts of a key, each as each type.
static void check_parts(const uint8_t *data, size_t len)
{
    for (int i = 0; i < COLUMNS; i++) {
        struct leat_bytes left = {data, (uint32_t)len};
        union leat_cell cell;
        while (left.len && keyed_part_decode(&left, &types[i], &cell) >= 0)
            REQUIRE(left.ptr + left.len == data + len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1 || len > 65536)
        return 0;
    if (data[0] <= KEYED_BAG) {
        check_map(data[0], data + 1, len - 1);
        return 0;
    }
    check_row(data + 1, len - 1);
    check_parts(data + 1, len - 1);
    return 0;
}
