// SPDX-License-Identifier: Apache-2.0
// The parser of pgoutput: each kind of message once, then every way to cut it short.
#include "pgoutput.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pgoutput_room *room;

static int set_up(void **state)
{
    (void)state;
    room = calloc(1, sizeof *room);
    return room ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(room);
    return 0;
}

static void put_text(struct buf *b, const char *text)
{
    buf_u8(b, 't');
    buf_u32(b, (uint32_t)strlen(text));
    buf_str(b, text);
}

static void put_relation(struct buf *b)
{
    buf_u8(b, 'R');
    buf_u32(b, 16385);
    buf_cstr(b, "business");
    buf_cstr(b, "orders");
    buf_u8(b, 'd');
    buf_u16(b, 2);
    buf_u8(b, 1);
    buf_cstr(b, "id");
    buf_u32(b, 20);
    buf_u32(b, (uint32_t)-1);
    buf_u8(b, 0);
    buf_cstr(b, "name");
    buf_u32(b, 1043);
    buf_u32(b, 24);
}

static void put_update(struct buf *b)
{
    buf_u8(b, 'U');
    buf_u32(b, 16385);
    buf_u8(b, 'K');
    buf_u16(b, 2);
    put_text(b, "7");
    buf_u8(b, 'n');
    buf_u8(b, 'N');
    buf_u16(b, 2);
    put_text(b, "8");
    buf_u8(b, 'u');
}

static void put_insert(struct buf *b)
{
    buf_u8(b, 'I');
    buf_u32(b, 16385);
    buf_u8(b, 'N');
    buf_u16(b, 2);
    put_text(b, "1");
    put_text(b, "");
}

static void put_delete(struct buf *b)
{
    buf_u8(b, 'D');
    buf_u32(b, 16385);
    buf_u8(b, 'O');
    buf_u16(b, 1);
    put_text(b, "7");
}

static void put_begin(struct buf *b)
{
    buf_u8(b, 'B');
    buf_u64(b, 0x100);
    buf_u64(b, 1000000);
    buf_u32(b, 77);
}

static void put_commit(struct buf *b)
{
    buf_u8(b, 'C');
    buf_u8(b, 0);
    buf_u64(b, 0x100);
    buf_u64(b, 0x130);
    buf_u64(b, 1000000);
}

static void put_truncate(struct buf *b)
{
    buf_u8(b, 'T');
    buf_u32(b, 2);
    buf_u8(b, 1);
    buf_u32(b, 16385);
    buf_u32(b, 16390);
}

static void put_origin(struct buf *b)
{
    buf_u8(b, 'O');
    buf_u64(b, 1);
    buf_cstr(b, "peer");
}

static void put_type(struct buf *b)
{
    buf_u8(b, 'Y');
    buf_u32(b, 5);
    buf_cstr(b, "public");
    buf_cstr(b, "mood");
}

static void put_logical(struct buf *b)
{
    buf_u8(b, 'M');
    buf_u8(b, 1);
    buf_u64(b, 1);
    buf_cstr(b, "leat");
    buf_u32(b, 2);
    buf_str(b, "hi");
}

static const struct {
    const char *name;
    void (*put)(struct buf *b);
} messages[] = {
    {"relation", put_relation}, {"update", put_update},   {"insert", put_insert},     {"delete", put_delete},
    {"begin", put_begin},       {"commit", put_commit},   {"truncate", put_truncate}, {"origin", put_origin},
    {"type", put_type},         {"logical", put_logical},
};

static struct pgoutput_message parse(struct buf *b)
{
    struct pgoutput_message msg = {0};
    assert_true(buf_ok(b));
    const char *wrong = pgoutput_parse(b->ptr, b->len, &msg, room);
    if (wrong)
        fail_msg("%s", wrong);
    return msg;
}

static void test_fields(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    put_relation(&b);
    assert_int_equal(parse(&b).kind, 'R');
    assert_string_equal(room->relation.schema, "business");
    assert_int_equal(room->relation.count, 2);
    assert_true(room->relation.columns[0].is_key);
    assert_int_equal(room->relation.columns[0].typmod, -1);
    assert_string_equal(room->relation.columns[1].name, "name");

    buf_reset(&b);
    put_update(&b);
    assert_int_equal(parse(&b).change.old, 'K');
    assert_int_equal(room->before.values[0].ptr[0], '7');
    assert_int_equal(room->before.values[1].kind, PGOUTPUT_NULL);
    assert_int_equal(room->after.values[0].ptr[0], '8');
    assert_int_equal(room->after.values[1].kind, PGOUTPUT_UNCHANGED);

    buf_reset(&b);
    put_begin(&b);
    struct pgoutput_message msg = parse(&b);
    assert_int_equal(msg.begin.final_lsn, 0x100);
    assert_int_equal(msg.begin.xid, 77);
    assert_int_equal(msg.begin.time, 946684801000000LL);

    buf_reset(&b);
    put_truncate(&b);
    msg = parse(&b);
    assert_int_equal(msg.truncate.count, 2);
    assert_int_equal(pgoutput_truncated(&msg, 1), 16390);
    buf_fini(&b);
}

// Each prefix of each message, and each message with a byte more, in a block of exactly its size for ASan.
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct buf b;
        buf_init(&b, 4096);
        messages[i].put(&b);
        (void)parse(&b);
        buf_u8(&b, 'n');
        for (size_t n = 0; n <= b.len; n++) {
            uint8_t *exact = malloc(n ? n : 1);
            assert_non_null(exact);
            memcpy(exact, b.ptr, n);
            struct pgoutput_message msg;
            const char *wrong = pgoutput_parse(exact, n, &msg, room);
            if (!wrong != (n == b.len - 1))
                fail_msg("%s cut to %zu bytes: %s", messages[i].name, n, wrong ? wrong : "accepted");
            free(exact);
        }
        buf_fini(&b);
    }
}

static void test_lies(void **state)
{
    (void)state;
    struct pgoutput_message msg;
    static const uint8_t many[] = {'I', 0, 0, 0, 1, 'N', 0xff, 0xff};
    assert_non_null(pgoutput_parse(many, sizeof many, &msg, room));
    static const uint8_t long_value[] = {'I', 0, 0, 0, 1, 'N', 0, 1, 't', 0xff, 0xff, 0xff, 0xff, 'x'};
    assert_non_null(pgoutput_parse(long_value, sizeof long_value, &msg, room));
    static const uint8_t truncate[] = {'T', 0xff, 0xff, 0xff, 0xff, 0, 1, 2, 3, 4};
    assert_non_null(pgoutput_parse(truncate, sizeof truncate, &msg, room));
    static const uint8_t high[] = {0xff};
    assert_non_null(pgoutput_parse(high, sizeof high, &msg, room));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields), cmocka_unit_test(test_every_cut),
                                       cmocka_unit_test(test_lies)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
