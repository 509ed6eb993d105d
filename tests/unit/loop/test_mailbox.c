// SPDX-License-Identifier: Apache-2.0
// Mail: order per sender, one wake for many, ping-pong between two loops, stop from outside. Also run under TSan.
#include <pthread.h>
#include <stdlib.h>

#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

#define SENDERS 4
#define LETTERS 20000

struct letter {
    struct loop_mail mail; // first
    struct office *office;
    int sender, number;
};

struct office {
    struct loop *loop;
    int next[SENDERS]; // number expected of each
    int count;
    bool wrong;
};

static void on_letter(struct loop_mail *mail)
{
    struct letter *l = (struct letter *)mail;
    struct office *o = l->office;
    if (l->number != o->next[l->sender]++)
        o->wrong = true;
    if (++o->count == SENDERS * LETTERS)
        loop_stop(o->loop);
    free(l);
}

struct sender {
    pthread_t thread;
    struct office *office;
    int number;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    for (int i = 0; i < LETTERS; i++) {
        struct letter *l = malloc(sizeof *l);
        if (!l)
            abort();
        *l = (struct letter){.mail.fn = on_letter, .office = s->office, .sender = s->number, .number = i};
        loop_post(s->office->loop, &l->mail);
    }
    return NULL;
}

static struct loop *new_loop(void)
{
    struct base_error err;
    struct loop *loop = loop_create(&(struct loop_options){.name = "mail"}, &err);
    assert_non_null(loop);
    return loop;
}

static void test_many_senders_keep_their_order(void **state)
{
    struct office o = {.loop = new_loop()};
    struct sender s[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        s[i] = (struct sender){.office = &o, .number = i};
        assert_int_equal(pthread_create(&s[i].thread, NULL, send_all, &s[i]), 0);
    }
    loop_run(o.loop);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(s[i].thread, NULL);
    assert_false(o.wrong);
    assert_int_equal(o.count, SENDERS * LETTERS);
    loop_destroy(o.loop);
}

static void test_one_wake_for_many(void **state)
{
    struct office o = {.loop = new_loop()};
    struct sender s = {.office = &o};
    send_all(&s);
    struct loop_stats stats;
    loop_stats(o.loop, &stats);
    assert_int_equal(stats.wakes, 1);
    loop_turn(o.loop, true);
    assert_int_equal(o.count, LETTERS);
    loop_destroy(o.loop);
}

// A letter that writes the next one itself.
static void on_chain(struct loop_mail *mail)
{
    struct letter *l = (struct letter *)mail;
    l->office->count++;
    if (--l->number)
        loop_post(l->office->loop, mail);
}

static void test_own_mail_wakes_nobody(void **state)
{
    struct office o = {.loop = new_loop()};
    struct letter l = {.mail.fn = on_chain, .office = &o, .number = 3};
    struct loop_stats stats;
    loop_post(o.loop, &l.mail);
    for (int i = 1; i <= 3; i++) { // each turn sleeps only if there is no mail
        loop_turn(o.loop, true);
        assert_int_equal(o.count, i);
    }
    loop_stats(o.loop, &stats);
    assert_int_equal(stats.wakes, 1); // by the post from outside of a turn
    l.number = 1;
    loop_post(o.loop, &l.mail); // again from outside: the loop would sleep
    loop_turn(o.loop, true);
    assert_int_equal(o.count, 4);
    loop_stats(o.loop, &stats);
    assert_int_equal(stats.wakes, 2);
    loop_destroy(o.loop);
}

struct player {
    struct loop *loop;
    struct ball *ball;
    pthread_t thread;
};

struct ball {
    struct loop_mail mail; // first
    struct player *players;
    int rallies;
};

static void on_ball(struct loop_mail *mail)
{
    struct ball *b = (struct ball *)mail;
    if (b->rallies == 0) {
        loop_stop(b->players[0].loop);
        loop_stop(b->players[1].loop);
        return;
    }
    b->rallies--;
    loop_post(b->players[b->rallies % 2].loop, &b->mail); // owned by the other thread from here on
}

static void *play(void *arg)
{
    loop_run(((struct player *)arg)->loop);
    return NULL;
}

static void test_ping_pong(void **state)
{
    struct player players[2] = {{.loop = new_loop()}, {.loop = new_loop()}};
    struct ball ball = {.mail.fn = on_ball, .players = players, .rallies = 2000};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
    loop_post(players[0].loop, &ball.mail);
    for (int i = 0; i < 2; i++)
        pthread_join(players[i].thread, NULL);
    assert_int_equal(ball.rallies, 0);
    for (int i = 0; i < 2; i++)
        loop_destroy(players[i].loop);
}

static void test_stop_before_run(void **state)
{
    struct loop *loop = new_loop();
    loop_stop(loop);
    loop_run(loop);
    loop_turn(loop, true); // a stopped loop does not sleep
    loop_destroy(loop);
    loop_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_senders_keep_their_order),
        cmocka_unit_test(test_one_wake_for_many),
        cmocka_unit_test(test_own_mail_wakes_nobody),
        cmocka_unit_test(test_ping_pong),
        cmocka_unit_test(test_stop_before_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
