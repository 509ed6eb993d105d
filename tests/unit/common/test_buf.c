// SPDX-License-Identifier: Apache-2.0
// Buffer and cursor: what is written is read back, bounds hold, failures stick.
#include "buf.h"

#include <stdlib.h>

#include "table.h"

static void what_is_appended_is_read_back(void **state)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_u8(&b, 0xfe);
    buf_u16(&b, 0x1234);
    buf_u32(&b, 0xdeadbeef);
    buf_u64(&b, 0x0102030405060708);
    buf_cstr(&b, "table");
    buf_str(&b, "xyz");
    buf_fill(&b, ' ', 2);
    assert_true(buf_ok(&b));
    assert_int_equal(b.ptr[1], 0x12);
    assert_int_equal(b.len, 26);

    struct cur c = cur_of(b.ptr, b.len);
    size_t len = 0;
    assert_int_equal(cur_u8(&c), 0xfe);
    assert_int_equal(cur_u16(&c), 0x1234);
    assert_int_equal(cur_u32(&c), 0xdeadbeef);
    assert_true(cur_u64(&c) == 0x0102030405060708);
    assert_string_equal(cur_cstr(&c, &len), "table");
    assert_int_equal(len, 5);
    struct cur sub = cur_sub(&c, 3);
    assert_int_equal(cur_left(&sub), 3);
    assert_memory_equal(cur_bytes(&sub, 3), "xyz", 3);
    assert_int_equal(cur_left(&c), 2);
    assert_true(cur_ok(&c) && cur_ok(&sub));
    buf_fini(&b);
}

static void growth_stops_at_max_and_the_failure_sticks(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 100; i++)
        buf_put(&b, "0123456789", 10);
    assert_true(buf_ok(&b));
    assert_int_equal(b.cap, 1000);
    buf_u8(&b, 1);
    assert_int_equal(b.failed, BUF_FULL);
    assert_int_equal(b.len, 1000);
    buf_put(&b, "x", 1);
    assert_int_equal(b.len, 1000);
    buf_reset(&b);
    buf_put(&b, "x", 1);
    assert_true(buf_ok(&b));
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(b.failed, BUF_FULL);
    buf_fini(&b);
    buf_fini(&b);
}

static void what_is_large_is_given_back(void **state)
{
    struct buf b;
    uint8_t bytes[5000] = {0};
    buf_init(&b, 6000);
    buf_put(&b, bytes, 100);
    size_t cap = b.cap;
    buf_trim(&b, cap);
    assert_true(b.len == 0 && b.cap == cap);
    buf_put(&b, bytes, sizeof bytes);
    buf_put(&b, bytes, sizeof bytes);
    assert_false(buf_ok(&b));
    buf_trim(&b, cap);
    assert_true(b.len == 0 && b.cap == 0 && b.max == 6000 && buf_ok(&b));
    buf_put(&b, bytes, 100);
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void a_length_is_patched_in_later(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    buf_u32(&b, 0);
    buf_str(&b, "abc");
    buf_patch_u32(&b, 0, 7);
    buf_patch_u32(&b, 4, 9);
    assert_memory_equal(b.ptr, "\0\0\0\7abc", 7);
    buf_fini(&b);
}

static void reads_past_the_end_fail_for_good(void **state)
{
    struct cur c = cur_of("\1\2\3", 3);
    assert_int_equal(cur_u32(&c), 0);
    assert_false(cur_ok(&c));
    assert_int_equal(cur_u8(&c), 0);
    assert_null(cur_bytes(&c, 0));
    struct cur sub = cur_sub(&c, 0);
    assert_false(cur_ok(&sub));

    c = cur_of("abc", 3);
    assert_null(cur_cstr(&c, NULL));
    assert_false(cur_ok(&c));
    c = cur_of(NULL, 0);
    assert_int_equal(cur_u16(&c), 0);
    assert_false(cur_ok(&c));
}

static void varints_round_trip(void **state)
{
    static const uint64_t values[] = {0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < COUNT(values); i++)
        buf_uvarint(&b, values[i]);
    struct cur c = cur_of(b.ptr, b.len);
    for (size_t i = 0; i < COUNT(values); i++)
        assert_true(cur_uvarint(&c) == values[i]);
    assert_true(cur_ok(&c));
    assert_int_equal(cur_left(&c), 0);
    c = cur_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    cur_uvarint(&c);
    assert_false(cur_ok(&c));
    c = cur_of("\xff", 1);
    cur_uvarint(&c);
    assert_false(cur_ok(&c));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read_back),
        cmocka_unit_test(growth_stops_at_max_and_the_failure_sticks),
        cmocka_unit_test(what_is_large_is_given_back),
        cmocka_unit_test(a_length_is_patched_in_later),
        cmocka_unit_test(reads_past_the_end_fail_for_good),
        cmocka_unit_test(varints_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
