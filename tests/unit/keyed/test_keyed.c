// SPDX-License-Identifier: Apache-2.0
// The map against a plain array of what should be in it, with checkpoints in between.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyed_int.h"

#include <cmocka.h>

static struct leat_bytes text(const char *s)
{
    return (struct leat_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static void assert_value(const struct keyed *map, const char *key, const char *value)
{
    struct leat_bytes v = {0};
    assert_int_equal(keyed_get(map, text(key), &v), value != NULL);
    if (value) {
        assert_int_equal(v.len, strlen(value));
        assert_memory_equal(v.ptr, value, v.len);
    }
}

// --- a host that keeps what is saved

struct piece {
    uint8_t *ptr;
    size_t len;
    uint8_t kind;
};

static leat_status write_state(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len)
{
    struct piece *p = out->core;
    p->ptr = realloc(p->ptr, p->len + len);
    memcpy(p->ptr + p->len, ptr, len);
    p->len += len;
    return LEAT_OK;
}

static leat_status refuse_write(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len)
{
    return LEAT_RESOURCE;
}

static leat_status fail_host(struct leat_ctx *ctx, leat_status failure, const char *code, const char *fmt, va_list ap)
{
    return failure;
}

static const struct leat_host host = {.struct_size = sizeof host, .state_write = write_state, .fail = fail_host};
static struct leat_ctx ctx = {.host = &host};

static struct piece save(struct keyed *const *maps, uint32_t n, uint8_t kind)
{
    struct piece p = {0};
    struct leat_state_out out = {.kind = kind, .core = &p};
    assert_int_equal(keyed_save(&ctx, &out, 1, maps, n), LEAT_OK);
    assert_int_equal(out.version, 1);
    p.kind = out.kind;
    return p;
}

static leat_status load(struct keyed *const *maps, uint32_t n, const struct piece *p)
{
    struct leat_state_in in = {.version = 1, .kind = p->kind, .instances = 1, .ptr = p->ptr, .len = p->len};
    return keyed_load(&ctx, &in, maps, n);
}

static void puts_gets_and_removes(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    assert_value(map, "a", NULL);
    assert_int_equal(keyed_put(map, text("a"), text("1")), 0);
    assert_int_equal(keyed_put(map, text(""), text("empty key")), 0);
    assert_int_equal(keyed_put(map, text("b"), text("")), 0);
    assert_value(map, "a", "1");
    assert_value(map, "", "empty key");
    assert_value(map, "b", "");
    assert_int_equal(keyed_put(map, text("a"), text("2")), 0);
    assert_int_equal(keyed_put(map, text("b"), text("a value of another size in memory")), 0);
    assert_value(map, "a", "2");
    assert_value(map, "b", "a value of another size in memory");
    assert_int_equal(keyed_count(map), 3);
    assert_int_equal(keyed_content_bytes(map), 2 + 9 + 34);
    assert_int_equal(keyed_remove(map, text("a")), 1);
    assert_int_equal(keyed_remove(map, text("a")), 0);
    assert_value(map, "a", NULL);
    assert_int_equal(keyed_count(map), 2);
    keyed_destroy(map);
    keyed_destroy(NULL);
}

static void refuses_what_is_too_long(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    struct leat_bytes huge = {(const uint8_t *)"x", KEYED_LENGTH_MAX};
    assert_int_equal(keyed_put(map, huge, text("1")), -1);
    assert_int_equal(keyed_put(map, text("a"), huge), -1);
    assert_int_equal(keyed_count(map), 0);
    keyed_destroy(map);
}

static void holds_values_larger_than_a_segment(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    size_t len = 3 * KEYED_SEGMENT_BYTES + 5;
    uint8_t *big = malloc(len);
    memset(big, 'x', len);
    for (int i = 0; i < 5; i++) {
        big[len - 1] = (uint8_t)i;
        assert_int_equal(keyed_put(map, text("big"), (struct leat_bytes){big, (uint32_t)len - (uint32_t)i * 64}), 0);
    }
    struct leat_bytes v;
    assert_int_equal(keyed_get(map, text("big"), &v), 1);
    assert_int_equal(v.len, len - 4 * 64);
    assert_in_range(keyed_bytes(map), len - 4 * 64, 2 * len);
    assert_int_equal(keyed_remove(map, text("big")), 1);
    assert_in_range(keyed_bytes(map), 0, 100000);
    free(big);
    keyed_destroy(map);
}

// --- against a model

#define KEYS 20000

struct model {
    uint32_t version[KEYS]; // 0 = not there
    uint64_t random;
};

static uint64_t next_random(struct model *m)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return m->random >> 33;
}

static struct leat_bytes make_value(char *buf, uint32_t key, uint32_t version)
{
    uint32_t len = (key * 7 + version * 13) % 200;
    memset(buf, 'a' + (int)(version % 26), len);
    return (struct leat_bytes){(const uint8_t *)buf, len};
}

static void change(struct model *m, struct keyed *map, uint32_t changes)
{
    char key[16], value[256];
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t k = (uint32_t)(next_random(m) % KEYS);
        snprintf(key, sizeof key, "key%u", (unsigned)k);
        if (next_random(m) % 4 == 0) {
            assert_int_equal(keyed_remove(map, text(key)), m->version[k] != 0);
            m->version[k] = 0;
        } else {
            m->version[k]++;
            assert_int_equal(keyed_put(map, text(key), make_value(value, k, m->version[k])), 0);
        }
    }
}

static void assert_same(const struct model *m, const struct keyed *map)
{
    char key[16], value[256];
    uint64_t count = 0;
    for (uint32_t k = 0; k < KEYS; k++) {
        struct leat_bytes got, want = make_value(value, k, m->version[k]);
        snprintf(key, sizeof key, "key%u", (unsigned)k);
        assert_int_equal(keyed_get(map, text(key), &got), m->version[k] != 0);
        if (!m->version[k])
            continue;
        count++;
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.ptr, want.ptr, want.len);
    }
    assert_int_equal(keyed_count(map), count);
    uint64_t at = 0;
    while (keyed_walk(map, &at))
        count--;
    assert_int_equal(count, 0);
}

static void full_and_deltas_give_the_map_back(void **state)
{
    struct model m = {.random = 42};
    struct keyed *map = keyed_create(KEYED_MAP), *other = keyed_create(KEYED_MAP);
    size_t fulls = 0, deltas = 0;
    for (int round = 0; round < 60; round++) {
        change(&m, map, round % 10 == 0 ? 50000 : 500);
        struct piece p = save(&map, 1, round ? LEAT_STATE_DELTA : LEAT_STATE_FULL);
        if (p.kind == LEAT_STATE_FULL) {
            fulls++;
            keyed_destroy(other);
            other = keyed_create(KEYED_MAP);
        } else {
            deltas++;
            if (round % 10)
                assert_in_range(p.len, 1, 500 * 250);
        }
        assert_int_equal(load(&other, 1, &p), LEAT_OK);
        free(p.ptr);
        if (round % 10 == 5)
            assert_same(&m, other);
    }
    assert_in_range(fulls, 1, 6); // deltas as large as the map turn into whole images
    assert_int_equal(fulls + deltas, 60);
    assert_same(&m, map);
    assert_same(&m, other);
    // a map that was loaded goes on with deltas
    change(&m, other, 100);
    struct piece p = save(&other, 1, LEAT_STATE_DELTA), none = save(&other, 1, LEAT_STATE_DELTA);
    assert_int_equal(p.kind, LEAT_STATE_DELTA);
    assert_int_equal(none.len, 0);
    free(p.ptr);
    keyed_destroy(map);
    keyed_destroy(other);
}

static void a_key_removed_and_put_again_survives_a_delta(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP), *other = keyed_create(KEYED_MAP);
    keyed_put(map, text("a"), text("1"));
    keyed_put(map, text("b"), text("1"));
    struct piece full = save(&map, 1, LEAT_STATE_FULL);
    keyed_remove(map, text("a"));
    keyed_put(map, text("a"), text("2"));
    keyed_remove(map, text("b"));
    keyed_put(map, text("b"), text("2"));
    keyed_remove(map, text("b"));
    keyed_put(map, text("c"), text("never saved"));
    keyed_remove(map, text("c"));
    struct piece delta = save(&map, 1, LEAT_STATE_DELTA);
    assert_int_equal(delta.kind, LEAT_STATE_DELTA);
    assert_int_equal(load(&other, 1, &full), LEAT_OK);
    assert_int_equal(load(&other, 1, &delta), LEAT_OK);
    assert_value(other, "a", "2");
    assert_value(other, "b", NULL);
    assert_value(other, "c", NULL);
    free(full.ptr);
    free(delta.ptr);
    keyed_destroy(map);
    keyed_destroy(other);
}

static void several_maps_share_a_piece(void **state)
{
    struct keyed *maps[2] = {keyed_create(KEYED_MAP), keyed_create(KEYED_MAP)},
                 *other[2] = {keyed_create(KEYED_MAP), keyed_create(KEYED_MAP)};
    keyed_put(maps[0], text("a"), text("left"));
    keyed_put(maps[1], text("a"), text("right"));
    struct piece p = save(maps, 2, LEAT_STATE_DELTA);
    assert_int_equal(p.kind, LEAT_STATE_FULL); // nothing was saved before
    assert_int_equal(load(other, 2, &p), LEAT_OK);
    assert_value(other[0], "a", "left");
    assert_value(other[1], "a", "right");
    assert_int_equal(load(other, 1, &p), LEAT_FATAL);
    free(p.ptr);
    for (int i = 0; i < 2; i++) {
        keyed_destroy(maps[i]);
        keyed_destroy(other[i]);
    }
}

static void a_cut_piece_is_refused(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    keyed_put(map, text("key"), text("value"));
    struct piece p = save(&map, 1, LEAT_STATE_FULL);
    size_t len = p.len;
    for (p.len = 1; p.len < len; p.len++) {
        struct keyed *other = keyed_create(KEYED_MAP);
        assert_int_equal(load(&other, 1, &p), LEAT_FATAL);
        keyed_destroy(other);
    }
    free(p.ptr);
    keyed_destroy(map);
}

static void a_failed_save_is_followed_by_a_full_one(void **state)
{
    static const struct leat_host full = {.struct_size = sizeof full, .state_write = refuse_write, .fail = fail_host};
    struct leat_ctx bad = {.host = &full};
    struct keyed *map = keyed_create(KEYED_MAP);
    keyed_put(map, text("a"), text("1"));
    free(save(&map, 1, LEAT_STATE_FULL).ptr);
    keyed_put(map, text("b"), text("1"));
    struct leat_state_out out = {.kind = LEAT_STATE_DELTA};
    assert_int_equal(keyed_save(&bad, &out, 1, &map, 1), LEAT_RESOURCE);
    struct piece p = save(&map, 1, LEAT_STATE_DELTA);
    assert_int_equal(p.kind, LEAT_STATE_FULL);
    free(p.ptr);
    keyed_destroy(map);
}

static int is_even(void *arg, struct leat_bytes key, struct leat_bytes value)
{
    return (key.ptr[key.len - 1] - '0') % 2 == 0;
}

static void retain_keeps_what_is_ours(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    char key[16];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "%d", i);
        keyed_put(map, text(key), text("some value"));
    }
    free(save(&map, 1, LEAT_STATE_FULL).ptr);
    keyed_retain(map, is_even, NULL);
    assert_int_equal(keyed_count(map), 2500);
    assert_value(map, "4998", "some value");
    assert_value(map, "4999", NULL);
    struct piece p = save(&map, 1, LEAT_STATE_DELTA);
    assert_int_equal(p.kind, LEAT_STATE_FULL);
    free(p.ptr);
    keyed_destroy(map);
}

static void memory_stays_near_the_content(void **state)
{
    struct keyed *map = keyed_create(KEYED_MAP);
    struct model m = {.random = 7};
    char key[16], value[400];
    memset(value, 'v', sizeof value);
    for (uint32_t i = 0; i < 400000; i++) {
        snprintf(key, sizeof key, "key%09u", (unsigned)(next_random(&m) % 50000));
        struct leat_bytes v = {(const uint8_t *)value, (uint32_t)(250 + next_random(&m) % 100)};
        assert_int_equal(keyed_put(map, text(key), v), 0);
        if (i % 5000 == 0)
            free(save(&map, 1, LEAT_STATE_DELTA).ptr);
    }
    assert_in_range(keyed_bytes(map) * 10, keyed_content_bytes(map) * 10, keyed_content_bytes(map) * 13);
    uint64_t count = keyed_count(map);
    for (uint32_t k = 0; k < 50000; k++) {
        snprintf(key, sizeof key, "key%09u", (unsigned)k);
        count -= (uint64_t)keyed_remove(map, text(key));
    }
    assert_int_equal(count, 0);
    assert_in_range(keyed_bytes(map), 0, (size_t)4 << 20);
    keyed_destroy(map);
}

// --- groups

static struct buf grouped(const char *group, const char *rest)
{
    struct buf b;
    buf_init(&b, 1000);
    keyed_group_put(&b, group, group ? strlen(group) : 0);
    buf_str(&b, rest);
    return b;
}

static struct leat_bytes bytes(const struct buf *b)
{
    return (struct leat_bytes){b->ptr, (uint32_t)b->len};
}

// The entries of a group in their order, by the rest of what they begin with.
static void assert_group(const struct keyed *map, const char *group, const char *expected)
{
    char found[32][16], all[600] = "";
    uint32_t n = 0;
    for (keyed_ref r = keyed_first(map, text(group), keyed_hash(map, text(group))); r; r = keyed_after(map, r)) {
        struct leat_bytes g,
            rest =
                keyed_group_take(map->kind == KEYED_GROUPED_KEYS ? keyed_ref_key(map, r) : keyed_ref_value(map, r), &g);
        assert_int_equal(g.len, strlen(group));
        assert_memory_equal(g.ptr, group, g.len);
        assert_true(n < 32);
        snprintf(found[n++], 16, "%.*s", (int)rest.len, (const char *)rest.ptr);
    }
    for (uint32_t i = 0; i < n; i++)
        strcat(strcat(all, i ? "," : ""), found[i]);
    assert_string_equal(all, expected);
}

static void put_grouped(struct keyed *map, const char *key, const char *group, const char *value)
{
    struct buf b = grouped(group, value);
    assert_int_equal(keyed_put(map, text(key), bytes(&b)), 0);
    buf_fini(&b);
}

static void entries_are_found_by_group(void **state)
{
    struct keyed *map = keyed_create(KEYED_GROUPED);
    put_grouped(map, "1", "red", "a");
    put_grouped(map, "2", "red", "b");
    put_grouped(map, "3", "red", "c");
    put_grouped(map, "4", NULL, "in none");
    put_grouped(map, "5", "", "the empty one");
    assert_group(map, "red", "a,b,c");
    assert_group(map, "", "the empty one");
    assert_group(map, "blue", "");
    put_grouped(map, "2", "blue", "b");                    // another group, the same size
    put_grouped(map, "3", "red", "c, which grows larger"); // the same group, another size
    assert_group(map, "red", "a,c, which grows ");
    assert_group(map, "blue", "b");
    put_grouped(map, "1", "blue", "another size and group");
    put_grouped(map, "3", NULL, "c");
    assert_group(map, "red", "");
    assert_group(map, "blue", "b,another size an");
    assert_int_equal(keyed_remove(map, text("2")), 1);
    assert_int_equal(keyed_remove(map, text("1")), 1);
    assert_group(map, "blue", "");
    assert_int_equal(keyed_count(map), 3);
    keyed_destroy(map);
}

static void keys_may_carry_the_group(void **state)
{
    struct keyed *map = keyed_create(KEYED_GROUPED_KEYS);
    struct buf a = grouped("red", "a"), b = grouped("red", "b");
    assert_int_equal(keyed_put(map, bytes(&a), text("1")), 0);
    assert_int_equal(keyed_put(map, bytes(&b), text("1")), 0);
    assert_int_equal(keyed_put(map, bytes(&a), text("two, which is longer")), 0);
    assert_group(map, "red", "b,a");
    struct leat_bytes v;
    assert_int_equal(keyed_get(map, bytes(&a), &v), 1);
    assert_int_equal(v.len, 20);
    assert_int_equal(keyed_remove(map, bytes(&a)), 1);
    assert_group(map, "red", "b");
    buf_fini(&a);
    buf_fini(&b);
    keyed_destroy(map);
}

static int add_to(struct keyed *bag, const struct buf *value)
{
    struct leat_bytes group;
    keyed_group_take(bytes(value), &group);
    return keyed_add(bag, bytes(value), keyed_hash(bag, group));
}

static void a_bag_holds_what_is_alike(void **state)
{
    struct keyed *map = keyed_create(KEYED_BAG), *other = keyed_create(KEYED_BAG);
    struct buf a = grouped("red", "a"), b = grouped("red", "b");
    assert_int_equal(add_to(map, &a), 0);
    assert_int_equal(add_to(map, &a), 0);
    struct piece full = save(&map, 1, LEAT_STATE_DELTA);
    assert_int_equal(add_to(map, &b), 0);
    struct piece delta = save(&map, 1, LEAT_STATE_DELTA);
    assert_int_equal(full.kind, LEAT_STATE_FULL);
    assert_int_equal(delta.kind, LEAT_STATE_DELTA);
    assert_true(delta.len < full.len);
    assert_int_equal(load(&other, 1, &full), LEAT_OK);
    assert_int_equal(load(&other, 1, &delta), LEAT_OK);
    assert_group(other, "red", "a,a,b");
    assert_int_equal(keyed_count(other), 3);
    // what was read is not written again
    assert_int_equal(add_to(other, &a), 0);
    struct piece next = save(&other, 1, LEAT_STATE_DELTA);
    assert_int_equal(next.kind, LEAT_STATE_DELTA);
    assert_int_equal(next.len, delta.len);
    free(next.ptr);
    delta.len -= 1;
    assert_int_equal(load(&other, 1, &delta), LEAT_FATAL);
    free(full.ptr);
    free(delta.ptr);
    buf_fini(&a);
    buf_fini(&b);
    keyed_destroy(map);
    keyed_destroy(other);
}

static int drop_every_third(void *arg, struct leat_bytes key, struct leat_bytes value)
{
    uint32_t *n = arg;
    return ++*n % 3 != 0;
}

static void assert_same_values(const struct keyed *map, const struct keyed *other, const char *group)
{
    keyed_ref a = keyed_first(map, text(group), keyed_hash(map, text(group)));
    keyed_ref b = keyed_first(other, text(group), keyed_hash(other, text(group)));
    for (; a && b; a = keyed_after(map, a), b = keyed_after(other, b)) {
        struct leat_bytes k = keyed_ref_value(map, a), l = keyed_ref_value(other, b);
        assert_int_equal(k.len, l.len);
        assert_memory_equal(k.ptr, l.ptr, k.len);
    }
    assert_int_equal(a != 0, b != 0);
}

static void assert_bag_order(int large, int drops)
{
    struct keyed *map = keyed_create(KEYED_BAG), *other = NULL;
    static char filler[KEYED_SEGMENT_BYTES];
    char group[16];
    uint32_t entries = 0, walked = 0;
    memset(filler, 'x', sizeof filler);
    for (int round = 0; round < 12; round++) {
        for (uint32_t i = 0; i < 4000; i++) {
            struct buf value;
            buf_init(&value, 2 * sizeof filler);
            snprintf(group, sizeof group, "g%u", (unsigned)(entries % 7));
            keyed_group_put(&value, entries % 11 ? group : NULL, strlen(group));
            buf_u32(&value, entries++);
            buf_put(&value, filler, large && round > 3 && i % 1000 == 0 ? sizeof filler / 3 : i % 300);
            assert_int_equal(add_to(map, &value), 0);
            buf_fini(&value);
        }
        if (drops && round == 3)
            keyed_retain(map, drop_every_third, &walked);
        struct piece p = save(&map, 1, round % 3 ? LEAT_STATE_DELTA : LEAT_STATE_FULL);
        if (p.kind == LEAT_STATE_FULL) {
            keyed_destroy(other);
            other = keyed_create(KEYED_BAG);
        }
        assert_int_equal(load(&other, 1, &p), LEAT_OK);
        free(p.ptr);
        assert_int_equal(keyed_count(map), keyed_count(other));
        for (int g = 0; g < 7; g++) {
            snprintf(group, sizeof group, "g%d", g);
            assert_same_values(map, other, group);
        }
    }
    assert_int_equal(keyed_count(map), entries - walked / 3);
    keyed_destroy(map);
    keyed_destroy(other);
}

// However its memory came about: with values that have a segment to themselves, and after others were dropped.
static void a_bag_keeps_its_order_through_checkpoints(void **state)
{
    assert_bag_order(0, 0);
    assert_bag_order(1, 0);
    assert_bag_order(0, 1);
}

#define GROUPS 40

// Which group key k is in at a version; GROUPS = in none.
static uint32_t group_at(uint32_t k, uint32_t version)
{
    return (k + version / 2) % (GROUPS + 1);
}

// Both maps walk each group in the same order.
static void assert_same_order(const struct keyed *map, const struct keyed *other)
{
    for (uint32_t g = 0; g < GROUPS; g++) {
        char group[16];
        snprintf(group, sizeof group, "g%u", (unsigned)g);
        keyed_ref a = keyed_first(map, text(group), keyed_hash(map, text(group)));
        keyed_ref b = keyed_first(other, text(group), keyed_hash(other, text(group)));
        for (; a && b; a = keyed_after(map, a), b = keyed_after(other, b)) {
            struct leat_bytes k = keyed_ref_key(map, a), l = keyed_ref_key(other, b);
            assert_int_equal(k.len, l.len);
            assert_memory_equal(k.ptr, l.ptr, k.len);
        }
        assert_int_equal(a, b);
    }
}

static void assert_groups(const struct model *m, const struct keyed *map)
{
    uint32_t expected[GROUPS + 1] = {0};
    for (uint32_t k = 0; k < KEYS; k++)
        if (m->version[k])
            expected[group_at(k, m->version[k])]++;
    for (uint32_t g = 0; g < GROUPS; g++) {
        char group[16];
        snprintf(group, sizeof group, "g%u", (unsigned)g);
        uint32_t n = 0;
        for (keyed_ref r = keyed_first(map, text(group), keyed_hash(map, text(group))); r; r = keyed_after(map, r))
            n++;
        assert_int_equal(n, expected[g]);
    }
}

// Entries that come, go, grow and change their group, while memory is cleaned and pieces are saved and loaded.
static void groups_outlive_changes_and_checkpoints(void **state)
{
    struct model m = {.random = 11};
    struct keyed *map = keyed_create(KEYED_GROUPED), *other = keyed_create(KEYED_GROUPED);
    char key[16], group[16], filler[256];
    struct buf value;
    buf_init(&value, 1000);
    for (int round = 0; round < 30; round++) {
        for (uint32_t i = 0; i < (round % 10 ? 800 : 30000); i++) {
            uint32_t k = (uint32_t)(next_random(&m) % KEYS);
            snprintf(key, sizeof key, "key%u", (unsigned)k);
            if (next_random(&m) % 4 == 0) {
                assert_int_equal(keyed_remove(map, text(key)), m.version[k] != 0);
                m.version[k] = 0;
                continue;
            }
            uint32_t g = group_at(k, ++m.version[k]);
            struct leat_bytes rest = make_value(filler, k, m.version[k]);
            snprintf(group, sizeof group, "g%u", (unsigned)g);
            buf_reset(&value);
            keyed_group_put(&value, g == GROUPS ? NULL : group, strlen(group));
            buf_put(&value, rest.ptr, rest.len);
            assert_int_equal(keyed_put(map, text(key), bytes(&value)), 0);
        }
        struct piece p = save(&map, 1, round % 7 ? LEAT_STATE_DELTA : LEAT_STATE_FULL);
        if (p.kind == LEAT_STATE_FULL) {
            keyed_destroy(other);
            other = keyed_create(KEYED_GROUPED);
        }
        assert_int_equal(load(&other, 1, &p), LEAT_OK);
        free(p.ptr);
        assert_groups(&m, map);
        assert_groups(&m, other);
        assert_same_order(map, other);
    }
    assert_int_equal(keyed_count(other), keyed_count(map));
    buf_fini(&value);
    keyed_destroy(map);
    keyed_destroy(other);
}

static int in_even_group(void *arg, struct leat_bytes key, struct leat_bytes value)
{
    struct leat_bytes group;
    keyed_group_take(value, &group);
    return (group.ptr[group.len - 1] - '0') % 2 == 0;
}

static void retain_gives_memory_back(void **state)
{
    struct keyed *map = keyed_create(KEYED_BAG);
    char group[16], filler[200];
    memset(filler, 'f', sizeof filler);
    filler[sizeof filler - 1] = 0;
    for (int i = 0; i < 60000; i++) {
        snprintf(group, sizeof group, "g%d", i % 100);
        struct buf b = grouped(group, filler);
        assert_int_equal(add_to(map, &b), 0);
        buf_fini(&b);
    }
    keyed_retain(map, in_even_group, NULL);
    assert_int_equal(keyed_count(map), 30000);
    assert_in_range(keyed_bytes(map) * 10, keyed_content_bytes(map) * 10, keyed_content_bytes(map) * 13);
    uint32_t n = 0;
    for (keyed_ref r = keyed_first(map, text("g8"), keyed_hash(map, text("g8"))); r; r = keyed_after(map, r))
        n++;
    assert_int_equal(n, 600);
    assert_int_equal(keyed_first(map, text("g7"), keyed_hash(map, text("g7"))), 0);
    keyed_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_gets_and_removes),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(holds_values_larger_than_a_segment),
        cmocka_unit_test(full_and_deltas_give_the_map_back),
        cmocka_unit_test(a_key_removed_and_put_again_survives_a_delta),
        cmocka_unit_test(several_maps_share_a_piece),
        cmocka_unit_test(a_cut_piece_is_refused),
        cmocka_unit_test(a_failed_save_is_followed_by_a_full_one),
        cmocka_unit_test(retain_keeps_what_is_ours),
        cmocka_unit_test(memory_stays_near_the_content),
        cmocka_unit_test(entries_are_found_by_group),
        cmocka_unit_test(keys_may_carry_the_group),
        cmocka_unit_test(a_bag_holds_what_is_alike),
        cmocka_unit_test(a_bag_keeps_its_order_through_checkpoints),
        cmocka_unit_test(groups_outlive_changes_and_checkpoints),
        cmocka_unit_test(retain_gives_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
