// SPDX-License-Identifier: Apache-2.0
// Hashes: Kafka's known answers, and that the 64-bit hash spreads what a table will meet.
#include "hash.h"

#include <stdlib.h>

#include "table.h"

static void murmur2_is_kafkas(void **state)
{
    static const struct {
        const char *key;
        int32_t want;
    } rows[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].key);
        check_int(rows[i].key, (int32_t)hash_murmur2(rows[i].key, len), rows[i].want);
        check_int(rows[i].key, hash_kafka_partition(rows[i].key, len, 12), (rows[i].want & 0x7fffffff) % 12);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void check_all_differ(const char *row, uint64_t *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    for (size_t i = 1; i < n; i++)
        if (values[i] == values[i - 1])
            fail_msg("%s: two of %zu hashes are equal", row, n);
}

static void every_length_and_bit_counts(void **state)
{
    static uint64_t seen[200 * 8 + 1];
    uint8_t bytes[200] = {0};
    size_t n = 0;
    for (size_t len = 0; len <= sizeof bytes; len++)
        seen[n++] = hash_bytes(bytes, len, 1);
    check_all_differ("zero bytes of every length", seen, n);
    for (size_t len = 1; len <= sizeof bytes; len++) {
        n = 0;
        seen[n++] = hash_bytes(bytes, len, 1);
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            seen[n++] = hash_bytes(bytes, len, 1);
            bytes[bit / 8] = 0;
        }
        check_all_differ("one bit set", seen, n);
    }
    assert_true(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
    assert_true(hash_bytes(NULL, 0, 1) == hash_bytes("", 0, 1));
}

static void consecutive_numbers_fill_buckets_evenly(void **state)
{
    static unsigned bucket[3][256];
    char text[24];
    for (uint64_t i = 0; i < 256 * 100; i++) {
        bucket[0][hash_u64(i, 0) & 255]++;
        bucket[1][hash_u64(i << 32, 7) >> 56]++;
        bucket[2][hash_bytes(text, (size_t)sprintf(text, "key-%llu", (unsigned long long)i), 0) & 255]++;
    }
    for (size_t i = 0; i < COUNT(bucket); i++)
        for (size_t j = 0; j < 256; j++)
            if (bucket[i][j] < 50 || bucket[i][j] > 150)
                fail_msg("bucket %zu of series %zu holds %u instead of about 100", j, i, bucket[i][j]);
}

static void flipping_a_bit_flips_half_the_result(void **state)
{
    for (int bit = 0; bit < 64; bit++) {
        int flips[2] = {0};
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t v = i * UINT64_C(0x123456789abcdef1), w = v ^ UINT64_C(1) << bit;
            flips[0] += __builtin_popcountll(hash_u64(v, 0) ^ hash_u64(w, 0));
            flips[1] += __builtin_popcountll(hash_bytes(&v, 8, 0) ^ hash_bytes(&w, 8, 0));
        }
        assert_in_range(flips[0], 30000, 34000);
        assert_in_range(flips[1], 30000, 34000);
    }
    assert_true(hash_join(1, 2) != hash_join(2, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_is_kafkas),
        cmocka_unit_test(every_length_and_bit_counts),
        cmocka_unit_test(consecutive_numbers_fill_buckets_evenly),
        cmocka_unit_test(flipping_a_bit_flips_half_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
