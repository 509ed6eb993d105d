// SPDX-License-Identifier: Apache-2.0
// Net changes of transactions, checked by applying them to a table as an upsert sink would.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#include "data/batch.h"
#include "runtime/consolidate.h"

#include <cmocka.h>

#define IDS 80001

static leat_status fail_host(struct leat_ctx *ctx, leat_status failure, const char *code, const char *fmt, va_list ap)
{
    return failure;
}

static void hint_host(struct leat_ctx *ctx, const char *fmt, va_list ap) {}

static struct leat_batch *create_batch(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                       uint8_t bare)
{
    return data_batch_create(ctx->host, schema, capacity, bare, 0);
}

static const struct leat_host host = {.struct_size = sizeof host,
                                      .fail = fail_host,
                                      .error_hint = hint_host,
                                      .batch_create = create_batch,
                                      .batch_grow = data_batch_grow,
                                      .batch_keep = data_batch_keep,
                                      .batch_unref = data_batch_unref};
static struct leat_ctx ctx = {.host = &host};
static const uint32_t key = 0;

// The target: value by id, -1 = no row. And the table as the changes mean it.
struct table {
    struct consolidate *c;
    uint64_t position;    // of the rows that are fed: their transaction
    bool is_full;         // says LEAT_AGAIN to everything
    bool is_slow;         // slices are counted by the test
    bool is_each_its_own; // every row is a transaction
    int64_t target[IDS];
    uint32_t gives, rows, deletes_after_upserts;
    uint8_t last;
};

static leat_status apply(void *arg, const struct leat_batch *b)
{
    struct table *t = arg;
    t->gives++;
    for (uint32_t i = 0; i < b->rows; i++) {
        int64_t id = b->columns[0].cells[i].i64;
        t->rows++;
        t->deletes_after_upserts += b->kinds[i] == LEAT_DELETE && t->last != LEAT_DELETE;
        t->last = b->kinds[i];
        t->target[id] = b->kinds[i] == LEAT_DELETE ? -1 : b->columns[1].cells[i].i64;
    }
    return t->is_full ? LEAT_AGAIN : LEAT_OK;
}

static int set_up(void **state)
{
    struct table *t = calloc(1, sizeof *t);
    for (int i = 0; i < IDS; i++)
        t->target[i] = -1;
    t->c = consolidate_create(&fake_schema, &key, 1, (size_t)64 << 20, "/tmp");
    t->last = LEAT_DELETE;
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    consolidate_destroy(t->c);
    free(t);
    return 0;
}

struct change {
    uint8_t kind;
    int64_t id, value; // value -1 = absent: the delete knows the key only
};

// A transaction is given in slices; one is due per call.
static void settle(struct table *t)
{
    for (uint32_t most = 1000000; consolidate_is_giving(t->c) && most; most--)
        assert_true(consolidate_go_on(t->c, &ctx, apply, t) >= 0);
    assert_false(consolidate_is_giving(t->c));
}

static void feed(struct table *t, const struct change *changes, uint32_t n, uint32_t batch_rows, uint8_t last_flags)
{
    for (uint32_t at = 0; at < n;) {
        struct leat_batch *b = data_batch_create(&host, &fake_schema, batch_rows, 0, 0);
        b->positions = leat_batch_alloc(b, batch_rows * sizeof *b->positions, 8);
        for (; at < n && b->rows < b->capacity; at++) {
            uint32_t row = leat_batch_add(b, changes[at].kind);
            b->positions[row] = t->position += t->is_each_its_own;
            leat_batch_set_i64(b, 0, row, changes[at].id);
            leat_batch_set_i64(b, 1, row, changes[at].value);
            if (changes[at].value < 0)
                leat_batch_set_state(b, 1, row, LEAT_ABSENT);
        }
        b->flags = at < n ? LEAT_BATCH_TXN_OPEN : last_flags;
        assert_int_equal(consolidate_add(t->c, &ctx, b, b->flags & LEAT_BATCH_TXN_OPEN, apply, t) < 0, false);
        data_batch_unref(b);
        if (!t->is_full && !t->is_slow && at == n)
            settle(t);
    }
}

static void fill(struct table *t, int64_t from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        feed(t, &(struct change){LEAT_INSERT, from + i, 1000 + from + i}, 1, 1, 0);
    t->rows = t->gives = 0;
    t->last = LEAT_DELETE;
}

// UPDATE t SET id = id + 1: key after key goes and comes.
static void update_ids(struct table *t, int64_t n, uint8_t goes, uint8_t comes, uint32_t batch_rows)
{
    struct change *changes = malloc((size_t)n * 2 * sizeof *changes);
    for (int64_t i = 0; i < n; i++) {
        changes[2 * i] = (struct change){goes, i, 1000 + i};
        changes[2 * i + 1] = (struct change){comes, i + 1, 1000 + i};
    }
    feed(t, changes, (uint32_t)(2 * n), batch_rows, 0);
    free(changes);
}

static void assert_shifted(struct table *t, int64_t n)
{
    assert_int_equal(t->target[0], -1);
    for (int64_t i = 1; i <= n; i++)
        assert_int_equal(t->target[i], 1000 + i - 1);
    assert_int_equal(t->target[n + 1], -1);
    assert_int_equal(t->rows, n + 1); // one delete, n upserts
    assert_int_equal(t->deletes_after_upserts, 0);
}

static void ids_that_move_up_destroy_no_row(void **state)
{
    struct table *t = *state;
    fill(t, 0, 10000);
    update_ids(t, 10000, LEAT_DELETE, LEAT_INSERT, 1000);
    assert_shifted(t, 10000);
}

static void the_same_as_updates_in_small_batches(void **state)
{
    struct table *t = *state;
    fill(t, 0, 10000);
    update_ids(t, 10000, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 7);
    assert_shifted(t, 10000);
}

static void what_comes_back_as_it_was_is_no_change(void **state)
{
    struct table *t = *state;
    fill(t, 0, 3);
    const struct change back_and_forth[] = {{LEAT_UPDATE_BEFORE, 1, 1001}, {LEAT_UPDATE_AFTER, 1, 7},
                                            {LEAT_UPDATE_BEFORE, 1, 7},    {LEAT_UPDATE_AFTER, 1, 1001},
                                            {LEAT_INSERT, 9, 9},           {LEAT_DELETE, 9, 9}};
    feed(t, back_and_forth, 6, 2, 0);
    assert_int_equal(t->rows, 0);
    assert_int_equal(t->gives, 0);
}

// A crash may have left the target in the middle: then silence would leave it there.
static void what_comes_back_in_another_transaction_is_told(void **state)
{
    struct table *t = *state;
    fill(t, 0, 3);
    const struct change back_and_forth[] = {
        {LEAT_DELETE, 1, 1001}, {LEAT_INSERT, 1, 1001}, {LEAT_INSERT, 9, 9}, {LEAT_DELETE, 9, 9}};
    t->target[1] = -1; // as the first delete left it
    t->target[9] = 9;
    t->is_each_its_own = true;
    feed(t, back_and_forth, 4, 2, 0);
    assert_int_equal(t->target[1], 1001);
    assert_int_equal(t->target[9], -1);
    assert_int_equal(t->rows, 2);
    assert_int_equal(t->deletes_after_upserts, 0);
}

// Keys that are touched again and again cost no more than others.
static void a_key_that_comes_and_goes_is_found_at_once(void **state)
{
    struct table *t = *state;
    enum { TIMES = 400000 };
    struct change *changes = malloc(TIMES * sizeof *changes);
    for (int i = 0; i < TIMES; i++)
        changes[i] = (struct change){i % 2 ? LEAT_DELETE : LEAT_INSERT, 1, i / 2};
    feed(t, changes, TIMES, 1024, 0);
    assert_int_equal(t->rows, 0);
    free(changes);
}

static uint32_t open_files(void)
{
    uint32_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void a_large_transaction_goes_through_files(void **state)
{
    struct table *t = *state;
    uint32_t before = open_files();
    consolidate_destroy(t->c);
    t->c = consolidate_create(&fake_schema, &key, 1, 100000, "/tmp");
    fill(t, 0, 15000);
    update_ids(t, 15000, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 100);
    assert_shifted(t, 15000);
    update_ids(t, 1, LEAT_DELETE, LEAT_INSERT, 100); // and a small one after it
    assert_int_equal(open_files(), before);
}

static void a_sink_that_is_full_gets_the_rest_later(void **state)
{
    struct table *t = *state;
    consolidate_destroy(t->c);
    t->c = consolidate_create(&fake_schema, &key, 1, 100000, "/tmp");
    fill(t, 0, 10000);
    t->is_full = true;
    update_ids(t, 10000, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 100);
    assert_true(consolidate_is_giving(t->c));
    while (t->gives == 0)
        assert_true(consolidate_go_on(t->c, &ctx, apply, t) >= 0);
    assert_int_equal(t->gives, 1);
    // what comes meanwhile is given after it
    const struct change next[] = {{LEAT_UPDATE_BEFORE, 5, 1004}, {LEAT_UPDATE_AFTER, 5, 7777}};
    feed(t, next, 2, 2, 0);
    settle(t);
    assert_int_equal(t->target[5], 7777);
    t->target[5] = 1004;
    t->rows--;
    t->deletes_after_upserts = 0;
    assert_shifted(t, 10000);
}

// No call works for long, whatever the size: the worker has others to serve.
static void a_large_transaction_is_given_in_slices(void **state)
{
    struct table *t = *state;
    for (int spilled = 0; spilled < 2; spilled++) {
        consolidate_destroy(t->c);
        t->c = consolidate_create(&fake_schema, &key, 1, spilled ? 100000 : (size_t)64 << 20, "/tmp");
        memset(t->target, 0xff, sizeof t->target);
        fill(t, 0, 80000);
        t->is_slow = true;
        update_ids(t, 80000 - 1, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 1024);
        t->is_slow = false;
        uint32_t calls = 0, most = 0;
        for (; consolidate_is_giving(t->c); calls++) {
            uint32_t before = t->rows;
            assert_true(consolidate_go_on(t->c, &ctx, apply, t) >= 0);
            most = t->rows - before > most ? t->rows - before : most;
        }
        assert_true(calls > 20);
        assert_in_range(most, 1, 16384); // 32 bytes a cell: half a MiB
        assert_int_equal(t->deletes_after_upserts, 0);
        assert_int_equal(t->target[0], -1);
        assert_int_equal(t->target[40000], 1000 + 39999);
        assert_int_equal(t->rows, 80000);
    }
}

static void a_full_disk_is_an_error(void **state)
{
    struct table *t = *state;
    consolidate_destroy(t->c);
    t->c = consolidate_create(&fake_schema, &key, 1, 1000, "/nowhere");
    struct leat_batch *b = data_batch_create(&host, &fake_schema, 4, 0, 0);
    uint32_t row = leat_batch_add(b, LEAT_DELETE);
    leat_batch_set_i64(b, 0, row, 1);
    leat_batch_set_i64(b, 1, row, 1);
    assert_int_equal(consolidate_add(t->c, &ctx, b, true, apply, t), LEAT_RESOURCE);
    data_batch_unref(b);
}

static void ids_may_change_places(void **state)
{
    struct table *t = *state;
    fill(t, 0, 3);
    // UPDATE t SET id = (id + 1) % 3
    const struct change turn[] = {{LEAT_DELETE, 0, 1000}, {LEAT_INSERT, 1, 1000}, {LEAT_DELETE, 1, 1001},
                                  {LEAT_INSERT, 2, 1001}, {LEAT_DELETE, 2, 1002}, {LEAT_INSERT, 0, 1002}};
    feed(t, turn, 6, 10, 0);
    assert_int_equal(t->target[0], 1002);
    assert_int_equal(t->target[1], 1000);
    assert_int_equal(t->target[2], 1001);
    assert_int_equal(t->rows, 3);
}

// Every order in which three rows of one key can go and come within a transaction ends with the right row.
static void any_order_of_one_key_gives_the_last_row(void **state)
{
    struct table *t = *state;
    static const int orders[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    for (int o = 0; o < 6; o++) {
        struct change changes[6];
        int64_t now = t->target[5];
        uint32_t n = 0;
        for (int i = 0; i < 3; i++) {
            if (now >= 0)
                changes[n++] = (struct change){LEAT_UPDATE_BEFORE, 5, now};
            changes[n++] = (struct change){now >= 0 ? LEAT_UPDATE_AFTER : LEAT_INSERT, 5, orders[o][i]};
            now = orders[o][i];
        }
        feed(t, changes, n, 3, 0);
        assert_int_equal(t->target[5], now);
    }
}

static void a_delete_that_knows_only_its_key_takes_the_row(void **state)
{
    struct table *t = *state;
    fill(t, 0, 3);
    const struct change changes[] = {{LEAT_DELETE, 1, -1},       {LEAT_INSERT, 2, 5},  {LEAT_DELETE, 2, -1},
                                     {LEAT_UPDATE_AFTER, 0, 50}, {LEAT_DELETE, 0, -1}, {LEAT_INSERT, 0, 60}};
    feed(t, changes, 6, 4, 0);
    assert_int_equal(t->target[0], 60);
    assert_int_equal(t->target[1], -1);
    assert_int_equal(t->target[2], -1);
    assert_int_equal(t->deletes_after_upserts, 0);
}

static void an_open_transaction_is_held_until_it_ends(void **state)
{
    struct table *t = *state;
    const struct change one[] = {{LEAT_INSERT, 1, 10}},
                        two[] = {{LEAT_UPDATE_BEFORE, 1, 10}, {LEAT_UPDATE_AFTER, 1, 11}};
    feed(t, one, 1, 1, LEAT_BATCH_TXN_OPEN);
    assert_int_equal(t->rows, 0);
    feed(t, two, 2, 2, LEAT_BATCH_TXN_OPEN);
    assert_int_equal(t->rows, 0);
    struct leat_batch *end = data_batch_create(&host, &fake_schema, 1, 0, 0);
    assert_int_equal(consolidate_add(t->c, &ctx, end, end->flags & LEAT_BATCH_TXN_OPEN, apply, t), LEAT_OK);
    assert_int_equal(t->rows, 1);
    assert_int_equal(t->target[1], 11);
    // again: nothing is held, nothing is given
    assert_int_equal(consolidate_add(t->c, &ctx, end, end->flags & LEAT_BATCH_TXN_OPEN, apply, t), LEAT_OK);
    assert_int_equal(t->gives, 1);
    data_batch_unref(end);
    feed(t, one, 1, 1, LEAT_BATCH_TXN_OPEN);
    assert_int_equal(consolidate_finish(t->c, &ctx, apply, t), LEAT_OK);
    assert_int_equal(t->target[1], 10);
}

static void tables_of_a_large_transaction_go_with_it(void **state)
{
    struct table *t = *state;
    update_ids(t, 1000, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 1024);
    uint32_t small = consolidate_capacity(t->c);
    assert_in_range(small, 1000, 65536); // stays: the next small one needs it again
    t->rows = t->deletes_after_upserts = 0;
    t->last = LEAT_DELETE;
    update_ids(t, 80000 - 1, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 1024);
    assert_shifted(t, 80000 - 1);
    assert_int_equal(consolidate_capacity(t->c), 0);
    t->rows = 0;
    t->last = LEAT_DELETE;
    update_ids(t, 1000, LEAT_UPDATE_BEFORE, LEAT_UPDATE_AFTER, 1024);
    assert_int_equal(t->rows, 1001);
    assert_int_equal(consolidate_capacity(t->c), small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ids_that_move_up_destroy_no_row),
        TEST(the_same_as_updates_in_small_batches),
        TEST(what_comes_back_as_it_was_is_no_change),
        TEST(ids_may_change_places),
        TEST(what_comes_back_in_another_transaction_is_told),
        TEST(a_key_that_comes_and_goes_is_found_at_once),
        TEST(a_large_transaction_goes_through_files),
        TEST(a_sink_that_is_full_gets_the_rest_later),
        TEST(a_large_transaction_is_given_in_slices),
        TEST(a_full_disk_is_an_error),
        TEST(any_order_of_one_key_gives_the_last_row),
        TEST(a_delete_that_knows_only_its_key_takes_the_row),
        TEST(an_open_transaction_is_held_until_it_ends),
        TEST(tables_of_a_large_transaction_go_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
