// SPDX-License-Identifier: Apache-2.0
// Watches: a thin layer over libevent's persistent, level-triggered events.
#include <event2/event.h>

#include "loop/loop_int.h"

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_watch *watch = arg;
    struct loop *loop = watch->loop;
    uint32_t ready = (what & EV_READ ? LEAT_READ : 0) | (what & EV_WRITE ? LEAT_WRITE : 0);
    loop_enter(loop);
    watch->fn(watch->arg, ready); // may fini and free the watch
    loop_leave(loop);
}

bool loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd, loop_watch_fn fn, void *arg)
{
    *watch = (struct loop_watch){.fn = fn, .arg = arg, .fd = fd};
    watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_event, watch);
    if (!watch->event)
        return false;
    watch->loop = loop;
    return true;
}

bool loop_watch_for(struct loop_watch *watch, uint32_t ready)
{
    if (ready == watch->ready)
        return true;
    short what = EV_PERSIST | (ready & LEAT_READ ? EV_READ : 0) | (ready & LEAT_WRITE ? EV_WRITE : 0);
    if (event_del(watch->event) != 0)
        return false;
    watch->ready = 0;
    if (!ready)
        return true;
    if (event_assign(watch->event, watch->loop->base, watch->fd, what, on_event, watch) != 0 ||
        event_add(watch->event, NULL) != 0)
        return false;
    watch->ready = ready;
    return true;
}

void loop_watch_fini(struct loop_watch *watch)
{
    if (!watch->loop)
        return;
    event_free(watch->event); // takes it out of libevent's queue of active events too
    watch->loop = NULL;
    watch->event = NULL;
}
