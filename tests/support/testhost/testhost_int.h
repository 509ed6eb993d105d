// SPDX-License-Identifier: Apache-2.0
// What the files of testhost share.
#ifndef TESTHOST_INT_H
#define TESTHOST_INT_H

#include <pthread.h>
#include <stdio.h>

#include <event2/event.h>

#include "testhost.h"

// Behind leat_ctx.core: the node's own context and each thread context.
struct thost_ctx {
    struct testhost_node *node;
    struct testhost_error *error;
};

struct thost_memory {
    struct thost_memory *next;
};

struct thost_post {
    leat_event_fn fn;
    void *arg;
    struct thost_post *next;
};

struct thost_metric {
    char name[128];
    int64_t value;
    struct thost_metric *next;
};

struct leat_event {
    struct testhost_node *node;
    struct event *ev;
    leat_event_fn fn;
    void *arg;
    int fd; // -1 = a timer
    struct leat_event *next, **link;
};

struct thost_thread_ctx {
    struct leat_ctx ctx;
    struct thost_ctx core;
    struct testhost_error error;
};

struct testhost_node_impl {
    struct thost_ctx core;
    pthread_mutex_t lock; // of posts, log, status and metrics
    struct thost_post *posts, **posts_tail;
    int event_fd; // readable when posts or a wake wait
    struct event *event;
    atomic_int awake; // a wake that nobody has used yet
    uint8_t closed;   // posts are dropped
    struct leat_event *events;
    pthread_t home;              // thread of the node
    int64_t entered;             // monotonic ms of the call under way
    struct thost_memory *memory; // freed with the node
    struct thost_metric *metrics;
    char *log;
    size_t log_len, log_cap;
    char *text; // of testhost_rows
    char *faults;
    const char *const *pairs; // the options, for formats; copied
    struct testhost_state *saving;
    const struct leat_schema *declared;
    struct testhost_emitted **emitted_tail;
};

struct thost_plugin {
    char *name;
    const struct leat_plugin *plugin;
    struct thost_plugin *next;
};

struct testhost_impl {
    struct event_base *base;
    struct thost_plugin *plugins;
    struct thost_memory *memory; // freed with the host
    pthread_mutex_t lock;        // of offence
    char doing[TESTHOST_DOING];
};

// Zeroed memory that lives as long as the list's owner; never NULL.
void *thost_memory(struct thost_memory **list, size_t size);
void thost_memory_free(struct thost_memory **list);
char *thost_copy(struct thost_memory **list, const char *text, size_t len);
struct testhost_node *thost_node_of(struct leat_ctx *ctx);
int thost_alloc_fails(struct testhost *h);
__attribute__((format(printf, 5, 6))) void thost_diag(struct testhost_node *node, uint8_t severity, const char *code,
                                                      const char *option, const char *fmt, ...);

// rules.c
__attribute__((format(printf, 2, 3))) void thost_offence(struct testhost *h, const char *fmt, ...);
// Around each call of a component's function.
void thost_enter(struct testhost_node *node, const char *call);
leat_status thost_leave(struct testhost_node *node, const char *call, leat_status st);
void thost_check_home(struct testhost_node *node, const char *function);
void thost_check_batch(struct testhost_node *node, uint32_t port, const struct leat_batch *b);

// events.c
void thost_events_init(struct testhost_node *node);
void thost_events_fini(struct testhost_node *node);
struct leat_event *thost_watch(struct leat_ctx *ctx, int fd, uint32_t ready, leat_event_fn fn, void *arg);
leat_status thost_watch_for(struct leat_event *watch, uint32_t ready);
struct leat_event *thost_timer(struct leat_ctx *ctx, int64_t usec, leat_event_fn fn, void *arg);
leat_status thost_timer_again(struct leat_event *timer, int64_t usec);
void thost_event_close(struct leat_event *event);
void thost_wake(struct leat_ctx *ctx);
leat_status thost_post(struct leat_ctx *ctx, leat_event_fn fn, void *arg);

// batches.c
struct leat_batch *thost_batch_create(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                      uint8_t bare);
leat_status thost_batch_keep(struct leat_batch *b, const struct leat_batch *other);
leat_status thost_batch_attach(struct leat_batch *b, void (*release)(void *arg), void *arg);
void *thost_batch_grow(struct leat_batch *b, size_t size, size_t align);
void thost_batch_ref(const struct leat_batch *b);
void thost_batch_unref(const struct leat_batch *b);

// options.c
leat_status thost_format_open(struct leat_ctx *ctx, const char *option, uint8_t direction,
                              const struct leat_schema *schema, const uint32_t *columns, uint32_t column_count,
                              struct leat_format **format);

#endif
