// SPDX-License-Identifier: Apache-2.0
// The loop's life, its turn, its graves and its figures. See loop.h.
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/time.h"
#include "loop/loop_int.h"

#define BUDGET_DEFAULT 10000

struct grave {
    struct base_list link;
    void *ptr;
    void (*release)(void *ptr);
};

// --- time

leat_usec loop_now(const struct loop *loop)
{
    return loop->clock ? __atomic_load_n(&loop->clock->now, __ATOMIC_RELAXED) : base_time_mono();
}

// Figures are real time even under a test's clock: they are about this machine.
void loop_enter(struct loop *loop)
{
    __atomic_store_n(&loop->since, base_time_mono(), __ATOMIC_RELAXED);
}

void loop_leave(struct loop *loop)
{
    leat_usec took = base_time_mono() - loop->since;
    struct loop_stats *s = &loop->stats;
    __atomic_store_n(&loop->since, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&s->busy, s->busy + took, __ATOMIC_RELAXED); // one writer: no read-modify-write needed
    if (took > s->longest)
        __atomic_store_n(&s->longest, took, __ATOMIC_RELAXED);
    if (took > loop->budget)
        __atomic_store_n(&s->overruns, s->overruns + 1, __ATOMIC_RELAXED);
}

leat_usec loop_stall(const struct loop *loop)
{
    leat_usec since = __atomic_load_n(&loop->since, __ATOMIC_RELAXED), now = base_time_mono();
    return since && now > since ? now - since : 0;
}

void loop_stats(const struct loop *loop, struct loop_stats *out)
{
    const struct loop_stats *s = &loop->stats;
    out->turns = __atomic_load_n(&s->turns, __ATOMIC_RELAXED);
    out->wakes = __atomic_load_n(&loop->mailbox.wakes, __ATOMIC_RELAXED);
    out->overruns = __atomic_load_n(&s->overruns, __ATOMIC_RELAXED);
    out->busy = __atomic_load_n(&s->busy, __ATOMIC_RELAXED);
    out->longest = __atomic_load_n(&s->longest, __ATOMIC_RELAXED);
}

// --- life

// The loop whose turn this thread is in: it sees mail of its own before it sleeps.
static _Thread_local struct loop *turning;

// The two events only end the wait: mail and timers are looked at in each turn anyway.
static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    mailbox_hush(&loop->mailbox);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); // one thread only
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct loop *loop_create(const struct loop_options *options, struct base_error *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        base_no_memory(err);
        return NULL;
    }
    base_list_init(&loop->dead);
    base_list_init(&loop->dying);
    loop->clock = options->clock;
    loop->budget = options->budget ? options->budget : BUDGET_DEFAULT;
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    snprintf(loop->name, sizeof loop->name, "%s", options->name ? options->name : "loop");
    if (!mailbox_init(&loop->mailbox) || loop->timer_fd < 0 || !(loop->base = new_base()) ||
        !(loop->mail_event = event_new(loop->base, loop->mailbox.fd, EV_READ | EV_PERSIST, on_mail, loop)) ||
        !(loop->timer_event = event_new(loop->base, loop->timer_fd, EV_READ | EV_PERSIST, on_timer, loop)) ||
        event_add(loop->mail_event, NULL) != 0 || event_add(loop->timer_event, NULL) != 0) {
        base_fail(err, LEAT_RESOURCE, "LEAT-B0003", "could not make the event loop \"%s\"", loop->name);
        base_error_native(err, "errno", strerror(errno));
        loop_destroy(loop);
        return NULL;
    }
    return loop;
}

static void bury(struct base_list *graves)
{
    struct base_list *link;
    while ((link = base_list_pop_front(graves))) {
        struct grave *g = BASE_LIST_ITEM(link, struct grave, link);
        g->release(g->ptr);
        free(g);
    }
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    while (!base_list_empty(&loop->dying) || !base_list_empty(&loop->dead)) { // releasing may bring more
        bury(&loop->dying);
        bury(&loop->dead);
    }
    if (loop->mail_event)
        event_free(loop->mail_event);
    if (loop->timer_event)
        event_free(loop->timer_event);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    mailbox_fini(&loop->mailbox);
    free(loop->heap);
    free(loop);
}

// --- the turn

static void deliver_mail(struct loop *loop)
{
    struct loop_mail *mail = mailbox_take(&loop->mailbox);
    while (mail) {
        struct loop_mail *next = mail->next;
        loop_enter(loop);
        mail->fn(mail);
        loop_leave(loop);
        mail = next;
    }
}

// Has the kernel wake us at `due` (INT64_MAX = not at all), or before: what was armed for a timer that is cancelled since,
// or set anew, costs a turn in vain, and to keep up with them would cost a call a turn. That the timer has gone off is
// never read: it says so until it is armed again, which the next sleep does. Finer than epoll's millisecond, since
// coalescing counts in fractions of one.
static bool arm(struct loop *loop, leat_usec due, leat_usec now)
{
    leat_usec at = due == INT64_MAX ? 0 : due;
    struct itimerspec spec = {.it_value = {.tv_sec = at / BASE_SECOND, .tv_nsec = at % BASE_SECOND * 1000}};
    if (loop->armed == at || (loop->armed > now && loop->armed < due))
        return true;
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
        return false;
    loop->armed = at;
    return true;
}

// May the loop sleep until something happens? Then the earliest timer is something.
static bool may_sleep(struct loop *loop, bool wait)
{
    if (!wait || !base_list_empty(&loop->dead) || __atomic_load_n(&loop->mailbox.head, __ATOMIC_RELAXED) ||
        __atomic_load_n(&loop->stop, __ATOMIC_RELAXED))
        return false;
    leat_usec due = timers_next(loop), now = loop_now(loop);
    if (due <= now)
        return false;
    return loop->clock || arm(loop, due, now); // a test's clock does not move while we sleep: whoever moves it wakes us
}

static void poll_events(struct loop *loop, bool wait)
{
    // ONCE with NONBLOCK too: without it libevent goes round while a level-triggered event stays ready
    event_base_loop(loop->base, EVLOOP_ONCE | (may_sleep(loop, wait) ? 0 : EVLOOP_NONBLOCK));
}

void loop_turn(struct loop *loop, bool wait)
{
    struct loop *around = turning;
    turning = loop;
    __atomic_store_n(&loop->stats.turns, loop->stats.turns + 1, __ATOMIC_RELAXED);
    poll_events(loop, wait);
    deliver_mail(loop);
    timers_fire(loop);
    bury(&loop->dying);
    while (!base_list_empty(&loop->dead))
        base_list_push_back(&loop->dying, base_list_pop_front(&loop->dead));
    turning = around;
}

void loop_run(struct loop *loop)
{
    while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
        loop_turn(loop, true);
}

void loop_stop(struct loop *loop)
{
    __atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
    mailbox_wake(&loop->mailbox);
}

void loop_post(struct loop *loop, struct loop_mail *mail)
{
    if (mailbox_push(&loop->mailbox, mail) && loop != turning)
        mailbox_wake(&loop->mailbox);
}

const char *loop_name(const struct loop *loop)
{
    return loop->name;
}

// --- graves

bool loop_free_later(struct loop *loop, void *ptr, void (*release)(void *ptr))
{
    struct grave *g = malloc(sizeof *g);
    if (!g)
        return false;
    g->ptr = ptr;
    g->release = release;
    base_list_push_back(&loop->dead, &g->link);
    return true;
}
