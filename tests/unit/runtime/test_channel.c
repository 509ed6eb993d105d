// SPDX-License-Identifier: Apache-2.0
// The channel alone: order and bounds, with one writer and one reader on threads of their own.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <pthread.h>
#include <sched.h>

#include "data/batch.h"
#include "runtime/runtime_int.h"

#include <cmocka.h>

#define ELEMENTS 200000

static const struct leat_host host = {.struct_size = sizeof host, .batch_grow = data_batch_grow};
static const struct leat_field field = {{(const uint8_t *)"id", 2}, {.kind = LEAT_TYPE_BIGINT}};
static const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = 1, .columns = &field};

struct fixture {
    struct loop *loop;
    struct worker worker;
    struct task writer, reader;
    struct channel ch;
};

static void do_nothing(struct loop_mail *mail) {}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct base_error error;
    f->loop = loop_create(&(struct loop_options){.name = "test"}, &error);
    f->worker.loop = f->loop;
    f->writer.worker = f->reader.worker = &f->worker;
    f->writer.run_mail.fn = f->reader.run_mail.fn = do_nothing;
    // posted once for all: nobody turns the loop
    atomic_store(&f->reader.run_posted, true);
    atomic_store(&f->writer.run_posted, true);
    assert_true(channel_init(&f->ch, &f->writer, &f->reader, 20000));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    channel_fini(&f->ch);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static bool push(struct fixture *f, int64_t id)
{
    struct leat_batch *b = data_batch_create(&host, &schema, 1, 0, 0);
    leat_batch_set_i64(b, 0, leat_batch_add(b, LEAT_INSERT), id);
    bool ok = channel_push(&f->ch, b, false);
    data_batch_unref(b);
    return ok;
}

static void elements_keep_their_order(void **state)
{
    struct fixture *f = *state;
    assert_null(channel_peek(&f->ch));
    assert_true(push(f, 1));
    assert_true(channel_push_mark(&f->ch, ELEMENT_BARRIER, 42));
    assert_true(push(f, 2));
    assert_int_equal(channel_peek(&f->ch)->batch->columns[0].cells[0].i64, 1);
    channel_pop(&f->ch);
    assert_int_equal(channel_peek(&f->ch)->kind, ELEMENT_BARRIER);
    assert_int_equal(channel_peek(&f->ch)->epoch, 42);
    channel_pop(&f->ch);
    assert_int_equal(channel_peek(&f->ch)->batch->columns[0].cells[0].i64, 2);
    channel_pop(&f->ch);
    assert_null(channel_peek(&f->ch));
}

static void a_full_channel_wakes_its_writer_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    int n = 0;
    for (; !channel_full(&f->ch); n++)
        assert_true(push(f, n));
    assert_in_range(n, 2, 10); // a block of 4 KiB each
    atomic_store(&f->writer.run_posted, false);
    for (int i = 0; i < n; i++) {
        assert_true(!atomic_load(&f->writer.run_posted) || i > n / 2);
        channel_pop(&f->ch);
    }
    assert_true(atomic_load(&f->writer.run_posted));
    assert_false(channel_full(&f->ch));
    assert_true(push(f, 0)); // what is left goes with the channel
}

static void *write_all(void *arg)
{
    struct fixture *f = arg;
    for (int64_t i = 0; i < ELEMENTS;) {
        if (channel_full(&f->ch))
            sched_yield();
        else if (!push(f, i++))
            return NULL;
    }
    return f;
}

static void two_threads_pass_everything_in_order(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_all, f), 0);
    for (int64_t i = 0; i < ELEMENTS;) {
        struct element *e = channel_peek(&f->ch);
        if (!e) {
            sched_yield();
            continue;
        }
        assert_int_equal(e->batch->columns[0].cells[0].i64, i);
        channel_pop(&f->ch);
        i++;
    }
    void *result;
    pthread_join(thread, &result);
    assert_ptr_equal(result, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(elements_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_channel_wakes_its_writer_when_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_threads_pass_everything_in_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
