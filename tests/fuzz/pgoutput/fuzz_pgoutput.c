// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a message of the change stream, and each of its values as each type that a column can have.
//
// Beyond "no crash", it is held that a parsed message lies within its bytes, and that cutting off its last byte makes
// it another one or none: nothing is read twice and no length is taken on trust.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../require.h"
#include "pgoutput.h"
#include "types.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const uint32_t oids[] = {16, 17, 20, 21, 23, 25, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1700, 3802};

static void check_value(const struct pgoutput_value *v)
{
    static uint8_t arena[1 << 16];
    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++) {
        struct types_column column;
        struct types_catalog from = {.oid = oids[i], .typmod = -1, .typtype = 'b', .check_utf8 = 1};
        struct leat_batch b = {.arena_next = arena, .arena_end = arena + sizeof arena};
        union leat_cell cell;
        REQUIRE(!types_map(&from, &column));
        (void)column.parse(&column, &b, v->ptr, v->len, &cell);
    }
}

static void check_tuple(const struct pgoutput_tuple *tuple, const uint8_t *bytes, size_t len)
{
    for (uint32_t i = 0; i < tuple->count; i++) {
        const struct pgoutput_value *v = &tuple->values[i];
        if (v->kind != PGOUTPUT_TEXT)
            continue;
        REQUIRE(v->ptr >= bytes && v->ptr + v->len <= bytes + len);
        if (i < 16 && v->len < 4096)
            check_value(v);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct pgoutput_room room, shorter;
    struct pgoutput_message msg = {0}, cut;
    if (len > 60000 || pgoutput_parse(bytes, len, &msg, &room))
        return 0;
    if (msg.kind == 'I' || msg.kind == 'U')
        check_tuple(&room.after, bytes, len);
    if (msg.kind == 'D' || (msg.kind == 'U' && msg.change.old))
        check_tuple(&room.before, bytes, len);
    if (msg.kind == 'T')
        for (uint32_t i = 0; i < msg.truncate.count; i++)
            (void)pgoutput_truncated(&msg, i);
    REQUIRE(pgoutput_parse(bytes, len - 1, &cut, &shorter));
    return 0;
}
