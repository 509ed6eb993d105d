// SPDX-License-Identifier: Apache-2.0
// Hashes: a fast 64-bit one for tables and for spreading rows, and Kafka's for choosing partitions.
//
// The 64-bit hash is not cryptographic. Two processes, and two builds, give the same result for the same seed on
// little-endian machines, but nothing that is kept on disk may rest on it. A table that holds keys from outside takes a
// random seed, so that nobody can prepare colliding keys.
// Thread: any. Nothing is allocated.
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

// Multiplies to 128 bits and folds the halves: every bit of the result depends on every bit of both.
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Of one number; a bijection would be weaker in the lower bits, so two different numbers may collide.
static inline uint64_t hash_u64(uint64_t v, uint64_t seed)
{
    return hash_mix(v ^ UINT64_C(0x68c80b7d58b9d16d), hash_mix(seed ^ v, UINT64_C(0x8f58ea4ca5d52565)) | 1);
}

// Adds the hash of a further part to that of the parts before; the order counts.
static inline uint64_t hash_join(uint64_t before, uint64_t part)
{
    return hash_mix(before ^ UINT64_C(0x9647eb70e14751e1), part ^ UINT64_C(0xce3fcba4435486d1));
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

// Murmur2 as Kafka's Java client has it.
uint32_t hash_murmur2(const void *bytes, size_t len);

// The partition (0..count-1, count > 0) in which Kafka's default partitioner puts a record with this key.
static inline uint32_t hash_kafka_partition(const void *key, size_t len, uint32_t count)
{
    return (hash_murmur2(key, len) & 0x7fffffffu) % count;
}

#endif
