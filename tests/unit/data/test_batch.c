// SPDX-License-Identifier: Apache-2.0
// Batches: layout, arena, references, and the pool under several threads.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#include "base/sanitized.h"

#include <cmocka.h>

static void every_cell_has_its_own_place(void **state)
{
    for (uint32_t capacity = 1; capacity <= LEAT_BATCH_ROWS_MAX; capacity = capacity * 3 + 1) {
        struct leat_batch *b = fixture_batch(capacity);
        assert_int_equal(b->capacity, capacity);
        assert_int_equal(b->column_count, COLUMNS);
        assert_int_equal(b->arrived, 1000);
        assert_int_equal(b->rows, 0);
        for (uint32_t c = 0; c < COLUMNS; c++) {
            assert_int_equal((uintptr_t)b->columns[c].cells % 16, 0);
            memset(b->columns[c].cells, (int)c, capacity * sizeof(union leat_cell));
            memset(b->columns[c].states, (int)c + 100, capacity);
        }
        memset(b->kinds, 99, capacity);
        for (uint32_t c = 0; c < COLUMNS; c++) {
            assert_int_equal(*(uint8_t *)&b->columns[c].cells[capacity - 1], c);
            assert_int_equal(b->columns[c].states[0], c + 100);
            assert_int_equal(b->columns[c].states[capacity - 1], c + 100);
        }
        data_batch_unref(b);
    }
    assert_null(fixture_batch(0));
    assert_null(fixture_batch(LEAT_BATCH_ROWS_MAX + 1));
}

static void rows_fill_up(void **state)
{
    struct leat_batch *b = fixture_batch(2);
    assert_int_equal(leat_batch_add(b, LEAT_INSERT), 0);
    assert_false(leat_batch_is_full(b));
    assert_int_equal(leat_batch_add(b, LEAT_DELETE), 1);
    assert_true(leat_batch_is_full(b));
    assert_int_equal(leat_batch_add(b, LEAT_INSERT), UINT32_MAX);
    assert_int_equal(b->kinds[1], LEAT_DELETE);
    data_batch_unref(b);
}

static void the_arena_grows_and_keeps_what_it_gave(void **state)
{
    struct leat_batch *b = fixture_batch(8);
    enum { PIECES = 3000 };
    uint8_t **pieces = calloc(PIECES, sizeof *pieces);
    size_t before = data_batch_bytes(b);
    for (uint32_t i = 0; i < PIECES; i++) {
        size_t size = i % 100 == 0 ? 300000 : i % 700 + 1; // some larger than any chunk
        size_t align = (size_t)1 << (i % 5);
        pieces[i] = leat_batch_alloc(b, size, align);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % align, 0);
        memset(pieces[i], (int)(i & 0xff), size);
    }
    for (uint32_t i = 0; i < PIECES; i++) {
        size_t size = i % 100 == 0 ? 300000 : i % 700 + 1;
        assert_int_equal(pieces[i][0], i & 0xff);
        assert_int_equal(pieces[i][size - 1], i & 0xff);
    }
    assert_true(leat_batch_is_full(b)); // by its memory
    assert_true(data_batch_bytes(b) >= before + 30 * 300000);
    free(pieces);
    data_batch_unref(b);
}

static void too_much_is_refused(void **state)
{
    struct leat_batch *b = fixture_batch(8);
    assert_null(leat_batch_alloc(b, SIZE_MAX, 1));
    assert_null(leat_batch_alloc(b, (size_t)UINT32_MAX + 1, 16));
    assert_null(data_batch_grow(b, 10, 32));
    data_batch_unref(b);
}

static void count_release(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void what_is_kept_lives_as_long(void **state)
{
    atomic_int released = 0;
    struct leat_batch *inner = fixture_batch(1), *outer = fixture_batch(1);
    fixture_row(inner, 7, "borrowed");
    assert_int_equal(data_batch_attach(inner, count_release, &released), LEAT_OK);
    size_t alone = data_batch_bytes(outer);
    assert_int_equal(data_batch_keep(outer, inner), LEAT_OK);
    assert_int_equal(data_batch_bytes(outer), alone + data_batch_bytes(inner)); // it counts as held
    data_batch_unref(inner);
    assert_int_equal(atomic_load(&released), 0);
    leat_batch_borrow(outer, COL_NAME, inner, COL_NAME);
    assert_memory_equal(outer->columns[COL_NAME].cells[0].bytes.ptr, "borrowed", 8);
    data_batch_ref(outer);
    data_batch_unref(outer);
    assert_int_equal(atomic_load(&released), 0);
    data_batch_unref(outer);
    assert_int_equal(atomic_load(&released), 1);
    data_batch_unref(NULL);
}

static void a_bare_batch_has_columns_on_demand(void **state)
{
    struct leat_batch *b = data_batch_create(&fixture_host, &fixture_schema, 100, 1, 0);
    assert_null(b->columns[COL_ID].cells);
    assert_true(leat_batch_own_column(b, COL_ID));
    leat_batch_set_i64(b, COL_ID, 99, 5);
    assert_int_equal(leat_batch_cell(b, COL_ID, 99)->i64, 5);
    data_batch_unref(b);
}

// --- threads

#define ROUNDS 3000

static void *make_and_drop(void *arg)
{
    const struct leat_batch *shared = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct leat_batch *b = fixture_batch(1 + (uint32_t)i % 1500);
        if (!b || data_batch_keep(b, shared) != LEAT_OK)
            return NULL;
        fixture_row(b, i, "some name");
        if (b->columns[COL_ID].cells[0].i64 != i)
            return NULL;
        data_batch_unref(b);
    }
    return arg;
}

static void the_pool_serves_several_threads(void **state)
{
    pthread_t threads[4];
    atomic_int released = 0;
    struct leat_batch *shared = fixture_batch(1);
    assert_int_equal(data_batch_attach(shared, count_release, &released), LEAT_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_drop, shared), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, shared);
    }
    assert_int_equal(atomic_load(&released), 0);
    data_batch_unref(shared);
    assert_int_equal(atomic_load(&released), 1);
}

// --- rules that nobody can go on after: in a child, which says what is broken and crashes

static void grow_sealed(struct leat_batch *b)
{
    data_batch_seal(b);
    data_batch_grow(b, 8, 8);
}

static void keep_when_sealed(struct leat_batch *b)
{
    data_batch_seal(b);
    assert_int_equal(data_batch_keep(b, b), LEAT_OK);
}

static void add_when_sealed(struct leat_batch *b)
{
    data_batch_seal(b);
    leat_batch_add(b, LEAT_INSERT);
    data_batch_unref(b);
}

static void unref_twice(struct leat_batch *b)
{
    data_batch_unref(b);
    data_batch_unref(b);
}

static void assert_broken(void (*fn)(struct leat_batch *b), const char *words)
{
    char text[512] = "";
    int pipes[2], status;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); // cmocka's
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(pipes[1], STDERR_FILENO);
        fn(fixture_batch(4));
        _exit(0);
    }
    close(pipes[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(pipes[0], text, sizeof text - 1) >= 0);
    close(pipes[0]);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, words));
}

static void who_uses_what_was_given_away_is_stopped(void **state)
{
#ifdef NDEBUG
    const bool debug = false;
#else
    const bool debug = true;
#endif
    const struct {
        void (*fn)(struct leat_batch *b);
        const char *words;
        bool told;
    } rows[] = {
        {grow_sealed, "broken: leat_batch_alloc or leat_batch_set_bytes on a batch that was given away", debug},
        {keep_when_sealed, "broken: batch_keep or batch_attach on a batch that was given away", debug},
        {add_when_sealed, "broken: leat_batch_add on a batch that was given away", debug},
        // a sanitizer sees it by itself
        {unref_twice, "broken: leat_batch_unref on a batch that nobody held any more", !BASE_SANITIZED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].told)
            assert_broken(rows[i].fn, rows[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_has_its_own_place),
        cmocka_unit_test(rows_fill_up),
        cmocka_unit_test(the_arena_grows_and_keeps_what_it_gave),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(what_is_kept_lives_as_long),
        cmocka_unit_test(a_bare_batch_has_columns_on_demand),
        cmocka_unit_test(the_pool_serves_several_threads),
        cmocka_unit_test(who_uses_what_was_given_away_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
