// SPDX-License-Identifier: Apache-2.0
// The set of keys against a plain array, and what it saves against what it loads.
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 3000u

// A key of one column: its length, big-endian, then its text.
static uint32_t key_of(char *out, uint32_t n)
{
    uint32_t len = (uint32_t)sprintf(out + 4, "key %u", n) + 1;
    memcpy(out, (const char[]){0, 0, 0, (char)len}, 4);
    return 4 + len;
}

static int append(void *arg, const void *ptr, size_t len)
{
    buf_put(arg, ptr, len);
    return buf_ok(arg) ? 0 : -1;
}

static uint32_t count_of(const struct pgcdc_keys *k)
{
    size_t at = 0;
    uint32_t n = 0;
    while (pgcdc_keys_next(k, &at))
        n++;
    return n;
}

static void same(struct pgcdc_keys *k, const uint8_t *there)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        n += there[i];
    assert_int_equal(k->count, n);
    assert_int_equal(count_of(k), n);
    size_t at = 0;
    const struct pgcdc_key *key;
    while ((key = pgcdc_keys_next(k, &at)))
        assert_true(there[strtoul((const char *)key->bytes + 8, NULL, 10)]);
}

static void save(struct pgcdc_keys *k, int image, struct pgcdc_keys *to)
{
    struct buf b;
    buf_init(&b, 1u << 24);
    assert_int_equal(pgcdc_keys_save(k, image, append, &b), 0);
    assert_int_equal(b.len, pgcdc_keys_saved_len(k, image));
    pgcdc_keys_saved(k);
    struct cur c = cur_of(b.ptr, b.len);
    assert_int_equal(pgcdc_keys_load(to, &c), 0);
    buf_fini(&b);
}

static void test_random_changes_and_saves(void **state)
{
    (void)state;
    static uint8_t there[KEYS];
    struct pgcdc_keys *list = NULL;
    struct pgcdc_keys *k = pgcdc_keys_of(&list, "s", "t"), *copy = pgcdc_keys_of(&list, "s", "copy");
    assert_ptr_equal(pgcdc_keys_of(&list, "s", "t"), k);
    uint32_t seed = 1;
    for (uint32_t round = 0; round < 60000; round++) {
        char text[32];
        seed = seed * 1664525u + 1013904223u;
        uint32_t n = (seed >> 8) % KEYS, len = key_of(text, n);
        if (seed >> 31) {
            assert_int_equal(pgcdc_keys_put(k, text, len), 0);
            there[n] = 1;
        } else {
            pgcdc_keys_drop(k, text, len);
            there[n] = 0;
        }
        if (round == 40000) {
            pgcdc_keys_clear(k);
            memset(there, 0, sizeof there);
        }
        if (round % 7000 == 0) {
            save(k, round % 14000 == 0, copy);
            same(k, there);
            same(copy, there);
        }
    }
    pgcdc_keys_free(&list);
}

static void test_malformed_saves(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"+", 1},
                 {"+\0\0\0\5abc", 8},
                 {"?\0\0\0\0", 5},
                 {"+\xff\xff\xff\xff", 5},
                 // the texts inside a key
                 {"+\0\0\0\0", 5},
                 {"+\0\0\0\3abc", 8},
                 {"+\0\0\0\5\0\0\0\2a", 10},
                 {"+\0\0\0\6\0\0\0\1ab", 11},
                 {"-\0\0\0\5\0\0\0\2a", 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pgcdc_keys *list = NULL;
        struct cur c = cur_of(cases[i].bytes, cases[i].len);
        assert_int_equal(pgcdc_keys_load(pgcdc_keys_of(&list, "s", "t"), &c), -1);
        pgcdc_keys_free(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_changes_and_saves),
                                       cmocka_unit_test(test_malformed_saves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
