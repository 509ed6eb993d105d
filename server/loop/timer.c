// SPDX-License-Identifier: Apache-2.0
// Timers: a binary heap by due time. A timer knows its place in it, so that it can be taken out.
//
// Two timers due at the same time may fire in either order.
#include <stdlib.h>

#include "loop/loop_int.h"

static void put(struct loop *loop, size_t place, struct loop_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct loop *loop, size_t place, struct loop_timer *timer)
{
    for (; place > 1 && loop->heap[place / 2]->due > timer->due; place /= 2)
        put(loop, place, loop->heap[place / 2]);
    put(loop, place, timer);
}

static void sift_down(struct loop *loop, size_t place, struct loop_timer *timer)
{
    for (;;) {
        size_t child = place * 2;
        if (child > loop->timers)
            break;
        if (child < loop->timers && loop->heap[child + 1]->due < loop->heap[child]->due)
            child++;
        if (loop->heap[child]->due >= timer->due)
            break;
        put(loop, place, loop->heap[child]);
        place = child;
    }
    put(loop, place, timer);
}

bool loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_fn fn, void *arg)
{
    *timer = (struct loop_timer){.fn = fn, .arg = arg};
    if (loop->timers_inited + 2 > loop->heap_cap) {
        size_t cap = loop->heap_cap ? loop->heap_cap * 2 : 16;
        struct loop_timer **heap = realloc(loop->heap, cap * sizeof *heap);
        if (!heap)
            return false;
        loop->heap = heap;
        loop->heap_cap = cap;
    }
    loop->timers_inited++;
    timer->loop = loop;
    return true;
}

void loop_timer_cancel(struct loop_timer *timer)
{
    struct loop *loop = timer->loop;
    if (!loop || !timer->place)
        return;
    size_t place = timer->place;
    struct loop_timer *last = loop->heap[loop->timers--];
    timer->place = 0;
    if (last == timer)
        return;
    if (place > 1 && loop->heap[place / 2]->due > last->due)
        sift_up(loop, place, last);
    else
        sift_down(loop, place, last);
}

void loop_timer_set(struct loop_timer *timer, leat_usec usec)
{
    loop_timer_cancel(timer);
    leat_usec now = loop_now(timer->loop);
    timer->due = usec <= 0 ? now : usec > INT64_MAX - now ? INT64_MAX : now + usec;
    sift_up(timer->loop, ++timer->loop->timers, timer);
}

void loop_timer_fini(struct loop_timer *timer)
{
    if (!timer->loop)
        return;
    loop_timer_cancel(timer);
    timer->loop->timers_inited--;
    timer->loop = NULL;
}

leat_usec timers_next(const struct loop *loop)
{
    return loop->timers ? loop->heap[1]->due : INT64_MAX;
}

void timers_fire(struct loop *loop)
{
    leat_usec now = loop_now(loop);
    // a timer that arms itself for "at once" comes in the next turn: its due time is not before `now`, and at most as
    // many fire as were armed
    for (size_t most = loop->timers; most && loop->timers && loop->heap[1]->due <= now; most--) {
        struct loop_timer *timer = loop->heap[1];
        loop_timer_cancel(timer);
        loop_enter(loop);
        timer->fn(timer->arg); // may fini and free it
        loop_leave(loop);
    }
}
