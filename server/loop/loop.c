// SPDX-License-Identifier: Apache-2.0
// The loop's life, its turn, its graves and its figures. See loop.h.
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    // one thread only, and timers finer than epoll's millisecond: coalescing counts in fractions of one
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
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
    snprintf(loop->name, sizeof loop->name, "%s", options->name ? options->name : "loop");
    if (!mailbox_init(&loop->mailbox) || !(loop->base = new_base()) ||
        !(loop->mail_event = event_new(loop->base, loop->mailbox.fd, EV_READ | EV_PERSIST, on_mail, loop)) ||
        !(loop->timer_event = evtimer_new(loop->base, on_timer, loop)) || event_add(loop->mail_event, NULL) != 0) {
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

// How long libevent may sleep: not at all, until the earliest timer, or for ever (negative).
static leat_usec sleep_time(const struct loop *loop, bool wait)
{
    if (!wait || !base_list_empty(&loop->dead) || __atomic_load_n(&loop->mailbox.head, __ATOMIC_RELAXED) ||
        __atomic_load_n(&loop->stop, __ATOMIC_RELAXED))
        return 0;
    leat_usec due = timers_next(loop), now;
    if (due == INT64_MAX)
        return -1;
    now = loop_now(loop);
    if (due <= now)
        return 0;
    return loop->clock ? -1 : due - now; // a test's clock does not move while we sleep: whoever moves it wakes us
}

static void poll_events(struct loop *loop, bool wait)
{
    leat_usec usec = sleep_time(loop, wait);
    if (usec > 0) {
        struct timeval tv = {.tv_sec = usec / BASE_SECOND, .tv_usec = usec % BASE_SECOND};
        if (evtimer_add(loop->timer_event, &tv) != 0)
            usec = 0; // without memory for it nobody would wake us: the timers are looked at at once
    }
    // ONCE with NONBLOCK too: without it libevent goes round while a level-triggered event stays ready
    event_base_loop(loop->base, EVLOOP_ONCE | (usec == 0 ? EVLOOP_NONBLOCK : 0));
    if (usec > 0)
        evtimer_del(loop->timer_event);
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
