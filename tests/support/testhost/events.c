// SPDX-License-Identifier: Apache-2.0
// Watches, timers, wakes and posted calls of a node, on the host's libevent loop. Wakes and posts come from any thread:
// they leave their mark under the lock and ring the node's eventfd.
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "testhost_int.h"

static void note_failure(struct testhost_node *node, leat_status st)
{
    if (st < 0 && !node->failed)
        node->failed = st;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct leat_event *e = arg;
    uint32_t ready = (what & EV_READ ? LEAT_READ : 0) | (what & EV_WRITE ? LEAT_WRITE : 0);
    struct testhost_node *node = e->node;
    thost_enter(node, "a callback");
    note_failure(node, thost_leave(node, "a callback", e->fn(&node->ctx, e->arg, ready))); // e may be gone afterwards
}

static struct leat_event *create(struct leat_ctx *ctx, int fd, leat_event_fn fn, void *arg)
{
    struct testhost_node *node = thost_node_of(ctx);
    struct leat_event *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    *e = (struct leat_event){.node = node, .fn = fn, .arg = arg, .fd = fd};
    e->next = node->impl->events;
    e->link = &node->impl->events;
    if (e->next)
        e->next->link = &e->next;
    node->impl->events = e;
    return e;
}

leat_status thost_watch_for(struct leat_event *e, uint32_t ready)
{
    if (e->ev)
        event_free(e->ev);
    e->ev = NULL;
    if (!ready)
        return LEAT_OK;
    short what = (short)(EV_PERSIST | (ready & LEAT_READ ? EV_READ : 0) | (ready & LEAT_WRITE ? EV_WRITE : 0));
    e->ev = event_new(e->node->host->impl->base, e->fd, what, on_event, e);
    if (!e->ev || event_add(e->ev, NULL) < 0)
        abort();
    return LEAT_OK;
}

struct leat_event *thost_watch(struct leat_ctx *ctx, int fd, uint32_t ready, leat_event_fn fn, void *arg)
{
    thost_check_home(thost_node_of(ctx), "watch");
    if (thost_alloc_fails(thost_node_of(ctx)->host))
        return NULL;
    struct leat_event *e = create(ctx, fd, fn, arg);
    thost_watch_for(e, ready);
    return e;
}

leat_status thost_timer_again(struct leat_event *e, int64_t usec)
{
    struct timeval tv = {.tv_sec = usec / 1000000, .tv_usec = usec % 1000000};
    return event_add(e->ev, &tv) < 0 ? LEAT_BUG : LEAT_OK;
}

struct leat_event *thost_timer(struct leat_ctx *ctx, int64_t usec, leat_event_fn fn, void *arg)
{
    thost_check_home(thost_node_of(ctx), "timer");
    if (thost_alloc_fails(thost_node_of(ctx)->host))
        return NULL;
    struct leat_event *e = create(ctx, -1, fn, arg);
    e->ev = evtimer_new(e->node->host->impl->base, on_event, e);
    if (!e->ev)
        abort();
    thost_timer_again(e, usec);
    return e;
}

void thost_event_close(struct leat_event *e)
{
    if (!e)
        return;
    if (e->ev)
        event_free(e->ev);
    *e->link = e->next;
    if (e->next)
        e->next->link = e->link;
    free(e);
}

static void ring(struct testhost_node *node)
{
    uint64_t one = 1;
    if (write(node->impl->event_fd, &one, sizeof one) < 0)
        return; // full: it is readable anyway
}

void thost_wake(struct leat_ctx *ctx)
{
    struct testhost_node *node = thost_node_of(ctx);
    atomic_fetch_add(&node->woken, 1);
    if (!atomic_exchange(&node->impl->awake, 1))
        ring(node);
}

leat_status thost_post(struct leat_ctx *ctx, leat_event_fn fn, void *arg)
{
    struct testhost_node *node = thost_node_of(ctx);
    struct thost_post *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    *p = (struct thost_post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&node->impl->lock);
    if (node->impl->closed) {
        free(p);
    } else {
        *node->impl->posts_tail = p;
        node->impl->posts_tail = &p->next;
    }
    pthread_mutex_unlock(&node->impl->lock);
    ring(node);
    return LEAT_OK;
}

static struct thost_post *take_posts(struct testhost_node_impl *impl)
{
    pthread_mutex_lock(&impl->lock);
    struct thost_post *p = impl->posts;
    impl->posts = NULL;
    impl->posts_tail = &impl->posts;
    pthread_mutex_unlock(&impl->lock);
    return p;
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
    struct testhost_node *node = arg;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return;
    for (struct thost_post *p = take_posts(node->impl), *next; p; p = next) {
        next = p->next;
        if (!node->impl->closed) {
            thost_enter(node, "a posted call");
            note_failure(node, thost_leave(node, "a posted call", p->fn(&node->ctx, p->arg, 0)));
        }
        free(p);
    }
}

void thost_events_init(struct testhost_node *node)
{
    struct testhost_node_impl *impl = node->impl;
    pthread_mutex_init(&impl->lock, NULL);
    impl->posts_tail = &impl->posts;
    impl->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    impl->event = event_new(node->host->impl->base, impl->event_fd, EV_READ | EV_PERSIST, on_ring, node);
    if (impl->event_fd < 0 || !impl->event || event_add(impl->event, NULL) < 0)
        abort();
}

void thost_events_fini(struct testhost_node *node)
{
    struct testhost_node_impl *impl = node->impl;
    while (impl->events)
        thost_event_close(impl->events);
    for (struct thost_post *p = take_posts(impl), *next; p; p = next) {
        next = p->next;
        free(p);
    }
    event_free(impl->event);
    close(impl->event_fd);
    pthread_mutex_destroy(&impl->lock);
}
